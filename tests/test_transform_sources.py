"""Laying the source tables: what does not fit is refused by name, before dbt starts."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines import transform
from pipelines.errors import ConfigurationError, FaultError
from pipelines.records import Choice, Reading, Receipt
from pipelines.settings import DBT_FOLDER, Settings
from pipelines.store import Warehouse, put_in_place

RECEIPT = Receipt("r1", "d", "e", "2020", "f.csv", "d/e/2020/f.csv", "0" * 64, 1, "2024-05-06T09:08:09+02:00", 1)
READING = Reading(
    "g1", "r1", "d", "e", "2020", "c", "r", "v", "unreadable", "torn", "2024-05-06T07:08:10Z", "readings/g1"
)


def lay(
    folder: Path, reference: dict[str, pl.DataFrame], readings: list[Reading] | None = None
) -> duckdb.DuckDBPyConnection:
    database = folder / "build.duckdb"
    settings = Settings(jurisdiction_folder=folder, warehouse_folder=folder)
    transform._lay_sources(
        database, Warehouse(folder), settings, reference, readings or [], [RECEIPT], Choice(frozenset({"r1"}))
    )
    return duckdb.connect(str(database), read_only=True)


def domain(**cells: str | None) -> dict[str, pl.DataFrame]:
    row = {"domain": "health", "name_zh": "健康", "name_en": "Health", "sort_order": "1", "is_basic": "true"}
    row |= {"users": None, "users_name_zh": None, "users_name_en": None, **cells}
    return {"domain": pl.DataFrame([row], schema=dict.fromkeys(row, pl.String))}


def test_every_table_exists_even_when_there_is_nothing(tmp_path: Path) -> None:
    with lay(tmp_path, {}) as connection:
        found = {
            (table, column): kind
            for table, column, kind in connection.execute(
                "select table_name, column_name, data_type from information_schema.columns"
                " where table_schema = 'source'"
            ).fetchall()
        }
    assert found == {
        (table, column): kind for table, columns in transform.SOURCE_TABLES.items() for column, kind in columns.items()
    }


def test_every_source_table_is_described_for_dbt() -> None:
    text = (DBT_FOLDER / "models" / "sources.yml").read_text(encoding="utf-8")
    named = {line.split(":")[1].strip() for line in text.splitlines() if line.startswith("      - name:")}
    assert named == set(transform.SOURCE_TABLES)


def test_text_becomes_the_type_of_its_column_and_an_empty_cell_is_null(tmp_path: Path) -> None:
    with lay(tmp_path, domain(name_en=" ", sort_order=" 7 ")) as connection:
        assert connection.execute(
            "select domain, name_zh, name_en, sort_order, is_basic, users from source.domain"
        ).fetchall() == [("health", "健康", None, 7, True, None)]


def test_times_are_stored_in_utc_and_force_is_what_it_was_told(tmp_path: Path) -> None:
    with lay(tmp_path, {}, [READING]) as connection:
        times = connection.execute("select cast(received_at as varchar), is_in_force from source.receipt").fetchall()
        assert times == [("2024-05-06 07:08:09", True)]
        assert connection.execute("select status, problem from source.reading").fetchall() == [("unreadable", "torn")]


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"domains": pl.DataFrame()}, "domains"),
        ({"observation": pl.DataFrame()}, "observation"),
        (domain(colour="red"), "unknown: colour"),
        ({"domain": domain()["domain"].drop("is_basic")}, "missing: is_basic"),
        (domain(sort_order="first"), "'first' in the column sort_order is not of type INTEGER"),
        (domain(is_basic="perhaps"), "'perhaps' in the column is_basic is not of type BOOLEAN"),
    ],
)
def test_reference_tables_that_do_not_fit_are_refused(
    tmp_path: Path, reference: dict[str, pl.DataFrame], said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        lay(tmp_path, reference)
    assert said in caught.value.message
    assert caught.value.do


def test_a_reading_whose_file_is_gone_or_has_other_columns_is_a_fault(tmp_path: Path) -> None:
    read = Reading.from_dict({**READING.as_dict(), "status": "read"})
    with pytest.raises(FaultError, match="is gone"):
        lay(tmp_path, {}, [read])
    folder = tmp_path / read.folder
    folder.mkdir(parents=True)
    for name in ("accepted", "rejects", "ignored"):
        pl.DataFrame({"colour": ["red"]}).write_parquet(folder / f"{name}.parquet")
    (tmp_path / "build.duckdb").unlink()
    with pytest.raises(FaultError, match="do not fit the table observation"):
        lay(tmp_path, {}, [read])


def test_two_readings_of_one_receipt_are_a_fault(tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="two readings"):
        lay(tmp_path, {}, [READING, READING])


def test_a_finished_build_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    for round_ in ("old", "new"):
        work = tmp_path / "work"
        work.mkdir()
        (work / "which").write_text(round_)
        put_in_place(work, tmp_path / "builds" / "b1")
    assert [p.name for p in (tmp_path / "builds").iterdir()] == ["b1"]
    assert (tmp_path / "builds" / "b1" / "which").read_text() == "new"
