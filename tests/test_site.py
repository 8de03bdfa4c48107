"""The site of a release: every kind of page works from disk alone, and says what SQL says."""

from __future__ import annotations

import csv
import importlib.metadata
import json
import random
import re
import shlex
import time
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import duckdb
import pytest
from browser import Browser, Seen
from country import make_country
from houses import House

from pipelines import rules
from pipelines.errors import ConfigurationError
from pipelines.jurisdiction import load
from pipelines.jurisdiction.boundaries import find_boundaries
from pipelines.ledger import Ledger
from pipelines.pages import data_files, drawing, figures, indicator_pages, maps, numbers, render
from pipelines.pages.facts import read_facts
from pipelines.pages.references import TREND, Reference
from pipelines.pages.subjects import Facts, Figure, Newest, Region, Subject
from pipelines.publish import Release
from pipelines.store import Warehouse

MEGABYTE = 1_000_000


def figure(value: float | None, year: int = 2020, **rest: Any) -> Figure:
    return Figure(year, str(year), value, **rest)


# -- where a figure is found -------------------------------------------------------------------------------------------


def test_a_figure_is_found_by_three_conditions_and_traced_as_the_figure_it_is() -> None:
    key = {"subject_code": "I", "region_id": "X@2016-09-14", "year": "2020"}
    reference = Reference(TREND, key, "value", "I")
    assert reference.trace == "junheng trace figure subject_code=I region_id=X@2016-09-14 year=2020"
    assert reference.sql.count("=") == 3 and "year = 2020" in reference.sql
    assert reference.code("R.1") == "R.1/I/X@2016-09-14/2020"
    rebased = Reference(TREND, key, "value", "I", "current boundaries")
    assert rebased.trace.endswith("'variant=current boundaries'") and rebased.sql == reference.sql


def test_a_value_with_a_quote_stays_a_value() -> None:
    assert "region_id = 'X''; drop'" in Reference("t", {"region_id": "X'; drop"}, "value", "I").sql


def test_data_cannot_end_the_script_it_stands_in() -> None:
    assert "</script" not in data_files._call("figures", "</script><script>alert(1)</script>")


# -- the map -----------------------------------------------------------------------------------------------------------

SQUARE = [[118.0, 28.0], [119.0, 28.0], [119.0, 29.0], [118.5, 29.0000001], [118.0, 29.0], [118.0, 28.0]]


def geojson(folder: Path, *features: dict[str, Any]) -> Path:
    (folder / "reference").mkdir(exist_ok=True)
    path = folder / "reference" / "boundaries.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}), encoding="utf-8")
    return path


def feature(code: Any, ring: list[list[float]]) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"adcode": code}, "geometry": geometry}


def test_boundaries_are_found_by_whichever_property_holds_a_code(tmp_path: Path) -> None:
    assert find_boundaries(tmp_path, frozenset({"12"})) is None
    path = geojson(tmp_path, feature(12, SQUARE))
    assert find_boundaries(tmp_path, frozenset({"12"})) == path


@pytest.mark.parametrize(
    ("ring", "code", "said"),
    [(SQUARE, "other", "no feature is a region"), ([[5e5, 3e6], [5e5, 4e6], [6e5, 3e6]], "12", "not degrees")],
)
def test_boundaries_that_fit_nothing_are_refused(tmp_path: Path, ring: Any, code: str, said: str) -> None:
    geojson(tmp_path, feature(code, ring))
    with pytest.raises(ConfigurationError, match=said):
        find_boundaries(tmp_path, frozenset({"12"}))


def test_a_file_that_is_no_geojson_is_refused(tmp_path: Path) -> None:
    geojson(tmp_path).write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="not a GeoJSON"):
        find_boundaries(tmp_path, frozenset({"12"}))


def test_new_boundaries_make_a_new_release_and_are_kept_with_the_rules(tmp_path: Path) -> None:
    folder = make_country(tmp_path / "verdania").folder
    before = load(folder)
    geojson(folder, feature("VA1", SQUARE))
    after = load(folder)
    assert (before.boundaries, after.boundaries) == (None, folder / "reference/boundaries.geojson")
    assert before.reference_hash != after.reference_hash
    warehouse = Warehouse(tmp_path / "warehouse" / "verdania")
    kept = rules.record(warehouse, Ledger(warehouse.ledger), folder, tmp_path)
    assert "reference/boundaries.geojson" in kept.files
    assert rules.kind_of("reference/boundaries.geojson") == "boundaries"


