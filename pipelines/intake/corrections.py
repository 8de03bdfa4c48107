"""Our own corrections at work: which row and cell each means, what was found there, and what must be said of it.

What a correction is stands in `jurisdiction.corrections`. A sheet does those that fit it; that each is done exactly
once in all files of its delivery is judged over them, because one delivery may be several files and sheets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from pipelines.formats import ROW
from pipelines.intake.frames import DROPPED
from pipelines.intake.layout import Plan
from pipelines.jurisdiction.corrections import Correction
from pipelines.jurisdiction.text import normalise, trimmed


@dataclass(frozen=True)
class Outcome:
    """What a correction met in one sheet or file: how often it fitted, and what stood there where it did not."""

    id: str
    fitted: int
    found: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The outcome as plain JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class Corrected:
    """The rows of a sheet after the corrections, and what was done."""

    rows: pl.DataFrame
    cells: dict[tuple[int, str], tuple[Correction, str]]  # row and grid column -> correction and the text it replaced
    outcomes: list[Outcome]


def corrected(rows: pl.DataFrame, plan: Plan, corrections: Iterable[Correction]) -> Corrected:
    """Rows with the corrections done that fit exactly one of them.

    A replaced cell holds its new text, a dropped one stays and is listed in `cells`, a dropped row gets a rule.
    """
    cells: dict[tuple[int, str], tuple[Correction, str]] = {}
    outcomes: list[Outcome] = []
    headers = {value.header: value.cell for value in plan.values} | plan.places
    for correction in corrections:
        place = headers.get(normalise(correction.column))
        named, unknown = _rows_named(rows, plan, correction)
        if place is None or unknown:
            outcomes.append(Outcome(correction.id, 0, f"no column {(unknown or correction.column)!r}"))
            continue
        fitting = [n for n, text in named.select(ROW, place).iter_rows() if trimmed(text) == correction.expect.strip()]
        if len(fitting) != 1:
            seen = [f"{trimmed(text)!r} in row {n}" for n, text in named.select(ROW, place).head(3).iter_rows()]
            found = f"{len(fitting)} rows that fit" if fitting else ", ".join(seen) or "no such row"
            outcomes.append(Outcome(correction.id, len(fitting), found))
            continue
        number = fitting[0]
        outcomes.append(Outcome(correction.id, 1))
        is_row = pl.col(ROW) == number
        if correction.action == "drop_row":
            why = f"{correction.id}: {correction.reason}"
            rows = rows.with_columns(
                pl.when(is_row).then(pl.lit(DROPPED)).otherwise(pl.col("rule")).alias("rule"),
                pl.when(is_row).then(pl.lit(why)).otherwise(pl.col("detail")).alias("detail"),
            )
            continue
        cells[number, place] = (correction, correction.expect.strip())
        if correction.action == "replace":
            new = pl.when(is_row).then(pl.lit(correction.value)).otherwise(pl.col(place))
            rows = rows.with_columns(new.alias(place))
    return Corrected(rows, cells, outcomes)


def _rows_named(rows: pl.DataFrame, plan: Plan, correction: Correction) -> tuple[pl.DataFrame, str]:
    """The rows that a correction may mean, and the first name in its `where` that the sheet does not have."""
    named = rows.filter(pl.col("region_code") == correction.region_code)
    for name, text in correction.where.items():
        if f"d_{name}" in rows.columns:
            named = named.filter(pl.col(f"d_{name}") == text)
        elif normalise(name) in plan.places:
            place = plan.places[normalise(name)]
            keep = [normalise(cell) == normalise(text) for cell in named[place]]
            named = named.filter(pl.Series(keep, dtype=pl.Boolean))
        else:
            return named.clear(), name
    return named, ""


def joined(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """The outcomes of several sheets as one for each correction."""
    by_id: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_id.setdefault(outcome.id, []).append(outcome)
    return [
        Outcome(name, sum(o.fitted for o in own), "; ".join(dict.fromkeys(o.found for o in own if o.found)))
        for name, own in by_id.items()
    ]


def findings(corrections: Iterable[Correction], outcomes: Iterable[Outcome]) -> list[dict[str, str]]:
    """A blocking finding for each correction that did not fit exactly one cell of its delivery."""
    met = {outcome.id: outcome for outcome in joined(outcomes)}
    found = []
    for correction in corrections:
        outcome = met.get(correction.id, Outcome(correction.id, 0, "no readable file of the delivery"))
        if outcome.fitted == 1:
            continue
        found.append(
            {
                "check": "correction",
                "severity": "block",
                "observed": f"{correction.id}: found {outcome.found or f'{outcome.fitted} rows that fit'}",
                "expected": f"{correction.expect!r} once in the column {correction.column}, region "
                f"{correction.region_code}: the correction no longer fits the file; remove or renew it",
            }
        )
    return found
