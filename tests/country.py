"""Verdania, a small invented country, written to disk as a jurisdiction: for tests of the whole way.

Its levels, currency, units, departments and indicators are its own, so that whatever still knows Zhejiang fails
here. The figures stand once in this module; files, contracts and the answers that tests expect are made of them.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
import yaml

# -- the country ----------------------------------------------------------------------------------------------

REALM, SHIRES = "V", ("VA", "VB")
PARISHES = {"VA": ("VA1", "VA2", "VA3"), "VB": ("VB1", "VB2")}
NAMES = {
    "V": "Verdania",
    "VA": "Alder Shire",
    "VB": "Birch Shire",
    "VA1": "Ash",
    "VA2": "Aspen",
    "VA3": "Old Mill",
    "VB1": "Beech",
    "VB2": "Ærø",
}
YEARS = (2018, 2019, 2020)
MERGED_ON = datetime.date(2019, 7, 1)  # Old Mill became a part of Aspen

# Residents at year end, in persons: (town, country) of each parish.
YEAR_END: dict[int, dict[str, tuple[int, int]]] = {
    2018: {
        "VA1": (30_000, 10_000),
        "VA2": (10_000, 20_000),
        "VA3": (0, 10_000),
        "VB1": (50_000, 10_000),
        "VB2": (5_500, 14_500),
    },
    2019: {"VA1": (31_200, 9_800), "VA2": (10_500, 30_000), "VB1": (51_300, 9_700), "VB2": (5_600, 13_900)},
    2020: {"VA1": (32_400, 9_600), "VA2": (11_100, 29_900), "VB1": (52_600, 9_400), "VB2": (5_700, 13_300)},
}

# The census of 30 June 2020: men and women by three ages, who lives in town, who is on the roll, who cannot read.
AGES = ("0-14", "15-64", "65+")
CENSUS: dict[str, dict[str, Any]] = {
    "VA1": {
        "male": (4_011, 13_502, 3_077),
        "female": (3_899, 13_611, 3_703),
        "town": 32_105,
        "roll": 38_250,
        "unread": 1_104,
        "homes": 15_210,
        "tap": 15_002,
    },
    "VA2": {
        "male": (4_130, 12_950, 3_160),
        "female": (3_920, 12_780, 3_871),
        "town": 11_009,
        "roll": 44_890,
        "unread": 1_897,
        "homes": 14_880,
        "tap": 13_471,
    },
    "VB1": {
        "male": (6_201, 20_811, 3_990),
        "female": (5_998, 20_602, 4_377),
        "town": 52_417,
        "roll": 49_760,
        "unread": 1_310,
        "homes": 23_402,
        "tap": 23_306,
    },
    "VB2": {
        "male": (1_805, 6_020, 1_651),
        "female": (1_722, 5_949, 1_913),
        "town": 5_702,
        "roll": 21_333,
        "unread": 640,
        "homes": 7_340,
        "tap": 6_911,
    },
}

# Own spending of each government by class, in crowns: (town, country, neither).
CLASSES = {"10": "health", "20": "schooling", "90": "other"}
OWN: dict[int, dict[str, dict[str, tuple[int, int, int]]]] = {
    2019: {
        "V": {"10": (0, 0, 21_500_000), "20": (0, 0, 9_250_000), "90": (0, 0, 40_125_000)},
        "VA": {"10": (3_200_000, 1_100_000, 500_000), "20": (2_000_000, 900_000, 0), "90": (0, 0, 6_400_000)},
        "VB": {"10": (4_100_000, 800_000, 300_000), "20": (2_700_000, 450_000, 0), "90": (0, 0, 5_900_000)},
        "VA1": {"10": (5_010_000, 1_490_000, 0), "20": (9_000_000, 2_800_000, 0), "90": (0, 0, 4_000_000)},
        "VA2": {"10": (1_700_000, 4_460_000, 0), "20": (3_100_000, 8_200_000, 0), "90": (0, 0, 3_700_000)},
        "VB1": {"10": (8_020_000, 1_530_000, 0), "20": (14_600_000, 2_600_000, 0), "90": (0, 0, 6_100_000)},
        "VB2": {"10": (900_000, 2_170_000, 0), "20": (1_500_000, 3_900_000, 0), "90": (0, 0, 2_000_000)},
    },
}
OWN[2020] = {
    region: {
        code: tuple(part * 106 // 100 for part in parts)  # type: ignore[misc]
        for code, parts in classes.items()
    }
    for region, classes in OWN[2019].items()
}

# Sample figures of the health office: hospital beds (public, private) and visits, by parish and year.
BEDS: dict[int, dict[str, tuple[int, int]]] = {
    2019: {"VA1": (160, 31), "VA2": (95, 0), "VB1": (270, 82), "VB2": (40, 0)},
    2020: {"VA1": (166, 35), "VA2": (97, 0), "VB1": (274, 90), "VB2": (40, 2)},
}


def population(year: int, region: str, residence: str = "total") -> int:
    """Residents at year end, in persons."""
    if region == REALM:
        return sum(population(year, shire, residence) for shire in SHIRES)
    if region in SHIRES:
        return sum(population(year, parish, residence) for parish in PARISHES[region] if parish in YEAR_END[year])
    town, country = YEAR_END[year][region]
    return {"total": town + country, "urban": town, "rural": country}[residence]


def census(region: str, what: str) -> int:
    """A count of the census; `what` is total, male, female, country, adults, or a field of CENSUS."""
    if region in (REALM, *SHIRES):
        below = SHIRES if region == REALM else [p for p in PARISHES[region] if p in CENSUS]
        return sum(census(part, what) for part in below)
    own = CENSUS[region]
    if what in ("male", "female"):
        return sum(own[what])
    if what == "total":
        return sum(own["male"]) + sum(own["female"])
    if what == "country":
        return census(region, "total") - own["town"]
    if what == "adults":
        return sum(own["male"][1:]) + sum(own["female"][1:])
    if "/" in what:  # sex/age
        sex, age = what.split("/")
        return int(own[sex][AGES.index(age)])
    return int(own[what])


def own_spending(year: int, region: str, code: str | None = None, part: str = "total") -> int:
    """What a government itself spent, in crowns."""
    codes = CLASSES if code is None else (code,)
    places = {"total": (0, 1, 2), "urban": (0,), "rural": (1,), "unattributed": (2,)}[part]
    return sum(OWN[year][region][c][place] for c in codes for place in places)


def all_spending(year: int, region: str, code: str | None = None, part: str = "total") -> int:
    """What a region's government and all governments below it spent, in crowns."""
    below = SHIRES if region == REALM else PARISHES.get(region, ())
    lower = sum(all_spending(year, r, code, part) for r in below if r in OWN[year])
    return own_spending(year, region, code, part) + lower


