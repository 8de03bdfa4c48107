"""The workbook: cover, notes, flags, dictionary, and one table a sheet. Made for people, not for programs.

A table with more cells than a spreadsheet program opens in good time is shown by its main reading (what an omitted
key means), and says so where it stands; asked for by name it is written whole.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from pipelines.exports.reading_matter import flags, notes, sources
from pipelines.exports.released import Released
from pipelines.exports.sheet_rows import SheetRows, fill
from pipelines.exports.tables import PublishedTable
from pipelines.sql import quote

CELLS_OF_A_SHEET = 400_000
# What a sheet of a spreadsheet program can hold; a table beyond it is in the other formats only.
ROWS_OF_A_SHEET = 1_048_576
_HEAD_ROWS = 5  # title, mark, what is shown, descriptions, names


class _Book:
    """A workbook being written."""

    def __init__(self, release: Released, path: Path) -> None:
        self.release = release
        self.book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_urls": False})
        made = datetime.datetime.fromisoformat(release.prepared_at.replace("Z", "+00:00")).replace(tzinfo=None)
        self.book.set_properties(
            {"title": release.stem, "comments": release.citation()["en"], "created": made.replace(microsecond=0)}
        )
        self.title = self.book.add_format({"bold": True, "font_size": 14})
        self.mark = self.book.add_format({"bold": True, "font_color": "#B42318"})
        self.head = self.book.add_format({"bold": True, "bg_color": "#E4ECEA", "bottom": 1})
        self.wrap = self.book.add_format({"text_wrap": True, "valign": "top"})
        self.date = self.book.add_format({"num_format": "yyyy-mm-dd"})
        self.time = self.book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})

    def sheet(self, name: str, title: str, is_marked: bool) -> Any:
        """A new sheet with its title and, where it shows synthetic figures, the mark."""
        sheet = self.book.add_worksheet(name[:31])
        sheet.write_string(0, 0, title, self.title)
        if is_marked:
            mark = self.release.mark
            sheet.write_string(1, 0, f"{mark['zh']} / {mark['en']}", self.mark)
        return sheet

    def listed(
        self, name: str, title: str, head: list[str], rows: Sequence[tuple[str, ...]], widths: list[int]
    ) -> None:
        """A sheet with a list of texts."""
        sheet = self.sheet(name, title, self.release.has_synthetic)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        for column, text in enumerate(head):
            sheet.write_string(3, column, text, self.head)
        for line, row in enumerate(rows, start=4):
            for column, text in enumerate(row):
                sheet.write_string(line, column, text, self.wrap)


def write_workbook(
    release: Released, tables: tuple[PublishedTable, ...], folder: Path, *, whole: bool = False
) -> tuple[Path, list[str]]:
    """One workbook of these tables; returns the file and a line on each table that is not shown whole.

    With `whole` every table is written with all its rows that a sheet can hold.
    """
    path = folder / f"{release.stem}.xlsx"
    shown = {}
    for table in tables:
        is_small = release.rows(table) * len(table.columns) <= CELLS_OF_A_SHEET
        is_whole = is_small or (whole and release.rows(table) < ROWS_OF_A_SHEET - 5)
        condition = "true" if is_whole else release.main_reading(table)
        [(rows,)] = release.connection.execute(f"select count(*) from {quote(table.name)} where {condition}").fetchall()
        cells = rows * len(table.columns)
        # A key without a main reading is a list of rows for programs: it has no sheet.
        shown[table.name] = (condition, rows) if is_whole or cells <= CELLS_OF_A_SHEET * 2 else ("false", 0)
    partial = [
        f"{table.name}: {shown[table.name][1]:,} of {release.rows(table):,} rows"
        for table in tables
        if shown[table.name][1] != release.rows(table)
    ]
    frame = folder / f".{path.name}.frame"
    book = _Book(release, frame)
    _cover(book, release, tables, shown)
    book.listed(
        "说明 Notes", "说明 / Notes", ["中文", "English"], [(n["zh"], n["en"]) for n in notes(release)], [70, 70]
    )
    book.listed("标记 Flags", "标记 / Flags", ["column", "code", "中文", "English"], flags(), [14, 12, 50, 60])
    book.listed(
        "来源 Sources",
        "来源与许可 / Sources and licences",
        ["extract", "名称", "name", "publisher", "title", "licence", "provenance"],
        [tuple(source.values()) for source in sources(release)],
        [36, 36, 40, 30, 36, 40, 12],
    )
    book.listed(
        "字典 Dictionary",
        "字典 / Dictionary",
        ["table", "column", "type", "unit", "中文", "English"],
        [
            (table.name, column.name, column.data_type, column.unit, column.description_zh, column.description_en)
            for table in tables
            for column in table.columns
        ],
        [28, 26, 16, 14, 60, 60],
    )
    sheets = [_table(book, release, table, *shown[table.name]) for table in tables if shown[table.name][0] != "false"]
    book.book.close()
    fill(release.connection, frame, path, sheets)
    frame.unlink()
    return path, partial


def _cover(
    book: _Book, release: Released, tables: tuple[PublishedTable, ...], shown: dict[str, tuple[str, int]]
) -> None:
    place, citation = release.jurisdiction, release.citation()
    title = f"{place['name']}基本公共服务数据 / Public-service statistics of {place['name_en']}"
    sheet = book.sheet("封面 Cover", title, release.has_synthetic)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 2, 14)
    sheet.set_column(3, 3, 90)
    for row, (label, text) in enumerate(
        (
            ("发布 / Release", release.release_id),
            ("时间 / Prepared", release.prepared_at),
            ("许可 / Licences", "; ".join(release.licenses())),
            ("引用 / Citation", f"{citation['zh']} {citation['en']}"),
        ),
        start=3,
    ):
        sheet.write_string(row, 0, label)
        sheet.write_string(row, 1, text)
    head = ["表 / Table", "行 / Rows", "本表 / Here", "说明 / Description"]
    for column, text in enumerate(head):
        sheet.write_string(8, column, text, book.head)
    for line, table in enumerate(tables, start=9):
        condition, rows = shown[table.name]
        if condition == "false":
            sheet.write_string(line, 0, table.name)
        else:
            sheet.write_url(line, 0, f"internal:'{table.name[:31]}'!A1", string=table.name)
        sheet.write_number(line, 1, release.rows(table))
        sheet.write_number(line, 2, rows)
        said = f"{table.description_zh} / {table.description_en}"
        if rows != release.rows(table):
            said += "。全部行见CSV和Parquet / All rows are in the CSV and Parquet files"
        sheet.write_string(line, 3, said)


def _table(book: _Book, release: Released, table: PublishedTable, condition: str, rows: int) -> SheetRows:
    """The sheet of a table up to its head; its rows are those returned, which `sheet_rows` puts in."""
    sheet = book.sheet(table.name, f"{table.description_zh} / {table.description_en}", release.is_synthetic(table))
    if rows != release.rows(table):
        sheet.write_string(
            2,
            0,
            f"{rows:,} 行，共 {release.rows(table):,} 行；只含 / of {release.rows(table):,} rows, only: {condition}",
        )
    for column, described in enumerate(table.columns):
        unit = f" ({described.unit})" if described.unit else ""
        sheet.write_string(3, column, f"{described.description_zh}{unit}", book.wrap)
    for column, name in enumerate(table.column_names):
        sheet.write_string(4, column, name, book.head)
    sheet.freeze_panes(5, min(2, len(table.columns)))
    sheet.autofilter(4, 0, 4 + max(rows, 1), len(table.columns) - 1)
    styled = {"DATE": book.date, "TIMESTAMP": book.time}
    for position, described in enumerate(table.columns):
        if described.data_type in styled:
            sheet.write_blank(_HEAD_ROWS, position, None, styled[described.data_type])
    return SheetRows(
        sheet=book.book.worksheets().index(sheet),
        columns=table.columns,
        source=f"select * from {quote(table.name)} where {condition}",
        order=release.order(table),
        rows=rows,
        after=_HEAD_ROWS,
    )
