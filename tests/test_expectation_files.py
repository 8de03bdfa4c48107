"""Every expectation that ships can turn red: here is a change of the data for each, and each is tried.

A check that nobody has seen fail is a decoration. An expectation without a change here fails this test.
"""

# ruff: noqa: E501 (a line of SQL for each check)

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from houses import House

from pipelines import exports
from pipelines.quality import expectations
from pipelines.quality.previous import Previous, attach_previous
from pipelines.quality.suites import Expectation, ExpectationFile, load_expectations, load_manifest
from pipelines.records import CheckResult
from pipelines.settings import EXPECTATIONS_FOLDER, PROJECT_FOLDER

pytestmark = pytest.mark.pipeline

FILES = load_expectations([EXPECTATIONS_FOLDER, PROJECT_FOLDER / "raw" / "zhejiang" / "expectations"])
ALL = {expectation.check_id: (file, expectation) for file in FILES for expectation in file.expectations}


def one(table: str, condition: str = "true") -> str:
    """A condition that one row of a table meets."""
    return f"rowid = (SELECT min(rowid) FROM {table} WHERE {condition})"


HOME = "region_code = '330000'"
CENSUS = "population_source = 'census' AND residence = 'total' AND sex = 'all' AND age_group = 'all'"
WHOLE = "domain = 'all' AND residence = 'total'"

