"""A grid: one sheet of a file as text, every cell in its place, and the size that no honest file exceeds.

Its columns are `c0, c1, ...`, beside `source_row`, the row number that a person sees when opening the file. Beside
the text stands what the file says of its rows and cells that text cannot. How bytes become a grid is each format's
module; what its cells mean, and which faults matter, is `intake`'s work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import polars as pl

from pipelines.errors import UnreadableFileError

ROW = "source_row"
MAX_COLUMNS = 20_000
MAX_CELL = 1_000_000
MAX_CELLS = 25_000_000  # of one sheet, empty ones within its bounds included

# Where something is: a row by its number and a cell by its column. No cell: the whole row; no row: the whole column.
_PLACE: dict[str, Any] = {ROW: pl.Int64, "cell": pl.String}
FAULT: dict[str, Any] = {**_PLACE, "rule": pl.String, "detail": pl.String}
NOTE: dict[str, Any] = {**_PLACE, "text": pl.String, "note": pl.String}
_RAISED = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_NO_FAULTS, _NO_NOTES = pl.DataFrame(schema=FAULT), pl.DataFrame(schema=NOTE)
# Rows of these numbers fill a sheet of Excel: what came after them is gone.
FULL_HEIGHTS = {65_536: "an .xls sheet", 1_048_576: "an .xlsx sheet"}
FULL_WIDTHS = {"xls": 256, "xlsx": 16_384}


def raised(text: str) -> str:
    """A text in raised letters, as far as there are such: nothing takes `1200¹` for a number of five digits."""
    return text.translate(_RAISED)


def faults(rows: list[tuple[int | None, str | None, str, str]]) -> pl.DataFrame:
    """Rows and cells that cannot be read for certain, one fault each: place, the rule broken, what is wrong."""
    if not rows:
        return _NO_FAULTS
    return pl.DataFrame(rows, schema=FAULT, orient="row").unique([ROW, "cell"], keep="first", maintain_order=True)


def notes(rows: list[tuple[int | None, str | None, str, str]]) -> pl.DataFrame:
    """Cells with a note that their display parts from the text: place, the text without it, the note."""
    return pl.DataFrame(rows, schema=NOTE, orient="row") if rows else _NO_NOTES


def places(rows: list[tuple[int | None, str | None]]) -> pl.DataFrame:
    """Places of a grid, as in `faults`."""
    return pl.DataFrame(rows, schema=_PLACE, orient="row")


def no_places() -> pl.DataFrame:
    """No place at all."""
    return places([])


@dataclass(frozen=True)
class Grid:
    """One sheet as text, and what its file says beside the text.

    `sheet` is empty for formats that have none. `faults` (see `FAULT`) are rows and cells that cannot be read for
    certain; `notes` (`NOTE`) are cells in whose text a raised note stands. `findings` are about the sheet as a whole:
    `check`, `severity`, `observed`, `expected`. `widths` is how many cells each row was written with, for text in
    columns alone. `merges` are cells shown as one: first and last row number, first and last column from 0.
    `number_cells` names the cells that the file holds as numbers and not as text; it is a function, since most
    contracts need not know. `beside` are texts of the file that are no data (place, text): comments, the names of files
    in a zip. They are looked at for numbers that name a person, and kept nowhere.
    """

    sheet: str
    cells: pl.DataFrame
    faults: pl.DataFrame = field(default_factory=lambda: _NO_FAULTS)
    notes: pl.DataFrame = field(default_factory=lambda: _NO_NOTES)
    findings: tuple[dict[str, str], ...] = ()
    widths: pl.Series | None = None
    merges: tuple[tuple[int, int, int, int], ...] = ()
    number_cells: Callable[[], pl.DataFrame] = no_places
    beside: tuple[tuple[str, str], ...] = ()

    @property
    def columns(self) -> list[str]:
        """The cell columns, from left to right."""
        return [c for c in self.cells.columns if c != ROW]

    def part(self, start: int, length: int, *, is_first: bool) -> Grid:
        """Some of the rows, by position; what is found of the sheet as a whole goes with its first part."""
        return replace(
            self,
            cells=self.cells.slice(start, length),
            widths=None if self.widths is None else self.widths.slice(start, length),
            findings=self.findings if is_first else (),
        )

    def with_texts(self, texts: dict[tuple[int, str], str | None]) -> Grid:
        """The grid with other texts in some of its cells, by row number and column."""
        if not texts:
            return self
        positions = dict(zip(self.cells[ROW].to_list(), range(self.cells.height), strict=True))
        by_column: dict[str, dict[int, str | None]] = {}
        for (row, cell), text in texts.items():
            if row in positions and cell in self.cells.columns:
                by_column.setdefault(cell, {})[positions[row]] = text
        changed = [
            self.cells[cell].scatter(list(own), pl.Series(list(own.values()), dtype=pl.String))
            for cell, own in by_column.items()
        ]
        return replace(self, cells=self.cells.with_columns(changed))


def with_decimal_mark(grid: Grid, mark: str) -> Grid:
    """The grid with its numbers written as in a country whose decimal mark is not a point, as its people see them.

    Only cells that the file holds as numbers: what is text there is written so already.
    """
    where = grid.number_cells()
    if where.is_empty():
        return grid
    columns = []
    for cell in grid.columns:
        rows = where.filter((pl.col("cell") == cell) | pl.col("cell").is_null())[ROW]
        if rows.is_empty():
            continue
        # In a column of numbers only its name is none.
        is_number = (
            pl.col(cell).str.contains(r"^-?[0-9.eE+-]+$") if rows.null_count() else pl.col(ROW).is_in(rows.implode())
        )
        shown = pl.col(cell).str.replace(".", mark, literal=True)
        columns.append(pl.when(is_number).then(shown).otherwise(pl.col(cell)).alias(cell))
    return replace(grid, cells=grid.cells.with_columns(columns))


def frame(rows: list[list[str | None]], numbers: list[int], where: str) -> pl.DataFrame:
    """Rows of cells as a table as wide as the longest row; `numbers` are their row numbers in the file."""
    width = max((len(row) for row in rows), default=0)
    if not width:
        raise UnreadableFileError("the file has no cells", where=where, do="ask the department to send it again")
    refuse_size(len(rows), width, where)
    for filled in rows:
        filled.extend([None] * (width - len(filled)))
    columns = {f"c{i}": [filled[i] for filled in rows] for i in range(width)}
    return pl.DataFrame({ROW: numbers, **columns}, schema=cell_schema(width))


def refuse_size(rows: int, columns: int, where: str) -> None:
    """Raises UnreadableFileError for a table that no honest file holds."""
    if columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        raise UnreadableFileError(
            f"a table of {rows:,} rows and {columns:,} columns: refused",
            where=where,
            do=f"ask for it in parts of at most {MAX_COLUMNS:,} columns and {MAX_CELLS:,} cells; "
            "look for a stray cell far away from the table",
        )


def refuse_huge_cells(grid: Grid, where: str) -> None:
    """Raises UnreadableFileError when one cell is longer than any text of a table."""
    if grid.cells.estimated_size() <= MAX_CELL * 4:
        return  # all cells together are no longer
    longest = grid.cells.select(pl.max_horizontal(pl.col(c).str.len_bytes().max() for c in grid.columns)).item()
    if longest and longest > MAX_CELL * 4:
        raise UnreadableFileError(f"a cell is {longest:,} bytes long", where=where, do="check the file")


def full_sheet(rows: int, columns: int, kind: str) -> list[dict[str, str]]:
    """A finding when a table has exactly as many rows or columns as a sheet can hold, so that the rest may be gone."""
    full = f"{rows:,} rows, as many as {FULL_HEIGHTS[rows]} holds" if rows in FULL_HEIGHTS else ""
    if columns == FULL_WIDTHS.get(kind):
        full = f"{columns:,} columns, as many as an .{kind} sheet holds"
    if not full:
        return []
    expected = "a table that ends before its sheet does, unless the contract says `format: {full_sheet: true}`"
    return [{"check": "full_sheet", "severity": "block", "observed": full, "expected": expected}]


def give_up(error: BaseException, what: str, where: str, do: str) -> NoReturn:
    """Whatever a reader raised, a panic of its own language included, means that the file cannot be read.

    Want of memory is told as such by whoever limits it.
    """
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
        raise error
    said = str(error).splitlines()
    raise UnreadableFileError(
        f"{what}: {said[0][:300] if said else type(error).__name__}", where=where, do=do
    ) from error


def transposed(grid: Grid, where: str) -> Grid:
    """Columns as rows: the row number is then the column's place in the file, 1 for the first.

    A row that was written with more or fewer cells than most becomes a column that cannot be read for certain.
    """
    refuse_size(len(grid.columns), grid.cells.height, where)
    cells = grid.cells.select(grid.columns).transpose()
    cells = cells.rename({old: f"c{i}" for i, old in enumerate(cells.columns)})
    columns = {row: f"c{i}" for i, row in enumerate(grid.cells[ROW])}
    rows = {cell: i for i, cell in enumerate(grid.columns, start=1)}

    def turned(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(
            pl.col("cell").replace_strict(rows, default=None, return_dtype=pl.Int64).alias(ROW),
            pl.col(ROW).replace_strict(columns, default=None, return_dtype=pl.String).alias("cell"),
        )

    before = grid.number_cells
    return replace(
        grid,
        cells=cells.with_row_index(ROW, offset=1).cast({ROW: pl.Int64}),
        faults=pl.concat([turned(grid.faults), _of_another_width(grid)]).unique(
            [ROW, "cell"], keep="first", maintain_order=True
        ),
        notes=turned(grid.notes),
        widths=None,
        merges=_turned_merges(grid),
        number_cells=lambda: turned(before()),
    )


def _turned_merges(grid: Grid) -> tuple[tuple[int, int, int, int], ...]:
    at = {row: index for index, row in enumerate(grid.cells[ROW])} if grid.merges else {}
    return tuple(
        (left + 1, right + 1, at[first], at[last])
        for first, last, left, right in grid.merges
        if first in at and last in at
    )


def _of_another_width(grid: Grid) -> pl.DataFrame:
    """For a grid that is to be turned: its rows of several cells whose number is not that of most, as columns."""
    if grid.widths is None:
        return faults([])
    several = grid.widths.filter(grid.widths > 1)
    usual = several.mode().max() if several.len() else None
    return faults(
        [
            (None, f"c{i}", *width_fault(width, int(str(usual))))
            for i, width in enumerate(grid.widths)
            if width > 1 and width != usual
        ]
    )


def width_fault(cells: int, expected: int) -> tuple[str, str]:
    """The rule that a row of so many cells breaks, and what is wrong with it."""
    rule = "more_cells" if cells > expected else "fewer_cells"
    return rule, f"the row has {cells:,} cells where {expected:,} are expected: which cell belongs where is not certain"


def number_text(number: float | int) -> str:
    """A number as text: the shortest that is the same number again, without `.0` behind whole ones."""
    text = repr(number)
    return text[:-2] if text.endswith(".0") else text


def cell_schema(width: int, *, row: bool = True) -> dict[str, type[pl.DataType]]:
    """The schema of a grid of `width` columns, with the row number unless told otherwise."""
    cells: dict[str, type[pl.DataType]] = {f"c{i}": pl.String for i in range(width)}
    return {ROW: pl.Int64, **cells} if row else cells
