"""What a release must hold so that its figures can be traced without anything else: models, their lineage, rules.

`evidence/lineage.json` has the compiled models behind the published tables, the recipe of tracing and how cells were
read; `evidence/sources/` the reference tables and accounts that models read, as Parquet. No observation is in them:
these stand in the public database, under its mask.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.errors import UsageError
from pipelines.settings import PROJECT_FOLDER
from pipelines.sql import quote, text_literal
from pipelines.store import read_json, read_yaml, write_json

if TYPE_CHECKING:  # a trace reads a release; jurisdictions are loaded by runs only
    from pipelines.jurisdiction import Jurisdiction

LINEAGE = "evidence/lineage.json"
SOURCES = "evidence/sources"
RECIPE = PROJECT_FOLDER / "dbt_project" / "tracing.yml"


@dataclass(frozen=True)
class Model:
    """One model: where it stands, what it says of itself, the SQL that was run, and what it reads."""

    name: str
    schema: str
    path: str
    description: str
    sql: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Lineage:
    """What a release says of how its figures came about. Build one with `read`."""

    folder: Path
    database: str
    models: dict[str, Model]
    recipe: dict[str, Any]
    units: dict[str, dict[str, Any]]
    extracts: dict[str, dict[str, Any]]
    corrections: dict[str, dict[str, Any]]

    @cached_property
    def released(self) -> dict[str, dict[str, Any]]:
        """Relations that a published table holds."""
        found: dict[str, dict[str, Any]] = self.recipe["released"]
        return found

    @cached_property
    def tables(self) -> dict[str, dict[str, Any]]:
        """The published tables whose figures can be traced."""
        found: dict[str, dict[str, Any]] = self.recipe["tables"]
        return found

    def source(self, name: str) -> Path:
        """The file of a relation of schema `source`."""
        return self.folder / SOURCES / f"{name}.parquet"


def read(folder: Path) -> Lineage:
    """The lineage that a release carries. Raises UsageError for one that was made without."""
    if not (folder / LINEAGE).exists():
        raise UsageError(
            f"release {folder.name} was made before releases carried their models: it cannot be traced",
            where=str(folder),
            do="trace a later release, or `junheng reproduce` this one",
        )
    said = read_json(folder / LINEAGE)
    return Lineage(
        folder=folder,
        database=said["database"],
        models={name: Model(name, reads=tuple(m.pop("reads")), **m) for name, m in said["models"].items()},
        recipe=said["recipe"],
        units=said["units"],
        extracts=said["extracts"],
        corrections=said["corrections"],
    )


def write_evidence(
    connection: duckdb.DuckDBPyConnection, dbt_manifest: Path, jurisdiction: Jurisdiction, folder: Path
) -> None:
    """Lay the lineage into a prepared release; `connection` has the build attached as `build`."""

    recipe = read_yaml(RECIPE.read_text(encoding="utf-8"))
    nodes = {
        node["name"]: node
        for node in json.loads(dbt_manifest.read_text(encoding="utf-8"))["nodes"].values()
        if node["resource_type"] == "model"
    }
    wanted: dict[str, dict[str, Any]] = {}
    sources: set[str] = set()
    ahead = [name for name in recipe["tables"] if name in nodes]
    while ahead:
        name = ahead.pop()
        if name in wanted:
            continue
        node = nodes[name]
        reads = [parent.rsplit(".", 1)[1] for parent in node["depends_on"]["nodes"]]
        wanted[name] = {
            "schema": node["schema"],
            "path": f"dbt_project/{node['original_file_path']}",
            "description": node["description"],
            "sql": node["compiled_code"],
            "reads": reads,
        }
        if (recipe["released"].get(name) or {}).get("table") == "fct_observation":
            continue  # what was read stands in the public table
        ahead += [parent for parent in reads if parent in nodes]
        sources |= {parent for parent in reads if parent not in nodes}
    for source in sorted(sources):
        (folder / SOURCES).mkdir(parents=True, exist_ok=True)  # an empty folder is no part of a release
        target = text_literal(str(folder / SOURCES / f"{source}.parquet"))
        connection.execute(f"copy (from build.source.{quote(source)} order by all) to {target} (format parquet)")
    write_json(
        folder / LINEAGE,
        {
            "database": next((nodes[name]["database"] for name in wanted), ""),
            "models": {name: wanted[name] for name in sorted(wanted)},
            "recipe": recipe,
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
