"""What the page of an indicator says; degrees, the index and spending by domain have one of the same kind.

Every table is read once for all; a page is then put together from that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup, escape

from pipelines.pages import comparisons, drawing
from pipelines.pages.chart import CARD, Point, Series, line_chart
from pipelines.pages.facts import GEOGRAPHY
from pipelines.pages.numbers import MISSING, plain, rounded
from pipelines.pages.prepared import Prepared, flags, subject_button
from pipelines.pages.reading import Release, Row
from pipelines.pages.subjects import Facts, Subject

# Shown for every indicator, in this order: measure, weighting, component.
INEQUALITY = (
    ("cv", "population", "total", "变异系数（按人口加权）%", "CV, weighted by people, %"),
    ("cv", "none", "total", "变异系数（不加权）%", "CV, unweighted, %"),
    ("ratio", "none", "total", "最高与最低之比", "highest / lowest"),
    ("theil", "population", "total", "泰尔指数", "Theil"),
    ("theil", "population", "within", "其中：组内", "of it within"),
    ("theil", "population", "between", "其中：组间", "of it between"),
)


class SharedTables:
    """What all pages of indicators need, read in one query a table."""

    def __init__(self, release: Release, facts: Facts) -> None:
        self.facts = facts
        self.targets = _targets(release)
        self.inequality = _inequality(release, facts)
        self.revisions = _revisions(release)
        self.home_parts = _home_parts(release, facts)
        self.extracts = _extracts_by_measure(release)


def _targets(release: Release) -> dict[str, list[Row]]:
    """Targets of each indicator that hold everywhere, with their editions."""
    if not release.has("dim_target"):
        return {}
    found: dict[str, list[Row]] = {}
    for row in release.rows(
        "select *, count(*) over (partition by indicator_code, edition, target_year) as places from dim_target "
        "order by indicator_code, edition, target_year, region_code"
    ):
        if row["region_code"] == "all":
            row["target_text"] = plain(row["target_value"])
            found.setdefault(row["indicator_code"], []).append(row)
    return found


def final_targets(release: Release) -> dict[str, Row]:
    """The target that scores rest on, by indicator: that of the last year of its edition."""
    final: dict[str, Row] = {}
    for code, rows in _targets(release).items():
        for row in rows:
            if row["target_kind"] == "target":
                final[code] = row
    return final


def _inequality(
    release: Release, facts: Facts
) -> dict[tuple[str, str, str], dict[int, dict[tuple[str, str, str], Row]]]:
    """Measures between the regions of each level of the home region, by subject, level and year."""
    if not release.has("mart_inequality"):
        return {}
    levels = sorted({region.level for region in facts.regions.values()})
    found: dict[tuple[str, str, str], dict[int, dict[tuple[str, str, str], Row]]] = {}
    for row in release.rows(
        "select * from mart_inequality where scope_code = ? and reference_geography = ? "
        "and list_contains(?, dimension) and population_basis <> 'registered' and price_basis in ('none', 'nominal') "
        "and measure in ('cv', 'ratio', 'theil') order by year",
        facts.home,
        GEOGRAPHY,
        levels,
    ):
        by_year = found.setdefault((row["subject_kind"], row["subject_code"], row["dimension"]), {})
        by_year.setdefault(row["year"], {})[(row["measure"], row["weighting"], row["component"])] = row
    return found


def _revisions(release: Release) -> dict[str, list[Row]]:
    """How much the figures behind each indicator were revised."""
    if not release.has("mart_revision_summary"):
        return {}
    found: dict[str, list[Row]] = {}
    for row in release.rows("select * from mart_revision_summary where subject_kind = 'indicator' order by all"):
        found.setdefault(row["subject_code"], []).append(row)
    return found


def _home_parts(release: Release, facts: Facts) -> dict[tuple[str, int], Row]:
    """Numerator and denominator of the home region's figures, of the rows that stand for their indicators."""
    if not release.has("mart_service_coverage"):
        return {}
    found: dict[tuple[str, int], Row] = {}
    for row in release.rows(
        "select * from mart_service_coverage where region_code = ? and reference_geography = ?", facts.home, GEOGRAPHY
    ):
        subject = facts.subjects.get(row["indicator_code"])
        if subject is not None and all(row[name] == value for name, value in subject.condition.items()):
            found[(row["indicator_code"], row["year"])] = row
    return found


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
    level, regions = item.level(subject.depth), facts.at(subject.depth)
    lowest = [figure for region in regions if (figure := subject.of(region.code)) is not None]
    known = [figure.value for figure in lowest if figure.value is not None]
    measures = measures_of(subject.row, shared.extracts)
    extracts = sorted({name for measure in measures for name in shared.extracts[measure]})
    has_synthetic = any(f.is_synthetic for by_year in subject.figures.values() for f in by_year.values())
    return {
        "item": item,
        "subject": subject,
        "row": subject.row,
        "unit_zh": item.unit,
        "unit_en": subject.unit if item.unit else "",
        "has_figures": subject.year is not None,
        "is_synthetic_here": has_synthetic,
        "home_figure": item.home,
        "home_cell": Markup(
            subject_button(subject.written(item.home.value), subject.key, facts.home, item.home.year)
            + flags(item.home.status, item.home.stays_at)
        )
        if item.home is not None and item.home.value is not None
        else MISSING,
        "parts": shared.home_parts.get((subject.key, subject.year or 0)),
        "targets": shared.targets.get(subject.key, []),
        "level": level,
        "legend": legend(subject, level.bands),
        "missing": len(regions) - len(known),
        "withheld": sum(figure.is_suppressed for figure in lowest),
        "has_regions": subject.year is not None and subject.depth > facts.regions[facts.home].depth,
        "has_map": bool(known) and subject.depth == facts.lowest,
        "strip": _strip(item, known) if known and level.spread else None,
        "trend": _trend(facts, subject, synthetic, item.unit),
        "spreads": _spreads(facts, subject),
        "rows": _rows(item),
        "inequality": _inequality_rows(shared, subject),
        "revisions": shared.revisions.get(subject.key, []),
        "extracts": [sources.get(name, {"key": name, "name_zh": name, "name_en": name}) for name in extracts],
        "measures": measures,
        "reference": subject.reference(facts.home, subject.year) if subject.year is not None else None,
    }


