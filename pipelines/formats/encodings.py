"""Which encoding the bytes of a text are in, and whether that is certain.

A byte-order mark and UTF-8 are certain by themselves. For older encodings the library `charset-normalizer` says which
of them the bytes can be read in without nonsense; the rules here say which readings a table of names and numbers can
have: words are words, and the letters of a Latin script are those of one language. Where two readings are left whose
texts differ, the encoding is not certain, and nobody guesses it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Of several encodings that give the same text the first is named.
_WIDE = ("gb18030", "big5", "cp932", "euc_jp", "cp949")
_WESTERN, _CENTRAL = ("cp1252", "iso8859_15", "cp850", "mac_roman"), ("cp1250", "iso8859_2", "cp852")
_USUAL = (*_WIDE, "cp1252", "cp1250", "cp1254", "cp1257", "cp1251", "koi8_r", "cp1253")
_RARE = ("iso8859_15", "iso8859_2", "cp850", "cp852", "mac_roman")  # looked at where no usual one makes words
_GROWN = ("gb18030", "cp949")  # grown around an older standard, whose characters most of a text is made of
_SAMPLE = 100_000  # bytes of lines that hold anything but ASCII
_NEAR = 0.05  # by how much more nonsense a reading may have than the best one and still be possible

# The letters beyond ASCII, in small, of the languages that an encoding is for.
_ALPHABETS: dict[tuple[str, ...], tuple[str, ...]] = {
    _WESTERN: (
        "æøåéèêóòâôü",  # Danish, Norwegian
        "áéíóúàèëïöüç",  # Dutch
        "éèôêçï",  # English
        "åäöéšžü",  # Finnish, Swedish
        "àâæçéèêëîïôœùûüÿ",  # French
        "äöüßé",  # German
        "áðéíóúýþæö",  # Icelandic
        "àèéìîòóù",  # Italian
        "áàâãçéêíóôõúü",  # Portuguese
        "áéíñóúü",  # Spanish
    ),
    _CENTRAL: (
        "áčďéěíňóřšťúůýž",  # Czech
        "áéíóöőúüű",  # Hungarian
        "ąćęłńóśźż",  # Polish
        "ăâîşţ",  # Romanian
        "čćđšž",  # Serbian, Croatian, Slovene
        "áäčďéíĺľňóôŕšťúýž",  # Slovak
    ),
    ("cp1254",): ("çğıİöşüâîû",),  # Turkish
    ("cp1257",): ("äõöüšž", "āčēģīķļņōŗšūž", "ąčęėįšųūž"),  # Estonian, Latvian, Lithuanian
}
_ALONE = set("àáéèíóАВИКОСУЭЯавикосуэяΗηΟο")  # words of one letter
_NEVER_FIRST = set("ęųğĘŲĞ")
_JOINS = "'’ʼ-‐–—.·/&"  # signs that may stand between two letters
_ODD = re.compile("[\x80-\x9f\xa4\u02b0-\u02ff\u2500-\u25ff\ufffd\ue000-\uf8ff]")
_HALF_WIDTH_ALONE = re.compile("(?<![\uff61-\uff9f])[\uff61-\uff9f](?![\uff61-\uff9f])")
_WORD = re.compile(r"[^\s\x00-\x26\x28-\x2c\x2f-\x40\x5b-\x60\x7b-\x7f]+")
_MIXED = re.compile("[A-Za-z][\u0370-\u052f]|[\u0370-\u052f][A-Za-z]")
_OTHER_SCRIPT = re.compile("[\u0370-\u052f]")  # Greek, Cyrillic
_BEYOND = re.compile(r"[^\x00-\x7f]+")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True)
class Detected:
    """The encoding of a text, and why. `others` are those that the bytes can be too, each with what it would read."""

    encoding: str
    why: str
    is_declared: bool = True  # by the bytes themselves: a mark, UTF-8, or nothing but ASCII
    others: tuple[tuple[str, str], ...] = ()

    @property
    def is_certain(self) -> bool:
        """True when no other reading of the bytes is possible."""
        return not self.others


def by_mark(data: bytes) -> str | None:
    """The encoding that a byte-order mark names."""
    return next((name for mark, name in _BOMS if data.startswith(mark)), None)


def detect(data: bytes) -> Detected:
    """The encoding of a text. What is not certain still has a likeliest encoding, for people to look at."""
    marked = by_mark(data)
    if marked:
        return Detected(marked, "the byte-order mark")
    sample = data[:200_000]
    for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if zeros.count(0) > len(sample) // 6:
            return Detected(encoding, "every second byte is zero", is_declared=False)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _legacy(_telling(data))
    return Detected("utf-8", "the bytes are valid UTF-8")


def _telling(data: bytes) -> bytes:
    """The cells that hold anything but ASCII, each once, as many as a sample takes.

    None of the signs that part them here is a byte of a longer character in any encoding that is looked at.
    """
    found: dict[bytes, None] = {}
    size = 0
    for match in re.finditer(rb"[^\r\n\t,;]*[\x80-\xff][^\r\n\t,;]*", data):
        cell = match.group()[:_SAMPLE]
        if cell not in found:
            found[cell] = None
            size += len(cell)
        if size > _SAMPLE:
            break
    if len(found) > 1 and data[-1:] not in b"\r\n":
        found.pop(cell, None)  # it may have been cut off within a character
    return b"\n".join(found)


def _legacy(sample: bytes) -> Detected:
    """The older encoding of a sample: of the readings that are possible, the one that a table can have."""
    readings = _possible(sample, _USUAL) or _possible(sample, _RARE)
    if not readings:
        return Detected("latin-1", "no encoding makes words of the bytes", False, (("another", "''"),))
    spoken = [(name, text) for name, text in readings if _is_spoken(name, text)]
    # Names of several languages in one table: the letters of Western Europe are the most usual.
    readings = spoken or [reading for reading in readings if reading[0] in _WESTERN] or readings
    name, text = readings[0]
    others: dict[str, str] = {}
    for other, differs in readings[1:]:
        if differs not in (text, *others.values()):
            others[other] = differs
    shown = tuple((other, _example(differs, text)) for other, differs in others.items())
    return Detected(_plain(name, sample), f"only so its words can be read: {_example(text, '')}", False, shown)


def _possible(sample: bytes, encodings: tuple[str, ...]) -> list[tuple[str, str]]:
    """The encodings in which a sample has hardly more nonsense than in the best one, and its text in each."""
    texts = {name: sample.decode(name, "replace") for name in encodings}
    right = {name: text for name, text in texts.items() if "\ufffd" not in text and _looks_right(name, text)}
    nonsense = {name: amount for name, amount in _nonsense(sample, encodings).items() if name in right}
    # The library has no word for very short samples.
    nonsense = nonsense or dict.fromkeys(right, 0.0)
    near = [name for name in right if nonsense.get(name, 1) <= min(nonsense.values()) + _NEAR]
    return [(name, right[name]) for name in sorted(near, key=lambda name: nonsense[name])]


def _nonsense(sample: bytes, encodings: tuple[str, ...]) -> dict[str, float]:
    """The encodings that the library holds possible, with the share of nonsense (0 to 1) that it sees in each."""
    from charset_normalizer import from_bytes  # only texts in older encodings need it

    found = {}
    for match in from_bytes(sample, cp_isolation=list(encodings), preemptive_behaviour=False, enable_fallback=False):
        for name in (match.encoding, *match.could_be_from_charset):
            found[name] = match.chaos
    return found


def _looks_right(name: str, text: str) -> bool:
    if name not in _WIDE:
        letters = [c for c in text if c.isalpha()]
        foreign = sum(not c.isascii() for c in letters)
        return _has_words(text) and (foreign * 4 <= len(letters) * 3 or bool(_OTHER_SCRIPT.search(text)))
    if name in _GROWN:
        wide = [c.encode(name) for c in "".join(_BEYOND.findall(text))]
        if sum(len(c) == 2 and min(c) >= 0xA1 for c in wide) * 3 < len(wide) * 2:
            return False
    return _stands_apart(text)


def _stands_apart(text: str) -> bool:
    """True when most characters of a wide script do not stand right beside a letter of ASCII.

    Where they do, they have swallowed the letters of a Western word: `K鰈n` is `Köln` misread.
    """
    wide, beside = 0, 0
    for match in _BEYOND.finditer(text):
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        wide += len(match.group())
        beside += min(len(match.group()), before.isalpha() + after.isalpha())
    return beside * 2 <= wide and not _ODD.search(text) and not _HALF_WIDTH_ALONE.search(text)


def _has_words(text: str) -> bool:
    """True when the letters beyond ASCII stand as in words.

    They do not stand alone, nor large between small ones, nor mixed with another script, and no sign parts them.
    """
    if _ODD.search(text):
        return False
    for word in {match.group() for match in _WORD.finditer(text)}:
        if word.isascii():
            continue
        if word[0] in _NEVER_FIRST or (len(word) == 1 and word.isalpha() and word not in _ALONE):
            return False
        if _MIXED.search(word):
            return False
        letters = word.strip("".join(c for c in word if not c.isalpha()))
        if any(not c.isalpha() and c not in _JOINS for c in letters):
            return False
        for before, c, after in zip(" " + word, word, word[1:] + " ", strict=False):
            if not c.isascii() and c.isupper() and before.isalpha() and (before.islower() or after.islower()):
                return False
    return True


def _is_spoken(name: str, text: str) -> bool:
    """True when one of the languages that an encoding is for writes all letters beyond ASCII that a text has."""
    languages = next((alphabets for encodings, alphabets in _ALPHABETS.items() if name in encodings), None)
    if languages is None:
        return True
    letters = {c if c == "İ" else c.lower() for c in "".join(_BEYOND.findall(text)) if c.isalpha()}
    return any(letters <= set(alphabet) for alphabet in languages)


def _plain(name: str, sample: bytes) -> str:
    """Latin-1 where the bytes say no more than that: it has no signs of Windows."""
    return "latin-1" if name == "cp1252" and not re.search(rb"[\x80-\x9f]", sample) else name


def _example(text: str, other: str) -> str:
    """Letters beyond ASCII that another reading does not have, to show how a text looks; no numbers of anybody."""
    words = re.findall(r"[^\W\d_]*[^\x00-\x7f\W\d_][^\W\d_]*", text) or _BEYOND.findall(text)
    return repr(next((word for word in words if word not in other), words[0] if words else "")[:20])
