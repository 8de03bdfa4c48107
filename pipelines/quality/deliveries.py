"""Checks of what was delivered: every file readable, every sheet tied out, no reject that nobody expected, none late.

It reads the account that the readings left in the build (schema `source`); it opens no delivered file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from pipelines.records import CheckResult, Outcome, Punctuality

KINDS = (
    "readable",
    "rows_tie_out",
    "values_tie_out",
    "no_unknown_rejects",
    "no_grave_finding",
    "no_finding",
    "on_time",
)
# Findings are as grave as the contract says; only the grave ones block.
_WARN_ONLY = {"no_finding"}  # and `on_time`, unless the contract says otherwise
LOCATIONS_SHOWN = 50

_DESCRIPTION = {
    "readable": "每份在用的来文都能按约定读取 / Every file in force can be read by its contract",
    "rows_tie_out": "读到的行 = 采用 + 退回 + 重复 + 略去 / Rows read = accepted + rejected + duplicate + ignored",
    "values_tie_out": (
        "读到的值 = 采用 + 缺失 + 退回 + 随行舍去 / Values read = accepted + missing + rejected + dropped"
    ),
    "no_unknown_rejects": "没有意料之外的退回 / Nothing is rejected that the contract does not know of",
    "no_grave_finding": "合计、更正、与上次来文的对照没有严重问题 / Totals, corrections and drift: nothing grave",
    "no_finding": "与约定、与上次来文的对照没有变化 / Against the contract and the delivery before: nothing changed",
    "on_time": "到期的来文都已收到 / Every delivery that is due has come",
}
_WHY = {
    "readable": "A file that nobody can read must not be passed over in silence",
    "rows_tie_out": "No row of a department's file may be lost on the way",
    "values_tie_out": "No number of a department's file may be lost on the way",
    "no_unknown_rejects": "A rejected number is missing from the marts; somebody has to know and to agree",
    "no_grave_finding": "A unit written otherwise, a delivery that shrank: published it looks like a changed world",
    "no_finding": "A file that changes its form will change its meaning next; somebody should look",
    "on_time": "Figures that silently stay last year's look like figures that did not change",
}

_READABLE = """
    select r.file_name, r.delivery_period, coalesce(max(g.problem), 'it was never read') as problem,
        coalesce(bool_or(g.status = 'read'), false) as is_read
    from source.receipt r left join source.reading g using (receipt_id)
    where r.is_in_force and r.department = ? and r.extract = ?
    group by all order by all
"""
_TIE_OUT = """
    select t.source_file, t.source_sheet, t.delivery_period, t.{read}, {parts} as accounted,
        t.{read} is not distinct from {parts} as holds
    from source.tie_out t join source.receipt r using (receipt_id)
    where r.is_in_force and t.department = ? and t.extract = ?
    order by all
"""
_ROWS = ("rows_accepted", "rows_rejected", "rows_duplicate", "rows_ignored")
_VALUES = ("values_accepted", "values_missing", "values_rejected", "values_dropped")
_REJECTS = """
    select j.source_file, j.source_sheet, j.source_row, j.source_column, j.rule, j.reported_text, j.is_known
    from source.reject j join source.receipt r using (receipt_id)
    where r.is_in_force and j.department = ? and j.extract = ?
    order by all
"""
_FINDINGS = """
    select f.source_file, f.delivery_period, f.kind, f.observed, f.expected
    from source.finding f join source.receipt r using (receipt_id)
    where r.is_in_force and f.severity = ? and f.department = ? and f.extract = ?
    order by all
"""


def check_id(kind: str, extract: str) -> str:
    """The id of one delivery check of one extract (`department/extract`)."""
    return f"intake.{kind}.{extract}"


def extracts(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Department, extract and owner of every extract the jurisdiction has a contract for."""
    rows = connection.execute("select department, extract, owner from source.extract order by all").fetchall()
    return [(str(d), str(e), str(o or "")) for d, e, o in rows]


