"""Text to a span of days: which year, part of a year, day or span of years a text is about, in whatever calendar.

A text is read only when all of it is understood: a year beside another year, inside a longer number or behind a word
that may change its meaning is none. Where the text stands (folder, header, column, file name, cell) is the contract's
word and the sheet's work.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta

from pipelines.jurisdiction.contract import PARTS_OF_A_YEAR, PeriodKind, PeriodRule
from pipelines.jurisdiction.text import folded, normalise

Span = tuple[date, date]

# What a text must name to be of a kind, in words.
NOUNS: dict[PeriodKind, str] = {
    "year": "year",
    "half": "half-year",
    "quarter": "quarter",
    "month": "month",
    "point": "year or day",
    "pooled": "first and last year",
}

_YEAR = "(?P<year>1[89][0-9]{2}|2[01][0-9]{2})"
_TO = "(?: ?(?:-|/|至|到|to) ?)"
_BEFORE_A_YEAR = "(?:(?:calendar ?year|year|CY|AD|公元|西元) ?)?"
_BEFORE_A_FINANCIAL_YEAR = r"(?:(?:(?:financial|fiscal) ?year|year|FY|F\.Y\.) ?)?"
_BEHIND_A_YEAR = r"(?:\.0| ?年度?| ?年份| ?(?P<end>年[末底终終]))?"
_ONE_YEAR = _BEFORE_A_YEAR + _YEAR + _BEHIND_A_YEAR
_FINANCIAL_YEAR = _BEFORE_A_FINANCIAL_YEAR + _YEAR + _BEHIND_A_YEAR
_TWO_YEARS = rf"{_YEAR}(?: ?年度?)?{_TO}(?P<last>[0-9]{{4}}|[0-9]{{2}})(?: ?年度?)?"
_TWO_FINANCIAL_YEARS = rf"(?P<first>[0-9]{{4}} ?[-/] ?[0-9]{{2,4}}){_TO}(?P<last>[0-9]{{4}} ?[-/] ?[0-9]{{2,4}})"
_LONGEST_POOLED = 20  # years between a first and a last of two digits: 2019-18 does not reach into the next century

_MONTHS = (
    *("jan(?:uary)?", "feb(?:ruary)?", "mar(?:ch)?", "apr(?:il)?", "may", "june?", "july?", "aug(?:ust)?"),
    *("sept?(?:ember)?", "oct(?:ober)?", "nov(?:ember)?", "dec(?:ember)?"),
)
_MONTH = "(?P<month>0[1-9]|1[0-2])"
_SHORT_MONTH = "(?P<month>0?[1-9]|1[0-2])"
_MONTH_NAME = rf"(?P<name>{'|'.join(_MONTHS)})\.?"
_DAY = "(?P<day>0?[1-9]|[12][0-9]|3[01])"
_MIDNIGHT = r"(?:[ T]?00:00(?::00(?:\.0+)?)?)?"  # what a spreadsheet puts behind a date
_NUMERALS = {"一": 1, "二": 2, "三": 3, "四": 4, "上": 1, "下": 2}
_NUMERALS |= {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}

# The forms of a part of a year; what is left beside it must be a year.
_PARTS = {
    "half": (
        r"(?P<of>.+?)[-/_ ]?[HS](?P<part>[12])",
        r"(?P<of>.+?)年? ?(?P<part>[上下])半年",
        r"[HS](?P<part>[12])[-/_ ]?(?P<of>.+)",
        r"(?P<part>[12])[HS][-/_ ]?(?P<of>.+)",
        r"(?P<part>first|second|1st|2nd) ?half(?: ?of)? ?(?P<of>.+)",
    ),
    "quarter": (
        r"(?P<of>.+?)[-/_. ]?Q(?P<part>[1-4])",
        r"(?P<of>.+?)年? ?第?(?P<part>[1-4一二三四])季度?",
        r"Q(?P<part>[1-4])[-/_ ]?(?:of ?)?(?P<of>.+)",
        r"(?P<part>[1-4])Q[-/_ ]?(?P<of>.+)",
        r"(?P<part>first|second|third|fourth|1st|2nd|3rd|4th) ?quarter(?: ?of)? ?(?P<of>.+)",
    ),
}
# What makes a year that stands right before or behind it a part of something else.
_RANGE = r"[年度]*\s?[-/\u2010-\u2014\u2212~\u301c至到]\s?"
_GOES_BEFORE = re.compile(rf"[0-9]\.?$|(?<![0-9])(?:1[89]|2[01])[0-9]{{2}}{_RANGE}$")
_GOES_ON = re.compile(rf"\.?[0-9]|{_RANGE}(?:[0-9]{{4}}|[0-9]{{2}})(?![0-9])")
# A month is one of the common calendar's. Behind a point it has two digits: as a number October, 2018.10, is 2018.1.
_MONTHLY = (
    rf"{_YEAR}[-/_. ]?{_MONTH}",
    rf"{_YEAR}[-/_]{_SHORT_MONTH}",
    rf"{_YEAR}年 ?{_SHORT_MONTH}月份?",
    rf"{_YEAR} ?M{_SHORT_MONTH}",
    rf"{_YEAR}[-/_ ]?{_MONTH_NAME}",
    rf"{_SHORT_MONTH}[-/]{_YEAR}",
    rf"{_MONTH_NAME}[-/, ]{{0,2}}{_YEAR}",
    rf"{_YEAR}[-/]?{_MONTH}[-/]?01{_MIDNIGHT}",
)
_DAILY = (
    rf"{_YEAR}[-/.]{_SHORT_MONTH}[-/.]{_DAY}{_MIDNIGHT}",
    rf"{_YEAR}{_MONTH}(?P<day>0[1-9]|[12][0-9]|3[01])",
    rf"{_YEAR}年 ?{_SHORT_MONTH}月 ?{_DAY}日",
    rf"{_DAY} ?{_MONTH_NAME} ?{_YEAR}",
    rf"{_MONTH_NAME} ?{_DAY},? ?{_YEAR}",
)


def period_span(text: str | None, rule: PeriodRule, kind: PeriodKind | None = None) -> Span | None:
    """First and last day that a text is about, by the contract's rule; `kind` where a column has another than the rule.

    None when the text is not just one period of the kind: `2018-2020` is no year, `2018-19` only where years are
    declared not to be the calendar's.
    """
    text = {normalise(name): year for name, year in rule.map.items()}.get(normalise(text), text or "")
    text = _in_common_years(_tidy(text), rule.eras)
    kind = kind or rule.kind
    if kind == "pooled":
        return _pooled(text, rule)
    if kind == "month":
        return next(_months_named(text), None)
    if kind == "point":
        return _moment(text, rule)
    if kind == "year":
        return _twelve_months(_year_start(text, rule))
    return next(_parts_named(text, kind, rule), None)


def is_only_a_part(match: re.Match[str], group: int | str) -> bool:
    """True when a pattern took a period out of several, or out of a longer number, date or span of years.

    `(\\d{4})` finds 2018 in `2018-2020`; a pattern that itself goes on behind the group knows what stands there.
    """
    text, (start, end) = match.string, match.span(group)
    before = _GOES_BEFORE.search(text[:start]) if start == match.start() else None
    behind = _GOES_ON.match(text[end:]) if end == match.end() else None
    others = {other.group(group) for other in match.re.finditer(text) if other.group()}
    return bool(before or behind) or len(others) > 1


def pooled_span(first: str | None, last: str | None, rule: PeriodRule) -> Span | None:
    """The span from one year to a later one, each named by a text of its own."""
    years = [period_span(text, rule, "year") for text in (first, last)]
    return _from_to(*(year[0] if year else None for year in years))


def part_of_year(start: date, kind: PeriodKind, part: int) -> Span:
    """The half, quarter or month of that number (from 1) of the year that begins on `start`."""
    months = 12 // PARTS_OF_A_YEAR[kind]
    return _months_from(start, (part - 1) * months), _months_from(start, part * months) - timedelta(days=1)


def month_or_year(start: date, kind: str) -> Span:
    """First and last day of the month, or of the year (`kind`), that begins on `start`."""
    return _months(start.year, 1, 12) if kind == "year" else _months(start.year, start.month, 1)


def _tidy(text: str) -> str:
    """The text in one width, with single blanks and one kind of dash."""
    return re.sub("[\u2010-\u2014\u2212~\u301c]", "-", re.sub(r"\s+", " ", folded(text)).strip())


def _whole(pattern: str, text: str) -> re.Match[str] | None:
    return re.fullmatch(pattern, text, re.IGNORECASE)


def _year_start(text: str, rule: PeriodRule) -> date | None:
    """First day of the one year that a text names: `2018`, or `2018-19` where years are not the calendar's."""
    month, day = (int(part) for part in rule.starts.split("-"))
    is_financial = rule.starts != "01-01"
    both = _whole(_BEFORE_A_FINANCIAL_YEAR + _TWO_YEARS, text) if is_financial else None
    if both:
        year = int(both["year"])
        return date(year, month, day) if both["last"] in (str(year + 1), f"{(year + 1) % 100:02}") else None
    one = _whole(_FINANCIAL_YEAR if is_financial else _ONE_YEAR, text)
    if one is None or (is_financial and one["end"]):
        return None
    return date(int(one["year"]) - (is_financial and rule.named_by == "end"), month, day)


