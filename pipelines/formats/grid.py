"""A grid: one sheet of a file as text, every cell in its place, and the size that no honest file exceeds.

Its columns are `c0, c1, ...`, beside `source_row`, the row number that a person sees when opening the file. How bytes
become a grid is each format's module; what its cells mean is `intake`'s work.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NoReturn

import polars as pl

from pipelines.errors import UnreadableFileError

ROW = "source_row"
MAX_COLUMNS = 20_000
MAX_CELL = 1_000_000
MAX_CELLS = 25_000_000  # of one sheet, empty ones within its bounds included


@dataclass(frozen=True)
class Grid:
    """One sheet as text. `sheet` is empty for formats that have none."""

    sheet: str
    cells: pl.DataFrame

    @property
    def columns(self) -> list[str]:
        """The cell columns, from left to right."""
        return [c for c in self.cells.columns if c != ROW]


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
    longest = grid.cells.select(pl.max_horizontal(pl.col(c).str.len_bytes().max() for c in grid.columns)).item()
    if longest and longest > MAX_CELL * 4:
        raise UnreadableFileError(f"a cell is {longest:,} bytes long", where=where, do="check the file")


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
    """Columns as rows: the row number is then the column's place in the file, 1 for the first."""
    refuse_size(len(grid.columns), grid.cells.height, where)
    cells = grid.cells.select(grid.columns).transpose()
    cells = cells.rename({old: f"c{i}" for i, old in enumerate(cells.columns)})
    return replace(grid, cells=cells.with_row_index(ROW, offset=1).cast({ROW: pl.Int64}))


def cell_schema(width: int, *, row: bool = True) -> dict[str, type[pl.DataType]]:
    """The schema of a grid of `width` columns, with the row number unless told otherwise."""
    cells: dict[str, type[pl.DataType]] = {f"c{i}": pl.String for i in range(width)}
    return {ROW: pl.Int64, **cells} if row else cells
