"""The sample with planted defects: each is found by its check and at its cell, and the rest stays true."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from houses import House

from pipelines import quality
from pipelines.records import CheckResult
from pipelines.run import Session
from pipelines.run.holding import Decision
from pipelines.settings import PROJECT_FOLDER

pytestmark = pytest.mark.pipeline
ZHEJIANG = PROJECT_FOLDER / "raw" / "zhejiang"
OFFICIAL = ("statistics/census", "statistics/resident_population", "finance/general_budget_expenditure")


@dataclass
class Faulty:
    """The judged build of the faulty variant with every file in force, and what its generator wrote down."""

    defects: list[dict[str, Any]]
    truth: list[dict[str, str]]
    results: dict[str, CheckResult]
    connection: duckdb.DuckDBPyConnection
    folder: Path
    held: Decision  # what is decided of the same files where they may be held

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def is_spoiled(self, entry: dict[str, str]) -> bool:
        return any(d["spoils"] and d["spoils"].items() <= entry.items() for d in self.defects)


def lay(source: Path, landing: Path) -> None:
    shutil.copytree(source, landing, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    """The faulty variant received in the order in which it came, built and judged once.

    Its contracts let no file be held, so that every check has all of them before it; what is held by the contracts as
    they are is decided beside it.
    """
    folder = tmp_path_factory.mktemp("faulty")
    generate = [sys.executable, str(ZHEJIANG / "synthetic" / "generate.py"), "--with-defects", str(folder / "planted")]
    subprocess.run(generate, check=True, capture_output=True)
    house = House(folder / "zhejiang", folder / "warehouse")
    shutil.copytree(ZHEJIANG, house.jurisdiction, ignore=shutil.ignore_patterns("landing", "synthetic"))
    landing = house.jurisdiction / "landing"
    for extract in OFFICIAL:
        lay(ZHEJIANG / "landing" / extract, landing / extract)
    lay(folder / "planted" / "earlier", landing)
    as_it_is = House(folder / "held" / "zhejiang", folder / "warehouse_held")
    shutil.copytree(house.jurisdiction, as_it_is.jurisdiction)
    for path in (house.jurisdiction / "contracts").glob("*/*.yml"):
        contract = yaml.safe_load(path.read_text(encoding="utf-8"))
        contract["quality"] = {**contract.get("quality", {}), "blocks": "release"}
        path.write_text(yaml.safe_dump(contract, allow_unicode=True, sort_keys=False), encoding="utf-8")
    sessions = [Session(place.settings) for place in (house, as_it_is)]
    for session in sessions:
        session.take_in()
        lay(folder / "planted" / "landing", session.jurisdiction.landing)
    session, held = sessions[0], sessions[1].take_in().decision
    taken = session.take_in()
    build = session.build(taken, session.identity(taken))
    assert session.judge(build).outcome == "blocked"
    results = {result.check_id: result for result in quality.read_results(build)}
    defects, truth = (json.loads((folder / "planted" / f"{n}.json").read_text("utf-8")) for n in ("defects", "truth"))
    with duckdb.connect(str(build.database), read_only=True) as connection:
        yield Faulty(defects, truth, results, connection, Path(build.folder), held)


def names(row: dict[str, str], defect: dict[str, Any]) -> bool:
    """True when a failing row of a check is the place where a defect was planted."""
    file, year = defect["path"].rsplit("/", 1)[1], defect["path"].split("/")[2]
    place = [file, *([str(defect["row"])] if defect["row"] else [])]
    if row.get("source_file") == file and "source_row" in row:
        own = f"{row['source_row']} {row.get('source_column', '')}"
        if own.split()[0] == str(defect["row"]) and own.endswith(defect["column"]):
            return True
    if "source_row" not in row and row.get("source_file") == file:  # said of the file, in words
        said = f"{row.get('found', '')} {row.get('rule', '')}"
        return defect["row"] is None or re.search(rf"\b({defect['row']}|{defect['planted']})\b", said) is not None
    if all(part in row.get("compared_with", "").split() for part in [*place, defect["column"]]):
        return True
    if "source_file" in row:
        return False
    if not defect["region_code"]:
        return defect["planted"] in row.values()
    return row.get("region_code") == defect["region_code"] and year in (row.get("year"), row.get("period_end", "")[:4])


def test_every_defect_is_found_by_its_check_and_at_its_place(faulty: Faulty) -> None:
    assert len({defect["kind"] for defect in faulty.defects}) > 25
    missed = []
    for defect in faulty.defects:
        if not defect["check"]:
            continue
        result = faulty.results[defect["check"]]
        if result.outcome != "fail" or not any(names(row, defect) for row in result.rows):
            missed.append((defect["kind"], defect["check"], result.outcome, result.locations[:300]))
    assert missed == []


def test_every_file_with_a_defect_that_blocks_is_held_for_it_and_no_other_file_is(faulty: Faulty) -> None:
    planted: dict[str, set[str]] = {}
    for defect in faulty.defects:
        result = faulty.results.get(defect["check"])
        if defect["check"].startswith("intake.") and result is not None and result.severity == "block":
            planted.setdefault(defect["path"], set()).add(defect["check"])
    held = {each.landing_path: {check["check_id"] for check in each.checks} for each in faulty.held.choice.held}
    assert len(planted) > 5
    assert {
        path: checks - held.get(path, set()) for path, checks in planted.items() if checks - held.get(path, set())
    } == {}
    assert set(held) - set(planted) == set()
    assert all(len(each.lines) <= 7 for each in faulty.held.choice.held)


def test_nothing_is_rejected_but_what_was_planted(faulty: Faulty) -> None:
    rejects = faulty.rows(
        "select j.source_file, j.source_row, j.rule from source.reject j join source.receipt r using (receipt_id) "
        "where r.is_in_force and not j.is_known"
    )
    by_rule = {(file, row): rule for file, row, rule in rejects}
    planted = {(defect["path"].rsplit("/", 1)[1], defect["row"]): defect["kind"] for defect in faulty.defects}
    assert [(place, rule) for place, rule in by_rule.items() if place not in planted] == []
    assert {rule for place, rule in by_rule.items() if place[1] is not None and planted[place] != rule} == set()


def test_every_kind_of_delivery_check_that_files_can_break_was_broken(faulty: Faulty) -> None:
    broken = {d["check"].split(".")[1] for d in faulty.defects if d["check"].startswith("intake.")}
    assert broken == {"readable", "volume", "keys", "codes", "numbers", "ranges", "totals", "units", "shrinking",
                      "columns", "new_codes"}  # fmt: skip


def test_what_was_not_spoiled_is_in_the_facts_to_the_last_digit(faulty: Faulty) -> None:
    found = {
        (f"{department}/{extract}", str(year), str(row), column.partition(" ")[2]): Decimal(text.replace(",", ""))
        for department, extract, year, row, column, text in faulty.rows(
            "select department, extract, year, source_row, source_column, value_reported from fct_observation "
            "where is_latest and value is not null and provenance = 'synthetic' and source_file like '%.csv'"
        )
    }
    true = [entry for entry in faulty.truth if not faulty.is_spoiled(entry)]
    assert len(true) > 15_000
    wrong = [
        entry
        for entry in true
        if found.get((entry["extract"], entry["year"], entry["row"], header_form(entry["column"])))
        != Decimal(entry["value"])
    ]
    assert wrong[:5] == []


def header_form(text: str) -> str:
    """A header as contracts compare it: full-width brackets are brackets."""
    return unicodedata.normalize("NFKC", text)


def of_column(faulty: Faulty, extract: str, column: str, year: str = "2019") -> dict[str, Decimal]:
    """The clean file's sums by region over the rows of one column, without regions of which any was spoiled."""
    sums: dict[str, Decimal] = {}
    spoiled = set()
    left_out = {d["planted"] for d in faulty.defects if d["kind"] == "class_left_out"}  # of the whole file
    for entry in faulty.truth:
        is_there = entry.get("item") not in left_out
        if (entry["extract"], entry["column"], entry["year"]) == (extract, column, year) and is_there:
            sums[entry["region_code"]] = sums.get(entry["region_code"], Decimal(0)) + Decimal(entry["value"])
            if faulty.is_spoiled(entry):
                spoiled.add(entry["region_code"])
    return {region: value for region, value in sums.items() if region not in spoiled}


