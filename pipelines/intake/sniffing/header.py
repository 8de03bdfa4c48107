"""Where the header of an unknown table stands, how many rows it has, and where its data begin.

What the columns below it hold is concluded in `columns`.
"""

from __future__ import annotations

from pipelines.errors import UnreadableFileError
from pipelines.formats import FORMATS
from pipelines.intake.header import join_header
from pipelines.intake.layout import letter
from pipelines.intake.sniffing.cells import Cells, is_number
from pipelines.intake.sniffing.look import Column, Look
from pipelines.intake.sniffing.regions import is_known, without_mark
from pipelines.intake.sniffing.words import (
    TABLE_CONTENTS,
    TABLE_REMARK,
    TABLE_TITLE,
    UNIT_LINE,
    UNIT_SENTENCE,
    YEAR,
    YEAR_CELL,
)
from pipelines.jurisdiction.text import normalise

MAX_HEADER_ROWS = 5


def find_header(columns: list[Column], cells: Cells, matching: set[str], seen: Look) -> None:
    """Set where header and data begin, the names of the columns, and what stands above them.

    Raises UnreadableFileError when no row has a region and a number, or nothing stands above the first of them.
    """
    anchor = seen.anchor.index
    first = _first_data_row(cells, anchor, matching, seen)
    bottom = _bottom_of_header(cells, first, anchor, seen)
    top = _top_of_header(cells, bottom, anchor)
    # Rows between header and data (blank ones, line numbers, headings of blocks) are data to the reader: ignored.
    seen.header_first, seen.header_rows, seen.data_first = top, bottom - top + 1, first
    rows = cells.texts[top : bottom + 1]
    seen.fill_right = seen.header_rows > 1 and join_header(rows, fill_right=True) != join_header(rows, fill_right=False)
    names = join_header(rows, fill_right=seen.fill_right)
    shown = [[cells.shown(row, column) for column in range(cells.width)] for row in range(top, bottom + 1)]
    titles = join_header(shown, fill_right=seen.fill_right)
    for column, name, title in zip(columns, names, titles, strict=True):
        column.name = name or f"[{column.address}]"
        column.title = title or column.name
        column.is_twice = bool(name) and names.count(name) > 1
    above = [(row, column) for row in range(top) for column in range(cells.width) if cells.texts[row][column]]
    seen.preamble = [cells.texts[row][column] for row, column in above]
    seen.preamble_shown = _as_said([cells.shown(row, column) for row, column in above], seen)
    seen.header_row_number = int(cells.grid.cells["source_row"][top])


def _as_said(lines: list[str], seen: Look) -> list[str]:
    """The lines above a table; of what a statistics program wrote as `NAME=text` only what the table is called."""
    if not FORMATS[seen.format.kind].is_labelled:
        return lines
    contents = [match.group(1) for line in lines if (match := TABLE_CONTENTS.match(line))]
    seen.contents = contents[0] if contents else ""
    titles = [match.group(1) for line in lines if (match := TABLE_TITLE.match(line))]
    return titles + [line for line in lines if not TABLE_REMARK.match(line)]


def _first_data_row(cells: Cells, anchor: int, matching: set[str], seen: Look) -> int:
    """The first row of figures: at the first region that has some, or above it when totals come first."""

    def is_data(row: int) -> bool:
        return any(
            is_number(figure) and not YEAR_CELL.match(figure)
            for index, figure in enumerate(cells.figures[row])
            if index != anchor and figure
        )

    for index, row in enumerate(cells.texts):
        figures = any(cells.is_figure(index, place) for place in range(cells.width) if place != anchor)
        if figures and is_known(without_mark(row[anchor]), matching, seen):
            first = index
            break
    else:
        raise UnreadableFileError("no row has a region and a number", where=seen.file_name, do="see docs/contract.md")
    while first > 0 and is_data(first - 1) and any(cells.texts[first - 1][: anchor + 1]):
        if cells.is_header_like(first - 1) or not cells.texts[first - 1][anchor]:
            break
        first -= 1
    if first == 0:
        raise UnreadableFileError("no header stands above the data", where=seen.file_name, do="see docs/contract.md")
    return first


