"""Corrections that we make ourselves: `corrections/*.yml`, with what we expect to find, why, who and since when.

A correction replaces or drops a cell, or drops a row, of one extract's delivery. When the department mends its
file the expectation no longer holds, and the correction fails loudly until somebody removes it. Person-level extracts
have none: a correction changes a figure, not a person's record. Applying is `intake`'s work.
"""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.yaml_model import StrictModel, load_model


class Correction(StrictModel):
    """One correction.

    `region_code` and `where` (row dimensions, or headers with the text of their cell) name the row, `column` the
    cell, `expect` what the department wrote there. Exactly one cell of the delivery must fit.
    """

    id: str
    extract: str
    delivery_period: str
    region_code: str
    where: dict[str, str] = {}
    column: str
    expect: str
    action: Literal["replace", "drop_cell", "drop_row"]
    value: str | None = None
    reason: str = Field(min_length=1)
    who: str = Field(min_length=1)
    since: date

    @model_validator(mode="after")
    def _fits(self) -> Correction:
        if (self.action == "replace") != (self.value is not None):
            raise ValueError("`replace` needs `value`, the other actions have none")
        return self

    @property
    def hash(self) -> str:
        """SHA-256 of what the correction says."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class CorrectionFile(StrictModel):
    """The model of one file."""

    corrections: list[Correction] = []


def load_corrections(folder: Path, extracts: dict[str, bool]) -> list[Correction]:
    """All corrections of a jurisdiction, in file and line order. `extracts` says of each whether it is person-level.

    Raises ConfigurationError for a file that does not fit or would be overlooked, an extract that is unknown or
    person-level, or an id that stands twice.
    """
    for path in sorted({*folder.rglob("*.yml"), *folder.rglob("*.yaml")} - set(folder.glob("*.yml"))):
        raise ConfigurationError(
            "a file of corrections lies where nobody looks for it",
            where=str(path),
            do="move it to corrections/<name>.yml",
        )
    corrections: list[Correction] = []
    seen: dict[str, Path] = {}
    for path in sorted(folder.glob("*.yml")):
        for correction in load_model(path, CorrectionFile).corrections:
            if correction.extract not in extracts:
                raise ConfigurationError(
                    f"the correction {correction.id} is for {correction.extract!r}, which has no contract",
                    where=str(path),
                    do="correct `extract`",
                )
            if extracts[correction.extract]:
                raise ConfigurationError(
                    f"the correction {correction.id} is for {correction.extract}, which is person-level: "
                    "a correction changes a figure, not a person's record",
                    where=str(path),
                    do="ask the department for a corrected file",
                )
            if correction.id in seen:
                raise ConfigurationError(
                    f"the correction id {correction.id!r} stands twice",
                    where=f"{path} and {seen[correction.id]}",
                    do="give each correction its own id",
                )
            seen[correction.id] = path
            corrections.append(correction)
    return corrections
