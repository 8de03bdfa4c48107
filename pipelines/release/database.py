"""The public database: published tables copied from the build under the mask, with keys, comments and dictionary.

It writes into a prepared folder only and takes the build as it is; whether it may be published is settled before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.errors import FaultError
from pipelines.publish import Table
from pipelines.quality import ADDRESS, period_of, region_of, rule_sha256
from pipelines.records import CheckResult, Verdict
from pipelines.sql import attach_build, quote, text_literal

# Clients from 1.4 on can open it; without this, only those as new as ours.
STORAGE_VERSION = "v1.4.0"
# A table begins on a block of its own, and so does each of its indexes: of the usual 256 KiB, small tables and keys
# would leave a tenth of the file empty.
BLOCK_SIZE = 32_768
EXAMPLE_ROWS = 1000
HISTORY_KEPT = 50  # judgements whose results a release carries; the warehouse keeps all
# An index over a key of many texts takes more room and time than the table itself, and a scan of it is as fast.
# Larger tables go without; that their keys are unique is held by a blocking check on the build.
PRIMARY_KEY_ROWS = 1_000
_ZH_EN = "{} / {}"


@dataclass(frozen=True)
class ReleaseLine:
    """One line of `audit_release`."""

    release_id: str
    build_id: str
    prepared_at: str
    as_of: str | None
    state: str
    is_this_release: bool


def connect(build_database: Path, public_database: Path, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """A connection with the build as `build` (read-only) and a fresh public database as `public`.

    A statement runs on one thread; several tables are worked on at once (`side_by_side`), which takes less in all.
    """
    connection = duckdb.connect(config={"memory_limit": memory_limit, "threads": 1})
    connection.execute(attach_build(build_database))
    connection.execute(
        f"attach {text_literal(str(public_database))} as public "
        f"(storage_version {text_literal(STORAGE_VERSION)}, block_size {BLOCK_SIZE})"
    )
    return connection


def side_by_side(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[Table],
    threads: int,
    work: Callable[[duckdb.DuckDBPyConnection, Table], Any],
) -> dict[str, Any]:
    """What `work` gives for each table, by name. Several tables are worked on at once, each on a cursor of its own."""
    with ThreadPoolExecutor(threads) as pool:
        return dict(
            zip((t.name for t in tables), pool.map(lambda table: work(connection.cursor(), table), tables), strict=True)
        )


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    found = connection.execute(f"select count(*) from {relation}").fetchone()
    return int(found[0]) if found else 0


def is_small(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    """Whether a table with the rows of a relation bears a primary key."""
    return _count(connection, relation) <= PRIMARY_KEY_ROWS


def comment_of(zh: str, en: str) -> str:
    """A description in two languages as one comment."""
    return zh if zh == en or not en else _ZH_EN.format(zh, en)


def create(connection: duckdb.DuckDBPyConnection, table: Table, *, with_key: bool = True) -> None:
    """An empty public table with types, not-null constraints, key and comments."""
    lines = [
        f"{quote(column.name)} {column.data_type}{'' if column.is_nullable else ' not null'}"
        for column in table.columns
    ]
    if with_key:
        lines.append(f"primary key ({', '.join(quote(name) for name in table.key)})")
    relation = f"public.{quote(table.name)}"
    comments = [(f"table {relation}", comment_of(table.description_zh, table.description_en))] + [
        (f"column {relation}.{quote(column.name)}", comment_of(column.description_zh, column.description_en))
        for column in table.columns
    ]
    statements = [f"create table {relation} ({', '.join(lines)})"]
    statements += [f"comment on {target} is {text_literal(said)}" for target, said in comments]
    connection.execute("; ".join(statements))


# -- the mask ---------------------------------------------------------------------------------------------------


def read_mask(path: Path, tables: Sequence[Table]) -> dict[str, pl.DataFrame]:
    """The mask by table. FaultError when it names a table, column or key that is not published."""
    mask = pl.read_parquet(path)
    by_name = {table.name: table for table in tables}
    masks: dict[str, pl.DataFrame] = {}
    for (name,), rows in mask.group_by("table_name", maintain_order=True):
        table = by_name.get(str(name))
        if table is None or table.made_by == "release":
            raise _bad_mask(path, f"it hides cells of {name}, which no model publishes")
        for row in rows.iter_rows(named=True):
            key = json.loads(row["key_json"])
            if set(key) != set(table.key) or any(value is None for value in key.values()):
                raise _bad_mask(path, f"the key {row['key_json']} is not a key of {name} ({', '.join(table.key)})")
            if row["column_name"] not in table.column_names or row["column_name"] in table.key:
                raise _bad_mask(path, f"{name} has no column {row['column_name']} that can be hidden")
        masks[table.name] = rows
    return masks


def _bad_mask(path: Path, problem: str) -> FaultError:
    return FaultError(f"the mask does not fit the build: {problem}", where=str(path), do="build again (junheng run)")


def _register_mask(connection: duckdb.DuckDBPyConnection, table: Table, rows: pl.DataFrame) -> list[str]:
    """Lay the mask of one table as a temporary relation, one row per masked row; returns the masked columns."""
    columns = sorted(set(rows["column_name"]))
    merged: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows.iter_rows(named=True):
        key = json.loads(row["key_json"])
        identity = tuple(str(key[name]) for name in table.key)
        line = merged.setdefault(
            identity, {f"key_{n}": value for n, value in enumerate(identity)} | {f"hide_{c}": False for c in columns}
        )
        line[f"hide_{row['column_name']}"] = True
        line["conf_status"] = row["conf_status"]
    frame = pl.DataFrame(list(merged.values()))
    connection.register("mask_rows", frame.to_arrow())
    connection.execute("create or replace temporary table mask as select * from mask_rows")
    connection.unregister("mask_rows")
    return columns


def _masked_select(source: str, table: Table, hidden: Iterable[str]) -> str:
    """The select that copies a relation under the temporary relation `mask`: a hidden cell is never written."""
    hidden = set(hidden)
    selected = []
    for column in table.columns:
        name = quote(column.name)
        if column.name in hidden:
            flag = quote(f"hide_{column.name}")
            expression = f"case when m.{flag} then null else t.{name} end as {name}"
        elif column.name == "obs_status":
            expression = f"case when m.key_0 is not null then 'Q' else t.{name} end as {name}"
        elif column.name == "conf_status":
            expression = f"case when m.key_0 is not null then m.conf_status else t.{name} end as {name}"
        else:
            expression = f"t.{name}"
        selected.append(expression)
    match = " and ".join(f"cast(t.{quote(name)} as varchar) = m.key_{n}" for n, name in enumerate(table.key))
    return f"select {', '.join(selected)} from {source} t left join temp.mask m on {match}"


def copy_table(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    mask: pl.DataFrame | None,
    held_back: dict[str, Any] | None = None,
) -> None:
    """Copy one model's table from the build into the public database, in its order, under the mask.

    A table that is held back is copied as it stands in the attached release `before`, whose own mask it has, and
    under this one too; its comment says so. Raises FaultError when the source lacks the table or a column, when its
    key does not hold, or when the mask hides a cell of the build that is not there: then mask and build do not
    belong together. Nothing of a table that cannot be published is left.
    """
    source = f"{'before' if held_back else 'build'}.main.{quote(table.name)}"
    # One transaction: a write-ahead log that is flushed after every statement would cost more than the data.
    connection.begin()
    try:
        create(connection, table, with_key=is_small(connection, source))
        order = ", ".join(f"t.{quote(name)}" for name in table.order_by)
        if mask is None:
            columns = ", ".join(f"t.{quote(name)}" for name in table.column_names)
            select = f"select {columns} from {source} t"
        else:
            hidden = _register_mask(connection, table, mask)
            match = " and ".join(f"cast(t.{quote(k)} as varchar) = m.key_{n}" for n, k in enumerate(table.key))
            unmatched = _count(connection, f"temp.mask m where not exists (select 1 from {source} t where {match})")
            if unmatched and not held_back:
                raise _bad_mask(Path("mask.parquet"), f"{unmatched} masked rows of {table.name} are not in the build")
            select = _masked_select(source, table, hidden)
        connection.execute(f"insert into public.{quote(table.name)} {select} order by {order}")
        if held_back:
            said = text_literal(_held_back_comment(table, held_back))
            connection.execute(f"comment on table public.{quote(table.name)} is {said}")
        connection.commit()
    except duckdb.Error as error:
        raise FaultError(
            f"the table {table.name} cannot be published: {str(error).splitlines()[0]}",
            where=source,
            do="mend its model or its YAML in dbt_project",
        ) from error


def _held_back_comment(table: Table, held_back: dict[str, Any]) -> str:
    """What a table says of itself when its rows are those of an earlier release."""
    release, checks = held_back["from_release"], ", ".join(held_back["checks"])
    zh = f"【沿用{release}，本次未通过检查：{checks}】{table.description_zh}"
    en = f"[as in {release}: its new rows did not pass {checks}] {table.description_en}"
    return _ZH_EN.format(zh, en)


# -- the tables that release writes itself ------------------------------------------------------------------------


def insert_rows(connection: duckdb.DuckDBPyConnection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Create one of release's own tables and fill it; values are given as text or plain numbers."""
    create(connection, table, with_key=len(rows) <= PRIMARY_KEY_ROWS)
    if not rows:
        return
    texts = pl.DataFrame(
        {name: [None if row.get(name) is None else _plain(row[name]) for row in rows] for name in table.column_names},
        schema=dict.fromkeys(table.column_names, pl.String),
    )
    connection.register("own_rows", texts.to_arrow())
    cells = ", ".join(f"cast({quote(c.name)} as {c.data_type})" for c in table.columns)
    order = ", ".join(str(table.column_names.index(name) + 1) for name in table.order_by)
    connection.execute(f"insert into public.{quote(table.name)} select {cells} from own_rows order by {order}")
    connection.unregister("own_rows")


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def utc(moment: str | None) -> str | None:
    """A UTC moment in ISO 8601 as a plain timestamp."""
    return moment.removesuffix("Z").replace("T", " ") if moment else None


