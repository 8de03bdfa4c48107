"""Fenland, an invented jurisdiction of financial years: what its offices report by month, quarter and year, net of
income, beside populations of mid-year on the regions of another year. For tests of what a year is made of.

The numbers are here once; files are made of them, tests name the answers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import country
import yaml

YEARS = ("2018-19", "2023-24")
MONTHS = tuple(f"{2018 + (month > 12)}-{(month - 1) % 12 + 1:02d}" for month in range(4, 16))  # of 2018-19
BOUNDARIES = 2023

DESCRIPTION: dict[str, Any] = {
    "name": "沼泽郡",
    "name_en": "Fenland (invented)",
    "home_region": "E",
    "levels": [
        {"name": "country", "name_zh": "国", "name_en": "Country", "depth": 0},
        {"name": "authority", "name_zh": "郡", "name_en": "Authority", "depth": 1, "government_level": "authority"},
        {"name": "body", "name_zh": "机构", "name_en": "Body", "depth": 1, "is_territory": False},
        {"name": "district", "name_zh": "区", "name_en": "District", "depth": 2, "government_level": "district"},
    ],
    "currency": "XTS",
    "time_zone": "Europe/London",
    "years": {"first": 2018, "last": 2023},
    "financial_years": {"starts": "04-01", "named_by": "start", "population": "middle"},
    "units": {
        "crowns": {"base": "crowns", "factor": 1},
        "persons": {"base": "persons", "factor": 1},
        "visits": {"base": "visits", "factor": 1},
        "posts": {"base": "posts", "factor": 1},
    },
    "disclosure": {"method": "none", "reason": "invented"},
    "spending": [
        {"measure": "net_by_service", "role": "functional", "fund": "general", "account_stage": "final"},
        {"measure": "net_total", "role": "whole", "fund": "general", "account_stage": "final"},
        {"measure": "capital_by_service", "role": "functional", "fund": "capital", "account_stage": "final"},
    ],
}

# C is a county over two districts; Vale changed its code; the two Meres became Newmere; nobody lives on Zero Marsh.
REGIONS = [
    ("E", "Fenland", "country", "", "1970-01-01", ""),
    ("C", "Caister", "authority", "E", "1970-01-01", ""),
    ("D1", "Dun One", "district", "C", "1970-01-01", ""),
    ("D2", "Dun Two", "district", "C", "1970-01-01", ""),
    ("U", "Upwell", "authority", "E", "1970-01-01", ""),
    ("VO", "Vale", "authority", "E", "1970-01-01", "2021-04-01"),
    ("V", "Vale", "authority", "E", "2021-04-01", ""),
    ("M1", "Mere One", "authority", "E", "1970-01-01", "2023-04-01"),
    ("M2", "Mere Two", "authority", "E", "1970-01-01", "2023-04-01"),
    ("N", "Newmere", "authority", "E", "2023-04-01", ""),
    ("Z", "Zero Marsh", "authority", "E", "1970-01-01", ""),
    ("F", "Fen Police", "body", "E", "1970-01-01", ""),
]
CHANGES = [
    ("VO", "V", "2021-04-01", "recode", "1", "1", "order", "false"),
    ("M1", "N", "2023-04-01", "merge", "1", "", "order", "false"),
    ("M2", "N", "2023-04-01", "merge", "1", "", "order", "false"),
]
MEASURES = [
    (
        "net_by_service",
        "净支出分类",
        "Net spending by service",
        "crowns",
        "flow",
        "own_level",
        "none",
        "false",
        "true",
        "",
    ),
    ("net_total", "净支出", "Net spending", "crowns", "flow", "own_level", "none", "false", "true", ""),
    ("capital_by_service", "资本支出", "Capital spending", "crowns", "flow", "whole", "none", "false", "", ""),
    ("people", "年中人口", "Mid-year population", "persons", "stock", "whole", "mid_year", "true", "", "true"),
    ("visits", "到馆人次", "Visits", "visits", "flow", "whole", "none", "false", "", ""),
    ("loans", "借阅册次", "Loans", "visits", "flow", "whole", "none", "false", "", ""),
    ("staff", "工作人员", "Staff", "posts", "stock", "whole", "none", "false", "", ""),
]
INDICATORS = [
    ("VISITS", "人均到馆", "Visits per head", "visits per head", "visits", "1"),
    ("LOANS", "人均借阅", "Loans per head", "loans per head", "loans", "1"),
    ("STAFF", "每千人工作人员", "Staff per 1000", "posts per 1000", "staff", "1000"),
]

# Net spending by each council: code, education, housing, all of it. [x]: not a service of this council.
OUTTURN = {
    "2018-19": [
        ("C", 1000, "[x]", 1000),
        ("D1", "[x]", -30, -30),
        ("D2", "[x]", 50, 50),
        ("U", 400, 40, 440),
        ("VO", 300, 30, 330),
        ("M1", 200, 20, 220),
        ("M2", 100, 10, 110),
        ("Z", 5, 1, 6),
    ],
    "2023-24": [
        ("C", 1100, "[x]", 1100),
        ("D1", "[x]", -10, -10),
        ("D2", "[x]", 60, 60),
        ("U", 500, 50, 550),
        ("V", 350, 35, 385),
        ("N", 330, 33, 363),
        ("Z", 5, 1, 6),
    ],
}
# Capital spending for everybody in a region, whoever spends it: a county's holds that in its districts.
CAPITAL = [("E", 200), ("C", 80), ("D1", 30), ("D2", 50), ("U", 120)]
# Residents of 30 June, on the regions of 2023, in years with and without spending.
PEOPLE = {"D1": "100.5", "D2": "200.25", "U": "400", "V": "300", "N": "299.25", "Z": "0"}
PEOPLE_OF = {2018: 1, 2019: 2, 2022: 4}  # year, how many times those


def rows_of_visits() -> list[tuple[str, str, int]]:
    """Upwell reports every month, Vale nine of the twelve."""
    return [("U", month, 1000) for month in MONTHS] + [("VO", month, 10) for month in MONTHS[:9]]


def write(folder: Path, **description: Any) -> Path:
    """The jurisdiction in a folder; `description` replaces fields of its jurisdiction.yml."""
    described = yaml.safe_dump({**DESCRIPTION, **description}, sort_keys=False, allow_unicode=True)
    _write(folder / "jurisdiction.yml", described)
    reference = folder / "reference"
    names = "region_code,region_name,region_name_en,region_level,parent_code,valid_from,valid_to,code_origin,aliases"
    _write(reference / "regions.csv", _table(names, [(r[0], r[1], *r[1:], "office", "") for r in REGIONS]))
    names = "from_code,to_code,effective_date,change_kind,population_share,share_of_to,share_source,is_estimated,notice"
    _write(reference / "region_changes.csv", _table(names, [(*change, "") for change in CHANGES]))
    names = "measure,name_zh,name_en,unit,kind,aggregation,population_source,is_population"
    names += ",may_be_negative,may_be_fractional"
    _write(reference / "measures.csv", _table(names, MEASURES))
    names = "domain,name_zh,name_en,sort_order,is_basic"
    domains = [("education", "教育", "Education", "1", "true"), ("housing", "住房", "Housing", "2", "false")]
    _write(reference / "domains.csv", _table(names, domains))
    names = "class_code,name_zh,name_en,domain,edition,valid_from,valid_to"
    classes = [(domain, zh, en, domain, "RS", "2000-01-01", "") for domain, zh, en, _, _ in domains]
    _write(reference / "functional_classes.csv", _table(names, classes))
    _write(reference / "indicators.csv", _indicators())
    main = {**country.MAIN_VARIANT, "population_source": "mid_year", "fund": "general", "goalpost_set": ""}
    lines = [main, country.variant("capital", fund="capital")]
    _write(reference / "variants.csv", _table(",".join(main), [tuple(line.values()) for line in lines]))
    for extract, contract in _contracts().items():
        _write(folder / "contracts" / "office" / f"{extract}.yml", contract)
    for year, rows in OUTTURN.items():
        _land(folder, "outturn", year, "code,year,education,housing,total", [(r[0], year, *r[1:]) for r in rows])
    _land(folder, "capital", "2018-19", "code,education", CAPITAL)
    people = [
        (code, year, f"{float(count) * times}") for year, times in PEOPLE_OF.items() for code, count in PEOPLE.items()
    ]
    _land(folder, "people", "2023", "code,year,people", people)
    _land(folder, "visits", "2018", "code,month,visits", rows_of_visits())
    _land(folder, "loans", "2018", "code,month,loans", [("U", month, 10) for month in MONTHS[:9]])
    quarters = zip(("2018Q1", "2018Q2", "2018Q3", "2018Q4"), (7, 8, 9, 10), strict=True)  # of the financial year
    _land(folder, "staff", "2018", "code,quarter,staff", [("U", quarter, posts) for quarter, posts in quarters])
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _table(header: str, rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header.split(","), *rows])
    return text.getvalue()


def _land(folder: Path, extract: str, period: str, header: str, rows: Iterable[Sequence[Any]]) -> None:
    _write(folder / "landing" / "office" / extract / period / f"{extract}.csv", _table(header, rows))


def _indicators() -> str:
    same = {
        "domain": "education",
        "direction": "higher",
        "role": "context",
        "lowest_level": "district",
        "pool_years": "1",
        "denominator_population": "resident",
        "lead_department": "office",
        "denominator_text": "residents",
        "denominator": "population",
        "population_source": "mid_year",
        "may_exceed_100": "true",
        "interval_kind": "none",
    }
    names = (
        "indicator_code,domain,name_zh,name_en,unit,direction,role,lowest_level,pool_years,min_events,"
        "denominator_population,lead_department,numerator_text,denominator_text,numerator,denominator,multiplier,"
        "population_source,may_exceed_100,reason,interval_kind"
    )
    rows = []
    for code, zh, en, unit, measure, multiplier in INDICATORS:
        own = {"indicator_code": code, "name_zh": zh, "name_en": en, "unit": unit, "multiplier": multiplier}
        fields = {**same, **own, "numerator": measure, "numerator_text": measure}
        rows.append([fields.get(name, "") for name in names.split(",")])
    return _table(names, rows)


def _contracts() -> dict[str, str]:
    def contract(extract: str, period: dict[str, Any], values: list[dict[str, Any]], **more: Any) -> str:
        layout = {
            "format": {"kind": "csv", "encoding": "utf-8"},
            "header": {"row": 1},
            "region": {"code": "code"},
            "period": period,
            "tokens": {"[x]": "not_applicable"},
            "values": values,
        }
        described = {
            "id": f"office/{extract}",
            "version": "1.0.0",
            "name": extract,
            "name_en": extract,
            "provenance": "official",
            "license": "invented",
            "source": {"publisher": "office"},
            "team": [{"name": "desk"}],
            "rank": 10,
            "files": "*.csv",
            "layouts": [layout],
            **more,
        }
        return yaml.safe_dump(described, sort_keys=False, allow_unicode=True)

    def in_column(column: str, kind: str, **more: Any) -> dict[str, Any]:
        return {"from": "column", "column": column, "kind": kind, **more}

    services = [
        {"column": item, "measure": "net_by_service", "item": item, "unit": "crowns"}
        for item in ("education", "housing")
    ]
    capital = [{"column": "education", "measure": "capital_by_service", "item": "education", "unit": "crowns"}]
    people = [{"column": "people", "measure": "people", "population_basis": "resident", "unit": "persons"}]
    return {
        "outturn": contract(
            "outturn",
            in_column("year", "year"),
            [*services, {"column": "total", "measure": "net_total", "unit": "crowns"}],
        ),
        "capital": contract("capital", {"from": "folder", "kind": "year"}, capital),
        "people": contract("people", in_column("year", "point", month_day="06-30"), people, boundaries=BOUNDARIES),
        "visits": contract(
            "visits", in_column("month", "month"), [{"column": "visits", "measure": "visits", "unit": "visits"}]
        ),
        "loans": contract(
            "loans",
            in_column("month", "month"),
            [{"column": "loans", "measure": "loans", "unit": "visits"}],
            partial_year="by_months",
        ),
        "staff": contract(
            "staff", in_column("quarter", "quarter"), [{"column": "staff", "measure": "staff", "unit": "posts"}]
        ),
    }
