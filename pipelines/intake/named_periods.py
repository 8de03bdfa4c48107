"""The periods that a file's name, its sheets and its titles name, against the delivery folder that it came in.

It reads free text for years, spans, quarters, months and days, and passes over what only looks like one: numbers of
documents, dates of issue, base years of prices. What the figures are about is the contract's word and `periods`' work.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.formats import ROW, Grid
from pipelines.intake.drift import finding
from pipelines.intake.layout import Plan
from pipelines.jurisdiction.cadence import span_of
from pipelines.jurisdiction.contract import Contract, PeriodRule
from pipelines.records import Receipt

KIND = "named_period"
_TITLE_LENGTH = 120  # a line above the table that is longer explains something
Span = tuple[date, date]


@dataclass(frozen=True)
class Mention:
    """One period named in a text. A day or a month may also be when something was issued: it is `is_weak` then."""

    text: str
    span: Span
    is_weak: bool = False
    is_part: bool = False  # of a year: a half, a quarter, some months together


@dataclass(frozen=True)
class Folder:
    """The period of a delivery folder, and what decides how a year is to be understood: where its years begin."""

    name: str
    span: Span
    rule: PeriodRule | None

    @property
    def starts(self) -> tuple[int, int]:
        """Month and day on which the contract's years begin."""
        return _month_day(self.rule.starts) if self.rule is not None else (1, 1)

    @property
    def days(self) -> int:
        """How long the period is."""
        return (self.span[1] - self.span[0]).days + 1


def titles(grid: Grid, header_row: int) -> list[str]:
    """The titles above a table: short texts that stand alone in their row, or with one more, and are no notes."""
    found = []
    for row in grid.cells.filter(grid.cells[ROW] < header_row).select(grid.columns).iter_rows():
        filled = [text.strip() for text in row if text and text.strip()]
        if len(filled) <= 2:
            found += [t for t in filled if len(t) <= _TITLE_LENGTH and not _NOTE.match(_plain(t))]
    return found


def headers(grid: Grid, plan: Plan) -> list[list[str]]:
    """For each column of numbers what stands at its head: its header, and the cells above it.

    A column that says itself which part of the year it is about is left out.
    """
    above = grid.cells.filter(grid.cells[ROW] < plan.header_rows[0])
    columns = [value for value in plan.values if value.part is None and value.period is None]
    return [[value.header, *(text for text in above[value.cell] if text)] for value in columns]


def findings(
    receipt: Receipt,
    contract: Contract,
    rule: PeriodRule | None,
    sheets: Sequence[str],
    titles: Sequence[str],
    headers: Sequence[Sequence[str]] = (),
) -> list[dict[str, str]]:
    """A finding for each of file name, sheets, titles and headers that names other periods than the delivery folder.

    Where the figures are about the folder's period, one that names a part of it, or more than it, is found too.
    """
    severity = contract.quality.named_period
    folder = folder_of(receipt.delivery_period, contract, rule)
    if severity == "ignore" or folder is None:
        return []
    is_folders = rule is not None and rule.from_ == "folder"
    told: dict[str, list[Mention]] = {}
    for what, texts in (("file name", [receipt.file_name]), ("sheet", sheets), ("title", titles)):
        told[what] = others(texts, folder) or (parts(texts, folder) if is_folders else [])
    if is_folders:
        named = [m for texts in headers for m in others(texts, folder) or parts(texts, folder)]
        told["header"] = [m for m in named if m.text not in {known.text for known in told["title"]}]
    return [
        finding(
            KIND,
            severity,
            f"the {what} names {', '.join(dict.fromkeys(m.text for m in mentioned))}: {receipt.landing_path}",
            f"{receipt.delivery_period}, the period of its folder",
        )
        for what, mentioned in told.items()
        if mentioned
    ]


def folder_of(delivery_period: str, contract: Contract, rule: PeriodRule | None) -> Folder | None:
    """The period that a delivery folder is named after; None when its name is no period."""
    unit = next((level.unit for level in contract.slaProperties if level.property == "frequency"), None)
    starts = _month_day(rule.starts) if rule is not None else (1, 1)
    match = re.fullmatch(r"\D*(\d{4})\D{1,3}(\d{4}|\d\d)\D*", delivery_period)
    if match is not None and unit in (None, "y"):
        first, second = match.groups()
        is_next = int(second[-2:]) == (int(first) + 1) % 100
        span = _two_years(first, second, starts)
        if span is not None and (is_next or unit == "y" or not _may_be_month(second)):
            return Folder(delivery_period, span, rule)
    span = span_of(delivery_period, unit)
    if span is None:
        return None
    if (span[1] - span[0]).days >= 364 and starts != (1, 1):
        is_end = rule is not None and rule.named_by == "end"
        span = _year_from(span[0].year - is_end, starts)
    return Folder(delivery_period, span, rule)


