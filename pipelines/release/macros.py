"""What a release's database holds beside tables: views by version, and macros that ask what stood on a given day.

Both are SQL stored in the file, so that every client has them. `<table>_v<version>` names the columns of one version
of a contract: a query that must not meet another one asks it. `<table>_as_of(moment)` undoes `publication_history`
back to the release that was current then. Which rows that table holds is `history`'s business.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from pipelines.errors import FaultError
from pipelines.publish import Table
from pipelines.release.database import comment_of
from pipelines.release.history import WHOLE, key_cell
from pipelines.sql import quote, text_literal

_NOT_KEPT = (
    "'release ' || point.release_id || ' was current then, and its figures are not in this history (' || point.note "
    "|| '): see its own folder'"
)


def write(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> None:
    """Create views and macros for every model's table of the attached database `public`.

    Names in them stand alone, so that they hold under whatever name the file is opened. Raises FaultError for an
    earlier version whose SQL does not run.
    """
    modelled = [table for table in tables if table.made_by == "dbt"]
    connection.execute("use public")
    try:
        for table in modelled:
            _view(connection, table)
            connection.execute(_macro(connection, table))
            zh = f"某一时刻（协调世界时）公布的{table.description_zh}"
            en = f"What was published at a moment (UTC) as {table.name}"
            connection.execute(
                f"comment on macro table {quote(table.name + '_as_of')} is {text_literal(comment_of(zh, en))}"
            )
    finally:
        connection.execute("use memory")


# -- views by version ---------------------------------------------------------------------------------------------


def _view(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    columns = ", ".join(quote(name) for name in table.column_names)
    _create_view(connection, table, table.version, f"select {columns} from {quote(table.name)}", "", "")
    for earlier in table.earlier:
        zh, en = f"旧版，至{earlier.until}：", f"an earlier version, kept until {earlier.until}: "
        _create_view(connection, table, earlier.version, earlier.sql, zh, en)


def view_name(table: str, version: str) -> str:
    """The name of the view on one version of a table: only its first number can break a query."""
    return f"{table}_v{version.split('.')[0]}"


def _create_view(connection: duckdb.DuckDBPyConnection, table: Table, version: str, sql: str, zh: str, en: str) -> None:
    name = view_name(table.name, version)
    try:
        connection.execute(f"create view {quote(name)} as {sql}")
    except duckdb.Error as error:
        raise FaultError(
            f"version {version} of {table.name} cannot be made: {str(error).splitlines()[0]}",
            where=table.name,
            do="mend `earlier` in the meta of its model, or take it out when its time is over",
        ) from error
    comments = [(f"view {quote(name)}", comment_of(zh + table.description_zh, en + table.description_en))]
    described = {column.name: column for column in table.columns}
    for (column,) in connection.execute(
        "select column_name from duckdb_columns() where database_name = 'public' and table_name = ?", [name]
    ).fetchall():
        if said := described.get(column):
            target = f"column {quote(name)}.{quote(column)}"
            comments.append((target, comment_of(said.description_zh, said.description_en)))
    connection.execute("; ".join(f"comment on {target} is {text_literal(said)}" for target, said in comments))


# -- as of --------------------------------------------------------------------------------------------------------


def _macro(connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    """The macro of one table; what its history does not hold is not asked for."""
    seen = connection.execute(
        "select column_name, change_kind, row_key = ? as is_whole, max(step) from publication_history "
        "where table_name = ? group by all order by 4",
        [WHOLE, table.name],
    ).fetchall()
    came = {str(column): (str(kind), int(step)) for column, kind, is_whole, step in seen if is_whole}
    touched = {str(column) for column, _, is_whole, _ in seen if not is_whole}
    conditions = [
        "point.release_id is not null",
        f"case when point.is_kept then true else error({_NOT_KEPT}) end",
    ]
    if WHOLE in came:
        kind, step = came.pop(WHOLE)
        if kind == "table_added":
            conditions.append(f"point.step >= {step}")
        else:
            told = (
                f"'{table.name} had another key or other types in release ' || point.release_id || ': see its folder'"
            )
            conditions.append(f"case when point.step >= {step} then true else error({told}) end")
    point = (
        "point as (select step, release_id, is_kept, note from publication "
        "where published_at <= cast(moment as timestamp) order by step desc limit 1)"
    )
    name, where = quote(table.name), " and ".join(conditions)
    if not touched:
        cells = [_since(f"t.{quote(c)}", c, came) for c in table.column_names]
        body = f"with {point} select {', '.join(cells)} from {name} t cross join point where {where}"
        return f"create macro {quote(table.name + '_as_of')}(moment) as table {body}"
    is_undone = [c for c in table.column_names if c in touched]
    undone = [
        "row_key",
        f"max(case when column_name = '{WHOLE}' then change_kind end) as fate",
        *(f"cast({key_cell(table.key, n)} as {_type(table, k)}) as {quote(f'k_{k}')}" for n, k in enumerate(table.key)),
    ]
    for column in is_undone:
        here = f"column_name = {text_literal(column)}"
        undone.append(f"max(case when {here} then value_before end) as {quote(f'b_{column}')}")
        undone.append(f"count(case when {here} then 1 end) as {quote(f'n_{column}')}")
    cells = [_cell(table, column, column in touched, came) for column in table.column_names]
    match = " and ".join(f"t.{quote(k)} = u.{quote(f'k_{k}')}" for k in table.key)
    body = (
        f"with {point}, "
        "first_change as (select h.row_key, h.column_name, h.change_kind, h.value_before from publication_history h "
        f"where h.table_name = {text_literal(table.name)} and h.row_key <> '{WHOLE}' "
        "and h.step > (select step from point) "
        "qualify row_number() over (partition by h.row_key, h.column_name order by h.step) = 1 "
        # A row that went and came again may have changed since: that says nothing of what it was before.
        f"and h.step <= coalesce(min(case when h.column_name = '{WHOLE}' then h.step end) "
        "over (partition by h.row_key), h.step)), "
        f"undo as (select {', '.join(undone)} from first_change group by row_key) "
        f"select {', '.join(cells)} from {name} t full outer join undo u on {match} cross join point "
        f"where {where} and (u.row_key is null or u.fate is distinct from 'added')"
    )
    return f"create macro {quote(table.name + '_as_of')}(moment) as table {body}"


def _type(table: Table, column: str) -> str:
    return next(c.data_type for c in table.columns if c.name == column)


def _since(cell: str, column: str, came: dict[str, tuple[str, int]]) -> str:
    """A cell of a column that came later is empty before."""
    if column not in came:
        return f"{cell} as {quote(column)}"
    return f"case when point.step >= {came[column][1]} then {cell} end as {quote(column)}"


def _cell(table: Table, column: str, is_touched: bool, came: dict[str, tuple[str, int]]) -> str:
    """One cell: its value before the first change since, else as it stands; a row that went had no other values."""
    stands = f"t.{quote(column)}"
    if column in table.key:
        return f"coalesce({stands}, u.{quote(f'k_{column}')}) as {quote(column)}"
    cell = f"case when u.fate = 'removed' then null else {stands} end"
    if is_touched:
        before = f"cast(u.{quote(f'b_{column}')} as {_type(table, column)})"
        cell = (
            f"case when u.{quote(f'n_{column}')} > 0 then {before} when u.fate = 'removed' then null else {stands} end"
        )
    return _since(cell, column, came)
