"""The contract model as a JSON Schema, for editors that complete and check YAML while it is written.

Run as a module it writes docs/contract.schema.json. What the schema cannot say (regions, units and measures that
exist, patterns that are regular expressions) is said by loading the contract.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pipelines.jurisdiction.contract import Contract
from pipelines.settings import PROJECT_FOLDER
from pipelines.store import write_atomically

SCHEMA_FILE = PROJECT_FOLDER / "docs" / "contract.schema.json"


def contract_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a contract file."""
    schema = Contract.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Junheng contract of an extract",
        **{name: value for name, value in schema.items() if name != "title"},
    }


def schema_text() -> str:
    """The schema as the file holds it."""
    return json.dumps(contract_schema(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write the schema, or with --check say whether the file is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; leave with 1 when the file is old")
    parser.add_argument("--out", type=Path, default=SCHEMA_FILE)
    arguments = parser.parse_args()
    if arguments.check:
        is_new = arguments.out.exists() and arguments.out.read_text(encoding="utf-8") == schema_text()
        sys.stdout.write(f"{arguments.out} is {'up to date' if is_new else 'old: run `make schema`'}\n")
        return 0 if is_new else 1
    write_atomically(arguments.out, schema_text().encode())
    sys.stdout.write(f"{arguments.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
