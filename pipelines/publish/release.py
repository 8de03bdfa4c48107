"""A release as an object: its papers, its published tables, and its database opened read-only.

Everything is read from the release's own folder, when it is first asked for. What is made of it is the business of
downloads, pages and report; where releases lie and in which state they are is `release.shelf`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from pipelines.errors import UsageError
from pipelines.publish.tables import Column, Table, listed_tables
from pipelines.sql import quote
from pipelines.store import read_json
from pipelines.verifier import MANIFEST

Row = dict[str, Any]
DRAFT = "draft.json"  # what becomes the manifest, while a release is being prepared
DATABASE = "public.duckdb"


@dataclass(frozen=True)
class Release:
    """One release, sealed or being prepared. `state` is candidate, official or withdrawn, as the ledger has it.

    Build one with `Release.open`; a `with` statement closes its database.
    """

    folder: Path
    state: str = "candidate"

    @classmethod
    def open(cls, folder: Path) -> Release:
        """The release in a folder. Raises UsageError when the folder holds none."""
        if not (folder / DATABASE).exists():
            raise UsageError(
                f"{folder.name} is not a release",
                where=str(folder),
                do="name one that `junheng releases` lists",
            )
        return cls(folder)

    def __enter__(self) -> Release:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database if it was opened."""
        if "connection" in self.__dict__:
            self.connection.close()

    # -- papers ---------------------------------------------------------------------------------------------------

    @cached_property
    def manifest(self) -> Row:
        """What the release is made of, with its tables and their hashes; the draft of it before it is sealed."""
        sealed = self.folder / MANIFEST
        return dict(read_json(sealed if sealed.exists() else self.folder / DRAFT))

    @cached_property
    def card(self) -> Row:
        """What the release says of itself and its jurisdiction."""
        return dict(read_json(self.folder / "release.json"))

    @cached_property
    def changes(self) -> Row:
        """What differs from the release before."""
        return dict(read_json(self.folder / "changes.json"))

    @property
    def release_id(self) -> str:
        """Its id."""
        return str(self.manifest["release_id"])

    @property
    def build_id(self) -> str:
        """The build that it was made from."""
        return str(self.manifest["build_id"])

    @property
    def prepared_at(self) -> str:
        """When it was made (UTC, ISO 8601); what is written from it carries this time, never that of writing."""
        return str(self.manifest["prepared_at"])

    @property
    def sealed_at(self) -> str:
        """When it was sealed (UTC, ISO 8601); empty before."""
        return str(self.manifest.get("sealed_at") or "")

    def as_dict(self) -> Row:
        """The release as one line of a list."""
        return {
            "release_id": self.release_id,
            "build_id": self.build_id,
            "folder": str(self.folder),
            "sealed_at": self.sealed_at,
            "state": self.state,
        }

    # -- its jurisdiction -----------------------------------------------------------------------------------------

    @property
    def jurisdiction(self) -> Row:
        """Names, home region, levels, currency, marks and notes."""
        return dict(self.card["jurisdiction"])

    @property
    def home(self) -> str:
        """The home region's code."""
        return str(self.jurisdiction["home_region"])

    @property
    def mark(self) -> dict[str, str]:
        """What is said of figures made from synthetic input, in both languages."""
        mark: dict[str, str] = self.jurisdiction["synthetic_mark"]
        return mark

    @property
    def has_synthetic(self) -> bool:
        """True when any figure of the release rests on synthetic input."""
        return any(counts.get("synthetic") for counts in self.manifest["provenance"].values())

    @property
    def stem(self) -> str:
        """The name of a file about the whole release, without its ending; it carries the mark of synthetic input."""
        name = f"{self.jurisdiction['key']}_{self.release_id}"
        return f"{name}_{self.mark['zh']}" if self.has_synthetic else name

    def licenses(self) -> list[str]:
        """The licences of the extracts that the release rests on, each once."""
        return sorted({str(extract["license"]) for extract in self.card["extracts"] if extract["license"]})

    def citation(self) -> dict[str, str]:
        """How to cite the release, in both languages."""
        place, day = self.jurisdiction, self.prepared_at[:10]
        which = f"{self.release_id} ({day}, {str(self.manifest['inputs_hash'])[:12]})"
        return {
            "zh": f"均衡（Junheng）：{place['name']}基本公共服务数据，发布 {which}。",
            "en": f"Junheng: public-service statistics of {place['name_en']}, release {which}.",
        }

    @property
    def local_time(self) -> str:
        """When the release was prepared, in the jurisdiction's time zone."""
        moment = datetime.fromisoformat(str(self.card["prepared_at"]).replace("Z", "+00:00"))
        return moment.astimezone(ZoneInfo(self.jurisdiction["time_zone"])).strftime("%Y-%m-%d %H:%M")

    # -- tables ---------------------------------------------------------------------------------------------------

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Every published table by name, as the release's manifest and dictionary describe it."""
        described = {
            name: (zh or "", en or "")
            for name, zh, en in self.tuples("select table_name, description_zh, description_en from meta_table")
        }
        columns: dict[str, list[Column]] = {}
        for table, column, data_type, unit, zh, en, is_key in self.tuples(
            "select table_name, column_name, data_type, unit, description_zh, description_en, is_key from meta_column "
            "order by table_name, position"
        ):
            columns.setdefault(table, []).append(
                Column(column, data_type, zh or "", en or "", unit or "", is_nullable=not is_key)
            )
        return {
            table.name: table.described(*described[table.name], tuple(columns[table.name]))
            for table in listed_tables(self.manifest)
        }

    def chosen(self, names: tuple[str, ...]) -> tuple[Table, ...]:
        """The tables of these names, all of them when none is named. Raises UsageError for an unknown name."""
        for name in names:
            if name not in self.tables:
                raise UsageError(
                    f"release {self.release_id} has no table {name!r}",
                    where="--table",
                    do=f"name one of {', '.join(self.tables)}",
                )
        return tuple(self.tables[name] for name in dict.fromkeys(names)) or tuple(self.tables.values())

    def row_count(self, table: Table) -> int:
        """The number of rows of a table."""
        return int(self.manifest["tables"][table.name]["rows"])

    def is_synthetic(self, table: Table) -> bool:
        """True when any row of the table rests on synthetic input."""
        return bool(self.manifest["provenance"].get(table.name, {}).get("synthetic"))

    def file_stem(self, table: Table) -> str:
        """The name of a table's file without its ending; it carries the mark of synthetic input."""
        return f"{table.name}_{self.mark['zh']}" if self.is_synthetic(table) else table.name

    # -- rows -----------------------------------------------------------------------------------------------------

    @cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The release's database, read-only."""
        return duckdb.connect(str(self.folder / DATABASE), read_only=True)

    @cached_property
    def relations(self) -> frozenset[str]:
        """The names of the tables in the database."""
        found = self.tuples("select table_name from duckdb_tables() where not internal")
        return frozenset(str(name) for (name,) in found)

    def has(self, *tables: str) -> bool:
        """Whether the database holds all these tables."""
        return set(tables) <= self.relations

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        """Rows of a query as dictionaries; parameters by place."""
        cursor = self.connection.execute(sql, list(parameters))
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def rows_of(self, table: str, rest: str = "", *parameters: Any) -> list[Row]:
        """Rows of one table, `rest` being what follows `from TABLE`; none where the release has no such table."""
        return self.rows(f"select * from {table} {rest}", *parameters) if self.has(table) else []

    def tuples(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a query as they are: for the large ones."""
        return self.connection.execute(sql, list(parameters)).fetchall()

    @property
    def population_source(self) -> str:
        """Where the population of the main reading comes from."""
        rows = self.rows_of("dim_variant", "where is_main")
        return str(rows[0]["population_source"]) if rows else ""

    def names(self, column: str) -> dict[str, tuple[str, str]]:
        """What the codes of a column are called by the table that describes them: code -> (Chinese, English).

        The newest name of each; empty where no table describes the column.
        """
        for table in self.tables.values():
            columns = set(table.column_names)
            zh, en = ("region_name", "region_name_en") if table.name == "dim_region" else ("name_zh", "name_en")
            describes = table.key[0] == column or (table.name == "dim_region" and column == "region_id")
            if table.name.startswith("dim_") and describes and {zh, en} <= columns:
                order = "valid_from" if "valid_from" in columns else quote(column)
                found = self.tuples(
                    f"select {quote(column)}, max_by({zh}, {order}), max_by({en}, {order}) "
                    f"from {quote(table.name)} group by 1"
                )
                return {code: (name_zh or code, name_en or name_zh or code) for code, name_zh, name_en in found}
        return {}