def expected(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The ids of all delivery checks that must have a result."""
    return [check_id(kind, f"{d}/{e}") for d, e, _ in extracts(connection) for kind in KINDS]


def _listed(lines: list[str]) -> str:
    more = len(lines) - LOCATIONS_SHOWN
    return "\n".join(lines[:LOCATIONS_SHOWN] + ([f"… and {more} more"] if more > 0 else []))


def _readable(connection: duckdb.DuckDBPyConnection, key: list[str]) -> tuple[Outcome, str, str, list[str]]:
    rows = connection.execute(_READABLE, key).fetchall()
    if not rows:
        return "not_applicable", "nothing was delivered", "every file readable", []
    bad = [f"{period}/{name}: {problem}" for name, period, problem, is_read in rows if not is_read]
    return ("fail" if bad else "pass"), f"{len(rows) - len(bad)} of {len(rows)} files", f"{len(rows)} files", bad


def _tied_out(
    connection: duckdb.DuckDBPyConnection, key: list[str], read: str, parts: tuple[str, ...]
) -> tuple[Outcome, str, str, list[str]]:
    summed = "(" + " + ".join(f"t.{part}" for part in parts) + ")"
    rows = connection.execute(_TIE_OUT.format(read=read, parts=summed), key).fetchall()
    was_read = connection.execute(
        "select count(*) from source.reading g join source.receipt r using (receipt_id) "
        "where r.is_in_force and g.status = 'read' and r.department = ? and r.extract = ?",
        key,
    ).fetchone()
    files_read = int(was_read[0]) if was_read else 0
    if not files_read:
        return "not_applicable", "nothing was read", "read = accounted for", []
    if not rows:
        return "error", f"{files_read} files were read, but there is no account of them", "read = accounted for", []
    bad = [f"{p}/{f} [{s}]: read {n}, accounted for {m}" for f, s, p, n, m, holds in rows if not holds]
    total, accounted = sum(r[3] or 0 for r in rows), sum(r[4] or 0 for r in rows)
    return ("fail" if bad else "pass"), f"{total:,} read, {accounted:,} accounted for", "equal in every sheet", bad


def _rejects(connection: duckdb.DuckDBPyConnection, key: list[str]) -> tuple[Outcome, str, str, list[str]]:
    rows = connection.execute(_REJECTS, key).fetchall()
    delivered = connection.execute(
        "select count(*) from source.receipt where is_in_force and department = ? and extract = ?", key
    ).fetchone()
    if not rows and not (delivered and delivered[0]):
        return "not_applicable", "nothing was delivered", "0 unknown", []
    bad = [
        f"{file} [{sheet}] row {row or '-'}, column {column or '-'}: {rule} — {text or ''}"
        for file, sheet, row, column, rule, text, is_known in rows
        if not is_known
    ]
    known = len(rows) - len(bad)
    return ("fail" if bad else "pass"), f"{len(bad)} unknown, {known} known", "0 unknown", bad


def _findings(
    connection: duckdb.DuckDBPyConnection, key: list[str], severity: str
) -> tuple[Outcome, str, str, list[str]]:
    rows = connection.execute(_FINDINGS, [severity, *key]).fetchall()
    delivered = connection.execute(
        "select count(*) from source.receipt where is_in_force and department = ? and extract = ?", key
    ).fetchone()
    if not rows and not (delivered and delivered[0]):
        return "not_applicable", "nothing was delivered", "0 findings", []
    bad = [f"{period}/{file}: {kind}: {seen} (expected: {wanted})" for file, period, kind, seen, wanted in rows]
    return ("fail" if bad else "pass"), f"{len(bad)} findings", "0 findings", bad


def _on_time(found: Punctuality | None) -> tuple[Outcome, str, str, list[str]]:
    if found is None:
        return "error", "nobody looked at what is due", "no delivery late", []
    if not found.is_agreed:
        return "not_applicable", "the contract does not say until when deliveries come", "no delivery late", []
    if found.gravity == "ignore":
        return "not_applicable", "the contract sets lateness aside", "no delivery late", []
    if not found.late and found.following is None:
        return "not_applicable", "nothing is due any more, or nothing has come yet", "no delivery late", []
    following = f"; {found.following.delivery_period} by {found.following.due_on}" if found.following else ""
    bad = [f"{due.delivery_period}: was due on {due.due_on} from {due.owner}" for due in found.late]
    return ("fail" if bad else "pass"), f"{len(bad)} late", f"no delivery late{following}", bad


def rests_on_clock_until(punctuality: Mapping[str, Punctuality]) -> str | None:
    """The earliest moment at which time alone makes another delivery late, or None. ISO 8601, UTC."""
    return min(
        (f.following.late_from for f in punctuality.values() if f.following and f.gravity != "ignore"), default=None
    )


def judge(connection: duckdb.DuckDBPyConnection, punctuality: Mapping[str, Punctuality]) -> list[CheckResult]:
    """The delivery checks of every extract, on the build behind this connection; what is due is told by extract."""
    results = []
    for department, extract, owner in extracts(connection):
        key, name = [department, extract], f"{department}/{extract}"
        found: dict[str, Any] = {
            "readable": _readable(connection, key),
            "rows_tie_out": _tied_out(connection, key, "rows_read", _ROWS),
            "values_tie_out": _tied_out(connection, key, "values_read", _VALUES),
            "no_unknown_rejects": _rejects(connection, key),
            "no_grave_finding": _findings(connection, key, "block"),
            "no_finding": _findings(connection, key, "warn"),
            "on_time": _on_time(punctuality.get(name)),
        }
        lateness = punctuality.get(name)  # not looked at: an error, and that is no warning
        warn_only = {*_WARN_ONLY, "on_time"} if lateness and lateness.gravity != "block" else _WARN_ONLY
        for kind in KINDS:
            outcome, observed, wanted, bad = found[kind]
            results.append(
                CheckResult(
                    check_id=check_id(kind, name), source="intake", subject=name,
                    severity="warn" if kind in warn_only else "block",
                    outcome=outcome, description=_DESCRIPTION[kind], observed=observed, expected=wanted,
                    failing_rows=len(bad), locations=_listed(bad), owner=owner, why=_WHY[kind],
                )
            )  # fmt: skip
    return results
