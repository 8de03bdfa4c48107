"""Which published tables are statistical cubes, and what their columns are in one: dimension, measure or attribute.

SDMX and JSON-stat are made from this alone, so that both say the same of a table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from pipelines.exports.released import Released
from pipelines.exports.tables import PublishedColumn, PublishedTable
from pipelines.sql import quote

TIME = ("reference_date", "year")  # the first of them that is in the key
AREA = ("region_code", "scope_code")
STATUS = "obs_status"


@dataclass(frozen=True)
class Cube:
    """A table as a cube: its key are the dimensions, its numbers the measures, everything else attributes."""

    table: PublishedTable
    _names: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    @cached_property
    def time(self) -> str:
        """The key column that is the time."""
        return next(name for name in TIME if name in self.table.key)

    @cached_property
    def area(self) -> str | None:
        """The key column that is the area, where there is one."""
        return next((name for name in AREA if name in self.table.key), None)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The key columns, in order, without the time."""
        return tuple(name for name in self.table.key if name != self.time)

    @cached_property
    def measures(self) -> tuple[PublishedColumn, ...]:
        """Columns with numbers that are figures: decimals, doubles, and whole numbers with a unit."""
        return tuple(column for column in self.table.columns if column.name not in self.table.key and _counts(column))

    @cached_property
    def attributes(self) -> tuple[PublishedColumn, ...]:
        """What else is said of a cell."""
        figures = {column.name for column in self.measures}
        return tuple(c for c in self.table.columns if c.name not in self.table.key and c.name not in figures)

    def names_of(self, release: Released, dimension: str) -> dict[str, tuple[str, str]]:
        """Each code of a dimension with its Chinese and English name, where the table has them; in order of code.

        A code that bore several names through the years has them all.
        """
        if dimension in self._names:
            return self._names[dimension]
        columns = self.table.column_names
        base = dimension.removesuffix("_code")
        named = ("period_name",) if dimension == "year" else (f"{base}_name_zh", f"{base}_name")
        zh = next((c for c in named if c in columns), dimension)
        en = f"{base}_name_en" if f"{base}_name_en" in columns else zh
        rows = release.connection.execute(
            f"select distinct cast({quote(dimension)} as varchar), cast({quote(zh)} as varchar), "
            f"cast({quote(en)} as varchar) from {quote(self.name)} order by all"
        ).fetchall()
        names: dict[str, tuple[list[str], list[str]]] = {}
        for code, chinese, english in rows:
            both = names.setdefault(code, ([], []))
            for text, listed in ((chinese or code, both[0]), (english or code, both[1])):
                if text not in listed:
                    listed.append(text)
        self._names[dimension] = {
            code: ("; ".join(zh_names), "; ".join(en_names)) for code, (zh_names, en_names) in names.items()
        }
        return self._names[dimension]


def _counts(column: PublishedColumn) -> bool:
    kind = column.data_type
    return kind == "DOUBLE" or kind.startswith("DECIMAL") or (kind in ("INTEGER", "BIGINT") and bool(column.unit))


def cubes(tables: tuple[PublishedTable, ...]) -> list[Cube]:
    """The tables that are cubes: a status, a time in the key, and at least one figure."""
    found = [
        Cube(table)
        for table in tables
        if STATUS in table.column_names and any(name in table.key for name in TIME)
    ]  # fmt: skip
    return [cube for cube in found if cube.measures]
