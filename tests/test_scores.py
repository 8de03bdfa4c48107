"""Scores as released: the degree from published tables and by hand, and what an invented country does without.

What scores obey whatever the data is in test_score_properties.py; the formulas' edge cases are dbt unit tests.
"""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import country
import duckdb
import pytest
from formulas import MACROS
from houses import House

from pipelines.settings import DBT_FOLDER

pytestmark = pytest.mark.pipeline

Row = dict[str, Any]
EQUALISATION = (
    "(SELECT *, 'main' AS variant FROM mart_equalisation UNION ALL BY NAME SELECT * FROM mart_equalisation_variants)"
)


def rows(house: House, table: str, where: str) -> list[Row]:
    """Rows of a released table as dictionaries."""
    names = [name for (name,) in house.query(f"SELECT column_name FROM (DESCRIBE SELECT * FROM {table})")]
    return [dict(zip(names, row, strict=True)) for row in house.query(f"SELECT * FROM {table} WHERE {where}")]


def counties(house: House, year: int) -> dict[str, tuple[int, float]]:
    """Residents and degree of each lowest region of Zhejiang, by the note from released tables alone (set `equal`)."""
    people = dict(
        house.query(
            f"SELECT region_code, population FROM fct_population WHERE year = {year} "
            "AND population_source = 'year_end' AND population_basis = 'resident' AND residence = 'total' "
            "AND sex = 'all' AND age_group = 'all' AND reference_geography = 'reported' AND region_depth = 2"
        )
    )
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for region, domain, attainment in house.query(
        "SELECT region_code, p.domain, attainment "
        "FROM mart_target_progress p JOIN dim_indicator USING (indicator_code) "
        f"WHERE year = {year} AND role = 'scored' AND region_depth = 2 AND obs_status NOT LIKE '%M%'"
    ):
        scores[region][domain].append(attainment)
    return {
        region: (int(people[region]), sum(sum(a) / len(a) for a in domains.values()) / len(domains))
        for region, domains in scores.items()
    }


def degree(house: House, region: str, year: int, domain: str = "all", variant: str = "main") -> Any:
    return house.value(
        f"SELECT degree_pct FROM {EQUALISATION} WHERE region_code = '{region}' AND year = {year} "
        f"AND domain = '{domain}' AND variant = '{variant}'"
    )


@pytest.mark.parametrize("year", [2015, 2020])
def test_the_degree_of_every_county_follows_from_what_is_published(zhejiang: House, year: int) -> None:
    found = counties(zhejiang, year)
    assert len(found) == 91
    for region, (_, score) in found.items():
        assert degree(zhejiang, region, year) == pytest.approx(100 * score, rel=1e-9)


def test_contributions_of_the_province_are_those_of_its_counties_and_cities(zhejiang: House) -> None:
    """An indicator of the counties takes from the province what it takes from each of them, weighed with residents.

    Where a domain has indicators that only cities have, a county's weights are others than the province's: those
    domains are left out here.
    """
    where = "year = 2020"
    people = {region: p for region, (p, _) in counties(zhejiang, 2020).items()}
    only_above = {
        row["domain"]
        for row in rows(zhejiang, "dim_indicator", "role = 'scored' AND lowest_level <> 'county' AND is_computed")
    }
    parts: dict[tuple[str, str], float] = defaultdict(float)
    for row in rows(zhejiang, "mart_gap_contribution", f"{where} AND region_depth = 2 AND domain <> 'all'"):
        parts[row["domain"], row["indicator_code"]] += people[row["region_code"]] * row["contribution_points"]
    compared = 0
    for row in rows(zhejiang, "mart_gap_contribution", f"{where} AND region_code = '330000' AND domain <> 'all'"):
        if row["domain"] not in only_above:
            mean = parts[row["domain"], row["indicator_code"]] / sum(people.values())
            assert row["contribution_points"] == pytest.approx(mean, rel=1e-9, abs=1e-9)
            compared += 1
    assert compared > 30


