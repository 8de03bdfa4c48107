"""Cells to observations: the numbers of a sheet's good rows, many columns at a time.

Columns that are read by the same rules (type, unit, tokens, limits) go through `numbers` together: a wide table costs
as much as a long one. Which rows are good is `sheet`'s work; whether sums hold is `sums`'.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats import ROW, Grid
from pipelines.intake import known_rejects, numbers
from pipelines.intake.column_periods import months_of_part, span_of_column, with_parts_of_years
from pipelines.intake.frames import DROPPED, OBSERVATION
from pipelines.intake.layout import MatchedValue, Plan
from pipelines.intake.names import RegionIndex
from pipelines.intake.units import UnitIndex
from pipelines.jurisdiction import Jurisdiction, Unit
from pipelines.jurisdiction.contract import DIMENSIONS, Contract, Layout, ValueColumn
from pipelines.jurisdiction.corrections import Correction
from pipelines.records import Receipt

_CELLS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Task:
    """One table to be read, a sheet or a block of it: whose it is, by what, under which name."""

    receipt: Receipt
    contract: Contract
    layout: Layout
    plan: Plan
    sheet: str
    jurisdiction: Jurisdiction
    index: RegionIndex
    units: UnitIndex
    reading_id: str
    grid: Grid

    def unit_of(self, value: MatchedValue) -> str | None:
        """The unit of a whole column; None when each row has its own, or the text is no unit."""
        rule = value.rule.unit
        return self.units.named(value.unit, None if isinstance(rule, str) else rule.map)


@dataclass(frozen=True)
class Figures:
    """What the cells of the good rows are."""

    observations: pl.DataFrame
    rejects: list[dict[str, object]]
    missing: int  # observations without a value
    reported: dict[str, pl.Series] = field(default_factory=dict)  # grid column -> its numbers, see `_parsed`


def figures(task: Task, rows: pl.DataFrame, corrections: dict[tuple[int, str], tuple[Correction, str]]) -> Figures:
    """Observations of the good rows, and the cells that are none."""
    frames: list[pl.DataFrame] = []
    rejects: list[tuple[int, dict[str, object]]] = []
    reported: dict[str, pl.Series] = {}
    for group in _read_alike(task, rows.height):
        parsed = _without_doubtful(task, rows, _parsed(task, rows, group), group, corrections)
        for position, (_, value) in enumerate(group):
            reported[value.cell] = parsed["reported"].slice(position * rows.height, rows.height)
        table = _with_columns(task, rows, parsed, group, corrections)
        frames.append(table.filter(pl.col("rule").is_null()))
        rejects += _rejects(task, rows, table.filter(pl.col("rule").is_not_null()))
    if not frames:
        return Figures(pl.DataFrame(schema=OBSERVATION), [], 0)
    good = pl.concat(frames)
    if len(frames) > 1:  # as the columns stand, left to right
        good = good.sort("column_number", maintain_order=True)
    observations = _observations(task, good)
    in_order = [reject for _, reject in sorted(rejects, key=lambda r: r[0])]
    return Figures(observations, in_order, int(observations["value"].null_count()), reported)


def reported_numbers(task: Task, rows: pl.DataFrame) -> dict[str, pl.Series]:
    """Grid column -> its numbers, for rows that are compared but not taken; no number is null."""
    found: dict[str, pl.Series] = {}
    rows = with_units(task, rows)
    for group in _read_alike(task, rows.height, only_compared=True):
        parsed = _parsed(task, rows, group)["reported"]
        for position, (_, value) in enumerate(group):
            found[value.cell] = parsed.slice(position * rows.height, rows.height)
    return found


def with_units(task: Task, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the unit that each of them states, one column `u_…` for each column of units; null for no unit."""
    stated = {value.unit_cell: value.rule.unit for value in task.plan.values if value.unit_cell is not None}
    for cell, rule in stated.items():
        assert not isinstance(rule, str)
        units = {text: task.units.named(text, rule.map) for text in rows[cell].unique()}
        named = [units[text] for text in rows[cell]]
        rows = rows.with_columns(pl.Series(f"u_{cell}", named, dtype=pl.String))
    return rows


