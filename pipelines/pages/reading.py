"""A prepared release opened for its pages: card, changes, tables. What pages say of it is other modules' business."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

Row = dict[str, Any]


@dataclass(frozen=True)
class Release:
    """A prepared release: its card, its changes, and its database opened read-only."""

    folder: Path
    card: Row
    changes: Row
    connection: duckdb.DuckDBPyConnection
    tables: frozenset[str] = field(default_factory=frozenset)

    @property
    def jurisdiction(self) -> Row:
        """Names, home region, levels, currency, marks and notes."""
        return dict(self.card["jurisdiction"])

    @property
    def home(self) -> str:
        """The home region's code."""
        return str(self.jurisdiction["home_region"])

    @property
    def population_source(self) -> str:
        """Where the population of the main reading comes from."""
        rows = self.rows_of("dim_variant", "where is_main")
        return str(rows[0]["population_source"]) if rows else ""

    def has(self, *tables: str) -> bool:
        """Whether the release holds all these tables."""
        return set(tables) <= self.tables

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        """Rows of a query as dictionaries; parameters by place."""
        cursor = self.connection.execute(sql, list(parameters))
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def rows_of(self, table: str, rest: str = "", *parameters: Any) -> list[Row]:
        """Rows of one table, `rest` being what follows `from TABLE`; none where the release has no such table."""
        return self.rows(f"select * from {table} {rest}", *parameters) if self.has(table) else []

    def tuples(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a query as they are: for the large ones."""
        return self.connection.execute(sql, list(parameters)).fetchall()


def open_release(folder: Path) -> Release:
    """Open a prepared or sealed release for reading."""
    connection = duckdb.connect(str(folder / "public.duckdb"), read_only=True)
    names = connection.execute("select table_name from duckdb_tables() where not internal").fetchall()
    card = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    changes = json.loads((folder / "changes.json").read_text(encoding="utf-8"))
    return Release(folder, card, changes, connection, frozenset(str(name) for (name,) in names))


def local_time(release: Release) -> str:
    """When the release was prepared, in the jurisdiction's time zone."""
    moment = datetime.fromisoformat(release.card["prepared_at"].replace("Z", "+00:00"))
    return moment.astimezone(ZoneInfo(release.jurisdiction["time_zone"])).strftime("%Y-%m-%d %H:%M")
