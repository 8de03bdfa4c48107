"""From the first edition to the second: every table and column has its place, and the comparison finds what differs."""

from __future__ import annotations

import csv
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from pipelines.settings import PROJECT_FOLDER

BENCH = PROJECT_FOLDER / "bench"


@pytest.fixture(scope="module")
def editions() -> ModuleType:
    """`bench/compare_editions.py` as a module."""
    spec = importlib.util.spec_from_file_location("compare_editions", BENCH / "compare_editions.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_page_names_every_table_and_column_of_the_first_edition() -> None:
    page = (PROJECT_FOLDER / "docs" / "migration.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^### |\Z)", page, re.M | re.S))
    with (BENCH / "first_edition.csv").open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            table, column = row["table_name"], row["column_name"]
            assert table in sections, table
            described = sections[table].split("New:")[0]
            assert f"`{column}`" in described, f"{table}.{column}"


DIMENSIONS = """
create table new.dim_variant as select * from (values
    ('main', 'reported', 'mean', 'equal'), ('geometric_mean', 'reported', 'geometric_mean', 'equal')
) as t(variant, boundaries, method, weight_set);
"""
OLD = """
create table old.mart_composite_index as select * from (values
    ('1', 'reported', 2020, 'all', 'arithmetic_mean', 'a', 100.0),
    ('1', 'reported', 2020, 'all', 'geometric_mean', 'a', 99.0),
    ('1', '2020', 2020, 'all', 'arithmetic_mean', 'a', 100.5)
) as t(region_code, reference_geography, year, domain, method_id, goalposts, index_value);
"""
NEW = """
create table new.mart_composite_index as
    select '1' as region_code, 2020 as year, 'all' as domain, 'a' as goalpost_set, {main} as index_value;
create table new.mart_composite_index_variants as
    select 'geometric_mean' as variant, '1' as region_code, 2020 as year, 'all' as domain, 'a' as goalpost_set,
        {geometric} as index_value where {has_geometric};
"""


def made(folder: Path, name: str, sql: str) -> str:
    """A database with these tables."""
    path = folder / f"{name}.duckdb"
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as {name}")
        connection.execute(sql)
    return str(path)


@pytest.fixture
def one_column(editions: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The comparison of the index alone, by its one value."""
    rules = (BENCH / "editions.yml").read_text(encoding="utf-8")
    found = re.search(r"  mart_composite_index:\n.*?(?=\n\n|\Z)", rules, re.S)
    assert found
    path = tmp_path / "editions.yml"
    path.write_text("tables:\n" + re.sub(r"values: \[.*?\]", "values: [index_value]", found[0], flags=re.S))
    monkeypatch.setattr(editions, "RULES", path)
    return editions


@pytest.mark.parametrize(
    ("main", "geometric", "has_geometric", "code", "said"),
    [
        ("100.0", "99.0", "true", 0, "1 old rows have no new one: readings that no variant declares"),
        ("100.0", "99.0000001", "true", 1, "index_value: 1 differ: NOT EXPLAINED"),
        ("null", "99.0", "true", 1, "index_value: 1 differ: NOT EXPLAINED"),
    ],
)
def test_a_figure_that_differs_without_a_reason_is_found(
    one_column: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    main: str, geometric: str, has_geometric: str, code: int, said: str,
) -> None:  # fmt: skip
    old = made(tmp_path, "old", OLD)
    new = made(tmp_path, "new", DIMENSIONS + NEW.format(main=main, geometric=geometric, has_geometric=has_geometric))
    assert one_column.main(old, new) == code
    assert said in capsys.readouterr().out


def test_an_old_figure_of_a_declared_reading_that_is_gone_is_found(
    one_column: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "insert into old.mart_composite_index values ('2', 'reported', 2020, 'all', 'arithmetic_mean', 'a', 90.0);"
    old = made(tmp_path, "old", OLD + more)
    new = made(tmp_path, "new", DIMENSIONS + NEW.format(main="100.0", geometric="99.0", has_geometric="true"))
    assert one_column.main(old, new) == 1
    assert "1 old rows have no new one: NOT EXPLAINED" in capsys.readouterr().out
