"""Which deliveries count: one that fails a blocking check is held, and its extract stays at its last good delivery.

Decided in seconds from readings and findings, before anything is built. How each delivery comes to its result is
`arrivals`' work, how it is told is `telling`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import polars as pl

from pipelines import intake
from pipelines.jurisdiction import Jurisdiction
from pipelines.records import Choice, Held, Reading, Receipt
from pipelines.run import telling
from pipelines.run.arrivals import FINDING, Deliveries, Fault, Finding, Waivers
from pipelines.store import Warehouse


@dataclass(frozen=True)
class Decision:
    """What was decided of all deliveries that are here."""

    choice: Choice
    findings: pl.DataFrame  # those on deliveries in force and on held ones; `source.finding`
    faults: dict[str, Fault] = field(default_factory=dict)  # by receipt, of deliveries that are held
    # Receipt and fault of deliveries that may not be held (`blocks: release`), or that no delivery can be held for.
    stopping: list[tuple[Receipt, Fault]] = field(default_factory=list)
    out_of_line: dict[str, list[Finding]] = field(default_factory=dict)  # receipts in force -> single values that jump


def decide(
    jurisdiction: Jurisdiction,
    warehouse: Warehouse,
    receipts: Sequence[Receipt],
    readings: Iterable[Reading],
    *,
    as_of: str | None = None,
    chosen: Choice | None = None,
    keep: bool = True,
) -> Decision:
    """Decide of every delivery whether it counts.

    `receipts` in order of arrival; one without a reading has not been read yet and is left out of account, unless its
    contract is a proposal. `chosen` is a decision of before that stands. `keep` stores what was found for the next
    look. Raises ConfigurationError for waivers that are no waivers.
    """
    if chosen is not None:
        return Decision(chosen, pl.DataFrame(schema=FINDING))
    by_receipt = {reading.receipt_id: reading for reading in readings}
    waivers = Waivers(jurisdiction.waivers_file)
    extracts = {
        contract.id: Deliveries(jurisdiction, warehouse, contract, waivers, receipts, by_receipt, as_of)
        for contract in jurisdiction.contracts.values()
    }
    for extract in extracts.values():
        extract.decide()
    at_fault = _same_bytes_elsewhere(extracts)
    for extract in extracts.values():
        at_fault += _disagreeing(extract)
    for extract_id in dict.fromkeys(receipt.extract_id for receipt, _ in at_fault):
        extracts[extract_id].blame([(r.receipt_id, one) for r, one in at_fault if r.extract_id == extract_id])
    decision = _joined(extracts.values(), ZoneInfo(jurisdiction.time_zone))
    if keep:
        for extract in extracts.values():
            extract.memory.save()
    return decision


def _same_bytes_elsewhere(extracts: dict[str, Deliveries]) -> list[tuple[Receipt, Finding]]:
    """Deliveries in force with the bytes of another extract of their department, of a period apart from theirs."""
    by_bytes: dict[tuple[str, str], list[Receipt]] = {}
    for extract in extracts.values():
        for receipt_id in extract.in_force:
            receipt = extract.receipts[receipt_id]
            by_bytes.setdefault((receipt.department, receipt.sha256), []).append(receipt)
    found = []
    for same in by_bytes.values():
        same.sort(key=lambda receipt: receipt.sequence)
        for place, later in enumerate(same):
            severity = extracts[later.extract_id].contract.quality.repeated_delivery
            apart = [
                earlier
                for earlier in same[:place]
                if earlier.extract_id != later.extract_id
                and intake.are_apart(earlier.delivery_period, later.delivery_period)
            ]
            if apart and severity != "ignore":
                reading = extracts[later.extract_id].reading_of(later)
                finding = intake.of_same_bytes(later, apart[-1], severity)
                found.append((later, {**finding, "receipt_id": later.receipt_id, "reading_id": reading}))
    return found


def _disagreeing(extract: Deliveries) -> list[tuple[Receipt, Finding]]:
    """Files in force of one period that were received in one look and report a figure differently, each of them."""
    together: dict[tuple[str, str], list[tuple[Receipt, Reading]]] = {}
    for delivery in extract.accepted:
        receipt, reading = delivery.receipt, delivery.reading
        if receipt.receipt_id in extract.in_force and reading is not None and reading.status == "read":
            together.setdefault((receipt.delivery_period, receipt.received_at), []).append((receipt, reading))
    found = []
    for same in (same for same in together.values() if len(same) > 1):
        examples = intake.disagreements([reading for _, reading in same], extract.warehouse)
        for receipt, reading in same:
            if reading.reading_id in examples:
                text = f"another file that came together with it reports {examples[reading.reading_id]} differently"
                finding = {"check": "disagreeing_files", "severity": "block", "observed": text, "against": ""}
                finding |= {"expected": "one number for each figure: which of two files counts nobody can say"}
                found.append((receipt, {**finding, "receipt_id": receipt.receipt_id, "reading_id": reading.reading_id}))
    return found


def _joined(extracts: Iterable[Deliveries], zone: ZoneInfo) -> Decision:
    """What was decided of each extract as one."""
    in_force: set[str] = set()
    held: list[Held] = []
    left_out: dict[str, str] = {}
    in_place_of: dict[str, str] = {}
    tables: list[pl.DataFrame] = []
    faults: dict[str, Fault] = {}
    stopping: list[tuple[Receipt, Fault]] = []
    out_of_line: dict[str, list[Finding]] = {}
    for extract in extracts:
        in_force |= extract.in_force
        stopping += extract.stopping
        left_out |= {receipt_id: telling.because(fault.results) for receipt_id, fault in extract.faults.items()}
        pending = sorted(extract.pending, key=lambda receipt: receipt.sequence)
        found = list(extract.findings)
        for receipt in pending:
            fault = faults[receipt.receipt_id] = extract.faults[receipt.receipt_id]
            found += fault.findings
            in_its_place = extract.in_its_place(receipt)
            for receipt_id in in_its_place:
                in_place_of.setdefault(receipt_id, receipt.receipt_id)
            instead = [extract.receipts[receipt_id] for receipt_id in in_its_place]
            held.append(telling.held(receipt, extract.contract, fault.results, extract.since(receipt), instead, zone))
        for one in extract.findings:
            if one["check"] == intake.VALUE_JUMP:
                out_of_line.setdefault(one["receipt_id"], []).append(one)
        tables.append(extract.as_table(found))
    choice = Choice(frozenset(in_force), tuple(held), left_out, in_place_of)
    return Decision(choice, pl.concat(tables), faults, stopping, out_of_line)
