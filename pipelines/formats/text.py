"""Bytes to text: in the encoding that the contract names, or the one that the bytes can be.

What the text holds is the format's module's work.
"""

from __future__ import annotations

from pipelines.errors import UnreadableFileError
from pipelines.formats import encodings
from pipelines.formats.packing import MAX_TEXT_BYTES
from pipelines.jurisdiction.contract import Format

_CUT_OFF = ("unexpected end", "incomplete", "truncated")  # how decoders call a text that ends too early


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

    Raises UnreadableFileError naming the first byte that the encoding cannot have, or the encodings that a text can be
    in where that is not certain.
    """
    if len(data) > MAX_TEXT_BYTES:
        raise UnreadableFileError(
            f"the text is {len(data):,} bytes long: refused",
            where=where,
            do=f"ask for it in parts of at most {MAX_TEXT_BYTES:,} bytes",
        )
    if encoding == "detect":
        detected = encodings.detect(data)
        if not detected.is_certain:
            raise _uncertain(detected, where)
        encoding = detected.encoding
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


def decode_declared(data: bytes, rule: Format, declared: str | None, where: str) -> tuple[str, list[dict[str, str]]]:
    """The text of a file that may say itself which encoding it is in, and a finding where nobody says it.

    What the contract names counts first, then a byte-order mark, then what the file declares.
    """
    encoding = rule.stated_encoding or encodings.by_mark(data) or declared or "detect"
    try:
        return decode(data, encoding, where), encoding_finding(data, encoding)
    except LookupError:
        raise UnreadableFileError(
            f"the file names an unknown encoding {encoding!r}",
            where=where,
            do="name the right one with `format.encoding` in the contract",
        ) from None


def _uncertain(detected: encodings.Detected, where: str) -> UnreadableFileError:
    readings = "; ".join(f"{name} reads {example}" for name, example in detected.others[:4])
    return UnreadableFileError(
        f"the encoding is not certain: {detected.encoding}? {detected.why}; but {readings}",
        where=where,
        do="ask the department, and name it with `format.encoding` in the contract",
    )


def encoding_finding(data: bytes, encoding: str) -> list[dict[str, str]]:
    """The finding that a text was read in an encoding that neither its contract names nor its bytes."""
    if encoding != "detect" or (detected := encodings.detect(data)).is_declared:
        return []
    observed = f"the text was read as {detected.encoding}: {detected.why}"
    expected = f"the encoding in the contract: `format: {{encoding: {detected.encoding}}}`"
    return [{"check": "detected_encoding", "severity": "warn", "observed": observed, "expected": expected}]


def beginning(data: bytes, size: int) -> str:
    """The first bytes as text in which the signs of ASCII are right, to recognise a format by its words."""
    return data[:size].decode(encodings.by_mark(data) or "latin-1", "replace")


def is_text(data: bytes) -> bool:
    """True when the bytes may be text: they begin with a byte-order mark, or hold no null byte."""
    return bool(data) and (data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" not in data[:65_536])


def is_tabbed_text(data: bytes) -> bool:
    """True when the bytes may be text in columns parted by tabs: most of the first lines have one."""
    lines = [line for line in beginning(data, 65_536).split("\n")[:20] if line.strip()]
    return is_text(data) and sum("\t" in line for line in lines) > len(lines) // 2
