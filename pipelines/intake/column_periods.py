"""What period a column is about: the one that its header names, or a part of the year that its rows name.

Which texts are which periods is `periods`'s work; what rows name is the sheet's.
"""

from __future__ import annotations

import polars as pl

from pipelines.intake.layout import MatchedValue
from pipelines.intake.periods import Span, part_of_year, period_span
from pipelines.jurisdiction.contract import PARTS_OF_A_YEAR, Layout


def span_of_column(layout: Layout, value: MatchedValue) -> Span | None:
    """First and last day that a column is about, where its header says it.

    None for a column whose header says nothing of it, or nothing that is a period of its kind.
    """
    if value.period is None:
        return None
    if value.part is None:
        return period_span(value.period, layout.period, value.rule.period_kind)
    year = period_span(value.period, layout.period, "year")
    return part_of_year(year[0], value.rule.period_kind or "year", value.part) if year else None


def months_of_part(value: MatchedValue) -> int:
    """How many months a column is about that is one part of the year of its row; zero for any other."""
    if value.part is None or value.period is not None:
        return 0
    return 12 // PARTS_OF_A_YEAR[value.rule.period_kind or "month"]


def with_parts_of_years(table: pl.DataFrame) -> pl.DataFrame:
    """Cells about a part of the year that their row names, with the days of that part."""

    def later(months: pl.Expr) -> pl.Expr:
        return pl.col("row_start").dt.offset_by(pl.format("{}mo", months))

    first, months = pl.col("part_from"), pl.col("part_months")
    is_part = months > 0
    return table.with_columns(
        pl.when(is_part).then(later(first)).otherwise(pl.col("column_start")).alias("column_start"),
        pl.when(is_part)
        .then(later(first + months).dt.offset_by("-1d"))
        .otherwise(pl.col("column_end"))
        .alias("column_end"),
    )
