"""A text is one period of the kind agreed on, or it is none: never one of several, never the nearest."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import intake_kit as kit
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.intake.periods import period_span
from pipelines.jurisdiction.contract import PeriodRule
from pipelines.jurisdiction.text import normalise

HEADS = {"measure": "heads", "unit": "persons"}
FINANCIAL = {"kind": "year", "starts": "04-01"}


def rule(**fields: Any) -> PeriodRule:
    return PeriodRule.model_validate({"from": "folder", **fields})


def span(text: str | None, **fields: Any) -> tuple[str, str] | None:
    """The span of a text as ISO dates; the same with its blanks and without them, as headers are seen."""
    found = period_span(text, rule(**fields))
    return (found[0].isoformat(), found[1].isoformat()) if found else None


def year(first: int, last: int | None = None) -> tuple[str, str]:
    return f"{first}-01-01", f"{last or first}-12-31"


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        ("2018", {"kind": "year"}, year(2018)),
        ("２０１８年度", {"kind": "year"}, year(2018)),
        ("2018年末", {"kind": "year"}, year(2018)),
        ("Year 2018", {"kind": "year"}, year(2018)),
        ("2018.0", {"kind": "year"}, year(2018)),
        ("2018-19", FINANCIAL, ("2018-04-01", "2019-03-31")),
        ("2018/19", FINANCIAL, ("2018-04-01", "2019-03-31")),
        ("2018–2019", FINANCIAL, ("2018-04-01", "2019-03-31")),
        ("1999-00", FINANCIAL, ("1999-04-01", "2000-03-31")),
        ("FY 2018/19", FINANCIAL, ("2018-04-01", "2019-03-31")),
        ("FY2018", FINANCIAL, ("2018-04-01", "2019-03-31")),
        ("2018", {**FINANCIAL, "named_by": "end"}, ("2017-04-01", "2018-03-31")),
        ("2018-19", {**FINANCIAL, "named_by": "end"}, ("2018-04-01", "2019-03-31")),
        ("2018H1", {"kind": "half"}, ("2018-01-01", "2018-06-30")),
        ("2018-S2", {"kind": "half"}, ("2018-07-01", "2018-12-31")),
        ("H2 2018", {"kind": "half"}, ("2018-07-01", "2018-12-31")),
        ("1H2018", {"kind": "half"}, ("2018-01-01", "2018-06-30")),
        ("2018年上半年", {"kind": "half"}, ("2018-01-01", "2018-06-30")),
        ("2018下半年", {"kind": "half"}, ("2018-07-01", "2018-12-31")),
        ("second half of 2018", {"kind": "half"}, ("2018-07-01", "2018-12-31")),
        ("2018-19 H1", {"kind": "half", "starts": "04-01"}, ("2018-04-01", "2018-09-30")),
        ("2020Q3", {"kind": "quarter"}, ("2020-07-01", "2020-09-30")),
        ("2020年第一季度", {"kind": "quarter"}, ("2020-01-01", "2020-03-31")),
        ("2020年2季度", {"kind": "quarter"}, ("2020-04-01", "2020-06-30")),
        ("Q4-2019", {"kind": "quarter"}, ("2019-10-01", "2019-12-31")),
        ("3rd quarter of 2019", {"kind": "quarter"}, ("2019-07-01", "2019-09-30")),
        ("2018-19 Q4", {"kind": "quarter", "starts": "04-01"}, ("2019-01-01", "2019-03-31")),
        ("202002", {"kind": "month"}, ("2020-02-01", "2020-02-29")),
        ("2020年12月", {"kind": "month"}, ("2020-12-01", "2020-12-31")),
        ("2018.10", {"kind": "month"}, ("2018-10-01", "2018-10-31")),
        ("2018-1", {"kind": "month"}, ("2018-01-01", "2018-01-31")),
        ("2018M03", {"kind": "month"}, ("2018-03-01", "2018-03-31")),
        ("Oct 2018", {"kind": "month"}, ("2018-10-01", "2018-10-31")),
        ("10/2018", {"kind": "month"}, ("2018-10-01", "2018-10-31")),
        ("2018-10-01 00:00:00", {"kind": "month"}, ("2018-10-01", "2018-10-31")),
        ("2018", {"kind": "point", "month_day": "06-30"}, ("2018-06-30", "2018-06-30")),
        ("2018-03-31", {"kind": "point"}, ("2018-03-31", "2018-03-31")),
        ("31 March 2018", {"kind": "point"}, ("2018-03-31", "2018-03-31")),
        ("2018年3月31日", {"kind": "point"}, ("2018-03-31", "2018-03-31")),
        ("2018-2020", {"kind": "pooled"}, year(2018, 2020)),
        ("2015 - 17", {"kind": "pooled"}, year(2015, 2017)),
        ("2018至2020年", {"kind": "pooled"}, year(2018, 2020)),
        ("1999-01", {"kind": "pooled"}, year(1999, 2001)),
        ("2018/19-2020/21", {"kind": "pooled", "starts": "04-01"}, ("2018-04-01", "2021-03-31")),
        ("令和元年度", {"kind": "year", "eras": {"令和": 2018}}, year(2019)),
        ("平成２７", {"kind": "year", "eras": {"平成": 1988, "令和": 2018}}, year(2015)),
        ("平成30-令和2", {"kind": "pooled", "eras": {"平成": 1988, "令和": 2018}}, year(2018, 2020)),
        ("2563", {"kind": "year", "eras": {"": -543}}, year(2020)),
        ("2561-2563", {"kind": "pooled", "eras": {"": -543}}, year(2018, 2020)),
        ("民國109年", {"kind": "year", "eras": {"民國": 1911}}, year(2020)),
        ("round three", {"kind": "year", "map": {"round three": "2018"}}, year(2018)),
        ("latest", {"kind": "pooled", "map": {"latest": "2018-2020"}}, year(2018, 2020)),
    ],
)
def test_a_text_that_says_its_period_is_read(text: str, fields: dict[str, Any], expected: tuple[str, str]) -> None:
    assert span(text, **fields) == expected
    assert span(normalise(text), **fields) == expected  # as headers and captures are seen


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (
            "year",
            ["2018-2020", "2018-20", "2015 - 17", "2019-18", "2018-19", "2018/19", "2018/2019/2020", "2010 and 2020",
             "estimate of March 2020 for 2018", "2018 (revised 2020)", "2018-2018", "2018²", "①2018", "201⑧", "20182",
             "12018", "2018.5", "2018.10", "2018,5", "A2018", "2018A", "R2018x", "since 2018", "before 2018", "2018-",
             "-2018", "2018年以前", "2018年1-9月", "2018年上半年", "2018 Q1", "2018-12", "2018-12-31", "2018p", "2018*",
             "~2018", "mid-2018", "2018年中", "FY2018", "٢٠١٨", "18", "2018 2019", "20 1 8", "0", "2018\u20e3",
             "", None],
        ),
        ("half", ["2018", "2018-1", "2018H3", "20181", "H1", "2018-2019H1", "2018-19 H1", "2018H1H2", "2018年半年"]),
        ("quarter", ["2020", "2018-1", "20181", "2018/4", "Q1", "2018Q5", "2018Q1-Q3", "2018-19Q1", "2018年前三季度"]),
        ("month", ["2018.1", "2018.2", "20181", "2018 1", "Oct-18", "18-Oct", "2018-13", "2018-10-05", "2018-00",
                   "2018-1-3月", "2018年", "43374", "2018-19", "10月", "201810²", "2018-10/11"]),
        ("point", ["30/06/2018", "06-30-18", "2018-02-30", "20180230", "43281", "2018-06", "2018-19", "2018年中",
                   "31 March", "2018-06-30 13:00:00", "2018-06-30/2018-12-31"]),
        ("pooled", ["2018", "2019-18", "2018-2018", "2020-2018", "2018/2019/2020", "2018-2020-2022", "2018+2020",
                    "2018-", "2018-1", "2018-120", "18-20"]),
    ],
)  # fmt: skip
def test_a_text_that_is_not_just_one_period_of_the_kind_is_none(kind: str, texts: list[str | None]) -> None:
    for text in texts:
        assert span(text, kind=kind) is None, text


@pytest.mark.parametrize(
    "text", ["2018-2020", "2018-18", "2018-17", "2018-2018", "2018/2019/2020", "2018年末", "2018-1"]
)
def test_a_financial_year_is_a_year_and_the_one_after_it(text: str) -> None:
    assert span(text, **FINANCIAL) is None


@pytest.mark.parametrize("text", ["2018-19", "2018/2019", "2018"])
def test_two_years_of_which_one_follows_the_other_are_not_pooled_where_years_are_financial(text: str) -> None:
    assert span(text, kind="pooled", starts="04-01") is None


def test_the_end_of_a_year_is_its_last_day_only_where_the_contract_says_so() -> None:
    assert span("2018年末", kind="point") == ("2018-12-31", "2018-12-31")
    assert span("2018年末", kind="point", month_day="06-30") is None


@given(
    first=st.integers(1800, 2199), part=st.integers(1, 4), starts=st.sampled_from(["01-01", "04-01", "07-01", "10-01"])
)
def test_the_parts_of_a_year_follow_each_other_and_make_it_up(first: int, part: int, starts: str) -> None:
    whole = period_span(str(first), rule(kind="year", starts=starts))
    quarters = [period_span(f"{first}Q{n}", rule(kind="quarter", starts=starts)) for n in range(1, 5)]
    halves = [period_span(f"{first}H{n}", rule(kind="half", starts=starts)) for n in (1, 2)]
    assert whole
    for parts in (quarters, halves):
        days = [own for own in parts if own]
        assert (days[0][0], days[-1][1]) == whole
        assert all(one[1] + timedelta(days=1) == other[0] for one, other in pairwise(days))


WORDS = st.sampled_from(
    ["", "estimate of", "before", "since", "A", "R", "1", "9", "-", "/", "~", "(", "Table", "改", "第"]
)


@given(years=st.lists(st.integers(1800, 2199), min_size=1, max_size=3), between=WORDS, before=WORDS, after=WORDS)
def test_a_year_is_read_only_where_it_stands_alone(years: list[int], between: str, before: str, after: str) -> None:
    text = before + between.join(map(str, years)) + after
    found = period_span(text, rule(kind="year"))
    assert found is None or (found[0].year == years[0] and text.strip() == str(years[0]))


@given(first=st.integers(1800, 2180), length=st.integers(1, 15), short=st.booleans())
def test_a_pooled_period_reaches_from_its_first_year_to_its_last(first: int, length: int, short: bool) -> None:
    last = first + length
    text = f"{first}-{last % 100:02}" if short else f"{first}-{last}"
    assert period_span(text, rule(kind="pooled")) == (date(first, 1, 1), date(last, 12, 31))
    assert period_span(text, rule(kind="year")) is None


# -- in files -----------------------------------------------------------------------------------------------------


def spans(taken: Any) -> list[tuple[str, str, int]]:
    frame = taken.accepted.select(pl.col("period_start").cast(str), pl.col("period_end").cast(str), pl.col("value"))
    return [(start, end, int(value)) for start, end, value in frame.rows()]


def test_a_row_of_several_years_is_rejected_and_not_read_as_one_of_them() -> None:
    by_column = {"period": {"from": "column", "column": "Year", "kind": "year"}}
    years = ["2018-2020", "2015 - 17", "2019-18", "estimate of March 2020 for 2018", "2018²"]
    taken = kit.read(
        [["Place", "Year", "Heads"], *(["Ash", text, "1"] for text in years), ["Ash", "2018", "7"]], by_column
    )
    assert spans(taken) == [("2018-01-01", "2018-12-31", 7)]
    assert kit.rules(taken) == ["unknown_period"] * 5
    assert "'2015 - 17' is no single year" in taken.rejects["detail"].to_list()


def test_a_folder_or_a_header_of_several_years_makes_the_file_unreadable() -> None:
    assert "gives no year" in kit.read([["Place", "Heads"], ["Ash", "1"]], period="2018-2020").problem
    by_header = {
        "period": {"from": "header", "kind": "year"},
        "values": [{"columns": r"^(?P<period>\d{4}.*)$", **HEADS}],
    }
    assert "'2018-20' gives no year" in kit.read([["Place", "2018-20"], ["Ash", "1"]], by_header).problem


LOOSE = r"(?P<period>\d{4})"


@pytest.mark.parametrize(
    "text",
    ["2018-2020", "2018-20", "2018–2020", "2018 - 2020", "2018年至2020年", "2010 and 2020", "20182020", "2018-12-31",
     "12018", "2018.10", "2018/19", "estimate of March 2020 for 2018"],
)  # fmt: skip
def test_a_pattern_never_takes_one_year_out_of_several(text: str) -> None:
    heads = {"column": "Heads", **HEADS}
    capture = {"period": {"from": "capture", "kind": "year"}, "values": [heads]}
    table = [["Place", "Heads"], ["Ash", "1"]]
    preamble = {**capture, "captures": [{"from": "preamble", "pattern": LOOSE}]}
    assert kit.read([[f"Heads, {text}"], *table], preamble).problem
    file_name = {**capture, "captures": [{"from": "file_name", "pattern": LOOSE}]}
    assert kit.read(table, file_name, name=f"heads_{text.replace('/', '-')}.csv", files="*").problem
    header = {"period": {"from": "header", "kind": "year"}, "values": [{"columns": LOOSE, **HEADS}]}
    assert kit.read([["Place", f"Heads {text}"], ["Ash", "1"]], header).problem
    column = {"period": {"from": "column", "column": "Year", "kind": "year", "pattern": r"(\d{4})"}}
    assert kit.rules(kit.read([["Place", "Year", "Heads"], ["Ash", text, "1"]], column)) == ["unknown_period"]


@pytest.mark.parametrize("text", ["2018", "2018年", "year 2018 (final)", "v1, 2018", "2018 and again 2018"])
def test_a_pattern_takes_the_one_year_that_a_text_names(text: str) -> None:
    capture = {
        "period": {"from": "capture", "kind": "year"},
        "captures": [{"from": "preamble", "pattern": LOOSE}],
    }
    assert spans(kit.read([[f"Heads, {text}"], ["Place", "Heads"], ["Ash", "1"]], capture)) == [(*year(2018), 1)]
    column = {"period": {"from": "column", "column": "Year", "kind": "year", "pattern": r"(\d{4})"}}
    assert spans(kit.read([["Place", "Year", "Heads"], ["Ash", text, "1"]], column)) == [(*year(2018), 1)]


def test_a_pattern_that_says_what_stands_around_the_year_knows_it() -> None:
    layout = {
        "period": {"from": "capture", "kind": "year"},
        "captures": [{"from": "file_name", "pattern": r"^(?P<period>\d{4})\d{4}_"}],
    }
    taken = kit.read([["Place", "Heads"], ["Ash", "1"]], layout, name="20181231_heads.csv", files="*")
    assert spans(taken) == [(*year(2018), 1)]


def test_a_pooled_period_carries_its_span() -> None:
    pooled = {"period": {"from": "column", "column": "Years", "kind": "pooled"}}
    taken = kit.read([["Place", "Years", "Heads"], ["Ash", "2018-2020", "5"], ["Ash", "2018", "6"]], pooled)
    assert spans(taken) == [("2018-01-01", "2020-12-31", 5)]
    assert kit.rules(taken) == ["unknown_period"]
    two = {"period": {"from": "column", "column": "From", "end_column": "To", "kind": "pooled"}}
    rows = [["Place", "From", "To", "Heads"], ["Ash", "2018", "2020", "5"], ["Aspen", "2020", "2018", "6"]]
    taken = kit.read([*rows, ["Aspen", "2018", "", "7"]], two)
    assert spans(taken) == [("2018-01-01", "2020-12-31", 5)]
    assert kit.rules(taken) == ["unknown_period"] * 2


def test_the_part_of_a_cell_that_names_the_period_is_the_contracts_word() -> None:
    layout = {"period": {"from": "column", "column": "Wave", "kind": "year", "pattern": r"^census(\d{4})$"}}
    taken = kit.read([["Place", "Wave", "Heads"], ["Ash", "census 2010", "5"], ["Ash", "2010", "6"]], layout)
    assert spans(taken) == [("2010-01-01", "2010-12-31", 5)]
    assert kit.rules(taken) == ["unknown_period"]


def test_columns_of_one_sheet_may_be_of_several_kinds_of_period() -> None:
    layout = {
        "period": {"from": "header", "kind": "year"},
        "values": [
            {"columns": r"^(?P<period>\d{4})$", **HEADS},
            {"columns": r"^(?P<period>\d{4}Q[1-4])$", "period_kind": "quarter", **HEADS},
            {"columns": r"^(?P<period>\d{4}-\d{4})$", "period_kind": "pooled", **HEADS},
        ],
    }
    taken = kit.read([["Place", "2019", "2019 Q4", "2018-2020"], ["Ash", "1", "2", "3"]], layout)
    assert spans(taken) == [
        ("2019-01-01", "2019-12-31", 1),
        ("2019-10-01", "2019-12-31", 2),
        ("2018-01-01", "2020-12-31", 3),
    ]


@pytest.mark.parametrize("source", ["folder", "column"])
def test_a_column_may_be_about_a_part_of_the_year_that_the_file_or_the_row_names(source: str) -> None:
    period: dict[str, Any] = {"from": source, "kind": "year", "starts": "04-01"}
    rows = [["Place", "Year", "Whole", "Q1", "Q4", "Half 2"], ["Ash", "2019-20", "1", "2", "3", "4"]]
    if source == "column":
        period["column"] = "Year"
    layout = {
        "period": period,
        "ignore_columns": ["^Year$"],
        "values": [
            {"column": "Whole", **HEADS},
            {
                "columns": "^Q(?P<n>[1-4])$",
                "part": "{n}",
                "period_kind": "quarter",
                "measure": "heads",
                "unit": "persons",
            },
            {"column": "Half 2", "part": 2, "period_kind": "half", **HEADS},
        ],
    }
    assert spans(kit.read(rows, layout, period="2019-20")) == [
        ("2019-04-01", "2020-03-31", 1),
        ("2019-04-01", "2019-06-30", 2),
        ("2020-01-01", "2020-03-31", 3),
        ("2019-10-01", "2020-03-31", 4),
    ]


def test_a_part_of_a_year_in_which_the_region_was_no_more_is_refused() -> None:
    quarter = {"period_kind": "quarter", **HEADS}
    layout = {
        "region": {"code": "Code"},
        "header": {"find": ["Code"]},
        "values": [{"column": f"Q{n}", "part": n, **quarter} for n in (2, 3, 4)],
    }
    taken = kit.read([["Code", "Q2", "Q3", "Q4"], ["VA3", "5", "6", ""]], layout, period="2019", name="file.csv")
    assert [value for *_, value in spans(taken)] == [5]
    assert kit.rules(taken) == ["region_not_in_force", "empty_cell"]


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({"values": [{"column": "Q1", "part": 5, "period_kind": "quarter", **HEADS}]}, "part"),
        ({"values": [{"column": "Q1", "part": 1, **HEADS}]}, "part"),
        ({"values": [{"column": "Q1", "period_kind": "quarter", **HEADS}]}, "header"),
        ({"period": {"from": "folder", "kind": "month"},
          "values": [{"column": "Q1", "part": 1, "period_kind": "half", **HEADS}]}, "`year`"),
        ({"period": {"from": "column", "column": "A", "end_column": "B", "kind": "year"}}, "pooled"),
        ({"period": {"from": "folder", "pattern": "(x)", "kind": "year"}}, "column"),
        ({"period": {"from": "folder", "kind": "year", "starts": "02-30"}}, "every year"),
    ],
)  # fmt: skip
def test_a_period_that_cannot_be_is_a_mistake_of_the_contract(layout: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kit.contract(layout)


def test_a_part_that_no_year_has_makes_the_file_unreadable() -> None:
    layout = {
        "values": [{"columns": r"^Q(?P<n>\d)$", "part": "{n}", "period_kind": "quarter", **HEADS}]
    }  # fmt: skip
    assert (
        "'5' in the header 'Q5' is no number of a quarter" in kit.read([["Place", "Q5"], ["Ash", "1"]], layout).problem
    )


def test_months_that_lost_their_zero_in_a_workbook_are_refused() -> None:
    rows = [["Place", "Month", "Heads"], ["Ash", 2018.1, 1], ["Ash", 2018.11, 2], ["Ash", "2018.10", 3]]
    layout = {"format": {"kind": "xlsx"}, "period": {"from": "column", "column": "Month", "kind": "month"}}
    taken = kit.read(kit.country.xlsx_bytes(rows), layout, name="file.xlsx")
    assert spans(taken) == [("2018-11-01", "2018-11-30", 2), ("2018-10-01", "2018-10-31", 3)]
    assert kit.rules(taken) == ["unknown_period"]
