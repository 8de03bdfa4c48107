"""What a regular expression of a contract must be: one that can match, and that no text keeps busy without end.

Patterns are Python's, and see the comparison form of a text (`text.normalise`): in one width, without blanks. One that
asks for what that form never holds would silently find nothing; one that repeats a repetition (`(a+)+`) may take longer
than anybody waits. Both are refused when the contract is loaded. What patterns are for is `contract`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Annotated, Any

from pydantic import AfterValidator

from pipelines.jurisdiction.text import normalise

# Python's own reading of a pattern: what `re.compile` makes its program of.
_parser: Any = re._parser  # type: ignore[attr-defined]
_code: Any = re._constants  # type: ignore[attr-defined]
_ONE_CHARACTER = (_code.LITERAL, _code.NOT_LITERAL, _code.ANY, _code.IN)
_REPEATS = (_code.MAX_REPEAT, _code.MIN_REPEAT, _code.POSSESSIVE_REPEAT)
_ENDS = (_code.AT_END, _code.AT_END_STRING)
_FEW = 3  # repeated so seldom, even a repetition of repetitions is short work
_SAMPLE = "09azAZ_-/.,:()[] \t中年é²" + "\u0660"
_CATEGORIES = {
    _code.CATEGORY_DIGIT: r"\d",
    _code.CATEGORY_NOT_DIGIT: r"\D",
    _code.CATEGORY_SPACE: r"\s",
    _code.CATEGORY_NOT_SPACE: r"\S",
    _code.CATEGORY_WORD: r"\w",
    _code.CATEGORY_NOT_WORD: r"\W",
}

_Item = tuple[Any, Any]  # a piece of a pattern: what it is, and its parts


def checked(pattern: str, blanks: bool = False) -> str:
    """The pattern itself. `blanks` says that the texts it will see may hold blanks.

    Raises ValueError for one that is no regular expression, can never match, or may take time without end.
    """
    try:
        items = list(_parser.parse(pattern))
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from error
    why = _obstacle(items, blanks)
    if why:
        raise ValueError(f"the pattern {pattern!r} can never match: {why}")
    if _is_endless(items):
        raise ValueError(
            f"the pattern {pattern!r} repeats a repetition: some texts would keep it busy without end; "
            "write it without a repetition inside another, or with a sign between them that neither holds"
        )
    return pattern


def with_group(pattern: str | None) -> str | None:
    """The pattern itself, which must have a group: what it matches is the part of a text that counts."""
    if pattern is not None and re.compile(checked(pattern)).groups < 1:
        raise ValueError("a `pattern` needs a group (…) around the part of the cell that counts")
    return pattern


Pattern = Annotated[str, AfterValidator(checked)]
PartPattern = Annotated[str | None, AfterValidator(with_group)]


# -- can it match? ------------------------------------------------------------------------------------------------


def _obstacle(items: Sequence[_Item], blanks: bool) -> str | None:
    """What a pattern asks for that no text in comparison form has; None when nothing stands in its way."""
    literal = ""
    for place, (kind, parts) in enumerate([*items, (None, None)]):
        if kind is _code.LITERAL:
            literal += chr(parts)
            continue
        if literal and not _may_stand(literal, blanks):
            return f"it asks for {literal!r}, and is compared with texts without blanks and in one width"
        literal = ""
        why = _obstacle_in(kind, parts, blanks)
        if why:
            return why
        if kind is _code.AT:
            before, after = items[:place], items[place + 1 :]
            if parts in _ENDS and _least_width(after):
                return "it asks for something behind the end ($)"
            if parts in (_code.AT_BEGINNING, _code.AT_BEGINNING_STRING) and _least_width(before):
                return "it asks for something before the beginning (^)"
    return None


def _obstacle_in(kind: Any, parts: Any, blanks: bool) -> str | None:
    if kind is _code.IN and not any(_may_be_one_of(item, blanks) for item in parts):
        return "it asks for a blank or a full-width character, and is compared with texts that have none"
    if kind is _code.BRANCH:
        whys = [_obstacle(list(branch), blanks) for branch in parts[1]]
        return whys[0] if all(whys) else None
    if kind in _REPEATS:
        return _obstacle(list(parts[2]), blanks) if parts[0] else None
    if kind is _code.SUBPATTERN:
        return _obstacle(list(parts[3]), blanks)
    if kind is _code.ASSERT:
        return _obstacle(list(parts[1]), blanks)
    if kind is _code.ATOMIC_GROUP:
        return _obstacle(list(parts), blanks)
    return None


def _may_stand(literal: str, blanks: bool) -> bool:
    text = literal.replace(" ", "") if blanks else literal
    return normalise(text) == text


def _may_be_one_of(item: _Item, blanks: bool) -> bool:
    """True when some character of a set's item can stand in a text in comparison form."""
    kind, parts = item
    if kind is _code.LITERAL:
        return _may_stand(chr(parts), blanks)
    if kind is _code.RANGE:
        low, high = parts
        return high - low > 200 or any(_may_stand(chr(code), blanks) for code in range(low, high + 1))
    return kind is not _code.CATEGORY or parts is not _code.CATEGORY_SPACE or blanks


