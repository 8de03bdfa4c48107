"""Which published row is meant: a table and `KEY=VALUE`, and what to say when these name no row or many.

What the row is made of is `walking`'s.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from pipelines.errors import UsageError
from pipelines.sql import quote

# What an omitted key column means, beside what `main_reading` adds. In this order they are supposed.
WHOLE = {
    "variant": "main",
    "breakdown": "all",
    "residence": "total",
    "sex": "all",
    "age_group": "all",
    "group": "all",
}
NUMBERS = ("DECIMAL", "DOUBLE", "FLOAT", "INTEGER", "BIGINT", "SMALLINT", "HUGEINT")
SHOWN = 12


@dataclass(frozen=True)
class Table:
    """A published table: its key and its columns with their types."""

    name: str
    key: list[str]
    columns: dict[str, str]

    @property
    def numbers(self) -> list[str]:
        """The numeric columns that are figures: not those of the key."""
        return [name for name, kind in self.columns.items() if kind.startswith(NUMBERS) and name not in self.key]


def tables_of(connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> dict[str, Table]:
    """The published tables of a release, their columns in order."""
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where database_name = 'public' "
        "order by table_name, column_index"
    ).fetchall():
        columns.setdefault(table, {})[column] = kind
    return {name: Table(name, list(said["key"]), columns[name]) for name, said in manifest["tables"].items()}


def main_reading(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What an omitted key column means in a release: everybody, and the choices of its variant `main`."""
    found = connection.execute(
        "select boundaries, population_basis, population_source from public.main.dim_variant where variant = 'main'"
    ).fetchone()
    columns = ("reference_geography", "population_basis", "population_source")
    return dict(zip(columns, found, strict=True)) | WHOLE if found else dict(WHOLE)


def trace_command(table: str, key: Mapping[str, Any], reading: Mapping[str, str]) -> str:
    """The command line that traces one row: `junheng trace TABLE KEY=VALUE...`.

    Columns that hold what an omitted one would mean in `reading` are left out; a value is quoted for a shell.
    """
    parts = [
        shlex.quote(f"{column}={text}")
        for column, value in key.items()
        if (text := text_of_key(value)) and text != reading.get(column)
    ]
    return " ".join(["junheng trace", table, *parts])


def text_of_key(value: Any) -> str:
    """A key's value as a person writes it; empty for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else str(value)


def chosen_table(
    tables: dict[str, Table], traceable: Sequence[str], made_of: Mapping[str, Mapping[str, str]], name: str
) -> Table:
    """The table of that name. Raises UsageError for one that is not there or shows no figure.

    `made_of` says of tables that show none what they are made of and which table to trace instead.
    """
    listed = ", ".join(sorted(traceable))
    if name not in tables:
        raise UsageError(f"there is no table {name!r}", where="TABLE", do=f"name one of {listed}")
    if name in made_of:
        raise UsageError(
            f"{name} shows no figure that has terms of its own: it is made of {made_of[name]['what']}",
            where="TABLE",
            do=f"trace these in {made_of[name]['trace']}",
        )
    if name not in traceable:
        raise UsageError(
            f"{name} shows no figure that has terms of its own: it describes, counts or compares",
            where="TABLE",
            do=f"trace the figures that it is about, in one of {listed}",
        )
    return tables[name]


def the_row(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    pairs: Sequence[str],
    reading: Mapping[str, str],
) -> None:
    """Lay the one row that is meant as the temporary table `target`.

    An omitted key column means what `reading` says, as far as rows with it are there. Raises UsageError
    for a pair that is none, a column that is unknown, a key that fits no row, or one that fits several.
    """
    asked = _asked(table, pairs)
    relation = f"public.main.{quote(table.name)}"
    connection.execute(f"create or replace temporary table fitting as from {relation} limit 0")
    conditions: list[str] = []
    values: list[str] = []
    for column, value in asked.items():
        conditions.append(f"cast({quote(column)} as varchar) = ?")
        values.append(value)
    where = " and ".join(conditions) or "true"
    connection.execute(f"create or replace temporary table fitting as select * from {relation} where {where}", values)
    if not _count(connection):
        raise _no_row(connection, relation, table, asked)
    # What an omitted key means never chooses a region, a year or a subject.
    if open_columns := _several(connection, [c for c in table.key if c not in reading]):
        raise _many_rows(connection, table, open_columns)
    for column, meant in reading.items():
        if column not in table.key or column in asked:
            continue
        narrower = f"select * from fitting where {quote(column)} = '{meant}'"
        found = connection.execute(f"select count(*) from ({narrower})").fetchone()
        if found and found[0]:
            connection.execute(f"create or replace temporary table narrower as {narrower}")
            connection.execute("create or replace temporary table fitting as from narrower")
    if open_columns := _several(connection, table.key):
        raise _many_rows(connection, table, open_columns)
    connection.execute("create or replace temporary table target as from fitting")


def _asked(table: Table, pairs: Sequence[str]) -> dict[str, str]:
    asked: dict[str, str] = {}
    for pair in pairs:
        column, is_pair, value = pair.partition("=")
        if not is_pair or not column:
            raise UsageError(
                f"{pair!r} is not KEY=VALUE", where=table.name, do=f"the key of {table.name} is {', '.join(table.key)}"
            )
        if column not in table.columns:
            raise UsageError(
                f"{table.name} has no column {column!r}",
                where=pair,
                do=f"its key is {', '.join(table.key)}",
            )
        asked[column] = value
    return asked


def _count(connection: duckdb.DuckDBPyConnection) -> int:
    found = connection.execute("select count(*) from fitting").fetchone()
    return int(found[0]) if found else 0


def _no_row(connection: duckdb.DuckDBPyConnection, relation: str, table: Table, asked: dict[str, str]) -> UsageError:
    """The first of the columns asked for that leaves nothing, and the values that are there beside the ones before."""
    where, values = "true", list[str]()
    for column, value in asked.items():
        narrower = f"{where} and cast({quote(column)} as varchar) = ?"
        found = connection.execute(f"select count(*) from {relation} where {narrower}", [*values, value]).fetchone()
        if not (found and found[0]):
            there = connection.execute(
                f"select distinct cast({quote(column)} as varchar) from {relation} where {where} order by 1", values
            ).fetchall()
            before = " ".join(f"{c}={v}" for c, v in list(asked.items())[: list(asked).index(column)])
            return UsageError(
                f"{table.name} has no row with {column}={value}{' and ' + before if before else ''}",
                where=f"{table.name}, column {column}",
                do=f"there are: {_listed([text_of_key(v) for (v,) in there])}",
            )
        where, values = narrower, [*values, value]
    return UsageError(f"{table.name} is empty in this release", where=table.name, do="trace another table")


def _several(connection: duckdb.DuckDBPyConnection, columns: list[str]) -> dict[str, list[str]]:
    """The columns of which the fitting rows have several values, with these."""
    found = {}
    for column in columns:
        values = connection.execute(
            f"select distinct cast({quote(column)} as varchar) from fitting order by 1"
        ).fetchall()
        if len(values) > 1:
            found[column] = [text_of_key(value) for (value,) in values]
    return found


def _many_rows(connection: duckdb.DuckDBPyConnection, table: Table, open_columns: dict[str, list[str]]) -> UsageError:
    lines = [f"{column}={_listed(values, ' | ')}" for column, values in open_columns.items()]
    return UsageError(
        f"{_count(connection):,} rows of {table.name} fit",
        where=table.name,
        do="say more of the key: " + "; ".join(lines),
    )


def _listed(values: list[str], between: str = ", ") -> str:
    more = f"{between}… {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return between.join(values[:SHOWN]) + more
