"""A number in a workbook is what a person sees in its cell, or it is a reject: never what the cell hides."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import intake_kit as kit
import polars as pl
import pytest
import workbooks as wb
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from pipelines.formats import read_grids
from pipelines.formats.number_format import number_format
from pipelines.intake.frames import Taken
from pipelines.jurisdiction.contract import Format

XLSX = {"format": {"kind": "xlsx"}, "ignore_columns": ["."]}
PERCENT = {"values": [{"column": "Heads", "measure": "share", "unit": "%", "min": 0, "max": 100}]}


def read(data: bytes, **layout: Any) -> Taken:
    return kit.read(data, {**XLSX, **layout}, name="file.xlsx", files="*")


def of_cells(cells: list[Any], **layout: Any) -> Taken:
    return read(wb.xlsx(wb.column(cells)), **layout)


def refused(taken: Taken) -> list[tuple[int, str]]:
    return taken.rejects.select("source_row", "rule").rows()


def checks(taken: Taken) -> list[tuple[str, str]]:
    return [(found["check"], found["severity"]) for found in taken.findings]


# -- percentages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["0%", "0.0%", "0.00%", "[Red]0.0%", "0 %", "#,##0.0%;-#,##0.0%", 9, 10])
def test_a_percentage_in_a_percent_column_is_what_is_shown(code: Any) -> None:
    cells = [wb.shown_as(value, code) for value in (0.85, 0.07, 0.5678, 1)]
    assert kit.values(of_cells(cells, **PERCENT)) == {
        "VA1": 85, "VA2": 7, "VB1": Decimal("56.78"), "VB2": 100,
    }  # fmt: skip


def test_a_plain_number_in_a_percent_column_stays_as_it_is() -> None:
    cells = [85, wb.shown_as(0.85, "0.00"), "91%", wb.shown_as(0.91, "0%")]
    assert kit.values(of_cells(cells, **PERCENT)) == {"VA1": 85, "VA2": Decimal("0.85"), "VB1": 91, "VB2": 91}


def test_a_percentage_in_any_other_column_is_a_reject() -> None:
    taken = of_cells([wb.shown_as(12, "0%"), wb.shown_as(0.34, "0.0%"), 56])
    assert kit.values(taken) == {"VB1": 56}
    assert refused(taken) == [(2, "not_a_number"), (3, "not_a_number")]
    assert taken.rejects["reported_text"].to_list() == ["1200%", "34%"]


@given(value=st.decimals(0, 1, places=4))
def test_a_percentage_is_exact_to_the_last_digit(value: Decimal) -> None:
    assert number_format("0.0%").show(Decimal(repr(float(value)))).text == f"{(value * 100).normalize():f}%"


# -- other number formats -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "0", "#,##0", "#,##0.00", "General", "@", "0.00E+00", "# ##0", "[Blue]0", "£#,##0", "[$€-407] #,##0.00", "¥0",
        "[$CHF-807] 0", "[$US$]0", "0 [$kr-414]", "[$-804]0",
        "_-* #,##0_-;-* #,##0_-;_-* \"-\"_-;_-@_-", "#,##0 ;(#,##0)", "#,##0;[Red]#,##0", "0_ ", "0;▲0", 37, 38, 41, 43,
        '" "* #,##0" ";"-"* #,##0" ";" "* "-"#" ";" "@" "', '_($* #,##0_);_($* (#,##0);_($* "-"_);_(@_)',
    ],
)  # fmt: skip
def test_a_format_that_shows_the_number_changes_nothing(code: Any) -> None:
    taken = of_cells([wb.shown_as(value, code) for value in (1234.5, -7, 0)])
    assert kit.values(taken) == {"VA1": Decimal("1234.5"), "VA2": -7, "VB1": 0}


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("0,", 1234), ("#,##0,", 1234567), ("0.0,,", 1234567), ('0.0,,"M"', 1234567), ('0!.0,"万"', 125000),
        ('"n.a."', 5), (";;;", 5), ('0;-0;"n.a."', 0), ("0;-0;", 0), ("0;-0;;@", 0), ("#,###", 0), ("#", 0),
        ("# ?/?", 0.5), (12, 0.5), ("#,##0;#,##0", -5), ("0;0", -5), ("(0)", 5), ("-0", 5), ("0;", -5),
        ("000-000", 123456), ("0\\.0", 12), ('[<1000]0;0.0,"k"', 5), ('[=0]"c";0', 0), ("0%%", 0.5),
        ("yyyy-mm-dd", 44118), ("d-mmm", 44118), ("[h]:mm", 2), ('ggge"年"', 44118), ("e", 44118), ("aaaa", 44118),
        (14, 44118), (27, 44118), (30, 44118), (36, 44118), (57, 44118), (45, 2), ("h:mm AM/PM", 0.5),
        ('0"人"', 12), ('"约"0', 12), ('0"%"', 12), ("0‰", 12), ('0" r"', 12), ("0.0\\e", 12), ('0"*"', 12),
        ('0"000"', 12), ("0\\0", 12), ("0!0", 12), ('"1"0', 12), ('#,##0" 000"', 12), ("0*0", 12), ('General"0"', 12),
        ("0[$2]", 12), ("0[$万-804]", 12), ("[$£k]0", 12), ("0[$k]", 12), ("[$€ thousand] 0", 12), ("0 [$%]", 12),
    ],
)  # fmt: skip
def test_a_format_that_shows_something_else_makes_a_reject(code: Any, value: Any) -> None:
    taken = of_cells([wb.shown_as(value, code), 34])
    assert kit.values(taken) == {"VA2": 34}
    assert [row for row, _ in refused(taken)] == [2]


@pytest.mark.parametrize("number", [2**53 + 2, 123456789012345678, -(10**17)])
def test_a_number_of_more_digits_than_a_spreadsheet_keeps_is_a_reject(number: int) -> None:
    assert refused(of_cells([number, 2**53])) == [(2, "not_as_shown")]
    assert refused(old([number, 2**53])) == [(2, "not_as_shown")]


def test_words_of_a_format_are_part_of_the_cell_and_may_be_a_mark() -> None:
    taken = of_cells(
        [wb.shown_as(12, '0"r"'), wb.shown_as(34, '0" (p)"')], marks={"r": "provisional", "(p)": "estimated"}
    )
    assert taken.accepted.select("region_code", "value", "obs_status").rows() == [
        ("VA1", Decimal(12), "P"), ("VA2", Decimal(34), "E"),
    ]  # fmt: skip


def test_leading_zeros_that_a_format_shows_are_those_of_the_code() -> None:
    rows: list[list[Any]] = [["Code", "Heads"], [wb.shown_as(101, "0000"), 5], ["VA2", 6]]
    (grid,) = read_grids(wb.xlsx(rows), Format(kind="xlsx"), "file.xlsx")
    assert grid.cells["c0"].to_list() == ["Code", "0101", "VA2"]


def test_a_sheet_that_hides_zeros_shows_no_number_there() -> None:
    data = wb.xlsx(wb.column([0, 12]), lambda book, page: page.hide_zero())
    taken = read(data)
    assert kit.values(taken) == {"VA2": 12}
    assert refused(taken) == [(2, "not_as_shown")]


def test_a_text_that_its_format_hides_is_no_value() -> None:
    taken = of_cells([wb.shown_as("12", ";;;"), wb.shown_as("34", "@")])
    assert kit.values(taken) == {"VA2": 34}
    assert refused(taken) == [(2, "not_as_shown")]


# -- raised and struck-through text -------------------------------------------------------------------------------


def test_a_raised_run_is_a_note_and_never_a_digit() -> None:
    cells = [wb.rich(("1200", "plain"), ("1", "raised")), wb.rich(("340", "plain"), ("2)", "raised")), 5]
    taken = of_cells(cells)
    assert kit.values(taken) == {"VA1": 1200, "VA2": 340, "VB1": 5}


def test_a_raised_run_that_is_a_mark_of_the_contract_says_what_the_number_is() -> None:
    cells = [wb.rich(("1200", "plain"), ("p", "raised")), wb.rich(("340", "plain"), ("1", "raised"))]
    taken = of_cells(cells, marks={"p": "provisional", "¹": "estimated"})
    assert taken.accepted.select("value", "obs_status").rows() == [(Decimal(1200), "P"), (Decimal(340), "E")]


@pytest.mark.parametrize(
    "runs",
    [
        [("10", "plain"), ("3", "raised")],  # a power, or ten with a note
        [("5×10", "plain"), ("3", "raised")],
        [("340", "struck"), ("350", "plain")],
        [("35", "plain"), ("0", "struck")],
        [("34", "plain"), ("0", "lowered")],
        [("12", "raised"), (" ", "plain")],
    ],
)
def test_a_text_whose_runs_leave_the_number_in_doubt_is_a_reject(runs: list[tuple[str, str]]) -> None:
    taken = of_cells([wb.rich(*runs), 7])
    assert kit.values(taken) == {"VA2": 7}
    assert [row for row, _ in refused(taken)] == [2]


def test_a_note_behind_a_name_or_a_code_is_taken_off() -> None:
    rows: list[list[Any]] = [
        ["Code", "Place", "Heads"],
        [wb.rich(("VA1", "plain"), ("1", "raised")), wb.rich(("Ash", "plain"), ("a)", "raised")), 12],
        ["VA2", wb.rich(("Aspen", "plain"), ("2", "raised")), 34],
    ]
    taken = read(wb.xlsx(rows), region={"code": "Code", "name": "Place"}, header={"find": ["Code"]})
    assert kit.values(taken) == {"VA1": 12, "VA2": 34}


def test_a_header_keeps_its_raised_signs_as_people_write_them() -> None:
    rows: list[list[Any]] = [["Place", wb.rich(("Area km", "plain"), ("2", "raised"))], ["Ash", 12]]
    values = [{"column": "Area km²", "measure": "heads", "unit": "persons"}]
    assert kit.values(read(wb.xlsx(rows), values=values)) == {"VA1": 12}


def test_a_struck_through_cell_is_no_value_and_a_struck_through_name_no_place() -> None:
    struck = {"font_strikeout": True}
    rows: list[list[Any]] = [
        list(wb.HEAD),
        ["Ash", wb.shown_as(12, "General", **struck)],
        ["Aspen", wb.shown_as("34", "@", **struck)],
        [wb.shown_as("Beech", "General", **struck), 56],
        ["Ærø", 78],
    ]
    taken = read(wb.xlsx(rows))
    assert kit.values(taken) == {"VB2": 78}
    assert set(refused(taken)) == {(2, "struck_through"), (3, "struck_through"), (4, "struck_through")}
    assert taken.rejects.filter(pl.col("source_row") == 4)["scope"].to_list() == ["row"]


def test_a_struck_through_header_leaves_its_column_in_doubt() -> None:
    rows: list[list[Any]] = [["Place", wb.shown_as("Heads", "General", font_strikeout=True)], ["Ash", 12]]
    assert "struck through" in read(wb.xlsx(rows)).problem


def test_what_is_struck_through_in_a_column_that_is_not_taken_harms_nothing() -> None:
    rows = [[*wb.HEAD, "Dogs"], ["Ash", 12, wb.shown_as(3, "0,", font_strikeout=True)]]
    taken = read(wb.xlsx(rows))
    assert kit.values(taken) == {"VA1": 12}
    assert refused(taken) == []


@pytest.mark.parametrize(
    ("looks", "is_telling"),
    [
        ({"num_format": '"c"'}, True),
        ({"font_strikeout": True}, True),
        ({"num_format": "0.0"}, False),
        ({"bold": True}, False),
    ],
)
def test_a_condition_that_may_change_what_a_cell_shows_leaves_it_in_doubt(looks: Any, is_telling: bool) -> None:
    def condition(book: Any, page: Any) -> None:
        rule = {"type": "cell", "criteria": "<", "value": 5, "format": book.add_format(looks)}
        page.conditional_format(1, 1, 2, 1, rule)

    taken = read(wb.xlsx(wb.column([3, 12, 4]), condition))
    assert kit.values(taken) == ({"VB1": 4} if is_telling else {"VA1": 3, "VA2": 12, "VB1": 4})


@pytest.mark.parametrize(
    "runs",
    [
        [("12", "plain"), ("1", "raised"), ("00", "plain")],
        [("-", "raised"), ("12", "plain")],
        [("12", "plain"), ("%", "raised")],
    ],
)
def test_a_raised_run_that_may_belong_to_the_number_makes_a_reject(runs: list[tuple[str, str]]) -> None:
    taken = of_cells([wb.rich(*runs), 7])
    assert kit.values(taken) == {"VA2": 7}


# -- formulas -----------------------------------------------------------------------------------------------------


def test_a_formula_that_nobody_calculated_is_a_reject() -> None:
    rows = [list(wb.HEAD), ["Ash", 12], ["Aspen", "=6+6"], ["Beech", "=B2*2"]]
    taken = read(wb.by_openpyxl(rows), tokens={"": "missing"})
    assert kit.values(taken) == {"VA1": 12}
    assert refused(taken) == [(3, "not_calculated"), (4, "not_calculated")]


def test_a_zero_that_its_maker_left_to_be_calculated_is_a_reject_and_a_calculated_value_is_none() -> None:
    taken = of_cells([wb.formula("=1+1"), wb.formula("=30+4", 34), wb.formula('=""', ""), 0], tokens={"": "missing"})
    assert kit.values(taken) == {"VA2": 34, "VB2": 0}
    assert refused(taken) == [(2, "not_calculated"), (4, "not_calculated")]


def test_a_zero_that_was_calculated_is_zero() -> None:
    data = wb.xlsx(wb.column([wb.formula("=1-1"), wb.formula('=IF(1=1,"","x")', "")]))
    data = wb.replaced(data, "xl/worksheets/sheet1.xml", b'<c r="B3">', b'<c r="B3" t="str">')  # as Excel writes it
    calculated = wb.replaced(data, "xl/workbook.xml", b' fullCalcOnLoad="1"', b"")
    assert kit.values(read(calculated, tokens={"": "missing"})) == {"VA1": 0, "VA2": None}
    # ... unless the program that wrote it never calculates.
    foreign = wb.replaced(calculated, "docProps/app.xml", b"Microsoft Excel", b"Apache POI")
    assert refused(read(foreign, tokens={"": "missing"}))[0] == (2, "not_calculated")


def test_the_other_cells_of_a_formula_over_several_are_not_calculated_either() -> None:
    def several(page: Any, y: int, x: int, book: Any) -> None:
        page.write_array_formula(y, x, y + 2, x, "={1;2;3}")

    data = wb.xlsx([list(wb.HEAD), ["Ash", several], ["Aspen"], ["Beech"], ["Ærø", 5]])
    taken = read(data)
    assert kit.values(taken) == {"VB2": 5}
    assert refused(taken) == [(2, "not_calculated"), (3, "not_calculated"), (4, "not_calculated")]


def test_formulas_that_are_calculated_only_when_asked_are_told() -> None:
    data = wb.xlsx(wb.column([wb.formula("=30+4", 34)]))
    manual = wb.replaced(data, "xl/workbook.xml", b'fullCalcOnLoad="1"', b'calcMode="manual"')
    assert checks(read(manual)) == [("manual_calculation", "warn")]


def test_a_period_in_a_cell_that_is_in_doubt_is_none() -> None:
    period = {"from": "capture", "kind": "year"}
    captures = [{"from": "cell", "cell": "B1", "pattern": r"^(?P<period>\d{4})$"}]
    for cell, is_read in (("2019", True), (wb.shown_as("2019", "@", font_strikeout=True), False)):
        rows = [["Year", cell], list(wb.HEAD), ["Ash", 12]]
        taken = read(wb.xlsx(rows), period=period, captures=captures)
        assert bool(taken.problem) != is_read


def test_a_total_that_was_never_calculated_is_not_compared_and_blocks() -> None:
    rows = [*wb.column([12, 34]), ["All", wb.formula("=SUM(B2:B3)")]]
    rule = {"reason": "total", "column": "Place", "pattern": "^All$", "reconcile": "all"}
    taken = read(wb.xlsx(rows), ignore_rows=[rule])
    assert kit.values(taken) == {"VA1": 12, "VA2": 34}
    assert checks(taken) == [("total_not_compared", "block")]


# -- numbers and texts --------------------------------------------------------------------------------------------

COMMA = {"numbers": {"decimal": ",", "thousands": "."}}


def test_a_number_cell_is_a_number_whatever_mark_texts_are_written_with() -> None:
    taken = of_cells([1.234, "1.234", "1.234,5", 1234.5], **COMMA)
    assert kit.values(taken) == {
        "VA1": Decimal("1.234"),
        "VA2": 1234,
        "VB1": Decimal("1234.5"),
        "VB2": Decimal("1234.5"),
    }
    assert taken.accepted["value_reported"].to_list() == ["1,234", "1.234", "1.234,5", "1234,5"]


def test_percentages_and_old_workbooks_and_json_are_no_exception() -> None:
    taken = of_cells([wb.shown_as(0.1234, "0.0%"), "12,5%"], **COMMA, **PERCENT)
    assert kit.values(taken) == {"VA1": Decimal("12.34"), "VA2": Decimal("12.5")}
    old = kit.read(
        wb.xls(wb.column([1.234, "1.234"])), {**XLSX, "format": {"kind": "xls"}, **COMMA}, name="f.xls", files="*"
    )
    assert kit.values(old) == {"VA1": Decimal("1.234"), "VA2": 1234}
    lines = b'{"Place": "Ash", "Heads": 1.234}\n{"Place": "Aspen", "Heads": "1.234"}\n'
    assert kit.values(kit.read(lines, {"format": {"kind": "jsonl"}, **COMMA})) == {"VA1": Decimal("1.234"), "VA2": 1234}


@pytest.mark.parametrize("inside", [b"1<!-- 5 -->2", b"<![CDATA[12]]>"])
def test_a_value_that_readers_would_read_in_two_ways_is_refused(inside: bytes) -> None:
    data = wb.replaced(wb.xlsx(wb.column([12])), "xl/worksheets/sheet1.xml", b"<v>12</v>", b"<v>" + inside + b"</v>")
    assert "damaged" in read(data).problem


# -- merged cells -------------------------------------------------------------------------------------------------


def test_one_merged_number_for_several_places_belongs_to_none_of_them() -> None:
    def merge(book: Any, page: Any) -> None:
        page.merge_range(1, 1, 2, 1, 500)

    taken = read(wb.xlsx(wb.column([None, None, 7]), merge), tokens={"": "missing"})
    assert kit.values(taken) == {"VB1": 7}
    assert refused(taken) == [(2, "merged_cells"), (3, "merged_cells")]


def test_one_merged_number_for_several_columns_belongs_to_none_of_them_and_an_empty_column_does_not_count() -> None:
    values = [
        {"column": name, "measure": "heads", "unit": "persons", "sex": sex}
        for name, sex in (("Men", "male"), ("Women", "female"))
    ]
    rows: list[list[Any]] = [["Place", "Men", "Women", None], ["Ash", None, None], ["Aspen", 1, None]]

    def merge(book: Any, page: Any) -> None:
        page.merge_range(1, 1, 1, 2, 500)
        page.merge_range(2, 2, 2, 3, 9)

    taken = read(wb.xlsx(rows, merge), values=values, tokens={"": "missing"})
    assert refused(taken) == [(2, "merged_cells"), (2, "merged_cells")]
    assert taken.accepted.select("sex", "value").rows() == [("male", Decimal(1)), ("female", Decimal(9))]


def test_merged_labels_and_titles_are_what_they_were() -> None:
    rows: list[list[Any]] = [["Heads by place"], ["Part", "Place", "Heads"], ["town", "Ash", 1], [None, "Aspen", 2]]

    def merge(book: Any, page: Any) -> None:
        page.merge_range(0, 0, 0, 2, "Heads by place")
        page.merge_range(2, 0, 3, 0, "town")

    part = {"column": "Part", "dimension": "residence", "fill": "down", "map": {"town": "urban"}}
    taken = read(wb.xlsx(rows, merge), header={"find": ["Part"]}, rows=[part])
    assert kit.values(taken) == {"VA1": 1, "VA2": 2}


# -- .xls ---------------------------------------------------------------------------------------------------------


def old(cells: list[Any], finish: Any = None, **layout: Any) -> Taken:
    data = wb.xls(wb.column(cells), finish)
    return kit.read(data, {**XLSX, "format": {"kind": "xls"}, **layout}, name="file.xls", files="*")


def test_an_old_workbook_shows_percentages_dates_and_scaled_numbers_like_a_new_one() -> None:
    share = old([(0.85, wb.xls_format("0.0%")), (91, wb.xls_format("0")), "77%"], **PERCENT)
    assert kit.values(share) == {"VA1": 85, "VA2": 91, "VB1": 77}
    for code, value in (("0.0%", 0.85), ("#,##0,", 5000), ("yyyy-mm-dd", 44118), (";;;", 5), ("# ?/?", 0.5)):
        taken = old([(value, wb.xls_format(code)), 34])
        assert kit.values(taken) == {"VA2": 34}, code
        assert len(refused(taken)) == 1


def test_an_old_workbook_parts_notes_and_struck_through_text_from_numbers() -> None:
    def font(**looks: Any) -> Any:
        own = xlwt.Font()
        for name, value in looks.items():
            setattr(own, name, value)
        return own

    struck = xlwt.easyxf("font: struck_out on")
    cells = [
        [("1200", font()), ("1", font(escapement=xlwt.Font.ESCAPEMENT_SUPERSCRIPT))],
        [("340", font(struck_out=True)), ("350", font())],
        (77, struck),
        5,
    ]
    taken = old(cells)
    assert kit.values(taken) == {"VA1": 1200, "VB2": 5}
    assert refused(taken) == [(3, "struck_through"), (4, "struck_through")]


@given(
    value=st.one_of(
        st.integers(-(10**12), 10**12).map(float),
        st.floats(-1e9, 1e9, allow_nan=False).map(lambda x: round(x, 6)),
    )
)
def test_both_kinds_of_workbooks_give_the_same_text_for_a_number(value: float) -> None:
    new = read_grids(wb.xlsx([["x"], [value]]), Format(kind="xlsx"), "f.xlsx")[0].cells["c0"][1]
    before = read_grids(wb.xls([["x"], [value]]), Format(kind="xls"), "f.xls")[0].cells["c0"][1]
    assert Decimal(new) == Decimal(before)


# -- properties ---------------------------------------------------------------------------------------------------

FORMATS = st.lists(
    st.sampled_from(
        ["0", "#", "#,##0", "0.0", "%", ",", '"x"', '" "', "-", "(", ")", "[Red]", "[$€-407]", "_-", "* ", "?", "/",
         "E+00", "General", "@", "y", "\\.", ".", "0000", "万", '"0"', '"12 "', '" 000"', "\\7", "!5", "*0", "[$9]",
         "[$k]", "[$€ k]", "[$-804]", "[$万-804]"]
    ),
    min_size=1,
    max_size=5,
).map("".join)  # fmt: skip


@given(sections=st.lists(FORMATS, min_size=1, max_size=4), value=st.decimals(-(10**6), 10**6, places=3))
def test_whatever_the_format_the_text_of_a_number_is_the_number_or_says_otherwise(
    sections: list[str], value: Decimal
) -> None:
    shown = number_format(";".join(sections)).show(value)
    if shown.problem:
        return
    digits = shown.text.strip("xk万")
    if not re.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?%?", digits):
        return  # words beside a number, which no contract has declared: a reject
    if digits.endswith("%"):
        assert any("%" in section for section in sections)
        assert Decimal(digits[:-1]) == value * 100
    else:
        assert Decimal(digits) == value
    if number_format(";".join(sections)).is_plain:
        assert "," not in "".join(sections)[-1:]
