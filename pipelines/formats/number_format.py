"""What a spreadsheet shows for a number: number formats such as `0.0%`, `#,##0,` or `0;-0;"n.a."`.

A number is read for certain when what is shown is the number (however rounded), or the number as a percentage, or the
number with words before or after it, which then belong to the cell's text. Everything else shows something that is not
the value. Formats are ECMA-376 part 1, 18.8.30 and 18.8.31; .xls has the same.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

PERCENT = "%"
_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59), *range(71, 82)}
# Formats that files name by number alone, where they are not plain numbers.
_BUILT_IN = {
    9: "0%",
    10: "0.00%",
    12: "# ?/?",
    13: "# ??/??",
    41: '_-* #,##0_-;-* #,##0_-;_-* "-"_-;_-@_-',
    42: '_-* #,##0_-;-* #,##0_-;_-* "-"_-;_-@_-',
    43: '_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-;_-@_-',
    44: '_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-;_-@_-',
    **dict.fromkeys(_DATES, "yyyy-mm-dd"),
}
_TOKEN = re.compile(
    r"""
      "(?P<words>[^"]*)"?
    | [\\!](?P<escaped>.)
    | (?P<skipped>[_*]).?
    | \[(?P<bracket>[^\]]*)\]?
    | (?P<general>General)
    | (?P<exponent>[Ee][+-])
    | (?P<clock>AM/PM|A/P|上午/下午)
    | (?P<other>.)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_COLOURS = re.compile(r"(black|blue|cyan|green|magenta|red|white|yellow|colou?r\s*\d+)$", re.IGNORECASE)
# Currencies that say nothing but that it is money: `US$`, `EUR`, `kr`. `£k` and `€ thousand` say more.
_CURRENCY = re.compile(r"[A-Z]{0,3}[$£€¥￥₩₹₽₺₴₫฿₪₦₱]|[A-Z]{3}|kr\.?|Kč|zł|Ft|Fr\.?|lei|лв\.?|руб\.?", re.IGNORECASE)
_ELAPSED = re.compile(r"(h+|m+|s+)$", re.IGNORECASE)
_MORE_DIGITS_BEFORE = re.compile(r"\d[\s.,'\u2019]*$")
_MORE_DIGITS_BEHIND = re.compile(r"[\s.,'\u2019]*\d")
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212\uff0d"
_NEGATIVE = _DASHES + "(（▲△▼"


@dataclass(frozen=True)
class Section:
    """One part of a format: what it shows for the numbers it is for."""

    problem: str = ""  # why what is shown is not the number
    is_percent: bool = False
    digits: int = 0  # whole digits that are always shown: leading zeros of a code
    before: str = ""  # words around the number, without blanks, signs and currencies
    after: str = ""
    has_sign: bool = False  # a minus, a bracket or a triangle
    has_colour: bool = False
    hides_zero: bool = False  # no digit is shown for zero
    is_date: bool = False

    @property
    def is_plain(self) -> bool:
        """True when it shows any number as the number."""
        return not (self.problem or self.is_percent or self.digits > 1 or self.before or self.after)


@dataclass(frozen=True)
class Shown:
    """A number as its cell shows it: the text, with nothing rounded away, or why that is not certain."""

    text: str
    problem: str = ""
    is_date: bool = False


@dataclass(frozen=True)
class NumberFormat:
    """A number format taken apart: its sections for positive numbers, negative numbers and zero."""

    code: str
    positive: Section
    negative: Section
    zero: Section
    hides_text: bool = False  # text cells show nothing, or words that are not theirs

    @property
    def is_plain(self) -> bool:
        """True when it shows every number as the number and every text as the text."""
        return not self.hides_text and all(s.is_plain for s in (self.positive, self.negative, self.zero))

    def show(self, value: Decimal) -> Shown:
        """A number as it is shown; `value` is what the file holds."""
        section = self.positive if value > 0 else self.negative if value < 0 else self.zero
        if section.problem:
            return Shown(plain_text(value), f"{section.problem} (number format {self.code})", section.is_date)
        text = plain_text(value * 100) + PERCENT if section.is_percent else plain_text(value)
        if section.digits > 1 and text.isdigit():
            text = text.zfill(section.digits)
        return Shown(section.before + text + section.after)


