"""Numbers that name a person are found in every form that people write them in, and figures are left alone."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_kit import Desk, read, rules

from pipelines.errors import ConfigurationError
from pipelines.formats import ROW, Grid
from pipelines.intake.frames import Taken
from pipelines.intake.personal import check_digit
from pipelines.intake.personal_numbers import find_personal_number, is_identity_number, mask_grid
from pipelines.jurisdiction.personal_kinds import USUAL_KINDS, PersonalKind

IDENTITY = "33010619800101" + "123" + check_digit("33010619800101123")
FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def with_check_digit(first: str) -> str:
    doubled = [int(c) * (1 if place % 2 else 2) for place, c in enumerate(reversed(first))]
    return first + str(-sum(n - 9 if n > 9 else n for n in doubled) % 10)


def grid(*columns: list[str | None], sheet: str = "") -> Grid:
    cells = {f"c{i}": column for i, column in enumerate(columns)}
    rows = {ROW: range(1, len(columns[0]) + 1)}
    schema = {ROW: pl.Int64, **dict.fromkeys(cells, pl.String)}
    return Grid(sheet, pl.DataFrame({**rows, **cells}, schema=schema))


def workbook(sheets: dict[str, list[list[object]]], hidden: Sequence[str] = ()) -> bytes:
    """The bytes of an Excel workbook with these sheets."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        IDENTITY,
        f" {IDENTITY} ",
        f"身份证号{IDENTITY}",
        f"张三（{IDENTITY}）",
        IDENTITY.translate(FULL_WIDTH),
        f"{IDENTITY[:6]} {IDENTITY[6:14]} {IDENTITY[14:]}",
        "-".join((IDENTITY[:6], IDENTITY[6:14], IDENTITY[14:])),
        " ".join(IDENTITY),
        f"'{IDENTITY}",
        f"x{IDENTITY}y",
        f"{float(IDENTITY[:17] + '0'):.14e}",
        "330106198001011000",  # as a spreadsheet keeps it: the last digits are gone
        "330106800101123",  # of 15 digits
        "3301 0680 0101 123",
    ],
)
def test_an_identity_number_is_found_however_it_is_written(text: str) -> None:
    assert find_personal_number(text, USUAL_KINDS) == "identity number"


@pytest.mark.parametrize(
    "text",
    [
        "13800138000",
        "+86 138-0013-8000",
        "0086 13800138000",
        "8613800138000",
        "电话：138 0013 8000",
        "１３８００１３８０００",
        "13800138000.0",
        "tel13800138000",
    ],
)
def test_a_mobile_number_is_found_however_it_is_written(text: str) -> None:
    assert find_personal_number(text, USUAL_KINDS) == "phone number"


@pytest.mark.parametrize(
    "text",
    [
        with_check_digit("622202020011223"),
        with_check_digit("622848001234567890"),
        " ".join(["4123", "4567", "8901"]) + " " + with_check_digit("412345678901234")[-4:],
    ],
)
def test_a_bank_card_is_found(text: str) -> None:
    assert find_personal_number(text, USUAL_KINDS) == "bank card"


@pytest.mark.parametrize(
    "text",
    [
        "1200", "64567588", "330106", "330106001000", "697426000000", "12345678901", "2015 2016 2017 2018 2019 2020",
        "2018-04-01/2019-03-31", "0571-87052345", "1.23456789012345", "3.14159265358979", "E06000201",
        "91330100MA27XF1234", "330106198013011234", "1606723456789", "20201130123456789",
        "000000000000000000", "", "１２００",
    ],
)  # fmt: skip
def test_a_figure_a_code_or_a_date_is_no_personal_number(text: str) -> None:
    assert find_personal_number(text, USUAL_KINDS) is None


@given(
    st.sampled_from(["11", "33", "65", "82"]),
    st.integers(0, 9999),
    st.dates(date(1900, 1, 1), date(2020, 1, 1)),
    st.integers(0, 999),
)
def test_every_valid_identity_number_is_found(province: str, county: int, born: date, order: int) -> None:
    first = f"{province}{county:04}{born:%Y%m%d}{order:03}"
    assert find_personal_number(first + check_digit(first), USUAL_KINDS) == "identity number"
    assert find_personal_number(first + check_digit(first).lower(), USUAL_KINDS) == "identity number"


