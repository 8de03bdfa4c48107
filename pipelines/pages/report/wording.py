"""How figures become words that claim no more than the figures: rounding, comparing, counting.

Every function takes exact values and gives text. A figure that is rounded never lands on the other side of what it
is compared with, and two figures that look the same are called the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from pipelines.pages.numbers import MISSING, exact, rounded

Number = Decimal | float | int
MOST_PLACES = 9


def _at(value: Number, places: int) -> Decimal:
    return exact(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def beside(value: Number | None, limit: Number | Sequence[Number] | None, places: int = 1) -> str:
    """A figure rounded to at least `places`, and to as many more as it takes to stand on its side of every limit."""
    if value is None:
        return MISSING
    if limit is None:
        return rounded(value, places)
    number = exact(value)
    bounds = [exact(bound) for bound in (limit if isinstance(limit, Sequence) else (limit,))]
    for more in range(places, MOST_PLACES + 1):
        shown = _at(number, more)
        if all((shown < bound, shown > bound) == (number < bound, number > bound) for bound in bounds):
            return f"{shown:,.{more}f}"
    return f"{number:,f}"


def percent(value: Number | None, limit: Number | Sequence[Number] | None = None, places: int = 1) -> str:
    """A percentage, beside its limits where it has some."""
    return MISSING if value is None else f"{beside(value, limit, places)}%"


def attainment(value: Number | None) -> str:
    """A share of a target in per cent, cut off: 0.9996 must not read as a target that is met."""
    if value is None:
        return MISSING
    return f"{(exact(value) * 100).quantize(Decimal('0.1'), rounding=ROUND_DOWN):f}%"


def change(difference: Number, unit: str, places: int = 1) -> str:
    """How a figure changed; a change that rounds to nothing is called so."""
    if difference == 0:
        return "没有变化"
    shown = _at(abs(exact(difference)), places)
    if shown == 0:
        half = Decimal(5).scaleb(-places - 1)
        return f"基本持平（变化不足{half:f}{unit}）"
    return f"{'提高' if difference > 0 else '下降'}{shown:,.{places}f}{unit}"


def extremes(values: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]] | None:
    """The names with the highest and with the lowest value, all whose texts are the same; None if all are.

    A value is the text that is shown, with or without a percent sign.
    """
    if not values:
        return None
    shown = [(name, Decimal(text.rstrip("%").replace(",", ""))) for name, text in values]
    highest, lowest = max(v for _, v in shown), min(v for _, v in shown)
    if highest == lowest:
        return None
    return [n for n, v in shown if v == highest], [n for n, v in shown if v == lowest]


def part(count: int, whole: int, unit: str = "个") -> str:
    """So many of so many, with all and none in words."""
    if count == whole:
        return f"全部{whole}{unit}"
    return f"{whole}{unit}中有{count}{unit}" if count else f"{whole}{unit}中没有一{unit}"


def several(names: Sequence[str], most: int = 8) -> str:
    """Names one after the other; of many the first, and how many they are."""
    if len(names) <= most:
        return "、".join(names)
    return f"{'、'.join(names[:most])}等{len(names)}个"


def share(value: Number | None, places: int = 1) -> str:
    """A share from 0 to 1 in per cent; all and nothing are only called so where they are."""
    return MISSING if value is None else percent(exact(value).scaleb(2), (0, 100), places)
