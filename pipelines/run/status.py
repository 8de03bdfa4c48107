"""What a person asks about the state of a warehouse: status, rejects, quality. It reads and changes nothing."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from cronsim import CronSim

from pipelines import alerts, intake, release
from pipelines.errors import UsageError
from pipelines.jurisdiction import Contract
from pipelines.records import Punctuality, Reading, Receipt
from pipelines.run import Session, in_force
from pipelines.run.journal import last_runs
from pipelines.settings import Settings
from pipelines.store import read_json

# A scheduler that is a little late has not missed its run.
_GRACE = timedelta(minutes=30)


def status_of(settings: Settings) -> dict[str, Any]:
    """The whole state: deliveries with what is late, runs, build and verdict, releases, alerts, the next run."""
    session = Session(settings)
    jurisdiction, warehouse = session.jurisdiction, session.warehouse
    receipts = intake.all_receipts(warehouse) if warehouse.receipts.exists() else []
    standing = _in_force(session, receipts)
    choice = session.decide(receipts, _readings(session, receipts), keep=False).choice
    waits, refused = intake.found_in_landing(jurisdiction, warehouse)
    now = datetime.now(ZoneInfo(jurisdiction.time_zone))
    punctuality = intake.punctuality(jurisdiction, receipts, waits, now)
    builds = sorted(warehouse.builds.glob("*/build.json"), key=lambda p: p.stat().st_mtime)
    newest = builds[-1].parent if builds else None
    verdict = read_json(newest / "verdict.json") if newest and (newest / "verdict.json").exists() else None
    runs = last_runs(warehouse, 5)
    holder = warehouse.lock_holder()
    settings_file = alerts.load_settings_file(settings.settings_file)
    official = warehouse.official
    return {
        "jurisdiction": jurisdiction.key,
        "name": jurisdiction.name,
        "at": now.isoformat(timespec="minutes"),
        "release": warehouse.current_release_id(),
        "official": official.resolve().name if official.is_symlink() and official.exists() else None,
        "build": newest.name if newest else None,
        "verdict": verdict["outcome"] if verdict else None,
        "valid_until": verdict["valid_until"] if verdict else None,
        "passed": verdict["passed"] if verdict else 0,
        "warnings": verdict["warnings"] if verdict else 0,
        "blocking": verdict["blocking"] if verdict else [],
        "calendar": release.calendar(session.warehouse, jurisdiction.release_plan, jurisdiction.time_zone),
        "blocked_by": _blocked_by(newest, verdict["blocking"]) if newest and verdict else [],
        "runs": runs,
        "at_work": {"process": holder.process, "since": holder.since} if holder else None,
        "next_run": moment_of(jurisdiction.schedule, now).isoformat(timespec="minutes"),
        "missed_run": _missed_run(jurisdiction.schedule, now, runs),
        "waiting": len(waits),
        "held": [held.as_dict() for held in choice.held],
        "refused": [asdict(each) for each in refused],
        "held_back": [w.landing_path for w in waits if w.waits_for_key],
        "late": [due.as_dict() for due in intake.late_deliveries(punctuality)],
        "alerts": alerts.channel_health(settings_file, warehouse),
        "extracts": [
            _extract(session, contract, receipts, standing, punctuality) for contract in jurisdiction.contracts.values()
        ],
    }


def _extract(
    session: Session,
    contract: Contract,
    receipts: list[Receipt],
    standing: set[str],
    punctuality: dict[str, Punctuality],
) -> dict[str, Any]:
    """What is in of one extract, what was rejected, what is late and what comes next."""
    own = [r for r in receipts if r.extract_id == contract.id and r.receipt_id in standing]
    readings = [_reading(session, r, contract) for r in own]
    periods = sorted({r.delivery_period for r in own})
    found = punctuality[contract.id]
    return {
        "extract": contract.id,
        "owner": contract.owner,
        "provenance": contract.provenance,
        "files": len(own),
        "periods": f"{periods[0]} to {periods[-1]}" if len(periods) > 1 else "".join(periods),
        "last_period": periods[-1] if periods else "",
        "received_at": max((r.received_at for r in own), default=""),
        "unreadable": sum(1 for r in readings if r and r.status == "unreadable"),
        "unread": sum(1 for r in readings if r is None),
        "rejects": sum(r.rejects - r.known_rejects for r in readings if r),
        "known": sum(r.known_rejects for r in readings if r),
        "due": found.following.due_on if found.following else "",
        "due_period": found.following.delivery_period if found.following else "",
        "late": [due.delivery_period for due in found.late] if found.gravity != "ignore" else [],
    }


def _blocked_by(build: Path, blocking: list[str]) -> list[dict[str, str]]:
    """The blocking checks of a build: what each saw, and whose business it is."""
    results = {r["check_id"]: r for r in read_json(build / "checks.json")} if (build / "checks.json").exists() else {}
    names = ("subject", "owner", "observed")
    return [{"check_id": c, **{n: str(results.get(c, {}).get(n, "")) for n in names}} for c in blocking]


def rejects_of(settings: Settings, extract: str | None, period: str | None) -> list[dict[str, Any]]:
    """What lies in landing and cannot be taken in, then the rejects of the receipts in force, as people read them."""
    session = Session(settings)
    if extract and extract not in session.jurisdiction.contracts:
        raise UsageError(
            f"there is no extract {extract!r}",
            where="--extract",
            do="name one of " + ", ".join(session.jurisdiction.contracts),
        )
    receipts = intake.all_receipts(session.warehouse) if session.warehouse.receipts.exists() else []
    standing = _in_force(session, receipts)
    refused = intake.found_in_landing(session.jurisdiction, session.warehouse)[1]
    rows: list[dict[str, Any]] = [
        {
            "extract": each.extract_id,
            "period": each.delivery_period,
            "file": each.landing_path,
            "sheet": "",
            "row": None,
            "column": "",
            "rule": each.rule,
            "text": "",
            "detail": f"{each.detail} ({each.do})",
            "known": "",
            "receipt_id": "",
        }
        for each in refused
        if extract in (None, each.extract_id) and period in (None, each.delivery_period)
    ]
    for receipt in receipts:
        contract = session.jurisdiction.contracts.get(receipt.extract_id)
        if receipt.receipt_id not in standing or contract is None:
            continue
        if (extract and receipt.extract_id != extract) or (period and receipt.delivery_period != period):
            continue
        reading = _reading(session, receipt, contract)
        if reading is None or not reading.rejects:
            continue
        frame = pl.read_parquet(session.warehouse.folder / reading.folder / "rejects.parquet")
        rows += [
            {
                "extract": receipt.extract_id,
                "period": receipt.delivery_period,
                "file": row["source_file"],
                "sheet": row["source_sheet"],
                "row": row["source_row"],
                "column": row["source_column"],
                "rule": row["rule"],
                "text": row["reported_text"],
                "detail": row["detail"],
                "known": row["known_reason"] or "",
                "receipt_id": receipt.receipt_id,
            }
            for row in frame.iter_rows(named=True)
        ]
    return rows


def quality_of(settings: Settings, build_id: str | None) -> dict[str, Any]:
    """Verdict and check results of a build, the newest judged one by default."""
    session = Session(settings)
    judged = sorted(session.warehouse.builds.glob("*/verdict.json"), key=lambda p: p.stat().st_mtime)
    if build_id:
        judged = [p for p in judged if p.parent.name == build_id]
    if not judged:
        raise UsageError(
            f"no judged build {build_id}" if build_id else "no build has been judged yet",
            where=str(session.warehouse.builds),
            do="run `junheng run`",
        )
    folder = judged[-1].parent
    return {
        "build_id": folder.name,
        "verdict": read_json(folder / "verdict.json"),
        "checks": read_json(folder / "checks.json"),
    }


def history_of(settings: Settings, check_id: str) -> list[dict[str, Any]]:
    """Every result of one check over all judgements, oldest first. UsageError for a check that was never made."""
    from pipelines.quality import read_history

    session = Session(settings)
    lines = [line for line in read_history(session.warehouse) if line["check_id"] == check_id]
    if not lines:
        raise UsageError(
            f"there is no result of a check {check_id!r}",
            where=str(session.warehouse.checks),
            do="`junheng quality --all` lists the checks",
        )
    return lines


def _readings(session: Session, receipts: list[Receipt]) -> list[Reading]:
    """The readings under the present rules of everything that has been read."""
    contracts = session.jurisdiction.contracts
    known = [(receipt, contracts.get(receipt.extract_id)) for receipt in receipts if not receipt.is_withdrawal]
    found = [_reading(session, receipt, contract) for receipt, contract in known if contract and contract.is_accepted]
    return [reading for reading in found if reading is not None]


def _in_force(session: Session, receipts: list[Receipt]) -> set[str]:
    """The receipts whose figures may count; readings are looked up only where a contract makes that matter."""
    contracts = session.jurisdiction.contracts
    partial = [r for r in receipts if (c := contracts.get(r.extract_id)) and c.partial_delivery]
    readings = [_reading(session, receipt, contracts[receipt.extract_id]) for receipt in partial]
    return in_force(session.jurisdiction, receipts, filter(None, readings))


def _reading(session: Session, receipt: Receipt, contract: Contract) -> Reading | None:
    return intake.find_reading(receipt, contract, session.jurisdiction, session.warehouse, session.settings.work_limits)


def alerts_of(settings: Settings) -> list[dict[str, Any]]:
    """The alert channels: where each goes, when it last worked, what is wrong with it."""
    session = Session(settings)
    return alerts.channel_health(alerts.load_settings_file(settings.settings_file), session.warehouse)


def try_alerts(settings: Settings) -> list[dict[str, Any]]:
    """Send a test through every alert channel; what became of each."""
    session = Session(settings)
    occasion = alerts.Occasion(
        jurisdiction=session.jurisdiction.key,
        name=session.jurisdiction.name,
        run_id="none",
        outcome="test",
        release=session.warehouse.current_release_id(),
    )
    settings_file = alerts.load_settings_file(settings.settings_file)
    sent = alerts.try_channels(settings_file, settings.settings_folder, session.warehouse, occasion)
    return [asdict(each) for each in sent]


def moment_of(schedule: str, now: datetime, *, before: bool = False) -> datetime:
    """The next moment of a cron schedule after `now`, or the last one before it, in the time zone of `now`."""
    return next(CronSim(schedule, now, reverse=before))


def _missed_run(schedule: str, now: datetime, runs: list[dict[str, Any]]) -> str | None:
    """The last scheduled moment, `_GRACE` or longer ago, since which nothing ran; None where none ever did."""
    if not runs:
        return None
    planned = moment_of(schedule, now - _GRACE, before=True)
    newest = datetime.fromisoformat(runs[0]["started_at"]) if runs[0]["started_at"] else planned
    return planned.isoformat(timespec="minutes") if newest < planned else None
