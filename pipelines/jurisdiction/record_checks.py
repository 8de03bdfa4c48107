"""What the `records` section of a contract must satisfy in its jurisdiction: measures, units and levels that exist.

The model of the section is in `person_contract`. Each error names the line of the contract.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.contract import Contract
from pipelines.jurisdiction.text import normalise


def check_records(
    contract: Contract, path: Path, units: dict[str, str], measures: dict[str, str], levels: set[str]
) -> None:
    """Raises ConfigurationError for a measure, a unit or a level that the jurisdiction does not have.

    `units` maps a unit to its base unit, `measures` a measure to its own.
    """
    if contract.records is None:
        return
    for column in contract.records.columns:
        if column.unit is not None and column.unit not in units:
            raise ConfigurationError(
                f"the unit {column.unit!r} is not in the jurisdiction's list of units",
                where=f"{path}, {_line_with(path, column.unit)}",
                do="add it under `units` in jurisdiction.yml or correct it",
            )
    by_name = {column.as_: column for column in contract.records.columns if column.is_kept}
    for total in contract.records.observations:
        if total.measure not in measures:
            raise ConfigurationError(
                f"the measure {total.measure!r} is not in reference/measures.csv",
                where=f"{path}, {_line_with(path, total.measure)}",
                do="add a line for it in measures.csv or correct its name",
            )
        if total.sum is not None and units[by_name[total.sum].unit or ""] != measures[total.measure]:
            raise ConfigurationError(
                f"{total.sum} is summed in {units[by_name[total.sum].unit or '']}, "
                f"the measure {total.measure!r} is in {measures[total.measure]}",
                where=f"{path}, {_line_with(path, total.measure)}",
                do="correct the column's `unit`, or the measure",
            )
        for level in total.levels or []:
            if level not in levels:
                raise ConfigurationError(
                    f"the level {level!r} is not in jurisdiction.yml",
                    where=f"{path}, {_line_with(path, level)}",
                    do=f"use one of {', '.join(sorted(levels))}",
                )


def _line_with(path: Path, text: str) -> str:
    """`line N` of the first line below `records` that holds a text, for error messages."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith("records:")), 0)
    wanted = normalise(text)
    return (
        f"line {next((n + 1 for n, line in enumerate(lines) if n >= start and wanted in normalise(line)), start + 1)}"
    )
