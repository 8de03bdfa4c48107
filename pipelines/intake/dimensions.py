"""What a cell of a dimension may be where the contract lists no codes: an age, a word, a code.

A spreadsheet makes dates of what looks like one to it: the age group 5-9 becomes 9-May, 10-14 becomes Oct-14 or 41913.
Such a cell says no longer what it was, and is no code of anything. Which dimension has which form is the contract's
word.
"""

from __future__ import annotations

import re

from pipelines.jurisdiction.contract import Form

_OLDEST = 150
_YEARS = "(?:岁|歳|周岁|세|years?(?: ?old| ?of ?age)?|yrs?)?"
_TO = "(?:-|~|到|至|to)"
_BAND = re.compile(rf"(?:aged?)?([0-9]{{1,3}}){_YEARS}{_TO}([0-9]{{1,3}}){_YEARS}", re.IGNORECASE)
_OPEN = re.compile(
    rf"(?:aged?)?(?:([0-9]{{1,3}}){_YEARS}(?:\+|及以上|和以上|以上|and(?:over|above|older)|or(?:over|more|older))|≥([0-9]{{1,3}}){_YEARS})",
    re.IGNORECASE,
)
_BELOW = re.compile(rf"(?:under|below)([0-9]{{1,3}}){_YEARS}", re.IGNORECASE)
_SINGLE = re.compile(rf"(?:aged?)?([0-9]{{1,3}}){_YEARS}", re.IGNORECASE)

# Names of months that a spreadsheet writes into a date, in the languages whose offices send files.
_NAMES = "jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july august september"
_NAMES += " october november december janv fév févr mars avr mai juin juil août déc mär märz mrz juni juli okt dez"
_NAMES += " ene abr ago dic gen mag giu lug set ott fev out mrt mei maj"
_MONTH = rf"(?:{'|'.join(sorted(_NAMES.split(), key=len, reverse=True))})\.?"
_TIME = r"(?:[T ]?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)"
_DATE = re.compile(
    rf"[0-9]{{1,4}}[-/. ]?{_MONTH}(?:[-/. ,]*[0-9]{{1,4}})?"  # 5-Sep, 05-Sep-2026, 2026-Sep
    rf"|{_MONTH}[-/. ,]*[0-9]{{1,4}}(?:[-/. ,]+[0-9]{{2,4}})?"  # Oct-14, Oct 14, 2026
    rf"|(?:[0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}}|[0-9]{{1,2}}[-/.][0-9]{{1,2}}[-/.](?:[0-9]{{4}}|[0-9]{{2}})){_TIME}?"
    r"|(?:(?:[0-9]{2}|[0-9]{4})年)?[0-9]{1,2}月[0-9]{1,2}[日号]|(?:[0-9]{2}|[0-9]{4})年[0-9]{1,2}月"
    rf"|{_TIME}",
    re.IGNORECASE,
)
# Days from 1990 to 2049 as a spreadsheet counts them, in both of its calendars.
_SERIAL = re.compile(r"[0-9]{5}(?:\.0+)?")
_FIRST_SERIAL, _LAST_SERIAL = 31_412, 54_788


def in_form(text: str, form: Form) -> tuple[str | None, str]:
    """The code that a cell's text in comparison form stands for, and why it is none."""
    if form == "age":
        code = age_band(text)
        return code, "" if code else f"not an age such as 5, 0-4 or 85+{_or_a_date(text)}"
    if _is_date(text) or (form == "label" and _is_serial(text)):
        return None, f"it says no group or item{_or_a_date(text)}"
    return text or None, "it is empty"


def age_band(text: str) -> str | None:
    """An age as the warehouse writes it: `5`, `0-4`, `85+`, or `all`; None for a text that is no age."""
    text = re.sub("[\u2010-\u2014\u2212\u301c]", "-", text).replace("~", "-")
    if text.lower() == "all":
        return "all"
    band, open_ended = _BAND.fullmatch(text), _OPEN.fullmatch(text)
    below, single = _BELOW.fullmatch(text), _SINGLE.fullmatch(text)
    if band:
        first, last = int(band[1]), int(band[2])
        return f"{first}-{last}" if first < last <= _OLDEST else None
    if open_ended:
        first = int(open_ended[1] or open_ended[2])
        return f"{first}+" if first <= _OLDEST else None
    if below:
        end = int(below[1])
        return (f"0-{end - 1}" if end > 1 else "0") if 0 < end <= _OLDEST else None
    if single:
        return f"{int(single[1])}" if int(single[1]) <= _OLDEST else None
    return None


def _is_date(text: str) -> bool:
    return _DATE.fullmatch(text) is not None


def _is_serial(text: str) -> bool:
    return _SERIAL.fullmatch(text) is not None and _FIRST_SERIAL <= float(text) <= _LAST_SERIAL


def _or_a_date(text: str) -> str:
    if _is_date(text):
        return "; it looks like a date that a spreadsheet made of something else: ask for the text"
    if _is_serial(text):
        return "; it may be a date as a spreadsheet counts days: ask for the text, or list `codes` (or `form: code`)"
    return ""
