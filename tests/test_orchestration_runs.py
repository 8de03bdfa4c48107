"""Whole runs through Dagster: the same release as the command line's, partitions, the gate, and a busy warehouse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import copy_of
from country import Country, make_country
from houses import House

pytestmark = pytest.mark.pipeline


@dataclass
class Watched:
    """A house with Dagster's definitions and memory of it."""

    house: House
    definitions: Any
    instance: Any

    def nightly(self) -> Any:
        """The nightly, as the schedule would start it."""
        job = self.definitions.resolve_job_def("nightly")
        return job.execute_in_process(instance=self.instance, raise_on_error=False)

    def read(self, extract: str, period: str) -> Any:
        """One partition of one extract, as a backfill would."""
        from pipelines.orchestration.names import job_name

        job = self.definitions.resolve_job_def(job_name(extract))
        return job.execute_in_process(instance=self.instance, partition_key=period, raise_on_error=False)

    def materialise(self, *assets: str) -> Any:
        """Chosen assets alone, as a person at the web page would."""
        import dagster as dg

        job = self.definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=self.instance, asset_selection=[dg.AssetKey(asset) for asset in assets], raise_on_error=False
        )


def watch(house: House) -> Watched:
    """The house as Dagster sees it for the first time."""
    import dagster as dg

    from pipelines.orchestration.definitions import build_definitions

    # As patient as in production, but for the waiting itself.
    settings = replace(house.settings, retries=2, retry_seconds=0.01)
    return Watched(house, build_definitions(settings), dg.DagsterInstance.ephemeral())


def events(run: Any, kind: str) -> list[Any]:
    return [event for event in run.all_events if event.event_type_value == kind]


def failure(run: Any, step: str) -> Any:
    """Why a step failed, as Dagster keeps it for the web page."""
    [event] = [event for event in events(run, "STEP_FAILURE") if event.step_key == step]
    return event.step_failure_data.user_failure_data


