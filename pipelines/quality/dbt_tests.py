"""dbt's data tests as check results: the status dbt wrote down, under our severity.

dbt itself only warns, so that one failing test does not hide the others; whether it blocks is said by the
test's meta. Nothing here runs dbt; the SQL that it compiled is asked again only for the rows that failed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from pipelines.quality.places import failing_rows, line_of, listed
from pipelines.quality.suites import DbtTest
from pipelines.records import CheckResult, Outcome

# A test that dbt skipped has found nothing: that is not a pass.
LOCATIONS_SHOWN = 20
_OUTCOME: dict[str, Outcome] = {"pass": "pass", "success": "pass", "warn": "fail", "fail": "fail"}


def judge(connection: duckdb.DuckDBPyConnection, tests: list[DbtTest], results_path: Path) -> list[CheckResult]:
    """A result for every declared test that dbt reports on; one that dbt does not report gets none here.

    The build must be the default database of the connection, attached as `build`: dbt's SQL names it so.
    """
    if not results_path.exists():
        return []
    found_by_dbt = json.loads(results_path.read_text(encoding="utf-8")).get("results", [])
    by_id: dict[str, dict[str, Any]] = {result["unique_id"]: result for result in found_by_dbt}
    results = []
    for test in tests:
        found = by_id.get(test.unique_id)
        if found is None:
            continue
        status = str(found.get("status"))
        outcome = _OUTCOME.get(status, "error")
        failures = int(found.get("failures") or 0)
        message = str(found.get("message") or "").strip()
        rows = _rows(connection, test) if outcome == "fail" else []
        rule = f"{test.severity}: {' '.join(test.sql.split())}"
        where = listed([line_of(row) for row in rows], failures, LOCATIONS_SHOWN) or message
        results.append(
            CheckResult(
                check_id=test.check_id, source="dbt", subject=test.subject, severity=test.severity, outcome=outcome,
                description=test.description,
                observed=f"{status}: {message}" if outcome == "error" else f"{failures} rows",
                expected="0 rows", failing_rows=failures, locations=where if outcome == "fail" else "",
                owner=test.owner, why=test.why, since=test.since, rule=rule, remedy=test.do, reach=test.blocks,
                rows=rows,
            )
        )  # fmt: skip
    return results


def _rows(connection: duckdb.DuckDBPyConnection, test: DbtTest) -> list[dict[str, str]]:
    """The rows that a failed test returns; none where its SQL cannot be asked again. dbt's own word stands."""
    if not test.sql:
        return []
    try:
        return failing_rows(connection, test.sql)
    except duckdb.Error:
        return []
