"""The cells that a figure comes from: files, deliveries of the same figure and why one of them counts, checks, waivers.

Rows of `fct_observation` come in; what stands in the departments' files is told by place. Of person-level extracts
there are counts and receipts only: no row of such a file is anywhere in a release.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb

from pipelines.sql import text_literal
from pipelines.trace.evidence import Evidence

PLACE = ("source_file", "source_sheet", "source_row", "source_column")
SAME_FIGURE = (
    "measure", "region_code", "period_start", "period_end", "population_basis", "residence", "sex", "age_group",
    "group", "item",
)  # fmt: skip


@dataclass(frozen=True)
class Cells:
    """Everything about the cells behind a figure."""

    files: list[dict[str, Any]]
    cells: list[dict[str, Any]]
    deliveries: list[dict[str, Any]]
    held: list[dict[str, Any]]
    count: int


def rows_of(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    """The answer of a statement as dictionaries."""
    found = connection.execute(sql)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def lay(connection: duckdb.DuckDBPyConnection, known: Evidence, observations: str) -> None:
    """Lay the observations whose ids a statement gives as the temporary view `contributing`."""
    persons = [name for name, rules in known.extracts.items() if rules["is_person_level"]]
    listed = ", ".join(map(text_literal, persons)) or "''"
    connection.execute(
        f"create or replace temporary table contributing as select o.*, o.department || '/' || o.extract in ({listed}) "
        f"as is_person_level from public.main.fct_observation o where o.observation_id in ({observations})"
    )


def gather(connection: duckdb.DuckDBPyConnection, limit: int | None) -> Cells:
    """Files, cells and deliveries of the observations in `contributing`; at most `limit` cells are listed."""
    files = rows_of(
        connection,
        "select r.receipt_id, c.department || '/' || c.extract as extract, r.delivery_period, r.landing_path, "
        "r.received_at, r.sha256, r.is_in_force, any_value(c.provenance) as provenance, r.contract_version, "
        "any_value(c.is_person_level) as is_person_level, count(*) as figures "
        "from contributing c left join public.main.audit_receipt r on r.receipt_id = c.receipt_id "
        "group by all order by r.landing_path, r.received_at",
    )
    bound = f" limit {limit}" if limit is not None else ""
    cells = rows_of(
        connection,
        "select observation_id, measure, region_code, region_name, period_end, population_basis, residence, sex, "
        'age_group, "group", item, value, unit, value_reported, unit_reported, obs_status, provenance, receipt_id, '
        "correction_id, department || '/' || extract as extract, source_file, source_sheet, source_row, source_column, "
        "is_person_level, "
        "(conf_status <> 'F' and obs_status like '%Q%') as is_hidden from contributing "
        f"order by measure, region_code, period_end, source_file, source_row, source_column{bound}",
    )
    for cell in cells:
        if cell.pop("is_person_level"):
            for column in (*PLACE[1:], "value_reported"):
                cell[column] = None
            cell["note"] = "counted from records of persons: no row is shown"
        if cell.pop("is_hidden"):
            cell["value"] = cell["value_reported"] = None
            cell["note"] = "withheld"
    same = " and ".join(f'd."{c}" is not distinct from s."{c}"' for c in SAME_FIGURE)
    shown = "(select * from contributing order by measure, region_code, period_end, source_file, source_row"
    deliveries = rows_of(
        connection,
        "select d.measure, d.region_code, d.period_end, d.residence, d.sex, d.age_group, "
        "d.department || '/' || d.extract as extract, d.delivery_period, "
        "case when d.conf_status = 'F' or d.obs_status not like '%Q%' then d.value end as value, "
        "d.obs_status, d.extract_rank, d.is_latest, d.is_chosen, d.receipt_id, "
        "r.received_at, r.sequence, r.is_in_force, d.correction_id, "
        "list_aggregate([d.measure, d.region_code, cast(d.period_end as varchar), d.population_basis, d.residence, "
        "d.sex, d.age_group, d.\"group\", d.item], 'string_agg', ' ') as figure "
        f"from public.main.fct_observation d semi join {shown}{bound}) s on {same} "
        "left join public.main.audit_receipt r on r.receipt_id = d.receipt_id "
        "order by figure, d.extract_rank, d.delivery_period desc, r.sequence desc",
    )
    _say_why(deliveries)
    total = connection.execute("select count(*) from contributing").fetchone()
    return Cells(files, cells, deliveries, _held(connection), int(total[0]) if total else 0)


def _held(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Deliveries that failed their checks, of the extracts of the cells; those first in whose place the cells stand.

    `figures` is how many of the cells stand in for figures of that delivery, `stays_at` when the last of these came.
    """
    known = rows_of(connection, "select column_name from (describe public.main.audit_receipt)")
    if not any(row["column_name"] == "in_place_of" for row in known):
        return []  # a release of before deliveries were held
    return rows_of(
        connection,
        "select h.receipt_id, h.department || '/' || h.extract as extract, h.delivery_period, h.landing_path, "
        "h.held_since, h.held_because, count(r.receipt_id) as figures, max(r.received_at) as stays_at "
        "from public.main.audit_receipt h join contributing c on c.department = h.department and c.extract = h.extract "
        "left join public.main.audit_receipt r on r.receipt_id = c.receipt_id and r.in_place_of = h.receipt_id "
        "where h.is_held group by all order by figures = 0, h.landing_path, h.receipt_id",
    )


