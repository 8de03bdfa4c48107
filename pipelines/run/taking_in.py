"""What a look at landing gives: files received, receipts read, deliveries decided on.

Each step's work is `intake`'s and `holding`'s; here is their order, and what is said of it. A session has `take_in` and
`periods` as methods.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines import intake
from pipelines.errors import ConfigurationError, UsageError
from pipelines.jurisdiction import Jurisdiction
from pipelines.jurisdiction.cadence import Periods
from pipelines.records import Reading, Receipt
from pipelines.run.holding import Decision

if TYPE_CHECKING:  # a session has these as methods
    from pipelines.run.session import Session


@dataclass(frozen=True)
class Intake:
    """What receive and read gave: everything in the warehouse, and what is new of it."""

    receipts: list[Receipt]
    readings: list[Reading]
    new_receipts: list[Receipt]
    new_readings: list[Reading]
    decision: Decision  # which of all deliveries count
    held_back: list[str] = field(default_factory=list)
    refused: list[intake.Refused] = field(default_factory=list)


def take_in(
    session: Session,
    *,
    extract: str | None = None,
    period: str | Container[str] | None = None,
    as_of: str | None = None,
    full: bool = False,
    receive: bool = True,
    again: Callable[[Receipt], bool] = lambda _: False,
    arrived: Callable[[], None] = lambda: None,
) -> Intake:
    """Receive what has landed and read every receipt that has no reading under the present rules.

    `extract` and `period` (a name, a range like 2015..2018, or several names) limit what is received; `as_of`
    limits the receipts to those known then; `again` says which are read although they have a reading; `arrived`
    is called before anything is read when something new has come.
    """
    if extract and extract not in session.jurisdiction.contracts:
        raise UsageError(
            f"there is no extract {extract!r}",
            where=str(session.jurisdiction.folder / "contracts"),
            do="name one of " + ", ".join(session.jurisdiction.contracts),
        )
    for known in session.jurisdiction.contracts.values():
        # Asked for by name, a person-level extract without a key is refused; else its files wait (see below). A
        # key that is configured must be a good one before anything is taken in.
        if known.id == extract or intake.key_is_configured():
            intake.require_key(known, session.warehouse.folder, session.jurisdiction.folder)
    held_back: list[str] = []
    refused: list[intake.Refused] = []
    _ = session.rules  # before anything is taken in: by which rules it was
    wanted = periods(session, period, extract) if isinstance(period, str) else period
    with session.step("receive"):
        if receive:
            arrivals = intake.receive(
                session.jurisdiction,
                session.warehouse,
                session.ledger,
                extract=extract,
                periods=wanted,
                hash_everything=full,
            )
            receipts, new_receipts = arrivals.receipts, arrivals.new
            held_back, refused = arrivals.held_back, arrivals.refused
            for receipt in new_receipts:
                session.note(
                    "withdrawn" if receipt.is_withdrawal else "received",
                    receipt_id=receipt.receipt_id,
                    landing_path=receipt.landing_path,
                    sha256=receipt.sha256,
                    size_bytes=receipt.size_bytes,
                )
            if held_back:
                session.note("held_back", landing_paths=held_back)
                session.say(
                    f"warning: {len(held_back)} person-level file(s) held back, nothing of them was taken in: "
                    f"no key for ID numbers is configured ({', '.join(held_back[:3])}); name one in "
                    f"{intake.KEY_VARIABLE} and run again"
                )
            _tell_of_refused(session, refused)
            if new_receipts:
                session.say(f"received {len(new_receipts)} new file(s)")
                arrived()
        else:
            receipts, new_receipts = intake.all_receipts(session.warehouse), []
    if as_of:
        receipts = [r for r in receipts if r.received_at <= as_of]
    new = {receipt.receipt_id for receipt in new_receipts}
    readings: list[Reading] = []
    new_readings: list[Reading] = []
    limits = session.settings.work_limits
    with session.step("read"), intake.Reader(session.jurisdiction, session.warehouse, limits) as reader:
        for receipt in receipts:
            if receipt.is_withdrawal:
                session.say(f"withdrawn: {receipt.landing_path}") if receipt.receipt_id in new else None
                continue
            contract = session.jurisdiction.contracts.get(receipt.extract_id)
            if contract is not None and not contract.is_accepted:
                continue  # what a proposal reads is a guess: nothing of it is stored
            if contract is None:
                raise ConfigurationError(
                    f"the contract of {receipt.extract_id} is gone; {receipt.landing_path} was received under it",
                    where=str(session.jurisdiction.folder / "contracts"),
                    do="bring the contract back, or set its status to retired",
                )
            stored = reader.find(receipt, contract)
            if stored is None or (full and not as_of) or again(receipt):
                started = time.perf_counter()
                reading = reader.read(receipt, contract)
                session.note("read", **_noted(reading, receipt), seconds=round(time.perf_counter() - started, 3))
                if stored is None or stored.reading_id != reading.reading_id:
                    new_readings.append(reading)
                    if receipt.receipt_id not in new:  # nothing was read of a new one before
                        _tell_of_new_reading(session, receipt, reading)
                    session.ledger.append(
                        "read",
                        {
                            "reading_id": reading.reading_id,
                            "receipt_id": receipt.receipt_id,
                            "landing_path": receipt.landing_path,
                            "status": reading.status,
                            "rejects": reading.rejects,
                        },
                    )
                stored = reading
            readings.append(stored)
    for line in _said_of(new_readings, {receipt.receipt_id: receipt for receipt in receipts}):
        session.say(line)
    decision = session.decide(receipts, readings, as_of)
    for each in decision.choice.held:
        if each.receipt_id in new:
            session.say(f"held: {each.landing_path}: {each.because}")
    return Intake(receipts, readings, new_receipts, new_readings, decision, held_back, refused)


def periods(session: Session, text: str, extract: str | None) -> Periods:
    """Delivery periods as a person asked for them. Raises UsageError for a range that is none."""
    contract = session.jurisdiction.contracts.get(extract or "")
    levels = contract.slaProperties if contract is not None else []
    unit = next((level.unit for level in levels if level.property == "frequency"), None)
    try:
        return Periods(text, unit)
    except ValueError as error:
        raise UsageError(str(error), where="--period", do="name one period, or a range from..to") from error


def in_force(
    jurisdiction: Jurisdiction, receipts: list[Receipt], readings: Iterable[Reading], left_out: Container[str] = ()
) -> set[str]:
    """The ids of the receipts whose figures may count, as if those `left_out` had never come; see `intake.in_force`."""
    partial = {contract.id for contract in jurisdiction.contracts.values() if contract.partial_delivery}
    readable = {reading.receipt_id for reading in readings if reading.status == "read"} if partial else set()
    return intake.in_force([r for r in receipts if r.receipt_id not in left_out], partial, readable)


def _tell_of_refused(session: Session, refused: list[intake.Refused], most: int = 5) -> None:
    """Say what lies in the landing folder and cannot be taken in, the first few of it."""
    if refused:
        session.note("refused", entries=[asdict(each) for each in refused])
    for each in refused[:most]:
        session.say(f"warning: not taken in: {each.landing_path}: {each.detail} ({each.do})")
    if len(refused) > most:
        session.say(f"warning: not taken in: {len(refused) - most} more (`junheng rejects` lists them)")


def _tell_of_new_reading(session: Session, receipt: Receipt, reading: Reading) -> None:
    """Say what a mended contract, alias or list of regions changed in the figures of a receipt read before."""
    earlier = intake.earlier_reading(receipt, reading, session.warehouse)
    if earlier is None or reading.status != "read":
        return
    difference = intake.compare(earlier, reading, session.warehouse)
    if difference:
        session.say(f"read anew {receipt.landing_path}: {difference}")


def _noted(reading: Reading, receipt: Receipt) -> dict[str, Any]:
    """A reading for a run's log: its account, no value of it."""
    counts = ("rows_read", "rows_accepted", "rows_rejected", "rows_duplicate", "rows_ignored")
    return {
        "reading_id": reading.reading_id,
        "receipt_id": receipt.receipt_id,
        "landing_path": receipt.landing_path,
        "status": reading.status,
        "problem": reading.problem,
        **{name: sum(int(account.get(name, 0)) for account in reading.tie_out) for name in counts},
        "rejects": reading.rejects,
        "known_rejects": reading.known_rejects,
    }


