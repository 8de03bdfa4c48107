"""What changed between two releases: rows added, removed and revised per table, by key, each with its causes.

It compares two databases attached as `before` and `public`, whoever made them: a release against the one before,
any release against any other, one method against another on the same data. Why is `causes`' word.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import duckdb

from pipelines.publish import Table, listed_tables
from pipelines.release.causes import Causes
from pipelines.sql import quote, text_literal

EXAMPLES = 20
KINDS = ("added", "removed", "revised")
# Under which reading a figure was taken, and from which cell of which delivery, says something of contract, reader
# and file; a figure that was sent again is not revised by it.
NOT_A_REVISION = frozenset({"reading_id", "observation_id"})
# The hash of what a figure was computed from is evidence of its own release: a file sent again with one other cell
# gives thousands of figures another hash and the same number. It is neither compared nor carried on.
OF_ONE_RELEASE = frozenset({"input_hash"})


class Record(Protocol):
    """Who is told of every difference as it is found (`history.Recorder`)."""

    def whole(self, table: Table, kind: str, column: str = "*") -> None:
        """A table or column that came, or came to be something else."""

    def rows(self, table: Table, columns: Sequence[str]) -> None:
        """The rows of the temporary relation `changed`, with these columns' `before_` and `after_` beside the key."""


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
    connection: duckdb.DuckDBPyConnection, table: Table, kind: str, compared: list[str], limit: int | None
) -> list[dict[str, Any]]:
    key = ", ".join(f"cast({quote(f'key_{name}')} as varchar)" for name in table.key)
    cells = "".join(
        f", cast({quote(f'before_{c}')} as varchar), cast({quote(f'after_{c}')} as varchar)" for c in compared
    )
    order = ", ".join(quote(f"key_{name}") for name in table.key)
    cursor = connection.execute(
        f"select causes, provenance, {key}{cells} from changed where kind = '{kind}' order by {order}"
        + (f" limit {limit}" if limit is not None else "")
    )
    examples = []
    first = 2 + len(table.key)
    for causes, provenance, *row in cursor.fetchall():
        example: dict[str, Any] = {"key": dict(zip(table.key, row[: first - 2], strict=True))}
        if kind == "revised":
            pairs = list(zip(row[first - 2 :: 2], row[first - 1 :: 2], strict=True))
            example["columns"] = {
                column: {"before": before, "after": after}
                for column, (before, after) in zip(compared, pairs, strict=True)
                if before != after
            }
        if provenance is not None:
            example["provenance"] = provenance
        example["causes"] = causes
        examples.append(example)
    return examples


