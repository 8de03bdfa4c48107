"""Other countries' official layouts are taught by a contract alone, from an unknown file to a sealed release."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import foreign
import polars as pl
import pytest
import yaml
from houses import House

from pipelines.jurisdiction.new_folder import make_folder
from pipelines.run.trial import check_file, sniff_file
from pipelines.settings import PROJECT_FOLDER, Settings

DOCUMENTS = ("new-jurisdiction.md", "new-extract.md")
ITEMS = ("education", "roads", "social_care", "housing", "culture")


def written(folder: Path) -> Path:
    """The jurisdiction of the documents, made as they say: each block names its file in a comment."""
    make_folder(folder / "england")
    for name in DOCUMENTS:
        text = (PROJECT_FOLDER / "docs" / name).read_text(encoding="utf-8")
        for block in re.findall(r"```(?:yaml|csv)\n(.*?)```", text, re.DOTALL):
            named = re.search(r"^# (england/\S+)\n", block, re.MULTILINE)
            assert named, block[:80]
            path = folder / named.group(1)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.replace(named.group(0), "", 1), encoding="utf-8")
    return folder / "england"


def regions(rows: list[tuple[str, str, str, str]]) -> bytes:
    """regions.csv of (code, name, level, parent)."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    head = "region_code,region_name,region_name_en,region_level,parent_code,valid_from,valid_to,code_origin,aliases"
    lines.writerow(head.split(","))
    lines.writerows(
        [code, name, name, level, parent, "1970-01-01", "", "office", ""] for code, name, level, parent in rows
    )
    return text.getvalue().encode()


def made(folder: Path, description: dict[str, Any], places: bytes, measures: list[tuple[str, str, str]]) -> Path:
    """A new jurisdiction with nothing to choose, so without variants.csv: `measures` are (measure, unit, source)."""
    (folder / "reference").mkdir(parents=True)
    (folder / "jurisdiction.yml").write_text(yaml.safe_dump(description, allow_unicode=True), encoding="utf-8")
    (folder / "reference" / "regions.csv").write_bytes(places)
    head = "measure,name_zh,name_en,unit,kind,aggregation,population_source,is_population\n"
    lines = [
        f"{m},{m},{m},{unit},stock,whole,{source},{str(source != 'none').lower()}\n" for m, unit, source in measures
    ]
    (folder / "reference" / "measures.csv").write_text(head + "".join(lines), encoding="utf-8")
    return folder


def teach(folder: Path, extract: str, contract: dict[str, Any]) -> None:
    """Write a contract."""
    path = folder / "contracts" / f"{extract}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {"id": extract, "version": "1.0.0", "name": extract, "name_en": extract, "provenance": "synthetic"}
    whole |= {
        "license": "invented",
        "source": {"publisher": "tests"},
        "team": [{"name": "desk"}],
        "rank": 10,
        **contract,
    }
    path.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), encoding="utf-8")


JAPAN = {
    "name": "日本（虚构）",
    "name_en": "Japan (invented)",
    "home_region": "96000",
    "levels": [{"name": "prefecture", "name_zh": "县", "name_en": "Prefecture", "depth": 0, "government_level": "own"}],
    "currency": "JPY",
    "time_zone": "Asia/Tokyo",
    "years": {"first": 2015, "last": 2020},
    "units": {"人": {"base": "persons", "factor": 1}, "施設": {"base": "places", "factor": 1}}
    | {"千円": {"base": "yen", "factor": 1000}},
    "disclosure": {"method": "none", "reason": "published"},
    "spending": [{"measure": "outturn", "role": "whole", "fund": "general", "account_stage": "final"}],
}
# Three header rows joined; unit and reference year of each column from its header; years of two eras.
JAPANESE = {
    "files": "*.csv",
    "layouts": [
        {
            "format": {"kind": "csv", "encoding": "cp932"},
            "header": {"find": ["地域", "都道府県"], "rows": 3, "fill_right": True},
            "data": {"end_at": [r"^\(注\)"]},
            "region": {"code": "地域/コード", "name": "地域/都道府県"},
            "period": {"from": "header", "kind": "year", "starts": "04-01", "eras": {"平成": 1988, "令和": 2018}},
            "tokens": {"…": "not_collected"},
            "values": [
                {
                    "columns": rf"^{code}/.*[(](?P<unit>人|施設|千円)[)]/(?P<period>(平成|令和)(\d+|元)年度)$",
                    "measure": measure,
                    "population_basis": basis,
                    "unit": "{unit}",
                    "type": "integer",
                }
                for code, measure, basis in (
                    ("A1101", "residents", "resident"),
                    ("I5101", "hospitals", "none"),
                    ("D310301", "outturn", "none"),
                )
            ],
        }
    ],
}


