"""Delivery periods as partitions: one per folder of an extract, what lies in it, and how Dagster learns of it.

Partitions are dynamic, because a period exists from the moment a department delivers for it. What is taken from
a file is `intake`'s; when periods are looked for is `sensors`' and the nightly's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from pipelines import intake
from pipelines.jurisdiction import Contract, Jurisdiction
from pipelines.orchestration.names import extract_key
from pipelines.records import Reading, Receipt
from pipelines.run import Intake, in_force
from pipelines.store import Warehouse

_COUNTS = ("rows_read", "rows_accepted", "rows_rejected", "rows_duplicate", "rows_ignored")
_VALUES = ("values_accepted", "values_missing", "values_rejected")


def delivery_periods(extract_id: str) -> dg.DynamicPartitionsDefinition:
    """The delivery periods of one extract; extracts have their own, as departments have their own years."""
    return dg.DynamicPartitionsDefinition(name=extract_id)


@dataclass(frozen=True)
class Delivery:
    """What is in force of one extract for one delivery period: usually one file and its reading."""

    contract: Contract
    period: str
    receipts: list[Receipt]
    readings: list[Reading]

    @property
    def key(self) -> dg.AssetKey:
        """The extract's asset."""
        return extract_key(self.contract.id)

    @property
    def mark(self) -> str:
        """What tells this state of the delivery from another: the ids of its readings."""
        return " ".join(sorted(reading.reading_id for reading in self.readings))

    @property
    def problems(self) -> list[str]:
        """Why files of the delivery cannot be read; empty when all can."""
        paths = {receipt.receipt_id: receipt.landing_path for receipt in self.receipts}
        return [f"{paths[r.receipt_id]}: {r.problem}" for r in self.readings if r.status == "unreadable"]

    def metadata(self, jurisdiction: Jurisdiction, warehouse: Warehouse) -> dict[str, dg.MetadataValue]:
        """The delivery as Dagster shows it: accounts, receipts, provenance, and where the files lie."""
        sheets = [sheet for reading in self.readings for sheet in reading.tie_out]
        counts = {name: sum(int(sheet.get(name, 0)) for sheet in sheets) for name in (*_COUNTS, *_VALUES)}
        arrived = max(datetime.fromisoformat(receipt.received_at) for receipt in self.receipts)
        landed = [jurisdiction.landing / receipt.landing_path for receipt in self.receipts]
        text, whole, path = dg.MetadataValue.text, dg.MetadataValue.int, dg.MetadataValue.path
        return {
            **{name: whole(count) for name, count in counts.items()},
            "rejects": whole(sum(reading.rejects for reading in self.readings)),
            "rejects_known": whole(sum(reading.known_rejects for reading in self.readings)),
            "provenance": text(self.contract.provenance),
            "contract": path(str(jurisdiction.folder / "contracts" / f"{self.contract.id}.yml")),
            "contract_version": text(self.contract.version),
            "received_at": dg.MetadataValue.timestamp(arrived),
            "receipts": text(" ".join(receipt.receipt_id for receipt in self.receipts)),
            "sha256": text(" ".join(receipt.sha256 for receipt in self.receipts)),
            "readings": text(self.mark),
            **_numbered("file", [path(str(name)) for name in landed]),
            **_numbered("reading", [path(str(warehouse.folder / reading.folder)) for reading in self.readings]),
            **_numbered("problem", [text(problem) for problem in self.problems]),
        }


def deliveries(jurisdiction: Jurisdiction, taken: Intake) -> list[Delivery]:
    """What has come last, by extract and delivery period; of contracts that nobody has accepted nothing was read."""
    standing = in_force(jurisdiction, taken.receipts, taken.readings)
    readings = {reading.receipt_id: reading for reading in taken.readings}
    found: dict[tuple[str, str], list[Receipt]] = {}
    for receipt in taken.receipts:
        if receipt.receipt_id in standing:
            found.setdefault((receipt.extract_id, receipt.delivery_period), []).append(receipt)
    return [
        Delivery(jurisdiction.contracts[extract], period, receipts, [readings[r.receipt_id] for r in receipts])
        for (extract, period), receipts in sorted(found.items())
        if jurisdiction.contracts[extract].is_accepted
    ]


def landed_periods(jurisdiction: Jurisdiction) -> dict[str, list[str]]:
    """Per extract the delivery periods that have a file in the landing folder, received or not."""
    found: dict[str, set[str]] = {extract: set() for extract in jurisdiction.contracts}
    for landed in intake.look(jurisdiction).files:
        found[landed.extract_id].add(landed.delivery_period)
    return {extract: sorted(periods) for extract, periods in found.items()}


def missing_partitions(instance: dg.DagsterInstance, extract_id: str, periods: Iterable[str]) -> list[str]:
    """The periods that Dagster does not know yet as partitions of an extract."""
    return sorted(set(periods) - set(instance.get_dynamic_partitions(extract_id)))


def register(instance: dg.DagsterInstance, extract_id: str, periods: Iterable[str]) -> None:
    """Make these periods partitions of an extract. A period is never taken away: what was received stays."""
    if missing := missing_partitions(instance, extract_id, periods):
        instance.add_dynamic_partitions(extract_id, missing)


def _numbered(name: str, values: list[dg.MetadataValue]) -> dict[str, dg.MetadataValue]:
    """One value under its name, several under numbered names."""
    if len(values) == 1:
        return {name: values[0]}
    return {f"{name}_{number}": value for number, value in enumerate(values, start=1)}
