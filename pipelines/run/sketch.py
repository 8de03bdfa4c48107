"""As much of a jurisdiction as trying a file needs, whether or not it can be loaded as a whole yet.

A new jurisdiction has no regions, no contract, and open fields; a file can be looked at all the same. No run uses any
of this: what is published rests on a jurisdiction that was loaded and checked.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
from yaml import YAMLError

from pipelines.errors import ConfigurationError
from pipelines.intake.sniffing import Grounds, Proposal
from pipelines.jurisdiction import Contract, Description, Jurisdiction, Unit
from pipelines.jurisdiction.contract import Layout, ValueColumn
from pipelines.jurisdiction.description import FinancialYears
from pipelines.jurisdiction.open_fields import OPEN
from pipelines.jurisdiction.personal_kinds import USUAL_KINDS
from pipelines.jurisdiction.reference import TABLES, header_of, load_table
from pipelines.jurisdiction.yaml_model import load_model
from pipelines.store import read_yaml

_TABLES = tuple(table for table in TABLES if table.relation in ("region", "measure"))


class Sketch(Jurisdiction):
    """Units, regions and measures of a jurisdiction, without its contracts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = folder.name
        self.description = load_model(folder / "jurisdiction.yml", Description)
        self.units = dict(self.description.units)
        self.levels = self.description.levels
        self.personal_numbers = self.description.personal_numbers
        self.corrections = []
        self.contracts = {}
        self._tables = {table.relation: load_table(folder / "reference", table) for table in _TABLES}


class Outline(Jurisdiction):
    """The same of a folder that may be no jurisdiction yet: what cannot be loaded is empty, and `missing` says why."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = folder.name
        self.levels = []
        self.units = {}
        self.personal_numbers = USUAL_KINDS
        self.financial_years: FinancialYears | None = None
        self.corrections = []
        self.contracts = {}
        self.missing: list[str] = []
        try:
            description = load_model(folder / "jurisdiction.yml", Description)
            self.units, self.personal_numbers = dict(description.units), description.personal_numbers
            self.financial_years = description.financial_years
        except ConfigurationError as error:
            self.units = _listed_units(folder / "jurisdiction.yml")
            known = f"{len(self.units)} unit(s) of it are known" if self.units else "no unit is known"
            self.missing.append(f"jurisdiction.yml cannot be loaded yet, {known}: {error.message} ({error.where})")
        self._tables = {}
        for table in _TABLES:
            try:
                self._tables[table.relation] = load_table(folder / "reference", table)
            except ConfigurationError as error:
                self.missing.append(f"{table.file} is taken as empty: {error.message} ({error.where})")
                self._tables[table.relation] = pl.DataFrame(schema=dict.fromkeys(table.column_names, pl.String))

    def lines_for(self, relation: str, known: list[dict[str, str]]) -> list[dict[str, str]]:
        """Lines of a reference table as its file has its columns; `?` where a cell must be filled and nothing is known.

        Columns that may be left out of the file are there only where the file has them, and hold nothing.
        """
        table = next(table for table in _TABLES if table.relation == relation)
        names = header_of(self.folder / "reference", table)
        asked = {*table.filled, "parent_code"}  # only one region has none above it
        return [{name: line.get(name, OPEN if name in asked else "") for name in names} for line in known]

    @property
    def grounds(self) -> Grounds:
        """What a proposal may rest on."""
        units = {name: unit.base for name, unit in self.units.items()}
        tables = self._tables["region"], self._tables["measure"]
        return Grounds(units, *tables, tuple(self.personal_numbers), self.financial_years is not None)

    def with_years(self, contract: Contract) -> Contract:
        """The contract with the years of the jurisdiction, where they are known."""
        years = self.financial_years
        return contract.with_years(years.starts, years.named_by) if years else contract

    @property
    def money_units(self) -> frozenset[str]:
        """None is known: which measures are money a jurisdiction says as a whole."""
        return frozenset()

    def with_regions_of(self, proposal: Proposal) -> Outline:
        """The same with the regions that a file names listed, for a trial of what it would give."""
        if not proposal.regions:
            return self
        made = copy.copy(self)
        lines = [
            {**line, "region_code": place, "region_level": OPEN, "valid_from": "0001-01-01"}
            for place, line in zip(proposal.look.places, proposal.regions, strict=True)
        ]
        added = pl.DataFrame(lines, schema=self._tables["region"].schema)
        made._tables = {**self._tables, "region": pl.concat([self._tables["region"], added])}
        return made


def _listed_units(path: Path) -> dict[str, Unit]:
    """The units that a file lists which cannot be loaded as a whole yet; none where it cannot be read at all."""
    try:
        listed = read_yaml(path.read_text(encoding="utf-8"))["units"]
        return {str(name): Unit.model_validate(unit) for name, unit in listed.items()}
    except (OSError, ValueError, YAMLError, KeyError, TypeError, AttributeError):
        return {}


def for_trial(jurisdiction: Jurisdiction, contract: Contract) -> Jurisdiction:
    """The jurisdiction with whatever a proposed contract names and it does not list yet; else as it is.

    A measure that is not listed, or whose unit is open in the contract, counts what the contract's unit counts.
    """
    if contract.status != "proposed":
        return jurisdiction
    made = copy.copy(jurisdiction)
    for cached in ("reference_measures", "measure_units"):
        made.__dict__.pop(cached, None)
    made.units = {**jurisdiction.units, OPEN: Unit(base=OPEN, factor=1)}
    listed = jurisdiction._tables["measure"]
    known = dict(listed.select("measure", "unit").iter_rows())
    counted = _counted_by(contract, made.units)
    if OPEN in counted.values() and any(not isinstance(v.unit, str) for x in contract.layouts for v in x.values):
        made.units = {name: Unit(base=OPEN, factor=unit.factor) for name, unit in made.units.items()}
        counted = dict.fromkeys(counted, OPEN)
    changed = {name: base for name, base in counted.items() if name not in known or base == OPEN}
    lines = pl.DataFrame([{"measure": m, "unit": u} for m, u in changed.items()], schema=listed.schema)
    others = listed.filter(~pl.col("measure").is_in(list(changed)))
    made._tables = {**jurisdiction._tables, "measure": pl.concat([others, lines])}
    return made


def _counted_by(contract: Contract, units: dict[str, Unit]) -> dict[str, str]:
    """What each measure of a contract counts by the units it is given in; open where the rows say their own."""
    counted: dict[str, str] = {}
    for layout, value, measures in _named_measures(contract):
        unit = value.unit if isinstance(value.unit, str) else OPEN
        base = units[unit].base if unit in units else OPEN
        for measure in measures or [layout.defaults.get("measure", "")]:
            if measure and "{" not in measure:
                counted[measure] = base if counted.get(measure, base) == base else OPEN
    return counted


def _named_measures(contract: Contract) -> Iterator[tuple[Layout, ValueColumn, list[str]]]:
    """Each value column of a contract with the measures that its numbers may be of."""
    for layout in contract.layouts:
        from_rows = [code for row in layout.rows if row.dimension == "measure" for code in (row.map or {}).values()]
        for value in layout.values:
            yield layout, value, [value.measure] if value.measure else from_rows


def unlisted_measures(contract: Contract, listed: Iterable[str]) -> list[str]:
    """The measures that a contract names and measures.csv does not list, in order."""
    known = set(listed)
    return [name for name in _counted_by(contract, {}) if name not in known]
