"""What a release holds so that its figures can be traced without anything else.

`evidence/terms/` says what each number is computed from (dbt writes it), `evidence/series.parquet` what the
numbers between cells and figures are about, `evidence/tracing.json` how cells were read and which figures the
tables for people show. No observation is in them: these stand in the public database, under its mask.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.dbt_manifest import read_dbt_manifest
from pipelines.errors import UsageError
from pipelines.sql import text_literal
from pipelines.store import read_json, write_json

if TYPE_CHECKING:  # a trace reads a release; jurisdictions are loaded by runs only
    from pipelines.jurisdiction import Jurisdiction
    from pipelines.records import Build

TERMS = "evidence/terms"
SERIES = "evidence/series.parquet"
READING = "evidence/tracing.json"


@dataclass(frozen=True)
class Evidence:
    """What a release says of how its figures came about. Build one with `read`.

    `tables` maps a published table to the figures that its columns show; `made_of` one that shows none to what it is
    made of and the table to trace that in. `units`, `extracts` and `corrections` say how cells were read.
    """

    folder: Path
    tables: dict[str, dict[str, dict[str, Any]]]
    made_of: dict[str, dict[str, str]]
    units: dict[str, dict[str, Any]]
    extracts: dict[str, dict[str, Any]]
    corrections: dict[str, dict[str, Any]]


def read(folder: Path) -> Evidence:
    """The evidence that a release carries. Raises UsageError for one that was made without."""
    if not (folder / READING).exists() or not (folder / TERMS).exists():
        raise UsageError(
            f"release {folder.name} was made before releases carried the terms of their figures: it cannot be traced",
            where=str(folder),
            do="trace a later release, or `junheng reproduce` this one",
        )
    return Evidence(folder=folder, **read_json(folder / READING))


def write_evidence(
    connection: duckdb.DuckDBPyConnection, build: Build, jurisdiction: Jurisdiction, folder: Path
) -> None:
    """Lay terms, series and reading rules into a prepared release; `connection` has the build attached as `build`."""
    manifest = read_dbt_manifest(build.dbt_manifest)
    (folder / READING).parent.mkdir(exist_ok=True)
    for terms in manifest.parents_of("figure_term"):
        (folder / TERMS).mkdir(exist_ok=True)
        file = f"{terms.name}.parquet"
        shutil.copyfile(Path(build.folder) / file, folder / TERMS / file)
    connection.execute(
        "copy (select series_number, measure, reference_geography, period_start, period_end, year, population_basis, "
        "residence, sex, age_group, group_code, item from build.intermediate.int_observation__number_series "
        f"order by series_number) to {text_literal(str(folder / SERIES))} (format parquet, compression zstd)"
    )
    write_json(
        folder / READING,
        {
            # which figure each column of a table for people shows
            "tables": {model.name: figures for model in manifest.models if (figures := model.meta.get("figures"))},
            "made_of": {model.name: said for model in manifest.models if (said := model.meta.get("made_of"))},
            "units": {n: {"base": unit.base, "factor": unit.factor} for n, unit in jurisdiction.units.items()},
            "extracts": {name: _reading_of(contract) for name, contract in jurisdiction.contracts.items()},
            "corrections": {
                c.id: c.model_dump(mode="json", include={"action", "value", "reason", "who"})
                for c in jurisdiction.corrections
            },
        },
    )


def _reading_of(contract: Any) -> dict[str, Any]:
    """How the cells of an extract are read: tokens, marks and the style of numbers of each of its layouts."""
    return {
        "is_person_level": contract.records is not None,
        "layouts": [
            {
                "tokens": layout.tokens | {k: v for column in layout.values for k, v in column.tokens.items()},
                "marks": layout.marks,
                "numbers": layout.numbers.model_dump(),
            }
            for layout in contract.layouts
        ],
    }
