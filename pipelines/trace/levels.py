"""Level by level: the rows behind a figure, the rows behind these, down to observations.

A level is a step from published tables to published tables. What one step leads to is `lineage`'s; the observations at
the end are told as cells (`cells`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from pipelines.figure_keys import main_reading, trace_command
from pipelines.sql import quote
from pipelines.store import read_json
from pipelines.trace import cells, lineage
from pipelines.trace.evidence import Lineage
from pipelines.trace.replay import MAIN, Replay
from pipelines.trace.rows import Table

OBSERVATIONS = "fct_observation"


class Levels:
    """The rows that contribute, by level and table, and the observations at the end (`observations`)."""

    observations = "observations behind"

    def __init__(self, connection: duckdb.DuckDBPyConnection, known: Lineage, tables: dict[str, Table]) -> None:
        self.connection, self.known, self.tables = connection, known, tables
        self.reading = main_reading(read_json(known.folder / "release.json"))
        self._kept: dict[tuple[int, str], str] = {}
        self._replays = 0
        connection.execute(
            f"create or replace temporary table {quote(self.observations)} as "
            f"from public.{MAIN}.{quote(OBSERVATIONS)} limit 0"
        )

    def replay(self, table: str) -> Replay:
        """A replay for the rows in `target`, which are rows of a table."""
        self._replays += 1
        return Replay(self.connection, self.known, table, self.tables, self._replays)

    def inputs_of(self, replay: Replay, ways: dict[str, Any] | None) -> list[lineage.Found]:
        """The rows that those in `target` are made of, by the ways given."""
        return lineage.inputs_of(replay, {name: table.key for name, table in self.tables.items()}, ways)

    def add(self, rows: Sequence[lineage.Found], level: int) -> None:
        """Keep rows of a level; those that several ways lead to are kept once."""
        for each in rows:
            kept = self._kept.get((level, each.table))
            name = f"kept {level} {each.table}"
            old = f"from temp.{quote(name)} union " if kept else ""
            self._replace(name, f"{old}from temp.{quote(each.relation)}")
            self._kept[level, each.table] = name
            if each.table == OBSERVATIONS:
                self._replace(
                    self.observations, f"from temp.{quote(self.observations)} union from temp.{quote(each.relation)}"
                )

    def add_target(self) -> None:
        """The rows in `target` are observations themselves."""
        self._replace(self.observations, "from target")

    def follow(self, rows: Sequence[lineage.Found], level: int) -> None:
        """From rows of published tables down to observations; what is found stands at `level` and below."""
        for each in rows:
            if each.table not in self.known.tables or each.table == OBSERVATIONS:
                continue
            said = self.known.tables[each.table]
            direct = said.get("direct") or {"where": "false", "inputs": {}}
            for condition, ways in (
                (f"({direct['where']})", direct["inputs"]),
                (f"not coalesce({direct['where']}, false)", said.get("inputs") or {}),
            ):
                self.connection.execute(
                    f"create or replace temporary table target as from temp.{quote(each.relation)} where {condition}"
                )
                if self.connection.execute("from target limit 1").fetchone() is None:
                    continue
                below = self.inputs_of(self.replay(each.table), ways)
                self.add(below, level)
                self.follow(below, level + 1)

    def as_list(self, limit: int | None) -> list[dict[str, Any]]:
        """Levels from above, with counts and at most `limit` rows of each; observations have counts only."""
        found = []
        bound = f" limit {limit}" if limit is not None else ""
        for (level, name), relation in sorted(self._kept.items()):
            key = self.tables[name].key if name in self.tables else []
            main = (self.known.tables.get(name) or {}).get("main")
            order = f" order by {', '.join(quote(column) for column in key)}" if key else " order by all"
            listed: list[dict[str, Any]] = []
            if name != OBSERVATIONS:
                listed = cells.rows_of(self.connection, f"from temp.{quote(relation)}{order}{bound}")
            if main:
                listed = [
                    {**row, "trace": trace_command(name, {c: row[c] for c in key}, self.reading)} for row in listed
                ]
            counted = self.connection.execute(f"select count(*) from temp.{quote(relation)}").fetchone()
            count = int(counted[0]) if counted else 0
            found.append({"level": level, "table": name, "count": count, "main": main, "key": key, "rows": listed})
        return found

    def _replace(self, name: str, select: str) -> None:
        """Make a temporary table anew, from itself if need be."""
        self.connection.execute(f"create or replace temporary table {quote(name + ' next')} as {select}")
        self.connection.execute(f"drop table if exists temp.{quote(name)}")
        self.connection.execute(f"alter table temp.{quote(name + ' next')} rename to {quote(name)}")
