"""Excel workbooks of 1997 to 2003 (.xls) to grids, by xlrd: values and what cells show beside them.

A sheet has at most 65,536 rows and 256 columns, so what one unpacks to is bounded.
"""

from __future__ import annotations

import io
from decimal import Decimal
from functools import partial
from typing import Any

import polars as pl
import xlrd
import xlrd.xldate

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import Grid, cell_schema, give_up, places
from pipelines.formats.number_format import number_format, plain_text, too_many_digits
from pipelines.formats.workbook import (
    NOT_OPENED,
    Looks,
    Run,
    Sheet,
    as_grid,
    chosen_sheets,
    empty_sheet,
    look_at_runs,
    sheet_findings,
)
from pipelines.jurisdiction.contract import Format

_DECIMALS = Decimal("1e-9")  # as many as a value keeps


def read_xls(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The sheets of a workbook that the contract means."""
    book = _opened(data, where)
    sheets = _sheets(book)
    chosen = chosen_sheets(sheets, rule, where)
    findings = sheet_findings(sheets, chosen, rule)
    grids = []
    for position, name in enumerate(chosen):
        try:
            sheet = book.sheet_by_name(name)
            read = _Sheet(book, sheet)
        except BaseException as error:
            give_up(error, f"the sheet {name!r} cannot be read", where, "check the workbook")
        if not read.width:
            raise empty_sheet(name, where)
        cells = pl.DataFrame(read.rows, schema=cell_schema(read.width), orient="row")
        own = [] if position else findings
        grids.append(as_grid(name, cells, "xls", read.looks, own, partial(places, read.numbers)))
    return grids


def xls_sheets(data: bytes, where: str) -> list[Sheet]:
    """The sheets of a workbook, in order."""
    return _sheets(_opened(data, where))


def _opened(data: bytes, where: str) -> Any:
    try:
        return xlrd.open_workbook(
            file_contents=data, formatting_info=True, ragged_rows=True, on_demand=True, logfile=io.StringIO()
        )
    except BaseException as error:
        if "encrypted" in str(error).lower():
            raise UnreadableFileError(
                "the workbook is protected with a password",
                where=where,
                do="ask for it without one; protection of single sheets does no harm",
            ) from error
        give_up(error, "the workbook cannot be opened", where, NOT_OPENED)


def _sheets(book: Any) -> list[Sheet]:
    found = []
    for index, name in enumerate(book.sheet_names()):
        sheet = book.sheet_by_index(index)
        found.append(Sheet(name, sheet.visibility == 0, partial(bool, sheet.nrows)))
    return found


class _Sheet:
    """A sheet as rows of text, and what its cells show beside that."""

    def __init__(self, book: Any, sheet: Any) -> None:
        self.book, self.sheet, self.looks = book, sheet, Looks()
        self.width: int = sheet.ncols
        self.numbers: list[tuple[int | None, str | None]] = []
        self.rows: list[list[Any]] = [self._row(index) for index in range(sheet.nrows)]
        self.looks.hidden_rows = {
            index + 1 for index, row in sheet.rowinfo_map.items() if row.hidden or row.height == 0
        }
        self.looks.hidden_columns = {i for i, column in sheet.colinfo_map.items() if column.hidden or column.width == 0}
        self.looks.merges = [(top + 1, bottom, left, right - 1) for top, bottom, left, right in sheet.merged_cells]

    def _row(self, index: int) -> list[Any]:
        row: list[Any] = [index + 1, *([None] * self.width)]
        for column, cell in enumerate(self.sheet.row(index)):
            row[column + 1] = self._text(cell, index, column)
        return row

    def _text(self, cell: Any, index: int, column: int) -> str | None:
        kind, value = cell.ctype, cell.value
        if kind in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK) or value == "":
            return None
        row, name = index + 1, f"c{column}"
        style = self.book.xf_list[cell.xf_index] if cell.xf_index is not None else None
        font = self.book.font_list[style.font_index] if style is not None else None
        if font is not None and font.struck_out:
            self.looks.faults.append((row, name, "struck_through", "the cell is struck through"))
        shown = number_format(self._code(style))
        if kind == xlrd.XL_CELL_TEXT:
            self._look_at_text(value, index, column, font)
            if shown.hides_text:
                detail = f"the cell hides its text (number format {shown.code})"
                self.looks.faults.append((row, name, "not_as_shown", detail))
            return str(value)
        if kind == xlrd.XL_CELL_DATE:
            return self._date(value)
        if kind == xlrd.XL_CELL_BOOLEAN:
            return "true" if value else "false"
        if kind == xlrd.XL_CELL_ERROR:
            return str(xlrd.error_text_from_code.get(value, "#ERROR!"))
        self.numbers.append((row, name))
        return self._number(Decimal(repr(float(value))), shown, font, row, name)

    def _code(self, style: Any) -> str:
        known = self.book.format_map.get(style.format_key) if style is not None else None
        return known.format_str if known is not None else "General"

    def _number(self, value: Decimal, shown: Any, font: Any, row: int, name: str) -> str:
        if font is not None and font.escapement:
            self.looks.faults.append((row, name, "not_as_shown", "all of the cell is raised or lowered"))
        if problem := too_many_digits(value):
            self.looks.faults.append((row, name, "not_as_shown", problem))
        if not self.sheet.show_zero_values and value == 0:
            self.looks.faults.append((row, name, "not_as_shown", "the sheet is set to hide zeros"))
        text = shown.show(value)
        if text.problem:
            self.looks.faults.append((row, name, "not_as_shown", text.problem))
        if text.problem or shown.is_plain:
            return plain_text(value.quantize(_DECIMALS) if abs(value) < 10**15 else value)
        return str(text.text)

    def _date(self, value: float) -> str:
        try:
            return str(xlrd.xldate.xldate_as_datetime(value, self.book.datemode))
        except (ValueError, OverflowError):
            return plain_text(Decimal(repr(value)))

    def _look_at_text(self, value: str, index: int, column: int, font: Any) -> None:
        starts = self.sheet.rich_text_runlist_map.get((index, column))
        if not starts:
            return
        bounds = [(0, font), *((start, self.book.font_list[number]) for start, number in starts)]
        ends = [start for start, _ in bounds[1:]] + [len(value)]
        runs = [
            Run(value[start:end], look.escapement == 1, look.escapement == 2, bool(look.struck_out))
            for (start, look), end in zip(bounds, ends, strict=True)
            if end > start
        ]
        look_at_runs(runs, index + 1, f"c{column}", self.looks)
