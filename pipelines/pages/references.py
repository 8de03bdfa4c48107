"""Where a figure is found: the SQL that gives it, the command that traces it, the code to report an error by."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

# Figures of today's regions are in this table; what is traced is the figure itself, of the main reading where no
# variant is named.
TREND = "mart_region_trend"
TRACED = {TREND: "figure"}


@dataclass(frozen=True)
class Reference:
    """One figure: its table, the key that finds its row, the column that holds it, what it is about.

    `variant` is that of a figure of today's regions where it is not the main reading.
    """

    table: str
    key: dict[str, str]
    column: str
    subject: str
    variant: str = "main"

    @property
    def traced(self) -> list[str]:
        """Table and `key=value` pairs that `junheng trace` takes."""
        key = self.key if self.variant == "main" else {**self.key, "variant": self.variant}
        return [TRACED.get(self.table, self.table), *(f"{name}={value}" for name, value in key.items())]

    @property
    def trace(self) -> str:
        """The command that leads the figure back to the cells it was made of."""
        return " ".join(["junheng trace", *map(shlex.quote, self.traced)])

    @property
    def arguments(self) -> list[str]:
        """Table, then `key=value` for every column of the key."""
        return [self.table, *(f"{name}={value}" for name, value in self.key.items())]

    @property
    def sql(self) -> str:
        """The query that gives the figure, and it alone."""
        conditions = "\n  and ".join(f"{name} = {_literal(name, value)}" for name, value in self.key.items())
        return f"select {self.column}, obs_status, provenance\nfrom {self.table}\nwhere {conditions}"

    def code(self, release_id: str) -> str:
        """What to name when an error is reported: release, subject, region, year."""
        return "/".join([release_id, self.subject, self.key["region_id"], self.key["year"]])


def _literal(name: str, value: str) -> str:
    return value if name == "year" else "'" + value.replace("'", "''") + "'"
