"""The mask: which published cells may not be shown, keyed by table, key and column.

It decides what is hidden and writes that down beside the build; it changes no table. `release` applies the
mask when it copies a table, so that a hidden value never reaches a published file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from pipelines.errors import ConfigurationError
from pipelines.records import Build
from pipelines.store import write_parquet

METHODS = ("none",)
MASK_SCHEMA: dict[str, type[pl.DataType]] = {
    "table_name": pl.String,
    "key_json": pl.String,  # the table's key columns as a JSON object of texts
    "column_name": pl.String,
    "conf_status": pl.String,
    "reason": pl.String,
}


def make_mask(build: Build, disclosure: dict[str, Any]) -> Path:
    """Write the mask of a build by the jurisdiction's disclosure policy; return its path.

    Method `none` hides nothing: its mask is empty, but it is there, so that every release says what it applied.
    Raises ConfigurationError for a method that does not exist, or for `none` without a reason.
    """
    method = disclosure.get("method")
    if method not in METHODS:
        raise ConfigurationError(
            f"disclosure method {method!r} does not exist; there are: {', '.join(METHODS)}",
            where="jurisdiction.yml, disclosure.method",
            do="name one of the methods that exist",
        )
    if not str(disclosure.get("reason") or "").strip():
        raise ConfigurationError(
            "disclosure method none without a reason",
            where="jurisdiction.yml, disclosure.reason",
            do="say why no figure of this jurisdiction needs to be hidden",
        )
    write_parquet(build.mask, pl.DataFrame(schema=MASK_SCHEMA))
    return build.mask
