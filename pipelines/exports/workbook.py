"""The workbook: overview, sheets for people, notes, flags, dictionary, tables. Made for people, not for programs.

It opens on the overview of the jurisdiction's regions. A table with more cells than a spreadsheet program opens in good
time is shown by its main variant, where it has one, and says so; asked for by name it is written whole.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from pipelines.exports.reading_matter import flags, notes, sources
from pipelines.exports.reading_sheets import Overview, ReadingSheet, overview, reading_sheets, widths
from pipelines.exports.sheet_rows import MOST_DECIMALS, SheetRows, fill
from pipelines.publish import Release, Table
from pipelines.sql import quote

CELLS_OF_A_SHEET = 200_000
# What a sheet of a spreadsheet program can hold; a table beyond it is in the other formats only.
ROWS_OF_A_SHEET = 1_048_576
_HEAD_ROWS = 5  # title, mark, what is shown, descriptions, names
_HEAD_ROWS_TO_READ = 5  # title, mark, an empty one, Chinese and English names


class _Book:
    """A workbook being written."""

    def __init__(self, release: Release, path: Path) -> None:
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
        self.heading = self.book.add_format(
            {"bold": True, "bg_color": "#E4ECEA", "text_wrap": True, "valign": "top", "border": 1}
        )
        self.place = {depth: self.book.add_format({"indent": depth, "bold": depth == 0}) for depth in range(4)}
        self.decimals = [
            self.book.add_format({"num_format": "#,##0" + ("." + "0" * number if number else "")})
            for number in range(MOST_DECIMALS + 1)
        ]

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
    release: Release, tables: tuple[Table, ...], folder: Path, *, whole: bool = False
) -> tuple[Path, list[str]]:
    """One workbook of these tables; returns the file and a line on each table that is not shown whole.

    With `whole` every table is written with all its rows that a sheet can hold.
    """
    path = folder / f"{release.stem}.xlsx"
    shown = {}
    for table in tables:
        is_small = release.row_count(table) * len(table.columns) <= CELLS_OF_A_SHEET
        is_whole = is_small or (whole and release.row_count(table) < ROWS_OF_A_SHEET - 5)
        condition = "true" if is_whole else "variant = 'main'" if "variant" in table.key else "false"
        [(rows,)] = release.connection.execute(f"select count(*) from {quote(table.name)} where {condition}").fetchall()
        cells = rows * len(table.columns)
        # A long table without a main variant is a list of rows for programs: it has no sheet of its own.
        shown[table.name] = (condition, rows) if is_whole or 0 < cells <= CELLS_OF_A_SHEET * 2 else ("false", 0)
    partial = [
        f"not all rows are in the workbook "
        f"({table.name}: {shown[table.name][1]:,} of {release.row_count(table):,} rows)"
        for table in tables
        if 0 < shown[table.name][1] < release.row_count(table)
    ]
    if too_long := [table.name for table in tables if shown[table.name][0] == "false"]:
        partial.append(f"{len(too_long)} tables are too long for a sheet of their own ({', '.join(too_long)})")
    frame = folder / f".{path.name}.frame"
    book = _Book(release, frame)
    first = None if whole else overview(release)
    if first is not None:
        _overview(book, release, first)
    for_people = [] if whole else [_to_read(book, release, sheet) for sheet in reading_sheets(release)]
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
    fill(release.connection, frame, path, [*for_people, *sheets])
    frame.unlink()
    return path, partial


def _overview(book: _Book, release: Release, shown: Overview) -> None:
    """The first sheet: a row a region, a column a subject; formatted to be read and printed."""
    place = release.jurisdiction
    title = f"{place['name']}基本公共服务一览（{shown.period}）/ {place['name_en']}: public services at a glance"
    sheet = book.sheet("一览 Overview", title, release.has_synthetic)
    sheet.write_string(2, 0, f"发布 / Release {release.release_id}")
    heads = [("地区", "Region (Chinese)"), ("地区英文名", "Region"), *(
        (f"{s.name_zh}（{s.unit}）" if s.unit != "1" else s.name_zh, s.name_en) for s in shown.subjects)]  # fmt: skip
    for column, head in enumerate(heads):
        for row, text in enumerate(head, start=3):
            sheet.write_string(row, column, text, book.heading)
    sheet.set_column(0, 1, 18)
    sheet.set_column(2, len(heads), 13)
    for line, (depth, zh, en, *values) in enumerate(shown.rows, start=_HEAD_ROWS_TO_READ):
        sheet.write_string(line, 0, zh, book.place[min(depth, 3)])
        sheet.write_string(line, 1, en or zh, book.place[min(depth, 3)])
        for column, (subject, value) in enumerate(zip(shown.subjects, values, strict=True), start=2):
            if value is not None:
                sheet.write_number(line, column, float(value), book.decimals[min(subject.decimals, MOST_DECIMALS)])
    line = _HEAD_ROWS_TO_READ + len(shown.rows) + 1
    texts = [f"{note['zh']} / {note['en']}" for note in notes(release)]
    if shown.without:
        names = "、".join(s.name_zh for s in shown.without), ", ".join(s.name_en for s in shown.without)
        texts.insert(0, f"本次发布没有下列各项的数字 / This release has no figures of: {names[0]} / {names[1]}")
    for text in texts:
        sheet.write_string(line, 0, text)
        line += 1
    sheet.freeze_panes(_HEAD_ROWS_TO_READ, 2)
    _printed(sheet)


def _printed(sheet: Any) -> None:
    """How a sheet is printed: across, on A4, as wide as the page, its head on every page."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(3, _HEAD_ROWS_TO_READ - 1)


