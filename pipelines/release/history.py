"""What was published when: the line of current releases, and every figure that changed along it.

Each release carries the history on: the packed rows of the release before as they are, and what it changed itself, as
`changes` found it. Where `current` was set back, or a release was withdrawn for an error that must not be published
again, the line between two releases is compared anew from the shelf. How it is stored is `packing`'s business, how a
reader asks it `macros`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import polars as pl

from pipelines.ledger import Ledger
from pipelines.publish import Table, listed_tables, own_tables
from pipelines.release import changes, database, packing
from pipelines.release.approval import severities
from pipelines.release.packing import CELLS, WHOLE, row_key
from pipelines.release.shelf import read_manifest
from pipelines.sql import quote, text_literal
from pipelines.standing import states
from pipelines.store import Warehouse

_COLUMNS = ", ".join(CELLS)
_NOT_YET = "before the history begins"
_GONE = "its files are no longer here"
_AS_OF = "a release of an earlier moment has no history"


class Recorder:
    """Takes down what `changes` finds, one row for each change, in the temporary table `recorded`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        columns = ", ".join(f"{name} {kind}" for name, kind in CELLS.items())
        connection.execute(f"create or replace temporary table recorded ({columns})")

    def whole(self, table: Table, kind: str, column: str = WHOLE) -> None:
        """A table or a column that came, or came to be something else: its rows of before cannot be recorded."""
        self._connection.execute(
            f"insert into recorded ({_COLUMNS}) values (?, ?, ?, ?, null, null, null)",
            [table.name, WHOLE, column, kind],
        )

    def rows(self, table: Table, columns: Sequence[str]) -> None:
        """The rows of the temporary relation `changed`: one line for each that came or went, one for each cell."""
        row = f"{text_literal(table.name)}, row_key"
        why = "array_to_string(causes, '; '), provenance"
        key = row_key(table.key, "key_")
        self._connection.execute(
            f"create or replace temporary table keyed as select *, {key} as row_key from changed; "
            f"insert into recorded ({_COLUMNS}) select {row}, '{WHOLE}', kind, null, {why} "
            "from keyed where kind in ('added', 'removed')"
        )
        for column in columns:
            before, after = quote(f"before_{column}"), quote(f"after_{column}")
            self._connection.execute(
                f"insert into recorded ({_COLUMNS}) "
                f"select {row}, {text_literal(column)}, kind, cast({before} as varchar), {why} from keyed "
                f"where kind = 'removed' or (kind in ('revised', 'reread') and {before} is distinct from {after})"
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


def _lay(connection: duckdb.DuckDBPyConnection) -> None:
    """Empty temporary tables: `packed` for what is carried on as it is, `unpacked` for changes one by one."""
    columns = ", ".join(f"{name} {kind}" for name, kind in CELLS.items())
    connection.execute(
        f"create or replace temporary table unpacked (step bigint, {columns}); "
        f"create or replace temporary table packed as {packing.pack('unpacked')}"
    )


def _carried(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    steps: list[Step],
    attached: str | None,
    masks: dict[str, pl.DataFrame],
    mask_sha256: str,
) -> tuple[list[Step], int]:
    """The steps as far as a history of them exists, and how many of them the newest one on the shelf already holds.

    Its rows of those steps are laid as they are, but for tables of which other cells are hidden now than were then:
    those are unpacked. `attached` is the release attached as `before`.
    """
    sealed = [s for s in steps if s.cause in ("sealed", "recovered") and s.release_id]
    for base in reversed(sealed):
        folder = warehouse.release_folder(str(base.release_id))
        if not (folder / "public.duckdb").exists():
            continue
        catalog = "before" if base.release_id == attached else "base"
        if catalog == "base":
            connection.execute(f"attach {text_literal(str(folder / 'public.duckdb'))} as base (read_only)")
        try:
            stored_as = _history_of(connection, catalog)
            if stored_as is None:
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
            source, rows = f"{catalog}.{stored_as}", f"step <= {same}"
            if stored_as != packing.TABLE:
                connection.execute(
                    f"insert into unpacked select step, {_COLUMNS} from {source} where {rows} and step is not null"
                )
                return steps, same
            is_hidden_alike = read_manifest(folder)["mask"]["sha256"] == mask_sha256
            again = ", ".join(text_literal(name) for name in (() if is_hidden_alike else masks)) or "null"
            connection.execute(
                f"insert into packed select * from {source} where {rows} and (table_name in ({again})) is not true; "
                f"insert into unpacked {packing.unpack(source, f'{rows} and table_name in ({again})')}"
            )
            return steps, same
        finally:
            if catalog == "base":
                connection.execute("detach base")
    steps = [replace(s, is_kept=False, note=_NOT_YET) for s in steps[:-1]] + steps[-1:]
    return steps, 0


def _history_of(connection: duckdb.DuckDBPyConnection, catalog: str) -> str | None:
    """The table that holds a release's history, packed or, as before, a row for each change; None without any."""
    found = connection.execute(
        "select table_name from duckdb_tables() where database_name = ? and table_name in (?, 'publication_history')",
        [catalog, packing.TABLE],
    ).fetchone()
    return str(found[0]) if found else None


def _add(connection: duckdb.DuckDBPyConnection, step: int, source: str = "recorded") -> None:
    connection.execute(f"insert into unpacked select {step}, {_COLUMNS} from {source}")


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
    _add(connection, step, "found_on_shelf")
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
    """Write `publication` and `publication_change` of the release being prepared.

    `connection` has it as `public`, the current release as `before` (if there is one), and in `recorded` what a
    `Recorder` took down between them. `before` and `after` are their manifests, `tables` those published now, and
    `masks` what is hidden now, by table.
    """
    attached = before["release_id"] if before else None
    steps = _timeline(warehouse, ledger)
    this = Step(len(steps) + 1, after["release_id"], after["prepared_at"], "sealed")
    _lay(connection)
    if after["as_of"]:
        steps = [replace(s, is_kept=False, note=_AS_OF) for s in steps]
    elif steps:
        steps, same = _carried(connection, warehouse, steps, attached, masks, after["mask"]["sha256"])
        last = next((s.release_id for s in reversed(steps[:same]) if s.is_kept and s.release_id), None)
        for step in steps[same:]:
            if step.is_kept and step.release_id:
                if last and step.release_id != last:
                    _compare_on_shelf(connection, warehouse, last, step.release_id, step.step)
                last = step.release_id
        if last and last != attached:
            _record_against(connection, warehouse, last, tables, after, attached)
        if last:
            _add(connection, this.step)
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
    (publication,) = (table for table in own_tables() if table.name == "publication")
    rows = [{**step.__dict__, "published_at": database.utc(step.published_at)} for step in steps]
    database.insert_rows(connection, publication, rows)
    published = ", ".join(text_literal(table.name) for table in tables)
    kept = ", ".join(str(step.step) for step in steps if step.is_kept and step.release_id)
    connection.execute(
        f"insert into packed {packing.pack('unpacked')}; "
        f"delete from packed where table_name not in ({published}) or step not in ({kept}); "
        # Before a table came, or had its key and types of today, nothing of it can be asked.
        "create or replace temporary table begun as select table_name, max(step) as step from packed "
        f"where row_keys = '{WHOLE}' and column_name = '{WHOLE}' group by table_name; "
        "delete from packed using begun where packed.table_name = begun.table_name "
        f"and packed.step <= begun.step and packed.row_keys <> '{WHOLE}'"
    )
    packing.store(connection, "packed")
    connection.execute("drop table unpacked; drop table packed; drop table begun; drop table if exists recorded")


def _withhold(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table], masks: dict[str, pl.DataFrame]) -> None:
    """What the mask hides now, the history does not show either: it was published once, and is not a second time."""
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
        for value, which in (
            ("null", "h.column_name = m.column_name"),
            ("'Q'", "h.column_name = 'obs_status'"),
            ("m.conf_status", "h.column_name = 'conf_status'"),
        ):
            connection.execute(
                f"update unpacked h set value_before = {value}, change_kind = 'withheld' "
                f"from hidden m where {mine} and {which}"
            )
    connection.execute("drop table if exists hidden")
