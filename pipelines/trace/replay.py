"""The models of a release run again, on the rows that a figure needs and no others.

A replay stands in memory under the name that the models were compiled for; it reads the release and writes nothing.
What must be run, and on which rows, is the recipe's say (`evidence`); which rows a figure is made of is `lineage`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import duckdb

from pipelines.errors import FaultError
from pipelines.sql import quote
from pipelines.trace.evidence import Lineage

MAIN = "main"
_CTE_NAME = re.compile(r"\s*,?\s*([a-z_][a-z0-9_]*)\s+as\s*\(", re.IGNORECASE)


def open_release(lineage: Lineage) -> duckdb.DuckDBPyConnection:
    """A connection with the release's database as `public`, read-only."""
    connection = duckdb.connect()
    connection.execute(f"attach '{_escaped(lineage.folder / 'public.duckdb')}' as public (read_only)")
    return connection


class Replay:
    """The relations behind rows of one published table, made when they are asked for.

    `target` (a temporary table of the connection) holds the rows at hand; `number` tells replays of one trace apart.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        lineage: Lineage,
        table: str,
        published: Iterable[str],
        number: int = 1,
    ) -> None:
        self.connection, self.lineage, self.table, self.number = connection, lineage, table, number
        self.published = frozenset(published)
        self.made: list[str] = []
        self._slices: dict[str, str] = lineage.tables[table].get("slices") or {}
        database = quote(lineage.database)
        connection.execute("use memory")
        connection.execute(f"detach database if exists {database}")
        connection.execute(f"attach ':memory:' as {database}")
        schemas = sorted({model.schema for model in lineage.models.values()} - {MAIN} | {"source"})
        for schema in schemas:
            connection.execute(f"create schema {database}.{quote(schema)}")
        path = ",".join(f"{lineage.database}.{schema}" for schema in (*schemas, MAIN))
        connection.execute(f"set search_path = '{path},public.{MAIN}'")

    def relation(self, name: str) -> str:
        """The full name of a relation, made now if it was not."""
        self.make(name)
        return self._full(name)

    def make(self, name: str) -> None:
        """Run the models that a relation needs, and its own, on the slice of the rows at hand."""
        if name in self.made:
            return
        select = self._select(name)
        if where := self._slices.get(name):
            self.make_named(where)
            select = f"select * from ({select}\n) as sliced where {where}"
        try:
            self.connection.execute(f"create {self._kind(name)} {self._full(name)} as {select}")
        except duckdb.Error as error:
            raise FaultError(
                f"{name} cannot be computed again: {str(error).splitlines()[0]}",
                where=str(self.lineage.folder),
                do="`junheng verify` says whether the release is still as it was sealed",
            ) from error
        self.made.append(name)

    def rows_of(self, name: str) -> int:
        """How many rows a relation has in this replay."""
        found = self.connection.execute(f"select count(*) from {self._full(name)}").fetchone()
        return int(found[0]) if found else 0

    def expressions(self, name: str) -> dict[str, str]:
        """The common table expressions of a model, by name, with the text that defines them."""
        model = self.lineage.models.get(name)
        return common_table_expressions(model.sql) if model else {}

    def make_named(self, sql: str) -> None:
        """Make every relation that a query of the recipe names."""
        for word in sorted(set(re.findall(r"\b[a-z]+_[a-z0-9_]+\b", sql))):
            if word in self.lineage.models and word not in self.published:
                self.make(word)

    def make_read(self, sql: str) -> None:
        """Make every relation that models' SQL reads by its full name."""
        for schema, word in re.findall(r'"([^"]+)"\."([^"]+)"(?!\.)', sql):
            if schema != self.lineage.database:
                self.make(word)

    def is_held(self, name: str) -> bool:
        """Whether a published table holds the relation, so that the replay goes no deeper.

        What was read (staging) is always taken from its table; the table at hand itself is computed, not copied.
        """
        held, model = self.lineage.released.get(name), self.lineage.models.get(name)
        return bool(held and model and (held["table"] != self.table or model.schema == "staging"))

    def readable(self, name: str) -> str:
        """The full name of a relation to take rows from: a published table whole, another relation as made here."""
        return f"public.{MAIN}.{quote(name)}" if name in self.published else self.relation(name)

    def _select(self, name: str) -> str:
        """What a relation is made of: a published table where one holds it, else its model's own SQL."""
        lineage = self.lineage
        if self.is_held(name):
            return str(lineage.released[name]["select"])
        if name != self.table and name in self.published:
            return f"select * from public.{MAIN}.{quote(name)}"
        if name not in lineage.models:
            return f"select * from read_parquet('{_escaped(lineage.source(name))}')"
        model = lineage.models[name]
        for parent in model.reads:
            self.make(parent)
        return model.sql

    def _kind(self, name: str) -> str:
        """A view where it is read once or small, else a table: what several models read is made once."""
        model = self.lineage.models.get(name)
        if self.is_held(name):
            return "table" if self._readers(name) > 1 else "view"
        return "view" if model and model.schema == "staging" else "table"

    def _readers(self, name: str) -> int:
        """How many models behind the table read a relation."""
        seen: set[str] = set()
        ahead, readers = [self.table], 0
        while ahead:
            at = ahead.pop()
            model = self.lineage.models.get(at)
            if at in seen or model is None or (at != self.table and (self.is_held(at) or at in self.published)):
                continue
            seen.add(at)
            readers += name in model.reads
            ahead += model.reads
        return readers

    def _full(self, name: str) -> str:
        model = self.lineage.models.get(name)
        return f"{quote(self.lineage.database)}.{quote(model.schema if model else 'source')}.{quote(name)}"


def common_table_expressions(sql: str) -> dict[str, str]:
    """Name and text of each common table expression at the head of a statement; empty where it has none."""
    plain = _without_comments(sql)
    head = re.match(r"\s*with\s+(recursive\s+)?", plain, re.IGNORECASE)
    found: dict[str, str] = {}
    at = head.end() if head else len(plain)
    while name := _CTE_NAME.match(plain, at):
        end = _closing(plain, name.end())
        found[name.group(1)] = plain[name.end() : end]
        at = end + 1
    return found


def _without_comments(sql: str) -> str:
    """The statement with its comments blanked; texts stay."""
    return re.sub(r"'(?:[^']|'')*'|--[^\n]*", lambda m: m.group() if m.group()[0] == "'" else "", sql)


def _closing(sql: str, start: int) -> int:
    """The place of the bracket that closes the one opened just before `start`; texts in quotes are passed over."""
    depth, in_text = 1, False
    for at in range(start, len(sql)):
        character = sql[at]
        if character == "'":
            in_text = not in_text
        elif not in_text and character in "()":
            depth += 1 if character == "(" else -1
            if depth == 0:
                return at
    raise FaultError("a model's SQL has a bracket that is never closed")


def _escaped(path: object) -> str:
    return str(path).replace("'", "''")
