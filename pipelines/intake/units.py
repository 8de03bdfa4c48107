"""The units of a jurisdiction by the texts that files call them.

A text is a unit's name in comparison form, or what the contract maps to one. Anything else is no unit: none is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.jurisdiction import Unit
from pipelines.jurisdiction.text import normalise

_SCALES = frozenset(
    ("十", "百", "千", "万", "萬", "亿", "億", "百万", "千万", "thousand", "million", "billion", "%", "‰")
)
_BRACKETS = (("(", ")"), ("[", "]"))


class UnitIndex:
    """The units of a jurisdiction, ready for look-up."""

    def __init__(self, units: Mapping[str, Unit]) -> None:
        self.units = dict(units)
        self._by_form = {normalise(name): name for name in units}

    def named(self, text: str | None, translations: Mapping[str, str] | None = None) -> str | None:
        """The unit that a text names, whether or not in brackets; None for a text that names none."""
        form = normalise(text)
        bare = form[1:-1] if (form[:1], form[-1:]) in _BRACKETS else form
        named = self._by_form | {normalise(name): unit for name, unit in (translations or {}).items()}
        return named.get(form) or named.get(bare)

    def is_other(self, sign: str, unit: Unit) -> bool:
        """True for a sign behind a number that says the number is in another unit than this one, or multiplies it."""
        known = self.units.get(self.named(sign) or "")
        if known is not None:
            return (known.base, known.factor) != (unit.base, unit.factor)
        return normalise(sign).lower() in _SCALES
