"""Workbooks (xlsx, xls, ods) to grids: the sheets that the contract names, each cell as text.

What a workbook unpacks to cannot always be told beforehand: whoever reads files sees to it that memory is limited.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import IO

import fastexcel
import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import ROW, Grid, give_up, refuse_size
from pipelines.formats.packing import unpack
from pipelines.jurisdiction.contract import Format

_FAULTS = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "GettingData": "#GETTING_DATA",
}
_COLUMN = re.compile(rb"r=[\"']([A-Z]{2,7})[0-9]")
_ROW = re.compile(rb"r=[\"'][A-Z]*([0-9]{1,9})[\"']")


def sheet_names(data: bytes, rule: Format, where: str) -> list[str]:
    """The names of a workbook's sheets, in order."""
    return list(_opened(unpack(data, rule, where), where).sheet_names)


def _opened(data: bytes, where: str) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(data)
    except BaseException as error:
        give_up(
            error,
            "the workbook cannot be opened",
            where,
            "open it in a spreadsheet program; if it fails there too, ask for it again",
        )


def read_workbook(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The sheets of a workbook that the contract names."""
    workbook = _opened(data, where)
    chosen = _chosen_sheets(workbook.sheet_names, rule, where)
    if rule.kind == "xlsx":
        _refuse_far_cells(data, where)
    return [_read_sheet(workbook, name, where) for name in chosen]


def _refuse_far_cells(data: bytes, where: str) -> None:
    """Refuse a sheet whose cells span more than memory holds: a reader keeps every empty cell between them."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                if re.search(r"worksheets/[^/]*\.xml$", name, re.IGNORECASE):
                    with archive.open(name) as stream:
                        refuse_size(*_span_of_cells(stream), where)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, OverflowError, OSError, EOFError) as error:
        raise UnreadableFileError(f"the workbook is damaged: {error}", where=where, do="ask for it again") from error


def _span_of_cells(stream: IO[bytes]) -> tuple[int, int]:
    """The last row and the last column of a sheet, at least 26: every cell's column is seen, the last cell's row."""
    rows, columns, rest = 1, 26, b""
    while piece := stream.read(4_000_000):
        piece = rest + piece
        columns = max((columns, *map(_column_number, set(_COLUMN.findall(piece)))))
        end = piece.find(b"</sheetData")
        tail = piece[max(0, end - 3000) : end] if end >= 0 else piece[-3000:]
        rows = max((rows, *map(int, _ROW.findall(tail))))
        rest = piece[-3000:]
    return rows, columns


def _column_number(letters: bytes) -> int:
    number = 0
    for byte in letters:
        number = number * 26 + byte - 64
    return number


def _chosen_sheets(names: list[str], rule: Format, where: str) -> list[str]:
    wanted = rule.sheet
    if isinstance(wanted, int):
        if not 1 <= wanted <= len(names):
            raise UnreadableFileError(
                f"the workbook has {len(names)} sheets, not {wanted}", where=where, do="correct `format.sheet`"
            )
        return [names[wanted - 1]]
    if isinstance(wanted, str):
        if wanted not in names:
            raise UnreadableFileError(
                f"the workbook has no sheet {wanted!r}; it has {', '.join(names)}",
                where=where,
                do="correct `format.sheet`",
            )
        return [wanted]
    chosen = [name for name in names if wanted.fits(name)]
    if not chosen:
        raise UnreadableFileError(
            f"no sheet is named like {wanted.pattern!r}; there are {', '.join(names)}",
            where=where,
            do="correct `format.sheet`",
        )
    return chosen if wanted.all else chosen[:1]


def _read_sheet(workbook: fastexcel.ExcelReader, name: str, where: str) -> Grid:
    """A sheet as a grid: empty columns on the left counted, faults of formulas (#DIV/0!) as the text they show."""
    try:
        sheet = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        columns = [column.absolute_index for column in sheet.available_columns()]
        table, faults = sheet.to_arrow_with_errors()
    except BaseException as error:
        give_up(error, f"the sheet {name!r} cannot be read", where, "check the workbook")
    frame = pl.DataFrame(pl.from_arrow(table)) if table.num_columns else pl.DataFrame()
    if not frame.width or not frame.height:
        raise UnreadableFileError(f"the sheet {name!r} is empty", where=where, do="check `format.sheet` or the file")
    refuse_size(frame.height, columns[-1] + 1, where)
    by_column: dict[int, dict[int, str]] = {}
    for fault in faults.errors if faults else []:
        row, column = fault.offset_position[:2]
        kind = re.search(r"Error\((\w+)\)", fault.detail)
        by_column.setdefault(column, {})[row] = _FAULTS.get(kind.group(1) if kind else "", "#ERROR!")
    cells = {
        f"c{i}": pl.Series([None], dtype=pl.String).new_from_index(0, frame.height) for i in range(columns[-1] + 1)
    }
    for index, (place, old) in enumerate(zip(columns, frame.columns, strict=True)):
        series = frame[old]
        if index in by_column:
            shown = by_column[index]
            series = series.scatter(list(shown), list(shown.values()))
        cells[f"c{place}"] = series
    return Grid(name, pl.DataFrame(cells).with_row_index(ROW, offset=1).cast({ROW: pl.Int64}))