def test_points_on_a_line_are_thinned_away() -> None:
    assert maps._thinned([(0, 0), (5, 0.1), (10, 0), (10, 10)], 0.4) == [(0, 0), (10, 0), (10, 10)]
    assert maps._path([(0.0, 0.0), (0.2, 0.1), (0.1, 0.2), (0.0, 0.0)], 0.1) == "", "too small to see"


def small_facts() -> tuple[Facts, Subject]:
    regions = {
        "H": Region("H", "H", "家", "Home", "top", 0, None),
        **{
            code: Region(f"id{code}", code, f"区{code}", f"Part {code}", "low", 1, "H", founded=date(2019, 8, 16))
            for code in ("12", "13", "14")
        },
        "B": Region("B", "B", "警", "Police", "body", 1, "H", is_territory=False),
    }
    subject = Subject("I", "indicator", "指标", "Indicator", "d", "%", "higher", 1)
    subject.newest = {1: Newest(2020, "2020", "2018", 1, 3, True)}
    subject.figures = {"12": {2020: figure(5.0, fifth=1)}, "13": {2020: figure(None, status="Q")}}
    return Facts("H", regions, {"I": subject}), subject


class Prepared:
    """As much of a release as a map asks for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder


def test_a_map_of_boundaries_hatches_what_is_missing_and_leaves_no_region_out(tmp_path: Path) -> None:
    facts, subject = small_facts()
    shutil_path = geojson(tmp_path, feature(12, SQUARE), feature(13, [[x + 1, y] for x, y in SQUARE]))
    shutil_path.rename(tmp_path / maps.BOUNDARIES)
    drawn = str(maps.map_maker(Prepared(tmp_path), facts)(subject, ""))  # type: ignore[arg-type]
    assert 'class="k1" data-r="12"' in drawn and "Part 12: 5.0" in drawn
    assert 'class="none q" data-r="13"' in drawn and "withheld" in drawn
    assert "data-r=14" in drawn, "a region without an outline is a tile"


def test_tiles_say_what_is_missing_and_what_is_withheld_and_show_no_body_without_land(tmp_path: Path) -> None:
    facts, subject = small_facts()
    drawn = str(maps.map_maker(Prepared(tmp_path), facts)(subject, ""))  # type: ignore[arg-type]
    tiles = re.findall(r'<a class="([\w ]+)" data-r=(\w+)[^>]*>.*?<i>(.*?)</i>', drawn)
    assert [(css, code) for css, code, _ in tiles] == [("k1", "12"), ("none q", "13"), ("none", "14")]
    assert "withheld" in tiles[1][2] and "missing" in tiles[2][2]


def test_a_region_of_before_its_founding_is_not_called_missing() -> None:
    facts, subject = small_facts()
    subject.figures["14"] = {2020: figure(None, status="O")}
    said = {year: drawing.area(subject, facts.regions["14"], year) for year in (2018, 2020)}
    assert said == {2018: ("none n", "", ("尚未设立", "not yet founded")), 2020: ("none", "", ("缺", "missing"))}


def test_a_map_ends_at_the_compared_level() -> None:
    facts, _ = small_facts()
    facts.regions["121"] = Region("121", "121", "区121", "Part 121", "parish", 2, "12")
    assert [region.code for region in facts.lowest()] == ["13", "14", "121"]
    facts.compared = 1
    assert [region.code for region in facts.lowest()] == ["12", "13", "14"]


def test_the_legend_keeps_apart_whose_money_does_not_compare() -> None:
    facts, subject = small_facts()
    subject.figures = {
        "12": {2020: figure(5.0, fifth=1, levels="county")},
        "13": {2020: figure(7.0, fifth=1, levels="county,district")},
    }
    lines = indicator_pages.legend(facts, subject, {"county": ["县", "County"], "district": ["区", "District"]})
    assert [(line["low"], line["high"], line["among"]) for line in lines] == [
        ("5.0", "5.0", ("县", "County")),
        ("7.0", "7.0", ("县＋区", "County + District")),
    ]
    subject.figures = {"12": {2020: figure(5.0)}, "13": {2020: figure(7.0)}}
    assert [(line["fifth"], line["low"], line["high"]) for line in indicator_pages.legend(facts, subject, {})] == [
        (0, "5.0", "7.0")
    ], "two regions have no fifths, and are shown all the same"


def test_a_degree_is_cut_and_every_other_figure_rounded_half_up() -> None:
    degree = Subject("degree.all", "degree", "度", "Degree", "all", "%", "higher", 2, is_cut=True)
    rate = Subject("R", "indicator", "率", "Rate", "d", "%", "higher", 2)
    assert (degree.written(94.999), rate.written(94.999), degree.written(None)) == ("94.99", "95.00", "–")


def test_a_profile_shows_the_newest_figure_of_its_region_a_list_that_of_its_level() -> None:
    facts, subject = small_facts()
    older = figure(4.0, year=2018, is_newest=True)
    subject.figures["14"] = {2018: older, 2020: figure(None, status="O")}
    region = facts.regions["14"]
    assert subject.newest_of(region) is older
    assert subject.of(region) == figure(None, status="O")


def _with_tables(folder: Path, *statements: str) -> Release:
    """A release of whose tables only these are there."""
    folder.mkdir()
    with duckdb.connect(str(folder / "public.duckdb")) as connection:
        for statement in statements:
            connection.execute(statement)
    return Release.open(folder)


def test_what_spending_is_follows_the_main_reading_of_the_jurisdiction(tmp_path: Path) -> None:
    assert figures.account_meant(_with_tables(tmp_path / "none")) == ("", "")
    release = _with_tables(
        tmp_path / "one",
        "create table dim_variant as from (values ('main', true, 'budget', 'constant', 'own', 'census'), "
        "('other', false, 'final', 'nominal', 'all', 'year_end')) "
        "t(variant, is_main, account_stage, prices, government_level, population_source)",
    )
    assert figures.account_meant(release)[1] == "budget, constant prices, this government alone"
    assert figures.residents_meant(release)[1] == "census residents"


# -- a real site -----------------------------------------------------------------------------------------------------


def site(house: House) -> Path:
    return house.warehouse.current.resolve() / "pages"


@pytest.fixture(scope="module")
def facts(zhejiang: House) -> Facts:
    with Release.open(zhejiang.warehouse.current) as release:
        return read_facts(release)


@pytest.mark.pipeline
def test_the_site_is_small_and_quickly_made(zhejiang: House, tmp_path: Path) -> None:
    pages = site(zhejiang)
    assert sum(path.stat().st_size for path in pages.rglob("*") if path.is_file()) <= 15 * MEGABYTE
    for name in ("public.duckdb", "release.json", "changes.json"):
        (tmp_path / name).symlink_to(pages.parent / name)
    begun = time.process_time()
    render(tmp_path)
    assert time.process_time() - begun < 10, "about 3 s alone"
    assert (tmp_path / "pages/index.html").read_bytes() == (pages / "index.html").read_bytes(), "the same each time"


@pytest.mark.pipeline
def test_every_region_and_indicator_has_its_page_and_every_link_leads_somewhere(zhejiang: House, facts: Facts) -> None:
    pages = site(zhejiang)
    for code, _ in zhejiang.query(
        "select distinct region_code, region_name from mart_service_coverage where year = 2020 "
        "and (region_code = '330000' or region_depth > 0)"
    ):
        assert (pages / f"regions/{code}.html").exists(), code
    for (code,) in zhejiang.query("select indicator_code from dim_indicator"):
        assert (pages / f"indicators/{code}.html").exists(), code
    there: dict[Path, bool] = {}
    for page in pages.rglob("*.html"):
        source = page.read_text(encoding="utf-8")
        for link in re.findall(r'(?:href|src)="?([^">\s]+)', source):
            target = unescape(link).partition("#")[0]
            assert not re.match(r"(?!data:)[a-z]+:", target), (page, link)
            if target and not target.startswith("data:"):
                path = (page.parent / target).resolve()
                assert there.setdefault(path, path.exists()), (page, link)
        assert not re.search(r"//[a-z0-9.-]+\.[a-z]{2,}/", source), page


def row_of(page: Path, link: str) -> str:
    """The row of a table that a link leads from."""
    rows = re.findall(r"<tr.*?</tr>", page.read_text(encoding="utf-8"), re.DOTALL)
    (row,) = [row for row in rows if f"<th scope=row><a href={link}.html>" in row]
    return row


def shown_in(row: str) -> str:
    found = re.search(r"<button[^>]*>([^<]*)</button>", row)
    return found[1] if found else numbers.MISSING


def drawn_at_random(facts: Facts, count: int) -> list[tuple[Subject, Region, Figure]]:
    known = [
        (subject, facts.regions[code], found)
        for subject in facts.subjects.values()
        if subject.kind in ("indicator", "degree") and subject.domain != "all"
        for code in sorted(subject.figures)
        if (found := subject.of(facts.regions[code])) is not None and found == subject.newest_of(facts.regions[code])
    ]
    return random.Random(20261124).sample(known, count)


@pytest.mark.pipeline
def test_two_hundred_figures_are_the_same_in_sql_on_pages_in_data_files_and_in_exports(
    zhejiang: House, facts: Facts, tmp_path: Path
) -> None:
    pages = site(zhejiang)
    said = zhejiang.command(
        "export", "--format", "csv", "--out", str(tmp_path), "--table", TREND,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    with duckdb.connect(str(zhejiang.warehouse.current / "public.duckdb"), read_only=True) as connection:
        (path,) = tmp_path.rglob(f"{TREND}_*.csv")
        assert "示例数据" in path.name
        exported = duckdb.connect()
        exported.execute(f"create table {TREND} as from read_csv('{path}', all_varchar=true)")
        for subject, region, found in drawn_at_random(facts, 200):
            reference = subject.reference(region, found)
            ((value, status, provenance),) = connection.execute(reference.sql).fetchall()
            assert reference.sql.count(" = ") <= 4
            written = subject.written(value)
            here = (subject.key, region.code)
            profile = row_of(pages / f"regions/{region.code}.html", f"../indicators/{subject.key}")
            assert shown_in(profile) == written, here
            listed = row_of(pages / f"indicators/{subject.key}.html", f"../regions/{region.code}")
            assert shown_in(listed) == written, here
            if value is not None:
                for row in (profile, listed):
                    assert ("<mark>" in row.split("<td")[0]) == (provenance != "official"), here
                    assert ("estimated" in row) == ("E" in status.split(";")), here
            data = (pages / f"data/{subject.key}.js").read_text(encoding="utf-8")
            series = json.loads(f"[{data.removeprefix('junheng.figures(').removesuffix(');' + chr(10))}]")[1]
            row = series["rows"][region.code]
            at = series["years"].index(found.year)
            shown = row["s"] if isinstance(row["s"], str) else row["s"][at]
            assert (row["v"][at], shown) == (value, status), here
            ((told,),) = exported.execute(
                re.sub(r"year = (\d+)", r"year = '\1'", reference.sql).replace(", obs_status, provenance", "")
            ).fetchall()
            assert (float(told) if told else None) == value, here


@pytest.mark.pipeline
def test_a_figure_is_the_same_on_every_page_that_shows_it(zhejiang: House, facts: Facts) -> None:
    """On the overview, the home region's profile and its own page; also where an indicator counts no population."""
    pages = site(zhejiang)
    overview = (pages / "index.html").read_text(encoding="utf-8")
    rows = re.findall(r"<tr>.*?</tr>", overview, re.DOTALL)
    home = facts.regions[facts.home]
    compared = 0
    for subject in facts.of_kind("indicator"):
        found = subject.of(home)
        if found is None or found.value is None:
            continue
        written = subject.written(found.value)
        (row,) = [row for row in rows if f'<span class="code">{subject.key}</span>' in row]
        assert f"<strong>{written}</strong>" in row and row.endswith(f'<td class="n">{found.period_name}</td></tr>')
        page = (pages / f"indicators/{subject.key}.html").read_text(encoding="utf-8")
        definition = page[page.index('<dl class="big">') : page.index("</dl>")]
        assert re.search(rf"<button[^>]*>{re.escape(written)}</button>", definition), subject.key
        assert shown_in(row_of(pages / "regions/330000.html", f"../indicators/{subject.key}")) == written
        compared += 1
    assert compared > 70
    assert "SOC08" in facts.subjects and facts.shown("SOC08") is not None
    degree = facts.subjects["degree.all"]
    for region in facts.children(facts.home):
        found = degree.of(region)
        assert found is not None
        for page in ("index.html", "regions/index.html", f"regions/{region.code}.html", "indicators/degree.all.html"):
            assert degree.written(found.value) in (pages / page).read_text(encoding="utf-8"), (region, page)