# -- reference tables and contracts -----------------------------------------------------------------------------

JURISDICTION = """\
# Verdania exists in tests only.
name: 翠国
name_en: Verdania
home_region: V
levels:
  - {name: realm, name_zh: 国, name_en: Realm, depth: 1, government_level: realm}
  - {name: shire, name_zh: 郡, name_en: Shire, depth: 2, government_level: shire}
  - {name: parish, name_zh: 教区, name_en: Parish, depth: 3, government_level: parish}
currency: VCR
time_zone: Atlantic/Reykjavik
schedule: "30 4 * * *"
years: {first: 2018, last: 2020, base: 2019}
units:
  persons: {base: persons, factor: 1}
  thousand: {base: persons, factor: 1000}
  thousand crowns: {base: crowns, factor: 1000}
  million crowns: {base: crowns, factor: 1000000}
  beds: {base: beds, factor: 1}
  homes: {base: homes, factor: 1}
synthetic_mark: {zh: 虚构数据, en: Invented figures}
disclosure: {method: none, reason: nobody lives there}
data_notes:
  - {zh: 全部为虚构。, en: All of it is invented.}
spending:
  - {measure: budget_outturn, role: whole, fund: general_budget, account_stage: final}
  - {measure: outturn_by_class, role: functional, fund: general_budget, account_stage: final, exhaustive: true}
"""

