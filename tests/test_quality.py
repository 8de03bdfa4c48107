"""A verdict is only as good as its checks: what is missing, broken or empty must never count as a pass."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import hand_made
import pytest

from pipelines import protection, quality
from pipelines.errors import BlockedError, ConfigurationError
from pipelines.ledger import Ledger
from pipelines.quality import deliveries, expectations
from pipelines.quality.suites import load_expectations
from pipelines.records import Build, CheckResult, Punctuality
from pipelines.store import Warehouse, read_json, write_json


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse" / "somewhere")


@pytest.fixture
def without_great_expectations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every expectation passes: for tests of what is around it, which need not wait for its import."""

    def pass_all(_: Any, files: Any, keys: Any, *folder: Any, **documents: Any) -> list[CheckResult]:
        listed = [e for file in files for e in file.expectations] + expectations.key_expectations(keys)
        return [expectations._result(expectation, "pass", "") for expectation in listed]

    monkeypatch.setattr(expectations, "judge", pass_all)


def outcomes(build: Build) -> dict[str, str]:
    return {result.check_id: result.outcome for result in quality.read_results(build)}


def change(build: Build, sql: str) -> None:
    with duckdb.connect(str(build.database)) as connection:
        connection.execute(sql)


# -- deliveries -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "kind", "seen"),
    [
        ("update source.reading set status = 'unreadable', problem = 'not a zip file'", "readable", "not a zip file"),
        ("delete from source.reading", "readable", "never read"),
        ("update source.tie_out set rows_accepted = 2", "rows_tie_out", "read 5, accounted for 4"),
        ("update source.tie_out set rows_ignored = null", "rows_tie_out", "accounted for None"),
        ("update source.tie_out set values_missing = 0", "values_tie_out", "read 5, accounted for 4"),
        ("update source.reject set is_known = false", "numbers", "row 7, column beds: not_a_number — 5.5.4"),
    ],
)
def test_every_delivery_check_can_turn_red_and_says_where(
    warehouse: Warehouse, damage: str, kind: str, seen: str
) -> None:
    build = hand_made.make_build(warehouse)
    change(build, damage)
    with duckdb.connect(str(build.database)) as connection:
        found = {result.check_id: result for result in deliveries.judge(connection, hand_made.ON_TIME)}
    result = found[f"intake.{kind}.health/beds"]
    assert result.outcome == "fail" and result.blocks
    assert seen in result.locations


def test_a_reading_without_an_account_is_an_error(warehouse: Warehouse) -> None:
    build = hand_made.make_build(warehouse)
    change(build, "delete from source.tie_out")
    with duckdb.connect(str(build.database)) as connection:
        found = {result.check_id: result.outcome for result in deliveries.judge(connection, hand_made.ON_TIME)}
    assert found["intake.rows_tie_out.health/beds"] == "error"
    assert found["intake.values_tie_out.health/beds"] == "error"


# One change of the account for each kind of check that counts rejects or findings.
REJECT = "update source.reject set is_known = false, rule = '{}'"
FINDING = (
    "insert into source.finding (receipt_id, department, extract, delivery_period, source_file, kind, severity, "
    "observed, expected) values ('r1', 'health', 'beds', '2020', 'beds.csv', '{}', '{}', 'this', 'that')"
)


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("volume", REJECT.format("row_count")),
        ("keys", REJECT.format("duplicate_key")),
        ("codes", REJECT.format("unknown_region")),
        ("numbers", REJECT.format("not_a_number")),
        ("ranges", REJECT.format("below_minimum")),
        ("no_other_reject", REJECT.format("a_rule_of_tomorrow")),
        ("totals", FINDING.format("control_total", "block")),
        ("corrections", FINDING.format("correction", "block")),
        ("units", FINDING.format("unit_jump", "block")),
        ("shrinking", FINDING.format("shrinking_delivery", "block")),
        ("columns", FINDING.format("missing_column", "warn")),
        ("types", FINDING.format("type", "warn")),
        ("new_codes", FINDING.format("new_codes", "warn")),
        ("row_counts", FINDING.format("row_count", "warn")),
        ("no_other_finding", FINDING.format("a_finding_of_tomorrow", "block")),
    ],
)
def test_each_kind_of_reject_and_finding_turns_its_own_check_red_and_no_other(
    warehouse: Warehouse, kind: str, damage: str
) -> None:
    build = hand_made.make_build(warehouse)
    change(build, damage)
    with duckdb.connect(str(build.database)) as connection:
        results = deliveries.judge(connection, hand_made.ON_TIME)
    (red,) = [result for result in results if result.outcome == "fail"]
    assert red.check_id == f"intake.{kind}.health/beds"
    assert red.blocks is not ("'warn'" in damage)
    assert (
        red.failing_rows == 1 and red.rows[0]["source_file"] == "beds.csv" and red.rows[0]["delivery_period"] == "2020"
    )
    assert red.remedy


