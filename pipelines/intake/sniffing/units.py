"""Which unit figures are in: as header or lines above state it and the jurisdiction lists it, else open.

No unit is ever guessed: a text that no list knows, several that may be meant, or none at all leave the unit open.
"""

from __future__ import annotations

import re

from pipelines.intake.sniffing.look import Column, Grounds, Look
from pipelines.intake.sniffing.words import IN_BRACKETS, RATE_WORD, SCALED, UNIT_WORD
from pipelines.jurisdiction.open_fields import OPEN
from pipelines.jurisdiction.text import normalise

_LONGEST, _MOST_WORDS = 24, 4  # of a text that may be a unit
_PER = re.compile(r"(?:\bper|/|每)\s*[0-9,.]*\s*$", re.IGNORECASE)


def states_unit(column: Column, grounds: Grounds) -> bool:
    """True when a column's header or cells bear a unit, known or not."""
    return bool(column.percents) or bool(_stated_by(column.title, grounds))


def unit_of(text: str, columns: list[Column], grounds: Grounds, seen: Look) -> tuple[str, str]:
    """The unit of the figures under a header (or label), and the reason; `?` where it is not certain.

    `columns` are the columns that hold the figures: their percent signs count too.
    """
    listed = _stated_by(text, grounds)
    percents = sum(column.percents for column in columns)
    if listed:
        unit = grounds.unit_names.get(normalise(listed))
        if unit is not None and not (percents and grounds.units[unit] != "percent"):
            return unit, f"the header says {listed}"
        if unit is not None:
            return OPEN, f"the header says {listed}, the cells bear percent signs"
        return OPEN, f"the header says {_unlisted(listed, seen)}, which `units` does not list"
    if percents:
        numbers = sum(column.numbers for column in columns)
        unit = grounds.unit_names.get("%")
        if unit is not None and percents == numbers:
            return unit, "the cells bear percent signs"
        return OPEN, "some cells bear percent signs" if percents < numbers else "the cells bear percent signs"
    if RATE_WORD.search(text):
        return OPEN, "the header speaks of a rate or an average: nothing says in what"
    return _above(grounds, seen)


def _unlisted(unit: str, seen: Look) -> str:
    """Note a unit that the jurisdiction has to list before it can be named."""
    if unit not in seen.unlisted_units:
        seen.unlisted_units.append(unit)
    return unit


def _stated_by(text: str, grounds: Grounds) -> str:
    """The unit that a header states: in brackets, behind a stroke or comma, or scaled at its end; else nothing."""
    parts: list[str] = [part.strip() for part in IN_BRACKETS.findall(text)]
    parts += [part.strip() for part in re.split(r"[/,，:：;；|]", IN_BRACKETS.sub("", text))[1:]]
    for part in reversed(parts):
        if normalise(part) in grounds.unit_names:
            return part
    for part in reversed(parts):
        if _is_unit(part, grounds):
            return part
    return _at_the_end(text, grounds)


def _is_unit(text: str, grounds: Grounds) -> bool:
    """True for a unit of the list, and for a few words of which one is a unit anywhere."""
    is_short = len(text) <= _LONGEST and len(text.split()) <= _MOST_WORDS
    spelt = text if text.isascii() else normalise(text)
    return normalise(text) in grounds.unit_names or (is_short and UNIT_WORD.search(spelt) is not None)


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
            for text in (line, *IN_BRACKETS.findall(line), _stated_by(line, grounds))
        ]
        stated = {grounds.unit_names[normalise(text)] for text in texts if normalise(text) in grounds.unit_names}
        if len(stated) == 1:
            unit = stated.pop()
            return unit, f"the lines above the table say {unit}"
        return OPEN, "the lines above the table name several" if stated else "nothing in the file says it"
    listed = grounds.unit_names.get(normalise(seen.unit_line))
    if listed is not None:
        return listed, f"the lines above the table say {listed}"
    parts = re.split(r"[、,，/;；]", seen.unit_line)
    if len(parts) > 1:
        return OPEN, f"one of those above the table ({seen.unit_line}): which one is not said"
    return OPEN, f"the lines above the table say {_unlisted(seen.unit_line, seen)}, which `units` does not list"


def without_unit(text: str, grounds: Grounds) -> str:
    """A header without its unit, in brackets or at its end; what else stands in brackets stays."""

    def kept(match: re.Match[str]) -> str:
        return "" if _is_unit(match.group(1), grounds) else match.group(0)

    named = " ".join(IN_BRACKETS.sub(kept, text).split())
    ending = _at_the_end(named, grounds)
    return named.removesuffix(ending).strip(" /,:，：、") or named if ending else named.strip(" /,:，：、") or text
