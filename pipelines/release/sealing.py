"""Sealing: the manifest over everything, its signature, read-only files, and the step that makes a release visible.

It refuses without the passing verdict of the very build, whoever calls; up to the last step nobody sees anything.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pipelines.errors import BlockedError, FaultError
from pipelines.jurisdiction import Jurisdiction
from pipelines.ledger import Ledger
from pipelines.publish import DRAFT, Release
from pipelines.quality import require_passing
from pipelines.records import Build
from pipelines.release.shelf import RELEASE_ID, set_link, sync_folder, write_status
from pipelines.release.signing import SigningKey
from pipelines.store import Warehouse, make_read_only, now_utc, read_json, sha256_file, write_atomically, write_json
from pipelines.verifier import MANIFEST, SEAL, SIGNATURE, UNLISTED

MANIFEST_FORMAT = 2


def _files(folder: Path) -> dict[str, dict[str, Any]]:
    """SHA-256 and size of every file of a release but its manifest and what is made of it."""
    return {
        path.relative_to(folder).as_posix(): {"sha256": sha256_file(path), "size_bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).as_posix() not in (*UNLISTED, DRAFT)
    }


def _make_durable(folder: Path) -> None:
    for path in folder.rglob("*"):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    sync_folder(folder)


def seal(
    warehouse: Warehouse,
    ledger: Ledger,
    build: Build,
    prepared: Path,
    jurisdiction: Jurisdiction,
    *,
    set_current: bool = True,
    made_by: str = "",
    signing_key: SigningKey | None = None,
) -> Release:
    """Seal a prepared folder as a release and, unless `set_current` is false, swap `current` to it.

    `made_by` is who ran it, as the ledger is to say; with a `signing_key` the manifest is signed.
    Raises BlockedError without the passing verdict of this very build, or when what was prepared rests on another
    build or verdict; FaultError when its id has been taken. Until `current` is swapped, the last release stands.
    """
    verdict = require_passing(build, ledger)
    draft_path = prepared / DRAFT
    draft: dict[str, Any] = read_json(draft_path) if draft_path.exists() else {}
    if (
        draft.get("build_id") != build.build_id
        or draft.get("verdict", {}).get("verdict_sha256") != sha256_file(Path(build.folder) / "verdict.json")
        or draft.get("jurisdiction") != jurisdiction.key
        or draft["verdict"]["database_sha256"] != verdict.database_sha256
    ):
        raise BlockedError(
            "what was prepared does not rest on this build and its verdict",
            where=str(prepared),
            do="prepare the release again (junheng release)",
        )
    release_id = str(draft["release_id"])
    folder = warehouse.release_folder(release_id)
    if not RELEASE_ID.match(release_id) or folder.exists() or ledger.last("sealed", release_id=release_id):
        raise FaultError(
            f"the release id {release_id} has been taken since the release was prepared",
            where=str(prepared),
            do="prepare the release again (junheng release)",
        )
    draft_path.unlink()
    entries = ledger.entries()
    manifest = {
        "format": MANIFEST_FORMAT,
        **draft,
        "sealed_at": now_utc(),
        "ledger": {"entries": entries[-1].number, "head": entries[-1].hash},
        "signed_by": {"algorithm": "ed25519", "key_id": signing_key.key_id} if signing_key else None,
        "files": _files(prepared),
    }
    write_json(prepared / MANIFEST, manifest)
    manifest_sha256 = sha256_file(prepared / MANIFEST)
    write_atomically(prepared / SEAL, f"{manifest_sha256}  {MANIFEST}\n".encode())
    if signing_key:
        write_json(prepared / SIGNATURE, signing_key.sign((prepared / MANIFEST).read_bytes(), manifest_sha256))
    make_read_only(prepared)
    _make_durable(prepared)
    prepared.rename(folder)
    sync_folder(warehouse.releases)

    ledger.append(
        "sealed",
        {
            "release_id": release_id,
            "build_id": build.build_id,
            "manifest_sha256": manifest_sha256,
            "set_current": set_current,
            "as_of": build.as_of,
            "made_by": made_by,
            "key_id": signing_key.key_id if signing_key else None,
        },
    )
    write_status(warehouse, ledger)
    if set_current:
        set_link(warehouse, ledger, warehouse.current, release_id, "sealed")
    return Release(folder)
