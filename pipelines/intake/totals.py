"""Records to observations: persons counted exactly, rows counted, columns summed, by region, period and breakdown.

What is counted is the contract's word (`records.observations`). Memory stays bounded: distinct persons are counted
in shares of the persons, and shares add up because no person is in two. Approximate counts are never made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow.parquet as pq

from pipelines.errors import UnreadableFileError
from pipelines.jurisdiction import Jurisdiction
from pipelines.jurisdiction.contract import Contract
from pipelines.jurisdiction.person_contract import BREAKDOWNS, RecordObservation, Records
from pipelines.records import Receipt

_AT_A_TIME = 5_000_000  # records whose persons are told apart at once: about 300 MB
# groups, persons (both numbered from 0), and how many persons there are
# for each group its output group, or -1; and how many output groups there are
Output = tuple[npt.NDArray[np.int64], int]
Pairs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]
_WHOLE = {"residence": "total", "sex": "all", "age_group": "all", "group": "all", "item": "all"}


def observations(
    files: dict[tuple[date, date], Path],
    receipt: Receipt,
    contract: Contract,
    records: Records,
    jurisdiction: Jurisdiction,
    reading_id: str,
    schema: dict[str, Any],
) -> pl.DataFrame:
    """The observations of a reading, in the shape of `schema`, ordered by key.

    `files` are the accepted records by first and last day of their period.
    """
    rows: list[dict[str, object]] = []
    for (start, end), path in files.items():
        groups = _Groups(path, records)
        above = _regions_by_level(jurisdiction, end)
        for total in records.observations:
            for cell, value in _counted(groups, total, records, above):
                rows.append(
                    {
                        **_fixed(total),
                        **cell,
                        "period_start": start,
                        "period_end": end,
                        **_value(value, total, records, jurisdiction),
                    }
                )
    for row in rows:
        identity = [
            receipt.receipt_id,
            *(str(row[name]) for name in ("measure", "region_code", "period_start", "period_end")),
        ]
        identity += [str(row[name]) for name in ("population_basis", *BREAKDOWNS)]
        row["observation_id"] = hashlib.sha256("\0".join(identity).encode()).hexdigest()[:20]
        row.update(
            reading_id=reading_id,
            receipt_id=receipt.receipt_id,
            department=receipt.department,
            extract=receipt.extract,
            region_name_reported=row["region_code"],
            obs_status="A",
            conf_status="F",
            provenance=contract.provenance,
            source_file=receipt.file_name,
            source_sheet="",
            source_row=None,
            delivery_period=receipt.delivery_period,
        )
    # Every row names the same columns, so a first row with a null does not hide a column.
    frame = pl.DataFrame(
        [{name: row.get(name) for name in schema} for row in rows], schema=pl.Schema(schema), orient="row"
    )
    _refuse_repeated(frame, contract)
    return frame.sort("measure", "region_code", "period_start", "observation_id")


def _fixed(total: RecordObservation) -> dict[str, object]:
    return {
        "measure": total.measure,
        "population_basis": total.population_basis,
        **{dimension: getattr(total, dimension) for dimension in BREAKDOWNS},
    }


def _value(value: Decimal, total: RecordObservation, records: Records, jurisdiction: Jurisdiction) -> dict[str, object]:
    if total.sum is None:
        unit, factor, address = jurisdiction.measure_units[total.measure], 1, f"count of {total.count}"
    else:
        column = next(c for c in records.columns if c.as_ == total.sum)
        reported = jurisdiction.units[column.unit or ""]
        unit, factor, address = reported.base, reported.factor, f"sum of {column.name}"
    return {
        "value": value * factor,
        "unit": unit,
        "value_reported": format(value, "f"),
        "unit_reported": unit if total.sum is None else column.unit,
        "source_column": address,
    }


def _refuse_repeated(frame: pl.DataFrame, contract: Contract) -> None:
    key = ["measure", "region_code", "period_start", "period_end", "population_basis", *BREAKDOWNS]
    if frame.select(pl.struct(key).is_duplicated().any()).item():
        raise UnreadableFileError(
            "two totals of the contract give the same observation",
            where=f"contracts/{contract.id}.yml",
            do="give them different measures or dimensions",
        )


# -- counting ---------------------------------------------------------------------------------------------------


class _Groups:
    """The records of one period by the finest groups any total asks for: region and all breakdowns."""

    def __init__(self, path: Path, records: Records) -> None:
        self.path, self.records = path, records
        self.region = records.region.as_
        asked = {dimension for total in records.observations for dimension in total.by}
        self.dimensions = [dimension for dimension in BREAKDOWNS if dimension in asked]
        sums = sorted({total.sum for total in records.observations if total.sum})
        columns = [self.region, *self.dimensions]
        quoted = [f'"{name}"' for name in columns]
        measured = ["count(*) AS n", *(f'sum("{name}") AS "sum_{name}"' for name in sums)]
        location = str(path).replace("'", "''")
        # In memory and with nowhere to spill: the groups are few, and nothing of a person may reach a temporary file.
        with duckdb.connect(
            ":memory:", config={"memory_limit": "256MB", "threads": 2, "temp_directory": ""}
        ) as connection:
            connection.execute("SET preserve_insertion_order = false")
            table = connection.sql(
                f"SELECT {', '.join([*quoted, *measured])} FROM read_parquet('{location}') GROUP BY ALL ORDER BY ALL"
            ).to_arrow_table()
        self.table = pl.DataFrame(pl.from_arrow(table)).with_row_index("group_number")
        self._kept: list[Pairs] | None = None

    def person_pairs(self) -> Iterator[Pairs]:
        """Distinct (group, person) pairs, persons numbered from 0, in shares that hold no person in common."""
        person = self.records.person
        assert person is not None
        rows = int(self.table["n"].sum())
        shares = max(1, -(-rows // _AT_A_TIME))
        for share in range(shares):
            groups, first, second = [], [], []
            with pq.ParquetFile(self.path) as stored:
                for batch in stored.iter_batches(1 << 18, columns=[self.region, *self.dimensions, person.as_]):
                    frame = pl.DataFrame(pl.from_arrow(batch))
                    one = frame[person.as_].hash(1).to_numpy()
                    # Two hashes of 64 bits together; a pseudonym itself is no more than such a hash.
                    two = frame[person.as_].hash(2).to_numpy()
                    number = frame.join(
                        self.table.select(self.region, *self.dimensions, "group_number"),
                        on=[self.region, *self.dimensions],
                        how="left",
                        maintain_order="left",
                    )["group_number"].to_numpy()
                    if shares > 1:
                        own = one % np.uint64(shares) == share
                        number, one, two = number[own], one[own], two[own]
                    groups.append(number.astype(np.int64))
                    first.append(one)
                    second.append(two)
            number, one, two = np.concatenate(groups), np.concatenate(first), np.concatenate(second)
            persons, count = _numbered(one, two)
            if count:
                pairs = _distinct(number * count + persons)
                yield pairs // count, pairs % count, count

    def distinct(self, outputs: list[Output]) -> list[npt.NDArray[np.int64]]:
        """Distinct persons by output group, for several ways of grouping at once: each share is looked at once."""
        counted = [np.zeros(count, dtype=np.int64) for _, count in outputs]
        for groups, persons, count in self._cached_pairs():
            for (output, size), sums in zip(outputs, counted, strict=True):
                target = output[groups]
                inside = target >= 0
                pairs = _distinct(target[inside] * count + persons[inside])
                sums += np.bincount(pairs // count, minlength=size)
        return counted

    def _cached_pairs(self) -> Iterable[Pairs]:
        """The pairs kept when they are one share; made anew each time when they are many."""
        if int(self.table["n"].sum()) > _AT_A_TIME:
            return self.person_pairs()
        if self._kept is None:
            self._kept = list(self.person_pairs())
        return self._kept


def _distinct(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The different numbers, in order; numpy's own `unique` hashes, which takes several times as long."""
    numbers.sort()
    is_new = np.ones(numbers.size, dtype=bool)
    is_new[1:] = numbers[1:] != numbers[:-1]
    return numbers[is_new]