_REGION_ROWS = [
    ("V", "realm", "", "1900-01-01", "", ""),
    ("VA", "shire", "V", "1900-01-01", "", "Alder"),
    ("VB", "shire", "V", "1900-01-01", "", "Birch"),
    ("VA1", "parish", "VA", "1900-01-01", "", ""),
    ("VA2", "parish", "VA", "1900-01-01", "", ""),
    ("VA3", "parish", "VA", "1900-01-01", MERGED_ON.isoformat(), "Oldmill"),
    ("VB1", "parish", "VB", "1900-01-01", "", ""),
    ("VB2", "parish", "VB", "1900-01-01", "", ""),
]

REFERENCE: dict[str, list[dict[str, str]]] = {
    "regions.csv": [
        {
            "region_code": code,
            "region_name": NAMES[code],
            "region_name_en": NAMES[code],
            "region_level": level,
            "parent_code": parent,
            "valid_from": since,
            "valid_to": until,
            "code_origin": "roll of the realm",
            "aliases": aliases,
        }
        for code, level, parent, since, until, aliases in _REGION_ROWS
    ],
    "region_changes.csv": [
        {
            "from_code": "VA3",
            "to_code": "VA2",
            "effective_date": MERGED_ON.isoformat(),
            "change_kind": "merge",
            "population_share": "1",
            "share_of_to": "",
            "share_source": "whole unit",
            "is_estimated": "false",
            "notice": "Order 7 of 2019",
        }
    ],
    "region_groups.csv": [
        {
            "group_code": "islands",
            "group_name_zh": "岛屿",
            "group_name_en": "Islands",
            "group_kind": "island",
            "region_code": "VB2",
            "valid_from": "1900-01-01",
            "valid_to": "",
            "source": "map of the realm",
            "edition": "first",
            "is_verified": "true",
        }
    ],
    "domains.csv": [
        {"domain": "health", "name_zh": "卫生", "name_en": "Health", "sort_order": "1", "is_basic": "true"},
        {"domain": "schooling", "name_zh": "教育", "name_en": "Schooling", "sort_order": "2", "is_basic": "true"},
        {"domain": "other", "name_zh": "其他", "name_en": "Other", "sort_order": "3", "is_basic": "false"},
    ],
    "services.csv": [
        {
            "domain": "health",
            "service": "hospital",
            "edition": "plan one",
            "name_zh": "住院",
            "name_en": "Hospital care",
            "standard": "a bed within reach",
            "lead_department": "health office",
            "is_assessed": "true",
            "reason": "",
            "indicators": "BED;TAP",
        },
        {
            "domain": "schooling",
            "service": "letters",
            "edition": "plan one",
            "name_zh": "识字",
            "name_en": "Letters",
            "standard": "everybody reads",
            "lead_department": "school office",
            "is_assessed": "true",
            "reason": "",
            "indicators": "UNREAD;PUPIL",
        },
    ],
    "measures.csv": [
        dict(
            zip(
                ("measure", "name_zh", "name_en", "unit", "kind", "aggregation", "population_source", "is_population"),
                row,
                strict=True,
            )
        )
        for row in (
            ("residents", "年末常住人口", "Residents at year end", "persons", "stock", "whole", "year_end", "true"),
            ("counted", "普查人口", "Persons counted", "persons", "stock", "whole", "census", "true"),
            ("unread", "不识字者", "Persons who cannot read", "persons", "stock", "whole", "census", "false"),
            ("homes", "住房", "Homes", "homes", "stock", "whole", "census", "false"),
            ("homes_tap", "有自来水的住房", "Homes with a tap", "homes", "stock", "whole", "census", "false"),
            ("budget_outturn", "预算支出", "Budget outturn", "crowns", "flow", "whole", "none", "false"),
            ("outturn_by_class", "分类支出", "Outturn by class", "crowns", "flow", "own_level", "none", "false"),
            ("beds", "床位", "Hospital beds", "beds", "stock", "whole", "none", "false"),
            ("visits", "诊疗", "Visits", "persons", "flow", "whole", "none", "false"),
        )
    ],
    "functional_classes.csv": [
        {
            "class_code": code,
            "name_zh": domain,
            "name_en": domain.title(),
            "domain": domain,
            "edition": "one",
            "valid_from": "1900-01-01",
            "valid_to": "",
        }
        for code, domain in CLASSES.items()
    ],
    "targets.csv": [
        {
            "indicator_code": "BED",
            "region_code": "all",
            "target_year": "2020",
            "target_value": "5",
            "lower_limit": "",
            "upper_limit": "",
            "baseline": "",
            "edition": "plan one",
            "origin": "invented",
            "note": "",
        }
    ],
}