def _top_of_header(cells: Cells, bottom: int, anchor: int) -> int:
    """The first of the rows of names right above the data."""
    top = bottom

    def names(of: int) -> list[str]:
        return join_header(cells.texts[of : bottom + 1], fill_right=True)

    width = max(1, sum(1 for text in names(top) if text))
    while top > 0 and bottom - top + 1 < MAX_HEADER_ROWS:
        filled = cells.filled(top - 1)
        current = [text for text in names(top) if text]
        needed = not names(top)[anchor] or len(set(current)) < len(current)
        wide = filled >= 3 and filled >= width / 3
        is_names = filled and cells.is_header_like(top - 1)
        if is_names and (wide or (needed and (cells.texts[top - 1][anchor] or filled >= 2))):
            top -= 1
        else:
            break
    return top


def _bottom_of_header(cells: Cells, first: int, anchor: int, seen: Look) -> int:
    """The last row of names above the data; rows of line numbers and headings of blocks may stand between."""
    nearest = first - 1
    while nearest > 0 and not cells.filled(nearest):
        nearest -= 1
    bottom = nearest
    numbers: tuple[str, str] | None = None
    headings: list[str] = []
    while bottom > 0:
        filled = [(place, text) for place, text in enumerate(cells.texts[bottom]) if text]
        is_line = len(filled) >= 2 and all(
            place > anchor and is_number(cells.figures[bottom][place]) and not YEAR_CELL.match(text)
            for place, text in filled
        )
        if is_line:
            numbers = (letter(filled[0][0]), filled[0][1])
        elif len(filled) == 1 and filled[0][0] <= anchor and cells.filled(first) > 2:
            headings.append(filled[0][1])
        elif filled:
            break
        bottom -= 1
    if cells.filled(bottom) < 2 or not cells.is_header_like(bottom):
        return nearest  # nothing above looks like a header: what stands right above the data is taken for it
    seen.line_numbers = numbers
    seen.headings = headings[::-1]
    return bottom


def how_to_find(cells: Cells, seen: Look) -> None:
    """Set the names by which the reader finds the header again, and the unit that the lines above the table state."""
    for shown in seen.preamble_shown:
        stated = UNIT_LINE.search(normalise(shown)) or UNIT_SENTENCE.search(shown)
        if stated:
            seen.unit_line = stated.group(1).strip(")）]】 .。")
            break
    rows = range(seen.header_first, seen.header_first + seen.header_rows)
    top = cells.texts[seen.header_first]
    wanted: list[tuple[int, int]] = []
    for column in (c for c in (seen.code, seen.name, seen.year_column) if c is not None):
        wanted += [(row, column.index) for row in rows if cells.texts[row][column.index]][:1]
    if not any(cells.texts[row][column] in top for row, column in wanted):
        plain = [(rows[0], i) for i, text in enumerate(top) if text and not YEAR.search(text)]
        wanted += plain[:1] or [(rows[0], i) for i, text in enumerate(top) if text][:2]
    if len(wanted) < 2:
        taken = {cells.texts[row][column] for row, column in wanted}
        others = [(rows[0], c.index) for c in seen.values if top[c.index] and not YEAR.search(top[c.index])]
        wanted += [place for place in others if top[place[1]] not in taken][:1]
    found = {cells.texts[row][column]: cells.shown(row, column) for row, column in wanted}
    seen.find = list(found.values()) if _is_only_here(cells, set(found), seen) else []


def _is_only_here(cells: Cells, find: set[str], seen: Look) -> bool:
    """True when the header is the first row that holds these names."""
    for index in range(seen.header_first + 1):
        present = {text for row in cells.texts[index : index + seen.header_rows] for text in row}
        if find and find <= present and any(name in cells.texts[index] for name in find):
            return index == seen.header_first
    return False
