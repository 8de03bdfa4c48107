"""A small build made by hand, for tests of judging, releasing and pages: no file is read and no dbt is run."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb

from pipelines import protection, quality
from pipelines.dbt_manifest import read_dbt_manifest
from pipelines.publish import published_tables
from pipelines.records import Build, Punctuality
from pipelines.settings import Settings
from pipelines.store import Warehouse
from pipelines.transform import SOURCE_TABLES

MODELS: dict[str, dict[str, Any]] = {
    "dim_place": {
        "key": ["place_code"],
        "columns": {"place_code": "VARCHAR", "place_name": "VARCHAR", "valid_from": "DATE"},
    },
    "mart_rate": {
        "key": ["place_code", "year"],
        "made_from": ["dim_place"],
        "columns": {
            "place_code": "VARCHAR",
            "year": "BIGINT",
            "numerator": "DECIMAL(28,9)",
            "denominator": "DECIMAL(28,9)",
            "rate_pct": "DOUBLE",
            "is_final": "BOOLEAN",
            "obs_status": "VARCHAR",
            "conf_status": "VARCHAR",
            "provenance": "VARCHAR",
        },
    },
}
# What numbers are about: nothing that is made by hand has more to say of it.
SERIES = (
    "series_number bigint, measure text, reference_geography text, period_start date, period_end date, year integer, "
    "population_basis text, residence text, sex text, age_group text, group_code text, item text"
)
RATES = [
    ("P2", 2020, "1", "4", 25.0, "true", "A", "F", "synthetic"),
    ("P1", 2020, "1", "3", 100 / 3, "true", "A", "F", "official"),
    ("P1", 2019, None, "3", None, "false", "O", "F", "official"),
]
JURISDICTION: Any = SimpleNamespace(
    key="somewhere",
    name="某地",
    name_en="Somewhere",
    home_region="P1",
    currency="XXX",
    units={"人": SimpleNamespace(base="persons", factor=1)},
    unit_names={},
    boundaries=None,
    time_zone="Asia/Shanghai",
    levels=[SimpleNamespace(name="place", name_zh="地方", name_en="Place", depth=0, government_level="none")],
    synthetic_mark={"zh": "示例", "en": "Sample"},
    data_notes=[],
    contracts={},
    corrections=[],
    recipes=[],
    main_fund=None,
    population_source="year_end",
    tells_residence=False,
    description=SimpleNamespace(compared_depth=0, page_language="zh"),
    measure_roles={"population": [], "spending": []},
    disclosure={"method": "none", "reason": "nothing to hide"},
)


def manifest(models: dict[str, dict[str, Any]] | None = None, tests: dict[str, dict[str, Any]] | None = None) -> Any:
    """dbt's manifest as far as Junheng reads it."""
    nodes: dict[str, Any] = {}
    for name, model in (models or MODELS).items():
        nodes[f"model.junheng.{name}"] = {
            "resource_type": "model",
            "name": name,
            "description": f"{name}的说明",
            "config": {
                "meta": {
                    "published": True,
                    "key": model["key"],
                    "description_en": f"About {name}",
                    "version": model.get("version"),
                }
            },
            "depends_on": {"nodes": [f"model.junheng.{other}" for other in model.get("made_from", [])]},
            "columns": {
                column: {
                    "name": column,
                    "data_type": kind,
                    "description": f"{column}列",
                    "config": {"meta": {"description_en": f"Column {column}", "unit": "%" if "pct" in column else ""}},
                }
                for column, kind in model["columns"].items()
            },
        }
    default_tests: dict[str, dict[str, Any]] = {"not_null_mart_rate_year": {}}
    for name, meta in (default_tests if tests is None else tests).items():
        nodes[f"test.junheng.{name}.abc"] = {
            "resource_type": "test",
            "name": name,
            "attached_node": "model.junheng.mart_rate",
            "config": {"severity": "warn", "meta": meta},
        }
    return {"nodes": nodes}


@cache
def _usual_database() -> bytes:
    """The bytes of the usual database: made once, because making it takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "build.duckdb"
        _make_database(path, RATES, MODELS)
        return path.read_bytes()


def make_database(path: Path, rates: list[tuple[Any, ...]] | None = None) -> None:
    """The build's database: schema `source` with one delivery, and two marts."""
    path.unlink(missing_ok=True)
    if rates is None:
        path.write_bytes(_usual_database())
    else:
        _make_database(path, rates, MODELS)


