"""What a release's database holds beside tables: views by version, the view of its history, and macros by moment.

All are SQL stored in the file, so that every client has them. `<table>_v<version>` names the columns of one version
of a contract: a query that must not meet another one asks it. `publication_history` lists every change of a published
figure, and `<table>_as_of(moment)` undoes them back to the release that was current then. Which changes there are is
`history`'s business.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from pipelines.errors import FaultError
from pipelines.publish import Table
from pipelines.release import changes
from pipelines.release.database import comment_of
from pipelines.release.packing import TABLE, WHOLE, key_cell, unpack
from pipelines.sql import quote, text_literal

HISTORY = "publication_history"

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
        _history(connection, modelled)
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


# -- the history --------------------------------------------------------------------------------------------------

# Its columns: SQL over one change `c` and its `line` of publication, and what each says.
_HISTORY_COLUMNS = {
    "table_name": ("c.table_name", "表名", "Table"),
    "row_key": (
        "c.row_key",
        "行的键，列名=值，以分号相连（值中的%和;写作%25和%3B）；*为整表",
        "Key of the row: column=value, joined by semicolons (% and ; in a value are %25 and %3B); * = the whole table",
    ),
    "column_name": ("c.column_name", "列名；*为整行或整表", "Column; * = the whole row or table"),
    "step": ("c.step", "改变的次序，见publication", "The step at which it changed, see publication"),
    "release_before": ("line.release_before", "改变前的发布", "The release before"),
    "release_after": ("line.release_id", "改变后的发布", "The release after"),
    "change_kind": (
        "c.change_kind",
        "added 新增，removed 删除，revised 修订，reread 重读（数值未变），withheld 已不公开，table_added 新表，"
        "column_added 新列，shape_changed 键或类型改变",
        "added, removed, revised, reread (no figure changed), withheld, table_added, column_added or shape_changed "
        "(other key or types)",
    ),
    "value_before": ("c.value_before", "改变前的值，空为缺失", "Value before, null = missing"),
    "value_after": ("c.value_after", "改变后的值，空为缺失", "Value after, null = missing"),
    "cause": ("c.cause", "起因：回执、规则或程序，以分号相连", "Why: receipts, rules or code, joined by semicolons"),
    "provenance": ("c.provenance", "来源：official 官方，synthetic 示例", "official or synthetic"),
}


def _history(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> None:
    """The view of all changes, one row each. A value after is stored nowhere: it is the one before the next change."""
    of_tables = unpack(TABLE, f"row_keys = '{WHOLE}'")
    touched: dict[str, set[str]] = {}
    for table, column in connection.execute(
        f"select distinct table_name, column_name from {TABLE} where row_keys <> ?", [WHOLE]
    ).fetchall():
        touched.setdefault(str(table), set()).add(str(column))
    changes = [
        f"select *, cast(null as varchar) as value_after from ({of_tables})",
        *(_changes(t, touched[t.name]) for t in tables if t.name in touched),
    ]
    columns = ", ".join(f"{sql} as {name}" for name, (sql, *_) in _HISTORY_COLUMNS.items())
    connection.execute(
        f"create view {HISTORY} as with line as (select step, release_id, lag(release_id) over (order by step) "
        "as release_before from publication where is_kept and release_id is not null) "
        f"select {columns} from ({' union all '.join(changes)}) c join line on line.step = c.step"
    )
    zh, en = "发布历史：已公布而后改变的数字", "Every published figure that changed, from and to which release, and why"
    comments = [(f"view {HISTORY}", zh, en)]
    comments += [(f"column {HISTORY}.{name}", zh, en) for name, (_, zh, en) in _HISTORY_COLUMNS.items()]
    connection.execute("; ".join(f"comment on {of} is {text_literal(comment_of(zh, en))}" for of, zh, en in comments))


def _changes(table: Table, touched: set[str]) -> str:
    """SQL of the changes of one table's rows, each with the value after it."""
    now = [f"when {text_literal(c)} then cast(t.{quote(c)} as varchar)" for c in table.column_names if c in touched]
    current = f"case h.column_name {' '.join(now)} end" if now else "null"
    keys = ", ".join(f"{key_cell(table.key, position)} as key_{position}" for position in range(len(table.key)))
    match = " and ".join(f"cast(t.{quote(k)} as varchar) = h.key_{position}" for position, k in enumerate(table.key))
    is_this = f"table_name = {text_literal(table.name)} and row_keys <> '{WHOLE}'"
    return (
        "select h.step, h.table_name, h.row_key, h.column_name, h.change_kind, h.value_before, h.cause, h.provenance, "
        f"case when h.change_kind = 'removed' or h.column_name = '{WHOLE}' then null "
        f"when h.next_step is not null then h.next_before else {current} end as value_after "
        f"from (select *, {keys}, lead(step) over one as next_step, lead(value_before) over one as next_before "
        f"from ({unpack(TABLE, is_this)}) window one as (partition by row_key, column_name order by step)) h "
        f"left join {quote(table.name)} t on {match} "
        f"where h.change_kind <> 'removed' or h.column_name = '{WHOLE}' or h.value_before is not null"
    )


# -- as of --------------------------------------------------------------------------------------------------------


def _macro(connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    """The macro of one table; what its history does not hold is not asked for."""
    seen = connection.execute(
        f"select column_name, change_kind, row_keys = ? as is_whole, max(step) from {TABLE} "
        "where table_name = ? group by all order by 4",
        [WHOLE, table.name],
    ).fetchall()
    came = {str(column): (str(kind), int(step)) for column, kind, is_whole, step in seen if is_whole}
    # What belongs to one release alone is known of the newest.
    ((newest,),) = connection.execute("select max(step) from publication").fetchall()
    came |= dict.fromkeys(changes.OF_ONE_RELEASE.intersection(table.column_names), ("column_added", newest))
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
            unlike = (
                f"'{table.name} had another key or other types in release ' || point.release_id || ': see its folder'"
            )
            conditions.append(f"case when point.step >= {step} then true else error({unlike}) end")
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
    later = f"table_name = {text_literal(table.name)} and row_keys <> '{WHOLE}' and step > (select step from point)"
    body = (
        f"with {point}, "
        f"changes as ({unpack(TABLE, later)}), "
        "first_change as (select h.row_key, h.column_name, h.change_kind, h.value_before from changes h "
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
