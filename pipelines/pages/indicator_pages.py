"""What the page of an indicator says; degrees, the index and spending by domain have one of the same kind.

Every table is read once for all; a page is then put together from that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup, escape

from pipelines.pages import drawing
from pipelines.pages.chart import CARD, Point, Series, line_chart
from pipelines.pages.data_files import governments
from pipelines.pages.numbers import MEASURE, MISSING, RATIO, plain, rounded
from pipelines.pages.prepared import Prepared, band_cell, figure_flags, subject_button
from pipelines.pages.subjects import Facts, Figure, Region, Subject
from pipelines.publish import Release, Row

# Shown for every indicator, in this order: measure, weighting, component, names, decimals.
INEQUALITY = (
    ("cv", "population", "total", "变异系数（按人口加权）%", "CV, weighted by people, %", RATIO),
    ("cv", "none", "total", "变异系数（不加权）%", "CV, unweighted, %", RATIO),
    ("ratio", "none", "total", "最高与最低之比", "highest / lowest", RATIO),
    ("theil", "population", "total", "泰尔指数", "Theil", MEASURE),
    ("theil", "population", "within", "其中：组内", "of it within", MEASURE),
    ("theil", "population", "between", "其中：组间", "of it between", MEASURE),
)
RESIDENCES = {
    "total": ("合计", "total"),
    "urban": ("城镇", "urban"),
    "rural": ("乡村", "rural"),
    "unattributed": ("未划分城乡", "attributed to neither"),
}
Measures = dict[tuple[str, str, str], Row]


class SharedTables:
    """What all pages of indicators need, read in one query a table."""

    def __init__(self, release: Release, facts: Facts) -> None:
        self.facts = facts
        self.governments = governments(release)
        self.targets = targets(release)
        self.inequality = _inequality(release, facts)
        self.revisions = _by(release.rows_of("mart_revision_summary", "order by all"), "subject_code")
        self.fractions = _fractions(release, facts)
        self.parts = _parts(release, facts)
        self.money = _by(_money(release), "domain")
        self.extracts = _extracts_by_measure(release)
        self.choices = next(iter(release.rows_of("dim_variant", "where is_main")), {})


def _by(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[column], []).append(row)
    return found


def targets(release: Release) -> dict[str, list[Row]]:
    """Targets of each indicator that hold everywhere, with their editions, the earliest first."""
    rows = release.rows_of("dim_target", "where region_code = 'all' order by indicator_code, edition, target_year")
    return _by(({**row, "target_text": plain(row["target_value"])} for row in rows), "indicator_code")


def final_targets(release: Release) -> dict[str, Row]:
    """The target of each indicator that the newest figures of the home region are held against."""
    if not release.has("mart_region_profile", "mart_subject_level"):
        return {}
    rows = release.rows(
        "select p.indicator_code, p.target_value, p.target_year from mart_region_profile p "
        "join mart_subject_level l on l.subject_code = p.indicator_code and l.region_depth = p.region_depth "
        "and l.year = p.year where p.region_code = ? and p.target_value is not null",
        release.home,
    )
    return {row["indicator_code"]: {**row, "target_text": plain(row["target_value"])} for row in rows}


def _inequality(release: Release, facts: Facts) -> dict[tuple[str, str], dict[int, Measures]]:
    """Measures between the regions of each level in the home region, by subject and level, then year."""
    found: dict[tuple[str, str], dict[int, Measures]] = {}
    for row in release.rows_of("mart_inequality", "where region_code = ? order by year desc", facts.home):
        by_year = found.setdefault((row["subject_code"], row["dimension"]), {})
        by_year.setdefault(row["year"], {})[(row["measure"], row["weighting"], row["component"])] = row
    return found


def _fractions(release: Release, facts: Facts) -> dict[tuple[str, int], Row]:
    """Numerator and denominator of the home region's figures."""
    rows = release.rows_of("mart_service_coverage", "where region_code = ? and breakdown = 'all'", facts.home)
    return {(row["indicator_code"], row["year"]): row for row in rows}


def _parts(release: Release, facts: Facts) -> dict[str, list[Row]]:
    """The home region's figures about parts of the people, in the newest year that each part has."""
    if not release.has("mart_service_coverage", "dim_breakdown"):
        return {}
    rows = release.rows(
        "select c.indicator_code, c.breakdown, b.name_zh, b.name_en, c.period_name, c.value, c.provenance "
        "from mart_service_coverage c join dim_breakdown b using (breakdown) "
        "where c.region_code = ? and c.breakdown <> 'all' and c.value is not null "
        "qualify c.year = max(c.year) over (partition by c.indicator_code, c.breakdown) "
        "order by b.residence, b.sex, try_cast(regexp_extract(b.age_group, '^[0-9]+') as integer), b.group_code",
        facts.home,
    )
    return _by(rows, "indicator_code")


def _money(release: Release) -> list[Row]:
    """The home region's spending on each domain for town, country and neither, in the newest year that tells them."""
    return release.rows_of(
        "mart_per_capita_spending",
        "where region_code = ? and spending is not null "
        "qualify year = max(year) filter (where residence <> 'total') over (partition by domain) "
        "order by case residence when 'total' then 0 when 'urban' then 1 when 'rural' then 2 else 3 end",
        release.home,
    )


