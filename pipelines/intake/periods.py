"""Text to a span of days: which year, quarter, month or day a text is about, in the common calendar or another.

Where the text stands (folder, header, column, file name, cell) is the contract's word and the sheet's work.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta

from pipelines.jurisdiction.contract import PeriodRule
from pipelines.jurisdiction.text import normalise

_YEAR = r"(?<!\d)(1[89]\d\d|2[01]\d\d)"
_QUARTER = re.compile(
    rf"{_YEAR}年?[-/_.]?(?:[Qq]|第)?([1-4一二三四])(?!\d)|(?<!\w)[Qq]([1-4])[-/_.]?(1[89]\d\d|2[01]\d\d)(?!\d)"
)
_NUMERALS = {"一": 1, "二": 2, "三": 3, "四": 4}


def period_span(text: str, rule: PeriodRule) -> tuple[date, date] | None:
    """First and last day that a text is about, by the contract's rule.

    None when the text names no year, or not the quarter or month that the rule asks for.
    """
    text = {normalise(name): year for name, year in rule.map.items()}.get(normalise(text), text)
    text = _in_common_years(text, rule.eras)
    if rule.kind == "month":
        match = re.search(_YEAR + r"\D?(0?[1-9]|1[0-2])(?!\d)", text)
        return _months(int(match.group(1)), int(match.group(2)), 1) if match else None
    if rule.kind == "quarter":
        match = _QUARTER.search(text)
        if not match:
            return None
        year, quarter = match.group(1) or match.group(4), match.group(2) or match.group(3)
        return _months(int(year), 3 * (_NUMERALS.get(quarter) or int(quarter)) - 2, 3)
    match = re.search(_YEAR + r"(?!\d)", text)
    if not match:
        return None
    year_named = int(match.group(1))
    if rule.kind == "year":
        start_month, start_day = (int(part) for part in rule.starts.split("-"))
        if rule.named_by == "end" and rule.starts != "01-01":
            year_named -= 1
        start = date(year_named, start_month, start_day)
        return start, date(year_named + 1, start_month, start_day) - timedelta(days=1)
    month, day = (int(part) for part in rule.month_day.split("-"))
    moment = date(year_named, month, min(day, monthrange(year_named, month)[1]))
    return moment, moment


def month_or_year(start: date, kind: str) -> tuple[date, date]:
    """First and last day of the month, or of the year (`kind`), that begins on `start`."""
    return _months(start.year, 1, 12) if kind == "year" else _months(start.year, start.month, 1)


def _months(year: int, first: int, count: int) -> tuple[date, date]:
    last = first + count - 1
    return date(year, first, 1), date(year, last, monthrange(year, last)[1])


def _in_common_years(text: str, eras: dict[str, int]) -> str:
    """The text with the years of another calendar written as common years; 元 is the first year of an era."""
    for name, before in sorted(eras.items(), key=lambda era: -len(era[0])):
        form = rf"{re.escape(normalise(name))}(元|\d{{1,3}})(?!\d)" if name else r"(?<!\d)(\d{1,4})(?!\d)"

        def common(match: re.Match[str], before: int = before) -> str:
            number = match.group(1)
            return str(before + (1 if number == "元" else int(number)))

        changed, count = re.subn(form, common, normalise(text), count=1)
        if count:
            return changed
    return text
