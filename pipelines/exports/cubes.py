"""Which published tables are statistical cubes, and what their columns are in one: dimension, measure or attribute.

SDMX and JSON-stat are made from this alone, so that both say the same of a table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from pipelines.publish import Column, Release, Table
from pipelines.sql import quote

TIME = ("reference_date", "year")  # the first of them that is in the key
AREA = ("region_id", "region_code")
STATUS = "obs_status"


@dataclass(frozen=True)
class Cube:
    """A table as a cube: its key are the dimensions, its numbers the measures, everything else attributes."""

    table: Table
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
    def measures(self) -> tuple[Column, ...]:
        """Columns with numbers that are figures: decimals, doubles, and whole numbers with a unit."""
        return tuple(column for column in self.table.columns if column.name not in self.table.key and _counts(column))

    @cached_property
    def attributes(self) -> tuple[Column, ...]:
        """What else is said of a cell."""
        figures = {column.name for column in self.measures}
        return tuple(c for c in self.table.columns if c.name not in self.table.key and c.name not in figures)

    def names_of(self, release: Release, dimension: str) -> dict[str, tuple[str, str]]:
        """Each code of a dimension with its Chinese and English name, where it has them; in order of code.

        A code that bore several names through the years has the newest.
        """
        if dimension not in self._names:
            described = release.names(dimension) or self._names_in_table(release, dimension)
            codes = release.connection.execute(
                f"select distinct cast({quote(dimension)} as varchar) as code from {quote(self.name)} order by code"
            ).fetchall()
            self._names[dimension] = {code: described.get(code, (code, code)) for (code,) in codes}
        return self._names[dimension]

    def _names_in_table(self, release: Release, dimension: str) -> dict[str, tuple[str, str]]:
        """The names that the table itself has beside the codes of a dimension: code -> (Chinese, English)."""
        base = dimension.removesuffix("_code")
        named = ["period_name"] * 2 if dimension == "year" else [f"{base}_name_zh", f"{base}_name_en"]
        if not set(named) <= set(self.table.column_names):
            return {}
        newest = ", ".join(f"max_by({quote(name)}, {quote(self.time)})" for name in named)
        rows = release.connection.execute(
            f"select cast({quote(dimension)} as varchar), {newest} from {quote(self.name)} group by 1"
        ).fetchall()
        return {code: (zh or code, en or code) for code, zh, en in rows}


def _counts(column: Column) -> bool:
    kind = column.data_type
    return kind == "DOUBLE" or kind.startswith("DECIMAL") or (kind in ("INTEGER", "BIGINT") and bool(column.unit))


def cubes(tables: tuple[Table, ...]) -> list[Cube]:
    """The tables that are cubes: a status, a time in the key, and at least one figure."""
    found = [
        Cube(table)
        for table in tables
        if STATUS in table.column_names and any(name in table.key for name in TIME)
    ]  # fmt: skip
    return [cube for cube in found if cube.measures]
