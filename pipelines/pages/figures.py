"""What the pages say, read from a prepared release and from nothing else.

Every function gives plain rows or None where the release has nothing to say; words and looks are the templates'.
"""

from __future__ import annotations

from decimal import Decimal

from pipelines.pages.chart import Point, Series
from pipelines.pages.provisional import date_rows, stand_ins
from pipelines.pages.reading import Release, Row

BASES = {
    "resident": ("常住人口", "residents", "resident"),
    "registered": ("户籍人口", "registered persons", "registered person"),
    "target_group": ("目标人群", "target group", "person of the target group"),
    "none": ("不分人口", "no population", "head"),
}
SOURCES = {
    "year_end": ("年末", "year end"),
    "census": ("普查", "census"),
    "mid_year": ("年中", "mid-year"),
    "none": ("", ""),
}
RESIDENTS = {
    "year_end": ("年末常住人口", "year-end residents"),
    "mid_year": ("年中常住人口", "mid-year residents"),
    "census": ("普查常住人口", "census residents"),
}
ORIGINS = {
    "plan": ("规划", "plan"),
    "published": ("公开", "published"),
    "illustrative": ("示意", "illustrative"),
    "check": ("待核实", "to be checked"),
}
TABLE_KINDS = (
    ("mart_", "成果表", "Results"),
    ("fct_", "事实表", "Facts"),
    ("dim_", "维度表", "Reference"),
    ("audit_", "审计表", "Audit"),
    ("meta_", "词典", "Dictionary"),
)


def residents_meant(release: Release) -> tuple[str, str]:
    """What the people are called that figures per head are divided by where nothing else is said, in both languages."""
    return RESIDENTS.get(release.population_source, ("常住人口", "residents"))


# -- spending per head -------------------------------------------------------------------------------------------


def _whole(release: Release) -> str:
    """The condition for all spending on the regions as reported, as SQL; beside populations that somebody counts."""
    source = release.population_source
    derived = "" if source == "mid_year" else " and population_source <> 'mid_year'"
    return f"domain = 'all' and reference_geography = 'reported' and {release.account}{derived}"


def spending_over_years(release: Release) -> Row | None:
    """Spending per head of the home region over the years, on every population basis there is."""
    if not release.has("mart_per_capita_spending"):
        return None
    rows = release.rows(
        f"select year, period_name, population_basis, population_source, spending, population, per_capita, currency, "
        f"provenance, obs_status from mart_per_capita_spending where region_code = ? and {_whole(release)} "
        "and per_capita is not null "
        "order by year, population_source desc, population_basis desc",
        release.home,
    )
    if not rows:
        return None
    date_rows(rows, stand_ins(release).of_spending)
    series: dict[tuple[str, str], list[Point]] = {}
    for row in rows:
        synthetic = row["provenance"] != "official"
        point = Point(int(row["year"]), float(row["per_capita"]), synthetic, row["period_name"])
        series.setdefault((row["population_basis"], row["population_source"]), []).append(point)
    drawn = []
    for (basis, source), points in sorted(
        series.items(), key=lambda item: (item[0][1] == "census", item[0][0] != "resident")
    ):
        basis_zh, _, person = BASES.get(basis, (basis,) * 3)
        source_zh, source_en = SOURCES.get(source, (source, source))
        drawn.append(
            Series(
                f"按{source_zh}{basis_zh}",
                f"per {person}, {source_en}" if source_en else f"per {person}",
                1 if basis == "resident" else 2,
                "diamond" if source == "census" else "circle",
                points,
            )
        )
    official = [row for row in rows if row["provenance"] == "official"]
    headline = official or rows
    last = headline[-1]["year"]
    return {
        "series": drawn,
        "rows": rows,
        "latest": [row for row in headline if row["year"] == last],
        "both_bases": _last_year_of_both(official),
        "currency": rows[0]["currency"],
        "has_synthetic": len(official) < len(rows),
    }