def steps(run: Any, kind: str) -> set[str]:
    return {event.step_key for event in events(run, kind)}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Verdania after its first night."""
    folder = tmp_path_factory.mktemp("nightly")
    made = watch(House(make_country(folder / "verdania").folder, folder / "warehouse"))
    with made.instance:
        run = made.nightly()
        assert run.success, [e.message for e in run.all_events if e.is_failure]
        assert steps(run, "STEP_SUCCESS") == {"intake", "build_tables", "judge", "release"}
        yield made


def test_both_doors_give_the_same_tables(night: Watched, verdania: House) -> None:
    """The command line has published the same country in a warehouse of its own."""
    hashes = verdania.hashes()
    assert {"dim_region", "fct_observation", "fct_population", "mart_per_capita_spending"} <= set(hashes)
    assert night.house.hashes() == hashes
    assert night.house.manifest()["build_id"] == verdania.manifest()["build_id"]


def test_what_one_door_has_done_the_other_need_not_do(night: Watched, verdania: House, tmp_path: Path) -> None:
    said = night.house.command("run", "--json")
    assert (said.returncode, json.loads(said.stdout)["outcome"]) == (0, "nothing_new")
    other = watch(copy_of(verdania, tmp_path))
    with other.instance:
        run = other.nightly()
        assert run.success and steps(run, "STEP_SUCCESS") == {"intake"}
        assert other.house.current == verdania.current
        assert periods_read(other) == periods_read(night), "what the command line has read is shown from now on"


def periods_read(watched: Watched) -> dict[str, set[str]]:
    """Per extract the partitions that Dagster shows as materialised."""
    import dagster as dg

    folder = watched.house.jurisdiction / "contracts"
    names = sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.glob("*/*.yml"))
    return {n: set(watched.instance.get_materialized_partitions(dg.AssetKey(n.split("/")))) for n in names}


def test_the_nightly_reports_every_partition_read_with_its_account(night: Watched) -> None:
    import dagster as dg

    assert periods_read(night)["health/facilities"] == {"2019", "2020"}
    assert all(periods_read(night).values())
    assert set(night.instance.get_dynamic_partitions("bureau/census")) == {"2020"}
    key = dg.AssetKey(["bureau", "census"])
    [record] = night.instance.fetch_materializations(dg.AssetRecordsFilter(key, asset_partitions=["2020"]), 1).records
    metadata = {name: value.value for name, value in record.asset_materialization.metadata.items()}
    accounted = sum(metadata[f"rows_{name}"] for name in ("accepted", "rejected", "duplicate", "ignored"))
    assert metadata["rows_read"] == accounted > 0
    [receipt] = [
        r for r in map(read_json, night.house.warehouse.receipts.glob("*.json")) if r.get("extract") == "census"
    ]
    assert metadata["sha256"] == receipt["sha256"] and metadata["receipts"] == receipt["receipt_id"]
    assert metadata["provenance"] in ("official", "synthetic")
    assert Path(metadata["file"]).is_file() and (Path(metadata["reading"]) / "accepted.parquet").is_file()


def read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.name != "seen.json" else {}


def test_the_tables_of_a_build_are_shown_with_their_rows(night: Watched) -> None:
    import dagster as dg

    manifest = night.house.manifest()
    for table in ("dim_region", "fct_observation", "mart_service_coverage"):
        event = night.instance.get_latest_materialization_event(dg.AssetKey(table))
        shown = event.asset_materialization.metadata["dagster/row_count"].value
        assert shown == manifest["tables"][table]["rows"] > 0


def test_every_check_of_the_verdict_is_shown(night: Watched) -> None:
    import dagster as dg

    verdict = read_json(night.house.warehouse.builds / night.house.manifest()["build_id"] / "verdict.json")
    [run] = [r for r in night.instance.get_run_records() if r.dagster_run.tags.get("junheng/outcome") == "published"]
    logs = night.instance.all_logs(run.dagster_run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    shown = {(e.asset_key.to_user_string(), e.check_name): e for e in (log.asset_check_evaluation for log in logs)}
    assert set(shown) == {
        (k.asset_key.to_user_string(), k.name) for k in night.definitions.resolve_asset_graph().asset_check_keys
    }
    assert shown["build", "verdict"].passed and shown["build", "verdict"].metadata["build"].value == verdict["build_id"]
    total = sum(verdict[name] for name in ("passed", "failed", "errors", "warnings", "not_applicable", "waived"))
    assert shown["build", "verdict"].metadata["checks"].value >= total > 0
    assert all(evaluation.metadata["checks"].value > 0 for evaluation in shown.values())


def test_nothing_new_builds_and_releases_nothing_and_says_so(night: Watched) -> None:
    release, builds = night.house.current, sorted(night.house.warehouse.builds.iterdir())
    run = night.nightly()
    assert run.success and steps(run, "STEP_SUCCESS") == {"intake"}
    assert steps(run, "STEP_SKIPPED") == {"build_tables", "judge", "release"}
    assert not events(run, "ASSET_MATERIALIZATION") and not events(run, "ASSET_CHECK_EVALUATION")
    [said] = [event.asset_observation_data.asset_observation for event in events(run, "ASSET_OBSERVATION")]
    assert said.description == f"nothing new: release {release} is up to date"
    assert night.instance.get_run_by_id(run.run_id).tags["junheng/outcome"] == "nothing_new"
    assert (night.house.current, sorted(night.house.warehouse.builds.iterdir())) == (release, builds)


def test_a_partition_can_be_read_alone_and_nothing_else_happens(night: Watched) -> None:
    release = night.house.current
    run = night.read("health/facilities", "2019")
    assert run.success, [e.message for e in run.all_events if e.is_failure]
    [made] = [event.step_materialization_data.materialization for event in events(run, "ASSET_MATERIALIZATION")]
    assert made.asset_key.path == ["health", "facilities"] and made.partition == "2019"
    assert made.metadata["rows_accepted"].value > 0
    assert night.house.current == release


def test_a_period_without_a_file_fails_with_what_to_do(night: Watched) -> None:
    night.instance.add_dynamic_partitions("health/facilities", ["1999"])
    run = night.read("health/facilities", "1999")
    assert not run.success
    told = failure(run, "health__facilities_delivery")
    assert "nothing is in force of health/facilities for 1999" in told.description
    assert told.metadata["where"].value.endswith("landing/health/facilities/1999") and "do" in told.metadata


def test_a_busy_warehouse_is_a_clear_failure(night: Watched) -> None:
    with night.house.warehouse.lock():
        run = night.nightly()
    assert not run.success and steps(run, "STEP_SUCCESS") == set()
    assert len(events(run, "STEP_RESTARTED")) == 2, "it was tried again before it was given up"
    told = failure(run, "intake")
    assert told.metadata["code"].value == "busy" and "another run is at work" in told.description
    assert night.nightly().success, "and it is free again"


@pytest.fixture(scope="module")
def broken(night: Watched, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Verdania with a release, after a file has come that cannot be read; the nightly has not run since."""
    broken = watch(copy_of(night.house, tmp_path_factory.mktemp("broken")))
    hands(broken).land("health/facilities", "2020", data=b"PK\x03\x04 this is no workbook")
    with broken.instance:
        broken.instance.add_dynamic_partitions("health/facilities", ["2019", "2020"])
        yield broken


