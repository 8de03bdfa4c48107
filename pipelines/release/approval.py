"""What people decide about a sealed release: signing it off, making it official, withdrawing it, and the calendar.

A sealed folder is never touched: decisions stand in the ledger, and the status file and the links are made of it.
Whether a person is who they say is not known here; docs/verification.md says so.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.errors import BlockedError, UsageError
from pipelines.jurisdiction.calendar import PlannedRelease, ReleasePlan
from pipelines.ledger import Ledger
from pipelines.release.shelf import find, refuse_withdrawn, set_link, standing, write_status
from pipelines.settings import account
from pipelines.standing import states
from pipelines.store import Warehouse, read_json, read_yaml
from pipelines.verifier import link_targets, verify

SEVERITIES_FILE = Path(__file__).with_name("severities.yml")
SIGNATURES_NEEDED = 2


@dataclass(frozen=True)
class Severity:
    """How bad an error is, and what follows; see docs/corrections-policy.md."""

    name: str
    name_en: str
    when: str
    withdraw: str  # required, allowed, never
    notice_days: int


@lru_cache(maxsize=1)
def severities() -> dict[str, Severity]:
    """The severities of the corrections policy, worst first."""
    listed = read_yaml(SEVERITIES_FILE.read_text(encoding="utf-8"))
    return {code: Severity(**said) for code, said in listed.items()}


def _same(name: str) -> str:
    """A name as it is compared: case, width and blanks do not make another person."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _clean(text: str, what: str, where: str) -> str:
    text = " ".join(text.split())
    if not text:
        raise UsageError(f"{what} is empty", where=where, do=f"say {what}")
    return text


# -- official -----------------------------------------------------------------------------------------------------


