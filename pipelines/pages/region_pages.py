"""What the profile of a region says. Every table is read once for all; a page is then put together from that."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from pipelines.pages import comparisons, drawing
from pipelines.pages.chart import CARD, Point, Series, line_chart
from pipelines.pages.facts import GEOGRAPHY, MAIN_METHOD, MAIN_WEIGHTS
from pipelines.pages.numbers import MISSING, rounded
from pipelines.pages.prepared import Prepared, flags, row_button, subject_button
from pipelines.pages.reading import Release, Row
from pipelines.pages.subjects import Facts, Region, Subject

GAPS_SHOWN = 10


class Shared:
    """What all profiles need, read in one query a table."""

    def __init__(self, release: Release, facts: Facts, prepared: dict[str, Prepared]) -> None:
        self.release, self.facts, self.prepared = release, facts, prepared
        self.people = _people(release)
        self.positions = _positions(release, facts)
        self.short = _short_of_target(release, facts)
        self.gaps = _urban_rural(release)
        self.amounts = _amounts(release)
        self.changes = _changes(release, facts)
        self.traits = _traits(facts, self.people)


def _by_region(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["region_code"], []).append(row)
    return found


def _people(release: Release) -> dict[str, list[Row]]:
    """The newest populations of each region, by basis and source, residents with their urban part."""
    if not release.has("fct_population"):
        return {}
    return _by_region(
        release.rows(
            """
            select region_code, population_basis, population_source, reference_date,
                any_value(population) filter (where residence = 'total') as population,
                any_value(population) filter (where residence = 'urban') as urban,
                bool_or(provenance <> 'official') as is_synthetic, string_agg(distinct obs_status, ';') as obs_status
            from fct_population
            where reference_geography = ? and sex = 'all' and age_group = 'all' and residence in ('total', 'urban')
                and population_basis in ('resident', 'registered') and population_source in ('census', ?)
            group by region_code, population_basis, population_source, reference_date having population is not null
            qualify reference_date = max(reference_date) over (
                partition by region_code, population_basis, population_source)
            order by region_code, population_source desc, population_basis desc
            """,
            GEOGRAPHY,
            release.population_source,
        )
    )


def _positions(release: Release, facts: Facts) -> dict[str, Row]:
    """The positions of each region's degree over all scenarios."""
    if not release.has("mart_sensitivity", "dim_weight") or "degree.all" not in facts.subjects:
        return {}
    rows = release.rows(
        "select region_code, rank_low, rank_high, peers, share_meeting_target, scenarios, degree_low_pct, "
        "degree_high_pct, target_pct from mart_sensitivity where scenario_family = 'all' and reference_geography = ? "
        f"and weight_set = {MAIN_WEIGHTS} and year = ? and peers > 1",
        GEOGRAPHY,
        facts.subjects["degree.all"].year,
    )
    return {row["region_code"]: row for row in rows}


def _short_of_target(release: Release, facts: Facts) -> dict[str, list[Row]]:
    """What keeps each region's degree from 100, most points first, with people and years behind."""
    if not release.has("mart_gap_contribution", "dim_weight") or "degree.all" not in facts.subjects:
        return {}
    degree = facts.subjects["degree.all"]
    return _by_region(
        release.rows(
            f"""
            select region_code, indicator_code, indicator_name_zh, indicator_name_en, contribution_points, attainment,
                people_behind_target, years_to_target, years_to_target_note, provenance
            from mart_gap_contribution
            where domain = 'all' and method_id = '{MAIN_METHOD}' and weight_set = ? and target_edition = ?
                and reference_geography = ? and year = ? and contribution_points > 0
            qualify row_number() over (partition by region_code order by contribution_points desc, indicator_code)
                <= {GAPS_SHOWN}
            order by region_code, contribution_points desc, indicator_code
            """,
            degree.condition["weight_set"],
            degree.condition["target_edition"],
            GEOGRAPHY,
            degree.year,
        )
    )


def _amounts(release: Release) -> dict[str, list[Row]]:
    """What regions without any population of their own spent in their newest year, by domain."""
    if not release.has("mart_per_capita_spending"):
        return {}
    return _by_region(
        release.rows(
            f"""
            select region_code, year, period_name, domain, domain_name_zh, domain_name_en, spending, obs_status,
                provenance <> 'official' as is_synthetic
            from mart_per_capita_spending
            where reference_geography = ? and population_source = 'none' and {release.account} and spending is not null
            qualify year = max(year) over (partition by region_code)
            """,
            GEOGRAPHY,
        )
    )


