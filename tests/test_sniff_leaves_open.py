"""What nobody but a person can know stays open in a proposal: nothing that decides a number is guessed."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import corpus
import country
import intake_kit as kit
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from test_sniff import grounds, settings, sniffed

from pipelines.errors import ConfigurationError, JunhengError
from pipelines.intake.sniffing import Grounds, as_trial, propose
from pipelines.jurisdiction import load
from pipelines.run.trial import check_file, sniff_file

PLACES = ["Ash", "Aspen", "Beech", "Alder Shire", "Birch Shire", "Ærø"]
OUTTURN = [
    ["E-code", "ONS Code", "Local authority", "Certification", "Education £ thousand"],
    ["E0201", "E06000201", "Marshfleet", "Y", "100"],
    ["E0202", "E06000202", "Saltby upon Wold", "N", "100"],
    ["E0202", "E06000202", "Saltby upon Wold", "1", "105"],
]


def nowhere(**units: str) -> Grounds:
    """A jurisdiction without regions and measures."""
    empty = kit.jurisdiction()
    measures = empty.reference_tables()["measure"].clear()
    return Grounds(dict(units), empty.regions.clear(), measures)


def layout_of(rows: list[list[Any]] | bytes, known: Grounds | None = None, name: str = "file.csv") -> dict[str, Any]:
    data = corpus.text(rows) if isinstance(rows, list) else rows
    text = propose(data, name, known or grounds(), "desk/unknown").text
    return dict(yaml.safe_load(text)["layouts"][0])


def measured(found: dict[str, Any]) -> list[str]:
    """The headers of the columns that are proposed as figures."""
    return [value.get("column") or value["columns"] for value in found["values"]]


def column(header: str, cells: list[str], **more: str) -> list[list[str]]:
    """A table with a column of figures and one other column."""
    figures = ["1204", "88", "30511", "7", "912", "45"]
    rows = [["Place", "Heads", header]]
    return rows + [[place, figures[i], cell] for i, (place, cell) in enumerate(zip(PLACES, cells, strict=False))]


# -- what is never a measure ------------------------------------------------------------------------------------------

IDENTIFIERS = {
    "id": ["31", "17", "44", "2", "95", "60"],
    "school_id": ["31", "17", "44", "2", "95", "60"],
    "RegionID": ["31", "17", "44", "2", "95", "60"],
    "OBJECTID": ["31", "17", "44", "2", "95", "60"],
    "E-code": ["201", "202", "203", "204", "205", "207"],
    "ONS Code": ["201", "202", "203", "204", "205", "207"],
    "FIPS": ["1001", "1003", "1005", "1007", "1009", "1011"],
    "机构代码": ["71", "17", "44", "2", "95", "60"],
    "统一社会信用代码": ["71", "17", "44", "2", "95", "60"],
    "序号": ["6", "5", "4", "3", "2", "1"],
    "行次": ["11", "12", "13", "14", "15", "16"],
    "邮编": ["310000", "315000", "325000", "313000", "314000", "312000"],
    "Postcode": ["3100", "3150", "3250", "3130", "3140", "3120"],
    "联系电话": ["13800138000", "13900139000", "13700137000", "13600136000", "13500135000", "13300133000"],
    "Telephone": ["5550101", "5550102", "5550199", "5550134", "5550155", "5550177"],
    "Rank": ["3", "1", "2", "6", "4", "5"],
    "全省排名": ["3", "1", "2", "6", "4", "5"],
    "Latitude": ["30.1", "30.2", "29.9", "28.7", "30.4", "30.5"],
    "上报日期": ["20210101", "20210101", "20210105", "20210102", "20210103", "20210104"],
    "Year": ["2020", "2020", "2020", "2020", "2020", "2020"],
    "Founded": ["1950", "1987", "2001", "1963", "1999", "1978"],
    "Month": ["1", "2", "3", "4", "5", "6"],
    "Hospital no.": ["31", "17", "44", "2", "95", "60"],
    "Order number": ["31", "17", "44", "2", "95", "60"],
    "Kennziffer": ["8111", "8115", "8116", "8117", "8118", "8119"],
    # nothing in the header: the digits themselves say it
    "Unit A": ["0101", "0102", "0103", "0104", "0105", "0106"],
    "Unit B": ["330102", "330105", "330106", "330108", "330109", "330110"],
    "Unit C": ["91330100143", "91330101774", "91330108255", "91330106999", "91330104111", "91330105222"],
    "Unit D": ["5", "5", "5", "5", "5", "5"],
    "Certification": ["Y", "N", "1", "Y", "N", "1"],
    "Checked": ["1", "0", "是", "否", "1", "0"],
}


@pytest.mark.parametrize("header", IDENTIFIERS)
def test_an_identifier_a_running_number_or_a_code_is_no_measure(header: str) -> None:
    assert measured(layout_of(column(header, IDENTIFIERS[header]))) == ["Heads"]


@pytest.mark.parametrize("header", ["", "No.", "#", "n"])
def test_numbers_that_run_on_are_no_measure(header: str) -> None:
    rows = [[header, "Place", "Heads"]]
    rows += [
        [str(i), place, figure] for i, (place, figure) in enumerate(zip(PLACES, ["9", "7", "88"], strict=False), 1)
    ]
    assert measured(layout_of(rows)) == ["Heads"]
    behind = column(header or " ", [str(i) for i in range(11, 17)])
    assert measured(layout_of(behind)) == ["Heads"]


FIGURES = {
    "Number of pupils": ["31", "17", "44", "2", "95", "60"],
    "Telephone subscribers": ["31", "17", "44", "2", "95", "60"],
    "固定电话用户数": ["31", "17", "44", "2", "95", "60"],
    "Key stage 2 pupils": ["31", "17", "44", "2", "95", "60"],
    "gdp_index": ["103.9", "104.9", "101.5", "107.2", "106.4", "99"],
    "Dress code violations": ["3", "1", "2", "6", "4", "0"],
    "Residents": ["1234567", "2345678", "3456789", "4567890", "5678901", "6789012"],
    "Spent": ["-5", "0", "12.5", "3", "99", "1e3"],
    "Beds": ["1", "2", "3", "4", "5", "6"],
    "Orphans": ["0", "0", "0", "0", "0", "2"],
}


@pytest.mark.parametrize("header", FIGURES)
def test_a_figure_is_a_measure_though_its_header_holds_such_a_word(header: str) -> None:
    assert measured(layout_of(column(header, FIGURES[header]))) == ["Heads", header]


@given(
    ids=st.sampled_from(["{:06d}", "E{:07d}", "33{:04d}", "0{:03d}", "138{:08d}"]),
    figures=st.lists(st.integers(0, 10**5), min_size=6, max_size=6, unique=True),
    numbers=st.lists(st.integers(0, 999), min_size=6, max_size=6, unique=True),
    place=st.integers(0, 2),
)
def test_wherever_an_identifier_stands_only_the_figures_are_measures(
    ids: str, figures: list[int], numbers: list[int], place: int
) -> None:
    assume(all(after - before != 1 for before, after in itertools.pairwise(figures)))
    rows = [["Place", "Pupils taught"], *([name, str(f)] for name, f in zip(PLACES, figures, strict=True))]
    codes = ["School code", *(ids.format(number) for number in numbers)]
    table = [[*row[:place], code, *row[place:]] for row, code in zip(rows, codes, strict=True)]
    assert measured(layout_of(table)) == ["Pupils taught"]


# -- units ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("above", "header", "unit"),
    [
        ([], "Cats", "?"),
        ([], "Cats (dozens)", "?"),
        ([], "Cats (thousand)", "thousand"),
        ([], "Cats, thousand", "thousand"),
        ([], "Cats thousand", "thousand"),
        ([], "Cats per thousand", "?"),
        ([], "Cats of missing persons", "?"),
        ([], "Cats £ thousand", "?"),
        ([], "Spent in Mio. crowns", "?"),
        ([], "Spent (crowns) in millions", "?"),
        ([], "Spent, crowns, 000s", "?"),
        ([], "Spent (crowns)", "crowns"),
        ([], "Spent (crowns) / Heads (persons)", "?"),
        (["Figures in thousands"], "Cats (persons)", "?"),
        (["单位：万元"], "Spent (crowns)", "?"),
        (["Unit: thousand"], "Cats", "thousand"),
        (["单位：thousand"], "Cats", "thousand"),
        (["Data are reported in thousand."], "Cats", "thousand"),
        (["Unit: thousand"], "Growth rate of cats", "?"),
        (["Unit: thousand"], "Cats (%)", "%"),
        (["Unit: thousand"], "Cats (£ million)", "?"),
        (["Unit: persons, crowns"], "Cats", "?"),
        (["单位：persons、crowns"], "Cats", "?"),
        (["单位：crowns，数据来源：统计局"], "Cats", "crowns"),
        (["Unit: persons/crowns"], "Cats", "?"),
        (["Unit: 万元"], "Cats", "?"),
        (["Cats and persons of Verdania"], "Cats", "?"),
        (["Cats (thousand)"], "Cats", "thousand"),
        (["Cats (thousand) and spending (crowns)"], "Cats", "?"),
    ],
)
def test_a_unit_is_what_the_file_states_and_the_jurisdiction_lists_or_open(
    above: list[str], header: str, unit: str
) -> None:
    rows = [*([line] for line in above), ["Place", header], ["Ash", "4"], ["Beech", "7"]]
    assert layout_of(rows)["values"][0]["unit"] == unit


def test_percent_signs_are_a_unit_only_where_every_cell_bears_one() -> None:
    assert layout_of([["Place", "Share"], ["Ash", "4%"], ["Beech", "7 %"]])["values"][0]["unit"] == "%"
    assert layout_of([["Place", "Share"], ["Ash", "4%"], ["Beech", "0.07"]])["values"][0]["unit"] == "?"
    assert layout_of([["Place", "Coverage"], ["Ash", "0.85"], ["Beech", "0.7"]])["values"][0]["unit"] == "?"


def test_figures_without_any_statement_of_units_are_no_persons() -> None:
    rows = [["county_id", "year", "gdp", "gdp_index", "public_budget_exp"]]
    rows += [[f"NMG00000{i}", "2018", "53.17", "103.9", "275543"] for i in (1, 2)]
    found = layout_of(rows, nowhere(人="persons", 万元="yuan"))
    assert {value["unit"] for value in found["values"]} == {"?"}
    assert found["region"] == {"code": "county_id"}
    assert found["period"] == {"from": "column", "column": "year", "kind": "year"}


def test_labels_in_several_units_leave_the_unit_open() -> None:
    rows = [["", "", "2019", "2020"], ["Heads (persons)", "Ash", "1", "2"], ["", "Aspen", "3", "5"]]
    rows += [["Spent (crowns)", "Ash", "10", "20"], ["", "Aspen", "30", "40"]]
    assert layout_of(rows)["values"][0]["unit"] == "?"


def test_a_column_of_units_says_the_unit_of_each_row() -> None:
    rows = [["Place", "Indicator", "Unit", "Value"]]
    rows += [
        [p, what, unit, str(i)] for i, p in enumerate(PLACES[:3]) for what, unit in (("Cats", "persons"), ("Dogs", "£"))
    ]
    found = layout_of(rows)
    assert found["values"][0]["unit"] == {"column": "Unit", "map": {"£": "?"}}
    assert "^Unit$" not in found.get("ignore_columns", [])
    _, taken = sniffed(corpus.text(rows), "file.csv")
    assert (taken.accepted.height, taken.rejects.height) == (6, 0)


# -- dimensions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "known", [grounds(), nowhere(), nowhere(**{"£ thousand": "pounds"})], ids=["other", "none", "unit"]
)
def test_a_row_that_stands_twice_stays_a_duplicate(known: Grounds) -> None:
    found = layout_of(OUTTURN, known)
    assert "rows" not in found
    assert found["region"] == {"code": "ONS Code", "name": "Local authority"}
    (value,) = found["values"]
    assert value["column"] == "Education £ thousand"
    assert value["unit"] == ("£ thousand" if known.units.get("£ thousand") else "?")


@pytest.mark.parametrize(
    "header", ["Notes", "Status", "Version", "Return", "是否审核", "备注", "Submitted by", "Response", "Record no."]
)
def test_no_column_becomes_a_dimension_because_it_tells_doubles_apart(header: str) -> None:
    rows = [
        ["Place", header, "Heads"],
        ["Ash", "a", "1"],
        ["Aspen", "b", "2"],
        ["Beech", "c", "3"],
        ["Beech", "d", "9"],
    ]
    _, taken = sniffed(corpus.text(rows), "file.csv")
    assert taken.rejects["rule"].to_list() == ["duplicate_key", "duplicate_key"]


def test_a_line_for_each_school_makes_no_dimension_of_the_schools() -> None:
    rows = [["School code", "School", "Place", "Pupils"]]
    rows += [[str(7100 + i * 3), f"School {i}", PLACES[i // 4], str(i * 41 + 7)] for i in range(8)]
    found = layout_of(rows)
    assert "rows" not in found
    assert measured(found) == ["Pupils"]


def test_classes_that_come_again_from_region_to_region_are_a_dimension_whose_name_is_open() -> None:
    rows = [["Place", "Kind of school", "Heads"]]
    rows += [[place, kind, str(i)] for place in PLACES[:3] for i, kind in enumerate(("Primary", "Upper secondary"))]
    (found,) = layout_of(rows)["rows"]
    assert found == {"column": "Kind of school", "dimension": "?", "codes": ["Primary", "Upper secondary"]}
    _, taken = sniffed(corpus.text(rows), "file.csv")
    assert (taken.accepted.height, taken.rejects.height) == (6, 0)


def test_a_column_called_sex_is_never_left_out_though_all_rows_are_of_one() -> None:
    rows = [["Place", "Sex", "Heads"], ["Ash", "male", "4"], ["Beech", "male", "7"]]
    assert layout_of(rows)["rows"] == [{"column": "Sex", "dimension": "sex", "map": {"male": "male"}}]
    text = propose(
        corpus.text([["Place", "Kind", "Heads"], ["Ash", "Nuns", "4"], ["Beech", "Nuns", "7"]]),
        "f.csv",
        grounds(),
        "d/e",
    ).text
    assert "the same text in every row (Nuns): are the figures about it alone?" in text


def test_labels_that_are_no_plain_words_are_open() -> None:
    rows = [["Place", "Sex", "Heads"]]
    rows += [[place, sex, str(i)] for place in PLACES[:3] for i, sex in enumerate(("Women", "Gentlemen", "Total"))]
    (found,) = layout_of(rows)["rows"]
    assert found["map"] == {"Women": "female", "Gentlemen": "?", "Total": "all"}


def test_ages_that_a_spreadsheet_made_dates_of_are_no_codes() -> None:
    ages = ["0-4", "5-Sep", "Oct-14", "15-19", "85+", "44118", "10月14日", "2026-09-05 00:00:00"]
    rows = [
        ["Place", "Age", "Heads"],
        *([place, age, str(3 + i)] for i, place in enumerate(PLACES[:2]) for age in ages),
    ]
    proposal, taken = sniffed(corpus.text(rows), "file.csv")
    (found,) = yaml.safe_load(proposal.text)["layouts"][0]["rows"]
    assert found == {"column": "Age", "dimension": "age_group"}
    assert "no form of an age (5-Sep, Oct-14, 44118" in proposal.text
    assert set(taken.accepted["age_group"]) == {"0-4", "15-19", "85+"}


# -- periods and signs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "period"),
    [
        ([["Place", "Heads"], ["Ash", "1"], ["Beech", "3"]], {"from": "folder", "kind": "?"}),
        ([["Place", "2018-19", "2019-20"], ["Ash", "1", "2"]], {"from": "header", "kind": "year", "starts": "?"}),
        ([["Place", "2009-10", "2010-11"], ["Ash", "1", "2"]], {"from": "header", "kind": "?"}),
        ([["Place", "2019-07", "2019-08"], ["Ash", "1", "2"]], {"from": "header", "kind": "month"}),
        ([["Place", "2018-2020", "2019-2021"], ["Ash", "1", "2"]], {"from": "header", "kind": "pooled"}),
        ([["Place", "2018-20", "2019-2"], ["Ash", "1", "2"]], {"from": "header", "kind": "?"}),
        ([["Place", "2019", "2020"], ["Ash", "1", "2"]], {"from": "header", "kind": "year"}),
        (
            [["Place", "Quarter", "Heads"], ["Ash", "2020Q1", "4"], ["Ash", "2020Q2", "3"]],
            {"from": "column", "column": "Quarter", "kind": "quarter"},
        ),
        (
            [["Place", "Date", "Heads"], ["Ash", "2020-03-01", "4"], ["Ash", "2020-03-02", "3"]],
            {"from": "column", "column": "Date", "kind": "?"},
        ),
        (
            [["Place", "Year", "Month", "Heads"], ["Ash", "2020", "12", "4"], ["Beech", "2020", "12", "3"]],
            {"from": "column", "column": "Year", "kind": "?"},
        ),
        (
            [["Place", "Year", "Heads"], ["Ash", "2018-2020", "1"], ["Beech", "2015 - 17", "3"]],
            {"from": "column", "column": "Year", "kind": "pooled"},
        ),
        (
            [["Place", "Year", "Heads"], ["Ash", "2018-2020", "1"], ["Beech", "2019-18", "3"], ["Aspen", "2018", "3"]],
            {"from": "column", "column": "Year", "kind": "?"},
        ),
        (
            [["Residents as at 30 June 2020"], ["Place", "Heads"], ["Ash", "1"], ["Beech", "3"]],
            {"from": "capture", "kind": "?"},
        ),
        (
            [["Heads at the end of year 2020"], ["Place", "Heads"], ["Ash", "1"], ["Beech", "3"]],
            {"from": "capture", "kind": "point", "month_day": "12-31"},
        ),
        (
            [["Heads of 2019 and 2020"], ["Place", "Heads"], ["Ash", "1"], ["Beech", "3"]],
            {"from": "folder", "kind": "?"},
        ),
    ],
)
def test_the_kind_of_a_period_is_what_the_file_names_or_open(rows: list[list[str]], period: dict[str, str]) -> None:
    assert layout_of(rows)["period"] == period


def test_financial_years_that_the_jurisdiction_declares_are_not_asked_for() -> None:
    rows = [["Place", "2018-19", "2019-20"], ["Ash", "1", "2"], ["Beech", "3", "4"]]
    declared = replace(grounds(), has_financial_years=True)
    assert layout_of(rows, declared)["period"] == {"from": "header", "kind": "year"}


def test_a_year_in_the_name_of_the_file_alone_is_no_period() -> None:
    found = layout_of([["Place", "Heads"], ["Ash", "1"], ["Beech", "3"]], name="heads_2020.csv")
    assert found["period"] == {"from": "folder", "kind": "?"}


@pytest.mark.parametrize("sign", ["-", "—", "...", "*", "x", "c", "NA"])
def test_a_sign_that_offices_use_in_several_ways_is_open(sign: str) -> None:
    found = layout_of([["Place", "Heads"], ["Ash", "1"], ["Aspen", sign], ["Beech", "3"]])
    assert found["tokens"] == {sign: "?"}


@pytest.mark.parametrize(("cell", "sign"), [("1200²", "²"), ("340①", "①"), ("990⑴", "⑴"), ("77r", "r")])
def test_a_sign_glued_to_a_number_is_an_open_mark_and_never_a_digit(cell: str, sign: str) -> None:
    rows = [["Place", "Heads"], ["Ash", "1"], ["Aspen", cell], ["Beech", "3"]]
    proposal, _ = sniffed(corpus.text(rows), "file.csv")
    found = yaml.safe_load(proposal.text)["layouts"][0]
    assert measured(found) == ["Heads"]
    assert found["marks"] == {sign: "?"}


@pytest.mark.parametrize("cells", [["(12)"], ["1204-"], ["1,204-"], ["(1,204)", "88-"], ["(4)", "(12)"], ["(120)"]])
def test_a_number_that_may_be_negative_is_open(cells: list[str]) -> None:
    rows = [["Place", "Spent"], ["Ash", "12"], *([place, cell] for place, cell in zip(PLACES[1:], cells, strict=False))]
    proposal, taken = sniffed(corpus.text(rows), "file.csv")
    assert yaml.safe_load(proposal.text)["layouts"][0]["numbers"] == {"negative": "?"}
    assert taken.rejects["rule"].to_list() == ["undeclared_negative"] * len(cells)


@pytest.mark.parametrize(
    "cells",
    [
        ["(1,204)"],
        ["(1204)"],
        ["(3.5)"],
        ["(12)", "(1,204)"],
        ["(1.204,5)", "8,25"],
        ["(1 204,5)"],
        ["(120,50)", "(1)"],
    ],
)
def test_brackets_round_a_number_too_large_for_a_note_are_proposed_as_negative(cells: list[str]) -> None:
    rows = [["Place", "Spent"], ["Ash", "12"], *([place, cell] for place, cell in zip(PLACES[1:], cells, strict=False))]
    proposal, taken = sniffed(corpus.text(rows), "file.csv")
    found = yaml.safe_load(proposal.text)
    assert found["layouts"][0]["numbers"]["negative"] == "brackets"
    assert "taken for a negative number" in proposal.text
    assert found["status"] == "proposed"  # and so nothing of it counts before a person has looked
    assert taken.rejects.height == 0
    assert sum(value < 0 for value in taken.accepted["value"]) == sum(cell.startswith("(") for cell in cells)


def test_a_mark_that_may_be_of_thousands_or_decimal_is_open() -> None:
    rows = [["Place", "Heads"], ["Ash", "1.234"], ["Aspen", "5.678"], ["Beech", "9.012"]]
    assert layout_of(corpus.text(rows, delimiter=";"))["numbers"] == {"decimal": "?"}
    rows[1][1] = "1.2"
    assert "numbers" not in layout_of(corpus.text(rows, delimiter=";"))
    rows[1][1] = "1.234,5"
    assert layout_of(corpus.text(rows, delimiter=";"))["numbers"] == {"decimal": ",", "thousands": "."}


# -- names ------------------------------------------------------------------------------------------------------------


def test_names_keep_their_blanks_and_the_title_is_the_name() -> None:
    rows = [
        ["Revenue outturn of local authorities 2018-19"],
        ["Figures in crowns"],
        ["Local  authority", "Total spending"],
    ]
    rows += [["Saltby upon Wold", "12.5"], ["Brindle Vale", "7"]]
    proposal = propose(corpus.text(rows), "outturn.csv", nowhere(crowns="crowns"), "treasury/outturn")
    contract = yaml.safe_load(proposal.text)
    assert contract["name"] == "Revenue outturn of local authorities 2018-19"
    found = contract["layouts"][0]
    assert found["region"] == {"name": "Local authority"}
    assert found["values"][0]["column"] == "Total spending"
    assert [line["region_name"] for line in proposal.regions] == ["Saltby upon Wold", "Brindle Vale"]


def test_without_a_title_sheet_or_file_give_the_name() -> None:
    book = {"Heads by place": [["Place", "Heads"], ["Ash", 4], ["Beech", 7]]}
    assert yaml.safe_load(propose(corpus.workbook(book), "f.xlsx", grounds(), "d/e").text)["name"] == "Heads by place"
    book = {"Sheet1": book["Heads by place"]}
    assert yaml.safe_load(propose(corpus.workbook(book), "heads.xlsx", grounds(), "d/e").text)["name"] == "heads"


def test_a_column_of_years_alone_has_no_measure_before_a_person_names_one() -> None:
    found = layout_of([["Place", "2019", "2020"], ["Ash", "1", "2"], ["Beech", "3", "4"]])
    assert found["values"][0]["measure"] == "?"


# -- sheets, and jurisdictions that are not there yet -----------------------------------------------------------------


def workbook() -> bytes:
    sheets = {
        "Cover": [["Heads of Verdania"]],
        "Notes": [["See", "the notes"], ["of", "the desk"]],
        "Small": [["Place", "Heads"], ["Ash", 4], ["Beech", 7]],
        "Large": [
            ["Heads, all places"],
            [],
            ["Place", "Heads", "Cats"],
            *([p, i * 7, i * 3] for i, p in enumerate(PLACES)),
        ],
        "Empty": [],
    }
    return corpus.workbook(sheets)


def test_every_sheet_is_listed_with_what_is_on_it(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(workbook())
    land = country.make_country(tmp_path / "verdania", landed=False)
    found = sniff_file(settings(land.folder, tmp_path), path)
    sheets = {sheet["name"]: sheet for sheet in found["sheets"]}
    assert list(sheets) == ["Cover", "Notes", "Small", "Large", "Empty"]
    assert [name for name, sheet in sheets.items() if sheet["has_table"]] == ["Small", "Large"]
    assert (sheets["Large"]["header_row"], sheets["Large"]["rows"], sheets["Large"]["columns"]) == (3, 9, 3)
    assert sheets["Large"]["regions"] == ["A (Place)"]
    assert "no table found" in sheets["Notes"]["line"]
    assert 'sheet: "Large"' in found["proposal"]
    assert 'sheet: "Small"' in sniff_file(settings(land.folder, tmp_path), path, sheet="Small")["proposal"]
    with pytest.raises(JunhengError, match="no sheet 'Other'"):
        sniff_file(settings(land.folder, tmp_path), path, sheet="Other")


def test_hidden_sheets_are_listed_and_never_proposed_before_those_that_people_see(tmp_path: Path) -> None:
    import io

    import xlsxwriter

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    for name, places, is_hidden in (("old", PLACES, True), ("new", PLACES[:2], False)):
        page = book.add_worksheet(name)
        for row, cells in enumerate([["Place", "Heads"], *([p, i * 7 + 3] for i, p in enumerate(places))]):
            page.write_row(row, 0, cells)
        if is_hidden:
            page.hide()
        else:
            page.activate()
            page.set_first_sheet()
    book.close()
    path = tmp_path / "book.xlsx"
    path.write_bytes(target.getvalue())
    land = country.make_country(tmp_path / "verdania", landed=False)
    found = sniff_file(settings(land.folder, tmp_path), path)
    assert {sheet["name"]: sheet["is_visible"] for sheet in found["sheets"]} == {"old": False, "new": True}
    assert "hidden" in found["sheets"][0]["line"]
    assert 'sheet: "new"' in found["proposal"]
    assert any("hidden sheets hold tables: old" in note for note in found["notes"])
    assert 'sheet: "old"' in sniff_file(settings(land.folder, tmp_path), path, sheet="old")["proposal"]


def test_a_file_without_a_table_is_described_and_has_no_proposal(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(corpus.workbook({"Cover": [["Heads"], ["of", "places"]], "Notes": [["nothing"]]}))
    found = sniff_file(settings(tmp_path / "nowhere", tmp_path), path)
    assert (found["proposal"], found["readable"]) == (None, False)
    assert [sheet["name"] for sheet in found["sheets"]] == ["Cover", "Notes"]
    assert found["problem"]


@pytest.mark.parametrize("made", ["nothing", "folder", "without regions"])
def test_no_list_of_regions_is_needed(made: str, tmp_path: Path) -> None:
    home = tmp_path / "newland"
    if made == "folder":
        home.mkdir()
    if made == "without regions":
        land = country.make_country(home, landed=False)
        (land.folder / "reference" / "regions.csv").unlink()
    path = tmp_path / "outturn.csv"
    path.write_bytes(corpus.text(OUTTURN))
    found = sniff_file(settings(home, tmp_path), path, write=True, department="treasury", extract="outturn")
    assert found["regions_to_add"] == [
        {"region_code": "E06000201", "region_name": "Marshfleet"},
        {"region_code": "E06000202", "region_name": "Saltby upon Wold"},
    ]
    assert (found["observations"], found["rejects_by_rule"][0]["rule"]) == (1, "duplicate_key")
    assert any("regions.csv" in note for note in found["notes"])
    assert (home / "contracts" / "treasury" / "outturn.yml").exists()


def test_check_says_what_of_a_proposal_is_open_and_accepting_it_needs_every_answer(tmp_path: Path) -> None:
    land = country.make_country(tmp_path / "verdania", landed=False)
    path = tmp_path / "cats_2020.csv"
    path.write_bytes(corpus.text([["Place", "Cats"], ["Ash", "1"], ["Aspen", "-"], ["Beech", "3"]]))
    options = settings(land.folder, tmp_path)
    sniff_file(options, path, write=True, department="desk", extract="cats")
    checked = check_file(options, path, "desk/cats")
    fields = {item["field"] for item in checked["open"]}
    assert fields == {"provenance", "license", "layouts.0.period.kind", "layouts.0.tokens.-", "layouts.0.values.0.unit"}
    assert checked["status"] == "proposed"
    written = land.contract_path("desk/cats")
    text = written.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert all('"?"' in lines[item["line"] - 1] for item in checked["open"])
    written.write_text(text.replace("status: proposed", "status: active"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="still open"):
        load(land.folder)
    answered = (
        re.sub(r'kind: "\?"', "kind: year", text).replace('"-": "?"', '"-": zero').replace('unit: "?"', "unit: persons")
    )
    answered = answered.replace('"?"', "official", 1).replace('"?"', "free", 1).replace("proposed\n", "active\n", 1)
    written.write_text(answered, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="'cats' is not in reference"):
        load(land.folder)


def test_a_figure_that_is_the_same_everywhere_is_still_one_where_it_is_the_only_one() -> None:
    assert measured(layout_of([["Place", "Heads"], ["Ash", "100"], ["Aspen", "100"], ["Beech", "100"]])) == ["Heads"]


def test_a_table_of_persons_is_no_table_of_figures_and_none_of_it_is_shown(tmp_path: Path) -> None:
    rows = [["姓名", "证件号码", "地区", "缴费基数"], ["王小明", "11010519491231002X", "Ash", "5000"]]
    rows += [["李大力", "440524188001010014", "Beech", "6000"]]
    path = tmp_path / "detail.csv"
    path.write_bytes(corpus.text(rows))
    for home in (tmp_path / "nowhere", country.make_country(tmp_path / "verdania", landed=False).folder):
        found = sniff_file(settings(home, tmp_path), path)
        assert found["proposal"] is None
        assert "one line for each person" in found["problem"]
        assert "records" in found["do"]
        assert "王小明" not in str(found)
        assert "110105" not in str(found)


@pytest.mark.parametrize(
    ("rows", "region"),
    [
        ([["Code", "District", "Pupils"], ["0101", "Ahornau", "9"], ["0102", "Birkfeld", "4"]], ["Code", "District"]),
        ([["区划代码", "地区", "人数"], ["110101", "东城区", "9"], ["110102", "西城区", "4"]], ["区划代码", "地区"]),
        ([["No", "Kreis", "Schüler"], ["1", "Aachen", "9"], ["2", "Bonn", "4"]], [None, "Kreis"]),
        ([["Item", "Borough", "2019"], ["1", "Barnet", "9"], ["2", "Brent", "4"]], [None, "Borough"]),
        ([["fips", "county", "deaths"], ["01001", "Autauga", "9"], ["01003", "Baldwin", "4"]], ["fips", "county"]),
        ([["geo", "births"], ["AT11", "9"], ["AT12", "4"]], ["geo", None]),
        ([["Year", "North", "South"], ["2019", "9", "3"], ["2020", "4", "5"]], [None, "Year"]),
    ],
)
def test_regions_are_known_by_their_looks_where_no_list_says_so(
    rows: list[list[str]], region: list[str | None]
) -> None:
    found = layout_of(rows, nowhere())
    assert [found["region"].get("code"), found["region"].get("name")] == region


_ODD = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@given(
    header=_ODD,
    cells=st.lists(_ODD, min_size=3, max_size=3),
    title=_ODD,
    sheet=st.text("Data #:{}'?&*!|>%@`,[]", min_size=1, max_size=9),
)
def test_whatever_a_file_holds_its_proposal_is_a_contract_of_one_line_each(
    header: str, cells: list[str], title: str, sheet: str
) -> None:
    rows = [
        [title],
        ["Place", header, "Heads"],
        *([p, c, f"{i + 3}7"] for i, (p, c) in enumerate(zip(PLACES, cells, strict=False))),
    ]
    proposal = propose(corpus.text(rows), f"{sheet}.csv", grounds(), "desk/unknown")
    contract = as_trial(proposal.text)
    assert contract.layouts[0].values
    assert len(proposal.text.splitlines()) == proposal.text.count("\n")
    assert all("?" in item["text"] for item in proposal.open_fields)
