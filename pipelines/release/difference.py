"""Any release against any other: what `changes.json` says of two neighbours, with the rules' own lines beside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines import rules
from pipelines.errors import FaultError
from pipelines.ledger import Ledger
from pipelines.release.causes import rules_in
from pipelines.release.changes import EXAMPLES, compare_files
from pipelines.release.shelf import find, read_manifest
from pipelines.standing import said_of_withdrawal, states
from pipelines.store import Warehouse


def diff(
    warehouse: Warehouse, ledger: Ledger, before: str, after: str, *, limit: int | None = EXAMPLES
) -> dict[str, Any]:
    """What is different in `after` against `before`: rows by table and key, each with its causes.

    At most `limit` rows of a kind are listed for each table, all when it is None; counts are always of all.
    Raises UsageError for a release that is not there.
    """
    folders = [Path(find(warehouse, ledger, release_id).folder) for release_id in (before, after)]
    old, new = (read_manifest(folder) for folder in folders)
    found = compare_files(folders[0] / "public.duckdb", folders[1] / "public.duckdb", old, new, limit=limit)
    lines = {change["file"]: change for change in _rule_changes(warehouse, old, new)}
    for cause in found["inputs"]:
        if cause["kind"] != "receipt" and cause.get("file") in lines:
            cause |= {k: v for k, v in lines[cause["file"]].items() if k in ("diff", "diff_note")}
    return {
        "before": _said_of(warehouse, old),
        "after": _said_of(warehouse, new),
        "inputs": found["inputs"],
        "tables": found["tables"],
        "tables_removed": found["tables_removed"],
    }


def _said_of(warehouse: Warehouse, manifest: dict[str, Any]) -> dict[str, Any]:
    state = states(warehouse).get(manifest["release_id"], {})
    return {
        "release_id": manifest["release_id"],
        "sealed_at": manifest["sealed_at"],
        "state": state.get("state", "candidate"),
        "withdrawn": said_of_withdrawal(manifest["release_id"], state),
    }


def _rule_changes(warehouse: Warehouse, old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines that differ; none where the vault has lost them, which `verify` names: hashes are told anyway."""
    before, after = rules_in(old), rules_in(new)
    if not before.files or not after.files:
        return []
    try:
        return rules.changes(warehouse, before, after)
    except FaultError:
        return []
