"""Which published row is meant: a table and `KEY=VALUE`, and what to say when these name no row or many.

What the row is made of is `lineage`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from pipelines.errors import UsageError
from pipelines.figure_keys import main_reading, text_of_key
from pipelines.sql import quote
from pipelines.trace.evidence import Lineage

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


def chosen_table(tables: dict[str, Table], lineage: Lineage, name: str) -> Table:
    """The table of that name. Raises UsageError for one that is not there or whose figures are not computed."""
    traceable = ", ".join(sorted(lineage.tables))
    if name not in tables:
        raise UsageError(f"there is no table {name!r}", where="TABLE", do=f"name one of {traceable}")
    if name not in lineage.tables:
        raise UsageError(
            f"{name} holds nothing that is computed from observations",
            where="TABLE",
            do=f'see it with `junheng query "from {name}"`, or trace one of {traceable}',
        )
    return tables[name]


def the_row(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    pairs: Sequence[str],
    reading: Mapping[str, tuple[str, ...]] | None = None,
) -> None:
    """Lay the one row that is meant as the temporary table `target`.

    An omitted key column means what `reading` says (`figure_keys`), as far as rows with it are there. Raises UsageError
    for a pair that is none, a column that is unknown, a key that fits no row, or one that fits several.
    """
    reading = main_reading({}) if reading is None else reading
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
        listed = ", ".join(f"'{value}'" for value in meant)
        narrower = f"select * from fitting where {quote(column)} in ({listed})"
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
