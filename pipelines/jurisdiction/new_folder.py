"""A new jurisdiction's folder: commented files to fill in, every reference table with its header and an example line.

The texts are in `skeleton/`, the tables are made of their schema. What is left open in them (`?`) is refused by the
loader until a person has answered it.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import UsageError
from pipelines.jurisdiction.open_fields import OpenField, find_open
from pipelines.jurisdiction.reference_schema import TABLES, Table

SKELETON = Path(__file__).with_name("skeleton")
_FOLDERS = ("contracts", "corrections", "expectations", "landing")


@dataclass(frozen=True)
class NewFolder:
    """A folder that was made: its files, and what a person has to answer in them."""

    folder: Path
    files: list[Path]
    open_fields: list[OpenField]  # of jurisdiction.yml


def make_folder(folder: Path) -> NewFolder:
    """Make the skeleton of a jurisdiction in a folder that is not there yet, or is empty.

    Raises UsageError for a folder that holds anything: nothing is ever overwritten.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            "there is something already", where=str(folder), do="name a folder that is empty or not there yet"
        )
    texts = {f"reference/{table.file}": table_text(table) for table in TABLES}
    # what has more to say than a header and an example is written out
    files = sorted(path for path in SKELETON.rglob("*") if path.is_file())
    texts |= {path.relative_to(SKELETON).as_posix(): path.read_text(encoding="utf-8") for path in files}
    texts |= {f"{name}/.gitkeep": "" for name in _FOLDERS}
    try:
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise UsageError(
            f"the folder cannot be written: {error.strerror}", where=str(folder), do="name another one"
        ) from error
    return NewFolder(folder, [folder / name for name in texts], find_open(texts["jurisdiction.yml"]))


def table_text(table: Table) -> str:
    """A reference table with its header, and one line of examples that is a comment."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(table.columns)
    text.write("# ")
    lines.writerow([column.example for column in table.columns.values()])
    return text.getvalue()
