"""The sensors: what has landed becomes a partition and, once it lies still, a run; a run that broke off is told.

They open no delivered file: receiving is the nightly's work.
"""

# No postponed annotations here: Dagster looks at the types of its functions as they are written.
import hashlib
import json
from typing import TYPE_CHECKING

import dagster as dg

from pipelines import intake
from pipelines.errors import FaultError
from pipelines.jurisdiction import Jurisdiction
from pipelines.orchestration.names import is_read_job
from pipelines.orchestration.partitions import delivery_periods, landed_periods, missing_partitions
from pipelines.run import Session
from pipelines.run.journal import Journal, find
from pipelines.run.watching import watch
from pipelines.settings import Settings

if TYPE_CHECKING:  # Dagster gives the type no public name
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

SECONDS_BETWEEN_LOOKS = 60


def landing_sensor(
    settings: Settings, jurisdiction: Jurisdiction, nightly: "UnresolvedAssetJobDefinition"
) -> dg.SensorDefinition:
    """Makes delivery periods partitions as they land, and asks for a nightly run once new files lie still."""

    @dg.sensor(
        name="landing",
        job=nightly,
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Makes every delivery period that has landed a partition of its extract, and starts the nightly "
        "once all new files have stayed the same from one look to the next. The same files start it only once.",
    )
    def landing(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        new = {
            extract: missing
            for extract, periods in landed_periods(jurisdiction).items()
            if (missing := missing_partitions(context.instance, extract, periods))
        }
        warehouse = Session(settings).warehouse
        marks = {w.place: list(w.mark) for w in intake.waiting(jurisdiction, warehouse) if not w.waits_for_key}
        before = json.loads(context.cursor) if context.cursor else {}
        moving = sorted(path for path, mark in marks.items() if before.get(path) != mark)
        requests, said = [], "no file has landed that was not received"
        if marks and not moving:
            files = json.dumps(marks, sort_keys=True, ensure_ascii=False)
            requests = [
                dg.RunRequest(
                    run_key=hashlib.sha256(files.encode()).hexdigest()[:16],
                    tags={"junheng/landed": ", ".join(sorted(marks))[:250]},
                )
            ]
        elif moving:
            said = f"{len(moving)} new or growing file(s), to be looked at again: {', '.join(moving[:5])}"
        if new:
            periods = "; ".join(f"{extract}: {', '.join(names)}" for extract, names in new.items())
            said = f"new delivery periods: {periods}; {said}"
            context.log.info(said)
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else said,
            cursor=json.dumps(marks, ensure_ascii=False),
            dynamic_partitions_requests=[
                delivery_periods(extract).build_add_request(names) for extract, names in new.items()
            ],
        )

    return landing


def broken_run_sensor(settings: Settings) -> dg.SensorDefinition:
    """Tells of runs that ended in Dagster without a word of their own: a process killed, a step that never began."""

    @dg.run_failure_sensor(
        name="broken_runs",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Alerts about a failed run whose own steps could not: a killed process, a step that never began. "
        "A run that has told of its failure itself is passed over.",
    )
    def broken_runs(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        session = Session(settings, context.log.info)
        path = find(session.warehouse, run.run_id)
        if is_read_job(run.job_name) or (path is not None and Journal(path, run.run_id).is_finished):
            return dg.SkipReason(f"the run {run.run_id} has told of its end itself")
        asked = {"job": run.job_name}
        with watch(session, door=f"dagster {run.job_name}", asked=asked, run_id=run.run_id) as watched:
            watched.failed(
                FaultError(
                    f"the run {run.run_id} of {run.job_name} ended in Dagster without a word of its own",
                    where=f"run {run.run_id}",
                    do="look at it in Dagster's web page",
                )
            )
        return None

    return broken_runs
