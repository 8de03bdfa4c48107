"""Great Expectations under our rules: an error is not a failure and not a pass, and nothing to judge is an error."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import hand_made
import pytest

from pipelines import quality
from pipelines.quality import expectations
from pipelines.quality.suites import load_expectations
from pipelines.records import CheckResult
from pipelines.store import Warehouse, read_json

pytestmark = pytest.mark.pipeline  # importing Great Expectations takes seconds

KEYS = {"mart_rate": ["place_code", "year"]}


def judge_one(tmp_path: Path, body: str, sql: str = "", head: str = "table: mart_rate") -> CheckResult:
    """The result of one expectation on the hand-made marts, after `sql` has changed them."""
    text = f"{head}\nexpectations:\n  - {{id: it, severity: block, owner: o, why: w, since: s, {body}}}\n"
    folder = hand_made.expectations_folder(tmp_path / "expectations", text)
    database = tmp_path / "build.duckdb"
    hand_made.make_database(database)
    with duckdb.connect(str(database)) as connection:
        if sql:
            connection.execute(sql)
        results = expectations.judge(connection, load_expectations([folder]), {})
    return next(result for result in results if result.check_id.endswith(".it"))


BETWEEN = "type: expect_column_values_to_be_between, arguments: {column: rate_pct, min_value: 0, max_value: 100}"


def test_a_pass_a_fail_and_where_it_fails(tmp_path: Path) -> None:
    assert judge_one(tmp_path, BETWEEN).outcome == "pass"
    database = tmp_path / "build.duckdb"
    hand_made.make_database(database)
    with duckdb.connect(str(database)) as connection:
        connection.execute("update mart_rate set rate_pct = 140 where place_code = 'P2'")
        files = load_expectations([tmp_path / "expectations"])
        results = {r.check_id: r for r in expectations.judge(connection, files, KEYS)}
    found = results["expectation.mart_rate.it"]
    assert (found.outcome, found.failing_rows, found.observed) == ("fail", 1, "1 of 2 rows")
    assert found.locations == "place_code=P2, year=2020, rate_pct=140.0"


@pytest.mark.parametrize(
    ("body", "sql", "said"),
    [
        ("type: expect_the_unexpected, arguments: {column: rate_pct}", "", "no expectation of type"),
        (
            "type: expect_column_values_to_be_between, arguments: {column: nowhere, min_value: 0}",
            "",
            "nowhere is not there",
        ),
        ("type: expect_column_values_to_be_between, arguments: {column: rate_pct, min_valeu: 0}", "", ""),
        ("type: expect_column_values_to_be_between, arguments: {column: place_code, min_value: 0}", "", ""),
        (BETWEEN, "drop table mart_rate", "mart_rate"),
        (BETWEEN, "alter table mart_rate drop column rate_pct", "rate_pct is not there"),
        (BETWEEN, "delete from mart_rate", "no row"),
        (BETWEEN, "update mart_rate set rate_pct = null", "no value"),
        (
            "type: expect_column_max_to_be_between, arguments: {column: rate_pct, max_value: 1}",
            "delete from mart_rate",
            "no row",
        ),
        (
            "type: expect_column_mean_to_be_between, arguments: {column: rate_pct, max_value: 1}",
            "update mart_rate set rate_pct = null",
            "",
        ),
        (
            "query: select * from nowhere, type: expect_table_row_count_to_equal, arguments: {value: 0}",
            "",
            "nowhere",
        ),
        (
            "query: 'select count(*) as bad, 0 as examined from mart_rate where year > 3000', "
            "type: expect_column_values_to_be_between, arguments: {column: bad, max_value: 0}",
            "",
            "looked at no row",
        ),
        (f"applies_when: select 1, {BETWEEN}", "", "not true or false"),
        (f"applies_when: select x from nowhere, {BETWEEN}", "", "nowhere"),
    ],
)
def test_what_cannot_be_judged_is_an_error(tmp_path: Path, body: str, sql: str, said: str) -> None:
    result = judge_one(tmp_path, body, sql)
    assert result.outcome == "error", result
    assert result.blocks
    assert re.search(said, result.observed)


def test_a_profile_measured_in_the_build_is_judged(tmp_path: Path) -> None:
    body = (
        "query: 'select count(*) as examined, count(*) filter (where numerator > denominator) as too_many "
        "from mart_rate', type: expect_column_values_to_be_between, "
        "arguments: {column: too_many, min_value: 0, max_value: 0}"
    )
    passed = judge_one(tmp_path, body)
    assert (passed.outcome, passed.observed) == ("pass", "too_many = 0")
    failed = judge_one(tmp_path, body, "update mart_rate set numerator = 9")
    assert (failed.outcome, failed.observed) == ("fail", "too_many = 3")


def test_a_list_of_findings_may_be_empty_when_it_says_so(tmp_path: Path) -> None:
    body = (
        "query: select * from mart_rate where rate_pct > 100, may_be_empty: true, "
        "type: expect_table_row_count_to_equal, arguments: {value: 0}"
    )
    assert judge_one(tmp_path, body).outcome == "pass"
    assert judge_one(tmp_path, body, "update mart_rate set rate_pct = 101").outcome == "fail"


def test_an_empty_table_of_an_extract_that_is_not_there_is_not_applicable(tmp_path: Path) -> None:
    head = "table: mart_rate\napplies_when: \"select count(*) > 0 from source.extract where extract = 'unknown'\""
    assert judge_one(tmp_path, BETWEEN, "delete from mart_rate", head).outcome == "not_applicable"
    # Said not to apply, but it holds rows: then somebody is wrong.
    assert judge_one(tmp_path, BETWEEN, "", head).outcome == "error"


@pytest.mark.parametrize(
    ("sql", "red"),
    [
        ("insert into mart_rate select * from mart_rate where place_code = 'P2'", "key_is_unique"),
        ("update mart_rate set year = null where place_code = 'P2'", "key_is_complete"),
    ],
)
def test_the_key_of_every_published_table_is_judged_without_being_asked(tmp_path: Path, sql: str, red: str) -> None:
    database = tmp_path / "build.duckdb"
    hand_made.make_database(database)
    with duckdb.connect(str(database)) as connection:
        connection.execute(sql)
        found = {r.check_id: r.outcome for r in expectations.judge(connection, [], KEYS)}
    assert found[f"expectation.mart_rate.{red}"] == "fail"
    assert list(found.values()).count("fail") == 1


def test_a_missing_mart_blocks_the_build(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse" / "somewhere")
    build = hand_made.make_build(warehouse)
    with duckdb.connect(str(build.database)) as connection:
        connection.execute("drop table mart_rate")
    verdict = hand_made.judge(warehouse, build, tmp_path)
    assert verdict.outcome == "blocked" and verdict.errors == 3
    found: dict[str, Any] = {r.check_id: r.outcome for r in quality.read_results(build)}
    assert found["expectation.mart_rate.rate_is_a_share"] == "error"


def test_the_context_stands_in_the_build_and_documents_only_where_they_are_asked_for(tmp_path: Path) -> None:
    """Judging again begins anew; Data Docs are made in the build's folder, and no value of theirs decides."""
    warehouse = Warehouse(tmp_path / "warehouse" / "somewhere")
    build = hand_made.make_build(warehouse)
    context = Path(build.folder) / "gx"
    for with_documents in (False, True, False):
        folder = hand_made.expectations_folder(tmp_path / "expectations")
        rules = hand_made.rules(build, folder, tmp_path / "waivers.yml")
        assert quality.judge(warehouse, build, rules, with_documents=with_documents).outcome == "pass"
        suite = read_json(context / "expectations" / "mart_rate.json")
        assert [e["meta"]["check_id"] for e in suite["expectations"]] == ["expectation.mart_rate.rate_is_a_share"]
        documents = context / "uncommitted" / "data_docs" / "local_site" / "index.html"
        assert documents.exists() is with_documents
