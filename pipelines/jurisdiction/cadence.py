"""When deliveries are due by a contract: which periods an extract owes, and until when each may come.

It reckons with names of periods and dates. What has come is `intake`'s business, what lateness means for a release
is `quality`'s.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.jurisdiction.contract import Contract

# How people name a period of each kind: what stands between the numbers is theirs, and the next name keeps it.
_NAMES = {
    "y": re.compile(r"(?P<a>\D*)(?P<year>\d{4})(?P<b>[-/–](?P<to>\d{4}|\d{2}))?(?P<z>\D*)"),
    "h": re.compile(r"(?P<a>\D*)(?P<year>\d{4})(?P<b>[-_ ]?[HhSs])(?P<part>[12])(?P<z>\D*)"),
    "q": re.compile(r"(?P<a>\D*)(?P<year>\d{4})(?P<b>[^\dHhSs]*)(?P<part>[1-4])(?P<z>\D*)"),
    "m": re.compile(r"(?P<a>\D*)(?P<year>\d{4})(?P<b>\D*)(?P<part>0[1-9]|1[0-2])(?P<z>\D*)"),
    "w": re.compile(r"(?P<a>\D*)(?P<year>\d{4})(?P<b>\D*)(?P<part>\d{2})(?P<z>\D*)"),
    "d": re.compile(r"(?P<a>\D*)(?P<year>\d{4})(?P<b>\D*)(?P<part>\d{2})(?P<c>\D*)(?P<day>\d{2})(?P<z>\D*)"),
}
_PARTS = {"h": 2, "q": 4}  # how many of them a year has
_MAX_PERIODS = 20_000  # a daily extract of fifty years


@dataclass(frozen=True)
class Owed:
    """One delivery that a contract asks for."""

    delivery_period: str
    due_on: date  # the last day on which it is in time


class _Names:
    """Periods of one kind as whole numbers in order, and the name of each such number as this extract writes it."""

    def __init__(self, unit: str, sample: str) -> None:
        self.unit = unit
        match = _NAMES[unit].fullmatch(sample)
        if match is None:
            raise ValueError(f"{sample!r} names no period of the kind {unit!r}")
        self.parts = match.groupdict()

    def name(self, number: int) -> str:
        """The name of a period, written as the sample is."""
        part = self.parts
        if self.unit == "y":
            to = part.get("to")
            end = f"{(part['b'] or '-')[0]}{str(number + 1)[-len(to) :]}" if to else ""
            return f"{part['a']}{number:04}{end}{part['z']}"
        if self.unit in _PARTS:
            parts = _PARTS[self.unit]
            return f"{part['a']}{number // parts:04}{part['b']}{number % parts + 1}{part['z']}"
        if self.unit == "m":
            return f"{part['a']}{number // 12:04}{part['b']}{number % 12 + 1:02}{part['z']}"
        if self.unit == "w":
            year, week, _ = date.fromordinal(number * 7 + 1).isocalendar()
            return f"{part['a']}{year:04}{part['b']}{week:02}{part['z']}"
        day = date.fromordinal(number)
        return f"{part['a']}{day:%Y}{part['b']}{day:%m}{part['c']}{day:%d}{part['z']}"


def number_of(period: str, unit: str) -> int | None:
    """A period's place in the order of its kind (`y`, `h`, `q`, `m`, `w`, `d`), or None for none of that kind."""
    match = _NAMES[unit].fullmatch(period)
    if match is None:
        return None
    year = int(match["year"])
    try:
        if unit == "y":
            to = match["to"]
            return year if to is None or int(to) == (year + 1) % 10 ** len(to) else None
        if unit in _PARTS:
            return year * _PARTS[unit] + int(match["part"]) - 1
        if unit == "m":
            return year * 12 + int(match["part"]) - 1
        if unit == "w":
            return (date.fromisocalendar(year, int(match["part"]), 1).toordinal() - 1) // 7
        return date(year, int(match["part"]), int(match["day"])).toordinal()
    except ValueError:  # a 31st of June
        return None


def span_of(period: str, unit: str | None = None) -> tuple[date, date] | None:
    """First and last day of a period of whatever kind, or None for a name that is no period.

    `unit` says of which kind they are where a name could be of two: 2010-11 is a November, or a year that ends in 2011.
    """
    for kind in (unit, *_NAMES) if unit else _NAMES:
        number = number_of(period, kind)
        if number is not None:
            return _first_day(kind, number), _first_day(kind, number + 1) - timedelta(days=1)
    return None