REFERENCE["weights.csv"] = [
    {"weight_set": "doctors", "parent": "all", "child": child, "weight": weight, "edition": "one", "origin": "invented",
     "note": ""}
    for child, weight in (("health", "3"), ("schooling", "1"))
]  # fmt: skip
REFERENCE["goalposts.csv"] = [
    {"goalpost_set": "first", "indicator_code": "BED", "low": "0", "high": "8", "note": "invented"}
]
REFERENCE["third_party_scores.csv"] = [
    {"region_code": "V", "year": "2020", "domain": "health", "method_id": "auditor", "score": "88.5",
     "source": "audit of 2021", "provenance": "official"}
]  # fmt: skip
VARIANT_COLUMNS = (
    "variant", "name_zh", "name_en", "subjects", "boundaries", "population_basis", "population_source", "prices",
    "fund", "account_stage", "government_level", "method", "weight_set", "target_edition", "goalpost_set",
)  # fmt: skip
# What is meant where nothing else is said.
MAIN_VARIANT = {
    **dict.fromkeys(VARIANT_COLUMNS, ""), "variant": "main", "name_zh": "主口径", "name_en": "Main reading",
    "boundaries": "reported", "population_basis": "resident", "population_source": "year_end", "prices": "nominal",
    "fund": "general_budget", "account_stage": "final", "government_level": "all", "method": "mean",
    "weight_set": "equal", "target_edition": "in_force", "goalpost_set": "first",
}  # fmt: skip


# The same where there is neither spending nor a set of goalposts nor a count of people.
PLAIN_VARIANT = {
    **MAIN_VARIANT, "population_source": "", "fund": "", "account_stage": "", "goalpost_set": ""
}  # fmt: skip


def variant(code: str, **choices: str) -> dict[str, str]:
    """One line of variants.csv: what differs from `main`."""
    unknown = set(choices) - set(VARIANT_COLUMNS)
    assert not unknown, unknown
    return {**dict.fromkeys(VARIANT_COLUMNS, ""), "variant": code, "name_zh": code, "name_en": code, **choices}


REFERENCE["variants.csv"] = [
    MAIN_VARIANT,
    variant("registered", subjects="spending", population_basis="registered", population_source="census"),
    variant("census", subjects="spending", population_source="census"),
    variant("own_level", government_level="own"),
    variant("doctors_weights", weight_set="doctors"),
    variant("auditor", method="auditor"),
    *(
        variant(method, method=method)
        for method in ("residents_at_threshold", "mean_less_dispersion", "lowest_fifth", "geometric_mean")
    ),
]


def indicator(code: str, **fields: str) -> dict[str, str]:
    """One line of indicators.csv; what is not given is the commonest."""
    line = {
        "indicator_code": code,
        "domain": "health",
        "name_zh": code,
        "name_en": code,
        "unit": "%",
        "direction": "higher",
        "role": "scored",
        "lowest_level": "parish",
        "pool_years": "1",
        "min_events": "",
        "denominator_population": "",
        "lead_department": "office",
        "numerator_text": "",
        "denominator_text": "",
        "numerator": "",
        "denominator": "",
        "multiplier": "100",
        "population_source": "",
        "may_exceed_100": "false",
        "reason": "",
    }
    unknown = set(fields) - set(line)
    assert not unknown, unknown
    return {**line, **fields}


