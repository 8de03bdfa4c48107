"""Judging a build: checks of deliveries, dbt's data tests and Great Expectations, waivers, and one verdict.

Only this room knows Great Expectations and pandas, and imports them only while it judges. It changes no data;
it stores results and verdict beside the build and refuses, through `require_passing`, what did not pass.
"""

from __future__ import annotations

from pipelines.quality.deliveries import check_of_finding
from pipelines.quality.deliveries import faults as delivery_faults
from pipelines.quality.expectations import preload
from pipelines.quality.history import read_history, rule_sha256
from pipelines.quality.places import ADDRESS, period_of, region_of
from pipelines.quality.verdict import Rules, judge, read_results, read_verdict, require_passing
from pipelines.quality.waivers import Waiver, is_covered, load_waivers, waivers_in_force

__all__ = [
    "ADDRESS",
    "Rules",
    "Waiver",
    "check_of_finding",
    "delivery_faults",
    "is_covered",
    "judge",
    "load_waivers",
    "period_of",
    "preload",
    "read_history",
    "read_results",
    "read_verdict",
    "region_of",
    "require_passing",
    "rule_sha256",
    "waivers_in_force",
]