def _last_year_of_both(rows: list[Row]) -> list[Row]:
    """The newest year, and population source, for which both bases are there."""
    for row in reversed(rows):
        pair = [r for r in rows if r["year"] == row["year"] and r["population_source"] == row["population_source"]]
        if len({r["population_basis"] for r in pair}) > 1:
            return sorted(pair, key=lambda r: r["population_basis"] != "resident")
    return []


def spending_by_region(release: Release) -> Row | None:
    """Spending per head of the regions one level below the home region that are land, in the newest year there is."""
    if not release.has("mart_per_capita_spending", "dim_region"):
        return None
    children = """
        select distinct region_code from dim_region where parent_code = ? and is_territory
    """
    newest = release.rows(
        f"select year, max(period_name) as period_name from mart_per_capita_spending where {_whole(release)} "
        f"and per_capita is not null and population_source = ? and region_code in ({children}) "
        "group by year order by year desc limit 1",
        release.population_source,
        release.home,
    )
    year = newest[0]["year"] if newest else None
    if year is None:
        return None
    rows = release.rows(
        f"""
        with figure as (
            select * from mart_per_capita_spending
            where year = ? and account_stage = 'final' and price_basis = 'nominal' and reference_geography = 'reported'
                and fund = ?
                and population_source in (?, 'none')
                and (region_code = ? or region_code in ({children}))
        ),
        wide as (
            select
                region_code, any_value(region_name) as region_name, any_value(region_depth) as region_depth,
                any_value(region_level) as region_level, any_value(currency) as currency,
                max(spending) filter (where domain = 'all' and government_level = 'all' and residence = 'total')
                    as spending,
                max(population) filter (where population_basis = 'resident' and residence = 'total') as residents,
                max(population) filter (where population_basis = 'registered' and residence = 'total') as registered,
                max(per_capita) filter (where domain = 'all' and government_level = 'all' and residence = 'total'
                    and population_basis = 'resident') as per_resident,
                max(obs_status) filter (where domain = 'all' and government_level = 'all' and residence = 'total'
                    and population_basis = 'resident') as obs_status,
                max(per_capita) filter (where domain = 'all' and government_level = 'all' and residence = 'total'
                    and population_basis = 'registered') as per_registered,
                max(budget_share_pct) filter (where domain = 'basic' and government_level = 'all'
                    and residence = 'total') as basic_pct,
                max(per_capita) filter (where domain = 'basic' and government_level = 'all' and residence = 'urban')
                    as basic_urban,
                max(per_capita) filter (where domain = 'basic' and government_level = 'all' and residence = 'rural')
                    as basic_rural,
                bool_or(provenance <> 'official') filter (where domain = 'all' and government_level = 'all'
                    and residence = 'total' and population_basis = 'resident') as is_synthetic,
                bool_or(provenance <> 'official') filter (where domain = 'all' and government_level = 'all'
                    and residence = 'total' and population_basis = 'registered') as is_registered_synthetic,
                bool_or(provenance <> 'official') filter (where domain = 'basic') as is_basic_synthetic,
                any_value(year) as year
            from figure group by region_code
        )
        select w.*, (select max(r.region_name_en) from dim_region r where r.region_code = w.region_code)
            as region_name_en
        from wide w order by region_depth, region_code
        """,
        year,
        release.main_fund,
        release.population_source,
        release.home,
        release.home,
    )
    parts = [row for row in rows if row["region_code"] != release.home]
    if not parts:
        return None
    highest = max(float(row["per_resident"] or 0) for row in rows) or 1.0
    date_rows(rows, stand_ins(release).of_spending)
    for row in rows:
        row["share"] = float(row["per_resident"] or 0) / highest * 100
    return {
        "year": year,
        "period_name": newest[0]["period_name"],
        "parts": parts,
        "levels": sorted({row["region_level"] for row in parts}),
        "has_registered": any(row["registered"] is not None for row in rows),
        "has_basic": any(row["basic_pct"] is not None for row in rows),
        "home": next((row for row in rows if row["region_code"] == release.home), None),
        "currency": rows[0]["currency"],
        "has_synthetic": any(row["is_synthetic"] for row in parts),
        "depth": parts[0]["region_depth"],
    }