REFERENCE["indicators.csv"] = [
    indicator(
        "BED",
        name_zh="每千人床位",
        name_en="Hospital beds per 1,000 residents",
        unit="beds per 1,000",
        numerator_text="beds",
        denominator_text="residents at year end",
        denominator_population="resident",
        numerator="beds",
        denominator="population",
        multiplier="1000",
        population_source="year_end",
        may_exceed_100="true",
    ),
    indicator(
        "UNREAD",
        domain="schooling",
        name_zh="不识字率",
        name_en="Persons aged 15 and over who cannot read",
        direction="lower",
        role="context",
        denominator_population="resident",
        numerator_text="persons aged 15+ who cannot read",
        denominator_text="residents aged 15+",
        numerator="unread",
        denominator="population{age_group=15-64|65+}",
        population_source="census",
    ),
    indicator(
        "TAP",
        name_zh="自来水",
        name_en="Homes with a tap",
        numerator_text="homes with a tap",
        denominator_text="homes",
        numerator="homes_tap",
        denominator="homes",
    ),
    indicator(
        "PUPIL",
        domain="schooling",
        name_zh="就学",
        name_en="Children at school",
        numerator_text="pupils",
        denominator_text="children",
        reason="no school sends its roll yet",
    ),
]


def _contract(extract: str, layout: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "id": extract,
        "version": "1.0.0",
        "name": extract,
        "name_en": extract,
        "provenance": "official",
        "license": "invented, free for all",
        "source": {"publisher": extract.split("/")[0], "title": extract},
        "team": [{"name": f"{extract.split('/')[0]} desk", "role": "owner"}],
        "rank": 10,
        "files": "*.csv",
        "layouts": [layout],
        **fields,
    }


