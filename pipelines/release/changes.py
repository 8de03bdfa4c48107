"""What changed against the release before: rows added, removed and revised per table, with examples by key.

It compares two released databases; why a figure changed is not said here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from pipelines.exports import PublishedTable, quote

EXAMPLES = 20
# Under which reading a figure was taken says something of contract and reader; the figure is not revised by it.
NOT_A_REVISION = frozenset({"reading_id"})


def _columns(connection: duckdb.DuckDBPyConnection, catalog: str, table: str) -> dict[str, str]:
    rows = connection.execute(
        "select column_name, data_type from duckdb_columns() where database_name = ? and table_name = ?",
        [catalog, table],
    ).fetchall()
    return {str(name): str(kind) for name, kind in rows}


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"select count(*) from {relation}").fetchone()
    return int(row[0]) if row else 0


def _examples(
    connection: duckdb.DuckDBPyConnection, table: PublishedTable, kind: str, compared: list[str]
) -> list[dict[str, Any]]:
    key = ", ".join(f"cast({quote(f'key_{name}')} as varchar)" for name in table.key)
    cells = "".join(
        f", cast({quote(f'before_{c}')} as varchar), cast({quote(f'after_{c}')} as varchar)" for c in compared
    )
    order = ", ".join(quote(f"key_{name}") for name in table.key)
    rows = connection.execute(
        f"select {key}{cells} from changed where kind = '{kind}' order by {order} limit {EXAMPLES}"
    ).fetchall()
    examples = []
    for row in rows:
        example: dict[str, Any] = {"key": dict(zip(table.key, row[: len(table.key)], strict=True))}
        if kind == "revised":
            pairs = list(zip(row[len(table.key) :: 2], row[len(table.key) + 1 :: 2], strict=True))
            example["columns"] = {
                column: {"before": before, "after": after}
                for column, (before, after) in zip(compared, pairs, strict=True)
                if before != after
            }
        examples.append(example)
    return examples


def _compare(connection: duckdb.DuckDBPyConnection, table: PublishedTable) -> dict[str, Any]:
    """One table of the attached databases `before` and `public`."""
    name = quote(table.name)
    old, new = _columns(connection, "before", table.name), _columns(connection, "public", table.name)
    rows = _count(connection, f"public.{name}")
    nothing: dict[str, Any] = {"added": rows, "removed": 0, "revised": 0, "rows": rows}
    if not old:
        return {**nothing, "is_new": True}
    said = {
        "columns_added": [c for c in new if c not in old],
        "columns_removed": [c for c in old if c not in new],
    }
    if not set(table.key) <= set(old):
        # Rows of different keys cannot be told to be the same.
        return {**nothing, "removed": _count(connection, f"before.{name}"), "key_changed": True, **said}
    compared = [c for c in table.column_names if c in old and c not in table.key and c not in NOT_A_REVISION]
    pairs = [
        (f"b.{quote(c)}", f"a.{quote(c)}")
        if old[c] == new[c]
        else (f"cast(b.{quote(c)} as varchar)", f"cast(a.{quote(c)} as varchar)")
        for c in compared
    ]
    differs = " or ".join(f"{b} is distinct from {a}" for b, a in pairs) or "false"
    match = " and ".join(f"b.{quote(k)} = a.{quote(k)}" for k in table.key)
    first = quote(table.key[0])
    selected = [f"coalesce(a.{quote(k)}, b.{quote(k)}) as {quote(f'key_{k}')}" for k in table.key]
    for column, (before, after) in zip(compared, pairs, strict=True):
        selected += [f"{before} as {quote(f'before_{column}')}", f"{after} as {quote(f'after_{column}')}"]
    connection.execute(
        f"create or replace temporary table changed as select {', '.join(selected)}, "
        f"case when b.{first} is null then 'added' when a.{first} is null then 'removed' else 'revised' end as kind "
        f"from before.{name} b full outer join public.{name} a on {match} "
        f"where b.{first} is null or a.{first} is null or {differs}"
    )
    counts = dict(connection.execute("select kind, count(*) from changed group by kind").fetchall())
    kinds = ("added", "removed", "revised")
    result = {
        **{kind: int(counts.get(kind, 0)) for kind in kinds},
        "rows": rows,
        **said,
        "examples": {kind: _examples(connection, table, kind, compared) for kind in kinds if counts.get(kind)},
    }
    connection.execute("drop table changed")
    return result


def compare(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[PublishedTable],
    hashes: dict[str, str],
    before: dict[str, Any] | None,
) -> dict[str, Any]:
    """Changes of every model's table between the attached databases `before` and `public`.

    `before` is the manifest of the release before, None when there is none; tables of equal content hash are
    equal and not compared again. Tables that `release` writes change with every run and are left out.
    """
    if before is None:
        return {"against": None, "tables": {}}
    known = before.get("tables", {})
    compared: dict[str, Any] = {}
    published = [table for table in tables if table.made_by == "dbt"]
    for table in published:
        earlier = known.get(table.name, {})
        if earlier.get("content_sha256") == hashes.get(table.name):
            compared[table.name] = {"added": 0, "removed": 0, "revised": 0, "rows": earlier["rows"]}
        else:
            compared[table.name] = _compare(connection, table)
    names = {table.name for table in tables}
    return {
        "against": before["release_id"],
        "tables": compared,
        "tables_removed": sorted(name for name in known if name not in names),
    }