def _say_why(deliveries: list[dict[str, Any]]) -> None:
    """Why each delivery of a figure counts, or does not."""
    chosen = {row["figure"]: row for row in deliveries if row["is_chosen"]}
    alone: dict[str, int] = {}
    for row in deliveries:
        alone[row["figure"]] = alone.get(row["figure"], 0) + 1
    for row in deliveries:
        best = chosen.get(row["figure"])
        if row["is_chosen"]:
            others = any(r["figure"] == row["figure"] and r["extract"] != row["extract"] for r in deliveries)
            row["why"] = (
                "the only delivery of it"
                if alone[row["figure"]] == 1
                else "chosen: the last delivery of its extract that holds it"
                + (f", and its extract ranks first ({row['extract_rank']})" if others else "")
            )
        elif row["is_latest"] and best is not None:
            row["why"] = (
                f"reported as missing; {best['extract']} has a number"
                if row["value"] is None and best["value"] is not None
                else f"outranked by {best['extract']} ({best['extract_rank']} before {row['extract_rank']})"
            )
        elif row["is_in_force"] is False:
            row["why"] = "its file was replaced or taken back"
        else:
            row["why"] = "a later delivery of its extract holds the figure, or replaces all of it"


def read_again(
    connection: duckdb.DuckDBPyConnection, known: Evidence
) -> tuple[dict[str, Decimal | None], dict[str, str]]:
    """The numbers in the cells of `contributing`, in base units, by the rules of their contracts; by observation.

    The second answer says of some why they are not read again: they were counted from records of persons, or what reads
    them is not in the release; they count as published.
    """
    rows = rows_of(
        connection,
        "select observation_id, department || '/' || extract as extract, unit_reported, value_reported, correction_id, "
        "value, (conf_status <> 'F' and obs_status like '%Q%') as is_hidden from contributing",
    )
    numbers: dict[str, Decimal | None] = {}
    unread: dict[str, str] = {}
    alike: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        extract = known.extracts.get(row["extract"])
        if row["is_hidden"]:
            continue  # what rests on it is not computed
        if extract is None:
            unread[row["observation_id"]] = "its contract is not in the release"
        elif extract["is_person_level"]:
            unread[row["observation_id"]] = "counted from records of persons: no row is in a release"
        elif (row["unit_reported"] or "") not in known.units:
            unread[row["observation_id"]] = f"the unit {row['unit_reported']!r} is not in the release"
        else:
            alike.setdefault((row["extract"], row["unit_reported"] or ""), []).append(row)
        if row["observation_id"] in unread:
            numbers[row["observation_id"]] = row["value"]
    for (name, unit), group in alike.items():
        for row, number in zip(group, _numbers_in(known, name, unit, group), strict=True):
            numbers[row["observation_id"]] = number
    return numbers, unread


def _numbers_in(known: Evidence, extract: str, unit: str, rows: list[dict[str, Any]]) -> list[Decimal | None]:
    """The numbers in cells of one extract and unit: by the layout that gives the published one, else by the last."""
    import polars as pl

    from pipelines.intake import numbers
    from pipelines.jurisdiction.contract import NumberStyle

    corrected = [known.corrections.get(row["correction_id"] or "", {}).get("value") for row in rows]
    texts = [
        value if value is not None else row["value_reported"] or "" for value, row in zip(corrected, rows, strict=True)
    ]
    found: list[Decimal | None] = [None] * len(rows)
    for layout in known.extracts[extract]["layouts"]:
        read = numbers.parse(
            pl.Series("text", texts, dtype=pl.String),
            kind="decimal",
            factor=known.units[unit]["factor"],
            is_percent=known.units[unit]["base"] == "percent",
            tokens=layout["tokens"],
            marks=layout["marks"],
            minimum=None,
            maximum=None,
            style=NumberStyle(**layout["numbers"]),
        )["value"].to_list()
        found = [
            before if before is not None and before == row["value"] else now
            for before, now, row in zip(found, read, rows, strict=True)
        ]
    return found


def checks_of(
    connection: duckdb.DuckDBPyConnection, tables: list[str], limit: int | None
) -> tuple[dict[str, int], list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Of the tables and extracts: outcomes of checks, the checks that failed, failing rows of these cells, waivers."""
    listed = ", ".join(f"'{name}'" for name in tables)
    extracts = "select distinct department || '/' || extract from contributing"
    about = f"(c.subject in ({listed}) or c.subject in ({extracts}))"
    outcomes = {
        str(row["outcome"]): int(row["n"])
        for row in rows_of(
            connection,
            f"select outcome, count(*) as n from public.main.audit_check c where {about} group by 1 order by 1",
        )
    }
    bound = f" limit {limit}" if limit is not None else ""
    found = rows_of(
        connection,
        "select check_id, subject, severity, outcome, description, observed, expected, failing_rows, rows_waived "
        f"from public.main.audit_check c where {about} and outcome in ('fail', 'error') "
        f"order by severity, check_id{bound}",
    )
    touched = rows_of(
        connection,
        "select r.check_id, r.region_code, r.period, r.source_file, r.source_sheet, r.source_row, r.source_column "
        "from public.main.audit_check_row r semi join contributing c on c.source_file = r.source_file "
        "and c.source_row = r.source_row and (r.source_column is null or r.source_column = c.source_column) "
        f"and not c.is_person_level order by all{bound}",
    )
    waivers = rows_of(
        connection,
        "select w.* from public.main.audit_waiver w where w.is_used and (w.subject in "
        f"({listed}) or w.subject in ({extracts}) or exists (select 1 from public.main.audit_check c "
        f"where c.check_id = w.check_id and {about})) order by w.check_id",
    )
    return outcomes, found, touched, waivers
