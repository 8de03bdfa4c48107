"""What a person asks about the state of a warehouse: status, rejects, quality. It reads and changes nothing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from pipelines import intake
from pipelines.errors import UsageError
from pipelines.jurisdiction import Contract
from pipelines.records import Reading, Receipt
from pipelines.run import Session
from pipelines.settings import Settings
from pipelines.store import read_json


def status_of(settings: Settings) -> dict[str, Any]:
    """Extracts with what is in and what is late, the last build and release, what blocks, the next run."""
    session = Session(settings)
    jurisdiction = session.jurisdiction
    receipts = intake.all_receipts(session.warehouse) if session.warehouse.receipts.exists() else []
    in_force = intake.in_force(receipts)
    now = datetime.now(ZoneInfo(jurisdiction.time_zone))
    extracts = []
    for contract in jurisdiction.contracts.values():
        own = [r for r in receipts if r.extract_id == contract.id and r.receipt_id in in_force]
        readings = [_reading(session, r, contract) for r in own]
        periods = sorted({r.delivery_period for r in own})
        extracts.append(
            {
                "extract": contract.id,
                "provenance": contract.provenance,
                "files": len(own),
                "periods": f"{periods[0]} to {periods[-1]}" if len(periods) > 1 else "".join(periods),
                "unreadable": sum(1 for r in readings if r and r.status == "unreadable"),
                "rejects": sum(r.rejects - r.known_rejects for r in readings if r),
                "known": sum(r.known_rejects for r in readings if r),
                "due": _due(contract, periods, now.date()),
            }
        )
    builds = sorted(session.warehouse.builds.glob("*/build.json"), key=lambda p: p.stat().st_mtime)
    newest = builds[-1].parent if builds else None
    verdict = read_json(newest / "verdict.json") if newest and (newest / "verdict.json").exists() else None
    landed = {p.relative_to(jurisdiction.landing).as_posix() for p in jurisdiction.landing.rglob("*") if p.is_file()}
    landed = {p for p in landed if not p.rsplit("/", 1)[-1].startswith((".", "~$")) and not p.endswith(".part")}
    return {
        "jurisdiction": jurisdiction.key,
        "name": jurisdiction.name,
        "release": session.warehouse.current_release_id(),
        "build": newest.name if newest else None,
        "verdict": verdict["outcome"] if verdict else None,
        "blocking": verdict["blocking"] if verdict else [],
        "next_run": _next_run(jurisdiction.schedule, now),
        "waiting": len(landed - {r.landing_path for r in receipts}),
        "extracts": extracts,
    }


def rejects_of(settings: Settings, extract: str | None, period: str | None) -> list[dict[str, Any]]:
    """Rejects of the receipts in force, newest rules first, as people read them."""
    session = Session(settings)
    if extract and extract not in session.jurisdiction.contracts:
        raise UsageError(
            f"there is no extract {extract!r}",
            where="--extract",
            do="name one of " + ", ".join(session.jurisdiction.contracts),
        )
    receipts = intake.all_receipts(session.warehouse) if session.warehouse.receipts.exists() else []
    in_force = intake.in_force(receipts)
    rows: list[dict[str, Any]] = []
    for receipt in receipts:
        contract = session.jurisdiction.contracts.get(receipt.extract_id)
        if receipt.receipt_id not in in_force or contract is None:
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


def _reading(session: Session, receipt: Receipt, contract: Contract) -> Reading | None:
    return intake.find_reading(receipt, contract, session.jurisdiction, session.warehouse)


def _due(contract: Contract, periods: list[str], today: date) -> str:
    """When the next delivery is due by the contract's service levels, and whether it is late."""
    levels = {level.property: level for level in contract.slaProperties}
    frequency, latency = levels.get("frequency"), levels.get("latency")
    years = [int(p[:4]) for p in periods if p[:4].isdigit()]
    if frequency is None or latency is None or frequency.unit != "y" or not years:
        return ""
    following = max(years) + int(frequency.value)
    due = date(following, 12, 31) + timedelta(days=int(latency.value))
    return f"{due}{' LATE' if due < today else ''}"


def _next_run(schedule: str, now: datetime) -> str:
    """The next moment of a daily `minute hour * * *` schedule; other schedules are shown as they are."""
    parts = schedule.split()
    if len(parts) == 5 and parts[0].isdigit() and parts[1].isdigit() and parts[2:] == ["*", "*", "*"]:
        moment = now.replace(hour=int(parts[1]), minute=int(parts[0]), second=0, microsecond=0)
        if moment <= now:
            moment += timedelta(days=1)
        return moment.isoformat(timespec="minutes")
    return schedule