def legend(subject: Subject, banded: dict[str, comparisons.Band]) -> list[Row]:
    """For every fifth its lowest and highest figure and how many regions stand in it."""
    classes: dict[int, list[float]] = {}
    for code, band in banded.items():
        figure = subject.of(code)
        if figure is not None and figure.value is not None:
            classes.setdefault(band.fifth, []).append(figure.value)
    return [
        {
            "fifth": fifth,
            "low": subject.written(min(values)),
            "high": subject.written(max(values)),
            "regions": len(values),
        }
        for fifth, values in sorted(classes.items())
    ]


def _strip(item: Prepared, known: list[float]) -> Markup:
    """The spread of all regions of the deepest level, drawn, with both ends written."""
    found = item.level(item.subject.depth).spread
    assert found is not None
    axis = drawing.axis_of(found, item.home, item.subject.direction, 640)
    ends = (item.subject.written(axis.low), item.subject.written(axis.high))
    return drawing.strip(known, found, axis, item.home, (ends[1], ends[0]) if axis.is_turned else ends)


def _trend(facts: Facts, subject: Subject, synthetic: Row, unit: str) -> Markup | None:
    own = subject.figures.get(facts.home, {})
    points = [Point(y, f.value, f.is_synthetic, f.period_name) for y, f in sorted(own.items()) if f.value is not None]
    if len(points) < 2:
        return None
    home = facts.regions[facts.home]
    title = {"zh": subject.name_zh, "en": subject.name_en}
    drawn = [Series(home.name, home.name_en, 1, "circle", points)]
    return line_chart(
        drawn,
        synthetic,
        title,
        {"zh": unit or "指数", "en": subject.unit if unit else "index"},
        from_zero=subject.kind == "spending",
        limit=100.0 if subject.kind == "degree" else None,
        marks=drawing.breaks(subject, facts.home, []),
        sizes=((*CARD, drawing.year_step(drawn)),),
    )


def _spreads(facts: Facts, subject: Subject) -> list[Row]:
    """The spread among regions of the deepest level in every year that has one."""
    by_year: dict[int, list[float]] = {}
    synthetic: set[int] = set()
    for region in facts.at(subject.depth):
        for year, figure in subject.figures.get(region.code, {}).items():
            if figure.value is not None:
                by_year.setdefault(year, []).append(figure.value)
                if figure.is_synthetic:
                    synthetic.add(year)
    found = []
    for year, values in sorted(by_year.items(), reverse=True):
        spread = comparisons.spread(values)
        home = subject.of(facts.home, year)
        names = ("low", "first_quarter", "median", "third_quarter", "high")
        found.append(
            {
                "year": year,
                "home": subject.written(home.value) if home is not None else MISSING,
                "regions": len(values),
                "is_synthetic": year in synthetic,
                "cells": [subject.written(getattr(spread, name)) for name in names],
            }
        )
    return found


def _rows(item: Prepared) -> Markup:
    """All regions with their figures, by level, then by fifth, then in the order of codes: no order of ranks."""
    facts, subject = item.facts, item.subject
    parts = []
    for depth in range(subject.depth + 1):
        banded = item.level(depth).bands
        regions = sorted(facts.at(depth), key=lambda r: (banded[r.code].fifth if r.code in banded else 9, r.code))
        for region in regions:
            figure = subject.of(region.code)
            told = f" class={item.told(figure)}" if figure is not None and region.code != facts.home else ""
            sample = item.sample if figure is not None and figure.is_synthetic else ""
            parts.append(
                f"<tr{'' if depth == subject.depth else ' class=whole'}><th scope=row>"
                f"<a href=../regions/{escape(region.code)}.html>{drawing.named(region)}</a>{sample}"
                f"{item.value_cell(figure)}{item.band_cell(region, counts=depth != subject.depth)}<td{told}></tr>\n"
            )
    return Markup("".join(parts))


def _inequality_rows(shared: SharedTables, subject: Subject) -> list[Row]:
    """Inequality between regions of the subject's deepest level over the years, newest first."""
    name = ("spending", subject.domain) if subject.kind == "spending" else (subject.kind, subject.key)
    found = []
    levels = {region.level for region in shared.facts.at(subject.depth)}
    own = next(
        (shared.inequality[(*name, level)] for level in sorted(levels) if (*name, level) in shared.inequality), {}
    )
    for year, measures in sorted(own.items(), reverse=True):
        cells = []
        for measure, weighting, component, _, _ in INEQUALITY:
            row = measures.get((measure, weighting, component))
            text = (
                MISSING
                if row is None or row["value"] is None
                else rounded(row["value"], 5 if measure == "theil" else 2)
            )
            cells.append({"text": text, "reason": row["undefined_reason"] if row is not None else None})
        any_row = next(iter(measures.values()))
        found.append(
            {
                "year": year,
                "cells": cells,
                "regions": any_row["regions"],
                "missing": any_row["regions_missing"],
                "is_synthetic": any(row["provenance"] != "official" for row in measures.values()),
            }
        )
    return found
