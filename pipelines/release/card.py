"""The card of a release: what its pages need to know that stands in no table, and the workbooks beside them.

Names and levels of the jurisdiction, its extracts with their due dates, the tables held back, the checks that
changed. It reads the build and the prepared database; what is published is `preparation`'s business.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from pipelines.exports import failures, write_workbooks
from pipelines.jurisdiction import Jurisdiction
from pipelines.jurisdiction.cadence import owed
from pipelines.publish import Table
from pipelines.records import CheckResult, Verdict

LAST_YEAR_ASKED = 2200  # a delivery period that fits no name of the contract is never found

_EXTRACTS = """
    select department, extract, name_zh, name_en, extract_rank AS rank, provenance, license, publisher,
        source_title, owner, contract_version, (
            select list(distinct r.delivery_period) from build.source.receipt r
            where r.department = e.department and r.extract = e.extract
        ) as periods
    from build.source.extract e order by department, extract
"""
_CHECKS_CHANGED = """
    select coalesce(a.check_id, b.check_id) as check_id, coalesce(a.subject, b.subject) as subject,
        case when b.check_id is null then 'added' when a.check_id is null then 'removed' else 'changed' end as change,
        b.rule as rule_before, a.rule as rule_after
    from before.audit_check b full outer join public.audit_check a using (check_id)
    where a.rule_sha256 is distinct from b.rule_sha256
    order by 1
"""


def rows_of(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """Rows of a query as dictionaries."""
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def card(
    connection: duckdb.DuckDBPyConnection, jurisdiction: Jurisdiction, verdict: Verdict, *, has_before: bool
) -> dict[str, Any]:
    """What a reader of the release needs to know beside its tables; `before` must be attached where there is one."""
    return {
        "jurisdiction": {
            "key": jurisdiction.key,
            "name": jurisdiction.name,
            "name_en": jurisdiction.name_en,
            "home_region": jurisdiction.home_region,
            "currency": jurisdiction.currency,
            # What is meant where a reader names no fund and no population.
            "main_fund": jurisdiction.main_fund,
            "population_source": jurisdiction.population_source,
            "tells_residence": jurisdiction.tells_residence,
            "compared_depth": jurisdiction.description.compared_depth,
            # What a base unit is called where the files come from.
            "units": {unit.base: name for name, unit in jurisdiction.units.items() if unit.factor == 1}
            | jurisdiction.unit_names,
            "time_zone": jurisdiction.time_zone,
            "levels": [
                {
                    "name": level.name,
                    "name_zh": level.name_zh,
                    "name_en": level.name_en,
                    "depth": level.depth,
                    "government_level": level.government_level,
                }
                for level in jurisdiction.levels
            ],
            "synthetic_mark": jurisdiction.synthetic_mark,
            "data_notes": jurisdiction.data_notes,
            "page_language": jurisdiction.description.page_language,
            "disclosure": jurisdiction.disclosure,
        },
        # What figures rest on without an indicator that names it.
        "measures": jurisdiction.measure_roles,
        "extracts": [_with_due(jurisdiction, row) for row in rows_of(connection, _EXTRACTS)],
        "recipes": [recipe.model_dump() for recipe in jurisdiction.recipes],
        "domains": rows_of(
            connection,
            "select domain, name_zh, name_en, sort_order, is_basic from build.source.domain order by sort_order, 1",
        ),
        "carried_over": verdict.carried_over,
        "checks_changed": _checks_changed(connection) if has_before else [],
    }


def _with_due(jurisdiction: Jurisdiction, row: dict[str, Any]) -> dict[str, Any]:
    """An extract of the card with the due dates of what came, in place of the periods."""
    periods = {str(period) for period in row.pop("periods") or []}
    return {**row, "due": _due(jurisdiction, f"{row['department']}/{row['extract']}", periods)}


def _due(jurisdiction: Jurisdiction, extract: str, periods: set[str]) -> dict[str, str]:
    """Until when each of these deliveries was due, by period; empty where nothing is agreed."""
    contract = jurisdiction.contracts.get(extract)
    due: dict[str, str] = {}
    for item in owed(contract, periods) if contract is not None else ():
        if not periods - due.keys() or item.due_on.year > LAST_YEAR_ASKED:
            break
        due[item.delivery_period] = item.due_on.isoformat()
    return {period: day for period, day in due.items() if period in periods}


def _checks_changed(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Checks that are new, gone, or judge by another rule than for the attached release `before`."""
    columns = connection.execute(
        "select column_name from duckdb_columns() where database_name = 'before' and table_name = 'audit_check'"
    ).fetchall()
    # A release of before the rules were published has nothing to compare with.
    return rows_of(connection, _CHECKS_CHANGED) if ("rule_sha256",) in columns else []


def waived_by_table(results: Sequence[CheckResult]) -> dict[str, list[str]]:
    """The checks of each table that a waiver excuses, in whole or in part."""
    waived: dict[str, list[str]] = {}
    for result in results:
        if result.rows_waived:
            waived.setdefault(result.subject, []).append(result.check_id)
    return waived


def workbooks(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    tables: Sequence[Table],
    results: Sequence[CheckResult],
    jurisdiction: Jurisdiction,
) -> list[dict[str, Any]]:
    """A workbook per department of what it must mend, explained rejects with it; what was written."""
    extracts = rows_of(connection, "select department, extract, provenance from build.source.extract")
    synthetic = {f"{row['department']}/{row['extract']}" for row in extracts if row["provenance"] != "official"}
    has_rejects = any(table.name == "audit_reject" for table in tables)
    known = rows_of(connection, "select * from public.audit_reject where is_known") if has_rejects else []
    return write_workbooks(folder, failures(results, known), synthetic, jurisdiction.synthetic_mark["zh"])
