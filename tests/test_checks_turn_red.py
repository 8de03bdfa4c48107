"""Every data test of many tables, and every generic one, passes on rows that hold and fails on rows that do not."""

# ruff: noqa: E501 (rows as SQL)

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from formulas import check_sql, singular_sql

TESTS: dict[str, tuple[dict[str, Any], str, str]] = {
    # name -> (arguments, rows that hold, rows that do not)
    "two_thirds_on_exact_numbers": (
        {},
        """select 2 as livelihood_increase, 3 as resources_increase, true as meets_two_thirds,
            1 as livelihood_increase_since_base, 3 as resources_increase_since_base, false as meets_two_thirds_since_base""",
        """select 1.999999999 as livelihood_increase, 3 as resources_increase, true as meets_two_thirds,
            1 as livelihood_increase_since_base, 3 as resources_increase_since_base, false as meets_two_thirds_since_base""",
    ),
    "livelihood_is_its_classes": ({}, "select 10 as livelihood", "select 11 as livelihood"),
    "revisions_end_in_force": (
        {},
        """select 'd' as department, 'e' as extract, 'beds' as measure, 'K' as region_code, 'r2' as receipt_id, 5 as value_after,
            (select row_key from keys) as row_key""",
        """select 'd' as department, 'e' as extract, 'beds' as measure, 'K' as region_code, 'r2' as receipt_id, 6 as value_after,
            (select row_key from keys) as row_key""",
    ),
}  # fmt: skip
WORLD = """
    create table stg_setting as select 2015 as base_year;
    create table two_thirds_test as select 'f' as fund, 'final' as account_stage, 'l' as livelihood, '205;208' as livelihood_classes;
    create table int_spending__map_classes as
        select 'A' as region_code, 'reported' as reference_geography, 2020 as year, 'f' as fund, 'final' as account_stage,
            'total' as residence, class_code, value
        from (values ('205', 4), ('20801', 6), ('201', 99)) as classes(class_code, value);
    create table receipt as select 'r2' as receipt_id, 2 as sequence;
    create table stg_observation as select 'o' as observation_id, 'd' as department, 'e' as extract, 'beds' as measure,
        'K' as region_code, date '2020-01-01' as period_start, date '2020-12-31' as period_end, 'none' as population_basis,
        'total' as residence, 'all' as sex, 'all' as age_group, 'all' as group_code, 'all' as item, 5 as value;
    create table int_observation__rank_vintages as select 'o' as observation_id, true as is_latest;
    create table keys as select 'department=d;extract=e;region_code=K;measure=beds;period_start=2020-01-01;'
        || 'period_end=2020-12-31;population_basis=none;residence=total;sex=all;age_group=all;group=all;item=all' as row_key;
"""


@pytest.mark.parametrize("name", TESTS)
def test_it_holds_and_turns_red(name: str) -> None:
    arguments, good, bad = TESTS[name]
    for rows, is_red in ((good, False), (bad, True)):
        with duckdb.connect() as connection:
            connection.execute(WORLD)
            connection.execute(f"create table checked as {rows}")
            # what a returned figure stands in, for the check that compares it with its classes
            connection.execute(
                "create table int_observation__select_years as select 'l' as measure, 'A' as region_code, 'reported' as "
                "reference_geography, 2020 as year, 'total' as residence, 'all' as sex, 'all' as age_group, 'all' as "
                "group_code, 'all' as item, "
                + (
                    "(select livelihood from checked) as value"
                    if name == "livelihood_is_its_classes"
                    else "10 as value"
                )
            )
            failing = connection.execute(check_sql(name, model="checked", **arguments)).fetchall()
            assert bool(failing) is is_red, (name, rows, failing)


