"""A jurisdiction with its warehouse, run as a whole: for whole-pipeline tests. Fixtures of them are in conftest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipelines import run as runs
from pipelines.run import RunReport
from pipelines.settings import PROJECT_FOLDER, Settings
from pipelines.store import Warehouse

# What a reader asks of a release; the tables about judging and releasing tell of this one build and may differ.
CONTENT = ("figure", "benchmark", "dim_", "fct_", "mart_")


@dataclass
class House:
    """A jurisdiction's folder and the folder of its warehouse."""

    jurisdiction: Path
    folder: Path

    @property
    def settings(self) -> Settings:
        return Settings.from_environment(self.jurisdiction, self.folder)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.folder / self.jurisdiction.name)

    @property
    def current(self) -> str | None:
        return self.warehouse.current_release_id()

    def run(self, **options: Any) -> RunReport:
        """A run in this process: Great Expectations is then imported once for all tests."""
        return runs.run(self.settings, **options)

    def command(self, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """`junheng` in a process of its own, as a person would call it."""
        options = ["--jurisdiction", str(self.jurisdiction), "--warehouse", str(self.folder)]
        return subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *arguments, *options],
            cwd=PROJECT_FOLDER,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def query(self, sql: str, release: str | None = None) -> list[tuple[Any, ...]]:
        """SQL on a release, the current one by default."""
        folder = self.warehouse.release_folder(release) if release else self.warehouse.current
        with duckdb.connect(str(folder / "public.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def value(self, sql: str, release: str | None = None) -> Any:
        """The one cell of a one-row answer."""
        rows = self.query(sql, release)
        assert len(rows) == 1, (len(rows), sql)
        assert len(rows[0]) == 1
        return rows[0][0]

    def manifest(self, release: str | None = None) -> dict[str, Any]:
        folder = self.warehouse.release_folder(release) if release else self.warehouse.current
        return json.loads((folder / "manifest.json").read_text())  # type: ignore[no-any-return]

    def hashes(self, release: str | None = None) -> dict[str, str]:
        """Content hashes of dims, facts and marts."""
        tables = self.manifest(release)["tables"]
        return {name: table["content_sha256"] for name, table in tables.items() if name.startswith(CONTENT)}

    def checks(self, build_id: str | None = None) -> dict[str, dict[str, Any]]:
        """Check results by id of a build, the newest judged one by default."""
        judged = sorted(self.warehouse.builds.glob("*/checks.json"), key=lambda p: p.stat().st_mtime)
        path = self.warehouse.build_folder(build_id) / "checks.json" if build_id else judged[-1]
        return {check["check_id"]: check for check in json.loads(path.read_text())}
