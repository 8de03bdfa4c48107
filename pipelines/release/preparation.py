"""Preparing a release: everything it will hold, in a folder that nobody reads yet.

Database first, then Parquet, changes and pages, all from the prepared database. Sealing is `sealing`'s business.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines import pages
from pipelines.errors import BlockedError
from pipelines.exports import (
    PublishedTable,
    failures,
    published_tables,
    text_literal,
    write_parquet,
    write_workbooks,
)
from pipelines.jurisdiction import Jurisdiction
from pipelines.jurisdiction.cadence import owed
from pipelines.ledger import Ledger
from pipelines.quality import read_history, read_results, require_passing
from pipelines.records import Build, CheckResult, Verdict
from pipelines.release import changes, database
from pipelines.release.content import DEFINITION, content_sha256
from pipelines.release.shelf import clean_up, list_releases, next_release_id, read_manifest
from pipelines.settings import Settings
from pipelines.store import Warehouse, now_utc, sha256_file, write_json

DRAFT = "draft.json"
LAST_YEAR_ASKED = 2200  # a delivery period that fits no name of the contract is never found
_RECEIPT_COLUMNS = (
    "receipt_id, department, extract, delivery_period, file_name, landing_path, sha256, size_bytes, "
    "strftime(received_at, '%Y-%m-%dT%H:%M:%S.%fZ') as received_at, sequence, is_in_force"
)

_EXTRACTS = """
    select department, extract, name_zh, name_en, rank, provenance, license, publisher, source_title, owner,
        contract_version, (
            select list(distinct r.delivery_period) from build.source.receipt r
            where r.department = e.department and r.extract = e.extract
        ) as periods
    from build.source.extract e order by department, extract
"""


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _due(jurisdiction: Jurisdiction, extract: str, periods: set[str]) -> dict[str, str]:
    """Until when each of these deliveries was due, by period; empty where nothing is agreed."""
    contract = jurisdiction.contracts.get(extract)
    due: dict[str, str] = {}
    if contract is None:
        return due
    for item in owed(contract, periods):
        if not periods - due.keys():
            break
        due[item.delivery_period] = item.due_on.isoformat()
        if item.due_on.year > LAST_YEAR_ASKED:
            break
    return {period: day for period, day in due.items() if period in periods}


def _with_due(jurisdiction: Jurisdiction, row: dict[str, Any]) -> dict[str, Any]:
    """An extract of the card with the due dates of what came, in place of the periods."""
    periods = {str(period) for period in row.pop("periods") or []}
    return {**row, "due": _due(jurisdiction, f"{row['department']}/{row['extract']}", periods)}


def _card(connection: duckdb.DuckDBPyConnection, jurisdiction: Jurisdiction) -> dict[str, Any]:
    """What a reader of the release needs to know of the jurisdiction: names, levels, extracts, domains."""
    return {
        "jurisdiction": {
            "key": jurisdiction.key,
            "name": jurisdiction.name,
            "name_en": jurisdiction.name_en,
            "home_region": jurisdiction.home_region,
            "currency": jurisdiction.currency,
            # What a base unit is called where the files come from.
            "units": {unit.base: name for name, unit in jurisdiction.units.items() if unit.factor == 1},
            "time_zone": jurisdiction.time_zone,
            "levels": [
                {"name": level.name, "name_zh": level.name_zh, "name_en": level.name_en, "depth": level.depth}
                for level in jurisdiction.levels
            ],
            "synthetic_mark": jurisdiction.synthetic_mark,
            "data_notes": jurisdiction.data_notes,
            "disclosure": jurisdiction.disclosure,
        },
        "extracts": [_with_due(jurisdiction, row) for row in _rows(connection, _EXTRACTS)],
        "domains": _rows(
            connection,
            "select domain, name_zh, name_en, sort_order, is_basic from build.source.domain order by sort_order, 1",
        ),
    }


def _provenance(connection: duckdb.DuckDBPyConnection, tables: list[str]) -> dict[str, dict[str, int]]:
    """Rows by provenance, for every published table that carries it."""
    summary = {}
    for name in tables:
        found = connection.execute(
            f"select coalesce(provenance, 'unknown'), count(*) from public.\"{name}\" group by 1 order by 1"
        ).fetchall()
        summary[name] = {str(provenance): int(count) for provenance, count in found}
    return summary


def _has_rejects(tables: list[PublishedTable]) -> bool:
    return any(table.name == "audit_reject" for table in tables)


def _checks_changed(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Checks that are new, gone, or judge by another rule than for the attached release `before`."""
    columns = connection.execute(
        "select column_name from duckdb_columns() where database_name = 'before' and table_name = 'audit_check'"
    ).fetchall()
    if ("rule_sha256",) not in columns:  # a release of before the rules were published
        return []
    return _rows(
        connection,
        """
        select coalesce(a.check_id, b.check_id) as check_id, coalesce(a.subject, b.subject) as subject,
            case when b.check_id is null then 'added' when a.check_id is null then 'removed' else 'changed' end
                as change,
            b.rule as rule_before, a.rule as rule_after
        from before.audit_check b full outer join public.audit_check a using (check_id)
        where a.rule_sha256 is distinct from b.rule_sha256
        order by 1
        """,
    )


