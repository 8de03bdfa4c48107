"""Pages stand alone, say what the tables say, and mark what is synthetic where it stands."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hand_made
import pytest
from browser import Browser, Seen
from houses import House

from pipelines import pages, quality, release
from pipelines.pages import numbers
from pipelines.pages.chart import Point, Series, line_chart
from pipelines.quality import expectations
from pipelines.settings import PACKAGE_FOLDER
from pipelines.store import Warehouse

PAGES = ("pages/index.html", "pages/catalogue.html", "pages/check.html", "quality/index.html")


class Page(HTMLParser):
    """What a test needs of a page: its links, ids, what it would load, its text by language."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self.open: list[tuple[str, str]] = []
        self.by_language = {"zh": "", "en": ""}
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a":
            self.links.append(values.get("href", ""))
        elif tag == "link" or "src" in values or tag in ("iframe", "object", "embed"):
            self.loads.append(values.get("href") or values.get("src") or tag)
        if tag not in ("meta", "link", "input", "br", "path", "circle", "line"):
            self.open.append((tag, values.get("lang", "")))

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1][0] == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if any(tag in ("style", "script") for tag, _ in self.open):
            return
        self.text += data
        for language in self.by_language:
            if any(spoken == language for _, spoken in self.open):
                self.by_language[language] += data + "\n"


# -- numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "places", "written"),
    [
        (Decimal("0.125"), 2, "0.13"),
        (Decimal("2.5"), 0, "3"),
        (1.005, 2, "1.01"),  # the shortest text of the double, not its binary neighbour
        (Decimal("-0.5"), 0, "-1"),
        (1234567, 0, "1,234,567"),
        (None, 2, "–"),
        (0, 1, "0.0"),
    ],
)
def test_figures_are_rounded_half_up_and_missing_is_a_dash(value: Any, places: int, written: str) -> None:
    assert numbers.rounded(value, places) == written


def test_a_target_that_is_not_met_never_reads_as_met() -> None:
    assert numbers.rounded_down(0.99999, 3) == "0.999"
    assert numbers.rounded_down(1.0, 3) == "1.000"


def test_large_figures_are_written_in_the_units_of_each_language() -> None:
    assert numbers.large(Decimal(1_008_201_000_000)) == numbers.Written("10,082 亿", "1,008 bn")
    assert numbers.large(64_567_588) == numbers.Written("6,457 万", "64.6 m")
    assert numbers.large(None) == numbers.Written("–", "–")
    assert numbers.plain(Decimal("54426891.000000000")) == "54,426,891"


@pytest.mark.parametrize("highest", [0.0, 0.7, 3, 19848, 1.2e7])
def test_ticks_are_round_start_at_zero_and_reach_the_highest(highest: float) -> None:
    ticks = numbers.nice_ticks(highest)
    assert ticks[0] == 0 and ticks[-1] >= highest and 2 <= len(ticks) <= 8


# -- charts ----------------------------------------------------------------------------------------------------------

SAMPLE = {"zh": "示例", "en": "Sample"}
TITLE = {"zh": "题", "en": "Title"}


def drawn(*points: Point) -> str:
    series = [Series("按人", "per person", 1, "circle", list(points))]
    return str(line_chart(series, SAMPLE, TITLE, {"zh": "元", "en": "units"}, numbers.rounded))


def test_a_synthetic_figure_is_hollow_dashed_and_named() -> None:
    chart = drawn(Point(2019, 1.0, False), Point(2020, 2.0, True))
    assert "hollow" in chart and "dashed" in chart and "2020: 2 · 示例 / Sample" in chart and "2019: 1<" in chart
    official = drawn(Point(2019, 1.0, False), Point(2020, 2.0, False))
    assert "hollow" not in official and "dashed" not in official and "示例" not in official


def test_no_line_crosses_a_year_without_a_figure() -> None:
    assert 'class="line' not in drawn(Point(2010, 1.0, False), Point(2015, 2.0, False))
    assert 'class="line' in drawn(Point(2014, 1.0, False), Point(2015, 2.0, False))


def test_nothing_to_draw_is_no_chart() -> None:
    assert line_chart([Series("x", "x", 1, "circle", [])], SAMPLE, TITLE, TITLE, numbers.rounded) is None


# -- a release by hand -------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A prepared release of the hand-made build: no spending, no coverage, text that could break a page."""
    monkeypatch.setattr(
        expectations,
        "judge",
        lambda _, files, keys, *folder, **documents: [
            expectations._result(e, "pass", "<b>&")
            for e in [*(e for f in files for e in f.expectations), *expectations.key_expectations(keys)]
        ],
    )
    warehouse = Warehouse(tmp_path / "warehouse" / "somewhere")
    build = hand_made.make_build(warehouse, warns={"severity": "warn", "owner": "</script><script>alert(1)</script>"})
    hand_made.write_results(build, warns="warn")
    hand_made.judge(warehouse, build, tmp_path)
    verdict = quality.read_verdict(build)
    assert verdict is not None
    mask = Path(build.folder) / "mask.parquet"
    boundaries = tmp_path / "some.geojson"
    boundaries.write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    place: Any = SimpleNamespace(**{**vars(hand_made.JURISDICTION), "boundaries": boundaries})
    return release.prepare(warehouse, build, verdict, place, mask, hand_made.settings(tmp_path))


