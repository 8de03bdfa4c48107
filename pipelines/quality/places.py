"""Failing rows as text, and where they are: region, period, file, sheet, row and column.

Every kind of check hands its failing rows over in this form; waivers are matched by it and departments find their
cells by it. Which rows fail is each check's own business.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import duckdb

from pipelines.records import ROWS_KEPT, CheckResult

TEXT_SHOWN = 300
# Columns that say which period a row is about; of a date, the year does.
_PERIODS = ("delivery_period", "year")
_DATES = ("reference_date", "period_end", "period_start")
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


def with_addresses(connection: duckdb.DuckDBPyConnection, results: list[CheckResult]) -> None:
    """Give failing rows that name an observation the file, sheet, row and column it stands in.

    A row names it in `observation_id`, or in a column that ends so. Rows are changed in place; a build without
    observations leaves them as they are.
    """
    named: dict[str, list[dict[str, str]]] = {}
    for result in results:
        for row in result.rows:
            for column, value in row.items():
                if column.endswith("observation_id") and "source_file" not in row:
                    named.setdefault(value, []).append(row)
    if not named:
        return
    try:
        cursor = connection.execute(
            f"select observation_id, {', '.join(ADDRESS)}, provenance from source.observation "
            "where observation_id in (select unnest(?))",
            [list(named)],
        )
    except duckdb.Error:
        return
    for observation_id, *cells in cursor.fetchall():
        for row in named[observation_id]:
            for column, value in as_row(zip((*ADDRESS, "provenance"), cells, strict=True)).items():
                row.setdefault(column, value)
