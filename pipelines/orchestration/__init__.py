"""Dagster: the second door to `run`, one of Dagster's concepts per module.

No step's logic is here, and no other room knows Dagster. What a step does is `pipelines.run`'s; these modules
only say what depends on what, when it runs, and how it is shown.
"""

from __future__ import annotations

from pipelines.settings import switch_telemetry_off

switch_telemetry_off()  # before anything imports Dagster or dbt
