"""Which unit figures are in: as header or lines above state it and the jurisdiction lists it, else open.

No unit is ever guessed: a text that no list knows, several that may be meant, or none at all leave the unit open.
"""

from __future__ import annotations

import re

from pipelines.intake.sniffing.dimensions import SCALE_COLUMN
from pipelines.intake.sniffing.look import Column, Grounds, Look
from pipelines.intake.sniffing.words import IN_BRACKETS, RATE_WORD, SCALE, SCALED, UNIT_WORD
from pipelines.intake.sniffing.writing import quoted
from pipelines.jurisdiction.open_fields import OPEN
from pipelines.jurisdiction.text import normalise

_LONGEST, _MOST_WORDS = 24, 4  # of a text that may be a unit
_SMALL_WORDS = ("of", "per", "in", "a", "the", "100", "1000", "1,000", "10000", "100000", "100,000")
_PER = re.compile(r"(?:\bper|/|每)\s*[0-9,.]*\s*$", re.IGNORECASE)


def states_unit(column: Column, grounds: Grounds) -> bool:
    """True when a column's header or cells bear a unit, known or not."""
    return bool(column.percents) or bool(_stated_by(column.title, grounds))


def unit_of(text: str, columns: list[Column], grounds: Grounds, seen: Look) -> tuple[str, str]:
    """The unit of the figures under a header (or label), and the reason; `?` where it is not certain.

    `columns` are the columns that hold the figures: their percent signs count too.
    """
    stated = _stated_by(text, grounds)
    if stated:
        return _of_header(stated, text, sum(column.percents for column in columns), grounds, seen)
    percents, numbers = sum(column.percents for column in columns), sum(column.numbers for column in columns)
    if percents:
        unit = grounds.unit_names.get("%")
        if unit is not None and percents == numbers:
            return unit, "the cells bear percent signs"
        if percents < numbers:
            return OPEN, "some cells bear percent signs"
        return OPEN, f"the cells bear percent signs; `units` does not list {_unlisted('%', seen)}"
    if RATE_WORD.search(text):
        return OPEN, "the header speaks of a rate or an average: nothing says in what"
    return _above(grounds, seen)


def unit_of_rows(grounds: Grounds, seen: Look) -> tuple[str, str] | None:
    """The `unit` of a contract where each row says its own, and the reason; None where no column does."""
    if seen.unit_column is None:
        return None
    column, texts = seen.unit_column
    texts = texts or [""]  # not stated yet; a text that comes later must be agreed
    others = [text for text in texts if normalise(text) not in grounds.unit_names]
    is_scale = column.title == SCALE_COLUMN
    for text in others:
        if text and not is_scale:
            _unlisted(text, seen)
    parts = [f"column: {quoted(column.called)}"]
    if others:
        pairs = (f'{quoted(text)}: "{OPEN}"' for text in others)
        parts.append(f"map: {{{', '.join(pairs)}}}")
    says = "how many zeros the numbers leave out" if is_scale else "the unit of each row"
    says += "" if any(texts) else ", and is empty here"
    return f"{{{', '.join(parts)}}}", f"column {column.address} says {says}"


def _of_header(stated: list[str], text: str, percents: int, grounds: Grounds, seen: Look) -> tuple[str, str]:
    """The one unit that a header states and the list knows, unless something else in the file speaks against it."""
    if len({normalise(unit) for unit in stated}) > 1:
        return OPEN, f"the header names several units ({', '.join(stated)})"
    unit = grounds.unit_names.get(normalise(stated[0]))
    if unit is None:
        return OPEN, f"the header says {_unlisted(stated[0], seen)}, which `units` does not list"
    if percents and grounds.units[unit] != "percent":
        return OPEN, f"the header says {unit}, the cells bear percent signs"
    others = f"{text.replace(stated[0], ' ', 1)} {seen.unit_line}"
    scale = SCALE.search(others)
    if scale and not SCALE.search(unit) and grounds.units[unit] != "percent":
        return OPEN, f"the header says {unit}, and elsewhere stands {scale.group(0).strip()}"
    return unit, f"the header says {unit}"


