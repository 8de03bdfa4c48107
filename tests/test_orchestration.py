"""What Dagster is told: the graph, its checks, jobs, schedule and sensor, and errors as people see them.

Nothing is built here; whole runs through this door are in test_orchestration_runs.py.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from country import JURISDICTION, Country, make_country

from pipelines.errors import BlockedError, BusyError
from pipelines.jurisdiction import load
from pipelines.records import CheckResult
from pipelines.settings import PROJECT_FOLDER, Settings

# Importing Dagster and letting dbt parse its project takes longer than the whole fast part may.
pytestmark = pytest.mark.pipeline

GOLDEN = Path(__file__).with_name("test_orchestration_graph.json")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("orchestration")


@pytest.fixture(scope="module")
def country(folder: Path) -> Country:
    return make_country(folder / "verdania")


@pytest.fixture(scope="module")
def settings(folder: Path, country: Country) -> Settings:
    return Settings(jurisdiction_folder=country.folder, warehouse_folder=folder / "warehouse")


@pytest.fixture(scope="module")
def definitions(settings: Settings) -> Iterator[Any]:
    from pipelines.orchestration.definitions import build_definitions

    home = os.environ.pop("DAGSTER_HOME", None)  # the definitions must come together without an instance
    try:
        yield build_definitions(settings)
    finally:
        if home is not None:
            os.environ["DAGSTER_HOME"] = home


def described(definitions: Any) -> dict[str, Any]:
    """The graph as plain JSON: what a person would draw on a board."""
    graph = definitions.resolve_asset_graph()
    nodes = {key: graph.get(key) for key in graph.get_all_asset_keys()}
    repository = definitions.get_repository_def()

    def parents(key: Any) -> set[str]:
        """What an asset is made of; intermediate models are how, not what, and may change as they like."""
        found = set()
        for parent in nodes[key].parent_keys:
            found |= parents(parent) if nodes[parent].group_name == "intermediate" else {parent.to_user_string()}
        return found

    return {
        "assets": {
            key.to_user_string(): {
                "group": node.group_name,
                "from": sorted(parents(key)),
                "partitions": node.partitions_def.name if node.partitions_def else None,
                "made_here": node.is_materializable,
            }
            for key, node in nodes.items()
            if node.group_name != "intermediate"
        },
        "checks": {
            f"{key.asset_key.to_user_string()}:{key.name}": "blocks" if graph.get(key).blocking else "warns"
            for key in graph.asset_check_keys
        },
        "jobs": {
            job.name: {
                "assets": sorted(
                    key.to_user_string()
                    for key in job.asset_layer.selected_asset_keys
                    if nodes[key].group_name != "intermediate"
                ),
                "checks": len(job.asset_layer.asset_graph.asset_check_keys),
                "partitions": job.partitions_def.name if job.partitions_def else None,
            }
            for job in repository.get_all_jobs()
            if not job.name.startswith("__")
        },
        "schedules": {
            schedule.name: {
                "job": schedule.job_name,
                "cron": schedule.cron_schedule,
                "time_zone": schedule.execution_timezone,
                "status": schedule.default_status.value,
            }
            for schedule in repository.schedule_defs
        },
        "sensors": {sensor.name: sensor.default_status.value for sensor in repository.sensor_defs},
    }


def test_the_graph_is_the_one_that_was_agreed(definitions: Any) -> None:
    """A change of lineage, checks, jobs or schedule is seen in review, as a change of the golden file."""
    found = json.dumps(described(definitions), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("JUNHENG_UPDATE_GOLDEN"):
        GOLDEN.write_text(found, encoding="utf-8")
    assert json.loads(found) == json.loads(GOLDEN.read_text(encoding="utf-8")), (
        "the graph has changed; when that is meant, run this test once with JUNHENG_UPDATE_GOLDEN=1 and commit the file"
    )


def test_every_published_table_comes_from_every_extract_and_goes_into_the_release(definitions: Any) -> None:
    graph = described(definitions)["assets"]

    def upstream(asset: str) -> set[str]:
        parents = set(graph[asset]["from"])
        return parents.union(*(upstream(parent) for parent in parents))

    extracts = {name for name, node in graph.items() if node["group"] == "extracts"}
    assert extracts == {
        "bureau/census",
        "bureau/residents",
        "treasury/budget",
        "treasury/functions",
        "health/facilities",
    }
    assert extracts <= upstream("fct_observation") and extracts <= upstream("mart_per_capita_spending")
    assert "reference/region" in upstream("dim_region")
    marts = {name for name, node in graph.items() if node["group"] == "marts"}
    assert {"dim_region", "fct_population", "mart_service_coverage", "audit_receipt"} <= marts <= upstream("release")
    staging = {name for name, node in graph.items() if node["group"] == "staging"}
    sources = {parent for name in staging for parent in graph[name]["from"]}
    assert all(source == "intake" or graph[source]["group"] in ("reference", "staging") for source in sources)
    unfed = [name for name, node in graph.items() if node["made_here"] and not node["from"] and name not in extracts]
    assert not unfed, "every table that is made here comes from somewhere"


def test_loading_definitions_makes_no_build_and_needs_no_release(definitions: Any, settings: Settings) -> None:
    warehouse = settings.warehouse_folder / "verdania"
    assert (warehouse / "builds" / "dbt_target" / "manifest.json").exists()
    assert not list(warehouse.rglob("*.duckdb")) and not (warehouse / "ledger").exists()
    assert not (warehouse / "current").exists()


def test_the_schedule_is_the_jurisdictions_own(tmp_path: Path) -> None:
    import dagster as dg

    from pipelines.orchestration.schedules import nightly_schedule

    text = JURISDICTION.replace('"30 4 * * *"', '"15 23 * * 1"').replace("Atlantic/Reykjavik", "Pacific/Auckland")
    elsewhere = load(make_country(tmp_path / "elsewhere", landed=False, jurisdiction=text).folder)
    schedule = nightly_schedule(elsewhere, dg.define_asset_job("nightly"))
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("15 23 * * 1", "Pacific/Auckland")


def test_landed_periods_become_partitions_and_files_that_lie_still_start_one_run(
    definitions: Any, settings: Settings, country: Country
) -> None:
    import dagster as dg

    sensor = definitions.get_repository_def().get_sensor_def("landing")
    cursor: str | None = None
    with dg.DagsterInstance.ephemeral() as instance:

        def tick() -> Any:
            nonlocal cursor
            context = dg.build_sensor_context(instance, cursor=cursor, definitions=definitions, sensor_name="landing")
            found = sensor.evaluate_tick(context)
            cursor = found.cursor
            return found

        first = tick()
        asked = {request.partitions_def_name: request.partition_keys for request in first.dynamic_partitions_requests}
        assert asked["bureau/census"] == ["2020"] and asked["health/facilities"] == ["2019", "2020"]
        assert not first.run_requests, "what is seen for the first time may still be on its way"
        for name, periods in asked.items():
            instance.add_dynamic_partitions(name, periods)
        growing = country.landing_path("treasury/budget", "2020")
        whole = growing.read_bytes()
        growing.write_bytes(whole[: len(whole) // 2])
        second = tick()
        assert not second.dynamic_partitions_requests and not second.run_requests
        assert "treasury/budget/2020" in second.skip_message and "again" in second.skip_message
        growing.write_bytes(whole)
        assert not tick().run_requests, "it has grown since"
        [request] = tick().run_requests
        assert "treasury/budget/2020" in request.tags["junheng/landed"]
        [again] = tick().run_requests
        assert again.run_key == request.run_key, "the same files start no second run"
        growing.write_bytes(whole + b"\r\n")
        tick()
        [other] = tick().run_requests
        assert other.run_key != request.run_key
        growing.write_bytes(whole)
    assert not (settings.warehouse_folder / "verdania" / "receipts").exists()


def test_the_instance_runs_one_at_a_time_and_sends_nothing(tmp_path: Path) -> None:
    import dagster as dg
    from dagster._core.run_coordinator import QueuedRunCoordinator

    shutil.copy(PROJECT_FOLDER / "pipelines" / "orchestration" / "dagster.yaml", tmp_path / "dagster.yaml")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1
        assert instance.telemetry_enabled is False and instance.nux_enabled is False


def test_names_are_plain_and_stay_different() -> None:
    from pipelines.orchestration.names import job_name, step_name

    ids = ["a/b_c", "a_b/c", "a/b-c", "a/b c", "统计/人口", "统计/户籍", "a/b", "a__b/c"]
    for name in (job_name, step_name):
        names = [name(extract) for extract in ids]
        assert len(set(names)) == len(ids) and all(n.isascii() and n.replace("_", "").isalnum() for n in names)
    assert not {job_name(extract) for extract in ids} & {step_name(extract) for extract in ids}


def test_an_error_says_what_where_and_what_to_do() -> None:
    from pipelines.orchestration.visits import failure_of

    busy = failure_of(BusyError("another run is at work", where="warehouse/x", do="wait"))
    assert busy.description is not None and busy.description.startswith("another run is at work")
    assert {name: value.value for name, value in busy.metadata.items()} == {
        "code": "busy",
        "where": "warehouse/x",
        "do": "wait",
    }
    blocked = failure_of(BlockedError("blocked", failing=["key_is_unique: 2 rows", "tie_out: off by one"]))
    assert "key_is_unique: 2 rows" in str(blocked.metadata["failing"].value)
    assert "tie_out: off by one" in str(blocked.description) and blocked.allow_retries is False


def result(outcome: str, severity: str = "block") -> CheckResult:
    return CheckResult(
        check_id=f"expectation.t.{outcome}", source="expectation", subject="t", severity=severity,  # type: ignore[arg-type]
        outcome=outcome, description="d", observed="3 rows", expected="0 rows",  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("results", "passed", "severity"),
    [
        ([result("pass"), result("not_applicable")], True, "WARN"),
        ([result("pass"), result("waived")], True, "WARN"),
        ([result("pass"), result("fail", "warn")], False, "WARN"),
        ([result("pass"), result("fail")], False, "ERROR"),
        ([result("error"), result("pass")], False, "ERROR"),
        ([], False, "ERROR"),
    ],
    ids=["pass", "waived", "warning", "failure", "error", "no check at all"],
)
def test_an_error_is_no_pass_and_neither_is_silence(results: list[CheckResult], passed: bool, severity: str) -> None:
    import dagster as dg

    from pipelines.orchestration.checks import of_results

    shown = of_results(dg.AssetCheckKey(dg.AssetKey("t"), "quality"), results)
    assert (shown.passed, shown.severity.value) == (passed, severity)
    failing = [r for r in results if r.outcome in ("fail", "error", "waived")]
    assert ("noticed" in shown.metadata) == bool(failing)