@pytest.mark.pipeline
def test_a_region_goes_on_through_a_change_of_code(zhejiang: House, facts: Facts) -> None:
    """330185 became 330112 in 2017: one territory, one series, no break; 龙港 was part of another county until 2019."""
    spending = facts.subjects["spending.all"].figures
    before = zhejiang.query(
        "select per_resident from mart_per_capita_spending where region_code = '330185' and year = 2015 "
        "and domain = 'all' and residence = 'total'"
    )
    assert [(spending["330112"][2015].value,)] == before and spending["330112"][2015].variant == "main"
    rebased = spending["330383"][2018]
    assert rebased.variant != "main" and rebased.has_status("E")
    profile = (site(zhejiang) / "regions/330112.html").read_text(encoding="utf-8")
    assert "区划变动</text>" not in profile and "临安市" in profile[profile.index('<section id="notes"') :]


@pytest.mark.pipeline
def test_money_of_neither_town_nor_country_is_beside_both(zhejiang: House, facts: Facts) -> None:
    ((share,),) = zhejiang.query(
        "select unattributed_pct from mart_urban_rural_gap where region_code = '330106' and year = 2020 "
        "and subject_code = 'spending.health'"
    )
    profile = (site(zhejiang) / "regions/330106.html").read_text(encoding="utf-8")
    rows = {re.search(r"indicators/(.*?)\.html", row)[1]: row for row in profile.split("<tr>") if "indicators/" in row}  # type: ignore[index]
    row = rows["spending.health"]
    assert f"{numbers.rounded(share, numbers.PERCENT)} %" in row
    assert "<td class=n>–<td class=n>–<td class=n>100.0 %<td class=n>–<td class=n>–" in rows["spending.fiscal"], (
        "missing, never zero"
    )
    page = (site(zhejiang) / "indicators/spending.health.html").read_text(encoding="utf-8")
    parts = page[page.index('<section id="parts"') : page.index('<section id="map"')]
    amounts = zhejiang.query(
        "select spending from mart_per_capita_spending where region_code = '330000' and year = 2020 "
        "and domain = 'health' order by residence"
    )
    assert len(amounts) == 4 and all(numbers.plain(amount) in parts for (amount,) in amounts)


