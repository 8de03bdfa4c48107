"""Text to exact numbers, a column at a time: what is a number, what is a token, what is neither.

A value is never guessed: two numbers in one cell, a stray letter, a sign that only looks like a digit or a replaced
byte is a rule that was broken, and the rule's name goes with it. Units are multiplied here, exactly; their list is the
jurisdiction's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

import polars as pl

from pipelines.jurisdiction.contract import MarkMeaning, NumberStyle, TokenMeaning

DECIMAL = pl.Decimal(28, 9)
STATUS_OF_TOKEN: dict[TokenMeaning, str] = {
    "missing": "O",
    "not_applicable": "M",
    "not_collected": "L",
    "suppressed": "Q",
    "zero": "A",
    "less_than_half": "N",  # a zero that is none: "not significant" in SDMX
}
STATUS_OF_MARK: dict[MarkMeaning, str] = {"provisional": "P", "estimated": "E", "break": "B", "note": "A"}
DETAILS = {
    "empty_cell": "the cell is empty and the contract gives an empty cell no meaning",
    "replaced_byte": "the cell holds a replacement character: the file was decoded wrongly before it came",
    "several_numbers": "more than one number in one cell",
    "not_a_digit": "a raised, circled or other sign that is no digit: if it is a note, a mark of the contract",
    "undeclared_negative": "brackets around a number, or a minus behind it: negative or a note? See `numbers.negative`",
    "rounded_display": "as a spreadsheet shows a number too long for its cell: digits are missing",
    "leading_zeros": "a number that begins with a zero: a code, or the rest of a number that was cut in two",
    "not_a_number": "not a number and not a token of the contract",
    "not_an_integer": "a whole number is expected",
    "out_of_range": "the number does not fit 19 digits before and 9 after the point",
}
_ENGLISH = NumberStyle()
# A number in the form that `Decimal(28, 9)` holds as it is written.
_SIMPLE = r"^-?[0-9]{1,19}(\.[0-9]{1,9})?$"
_ROUNDED = r"^[+-]?[0-9](?:[.,][0-9]+)?E[+-][0-9]{2,3}$"  # 1.23457E+11 was 123456789012
_BLANKS = " \t\r\n\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_AT_THE_ENDS = _BLANKS + "\u200b\ufeff"
# The only characters that are read as others, in cells, tokens and marks: the full-width twins of ASCII, the minus and
# the dash that stand for a hyphen, the three dots that are one. A raised or circled digit is no digit.
_TWINS = {
    **{chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)},
    "\u2212": "-",
    "\u2013": "-",
    "\u2026": "...",
}
_FOLD = str.maketrans(_TWINS)
_BETWEEN_THOUSANDS = {",": ",", ".": r"\.", " ": "[ \u00a0\u2009\u202f]", "'": "['\u2019]", "none": ""}


@dataclass(frozen=True)
class _Forms:
    """How numbers of one style are written, as regular expressions of Polars; a sign stands before each."""

    plain: str  # certain at sight, in the form that is cast
    number: str
    thousands: str
    negative: str  # the other ways of writing a negative number that the contract knows; empty when there are none

    @classmethod
    def of(cls, style: NumberStyle) -> _Forms:
        """The forms of a contract's style."""
        thousands, point = _BETWEEN_THOUSANDS[style.thousands], re.escape(style.decimal)
        first = "[0-9]" if style.leading_zeros else "[1-9]"
        whole = "[0-9]+" if style.leading_zeros else "(?:0|[1-9][0-9]*)"
        grouped = f"|{first}[0-9]{{0,2}}(?:{thousands}[0-9]{{3}})+(?:{point}[0-9]+)?" if thousands else ""
        unsigned = f"(?:(?:{whole}(?:{point}[0-9]+)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?{grouped})"
        digits = "[0-9]{1,19}" if style.leading_zeros else "(?:0|[1-9][0-9]{0,18})"
        plain = rf"^-?{digits}(?:\.[0-9]{{1,9}})?$" if style.decimal == "." else f"^-?{digits}$"
        if style.thousands == ".":
            plain = f"^-?{digits}$"
        written = {"minus": "", "brackets": rf"^\(({unsigned})\)$", "trailing": f"^({unsigned})-$"}
        return cls(plain, f"^[+-]?{unsigned}$", thousands, written[style.negative])


