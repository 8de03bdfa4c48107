"""What a year is made of: parts that cover it, its name, the people it is divided by, and what is no part of what."""

from __future__ import annotations

import datetime
import itertools
from decimal import Decimal
from typing import Any

import duckdb
import fenland
import formulas
import pytest
from houses import House
from hypothesis import given
from hypothesis import strategies as st

from pipelines.trace import trace

# -- the sum of parts -------------------------------------------------------------------------------------------------

MONTHS = range(12)
A_DAY = datetime.timedelta(days=1)


def first_day(month: int, starts: int = 4) -> datetime.date:
    """The first day of the nth month (0: the first) of the financial year 2018."""
    return datetime.date(2018 + (starts + month - 1) // 12, (starts + month - 1) % 12 + 1, 1)


Part = tuple[int, int, int | None]  # first month, how many months, its value


def year_of(parts: list[Part], starts: int = 4, scaled: str = "missing") -> tuple[Any, ...]:
    """What the model makes of a year reported in these parts: is_complete, value, scaled_value."""
    connection = duckdb.connect()
    connection.execute(
        "create table int_observation__number_series (series_number integer, whole_year_number integer, "
        "is_part boolean, period_start date, period_end date, year_start date, year_end date, partial_year varchar)"
    )
    connection.execute(
        "create table int_observation__sum_regions (series_number integer, region_code varchar, value decimal(38, 9), "
        "obs_status varchar, provenance varchar, extract_rank integer)"
    )
    year = (first_day(0, starts), first_day(12, starts) - A_DAY)
    for number, (start, months, value) in enumerate(parts, start=1):
        period = (first_day(start, starts), first_day(start + months, starts) - A_DAY)
        connection.execute(
            "insert into int_observation__number_series values (?, 0, true, ?, ?, ?, ?, ?)",
            [number, *period, *year, scaled],
        )
        status = "O" if value is None else "A"
        connection.execute(
            "insert into int_observation__sum_regions values (?, 'R', ?, ?, 'official', 10)", [number, value, status]
        )
    sql = formulas.model_sql("int_observation__sum_years")
    return connection.execute(f"select is_complete, value, scaled_value from ({sql})").fetchone() or ()


values = st.integers(-1000, 1000)


@st.composite
def tilings(draw: st.DrawFn) -> list[Part]:
    """Parts of a year, one after the other, in any order."""
    cuts = draw(st.sets(st.integers(1, 11)))
    edges = [0, *sorted(cuts), 12]
    parts = [(start, end - start, draw(values)) for start, end in itertools.pairwise(edges)]
    # the whole year in one piece is no part of it
    return draw(st.permutations(parts)) if len(parts) > 1 else [(0, 6, 1), (6, 6, 2)]


@given(tilings(), st.integers(1, 12))
def test_parts_that_cover_a_year_make_it_whatever_months_it_begins_in(parts: list[Part], starts: int) -> None:
    assert year_of(parts, starts) == (True, Decimal(sum(value or 0 for _, _, value in parts)), None)


@given(tilings(), st.data())
def test_a_year_that_lacks_a_part_has_no_value(parts: list[Part], data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(parts))
    rest = [part for part in parts if part != gone]
    assert year_of(rest)[:2] == (False, None)
    empty = [(start, months, None if (start, months, value) == gone else value) for start, months, value in parts]
    assert year_of(empty)[:2] == (False, None)
    assert year_of(empty, scaled="by_months")[2] is None  # a part that is there without a value is not scaled away


@given(tilings(), st.data())
def test_parts_that_overlap_make_no_year_and_a_part_of_a_part_counts_once(
    parts: list[Part], data: st.DataObject
) -> None:
    start, months = data.draw(st.sampled_from([(s, m) for s in MONTHS for m in range(1, 12) if s + m <= 12]))
    more = (start, months, 7)
    spans = [(begins, length) for begins, length, _ in parts]
    if (start, months) in spans:
        return  # one period has one figure
    inside = any(b <= start and start + months <= b + n for b, n in spans)
    crosses = any(b < start < b + n < start + months or start < b < start + months < b + n for b, n in spans)
    whole = sum(value or 0 for _, _, value in parts)
    found = year_of([*parts, more])
    if inside:
        assert found[:2] == (True, Decimal(whole))
    elif crosses:
        assert found[:2] == (False, None)
    else:
        # it holds some of the parts: it counts in their place
        others = sum(value or 0 for b, n, value in parts if b < start or b + n > start + months)
        assert found[:2] == (True, Decimal(others + 7))


def test_an_incomplete_year_is_scaled_only_as_its_contract_says() -> None:
    nine = [(month, 1, 10) for month in range(9)]
    assert year_of(nine) == (False, None, None)
    assert year_of(nine, scaled="by_months") == (False, None, Decimal(120))
    days = (first_day(9) - first_day(0)).days
    found = year_of(nine, scaled="by_days")[2]
    assert found == pytest.approx(Decimal(90) * 365 / days, abs=Decimal("1e-8"))
    # a gap in the middle is scaled as one at the end is; parts that overlap are not
    assert year_of([part for part in nine if part[0] != 4], scaled="by_months")[2] == 120
    assert year_of([(0, 3, 30), (2, 3, 30)], scaled="by_months")[2] is None


# -- the whole way ----------------------------------------------------------------------------------------------------


def spending(house: House, region: str, year: int, domain: str = "all") -> tuple[Any, ...]:
    """Spending, people, their day, status and reason of one region."""
    found = house.query(
        "select spending, residents, population_date, obs_status, undefined_reason, per_resident "
        f"from mart_per_capita_spending where domain = '{domain}' and region_code = '{region}' and year = {year}"
    )
    assert len(found) == 1, found
    *rest, per_capita = found[0]
    if rest[0] is not None and rest[1] and rest[3] != "M":
        assert per_capita == pytest.approx(float(rest[0] / rest[1]), rel=1e-12)
    else:
        assert per_capita is None
    return tuple(rest)


def coverage(house: House, indicator: str) -> dict[str, tuple[Any, ...]]:
    """Value, status, reason and day of an indicator by region, in 2018-19."""
    found = house.query(
        "select region_code, value, obs_status, undefined_reason, reference_date from mart_service_coverage "
        f"where indicator_code = '{indicator}' and year = 2018"
    )
    return {region: tuple(rest) for region, *rest in found}


MID_2018, MID_2022 = datetime.date(2018, 6, 30), datetime.date(2022, 6, 30)


@pytest.mark.pipeline
def test_a_financial_year_is_called_by_its_name_in_every_table(fens: House) -> None:
    tables = fens.query(
        "select distinct t.table_name from information_schema.columns t where column_name = 'year' "
        "and table_name in (select table_name from information_schema.columns where column_name = 'period_name')"
    )
    with_year = fens.query(
        "select distinct table_name from information_schema.columns where column_name = 'year' "
        "and (table_name like 'mart_%' or table_name like 'fct_%')"
    )
    assert sorted(with_year) == sorted(row for row in tables if row[0].startswith(("mart_", "fct_")))
    names = fens.query(
        "select distinct year, period_name, period_start, period_end from mart_per_capita_spending order by 1"
    )
    assert names == [
        (2018, "2018-19", datetime.date(2018, 4, 1), datetime.date(2019, 3, 31)),
        (2023, "2023-24", datetime.date(2023, 4, 1), datetime.date(2024, 3, 31)),
    ]


@pytest.mark.pipeline
def test_a_financial_year_is_divided_by_the_people_dated_in_it(fens: House) -> None:
    assert spending(fens, "U", 2018) == (440, 400, MID_2018, "A", None)
    assert spending(fens, "E", 2018) == (2126, 1300, MID_2018, "A", None)
    # none is dated in 2023-24: the nearest, as an estimate
    assert spending(fens, "U", 2023) == (550, 1600, MID_2022, "E", None)
    # fractions of a person are what the office estimates
    assert spending(fens, "C", 2018) == (1020, Decimal("300.75"), MID_2018, "A", None)


@pytest.mark.pipeline
def test_what_is_spent_may_be_less_than_nothing(fens: House) -> None:
    assert spending(fens, "D1", 2018) == (-30, Decimal("100.5"), MID_2018, "A", None)
    share = fens.query(
        "select budget_share_pct from mart_per_capita_spending where region_code = 'C' and year = 2018 "
        "and domain = 'housing'"
    )
    assert share == [(pytest.approx(100 * 20 / 1020),)]


@pytest.mark.pipeline
def test_a_service_that_a_council_does_not_have_is_no_gap_in_its_county(fens: House) -> None:
    assert spending(fens, "D2", 2018, "education")[:1] == (None,)
    assert spending(fens, "D2", 2018, "education")[3:] == ("M", "cannot_exist")
    assert spending(fens, "C", 2018, "education") == (1000, Decimal("300.75"), MID_2018, "A", None)


@pytest.mark.pipeline
def test_nobody_is_nobody_to_divide_by(fens: House) -> None:
    assert spending(fens, "Z", 2018) == (6, 0, MID_2018, "M", "population_is_zero")


@pytest.mark.pipeline
def test_people_on_later_boundaries_are_those_of_the_same_land(fens: House) -> None:
    # only the code of Vale changed; Mere One and Mere Two are parts of what was counted
    assert spending(fens, "VO", 2018) == (330, 300, MID_2018, "A", None)
    for region in ("M1", "M2"):
        assert spending(fens, region, 2018)[1:] == (None, None, "O", "no_population")


@pytest.mark.pipeline
def test_what_is_of_everybody_is_counted_once_and_some_functions_are_not_everything(fens: House) -> None:
    found = fens.query(
        "select region_code, domain, spending, per_head is not null from mart_per_capita_spending_variants "
        "where variant = 'capital' order by region_code, domain"
    )
    people = {"E": 1300, "C": 300.75}
    # education is all the basic services there are; nothing says that it is all there is
    domains = ("basic", "education")
    assert found == [(region, d, amount, True) for region, amount in sorted(fenland.CAPITAL) for d in domains]
    for region, count in people.items():
        per_head = fens.value(
            "select per_head from mart_per_capita_spending_variants "
            f"where variant = 'capital' and domain = 'education' and region_code = '{region}'"
        )
        assert per_head == pytest.approx(dict(fenland.CAPITAL)[region] / count)
    assert (
        fens.value(
            "select count(*) from mart_per_capita_spending_variants "
            "where variant = 'capital' and budget_share_pct is not null"
        )
        == 0
    )


@pytest.mark.pipeline
def test_a_flow_is_the_sum_of_its_months_and_an_incomplete_year_says_so(fens: House) -> None:
    end = datetime.date(2019, 3, 31)
    visits = coverage(fens, "VISITS")
    assert visits["U"] == (30.0, "A", None, end)
    assert visits["VO"] == (None, "M", "partial_year", end)
    assert "E" not in visits or visits["E"][0] is None
    assert coverage(fens, "LOANS")["U"] == (pytest.approx(0.3), "E", None, end)


@pytest.mark.pipeline
def test_a_stock_of_quarters_is_the_last_of_the_year(fens: House) -> None:
    assert coverage(fens, "STAFF")["U"] == (25.0, "A", None, datetime.date(2019, 3, 31))


@pytest.mark.pipeline
def test_a_summed_year_is_led_back_to_the_cells_of_its_months(fens: House) -> None:
    folder = fens.warehouse.current.resolve()
    found = trace(folder, "mart_service_coverage", ["region_code=U", "year=2018", "indicator_code=VISITS"])
    assert found.outcome == "exact"
    cells = {cell["period_end"] for cell in found.cells if cell["measure"] == "visits"}
    assert len(cells) == len(fenland.MONTHS)


@pytest.mark.pipeline
def test_the_pages_call_the_year_by_its_name_and_the_people_by_their_source(fens: House) -> None:
    pages = fens.warehouse.current / "pages"
    region = (pages / "regions" / "U.html").read_text(encoding="utf-8")
    assert "2018-19" in region and "2023-24" in region and "mid-year residents" in region
    for page in pages.rglob("*.html"):
        assert "year-end residents" not in page.read_text(encoding="utf-8"), page
