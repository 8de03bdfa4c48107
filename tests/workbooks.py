"""Makers of workbooks for tests: by xlsxwriter, openpyxl and xlwt, and by hand where no writer would do it."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import openpyxl
import xlsxwriter
import xlwt

HEAD = ("Place", "Heads")
PLACES = ("Ash", "Aspen", "Beech", "Ærø")
CODES = ("VA1", "VA2", "VB1", "VB2")

Cell = Any  # a value, or a function that writes the cell: (page, row, column, book)


def xlsx(rows: Sequence[Sequence[Cell]], finish: Callable[[Any, Any], None] | None = None, **options: Any) -> bytes:
    """One sheet by xlsxwriter; `finish` gets book and page before the book is closed."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, **options})
    page = book.add_worksheet("Data")
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            if callable(cell):
                cell(page, y, x, book)
            elif isinstance(cell, str):
                page.write_string(y, x, cell)
            elif cell is not None:
                page.write_number(y, x, cell)
    if finish is not None:
        finish(book, page)
    book.close()
    return target.getvalue()


def shown_as(value: Any, code: str, **looks: Any) -> Cell:
    """A cell with a number format, and font properties of xlsxwriter."""

    def write(page: Any, y: int, x: int, book: Any) -> None:
        page.write(y, x, value, book.add_format({"num_format": code, **looks}))

    return write


def rich(*runs: tuple[str, str]) -> Cell:
    """A text of runs, each a text and how it looks: plain, raised, lowered, struck."""

    def write(page: Any, y: int, x: int, book: Any) -> None:
        looks = {
            "plain": {"bold": True},
            "raised": {"font_script": 1},
            "lowered": {"font_script": 2},
            "struck": {"font_strikeout": True},
        }
        parts: list[Any] = []
        for text, look in runs:
            parts += [book.add_format(looks[look]), text]
        assert page.write_rich_string(y, x, *parts) == 0

    return write


def formula(text: str, value: Any = 0) -> Cell:
    """A formula with the value that its cell shows; xlsxwriter's own default is 0."""
    return lambda page, y, x, book: page.write_formula(y, x, text, None, value)


def column(cells: Sequence[Cell], head: Sequence[str] = HEAD) -> list[list[Cell]]:
    """A table of places and one number each."""
    return [list(head), *([place, cell] for place, cell in zip(PLACES, cells, strict=False))]


def by_openpyxl(rows: Sequence[Sequence[Any]], finish: Callable[[Any, Any], None] | None = None) -> bytes:
    """One sheet by openpyxl, which writes formulas without values."""
    book = openpyxl.Workbook()
    page = book.active
    for row in rows:
        page.append(list(row))
    if finish is not None:
        finish(book, page)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def xls(rows: Sequence[Sequence[Any]], finish: Callable[[Any, Any], None] | None = None) -> bytes:
    """One sheet by xlwt; a cell (value, style) has a style, a list of (text, font) is a text of runs."""
    book = xlwt.Workbook()
    page = book.add_sheet("Data")
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            if isinstance(cell, list):
                page.write_rich_text(y, x, cell)
            elif isinstance(cell, tuple):
                page.write(y, x, *cell)
            elif cell is not None:
                page.write(y, x, cell)
    if finish is not None:
        finish(book, page)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def xls_format(code: str) -> Any:
    """A style of xlwt with a number format."""
    return xlwt.easyxf(num_format_str=code)


def repacked(data: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """A zip with its members changed; None leaves one out."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target.getvalue()


def replaced(data: bytes, member: str, old: bytes, new: bytes) -> bytes:
    """A zip in one of whose members some bytes are others."""

    def change(name: str, content: bytes) -> bytes:
        if name != member:
            return content
        assert old in content, content[:2000]
        return content.replace(old, new)

    return repacked(data, change)


DAY = datetime.date(2020, 9, 5)