# check -> what is done to the data
RED = {
    "audit_money.accepted_money_is_accounted_for": "UPDATE audit_money SET in_marts = in_marts + 1",
    "audit_money.no_money_is_lost_between_file_and_table": "UPDATE audit_money SET accepted = accepted - 1",
    "audit_receipt.every_receipt_has_its_hash": "UPDATE audit_receipt SET sha256 = 'none'",
    "audit_receipt.every_receipt_is_listed": f"DELETE FROM audit_receipt WHERE {one('audit_receipt')}",
    "audit_receipt.every_file_that_was_read_gave_observations": "UPDATE audit_receipt SET observations = 0",
    "audit_reject.every_reject_is_listed": "DELETE FROM audit_reject WHERE " + one("audit_reject"),
    "audit_reject.every_reject_names_its_rule": "UPDATE audit_reject SET rule = NULL",
    "audit_reject.known_rejects_have_a_reason": "UPDATE audit_reject SET is_known = true, known_reason = ' '",
    "audit_tie_out.every_file_that_was_read_has_an_account": f"DELETE FROM audit_tie_out WHERE {one('audit_tie_out')}",
    "audit_tie_out.every_account_holds": f"UPDATE audit_tie_out SET is_tied = NULL WHERE {one('audit_tie_out')}",
    "dim_indicator.what_is_not_computed_says_why": "UPDATE dim_indicator SET reason = '' WHERE NOT is_computed",
    "dim_indicator.directions_are_known": f"UPDATE dim_indicator SET direction = 'up' WHERE {one('dim_indicator')}",
    "dim_indicator.domains_are_listed": f"UPDATE dim_indicator SET domain = 'x' WHERE {one('dim_indicator')}",
    "dim_indicator.computed_indicators_have_a_multiplier": "UPDATE dim_indicator SET multiplier = 0 WHERE is_computed",
    "dim_region.versions_of_a_code_do_not_overlap": f"""
        INSERT INTO dim_region SELECT * REPLACE (valid_from + 1 AS valid_from) FROM dim_region WHERE {HOME}""",
    "dim_region.parents_are_there_and_higher": f"DELETE FROM dim_region WHERE {HOME}",
    "dim_region.home_region_is_listed_and_in_force": f"UPDATE dim_region SET is_in_force = false WHERE {HOME}",
    "dim_region.names_are_there": f"UPDATE dim_region SET region_name = NULL WHERE {HOME}",
    "dim_region_change.shares_that_leave_a_region_do_not_exceed_it": "UPDATE dim_region_change SET population_share = 1.1",
    "dim_region_change.kinds_of_change_are_known": "UPDATE dim_region_change SET change_kind = 'gone'",
    "dim_region_group.sources_are_stated": "UPDATE dim_region_group SET source = NULL",
    "dim_service.what_is_not_assessed_says_why": "UPDATE dim_service SET reason = NULL WHERE NOT is_assessed",
    "dim_service.domains_are_listed": f"UPDATE dim_service SET domain = 'x' WHERE {one('dim_service')}",
    "dim_target.interval_targets_lie_between_their_limits": "UPDATE dim_target SET lower_limit = 99 WHERE direction = 'interval'",
    "dim_target.targets_of_higher_is_better_are_positive": "UPDATE dim_target SET target_value = 0 WHERE direction = 'higher'",
    "dim_target.zero_targets_have_a_baseline": "UPDATE dim_target SET target_value = 0, baseline = NULL WHERE direction = 'lower'",
    "dim_target.origins_are_stated": f"UPDATE dim_target SET origin = NULL WHERE {one('dim_target')}",
    "fct_observation.nothing_is_lost_between_reading_and_table": f"DELETE FROM fct_observation WHERE {one('fct_observation')}",
    "fct_observation.values_are_the_ones_that_were_read": f"""
        UPDATE fct_observation SET value = value + 1 WHERE {one("fct_observation", "value IS NOT NULL")}""",
    "fct_observation.observations_tie_out_with_the_account": f"""
        UPDATE source.tie_out SET values_accepted = values_accepted + 1 WHERE {one("source.tie_out")}""",
    "fct_observation.provenance_is_the_contracts": f"""
        UPDATE fct_observation SET provenance = 'official' WHERE {one("fct_observation", "provenance = 'synthetic'")}""",
    "fct_observation.a_better_ranked_figure_is_never_passed_over": """
        UPDATE fct_observation SET is_chosen = NOT is_chosen WHERE measure = 'general_budget_expenditure'""",
    "fct_observation.every_latest_figure_has_one_chosen_observation": f"""
        UPDATE fct_observation SET is_chosen = false WHERE {one("fct_observation", "is_chosen")}""",
    "fct_observation.addresses_are_complete": f"UPDATE fct_observation SET source_row = NULL WHERE {one('fct_observation')}",
    "fct_observation.periods_run_forward": f"""
        UPDATE fct_observation SET period_end = period_start - 1 WHERE {one("fct_observation")}""",
    "fct_observation.stocks_are_not_negative": "UPDATE fct_observation SET value = -value WHERE measure = 'beds'",
    "fct_observation.two_reports_of_one_figure_agree": """
        UPDATE fct_observation SET value = value * 2 WHERE extract = 'general_budget_history'""",
    "fct_observation.two_layouts_of_provincial_expenditure_agree": """
        UPDATE fct_observation SET value = value + 1000000 WHERE extract = 'general_budget_history' AND region_code = '330000'""",
    "fct_observation.two_layouts_of_provincial_expenditure_overlap": """
        DELETE FROM fct_observation WHERE extract = 'general_budget_history' AND region_code = '330000'""",
    "fct_observation.departmental_figures_are_marked_synthetic": """
        UPDATE fct_observation SET provenance = 'official' WHERE extract = 'services'""",
    "fct_observation.published_figures_are_not_marked_synthetic": """
        UPDATE fct_observation SET provenance = 'synthetic' WHERE extract = 'census'""",
    "fct_observation.rented_dwellings_of_suichang_are_never_5_54": """
        INSERT INTO fct_observation SELECT * REPLACE ('遂昌县' AS region_name, 5.54 AS value) FROM fct_observation
        WHERE measure = 'dwellings_rented' AND region_code = '331102' AND year = 2010""",
    "fct_observation.values_fit_their_own_history": """
        UPDATE fct_observation SET value = value * 10 WHERE measure = 'beds' AND region_code = '330106' AND year = 2018""",
    "fct_observation.few_figures_are_gone_since_the_last_release": "DELETE FROM fct_observation WHERE year = 2018",
    "fct_observation.few_figures_are_revised_since_the_last_release": "UPDATE fct_observation SET value = value + 1 WHERE year = 2018",
    "fct_observation.beds_fit_health_spending": """
        UPDATE fct_observation SET value = value * 20 WHERE measure = 'beds' AND region_code = '330106' AND year = 2018""",
    "fct_observation.teachers_fit_pupils": "UPDATE fct_observation SET value = 1 WHERE measure = 'teachers' AND region_code = '330106'",
    "fct_observation.registered_and_resident_people_are_of_one_size": """
        UPDATE fct_observation SET value = value * 10 WHERE measure = 'registered_population' AND region_code = '330106'""",
    "fct_observation.most_figures_stay_since_the_last_release": "UPDATE fct_observation SET value = value + 1",
    "fct_population.people_are_whole": f"UPDATE fct_population SET population = population + 0.5 WHERE {HOME}",
    "fct_population.people_are_not_negative": f"UPDATE fct_population SET population = -population WHERE {HOME}",
    "fct_population.town_and_country_make_the_total": "UPDATE fct_population SET population = 1 WHERE residence = 'urban'",
    "fct_population.women_and_men_make_the_total": "UPDATE fct_population SET population = 1 WHERE sex = 'male'",
    "fct_population.parts_do_not_exceed_their_region": f"UPDATE fct_population SET population = 1 WHERE {HOME}",
    "fct_population.no_jump_from_year_to_year": f"""
        UPDATE fct_population SET population = population * 10 WHERE {HOME} AND year = 2018""",
    "fct_population.census_2010_residents": f"UPDATE fct_population SET population = population - 1 WHERE {HOME}",
    "fct_population.census_2010_registered": f"UPDATE fct_population SET population = population - 1 WHERE {HOME}",
    "fct_population.census_2020_residents": f"UPDATE fct_population SET population = population + 1 WHERE {HOME}",
    "fct_population.census_parts_add_up_to_their_region": f"""
        UPDATE fct_population SET population = population + 1 WHERE region_code = '330106' AND {CENSUS}""",
    "fct_population.census_2010_covers_every_county": f"""
        DELETE FROM fct_population WHERE region_code = '330106' AND {CENSUS}""",
    "fct_population.census_2020_covers_every_county": f"""
        DELETE FROM fct_population WHERE region_code = '330106' AND {CENSUS}""",
    "fct_population.the_zone_without_a_code_is_visible": f"""
        UPDATE fct_population SET population = population + 1 WHERE region_code = '330300' AND {CENSUS}""",
    "fct_population.the_zone_without_a_code_belongs_to_its_city": f"""
        UPDATE fct_population SET population = population - 1 WHERE region_level = 'zone' AND {CENSUS}""",
    "fct_population.residents_per_registered_person_in_wencheng": f"""
        UPDATE fct_population SET population = 1 WHERE region_code = '330328' AND {CENSUS} AND population_basis = 'resident'""",
    "fct_population.residents_per_registered_person_in_ouhai": f"""
        UPDATE fct_population SET population = 1 WHERE region_code = '330304' AND {CENSUS} AND population_basis = 'resident'""",
    "fct_population.year_end_residents_of_counties_add_up_to_the_province": f"""
        UPDATE fct_population SET population = population + 1 WHERE {HOME} AND population_source = 'year_end'""",
    "mart_per_capita_spending.per_head_is_spending_over_population": f"""
        UPDATE mart_per_capita_spending SET per_capita = per_capita * (1 + 1e-8) WHERE {HOME}""",
    "mart_per_capita_spending.population_is_the_published_one": f"""
        UPDATE mart_per_capita_spending SET population = population + 1 WHERE {HOME}""",
    "mart_per_capita_spending.every_population_there_is_stands_beside_the_spending": f"""
        DELETE FROM mart_per_capita_spending WHERE {HOME} AND year = 2010 AND population_basis = 'registered'""",
    "mart_per_capita_spending.shares_of_the_budget_lie_between_0_and_100": f"""
        UPDATE mart_per_capita_spending SET budget_share_pct = 100.1 WHERE {HOME}""",
    "mart_per_capita_spending.one_currency": f"UPDATE mart_per_capita_spending SET currency = NULL WHERE {HOME}",
    "mart_per_capita_spending.basic_services_are_part_of_everything": f"""
        UPDATE mart_per_capita_spending SET spending = 1 WHERE {HOME} AND domain = 'all'""",
    "mart_per_capita_spending.basic_services_are_the_sum_of_their_domains": f"""
        UPDATE mart_per_capita_spending SET spending = spending + 0.01 WHERE {HOME} AND domain = 'basic'""",
    "mart_per_capita_spending.synthetic_people_make_a_synthetic_figure": """
        UPDATE mart_per_capita_spending SET provenance = 'official' WHERE population_basis = 'registered'""",
    "mart_per_capita_spending.synthetic_money_makes_a_synthetic_figure": """
        UPDATE mart_per_capita_spending SET provenance = 'official' WHERE spending_origin = 'functional'""",
    "mart_per_capita_spending.per_resident_2010": f"UPDATE mart_per_capita_spending SET per_capita = per_capita * 1.001 WHERE {HOME}",
    "mart_per_capita_spending.per_registered_person_2010": f"UPDATE mart_per_capita_spending SET per_capita = per_capita * 1.001 WHERE {HOME}",
    "mart_per_capita_spending.per_resident_2016": f"UPDATE mart_per_capita_spending SET per_capita = per_capita * 1.001 WHERE {HOME}",
    "mart_per_capita_spending.per_resident_2020": f"UPDATE mart_per_capita_spending SET per_capita = per_capita * 1.001 WHERE {HOME}",
    "mart_per_capita_spending.levels_of_government_add_up_to_the_official_total": f"""
        UPDATE mart_per_capita_spending SET spending = spending + 1 WHERE {HOME} AND {WHOLE} AND government_level = 'city'""",
    "mart_per_capita_spending.whole_of_ningbo_2020": f"""
        UPDATE mart_per_capita_spending SET spending = spending + 1 WHERE region_code = '330200' AND {WHOLE}""",
    "mart_per_capita_spending.a_citys_own_spending_is_not_spread_over_its_counties": f"""
        UPDATE mart_per_capita_spending SET spending = spending * 1.1 WHERE region_depth = 2 AND {WHOLE}
            AND government_level = 'all'""",
    "mart_per_capita_spending.figures_below_the_province_are_marked_synthetic": """
        UPDATE mart_per_capita_spending SET provenance = 'official' WHERE region_code = '330106'""",
    "mart_per_capita_spending.few_figures_are_gone_since_the_last_release": """
        UPDATE mart_per_capita_spending SET spending = NULL WHERE year = 2018""",
    "mart_per_capita_spending.few_figures_are_revised_since_the_last_release": """
        UPDATE mart_per_capita_spending SET per_capita = per_capita * 1.01 WHERE year = 2018""",
    "mart_service_coverage.values_fit_those_of_similar_regions": """
        UPDATE mart_service_coverage SET value = value * 50 WHERE region_code = '330106' AND indicator_code = 'HEA04'""",
    "mart_service_coverage.few_figures_are_gone_since_the_last_release": "DELETE FROM mart_service_coverage WHERE year = 2018",
    "mart_service_coverage.few_figures_are_revised_since_the_last_release": """
        UPDATE mart_service_coverage SET value = value * 1.01 WHERE year = 2018""",
    "mart_service_coverage.value_is_numerator_over_denominator": f"""
        UPDATE mart_service_coverage SET value = value * (1 + 1e-8) WHERE {HOME}""",
    "mart_service_coverage.percentages_stay_within_100": f"UPDATE mart_service_coverage SET value = 100.1 WHERE {HOME}",
    "mart_service_coverage.attainment_lies_between_0_and_1": f"UPDATE mart_service_coverage SET attainment = 1.01 WHERE {HOME}",
    "mart_service_coverage.a_target_is_met_exactly_where_attainment_is_1": f"""
        UPDATE mart_service_coverage SET attainment = 1 WHERE {HOME}""",
    "mart_service_coverage.intervals_hold_their_value": f"UPDATE mart_service_coverage SET ci_low = 1e9 WHERE {HOME}",
    "mart_service_coverage.every_indicator_whose_data_are_here_is_computed": """
        DELETE FROM mart_service_coverage WHERE indicator_code = 'HEA04'""",
    "mart_service_coverage.a_synthetic_numerator_makes_a_synthetic_figure": """
        UPDATE mart_service_coverage SET provenance = 'official' WHERE indicator_code = 'HEA04'""",
    "mart_service_coverage.illiteracy_recomputed_is_the_printed_rate": """
        UPDATE mart_service_coverage SET value = value + 0.01 WHERE indicator_code = 'CEN06' AND region_code = '330106'""",
    "mart_service_coverage.illiteracy_was_compared_everywhere": """
        DELETE FROM fct_observation WHERE measure = 'illiteracy_rate_printed' AND region_code = '330106'""",
    "mart_service_coverage.piped_water": """
        UPDATE mart_service_coverage SET numerator = numerator + 1 WHERE indicator_code = 'CEN01' AND region_code = '330328'""",
    "mart_service_coverage.insured_do_not_exceed_the_people_there_can_be": f"""
        UPDATE mart_service_coverage SET numerator = denominator + 1 WHERE indicator_code = 'SOC02' AND {HOME}""",
    "mart_service_coverage.pupils_do_not_exceed_the_children_there_are": """
        UPDATE fct_observation SET value = value * 3 WHERE measure = 'pupils' AND item = 'junior'""",
    "mart_service_coverage.children_in_kindergarten_do_not_exceed_the_children_there_are": f"""
        UPDATE mart_service_coverage SET numerator = denominator + 1 WHERE indicator_code = 'EDU02' AND {HOME}""",
}  # fmt: skip


