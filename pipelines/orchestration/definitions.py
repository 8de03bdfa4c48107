"""All definitions put together, for `workspace.yaml` and, fresh each time, for tests.

Loading them needs the jurisdiction's folder and dbt's project, but no build, no release and no Dagster instance.
"""

from __future__ import annotations

import dagster as dg

from pipelines.orchestration import assets, checks, dbt, jobs, schedules, sensors
from pipelines.run import Session
from pipelines.settings import Settings


def build_definitions(settings: Settings) -> dg.Definitions:
    """The definitions of one jurisdiction and its warehouse.

    Raises ConfigurationError for a mistake in the jurisdiction's folder, FaultError when dbt cannot parse its project.
    """
    session = Session(settings)
    jurisdiction = session.jurisdiction
    manifest = dbt.load_manifest(session.warehouse)
    built = dbt.asset_specs(manifest, set(jurisdiction.reference_tables()))
    nightly = jobs.nightly_job([spec.key for spec in built])
    return dg.Definitions(
        assets=[
            *(assets.extract_asset(settings, contract) for contract in jurisdiction.contracts.values()),
            *assets.reference_assets(jurisdiction),
            assets.intake_asset(settings, jurisdiction),
            assets.build_assets(settings, manifest, built),
            assets.release_asset(settings),
        ],
        asset_checks=[checks.quality_checks(settings, dbt.judged_models(manifest))],
        jobs=[nightly, *(jobs.extract_job(extract) for extract in jurisdiction.contracts)],
        schedules=[schedules.nightly_schedule(jurisdiction, nightly)],
        sensors=[sensors.landing_sensor(settings, jurisdiction, nightly), sensors.broken_run_sensor(settings)],
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions for the jurisdiction and warehouse that the environment names."""
    return build_definitions(Settings.from_environment())
