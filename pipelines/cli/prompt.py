"""`junheng open`: an SQL prompt on a release, with completion of names and the jurisdiction's recipes at hand.

Reading lines is prompt_toolkit's work; this module knows the prompt's own words and where a statement ends. From a
pipe it takes the same lines without a prompt, so that it can be used in scripts and tests.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

Table = Callable[[list[dict[str, Any]], list[str]], str]

WORDS = {
    ".tables": "which tables there are",
    ".columns TABLE": "the columns of a table and what they mean",
    ".recipes": "questions with their SQL",
    ".recipe NAME": "run one of them (its SQL is shown first)",
    ".help": "this list",
    ".quit": "leave (also Ctrl-D)",
}
ROWS_SHOWN = 200
_KEYWORDS = [
    "select", "from", "where", "group", "by", "order", "having", "limit", "join", "left", "inner", "on", "using",
    "and", "or", "not", "in", "is", "null", "between", "like", "as", "distinct", "count", "sum", "avg", "min",
    "max", "round", "case", "when", "then", "else", "end", "with", "union", "all", "desc", "asc", "cast",
]  # fmt: skip


@dataclass
class Prompt:
    """One visit to a release."""

    connection: duckdb.DuckDBPyConnection
    release_id: str
    recipes: list[dict[str, str]]
    table: Table
    say: Callable[[str], None]

    def names(self) -> list[str]:
        """Tables, columns, recipes and keywords, for completion."""
        found = self.connection.execute(
            "select table_name from meta_table union select column_name from meta_column union "
            "select view_name from duckdb_views() where not internal union "
            "select function_name from duckdb_functions() where not internal order by 1"
        ).fetchall()
        words = [word.split()[0] for word in WORDS]
        return [name for (name,) in found] + _KEYWORDS + words + [recipe["name"] for recipe in self.recipes]

    def take(self, text: str) -> bool:
        """One statement or one of the prompt's own words; False when the visit ends."""
        text = text.strip()
        if not text or text == ";":
            return True
        if not text.startswith("."):
            self._ask(text)
            return True
        word, _, name = text.rstrip(";").strip().partition(" ")
        name = name.strip()
        if word in (".quit", ".exit"):
            return False
        if word == ".help":
            self.say("\n".join(f"{shown:<18}{said}" for shown, said in WORDS.items()))
        elif word == ".tables":
            self._ask("select table_name, row_count, description_zh, description_en from meta_table order by 1")
        elif word == ".columns":
            self._columns(name)
        elif word == ".recipes":
            rows = [{"name": r["name"], "zh": r["title_zh"], "en": r["title_en"]} for r in self.recipes]
            self.say(self.table(rows, ["name", "zh", "en"]) if rows else "this release carries no recipes")
        elif word == ".recipe":
            self._recipe(name)
        else:
            self.say(f"there is no {word}; .help lists what there is")
        return True

    def _columns(self, name: str) -> None:
        rows = self._rows(
            "select column_name, data_type, unit, description_zh, description_en from meta_column "
            "where table_name = ? order by position",
            [name],
        )
        self.say(self.table(*rows) if rows and rows[0] else f"there is no table {name!r}; .tables lists them")

    def _recipe(self, name: str) -> None:
        recipe = next((recipe for recipe in self.recipes if recipe["name"] == name), None)
        if recipe is None:
            self.say(f"there is no recipe {name!r}; .recipes lists them")
            return
        self.say(f"-- {recipe['title_zh']} / {recipe['title_en']}\n{recipe['sql'].strip()}")
        self._ask(recipe["sql"])

    def _rows(self, sql: str, values: list[str] | None = None) -> tuple[list[dict[str, Any]], list[str]] | None:
        try:
            relation = self.connection.execute(sql, values or [])
            columns = [column[0] for column in relation.description or []]
            rows = relation.fetchmany(ROWS_SHOWN + 1)
        except duckdb.Error as error:
            self.say(f"{str(error).splitlines()[0]} (.tables and .columns TABLE say what there is)")
            return None
        return [dict(zip(columns, row, strict=True)) for row in rows], columns

    def _ask(self, sql: str) -> None:
        found = self._rows(sql)
        if found is None:
            return
        rows, columns = found
        self.say(self.table(rows[:ROWS_SHOWN], columns) if rows else "(no rows)")
        if len(rows) > ROWS_SHOWN:
            self.say(f"… more than {ROWS_SHOWN} rows: add a limit, or `junheng query` with --format csv")


def statements(lines: Iterator[str]) -> Iterator[str]:
    """Lines put together into statements: one ends with a semicolon; the prompt's own words are a line each."""
    pending: list[str] = []
    for line in lines:
        if not pending and line.lstrip().startswith("."):
            yield line
            continue
        if line.strip() or pending:
            pending.append(line)
        if line.rstrip().endswith(";"):
            yield "\n".join(pending)
            pending = []
    if pending:
        yield "\n".join(pending)


def visit(folder: Path, table: Table) -> None:
    """A prompt on a release until its reader leaves."""
    card = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    connection = duckdb.connect(str(folder / "public.duckdb"), read_only=True)
    connection.execute("SET enable_external_access = false")

    def say(text: str) -> None:
        sys.stdout.write(text + "\n")

    try:
        prompt = Prompt(connection, folder.name, list(card.get("recipes", [])), table, say)
        if sys.stdin.isatty():
            place = card["jurisdiction"]
            say(f"{place['name']} / {place['name_en']}, release {folder.name}, read-only. .help says what there is.")
        for statement in statements(_lines(prompt)):
            if not prompt.take(statement):
                break
    finally:
        connection.close()


def _lines(prompt: Prompt) -> Iterator[str]:
    """Lines from the terminal, with completion and history of this visit, or from a pipe."""
    if not sys.stdin.isatty():
        for line in sys.stdin:
            yield line.rstrip("\n")
        return
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter

    session: PromptSession[str] = PromptSession(
        completer=WordCompleter(prompt.names(), ignore_case=True, WORD=False), complete_while_typing=False
    )
    is_open = False  # inside a statement that has not ended
    while True:
        try:
            line = session.prompt("   ...> " if is_open else "junheng> ")
        except KeyboardInterrupt:
            is_open = False
            yield ";"
            continue
        except EOFError:
            return
        is_open = not line.lstrip().startswith(".") and bool(line.strip()) and not line.rstrip().endswith(";")
        yield line
