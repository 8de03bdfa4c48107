"""The site of a release: every kind of page works from disk alone, and says what SQL says."""

from __future__ import annotations

import csv
import importlib.metadata
import json
import random
import re
import shlex
import time
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
from pipelines.pages import comparisons, data_files, maps, numbers, render
from pipelines.pages.facts import read_facts
from pipelines.pages.reading import open_release
from pipelines.pages.references import OMITTED, Reference
from pipelines.pages.subjects import Facts, Figure, Region, Subject
from pipelines.store import Warehouse

MEGABYTE = 1_000_000


def figure(value: float | None, low: float | None = None, high: float | None = None, status: str = "A") -> Figure:
    return Figure(2020, value, low, high, status, False)


# -- how figures stand to each other -----------------------------------------------------------------------------------


def test_quartiles_are_those_of_the_database() -> None:
    values = [3.5, 1.0, 9.25, 4.0, 4.0, 8.5, 2.0]
    found = comparisons.spread(values)
    assert found is not None
    asked = duckdb.execute("select quantile_cont(v, [0, 0.25, 0.5, 0.75, 1]) from unnest(?) t(v)", [values]).fetchone()
    assert asked is not None
    assert [found.low, found.first_quarter, found.median, found.third_quarter, found.high] == asked[0]
    assert comparisons.spread([]) is None


@pytest.mark.parametrize(
    ("direction", "home", "told"),
    [
        ("higher", 9.0, "better"),  # the other lies below the interval
        ("higher", 11.5, "worse"),
        ("lower", 9.0, "worse"),
        ("lower", 11.5, "better"),
        (None, 9.0, "higher"),
        ("higher", 9.5, "similar"),  # on the limit: chance may explain it
    ],
)
def test_a_difference_is_told_only_beyond_the_interval(direction: str | None, home: float, told: str) -> None:
    assert comparisons.difference(figure(10, 9.5, 10.5), figure(home), direction) == told


def test_without_an_interval_no_difference_is_told_however_large() -> None:
    assert comparisons.difference(figure(10), figure(1), "higher") == "unknown"
    assert comparisons.difference(figure(10, 9, 11), None, "higher") == "unknown"


def test_bands_are_fifths_in_the_indicators_direction_and_ties_stay_together() -> None:
    figures: dict[str, Figure | None] = {str(n): figure(float(n)) for n in range(1, 11)}
    higher, lower = comparisons.bands(figures, "higher"), comparisons.bands(figures, "lower")
    assert [higher[str(n)].fifth for n in range(1, 11)] == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert [lower[str(n)].fifth for n in range(1, 11)] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    tied = comparisons.bands({"a": figure(5), "b": figure(5), "c": figure(5), "d": figure(1), "e": None}, "higher")
    assert {code: band.fifth for code, band in tied.items()} == {"a": 1, "b": 1, "c": 1, "d": 4}
    assert tied["a"].first is None, "a place without an interval would be a bare rank"


def test_positions_count_others_only_where_intervals_do_not_meet() -> None:
    found = comparisons.bands(
        {"a": figure(10, 9, 11), "b": figure(10.5, 10, 11), "c": figure(5, 4, 6), "d": figure(1, 0, 2)}, "higher"
    )
    assert {code: (band.first, band.last) for code, band in found.items()} == {
        "a": (1, 2), "b": (1, 2), "c": (3, 3), "d": (4, 4),
    }  # fmt: skip
    turned = comparisons.bands({"a": figure(10, 9, 11), "b": figure(5, 4, 6)}, "lower")
    assert (turned["b"].first, turned["a"].last) == (1, 2)


def test_neighbours_are_the_nearest_over_traits_of_equal_weight() -> None:
    traits = {"a": (0.0, 0.0), "b": (1.0, 100.0), "c": (0.1, 10.0), "d": (9.0, 900.0)}
    assert comparisons.neighbours(traits, "a", 2) == ["c", "b"]
    assert comparisons.neighbours(traits, "unknown") == []


# -- where a figure stands ---------------------------------------------------------------------------------------------


def test_an_omitted_key_is_omitted_from_the_command_and_named_in_the_query() -> None:
    key = {"region_code": "X", "year": "2020", "indicator_code": "I", "population_basis": "resident"}
    reference = Reference("mart_service_coverage", key, "value", "I")
    assert reference.trace == "junheng trace mart_service_coverage region_code=X year=2020 indicator_code=I"
    assert reference.trace == " ".join(["junheng trace", *reference.arguments])
    assert "population_basis = 'resident'" in reference.sql and "year = 2020" in reference.sql
    assert reference.code("R.1") == "R.1/I/X/2020"
    other = Reference("mart_service_coverage", {**key, "population_basis": "target group"}, "value", "I")
    assert other.trace.endswith("'population_basis=target group'")


