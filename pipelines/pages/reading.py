"""A prepared release opened for its pages: card, changes, tables. What pages say of it is other modules' business."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from pipelines.figure_keys import main_reading
from pipelines.sql import text_literal

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
        """Where the population that is meant comes from, where none is named."""
        return main_reading(self.card)["population_source"][0]

    @property
    def main_fund(self) -> str:
        """The fund that is meant where none is named."""
        # Releases of before the card named it: the one that comes first by name.
        named = self.jurisdiction.get("main_fund")
        if named is None and self.has("mart_per_capita_spending"):
            named = self.rows("select min(fund) as fund from mart_per_capita_spending")[0]["fund"]
        return str(named or "")

    @property
    def account(self) -> str:
        """The condition for spending that is meant where nothing is named, as SQL: whole, in the prices of its year."""
        return (
            f"fund = {text_literal(self.main_fund)} and government_level = 'all' and residence = 'total' "
            "and account_stage = 'final' and price_basis = 'nominal'"
        )

    @property
    def per_resident(self) -> str:
        """The condition for such spending per resident, as SQL."""
        source = text_literal(self.population_source)
        return f"{self.account} and population_basis = 'resident' and population_source = {source}"

    def has(self, *tables: str) -> bool:
        """Whether the release holds all these tables."""
        return set(tables) <= self.tables

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        """Rows of a query as dictionaries; parameters by place, or one dictionary of named ones."""
        named = parameters[0] if len(parameters) == 1 and isinstance(parameters[0], dict) else list(parameters)
        cursor = self.connection.execute(sql, named)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def tuples(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a query as they are: for the large ones."""
        named = parameters[0] if len(parameters) == 1 and isinstance(parameters[0], dict) else list(parameters)
        return self.connection.execute(sql, named).fetchall()


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
