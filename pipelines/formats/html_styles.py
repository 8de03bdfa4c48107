"""What the styles of a page do to its text: hide it, strike it through, raise or lower it.

A browser shows it so; nothing is known here of tables and cells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_MAX_STYLES = 1_000_000  # characters of style sheets
DISPLAYS = frozenset(("display", "visibility", "mso-hide"))
# What takes text out of sight without saying so: too small, too faint, too far away, cut to nothing.
_PLACES = ("left", "right", "top", "bottom", "text-indent", "margin-left")
_OUT_OF_SIGHT = frozenset(("opacity", "font-size", "color", "clip", "clip-path", *_PLACES))
_TELLING = {*DISPLAYS, *_OUT_OF_SIGHT, "text-decoration", "text-decoration-line", "vertical-align"}
_ZERO = re.compile(r"(?:0+(?:\.0*)?|\.0+)(?:[a-z]+|%)?")
_FAR = re.compile(r"-\s*\d{3,}(?:\.\d+)?(?:px|pt|em|rem|cm|mm|in|%)?")
# Styles that say nothing of what a text is: those of word processors and of writing in general.
_HARMLESS = re.compile(
    r"mso-.*|font-family|font-weight|font-style|letter-spacing|line-height|text-align|white-space|background.*"
)


@dataclass
class Styles:
    """Elements, by their identity, that style sheets hide, strike through, raise or lower."""

    hidden: set[int] = field(default_factory=set)
    out_of_sight: set[int] = field(default_factory=set)
    struck: set[int] = field(default_factory=set)
    raised: set[int] = field(default_factory=set)
    lowered: set[int] = field(default_factory=set)


def own_style(node: LexborNode) -> dict[str, str]:
    """What an element's own `style` declares, in small letters."""
    text = node.attributes.get("style")
    return _declared(text) if text else {}


@lru_cache(maxsize=4096)
def _declared(text: str) -> dict[str, str]:
    import tinycss2

    found = {}
    for part in tinycss2.parse_blocks_contents(text[:10_000], skip_comments=True, skip_whitespace=True):
        if part.type == "declaration":
            found[part.lower_name] = tinycss2.serialize(part.value).strip().lower()
    return found


def hides(declared: dict[str, str]) -> bool:
    """True when an element that is declared so is not shown."""
    return is_undisplayed(declared) or is_out_of_sight(declared)


def is_undisplayed(declared: dict[str, str]) -> bool:
    """True when it is said plainly that an element is not shown."""
    return (
        declared.get("display") == "none"
        or declared.get("visibility") in ("hidden", "collapse")
        or declared.get("mso-hide") == "all"
    )


def is_out_of_sight(declared: dict[str, str]) -> bool:
    """True when an element is shown where, or in such a way that, nobody sees it."""
    return (
        any(_ZERO.fullmatch(declared.get(name, "")) for name in ("opacity", "font-size"))
        or declared.get("color", "").replace(" ", "") in ("transparent", "rgba(0,0,0,0)")
        or any(_FAR.fullmatch(declared.get(name, "")) for name in _PLACES)
        or re.sub(r"[\s,]|px", "", declared.get("clip", "")) in ("rect(0000)", "rect(1111)")
        or declared.get("clip-path", "").replace(" ", "") in ("inset(50%)", "inset(100%)")
    )


def is_harmless(node: LexborNode) -> bool:
    """True when nothing that an element says of itself can set its text apart from the text around it."""
    names = set(node.attributes)
    return names <= {"style", "lang", "xml:lang", "dir", "face"} and all(map(_HARMLESS.fullmatch, own_style(node)))


def styles_of(tree: LexborHTMLParser) -> Styles:
    """What the page's style sheets hide, strike through, raise and lower; of two rules the later one counts."""
    import tinycss2

    found = Styles()
    sheets = "\n".join(node.text() or "" for node in tree.css("style"))[:_MAX_STYLES]
    sheets = sheets.replace("<!--", "").replace("-->", "")
    for rule in tinycss2.parse_stylesheet(sheets, skip_comments=True, skip_whitespace=True):
        if rule.type != "qualified-rule":
            continue
        declared = _declared(tinycss2.serialize(rule.content))
        if not declared.keys() & _TELLING:
            continue
        try:
            nodes = {node.mem_id for node in tree.css(tinycss2.serialize(rule.prelude))}
        except Exception:  # a selector that no browser understands either
            continue
        line = declared.get("text-decoration", "") + declared.get("text-decoration-line", "")
        place = declared.get("vertical-align", "")
        for elements, is_so, names in (
            (found.hidden, is_undisplayed(declared), DISPLAYS),
            (found.out_of_sight, is_out_of_sight(declared), _OUT_OF_SIGHT),
            (found.struck, "line-through" in line, {"text-decoration", "text-decoration-line"}),
            (found.raised, place == "super", {"vertical-align"}),
            (found.lowered, place == "sub", {"vertical-align"}),
        ):
            if names & declared.keys():
                elements.update(nodes) if is_so else elements.difference_update(nodes)
    return found
