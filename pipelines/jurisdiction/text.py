"""How headers, names and codes are compared: one normal form for text that people typed.

Only the comparison form lives here; the text as reported is kept beside it wherever it matters.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TypeVar

import polars as pl

_Texts = TypeVar("_Texts", pl.Series, pl.Expr)
_BLANKS = re.compile(r"[\s\u200b\u200c\u200d\u2060\ufeff]+")


def normalise(text: str | None) -> str:
    """The comparison form of a header or name: NFKC (full-width to ASCII), all white space and line breaks removed."""
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text)) if text else ""


def comparison_form(texts: _Texts) -> _Texts:
    """The comparison form of a whole column of cells: as `normalise`, but joiners (U+200C, U+200D, U+2060) stay."""
    return texts.str.normalize("NFKC").str.replace_all(r"[\s\u200b\ufeff]+", "")


def trimmed(text: str | None) -> str:
    """The text as reported without blanks and invisible marks at its ends."""
    return text.strip(" \t\r\n\u00a0\u3000\u200b\ufeff") if text else ""
