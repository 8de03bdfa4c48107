"""How a published figure is named: table and key, what an omitted key column means, and the command that traces it.

Pages, downloads and `trace` share this, so that a figure has one name everywhere. Nothing here reads a release.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import date
from typing import Any

# What an omitted key column means: the first of these that the table has. In this order they are supposed. Which
# population is meant where none is named, the release says (`main_reading`).
MAIN_READING: dict[str, tuple[str, ...]] = {
    "reference_geography": ("reported",),
    "price_basis": ("nominal",),
    "account_stage": ("final",),
    "population_basis": ("resident",),
    "residence": ("total",),
    "sex": ("all",),
    "age_group": ("all",),
    "group": ("all",),
    "method_id": ("population_weighted_mean", "arithmetic_mean"),
    "weight_set": ("equal",),
}


def main_reading(card: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What an omitted key column means in a release; `card` is its release.json."""
    # Releases of before the card named it had residents at year end.
    source = card.get("jurisdiction", {}).get("population_source", "year_end")
    reading: dict[str, tuple[str, ...]] = {}
    for column, values in MAIN_READING.items():
        if column == "population_basis":
            reading["population_source"] = (str(source),)
        reading[column] = values
    return reading


def trace_command(table: str, key: Mapping[str, Any], reading: Mapping[str, tuple[str, ...]] = MAIN_READING) -> str:
    """The command line that traces one row: `junheng trace TABLE KEY=VALUE...`.

    `key` is the row's key (more columns are allowed, missing ones mean what an omitted key means). Columns that hold
    what an omitted one would mean in `reading` are left out; a value is quoted for a shell where it must be.
    """
    parts = []
    for column, value in key.items():
        text = text_of_key(value)
        if text and text not in reading.get(column, ()):
            parts.append(shlex.quote(f"{column}={text}"))
    return " ".join(["junheng trace", table, *parts])


def text_of_key(value: Any) -> str:
    """A key's value as a person writes it; empty for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else str(value)
