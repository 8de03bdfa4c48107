"""What the overview and the catalogue say, read from a prepared release and from nothing else.

Every function gives plain rows or None where the release has nothing to say; words and looks are the templates'.
"""

from __future__ import annotations

from pipelines.pages.chart import Point, Series
from pipelines.pages.data_files import governments
from pipelines.pages.provisional import date_rows, stand_ins
from pipelines.pages.subjects import Facts
from pipelines.publish import Release, Row

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
# What the main reading's choices of an account are called: its stage, prices, and whose spending is in it.
ACCOUNTS = {
    "account_stage": {"final": ("决算", "final account"), "budget": ("预算", "budget")},
    "prices": {"nominal": ("当年价", "nominal prices"), "constant": ("不变价", "constant prices")},
    "government_level": {
        "all": ("本级和下级政府合计", "this government and those below"),
        "own": ("本级政府", "this government alone"),
    },
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
    """What the people are called that figures per head are divided by in the main reading, in both languages."""
    return RESIDENTS.get(release.population_source, ("常住人口", "residents"))


def account_meant(release: Release) -> tuple[str, str]:
    """What spending of the main reading is, in both languages; empty where the release has no variants."""
    main = next(iter(release.rows_of("dim_variant", "where is_main")), {})
    words = [names.get(str(main.get(choice)), ("", "")) for choice, names in ACCOUNTS.items()]
    return "，".join(zh for zh, _ in words if zh), ", ".join(en for _, en in words if en)


# -- spending per head -------------------------------------------------------------------------------------------

# The main reading, and every declared variant that differs from it in the people only.
_PER_HEAD = """
    select 0 as place, 'main' as variant, '' as name_zh, '' as name_en, year, period_name, spending,
        residents as people, per_resident as per_head, currency, obs_status, provenance
    from mart_per_capita_spending
    where region_code = $1 and domain = 'all' and residence = 'total' and per_resident is not null
    union all
    select 1, s.variant, d.name_zh, d.name_en, s.year, s.period_name, s.spending, s.population, s.per_head, s.currency,
        s.obs_status, s.provenance
    from mart_per_capita_spending_variants s
    join dim_variant d using (variant)
    join dim_variant m on m.is_main and (m.prices, m.fund, m.account_stage, m.boundaries, m.government_level)
        = (d.prices, d.fund, d.account_stage, d.boundaries, d.government_level)
    where s.region_code = $1 and domain = 'all' and residence = 'total' and per_head is not null
    order by place, variant, year desc
"""
_LOOKS = ((1, "circle"), (2, "circle"), (2, "diamond"), (1, "diamond"))


def spending_over_years(release: Release) -> Row | None:
    """Spending per head of the home region over the years: the main reading, and by the other people declared."""
    if not release.has("mart_per_capita_spending", "mart_per_capita_spending_variants", "dim_variant"):
        return None
    rows = release.rows(_PER_HEAD, release.home)
    zh, en = residents_meant(release)
    found = stand_ins(release)
    date_rows(rows, found.of_spending)
    series: dict[str, list[Row]] = {}
    for row in rows:
        if row["variant"] == "main":
            row["name_zh"], row["name_en"] = f"按{zh}", f"By {en}"
        series.setdefault(row["variant"], []).append(row)
    if "main" not in series:
        return {"series": [], "rows": []}
    drawn = []
    for members, look in zip(series.values(), _LOOKS * len(series), strict=False):
        points = [
            Point(row["year"], row["per_head"], row["provenance"] != "official", row["period_name"])
            for row in reversed(members)
        ]
        drawn.append(Series(members[0]["name_zh"], members[0]["name_en"], *look, points))
        members[0]["tone"] = look[0]
    return {
        "series": drawn,
        "rows": rows,
        "newest": [members[0] for members in series.values()],
        "currency": rows[0]["currency"],
        "has_synthetic": any(row["provenance"] != "official" for row in rows),
    }


_BY_REGION = """
    select s.*, t.government_levels, basic.budget_share_pct as basic_pct, basic.provenance as basic_provenance
    from mart_subject_level l
    join mart_region_trend t on t.subject_code = l.subject_code and t.year = l.year
        and (t.region_depth = l.region_depth or t.region_code = $1)
    join dim_current_region r on r.region_id = t.region_id and r.is_territory
    join mart_per_capita_spending s on s.region_id = t.region_id and s.year = t.year and s.domain = 'all'
        and s.residence = 'total'
    left join mart_per_capita_spending basic on basic.region_id = t.region_id and basic.year = t.year
        and basic.domain = 'basic' and basic.residence = 'total'
    where l.subject_code = 'spending.all' and l.region_depth = $2
    order by t.region_code <> $1, t.government_levels, s.region_code
"""


def spending_by_region(release: Release, facts: Facts) -> Row | None:
    """Spending per head of the regions right below the home region, in the newest year that they have.

    Regions are together with those whose money is of the same levels of government, and with nobody else.
    """
    if not facts.shown("spending.all"):
        return None
    depth = facts.regions[facts.home].depth + 1
    rows = release.rows(_BY_REGION, facts.home, depth)
    if len(rows) < 2 or rows[0]["region_code"] != facts.home:
        return None
    home, *parts = rows
    names, groups = governments(release), dict[str, list[Row]]()
    date_rows(rows, stand_ins(release).of_spending)
    for row in parts:
        row["is_synthetic"] = row["provenance"] != "official"
        groups.setdefault(row["government_levels"], []).append(row)
    for members in groups.values():
        highest = max(row["per_resident"] or 0 for row in members) or 1
        for row in members:
            row["length"] = max(0, row["per_resident"] or 0) / highest * 100
    listed = [
        {"rows": members, "names": [names.get(code, [code, code]) for code in levels.split(",") if code]}
        for levels, members in groups.items()
    ]
    return {
        "period_name": parts[0]["period_name"],
        "groups": listed,
        "home": home | {"is_synthetic": home["provenance"] != "official", "length": 0},
        "currency": home["currency"],
        "has_synthetic": any(row["is_synthetic"] for row in parts),
        "has_registered": any(row["registered"] is not None for row in rows),
        "has_basic": any(row["basic_pct"] is not None for row in rows),
        "levels": sorted({row["region_level"] for row in parts}),
    }


# -- coverage ----------------------------------------------------------------------------------------------------

# An indicator that is known of parts of the people only is shown by them.
_COVERAGE = """
    select c.*, b.name_zh as part_zh, b.name_en as part_en
    from mart_service_coverage c
    join dim_breakdown b using (breakdown)
    left join mart_subject_level l on l.subject_code = c.indicator_code and l.region_depth = c.region_depth
    where c.region_code = ? and c.value is not null
        and case when l.year is null then c.breakdown <> 'all' else c.breakdown = 'all' and c.year = l.year end
    qualify c.year = max(c.year) over (partition by c.indicator_code)
    order by c.indicator_code, c.breakdown
"""


def coverage(release: Release, facts: Facts) -> list[Row] | None:
    """For every indicator of the home region its newest figure with numerator, denominator and target, by domain."""
    if not release.has("mart_service_coverage", "dim_indicator", "dim_breakdown", "mart_subject_level"):
        return None
    groups: dict[str, list[Row]] = {}
    found = stand_ins(release)
    for row in release.rows(_COVERAGE, release.home):
        date_rows([row], found.of_indicator(row["indicator_code"]))
        row["text"] = facts.subjects[row["indicator_code"]].written(row["value"])
        row["meter"] = None if row["attainment"] is None else max(0.0, min(1.0, row["attainment"])) * 100
        row["origin"] = ORIGINS.get(str(row["target_origin"]), (row["target_origin"], row["target_origin"]))
        groups.setdefault(row["domain"], []).append(row)
    listed = {
        row["domain"]: row["listed"]
        for row in release.rows("select domain, count(*) as listed from dim_indicator group by domain")
    }
    names = {item["domain"]: item for item in release.card["domains"]}
    return [
        {
            "name_zh": names.get(domain, {}).get("name_zh", domain),
            "name_en": names.get(domain, {}).get("name_en", domain),
            "rows": groups[domain],
            "known": len({row["indicator_code"] for row in groups[domain]}),
            "listed": listed[domain],
        }
        for domain in sorted(groups, key=[*names, *groups].index)
    ]


def services_not_assessed(release: Release) -> list[Row]:
    """Services of the list that no indicator assesses, with the reason."""
    return release.rows_of("dim_service", "where not is_assessed order by domain, service")


def populations(release: Release) -> list[Row]:
    """People of the home region by day and source, the newest first."""
    rows = release.rows_of(
        "mart_population", "where region_code = ? order by reference_date desc, population_source", release.home
    )
    for row in rows:
        row["obs_status"] = ";".join(filter(None, (row["residents_status"], row["registered_status"])))
    date_rows(rows, stand_ins(release).of_population)
    return [{**row, "source": SOURCES.get(row["population_source"], (row["population_source"],) * 2)} for row in rows]


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
        received = receipts.get(key, [])
        in_force = [row for row in received if row["is_in_force"]]
        periods = sorted({row["delivery_period"] for row in in_force})
        listed.append(
            {
                **extract,
                "key": key,
                "is_synthetic": extract["provenance"] != "official",
                "receipts": received,
                "files": len(in_force),
                "replaced": len(received) - len(in_force),
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
    sql = (
        "SELECT period_name, spending, residents, per_resident, per_registered, provenance\n"
        "FROM mart_per_capita_spending\n"
        f"WHERE region_code = '{home}' AND domain = 'all' AND residence = 'total'\n"
        "ORDER BY year DESC\n"
        "LIMIT 6;"
    )
    rows = release.rows(sql.rstrip(";"))
    return {"sql": sql, "columns": list(rows[0]) if rows else [], "rows": [list(row.values()) for row in rows]}