_SEX = {"Men": "male", "Women": "female"}
CONTRACTS: dict[str, dict[str, Any]] = {
    # A workbook with indented names, line breaks in headers and a footnote.
    "bureau/census": _contract(
        "bureau/census",
        {
            "format": {"kind": "xlsx", "sheet": "Count"},
            "header": {"find": ["Code", "Place"]},
            "data": {"end_at": ["^Note"]},
            "region": {"code": "Code", "name": "Place"},
            "period": {"from": "folder", "kind": "point", "month_day": "06-30"},
            "tokens": {},
            "defaults": {"population_basis": "resident", "measure": "counted"},
            "values": [
                {"column": "All persons", "unit": "persons", "type": "integer", "min": 0},
                {"column": "On the roll", "population_basis": "registered", "unit": "persons", "type": "integer"},
                {"column": "In town", "residence": "urban", "unit": "persons", "type": "integer", "min": 0},
                {"column": "In the country", "residence": "rural", "unit": "persons", "type": "integer", "min": 0},
                {
                    "columns": r"^(?P<sex>Men|Women),?(?P<age>\d+-\d+|\d+\+)$",
                    "sex": "{sex}",
                    "age_group": "{age}",
                    "maps": {"sex": _SEX},
                    "unit": "persons",
                    "type": "integer",
                    "min": 0,
                },
                {"columns": "^(?P<sex>Men|Women)$", "sex": "{sex}", "maps": {"sex": _SEX}, "unit": "persons"},
                {"column": "Cannot read", "measure": "unread", "unit": "persons", "type": "integer", "min": 0},
                {"column": "Homes", "measure": "homes", "population_basis": "none", "unit": "homes", "type": "integer"},
                {
                    "column": "Homes with a tap",
                    "measure": "homes_tap",
                    "population_basis": "none",
                    "unit": "homes",
                    "type": "integer",
                },
            ],
        },
        files="*.xlsx",
        quality={"rows": {"min": 7, "max": 7}},
    ),
    # An old code page, a preamble, footnotes, thousands of persons, the years in the header.
    "bureau/residents": _contract(
        "bureau/residents",
        {
            "format": {"kind": "csv", "encoding": "cp1252", "delimiter": ";"},
            "header": {"find": ["Place", "Part"]},
            "data": {"end_at": ["^Source"]},
            "region": {"name": "Place", "name_suffixes": ["(whole)"]},
            "period": {"from": "header", "kind": "point", "month_day": "12-31"},
            "defaults": {"population_basis": "resident"},
            "rows": [
                {
                    "column": "Part",
                    "dimension": "residence",
                    "map": {"All": "total", "Town": "urban", "Country": "rural"},
                }
            ],
            "tokens": {"...": "not_applicable"},
            "values": [{"columns": r"^(?P<period>\d{4})$", "measure": "residents", "unit": "thousand", "min": 0}],
        },
        quality={"rows": {"min": 21}},
    ),
    # Whole budgets of the realm and its shires: one government's figure includes those below it.
    "treasury/budget": _contract(
        "treasury/budget",
        {
            "format": {"kind": "csv", "encoding": "utf-8-sig"},
            "header": {"find": ["Place"]},
            "region": {"name": "Place"},
            "period": {"from": "header", "kind": "year"},
            "tokens": {},
            "values": [{"columns": r"^(?P<period>\d{4})$", "measure": "budget_outturn", "unit": "million crowns"}],
        },
    ),
    # What each government itself spent, by class, in town and country.
    "treasury/functions": _contract(
        "treasury/functions",
        {
            "format": {"kind": "csv", "encoding": "utf-8"},
            "header": {"find": ["Code", "Class"]},
            "region": {"code": "Code"},
            "period": {"from": "column", "column": "Year", "kind": "year"},
            "rows": [{"column": "Class", "dimension": "item"}],
            "tokens": {},
            "defaults": {"measure": "outturn_by_class"},
            "values": [
                {"column": "All", "unit": "thousand crowns", "min": 0},
                {"column": "Town", "residence": "urban", "unit": "thousand crowns", "min": 0},
                {"column": "Country", "residence": "rural", "unit": "thousand crowns", "min": 0},
                {"column": "Neither", "residence": "unattributed", "unit": "thousand crowns", "min": 0},
            ],
            "ignore_columns": ["^Government$"],
        },
        rank=20,
    ),
    # Sample figures under a header of two rows with merged cells.
    "health/facilities": _contract(
        "health/facilities",
        {
            "format": {"kind": "xlsx", "sheet": 1},
            "header": {"find": ["Place", "Beds"], "rows": 2, "fill_right": True},
            "data": {"end_at": ["^Invented"]},
            "ignore_rows": [{"reason": "total", "column": "Place", "pattern": "^All$"}],
            "region": {"name": "Place"},
            "period": {"from": "folder", "kind": "year"},
            "tokens": {"": "missing", "x": "suppressed"},
            "values": [
                {"column": "Beds/Public", "measure": "beds", "group": "public", "unit": "beds", "type": "integer"},
                {"column": "Beds/Private", "measure": "beds", "group": "private", "unit": "beds", "type": "integer"},
                {"column": "Beds/Both", "measure": "beds", "unit": "beds", "type": "integer", "min": 0},
            ],
        },
        files="*.xlsx",
        provenance="synthetic",
        rank=50,
        quality={"rows": {"min": 4}},
    ),
}

Cell = str | int | float | None
Rows = list[list[Cell]]


def _thousand(persons: int) -> str:
    return str(Decimal(persons) / 1000)


def _census_rows() -> Rows:
    head: list[Cell] = ["Code", "Place", "All persons", "On the roll", "In town", "In the\ncountry", "Men", "Women"]
    head += [f"{label},\n{age}" for label in _SEX for age in AGES] + ["Cannot read", "Homes", "Homes with a tap"]
    rows: Rows = [["Count of the realm, 30 June 2020"], head]
    for shire in (REALM, *SHIRES):
        for region in [shire, *PARISHES.get(shire, ())]:
            if region == "VA3":  # gone before the count
                continue
            indent = "  " * (len(region) - 1)
            rows.append(
                [region, indent + NAMES[region]]
                + [census(region, what) for what in ("total", "roll", "town", "country", "male", "female")]
                + [census(region, f"{sex}/{age}") for sex in ("male", "female") for age in AGES]
                + [census(region, what) for what in ("unread", "homes", "tap")]
            )
    return [*rows, ["Note: the roll is the roll of the realm."]]


