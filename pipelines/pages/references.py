"""Where a figure stands: the SQL that gives it, the command that traces it, the code by which an error is reported.

A key that `trace` lets a reader omit is omitted here too (`figure_keys` says what it means): commands stay short;
the SQL names every key.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.figure_keys import MAIN_READING, trace_command

_SPENDING = ("population_basis", "residence", "price_basis", "account_stage")
_COVERAGE = ("population_basis", "residence", "sex", "age_group", "group")
# The columns of each table's key that may be omitted, and what they mean there. Which population is meant where none is
# named, each release says for itself: a reference names it.
OMITTED: dict[str, dict[str, str]] = {
    table: {column: MAIN_READING[column][0] for column in ("reference_geography", *columns)}
    for table, columns in (
        ("mart_service_coverage", _COVERAGE),
        ("mart_per_capita_spending", _SPENDING),
        ("mart_equalisation", ("method_id", "weight_set")),
        ("mart_composite_index", ("weight_set",)),
        ("mart_urban_rural_gap", ("population_basis", "price_basis")),
        ("mart_fiscal_effort", ("account_stage",)),
    )
}
OMITTED["mart_composite_index"]["method_id"] = MAIN_READING["method_id"][1]


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
        return trace_command(self.table, self.key)

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