# Rows that hold, a table each: with them no check of many tables finds anything.
HOLDS = {
    "fct_observation": """'o' as observation_id, 'beds' as measure, 'K' as region_code, 'r' as receipt_id, 2020 as year,
        date '2020-01-01' as period_start, date '2020-12-31' as period_end, 'none' as population_basis,
        'none' as population_source, 'total' as residence, 'all' as sex, 'all' as age_group, 'all' as "group", 'all' as item,
        5 as value, 'E;P' as obs_status, 'F' as conf_status, true as is_chosen, 'official' as provenance""",
    "fct_population": """'p' as observation_id, 'K' as region_code, 'reported' as reference_geography, 2020 as year,
        date '2020-12-31' as reference_date, 'census' as population_source, 'resident' as population_basis,
        'total' as residence, 'all' as age_group, 'all' as sex, 7 as population, 'A' as obs_status, 'reported' as derivation,
        'official' as provenance union all by name select 'q' as observation_id, 'K' as region_code, 'reported' as
        reference_geography, 2020 as year, date '2020-12-31' as reference_date, 'census' as population_source, 'resident' as
        population_basis, 'total' as residence, 'all' as age_group, unnest(['male', 'female']) as sex,
        unnest([3, 4]) as population, 'A' as obs_status, 'reported' as derivation, 'official' as provenance""",
    "mart_revision": """'K' as region_code, 2020 as year, 'r' as receipt_id, 6 as value_after, 'A' as obs_status,
        'receipt' as vintage_kind, 'corrected' as cause, 'official' as provenance""",
    "mart_revision_summary": "-1.0 as mean_revision_pct, 2.0 as mean_absolute_revision_pct",
    "figure": """'BED' as subject_code, 'K' as region_id, 'K' as region_code, 2020 as year, null::double as value,
        'O' as obs_status""",
    "figure_spending": """'main' as variant, 'K' as region_id, 'K' as region_code, 2020 as year, 'all' as domain,
        'total' as residence, 'nominal' as prices, 'whole' as origin, 1.0 as per_head, 'A' as obs_status, 2.0 as spending,
        'A' as spending_status, 'official' as provenance""",
    "figure_per_user": """'main' as variant, 'K' as region_id, 'K' as region_code, 2020 as year, 'health' as domain,
        'total' as residence, 1.0 as per_user, 'A' as obs_status""",
    "figure_indicator": """'X' as indicator_code, 'K' as region_code, 2020 as year, 1.0 as numerator, 2.0 as denominator,
        50.0 as value, 49.0 as ci_low, 51.0 as ci_high, 'A' as obs_status, 'none' as population_basis,
        'none' as population_source, 'total' as residence, 'all' as sex, 'computed' as attainment_note,
        'reported' as derivation, 'official' as provenance""",
    "figure_degree": """'K' as region_code, 2020 as year, 90.0 as degree_low_pct, 91.0 as degree_pct, 92.0 as degree_high_pct,
        1.0 as weight_coverage, 0.0 as illustrative_weight_pct, 0.0 as synthetic_weight_pct, 100.0 as residents_covered_pct,
        'computed' as undefined_reason, 'A' as obs_status, 'official' as provenance""",
    "figure_index": """'K' as region_code, 2020 as year, 110.0 as index_value, 0.5 as level, 1.0 as weight_coverage,
        0.0 as clamped_weight_pct, 'computed' as undefined_reason, 'A' as obs_status, 'official' as provenance""",
    "figure_contribution": """'K' as region_code, 2020 as year, 0.1 as effective_weight, 0.9 as attainment,
        1.0 as contribution_points, 5 as people_behind_target, null::double as years_to_target,
        'wrong_way' as years_to_target_note, 'official' as provenance""",
    "figure_progress": """'K' as region_code, 2020 as year, 1.0 as value, 'A' as obs_status, 0.9 as attainment,
        1.0 as expected_attainment, 5 as people_behind_target, 2.0 as years_to_target, 'target' as target_kind,
        'computed' as attainment_note, 'computed' as years_to_target_note, 'official' as provenance""",
    "figure_inequality": """'main' as variant, 'P' as region_id, 'P' as region_code, 2020 as year, 'X' as subject_code,
        'indicator' as subject_kind, 'county' as dimension, 'theil' as measure, 'population' as weighting,
        unnest(['total', 'within', 'between']) as component, unnest([0.3, 0.1, 0.2]) as value, 'A' as obs_status,
        null::varchar as undefined_reason, 'total' as residence, 2 as regions, 0 as regions_missing,
        'official' as provenance""",
    "figure_gap": """'main' as variant, 'K' as region_code, 2020 as year, 'indicator' as subject_kind, 1.0 as difference,
        'A' as obs_status, 1.1 as ratio, null::varchar as undefined_reason, null::double as closing_rate,
        'base_year' as closing_reason, 'official' as provenance""",
    "figure_fiscal": """'main' as variant, 'K' as region_code, 2020 as year, 80.0 as basic_share_pct, 'A' as obs_status,
        true as share_rises, null::varchar as share_reason, null::boolean as meets_two_thirds,
        'no_test' as two_thirds_reason, null::boolean as meets_two_thirds_since_base,
        'no_test' as two_thirds_reason_since_base, 'official' as provenance""",
    "figure_split": """'main' as variant, 'K' as region_id, 'K' as region_code, 2020 as year, 'domain' as subject_kind,
        'health' as subject_code, unnest([0.4, 0.6]) as share, 'A' as obs_status, 'official' as provenance""",
    "mart_equalisation_dispersion": """'K' as region_code, 2020 as year, 1.0 as value, 'A' as obs_status,
        'weighted_cv_pct' as measure, 'computed' as undefined_reason, 'official' as provenance""",
    "mart_sensitivity": """'K' as region_code, 2020 as year, 90.0 as degree_pct, 'A' as obs_status,
        'weights' as scenario_family, 'official' as provenance""",
    "mart_region_trend": "'K' as region_code, 2020 as year, 1.0 as value, 'A' as obs_status",
    "int_spending__choose_whole": """'K' as region_code, 'reported' as reference_geography, 2020 as year, 'g' as fund,
        'final' as account_stage, 'all' as domain, 'all' as government_level, 'functional' as origin,
        unnest(['total', 'urban', 'rural', 'unattributed']) as residence, unnest([6, 1, 2, 3]) as value""",
    "audit_receipt": "'r' as receipt_id, 'read' as reading_status",
    "audit_reject": "'row' as scope",
    "audit_finding": "'note' as severity",
    "dim_region": "'K' as region_code, 'K' as region_id, 'county' as region_level union all select 'P', 'P', 'province'",
    "dim_region_change": "'merge' as change_kind, 1.0 as population_share, 0.3 as share_of_to",
    "dim_region_group": "'K' as region_code",
    "dim_region_union": "'2020' as reference_geography, 'K' as member_code",
    "dim_current_region": "'K' as region_code",
    "dim_indicator": "'X' as indicator_code, 'higher' as direction, 'scored' as role",
    "dim_target": "'X' as indicator_code",
    "dim_goalpost": "'X' as indicator_code",
    "dim_weight": "1.0 as weight, 1.0 as weight_share",
    "dim_subject": "'BED' as subject_code",
    "dim_item_payer_share": "'i' as item, 'all' as region_code, '1' as edition, unnest([0.5, 0.5]) as payer_share",
    "measure": "unnest(['beds', 'net']) as measure, unnest([false, true]) as may_be_negative",
    "indicator_term": "unnest(['X', 'NET']) as indicator_code, unnest(['beds', 'net']) as measure",
    "stg_spending_source": "unnest(['g', 'n']) as fund, 'final' as account_stage, unnest([false, true]) as may_be_negative",
}
# check -> changes, each of which turns it red
TURNS_RED = {
    "statuses_fit_values": [
        *(f"update {table} set {value} = null, {status} = 'A'" for table, value, status in (
            ("fct_observation", "value", "obs_status"), ("fct_population", "population", "obs_status"),
            ("mart_revision", "value_after", "obs_status"), ("figure", "value", "obs_status"),
            ("figure_spending", "per_head", "obs_status"), ("figure_spending", "spending", "spending_status"),
            ("figure_per_user", "per_user", "obs_status"),
            ("figure_indicator", "value", "obs_status"), ("figure_degree", "degree_pct", "obs_status"),
            ("figure_index", "index_value", "obs_status"), ("figure_progress", "value", "obs_status"),
            ("figure_inequality", "value", "obs_status"), ("figure_gap", "difference", "obs_status"),
            ("figure_fiscal", "basic_share_pct", "obs_status"), ("figure_split", "share", "obs_status"),
            ("mart_equalisation_dispersion", "value", "obs_status"), ("mart_sensitivity", "degree_pct", "obs_status"),
            ("mart_region_trend", "value", "obs_status"),
        )),
        "update figure set value = 1, obs_status = 'A;M'", "update figure set value = 1, obs_status = null",
    ],
    "codes_are_agreed": [
        *(f"update {table} set {column} = 'nobody'" for table, column in (
            ("fct_observation", "obs_status"), ("fct_population", "derivation"), ("figure_spending", "origin"),
            ("figure_indicator", "attainment_note"), ("figure_degree", "undefined_reason"),
            ("figure_index", "undefined_reason"), ("figure_contribution", "years_to_target_note"),
            ("figure_progress", "target_kind"), ("figure_inequality", "measure"), ("figure_gap", "subject_kind"),
            ("figure_fiscal", "provenance"), ("figure_split", "subject_kind"),
            ("mart_equalisation_dispersion", "measure"), ("mart_sensitivity", "scenario_family"),
            ("mart_revision", "cause"), ("audit_receipt", "reading_status"), ("audit_reject", "scope"),
            ("audit_finding", "severity"), ("dim_region_change", "change_kind"), ("dim_indicator", "role"),
        )),
        "update figure_fiscal set provenance = null",
    ],
    "codes_are_described": [
        f"delete from {table}" for table in ("measure", "dim_region", "audit_receipt", "dim_subject", "dim_indicator")
    ],
    "values_lie_in_their_limits": [
        f"update {change}" for change in (
            "fct_population set population = -1", "int_spending__choose_whole set value = -1",
            "figure_indicator set numerator = -1", "figure_indicator set denominator = -1", "figure_indicator set ci_low = 50.1",
            "figure_indicator set ci_high = 49.9", "figure_degree set degree_low_pct = 91.1",
            "figure_degree set degree_high_pct = 90.9", "figure_degree set degree_pct = 100.1, degree_high_pct = 101",
            "figure_degree set weight_coverage = 1.1", "figure_degree set illustrative_weight_pct = -1",
            "figure_degree set synthetic_weight_pct = 101", "figure_degree set residents_covered_pct = 101",
            "figure_index set index_value = -1", "figure_index set level = 1.1", "figure_index set weight_coverage = 1.1",
            "figure_index set clamped_weight_pct = 101", "figure_contribution set contribution_points = -0.1",
            "figure_contribution set effective_weight = 1.1", "figure_contribution set attainment = 1.1",
            "figure_contribution set people_behind_target = -1", "figure_contribution set years_to_target = -1",
            "figure_progress set attainment = 1.1", "figure_progress set expected_attainment = 1.1",
            "figure_progress set people_behind_target = -1", "figure_progress set years_to_target = -1",
            "figure_inequality set measure = 'ratio', value = 0.5",
            "figure_inequality set measure = 'ratio', dimension = 'urban', value = -0.5", "figure_inequality set value = -0.1",
            "figure_inequality set measure = 'mean_difference_from_best', value = -0.1",
            "figure_inequality set measure = 'atkinson_1', value = 1.1", "figure_inequality set measure = 'rci', value = -1.1",
            "figure_inequality set regions = -1", "figure_inequality set regions_missing = -1",
            "dim_region_change set population_share = 1.1", "dim_region_change set share_of_to = -0.1",
            "dim_weight set weight = -1", "dim_weight set weight_share = -1",
            "mart_revision_summary set mean_revision_pct = 3.0",
        )
    ],
    "gaps_have_reasons": [
        "update figure_inequality set value = null", "update figure_gap set ratio = null",
        "update figure_gap set closing_reason = null", "update figure_fiscal set share_reason = 'base_year'",
        "update figure_fiscal set two_thirds_reason = null", "update figure_fiscal set meets_two_thirds_since_base = true",
    ],
    "keys_are_unique": [
        *(f"insert into {table} from {table}" for table in ("fct_observation", "figure_spending", "figure_per_user", "dim_current_region", "dim_region_union")),
        "update figure_spending set residence = null",
    ],
    "needed_tables_have_rows": ["delete from fct_observation", "delete from dim_region"],
    "shares_add_up_to_one": [
        "update figure_split set share = 0.5 where share = 0.6", "update figure_split set share = null where share = 0.6",
        "update dim_item_payer_share set payer_share = 0.4", "update dim_item_payer_share set payer_share = null",
    ],
    "parts_add_up": [
        "update fct_population set population = 5 where sex = 'male'",
        """insert into fct_population by name select * replace (unnest(['urban', 'rural']) as residence, 'c' as observation_id,
            unnest([3, 3]) as population) from fct_population where sex = 'all'""",
        "update int_spending__choose_whole set value = 4 where residence = 'unattributed'",
        """insert into int_spending__choose_whole by name select * replace ('lower' as government_level)
            from int_spending__choose_whole where residence = 'total';
            update int_spending__choose_whole set value = 5 where government_level = 'lower'""",
        """insert into int_spending__choose_whole by name select * replace ('health' as domain, 5 as value)
            from int_spending__choose_whole where residence = 'total'""",
        "update figure_inequality set value = 0.21 where component = 'between'",
    ],
}  # fmt: skip


