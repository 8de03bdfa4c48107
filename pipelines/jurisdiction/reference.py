"""The reference tables of a jurisdiction (`reference/*.csv`) as frames, checked for shape.

All cells are text here; dbt's sources give them types. What a table must have is listed once, in TABLES.
Matching a reported region to these tables is `intake`'s work.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.errors import ConfigurationError


@dataclass(frozen=True)
class Table:
    """One reference file: its columns, the key, and the relation it becomes."""

    file: str
    relation: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    required: bool = False


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
            "share_source",
            "is_estimated",
            "notice",
        ),
        ("from_code", "to_code", "effective_date"),
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
            "reason",
        ),
        ("indicator_code",),
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
            "note",
        ),
        ("indicator_code", "region_code", "target_year", "edition"),
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
        ),
        ("measure",),
        required=True,
    ),
    Table(
        "functional_classes.csv",
        "functional_class",
        ("class_code", "name_zh", "name_en", "domain", "edition", "valid_from", "valid_to"),
        ("class_code", "valid_from"),
    ),
    Table("domains.csv", "domain", ("domain", "name_zh", "name_en", "sort_order", "is_basic"), ("domain",)),
)


def load_table(folder: Path, table: Table) -> pl.DataFrame:
    """One reference file as text columns in the stated order; an absent optional file is an empty frame.

    Raises ConfigurationError for a missing required file, missing or unknown columns, or a repeated key.
    """
    path = folder / table.file
    if not path.exists():
        if table.required:
            raise ConfigurationError(
                f"the reference table {table.file} is missing", where=str(folder), do="create it, see docs/"
            )
        return pl.DataFrame(schema=dict.fromkeys(table.columns, pl.String))
    try:
        frame = pl.read_csv(path, infer_schema=False, encoding="utf8")
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the reference table cannot be read: {str(error).splitlines()[0]}",
            where=str(path),
            do="save it as UTF-8 CSV with one header row and the same number of cells in each row",
        ) from error
    missing = [c for c in table.columns if c not in frame.columns]
    unknown = [c for c in frame.columns if c not in table.columns]
    if missing or unknown:
        detail = "; ".join(
            part
            for part in (
                f"missing: {', '.join(missing)}" if missing else "",
                f"unknown: {', '.join(unknown)}" if unknown else "",
            )
            if part
        )
        raise ConfigurationError(
            f"the columns of the reference table do not fit ({detail})",
            where=str(path),
            do="name the columns " + ",".join(table.columns),
        )
    frame = frame.select(table.columns)
    for column in table.key:
        empty = frame.with_row_index("line", offset=2).filter(pl.col(column).is_null())
        if empty.height:
            raise ConfigurationError(
                f"the key column {column} is empty", where=f"{path}, line {empty['line'][0]}", do="fill it in"
            )
    repeated = frame.with_row_index("line", offset=2).filter(pl.struct(table.key).is_duplicated())
    if repeated.height:
        row = repeated.row(-1, named=True)
        raise ConfigurationError(
            f"the key ({', '.join(str(row[c]) for c in table.key)}) stands twice",
            where=f"{path}, line {row['line']}",
            do="remove or correct one of the lines",
        )
    return frame
