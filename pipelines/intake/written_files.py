"""Numbers that name a person in what people write about files: contracts, corrections, waivers, descriptions.

Names and reasons stand in releases, on pages and in the ledger, so such a file is refused before anything is done with
it. What such a number looks like is `personal_numbers`' work.
"""

from __future__ import annotations

import re
from pathlib import Path

from pipelines.errors import ConfigurationError
from pipelines.intake.personal_numbers import find_personal_number, shape_of
from pipelines.jurisdiction import Jurisdiction

# A contract may name an office's telephone, and codes of its own that a declared pattern fits.
_CHECKS = ("identity", "card")
_LONG_NUMBER = re.compile(r"(?:[0-9０-９][^0-9０-９\n]?){14}[0-9０-９]")


def refuse_personal_numbers(jurisdiction: Jurisdiction) -> None:
    """Raises ConfigurationError, with file and line and without the number, for one in a jurisdiction's YAML."""
    kinds = [kind for kind in jurisdiction.personal_numbers if kind.check in _CHECKS]
    for path in _written(jurisdiction.folder):
        text = path.read_text(encoding="utf-8", errors="replace")
        if not _LONG_NUMBER.search(text):  # most have none, and need no look line by line
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if kind := find_personal_number(line, kinds):
                raise ConfigurationError(
                    f"the line holds what looks like an {shape_of(kind)}",
                    where=f"{path}, line {number}",
                    do="write it without that number: what is written here is published",
                )


def _written(folder: Path) -> list[Path]:
    """The YAML files of a jurisdiction."""
    files = [*folder.glob("*.yml")]
    for room in ("contracts", "corrections", "expectations"):
        files += (folder / room).rglob("*.yml")
    return sorted(path for path in files if path.is_file())
