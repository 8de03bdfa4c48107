"""The whole way on the invented country: what is released, what blocks, and what a reader sees meanwhile."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import country
import pytest
from conftest import copy_of
from country import Country
from houses import House

from pipelines.errors import ConfigurationError
from pipelines.run import Session
from pipelines.settings import PROJECT_FOLDER
from pipelines.store import now_utc

pytestmark = pytest.mark.pipeline


def hands(house: House) -> Country:
    return Country(house.jurisdiction)


# -- figures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("region", ["V", "VA", "VB", "VA1", "VA2", "VB1", "VB2"])
@pytest.mark.parametrize("year", [2019, 2020])
def test_spending_per_head_of_every_region(verdania: House, region: str, year: int) -> None:
    found = verdania.query(
        "SELECT residence, spending, residents, per_resident, currency FROM mart_per_capita_spending "
        f"WHERE region_code = '{region}' AND year = {year} AND domain = 'all'"
    )
    rows = {residence: rest for residence, *rest in found}
    for residence in ("total", "urban", "rural"):
        spending = country.all_spending(year, region, None, residence)
        people = country.population(year, region, residence)
        assert rows[residence] == [spending, people, pytest.approx(spending / people, rel=1e-12), "VCR"]
    neither = country.all_spending(year, region, None, "unattributed")
    assert rows["unattributed"] == [neither, None, None, "VCR"]
    # what is attributed to neither stands beside town and country
    beside = verdania.query(
        "SELECT DISTINCT unattributed_spending FROM mart_per_capita_spending "
        f"WHERE region_code = '{region}' AND year = {year} AND domain = 'all'"
    )
    assert beside == [(neither,)]


def test_spending_by_domain_and_level_of_government(verdania: House) -> None:
    found = verdania.query(
        "SELECT domain, 'all', spending FROM mart_per_capita_spending WHERE region_code = 'VA' AND year = 2020 "
        "AND residence = 'total' UNION ALL SELECT subject_code, government_level, spending FROM mart_expenditure_split "
        "WHERE region_code = 'VA' AND year = 2020 AND subject_kind = 'domain'"
    )
    rows = {(domain, level): spending for domain, level, spending in found}
    own_level = dict(
        verdania.query(
            "SELECT domain, spending FROM mart_per_capita_spending_variants WHERE region_code = 'VA' AND year = 2020 "
            "AND residence = 'total' AND variant = 'own_level'"
        )
    )
    for code, domain in country.CLASSES.items():
        own = country.own_spending(2020, "VA", code)
        everything = country.all_spending(2020, "VA", code)
        assert (rows[domain, "shire"], rows[domain, "all"]) == (own, everything)
        assert own_level[domain] == own
        assert rows[domain, "parish"] == everything - own
    assert rows["basic", "all"] == rows["health", "all"] + rows["schooling", "all"]
    assert rows["all", "all"] == rows["basic", "all"] + rows["other", "all"]


def test_a_year_with_a_whole_budget_only_has_no_domains(verdania: House) -> None:
    assert verdania.query(
        "SELECT DISTINCT domain FROM mart_per_capita_spending WHERE year = 2018 AND region_code = 'V' "
        "AND spending IS NOT NULL"
    ) == [("all",)]


@pytest.mark.parametrize("region", ["V", "VA", "VB", "VA1", "VB2"])
def test_coverage_of_every_region(verdania: House, region: str) -> None:
    def one(indicator: str, year: int) -> tuple[Any, ...]:
        (row,) = verdania.query(
            f"SELECT numerator, denominator, value FROM mart_service_coverage WHERE indicator_code = '{indicator}' "
            f"AND region_code = '{region}' AND year = {year} AND breakdown = 'all'"
        )
        return row

    parishes = {"V": ["VA1", "VA2", "VB1", "VB2"], "VA": ["VA1", "VA2"], "VB": ["VB1", "VB2"]}.get(region, [region])
    for year in (2019, 2020):
        beds = sum(sum(country.BEDS[year][parish]) for parish in parishes)
        people = country.population(year, region)
        expected = (beds, people, pytest.approx(1000 * beds / people))
        assert one("BED", year) == expected
    unread, adults = country.census(region, "unread"), country.census(region, "adults")
    expected = (unread, adults, pytest.approx(100 * unread / adults))
    assert one("UNREAD", 2020) == expected
    tap, homes = country.census(region, "tap"), country.census(region, "homes")
    assert one("TAP", 2020) == (tap, homes, pytest.approx(100 * tap / homes))


def test_an_indicator_that_cannot_be_computed_says_why_and_has_no_row(verdania: House) -> None:
    assert verdania.query("SELECT is_computed, reason FROM dim_indicator WHERE indicator_code = 'PUPIL'") == [
        (False, "no school sends its roll yet")
    ]
    assert verdania.query("SELECT count(*) FROM mart_service_coverage WHERE indicator_code = 'PUPIL'") == [(0,)]


def test_a_merged_parish_ends_and_its_residents_are_in_the_one_it_joined(verdania: House) -> None:
    rows = verdania.query(
        "SELECT year(reference_date), population FROM fct_population WHERE region_code = 'VA3' AND residence = 'total' "
        "AND population IS NOT NULL"
    )
    assert rows == [(2018, 10_000)]
    assert verdania.query("SELECT change_kind, to_code FROM dim_region_change WHERE from_code = 'VA3'") == [
        ("merge", "VA2")
    ]


def test_both_populations_of_the_census(verdania: House) -> None:
    found = dict(
        verdania.query(
            "SELECT population_basis, population FROM fct_population WHERE region_code = 'V' AND residence = 'total' "
            "AND population_source = 'census' AND sex = 'all' AND age_group = 'all'"
        )
    )
    assert found == {"resident": country.census("V", "total"), "registered": country.census("V", "roll")}


def test_what_is_made_of_sample_figures_says_so(verdania: House) -> None:
    found = verdania.query("SELECT DISTINCT indicator_code, provenance FROM mart_service_coverage ORDER BY 1")
    assert found == [("BED", "synthetic"), ("TAP", "official"), ("UNREAD", "official")]
    assert verdania.query("SELECT DISTINCT provenance FROM mart_per_capita_spending") == [("official",)]


def test_a_figure_leads_back_to_its_cell(verdania: House) -> None:
    (row,) = verdania.query(
        "SELECT source_file, source_sheet, source_row, source_column, value_reported, unit_reported, value "
        "FROM fct_observation WHERE measure = 'residents' AND region_code = 'VB2' AND residence = 'rural' "
        "AND year = 2020"
    )
    rows = country._residents_rows()
    number = next(n for n, cells in enumerate(rows, start=1) if cells[:2] == ["Ærø", "Country"])
    assert row == ("residents.csv", "", number, "E 2020", "13.3", "thousand", 13_300)


def test_every_row_of_every_file_is_in_the_account(verdania: House) -> None:
    rows = verdania.query(
        "SELECT rows_read, rows_accepted, rows_rejected, rows_duplicate, rows_ignored FROM audit_tie_out"
    )
    assert len(rows) == 7
    assert all(read == sum(parts) for read, *parts in rows)
    assert verdania.query("SELECT count(*) FROM audit_reject") == [(0,)]


# -- nothing new, busy ------------------------------------------------------------------------------------------------


def test_a_second_run_is_nothing_new_and_loads_none_of_the_heavy_tools(verdania: House) -> None:
    before, entries = verdania.current, verdania.warehouse.ledger.read_bytes()
    said = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pipelines.cli", "run", "--json"],
        cwd=PROJECT_FOLDER,
        env={
            **os.environ,
            "JUNHENG_JURISDICTION": str(verdania.jurisdiction),
            "JUNHENG_WAREHOUSE": str(verdania.folder),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0
    report = json.loads(said.stdout)
    assert (report["outcome"], report["release_id"]) == ("nothing_new", before)
    imported = {line.rpartition("|")[2].strip().split(".")[0] for line in said.stderr.splitlines() if "|" in line}
    assert "pipelines" in imported
    assert not imported & {"dbt", "dagster", "great_expectations", "pandas", "dagster_dbt", "matplotlib"}
    assert verdania.current == before
    assert verdania.warehouse.ledger.read_bytes() == entries


def test_nothing_new_says_so_to_a_person(verdania: House) -> None:
    said = verdania.command("run")
    assert said.returncode == 0
    assert said.stdout.startswith(f"nothing new: release {verdania.current} is up to date")


def test_a_second_process_is_told_that_the_warehouse_is_busy(verdania: House) -> None:
    with verdania.warehouse.lock():
        said = verdania.command("run", "--json")
        assert said.returncode == 4
        assert json.loads(said.stderr)["error"]["code"] == "busy"
        assert verdania.query("SELECT count(*) > 0 FROM mart_service_coverage") == [(True,)]  # readers go on


# -- bad input ---------------------------------------------------------------------------------------------------------


@dataclass
class BadRun:
    """One run over a published country in which one file of each extract went bad."""

    house: House
    before: str | None
    hashes: dict[str, str]
    said: subprocess.CompletedProcess[str]
    landed: dict[str, bytes] = field(default_factory=dict)

    @property
    def failing(self) -> set[str]:
        """The checks for which files are held."""
        held = json.loads(self.said.stderr)["error"]["held"]
        return {check["check_id"] for each in held for check in each["checks"]}


@pytest.fixture(scope="module")
def bad_run(verdania: House, tmp_path_factory: pytest.TempPathFactory) -> BadRun:
    house = copy_of(verdania, tmp_path_factory.mktemp("bad"))
    land = hands(house)
    before, hashes = house.current, house.hashes()
    census = land.rows("bureau/census", "2020")
    functions = land.rows("treasury/functions", "2020")
    landed = {
        # unreadable: half a workbook
        "bureau/census": land.as_file("bureau/census", census)[:2000],
        # a missing column
        "treasury/budget": land.as_file("treasury/budget", [["Spot", "2018"], ["Verdania", "1"]]),
        # an unknown region, and a duplicate key with other values
        "treasury/functions": land.as_file(
            "treasury/functions",
            [*functions, ["2020", "VX", "Atlantis", "10", "1", "1", "0", "0"], [*functions[1][:4], "9", "9", "0", "0"]],
        ),
        # an empty file
        "health/facilities": b"",
    }
    for extract, data in landed.items():
        land.land(extract, "2020", data=data)
    # a number that is none
    path = land.land("bureau/residents", "2020", cells={(3, 4): "about 164"})
    landed["bureau/residents"] = path.read_bytes()
    return BadRun(house, before, hashes, house.command("run", "--json"), landed)


def test_bad_files_and_nothing_else_end_a_run_with_exit_code_3_no_build_and_no_traceback(bad_run: BadRun) -> None:
    assert bad_run.said.returncode == 3
    assert len(list(bad_run.house.warehouse.builds.glob("*/build.duckdb"))) == 1, "that of the release before"
    assert bad_run.said.stdout == ""
    assert "Traceback" not in bad_run.said.stderr
    error = json.loads(bad_run.said.stderr)["error"]
    assert error["code"] == "blocked"
    assert bad_run.before is not None and f"the release {bad_run.before} stays" in error["message"]
    assert "junheng rejects" in error["do"]
    assert len(error["held"]) == 5 and all(len(each["lines"]) <= 7 for each in error["held"])
    assert [line for line in error["failing"] if not line.startswith("  ")] == [h["lines"][0] for h in error["held"]]


def test_the_last_release_is_untouched_by_bad_files(bad_run: BadRun) -> None:
    assert bad_run.house.current == bad_run.before
    assert bad_run.house.hashes() == bad_run.hashes
    assert [p.name for p in bad_run.house.warehouse.releases.iterdir() if p.is_dir()] == [bad_run.before]


def test_nothing_of_bad_files_is_lost(bad_run: BadRun) -> None:
    for data in bad_run.landed.values():
        assert bad_run.house.warehouse.vault_path(hashlib.sha256(data).hexdigest()).read_bytes() == data


def rejected(bad_run: BadRun, extract: str) -> list[dict[str, Any]]:
    said = bad_run.house.command("rejects", "--extract", extract, "--period", "2020", "--json")
    assert said.returncode == 0
    return json.loads(said.stdout)  # type: ignore[no-any-return]


def test_an_unreadable_file_is_held(bad_run: BadRun) -> None:
    assert "intake.readable.bureau/census" in bad_run.failing
    (reject,) = rejected(bad_run, "bureau/census")
    assert reject["rule"] == "unreadable"
    assert "workbook" in reject["detail"]


def test_a_file_with_a_missing_column_is_held(bad_run: BadRun) -> None:
    assert "intake.readable.treasury/budget" in bad_run.failing
    (reject,) = rejected(bad_run, "treasury/budget")
    assert "Place" in reject["detail"]


def test_a_file_with_an_unknown_region_is_held(bad_run: BadRun) -> None:
    assert "intake.codes.treasury/functions" in bad_run.failing
    (reject,) = [r for r in rejected(bad_run, "treasury/functions") if r["rule"] == "unknown_region"]
    assert "VX" in reject["text"] and "Atlantis" in reject["text"]


def test_a_file_with_a_duplicate_key_is_held_and_neither_line_is_taken(bad_run: BadRun) -> None:
    assert "intake.keys.treasury/functions" in bad_run.failing
    twice = [r for r in rejected(bad_run, "treasury/functions") if r["rule"] == "duplicate_key"]
    assert [r["row"] for r in twice] == [2, 24]


def test_a_file_with_a_number_that_is_none_is_held(bad_run: BadRun) -> None:
    assert "intake.numbers.bureau/residents" in bad_run.failing
    (reject,) = rejected(bad_run, "bureau/residents")
    assert (reject["rule"], reject["row"], reject["column"], reject["text"]) == (
        "not_a_number",
        4,
        "E 2020",
        "about 164",
    )


def test_an_empty_file_is_held(bad_run: BadRun) -> None:
    assert "intake.readable.health/facilities" in bad_run.failing
    (reject,) = rejected(bad_run, "health/facilities")
    assert "empty" in reject["detail"]


def test_no_door_releases_what_was_not_built(bad_run: BadRun) -> None:
    for command in ("release", "judge"):
        said = bad_run.house.command(command, "--json")
        assert said.returncode == 3, said.stderr
        assert "have not been built" in json.loads(said.stderr)["error"]["message"]
    assert bad_run.house.current == bad_run.before


def test_the_next_run_has_nothing_new_and_says_what_is_still_held(bad_run: BadRun) -> None:
    builds = {p: p.stat().st_mtime_ns for p in bad_run.house.warehouse.builds.glob("*/build.duckdb")}
    again = bad_run.house.command("run")
    assert again.returncode == 0
    assert again.stdout.startswith(f"nothing new: release {bad_run.before} is up to date; 5 deliveries held since 20")
    assert {p: p.stat().st_mtime_ns for p in bad_run.house.warehouse.builds.glob("*/build.duckdb")} == builds


def test_status_shows_what_is_held_and_why(bad_run: BadRun) -> None:
    found = json.loads(bad_run.house.command("status", "--json").stdout)
    assert (found["verdict"], found["release"]) == ("pass", bad_run.before)
    held = {each["landing_path"]: each for each in found["held"]}
    assert held["bureau/census/2020/count.xlsx"]["because"].startswith("readable: ")
    assert {each["owner"] for each in found["held"]} == {"bureau desk", "treasury desk", "health desk"}


def test_departments_have_a_workbook_of_what_they_must_mend_though_nothing_was_built(bad_run: BadRun) -> None:
    names = {path.name for path in bad_run.house.warehouse.held.iterdir()}
    assert {"待更正_bureau.xlsx", "待更正_treasury.xlsx"} <= names and len(names) == 3


# -- one bad file among good ones --------------------------------------------------------------------------------------


@dataclass
class Mixed:
    """The country after a night with one good and one bad file; and what the run said."""

    house: House
    before: str
    said: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def mixed(verdania: House, tmp_path_factory: pytest.TempPathFactory) -> Mixed:
    """The beds of 2020 come again with a word for a number, and a parish has a hundred residents more."""
    house = copy_of(verdania, tmp_path_factory.mktemp("mixed"))
    assert house.current is not None
    hands(house).land("health/facilities", "2020", cells={(2, 1): "about 170", (3, 1): 970, (3, 3): 970})
    revised: dict[tuple[int, int], country.Cell] = {(3, 4): "164.1", (5, 4): "62.3", (9, 4): "81.1", (11, 4): "22.8"}
    revised |= {(24, 4): "19.1", (26, 4): "13.4"}  # and so in its shire and the realm
    hands(house).land("bureau/residents", "2020", cells=revised)
    return Mixed(house, house.current, house.command("run"))


BEDS_NOW = "SELECT region_code, numerator, obs_status FROM mart_service_coverage WHERE indicator_code = 'BED' "


def test_the_rest_is_published_and_what_is_held_is_told_first(mixed: Mixed) -> None:
    assert mixed.said.returncode == 0, mixed.said.stderr
    assert mixed.said.stdout.startswith("1 delivery held since ")
    assert "health/facilities/2020/facilities.xlsx is held" in mixed.said.stdout.splitlines()[1]
    assert mixed.house.current != mixed.before and f"published release {mixed.house.current}" in mixed.said.stdout
    people = "SELECT population FROM fct_population WHERE region_code = 'VB2' AND year(reference_date) = 2020 "
    people += "AND population_source = 'year_end' AND residence = 'total'"
    assert (mixed.house.value(people, mixed.before), mixed.house.value(people)) == (19_000, 19_100)


def test_figures_in_place_of_a_held_delivery_are_those_of_the_last_good_one_and_provisional(mixed: Mixed) -> None:
    total = "AND breakdown = 'all' AND year = {} ORDER BY 1"
    was = mixed.house.query(BEDS_NOW + total.format(2020), mixed.before)
    now = mixed.house.query(BEDS_NOW + total.format(2020))
    assert {status for _, _, status in was} == {"A"}
    assert now == [(region, beds, "P") for region, beds, _ in was]
    assert {status for _, _, status in mixed.house.query(BEDS_NOW + total.format(2019))} == {"A"}
    observed = mixed.house.query(
        "SELECT DISTINCT year, obs_status FROM fct_observation WHERE measure = 'beds' AND value IS NOT NULL ORDER BY 1"
    )
    assert observed == [(2019, "A"), (2020, "P")]


def test_no_figure_of_a_held_delivery_is_in_a_release_and_nothing_of_it_is_lost(mixed: Mixed) -> None:
    house = mixed.house
    assert house.query("SELECT count(*) FROM fct_observation WHERE value = 970") == [(0,)]
    assert house.query("SELECT count(*) FROM mart_revision WHERE extract = 'facilities'") == [(0,)]
    rows = house.query(
        "SELECT is_in_force, is_held, held_because, in_place_of, observations FROM audit_receipt "
        "WHERE extract = 'facilities' AND delivery_period = '2020' ORDER BY sequence"
    )
    held = house.value("SELECT receipt_id FROM audit_receipt WHERE is_held")
    assert rows == [(True, False, None, held, 12), (False, True, rows[1][2], None, 0)]
    assert rows[1][2].startswith("numbers: 1 unknown")
    assert house.value("SELECT held_since = received_at FROM audit_receipt WHERE is_held") is True
    assert house.query(f"SELECT rule, source_row FROM audit_reject WHERE receipt_id = '{held}'") == [
        ("not_a_number", 3)
    ]
    assert house.value(f"SELECT is_tied FROM audit_tie_out WHERE receipt_id = '{held}'") is True


def test_its_checks_are_listed_as_held_and_the_verdict_passes(mixed: Mixed) -> None:
    found = mixed.house.query("SELECT check_id, severity, reach FROM audit_check WHERE outcome = 'held' ORDER BY 1")
    assert ("intake.numbers.health/facilities", "block", "delivery") in found
    assert mixed.house.query("SELECT outcome, held FROM audit_verdict") == [("pass", len(found))]
    said = mixed.house.command("quality")
    assert said.returncode == 0 and "intake.numbers.health/facilities" in said.stdout and "held" in said.stdout


def test_pages_say_since_when_and_at_which_delivery_an_extract_stays(mixed: Mixed) -> None:
    folder = mixed.house.warehouse.current
    report = (folder / "quality" / "index.html").read_text(encoding="utf-8")
    assert 'id="held"' in report and "facilities.xlsx" in report[report.index('<section id="held"') :]
    overview = (folder / "pages" / "index.html").read_text(encoding="utf-8")
    day = now_utc()[:10]
    assert f"stays at the delivery received on {day}" in overview and f"since {day}" in overview
    assert "health/facilities" in overview


def test_what_changed_is_led_back_to_the_held_delivery(mixed: Mixed) -> None:
    changes = json.loads((mixed.house.warehouse.current / "changes.json").read_text(encoding="utf-8"))
    held = mixed.house.value("SELECT receipt_id FROM audit_receipt WHERE is_held")
    (cause,) = [item for item in changes["inputs"] if item.get("receipt_id") == held]
    assert cause["change"] == "held"
    examples = changes["tables"]["fct_observation"]["examples"]["revised"]
    flagged = [e for e in examples if e["columns"].get("obs_status", {}).get("after") == "P"]
    assert flagged and all(e["causes"] == [f"receipt {held}"] for e in flagged)


def test_a_release_with_a_held_delivery_verifies_and_is_made_again_the_same(mixed: Mixed) -> None:
    assert mixed.house.command("verify").returncode == 0
    made = mixed.house.command("reproduce", str(mixed.house.current), "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["same"] is True


def test_the_mended_file_makes_the_figures_final_again(mixed: Mixed, tmp_path: Path) -> None:
    house = copy_of(mixed.house, tmp_path)
    hands(house).land("health/facilities", "2020", cells={(2, 1): 170, (2, 3): 205})
    said = house.command("run")
    assert said.returncode == 0 and said.stdout.startswith("published release"), said.stderr
    assert house.query("SELECT count(*) FROM audit_receipt WHERE is_held") == [(0,)]
    assert house.query("SELECT DISTINCT obs_status FROM mart_service_coverage WHERE indicator_code = 'BED'") == [("A",)]
    assert house.value("SELECT value FROM fct_observation WHERE is_latest AND value = 170 AND measure = 'beds'") == 170
    because = house.query("SELECT held_because IS NOT NULL, is_held FROM audit_receipt WHERE observations = 0")
    assert because == [(True, False)], "what never counted says why"


def test_a_contract_mistake_or_what_is_no_delivery_leaves_the_last_release_untouched(
    verdania: House, tmp_path: Path
) -> None:
    house = copy_of(verdania, tmp_path)
    before, hashes = house.current, house.hashes()
    stray = house.jurisdiction / "landing" / "harbour" / "ships" / "2020" / "ships.csv"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"three ships")
    os.mkfifo(stray.with_name("pipe.csv"))
    stray.with_name("link.csv").symlink_to("/etc/hostname")
    report = house.run()
    assert (report.outcome, report.release_id) == ("nothing_new", before)
    assert [each["rule"] for each in report.refused] == ["link", "special_file", "no_contract"]
    hands(house).write_contract("treasury/budget", lambda c: c.update(rank="first"))
    with pytest.raises(ConfigurationError, match="rank"):
        house.run()
    assert (house.current, house.hashes()) == (before, hashes)
    assert house.query("SELECT count(*) > 0 FROM mart_per_capita_spending") == [(True,)]


# -- a new indicator, setting back, readers ---------------------------------------------------------------------------

READER = """
import json, sys
from pathlib import Path
import duckdb
current, stop, log = (Path(p) for p in sys.argv[1:])
with log.open("w") as out:
    while not stop.exists():
        try:
            with duckdb.connect(str(current / "public.duckdb"), read_only=True) as c:
                ask = lambda sql: c.execute(sql).fetchall()
                line = {
                    "before": ask("SELECT release_id, build_id FROM audit_release WHERE is_this_release"),
                    "women": ask("SELECT count(*) FROM mart_service_coverage WHERE indicator_code = 'WOMEN'")[0][0],
                    "listed": ask("SELECT count(*) FROM dim_indicator WHERE indicator_code = 'WOMEN'")[0][0],
                    "spending": str(ask("SELECT sum(spending) FROM mart_per_capita_spending")[0][0]),
                    "after": ask("SELECT release_id, build_id FROM audit_release WHERE is_this_release"),
                }
        except Exception as error:
            line = {"error": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(line) + "\\n")
        out.flush()
