"""Sums that the contract says must hold in one sheet: parts within a row, total rows against the rows they stand for.

Numbers are compared as reported, before their unit. What does not tie is a finding; no number is changed by it.
"""

from __future__ import annotations

import polars as pl

from pipelines.errors import ConfigurationError
from pipelines.formats import ROW, Grid
from pipelines.intake.values import Task, reported_numbers
from pipelines.jurisdiction.text import normalise

SHOWN = 20


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


def reconciled(task: Task, grid: Grid, rows: pl.DataFrame, reported: dict[str, pl.Series]) -> list[dict[str, str]]:
    """Total rows, ignored as data, against the sum of the accepted rows they stand for."""
    findings: list[dict[str, str]] = []
    plan = task.plan
    rules = [rule for rule in task.layout.ignore_rows if rule.reconcile]
    reasons = [rule.reason for rule in rules]
    stated_rows = grid.cells.join(
        plan.ignored.filter(pl.col("reason").is_in(reasons)).select(ROW, "reason"), on=ROW
    ).sort(ROW)
    if not stated_rows.height:
        return findings
    levels = dict(task.jurisdiction.regions.select("region_code", "region_level").iter_rows())
    cells = [value.cell for value in plan.values]
    stated_values = stated_rows.select(ROW, "reason").with_columns(
        series.alias(cell) for cell, series in reported_numbers(task.layout, plan.values, stated_rows).items()
    )
    values = rows.select(ROW, "region_code").with_columns(reported[cell].alias(cell) for cell in cells)
    for rule in rules:
        parts = values
        if rule.parts_level:
            wanted = [code for code, level in levels.items() if level == rule.parts_level]
            parts = values.filter(pl.col("region_code").is_in(wanted))
        previous = 0
        for stated in stated_values.filter(pl.col("reason") == rule.reason).iter_rows(named=True):
            number = stated[ROW]
            own = parts
            if rule.reconcile == "since_previous":
                own = parts.filter((pl.col(ROW) < number) & (pl.col(ROW) > previous))
                previous = number
            if not own.height:
                continue
            gaps = own.select(pl.col(cells).null_count()).row(0, named=True)
            sums = own.select(pl.col(cells).sum()).row(0, named=True)
            for value in plan.values:
                total, summed = stated[value.cell], sums[value.cell]
                if total is None or gaps[value.cell]:
                    continue
                if abs(float(total) - float(summed)) > rule.tolerance:
                    findings.append(
                        {
                            "check": "reported_total",
                            "severity": rule.severity,
                            "observed": f"row {number}, {value.address}: {total.normalize():f}",
                            "expected": f"{summed.normalize():f}, the sum of {own.height} rows",
                        }
                    )
    return findings
