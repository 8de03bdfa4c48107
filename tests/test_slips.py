"""Slips of departments that read without a fault: another year's file, the same file again, a digit too many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import country
import intake_kit as kit
import polars as pl
import pytest
from holding_kit import BEDS, BUDGET, Office
from hypothesis import given
from hypothesis import strategies as st

from pipelines.intake import named_periods
from pipelines.intake.drift import Read
from pipelines.intake.jumps import findings as jumps_of
from pipelines.jurisdiction.contract import PeriodRule
from pipelines.records import Reading, Receipt
from pipelines.store import Warehouse

# -- a name that says another period -----------------------------------------------------------------------------------


def named(folder: str, *texts: str, unit: str | None = None, **rule: Any) -> list[str]:
    """What the texts name that is not the period of the folder."""
    levels = [SimpleNamespace(property="frequency", unit=unit)] if unit else []
    period = PeriodRule.model_validate({"from": "folder", "kind": "year", **rule})
    contract: Any = SimpleNamespace(slaProperties=levels)
    made = named_periods.folder_of(folder, contract, period)
    assert made is not None
    return [mention.text for mention in named_periods.others(texts, made)]


@pytest.mark.parametrize(
    ("folder", "text"),
    [
        ("2020", "residents_2019.csv"), ("2020", "2019年年末常住人口"), ("2020", "二〇一九年常住人口"),
        ("2020", "二零一九年"), ("2020", "2 0 1 9 年"), ("2020", "２０１９年"), ("2020", "Population, mid-2019"),
        ("2020", "residents (2019).csv"), ("2020", "2015-2019"), ("2020", "2015—2019年"), ("2020", "2015年至2019年"),
        ("2020", "2018-19"), ("2020", "2021-22 outturn"), ("2020", "2019年第三季度"), ("2020", "Q3 2019"),
        ("2020", "2019H1"), ("2020", "2019年上半年"), ("2020", "截至2019年12月31日"), ("2020", "31 December 2019"),
        ("2020", "December 2019"), ("2020", "FY2019"), ("2020", "浙统〔2020〕3号 2019年"), ("2020-11", "2020年10月"),
        ("2020-11", "October 2020"), ("2020-11", "202010"), ("2020-11", "2019"), ("2020-Q4", "2020年第三季度"),
        ("2020-Q4", "2020年一季度"), ("2020-11-30", "20201129"), ("2019-20", "2018-19"), ("2019-20", "2018"),
        ("2015-2020", "2021"), ("2015-2020", "2010-2014"),
    ],
)  # fmt: skip
def test_a_text_that_names_other_periods_only_is_found(folder: str, text: str) -> None:
    assert named(folder, text)


@pytest.mark.parametrize(
    ("folder", "text"),
    [
        ("2020", "residents.csv"), ("2020", "residents_2020.csv"), ("2020", "示例_文化设施_2015-2020.csv"),
        ("2020", "2020年与2019年比较"), ("2020", "2019, 2020 and 2021"), ("2020", "2018/2020"), ("2020", "2019-20"),
        ("2020", "2020-21"), ("2020", "浙统〔2019〕3号"), ("2020", "[2019]3号"), ("2020", "（2019）第3号"),
        ("2020", "公告2019年第3号"), ("2020", "No. 12/2019"), ("2020", "export_20210315T101500.csv"),
        ("2020", "2021-03-15"), ("2020", "15 March 2021"), ("2020", "2021年3月15日印发"), ("2020", "2021年3月"),
        ("2020", "residents_202103.csv"), ("2020", "GB/T 2260-2007"), ("2020", "ISO 3166-1:2019"),
        ("2020", "地区生产总值（2015年价）"), ("2020", "2015年不变价"), ("2020", "以2015年为基期"),
        ("2020", "2015=100"),
        ("2020", "at 2015 prices"), ("2020", "prices of 2015"), ("2020", "2023 boundaries"),
        ("2020", "figures on the boundaries of 2023"), ("2020", "第2019版"), ("2020", "2019年修订"),
        ("2020", "2019人"), ("2020", "2,019 persons"), ("2020", "12019"), ("2020", "330 2019345"), ("2020", "3.2019"),
        ("2020", "2020年3季度"), ("2020-11", "2020"), ("2020-11", "2020年11月"), ("2020-11", "2020-Q4"),
        ("2020-11", "20201130"), ("2020-11-30", "2020-11-30"), ("2019-20", "2019-20"), ("2019-20", "2019/2020"),
        ("2019-20", "as at 31 March 2020"), ("2018-19", "2018-2019"), ("2015-2020", "2018"), ("FY2020", "FY2020"),
    ],
)  # fmt: skip
def test_a_text_that_names_the_period_or_none_is_not_found(folder: str, text: str) -> None:
    assert named(folder, text) == []


def test_years_that_begin_elsewhere_are_told_apart() -> None:
    april = {"starts": "04-01"}
    assert named("2019", "2018-19", **april) and not named("2019", "2019-20", **april)
    assert named("2018-19", "2019-20", **april) and not named("2018-19", "2018", **april)
    assert not named("2018", "as at 31 March 2019", **april) and named("2019", "as at 31 March 2019", **april)
    ends = {"starts": "04-01", "named_by": "end"}
    assert not named("2019", "2018-19", **ends) and named("2019", "2019-20", **ends)


def test_other_calendars_and_days_are_read_as_the_contract_says() -> None:
    assert named("2020", "民国108年", eras={"民国": 1911}) and not named("2019", "民国108年", eras={"民国": 1911})
    assert named("2020", "令和元年", eras={"令和": 2018}) and not named("2019", "令和元年", eras={"令和": 2018})
    assert named("2020", "พ.ศ. 2562", eras={"": -543}) and not named("2019", "พ.ศ. 2562", eras={"": -543})
    june = {"kind": "point", "month_day": "06-30"}
    assert named("2020", "30 June 2019", **june) and not named("2020", "30 June 2019")
    assert named("2010-11", "2009") and not named("2010-11", "2011") and named("2010-11", "2011", unit="m")


@given(st.integers(1950, 2050), st.integers(-30, 30).filter(bool), st.sampled_from(["{}", "{}年", "f_{}.csv", "in {}"]))
def test_a_year_alone_is_found_in_every_other_years_folder_and_in_its_own_never(year: int, off: int, form: str) -> None:
    assert named(str(year), form.format(year)) == []
    assert named(str(year), form.format(year + off)) == [str(year + off)]
    assert named(str(year), form.format(year + off), str(year)) == []


TITLED = [["Heads in 2019"], ["Place", "Heads"], ["Ash", "12"], ["Aspen", "34"]]


@pytest.mark.parametrize(
    ("rows", "name", "said"),
    [
        (TITLED, "file.csv", "the title names 2019"),
        (TITLED[1:], "file_2019.csv", "the file name names 2019"),
        ([["Heads", "of 2019"], *TITLED[1:]], "file.csv", "the title names 2019"),
        ([["Heads in 2019"], ["and in 2020"], *TITLED[1:]], "file.csv", ""),
        ([["Source: roll of 2019"], *TITLED[1:]], "file.csv", ""),
        ([["1) as in 2019"], *TITLED[1:]], "file.csv", ""),
        ([["x" * 121 + " 2019"], *TITLED[1:]], "file.csv", ""),
        ([["a", "b", "2019"], *TITLED[1:]], "file.csv", ""),
    ],
)
def test_file_name_and_titles_are_held_against_the_folder(rows: list[list[Any]], name: str, said: str) -> None:
    found = [f for f in kit.read(rows, name=name).findings if f["check"] == "named_period"]
    assert [f["severity"] for f in found] == ["block"] * bool(said)
    assert not said or (said in found[0]["observed"] and f"desk/file/2020/{name}" in found[0]["observed"])


@pytest.mark.parametrize(
    ("folder", "title"),
    [
        ("2020", "2020年1-9月"), ("2020", "1—9月累计"), ("2020", "2020年1月至9月"), ("2020", "2020年上半年"),
        ("2020", "上半年"), ("2020", "2020年前三季度"), ("2020", "前9个月"), ("2020", "2020年1-3季度"),
        ("2020", "2020 Q3"), ("2020", "Q1-Q3 2020"), ("2020", "January to September 2020"), ("2020", "Jan-Sep 2020"),
        ("2020", "first half of 2020"), ("2020", "first nine months"), ("2020", "2018-2020年平均"),
        ("2020", "average of 2018 to 2020"), ("2020-06", "2020年1-6月累计"), ("2020-06", "2020年上半年"),
        ("2020", "Heads at May 2019"),
    ],
)  # fmt: skip
def test_a_part_of_the_year_or_more_than_it_is_never_taken_for_the_year(folder: str, title: str) -> None:
    kind = "month" if "-" in folder else "year"
    rows = [[title, ""], ["Place", "Heads"], ["Ash", "12"]]
    found = kit.read(rows, {"period": {"from": "folder", "kind": kind}}, period=folder).findings
    assert [f["severity"] for f in found if f["check"] == "named_period"] == ["block"]


@pytest.mark.parametrize(
    ("title", "period"),
    [
        ("2020年1-12月", {}), ("2020年9月末", {}), ("2019-20 school year", {}), ("2020年第4号 1-2号楼", {}),
        ("2018-2020", {"from": "column", "column": "Year"}), ("2020年上半年", {"from": "column", "column": "Year"}),
    ],
)  # fmt: skip
def test_the_whole_year_and_series_with_years_of_their_own_are_no_parts(title: str, period: dict[str, str]) -> None:
    rows = [[title, "", ""], ["Place", "Year", "Heads"], ["Ash", "2020", "12"]]
    found = kit.read(rows, {"period": {"from": "folder", "kind": "year", **period}}).findings
    assert not [f for f in found if f["check"] == "named_period"]


def test_a_header_and_a_year_above_it_are_held_against_the_folder() -> None:
    def found(rows: list[list[Any]], column: str = "Heads") -> list[str]:
        layout = {"values": [{"column": column, "measure": "heads", "unit": "persons"}]}
        return [f["observed"] for f in kit.read(rows, layout).findings if f["check"] == "named_period"]

    assert found([["Place", "Heads 2019"], ["Ash", "1"]], "Heads 2019")[0].startswith("the header names 2019")
    assert not found([["Place", "Heads 2020"], ["Ash", "1"]], "Heads 2020")
    assert found([["Place", "1-9月累计"], ["Ash", "1"]], "1-9月累计")
    years = [["", "2019", "2020"], ["Place", "Heads", "Other"], ["Ash", "1", "2"]]
    assert found(years)[0].startswith("the header names 2019")
    assert not found([["", "2020", "2019"], *years[1:]])


def test_a_sheet_called_after_another_year_is_found_and_of_several_sheets_one_must_be_the_folders() -> None:
    layout = {"format": {"kind": "xlsx", "sheet": {"pattern": "^20", "all": True}}, "header": {"find": ["Place"]}}
    period = {
        "period": {"from": "capture", "kind": "year"},
        "captures": [{"from": "sheet", "pattern": "(?P<period>.+)"}],
    }
    one = country.xlsx_bytes([["Place", "Heads"], ["Ash", 12]], "2019")
    found = kit.read(one, {**layout, **period}, name="f.xlsx", files="*.xlsx").findings
    assert "the sheet names 2019" in found[0]["observed"]
    assert not kit.read(one, {**layout, **period}, name="f.xlsx", files="*.xlsx", period="2019").findings


def test_how_grave_a_wrong_name_is_stands_in_the_contract(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path, quality={"named_period": "warn"})
    desk.land(TITLED, "2020")
    assert [(kind, severity) for kind, severity, _ in desk.findings()] == [("named_period", "warn")]
    assert desk.taken.decision.choice.held == ()
    desk.agree(quality={"named_period": "ignore"})
    assert desk.findings() == []
    desk.agree()
    desk.take_in()
    assert len(desk.taken.decision.choice.held) == 1


# -- the same file again -----------------------------------------------------------------------------------------------

MANY = [
    ["Ash", "1200"],
    ["Aspen", "3400"],
    ["Beech", "5100"],
    ["Ærø", "905"],
    ["Birch Shire", "6005"],
    ["Alder Shire", "4677"],
]


def of(rows: list[list[str]], more: int = 0) -> list[list[Any]]:
    return [["Place", "Heads"], *[[place, str(int(n) + more)] for place, n in rows]]


def repeated(desk: kit.Desk) -> list[str]:
    return [text for kind, _, text in desk.findings() if kind == "repeated_delivery"]


def test_the_same_bytes_under_another_period_are_held_with_both_paths_however_few_they_are(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(of(MANY[:1]), "2019", "a.csv")
    desk.land(of(MANY[:1]), "2020", "b.csv")
    assert repeated(desk) == ["desk/file/2020/b.csv holds the same bytes as desk/file/2019/a.csv"]
    assert [each.landing_path for each in desk.taken.decision.choice.held] == ["desk/file/2020/b.csv"]
    desk.agree(quality={"repeated_delivery": "warn"})
    assert [severity for _, severity, _ in desk.findings("repeated_delivery")] == ["warn"]
    desk.agree(quality={"repeated_delivery": "ignore"})
    assert desk.findings() == []


def test_a_file_put_into_the_right_folder_after_the_wrong_one_was_taken_back_counts(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    wrong = desk.land(of(MANY), "2021")
    desk.take_in()
    wrong.with_name("file.csv.withdrawn").write_text("wrong folder")
    desk.land(of(MANY), "2020")
    assert repeated(desk) == [] and desk.taken.decision.choice.held == ()


def test_the_same_figures_in_other_bytes_are_held_too(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path, {"numbers": {"thousands": ","}})
    desk.land(of(MANY), "2018")
    desk.land([["Place", "Heads"], *[[p, f"{int(n):,}"] for p, n in reversed(MANY)]], "2019")
    assert repeated(desk) == ["desk/file/2019/file.csv holds the same 6 figures as desk/file/2018/file.csv"]
    desk.land(of(MANY, 1), "2019")
    assert repeated(desk) == []
    desk.land(of([*MANY[:5], ["Alder Shire", "4678"]]), "2020")
    assert repeated(desk) == [], "one number differs"


def test_numbers_so_few_or_so_small_that_chance_makes_them_the_same_are_not_held(tmp_path: Path) -> None:
    few = MANY[:4]
    small = [[place, str(n)] for n, (place, _) in enumerate(MANY, start=1)]
    for case, rows in enumerate((few, small, [[p, "100"] for p, _ in MANY])):
        desk = kit.Desk(tmp_path / str(case))
        desk.land(of(rows), "2018")
        desk.land([*of(rows), []], "2019")
        assert repeated(desk) == []


def test_last_years_table_with_its_years_written_anew_is_held(tmp_path: Path) -> None:
    layout = {"period": {"from": "header", "kind": "year"},
              "values": [{"columns": r"^(?P<period>\d{4})$", "measure": "visits", "unit": "persons"}]}  # fmt: skip
    desk = kit.Desk(tmp_path, layout)
    rows = [[p, n, str(int(n) + 7)] for p, n in MANY[:4]]
    desk.land([["Place", "2017", "2018"], *rows], "2018")
    desk.land([["Place", "2018", "2019"], *rows], "2019")
    assert "the same 8 figures" in repeated(desk)[0]


def test_the_same_bytes_in_two_extracts_of_a_department_are_held_where_their_periods_are_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    office = Office(tmp_path, monkeypatch, capfd)
    data = office.country.landing_path(BUDGET, "2020").read_bytes()
    twin = {**country.CONTRACTS[BUDGET], "id": "treasury/forecast", "rank": 90}
    monkeypatch.setitem(country.CONTRACTS, "treasury/forecast", twin)
    office.country.write_contract("treasury/forecast")
    same_year = office.country.land("treasury/forecast", "2020-Q4", data=data, name="budget.csv")
    office.look()
    assert office.held == [], "one workbook may well hold both"
    same_year.with_name("budget.csv.withdrawn").write_text("no")
    office.country.land("treasury/forecast", "2021", data=data, name="budget.csv")
    office.look()
    assert office.held == ["treasury/forecast/2021/budget.csv"]
    (held,) = office.now.decision.choice.held
    assert "holds the same bytes as treasury/budget/2020/budget.csv" in held.lines[1]
    office.look()
    assert office.held == ["treasury/forecast/2021/budget.csv"], "the second look finds the same"
    office.country.land(BUDGET, "2020", cells={(1, 1): "190.5"})
    office.look()
    assert office.held == [], "the file that it repeated is no longer in force"


# -- a digit too many --------------------------------------------------------------------------------------------------

YEARS = ["2016", "2017", "2018", "2019", "2020"]
WIDE = {
    "period": {"from": "header", "kind": "year"},
    "values": [{"columns": r"^(?P<period>\d{4})$", "measure": "visits", "unit": "persons"}],
}
STEADY = {"Ash": [1200, 1230, 1190, 1260, 1280], "Aspen": [3400, 3380, 3500, 3450, 3600],
          "Beech": [5100, 5230, 5170, 5300, 5410], "Alder Shire": [4600, 4610, 4690, 4710, 4880]}  # fmt: skip


def wide(**changed: dict[int, float]) -> list[list[Any]]:
    """Five years of four places, some cells multiplied: {place: {year from 0: factor}}."""
    rows = [
        [p, *[f"{n * changed.get(p.split()[0], {}).get(y, 1):g}" for y, n in enumerate(v)]] for p, v in STEADY.items()
    ]
    return [["Place", *YEARS], *rows]


def jumps(desk: kit.Desk) -> list[str]:
    return [text for kind, _, text in desk.findings() if kind == "value_jump"]


@pytest.mark.parametrize("year", range(5))
@pytest.mark.parametrize("factor", [10, 100, 1_000, 10_000, 0.1])
def test_one_cell_of_one_place_out_of_line_is_found_wherever_it_stands(
    tmp_path: Path, year: int, factor: float
) -> None:
    desk = kit.Desk(tmp_path, WIDE)
    desk.land(wide(Aspen={year: factor}))
    (found,) = jumps(desk)
    assert found.startswith(f"row 3, column {'BCDEF'[year]} {YEARS[year]}: VA2 Aspen {YEARS[year]} visits ")
    times = f"about {factor:,.0f} times" if factor > 1 else "about 1/10 of"
    assert found.endswith(f"{STEADY['Aspen'][year] * factor:.0f} is {times} its neighbours in time")
    assert desk.taken.decision.choice.held == (), "it warns"


def test_what_all_places_did_is_no_single_value(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path, WIDE)
    desk.land(wide(Ash={2: 10}, Aspen={2: 10}, Beech={2: 10}, Alder={2: 10}))
    assert jumps(desk) == []
    desk.land(wide(Ash={2: 10}, Aspen={2: 10}, Beech={2: 100}, Alder={2: 10}))
    (found,) = jumps(desk)
    assert "VB1 Beech 2018 visits 517000 is about 10 times" in found


@pytest.mark.parametrize("factor", [2, 3, 6, 0.5, 0.2, 30, 50])
def test_a_change_that_is_no_slip_of_a_digit_is_not_found(tmp_path: Path, factor: float) -> None:
    desk = kit.Desk(tmp_path, WIDE)
    desk.land(wide(Beech={3: factor}))
    assert jumps(desk) == []


def test_small_numbers_may_become_tenfold(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path, WIDE)
    small = [
        ["Ash", "3", "4", "30", "3", "2"],
        ["Aspen", "12", "11", "14", "120", "13"],
        ["Beech", "9", "8", "9", "8", "9"],
    ]
    desk.land([["Place", *YEARS], *small])
    assert jumps(desk) == []


def test_a_place_that_grows_by_the_same_every_year_is_in_line_with_itself_and_a_missing_year_is_none(
    tmp_path: Path,
) -> None:
    desk = kit.Desk(tmp_path, {**WIDE, "tokens": {"": "missing"}})
    rows = wide()
    rows[1] = ["Ash", "100", "300", "900", "2700", "8100"]
    rows[2] = ["Aspen", "3400", "", "", "3450", "3600"]
    desk.land(rows)
    assert jumps(desk) == []


def series_of(tmp_path: Path, *years: str, **places: Sequence[float | str]) -> list[str]:
    """The jumps of one file with these years and places."""
    net = {"measure": "budget_outturn", "unit": "million crowns"}
    values = [{"columns": r"^(?P<period>\d{4}(-\d\d)?)$", **net}]
    period = {"from": "header", "kind": "year", **({"starts": "04-01"} if "-" in years[0] else {})}
    desk = kit.Desk(tmp_path, {"period": period, "values": values, "tokens": {"": "missing"}})
    desk.land([["Place", *years], *[[place.replace("_", " "), *map(str, row)] for place, row in places.items()]])
    return jumps(desk)


FLAT: dict[str, list[float | str]] = {"Ash": [120, 124, 119], "Beech": [510, 523, 517], "Alder_Shire": [460, 461, 469]}


@pytest.mark.parametrize("factor", [10, 100, 10_000])
def test_three_years_far_apart_tell_no_slip_and_three_in_a_row_do(tmp_path: Path, factor: int) -> None:
    values: dict[str, list[float | str]] = {**FLAT, "Aspen": [340, 338 * factor, 350]}
    assert series_of(tmp_path / "far", "2018-19", "2021-22", "2023-24", **values) == []
    (found,) = series_of(tmp_path / "near", "2018-19", "2019-20", "2020-21", **values)
    assert f"VA2 Aspen 2019-20 budget_outturn {338 * factor}000000 is about {factor:,} times" in found
    (found,) = series_of(tmp_path / "calendar", "2018", "2019", "2020", **values)
    assert "VA2 Aspen 2019 budget_outturn" in found


@pytest.mark.parametrize("at", range(5))
def test_years_far_apart_tell_a_slip_when_there_are_five_of_them(tmp_path: Path, at: int) -> None:
    values = {name: [*row, row[1], row[2]] for name, row in FLAT.items()}
    aspen: list[float | str] = [340, 338, 350, 345, 349]
    aspen[at] = float(aspen[at]) * 1000
    assert len(series_of(tmp_path, "2000", "2005", "2010", "2015", "2020", **values, Aspen=aspen)) == 1


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("factor", [10, 1000, 10_000])
def test_a_slip_of_a_negative_amount_is_found_like_any_other(tmp_path: Path, factor: int, at: int) -> None:
    values = {name: [*row, row[1], row[2]] for name, row in FLAT.items()}
    aspen: list[float | str] = [-340, -338, -350, -345, -349]
    aspen[at] = int(aspen[at]) * factor
    (found,) = series_of(tmp_path, *YEARS, **values, Aspen=aspen)
    assert f"VA2 Aspen {YEARS[at]} budget_outturn -" in found and f"about {factor:,} times" in found


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("factor", [10, 100, 10_000, 0.1])
def test_a_slip_is_found_also_where_everybody_grows_tenfold(tmp_path: Path, factor: float, at: int) -> None:
    grown = {name: [round(start * 1.78**n, 1) for n in range(5)] for name, start in (("Ash", 120), ("Beech", 510))}
    aspen = [round(340 * 1.75**n * (factor if n == at else 1), 2) for n in range(5)]
    (found,) = series_of(tmp_path, *YEARS, **grown, Alder_Shire=[460, 821, 1440, 2590, 4600], Aspen=aspen)
    assert f"VA2 Aspen {YEARS[at]} budget_outturn" in found


def test_one_amount_below_zero_among_others_hides_no_slip(tmp_path: Path) -> None:
    values = {name: [*row, row[1], row[2]] for name, row in FLAT.items()}
    (found,) = series_of(tmp_path, *YEARS, **values, Aspen=[340, 338, -2.15, 345_000, 349])
    assert "VA2 Aspen 2019 budget_outturn 345000000000 is about 1,000 times" in found


@pytest.mark.parametrize(
    "net",
    [
        [340, -338, 3510, -341, 349],  # about zero: proportions mean nothing
        [-21.5, 215.2, -2151, 21.4, 210.7],
        [0, 0, 34.15, 0, 341.7],
        [341.5, 34.22, 3412, 33.9, 338.1],  # net of charges: it swings tenfold year by year
        ["", 340.5, "", 34.05, ""],
    ],
)
def test_amounts_about_zero_and_amounts_that_swing_are_no_slips(tmp_path: Path, net: list[float | str]) -> None:
    values = {name: [*row, row[1], row[2]] for name, row in FLAT.items()}
    assert series_of(tmp_path, *YEARS, **values, Aspen=net) == []


def test_a_slip_is_found_across_deliveries_as_soon_as_it_comes_and_is_gone_when_it_is_mended(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    for n, year in enumerate(YEARS):
        rows = [["Place", "Heads"], *[[p, str(v[n] * (10 if (p, n) == ("Ash", 3) else 1))] for p, v in STEADY.items()]]
        desk.land(rows, year)
        desk.take_in()
        assert len(jumps(desk)) == (n >= 3), year
    assert "VA1 Ash 2019 visits 12600 is about 10 times" in jumps(desk)[0]
    assert desk.session.findings(desk.taken).filter(kind="value_jump")["delivery_period"].to_list() == ["2019"]
    desk.land([["Place", "Heads"], *[[p, str(v[3])] for p, v in STEADY.items()]], "2019")
    assert jumps(desk) == []


def test_a_slip_blocks_or_is_passed_over_where_the_contract_says_so(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path, WIDE, quality={"drift": {"value_jump": "block"}})
    desk.land(wide(Aspen={4: 10}))
    desk.take_in()
    (held,) = desk.taken.decision.choice.held
    assert held.lines[1].startswith("  value jump: row 3, column F 2020: VA2 Aspen 2020 visits 36000")
    desk.agree(WIDE, quality={"drift": {"value_jump": "ignore"}})
    assert desk.findings() == []


def test_many_cells_of_one_column_are_told_as_one(tmp_path: Path) -> None:
    """Six of twenty places that were sent in another unit: one line, with how many they are."""
    cells = [(f"R{n:02}", year, 1000 + n + year) for n in range(20) for year in range(2016, 2021)]
    frame = pl.DataFrame(
        {
            **dict.fromkeys(("population_basis", "residence", "sex", "age_group", "group", "item"), "all"),
            "measure": "visits", "value_reported": None, "source_file": "f.csv", "source_sheet": "",
            "source_column": "C", "receipt_id": "r1",
            "region_code": [code for code, _, _ in cells], "region_name_reported": [code for code, _, _ in cells],
            "period_start": [date(year, 1, 1) for _, year, _ in cells],
            "period_end": [date(year, 12, 31) for _, year, _ in cells],
            "value": [Decimal(v * (100 if c < "R06" and y == 2020 else 1)) for c, y, v in cells],
            "source_row": range(2, 102),
        },
        schema_overrides={"value": pl.Decimal(28, 9)},
    )  # fmt: skip
    (tmp_path / "readings").mkdir()
    frame.write_parquet(tmp_path / "readings" / "accepted.parquet")
    receipt = Receipt("r1", "d", "e", "2020", "f.csv", "d/e/2020/f.csv", "0", 1, "2024-05-06T09:08:09+02:00", 1)
    reading = Reading("g1", "r1", "d", "e", "2020", "c", "r", "v", "read", "", "2024-05-06T07:08:10Z", "readings")
    ((at, found),) = jumps_of([Read(receipt, reading)], "warn", Warehouse(tmp_path))
    assert at == "r1" and found["observed"].count("about 100 times") == 3
    assert found["observed"].endswith("and 3 more cells of this column")


def test_a_new_slip_is_alerted_once_with_its_place_and_without_the_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    office = Office(tmp_path, monkeypatch, capfd)
    assert office("run").code == 0
    assert office.alerts("value_jump") == []
    office.country.land(BEDS, "2020", cells={(4, 1): 2740, (4, 3): 2830})
    assert office("run").code == 0
    (alert,) = office.alerts("value_jump")
    assert (alert["subject"], alert["owner"]) == (BEDS, "health desk")
    assert "row 5, column B Beds/Public" in alert["message"] and "VB1 Beech" in alert["message"]
    assert "2740" not in str(alert)
    office("run")
    assert len(office.alerts("value_jump")) == 1