def lay_tables_that_hold(connection: duckdb.DuckDBPyConnection) -> None:
    for table, row in HOLDS.items():
        doubles = re.sub(r"\b\d+\.\d+\b", r"\g<0>e0", row)
        connection.execute(f"create table {table} as select {doubles}")


@pytest.fixture(scope="module")
def tables_that_hold() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        lay_tables_that_hold(connection)
        yield connection


@pytest.mark.parametrize("name", TURNS_RED)
def test_a_check_of_many_tables_holds_and_turns_red_for_each(
    tables_that_hold: duckdb.DuckDBPyConnection, name: str
) -> None:
    sql = singular_sql(name)
    assert tables_that_hold.execute(sql).fetchall() == []
    for change in TURNS_RED[name]:
        tables_that_hold.execute("begin")
        tables_that_hold.execute(change)
        assert tables_that_hold.execute(sql).fetchall(), (name, change)
        tables_that_hold.execute("rollback")


def test_what_may_be_negative_may_be() -> None:
    with duckdb.connect() as connection:
        lay_tables_that_hold(connection)
        connection.execute("update figure_indicator set indicator_code = 'NET', numerator = -1")
        connection.execute("update int_spending__choose_whole set fund = 'n', value = -1")
        assert connection.execute(singular_sql("values_lie_in_their_limits")).fetchall() == []


@pytest.mark.parametrize(
    ("measures", "ordering", "is_red"),
    [
        ("gini;sii", "all", False),
        (None, None, False),
        ("gini", "BED", False),
        ("gini", "health", False),
        ("gini;ginni", None, True),
        ("gini;sii;gini", "NOBODY", True),
    ],
)
def test_measures_that_are_asked_for_must_be_known(measures: str | None, ordering: str | None, is_red: bool) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table domain as select 'health' as domain")
        connection.execute(
            "create table indicator as select 'BED' as indicator_code, ?::varchar as inequality_measures, "
            "?::varchar as inequality_ordering",
            [measures, ordering],
        )
        assert bool(connection.execute(singular_sql("asked_measures_are_known")).fetchall()) is is_red
