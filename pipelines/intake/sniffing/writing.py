"""How texts from an unknown file are written into a contract, so that whatever they hold it stays one line of YAML."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable

from pipelines.jurisdiction.open_fields import OPEN


def quoted(text: str) -> str:
    """A text in quotes as YAML reads it, with escapes for what is no printable character."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in written)


def listed(texts: Iterable[str]) -> str:
    """Texts as a list on one line."""
    return "[" + ", ".join(quoted(text) for text in texts) + "]"


def word(text: str) -> str:
    """A word of the contract, or an open field."""
    return quoted(OPEN) if text == OPEN else text


def in_english(text: str) -> str:
    """A name that may be English; open where it is in other letters than Latin ones."""
    return text if all("LATIN" in unicodedata.name(c, "") for c in text if c.isalpha()) else OPEN


def one_line(text: str) -> str:
    """A line of a contract whose comment may hold a text of the file: no character of it ends the line."""
    return "".join(c if c.isprintable() else " " for c in text)


def plain_pattern(text: str) -> str:
    """A text as a regular expression that people can read."""
    return re.escape(text).replace(r"\ ", " ").replace(r"\-", "-")
