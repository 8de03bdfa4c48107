"""The deliveries of one extract in order of arrival: each is accepted, or left out for what fails with it.

A delivery is judged when it has been read, against those accepted before it. What fails a check is
`quality.deliveries`' word, what a delivery is found to have done is `intake.vintages`'; what follows for all extracts
together is `holding`'s work.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines import intake, quality, transform
from pipelines.jurisdiction import Contract, Jurisdiction
from pipelines.jurisdiction.source_schema import polars_schema
from pipelines.quality import Waiver
from pipelines.records import CheckResult, Reading, Receipt, TieOut
from pipelines.settings import code_version
from pipelines.store import Warehouse, read_json, write_json

Finding = dict[str, str]
FINDING = polars_schema("finding")


@dataclass(frozen=True)
class Fault:
    """What is wrong with a delivery that does not count: the checks that fail, and all that was found on it."""

    results: list[CheckResult]
    findings: list[Finding] = field(default_factory=list)

    @property
    def blocking(self) -> list[CheckResult]:
        """The checks for which it is held."""
        return [result for result in self.results if result.severity == "block"]

    def as_dict(self) -> dict[str, Any]:
        """The fault as plain JSON types."""
        return {"results": [result.as_dict() for result in self.results], "findings": self.findings}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Fault:
        """The fault back from `as_dict`."""
        return cls([CheckResult.from_dict(result) for result in data["results"]], data["findings"])


class Memory:
    """What was decided before of the deliveries of one extract, by what went into it; it keeps what was asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._before: dict[str, Any] = read_json(path) if path.exists() else {}
        self._used: dict[str, Any] = {}

    def find(self, key: str) -> tuple[bool, Any]:
        """Whether something was decided under this key, and what."""
        if key not in self._before and key not in self._used:
            return False, None
        self._used.setdefault(key, self._before.get(key))
        return True, self._used[key]

    def put(self, key: str, value: Any) -> None:
        """Remember a decision."""
        self._used[key] = value

    def save(self) -> None:
        """Store what this look used; what it did not is forgotten."""
        if self._used != self._before:
            write_json(self.path, self._used, 0o600)


