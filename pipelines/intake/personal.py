"""What becomes of personal values: the check digit of an ID number, the keyed hash that stands for it, the mask.

Nothing here is written or logged. The key comes from a file outside the warehouse; only its id may be stored.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import unicodedata
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.text import comparison_form

KEY_VARIABLE = "JUNHENG_PERSON_KEY_FILE"
MASK_LENGTH = 40
_MINIMUM_KEY = 32
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


class PersonKey:
    """A secret under which ID numbers become pseudonyms (HMAC-SHA-256, RFC 2104). It never shows itself."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _MINIMUM_KEY:
            raise ValueError(f"a key has at least {_MINIMUM_KEY} bytes")
        block = secret if len(secret) <= 64 else hashlib.sha256(secret).digest()
        block = block.ljust(64, b"\0")
        # The two padded keys are hashed once; each pseudonym then starts from a copy.
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self.key_id = hashlib.sha256(b"junheng person key id\0" + secret).hexdigest()[:12]

    def __repr__(self) -> str:
        return f"PersonKey({self.key_id})"

    def __reduce__(self) -> str:
        raise TypeError("a key is not stored")

    @classmethod
    def for_once(cls) -> PersonKey:
        """A key that nobody keeps, for a dry run."""
        return cls(secrets.token_bytes(_MINIMUM_KEY))

    def pseudonyms(self, texts: list[str]) -> list[bytes]:
        """HMAC-SHA-256 of each text's UTF-8 bytes, 32 bytes each."""
        inner, outer = self._inner.copy, self._outer.copy
        found = []
        for text in texts:
            first = inner()
            first.update(text.encode())
            second = outer()
            second.update(first.digest())
            found.append(second.digest())
        return found


def key_is_configured() -> bool:
    """True when the environment names a key file, whether or not it is a good one."""
    return bool(os.environ.get(KEY_VARIABLE))


def load_key(*forbidden: Path) -> PersonKey:
    """The key from the file that the environment names; it may not lie below a `forbidden` folder.

    Raises ConfigurationError when there is none, when it is too short, or where it must not lie.
    """
    named = os.environ.get(KEY_VARIABLE)
    if not named:
        raise ConfigurationError(
            "there is no key for ID numbers: a person-level extract is not read without one",
            where=KEY_VARIABLE,
            do=f"write {_MINIMUM_KEY} or more random bytes to a file outside the warehouse that only you can read, "
            f"and name it in {KEY_VARIABLE}",
        )
    path = Path(named).expanduser().resolve()
    for folder in forbidden:
        if path.is_relative_to(folder.resolve()):
            raise ConfigurationError(
                f"the key for ID numbers lies below {folder}: whoever gets the data would get the key",
                where=KEY_VARIABLE,
                do="move it to a place of its own",
            )
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"the key for ID numbers cannot be read: {error.strerror}",
            where=f"{KEY_VARIABLE} ({path})",
            do="correct it",
        ) from None
    if len(secret) < _MINIMUM_KEY:
        raise ConfigurationError(
            f"the key for ID numbers has {len(secret)} bytes, {_MINIMUM_KEY} are needed",
            where=f"{KEY_VARIABLE} ({path})",
            do="make a longer one; what was read under the old one has other pseudonyms",
        )
    return PersonKey(secret)


# -- ID numbers -------------------------------------------------------------------------------------------------


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


# -- mask -------------------------------------------------------------------------------------------------------


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
