"""The build to be judged and, beside it as catalog `previous`, the release that was current: an input of some checks.

Every table that the build publishes can be asked for in `previous`, with all its columns: as the release has it,
or empty where the release has no such table, or there is no release. What is compared is the checks' business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from pipelines.records import Build, TableContract
from pipelines.sql import attach_build
from pipelines.store import Warehouse, read_json, sha256_file


@dataclass(frozen=True)
class Previous:
    """The release that a build is judged against; without an id there is none."""

    release_id: str | None = None
    folder: Path | None = None
    manifest_sha256: str = ""
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)  # as its manifest lists them
    carried_over: dict[str, str] = field(default_factory=dict)  # its own tables from older releases


def previous_release(warehouse: Warehouse, build: Build) -> Previous:
    """The release that is current now. An as-of build looks back and is judged against none."""
    release_id = warehouse.current_release_id()
    if release_id is None or build.as_of is not None:
        return Previous()
    folder = warehouse.release_folder(release_id)
    manifest = read_json(folder / "manifest.json")
    return Previous(
        release_id,
        folder,
        sha256_file(folder / "manifest.json"),
        manifest["tables"],
        {item["table"]: item["from_release"] for item in manifest.get("carried_over") or []},
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def opened(build: Build, previous: Previous, published: Sequence[TableContract]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the build as its default database, named `build` and read-only, and `previous` beside it."""
    with duckdb.connect() as connection:
        connection.execute(attach_build(build.database))
        attach_previous(connection, previous, published)
        connection.execute("use build")
        yield connection


def attach_previous(
    connection: duckdb.DuckDBPyConnection, previous: Previous, published: Sequence[TableContract]
) -> None:
    """Attach `previous` to a connection, with a view for every published table."""
    found: dict[str, set[str]] = {}
    if previous.folder is not None:
        path = str(previous.folder / "public.duckdb").replace("'", "''")
        connection.execute(f"attach '{path}' as released (read_only)")
        columns = "select table_name, column_name from duckdb_columns() where database_name = 'released'"
        for table, column in connection.execute(columns).fetchall():
            found.setdefault(table, set()).add(column)
    connection.execute("attach ':memory:' as previous")
    for table in published:
        there = found.get(table.name, set())
        selected = ", ".join(
            _quoted(name) if name in there else f"cast(null as {kind}) as {_quoted(name)}"
            for name, kind in table.columns.items()
        )
        source = f"from released.main.{_quoted(table.name)}" if there else "where false"
        connection.execute(f"create view previous.main.{_quoted(table.name)} as select {selected} {source}")


def checks_of(previous: Previous) -> dict[str, str]:
    """The checks that stand behind a release, with what each is about."""
    if previous.folder is None:
        return {}
    with duckdb.connect(str(previous.folder / "public.duckdb"), read_only=True) as connection:
        return dict(connection.execute("select check_id, subject from audit_check").fetchall())
