"""Parquet tables: each number as exact as the file has it, and nothing that is no cell."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import UnreadableFileError
from pipelines.formats import read_grids
from pipelines.jurisdiction.contract import Format


def column(values: Any) -> list[str | None]:
    """The cells that one column of an Arrow array gives."""
    target = io.BytesIO()
    pq.write_table(pa.table({"x": values}), target)
    rows = read_grids(target.getvalue(), Format(kind="parquet"), "desk/file/2020/file.parquet")[0].cells.rows()
    assert rows[0] == (0, "x")
    return [row[1] for row in rows[1:]]


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        (pa.array([Decimal("1.50"), None], pa.decimal128(20, 2)), ["1.50", None]),
        (pa.array([Decimal("-0.000000001")], pa.decimal128(38, 9)), ["-0.000000001"]),
        (pa.array([2**64 - 1, 0], pa.uint64()), ["18446744073709551615", "0"]),
        (pa.array([330100.0, 0.1 + 0.2, 1e20]), ["330100", "0.30000000000000004", "1e+20"]),
        (pa.array([0.1, 2.0], pa.float32()), ["0.1", "2"]),
        (pa.array([float("nan"), float("inf")]), ["NaN", "inf"]),
        (pa.array([True, None]), ["true", None]),
        (pa.array([date(2020, 3, 1)]), ["2020-03-01"]),
        (pa.array([datetime(2020, 3, 1, 12)], pa.timestamp("ns")), ["2020-03-01 12:00:00"]),
        (pa.array([datetime(2020, 3, 1, 12, 0, 0, 500)], pa.timestamp("us")), ["2020-03-01 12:00:00.000500"]),
        (pa.array([time(12, 30)]), ["12:30:00"]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.nulls(2), [None, None]),
        (pa.array(["007", " x ", ""]), ["007", " x ", ""]),
    ],
)
def test_a_column_becomes_the_text_of_its_values(values: Any, cells: list[str | None]) -> None:
    assert column(values) == cells


def test_a_moment_keeps_its_zone() -> None:
    moment = pa.array([datetime(2020, 3, 1, 12, tzinfo=UTC)], pa.timestamp("us", "Asia/Shanghai"))
    assert str(column(moment)[0]).startswith("2020-03-01 20:00:00")


@pytest.mark.parametrize(
    "values",
    [
        pa.array([[1, 2]]),
        pa.array([{"a": 1}]),
        pa.array([timedelta(days=1)]),
        pa.array([[("a", 1)]], pa.map_("str", "int8")),
    ],
)
def test_what_is_no_cell_is_refused_by_the_name_of_its_column(values: Any) -> None:
    with pytest.raises(UnreadableFileError, match="the column 'x' holds"):
        column(values)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UnreadableFileError, match="not readable as Parquet"):
        column(pa.array([b"\xff"]))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_come_back_exactly(numbers: list[float]) -> None:
    assert [float(cell or "") for cell in column(pa.array(numbers))] == numbers


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=20))
def test_numbers_of_four_bytes_come_back_in_the_digits_they_bear(numbers: list[float]) -> None:
    found = column(pa.array(numbers, pa.float32()))
    assert [np.float32(cell) for cell in found] == [np.float32(number) for number in numbers]
    assert all(len(str(cell).strip("-").replace(".", "").strip("0").split("e")[0]) <= 9 for cell in found)
