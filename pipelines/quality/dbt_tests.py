"""dbt's data tests as check results: the status dbt wrote down, under our severity.

dbt itself only warns, so that one failing test does not hide the others; whether it blocks is said by the
test's meta. Nothing here runs dbt.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.quality.suites import DbtTest
from pipelines.records import CheckResult, Outcome

# A test that dbt skipped has found nothing: that is not a pass.
_OUTCOME: dict[str, Outcome] = {"pass": "pass", "success": "pass", "warn": "fail", "fail": "fail"}


def judge(tests: list[DbtTest], results_path: Path) -> list[CheckResult]:
    """A result for every declared test that dbt reports on; one that dbt does not report gets none here."""
    if not results_path.exists():
        return []
    listed = json.loads(results_path.read_text(encoding="utf-8")).get("results", [])
    by_id: dict[str, dict[str, Any]] = {result["unique_id"]: result for result in listed}
    results = []
    for test in tests:
        found = by_id.get(test.unique_id)
        if found is None:
            continue
        status = str(found.get("status"))
        outcome = _OUTCOME.get(status, "error")
        failures = int(found.get("failures") or 0)
        message = str(found.get("message") or "").strip()
        observed = f"{status}: {message}" if outcome == "error" else f"{failures} rows"
        results.append(
            CheckResult(
                check_id=test.check_id, source="dbt", subject=test.subject, severity=test.severity, outcome=outcome,
                description=test.description, observed=observed,
                expected="0 rows", failing_rows=failures, locations=message if outcome == "fail" else "",
                owner=test.owner, why=test.why, since=test.since,
            )
        )  # fmt: skip
    return results
