"""One region's value that is ten, a hundred, a thousand or ten thousand times its neighbours in time, or such a part.

A digit too many, a point in the wrong place or a unit that one office wrote otherwise. When a whole column moves so,
that is drift of the file (`unit_jump`) and not told here. How grave it is stands in the contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

import polars as pl

from pipelines.intake.drift import Read, finding
from pipelines.store import Warehouse

KIND = "value_jump"
_POWERS = (1, 2, 3, 4)
_NEAR = 0.15  # how close, in powers of ten, both changes must be to a whole power
_LEAST_CHANGE = 1 - _NEAR
# The smaller of two numbers must be so many steps of its last digit: three deaths may become thirty.
_LEAST_STEPS = 50
_LISTED = 5  # cells of one column; where more of them moved, they are told in one finding
_COLUMN = ("measure", "population_basis", "residence", "sex", "age_group", "group", "item", "months")
_SERIES = (*_COLUMN, "region_code")
_READ = (
    "measure", "population_basis", "residence", "sex", "age_group", "group", "item", "region_code",
    "region_name_reported", "period_start", "period_end", "value", "value_reported", "source_file", "source_sheet",
    "source_row", "source_column", "receipt_id",
)  # fmt: skip


@dataclass(frozen=True)
class Jump:
    """One cell out of line: its row of the observations, how many times its neighbours it is, and one of those."""

    row: dict[str, Any]
    power: int  # 2: a hundred times; -2: a hundredth
    typical: float
    neighbour: dict[str, Any]


def findings(reads: Iterable[Read], severity: str, warehouse: Warehouse) -> list[tuple[str, dict[str, str]]]:
    """The findings on deliveries that are in force together, each with the id of the receipt it stands in."""
    if severity == "ignore":
        return []
    by_column: dict[tuple[Any, ...], list[Jump]] = {}
    for jump in jumps(observations(reads, warehouse)):
        key = (jump.row["receipt_id"], *(jump.row[name] for name in _COLUMN))
        by_column.setdefault(key, []).append(jump)
    found = []
    for own in by_column.values():
        receipt_id = str(own[0].row["receipt_id"])
        if len(own) <= _LISTED:
            found += [(receipt_id, _finding([jump], severity)) for jump in own]
        else:
            found.append((receipt_id, _finding(own, severity)))
    return found


def observations(reads: Iterable[Read], warehouse: Warehouse) -> pl.DataFrame:
    """The numbers of deliveries that count together: of several reports of one figure, that of the last delivery."""
    frames = [
        pl.read_parquet(warehouse.folder / read.reading.folder / "accepted.parquet", columns=list(_READ)).with_columns(
            pl.lit(place).alias("place")
        )
        for place, read in enumerate(sorted(reads, key=lambda r: (r.receipt.delivery_period, r.receipt.sequence)))
    ]
    if not frames:
        return pl.DataFrame(schema=dict.fromkeys((*_READ, "months", "place"), pl.String))
    days = (pl.col("period_end") - pl.col("period_start")).dt.total_days()
    # years, half-years, quarters and months are series of their own; leap days do not matter
    return (
        pl.concat(frames)
        .with_columns((days / 30).round().cast(pl.Int64).alias("months"))
        .sort("place")
        .unique([*_SERIES, "period_end"], keep="last", maintain_order=True)
        .filter(pl.col("value").is_not_null() & (pl.col("value") != 0))
    )


def jumps(frame: pl.DataFrame) -> list[Jump]:
    """Every value of `observations` that is out of line with its own series and with what its column did.

    Both the change to the value before (of a first value: after) and the distance to the median of the series'
    other values must be the same power of ten, when the same of the other regions has been taken off.
    """
    if frame.is_empty():
        return []
    sized = frame.with_columns(pl.col("value").cast(pl.Float64).abs().log10().alias("size")).sort(
        *_SERIES, "period_end"
    )
    step = (pl.col("size") - pl.col("size").shift(1).over(_SERIES)).abs() >= _LEAST_CHANGE
    columns = sized.filter(step).select(_COLUMN).unique()
    if columns.is_empty():
        return []
    found: list[Jump] = []
    near = sized.join(columns, on=_COLUMN, how="semi", nulls_equal=True, maintain_order="left")
    for _, column in near.group_by(_COLUMN, maintain_order=True):
        found += _of_column(column.to_dicts())
    return found


def _of_column(rows: list[dict[str, Any]]) -> list[Jump]:
    """The jumps of one measure of one kind of people: `rows` are sorted by region and time."""
    series: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        series.setdefault(row["region_code"], []).append(row)
    moved: dict[Any, dict[str, tuple[float, float]]] = {}  # period -> region -> change in time, distance to its series
    beside: dict[tuple[str, Any], dict[str, Any]] = {}
    for region, own in series.items():
        if len(own) < 2:
            continue
        for at, row in enumerate(own):
            # Of two values nobody can say which is wrong: the later one is told.
            neighbour = own[at - 1] if at else own[1]
            if at == 0 and len(own) == 2:
                continue
            others = [other["size"] for other in own if other is not row]
            moved.setdefault(row["period_end"], {})[region] = (
                row["size"] - neighbour["size"],
                row["size"] - median(others),
            )
            beside[region, row["period_end"]] = neighbour
    found = []
    for row in rows:
        here = moved.get(row["period_end"], {})
        if row["region_code"] not in here:
            continue
        rest = [pair for region, pair in here.items() if region != row["region_code"]]
        usual = [median(values) for values in zip(*rest, strict=True)] if rest else [0.0, 0.0]
        change, distance = (own - common for own, common in zip(here[row["region_code"]], usual, strict=True))
        power = _power(change)
        if power is None or power != _power(distance):
            continue
        neighbour = beside[row["region_code"], row["period_end"]]
        if min(_steps(row), _steps(neighbour)) >= _LEAST_STEPS:
            found.append(Jump(row, power, 10 ** (row["size"] - distance), neighbour))
    return found


def _steps(row: dict[str, Any]) -> float:
    """How often a number holds the step of its last digit, as it was reported: 452 for 45.2, 3 for 3."""
    digits = "".join(re.findall(r"[0-9]", row["value_reported"] or ""))
    return float(digits) if digits else abs(float(row["value"]))


def _power(change: float) -> int | None:
    """The power of ten that a change of size is about, with its direction; None when it is about none."""
    for power in _POWERS:
        if abs(abs(change) - power) < _NEAR:
            return power if change > 0 else -power
    return None


def _finding(own: list[Jump], severity: str) -> dict[str, str]:
    """One cell, or what many cells of a column have in common, with the first of them."""
    first = own[0]
    told = "; ".join(_cell(jump) for jump in own[:3])
    more = f"; and {len(own) - 3} more cells of this column" if len(own) > 3 else ""
    neighbour, value = first.neighbour, f"{first.neighbour['value'].normalize():f}"
    found = finding(
        KIND,
        severity,
        f"{told}{more}",
        f"about {first.typical:,.6g}, as {value} in {_year(neighbour)}, {neighbour['source_file']} "
        f"row {neighbour['source_row']}",
    )
    return {**found, "place": "; ".join(f"{_place(jump.row)}: {_region(jump.row)}" for jump in own[:3]) + more}


def _cell(jump: Jump) -> str:
    """One cell with its value, and how far it is out of line."""
    row = jump.row
    times = f"{10 ** abs(jump.power):,}"
    said = f"about {times} times" if jump.power > 0 else f"about 1/{times} of"
    parts = [row[name] for name in ("residence", "sex", "age_group", "group", "item")]
    about = " ".join([row["measure"], *(part for part in parts if part not in ("all", "total"))])
    value = f"{row['value'].normalize():f}"
    return f"{_place(row)}: {_region(row)} {_year(row)} {about} {value} is {said} its neighbours in time"


def _place(row: dict[str, Any]) -> str:
    sheet = f" [{row['source_sheet']}]" if row["source_sheet"] else ""
    return f"row {row['source_row']}, column {row['source_column']}{sheet}"


def _region(row: dict[str, Any]) -> str:
    code, name = row["region_code"], row["region_name_reported"]
    return f"{code} {name}" if name and name != code else str(code)


def _year(row: dict[str, Any]) -> str:
    is_year = row["months"] == 0 or row["months"] >= 12
    return f"{row['period_end']:{'%Y' if is_year else '%Y-%m'}}"
