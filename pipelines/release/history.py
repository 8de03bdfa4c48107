"""What was published when: the line of current releases, and every figure that changed along it.

Each release carries the history on: the rows that the release before carried, and what it changed itself, as
`changes` found it. Where `current` was set back, or a release was withdrawn for an error that must not be told
again, the line between two releases is compared anew from the shelf. How a reader asks it is `macros`' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import polars as pl

from pipelines.ledger import Ledger
from pipelines.publish import Table, listed_tables, own_tables
from pipelines.release import changes, database
from pipelines.release.approval import severities
from pipelines.release.shelf import read_manifest
from pipelines.sql import quote, text_literal
from pipelines.standing import states
from pipelines.store import Warehouse

WHOLE = "*"  # in place of a column or a row: all of it
# How a row's key is written: `column=value` joined by semicolons; a value's own `%` and `;` are escaped.
_ESCAPED = (("%", "%25"), (";", "%3B"))
_COLUMNS = "table_name, row_key, column_name, change_kind, value_before, value_after, cause, provenance"
_NOT_YET = "before the history begins"
_GONE = "its files are no longer here"
_AS_OF = "a release of an earlier moment has no history"


def row_key(columns: Sequence[str], prefix: str) -> str:
    """SQL that writes the key of a row, whose columns bear a prefix."""
    parts = []
    for position, column in enumerate(columns):
        value = f"cast({quote(prefix + column)} as varchar)"
        for character, escape in _ESCAPED:
            value = f"replace({value}, '{character}', '{escape}')"
        parts.append(f"'{';' if position else ''}{column}=', {value}")
    return f"concat({', '.join(parts)})"


def key_cell(key: Sequence[str], position: int) -> str:
    """SQL that reads the n-th value of a `row_key` again, as text."""
    value = f"substr(split_part(row_key, ';', {position + 1}), {len(key[position]) + 2})"
    for character, escape in reversed(_ESCAPED):
        value = f"replace({value}, '{escape}', '{character}')"
    return value


class Recorder:
    """Takes down what `changes` finds, as rows of `publication_history` without their step."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        connection.execute(
            "create or replace temporary table recorded (table_name varchar, row_key varchar, column_name varchar, "
            "change_kind varchar, value_before varchar, value_after varchar, cause varchar, provenance varchar)"
        )

    def whole(self, table: Table, kind: str, column: str = WHOLE) -> None:
        """A table or a column that came, or came to be something else: its rows of before cannot be told."""
        self._connection.execute(
            f"insert into recorded ({_COLUMNS}) values (?, ?, ?, ?, null, null, null, null)",
            [table.name, WHOLE, column, kind],
        )

    def rows(self, table: Table, columns: Sequence[str]) -> None:
        """The rows of the temporary relation `changed`: one line for each that came or went, one for each cell."""
        said = f"{text_literal(table.name)}, row_key"
        why = "array_to_string(causes, '; '), provenance"
        key = row_key(table.key, "key_")
        self._connection.execute(
            f"create or replace temporary table keyed as select *, {key} as row_key from changed; "
            f"insert into recorded ({_COLUMNS}) select {said}, '{WHOLE}', kind, null, null, {why} "
            "from keyed where kind in ('added', 'removed')"
        )
        for column in columns:
            before, after = quote(f"before_{column}"), quote(f"after_{column}")
            self._connection.execute(
                f"insert into recorded ({_COLUMNS}) "
                f"select {said}, {text_literal(column)}, kind, cast({before} as varchar), "
                f"case when kind <> 'removed' then cast({after} as varchar) end, {why} from keyed "
                f"where (kind in ('revised', 'reread') and {before} is distinct from {after}) "
                f"or (kind = 'removed' and {before} is not null)"
            )
        self._connection.execute("drop table keyed")


@dataclass(frozen=True)
class Step:
    """One line of `publication`: from when on which release was current; None when none was."""

    step: int
    release_id: str | None
    published_at: str
    cause: str
    is_kept: bool = True
    note: str | None = None


