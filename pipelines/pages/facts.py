"""Regions and subjects read from a prepared release, one query a table; what it has no table for is left out."""

from __future__ import annotations

from pipelines.pages.provisional import date_figures
from pipelines.pages.references import TREND
from pipelines.pages.subjects import Facts, Figure, Newest, Region, Subject
from pipelines.publish import Release, Row


def read_facts(release: Release) -> Facts:
    """Regions and subjects of a release; nothing of them where it has no figures of regions."""
    facts = Facts(release.home, compared=release.jurisdiction.get("compared_depth"))
    if not release.has("dim_current_region", "dim_subject", TREND, "mart_subject_level", "benchmark"):
        return facts
    facts.regions = {region.code: region for region in _regions(release)}
    facts.subjects = {subject.key: subject for subject in _subjects(release)}
    _add_figures(release, facts)
    for row in release.rows("select * from benchmark where breakdown = 'all' and variant = 'main'"):
        facts.spreads[(row["subject_code"], row["year"], row["region_depth"], row["government_levels"])] = row
    date_figures(release, facts)
    for row in _groups(release):
        facts.groups.setdefault(row["region_code"], []).append(row)
    return facts


def _regions(release: Release) -> list[Region]:
    columns = "region_id, region_code, region_name, region_name_en, region_level, region_depth, parent_code, "
    columns += "is_territory, founded"
    return [Region(*row) for row in release.tuples(f"select {columns} from dim_current_region order by region_code")]


def _subjects(release: Release) -> list[Subject]:
    """Every subject in the order of lists, an indicator with its definition."""
    defined = {row["indicator_code"]: row for row in release.rows_of("dim_indicator")}
    return [
        Subject(
            row["subject_code"], row["subject_kind"], row["name_zh"], row["name_en"] or row["name_zh"], row["domain"],
            row["unit"], row["direction"], row["decimals"], row["is_cut"], (row["formula_zh"], row["formula_en"]),
            defined.get(row["subject_code"], {}),
        )
        for row in release.rows("select * from dim_subject order by sort_order, subject_code")
    ]  # fmt: skip


def _add_figures(release: Release, facts: Facts) -> None:
    columns = (
        "year, period_name, value, ci_low, ci_high, government_levels, variant, home_value, peers_median, "
        "of_peers_median_pct, to_home, fifth, position_first, position_last, regions_compared, obs_status, "
        "undefined_reason, provenance <> 'official', is_newest"
    )
    for key, code, *figure in release.tuples(f"select subject_code, region_code, {columns} from {TREND}"):
        made = Figure(*figure)
        facts.subjects[key].figures.setdefault(code, {})[made.year] = made
    for row in release.rows("select * from mart_subject_level order by subject_code, region_depth"):
        facts.subjects[row["subject_code"]].newest[row["region_depth"]] = Newest(
            row["year"], row["period_name"], row["first_period_name"], row["regions"], row["regions_listed"],
            row["is_lowest"],
        )  # fmt: skip


def _groups(release: Release) -> list[Row]:
    """Groups of regions as they were at the end of the newest year that the lowest regions have figures of."""
    newest = "(select make_date(max(year), 12, 31) from mart_subject_level where is_lowest)"
    return release.rows_of(
        "dim_region_group",
        f"where valid_from <= {newest} and (valid_to is null or valid_to > {newest}) order by group_code",
    )
