"""Failing rows under the mask: what may not be published of a table is not told by a check of it either.

A failing row travels: into the audit tables, the report, the departments' workbooks, messages. So hidden values are
taken out where rows are gathered, before anything is stored. Which cells are hidden is `protection`'s decision.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.quality.places import ADDRESS, line_of, listed
from pipelines.records import CheckResult

WITHHELD = "withheld"
_SHOWN = 20
# What says where a row is, and no figure.
_PLACES = frozenset(
    (*ADDRESS, "provenance", "departments", "compared_with", "region_code", "year", "reference_date", "period_end")
)


def without_withheld(results: list[CheckResult], mask: Path) -> list[CheckResult]:
    """The results, with rows that may be about a hidden cell cut down to their key and address.

    A row may be about a cell when no key column that both name differs. Beside its key and address such a row keeps
    nothing: a check can show a hidden value under any name. Results without such a row stay as they are.
    """
    hidden: dict[str, list[dict[str, Any]]] = {}
    if mask.exists():
        for table, key in pl.read_parquet(mask, columns=["table_name", "key_json"]).unique().iter_rows():
            hidden.setdefault(str(table), []).append(json.loads(key))
    return [_cut(result, hidden[result.subject]) if result.subject in hidden else result for result in results]


def _cut(result: CheckResult, keys: Sequence[Mapping[str, Any]]) -> CheckResult:
    rows = [_cut_row(row, keys) for row in result.rows]
    if rows == result.rows:
        return result
    lines = [line_of(row) for row in rows]
    # What was observed is told in numbers of rows: the text itself may hold a value.
    observed = f"{result.failing_rows:,} row(s), some {WITHHELD}"
    return replace(result, rows=rows, observed=observed, locations=listed(lines, result.failing_rows, _SHOWN))


def _cut_row(row: dict[str, str], keys: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    if not any(all(str(row[name]) == str(value) for name, value in key.items() if name in row) for key in keys):
        return row
    kept = {name: value for name, value in row.items() if name in keys[0] or name in _PLACES}
    return {**kept, "values": WITHHELD}
