"""Which stored reading stands for a receipt: its identity under the present rules, and where it lies.

How a reading is made is `reader`'s work.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from pipelines.intake import person_key
from pipelines.intake.values import is_told_by_file
from pipelines.jurisdiction import Jurisdiction
from pipelines.jurisdiction.contract import Contract
from pipelines.records import Reading, Receipt
from pipelines.settings import WorkLimits, hash_files
from pipelines.store import Warehouse, read_json


@lru_cache(maxsize=1)
def reader_version() -> str:
    """The version of the reader: a hash of the files of this room, of `formats` and of the contract model."""
    here = Path(__file__).parent
    files = [path for room in ("jurisdiction", "formats", "intake") for path in (here.parent / room).glob("*.py")]
    return hash_files(files, here.parent)[:16]


def reading_identity(receipt: Receipt, contract: Contract, jurisdiction: Jurisdiction) -> str:
    """The id of the reading of a receipt under the present contract, reference tables, key and reader."""
    corrections = [c.hash for c in jurisdiction.corrections_for(contract.id, receipt.delivery_period)]
    rules = [contract.hash, jurisdiction.intake_reference_hash, reader_version()]
    if any(is_told_by_file(value, layout) for layout in contract.layouts for value in layout.values):
        rules.append(json.dumps(sorted(jurisdiction.measure_units.items())))  # which units fit which measures
    has_key = contract.records is not None and contract.records.needs_key and person_key.key_is_configured()
    key = [person_key.load_key().key_id] if has_key else []
    return _hashed(receipt.receipt_id, *rules, *corrections, *key)


def stopped_identity(reading_id: str, limits: WorkLimits) -> str:
    """The id of a reading that was not finished within `limits`: under others it is tried again."""
    return _hashed(reading_id, str(limits))


def _hashed(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def find_reading(
    receipt: Receipt, contract: Contract, jurisdiction: Jurisdiction, warehouse: Warehouse, limits: WorkLimits
) -> Reading | None:
    """The stored reading of a receipt under the present rules, or None.

    One that was not finished within these very `limits` is a reading too, an unreadable one. Where no key for ID
    numbers is configured what was read before stands, whichever key it was made with: only reading anew needs the key.
    """
    if person_key.waits_for_key(contract):
        rules = (contract.hash, jurisdiction.intake_reference_hash, reader_version())
        stored = [r for r in _of(receipt, warehouse) if (r.contract_hash, r.reference_hash, r.reader_version) == rules]
        return max(stored, key=lambda reading: reading.read_at, default=None)
    identity = reading_identity(receipt, contract, jurisdiction)
    for reading_id in (identity, stopped_identity(identity, limits)):
        path = reading_folder(receipt, reading_id, warehouse) / "reading.json"
        if path.exists():
            return Reading.from_dict(read_json(path))
    return None


def earlier_reading(receipt: Receipt, reading: Reading, warehouse: Warehouse) -> Reading | None:
    """The last other reading of the same receipt, under rules that have changed since; None when there is none."""
    others = [r for r in _of(receipt, warehouse) if r.reading_id != reading.reading_id and r.status == "read"]
    return max(others, key=lambda r: r.read_at, default=None)


def _of(receipt: Receipt, warehouse: Warehouse) -> Iterator[Reading]:
    """Every stored reading of a receipt."""
    for path in (warehouse.readings / receipt.department / receipt.extract).glob("[0-9a-f]*/reading.json"):
        reading = Reading.from_dict(read_json(path))
        if reading.receipt_id == receipt.receipt_id:
            yield reading


def reading_folder(receipt: Receipt, reading_id: str, warehouse: Warehouse) -> Path:
    """Where a reading lies."""
    return warehouse.readings / receipt.department / receipt.extract / reading_id
