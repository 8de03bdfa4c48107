"""What is made of the schema of the tables: the page for people, a table schema per reference file, dbt's sources.

The schema itself is `reference_schema` and `source_schema`; which file each text belongs into is `schema`'s knowledge.
"""

from __future__ import annotations

import json
from typing import Any

from pipelines.jurisdiction.reference_schema import EVERYWHERE, TABLES, Column, SourceColumn, Table
from pipelines.jurisdiction.source_schema import ALL_TABLES, SourceTable

_FRICTIONLESS = {"text": "string", "date": "date", "integer": "integer", "boolean": "boolean"}


def tables_page() -> str:
    """The page that lists every column of every reference table, as Markdown."""
    parts = [
        "# Reference tables",
        "",
        "The files under `reference/` of a jurisdiction: UTF-8, CSV, one header row, the columns in any order; lines "
        "that begin with `#` are comments. A cell that may be empty says *unknown*, never zero. A file that is not "
        f"required may be missing: it is then empty. Lists inside a cell are joined by `;`. `{EVERYWHERE}` stands for "
        "everywhere (or the whole) where the table says so. Mistakes are refused with file and line before anything "
        "is read.",
        "",
        "This page, the table schemas in `docs/reference/` (Frictionless Table Schema, for validators and editors) and "
        "the source tables of dbt are made of one file, `pipelines/jurisdiction/reference_tables.yml`, by "
        "`junheng schema --write`. `junheng init FOLDER` makes a new jurisdiction with all of these files.",
        "",
        "| file | what | 内容 |",
        "|---|---|---|",
    ]
    for table in TABLES:
        required = " (required)" if table.required else ""
        parts.append(f"| [`{table.file}`](#{table.file.replace('.', '')}){required} | {table.en} | {table.zh} |")
    for table in TABLES:
        parts += ["", f"## {table.file}", "", f"{table.en}. {table.zh}。 Key: {_listed(table.key)}.", ""]
        parts += ["| column | type | cell | what | 含义 | example |", "|---|---|---|---|---|---|"]
        parts += [_line(table, name, column) for name, column in table.columns.items()]
    return "\n".join(parts) + "\n"


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _line(table: Table, name: str, column: Column) -> str:
    kind = " or ".join(f"`{code}`" for code in column.choices) or column.type
    if column.target is not None:
        kind += f", {'codes' if column.is_list else 'one'} of `{column.target[1]}` in {column.target[0]}"
        kind += f" or `{EVERYWHERE}`" if column.or_all else ""
    elif column.is_list:
        kind += ", several"
    cell = "filled" if name in table.filled else "may be empty"
    cell += f" (means `{column.default}`)" if column.default is not None else ""
    cell += ", column may be left out" if column.optional else ""
    cells = (f"`{name}`", kind, cell, column.en, column.zh, f"`{column.example}`")
    return "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"


def table_schema(table: Table) -> str:
    """The Frictionless Table Schema of a reference file, as JSON: always the same bytes."""
    fields = [_field(table, name, column) for name, column in table.columns.items()]
    made: dict[str, Any] = {
        "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
        "title": table.file,
        "description": f"{table.zh} / {table.en}",
        "fields": fields,
        "fieldsMatch": "superset" if any(column.optional for column in table.columns.values()) else "equal",
        "missingValues": [""],
        "primaryKey": list(table.key),
    }
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _field(table: Table, name: str, column: Column) -> dict[str, Any]:
    constraints: dict[str, Any] = {"required": True} if name in table.filled else {}
    if column.choices and column.is_list:
        one = f"({'|'.join(column.choices)})"
        constraints["pattern"] = f"^{one}(;{one})*$"
    elif column.choices:
        constraints["enum"] = list(column.choices)
    field: dict[str, Any] = {
        "name": name,
        "type": "number" if column.digits else _FRICTIONLESS[column.type],
        "description": f"{column.zh} / {column.en}",
        "example": column.example,
    }
    if column.type == "boolean":
        field |= {"trueValues": ["true"], "falseValues": ["false"]}
    return {**field, "constraints": constraints} if constraints else field


_WHAT = (
    "由 transform 从读取结果和参考表建立的原始表；只有 staging 读取"
    " / Tables that transform makes of readings and reference files; only staging reads them"
)
_SOURCES = f"""version: 2

# Made by `junheng schema --write` of pipelines/jurisdiction/source_tables.yml and reference_tables.yml.
sources:
  - name: source
    schema: source
    description: "{_WHAT}"
    tables:
"""


def dbt_sources() -> str:
    """dbt's `sources.yml`: every table of schema `source` with its columns."""
    return _SOURCES + "".join(_source(table) for table in ALL_TABLES)


def _source(table: SourceTable | Table) -> str:
    lines = [f"      - name: {table.relation}", f"        description: {_in_quotes(table)}", "        columns:"]
    for name, column in table.source_columns.items():
        lines.append(f"          - name: {name}")
        lines.append(f"            data_type: {column.type.replace('text', 'string')}")
        lines.append(f"            description: {_in_quotes(column)}")
    return "\n".join(lines) + "\n"


def _in_quotes(said: SourceColumn | SourceTable | Table) -> str:
    return json.dumps(f"{said.zh} / {said.en}", ensure_ascii=False)
