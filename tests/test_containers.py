"""What a file is, is told by its bytes: it is read as what it is, or refused by name with what to do."""

from __future__ import annotations

import gzip
import io
import sqlite3
import struct
import zipfile
from pathlib import Path
from typing import Any

import corpus
import intake_kit as kit
import openpyxl
import pytest
import workbooks as wb
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import UnreadableFileError
from pipelines.formats import FORMATS, read_grids
from pipelines.formats.contents import CONTENTS, content_of
from pipelines.intake.frames import Taken
from pipelines.jurisdiction.contract import Format

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ROWS = [["Place", "Heads"], ["Ash", 12], ["Aspen", 34]]
TEXT = b"Place,Heads\nAsh,12\nAspen,34\n"
HTML = b"<html><body><table><tr><th>Place</th><th>Heads</th></tr><tr><td>Ash</td><td>12</td></tr></table></body></html>"


def stream_name(name: str) -> bytes:
    """A name as the directory of an OLE file has it."""
    return name.encode("utf-16-le").ljust(64, b"\0")


def database(folder: Path) -> bytes:
    path = folder / "x.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table t (a)")
    connection.close()
    return path.read_bytes()


def others(folder: Path) -> dict[str, bytes]:
    """Files of other kinds, by what a refusal calls them."""
    binary = corpus.zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.bin": b"\x83\x01\x00"})
    word = corpus.zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})
    slides = corpus.zipped({"[Content_Types].xml": b"<Types/>", "ppt/presentation.xml": b"<p/>"})
    written = corpus.zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"})
    sheet_xml = (
        b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
        b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'
    )
    return {
        "an HTML page": HTML,
        "a web archive": b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n\r\n<html>",
        "an XML spreadsheet": sheet_xml,
        "an XML document": b'<?xml version="1.0"?><report/>',
        "a formatted text": b"{\\rtf1\\ansi Place}",
        "protected with a password": OLE + b"\0" * 600 + stream_name("EncryptedPackage"),
        "a binary Excel workbook": binary,
        "a Word document": word,
        "a PowerPoint presentation": slides,
        "an OpenDocument text": written,
        "a file of an older Office program": OLE + b"\0" * 1000,
        "an Access database": b"\x00\x01\x00\x00Standard ACE DB\x00" + b"\0" * 100,
        "an SQLite database": database(folder),
        "a PDF document": b"%PDF-1.7\n...",
        "a picture": b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
        "packed with 7-Zip": b"7z\xbc\xaf\x27\x1c\0\4",
        "packed with RAR": b"Rar!\x1a\x07\x01\x00",
        "packed with bzip2": b"BZh91AY&SY",
        "packed with xz": b"\xfd7zXZ\x00\x00",
        "nothing but null bytes": b"\0" * 5000,
    }


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "xlsx", "xls", "ods", "parquet"])
def test_a_file_of_another_kind_is_refused_by_its_name_with_what_to_do(kind: str, tmp_path: Path) -> None:
    for name, data in others(tmp_path).items():
        for packed in (data, gzip.compress(data)):
            with pytest.raises(UnreadableFileError) as refusal:
                read_grids(packed, Format.model_validate({"kind": kind}), f"desk/file/2020/file.{kind}")
            assert name in refusal.value.message, (kind, name, refusal.value.message)
            assert refusal.value.do


def test_a_table_of_a_kind_that_contracts_know_is_refused_with_the_field_to_set() -> None:
    cases: list[tuple[str, bytes, str, str]] = [
        ("csv", wb.xlsx(ROWS), "an Excel workbook (xlsx)", "format.kind: xlsx"),
        ("csv", wb.xls(ROWS), "an Excel workbook of 1997 to 2003", "format.kind: xls"),
        ("jsonl", corpus.parquet(ROWS), "a Parquet table", "format.kind: parquet"),
        ("parquet", corpus.open_document({"A": ROWS}), "an OpenDocument workbook", "format.kind: ods"),
        ("xlsx", TEXT, "text in columns", "ask for the table"),
        ("xls", b"Place\tHeads\nAsh\t12\n", "text in columns", "ask for the table"),
    ]
    for kind, data, what, do in cases:
        with pytest.raises(UnreadableFileError) as refusal:
            read_grids(data, Format.model_validate({"kind": kind}), "desk/file/2020/file")
        assert what in refusal.value.message
        assert do in refusal.value.do


def read(data: bytes, kind: str, name: str) -> Taken:
    return kit.read(data, {"format": {"kind": kind}}, name=name, files="*")