def _waived_by_table(results: list[CheckResult]) -> dict[str, list[str]]:
    """The checks of each table that a waiver excuses, in whole or in part."""
    waived: dict[str, list[str]] = {}
    for result in results:
        if result.rows_waived:
            waived.setdefault(result.subject, []).append(result.check_id)
    return waived


def prepare(
    warehouse: Warehouse, build: Build, verdict: Verdict, jurisdiction: Jurisdiction, mask: Path, settings: Settings
) -> Path:
    """Make everything a release of this build will hold; returns the prepared folder.

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
    folder.mkdir(parents=True)
    release_id, prepared_at = next_release_id(warehouse, ledger, jurisdiction.time_zone), now_utc()
    tables = published_tables(build.dbt_manifest)
    own = {table.name: table for table in tables if table.made_by == "release"}
    masks = database.read_mask(mask, tables)
    held_back = {str(item["table"]): item for item in verdict.carried_over}
    before = read_manifest(warehouse.current) if warehouse.current_release_id() else None
    earlier = [
        database.ReleaseLine(
            release.release_id, release.build_id, manifest["prepared_at"], manifest["as_of"], release.state, False
        )
        for release in list_releases(warehouse)
        for manifest in [read_manifest(Path(release.folder))]
    ]
    this = database.ReleaseLine(release_id, build.build_id, prepared_at, build.as_of, "candidate", True)

    connection = database.connect(build.database, folder / "public.duckdb", settings.memory_limit, settings.threads)
    with connection:
        # One transaction: a write-ahead log that is flushed after every statement would cost more than the data.
        if before:
            connection.execute(f"attach {text_literal(str(warehouse.current / 'public.duckdb'))} as before (read_only)")
        connection.begin()
        for table in tables:
            if table.made_by == "dbt":
                database.copy_table(connection, table, masks.get(table.name), held_back.get(table.name))
        results = read_results(build)
        database.insert_rows(connection, own["audit_check"], database.check_rows(results))
        database.insert_rows(connection, own["audit_check_row"], database.check_row_rows(results))
        database.insert_rows(connection, own["audit_check_history"], database.history_rows(read_history(warehouse)))
        database.insert_rows(connection, own["audit_verdict"], database.verdict_rows(verdict))
        database.insert_rows(connection, own["audit_waiver"], database.waiver_rows(verdict))
        database.insert_rows(connection, own["audit_release"], database.release_rows([*earlier, this]))
        database.write_dictionary(connection, tables, held_back, _waived_by_table(results))
        connection.commit()
        connection.execute("checkpoint public")

        described: dict[str, Any] = {}
        for table in tables:
            rows, sha256 = content_sha256(connection, "public", table)
            described[table.name] = {
                "rows": rows,
                "content_sha256": sha256,
                "key": list(table.key),
                "order_by": list(table.order_by),
                "columns": table.contract.columns,
                "units": table.contract.units,
                "version": table.version,
                "made_by": table.made_by,
            }
            write_parquet(connection, "public", table, folder / "parquet" / f"{table.name}.parquet")
        hashes = {name: str(item["content_sha256"]) for name, item in described.items()}
        write_json(folder / "changes.json", changes.compare(connection, tables, hashes, before))

        synthetic = {
            f"{row['department']}/{row['extract']}"
            for row in _rows(connection, "select department, extract, provenance from build.source.extract")
            if row["provenance"] != "official"
        }
        known = _rows(connection, "select * from public.audit_reject where is_known") if _has_rejects(tables) else []
        workbooks = write_workbooks(
            folder / "quality", failures(results, known), synthetic, jurisdiction.synthetic_mark["zh"]
        )
        write_json(
            folder / "release.json",
            {
                "workbooks": workbooks,
                "carried_over": verdict.carried_over,
                "checks_changed": _checks_changed(connection) if before else [],
                "release_id": release_id,
                "build_id": build.build_id,
                "prepared_at": prepared_at,
                "as_of": build.as_of,
                "previous_release": before["release_id"] if before else None,
                "code_version": build.code_version,
                **_card(connection, jurisdiction),
            },
        )
        draft = {
            "release_id": release_id,
            "build_id": build.build_id,
            "jurisdiction": jurisdiction.key,
            "prepared_at": prepared_at,
            "as_of": build.as_of,
            "previous_release": before["release_id"] if before else None,
            "code_version": build.code_version,
            "contracts_hash": build.contracts_hash,
            "reference_hash": build.reference_hash,
            "expectations_hash": build.expectations_hash,
            "inputs_hash": build.inputs_hash,
            "inputs": {
                "receipts": _rows(
                    connection, f"select {_RECEIPT_COLUMNS} from build.source.receipt order by sequence, receipt_id"
                ),
                "readings": _rows(
                    connection,
                    "select reading_id, receipt_id, contract_hash, reference_hash, reader_version, status, problem, "
                    "cast(read_at as varchar) as read_at from build.source.reading order by reading_id",
                ),
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
            "tables": described,
        }
        write_json(folder / DRAFT, draft)
    pages.render(folder)
    return folder
