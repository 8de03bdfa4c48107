"""Measure how the dbt build grows with the number of regions, and write it down in bench/regions.md.

The small invented country of the tests is built once; then its lowest regions, with every observation of theirs, are
laid into schema `source` as often as a number of regions asks for, each copy under a code of its own, and dbt builds
that: one country, two regions in the middle, thousands below. What is the same for any number of regions is what the
country itself takes.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

PROJECT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests"), str(PROJECT / "bench")]

from country import make_country  # noqa: E402
from houses import House  # noqa: E402
from measure import remove  # noqa: E402

from pipelines import transform  # noqa: E402
from pipelines.records import Build  # noqa: E402
from pipelines.store import Warehouse, read_json  # noqa: E402

REGIONS = (100, 1000, 3000)
CODES = ("region_code", "from_code", "to_code", "observation_id")


def lay_copies(built: Path, database: Path, copies: int) -> tuple[int, int]:
    """Schema `source` of a build, its lowest regions `copies` times; the number of regions and of observations."""
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"ATTACH '{built}' AS built (READ_ONLY)")
        connection.execute("CREATE SCHEMA source")
        connection.execute(
            "CREATE TEMP TABLE lowest AS SELECT DISTINCT region_code FROM built.source.region "
            "WHERE region_code NOT IN (SELECT parent_code FROM built.source.region WHERE parent_code IS NOT NULL)"
        )
        tables = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'built' AND schema_name = 'source'"
        ).fetchall()
        for (table,) in tables:
            names = [row[0] for row in connection.execute(f'DESCRIBE built.source."{table}"').fetchall()]
            place = next((name for name in ("region_code", "from_code") if name in names), None)
            if place is None:
                connection.execute(f'CREATE TABLE source."{table}" AS FROM built.source."{table}"')
                continue
            cells = ", ".join(
                f"\"{name}\" || CASE WHEN copy > 0 THEN '~' || copy ELSE '' END AS \"{name}\""
                if name in CODES
                else f'"{name}"'
                for name in names
            )
            connection.execute(
                f'CREATE TABLE source."{table}" AS SELECT {cells} FROM built.source."{table}", '
                f"range({copies}) AS c(copy) WHERE copy = 0 OR {place} IN (FROM lowest)"
            )
        regions = connection.execute("SELECT count(DISTINCT region_code) FROM source.region").fetchall()[0][0]
        observations = connection.execute("SELECT count(*) FROM source.observation").fetchall()[0][0]
    return int(regions), int(observations)


def main() -> None:
    """Build the country once, then its copies, and write bench/regions.md."""
    scratch = Path(tempfile.mkdtemp(prefix="junheng-bench-"))
    rows: list[tuple[int, int, float]] = []
    try:
        house = House(make_country(scratch / "verdania").folder, scratch / "warehouse")
        house.run()
        first = Path(house.warehouse.build_folder(house.manifest()["build_id"])) / "build.duckdb"
        with duckdb.connect(str(first), read_only=True) as connection:
            each, above = connection.execute(
                "SELECT count(DISTINCT region_code), count(DISTINCT parent_code) FROM source.region"
            ).fetchall()[0]
        identity = Build.from_dict(read_json(first.parent / "build.json"))
        for wanted in (each, *REGIONS):
            warehouse = Warehouse(scratch / f"copies{wanted}")
            warehouse.work.mkdir(parents=True)
            making = replace(identity, folder=str(warehouse.work))
            regions, observations = lay_copies(first, making.database, -(-(wanted - above) // (each - above)))
            transform.warm_up(warehouse, house.settings)
            started = time.perf_counter()
            transform._run_dbt(warehouse, making)
            results = read_json(making.dbt_results)
            rows.append((regions, observations, float(results["elapsed_time"])))
            sys.stdout.write(
                f"{regions:,} regions, {observations:,} observations: {time.perf_counter() - started:.1f} s\n"
            )
            remove(warehouse.folder)
    finally:
        remove(scratch)
    base = rows[0][2]
    per_region = [(seconds - base) / regions for regions, _, seconds in rows[1:]]
    lines = [
        "# How the build grows with the number of regions",
        "",
        f"`bench/regions.py` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores, "
        f"Python {platform.python_version()}. Seconds are dbt's own, for all models and tests.",
        "",
        "| regions | observations | dbt build | above the smallest, per 1,000 regions |",
        "|---:|---:|---:|---:|",
        f"| {rows[0][0]:,} | {rows[0][1]:,} | {base:.1f} s | |",
        *(
            f"| {regions:,} | {observations:,} | {seconds:.1f} s | {1000 * cost:.1f} s |"
            for (regions, observations, seconds), cost in zip(rows[1:], per_region, strict=True)
        ),
        "",
        f"From {rows[1][0]:,} to {rows[-1][0]:,} regions ({rows[-1][0] / rows[1][0]:.0f} times as many) the build "
        f"takes {rows[-1][2] / rows[1][2]:.1f} times as long.",
        "",
    ]
    (PROJECT / "bench" / "regions.md").write_text("\n".join(lines), encoding="utf-8")
    sys.stdout.write("\n".join(lines) + "\nwritten to bench/regions.md\n")


if __name__ == "__main__":
    main()
