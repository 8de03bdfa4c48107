"""Regions and subjects read from a prepared release, one query a table.

Where a table keeps several figures of a subject side by side, the one meant where nothing else is named is taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelines.pages.provisional import date_figures
from pipelines.pages.reading import Release, Row
from pipelines.pages.subjects import Facts, Figure, Region, Subject

MAIN_METHOD = "population_weighted_mean"
INDEX_METHOD = "arithmetic_mean"
GEOGRAPHY = "reported"

MAIN_WEIGHTS = "(select min(weight_set) filter (where is_main) from dim_weight)"

# The list of regions at the end of the newest year that lowest regions have figures of: a region made later has none.
_NEWEST = """
    select max(year) as year from mart_{table} where region_depth = (select max(region_depth) from mart_{table})
        and {column} is not null
"""
_REGIONS = """
    with recursive listed as (
        select * from dim_region
        where not is_union and valid_from <= $day and (valid_to is null or valid_to > $day)
    ),
    below as (
        select * from listed where region_code = $home
        union all
        select r.* from listed r join below b on r.parent_code = b.region_code
    )
    select region_code, region_name as name, region_name_en as name_en, region_level, region_depth as depth,
        parent_code as parent, is_territory
    from below qualify row_number() over (partition by region_code order by valid_from desc) = 1 order by region_code
"""

# One figure stands for an indicator: about the population that its line names, of the source that it names, and about
# everybody before parts; the same rule by which scores choose theirs.
_INDICATOR_CELLS = """
    select c.indicator_code, c.population_basis, c.population_source, c.residence, c.sex, c.age_group, c."group"
    from (
        select distinct indicator_code, population_basis, population_source, residence, sex, age_group, "group"
        from mart_service_coverage where reference_geography = $geography
    ) c
    join dim_indicator i on i.indicator_code = c.indicator_code and (
        c.population_basis = i.denominator_population
        or (i.denominator_population is null and c.population_basis <> 'registered'))
    qualify row_number() over (
        partition by c.indicator_code
        order by case c.population_basis when 'none' then 0 when 'target_group' then 1 else 2 end,
            c.population_source is distinct from i.population_source,
            c.population_source <> $source,
            case c.population_source when 'year_end' then 0 when 'mid_year' then 1 when 'census' then 2 else 3 end,
            c.residence <> 'total', c.residence, c.sex <> 'all', c.sex, c.age_group <> 'all', c.age_group,
            c."group" <> 'all', c."group"
    ) = 1
