"""What a gate lets through: all of a build, all but a table that stays as it was, or nothing; and waivers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import hand_made
import polars as pl
import pytest

from pipelines import exports, quality, release
from pipelines import publish as published
from pipelines.errors import BlockedError, ConfigurationError
from pipelines.ledger import Ledger
from pipelines.publish import Release
from pipelines.quality import expectations
from pipelines.quality.places import failing_rows
from pipelines.quality.withheld import without_withheld
from pipelines.records import Build, CheckResult, Verdict
from pipelines.store import Warehouse, read_json, write_json

RATE = "expectation.mart_rate.rate_is_a_share"
PLACE = "expectation.dim_place.names_are_there"
RATE_FILE = """
table: mart_rate
expectations:
  - id: rate_is_a_share
    rows: select place_code as region_code, year, rate_pct from mart_rate where rate_pct is not null
    wrong: rate_pct < 0 or rate_pct > 100
    severity: block
    blocks: {blocks}
    owner: somebody
    why: 比例在0到100之间 / A share lies between 0 and 100
    since: "2026-01-01"
"""
PLACE_FILE = """
table: dim_place
expectations:
  - id: names_are_there
    rows: select place_code as region_code, place_name from dim_place
    wrong: place_name is null
    severity: block
    blocks: table
    owner: somebody
    why: 地名都在 / Every place has a name
    since: "2026-01-01"