def _said_of(readings: list[Reading], receipts: dict[str, Receipt]) -> list[str]:
    """One line for each extract that was read, one for each file that could not be."""
    lines = []
    by_extract: dict[str, list[Reading]] = {}
    for reading in readings:
        by_extract.setdefault(f"{reading.department}/{reading.extract}", []).append(reading)
    for extract, own in by_extract.items():
        for reading in own:
            if reading.status == "unreadable":
                lines.append(f"cannot read {receipts[reading.receipt_id].landing_path}: {reading.problem}")
        read = [reading for reading in own if reading.status == "read"]
        if not read:
            continue
        sums = {
            name: sum(account[name] for reading in read for account in reading.tie_out)
            for name in ("rows_read", "rows_accepted", "rows_rejected", "rows_duplicate", "rows_ignored")
        }
        text = f"read {extract}, {len(read)} file(s): {sums['rows_read']:,} rows = {sums['rows_accepted']:,} accepted"
        text += f" + {sums['rows_rejected']:,} rejected + {sums['rows_duplicate']:,} duplicate"
        text += f" + {sums['rows_ignored']:,} ignored"
        rejects, known = sum(r.rejects for r in read), sum(r.known_rejects for r in read)
        lines.append(text + (f"; {rejects:,} reject(s), {known:,} of them known" if rejects else ""))
    return lines
