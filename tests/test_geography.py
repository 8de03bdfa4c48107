"""Regions through time: what re-basing may never do, on generated countries, and what is refused before a build.

The models' own SQL is run on countries of a few townships that change hands between regions. Townships are never seen
by the models; as they are the truth behind every region, they say what any figure must be on any list.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import country
import duckdb
import pytest
from conftest import copy_of
from country import make_country
from formulas import singular_sql
from houses import House
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction import load

pytestmark = pytest.mark.pipeline

FIRST = "2010-01-01"
CHANGES = ("2012-06-01", "2014-06-01", "2016-06-01")
YEARS = (2011, 2013, 2015, 2017)
CODES = "ABCDE"


@dataclass(frozen=True)
class Land:
    """A country: people of each township, and the region that each belongs to in each era (at the end of YEARS)."""

    people: tuple[int, ...]
    eras: tuple[tuple[str, ...], ...]

    def land(self, era: int) -> dict[str, frozenset[int]]:
        """The townships of each region."""
        found: dict[str, set[int]] = defaultdict(set)
        for township, code in enumerate(self.eras[era]):
            found[code].add(township)
        return {code: frozenset(townships) for code, townships in found.items()}

    def count(self, townships: Iterable[int]) -> int:
        return sum(self.people[township] for township in townships)

    def follow(self, code: str, before: int, after: int) -> set[str]:
        """The regions that hold land of a region, or of what it was joined with on the way."""
        codes = {code}
        step = 1 if after > before else -1
        for era in range(before, after, step):
            here, there = self.land(era), self.land(era + step)
            codes = {other for other in there if any(here[known] & there[other] for known in codes)}
        return codes

    def regions(self) -> list[tuple[Any, ...]]:
        """Rows of the list of regions: a region whose land changes ends, and begins anew."""
        rows: list[tuple[Any, ...]] = [("P", "P", "province", 0, "province", None, FIRST, None)]
        starts: dict[str, tuple[str, frozenset[int]]] = {}
        for era, day in enumerate((FIRST, *CHANGES)):
            now = self.land(era)
            for code in CODES:
                if code in starts and starts[code][1] != now.get(code):
                    rows.append((code, code, "county", 1, "county", "P", starts.pop(code)[0], day))
                if code in now and code not in starts:
                    starts[code] = (day, now[code])
        return rows + [(code, code, "county", 1, "county", "P", day, None) for code, (day, _) in starts.items()]

    def changes(self) -> list[tuple[Any, ...]]:
        """Rows of the changes, with shares to nine places that make a whole both ways."""
        rows = []
        for era, day in enumerate(CHANGES):
            before, after = self.land(era), self.land(era + 1)
            moved = [
                (old, new, self.count(before[old] & after[new]))
                for old in before
                for new in after
                if before[old] & after[new] and not (old == new and before[old] == after[new])
            ]
            forward = shares({(old, new): people for old, new, people in moved}, 0)
            back = shares({(old, new): people for old, new, people in moved}, 1)
            rows += [
                (old, new, day, forward[old, new], back[old, new], False, kind)
                for old, new, _ in moved
                for kind in ("recode" if before[old] == after[new] else "transfer",)
            ]
        return rows


def shares(people: dict[tuple[str, str], int], side: int) -> dict[tuple[str, str], Decimal]:
    """Parts of the whole on one side, to nine places; the last part takes what rounding leaves."""
    wholes: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for pair in people:
        wholes[pair[side]].append(pair)
    found = {}
    for pairs in wholes.values():
        whole, left = sum(people[pair] for pair in pairs), Decimal(1)
        for pair in pairs[:-1]:
            found[pair] = round(Decimal(people[pair]) / Decimal(whole), 9)
            left -= found[pair]
        found[pairs[-1]] = left
    return found


@st.composite
def lands(draw: st.DrawFn) -> Land:
    """Countries of four to seven townships in at most five regions, some of whose codes are used again."""
    people = draw(st.lists(st.integers(1, 60), min_size=4, max_size=7))
    era = st.tuples(*(st.sampled_from(CODES) for _ in people))
    return Land(tuple(people), tuple(draw(era) for _ in YEARS))


REGION_COLUMNS = (
    "region_code TEXT, region_name TEXT, region_name_en TEXT, region_level TEXT, region_depth INTEGER, "
    "government_level TEXT, parent_code TEXT, valid_from DATE, valid_to DATE, is_territory BOOLEAN"
)
# The models of regions, in the order in which they are made of each other.
REGIONS = (
    "int_region__land_changes", "int_region__identity", "int_region__date", "int_region__tree",
    "int_region__succession",
    "int_region__crosswalk",
)  # fmt: skip


class Models:
    """Intermediate models run one by one on rows made for them, by the SQL that dbt compiled."""

    def __init__(self, compiled: Path) -> None:
        self.compiled = compiled
        self.connection = duckdb.connect()
        self.connection.execute("ATTACH ':memory:' AS build; CREATE SCHEMA build.staging; CREATE SCHEMA build.source")
        self.connection.execute("CREATE SCHEMA build.intermediate; CREATE SCHEMA build.terms; SET threads = 1")

    def lay(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """A table in place of a model."""
        schemas = {"stg": "staging", "int": "intermediate"}
        schema = schemas.get(table.split("_", 1)[0], "source")
        self.connection.execute(f"CREATE OR REPLACE TABLE build.{schema}.{table} ({columns})")
        rows = list(rows)
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            self.connection.executemany(f"INSERT INTO build.{schema}.{table} VALUES ({marks})", rows)

    def make(self, *models: str) -> None:
        """Run models, in this order."""
        for model in models:
            (path,) = self.compiled.rglob(f"{model}.sql")
            sql = path.read_text(encoding="utf-8")
            self.connection.execute(f"CREATE OR REPLACE TABLE build.{path.parent.name}.{model} AS ({sql}\n)")

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def geography(self, land: Land, unions: Iterable[tuple[str, str, str]] = ()) -> None:
        """The regions of a country, and the ways between them."""
        self.lay(
            "region",
            REGION_COLUMNS,
            [(code, *rest[:1], *rest, True) for code, *rest in land.regions()],
        )
        self.lay(
            "region_change",
            "from_code TEXT, to_code TEXT, effective_date DATE, population_share DECIMAL(12, 9), "
            "share_of_to DECIMAL(12, 9), is_estimated BOOLEAN, change_kind TEXT",
            land.changes(),
        )
        lists = [("reported", None), *((str(year), f"{year}-12-31") for year in YEARS)]
        columns = "reference_geography TEXT, as_of_date DATE, is_published BOOLEAN"
        self.lay("reference_geography", columns, [(*line, True) for line in lists])
        columns = "reference_geography TEXT, union_code TEXT, name_zh TEXT, name_en TEXT, member_code TEXT"
        self.lay("region_union", columns, [(year, code, code, code, member) for year, code, member in unions])
        self.lay(
            "int_observation__number_series",
            "series_number BIGINT, reported_series_number BIGINT, reference_geography TEXT, as_of_date DATE, "
            "measure TEXT, period_end DATE, list_date DATE, aggregation TEXT, both_sexes_number BIGINT, "
            "all_residences_number BIGINT",
            series(),
        )
        self.make(*REGIONS)


# Series of each year: number, measure, series of both sexes, series of all residences.
KINDS = {
    1: ("people", None, None),
    2: ("people", 1, None),
    3: ("people", 1, None),
    4: ("people", None, 1),
    5: ("people", None, 1),
    6: ("served", None, None),
    7: ("money", None, None),
}


def series() -> list[tuple[Any, ...]]:
    rows = []
    for place, name in enumerate(("reported", *map(str, YEARS))):
        for position, year in enumerate(YEARS):
            end = f"{year}-12-31"
            for kind, (measure, sexes, residences) in KINDS.items():
                base = position * 10
                rows.append(
                    (
                        place * 1000 + base + kind, base + kind, name, end if name == "reported" else f"{name}-12-31",
                        measure, end, end, "whole",
                        None if sexes is None else place * 1000 + base + sexes,
                        None if residences is None else place * 1000 + base + residences,
                    )
                )  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def models(verdania: House) -> Models:
    return Models(verdania.warehouse.dbt_target / "compiled" / "junheng" / "models")


def weights(models: Models) -> dict[tuple[int, int], dict[str, dict[str, Decimal]]]:
    """From the regions of the end of one year to the list of another: the weights of each region."""
    found: dict[tuple[int, int], dict[str, dict[str, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    rows = models.ask(
        "SELECT year(as_of_date), reference_geography, region_code, to_code, weight "
        "FROM build.intermediate.int_region__crosswalk WHERE is_known AND region_code <> 'P'"
    )
    for year, name, code, to_code, weight in rows:
        found[year, int(name)][code][to_code] = weight
    return found


@settings(max_examples=12)
@given(land=lands())
def test_every_way_between_two_lists_is_the_way_of_the_land(models: Models, land: Land) -> None:
    models.geography(land)
    found = weights(models)
    for before, first in enumerate(YEARS):
        for after, last in enumerate(YEARS):
            ways = found[first, last]
            assert set(ways) == set(land.land(before))
            for code, to in ways.items():
                # nobody is lost, and land under a code used again does not follow the code
                assert sum(to.values()) == 1
                assert set(to) == land.follow(code, before, after)
                if first == last:
                    assert to == {code: 1}
            for middle in range(min(before, after) + 1, max(before, after)):
                through = YEARS[middle]
                for code, to in ways.items():
                    by_way: dict[str, Decimal] = defaultdict(Decimal)
                    for stop, part in found[first, through][code].items():
                        for end, rest in found[through, last][stop].items():
                            by_way[end] += part * rest
                    for end in {*to, *by_way}:
                        assert abs(to.get(end, 0) - by_way[end]) < Decimal("1e-8"), (first, through, last, code)


@settings(max_examples=12)
@given(land=lands(), data=st.data())
def test_figures_on_another_list_add_up_and_keep_their_rate(models: Models, land: Land, data: st.DataObject) -> None:
    models.geography(land)
    figures = []
    for position, year in enumerate(YEARS):
        for code, townships in land.land(position).items():
            people = land.count(townships)
            men = data.draw(st.integers(0, people))
            town = data.draw(st.integers(0, people))
            values = (people, men, people - men, town, people - town, 3 * people, Decimal("2.37") * people)
            figures += [
                (code, position * 10 + kind, value, "A", "official", "reported", 10, f"{code}{year}{kind}")
                for kind, value in enumerate(values, start=1)
            ]
    models.lay(
        "int_observation__add_totals",
        "region_code TEXT, series_number BIGINT, value DECIMAL(28, 9), obs_status TEXT, provenance TEXT, "
        "derivation TEXT, extract_rank INTEGER, observation_id TEXT",
        figures,
    )
    models.lay("measure", "measure TEXT, unit TEXT", [("people", "p"), ("served", "p"), ("money", "coins")])
    models.lay("stg_spending_source", "measure TEXT", [("money",)])
    models.make("int_observation__rebase")
    rebased: dict[tuple[int, int, int], dict[str, Decimal]] = defaultdict(dict)
    for number, code, value in models.ask(
        "SELECT series_number, region_code, value FROM build.intermediate.int_observation__rebase"
    ):
        place, rest = divmod(number, 1000)
        rebased[place - 1, *divmod(rest, 10)][code] = value
    reported: dict[tuple[int, int], dict[str, Decimal]] = defaultdict(dict)
    for code, number, value, *_ in figures:
        reported[divmod(number, 10)][code] = Decimal(value)
    for (target, source, kind), values in rebased.items():
        now = land.land(target)
        assert set(values) == set(now)
        assert sum(values.values()) == sum(reported[source, kind].values())
        assert min(values.values()) >= 0
        if kind != 7:
            assert all(value == int(value) for value in values.values())
        if target == source:
            assert values == reported[source, kind]
    for (target, source, kind), values in rebased.items():
        if kind != 1:
            continue
        sources = len(land.land(source))
        for code, people in values.items():
            men, women, town, country_side, served, money = (rebased[target, source, k][code] for k in range(2, 8))
            assert men + women == people == town + country_side
            assert abs(people - land.count(land.land(target)[code])) <= 2 * sources
            assert abs(served - 3 * people) <= 5 * sources
            assert abs(money - Decimal("2.37") * people) <= 5 * sources


def test_a_union_takes_the_place_of_its_members_on_every_list_and_loses_nobody(models: Models) -> None:
    land = Land(
        (10, 20, 30, 40), (("A", "A", "B", "C"), ("A", "D", "B", "C"), ("A", "D", "B", "C"), ("D", "D", "B", "C"))
    )
    unions = [("2013", "U", "A"), ("2013", "U", "D")]
    models.geography(land, unions)
    found = weights(models)
    assert found[2011, 2013] == {"A": {"U": 1}, "B": {"B": 1}, "C": {"C": 1}}
    assert found[2013, 2013] == {"A": {"U": 1}, "D": {"U": 1}, "B": {"B": 1}, "C": {"C": 1}}
    assert found[2017, 2013] == {"D": {"U": 1}, "B": {"B": 1}, "C": {"C": 1}}
    assert found[2011, 2015]["A"] == {"A": Decimal("0.333333333"), "D": Decimal("0.666666667")}
    assert {code for (code,) in models.ask(
        "SELECT region_code FROM build.intermediate.int_region__date WHERE reference_geography = '2013'"
    )} == {"P", "U", "B", "C"}  # fmt: skip


def test_people_on_a_later_list_count_for_the_land_that_is_the_same_and_for_no_other(models: Models) -> None:
    """A county with two merged districts is the same land; so is the country. A part of another county's district went
    to a third county: of these two counties and districts nobody knows how many lived there before.
    """
    day = "2014-06-01"
    regions = [
        ("P", "province", 0, None, FIRST, None, True),
        *((county, "city", 1, "P", FIRST, None, True) for county in "CDE"),
        *((code, "county", 2, "C", FIRST, day, True) for code in "JK"),
        ("N", "county", 2, "C", day, None, True),
        ("L", "county", 2, "C", FIRST, None, True),
        ("M", "county", 2, "D", FIRST, None, True),
        *((code, "county", 2, parent, *dates, True) for code, parent in (("Q", "D"), ("T", "E"))
          for dates in ((FIRST, day), (day, None))),
        ("F", "county", 2, "C", FIRST, day, False),
        ("F", "county", 1, "P", day, None, False),
    ]  # fmt: skip
    models.lay(
        "region",
        REGION_COLUMNS,
        [(code, code, code, level, depth, level, *rest) for code, level, depth, *rest in regions],
    )
    quarter, most = Decimal("0.25"), Decimal("0.75")
    models.lay(
        "region_change",
        "from_code TEXT, to_code TEXT, effective_date DATE, population_share DECIMAL(12, 9), "
        "share_of_to DECIMAL(12, 9), is_estimated BOOLEAN, change_kind TEXT",
        [("J", "N", day, 1, most, False, "merge"), ("K", "N", day, 1, quarter, False, "merge"),
         ("Q", "Q", day, most, 1, False, "transfer"), ("Q", "T", day, quarter, quarter, False, "transfer"),
         ("T", "T", day, 1, most, False, "transfer")],
    )  # fmt: skip
    columns = "reference_geography TEXT, as_of_date DATE, is_published BOOLEAN"
    lists = [("reported", None, True), ("2015 as listed", "2015-12-31", False)]
    models.lay("reference_geography", columns, lists)
    models.lay(
        "region_union",
        "reference_geography TEXT, union_code TEXT, name_zh TEXT, name_en TEXT, member_code TEXT",
        [],
    )
    models.lay(
        "int_observation__number_series",
        "series_number BIGINT, reference_geography TEXT, as_of_date DATE, period_end DATE, list_date DATE, "
        "boundaries TEXT, aggregation TEXT",
        [(year, "reported", f"{year}-06-30", f"{year}-06-30", "2015-12-31", "2015 as listed", "whole")
         for year in (2011, 2015)],
    )  # fmt: skip
    models.make(*REGIONS)
    columns = (
        "region_code TEXT, series_number BIGINT, value DECIMAL(28, 9), obs_status TEXT, provenance TEXT, "
        "derivation TEXT, extract_rank INTEGER, observation_id TEXT"
    )
    people = {"N": 30, "L": 5, "M": 7, "Q": 3, "T": 4}
    models.lay(
        "int_observation__add_totals",
        columns,
        [(code, year, value, "A", "official", "reported", 10, code) for code, value in people.items()
         for year in (2011, 2015)],
    )  # fmt: skip
    models.lay("int_observation__rebase", columns, [])
    models.make("term_region_sum", "int_observation__sum_regions")
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for year, code, value in models.ask(
        "SELECT series_number, region_code, value FROM build.intermediate.int_observation__sum_regions"
    ):
        found[year][code] = int(value)
    assert found[2015] == {**people, "C": 35, "D": 10, "E": 4, "P": 49}
    assert found[2011] == {"L": 5, "M": 7, "C": 35, "P": 49}


# -- the checks of a release ----------------------------------------------------------------------------------------

CHECKED = """
    create table reference_geography as
        select 'reported' as reference_geography, null::date as as_of_date, true as is_published
        union all select '2020', date '2020-12-31', true;
    create table stg_observation as select 'K' as region_code, date '2015-12-31' as period_end, 7 as value;
    create table int_region__tree as
        select list as reference_geography, day as as_of_date, pairs.*
        from (values ('K', 'K', 0, true, 1), ('P', 'K', 1, true, 2), ('P', 'L', 1, true, 2))
            as pairs(ancestor_code, region_code, distance, is_leaf, ancestor_leaves)
        cross join (values ('reported', date '2015-12-31'), ('2020', date '2020-12-31')) as lists(list, day);
    create table int_region__date as
        select reference_geography, as_of_date, region_code, 'county' as government_level
        from int_region__tree where distance = 0;
    create table int_observation__number_series as
        select number as series_number, 1 as reported_series_number, list as reference_geography, 'people' as measure,
            date '2015-12-31' as period_end, date '2015-12-31' as list_date, 'whole' as aggregation,
            'resident' as population_basis, 'total' as residence, 'all' as sex, 'all' as age_group,
            'all' as group_code, 'all' as item
        from (values (1, 'reported'), (2, '2020')) as numbers(number, list);