def _twelve_months(start: date | None) -> Span | None:
    return (start, _months_from(start, 12) - timedelta(days=1)) if start else None


def _parts_named(text: str, kind: PeriodKind, rule: PeriodRule) -> Iterator[Span]:
    for form in _PARTS[kind]:
        found = _whole(form, text)
        start = _year_start(found["of"].strip(), rule) if found else None
        if found and start:
            part = found["part"].lower()
            yield part_of_year(start, kind, _NUMERALS.get(part) or int(part))


def _months_named(text: str) -> Iterator[Span]:
    for form in _MONTHLY:
        found = _whole(form, text)
        if found:
            yield _months(int(found["year"]), _month_of(found), 1)


def _moment(text: str, rule: PeriodRule) -> Span | None:
    """A day: the one that a text names, or the contract's day of the year that it names."""
    for form in _DAILY:
        found = _whole(form, text)
        if found:
            year, month, day = int(found["year"]), _month_of(found), int(found["day"])
            moment = date(year, month, day) if day <= monthrange(year, month)[1] else None
            return (moment, moment) if moment else None
    named = _whole(_ONE_YEAR, text)
    if named is None or (named["end"] and rule.month_day != "12-31"):
        return None
    year, (month, day) = int(named["year"]), (int(part) for part in rule.month_day.split("-"))
    moment = date(year, month, min(day, monthrange(year, month)[1]))
    return moment, moment


