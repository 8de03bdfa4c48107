"""One trace: the row, its figures computed again and compared, the rows and cells they are made of, what was checked.

It says what it finds as plain data; how that is shown is the command line's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from pipelines.figure_keys import trace_command
from pipelines.sql import quote
from pipelines.store import read_json
from pipelines.trace import cells, evidence, lineage, rows
from pipelines.trace.evidence import Lineage
from pipelines.trace.replay import MAIN, Replay, open_release

OBSERVATIONS = "fct_observation"
EXACT, DIGITS, DIFFERS, WITHHELD, NOT_COMPUTED = "exact", "12 digits", "differs", "withheld", "not computed again"


@dataclass
class Trace:
    """What is known of one published row. `outcome` is the worst of its figures'."""

    release_id: str
    table: str
    key: dict[str, Any]
    command: str
    outcome: str = EXACT
    row: dict[str, Any] = field(default_factory=dict)
    figures: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    levels: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    cells: list[dict[str, Any]] = field(default_factory=list)
    cells_count: int = 0
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    checks: dict[str, Any] = field(default_factory=dict)
    models: list[dict[str, Any]] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """False when a figure, computed again, is another one."""
        return self.outcome != DIFFERS

    def as_dict(self) -> dict[str, Any]:
        """The trace as plain types."""
        return asdict(self) | {"agrees": self.agrees}


def trace(folder: Path, table_name: str, pairs: Sequence[str], *, limit: int | None = None) -> Trace:
    """Trace one row of a sealed release; at most `limit` rows of each kind are listed, counts are of all.

    Raises UsageError when the table or key names no row or several, or the release carries no lineage.
    """
    known = evidence.read(folder)
    manifest = read_json(folder / "manifest.json")
    connection = open_release(known)
    try:
        tables = rows.tables_of(connection, manifest)
        table = rows.chosen_table(tables, known, table_name)
        rows.the_row(connection, table, pairs)
        row = cells.rows_of(connection, "from target")[0]
        key = {column: row[column] for column in table.key}
        found = Trace(manifest["release_id"], table.name, key, trace_command(table.name, key), row=row)
        carried = {str(said["table"]): said for said in manifest.get("carried_over") or []}
        if table.name in carried:
            said = carried[table.name]
            found.outcome = NOT_COMPUTED
            found.notes.append(
                f"{table.name} stands as in {said['from_release']}, because its new rows did not pass "
                f"{', '.join(said['checks'])}: trace it there (--release {said['from_release']})"
            )
            found.figures = [_figure(known, table, row, {}, column, NOT_COMPUTED) for column in table.numbers]
            return found
        replay = Replay(connection, known, table.name, tables)
        _explain(replay, known, tables, table, found, limit)
        return found
    finally:
        connection.close()


def _explain(
    replay: Replay,
    known: Lineage,
    tables: dict[str, rows.Table],
    table: rows.Table,
    found: Trace,
    limit: int | None,
) -> None:
    connection = replay.connection
    again = _computed_again(replay, known, table, found.row)
    is_withheld = "Q" in str(found.row.get("obs_status") or "").split(";")
    inputs = [] if is_withheld else lineage.inputs_of(replay, {name: t.key for name, t in tables.items()})
    beside = [] if is_withheld else lineage.beside(replay, {name: t.key for name, t in tables.items()})
    reference = {
        f"{i.table}.{column}": value
        for i in inputs
        if i.is_published and i.count == 1 and i.table.startswith("dim_")
        for column, value in cells.rows_of(connection, f"from temp.{quote(i.relation)}")[0].items()
    }
    masked = any(_masked(connection, i, tables) for i in inputs)
    for column in table.columns:
        if column in table.key:
            continue
        outcome = _compared(found.row[column], again.get(column, NOT_COMPUTED), is_withheld)
        if outcome == DIFFERS and masked:
            outcome = WITHHELD
        if column in table.numbers or outcome == DIFFERS:
            shown = {} if outcome in (WITHHELD, NOT_COMPUTED) else again
            found.figures.append(_figure(known, table, found.row | reference, shown, column, outcome))
    outcomes = [figure["outcome"] for figure in found.figures]
    found.outcome = next((o for o in (DIFFERS, WITHHELD, NOT_COMPUTED, DIGITS) if o in outcomes), EXACT)
    if is_withheld:
        found.notes.append("the figure is withheld (obs_status Q): what it rests on is not shown")
    if isinstance(again.get("value"), str) and table.name == OBSERVATIONS:
        found.notes.append(str(again["value"]))
    if masked and not is_withheld:
        found.notes.append("figures that it rests on are withheld: from what is published it cannot be computed again")
    found.models = [
        {
            "name": name,
            "path": model.path,
            "rows": replay.rows_of(name),
            "sql": model.sql,
            "description": model.description,
        }
        for name in replay.made
        if (model := known.models.get(name))
        and not replay.is_held(name)
        and model.schema != "staging"
        and (name == table.name or name not in tables)
    ][::-1]
    connection.execute(f"create or replace temporary table observations as from public.{MAIN}.{OBSERVATIONS} limit 0")
    if table.name == OBSERVATIONS and not is_withheld:
        connection.execute("insert into observations from target")
    _show(connection, known, tables, [*inputs, *beside], found, 1, limit)
    _descend(connection, known, tables, inputs, found, 2, limit)
    gathered = cells.gather(connection, known, "observations", limit)
    found.files, found.cells, found.deliveries = gathered.files, gathered.cells, gathered.deliveries
    found.cells_count = gathered.count
    about = [table.name, *dict.fromkeys(str(level["table"]) for level in found.levels)]
    outcomes_of_checks, failing, touched, waivers = cells.checks_of(connection, about, limit)
    found.checks = {"outcomes": outcomes_of_checks, "failing": failing, "rows": touched, "waivers": waivers}


