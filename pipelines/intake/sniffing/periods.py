"""Which period the figures of an unknown table are about: as columns, headers, sheets or lines above name it.

Where nothing names it, or what names it can be read in two ways, the kind of the period stays open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pipelines.intake.periods import period_span
from pipelines.intake.sniffing.look import Column, Grounds, Look
from pipelines.intake.sniffing.words import FINANCIAL_YEAR, MONTH, NO_TITLE, PART_BESIDE, PART_OF_YEAR, YEAR
from pipelines.intake.sniffing.writing import quoted
from pipelines.jurisdiction.contract import PeriodKind, PeriodRule
from pipelines.jurisdiction.open_fields import OPEN
from pipelines.jurisdiction.text import normalise

# Words for one day, and of figures that are counted on one; the year's last day is the only one that is certain.
_YEAR_END = re.compile(r"年末|年底|yearend|endofyear|31december|31dec", re.IGNORECASE)
_DAY = re.compile(
    r"mid-?year|midyear|年中|asat|ason|census|普查|estimate|[0-9]{1,2}(?:st|nd|rd|th)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
    re.IGNORECASE,
)
_FIRST_DAY = f'kind: year, starts: "{OPEN}"'
_ASKS_FIRST_DAY = "named like financial years: on which day (MM-DD) do they begin?"


@dataclass
class Period:
    """Where the period comes from: the contract's lines for it, and the columns whose headers name one each."""

    line: str = ""
    captures: str = ""
    source: str = "folder"
    kind: str = OPEN
    dated: list[Column] = field(default_factory=list)


def find_period(seen: Look, grounds: Grounds) -> Period:
    """The period as the file names it: in headers, in a column, in sheets, in the lines above, in the file's name."""
    dated = [c for c in seen.values if YEAR.search(c.name)]
    if dated and len(dated) >= len(seen.values) / 2:
        kind, more, why = _kind_of(_dates_of(dated), seen, grounds)
        return Period(
            f"period: {{from: header, {more}}}   # years stand in the headers; {why}", "", "header", kind, dated
        )
    column = seen.year_column
    if column is not None:
        kind, more, why = _kind_of([*column.texts, *(["2000"] if column.numbers else [])], seen, grounds)
        named = quoted(column.called)
        line = f"period: {{from: column, column: {named}, {more}}}   # column {column.address} holds years; {why}"
        return Period(line, "", "column", kind)
    if seen.reads_all_sheets:
        kind, more, why = _kind_of(["2000"], seen, grounds)
        return _captured("sheet", "[0-9]{4}", kind, more, f"each sheet's name says its year; {why}")
    return _from_the_title(seen, grounds)


def _dates_of(dated: list[Column]) -> list[str]:
    """What the headers of columns say of their periods: the years in them, or all of each where more is said."""
    found = [FINANCIAL_YEAR.search(c.title) or YEAR.search(c.title) for c in dated]
    around = [c.title[: m.start()] + " " + c.title[m.end() :] for c, m in zip(dated, found, strict=True) if m]
    if len(around) < len(dated) or any(PART_BESIDE.search(text) for text in around):
        return [c.name for c in dated]
    return [match.group(0) for match in found if match]


def _from_the_title(seen: Look, grounds: Grounds) -> Period:
    """The one period that title and sheet agree on, or the lines above; open where none or several are named."""
    lines = [normalise(line) for line in seen.preamble_shown if not NO_TITLE.match(line)]
    by_place = {"preamble": [normalise(seen.subject)] if lines else [], "sheet": [normalise(seen.sheet)]}
    named = {place: found for place, texts in by_place.items() if (found := _periods_in(" ".join(texts)))}
    if not named:
        named = {"preamble": found} if (found := _periods_in(" ".join(lines))) else {}
    several = sorted({text for found in named.values() for text in found})
    if len(several) == 1:
        (text,), place = several, next(iter(named))
        form = re.sub(r"[0-9]+", lambda digits: f"[0-9]{{{len(digits.group())}}}", re.escape(text)).replace(r"\-", "-")
        whole = " ".join(seen.preamble) if place == "preamble" else normalise(seen.sheet)
        if (match := re.search(form, whole)) and match.group(0) == text:
            kind, more, why = _kind_of([text], seen, grounds)
            where = "the lines above the table say" if place == "preamble" else "the sheet's name says"
            return _captured(place, form, kind, more, f"{where} {text}; {why}")
    in_name = sorted(_periods_in(normalise(seen.file_name)))
    if several:
        why = f"several periods are named ({', '.join(several[:4])})"
    elif in_name:
        why = f"only the file's name holds one ({', '.join(in_name[:4])})"
    else:
        why = "nothing in the file names one"
    return Period(
        f'period: {{from: folder, kind: "{OPEN}"}}'
        f"   # {why}: are the figures about the delivery folder's year, quarter, month, or one day (point)?"
    )