def _urban_rural(release: Release) -> dict[str, list[Row]]:
    """Urban and rural figures of each region in the newest year, indicators and nominal spending."""
    if not release.has("mart_urban_rural_gap"):
        return {}
    return _by_region(
        release.rows(
            """
            select * from mart_urban_rural_gap
            where reference_geography = ? and population_basis <> 'registered'
                and price_basis in ('none', 'nominal') and urban is not null and rural is not null
            qualify year = max(year) over (partition by region_code, subject_kind, subject_code)
            order by region_code, subject_kind, subject_code <> 'all', subject_code <> 'basic', subject_code
            """,
            GEOGRAPHY,
        )
    )


def _changes(release: Release, facts: Facts) -> dict[str, list[Row]]:
    """Changes of boundaries that touch each region, newest last; a code that only changed its name is one too."""
    if not release.has("dim_region_change"):
        return {}
    found: dict[str, list[Row]] = {}
    for row in release.rows("select * from dim_region_change order by effective_date, from_code, to_code"):
        for code in {row["from_code"], row["to_code"]} & facts.regions.keys():
            found.setdefault(code, []).append(row)
    return found


def _traits(facts: Facts, people: dict[str, list[Row]]) -> dict[int, dict[str, list[float]]]:
    """What makes regions of one depth alike: residents (their logarithm), spending per head, and the urban share where
    these statistics tell town and country apart.
    """
    tells_residence = any(row["urban"] for rows in people.values() for row in rows)
    spending = facts.subjects.get("spending.all")
    found: dict[int, dict[str, list[float]]] = {}
    for region in facts.regions.values():
        resident = next(
            (
                row
                for row in people.get(region.code, [])
                if row["population_basis"] == "resident" and (row["urban"] or not tells_residence)
            ),
            None,
        )
        figure = spending.of(region.code) if spending is not None else None
        if resident is None or figure is None or figure.value is None:
            continue
        traits = [math.log(float(resident["population"])), figure.value]
        if tells_residence:
            traits.append(float(resident["urban"] / resident["population"]))
        found.setdefault(region.depth, {})[region.code] = traits
    return found


def _trend(shared: Shared, region: Region, key: str, unit: dict[str, str], synthetic: Row) -> Markup | None:
    """A region's series beside the home region's, with breaks and changes of boundaries."""
    subject = shared.facts.subjects.get(key)
    if subject is None:
        return None
    drawn = []
    for code, tone, shape in ((region.code, 1, "circle"), (shared.facts.home, 2, "diamond")):
        if code == shared.facts.home and region.code == code and tone == 2:
            continue
        own = subject.figures.get(code, {})
        points = [
            Point(y, f.value, f.is_synthetic, f.period_name) for y, f in sorted(own.items()) if f.value is not None
        ]
        name = shared.facts.regions[code]
        drawn.append(Series(name.name, name.name_en, tone, shape, points))
    if not drawn[0].points:
        return None
    marks = drawing.breaks(subject, region.code, [row["effective_date"] for row in shared.changes.get(region.code, [])])
    title = {"zh": subject.name_zh, "en": subject.name_en}
    return line_chart(
        drawn,
        synthetic,
        title,
        unit,
        marks=marks,
        from_zero=subject.kind == "spending",
        limit=100.0 if subject.kind == "degree" else None,
        sizes=((*CARD, drawing.year_step(drawn)),),
    )


def profile(shared: Shared, region: Region, waived: Callable[[str], bool], synthetic: Row) -> dict[str, Any]:
    """Everything the profile of a region shows."""
    facts, prepared = shared.facts, shared.prepared
    domains = []
    for degree in facts.of_kind("degree"):
        if degree.domain == "all" or degree.year is None:
            continue
        own = [
            prepared[s.key]
            for s in facts.of_kind("indicator")
            if s.domain == degree.domain and region.code in s.figures and s.year is not None
        ]
        counted = Counter(item.told(item.subject.of(region.code)) for item in own)
        domains.append(
            Markup(f"{prepared[degree.key].line(region, counted=counted)}{''.join(item.line(region) for item in own)}")
        )
    with_degree = {degree.domain for degree in facts.of_kind("degree")}
    others = [
        prepared[s.key]
        for s in facts.of_kind("indicator")
        if s.domain not in with_degree and region.code in s.figures and s.year is not None
    ]
    whole = prepared.get("degree.all")
    if whole is not None and whole.subject.year is None:
        whole = None
    return {
        "region": region,
        "level_size": len(facts.at(region.depth)),
        "is_home": region.code == facts.home,
        "above": facts.regions.get(region.parent or ""),
        "below": facts.children(region.code),
        "groups": facts.groups.get(region.code, []),
        "people": shared.people.get(region.code, []),
        "whole": Markup(whole.line(region, shared.positions.get(region.code))) if whole else None,
        "degree": whole.subject.of(region.code) if whole else None,
        "positions": shared.positions.get(region.code),
        "domains": domains,
        "others": Markup("".join(item.line(region) for item in others)),
        "money": _money(shared, region),
        "amounts": _spent(shared, region),
        "gaps": _indicator_gaps(shared, region),
        "short": shared.short.get(region.code, []),
        "trends": [
            chart
            for chart in (
                _trend(shared, region, "degree.all", {"zh": "实现度 %", "en": "degree, %"}, synthetic),
                _trend(shared, region, "spending.all", _currency(facts), synthetic),
            )
            if chart is not None
        ],
        "changes": shared.changes.get(region.code, []),
        "peers": [
            facts.regions[code] for code in comparisons.neighbours(shared.traits.get(region.depth, {}), region.code)
        ],
        "is_waived": waived(region.code),
    }


