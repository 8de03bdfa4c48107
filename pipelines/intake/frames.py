"""The tables that a reading is made of: observations, rejects, ignored rows; and what was taken from one file.

Only their shape is here, and their files. How they are filled is `sheet` and `values` for tables of figures,
`person_reading` for person-level extracts; which reading they belong to is `reader`'s work.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.intake import numbers
from pipelines.intake.drift import profile
from pipelines.records import Receipt, TieOut
from pipelines.store import write_parquet

OBSERVATION: dict[str, Any] = {
    "observation_id": pl.String,
    "reading_id": pl.String,
    "receipt_id": pl.String,
    "department": pl.String,
    "extract": pl.String,
    "measure": pl.String,
    "region_code": pl.String,
    "region_name_reported": pl.String,
    "period_start": pl.Date,
    "period_end": pl.Date,
    "population_basis": pl.String,
    "residence": pl.String,
    "sex": pl.String,
    "age_group": pl.String,
    "group": pl.String,
    "item": pl.String,
    "value": numbers.DECIMAL,
    "unit": pl.String,
    "value_reported": pl.String,
    "unit_reported": pl.String,
    "obs_status": pl.String,
    "conf_status": pl.String,
    "provenance": pl.String,
    "source_file": pl.String,
    "source_sheet": pl.String,
    "source_row": pl.Int32,
    "source_column": pl.String,
    "delivery_period": pl.String,
    "correction_id": pl.String,
}
REJECT: dict[str, Any] = {
    "reject_id": pl.String,
    "reading_id": pl.String,
    "receipt_id": pl.String,
    "department": pl.String,
    "extract": pl.String,
    "delivery_period": pl.String,
    "source_file": pl.String,
    "source_sheet": pl.String,
    "source_row": pl.Int32,
    "source_column": pl.String,
    "scope": pl.String,
    "rule": pl.String,
    "reported_text": pl.String,
    "detail": pl.String,
    "region_code": pl.String,
    "is_known": pl.Boolean,
    "known_reason": pl.String,
}
IGNORED: dict[str, Any] = {
    "reading_id": pl.String,
    "receipt_id": pl.String,
    "department": pl.String,
    "extract": pl.String,
    "source_file": pl.String,
    "source_sheet": pl.String,
    "source_row": pl.Int32,
    "reason": pl.String,
    "reported_text": pl.String,
}
DROPPED = "dropped_by_correction"


@dataclass(frozen=True)
class Taken:
    """What was taken from a file, before it is stored."""

    accepted: pl.DataFrame
    rejects: pl.DataFrame
    ignored: pl.DataFrame
    tie_out: list[TieOut]
    findings: list[dict[str, str]]
    headers: list[str]
    data_rows: int
    problem: str = ""
    corrections: list[dict[str, Any]] = field(default_factory=list)  # see `corrections.Outcome`


@dataclass(frozen=True)
class Summary:
    """What a reading says beside its tables, as plain JSON types; the fields are those of `records.Reading`."""

    problem: str  # empty when the file was read
    tie_out: list[dict[str, Any]]
    rejects: int
    known_rejects: int
    findings: list[dict[str, str]]
    corrections: list[dict[str, Any]] = field(default_factory=list)
    profile: dict[str, Any] = field(default_factory=dict)


def summary_of(taken: Taken) -> Summary:
    """What a reading of these tables says beside them."""
    return Summary(
        taken.problem,
        [account.as_dict() for account in taken.tie_out],
        taken.rejects.height,
        int(taken.rejects["is_known"].sum() or 0),
        taken.findings,
        taken.corrections,
        profile(taken.headers, taken.accepted, taken.data_rows) if not taken.problem else {},
    )


def write_tables(folder: Path, taken: Taken) -> None:
    """The tables of a reading as Parquet files."""
    write_parquet(folder / "accepted.parquet", taken.accepted)
    write_parquet(folder / "rejects.parquet", taken.rejects)
    write_parquet(folder / "ignored.parquet", taken.ignored)


def unreadable(receipt: Receipt, reading_id: str, problem: str) -> Taken:
    """What is taken from a file that cannot be read: nothing, and the reason as a reject of the whole file."""
    reject: dict[str, object] = {"scope": "file", "rule": "unreadable", "detail": problem, "reported_text": ""}
    return Taken(
        accepted=pl.DataFrame(schema=OBSERVATION),
        rejects=reject_frame(receipt, reading_id, "", [reject]),
        ignored=pl.DataFrame(schema=IGNORED),
        tie_out=[TieOut(receipt.file_name, "")],
        findings=[],
        headers=[],
        data_rows=0,
        problem=problem,
    )


def reject_frame(receipt: Receipt, reading_id: str, sheet: str, rejects: list[dict[str, object]]) -> pl.DataFrame:
    """Rejects as a frame in the shape of REJECT; a field that a reject does not name has no value."""
    rows = []
    for reject in rejects:
        row = {
            "reading_id": reading_id,
            "receipt_id": receipt.receipt_id,
            "department": receipt.department,
            "extract": receipt.extract,
            "delivery_period": receipt.delivery_period,
            "source_file": receipt.file_name,
            "source_sheet": sheet,
            "source_row": None,
            "source_column": "",
            "region_code": None,
            "is_known": False,
            "known_reason": None,
            **reject,
        }
        identity = f"{receipt.receipt_id}\0{sheet}\0{row['source_row']}\0{row['source_column']}\0{row['rule']}"
        row["reject_id"] = hashlib.sha256(identity.encode()).hexdigest()[:16]
        rows.append(row)
    return pl.DataFrame(rows, schema=REJECT)
