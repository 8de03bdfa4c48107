"""What waits and what is missing: landed files without a receipt, and deliveries that are due and have not come.

When something is due is the contract's word (`jurisdiction.cadence`); what is done about it is `quality`'s and
`alerts`' business. No file is opened here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipelines.intake import person_key
from pipelines.intake.receive import WITHDRAWN, in_force, landed_files
from pipelines.jurisdiction import Contract, Jurisdiction
from pipelines.jurisdiction.cadence import owed
from pipelines.records import Due, Punctuality, Receipt
from pipelines.store import Warehouse, read_json


@dataclass(frozen=True)
class Waiting:
    """A landed file that has no receipt yet, as it lies there now."""

    landing_path: str
    mark: tuple[int, int, int]  # size, modification time in ns, inode: the file is another one when these change
    is_held_back: bool  # person-level, and no key for ID numbers is configured

    @property
    def extract_id(self) -> str:
        """`department/extract`, as far as its place says."""
        return "/".join(self.landing_path.split("/")[:2])

    @property
    def delivery_period(self) -> str:
        """The delivery period, as far as its place says."""
        parts = self.landing_path.split("/")
        return parts[2] if len(parts) == 4 else ""


def waiting(jurisdiction: Jurisdiction, warehouse: Warehouse) -> list[Waiting]:
    """The landed files that the next `receive` would take in, hold back or refuse, in path order."""
    seen_path = warehouse.receipts / "seen.json"
    seen: dict[str, list[int]] = read_json(seen_path) if seen_path.exists() else {}
    landed = landed_files(jurisdiction.landing)
    taken_back = {path.with_suffix("") for path in landed if path.suffix == WITHDRAWN}
    found = []
    for path in landed:
        if path in taken_back:
            continue
        try:
            status = path.stat()
        except FileNotFoundError:  # taken away this moment
            continue
        relative = path.relative_to(jurisdiction.landing).as_posix()
        mark = (status.st_size, status.st_mtime_ns, status.st_ino)
        if seen.get(relative) == list(mark):
            continue
        contract = jurisdiction.contracts.get("/".join(relative.split("/")[:2]))
        needs_key = contract is not None and contract.records is not None and contract.records.needs_key
        found.append(Waiting(relative, mark, needs_key and not person_key.key_is_configured()))
    return found


def punctuality(
    jurisdiction: Jurisdiction, receipts: list[Receipt], waits: list[Waiting], moment: datetime
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
        if wait.is_held_back and wait.extract_id in come and wait.delivery_period:
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


__all__ = ["Waiting", "late_deliveries", "punctuality", "waiting"]
