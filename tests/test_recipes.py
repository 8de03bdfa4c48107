"""Every recipe works: each question has an answer in one plain statement, and what docs/recipes tells to type runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from houses import House

from pipelines.jurisdiction import load
from pipelines.jurisdiction.recipes import as_markdown
from pipelines.settings import PROJECT_FOLDER

DOCS = PROJECT_FOLDER / "docs" / "recipes"
ZHEJIANG = PROJECT_FOLDER / "raw" / "zhejiang"
ENGLAND = PROJECT_FOLDER / "raw" / "england"


def block(name: str, language: str) -> str:
    """The one block of a recipe in a language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / name).read_text(encoding="utf-8"), re.M | re.S)
    assert len(found) == 1, (name, language)
    return str(found[0])


@pytest.mark.parametrize(("folder", "page"), [(ZHEJIANG, "queries.md"), (ENGLAND, "queries-england.md")])
def test_the_page_of_questions_is_that_of_recipes_yml(folder: Path, page: str) -> None:
    place = load(folder)
    written = as_markdown(place.recipes, place.name, place.name_en)
    assert (DOCS / page).read_text(encoding="utf-8") == written, (
        f"write it again: .venv/bin/junheng recipes --jurisdiction raw/{folder.name} > docs/recipes/{page}"
    )


def statement(sql: str) -> dict[str, Any]:
    """The parsed statement of a recipe, as DuckDB gives it; there is one."""
    with duckdb.connect() as connection:
        [(parsed,)] = connection.execute("select json_serialize_sql(?)", [sql]).fetchall()
    statements = json.loads(parsed)["statements"]
    assert len(statements) == 1
    node: dict[str, Any] = statements[0]["node"]
    return node


def conditions(node: dict[str, Any] | None) -> int:
    """How many conditions are joined by `and` and `or`."""
    if node is None:
        return 0
    return sum(map(conditions, node["children"])) if node["class"] == "CONJUNCTION" else 1


def filters(node: Any) -> list[dict[str, Any]]:
    """The conditions of single aggregates, `filter (where ...)`, wherever they are."""
    if isinstance(node, list):
        return [found for item in node for found in filters(item)]
    if not isinstance(node, dict):
        return []
    here = [node["filter"]] if isinstance(node.get("filter"), dict) else []
    return here + [found for item in node.values() for found in filters(item)]


def test_conditions_are_counted_wherever_they_are() -> None:
    plain = statement("select a from t where a = 1 and (b or not c)")
    assert (conditions(plain["where_clause"]), filters(plain)) == (3, [])
    filtered = statement("select sum(a) filter (where b = 1 and c = 2) from t group by d having count(*) > 1")
    assert [conditions(found) for found in filters(filtered)] == [2]
    assert conditions(filtered["having"]) == 1


@pytest.mark.parametrize("folder", [ZHEJIANG, ENGLAND], ids=lambda folder: folder.name)
def test_every_answer_is_one_statement_on_one_table_with_four_conditions(folder: Path) -> None:
    for recipe in load(folder).recipes:
        node = statement(recipe.sql)
        assert node["type"] == "SELECT_NODE", recipe.name
        assert node["from_table"]["type"] == "BASE_TABLE", f"{recipe.name} joins tables"
        assert not node["cte_map"]["map"], recipe.name
        assert "SUBQUERY" not in json.dumps(node), f"{recipe.name} asks within a question"
        asked = [node["where_clause"], node["having"], node["qualify"], *filters(node)]
        assert sum(map(conditions, asked)) <= 4, f"{recipe.name} has more than four conditions"


def test_there_are_forty_questions() -> None:
    assert len(load(ZHEJIANG).recipes) >= 40


def test_every_recipe_is_listed_and_asks_for_the_same_figure() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in DOCS.glob("*.md")} - {"README.md"}
    assert files == set(re.findall(r"\]\(([a-z0-9-]+\.md)\)", index))
    for name in files - {"queries.md", "queries-england.md"}:
        text = (DOCS / name).read_text(encoding="utf-8")
        assert all(word in text for word in ("region_level", "basic", "per_resident", "total", "provenance")), name