@pytest.mark.pipeline
def test_neighbours_are_those_of_the_table(zhejiang: House) -> None:
    named = zhejiang.query(
        "select neighbour_code from mart_region_neighbour where region_code = '330106' order by place"
    )
    page = (site(zhejiang) / "regions/330106.html").read_text(encoding="utf-8")
    near = page[page.index('<section id="near"') : page.index('<section id="notes"')]
    assert re.findall(r'<a href="(\w+)\.html">', near) == [code for (code,) in named] and len(named) == 5


@pytest.mark.pipeline
def test_headline_figures_say_how_they_were_made(zhejiang: House) -> None:
    pages = site(zhejiang)
    page = (pages / "figures/spending.html").read_text(encoding="utf-8")
    ((year, spending, population, per_capita),) = zhejiang.query(
        "select year, spending, residents, per_resident from mart_per_capita_spending where region_code = '330000' "
        "and domain = 'all' and residence = 'total' and per_resident is not null order by year desc limit 1"
    )
    for text in (numbers.plain(spending), numbers.plain(population), numbers.rounded(per_capita), str(year)):
        assert text in page
    cells = zhejiang.query(
        f"select source_file, source_row from fct_observation where region_code = '330000' and year = {year} "
        f"and is_chosen and is_latest and value in ({spending}, {population})"
    )
    assert len(cells) >= 2
    for file, row in cells:
        assert file in page and f"row {row}" in page
    degree = (pages / "figures/degree.html").read_text(encoding="utf-8")
    points = zhejiang.query(
        "select indicator_code, contribution_points from mart_gap_contribution where region_code = '330000' "
        "and year = 2020 and domain = 'all'"
    )
    assert len(points) > 40
    for code, lost in points:
        assert f"<small>{code}</small>" in degree and numbers.plain(lost) in degree


