"""How headers, names and codes are compared: one normal form for text that people typed.

Only the comparison form lives here; the text as reported is kept beside it wherever it matters. Numbers have a form of
their own (`intake.numbers`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

import polars as pl

_BLANKS = re.compile(r"[\s\u200b\u200c\u200d\u2060\ufeff]+")
_SIGNS = ("<super>", "<sub>", "<circle>", "<fraction>")
_WIDTHS = ("<wide>", "<narrow>")


def folded(text: str) -> str:
    """The text in one width (full-width letters and digits to ASCII), and otherwise with the characters it has.

    A superscript, subscript, circled or bracketed digit or letter, a fraction, a digit of another script is a sign of
    its own: `2018²` is not `20182`, and the code `VAᴬ` is not `VAA`.
    """
    if text.isascii() or unicodedata.is_normalized("NFKC", text):
        return text
    signs = "".join({character for character in text if _is_sign(character)})
    if not signs:
        return unicodedata.normalize("NFKC", text)
    pieces = re.split(f"([{re.escape(signs)}])", text)
    return "".join(piece if piece in signs else unicodedata.normalize("NFKC", piece) for piece in pieces)


@cache
def _is_sign(character: str) -> bool:
    """True for a character that Unicode would replace by letters or digits which somebody may take for the text's."""
    kind = unicodedata.decomposition(character).partition(" ")[0]
    if kind in _SIGNS or (kind == "<square>" and ord(character) > 0xFFFF):
        return True
    plain = unicodedata.normalize("NFKC", character)
    return kind not in _WIDTHS and plain != character and any(digit in plain for digit in "0123456789")


@lru_cache(maxsize=65_536)  # codes and headers are the same in file after file
def normalise(text: str | None) -> str:
    """The comparison form of a header or name: in one width (see `folded`), white space and line breaks removed."""
    return _BLANKS.sub("", folded(text)) if text else ""


def comparison_form(texts: pl.Series) -> pl.Series:
    """The comparison form of a whole column of cells: as `normalise`, but joiners (U+200C, U+200D, U+2060) stay."""
    plain = texts.str.normalize("NFKC")
    if not plain.equals(texts):  # few cells of few files: the others need no closer look
        changed = texts.filter(plain != texts).unique()
        plain = texts.replace(changed, pl.Series([folded(text) for text in changed], dtype=pl.String))
    return plain.str.replace_all(r"[\s\u200b\ufeff]+", "")


def trimmed(text: str | None) -> str:
    """The text as reported without blanks and invisible marks at its ends."""
    return text.strip(" \t\r\n\u00a0\u3000\u200b\ufeff") if text else ""
