"""Bytes to grids: every cell as text, in its place. One function per format, nothing interpreted.

A grid's columns are `c0, c1, ...`, beside `source_row`, the row number that a person sees when opening the file.
Numbers, headers and regions are other modules' work.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import fastexcel
import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.jurisdiction.contract import Format

ROW = "source_row"
MAX_COLUMNS = 20_000
MAX_CELL = 1_000_000


@dataclass(frozen=True)
class Grid:
    """One sheet as text. `sheet` is empty for formats that have none."""

    sheet: str
    cells: pl.DataFrame

    @property
    def columns(self) -> list[str]:
        """The cell columns, from left to right."""
        return [c for c in self.cells.columns if c != ROW]


def read_grid(data: bytes, rule: Format, where: str) -> Grid:
    """The cells of a file as text.

    Raises UnreadableFileError saying what stands in the way: no bytes, wrong format, wrong encoding, no such sheet.
    """
    if not data:
        raise UnreadableFileError("the file is empty (0 bytes)", where=where, do="ask the department to send it again")
    if rule.kind == "csv":
        return _read_csv(data, rule, where)
    return _read_workbook(data, rule, where)


def _read_csv(data: bytes, rule: Format, where: str) -> Grid:
    try:
        text = data.decode(rule.encoding)
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            f"the bytes are not {rule.encoding}: byte {error.start:,} cannot be read",
            where=where,
            do="correct `format.encoding` in the contract or ask for the file in the agreed encoding",
        ) from error
    if "\x00" in text:
        raise UnreadableFileError(
            "the file holds null bytes: it is not a text file in this encoding",
            where=where,
            do="correct `format` in the contract",
        )
    rows: list[list[str | None]] = []
    numbers: list[int] = []
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=rule.delimiter)
    first = 1
    try:
        for row in reader:
            if len(row) > MAX_COLUMNS:
                raise UnreadableFileError(
                    f"a row has {len(row):,} columns",
                    where=f"{where}, line {first}",
                    do="check the delimiter",
                )
            rows.append([cell if cell != "" else None for cell in row])
            numbers.append(first)
            first = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFileError(
            f"not readable as CSV: {error}", where=f"{where}, line {first}", do="check delimiter and quotes"
        ) from error
    width = max((len(row) for row in rows), default=0)
    if not width:
        raise UnreadableFileError("the file has no cells", where=where, do="ask the department to send it again")
    for filled in rows:
        filled.extend([None] * (width - len(filled)))
    columns = {f"c{i}": [filled[i] for filled in rows] for i in range(width)}
    return Grid("", pl.DataFrame({ROW: numbers, **columns}, schema=_schema(width)))


def _read_workbook(data: bytes, rule: Format, where: str) -> Grid:
    try:
        workbook = fastexcel.read_excel(data)
    except Exception as error:  # calamine raises one class per fault; all of them mean the same here
        raise UnreadableFileError(
            f"the workbook cannot be opened: {str(error).splitlines()[0]}",
            where=where,
            do="open it in a spreadsheet program; if it fails there too, ask for it again",
        ) from error
    names = workbook.sheet_names
    if isinstance(rule.sheet, int):
        if not 1 <= rule.sheet <= len(names):
            raise UnreadableFileError(
                f"the workbook has {len(names)} sheets, not {rule.sheet}",
                where=where,
                do="correct `format.sheet`",
            )
        name = names[rule.sheet - 1]
    elif rule.sheet in names:
        name = rule.sheet
    else:
        raise UnreadableFileError(
            f"the workbook has no sheet {rule.sheet!r}; it has {', '.join(names)}",
            where=where,
            do="correct `format.sheet`",
        )
    try:
        frame = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
    except Exception as error:
        raise UnreadableFileError(
            f"the sheet {name!r} cannot be read: {str(error).splitlines()[0]}",
            where=where,
            do="check the workbook",
        ) from error
    if not frame.width or not frame.height:
        raise UnreadableFileError(f"the sheet {name!r} is empty", where=where, do="check `format.sheet` or the file")
    frame = frame.rename({old: f"c{i}" for i, old in enumerate(frame.columns)})
    frame = frame.with_row_index(ROW, offset=1).cast({ROW: pl.Int64})
    return Grid(name, frame)


def _schema(width: int) -> dict[str, type[pl.DataType]]:
    return {ROW: pl.Int64, **{f"c{i}": pl.String for i in range(width)}}
