"""Failing rows as text, and where they are: region, period, file, sheet, row and column.

Every kind of check hands its failing rows over in this form; waivers are matched by it and departments find their
cells by it. Which rows fail is each check's own business.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import duckdb

from pipelines.records import ROWS_KEPT, CheckResult

TEXT_SHOWN = 300
# Columns that say which period a row is about; of a date, the year does.
_PERIODS = ("delivery_period", "year")
_DATES = ("reference_date", "period_end", "period_start")
_OBSERVATION = "observation_id"
ADDRESS = ("department", "extract", "delivery_period", "source_file", "source_sheet", "source_row", "source_column")


def text_of(value: Any) -> str:
    """A value as people write it: decimals without the zeros of their type."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def as_row(cells: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """One failing row: its columns as text, without those that have no value."""
    return {column: text_of(value) for column, value in cells if value is not None}


def failing_rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, str]]:
    """The rows of a query in a settled order, as many as are kept."""
    cursor = connection.execute(f"select * from ({sql}) order by all limit {ROWS_KEPT}")
    names = [column[0] for column in cursor.description or []]
    return [as_row(zip(names, row, strict=True)) for row in cursor.fetchall()]


def region_of(row: dict[str, str]) -> str | None:
    """The region that a failing row is about, where it says so."""
    return row.get("region_code")


def period_of(row: dict[str, str]) -> str | None:
    """The period that a failing row is about, where it says so: a delivery period, or a year."""
    for column in _PERIODS:
        if row.get(column):
            return row[column]
    return next((row[column][:4] for column in _DATES if row.get(column)), None)


def line_of(row: dict[str, str]) -> str:
    """A failing row in one line."""
    return ", ".join(f"{column}={value}" for column, value in row.items())[:TEXT_SHOWN]


def listed(lines: list[str], count: int, shown: int) -> str:
    """The first lines of `count`, and how many more there are."""
    more = count - min(len(lines), shown)
    return "\n".join(lines[:shown] + ([f"… and {more:,} more"] if more > 0 else []))


def addressed_line(row: dict[str, str]) -> str:
    """A failing row in one line, the delivered cell it stands in at its end."""
    said = {c: v for c, v in row.items() if c not in (*ADDRESS, "departments") and not c.endswith(_OBSERVATION)}
    sheet = f" [{row['source_sheet']}]" if row.get("source_sheet") else ""
    cell = f"row {row.get('source_row', '-')}, column {row.get('source_column', '-')}"
    return f"{line_of(said)} — {row['delivery_period']}/{row['source_file']}{sheet} {cell}"


def with_addresses(
    connection: duckdb.DuckDBPyConnection, results: list[CheckResult], shown: int = 20
) -> list[CheckResult]:
    """Results whose failing rows name an observation, with the file, sheet, row and column it stands in.

    A row names it in `observation_id`, or in a column that ends so; of several, the first gives the address, the
    others' departments and addresses stand in `departments` and `compared_with`. A build without observations
    leaves results as they are.
    """
    naming = [
        (row, ids)
        for result in results
        for row in result.rows
        if (ids := [v for c, v in row.items() if c.endswith(_OBSERVATION)]) and "source_file" not in row
    ]
    if not naming:
        return results
    try:
        cursor = connection.execute(
            f"select observation_id, {', '.join(ADDRESS)}, provenance from source.observation "
            "where observation_id in (select unnest(?))",
            [sorted({observation_id for _, ids in naming for observation_id in ids})],
        )
    except duckdb.Error:
        return results
    found = {str(o): as_row(zip((*ADDRESS, "provenance"), cells, strict=True)) for o, *cells in cursor.fetchall()}
    for row, ids in naming:
        addresses = [found[observation_id] for observation_id in ids if observation_id in found]
        for address in addresses[:1]:
            row.update({column: value for column, value in address.items() if column not in row})
        if others := addresses[1:]:
            row["departments"] = ";".join(dict.fromkeys(other["department"] for other in others))
            row["compared_with"] = "; ".join(" ".join(other[c] for c in ADDRESS if c in other) for other in others)
        if any(other.get("provenance") != "official" for other in addresses):
            row["provenance"] = "synthetic"
    changed = {id(row) for row, _ in naming if "source_file" in row}
    return [
        replace(result, locations=listed([addressed_line(row) for row in result.rows], result.failing_rows, shown))
        if result.rows and all(id(row) in changed for row in result.rows)
        else result
        for result in results
    ]