@pytest.mark.pipeline
class TestOnARelease:
    """What people type, on a release of the sample."""

    @pytest.fixture
    def place(self, zhejiang: House, tmp_path: Path) -> Path:
        """A folder that holds `warehouse/`, as the recipes want it."""
        (tmp_path / "warehouse").symlink_to(zhejiang.folder, target_is_directory=True)
        return tmp_path

    @pytest.fixture
    def expected(self, zhejiang: House) -> list[tuple[str, float]]:
        (recipe,) = (r for r in load(ZHEJIANG).recipes if r.name == "spending-per-head")
        return [(row[0], row[1]) for row in zhejiang.query(recipe.sql)]

    def check(
        self, command: list[str], place: Path, expected: list[tuple[str, float]], text: str | None = None
    ) -> None:
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, input=text, timeout=120)
        assert done.returncode == 0, done.stderr
        said = [line for line in done.stdout.splitlines() if any(region in line for region, _ in expected)]
        assert len(expected) == len(said) == 11
        for (region, figure), line in zip(expected, said, strict=True):
            assert region in line
            # Languages differ in how they write a number without decimals.
            assert any(abs(float(number) - figure) < 0.006 for number in re.findall(r"\d+\.?\d*", line)), line
            assert "synthetic" in line

    @pytest.mark.parametrize("place_of", ["zhejiang", "england_run"])
    def test_each_question_has_an_answer(self, place_of: str, request: pytest.FixtureRequest) -> None:
        house: House = request.getfixturevalue(place_of)
        for recipe in load(house.jurisdiction).recipes:
            rows = house.query(recipe.sql)
            assert rows, recipe.name
            assert any(value is not None for row in rows for value in row[1:]), recipe.name

    @pytest.mark.parametrize("name", ["python", "polars", "pandas"])
    def test_python_polars_and_pandas(self, name: str, place: Path, expected: list[tuple[str, float]]) -> None:
        self.check([sys.executable, "-c", block(f"{name}.md", "python")], place, expected)

    def test_the_command_line_of_duckdb(self, place: Path, expected: list[tuple[str, float]]) -> None:
        beside = Path(sys.executable).with_name("duckdb")
        if not (beside.exists() or shutil.which("duckdb")):
            pytest.skip("DuckDB's command line is not installed (pip install duckdb-cli)")
        folder = f"PATH={beside.parent}:$PATH; "
        self.check(["sh", "-c", folder + block("duckdb-cli.md", "sh")], place, expected)

    def test_node(self, place: Path, expected: list[tuple[str, float]]) -> None:
        if not shutil.which("node"):
            pytest.skip("Node.js is not installed")
        recipe = place / "recipe.mjs"
        recipe.write_text(block("node.md", "js"), encoding="utf-8")
        found = subprocess.run(["npm", "root", "-g"], capture_output=True, text=True, check=False).stdout.strip()
        if not (Path(found or "-") / "@duckdb" / "node-api").exists():
            pytest.skip("@duckdb/node-api is not installed (npm install -g @duckdb/node-api)")
        (place / "node_modules").symlink_to(found, target_is_directory=True)
        self.check(["node", str(recipe)], place, expected)

    def test_r(self, place: Path, expected: list[tuple[str, float]]) -> None:
        if not shutil.which("Rscript"):
            pytest.skip("R is not installed")
        has = subprocess.run(["Rscript", "-e", "library(DBI); library(duckdb)"], capture_output=True, check=False)
        if has.returncode:
            pytest.skip("R's package duckdb is not installed")
        self.check(["Rscript", "-e", block("r.md", "r")], place, expected)

    def test_what_was_published_on_a_day_as_the_page_says(self, zhejiang: House) -> None:
        sql = re.search(r"select \* from (\w+_as_of)\(timestamp '[^']+'\);", (DOCS / "README.md").read_text())
        assert sql
        assert zhejiang.query(sql[0]) == []  # it is a day before the first release of a test
        now = zhejiang.query(f"select count(*) from {sql[1]}(timestamp '2099-01-01')")
        assert now == zhejiang.query(f"select count(*) from {sql[1].removesuffix('_as_of')}")
