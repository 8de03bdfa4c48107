"""Judging a build: checks of deliveries, dbt's data tests and Great Expectations, waivers, and one verdict.

Only this room knows Great Expectations and pandas, and imports them only while it judges. It changes no data;
it stores results and verdict beside the build and refuses, through `require_passing`, what did not pass.
"""

from __future__ import annotations

from pipelines.quality.expectations import preload
from pipelines.quality.history import read_history, rule_sha256
from pipelines.quality.places import ADDRESS, period_of, region_of
from pipelines.quality.verdict import Rules, judge, read_results, read_verdict, require_passing

__all__ = [
    "ADDRESS",
    "Rules",
    "judge",
    "period_of",
    "preload",
    "read_history",
    "read_results",
    "read_verdict",
    "region_of",
    "require_passing",
    "rule_sha256",
]
