"""The rules as files: what was agreed, expected, waived and planned, kept by hash with every state it ever had.

A snapshot lists the rule files of a jurisdiction, and the project's expectations, with their SHA-256; the bytes lie
in the vault, so that a release can be made again and a change can be shown line by line. What a rule means is its
reader's business.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.errors import FaultError
from pipelines.ledger import Ledger
from pipelines.store import Warehouse, sha256_file, write_atomically

# What kind of rule a file is, by where it lies in the jurisdiction's folder.
KINDS = (
    ("jurisdiction", "jurisdiction.yml"),
    ("reference", "reference/*.csv"),
    ("boundaries", "reference/boundaries.geojson"),
    ("contract", "contracts/*/*.yml"),
    ("correction", "corrections/*.yml"),
    ("expectation", "expectations/*.yml"),
    ("waiver", "waivers.yml"),
    ("calendar", "releases.yml"),
)
PROJECT = "project/expectations/"  # the project's own expectations, beside the jurisdiction's
DIFF_LINES = 200
LINE_LENGTH = 300
# A rule file names people who decide, never people who are counted; should a number of one slip in, it goes no further.
_LIKE_A_PERSONS_NUMBER = re.compile(r"(?<![0-9a-fA-F])(\d{17}[\dXx]|1[3-9]\d{9})(?![0-9a-fA-F])")


@dataclass(frozen=True)
class Rules:
    """One state of all rules: name -> SHA-256, and the hash of that list."""

    snapshot_sha256: str = ""
    files: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The rules as the manifest lists them; empty when none were recorded."""
        return {"snapshot_sha256": self.snapshot_sha256, "files": self.files} if self.snapshot_sha256 else {}


def kind_of(name: str) -> str:
    """What kind of rule a file of a snapshot is."""
    if name.startswith(PROJECT):
        return "expectation"
    return next((kind for kind, pattern in KINDS if Path(name).match(pattern)), "rule")


def record(warehouse: Warehouse, ledger: Ledger, folder: Path, project_expectations: Path) -> Rules:
    """Keep the present state of all rules; a change since the last one becomes a ledger entry with its diff."""
    paths = {p.relative_to(folder).as_posix(): p for _, pattern in KINDS for p in folder.glob(pattern) if p.is_file()}
    paths |= {PROJECT + path.name: path for path in project_expectations.glob("*.yml")}
    data = {name: path.read_bytes() for name, path in sorted(paths.items())}
    files = {name: hashlib.sha256(content).hexdigest() for name, content in data.items()}
    snapshot = (json.dumps({"files": files}, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    rules = Rules(hashlib.sha256(snapshot).hexdigest(), files)
    last = ledger.last("rules")
    if last is not None and last.details["snapshot_sha256"] == rules.snapshot_sha256:
        return rules
    for content in (*data.values(), snapshot):
        _keep(warehouse, content)
    before = stored(warehouse, last.details["snapshot_sha256"]) if last else None
    ledger.append(
        "rules",
        {
            "snapshot_sha256": rules.snapshot_sha256,
            "before_sha256": before.snapshot_sha256 if before else None,
            "files": len(files),
            "changed": changes(warehouse, before, rules) if before else [],
        },
    )
    return rules


def changes(warehouse: Warehouse, before: Rules, after: Rules) -> list[dict[str, Any]]:
    """Every rule file that differs between two states, with both hashes and a diff of bounded size."""
    found = []
    for name in sorted(before.files.keys() | after.files.keys()):
        old, new = before.files.get(name), after.files.get(name)
        if old != new:
            found.append(
                {
                    "file": name,
                    "kind": kind_of(name),
                    "change": "added" if old is None else "removed" if new is None else "changed",
                    "before_sha256": old,
                    "after_sha256": new,
                    **_difference(kept(warehouse, old) if old else b"", kept(warehouse, new) if new else b"", name),
                }
            )
    return found


def stored(warehouse: Warehouse, snapshot_sha256: str) -> Rules:
    """A state of the rules that was recorded. Raises FaultError when its bytes are gone or changed."""
    return Rules(snapshot_sha256, json.loads(kept(warehouse, snapshot_sha256))["files"])


def restore(warehouse: Warehouse, rules: Rules, folder: Path, project_expectations: Path) -> None:
    """Write a recorded state of all rules into a jurisdiction's folder and a folder of expectations."""
    for name, sha256 in rules.files.items():
        inside = name.removeprefix(PROJECT)
        path = (project_expectations if name.startswith(PROJECT) else folder) / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(kept(warehouse, sha256))


def kept(warehouse: Warehouse, sha256: str) -> bytes:
    """Bytes of a rule file from the vault. Raises FaultError when they are gone or are not those of the hash."""
    path = warehouse.vault_path(sha256)
    if warehouse.vault.exists() and not os.access(warehouse.vault, os.X_OK):
        raise FaultError(
            "the kept bytes of rule files are their owner's alone",
            where=str(warehouse.vault),
            do="ask the account that the pipeline runs under",
        )
    if not path.is_file() or sha256_file(path) != sha256:
        raise FaultError(
            f"the kept bytes of a rule file are {'not those that were kept' if path.exists() else 'gone'}",
            where=str(path),
            do="restore the vault from a backup; nothing else was changed",
        )
    return path.read_bytes()


def _keep(warehouse: Warehouse, data: bytes) -> None:
    path = warehouse.vault_path(hashlib.sha256(data).hexdigest())
    warehouse.private_folder(path.parent)
    if not path.exists():
        write_atomically(path, data, mode=0o400)


def _difference(old: bytes, new: bytes, name: str) -> dict[str, Any]:
    """The lines that differ, as a unified diff; a table's header goes first, so that cells can be told apart."""
    try:
        before, after = old.decode("utf-8-sig").splitlines(), new.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return {"diff": [], "diff_note": "not text in UTF-8: only the hashes are told"}
    lines = list(difflib.unified_diff(before, after, n=0 if name.endswith(".csv") else 1, lineterm=""))[2:]
    if name.endswith(".csv") and (after or before):
        lines.insert(0, f" {(after or before)[0]}")
    said: dict[str, Any] = {"diff": [_plain(line) for line in lines[:DIFF_LINES]]}
    if len(lines) > DIFF_LINES:
        said["diff_note"] = f"{len(lines) - DIFF_LINES} more lines; both files are kept whole under their hashes"
    return said


def _plain(line: str) -> str:
    line = _LIKE_A_PERSONS_NUMBER.sub(lambda number: "9" * len(number[0]), line)
    return line if len(line) <= LINE_LENGTH else f"{line[:LINE_LENGTH]}…"
