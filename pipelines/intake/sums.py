"""Sums that the contract says must hold in one sheet: parts within a row, total rows against the rows they stand for.

Numbers are compared as reported, before their unit. What does not tie is a finding; no number is changed by it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.errors import ConfigurationError
from pipelines.formats import ROW
from pipelines.intake.layout import MatchedValue
from pipelines.intake.numbers import sign_form
from pipelines.intake.values import Task, reported_numbers
from pipelines.jurisdiction.contract import IgnoreRow
from pipelines.jurisdiction.text import normalise

SHOWN = 20
_Key = tuple[str, str, str]  # header and unit of a column, and which of those that bear the header it is


def controls(task: Task, rows: pl.DataFrame, reported: dict[str, pl.Series]) -> list[dict[str, str]]:
    """Sums within a row that the contract says must hold. A row with a cell missing on either side says nothing.

    `reported` holds the numbers of the rows by grid column.
    """
    findings: list[dict[str, str]] = []
    columns = {value.header: value for value in task.plan.values}
    for control in task.layout.controls:
        names = [normalise(name) for name in (control.total, *control.parts)]
        unknown = [name for name in names if name not in columns]
        if unknown:
            raise ConfigurationError(
                f"the control {control.name!r} names {unknown[0]!r}, which is no value column",
                where=f"contracts/{task.contract.id}.yml",
                do="correct the column's name",
            )
        total, *parts = (reported[columns[name].cell] for name in names)
        compared = pl.DataFrame({"row": rows[ROW], "total": total, **{f"p{i}": p for i, p in enumerate(parts)}})
        summed = pl.sum_horizontal(pl.col(f"p{i}") for i in range(len(parts)))
        compared = compared.drop_nulls().with_columns(summed.alias("sum"))
        off = compared.filter((pl.col("total") - pl.col("sum")).cast(pl.Float64).abs() > control.tolerance)
        for row in off.head(SHOWN).iter_rows(named=True):
            findings.append(
                {
                    "check": "control_total",
                    "severity": control.severity,
                    "observed": f"row {row['row']}: {control.total} is {row['total'].normalize():f}",
                    "expected": f"{row['sum'].normalize():f}, the sum of {', '.join(control.parts)}",
                }
            )
    return findings


@dataclass(frozen=True)
class Summands:
    """What a block has to be summed: its accepted rows, with their cells, and their numbers by grid column."""

    task: Task
    rows: pl.DataFrame
    reported: dict[str, pl.Series]

    @property
    def columns(self) -> dict[_Key, MatchedValue]:
        """The value columns by what they have in common with those of another block: header and unit."""
        found: dict[_Key, MatchedValue] = {}
        for value in self.task.plan.values:
            unit = "row" if value.unit_cell else self.task.unit_of(value) or ""
            twin = sum(1 for header, _, _ in found if header == value.header)  # a header that stands twice
            found[value.header, unit, str(twin)] = value
        return found


def reconciled(blocks: list[Summands]) -> list[list[dict[str, str]]]:
    """For each block of a sheet its total rows, ignored as data, against the sum of the rows that they stand for.

    A total that the contract declares and that no block has is found with the last.
    """
    rules = [rule for rule in blocks[0].task.layout.ignore_rows if rule.reconcile]
    findings: list[list[dict[str, str]]] = [[] for _ in blocks]
    for rule in rules:
        stated = [_stated(block.task, rule) for block in blocks]
        for place, rows in enumerate(stated):
            findings[place] += _reconciled(blocks, place, rule, rows) if rows.height else []
        if not rule.optional and not any(rows.height for rows in stated):
            expected = f"a row whose {rule.column} is like {rule.pattern}, unless the contract says `optional: true`"
            observed = f"no row is the {rule.reason} that is to be compared"
            findings[-1].append(
                {"check": "total_not_found", "severity": "block", "observed": observed, "expected": expected}
            )
    return findings


def _stated(task: Task, rule: IgnoreRow) -> pl.DataFrame:
    """The rows of a block that are the totals which a rule of the contract is about, as they stand."""
    ignored = task.plan.ignored.filter(pl.col("reason") == rule.reason).select(ROW)
    rows = task.plan.cells.join(ignored, on=ROW, how="semi", maintain_order="left")
    fits = [re.search(rule.pattern, normalise(text)) is not None for text in rows[task.plan.cell(rule.column)]]
    return rows.filter(pl.Series(fits, dtype=pl.Boolean))


def _reconciled(blocks: list[Summands], place: int, rule: IgnoreRow, stated: pl.DataFrame) -> list[dict[str, str]]:
    block = blocks[place]
    task = block.task
    totals = reported_numbers(task, stated)
    columns = {key: value for key, value in block.columns.items() if value.cell in totals}
    shown = _with_places(stated, block, None).with_columns(
        _sure(task, stated, value, totals[value.cell]).alias(_name(key)) for key, value in columns.items()
    )
    findings = [found for row in stated[ROW] for found in _doubtful(task, row, rule)]
    findings += _unread(task, stated, totals, rule)
    parts = _parts(blocks, place, rule)
    classes = _classes(stated, block, rule, is_total=True) if rule.class_column else None
    previous = 0
    for number, total in enumerate(shown.iter_rows(named=True)):
        own, what = _of_the_same(parts, total, rule), ""
        if classes is not None:
            own, what = own.filter(pl.col("class") == classes[number]), f" of the class {classes[number]}"
        if rule.reconcile == "since_previous":
            own = parts.filter((pl.col(ROW) < total[ROW]) & (pl.col(ROW) > previous))
            previous = total[ROW]
        findings += _compared(rule, total, own, columns, what)
    return findings


def _sure(task: Task, stated: pl.DataFrame, value: MatchedValue, numbers: pl.Series) -> pl.Series:
    """The numbers of total rows in one column, without those that cannot be read for certain."""
    if not task.plan.doubts:
        return numbers
    is_sure = [task.plan.doubts.of_cell(row, value.cell) is None for row in stated[ROW]]
    return pl.select(pl.when(pl.Series(is_sure, dtype=pl.Boolean)).then(numbers)).to_series()


def _doubtful(task: Task, row: int, rule: IgnoreRow) -> list[dict[str, str]]:
    """A finding for a total row that cannot be compared, or some of its cells, as they cannot be read for certain."""
    problems = [(v.address, task.plan.doubts.of_cell(row, v.cell)) for v in task.plan.values]
    told = [(address, problem) for address, problem in problems if problem]
    if not told:
        return []
    address, problem = told[0]
    others = f", and {len(told) - 1} more" if len(told) > 1 else ""
    observed = f"row {row}, {address}{others}: {problem}"
    expected = f"a {rule.reason} that can be read for certain"
    return [{"check": "total_not_compared", "severity": "block", "observed": observed, "expected": expected}]


def _unread(task: Task, stated: pl.DataFrame, totals: dict[str, pl.Series], rule: IgnoreRow) -> list[dict[str, str]]:
    """A finding for a total row with cells that are neither numbers nor tokens, or without any number at all."""
    findings = []
    tokens = {sign_form(token) for value in task.plan.values for token in {**task.layout.tokens, **value.rule.tokens}}
    for place, row in enumerate(stated.iter_rows(named=True)):
        texts = {value.address: (row[value.cell] or "").strip() for value in task.plan.values}
        numbers = {value.address: totals[value.cell][place] for value in task.plan.values if value.cell in totals}
        unread = [
            a for a, number in numbers.items() if number is None and texts[a] and sign_form(texts[a]) not in tokens
        ]
        is_told = any(task.plan.doubts.of_cell(row[ROW], value.cell) for value in task.plan.values)
        if is_told or not numbers or (not unread and any(texts[address] for address in numbers)):
            continue
        what = f"{unread[0]}: {texts[unread[0]]!r} is no number" if unread else "all its cells are empty"
        observed, expected = f"row {row[ROW]}, {what}", f"a {rule.reason} that can be compared"
        findings.append(
            {"check": "total_not_compared", "severity": "block", "observed": observed, "expected": expected}
        )
    return findings


def _compared(
    rule: IgnoreRow, total: dict[str, Any], own: pl.DataFrame, columns: dict[_Key, MatchedValue], what: str
) -> list[dict[str, str]]:
    """What does not tie between a total row and the rows that it stands for."""
    known = {key: value for key, value in columns.items() if _name(key) in own.columns}
    if rule.reconcile == "by_class" and not (own.height and known):
        nothing = f"rows{what} in the same columns: there are none, so that the total cannot be compared"
        return [_untied(rule, f"row {total[ROW]}, a total", nothing)]
    if not own.height:
        return []
    gaps = own.select(pl.col(_name(key)).null_count() for key in known).row(0, named=True) if known else {}
    sums = own.select(pl.col(_name(key)).sum() for key in known).row(0, named=True) if known else {}
    findings = []
    for key, value in known.items():
        stated, summed = total[_name(key)], sums[_name(key)]
        gap, is_part = gaps[_name(key)], value.rule.min is not None and value.rule.min >= 0
        if stated is None or abs(float(stated) - float(summed)) <= rule.tolerance:
            continue
        if gap and not (is_part and stated < summed):  # what is missing may be the rest
            continue
        observed = f"row {total[ROW]}, {value.address}: {stated.normalize():f}"
        expected = f"{'at least ' if gap else ''}{summed.normalize():f}, the sum of {own.height - gap} rows{what}"
        findings.append(_untied(rule, observed, expected))
    return findings


def _untied(rule: IgnoreRow, observed: str, expected: str) -> dict[str, str]:
    return {"check": "reported_total", "severity": rule.severity, "observed": observed, "expected": expected}


def _parts(blocks: list[Summands], place: int, rule: IgnoreRow) -> pl.DataFrame:
    """The rows that the totals of a block may stand for: ROW, region_code, `class`, and numbers by header and unit.

    These are the block's own rows; where it has none, those of the nearest block above that has some. A class may have
    its rows in any block. Blocks of another period or place (what they capture differs) are never mixed.
    """
    captured = blocks[place].task.plan.captured
    alike = [block for block in blocks if block.task.plan.captured == captured]
    if rule.reconcile != "by_class":
        above = [block for block in blocks[: place + 1] if block.rows.height and block in alike]
        alike = above[-1:]
    frames = []
    for block in alike:
        frame = _with_places(block.rows, block, "region_code").with_columns(
            block.reported[value.cell].alias(_name(key)) for key, value in block.columns.items() if block.reported
        )
        if rule.class_column:
            frame = frame.with_columns(_classes(block.rows, block, rule, is_total=False).alias("class"))
        frames.append(frame)
    parts = pl.concat(frames, how="diagonal") if frames else pl.DataFrame({ROW: []}, schema={ROW: pl.Int64})
    if rule.parts_level and frames:
        levels = blocks[place].task.jurisdiction.regions.select("region_code", "region_level")
        wanted = levels.filter(pl.col("region_level") == rule.parts_level)["region_code"]
        parts = parts.filter(pl.col("region_code").is_in(wanted.to_list()))
    return parts


def _with_places(rows: pl.DataFrame, block: Summands, also: str | None) -> pl.DataFrame:
    """Row numbers, and what the cells of each row say of its period and dimensions, as `at …`."""
    layout, plan = block.task.layout, block.task.plan
    names = [] if layout.period.fill == "down" else list(layout.period.columns)
    names += [row.column for row in layout.rows if row.fill == "none"]
    texts = [
        pl.Series(f"at {name}", [normalise(text) for text in rows[plan.cell(name)]], dtype=pl.String)
        for name in dict.fromkeys(names)
    ]
    return rows.select(ROW, *([also] if also else [])).with_columns(texts)


def _of_the_same(parts: pl.DataFrame, total: dict[str, Any], rule: IgnoreRow) -> pl.DataFrame:
    """The rows of the period and the dimensions that a total names; a text that no row has (`all`) names none."""
    for name in [name for name in parts.columns if name.startswith("at ") and name != f"at {rule.class_column}"]:
        is_same = parts[name] == total[name]
        if total[name] and is_same.any():
            parts = parts.filter(is_same)
    return parts


def _classes(rows: pl.DataFrame, block: Summands, rule: IgnoreRow, *, is_total: bool) -> pl.Series:
    """The class that each row is of, or, of a total, that it sums; null where a row says none."""
    names = {normalise(name): normalise(own) for name, own in rule.class_names.items()}

    def of(text: str | None) -> str | None:
        form = normalise(text)
        match = re.search(rule.class_pattern, form) if rule.class_pattern else None
        if match:
            form = match.group(1)
        elif rule.class_pattern and not is_total:
            return None
        return (names.get(form, form) if is_total else form) or None

    texts = rows[block.task.plan.cell(rule.class_column or "")]
    return pl.Series([of(text) for text in texts], dtype=pl.String)


def _name(key: _Key) -> str:
    return "\x1f".join(key)