"""


def crosswalk(weight: str, known: str = "true") -> str:
    return (
        "create table int_region__crosswalk as select date '2015-12-31' as as_of_date, '2020' as reference_geography, "
        f"code as region_code, code as to_code, 1 as sources, {known} as is_known, "
        f"if(code = 'P', 1, {weight}) as weight from (values ('P'), ('K'), ('L')) as codes(code)"
    )


def figures(rebased: int) -> str:
    return (
        "create table int_observation__roll_up as select series_number, list as reference_geography, "
        "day as as_of_date, region_code, value from (values "
        "(1, 'reported', date '2015-12-31', 'K', 7), (1, 'reported', date '2015-12-31', 'L', 5), "
        f"(2, '2020', date '2020-12-31', 'K', {rebased}), (2, '2020', date '2020-12-31', 'L', 9)) "
        "as figures(series_number, list, day, region_code, value)"
    )


def bases(served: str) -> str:
    return (
        "create table int_indicator__list_terms as select number as term_cell_number, 'I' as indicator_code,"
        " 2020 as year, part, basis as population_basis, 'reported' as reference_geography from (values "
        f"(1, 'numerator', '{served}'), (2, 'denominator', 'registered'), (3, 'denominator', 'none'))"
        " as terms(number, part, basis);"
        "create table int_indicator__match_terms as select term_cell_number, 1 as value from int_indicator__list_terms"
    )


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        ("successions_are_known", crosswalk("1"), crosswalk("0.999")),
        ("successions_are_known", crosswalk("1"), crosswalk("1", known="false")),
        ("rebased_totals_are_kept", crosswalk("1") + ";" + figures(3), crosswalk("1") + ";" + figures(4)),
        ("coverage_bases_agree", bases("registered"), bases("resident")),
        ("coverage_bases_agree", bases("none"), bases("target_group")),
    ],
)
def test_the_checks_hold_and_turn_red(check: str, good: str, bad: str) -> None:
    for rows, is_red in ((good, False), (bad, True)):
        with duckdb.connect() as connection:
            connection.execute(CHECKED)
            connection.execute(rows)
            failing = connection.execute(singular_sql(check)).fetchall()
            assert bool(failing) is is_red, failing


# -- what is refused before anything is built --------------------------------------------------------------------------


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def land_with(folder: Path, geographies: str, **tables: list[dict[str, str]]) -> Path:
    """The invented country with reference geographies, and other reference tables in place of its own."""
    land = make_country(folder / "verdania").folder
    with (land / "jurisdiction.yml").open("a", encoding="utf-8") as file:
        file.write(f"\nreference_geographies: {geographies}\n")
    for name, rows in tables.items():
        write(land / "reference" / f"{name}.csv", rows)
    return land


MERGER = country.REFERENCE["region_changes.csv"][0]
STAYS = {**MERGER, "from_code": "VA2", "share_of_to": "0.6"}
UNION = {"reference_geography": "2018", "name_zh": "合", "name_en": "Joined", "reason": "counted together"}


def test_a_list_that_the_shares_lead_to_is_taken(tmp_path: Path) -> None:
    load(land_with(tmp_path / "forward", "[2020]"))
    both = [{**MERGER, "share_of_to": "0.4"}, STAYS]
    load(land_with(tmp_path / "back", "[2018, 2020]", region_changes=both))
    joined = [{**UNION, "union_code": "VU", "member_code": code} for code in ("VA2", "VA3")]
    load(land_with(tmp_path / "union", "[2018]", region_unions=joined))


@pytest.mark.parametrize(
    ("geographies", "tables", "says", "where"),
    [
        ("[2018]", {}, "share_of_to of the change of VA2 on .* is missing", r"region_changes\.csv, line 2"),
        ("[1850]", {}, "lists no regions of V for the end of 1850", r"regions\.csv"),
        (
            "[2020]",
            {"region_changes": [{**MERGER, "from_code": "VB1", "to_code": "VB1"}]},
            "VA3 ends on .* and no change says what became of it",
            r"regions\.csv, line 7",
        ),
        (
            "[2018]",
            {"region_unions": [{**UNION, "union_code": "VU", "member_code": "VB"}]},
            "has regions below it",
            r"region_unions\.csv, line 2",
        ),
        (
            "[2018]",
            {"region_unions": [{**UNION, "union_code": "VU", "member_code": code} for code in ("VA2", "VB1")]},
            "do not lie in one region",
            r"region_unions\.csv, line 3",
        ),
        (
            "[2018]",
            {"region_unions": [{**UNION, "union_code": "VA1", "member_code": "VA2"}]},
            "is the code of a region",
            r"region_unions\.csv, line 2",
        ),
        (
            "[2020]",
            {"region_unions": [{**UNION, "reference_geography": "2020", "union_code": "VU", "member_code": "VA3"}]},
            "is not on the list of 2020",
            r"region_unions\.csv, line 2",
        ),
    ],
)
def test_a_list_that_figures_cannot_be_told_on_is_an_error_that_names_the_line(
    tmp_path: Path, geographies: str, tables: dict[str, list[dict[str, str]]], says: str, where: str
) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        load(land_with(tmp_path, geographies, **tables))
    assert re.search(where, str(caught.value.where)), caught.value.where


def test_a_change_of_its_lists_makes_another_build(
    verdania: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = copy_of(verdania, tmp_path)
    first = house.manifest()["build_id"]
    monkeypatch.setenv("JUNHENG_REFERENCE_GEOGRAPHIES", "2020")
    second = house.run()
    assert second.outcome == "published" and second.build_id != first
    known = house.query("SELECT DISTINCT reference_geography FROM fct_population ORDER BY 1")
    assert known == [("2020",), ("reported",)]
    # the parish that was merged away has its people where they live now, and the whole is the same
    merged = house.query(
        "SELECT reference_geography, sum(population) FROM fct_population WHERE region_depth = 2 AND year = 2018 "
        "AND residence = 'total' AND sex = 'all' AND age_group = 'all' AND population_source = 'year_end' "
        "AND population_basis = 'resident' GROUP BY 1 ORDER BY 1"
    )
    assert len(merged) == 2 and merged[0][1] == merged[1][1]
    assert (
        house.value("SELECT count(*) FROM fct_population WHERE region_code = 'VA3' AND reference_geography = '2020'")
        == 0
    )
    monkeypatch.setenv("JUNHENG_REFERENCE_GEOGRAPHIES", "MMXX")
    with pytest.raises(ConfigurationError, match="not a list of years"):
        house.run()
