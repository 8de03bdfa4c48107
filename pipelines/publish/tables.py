"""The one list of published tables, from which database, Parquet, dictionary and pages are all made.

dbt's manifest says which models are published; the tables that `release` writes itself stand in `own_tables.yml`.
Nothing here reads data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines.dbt_manifest import DbtManifest, Node
from pipelines.errors import ConfigurationError
from pipelines.records import TableContract
from pipelines.sql import quote
from pipelines.store import read_yaml

OWN_TABLES_FILE = Path(__file__).with_name("own_tables.yml")
_ASIDE = re.compile(r"[：:；;，,（(。]")
RETIRED_TABLES_FILE = Path(__file__).with_name("retired_tables.yml")


@dataclass(frozen=True)
class Column:
    """One column: its type in DuckDB's words, what it says in two languages, and its unit where it has one."""

    name: str
    data_type: str
    description_zh: str
    description_en: str
    unit: str
    is_nullable: bool

    @property
    def title_zh(self) -> str:
        """A few words in Chinese: the description up to its first explanation."""
        return _ASIDE.split(self.description_zh, maxsplit=1)[0].strip() or self.name

    @property
    def title_en(self) -> str:
        """A few words in English."""
        return _ASIDE.split(self.description_en, maxsplit=1)[0].strip() or self.name


@dataclass(frozen=True)
class EarlierVersion:
    """A version of a table's contract that is kept for a while: SQL on the present tables that gives it, until when."""

    version: str
    until: str
    sql: str


@dataclass(frozen=True)
class Table:
    """One published table: key, order of rows, columns, and who makes it (`dbt` or `release`)."""

    name: str
    description_zh: str
    description_en: str
    key: tuple[str, ...]
    order_by: tuple[str, ...]
    columns: tuple[Column, ...]
    made_by: str
    version: str = "1"
    earlier: tuple[EarlierVersion, ...] = ()

    @property
    def contract(self) -> TableContract:
        """What the table promises its readers."""
        return TableContract(
            self.name,
            self.version,
            list(self.key),
            {column.name: column.data_type for column in self.columns},
            {column.name: column.unit for column in self.columns if column.unit},
        )

    @property
    def order(self) -> str:
        """The order of rows, as SQL."""
        return ", ".join(quote(name) for name in self.order_by)

    def described(self, zh: str, en: str, columns: tuple[Column, ...]) -> Table:
        """The same table with its descriptions, and its columns with theirs."""
        return replace(self, description_zh=zh, description_en=en, columns=columns)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)


def _both(text: str | None, english: object = None) -> tuple[str, str]:
    """Chinese and English of a description: English from its own field, else what follows the last ` / `."""
    said = " ".join((text or "").split())
    if english:
        zh = said.rsplit(" / ", 1)[0] if said.endswith(f" / {english}") else said
        return zh, " ".join(str(english).split())
    zh, separator, en = said.partition(" / ")
    return (zh, en) if separator else (said, said)


def _names(value: object) -> tuple[str, ...]:
    return tuple(str(name) for name in value) if isinstance(value, list | tuple) else ()


def _plain_type(data_type: str) -> str:
    """A type in DuckDB's own spelling: models say `string`, so that other engines take them too."""
    spelled = data_type.upper().replace(" ", "")
    return {"STRING": "VARCHAR", "TEXT": "VARCHAR", "INT": "INTEGER", "BOOL": "BOOLEAN"}.get(spelled, spelled)


def _of_model(model: Node) -> Table:
    key = _names(model.meta.get("key"))
    columns = []
    for column in model.columns:
        zh, en = _both(column.description, column.meta.get("description_en"))
        columns.append(
            Column(
                name=column.name,
                data_type=_plain_type(column.data_type),
                description_zh=zh,
                description_en=en,
                unit=str(column.meta.get("unit") or ""),
                is_nullable=not (column.is_required or column.name in key),
            )
        )
    listed = {column.name for column in columns}
    order_by = _names(model.meta.get("order_by")) or key
    problem = ""
    if not key:
        problem = "has no key in its meta"
    elif unknown := [column for column in (*key, *order_by) if column not in listed]:
        problem = f"names columns in key or order that it does not have: {', '.join(unknown)}"
    elif untyped := [column.name for column in columns if not column.data_type]:
        problem = f"has columns without data_type: {', '.join(untyped)}"
    if problem:
        raise ConfigurationError(
            f"the published model {model.name} {problem}",
            where=model.yaml_path,
            do="mend the model's YAML in dbt_project",
        )
    zh, en = _both(model.description, model.meta.get("description_en"))
    # Rows of one order must have one place: whatever the order, the key decides in the end.
    order = (*order_by, *(column for column in key if column not in order_by))
    earlier = tuple(
        EarlierVersion(str(version), str(kept["until"]), str(kept["sql"]))
        for version, kept in (model.meta.get("earlier") or {}).items()
    )
    version = str(model.meta.get("version") or "1")
    return Table(model.name, zh, en, key, order, tuple(columns), "dbt", version, earlier)


@lru_cache(maxsize=1)
def own_tables() -> tuple[Table, ...]:
    """The tables that `release` writes itself."""
    listed: dict[str, dict[str, Any]] = read_yaml(OWN_TABLES_FILE.read_text(encoding="utf-8"))
    tables = []
    for name, raw in listed.items():
        columns = []
        for marked, (data_type, description, *unit) in raw["columns"].items():
            column_zh, column_en = _both(description)
            columns.append(
                Column(
                    name=marked.rstrip("*"),
                    data_type=data_type,
                    description_zh=column_zh,
                    description_en=column_en,
                    unit=unit[0] if unit else "",
                    is_nullable=not marked.endswith("*"),
                )
            )
        zh, en = _both(raw["description"])
        key = _names(raw["key"])
        order, version = _names(raw.get("order_by")) or key, str(raw.get("version") or "1")
        tables.append(Table(name, zh, en, key, order, tuple(columns), "release", version))
    return tuple(tables)


@lru_cache(maxsize=1)
def retired_tables() -> dict[str, str]:
    """The tables that are no longer published, with the date since when."""
    listed: dict[str, dict[str, Any]] = read_yaml(RETIRED_TABLES_FILE.read_text(encoding="utf-8")) or {}
    return {name: str(said["since"]) for name, said in listed.items()}


def published_tables(manifest: DbtManifest) -> list[Table]:
    """Every published table, by name: models that dbt's manifest marks `published`, and `release`'s own.

    Raises ConfigurationError for a published model without a key or without types.
    """
    tables = [_of_model(model) for model in manifest.models if model.is_published]
    return sorted([*tables, *own_tables()], key=lambda table: table.name)


def listed_tables(manifest: dict[str, Any]) -> list[Table]:
    """The published tables of a release, by name, as far as its manifest lists them: without descriptions."""
    return [
        Table(
            name=name,
            description_zh="",
            description_en="",
            key=tuple(item["key"]),
            order_by=tuple(item["order_by"]),
            columns=tuple(Column(c, kind, "", "", "", c not in item["key"]) for c, kind in item["columns"].items()),
            made_by=item["made_by"],
            version=str(item.get("version") or "1"),
        )
        for name, item in sorted(manifest["tables"].items())
    ]
