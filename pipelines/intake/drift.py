"""What changed in form between one delivery and the one before it: columns, order, types, units, codes, rows.

Drift is judged on stored profiles, never on the landed files, so it costs nothing to ask again. How grave each kind
is stands in the contract; whether it blocks is the gate's business. Which delivery is the one before, and what
became of its figures, is `vintages`' work.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.jurisdiction.contract import Contract
from pipelines.records import Reading, Receipt

# A typical value that moved by these factors is a unit written otherwise, not a change of the world.
UNIT_FACTORS = (10, 100, 1_000, 10_000, 100_000_000)
_TELLING = 50  # smaller typical values move tenfold by themselves: one death, ten deaths
_NEAR = 0.15  # how close, in powers of ten, a jump must be to a factor


@dataclass(frozen=True)
class Read:
    """A delivery that was read."""

    receipt: Receipt
    reading: Reading


def profile(headers: list[str], observations: pl.DataFrame, data_rows: int) -> dict[str, Any]:
    """What later deliveries are compared with: header order, codes, typical size by measure and unit, rows."""
    present = observations.drop_nulls("value").filter(pl.col("value") != 0)
    sizes = (
        present.group_by("measure", "unit_reported", "unit", "item", "period_end")
        .agg(pl.col("value").cast(pl.Float64).abs().median().alias("median"))
        .sort("measure", "item", "unit_reported", "period_end")
        .group_by("measure", "item", "unit_reported", maintain_order=True)
        .agg(pl.col("median").last())
    )
    whole = (
        observations.group_by("measure")
        .agg((pl.col("value").cast(pl.Float64).fill_null(0.0).mod(1) == 0).all().alias("whole"))
        .sort("measure")
    )
    dimensions = ("measure", "residence", "sex", "age_group", "group", "item")
    codes = observations.select(pl.col(name).drop_nulls().unique().sort().implode() for name in dimensions)
    return {
        "headers": headers,
        "data_rows": data_rows,
        "codes": dict(zip(dimensions, (list(one) for one in codes.row(0)), strict=True)),
        "sizes": [[m, i, u, round(x, 6)] for m, i, u, x in sizes.iter_rows()],
        "whole": dict(whole.iter_rows()),
        "years": sorted(observations["period_end"].dt.year().unique().to_list()),
        **digest(observations),
    }


def digest(observations: pl.DataFrame) -> dict[str, Any]:
    """What a reading's figures are told by at a glance: how many there are, and their exact sum as text."""
    values = observations["value"]
    return {"values": values.len() - values.null_count(), "sum": str(values.sum() if values.len() else None)}


def finding(check: str, severity: str, observed: str, expected: str) -> dict[str, str]:
    """A finding, its texts cut to what a person reads."""
    return {"check": check, "severity": severity, "observed": observed[:400], "expected": expected[:400]}


def changes(contract: Contract, before: Read, after: Read) -> list[dict[str, str]]:
    """What changed in form, size and codes against the file before; each as grave as the contract says."""
    old, new = before.reading.profile, after.reading.profile
    if not old or not new:
        return []
    grave = contract.quality.drift
    where = f"{before.receipt.file_name} ({before.receipt.delivery_period})"
    found: list[dict[str, str]] = []
    same_layout = contract.records is not None or contract.layout_for(
        before.receipt.delivery_period, before.receipt.file_name
    ) is contract.layout_for(after.receipt.delivery_period, after.receipt.file_name)
    if same_layout:
        found += _columns(old, new, contract, where)
    for measure, was_whole in old["whole"].items():
        if was_whole and new["whole"].get(measure) is False:
            found.append(finding("type", grave.type, f"{measure} has fractions", f"whole numbers, as in {where}"))
    found += _units(old, new, grave.unit_jump, where)
    for dimension, codes in new["codes"].items():
        added = [c for c in codes if c not in old["codes"].get(dimension, [])]
        if added and same_layout:
            found.append(finding("new_codes", grave.new_codes, f"{dimension}: {', '.join(added)}", f"those of {where}"))
    share = grave.row_count_change
    rows, previous = new["data_rows"], old["data_rows"]
    if previous and same_layout and abs(rows - previous) > share * previous:
        found.append(
            finding("row_count", grave.row_count, f"{rows:,} data rows", f"{previous:,} in {where}, within {share:.0%}")
        )
    return found


def _columns(old: dict[str, Any], new: dict[str, Any], contract: Contract, where: str) -> list[dict[str, str]]:
    grave = contract.quality.drift
    found = []
    was, now = _without_periods(old["headers"]), _without_periods(new["headers"])
    added = [h for h in now if h not in was]
    gone = [h for h in was if h not in now]
    if added:
        found.append(finding("new_column", grave.new_column, f"new {', '.join(added)}", f"the columns of {where}"))
    if gone:
        found.append(finding("missing_column", grave.missing_column, f"without {', '.join(gone)}", f"as in {where}"))
    both_was, both_now = [h for h in was if h in now], [h for h in now if h in was]
    if both_was != both_now:
        moved = next(n for o, n in zip(both_was, both_now, strict=True) if o != n)
        found.append(finding("column_order", grave.column_order, f"{moved} moved", f"the order of {where}"))
    return found


def _without_periods(headers: list[str]) -> list[str]:
    """Headers that only name a year come and go with the years."""
    return [h for h in headers if not re.search(r"(?<!\d)(1[89]|2[01])\d\d(?!\d)", h)]


def _units(old: dict[str, Any], new: dict[str, Any], severity: str, where: str) -> list[dict[str, str]]:
    """A typical value that jumped by a power of ten, against the file before."""
    found = []
    before: dict[tuple[str, str], float] = {(m, i): x for m, i, _, x in old["sizes"]}
    for measure, item, unit, size in new["sizes"]:
        was = before.get((measure, item))
        if not was or not size or max(was, size) < _TELLING:
            continue
        power = math.log10(size / was)
        for factor in UNIT_FACTORS:
            if abs(abs(power) - math.log10(factor)) < _NEAR:
                name = measure if item == "all" else f"{measure} {item}"
                found.append(
                    finding(
                        "unit_jump",
                        severity,
                        f"{name} ({unit}): typical value {size:,.6g}, {'up' if power > 0 else 'down'} {factor:,} times",
                        f"about {was:,.6g}, as in {where}",
                    )
                )
                break
    return found
