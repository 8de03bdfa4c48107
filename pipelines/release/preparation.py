"""Preparing a release: everything it will hold, in a folder that nobody reads yet.

Database first, then Parquet, changes and pages, all from the prepared database. Sealing is `sealing`'s business.
"""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines import pages, rules, verifier
from pipelines.dbt_manifest import read_dbt_manifest
from pipelines.errors import BlockedError
from pipelines.exports import write_parquet
from pipelines.jurisdiction import Jurisdiction
from pipelines.ledger import Ledger
from pipelines.pages import BOUNDARIES
from pipelines.publish import DRAFT, Release, Table, published_tables
from pipelines.quality import read_history, read_results, require_passing
from pipelines.records import Build, Verdict
from pipelines.release import changes, database, history, macros, method
from pipelines.release.card import card, rows_of, waived_by_table, workbooks
from pipelines.release.content import DEFINITION, content_sha256
from pipelines.release.shelf import clean_up, list_releases, next_release_id
from pipelines.settings import Settings
from pipelines.sql import text_literal
from pipelines.standing import states
from pipelines.store import Warehouse, now_utc, public_folder, sha256_file, write_json
from pipelines.trace import write_evidence
from pipelines.verifier import CHECKS, VERDICT

_RECEIPT_COLUMNS = (
    "receipt_id, department, extract, delivery_period, file_name, landing_path, sha256, size_bytes, "
    "strftime(received_at, '%Y-%m-%dT%H:%M:%S.%fZ') as received_at, sequence, is_withdrawal, is_in_force, "
    "is_held, strftime(held_since, '%Y-%m-%dT%H:%M:%S.%fZ') as held_since, held_because, in_place_of"
)


def _provenance(connection: duckdb.DuckDBPyConnection, tables: list[str]) -> dict[str, dict[str, int]]:
    """Rows by provenance, for every published table that carries it."""
    summary = {}
    for name in tables:
        found = connection.execute(
            f"select coalesce(provenance, 'unknown'), count(*) from public.\"{name}\" group by 1 order by 1"
        ).fetchall()
        summary[name] = {str(provenance): int(count) for provenance, count in found}
    return summary


def lay_out(
    build: Build,
    tables: Sequence[Table],
    mask: Path,
    database_path: Path,
    settings: Settings,
    before: Path | None = None,
    held_back: dict[str, dict[str, Any]] | None = None,
) -> duckdb.DuckDBPyConnection:
    """A public database with every model's table of a build under its mask; the open connection to it (`public`).

    `before` is the public database of the release before, attached as such; from it come the tables held back.
    """
    masks = database.read_mask(mask, tables)
    connection = database.connect(build.database, database_path, settings.memory_limit)
    try:
        if before is not None:
            connection.execute(f"attach {text_literal(str(before))} as before (read_only)")
        database.side_by_side(
            connection,
            [table for table in tables if table.made_by == "dbt"],
            settings.threads,
            lambda cursor, table: database.copy_table(
                cursor, table, masks.get(table.name), (held_back or {}).get(table.name)
            ),
        )
    except BaseException:
        connection.close()
        raise
    return connection


def libraries() -> dict[str, str]:
    """The versions of what turns readings into figures; another one may round or order otherwise."""
    names = ("duckdb", "polars", "pyarrow", "dbt-core", "dbt-duckdb", "fastexcel")
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in names}}


def _reading_files(warehouse: Warehouse, reading: dict[str, Any]) -> dict[str, str]:
    """SHA-256 of the files of a reading that a build is made of."""
    folder = warehouse.readings / str(reading["department"]) / str(reading["extract"]) / str(reading["reading_id"])
    return {path.name: sha256_file(path) for path in sorted(folder.glob("*.parquet"))}


