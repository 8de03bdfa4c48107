"""Bytes to text: in the encoding that the contract names, or the one that the bytes can be.

What the text holds is the format's module's work.
"""

from __future__ import annotations

import itertools
import re

from pipelines.errors import UnreadableFileError
from pipelines.formats.packing import MAX_TEXT_BYTES

_NOT_1252 = rb"[\x81\x8d\x8f\x90\x9d]"
_CUT_OFF = ("unexpected end", "incomplete", "truncated")  # how decoders call a text that ends too early
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def cut_off_finding(line: int) -> dict[str, str]:
    """The finding that a text's last line, of this number, has no end."""
    return {
        "check": "cut_off",
        "severity": "block",
        "observed": f"the last line ({line:,}) has no end: the file may have been cut off",
        "expected": "a line end behind the last line, unless the contract says `format: {open_end: true}`",
    }


def decode(data: bytes, encoding: str, where: str) -> str:
    """The text of a file. `detect` looks at the byte-order mark, then at what the bytes can be.

    Raises UnreadableFileError naming the first byte that the encoding cannot have.
    """
    if len(data) > MAX_TEXT_BYTES:
        raise UnreadableFileError(
            f"the text is {len(data):,} bytes long: refused",
            where=where,
            do=f"ask for it in parts of at most {MAX_TEXT_BYTES:,} bytes",
        )
    if encoding == "detect":
        encoding = detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if error.end >= len(data) and error.reason.startswith(_CUT_OFF):
            raise UnreadableFileError(
                f"the file ends within a character of {encoding}: it was cut off", where=where, do="ask for all of it"
            ) from error
        raise UnreadableFileError(
            f"the bytes are not {encoding}: byte {error.start:,} cannot be read",
            where=where,
            do="correct `format.encoding` in the contract or ask for the file in the agreed encoding",
        ) from error
    if "\x00" in text:
        raise UnreadableFileError(
            "the file holds null bytes: it is not a text file in this encoding",
            where=where,
            do="correct `format` in the contract",
        )
    return text.removeprefix("\ufeff")


def detect_encoding(data: bytes) -> str:
    """The likeliest encoding of a text: byte-order mark, strict UTF-8, then the legacy ones departments use.

    GB18030 can read almost any bytes, so it is preferred only where it gives common characters and the Japanese
    and Western ones do not fit better.
    """
    for bom, name in _BOMS:
        if data.startswith(bom):
            return name
    sample = data[:200_000]
    if sample[1::2].count(0) > len(sample) // 6:
        return "utf-16-le"
    if sample[::2].count(0) > len(sample) // 6:
        return "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        scores = {name: _plausible(sample, name) for name in ("gb18030", "cp932", "latin-1")}
        likeliest = max(scores, key=lambda name: scores[name])
        if likeliest == "latin-1" and re.search(rb"[\x80-\x9f]", data) and not re.search(_NOT_1252, data):
            return "cp1252"  # dashes and quotes of Windows, where Latin-1 has control characters
        return likeliest
    return "utf-8"


def _plausible(sample: bytes, encoding: str) -> float:
    """How much a decoded sample looks like text: the share of characters that are common in such files."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError as error:
        if len(sample) - error.start > 4:
            return -1.0
        text = sample[: error.start].decode(encoding)
    wide = [c for c in text if ord(c) > 127]
    if not wide:
        return 0.5
    score = 0.0
    for c in wide:
        point = ord(c)
        if encoding == "latin-1":
            # Accented letters inside words are Western text; runs of signs are another encoding misread.
            score += 0.6 if c.isalpha() else 0.1
        elif 0x3041 <= point <= 0x30FF:
            score += 1.0 if encoding == "cp932" else 0.3
        elif 0x4E00 <= point <= 0x9FA5 or 0x3000 <= point <= 0x3020 or 0xFF00 <= point <= 0xFF5E:
            score += 0.9
        elif 0xE000 <= point <= 0xF8FF or 0x3400 <= point <= 0x4DBF or 0xFF61 <= point <= 0xFF9F:
            score -= 1.0
    letters_in_run = sum(
        1 for a, b in itertools.pairwise(text) if ord(a) > 127 and ord(b) > 127 and encoding == "latin-1"
    )
    return (score - letters_in_run) / len(wide)