def _currency(facts: Facts) -> dict[str, str]:
    spending = facts.subjects.get("spending.all")
    unit = spending.unit if spending is not None else ""
    return {"zh": f"{unit}／人", "en": f"{unit} per head"}


def _money(shared: Shared, region: Region) -> list[Row]:
    """Spending per head beside the degree and the gap of town and country, by domain."""
    facts, listed = shared.facts, []
    gaps = {row["subject_code"]: row for row in shared.gaps.get(region.code, []) if row["subject_kind"] == "spending"}
    for spending in facts.of_kind("spending"):
        degree = facts.subjects.get(f"degree.{spending.domain}")
        own, home = spending.of(region.code), spending.of(facts.home)
        if own is None:
            continue
        score = degree.of(region.code) if degree is not None else None
        at_home = degree.of(facts.home) if degree is not None else None
        _, _, short_zh = spending.name_zh.partition("：")
        _, _, short_en = spending.name_en.partition(": ")
        gap = gaps.get(spending.domain)
        listed.append(
            {
                "key": spending.key,
                "zh": short_zh,
                "en": short_en,
                "year": own.year,
                "called": own.called,
                "is_missing": own.value is None and not own.is_suppressed,
                "value": Markup(
                    (MISSING if own.value is None else row_button(rounded(own.value))) + flags(own.status, own.stays_at)
                ),
                "home": rounded(home.value) + Markup(flags(home.status, home.stays_at))
                if home is not None
                else rounded(None),
                "is_synthetic": own.is_synthetic,
                "degree": Markup(
                    subject_button(degree.written(score.value), degree.key, region.code, score.year)
                    + flags(score.status, score.stays_at)
                )
                if degree is not None and score is not None and score.value is not None
                else "–",
                "degree_home": degree.written(at_home.value) if degree is not None and at_home is not None else "–",
                "share": _share(own.value, home.value if home is not None else None),
                "gap": _gap(spending, gap) if gap is not None else None,
            }
        )
    return listed


def _share(value: float | None, of: float | None) -> float | None:
    """How many percent of the home region's figure a figure is; net income is no part of spending."""
    return 100 * value / of if value is not None and value >= 0 and of is not None and of > 0 else None


def _spent(shared: Shared, region: Region) -> list[Row]:
    """What a region without people of its own spent, by domain: nothing can be divided there."""
    order = {spending.domain: place for place, spending in enumerate(shared.facts.of_kind("spending"))}
    rows = [row for row in shared.amounts.get(region.code, []) if row["domain"] in order and row["spending"]]
    return sorted(rows, key=lambda row: order[row["domain"]])


def _gap(subject: Subject, row: Row) -> Row:
    """An urban and a rural figure, their ratio with its reference, what has closed since the base year."""
    ratio = row["ratio"]
    button = subject_button(rounded(ratio, 2), f"gap.{subject.key}", row["region_code"], row["year"])
    return {
        **row,
        "zh": subject.name_zh,
        "en": subject.name_en,
        "key": subject.key,
        "places": subject.places,
        "ratio_cell": Markup(button) if ratio is not None else "–",
        "is_synthetic": row["provenance"] != "official",
    }


def _indicator_gaps(shared: Shared, region: Region) -> list[Row]:
    """The indicators that are known for town and country."""
    rows = [row for row in shared.gaps.get(region.code, []) if row["subject_kind"] == "indicator"]
    subjects = shared.facts.subjects
    return [_gap(subjects[row["subject_code"]], row) for row in rows if row["subject_code"] in subjects]
