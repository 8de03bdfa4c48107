"""What personal values are and how they may be shown: the form and check digit of an ID number, the mask.

Nothing here is written or logged. What an ID number is replaced under is `person_key`'s work.
"""

from __future__ import annotations

import unicodedata

import numpy as np
import polars as pl

from pipelines.jurisdiction.text import comparison_form

MASK_LENGTH = 40
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


def check_digit(first_17: str) -> str:
    """The check character of a citizen identification number (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first_17, strict=True))
    return _CHECK[total % 11]


def canonical(texts: pl.Series) -> pl.Series:
    """ID numbers in the one form that is checked and hashed: half-width, no blanks, a capital X."""
    plain = texts.str.contains(r"^[0-9]{17}[0-9X]$")
    if plain.all():
        return texts
    cleaned = comparison_form(texts).str.replace_all("[\u200c\u200d\u2060]+", "")
    return cleaned.str.to_uppercase()


def id_problems(texts: pl.Series) -> pl.Series:
    """The rule that each canonical ID number breaks, or null.

    `not_an_id_number` (its form), `impossible_birth_date` or `check_digit`.
    """
    has_form = texts.str.contains(r"^[0-9]{17}[0-9X]$").fill_null(False)
    rules = pl.Series([None] * len(texts), dtype=pl.String)
    rules = pl.select(pl.when(~pl.lit(has_form)).then(pl.lit("not_an_id_number")).otherwise(pl.lit(rules))).to_series()
    formed = texts.filter(has_form)
    if formed.is_empty():
        return rules
    cells = np.frombuffer("".join(formed.to_list()).encode("ascii"), dtype=np.uint8).reshape(-1, 18)
    total = (cells[:, :17].astype(np.int32) - 48) @ np.array(_WEIGHTS, dtype=np.int32)
    expected = np.frombuffer(_CHECK.encode(), dtype=np.uint8)[total % 11]
    birth = formed.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)
    broken = (
        pl.DataFrame({"birth": birth, "is_right": pl.Series(expected == cells[:, 17])})
        .select(
            pl.when(pl.col("birth").is_null())
            .then(pl.lit("impossible_birth_date"))
            .when(~pl.col("is_right"))
            .then(pl.lit("check_digit"))
            .otherwise(None)
        )
        .to_series()
    )
    return rules.scatter(np.flatnonzero(has_form.to_numpy()), broken)


def mask(text: str | None) -> str:
    """The shape of a text without anything of what it says: digits 9, letters a, other script 字, the rest a dot.

    Runs longer than the limit are cut, so that not even the length of a long text is told.
    """
    if not text:
        return ""
    shape = []
    for character in text[:MASK_LENGTH]:
        category = unicodedata.category(character)
        if category[0] == "N":
            shape.append("9")
        elif category[0] == "L":
            shape.append("a" if character.isascii() else "字")
        elif character == "\ufffd":
            shape.append("\ufffd")
        else:
            shape.append(" " if category[0] == "Z" else ".")
    return "".join(shape) + ("…" if len(text) > MASK_LENGTH else "")