"""
CELL = ("population_basis", "population_source", "residence", "sex", "age_group", "group")


def read_facts(release: Release) -> Facts:
    """Regions and subjects of a release; what it has no table for is left out."""
    regions = {region.code: region for region in _regions(release)}
    deepest = max((region.depth for region in regions.values() if region.is_territory), default=0)
    compared = min(deepest, int(release.jurisdiction.get("compared_depth", deepest)))
    facts = Facts(release.home, regions, {}, {}, compared)
    if not regions:
        return facts
    names = {item["domain"]: item for item in release.card["domains"]}
    _add_degrees(release, facts, names)
    _add_index(release, facts)
    _add_spending(release, facts, names)
    _add_indicators(release, facts)
    for subject in facts.subjects.values():
        _settle(subject, facts)
    date_figures(release, facts)
    if release.has("dim_region_group"):
        for row in release.rows("select * from dim_region_group where valid_to is null order by group_code"):
            facts.groups.setdefault(row["region_code"], []).append(row)
    return facts


def _regions(release: Release) -> list[Region]:
    """The home region and those below it; none where the release has no figures of regions."""
    newest = 0
    for table, column in (("service_coverage", "value"), ("per_capita_spending", "per_capita")):
        if release.has(f"mart_{table}"):
            newest = max(newest, release.rows(_NEWEST.format(table=table, column=column))[0]["year"] or 0)
    if not newest or not release.has("dim_region"):
        return []
    return [
        Region(
            row["region_code"],
            row["name"],
            row["name_en"] or row["name"],
            row["region_level"],
            int(row["depth"]),
            None if row["region_code"] == release.home else row["parent"],
            bool(row["is_territory"]),
        )
        for row in release.rows(_REGIONS, {"day": f"{newest}-12-31", "home": release.home})
    ]


def _settle(subject: Subject, facts: Facts) -> None:
    """The deepest compared level that a subject has figures of, and the newest year in which that level has one."""
    newest: dict[int, int] = {}
    for code, by_year in subject.figures.items():
        depth = facts.regions[code].depth
        for year, figure in by_year.items():
            if figure.value is not None and depth <= facts.lowest and year > newest.get(depth, 0):
                newest[depth] = year
    if newest:
        subject.depth = max(newest)
        subject.year = newest[subject.depth]


def _fill(facts: Facts, rows: Iterable[tuple[Any, ...]]) -> None:
    """Rows of (subject, region, year, what it is called, value, low, high, status, provenance) into their subjects."""
    for key, code, year, name, value, low, high, status, provenance in rows:
        subject = facts.subjects.get(key)
        if subject is not None and code in facts.regions:
            figure = Figure(year, value, low, high, status or "", provenance != "official", name or "")
            subject.figures.setdefault(code, {})[year] = figure


def _named(kind: str, domain: str, names: dict[str, Row], zh: str, en: str) -> tuple[str, str, str]:
    """Key and names of a subject by domain; `all` and `basic` have no line of their own among the domains."""
    name = names.get(domain) or {
        "all": {"name_zh": "总体", "name_en": "overall"},
        "basic": {"name_zh": "基本公共服务", "name_en": "basic services"},
    }.get(domain, {"name_zh": domain, "name_en": domain})
    return f"{kind}.{domain}", f"{zh}：{name['name_zh']}", f"{en}: {name['name_en'].lower()}"


def _add_degrees(release: Release, facts: Facts, names: dict[str, Row]) -> None:
    if not release.has("mart_equalisation", "dim_weight"):
        return
    main = release.rows(
        f"select {MAIN_WEIGHTS} as weights, max(target_edition) as edition from mart_equalisation "
        f"where method_id = '{MAIN_METHOD}' and weight_set = {MAIN_WEIGHTS}"
    )[0]
    if main["edition"] is None:
        return
    for row in release.rows("select distinct domain from mart_equalisation"):
        key, zh, en = _named("degree", row["domain"], names, "均等化实现度", "Equalisation degree")
        condition = {
            "domain": row["domain"],
            "method_id": MAIN_METHOD,
            "weight_set": main["weights"],
            "target_edition": main["edition"],
        }
        facts.subjects[key] = Subject(
            key, "degree", zh, en, row["domain"], "%", "higher", 2, "mart_equalisation", "degree_pct", condition
        )
    _order(facts, "degree", names)
    _fill(
        facts,
        release.tuples(
            "select 'degree.' || domain, region_code, year, period_name, degree_pct, null, null, obs_status, "
            "provenance from mart_equalisation where reference_geography = ? and method_id = ? and weight_set = ? "
            "and target_edition = ?",
            GEOGRAPHY,
            MAIN_METHOD,
            main["weights"],
            main["edition"],
        ),
    )


def _add_index(release: Release, facts: Facts) -> None:
    if not release.has("mart_composite_index", "dim_goalpost", "dim_weight"):
        return
    posts = release.rows("select min(goalpost_set) filter (where is_main) as main from dim_goalpost")[0]["main"]
    weights = release.rows(f"select {MAIN_WEIGHTS} as main")[0]["main"]
    if posts is None or weights is None:
        return
    condition = {"domain": "all", "method_id": INDEX_METHOD, "goalposts": posts, "weight_set": weights}
    facts.subjects["index.all"] = Subject(
        "index.all", "index", "综合指数", "Composite index", "all", "1", "higher", 1,
        "mart_composite_index", "index_value", condition,
    )  # fmt: skip
    _fill(
        facts,
        release.tuples(
            "select 'index.all', region_code, year, period_name, index_value, null, null, obs_status, provenance "
            "from mart_composite_index where reference_geography = ? and domain = 'all' and method_id = ? "
            "and goalposts = ? and weight_set = ?",
            GEOGRAPHY,
            INDEX_METHOD,
            posts,
            weights,
        ),
    )


def _add_spending(release: Release, facts: Facts, names: dict[str, Row]) -> None:
    if not release.has("mart_per_capita_spending"):
        return
    condition = {
        "fund": release.main_fund,
        "government_level": "all",
        "population_source": release.population_source,
    }
    for row in release.rows(
        "select domain, any_value(domain_name_zh) as name_zh, any_value(domain_name_en) as name_en, "
        "any_value(currency) as currency from mart_per_capita_spending group by domain order by domain"
    ):
        key, zh, en = _named("spending", row["domain"], {row["domain"]: row}, "人均支出", "Spending per head")
        facts.subjects[key] = Subject(
            key, "spending", zh, en, row["domain"], row["currency"], None, 0, "mart_per_capita_spending",
            "per_capita", {"domain": row["domain"], **condition},
        )  # fmt: skip
    _order(facts, "spending", names)
    _fill(
        facts,
        release.tuples(
            "select 'spending.' || domain, region_code, year, period_name, per_capita, null, null, obs_status, "
            f"provenance from mart_per_capita_spending where reference_geography = ? and {release.per_resident}",
            GEOGRAPHY,
        ),
    )


def _add_indicators(release: Release, facts: Facts) -> None:
    if not release.has("mart_service_coverage", "dim_indicator"):
        return
    meant = {"geography": GEOGRAPHY, "source": release.population_source}
    cells = {row["indicator_code"]: row for row in release.rows(_INDICATOR_CELLS, meant)}
    order = {item["domain"]: place for place, item in enumerate(release.card["domains"])}
    listed = release.rows("select * from dim_indicator")
    for row in sorted(listed, key=lambda row: (order.get(row["domain"], len(order)), row["indicator_code"])):
        code = row["indicator_code"]
        cell = cells.get(code) or {}
        condition = {"indicator_code": code, **{name: str(cell[name]) for name in CELL if name in cell}}
        facts.subjects[code] = Subject(
            code, "indicator", row["name_zh"], row["name_en"] or row["name_zh"], row["domain"], row["unit"],
            row["direction"], 2, "mart_service_coverage", "value", condition, row,
        )  # fmt: skip
    _fill(
        facts,
        release.tuples(
            f"with cell as ({_INDICATOR_CELLS}) select f.indicator_code, f.region_code, f.year, f.period_name, "
            "f.value, f.ci_low, f.ci_high, f.obs_status, f.provenance from mart_service_coverage f join cell using "
            '(indicator_code, population_basis, population_source, residence, sex, age_group, "group") '
            "where f.reference_geography = $geography",
            meant,
        ),
    )
    for code in cells:
        subject = facts.subjects[code]
        sizes = [abs(f.value) for by_year in subject.figures.values() for f in by_year.values() if f.value is not None]
        subject.places = _places(sorted(sizes)[len(sizes) // 2] if sizes else 0.0)


def _places(size: float) -> int:
    """Decimal places that leave about four digits that matter."""
    return 0 if size >= 1000 else 1 if size >= 20 else 2 if size >= 0.5 else 3


def _order(facts: Facts, kind: str, names: dict[str, Row]) -> None:
    """Subjects of a kind by domain: the whole first, then as the domains are listed."""
    first = {"all": -2, "basic": -1} | {domain: place for place, domain in enumerate(names)}
    own = sorted(
        (s for s in facts.subjects.values() if s.kind == kind), key=lambda s: (first.get(s.domain, 99), s.domain)
    )
    for subject in own:
        facts.subjects[subject.key] = facts.subjects.pop(subject.key)
