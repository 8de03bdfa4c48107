"""Landing -> receipts: notice files, keep their bytes under their hash, write down that they came.

Nothing is understood here. A file that is overwritten is a new receipt and the old bytes stay. What lies in the landing
folder and cannot be taken is told and passed over (`landing`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Collection, Container
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.intake.landing import Landed, Mark, NotTakenError, Refused, look, mark_of, opened, pieces, too_large
from pipelines.jurisdiction import Jurisdiction
from pipelines.ledger import Ledger
from pipelines.records import Receipt
from pipelines.store import Warehouse, now_utc, public_folder, read_json, write_json

_KEPT_FREE = 1_000_000_000  # bytes of the disk that no delivery may take: the run itself needs some


@dataclass(frozen=True)
class Arrivals:
    """What a look at the landing folder found."""

    receipts: list[Receipt]
    new: list[Receipt]
    held_back: list[str] = field(default_factory=list)  # person-level files left where they are for want of a key
    refused: list[Refused] = field(default_factory=list)  # what lies in landing and is not taken in


def all_receipts(warehouse: Warehouse) -> list[Receipt]:
    """Every receipt of a warehouse in order of arrival."""
    receipts = [
        Receipt.from_dict(read_json(path)) for path in warehouse.receipts.glob("*.json") if path.name != "seen.json"
    ]
    return sorted(receipts, key=lambda r: r.sequence)


class Seen:
    """The marks of landed files as they were seen last, stored with the receipts."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._path = warehouse.receipts / "seen.json"
        self._marks: dict[str, list[int]] = read_json(self._path) if self._path.exists() else {}
        self._is_changed = False

    def has(self, landed: Landed) -> bool:
        """True when the file is as it was seen last."""
        return self._marks.get(landed.place) == list(landed.mark)

    def put(self, place: str, mark: Mark) -> None:
        """The file was seen like this."""
        self._marks[place] = list(mark)
        self._is_changed = True

    def save(self) -> None:
        """Store what has changed."""
        if self._is_changed:
            write_json(self._path, self._marks)


def is_received(landed: Landed, latest: Receipt | None, seen: Seen) -> bool:
    """True when a landed file is what the latest receipt at its landing path tells of, as far as its mark says."""
    return latest is not None and latest.is_withdrawal == landed.is_withdrawal and seen.has(landed)


def in_force(receipts: list[Receipt], partial: Collection[str] = (), readable: Collection[str] = ()) -> set[str]:
    """The ids of the receipts that no later one replaced or withdrew at the same landing path.

    Of the extracts in `partial` a file may come again with some of its figures: the others still stand in the files
    before it, as far as these are `readable` (ids of receipts), and those stay in force.
    """
    standing: dict[str, list[Receipt]] = {}
    for receipt in sorted(receipts, key=lambda r: r.sequence):
        own = standing.setdefault(receipt.landing_path, [])
        if receipt.is_withdrawal:
            own.clear()
            continue
        own[:] = [r for r in own if r.extract_id in partial and r.receipt_id in readable]
        own.append(receipt)
    return {receipt.receipt_id for own in standing.values() for receipt in own}


def receive(
    jurisdiction: Jurisdiction,
    warehouse: Warehouse,
    ledger: Ledger,
    *,
    extract: str | None = None,
    periods: Container[str] | None = None,
    hash_everything: bool = False,
) -> Arrivals:
    """Write a receipt for every landed file that is new or changed.

    A file counts as unchanged while size, modification time and inode are those seen last, unless
    `hash_everything`. `extract` and `periods` limit which folders are looked at; what is refused is told of all.
    """
    desk = _Desk(jurisdiction, warehouse, ledger, hash_everything)
    found = look(jurisdiction, desk.latest)
    for landed in found.files:
        if (extract is None or landed.extract_id == extract) and (periods is None or landed.delivery_period in periods):
            desk.take(landed)
    for stray in found.strays:
        desk.keep_stray(stray)
    desk.seen.save()
    return Arrivals(desk.receipts, desk.new, desk.held_back, [*found.refused, *desk.refused])


