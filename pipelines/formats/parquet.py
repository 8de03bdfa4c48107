"""A Parquet table to a grid: its column names are row 0, its rows count from 1."""

from __future__ import annotations

import io

import polars as pl
import pyarrow.parquet as pq

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import ROW, Grid, cell_schema, give_up, places, refuse_size
from pipelines.jurisdiction.contract import Format


def read_parquet(data: bytes, rule: Format, where: str) -> list[Grid]:
    """A Parquet table: its column names are row 0, its rows count from 1."""
    try:
        shape = pq.ParquetFile(io.BytesIO(data)).metadata
        refuse_size(shape.num_rows, shape.num_columns, where)
        frame = pl.read_parquet(io.BytesIO(data))
        text = frame.select(pl.col(c).cast(pl.String) for c in frame.columns)
    except UnreadableFileError:
        raise
    except BaseException as error:
        give_up(error, "not readable as Parquet", where, "ask for the file again")
    if not frame.width:
        raise UnreadableFileError("the file has no columns", where=where, do="ask the department to send it again")
    head = pl.DataFrame([list(frame.columns)], schema=cell_schema(frame.width, row=False), orient="row")
    body = text.rename({old: f"c{i}" for i, old in enumerate(frame.columns)})
    cells = pl.concat([head, body]).with_row_index(ROW).cast({ROW: pl.Int64})
    numbers = [f"c{i}" for i, kind in enumerate(frame.dtypes) if kind.is_numeric()]
    return [Grid("", cells, number_cells=lambda: places([(None, cell) for cell in numbers]))]
