"""Receipt -> stored reading: each file is read by a process of its own, with limits of memory and time.

A file that kills that process, or does not come to an end, is an unreadable file with its reason; the next one is read
by a fresh process. What is taken from a file is the work of `read` and `person_reading`.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipelines.errors import FaultError
from pipelines.intake import person_key
from pipelines.intake.frames import summary_of, unreadable, write_tables
from pipelines.intake.names import RegionIndex
from pipelines.intake.readings import find_reading, reader_version, reading_folder, reading_identity, stopped_identity
from pipelines.jurisdiction import Jurisdiction
from pipelines.jurisdiction.contract import Contract
from pipelines.records import Reading, Receipt
from pipelines.settings import WorkLimits
from pipelines.store import Warehouse, make_private, now_utc, put_in_place, remove_tree, write_json
from pipelines.worker import WorkDiedError, Worker


class Reader:
    """Reads received files one after another by their contracts. Its process ends with the block it is used in."""

    def __init__(self, jurisdiction: Jurisdiction, warehouse: Warehouse, limits: WorkLimits) -> None:
        self.jurisdiction, self.warehouse, self.limits = jurisdiction, warehouse, limits
        # Tables of figures are small, and records are shared out block by block: to share out the columns of a table
        # among threads as well costs more than it saves.
        self._worker = Worker(limits, (_prepare, (jurisdiction,)), {"POLARS_MAX_THREADS": "1"})

    def __enter__(self) -> Reader:
        for left_over in self.warehouse.readings.glob("*/*/.*.part"):
            remove_tree(left_over)
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.close()

    def find(self, receipt: Receipt, contract: Contract) -> Reading | None:
        """The stored reading of a receipt under the present rules, or None."""
        return find_reading(receipt, contract, self.jurisdiction, self.warehouse, self.limits)

    def read(self, receipt: Receipt, contract: Contract) -> Reading:
        """Read a receipt by its contract and store the reading.

        A file that cannot be read gives a reading with status `unreadable` and its reason: a finding, not a crash.
        Raises FaultError when the kept bytes are not those received, and ConfigurationError, before anything is
        written, when ID numbers need a key and there is none.
        """
        key = person_key.require_key(contract, self.warehouse.folder, self.jurisdiction.folder)
        reading_id = reading_identity(receipt, contract, self.jurisdiction)
        work = reading_folder(receipt, reading_id, self.warehouse).with_name(f".{reading_id}.part")
        try:
            taken = self._taken(receipt, contract, reading_id, work)
            reading_id = taken.pop("reading_id")
            folder = reading_folder(receipt, reading_id, self.warehouse)
            reading = Reading(
                reading_id=reading_id,
                receipt_id=receipt.receipt_id,
                department=receipt.department,
                extract=receipt.extract,
                delivery_period=receipt.delivery_period,
                contract_hash=contract.hash,
                reference_hash=self.jurisdiction.intake_reference_hash,
                reader_version=reader_version(),
                status="unreadable" if taken["problem"] else "read",
                read_at=now_utc(),
                folder=folder.relative_to(self.warehouse.folder).as_posix(),
                key_id=key.key_id if key else "",
                **taken,
            )
            write_json(work / "reading.json", reading.as_dict())
            make_private(work)
            put_in_place(work, folder)
        finally:
            remove_tree(work)
        return reading

    def _taken(self, receipt: Receipt, contract: Contract, reading_id: str, work: Path) -> dict[str, Any]:
        """What the process made of the file in the folder `work`, or what it died of."""
        source = self.warehouse.vault_path(receipt.sha256)
        died = None
        # A process that was ended from outside says nothing of the file; one that ends so twice does.
        for _ in range(2):
            remove_tree(work)
            self.warehouse.private_folder(work)
            try:
                taken: dict[str, Any] = self._worker.call(
                    _read_into, work, source, receipt, contract, reading_id, size_bytes=receipt.size_bytes
                )
                return {**taken, "reading_id": reading_id}
            except WorkDiedError as error:
                died = error
            if died.is_limit:
                break
        assert died is not None
        remove_tree(work)
        self.warehouse.private_folder(work)
        reading_id = stopped_identity(reading_id, self.limits)
        found = unreadable(receipt, reading_id, f"{died.reason} ({died.do})")
        write_tables(work, found)
        return {**asdict(summary_of(found)), "reading_id": reading_id}


# -- within the process -----------------------------------------------------------------------------------------

_GROUND: list[Any] = []
"""The jurisdiction that files are read for, and its regions ready for look-up."""


def _prepare(jurisdiction: Jurisdiction) -> None:
    _GROUND[:] = [jurisdiction, RegionIndex(jurisdiction.regions)]


def _read_into(work: Path, source: Path, receipt: Receipt, contract: Contract, reading_id: str) -> dict[str, Any]:
    """Read the bytes of a receipt into the folder `work`: its tables as files, the rest returned."""
    jurisdiction, index = _GROUND
    if not source.exists():
        raise FaultError(
            f"the kept bytes of {receipt.landing_path} are gone",
            where=str(source),
            do="restore the vault from a backup; nothing else was changed",
        )
    if contract.records is not None:
        from pipelines.intake.person_reading import read_records

        key = person_key.require_key(contract)
        return asdict(read_records(source, receipt, contract, jurisdiction, index, key, reading_id, work))
    from pipelines.intake.read import take

    data = source.read_bytes()
    if hashlib.sha256(data).hexdigest() != receipt.sha256:
        raise FaultError(
            f"the kept bytes of {receipt.landing_path} are not those received",
            where=str(source),
            do="restore the vault from a backup; nothing else was changed",
        )
    taken = take(data, receipt, contract, jurisdiction, index, reading_id)
    write_tables(work, taken)
    return asdict(summary_of(taken))
