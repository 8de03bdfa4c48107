"""How changed figures are stored in a release: one row of `publication_change` for each step, table and column.

Its two texts hold, line by line, the keys of the rows that changed and their values before. Thousands of changes are
one pair of long texts, which the database compresses by a tenth of what a row for each would take. What changed is
`history`'s business, who asks for it `macros`'.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from pipelines.sql import quote, text_literal

TABLE = "publication_change"
WHOLE = "*"  # in place of a column or a row: all of it
# One change each: what is unpacked, and what is packed. `value_before` is a text, null where nothing was there.
CELLS = {
    "table_name": "varchar", "row_key": "varchar", "column_name": "varchar", "change_kind": "varchar",
    "value_before": "varchar", "cause": "varchar", "provenance": "varchar",
}  # fmt: skip
_COLUMNS = {
    "step": ("bigint", "改变的次序，见publication", "The step at which it changed, see publication"),
    "table_name": ("varchar", "表名", "Table"),
    "column_name": ("varchar", "列名；*为整行或整表", "Column; * = whole rows or the whole table"),
    "change_kind": ("varchar", "见publication_history", "See publication_history"),
    "cause": ("varchar", "起因", "Why"),
    "provenance": ("varchar", "来源", "official or synthetic"),
    "row_keys": ("varchar using compression zstd", "各行的键，每行一个", "The keys of the rows, one a line"),
    "values_before": (
        "varchar using compression zstd",
        "各行改变前的值，每行一个；%N为缺失，值中的%写作%25，换行写作%0A",
        "Their values before, one a line; %N = missing, % in a value is %25 and a line break %0A",
    ),
}
_DESCRIPTION = (
    "发布历史的存储：每步、每表、每列一行；查询用视图publication_history / "
    "How the history is stored: a row for each step, table and column; ask the view publication_history"
)
# A row's key is written `column=value`, joined by semicolons; what would break it up is escaped.
_IN_KEYS = (("%", "%25"), (";", "%3B"), ("\n", "%0A"))
_IN_VALUES = (("%", "%25"), ("\n", "%0A"))
_MISSING = "%N"  # no value reads so: its own `%` is `%25`
_LINE = "chr(10)"


def _character(character: str) -> str:
    return _LINE if character == "\n" else text_literal(character)


def _escaped(value: str, escapes: Sequence[tuple[str, str]]) -> str:
    for character, escape in escapes:
        value = f"replace({value}, {_character(character)}, '{escape}')"
    return value


def _unescaped(value: str, escapes: Sequence[tuple[str, str]]) -> str:
    for character, escape in reversed(escapes):
        value = f"replace({value}, '{escape}', {_character(character)})"
    return value


def row_key(columns: Sequence[str], prefix: str) -> str:
    """SQL that writes the key of a row, whose columns bear a prefix."""
    parts = []
    for position, column in enumerate(columns):
        value = _escaped(f"cast({quote(prefix + column)} as varchar)", _IN_KEYS)
        parts.append(f"'{';' if position else ''}{column}=', {value}")
    return f"concat({', '.join(parts)})"


def key_cell(key: Sequence[str], position: int) -> str:
    """SQL that reads the n-th value of a `row_key` again, as text."""
    return _unescaped(f"substr(split_part(row_key, ';', {position + 1}), {len(key[position]) + 2})", _IN_KEYS)


def pack(source: str) -> str:
    """SQL of the rows of `publication_change` that hold the changes of a relation with `step` and CELLS."""
    value = f"coalesce({_escaped('value_before', _IN_VALUES)}, '{_MISSING}')"
    return (
        f"select step, table_name, column_name, change_kind, cause, provenance, "
        f"string_agg(row_key, {_LINE} order by row_key) as row_keys, "
        f"string_agg({value}, {_LINE} order by row_key) as values_before from {source} group by all"
    )


def unpack(source: str, where: str = "true") -> str:
    """SQL of the changes, with `step` and CELLS, that rows of `publication_change` hold."""
    value = f"case when line_before <> '{_MISSING}' then {_unescaped('line_before', _IN_VALUES)} end"
    return (
        f"select step, table_name, row_key, column_name, change_kind, {value} as value_before, cause, provenance "
        f"from (select step, table_name, unnest(string_split(row_keys, {_LINE})) as row_key, column_name, change_kind, "
        f"unnest(string_split(values_before, {_LINE})) as line_before, cause, provenance "
        f"from {source} where {where})"
    )


def store(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    """Write a relation of packed rows as `publication_change` of the attached database `public`."""
    columns = ", ".join(f"{name} {kind}" for name, (kind, *_) in _COLUMNS.items())
    comments = [f"comment on table public.{TABLE} is {text_literal(_DESCRIPTION)}"] + [
        f"comment on column public.{TABLE}.{name} is {text_literal(f'{zh} / {en}')}"
        for name, (_, zh, en) in _COLUMNS.items()
    ]
    connection.execute(
        f"create table public.{TABLE} ({columns}); {'; '.join(comments)}; "
        f"insert into public.{TABLE} select {', '.join(_COLUMNS)} from {source} "
        "order by step, table_name, change_kind, column_name, cause, provenance"
    )