def test_one_workbook_called_another_is_read_as_what_it_is_and_told() -> None:
    makers: dict[str, bytes] = {"xlsx": wb.xlsx(ROWS), "xls": wb.xls(ROWS), "ods": corpus.open_document({"A": ROWS})}
    for agreed in makers:
        for kind, data in makers.items():
            for ending in makers:
                taken = read(data, agreed, f"file.{ending}")
                assert kit.values(taken) == {"VA1": 12, "VA2": 34}
                is_odd = kind != agreed or kind != ending
                assert [f["check"] for f in taken.findings] == (["wrong_ending"] if is_odd else []), (
                    agreed,
                    kind,
                    ending,
                )


def test_a_packed_workbook_has_no_ending_of_its_own_to_be_wrong() -> None:
    taken = read(gzip.compress(wb.xlsx(ROWS)), "xlsx", "file.xlsx.gz")
    assert kit.values(taken) == {"VA1": 12, "VA2": 34}
    assert taken.findings == []


def test_an_old_workbook_with_a_password_is_refused_by_name() -> None:
    data = wb.xls(ROWS)
    at = data.index(struct.pack("<HH", 0x00E1, 2))  # a record behind the first, as long as that of a password
    locked = data[:at] + struct.pack("<HH", 0x002F, 2) + data[at + 4 :]
    taken = read(locked, "xls", "file.xls")
    assert "protected with a password" in taken.problem
    assert kit.rules(taken) == ["unreadable"]


def test_a_workbook_with_protected_sheets_is_read() -> None:
    data = wb.xlsx(ROWS, lambda book, page: page.protect("secret"))
    assert kit.values(read(data, "xlsx", "file.xlsx")) == {"VA1": 12, "VA2": 34}


