"""What of a sheet cannot be read for certain: rows whose cells do not fit their header, cells that show something else
than they hold, one number over several rows; and notes that the display parts from a number.

The file's format says what it saw (`formats.Grid`); here it is set against the header and the columns of the contract.
What is rejected for it is `sheet`'s and `values`' work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats import ROW, Grid, raised, width_fault
from pipelines.jurisdiction.contract import Format, MarkMeaning

Fault = tuple[str, str]  # the rule that is broken, and what is wrong


@dataclass(frozen=True)
class Doubts:
    """Rows by number, and cells by row number and grid column, that are in doubt."""

    rows: dict[int, Fault] = field(default_factory=dict)
    cells: dict[tuple[int, str], Fault] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rows or self.cells)

    def of_cell(self, row: int, cell: str) -> str | None:
        """What is wrong with a cell or its row, or None."""
        fault = self.rows.get(row) or self.cells.get((row, cell))
        return fault[1] if fault else None

    def refuse_header(self, rows: tuple[int, int], where: str) -> None:
        """Raises UnreadableFileError when the header, in these rows, cannot be read for certain itself."""
        for row, (_, detail) in (*self.rows.items(), *((row, fault) for (row, _), fault in self.cells.items())):
            if rows[0] <= row <= rows[1]:
                raise UnreadableFileError(
                    f"the header cannot be read for certain: row {row}: {detail}",
                    where=where,
                    do="ask for the file again",
                )

    def spoiled(self, key_cells: Iterable[str], sources: pl.DataFrame) -> dict[int, Fault]:
        """Rows that are in doubt, or one of the cells that say what they are about.

        `sources` names for each row (ROW) the row whose cell holds for it, for columns that are filled down.
        """
        found = dict(self.rows)
        for cell in key_cells:
            wrong = {row: fault for (row, column), fault in self.cells.items() if column == cell}
            if cell not in sources.columns:
                found = wrong | found
                continue
            wrong = wrong | self.rows
            holding = sources.filter(pl.col(cell).is_in(list(wrong)))
            found = {row: wrong[source] for row, source in holding.select(ROW, cell).iter_rows()} | found
        return found


def find_doubts(
    grid: Grid, rule: Format, header: tuple[int, int], data: pl.DataFrame, value_cells: list[str]
) -> Doubts:
    """The doubts of a sheet whose header stands at these positions (from 0); `data` are its data rows."""
    doubts = Doubts()
    for row, cell, broken, detail in grid.faults.iter_rows():
        if cell is None:
            doubts.rows.setdefault(row, (broken, detail))
            continue
        for number in grid.cells[ROW].slice(header[1] + 1) if row is None else (row,):
            doubts.cells.setdefault((number, cell), (broken, detail))
    for row, fault in _of_width(grid, rule, header):
        doubts.rows.setdefault(row, fault)
    for place, fault in _of_merges(grid, data, value_cells):
        doubts.cells.setdefault(place, fault)
    return doubts


def without_notes(grid: Grid, below: int, value_cells: list[str], marks: Mapping[str, MarkMeaning]) -> Grid:
    """The grid without the notes of the rows below a row number; in value columns a note that is a mark stays one."""
    texts: dict[tuple[int, str], str | None] = {}
    for row, cell, text, note in grid.notes.iter_rows():
        if row > below:
            mark = next((form for form in (note, raised(note)) if form in marks), None)
            texts[row, cell] = f"{text.rstrip()} {mark}" if mark is not None and cell in value_cells else text
    return grid.with_texts(texts)


def _of_width(grid: Grid, rule: Format, header: tuple[int, int]) -> list[tuple[int, Fault]]:
    """Rows below the header that were written with more or fewer cells than it has."""
    if grid.widths is None:
        return []
    first, last = header
    names = int(str(grid.widths.slice(first, last - first + 1).max()))
    ends = grid.cells[f"c{names - 1}"].slice(first, last - first + 1)
    if rule.trailing_delimiter and ends.null_count() == ends.len():
        names -= 1
    expected = names + 1 if rule.trailing_delimiter else names
    widths = grid.widths.slice(last + 1)
    is_odd = (widths != expected) & (widths > 0)
    if rule.trailing_delimiter and f"c{names}" in grid.cells.columns:
        is_odd |= grid.cells[f"c{names}"].slice(last + 1).is_not_null()
    if not is_odd.any():
        return []
    behind = ("more_cells", "the row goes on behind the delimiter that ends each line")
    return [
        (row, width_fault(width, expected) if width != expected else behind)
        for row, width in zip(grid.cells[ROW].slice(last + 1).filter(is_odd), widths.filter(is_odd), strict=True)
    ]


def _covered(
    data: pl.DataFrame, area: tuple[int, int, int, int], places: Mapping[int, str]
) -> Iterable[tuple[tuple[int, str], Fault]]:
    """Numbers that another cell is merged over: nobody sees them."""
    first, last, left, right = area
    cells = [cell for place, cell in places.items() if left <= place <= right]
    rows = data.filter(pl.col(ROW).is_between(first, last)).select(ROW, *cells) if cells else data.clear()
    for row in rows.iter_rows(named=True):
        for cell in cells:
            is_first = row[ROW] == first and int(cell[1:]) == left
            if not is_first and (row[cell] or "").strip():
                yield (row[ROW], cell), ("merged_cells", "another cell is merged over it: nobody sees what it holds")


def _of_merges(grid: Grid, data: pl.DataFrame, value_cells: list[str]) -> Iterable[tuple[tuple[int, str], Fault]]:
    """Value cells of data rows that are shown as one: the number in them belongs to all of them together."""
    if not grid.merges or not data.height:
        return
    rows, places = data[ROW], {int(cell[1:]): cell for cell in value_cells}
    top = int(rows[0])
    for first, last, left, right in grid.merges:
        if last < top:
            continue  # titles and headers
        yield from _covered(data, (first, last, left, right), places)
        cells = [cell for place, cell in places.items() if left <= place <= right]
        own = rows.filter(rows.is_between(first, last)).to_list() if cells else []
        if len(cells) * len(own) > 1:
            detail = f"one merged cell holds for {len(own):,} rows and {len(cells):,} columns together"
            yield from (((row, cell), ("merged_cells", detail)) for row in own for cell in cells)