@pytest.mark.parametrize(("said", "blocks"), [("block", True), ("warn", False)])
def test_how_grave_a_finding_is_stands_in_the_contract(warehouse: Warehouse, said: str, blocks: bool) -> None:
    build = hand_made.make_build(warehouse)
    change(build, FINDING.format("new_codes", said))
    change(build, FINDING.format("new_codes", "note"))
    with duckdb.connect(str(build.database)) as connection:
        found = {result.check_id: result for result in deliveries.judge(connection, hand_made.ON_TIME)}
    result = found["intake.new_codes.health/beds"]
    assert (result.outcome, result.failing_rows, result.blocks) == ("fail", 1, blocks)


def test_without_a_table_or_column_of_the_account_a_delivery_check_is_an_error(warehouse: Warehouse) -> None:
    """The result is an error, or the thing was not looked at; and each check looks at something."""
    build = hand_made.make_build(warehouse)
    for damage in (REJECT.format("duplicate_key"), FINDING.format("unit_jump", "block")):
        change(build, damage)
    errors = dict.fromkeys(deliveries.KINDS, 0)
    with duckdb.connect(str(build.database)) as connection:
        before = {r.check_id: (r.outcome, r.observed) for r in deliveries.judge(connection, hand_made.ON_TIME)}
        columns = "select table_name, column_name from duckdb_columns() where schema_name = 'source'"
        for table, column in connection.execute(columns).fetchall():
            for what in (f'drop table source."{table}"', f'alter table source."{table}" drop column "{column}"'):
                connection.begin()
                connection.execute(what)
                results = deliveries.judge(connection, hand_made.ON_TIME)
                connection.rollback()
                for result in results:
                    assert result.outcome == "error" or (result.outcome, result.observed) == before[result.check_id]
                    errors[result.check_id.split(".")[1]] += result.outcome == "error"
                if table == "extract" and column in ("department", "extract", "owner"):
                    assert results == []  # the gate then misses every one of them
    assert [kind for kind, count in errors.items() if not count and kind != "on_time"] == []


@pytest.mark.usefixtures("without_great_expectations")
def test_without_the_list_of_extracts_the_build_is_blocked(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(warehouse)
    change(build, "drop table source.extract")
    verdict = hand_made.judge(warehouse, build, tmp_path)
    assert verdict.blocking == ["gate.every_kind_of_check_is_there"]


def test_an_extract_nobody_delivered_is_not_applicable_and_not_passed(warehouse: Warehouse) -> None:
    build = hand_made.make_build(warehouse)
    change(build, "insert into source.extract (department, extract) values ('housing', 'repairs')")
    on_time = {**hand_made.ON_TIME, "housing/repairs": Punctuality("housing/repairs", "warn", is_agreed=True)}
    with duckdb.connect(str(build.database)) as connection:
        found = {result.check_id: result.outcome for result in deliveries.judge(connection, on_time)}
    assert {found[f"intake.{kind}.housing/repairs"] for kind in deliveries.KINDS} == {"not_applicable"}


def test_what_a_later_file_replaced_is_not_judged(warehouse: Warehouse) -> None:
    build = hand_made.make_build(warehouse)
    change(build, "update source.receipt set is_in_force = false")
    change(build, "update source.tie_out set rows_accepted = 2")
    with duckdb.connect(str(build.database)) as connection:
        assert {result.outcome for result in deliveries.judge(connection, hand_made.ON_TIME)} == {"not_applicable"}


# -- dbt --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("pass", "pass"), ("warn", "fail"), ("fail", "fail"), ("error", "error"), ("skipped", "error")],
)
@pytest.mark.usefixtures("without_great_expectations")
def test_a_dbt_test_blocks_unless_it_passed(warehouse: Warehouse, tmp_path: Path, status: str, outcome: str) -> None:
    build = hand_made.make_build(warehouse)
    hand_made.write_results(build, not_null_mart_rate_year=status)
    verdict = hand_made.judge(warehouse, build, tmp_path)
    assert outcomes(build)["dbt.not_null_mart_rate_year"] == outcome
    assert verdict.outcome == ("pass" if outcome == "pass" else "blocked")