class Periods(Container[str]):
    """Delivery periods as people ask for them: one by its name, or `FIRST..LAST`, of which one may be left out.

    Raises ValueError for a range whose ends are no periods or stand the wrong way round.
    """

    def __init__(self, text: str, unit: str | None = None) -> None:
        self.text, self.unit = text, unit
        self.is_range = ".." in text
        first, _, last = text.partition("..")
        self._first = self._last = None
        if not self.is_range:
            return
        for name in filter(None, (first, last)):
            if span_of(name, unit) is None:
                raise ValueError(f"{name!r} is no period; a range is written like 2015..2018 or 2020-11..2021-02")
        self._first, self._last = (span_of(name, unit) if name else None for name in (first, last))
        if self._first and self._last and self._first[0] > self._last[1]:
            raise ValueError(f"{first} comes after {last}")

    def __contains__(self, period: object) -> bool:
        """True when the whole of a period lies in what was asked for."""
        if not self.is_range:
            return period == self.text
        span = span_of(period, self.unit) if isinstance(period, str) else None
        return (
            span is not None
            and (self._first is None or span[0] >= self._first[0])
            and (self._last is None or span[1] <= self._last[1])
        )


def _first_day(unit: str, number: int) -> date:
    if unit == "y":
        return date(number, 1, 1)
    if unit in _PARTS:
        parts = _PARTS[unit]
        return date(number // parts, number % parts * (12 // parts) + 1, 1)
    if unit == "m":
        return date(number // 12, number % 12 + 1, 1)
    return date.fromordinal(number * 7 + 1 if unit == "w" else number)


def _last_day(contract: Contract, unit: str, number: int, is_span: bool) -> date:
    """The last day that a delivery period is about. A year ends where the contract's own years end."""
    if unit != "y":
        return _first_day(unit, number + 1) - timedelta(days=1)
    rule = contract.records.period if contract.records is not None else contract.layouts[0].period
    starts, month_day = getattr(rule, "starts", "01-01"), getattr(rule, "month_day", "12-31")
    if rule.kind == "point":
        return _day(number, month_day)
    if starts == "01-01":
        return date(number, 12, 31)
    ends_next_year = is_span or getattr(rule, "named_by", "start") == "start"
    return _day(number + ends_next_year, starts) - timedelta(days=1)


def _day(year: int, month_day: str) -> date:
    month, day = (int(part) for part in month_day.split("-"))
    return date(year, month, min(day, monthrange(year, month)[1]))


def _later(unit: str) -> Callable[[date, int], date]:
    """How a latency is added: days and weeks by the calendar, months to the same day or month's end."""

    def months(day: date, count: int) -> date:
        month = day.year * 12 + day.month - 1 + count
        is_end = day.day == monthrange(day.year, day.month)[1]
        last = monthrange(month // 12, month % 12 + 1)[1]
        return date(month // 12, month % 12 + 1, last if is_end else min(day.day, last))

    return {
        "d": lambda day, count: day + timedelta(days=count),
        "w": lambda day, count: day + timedelta(weeks=count),
        "m": months,
        "q": lambda day, count: months(day, 3 * count),
        "h": lambda day, count: months(day, 6 * count),
        "y": lambda day, count: months(day, 12 * count),
    }[unit]


def owed(contract: Contract, come: set[str]) -> Iterator[Owed]:
    """The deliveries that a contract asks for, in order, from the first on and without end.

    `come` holds the delivery periods that are there. The first owed is the contract's `generalAvailability`, or else
    the first that came; the last is its `endOfSupport`. Nothing is owed without `frequency` and `latency`, and
    nothing can be said while no name of a period can be read.
    """
    levels = {level.property: level for level in contract.slaProperties}
    frequency, latency = levels.get("frequency"), levels.get("latency")
    if frequency is None or latency is None:
        return
    unit, step, reach = frequency.unit, int(frequency.value), _later(latency.unit)
    start, end = levels.get("generalAvailability"), levels.get("endOfSupport")
    known = {number: name for name in sorted(come) if (number := number_of(name, unit)) is not None}
    if start is not None:
        first, sample = number_of(str(start.value), unit), str(start.value)
    else:
        first = min(known, default=None)
        sample = known[first] if first is not None else ""
    if first is None:
        return
    last = number_of(str(end.value), unit) if end is not None else None
    names = _Names(unit, known[max(known)] if known else sample)
    # Where a delivery replaces all that came before, what lies before the newest is no longer missed.
    passed = max(known, default=first - 1) if contract.delivery == "replaces_all" else first - 1
    for number in range(first, first + step * _MAX_PERIODS, step):
        if last is not None and number > last:
            return
        name = known.get(number) or names.name(number)
        if number not in known and number < passed:
            continue
        try:
            yield Owed(name, reach(_last_day(contract, unit, number, bool(names.parts.get("to"))), int(latency.value)))
        except (ValueError, OverflowError):  # beyond the calendar
            return
