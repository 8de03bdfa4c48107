"""The way from a reported number to a published table: the dbt models on it, and which of them store rows.

    python bench/way_of_a_cell.py MANIFEST [TABLE...]

MANIFEST is dbt's `manifest.json` of a build (`warehouse/<jurisdiction>/builds/dbt_target/manifest.json`). A model is on
the way when it is made of reported numbers and the table is made of it. Nothing is written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TABLES = ("mart_per_capita_spending", "mart_service_coverage", "mart_equalisation", "figure")
REPORTED = ("observation", "reading")


def reached(start: list[str], edges: dict[str, list[str]]) -> set[str]:
    """Everything that can be reached from these nodes."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        for node in edges.get(waiting.pop(), []):
            if node not in found:
                found.add(node)
                waiting.append(node)
    return found


def way(manifest: dict[str, Any], table: str) -> dict[str, str]:
    """The models on the way to a table: name -> how it is kept (`table`, `view`)."""
    sources = [key for key, source in manifest["sources"].items() if source["name"] in REPORTED]
    end = next(
        key for key, node in manifest["nodes"].items() if node["resource_type"] == "model" and node["name"] == table
    )
    made_of_numbers = reached(sources, manifest["child_map"])
    on_the_way = (reached([end], manifest["parent_map"]) | {end}) & made_of_numbers
    return {manifest["nodes"][key]["name"]: manifest["nodes"][key]["config"]["materialized"] for key in on_the_way}


def main(path: str, tables: list[str]) -> None:
    """Print the models of each table."""
    manifest = json.loads(Path(path).read_text(encoding="utf-8"))
    known = {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    for table in tables or [name for name in TABLES if name in known]:
        models = way(manifest, table)
        stored = sorted(name for name, kept in models.items() if kept not in ("view", "ephemeral"))
        print(f"{table}: {len(models)} models on the way, {len(stored)} of them store rows: {', '.join(stored)}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(__doc__)
        sys.exit(2)
    main(sys.argv[1], sys.argv[2:])