def parse(
    text: pl.Series,
    *,
    kind: str,
    factor: int,
    is_percent: bool,
    tokens: dict[str, TokenMeaning],
    marks: dict[str, MarkMeaning],
    minimum: float | None,
    maximum: float | None,
    style: NumberStyle = _ENGLISH,
) -> pl.DataFrame:
    """Values of one column.

    `tokens` are whole cells with a meaning, `marks` signs behind a number that give its status.
    `text` is the cells as reported; `factor` how many base units one reported unit is. Returns a frame of the same
    height: `value` (Decimal, base units), `obs_status` (A, or the status of a token or of marks), `rule` and `detail`
    (null unless the cell is rejected), and `reported`, the number before its unit and whatever its range.
    """
    # Most cells of most files are plain numbers: they need none of what the others must be looked at for.
    forms = _Forms.of(style)
    meanings = {sign_form(token): meaning for token, meaning in tokens.items()}
    is_plain = pl.col("raw").str.contains(forms.plain).fill_null(False) & ~pl.col("raw").is_in(list(meanings))
    plain = pl.DataFrame({"raw": text}).select(is_plain.alias("plain")).to_series()
    if plain.all():
        frame = _plain_numbers(text)
    else:
        frame = _any_cells(text.filter(~plain), forms, style, is_percent=is_percent, tokens=meanings, marks=marks)
        if plain.any():
            order = pl.concat([plain.arg_true(), (~plain).arg_true()])
            frame = pl.concat([_plain_numbers(text.filter(plain)), frame]).with_columns(order.alias("_order"))
            frame = frame.sort("_order").drop("_order")
    return _judged(frame, kind=kind, factor=factor, minimum=minimum, maximum=maximum)


def sign_form(token: str) -> str:
    """A token or mark of a contract in the form that cells are compared in: its own characters, in one width."""
    return token.translate(_FOLD).strip(_AT_THE_ENDS)


def _plain_numbers(text: pl.Series) -> pl.DataFrame:
    """Cells that are numbers as they stand, before their range is judged."""
    return pl.DataFrame({"reported": text.cast(DECIMAL, strict=False)}).with_columns(
        pl.lit(None, dtype=pl.String).alias("rule"),
        pl.lit(None, dtype=pl.String).alias("token"),
        pl.lit("A").alias("mark"),
    )


def _any_cells(
    text: pl.Series,
    forms: _Forms,
    style: NumberStyle,
    *,
    is_percent: bool,
    tokens: dict[str, TokenMeaning],
    marks: dict[str, MarkMeaning],
) -> pl.DataFrame:
    """Cells of any kind: `reported` number, broken `rule`, meaning of the `token`, status by its `mark`."""
    cell = pl.col("raw").fill_null("").str.replace_many(list(_TWINS), list(_TWINS.values()))
    frame = pl.DataFrame({"raw": text}).with_columns(cell.str.strip_chars(_AT_THE_ENDS).alias("t"))
    frame = frame.with_columns(
        pl.col("t").replace_strict(tokens, default=None, return_dtype=pl.String).alias("token"),
        pl.lit("A").alias("mark"),
        pl.col("t").alias("n"),
    )
    if marks:
        frame = _without_marks(frame, marks, tokens)
    if is_percent:
        frame = frame.with_columns(pl.col("n").str.strip_suffix("%").str.strip_chars_end(_BLANKS))
    if forms.negative:
        frame = frame.with_columns(pl.col("n").str.replace(forms.negative, "-${1}"))
    is_written = pl.col("n").str.contains(forms.number) & ~pl.col("n").str.contains(_ROUNDED)
    frame = frame.with_columns(is_written.alias("is_written"), _broken_rule(is_written, forms, style).alias("rule"))
    number = pl.col("n").str.strip_prefix("+")
    if forms.thousands:
        number = number.str.replace_all(forms.thousands, "")
    number = number.str.replace(style.decimal, ".", literal=True)
    frame = frame.with_columns(pl.when("is_written").then(number).otherwise(pl.lit("")).alias("n"))
    is_number = pl.col("token").is_null() & pl.col("is_written")
    # The fast exact way covers what Decimal(28, 9) holds as written; the rest (exponents, more than nine
    # decimals of a binary float) goes through Python's decimal, value by value.
    simple = pl.col("n").str.contains(_SIMPLE)
    frame = frame.with_columns(
        pl.when(is_number & simple).then(pl.col("n")).otherwise(None).cast(DECIMAL, strict=False).alias("reported"),
        (is_number & ~simple).alias("slow"),
    )
    if frame["slow"].any():
        slow = {t: _slow(t) for t in frame.filter("slow")["n"].unique()}
        values = [slow[n] if is_slow else v for n, is_slow, v in frame.select("n", "slow", "reported").iter_rows()]
        frame = frame.with_columns(pl.Series("reported", values, dtype=DECIMAL))
    return frame.select("reported", "rule", "token", "mark")