def _least_width(items: Sequence[_Item]) -> int:
    return int(_parser.SubPattern(_parser.State(), list(items)).getwidth()[0])


# -- does it come to an end? --------------------------------------------------------------------------------------


def _is_endless(items: Sequence[_Item]) -> bool:
    """True when a repetition may divide one text among its turns in more than one way."""
    for kind, parts in items:
        if kind in _REPEATS and parts[1] > _FEW and not _divides_one_way(_flat(parts[2])):
            return True
        if any(_is_endless(inner) for inner in _inside(kind, parts)):
            return True
    return False


def _inside(kind: Any, parts: Any) -> Iterator[list[_Item]]:
    if kind in _REPEATS:
        yield list(parts[2])
    elif kind is _code.BRANCH:
        yield from (list(branch) for branch in parts[1])
    elif kind is _code.SUBPATTERN:
        yield list(parts[3])
    elif kind in (_code.ASSERT, _code.ASSERT_NOT):
        yield list(parts[1])
    elif kind is _code.ATOMIC_GROUP:
        yield list(parts)


def _flat(items: Sequence[_Item]) -> list[_Item]:
    """The items of a turn without the groups around them."""
    flat: list[_Item] = []
    for kind, parts in items:
        flat += _flat(parts[3]) if kind is _code.SUBPATTERN else [(kind, parts)]
    return flat


def _divides_one_way(turn: list[_Item]) -> bool:
    """True when a turn of a repetition can end in one place only.

    It is so when each of its items takes one character; when one of them is a run of characters that the next item (or
    the first, if it is the last) cannot begin with; or when it is one of several words that begin differently.
    """
    if len(turn) == 1 and turn[0][0] is _code.BRANCH:
        words = [_flat(branch) for branch in turn[0][1][1]]
        return all(word and all(kind in _ONE_CHARACTER for kind, _ in word) for word in words) and all(
            _are_apart(one[0], other[0]) for one, other in combinations(words, 2)
        )
    runs = [place for place, (kind, _) in enumerate(turn) if kind not in _ONE_CHARACTER]
    if not runs:
        return True
    kind, parts = turn[runs[0]]
    if len(runs) > 1 or kind not in _REPEATS or len(parts[2]) != 1:
        return False
    (run,), after = list(parts[2]), turn[(runs[0] + 1) % len(turn)]
    return parts[0] == parts[1] or (len(turn) > 1 and run[0] in _ONE_CHARACTER and _are_apart(run, after))


def _are_apart(one: _Item, other: _Item) -> bool:
    """True when no character fits both of two items that take one character."""
    telling = {*_SAMPLE, *_named(one), *_named(other)}
    return not any(_takes(one, character) and _takes(other, character) for character in telling)


def _named(item: _Item) -> Iterator[str]:
    kind, parts = item
    if kind in (_code.LITERAL, _code.NOT_LITERAL):
        yield chr(parts)
    for inner, what in parts if kind is _code.IN else ():
        if inner is _code.LITERAL:
            yield chr(what)
        elif inner is _code.RANGE:
            yield from (chr(what[0]), chr(what[1]))


def _takes(item: _Item, character: str) -> bool:
    """True when an item that takes one character takes this one."""
    kind, parts = item
    if kind is _code.ANY:
        return True
    if kind is _code.LITERAL:
        return chr(parts) == character
    if kind is _code.NOT_LITERAL:
        return chr(parts) != character
    found = any(
        (inner is _code.LITERAL and chr(what) == character)
        or (inner is _code.RANGE and what[0] <= ord(character) <= what[1])
        or (inner is _code.CATEGORY and re.match(_CATEGORIES[what], character) is not None)
        for inner, what in parts
    )
    return found != (parts[0][0] is _code.NEGATE)
