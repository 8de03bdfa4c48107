"""What the pages beside regions and indicators say: overview, list of regions, map, catalogue, changes, checking."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from pipelines.pages import indicator_pages, maps, quality_figures
from pipelines.pages.data_files import governments
from pipelines.pages.maps import MapOf
from pipelines.pages.prepared import Prepared, figure_button, provisional_flag
from pipelines.pages.subjects import Facts, Region, Subject
from pipelines.publish import Release, Row

KINDS = (
    ("degree", "均等化实现度", "Equalisation degree"),
    ("index", "综合指数", "Composite index"),
    ("spending", "人均支出", "Spending per head"),
    ("budget_share", "支出占比", "Share of spending"),
    ("per_user", "按使用者平均的支出", "Spending per user"),
    ("indicator", "指标", "Indicators"),
)
REVISIONS_SHOWN = 100


def overview(release: Release, facts: Facts, map_of: MapOf) -> dict[str, Any]:
    """The degree of the home region, by domain and by the regions right below."""
    degree, home = facts.shown("degree.all"), facts.regions.get(facts.home)
    figure = degree.of(home) if degree is not None and home is not None else None
    if degree is None or home is None or figure is None or figure.value is None:
        return {"degree": None}
    row = release.rows(
        "select * from mart_equalisation where region_id = ? and year = ? and domain = 'all'", home.id, figure.year
    )[0]
    target = float(row["target_pct"]) if row["target_pct"] is not None else None
    met = {
        (item["region_id"], item["domain"])
        for item in release.rows_of("mart_equalisation", "where year = ? and is_target_met", figure.year)
    }
    before = degree.of(home, figure.year - 1)
    domains = [subject for subject in facts.of_kind("degree") if subject.domain != "all"]
    bars = [_bar(subject, home, figure.year, met) for subject in domains]
    below = [_bar(degree, region, figure.year, met) for region in facts.children(facts.home)]
    return {
        "degree": figure,
        "degree_subject": degree,
        "degree_cell": Markup(
            figure_button(degree.written(figure.value), degree.reference(home, figure)) + provisional_flag(figure)
        ),
        "degree_row": row,
        "degree_before": degree.written(before.value) if before is not None and before.value is not None else None,
        "degree_domains": [bar for bar in bars if bar is not None],
        "degree_regions": [bar for bar in below if bar is not None],
        "degree_map": map_of(degree, ""),
        "target_place": _place(target) if target is not None else None,
        "degree_groups": _groups(release, home, figure.year),
    }


def _place(value: float) -> float:
    """Where a degree is drawn on a bar from 50 to 100; what is below 50 is drawn at its start."""
    return max(0.0, min(100.0, (value - 50) * 2))


def _bar(subject: Subject, region: Region, year: int, met: set[tuple[str, str]]) -> Row | None:
    figure = subject.of(region, year)
    if figure is None or figure.value is None:
        return None
    return {
        "key": subject.key,
        "region": region,
        "zh": subject.name_zh.partition("：")[2],
        "en": subject.name_en.partition(": ")[2],
        "cell": Markup(
            figure_button(subject.written(figure.value), subject.reference(region, figure)) + provisional_flag(figure)
        ),
        "place": _place(figure.value),
        "is_met": (region.id, subject.domain) in met,
        "is_synthetic": figure.is_synthetic,
    }


def _groups(release: Release, home: Region, year: int) -> list[Row]:
    """Each group of regions against the rest of the home region."""
    if not release.has("mart_equalisation_dispersion", "dim_region_group"):
        return []
    return release.rows(
        """
        select inside.group_code, names.zh, names.en, inside.value as inside, rest.value as outside, inside.regions,
            inside.provenance <> 'official' or rest.provenance <> 'official' as is_synthetic
        from mart_equalisation_dispersion inside
        join mart_equalisation_dispersion rest using (region_id, year, domain, group_code)
        join (
            select group_code, any_value(group_name_zh) as zh, any_value(group_name_en) as en
            from dim_region_group group by group_code
        ) names using (group_code)
        where region_id = ? and year = ? and domain = 'all' and inside.measure = 'group_degree_pct'
            and rest.measure = 'rest_degree_pct' and inside.value is not null
        order by group_code
        """,
        home.id,
        year,
    )


def tree(facts: Facts) -> list[Row]:
    """Regions under the region they belong to, with the degree of each."""
    degree = facts.shown("degree.all")

    def line(region: Region) -> Row:
        figure = degree.of(region) if degree is not None else None
        has_value = figure is not None and figure.value is not None
        return {
            "region": region,
            "degree": degree.written(figure.value) if degree is not None and figure is not None and has_value else None,
            "is_synthetic": figure is not None and figure.is_synthetic,
            "flag": Markup(provisional_flag(figure)),
            "below": [line(child) for child in facts.children(region.code)],
        }

    return [line(facts.regions[facts.home])] if facts.home in facts.regions else []


def map_page(release: Release, facts: Facts, prepared: dict[str, Prepared], map_of: MapOf) -> dict[str, Any]:
    """The map with every subject that lowest regions have figures of."""
    lowest = facts.lowest()
    shown = [item.subject for item in prepared.values() if any(r.code in item.subject.figures for r in lowest)]
    if not shown:
        return {"map": None, "is_schematic": True}
    first = shown[0]
    known = [figure for region in lowest if (figure := first.of(region)) is not None and figure.value is not None]
    years = {year: figure.period_name for r in lowest for year, figure in first.figures.get(r.code, {}).items()}
    return {
        "map": map_of(first, ""),
        "is_schematic": maps.is_schematic(release, facts),
        "first": first,
        "first_year": max((figure.year for figure in known), default=None),
        "is_first_synthetic": any(figure.is_synthetic for figure in known),
        "legend": indicator_pages.legend(facts, first, governments(release)),
        "years": sorted(years.items()),
        "choices": [
            {"zh": zh, "en": en, "subjects": members}
            for kind, zh, en in KINDS
            if (members := [subject for subject in shown if subject.kind == kind])
        ],
    }


def example(facts: Facts) -> Row | None:
    """A comparison to begin with: regions right below the home region, of the same levels of government."""
    subjects = [key for key in ("degree.all", "spending.all") if facts.shown(key)]
    subjects = subjects or [key for key in facts.subjects if facts.shown(key)][:2]
    if not subjects:
        return None
    by_levels: dict[str, list[str]] = {}
    for region in facts.children(facts.home):
        figure = facts.subjects[subjects[-1]].of(region)
        if figure is not None and figure.value is not None:
            by_levels.setdefault(figure.levels, []).append(region.code)
    regions = max(by_levels.values(), key=len, default=[])[:3]
    return {"regions": regions, "subjects": subjects} if len(regions) > 1 else None


def catalogue(release: Release, prepared: dict[str, Prepared]) -> dict[str, Any]:
    """Indicators by domain with what each has, and the dictionary of all tables and columns."""
    names = {item["domain"]: item for item in release.card["domains"]}
    groups: dict[str, list[Row]] = {}
    for item in prepared.values():
        subject = item.subject
        if subject.kind != "indicator":
            continue
        ends = [name for level in subject.newest.values() for name in (level.first_period_name, level.period_name)]
        groups.setdefault(subject.domain, []).append(
            {
                "subject": subject,
                "unit": item.unit,
                "years": "–".join(dict.fromkeys([min(ends), max(ends)])) if ends else "",
                "regions": len(subject.figures),
                "is_synthetic": subject.is_synthetic,
            }
        )
    columns: dict[str, list[Row]] = {}
    for row in release.rows("select * from meta_column order by table_name, position"):
        columns.setdefault(row["table_name"], []).append(row)
    return {
        "composed": [item.subject for item in prepared.values() if item.subject.kind != "indicator"],
        "indicator_groups": [
            {"zh": names.get(d, {}).get("name_zh", d), "en": names.get(d, {}).get("name_en", d), "rows": rows}
            for d, rows in groups.items()
        ],
        "columns_of": columns,
    }


def changes(release: Release) -> dict[str, Any]:
    """Figures that later files revised, and examples of rows that changed against the release before."""
    return {
        "revised": release.rows_of(
            "mart_revision", f"order by vintage_after desc, table_name, row_key limit {REVISIONS_SHOWN}"
        ),
        "examples": quality_figures.revisions(release),
        "causes": quality_figures.causes(release),
        "all_releases": quality_figures.releases(release),
    }


def quality_statement(release: Release, facts: Facts) -> dict[str, Any]:
    """Accuracy, timeliness and comparability in numbers that the release holds."""
    statement: dict[str, Any] = {"late": [], "shares": {}, "statuses": [], "breaks": 0, "covered": None}
    statement["has_intervals"] = bool(facts.of_kind("indicator"))
    statement["has_scores"] = bool(facts.of_kind("degree") or facts.of_kind("index"))
    if release.has("audit_receipt"):
        rows = [row for row in quality_figures.receipts(release) if row["days_late"] is not None]
        statement["late"] = [row for row in rows if row["days_late"] > 0]
        statement["due"] = len(rows)
    if release.has("audit_tie_out"):
        statement["tie_outs"] = len(quality_figures.tie_out(release))
    if release.has("figure", "mart_subject_level"):
        statement["statuses"] = release.rows(
            "select obs_status, provenance, count(*) as figures from figure where variant = 'main' "
            "group by all order by all"
        )
        statement["covered"] = release.rows(
            "select sum(regions) as known, sum(regions_listed) as possible, count(*) as subjects, "
            "max(period_name) as newest from mart_subject_level where is_lowest having count(*) > 0"
        )
        statement["covered"] = statement["covered"][0] if statement["covered"] else None
    if release.has("dim_region_change"):
        statement["breaks"] = release.rows("select count(distinct effective_date) as days from dim_region_change")[0][
            "days"
        ]
    return statement