def _extracts_by_measure(release: Release) -> dict[str, list[str]]:
    """The extracts that report each measure."""
    if not release.has("fct_observation"):
        return {}
    found: dict[str, list[str]] = {}
    for measure, extract in release.tuples(
        "select distinct measure, department || '/' || extract from fct_observation where is_latest order by all"
    ):
        found.setdefault(measure, []).append(extract)
    return found


def measures_of(row: Row, known: Iterable[str]) -> list[str]:
    """The measures that an indicator's numerator and denominator name."""
    words = set(re.findall(r"[a-z_][a-z0-9_]*", f"{row.get('numerator') or ''} {row.get('denominator') or ''}"))
    return sorted(words & set(known))


def page(shared: SharedTables, item: Prepared, synthetic: Row, sources: dict[str, Row]) -> dict[str, Any]:
    """Everything an indicator's page shows."""
    facts, subject = shared.facts, item.subject
    home = facts.regions[facts.home]
    figure = subject.of(home)
    measures = measures_of(subject.row, shared.extracts)
    extracts = sorted({name for measure in measures for name in shared.extracts[measure]})
    lowest = [(region, subject.of(region)) for region in facts.lowest()]
    known = [found for _, found in lowest if found is not None and found.value is not None]
    parts = shared.parts.get(subject.key, [])
    money = shared.money.get(subject.domain, []) if subject.kind == "spending" else []
    return {
        "item": item,
        "subject": subject,
        "row": subject.row,
        "choices": shared.choices,
        "unit_zh": item.unit,
        "unit_en": subject.unit if item.unit else "",
        "is_synthetic_here": subject.is_synthetic or any(row["provenance"] != "official" for row in parts),
        "home_figure": figure,
        "home_cell": Markup(
            subject_button(subject.written(figure.value), subject.key, home, figure.year) + figure_flags(figure)
        )
        if figure is not None and figure.value is not None
        else MISSING,
        "fraction": shared.fractions.get((subject.key, figure.year)) if figure is not None else None,
        "targets": shared.targets.get(subject.key, []),
        "parts": parts,
        "money": money if any(row["residence"] != "total" for row in money) else [],
        "residences": RESIDENCES,
        "period": " / ".join(dict.fromkeys(found.period_name for found in known)),
        "legend": legend(facts, subject, shared.governments),
        "missing": len(lowest) - len(known),
        "has_regions": any(depth > home.depth for depth in subject.newest),
        "has_map": bool(known),
        "map_year": max((found.year for found in known), default=None),
        "strips": _strips(facts, subject, shared.governments),
        "trend": _trend(facts, item, synthetic),
        "spreads": _spreads(facts, subject, shared.governments),
        "rows": _rows(item),
        "size": next((newest.regions for newest in subject.newest.values() if newest.is_lowest), 0),
        "newest_names": " / ".join(dict.fromkeys(newest.period_name for newest in subject.newest.values())),
        "inequality": _inequality_rows(shared, subject),
        "revisions": shared.revisions.get(subject.key, []),
        "extracts": [sources.get(name, {"key": name, "name_zh": name, "name_en": name}) for name in extracts],
        "reference": subject.reference(home, figure) if figure is not None else None,
    }


def named_levels(levels: str, names: dict[str, list[str]]) -> tuple[str, str]:
    """What levels of government (`city,county`) are called; empty where no money is meant."""
    pairs = [names.get(code, [code, code]) for code in levels.split(",") if code]
    return "＋".join(zh for zh, _ in pairs), " + ".join(en for _, en in pairs)


Peers = tuple[int, str]  # depth and levels of government: those among whom a figure has its fifth


def _peers(facts: Facts, subject: Subject) -> dict[Peers, list[Figure]]:
    """The newest figures of the lowest regions, by those that are compared with each other."""
    found: dict[Peers, list[Figure]] = {}
    for region in facts.lowest():
        figure = subject.of(region)
        if figure is not None and figure.value is not None:
            found.setdefault((region.depth, figure.levels), []).append(figure)
    return dict(sorted(found.items()))


def legend(facts: Facts, subject: Subject, names: dict[str, list[str]]) -> list[Row]:
    """For every fifth its lowest and highest figure and how many regions it has, by those compared with each other.

    Fewer regions than fifths have none: they are one class, 0.
    """
    peers, listed = _peers(facts, subject), []
    for (_, levels), figures in peers.items():
        by_fifth: dict[int, list[float]] = {}
        for figure in figures:
            by_fifth.setdefault(figure.fifth or 0, []).append(figure.value or 0.0)
        for place, (fifth, values) in enumerate(sorted(by_fifth.items())):
            listed.append(
                {
                    "fifth": fifth,
                    "low": subject.written(min(values)),
                    "high": subject.written(max(values)),
                    "regions": len(values),
                    "among": named_levels(levels, names) if len(peers) > 1 and place == 0 else None,
                }
            )
    return listed