def _numbered(one: npt.NDArray[np.uint64], two: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int64], int]:
    """Persons told apart by two hashes, numbered from 0; and how many there are."""
    if not one.size:
        return np.empty(0, dtype=np.int64), 0
    order = np.argsort(one)
    a, b = one[order], two[order]
    is_new = np.ones(a.size, dtype=bool)
    is_new[1:] = a[1:] != a[:-1]
    if (b[1:][~is_new[1:]] != b[:-1][~is_new[1:]]).any():
        order = np.lexsort((two, one))  # two persons share the first hash: the second decides
        a, b = one[order], two[order]
        is_new[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    numbers = np.cumsum(is_new) - 1
    persons = np.empty(one.size, dtype=np.int64)
    persons[order] = numbers
    return persons, int(numbers[-1]) + 1


def _counted(
    groups: _Groups, total: RecordObservation, records: Records, above: dict[str, dict[str, str]]
) -> Iterator[tuple[dict[str, object], Decimal]]:
    """The cells of one total: dimensions and region, and what was counted or summed."""
    table = groups.table
    breakdowns: list[tuple[pl.DataFrame, pl.DataFrame, list[str]]] = []  # groups, cells, dimensions kept
    for level in total.levels or [""]:
        lifted = (
            table[groups.region]
            if not level
            else table[groups.region].replace_strict(above.get(level, {}), default=None, return_dtype=pl.String)
        )
        frame = table.with_columns(lifted.alias("to_region"))
        inside = frame.filter(pl.col("to_region").is_not_null())
        for size in range(len(total.by), -1, -1):
            for kept in combinations(total.by, size):
                keys = ["to_region", *kept]
                cells = inside.select(keys).unique().sort(keys).with_row_index("cell")
                if not cells.is_empty():
                    breakdowns.append((frame, cells, list(kept)))
    if total.count == "persons" and breakdowns:
        outputs = []
        for frame, cells, kept_names in breakdowns:
            output = frame.join(cells, on=["to_region", *kept_names], how="left", maintain_order="left")["cell"]
            outputs.append((output.cast(pl.Int64).fill_null(-1).to_numpy(), cells.height))
        counts = groups.distinct(outputs)
        for (_, cells, kept_names), counted in zip(breakdowns, counts, strict=True):
            yield from _cells(cells, total, kept_names, [Decimal(int(v)) for v in counted])
        return
    for frame, cells, kept_names in breakdowns:
        yield from _cells(cells, total, kept_names, _summed(frame, cells, total, ["to_region", *kept_names]))


def _summed(
    frame: pl.DataFrame, cells: pl.DataFrame, total: RecordObservation, keys: list[str]
) -> list[Decimal | None]:
    """Rows counted or a column summed, for each cell."""
    name = "n" if total.count == "rows" else f"sum_{total.sum}"
    summed = (
        frame.filter(pl.col("to_region").is_not_null())
        .group_by(keys)
        .agg(pl.col(name).cast(pl.Decimal(38, 9)).sum().alias("v"), pl.col(name).count().alias("c"))
    )
    joined = cells.join(summed, on=keys, how="left", maintain_order="left")
    # A sum over nothing but empty cells is not zero: it is not known, and no observation is made of it.
    return [v if c else None for v, c in joined.select("v", "c").iter_rows()]


def _cells(
    cells: pl.DataFrame, total: RecordObservation, kept: list[str], values: Iterable[Decimal | None]
) -> Iterator[tuple[dict[str, object], Decimal]]:
    """The cells of one breakdown with their values; a dimension that is summed over is whole."""
    whole: dict[str, object] = {str(dimension): _WHOLE[dimension] for dimension in total.by if dimension not in kept}
    for row, value in zip(cells.iter_rows(named=True), values, strict=True):
        if value is not None:
            cell: dict[str, object] = {"region_code": row["to_region"], **whole}
            cell.update({dimension: row[dimension] for dimension in kept})
            yield cell, _plain(value)


def _plain(value: Decimal) -> Decimal:
    """Without zeros at its end that nobody reported."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def _regions_by_level(jurisdiction: Jurisdiction, day: date) -> dict[str, dict[str, str]]:
    """level -> region -> the region of that level it belongs to (itself, when it is of that level) on a day."""
    text = day.isoformat()
    in_force = {
        row["region_code"]: (row["region_level"], row["parent_code"])
        for row in jurisdiction.regions.iter_rows(named=True)
        if row["valid_from"] <= text and (not row["valid_to"] or text < row["valid_to"])
    }
    found: dict[str, dict[str, str]] = {}
    for code in in_force:
        at: str | None = code
        seen: set[str] = set()
        while at is not None and at in in_force and at not in seen:
            seen.add(at)
            level, parent = in_force[at]
            found.setdefault(level, {}).setdefault(code, at)
            at = parent
    return found
