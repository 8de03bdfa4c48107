"""What waits and what is missing: landed files without a receipt, and deliveries that are due and have not come.

When something is due is the contract's word (`jurisdiction.cadence`); what is done about it is `quality`'s and
`alerts`' business. No file is opened here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipelines.intake.landing import Landed, NotTakenError, Refused, look, opened
from pipelines.intake.receive import Seen, all_receipts, in_force, is_received
from pipelines.jurisdiction import Contract, Jurisdiction
from pipelines.jurisdiction.cadence import owed
from pipelines.records import Due, Punctuality, Receipt
from pipelines.store import Warehouse


def waiting(jurisdiction: Jurisdiction, warehouse: Warehouse) -> list[Landed]:
    """The landed files that the next `receive` would take in or hold back, in path order."""
    return found_in_landing(jurisdiction, warehouse)[0]


def found_in_landing(jurisdiction: Jurisdiction, warehouse: Warehouse) -> tuple[list[Landed], list[Refused]]:
    """The landed files that wait to be received, and all that lies there and cannot be taken in."""
    latest = {receipt.landing_path: receipt for receipt in all_receipts(warehouse)}
    seen = Seen(warehouse)
    landing = look(jurisdiction, latest)
    waits = []
    for landed in landing.files:
        if is_received(landed, latest.get(landed.landing_path), seen):
            continue
        try:
            with opened(jurisdiction.landing, landed.place):
                waits.append(landed)
        except NotTakenError as error:
            landing.refused.append(error.refused)
    return waits, landing.refused


def punctuality(
    jurisdiction: Jurisdiction, receipts: list[Receipt], waits: list[Landed], moment: datetime
) -> dict[str, Punctuality]:
    """What every extract owes at `moment`, by extract.

    A delivery has come when a receipt of its period is in force. One that is held back has come too: its department
    has done its part.
    """
    current = in_force(receipts)
    come: dict[str, set[str]] = {extract: set() for extract in jurisdiction.contracts}
    for receipt in receipts:
        if receipt.receipt_id in current and receipt.extract_id in come:
            come[receipt.extract_id].add(receipt.delivery_period)
    for wait in waits:
        if wait.waits_for_key and wait.extract_id in come and wait.delivery_period:
            come[wait.extract_id].add(wait.delivery_period)
    zone = ZoneInfo(jurisdiction.time_zone)
    return {
        extract: _of_extract(contract, come[extract], zone, moment)
        for extract, contract in jurisdiction.contracts.items()
    }


def late_deliveries(found: dict[str, Punctuality]) -> list[Due]:
    """Everything that is due and has not come, the oldest first; what contracts set aside is left out."""
    late = [due for extract in found.values() if extract.gravity != "ignore" for due in extract.late]
    return sorted(late, key=lambda due: (due.late_from, due.extract_id, due.delivery_period))


def _of_extract(contract: Contract, come: set[str], zone: ZoneInfo, moment: datetime) -> Punctuality:
    gravity = contract.quality.late_delivery
    agreed = {level.property for level in contract.slaProperties} >= {"frequency", "latency"}
    if contract.status in ("proposed", "draft", "retired"):
        return Punctuality(contract.id, gravity, is_agreed=False)
    owner = next((m for m in contract.team if m.name == contract.owner), contract.team[0])
    late: list[Due] = []
    for delivery in owed(contract, come):
        if delivery.delivery_period in come:
            continue
        late_from = _end_of(delivery.due_on, zone)
        due = Due(
            department=contract.department,
            extract=contract.extract,
            delivery_period=delivery.delivery_period,
            due_on=delivery.due_on.isoformat(),
            late_from=late_from.strftime("%Y-%m-%dT%H:%M:%SZ"),
            owner=contract.owner,
            contact=owner.contact,
        )
        if late_from > moment:
            return Punctuality(contract.id, gravity, agreed, late, due)
        late.append(due)
    return Punctuality(contract.id, gravity, agreed, late)


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment after a day, in UTC."""
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)


__all__ = ["found_in_landing", "late_deliveries", "punctuality", "waiting"]
