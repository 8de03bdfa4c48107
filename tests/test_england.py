"""What the England folder promises: official workbooks read as they stand, their known answers found, and published."""

from __future__ import annotations

import csv
import html
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from browser import Browser, Seen
from houses import House

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


def spending(house: House, region: str, domain: str, variant: str = "main") -> dict[str, tuple[Any, ...]]:
    """Spending, people, their day, spending per head and status of a region by financial year."""
    rows = house.query(
        "select period_name, spending, population, population_date, per_head, obs_status from ("
        "select *, residents as population, per_resident as per_head, 'main' as variant from mart_per_capita_spending "
        "union all by name select * from mart_per_capita_spending_variants) "
        f"where region_code = '{region}' and domain = '{domain}' and variant = '{variant}' and residence = 'total' "
        "order by year"
    )
    return {str(row[0]): row[1:] for row in rows}


# Text in which a year alone is none of a figure: files, columns, names of bodies, boundaries, deliveries of a year.
OTHER_YEARS = re.compile(
    r"RS_LA_Data|\.xlsx?|\.csv|row \d+|November 2018|2018、2018-19|2018, 2018-19|2018-19 for a|为 2018|2023年|"
    r"boundaries of 2023|1 files?, 2023|1 份，2023|reference_geography=2023"
)


def visible(page: str) -> str:
    """The text of a page without scripts and code, a line for each piece, and what its drawings say."""
    page = re.sub(r"<(script|style|code|pre)\b.*?</\1>", "\n", page, flags=re.DOTALL)
    spoken = re.findall(r'(?:title|aria-label|alt)="([^"]*)"', page)
    return html.unescape("\n".join([re.sub(r"<[^>]+>", "\n", page), *spoken]))


def bare_years(path: Path) -> list[str]:
    """The pieces of a page's text that call a financial year by one number."""
    pieces = visible(path.read_text(encoding="utf-8")).split("\n")
    if path.name == "catalogue.html" or path.parent.name == "quality":  # the population was delivered in the year 2023
        pieces = [piece for piece in pieces if piece.strip() not in ("2023", "2023 ·")]
    said = [p for p in pieces if re.search(r"(?<![\d/.-])20(18|19|21|22|23|24)(?![\d-])", p)]
    return [piece.strip() for piece in said if not OTHER_YEARS.search(piece)]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<td>2018</td>", ["2018"]), ("<td>2018-19</td>", []), ("<h2>Map, 2021</h2>", ["Map, 2021"]),
        ('<a title="2023: 5">', ["2023: 5"]), ("<td>2018-06-30</td>", []), ("<code>year=2018</code>", []),
        ("<p>rs2018_19.xls</p>", []), ("<p>最新的数是 2023 年的。</p>", ["最新的数是 2023 年的。"]),
    ],
)  # fmt: skip
def test_a_year_alone_would_be_seen(tmp_path: Path, text: str, said: list[str]) -> None:
    (tmp_path / "page.html").write_text(f"<html>{text}</html>", encoding="utf-8")
    assert bare_years(tmp_path / "page.html") == said