def check_rows(results: list[CheckResult]) -> list[dict[str, Any]]:
    """Rows of `audit_check`."""
    return [
        {
            **{name: (value if value != "" else None) for name, value in result.as_dict().items() if name != "rows"},
            "rule_sha256": rule_sha256(result),
        }
        for result in results
    ]


def check_row_rows(results: list[CheckResult]) -> list[dict[str, Any]]:
    """Rows of `audit_check_row`: every failing row that was kept, with its place and what it says."""
    rows = []
    for result in results:
        for number, row in enumerate(result.rows, start=1):
            details = {name: value for name, value in row.items() if name not in (*ADDRESS, "provenance")}
            rows.append(
                {
                    "check_id": result.check_id,
                    "row_number": number,
                    **{name: row.get(name) for name in ADDRESS},
                    "region_code": region_of(row),
                    "period": period_of(row),
                    "provenance": row.get("provenance"),
                    "details": ", ".join(f"{name}={value}" for name, value in details.items()),
                }
            )
    return rows


def history_rows(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `audit_check_history`, of the newest judgements."""
    kept = set(sorted({line["judged_at"] for line in lines})[-HISTORY_KEPT:])
    rows = {
        (line["check_id"], line["judged_at"]): {
            **line,
            "judged_at": utc(line["judged_at"]),
            "expected": line["threshold"],
            "rule_sha256": line["rule_sha256"] or None,
        }
        for line in lines
        if line["judged_at"] in kept
    }
    return list(rows.values())


def verdict_rows(verdict: Verdict) -> list[dict[str, Any]]:
    """The row of `audit_verdict`."""
    row = verdict.as_dict()
    return [
        {
            **row,
            "judged_at": utc(verdict.judged_at),
            "valid_until": utc(verdict.valid_until),
            "mask_sha256": verdict.mask_sha256 or None,
        }
    ]


def waiver_rows(verdict: Verdict) -> list[dict[str, Any]]:
    """Rows of `audit_waiver`."""
    return [
        {
            **waiver,
            "valid_from": waiver["from"],
            "valid_until": waiver["until"],
            "regions": ";".join(waiver["regions"]) or None,
            "periods": ";".join(waiver["periods"]) or None,
        }
        for waiver in verdict.waivers
    ]


def release_rows(lines: list[ReleaseLine]) -> list[dict[str, Any]]:
    """Rows of `audit_release`."""
    return [{**line.__dict__, "prepared_at": utc(line.prepared_at)} for line in lines]


def _examples(connection: duckdb.DuckDBPyConnection, table: Table) -> dict[str, str]:
    """For every column the first value, in the order in which the table lies, that is not null."""
    texts = ", ".join(f"cast({quote(name)} as varchar)" for name in table.column_names)
    rows = connection.execute(f"select {texts} from public.{quote(table.name)} limit {EXAMPLE_ROWS}").fetchall()
    examples = {}
    for position, name in enumerate(table.column_names):
        value = next((row[position] for row in rows if row[position] is not None), None)
        if value is None:
            found = connection.execute(
                f"select min(cast({quote(name)} as varchar)) from public.{quote(table.name)}"
            ).fetchone()
            value = found[0] if found else None
        if value is not None:
            examples[name] = value[:200]
    return examples


def write_dictionary(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[Table],
    held_back: dict[str, dict[str, Any]],
    waived: dict[str, list[str]],
) -> None:
    """Fill `meta_table` and `meta_column` from the list of published tables and what the tables hold.

    `held_back` are the tables that stand as in an earlier release, `waived` the waived checks by table.
    """
    by_name = {table.name: table for table in tables}
    counts: dict[str, int] = {}
    column_rows: list[dict[str, Any]] = []
    for table in tables:
        is_dictionary = table.name in ("meta_table", "meta_column")
        if not is_dictionary:
            counts[table.name] = _count(connection, f"public.{quote(table.name)}")
        examples = {} if is_dictionary else _examples(connection, table)
        for position, column in enumerate(table.columns, start=1):
            column_rows.append(
                {
                    "table_name": table.name,
                    "column_name": column.name,
                    "position": position,
                    "data_type": column.data_type,
                    "unit": column.unit or None,
                    "description_zh": column.description_zh,
                    "description_en": column.description_en,
                    "is_key": column.name in table.key,
                    "example": examples.get(column.name),
                }
            )
    counts |= {"meta_table": len(tables), "meta_column": len(column_rows)}
    table_rows = [
        {
            "table_name": table.name,
            "description_zh": table.description_zh,
            "description_en": table.description_en,
            "key_columns": ";".join(table.key),
            "row_count": counts[table.name],
            "column_count": len(table.columns),
            "made_by": table.made_by,
            "version": table.version,
            "carried_over_from": held_back.get(table.name, {}).get("from_release"),
            "held_back_by": ";".join(held_back.get(table.name, {}).get("checks", [])) or None,
            "waived_checks": ";".join(waived.get(table.name, [])) or None,
        }
        for table in tables
    ]
    insert_rows(connection, by_name["meta_table"], table_rows)
    insert_rows(connection, by_name["meta_column"], column_rows)
