"""The ledger: an append-only, hash-chained list of what happened in one warehouse.

Each entry is one JSON line that carries the hash of the line before; `head.json` beside it names the last one, so
that an end cut off is seen. A line cut short by a crash is set aside and the chain goes on from the last whole
entry. How the chain is checked stands in `verifier`; what an entry means is its writer's business.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import FaultError
from pipelines.store import now_utc, public_folder, write_json
from pipelines.verifier import GENESIS, entry_hash, entry_line, read_chain


@dataclass(frozen=True)
class Entry:
    """One line of the ledger."""

    number: int
    at: str
    event: str
    details: dict[str, Any]
    previous: str
    hash: str


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
        found, breaks = read_chain(self.path.read_bytes())
        for line, problem in breaks:
            raise FaultError(
                problem,
                where=f"{self.path}, line {line}",
                do="an entry was changed, removed or swapped: restore the ledger from a backup; nothing was appended",
            )
        return [Entry(**entry) for entry in found]

    def append(self, event: str, details: dict[str, Any]) -> Entry:
        """Add one entry and make it durable before returning."""
        public_folder(self.path.parent)  # it is verified by whoever wants to
        self._set_aside_torn_line()
        last = self._tail()
        self._refuse_cut_off(last)
        body = {
            "number": (last.number if last else 0) + 1,
            "at": now_utc(),
            "event": event,
            "details": json.loads(json.dumps(details, ensure_ascii=False)),
            "previous": last.hash if last else GENESIS,
        }
        entry = {**body, "hash": entry_hash(body)}
        with self.path.open("ab") as handle:
            os.fchmod(handle.fileno(), 0o644)
            handle.write(entry_line(entry) + b"\n")
            handle.flush()
            os.fsync(handle.fileno())
        # After the entry: a crash between the two leaves it one behind, which is no loss.
        head = {"entries": entry["number"], "hash": entry["hash"]}
        write_json(self.path.with_name("head.json"), head, mode=0o644)
        return Entry(**entry)

    def _refuse_cut_off(self, last: Entry | None) -> None:
        """Nothing is appended to a ledger that has lost its end: the loss would be covered up."""
        path = self.path.with_name("head.json")
        if not path.exists():
            return
        try:
            told = int(json.loads(path.read_bytes())["entries"])
        except (ValueError, TypeError, KeyError):
            raise FaultError(
                "the file that names the ledger's last entry is damaged",
                where=str(path),
                do="restore it from a backup, or see `junheng verify` and docs/verification.md",
            ) from None
        if told > (last.number if last else 0):
            raise FaultError(
                f"the ledger ends at entry {last.number if last else 0}, where it had {told}",
                where=str(self.path),
                do="lines at its end were removed: restore the ledger from a backup; nothing was appended",
            )

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
        if entry_hash(entry.__dict__) != entry.hash:
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
        with self.path.open("rb") as handle:
            size = handle.seek(0, os.SEEK_END)
            if not size or (handle.seek(size - 1), handle.read(1))[1] == b"\n":
                return
        whole, _, torn = self.path.read_bytes().rpartition(b"\n")
        with self.path.with_suffix(".torn").open("ab") as handle:
            handle.write(torn + b"\n")
        with self.path.open("r+b") as handle:
            handle.truncate(len(whole) + 1 if whole else 0)
            handle.flush()
            os.fsync(handle.fileno())
