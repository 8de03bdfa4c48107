"""What the England folder promises: official workbooks read as they stand, their known answers found, and published."""

from __future__ import annotations

import csv
import re
from decimal import Decimal

import polars as pl
import pytest

from pipelines import jurisdiction
from pipelines.intake import RegionIndex
from pipelines.intake.frames import Taken
from pipelines.intake.read import take
from pipelines.jurisdiction import Jurisdiction
from pipelines.records import Receipt
from pipelines.settings import PROJECT_FOLDER

FOLDER = PROJECT_FOLDER / "raw" / "england"
OUTTURN = {"2018-19": "rs2018_19.xls", "2021-22": "rs2021_22.xlsx", "2023-24": "rs2023_24.xlsx"}
ENGLAND = "E92000001"
LONDON = "E12000007"  # the Greater London Authority
# Authorities whose returns of 2023-24 had not come.
LATE = {
    *("E07000200", "E08000025", "E07000068", "E07000008", "E07000192", "E07000069", "E07000071", "E07000203"),
    *("E47000011", "E07000134", "E07000122", "E07000197", "E06000064", "E07000217"),
}


@pytest.fixture(scope="module")
def england() -> Jurisdiction:
    return jurisdiction.load(FOLDER)


def read(england: Jurisdiction, extract: str, period: str, name: str) -> Taken:
    """What is taken from a landed file; its account is held to its law."""
    path = FOLDER / "landing" / extract / period / name
    department, _, short = extract.partition("/")
    receipt = Receipt(
        receipt_id="r",
        department=department,
        extract=short,
        delivery_period=period,
        file_name=name,
        landing_path=f"{extract}/{period}/{name}",
        sha256="0" * 64,
        size_bytes=path.stat().st_size,
        received_at="2026-01-01T00:00:00.000000Z",
        sequence=1,
    )
    taken = take(
        path.read_bytes(), receipt, england.contracts[extract], england, RegionIndex(england.regions), "reading"
    )
    assert not taken.problem, taken.problem
    assert all(account.holds for account in taken.tie_out)
    assert taken.rejects.height == 0, taken.rejects.rows()
    return taken


@pytest.fixture(scope="module")
def outturn(england: Jurisdiction) -> dict[str, Taken]:
    return {period: read(england, "mhclg/revenue_outturn", period, name) for period, name in OUTTURN.items()}


def education(taken: Taken) -> pl.DataFrame:
    """Education of every body, in thousand pounds as it is printed."""
    return taken.accepted.filter(
        pl.col("measure") == "service_expenditure", pl.col("item") == "190", pl.col("region_code") != ENGLAND
    ).with_columns((pl.col("value") / 1000).alias("thousand"))


def total_findings(taken: Taken) -> dict[str, tuple[str, str]]:
    """Printed totals that do not tie, by header: what is printed, what the rows add up to."""
    found = {}
    for finding in taken.findings:
        if finding["check"] == "reported_total":
            place, _, printed = finding["observed"].rpartition(": ")
            found[place.split(" ")[-1]] = (printed, finding["expected"].split(",")[0])
    return found


