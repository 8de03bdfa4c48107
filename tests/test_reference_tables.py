"""One schema says what the reference tables are: loader, documentation, table schemas and dbt's sources agree."""

from __future__ import annotations

import json
import re
from pathlib import Path

import country
import duckdb
import frictionless
import jsonschema
import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction import load, source_schema
from pipelines.jurisdiction.reference import load_table
from pipelines.jurisdiction.reference_schema import TABLES, Column, Table, links
from pipelines.jurisdiction.schema import made_files, schema, schema_text
from pipelines.settings import DBT_FOLDER, PROJECT_FOLDER
from pipelines.transform import SOURCE_TABLES

ZHEJIANG = PROJECT_FOLDER / "raw" / "zhejiang"
MADE = made_files(PROJECT_FOLDER)
COLUMNS = [(table, name, column) for table in TABLES for name, column in table.columns.items()]


def refused(folder: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as error:
        load(folder)
    return error.value


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.name)
def test_what_is_made_of_the_schema_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == MADE[path], "run: junheng schema --write"


@pytest.mark.parametrize(("table", "name", "column"), COLUMNS, ids=[f"{t.file}-{n}" for t, n, _ in COLUMNS])
def test_every_column_is_explained_in_both_languages_with_an_example_that_fits(
    table: Table, name: str, column: Column
) -> None:
    assert re.search(r"[\u4e00-\u9fff]", column.zh)
    assert re.search(r"[A-Za-z]{3}", column.en)
    for part in column.example.split(";") if column.is_list else [column.example]:
        assert part
        assert column.fault_of(part) is None
    page = MADE[PROJECT_FOLDER / "docs" / "reference-tables.md"]
    section = page[page.index(f"\n## {table.file}\n") :]
    assert f"\n| `{name}` |" in section


def test_keys_and_references_of_the_schema_exist() -> None:
    for table in TABLES:
        assert set(table.key) <= set(table.columns)
    for _, _, _, target, column in links():
        assert column in target.columns


def test_dbts_sources_have_the_columns_that_are_laid() -> None:
    text = (DBT_FOLDER / "models" / "sources.yml").read_text(encoding="utf-8")
    entries = {table["name"]: table for table in yaml.safe_load(text)["sources"][0]["tables"]}
    for table, laid in SOURCE_TABLES.items():
        columns = {column["name"]: column["data_type"] for column in entries[table]["columns"]}
        assert columns == {n: kind.lower().replace("varchar", "string") for n, kind in laid.items()}


def test_every_column_of_a_source_table_is_described_once() -> None:
    path = Path(source_schema.__file__).with_name("source_tables.yml")
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    columns = [item for table in raw["tables"] for item in table["columns"].items()]
    assert {name for name, column in columns if column is None} == set(raw["shared"])
    assert not {name for name, column in columns if column is not None} & set(raw["shared"])


def test_a_column_that_is_described_nowhere_is_refused() -> None:
    table = {"relation": "t", "zh": "表", "en": "T", "columns": {"reading_id": None}}
    with pytest.raises(ValueError, match="reading_id"):
        source_schema.Tables.model_validate({"shared": {}, "tables": [table]})


def test_a_reading_is_stored_with_the_types_of_its_source_table() -> None:
    frame = pl.DataFrame(schema=source_schema.polars_schema("observation"))
    with duckdb.connect() as connection:
        connection.register("frame", frame.to_arrow())
        kinds = {n: k for n, k, *_ in connection.execute("describe from frame").fetchall()}
    assert kinds == SOURCE_TABLES["observation"]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.file)
def test_the_table_schema_takes_the_files_that_the_loader_takes(table: Table) -> None:
    path = ZHEJIANG / "reference" / table.file
    if not path.exists():
        pytest.skip("Zhejiang has no such file")
    described = json.loads(schema_text(table.file))
    described["fields"] = [f for f in described["fields"] if f["name"] in path.read_text().split("\n")[0].split(",")]
    resource = frictionless.Resource(
        path=path.name, basepath=str(path.parent), schema=frictionless.Schema.from_descriptor(described)
    )
    report = resource.validate()
    assert report.valid, report.flatten(["rowNumber", "fieldName", "type"])[:5]
    assert load_table(path.parent, table).height > 0


def test_the_schema_of_the_description_takes_every_jurisdiction(tmp_path: Path) -> None:
    land = country.make_country(tmp_path / "verdania", landed=False)
    validator = jsonschema.Draft202012Validator(schema("jurisdiction"))
    for folder in (ZHEJIANG, land.folder):
        document = yaml.safe_load((folder / "jurisdiction.yml").read_text(encoding="utf-8"))
        assert list(validator.iter_errors(document)) == []
    assert list(validator.iter_errors({**document, "colour": "red"}))


# -- cells ----------------------------------------------------------------------------------------------------------

_NEAR = st.text("0123456789.-+eE ,truefals０１²½٣年", max_size=14)
_TYPES = sorted({column.type for _, _, column in COLUMNS} - {"text"})


@given(text=_NEAR | st.dates().map(str) | st.decimals(allow_nan=False).map(str), kind=st.sampled_from(_TYPES))
def test_what_the_loader_takes_fits_the_type_that_dbt_is_given(text: str, kind: str) -> None:
    column = Column.model_validate({"type": kind, "zh": "一", "en": "one", "example": "1"})
    if text and column.fault_of(text) is None:
        cast = duckdb.execute(f"select try_cast(? as {column.sql_type}) is not null", [text]).fetchone()
        assert cast == (True,)


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("decimal(12,9)", "1234.5", "more than 3 digits before the point"),
        ("decimal(18,6)", "½", "not a number"),
        ("decimal(18,6)", "1,5", "not a number"),
        ("decimal(18,6)", "１", "not a number"),
        ("integer", "2020.0", "not a whole number"),
        ("integer", "99999999999", "not a whole number"),
        ("date", "2020-02-30", "not a date"),
        ("date", "1/2/2020", "not a date"),
        ("boolean", "yes", "not true or false"),
    ],
)
def test_a_cell_that_its_type_cannot_hold_is_refused(kind: str, text: str, said: str) -> None:
    column = Column.model_validate({"type": kind, "zh": "一", "en": "one", "example": "1"})
    fault = column.fault_of(text)
    assert fault is not None
    assert said in fault[0]


def test_lines_that_begin_with_a_hash_are_comments_and_line_numbers_stay_true(tmp_path: Path) -> None:
    land = country.make_country(tmp_path / "verdania", landed=False)
    path = land.folder / "reference" / "regions.csv"
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    text = "\n".join(["# the regions of Verdania", head, "# V,Nowhere,", *lines]) + "\n"
    path.write_text(text, encoding="utf-8")
    before = load(land.folder).regions
    assert before.height == len(lines)
    path.write_text(text.replace("1900-01-01", "first of May", 1), encoding="utf-8")
    wrong = next(n for n, line in enumerate(path.read_text().splitlines(), start=1) if "first of May" in line)
    assert refused(land.folder).where.endswith(f"line {wrong}")


def test_only_a_list_holds_several_codes_in_a_cell(tmp_path: Path) -> None:
    land = country.make_country(tmp_path / "verdania", landed=False)
    path = land.folder / "reference" / "regions.csv"
    text = path.read_text(encoding="utf-8")
    assert ",parish,VA," in text
    path.write_text(text.replace(",parish,VA,", ",parish,VA;VB,", 1), encoding="utf-8")
    error = refused(land.folder)
    assert "parent_code 'VA;VB'" in error.message
    assert "is not in regions.csv" in error.message
