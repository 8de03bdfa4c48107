"""Landing -> receipts: notice files, keep their bytes under their hash, write down that they came.

Nothing is opened or understood here. A file that is overwritten is a new receipt and the old bytes stay.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Container
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from pipelines.errors import ConfigurationError
from pipelines.intake import person_key
from pipelines.jurisdiction import Jurisdiction
from pipelines.ledger import Ledger
from pipelines.records import Receipt
from pipelines.store import Warehouse, now_utc, read_json, sha256_file, write_json

# A department takes a file back by a file beside it, `<file>.withdrawn`, whose text says why.
WITHDRAWN = ".withdrawn"


_PIECE = 8 << 20


@dataclass(frozen=True)
class Arrivals:
    """What a look at the landing folder found."""

    receipts: list[Receipt]
    new: list[Receipt]
    held_back: list[str] = field(default_factory=list)  # person-level files left where they are for want of a key


def all_receipts(warehouse: Warehouse) -> list[Receipt]:
    """Every receipt of a warehouse in order of arrival."""
    receipts = [
        Receipt.from_dict(read_json(path)) for path in warehouse.receipts.glob("*.json") if path.name != "seen.json"
    ]
    return sorted(receipts, key=lambda r: r.sequence)


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
    `hash_everything`. `extract` and `periods` limit which folders are looked at.
    Raises ConfigurationError for files that no contract is for; the bytes of all files are kept first.
    """
    receipts = all_receipts(warehouse)
    by_path: dict[str, Receipt] = {}
    occurrences: dict[tuple[str, str], int] = {}
    for receipt in receipts:
        by_path[receipt.landing_path] = receipt
        key = (receipt.landing_path, receipt.sha256)
        occurrences[key] = occurrences.get(key, 0) + 1
    seen_path = warehouse.receipts / "seen.json"
    seen: dict[str, list[int]] = read_json(seen_path) if seen_path.exists() else {}
    sequence = max((r.sequence for r in receipts), default=0)
    new: list[Receipt] = []
    strays: list[str] = []
    held_back: list[str] = []
    changed = False
    landed = landed_files(jurisdiction.landing)
    taken_back = {path.with_suffix("") for path in landed if path.suffix == WITHDRAWN}
    for path in landed:
        if path in taken_back:
            continue
        is_withdrawal = path.suffix == WITHDRAWN
        marked = path.relative_to(jurisdiction.landing).as_posix()
        relative = marked.removesuffix(WITHDRAWN) if is_withdrawal else marked
        parts = relative.split("/")
        contract = jurisdiction.contracts.get("/".join(parts[:2])) if len(parts) == 4 else None
        if contract is None or not contract.takes(PurePath(relative)) or (is_withdrawal and relative not in by_path):
            strays.append(marked)
            _keep(path, warehouse, is_private=contract is not None and contract.records is not None)
            continue
        if (extract and contract.id != extract) or (periods is not None and parts[2] not in periods):
            continue
        status = path.stat()
        mark = [status.st_size, status.st_mtime_ns, status.st_ino]
        known = by_path.get(relative)
        if known and seen.get(marked) == mark and known.is_withdrawal == is_withdrawal and not hash_everything:
            continue
        if contract.records is not None and contract.records.needs_key and not person_key.key_is_configured():
            # Nothing of it may be taken in, not even its bytes: it stays where the department put it.
            held_back.append(marked)
            continue
        changed = True
        seen[marked] = mark
        if known and known.is_withdrawal == is_withdrawal and known.sha256 == sha256_file(path):
            continue
        sha256, size_bytes = _keep(path, warehouse, is_private=contract.records is not None)
        sequence += 1
        count = occurrences.get((relative, sha256), 0)
        identity = hashlib.sha256(f"{relative}\0{sha256}\0{count}".encode()).hexdigest()
        receipt = Receipt(
            receipt_id=identity[:16],
            department=parts[0],
            extract=parts[1],
            delivery_period=parts[2],
            file_name=parts[3],
            landing_path=relative,
            sha256=sha256,
            size_bytes=size_bytes,
            received_at=now_utc(),
            sequence=sequence,
            is_withdrawal=is_withdrawal,
        )
        ledger.append(
            "withdrawn" if is_withdrawal else "received",
            {
                "receipt_id": receipt.receipt_id,
                "landing_path": relative,
                "sha256": sha256,
                "size_bytes": size_bytes,
                "replaces": known.receipt_id if known else None,
            },
        )
        # After the ledger: a crash between the two is told twice, never not at all.
        write_json(warehouse.receipts / f"{receipt.receipt_id}.json", receipt.as_dict())
        new.append(receipt)
        by_path[relative] = receipt
    if changed:
        write_json(seen_path, seen)
    if strays:
        raise ConfigurationError(
            f"{len(strays)} landed file(s) belong to no contract: {', '.join(strays[:5])}",
            where=str(jurisdiction.landing),
            do="write contracts/<department>/<extract>.yml for it or move the file to "
            "landing/<department>/<extract>/<period>/; its bytes are kept in the vault",
        )
    return Arrivals(receipts + new, new, held_back)


def landed_files(landing: Path) -> list[Path]:
    """Every file below landing, in path order. Hidden files and half-written uploads (`.part`) are not files yet."""
    if not landing.is_dir():
        return []
    return sorted(
        Path(folder) / name
        for folder, _, names in os.walk(landing)
        for name in names
        if not name.startswith((".", "~$")) and not name.endswith(".part")
    )


def _keep(path: Path, warehouse: Warehouse, *, is_private: bool = False) -> tuple[str, int]:
    """Keep a file's bytes in the vault, read-only: for everybody, or for the owner alone. Their hash and size.

    The file is read once, in pieces: what is hashed is what is kept, also when somebody is writing to it at this
    moment, and its size does not matter.
    """
    warehouse.vault.mkdir(parents=True, exist_ok=True)
    arriving = warehouse.vault / ".arriving"
    digest, size = hashlib.sha256(), 0
    try:
        kept_by_owner = os.open(arriving, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with path.open("rb") as source, os.fdopen(kept_by_owner, "wb") as kept:
            while piece := source.read(_PIECE):
                digest.update(piece)
                size += len(piece)
                kept.write(piece)
            kept.flush()
            os.fsync(kept.fileno())
        sha256 = digest.hexdigest()
        target = warehouse.vault_path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        if is_private:
            target.parent.chmod(0o700)
        if not target.exists():
            arriving.chmod(0o400 if is_private else 0o444)
            arriving.replace(target)
        elif is_private:
            target.chmod(0o400)
    finally:
        arriving.unlink(missing_ok=True)
    return sha256, size
