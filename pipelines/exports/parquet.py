"""Published tables as Parquet: in the table's own order, so that the same rows give the same bytes."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.publish import Table
from pipelines.sql import quote, text_literal


def write_parquet(connection: duckdb.DuckDBPyConnection, catalog: str, table: Table, path: Path) -> None:
    """Write one published table of an attached database as Parquet; it appears under its name when it is whole.

    The file carries the table's two descriptions. Its rows are written as they lie in the database, which is the
    table's order; its bytes depend on rows, order and DuckDB's version alone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(quote(name) for name in table.column_names)
    temporary = path.with_name(f".{path.name}.tmp")
    connection.execute(
        f"copy (select {columns} from {quote(catalog)}.{quote(table.name)}) "
        f"to {text_literal(str(temporary))} "
        "(format parquet, compression zstd, compression_level 9, row_group_size 122880, "
        f"kv_metadata {{description_zh: {text_literal(table.description_zh)}, "
        f"description_en: {text_literal(table.description_en)}}})"
    )
    temporary.replace(path)
