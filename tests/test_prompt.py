"""The SQL prompt: what it answers, where a statement ends, and that it changes nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipelines.cli.common import as_table
from pipelines.cli.prompt import Prompt, statements
from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.recipes import load_recipes

RECIPE = {"name": "largest", "title_zh": "最大", "title_en": "The largest", "sql": "select max(people) as m from homes"}


@pytest.fixture
def prompt(tmp_path: Path) -> tuple[Prompt, list[str]]:
    path = tmp_path / "public.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table homes as select 'A' as place, 3 as people union all select 'B', 5")
        connection.execute("create table meta_table as select 'homes' as table_name, 2 as row_count, '' as"
                           " description_zh, 'Homes' as description_en")  # fmt: skip
        connection.execute("create table meta_column as select 'homes' as table_name, 'people' as column_name,"
                           " 1 as position, 'INTEGER' as data_type, 'persons' as unit, '' as description_zh,"
                           " 'People' as description_en")  # fmt: skip
    said: list[str] = []
    reader = duckdb.connect(str(path), read_only=True)
    return Prompt(reader, "20260101.1", [RECIPE], as_table, said.append), said


def test_a_statement_ends_with_a_semicolon_and_a_word_of_the_prompt_with_its_line() -> None:
    lines = ["select 1;", "", ".tables", "select a", "", "from b;", "select last"]
    assert list(statements(iter(lines))) == ["select 1;", ".tables", "select a\n\nfrom b;", "select last"]


def test_sql_is_answered(prompt: tuple[Prompt, list[str]]) -> None:
    visit, said = prompt
    assert visit.take("select place from homes where people = 5;")
    assert said[-1].splitlines()[-1] == "B"
    visit.take("select 1 where false;")
    assert said[-1] == "(no rows)"


def test_a_mistake_says_what_and_where_to_look_and_the_visit_goes_on(prompt: tuple[Prompt, list[str]]) -> None:
    visit, said = prompt
    assert visit.take("select nothing from homes;")
    assert "nothing" in said[-1]
    assert ".columns TABLE" in said[-1]
    assert visit.take("delete from homes;")
    assert "read-only" in said[-1]
    visit.take("select count(*) as n from homes;")
    assert said[-1].splitlines()[-1] == "2"


def test_names_are_completed_and_shown(prompt: tuple[Prompt, list[str]]) -> None:
    visit, said = prompt
    assert {"homes", "people", "select", ".recipe", "largest"} <= set(visit.names())
    visit.take(".tables")
    assert "homes" in said[-1]
    visit.take(".columns homes")
    assert "persons" in said[-1]
    visit.take(".columns none")
    assert "there is no table 'none'" in said[-1]


def test_recipes_are_at_hand(prompt: tuple[Prompt, list[str]]) -> None:
    visit, said = prompt
    visit.take(".recipes")
    assert "The largest" in said[-1]
    visit.take(".recipe largest")
    assert said[-2].startswith("-- 最大 / The largest\nselect max(people)")
    assert said[-1].splitlines()[-1] == "5"
    visit.take(".recipe none")
    assert "there is no recipe 'none'" in said[-1]


def test_quit_ends_the_visit(prompt: tuple[Prompt, list[str]]) -> None:
    visit, _ = prompt
    assert visit.take(".help")
    assert not visit.take(".quit")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recipes:\n- {name: a, title_zh: x, title_en: x}\n", "line 2: recipes.0.sql: Field required"),
        ("recipes:\n- {name: A b, title_zh: x, title_en: x, sql: x}\n", "line 2: recipes.0.name"),
        ("recipes:\n" + "- {name: a, title_zh: x, title_en: x, sql: x}\n" * 2, "the recipe 'a' stands twice"),
    ],
)
def test_a_mistake_in_recipes_names_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "recipes.yml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        load_recipes(path)
    assert load_recipes(tmp_path / "none.yml") == []


def test_without_a_release_it_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "open", "--warehouse", str(tmp_path)],
        capture_output=True, text=True, check=False, input="",
    )  # fmt: skip
    assert done.returncode == 2
    assert "nothing has been released yet" in done.stderr