def _broken_rule(is_written: pl.Expr, forms: _Forms, style: NumberStyle) -> pl.Expr:
    """Why a cell (`t`, and without its marks `n`) is neither a number nor a token; null when it is."""
    padded = _Forms.of(style.model_copy(update={"leading_zeros": True})).number
    unsigned = forms.number.removeprefix("^[+-]?").removesuffix("$")
    return (
        pl.when(pl.col("token").is_not_null() | is_written)
        .then(None)
        .when(pl.col("t") == "")
        .then(pl.lit("empty_cell"))
        .when(pl.col("t").str.contains("\ufffd", literal=True))
        .then(pl.lit("replaced_byte"))
        .when(pl.col("n").str.contains(r"[\p{N}--[0-9]]"))
        .then(pl.lit("not_a_digit"))
        .when(pl.col("n").str.contains(rf"^\({unsigned}\)$|^{unsigned}-$"))
        .then(pl.lit("undeclared_negative"))
        .when(pl.col("n").str.contains(_ROUNDED))
        .then(pl.lit("rounded_display"))
        .when(pl.col("n").str.contains(padded))
        .then(pl.lit("leading_zeros"))
        .when(pl.col("t").str.contains(r"[0-9]\s+[0-9.]|[0-9]+\.[0-9]+\.[0-9]"))
        .then(pl.lit("several_numbers"))
        .otherwise(pl.lit("not_a_number"))
    )


def are_marks(text: str, marks: Mapping[str, MarkMeaning]) -> bool:
    """Whether a text is one or several marks and nothing else."""
    if not marks:
        return False
    one = _one_of(sign_form(mark) for mark in marks)
    return re.fullmatch(rf"{one}(?:[{_BLANKS},;]*{one})*", sign_form(text)) is not None


def _one_of(signs: Iterable[str]) -> str:
    """A regular expression for any of these texts, longer ones before those that they begin with."""
    return f"(?:{'|'.join(re.escape(sign) for sign in sorted(signs, key=len, reverse=True)) or '(?!)'})"


def _without_marks(
    frame: pl.DataFrame, marks: Mapping[str, MarkMeaning], tokens: Mapping[str, TokenMeaning]
) -> pl.DataFrame:
    """Cells whose end is one or several marks: the number `n` before them, and their status in the order of SDMX.

    A mark that begins like a part of a number (`1)`) counts only behind a blank. Before it may stand a token instead of
    a number: that then is what the cell says, and a mark says more only of a token for a number (a zero).
    """
    meanings = {sign_form(mark): STATUS_OF_MARK[meaning] for mark, meaning in marks.items()}
    one = _one_of(meanings)
    glued = _one_of(mark for mark in meanings if not re.match(r"[0-9.,+\-%]", mark))
    marked = re.compile(
        rf"(?:(?P<token>{_one_of(filter(None, tokens))})[{_BLANKS}]+{one}"
        rf"|(?P<number>.*?[0-9)%\-])(?:{glued}|[{_BLANKS}]+{one}))(?:[{_BLANKS},;]*{one})*"
    )
    found: dict[str, tuple[str, str]] = {}
    for cell in frame.filter(pl.col("token").is_null())["t"].unique():
        if match := marked.fullmatch(cell):
            number = match["token"] or match["number"]
            borne = {meanings[mark] for mark in re.findall(one, cell[len(number) :])}
            found[cell] = number, ";".join(status for status in "BEP" if status in borne) or "A"
    if not found:
        return frame
    numbers = {cell: number for cell, (number, _) in found.items()}
    statuses = {cell: status for cell, (_, status) in found.items()}
    return frame.with_columns(pl.col("t").replace(numbers).alias("n")).with_columns(
        pl.coalesce("token", pl.col("n").replace_strict(tokens, default=None, return_dtype=pl.String)).alias("token"),
        pl.col("t").replace_strict(statuses, default="A", return_dtype=pl.String).alias("mark"),
    )


