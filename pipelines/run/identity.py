"""Which build present inputs make, and whether a release says what that build would.

Nothing is built here. The methods of a session that ask it are here as functions.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pipelines.records import Build, Choice
from pipelines.run.taking_in import Intake
from pipelines.settings import code_version
from pipelines.store import now_utc

if TYPE_CHECKING:  # a session has these as methods
    from pipelines.run.session import Session


def identity(session: Session, taken: Intake, as_of: str | None = None) -> Build:
    """Which build these readings, rules and this code make. Two visits with the same inputs get the same id.

    Its basis is the same as long as nothing but deliveries that are held has come or gone.
    """
    choice = taken.decision.choice
    counting = [r.reading_id for r in taken.readings if r.receipt_id not in choice.left_out]
    digest = hashlib.sha256()
    for folder in session.expectations_folders:  # in this order, wherever the project and the jurisdiction lie
        for path in sorted(folder.glob("*.yml")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    if session.jurisdiction.waivers_file.exists():
        digest.update(session.jurisdiction.waivers_file.read_bytes())
    expectations_hash = digest.hexdigest()
    basis = {
        "readings": sorted(counting),
        "in_force": sorted(choice.in_force),
        "code": code_version(),
        "reference": session.jurisdiction.reference_hash,
        "contracts": session.jurisdiction.contracts_hash,
        "expectations": expectations_hash,
        "as_of": as_of,
        "reference_geographies": session.reference_geographies,
    }
    left_out = {
        "readings": sorted(r.reading_id for r in taken.readings if r.receipt_id in choice.left_out),
        "left_out": sorted(choice.left_out),
        "in_place_of": sorted(choice.in_place_of.items()),
    }
    basis_hash = _hash_of(basis)
    # Where nothing was ever left out, the build is told by its basis alone.
    inputs_hash = _hash_of({**basis, "left_out": left_out}) if choice.left_out else basis_hash
    build_id = inputs_hash[:16]
    return Build(
        build_id=build_id,
        folder=str(session.warehouse.build_folder(build_id)),
        inputs_hash=inputs_hash,
        reading_ids=sorted(r.reading_id for r in taken.readings),
        code_version=code_version(),
        reference_hash=session.jurisdiction.reference_hash,
        contracts_hash=session.jurisdiction.contracts_hash,
        expectations_hash=expectations_hash,
        as_of=as_of,
        built_at=now_utc(),
        rules_sha256=session.rules.snapshot_sha256,
        basis_hash=basis_hash,
    )


def rests_on(session: Session, manifest: dict[str, Any] | None, identity: Build, choice: Choice) -> bool:
    """True when a release needs no build of its own to say what a build would: the same, but for new held files.

    Its figures are the same then. What is held now in addition is told at once, and in the next release.
    """
    if manifest is None:
        return False
    if manifest["build_id"] == identity.build_id:
        return True
    held_then = {r["landing_path"] for r in manifest["inputs"]["receipts"] if r.get("is_held")}
    held_now = {each.landing_path for each in choice.held}
    return manifest.get("basis_hash") == identity.basis_hash and held_then <= held_now


def is_set_back_from(session: Session, identity: Build, choice: Choice) -> bool:
    """True when a person set `current` back from the newest release, or withdrew it, and it says what this would.

    Such a build is not published again by itself: the nightly must not undo what a person decided.
    """
    from pipelines.release import read_manifest, states

    def says_the_same(release_id: str) -> bool:
        return rests_on(session, read_manifest(session.warehouse.release_folder(release_id)), identity, choice)

    known = states(session.warehouse).items()
    if any(state["state"] == "withdrawn" and says_the_same(release_id) for release_id, state in known):
        return True
    moved, sealed = session.ledger.last("current"), session.ledger.last("sealed", set_current=True)
    if moved is None or sealed is None or moved.details["cause"] != "rollback":
        return False
    return says_the_same(str(sealed.details["release_id"]))


def _hash_of(inputs: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
