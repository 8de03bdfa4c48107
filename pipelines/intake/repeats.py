"""The same delivery once more under another period: the same bytes, or the same figures in other bytes.

Last year's file in this year's folder reads without a fault, and every figure in it is wrong. Which deliveries are
compared is `vintages`' and `run.holding`'s work; here is only said whether two of them are the same.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from pipelines.intake.drift import Read, finding
from pipelines.jurisdiction.cadence import span_of
from pipelines.records import Reading, Receipt
from pipelines.store import Warehouse

KIND = "repeated_delivery"
# Six numbers may stay the same from one year to the next; five different ones of two digits or more do not.
_MORE_THAN = 5
_TELLING = 5
_ABOUT = ("measure", "region_code", "population_basis", "residence", "sex", "age_group", "group", "item")


def repeated(after: Read, earlier: Iterable[Read], severity: str, warehouse: Warehouse) -> dict[str, str] | None:
    """The finding that a delivery holds the bytes or the figures of one of another period; None when it does not."""
    for before in earlier:
        if before.receipt.delivery_period == after.receipt.delivery_period:
            continue
        if before.receipt.sha256 == after.receipt.sha256:
            return of_same_bytes(after.receipt, before.receipt, severity)
        count = same_figures(before.reading, after.reading, warehouse)
        if count:
            return _found(after.receipt, before.receipt, severity, f"the same {count:,} figures as")
    return None


def of_same_bytes(after: Receipt, before: Receipt, severity: str) -> dict[str, str]:
    """The finding that two files of different periods have the same bytes, on the one that came later."""
    return _found(after, before, severity, "the same bytes as")


def _found(after: Receipt, before: Receipt, severity: str, what: str) -> dict[str, str]:
    found = finding(
        KIND,
        severity,
        f"{after.landing_path} holds {what} {before.landing_path}",
        f"figures of {after.delivery_period}, not those of {before.delivery_period} once more",
    )
    return {**found, "against": before.receipt_id}


def are_apart(one: str, other: str) -> bool:
    """True when two delivery periods, as their folders are named, have no day in common."""
    spans = span_of(one), span_of(other)
    if spans[0] is None or spans[1] is None:
        return one != other
    return spans[0][1] < spans[1][0] or spans[1][1] < spans[0][0]


def same_figures(before: Reading, after: Reading, warehouse: Warehouse) -> int:
    """How many figures two readings have in common when all are the same, whatever their periods; 0 when not.

    0 also where there are so few of them, or so few that tell anything, that chance alone could make them the same.
    """
    marks = ("values", "sum", "data_rows")
    if any(before.profile.get(mark) != after.profile.get(mark) for mark in marks):
        return 0
    if int(after.profile.get("values", 0)) <= _MORE_THAN:
        return 0
    one, other = (_figures(reading, warehouse) for reading in (before, after))
    if not one.equals(other):
        return 0
    values = one["value"].drop_nulls()
    telling = {text for text in values.cast(pl.String) if len(_digits(text)) > 1}
    return values.len() if len(telling) >= _TELLING else 0


def _digits(number: str) -> str:
    """The digits that count: without sign, point, and the zeros before and behind them."""
    return number.lstrip("-").replace(".", "").strip("0")


def _figures(reading: Reading, warehouse: Warehouse) -> pl.DataFrame:
    """The figures of a reading by what they are about, the periods only by their order, in a settled order."""
    path = warehouse.folder / reading.folder / "accepted.parquet"
    frame = pl.read_parquet(path, columns=[*_ABOUT, "period_start", "period_end", "value"])
    place = pl.concat_str("period_start", "period_end").rank("dense")
    return frame.select(*_ABOUT, place.alias("place"), "value").sort(*_ABOUT, "place", "value", nulls_last=True)
