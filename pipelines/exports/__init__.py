"""Downloads of a release: the writers of download formats.

It does not decide whether something may be published, and it reads prepared releases only.
"""

from __future__ import annotations

from pipelines.exports.parquet import write_parquet
from pipelines.exports.workbooks import failures, write_workbooks
from pipelines.exports.writing import FORMATS, Export, Order, export

__all__ = [
    "FORMATS",
    "Export",
    "Order",
    "export",
    "failures",
    "write_parquet",
    "write_workbooks",
]
