"""How figures are written for people: rounded half up from exact values, missing as a dash.

How many decimals a figure has is its subject's business (`dim_subject`).

It formats and computes nothing; why a value is missing is written beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

MISSING = "–"
# Decimals of what is no subject and so has none in `dim_subject`: percentages of something and years; ratios and
# factors; attainments of a target (cut, as a degree is); measures of inequality.
PERCENT, RATIO, ATTAINMENT, MEASURE = 1, 2, 3, 5


@dataclass(frozen=True)
class Written:
    """A figure in both languages."""

    zh: str
    en: str


def exact(value: Decimal | float | int) -> Decimal:
    """A figure as a decimal; a double by its shortest text, which is what a reader of the table sees."""
    return value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else value)


def rounded(value: Decimal | float | int | None, places: int = 0) -> str:
    """A figure with thousands separators, rounded half up."""
    if value is None:
        return MISSING
    number = exact(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{number:,.{places}f}"


def rounded_down(value: Decimal | float | int | None, places: int) -> str:
    """A figure with its places cut off: what misses its target by a hair must not read as one that meets it."""
    if value is None:
        return MISSING
    return f"{exact(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_DOWN):f}"


def plain(value: Decimal | float | int | None) -> str:
    """A figure with all its places and no trailing zeros."""
    if value is None:
        return MISSING
    text = f"{exact(value):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def large(value: Decimal | float | int | None) -> Written:
    """A large figure in units that each language counts in."""
    if value is None:
        return Written(MISSING, MISSING)
    size = abs(exact(value))

    def scaled(exponent: int, unit: str) -> str:
        number = exact(value).scaleb(-exponent)
        return rounded(number, 0 if abs(number) >= 1000 else 1 if abs(number) >= 10 else 2) + unit

    if size < 10_000:
        return Written(plain(value), plain(value))
    zh = scaled(8, " 亿") if size >= 10**8 else scaled(4, " 万")
    en = scaled(9, " bn") if size >= 10**9 else scaled(6, " m") if size >= 10**6 else scaled(3, " k")
    return Written(zh, en)


def nice_ticks(highest: float, count: int = 5) -> list[float]:
    """Round numbers from zero to at least `highest`, about `count` of them."""
    return [0.0, 1.0] if highest <= 0 else ticks_between(0.0, highest, count)


def ticks_between(lowest: float, highest: float, count: int = 5) -> list[float]:
    """Round numbers from at most `lowest` to at least `highest`, about `count` of them."""
    rough = (highest - lowest) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    ticks = [round(math.floor(lowest / step) * step, 10)]
    while ticks[-1] < highest:
        ticks.append(round(ticks[-1] + step, 10))
    return ticks