def _pooled(text: str, rule: PeriodRule) -> Span | None:
    """From the first year that a text names to the last: 2018-2020, 2015-17, 2018/19-2020/21."""
    both = _whole(_TWO_FINANCIAL_YEARS, text)
    if both:
        return _from_to(*(_year_start(both[name], rule) for name in ("first", "last")))
    two = _whole(_TWO_YEARS, text)
    if two is None:
        return None
    first, last = int(two["year"]), int(two["last"])
    if last < 100:
        last += first // 100 * 100
        last += 100 * (last <= first)
        if last - first > _LONGEST_POOLED:
            return None
    if rule.starts != "01-01" and last == first + 1:
        return None  # 2018-19 is one financial year, or two of them
    return _from_to(*(_year_start(str(year), rule) for year in (first, last)))


def _from_to(first: date | None, last: date | None) -> Span | None:
    """From the first day of one year to the last of a later one."""
    return (first, _months_from(last, 12) - timedelta(days=1)) if first and last and first < last else None


def period_name(start: date, end: date) -> str:
    """What a span of days is called: 2018, 2018-19, 2018-03, a day, or its first and last day."""
    if start == end:
        return f"{end}"
    if (start.day, end) == (1, _months_from(start, 1) - timedelta(days=1)):
        return f"{start:%Y-%m}"
    if end == _months_from(start, 12) - timedelta(days=1):
        return f"{start:%Y}" if (start.month, start.day) == (1, 1) else f"{start:%Y}-{end:%y}"
    return f"{start}/{end}"


def _month_of(found: re.Match[str]) -> int:
    groups = found.groupdict()
    if groups.get("month"):
        return int(groups["month"])
    return next(number for number, name in enumerate(_MONTHS, start=1) if _whole(name, groups["name"]))


def _months(year: int, first: int, count: int) -> Span:
    last = first + count - 1
    return date(year, first, 1), date(year, last, monthrange(year, last)[1])


def _months_from(start: date, months: int) -> date:
    month = start.month - 1 + months
    year, month = start.year + month // 12, month % 12 + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def _in_common_years(text: str, eras: dict[str, int]) -> str:
    """The text with the years of another calendar written as common years; 元 is the first year of an era."""
    for name, before in sorted(eras.items(), key=lambda era: -len(era[0])):

        def common(match: re.Match[str], before: int = before) -> str:
            number = match.group(1)
            return str(before + (1 if number == "元" else int(number)))

        if name:
            text = re.sub(rf"{re.escape(folded(name))} ?(元|[0-9]{{1,3}})(?![0-9])", common, text)
        else:  # the first number is a year, and of the others those that are no month and no day
            text = re.sub(r"(?<![0-9])([0-9]{1,4})(?![0-9])", common, text, count=1)
            head = re.match(r"\D*[0-9]+", text)
            rest = head.end() if head else 0
            text = text[:rest] + re.sub(r"(?<![0-9])([0-9]{3,4})(?![0-9])", common, text[rest:])
    return text
