"""The reference tables of a jurisdiction (`reference/*.csv`) as frames, every cell checked for what it may hold.

All cells are text here; dbt's sources give them types. What a table must have is listed once, in TABLES, and how
the tables lean on each other in LINKS. Matching a reported region to these tables is `intake`'s work.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.errors import ConfigurationError


@dataclass(frozen=True)
class Table:
    """One reference file: its columns, the key, the relation it becomes, and what its cells may hold."""

    file: str
    relation: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    required: bool = False
    dates: tuple[str, ...] = ()
    integers: tuple[str, ...] = ()
    decimals: tuple[str, ...] = ()
    booleans: tuple[str, ...] = ()
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    filled: tuple[str, ...] = ()  # must not be empty; the key never may
    optional: tuple[str, ...] = ()  # columns that a file may leave out


# Where a population can come from; of several the first is meant, unless the jurisdiction says which.
POPULATION_SOURCES = ("year_end", "mid_year", "census")

TABLES = (
    Table(
        "regions.csv",
        "region",
        (
            "region_code",
            "region_name",
            "region_name_en",
            "region_level",
            "parent_code",
            "valid_from",
            "valid_to",
            "code_origin",
            "aliases",
        ),
        ("region_code", "valid_from"),
        required=True,
        dates=("valid_from", "valid_to"),
        filled=("region_name", "region_level"),
    ),
    Table(
        "region_changes.csv",
        "region_change",
        (
            "from_code",
            "to_code",
            "effective_date",
            "change_kind",
            "population_share",
            "share_of_to",
            "share_source",
            "is_estimated",
            "notice",
        ),
        ("from_code", "to_code", "effective_date"),
        dates=("effective_date",),
        decimals=("population_share", "share_of_to"),
        booleans=("is_estimated",),
        choices={"change_kind": ("rename", "recode", "merge", "split", "transfer")},
        filled=("change_kind",),
        optional=("share_of_to",),
    ),
    Table(
        "region_unions.csv",
        "region_union",
        ("reference_geography", "union_code", "name_zh", "name_en", "member_code", "reason"),
        ("reference_geography", "member_code"),
        integers=("reference_geography",),
        filled=("union_code", "name_zh", "name_en", "reason"),
    ),
    Table(
        "region_groups.csv",
        "region_group",
        (
            "group_code",
            "group_name_zh",
            "group_name_en",
            "group_kind",
            "region_code",
            "valid_from",
            "valid_to",
            "source",
            "edition",
            "is_verified",
        ),
        ("group_code", "region_code", "valid_from"),
        dates=("valid_from", "valid_to"),
        booleans=("is_verified",),
    ),
    Table(
        "services.csv",
        "service",
        (
            "domain",
            "service",
            "edition",
            "name_zh",
            "name_en",
            "standard",
            "lead_department",
            "is_assessed",
            "reason",
            "indicators",
        ),
        ("domain", "service", "edition"),
        booleans=("is_assessed",),
    ),
    Table(
        "indicators.csv",
        "indicator",
        (
            "indicator_code",
            "domain",
            "name_zh",
            "name_en",
            "unit",
            "direction",
            "role",
            "lowest_level",
            "pool_years",
            "min_events",
            "denominator_population",
            "lead_department",
            "numerator_text",
            "denominator_text",
            "numerator",
            "denominator",
            "multiplier",
            "population_source",
            "may_exceed_100",
            "disclosive",
            "reason",
            "interval_kind",
            "standard_population",
            "inequality_measures",
            "inequality_ordering",
        ),
        ("indicator_code",),
        optional=("disclosive", "interval_kind", "standard_population", "inequality_measures", "inequality_ordering"),
        integers=("pool_years", "min_events"),
        decimals=("multiplier",),
        booleans=("may_exceed_100", "disclosive"),
        choices={
            "direction": ("higher", "lower", "interval"),
            "role": ("scored", "context"),
            "interval_kind": ("wilson", "poisson", "none"),
        },
        filled=("domain", "name_zh", "name_en", "unit"),
    ),
    Table(
        "targets.csv",
        "target",
        (
            "indicator_code",
            "region_code",
            "target_year",
            "target_value",
            "lower_limit",
            "upper_limit",
            "baseline",
            "edition",
            "origin",
            "kind",
            "note",
        ),
        ("indicator_code", "region_code", "target_year", "edition"),
        integers=("target_year",),
        decimals=("target_value", "lower_limit", "upper_limit", "baseline"),
        choices={"kind": ("target", "milestone")},
        optional=("kind",),
    ),
    Table(
        "weights.csv",
        "weight",
        ("weight_set", "parent", "child", "weight", "edition", "origin", "note"),
        ("weight_set", "parent", "child", "edition"),
        decimals=("weight",),
        filled=("weight", "origin"),
    ),
    Table(
        "standard_populations.csv",
        "standard_population",
        ("standard_population", "age_group", "weight", "origin"),
        ("standard_population", "age_group"),
        decimals=("weight",),
        filled=("weight", "origin"),
    ),
    Table(
        "price_index.csv",
        "price_index",
        ("region_code", "year", "index_pct", "source", "origin"),
        ("region_code", "year"),
        integers=("year",),
        decimals=("index_pct",),
        filled=("index_pct", "source", "origin"),
    ),
    Table(
        "service_items.csv",
        "service_item",
        (
            "item",
            "domain",
            "service",
            "edition",
            "name_zh",
            "name_en",
            "object",
            "standard",
            "lead_department",
            "open_to_permit_holders",
            "valid_from",
            "valid_to",
            "origin",
        ),
        ("item", "edition"),
        dates=("valid_from", "valid_to"),
        booleans=("open_to_permit_holders",),
        filled=("domain", "service", "name_zh", "name_en", "valid_from", "origin"),
    ),
    Table(
        "item_payer_shares.csv",
        "item_payer_share",
        ("item", "government_level", "region_code", "share", "edition", "origin"),
        ("item", "government_level", "region_code", "edition"),
        decimals=("share",),
        filled=("share", "origin"),
    ),
    Table(
        "goalposts.csv",
        "goalpost",
        ("goalpost_set", "indicator_code", "low", "high", "note"),
        ("goalpost_set", "indicator_code"),
        decimals=("low", "high"),
        filled=("low", "high"),
    ),
    Table(
        "third_party_scores.csv",
        "third_party_score",
        ("region_code", "year", "domain", "method_id", "score", "source", "provenance"),
        ("region_code", "year", "domain", "method_id"),
        integers=("year",),
        decimals=("score",),
        choices={"provenance": ("official", "synthetic")},
        filled=("score", "source", "provenance"),
    ),
    Table(
        "measures.csv",
        "measure",
        (
            "measure",
            "name_zh",
            "name_en",
            "unit",
            "kind",
            "aggregation",
            "population_source",
            "is_population",
            "may_be_negative",
            "may_be_fractional",
        ),
        ("measure",),
        required=True,
        optional=("may_be_negative", "may_be_fractional"),
        booleans=("is_population", "may_be_negative", "may_be_fractional"),
        choices={
            "kind": ("stock", "flow", "rate"),
            "aggregation": ("whole", "own_level", "none"),
            "population_source": (*POPULATION_SOURCES, "none"),
        },
        filled=("name_zh", "name_en", "unit", "kind", "aggregation"),
    ),
    Table(
        "functional_classes.csv",
        "functional_class",
        ("class_code", "name_zh", "name_en", "domain", "edition", "valid_from", "valid_to"),
        ("class_code", "valid_from"),
        dates=("valid_from", "valid_to"),
        filled=("domain",),
    ),
    Table(
        "domains.csv",
        "domain",
        ("domain", "name_zh", "name_en", "sort_order", "is_basic"),
        ("domain",),
        integers=("sort_order",),
        booleans=("is_basic",),
    ),
)


# relation, column -> relation, column: what stands in the first must stand in the second. Lists in a cell: `;`.
LINKS = (
    ("region", "parent_code", "region", "region_code"),
    ("region_change", "from_code", "region", "region_code"),
    ("region_change", "to_code", "region", "region_code"),
    ("region_union", "member_code", "region", "region_code"),
    ("region_group", "region_code", "region", "region_code"),
    ("service", "domain", "domain", "domain"),
    ("service", "indicators", "indicator", "indicator_code"),
    ("indicator", "domain", "domain", "domain"),
    ("indicator", "standard_population", "standard_population", "standard_population"),
    ("target", "indicator_code", "indicator", "indicator_code"),
    ("target", "region_code", "region", "region_code"),
    ("functional_class", "domain", "domain", "domain"),
    ("goalpost", "indicator_code", "indicator", "indicator_code"),
    ("third_party_score", "region_code", "region", "region_code"),
    ("third_party_score", "domain", "domain", "domain"),
    ("price_index", "region_code", "region", "region_code"),
    ("service_item", "domain", "domain", "domain"),
    ("service_item", "service", "service", "service"),
    ("item_payer_share", "item", "service_item", "item"),
    ("item_payer_share", "region_code", "region", "region_code"),
)
EVERYWHERE = "all"
MAY_BE_ALL = {("target", "region_code"), ("item_payer_share", "region_code"), ("third_party_score", "domain")}


def load_table(folder: Path, table: Table) -> pl.DataFrame:
    """One reference file as text columns in the stated order; an absent optional file is an empty frame.

    Raises ConfigurationError for a missing required file, missing or unknown columns, a row of another length, a
    cell that is not what its column holds, or a repeated key.
    """
    path = folder / table.file
    if not path.exists():
        if table.required:
            raise ConfigurationError(
                f"the reference table {table.file} is missing", where=str(folder), do="create it, see docs/"
            )
        return pl.DataFrame(schema=dict.fromkeys(table.columns, pl.String))
    lines, rows = _read(path, table)
    _check_cells(path, table, lines, rows)
    _check_keys(path, table, lines, rows)
    return pl.DataFrame(rows, schema=dict.fromkeys(table.columns, pl.String))


def _read(path: Path, table: Table) -> tuple[list[int], list[dict[str, str | None]]]:
    """The rows of a file with the line that each begins on; an empty cell is None."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError("the reference table is not UTF-8", where=str(path), do="save it as UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    lines: list[int] = []
    rows: list[dict[str, str | None]] = []
    first = 1
    try:
        for cells in reader:
            line, first = first, reader.line_num + 1
            if not header:
                header = cells
                _check_columns(path, table, header)
            elif cells and len(cells) != len(header):
                raise ConfigurationError(
                    f"the row has {len(cells)} cells, the header {len(header)}",
                    where=f"{path}, line {line}",
                    do="mend the commas, or put a cell that holds one in quotes",
                )
            elif cells:
                lines.append(line)
                named = dict(zip(header, cells, strict=True))
                rows.append({name: named.get(name) or None for name in table.columns})
    except csv.Error as error:
        raise ConfigurationError(
            f"not readable as CSV: {error}", where=f"{path}, line {first}", do="check the quotes"
        ) from error
    if not header:
        raise ConfigurationError("the reference table is empty", where=str(path), do="give it at least its header row")
    return lines, rows