# -- coverage ----------------------------------------------------------------------------------------------------


def coverage(release: Release) -> list[Row] | None:
    """For every indicator of the home region its newest figure with numerator, denominator and target, by domain."""
    if not release.has("mart_service_coverage", "dim_indicator"):
        return None
    rows = release.rows(
        """
        with figure as (
            select *,
                max(year) over (partition by indicator_code) as newest,
                case population_basis when 'resident' then 1 when 'target_group' then 2 when 'none' then 3 else 4 end
                    as basis_order,
                case residence when 'total' then 1 else 2 end as residence_order
            from mart_service_coverage
            where region_code = ? and reference_geography = 'reported' and sex = 'all' and age_group = 'all'
                and "group" = 'all' and value is not null
        )
        select * from figure where year = newest
        qualify residence_order = min(residence_order) over (partition by indicator_code)
        order by indicator_code, basis_order, residence, population_source
        """,
        release.home,
    )
    if not rows:
        return None
    first: dict[str, Row] = {}
    for row in rows:
        if row["indicator_code"] not in first:
            first[row["indicator_code"]] = {**row, "others": []}
        else:
            first[row["indicator_code"]]["others"].append(row)
    found = stand_ins(release)
    for row in first.values():
        row["meter"] = None if row["attainment"] is None else max(0.0, min(1.0, float(row["attainment"]))) * 100
        row["origin"] = ORIGINS.get(str(row["target_origin"]), (row["target_origin"], row["target_origin"]))
        date_rows([row, *row["others"]], found.of_indicator(row["indicator_code"]))
    names = {item["domain"]: item for item in release.card["domains"]}
    order = {domain: position for position, domain in enumerate(names)}
    groups: dict[str, list[Row]] = {}
    for row in sorted(first.values(), key=lambda r: (order.get(r["domain"], 99), r["indicator_code"])):
        groups.setdefault(row["domain"], []).append(row)
    counted = release.rows(
        "select domain, count(*) as listed, count(*) filter (where is_computed) as computed "
        "from dim_indicator group by domain"
    )
    by_domain = {row["domain"]: row for row in counted}
    return [
        {
            "name_zh": names.get(domain, {}).get("name_zh", domain),
            "name_en": names.get(domain, {}).get("name_en", domain),
            "rows": members,
            "listed": by_domain.get(domain, {}).get("listed", len(members)),
        }
        for domain, members in groups.items()
    ]


def services_not_assessed(release: Release) -> list[Row]:
    """Services of the list that no indicator assesses, with the reason."""
    if not release.has("dim_service"):
        return []
    return release.rows(
        "select domain_name_zh, domain_name_en, name_zh, name_en, reason from dim_service where not is_assessed "
        "order by domain, service"
    )


# -- populations ---------------------------------------------------------------------------------------------------


def populations(release: Release) -> list[Row] | None:
    """Population of the home region by date: residents, registered, urban share."""
    if not release.has("fct_population"):
        return None
    rows = release.rows(
        """
        select
            reference_date, any_value(year) as year, population_source,
            max(population) filter (where population_basis = 'resident' and residence = 'total') as residents,
            max(population) filter (where population_basis = 'registered' and residence = 'total') as registered,
            max(population) filter (where population_basis = 'resident' and residence = 'urban') as urban,
            bool_or(provenance <> 'official') filter (where population_basis = 'resident' and residence = 'total')
                as is_resident_synthetic,
            bool_or(provenance <> 'official') filter (where population_basis = 'registered') as is_registered_synthetic,
            bool_or(provenance <> 'official') filter (where residence = 'urban') as is_urban_synthetic,
            max('P') filter (where list_contains(string_split(obs_status, ';'), 'P')) as obs_status
        from fct_population
        where region_code = ? and reference_geography = 'reported' and sex = 'all' and age_group = 'all'
            and (population_source <> 'mid_year' or ? = 'mid_year')
        group by reference_date, population_source order by reference_date desc, population_source
        """,
        release.home,
        release.population_source,
    )
    date_rows(rows, stand_ins(release).of_population)
    for row in rows:
        residents, urban, registered = row["residents"], row["urban"], row["registered"]
        row["urban_pct"] = Decimal(100) * urban / residents if urban is not None and residents else None
        row["ratio"] = residents / registered if residents is not None and registered else None
        row["source"] = SOURCES.get(row["population_source"], (row["population_source"],) * 2)
    return rows or None


