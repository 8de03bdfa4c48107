"""Cubes to grids: one row for each number, with what it is about beside it. Formats that store cubes share this form.

A dimension `sex` gives two columns: `sex`, what a person reads (the label, or the code where there is no label), and
`sex (code)`. What a file says of the whole table (title, unit, source) stands above the header, one `NAME=text` a row.
How a cube is stored is its format's module's work.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import ROW, Grid, cell_schema, places, refuse_size

VALUE = "value"
UNIT = "unit"
CODE = "{} (code)"  # the column beside a labelled one: what the file stores


@dataclass(frozen=True)
class Dimension:
    """One axis of a cube: its name, and the codes and labels along it, in the order of the numbers."""

    name: str
    codes: Sequence[str]
    labels: Sequence[str]


def cells_of(dimensions: Sequence[Dimension], where: str) -> int:
    """How many numbers the cube has room for. Raises UnreadableFileError for more than can be counted."""
    cells = math.prod(len(dimension.codes) for dimension in dimensions)
    if cells >= 2**62:
        raise UnreadableFileError(
            f"the variables make {cells:,} numbers: refused", where=where, do="ask for it in parts"
        )
    return cells


def along(texts: Sequence[str | None], position: int, dimensions: Sequence[Dimension], places: pl.Series) -> pl.Series:
    """For each number, the text of its value of one dimension: `texts` in the order of that dimension's codes."""
    step = math.prod(len(d.codes) for d in dimensions[position + 1 :])
    return pl.Series(list(texts), dtype=pl.String).gather((places // step) % len(texts))


def long_grid(
    sheet: str,
    about: Sequence[tuple[str, str]],
    dimensions: Sequence[Dimension],
    places: pl.Series,
    columns: Mapping[str, pl.Series],
    where: str,
) -> Grid:
    """A cube as a grid.

    `places` are the positions of the numbers in the cube, from 0, the last dimension running fastest; `columns` are as
    many texts each, among them `value`: the numbers as the file writes them, with a point. A row's number is its place
    counted from 1, the header is row 0, and what is said `about` the whole table stands in rows numbered below it.
    """
    width = 2 * len(dimensions) + len(columns)
    refuse_size(places.len() + len(about) + 1, width, where)
    names = [text for d in dimensions for text in (d.name, CODE.format(d.name))] + list(columns)
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise UnreadableFileError(
            f"two columns are called {min(repeated)!r}", where=where, do="ask for the file with names that differ"
        )
    data: list[pl.Series] = []
    for position, dimension in enumerate(dimensions):
        data += [along(texts, position, dimensions, places) for texts in (dimension.labels, dimension.codes)]
    data += list(columns.values())
    schema = cell_schema(width, row=False)
    body = pl.DataFrame(dict(zip(schema, data, strict=True)), schema=schema)
    top: list[list[str | None]] = [[f"{name}={text}", *[None] * (width - 1)] for name, text in about]
    head = pl.DataFrame([*top, names], schema=schema, orient="row")
    numbers = pl.Series(range(-len(about), 1), dtype=pl.Int64).append(places.cast(pl.Int64) + 1)
    cells = pl.concat([head, body]).insert_column(0, numbers.alias(ROW))
    return Grid(sheet, cells, number_cells=partial(_column, f"c{names.index(VALUE)}"))


def _column(cell: str) -> pl.DataFrame:
    return places([(None, cell)])