def _timeline(warehouse: Warehouse, ledger: Ledger) -> list[Step]:
    """What was current, one after the other, as the ledger says; and whether its figures can be told again."""
    known, policy = states(warehouse), severities()
    steps: list[Step] = []
    for entry in ledger.entries():
        if entry.event != "current":
            continue
        release_id, note = entry.details["release_id"], None
        if steps and steps[-1].release_id == release_id:
            continue
        state = known.get(release_id or "", {})
        is_kept = True
        if state.get("state") == "withdrawn":
            note = f"withdrawn: {state['reason']}"
            # What had to be withdrawn may be what nobody should have seen: it is not published a second time.
            is_kept = policy[state["severity"]].withdraw != "required"
        if release_id and not (warehouse.release_folder(release_id) / "public.duckdb").exists():
            is_kept, note = False, _GONE
        steps.append(Step(len(steps) + 1, release_id, entry.at, entry.details["cause"], is_kept, note))
    return steps


def _carried(
    connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, steps: list[Step], attached: str | None
) -> tuple[list[Step], int]:
    """The steps as far as a history of them exists, and how many of them the newest one on the shelf already tells.

    Its rows of those steps are laid as the temporary table `told`. `attached` is the release attached as `before`.
    """
    connection.execute(f"create or replace temporary table told as select 0 as step, {_COLUMNS} from recorded limit 0")
    sealed = [s for s in steps if s.cause in ("sealed", "recovered") and s.release_id]
    for base in reversed(sealed):
        path = warehouse.release_folder(str(base.release_id)) / "public.duckdb"
        if not path.exists():
            continue
        catalog = "before" if base.release_id == attached else "base"
        if catalog == "base":
            connection.execute(f"attach {text_literal(str(path))} as base (read_only)")
        try:
            if not _has_history(connection, catalog):
                break
            lines = connection.execute(
                f"select release_id, is_kept, note from {catalog}.publication order by step"
            ).fetchall()
            first = next((n for n, line in enumerate(lines) if line[0] and line[2] != _NOT_YET), len(lines))
            steps = [replace(s, is_kept=False, note=_NOT_YET) if s.step <= first else s for s in steps]
            pairs = zip(lines, steps, strict=False)
            same = next(
                (n for n, (line, s) in enumerate(pairs) if line[:2] != (s.release_id, s.is_kept)),
                min(len(lines), len(steps)),
            )
            connection.execute(
                f"insert into told select step, {_COLUMNS} from {catalog}.publication_history where step <= {same}"
            )
            return steps, same
        finally:
            if catalog == "base":
                connection.execute("detach base")
    steps = [replace(s, is_kept=False, note=_NOT_YET) for s in steps[:-1]] + steps[-1:]
    return steps, 0


def _has_history(connection: duckdb.DuckDBPyConnection, catalog: str) -> bool:
    found = connection.execute(
        "select 1 from duckdb_tables() where database_name = ? and table_name = 'publication_history'", [catalog]
    ).fetchone()
    return found is not None


def _tell(connection: duckdb.DuckDBPyConnection, step: int, source: str = "recorded") -> None:
    connection.execute(f"insert into told select {step}, {_COLUMNS} from {source}")


def _compare_on_shelf(
    connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, before: str, after: str, step: int
) -> None:
    """The step from one sealed release to another."""
    folders = [warehouse.release_folder(release_id) for release_id in (before, after)]
    old, new = (read_manifest(folder) for folder in folders)
    with duckdb.connect() as other:
        for alias, folder in zip(("before", "public"), folders, strict=True):
            other.execute(f"attach {text_literal(str(folder / 'public.duckdb'))} as {alias} (read_only)")
        recorder = Recorder(other)
        changes.compare(other, listed_tables(new), old, new, limit=0, recorder=recorder)
        found = other.sql(f"select {_COLUMNS} from recorded").to_arrow_table()
    connection.register("found_on_shelf", found)
    _tell(connection, step, "found_on_shelf")
    connection.unregister("found_on_shelf")