# -- what is in the release ----------------------------------------------------------------------------------------


def tables_by_kind(release: Release) -> list[Row]:
    """The tables of the release by kind, with rows and what each answers."""
    rows = release.rows("select * from meta_table order by table_name")
    groups = []
    for prefix, zh, en in TABLE_KINDS:
        members = [row for row in rows if row["table_name"].startswith(prefix)]
        if members:
            groups.append({"zh": zh, "en": en, "rows": members})
    others = [row for row in rows if not row["table_name"].startswith(tuple(kind[0] for kind in TABLE_KINDS))]
    return groups + ([{"zh": "其他", "en": "Others", "rows": others}] if others else [])


def sources(release: Release) -> list[Row]:
    """Every extract with its provenance, its files in force and what they gave."""
    receipts: dict[str, list[Row]] = {}
    if release.has("audit_receipt"):
        for row in release.rows("select * from audit_receipt order by delivery_period, sequence"):
            receipts.setdefault(f"{row['department']}/{row['extract']}", []).append(row)
    listed = []
    for extract in release.card["extracts"]:
        key = f"{extract['department']}/{extract['extract']}"
        own = receipts.get(key, [])
        in_force = [row for row in own if row["is_in_force"]]
        periods = sorted({row["delivery_period"] for row in in_force})
        listed.append(
            {
                **extract,
                "key": key,
                "is_synthetic": extract["provenance"] != "official",
                "receipts": own,
                "files": len(in_force),
                "replaced": len(own) - len(in_force),
                "periods": f"{periods[0]}–{periods[-1]}" if len(periods) > 1 else "".join(periods),
                "observations": sum(row["observations"] or 0 for row in in_force),
                "rejects": sum(row["rejects"] or 0 for row in in_force),
            }
        )
    return sorted(listed, key=lambda item: (item["is_synthetic"], item["key"]))


def rejects(release: Release) -> list[Row]:
    """What was rejected, with its address."""
    return (
        release.rows("select * from audit_reject order by is_known, source_file, source_row")
        if release.has("audit_reject")
        else []
    )


def changed_tables(release: Release) -> list[Row]:
    """Tables whose rows changed against the release before."""
    tables = release.changes.get("tables", {})
    return [
        {"table": name, "columns_added": [], "columns_removed": [], **item}
        for name, item in tables.items()
        if item["added"]
        or item["removed"]
        or item["revised"]
        or item.get("columns_added")
        or item.get("columns_removed")
    ]


def sql_example(release: Release) -> Row | None:
    """A first query and what it answers on this very release."""
    if not release.has("mart_per_capita_spending"):
        return None
    home = release.home.replace("'", "''")
    fund = release.main_fund.replace("'", "''")
    derived = "" if release.population_source == "mid_year" else "  AND population_source <> 'mid_year'\n"
    sql = (
        "SELECT period_name, population_basis, population_source,\n"
        "       round(per_capita, 1) AS per_capita, currency, provenance\n"
        "FROM mart_per_capita_spending\n"
        f"WHERE region_code = '{home}' AND domain = 'all' AND residence = 'total'\n"
        f"  AND government_level = 'all' AND fund = '{fund}' AND account_stage = 'final'\n"
        "  AND price_basis = 'nominal' AND reference_geography = 'reported'\n"
        f"{derived}  AND per_capita IS NOT NULL\n"
        "ORDER BY year DESC, population_basis DESC, population_source\n"
        "LIMIT 6;"
    )
    rows = release.rows(sql.rstrip(";"))
    return {"sql": sql, "columns": list(rows[0]) if rows else [], "rows": [list(row.values()) for row in rows]}
