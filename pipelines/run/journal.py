"""The log of each run as JSON lines: what began and ended when, what was received, read, built, judged and sealed.

One file per run under logs/runs, also where a run is made of several steps in Dagster. It is for people who operate
the nightly; what must be provable stands in the ledger. No cell of a delivered file is written here.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.store import Warehouse, now_utc

# On another machine nobody can see whether a process lives; a run that long ago has ended.
_LONGEST_RUN = timedelta(hours=24)
_KEPT = 200


def runs_folder(warehouse: Warehouse) -> Path:
    """Where the logs of runs are."""
    return warehouse.logs / "runs"


class Journal:
    """The log of one run. `note` adds a line; the last line of a run that ended is `finished`."""

    def __init__(self, path: Path, run_id: str) -> None:
        self.path = path
        self.run_id = run_id

    @classmethod
    def open(
        cls, warehouse: Warehouse, *, door: str, asked: dict[str, Any], run_id: str | None = None, kept: int = _KEPT
    ) -> Journal:
        """The log of a new run, or, for a `run_id` that has one, that log to go on with. Old logs beyond `kept` go."""
        folder = runs_folder(warehouse)
        warehouse.private_folder(folder)
        if run_id is not None and (path := find(warehouse, run_id)) is not None:
            return cls(path, run_id)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")  # two runs of one second keep their order
        run_id = run_id or secrets.token_hex(4)
        journal = cls(folder / f"{stamp}-{run_id}.jsonl", run_id)
        journal.note(
            "started", door=door, asked={name: value for name, value in asked.items() if value}, process=os.getpid(),
            host=socket.gethostname(),
        )  # fmt: skip
        for old in sorted(folder.glob("*.jsonl"))[:-kept]:
            old.unlink(missing_ok=True)
        return journal

    def note(self, event: str, **fields: Any) -> None:
        """Add a line; it is on the disk's way before this returns, whatever becomes of the process."""
        line = json.dumps({"at": now_utc(), "event": event, "run_id": self.run_id, **fields}, ensure_ascii=False)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab") as handle:
            handle.write(line.encode() + b"\n")

    @property
    def is_finished(self) -> bool:
        """True when the run has ended and said so."""
        return any(line["event"] == "finished" for line in lines(self.path))


def find(warehouse: Warehouse, run_id: str) -> Path | None:
    """The log of a run, or None."""
    return next(iter(runs_folder(warehouse).glob(f"*-{run_id}.jsonl")), None)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a log; one torn by a crash is passed over."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:  # grown old and removed
        return
    for line in text.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and "event" in found:
            yield found


def summary(path: Path) -> dict[str, Any]:
    """A run in one object: who started it when, how it ended, what it published, what went wrong with alerts.

    `outcome` is the run's own, or `running`, or `broken_off` where its process is gone without a last word.
    """
    found: dict[str, Any] = {
        "run_id": path.stem.split("-", 1)[-1], "door": "", "asked": {}, "started_at": None, "ended_at": None,
        "seconds": None, "outcome": None, "release": None, "problem": "", "received": 0, "read": 0,
        "alert_problems": [], "log": str(path),
    }  # fmt: skip
    process, host = 0, ""
    for line in lines(path):
        match line["event"]:
            case "started":
                found.update(door=line.get("door", ""), asked=line.get("asked", {}), started_at=line["at"])
                process, host = int(line.get("process", 0)), str(line.get("host", ""))
            case "received":
                found["received"] += 1
            case "read":
                found["read"] += 1
            case "error":
                found["problem"] = line.get("message", "")
            case "alerts":
                found["alert_problems"] = [s["channel"] for s in line.get("sent", []) if s.get("problem")]
            case "finished":
                found.update(ended_at=line["at"], outcome=line.get("outcome"), release=line.get("release"))
    if found["started_at"] and found["ended_at"]:
        taken = datetime.fromisoformat(found["ended_at"]) - datetime.fromisoformat(found["started_at"])
        found["seconds"] = round(taken.total_seconds(), 1)
    if found["outcome"] is None:
        found["outcome"] = "running" if _is_alive(process, host, found["started_at"]) else "broken_off"
    return found


def last_runs(warehouse: Warehouse, count: int) -> list[dict[str, Any]]:
    """The newest runs, newest first."""
    return [summary(path) for path in sorted(runs_folder(warehouse).glob("*.jsonl"), reverse=True)[:count]]


def broken_off(warehouse: Warehouse, but: str) -> list[dict[str, Any]]:
    """The runs, without the one named, whose process is gone without a last word. They are closed by this look."""
    found = []
    for run in last_runs(warehouse, 20):
        if run["outcome"] == "broken_off" and run["ended_at"] is None and run["run_id"] != but:
            Journal(Path(run["log"]), run["run_id"]).note("finished", outcome="broken_off", release=None)
            found.append(run)
    return found


def _is_alive(process: int, host: str, started_at: str | None) -> bool:
    if not process or started_at is None:
        return False
    if host != socket.gethostname():
        return datetime.now(UTC) - datetime.fromisoformat(started_at) < _LONGEST_RUN
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
