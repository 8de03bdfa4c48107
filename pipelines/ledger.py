"""The ledger: an append-only, hash-chained list of what happened in one warehouse.

Each entry is one JSON line that carries the hash of the line before. A line cut short by a crash is set
aside and the chain goes on from the last whole entry. What an entry means is its writer's business.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import FaultError
from pipelines.store import now_utc

GENESIS = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One line of the ledger."""

    number: int
    at: str
    event: str
    details: dict[str, Any]
    previous: str
    hash: str


def _line(number: int, at: str, event: str, details: dict[str, Any], previous: str) -> bytes:
    body = {"number": number, "at": at, "event": event, "details": details, "previous": previous}
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


class Ledger:
    """The ledger in one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[Entry]:
        """All whole entries, verified. What stands behind the last line's end was never acknowledged: it is no entry.

        Raises FaultError naming the first entry that does not follow from the one before it.
        """
        if not self.path.exists():
            return []
        entries: list[Entry] = []
        previous = GENESIS
        whole, _, _ = self.path.read_bytes().rpartition(b"\n")
        for number, raw in enumerate(whole.split(b"\n") if whole else [], start=1):
            try:
                data = json.loads(raw)
                entry = Entry(**data)
            except (ValueError, TypeError) as error:
                raise FaultError(
                    f"the ledger's line {number} is not a whole entry",
                    where=str(self.path),
                    do="restore the ledger from a backup; nothing was appended",
                ) from error
            body = _line(entry.number, entry.at, entry.event, entry.details, entry.previous)
            if (
                entry.previous != previous
                or entry.number != len(entries) + 1
                or hashlib.sha256(body).hexdigest() != entry.hash
            ):
                raise FaultError(
                    f"the ledger's chain breaks at entry {len(entries) + 1}",
                    where=f"{self.path}, line {number}",
                    do="an entry was changed, removed or swapped: restore the ledger from a backup",
                )
            entries.append(entry)
            previous = entry.hash
        return entries

    def append(self, event: str, details: dict[str, Any]) -> Entry:
        """Add one entry and make it durable before returning."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._set_aside_torn_line()
        last = self._tail()
        previous = last.hash if last else GENESIS
        number, at = (last.number if last else 0) + 1, now_utc()
        digest = hashlib.sha256(_line(number, at, event, details, previous)).hexdigest()
        entry = Entry(number, at, event, details, previous, digest)
        line = json.dumps(entry.__dict__, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        with self.path.open("ab") as handle:
            handle.write(line + b"\n")
            handle.flush()
            os.fsync(handle.fileno())
        return entry

    def last(self, event: str, **matching: Any) -> Entry | None:
        """The newest entry of this event whose details hold these values, or None."""
        for entry in reversed(self.entries()):
            if entry.event == event and all(entry.details.get(k) == v for k, v in matching.items()):
                return entry
        return None

    def _tail(self) -> Entry | None:
        """The last entry, its own hash checked; the whole chain is `entries`' business."""
        if not self.path.exists() or not self.path.stat().st_size:
            return None
        with self.path.open("rb") as handle:
            size = handle.seek(0, os.SEEK_END)
            step = 65536
            while True:
                handle.seek(max(0, size - step))
                lines = handle.read().rstrip(b"\n").split(b"\n")
                if len(lines) > 1 or step >= size:
                    break
                step *= 4
        try:
            entry = Entry(**json.loads(lines[-1]))
        except (ValueError, TypeError) as error:
            raise FaultError(
                "the ledger's last line is not an entry",
                where=str(self.path),
                do="restore the ledger from a backup",
            ) from error
        body = _line(entry.number, entry.at, entry.event, entry.details, entry.previous)
        if hashlib.sha256(body).hexdigest() != entry.hash:
            raise FaultError(
                "the ledger's last entry was changed",
                where=str(self.path),
                do="restore the ledger from a backup",
            )
        return entry

    def _set_aside_torn_line(self) -> None:
        """A crash while writing leaves a last line without its newline: keep it beside, go on before it."""
        if not self.path.exists():
            return
        raw = self.path.read_bytes()
        if not raw or raw.endswith(b"\n"):
            return
        whole, _, torn = raw.rpartition(b"\n")
        with self.path.with_suffix(".torn").open("ab") as handle:
            handle.write(torn + b"\n")
        with self.path.open("r+b") as handle:
            handle.truncate(len(whole) + 1 if whole else 0)
            handle.flush()
            os.fsync(handle.fileno())