class _Desk:
    """Takes in landed files one after another."""

    def __init__(self, jurisdiction: Jurisdiction, warehouse: Warehouse, ledger: Ledger, hash_everything: bool) -> None:
        self.landing, self.warehouse, self.ledger = jurisdiction.landing, warehouse, ledger
        self.hash_everything = hash_everything
        self.receipts = all_receipts(warehouse)
        self.latest = {receipt.landing_path: receipt for receipt in self.receipts}
        self.times = Counter((receipt.landing_path, receipt.sha256) for receipt in self.receipts)
        self.sequence = max((receipt.sequence for receipt in self.receipts), default=0)
        self.seen = Seen(warehouse)
        self.at = now_utc()  # of all files of one look: which of them came first nobody knows
        self.new: list[Receipt] = []
        self.held_back: list[str] = []
        self.refused: list[Refused] = []

    def take(self, landed: Landed) -> None:
        """Take in a file that a contract is for, if it is new, changed, or back again."""
        known = self.latest.get(landed.landing_path)
        if is_received(landed, known, self.seen) and not self.hash_everything:
            return
        if landed.waits_for_key:
            # Nothing of it may be taken in, not even its bytes: it stays where the department put it.
            self.held_back.append(landed.place)
            return
        kept = self._keep(landed)
        if kept is None:
            return
        sha256, size_bytes = kept
        if known is None or known.is_withdrawal != landed.is_withdrawal or known.sha256 != sha256:
            self._write_receipt(landed, sha256, size_bytes)

    def keep_stray(self, stray: Landed) -> None:
        """Keep the bytes of a file that no contract is for, once."""
        if not self.seen.has(stray) and not stray.waits_for_key:
            self._keep(stray)

    def _keep(self, landed: Landed) -> tuple[str, int] | None:
        """Keep a file's bytes; their hash and how many they are. None when they cannot be had: it is then refused."""
        try:
            sha256, mark = _keep(self.landing, landed.place, self.warehouse)
        except NotTakenError as error:
            self.refused.append(error.refused)
            return None
        self.seen.put(landed.place, mark)
        return sha256, mark[0]

    def _write_receipt(self, landed: Landed, sha256: str, size_bytes: int) -> None:
        path = landed.landing_path
        known = self.latest.get(path)
        self.sequence += 1
        department, extract, delivery_period, file_name = path.split("/")
        receipt = Receipt(
            receipt_id=hashlib.sha256(f"{path}\0{sha256}\0{self.times[path, sha256]}".encode()).hexdigest()[:16],
            department=department,
            extract=extract,
            delivery_period=delivery_period,
            file_name=file_name,
            landing_path=path,
            sha256=sha256,
            size_bytes=size_bytes,
            received_at=self.at,
            sequence=self.sequence,
            is_withdrawal=landed.is_withdrawal,
        )
        self.ledger.append(
            "withdrawn" if receipt.is_withdrawal else "received",
            {
                "receipt_id": receipt.receipt_id,
                "landing_path": path,
                "sha256": sha256,
                "size_bytes": size_bytes,
                "replaces": known.receipt_id if known else None,
            },
        )
        # After the ledger: a crash between the two is told twice, never not at all.
        folder = public_folder(self.warehouse.receipts)
        write_json(folder / f"{receipt.receipt_id}.json", receipt.as_dict(), mode=0o644)
        self.receipts.append(receipt)
        self.new.append(receipt)
        self.latest[path] = receipt
        self.times[path, sha256] += 1


def _keep(landing: Path, place: str, warehouse: Warehouse) -> tuple[str, Mark]:
    """Keep a file's bytes in the vault, for their owner to read and for nobody to change. Their hash, and its mark.

    The file is read once, in pieces: what is hashed is what is kept, and its size does not matter. Raises
    NotTakenError when it is no file that can be had, has no room, or changes meanwhile: its bytes would be no file's.
    """
    warehouse.private_folder(warehouse.vault)
    arriving = warehouse.vault / ".arriving"
    arriving.unlink(missing_ok=True)  # of a run that was broken off
    digest = hashlib.sha256()
    try:
        with opened(landing, place) as source, arriving.open("xb") as kept:
            os.fchmod(kept.fileno(), 0o400)
            mark = mark_of(source)
            free = shutil.disk_usage(warehouse.vault).free - _KEPT_FREE
            if mark[0] > free:
                raise NotTakenError(too_large(place, mark[0], max(free, 0)))
            for piece in pieces(source, place):
                digest.update(piece)
                kept.write(piece)
            kept.flush()
            os.fsync(kept.fileno())
        sha256 = digest.hexdigest()
        target = warehouse.vault_path(sha256)
        warehouse.private_folder(target.parent)
        if target.exists():
            target.chmod(0o400)
        else:
            arriving.replace(target)
    finally:
        arriving.unlink(missing_ok=True)
    return sha256, mark
