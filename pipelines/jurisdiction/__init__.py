"""One folder under raw/ as objects: what a jurisdiction is, its contracts and its reference tables.

Everything that names a region, a unit, a department or an indicator is in that folder, and this room is where
the rest of the code gets it from. Files that arrive are `intake`'s, numbers are dbt's.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path

import polars as pl

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.boundaries import find_boundaries
from pipelines.jurisdiction.calendar import load_plan
from pipelines.jurisdiction.contract import Contract
from pipelines.jurisdiction.contract_checks import check_days, check_years, line_with, load_contract
from pipelines.jurisdiction.corrections import Correction, load_corrections
from pipelines.jurisdiction.description import Description, Level, Unit
from pipelines.jurisdiction.description_checks import check_description
from pipelines.jurisdiction.geography import check_boundaries, check_geographies
from pipelines.jurisdiction.indicator_terms import indicator_tables
from pipelines.jurisdiction.recipes import load_recipes
from pipelines.jurisdiction.record_checks import check_records
from pipelines.jurisdiction.reference import TABLES, check_links, load_table
from pipelines.jurisdiction.reference_checks import check_classes, check_weights, check_wholes
from pipelines.jurisdiction.source_schema import as_text
from pipelines.jurisdiction.variants import check_variants, main_choices, only_reading
from pipelines.jurisdiction.yaml_model import load_model
from pipelines.settings import hash_files

__all__ = ["Contract", "Description", "Jurisdiction", "Level", "Unit", "load"]


class Jurisdiction:
    """A jurisdiction, loaded and checked. Build one with `load`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = folder.name
        self.description = load_model(folder / "jurisdiction.yml", Description)
        self.name = self.description.name
        self.name_en = self.description.name_en
        self.home_region = self.description.home_region
        self.levels = self.description.levels
        self.reference_geographies = tuple(self.description.reference_geographies)
        self.currency = self.description.currency
        self.time_zone = self.description.time_zone
        self.schedule = self.description.schedule
        self.synthetic_mark = {
            "zh": self.description.synthetic_mark.zh,
            "en": self.description.synthetic_mark.en,
        }
        self.data_notes = [{"zh": note.zh, "en": note.en} for note in self.description.data_notes]
        self.disclosure = {
            "method": self.description.disclosure.method,
            "reason": self.description.disclosure.reason,
        }
        self.personal_numbers = self.description.personal_numbers
        self.units = self.description.units
        self.unit_names = self.description.unit_names
        self._tables = {table.relation: load_table(folder / "reference", table) for table in TABLES}
        self.contracts = self._load_contracts()
        self.corrections = load_corrections(
            folder / "corrections", {name: contract.records is not None for name, contract in self.contracts.items()}
        )
        if not (folder / "reference" / "variants.csv").exists():
            bases = {basis for contract in self.contracts.values() for basis in contract.population_bases}
            self._tables["variant"] = only_reading(folder / "reference", self.description, self._tables, bases)
        self.recipes = load_recipes(folder / "recipes.yml")
        self.release_plan = load_plan(folder / "releases.yml")
        self._check_tables()
        self.boundaries = find_boundaries(folder, frozenset(self.regions["region_code"]))

    @cached_property
    def money_units(self) -> frozenset[str]:
        """The units that the measures of spending, or amounts of the same kind, are reported in."""
        spending = {source.measure for source in self.description.spending}
        rows = self._tables["measure"].select("measure", "unit").iter_rows()
        bases = {unit for measure, unit in rows if measure in spending}
        return frozenset(name for name, unit in self.units.items() if unit.base in bases)

    @property
    def landing(self) -> Path:
        """Where files arrive."""
        return self.folder / "landing"

    @cached_property
    def regions(self) -> pl.DataFrame:
        """regions.csv as text, and in `successors` what became of each code by region_changes.csv, `;` between them."""
        regions = self._tables["region"]
        changes = self._tables.get("region_change")
        if changes is None or changes.is_empty():
            return regions.with_columns(pl.lit("").alias("successors"))
        names = regions.unique("region_code", keep="last").select("region_code", "region_name")
        successors = (
            changes.filter(pl.col("to_code") != pl.col("from_code"))
            .join(names, left_on="to_code", right_on="region_code", how="left")
            .sort("from_code", "effective_date", "to_code")
            .group_by("from_code", maintain_order=True)
            .agg(
                pl.format("{} {} from {}", "to_code", "region_name", "effective_date").str.join(";").alias("successors")
            )
        )
        found = regions.join(successors, left_on="region_code", right_on="from_code", how="left", maintain_order="left")
        return found.with_columns(pl.col("successors").fill_null(""))

    @cached_property
    def reference_measures(self) -> frozenset[str]:
        """The measures of measures.csv."""
        return frozenset(self._tables["measure"]["measure"])

    @property
    def measure_roles(self) -> dict[str, list[str]]:
        """The measures that are populations, and those that are spending, in order."""
        measures = self._tables["measure"]
        population = measures.filter(pl.col("is_population") == "true")["measure"].to_list()
        return {"population": sorted(population), "spending": sorted(s.measure for s in self.description.spending)}

    @cached_property
    def measure_units(self) -> dict[str, str]:
        """Each measure's base unit."""
        measures = self._tables["measure"]
        return dict(zip(measures["measure"], measures["unit"], strict=True))

    @cached_property
    def intake_reference_hash(self) -> str:
        """SHA-256 of what a reading depends on beside its contract: regions, units, numbers that name a person."""
        units = {name: unit.model_dump() for name, unit in sorted(self.units.items())}
        kinds = [kind.model_dump() for kind in self.personal_numbers]
        rules = {"units": units, "personal_numbers": kinds, "money_units": sorted(self.money_units)}
        digest = hashlib.sha256(json.dumps(rules, ensure_ascii=False, sort_keys=True).encode())
        digest.update(self.regions.write_csv().encode())
        return digest.hexdigest()

    @cached_property
    def reference_hash(self) -> str:
        """SHA-256 of jurisdiction.yml, every reference table, the boundaries and the recipes."""
        paths = [self.folder / "jurisdiction.yml", *sorted((self.folder / "reference").glob("*.csv"))]
        paths += [path for path in [self.boundaries, self.folder / "recipes.yml"] if path and path.exists()]
        return hash_files(paths, self.folder)

    @cached_property
    def contracts_hash(self) -> str:
        """SHA-256 over all contracts."""
        parts = [f"{contract.id}={contract.hash}" for contract in self.contracts.values()]
        return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()

    @cached_property
    def population_source(self) -> str:
        """The source of the population that is meant where none is named, as the variant `main` says."""
        return main_choices(self._tables["variant"])["population_source"] or "none"

    @property
    def tells_residence(self) -> bool:
        """Whether any figures are of town or country alone: where none are, nothing is unattributed to either."""
        return any(contract.tells_residence for contract in self.contracts.values())

    @property
    def main_fund(self) -> str | None:
        """The fund that is meant where none is named, as the variant `main` says."""
        fund: str | None = main_choices(self._tables["variant"])["fund"]
        return fund

    @property
    def expectations_folder(self) -> Path:
        """Facts true of this jurisdiction only."""
        return self.folder / "expectations"

    @property
    def waivers_file(self) -> Path:
        """Documented exceptions to checks."""
        return self.folder / "waivers.yml"

    def corrections_for(self, extract: str, delivery_period: str) -> list[Correction]:
        """The corrections of one delivery of an extract."""
        return [c for c in self.corrections if c.extract == extract and c.delivery_period == delivery_period]

    def check_geographies(self, geographies: tuple[int, ...]) -> None:
        """Raises ConfigurationError when figures cannot be told on the lists of regions of these years."""
        years = (self.description.years.first, self.description.years.last)
        check_geographies(self.folder / "reference", self._tables, self.home_region, years, geographies)

    def reference_tables(self, geographies: tuple[int, ...] | None = None) -> dict[str, pl.DataFrame]:
        """Every relation that dbt's sources expect beside the readings, as text frames.

        `geographies` are the years whose lists of regions figures are re-based to, in place of the jurisdiction's own.
        """
        geographies = self.reference_geographies if geographies is None else geographies
        tables = dict(self._tables)
        levels = {level.name: level for level in self.levels}
        tables["region"] = (
            tables["region"]
            .drop("aliases")
            .with_columns(
                pl.col("region_level")
                .replace_strict({n: str(v.depth) for n, v in levels.items()})
                .alias("region_depth"),
                # a level without a government of its own has no budget that could be missing
                pl.col("region_level")
                .replace_strict(
                    {n: v.government_level if v.government_level != "none" else None for n, v in levels.items()},
                    return_dtype=pl.String,
                )
                .alias("government_level"),
                pl.col("region_level")
                .replace_strict({n: str(v.is_territory).lower() for n, v in levels.items()})
                .alias("is_territory"),
            )
        )
        terms, indicators = indicator_tables(self.folder / "reference", self._tables)
        tables["indicator"] = indicators
        tables["indicator_term"] = terms
        tables["spending_source"] = pl.DataFrame(
            [
                {**source.model_dump(), "exhaustive": str(source.exhaustive).lower()}
                for source in self.description.spending
            ],
            schema=as_text("spending_source"),
        )
        tables["two_thirds_test"] = pl.DataFrame(
            [
                {
                    "fund": test.fund,
                    "account_stage": test.account_stage,
                    "livelihood": test.livelihood,
                    "livelihood_classes": ";".join(test.livelihood_classes),
                    "resources": test.resources,
                    "scope_zh": test.scope.zh,
                    "scope_en": test.scope.en,
                }
                for test in self.description.two_thirds_tests
            ],
            schema=as_text("two_thirds_test"),
        )
        tables["extract"] = self.extract_table
        boundaries = sorted({c.boundaries for c in self.contracts.values() if c.boundaries is not None})
        lists = [(str(year), year, "true") for year in geographies]
        lists += [(f"{year} as listed", year, "false") for year in boundaries]
        tables["reference_geography"] = pl.DataFrame(
            [
                {"reference_geography": name, "as_of_date": f"{year:04}-12-31", "is_published": is_published}
                for name, year, is_published in lists
            ],
            schema=as_text("reference_geography"),
        )
        years = self.description.financial_years
        settings = {
            "jurisdiction": self.key,
            "name_zh": self.name,
            "name_en": self.name_en,
            "home_region": self.home_region,
            "compared_depth": str(self.description.compared_depth),
            "currency": self.currency,
            "tells_residence": str(self.tells_residence).lower(),
            "financial_year_population": years.population if years else "middle",
            "first_year": str(self.description.years.first),
            "last_year": str(self.description.years.last),
            "base_year": str(self.description.years.base or ""),
            "item_payment_measure": self.description.payments_by_item or "",
            "degree_indicator": self.description.scores.degree_indicator or "",
            "minimum_weight": str(self.description.scores.minimum_weight),
            "may_reweight_domains": str(self.description.scores.may_reweight_domains).lower(),
        }
        tables["setting"] = pl.DataFrame(
            {"name": list(settings), "value": list(settings.values())},
            schema=as_text("setting"),
        )
        return tables

    def _load_contracts(self) -> dict[str, Contract]:
        folder = self.folder / "contracts"
        measures = self._tables["measure"]
        base_units = dict(zip(measures["measure"], measures["unit"], strict=True))
        units = {name: unit.base for name, unit in self.units.items()}
        sources = dict(zip(measures["measure"], measures["population_source"], strict=True))
        files = set(folder.glob("*/*.yml"))
        for path in sorted({*folder.rglob("*.yml"), *folder.rglob("*.yaml")} - files):
            raise ConfigurationError(
                "a contract lies where nobody looks for it",
                where=str(path),
                do="move it to contracts/<department>/<extract>.yml",
            )
        contracts = {}
        for path in sorted(files):
            contract = self.with_years(load_contract(path, folder, units, base_units))
            check_years(contract, path)
            check_days(contract, path, sources)
            check_records(contract, path, units, base_units, {level.name for level in self.levels})
            contracts[contract.id] = contract
        if not contracts:
            raise ConfigurationError(
                "the jurisdiction has no contract",
                where=str(folder),
                do="write one, or let `junheng sniff` propose it",
            )
        return contracts

    def with_years(self, contract: Contract) -> Contract:
        """The contract with the years of the jurisdiction, where it does not name its own."""
        years = self.description.financial_years
        return contract.with_years(years.starts, years.named_by) if years else contract

    def _years(self, contract: Contract) -> tuple[str, str]:
        """First day (MM-DD) of the years that its figures belong to, and whether these are named by start or end."""
        years = self.description.financial_years
        if years and contract.records is not None and contract.period_kind == "month":
            return years.starts, years.named_by
        return contract.years

    def _check_tables(self) -> None:
        """What one table cannot say alone: levels, the home region, measures that spending rests on."""
        folder = self.folder / "reference"
        check_links(folder, self._tables)
        check_wholes(folder, self._tables)
        check_weights(folder, self._tables)
        check_classes(folder, self._tables["functional_class"], self._spending_classes())
        levels = {level.name for level in self.levels}
        for relation, column in (("region", "region_level"), ("indicator", "lowest_level")):
            for text in self._tables[relation][column].unique().drop_nulls():
                if text not in levels:
                    path = folder / ("regions.csv" if relation == "region" else "indicators.csv")
                    raise ConfigurationError(
                        f"the level {text!r} is not in jurisdiction.yml",
                        where=f"{path}, {line_with(path, text)}",
                        do=f"use one of {', '.join(sorted(levels))}",
                    )
        check_description(self.folder, self.description, self._tables)
        check_variants(folder, self.description, self._tables)
        self.check_geographies(self.reference_geographies)
        for contract in self.contracts.values():
            if contract.boundaries is not None:
                path = self.folder / "contracts" / f"{contract.id}.yml"
                check_boundaries(path, self._tables["region"], self.home_region, contract.boundaries)

    def _spending_classes(self) -> dict[str, str]:
        """Every functional class that a contract lists, and where it lists it."""
        functional = {source.measure for source in self.description.spending if source.role == "functional"}
        found: dict[str, str] = {}
        for contract in self.contracts.values():
            path = self.folder / "contracts" / f"{contract.id}.yml"
            for layout in contract.layouts:
                measures = {value.measure or layout.defaults.get("measure", "") for value in layout.values}
                for row in layout.rows if measures & functional else []:
                    if row.dimension == "item":
                        codes = [*(row.codes or []), *(row.map or {}).values()]
                        found.update((code, f"{path}, {line_with(path, code)}") for code in codes)
        return found

    @cached_property
    def extract_table(self) -> pl.DataFrame:
        """The extracts with what their contracts say of them, as text."""
        return pl.DataFrame(
            [
                {
                    "department": contract.department,
                    "extract": contract.extract,
                    "name_zh": contract.name,
                    "name_en": contract.name_en,
                    "extract_rank": str(contract.rank),
                    "provenance": contract.provenance,
                    "delivery": contract.delivery,
                    "license": contract.license,
                    "publisher": contract.source.publisher,
                    "source_title": contract.source.title,
                    "owner": contract.owner,
                    "contract_version": contract.version,
                    "contract_hash": contract.hash,
                    "contract_status": contract.status,
                    "period_kind": contract.period_kind,
                    "year_starts": self._years(contract)[0],
                    "year_named_by": self._years(contract)[1],
                    "partial_year": contract.partial_year,
                    "boundaries": str(contract.boundaries or ""),
                }
                for contract in self.contracts.values()
            ]
        )


def load(folder: Path) -> Jurisdiction:
    """Load and check a jurisdiction.

    Raises ConfigurationError with file, line and what to do for anything that does not fit.
    """
    if not folder.is_dir():
        raise ConfigurationError(
            "there is no such jurisdiction",
            where=str(folder),
            do="name an existing folder with --jurisdiction",
        )
    return Jurisdiction(folder)