def _check_columns(path: Path, table: Table, header: list[str]) -> None:
    missing = [c for c in table.columns if c not in header and c not in table.optional]
    unknown = [c for c in header if c not in table.columns]
    if missing or unknown or len(set(header)) < len(header):
        detail = "; ".join(
            part
            for part in (
                f"missing: {', '.join(missing)}" if missing else "",
                f"unknown: {', '.join(unknown)}" if unknown else "",
                "" if missing or unknown else "one stands twice",
            )
            if part
        )
        raise ConfigurationError(
            f"the columns of the reference table do not fit ({detail})",
            where=str(path),
            do="name the columns " + ",".join(table.columns),
        )


def _is_date(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _check_cells(path: Path, table: Table, lines: list[int], rows: list[dict[str, str | None]]) -> None:
    kinds = [
        (table.dates, "a date", "write YYYY-MM-DD", _is_date),
        (table.integers, "a whole number", "write digits only", lambda t: bool(re.fullmatch(r"-?\d+", t))),
        (table.decimals, "a number", "write it like 97.4", lambda t: bool(re.fullmatch(r"-?\d+(\.\d+)?", t))),
        (table.booleans, "true or false", "write true or false", lambda t: t in ("true", "false")),
    ]
    for line, row in zip(lines, rows, strict=True):
        where = f"{path}, line {line}"
        for column in (*table.key, *table.filled):
            if row[column] is None:
                what = "key column" if column in table.key else "column"
                raise ConfigurationError(f"the {what} {column} is empty", where=where, do="fill it in")
        for columns, what, do, fits in kinds:
            for column in columns:
                if (text := row[column]) is not None and not fits(text):
                    raise ConfigurationError(f"{column} {text!r} is not {what}", where=where, do=do)
        for column, allowed in table.choices.items():
            if (text := row[column]) is not None and text not in allowed:
                raise ConfigurationError(
                    f"{column} {text!r} is unknown", where=where, do=f"use one of {', '.join(allowed)}"
                )
        if "valid_to" in row and row["valid_to"] is not None and row["valid_to"] <= (row["valid_from"] or ""):
            raise ConfigurationError(
                f"valid_to {row['valid_to']} lies on or before valid_from {row['valid_from']}",
                where=where,
                do="valid_to is the first day on which the line no longer holds",
            )


def _check_keys(path: Path, table: Table, lines: list[int], rows: list[dict[str, str | None]]) -> None:
    seen: dict[tuple[str | None, ...], int] = {}
    spans: dict[tuple[str | None, ...], list[tuple[str, str]]] = {}
    for line, row in zip(lines, rows, strict=True):
        where = f"{path}, line {line}"
        key = tuple(row[c] for c in table.key)
        if key in seen:
            raise ConfigurationError(
                f"the key ({', '.join(str(k) for k in key)}) stands twice, first in line {seen[key]}",
                where=where,
                do="remove or correct one of the lines",
            )
        seen[key] = line
        if "valid_from" not in table.key:
            continue
        name = tuple(row[c] for c in table.key if c != "valid_from")
        start, end = row["valid_from"] or "", row["valid_to"] or "9999"
        if any(start < other_end and other_start < end for other_start, other_end in spans.get(name, [])):
            raise ConfigurationError(
                f"two lines of {', '.join(str(n) for n in name)} hold on the same day",
                where=where,
                do="let valid_to of the earlier line be valid_from of the later one",
            )
        spans.setdefault(name, []).append((start, end))


def check_links(folder: Path, tables: dict[str, pl.DataFrame]) -> None:
    """Raises ConfigurationError for a cell that names something which its own table does not list."""
    files = {table.relation: table.file for table in TABLES}
    for relation, column, target, target_column in LINKS:
        known = {*tables[target][target_column], EVERYWHERE if (relation, column) in MAY_BE_ALL else None}
        for position, text in enumerate(tables[relation][column]):
            for name in (text or "").split(";"):
                if name and name not in known:
                    key = ", ".join(str(cell) for cell in tables[relation].row(position)[: len(_table(relation).key)])
                    raise ConfigurationError(
                        f"{column} {name!r} of {key} is not in {files[target]}",
                        where=line_of(folder, relation, position),
                        do=f"correct it, or add a line for it in {files[target]}",
                    )


def _table(relation: str) -> Table:
    return next(table for table in TABLES if table.relation == relation)


def lines_of(folder: Path, relation: str) -> list[int]:
    """The line on which each row of a relation begins; none when its file is absent."""
    table = _table(relation)
    path = folder / table.file
    return _read(path, table)[0] if path.exists() else []


def line_of(folder: Path, relation: str, position: int) -> str:
    """File and line on which a row of a relation (counted from 0, below the header) begins, for error messages."""
    return f"{folder / _table(relation).file}, line {lines_of(folder, relation)[position]}"