@given(st.decimals(-(10**10), 10**10, places=2))
def test_a_number_of_at_most_ten_digits_is_never_taken_for_a_person(number: Decimal) -> None:
    assert find_personal_number(f"{number:f}", USUAL_KINDS) is None


def test_a_masked_grid_holds_nothing_of_the_number_and_says_where_it_stood() -> None:
    masked = mask_grid(grid(["Name", "a", "b"], ["No.", f"联系人 {IDENTITY}", "3"], sheet=f"表{IDENTITY}"), USUAL_KINDS)
    assert IDENTITY[:6] not in str(masked.grid.cells.to_dict(as_series=False)) + masked.grid.sheet
    assert masked.grid.cells["c1"].to_list() == ["No.", "<identity number>", "3"]
    assert masked.grid.sheet == "<identity number>"
    assert masked.found.rows() == [(2, "c1", "identity number")]


def test_an_amount_of_eleven_digits_stays_where_amounts_stand() -> None:
    table = grid(["Money", "13812345678", "138-1234-5678"], ["Beds", "13812345678", "5"])
    masked = mask_grid(table, USUAL_KINDS, {"c0": lambda amount: True})
    assert masked.grid.cells["c0"].to_list() == ["Money", "13812345678", "<phone number>"]
    assert masked.grid.cells["c1"].to_list() == ["Beds", "<phone number>", "5"]
    small = mask_grid(table, USUAL_KINDS, {"c0": lambda amount: amount < 1000})
    assert small.grid.cells["c0"].to_list() == ["Money", "<phone number>", "<phone number>"]


def test_a_jurisdiction_names_the_numbers_of_its_own_people() -> None:
    kinds = [
        PersonalKind(name="national insurance number", pattern=r"\b[A-Z]{2}\d{6}[A-D]\b"),
        PersonalKind(name="NHS number", pattern=r"\b\d{3} ?\d{3} ?\d{4}\b", digits_check="mod_11"),
    ]
    assert find_personal_number("QQ123456C", kinds) == "national insurance number"
    assert find_personal_number("943 476 5919", kinds) == "NHS number"
    assert find_personal_number("943 476 5918", kinds) is None
    assert find_personal_number(IDENTITY, kinds) is None
    columns = grid(["QQ123456C", "Ash", "AB12"], ["943 476 5919", "9434765918", "12"])
    masked = mask_grid(columns, kinds)
    assert masked.grid.cells["c0"].to_list() == ["<national insurance number>", "Ash", "AB12"]
    assert masked.grid.cells["c1"].to_list() == ["<NHS number>", "9434765918", "12"]
    with pytest.raises(ValueError, match="fits an empty text"):
        PersonalKind(name="anything", pattern=r"\d*")
    with pytest.raises(ValueError, match="without end"):  # names of files are looked at while nothing else can run
        PersonalKind(name="anything", pattern=r"(\d+)+x")


# -- in a delivery of figures ---------------------------------------------------------------------------------------


def everything(taken: Taken) -> str:
    """Every text that a reading keeps."""
    frames = (taken.accepted, taken.rejects, taken.ignored)
    kept = [frame.cast(pl.String, strict=False).to_dict(as_series=False) for frame in frames]
    return str([kept, taken.findings, taken.headers, taken.problem, taken.corrections])


REMARK = {"ignore_columns": ["^Remark$"], "ignore_rows": [{"reason": "note", "column": "Place", "pattern": "^Note"}]}


