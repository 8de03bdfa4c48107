"""Marts are contracts: a published table keeps its columns, types, units and key until its version says otherwise.

It compares what the build publishes with what the release before published. It reads no data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.quality.previous import Previous
from pipelines.records import CheckResult, TableContract

OWNER = "Junheng"
_DESCRIPTION = "已发布的列、类型、单位和键不变，除非版本升高 / Columns, types, units, key stay until the version rises"
_WHY = "A query that ran yesterday must not fail today, or answer another question, without notice"
_REMEDY = (
    "恢复该列；确需更改的，升高模型的 meta.version 并写明日期 / "
    "Bring the column back, or raise meta.version of the model and announce it with a date"
)


def check_id(table: str) -> str:
    """The id of the check of one published table."""
    return f"contract.columns_stay.{table}"


def expected(published: Sequence[TableContract], previous: Previous) -> dict[str, str]:
    """The checks that must have a result, with their table: of all that is published, now or before."""
    names = {table.name for table in published} | set(previous.tables)
    return {check_id(name): name for name in sorted(names)}


def judge(published: Sequence[TableContract], previous: Previous, retired: Mapping[str, str]) -> list[CheckResult]:
    """A result for every table that is published now or was before; `retired` says since when one is no longer."""
    now = {table.name: table for table in published}
    results = []
    for name in sorted(now.keys() | previous.tables.keys()):
        before = _contract(name, previous.tables[name]) if name in previous.tables else None
        results.append(_result(name, before, now.get(name), retired.get(name), previous.release_id))
    return results


def _contract(name: str, listed: Mapping[str, Any]) -> TableContract:
    """A table's promise as a manifest lists it."""
    return TableContract(
        name, str(listed.get("version") or "1"), list(listed["key"]), dict(listed["columns"]),
        dict(listed.get("units") or {}),
    )  # fmt: skip


def _changes(before: TableContract, now: TableContract) -> list[dict[str, str]]:
    """What a reader of the old table would stumble over."""
    found = []
    for column, kind in before.columns.items():
        if column not in now.columns:
            found.append({"column": column, "found": "the column is gone", "expected": kind})
        elif now.columns[column] != kind:
            found.append({"column": column, "found": f"type {now.columns[column]}", "expected": f"type {kind}"})
    for column, unit in before.units.items():
        if column in now.columns and now.units.get(column, "") != unit:
            found.append(
                {"column": column, "found": f"unit {now.units.get(column) or 'none'}", "expected": f"unit {unit}"}
            )
    if now.key != before.key:
        found.append({"column": "key", "found": ", ".join(now.key), "expected": ", ".join(before.key)})
    return found


def _is_higher(version: str, than: str) -> bool:
    """True when the first number of a version is higher: that is what announces a breaking change."""

    def major(text: str) -> int:
        first = text.split(".")[0]
        return int(first) if first.isdecimal() else 0

    return major(version) > major(than)


def _result(
    name: str, before: TableContract | None, now: TableContract | None, retired: str | None, release: str | None
) -> CheckResult:
    rows: list[dict[str, str]] = []
    if before is None:
        outcome, observed = "not_applicable", "it was not published before"
    elif now is None:
        outcome = "pass" if retired else "fail"
        observed = f"retired since {retired}" if retired else "the table is gone"
        rows = [] if retired else [{"column": "*", "found": observed, "expected": f"as in {release}"}]
    else:
        rows = _changes(before, now)
        is_announced = _is_higher(now.version, before.version)
        outcome = "fail" if rows and not is_announced else "pass"
        versions = f"version {before.version} to {now.version}"
        observed = f"{len(rows)} breaking changes, {versions}" if rows else "nothing broke"
        rows = [] if is_announced else rows
    return CheckResult(
        check_id=check_id(name), source="contract", subject=name, severity="block", description=_DESCRIPTION,
        outcome="fail" if outcome == "fail" else "pass" if outcome == "pass" else "not_applicable",
        observed=observed, expected=f"as in {release}" if release else "nothing was published before",
        failing_rows=len(rows), rows=rows, owner=OWNER, why=_WHY, since="2026-11-24", remedy=_REMEDY,
        locations="\n".join(f"{row['column']}: {row['found']} (was {row['expected']})" for row in rows),
        rule="columns, types, units and key as published before, unless the first number of version rises",
    )  # fmt: skip
