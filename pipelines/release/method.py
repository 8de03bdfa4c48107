"""A change of method kept apart from changes of data: weights, targets, mapping.

Where a table of the method differs from the one that the last release was made by, the same data are also figured
by the old one. What changed then falls into two parts, each compared with the same means as everything else: the
old method on the old and on the new data, and the old and the new method on the new data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipelines.publish import Table
from pipelines.release import changes
from pipelines.release.causes import rules_in
from pipelines.rules import Rules
from pipelines.rules import changes as rule_changes
from pipelines.sql import text_literal
from pipelines.store import Warehouse, write_json

# The reference tables that say how figures are weighed, measured against and mapped.
METHOD = ("reference/weights.csv", "reference/targets.csv", "reference/functional_classes.csv")
COMPARISON = "method_comparison.json"


@dataclass(frozen=True)
class OldMethod:
    """The present data by the method of the release before: its public database, or why there is none."""

    rules: Rules
    database: Path | None = None
    problem: str = ""


def changed_files(before: Rules, now: Rules) -> list[str]:
    """The tables of the method that differ between two states of the rules; none where either is not known."""
    if not before.files or not now.files:
        return []
    return [name for name in METHOD if before.files.get(name) != now.files.get(name)]


def with_old_method(before: Rules, now: Rules) -> Rules:
    """The present rules with the method of before: what such figures are made by."""
    files = {name: sha256 for name, sha256 in now.files.items() if name not in METHOD}
    return Rules("", files | {name: before.files[name] for name in METHOD if name in before.files})


def changed(warehouse: Warehouse, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any] | None:
    """The change of method between two manifests, with the lines that differ; None when there is none."""
    old, new = rules_in(before), rules_in(after)
    files = changed_files(old, new)
    if not files:
        return None
    return {
        "files": [change for change in rule_changes(warehouse, old, new) if change["file"] in files],
        "comparison": None,
        "reason": "the figures were not made by the old method",
    }


def compare(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[Table],
    before: dict[str, Any],
    after: dict[str, Any],
    old_method: OldMethod,
    folder: Path,
) -> dict[str, Any]:
    """Write the comparison of both methods on the same data into the prepared `folder`; what `changes.json` says of it.

    `connection` has the release before as `before` and the prepared one as `public`; afterwards it has no `before`.
    """
    if old_method.database is None:
        return {"comparison": None, "reason": old_method.problem}
    between = {
        **after,
        "release_id": f"{after['release_id']} by the method of {before['release_id']}",
        "inputs": {**after["inputs"], "rules": {"snapshot_sha256": "-", "files": old_method.rules.files}},
        "tables": {name: {**item, "content_sha256": ""} for name, item in after["tables"].items()},
    }
    last = connection.execute("select path from duckdb_databases() where database_name = 'before'").fetchone()
    connection.execute("detach before")
    assert last is not None
    data = changes.compare_files(Path(last[0]), old_method.database, before, between)
    connection.execute(f"attach {text_literal(str(old_method.database))} as before (read_only)")
    found = {
        "data": data,
        "method": changes.compare(connection, tables, between, after),
    }
    connection.execute("detach before")
    write_json(folder / COMPARISON, found)

    def total(part: dict[str, Any]) -> dict[str, dict[str, int]]:
        counted = {name: {kind: table[kind] for kind in changes.KINDS} for name, table in part["tables"].items()}
        return {name: counts for name, counts in counted.items() if any(counts.values())}

    return {
        "comparison": COMPARISON,
        "reason": "",
        "changed_by_data": total(data),
        "changed_by_method": total(found["method"]),
    }
