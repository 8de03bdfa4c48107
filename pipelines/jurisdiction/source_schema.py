"""The tables of schema `source`: those of `source_tables.yml`, and those that reference files become.

The tables that a build begins with, the files of a reading and dbt's sources are made of it. Filling them is the work
of `intake` and `transform`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field, model_validator

from pipelines.jurisdiction.reference_schema import TABLES, SourceColumn, Table
from pipelines.jurisdiction.yaml_model import StrictModel, load_model


class SourceTable(StrictModel):
    """One table of schema `source` that no reference file becomes."""

    relation: str
    zh: str
    en: str
    columns: dict[str, SourceColumn] = Field(min_length=1)

    @property
    def source_columns(self) -> dict[str, SourceColumn]:
        """The columns that dbt sees: all."""
        return self.columns


class Tables(StrictModel):
    """What `source_tables.yml` holds; a column of which it says nothing is the one in `shared`."""

    shared: dict[str, SourceColumn]
    tables: list[SourceTable]

    @model_validator(mode="before")
    @classmethod
    def _share(cls, raw: dict[str, Any]) -> dict[str, Any]:
        shared = raw["shared"]
        tables = []
        for table in raw["tables"]:
            columns = {name: column or shared.get(name) for name, column in table["columns"].items()}
            if unknown := [name for name, column in columns.items() if column is None]:
                raise ValueError(f"{table['relation']}: {', '.join(unknown)} is described neither there nor in shared")
            tables.append({**table, "columns": columns})
        return {**raw, "tables": tables}


SOURCE_TABLES: tuple[SourceTable, ...] = tuple(load_model(Path(__file__).with_name("source_tables.yml"), Tables).tables)
"""Every table of schema `source` that no reference file becomes."""
ALL_TABLES: tuple[SourceTable | Table, ...] = (*SOURCE_TABLES, *TABLES)
"""Every table of schema `source`."""


@cache
def sql_types() -> dict[str, dict[str, str]]:
    """The columns of every table of schema `source` with their types in DuckDB, by table."""
    return {
        table.relation: {name: column.sql_type for name, column in table.source_columns.items()} for table in ALL_TABLES
    }


def polars_schema(relation: str) -> dict[str, pl.DataType]:
    """The columns of a table with their types in polars."""
    columns = next(table for table in SOURCE_TABLES if table.relation == relation).source_columns
    return {name: column.polars_type for name, column in columns.items()}


def as_text(relation: str) -> dict[str, pl.DataType]:
    """The columns of a table before they have their types: all text."""
    return {name: pl.String() for name in polars_schema(relation)}
