"""Rows of a workbook's large sheets: every text, number, date and gap arrives as it is in the table."""

from __future__ import annotations

import datetime
import re
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import fastexcel
import pytest
import xlsxwriter

from pipelines.exports.sheet_rows import SheetRows, fill
from pipelines.publish import Column

HEAD = 2
TYPES = {"DATE": "yyyy-mm-dd", "TIMESTAMP": "yyyy-mm-dd hh:mm:ss"}


def filled(folder: Path, columns: dict[str, str], rows: list[tuple[Any, ...]]) -> Path:
    """A workbook with a list sheet before the sheet of these rows."""
    frame, path = folder / "frame.xlsx", folder / "book.xlsx"
    book = xlsxwriter.Workbook(str(frame), {"constant_memory": True})
    book.add_worksheet("first").write_string(0, 0, "something else")
    sheet = book.add_worksheet("rows")
    for position, name in enumerate(columns):
        sheet.write_string(HEAD - 1, position, name)
    for position, kind in enumerate(columns.values()):
        if kind in TYPES:
            sheet.write_blank(HEAD, position, None, book.add_format({"num_format": TYPES[kind]}))
    book.close()
    with duckdb.connect() as connection:
        listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        connection.execute(f"create table t (place integer, {listed})")
        for place, row in enumerate(rows):
            marks = ", ".join("?" for _ in row)
            connection.execute(f"insert into t values ({place}, {marks})", row).fetchall()
        source = f"select {', '.join(columns)}, place from t"
        described = tuple(Column(name, kind, "", "", "", True) for name, kind in columns.items())
        fill(connection, frame, path, [SheetRows(1, described, source, "place", len(rows), HEAD)])
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return fastexcel.read_excel(path).load_sheet("rows", header_row=HEAD - 1).to_polars().to_dicts()


def xml(path: Path) -> str:
    with zipfile.ZipFile(path) as book:
        return book.read("xl/worksheets/sheet2.xml").decode()


def test_numbers_dates_and_gaps_arrive_as_they_are(tmp_path: Path) -> None:
    columns = {
        "n": "DOUBLE",
        "m": "DECIMAL(28,9)",
        "k": "BIGINT",
        "yes": "BOOLEAN",
        "day": "DATE",
        "moment": "TIMESTAMP",
        "name": "VARCHAR",
    }
    at = datetime.datetime(2020, 1, 2, 12, 30)
    rows: list[tuple[Any, ...]] = [
        (0.1 + 0.2, "111909162206.833680000", 12, True, datetime.date(2020, 2, 29), at, "甲 & <乙>"),
        (None, None, None, None, None, None, None),
        (-1e-7, "-0.5", -3, False, datetime.date(1999, 12, 31), at, " kept "),
    ]
    found = read(filled(tmp_path, columns, rows))
    assert found[0]["n"] == 0.1 + 0.2 and found[2]["n"] == -1e-7
    assert found[0]["m"] == 111909162206.83368 and found[2]["m"] == -0.5
    assert [row["k"] for row in found] == [12, None, -3]
    assert [row["yes"] for row in found] == [True, None, False]
    assert str(found[0]["day"]).startswith("2020-02-29") and str(found[2]["day"]).startswith("1999-12-31")
    assert found[0]["moment"] == at
    assert [row["name"] for row in found] == ["甲 & <乙>", None, " kept "]


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("BIGINT", 2**53 + 1, "9007199254740993"),
        ("HUGEINT", 12345678901234567890, "12345678901234567890"),
        ("DECIMAL(28,9)", "111909162206.833694458", "111909162206.833694458"),
        ("DOUBLE", float("inf"), "inf"),
        ("DATE", datetime.date(1899, 5, 1), "1899-05-01"),
    ],
)
def test_what_a_spreadsheet_cannot_hold_stands_there_as_text(
    tmp_path: Path, kind: str, value: object, shown: str
) -> None:
    assert f">{shown}</t>" in xml(filled(tmp_path, {"value": kind}, [(value,)]))


def test_characters_that_xml_cannot_hold_are_spelled(tmp_path: Path) -> None:
    text = xml(filled(tmp_path, {"name": "VARCHAR"}, [("a\x0bb\r\nc",), ("_x0041_",), ("plain_x",)]))
    assert ">a_x000B_b_x000D_\nc</t>" in text
    assert ">_x005F_x0041_</t>" in text and ">plain_x</t>" in text


def test_the_sheet_says_how_far_it_goes_and_the_row_that_only_held_formats_is_gone(tmp_path: Path) -> None:
    text = xml(filled(tmp_path, {"a": "INTEGER", "day": "DATE"}, [(1, None), (2, None)]))
    assert '<dimension ref="A1:B4"/>' in text
    assert re.findall(r'<row r="(\d+)"', text) == ["2", "3", "4"]
    assert text.count("</sheetData>") == 1


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    books = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        path = filled(tmp_path / name, {"a": "VARCHAR"}, [("x",)])
        with zipfile.ZipFile(path) as book:
            books.append([(i.filename, i.date_time, i.CRC) for i in book.infolist() if "core" not in i.filename])
    assert books[0] == books[1]
