"""Does a release still hold: every file, the manifest, its signature, the ledger, the received bytes, the links.

This file stands alone: the standard library, and `cryptography` where there is a signature to check. Each release
carries a copy of it as `verify.py`, so that nobody needs Junheng to check what Junheng published. It reads and
reports; what it cannot prove is said in docs/verification.md.
"""

from __future__ import annotations

import argparse
import binascii
import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
SEAL = "manifest.json.sha256"
SIGNATURE = "manifest.json.sig"
VERDICT = "evidence/verdict.json"
CHECKS = "evidence/checks.json"
UNLISTED = (MANIFEST, SEAL, SIGNATURE)  # the manifest cannot list itself, nor what is made of it
LINKS = ("current", "official")
GENESIS = "0" * 64
_ENTRY = {"number", "at", "event", "details", "previous", "hash"}
_PIECE = 1 << 20
# What a release says of a receipt that the receipt itself does not: whether it counted, or was held and for what.
_DECIDED = {"is_in_force", "is_held", "held_since", "held_because", "in_place_of"}


@dataclass(frozen=True)
class Problem:
    """One thing that does not hold: where, and what is wrong with it."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass
class Report:
    """What was looked at and what does not hold. `notes` are what could not be looked at here."""

    release_id: str = ""
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    key_id: str = ""  # of the signature, when there is a good one
    is_trusted: bool = False  # the signature is of a key that the reader named
    head: str = ""  # hash of the ledger's last entry

    @property
    def holds(self) -> bool:
        """True when nothing was found wrong."""
        return not self.problems

    def found(self, where: str, what: str) -> None:
        """Note one thing that does not hold; the same thing is noted once."""
        problem = Problem(where, what)
        if problem not in self.problems:
            self.problems.append(problem)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON types."""
        return {
            "release_id": self.release_id,
            "holds": self.holds,
            "problems": [{"where": p.where, "what": p.what} for p in self.problems],
            "notes": self.notes,
            "checked": self.counts,
            "signed_by": self.key_id or None,
            "is_trusted_key": self.is_trusted,
            "ledger_head": self.head or None,
        }


