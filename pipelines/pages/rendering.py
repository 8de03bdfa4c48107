"""The pages of a release: figures put into templates, written as files that need nothing else.

What a page says is in `figures`, how it looks in `templates/`; this module brings both together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.pages import figures, numbers, quality_figures, site
from pipelines.pages.chart import line_chart
from pipelines.pages.facts import read_facts
from pipelines.pages.prepared import flags
from pipelines.pages.subjects import Facts
from pipelines.publish import Release

TEMPLATES = Path(__file__).with_name("templates")
ASSETS = Path(__file__).with_name("assets")


def environment() -> Environment:
    """The templates, with what every page's words and numbers are written by."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.globals |= {
        "rounded": numbers.rounded,
        "attained": lambda value: numbers.rounded_down(value, numbers.ATTAINMENT),
        "plain": numbers.plain,
        "large": numbers.large,
        "flags": lambda status, stays_at=None: Markup(flags(status or "", stays_at or None)),
        "percent": lambda value: numbers.rounded(value, numbers.PERCENT),
        "ratio": lambda value: numbers.rounded(value, numbers.RATIO),
        "style": Markup((ASSETS / "style.css").read_text(encoding="utf-8")),
        "script": Markup((ASSETS / "page.js").read_text(encoding="utf-8")),
    }
    return made


def _common(release: Release) -> dict[str, Any]:
    """What every page needs: the card, names, marks, verdict, rejects and sources."""
    place = release.jurisdiction
    levels = {level["depth"]: level for level in reversed(place["levels"])}
    sources = figures.sources(release)
    by_name = {level["name"]: level for level in place["levels"]}
    unnamed = {"name_zh": "地区", "name_en": "Region"}
    return {
        "card": release.card,
        "place": place,
        "synthetic": place["synthetic_mark"],
        "units": place.get("units", {}),
        "time": release.local_time,
        "level": lambda depth: levels.get(depth, unnamed),
        "level_named": lambda name: by_name.get(name, unnamed),
        "residents": figures.residents_meant(release),
        "account": figures.account_meant(release),
        "verdict": quality_figures.verdict(release),
        "states": quality_figures.table_states(release),
        "waived_places": quality_figures.waived_places(release),
        "held": quality_figures.held(release),
        "rejects": figures.rejects(release),
        "sources": sources,
        "has_synthetic": any(item["is_synthetic"] and item["files"] for item in sources),
        "synthetic_extracts": {item["key"] for item in sources if item["is_synthetic"]},
    }


def _overview(release: Release, facts: Facts, common: dict[str, Any]) -> dict[str, Any]:
    spending, per_head = figures.spending_over_years(release), facts.subjects.get("spending.all")
    tables = figures.tables_by_kind(release)
    listed = [row for group in tables for row in group["rows"]]
    chart = None
    if spending and spending["rows"] and per_head is not None:
        title = {"zh": per_head.name_zh, "en": per_head.name_en}
        unit = {"zh": f"{per_head.unit}／人", "en": f"{per_head.unit} per head"}
        chart = line_chart(spending["series"], common["synthetic"], title, unit, per_head.written)
    return {
        "spending": spending,
        "per_head": per_head,
        "basic_share": facts.subjects.get("budget_share.basic"),
        "chart": chart,
        "regions": figures.spending_by_region(release, facts),
        "coverage": figures.coverage(release, facts),
        "not_assessed": figures.services_not_assessed(release),
        "populations": figures.populations(release),
        "tables": tables,
        "table_count": len(listed),
        "row_count": sum(row["row_count"] for row in listed),
        "files": sum(item["files"] for item in common["sources"]),
        "delivered": sum(bool(item["files"]) for item in common["sources"]),
        "known_rejects": sum(bool(row["is_known"]) for row in common["rejects"]),
        "changes": release.changes,
        "changed": figures.changed_tables(release),
        "example": figures.sql_example(release),
    }


def _quality(release: Release, common: dict[str, Any]) -> dict[str, Any]:
    checks = quality_figures.checks(release, common["synthetic_extracts"] if common["has_synthetic"] else set())
    return {
        "checks": checks,
        "found": [row for row in checks if row["outcome"] in ("fail", "error", "waived", "held")],
        "board": quality_figures.checks_by_subject(checks),
        "receipts": quality_figures.receipts(release),
        "tie_out": quality_figures.tie_out(release),
        "money": quality_figures.money(release),
        "reject_groups": quality_figures.rejects_by_rule(common["rejects"]),
        "waivers": quality_figures.waivers(release),
        "rules": quality_figures.changed_rules(release),
        "causes": quality_figures.causes(release),
        "revisions": quality_figures.revisions(release),
        "method_tables": quality_figures.method_tables(release),
        "changes": release.changes,
        "changed": figures.changed_tables(release),
        "releases": quality_figures.releases(release),
    }


def render(folder: Path) -> None:
    """Write `pages/` and `quality/index.html` of a prepared release, from that folder alone."""
    with Release.open(folder) as release:
        common = _common(release)
        templates = environment()
        facts = read_facts(release)
        site.write(release, facts, templates, common, _overview(release, facts, common))
        quality = templates.get_template("quality.html").render(
            **common, **_quality(release, common), pages_at=site.menu("../pages/")
        )
        (folder / "quality").mkdir(exist_ok=True)
        (folder / "quality" / "index.html").write_text(quality, encoding="utf-8")
