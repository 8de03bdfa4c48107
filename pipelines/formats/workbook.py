"""Workbooks (xlsx, xls, ods) to grids: the sheets that the contract names, each cell as text.

A workbook whose memory cannot be told beforehand is opened by a process of its own (`workbook_process`).
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import fastexcel
import polars as pl
import pyarrow as pa

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import ROW, Grid, give_up, refuse_size
from pipelines.formats.packing import unpack
from pipelines.formats.workbook_process import read_cells
from pipelines.jurisdiction.contract import Format, SheetRule

MAX_SECONDS = 600  # for a workbook that is opened in a process of its own

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
    data = unpack(data, rule, where)
    return list(_opened(data, where).sheet_names) if rule.kind == "xlsx" else _beside(data, [], where)[0]


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
    if rule.kind == "xlsx":
        workbook = _opened(data, where)
        chosen = _chosen_sheets(workbook.sheet_names, rule, where)
        _refuse_far_cells(data, where)
        return [_read_sheet(workbook, name, where) for name in chosen]
    # What the older formats unpack to cannot be told beforehand: they are opened where memory is limited.
    wanted = [] if isinstance(rule.sheet, SheetRule) else [rule.sheet]
    names, batches = _beside(data, wanted, where)
    chosen = _chosen_sheets(names, rule, where)
    if isinstance(rule.sheet, SheetRule):
        _, batches = _beside(data, chosen, where)
    return [_as_grid(name, batch, where) for name, batch in zip(chosen, batches, strict=True)]


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


def _beside(
    data: bytes, sheets: Sequence[str | int], where: str
) -> tuple[list[str], list[tuple[Any, list[int], list[Any]]]]:
    """A workbook opened by a process of its own, with limited memory and time: its sheet names, and sheets as read.

    `sheets` are names or positions from 1; those that the workbook lacks are left out.
    """
    command = [sys.executable, "-I", str(Path(__file__).with_name("workbook_process.py")), json.dumps(sheets)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=MAX_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        give_up(error, "the workbook takes too long to open", where, "ask for it in another format")
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise UnreadableFileError(
            f"the workbook cannot be opened: {said[-1][:300] if said else 'its reader died'}",
            where=where,
            do="open it in a spreadsheet program; if it fails there too, ask for it again",
        )
    stream = io.BytesIO(done.stdout)
    head = json.loads(stream.readline())
    read = []
    for size, columns, faults in head["read"]:
        with pa.ipc.open_stream(pa.py_buffer(stream.read(size))) as reader:
            read.append((reader.read_all(), columns, faults))
    return head["names"], read


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
    try:
        read = read_cells(workbook, name)
    except BaseException as error:
        give_up(error, f"the sheet {name!r} cannot be read", where, "check the workbook")
    return _as_grid(name, read, where)


def _as_grid(name: str, read: tuple[Any, list[int], list[Any]], where: str) -> Grid:
    """A sheet as a grid: empty columns on the left counted, faults of formulas (#DIV/0!) as the text they show."""
    table, columns, faults = read
    frame = pl.DataFrame(pl.from_arrow(table)) if table.num_columns else pl.DataFrame()
    if not frame.width or not frame.height:
        raise UnreadableFileError(f"the sheet {name!r} is empty", where=where, do="check `format.sheet` or the file")
    refuse_size(frame.height, columns[-1] + 1, where)
    by_column: dict[int, dict[int, str]] = {}
    for row, column, detail in faults:
        kind = re.search(r"Error\((\w+)\)", detail)
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
