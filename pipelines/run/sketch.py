"""As much of a jurisdiction as trying a file needs, whether or not it can be loaded as a whole yet.

A new jurisdiction has no regions, no contract, and open fields; a file can be looked at all the same. No run uses any
of this: what is published rests on a jurisdiction that was loaded and checked.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path

import polars as pl
from yaml import YAMLError

from pipelines.errors import ConfigurationError
from pipelines.intake.sniffing import Grounds, Proposal
from pipelines.jurisdiction import Contract, Description, Jurisdiction, Unit
from pipelines.jurisdiction.open_fields import OPEN
from pipelines.jurisdiction.reference import TABLES, load_table
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
        self.corrections = []
        self.contracts = {}
        self.missing: list[str] = []
        try:
            self.units = dict(load_model(folder / "jurisdiction.yml", Description).units)
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

    @property
    def grounds(self) -> Grounds:
        """What a proposal may rest on."""
        units = {name: unit.base for name, unit in self.units.items()}
        return Grounds(units, self._tables["region"], self._tables["measure"])

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
    """The jurisdiction with whatever a proposed contract names and it does not list yet; else as it is."""
    if contract.status != "proposed":
        return jurisdiction
    made = copy.copy(jurisdiction)
    for cached in ("reference_measures", "measure_units"):
        made.__dict__.pop(cached, None)
    made.units = {**jurisdiction.units, OPEN: Unit(base=OPEN, factor=1)}
    measures = jurisdiction._tables["measure"]
    lines = [{"measure": name, "unit": OPEN} for name in unlisted_measures(contract, measures["measure"])]
    made._tables = {
        **jurisdiction._tables,
        "measure": pl.concat([measures, pl.DataFrame(lines, schema=measures.schema)]),
    }
    return made


def unlisted_measures(contract: Contract, listed: Iterable[str]) -> list[str]:
    """The measures that a contract names and measures.csv does not list, in order."""
    named: dict[str, None] = {}
    for layout in contract.layouts:
        values = [value.measure or layout.defaults.get("measure", "") for value in layout.values]
        from_rows = [code for row in layout.rows if row.dimension == "measure" for code in (row.map or {}).values()]
        named.update(dict.fromkeys([*values, *from_rows]))
    known = set(listed)
    return [name for name in named if name and "{" not in name and name not in known]