def _judged(
    frame: pl.DataFrame, *, kind: str, factor: int, minimum: float | None, maximum: float | None
) -> pl.DataFrame:
    """Numbers in base units, with what is wrong with them: their range, their kind, or that they do not fit."""
    is_number = pl.col("token").is_null() & pl.col("rule").is_null()
    frame = frame.with_columns(
        pl.when(pl.col("rule").is_not_null())
        .then(pl.col("rule"))
        .when(is_number & pl.col("reported").is_null())
        .then(pl.lit("out_of_range"))
        .when(
            pl.lit(kind == "integer")
            & is_number
            & (pl.col("reported") != pl.col("reported").cast(pl.Int64, strict=False).cast(DECIMAL))
        )
        .then(pl.lit("not_an_integer"))
        .when(pl.lit(minimum is not None) & (pl.col("reported").cast(pl.Float64) < (minimum or 0.0)))
        .then(pl.lit("below_minimum"))
        .when(pl.lit(maximum is not None) & (pl.col("reported").cast(pl.Float64) > (maximum or 0.0)))
        .then(pl.lit("above_maximum"))
        .otherwise(None)
        .alias("rule")
    )
    scaled = (pl.col("reported") * pl.lit(factor, dtype=pl.Decimal(38, 0))) if factor != 1 else pl.col("reported")
    frame = frame.with_columns(
        pl.when(pl.col("rule").is_null() & pl.col("token").is_in(["zero", "less_than_half"]))
        .then(pl.lit("0").cast(DECIMAL))
        .when(pl.col("rule").is_null())
        .then(scaled.cast(DECIMAL, strict=False))
        .otherwise(None)
        .alias("value"),
        pl.when(pl.col("token").is_null() | (pl.col("token") == "zero"))
        .then(pl.col("mark"))
        .when((pl.col("token") == "less_than_half") & pl.col("mark").str.contains("P"))
        .then(pl.lit("N;P"))
        .otherwise(pl.col("token").replace_strict(STATUS_OF_TOKEN, default="A", return_dtype=pl.String))
        .alias("obs_status"),
    )
    overflow = pl.col("rule").is_null() & pl.col("value").is_null() & pl.col("token").is_null()
    frame = frame.with_columns(pl.when(overflow).then(pl.lit("out_of_range")).otherwise(pl.col("rule")).alias("rule"))
    details = {
        **DETAILS,
        "below_minimum": f"below the contract's minimum {minimum}",
        "above_maximum": f"above the contract's maximum {maximum}",
    }
    return frame.select(
        "value",
        "obs_status",
        "rule",
        pl.when(pl.col("token").is_in(["zero", "less_than_half"]))
        .then(pl.lit("0").cast(DECIMAL))
        .otherwise(pl.col("reported"))
        .alias("reported"),
        pl.col("rule").replace_strict(details, default=None, return_dtype=pl.String).alias("detail"),
    )


def _slow(text: str) -> Decimal | None:
    """A number as Decimal rounded half-even to nine decimals, or None when it does not fit."""
    try:
        value = Decimal(text).quantize(Decimal("1e-9"), rounding=ROUND_HALF_EVEN)
    except InvalidOperation:
        return None
    return value if abs(value) < Decimal(10) ** 19 else None