@pytest.fixture(scope="module")
def build_folder(zhejiang: House, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the build that Zhejiang's release was made of."""
    copied = tmp_path_factory.mktemp("build") / "build"
    shutil.copytree(zhejiang.warehouse.build_folder(zhejiang.manifest()["build_id"]), copied)
    return copied


@pytest.fixture(scope="module")
def copied(build_folder: Path, zhejiang: House) -> Iterator[duckdb.DuckDBPyConnection]:
    """The build, to be changed, with the release that was made of it as the one before."""
    folder = zhejiang.warehouse.current
    published = [table.contract for table in exports.published_tables(build_folder / "dbt_manifest.json")]
    with duckdb.connect(str(build_folder / "build.duckdb"), config={"threads": 2}) as connection:
        attach_previous(connection, Previous("before", folder), published)
        yield connection


def outcome_of(connection: duckdb.DuckDBPyConnection, file: ExpectationFile, expectation: Expectation) -> str:
    (result,) = expectations.judge(connection, [replace(file, expectations=[expectation])], {})
    return result.outcome


def test_every_expectation_has_a_change_that_should_turn_it_red() -> None:
    assert {f"expectation.{name}" for name in RED} == set(ALL)


@pytest.mark.parametrize("name", sorted(RED))
def test_it_turns_red(copied: duckdb.DuckDBPyConnection, name: str) -> None:
    file, expectation = ALL[f"expectation.{name}"]
    copied.begin()
    try:
        copied.execute(RED[name])
        assert outcome_of(copied, file, expectation) == "fail"
    finally:
        copied.rollback()


@pytest.mark.parametrize(
    ("change", "red"),
    [
        ('INSERT INTO "{table}" SELECT * FROM "{table}" LIMIT 1', "key_is_unique"),
        ('UPDATE "{table}" SET "{column}" = NULL', "key_is_complete"),
    ],
)
def test_the_key_of_every_published_table_turns_red(
    copied: duckdb.DuckDBPyConnection, build_folder: Path, change: str, red: str
) -> None:
    keys = load_manifest(build_folder / "dbt_manifest.json").keys
    assert len(keys) > 10
    copied.begin()
    try:
        for table, key in keys.items():
            copied.execute(change.format(table=table, column=key[-1]))
        found = {result.check_id: result.outcome for result in expectations.judge(copied, [], keys)}
    finally:
        copied.rollback()
    assert {table: found[f"expectation.{table}.{red}"] for table in keys} == dict.fromkeys(keys, "fail")


def test_without_their_tables_all_of_them_are_errors(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "empty.duckdb")) as connection:
        results = expectations.judge(connection, FILES, {})
    assert {result.check_id for result in results} == set(ALL)
    assert {result.outcome for result in results} == {"error"}