def test_every_weight_set_and_method_stands_beside_the_main_one(zhejiang: House) -> None:
    methods = {
        (row["method"], row["weight_set"]): row["degree_pct"]
        for row in rows(zhejiang, EQUALISATION, "region_code = '330000' AND year = 2020 AND domain = 'all'")
        if row["boundaries"] in (None, "reported")
    }
    sets = {row["weight_set"] for row in rows(zhejiang, "dim_weight", "true")}
    assert sets == {"equal", "by_service", "expert"}
    assert {name for _, name in methods} == sets
    assert len({method for method, _ in methods}) == 5
    main = methods["mean", "equal"]
    assert methods["lowest_fifth", "equal"] < main
    assert methods["mean_less_dispersion", "equal"] < main
    assert methods["geometric_mean", "equal"] <= main
    assert 0 < main < 100


def test_the_index_counts_from_the_province_of_the_base_year(zhejiang: House) -> None:
    home = rows(
        zhejiang,
        "mart_composite_index",
        "region_code = '330000' AND domain = 'all'",
    )
    values = {row["year"]: row["index_value"] for row in home}
    assert values[2015] == 100
    assert sorted(values) == list(range(2015, 2021))
    assert all(values[year] > values[year - 1] for year in range(2016, 2021))
    assert {row["goalpost_set"] for row in home} == {"2015-2020"}


def test_nothing_that_is_made_of_the_sample_passes_for_official(zhejiang: House) -> None:
    for table in (
        "mart_equalisation", "mart_equalisation_dispersion", "mart_gap_contribution", "mart_composite_index",
        "mart_sensitivity",
    ):  # fmt: skip
        assert zhejiang.query(f"SELECT DISTINCT provenance FROM {table}") == [("synthetic",)], table


def test_ranks_of_all_regions_are_told_with_their_interval(zhejiang: House) -> None:
    found = rows(zhejiang, "mart_sensitivity", "year = 2020 AND region_depth = 2")
    assert len(found) == 91 * 6
    assert {row["peers"] for row in found} == {91}
    for row in found:
        assert 1 <= row["rank_low"] <= row["rank_published"] <= row["rank_high"] <= 91
        assert 0 <= row["share_meeting_target"] <= 1
    weights = [row for row in found if row["scenario_family"] == "weights"]
    assert {row["scenarios"] for row in weights} == {weights[0]["scenarios"]}
    assert weights[0]["scenarios"] > 100
    assert sum(row["rank_high"] - row["rank_low"] for row in weights) > 0


# -- an invented country --------------------------------------------------------------------------------------------


def test_a_degree_by_hand(verdania: House) -> None:
    def attainment(parish: str) -> float:
        return min(1.0, 1000 * sum(country.BEDS[2020][parish]) / country.population(2020, parish) / 5)

    parishes = country.BEDS[2020]
    for parish in parishes:
        assert degree(verdania, parish, 2020, "health") == pytest.approx(100 * attainment(parish), rel=1e-11)
    for region, parts in (("V", list(parishes)), ("VA", ["VA1", "VA2"]), ("VB", ["VB1", "VB2"])):
        people = {p: country.population(2020, p) for p in parts}
        mean = sum(people[p] * attainment(p) for p in parts) / sum(people.values())
        assert degree(verdania, region, 2020, "health") == pytest.approx(100 * mean, rel=1e-11)


def test_a_domain_without_figures_makes_the_whole_missing_and_the_bounds_say_how_far_it_may_be(verdania: House) -> None:
    (whole,) = rows(
        verdania,
        "mart_equalisation",
        "region_code = 'V' AND year = 2020 AND domain = 'all'",
    )
    assert (whole["degree_pct"], whole["undefined_reason"], whole["obs_status"]) == (None, "domain_missing", "O")
    assert (whole["degree_low_pct"], whole["degree_high_pct"]) == (0, 100)
    (parish,) = rows(
        verdania,
        "mart_equalisation_variants",
        "region_code = 'VB2' AND year = 2020 AND domain = 'all' AND variant = 'doctors_weights'",
    )
    health = degree(verdania, "VB2", 2020, "health", "doctors_weights")
    assert parish["degree_pct"] is None
    assert parish["degree_low_pct"] == pytest.approx(0.75 * health, rel=1e-9)
    assert parish["degree_high_pct"] == pytest.approx(0.75 * health + 25, rel=1e-9)