@pytest.mark.parametrize(
    ("extract", "column", "factor", "sql", "regions"),
    [
        (
            "finance/functional_expenditure", "合计", 10_000,
            "select region_code, spending from mart_per_capita_spending_variants where year = 2019 and domain = 'all' "
            "and residence = 'total' and variant = 'own_level'",
            90,
        ),
        (
            "statistics/year_end_population", "年末常住人口", 1,
            "select region_code, population from fct_population where year = 2019 and population_source = 'year_end' "
            "and population_basis = 'resident' and residence = 'total' and sex = 'all' and age_group = 'all' "
            "and reference_geography = 'reported'",
            100,
        ),
        (
            "education/schools", "幼儿园_在园幼儿数", 1,
            "select region_code, numerator from mart_service_coverage where year = 2019 and indicator_code = 'EDU02' "
            "and breakdown = 'all'",
            85,
        ),
    ],
)  # fmt: skip
def test_what_was_not_spoiled_is_in_the_marts(
    faulty: Faulty, extract: str, column: str, factor: int, sql: str, regions: int
) -> None:
    true = of_column(faulty, extract, column)
    found: dict[str, Decimal] = dict(faulty.rows(sql))
    compared = {region: value for region, value in true.items() if region in found}
    assert len(compared) >= regions
    assert {r: (found[r], v * factor) for r, v in compared.items() if found[r] != v * factor} == {}


def test_a_spoiled_cell_is_in_no_mart(faulty: Faulty) -> None:
    """A cell that was refused is missing, in its own figure and in every sum above it; it is never zero."""
    cells = [d for d in faulty.defects if d["check"].startswith("intake.numbers.education")]
    assert len(cells) >= 4
    for defect in cells:
        there = f"measure = 'pupils' and item = 'primary' and year = 2020 and region_code = '{defect['region_code']}'"
        assert faulty.rows(f"select value from fct_observation where is_chosen and {there} and value is not null") == []


def test_departments_get_a_workbook_with_the_cells_they_must_mend(faulty: Faulty) -> None:
    import fastexcel

    files = sorted(path.name for path in (faulty.folder / "workbooks").iterdir())
    assert "示例数据_待更正_education.xlsx" in files
    sheet = fastexcel.read_excel(faulty.folder / "workbooks" / "示例数据_待更正_education.xlsx").load_sheet(
        0, header_row=None, dtypes="string"
    )
    lines = [[str(cell or "") for cell in row] for row in sheet.to_polars().rows()]
    assert "示例数据" in " ".join(lines[1])
    for defect in (d for d in faulty.defects if d["kind"] in ("not_a_number", "several_numbers", "below_minimum")):
        (line,) = [row for row in lines if row[6].split(".")[0] == str(defect["row"]) and defect["planted"] in row[9]]
        assert line[4] == defect["path"].rsplit("/", 1)[1] and defect["column"] in line[7]
        assert " / " in line[11]  # what to do, in both languages
