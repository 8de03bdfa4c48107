"""What the reference tables of a jurisdiction are: their files, columns and cells, as `reference_tables.yml` says.

Documentation, schemas and source tables are made of it elsewhere (`reference_documents`, `transform`); reading the
files of a jurisdiction is `reference`'s work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from pathlib import Path

import polars as pl
from pydantic import Field, field_validator

from pipelines.jurisdiction.yaml_model import StrictModel, load_model

EVERYWHERE = "all"
_TYPE = r"text|date|timestamp|integer|bigint|boolean|decimal\([0-9]+,[0-9]+\)"
_TERMS = {"text": "text", "date": "a date", "integer": "a whole number", "boolean": "true or false"}
_FORMS = {"date": "write YYYY-MM-DD", "integer": "write at most nine digits", "boolean": "write true or false"}
_SQL = {"text": "VARCHAR"}
_POLARS = {
    "text": pl.String(),
    "date": pl.Date(),
    "timestamp": pl.Datetime(),
    "integer": pl.Int32(),
    "bigint": pl.Int64(),
    "boolean": pl.Boolean(),
}


class SourceColumn(StrictModel):
    """A column of schema `source`: its type and what it is."""

    type: str = Field(default="text", pattern=rf"^({_TYPE})$")
    zh: str
    en: str

    @property
    def sql_type(self) -> str:
        """Its type in schema `source`."""
        return _SQL.get(self.type, self.type.upper())

    @property
    def polars_type(self) -> pl.DataType:
        """Its type in polars."""
        return _POLARS[self.type] if self.digits is None else pl.Decimal(*self.digits)

    @property
    def digits(self) -> tuple[int, int] | None:
        """Of a decimal: all digits, and those behind the point."""
        found = re.fullmatch(r"decimal\(([0-9]+),([0-9]+)\)", self.type)
        return (int(found.group(1)), int(found.group(2))) if found else None


class Column(SourceColumn):
    """One column of a reference table; the fields are explained at the head of `reference_tables.yml`."""

    filled: bool = False
    optional: bool = False
    choices: list[str] = []
    refers_to: str | None = None
    or_all: bool = False
    is_list: bool = Field(default=False, alias="list")
    loaded: bool = True
    default: str | None = None
    example: str

    @field_validator("default", "example", mode="before")
    @classmethod
    def _as_in_a_file(cls, value: object) -> object:
        """YAML reads dates, numbers and truth values; a file holds their text."""
        if isinstance(value, bool):
            return str(value).lower()
        return value.isoformat() if isinstance(value, date) else str(value)

    @property
    def target(self) -> tuple[str, str] | None:
        """File and column that list what a cell may hold."""
        if self.refers_to is None:
            return None
        file, column = self.refers_to.split()
        return file, column

    def fault_of(self, text: str) -> tuple[str, str] | None:
        """What is wrong with a cell that is not empty, and what to do; None when it is right."""
        chosen = text.split(";") if self.is_list else [text]
        if self.choices and not set(chosen) <= set(self.choices):
            return "is unknown", f"use one of {', '.join(self.choices)}"
        if self.digits is not None:
            return _fault_of_decimal(text, *self.digits)
        if not _fits(text, self.type):
            return f"is not {_TERMS[self.type]}", _FORMS[self.type]
        return None


class Table(StrictModel):
    """One reference file: its columns, its key, and the relation of schema `source` that it becomes."""

    file: str = Field(pattern=r"^[a-z_]+\.csv$")
    relation: str
    key: list[str] = Field(min_length=1)
    required: bool = False
    zh: str
    en: str
    columns: dict[str, Column]
    added: dict[str, SourceColumn] = {}

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """The columns in their usual order."""
        return tuple(self.columns)

    @cached_property
    def filled(self) -> tuple[str, ...]:
        """The columns that must not be empty; those of the key first."""
        return (*self.key, *(name for name, column in self.columns.items() if column.filled and name not in self.key))

    @property
    def source_columns(self) -> dict[str, SourceColumn]:
        """The columns that dbt sees: those of the file, and those that the loader adds."""
        return {**{name: column for name, column in self.columns.items() if column.loaded}, **self.added}


class _Tables(StrictModel):
    tables: list[Table]


def _fits(text: str, kind: str) -> bool:
    if kind == "date":
        try:
            return bool(re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text)) and bool(date.fromisoformat(text))
        except ValueError:
            return False
    if kind == "integer":
        return re.fullmatch(r"-?[0-9]{1,9}", text) is not None
    return kind == "text" or text in ("true", "false")


def _fault_of_decimal(text: str, digits: int, behind: int) -> tuple[str, str] | None:
    """Digits behind the point that the type does not keep are rounded, as its documentation says; others must fit."""
    found = re.fullmatch(r"-?([0-9]+)(?:\.[0-9]+)?", text)
    if not found:
        return "is not a number", "write it like 97.4"
    if len(found.group(1).lstrip("0")) > digits - behind:
        return f"has more than {digits - behind} digits before the point", "check the number and its unit"
    return None


TABLES: tuple[Table, ...] = tuple(load_model(Path(__file__).with_name("reference_tables.yml"), _Tables).tables)
"""Every reference table."""


def table_named(relation: str) -> Table:
    """The table that becomes a relation."""
    return next(table for table in TABLES if table.relation == relation)


def links() -> Iterator[tuple[Table, str, Column, Table, str]]:
    """Every column whose cells must be listed in another table: table, name, column, and where they are listed."""
    files = {table.file: table for table in TABLES}
    for table in TABLES:
        for name, column in table.columns.items():
            if column.target is not None:
                yield table, name, column, files[column.target[0]], column.target[1]
