"""The dbt project's macros, checks and models as plain SQL, without dbt: for tests of a formula on many tables at once.

Macros are rendered one by one as dbt does it (a macro may `return` a value); `ref` becomes the name of a table that
the test has made. What a database adapter decides is that of DuckDB.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import jinja2
import yaml

from pipelines.settings import DBT_FOLDER

_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+)\(.*?\{%-?\s*endmacro\s*-?%\}", re.DOTALL)
_TEST = re.compile(r"\{%-?\s*test\s+(\w+)(\(.*?\)\s*-?%\}.*?)\{%-?\s*endtest\s*-?%\}", re.DOTALL)


class _Returned(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


def _return(value: Any) -> Any:
    raise _Returned(value)


class _Dbt:
    @staticmethod
    def concat(fields: list[str]) -> str:
        return " || ".join(fields)

    @staticmethod
    def type_string() -> str:
        return "varchar"

    @staticmethod
    def dateadd(part: str, count: int, day: str) -> str:
        return f"{day} + interval ({count}) {part}"

    @staticmethod
    def datediff(first: str, second: str, part: str) -> str:
        return f"date_diff('{part}', {first}, {second})"


class _Adapter:
    @staticmethod
    def quote(name: str) -> str:
        return f'"{name}"'

    @staticmethod
    def dispatch(name: str, _project: str) -> Callable[..., Any]:
        """The macro for DuckDB where there is one of its own, else the one for all engines."""
        return next(m for prefix in ("duckdb", "default") if (m := MACROS.found(f"{prefix}__{name}")) is not None)


class _Macros:
    """Every macro of the project, by name; also what stands for the project's own namespace."""

    def __init__(self) -> None:
        self._environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
        self._environment.globals.update({"return": _return, "dbt": _Dbt, "adapter": _Adapter, "junheng": self})
        for path in sorted((DBT_FOLDER / "macros").rglob("*.sql")):
            for match in _MACRO.finditer(path.read_text(encoding="utf-8")):
                self._environment.globals[match.group(1)] = self._wrap(match.group(1), match.group(0))
        document = yaml.safe_load((DBT_FOLDER / "dbt_project.yml").read_text(encoding="utf-8"))
        self._environment.globals.update(
            {
                "ref": lambda model: model,
                "source": lambda _, table: table,
                "none": None,
                "var": document["vars"].__getitem__,
            }
        )
        for path in sorted((DBT_FOLDER / "tests" / "generic").rglob("*.sql")):
            for match in _TEST.finditer(path.read_text(encoding="utf-8")):
                text = f"{{% macro test_{match.group(1)}{match.group(2)}{{% endmacro %}}"
                self._environment.globals[f"test_{match.group(1)}"] = self._wrap(f"test_{match.group(1)}", text)

    def _wrap(self, name: str, text: str) -> Callable[..., Any]:
        template = self._environment.from_string(text)

        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return getattr(template.module, name)(*arguments, **named)
            except _Returned as returned:
                return returned.value

        return call

    def found(self, name: str) -> Callable[..., Any] | None:
        return self._environment.globals.get(name)  # type: ignore[return-value]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        try:
            return self._environment.globals[name]  # type: ignore[return-value]
        except KeyError:
            raise AttributeError(name) from None

    def render(self, text: str, **names: Any) -> str:
        return self._environment.from_string(text).render(**names)


MACROS = _Macros()


def model_sql(name: str, **tables: str) -> str:
    """The SQL of a model; `tables` says which table stands for a `ref`, else it is the model's own name."""
    (path,) = (DBT_FOLDER / "models").rglob(f"{name}.sql")
    return MACROS.render(
        path.read_text(encoding="utf-8"),
        ref=lambda model: tables.get(model, model),
        config=lambda **_: "",
        source=lambda _, table: tables.get(table, table),
    )


def check_sql(name: str, **arguments: Any) -> str:
    """The SQL of a generic data test: the failing rows. `ref` is the name of a table that the test has made."""
    return str(getattr(MACROS, f"test_{name}")(**arguments))


def singular_sql(name: str) -> str:
    """The SQL of a data test that has a file of its own."""
    path = DBT_FOLDER / "tests" / f"{name}.sql"
    return MACROS.render(path.read_text(encoding="utf-8"), config=lambda **_: "")