"""
BAD_RATES = [(*hand_made.RATES[0][:4], 140.0, *hand_made.RATES[0][5:]), *hand_made.RATES[1:]]


def ask_duckdb(connection: duckdb.DuckDBPyConnection, files: Any, keys: Any, *_: Any, **__: Any) -> list[CheckResult]:
    """What Great Expectations would say of expectations with `rows` and `wrong`, without the seconds of its import."""
    results = [expectations._result(e, "pass", "") for e in expectations.key_expectations(keys)]
    for expectation in (e for file in files for e in file.expectations):
        rows = failing_rows(connection, f"select * from ({expectation.rows}) where {expectation.wrong}")
        outcome: Any = "fail" if rows else "pass"
        results.append(expectations._result(expectation, outcome, f"{len(rows)} rows", len(rows), rows))
    return results


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expectations, "judge", ask_duckdb)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    yield Warehouse(tmp_path / "warehouse" / "somewhere")


def folder_of(tmp_path: Path, blocks: str = "table", **files: str) -> Path:
    folder = tmp_path / "expectations"
    folder.mkdir(exist_ok=True)
    texts = {"mart_rate": RATE_FILE.format(blocks=blocks), "dim_place": PLACE_FILE, **files}
    for name, text in texts.items():
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return folder


def judge(warehouse: Warehouse, build: Build, tmp_path: Path, *waivers: dict[str, Any], **files: str) -> Verdict:
    path = tmp_path / "waivers.yml"
    path.write_text(json.dumps({"waivers": waivers}), encoding="utf-8")
    return quality.judge(warehouse, build, hand_made.rules(build, folder_of(tmp_path, **files), path))


def publish(warehouse: Warehouse, tmp_path: Path, build: Build) -> Release:
    ledger = Ledger(warehouse.ledger)
    verdict = quality.require_passing(build, ledger)
    mask = Path(build.folder) / "mask.parquet"
    settings = hand_made.settings(tmp_path)
    prepared = release.prepare(warehouse, build, verdict, hand_made.JURISDICTION, mask, settings)
    return release.seal(warehouse, ledger, build, prepared, hand_made.JURISDICTION)


def released(warehouse: Warehouse, tmp_path: Path, build_id: str, rates: Any = None) -> Release:
    build = hand_made.make_build(warehouse, build_id, rates)
    judge(warehouse, build, tmp_path)
    return publish(warehouse, tmp_path, build)


def ask(folder: Path | str, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(Path(folder) / "public.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def result_of(build: Build, check_id: str) -> CheckResult:
    return next(result for result in quality.read_results(build) if result.check_id == check_id)


# -- a table that stays as it was ----------------------------------------------------------------------------------


def test_a_table_held_back_stays_as_in_the_last_release_and_the_rest_is_released(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    first = released(warehouse, tmp_path, "b1")
    build = hand_made.make_build(warehouse, "b2", BAD_RATES)
    with duckdb.connect(str(build.database)) as connection:
        connection.execute("insert into dim_place values ('P3', '丙地', '2001-01-01')")
    verdict = judge(warehouse, build, tmp_path)
    item = {"table": "mart_rate", "from_release": first.release_id, "checks": [RATE], "because_of": []}
    assert (verdict.outcome, verdict.blocking, verdict.carried_over) == ("pass", [], [item])

    second = publish(warehouse, tmp_path, build)
    assert ask(second.folder, "select * from mart_rate") == ask(first.folder, "select * from mart_rate")
    assert len(ask(second.folder, "select * from dim_place")) == 3
    rates = pl.read_parquet(Path(second.folder) / "parquet/mart_rate.parquet")
    assert rates.equals(pl.read_parquet(Path(first.folder) / "parquet/mart_rate.parquet"))
    assert read_json(Path(second.folder) / "changes.json")["tables"]["mart_rate"]["revised"] == 0


def test_a_table_held_back_is_named_in_the_manifest_and_marked_where_it_stands(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    first = released(warehouse, tmp_path, "b1")
    build = hand_made.make_build(warehouse, "b2", BAD_RATES)
    judge(warehouse, build, tmp_path)
    second = publish(warehouse, tmp_path, build)
    manifest = read_json(Path(second.folder) / "manifest.json")
    assert [(i["table"], i["from_release"], i["checks"]) for i in manifest["carried_over"]] == [
        ("mart_rate", first.release_id, [RATE])
    ]
    marked = "select table_name, carried_over_from, held_back_by from meta_table where carried_over_from is not null"
    assert ask(second.folder, marked) == [("mart_rate", first.release_id, RATE)]
    ((comment,),) = ask(second.folder, "select comment from duckdb_tables() where table_name = 'mart_rate'")
    assert first.release_id in comment and RATE in comment
    assert ask(second.folder, f"select outcome, reach from audit_check where check_id = '{RATE}'") == [
        ("fail", "table")
    ]


def test_what_is_made_from_a_table_held_back_stays_with_it(warehouse: Warehouse, tmp_path: Path) -> None:
    first = released(warehouse, tmp_path, "b1")
    build = hand_made.make_build(warehouse, "b2")
    with duckdb.connect(str(build.database)) as connection:
        connection.execute("update dim_place set place_name = null")
        connection.execute("update mart_rate set rate_pct = 1")
    verdict = judge(warehouse, build, tmp_path)
    assert [(i["table"], i["because_of"]) for i in verdict.carried_over] == [
        ("dim_place", []),
        ("mart_rate", ["dim_place"]),
    ]
    second = publish(warehouse, tmp_path, build)
    for table in ("dim_place", "mart_rate"):
        assert ask(second.folder, f"select * from {table}") == ask(first.folder, f"select * from {table}")


def test_a_table_carried_over_twice_names_the_release_that_made_its_rows(warehouse: Warehouse, tmp_path: Path) -> None:
    first = released(warehouse, tmp_path, "b1")
    for name in ("b2", "b3"):
        build = hand_made.make_build(warehouse, name, BAD_RATES)
        judge(warehouse, build, tmp_path)
        last = publish(warehouse, tmp_path, build)
    manifest = read_json(Path(last.folder) / "manifest.json")
    assert manifest["previous_release"] != first.release_id
    assert manifest["carried_over"][0]["from_release"] == first.release_id


def test_without_a_last_release_a_table_held_back_blocks_everything(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(warehouse, "b1", BAD_RATES)
    verdict = judge(warehouse, build, tmp_path)
    assert verdict.outcome == "blocked" and verdict.carried_over == []
    assert set(verdict.blocking) == {RATE, "gate.tables_held_back_can_stay_as_they_were"}
    assert "no last release" in result_of(build, "gate.tables_held_back_can_stay_as_they_were").locations


def test_a_table_whose_columns_changed_cannot_stay_and_blocks_everything(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released(warehouse, tmp_path, "b1")
    with_more(monkeypatch, flag="VARCHAR")
    build = hand_made.make_build(warehouse, "b2", [(*row, "x") for row in BAD_RATES])
    verdict = judge(warehouse, build, tmp_path)
    assert verdict.outcome == "blocked"
    assert "other columns" in result_of(build, "gate.tables_held_back_can_stay_as_they_were").locations


def test_a_check_that_is_not_declared_so_blocks_everything(warehouse: Warehouse, tmp_path: Path) -> None:
    released(warehouse, tmp_path, "b1")
    build = hand_made.make_build(warehouse, "b2", BAD_RATES)
    verdict = judge(warehouse, build, tmp_path, mart_rate=RATE_FILE.format(blocks="build"))
    assert (verdict.outcome, verdict.blocking) == ("blocked", [RATE])


def test_a_build_as_of_a_moment_carries_nothing_over(warehouse: Warehouse, tmp_path: Path) -> None:
    from dataclasses import replace

    released(warehouse, tmp_path, "b1")
    build = replace(hand_made.make_build(warehouse, "b2", BAD_RATES), as_of="2026-01-01T00:00:00Z")
    verdict = judge(warehouse, build, tmp_path)
    assert (verdict.outcome, verdict.against) == ("blocked", None)


def test_the_mask_of_this_build_also_hides_cells_of_a_table_that_stays(warehouse: Warehouse, tmp_path: Path) -> None:
    released(warehouse, tmp_path, "b1")
    build = hand_made.make_build(warehouse, "b2", BAD_RATES)
    mask = {"table_name": "mart_rate", "column_name": "numerator", "conf_status": "C", "reason": "few people"}
    key = json.dumps({"place_code": "P1", "year": "2020"})
    pl.DataFrame([{**mask, "key_json": key}]).write_parquet(Path(build.folder) / "mask.parquet")
    judge(warehouse, build, tmp_path)
    second = publish(warehouse, tmp_path, build)
    rows = ask(second.folder, "select numerator, obs_status from mart_rate where place_code = 'P1' and year = 2020")
    assert rows == [(None, "Q")]


def test_a_check_does_not_tell_what_the_mask_hides(warehouse: Warehouse, tmp_path: Path) -> None:
    """The failing row keeps its place; its figures are in no file of the release, and not in the stored results."""
    build = hand_made.make_build(warehouse, "b1", BAD_RATES)
    mask = {"table_name": "mart_rate", "column_name": "rate_pct", "conf_status": "C", "reason": "few people"}
    key = json.dumps({"place_code": "P2", "year": "2020"})
    pl.DataFrame([{**mask, "key_json": key}]).write_parquet(Path(build.folder) / "mask.parquet")
    text = RATE_FILE.format(blocks="build").replace("severity: block", "severity: warn")
    judge(warehouse, build, tmp_path, mart_rate=text)
    (result,) = [r for r in quality.read_results(build) if r.check_id == RATE]
    assert result.rows == [{"region_code": "P2", "year": "2020", "values": "withheld"}]
    sealed = publish(warehouse, tmp_path, build)
    rows = ask(sealed.folder, f"select region_code, period, details from audit_check_row where check_id = '{RATE}'")
    assert rows == [("P2", "2020", "region_code=P2, values=withheld, year=2020")]
    said = [*ask(sealed.folder, "from audit_check"), *ask(sealed.folder, "from audit_check_row")]
    assert "140" not in str([row for row in said if row[0] == RATE])
    assert "140" not in (Path(sealed.folder) / "evidence" / "checks.json").read_text(encoding="utf-8")


def test_rows_of_other_cells_and_other_tables_are_told_as_before(tmp_path: Path) -> None:
    mask = {"table_name": "mart_rate", "key_json": json.dumps({"place_code": "P1", "year": "2020"})}
    pl.DataFrame([{**mask, "column_name": "n", "conf_status": "C", "reason": "few"}]).write_parquet(tmp_path / "m")
    rows = [{"place_code": "P1", "year": "2020", "n": "3"}, {"place_code": "P1", "year": "2019", "n": "4"}]
    own = CheckResult("a", "dbt", "mart_rate", "warn", "fail", "", "2 rows", "", 2, rows=rows)
    other = CheckResult("b", "dbt", "mart_other", "warn", "fail", "", "2 rows", "", 2, rows=rows)
    cut, same = without_withheld([own, other], tmp_path / "m")
    assert cut.rows == [{"place_code": "P1", "year": "2020", "values": "withheld"}, rows[1]]
    assert "n=4" in cut.locations and "n=3" not in cut.locations
    assert same == other and without_withheld([own], tmp_path / "none") == [own]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (RATE_FILE.format(blocks="mart"), "blocks is build or table"),
        (RATE_FILE.format(blocks="table").replace("severity: block", "severity: warn"), "holds nothing up"),
    ],
)
def test_a_reach_that_is_none_is_named(warehouse: Warehouse, tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        judge(warehouse, hand_made.make_build(warehouse), tmp_path, mart_rate=text)


# -- the last release is an input ----------------------------------------------------------------------------------


def test_a_verdict_names_the_release_it_was_judged_against(warehouse: Warehouse, tmp_path: Path) -> None:
    first = released(warehouse, tmp_path, "b1")
    build = hand_made.make_build(warehouse, "b2")
    verdict = judge(warehouse, build, tmp_path)
    entry = Ledger(warehouse.ledger).last("sealed", release_id=first.release_id)
    assert entry is not None
    assert (verdict.against, verdict.against_sha256) == (first.release_id, entry.details["manifest_sha256"])


def test_a_verdict_against_a_release_that_is_no_longer_current_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(warehouse, "b1")
    judge(warehouse, build, tmp_path)
    released(warehouse, tmp_path, "b2")
    with pytest.raises(BlockedError, match="judged against no release, and that is no longer current"):
        quality.require_passing(build, Ledger(warehouse.ledger))


def test_an_expectation_can_compare_with_the_last_release(warehouse: Warehouse, tmp_path: Path) -> None:
    text = """