def _make_database(path: Path, rates: list[tuple[Any, ...]], models: dict[str, dict[str, Any]]) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"create schema intermediate; create table intermediate.int_observation__number_series ({SERIES})"
        )
        connection.execute("create schema source")
        for table, columns in SOURCE_TABLES.items():
            body = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            connection.execute(f'create table source."{table}" ({body})')

        def insert(table: str, **values: Any) -> None:
            names = ", ".join(f'"{name}"' for name in values)
            marks = ", ".join("?" * len(values))
            connection.execute(f"insert into source.{table} ({names}) values ({marks})", list(values.values()))

        one = {"department": "health", "extract": "beds"}
        insert(
            "extract",
            **one,
            provenance="official",
            owner="health office",
            extract_rank=1,
            name_zh="床位",
            name_en="Beds",
        )
        insert(
            "receipt", **one, receipt_id="r1", delivery_period="2020", file_name="beds.csv", sha256="0" * 64,
            landing_path="health/beds/2020/beds.csv", size_bytes=10, received_at="2021-01-01 00:00:00", sequence=1,
            is_in_force=True,
        )  # fmt: skip
        insert("reading", **one, reading_id="g1", receipt_id="r1", status="read", problem="", read_at="2021-01-01")
        insert(
            "tie_out", **one, reading_id="g1", receipt_id="r1", delivery_period="2020", source_file="beds.csv",
            source_sheet="1", rows_read=5, rows_accepted=3, rows_rejected=1, rows_duplicate=0, rows_ignored=1,
            values_read=5, values_accepted=3, values_missing=1, values_rejected=1, values_dropped=0,
        )  # fmt: skip
        insert(
            "reject", **one, reject_id="j1", reading_id="g1", receipt_id="r1", delivery_period="2020",
            source_file="beds.csv", source_sheet="1", source_row=7, source_column="beds", scope="cell",
            rule="not_a_number", reported_text="5.5.4", is_known=True, known_reason="a slip of the pen",
        )  # fmt: skip
        insert("domain", domain="health", name_zh="健康", name_en="Health", sort_order=1, is_basic=True)
        for name, model in models.items():
            body = ", ".join(f'"{column}" {kind}' for column, kind in model["columns"].items())
            connection.execute(f"create table main.{name} ({body})")
        connection.execute("insert into dim_place values ('P1', '甲地', '2000-01-01'), ('P2', '乙地', '2000-01-01')")
        for row in rates:
            connection.execute(f"insert into mart_rate values ({', '.join('?' * len(row))})", list(row))


def make_build(
    warehouse: Warehouse, build_id: str = "b1", rates: list[tuple[Any, ...]] | None = None, **tests: dict[str, Any]
) -> Build:
    """A build with database, dbt's papers and an empty mask, not yet judged."""
    folder = warehouse.build_folder(build_id)
    folder.mkdir(parents=True, exist_ok=True)
    build = Build(
        build_id=build_id, folder=str(folder), inputs_hash="i", reading_ids=["g1"], code_version="c",
        reference_hash="r", contracts_hash="k", expectations_hash="e", as_of=None, built_at="2021-01-01T00:00:00Z",
    )  # fmt: skip
    make_database(build.database, rates)
    papers = manifest(tests=tests or None)
    build.dbt_manifest.write_text(json.dumps(papers), encoding="utf-8")
    write_results(build)
    protection.make_mask(build, JURISDICTION.disclosure)
    return build


def write_results(build: Build, **statuses: str) -> None:
    """dbt's results: every test of the manifest passed, but for the statuses given by test name."""
    nodes = json.loads(build.dbt_manifest.read_text(encoding="utf-8"))["nodes"]
    results = []
    for unique_id, node in nodes.items():
        if node["resource_type"] == "test":
            status = statuses.get(node["name"], "pass")
            failures = 0 if status == "pass" else 2
            results.append(
                {"unique_id": unique_id, "status": status, "failures": failures, "message": f"Got {failures}"}
            )
    build.dbt_results.write_text(json.dumps({"results": results}), encoding="utf-8")


EXPECTATIONS = """
table: mart_rate
expectations:
  - id: rate_is_a_share
    type: expect_column_values_to_be_between
    arguments: {column: rate_pct, min_value: 0, max_value: 100}
    severity: block
    owner: somebody
    why: 比例在0到100之间 / A share lies between 0 and 100
    since: "2026-01-01"
"""


def expectations_folder(folder: Path, text: str = EXPECTATIONS) -> Path:
    """A folder with one expectation file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mart_rate.yml").write_text(text, encoding="utf-8")
    return folder


# One extract that owes nothing.
ON_TIME = {"health/beds": Punctuality("health/beds", "warn", is_agreed=False)}


def judge(warehouse: Warehouse, build: Build, tmp_path: Path, text: str = EXPECTATIONS) -> Any:
    """Judge a hand-made build by one expectation file and no waivers."""
    folder = expectations_folder(tmp_path / "expectations", text)
    return quality.judge(warehouse, build, rules(build, folder, tmp_path / "waivers.yml"))


def rules(build: Build, *folders: Path, on_time: dict[str, Punctuality] = ON_TIME) -> quality.Rules:
    """What a hand-made build is judged by: folders of expectations, then the file of waivers."""
    contracts = [table.contract for table in published_tables(read_dbt_manifest(build.dbt_manifest))]
    return quality.Rules(list(folders[:-1]), folders[-1], on_time, contracts)


def settings(tmp_path: Path) -> Settings:
    """Settings of a small run."""
    return Settings(jurisdiction_folder=tmp_path / "somewhere", warehouse_folder=tmp_path / "warehouse")
