"""YAML files as validated models, with the line of the file in every error.

Used for contracts and `jurisdiction.yml`. What the fields mean is in the models themselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.open_fields import OPEN, find_open, refuse_open, with_stand_ins
from pipelines.yaml_files import line_of, load_text, read_text

M = TypeVar("M", bound="StrictModel")


class StrictModel(BaseModel):
    """A model that refuses fields it does not know: a misspelt field must not be silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def load_model(path: Path, model: type[M], *, may_be_proposed: bool = False) -> M:
    """Read a YAML file into a model.

    Raises ConfigurationError with file and line for text that is not YAML, leaves a field open (`?`), or does not fit
    the model. With `may_be_proposed` a file with `status: proposed` may leave fields open: stand-ins are read in
    their places (`open_fields`).
    """
    text = read_text(path)
    document = load_text(text, str(path))
    if found := find_open(text) if OPEN in text else []:
        if not (may_be_proposed and isinstance(document, dict) and document.get("status") == "proposed"):
            refuse_open(path, found)
        document = with_stand_ins(document)
    try:
        return model.model_validate(document if document is not None else {})
    except ValidationError as error:
        problems = []
        for item in error.errors()[:5]:
            location = tuple(item["loc"])
            dotted = ".".join(str(part) for part in location)
            problems.append(f"line {line_of(text, location)}: {dotted}: {item['msg']}")
        raise ConfigurationError(
            "; ".join(problems), where=str(path), do="mend the fields named above and run again"
        ) from error
