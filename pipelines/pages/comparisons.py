"""How figures of regions stand to each other: spread, difference beyond chance, bands with their intervals, neighbours.

Pure functions over released figures. No bare rank comes out of here: a region has a fifth it stands in, and, where its
figure has an interval of chance, the positions that the intervals leave open.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.pages.subjects import Figure

BANDS = 5


@dataclass(frozen=True)
class Spread:
    """Lowest, quartiles and highest of the figures of several regions, in the unit of the figures."""

    low: float
    first_quarter: float
    median: float
    third_quarter: float
    high: float
    regions: int


@dataclass(frozen=True)
class Band:
    """The fifth a region stands in (1 is best, or highest where neither is better) and the positions left open.

    `first` and `last` are None where figures have no interval: an order of point values would be a bare rank.
    """

    fifth: int
    first: int | None
    last: int | None
    regions: int


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between neighbours, as DuckDB's `quantile_cont`."""
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread(values: Sequence[float]) -> Spread | None:
    """The spread of figures; None without any."""
    if not values:
        return None
    ordered = sorted(values)
    return Spread(
        ordered[0],
        _quantile(ordered, 0.25),
        _quantile(ordered, 0.5),
        _quantile(ordered, 0.75),
        ordered[-1],
        len(ordered),
    )


def difference(figure: Figure, against: Figure | None, direction: str | None) -> str:
    """better, worse, higher, lower or similar, as far as chance allows; unknown where no interval tells.

    A figure differs when the other lies outside its interval; without one nothing is said, however large the gap.
    """
    if figure.value is None or against is None or against.value is None or figure.low is None or figure.high is None:
        return "unknown"
    if figure.low <= against.value <= figure.high:
        return "similar"
    is_higher = against.value < figure.low
    if direction not in ("higher", "lower"):
        return "higher" if is_higher else "lower"
    return "better" if is_higher == (direction == "higher") else "worse"


def bands(figures: Mapping[str, Figure | None], direction: str | None) -> dict[str, Band]:
    """The band of every region that has a figure.

    The fifth is `floor((q + 1) - ceil((N + 1 - r) q / N))` for the rank r from the best (ties share the first), as in
    PHEindicatormethods. The positions: first is one more than the regions whose interval lies wholly on the better
    side, last is N less those wholly on the worse side.
    """
    known = {code: figure for code, figure in figures.items() if figure is not None and figure.value is not None}
    sign = -1.0 if direction == "lower" else 1.0
    ordered = sorted(sign * figure.value for figure in known.values() if figure.value is not None)
    count = len(ordered)
    has_intervals = count > 0 and all(figure.low is not None and figure.high is not None for figure in known.values())
    lows, highs = list[float](), list[float]()
    if has_intervals:
        ends = [
            sorted((sign * f.low, sign * f.high)) for f in known.values() if f.low is not None and f.high is not None
        ]
        lows, highs = sorted(end[0] for end in ends), sorted(end[1] for end in ends)
    found = {}
    for code, figure in known.items():
        value = sign * (figure.value or 0.0)
        rank = count - bisect_right(ordered, value) + 1
        fifth = max(1, BANDS + 1 - -(-(count + 1 - rank) * BANDS // count))
        first = last = None
        if has_intervals and figure.low is not None and figure.high is not None:
            low, high = sorted((sign * figure.low, sign * figure.high))
            first = 1 + count - bisect_right(lows, high)
            last = count - bisect_left(highs, low)
        found[code] = Band(fifth, first, last, count)
    return found


def neighbours(traits: Mapping[str, Sequence[float]], code: str, count: int = 5) -> list[str]:
    """The regions most like one: least distance over standardised traits. Regions without all traits are left out."""
    if code not in traits:
        return []
    scales = []
    for column in zip(*traits.values(), strict=True):
        mean = sum(column) / len(column)
        scales.append(math.sqrt(sum((value - mean) ** 2 for value in column) / len(column)) or 1.0)
    own = traits[code]
    distance = {
        other: sum(((a - b) / scale) ** 2 for a, b, scale in zip(own, values, scales, strict=True))
        for other, values in traits.items()
        if other != code
    }
    return sorted(distance, key=lambda other: (distance[other], other))[:count]