def _residents_rows() -> Rows:
    rows: Rows = [["Residents at year end (thousand)"], [], ["Place", "Part", *(str(y) for y in YEARS)]]
    for region in NAMES:
        for label, residence in (("All", "total"), ("Town", "urban"), ("Country", "rural")):
            name = f"{NAMES[region]} (whole)" if region in SHIRES else NAMES[region]
            cells: list[Cell] = [  # later figures of the merged parish cannot exist
                "..." if region == "VA3" and year > 2018 else _thousand(population(year, region, residence))
                for year in YEARS
            ]
            rows.append([name, label, *cells])
    return [*rows, ["Source: roll of the realm"]]


def _budget_rows() -> Rows:
    rows: Rows = [["Place", "2018", "2019", "2020"]]
    for region in (REALM, *SHIRES):
        whole = [Decimal(all_spending(year, region)) / 1_000_000 for year in (2019, 2020)]
        rows.append([NAMES[region], str(whole[0] - 10), *(str(w) for w in whole)])
    return rows


def _functions_rows(year: int) -> Rows:
    rows: Rows = [["Year", "Code", "Government", "Class", "All", "Town", "Country", "Neither"]]
    for region, classes in OWN[year].items():
        for code in classes:
            parts = [own_spending(year, region, code, part) for part in ("total", "urban", "rural", "unattributed")]
            rows.append([str(year), region, NAMES[region], code, *(str(Decimal(p) / 1000) for p in parts)])
    return rows


def _facilities_rows(year: int) -> Rows:
    rows: Rows = [["Place", "Beds", None, None], [None, "Public", "Private", "Both"]]
    for region, (public, private) in BEDS[year].items():
        rows.append([NAMES[region], public, private, public + private])
    total = [sum(v[i] for v in BEDS[year].values()) for i in (0, 1)]
    rows.append(["All", *total, sum(total)])
    return [*rows, ["Invented figures"]]


# extract -> delivery period -> (file name, rows)
DELIVERIES: dict[str, dict[str, tuple[str, Callable[[], Rows]]]] = {
    "bureau/census": {"2020": ("count.xlsx", _census_rows)},
    "bureau/residents": {"2020": ("residents.csv", _residents_rows)},
    "treasury/budget": {"2020": ("budget.csv", _budget_rows)},
    "treasury/functions": {
        "2019": ("functions.csv", lambda: _functions_rows(2019)),
        "2020": ("functions.csv", lambda: _functions_rows(2020)),
    },
    "health/facilities": {
        "2019": ("facilities.xlsx", lambda: _facilities_rows(2019)),
        "2020": ("facilities.xlsx", lambda: _facilities_rows(2020)),
    },
}


# -- writing ----------------------------------------------------------------------------------------------------