def _read_alike(task: Task, height: int, *, only_compared: bool = False) -> Iterator[list[tuple[int, MatchedValue]]]:
    """The value columns, numbered, in groups that are read by the same rules; no group is too large for memory.

    For numbers that are `only_compared` it is enough that they are written alike: neither their limits nor the size of
    their unit counts.
    """
    groups: dict[tuple[Any, ...], list[tuple[int, MatchedValue]]] = {}
    for number, value in enumerate(task.plan.values):
        rule = value.rule
        how: tuple[Any, ...] = (value.unit_cell, *sorted(rule.tokens.items()))
        if only_compared:
            how = (value.unit_cell is None and _unit(task, value).base == "percent", *how)
        else:
            how = (rule.type, value.unit, rule.min, rule.max, rule.mark, *how)
        groups.setdefault(how, []).append((number, value))
    most = max(1, _CELLS_AT_ONCE // max(1, height))
    for own in groups.values():
        for start in range(0, len(own), most):
            yield own[start : start + most]


def _parsed(task: Task, rows: pl.DataFrame, group: list[tuple[int, MatchedValue]]) -> pl.DataFrame:
    """The cells of a group of columns, one column below the other, as `numbers.parse` gives them.

    `reported` are numbers that may be added up: as they stand, or in base units where each row has a unit of its own.
    """
    first = group[0][1]
    texts = pl.concat([rows[value.cell].rename("text") for _, value in group])
    if first.unit_cell is None:
        parsed = _numbers(task, texts, first, _unit(task, first))
    else:
        of_rows = pl.concat([rows[f"u_{first.unit_cell}"]] * len(group))
        parsed = _numbers_by_unit(task, texts, first, of_rows)
    if first.rule.mark is not None:  # what a cell, or its row, says counts before what its column says
        mark = pl.lit(numbers.STATUS_OF_MARK[first.rule.mark])
        plain = pl.col("obs_status") == "A"
        parsed = parsed.with_columns(pl.when(plain).then(mark).otherwise(pl.col("obs_status")).alias("obs_status"))
    return parsed


def _without_doubtful(
    task: Task,
    rows: pl.DataFrame,
    parsed: pl.DataFrame,
    group: list[tuple[int, MatchedValue]],
    corrections: dict[tuple[int, str], tuple[Correction, str]],
) -> pl.DataFrame:
    """Cells that are in doubt get the rule that is broken and no number, unless a person has corrected them."""
    first = {value.cell: position * rows.height for position, (_, value) in enumerate(group)}
    doubts = task.plan.doubts.cells
    at = {row: place for place, row in enumerate(rows[ROW])} if doubts else {}
    found = [
        (first[cell] + at[row], *fault)
        for (row, cell), fault in doubts.items()
        if cell in first and row in at and (row, cell) not in corrections
    ]
    if not found:
        return parsed
    marks = pl.DataFrame(found, schema={"_place": pl.UInt32, "_rule": pl.String, "_detail": pl.String}, orient="row")
    parsed = parsed.with_row_index("_place").join(marks, on="_place", how="left", maintain_order="left")
    is_sure = pl.col("_rule").is_null()
    return parsed.with_columns(
        pl.coalesce("_rule", "rule").alias("rule"),
        pl.coalesce("_detail", "detail").alias("detail"),
        *(pl.when(is_sure).then(pl.col(name)).alias(name) for name in ("value", "reported")),
    ).drop("_place", "_rule", "_detail")


def _unit(task: Task, value: MatchedValue) -> Unit:
    """The unit of a whole column. Raises UnreadableFileError for one that the jurisdiction does not have."""
    name = task.unit_of(value)
    if name is None:
        raise UnreadableFileError(
            f"the unit {value.unit!r} is not in the jurisdiction's list of units",
            where=f"{task.receipt.landing_path}, column {value.address}",
            do="add it under `units` in jurisdiction.yml, or mend the column's `unit` in the contract",
        )
    return task.units.units[name]


def _numbers(task: Task, texts: pl.Series, value: MatchedValue, unit: Unit) -> pl.DataFrame:
    """Cells of columns that are read like `value`, in one unit."""
    return numbers.parse(
        texts,
        kind=value.rule.type,
        factor=unit.factor,
        is_percent=unit.base == "percent",
        tokens={**task.layout.tokens, **value.rule.tokens},
        marks={sign: mark for sign, mark in task.layout.marks.items() if not task.units.is_other(sign, unit)},
        style=task.layout.numbers,
        minimum=value.rule.min,
        maximum=value.rule.max,
    )


def _numbers_by_unit(task: Task, texts: pl.Series, value: MatchedValue, units: pl.Series) -> pl.DataFrame:
    """The same, each cell in the unit named beside it; the number of a cell without a unit cannot be added up."""
    parts = []
    for name in units.unique(maintain_order=True).to_list() or [None]:
        own = units.eq_missing(name)
        unit = task.units.units[name] if name else Unit(base="", factor=1)
        part = _numbers(task, texts.filter(own), value, unit).with_columns(own.arg_true().alias("place"))
        factor = pl.lit(unit.factor if name else None, dtype=pl.Decimal(38, 0))
        parts.append(part.with_columns((pl.col("reported") * factor).cast(numbers.DECIMAL, strict=False)))
    return pl.concat(parts).sort("place").drop("place")


def _with_columns(
    task: Task,
    rows: pl.DataFrame,
    parsed: pl.DataFrame,
    group: list[tuple[int, MatchedValue]],
    corrections: dict[tuple[int, str], tuple[Correction, str]],
) -> pl.DataFrame:
    """One row per cell: what the row says, what the column says, the number, and what is wrong with it."""
    height = rows.height
    own = [name for name in rows.columns if name[:2] in ("d_", "u_")]
    of_rows = rows.select(ROW, "region_code", "region_name_reported", "row_start", "row_end", *own)
    texts = pl.concat([rows[value.cell].rename("text") for _, value in group]).fill_null("").str.strip_chars()
    from_rows = {row.dimension for row in task.layout.rows}
    columns = []
    for number, value in group:
        span = span_of_column(task.layout, value) or (None, None)
        # The id of a cell: a hash of its file, sheet and column, then its row.
        identity = f"{task.receipt.receipt_id}\0{task.sheet}\0{value.address}".encode()
        fixed = {
            name: None if name in from_rows and getattr(value.rule, name) is None else value.dimensions.get(name)
            for name in ("measure", *DIMENSIONS)
        }
        columns.append(
            {
                "column_number": number,
                "column_id": hashlib.sha256(identity).hexdigest()[:16],
                "source_column": value.address,
                "unit_reported": None if value.unit_cell else task.unit_of(value),
                "column_start": span[0],
                "column_end": span[1],
                "part_from": months_of_part(value) * ((value.part or 1) - 1),
                "part_months": months_of_part(value),
                **fixed,
            }
        )
    schema = {
        "column_number": pl.Int32,
        **dict.fromkeys(("column_id", "source_column", "unit_reported"), pl.String),
        **dict.fromkeys(("column_start", "column_end"), pl.Date),
        **dict.fromkeys(("part_from", "part_months"), pl.Int32),
        **dict.fromkeys(("measure", *DIMENSIONS), pl.String),
    }
    of_columns = pl.DataFrame(columns, schema=schema)
    place = pl.int_range(height * len(group), eager=True)
    table = pl.concat(
        [
            of_rows[place % height] if height else of_rows,
            of_columns[place // height] if height else of_columns.clear(),
            parsed.select("value", "obs_status", "rule", "detail"),
            texts.alias("value_reported").to_frame(),
        ],
        how="horizontal",
    ).with_columns(pl.lit(None, dtype=pl.String).alias("correction_id"))
    unit_cell = group[0][1].unit_cell
    if unit_cell is not None:
        table = table.with_columns(pl.col(f"u_{unit_cell}").alias("unit_reported"))
    if any(months_of_part(value) for _, value in group):
        table = with_parts_of_years(table)
    if table["column_start"].null_count() < table.height:
        table = _refuse_before_and_after(task.index, table)
    if any(is_told_by_file(value.rule, task.layout) for _, value in group):
        table = _refuse_other_units(task, table)
    return _with_corrections(table, group, corrections)


def is_told_by_file(rule: ValueColumn, layout: Layout) -> bool:
    """True when the file and not the contract says what a column's numbers count, or in which unit."""
    measure = rule.measure or layout.defaults.get("measure")
    return not isinstance(rule.unit, str) or "{" in rule.unit or measure is None or "{" in measure


def _refuse_other_units(task: Task, table: pl.DataFrame) -> pl.DataFrame:
    """Numbers in a unit of something else than their measure counts: refused."""
    measure = pl.coalesce("measure", "d_measure") if "d_measure" in table.columns else pl.col("measure")
    bases = {name: unit.base for name, unit in task.units.units.items()}
    counts = measure.replace_strict(task.jurisdiction.measure_units, default=None, return_dtype=pl.String)
    base = pl.col("unit_reported").replace_strict(bases, default=None, return_dtype=pl.String)
    is_other = pl.col("rule").is_null() & pl.col("value").is_not_null() & counts.ne(base)
    detail = pl.format("{} counts {}, but the measure {} is in {}", "unit_reported", base, measure, counts)
    return table.with_columns(
        pl.when(is_other).then(pl.lit("other_unit")).otherwise(pl.col("rule")).alias("rule"),
        pl.when(is_other).then(detail).otherwise(pl.col("detail")).alias("detail"),
    )


def _with_corrections(
    table: pl.DataFrame,
    group: list[tuple[int, MatchedValue]],
    corrections: dict[tuple[int, str], tuple[Correction, str]],
) -> pl.DataFrame:
    """Corrected cells with the correction's id and the text as reported; a dropped one is rejected."""
    numbers_of = {value.cell: number for number, value in group}
    for (row, cell), (correction, reported) in corrections.items():
        if cell not in numbers_of:
            continue
        is_cell = (pl.col(ROW) == row) & (pl.col("column_number") == numbers_of[cell])
        changed: dict[str, str] = {"value_reported": reported, "correction_id": correction.id}
        if correction.action == "drop_cell":
            changed |= {"rule": DROPPED, "detail": f"{correction.id}: {correction.reason}"}
        table = table.with_columns(
            pl.when(is_cell).then(pl.lit(text)).otherwise(pl.col(name)).alias(name) for name, text in changed.items()
        )
    return table


def _refuse_before_and_after(index: RegionIndex, table: pl.DataFrame) -> pl.DataFrame:
    """Numbers of one year of a region that was not on the list then: refused. A cell without a number may stand.

    A row with many years was matched on the whole span of them; its region may have lived in some only.
    """
    key = ["region_code", "column_start", "column_end"]
    distinct = table.select(key).drop_nulls("column_start").unique(maintain_order=True)
    broken = [index.in_force(*each).detail for each in distinct.iter_rows()]
    if not any(broken):
        return table
    marks = distinct.with_columns(pl.Series("_broken", broken, dtype=pl.String))
    is_late = pl.col("value").is_not_null() & pl.col("_broken").is_not_null()
    return (
        table.join(marks, on=key, how="left", maintain_order="left")
        .with_columns(
            pl.when(is_late).then(pl.lit("region_not_in_force")).otherwise(pl.col("rule")).alias("rule"),
            pl.when(is_late).then(pl.col("_broken")).otherwise(pl.col("detail")).alias("detail"),
        )
        .drop("_broken")
    )


def _rejects(task: Task, rows: pl.DataFrame, bad: pl.DataFrame) -> list[tuple[int, dict[str, object]]]:
    """The rejected cells with the number of their column."""
    wanted = bad.select(
        "column_number", ROW, "source_column", "rule", "detail", "region_code", "value_reported", "correction_id"
    )
    found: list[tuple[int, dict[str, object]]] = []
    for row in wanted.iter_rows(named=True):
        reject = {
            "source_row": row[ROW],
            "source_column": row["source_column"],
            "scope": "cell",
            "rule": row["rule"],
            "reported_text": row["value_reported"],
            "detail": row["detail"],
            "region_code": row["region_code"],
        }
        if row["rule"] == DROPPED:
            reject |= {"is_known": True, "known_reason": row["detail"]}
        found.append((row["column_number"], known_rejects.of_cell(reject, task.contract, task.receipt)))
    return found


def _observations(task: Task, good: pl.DataFrame) -> pl.DataFrame:
    receipt = task.receipt
    bases = {name: unit.base for name, unit in task.jurisdiction.units.items()}

    def dimension(name: str) -> pl.Expr:
        if f"d_{name}" in good.columns:
            return pl.coalesce(name, f"d_{name}").alias(name)
        return pl.col(name)

    return good.select(
        (pl.col("column_id") + pl.col(ROW).cast(pl.String).str.zfill(8)).alias("observation_id"),
        pl.lit(task.reading_id).alias("reading_id"),
        pl.lit(receipt.receipt_id).alias("receipt_id"),
        pl.lit(receipt.department).alias("department"),
        pl.lit(receipt.extract).alias("extract"),
        dimension("measure"),
        "region_code",
        "region_name_reported",
        pl.coalesce("column_start", "row_start").alias("period_start"),
        pl.coalesce("column_end", "row_end").alias("period_end"),
        *(dimension(name) for name in DIMENSIONS),
        "value",
        pl.col("unit_reported").replace_strict(bases, return_dtype=pl.String).alias("unit"),
        "value_reported",
        "unit_reported",
        "obs_status",
        pl.lit("F").alias("conf_status"),
        pl.lit(task.contract.provenance).alias("provenance"),
        pl.lit(receipt.file_name).alias("source_file"),
        pl.lit(task.sheet).alias("source_sheet"),
        pl.col(ROW).cast(pl.Int32).alias("source_row"),
        "source_column",
        pl.lit(receipt.delivery_period).alias("delivery_period"),
        "correction_id",
    ).cast(pl.Schema(OBSERVATION))
