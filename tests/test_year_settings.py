"""What a jurisdiction and its contracts say of years, populations, boundaries and budgets: it holds, or it is refused
before anything is read, with the line."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import fenland
import pytest
import yaml

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction import Jurisdiction, load
from pipelines.trace.rows import main_reading, trace_command

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fenland.write(tmp_path / "fenland")


def rewrite(path: Path, change: Change) -> None:
    described = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(described)
    path.write_text(yaml.safe_dump(described, sort_keys=False, allow_unicode=True), encoding="utf-8")


def rewrite_variant(folder: Path, code: str, **choices: str) -> None:
    """Change a line of variants.csv; `main` is what the jurisdiction means where nothing else is said."""
    path = folder / "reference" / "variants.csv"
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    next(line for line in lines if line["variant"] == code).update(choices)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def period(contract: dict[str, Any], **fields: Any) -> None:
    contract["layouts"][0]["period"].update(fields)


def years(jurisdiction: Jurisdiction, extract: str) -> tuple[str, str]:
    """First day and naming of the years that an extract's figures belong to, as dbt gets them."""
    rows = jurisdiction.extract_table.filter(jurisdiction.extract_table["extract"] == extract)
    return rows["year_starts"].item(), rows["year_named_by"].item()


# -- years ------------------------------------------------------------------------------------------------------------


def test_contracts_count_the_years_of_their_jurisdiction_as_far_as_they_say_nothing_else(folder: Path) -> None:
    assert years(load(folder), "visits") == ("04-01", "start")
    visits = folder / "contracts" / "office" / "visits.yml"
    rewrite(visits, lambda contract: period(contract, named_by="end"))
    assert years(load(folder), "visits") == ("04-01", "end")
    rewrite(visits, lambda contract: period(contract, starts="01-01"))
    assert years(load(folder), "visits") == ("01-01", "end")
    assert years(load(folder), "staff") == ("04-01", "start")


def test_other_years_of_the_jurisdiction_read_its_files_anew(folder: Path) -> None:
    before = load(folder).contracts["office/outturn"].hash
    rewrite(folder / "jurisdiction.yml", lambda d: d["financial_years"].update(named_by="end"))
    assert load(folder).contracts["office/outturn"].hash != before


def test_years_of_the_calendar_are_what_is_meant_where_nothing_is_said(folder: Path) -> None:
    rewrite(folder / "jurisdiction.yml", lambda d: d.pop("financial_years"))
    assert years(load(folder), "visits") == ("01-01", "start")


def test_layouts_of_a_contract_count_years_one_way(folder: Path) -> None:
    path = folder / "contracts" / "office" / "outturn.yml"

    def twice(contract: dict[str, Any], **fields: Any) -> None:
        other = yaml.safe_load(yaml.safe_dump(contract["layouts"][0]))
        other.update(name="other", delivery_periods=["2023-24"])
        other["period"].update(fields)
        contract["layouts"] = [{"name": "first", **contract["layouts"][0]}, other]

    before = path.read_text(encoding="utf-8")
    rewrite(path, lambda contract: twice(contract, starts="04-01"))  # what the other has from the jurisdiction
    load(folder)
    path.write_text(before, encoding="utf-8")
    rewrite(path, lambda contract: twice(contract, starts="01-01"))
    with pytest.raises(ConfigurationError, match="count years in different ways"):
        load(folder)


# -- what is refused --------------------------------------------------------------------------------------------------

REFUSED: list[tuple[str, str, Change, str]] = [
    (
        "a day that some years lack",
        "jurisdiction.yml",
        lambda d: d["financial_years"].update(starts="02-29"),
        "starts",
    ),
    *(
        (f"{name} beside variants.csv", "jurisdiction.yml", lambda d, name=name: d.update({name: "mid_year"}), name)
        for name in ("population_source", "default_population_basis")
    ),
    *(
        (f"{name} beside variants.csv", "jurisdiction.yml", lambda d, name=name: d.update(scores={name: "x"}), name)
        for name in ("weight_set", "goalpost_set")
    ),
    (
        "parts of a whole budget",
        "jurisdiction.yml",
        lambda d: d["spending"][1].update(exhaustive=True),
        "`exhaustive` is for `role: functional`",
    ),
    (
        "classes of one account of which some are all",
        "jurisdiction.yml",
        lambda d: d["spending"].append({**d["spending"][0], "measure": "net_total", "exhaustive": True}),
        "only one is called exhaustive",
    ),
    (
        "classes of each government and of everybody in one account",
        "jurisdiction.yml",
        lambda d: d["spending"][2].update(fund="general"),
        "both are classes of one account",
    ),
    (
        "boundaries of a year without regions",
        "contracts/office/people.yml",
        lambda d: d.update(boundaries=1969),
        "boundaries is 1969",
    ),
    (
        "boundaries that are no year",
        "contracts/office/people.yml",
        lambda d: d.update(boundaries="last"),
        "boundaries",
    ),
    (
        "people of the middle of a year that are dated by the year",
        "contracts/office/people.yml",
        lambda d: (period(d, kind="year", starts="01-01"), d["layouts"][0]["period"].pop("month_day", None)),
        "people counts people on a day",
    ),
    (
        "a scale that nobody knows",
        "contracts/office/loans.yml",
        lambda d: d.update(partial_year="somehow"),
        "partial_year",
    ),
    (
        "a year that begins on the last day of February",
        "contracts/office/loans.yml",
        lambda d: period(d, starts="02-29"),
        "starts",
    ),
]


@pytest.mark.parametrize(("file", "change", "says"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_does_not_fit_is_refused_with_its_file(folder: Path, file: str, change: Change, says: str) -> None:
    load(folder)
    rewrite(folder / file, change)
    with pytest.raises(ConfigurationError) as caught:
        load(folder)
    assert says in caught.value.message
    assert file in (caught.value.where or "")
    assert caught.value.do


# -- what is meant where none is named --------------------------------------------------------------------------------


def test_the_population_and_the_fund_that_are_meant_are_those_of_the_main_variant(folder: Path) -> None:
    assert load(folder).population_source == "mid_year"
    assert load(folder).main_fund == "general"
    assert not load(folder).tells_residence
    rewrite_variant(folder, "capital", fund="general")
    rewrite_variant(folder, "main", fund="capital")
    assert load(folder).main_fund == "capital"


def test_a_population_that_cannot_be_known_is_refused_with_the_line_that_means_it(folder: Path) -> None:
    rewrite_variant(folder, "main", population_source="census")
    with pytest.raises(ConfigurationError) as caught:
        load(folder)
    assert "population_source 'census'" in caught.value.message
    assert (caught.value.where or "").endswith("variants.csv, line 2")
    assert "mid_year" in caught.value.do


def test_an_omitted_population_is_the_one_that_the_release_divides_by() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "attach ':memory:' as public; create table public.main.dim_variant as "
            "select 'main' as variant, 'reported' as boundaries, 'resident' as population_basis, "
            "'mid_year' as population_source"
        )
        reading = main_reading(connection)
    assert reading["population_source"] == "mid_year"
    key = {"region_code": "E", "population_source": "mid_year", "residence": "total"}
    assert trace_command("mart_x", key, reading) == "junheng trace mart_x region_code=E"
    assert trace_command("mart_x", {"population_source": "year_end"}, reading).endswith("population_source=year_end")
