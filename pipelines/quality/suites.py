"""The checks of data as they are written down: expectation files and what dbt's manifest declares.

It reads and validates the YAML and lists which checks must have a result; it judges nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

from pipelines.dbt_manifest import SOURCE, read_dbt_manifest
from pipelines.errors import ConfigurationError
from pipelines.records import Reach, Severity
from pipelines.yaml_files import load_yaml

_FILE_FIELDS = {"table", "query", "applies_when", "expectations"}
_EXPECTATION_FIELDS = {
    "id", "type", "arguments", "severity", "blocks", "owner", "why", "since", "do", "departments", "query", "rows",
    "wrong", "applies_when", "may_be_empty",
}  # fmt: skip
_REQUIRED = ("id", "type", "severity", "owner", "why", "since")
RETIRED_FILE = "retired.yml"  # checks that are no longer made, in an expectations folder
_RETIRED_FIELDS = ("check", "since", "why")
# What `rows` and `wrong` mean unless they say otherwise: of the rows looked at, none is wrong.
NONE_WRONG: dict[str, Any] = {
    "type": "expect_column_values_to_be_between",
    "arguments": {"column": "findings", "min_value": 0, "max_value": 0},
}


@dataclass(frozen=True)
class Expectation:
    """One expectation on a table, or on the rows a query measures in the build."""

    id: str
    table: str
    type: str
    arguments: dict[str, Any]
    severity: Severity
    owner: str
    why: str
    since: str
    query: str | None = None
    rows: str | None = None  # the rows to look at, and
    wrong: str | None = None  # the condition that a wrong one meets
    applies_when: str | None = None
    may_be_empty: bool = False  # a profile that lists findings: no row is what is hoped for
    blocks: Reach = "build"  # what it holds up when it does not pass
    do: str = ""  # what the people who own the figures can do
    departments: tuple[str, ...] = ()  # who has to look, where the failing rows name no delivered cell

    @property
    def rule(self) -> str:
        """The whole rule in one text, the same as long as nothing of it changes."""
        parts = {
            "severity": self.severity, "type": self.type, "arguments": self.arguments, "query": self.query,
            "rows": self.rows, "wrong": self.wrong, "applies_when": self.applies_when,
            "may_be_empty": self.may_be_empty or None,
            "blocks": self.blocks if self.blocks != "build" else None,
        }  # fmt: skip
        said = {name: " ".join(v.split()) if isinstance(v, str) else v for name, v in parts.items() if v is not None}
        return json.dumps(said, ensure_ascii=False, sort_keys=True, default=str)

    @property
    def measure(self) -> str | None:
        """The SQL whose result is judged; None when the table itself is."""
        if self.rows and self.wrong:
            return f"select count(*) as examined, count(*) filter (where {self.wrong}) as findings from ({self.rows})"
        return self.query

    @property
    def check_id(self) -> str:
        """The id under which its result stands."""
        return f"expectation.{self.table}.{self.id}"


@dataclass(frozen=True)
class ExpectationFile:
    """One YAML file: a table and what must hold of it."""

    path: Path
    table: str
    applies_when: str | None
    expectations: list[Expectation]


@dataclass(frozen=True)
class DbtTest:
    """One dbt data test, as the manifest declares it."""

    unique_id: str
    check_id: str
    subject: str
    severity: Severity
    description: str
    owner: str
    why: str
    since: str
    sql: str = ""  # as dbt compiled it: gives the failing rows
    blocks: Reach = "build"
    do: str = ""


@dataclass(frozen=True)
class Manifest:
    """What the checks need to know of dbt's manifest: data tests, keys of published tables, and what hangs on what."""

    tests: list[DbtTest] = field(default_factory=list)
    keys: dict[str, list[str]] = field(default_factory=dict)
    parents: dict[str, set[str]] = field(default_factory=dict)  # of every model, the models it is made from

    def hanging_on(self, table: str) -> list[str]:
        """The published tables that are made from a table, directly or through others; itself is none of them."""
        reached, ahead = {table}, [table]
        while ahead:
            above = ahead.pop()
            below = {name for name, parents in self.parents.items() if above in parents} - reached
            reached |= below
            ahead += sorted(below)
        return sorted((reached - {table}) & set(self.keys))


@dataclass(frozen=True)
class Retired:
    """Checks that are no longer made, by the form of their ids, and why."""

    check: str
    since: str
    why: str
    path: Path

    def covers(self, check_id: str) -> bool:
        """True for a check id of this form (`*` stands for anything)."""
        return fnmatchcase(check_id, self.check)


def _mistake(path: Path, where: str, message: str) -> ConfigurationError:
    return ConfigurationError(message, where=f"{path.name}{', ' + where if where else ''} ({path})", do="mend the file")


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _sql(value: object) -> str | None:
    """A query without its final semicolon, or None."""
    return _text(value).rstrip("; \n") or None