# -- bytes --------------------------------------------------------------------------------------------------------


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while piece := handle.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def canonical(payload: Any) -> bytes:
    """JSON as Junheng writes it into files: UTF-8, sorted keys, one space of indent, a newline at the end."""
    return (json.dumps(payload, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _json(path: Path) -> Any:
    """The JSON of a file, or None when it is not there or is none."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _listed(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Every file below a folder by its relative name, and what is no plain file: links, empty folders."""
    files: dict[str, Path] = {}
    strange: list[str] = []
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        for name in names:
            path = here / name
            relative = path.relative_to(folder).as_posix()
            if path.is_symlink() or not path.is_file():
                strange.append(relative)
            else:
                files[relative] = path
        strange += [(here / name).relative_to(folder).as_posix() for name in folders if (here / name).is_symlink()]
        if not folders and not names and here != folder:
            strange.append(here.relative_to(folder).as_posix())
    return files, strange


# -- the ledger ---------------------------------------------------------------------------------------------------


def entry_hash(entry: dict[str, Any]) -> str:
    """The hash of a ledger entry: over everything in it but the hash itself."""
    return hashlib.sha256(entry_line({k: v for k, v in entry.items() if k != "hash"})).hexdigest()


def entry_line(entry: dict[str, Any]) -> bytes:
    """An entry as the one line that it is in the ledger."""
    return json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def read_chain(raw: bytes) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """The entries of a ledger's bytes, and the lines (number, what is wrong) where the chain does not hold.

    What stands behind the last line's end was never acknowledged and is no entry. After a break the chain is
    followed on from the line as it stands, so that one change is one finding; a changed entry is none.
    """
    entries: list[dict[str, Any]] = []
    breaks: list[tuple[int, str]] = []
    before: dict[str, Any] | None = {"number": 0, "hash": GENESIS}
    whole, _, _ = raw.rpartition(b"\n")
    for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
        try:
            entry = json.loads(line)
            if set(entry) != _ENTRY or not isinstance(entry["details"], dict) or not isinstance(entry["number"], int):
                raise ValueError
        except (ValueError, TypeError):
            breaks.append((number, f"the ledger's line {number} is not a whole entry"))
            before = None
            continue
        is_whole = entry_hash(entry) == entry["hash"] and line == entry_line(entry)
        follows = before is None or (entry["number"] == before["number"] + 1 and entry["previous"] == before["hash"])
        if not is_whole or not follows:
            breaks.append((number, f"the ledger's chain breaks at entry {number}"))
        before = entry if is_whole else None
        if is_whole:
            entries.append(entry)
    return entries, breaks


def head_of(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """What the file beside the ledger says of its end."""
    return {"entries": entries[-1]["number"] if entries else 0, "hash": entries[-1]["hash"] if entries else GENESIS}


def release_states(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The state of every sealed release by what the ledger says: candidate, official or withdrawn, and by whom."""
    states: dict[str, dict[str, Any]] = {}
    for entry in entries:
        details = entry["details"]
        if entry["event"] == "sealed":
            states[details["release_id"]] = {
                "state": "candidate",
                "since": entry["at"],
                "build_id": details["build_id"],
                "manifest_sha256": details["manifest_sha256"],
                "as_of": details.get("as_of"),
                "signed_off": [],
            }
            continue
        state = states.get(details.get("release_id") or "")
        if state is None:
            continue
        if entry["event"] == "signed_off":
            state["signed_off"].append({"by": details["by"], "at": entry["at"]})
            if details.get("calendar"):
                state["calendar"] = details["calendar"]
        elif entry["event"] == "official" and details["cause"] == "signed off":
            state |= {"state": "official", "since": entry["at"], "official_since": entry["at"]}
        elif entry["event"] == "release_withdrawn":
            state |= {"state": "withdrawn", "since": entry["at"]}
            state |= {name: details[name] for name in ("reason", "severity", "by")}
    return states


def link_targets(entries: list[dict[str, Any]]) -> dict[str, str | None]:
    """Where each link points by what the ledger says last; a link that was never set is not in it."""
    return {e["event"]: e["details"]["release_id"] for e in entries if e["event"] in LINKS}


def status_of(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """What `releases/status.json` holds: the states, as the ledger has them."""
    return {"releases": release_states(entries)}


def _check_head(path: Path, entries: list[dict[str, Any]], report: Report) -> None:
    """The file that names the last entry; a crash may have left it one entry behind."""
    end, before = head_of(entries), head_of(entries[:-1])
    if not path.exists() and before["entries"] == 0:
        return
    told = _json(path)
    if path.exists() and path.read_bytes() in (canonical(end), canonical(before)):
        return
    if isinstance(told, dict) and isinstance(told.get("entries"), int) and told["entries"] > end["entries"]:
        report.found(
            "ledger/ledger.jsonl",
            f"ends at entry {end['entries']}, where it had {told['entries']}: lines at its end were removed",
        )
    else:
        report.found("ledger/head.json", "is gone or does not name the ledger's last entry")


def _check_ledger(folder: Path, report: Report, head: str | None) -> list[dict[str, Any]]:
    path = folder / "ledger" / "ledger.jsonl"
    name = "ledger/ledger.jsonl"
    if not path.is_file():
        report.found(name, "is gone")
        return []
    entries, breaks = read_chain(path.read_bytes())
    for number, what in breaks:
        report.found(f"{name}, line {number}", f"{what}: a line was changed, removed, added or swapped")
    report.counts["ledger entries"] = len(entries)
    report.head = head_of(entries)["hash"]
    if not breaks:
        _check_head(path.with_name("head.json"), entries, report)
    if head and head not in {entry["hash"] for entry in entries}:
        report.found(name, f"no entry has the hash {head}: the ledger is not the one that this hash was taken from")
    return entries


# -- one release --------------------------------------------------------------------------------------------------


def _check_files(folder: Path, manifest: dict[str, Any], report: Report) -> None:
    files, strange = _listed(folder)
    listed: dict[str, dict[str, Any]] = manifest.get("files") or {}
    for name, item in sorted(listed.items()):
        path = files.pop(name, None)
        if path is None:
            report.found(name, "is gone")
        elif path.stat().st_size != item.get("size_bytes"):
            report.found(name, f"has {path.stat().st_size} bytes where the manifest says {item.get('size_bytes')}")
        elif sha256_of(path) != item.get("sha256"):
            report.found(name, "was changed: its SHA-256 is not that of the manifest")
    for name in sorted(set(files) - set(UNLISTED)):
        report.found(name, "is not part of the release: the manifest does not list it")
    for name in strange:
        report.found(name, "is not part of the release: a link or an empty folder")
    report.counts["files"] = len(listed)


def _check_verdict(folder: Path, manifest: dict[str, Any], report: Report) -> None:
    told = manifest.get("verdict") or {}
    verdict = _json(folder / VERDICT)
    if not isinstance(verdict, dict):
        report.found(VERDICT, "is gone or is no verdict")
        return
    if sha256_of(folder / VERDICT) != told.get("verdict_sha256"):
        report.found(VERDICT, "is not the verdict that the manifest names")
    if (folder / CHECKS).is_file() and sha256_of(folder / CHECKS) != verdict.get("results_sha256"):
        report.found(CHECKS, "is not the list of results that the verdict rests on")
    if verdict.get("build_id") != manifest.get("build_id"):
        report.found(VERDICT, f"is about the build {verdict.get('build_id')}, the release is of another")
    if verdict.get("outcome") != "pass" or verdict.get("blocking"):
        report.found(VERDICT, "does not pass: this build must not have been released")
    results = _json(folder / CHECKS)
    blocking = [r for r in results or [] if r["severity"] == "block" and r["outcome"] in ("fail", "error")]
    if not results or blocking:
        report.found(CHECKS, "holds no results" if not results else f"{blocking[0]['check_id']} did not pass")
    report.counts["checks"] = len(results or [])


def _check_signature(
    folder: Path, manifest: dict[str, Any], report: Report, public_key: Path | None, is_older: bool
) -> None:
    path = folder / SIGNATURE
    key_id = (manifest.get("signed_by") or {}).get("key_id")
    if key_id is None:
        if path.exists():
            report.found(SIGNATURE, "is there, but the manifest says that the release is not signed")
        elif is_older:
            report.notes.append(f"{folder.name} was sealed before releases were signed: only the ledger speaks for it")
        elif public_key:
            report.found(SIGNATURE, "the release is not signed: the key that you named cannot speak for it")
        else:
            report.notes.append(
                "not signed: only the ledger, and what was kept elsewhere of it, speaks for the manifest"
            )
        return
    signature = _json(path)
    if not isinstance(signature, dict) or canonical(signature) != path.read_bytes():
        report.found(SIGNATURE, "is gone or was changed" if path.exists() else "is gone, but the release was signed")
        return
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        report.found(SIGNATURE, "cannot be checked: install the Python package `cryptography`")
        return
    try:
        raw = bytes.fromhex(signature["public_key"])
        if signature["algorithm"] != "ed25519" or signature["manifest_sha256"] != sha256_of(folder / MANIFEST):
            raise ValueError
        if not key_id == signature["key_id"] == key_id_of(raw):
            raise ValueError
        Ed25519PublicKey.from_public_bytes(raw).verify(
            bytes.fromhex(signature["signature"]), (folder / MANIFEST).read_bytes()
        )
    except (InvalidSignature, ValueError, KeyError, TypeError, binascii.Error):
        report.found(SIGNATURE, "does not fit: it is not a signature of this manifest by the key that it names")
        return
    report.key_id = key_id
    if public_key is None:
        report.notes.append(f"signed by the key {key_id}: whose key that is, only a public key from elsewhere tells")
    elif public_key_in(public_key) != raw:
        report.found(SIGNATURE, f"is by the key {key_id}, not by the one in {public_key}")
    else:
        report.is_trusted = True


def key_id_of(public_key: bytes) -> str:
    """The id of a key: the first half of the SHA-256 of its 32 public bytes."""
    return hashlib.sha256(public_key).hexdigest()[:32]


def public_key_in(path: Path) -> bytes:
    """The 32 bytes of an Ed25519 public key from a PEM file. Raises ValueError when there is none in it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = serialization.load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not an Ed25519 key")
    return key.public_bytes_raw()


def check_release(
    folder: Path, report: Report, public_key: Path | None = None, *, is_older: bool = False
) -> dict[str, Any] | None:
    """Check what a release says of itself; returns its manifest, None when that is not readable.

    `is_older`: the ledger says that it was sealed before the first signed one, so it need not be signed.
    """
    path = folder / MANIFEST
    manifest = _json(path)
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        report.found(MANIFEST, "is gone or is no manifest")
        return None
    report.release_id = str(manifest.get("release_id"))
    told = folder / SEAL
    if manifest.get("format") == 1 and not told.exists() and not (folder / VERDICT).exists():
        report.notes.append(
            f"{folder.name} was sealed before releases carried their verdict: only its files are checked"
        )
        _check_files(folder, manifest, report)
        return manifest
    if not told.is_file() or told.read_bytes() != f"{sha256_of(path)}  {MANIFEST}\n".encode():
        report.found(MANIFEST, f"or {SEAL} was changed: the one does not give the hash of the other")
    _check_files(folder, manifest, report)
    _check_verdict(folder, manifest, report)
    _check_signature(folder, manifest, report, public_key, is_older)
    return manifest


# -- the warehouse around it --------------------------------------------------------------------------------------


def _vault_path(warehouse: Path, sha256: str) -> Path:
    return warehouse / "vault" / sha256[:2] / sha256


def _is_closed(warehouse: Path, room: str, report: Report) -> bool:
    """True for a folder of the warehouse that whoever checks may not enter: what lies there is not looked at."""
    folder = warehouse / room
    if not folder.exists() or os.access(folder, os.R_OK | os.X_OK):
        return False
    note = f"{room}/ is its owner's alone: what lies there was not checked"
    if note not in report.notes:
        report.notes.append(note)
    return True


def _check_bytes(warehouse: Path, sha256: str, what: str, report: Report, seen: dict[str, bool]) -> None:
    """Kept bytes: there, and those of their hash. Every file of the vault is read once."""
    path = _vault_path(warehouse, sha256)
    if _is_closed(warehouse, "vault", report):
        return
    if sha256 not in seen:
        try:
            seen[sha256] = path.is_file() and sha256_of(path) == sha256
        except OSError as error:
            report.found(str(path.relative_to(warehouse)), f"the kept bytes of {what} cannot be read: {error.strerror}")
            seen[sha256] = True
    if not seen[sha256]:
        state = "were changed" if path.exists() else "are gone"
        report.found(str(path.relative_to(warehouse)), f"the kept bytes of {what} {state}")


def _check_inputs(
    warehouse: Path, manifest: dict[str, Any], entries: list[dict[str, Any]], report: Report, seen: dict[str, bool]
) -> None:
    """Receipts, their bytes, their entries in the ledger; the rules' bytes; the readings' files."""
    received = {
        e["details"].get("receipt_id"): e["details"] for e in entries if e["event"] in ("received", "withdrawn")
    }
    inputs = manifest.get("inputs") or {}
    receipts = inputs.get("receipts") or []
    for receipt in receipts:
        where = f"receipts/{receipt['receipt_id']}.json"
        path = warehouse / where
        stored = _json(path)
        if stored is None or canonical(stored) != path.read_bytes():
            report.found(where, "is gone or was changed")
        elif different := [n for n, value in receipt.items() if n not in _DECIDED and stored.get(n) != value]:
            report.found(where, f"says something else than the manifest: {', '.join(different)}")
        if receipt.get("is_in_force") and receipt.get("held_because"):
            report.found(MANIFEST, f"the receipt {receipt['receipt_id']} is in force and failed its checks")
        entry = received.get(receipt["receipt_id"])
        if entry is None or entry.get("sha256") != receipt["sha256"]:
            report.found("ledger/ledger.jsonl", f"no entry says that the receipt {receipt['receipt_id']} came so")
        _check_bytes(warehouse, receipt["sha256"], receipt["landing_path"], report, seen)
    report.counts["receipts"] = len(receipts)
    rules = inputs.get("rules") or {}
    for name, sha256 in (rules.get("files") or {}).items():
        _check_bytes(warehouse, sha256, name, report, seen)
    if rules:
        _check_bytes(warehouse, rules["snapshot_sha256"], "the list of rules", report, seen)
        if not any(
            e["event"] == "rules" and e["details"]["snapshot_sha256"] == rules["snapshot_sha256"] for e in entries
        ):
            report.found("ledger/ledger.jsonl", "no entry names the rules that the release was made by")
    report.counts["rules"] = len(rules.get("files") or {})
    readings = inputs.get("readings") or []
    for reading in readings if not _is_closed(warehouse, "readings", report) else []:
        folder = f"readings/{reading.get('department')}/{reading.get('extract')}/{reading['reading_id']}"
        for name, sha256 in (reading.get("files") or {}).items():
            path = warehouse / folder / name
            if not path.is_file() or sha256_of(path) != sha256:
                report.found(f"{folder}/{name}", "was changed" if path.is_file() else "is gone")
    report.counts["readings"] = len(readings)


def _check_place(warehouse: Path, folder: Path, manifest: dict[str, Any], entries: list[Any], report: Report) -> None:
    """What the ledger says of this release: sealed with this manifest, under this verdict, after this entry."""
    release_id, name = str(manifest.get("release_id")), "ledger/ledger.jsonl"
    if folder.name != release_id:
        report.found(MANIFEST, f"is that of the release {release_id}, not of {folder.name}")
    sealed = [e["details"] for e in entries if e["event"] == "sealed" and e["details"].get("release_id") == folder.name]
    if not sealed:
        report.found(name, f"no entry says that the release {folder.name} was sealed")
    elif sealed[-1]["manifest_sha256"] != sha256_of(folder / MANIFEST):
        report.found(MANIFEST, "was changed: its SHA-256 is not the one that the ledger recorded when it was sealed")
    verdict = (manifest.get("verdict") or {}).get("verdict_sha256")
    judged = {e["details"].get("verdict_sha256") for e in entries if e["event"] == "judged"}
    if verdict not in judged:
        report.found(name, "no entry says that the verdict of this release was given")
    beside = warehouse / "builds" / str(manifest.get("build_id")) / "verdict.json"
    if not _is_closed(warehouse, "builds", report) and beside.is_file() and sha256_of(beside) not in judged:
        report.found(str(beside.relative_to(warehouse)), "is not a verdict that the ledger recorded")
    told = manifest.get("ledger") or {}
    number = told.get("entries", 0)
    if number and not any(e["number"] == number and e["hash"] == told["head"] for e in entries):
        report.found(name, f"entry {number} is not the one after which the release {folder.name} was sealed")


def _is_older_than_signatures(entries: list[dict[str, Any]], release_id: str) -> bool:
    """Whether the ledger has a release signed later, and this one as sealed without a key."""
    sealed = [e for e in entries if e["event"] == "sealed"]
    first = min((e["number"] for e in sealed if e["details"].get("key_id")), default=0)
    return any(
        e["details"].get("release_id") == release_id and not e["details"].get("key_id") and e["number"] < first
        for e in sealed
    )


def _check_shelf(warehouse: Path, entries: list[dict[str, Any]], report: Report) -> None:
    """Links, states and release folders, against the ledger."""
    states, targets = release_states(entries), link_targets(entries)
    for link in LINKS:
        path, target = warehouse / link, targets.get(link)
        if not path.is_symlink():
            if path.exists():
                report.found(link, "is no link")
            elif target:
                report.found(link, f"is gone; by the ledger it points at {target}")
        elif not target:
            report.found(link, f"points at {path.readlink()}; by the ledger there is no such link")
        elif str(path.readlink()) != f"releases/{target}":
            report.found(link, f"points at {path.readlink()}; by the ledger it is releases/{target}")
        elif not (path / MANIFEST).is_file():
            report.found(link, f"points at {target}, which is not there")
    status = warehouse / "releases" / "status.json"
    if not status.is_file() or status.read_bytes() != canonical(status_of(entries)):
        report.found("releases/status.json", "does not say what the ledger says of the releases")
    for folder in sorted((warehouse / "releases").iterdir()):
        if folder.name == "status.json" or folder.name.startswith("."):
            continue
        if folder.name not in states:
            report.found(f"releases/{folder.name}", "no entry of the ledger says that this was released")
    for release_id in states:
        if not (warehouse / "releases" / release_id).is_dir():
            report.found(f"releases/{release_id}", "is gone")


def verify(
    warehouse: Path | None,
    releases: list[Path],
    *,
    public_key: Path | None = None,
    head: str | None = None,
    whole_vault: bool = False,
) -> Report:
    """Check releases and, where `warehouse` is given, the ledger, receipts, kept bytes, states and links around them.

    `public_key` is a PEM file that you have from elsewhere, `head` a hash of a ledger entry that was kept
    elsewhere. `whole_vault` reads every file of the vault, whichever release it belongs to.
    """
    report = Report()
    entries: list[dict[str, Any]] = []
    seen: dict[str, bool] = {}
    if warehouse:
        entries = _check_ledger(warehouse, report, head)
        _check_shelf(warehouse, entries, report)
    elif head:
        report.found("ledger", "is not here, so the hash that you kept cannot be looked up")
    total: dict[str, int] = {}
    for folder in releases:
        one = Report()
        is_older = _is_older_than_signatures(entries, folder.name)
        manifest = check_release(folder, one, public_key, is_older=is_older)
        if warehouse and manifest:
            _check_place(warehouse, folder, manifest, entries, one)
            _check_inputs(warehouse, manifest, entries, one, seen)
        # Places inside a release are named as they lie in the warehouse: several releases may be looked at.
        inside = {MANIFEST, SEAL, SIGNATURE, VERDICT, CHECKS} | set((manifest or {}).get("files") or {})
        inside |= set(_listed(folder)[0]) | set(_listed(folder)[1])
        for problem in one.problems:
            where = (
                f"releases/{folder.name}/{problem.where}" if warehouse and problem.where in inside else problem.where
            )
            report.found(where, problem.what)
        report.notes += [note for note in one.notes if note not in report.notes]
        report.release_id, report.key_id, report.is_trusted = folder.name, one.key_id, one.is_trusted
        for name, count in one.counts.items():
            total[name] = total.get(name, 0) + count
    report.counts |= total
    if warehouse and whole_vault and not _is_closed(warehouse, "vault", report):
        kept = [p for p in sorted((warehouse / "vault").glob("??/*")) if re.fullmatch("[0-9a-f]{64}", p.name)]
        for path in kept:
            _check_bytes(warehouse, path.name, "a file", report, seen)
        report.counts["kept files"] = len(kept)
    return report


def main(arguments: list[str] | None = None) -> int:
    """The stand-alone command: 0 when everything holds, 3 when something does not, 2 for wrong use."""
    parser = argparse.ArgumentParser(description="Check that a release of Junheng is what was released.")
    parser.add_argument("release", nargs="?", type=Path, help="folder of the release (default: where this file lies)")
    parser.add_argument(
        "--warehouse", type=Path, help="folder with ledger/ and vault/ (default: found from the release)"
    )
    parser.add_argument("--public-key", type=Path, help="PEM file of the publisher's key, from elsewhere")
    parser.add_argument("--head", help="hash of a ledger entry that was kept elsewhere")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    folder = (options.release or Path(__file__).parent).resolve()
    if not folder.is_dir():
        parser.error(f"there is no folder {folder}")
    if options.public_key:
        try:
            public_key_in(options.public_key)
        except ImportError:
            parser.error("to check a signature, install the Python package `cryptography`")
        except (OSError, ValueError):
            parser.error(f"there is no Ed25519 public key in {options.public_key}")
    warehouse = options.warehouse
    if warehouse is None and (folder.parent.parent / "ledger" / "ledger.jsonl").is_file():
        warehouse = folder.parent.parent
    report = verify(
        warehouse.resolve() if warehouse else None, [folder], public_key=options.public_key, head=options.head
    )
    if warehouse is None:
        report.notes.append("the ledger and the received files are not here: only the release itself was checked")
    if options.json:
        sys.stdout.write(json.dumps(report.as_dict(), ensure_ascii=False, indent=1) + "\n")
    else:
        looked_at = ", ".join(f"{count} {name}" for name, count in report.counts.items())
        lines = [f"{report.release_id}: {'holds' if report.holds else 'does NOT hold'} ({looked_at})"]
        lines += [f"  - {problem}" for problem in report.problems]
        lines += [f"  note: {note}" for note in report.notes]
        lines += [f"  ledger head: {report.head}"] if report.head else []
        sys.stdout.write("\n".join(lines) + "\n")
    return 0 if report.holds else 3


if __name__ == "__main__":
    sys.exit(main())