def _captured(place: str, form: str, kind: str, more: str, why: str) -> Period:
    pattern = quoted(f"(?P<period>{form})")
    return Period(
        f"period: {{from: capture, {more}}}   # {why}", f"{{from: {place}, pattern: {pattern}}}", "capture", kind
    )


def _periods_in(text: str) -> set[str]:
    """The years, months and financial years that a text names; a year that is part of another period counts once."""
    months = {match.group(0) for match in MONTH.finditer(text) if _is_month(match.group(0)) and "月" in match.group(0)}
    if months:
        return months
    financial = {match.group(0) for match in FINANCIAL_YEAR.finditer(text) if _follows(match)}
    rest = FINANCIAL_YEAR.sub(lambda match: " " if _follows(match) else match.group(0), text)
    return financial | {match.group(0) for match in YEAR.finditer(rest)}


def _follows(match: re.Match[str]) -> bool:
    """True for a year and the one after it."""
    return int(match.group(2)[-2:]) == (int(match.group(1)) + 1) % 100 and len(match.group(2)) in (2, 4)


def _is_month(text: str) -> bool:
    match = MONTH.search(text)
    return match is not None and _reads([match.group(0)], "month")


def _reads(texts: list[str], kind: PeriodKind, **fields: str) -> bool:
    """True when the reader takes every text for a period of that kind."""
    rule = PeriodRule.model_validate({"from": "header", "kind": kind, **fields})
    return all(period_span(text, rule) is not None for text in texts)


def _kind_of(texts: list[str], seen: Look, grounds: Grounds) -> tuple[str, str, str]:
    """The kind of the periods that texts name, the contract's fields for it, and the reason."""
    texts = [normalise(text) for text in texts]
    is_open = OPEN, f'kind: "{OPEN}"'
    part = next((c for c in seen.columns if c.kind != "year" and PART_OF_YEAR.match(c.title)), None)
    if _reads(texts, "year"):
        if part is not None:
            return *is_open, f"column {part.address} ({part.title}) parts the year: the figures are about less than one"
        return _year_or_day(seen)
    if all((match := FINANCIAL_YEAR.search(text)) and _follows(match) for text in texts):
        if _reads(texts, "month"):
            return *is_open, "financial years, or months?"
        if grounds.has_financial_years:
            return "year", "kind: year", "the financial years of the jurisdiction"
        return "year", _FIRST_DAY, _ASKS_FIRST_DAY
    for kind, noun in (("half", "half-year"), ("quarter", "quarter"), ("month", "month")):
        if _reads(texts, kind):  # type: ignore[arg-type]
            return kind, f"kind: {kind}", f"each names a {noun}"
    if _reads(texts, "pooled"):
        return "pooled", "kind: pooled", "each names a first and a last year: one figure for all of them"
    if _reads(texts, "point"):
        return *is_open, "each names a day: are the figures of that day (point), or of the time up to it?"
    return *is_open, "not all are one period that can be read: what are they?"


def _year_or_day(seen: Look) -> tuple[str, str, str]:
    """The kind of periods that are called by a year alone: of the year, or of a day of it that the file names."""
    everything = " ".join([*seen.preamble, *(c.name for c in seen.columns), normalise(seen.file_name)])
    if day := _YEAR_END.search(everything):
        return "point", 'kind: point, month_day: "12-31"', f"the file speaks of {day.group(0)}"
    if day := _DAY.search(everything):
        return OPEN, f'kind: "{OPEN}"', f"the file speaks of {day.group(0)}: of the year, or of one day (point)?"
    return "year", "kind: year", "point, with `month_day`, if the figures are of one day"