@pytest.mark.parametrize("number", [IDENTITY, "330106800101123", "13800138000", with_check_digit("622202020011223")])
@pytest.mark.parametrize(
    "rows",
    [
        [["Place", "Heads", "Remark"], ["Ash", "{}", ""], ["Aspen", "7", ""]],  # among the values
        [["Place", "Heads", "Remark"], ["Ash", "3", "Zhang {}"], ["Aspen", "7", ""]],  # in a column nobody takes
        [["Place", "Heads", "Remark"], ["{}", "3", ""], ["Aspen", "7", ""]],  # in the place of a region
        [["List of {}", "", ""], ["Place", "Heads", "Remark"], ["Aspen", "7", ""]],  # in the title
        [["Place", "Heads", "Remark"], ["Aspen", "7", ""], ["Note: {}", "", ""]],  # in a note
    ],
)
def test_no_part_of_a_personal_number_is_kept_and_its_cell_is_rejected(number: str, rows: list[list[str]]) -> None:
    taken = read([[cell.format(number) for cell in row] for row in rows], REMARK)
    assert number[:8] not in everything(taken)
    found = taken.rejects.filter(pl.col("rule") == "personal_number")
    assert found.height == 1
    assert found["reported_text"][0].startswith("<")
    assert "7" in taken.accepted["value_reported"]
    assert all(account.holds for account in taken.tie_out)


def test_a_header_that_names_a_person_makes_the_file_unreadable_without_saying_whom() -> None:
    taken = read([["Place", "Heads", f"Remark {IDENTITY}"], ["Ash", "3", ""]], REMARK)
    assert "<identity number>" in taken.problem
    assert IDENTITY[:8] not in everything(taken)


@pytest.mark.parametrize("number", [IDENTITY, "13800138000"])
def test_a_number_in_a_name_beside_the_cells_holds_the_file_and_is_not_kept(number: str) -> None:
    sheets = {f"Zhang {number}": [["Place", "Heads"], ["Ash", 3], ["Aspen", 7]]}
    layout = {"format": {"kind": "xlsx"}}
    taken = read(workbook(sheets), layout, name="file.xlsx")
    assert taken.rejects["rule"].to_list() == ["personal_number"]
    assert "name of the sheet" in taken.rejects["detail"][0]
    assert number[:8] not in everything(taken)
    hidden = {"Heads": sheets[f"Zhang {number}"], f"{number}": [["old", 1]]}
    taken = read(workbook(hidden, hidden=[number]), layout, name="file.xlsx")
    assert taken.rejects["rule"].to_list() == ["personal_number"]
    assert number[:8] not in everything(taken)


def test_money_of_eleven_digits_is_no_phone_number_and_codes_that_a_person_listed_are_none() -> None:
    money = {"values": [{"column": "Heads", "measure": "spent", "unit": "crowns"}]}
    rows = [["Place", "Heads"], ["Ash", "13812345678"], ["Aspen", "7"]]
    assert read(rows, money).rejects["rule"].to_list() == ["personal_number"]  # not yet known as money
    allowed = {"values": [{**money["values"][0], "max": 1e12}]}
    assert read(rows, allowed).rejects.is_empty()
    coded = [["Place", "Heads", "Code"], ["Ash", "5", "13812345678"]]
    layout = {"ignore_columns": ["^Code$"]}
    assert read(coded, layout).rejects.height == 1
    assert read(coded, layout, quality={"not_personal": ["^Code$"]}).rejects.is_empty()


