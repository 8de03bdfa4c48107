"""Readings and reference tables become relations of a private DuckDB file, and one dbt call makes the marts of it.

What the numbers mean is dbt's SQL; this module only lays the tables of schema `source` (what they are is
`jurisdiction.source_schema`'s knowledge), starts dbt, and keeps what dbt said beside the build. Judging the results
is `quality`'s work.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.dbt_process import GO, MANIFEST
from pipelines.errors import ConfigurationError, FaultError
from pipelines.jurisdiction.reference_schema import TABLES
from pipelines.jurisdiction.source_schema import sql_types
from pipelines.records import Build, Choice, Reading, Receipt, TieOut
from pipelines.settings import DBT_FOLDER, PACKAGE_FOLDER, TELEMETRY_OFF, Settings, hash_files
from pipelines.sql import text_literal
from pipelines.store import Warehouse, put_in_place, read_json, remove_tree

SOURCE_TABLES = sql_types()
"""Every table of schema `source`: column -> DuckDB type. All exist in each build, empty where there is nothing."""

_DEFAULTS = {
    table.relation: {name: text_literal(c.default) for name, c in table.columns.items() if c.default is not None}
    for table in TABLES
}
"""Relation -> column -> what an empty cell of a reference file means, as SQL."""

# Which file of a reading fills which table.
_READING_FILES = {"observation": "accepted.parquet", "reject": "rejects.parquet", "ignored": "ignored.parquet"}
_FROM_READINGS = {"observation", "receipt", "reading", "reject", "ignored", "tie_out"}
# What dbt is told of our environment beside its own settings.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH")


def warm_up(warehouse: Warehouse, settings: Settings) -> None:
    """Start dbt before there is anything to build: it loads and reads its project while files are still being read.

    The next `build` of this warehouse uses it. Without a build it ends with this process, or with `cool_down`.
    """
    if warehouse.folder not in _WARM:
        _WARM[warehouse.folder] = _start_dbt(warehouse.dbt_target, warehouse, settings)


def cool_down(warehouse: Warehouse) -> None:
    """End a dbt that was started by `warm_up` and is not needed."""
    process = _WARM.pop(warehouse.folder, None)
    if process is not None:
        process.terminate()  # it has only read: nothing is lost, and nobody waits for it
        _finish(process, None)


def build(
    warehouse: Warehouse,
    settings: Settings,
    reference: dict[str, pl.DataFrame],
    readings: list[Reading],
    receipts: list[Receipt],
    identity: Build,
    choice: Choice,
) -> Build:
    """Make the private build file from chosen readings and reference tables, and put it at `identity.folder`.

    `readings` holds one reading per receipt; `choice` says which receipts count. Of those that failed and never did,
    the account goes into the build, and no figure.
    The build is made in `warehouse.work` and moved as a whole, so that a build folder is never half made.

    Raises ConfigurationError for reference tables that do not fit, FaultError when dbt cannot build a model.
    A data test that fails is no error here: `quality` reads it from `identity.dbt_results`.
    """
    warm_up(warehouse, settings)
    work = warehouse.work
    try:
        remove_tree(work)
        warehouse.private_folder(work)
        making = replace(identity, folder=str(work))
        _lay_sources(making.database, warehouse, settings, reference, readings, receipts, choice)
    except BaseException:
        cool_down(warehouse)
        raise
    _run_dbt(warehouse, making)
    with duckdb.connect(str(making.database)) as connection:
        connection.execute("CHECKPOINT")
    put_in_place(work, Path(identity.folder))
    return identity


def compile_manifest(target: Path) -> Path:
    """dbt's manifest in a warehouse's dbt target folder; dbt parses the project when it is missing or out of date.

    Raises FaultError when dbt cannot parse the project.
    """
    manifest = target / "manifest.json"
    newest = max(path.stat().st_mtime for path in _project_files())
    if manifest.exists() and manifest.stat().st_mtime >= newest:
        return manifest
    warehouse = Warehouse(target.parent.parent)
    code = _finish(_start_dbt(target, warehouse, Settings.from_environment(warehouse=warehouse.folder)), MANIFEST)
    if code != 0 or not manifest.exists():
        raise FaultError(
            "dbt cannot read its project: " + _last_line(_log(target)),
            where=str(_log(target)),
            do="mend the file named there in dbt_project/",
        )
    return manifest


# -- sources ----------------------------------------------------------------------------------------------------


def _lay_sources(
    database: Path,
    warehouse: Warehouse,
    settings: Settings,
    reference: dict[str, pl.DataFrame],
    readings: list[Reading],
    receipts: list[Receipt],
    choice: Choice,
) -> None:
    """Create schema `source` in a new database and fill it."""
    with duckdb.connect(
        str(database), config={"memory_limit": settings.memory_limit, "threads": settings.threads}
    ) as connection:
        _create_sources(connection, SOURCE_TABLES)
        # the regions as each source used them are always one of the geographies
        connection.execute("INSERT INTO source.reference_geography VALUES ('reported', NULL, true)")
        for table, frame in reference.items():
            _load_reference(connection, table, frame)
        _load_records(connection, readings, receipts, choice)
        for table, file_name in _READING_FILES.items():
            counting = [r for r in readings if table != "observation" or r.receipt_id not in choice.left_out]
            _load_parquet(connection, table, _reading_files(warehouse, counting, file_name))
        connection.execute("CHECKPOINT")


_ACCOUNT = ("extract", "receipt", "reading", "tie_out", "reject", "finding")


def lay_account(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Warehouse,
    extract: pl.DataFrame,
    receipt: Receipt,
    reading: Reading | None,
    findings: pl.DataFrame,
) -> None:
    """Schema `source` with the account of one delivery, for the checks of deliveries: no figure, no other table."""
    connection.execute("DROP SCHEMA IF EXISTS source CASCADE")
    _create_sources(connection, _ACCOUNT)
    _load_reference(connection, "extract", extract)
    _load_reference(connection, "finding", findings)
    readings = [reading] if reading is not None else []
    _load_records(connection, readings, [receipt], Choice(frozenset({receipt.receipt_id})))
    _load_parquet(connection, "reject", _reading_files(warehouse, readings, _READING_FILES["reject"]))


def _create_sources(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> None:
    connection.execute("CREATE SCHEMA source")
    for table in tables:
        body = ", ".join(f'"{name}" {kind}' for name, kind in SOURCE_TABLES[table].items())
        connection.execute(f'CREATE TABLE source."{table}" ({body})')


def _load_reference(connection: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    """Insert a reference frame; an empty cell is null, or what `reference_tables.yml` says of its column.

    Raises ConfigurationError for other columns, and for a cell that does not fit the type of its column.
    """
    columns = SOURCE_TABLES.get(table)
    if columns is None or table in _FROM_READINGS:
        raise ConfigurationError(
            f"there is no reference table {table!r}",
            where="pipelines/jurisdiction",
            do="correct the name, or add the table to source_tables.yml or reference_tables.yml",
        )
    unknown = [name for name in frame.columns if name not in columns]
    missing = [name for name in columns if name not in frame.columns]
    if unknown or missing:
        detail = [f"unknown: {', '.join(unknown)}"] * bool(unknown) + [f"missing: {', '.join(missing)}"] * bool(missing)
        raise ConfigurationError(
            f"the columns of the reference table {table} do not fit ({'; '.join(detail)})",
            where=f"reference table {table}",
            do=f"name the columns {', '.join(columns)}",
        )
    if frame.is_empty():
        return
    # Text is the common ground of whatever types the loader chose; DuckDB then casts strictly.
    texts = frame.select(pl.col(name).cast(pl.String) for name in columns)
    connection.register("incoming", texts.to_arrow())
    try:
        for name, kind in columns.items():
            if kind == "VARCHAR":
                continue
            wrong = connection.execute(
                f'SELECT "{name}" FROM incoming WHERE nullif(trim("{name}"), \'\') IS NOT NULL'
                f' AND try_cast(trim("{name}") AS {kind}) IS NULL ORDER BY 1 LIMIT 1'
            ).fetchall()
            if wrong:
                raise ConfigurationError(
                    f"{wrong[0][0]!r} in the column {name} is not of type {kind}",
                    where=f"reference table {table}",
                    do="correct the cell",
                )
        defaults = _DEFAULTS.get(table, {})
        cells = ", ".join(
            f"CAST(coalesce(nullif(trim(\"{name}\"), ''), {defaults.get(name, 'NULL')}) AS {kind})"
            for name, kind in columns.items()
        )
        connection.execute(f'INSERT INTO source."{table}" SELECT {cells} FROM incoming')
    finally:
        connection.unregister("incoming")


def _load_records(
    connection: duckdb.DuckDBPyConnection, readings: list[Reading], receipts: list[Receipt], choice: Choice
) -> None:
    """Insert receipts, readings and their tie-outs."""
    seen: set[str] = set()
    for reading in readings:
        if reading.receipt_id in seen:
            raise FaultError(
                "a build was given two readings of one receipt",
                where=f"receipt {reading.receipt_id} ({reading.department}/{reading.extract})",
                do="run again with --full; if it stays, report it",
            )
        seen.add(reading.receipt_id)
    held = {held.receipt_id: held for held in choice.held}
    _insert(
        connection,
        "receipt",
        (
            {
                **receipt.as_dict(),
                "received_at": _moment(receipt.received_at),
                "is_in_force": receipt.receipt_id in choice.in_force,
                "is_held": receipt.receipt_id in held,
                "held_since": _moment(held[receipt.receipt_id].since) if receipt.receipt_id in held else None,
                "held_because": choice.left_out.get(receipt.receipt_id),
                "in_place_of": choice.in_place_of.get(receipt.receipt_id),
            }
            for receipt in receipts
        ),
    )
    _insert(connection, "reading", (reading.as_dict() for reading in readings))
    counts = {field.name for field in fields(TieOut)}
    _insert(
        connection,
        "tie_out",
        (
            {**reading.as_dict(), **{name: value for name, value in sheet.items() if name in counts}}
            for reading in readings
            for sheet in reading.tie_out
        ),
    )


def _moment(text: str) -> datetime:
    """A moment in UTC, without saying so, as DuckDB keeps it."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Insert records; fields the table does not have are left out, a field it has must be there."""
    columns = list(SOURCE_TABLES[table])
    values = [[row[name] for name in columns] for row in rows]
    if values:
        marks = ", ".join("?" * len(columns))
        connection.executemany(f'INSERT INTO source."{table}" VALUES ({marks})', values)


