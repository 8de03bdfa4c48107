"""Measure the questions of recipes.yml on a release and on a copy of it in memory; write bench/queries.md.

Each time is the median of many runs in one process with the database open, as an analyst's session has it; the first
run, which reads from disk, is given beside it.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from pathlib import Path

import duckdb

from pipelines.jurisdiction import load
from pipelines.settings import PROJECT_FOLDER

RUNS = 21
AT_MOST_MS, AT_MOST_TIMES = 50, 2


def times(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[float, float, int]:
    """First run and median of the others, in milliseconds, and the number of rows."""
    measured = []
    for _ in range(RUNS):
        start = time.perf_counter()
        rows = connection.execute(sql).fetchall()
        measured.append(1000 * (time.perf_counter() - start))
    return measured[0], statistics.median(measured[1:]), len(rows)


def in_memory(path: Path) -> duckdb.DuckDBPyConnection:
    """A copy of all tables of a release in memory."""
    connection = duckdb.connect()
    connection.execute(f"attach '{path}' as release (read_only)")
    for (name,) in connection.execute("select table_name from release.meta_table").fetchall():
        connection.execute(f'create table "{name}" as from release."{name}"')
    return connection


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", type=Path, default=PROJECT_FOLDER / "warehouse" / "zhejiang" / "current")
    parser.add_argument("--out", type=Path, default=PROJECT_FOLDER / "bench" / "queries.md")
    options = parser.parse_args()
    path = options.release.resolve() / "public.duckdb"
    if not path.exists():
        raise SystemExit(f"there is no release at {options.release}: make run")
    copy, lines, slow = in_memory(path), [], []
    with duckdb.connect(str(path), read_only=True) as release:
        for recipe in load(PROJECT_FOLDER / "raw" / "zhejiang").recipes:
            first, usual, rows = times(release, recipe.sql)
            _, memory, _ = times(copy, recipe.sql)
            lines.append(
                f"| {recipe.name} | {rows} | {first:.1f} | {usual:.1f} | {memory:.1f} | {usual / memory:.2f} |"
            )
            if usual > AT_MOST_MS or usual > AT_MOST_TIMES * memory:
                slow.append(recipe.name)
    verdict = f"Over the limits: {', '.join(slow)}." if slow else "All are within both limits."
    options.out.write_text(
        f"""# Questions of an analyst, on a release

Written by `make bench` (`bench/queries.py`); DuckDB {duckdb.__version__}, Python {platform.python_version()}.
Milliseconds, median of {RUNS - 1} runs. Wanted are at most {AT_MOST_MS} ms on a release, and at most {AT_MOST_TIMES}
times the same query on a copy in memory. {verdict}

| question | rows | first run | release | in memory | times |
|---|---|---|---|---|---|
"""
        + "\n".join(lines)
        + "\n",
        encoding="utf-8",
    )
    print(options.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