class Waivers:
    """The waivers of the jurisdiction, loaded when something fails that they could be for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _all(self) -> list[Waiver]:
        return quality.waivers_in_force(self.path)

    @cached_property
    def _digests(self) -> dict[str, str]:
        by_subject: dict[str, list[str]] = {}
        for waiver in self._all:
            by_subject.setdefault(waiver.subject, []).append(repr(waiver))
        return {subject: _hash(*sorted(own)) for subject, own in by_subject.items()}

    def digest(self, extract: str) -> str:
        """What tells the waivers of an extract that are in force today from others."""
        return self._digests.get(extract, "") if self.path.exists() else ""

    @property
    def is_any(self) -> bool:
        """True when some waiver is in force."""
        return self.path.exists() and bool(self._all)

    def left_open(self, results: list[CheckResult]) -> list[CheckResult]:
        """Failing checks without those of which waivers cover every failing row."""
        return [result for result in results if not self.is_any or not quality.is_covered(result, self._all)]


class Deliveries:
    """The deliveries of one extract in order of arrival, and what became of each."""

    def __init__(
        self,
        jurisdiction: Jurisdiction,
        warehouse: Warehouse,
        contract: Contract,
        waivers: Waivers,
        receipts: Sequence[Receipt],
        readings: dict[str, Reading],
        as_of: str | None,
    ) -> None:
        self.contract, self.warehouse, self.waivers = contract, warehouse, waivers
        self.jurisdiction = jurisdiction
        self.deliveries = [
            intake.Delivery(receipt, readings.get(receipt.receipt_id))
            for receipt in receipts
            if receipt.extract_id == contract.id
            and (receipt.is_withdrawal or not contract.is_accepted or receipt.receipt_id in readings)
        ]
        self.receipts = {d.receipt.receipt_id: d.receipt for d in self.deliveries}
        sent = {receipt.delivery_period for receipt in self.receipts.values()}
        # What nobody had sent at a moment is not asked for when it is looked back at.
        self.corrections = [
            correction
            for correction in jurisdiction.corrections
            if correction.extract == contract.id and (as_of is None or correction.delivery_period in sent)
        ]
        self.comparisons = intake.Comparisons(warehouse)
        self.memory = Memory(warehouse.readings / contract.department / contract.extract / "decided.json")
        self.blamed: dict[str, list[Finding]] = {}  # findings that are the fault of a delivery, though at another
        self.accepted: list[intake.Delivery] = []
        self.faults: dict[str, Fault] = {}
        self.findings: list[Finding] = []
        self.stopping: list[tuple[Receipt, Fault]] = []

    def decide(self) -> None:
        """Go through all deliveries; again, while one that counted turns out to be what another fails by."""
        while self.deliveries:
            self.findings = self._findings(self._take_in_again(self._go_through()))
            culprits = self._culprits()
            if not culprits:
                return
            for receipt_id, finding in culprits:
                self.blamed.setdefault(receipt_id, []).append(finding)

    def blame(self, findings: Iterable[tuple[str, Finding]]) -> None:
        """Decide again, findings that no delivery shows by itself being the fault of these."""
        for receipt_id, finding in findings:
            self.blamed.setdefault(receipt_id, []).append(finding)
        self.decide()

    def reading_of(self, receipt: Receipt) -> str:
        """The id of a receipt's reading."""
        found = next(d.reading for d in self.deliveries if d.receipt.receipt_id == receipt.receipt_id)
        return found.reading_id if found is not None else ""

    @property
    def in_force(self) -> frozenset[str]:
        """The receipts whose figures may count."""
        is_partial = [self.contract.id] if self.contract.partial_delivery else []
        readable = [d.receipt.receipt_id for d in self.accepted if d.reading is not None and d.reading.status == "read"]
        return frozenset(intake.in_force([d.receipt for d in self.accepted], is_partial, readable))

    def _go_through(self) -> str:
        """Accept each delivery or leave it out; what tells this course of things from another."""
        contract = self.contract
        may_hold = contract.quality.blocks == "delivery"
        signature = _hash(code_version(), contract.hash, self.waivers.digest(contract.id))
        self.accepted, self.faults, self.stopping = [], {}, []
        faulty = []
        for delivery in self.deliveries:
            receipt = delivery.receipt
            fault = None if receipt.is_withdrawal else self._fault(delivery, self.accepted, signature)
            if fault is not None and may_hold:
                self.faults[receipt.receipt_id] = fault
            else:
                self.accepted.append(delivery)
            if fault is not None:
                faulty.append(delivery)
            reading_id = delivery.reading.reading_id if delivery.reading is not None else ""
            signature = _hash(signature, receipt.receipt_id, reading_id, str(fault is not None))
        for delivery in [] if may_hold else faulty:
            # What a file failed by when it came may be gone since, and the file too.
            others = [other for other in self.accepted if other is not delivery]
            fault = self._fault(delivery, others, _hash(signature, "now"))
            if fault is not None and delivery.receipt.receipt_id in self.in_force:
                self.stopping.append((delivery.receipt, fault))
        return signature

    def _take_in_again(self, signature: str) -> str:
        """Accept what was held for something that is gone since: a bad file before it was mended, or taken back."""
        # What cannot be read cannot be read whatever comes or goes beside it.
        waiting = {receipt.receipt_id for receipt in self.pending}
        pending = [
            d
            for d in self.deliveries
            if d.receipt.receipt_id in waiting and d.reading is not None and d.reading.status == "read"
        ]
        for delivery in pending:
            now = _hash(signature, "now")
            if self._fault(delivery, self.accepted, now) is None and self._fits(delivery, now):
                del self.faults[delivery.receipt.receipt_id]
                self.accepted = sorted([*self.accepted, delivery], key=lambda d: d.receipt.sequence)
                return self._take_in_again(_hash(signature, delivery.receipt.receipt_id, "taken in"))
        return signature

    def _fits(self, delivery: intake.Delivery, signature: str) -> bool:
        """Whether nothing that counts comes to fail beside a delivery."""
        receipt_id = delivery.receipt.receipt_id
        key = _hash(signature, receipt_id, "beside")
        is_known, found = self.memory.find(key)
        if not is_known:
            together = sorted([*self.accepted, delivery], key=lambda d: d.receipt.sequence)
            found = intake.findings(self.contract, together, self.comparisons)
            self.memory.put(key, found)
        return not any(
            one["severity"] == "block"
            and receipt_id in (one["receipt_id"], one["against"])
            and not self._is_waived(self.receipts[one["receipt_id"]], one)
            for one in found
        )

    def _fault(self, delivery: intake.Delivery, before: list[intake.Delivery], signature: str) -> Fault | None:
        """Why a delivery cannot count, coming after others; None when it can. `signature` tells what was before it."""
        blamed = self.blamed.get(delivery.receipt.receipt_id, [])
        reading_id = delivery.reading.reading_id if delivery.reading is not None else ""
        key = _hash(signature, delivery.receipt.receipt_id, reading_id, json.dumps(blamed, sort_keys=True))
        is_known, stored = self.memory.find(key)
        if is_known:
            return Fault.from_dict(stored) if stored is not None else None
        fault = self._judge(delivery, before, blamed)
        self.memory.put(key, fault.as_dict() if fault is not None else None)
        return fault

    def _judge(self, delivery: intake.Delivery, before: list[intake.Delivery], blamed: list[Finding]) -> Fault | None:
        found = intake.arrived(self.contract, [*before, delivery], self.comparisons) + blamed
        if self.contract.is_accepted and _is_clean(delivery.reading, found):
            return None
        left = self._failing(delivery, found)
        if self.contract.is_accepted:  # no waiver makes a proposal an agreement
            left = self.waivers.left_open(left)
        return Fault(left, found) if any(result.severity == "block" for result in left) else None

    def _failing(self, delivery: intake.Delivery, found: list[Finding]) -> list[CheckResult]:
        """The checks that fail on the account of one delivery alone."""
        extracts = self.jurisdiction.extract_table
        own = extracts.filter((pl.col("department") + "/" + pl.col("extract")) == self.contract.id)
        with duckdb.connect() as connection:
            transform.lay_account(
                connection, self.warehouse, own, delivery.receipt, delivery.reading, self.as_table(found)
            )
            return quality.delivery_faults(connection)

    def _findings(self, signature: str) -> list[Finding]:
        """What is found on the deliveries in force, as they are together."""
        held = {self.receipts[receipt_id].delivery_period for receipt_id in self.faults}
        key = _hash(signature, "findings", *(c.hash for c in self.corrections), *sorted(held))
        is_known, stored = self.memory.find(key)
        if not is_known:
            stored = intake.findings(self.contract, self.accepted, self.comparisons, self.corrections, held)
            self.memory.put(key, stored)
        in_force = self.in_force
        return [*stored, *(one for own in self.blamed.values() for one in own if one["receipt_id"] in in_force)]

    def _culprits(self) -> list[tuple[str, Finding]]:
        """The deliveries at fault for what blocks now that all are together, each with the finding it is at fault for.

        Of two that disagree the one that came later is. What a delivery fails by only because another was taken back
        is worth a warning: it was good when it came. What no delivery is at fault for stops the release.
        """
        culprits, settled = [], []
        for one in self.findings:
            at, against = self.receipts[one["receipt_id"]], self.receipts.get(one["against"])
            if one["severity"] != "block" or one in self.blamed.get(at.receipt_id, []) or self._is_waived(at, one):
                settled.append(one)
            elif self.contract.quality.blocks == "release" or self._is_for_nothing(one):
                settled.append(one)
                if at.receipt_id not in {receipt.receipt_id for receipt, _ in self.stopping}:
                    self.stopping.append((at, Fault(self._failing_by(at, one), [one])))
            elif against is None:
                culprits.append((at.receipt_id, one))
            elif against.sequence > at.sequence:
                text = f"beside {at.delivery_period}/{at.file_name}: {one['observed']}"
                blamed = {**one, "receipt_id": against.receipt_id, "against": at.receipt_id, "observed": text}
                if blamed not in self.blamed.get(against.receipt_id, []):
                    culprits.append((against.receipt_id, blamed))
            else:
                settled.append({**one, "severity": "warn"})
        self.findings = settled
        return culprits

    def _is_for_nothing(self, one: Finding) -> bool:
        """Whether a correction did not fit because no delivery of its period has ever come: our own slip."""
        name = one["observed"].split(":")[0]
        periods = {c.delivery_period for c in self.corrections if one["check"] == "correction" and c.id == name}
        return bool(periods) and not any(r.delivery_period in periods for r in self.receipts.values())

    def _is_waived(self, at: Receipt, one: Finding) -> bool:
        return self.waivers.is_any and not self.waivers.left_open(self._failing_by(at, one))

    def _failing_by(self, at: Receipt, one: Finding) -> list[CheckResult]:
        """The check that one finding makes fail."""
        delivery = next(d for d in self.deliveries if d.receipt.receipt_id == at.receipt_id)
        check_id = quality.check_of_finding(one["check"], self.contract.id)
        return [result for result in self._failing(delivery, [one]) if result.check_id == check_id]

    @property
    def pending(self) -> list[Receipt]:
        """The held deliveries: those that failed and have neither been replaced nor taken back since."""
        latest = {d.receipt.landing_path: d.receipt for d in self.deliveries}
        return [receipt for receipt in latest.values() if receipt.receipt_id in self.faults]

    def since(self, held: Receipt) -> str:
        """When the first of the files came that failed one after the other at the place of a held one."""
        since = held.received_at
        for delivery in reversed(self.deliveries):
            receipt = delivery.receipt
            if receipt.landing_path == held.landing_path and receipt.sequence < held.sequence:
                if receipt.receipt_id not in self.faults:
                    break
                since = receipt.received_at
        return since

    def in_its_place(self, held: Receipt) -> list[str]:
        """The receipts in force whose figures are shown in place of a held one's.

        Those that it would have replaced: at its path, or of its delivery period; else, its period being the newest,
        those of the latest one that there is.
        """
        in_force = [self.receipts[receipt_id] for receipt_id in self.in_force]
        readable = {d.receipt.receipt_id for d in self.accepted if d.reading is not None}
        in_force = sorted((r for r in in_force if r.receipt_id in readable), key=lambda r: r.sequence)
        latest = max((r.delivery_period for r in in_force), default="")
        for own in (
            [r for r in in_force if r.landing_path == held.landing_path],
            [r for r in in_force if r.delivery_period == held.delivery_period],
            [r for r in in_force if r.delivery_period == latest < held.delivery_period],
        ):
            if own:
                return [receipt.receipt_id for receipt in own]
        return []

    def as_table(self, found: Iterable[Finding]) -> pl.DataFrame:
        """Findings as rows of `source.finding`."""
        rows = []
        for one in found:
            receipt = self.receipts[one["receipt_id"]]
            row = {**one, "kind": one["check"], "source_file": receipt.file_name, **_place(receipt)}
            rows.append([row[name] for name in FINDING])
        return pl.DataFrame(rows, schema=FINDING, orient="row")


def _place(receipt: Receipt) -> dict[str, str]:
    return {name: getattr(receipt, name) for name in ("department", "extract", "delivery_period")}


def _is_clean(reading: Reading | None, found: Iterable[Finding]) -> bool:
    """True when no check of deliveries can fail: the commonest case, and then nothing need be asked."""
    return (
        reading is not None
        and reading.status == "read"
        and reading.rejects == reading.known_rejects
        and bool(reading.tie_out)
        and all(TieOut.from_dict(account).holds for account in reading.tie_out)
        and not any(one["severity"] == "block" for one in found)
    )


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