def others(texts: Iterable[str], folder: Folder) -> list[Mention]:
    """The periods that texts name when none of them is the folder's own; empty when one is, or none is named."""
    first, _ = folder.span
    named = [m for text in texts for m in mentions(text, folder) if not m.is_weak or m.span[0] < m.span[1] < first]
    if any(m.span[0] <= folder.span[1] and folder.span[0] <= m.span[1] for m in named):
        return []
    return named


def parts(texts: Iterable[str], folder: Folder) -> list[Mention]:
    """The periods that texts name and that are a part of the folder's own, or more than it: `2020年1-9月` in 2020.

    A year in the name of a month is none, nor a year across two, nor the day that a count of a day is of.
    """
    if folder.rule is not None and folder.rule.kind == "point":
        return []
    named = [mention for text in texts for mention in mentions(text, folder)]
    days = [(m, (m.span[1] - m.span[0]).days + 1) for m in named if m.span != folder.span]
    return [m for m, length in days if (m.is_part and not m.is_weak) or (length > 400 and folder.days <= 366)]


def mentions(text: str, folder: Folder) -> list[Mention]:
    """Every period that a text names, as somebody reads it who knows what the folder's periods are like."""
    rest = _plain(text)
    for pattern in _NO_PERIOD:
        rest = pattern.sub(_blanked, rest)
    found = _in_eras(rest, folder)
    for pattern, meaning in _FORMS:
        for match in pattern.finditer(rest):
            mention = meaning(match, folder)
            if mention is not None:
                found.append(mention)
                # so that no part of it is taken for something else
                rest = rest[: match.start()] + _blanked(match) + rest[match.end() :]
    return found


def _blanked(match: re.Match[str]) -> str:
    return " " * len(match.group())


# -- what is no period -------------------------------------------------------------------------------------------

_NUMERALS = str.maketrans("〇零○一二三四五六七八九", "000123456789")
_NOTE = re.compile(
    r"\s*(?:注|备注|说明|资料来源|数据来源|来源|单位|联系|编制|印发|制表|填报|打印|note|source|contact|update|publish|"
    r"release|print|created|unit|©|\(c\)|www\.|http|\*|\d+[)、]|\d+\.\s)",
    re.I,
)
_NO_PERIOD = [
    # numbers of documents: 浙统〔2019〕3号, 公告2019年第3号, No. 12/2019
    re.compile(r"〔\s*\d{4}\s*〕(?:\s*第?\s*\d+\s*号)?|[\[(【]\s*\d{4}\s*[\])】]\s*第?\s*\d+\s*号"),
    re.compile(r"\d{4}\s*年?\s*第\s*\d+\s*号|(?:\bno|\bnr|№|文号|字第)[.:]?\s*\d[\d/-]*", re.I),
    # standards and their editions: GB/T 2260-2007, ISO 3166-1:2020
    re.compile(r"\b(?:GBZ?|ISO|IEC|DB\d*|HJ|JTG?|CJJ?|WS|EN|BS)(?:/[A-Z])?\s*\d+(?:[.-]\d+)*\s*[-–—:]\s*\d{4}(?!\d)"),
    # what figures are reckoned by: prices, boundaries, weights, editions
    re.compile(
        r"\d{4}\s*年?\s*(?:不变价|可比价|价格|价(?!值)|为基期|基期|=\s*100|为100|版|修订|口径|行政区划|区划|"
        r"(?:constant\s+)?prices?\b|boundar|edition|revision|standard\s+population)",
        re.I,
    ),
    re.compile(
        r"(?:prices?|boundar\w+|edition|base(?:\s+year)?|as\s+amended)\s+(?:(?:of|in|at|as\s+of)\s+)?\d{4}", re.I
    ),
    # amounts
    re.compile(r"\d{4}\s*(?:人|户|元|万|亿|个|张|公里|平方|米|亩|周岁|岁|km\b|m\b|kg\b|%)"),
]


def _plain(text: str) -> str:
    """Text with one form for each sign, and years in Chinese numerals or with blanks between their digits as digits."""
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"[一二][九〇零○][〇零○一二三四五六七八九]{2}", lambda m: m.group().translate(_NUMERALS), text)
    return re.sub(r"(?<!\d)(\d) (\d) (\d) (\d)(?!\d)", r"\1\2\3\4", text)


# -- forms of periods ---------------------------------------------------------------------------------------------

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
         "september sept sep", "october oct", "november nov", "december dec"), start=1,
    )
    for name in names.split()
}  # fmt: skip
_PARTS = {"一": 1, "二": 2, "三": 3, "四": 4, "1": 1, "2": 2, "3": 3, "4": 4, "上": 1, "下": 2, "first": 1,
          "second": 2, "two": 2, "three": 3}  # fmt: skip