def _compare(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    causes: Causes,
    limit: int | None,
    recorder: Record | None,
    key_before: Sequence[str],
) -> dict[str, Any]:
    """One table of the attached databases `before` and `public`."""
    name = quote(table.name)
    old, new = _columns(connection, "before", table.name), _columns(connection, "public", table.name)
    rows = _count(connection, f"public.{name}")
    nothing: dict[str, Any] = {"added": rows, "removed": 0, "revised": 0, "rows": rows}
    if not old:
        if recorder:
            recorder.whole(table, "table_added")
        return {**nothing, "is_new": True, "causes": _whole(causes, table, rows)}
    said = {
        "columns_added": [c for c in new if c not in old],
        "columns_removed": [c for c in old if c not in new],
    }
    if not set(table.key) <= set(old):
        # Rows of different keys cannot be told to be the same.
        removed = _count(connection, f"before.{name}")
        if recorder:
            recorder.whole(table, "shape_changed")
        return {
            **nothing, "removed": removed, "key_changed": True, **said, "causes": _whole(causes, table, rows + removed)
        }  # fmt: skip
    cells = [c for c in table.column_names if c in old and c not in table.key and c not in OF_ONE_RELEASE]
    compared = [c for c in cells if c not in NOT_A_REVISION]
    # What is no revision is in the history alone, which must give back every release as it was.
    silent = [c for c in cells if c in NOT_A_REVISION] if recorder else []
    pairs = [
        (f"b.{quote(c)}", f"a.{quote(c)}")
        if old[c] == new[c]
        else (f"cast(b.{quote(c)} as varchar)", f"cast(a.{quote(c)} as varchar)")
        for c in [*compared, *silent]
    ]
    differences = [f"{b} is distinct from {a}" for b, a in pairs]
    revised = " or ".join(differences[: len(compared)]) or "false"
    differs = " or ".join(differences) or "false"
    match = " and ".join(f"b.{quote(k)} = a.{quote(k)}" for k in table.key)
    first = quote(table.key[0])
    selected = [f"coalesce(a.{quote(k)}, b.{quote(k)}) as {quote(f'key_{k}')}" for k in table.key]
    for column, (before, after) in zip([*compared, *silent], pairs, strict=True):
        selected += [f"{before} as {quote(f'before_{column}')}", f"{after} as {quote(f'after_{column}')}"]
    shared = [c for c in new if c in old]
    provenance = "coalesce(a.provenance, b.provenance)" if "provenance" in shared else "cast(null as varchar)"
    why, join = causes.sql(table, shared)
    connection.execute(
        f"create or replace temporary table changed as select {', '.join(selected)}, {provenance} as provenance, "
        f"{why} as causes, "
        f"case when b.{first} is null then 'added' when a.{first} is null then 'removed' "
        f"when {revised} then 'revised' else 'reread' end as kind "
        f"from before.{name} b full outer join public.{name} a on {match} {join} "
        f"where b.{first} is null or a.{first} is null or {differs}"
    )
    counts = dict(connection.execute("select kind, count(*) from changed group by kind").fetchall())
    by_cause = connection.execute(
        "select cause, count(*) from (select unnest(causes) as cause from changed where kind <> 'reread') "
        "group by cause order by cause"
    ).fetchall()
    result = {
        **{kind: int(counts.get(kind, 0)) for kind in KINDS},
        "rows": rows,
        **said,
        "causes": {str(cause): int(count) for cause, count in by_cause},
        "examples": {kind: _examples(connection, table, kind, compared, limit) for kind in KINDS if counts.get(kind)},
    }
    if recorder:
        for column in said["columns_added"]:
            recorder.whole(table, "column_added", column)
        if tuple(key_before) != table.key or any(old[c] != new[c] for c in (*table.key, *cells)):
            recorder.whole(table, "shape_changed")
        else:
            recorder.rows(table, [*compared, *silent])
    connection.execute("drop table changed")
    return result


def _whole(causes: Causes, table: Table, rows: int) -> dict[str, int]:
    """The causes of a table that is new or keyed otherwise: all that stand behind it, for every row."""
    return dict.fromkeys(causes.of_table(table.name), rows)


def compare(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[Table],
    before: dict[str, Any] | None,
    after: dict[str, Any],
    *,
    limit: int | None = EXAMPLES,
    recorder: Record | None = None,
) -> dict[str, Any]:
    """Changes of every model's table between the attached databases `before` and `public`.

    `before` and `after` are the manifests of both, as far as they are made; `before` is None when there is nothing
    to compare with. `tables` are those of `public`. At most `limit` rows of a kind are shown by key, all when it is
    None; a `recorder` is told of each. Tables of equal content hash are equal and not compared again; tables that
    `release` writes change with every run and are left out.
    """
    if before is None:
        return {"against": None, "tables": {}}
    causes = Causes(before, after)
    known, now = before.get("tables", {}), after.get("tables", {})
    compared: dict[str, Any] = {}
    is_laid = False
    for table in (t for t in tables if t.made_by == "dbt"):
        earlier = known.get(table.name, {})
        if earlier and earlier["content_sha256"] == now.get(table.name, {}).get("content_sha256"):
            compared[table.name] = {"added": 0, "removed": 0, "revised": 0, "rows": earlier["rows"]}
            if recorder and tuple(earlier["key"]) != table.key:
                recorder.whole(table, "shape_changed")
            continue
        if not is_laid:
            causes.lay(connection)
            is_laid = True
        compared[table.name] = _compare(connection, table, causes, limit, recorder, earlier.get("key", ()))
    names = {table.name for table in tables}
    return {
        "against": before["release_id"],
        "inputs": causes.as_list(),
        "tables": compared,
        "tables_removed": sorted(name for name in known if name not in names),
    }


def compare_files(
    before: Path, after: Path, old: dict[str, Any], new: dict[str, Any], *, limit: int | None = EXAMPLES
) -> dict[str, Any]:
    """Changes between two public databases on disk, `old` and `new` their manifests."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {text_literal(str(before))} as before (read_only)")
        connection.execute(f"attach {text_literal(str(after))} as public (read_only)")
        return compare(connection, listed_tables(new), old, new, limit=limit)
