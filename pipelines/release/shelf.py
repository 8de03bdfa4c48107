"""The shelf of releases: their ids, states, the links `current` and `official`, and what a crash left behind.

The ledger says what state a release is in and where each link points; the status file and the links are made from
it. What is in a release is made by `prepare` and `seal`.
"""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.errors import FaultError, UsageError
from pipelines.ledger import Ledger
from pipelines.publish import Release
from pipelines.standing import said_of_withdrawal, states
from pipelines.store import Warehouse, read_json, remove_tree, sha256_file, write_json
from pipelines.verifier import MANIFEST, link_targets, release_states, status_of

RELEASE_ID = re.compile(r"^(\d{8})\.([1-9]\d*)$")


def _sort_key(release_id: str) -> tuple[str, int]:
    match = RELEASE_ID.match(release_id)
    return (match[1], int(match[2])) if match else (release_id, 0)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a release folder."""
    return Release(folder).manifest


def _raw(ledger: Ledger) -> list[dict[str, Any]]:
    return [entry.__dict__ for entry in ledger.entries()]


def write_status(warehouse: Warehouse, ledger: Ledger) -> None:
    """Write the status file anew from what the ledger says of every release."""
    write_json(warehouse.release_status, status_of(_raw(ledger)), mode=0o644)


def list_releases(warehouse: Warehouse) -> list[Release]:
    """All sealed releases, oldest first, with their state."""
    if not warehouse.releases.exists():
        return []
    known = states(warehouse)
    releases = []
    for folder in warehouse.releases.iterdir():
        if not RELEASE_ID.match(folder.name) or not (folder / MANIFEST).exists():
            continue
        releases.append(Release(folder, str(known.get(folder.name, {}).get("state", "candidate"))))
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


def _point(warehouse: Warehouse, link: Path, release_id: str | None) -> None:
    """Point a link at a release in one step: a reader sees the old release or the new one, always whole."""
    if release_id is None:
        link.unlink(missing_ok=True)
    else:
        beside = link.with_name(f".{link.name}.{os.getpid()}")
        beside.unlink(missing_ok=True)
        beside.symlink_to(Path("releases") / release_id, target_is_directory=True)
        beside.replace(link)
    sync_folder(warehouse.folder)


def set_link(warehouse: Warehouse, ledger: Ledger, link: Path, release_id: str | None, cause: str, **said: Any) -> None:
    """Point `current` or `official` at a release, or at nothing. The ledger says it first: a crash between the two
    is put right by what the ledger says."""
    before = link.readlink().name if link.is_symlink() else None
    ledger.append(link.name, {"release_id": release_id, "before": before, "cause": cause, **said})
    _point(warehouse, link, release_id)


def find(warehouse: Warehouse, ledger: Ledger, release_id: str) -> Release:
    """A release of this warehouse by its id, withdrawn or not.

    Raises UsageError for one that is not there, or that is not the one this warehouse's ledger says was sealed.
    """
    known = {release.release_id: release for release in list_releases(warehouse)}
    release = known.get(release_id)
    problem = ""
    if release is None:
        problem = f"there is no release {release_id}"
    elif (entry := ledger.last("sealed", release_id=release_id)) is None or entry.details.get(
        "manifest_sha256"
    ) != sha256_file(warehouse.release_folder(release_id) / MANIFEST):
        problem = f"the release {release_id} is not the one that the ledger recorded"
    if problem or release is None:
        raise UsageError(
            problem,
            where=str(warehouse.releases),
            do=f"name one of {', '.join(known)}" if known else "nothing has been released yet: run `junheng run`",
        )
    return release


def refuse_withdrawn(warehouse: Warehouse, release_id: str) -> None:
    """Raise UsageError with the reason when a release was withdrawn."""
    if said := said_of_withdrawal(release_id, states(warehouse).get(release_id, {})):
        raise UsageError(
            said, where=str(warehouse.release_folder(release_id)), do="name another one (`junheng releases`)"
        )


def standing(ledger: Ledger, link: str) -> str | None:
    """The release that a link falls back to: the newest one not withdrawn that it may name, or None.

    `current` may name whatever was sealed to become current, `official` whatever was signed off.
    """
    entries = ledger.entries()
    known = release_states([entry.__dict__ for entry in entries])
    may = {e.details["release_id"] for e in entries if e.event == "sealed" and e.details.get("set_current")}
    fit = [
        release_id
        for release_id, state in known.items()
        if (release_id in may if link == "current" else "official_since" in state) and state["state"] != "withdrawn"
    ]
    return fit[-1] if fit else None


def rollback(warehouse: Warehouse, ledger: Ledger, release_id: str) -> Release:
    """Set `current` back to an earlier release; nothing is removed.

    Raises UsageError for a release that is not there, not sealed by this warehouse's ledger, or withdrawn.
    """
    release = find(warehouse, ledger, release_id)
    refuse_withdrawn(warehouse, release_id)
    set_link(warehouse, ledger, warehouse.current, release_id, "rollback")
    return release


def clean_up(warehouse: Warehouse, ledger: Ledger) -> list[str]:
    """Put right what a crash left behind; returns what was done, one line each.

    What was being prepared, or moved into place but never recorded, is removed: nobody has read it. A release
    that was recorded as sealed but not yet made current becomes current, and each link is where the ledger says.
    """
    done: list[str] = []
    if not warehouse.releases.exists():
        return done
    for name in ("current", "official"):
        for beside in warehouse.folder.glob(f".{name}.*"):
            beside.unlink(missing_ok=True)
    entries = ledger.entries()
    sealed = {e.details["release_id"]: e for e in entries if e.event == "sealed"}
    for folder in sorted(warehouse.releases.iterdir()):
        if folder.name.startswith(".preparing-"):
            remove_tree(folder)
            done.append(f"removed {folder.name}, left over from a run that did not end")
        elif RELEASE_ID.match(folder.name) and folder.name not in sealed:
            manifest = read_manifest(folder) if (folder / MANIFEST).exists() else {}
            if manifest.get("ledger", {}).get("entries", 0) > len(entries):
                raise FaultError(
                    f"the release {folder.name} was sealed after more entries than the ledger has",
                    where=str(ledger.path),
                    do="the ledger is an older one: restore the newest from a backup; nothing was changed",
                )
            remove_tree(folder)
            done.append(f"removed {folder.name}, which was never sealed")
    if not entries:
        return done
    if not warehouse.release_status.exists() or read_json(warehouse.release_status) != status_of(
        [entry.__dict__ for entry in entries]
    ):
        write_status(warehouse, ledger)
    done += _settle_links(warehouse, ledger, sealed)
    return done


def _settle_links(warehouse: Warehouse, ledger: Ledger, sealed: dict[str, Any]) -> list[str]:
    """Links as the ledger has them; what was sealed, signed off or withdrawn when a run ended is carried through."""
    done = []
    entries = ledger.entries()
    last = max((e for e in sealed.values() if e.details.get("set_current")), key=lambda e: e.number, default=None)
    if last is not None and not any(e.event == "current" and e.number > last.number for e in entries):
        release_id = str(last.details["release_id"])
        manifest = warehouse.release_folder(release_id) / MANIFEST
        if manifest.exists() and sha256_file(manifest) == last.details["manifest_sha256"]:
            set_link(warehouse, ledger, warehouse.current, release_id, "recovered")
            done.append(f"made {release_id} current, which was sealed when the last run ended")
    known = release_states([e.__dict__ for e in ledger.entries()])
    for link in (warehouse.current, warehouse.official):
        targets = link_targets([e.__dict__ for e in ledger.entries()])
        if link.name not in targets:
            continue
        target = targets[link.name]
        if target and known.get(target, {}).get("state") == "withdrawn":
            target = standing(ledger, link.name)
            set_link(warehouse, ledger, link, target, "withdrawn")
            done.append(f"moved {link.name} to {target or 'nothing'}: what it named was withdrawn")
        is_at = link.readlink() if link.is_symlink() else None
        if is_at != (Path("releases") / target if target else None):
            ledger.append("link_mended", {"link": link.name, "was": str(is_at) if is_at else None, "is": target})
            _point(warehouse, link, target)
            done.append(f"pointed {link.name} at {target or 'nothing'} again, as the ledger says")
    return done
