"""Which rows below the header of an unknown table are data: totals, headings, notes and repeated headers set aside.

What the cells of the data rows are is concluded in `columns`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from pipelines.intake.sniffing.cells import Cells
from pipelines.intake.sniffing.look import Guess, Look
from pipelines.intake.sniffing.regions import is_known
from pipelines.intake.sniffing.words import FOOTNOTE, TOKENS, TOTAL, TOTAL_WORD

_BEGINNING = re.compile(r"^[^\d:：.。,，、\s]{1,12}")
_BLANKS = " \t\u00a0\u3000"


@dataclass
class Row:
    """A data row: its cells in comparison form, as they are written, and as figures are read."""

    texts: list[str]
    raw: tuple[str | None, ...]
    figures: list[str]
    is_known: bool  # it names a region


def data_rows(cells: Cells, matching: set[str], seen: Look) -> list[Row]:
    """The rows of the table; what is set aside is noted in `seen`."""
    anchor = seen.anchor.index
    header = cells.texts[seen.header_first]
    widest = max(cells.filled(row) for row in range(seen.data_first, min(seen.data_first + 50, len(cells.texts))))
    last = _last_row(cells, anchor, matching, seen)
    rows: list[Row] = []
    unmatched: Counter[str] = Counter()
    for index in range(seen.data_first, last + 1):
        row, filled = cells.texts[index], cells.filled(index)
        if not filled:
            continue
        if row == header and index > seen.data_first:
            seen.repeats = True
            continue
        name = row[anchor]
        if seen.repeats and (cells.is_header_like(index) or filled < 2):
            continue
        first = next(text for text in row if text)
        if not cells.has_figures(index) and FOOTNOTE.match(first):
            seen.end_at.append(Guess(_pattern(first), f"notes inside the table: {first[:40]}"))
            break
        if widest > 2 and name == first and name not in matching and filled == 1:
            seen.headings.append(name)
            continue
        if (TOTAL.match(name) or TOTAL_WORD.search(name)) and name not in matching:
            seen.totals.append(name)
            continue
        known = is_known(name, matching, seen)
        if not known and name:
            unmatched[cells.shown(index, anchor)] += 1
        rows.append(Row(row, cells.raw[index], cells.figures[index], known))
    seen.totals = list(dict.fromkeys(seen.totals))
    seen.headings = list(dict.fromkeys(seen.headings))
    seen.unmatched = list(unmatched)
    ends = {guess.value: guess for guess in seen.end_at}
    firsts = [next(text for text in row.texts if text) for row in rows]
    seen.end_at = [guess for pattern, guess in ends.items() if not any(re.search(pattern, text) for text in firsts)]
    return rows


def _pattern(text: str) -> str:
    beginning = _BEGINNING.match(text)
    return "^" + re.escape(beginning.group(0) if beginning else text[:12])


def _last_row(cells: Cells, anchor: int, matching: set[str], seen: Look) -> int:
    """The last row with figures, or with a region and something beside it; what follows is notes."""
    last = max(
        row
        for row in range(seen.data_first, len(cells.texts))
        if cells.has_figures(row)
        or (cells.texts[row][anchor] in matching and cells.filled(row) > 1)
        or row == seen.data_first
    )
    if cells.is_whole or last < len(cells.texts) - 1:
        for row in cells.texts[last + 1 :]:
            first = next((text for text in row if text), "")
            if first:
                seen.end_at.append(Guess(_pattern(first), f"after the last row of figures: {first[:40]}"))
                break
    return last


def find_marks_of_names(rows: list[Row], names: set[str], seen: Look) -> None:
    """Set signs before names, words behind them, blanks before them that show levels, and texts for no code."""
    if seen.name is None:
        return
    index = seen.name.index
    prefixes: Counter[str] = Counter()
    suffixes: Counter[str] = Counter()
    for row in rows:
        name = row.texts[index]
        if name in names or not name:
            continue
        for length in range(1, 5):
            if name[length:] in names:
                prefixes[name[:length]] += 1
            if name[:-length] in names:
                suffixes[name[-length:]] += 1
    seen.name_prefixes = [p for p, n in prefixes.items() if n >= 2 or not p.isalnum()]
    seen.name_suffixes = [s for s, n in suffixes.items() if n >= 2]
    depths = {len(text) - len(text.lstrip(_BLANKS)) for row in rows if (text := row.raw[index] or "").strip()}
    repeated = Counter(row.texts[index] for row in rows if row.is_known)
    seen.indent = len(depths) > 1 and any(count > 1 for count in repeated.values())
    seen.unmatched = [name for name in seen.unmatched if not _is_explained(name, names, seen)]
    if seen.code is not None:
        seen.no_code = sorted({row.texts[seen.code.index] for row in rows if row.texts[seen.code.index] in TOKENS})


def _is_explained(name: str, names: set[str], seen: Look) -> bool:
    text = "".join(name.split())
    return any(text.startswith(mark) and text.removeprefix(mark) in names for mark in seen.name_prefixes) or any(
        text.endswith(mark) and text.removesuffix(mark) in names for mark in seen.name_suffixes
    )