def sign_off(
    warehouse: Warehouse,
    ledger: Ledger,
    plan: ReleasePlan,
    release_id: str,
    by: str | None = None,
    planned: str | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Record that a person signs a release off; with the second person's it becomes official, unless embargoed.

    Without `by` nothing is signed: a release whose embargo has passed since becomes official. `planned` is the id of
    a release in the calendar. Returns the state: who signed, and what is still missing.

    Raises UsageError for a release that is not there or withdrawn, a person who signed already or may not, an id
    that is not planned; BlockedError for a release that does not verify or lacks the comparison of its methods.
    """
    find(warehouse, ledger, release_id)
    refuse_withdrawn(warehouse, release_id)
    known = states(warehouse)[release_id]
    if known["state"] == "official":
        raise UsageError(
            f"release {release_id} is official already",
            where=f"since {known['official_since']}, signed off by {_names(known)}",
            do="nothing",
        )
    entry = _planned(plan, warehouse, planned, known)
    _refuse_unsound(warehouse, release_id)
    if by is not None:
        name = _clean(by, "the name", "--by")
        if any(_same(signed["by"]) == _same(name) for signed in known["signed_off"]):
            raise UsageError(
                f"{name} has signed release {release_id} off already; it takes two different persons",
                where="--by",
                do="let another person sign it off",
            )
        if plan.approvers and _same(name) not in {_same(approver) for approver in plan.approvers}:
            raise UsageError(
                f"{name} may not sign releases off",
                where="releases.yml, approvers",
                do="let one of them sign: " + ", ".join(plan.approvers),
            )
        details = {"release_id": release_id, "by": name, "account": account()}
        ledger.append("signed_off", details | ({"calendar": entry.id} if entry else {}))
        write_status(warehouse, ledger)
        known = states(warehouse)[release_id]
    missing = SIGNATURES_NEEDED - len(known["signed_off"])
    moment = now or datetime.now(UTC)
    is_embargoed = entry is not None and entry.embargo is not None and moment < entry.embargo
    if missing <= 0 and not is_embargoed:
        set_link(
            warehouse,
            ledger,
            warehouse.official,
            release_id,
            "signed off",
            by=[signed["by"] for signed in known["signed_off"]],
        )
        write_status(warehouse, ledger)
        known = states(warehouse)[release_id]
    return {
        "release_id": release_id,
        **known,
        "missing_signatures": max(0, missing),
        "embargo": entry.embargo.isoformat() if entry and entry.embargo else None,
        "is_embargoed": is_embargoed,
    }


def _names(state: dict[str, Any]) -> str:
    return " and ".join(signed["by"] for signed in state["signed_off"])


def _planned(
    plan: ReleasePlan, warehouse: Warehouse, planned: str | None, known: dict[str, Any]
) -> PlannedRelease | None:
    """The calendar's entry that a release is for: as said now, else as said with the first signature."""
    before = known.get("calendar")
    if planned and before and planned != before:
        raise UsageError(
            f"this release was signed off for {before}, not for {planned}",
            where="--for",
            do=f"leave --for away, or say {before}",
        )
    wanted = planned or before
    if wanted is None:
        return None
    entry = next((item for item in plan.calendar if item.id == wanted), None)
    if entry is None:
        listed = ", ".join(item.id for item in plan.calendar) or "nothing"
        raise UsageError(f"no release {wanted!r} is planned", where="releases.yml, calendar", do=f"planned: {listed}")
    return entry


def _refuse_unsound(warehouse: Warehouse, release_id: str) -> None:
    """Nothing becomes official that does not verify, or whose change of method cannot be seen apart."""
    folder = warehouse.release_folder(release_id)
    report = verify(warehouse.folder, [folder])
    if not report.holds:
        raise BlockedError(
            f"release {release_id} does not verify: nobody can sign it off",
            where=str(folder),
            do="see `junheng verify`; restore what was changed from a backup",
            failing=[str(problem) for problem in report.problems],
        )
    changed = read_json(folder / "changes.json").get("method")
    if changed and not changed["comparison"]:
        raise BlockedError(
            f"the method changed ({', '.join(c['file'] for c in changed['files'])}) and old and new are not compared",
            where=f"{folder / 'changes.json'}: {changed['reason']}",
            do="change the method and the other rules in two steps, with a release between, and run again",
        )


# -- withdrawn ----------------------------------------------------------------------------------------------------


def withdraw(
    warehouse: Warehouse, ledger: Ledger, release_id: str, reason: str, severity: str, by: str
) -> dict[str, Any]:
    """Withdraw a release: it stays readable under its id, and links that named it move to the newest that stands.

    Raises UsageError for a release that is not there or withdrawn already, without a reason, or for a severity that
    does not exist or for which the corrections policy withdraws nothing.
    """
    find(warehouse, ledger, release_id)
    refuse_withdrawn(warehouse, release_id)
    reason, by = _clean(reason, "the reason", "--reason"), _clean(by, "the name", "--by")
    policy = severities()
    if severity not in policy or policy[severity].withdraw == "never":
        fit = [code for code, said in policy.items() if said.withdraw != "never"]
        raise UsageError(
            f"there is no severity {severity!r}"
            if severity not in policy
            else f"a release is not withdrawn for a {policy[severity].name_en.lower()} error",
            where="--severity (docs/corrections-policy.md)",
            do=f"name one of {', '.join(fit)}"
            if severity not in policy
            else "correct it in the next release; withdraw for " + " or ".join(fit),
        )
    details = {"release_id": release_id, "reason": reason, "severity": severity, "by": by, "account": account()}
    ledger.append("release_withdrawn", details)
    moved = {}
    targets = link_targets([entry.__dict__ for entry in ledger.entries()])
    for link in (warehouse.current, warehouse.official):
        if targets.get(link.name) == release_id:
            moved[link.name] = standing(ledger, link.name)
            set_link(warehouse, ledger, link, moved[link.name], "withdrawn")
    write_status(warehouse, ledger)
    return {
        **details,
        "folder": str(warehouse.release_folder(release_id)),
        "moved": moved,
        "notice_days": policy[severity].notice_days,
    }


# -- the calendar -------------------------------------------------------------------------------------------------


def calendar(
    warehouse: Warehouse, plan: ReleasePlan, time_zone: str, now: datetime | None = None
) -> list[dict[str, Any]]:
    """What was planned, what was published for it, and how late; days are those of the jurisdiction's time zone.

    `state` is published, signed (waiting for its embargo or a second person), waiting, or late.
    """
    zone = ZoneInfo(time_zone)
    today = (now or datetime.now(UTC)).astimezone(zone).date()
    known = states(warehouse)
    rows = []
    for item in plan.calendar:
        own = {r: s for r, s in known.items() if s.get("calendar") == item.id}
        published = [(s["official_since"], r) for r, s in own.items() if s["state"] == "official"]
        since, release_id = min(published, default=(None, None))
        day = datetime.fromisoformat(since).astimezone(zone).date() if since else None
        days_late = max(0, ((day or today) - item.due).days)
        state = "published" if day else "late" if days_late else "signed" if own else "waiting"
        rows.append(
            {
                "id": item.id,
                "name": item.name,
                "name_en": item.name_en,
                "due": item.due.isoformat(),
                "embargo": item.embargo.isoformat() if item.embargo else None,
                "state": state,
                "days_late": days_late,
                "release_id": max(published, default=(None, None))[1] or release_id or max(own, default=None),
            }
        )
    return rows
