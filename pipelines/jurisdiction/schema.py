"""What is made of the models of YAML files and reference tables for editors and readers, and where it lies.

JSON Schemas complete and check YAML while it is written. What a schema cannot say (regions, units and measures that
exist, patterns that are regular expressions) is said by loading the file.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.jurisdiction import Description
from pipelines.jurisdiction.contract import Contract
from pipelines.jurisdiction.corrections import CorrectionFile
from pipelines.jurisdiction.reference_documents import dbt_sources, table_schema, tables_page
from pipelines.jurisdiction.reference_schema import TABLES
from pipelines.jurisdiction.yaml_model import StrictModel
from pipelines.store import read_yaml

_MODELS: dict[str, tuple[type[StrictModel], str]] = {
    "contract": (Contract, "Junheng contract of an extract"),
    "corrections": (CorrectionFile, "Junheng corrections of delivered figures"),
    "jurisdiction": (Description, "Junheng description of a jurisdiction (jurisdiction.yml)"),
}
_WORDS = Path(__file__).with_name("field_words.yml")
KINDS = tuple(_MODELS)
FILES = tuple(table.file for table in TABLES)


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a contract, of a file of corrections, or of jurisdiction.yml."""
    model, title = _MODELS[kind]
    made = model.model_json_schema(by_alias=True)
    words = _field_words()
    for name, part in [(model.__name__, made), *made.get("$defs", {}).items()]:
        for field, said in part.get("properties", {}).items():
            if description := words.get(name, {}).get(field):
                said["description"] = description
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": title}


@cache
def _field_words() -> dict[str, dict[str, str]]:
    """What each field of each model is, for people."""
    words: dict[str, dict[str, str]] = read_yaml(_WORDS.read_text(encoding="utf-8"))
    return words


def schema_text(kind: str) -> str:
    """The schema as a file holds it: always the same bytes. `kind` may also be a reference file (`regions.csv`)."""
    if kind in FILES:
        return next(table_schema(table) for table in TABLES if table.file == kind)
    return json.dumps(schema(kind), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def made_files(project: Path) -> dict[Path, str]:
    """Every file of a checkout that is made of the models and of the schema of reference tables, with its text."""
    docs, sources = project / "docs", project / "dbt_project" / "models" / "sources.yml"
    made = {docs / f"{kind}.schema.json": schema_text(kind) for kind in KINDS}
    made |= {docs / "reference" / f"{Path(file).stem}.schema.json": schema_text(file) for file in FILES}
    made[docs / "reference-tables.md"] = tables_page()
    made[sources] = dbt_sources()
    return made