@pytest.mark.usefixtures("without_great_expectations")
def test_a_dbt_test_that_only_warns_does_not_block(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(warehouse, not_null_mart_rate_year={"severity": "warn", "owner": "statistics"})
    hand_made.write_results(build, not_null_mart_rate_year="warn")
    verdict = hand_made.judge(warehouse, build, tmp_path)
    assert (verdict.outcome, verdict.warnings) == ("pass", 1)
    result = next(r for r in quality.read_results(build) if r.source == "dbt")
    assert (result.owner, result.subject, result.failing_rows) == ("statistics", "mart_rate", 2)


# -- the checking of the checking ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("without_great_expectations")
def test_a_check_that_gave_no_result_blocks(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(warehouse, one={}, two={})
    results = read_json(build.dbt_results)
    write_json(build.dbt_results, {"results": [r for r in results["results"] if ".two." not in r["unique_id"]]})
    verdict = hand_made.judge(warehouse, build, tmp_path)
    assert verdict.outcome == "blocked"
    assert "dbt.two" in verdict.blocking and "gate.every_expected_check_ran" in verdict.blocking


@pytest.mark.usefixtures("without_great_expectations")
@pytest.mark.parametrize("missing", ["deliveries", "dbt data tests", "expectations"])
def test_an_empty_set_of_checks_blocks(warehouse: Warehouse, tmp_path: Path, missing: str) -> None:
    build = hand_made.make_build(warehouse)
    text = hand_made.EXPECTATIONS
    papers = read_json(build.dbt_manifest)
    if missing == "deliveries":
        change(build, "delete from source.extract")
    elif missing == "dbt data tests":
        papers["nodes"] = {k: v for k, v in papers["nodes"].items() if v["resource_type"] != "test"}
    else:
        text = "table: mart_rate\nexpectations: []\n"
        papers["nodes"] = {k: v for k, v in papers["nodes"].items() if v["resource_type"] == "test"}
    write_json(build.dbt_manifest, papers)
    verdict = hand_made.judge(warehouse, build, tmp_path, text)
    assert verdict.outcome == "blocked"
    assert verdict.blocking == ["gate.every_kind_of_check_is_there"]


@pytest.mark.usefixtures("without_great_expectations")
def test_the_history_keeps_every_result_of_every_build_also_across_a_change_of_the_rule(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    hand_made.judge(warehouse, hand_made.make_build(warehouse, "b1"), tmp_path)
    with warehouse.checks.open("a", encoding="utf-8") as handle:
        handle.write('{"build_id": "torn')  # a crash while writing
    hand_made.judge(warehouse, hand_made.make_build(warehouse, "b2"), tmp_path)
    stricter = hand_made.EXPECTATIONS.replace("max_value: 100", "max_value: 50")
    hand_made.judge(warehouse, hand_made.make_build(warehouse, "b3"), tmp_path, stricter)
    of_one = [
        line for line in quality.read_history(warehouse) if line["check_id"] == "expectation.mart_rate.rate_is_a_share"
    ]
    assert [line["build_id"] for line in of_one] == ["b1", "b2", "b3"]
    assert [json.loads(line["rule"])["arguments"]["max_value"] for line in of_one] == [100, 100, 50]
    assert of_one[0]["rule_sha256"] == of_one[1]["rule_sha256"] != of_one[2]["rule_sha256"]
    assert [line["threshold"].partition("max_value=")[2] for line in of_one] == ["100)", "100)", "50)"]
    # The rule itself is written down once, not with every result.
    text = warehouse.checks.read_text(encoding="utf-8")
    assert text.count('max_value\\": 100') == 1 and text.count('max_value\\": 50') == 1


def test_a_build_that_is_still_being_written_is_not_judged(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(warehouse)
    Path(f"{build.database}.wal").write_bytes(b"x")
    with pytest.raises(Exception, match="still being written"):
        hand_made.judge(warehouse, build, tmp_path)


# -- expectation files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("table: [", "not valid YAML"),
        ("expectations: []", "names its table"),
        ("table: t\nexpectation: []", "unknown field expectation"),
        ("table: t\nexpectations: [x]", "an expectation is a mapping"),
        ("table: t\nexpectations: [{id: a, type: b}]", "severity, owner, why, since missing"),
        ("table: t\nexpectations: [{id: a, type: b, severity: stop, owner: o, why: w, since: s}]", "block or warn"),
        ("table: t\nexpectations: [{id: a, type: b, severity: warn, owner: o, why: w, since: s, mostly: 1}]", "mostly"),
        (
            "table: t\nexpectations:\n" + "  - {id: a, type: b, severity: warn, owner: o, why: w, since: s}\n" * 2,
            "already in",
        ),
    ],
)
def test_a_mistake_in_an_expectation_file_is_named(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as error:
        load_expectations([hand_made.expectations_folder(tmp_path, text)])
    assert "mart_rate.yml" in error.value.where


# -- waivers -----------------------------------------------------------------------------------------------------

WAIVER = {
    "check": "dbt.not_null_mart_rate_year",
    "scope": {"table": "mart_rate"},
    "reason": "the office sends the year next week",
    "asked_by": "Li",
    "approved_by": "Wang",
    "from": "2020-01-01",
    "until": "2999-12-31",
}


def judge_with_waivers(warehouse: Warehouse, build: Build, tmp_path: Path, *waivers: dict[str, Any]) -> Any:
    path = tmp_path / "waivers.yml"
    path.write_text(json.dumps({"waivers": waivers}), encoding="utf-8")
    folder = hand_made.expectations_folder(tmp_path / "expectations")
    return quality.judge(warehouse, build, hand_made.rules(build, folder, path))


@pytest.mark.usefixtures("without_great_expectations")
def test_a_waiver_covers_exactly_its_check_and_is_recorded(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(warehouse, not_null_mart_rate_year={}, other={})
    hand_made.write_results(build, not_null_mart_rate_year="fail", other="fail")
    verdict = judge_with_waivers(warehouse, build, tmp_path, WAIVER)
    assert outcomes(build)["dbt.not_null_mart_rate_year"] == "waived"
    assert verdict.blocking == ["dbt.other"]
    assert (verdict.waived, verdict.waivers[0]["is_used"], verdict.valid_until) == (1, True, "2999-12-31T23:59:59Z")
    recorded = Ledger(warehouse.ledger).last("waived")
    assert recorded is not None and recorded.details["approved_by"] == "Wang"


@pytest.mark.usefixtures("without_great_expectations")
def test_a_waiver_does_not_excuse_an_error(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(warehouse)
    hand_made.write_results(build, not_null_mart_rate_year="error")
    verdict = judge_with_waivers(warehouse, build, tmp_path, WAIVER)
    assert (verdict.outcome, verdict.waived) == ("blocked", 0)


@pytest.mark.usefixtures("without_great_expectations")
def test_a_waiver_that_is_not_yet_in_force_is_not_used(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(warehouse)
    hand_made.write_results(build, not_null_mart_rate_year="fail")
    verdict = judge_with_waivers(warehouse, build, tmp_path, {**WAIVER, "from": "2999-01-01"})
    assert (verdict.outcome, verdict.waivers) == ("blocked", [])


@pytest.mark.usefixtures("without_great_expectations")
@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"approved_by": " li "}, "the same person"),
        ({"until": "2020-06-30"}, "expired"),
        ({"check": "dbt.no_such_test"}, "there is no check"),
        ({"check": "gate.every_expected_check_ran"}, "there is no check"),
        ({"scope": {"table": "dim_place"}}, "is about mart_rate, not table dim_place"),
        ({"scope": {"table": "mart_rate", "year": 2020}}, "scope knows no year"),
        ({"scope": {"table": "mart_rate", "extract": "health/beds"}}, "exactly one"),
        ({"scope": {"table": "mart_rate", "region": []}}, "region in scope is empty"),
        ({"scope": "everything"}, "exactly one"),
        ({"reason": ""}, "reason missing"),
        ({"from": "soon"}, "are dates"),
        ({"from": "2999-12-31", "until": "2999-12-30"}, "before from"),
        ({"severity": "warn"}, "unknown field"),
    ],
)
def test_a_waiver_that_is_not_right_is_refused(
    warehouse: Warehouse, tmp_path: Path, wrong: dict[str, Any], problem: str
) -> None:
    build = hand_made.make_build(warehouse)
    with pytest.raises(ConfigurationError, match=problem):
        judge_with_waivers(warehouse, build, tmp_path, {**WAIVER, **wrong})
    assert quality.read_verdict(build) is None


# -- the refusal ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("without_great_expectations")
@pytest.mark.parametrize(
    ("tamper", "problem"),
    [
        (lambda b: Path(b.folder, "verdict.json").unlink(), "has no verdict"),
        (lambda b: Path(b.folder, "verdict.json").write_text("{", encoding="utf-8"), "not readable"),
        (lambda b: _edit(b, "verdict.json", '"passed": ', '"passed": 1'), "not the one that the ledger recorded"),
        (lambda b: _edit(b, "checks.json", "0 rows", "1 rows"), "check results are not the ones"),
        (lambda b: change(b, "update mart_rate set numerator = 2"), "database is not the one that was judged"),
        (lambda b: Path(b.folder, "mask.parquet").unlink(), "mask is not the one"),
    ],
)
def test_a_build_whose_verdict_does_not_hold_is_refused(
    warehouse: Warehouse, tmp_path: Path, tamper: Any, problem: str
) -> None:
    build = hand_made.make_build(warehouse)
    verdict = hand_made.judge(warehouse, build, tmp_path)
    assert quality.require_passing(build, Ledger(warehouse.ledger)) == verdict
    tamper(build)
    with pytest.raises(BlockedError, match=problem):
        quality.require_passing(build, Ledger(warehouse.ledger))


def _edit(build: Build, name: str, old: str, new: str) -> None:
    path = Path(build.folder, name)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.usefixtures("without_great_expectations")
def test_a_hand_made_pass_is_refused_even_when_every_hash_in_it_is_right(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(warehouse)
    hand_made.write_results(build, not_null_mart_rate_year="fail")
    blocked = hand_made.judge(warehouse, build, tmp_path)
    write_json(Path(build.folder, "verdict.json"), replace(blocked, outcome="pass", blocking=[], failed=0).as_dict())
    with pytest.raises(BlockedError, match="ledger"):
        quality.require_passing(build, Ledger(warehouse.ledger))


@pytest.mark.usefixtures("without_great_expectations")
def test_the_verdict_of_another_build_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    first, second = hand_made.make_build(warehouse, "b1"), hand_made.make_build(warehouse, "b2")
    hand_made.judge(warehouse, first, tmp_path)
    for name in ("verdict.json", "checks.json"):
        Path(second.folder, name).write_bytes(Path(first.folder, name).read_bytes())
    with pytest.raises(BlockedError, match="of another build, b1"):
        quality.require_passing(second, Ledger(warehouse.ledger))


@pytest.mark.usefixtures("without_great_expectations")
def test_a_blocked_build_is_refused_with_its_failing_checks(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(warehouse)
    change(build, "update source.tie_out set rows_accepted = 2")
    hand_made.judge(warehouse, build, tmp_path)
    with pytest.raises(BlockedError) as error:
        quality.require_passing(build, Ledger(warehouse.ledger))
    assert error.value.exit_code == 3
    assert "intake.rows_tie_out.health/beds" in error.value.failing[0]
    assert "beds.csv" in error.value.failing[0]


@pytest.mark.usefixtures("without_great_expectations")
def test_a_verdict_past_its_time_is_refused(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = hand_made.make_build(warehouse)
    hand_made.write_results(build, not_null_mart_rate_year="fail")
    judge_with_waivers(warehouse, build, tmp_path, WAIVER)
    quality.require_passing(build, Ledger(warehouse.ledger))

    class Later:
        @staticmethod
        def now(_: Any) -> Any:
            from datetime import UTC, datetime

            return datetime(3000, 1, 1, tzinfo=UTC)

    monkeypatch.setattr("pipelines.quality.verdict.datetime", Later)
    with pytest.raises(BlockedError, match="valid until 2999-12-31"):
        quality.require_passing(build, Ledger(warehouse.ledger))


# -- the mask ------------------------------------------------------------------------------------------------------


def test_a_disclosure_method_that_does_not_exist_is_refused(warehouse: Warehouse) -> None:
    build = hand_made.make_build(warehouse)
    with pytest.raises(ConfigurationError, match="there are: none"):
        protection.make_mask(build, {"method": "small_counts", "reason": "x"})
    with pytest.raises(ConfigurationError, match="without a reason"):
        protection.make_mask(build, {"method": "none", "reason": " "})
