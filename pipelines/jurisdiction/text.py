"""How headers, names and codes are compared: one normal form for text that people typed.

Only the comparison form lives here; the text as reported is kept beside it wherever it matters.
"""

from __future__ import annotations

import re
import unicodedata

_BLANKS = re.compile(r"[\s\u200b\u200c\u200d\u2060\ufeff]+")


def normalise(text: str | None) -> str:
    """The comparison form of a header or name: NFKC (full-width to ASCII), all white space and line breaks removed."""
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text)) if text else ""


def trimmed(text: str | None) -> str:
    """The text as reported without blanks and invisible marks at its ends."""
    return text.strip(" \t\r\n\u00a0\u3000\u200b\ufeff") if text else ""
