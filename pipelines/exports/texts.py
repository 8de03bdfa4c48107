"""Cells as downloads write them: numbers in full and exact, times in UTC; and the texts that all downloads share.

Which tables and cells are written is decided by the formats.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.publish import Column, Release, Table
from pipelines.sql import quote
from pipelines.store import read_yaml

WORDS_FILE = Path(__file__).with_name("words.yml")


def words() -> dict[str, Any]:
    """Texts and codes that all downloads share: flags and what they mean."""
    loaded: dict[str, Any] = read_yaml(WORDS_FILE.read_text(encoding="utf-8"))
    return loaded


def text_of(column: Column) -> str:
    """The text of a column's cell, as SQL."""
    name = quote(column.name)
    if column.data_type.startswith("DECIMAL"):
        text = f"cast({name} as varchar)"
        return f"case when contains({text}, '.') then rtrim(rtrim({text}, '0'), '.') else {text} end"
    if column.data_type == "TIMESTAMP":
        return f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"cast({name} as varchar)"


def texts(table: Table, where: str = "true") -> str:
    """A select of every column as text, in the table's order: numbers in full and exact, times in UTC.

    A decimal loses the zeros at its end and nothing else; a double has the shortest text that gives it back.
    """
    cells = ", ".join(f"{text_of(column)} as {quote(column.name)}" for column in table.columns)
    return f"select {cells} from {quote(table.name)} where {where} order by {table.order}"


def is_required(release: Release, table: Table, column: Column) -> bool:
    """True when every cell of a column has a text: in a CSV file an empty text and a missing one look the same."""
    if column.is_nullable or column.data_type != "VARCHAR":
        return not column.is_nullable
    found = release.tuples(f"select count(*) from {quote(table.name)} where {quote(column.name)} = ''")
    return not found[0][0]