def _withdrawn_since(warehouse: Warehouse, before: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The withdrawn releases that this one replaces: those sealed after the one it is compared with."""
    last = before["sealed_at"] if before else ""
    return [
        {
            "release_id": release_id,
            **{name: state[name] for name in ("reason", "severity")},
            "withdrawn": state["since"],
        }
        for release_id, state in states(warehouse).items()
        if state["state"] == "withdrawn" and Release(warehouse.release_folder(release_id)).sealed_at > last
    ]


def _evidence(folder: Path, build: Build) -> None:
    """The verdict with its results, and the program that checks the release without Junheng."""
    (folder / "evidence").mkdir(exist_ok=True)
    for path, name in ((Path(build.folder) / "verdict.json", VERDICT), (Path(build.folder) / "checks.json", CHECKS)):
        shutil.copyfile(path, folder / name)
    shutil.copyfile(verifier.__file__, folder / "verify.py")


def prepare(
    warehouse: Warehouse,
    build: Build,
    verdict: Verdict,
    jurisdiction: Jurisdiction,
    mask: Path,
    settings: Settings,
    comparison: method.OldMethod | None = None,
) -> Path:
    """Make everything a release of this build will hold; returns the prepared folder.

    `comparison` is needed where the method is not that of the release before: the same data by the old one.

    Raises BlockedError unless `verdict` is the stored passing verdict of this very build, FaultError when mask
    or models do not fit. A prepared folder left over from a crash is removed first.
    """
    ledger = Ledger(warehouse.ledger)
    if require_passing(build, ledger) != verdict:
        raise BlockedError(
            "the verdict at hand is not the stored one of this build",
            where=str(build.folder),
            do="judge the build again (junheng judge)",
        )
    clean_up(warehouse, ledger)
    require_passing(build, ledger)  # what was put right may have made another release current
    folder = warehouse.preparing_folder(build.build_id)
    public_folder(folder.parent)
    warehouse.private_folder(folder)  # until it is sealed
    release_id, prepared_at = next_release_id(warehouse, ledger, jurisdiction.time_zone), now_utc()
    project = read_dbt_manifest(build.dbt_manifest)
    tables = published_tables(project)
    by_name = {table.name: table for table in tables}
    own = {table.name: table for table in tables if table.made_by == "release"}
    held_back = {str(item["table"]): item for item in verdict.carried_over}
    before = Release(warehouse.current).manifest if warehouse.current_release_id() else None
    earlier = [
        database.ReleaseLine(
            release.release_id, release.build_id, manifest["prepared_at"], manifest["as_of"], release.state, False
        )
        for release in list_releases(warehouse)
        for manifest in [release.manifest]
    ]
    this = database.ReleaseLine(release_id, build.build_id, prepared_at, build.as_of, "candidate", True)

    database_before = warehouse.current / "public.duckdb" if before else None
    results = read_results(build)
    connection = lay_out(build, tables, mask, folder / "public.duckdb", settings, database_before, held_back)
    sources = {model.name: project.sources_of(model) for model in project.models}

    def written(cursor: duckdb.DuckDBPyConnection, table: Table) -> tuple[int, str]:
        write_parquet(cursor, "public", table, folder / "parquet" / f"{table.name}.parquet")
        return content_sha256(cursor, "public", table)

    def described(made_by: str) -> dict[str, Any]:
        """Rows, content hash and contract of what one maker made; its Parquet files are written beside."""
        made = [table for table in tables if table.made_by == made_by]
        found = {}
        for name, (rows, sha256) in database.side_by_side(connection, made, settings.threads, written).items():
            table = by_name[name]
            found[name] = {
                "rows": rows,
                "content_sha256": sha256,
                "key": list(table.key),
                "order_by": list(table.order_by),
                "columns": table.contract.columns,
                "units": table.contract.units,
                "version": table.version,
                "made_by": table.made_by,
                "sources": sources.get(table.name, []),
            }
        return found

    with connection:
        draft: dict[str, Any] = {
            "release_id": release_id,
            "build_id": build.build_id,
            "jurisdiction": jurisdiction.key,
            "prepared_at": prepared_at,
            "as_of": build.as_of,
            "previous_release": before["release_id"] if before else None,
            "code_version": build.code_version,
            "libraries": libraries(),
            "contracts_hash": build.contracts_hash,
            "reference_hash": build.reference_hash,
            "expectations_hash": build.expectations_hash,
            "inputs_hash": build.inputs_hash,
            "basis_hash": build.basis_hash,
            "inputs": {
                "receipts": rows_of(
                    connection, f"select {_RECEIPT_COLUMNS} from build.source.receipt order by sequence, receipt_id"
                ),
                "readings": [
                    {**reading, "files": _reading_files(warehouse, reading)}
                    for reading in rows_of(
                        connection,
                        "select reading_id, receipt_id, department, extract, contract_hash, reference_hash, "
                        "reader_version, status, problem, cast(read_at as varchar) as read_at "
                        "from build.source.reading order by reading_id",
                    )
                ],
                "rules": rules.stored(warehouse, build.rules_sha256).as_dict() if build.rules_sha256 else {},
            },
            "verdict": {**verdict.as_dict(), "verdict_sha256": sha256_file(Path(build.folder) / "verdict.json")},
            "mask": {
                "method": jurisdiction.disclosure["method"],
                "cells": pl.read_parquet(mask).height,
                "sha256": sha256_file(mask),
            },
            "provenance": _provenance(
                connection, [t.name for t in tables if t.made_by == "dbt" and "provenance" in t.column_names]
            ),
            "carried_over": verdict.carried_over,
            "content_hash": DEFINITION,
            "tables": described("dbt"),
        }
        recorder = history.Recorder(connection)
        found = changes.compare(connection, tables, before, draft, recorder=recorder)
        found["replaces"] = _withdrawn_since(warehouse, before)

        masks = database.read_mask(mask, tables)
        history.carry_on(connection, warehouse, ledger, tables, before, draft, masks)
        connection.begin()
        database.insert_rows(connection, own["audit_check"], database.check_rows(results))
        database.insert_rows(connection, own["audit_check_row"], database.check_row_rows(results))
        database.insert_rows(connection, own["audit_check_history"], database.history_rows(read_history(warehouse)))
        database.insert_rows(connection, own["audit_verdict"], database.verdict_rows(verdict))
        database.insert_rows(connection, own["audit_waiver"], database.waiver_rows(verdict))
        database.insert_rows(connection, own["audit_release"], database.release_rows([*earlier, this]))
        database.write_dictionary(connection, tables, held_back, waived_by_table(results))
        macros.write(connection, tables)
        connection.commit()
        connection.execute("checkpoint public")
        draft["tables"] |= described("release")

        write_json(
            folder / "release.json",
            {
                "release_id": release_id,
                "build_id": build.build_id,
                "prepared_at": prepared_at,
                "as_of": build.as_of,
                "previous_release": before["release_id"] if before else None,
                "code_version": build.code_version,
                "workbooks": workbooks(connection, folder / "quality", tables, results, jurisdiction),
                **card(connection, jurisdiction, verdict, has_before=before is not None),
            },
        )
        write_json(folder / DRAFT, draft)
        found["method"] = method.changed(warehouse, before, draft) if before else None
        if comparison and found["method"]:
            found["method"] |= method.compare(connection, tables, before or {}, draft, comparison, folder)
        write_json(folder / "changes.json", found)
        write_evidence(connection, build, jurisdiction, folder)
    _evidence(folder, build)
    if jurisdiction.boundaries is not None:
        shutil.copyfile(jurisdiction.boundaries, folder / BOUNDARIES)
    pages.render(folder)
    return folder