def japan(folder: Path) -> Path:
    places = regions([(code, name, "prefecture", "") for code, name in foreign.PREFECTURES.items()])
    measures = [("residents", "persons", "mid_year"), ("hospitals", "places", "none"), ("outturn", "yen", "none")]
    home = made(folder / "japan", JAPAN, places, measures)
    teach(home, "bureau/indicators", JAPANESE)
    return home


def land(home: Path, extract: str, period: str, name: str, data: bytes) -> Path:
    path = home / "landing" / extract / period / name
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return path


def settings_of(home: Path) -> Settings:
    return Settings.from_environment(home, home.parent / "warehouse")


# -- England ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2018, 2019])
def test_sniff_proposes_a_contract_that_reads_a_workbook_of_local_spending(tmp_path: Path, year: int) -> None:
    home = written(tmp_path)
    (home / "contracts" / "treasury" / "outturn.yml").unlink()
    path = tmp_path / f"outturn_{year}.xlsx"
    path.write_bytes(foreign.english_workbook(year))
    found = sniff_file(settings_of(home), path, write=True, department="treasury", extract="outturn")
    assert (found["readable"], found["rejects"]) == (True, 0), found["rejects_by_rule"]
    assert all(account["holds"] for account in found["tie_out"])
    assert {i["reason"]: i["rows"] for i in found["ignored"]} == {
        "preamble": 4 if year == 2018 else 7,
        "header": 1,
        "line_numbers": 1,
        "heading": 5,
        "total": 5,
        "blank": 1,
        "footnote": 2,
    }
    assert '"£ thousand"' in found["proposal"]
    assert check_file(settings_of(home), path, "treasury/outturn", str(year))["readable"]


@pytest.mark.parametrize("year", [2018, 2019])
def test_one_layout_reads_the_years_whose_header_moved_and_was_renamed(tmp_path: Path, year: int) -> None:
    home = written(tmp_path)
    path = tmp_path / f"outturn_{year}.xlsx"
    path.write_bytes(foreign.english_workbook(year))
    found = check_file(settings_of(home), path, "treasury/outturn", str(year))
    assert (found["problem"], found["rejects"], found["findings"]) == ("", 0, [])
    assert found["observations"] == len(foreign.AUTHORITIES) * 6
    assert {i["reason"] for i in found["ignored"]} >= {"line_numbers", "heading", "subtotal", "total", "footnote"}
    first = found["first"][0]
    assert (first["region_code"], first["value"]) == ("E06000201", str(foreign.spent("E06000201", 0, year) * 1000))  # type: ignore[operator]
    assert (str(first["period_start"]), str(first["period_end"])) == (f"{year}-04-01", f"{year + 1}-03-31")


@pytest.mark.pipeline
def test_england_comes_to_a_sealed_release_as_the_documents_say(tmp_path: Path) -> None:
    house = House(written(tmp_path), tmp_path / "warehouse")
    for year in (2018, 2019):
        land(house.jurisdiction, "treasury/outturn", str(year), f"o{year}.xlsx", foreign.english_workbook(year))
    assert house.run().outcome == "published"
    rows = house.query("select region_code, year, item, value, obs_status from fct_observation where item <> 'all'")
    figures = {(region, year, item): (value, status) for region, year, item, value, status in rows}
    assert len(figures) == 2 * len(foreign.AUTHORITIES) * len(ITEMS)
    for (region, year, item), (value, status) in figures.items():
        spent = foreign.spent(region, ITEMS.index(item), year)
        expected = {"[x]": (None, "M"), "c": (None, "Q"), "..": (None, "O")}.get(str(spent))
        assert (value, status) == (expected or (Decimal(int(spent) * 1000), "A"))
    checks = house.checks().values()
    assert {check["outcome"] for check in checks} == {"pass", "not_applicable", "fail"}
    (drift,) = (check for check in checks if check["outcome"] == "fail")  # a warning: the second file has a column more
    assert drift["check_id"] == "intake.columns.treasury/outturn"
    assert "E-code" in drift["locations"]


