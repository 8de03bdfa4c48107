"""What a contract must satisfy beyond its form: codes that exist, templates that can be filled, units that fit.

The models of a contract are in `contract`; here one contract is held against itself and its jurisdiction, so that
a mistake is found before a file is read. Each error names the line of the contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.contract import ALLOWED, DIMENSIONS, Contract, Layout, UnitFrom, ValueColumn
from pipelines.jurisdiction.open_fields import OPEN
from pipelines.jurisdiction.text import normalise
from pipelines.jurisdiction.yaml_model import load_model

_TEMPLATE = re.compile(r"\{(\w+)\}")


def line_with(path: Path, *texts: str) -> str:
    """`line N` of the first line that holds all texts, for error messages."""
    wanted = [normalise(text) for text in texts]
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if all(text in normalise(line) for text in wanted):
            return f"line {number}"
    return "line 1"


def load_contract(path: Path, contracts_folder: Path, units: dict[str, str], measures: dict[str, str]) -> Contract:
    """Read a contract and hold it against the folder it lies in and the jurisdiction.

    `units` maps a unit to its base unit, `measures` a measure to its own. A contract that is only proposed may leave
    fields open (`?`) and name measures that are not listed yet. Raises ConfigurationError with file, line and what to
    do.
    """
    contract = load_model(path, Contract, may_be_proposed=True)
    expected = path.relative_to(contracts_folder).with_suffix("").as_posix()
    if contract.id != expected:
        raise ConfigurationError(
            f"the contract calls itself {contract.id!r} but lies at {expected!r}",
            where=f"{path}, {line_with(path, 'id', contract.id)}",
            do="make `id` and the path agree",
        )
    check_contract(contract, path, units, measures)
    return contract


def check_contract(contract: Contract, path: Path, units: dict[str, str], measures: dict[str, str]) -> None:
    """Raises ConfigurationError for a code, a template, a unit or a measure that cannot be; see `load_contract`."""
    for layout in contract.layouts:
        _check_codes(layout, path)
        for value in layout.values:
            groups = _groups(layout, value)
            for name in ("measure", "unit", *DIMENSIONS):
                stated = getattr(value, name) or layout.defaults.get(name, "")
                _check_template(stated if isinstance(stated, str) else "", groups, path)
            _check_template(str(value.part or ""), groups, path)
            _check_units(contract, layout, value, path, units, measures)
        captured = {name for capture in layout.captures for name in re.compile(capture.pattern).groupindex}
        for source in (layout.region.code, *layout.region.names):
            _check_template(source or "", captured, path)


def check_years(contract: Contract, path: Path) -> None:
    """Raises ConfigurationError when layouts of one contract count years in different ways.

    `contract` has the years of its jurisdiction already where it names none.
    """
    years = {(rule.starts, rule.named_by) for rule in (x.period for x in contract.layouts) if rule.kind != "point"}
    if len(years) > 1:
        _refuse(
            "the layouts of this contract count years in different ways",
            path,
            "give each way of counting years (`starts`, `named_by`) a contract of its own",
            "starts",
        )


def check_days(contract: Contract, path: Path, sources: dict[str, str | None]) -> None:
    """Raises ConfigurationError when a population of mid-year is read as one of a calendar year, without its day.

    `sources` are the population sources of the measures. The year would be dated by its last day, another one.
    """
    for layout in contract.layouts:
        for value in layout.values:
            measure, kind = value.measure or layout.defaults.get("measure", ""), value.period_kind or layout.period.kind
            if kind == "year" and layout.period.starts == "01-01" and sources.get(measure) == "mid_year":
                _refuse(
                    f"{measure} counts people on a day, and its period is a whole year",
                    path,
                    'name the day: `kind: point` with `month_day`, as in month_day: "06-30"',
                    "period",
                )


def _refuse(message: str, path: Path, do: str, *texts: str) -> NoReturn:
    raise ConfigurationError(message, where=f"{path}, {line_with(path, *texts)}", do=do)


def _check_codes(layout: Layout, path: Path) -> None:
    """Codes of the fixed dimensions, wherever a contract writes them down."""
    for row in layout.rows:
        for text, code in (row.map or {}).items():
            if code not in ALLOWED.get(row.dimension, {code}):
                _refuse(f"{code!r} is no {row.dimension}", path, _one_of(row.dimension), text, code)
        for code in row.codes or []:
            if code not in ALLOWED.get(row.dimension, {code}):
                _refuse(f"{code!r} is no {row.dimension}", path, _one_of(row.dimension), code)
    for name, code in layout.defaults.items():
        if "{" not in code and code not in ALLOWED.get(name, {code}):
            _refuse(f"{code!r} is no {name}", path, _one_of(name), code)
    for value in layout.values:
        for name in ALLOWED:
            template = getattr(value, name) or layout.defaults.get(name, "")
            if not (match := _TEMPLATE.fullmatch(template)):
                continue
            for text, code in value.maps.get(match.group(1), {}).items():
                if code not in ALLOWED[name]:
                    _refuse(f"{code!r} is no {name}", path, _one_of(name), text, code)


def _one_of(dimension: str) -> str:
    return f"use one of {', '.join(sorted(ALLOWED[dimension]))}"


def _groups(layout: Layout, value: ValueColumn) -> set[str]:
    """The names that a template of this column can use."""
    patterns = [value.columns or "", *(capture.pattern for capture in layout.captures)]
    return {name for pattern in patterns for name in re.compile(pattern).groupindex}


def _check_template(template: str, groups: set[str], path: Path) -> None:
    for name in _TEMPLATE.findall(template):
        if name not in groups:
            _refuse(
                f"{{{name}}} stands for nothing: no group (?P<{name}>…) gives it",
                path,
                "name a group so in `columns` or in `captures`",
                f"{{{name}}}",
            )


def _possible(template: str, value: ValueColumn) -> Iterator[str]:
    """What a template can become, as far as the contract lists it."""
    match = _TEMPLATE.fullmatch(template)
    if match:
        yield from value.maps.get(match.group(1), {}).values()
    elif "{" not in template:
        yield template


def _check_units(
    contract: Contract,
    layout: Layout,
    value: ValueColumn,
    path: Path,
    units: dict[str, str],
    measures: dict[str, str],
) -> None:
    """Every unit is one of the jurisdiction's, every measure in measures.csv, and the one is for the other."""
    is_in_file = isinstance(value.unit, UnitFrom)
    listed = value.unit.map.values() if isinstance(value.unit, UnitFrom) else _possible(value.unit, value)
    stated = [unit for unit in listed if unit != OPEN]
    for unit in stated:
        if unit not in units:
            _refuse(
                f"the unit {unit!r} is not in the jurisdiction's list of units",
                path,
                "add it under `units` in jurisdiction.yml or correct it",
                unit,
            )
    from_rows = [code for row in layout.rows if row.dimension == "measure" for code in (row.map or {}).values()]
    template = value.measure or ("" if from_rows else layout.defaults.get("measure", ""))
    for measure in [*_possible(template, value), *([] if value.measure else from_rows)]:
        if not measure:
            continue
        if measure not in measures:
            if contract.status == "proposed":
                continue
            _refuse(
                f"the measure {measure!r} is not in reference/measures.csv",
                path,
                "add a line for it in measures.csv or correct its name",
                measure,
            )
        for unit in stated if len(stated) == 1 and not is_in_file else []:
            if units[unit] != measures[measure]:
                _refuse(
                    f"{unit!r} counts {units[unit]}, but the measure {measure!r} is in {measures[measure]}",
                    path,
                    "correct the unit or the measure here, or the unit in measures.csv",
                    measure,
                )