def csv_bytes(rows: Iterable[Sequence[Cell]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """Rows as CSV bytes."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(
        ["" if cell is None else cell for cell in row] for row in rows
    )
    return text.getvalue().encode(encoding)


def xlsx_bytes(
    rows: Sequence[Sequence[Cell]],
    sheet: str = "Sheet1",
    merges: Iterable[tuple[int, int, int, int, str]] = (),
) -> bytes:
    """Rows as an XLSX workbook, always the same bytes; `merges` are (first row, column, last row, column, text)."""
    target = io.BytesIO()
    workbook = xlsxwriter.Workbook(target, {"in_memory": True})
    workbook.set_properties({"created": datetime.datetime(2020, 1, 1)})
    page = workbook.add_worksheet(sheet)
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                page.write_string(number, column, cell)
            elif cell is not None:
                page.write_number(number, column, cell)
    for merge in merges:
        page.merge_range(*merge[:4], merge[4])
    workbook.close()
    return target.getvalue()


class Country:
    """The country as it lies on disk, with hands to change it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def landing_path(self, extract: str, period: str, name: str | None = None) -> Path:
        """Where a delivery lies."""
        if name is None:
            name = DELIVERIES[extract][period][0]
        return self.folder / "landing" / extract / period / name

    def rows(self, extract: str, period: str) -> Rows:
        """The rows of a delivery as they are unless something changes them."""
        return [list(row) for row in DELIVERIES[extract][period][1]()]

    def land(
        self,
        extract: str,
        period: str,
        *,
        cells: Mapping[tuple[int, int], Cell] | None = None,
        rows: Rows | None = None,
        data: bytes | None = None,
        name: str | None = None,
    ) -> Path:
        """Write or overwrite a landing file: as it is, with changed `cells` ((row, column) from 0), or other rows."""
        if data is None:
            rows = self.rows(extract, period) if rows is None else rows
            for (row, column), cell in (cells or {}).items():
                rows[row][column] = cell
            data = self.as_file(extract, rows)
        path = self.landing_path(extract, period, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.stat().st_mtime_ns if path.exists() else None
        path.write_bytes(data)
        if before is not None and path.stat().st_mtime_ns == before:  # pragma: no cover (coarse clocks)
            os.utime(path, ns=(before + 1, before + 1))
        return path

    def as_file(self, extract: str, rows: Rows) -> bytes:
        """Rows as the bytes that this extract's file would be."""
        rule = CONTRACTS[extract]["layouts"][0]["format"]
        if rule["kind"] == "csv":
            return csv_bytes(rows, rule.get("encoding", "utf-8-sig"), rule.get("delimiter", ","))
        merges = [(0, 1, 0, 3, "Beds"), (0, 0, 1, 0, "Place")] if extract == "health/facilities" else []
        sheet = rule["sheet"] if isinstance(rule["sheet"], str) else "Sheet1"
        return xlsx_bytes(rows, sheet, merges)

    def contract_path(self, extract: str) -> Path:
        """Where a contract lies."""
        return self.folder / "contracts" / f"{extract}.yml"

    def write_contract(self, extract: str, change: Callable[[dict[str, Any]], None] | None = None) -> Path:
        """Write a contract, changed by a function that edits it in place."""
        contract = json.loads(json.dumps(CONTRACTS[extract]))
        if change:
            change(contract)
        path = self.contract_path(extract)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(contract, allow_unicode=True, sort_keys=False), encoding="utf-8")
        return path

    def write_reference(self, file: str, lines: list[dict[str, str]] | None = None) -> Path:
        """Write a reference table, the country's own unless other lines are given."""
        lines = REFERENCE[file] if lines is None else lines
        path = self.folder / "reference" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = list(dict.fromkeys(column for line in lines or REFERENCE[file][:1] for column in line))
        path.write_bytes(csv_bytes([columns, *([line.get(c, "") for c in columns] for line in lines)]))
        return path

    def add_lines(self, file: str, *lines: dict[str, str]) -> Path:
        """Add lines to a reference table of the country's own."""
        return self.write_reference(file, [*REFERENCE[file], *lines])

    def copy(self, folder: Path) -> Country:
        """The same country at another place."""
        shutil.copytree(self.folder, folder)
        return Country(folder)


def make_country(folder: Path, **changes: Any) -> Country:
    """Write Verdania into `folder` (its name is the jurisdiction's key).

    Changes: `without` (extracts left out, contract and files), `landed` (False: contracts only), `cells`
    ({(extract, period): {(row, column): cell}}), `contracts` ({extract: function}), `reference` ({file: lines}),
    `jurisdiction` (text of jurisdiction.yml).
    """
    without = set(changes.pop("without", ()))
    landed = changes.pop("landed", True)
    cells = changes.pop("cells", {})
    contracts = changes.pop("contracts", {})
    reference = dict(changes.pop("reference", {}))
    jurisdiction = changes.pop("jurisdiction", JURISDICTION)
    assert not changes, f"unknown changes: {sorted(changes)}"
    if "spending:" not in jurisdiction and "variants.csv" not in reference:
        main = {**MAIN_VARIANT, "fund": "", "account_stage": ""}
        reference["variants.csv"] = [main, *REFERENCE["variants.csv"][1:]]
    country = Country(folder)
    folder.mkdir(parents=True)
    (folder / "jurisdiction.yml").write_text(jurisdiction, encoding="utf-8")
    for file in dict.fromkeys([*REFERENCE, *reference]):
        country.write_reference(file, reference.get(file))
    for extract, periods in DELIVERIES.items():
        if extract in without:
            continue
        country.write_contract(extract, contracts.get(extract))
        for period in periods if landed else ():
            country.land(extract, period, cells=cells.get((extract, period)))
    return country