@pytest.mark.pipeline
def test_changes_of_boundaries_and_breaks_are_marked_on_trends(zhejiang: House) -> None:
    changed = (site(zhejiang) / "regions/330212.html").read_text(encoding="utf-8")  # lost and gained parts in 2016
    trend = changed[changed.index('<section id="trend"') : changed.index('<section id="near"')]
    assert trend.count('class="breakline"') >= 1 and "区划变动" in trend
    notes = changed[changed.index('<section id="notes"') :]
    assert "2016-09-14" in notes and "330204" in notes
    still = (site(zhejiang) / "regions/330106.html").read_text(encoding="utf-8")
    assert "区划变动</text>" not in still


@pytest.mark.pipeline
def test_positions_of_the_degree_are_those_of_all_scenarios(zhejiang: House) -> None:
    ((low, high),) = zhejiang.query(
        "select rank_low, rank_high from mart_sensitivity where region_code = '330106' and year = 2020 "
        "and scenario_family = 'all'"
    )
    row = row_of(site(zhejiang) / "regions/330106.html", "../indicators/degree.all")
    assert f"<small>{low}–{high}</small>" in row


@pytest.mark.pipeline
def test_the_site_of_another_country_names_nothing_of_zhejiang(verdania: House) -> None:
    pages = site(verdania)
    assert len(list((pages / "regions").glob("*.html"))) > 5
    assert len(list((pages / "indicators").glob("*.html"))) > 2
    for page in [*pages.rglob("*.html"), *pages.rglob("*.js")]:
        source = page.read_text(encoding="utf-8")
        # the dictionary's own words say what synthetic is
        own = "" if page.name == "catalogue.html" else "|示例数据"
        assert not re.search(f"浙江|Zhejiang|CNY{own}", source), page