def hands(watched: Watched) -> Country:
    return Country(watched.house.jurisdiction)


def test_a_file_that_cannot_be_read_fails_its_partition(broken: Watched) -> None:
    run = broken.read("health/facilities", "2020")
    assert not run.success and not events(run, "ASSET_MATERIALIZATION")
    told = failure(run, "health__facilities_delivery")
    assert "health/facilities/2020" in told.description and told.metadata["code"].value == "unreadable"
    assert broken.read("health/facilities", "2019").success


def test_a_held_delivery_alone_ends_the_night_before_anything_is_built(broken: Watched) -> None:
    before, builds = broken.house.current, sorted(broken.house.warehouse.builds.glob("*/build.json"))
    night = broken.nightly()
    assert not night.success and steps(night, "STEP_SUCCESS") == set()
    told = failure(night, "intake")
    assert told.metadata["code"].value == "blocked" and "health/facilities/2020" in told.metadata["failing"].value
    assert not events(night, "STEP_RESTARTED"), "a bad file does not mend by asking again"
    assert [(a["event"], a["phase"], a["run_id"]) for a in alerts_of(broken.house)] == [("held", "new", night.run_id)]
    (held,) = alerts_of(broken.house)
    assert [check["check_id"] for check in held["details"]["checks"]] == ["intake.readable.health/facilities"]
    assert held["owner"] == "health desk"
    again = broken.nightly()
    assert again.success and steps(again, "STEP_SUCCESS") == {"intake"}
    assert (broken.house.current, sorted(broken.house.warehouse.builds.glob("*/build.json"))) == (before, builds)


def test_the_next_night_releases_once_the_file_is_mended(broken: Watched) -> None:
    before = broken.house.current
    hands(broken).land("health/facilities", "2020", cells={(2, 1): 170, (2, 3): 205})
    run = broken.nightly()
    assert run.success, [e.message for e in run.all_events if e.is_failure]
    assert broken.house.current != before
    assert [(a["event"], a["phase"]) for a in alerts_of(broken.house)] == [("held", "new"), ("held", "resolved")]
    assert periods_read(broken)["health/facilities"] == {"2019", "2020"}


NOBODY = """
table: fct_population
expectations:
  - id: nobody_lives_there
    rows: select region_code, population from fct_population
    wrong: population > 0
    severity: block
    owner: somebody
    why: 无人居住 / Nobody lives there
    since: "2026-01-01"
"""


