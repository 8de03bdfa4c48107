"""The way from a reported number to a published table: the dbt models on it, and where rows with the number are stored.

    python bench/way_of_a_cell.py MANIFEST [TABLE...]
    python bench/way_of_a_cell.py FOLDER --number N

MANIFEST is dbt's `manifest.json` of a build (`warehouse/<jurisdiction>/builds/dbt_target/manifest.json`). A model is on
the way when it is made of reported numbers and the table is made of it.
FOLDER is a build (`builds/<id>`) or a release: its tables and Parquet files that have rows with the number N, such as
what one county spent on education, are listed. Take a number that nothing else happens to be. Nothing is written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import duckdb

TABLES = ("mart_per_capita_spending", "mart_service_coverage", "mart_equalisation", "figure")
REPORTED = ("observation", "reading")
NUMERIC = ("DECIMAL", "DOUBLE", "INTEGER", "BIGINT")


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


def copies(folder: Path, number: str) -> dict[str, int]:
    """The tables and Parquet files of a build or release that have rows with a number: name -> rows."""
    found = {}
    with duckdb.connect() as connection:
        for database in folder.glob("*.duckdb"):
            connection.execute(f"attach '{database}' as {database.stem} (read_only)")
        stored = [
            (f"{schema}.{table}", f'"{database}"."{schema}"."{table}"')
            for database, schema, table in connection.execute(
                "select database_name, schema_name, table_name from duckdb_tables() where not internal"
            ).fetchall()
        ] + [(str(file.relative_to(folder)), f"'{file}'") for file in sorted(folder.rglob("*.parquet"))]
        for name, relation in stored:
            columns = connection.execute(f"select column_name, column_type from (describe from {relation})").fetchall()
            numeric = [f'"{column}" = {number}' for column, kind in columns if kind.startswith(NUMERIC)]
            [(rows,)] = connection.execute(
                f"select count(*) from {relation} where {' or '.join(numeric) or 'false'}"
            ).fetchall()
            if rows:
                found[name] = int(rows)
    return found


def print_copies(folder: Path, number: str) -> None:
    """Print where a number is stored."""
    found = copies(folder, number)
    print(f"{number} stands in {len(found)} tables and files, in {sum(found.values())} rows")
    for name, rows in sorted(found.items()):
        print(f"   {name}: {rows}")


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
    if sys.argv[2:3] == ["--number"]:
        print_copies(Path(sys.argv[1]), sys.argv[3])
    else:
        main(sys.argv[1], sys.argv[2:])
