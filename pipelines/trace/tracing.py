"""One trace: the row, its figures computed again and compared, the rows and cells they are made of, what was checked.

It says what it finds as plain data; how that is shown is the command line's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from pipelines.figure_keys import main_reading, trace_command
from pipelines.sql import quote
from pipelines.store import read_json
from pipelines.trace import cells, evidence, lineage, rows
from pipelines.trace.evidence import Lineage
from pipelines.trace.levels import OBSERVATIONS, Levels
from pipelines.trace.replay import Replay, open_release

EXACT, DIGITS, DIFFERS, WITHHELD, NOT_COMPUTED = "exact", "12 digits", "differs", "withheld", "not computed again"


@dataclass
class Trace:
    """What is known of one published row. `outcome` is the worst of its figures'."""

    release_id: str
    table: str
    key: dict[str, Any]
    command: str
    mark: str = ""  # what the release says of figures made from synthetic input
    outcome: str = EXACT
    row: dict[str, Any] = field(default_factory=dict)
    figures: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    levels: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    cells: list[dict[str, Any]] = field(default_factory=list)
    cells_count: int = 0
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)  # deliveries of its extracts that failed their checks
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
        card = read_json(folder / "release.json")
        reading = main_reading(card)
        rows.the_row(connection, table, pairs, reading)
        row = cells.rows_of(connection, "from target")[0]
        key = {column: row[column] for column in table.key}
        found = Trace(manifest["release_id"], table.name, key, trace_command(table.name, key, reading), row=row)
        mark = card["jurisdiction"]["synthetic_mark"]
        found.mark = f"{mark['zh']} / {mark['en']}" if row.get("provenance") == "synthetic" else ""
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
        _explain(Levels(connection, known, tables), table, found, int(manifest["mask"]["cells"]), limit)
        return found
    finally:
        connection.close()


def _explain(levels: Levels, table: rows.Table, found: Trace, mask_cells: int, limit: int | None) -> None:
    """Compute the row in `target` again, compare, and follow what it is made of."""
    known, connection, replay = levels.known, levels.connection, levels.replay(table.name)
    again = _computed_again(replay, table, found.row)
    is_withheld = "Q" in str(found.row.get("obs_status") or "").split(";")
    inputs: list[lineage.Found] = []
    if is_withheld:
        found.notes.append("the figure is withheld (obs_status Q): what it rests on is not shown")
    else:
        inputs = levels.inputs_of(replay, None)
        beside = levels.inputs_of(replay, known.tables[table.name].get("beside") or {})
        levels.add([*inputs, *beside], 1)
    has_hidden = any(_is_hidden(connection, each, levels.tables) for each in inputs)
    _compare(known, table, found, again, _words_of(connection, inputs), is_withheld, has_hidden, mask_cells > 0)
    found.models = _models(known, replay, levels.tables)
    if table.name == OBSERVATIONS and not is_withheld:
        levels.add_target()
        if isinstance(again["value"], str):
            found.notes.append(again["value"])
    levels.follow(inputs, 2)
    found.levels = levels.as_list(limit)
    gathered = cells.gather(connection, known, levels.observations, limit)
    found.files, found.cells, found.deliveries = gathered.files, gathered.cells, gathered.deliveries
    found.cells_count, found.held = gathered.count, gathered.held
    about = [table.name, *dict.fromkeys(str(level["table"]) for level in found.levels)]
    outcomes, failing, touched, waivers = cells.checks_of(connection, about, limit)
    found.checks = {"outcomes": outcomes, "failing": failing, "rows": touched, "waivers": waivers}


def _compare(
    known: Lineage,
    table: rows.Table,
    found: Trace,
    again: dict[str, Any],
    words: dict[str, Any],
    is_withheld: bool,
    has_hidden: bool,
    has_mask: bool,
) -> None:
    """Every column beside the key against the same computed again; figures are told, other columns if they differ."""
    for column in table.columns:
        if column in table.key:
            continue
        published, computed = found.row[column], again.get(column, NOT_COMPUTED)
        outcome = _compared(published, computed, is_withheld)
        # A cell without a number that comes out with one may be hidden: where there is a mask, it is never shown.
        if outcome == DIFFERS and (has_hidden or (has_mask and published is None)):
            outcome = WITHHELD
        if column in table.numbers or outcome == DIFFERS:
            shown = {} if outcome in (WITHHELD, NOT_COMPUTED) else again
            found.figures.append(_figure(known, table, found.row | words, shown, column, outcome))
    outcomes = [figure["outcome"] for figure in found.figures]
    found.outcome = next((o for o in (DIFFERS, WITHHELD, NOT_COMPUTED, DIGITS) if o in outcomes), EXACT)
    if has_hidden:
        found.notes.append("figures that it rests on are withheld: from what is published it cannot all be computed")


def _words_of(connection: duckdb.DuckDBPyConnection, inputs: list[lineage.Found]) -> dict[str, Any]:
    """What a formula in words may name of the one row of a reference table that a figure rests on."""
    return {
        f"{each.table}.{column}": value
        for each in inputs
        if each.is_published and each.count == 1 and each.table.startswith("dim_")
        for column, value in cells.rows_of(connection, f"from temp.{quote(each.relation)}")[0].items()
    }


def _models(known: Lineage, replay: Replay, tables: dict[str, rows.Table]) -> list[dict[str, Any]]:
    """The models that were run, the last first, with their compiled SQL."""
    return [
        {
            "name": name,
            "path": model.path,
            "rows": replay.rows_of(name),
            "sql": model.sql,
            "description": model.description,
        }
        for name in reversed(replay.made)
        if (model := known.models.get(name))
        and not replay.is_held(name)
        and model.schema != "staging"
        and (name == replay.table or name not in tables)
    ]


def _computed_again(replay: Replay, table: rows.Table, row: dict[str, Any]) -> dict[str, Any]:
    """The row as its model gives it now; of a column that no model computes, a text says why."""
    relation = replay.relation(table.name)
    match = " and ".join(f"a.{quote(c)} is not distinct from t.{quote(c)}" for c in table.key)
    found = cells.rows_of(replay.connection, f"select a.* from {relation} a semi join target t on {match}")
    again = found[0] if found else dict.fromkeys(table.columns)
    if table.name == OBSERVATIONS:
        again["value"] = cells.read_again(replay.lineage, row)
    return again


def _is_hidden(connection: duckdb.DuckDBPyConnection, each: lineage.Found, tables: dict[str, rows.Table]) -> bool:
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


def _in_words(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _figure(
    known: Lineage, table: rows.Table, values: dict[str, Any], again: dict[str, Any], column: str, outcome: str
) -> dict[str, Any]:
    formula = str({**known.recipe["columns"], **known.tables[table.name]["formulas"]}.get(column, ""))
    said = re.sub(r"\{([a-z_.]+)\}", lambda m: _in_words(values.get(m.group(1))), formula)
    figure = {"column": column, "value": values[column], "outcome": outcome, "formula": said}
    return figure | ({"computed_again": again[column]} if column in again else {})