def test_a_release_carries_the_boundaries_that_its_map_is_drawn_from(folder: Path) -> None:
    assert "FeatureCollection" in (folder / "boundaries.geojson").read_text(encoding="utf-8")


def test_a_release_without_spending_or_coverage_still_has_its_pages(folder: Path) -> None:
    page = Page(folder / "pages/index.html")
    assert "某地基本公共服务数据" in page.by_language["zh"]
    assert "Somewhere: public-service statistics" in page.by_language["en"]
    assert "spending" not in page.ids and "degree" not in page.ids
    catalogue = Page(folder / "pages/catalogue.html")
    assert "mart_rate" in catalogue.text and "dim_place" in catalogue.text


def test_the_quality_page_shows_what_failed_first_and_every_check(folder: Path) -> None:
    page = Page(folder / "quality/index.html")
    assert page.text.index("dbt.warns") < page.text.index("intake.readable.health/beds")
    for check in quality_checks(folder):
        assert check in page.text


def test_the_quality_page_shows_a_change_of_method_apart_and_the_releases_that_are_replaced(folder: Path) -> None:
    changes = json.loads((folder / "changes.json").read_text(encoding="utf-8"))
    counts = {"added": 0, "removed": 0, "revised": 7}
    changes |= {
        "against": "20200101.1",
        "replaces": [
            {
                "release_id": "20200102.1",
                "reason": "beds <counted> twice",
                "severity": "major",
                "withdrawn": "2020-01-03T",
            }
        ],
        "method": {
            "files": [{"file": "reference/weights.csv", "change": "changed", "diff": ["-a,1", "+a,<2>"]}],
            "comparison": "method_comparison.json",
            "reason": "",
            "changed_by_data": {},
            "changed_by_method": {"mart_rate": counts},
        },
    }
    (folder / "changes.json").write_text(json.dumps(changes), encoding="utf-8")
    pages.render(folder)
    text = Page(folder / "quality/index.html").text
    for said in ("20200102.1", "beds <counted> twice", "reference/weights.csv", "+a,<2>", "method_comparison.json"):
        assert said in text
    changes["method"] |= {"comparison": None, "reason": "the vault lacks them"}
    (folder / "changes.json").write_text(json.dumps(changes), encoding="utf-8")
    pages.render(folder)
    assert "the vault lacks them" in Page(folder / "quality/index.html").text


def quality_checks(folder: Path) -> list[str]:
    import duckdb

    with duckdb.connect(str(folder / "public.duckdb"), read_only=True) as connection:
        return [check for (check,) in connection.execute("select check_id from audit_check").fetchall()]


@pytest.mark.parametrize("name", PAGES)
def test_text_from_data_cannot_become_markup(folder: Path, name: str) -> None:
    source = (folder / name).read_text(encoding="utf-8")
    assert source.count("<script>") == name.startswith("quality/") and "alert(1)</script>" not in source


def stands_alone(folder: Path, name: str) -> None:
    """No request leaves the folder, and what it links to is in the release."""
    page = Page(folder / name)
    assert page.loads[0] == "data:,"
    for load in page.loads[1:]:
        assert ((folder / name).parent / load).resolve().is_relative_to(folder / "pages"), load
        assert ((folder / name).parent / load).exists(), load
    assert not re.search(r"url\(|@import|//[a-z0-9.-]+\.[a-z]{2,}/", page.source)
    for link in page.links:
        target, _, anchor = link.partition("#")
        assert not re.match(r"[a-z]+:", target), link
        if target and not target.endswith("manifest.json"):  # written when the release is sealed
            assert ((folder / name).parent / target).exists(), link
        if anchor and not target:
            assert anchor in page.ids, link
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_outside_its_folder(folder: Path, name: str) -> None:
    stands_alone(folder, name)


def test_no_page_knows_a_jurisdiction() -> None:
    known = re.compile("浙江|Zhejiang|杭州|CNY|人民币|yuan|3300|示例数据", re.IGNORECASE)
    for path in (PACKAGE_FOLDER / "pages").rglob("*"):
        if path.suffix in (".py", ".html", ".css", ".js"):
            found = known.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{path}: {found and found.group()}"


# -- real releases -----------------------------------------------------------------------------------------------------


@pytest.mark.pipeline
@pytest.mark.parametrize("name", PAGES)
def test_the_pages_of_a_real_release_stand_alone(zhejiang: House, name: str) -> None:
    stands_alone(zhejiang.warehouse.current.resolve(), name)