# -- Japan ------------------------------------------------------------------------------------------------------------


def test_sniff_tells_japanese_from_chinese_bytes_by_the_names_of_the_regions(tmp_path: Path) -> None:
    home = japan(tmp_path)
    path = tmp_path / "shihyo.csv"
    path.write_bytes(foreign.japanese_file())
    found = sniff_file(settings_of(home), path, department="bureau", extract="unknown")
    assert "encoding: cp932" in found["proposal"]
    assert "rows: 3" in found["proposal"]
    assert (found["readable"], found["rejects"]) == (True, 0)


def test_three_header_rows_with_a_unit_and_a_reference_year_for_each_column(tmp_path: Path) -> None:
    home = japan(tmp_path)
    path = tmp_path / "shihyo.csv"
    path.write_bytes(foreign.japanese_file())
    found = check_file(settings_of(home), path, "bureau/indicators", "2021")
    assert (found["problem"], found["rejects"], found["findings"]) == ("", 0, [])
    assert found["observations"] == 3 * 6


@pytest.mark.pipeline
def test_japan_comes_to_a_sealed_release_by_data_alone(tmp_path: Path) -> None:
    house = House(japan(tmp_path), tmp_path / "warehouse")
    land(house.jurisdiction, "bureau/indicators", "2021", "shihyo.csv", foreign.japanese_file())
    assert house.run().outcome == "published"
    rows = house.query("select region_code, measure, period_start, value, obs_status from fct_observation")
    figures = {(region, measure, start.year): (value, status) for region, measure, start, value, status in rows}
    years = {"residents": (2015, 2020), "hospitals": (2019, 2020), "outturn": (2018, 2019)}
    factors = {"residents": 1, "hospitals": 1, "outturn": 1000}
    expected = {
        (code, measure, year): (Decimal(foreign.japanese_figure(code, item, which) * factors[measure]), "A")
        for code in foreign.PREFECTURES
        for item, measure in enumerate(years)
        for which, year in enumerate(years[measure])
    }
    assert figures == {**expected, ("98000", "hospitals", 2019): (None, "L")}
    assert {check["outcome"] for check in house.checks().values()} <= {"pass", "not_applicable"}


# -- Europe -----------------------------------------------------------------------------------------------------------


def test_keys_in_one_cell_and_flags_behind_figures_are_read_from_a_packed_table(tmp_path: Path) -> None:
    keys = "freq,unit,sex,age,geo\\TIME_PERIOD"
    description = {
        **JAPAN,
        "home_region": "QA",
        "levels": [
            {"name": n, "name_zh": n, "name_en": n, "depth": d, "government_level": n} for d, n in enumerate("ab")
        ],
        "units": {"NR": {"base": "persons", "factor": 1}},
    }
    del description["spending"]
    places = regions([("QA", "Quainia", "a", ""), ("QA1", "North", "b", "QA"), ("QA2", "South", "b", "QA")])
    home = made(tmp_path / "quainia", description, places, [("residents", "persons", "mid_year")])
    layout = {
        "format": {"kind": "tsv", "encoding": "utf-8"},
        "header": {"find": [keys]},
        "region": {"code": keys, "pattern": r",(\w+)$"},
        "period": {"from": "header", "kind": "point", "month_day": "01-01"},
        "rows": [
            {
                "column": keys,
                "dimension": "sex",
                "pattern": r"^A,NR,(\w)",
                "map": {"T": "all", "M": "male", "F": "female"},
            }
        ],
        "tokens": {":": "missing"},
        "marks": {"bp": "break", "b": "break", "p": "provisional", "e": "estimated"},
        "values": [{"columns": r"^(?P<period>\d{4})$", "measure": "residents", "unit": "NR", "type": "integer"}],
    }
    teach(home, "office/demo", {"files": "*.tsv.gz", "layouts": [layout]})
    path = tmp_path / "demo.tsv.gz"
    path.write_bytes(foreign.european_table())
    found = check_file(settings_of(home), path, "office/demo", "2021")
    assert (found["problem"], found["rejects"], found["findings"]) == ("", 0, [])
    assert found["observations"] == 27
    statuses = pl.DataFrame(found["first"])["obs_status"].unique().to_list()
    assert set(statuses) <= {"A", "O"}


