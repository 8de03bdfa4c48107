"""What the pages beside regions and indicators say: overview, list of regions, map, catalogue, changes, checking."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from pipelines.pages import indicator_pages, maps, quality_figures
from pipelines.pages.maps import MapOf
from pipelines.pages.numbers import rounded_down
from pipelines.pages.prepared import Prepared, figure_button, provisional_flag
from pipelines.pages.reading import Release, Row
from pipelines.pages.subjects import Facts, Region

KINDS = (
    ("degree", "均等化实现度", "Equalisation degree"),
    ("index", "综合指数", "Composite index"),
    ("spending", "人均支出", "Spending per head"),
    ("indicator", "指标", "Indicators"),
)
REVISIONS_SHOWN = 100


def overview(release: Release, facts: Facts, prepared: dict[str, Prepared], map_of: MapOf) -> dict[str, Any]:
    """The degree of the home region, by domain and by the regions right below."""
    whole = prepared.get("degree.all")
    if whole is None or whole.home is None or whole.home.value is None:
        return {"degree": None}
    degree = whole.subject
    row = release.rows(
        "select * from mart_equalisation where region_code = ? and year = ? and domain = 'all' and method_id = ? "
        "and weight_set = ? and target_edition = ? and reference_geography = 'reported'",
        facts.home,
        degree.year,
        *(degree.condition[name] for name in ("method_id", "weight_set", "target_edition")),
    )[0]
    target = float(row["target_pct"]) if row["target_pct"] is not None else None
    domains = [_bar(prepared[s.key], facts.home, target) for s in facts.of_kind("degree") if s.domain != "all"]
    regions = [_bar(whole, region.code, target) | {"region": region} for region in facts.children(facts.home)]
    return {
        "degree": whole.home,
        "degree_cell": Markup(
            figure_button(rounded_down(whole.home.value, 2), degree.reference(facts.home, whole.home.year))
            + provisional_flag(whole.home)
        ),
        "degree_row": row,
        "degree_before": degree.of(facts.home, whole.home.year - 1),
        "degree_domains": [bar for bar in domains if bar["value"] is not None],
        "degree_regions": [bar for bar in regions if bar["value"] is not None],
        "degree_map": map_of(degree, whole.level(facts.lowest).bands, ""),
        "target_place": _place(target) if target is not None else None,
        "groups": _groups(release, facts, degree.condition, degree.year),
    }


def _place(value: float) -> float:
    """Where a degree stands on a bar from 50 to 100; what is below 50 stands at its start."""
    return max(0.0, min(100.0, (value - 50) * 2))


def _bar(item: Prepared, code: str, target: float | None) -> Row:
    figure = item.subject.of(code)
    value = figure.value if figure is not None else None
    _, _, zh = item.subject.name_zh.partition("：")
    _, _, en = item.subject.name_en.partition(": ")
    return {
        "key": item.subject.key,
        "zh": zh,
        "en": en,
        "value": value,
        # cut, not rounded: what misses its target by a hair must not read as met
        "cell": Markup(
            figure_button(rounded_down(value, 2), item.subject.reference(code, figure.year)) + provisional_flag(figure)
        )
        if figure is not None and value is not None
        else None,
        "place": _place(value) if value is not None else 0.0,
        "is_met": value is not None and target is not None and value >= target,
        "is_synthetic": figure is not None and figure.is_synthetic,
    }


def _groups(release: Release, facts: Facts, condition: dict[str, str], year: int | None) -> list[Row]:
    """Each group of regions against the rest of the home region."""
    if not release.has("mart_equalisation_dispersion", "dim_region_group"):
        return []
    return release.rows(
        """
        select "group", any_value(g.group_name_zh) as zh, any_value(g.group_name_en) as en,
            max(value) filter (where measure = 'group_degree_pct') as inside,
            max(value) filter (where measure = 'rest_degree_pct') as outside,
            any_value(d.regions) filter (where measure = 'group_degree_pct') as regions,
            bool_or(d.provenance <> 'official') as is_synthetic
        from mart_equalisation_dispersion d
        join (select distinct group_code, group_name_zh, group_name_en from dim_region_group) g
            on g.group_code = d."group"
        where d.region_code = ? and d.year = ? and d.domain = 'all' and d.weight_set = ? and d.target_edition = ?
            and d.reference_geography = 'reported' and measure in ('group_degree_pct', 'rest_degree_pct')
        group by "group" having inside is not null order by "group"
        """,
        facts.home,
        year,
        condition["weight_set"],
        condition["target_edition"],
    )


def tree(facts: Facts, prepared: dict[str, Prepared]) -> list[Row]:
    """Regions under the region they belong to, with the degree of each."""
    whole = prepared.get("degree.all")

    def line(region: Region) -> Row:
        figure = whole.subject.of(region.code) if whole is not None else None
        return {
            "region": region,
            "degree": rounded_down(figure.value, 1) if figure is not None and figure.value is not None else None,
            "is_synthetic": figure is not None and figure.is_synthetic,
            "flag": Markup(provisional_flag(figure)),
            "below": [line(child) for child in facts.children(region.code)],
        }

    return [line(facts.regions[facts.home])] if facts.home in facts.regions else []


def map_page(release: Release, facts: Facts, prepared: dict[str, Prepared], map_of: MapOf) -> dict[str, Any]:
    """The map with every subject that lowest regions have figures of."""
    lowest = [region.code for region in facts.at(facts.lowest)]
    shown = [item for item in prepared.values() if any(item.subject.of(code) is not None for code in lowest)]
    if not shown:
        return {"map": None, "is_schematic": True}
    first = shown[0]
    banded = first.level(facts.lowest).bands
    return {
        "map": map_of(first.subject, banded, ""),
        "is_schematic": maps.is_schematic(release, facts),
        "first": first.subject,
        "is_first_synthetic": any(f is not None and f.is_synthetic for f in map(first.subject.of, lowest)),
        "legend": indicator_pages.legend(first.subject, banded),
        "years": sorted({year for code in lowest for year in first.subject.figures.get(code, {})}),
        "choices": [
            {"zh": zh, "en": en, "subjects": own}
            for kind, zh, en in KINDS
            if (own := [item.subject for item in shown if item.subject.kind == kind])
        ],
    }


def example(facts: Facts) -> Row | None:
    """A comparison to begin with: the regions right below the home region, in the whole degree and in spending."""
    regions = [region.code for region in facts.children(facts.home)][:3]
    subjects = [key for key in ("degree.all", "spending.all") if key in facts.subjects]
    subjects = subjects or [key for key, subject in facts.subjects.items() if subject.year is not None][:2]
    return {"regions": regions, "subjects": subjects} if len(regions) > 1 and subjects else None


def catalogue(release: Release, facts: Facts, prepared: dict[str, Prepared]) -> dict[str, Any]:
    """Indicators by domain with what each has, and the dictionary of all tables and columns."""
    names = {item["domain"]: item for item in release.card["domains"]}
    groups: dict[str, list[Row]] = {}
    for item in prepared.values():
        subject = item.subject
        if subject.kind != "indicator":
            continue
        years = sorted({year for by_year in subject.figures.values() for year in by_year})
        groups.setdefault(subject.domain, []).append(
            {
                "subject": subject,
                "unit": item.unit,
                "years": "–".join(subject.called(year) for year in dict.fromkeys([*years[:1], *years[-1:]])),
                "regions": len(subject.figures),
                "is_synthetic": any(f.is_synthetic for by_year in subject.figures.values() for f in by_year.values()),
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
    revised = (
        release.rows(
            f"select * from mart_revision order by vintage_after desc, table_name, row_key limit {REVISIONS_SHOWN}"
        )
        if release.has("mart_revision")
        else []
    )
    return {
        "revised": revised,
        "examples": quality_figures.revisions(release),
        "causes": quality_figures.causes(release),
        "all_releases": quality_figures.releases(release),
    }


def quality_statement(release: Release, facts: Facts) -> dict[str, Any]:
    """Accuracy, timeliness and comparability in numbers that the release holds."""
    said: dict[str, Any] = {"late": [], "shares": {}, "statuses": [], "breaks": 0, "covered": None}
    said["has_scores"] = bool(facts.of_kind("degree") or facts.of_kind("index"))
    if release.has("audit_receipt"):
        rows = [row for row in quality_figures.receipts(release) if row["days_late"] is not None]
        said["late"] = [row for row in rows if row["days_late"] > 0]
        said["due"] = len(rows)
    if release.has("audit_tie_out"):
        said["tie_outs"] = len(quality_figures.tie_out(release))
    if facts.regions and release.has("mart_service_coverage"):
        said["statuses"] = release.rows(
            "select obs_status, provenance, count(*) as figures from mart_service_coverage group by all order by all"
        )
        dated = [s for s in facts.subjects.values() if s.year is not None]
        newest = max(dated, key=lambda s: s.year or 0, default=None)
        computed = [s for s in facts.of_kind("indicator") if s.year is not None]
        cells = [s.of(region.code) for s in computed for region in facts.at(s.depth)]
        known = sum(figure is not None and figure.value is not None for figure in cells)
        said["covered"] = {
            "known": known,
            "possible": len(cells),
            "indicators": len(computed),
            "newest": newest.called(newest.year) if newest is not None else None,
        }
    if release.has("dim_region_change"):
        said["breaks"] = release.rows("select count(distinct effective_date) as days from dim_region_change")[0]["days"]
    return said
