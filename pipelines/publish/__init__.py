"""What is published, as everything that publishes sees it: one `Release`, one `Table`.

Downloads, pages, the report and tracing read a release through them. Whether something may be published is not
decided here, and nothing is written.
"""

from __future__ import annotations

from pipelines.publish.release import DRAFT, Release, Row
from pipelines.publish.tables import (
    Column,
    EarlierVersion,
    Table,
    listed_tables,
    own_tables,
    published_tables,
    retired_tables,
)

__all__ = [
    "DRAFT",
    "Column",
    "EarlierVersion",
    "Release",
    "Row",
    "Table",
    "listed_tables",
    "own_tables",
    "published_tables",
    "retired_tables",
]
