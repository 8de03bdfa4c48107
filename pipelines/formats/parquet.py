"""A Parquet table to a grid: its column names are row 0, its rows count from 1."""

from __future__ import annotations

import io

import polars as pl
import pyarrow.parquet as pq

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import ROW, Grid, cell_schema, give_up, places, refuse_size
from pipelines.jurisdiction.contract import Format


def is_parquet(data: bytes) -> bool:
    """True when the bytes begin as those of Parquet do."""
    return data.startswith(b"PAR1")


def read_parquet(data: bytes, rule: Format, where: str) -> list[Grid]:
    """A Parquet table: its column names are row 0, its rows count from 1. Numbers are as exact as the file has them.

    Raises UnreadableFileError for columns that hold lists, records or spans of time: they are no cells.
    """
    try:
        shape = pq.ParquetFile(io.BytesIO(data)).metadata
        refuse_size(shape.num_rows, shape.num_columns, where)
        frame = pl.read_parquet(io.BytesIO(data))
        columns = [_texts(frame[name], where).alias(f"c{i}") for i, name in enumerate(frame.columns)]
    except UnreadableFileError:
        raise
    except BaseException as error:
        give_up(error, "not readable as Parquet", where, "ask for the file again")
    if not frame.width:
        raise UnreadableFileError("the file has no columns", where=where, do="ask the department to send it again")
    head = pl.DataFrame([list(frame.columns)], schema=cell_schema(frame.width, row=False), orient="row")
    cells = pl.concat([head, pl.DataFrame(columns)]).with_row_index(ROW).cast({ROW: pl.Int64})
    numbers = [f"c{i}" for i, kind in enumerate(frame.dtypes) if kind.is_numeric()]
    return [Grid("", cells, number_cells=lambda: places([(None, cell) for cell in numbers]))]


def _texts(column: pl.Series, where: str) -> pl.Series:
    """A column as text: floats in the fewest digits that are the number, whole ones without `.0`."""
    kind = column.dtype
    if kind.is_nested() or isinstance(kind, pl.Duration | pl.Object):
        raise UnreadableFileError(
            f"the column {column.name!r} holds {kind}, which is no cell",
            where=where,
            do="ask for the table with one value in each cell",
        )
    texts = column.cast(pl.String)
    if kind.is_float():
        return texts.str.strip_suffix(".0")
    if isinstance(kind, pl.Datetime | pl.Time):
        return texts.str.replace(r"\.0+($|[^0-9])", "${1}")
    return texts
