"""The checks of the checking: all ran, every kind is there, none was deleted, waivers fit, what stays can stay.

They look at results and at what was expected, never at data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.quality.previous import Previous
from pipelines.quality.suites import Manifest, Retired
from pipelines.records import CheckResult, TableContract

EVERY_CHECK_RAN = "gate.every_expected_check_ran"
EVERY_KIND_IS_THERE = "gate.every_kind_of_check_is_there"
NO_CHECK_IS_GONE = "gate.no_check_is_gone"
WAIVERS_FIT = "gate.waivers_are_no_wider_than_what_failed"
CAN_BE_CARRIED_OVER = "gate.tables_held_back_can_stay_as_they_were"
_KINDS = {"intake": "deliveries", "dbt": "dbt data tests", "expectation": "expectations"}


def _gate(check_id: str, bad: list[str], observed: str, expected: str, description: str, why: str) -> CheckResult:
    return CheckResult(
        check_id=check_id, source="gate", subject="verdict", severity="block", outcome="error" if bad else "pass",
        description=description, observed=observed, expected=expected, failing_rows=len(bad),
        locations="\n".join(bad), owner="Junheng", why=why, since="1", rule=f"{check_id}, version 1",
    )  # fmt: skip


def judge(
    results: list[CheckResult],
    expected: Mapping[str, str],
    before: set[str],
    retired: Sequence[Retired],
    retired_tables: Mapping[str, str],
) -> list[CheckResult]:
    """Results of the gates, and one error for every expected check that gave none.

    `before` are the checks behind the last release. One of them that is no longer made is an error, unless it is
    declared retired, its table is, or the contract of its extract is gone.
    """
    found = Counter(result.check_id for result in results)
    missing = sorted(set(expected) - set(found))
    doubled = sorted(check_id for check_id, count in found.items() if count > 1)
    absent = [name for kind, name in _KINDS.items() if not any(r.source == kind for r in results)]
    extracts = {subject for check_id, subject in expected.items() if check_id.startswith("intake.")}
    gone = [
        check_id
        for check_id in sorted(before - set(found) - set(missing))
        if not any(item.covers(check_id) for item in retired)
        and not (check_id.startswith("intake.") and extracts and check_id.split(".", 2)[2] not in extracts)
        and not any(check_id.startswith((f"expectation.{t}.", f"contract.columns_stay.{t}")) for t in retired_tables)
    ]
    return [
        *(
            CheckResult(
                check_id=check_id, source="gate", subject=expected[check_id], severity="block", outcome="error",
                description="这项检查没有结果 / This check gave no result", observed="no result", expected="a result",
                why="A check that did not run is not a pass", owner="Junheng", since="1",
            )
            for check_id in missing
        ),
        _gate(
            EVERY_CHECK_RAN, missing + doubled, f"{len(expected) - len(missing)} of {len(expected)}",
            f"{len(expected)} checks, each once", "应有的检查都有且只有一个结果 / Every expected check has one result",
            "A check that did not run is not a pass",
        ),
        _gate(
            EVERY_KIND_IS_THERE, absent, f"{len(_KINDS) - len(absent)} of {len(_KINDS)} kinds",
            ", ".join(_KINDS.values()), "各类检查都在 / Every kind of check is there",
            "An empty set of checks is not a pass",
        ),
        _gate(
            NO_CHECK_IS_GONE, gone, f"{len(gone)} gone", "0 gone",
            "上次发布有的检查这次还在，或已写明停用 / Every check of the last release is there, or declared retired",
            "A check that is taken out when it turns red finds nothing",
        ),
    ]  # fmt: skip


def waivers_fit(problems: list[str], waivers: int) -> CheckResult:
    """An error when a waiver in force is wider than what failed."""
    return _gate(
        WAIVERS_FIT, problems, f"{len(problems)} of {waivers} waivers do not fit", "each within what failed",
        "豁免不宽于实际不通过的范围 / No waiver is wider than what failed",
        "What fails later elsewhere must not pass under an exception made for something else",
    )  # fmt: skip


def carried_over(
    results: list[CheckResult], manifest: Manifest, published: Sequence[TableContract], previous: Previous
) -> tuple[list[dict[str, Any]], list[str]]:
    """The tables that stay as they were in the last release, and why one of them cannot.

    A table whose own check holds it up stays, and so does every published table that is made from it. Each says in
    which release its rows were made: carried over twice, it is the older one.
    """
    failing: dict[str, list[str]] = {}
    for result in results:
        if result.holds_back:
            failing.setdefault(result.subject, []).append(result.check_id)
    now = {table.name: table for table in published}
    held: dict[str, dict[str, Any]] = {}
    problems = []
    for table, checks in sorted(failing.items()):
        if table not in manifest.keys:
            problems.append(f"{table}: it is no published table of dbt, so nothing can stand in for it")
            continue
        for name in [table, *manifest.hanging_on(table)]:
            item = held.setdefault(name, {"table": name, "from_release": "", "checks": [], "because_of": []})
            item["checks"] = sorted({*item["checks"], *checks})
            if name != table:
                item["because_of"] = sorted({*item["because_of"], table})
    for name, item in held.items():
        before = previous.tables.get(name)
        if previous.release_id is None:
            problems.append(f"{name}: there is no last release to take it from")
        elif before is None:
            problems.append(f"{name}: the release {previous.release_id} does not hold it")
        elif before["columns"] != now[name].columns or list(before["key"]) != now[name].key:
            problems.append(f"{name}: in the release {previous.release_id} it has other columns or another key")
        else:
            item["from_release"] = previous.carried_over.get(name, previous.release_id)
    return sorted(held.values(), key=lambda item: str(item["table"])), problems


def can_be_carried_over(held: list[dict[str, Any]], problems: list[str], previous: Previous) -> CheckResult:
    """An error when a table is held back and cannot stay as it was; then nothing is released."""
    tables = ", ".join(str(item["table"]) for item in held)
    return _gate(
        CAN_BE_CARRIED_OVER, problems, f"held back: {tables}" if held else "no table is held back",
        f"each as it is in {previous.release_id}" if previous.release_id else "no table held back",
        "被留下的表可沿用上次发布 / Every table that is held back can stay as it was in the last release",
        "A release with a table missing is no release",
    )  # fmt: skip
