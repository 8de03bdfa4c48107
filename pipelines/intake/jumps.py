"""One region's value that is ten, a hundred, a thousand or ten thousand times its neighbours in time, or such a part.

A digit too many, a point in the wrong place or a unit that one office wrote otherwise. When a whole column moves so,
that is drift of the file (`unit_jump`) and not told here. How grave it is stands in the contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf
from statistics import median
from typing import Any

import polars as pl

from pipelines.intake.drift import Read, finding
from pipelines.intake.periods import period_name
from pipelines.store import Warehouse

KIND = "value_jump"
_POWERS = (1, 2, 3, 4)
_NEAR = 0.15  # how close, in powers of ten, both changes must be to a whole power
_LEAST_CHANGE = 1 - _NEAR
# The smaller of two numbers must be so many steps of its last digit: three deaths may become thirty.
_LEAST_STEPS = 50
# How far a value must lie outside of what its series and its column are like, in median distances from their medians
# (five are about three standard deviations): net amounts, small between large ones, change tenfold in honest years.
_LEAST_DISTANCES = 5
# Without the period right beside it, a value needs so many others of its series: of three distant years nobody can tell
# a slip from what happened between them.
_LEAST_OTHERS = 4
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
        .filter(pl.col("value").is_not_null())
    )


def jumps(frame: pl.DataFrame) -> list[Jump]:
    """Every value of `observations` that is out of line with its own series and with what its column did.

    Both the change to its neighbour in time and the distance to the median of the series' other values must be the same
    power of ten, when the same of the other regions has been taken off, and far outside of what these and the series'
    other values are like. Values of the other sign, and zeros, are as far away as can be: a series about zero has no
    proportions.
    """
    if frame.is_empty():
        return []
    sized = frame.with_columns(
        pl.when(pl.col("value") != 0).then(pl.col("value").cast(pl.Float64).abs().log10()).alias("size")
    ).sort(*_SERIES, "period_end")
    step = pl.col("size") - pl.col("size").shift(1).over(_SERIES)
    common = pl.col("step").median().over(*_COLUMN, "period_end")
    steps = sized.filter(pl.col("size").is_not_null()).with_columns(step.alias("step"))
    # few columns have any: only these are looked at number by number
    is_wide = (pl.col("step").abs() >= _LEAST_CHANGE) | ((pl.col("step") - common).abs() >= _LEAST_CHANGE)
    columns = steps.filter(is_wide).select(_COLUMN).unique()
    if columns.is_empty():
        return []
    found: list[Jump] = []
    near = sized.join(columns, on=_COLUMN, how="semi", nulls_equal=True, maintain_order="left")
    for _, column in near.group_by(_COLUMN, maintain_order=True):
        found += _of_column(column.to_dicts())
    return found


@dataclass(frozen=True)
class _Move:
    """How one value lies to its own series: both in powers of ten."""

    row: dict[str, Any]
    neighbour: dict[str, Any]
    change: float  # against its neighbour in time
    distance: float  # against the median of the series' other values
    series: list[dict[str, Any]]


_Moves = dict[Any, list[_Move]]  # of one column, by period


def _of_column(rows: list[dict[str, Any]]) -> list[Jump]:
    """The jumps of one measure of one kind of people: `rows` are sorted by region and time."""
    series: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        series.setdefault(row["region_code"], []).append(row)
    moves: _Moves = {}
    for own in series.values():
        for move in _moves(own):
            moves.setdefault(move.row["period_end"], []).append(move)
    found = []
    for at_once in moves.values():
        for move in at_once:
            rest = [other for other in at_once if other is not move]
            changed = _middle(other.change for other in rest)
            change = move.change - changed
            distance = move.distance - _middle(other.distance for other in rest)
            power = _power(change)
            if power is None or power != _power(distance):
                continue
            usual = max(_middle(abs(other.change - changed) for other in rest), _spread(move, moves))
            if min(abs(change), abs(distance)) < _LEAST_DISTANCES * usual:
                continue
            if min(_steps(move.row), _steps(move.neighbour)) >= _LEAST_STEPS:
                found.append(Jump(move.row, power, 10 ** (move.row["size"] - distance), move.neighbour))
    place = {id(row): at for at, row in enumerate(rows)}
    return sorted(found, key=lambda jump: place[id(jump.row)])


def _moves(own: list[dict[str, Any]]) -> Iterator[_Move]:
    """How each value of a series, sorted by time, lies to the others, where it has neighbours enough to tell."""
    for sign in (True, False):
        alike = [row for row in own if row["size"] is not None and (row["value"] > 0) == sign]
        for at, row in enumerate(alike):
            # Of two values nobody can say which is wrong: the later one is told.
            if len(alike) < 2 or (at == 0 and len(alike) == 2):
                continue
            neighbour = alike[at - 1] if at else alike[1]
            if len(own) - 1 < _LEAST_OTHERS and not _is_next(row, neighbour):
                continue
            typical = _middle(other["size"] for other in alike if other is not row)
            yield _Move(row, neighbour, row["size"] - neighbour["size"], row["size"] - typical, own)


def _spread(move: _Move, moves: _Moves) -> float:
    """How far the other values of a series lie from their median, when what other regions did has been taken off."""
    sizes, unlike = [], 0
    for row in move.series:
        if row is move.row:
            continue
        if row["size"] is None or (row["value"] > 0) != (move.row["value"] > 0):
            unlike += 1
            continue
        at_once = moves.get(row["period_end"], [])
        sizes.append(row["size"] - _middle(other.distance for other in at_once if other.series is not move.series))
    typical = _middle(sizes)
    return _middle([*(abs(size - typical) for size in sizes), *[inf] * unlike])


def _middle(values: Iterable[float]) -> float:
    """The median; 0 of none."""
    listed = list(values)
    return median(listed) if listed else 0.0


def _is_next(row: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether no period of a series fits between two of its values; what is about a day comes once a year at least."""
    days, months = abs((row["period_end"] - other["period_end"]).days), row["months"] or 12
    return bool(days < 1.5 * 30 * months)


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
    when = period_name(neighbour["period_start"], neighbour["period_end"])
    found = finding(
        KIND,
        severity,
        f"{told}{more}",
        f"about {first.typical:,.6g}, as {value} in {when}, {neighbour['source_file']} row {neighbour['source_row']}",
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
    when = period_name(row["period_start"], row["period_end"])
    return f"{_place(row)}: {_region(row)} {when} {about} {value} is {said} its neighbours in time"


def _place(row: dict[str, Any]) -> str:
    sheet = f" [{row['source_sheet']}]" if row["source_sheet"] else ""
    return f"row {row['source_row']}, column {row['source_column']}{sheet}"


def _region(row: dict[str, Any]) -> str:
    code, name = row["region_code"], row["region_name_reported"]
    return f"{code} {name}" if name and name != code else str(code)
