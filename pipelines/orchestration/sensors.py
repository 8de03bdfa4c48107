"""The sensor: it notices delivery periods as they land, so that they can be seen and materialised by hand.

It starts no run and opens no file: receiving is the nightly's work, or that of a person.
"""

# No postponed annotations here: Dagster looks at the types of its functions as they are written.
import dagster as dg

from pipelines.jurisdiction import Jurisdiction
from pipelines.orchestration.partitions import delivery_periods, landed_periods, missing_partitions


def landing_sensor(jurisdiction: Jurisdiction) -> dg.SensorDefinition:
    """Makes every delivery period with a landed file a partition of its extract."""

    @dg.sensor(
        name="landing",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Makes every delivery period that has landed a partition of its extract. Starts no run.",
    )
    def landing(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        new = {
            extract: missing
            for extract, periods in landed_periods(jurisdiction).items()
            if (missing := missing_partitions(context.instance, extract, periods))
        }
        if not new:
            return dg.SensorResult(skip_reason="no new delivery period has landed")
        said = "; ".join(f"{extract}: {', '.join(periods)}" for extract, periods in new.items())
        return dg.SensorResult(
            skip_reason=f"new delivery periods, to be read by the nightly: {said}",
            dynamic_partitions_requests=[
                delivery_periods(extract).build_add_request(periods) for extract, periods in new.items()
            ],
        )

    return landing