def test_a_text_cut_off_within_a_character_is_told() -> None:
    data = "Place,Heads\nAsh,12\n地".encode()[:-1]
    assert "was cut off" in kit.read(data, {"format": {"kind": "csv", "encoding": "utf-8"}}).problem
    archive = wb.xlsx(ROWS)
    assert "damaged" in read(archive[: len(archive) // 2], "xlsx", "file.xlsx").problem


@given(data=st.binary(max_size=300))
def test_any_bytes_have_a_name(data: bytes) -> None:
    for head in (b"", OLE, b"PK\3\4", b"<", b"\xff\xfe<"):
        assert content_of(head + data) in CONTENTS


def test_each_format_says_what_its_bytes_may_be() -> None:
    assert all(entry.contents for entry in FORMATS.values())
    assert {name for entry in FORMATS.values() for name in entry.contents} <= CONTENTS.keys()


# -- hidden sheets, rows and columns; several sheets --------------------------------------------------------------


def sheets(*pages: tuple[str, list[list[Any]], str]) -> bytes:
    """A workbook of sheets, each with its rows and whether it is visible, hidden or veryHidden."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows, state in pages:
        page = book.create_sheet(name)
        page.sheet_state = state
        for row in rows:
            page.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


OLD = [["Place", "Heads"], ["Ash", 11], ["Aspen", 33]]


def found(taken: Taken) -> list[tuple[str, str]]:
    return [(f["check"], f["severity"]) for f in taken.findings]


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_the_first_sheet_is_the_first_that_people_see(state: str) -> None:
    taken = read(sheets(("old", OLD, state), ("new", ROWS, "visible")), "xlsx", "file.xlsx")
    assert kit.values(taken) == {"VA1": 12, "VA2": 34}
    assert found(taken) == [("hidden_sheet", "warn")]
    assert "'old'" in taken.findings[0]["observed"]


def test_a_hidden_sheet_without_data_is_nothing_to_tell() -> None:
    taken = read(sheets(("lists", [], "hidden"), ("new", ROWS, "visible")), "xlsx", "file.xlsx")
    assert found(taken) == []


def test_a_hidden_sheet_is_read_when_the_contract_names_it_and_told() -> None:
    data = sheets(("old", OLD, "hidden"), ("new", ROWS, "visible"))
    taken = kit.read(data, {"format": {"kind": "xlsx", "sheet": "old"}}, name="file.xlsx", files="*")
    assert kit.values(taken) == {"VA1": 11, "VA2": 33}
    assert "'old', which is read" in taken.findings[0]["observed"]


def test_a_pattern_looks_among_the_sheets_that_people_see() -> None:
    data = sheets(("T2019", OLD, "hidden"), ("T2020", ROWS, "visible"))
    layout = {"format": {"kind": "xlsx", "sheet": {"pattern": "^T", "all": True}}}
    assert kit.values(kit.read(data, layout, name="file.xlsx", files="*")) == {"VA1": 12, "VA2": 34}
    only = {"format": {"kind": "xlsx", "sheet": {"pattern": "^T2019"}}}
    assert "hidden: T2019" in kit.read(data, only, name="file.xlsx", files="*").problem


def test_sheets_beside_one_that_is_taken_by_its_position_are_told() -> None:
    data = sheets(("a", ROWS, "visible"), ("notes", [], "visible"), ("b", OLD, "visible"))
    taken = read(data, "xlsx", "file.xlsx")
    assert found(taken) == [("other_sheets", "warn")]
    assert "not read: 'b'" in taken.findings[0]["observed"]
    named = kit.read(data, {"format": {"kind": "xlsx", "sheet": "a"}}, name="file.xlsx", files="*")
    assert found(named) == []


def test_the_contract_says_how_grave_hidden_data_are() -> None:
    data = sheets(("old", OLD, "hidden"), ("a", ROWS, "visible"), ("b", ROWS, "visible"))
    layout = {"format": {"kind": "xlsx"}}
    strict = {"hidden_data": "block", "other_sheets": "ignore"}
    taken = kit.read(data, layout, name="file.xlsx", files="*", quality=strict)
    assert found(taken) == [("hidden_sheet", "block")]


def hide(book: Any, page: Any) -> None:
    page.set_row(2, None, None, {"hidden": True})
    page.set_column(1, 1, None, None, {"hidden": True})
    page.set_column(5, 9, None, None, {"hidden": True})


def test_hidden_rows_and_columns_are_read_and_told() -> None:
    taken = read(wb.xlsx(ROWS, hide), "xlsx", "file.xlsx")
    assert kit.values(taken) == {"VA1": 12, "VA2": 34}
    assert found(taken) == [("hidden_rows", "warn"), ("hidden_columns", "warn")]
    assert taken.findings[0]["observed"].endswith(": 3")
    assert taken.findings[1]["observed"].endswith(": B")


def test_rows_that_a_filter_hides_are_read_and_told() -> None:
    def narrow(book: Any, page: Any) -> None:
        page.autofilter(0, 0, 2, 1)
        page.filter_column(0, "x == Ash")
        page.set_row(2, None, None, {"hidden": True})

    taken = read(wb.xlsx(ROWS, narrow), "xlsx", "file.xlsx")
    assert kit.values(taken) == {"VA1": 12, "VA2": 34}
    assert "a filter" in taken.findings[0]["observed"]


def test_an_old_workbook_tells_hidden_sheets_rows_and_columns_too() -> None:
    def conceal(book: Any, page: Any) -> None:
        page.row(2).hidden = True
        page.col(1).hidden = True
        other = book.add_sheet("old")
        other.write(0, 0, "x")
        other.visibility = 1

    taken = read(wb.xls(ROWS, conceal), "xls", "file.xls")
    assert kit.values(taken) == {"VA1": 12, "VA2": 34}
    assert {check for check, _ in found(taken)} == {"hidden_sheet", "hidden_rows", "hidden_columns"}


def test_a_chart_is_no_sheet_to_count() -> None:
    def chart(book: Any, page: Any) -> None:
        book.add_chartsheet("C").set_chart(book.add_chart({"type": "bar"}))
        book.worksheets_objs.reverse()

    data = wb.xlsx(ROWS)
    assert kit.values(read(data, "xlsx", "file.xlsx")) == {"VA1": 12, "VA2": 34}


# -- sheets that are full -----------------------------------------------------------------------------------------


def test_a_sheet_filled_to_its_last_row_may_have_lost_the_rest() -> None:
    def full(rows: int) -> bytes:
        with zipfile.ZipFile(io.BytesIO(wb.xlsx(ROWS))) as archive:
            page = archive.read("xl/worksheets/sheet1.xml")
        last = b'<row r="%d"><c r="A%d"><v>1</v></c></row></sheetData>' % (rows, rows)
        return wb.replaced(wb.xlsx(ROWS), "xl/worksheets/sheet1.xml", page, page.replace(b"</sheetData>", last))

    for rows, is_full in ((1_048_576, True), (65_536, True), (1_000, False)):
        (grid,) = read_grids(full(rows), Format(kind="xlsx"), "file.xlsx")
        assert [(f["check"], f["severity"]) for f in grid.findings] == ([("full_sheet", "block")] if is_full else [])
    (grid,) = read_grids(full(65_536), Format(kind="xlsx", full_sheet=True), "file.xlsx")
    assert grid.findings == ()


def test_an_old_sheet_filled_to_its_last_row_or_column_may_have_lost_the_rest() -> None:
    def last_row(book: Any, page: Any) -> None:
        page.write(65_535, 0, "Beech")

    def last_column(book: Any, page: Any) -> None:
        page.write(0, 255, "x")

    for finish in (last_row, last_column):
        (grid,) = read_grids(wb.xls(ROWS, finish), Format(kind="xls"), "file.xls")
        assert [f["check"] for f in grid.findings] == ["full_sheet"]
