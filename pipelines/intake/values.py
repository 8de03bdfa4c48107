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
from pipelines.formats import ROW
from pipelines.intake import numbers
from pipelines.intake.frames import DROPPED, OBSERVATION
from pipelines.intake.layout import MatchedValue, Plan
from pipelines.intake.names import RegionIndex
from pipelines.intake.periods import period_span
from pipelines.jurisdiction import Jurisdiction
from pipelines.jurisdiction.contract import DIMENSIONS, Contract, Layout
from pipelines.jurisdiction.corrections import Correction
from pipelines.jurisdiction.text import normalise
from pipelines.records import Receipt

_CELLS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Task:
    """One sheet to be read: whose it is, by what, under which name."""

    receipt: Receipt
    contract: Contract
    layout: Layout
    plan: Plan
    sheet: str
    jurisdiction: Jurisdiction
    index: RegionIndex
    reading_id: str


@dataclass(frozen=True)
class Figures:
    """What the cells of the good rows are."""

    observations: pl.DataFrame
    rejects: list[dict[str, object]]
    missing: int  # observations without a value
    reported: dict[str, pl.Series] = field(default_factory=dict)  # grid column -> its numbers, before their unit


def figures(task: Task, rows: pl.DataFrame, corrections: dict[tuple[int, str], tuple[Correction, str]]) -> Figures:
    """Observations of the good rows, and the cells that are none."""
    frames: list[pl.DataFrame] = []
    rejects: list[tuple[int, dict[str, object]]] = []
    reported: dict[str, pl.Series] = {}
    for group in _read_alike(task, rows.height):
        parsed = _parsed(task, rows, group)
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


def reported_numbers(layout: Layout, values: list[MatchedValue], rows: pl.DataFrame) -> dict[str, pl.Series]:
    """Grid column -> the numbers as they stand, for rows that are compared but not taken; no number is null."""
    by_tokens: dict[tuple[tuple[str, str], ...], list[MatchedValue]] = {}
    for value in values:
        by_tokens.setdefault(tuple(sorted(value.rule.tokens.items())), []).append(value)
    found: dict[str, pl.Series] = {}
    for own in by_tokens.values():
        parsed = numbers.parse(
            pl.concat([rows[value.cell].rename("text") for value in own]),
            kind="decimal",
            factor=1,
            is_percent=True,
            tokens={**layout.tokens, **own[0].rule.tokens},
            marks=layout.marks,
            style=layout.numbers,
            minimum=None,
            maximum=None,
        )["reported"]
        for position, value in enumerate(own):
            found[value.cell] = parsed.slice(position * rows.height, rows.height)
    return found


def _read_alike(task: Task, height: int) -> Iterator[list[tuple[int, MatchedValue]]]:
    """The value columns, numbered, in groups that are read by the same rules; no group is too large for memory."""
    groups: dict[tuple[Any, ...], list[tuple[int, MatchedValue]]] = {}
    for number, value in enumerate(task.plan.values):
        rule = value.rule
        signature = (rule.type, value.unit, rule.min, rule.max, rule.mark, tuple(sorted(rule.tokens.items())))
        groups.setdefault(signature, []).append((number, value))
    most = max(1, _CELLS_AT_ONCE // max(1, height))
    for own in groups.values():
        for start in range(0, len(own), most):
            yield own[start : start + most]


def _parsed(task: Task, rows: pl.DataFrame, group: list[tuple[int, MatchedValue]]) -> pl.DataFrame:
    first = group[0][1]
    unit = task.jurisdiction.units.get(first.unit)
    if unit is None:
        raise UnreadableFileError(
            f"the unit {first.unit!r} is not in the jurisdiction's list of units",
            where=f"{task.receipt.landing_path}, column {first.address}",
            do="add it under `units` in jurisdiction.yml, or mend the column's `unit` in the contract",
        )
    parsed = numbers.parse(
        pl.concat([rows[value.cell].rename("text") for _, value in group]),
        kind=first.rule.type,
        factor=unit.factor,
        is_percent=unit.base == "percent",
        tokens={**task.layout.tokens, **first.rule.tokens},
        marks=task.layout.marks,
        style=task.layout.numbers,
        minimum=first.rule.min,
        maximum=first.rule.max,
    )
    if first.rule.mark is None:
        return parsed
    # A column that is marked as a whole; what a cell says of itself counts before.
    marked = pl.when(pl.col("obs_status") == "A").then(pl.lit(numbers.STATUS_OF_MARK[first.rule.mark]))
    return parsed.with_columns(marked.otherwise(pl.col("obs_status")).alias("obs_status"))


def _with_columns(
    task: Task,
    rows: pl.DataFrame,
    parsed: pl.DataFrame,
    group: list[tuple[int, MatchedValue]],
    corrections: dict[tuple[int, str], tuple[Correction, str]],
) -> pl.DataFrame:
    """One row per cell: what the row says, what the column says, the number, and what is wrong with it."""
    height = rows.height
    of_rows = rows.select(
        ROW, "region_code", "region_name_reported", "row_start", "row_end", *(c for c in rows.columns if c[:2] == "d_")
    )
    texts = pl.concat([rows[value.cell].rename("text") for _, value in group]).fill_null("").str.strip_chars()
    from_rows = {row.dimension for row in task.layout.rows}
    columns = []
    for number, value in group:
        span = period_span(value.period, task.layout.period) if value.period is not None else (None, None)
        assert span is not None  # a header without a year was refused with its sheet
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
                "unit_reported": value.unit,
                "column_start": span[0],
                "column_end": span[1],
                **fixed,
            }
        )
    schema = {
        "column_number": pl.Int32,
        **dict.fromkeys(("column_id", "source_column", "unit_reported"), pl.String),
        **dict.fromkeys(("column_start", "column_end"), pl.Date),
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
    if task.layout.period.from_ == "header":
        table = _refuse_before_and_after(task.index, table)
    return _with_corrections(table, group, corrections)


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
    distinct = table.select(key).unique(maintain_order=True)
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
        found.append((row["column_number"], _known(task, reject)))
    return found


def _known(task: Task, reject: dict[str, object]) -> dict[str, object]:
    """Mark a rejected cell that a person has looked at and written down in the contract."""
    header = str(reject["source_column"]).partition(" ")[2]
    for known in task.contract.quality.known_rejects:
        if (
            normalise(known.column) == header
            and known.text == reject["reported_text"]
            and known.region_code in (None, reject["region_code"])
            and known.delivery_period in (None, task.receipt.delivery_period)
        ):
            return {**reject, "is_known": True, "known_reason": known.reason}
    return reject


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
