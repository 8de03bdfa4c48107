"""Where a figure stands: the SQL that gives it, the command that traces it, the code by which an error is reported.

A key that `trace` lets a reader omit is omitted here too, so that commands stay short; the SQL names every key.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

# What an omitted key of a table means, for `trace`, recipes and pages alike.
OMITTED: dict[str, dict[str, str]] = {
    "mart_service_coverage": {
        "reference_geography": "reported",
        "population_basis": "resident",
        "population_source": "year_end",
        "residence": "total",
        "sex": "all",
        "age_group": "all",
        "group": "all",
    },
    "mart_per_capita_spending": {
        "reference_geography": "reported",
        "population_basis": "resident",
        "population_source": "year_end",
        "residence": "total",
        "price_basis": "nominal",
        "account_stage": "final",
        "government_level": "all",
        "fund": "general_budget",
    },
    "mart_equalisation": {"reference_geography": "reported"},
    "mart_composite_index": {"reference_geography": "reported"},
    "mart_urban_rural_gap": {
        "reference_geography": "reported",
        "population_basis": "resident",
        "price_basis": "nominal",
    },
    "mart_fiscal_effort": {"reference_geography": "reported", "fund": "general_budget", "account_stage": "final"},
    "mart_inequality": {"reference_geography": "reported", "population_basis": "resident"},
}


@dataclass(frozen=True)
class Reference:
    """One figure: its table, the key that finds its row, the column it stands in, what it is about."""

    table: str
    key: dict[str, str]
    column: str
    subject: str

    @property
    def trace(self) -> str:
        """The command that leads the figure back to the cells it was made of."""
        return " ".join(["junheng trace", *(shlex.quote(argument) for argument in self.arguments)])

    @property
    def arguments(self) -> list[str]:
        """Table, then `key=value` for every key that is not the omitted one."""
        omitted = OMITTED.get(self.table, {})
        return [self.table, *(f"{name}={value}" for name, value in self.key.items() if omitted.get(name) != value)]

    @property
    def sql(self) -> str:
        """The query that gives the figure, and it alone."""
        whole = {**OMITTED.get(self.table, {}), **self.key}
        conditions = "\n  and ".join(f"{_column(name)} = {_literal(name, value)}" for name, value in whole.items())
        return f"select {self.column}, obs_status, provenance\nfrom {self.table}\nwhere {conditions}"

    def code(self, release_id: str) -> str:
        """What to name when an error is reported: release, subject, region, year."""
        parts = [self.subject, self.key.get("region_code") or self.key.get("scope_code") or "", self.key.get("year")]
        return "/".join([release_id, *(part for part in parts if part)])


def _column(name: str) -> str:
    return '"group"' if name == "group" else name


def _literal(name: str, value: str) -> str:
    return value if name == "year" else "'" + value.replace("'", "''") + "'"