@pytest.mark.parametrize(
    "disguise",
    [
        lambda n: "\u200b".join(n), lambda n: n[:6] + "\u00ad" + n[6:], lambda n: f"({n[:3]}){n[3:]}",
        lambda n: n.translate(str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")),
        lambda n: n.translate(str.maketrans("0123456789", "〇一二三四五六七八九")),
        lambda n: n.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
        lambda n: n.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", [IDENTITY, "13800138000"])
def test_a_personal_number_in_disguise_is_found_and_taken_out(number: str, disguise: Callable[[str], str]) -> None:
    text = disguise(number)
    assert find_personal_number(text, USUAL_KINDS) is not None
    taken = read([["Place", "Heads", "Remark"], ["Ash", "1", text]], {"ignore_columns": ["^Remark$"]})
    assert "personal_number" in taken.rejects["rule"].to_list()
    assert text not in str(taken.rejects.rows()) + str(taken.ignored.rows())


# -- where nobody looks for one -------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [6, 10, 14, 17])
def test_an_identity_number_that_is_split_over_two_cells_is_found(cut: int) -> None:
    rows = [["Place", "Heads", "Remark"], ["Ash", IDENTITY[:cut], IDENTITY[cut:]], ["Aspen", "7", ""]]
    taken = read(rows, REMARK)
    assert not any(half in everything(taken) for half in (IDENTITY[:cut], IDENTITY[cut:]) if len(half) > 3)
    assert "personal_number" in rules(taken)
    assert taken.accepted["value_reported"].to_list() == ["7"]


@given(st.integers(100_000, 999_999), st.integers(10**11, 10**12 - 1))
def test_two_figures_side_by_side_are_taken_for_no_identity_number_but_where_its_check_digit_says_so(
    code: int, value: int
) -> None:
    number = f"{code}{value}"
    found = mask_grid(grid([str(code)], [str(value)]), USUAL_KINDS).found
    is_one = is_identity_number(number) and number[17] == check_digit(number[:17])
    assert bool(found.height) == is_one


def zipped(name: str, comment: str = "") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(name, "Place,Heads\nAsh,3\n")
        archive.comment = comment.encode()
    return target.getvalue()


def gzipped(name: str) -> bytes:
    target = io.BytesIO()
    with gzip.GzipFile(filename=name, mode="wb", fileobj=target) as stream:
        stream.write(b"Place,Heads\nAsh,3\n")
    return target.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        zipped(f"list {IDENTITY}.csv"),
        zipped(f"{IDENTITY}/list.csv"),
        zipped("list.csv", f"from {IDENTITY}"),
        gzipped(f"{IDENTITY}.csv"),
    ],
    ids=["file in a zip", "folder in a zip", "comment of a zip", "name in a gzip"],
)
def test_a_number_in_what_a_wrapping_says_of_itself_holds_the_file(data: bytes) -> None:
    taken = read(data)
    assert rules(taken) == ["personal_number"]
    assert "name of a file in the zip" in taken.rejects["detail"][0]
    assert IDENTITY[:8] not in everything(taken)


@pytest.mark.parametrize("data", [zipped("list 2020.csv", "made by hand"), gzipped("list.csv")], ids=["zip", "gzip"])
def test_a_wrapping_that_names_nobody_is_read(data: bytes) -> None:
    assert rules(read(data)) == []


@pytest.mark.parametrize("path", ["xl/comments1.xml", "xl/comments/comment1.xml", "xl/threadedComments/t1.xml"])
def test_a_number_in_a_comment_of_a_workbook_holds_the_file(path: str) -> None:
    target = io.BytesIO(workbook({"Data": [["Place", "Heads"], ["Ash", 3]]}))
    with zipfile.ZipFile(target, "a") as archive:
        runs = "".join(f"<r><t>{half}</t></r>" for half in (IDENTITY[:9], IDENTITY[9:]))
        archive.writestr(path, f"<comments><comment><text>{runs}</text></comment></comments>")
    taken = read(target.getvalue(), {"format": {"kind": "xlsx"}}, name="file.xlsx")
    assert rules(taken) == ["personal_number"]
    assert "comment in the workbook" in taken.rejects["detail"][0]
    assert IDENTITY[:8] not in everything(taken)


@pytest.mark.parametrize("place", ["contract", "correction", "waiver"])
def test_what_people_write_about_files_names_nobody(tmp_path: Path, place: str) -> None:
    desk = Desk(tmp_path)
    desk.land([["Place", "Heads"], ["Ash", "3"]])
    if place == "contract":
        desk.agree(name=f"List of {IDENTITY}")
    elif place == "correction":
        desk.correct(reason=f"asked {IDENTITY}", region_code="VA1", column="Heads", expect="3", action="drop_cell")
    else:
        (desk.folder / "waivers.yml").write_text(f"waivers: []\n# asked by {IDENTITY}\n")
    with pytest.raises(ConfigurationError, match="<identity number>") as error:
        desk.take_in()
    assert ", line " in error.value.where and IDENTITY[:8] not in str(error.value)
    assert not (tmp_path / "warehouse" / "verdania" / "ledger").exists()