def carry_on(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    ledger: Ledger,
    tables: Sequence[Table],
    before: dict[str, Any] | None,
    after: dict[str, Any],
    masks: dict[str, pl.DataFrame],
) -> None:
    """Write `publication` and `publication_history` of the release being prepared.

    `connection` has it as `public`, the current release as `before` (if there is one), and in `recorded` what a
    `Recorder` took down between them. `before` and `after` are their manifests, `tables` those published now, and
    `masks` what is hidden now, by table.
    """
    attached = before["release_id"] if before else None
    steps = _timeline(warehouse, ledger)
    this = Step(len(steps) + 1, after["release_id"], after["prepared_at"], "sealed")
    if after["as_of"]:
        steps = [replace(s, is_kept=False, note=_AS_OF) for s in steps]
        _carried(connection, warehouse, [], attached)
    elif steps:
        steps, same = _carried(connection, warehouse, steps, attached)
        last = next((s.release_id for s in reversed(steps[:same]) if s.is_kept and s.release_id), None)
        for step in steps[same:]:
            if step.is_kept and step.release_id:
                if last and step.release_id != last:
                    _compare_on_shelf(connection, warehouse, last, step.release_id, step.step)
                last = step.release_id
        if last and last != attached:
            _record_against(connection, warehouse, last, tables, after, attached)
        if last:
            _tell(connection, this.step)
    else:
        _carried(connection, warehouse, [], attached)
    _withhold(connection, tables, masks)
    _write(connection, tables, [*steps, this])


def _record_against(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    release_id: str,
    tables: Sequence[Table],
    after: dict[str, Any],
    attached: str | None,
) -> None:
    """Record the step to this release from another than the current one: nothing was current when it was made."""
    assert attached is None, "what is current was the last to be published"
    folder = warehouse.release_folder(release_id)
    connection.execute(f"attach {text_literal(str(folder / 'public.duckdb'))} as before (read_only)")
    try:
        changes.compare(connection, tables, read_manifest(folder), after, limit=0, recorder=Recorder(connection))
    finally:
        connection.execute("detach before")


def _write(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table], steps: list[Step]) -> None:
    own = {table.name: table for table in own_tables()}
    database.insert_rows(
        connection,
        own["publication"],
        [{**s.__dict__, "published_at": database.utc(s.published_at)} for s in steps],
    )
    published = ", ".join(text_literal(table.name) for table in tables)
    connection.execute(f"delete from told where table_name not in ({published})")
    connection.execute("create or replace temporary table line (step bigint, release_before varchar, after varchar)")
    last = None
    for step in steps:
        if step.is_kept and step.release_id:
            connection.execute("insert into line values (?, ?, ?)", [step.step, last, step.release_id])
            last = step.release_id
    target = own["publication_history"]
    database.create(connection, target, with_key=database.is_small(connection, "told"))
    came_from = {"release_before": "l.release_before", "release_after": "l.after"}
    columns = ", ".join(came_from.get(name, f"t.{quote(name)}") for name in target.column_names)
    order = ", ".join(f"t.{quote(name)}" for name in target.order_by)
    connection.execute(
        f"insert into public.publication_history select {columns} from told t join line l on l.step = t.step "
        f"order by {order}"
    )
    connection.execute("drop table told; drop table line; drop table if exists recorded")


def _withhold(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table], masks: dict[str, pl.DataFrame]) -> None:
    """What the mask hides now, the history does not tell either: it was shown once, and is not shown again."""
    for table in tables:
        if (mask := masks.get(table.name)) is None:
            continue
        key = ", ".join(f"key_json->>{text_literal(name)} as {quote(f'k_{name}')}" for name in table.key)
        connection.register("mask_cells", mask.to_arrow())
        connection.execute(
            "create or replace temporary table hidden as "
            f"select {row_key(table.key, 'k_')} as row_key, column_name, conf_status "
            f"from (select {key}, column_name, conf_status from mask_cells)"
        )
        connection.unregister("mask_cells")
        mine = f"h.table_name = {text_literal(table.name)} and h.row_key = m.row_key"
        for said, which in (
            ("null", "h.column_name = m.column_name"),
            ("'Q'", "h.column_name = 'obs_status'"),
            ("m.conf_status", "h.column_name = 'conf_status'"),
        ):
            connection.execute(
                f"update told h set value_before = {said}, value_after = {said}, change_kind = 'withheld' "
                f"from hidden m where {mine} and {which}"
            )
    connection.execute("drop table if exists hidden")