_COUNTS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
           "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
           "eleven": 11}  # fmt: skip


def _day(match: re.Match[str], folder: Folder) -> Mention | None:
    try:
        day = date(int(match["y"]), _number_of_month(match["m"]), int(match["d"]))
    except ValueError:  # a 31st of June
        return None
    return Mention(match.group().strip(), (day, day), is_weak=not _ends(day, folder))


def _month(match: re.Match[str], folder: Folder) -> Mention:
    first, last = _months(int(match["y"]), _number_of_month(match["m"]), 1)
    return Mention(match.group().strip(), (first, last), is_weak=folder.days > 31 and not _ends(last, folder))


def _quarter(match: re.Match[str], _: Folder) -> Mention:
    return Mention(match.group().strip(), _months(int(match["y"]), 3 * _PARTS[match["p"]] - 2, 3), is_part=True)


def _half(match: re.Match[str], folder: Folder) -> Mention:
    return _part(match, folder, 6 * _PARTS[match["p"].lower()] - 5, 6)


def _first_quarters(match: re.Match[str], folder: Folder) -> Mention:
    return _part(match, folder, 1, 3 * _PARTS[match["p"].lower()])


def _first_months(match: re.Match[str], folder: Folder) -> Mention | None:
    count = _COUNTS.get(match["n"].lower()) or int(match["n"] if match["n"].isdigit() else 0)
    return _part(match, folder, 1, count) if 1 <= count <= 12 else None


def _range_of_months(match: re.Match[str], folder: Folder) -> Mention | None:
    first, last = _number_of_month(match["m"]), _number_of_month(match["n"])
    return _part(match, folder, first, last - first + 1) if first < last else None


def _part(match: re.Match[str], folder: Folder, first: int, count: int) -> Mention:
    """Some months of the year that is named, or else of the folder's."""
    year = int(match["y"]) if match.groupdict().get("y") else folder.span[0].year
    return Mention(match.group().strip(), _months(year, first, count), is_part=True)


def _years(match: re.Match[str], folder: Folder) -> Mention | None:
    first, second = match.groups()
    if _may_be_month(second) and folder.days <= 31:
        return None
    span = _two_years(first, second, folder.starts)
    return None if span is None else Mention(match.group().strip(), span)


def _year(match: re.Match[str], _: Folder) -> Mention:
    return Mention(match["y"], _months(int(match["y"]), 1, 12))


def _in_eras(text: str, folder: Folder) -> list[Mention]:
    """Years of the calendars that the contract knows: 民国108年, 令和元年."""
    found = []
    for name, before in (folder.rule.eras if folder.rule is not None else {}).items():
        form = rf"{re.escape(_plain(name))}\s*(元|\d{{1,3}})(?!\d)" if name else r"(?<!\d)(\d{4})(?!\d)"
        for match in re.finditer(form, text):
            year = before + (1 if match.group(1) == "元" else int(match.group(1)))
            if 1900 <= year < 2100:
                found.append(Mention(match.group().strip(), _months(year, 1, 12)))
    return found


def _number_of_month(text: str) -> int:
    return _MONTHS.get(text.lower()) or int(text)


def _ends(day: date, folder: Folder) -> bool:
    """True when a period of the folder's kind ends on that day, so that the day may well name it."""
    is_last = day.day == monthrange(day.year, day.month)[1]
    if folder.days <= 92:
        return folder.days <= 1 or (is_last and (folder.days <= 31 or day.month % 3 == 0))
    last = date(2001, *folder.starts) - timedelta(days=1)
    ends = [(last.month, last.day)]
    if folder.rule is not None and folder.rule.kind == "point":
        ends.append(_month_day(folder.rule.month_day))
    return (day.month, day.day) in ends


def _two_years(first: str, second: str, starts: tuple[int, int]) -> Span | None:
    """First and last day of `2015-2020`, or of the year that `2018-19` is.

    Where the contract's own years begin in January, a year across two begins somewhere in the first: in its middle,
    so that 2018-19 and 2019-20 are two, and 2018 and 2019 both may be meant by the first.
    """
    start = int(first)
    end = int(second) if len(second) == 4 else start // 100 * 100 + int(second)
    if not start < end <= start + 60:
        return None
    if end == start + 1:
        return _year_from(start, starts if starts != (1, 1) else (7, 1))
    return date(start, 1, 1), date(end, 12, 31)


def _may_be_month(text: str) -> bool:
    """Whether the second part of `2010-11` may be a month."""
    return len(text) == 2 and 1 <= int(text) <= 12


def _year_from(year: int, starts: tuple[int, int]) -> Span:
    return date(year, *starts), date(year + 1, *starts) - timedelta(days=1)


