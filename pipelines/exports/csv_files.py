"""CSV with CSVW metadata, and the Frictionless data package around the same files.

UTF-8 with a byte order mark, so that spreadsheet programs in Chinese open it without asking, or GB18030 on request.
"""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

from pipelines.errors import UsageError
from pipelines.exports.texts import is_required, texts
from pipelines.publish import Column, Release, Table
from pipelines.sql import quote, text_literal

ENCODINGS = {"utf-8": "utf-8-sig", "gb18030": "gb18030"}
_PIECE = 1 << 22

# DuckDB's type -> CSV on the Web, Frictionless Table Schema.
_TYPES = {
    "VARCHAR": ("string", "string"),
    "INTEGER": ("integer", "integer"),
    "BIGINT": ("integer", "integer"),
    "DOUBLE": ("double", "number"),
    "BOOLEAN": ("boolean", "boolean"),
    "DATE": ("date", "date"),
    "TIMESTAMP": ("dateTimeStamp", "datetime"),
}


def types_of(column: Column) -> tuple[str, str]:
    """What a column's type is called in CSV on the Web and in Frictionless Table Schema."""
    return ("decimal", "number") if column.data_type.startswith("DECIMAL") else _TYPES[column.data_type]


def check_encoding(encoding: str) -> str:
    """The encoding by the name people give it. Raises UsageError for another than UTF-8 and GB18030."""
    if encoding.lower() not in ENCODINGS:
        raise UsageError(
            f"CSV is not written in {encoding}", where="--encoding", do=f"use one of {', '.join(ENCODINGS)}"
        )
    return encoding.lower()


def write_csv(release: Release, table: Table, folder: Path, encoding: str = "utf-8") -> Path:
    """One table as CSV (comma, quotes where needed, CRLF never, empty = missing). Returns the file."""
    path = folder / f"{release.file_stem(table)}.csv"
    if encoding == "utf-8":
        # The mark as the first letter of the header: the file is written once.
        first = table.column_names[0]
        mark = codecs.BOM_UTF8.decode()
        marked = f"select {quote(first)} as {quote(mark + first)}, * exclude ({quote(first)})"
        _copy(release, f"{marked} from ({texts(table)})", path)
        return path
    plain = folder / f".{path.name}.tmp"
    _copy(release, texts(table), plain)
    decoder = codecs.getincrementaldecoder("utf-8")()
    with plain.open("rb") as source, path.open("wb") as target:
        while piece := source.read(_PIECE):
            target.write(decoder.decode(piece).encode(ENCODINGS[encoding]))
    plain.unlink()
    return path


def _copy(release: Release, query: str, path: Path) -> None:
    release.connection.execute(
        f"copy ({query}) to {text_literal(str(path))} (format csv, header true, delimiter ',')"
    ).fetchall()


def _note(release: Release, table: Table) -> dict[str, Any]:
    return {
        "release": release.release_id,
        "prepared_at": release.prepared_at,
        "is_synthetic": release.is_synthetic(table),
        "mark": release.mark if release.is_synthetic(table) else None,
    }


def write_csvw(release: Release, files: dict[str, Path], folder: Path, encoding: str) -> Path:
    """The CSVW metadata of a folder of CSV files (`files`: table -> file). Returns the file.

    W3C: Metadata Vocabulary for Tabular Data.
    """
    tables = []
    for table in release.tables.values():
        if table.name not in files:
            continue
        columns = [
            {
                "name": column.name,
                "titles": [column.name],
                "datatype": types_of(column)[0],
                "required": is_required(release, table, column),
                "dc:description": [
                    {"@value": column.description_zh, "@language": "zh"},
                    {"@value": column.description_en, "@language": "en"},
                ],
                **({"schema:unitText": column.unit} if column.unit else {}),
            }
            for column in table.columns
        ]
        tables.append(
            {
                "url": files[table.name].name,
                "dc:title": table.name,
                "dc:description": [
                    {"@value": table.description_zh, "@language": "zh"},
                    {"@value": table.description_en, "@language": "en"},
                ],
                "dc:provenance": release.mark["zh"] if release.is_synthetic(table) else "official",
                "tableSchema": {"columns": columns, "primaryKey": list(table.key)},
            }
        )
    citation = release.citation()
    metadata = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "und"}],
        "dc:title": f"{release.jurisdiction['name']} {release.release_id}",
        "dc:bibliographicCitation": [
            {"@value": citation["zh"], "@language": "zh"},
            {"@value": citation["en"], "@language": "en"},
        ],
        "dc:license": "; ".join(release.licenses()),
        "dc:modified": release.prepared_at,
        "dialect": {"encoding": "utf-8" if encoding == "utf-8" else encoding, "header": True, "delimiter": ","},
        "tables": tables,
    }
    path = folder / "csv-metadata.json"
    path.write_text(json.dumps(metadata, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def write_data_package(release: Release, files: dict[str, Path], folder: Path, encoding: str) -> Path:
    """`datapackage.json` over a folder of CSV files (`files`: table -> file). Returns the file.

    Frictionless Data Package with Table Schema.
    """
    resources = []
    for table in release.tables.values():
        if table.name not in files:
            continue
        fields = []
        for column in table.columns:
            field: dict[str, Any] = {
                "name": column.name,
                "type": types_of(column)[1],
                "title": column.description_zh,
                "description": column.description_en,
            }
            if column.data_type == "TIMESTAMP":
                field["format"] = "%Y-%m-%dT%H:%M:%S.%fZ"
            if column.unit:
                field["unit"] = column.unit
            if is_required(release, table, column):
                field["constraints"] = {"required": True}
            fields.append(field)
        resources.append(
            {
                "name": table.name,
                "path": files[table.name].name,
                "profile": "tabular-data-resource",
                "title": table.description_zh,
                "description": table.description_en,
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": ENCODINGS[encoding],
                "dialect": {"delimiter": ",", "header": True},
                "schema": {"fields": fields, "primaryKey": list(table.key), "missingValues": [""]},
                **_note(release, table),
            }
        )
    citation = release.citation()
    package = {
        "profile": "tabular-data-package",
        "name": f"{release.jurisdiction['key']}-{release.release_id}".lower(),
        "id": release.manifest["inputs_hash"],
        "title": f"{release.jurisdiction['name']} {release.release_id}",
        "description": " ".join(note["en"] for note in release.jurisdiction["data_notes"]),
        "version": release.release_id,
        "created": release.prepared_at,
        "citation": citation,
        "mark": release.mark if release.has_synthetic else None,
        "licenses": [{"name": f"licence-{n}", "title": text} for n, text in enumerate(release.licenses(), start=1)],
        "sources": [
            {"title": f"{extract['publisher']}: {extract['source_title'] or extract['name_zh']}"}
            for extract in release.card["extracts"]
        ],
        "resources": resources,
    }
    path = folder / "datapackage.json"
    path.write_text(json.dumps(package, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


__all__ = ["ENCODINGS", "check_encoding", "types_of", "write_csv", "write_csvw", "write_data_package"]