def test_in_tables_without_rows_none_of_them_passes(copied: duckdb.DuckDBPyConnection) -> None:
    """What looks at nothing must not pass: it is an error, or not applicable where the file says so."""
    copied.begin()
    try:
        tables = copied.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE schema_name IN ('main', 'source') AND database_name = 'build'"
        )
        for schema, table in tables.fetchall():
            copied.execute(f'DELETE FROM "{schema}"."{table}"')
        results = expectations.judge(copied, FILES, {})
    finally:
        copied.rollback()
    passed = [result.check_id for result in results if result.outcome == "pass"]
    assert passed == []


# -- a table or column that is not there ---------------------------------------------------------------------------


def columns_of(connection: duckdb.DuckDBPyConnection, *schemas: str) -> dict[str, list[str]]:
    """The columns of every table of the build in these schemas; the table as SQL names it."""
    rows = connection.execute(
        "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE database_name = 'build' AND NOT internal"
    ).fetchall()
    found: dict[str, list[str]] = {}
    for schema, table, column in sorted(rows):
        if schema in schemas:
            found.setdefault(f'"{schema}"."{table}"', []).append(column)
    return found


def mentions(text: str, relation: str, column: str | None = None) -> bool:
    """True when a rule names the table and, if one is given, the column."""
    schema, table = relation.replace('"', "").split(".")
    name = table if schema == "main" else f"{schema}.{table}"
    words = set(re.findall(r"[\w]+", text))
    return re.search(rf"(?<![\w.]){re.escape(name)}\b", text) is not None and (column is None or column in words)