"""


@dataclass
class Grown:
    """A published country with one more line in indicators.csv, and what a reader saw while it was published."""

    house: House
    first: str
    seen: list[dict[str, Any]]


@pytest.fixture(scope="module")
def grown(verdania: House, tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """A whole run with the new indicator, then old and new build sealed in turn; somebody reads all the while."""
    folder = tmp_path_factory.mktemp("grown")
    house = copy_of(verdania, folder)
    assert house.current is not None
    line = country.indicator(
        "WOMEN",
        name_en="Women among a thousand persons counted",
        unit="per 1000",
        numerator="counted{sex=female}",
        denominator="counted",
        multiplier="1000",
        population_source="census",
    )
    hands(house).add_lines("indicators.csv", line)
    session = Session(house.settings)
    (old,) = [session.stored_build(p.parent.name) for p in house.warehouse.builds.glob("*/build.json")]
    first, stop, log = house.current, folder / "stop", folder / "seen.jsonl"
    reader = subprocess.Popen([sys.executable, "-c", READER, str(house.warehouse.current), str(stop), str(log)])
    try:
        report = house.run()
        new = session.stored_build(report.build_id)
        assert report.outcome == "published" and old is not None and new is not None
        for build in (old, new) * 4:
            with session.warehouse.lock():
                session.judge(build)  # a verdict counts while the release it was judged against is current
                session.publish(build)
        time.sleep(0.5)
    finally:
        stop.touch()
        reader.wait(timeout=60)
    return Grown(house, first, [json.loads(line) for line in log.read_text().splitlines()])


def test_a_line_in_indicators_csv_is_a_figure_in_the_release_without_any_sql(grown: Grown, verdania: House) -> None:
    found = dict(
        grown.house.query(
            "SELECT region_code, value FROM mart_service_coverage WHERE indicator_code = 'WOMEN' AND year = 2020 "
            "AND breakdown = 'all'"
        )
    )
    assert found == {
        region: pytest.approx(1000 * country.census(region, "female") / country.census(region, "total"))
        for region in ("V", "VA", "VB", "VA1", "VA2", "VB1", "VB2")
    }
    assert verdania.query("SELECT count(*) FROM mart_service_coverage WHERE indicator_code = 'WOMEN'") == [(0,)]
    assert grown.house.manifest()["code_version"] == verdania.manifest()["code_version"]


def test_a_new_indicator_moves_no_other_figure(grown: Grown, verdania: House) -> None:
    after, before = grown.house.hashes(), verdania.hashes()
    # it is scored, so it stands in the tree of weights; without a target it is in no score
    changed = {
        "benchmark", "dim_indicator", "dim_subject", "dim_weight", "figure", "mart_inequality", "mart_region_profile",
        "mart_region_trend", "mart_service_coverage", "mart_subject_level",
    }  # fmt: skip
    assert {name for name in after if before[name] != after[name]} == changed
    for others in (
        "SELECT * FROM mart_service_coverage WHERE indicator_code <> 'WOMEN' ORDER BY ALL",
        "SELECT * FROM mart_inequality WHERE subject_code <> 'WOMEN' ORDER BY ALL",
        "SELECT * FROM mart_region_profile WHERE indicator_code <> 'WOMEN' ORDER BY ALL",
        "SELECT * FROM mart_region_trend WHERE subject_code <> 'WOMEN' ORDER BY ALL",
        "SELECT * FROM mart_subject_level WHERE subject_code <> 'WOMEN' ORDER BY ALL",
        "SELECT * FROM figure WHERE subject_code <> 'WOMEN' ORDER BY ALL",
        "SELECT * FROM benchmark WHERE subject_code <> 'WOMEN' ORDER BY ALL",
    ):
        assert grown.house.query(others) == verdania.query(others)


def test_a_reader_all_through_ten_releases_sees_no_error_and_no_mixture(grown: Grown) -> None:
    assert [line["error"] for line in grown.seen if "error" in line] == []
    assert all(line["before"] == line["after"] and len(line["before"]) == 1 for line in grown.seen)
    releases = {line["before"][0][0] for line in grown.seen}
    assert len(list(grown.house.warehouse.releases.glob("*/manifest.json"))) == 10
    assert len(releases) >= 8, f"{len(grown.seen)} looks saw {sorted(releases)}"
    content: dict[str, set[tuple[int, int, str]]] = {}  # what each build shows is the same at every look
    for line in grown.seen:
        content.setdefault(line["before"][0][1], set()).add((line["women"], line["listed"], line["spending"]))
    assert sorted(listed for ((_, listed, _),) in content.values()) == [0, 1]
    assert all((women > 0) == (listed == 1) for ((women, listed, _),) in content.values())


def test_current_can_be_set_back_and_the_nightly_leaves_it_there(grown: Grown, tmp_path: Path) -> None:
    house, first = copy_of(grown.house, tmp_path), grown.first
    listed = json.loads(house.command("releases", "--json").stdout)
    newest = listed[-1]["release_id"]
    assert [r["release_id"] for r in listed if r["is_current"]] == [newest] == [house.current]
    said = house.command("rollback", first)
    assert said.returncode == 0, said.stderr
    assert f"current is {first} again" in said.stdout
    assert house.current == first
    assert house.query("SELECT count(*) FROM mart_service_coverage WHERE indicator_code = 'WOMEN'") == [(0,)]
    assert house.warehouse.release_folder(newest).is_dir()
    nightly = house.command("run")
    assert nightly.returncode == 0, nightly.stderr
    assert "stays set back" in nightly.stdout
    assert house.current == first
    assert house.command("rollback", "20000101.1", "--json").returncode == 2
    assert house.command("rollback", newest).returncode == 0
    assert house.current == newest


# -- made again, at another time, elsewhere ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, str, str]:
    """The country in another place, received in another order; then revised. House, first release, moment between."""
    folder = tmp_path_factory.mktemp("elsewhere")
    house = House(country.make_country(folder / "far" / "verdania").folder, folder / "warehouse")
    for extract in reversed(country.DELIVERIES):
        assert house.command("receive", "--extract", extract).returncode == 0
    first = house.run()
    assert first.release_id is not None
    moment = now_utc()
    revised = {  # a thousand more in the country of Ærø, and so in its shire and the realm
        (3, 4): "165", (5, 4): "63.2", (9, 4): "82", (11, 4): "23.7", (24, 4): "20.0", (26, 4): "14.3"
    }  # fmt: skip
    hands(house).land("bureau/residents", "2020", cells=revised)
    assert house.run(full=True).outcome == "published"
    return house, first.release_id, moment


def test_two_fresh_warehouses_give_the_same_content(verdania: House, elsewhere: tuple[House, str, str]) -> None:
    house, first, _ = elsewhere
    assert house.hashes(first) == verdania.hashes()
    parquet = sorted((verdania.warehouse.current / "parquet").glob("*.parquet"))
    same = [p for p in parquet if p.name.startswith(("figure", "benchmark", "dim_", "fct_", "mart_"))]
    assert len(same) >= 10
    for path in same:
        assert path.read_bytes() == (house.warehouse.release_folder(first) / "parquet" / path.name).read_bytes()


def test_a_revised_figure_is_released_and_the_old_one_stays_readable(elsewhere: tuple[House, str, str]) -> None:
    house, first, _ = elsewhere
    sql = (
        "SELECT population FROM fct_population WHERE region_code = 'VB2' AND year(reference_date) = 2020 "
        "AND population_source = 'year_end' AND residence = 'total'"
    )
    assert (house.value(sql, first), house.value(sql)) == (19_000, 20_000)
    in_force = house.query("SELECT is_in_force FROM audit_receipt WHERE extract = 'residents' ORDER BY sequence")
    assert in_force == [(False,), (True,)]
    superseded = house.query(
        "SELECT value, is_latest FROM fct_observation WHERE measure = 'residents' AND region_code = 'VB2' "
        "AND residence = 'total' AND year = 2020 ORDER BY value"
    )
    assert superseded == [(19_000, False), (20_000, True)]


def test_what_was_known_then_is_built_again_and_never_moves_current(elsewhere: tuple[House, str, str]) -> None:
    house, first, moment = elsewhere
    before = house.current
    said = house.command("run", "--as-of", moment, "--json")
    assert said.returncode == 0, said.stderr
    release = json.loads(said.stdout)["release_id"]
    assert release not in (first, before)
    assert house.current == before
    assert house.manifest(release)["as_of"] == moment
    assert house.hashes(release) == house.hashes(first)
    assert house.hashes(release) != house.hashes()
    # the nightly goes on from the present, not from then
    assert house.run().outcome == "nothing_new"
    assert house.current == before


def test_before_anything_was_received_there_was_nothing_to_build(elsewhere: tuple[House, str, str]) -> None:
    said = elsewhere[0].command("run", "--as-of", "2000-01-01", "--json")
    assert said.returncode == 2
    assert "nothing to build" in json.loads(said.stderr)["error"]["message"]


def test_a_country_with_fewer_extracts_is_released_and_what_it_lacks_is_not_applicable(tmp_path: Path) -> None:
    land = country.make_country(
        tmp_path / "verdania",
        without=["treasury/functions", "treasury/budget", "health/facilities"],
        jurisdiction=country.JURISDICTION[: country.JURISDICTION.index("spending:")],
    )
    house = House(land.folder, tmp_path / "warehouse")
    assert house.run().outcome == "published"
    assert house.query("SELECT count(*) FROM mart_per_capita_spending") == [(0,)]
    assert house.query("SELECT DISTINCT indicator_code FROM mart_service_coverage ORDER BY 1") == [
        ("TAP",),
        ("UNREAD",),
    ]
    outcomes = {check["outcome"] for check in house.checks().values()}
    assert "not_applicable" in outcomes
    assert "error" not in outcomes
