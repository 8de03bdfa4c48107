"""`junheng query`: one SQL statement on a sealed release, read-only, in the form asked for."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from pipelines.errors import UsageError

FORMATS = ("table", "csv", "json", "parquet")


def ask(
    folder: Path, sql: str, output: str, limit: int, table: Callable[[list[dict[str, Any]], list[str]], str]
) -> None:
    """Print the answer of a statement.

    Raises UsageError for SQL that DuckDB refuses, with its own words.
    """
    if output not in FORMATS:
        raise UsageError(f"there is no format {output!r}", where="--format", do=f"use one of {', '.join(FORMATS)}")
    if output == "parquet" and sys.stdout.isatty():
        raise UsageError(
            "Parquet is not for a terminal",
            where="--format parquet",
            do="send it to a file: … > file.parquet",
        )
    connection = duckdb.connect(str(folder / "public.duckdb"), read_only=True)
    # A release answers questions; it does not read or write anything else on the machine.
    connection.execute("SET enable_external_access = false")
    try:
        relation = connection.execute(sql)
        columns = [c[0] for c in relation.description or []]
        if output == "parquet":
            import pyarrow.parquet as parquet

            parquet.write_table(relation.to_arrow_table(), sys.stdout.buffer)
            return
        rows = relation.fetchall()
    except duckdb.Error as error:
        raise UsageError(
            str(error).split("\n")[0],
            where=f"release {folder.name}",
            do='ask `junheng query "from meta_table"` which tables there are',
        ) from error
    finally:
        connection.close()
    if output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    elif output == "json":
        payload = [dict(zip(columns, row, strict=True)) for row in rows]
        sys.stdout.write(json.dumps(payload, ensure_ascii=False, indent=1, default=_plain) + "\n")
    else:
        shown = [dict(zip(columns, row, strict=True)) for row in rows[:limit]]
        sys.stdout.write((table(shown, columns) if rows else "(no rows)") + "\n")
        if len(rows) > limit:
            sys.stdout.write(f"… {len(rows) - limit:,} more rows; --limit shows more\n")


def _plain(value: Any) -> Any:
    """Decimals as numbers in full, everything else as text."""
    from decimal import Decimal

    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)