@pytest.fixture(scope="module")
def gated(night: Watched, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Verdania with a release, after an expectation was written that does not hold; the nightly has not run since."""
    gated = watch(copy_of(night.house, tmp_path_factory.mktemp("gated")))
    folder = gated.house.jurisdiction / "expectations"
    folder.mkdir(exist_ok=True)
    (folder / "fct_population.yml").write_text(NOBODY, encoding="utf-8")
    with gated.instance:
        yield gated


def test_a_blocked_build_is_not_released_neither_in_the_same_run_nor_alone(gated: Watched) -> None:
    """Trap: Dagster's blocking checks hold only in their own run. The release asset reads the stored verdict."""
    before = gated.house.current
    assert before

    alone = gated.materialise("release")
    assert not alone.success
    assert "have not been built" in failure(alone, "release").description

    night = gated.nightly()
    assert not night.success
    assert steps(night, "STEP_SUCCESS") == {"intake", "build_tables"}
    told = failure(night, "judge")
    assert told.metadata["code"].value == "blocked" and "nobody_lives_there" in told.metadata["failing"].value
    assert not events(night, "STEP_RESTARTED"), "a gate does not open by knocking again"
    assert [(a["event"], a["phase"], a["run_id"]) for a in alerts_of(gated.house)] == [("blocked", "new", night.run_id)]
    (blocked,) = alerts_of(gated.house)
    assert [c["check_id"] for c in blocked["details"]["checks"]] == ["expectation.fct_population.nobody_lives_there"]
    assert blocked["owner"]
    failed = {
        (e.event_specific_data.asset_key.to_user_string(), e.event_specific_data.check_name)
        for e in events(night, "ASSET_CHECK_EVALUATION")
        if not e.event_specific_data.passed and e.event_specific_data.severity.value == "ERROR"
    }
    assert failed == {("build", "verdict"), ("fct_population", "quality")}

    alone = gated.materialise("release")
    assert not alone.success
    told = failure(alone, "release")
    assert told.metadata["code"].value == "blocked" and "did not pass" in told.description
    assert "nobody_lives_there" in told.metadata["failing"].value
    assert gated.house.current == before
    assert [path.name for path in gated.house.warehouse.releases.iterdir() if path.is_dir()] == [before]


def test_the_next_night_is_up_to_date_once_the_gate_has_no_reason(gated: Watched) -> None:
    before = gated.house.current
    (gated.house.jurisdiction / "expectations" / "fct_population.yml").unlink()
    run = gated.nightly()
    assert run.success and steps(run, "STEP_SUCCESS") == {"intake"}
    assert gated.house.current == before
    assert [(a["event"], a["phase"]) for a in alerts_of(gated.house)] == [("blocked", "new"), ("blocked", "resolved")]


def test_the_nightly_does_not_undo_a_rollback(broken: Watched) -> None:
    first, second = sorted(path.name for path in broken.house.warehouse.releases.iterdir() if path.is_dir())
    assert broken.house.current == second
    assert broken.house.command("rollback", first).returncode == 0
    run = broken.nightly()
    assert run.success and steps(run, "STEP_SUCCESS") == {"intake"}
    [said] = [event.asset_observation_data.asset_observation for event in events(run, "ASSET_OBSERVATION")]
    assert said.description == f"nothing new: current stays set back to release {first}"
    assert broken.house.current == first


def test_a_run_has_one_log_of_all_its_steps(night: Watched) -> None:
    [published] = [r for r in runs_of(night.house) if r["outcome"] == "published"]
    lines = [json.loads(line) for line in Path(published["log"]).read_text(encoding="utf-8").splitlines()]
    assert [line["step"] for line in lines if line["event"] == "visit"] == [
        "intake",
        "build_tables",
        "judge",
        "release",
    ]
    assert {line["run_id"] for line in lines} == {published["run_id"]}
    assert published["door"] == "dagster nightly" and published["release"] == night.house.current
    assert published["received"] == published["read"] == len(list(night.house.warehouse.receipts.glob("*.json"))) - 1


def test_a_run_that_dagster_ends_by_force_is_told_once(night: Watched, tmp_path: Path) -> None:
    import dagster as dg
    from dagster._core.storage.dagster_run import DagsterRunStatus

    other = watch(copy_of(night.house, tmp_path))
    sensor = other.definitions.get_repository_def().get_sensor_def("broken_runs")
    with other.instance as instance:
        done = other.nightly()
        run = instance.create_run_for_job(other.definitions.resolve_job_def("nightly"))
        instance.report_run_failed(run)

        def ended(run_id: str) -> Any:
            event = next(iter(instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)))
            context = dg.build_run_status_sensor_context(
                "broken_runs", event.dagster_event, instance, instance.get_run_by_id(run_id)
            )
            return sensor(context.for_run_failure())

        assert instance.get_run_by_id(run.run_id).status == DagsterRunStatus.FAILURE
        before = len(alerts_of(other.house))
        assert "itself" in ended(done.run_id).skip_message, "the run has told of its end itself"
        assert len(alerts_of(other.house)) == before
        assert ended(run.run_id) is None
        assert "itself" in ended(run.run_id).skip_message
    told = alerts_of(other.house)[before:]
    assert [(a["event"], a["phase"]) for a in told] == [("failed", "new")] and run.run_id in told[0]["message"]


def alerts_of(house: House) -> list[dict[str, Any]]:
    """What the alert channel of a house holds: without a settings file, the file in its warehouse."""
    path = house.warehouse.logs / "alerts.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def runs_of(house: House) -> list[dict[str, Any]]:
    from pipelines.run.journal import last_runs

    return last_runs(house.warehouse, 100)


def test_a_withdrawal_is_shown_at_its_partition(night: Watched, tmp_path: Path) -> None:
    import dagster as dg

    other = watch(copy_of(night.house, tmp_path))
    path = hands(other).landing_path("health/facilities", "2019")
    path.with_name(path.name + ".withdrawn").write_text("counted twice", encoding="utf-8")
    path.unlink()
    with other.instance:
        run = other.materialise("intake")
        assert run.success
        seen = [event.asset_observation_data.asset_observation for event in events(run, "ASSET_OBSERVATION")]
        [said] = [each for each in seen if each.asset_key == dg.AssetKey(["health", "facilities"])]
        assert said.partition == "2019" and said.description.startswith("withdrawn by the department")
        assert not other.read("health/facilities", "2019").success, "nothing is in force of it"