@pytest.mark.pipeline
@pytest.mark.parametrize("key", ["TAP", "degree.health", "spending.health"])
def test_the_command_that_a_figure_gives_traces_it(verdania: House, key: str) -> None:
    with Release.open(verdania.warehouse.current) as release:
        facts = read_facts(release)
    subject, region = facts.subjects[key], facts.regions["VA1"]
    found = subject.of(region)
    assert found is not None
    _, *arguments = shlex.split(subject.reference(region, found).trace)
    said = verdania.command(*arguments)
    assert said.returncode == 0, said.stderr
    assert str(found.value)[:6] in said.stdout


# -- in a browser ----------------------------------------------------------------------------------------------------


KINDS = {
    "overview": "index.html",
    "regions": "regions/index.html",
    "profile": "regions/330106.html",
    "home": "regions/330000.html",
    "indicator": "indicators/EDU02.html",
    "degree": "indicators/degree.all.html",
    "map": "map.html",
    "compare": "compare.html",
    "catalogue": "catalogue.html",
    "changes": "changes.html",
    "check": "check.html",
    "trace": "figures/spending.html",
}
CHOSEN = "r=330106,330108,330300&s=degree.all,EDU02,spending.health,CEN06"


def settle(browser: Browser, milliseconds: int = 250) -> None:
    browser.evaluate(f"new Promise(done => setTimeout(done, {milliseconds}))")


def choose(browser: Browser, state: str) -> None:
    browser.evaluate(f"location.hash = {json.dumps('#' + state)}")
    settle(browser, 400)


@pytest.mark.pipeline
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_every_kind_opens_at_once_and_alone(zhejiang: House, browser: Browser, kind: str) -> None:
    """From disk without a network: no error, no request outside the folder, nothing missing, little to load."""
    folder = site(zhejiang)
    for width, dark in ((1280, False), (360, True)):
        assert browser.open(folder / KINDS[kind], width=width, dark=dark, within=folder) == Seen()
        assert browser.evaluate("document.documentElement.outerHTML.length") < 2_000_000
        assert browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "no sideways scrolling"
        assert browser.evaluate("typeof junheng.listed().release") == "string"


def axe() -> str:
    """axe-core, as the test dependency brings it."""
    files = importlib.metadata.files("axe-playwright-python") or []
    (found,) = [file for file in files if file.name == "axe.min.js"]
    return Path(str(found.locate())).read_text(encoding="utf-8")


VIOLATIONS = """axe.run(document, {resultTypes: ['violations'], runOnly: RULES}).then(found =>
    found.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 200)).slice(0, 3).join(' | ')))"""
ALL_RULES = "{type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"


def violations(browser: Browser, rules: str = ALL_RULES) -> Any:
    browser.evaluate(axe() + ";0")
    return browser.evaluate(VIOLATIONS.replace("RULES", rules))


LONG = ("pages/catalogue.html", "quality/index.html")
SMALL_KINDS = [
    "pages/index.html", "pages/regions/index.html", "pages/regions/VA1.html", "pages/regions/V.html",
    "pages/indicators/TAP.html", "pages/indicators/degree.health.html", "pages/indicators/PUPIL.html",
    "pages/map.html", "pages/compare.html", "pages/catalogue.html", "pages/changes.html", "pages/check.html",
    "pages/figures/spending.html", "quality/index.html",
]  # fmt: skip


@pytest.mark.pipeline
@pytest.mark.parametrize("name", SMALL_KINDS)
def test_axe_finds_no_violation_on_any_kind_of_page(verdania: House, browser: Browser, name: str) -> None:
    """On a desk in the light, on a phone in the dark; of the small country, whose pages hold all that others hold."""
    folder = verdania.warehouse.current.resolve()
    # the long pages once: it takes long, and their colours are those of the others
    for dark, width in ((False, 1280), (True, 360))[: 1 if name in LONG else 2]:
        browser.open(folder / name, dark=dark, width=width, within=folder)
        if name == "pages/compare.html":
            choose(browser, "r=VA1,VB1,VA&s=TAP,BED,spending.health")
        assert violations(browser) == []


@pytest.mark.pipeline
@pytest.mark.parametrize("kind", ["profile", "indicator", "map"])
def test_axe_finds_no_violation_on_large_pages_either(zhejiang: House, browser: Browser, kind: str) -> None:
    browser.open(site(zhejiang) / KINDS[kind], within=site(zhejiang))
    assert violations(browser) == []


