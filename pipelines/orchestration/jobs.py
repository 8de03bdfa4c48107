"""The jobs: the nightly over everything, and one job per extract for backfills.

A job cannot hold assets of different partitions, so the nightly is not partitioned: its intake reads all that is
new and reports the partitions. Jobs run in one process: a process per step takes three times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from pipelines.orchestration.names import INTAKE, NIGHTLY, RELEASE, extract_key, job_name

if TYPE_CHECKING:  # Dagster gives the type no public name
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition


def nightly_job(built: list[dg.AssetKey]) -> UnresolvedAssetJobDefinition:
    """Receive, read, build, judge, release: only when something is new."""
    return dg.define_asset_job(
        NIGHTLY,
        selection=dg.AssetSelection.assets(INTAKE, *built, RELEASE),
        description="Receive and read everything new, build, judge, release. With nothing new it says so and ends.",
        executor_def=dg.in_process_executor,
    )


def extract_job(extract_id: str) -> UnresolvedAssetJobDefinition:
    """Receive and read delivery periods of one extract, for a backfill. Nothing is built or released."""
    return dg.define_asset_job(
        job_name(extract_id),
        selection=dg.AssetSelection.assets(extract_key(extract_id)),
        description=f"Receive and read delivery periods of {extract_id}; builds and releases nothing.",
        executor_def=dg.in_process_executor,
    )