def test_a_value_with_a_quote_stays_a_value() -> None:
    assert "region_code = 'X''; drop'" in Reference("t", {"region_code": "X'; drop"}, "value", "I").sql


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
        "H": Region("H", "家", "Home", "top", 0, None),
        **{code: Region(code, f"区{code}", f"Part {code}", "low", 1, "H") for code in ("12", "13", "14")},
    }
    subject = Subject("I", "indicator", "指标", "Indicator", "d", "%", "higher", 1, "t", "value", {}, year=2020)
    subject.figures = {"12": {2020: figure(5.0)}, "13": {2020: figure(None, status="Q")}}
    return Facts("H", regions, {"I": subject}, {}, 1), subject


class Prepared:
    """As much of a release as a map asks for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder


def test_a_map_of_boundaries_hatches_what_is_missing_and_leaves_no_region_out(tmp_path: Path) -> None:
    facts, subject = small_facts()
    shutil_path = geojson(tmp_path, feature(12, SQUARE), feature(13, [[x + 1, y] for x, y in SQUARE]))
    shutil_path.rename(tmp_path / maps.BOUNDARIES)
    drawn = str(maps.map_maker(Prepared(tmp_path), facts)(subject, {"12": comparisons.Band(1, None, None, 1)}, ""))  # type: ignore[arg-type]
    assert 'class="k1" data-r="12"' in drawn and "Part 12: 5.0" in drawn
    assert 'class="none q" data-r="13"' in drawn and "withheld" in drawn
    assert "data-r=14" in drawn, "a region without an outline is a tile"


def test_tiles_say_what_is_missing_and_what_is_withheld(tmp_path: Path) -> None:
    facts, subject = small_facts()
    drawn = str(maps.map_maker(Prepared(tmp_path), facts)(subject, {"12": comparisons.Band(1, None, None, 1)}, ""))  # type: ignore[arg-type]
    tiles = re.findall(r'<a class="([\w ]+)" data-r=(\d+)[^>]*>.*?<i>(.*?)</i>', drawn)
    assert [(css, code) for css, code, _ in tiles] == [("k1", "12"), ("none q", "13"), ("none", "14")]
    assert "withheld" in tiles[1][2] and "missing" in tiles[2][2]


# -- a real site -----------------------------------------------------------------------------------------------------


def site(house: House) -> Path:
    return house.warehouse.current.resolve() / "pages"


@pytest.fixture(scope="module")
def facts(zhejiang: House) -> Facts:
    release = open_release(zhejiang.warehouse.current)
    try:
        return read_facts(release)
    finally:
        release.connection.close()


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
        "and reference_geography = 'reported' and (region_code = '330000' or region_depth > 0)"
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


def drawn_at_random(facts: Facts, count: int) -> list[tuple[Subject, str]]:
    known = [
        (subject, code)
        for subject in facts.subjects.values()
        if subject.kind in ("indicator", "degree")
        for code in sorted(subject.figures)
        if subject.year is not None and subject.domain != "all" and subject.of(code) is not None
    ]
    return random.Random(20261124).sample(known, count)


@pytest.mark.pipeline
def test_two_hundred_figures_are_the_same_in_sql_on_pages_in_data_files_and_in_exports(
    zhejiang: House, facts: Facts, tmp_path: Path
) -> None:
    pages = site(zhejiang)
    said = zhejiang.command(
        "export", "--format", "csv", "--out", str(tmp_path), "--table", "mart_service_coverage", "--table",
        "mart_equalisation",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    with duckdb.connect(str(zhejiang.warehouse.current / "public.duckdb"), read_only=True) as connection:
        exported = duckdb.connect()
        for table in ("mart_service_coverage", "mart_equalisation"):
            (path,) = tmp_path.rglob(f"{table}_*.csv")
            assert "示例数据" in path.name
            exported.execute(f"create table {table} as from read_csv('{path}', all_varchar=true)")
        for subject, code in drawn_at_random(facts, 200):
            assert subject.year is not None
            reference = subject.reference(code, subject.year)
            ((value, status, provenance),) = connection.execute(reference.sql).fetchall()
            written = subject.written(value)
            here = (subject.key, code)
            profile = row_of(pages / f"regions/{code}.html", f"../indicators/{subject.key}")
            assert shown_in(profile) == written, here
            listed = row_of(pages / f"indicators/{subject.key}.html", f"../regions/{code}")
            assert shown_in(listed) == written, here
            if value is not None:
                for row in (profile, listed):
                    assert ("<mark>" in row.split("<td")[0]) == (provenance != "official"), here
                    assert ("estimated" in row) == ("E" in status.split(";")), here
            data = (pages / f"data/{subject.key}.js").read_text(encoding="utf-8")
            figures = json.loads(f"[{data.removeprefix('junheng.figures(').removesuffix(');' + chr(10))}]")[1]
            values, statuses, *_ = figures["rows"][code]
            at = figures["years"].index(subject.year)
            assert (values[at], statuses.split(",")[at]) == (value, status), here
            ((told,),) = exported.execute(
                re.sub(r"year = (\d+)", r"year = '\1'", reference.sql).replace(", obs_status, provenance", "")
            ).fetchall()
            assert (float(told) if told else None) == value, here


@pytest.mark.pipeline
def test_headline_figures_say_how_they_were_made(zhejiang: House) -> None:
    pages = site(zhejiang)
    page = (pages / "figures/spending.html").read_text(encoding="utf-8")
    ((year, spending, population, per_capita),) = zhejiang.query(
        "select year, spending, population, per_capita from mart_per_capita_spending where region_code = '330000' "
        "and domain = 'all' and fund = 'general_budget' and government_level = 'all' and residence = 'total' "
        "and account_stage = 'final' and price_basis = 'nominal' and population_basis = 'resident' "
        "and population_source = 'year_end' and reference_geography = 'reported' and per_capita is not null "
        "order by year desc limit 1"
    )
    for text in (numbers.plain(spending), numbers.plain(population), numbers.rounded(per_capita, 1), str(year)):
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
        "and year = 2020 and domain = 'all' and weight_set = 'equal' and reference_geography = 'reported'"
    )
    assert len(points) > 40
    for code, lost in points:
        assert f"<small>{code}</small>" in degree and numbers.rounded(lost, 6) in degree


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
        "and scenario_family = 'all' and reference_geography = 'reported'"
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
    release = open_release(verdania.warehouse.current)
    try:
        subject = read_facts(release).subjects[key]
    finally:
        release.connection.close()
    assert subject.year is not None
    _, *arguments = shlex.split(subject.reference("VA1", subject.year).trace)
    said = verdania.command(*arguments)
    assert said.returncode == 0, said.stderr
    found = subject.of("VA1")
    assert found is not None and str(found.value)[:6] in said.stdout


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
    own = facts.subjects[subject].reference(region, int(year))
    assert (sql, trace) == (own.sql, own.trace), "the script says what the pages' own helper says"
    _, _, table, *pairs = shlex.split(trace)
    assert table in OMITTED and all("=" in pair for pair in pairs)
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
    assert numbers.rounded(ratio, 2) == shown


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
    told = [[facts.subjects[key].of(code) for code in codes] for key in keys]
    assert cells == [
        [facts.subjects[key].written(f.value if f else None) for f in row] for key, row in zip(keys, told, strict=True)
    ]
    assert browser.evaluate("document.querySelectorAll('#charts svg').length") == 4
    name, text = browser.evaluate(
        "[junheng.save('compare', ''), junheng.table(['EDU02', 'CEN06'], ['330106', '330108'])]"
    )
    assert name.startswith("示例数据_") and name.endswith(".csv") and str(zhejiang.current) in name
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["provenance"] for row in rows if row["subject"] == "EDU02"} == {"synthetic"}
    assert {row["provenance"] for row in rows if row["subject"] == "CEN06"} == {"official"}
    (row,) = [r for r in rows if (r["subject"], r["region_code"], r["year"]) == ("EDU02", "330108", "2018")]
    known = facts.subjects["EDU02"].of("330108", 2018)
    assert known is not None and float(row["value"]) == known.value
    for state, hidden in (("r=330106&s=EDU02", True), ("r=330106,330108&s=EDU02", False), ("r=1,2&s=x", True)):
        choose(browser, state)
        assert browser.evaluate("document.getElementById('result').hidden") == hidden
    browser.evaluate("document.getElementById('clear').click()")
    assert browser.evaluate("location.hash") == "#r=&s="


@pytest.mark.pipeline
def test_the_map_shows_the_bands_and_hatches_what_is_missing(zhejiang: House, browser: Browser, facts: Facts) -> None:
    browser.open(site(zhejiang) / "map.html", within=site(zhejiang))
    lowest = facts.at(facts.lowest)
    missing = 0
    for key, year in (("degree.all", 2020), ("HEA05", 2018), ("EMP01", 2016)):
        choose(browser, f"s={key}&y={year}")
        subject = facts.subjects[key]
        banded = comparisons.bands({r.code: subject.of(r.code, year) for r in lowest}, subject.direction)
        classes = browser.evaluate(
            "Object.fromEntries([...document.querySelectorAll('[data-r]')].map(a => [a.dataset.r, a.className]))"
        )
        assert classes == {r.code: f"k{banded[r.code].fifth}" if r.code in banded else "none" for r in lowest}
        missing += sum(css == "none" for css in classes.values())
        assert browser.evaluate("document.querySelector('#map-h mark') !== null")
    assert missing > 0, "a region that was made later has no figure in the years before"
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