class Asked:
    """Every expectation asked on the present state of the data, with one context of Great Expectations for all."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, keys: dict[str, list[str]]) -> None:
        self.connection, self.keys = connection, keys
        self.judging = expectations._Judge(connection, None, with_documents=False)

    def result(self, file: ExpectationFile, expectation: Expectation) -> tuple[str, str]:
        results: list[CheckResult] = []
        for one_of in expectations._split_applicable(
            self.connection, [replace(file, expectations=[expectation])], results
        ):
            if one_of.measure is not None:
                results += self.judging.judge_measured([one_of])
            else:
                results += self.judging.judge_table(one_of.table, [one_of], self.keys.get(one_of.table, []))
        return results[0].outcome, results[0].observed


def texts_of(file: ExpectationFile, expectation: Expectation) -> str:
    parts = [expectation.measure or f"{expectation.table} {expectation.arguments}"]
    return " ".join([*parts, expectation.applies_when or "", file.applies_when or ""])


def test_without_one_of_its_tables_or_columns_an_expectation_is_an_error(
    copied: duckdb.DuckDBPyConnection, build_folder: Path
) -> None:
    """What an expectation looks at cannot go without a word: the result is an error, or the thing was not looked at."""
    keys = load_manifest(build_folder / "dbt_manifest.json").keys
    asked = Asked(copied, keys)
    before = {name: asked.result(*pair) for name, pair in ALL.items()}
    tables, columns = dict.fromkeys(ALL, 0), dict.fromkeys(ALL, 0)
    for relation, names in columns_of(copied, "main", "source").items():
        for column in [None, *names]:
            own = [name for name, pair in ALL.items() if mentions(texts_of(*pair), relation, column)]
            if not own:
                continue
            copied.begin()
            try:
                copied.execute(
                    f"DROP TABLE {relation}" if column is None else f'ALTER TABLE {relation} DROP COLUMN "{column}"'
                )
                for name in own:
                    found = asked.result(*ALL[name])
                    assert found[0] == "error" or (column and found == before[name]), (name, relation, column, found)
                    counted = tables if column is None else columns
                    counted[name] += found[0] == "error"
            finally:
                copied.rollback()
    assert [name for name in ALL if not tables[name] or not columns[name]] == []


def test_without_one_of_its_tables_or_columns_a_dbt_test_is_an_error(
    copied: duckdb.DuckDBPyConnection, build_folder: Path
) -> None:
    """dbt reports as an error what its SQL raises, and the verdict takes an error for no pass."""
    tests = {test.check_id: test.sql for test in load_manifest(build_folder / "dbt_manifest.json").tests}
    assert len(tests) > 40 and all(tests.values())
    names = dict.fromkeys(tests, 0)
    columns = dict.fromkeys(tests, 0)
    for relation, own_columns in columns_of(copied, "main", "intermediate", "staging").items():
        for column in [None, *own_columns]:
            own = [
                check_id
                for check_id, sql in tests.items()
                if relation in sql and (column is None or column in set(re.findall(r"\w+", sql)))
            ]
            if not own:
                continue
            copied.begin()
            try:
                copied.execute(
                    f"DROP TABLE {relation}" if column is None else f'ALTER TABLE {relation} DROP COLUMN "{column}"'
                )
                for check_id in own:
                    try:
                        copied.execute(f"EXPLAIN {tests[check_id]}")
                    except duckdb.Error:
                        (names if column is None else columns)[check_id] += 1
                    else:
                        assert column is not None, check_id
            finally:
                copied.rollback()
    unproved = [check_id for check_id in tests if not names[check_id] or not columns[check_id]]
    assert unproved == []


def test_without_its_table_or_a_column_the_check_of_a_key_is_an_error(
    copied: duckdb.DuckDBPyConnection, build_folder: Path
) -> None:
    keys = load_manifest(build_folder / "dbt_manifest.json").keys
    for change in ('DROP TABLE "{table}"', 'ALTER TABLE "{table}" DROP COLUMN "{column}"'):
        copied.begin()
        try:
            for table, key in keys.items():
                copied.execute(change.format(table=table, column=key[0]))
            results = expectations.judge(copied, [], keys)
        finally:
            copied.rollback()
        assert len(results) == 2 * len(keys)
        assert {result.outcome for result in results} == {"error"}
