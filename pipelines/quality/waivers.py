"""Waivers: documented, dated exceptions to one check in one scope, asked for by one person, approved by another.

It validates `waivers.yml` strictly and turns the failures that waivers cover into `waived`. A waiver covers failing
rows, never an error: what could not be judged cannot be excused. It may not be wider than what failed: what fails
later elsewhere would pass under a name that nobody put to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipelines.errors import ConfigurationError
from pipelines.quality.deliveries import left_to_held
from pipelines.quality.places import period_of, region_of
from pipelines.records import CheckResult
from pipelines.yaml_files import load_yaml

_KINDS = ("extract", "table")
_PLACES: dict[str, Callable[[dict[str, str]], str | None]] = {"region": region_of, "period": period_of}
PLACES_NAMED = 40
_FIELDS = ("check", "scope", "reason", "asked_by", "approved_by", "from", "until")


@dataclass(frozen=True)
class Waiver:
    """One exception: `check` is a check id, `subject` the extract or table it is about; both days inclusive.

    `places` names regions and periods; a kind that it does not name is not limited.
    """

    check: str
    scope_kind: str  # extract | table
    subject: str
    places: dict[str, tuple[str, ...]]
    reason: str
    asked_by: str
    approved_by: str
    starts: date
    ends: date

    @property
    def scope(self) -> str:
        """The scope in one line."""
        places = [f"{kind}={', '.join(names)}" for kind, names in self.places.items()]
        return "; ".join([f"{self.scope_kind}={self.subject}", *places])

    def covers(self, row: dict[str, str]) -> bool:
        """True when a failing row lies in the scope."""
        return all(_PLACES[kind](row) in names for kind, names in self.places.items())

    def as_dict(self, rows_waived: int) -> dict[str, Any]:
        """The waiver as the verdict records it; it is used when it covers a failing row."""
        return {
            "check_id": self.check, "scope": self.scope, "subject": self.subject,
            "regions": list(self.places.get("region", ())), "periods": list(self.places.get("period", ())),
            "reason": self.reason, "asked_by": self.asked_by, "approved_by": self.approved_by,
            "from": self.starts.isoformat(), "until": self.ends.isoformat(),
            "is_used": rows_waived > 0, "rows_waived": rows_waived,
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
    subjects = [kind for kind in _KINDS if isinstance(scope, dict) and kind in scope]
    if len(subjects) != 1 or isinstance(scope[subjects[0]], list):
        wrong("scope names exactly one extract (department/extract) or one table, and beside it region and period")
        return None
    if unknown := sorted(set(map(str, scope)) - {*_KINDS, *_PLACES}):
        wrong(f"scope knows no {', '.join(unknown)}: it names an extract or a table, region and period")
        return None
    places = {kind: _names(scope[kind]) for kind in _PLACES if kind in scope}
    if empty := [kind for kind, names in places.items() if not names]:
        wrong(f"{', '.join(empty)} in scope is empty: leave it out, or name what failed")
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
    subject, reason = str(scope[subjects[0]]), str(raw["reason"]).strip()
    return Waiver(str(raw["check"]), subjects[0], subject, places, reason, asked, approved, starts, ends)


def _names(value: object) -> tuple[str, ...]:
    """One name or a list of them, as texts in order."""
    listed = value if isinstance(value, list) else [value]
    return tuple(sorted({str(name).strip() for name in listed if name is not None and str(name).strip()}))


def load_waivers(path: Path, subjects: Mapping[str, str] | None, today: date | None = None) -> list[Waiver]:
    """The waivers of a file, all of them valid; no file means none.

    `subjects` gives for every check that exists the extract or table it is about; None where that is not known yet.
    Raises ConfigurationError naming every mistake: a field missing or unknown, an unknown check, a scope that is not
    the check's own, self-approval, an expired or doubled waiver.
    """
    mistakes: list[str] = []
    waivers: list[Waiver] = []
    today = today or datetime.now(UTC).date()
    for number, waiver in _parsed(path, mistakes):
        if subjects is not None and waiver.check not in subjects:
            mistakes.append(f"waiver {number}: there is no check {waiver.check}")
        elif subjects is not None and waiver.subject != subjects[waiver.check]:
            scope = f"{waiver.scope_kind} {waiver.subject}"
            mistakes.append(f"waiver {number}: {waiver.check} is about {subjects[waiver.check]}, not {scope}")
        if waiver.ends < today:
            mistakes.append(f"waiver {number}: expired on {waiver.ends.isoformat()}")
        if any((other.check, other.scope) == (waiver.check, waiver.scope) for other in waivers):
            mistakes.append(f"waiver {number}: a second waiver for {waiver.check} with the same scope")
        waivers.append(waiver)
    _refuse(path, mistakes)
    return waivers


def waivers_in_force(path: Path, today: date | None = None) -> list[Waiver]:
    """The waivers of a file that count today, whatever else stands in it. ConfigurationError for what is no waiver."""
    mistakes: list[str] = []
    today = today or datetime.now(UTC).date()
    waivers = [waiver for _, waiver in _parsed(path, mistakes) if waiver.starts <= today <= waiver.ends]
    _refuse(path, mistakes)
    return waivers


def is_covered(result: CheckResult, waivers: Sequence[Waiver]) -> bool:
    """True when waivers cover every failing row of a result; an error is never covered."""
    own = [w for w in waivers if (w.check, w.subject) == (result.check_id, result.subject)]
    if result.outcome != "fail" or not own or len(result.rows) < result.failing_rows:
        return False
    return all(any(waiver.covers(row) for waiver in own) for row in result.rows)


def _parsed(path: Path, mistakes: list[str]) -> list[tuple[int, Waiver]]:
    """The waivers of a file with their numbers; what is none adds to `mistakes`."""
    if not path.exists():
        return []
    raw = load_yaml(path)
    listed = raw.get("waivers") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or set(raw) != {"waivers"} or not isinstance(listed or [], list):
        raise ConfigurationError(
            "waivers.yml holds one list named waivers", where=str(path), do="write `waivers: []` when there is none"
        )
    parsed = [(number, _parse(item, number, mistakes)) for number, item in enumerate(listed or [], start=1)]
    return [(number, waiver) for number, waiver in parsed if waiver is not None]


def _refuse(path: Path, mistakes: list[str]) -> None:
    if mistakes:
        raise ConfigurationError(
            "; ".join(mistakes), where=str(path), do="mend or remove these waivers; nothing was judged"
        )


@dataclass(frozen=True)
class Applied:
    """Results with what waivers cover, every waiver in force with its use, and what does not fit."""

    results: list[CheckResult]
    waivers: list[dict[str, Any]]
    problems: list[str]


def apply_waivers(results: list[CheckResult], waivers: list[Waiver], today: date | None = None) -> Applied:
    """Turn failures into `waived` where waivers in force cover every failing row.

    A failure of which only some rows are covered stays a failure, and says how many are; one that is left to held
    deliveries alone is `held`. A waiver wider than what failed is a problem and covers nothing.
    """
    today = today or datetime.now(UTC).date()
    in_force = [w for w in waivers if w.starts <= today <= w.ends]
    used = dict.fromkeys(range(len(in_force)), 0)
    applied, problems = [], []
    for result in results:
        own = [n for n, w in enumerate(in_force) if (w.check, w.subject) == (result.check_id, result.subject)]
        if result.outcome != "fail" or not own:
            applied.append(left_to_held(result, result.rows))
            continue
        fitting = []
        for number in own:
            if wrong := _wider(in_force[number], result):
                problems.append(f"{result.check_id} [{in_force[number].scope}]: {wrong}")
            else:
                fitting.append(number)
        covered = set()
        for number in fitting:
            rows = {n for n, row in enumerate(result.rows) if in_force[number].covers(row)}
            used[number] = len(rows) if result.rows else result.failing_rows
            covered |= rows
        count = len(covered) if result.rows else result.failing_rows if fitting else 0
        if count and count >= result.failing_rows:
            applied.append(replace(result, outcome="waived", rows_waived=count))
        elif count:
            said = f"{result.observed}; {count} of {result.failing_rows} waived"
            still_open = [row for n, row in enumerate(result.rows) if n not in covered]
            applied.append(left_to_held(replace(result, rows_waived=count, observed=said), still_open))
        else:
            applied.append(left_to_held(result, result.rows))
    recorded = [in_force[n].as_dict(count) for n, count in used.items()]
    return Applied(applied, sorted(recorded, key=lambda w: (w["check_id"], w["scope"])), problems)


def _wider(waiver: Waiver, result: CheckResult) -> str:
    """How a waiver is wider than what failed; empty when it is not."""
    for kind, place_of in _PLACES.items():
        failing = [place_of(row) for row in result.rows]
        there = sorted({place for place in failing if place})
        named = waiver.places.get(kind)
        if named is None:
            if there and all(failing):
                more = " …" if len(there) > PLACES_NAMED else ""
                return f"wider than what failed: name the {kind} in scope: {', '.join(there[:PLACES_NAMED])}{more}"
        elif not there:
            return f"it names a {kind}, but the failing rows name none"
        elif beyond := [name for name in named if name not in there]:
            return f"wider than what failed: no row fails for the {kind} {', '.join(beyond)}"
    return ""