def _months(year: int, first: int, count: int) -> Span:
    last = first + count - 1
    return date(year, first, 1), date(year, last, monthrange(year, last)[1])


def _month_day(text: str) -> tuple[int, int]:
    month, day = (int(part) for part in text.split("-"))
    return month, day


_Y = r"(?<![\d.,])(?P<y>(?:19|20)\d\d)"
_YEAR_AT_END = r"(?P<y>(?:19|20)\d\d)(?!\d)"
_M, _D = r"(?P<m>1[0-2]|0?[1-9])", r"(?P<d>3[01]|[12]\d|0?[1-9])"
_NAME = rf"\b(?P<m>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_UNTIL = r"\s*(?:年度|年)?\s*(?:[-–—~/_至到]|to\b|until\b)\s*"
_THE_YEAR = rf"(?:{_Y}\s*年?\s*)?"
_OF_YEAR = rf"(?:\s*(?:of|in|,)?\s*{_YEAR_AT_END})?"
_TO = r"\s*(?:[-–—~/至到]|to\b|until\b)\s*"
_FORMS: list[tuple[re.Pattern[str], Callable[[re.Match[str], Folder], Mention | None]]] = [
    (re.compile(form, re.I), meaning)
    for form, meaning in (
        (rf"{_THE_YEAR}(?<![\d.,]){_M}\s*月?{_TO}(?P<n>1[0-2]|0?[1-9])\s*月(?!\s*\d)", _range_of_months),
        (rf"{_NAME}{_TO}{_NAME.replace('<m>', '<n>')}{_OF_YEAR}", _range_of_months),
        (rf"{_THE_YEAR}前\s*(?P<p>[23二三])\s*个?\s*季度?", _first_quarters),
        (rf"{_THE_YEAR}(?:第?[1一]|Q1)\s*季?度?\s*[-–—~至到]\s*(?:第?|Q)(?P<p>[2-4二三四])\s*季", _first_quarters),
        (rf"(?:{_Y}\s*)?(?<!\w)Q1\s*[-–—~]\s*Q(?P<p>[2-4]){_OF_YEAR.replace('<y>', '<z>')}", _first_quarters),
        (rf"{_THE_YEAR}前\s*(?P<n>\d{{1,2}}|[一二两三四五六七八九十])\s*个?\s*月", _first_months),
        (rf"\bfirst\s+(?P<n>\d{{1,2}}|\w+)\s+months\b{_OF_YEAR}", _first_months),
        (rf"\bfirst\s+(?P<p>two|three)\s+quarters\b{_OF_YEAR}", _first_quarters),
        (rf"\b(?P<p>first|second)\s+half\b{_OF_YEAR}", _half),
        (rf"{_Y}(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?:[T_-]?\d{{4,6}})?(?!\d)", _day),
        (rf"{_Y}\s*[-./年_]\s*{_M}\s*[-./月_]\s*{_D}(?!\d)\s*日?", _day),
        (rf"(?<!\d){_D}(?:st|nd|rd|th)?\s+{_NAME},?\s+{_YEAR_AT_END}", _day),
        (rf"{_NAME}\s+{_D}(?:st|nd|rd|th)?,?\s+{_YEAR_AT_END}", _day),
        (rf"(?<!\d){_D}[./]{_M}[./]{_YEAR_AT_END}", _day),
        (rf"(?<!\d)((?:19|20)\d\d){_UNTIL}((?:19|20)\d\d)(?!\d)", _years),
        (r"(?<!\d)((?:19|20)\d\d)\s*[-–—/]\s*(\d\d)(?!\d|\s*月|[-/]\d)", _years),
        (rf"{_Y}\s*年?\s*[-/_]?\s*(?:第|Q)\s*(?P<p>[1-4一二三四])\s*(?:季度?)?(?!\d)", _quarter),
        (rf"{_Y}\s*年?\s*(?P<p>[1-4一二三四])\s*季", _quarter),
        (rf"(?<!\w)Q(?P<p>[1-4])\s*[-/_]?\s*{_YEAR_AT_END}", _quarter),
        (rf"{_Y}\s*年?\s*[-/_]?\s*H(?P<p>[12])(?!\d)", _half),
        (rf"{_THE_YEAR}(?P<p>[上下])半年", _half),
        (rf"{_Y}\s*年\s*{_M}\s*月", _month),
        (rf"{_Y}\s*[-./_]\s*(?P<m>1[0-2]|0[1-9])(?!\d)", _month),
        (rf"{_Y}(?P<m>0[1-9]|1[0-2])(?!\d)", _month),
        (rf"{_NAME},?\s+{_YEAR_AT_END}", _month),
        (rf"{_Y}(?!\d|[.,]\d)", _year),
    )
]  # in this order: what is longer is told first
