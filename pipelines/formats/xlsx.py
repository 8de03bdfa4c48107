"""Excel workbooks of today (.xlsx) to grids: values by fastexcel, and what cells show beside them by `xlsx_cells`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import fastexcel
import polars as pl

from pipelines.formats.grid import Grid, give_up, places
from pipelines.formats.workbook import (
    NOT_OPENED,
    Looks,
    Sheet,
    arrow_cells,
    as_grid,
    chosen_sheets,
    sheet_findings,
    warning,
)
from pipelines.formats.xlsx_cells import look_at_cells, number_cells
from pipelines.formats.xlsx_parts import Workbook, area_of
from pipelines.jurisdiction.contract import Format

_NUMBER = re.compile(r"-?[0-9.]+$")


def read_xlsx(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The sheets of a workbook that the contract means."""
    reader = _opened(data, where)
    workbook = Workbook(data, where)
    chosen = chosen_sheets(workbook.sheets, rule, where)
    findings = sheet_findings(workbook.sheets, chosen, rule)
    grids = [_grid(reader, workbook, name, where, [] if i else findings) for i, name in enumerate(chosen)]
    grids[0] = replace(grids[0], beside=tuple(("comment in the workbook", text) for text in workbook.comments))
    return grids


def xlsx_sheets(data: bytes, where: str) -> list[Sheet]:
    """The sheets of a workbook, in order."""
    return Workbook(data, where).sheets


def _opened(data: bytes, where: str) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(data)
    except BaseException as error:
        give_up(error, "the workbook cannot be opened", where, NOT_OPENED)


def _grid(
    reader: fastexcel.ExcelReader, workbook: Workbook, name: str, where: str, findings: list[dict[str, str]]
) -> Grid:
    glance = workbook.glance(name)
    try:
        read = _read_cells(reader, name)
    except BaseException as error:
        give_up(error, f"the sheet {name!r} cannot be read", where, "check the workbook")
    cells = arrow_cells(name, read, where)
    looks = look_at_cells(workbook, name) if glance.is_telling else Looks()
    looks.merges = [area for reference in glance.merges if (area := area_of(reference)) is not None]
    _undated(cells, looks)
    if looks.has_formulas and workbook.is_manual:
        observed = f"{name}: formulas are calculated only when somebody asks: their values may be old"
        findings = [*findings, warning("manual_calculation", observed, "a workbook that calculates by itself")]
    return as_grid(name, cells, "xlsx", looks, findings, lambda: places(list(number_cells(workbook, name))))


def _undated(cells: pl.DataFrame, looks: Looks) -> None:
    """Dates are read as such; where a reader took the number of a day for a number, the cell is in doubt."""
    for (row, cell), problem in looks.dates.items():
        if row <= cells.height and cell in cells.columns and _NUMBER.match(cells[cell][row - 1] or ""):
            looks.faults.append((row, cell, "not_as_shown", problem))


def _read_cells(workbook: Any, name: str) -> tuple[Any, list[int], list[tuple[int, int, str]]]:
    """A sheet as text: an Arrow batch, the place of each of its columns (0 is A), and cells that hold an error."""
    sheet = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
    places = [column.absolute_index for column in sheet.available_columns()]
    batch, errors = sheet.to_arrow_with_errors()
    found = [(e.offset_position[0], e.offset_position[1], e.detail) for e in errors.errors] if errors else []
    return batch, places, found