@pytest.mark.pipeline
class TestPublished:
    def test_it_is_published_without_a_waiver_and_without_a_reject(self, england_run: House) -> None:
        assert not (FOLDER / "waivers.yml").exists()
        assert england_run.value("select count(*) from audit_waiver") == 0
        assert england_run.value("select count(*) from audit_reject") == 0
        assert england_run.value("select count(*) from audit_check where outcome = 'fail' and severity = 'block'") == 0

    def test_what_is_wrong_with_the_workbooks_is_told(self, england_run: House) -> None:
        told = england_run.query("select kind, observed, expected from audit_finding")
        assert any(kind == "repeated_row" and LONDON in observed for kind, observed, _ in told)
        assert any("34838544" in observed and expected.startswith("34838563") for _, observed, expected in told)

    def test_england_is_the_sum_of_all_returns_over_the_residents_at_the_middle_of_its_financial_year(
        self, england_run: House
    ) -> None:
        found = spending(england_run, ENGLAND, "education")
        assert list(found) == ["2018-19", "2021-22", "2023-24"]
        money, people, day, per_head, status = found["2018-19"]
        assert round(money / 1000, 2) == Decimal("32233413.71")
        assert (people, str(day), status) == (55_924_528, "2018-06-30", "A")
        assert per_head == pytest.approx(576.3734601, abs=1e-6)
        assert found["2021-22"][0] == 34_838_563_000
        assert str(found["2021-22"][2]) == "2021-06-30"

    def test_the_estimate_of_2023_24_stands_for_england_and_says_that_it_is_one(self, england_run: House) -> None:
        money, _, day, per_head, status = spending(england_run, ENGLAND, "education")["2023-24"]
        assert round(money / 1000) == 39_850_043
        assert (str(day), status) == ("2023-06-30", "E")
        assert per_head == pytest.approx(690.7578461, abs=1e-6)
        # what its governments reported has a gap, so no sum of them stands anywhere
        by_level = england_run.query(
            f"select government_level, spending from mart_expenditure_split where region_code = '{ENGLAND}' "
            "and subject_code = 'education' and period_name = '2023-24' and share is not null"
        )
        assert by_level == []

    def test_the_services_make_the_whole_and_the_whole_is_the_printed_total(self, england_run: House) -> None:
        whole = spending(england_run, ENGLAND, "all")
        assert round(whole["2018-19"][0] / 1000, 2) == Decimal("91416761.43")
        parts = england_run.value(
            f"select sum(spending) from mart_per_capita_spending where region_code = '{ENGLAND}' "
            "and period_name = '2018-19' and domain not in ('all', 'basic')"
        )
        assert parts == whole["2018-19"][0]

    def test_a_county_is_its_council_and_its_districts_over_the_people_of_its_districts(
        self, england_run: House
    ) -> None:
        money, people, *_ = spending(england_run, "E10000003", "all")["2021-22"]
        council = spending(england_run, "E10000003", "all", "own_level")["2021-22"][0]
        districts = england_run.value(
            "select spending from mart_expenditure_split where region_code = 'E10000003' and subject_code = 'all' "
            "and period_name = '2021-22' and government_level = 'district'"
        )
        assert money == council + districts
        below = england_run.value(
            "select sum(population) from fct_population where reference_geography = 'reported' "
            "and reference_date = date '2021-06-30' and region_code in ("
            "select region_code from dim_region where parent_code = 'E10000003')"
        )
        assert people == below

    def test_bodies_and_merged_districts_have_money_and_no_figure_per_head(self, england_run: House) -> None:
        police = spending(england_run, "E23000030", "police")
        assert police["2018-19"][0] == 316_666_000
        assert {row[1] for row in police.values()} | {row[3] for row in police.values()} == {None}
        poole = spending(england_run, "E06000029", "education")
        assert list(poole) == ["2018-19"]
        assert poole["2018-19"][1] is None
        assert poole["2018-19"][3] is None

    def test_users_of_services_are_in_none_of_its_files_and_each_figure_says_so(self, england_run: House) -> None:
        assert england_run.query(
            "select distinct users, per_user, per_user_reason from mart_per_capita_spending"
        ) == [(None, None, "no_users_declared")]  # fmt: skip

    def test_a_missing_return_is_missing_in_its_own_figure_and_in_that_of_its_county(self, england_run: House) -> None:
        for region in ("E07000200", "E10000029"):  # Babergh, Suffolk
            money, people, _, per_head, status = spending(england_run, region, "all")["2023-24"]
            assert (money, per_head, status) == (None, None, "O")
            assert people > 0

    def test_spending_may_be_negative_and_is_told_as_it_is(self, england_run: House) -> None:
        money, _, _, per_head, status = spending(england_run, "E09000020", "transport")["2018-19"]
        assert (money, status) == (-21_578_000, "A")
        assert per_head < 0

    def test_on_todays_regions_what_was_merged_compares_with_what_it_became(self, england_run: House) -> None:
        today = "current_boundaries"
        # the county council with the four districts in it
        before = spending(england_run, "E10000002", "all")["2018-19"][0]
        money, people, _, per_head, status = spending(england_run, "E06000060", "all", today)["2018-19"]
        assert (money, status) == (before, "A")
        assert people > 500_000
        assert per_head == pytest.approx(float(money) / float(people))
        # a council that was divided between two is shared out by their people, and says that it is an estimate
        assert spending(england_run, "E06000061", "education", today)["2018-19"][4] == "E"
        # what cannot be divided honestly compares as a union, and as reported each by itself
        assert not spending(england_run, "E06000058", "all", today)
        assert spending(england_run, "U0001", "all", today)["2018-19"][3] > 0
        assert spending(england_run, "E06000058", "all")["2021-22"][3] > 0

    def test_nobody_is_told_apart_by_town_and_country(self, england_run: House) -> None:
        assert england_run.query("select distinct residence from mart_per_capita_spending") == [("total",)]

    def test_three_years_far_apart_are_no_neighbours(self, england_run: House) -> None:
        assert england_run.value("select count(*) from audit_finding where kind = 'value_jump'") == 0

    def test_no_region_has_people_of_a_year_other_than_its_own(self, england_run: House) -> None:
        days = "year(population_date) = year and month(population_date) = 6 and day(population_date) = 30"
        divided = "from mart_per_capita_spending where per_resident is not null"
        assert england_run.value(f"select count(*) {divided}") > 10_000
        assert england_run.value(f"select count(*) {divided} and not ({days})") == 0

    def test_each_page_calls_a_financial_year_by_its_name(self, england_run: House) -> None:
        folder = england_run.warehouse.current
        listed = sorted([*folder.glob("pages/**/*.html"), *folder.glob("quality/*.html")])
        assert {path.parent.name for path in listed} == {"pages", "regions", "indicators", "figures", "quality"}
        found = {str(path.relative_to(folder)): said for path in listed if (said := bare_years(path))}
        assert found == {}
        for page in ("index", "regions/E09000001", "indicators/spending.education", "figures/spending", "check", "map"):
            assert "2023-24" in visible((folder / "pages" / f"{page}.html").read_text(encoding="utf-8")), page

    def test_downloads_call_a_financial_year_by_its_name_and_date_it(self, england_run: House, tmp_path: Path) -> None:
        release = england_run.warehouse.current.resolve().name
        for form in ("json-stat", "sdmx-csv", "csv"):
            assert england_run.command("export", release, "--format", form, "--out", str(tmp_path)).returncode == 0
        (cube,) = tmp_path.glob("*json-stat*/mart_per_capita_spending.json")
        years = json.loads(cube.read_text(encoding="utf-8"))["dimension"]["year"]["category"]
        assert years["label"] == {"2018": "2018-19", "2021": "2021-22", "2023": "2023-24"}
        (flow,) = tmp_path.glob("*sdmx-csv*/mart_inequality.csv")
        times = {(row["TIME_PERIOD"], row["PERIOD_NAME"]) for row in rows_of(flow)}
        assert times == {(f"{year}-04-01/P1Y", f"{year}-{year - 1999}") for year in (2018, 2021, 2023)}
        for path in tmp_path.glob("*_csv/**/mart_*.csv"):
            (names,) = {tuple(row) for row in rows_of(path)} or {("period_name",)}
            assert "period_name" in names or "year" not in names, path.name

    def test_a_pressed_figure_says_which_financial_year_it_is_of_and_pages_open_in_english(
        self, england_run: House, browser: Browser
    ) -> None:
        pages = (england_run.warehouse.current / "pages").resolve()
        assert browser.open(pages / "regions" / "E09000001.html", within=pages) == Seen()
        assert browser.evaluate("document.documentElement.lang") == "en"
        assert "What is spent" in browser.evaluate("document.getElementById('money-h').innerText")
        browser.evaluate("document.querySelector('td button').click()")
        assert "2023-24" in browser.evaluate("document.querySelector('dialog .said').innerText")
        browser.open(pages / "map.html", within=pages)
        browser.evaluate("location.hash = '#s=spending.education&y=2018'")
        browser.evaluate("new Promise(done => setTimeout(done, 500))")
        assert "2018-19" in browser.evaluate("document.getElementById('map-h').innerText")

    def test_pages_show_england_and_its_estimate_and_no_town_and_country(self, england_run: House) -> None:
        pages = england_run.warehouse.current / "pages"
        overview = (pages / "index.html").read_text(encoding="utf-8")
        assert "2,145<" in overview
        assert "estimated" in overview[overview.index("2,145<") : overview.index("2,145<") + 200]
        county = (pages / "regions" / "E10000003.html").read_text(encoding="utf-8")
        police = (pages / "regions" / "E23000030.html").read_text(encoding="utf-8")
        education = (pages / "indicators" / "spending.education.html").read_text(encoding="utf-8")
        for page in (overview, county, police, education):
            assert not re.search("urban|rural|城镇|乡村|registered|户籍|synthetic|示例", page, re.IGNORECASE)
        assert "no figure per head" in police
        assert "Hartlepool" in education  # areas with all services are compared ...
        assert "Hampshire Police" not in education  # ... and no body without people of its own