def _unlisted(unit: str, seen: Look) -> str:
    """Note a unit that the jurisdiction has to list before it can be named."""
    if unit not in seen.unlisted_units:
        seen.unlisted_units.append(unit)
    return unit


def _stated_by(text: str, grounds: Grounds) -> list[str]:
    """The units that a header states: in brackets, behind a stroke or comma, or scaled at its end."""
    found = [part.strip() for part in IN_BRACKETS.findall(text) if _is_unit(part.strip(), grounds)]
    parts = re.split(r"[/,，:：;；|]", IN_BRACKETS.sub("", text))[1:]
    found += [part.strip() for part in parts if _is_unit(part.strip(), grounds, whole=True)]
    return list(dict.fromkeys(found)) or [unit for unit in [_at_the_end(text, grounds)] if unit]


def _is_unit(text: str, grounds: Grounds, *, whole: bool = False) -> bool:
    """True for a unit of the list, and for a few words of which one (or, as a whole, each) is of a unit anywhere."""
    if normalise(text) in grounds.unit_names:
        return True
    if len(text) > _LONGEST or len(text.split()) > _MOST_WORDS:
        return False
    words = [word for word in text.split() if word.lower() not in _SMALL_WORDS] if text.isascii() else [normalise(text)]
    found = [UNIT_WORD.search(word) is not None for word in words]
    return bool(found) and (all(found) if whole else any(found))


def _at_the_end(text: str, grounds: Grounds) -> str:
    words = text.split()
    for first in range(1, len(words)):
        end = " ".join(words[first:])
        if SCALED.search(end) and not _PER.search(" ".join(words[:first])):
            is_unit = normalise(end) in grounds.unit_names
            if is_unit or SCALED.search(words[first]):
                return end
    return ""


def _above(grounds: Grounds, seen: Look) -> tuple[str, str]:
    """The unit that the lines above the table state for all of it."""
    if not seen.unit_line:
        texts = [
            text
            for line in seen.preamble_shown
            for text in (line, *IN_BRACKETS.findall(line), *_stated_by(line, grounds))
        ]
        stated = {grounds.unit_names[normalise(text)] for text in texts if normalise(text) in grounds.unit_names}
        if len(stated) == 1:
            unit = stated.pop()
            return unit, f"the lines above the table say {unit}"
        return OPEN, "the lines above the table name several" if stated else _unlisted_above(grounds, seen)
    listed = grounds.unit_names.get(normalise(seen.unit_line))
    if listed is not None:
        return listed, f"the lines above the table say {listed}"
    parts = re.split(r"[、,，/;；]", seen.unit_line)
    if len(parts) > 1:
        return OPEN, f"one of those above the table ({seen.unit_line}): which one is not said"
    return OPEN, f"the lines above the table say {_unlisted(seen.unit_line, seen)}, which `units` does not list"


def _latin_words(line: str) -> list[str]:
    """The words of a line in Latin letters and signs of currencies; of any other line the line itself and nothing."""
    return line.split() if len(line) <= _LONGEST and not re.search(r"[\u3040-\u9fff(（]", line) else [line, ""]


def _unlisted_above(grounds: Grounds, seen: Look) -> str:
    """What the lines above a table say of units that are not listed."""
    texts = [part.strip() for line in seen.preamble_shown for part in IN_BRACKETS.findall(line)]
    stated = [text for text in texts if _is_unit(text, grounds)]
    stated += [line for line in seen.preamble_shown if all(UNIT_WORD.search(word) for word in _latin_words(line))]
    stated = list(dict.fromkeys(stated))
    if not stated:
        return "nothing in the file says it"
    named = ", ".join(_unlisted(unit, seen) for unit in stated)
    return f"the lines above the table say {named}, which `units` does not list"


def without_unit(text: str, grounds: Grounds) -> str:
    """A header without its unit, in brackets or at its end; what else stands in brackets stays."""

    def kept(match: re.Match[str]) -> str:
        return "" if _is_unit(match.group(1), grounds) else match.group(0)

    named = " ".join(IN_BRACKETS.sub(kept, text).split())
    ending = _at_the_end(named, grounds)
    return named.removesuffix(ending).strip(" /,:，：、") or named if ending else named.strip(" /,:，：、") or text
