"""The tables that a reading is made of: observations, rejects, ignored rows; and what was taken from one file.

Their columns are those of schema `source`; here are their files. How they are filled is `sheet` and `values` for
tables of figures, `person_reading` for person-level extracts; which reading they belong to is `reader`'s work.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.intake.drift import profile
from pipelines.jurisdiction.source_schema import polars_schema
from pipelines.records import Receipt, TieOut
from pipelines.store import write_parquet

OBSERVATION = polars_schema("observation")
REJECT = polars_schema("reject")
IGNORED = polars_schema("ignored")
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
