"""Every generic data test of comparisons and money passes on rows that hold and fails on rows that do not."""

# ruff: noqa: E501 (rows as SQL)

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from formulas import check_sql, singular_sql

KEY = {"scope_code": "P", "year": 2020}
TESTS: dict[str, tuple[dict[str, Any], str, str]] = {
    # name -> (arguments, rows that hold, rows that do not)
    "either_or": (
        {"first": "value", "second": "reason"},
        "select 1.0 as value, null as reason union all select null, 'because'",
        "select null::double as value, null::varchar as reason",
    ),
    "floats_add_up": (
        {"value": "value", "dimension": "part", "total": "total", "parts": ["within", "between"], "keys": ["k"]},
        "select 1 as k, 'total' as part, 0.3 as value union all select 1, 'within', 0.1 union all select 1, 'between', 0.2",
        "select 1 as k, 'total' as part, 0.3 as value union all select 1, 'within', 0.1 union all select 1, 'between', 0.21",
    ),
    "inequality_in_bounds": (
        {},
        "select 'ratio' as measure, 1.5 as value, 'county' as dimension, 2 as regions, 0 as regions_missing",
        "select 'ratio' as measure, 0.5 as value, 'county' as dimension, 2 as regions, 0 as regions_missing",
    ),
    "agreed_codes": (
        {"codes": {"prices": "nominal constant", "residence": "total urban"}},
        "select 'nominal' as prices, 'total' as residence union all select 'constant', 'urban'",
        "select 'nominal' as prices, null as residence",
    ),
    "within": (
        {"limits": {"share": 1, "people": None}},
        "select 0.0 as share, 5 as people union all select 1.0, null union all select null, 1e9",
        "select 1.01 as share, 5 as people",
    ),
    "in_order": (
        {"columns": ["low", "value", "high"]},
        "select 1 as low, 2 as value, 2 as high union all select null, 2, 3",
        "select 3 as low, 2 as value, 4 as high",
    ),
    "status_fits_value": (
        {"value": "value"},
        "select 1.0 as value, 'A;E' as obs_status union all select null, 'O'",
        "select null::double as value, 'A' as obs_status",
    ),
    "unique_key": (
        {"columns": ["variant", "region_id"]},
        "select 'main' as variant, 'A' as region_id union all select 'other', 'A'",
        "select 'main' as variant, 'A' as region_id union all select 'main', 'A'",
    ),
    "counts_not_negative": (
        {},
        "select 'X' as indicator_code, 1 as numerator, 2 as denominator union all select 'NET', -1, 2",
        "select 'X' as indicator_code, -1 as numerator, 2 as denominator",
    ),
    "two_thirds_on_exact_numbers": (
        {},
        """select 2 as livelihood_increase, 3 as resources_increase, true as meets_two_thirds,
            1 as livelihood_increase_since_base, 3 as resources_increase_since_base, false as meets_two_thirds_since_base""",
        """select 1.999999999 as livelihood_increase, 3 as resources_increase, true as meets_two_thirds,
            1 as livelihood_increase_since_base, 3 as resources_increase_since_base, false as meets_two_thirds_since_base""",
    ),
    "shares_make_one": (
        {"share": "share", "keys": ["k"]},
        "select 1 as k, 0.333333 as share union all select 1, 0.666667 union all select 2, null",
        "select 1 as k, 0.333333 as share union all select 1, 0.666666",
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
    create table dim_region as select 'county' as region_level;
    create table two_thirds_test as select 'f' as fund, 'final' as account_stage, 'l' as livelihood, '205;208' as livelihood_classes;
    create table int_spending__map_classes as
        select 'A' as region_code, 'reported' as reference_geography, 2020 as year, 'f' as fund, 'final' as account_stage,
            'total' as residence, class_code, value
        from (values ('205', 4), ('20801', 6), ('201', 99)) as classes(class_code, value);
    create table indicator_term as
        select * from (values ('X', 'people'), ('NET', 'net')) as terms(indicator_code, measure);
    create table measure as select * from (values ('people', false), ('net', true)) as measures(measure, may_be_negative);
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