def _reading_files(warehouse: Warehouse, readings: list[Reading], file_name: str) -> list[Path]:
    """The files of this name of all readings. One that was read has them all; an unreadable one may have none."""
    paths = []
    for reading in readings:
        path = warehouse.folder / reading.folder / file_name
        if path.exists():
            paths.append(path)
        elif reading.status == "read":
            raise FaultError(
                "a file of a reading is gone", where=str(path), do="run again with --full: the file is read anew"
            )
    return paths


def _load_parquet(connection: duckdb.DuckDBPyConnection, table: str, paths: list[Path]) -> None:
    """Insert Parquet files, named one by one: a pattern would also find what does not belong to this build."""
    if not paths:
        return
    files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    source = f"read_parquet([{files}])"
    expected = list(SOURCE_TABLES[table])
    try:
        found = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
        if set(found) == set(expected):
            connection.execute(f'INSERT INTO source."{table}" BY NAME SELECT * FROM {source}')
            return
        problem = f"columns {', '.join(sorted(set(found) ^ set(expected)))} differ"
    except duckdb.Error as error:
        problem = str(error).splitlines()[0]
    raise FaultError(
        f"the stored readings do not fit the table {table}: {problem}",
        where=str(paths[0].parent.parent.parent),
        do="run again with --full: every file is read anew",
    )


