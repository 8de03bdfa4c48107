"""Text to exact numbers, a column at a time: what is a number, what is a token, what is neither.

A value is never guessed: two numbers in one cell, a stray letter or a replaced byte is a rule that was broken,
and the rule's name goes with it. Units are multiplied here, exactly; their list is the jurisdiction's.
"""

from __future__ import annotations

import re
import unicodedata
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
_ENGLISH = NumberStyle()
_PLAIN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
_SIMPLE = r"^-?[0-9]{1,19}(\.[0-9]{0,9})?$"
_THOUSANDS = r"^[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$"
_BRACKETED = r"^\(([0-9][0-9,]*\.?[0-9]*)\)$"


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
    height: `value` (Decimal, base units), `obs_status` (A, or the status of a token), `rule` and `detail` (null
    unless the cell is rejected), and `reported`, the number before its unit and whatever its range.
    """
    # Most cells of most files are plain numbers: they need none of what the others must be looked at for.
    forms = [_token_form(token) for token in tokens]
    cells = pl.DataFrame({"raw": text})
    is_plain = pl.col("raw").str.contains(_SIMPLE).fill_null(False) & ~pl.col("raw").is_in(forms)
    if any(mark[-1:].isdigit() for mark in marks) or style != _ENGLISH:
        is_plain = pl.lit(False)
    plain = cells.select(is_plain.alias("plain")).to_series()
    if plain.all():
        frame = _plain_numbers(text)
    else:
        frame = _any_cells(text.filter(~plain), is_percent=is_percent, tokens=tokens, marks=marks, style=style)
        if plain.any():
            order = pl.concat([plain.arg_true(), (~plain).arg_true()])
            frame = pl.concat([_plain_numbers(text.filter(plain)), frame]).with_columns(order.alias("_order"))
            frame = frame.sort("_order").drop("_order")
    return _judged(frame, kind=kind, factor=factor, minimum=minimum, maximum=maximum)


def _plain_numbers(text: pl.Series) -> pl.DataFrame:
    """Cells that are numbers as they stand, before their range is judged."""
    return pl.DataFrame({"reported": text.cast(DECIMAL, strict=False)}).with_columns(
        pl.lit(None, dtype=pl.String).alias("rule"),
        pl.lit(None, dtype=pl.String).alias("token"),
        pl.lit("A").alias("mark"),
    )


def _any_cells(
    text: pl.Series,
    *,
    is_percent: bool,
    tokens: dict[str, TokenMeaning],
    marks: dict[str, MarkMeaning],
    style: NumberStyle,
) -> pl.DataFrame:
    """Cells of any kind: `reported` number, broken `rule`, meaning of the `token`, status by its `mark`."""
    frame = pl.DataFrame({"raw": text}).with_columns(
        pl.col("raw")
        .fill_null("")
        .str.normalize("NFKC")
        .str.strip_chars(" \t\r\n\u00a0\u3000\u200b\ufeff")
        .str.replace_all("[\u2212\u2013]", "-")
        .alias("t")
    )
    meanings = {_token_form(token): meaning for token, meaning in tokens.items()}
    frame = frame.with_columns(
        pl.col("t").replace_strict(meanings, default=None, return_dtype=pl.String).alias("token"),
    )
    frame = frame.with_columns(pl.col("t").alias("m"), pl.lit("A").alias("mark"))
    for mark, status in marks.items():
        form = _token_form(mark)
        carries = pl.col("m").str.ends_with(form) & pl.col("token").is_null()
        frame = frame.with_columns(
            pl.when(carries).then(pl.lit(STATUS_OF_MARK[status])).otherwise(pl.col("mark")).alias("mark"),
            pl.when(carries)
            .then(pl.col("m").str.strip_suffix(form).str.strip_chars_end())
            .otherwise(pl.col("m"))
            .alias("m"),
        )
    if style != _ENGLISH:
        frame = frame.with_columns(_in_english(pl.col("m"), style).alias("m"))
    number = (
        pl.when(pl.col("m").str.contains(_BRACKETED))
        .then(pl.lit("-") + pl.col("m").str.strip_chars("()"))
        .otherwise(pl.col("m"))
    )
    if is_percent:
        number = number.str.strip_suffix("%").str.strip_chars_end(" ")
    frame = frame.with_columns(number.alias("n"))
    frame = frame.with_columns(
        pl.when(pl.col("n").str.contains(_THOUSANDS))
        .then(pl.col("n").str.replace_all(",", ""))
        .otherwise(pl.col("n"))
        .str.strip_prefix("+")
        .alias("n")
    )
    frame = frame.with_columns(
        pl.when(pl.col("token").is_not_null())
        .then(None)
        .when(pl.col("t") == "")
        .then(pl.lit("empty_cell"))
        .when(pl.col("t").str.contains("\ufffd", literal=True))
        .then(pl.lit("replaced_byte"))
        .when(~pl.col("n").str.contains(_PLAIN) & pl.col("t").str.contains(r"\d\s+[\d.]|\d+\.\d+\.\d"))
        .then(pl.lit("several_numbers"))
        .when(~pl.col("n").str.contains(_PLAIN))
        .then(pl.lit("not_a_number"))
        .otherwise(None)
        .alias("rule")
    )
    is_number = pl.col("token").is_null() & pl.col("rule").is_null()
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
        pl.when(pl.col("token").is_null())
        .then(pl.col("mark"))
        .otherwise(pl.col("token").replace_strict(STATUS_OF_TOKEN, default="A", return_dtype=pl.String))
        .alias("obs_status"),
    )
    overflow = pl.col("rule").is_null() & pl.col("value").is_null() & pl.col("obs_status").is_in(["A", "P", "E", "B"])
    frame = frame.with_columns(pl.when(overflow).then(pl.lit("out_of_range")).otherwise(pl.col("rule")).alias("rule"))
    details = {
        "empty_cell": "the cell is empty and the contract gives an empty cell no meaning",
        "replaced_byte": "the cell holds a replacement character: the file was decoded wrongly before it came",
        "several_numbers": "more than one number in one cell",
        "not_a_number": "not a number and not a token of the contract",
        "not_an_integer": "a whole number is expected",
        "out_of_range": "the number does not fit 19 digits before and 9 after the point",
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


def _in_english(text: pl.Expr, style: NumberStyle) -> pl.Expr:
    """Numbers with the marks of another country, with a point and commas; text that is no such number stays."""
    thousands = {"none": "", "'": "['\u2019]"}.get(style.thousands, re.escape(style.thousands))
    decimal = re.escape(style.decimal)
    whole = rf"\d{{1,3}}(?:{thousands}\d{{3}})+|\d+" if thousands else r"\d+"
    fits = text.str.contains(rf"^\(?[+-]?(?:{whole})(?:{decimal}\d*)?\)?(?:\s*%)?$")
    bare = text.str.replace_all(thousands, "") if thousands else text
    # A comma or point that this style has no use for makes the text no number at all.
    return (
        pl.when(fits)
        .then(bare.str.replace(style.decimal, ".", literal=True))
        .otherwise(text.str.replace_all("[.,]", "?"))
    )


def _token_form(token: str) -> str:
    """A contract's token in the form cells are compared in."""
    text = unicodedata.normalize("NFKC", token).strip(" \t\r\n\u00a0\u3000\u200b\ufeff")
    return re.sub("[\u2212\u2013]", "-", text)


def _slow(text: str) -> Decimal | None:
    """A number as Decimal rounded half-even to nine decimals, or None when it does not fit."""
    try:
        value = Decimal(text).quantize(Decimal("1e-9"), rounding=ROUND_HALF_EVEN)
    except InvalidOperation:
        return None
    return value if abs(value) < Decimal(10) ** 19 else None
