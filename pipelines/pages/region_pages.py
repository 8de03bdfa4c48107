"""What the profile of a region says. Every table is read once for all; a page is then put together from that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from pipelines.pages import drawing
from pipelines.pages.chart import CARD, Point, Series, line_chart
from pipelines.pages.data_files import governments
from pipelines.pages.numbers import MISSING, RATIO, rounded
from pipelines.pages.prepared import Prepared, figure_flags, row_button, subject_button
from pipelines.pages.subjects import Facts, Figure, Region, Subject
from pipelines.publish import Release, Row

GAPS_SHOWN = 10
TRENDS = ("degree.all", "spending.all")
SAME_LAND = ("rename", "recode")


class Shared:
    """What all profiles need, read in one query a table."""

    def __init__(self, release: Release, facts: Facts, prepared: dict[str, Prepared]) -> None:
        self.facts, self.prepared = facts, prepared
        self.governments = governments(release)
        self.people = _by_region(release, "mart_population", "order by reference_date desc, population_source")
        self.spending = {
            (row["region_id"], row["year"], row["domain"]): row
            for row in release.rows_of("mart_per_capita_spending", "where residence = 'total'")
        }
        self.gaps = {
            (row["region_id"], row["year"], row["subject_code"]): row for row in release.rows_of("mart_urban_rural_gap")
        }
        self.short = _by_region(
            release,
            "mart_gap_contribution",
            "where domain = 'all' and contribution_points > 0 order by contribution_points desc, indicator_code",
        )
        self.neighbours = _by_region(release, "mart_region_neighbour", "order by place")
        self.positions = {
            (row["region_id"], row["year"]): row
            for row in release.rows_of("mart_sensitivity", "where scenario_family = 'all' and peers > 1")
        }
        self.changes = _changes(release)


def _by_region(release: Release, table: str, rest: str) -> dict[str, list[Row]]:
    """Rows of a table by the territory they are about."""
    found: dict[str, list[Row]] = {}
    for row in release.rows_of(table, rest):
        found.setdefault(row["region_id"], []).append(row)
    return found


def _changes(release: Release) -> dict[str, list[Row]]:
    """Changes of name, code and boundaries that touch each code, oldest first."""
    found: dict[str, list[Row]] = {}
    for row in release.rows_of("dim_region_change", "order by effective_date, from_code, to_code"):
        for code in {row["from_code"], row["to_code"]}:
            found.setdefault(code, []).append(row)
    return found


def profile(shared: Shared, region: Region, waived: Callable[[str], bool], synthetic: Row) -> dict[str, Any]:
    """Everything the profile of a region shows."""
    facts = shared.facts
    whole = facts.shown("degree.all")
    degree = whole.newest_of(region) if whole is not None else None
    positions = shared.positions.get((region.id, degree.year)) if degree is not None else None
    size = len(facts.at(region.depth))
    trends = [_trend(shared, region, subject, synthetic) for key in TRENDS if (subject := facts.shown(key)) is not None]
    return {
        "region": region,
        "level_size": size,
        "is_home": region.code == facts.home,
        "above": facts.regions.get(region.parent or ""),
        "below": facts.children(region.code),
        "groups": facts.groups.get(region.code, []),
        "people": _people(shared, region),
        "whole": Markup(shared.prepared["degree.all"].line(region, size, positions)) if degree is not None else None,
        "degree": degree,
        "degree_subject": whole,
        "positions": positions,
        "domains": _domains(shared, region, size),
        "money": _money(shared, region),
        "amounts": _amounts(shared, region),
        "gaps": [
            _gap(subject, region, row)
            for subject in facts.of_kind("indicator")
            if (row := _newest_gap(shared, region, subject)) is not None
        ],
        "short": _short(shared, region, degree),
        "trends": [chart for chart in trends if chart is not None],
        "is_rebased": any(
            figure.variant != "main"
            for key in TRENDS
            if (subject := facts.shown(key)) is not None
            for figure in subject.figures.get(region.code, {}).values()
        ),
        "changes": shared.changes.get(region.code, []),
        "peers": shared.neighbours.get(region.id, []),
        "is_waived": waived(region.code),
    }


def _people(shared: Shared, region: Region) -> list[Row]:
    """The newest populations of a region, one of each source."""
    found: dict[str, Row] = {}
    for row in shared.people.get(region.id, []):
        found.setdefault(row["population_source"], row)
    return list(found.values())


def _domains(shared: Shared, region: Region, size: int) -> list[Markup]:
    """The lines of each domain: its degree, where there is one, and its indicators."""
    facts, by_domain = shared.facts, dict[str, list[Subject]]()
    for subject in facts.of_kind("indicator"):
        if region.code in subject.figures:
            by_domain.setdefault(subject.domain, []).append(subject)
    listed = []
    for domain, subjects in by_domain.items():
        figures = [subject.newest_of(region) for subject in subjects]
        counted = Counter(figure.to_home or "unknown" for figure in figures if figure is not None)
        degree = facts.shown(f"degree.{domain}")
        heading = shared.prepared[degree.key].line(region, size, counted=counted) if degree is not None else ""
        listed.append(
            Markup(heading + "".join(shared.prepared[subject.key].line(region, size) for subject in subjects))
        )
    return listed


def _short(shared: Shared, region: Region, degree: Figure | None) -> list[Row]:
    """What keeps the region's degree from 100, most points first."""
    rows = shared.short.get(region.id, [])
    return [row for row in rows if degree is not None and row["year"] == degree.year][:GAPS_SHOWN]


