"""Waivers: documented, dated exceptions to one check in one scope, asked for by one person, approved by another.

It validates `waivers.yml` strictly and turns the failures a waiver covers into `waived`. A waiver covers a
failure, never an error: what could not be judged cannot be excused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipelines.errors import ConfigurationError
from pipelines.quality.suites import load_yaml
from pipelines.records import CheckResult

_FIELDS = ("check", "scope", "reason", "asked_by", "approved_by", "from", "until")


@dataclass(frozen=True)
class Waiver:
    """One exception: `check` is a check id, `subject` the extract or table it is about; both days inclusive."""

    check: str
    scope_kind: str  # extract | table
    subject: str
    reason: str
    asked_by: str
    approved_by: str
    starts: date
    ends: date

    def as_dict(self, used_for: str) -> dict[str, Any]:
        """The waiver as the verdict records it; `used_for` is the outcome it excused, or empty."""
        return {
            "check_id": self.check, "scope": f"{self.scope_kind}={self.subject}", "reason": self.reason,
            "asked_by": self.asked_by, "approved_by": self.approved_by, "from": self.starts.isoformat(),
            "until": self.ends.isoformat(), "is_used": bool(used_for),
        }  # fmt: skip


def _day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _parse(raw: Any, number: int, mistakes: list[str]) -> Waiver | None:
    def wrong(message: str) -> None:
        mistakes.append(f"waiver {number}: {message}")

    if not isinstance(raw, dict):
        wrong("is not a mapping")
        return None
    before = len(mistakes)
    if unknown := sorted(set(map(str, raw)) - set(_FIELDS)):
        wrong(f"unknown field {', '.join(unknown)}")
    if missing := [name for name in _FIELDS if raw.get(name) in (None, "", {})]:
        wrong(f"{', '.join(missing)} missing")
        return None
    scope = raw["scope"]
    if not isinstance(scope, dict) or len(scope) != 1 or next(iter(scope)) not in ("extract", "table"):
        wrong("scope names exactly one extract (department/extract) or one table")
        return None
    starts, ends = _day(raw["from"]), _day(raw["until"])
    if starts is None or ends is None:
        wrong("from and until are dates (YYYY-MM-DD)")
        return None
    if ends < starts:
        wrong("until lies before from")
    asked, approved = str(raw["asked_by"]).strip(), str(raw["approved_by"]).strip()
    if asked.casefold() == approved.casefold():
        wrong("asked_by and approved_by are the same person")
    if len(mistakes) > before:
        return None
    kind, subject = next(iter(scope.items()))
    return Waiver(str(raw["check"]), kind, str(subject), str(raw["reason"]).strip(), asked, approved, starts, ends)


def load_waivers(path: Path, subjects: dict[str, str], today: date | None = None) -> list[Waiver]:
    """The waivers of a file, all of them valid; no file means none.

    `subjects` gives for every check that exists the extract or table it is about. Raises ConfigurationError
    naming every mistake: a field missing or unknown, an unknown check, a scope that is not the check's own,
    self-approval, an expired or doubled waiver.
    """
    if not path.exists():
        return []
    raw = load_yaml(path)
    listed = raw.get("waivers") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or set(raw) != {"waivers"} or not isinstance(listed or [], list):
        raise ConfigurationError(
            "waivers.yml holds one list named waivers", where=str(path), do="write `waivers: []` when there is none"
        )
    today = today or datetime.now(UTC).date()
    mistakes: list[str] = []
    waivers: list[Waiver] = []
    for number, item in enumerate(listed or [], start=1):
        waiver = _parse(item, number, mistakes)
        if waiver is None:
            continue
        if waiver.check not in subjects:
            mistakes.append(f"waiver {number}: there is no check {waiver.check}")
        elif waiver.subject != subjects[waiver.check]:
            scope = f"{waiver.scope_kind} {waiver.subject}"
            mistakes.append(f"waiver {number}: {waiver.check} is about {subjects[waiver.check]}, not {scope}")
        if waiver.ends < today:
            mistakes.append(f"waiver {number}: expired on {waiver.ends.isoformat()}")
        if any(other.check == waiver.check and other.subject == waiver.subject for other in waivers):
            mistakes.append(f"waiver {number}: a second waiver for {waiver.check}")
        waivers.append(waiver)
    if mistakes:
        raise ConfigurationError(
            "; ".join(mistakes), where=str(path), do="mend or remove these waivers; nothing was judged"
        )
    return waivers


def apply_waivers(
    results: list[CheckResult], waivers: list[Waiver], today: date | None = None
) -> tuple[list[CheckResult], list[dict[str, Any]]]:
    """Results with covered failures as `waived`, and every waiver in force with whether it was used."""
    today = today or datetime.now(UTC).date()
    in_force = {(w.check, w.subject): w for w in waivers if w.starts <= today <= w.ends}
    used: set[tuple[str, str]] = set()
    applied = []
    for result in results:
        key = (result.check_id, result.subject)
        if result.outcome == "fail" and key in in_force:
            used.add(key)
            applied.append(replace(result, outcome="waived"))
        else:
            applied.append(result)
    return applied, [w.as_dict("fail" if key in used else "") for key, w in sorted(in_force.items())]
