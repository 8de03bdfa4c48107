"""Parquet files that one reading writes piece by piece: readable by their owner only, with rows looked up by place.

What stands in them is `person_level`'s work.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Coding:
    """How columns are written: those whose values repeat, and those of whole numbers of any size."""

    dictionary: list[str]
    packed: list[str]


class Output:
    """A Parquet file that grows by row groups, readable by its owner only.

    Without a `coding` every column is tried as one whose values repeat.
    """

    def __init__(self, path: Path, coding: Coding | None = None) -> None:
        self.path = path
        self.rows = 0
        self._coding = coding
        self._writer: pq.ParquetWriter | None = None
        self._sink: IO[bytes] | None = None

    def write(self, table: pa.Table) -> None:
        """Append one row group."""
        if self._writer is None:
            self._sink = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
            options: dict[str, Any] = {}
            if self._coding is not None:
                packed = self._coding.packed
                # Records are read whole: smallest and largest values of each page would only cost time. Packed
                # numbers do not get smaller by compressing them again.
                options = {
                    "use_dictionary": self._coding.dictionary,
                    "column_encoding": dict.fromkeys(packed, "DELTA_BINARY_PACKED"),
                    "compression": {name: "none" if name in packed else "snappy" for name in table.column_names},
                    "write_statistics": ["source_row"],
                    "dictionary_pagesize_limit": 16 << 20,
                    # Whether text came as a dictionary is no property of the records.
                    "store_schema": False,
                }
            self._writer = pq.ParquetWriter(
                self._sink, table.schema, store_decimal_as_integer=True, write_batch_size=1 << 16, **options
            )
        self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        self.rows += table.num_rows

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()
        if self._sink is not None:
            self._sink.close()


def rows_at(path: Path, places: npt.NDArray[np.int64]) -> pl.DataFrame:
    """The rows of a Parquet file at these (ascending, 0-based) places."""
    frames = []
    with pq.ParquetFile(path) as stored:
        start = 0
        for group in range(stored.num_row_groups):
            end = start + stored.metadata.row_group(group).num_rows
            own = places[np.searchsorted(places, start) : np.searchsorted(places, end)] - start
            if own.size:
                frames.append(pl.DataFrame(pl.from_arrow(stored.read_row_group(group).take(pl.Series(own).to_arrow()))))
            start = end
    return pl.concat(frames)


def rewrite_without(path: Path, gone: npt.NDArray[np.bool_], coding: Coding) -> None:
    """Write a Parquet file again without some of its rows."""
    again = Output(path.with_suffix(".again"), coding)
    with contextlib.closing(again), pq.ParquetFile(path) as stored:
        start = 0
        for group in range(stored.num_row_groups):
            rows = stored.metadata.row_group(group).num_rows
            again.write(stored.read_row_group(group).filter(pl.Series(~gone[start : start + rows]).to_arrow()))
            start += rows
    again.path.replace(path)