@pytest.mark.pipeline
def test_axe_finds_no_violation_where_a_figure_says_where_it_stands(zhejiang: House, browser: Browser) -> None:
    browser.open(site(zhejiang) / "figures/share.html", within=site(zhejiang))
    browser.evaluate("document.querySelector('main button[data-t]').click()")
    assert browser.evaluate("document.querySelectorAll('dialog pre').length") == 3
    assert violations(browser) == []


@pytest.mark.pipeline
def test_axe_would_find_a_violation(zhejiang: House, browser: Browser) -> None:
    browser.open(site(zhejiang) / "changes.html", within=site(zhejiang))
    browser.evaluate("document.querySelector('main').append(document.createElement('img')), 0")
    assert any(said.startswith("image-alt") for said in violations(browser))


@pytest.mark.pipeline
@pytest.mark.parametrize(
    ("page", "button"),
    [
        ("regions/330106.html", 'a[href="../indicators/EDU01.html"]'),
        ("indicators/EDU02.html", 'a[href="../regions/330108.html"]'),
        ("regions/330106.html", 'a[href="../indicators/spending.health.html"]'),
        ("compare.html", 'a[href="indicators/EDU02.html"]'),
    ],
)
def test_a_figure_pressed_gives_the_sql_the_trace_and_the_code_that_are_its_own(
    zhejiang: House, browser: Browser, facts: Facts, page: str, button: str
) -> None:
    browser.open(site(zhejiang) / page, within=site(zhejiang))
    if page == "compare.html":
        choose(browser, CHOSEN)
    row = f"document.querySelector('main th {button}').closest('tr')"
    shown = browser.evaluate(f"(b => (b.click(), b.textContent))({row}.querySelector('td button'))")
    texts = browser.evaluate("[...document.querySelectorAll('dialog pre')].map(pre => pre.textContent)")
    sql, trace, code = texts
    ((value, _, provenance),) = zhejiang.query(sql)
    release, subject, region, year = code.split("/")
    assert release == zhejiang.current
    assert facts.subjects[subject].written(value) == shown
    assert browser.evaluate("document.querySelector('dialog mark') !== null") == (provenance != "official")
    (named,) = [each for each in facts.regions.values() if each.id == region]
    found = facts.subjects[subject].of(named, int(year))
    assert found is not None
    own = facts.subjects[subject].reference(named, found)
    assert (sql, trace) == (own.sql, own.trace), "the script says what the pages' own helper says"
    browser.evaluate("document.querySelector('dialog').close()")
    settle(browser, 50)
    assert browser.evaluate("document.querySelector('dialog') === null")


@pytest.mark.pipeline
def test_a_gap_pressed_gives_its_own_sql(zhejiang: House, browser: Browser) -> None:
    browser.open(site(zhejiang) / "regions/330106.html", within=site(zhejiang))
    button = "document.querySelector('button[data-f^=\"gap.spending.health \"]')"
    shown = browser.evaluate(f"(b => (b.click(), b.textContent))({button})")
    sql = browser.evaluate("document.querySelector('dialog pre').textContent")
    ((ratio, _, _),) = zhejiang.query(sql)
    assert numbers.rounded(ratio, numbers.RATIO) == shown


@pytest.mark.pipeline
def test_numbers_are_rounded_by_the_script_as_by_the_pages(zhejiang: House, browser: Browser) -> None:
    browser.open(site(zhejiang) / "compare.html", within=site(zhejiang))
    chance = random.Random(1)
    values = [0.125, 1.005, 999.995, -0.5, -0.004, 0.0, 1e-7, 1234567.5, 99.99999]
    values += [chance.uniform(-1, 1) * 10 ** chance.randint(-4, 9) for _ in range(200)]
    for places in (0, 1, 3):
        told = browser.evaluate(f"{json.dumps(values)}.map(v => junheng.rounded(v, {places}))")
        assert told == [re.sub(r"^-(?=[0.,]*$)", "", numbers.rounded(value, places)) for value in values]
        cut = browser.evaluate(f"{json.dumps(values[:3])}.map(v => junheng.rounded(v, {places}, true))")
        assert cut == [numbers.rounded_down(value, places) for value in values[:3]]