def _descend(
    connection: duckdb.DuckDBPyConnection,
    known: Lineage,
    tables: dict[str, rows.Table],
    inputs: list[lineage.Found],
    found: Trace,
    depth: int,
    limit: int | None,
) -> None:
    """Follow the rows of published tables down to the observations, table by table."""
    for each in inputs:
        if each.table == OBSERVATIONS:
            connection.execute(f"insert into observations from temp.{quote(each.relation)} except from observations")
    for each in inputs:
        if each.table not in known.tables or each.table == OBSERVATIONS:
            continue
        whole = f"temp.{quote(each.relation)}"
        cell = known.tables[each.table].get("cell")
        if cell:  # rows that are an observation as it stands need no model
            connection.execute(
                f"insert into observations select o.* from public.{MAIN}.{OBSERVATIONS} o "
                f"semi join {whole} r on r.{quote(cell)} = o.observation_id except from observations"
            )
            whole = f"{whole} where {quote(cell)} is null"
        connection.execute(f"create or replace temporary table target as from {whole}")
        if connection.execute("from target limit 1").fetchone() is None:
            continue
        replay = Replay(connection, known, each.table, tables)
        below = lineage.inputs_of(replay, {name: t.key for name, t in tables.items()})
        _show(connection, known, tables, below, found, depth, limit)
        _descend(connection, known, tables, below, found, depth + 1, limit)


def _show(
    connection: duckdb.DuckDBPyConnection,
    known: Lineage,
    tables: dict[str, rows.Table],
    inputs: Sequence[lineage.Found],
    found: Trace,
    depth: int,
    limit: int | None,
) -> None:
    """Add the rows of one level to the trace; observations are shown as cells."""
    for each in inputs:
        bound = f" limit {limit}" if limit is not None else ""
        listed = (
            [] if each.table == OBSERVATIONS else cells.rows_of(connection, f"from temp.{quote(each.relation)}{bound}")
        )
        if each.table in known.tables:
            for row in listed:
                row["trace"] = trace_command(each.table, {c: row[c] for c in tables[each.table].key})
        found.levels.append(
            {
                "level": depth,
                "table": each.table,
                "count": each.count,
                "main": (known.tables.get(each.table) or {}).get("main"),
                "key": tables[each.table].key if each.table in tables else [],
                "rows": listed,
            }
        )


def _computed_again(replay: Replay, known: Lineage, table: rows.Table, row: dict[str, Any]) -> dict[str, Any]:
    """The row as its model gives it now; of a column that no model computes, a text says why."""
    relation = replay.relation(table.name)
    match = " and ".join(f"a.{quote(c)} is not distinct from t.{quote(c)}" for c in table.key)
    found = cells.rows_of(replay.connection, f"select a.* from {relation} a semi join target t on {match}")
    again = found[0] if found else dict.fromkeys(table.columns)
    if table.name == OBSERVATIONS:
        again["value"] = cells.read_again(known, row)
    return again


def _masked(connection: duckdb.DuckDBPyConnection, each: lineage.Found, tables: dict[str, rows.Table]) -> bool:
    """Whether a row of an input is hidden by the mask, in part or as a whole."""
    if not each.is_published or "conf_status" not in tables[each.table].columns:
        return False
    counted = connection.execute(
        f"select count(*) from temp.{quote(each.relation)} where conf_status <> 'F' and obs_status like '%Q%'"
    ).fetchone()
    return bool(counted and counted[0])


def _compared(published: Any, again: Any, is_withheld: bool) -> str:
    """How a published cell and the same computed again stand to each other."""
    if isinstance(again, str) and not isinstance(published, str):
        return WITHHELD if is_withheld and published is None else NOT_COMPUTED
    if is_withheld and (published is None or isinstance(published, str)):
        return WITHHELD
    if published == again and type(published) is type(again):
        return EXACT
    if isinstance(published, float) and isinstance(again, float):
        if math.isnan(published) and math.isnan(again):
            return EXACT
        if f"{published:.11e}" == f"{again:.11e}":
            return DIGITS
    return DIFFERS


def _figure(
    known: Lineage, table: rows.Table, values: dict[str, Any], again: dict[str, Any], column: str, outcome: str
) -> dict[str, Any]:
    formula = str((known.tables[table.name].get("formulas") or {}).get(column, ""))
    said = re.sub(
        r"\{([a-z_.]+)\}", lambda m: str(values[m.group(1)]) if values.get(m.group(1)) is not None else "none", formula
    )
    figure = {"column": column, "value": values[column], "outcome": outcome, "formula": said}
    return figure | ({"computed_again": again[column]} if column in again else {})