@pytest.mark.pipeline
def test_spending_told_by_service_alone_is_published_with_no_sum_made_of_it(tmp_path: Path) -> None:
    """The services that a table lists need not be all: each is a figure, their sum is none but the basic one's."""
    description = {
        **JAPAN,
        "name": "泽地（虚构）",
        "name_en": "Fens (invented)",
        "home_region": "F0",
        "levels": [
            {"name": "land", "name_zh": "国", "name_en": "Land", "depth": 0, "government_level": "land"},
            {"name": "town", "name_zh": "镇", "name_en": "Town", "depth": 1, "government_level": "town"},
        ],
        "spending": [{"measure": "outturn", "role": "functional", "fund": "general", "account_stage": "final"}],
    }
    places = regions([("F0", "Fens", "land", ""), ("F1", "Marsh", "town", "F0"), ("F2", "Wold", "town", "F0")])
    home = made(
        tmp_path / "fens", description, places, [("outturn", "yen", "none"), ("residents", "persons", "mid_year")]
    )
    for table, head, lines in (
        (
            "domains",
            "domain,name_zh,name_en,sort_order,is_basic",
            ["schools,学校,Schools,1,true", "roads,路,Roads,2,false"],
        ),
        (
            "functional_classes",
            "class_code,name_zh,name_en,domain,edition,valid_from,valid_to",
            ["schools,学校,Schools,schools,one,2009-04-01,", "roads,路,Roads,roads,one,2009-04-01,"],
        ),
    ):
        (home / "reference" / f"{table}.csv").write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    common = {"format": {"kind": "csv", "encoding": "utf-8"}, "header": {"row": 1}, "region": {"code": "code"}}
    spent = [{"column": c, "measure": "outturn", "item": c, "unit": "千円"} for c in ("schools", "roads")]
    year = {"from": "folder", "kind": "year", "starts": "04-01"}
    teach(home, "treasury/outturn", {"files": "*.csv", "layouts": [{**common, "period": year, "values": spent}]})
    people = [{"column": "people", "measure": "residents", "population_basis": "resident", "unit": "人"}]
    middle = {"from": "column", "column": "year", "kind": "point", "month_day": "06-30"}
    teach(home, "treasury/people", {"files": "*.csv", "layouts": [{**common, "period": middle, "values": people}]})
    land(home, "treasury/outturn", "2018", "o.csv", b"code,schools,roads\nF1,100,10\nF2,300,10\n")
    land(
        home, "treasury/people", "2019", "p.csv",
        b"code,year,people\nF1,2018,1000\nF2,2018,1000\nF1,2019,2000\nF2,2019,2000\n",
    )  # fmt: skip
    house = House(home, tmp_path / "warehouse")
    assert house.run().outcome == "published"
    published = house.query("select region_code, domain, per_resident from mart_per_capita_spending where year = 2018")
    assert {(region, domain): value for region, domain, value in published if value is not None} == {
        **{("F1", domain): value for domain, value in (("schools", 100.0), ("basic", 100.0), ("roads", 10.0))},
        **{("F2", domain): value for domain, value in (("schools", 300.0), ("basic", 300.0), ("roads", 10.0))},
        **{("F0", domain): value for domain, value in (("schools", 200.0), ("basic", 200.0), ("roads", 10.0))},
    }
