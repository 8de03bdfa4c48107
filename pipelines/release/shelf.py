"""The shelf of releases: their ids, states, the link `current`, and putting right what a crash left behind.

It moves and lists sealed folders; what is in them is made by `prepare` and `seal`.
"""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.errors import UsageError
from pipelines.ledger import Ledger
from pipelines.records import Release
from pipelines.store import Warehouse, now_utc, read_json, remove_tree, sha256_file, write_json

RELEASE_ID = re.compile(r"^(\d{8})\.([1-9]\d*)$")


def _sort_key(release_id: str) -> tuple[str, int]:
    match = RELEASE_ID.match(release_id)
    return (match[1], int(match[2])) if match else (release_id, 0)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a release folder."""
    return dict(read_json(folder / "manifest.json"))


def _status(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    path = warehouse.release_status
    return dict(read_json(path)["releases"]) if path.exists() else {}


def set_state(warehouse: Warehouse, release_id: str, state: str, **details: Any) -> None:
    """Write a release's state into the status file; `details` are kept beside it."""
    listed = _status(warehouse)
    listed[release_id] = {**listed.get(release_id, {}), **details, "state": state, "since": now_utc()}
    write_json(warehouse.release_status, {"releases": listed})


def list_releases(warehouse: Warehouse) -> list[Release]:
    """All sealed releases, oldest first, with their state."""
    if not warehouse.releases.exists():
        return []
    states = _status(warehouse)
    releases = []
    for folder in warehouse.releases.iterdir():
        if not RELEASE_ID.match(folder.name) or not (folder / "manifest.json").exists():
            continue
        manifest = read_manifest(folder)
        state = str(states.get(folder.name, {}).get("state", "candidate"))
        releases.append(Release(folder.name, str(manifest["build_id"]), str(folder), str(manifest["sealed_at"]), state))
    return sorted(releases, key=lambda release: _sort_key(release.release_id))


def next_release_id(warehouse: Warehouse, ledger: Ledger, time_zone: str) -> str:
    """The next free id of today in the jurisdiction's time zone; an id once used is never used again."""
    today = datetime.now(ZoneInfo(time_zone)).strftime("%Y%m%d")
    used = [entry.details["release_id"] for entry in ledger.entries() if entry.event == "sealed"]
    if warehouse.releases.exists():
        used += [folder.name for folder in warehouse.releases.iterdir()]
    numbers = [int(match[2]) for name in used if (match := RELEASE_ID.match(name)) and match[1] == today]
    return f"{today}.{max(numbers, default=0) + 1}"


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def swap_current(warehouse: Warehouse, ledger: Ledger, release_id: str, cause: str) -> None:
    """Point `current` at a release in one step: a reader sees the old release or the new one, always whole."""
    before = warehouse.current_release_id()
    beside = warehouse.folder / f".current.{os.getpid()}"
    beside.unlink(missing_ok=True)
    beside.symlink_to(Path("releases") / release_id, target_is_directory=True)
    beside.replace(warehouse.current)
    sync_folder(warehouse.folder)
    ledger.append("current", {"release_id": release_id, "before": before, "cause": cause})


def rollback(warehouse: Warehouse, ledger: Ledger, release_id: str) -> Release:
    """Set `current` back to an earlier release; nothing is removed.

    Raises UsageError for a release that is not there, not sealed by this warehouse's ledger, or withdrawn.
    """
    known = {release.release_id: release for release in list_releases(warehouse)}
    release = known.get(release_id)
    problem = ""
    if release is None:
        problem = f"there is no release {release_id}"
    elif (entry := ledger.last("sealed", release_id=release_id)) is None or entry.details.get(
        "manifest_sha256"
    ) != sha256_file(warehouse.release_folder(release_id) / "manifest.json"):
        problem = f"the release {release_id} is not the one that the ledger recorded"
    elif release.state == "withdrawn":
        problem = f"the release {release_id} was withdrawn"
    if problem or release is None:
        raise UsageError(
            problem,
            where=str(warehouse.releases),
            do=f"name one of {', '.join(known)}" if known else "nothing has been released yet: run `junheng run`",
        )
    swap_current(warehouse, ledger, release_id, "rollback")
    return release


def clean_up(warehouse: Warehouse, ledger: Ledger) -> list[str]:
    """Put right what a crash left behind; returns what was done, one line each.

    What was being prepared, or moved into place but never recorded, is removed: nobody has read it. A release
    that was recorded as sealed but not yet made current becomes current.
    """
    done: list[str] = []
    if not warehouse.releases.exists():
        return done
    for beside in warehouse.folder.glob(".current.*"):
        beside.unlink(missing_ok=True)
    entries = ledger.entries()
    sealed = {e.details["release_id"]: e for e in entries if e.event == "sealed"}
    for folder in sorted(warehouse.releases.iterdir()):
        if folder.name.startswith(".preparing-"):
            remove_tree(folder)
            done.append(f"removed {folder.name}, left over from a run that did not end")
        elif RELEASE_ID.match(folder.name) and folder.name not in sealed:
            remove_tree(folder)
            done.append(f"removed {folder.name}, which was never sealed")
    states = _status(warehouse)
    for release_id, entry in sealed.items():
        if release_id not in states and warehouse.release_folder(release_id).exists():
            set_state(warehouse, release_id, "candidate", build_id=entry.details["build_id"])
    last = max(
        (e for e in sealed.values() if e.details.get("set_current")), key=lambda entry: entry.number, default=None
    )
    if last is not None and not any(e.event == "current" and e.number > last.number for e in entries):
        release_id = str(last.details["release_id"])
        manifest = warehouse.release_folder(release_id) / "manifest.json"
        if manifest.exists() and sha256_file(manifest) == last.details["manifest_sha256"]:
            swap_current(warehouse, ledger, release_id, "recovered")
            done.append(f"made {release_id} current, which was sealed when the last run ended")
    return done