def _trend(shared: Shared, region: Region, subject: Subject, synthetic: Row) -> Markup | None:
    """A region's series, with breaks and changes of boundaries; beside it the home region's, unless it is money.

    The home region's money is that of more levels of government.
    """
    home, is_money = shared.facts.regions[shared.facts.home], subject.kind == "spending"
    drawn = []
    for each, tone, shape in ((region, 1, "circle"), (home, 2, "diamond"))[: 1 if region is home or is_money else 2]:
        known = sorted(subject.figures.get(each.code, {}).items())
        points = [Point(year, f.value, f.is_synthetic, f.period_name) for year, f in known if f.value is not None]
        drawn.append(Series(each.name, each.name_en, tone, shape, points))
    if not drawn[0].points:
        return None
    changes = shared.changes.get(region.code, [])
    changed = [row["effective_date"] for row in changes if row["change_kind"] not in SAME_LAND]
    return line_chart(
        drawn,
        synthetic,
        {"zh": subject.name_zh, "en": subject.name_en},
        {"zh": f"{subject.unit}／人", "en": f"{subject.unit} per head"}
        if is_money
        else {"zh": "实现度 %", "en": "degree, %"},
        subject.written,
        marks=drawing.breaks(subject.figures.get(region.code, {}), changed),
        from_zero=is_money,
        limit=100.0 if subject.is_cut else None,
        sizes=((*CARD, drawing.year_step(drawn)),),
    )


def _money(shared: Shared, region: Region) -> list[Row]:
    """Spending per head beside the degree and the gap of town and country, by domain."""
    facts, listed = shared.facts, []
    for spending in facts.of_kind("spending"):
        figure = spending.newest_of(region) if region.is_territory else None
        if figure is None:
            continue
        degree = facts.shown(f"degree.{spending.domain}")
        score = degree.of(region, figure.year) if degree is not None else None
        row = shared.spending.get((region.id, figure.year, spending.domain), {})
        share = facts.subjects[f"budget_share.{spending.domain}"]
        gap = _newest_gap(shared, region, spending)
        has_score = degree is not None and score is not None and score.value is not None
        listed.append(
            {
                "key": spending.key,
                "zh": spending.name_zh.partition("：")[2],
                "en": spending.name_en.partition(": ")[2],
                "called": figure.period_name,
                "is_missing": figure.value is None and not figure.has_status("Q"),
                "value": Markup(
                    (
                        row_button(spending.written(figure.value), figure, spending.newest.get(region.depth))
                        if figure.value is not None
                        else MISSING
                    )
                    + figure_flags(figure)
                ),
                "median": spending.written(figure.peers_median),
                "of_median": figure.of_median,
                "share": share.written(row.get("budget_share_pct")),
                "is_synthetic": figure.is_synthetic,
                "degree": Markup(
                    subject_button(degree.written(score.value), degree.key, region, score.year) + figure_flags(score)
                )
                if has_score and degree is not None and score is not None
                else MISSING,
                "degree_home": degree.written(score.home_value)
                if degree is not None and score is not None
                else MISSING,
                "gap": _gap(spending, region, gap) if gap is not None else None,
            }
        )
    return listed


def _amounts(shared: Shared, region: Region) -> list[Row]:
    """What a body without people spent, by domain, in its newest year: nothing can be divided there."""
    found: dict[int, list[Row]] = {}
    for spending in shared.facts.of_kind("spending") if not region.is_territory else []:
        for year in spending.figures.get(region.code, {}):
            row = shared.spending.get((region.id, year, spending.domain))
            if row is not None and row["spending"]:
                found.setdefault(year, []).append(row)
    return found[max(found)] if found else []


def _newest_gap(shared: Shared, region: Region, subject: Subject) -> Row | None:
    """The gap of town and country in the year of the region's newest figure of the subject."""
    figure = subject.newest_of(region)
    row = shared.gaps.get((region.id, figure.year, subject.key)) if figure is not None else None
    shown = ("urban", "rural", "unattributed_spending")
    return row if row is not None and any(row[name] is not None for name in shown) else None


def _gap(subject: Subject, region: Region, row: Row) -> Row:
    """An urban and a rural figure, what is attributed to neither, their ratio, what has closed since the base year."""
    button = subject_button(rounded(row["ratio"], RATIO), f"gap.{subject.key}", region, row["year"])
    return {
        **row,
        "zh": subject.name_zh,
        "en": subject.name_en,
        "key": subject.key,
        "urban": subject.written(row["urban"]),
        "rural": subject.written(row["rural"]),
        "ratio_cell": Markup(button) if row["ratio"] is not None else MISSING,
        "is_synthetic": row["provenance"] != "official",
    }