def plain_text(value: Decimal) -> str:
    """A number with a point and no more digits than it has."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def too_many_digits(value: Decimal) -> str:
    """Why a number of a workbook, which is a binary one, may not be the whole number that somebody entered."""
    is_sure = abs(value) <= 2**53
    return "" if is_sure else "a workbook does not keep all digits of so long a number: a code belongs into a text cell"


@lru_cache(maxsize=1024)
def number_format(code: str | int) -> NumberFormat:
    """The format with this code, or with this number where it is built in."""
    text = _BUILT_IN.get(code, "General") if isinstance(code, int) else code
    parts = _sections(text)
    read = [_section(part) for part in parts[:3]]
    hides_text = not _shows_text(parts)
    if re.search(r"\[[<>=]", text) and not all(section.is_plain for section in read):
        unsure = Section(problem="what the cell shows depends on conditions")
        return NumberFormat(text, unsure, unsure, unsure, hides_text)
    return NumberFormat(
        text,
        _for_positive(read[0]),
        _for_negative(read[1]) if len(read) > 1 else read[0],
        _for_zero(read[2] if len(read) > 2 else read[0]),
        hides_text,
    )


def _for_positive(section: Section) -> Section:
    if section.has_sign and not section.problem:
        return Section(problem="the cell shows a positive number with a minus or in brackets")
    return section


def _for_negative(section: Section) -> Section:
    is_told = section.has_sign or section.has_colour or section.before or section.after
    if not is_told and not section.problem:
        return Section(problem="the cell shows a negative number without its sign")
    return section


def _for_zero(section: Section) -> Section:
    """What is shown for zero: a dash is how accountants write it; nothing at all may as well be no number."""
    if not section.hides_zero:
        return section
    return Section() if section.has_sign else Section(problem="the cell hides its zero")


def _sections(code: str) -> list[str]:
    """The parts of a format between semicolons that stand outside quotes."""
    parts = [""]
    for match in _TOKEN.finditer(code):
        if match.group() == ";":
            parts.append("")
        else:
            parts[-1] += match.group()
    return parts


def _section(code: str) -> Section:
    """What one section shows."""
    signs: list[tuple[str, str]] = []  # placeholders and words in order
    has_colour = is_date = False
    for match in _TOKEN.finditer(code):
        kind = match.lastgroup or ""
        text = match.group(kind)
        if kind in ("words", "escaped"):
            signs.append(("word", text))
        elif kind == "bracket" and text.startswith("$"):
            symbol = text[1:].partition("-")[0].strip()  # behind it stands a language
            signs += [] if _CURRENCY.fullmatch(symbol) else [("word", symbol)]
        elif kind == "bracket":  # a colour, hours elapsed, or a condition
            has_colour = has_colour or bool(_COLOURS.match(text))
            is_date = is_date or bool(_ELAPSED.match(text))
        elif kind == "skipped" and match.group()[1:].isdigit() and text == "*":  # a digit that fills the cell
            signs.append(("word", match.group()[1:]))
        elif kind == "general":
            signs.append(("digit", "G"))
        elif kind == "exponent":
            signs.append(("digit", "E"))
        elif kind == "clock" or (kind == "other" and text.lower() in "ymdhsgeba"):
            is_date = True
        elif kind == "other":
            signs.append(("digit" if text in "0#?.,%/@" else "word", text))
    if is_date:
        return Section(problem="the cell shows a date or a time", is_date=True)
    return _judged(signs, has_colour)


def _judged(signs: list[tuple[str, str]], has_colour: bool) -> Section:
    """What the placeholders and words of a section come to."""
    marks = "".join(text for kind, text in signs if kind == "digit")
    places = [i for i, (_, text) in enumerate(signs) if text in ("0", "#", "?", "G", "@") and signs[i][0] == "digit"]
    first, last = (places[0], places[-1]) if places else (len(signs), len(signs))
    before, inside, after = (
        "".join(text for kind, text in part if kind == "word")
        for part in (signs[:first], signs[first:last], signs[last:])
    )
    if not places:
        shown = before.strip()
        if shown == "0":
            return Section()
        is_dash = bool(shown) and not _visible(shown) and any(c in _DASHES for c in shown)
        problem = f"the cell shows {shown!r} instead of its number" if shown else "the cell hides its number"
        return Section(problem=problem, has_sign=is_dash, hides_zero=is_dash)
    problem = ""
    if "/" in marks:
        problem = "the cell shows a fraction"
    elif re.search(r"[0#?],+(?![0#?,])", marks):
        problem = "the cell shows thousands or millions of what it holds"
    elif marks.count(PERCENT) > 1:
        problem = "the cell shows more than a percentage"
    elif inside.strip(" \u00a0\u2009\u202f'\u2019"):
        problem = f"the cell shows {inside.strip()!r} between its digits"
    elif _MORE_DIGITS_BEFORE.search(before) or _MORE_DIGITS_BEHIND.match(after):
        problem = "the cell shows digits that its number does not have"
    return Section(
        problem=problem,
        is_percent=PERCENT in marks,
        digits=len(marks) if not marks.strip("0") and not inside else 0,
        before=_visible(before),
        after=_visible(after),
        has_sign=any(sign in _NEGATIVE for sign in before) or after.strip().startswith(tuple(_DASHES)),
        has_colour=has_colour,
        hides_zero=not set(marks) & set("0G@"),
    )


def _visible(literal: str) -> str:
    """The words of a format that say something of the number: no blanks and currencies, nor signs by themselves."""
    words = "".join(c for c in literal if not c.isspace() and unicodedata.category(c) not in ("Sc", "Cf"))
    return words if words.strip(_NEGATIVE + ")）+") else ""


def _shows_text(parts: list[str]) -> bool:
    """True when a text is shown as it is: by the fourth section, or by one with `@`, or where none is for texts."""
    own = parts[3:4] or [part for part in parts if "@" in part][-1:]
    if not own:
        return True
    tokens = list(_TOKEN.finditer(own[0]))
    words = "".join(m.group("words") or m.group("escaped") or "" for m in tokens)
    return any(m.group("other") == "@" for m in tokens) and not _visible(words)