def _strips(facts: Facts, subject: Subject, names: dict[str, list[str]]) -> list[Row]:
    """The figures of the lowest regions that are compared with each other, drawn as dots over their spread."""
    peers, drawn = _peers(facts, subject), []
    for (depth, levels), figures in peers.items():
        year, home = figures[0].year, None if levels else figures[0].home_value  # money of other levels is no measure
        spread = facts.spreads.get((subject.key, year, depth, levels))
        values = [figure.value for figure in figures if figure.value is not None]
        if spread is None or len(values) < 3:
            continue
        axis = drawing.axis_of(spread, home, subject.direction, 640)
        ends = (subject.written(axis.low), subject.written(axis.high))
        ends = (ends[1], ends[0]) if axis.is_turned else ends
        among = named_levels(levels, names) if len(peers) > 1 else ("", "")
        drawn.append(
            {
                "called": figures[0].period_name,
                "among": among,
                "has_home": home is not None,
                "drawn": drawing.strip(values, spread, axis, home, ends),
            }
        )
    return drawn


def _trend(facts: Facts, item: Prepared, synthetic: Row) -> Markup | None:
    """The home region's figures over the years; None for fewer than two."""
    subject, home = item.subject, facts.regions[facts.home]
    figures = subject.figures.get(home.code, {})
    known = sorted((year, figure) for year, figure in figures.items() if figure.value is not None)
    points = [Point(year, f.value, f.is_synthetic, f.period_name) for year, f in known if f.value is not None]
    if len(points) < 2:
        return None
    drawn = [Series(home.name, home.name_en, 1, "circle", points)]
    return line_chart(
        drawn,
        synthetic,
        {"zh": subject.name_zh, "en": subject.name_en},
        {"zh": item.unit or "指数", "en": subject.unit if item.unit else "index"},
        subject.written,
        from_zero=subject.kind == "spending",
        limit=100.0 if subject.is_cut else None,
        marks=drawing.breaks(figures, []),
        sizes=((*CARD, drawing.year_step(drawn)),),
    )


def _spreads(facts: Facts, subject: Subject, names: dict[str, list[str]]) -> list[Row]:
    """The spread among regions of the deepest level in every year that has one, for money by levels of government."""
    found = []
    columns = ("least", "first_quartile", "median", "third_quartile", "most")
    rows = [row for (key, _, depth, _), row in facts.spreads.items() if key == subject.key and depth == subject.lowest]
    for row in sorted(rows, key=lambda row: (-row["year"], row["government_levels"])):
        found.append(
            {
                "called": row["period_name"],
                "among": named_levels(row["government_levels"], names),
                "home": MISSING if row["government_levels"] else subject.written(row["home_value"]),
                "regions": row["regions"],
                "is_synthetic": row["provenance"] != "official",
                "cells": [subject.written(row[name]) for name in columns],
            }
        )
    return found


def _rows(item: Prepared) -> Markup:
    """All regions with their newest figures, by level, then by fifth, then in the order of codes: no order of ranks."""
    facts, subject = item.facts, item.subject

    def order(region: Region) -> tuple[int, str]:
        figure = subject.of(region)
        return (figure.fifth or 9 if figure is not None else 9), region.code

    parts, names = [], {newest.period_name for newest in subject.newest.values()}
    for depth, newest in sorted(subject.newest.items()):
        is_lowest = depth == subject.lowest
        regions = newest.regions if is_lowest else None
        called = f"<small>{newest.period_name}</small>" if len(names) > 1 else ""
        for region in sorted((r for r in facts.at(depth) if r.is_territory), key=order):
            figure = subject.of(region)
            verdict = (
                f" class={figure.to_home or 'unknown'}" if figure is not None and region.code != facts.home else ""
            )
            sample = item.sample if figure is not None and figure.is_synthetic else ""
            parts.append(
                f"<tr{'' if is_lowest else ' class=whole'}><th scope=row>"
                f"<a href=../regions/{escape(region.code)}.html>{drawing.named(region)}</a>{sample}"
                f"{called}{item.value_cell(region, figure)}{band_cell(figure, None, regions)}<td{verdict}></tr>\n"
            )
    return Markup("".join(parts))


def _inequality_rows(shared: SharedTables, subject: Subject) -> list[Row]:
    """Inequality between regions of the subject's deepest level over the years, newest first."""
    levels = sorted({region.level for region in shared.facts.regions.values() if region.depth == subject.lowest})
    found = []
    for year, measures in next(
        (m for level in levels if (m := shared.inequality.get((subject.key, level)))), {}
    ).items():
        cells = []
        for measure, weighting, component, _, _, decimals in INEQUALITY:
            row = measures.get((measure, weighting, component), {})
            cells.append({"text": rounded(row.get("value"), decimals), "reason": row.get("undefined_reason")})
        any_row = next(iter(measures.values()))
        found.append(
            {
                "called": any_row["period_name"] or str(year),
                "cells": cells,
                "regions": any_row["regions"],
                "missing": any_row["regions_missing"],
                "is_synthetic": any(row["provenance"] != "official" for row in measures.values()),
            }
        )
    return found
