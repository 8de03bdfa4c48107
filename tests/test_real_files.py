"""Real files as their publishers send them, read by contracts written here. Skipped where they are not at hand."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import country
import fastexcel
import intake_kit as kit
import polars as pl
import pytest

from pipelines.intake import RegionIndex
from pipelines.intake.frames import Taken
from pipelines.intake.read import take
from pipelines.jurisdiction import Contract, Jurisdiction, load
from pipelines.records import Receipt
from pipelines.settings import PROJECT_FOLDER

DATA = kit.shared_data()
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real files is not beside the repository")

PROVINCES = 31
ZHEJIANG = "330000"


@pytest.fixture(scope="module")
def zhejiang() -> Jurisdiction:
    return load(PROJECT_FOLDER / "raw" / "zhejiang")


def read(path: Path, layout: dict[str, Any], place: Jurisdiction, regions: pl.DataFrame | None = None) -> Taken:
    """What is taken from a real file by a contract with this layout; the account is held to its law."""
    contract = Contract.model_validate(country._contract("bureau/real", layout, files="*"))
    receipt = Receipt(
        receipt_id="r",
        department="bureau",
        extract="real",
        delivery_period="2010",
        file_name=path.name,
        landing_path=f"bureau/real/2010/{path.name}",
        sha256="0" * 64,
        size_bytes=path.stat().st_size,
        received_at="2024-01-01T00:00:00.000000Z",
        sequence=1,
    )
    index = RegionIndex(place.regions if regions is None else regions)
    taken = take(path.read_bytes(), receipt, contract, place, index, "reading")
    assert not taken.problem, taken.problem
    for account in taken.tie_out:
        assert account.holds
    return taken


def of(taken: Taken, region: str, year: int) -> Decimal:
    """The one value of a region in a year."""
    rows = taken.accepted.filter(pl.col("region_code") == region, pl.col("period_end").dt.year() == year)
    assert rows.height == 1
    value = rows["value"][0]
    assert isinstance(value, Decimal)
    return value


def test_residents_in_gb18030_with_a_preamble(zhejiang: Jurisdiction) -> None:
    layout = {
        "format": {"kind": "csv", "encoding": "gb18030"},
        "header": {"find": ["地区"]},
        "data": {"end_at": ["^注", "^数据来源"]},
        "region": {"name": "地区"},
        "period": {"from": "header", "kind": "point"},
        "tokens": {},
        "values": [{"columns": r"^(?P<period>\d{4})年$", "measure": "year_end_population", "unit": "万人"}],
    }
    taken = read(DATA / "nbs" / "resident_population_gb18030.csv", layout, zhejiang)
    assert taken.rejects.height == 0
    assert taken.accepted.height == PROVINCES * 10
    assert of(taken, ZHEJIANG, 2020) == 64_680_000
    assert of(taken, ZHEJIANG, 2016) == 60_720_000
    assert {"preamble", "header"} <= set(taken.ignored["reason"])


def test_the_same_file_in_the_wrong_encoding_is_unreadable_not_garbled(zhejiang: Jurisdiction) -> None:
    data = (DATA / "nbs" / "resident_population_gb18030.csv").read_bytes()
    taken = kit.read(data, {"header": {"find": ["地区"]}, "region": {"name": "地区"}})
    assert "the bytes are not utf-8" in taken.problem


def test_expenditure_with_a_tab_in_every_cell_and_a_trailing_comma(zhejiang: Jurisdiction) -> None:
    layout = {
        "format": {"kind": "csv", "encoding": "utf-8-sig"},
        "header": {"find": ["地区"]},
        "data": {"end_at": ["^注", "^数据来源"]},
        "region": {"name": "地区"},
        "period": {"from": "header", "kind": "year"},
        "tokens": {"": "missing"},
        "values": [{"columns": r"^(?P<period>\d{4})年$", "measure": "general_budget_expenditure", "unit": "亿元"}],
    }
    taken = read(DATA / "nbs" / "general_budget_expenditure_utf8bom_tabs.csv", layout, zhejiang)
    assert taken.rejects.height == 0
    years = dict(zip(range(2016, 2021), ("6974.26", "7530.32", "8629.53", "10053.03", "10082.01"), strict=True))
    for year, reported in years.items():
        assert of(taken, ZHEJIANG, year) == Decimal(reported) * 10**8
    empty = taken.accepted.filter(pl.col("value").is_null())
    assert set(empty["period_end"].dt.year()) == {2025}  # announced, not yet there: missing, never zero
    assert set(empty["obs_status"]) == {"O"}


def test_two_blocks_stacked_under_a_header_without_names_in_an_old_workbook(zhejiang: Jurisdiction) -> None:
    layout = {
        "format": {"kind": "xls"},
        "header": {"row": 1},
        "region": {"name": "[D]"},
        "period": {"from": "header", "kind": "year"},
        "rows": [
            {
                "column": "[B]",
                "dimension": "measure",
                "fill": "down",
                "map": {
                    "一般公共预算支出（亿元）i": "general_budget_expenditure",
                    "财政支出（亿元）i": "fiscal_expenditure",
                },
            }
        ],
        "tokens": {"": "not_applicable"},
        "values": [{"columns": r"^(?P<period>\d{4})$", "unit": "亿元"}],
    }
    taken = read(DATA / "nbs" / "general_budget_stacked_blocks.xls", layout, zhejiang)
    assert taken.rejects.height == 0
    counted = taken.accepted.filter(pl.col("value").is_not_null()).group_by("measure").len()
    assert dict(counted.iter_rows()) == {
        "general_budget_expenditure": 18 * PROVINCES,
        "fiscal_expenditure": 2 * PROVINCES,
    }
    new = taken.accepted.filter(pl.col("measure") == "general_budget_expenditure", pl.col("region_code") == ZHEJIANG)
    assert dict(new.select(pl.col("period_end").dt.year(), "value").iter_rows())[2020] == Decimal("1008201000000")


def test_years_down_and_provinces_across(zhejiang: Jurisdiction) -> None:
    layout = {
        "format": {"kind": "csv", "encoding": "detect", "transpose": True},
        "header": {"find": ["时间"]},
        "region": {"name": "时间"},
        "period": {"from": "header", "kind": "year"},
        "tokens": {"": "missing"},
        "values": [{"columns": r"^(?P<period>\d{4})年$", "measure": "general_budget_expenditure", "unit": "亿元"}],
    }
    taken = read(DATA / "nbs" / "transposed_quoted.csv", layout, zhejiang)
    assert taken.rejects.height == 0
    assert set(taken.accepted["region_code"].unique()) >= {ZHEJIANG, "110000"}
    assert of(taken, ZHEJIANG, 2003) == Decimal(9753) * 10**8


def test_a_file_that_names_its_region_nowhere_is_refused_not_guessed() -> None:
    data = (DATA / "nbs" / "functional_heads_one_unnamed_region.csv").read_bytes()
    taken = kit.read(data, {"header": {"find": ["指标"]}, "region": {"name": "地区"}, "format": {"kind": "csv"}})
    assert "missing column(s): 地区" in taken.problem
    assert taken.accepted.height == 0


# -- the census of the whole country ----------------------------------------------------------------------------------


def rows_of(path: Path) -> list[tuple[str | None, ...]]:
    sheet = fastexcel.read_excel(path).load_sheet(0, header_row=None, dtypes="string").to_polars()
    return sheet.rows()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def census_2010(zhejiang: Jurisdiction) -> Taken:
    """All regions of the file on the list, so that each cell is judged for itself."""
    path = DATA / "census" / "census_county_2010_v1.xlsx"
    codes = {row[1]: re.sub(r"\s", "", row[0] or "") for row in rows_of(path) if re.fullmatch(r"\d{6}", row[1] or "")}
    regions = pl.DataFrame(
        [
            {
                "region_code": code,
                "region_name": name,
                "region_name_en": name,
                "region_level": "county",
                "parent_code": None,
                "valid_from": "1981-01-01",
                "valid_to": None,
                "code_origin": "",
                "aliases": None,
            }
            for code, name in codes.items()
        ],
        schema_overrides={"parent_code": pl.String, "valid_to": pl.String, "aliases": pl.String},
    )
    people = {"population_basis": "resident", "unit": "人", "type": "integer"}
    layout = {
        "format": {"kind": "xlsx"},
        "header": {"find": ["地区", "区划代码"]},
        "data": {"end_at": ["^首发论坛"]},
        "region": {"code": "区划代码"},
        "period": {"from": "folder", "kind": "point", "month_day": "11-01"},
        "tokens": {"": "missing"},
        "values": [
            {"column": "合计", "measure": "census_population", **people},
            {"column": "户籍人口", "measure": "census_population", **people, "population_basis": "registered"},
            {"column": "各种职业人口总计", "measure": "employed_long_form", **people},
            {"column": "电力、燃气及水的生产和供应业", "measure": "employed_long_form", "item": "power", **people},
            {"column": "住房来源-租赁", "measure": "dwellings_rented", "unit": "户", "type": "integer"},
        ],
        "ignore_columns": ["."],
    }
    return read(path, layout, zhejiang, regions)


def test_two_numbers_glued_in_a_cell_of_the_census_are_rejects(census_2010: Taken) -> None:
    glued = census_2010.rejects.filter(pl.col("rule") == "several_numbers")
    assert glued.select("region_code", pl.col("reported_text").str.replace_all(r"\s+", " ")).rows() == [
        ("420702", "8842 30"),
        ("542622", "5 5"),
    ]


def test_a_count_with_decimals_in_the_census_is_a_reject(census_2010: Taken) -> None:
    odd = census_2010.rejects.filter(pl.col("rule") == "not_an_integer")
    assert ("331123", "5.54") in odd.select("region_code", "reported_text").rows()


def test_the_last_row_of_the_census_is_an_advertisement_not_a_county(census_2010: Taken) -> None:
    (last,) = census_2010.ignored.filter(pl.col("reason") == "footnote").rows(named=True)
    assert "bbs.jjxj.org" in last["reported_text"]


def test_the_whole_census_is_in_the_account(census_2010: Taken) -> None:
    (account,) = census_2010.tie_out
    assert account.rows_read == 3280
    assert account.rows_read == account.rows_accepted + account.rows_rejected + account.rows_ignored
    assert account.rows_accepted > 3200
    people = census_2010.accepted.filter(pl.col("measure") == "census_population", pl.col("region_code") == ZHEJIANG)
    assert dict(people.select("population_basis", "value").iter_rows()) == {
        "resident": 54_426_891,
        "registered": 47_331_520,
    }