@pytest.mark.pipeline
def test_figures_on_the_page_are_the_figures_of_the_tables(zhejiang: House) -> None:
    page = Page(zhejiang.warehouse.current / "pages/index.html")
    home = "330000"
    figures = zhejiang.query(
        f"select unnest([per_resident, per_registered]) as value from mart_per_capita_spending "
        f"where region_code = '{home}' and domain = 'all' and residence = 'total' union all "
        f"select per_head from mart_per_capita_spending_variants where region_code = '{home}' and domain = 'all' "
        "and residence = 'total' and variant in ('census', 'mid_year')"
    )
    known = [value for (value,) in figures if value is not None]
    assert len(known) > 20
    for value in known:
        assert numbers.rounded(value) in page.text
    newest = newest_coverage(zhejiang)
    assert len(newest) > 70
    for _, _, numerator, denominator in newest:
        assert numbers.plain(numerator) in page.text and numbers.plain(denominator) in page.text


def newest_coverage(house: House) -> list[tuple[Any, ...]]:
    """Code, provenance, numerator and denominator of every indicator's newest figure."""
    return house.query(
        "select indicator_code, provenance, numerator, denominator from mart_service_coverage "
        "where region_code = '330000' and breakdown = 'all' and value is not null "
        "qualify year = max(year) over (partition by indicator_code)"
    )


@pytest.mark.pipeline
def test_every_row_made_from_synthetic_input_is_marked_on_the_page(zhejiang: House) -> None:
    page = Page(zhejiang.warehouse.current / "pages/index.html")
    mark = '<mark class="sample">'
    assert page.source.split("</header>")[0].count(mark) == 1
    rows = re.findall(r"<tr>.*?</tr>", page.source, re.DOTALL)
    cities = zhejiang.query("select distinct region_name from dim_region where parent_code = '330000' and is_in_force")
    assert len(cities) == 11
    for (city,) in cities:
        (row,) = [row for row in rows if f"lang=zh>{city}<" in row]
        assert mark in row and "is-sample" in row
    for code, provenance, _, _ in newest_coverage(zhejiang):
        (row,) = [row for row in rows if f'<span class="code">{code}</span>' in row]
        assert (mark in row) == (provenance == "synthetic"), code


@pytest.mark.pipeline
def test_failing_rows_that_rest_on_synthetic_input_are_marked_on_the_quality_page(zhejiang: House) -> None:
    source = (zhejiang.warehouse.current / "quality/index.html").read_text(encoding="utf-8")
    places = re.findall(r'<p class="where">.*?</p>', source, re.DOTALL)
    named = [place for place in places if "provenance=synthetic" in place]
    assert named, "boundary changes among the synthetic counties are a warning of this release"
    assert all('<mark class="sample">' in place for place in named)


@pytest.mark.pipeline
def test_the_pages_of_another_country_name_nothing_of_zhejiang(verdania: House) -> None:
    folder = verdania.warehouse.current
    card = json.loads((folder / "release.json").read_text(encoding="utf-8"))["jurisdiction"]
    for name in PAGES:
        page = Page(folder / name)
        assert card["name_en"] in page.text
        assert not re.search("浙江|Zhejiang|CNY", page.source)
        assert f'<mark class="sample"><b lang=zh>{card["synthetic_mark"]["zh"]}<' in page.source
        stands_alone(folder.resolve(), name)


@pytest.mark.pipeline
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [360, 1280])
def test_a_page_opens_without_a_network_fits_its_window_and_switches_its_language(
    zhejiang: House, browser: Browser, name: str, width: int
) -> None:
    """In headless Chromium that reaches nothing: no error, no request, nothing missing, nothing too wide."""
    page = (zhejiang.warehouse.current / name).resolve()
    for dark in (False, True):
        assert browser.open(page, width=width, dark=dark, within=page.parent) == Seen()
    assert browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    shown = "['zh', 'en'].map(css => document.querySelector('main b[lang=' + css + ']').offsetParent !== null)"
    assert browser.evaluate(shown) == [True, False]
    browser.evaluate("document.getElementById('in-en').click()")
    assert browser.evaluate(shown) == [False, True]
    assert browser.evaluate("document.documentElement.lang") == "en"
    browser.evaluate("localStorage.clear()")  # the next page begins in its own language


@pytest.mark.pipeline
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_readable_in_the_dark_and_on_paper(zhejiang: House, browser: Browser, name: str) -> None:
    page = (zhejiang.warehouse.current / name).resolve()
    ground = "getComputedStyle(document.body).backgroundColor"
    ink = "getComputedStyle(document.body).color"
    light = [browser.open(page, within=page.parent), browser.evaluate(ground), browser.evaluate(ink)]
    dark = [browser.open(page, dark=True, within=page.parent), browser.evaluate(ground), browser.evaluate(ink)]
    assert light[1:] != dark[1:]
    assert browser.open(page, dark=True, media="print", within=page.parent) == Seen()
    assert browser.evaluate(ground) == "rgb(255, 255, 255)"
    assert browser.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert browser.printed().startswith(b"%PDF")