@pytest.mark.pipeline
def test_a_comparison_is_in_its_address_and_its_download_bears_the_mark(
    zhejiang: House, browser: Browser, facts: Facts
) -> None:
    browser.open(site(zhejiang) / "compare.html", within=site(zhejiang))
    assert browser.evaluate("document.getElementById('result').hidden")
    choose(browser, CHOSEN)
    cells = browser.evaluate(
        "[...document.querySelectorAll('#compared tbody tr')].map(r => [...r.querySelectorAll('button')].map(b => "
        "b.textContent))"
    )
    keys, codes = CHOSEN.split("s=")[1].split(","), ("330106", "330108", "330300")
    told = [[facts.subjects[key].of(facts.regions[code]) for code in codes] for key in keys]
    assert cells == [
        [facts.subjects[key].written(f.value if f else None) for f in row] for key, row in zip(keys, told, strict=True)
    ]
    assert browser.evaluate("document.querySelectorAll('#charts svg').length") == 3, "a city's money is no county's"
    mixed = browser.evaluate(
        "[...document.querySelectorAll('#compared tr')].map(r => r.querySelector('i.flag') !== null)"
    )
    assert mixed == [False, False, False, True, False]
    name, text = browser.evaluate(
        "[junheng.save('compare', ''), junheng.table(['EDU02', 'CEN06'], ['330106', '330108'])]"
    )
    assert name.startswith("示例数据_") and name.endswith(".csv") and str(zhejiang.current) in name
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["provenance"] for row in rows if row["subject_code"] == "EDU02"} == {"synthetic"}
    assert {row["provenance"] for row in rows if row["subject_code"] == "CEN06"} == {"official"}
    (row,) = [r for r in rows if (r["subject_code"], r["region_code"], r["year"]) == ("EDU02", "330108", "2018")]
    known = facts.subjects["EDU02"].of(facts.regions["330108"], 2018)
    assert known is not None and float(row["value"]) == known.value
    for state, hidden in (("r=330106&s=EDU02", True), ("r=330106,330108&s=EDU02", False), ("r=1,2&s=x", True)):
        choose(browser, state)
        assert browser.evaluate("document.getElementById('result').hidden") == hidden
    browser.evaluate("document.getElementById('clear').click()")
    assert browser.evaluate("location.hash") == "#r=&s="


@pytest.mark.pipeline
def test_the_map_shows_the_bands_and_hatches_what_is_missing(zhejiang: House, browser: Browser, facts: Facts) -> None:
    browser.open(site(zhejiang) / "map.html", within=site(zhejiang))
    hatched: set[str] = set()
    for key, year in (("degree.all", 2020), ("spending.all", 2016), ("LIV02", 2020), ("CEN01", 2010)):
        choose(browser, f"s={key}&y={year}")
        subject = facts.subjects[key]
        classes = browser.evaluate(
            "Object.fromEntries([...document.querySelectorAll('[data-r]')].map(a => [a.dataset.r, a.className]))"
        )
        assert classes == {region.code: drawing.area(subject, region, year)[0] for region in facts.lowest()}
        hatched |= {css for css in classes.values() if css.startswith("none")}
        assert browser.evaluate("document.querySelector('#map-h mark') !== null") == (key != "CEN01")
    assert hatched == {"none", "none n"}, "missing, and not yet founded"
    assert "gradient" in browser.evaluate("getComputedStyle(document.querySelector('a.none')).backgroundImage")


@pytest.mark.pipeline
def test_language_theme_and_keyboard_work_on_every_page(zhejiang: House, browser: Browser) -> None:
    browser.open(site(zhejiang) / "regions/330106.html", within=site(zhejiang))
    ground = "getComputedStyle(document.body).backgroundColor"
    light = browser.evaluate(ground)
    browser.evaluate("document.getElementById('in-dark').click()")
    dark = browser.evaluate(ground)
    browser.evaluate("document.getElementById('in-en').click()")
    browser.open(site(zhejiang) / "indicators/EDU02.html", within=site(zhejiang))
    assert (browser.evaluate(ground), browser.evaluate("document.documentElement.lang")) == (
        dark,
        "en",
    ) and dark != light
    assert "Sample data" in browser.evaluate(
        "getComputedStyle(document.querySelector('td, th mark'), '').content + "
        "getComputedStyle(document.querySelector('tbody mark'), '::after').content"
    )
    browser.evaluate("document.querySelector('td button').focus()")
    for kind in ("rawKeyDown", "char", "keyUp"):
        browser.on_page(
            "Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r"
        )
    settle(browser, 100)
    assert browser.evaluate("document.querySelector('dialog[open]') !== null")
    browser.on_page("Input.dispatchKeyEvent", type="rawKeyDown", key="Escape", code="Escape", windowsVirtualKeyCode=27)
    settle(browser, 100)
    assert browser.evaluate("[document.querySelector('dialog') === null, document.activeElement.tagName]") == [
        True,
        "BUTTON",
    ]
    browser.evaluate("localStorage.clear()")
