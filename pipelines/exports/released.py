"""A sealed release as the source of downloads: its published tables, what they say, and how they are read.

Every download format takes its tables, types, keys, notes and marks from here, and from the release's own folder
alone. Nothing here writes a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from pipelines.errors import UsageError
from pipelines.exports.tables import PublishedColumn, PublishedTable
from pipelines.sql import quote
from pipelines.store import read_yaml

WORDS_FILE = Path(__file__).with_name("words.yml")


def words() -> dict[str, Any]:
    """Texts and codes that all downloads share: flags and what they mean."""
    loaded: dict[str, Any] = read_yaml(WORDS_FILE.read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True)
class Released:
    """One sealed release, opened for reading. Build one with `open_release`."""

    folder: Path
    connection: duckdb.DuckDBPyConnection
    card: dict[str, Any]
    manifest: dict[str, Any]

    @property
    def release_id(self) -> str:
        """The release's id."""
        return str(self.manifest["release_id"])

    @property
    def jurisdiction(self) -> dict[str, Any]:
        """What the release says of its jurisdiction: names, levels, currency, notes."""
        card: dict[str, Any] = self.card["jurisdiction"]
        return card

    @property
    def prepared_at(self) -> str:
        """When the release was made (UTC, ISO 8601); every download carries this time, never that of writing."""
        return str(self.manifest["prepared_at"])

    @property
    def mark(self) -> dict[str, str]:
        """What is said of figures made from synthetic input, in both languages."""
        mark: dict[str, str] = self.jurisdiction["synthetic_mark"]
        return mark

    @cached_property
    def tables(self) -> tuple[PublishedTable, ...]:
        """Every published table, by name, with its columns as the release's dictionary has them."""
        described = {
            name: (zh or "", en or "", made_by)
            for name, zh, en, made_by in self.connection.execute(
                "select table_name, description_zh, description_en, made_by from meta_table"
            ).fetchall()
        }
        columns: dict[str, list[PublishedColumn]] = {}
        for table, column, data_type, unit, zh, en in self.connection.execute(
            "select table_name, column_name, data_type, unit, description_zh, description_en from meta_column "
            "order by table_name, position"
        ).fetchall():
            is_key = column in self.manifest["tables"][table]["key"]
            columns.setdefault(table, []).append(
                PublishedColumn(column, data_type, zh or "", en or "", unit or "", is_nullable=not is_key)
            )
        return tuple(
            PublishedTable(
                name=name,
                description_zh=described[name][0],
                description_en=described[name][1],
                key=tuple(table["key"]),
                order_by=tuple(table["order_by"]),
                columns=tuple(columns[name]),
                made_by=described[name][2],
            )
            for name, table in sorted(self.manifest["tables"].items())
        )

    def chosen(self, names: tuple[str, ...]) -> tuple[PublishedTable, ...]:
        """The tables of these names, all of them when none is named. Raises UsageError for an unknown name."""
        known = {table.name: table for table in self.tables}
        for name in names:
            if name not in known:
                raise UsageError(
                    f"release {self.release_id} has no table {name!r}",
                    where="--table",
                    do=f"name one of {', '.join(known)}",
                )
        return tuple(known[name] for name in dict.fromkeys(names)) or self.tables

    def names(self, column: str) -> dict[str, tuple[str, str]]:
        """What the codes of a column are called by the table that describes them: code -> (Chinese, English).

        The newest name of each; empty where no table describes the column.
        """
        for table in self.tables:
            columns = set(table.column_names)
            zh, en = ("region_name", "region_name_en") if table.name == "dim_region" else ("name_zh", "name_en")
            describes = table.key[0] == column or (table.name == "dim_region" and column == "region_id")
            if table.name.startswith("dim_") and describes and {zh, en} <= columns:
                order = "valid_from" if "valid_from" in columns else quote(column)
                rows = self.connection.execute(
                    f"select {quote(column)}, max_by({zh}, {order}), max_by({en}, {order}) "
                    f"from {quote(table.name)} group by 1"
                ).fetchall()
                return {code: (name_zh or code, name_en or name_zh or code) for code, name_zh, name_en in rows}
        return {}

    def rows(self, table: PublishedTable) -> int:
        """The number of rows of a table."""
        return int(self.manifest["tables"][table.name]["rows"])

    def is_synthetic(self, table: PublishedTable) -> bool:
        """True when any row of the table rests on synthetic input."""
        return bool(self.manifest["provenance"].get(table.name, {}).get("synthetic"))

    @property
    def has_synthetic(self) -> bool:
        """True when any figure of the release rests on synthetic input."""
        return any(counts.get("synthetic") for counts in self.manifest["provenance"].values())

    def file_stem(self, table: PublishedTable) -> str:
        """The name of a table's file without its ending; it carries the mark of synthetic input."""
        return f"{table.name}_{self.mark['zh']}" if self.is_synthetic(table) else table.name

    @property
    def stem(self) -> str:
        """The name of a file about the whole release, without its ending."""
        name = f"{self.jurisdiction['key']}_{self.release_id}"
        return f"{name}_{self.mark['zh']}" if self.has_synthetic else name

    def is_required(self, table: PublishedTable, column: PublishedColumn) -> bool:
        """True when every cell of a column has a text: in a CSV file an empty text and a missing one look the same."""
        if column.is_nullable or column.data_type != "VARCHAR":
            return not column.is_nullable
        found = self.connection.execute(
            f"select count(*) from {quote(table.name)} where {quote(column.name)} = ''"
        ).fetchone()
        return not (found and found[0])

    def order(self, table: PublishedTable) -> str:
        """The table's own order of rows, as SQL."""
        return ", ".join(quote(name) for name in table.order_by)

    def texts(self, table: PublishedTable, where: str = "true") -> str:
        """A select of every column as text, in the table's order: numbers in full and exact, times in UTC.

        A decimal loses the zeros at its end and nothing else; a double has the shortest text that gives it back.
        """
        cells = ", ".join(f"{text_of(column)} as {quote(column.name)}" for column in table.columns)
        return f"select {cells} from {quote(table.name)} where {where} order by {self.order(table)}"

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


def text_of(column: PublishedColumn) -> str:
    """The text of a column's cell, as SQL."""
    name = quote(column.name)
    if column.data_type.startswith("DECIMAL"):
        text = f"cast({name} as varchar)"
        return f"case when contains({text}, '.') then rtrim(rtrim({text}, '0'), '.') else {text} end"
    if column.data_type == "TIMESTAMP":
        return f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"cast({name} as varchar)"


@contextmanager
def open_release(folder: Path) -> Iterator[Released]:
    """A sealed release, opened read-only. Raises UsageError when the folder holds none."""
    if not (folder / "manifest.json").exists():
        raise UsageError(
            f"{folder.name} is not a sealed release",
            where=str(folder),
            do="name one that `junheng releases` lists",
        )
    connection = duckdb.connect(str(folder / "public.duckdb"), read_only=True)
    try:
        yield Released(
            folder,
            connection,
            json.loads((folder / "release.json").read_text(encoding="utf-8")),
            json.loads((folder / "manifest.json").read_text(encoding="utf-8")),
        )
    finally:
        connection.close()