# -- dbt --------------------------------------------------------------------------------------------------------

_WARM: dict[Path, subprocess.Popen[str]] = {}
"""A dbt per warehouse folder that has read its project, or is reading it, and waits."""


def _run_dbt(warehouse: Warehouse, making: Build) -> None:
    """One `dbt build` on the database of `making`; its manifest, results and log are copied beside it."""
    target = warehouse.dbt_target
    results = target / "run_results.json"
    results.unlink(missing_ok=True)  # a stale one would speak for a dbt that never started
    _finish(_WARM.pop(warehouse.folder), GO)
    log = Path(making.folder) / "dbt.log"
    shutil.copyfile(_log(target), log)
    if not results.exists():
        raise FaultError(
            "dbt stopped before it built anything: " + _last_line(log),
            where=str(log),
            do="read the log; `junheng doctor` checks the installation",
        )
    broken = [
        outcome
        for outcome in read_json(results)["results"]
        if outcome["unique_id"].startswith("model.") and outcome["status"] not in ("success", "no-op")
    ]
    if broken:
        # What failed comes before what was skipped because of it.
        broken.sort(key=lambda outcome: outcome["status"] == "skipped")
        name = broken[0]["unique_id"].split(".")[2]
        reason = " ".join(str(broken[0].get("message") or broken[0]["status"]).split())[:300]
        others = f" ({len(broken) - 1} more were not built)" if len(broken) > 1 else ""
        raise FaultError(
            f"dbt could not build the model {name}{others}: {reason}",
            where=str(log),
            do=f"mend dbt_project/models/**/{name}.sql or the data named in the message, then run again",
        )
    shutil.copyfile(target / "manifest.json", making.dbt_manifest)
    shutil.copyfile(results, making.dbt_results)


