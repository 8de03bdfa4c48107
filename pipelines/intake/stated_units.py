"""The units that a file states in words around its numbers, against those that its contract gives them.

`Unit: persons` above figures that the contract calls thousands makes each of them a thousand times too large. Headers,
lines above the table, a column of units and SDMX's UNIT_MULT are read here; a unit that the contract takes from the
file itself is `units`' and `values`' work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import polars as pl

from pipelines.formats import ROW
from pipelines.intake.drift import finding
from pipelines.intake.layout import MatchedValue
from pipelines.intake.sniffing.words import IN_BRACKETS, UNIT_HEADER, UNIT_LINE, UNIT_WORD
from pipelines.intake.values import Task
from pipelines.jurisdiction import Unit
from pipelines.jurisdiction.text import folded, normalise

KIND = "stated_unit"
_MULTIPLIER = "UNIT_MULT"  # of SDMX: a power of ten
_POWER = re.compile(r"(?:×|x)?10\^(\d{1,2})", re.IGNORECASE)
_AT_THE_END = re.compile(r"(?:\bin\b|[,，;；/|_])\s*([^,，;；/|_]{1,30}?)[.。]?$", re.IGNORECASE)
_BETWEEN = re.compile(r"[、,，/;；和及]|\band\b", re.IGNORECASE)
_SIZES = {
    **dict.fromkeys(("百", "hundred", "hundreds"), 100),
    **dict.fromkeys(("千", "thousand", "thousands", "tsd", "miles"), 1_000),
    **dict.fromkeys(("万", "萬"), 10_000),
    **dict.fromkeys(("lakh", "lakhs"), 100_000),
    **dict.fromkeys(("million", "millions", "mio", "mn", "millones"), 1_000_000),
    **dict.fromkeys(("crore", "crores"), 10_000_000),
    **dict.fromkeys(("亿", "億"), 100_000_000),
    **dict.fromkeys(("billion", "billions", "bn", "mrd", "milliard", "milliards"), 1_000_000_000),
    **dict.fromkeys(("trillion", "trillions"), 1_000_000_000_000),
}
_WORDS = sorted((word for word in _SIZES if len(word) > 3 or not word.isascii()), key=len, reverse=True)
_ABBREVIATED = [word for word in _SIZES if len(word) <= 3 and word.isascii()]
# Headers have no blanks between their words: `thousandyuan`.
_SCALE = re.compile(rf"{'|'.join(_WORDS)}|\b(?:{'|'.join(_ABBREVIATED)})\b|\b1[0,]*00\b|'?\b000s?\b", re.IGNORECASE)
_OF_MONEY = re.compile(r"人民币|人民幣|\bRMB\b", re.IGNORECASE)  # says whose money, not how much of it


def findings(task: Task) -> list[dict[str, str]]:
    """A finding for each statement of the file that contradicts the unit of a column, as grave as the contract says."""
    severity = task.contract.quality.stated_unit
    fixed = [(value, unit) for value in task.plan.values if (unit := _fixed_unit(task, value)) is not None]
    if severity == "ignore" or not fixed:
        return []
    first, last = task.plan.header_rows
    header = task.grid.cells.filter(task.grid.cells[ROW].is_between(first, last))
    above, of_rows = _above(task), _of_rows(task)
    told: dict[str, list[str]] = {}
    for value, unit in fixed:
        in_header = [unit for text in _header(header, value) for unit in _stated(text) if _is_unit(task, unit)]
        texts = [of_header] if (of_header := _contradiction(task, unit, in_header, is_its_own=True)) else []
        if not in_header:
            texts += [text for text in [_contradiction(task, unit, above)] if text]
        texts += [text for one in of_rows if (text := _contradiction(task, unit, [one], is_its_own=True))]
        for text in texts:
            told.setdefault(f"the file says {text}", []).append(f"{value.address}: {value.unit}")
    return [
        finding(KIND, severity, what, f"as the contract says: {', '.join(columns)}") for what, columns in told.items()
    ]


def _fixed_unit(task: Task, value: MatchedValue) -> Unit | None:
    """The unit that the contract itself gives a column; None where the file says it."""
    name = task.unit_of(value) if isinstance(value.rule.unit, str) else None
    return task.units.units.get(name) if name is not None else None


def _header(rows: pl.DataFrame, value: MatchedValue) -> list[str]:
    """A column's header as the contract knows it, and its cells in the header's rows as written, with their blanks."""
    return [value.header, *(folded(text.strip()) for text in rows[value.cell] if text)]


def _above(task: Task) -> list[str]:
    """What the lines above the table state."""
    rows = task.grid.cells.filter(task.grid.cells[ROW] < task.plan.header_rows[0]).select(task.grid.columns)
    return [unit for row in rows.iter_rows() for text in row if text for unit in _stated(folded(text))]


def _of_rows(task: Task) -> list[str]:
    """What a column of units says that the contract does not take; powers of ten as `10^3`."""
    taken = {value.unit_cell for value in task.plan.values}
    found: list[str] = []
    for header, cell in task.plan.columns.items():
        is_power = header == _MULTIPLIER
        if cell in taken or not (is_power or UNIT_HEADER.match(header)):
            continue
        texts = [text.strip() for text in task.plan.data[cell].drop_nulls().unique(maintain_order=True)]
        found += [f"10^{text}" if is_power else text for text in texts if text]
    return found


def _stated(text: str) -> list[str]:
    """What of a line or header may be a unit: all of it, what stands behind `Unit:`, in brackets, or at its end."""
    line = UNIT_LINE.search(normalise(text))
    if line:
        whole = line.group(1).strip(")）]】 .。")
        return list(dict.fromkeys([whole, *(part.strip() for part in _BETWEEN.split(whole))]))
    found = [part.strip() for part in IN_BRACKETS.findall(text)]
    end = _AT_THE_END.search(text)
    return [text.strip(), *found, *([end.group(1).strip()] if end else [])]


def _is_unit(task: Task, text: str) -> bool:
    """True for a unit of the list, and for a text that scales one."""
    return task.units.named(text) is not None or _taken_apart(text)[0] is not None


def _contradiction(task: Task, unit: Unit, stated: Iterable[str], *, is_its_own: bool = False) -> str | None:
    """What of the texts says that figures are in another unit than this; None when one says it, or none says anything.

    `is_its_own` is true of a text that speaks of the column alone, and not of all columns of a table.
    """
    others: list[str] = []
    for text in stated:
        known = task.units.units.get(task.units.named(text) or task.units.named(_OF_MONEY.sub("", text)) or "")
        if known is not None:
            if known.base == unit.base and known.factor == unit.factor:
                return None
            if known.base == unit.base:
                others.append(text)
            continue
        size, rest = _taken_apart(text)
        if size is None or not (is_its_own or _is_of(task, rest, unit)):
            continue
        if size == unit.factor and (not rest or _is_of(task, rest, unit)):
            return None
        others.append(text)
    return ", ".join(dict.fromkeys(others)) or None


def _is_of(task: Task, rest: str, unit: Unit) -> bool:
    """True when what is left of a scaled unit may be what this unit counts: nothing, or a name that no list knows."""
    known = task.units.units.get(task.units.named(rest) or "")
    return known.base == unit.base if known is not None else True


def _taken_apart(text: str) -> tuple[int | None, str]:
    """How many units a text such as `thousand persons`, `百元`, `10^3` or `‰` counts as one, and the unit without it.

    None when it is no such text: it scales nothing, or it is more than a unit (`千岛湖`).
    """
    power = _POWER.search(text)
    if power:
        return 10 ** int(power.group(1)), normalise(_POWER.sub("", text))
    if text.strip() == "‰":
        return 0, ""
    size, rest = 1, text
    for match in _SCALE.finditer(text):
        word = match.group().lower()
        size *= _SIZES.get(word, 10 ** word.count("0") if "0" in word else 1)
        rest = rest.replace(match.group(), " ", 1)
    rest = re.sub(r"[\d,.\s]+|\bof\b", "", _OF_MONEY.sub("", rest))
    if size == 1 or (rest and not UNIT_WORD.search(rest)):
        return None, ""
    return size, rest
