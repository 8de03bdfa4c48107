"""The site of a release: which pages there are, where each is written, and what they share.

What a page says is in the modules of its kind, how it looks in `templates/` and `assets/`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from jinja2 import Environment

from pipelines.pages import data_files, drawing, figures, indicator_pages, maps, region_pages, site_pages, trace_pages
from pipelines.pages.prepared import Prepared, sample_mark
from pipelines.pages.subjects import Facts
from pipelines.publish import Release, Row

ASSETS = Path(__file__).with_name("assets")
MENU = (
    ("index.html", "概览", "Overview"),
    ("regions/index.html", "地区", "Regions"),
    ("catalogue.html", "目录", "Catalogue"),
    ("compare.html", "比较", "Compare"),
    ("map.html", "地图", "Map"),
    ("changes.html", "变化", "Changes"),
    ("check.html", "核对", "Check"),
    ("../quality/index.html", "质量", "Quality"),
)


# Of these kinds the whole has pages; the single domains are in the tables.
WHOLE_ONLY = {"index": "index.all", "budget_share": "budget_share.basic"}


def menu(root: str) -> list[tuple[str, str, str]]:
    """The pages that every page leads to, as seen from a folder."""
    return [(root + path, zh, en) for path, zh, en in MENU]


class Writer:
    """Writes pages of one site, each with what all share."""

    def __init__(self, folder: Path, templates: Environment, common: dict[str, Any]) -> None:
        self.folder, self.templates, self.common = folder, templates, common

    def page(self, path: str, template: str, scripts: tuple[str, ...] = (), **content: Any) -> None:
        """Write one page."""
        root = "../" * path.count("/")
        shown = {**self.common, **content, "site": root, "pages_at": menu(root), "scripts": list(scripts)}
        self.text(path, self.templates.get_template(template).render(shown))

    def text(self, path: str, text: str) -> None:
        """Write one file as it is."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def write(
    release: Release, facts: Facts, templates: Environment, common: dict[str, Any], overview: dict[str, Any]
) -> None:
    """Write `pages/` of a prepared release."""
    folder = release.folder / "pages"
    targets = indicator_pages.final_targets(release)
    sample, grounds = sample_mark(common["synthetic"]), dict[str, int]()
    prepared = {
        key: Prepared(facts, subject, common["units"], sample, targets.get(key), grounds)
        for key, subject in facts.subjects.items()
        if subject.kind == "indicator"
        or (subject.newest and (key in WHOLE_ONLY.values() or subject.kind not in WHOLE_ONLY))
    }
    shared: dict[str, Any] = {
        **common,
        "home_region": facts.regions.get(facts.home),
        "facts": facts,
        "bases": figures.BASES,
        "population_sources": figures.SOURCES,
        "origins": figures.ORIGINS,
        "headlines": trace_pages.headlines(release, facts),
    }
    writer = Writer(folder, templates, shared)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(ASSETS, folder / "assets", dirs_exist_ok=True)
    mark = common["synthetic"] if common["has_synthetic"] else None
    map_of = maps.map_maker(release, facts)
    writer.text("data/contents.js", data_files.contents(release, facts, prepared, mark))
    writer.text("data/map.js", data_files.areas(map_of))
    for key, item in prepared.items():
        if item.subject.newest:
            writer.text(f"data/{key}.js", data_files.series(facts, item.subject))
    _regions(writer, release, facts, prepared, common)
    writer.text("data/spines.css", drawing.spine_styles(grounds))
    _indicators(writer, release, facts, prepared, {item["key"]: item for item in common["sources"]})
    for headline in shared["headlines"]:
        writer.page(f"figures/{headline.key}.html", "trace.html", headline=headline)
    writer.page("index.html", "index.html", **overview, **site_pages.overview(release, facts, map_of))
    writer.page("map.html", "map.html", ("assets/map.js",), **site_pages.map_page(release, facts, prepared, map_of))
    writer.page("compare.html", "compare.html", ("assets/compare.js",), example=site_pages.example(facts))
    writer.page("catalogue.html", "catalogue.html", **overview, **site_pages.catalogue(release, prepared))
    writer.page("changes.html", "changes.html", **overview, **site_pages.changes(release))
    writer.page("check.html", "check.html", **overview, **site_pages.quality_statement(release, facts))


def _regions(
    writer: Writer, release: Release, facts: Facts, prepared: dict[str, Prepared], common: dict[str, Any]
) -> None:
    """The profile of every region, and their list."""
    shared = region_pages.Shared(release, facts, prepared)
    excused = set().union(*common["waived_places"]["regions"].values())
    compared = [subject for key in region_pages.TRENDS if (subject := facts.shown(key)) is not None]
    for region in facts.regions.values():
        reference = next((s.reference(region, f) for s in compared if (f := s.of(region)) is not None), None)
        writer.page(
            f"regions/{region.code}.html",
            "region.html",
            **region_pages.profile(shared, region, excused.__contains__, common["synthetic"]),
            compared=[subject.key for subject in compared],
            currency=common["place"]["currency"],
            reference=reference,
        )
    writer.page("regions/index.html", "regions.html", tree=site_pages.tree(facts))


def _indicators(
    writer: Writer,
    release: Release,
    facts: Facts,
    prepared: dict[str, Prepared],
    sources: dict[str, Row],
) -> None:
    """The page of every indicator, and of what is shown like one."""
    if not facts.regions:
        return
    tables = indicator_pages.SharedTables(release, facts)
    domains = {item["domain"]: item for item in release.card["domains"]}
    for item in prepared.values():
        writer.page(
            f"indicators/{item.subject.key}.html",
            "indicator.html",
            ("data/map.js", "assets/map.js"),
            domain=domains.get(item.subject.domain),
            measures_shown=indicator_pages.INEQUALITY,
            **indicator_pages.page(tables, item, writer.common["synthetic"], sources),
        )
