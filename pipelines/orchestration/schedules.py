"""The schedule: the nightly, at the hour and in the time zone that the jurisdiction names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from pipelines.jurisdiction import Jurisdiction

if TYPE_CHECKING:  # Dagster gives the type no public name
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition


def nightly_schedule(jurisdiction: Jurisdiction, job: UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    """The nightly's schedule. It is on from the start: with nothing new a run costs seconds and changes nothing."""
    return dg.ScheduleDefinition(
        job=job,
        cron_schedule=jurisdiction.schedule,
        execution_timezone=jurisdiction.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"{jurisdiction.schedule}, {jurisdiction.time_zone}",
    )