def _expectation(path: Path, table: str, default_query: str | None, raw: Any, number: int) -> Expectation:
    where = f"expectation {number}"
    if not isinstance(raw, dict):
        raise _mistake(path, where, "an expectation is a mapping with id, type, arguments, severity, owner, why, since")
    where = f"expectation {number} ({raw.get('id', 'without id')})"
    if unknown := sorted(set(raw) - _EXPECTATION_FIELDS):
        raise _mistake(path, where, f"unknown field {', '.join(unknown)}; known: {_listed(_EXPECTATION_FIELDS)}")
    if bool(raw.get("rows")) != bool(raw.get("wrong")) or (raw.get("rows") and raw.get("query")):
        raise _mistake(path, where, "rows and wrong stand together, and without query")
    if raw.get("rows"):
        raw = {**NONE_WRONG, **raw}
    if missing := [name for name in _REQUIRED if not _text(raw.get(name))]:
        raise _mistake(path, where, f"{', '.join(missing)} missing")
    if raw["severity"] not in ("block", "warn"):
        raise _mistake(path, where, f"severity is block or warn, not {raw['severity']!r}")
    if raw.get("blocks", "build") not in ("build", "table"):
        raise _mistake(path, where, f"blocks is build or table, not {raw['blocks']!r}")
    if raw.get("blocks") == "table" and raw["severity"] != "block":
        raise _mistake(path, where, "blocks: table without severity: block holds nothing up")
    if not isinstance(raw.get("departments") or [], list):
        raise _mistake(path, where, "departments is a list")
    arguments = raw.get("arguments") or {}
    if not isinstance(arguments, dict):
        raise _mistake(path, where, "arguments is a mapping")
    return Expectation(
        id=_text(raw["id"]),
        table=table,
        type=_text(raw["type"]),
        arguments=dict(arguments),
        severity=cast(Severity, raw["severity"]),
        owner=_text(raw["owner"]),
        why=_text(raw["why"]),
        since=_text(raw["since"]),
        query=_sql(raw.get("query")) or default_query,
        rows=_sql(raw.get("rows")),
        wrong=_sql(raw.get("wrong")),
        applies_when=_sql(raw.get("applies_when")),
        may_be_empty=bool(raw.get("may_be_empty", False)),
        blocks=cast(Reach, raw.get("blocks", "build")),
        do=_text(raw.get("do")),
        departments=tuple(_text(name) for name in raw.get("departments") or ()),
    )


def load_retired(folders: list[Path]) -> list[Retired]:
    """The checks that these folders declare retired. ConfigurationError for an entry without check, since or why."""
    retired = []
    for path in (folder / RETIRED_FILE for folder in folders):
        if not path.exists():
            continue
        raw = load_yaml(path)
        if not isinstance(raw, dict) or set(raw) != {"retired"} or not isinstance(raw["retired"] or [], list):
            raise _mistake(path, "", "it holds one list named retired")
        for number, item in enumerate(raw["retired"] or [], start=1):
            if not isinstance(item, dict) or set(item) != set(_RETIRED_FIELDS) or not all(map(_text, item.values())):
                raise _mistake(path, f"entry {number}", f"a retired check says {', '.join(_RETIRED_FIELDS)}")
            retired.append(Retired(_text(item["check"]), _text(item["since"]), _text(item["why"]), path))
    return retired


def load_expectations(folders: list[Path]) -> list[ExpectationFile]:
    """All expectation files below these folders, in name order; a folder that is not there holds none.

    Raises ConfigurationError for a file that is no expectation file and for two expectations of one id.
    An empty list of expectations is not refused here: the judge counts it as an error.
    """
    files: list[ExpectationFile] = []
    seen: dict[str, Path] = {}
    for folder in folders:
        listed_files = (p for p in folder.glob("*.y*ml") if p.suffix in (".yml", ".yaml") and p.name != RETIRED_FILE)
        for path in sorted(listed_files):
            raw = load_yaml(path)
            if not isinstance(raw, dict) or not _text(raw.get("table")):
                raise _mistake(path, "", "an expectation file names its table")
            if unknown := sorted(set(raw) - _FILE_FIELDS):
                raise _mistake(path, "", f"unknown field {', '.join(unknown)}; known: {_listed(_FILE_FIELDS)}")
            table, query = _text(raw["table"]), _sql(raw.get("query"))
            listed = raw.get("expectations") or []
            if not isinstance(listed, list):
                raise _mistake(path, "expectations", "expectations is a list")
            expectations = [_expectation(path, table, query, item, n) for n, item in enumerate(listed, start=1)]
            for expectation in expectations:
                if expectation.check_id in seen:
                    first = seen[expectation.check_id]
                    raise _mistake(path, expectation.id, f"{expectation.check_id} is already in {first.name}")
                seen[expectation.check_id] = path
            files.append(ExpectationFile(path, table, _sql(raw.get("applies_when")), expectations))
    return files


def load_manifest(path: Path) -> Manifest:
    """The data tests and published keys that dbt's manifest declares; nothing when there is no manifest."""
    project = read_dbt_manifest(path)
    tests: list[DbtTest] = []
    for test in project.tests:
        about = [project.nodes[node_id] for node_id in (test.attached_to, *test.parents) if node_id in project.nodes]
        about = [node for node in about if node.kind != SOURCE]
        tests.append(
            DbtTest(
                unique_id=test.id,
                check_id=f"dbt.{test.name}",
                subject=(about or [test])[0].name,
                severity="warn" if test.meta.get("severity") == "warn" else "block",
                description=_text(test.description) or test.name,
                owner=_text(test.meta.get("owner")),
                why=_text(test.meta.get("why")),
                since=_text(test.meta.get("since")),
                sql=_text(test.sql),
                blocks="table" if test.meta.get("blocks") == "table" else "build",
                do=_text(test.meta.get("do")),
            )
        )
    names = {model.id: model.name for model in project.models}
    return Manifest(
        tests,
        {model.name: [str(c) for c in model.meta.get("key") or []] for model in project.models if model.is_published},
        {model.name: {names[parent] for parent in model.parents if parent in names} for model in project.models},
    )
