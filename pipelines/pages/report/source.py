"""Where the report's figures come from: rows with their keys, and the book that numbers each figure it prints.

A figure that is printed is entered in the book with table, key, column and exact value; the report's annex is the
book. What is said of a figure is the chapters' business.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

from pipelines.pages.numbers import plain
from pipelines.publish import Release

SAMPLE = "「示例」"
TRACED = ("mart_", "fct_")  # what `junheng trace` leads back to its cells


@dataclass(frozen=True)
class Row:
    """One row of a published table, with the key by which anybody finds it again."""

    table: str
    key: tuple[str, ...]
    cells: dict[str, Any]

    def __getitem__(self, column: str) -> Any:
        return self.cells[column]

    @property
    def called(self) -> str:
        """What the row's year is called: 2018, or 2018-19."""
        return str(self.cells.get("period_name") or self.cells["year"])

    @property
    def is_synthetic(self) -> bool:
        """Whether the row rests on anything that is not official."""
        return self.cells.get("provenance") not in (None, "official")


@dataclass(frozen=True)
class Rows:
    """The rows of one question to one table, and the question."""

    sql: str
    rows: tuple[Row, ...] = ()

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def is_synthetic(self) -> bool:
        """Whether any row rests on anything that is not official."""
        return any(row.is_synthetic for row in self.rows)

    def first(self, **cells: Any) -> Row | None:
        """The first row with these cells."""
        return next((row for row in self.rows if all(row[c] == value for c, value in cells.items())), None)


@dataclass
class Source:
    """A release, asked table by table."""

    release: Release
    year: int
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    decimals: dict[str, int] = field(default_factory=dict)
    cut: frozenset[str] = frozenset()  # subjects that are cut to their decimals, not rounded

    def __post_init__(self) -> None:
        found = self.release.rows("select table_name, key_columns from meta_table")
        self.keys = {row["table_name"]: tuple(row["key_columns"].split(";")) for row in found}
        if "dim_subject" in self.keys:
            described = self.release.rows("select subject_code, decimals, is_cut from dim_subject")
            self.decimals = {row["subject_code"]: row["decimals"] for row in described}
            self.cut = frozenset(row["subject_code"] for row in described if row["is_cut"])

    def rows(self, table: str, where: str = "true", order: str = "") -> Rows:
        """Whole rows of a table, in the order asked for and then by key; none where the release has no such table."""
        if table not in self.keys:
            return Rows("")
        key = self.keys[table]
        by = ", ".join([*([order] if order else []), *(f'"{name}"' for name in key)])
        where = " ".join(where.split())
        sql = f"from {table} where {where}"
        found = self.release.rows(f"select * {sql} order by {by}")
        return Rows(sql, tuple(Row(table, key, row) for row in found))

    def called(self, table: str, year: int) -> str:
        """What a year is called in a table: 2018, or 2018-19."""
        found = self.release.rows(f"select min(period_name) as name from {table} where year = ?", year)
        return str(found[0]["name"] or year)


def literal(value: object) -> str:
    """A value as SQL writes it."""
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


@dataclass(frozen=True)
class Entry:
    """One line of the annex: a figure by its key, or the rows of a table by the question that gives them."""

    number: int
    said: str
    table: str
    column: str
    exact: str
    ask: str
    is_synthetic: bool


@dataclass
class Book:
    """The figures printed so far."""

    entries: list[Entry] = field(default_factory=list)
    _seen: dict[tuple[str, ...], Entry] = field(default_factory=dict)

    def cite(self, row: Row, column: str, text: str) -> Markup:
        """A figure as it is printed, with the number of its entry."""
        keys = [f"{name}={row[name]}" for name in row.key]
        value = row[column]
        if row.table.startswith(TRACED):
            ask = " ".join(shlex.quote(part) for part in ("junheng", "trace", row.table, *keys))
        else:
            ask = f"from {row.table} where " + " and ".join(f"{name} = {literal(row[name])}" for name in row.key)
        entry = self._enter((row.table, column, *keys), text, row.table, column, _exact(value), ask, row.is_synthetic)
        return escape(text) + _mark(entry)

    def source(self, rows: Rows, title: str) -> Markup:
        """The number of the entry for a whole table of figures."""
        table = rows.sql.split()[1]
        return _mark(self._enter((rows.sql,), title, table, "", f"{len(rows)}行", rows.sql, rows.is_synthetic))

    def _enter(
        self, key: tuple[str, ...], said: str, table: str, column: str, exact: str, ask: str, is_synthetic: bool
    ) -> Entry:
        if key not in self._seen:
            self._seen[key] = Entry(len(self.entries) + 1, said, table, column, exact, ask, is_synthetic)
            self.entries.append(self._seen[key])
        return self._seen[key]


def _exact(value: object) -> str:
    if value is None:
        return "空"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else plain(value)  # type: ignore[arg-type]


def _mark(entry: Entry) -> Markup:
    return Markup('<a class="ref" href="#f{0}">{0}</a>').format(entry.number)


def sentence(text: Markup | str, *rests_on: Row | Rows) -> Markup:
    """A sentence that rests on these rows: it says at its beginning when any of them is not official."""
    is_synthetic = any(rows.is_synthetic for rows in rests_on)
    return Markup(SAMPLE if is_synthetic else "") + escape(text)


def joined(names: Sequence[str | Markup]) -> Markup:
    """Names one after the other, as Chinese lists them."""
    return Markup("、").join(names)
