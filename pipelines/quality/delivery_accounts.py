"""What the checks of deliveries find on the account of one extract: files, tie-outs, rejects, findings, lateness.

It asks schema `source` of a build, or of one delivery alone. Which kinds of checks there are, how grave they are and
what they make of this is `deliveries`' work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import duckdb

from pipelines.records import Outcome, Punctuality, Severity

HELD = "held"  # in a failing row: it stands in a delivery that is held
# What is judged: files in force, and those that are held, the latter last.
_JUDGED = """(
    select r.*, coalesce(r.is_held, false) as waits,
        coalesce(e.contract_status, 'active') not in ('proposed', 'draft') as is_agreed
    from source.receipt r left join source.extract e on e.department = r.department and e.extract = r.extract
    where r.is_in_force or r.is_held
)"""
_AGREED = f"""
    select r.waits, r.file_name, r.delivery_period, r.is_agreed from {_JUDGED} r
    where r.department = ? and r.extract = ?
    order by all
"""
_READABLE = f"""
    select r.waits, r.file_name, r.delivery_period, coalesce(max(g.problem), 'it was never read') as problem,
        coalesce(bool_or(g.status = 'read'), false) as is_read
    from {_JUDGED} r left join source.reading g using (receipt_id)
    where r.is_agreed and r.department = ? and r.extract = ?
    group by all order by all
"""
_TIE_OUT = """
    select r.waits, t.source_file, t.source_sheet, t.delivery_period, t.{read}, {parts} as accounted,
        t.{read} is not distinct from {parts} as holds
    from source.tie_out t join {judged} r using (receipt_id)
    where t.department = ? and t.extract = ?
    order by all
"""
ROWS = ("rows_accepted", "rows_rejected", "rows_duplicate", "rows_ignored")
VALUES = ("values_accepted", "values_missing", "values_rejected", "values_dropped")
_REJECTS = f"""
    select r.waits, j.delivery_period, j.source_file, j.source_sheet, j.source_row, j.source_column, j.region_code,
        j.rule, j.reported_text, j.detail, j.is_known
    from source.reject j join {_JUDGED} r using (receipt_id)
    where j.department = ? and j.extract = ?
    order by all
"""
# A note says what a file that came again changed; it is no fault.
_FINDINGS = f"""
    select r.waits, f.delivery_period, f.source_file, f.kind, f.severity, f.observed, f.expected
    from source.finding f join {_JUDGED} r using (receipt_id)
    where f.severity <> 'note' and f.department = ? and f.extract = ?
    order by all