def test_a_third_party_stands_beside_with_its_source(verdania: House) -> None:
    (score,) = rows(verdania, "mart_equalisation_variants", "variant = 'auditor'")
    assert (score["degree_pct"], score["source"], score["provenance"]) == (88.5, "audit of 2021", "official")
    assert (score["weight_set"], score["target_edition"], score["region_name"]) == (None, None, "Verdania")
    ours = degree(verdania, "V", 2020, "health")
    assert score["difference_to_main_pct"] == pytest.approx(88.5 - ours, abs=1e-9)


def test_beds_are_no_people_and_pace_is_counted_from_the_base_year(verdania: House) -> None:
    (row,) = rows(verdania, "mart_target_progress", "region_code = 'VB2' AND year = 2020 AND indicator_code = 'BED'")
    value = {year: 1000 * sum(country.BEDS[year]["VB2"]) / country.population(year, "VB2") for year in (2019, 2020)}
    assert row["people_behind_target"] is None
    assert row["yearly_change"] == pytest.approx(value[2020] - value[2019], rel=1e-9)
    assert row["years_to_target"] == pytest.approx((5 - value[2020]) / (value[2020] - value[2019]), rel=1e-9)
    assert row["lead_department"] == "office"


def test_the_index_of_an_invented_country_has_its_own_base(verdania: House) -> None:
    found = {
        (row["region_code"], row["year"]): row["index_value"]
        for row in rows(verdania, "mart_composite_index", "domain = 'health'")
    }

    def level(region: str, year: int) -> float:
        parts = [p for p in country.BEDS[year] if p.startswith(region)]
        beds = {p: 1000 * sum(country.BEDS[year][p]) / country.population(year, p) for p in parts}
        people = {p: country.population(year, p) for p in parts}
        return sum(people[p] * min(1.0, beds[p] / 8) for p in parts) / sum(people.values())

    assert found["V", 2019] == 100
    for region in ("V", "VA", "VB2"):
        assert found[region, 2020] == pytest.approx(100 * level(region, 2020) / level("V", 2019), rel=1e-9)


# -- the checks of dbt ----------------------------------------------------------------------------------------------

# check -> what is done to a build
RED = {
    "contributions_add_up": "update figures.figure_contribution set contribution_points = contribution_points + 1e-12",
    "degrees_add_up_from_lowest_regions": "update intermediate.int_score__score_leaves set people = people + 1",
    "goalposts_are_usable": "delete from source.goalpost",
    "third_party_scores_are_told_apart": "update source.third_party_score set method_id = 'geometric_mean'",
    "weights_add_up": "update dim_weight set weight_share = 0.9",
}


@pytest.mark.parametrize("name", sorted(RED))
def test_a_check_of_scores_can_turn_red(verdania: House, tmp_path: Path, name: str) -> None:
    folder = verdania.warehouse.build_folder(verdania.manifest()["build_id"])
    database = tmp_path / "build.duckdb"
    shutil.copyfile(folder / "build.duckdb", database)
    nodes = json.loads((folder / "dbt_manifest.json").read_text(encoding="utf-8"))["nodes"]
    places = {
        node["name"]: f"{node['schema']}.{node['name']}" for node in nodes.values() if node["resource_type"] == "model"
    }
    (path,) = (DBT_FOLDER / "tests").rglob(f"{name}.sql")
    sql = MACROS.render(
        path.read_text(encoding="utf-8"),
        ref=lambda model: places[model],
        source=lambda schema, table: f"{schema}.{table}",
        config=lambda **_: "",
    )
    with duckdb.connect(str(database), config={"threads": 1, "file_search_path": str(folder)}) as connection:
        connection.execute("set search_path = 'main,staging,intermediate,figures'")
        before = connection.execute(sql).fetchall()
        for schema, view in (("figures", "figure_contribution"), ("intermediate", "int_score__score_leaves")):
            connection.execute(f"create table {schema}.changed as from {schema}.{view}; drop view {schema}.{view}")
            connection.execute(f"alter table {schema}.changed rename to {view}")
        connection.execute(RED[name])
        after = connection.execute(sql).fetchall()
    # two of the country's indicators have no goalposts, which is what this check is there to say
    assert sorted(row[1] for row in before) == (["PUPIL", "TAP"] if name == "goalposts_are_usable" else [])
    assert len(after) > len(before)