def _to_read(book: _Book, release: Release, shown: ReadingSheet) -> SheetRows:
    """A sheet for people up to its head; its rows are those returned, which `sheet_rows` puts in."""
    sheet = book.sheet(shown.name, shown.title, shown.is_marked)
    sheet.write_string(2, 0, "最高两级地区为各年，以下各级为最新一年；全部年份见CSV和Parquet / "
                       "The two highest levels of regions for every year, the levels below for the newest; all years "
                       "are in the CSV and Parquet files")  # fmt: skip
    [(rows,)] = release.connection.execute(f"select count(*) from ({shown.source})").fetchall()
    for position, width in enumerate(widths(release, shown)):
        sheet.set_column(position, position, width)
    for row in (3, 4):
        for position, head in enumerate(shown.heads):
            sheet.write_string(row, position, head[row - 3], book.heading)
    sheet.freeze_panes(_HEAD_ROWS_TO_READ, 3)
    sheet.autofilter(4, 0, 4 + max(rows, 1), len(shown.columns) - 1)
    for number, style in enumerate(book.decimals):
        sheet.write_blank(_HEAD_ROWS_TO_READ, len(shown.columns) + number, None, style)
    _printed(sheet)
    return SheetRows(
        sheet=book.book.worksheets().index(sheet),
        columns=shown.columns,
        source=shown.source,
        order=shown.order,
        rows=rows,
        after=_HEAD_ROWS_TO_READ,
        decimals=shown.decimals,
    )


def _cover(book: _Book, release: Release, tables: tuple[Table, ...], shown: dict[str, tuple[str, int]]) -> None:
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
        sheet.write_number(line, 1, release.row_count(table))
        sheet.write_number(line, 2, rows)
        said = f"{table.description_zh} / {table.description_en}"
        if rows != release.row_count(table):
            said += "。全部行见CSV和Parquet / All rows are in the CSV and Parquet files"
        sheet.write_string(line, 3, said)


def _table(book: _Book, release: Release, table: Table, condition: str, rows: int) -> SheetRows:
    """The sheet of a table up to its head; its rows are those returned, which `sheet_rows` puts in."""
    sheet = book.sheet(table.name, f"{table.description_zh} / {table.description_en}", release.is_synthetic(table))
    whole = release.row_count(table)
    if rows != whole:
        sheet.write_string(
            2,
            0,
            f"{rows:,} 行，共 {whole:,} 行；只含 / of {whole:,} rows, only: {condition}",
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
        order=table.order,
        rows=rows,
        after=_HEAD_ROWS,
    )
