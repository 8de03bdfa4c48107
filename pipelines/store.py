"""Where each thing lies under warehouse/, and how files are written there without ever being half there.

It knows folders and bytes, not what is in them. Nothing outside this module joins warehouse paths by hand.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import BusyError

if TYPE_CHECKING:  # a reader of one file need not wait for a library of tables
    import polars as pl


def now_utc() -> str:
    """The present moment as ISO 8601 in UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def write_atomically(path: Path, data: bytes, mode: int | None = None) -> None:
    """Write bytes so that a reader sees the old file or the new one, never a part.

    The file gets the permissions `mode`, where they are told; else those that the system gives new files.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as handle:
        if mode is not None:
            os.fchmod(handle.fileno(), mode)
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)


def write_json(path: Path, payload: Any, mode: int | None = None) -> None:
    """Write JSON atomically: UTF-8, sorted keys, one trailing newline; `mode` as in `write_atomically`."""
    write_atomically(path, (json.dumps(payload, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode(), mode)


def read_json(path: Path) -> Any:
    """JSON from a file."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_yaml(text: str) -> Any:
    """YAML of our own. libyaml's parser is ten times as fast; the pure one stands in where PyYAML is without it."""
    import yaml

    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def write_parquet(path: Path, frame: pl.DataFrame) -> None:
    """Write a frame as Parquet, atomically; the same frame gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    frame.write_parquet(temporary, compression="zstd", statistics=True)
    temporary.replace(path)


def public_folder(folder: Path) -> Path:
    """Make a folder that everybody may look into, and those above it that are missing likewise."""
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir()
            path.chmod(0o755)
    return folder


@contextlib.contextmanager
def for_owner_alone() -> Iterator[None]:
    """While it lasts, what this process and its children make anew is for its owner alone, unless it says otherwise."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def make_private(path: Path) -> None:
    """Give a file, or a folder and all that is in it, to its owner alone; what the owner may do with it stays."""
    for each in [*path.rglob("*"), path] if path.is_dir() else [path]:
        if not each.is_symlink():
            each.chmod(stat.S_IMODE(each.stat().st_mode) & 0o700)


def put_in_place(work: Path, folder: Path) -> None:
    """Rename a finished folder to its final name; an older folder of that name makes way first."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    old = folder.with_name(f".{folder.name}.old")
    remove_tree(old)
    if folder.exists():
        folder.rename(old)
    work.rename(folder)
    remove_tree(old)


def make_read_only(folder: Path) -> None:
    """Give every file and folder below `folder`, itself included, to everybody to read and to nobody to change."""
    for path in [*folder.rglob("*"), folder]:
        if not path.is_symlink():
            path.chmod(0o555 if path.is_dir() else 0o444)


def remove_tree(folder: Path) -> None:
    """Remove a folder even if parts of it are read-only."""
    if not folder.exists():
        return
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(path.stat().st_mode | stat.S_IRWXU)
    shutil.rmtree(folder)


@dataclass(frozen=True)
class LockHolder:
    """Who holds a warehouse."""

    process: int
    since: str  # ISO 8601, UTC


class Warehouse:
    """The folder `warehouse/<jurisdiction>/` and the places in it.

    Everybody may read releases, and the ledger and receipts by which they are verified; all else is its owner's alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def vault(self) -> Path:
        """The received bytes, by hash."""
        return self.folder / "vault"

    @property
    def receipts(self) -> Path:
        """One JSON file per receipt, append-only."""
        return self.folder / "receipts"

    @property
    def readings(self) -> Path:
        """One folder per reading, append-only."""
        return self.folder / "readings"

    @property
    def builds(self) -> Path:
        """Private builds."""
        return self.folder / "builds"

    @property
    def ledger(self) -> Path:
        """The append-only ledger."""
        return self.folder / "ledger" / "ledger.jsonl"

    @property
    def releases(self) -> Path:
        """Sealed releases."""
        return self.folder / "releases"

    @property
    def current(self) -> Path:
        """The link to the current release."""
        return self.folder / "current"

    @property
    def official(self) -> Path:
        """The link to the official release."""
        return self.folder / "official"

    @property
    def release_status(self) -> Path:
        """State of every release: candidate, official, withdrawn."""
        return self.releases / "status.json"

    @property
    def dbt_target(self) -> Path:
        """dbt's target folder: kept between builds, so that dbt parses once."""
        return self.builds / "dbt_target"

    @property
    def work(self) -> Path:
        """The build that is being made. Its path never changes: dbt would parse everything again."""
        return self.builds / "work"

    @property
    def logs(self) -> Path:
        """Logs and reports of faults."""
        return self.folder / "logs"

    @property
    def checks(self) -> Path:
        """The history of every check over all judged builds, append-only JSON lines."""
        return self.folder / "checks.jsonl"

    @property
    def private(self) -> list[Path]:
        """What is for its owner alone: received bytes, what was made of them, what was found in them, what was done."""
        places = (self.vault, self.readings, self.builds, self.held, self.logs, self.checks, self.folder / ".lock")
        return [*places, self.receipts / "seen.json"]

    @property
    def held(self) -> Path:
        """What departments must mend before held deliveries count: a workbook for each."""
        return self.folder / "held"

    def preparing_folder(self, build_id: str) -> Path:
        """Where the release of a build is made ready; nobody reads it, and it may be left over from a crash."""
        return self.releases / f".preparing-{build_id}"

    def build_folder(self, build_id: str) -> Path:
        """The folder of one build."""
        return self.builds / build_id

    def release_folder(self, release_id: str) -> Path:
        """The folder of one release."""
        return self.releases / release_id

    def vault_path(self, sha256: str) -> Path:
        """Where the bytes with this hash are kept."""
        return self.vault / sha256[:2] / sha256

    def current_release_id(self) -> str | None:
        """The id that `current` points at, or None."""
        return self.current.resolve().name if self.current.is_symlink() and self.current.exists() else None

    def lock_holder(self) -> LockHolder | None:
        """Who holds the warehouse, or None when nobody does. A process that was killed has left its name behind."""
        path = self.folder / ".lock"
        if not path.exists():
            return None
        with path.open(encoding="utf-8") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                process, _, since = handle.read().strip().partition(" since ")
                return LockHolder(int(process), since) if process.isdecimal() and since else None
        return None

    def private_folder(self, folder: Path) -> Path:
        """Make a folder of this warehouse that only its owner can enter, and those between the two likewise."""
        public_folder(self.folder)
        for path in (*reversed(folder.parents), folder):
            if not path.exists():
                path.mkdir(mode=0o700)
        return folder

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the warehouse for one run; a second one is told who holds it. What is made meanwhile is private.

        Raises BusyError when another process holds the lock.
        """
        public_folder(self.folder)
        path = self.folder / ".lock"
        with for_owner_alone(), path.open("a+", encoding="utf-8") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                handle.seek(0)
                holder = handle.read().strip() or "unknown"
                raise BusyError(
                    "another run is at work on this warehouse",
                    where=f"{self.folder} (held by process {holder})",
                    do="wait for it to end, then run again",
                ) from error
            handle.seek(0)
            handle.truncate()
            handle.write(f"{os.getpid()} since {now_utc()}")
            handle.flush()
            for place in self.private:  # what an earlier version left open
                if place.exists() and stat.S_IMODE(place.stat().st_mode) & 0o077:
                    make_private(place)
            try:
                yield
            finally:
                handle.seek(0)
                handle.truncate()
                fcntl.flock(handle, fcntl.LOCK_UN)
