"""What is published, in which forms: one list of tables, and the writers of download formats.

It does not decide whether something may be published, and it reads prepared releases only.
"""

from __future__ import annotations

from pipelines.exports.parquet import write_parquet
from pipelines.exports.tables import (
    PublishedColumn,
    PublishedTable,
    own_tables,
    published_tables,
    retired_tables,
)
from pipelines.exports.workbooks import failures, write_workbooks
from pipelines.exports.writing import FORMATS, Export, Order, export
from pipelines.sql import quote, text_literal

__all__ = [
    "FORMATS",
    "Export",
    "Order",
    "PublishedColumn",
    "PublishedTable",
    "export",
    "failures",
    "own_tables",
    "published_tables",
    "quote",
    "retired_tables",
    "text_literal",
    "write_parquet",
    "write_workbooks",
]
