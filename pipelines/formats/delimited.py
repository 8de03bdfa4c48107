"""Text in columns, parted by commas, tabs or another sign, to a grid. Nothing of it is interpreted."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import MAX_CELL, MAX_CELLS, MAX_COLUMNS, Grid, frame
from pipelines.formats.text import decode
from pipelines.jurisdiction.contract import Format


def read_delimited(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The one grid of a text in columns."""
    text = decode(data, rule.encoding, where)
    delimiter = "\t" if rule.kind == "tsv" else rule.delimiter
    rows: list[list[str | None]] = []
    numbers: list[int] = []
    csv.field_size_limit(MAX_CELL)
    # A whole text in a stream takes four bytes a character: a long one is cut into lines instead.
    lines = io.StringIO(text, newline="") if len(text) < 50_000_000 else _lines(text)
    reader = csv.reader(_not_too_wide(lines, delimiter, where), delimiter=delimiter)
    first, count = 1, 0
    try:
        for row in reader:
            count += len(row) + 1
            if len(row) > MAX_COLUMNS or count > MAX_CELLS:
                counted = (
                    f"a row has {len(row):,} columns" if len(row) > MAX_COLUMNS else f"more than {count - 1:,} cells"
                )
                raise UnreadableFileError(
                    counted, where=f"{where}, line {first}", do="check the delimiter and the file"
                )
            rows.append([cell if cell != "" else None for cell in row])
            numbers.append(first)
            first = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFileError(
            f"not readable as CSV: {error}", where=f"{where}, line {first}", do="check delimiter and quotes"
        ) from error
    return [Grid("", frame(rows, numbers, where))]


def _not_too_wide(lines: Iterable[str], delimiter: str, where: str) -> Iterator[str]:
    """The lines as they are; one with more delimiters than cells and quotes can explain is never taken apart."""
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_COLUMNS and line.count(delimiter) > MAX_COLUMNS + MAX_CELL:
            raise UnreadableFileError(
                f"a row has {line.count(delimiter) + 1:,} columns",
                where=f"{where}, line {number}",
                do="check the delimiter and the file",
            )
        yield line


def _lines(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end