class TestReading:
    def test_education_of_444_bodies_is_the_printed_england_of_2018_19(self, outturn: dict[str, Taken]) -> None:
        rows = education(outturn["2018-19"])
        assert rows["region_code"].n_unique() == rows.height == 444
        assert round(rows["value"].sum() / 1000, 2) == Decimal("32233413.71")
        assert total_findings(outturn["2018-19"]) == {}

    def test_north_yorkshire_is_taken_under_its_own_code_in_every_workbook(self, outturn: dict[str, Taken]) -> None:
        named = {
            period: set(taken.accepted.filter(pl.col("region_name_reported") == "North Yorkshire")["region_code"])
            for period, taken in outturn.items()
        }
        assert named == {"2018-19": {"E10000023"}, "2021-22": {"E10000023"}, "2023-24": {"E06000065"}}

    def test_a_body_without_a_code_is_known_by_its_exact_name(self, outturn: dict[str, Taken]) -> None:
        for taken in outturn.values():
            assert "E6803" in set(taken.accepted["region_code"])

    def test_the_doubled_london_of_2021_22_is_taken_once_and_told(self, outturn: dict[str, Taken]) -> None:
        taken = outturn["2021-22"]
        rows = education(taken)
        assert rows["region_code"].n_unique() == rows.height == 426
        london = rows.filter(pl.col("region_code") == LONDON)["value"].item()
        assert london == 322_586_000
        assert rows["value"].sum() + london == 35_161_149_000  # all rows of the column, as they stand
        (told,) = [f["observed"] for f in taken.findings if f["check"] == "repeated_row"]
        assert re.search(rf"row 446 repeats row 155 \({LONDON}\)", told)

    def test_the_unexplained_19_of_2021_22_are_told(self, outturn: dict[str, Taken]) -> None:
        assert total_findings(outturn["2021-22"])["Educationservices"] == ("34838544", "34838563")

    def test_returns_that_had_not_come_in_2023_24_are_missing_and_not_zero(self, outturn: dict[str, Taken]) -> None:
        taken = outturn["2023-24"]
        rows = education(taken)
        assert rows["region_code"].n_unique() == rows.height == 411
        assert set(rows.filter(pl.col("value").is_null())["region_code"]) == LATE
        of_late = taken.accepted.filter(pl.col("region_code").is_in(list(LATE)))
        assert of_late["value"].null_count() == of_late.height
        assert set(of_late["obs_status"]) == {"O"}
        assert rows["value"].sum() == 38_729_850_000

    def test_the_england_of_2023_24_is_an_estimate_and_not_compared(self, outturn: dict[str, Taken]) -> None:
        taken = outturn["2023-24"]
        rows = taken.accepted.filter(pl.col("region_code") == ENGLAND)
        printed = rows.filter(pl.col("measure") == "service_expenditure", pl.col("item") == "190")
        assert round(printed["value"].item() / 1000) == 39_850_043
        assert set(rows["obs_status"]) == {"E"}
        assert "Educationservices" not in total_findings(taken)

    def test_lines_of_a_return_make_its_totals(self, outturn: dict[str, Taken]) -> None:
        for taken in outturn.values():
            assert [f for f in taken.findings if f["check"] == "control_total"] == []

    def test_residents_are_those_of_the_296_districts_of_2023(self, england: Jurisdiction) -> None:
        taken = read(england, "ons/population", "2023", "lad_population.csv")
        rows = taken.accepted
        assert rows.height == 296 * 14
        assert set(rows["period_end"].dt.strftime("%m-%d")) == {"06-30"}
        cumberland = rows.filter(pl.col("region_code") == "E06000063", pl.col("period_end").dt.year() == 2010)
        assert cumberland["value"].item() == 273_915  # on the boundaries of 2023, thirteen years before it was made


class TestRegions:
    def test_every_code_of_the_population_file_and_no_other_district_is_listed(self, england: Jurisdiction) -> None:
        with (FOLDER / "landing/ons/population/2023/lad_population.csv").open(encoding="utf-8") as file:
            codes = {row["onscode"] for row in csv.DictReader(file) if row["onscode"].startswith("E")}
        now = england.regions.filter(
            pl.col("valid_to").is_null(), pl.col("region_level").is_in(["single_tier", "district"])
        )
        assert set(now["region_code"]) == codes

    def test_bodies_are_no_land_and_every_district_lies_in_a_county(self, england: Jurisdiction) -> None:
        levels = {level.name: level for level in england.levels}
        assert [name for name, level in levels.items() if not level.is_territory] == ["body"]
        regions = england.regions
        counties = set(regions.filter(pl.col("region_level") == "county")["region_code"])
        districts = regions.filter(pl.col("region_level") == "district")
        assert set(districts["parent_code"]) == counties
        others = regions.filter(pl.col("region_level").is_in(["county", "single_tier", "body"]))
        assert set(others["parent_code"]) == {ENGLAND}

    def test_shares_of_divided_county_councils_are_those_of_the_population_file(self, england: Jurisdiction) -> None:
        with (FOLDER / "landing/ons/population/2023/lad_population.csv").open(encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["onscode"].startswith("E")]
        people = {(row["onscode"], row["year"]): int(row["population"]) for row in rows}
        with (FOLDER / "reference/region_changes.csv").open(encoding="utf-8") as file:
            divided = [row for row in csv.DictReader(file) if row["is_estimated"] == "true"]
        assert len(divided) == 4
        for row in divided:
            year = str(int(row["effective_date"][:4]) - 1)
            parts = [r["to_code"] for r in divided if r["from_code"] == row["from_code"]]
            share = people[row["to_code"], year] / sum(people[part, year] for part in parts)
            assert float(row["population_share"]) == pytest.approx(share, abs=1e-9)
