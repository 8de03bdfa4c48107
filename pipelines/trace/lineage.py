"""From rows of a published table to the rows that they are made of, relation by relation.

The recipe says of each relation which rows of which others make up a row of it (`dbt_project/tracing.yml`); here these
queries are run in a replay, from the rows at hand down to rows of published tables. Values are `replay`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb

from pipelines.sql import quote
from pipelines.trace.replay import MAIN, Replay


@dataclass(frozen=True)
class Found:
    """Rows of one table or relation that contribute: a temporary relation, and how many there are."""

    table: str
    relation: str
    count: int
    is_published: bool


def inputs_of(replay: Replay, keys: dict[str, list[str]], ways: dict[str, Any] | None = None) -> list[Found]:
    """What the rows in `target` are made of: rows of published tables, and of what was agreed (rule files).

    `keys` are the keys of the published tables, `ways` the first step where it is not the table's `inputs`.
    """
    connection, lineage = replay.connection, replay.lineage
    walk: dict[str, str] = {}
    first = (lineage.tables[replay.table].get("inputs") or {}) if ways is None else ways
    _step(replay, replay.table, "target", first, walk)
    relations: dict[str, dict[str, Any]] = lineage.recipe["relations"]
    # From the rows at hand downwards: a relation is left when everything above it has been seen.
    for name in _downwards(replay, first):
        if name in walk and name in relations and not replay.is_held(name):
            _step(replay, name, walk[name], relations[name], walk)
    ends = [name for name in walk if name not in relations or replay.is_held(name)]
    return [found for name in sorted(ends) if (found := _end(connection, replay, name, walk[name], keys)).count]


def _downwards(replay: Replay, first: Iterable[str]) -> list[str]:
    """Relations that can be reached, each before those it is made of."""
    relations: dict[str, dict[str, Any]] = replay.lineage.recipe["relations"]
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order or name not in relations or replay.is_held(name):
            return
        for below in relations[name]:
            visit(below)
        order.append(name)

    for name in first:
        visit(name)
    return order[::-1]


def _step(replay: Replay, name: str, rows: str, inputs: dict[str, Any], walk: dict[str, str]) -> None:
    """Follow the inputs of one relation's rows; `walk` gathers the rows found, by relation."""
    connection = replay.connection
    connection.execute(f"create or replace temporary view rows as from temp.{quote(rows)}")
    if connection.execute("from rows limit 1").fetchone() is None:
        return
    asked: dict[str, str] = {}  # inputs that share a query are asked for once
    for below, said in inputs.items():
        query = _query(said)
        if query not in asked:
            asked[query] = f"asked {len(asked)}"
            expressions = replay.expressions(name)
            used = {word for word in re.findall(r"\b[a-z_][a-z0-9_]*\b", query) if word in expressions}
            replay.make_named(query)
            whole = query
            if used:
                whole = _with_expressions(expressions, used, query)
                replay.make_read(whole)
            connection.execute(f"create or replace temporary table {quote(asked[query])} as {whole}")
        source = replay.readable(below)
        columns = [c[0] for c in connection.execute(f"from temp.{quote(asked[query])} limit 0").description or []]
        match = " and ".join(f"i.{quote(c)} = e.{quote(c)}" for c in columns)
        found = f"select i.* from {source} i semi join temp.{quote(asked[query])} e on {match}"
        temporary = f"walked {below}"
        if below in walk:
            found = f"from temp.{quote(temporary)} union {found}"
        connection.execute(f"create or replace temporary table {quote(temporary + ' next')} as {found}")
        connection.execute(f"drop table if exists temp.{quote(temporary)}")
        connection.execute(f"alter table temp.{quote(temporary + ' next')} rename to {quote(temporary)}")
        walk[below] = temporary


def _query(said: Any) -> str:
    """The query of an input: columns that are the same on both sides, or as it is said."""
    return f"select {', '.join(quote(column) for column in said)} from rows" if isinstance(said, list) else str(said)


def _with_expressions(expressions: dict[str, str], used: set[str], query: str) -> str:
    """The query behind those of the model's own expressions that it uses, and what these use themselves."""
    wanted: set[str] = set()
    ahead = list(used)
    while ahead:
        name = ahead.pop()
        if name not in wanted:
            wanted.add(name)
            words = set(re.findall(r"\b[a-z_][a-z0-9_]*\b", expressions[name]))
            ahead += [other for other in expressions if other in words and other != name]
    head = ", ".join(f"{quote(name)} as ({text})" for name, text in expressions.items() if name in wanted)
    return f"with {head} {query}"


def _end(
    connection: duckdb.DuckDBPyConnection, replay: Replay, name: str, rows: str, keys: dict[str, list[str]]
) -> Found:
    """The rows of a published table, as published, that the walk ended at; of other relations as they are."""
    held = replay.lineage.released.get(name)
    table = str(held["table"]) if held else name
    relation = f"input {replay.number} {name}"
    if table not in keys:
        connection.execute(f"create or replace temporary table {quote(relation)} as from temp.{quote(rows)}")
    else:
        renamed = {published: own for own, published in (held or {}).get("renamed", {}).items()}
        match = " and ".join(f"p.{quote(c)} is not distinct from w.{quote(renamed.get(c, c))}" for c in keys[table])
        order = ", ".join(quote(column) for column in keys[table])
        connection.execute(
            f"create or replace temporary table {quote(relation)} as select p.* from public.{MAIN}.{quote(table)} p "
            f"semi join temp.{quote(rows)} w on {match} order by {order}"
        )
    counted = connection.execute(f"select count(*) from temp.{quote(relation)}").fetchone()
    return Found(table, relation, int(counted[0]) if counted else 0, table in keys)