"""


@dataclass
class Found:
    """What one check of one extract found."""

    outcome: Outcome
    observed: str
    expected: str
    lines: list[str] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)
    severity: Severity | None = None  # where the contract says otherwise than the kind


class ExtractAccount:
    """The deliveries of one extract, asked what each kind of check needs."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, department: str, extract: str) -> None:
        self.connection, self.key = connection, [department, extract]
        self.where = {"department": department, "extract": extract}
        self.known: dict[str, list[tuple[object, ...]]] = {}  # several checks ask the same

    def _all(self, sql: str) -> list[tuple[object, ...]]:
        if sql not in self.known:
            self.known[sql] = self.connection.execute(sql, self.key).fetchall()
        return self.known[sql]

    def _number(self, sql: str) -> int:
        return int(str(self._all(sql)[0][0]))

    @property
    def delivered(self) -> int:
        """How many files are judged."""
        return self._number(f"select count(*) from {_JUDGED} r where r.department = ? and r.extract = ?")

    def _row(self, waits: object, **cells: object) -> dict[str, str]:
        row = {**self.where, **{name: str(value) for name, value in cells.items() if value not in (None, "")}}
        return {**row, HELD: "true"} if waits else row

    def agreed(self) -> Found:
        """Files that came for a contract which nobody has accepted."""
        rows = self._all(_AGREED)
        if not rows:
            return Found("not_applicable", "nothing was delivered", "an accepted contract")
        bad = [row for row in rows if not row[3]]
        said = "its contract is a proposal that no person has accepted"
        return Found(
            "fail" if bad else "pass",
            f"{len(bad)} of {len(rows)} files under a proposal",
            "0 files",
            [f"{period}/{name}: {said}" for _, name, period, _ in bad],
            [self._row(w, delivery_period=p, source_file=n, found=said) for w, n, p, _ in bad],
        )

    def readable(self) -> Found:
        """Files that were not read."""
        rows = self._all(_READABLE)
        if not rows:
            return Found("not_applicable", "nothing was delivered", "every file readable")
        bad = [row for row in rows if not row[4]]
        return Found(
            "fail" if bad else "pass",
            f"{len(rows) - len(bad)} of {len(rows)} files",
            f"{len(rows)} files",
            [f"{period}/{name}: {problem}" for _, name, period, problem, _ in bad],
            [self._row(w, delivery_period=p, source_file=n, found=problem) for w, n, p, problem, _ in bad],
        )

    def tied_out(self, read: str, parts: tuple[str, ...]) -> Found:
        """Sheets whose account does not add up; a file that was read and has no account is an error."""
        summed = "(" + " + ".join(f"t.{part}" for part in parts) + ")"
        rows = self._all(_TIE_OUT.format(read=read, parts=summed, judged=_JUDGED))
        files_read = self._number(
            f"select count(*) from source.reading g join {_JUDGED} r using (receipt_id) "
            "where g.status = 'read' and r.department = ? and r.extract = ?"
        )
        if not files_read:
            return Found("not_applicable", "nothing was read", "read = accounted for")
        if not rows:
            return Found("error", f"{files_read} files were read, but there is no account of them", "an account")
        bad = [row for row in rows if not row[6]]
        total, accounted = (sum(int(str(row[n] or 0)) for row in rows) for n in (4, 5))
        return Found(
            "fail" if bad else "pass",
            f"{total:,} read, {accounted:,} accounted for",
            "equal in every sheet",
            [f"{p}/{f} [{s}]: read {n}, accounted for {m}" for _, f, s, p, n, m, _ in bad],
            [
                self._row(
                    w, delivery_period=p, source_file=f, source_sheet=s, found=f"{n} read", expected=f"{m} listed"
                )
                for w, f, s, p, n, m, _ in bad
            ],
        )  # fmt: skip

    def rejected(self, is_own: Callable[[str], bool]) -> Found:
        """Rejects by the rules that are this check's own; those that the contract knows of are counted, not blamed."""
        if not self.delivered:
            return Found("not_applicable", "nothing was delivered", "0 unknown")
        rows = [row for row in self._all(_REJECTS) if is_own(str(row[7]))]
        bad = [row for row in rows if not row[10]]
        return Found(
            "fail" if bad else "pass",
            f"{len(bad)} unknown, {len(rows) - len(bad)} known",
            "0 unknown",
            [
                f"{file} [{sheet}] row {row or '-'}, column {column or '-'}: {rule} — {text or ''}"
                for _, _, file, sheet, row, column, _, rule, text, _, _ in bad
            ],
            [
                self._row(
                    waits, delivery_period=period, source_file=file, source_sheet=sheet, source_row=row,
                    source_column=column, region_code=region, rule=rule, found=text, expected=detail,
                )
                for waits, period, file, sheet, row, column, region, rule, text, detail, _ in bad
            ],
        )  # fmt: skip

    def found(self, is_own: Callable[[str], bool]) -> Found:
        """Findings of the kinds that are this check's own; one grave one makes the whole check grave."""
        if not self.delivered:
            return Found("not_applicable", "nothing was delivered", "0 findings")
        bad = [row for row in self._all(_FINDINGS) if is_own(str(row[3]))]
        return Found(
            "fail" if bad else "pass",
            f"{len(bad)} findings",
            "0 findings",
            [f"{period}/{file}: {kind}: {seen} (expected: {wanted})" for _, period, file, kind, _, seen, wanted in bad],
            [
                self._row(w, delivery_period=period, source_file=file, rule=kind, found=seen, expected=wanted)
                for w, period, file, kind, _, seen, wanted in bad
            ],
            severity=None if not bad else "block" if any(row[4] != "warn" for row in bad) else "warn",
        )

    def on_time(self, due: Punctuality | None) -> Found:
        """What is due and has not come."""
        nothing_late = "no delivery late"
        if due is None:
            return Found("error", "nobody looked at what is due", nothing_late, severity="block")
        if not due.is_agreed:
            return Found("not_applicable", "the contract does not say until when deliveries come", nothing_late)
        if due.gravity == "ignore":
            return Found("not_applicable", "the contract sets lateness aside", nothing_late)
        if not due.late and due.following is None:
            return Found("not_applicable", "nothing is due any more, or nothing has come yet", nothing_late)
        following = f"; {due.following.delivery_period} by {due.following.due_on}" if due.following else ""
        return Found(
            "fail" if due.late else "pass",
            f"{len(due.late)} late",
            nothing_late + following,
            [f"{late.delivery_period}: was due on {late.due_on} from {late.owner}" for late in due.late],
            [
                self._row(False, delivery_period=d.delivery_period, found="not here", expected=d.due_on)
                for d in due.late
            ],
            severity="block" if due.gravity == "block" else "warn",
        )