def _start_dbt(target: Path, warehouse: Warehouse, settings: Settings) -> subprocess.Popen[str]:
    """Start dbt in a process of its own: inside ours it would keep the database open until we end."""
    # Paths and variables never change between builds of a warehouse: dbt would parse everything again. Of our
    # environment it gets what a program needs: DBT_ variables would change what it does, and it searches all
    # variables for secrets at every line it logs, which costs seconds.
    environment = {
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        **TELEMETRY_OFF,
        "JUNHENG_BUILD_DATABASE": str(warehouse.work / "build.duckdb"),
        "JUNHENG_BUILD_FOLDER": str(warehouse.work),
        "JUNHENG_MEMORY_LIMIT": settings.memory_limit,
        "JUNHENG_THREADS": str(settings.threads),
    }
    warehouse.private_folder(target)
    command = [
        # -P: the folder of the program must not be searched for modules
        *(sys.executable, "-P", str(PACKAGE_FOLDER / "dbt_process.py"), str(_parsed_project())),
        *("--no-use-colors", "--no-version-check"),
        # what it prints is the log; writing a second one takes as long again
        *("--log-level-file", "none", "--log-path", str(target)),
        *("--project-dir", str(DBT_FOLDER), "--profiles-dir", str(DBT_FOLDER)),
        *("--target-path", str(target), "--threads", str(settings.threads)),
    ]
    with _log(target).open("wb") as output:
        return subprocess.Popen(
            command,
            env=environment,
            cwd=target,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )


def _project_files() -> list[Path]:
    """All that dbt reads of its project, and none of what it writes there."""
    folders = (DBT_FOLDER / folder for folder in ("macros", "models", "tests"))
    return [*DBT_FOLDER.glob("*.yml"), *(path for folder in folders for path in folder.rglob("*") if path.is_file())]


def _parsed_project() -> Path:
    """Where dbt's parsing of the project as it stands is kept, for all warehouses: it depends on none of them."""
    state = [hash_files(_project_files(), DBT_FOLDER)]
    state += [importlib.metadata.version(name) for name in ("dbt-core", "dbt-duckdb")]
    return DBT_FOLDER / "target" / f"{hashlib.sha256(' '.join(state).encode()).hexdigest()[:16]}.msgpack"


def _finish(process: subprocess.Popen[str], word: str | None) -> int:
    """Give a waiting dbt its word, or none, and wait for its end; its exit code."""
    assert process.stdin is not None
    # It may have ended already; its log and its exit code say why.
    with contextlib.suppress(BrokenPipeError):
        if word is not None:
            process.stdin.write(word + "\n")
        process.stdin.close()
    return process.wait()


def _log(target: Path) -> Path:
    """What the last dbt in this target folder said."""
    return target / "dbt.log"


def _last_line(log: Path) -> str:
    """The last thing dbt said, for the message of an error."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"