table: dim_place
expectations:
  - id: names_are_there
    rows: select b.place_code, a.place_name as name_now, b.place_name as name_before from previous.dim_place b
      left join dim_place a using (place_code)
    wrong: name_now is distinct from name_before
    severity: warn
    owner: somebody
    why: 地名不变 / Names stay
    since: "2026-01-01"
"""
    first = hand_made.make_build(warehouse, "b1")
    judge(warehouse, first, tmp_path, dim_place=text)
    assert result_of(first, PLACE).observed == "0 rows"  # no release, and still a table to ask
    publish(warehouse, tmp_path, first)
    second = hand_made.make_build(warehouse, "b2")
    with duckdb.connect(str(second.database)) as connection:
        connection.execute("update dim_place set place_name = '新名' where place_code = 'P1'")
    judge(warehouse, second, tmp_path, dim_place=text)
    assert result_of(second, PLACE).locations == "place_code=P1, name_now=新名, name_before=甲地"


def test_a_check_of_the_last_release_that_is_gone_blocks_unless_it_is_declared_retired(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    first = hand_made.make_build(warehouse, "b1", one={}, two={})
    judge(warehouse, first, tmp_path)
    publish(warehouse, tmp_path, first)
    later = hand_made.make_build(warehouse, "b2", one={})
    for _ in range(2):  # judging again does not make it forgotten
        verdict = judge(warehouse, later, tmp_path)
        assert verdict.blocking == ["gate.no_check_is_gone"]
        assert result_of(later, "gate.no_check_is_gone").locations == "dbt.two"
    retired = 'retired: [{check: "dbt.tw*", since: "2026-11-24", why: nobody needs it}]'
    assert judge(warehouse, later, tmp_path, retired=retired).outcome == "pass"
    with pytest.raises(ConfigurationError, match="a retired check says check, since, why"):
        judge(warehouse, later, tmp_path, retired='retired: [{check: "dbt.*"}]')


# -- published columns stay ----------------------------------------------------------------------------------------


def with_more(monkeypatch: pytest.MonkeyPatch, version: str | None = None, key: Any = None, **columns: Any) -> None:
    """The model mart_rate with other columns (None takes one away), key and version."""
    model = hand_made.MODELS["mart_rate"]
    changed = {name: kind for name, kind in {**model["columns"], **columns}.items() if kind is not None}
    model = {**model, "columns": changed, "key": key or model["key"], "version": version}
    monkeypatch.setattr(hand_made, "MODELS", {**hand_made.MODELS, "mart_rate": model})


STAYS = "contract.columns_stay.mart_rate"


@pytest.mark.parametrize(
    ("change", "rates", "seen"),
    [
        ({"is_final": None}, [(*row[:5], *row[6:]) for row in hand_made.RATES], "is_final: the column is gone"),
        ({"rate_pct": "DECIMAL(18,6)"}, hand_made.RATES, "rate_pct: type DECIMAL(18,6) (was type DOUBLE)"),
        ({"key": ["year", "place_code"]}, hand_made.RATES, "key: year, place_code (was place_code, year)"),
    ],
)
def test_a_published_column_that_goes_or_changes_blocks_until_the_version_says_so(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, rates: Any, seen: str
) -> None:
    released(warehouse, tmp_path, "b1")
    with_more(monkeypatch, **change)
    build = hand_made.make_build(warehouse, "b2", rates)
    verdict = judge(warehouse, build, tmp_path)
    assert verdict.blocking == [STAYS]
    assert seen in result_of(build, STAYS).locations
    with pytest.raises(BlockedError, match="blocking checks did not pass"):
        publish(warehouse, tmp_path, build)

    with_more(monkeypatch, version="2", **change)
    announced = hand_made.make_build(warehouse, "b3", rates)
    assert judge(warehouse, announced, tmp_path).outcome == "pass"
    folder = publish(warehouse, tmp_path, announced).folder
    assert ask(folder, "select version from meta_table where table_name = 'mart_rate'") == [("2",)]


def test_another_unit_of_a_published_column_blocks(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released(warehouse, tmp_path, "b1")
    manifest = hand_made.manifest

    def in_another_unit(*given: Any, **named: Any) -> Any:
        papers = manifest(*given, **named)
        meta = papers["nodes"]["model.junheng.mart_rate"]["columns"]["rate_pct"]["config"]["meta"]
        meta["unit"] = "per mille"
        return papers

    monkeypatch.setattr(hand_made, "manifest", in_another_unit)
    build = hand_made.make_build(warehouse, "b2")
    assert judge(warehouse, build, tmp_path).blocking == [STAYS]
    assert result_of(build, STAYS).locations == "rate_pct: unit per mille (was unit %)"


def test_a_new_column_breaks_nothing(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released(warehouse, tmp_path, "b1")
    with_more(monkeypatch, flag="VARCHAR")
    build = hand_made.make_build(warehouse, "b2", [(*row, "x") for row in hand_made.RATES])
    assert judge(warehouse, build, tmp_path).outcome == "pass"


def test_a_published_table_that_goes_blocks_until_it_is_retired(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    released(warehouse, tmp_path, "b1")
    build = hand_made.make_build(warehouse, "b2")
    papers = read_json(build.dbt_manifest)
    papers["nodes"]["model.junheng.dim_place"]["config"]["meta"]["published"] = False
    write_json(build.dbt_manifest, papers)
    verdict = judge(warehouse, build, tmp_path)
    assert "contract.columns_stay.dim_place" in verdict.blocking
    rules = hand_made.rules(build, folder_of(tmp_path), tmp_path / "waivers.yml")
    (tmp_path / "expectations" / "dim_place.yml").unlink()
    retired = replace(rules, retired_tables={"dim_place": "2026-11-24"})
    assert quality.judge(warehouse, build, retired).outcome == "pass"


def test_the_list_of_retired_tables_is_sound() -> None:
    names = {table.name for table in published.own_tables()}
    assert not names & set(published.retired_tables())


# -- waivers -------------------------------------------------------------------------------------------------------

WAIVER = {
    "check": RATE,
    "scope": {"table": "mart_rate", "region": "P2", "period": 2020},
    "reason": "the office sends the figure next week",
    "asked_by": "Li",
    "approved_by": "Wang",
    "from": "2020-01-01",
    "until": "2999-12-31",
}
FIT = "gate.waivers_are_no_wider_than_what_failed"
TWO_BAD = [(*row[:4], 140.0, *row[5:]) if row[1] == 2020 else row for row in hand_made.RATES]


def with_scope(**scope: Any) -> dict[str, Any]:
    return {**WAIVER, "scope": {"table": "mart_rate", **scope}}


def waived(warehouse: Warehouse, tmp_path: Path, rates: Any, *waivers: dict[str, Any]) -> tuple[Verdict, Build]:
    build = hand_made.make_build(warehouse, "b1", rates)
    return judge(warehouse, build, tmp_path, *waivers, mart_rate=RATE_FILE.format(blocks="build")), build


def test_a_waiver_covers_the_failing_rows_of_its_regions_and_periods(warehouse: Warehouse, tmp_path: Path) -> None:
    verdict, build = waived(warehouse, tmp_path, BAD_RATES, WAIVER)
    assert (verdict.outcome, verdict.waived, result_of(build, RATE).outcome) == ("pass", 1, "waived")
    (used,) = verdict.waivers
    assert (used["is_used"], used["rows_waived"], used["regions"], used["periods"]) == (True, 1, ["P2"], ["2020"])
    assert verdict.valid_until == "2999-12-31T23:59:59Z"


def test_several_waivers_cover_a_failure_together(warehouse: Warehouse, tmp_path: Path) -> None:
    other = with_scope(region="P1", period=2020)
    assert waived(warehouse, tmp_path, TWO_BAD, WAIVER, other)[0].outcome == "pass"
    both = with_scope(region=["P1", "P2"], period=[2020])
    assert waived(warehouse, tmp_path, TWO_BAD, both)[0].outcome == "pass"


def test_a_failure_of_which_one_row_is_not_covered_blocks_and_says_how_many_are(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    verdict, build = waived(warehouse, tmp_path, TWO_BAD, WAIVER)
    assert verdict.blocking == [RATE]
    assert result_of(build, RATE).observed.endswith("1 of 2 waived")


@pytest.mark.parametrize(
    ("scope", "problem"),
    [
        ({"region": ["P1", "P2"], "period": 2020}, "no row fails for the region P1"),
        ({"region": "P2", "period": [2019, 2020]}, "no row fails for the period 2019"),
        ({"period": 2020}, "name the region in scope: P2"),
        ({"region": "P2"}, "name the period in scope: 2020"),
        ({}, "name the region in scope: P2"),
    ],
)
def test_a_waiver_wider_than_what_failed_is_an_error(
    warehouse: Warehouse, tmp_path: Path, scope: dict[str, Any], problem: str
) -> None:
    verdict, build = waived(warehouse, tmp_path, BAD_RATES, with_scope(**scope))
    assert set(verdict.blocking) == {FIT, RATE}
    found = result_of(build, FIT)
    assert found.outcome == "error" and problem in found.locations
    assert verdict.waivers[0]["is_used"] is False


def test_a_waiver_of_places_for_a_check_that_names_none_is_an_error(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(warehouse, "b1")
    hand_made.write_results(build, not_null_mart_rate_year="fail")
    verdict = judge(warehouse, build, tmp_path, {**WAIVER, "check": "dbt.not_null_mart_rate_year"})
    assert FIT in verdict.blocking
    assert "the failing rows name none" in result_of(build, FIT).locations


def test_a_waiver_that_is_not_needed_is_shown_as_unused_and_blocks_nothing(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    verdict, _ = waived(warehouse, tmp_path, None, WAIVER)
    assert (verdict.outcome, verdict.waivers[0]["is_used"], verdict.valid_until) == ("pass", False, None)


def test_every_use_of_a_waiver_is_recorded_and_shown_at_its_table(warehouse: Warehouse, tmp_path: Path) -> None:
    _, build = waived(warehouse, tmp_path, BAD_RATES, WAIVER)
    folder = publish(warehouse, tmp_path, build).folder
    used = "select check_id, regions, periods, is_used, rows_waived, approved_by from audit_waiver"
    assert ask(folder, used) == [(RATE, "P2", "2020", True, 1, "Wang")]
    assert ask(folder, "select waived_checks from meta_table where table_name = 'mart_rate'") == [(RATE,)]
    recorded = Ledger(warehouse.ledger).last("waived")
    assert recorded is not None and recorded.details["scope"] == "table=mart_rate; region=P2; period=2020"


def test_a_waiver_of_a_delivery_names_its_period(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(warehouse, "b1")
    with duckdb.connect(str(build.database)) as connection:
        connection.execute("update source.reject set is_known = false")
    scope = {"extract": "health/beds", "period": "2020"}
    waiver = {**WAIVER, "check": "intake.numbers.health/beds", "scope": scope}
    assert judge(warehouse, build, tmp_path, waiver).outcome == "pass"
    wide = {**waiver, "scope": {"extract": "health/beds"}}
    assert FIT in judge(warehouse, build, tmp_path, wide).blocking


# -- what people see -----------------------------------------------------------------------------------------------


def page_of(folder: Path | str, name: str, page: str = "index") -> str:
    return (Path(folder) / name / f"{page}.html").read_text(encoding="utf-8")


def test_a_table_held_back_is_marked_on_the_pages(warehouse: Warehouse, tmp_path: Path) -> None:
    first = released(warehouse, tmp_path, "b1")
    assert 'mark class="held"' not in page_of(first.folder, "pages", "catalogue")
    build = hand_made.make_build(warehouse, "b2", BAD_RATES)
    judge(warehouse, build, tmp_path)
    second = publish(warehouse, tmp_path, build)
    overview = page_of(second.folder, "pages")
    assert "<code>mart_rate</code>" in overview and RATE in overview
    for page in (page_of(second.folder, "pages", "catalogue"), page_of(second.folder, "quality")):
        assert 'mark class="held"' in page and f"as in {first.release_id}" in page
    assert RATE in page_of(second.folder, "quality")


def test_a_waiver_is_shown_beside_the_table_it_touches_and_on_the_quality_page(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    _, build = waived(warehouse, tmp_path, BAD_RATES, WAIVER)
    folder = publish(warehouse, tmp_path, build).folder
    overview = page_of(folder, "pages", "catalogue")
    at = overview.index('parquet/mart_rate.parquet">mart_rate</a>')
    assert 'class="waiver" href="../quality/index.html#waivers"' in overview[at : at + 300]
    assert overview.count('class="waiver"') == 1
    page = page_of(folder, "quality")
    for text in ("Li → Wang", "table=mart_rate; region=P2; period=2020", WAIVER["reason"]):
        assert text in page


def test_the_gate_board_shows_the_last_ten_results_and_where_the_rule_changed(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    for number in range(12):
        build = hand_made.make_build(warehouse, f"b{number}")
        judge(warehouse, build, tmp_path, mart_rate=RATE_FILE.format(blocks="build"))
    stricter = RATE_FILE.format(blocks="build").replace("> 100", "> 99")
    judge(warehouse, build, tmp_path, mart_rate=stricter)
    folder = publish(warehouse, tmp_path, build).folder
    page = page_of(folder, "quality")
    entry = page[: page.index(f'<p class="id">{RATE}</p>')].rsplit("<li>", 1)[1]
    assert entry.count('class="dot ') == 10 and entry.count("newrule") == 1
    count = f"select count(*), count(distinct rule_sha256) from audit_check_history where check_id = '{RATE}'"
    assert ask(folder, count) == [(13, 2)]


def test_the_quality_page_says_which_rules_changed_and_what_was_revised(warehouse: Warehouse, tmp_path: Path) -> None:
    released(warehouse, tmp_path, "b1")
    rates = [(*hand_made.RATES[0][:4], 26.0, *hand_made.RATES[0][5:]), *hand_made.RATES[1:]]
    build = hand_made.make_build(warehouse, "b2", rates)
    stricter = RATE_FILE.format(blocks="table").replace("> 100", "> 99")
    judge(warehouse, build, tmp_path, mart_rate=stricter)
    folder = publish(warehouse, tmp_path, build).folder
    (changed,) = read_json(Path(folder) / "release.json")["checks_changed"]
    assert (changed["check_id"], changed["change"]) == (RATE, "changed")
    page = page_of(folder, "quality")
    rules = page[page.index('<section id="rules"') : page.index('<section id="verify"')]
    assert RATE in rules and "&gt; 99" in rules
    assert "<del>25.0</del> → <ins>26.0</ins>" in rules


def test_receipts_say_how_late_they_came_and_what_replaced_them(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.pages.quality_figures import receipts

    rows = [
        {"department": "health", "extract": "beds", "delivery_period": "2020", "landing_path": "p", "sequence": n,
         "received_at": datetime(2021, 2, day), "held_because": None, "is_held": False}
        for n, day in ((1, 1), (2, 11))
    ]  # fmt: skip
    card = {"extracts": [{"department": "health", "extract": "beds", "due": {"2020": "2021-02-08"}}]}
    (tmp_path / "release.json").write_text(json.dumps(card), encoding="utf-8")
    prepared = Release(tmp_path)
    monkeypatch.setattr(Release, "has", lambda *_: True)
    monkeypatch.setattr(Release, "rows", lambda *_: rows)
    first, second = receipts(prepared)
    assert (first["days_late"], first["replaced_by"]) == (0, second)
    assert (second["days_late"], second["due_on"], second["replaced_by"]) == (3, "2021-02-08", None)


def test_departments_find_their_failures_in_a_workbook_that_is_the_same_each_time(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    import fastexcel

    bytes_of = []
    for name in ("b1", "b2"):
        build = hand_made.make_build(warehouse, name)
        with duckdb.connect(str(build.database)) as connection:
            connection.execute(
                "insert into source.finding (receipt_id, department, extract, delivery_period, source_file, kind, "
                "severity, observed, expected) values ('r1', 'health', 'beds', '2020', 'beds.csv', 'new_codes', "
                "'warn', 'a new code', 'those of 2019')"
            )
        judge(warehouse, build, tmp_path)
        folder = Path(publish(warehouse, tmp_path, build).folder)
        path = folder / "quality" / "待更正_health.xlsx"
        assert 'href="待更正_health.xlsx"' in page_of(folder, "quality")
        assert f"quality/{path.name}" in read_json(folder / "manifest.json")["files"]
        bytes_of.append(path.read_bytes())
    assert bytes_of[0] == bytes_of[1]
    sheet = fastexcel.read_excel(path).load_sheet(0, header_row=None, dtypes="string").to_polars()
    line = [str(cell or "") for cell in sheet.rows()[-1]]
    assert line[2:5] == ["health/beds", "2020", "beds.csv"]
    assert "a new code" in line[9] and line[10] == "those of 2019" and " / " in line[11]


def test_a_workbook_is_marked_when_a_line_of_it_rests_on_sample_data(tmp_path: Path) -> None:
    line = {"check": "c", "severity": "warn", "found": "f", "expected": "e", "remedy": "r", "check_id": "i"}
    lines = {
        "a": [{**line, "provenance": "official"}],
        "b": [{**line, "provenance": "official"}, {**line, "department": "b", "extract": "x"}],
    }
    written = exports.write_workbooks(tmp_path, lines, {"b/x"}, "示例数据")
    assert [(w["file"], w["is_synthetic"]) for w in written] == [
        ("待更正_a.xlsx", False),
        ("示例数据_待更正_b.xlsx", True),
    ]


def test_the_history_of_one_check_can_be_asked_for(warehouse: Warehouse, tmp_path: Path) -> None:
    for name in ("b1", "b2"):
        judge(warehouse, hand_made.make_build(warehouse, name), tmp_path)
    lines = [line for line in quality.read_history(warehouse) if line["check_id"] == RATE]
    assert [(line["build_id"], line["outcome"], line["failing_rows"]) for line in lines] == [
        ("b1", "pass", 0),
        ("b2", "pass", 0),
    ]
