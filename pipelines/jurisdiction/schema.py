"""The contract model as a JSON Schema, for editors that complete and check YAML while it is written.

What a schema cannot say (regions, units and measures that exist, patterns that are regular expressions) is said by
loading the contract.
"""

from __future__ import annotations

import json
from typing import Any

from pipelines.jurisdiction.contract import Contract
from pipelines.jurisdiction.corrections import CorrectionFile
from pipelines.jurisdiction.yaml_model import StrictModel

_MODELS: dict[str, tuple[type[StrictModel], str]] = {
    "contract": (Contract, "Junheng contract of an extract"),
    "corrections": (CorrectionFile, "Junheng corrections of delivered figures"),
}
KINDS = tuple(_MODELS)


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a contract file, or of a file of corrections."""
    model, title = _MODELS[kind]
    made = model.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": title}


def schema_text(kind: str) -> str:
    """The schema as a file holds it: always the same bytes."""
    return json.dumps(schema(kind), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
