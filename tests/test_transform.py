"""The build on an invented country: which reports count, how regions and governments add up, indicators, targets."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from pipelines import transform
from pipelines.errors import FaultError
from pipelines.records import Build, Choice, Reading, Receipt, TieOut
from pipelines.settings import DBT_FOLDER, TELEMETRY_OFF, Settings
from pipelines.store import Warehouse

FAR = date(1900, 1, 1)
POLARS = {
    "VARCHAR": pl.String,
    "INTEGER": pl.Int32,
    "DATE": pl.Date,
    "BOOLEAN": pl.Boolean,
    "DECIMAL(28,9)": pl.Decimal(28, 9),
}


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """A reference frame with all columns of the source table; what a row does not say is null."""
    columns = transform.SOURCE_TABLES[name]
    texts = [{c: None if row.get(c) is None else str(row[c]) for c in columns} for row in rows]
    return pl.DataFrame(texts, schema=dict.fromkeys(columns, pl.String))


@dataclass
class World:
    """Deliveries of an invented country, written as readings of a warehouse."""

    warehouse: Warehouse
    receipts: list[Receipt] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    in_force: set[str] = field(default_factory=set)
    held: dict[str, str] = field(default_factory=dict)  # receipt that failed its checks -> the one in its place
    extracts: dict[str, dict[str, Any]] = field(default_factory=dict)
    reference: dict[str, pl.DataFrame] = field(default_factory=dict)

    def extract(
        self, name: str, rank: int = 10, provenance: str = "official", delivery: str = "replaces_periods"
    ) -> None:
        department, extract = name.split("/")
        self.extracts[name] = {
            "department": department,
            "extract": extract,
            "name_zh": extract,
            "name_en": extract,
            "extract_rank": rank,
            "provenance": provenance,
            "delivery": delivery,
            "period_kind": "year",
        }

    def deliver(
        self,
        name: str,
        period: str,
        rows: list[dict[str, Any]],
        *,
        rejects: int = 0,
        ignored: int = 0,
        in_force: bool = True,
        unreadable: str = "",
    ) -> str:
        """One file: rows are observations in short (measure, region, year or day, value and dimensions)."""
        number = len(self.receipts) + 1
        department, extract = name.split("/")
        receipt_id, reading_id = f"receipt-{number}", f"reading-{number}"
        common = {"reading_id": reading_id, "receipt_id": receipt_id, "department": department, "extract": extract}
        place = {"source_file": "file.csv", "source_sheet": "1"}
        observations = [
            {
                "observation_id": f"{receipt_id}-{line}",
                **common,
                "region_name_reported": row["region_code"],
                "period_start": date(row["year"], 1, 1),
                "period_end": date(row["year"], 12, 31),
                "population_basis": "none",
                "residence": "total",
                "sex": "all",
                "age_group": "all",
                "group": "all",
                "item": "all",
                "unit": "persons",
                "value_reported": str(row.get("value")),
                "unit_reported": "persons",
                "obs_status": "O" if row["value"] is None else "A",
                "conf_status": "F",
                "provenance": self.extracts[name]["provenance"],
                **place,
                "source_row": line,
                "source_column": "A",
                "delivery_period": period,
                **{k: v for k, v in row.items() if k not in ("year", "value")},
                "value": None if row["value"] is None else Decimal(str(row["value"])),
            }
            for line, row in enumerate(rows, start=1)
        ]
        reject_rows = [
            {
                "reject_id": f"{receipt_id}-r{n}",
                **common,
                "delivery_period": period,
                **place,
                "source_row": n,
                "source_column": "B",
                "scope": "cell",
                "rule": "not_a_number",
                "reported_text": "5.5.4",
                "detail": "no number",
                "region_code": None,
                "is_known": False,
                "known_reason": None,
            }
            for n in range(rejects)
        ]
        ignored_rows = [
            {**common, **place, "source_row": n, "reason": "footnote", "reported_text": "注"} for n in range(ignored)
        ]
        folder = Path("readings") / reading_id
        absolute = self.warehouse.folder / folder
        absolute.mkdir(parents=True)
        for file_name, name_of_table, content in (
            ("accepted.parquet", "observation", observations),
            ("rejects.parquet", "reject", reject_rows),
            ("ignored.parquet", "ignored", ignored_rows),
        ):
            schema = {c: POLARS[t] for c, t in transform.SOURCE_TABLES[name_of_table].items()}
            full = [{c: row.get(c) for c in schema} for row in content]
            pl.DataFrame(full, schema=schema).write_parquet(absolute / file_name)
        missing = sum(1 for row in rows if row["value"] is None)
        tie_out = TieOut(
            source_file="file.csv",
            source_sheet="1",
            rows_read=len(rows) + ignored,
            rows_accepted=len(rows),
            rows_ignored=ignored,
            values_read=len(rows) + rejects,
            values_accepted=len(rows) - missing,
            values_missing=missing,
            values_rejected=rejects,
        )
        self.receipts.append(
            Receipt(
                receipt_id,
                department,
                extract,
                period,
                "file.csv",
                f"{name}/{period}/file.csv",
                "0" * 64,
                1,
                "2024-05-06T07:08:09.000010Z",
                number,
            )
        )
        self.readings.append(
            Reading(
                reading_id,
                receipt_id,
                department,
                extract,
                period,
                "c",
                "r",
                "v",
                "unreadable" if unreadable else "read",
                unreadable,
                "2024-05-06T07:08:10Z",
                folder.as_posix(),
                [tie_out.as_dict()],
                rejects,
            )
        )
        if in_force:
            self.in_force.add(receipt_id)
        return receipt_id

    def withdraw(self, name: str, period: str) -> None:
        """The department takes a file back: a receipt without a reading."""
        number = len(self.receipts) + 1
        department, extract = name.split("/")
        path = f"{name}/{period}/file.csv"
        self.receipts.append(
            Receipt(f"receipt-{number}", department, extract, period, "file.csv", path, "0" * 64, 0,
                    "2024-05-06T07:08:09Z", number, is_withdrawal=True)
        )  # fmt: skip

    @property
    def choice(self) -> Choice:
        """Which deliveries count."""
        in_place_of = {instead: held for held, instead in self.held.items()}
        return Choice(frozenset(self.in_force), (), dict.fromkeys(self.held, "it failed"), in_place_of)

    def build(self, build_id: str, **settings: Any) -> Build:
        identity = Build(
            build_id,
            str(self.warehouse.build_folder(build_id)),
            "i",
            [r.reading_id for r in self.readings],
            "c",
            "r",
            "k",
            "e",
            None,
            "2024-05-06T07:08:11Z",
        )
        reference = {**self.reference, "extract": table("extract", list(self.extracts.values()))}
        asked = replace(
            Settings(jurisdiction_folder=Path("/nowhere"), warehouse_folder=self.warehouse.folder), **settings
        )
        return transform.build(self.warehouse, asked, reference, self.readings, self.receipts, identity, self.choice)


# Two provinces. P1: cities C1 (counties K1, K2 and, until 2019, the zone Z1 without a government) and C2 (K3, K4).
# P2: city C3 (K5, K6).
PARENTS = {
    "P1": None,
    "P2": None,
    "C1": "P1",
    "C2": "P1",
    "C3": "P2",
    "K1": "C1",
    "K2": "C1",
    "K3": "C2",
    "K4": "C2",
    "K5": "C3",
    "K6": "C3",
    "Z1": "C1",
}
LEVELS = {
    "P": ("province", 0, "province"),
    "C": ("city", 1, "city"),
    "K": ("county", 2, "county"),
    "Z": ("zone", 2, None),
}
COUNTIES = ["K1", "K2", "K3", "K4", "K5", "K6"]


def reference() -> dict[str, pl.DataFrame]:
    regions = [
        {
            "region_code": code,
            "region_name": f"地区{code}",
            "region_name_en": code,
            "region_level": LEVELS[code[0]][0],
            "region_depth": LEVELS[code[0]][1],
            "government_level": LEVELS[code[0]][2],
            "is_territory": True,
            "parent_code": parent,
            "valid_from": FAR,
            "valid_to": "2019-01-01" if code == "Z1" else None,
            "code_origin": "invented",
        }
        for code, parent in PARENTS.items()
    ]
    measures = [
        ("people", "persons", "stock", "whole", "year_end", True),
        ("registered_people", "persons", "stock", "whole", "year_end", True),
        ("counted_people", "persons", "stock", "whole", "census", True),
        ("beds", "beds", "stock", "whole", "none", False),
        ("served", "persons", "stock", "whole", "none", False),
        ("readers", "persons", "stock", "whole", "census", False),
        ("cases", "cases", "stock", "whole", "none", False),
        ("places", "places", "stock", "whole", "none", False),
        ("printed_rate", "percent", "rate", "none", "none", False),
        ("budget", "coins", "flow", "whole", "none", False),
        ("class_spending", "coins", "flow", "own_level", "none", False),
    ]
    indicators = [
        ("BED", "beds", "higher", 1000, False, "county"),
        ("SERVED", "%", "higher", 100, False, "county"),
        ("READ", "%", "higher", 100, False, "county"),
        ("CASES", "%", "lower", 100, False, "city"),
        ("PERPLACE", "%", "interval", 100, True, "county"),
        ("LOAD", "points", "lower", 1, True, "city"),
    ]
    terms = [
        term("BED", "numerator", "beds"),
        *population("BED", "year_end"),
        term("SERVED", "numerator", "served"),
        *population("SERVED", "year_end"),
        term("READ", "numerator", "readers"),
        *population("READ", "census", ["10-14", "15+"]),
        term("CASES", "numerator", "cases", item="open", out_residence="total", residence="total"),
        term("CASES", "numerator", "cases", 2, coefficient=-1, item="closed", out_residence="total", residence="total"),
        term("CASES", "denominator", "cases", item="open", out_residence="total", residence="total"),
        term("LOAD", "numerator", "cases", coefficient="2.5", item="open", out_residence="total", residence="total"),
        term(
            "LOAD", "numerator", "cases", 2, coefficient="-3", item="closed", out_residence="total", residence="total"
        ),
        term(
            "LOAD",
            "denominator",
            "cases",
            coefficient="0.000125",
            term_letters="E",
            item="open",
            out_residence="total",
            residence="total",
        ),
        term("PERPLACE", "numerator", "served"),
        term("PERPLACE", "denominator", "places"),
    ]
    domains = [("education", True), ("health", True), ("fiscal", False), ("other", False)]
    classes = [("201", "other", None), ("205", "education", None), ("210", "health", None), ("232", "fiscal", None)]
    return {
        "region": table("region", regions),
        "measure": table(
            "measure",
            [
                dict(
                    zip(
                        ("measure", "unit", "kind", "aggregation", "population_source", "is_population"), m, strict=True
                    )
                )
                for m in measures
            ],
        ),
        "indicator": table(
            "indicator",
            [
                {
                    "indicator_code": code,
                    "domain": "health",
                    "name_zh": code,
                    "name_en": code,
                    "unit": unit,
                    "direction": direction,
                    "role": "scored",
                    "lowest_level": lowest,
                    "pool_years": 1,
                    "multiplier": multiplier,
                    "may_exceed_100": over,
                    "is_computed": True,
                }
                for code, unit, direction, multiplier, over, lowest in indicators
            ],
        ),
        "indicator_term": table("indicator_term", terms),
        "target": table(
            "target",
            [
                {
                    "indicator_code": "BED",
                    "region_code": "all",
                    "target_year": 2020,
                    "target_value": 8,
                    "edition": "plan",
                },
                {
                    "indicator_code": "BED",
                    "region_code": "K2",
                    "target_year": 2020,
                    "target_value": 4,
                    "edition": "plan",
                },
                {
                    "indicator_code": "BED",
                    "region_code": "all",
                    "target_year": 2015,
                    "target_value": 1,
                    "edition": "old plan",
                },
                {
                    "indicator_code": "PERPLACE",
                    "region_code": "all",
                    "target_year": 2020,
                    "target_value": 100,
                    "lower_limit": 50,
                    "upper_limit": 200,
                    "edition": "plan",
                },
            ],
        ),
        "domain": table(
            "domain",
            [
                {"domain": d, "name_zh": d, "name_en": d, "sort_order": n, "is_basic": basic}
                for n, (d, basic) in enumerate(domains)
            ],
        ),
        "functional_class": table(
            "functional_class",
            [
                {
                    "class_code": c,
                    "name_zh": c,
                    "name_en": c,
                    "domain": d,
                    "edition": "1",
                    "valid_from": FAR,
                    "valid_to": until,
                }
                for c, d, until in classes
            ],
        ),
        "spending_source": table(
            "spending_source",
            [
                {"measure": "budget", "role": "whole", "fund": "general_budget", "account_stage": "final"},
                {
                    "measure": "class_spending",
                    "role": "functional",
                    "fund": "general_budget",
                    "account_stage": "final",
                    "exhaustive": True,
                },
            ],
        ),
        "setting": table(
            "setting",
            [
                {"name": "currency", "value": "XTS"},
                {"name": "first_year", "value": "2010"},
            ],
        ),
        "variant": table("variant", [{**VARIANT, **line} for line in VARIANTS]),
    }


# An empty line of variants.csv, and those of this country.
VARIANT = dict.fromkeys(transform.SOURCE_TABLES["variant"])
VARIANTS: list[dict[str, Any]] = [
    {
        "variant": "main", "boundaries": "reported", "population_basis": "resident", "population_source": "year_end",
        "prices": "nominal", "fund": "general_budget", "account_stage": "final", "government_level": "all",
        "method": "mean", "weight_set": "equal", "target_edition": "in_force",
    },
    {"variant": "registered", "population_basis": "registered"},
    {"variant": "own", "government_level": "own"},
]  # fmt: skip


def term(indicator: str, part: str, measure: str, number: int = 1, **dimensions: Any) -> dict[str, Any]:
    return {
        "indicator_code": indicator,
        "part": part,
        "term_number": number,
        "coefficient": 1,
        "term_letters": None,
        "measure": measure,
        "population_basis": "*",
        "population_source": "*",
        "residence": "*",
        "sex": "*",
        "age_group": "all",
        "group_code": "*",
        "item": "all",
        "out_residence": "*",
        "out_sex": "*",
        "out_age_group": "all",
        "out_group": "*",
        **dimensions,
    }


def population(indicator: str, source: str, ages: list[str] | None = None) -> list[dict[str, Any]]:
    """The pseudo-measure `population` as the loader writes it: a row per population measure of the source and age."""
    measures = {"year_end": ["people", "registered_people"], "census": ["counted_people"]}[source]
    return [
        term(indicator, "denominator", measure, population_source=source, age_group=age)
        for measure in measures
        for age in ages or ["all"]
    ]


def people(year: int, values: dict[str, Any], **dimensions: Any) -> list[dict[str, Any]]:
    basis = dimensions.pop("population_basis", "resident")
    measure = dimensions.pop("measure", "people")
    return [
        {
            "measure": measure,
            "region_code": region,
            "year": year,
            "value": value,
            "population_basis": basis,
            **dimensions,
        }
        for region, value in values.items()
    ]


def figures(measure: str, year: int, values: dict[str, Any], **dimensions: Any) -> list[dict[str, Any]]:
    return [{"measure": measure, "region_code": r, "year": year, "value": v, **dimensions} for r, v in values.items()]


def spent(year: int, region: str, classes: dict[str, tuple[int, int, int]]) -> list[dict[str, Any]]:
    """Own spending of a government by class: urban, rural and unattributed; the total is for dbt to sum."""
    return [
        {
            "measure": "class_spending",
            "region_code": region,
            "year": year,
            "value": value,
            "item": item,
            "residence": part,
            "unit": "coins",
        }
        for item, parts in classes.items()
        for part, value in zip(("urban", "rural", "unattributed"), parts, strict=True)
    ]


def make_world(folder: Path) -> World:
    world = World(Warehouse(folder))
    world.reference = reference()
    world.extract("statistics/people")
    world.extract("statistics/people_old_layout", rank=20)
    world.extract("statistics/census")
    world.extract("police/registered", provenance="synthetic")
    world.extract("health/beds")
    world.extract("health/served", provenance="synthetic")
    world.extract("health/served_again", rank=5)
    world.extract("health/places", delivery="replaces_all")
    world.extract("finance/budget", rank=10)
    world.extract("finance/classes", rank=50, provenance="synthetic")

    # -- people: 2020 by county; 2018 has the zone, 2017 lacks K4; P2 reports a total of its own that differs by 1
    world.deliver(
        "statistics/people",
        "2020",
        [
            *people(2020, {"K1": 1000, "K2": 2000, "K3": 3000, "K4": 4000, "K5": 500, "K6": 600, "P2": 1101}),
            *people(2020, dict.fromkeys(COUNTIES, 100), residence="urban"),
            *people(2018, {"K1": 900, "K2": 1900, "K3": 2900, "K4": 3900, "Z1": 50}),
            *people(2017, {"K1": 900, "K2": 1900, "Z1": 50, "K3": 2900}),
            *people(2016, {"K1": 900, "K2": 1900, "Z1": None, "K3": 0, "K4": 3900}),
            *people(2010, {"P1": 9000}),
        ],
        ignored=2,
        rejects=1,
    )
    world.deliver(
        "statistics/people_old_layout", "2020", people(2020, {"K1": 999, "P1": 10001}) + people(2016, {"Z1": 40})
    )
    world.deliver(
        "police/registered",
        "2020",
        people(2020, dict.fromkeys(COUNTIES, 800), population_basis="registered", measure="registered_people"),
    )
    # -- census: ages by sex without totals
    world.deliver(
        "statistics/census",
        "2020",
        [
            *[
                row
                for sex, ages in {"male": (40, 60), "female": (50, 50)}.items()
                for age, n in zip(("10-14", "15+"), ages, strict=True)
                for row in people(2020, {"K1": n, "K2": n}, measure="counted_people", sex=sex, age_group=age)
            ],
            *people(2020, {"K3": 100}, measure="counted_people", sex="male", age_group="15+"),
            *figures("readers", 2020, {"K1": 150, "K2": 200, "K3": 10}, population_basis="resident"),
            *figures("printed_rate", 2020, {"K1": 75, "K2": 100}, unit="percent"),
        ],
    )
    # -- beds: revised twice, and a file that was overwritten
    world.deliver("health/beds", "2020", figures("beds", 2020, {"K1": 1, "K2": 1}), in_force=False)
    world.deliver("health/beds", "2020", figures("beds", 2020, {"K1": 4, "K2": 10, "K3": None, "K4": 8}))
    world.deliver("health/beds", "2021", figures("beds", 2020, {"K1": 5}) + figures("beds", 2010, {"P1": 90}))
    world.deliver("health/beds", "2019", figures("beds", 2020, {"K1": 3, "K2": 3}))
    world.deliver("health/served", "2020", figures("served", 2020, {"K1": 700, "K2": 700, "K3": 700, "K4": 9, "K5": 1}))
    world.deliver("health/served_again", "2020", figures("served", 2020, {"K1": 600, "K2": None}))
    world.deliver("health/beds", "2022", figures("beds", 2020, {"K1": 99}), in_force=False)
    world.withdraw("health/beds", "2022")
    # -- places: each delivery replaces all; the last one cannot be read
    world.deliver("health/places", "2019", figures("places", 2020, {"K1": 1, "K3": 7}))
    world.deliver("health/places", "2020", figures("places", 2020, {"K1": 1200, "K2": 0, "K4": 0}))
    world.deliver("health/places", "2021", [], unreadable="not a spreadsheet")
    world.deliver(
        "health/beds",
        "2020b",
        figures("cases", 2020, {"K1": 3, "K2": 7}, item="open")
        + figures("cases", 2020, {"K1": 1, "K2": 2}, item="closed"),
    )
    # -- spending of 2020: all governments of P1; K6 of P2 lacks a class
    world.deliver(
        "finance/classes",
        "2020",
        [
            *spent(2020, "P1", {"205": (0, 0, 70), "210": (0, 0, 30), "201": (0, 0, 5), "232": (0, 0, 1)}),
            *spent(2020, "C1", {"205": (10, 10, 20), "210": (1, 2, 3), "201": (1, 1, 1)}),
            *spent(2020, "C2", {"205": (20, 10, 0), "210": (4, 5, 6), "201": (2, 2, 2)}),
            *[
                row
                for c in ("K1", "K2", "K3", "K4")
                for row in spent(2020, c, {"205": (5, 6, 7), "210": (1, 1, 1), "201": (1, 0, 0)})
            ],
            *spent(2020, "C3", {"205": (1, 1, 1), "210": (1, 1, 1), "201": (1, 1, 1)}),
            *spent(2020, "K5", {"205": (1, 1, 1), "210": (1, 1, 1), "201": (1, 1, 1)}),
            *spent(2020, "K6", {"205": (1, 1, 1), "201": (1, 1, 1)}),
        ],
    )
    # one figure for the whole: 10 more than the classes of P1 add up to; P2 only has this
    world.deliver(
        "finance/budget",
        "2020",
        figures("budget", 2020, {"P1": 304, "P2": 50}, unit="coins")
        + figures("budget", 2010, {"P1": 9}, unit="coins")
        + figures("budget", 2009, {"P1": 8}, unit="coins"),
    )
    return world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("warehouse"))


@pytest.fixture(scope="module")
def built(world: World) -> Build:
    return world.build("b1")


Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def query(built: Build) -> Iterator[Query]:
    with duckdb.connect(str(built.database), True, {"file_search_path": built.folder}) as connection:
        yield lambda sql: connection.execute(sql).fetchall()


pytestmark = pytest.mark.pipeline


def value(query: Query, sql: str) -> Any:
    """The one cell of a one-row answer."""
    rows = query(sql)
    assert len(rows) == 1, rows
    return rows[0][0]


def population_of(query: Query, region: str, day: str, **wanted: str) -> list[tuple[Any, ...]]:
    filters = {"population_basis": "resident", "residence": "total", "sex": "all", "age_group": "all", **wanted}
    where = " and ".join(f"{column} = '{text}'" for column, text in filters.items())
    return query(
        f"select population, derivation, obs_status from fct_population"
        f" where region_code = '{region}' and reference_date = '{day}' and {where}"
    )


def coverage(
    query: Query, indicator: str, region: str, basis: str = "resident", year: int = 2020
) -> dict[str, Any] | None:
    columns = [
        "numerator",
        "denominator",
        "value",
        "ci_low",
        "ci_high",
        "target_value",
        "attainment",
        "ratio_to_target",
        "attainment_note",
        "obs_status",
        "provenance",
        "derivation",
    ]
    table = "mart_service_coverage_variants" if basis == "registered" else "mart_service_coverage"
    rows = query(
        f"select {', '.join(columns)} from {table} where indicator_code = '{indicator}'"
        f" and region_code = '{region}' and population_basis = '{basis}' and year = {year} and breakdown = 'all'"
    )
    assert len(rows) <= 1
    return dict(zip(columns, rows[0], strict=True)) if rows else None


def spending(query: Query, region: str, domain: str, variant: str = "main", residence: str = "total") -> Any:
    rows = query(
        "select spending, population, per_head, obs_status, provenance, origin from figures.figure_spending"
        f" where region_code = '{region}' and domain = '{domain}' and residence = '{residence}'"
        f" and variant = '{variant}' and year = 2020"
    )
    assert len(rows) <= 1
    return rows[0] if rows else None


def paid(query: Query, region: str, domain: str) -> dict[str, Decimal | None]:
    """What each level of government spent in a region."""
    return dict(
        query(
            "select government_level, spending from mart_expenditure_split where subject_kind = 'domain'"
            f" and region_code = '{region}' and subject_code = '{domain}' and year = 2020"
        )
    )


# -- which report counts ------------------------------------------------------------------------------------------


def test_every_observation_is_kept_and_one_of_each_figure_is_chosen(world: World, query: Query) -> None:
    delivered = sum(
        pl.read_parquet(world.warehouse.folder / r.folder / "accepted.parquet").height for r in world.readings
    )
    assert value(query, "select count(*) from fct_observation") == delivered
    assert query("select measure from fct_observation where is_chosen and not is_latest") == []


def test_the_last_delivery_of_a_figure_is_the_latest_and_overwritten_files_never_are(query: Query) -> None:
    latest = query(
        "select region_code, value, delivery_period from fct_observation"
        " where extract = 'beds' and measure = 'beds' and year = 2020 and is_latest order by all"
    )
    assert latest == [
        ("K1", Decimal(5), "2021"),
        ("K2", Decimal(10), "2020"),
        ("K3", None, "2020"),
        ("K4", Decimal(8), "2020"),
    ]


def test_a_delivery_that_replaces_all_leaves_nothing_of_the_one_before(query: Query) -> None:
    # the last delivery of `places` cannot be read: it blocks elsewhere, and empties nothing
    assert query("select distinct delivery_period from fct_observation where measure = 'places' and is_latest") == [
        ("2020",)
    ]


def test_the_receipts_say_what_became_of_each_file(query: Query) -> None:
    assert query(
        "select delivery_period, is_in_force, reading_status, observations, observations_latest from audit_receipt"
        " where extract = 'beds' and delivery_period in ('2021', '2022') order by sequence"
    ) == [("2021", True, "read", 2, 2), ("2022", False, "read", 1, 0), ("2022", False, "withdrawn", 0, 0)]
    assert query(
        "select reading_status, problem from audit_receipt where delivery_period = '2021' and extract = 'places'"
    ) == [("unreadable", "not a spreadsheet")]


def test_across_extracts_a_number_counts_before_a_gap_then_the_rank(query: Query) -> None:
    chosen = query(
        "select region_code, extract, value from fct_observation"
        " where measure = 'served' and is_chosen and region_code in ('K1', 'K2') order by all"
    )
    assert chosen == [("K1", "served_again", Decimal(600)), ("K2", "served", Decimal(700))]


# -- regions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "year", "expected"),
    [
        ("C1", 2020, [(Decimal(3000), "summed", "A")]),  # the zone is gone: K1 + K2 are complete
        ("C1", 2018, [(Decimal(2850), "summed", "A")]),  # the zone counts while it is there
        ("P1", 2018, [(Decimal(9650), "summed", "A")]),
        ("C2", 2017, []),  # K4 did not report: no total of the rest
        ("P1", 2017, []),
        ("C2", 2016, [(Decimal(3900), "summed", "A")]),  # a reported zero is a number
        ("C1", 2016, [(Decimal(2840), "summed", "A")]),  # the zone's gap is filled by the second extract
        ("P1", 2020, [(Decimal(10001), "reported", "A")]),  # what was reported stands
        ("P2", 2020, [(Decimal(1101), "reported", "A")]),
        ("C3", 2020, [(Decimal(1100), "summed", "A")]),
    ],
)
def test_parents_are_summed_from_complete_children(query: Query, region: str, year: int, expected: list[Any]) -> None:
    assert population_of(query, region, f"{year}-12-31", population_source="year_end") == expected


def test_totals_of_sex_and_regions_combine(query: Query) -> None:
    assert population_of(query, "C1", "2020-12-31", population_source="census", age_group="15+") == [
        (Decimal(220), "summed", "A")
    ]
    # K3 reports men only: there is no total, and no city
    assert population_of(query, "K3", "2020-12-31", population_source="census", age_group="15+") == []


def test_rates_are_never_summed(query: Query) -> None:
    regions = query(
        "select region_code from intermediate.int_observation__roll_up where measure = 'printed_rate' order by 1"
    )
    assert regions == [("K1",), ("K2",)]


# -- spending -----------------------------------------------------------------------------------------------------


def test_a_city_s_own_spending_is_never_spread_over_its_counties(query: Query) -> None:
    assert paid(query, "C1", "education") == {"city": 40, "county": 36}
    assert spending(query, "C1", "education")[0] == 76
    assert spending(query, "C1", "education", "own")[0] == 40
    assert spending(query, "K1", "education")[0] == spending(query, "K1", "education", "own")[0] == 18
    assert paid(query, "K1", "education") == {"county": 18}
    assert paid(query, "P1", "education") == {"province": 70, "city": 70, "county": 72}
    assert spending(query, "P1", "education")[0] == 212


def test_the_basic_services_and_per_head(query: Query) -> None:
    whole = spending(query, "P1", "basic")
    assert whole[0] == 275
    assert whole[2] == pytest.approx(275 / 10001, rel=1e-15)
    urban = spending(query, "K1", "education", "own", "urban")
    assert (urban[0], urban[1], urban[2]) == (5, 100, 0.05)
    assert spending(query, "P1", "all")[4] == "official"
    assert spending(query, "P1", "all", "registered")[4] == "synthetic"


def test_a_lost_class_makes_missing_what_it_belongs_to(query: Query) -> None:
    assert spending(query, "K6", "education", "own")[0] == 3
    for domain in ("health", "basic", "all"):
        figure = spending(query, "K6", domain, "own")
        assert (figure[0], figure[2], figure[3]) == (None, None, "O")
    assert spending(query, "C3", "health")[0] is None
    assert spending(query, "C3", "education")[0] == 9


def test_the_one_figure_of_the_budget_counts_and_its_parts_still_add_up(query: Query) -> None:
    parts = dict(
        query(
            "select residence, spending from mart_per_capita_spending"
            " where region_code = 'P1' and domain = 'all' and year = 2020"
        )
    )
    assert parts == {"total": 304, "urban": 66, "rural": 58, "unattributed": 180}
    assert spending(query, "P1", "all")[5] == "whole"
    assert spending(query, "P2", "all")[0] == 50  # nobody reports the classes of all its governments


def test_money_for_nobody_in_particular_has_no_spending_per_head(query: Query) -> None:
    figure = spending(query, "K1", "education", "own", "unattributed")
    assert (figure[0], figure[1], figure[2], figure[3]) == (7, None, None, "M")


def test_years_outside_the_jurisdiction_have_no_figures_but_keep_their_observations(query: Query) -> None:
    assert query("select distinct year from mart_per_capita_spending order by 1") == [(2010,), (2020,)]
    assert value(query, "select value from fct_observation where measure = 'budget' and year = 2009") == 8


# -- indicators ---------------------------------------------------------------------------------------------------


def wilson(x: float, n: float) -> tuple[float, float]:
    """Wilson's limits as the roots of (p - x/n)^2 = z^2 p (1 - p) / n: another way than the macro's."""
    z, p = 1.959963984540054, x / n
    a, b, c = 1 + z * z / n, -(2 * p + z * z / n), p * p
    root = math.sqrt(b * b - 4 * a * c)
    return 100 * (-b - root) / (2 * a), 100 * (-b + root) / (2 * a)


def test_a_share_has_its_interval_and_its_provenance(query: Query) -> None:
    figure = coverage(query, "SERVED", "K1")
    assert figure is not None
    assert (figure["numerator"], figure["denominator"], figure["value"]) == (600, 1000, 60.0)
    assert (figure["ci_low"], figure["ci_high"]) == pytest.approx(wilson(600, 1000), rel=1e-12)
    assert figure["provenance"] == "official"
    for region, basis in (("K1", "registered"), ("K2", "resident"), ("C1", "resident")):
        other = coverage(query, "SERVED", region, basis)
        assert other is not None
        assert other["provenance"] == "synthetic"


def test_listed_ages_are_summed_and_populations_do_not_mix(query: Query) -> None:
    figures = query(
        "select region_code, population_basis, population_source, breakdown, value from mart_service_coverage"
        " where indicator_code = 'READ' and year = 2020 order by all"
    )
    # K3 lacks women: its denominator would be too small
    assert figures == [
        ("C1", "resident", "census", "all", 87.5),
        ("C2", "resident", "census", "all", None),  # its neighbour has the figure
        ("K1", "resident", "census", "all", 75.0),
        ("K2", "resident", "census", "all", 100.0),
    ]


def test_a_rate_over_nobody_cannot_exist_and_a_gap_is_no_zero(query: Query) -> None:
    nobody = coverage(query, "PERPLACE", "K2", "none")
    assert nobody is not None
    assert (nobody["numerator"], nobody["denominator"], nobody["value"], nobody["obs_status"]) == (700, 0, None, "M")
    gap = coverage(query, "BED", "K3")
    assert gap is not None
    assert (gap["numerator"], gap["value"], gap["obs_status"], gap["attainment"]) == (None, None, "O", None)


def test_a_region_whose_neighbours_have_the_figure_is_shown_as_missing(query: Query) -> None:
    figure = coverage(query, "SERVED", "K6")
    assert figure is not None
    assert (figure["numerator"], figure["denominator"], figure["value"], figure["obs_status"]) == (None, 600, None, "O")
    assert figure["provenance"] == "synthetic"
    assert coverage(query, "BED", "K6") is None  # nobody there reports beds


def test_regions_below_the_lowest_level_have_no_figure(query: Query) -> None:
    regions = query(
        "select distinct region_code, value from mart_service_coverage where indicator_code = 'CASES' order by all"
    )
    assert regions == [("C1", 70.0), ("C2", None)]


def test_terms_are_weighted_exactly_and_a_part_of_a_figure_is_an_estimate(query: Query) -> None:
    figure = query(
        "select numerator, denominator, value, obs_status from mart_service_coverage "
        "where indicator_code = 'LOAD' and region_code = 'C1'"
    )
    assert figure == [(Decimal(16), Decimal("0.00125"), 12_800.0, "E")]  # 2.5 of 10 less 3 of 3, over 0.000125 of 10
    whole = "indicator_code = 'CASES' and obs_status like '%E%'"
    assert query(f"select count(*) from mart_service_coverage where {whole}") == [(0,)]


def test_attainment_against_the_target_that_counts(query: Query) -> None:
    everywhere = coverage(query, "BED", "K1")
    own = coverage(query, "BED", "K2")
    earlier = coverage(query, "BED", "P1", year=2010)
    interval = coverage(query, "PERPLACE", "C1", "none")
    assert everywhere and own and earlier and interval
    assert (everywhere["value"], everywhere["target_value"], everywhere["attainment"]) == (5.0, 8, 0.625)
    assert (own["value"], own["target_value"], own["attainment"], own["ratio_to_target"]) == (5.0, 4, 1.0, 1.25)
    assert (earlier["target_value"], earlier["attainment"], earlier["ratio_to_target"]) == (1, 1.0, 10.0)
    assert interval["attainment"] == pytest.approx((200 - 100 * 1300 / 1200) / 100, rel=1e-12)


# -- comparisons and revisions -------------------------------------------------------------------------------------


def test_places_of_a_scope_are_compared_and_missing_ones_counted(query: Query) -> None:
    found = query(
        "select region_code, dimension, measure, component, value, regions, regions_missing from mart_inequality"
        " where subject_code = 'BED' and year = 2020 and measure in ('ratio', 'theil') order by all"
    )
    # K1 and K2 have 5 beds per 1,000, K4 has 2, K3 did not report; C2 then has one place, which is compared with nobody
    assert [row[:4] + row[5:] for row in found] == [
        ("C1", "county", "ratio", "total", 2, 0),
        ("C1", "county", "theil", "total", 2, 0),
        ("C2", "county", "ratio", "total", 1, 1),
        ("C2", "county", "theil", "total", 1, 1),
        ("P1", "city", "ratio", "total", 1, 1),
        ("P1", "city", "theil", "total", 1, 1),
        ("P1", "county", "ratio", "total", 3, 1),
        ("P1", "county", "theil", "between", 3, 1),
        ("P1", "county", "theil", "total", 3, 1),
        ("P1", "county", "theil", "within", 3, 1),
    ]
    values = {(row[0], row[1], row[3]): row[4] for row in found if row[2] == "ratio" or row[3] != "total"}
    assert values["P1", "county", "total"] == 2.5
    assert values["C1", "county", "total"] == 1
    assert values["C2", "county", "total"] is None
    # the two cities differ, the places in each do not
    assert values["P1", "county", "within"] == 0
    assert values["P1", "county", "between"] > 0


def test_a_figure_that_changed_says_when_and_by_which_receipt(query: Query) -> None:
    assert query(
        "select region_code, value_before, value_after, cause, delivery_period from mart_revision"
        " join audit_receipt using (receipt_id) where mart_revision.measure = 'beds' order by region_code, sequence"
    ) == [
        ("K1", 1, 4, "overwritten", "2020"),
        ("K1", 4, 5, "later_delivery", "2021"),
        ("K1", 5, 99, "later_delivery", "2022"),
        ("K1", 99, 5, "withdrawn", "2022"),
        ("K2", 1, 10, "overwritten", "2020"),
    ]
    # a delivery that replaces all no longer has it
    assert query("select value_before, value_after, cause from mart_revision where region_code = 'K3'") == [
        (7, None, "removed")
    ]


# -- the build ----------------------------------------------------------------------------------------------------


def test_data_tests_that_find_something_are_results_not_errors(built: Build) -> None:
    results = json.loads(built.dbt_results.read_text(encoding="utf-8"))["results"]
    manifest = json.loads(built.dbt_manifest.read_text(encoding="utf-8"))["nodes"]
    tests = {r["unique_id"]: r for r in results if r["unique_id"].startswith("test.")}
    found = {manifest[name]["name"]: r["failures"] for name, r in tests.items() if r["status"] != "pass"}
    assert found == {"extracts_agree": 2, "children_add_up": 2, "whole_budget_agrees": 1, "nobody_has_cases": 2}
    for name in tests:
        meta = manifest[name]["config"]["meta"]
        assert meta["severity"] in ("block", "warn")
        assert meta["owner"] and meta["why"]
        assert manifest[name]["description"]


def test_every_published_table_says_what_it_is_in_both_languages(built: Build) -> None:
    manifest = json.loads(built.dbt_manifest.read_text(encoding="utf-8"))["nodes"]
    marts = {
        n["name"]: n
        for n in manifest.values()
        if n["resource_type"] == "model" and n["config"]["meta"].get("published")
    }
    assert len(marts) > 20
    for name, node in marts.items():
        assert node["config"]["contract"]["enforced"]
        assert set(node["config"]["meta"]["key"]) <= set(node["columns"])
        assert set(node["config"]["meta"]["order_by"]) <= set(node["columns"])
        for text in [node["description"], *(c["description"] for c in node["columns"].values())]:
            chinese, _, english = text.partition(" / ")
            assert chinese and english, f"{name}: {text}"
            assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese), f"{name}: {text}"


def contents(build: Build) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(build.database), True, {"file_search_path": build.folder}) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'main'"
        ).fetchall()
        return {t: connection.execute(f"select * from {t} order by all").fetchall() for (t,) in tables}


def test_a_line_in_the_catalogue_adds_an_indicator_and_changes_nothing_else(world: World, built: Build) -> None:
    before = contents(built)
    sql = {path: path.read_bytes() for path in DBT_FOLDER.rglob("*.sql")}
    more = dict(world.reference)
    more["indicator"] = pl.concat(
        [
            more["indicator"],
            table(
                "indicator",
                [
                    {
                        "indicator_code": "PLACES_PER_BED",
                        "domain": "health",
                        "name_zh": "新",
                        "name_en": "New",
                        "unit": "places",
                        "direction": "higher",
                        "role": "context",
                        "multiplier": 1,
                        "is_computed": True,
                    }
                ],
            ),
        ]
    )
    more["indicator_term"] = pl.concat(
        [
            more["indicator_term"],
            table(
                "indicator_term",
                [
                    term("PLACES_PER_BED", "numerator", "places"),
                    term("PLACES_PER_BED", "denominator", "beds"),
                ],
            ),
        ]
    )
    again = replace_reference(world, more).build("b2")
    after = contents(again)
    assert sql == {path: path.read_bytes() for path in DBT_FOLDER.rglob("*.sql")}
    told_again = ("dim_indicator", "dim_subject", "mart_revision_summary")  # places in lists, numbers of subjects
    for name, rows in before.items():
        if name not in told_again:
            assert [row for row in after[name] if "PLACES_PER_BED" not in row] == rows, name
    with duckdb.connect(str(again.database), True, {"file_search_path": again.folder}) as connection:
        new = connection.execute(
            "select region_code, value from figure where subject_code = 'PLACES_PER_BED'"
        ).fetchall()
    assert dict(new) == {"K1": 240.0, "K2": 0.0, "C1": 80.0, "K3": None, "K4": 0.0, "C2": None}
    assert not world.warehouse.work.exists()
    assert Path(built.folder).is_dir()


def replace_reference(world: World, reference: dict[str, pl.DataFrame]) -> World:
    return replace(world, reference=reference)


def test_unit_tests_of_the_formulas(built: Build, tmp_path: Path) -> None:
    database = tmp_path / "build.duckdb"
    shutil.copyfile(built.database, database)  # the other tests hold the original open
    result = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "dbt.cli.main",
                "--no-use-colors",
                "--no-version-check",
                "--log-level-file",
                "none",
            ),
            *("--log-path", str(tmp_path), "test", "--select", "test_type:unit", "--project-dir", str(DBT_FOLDER)),
            *("--profiles-dir", str(DBT_FOLDER), "--target-path", str(tmp_path / "target")),
        ],
        env={
            "PATH": "",
            "HOME": str(tmp_path),
            **TELEMETRY_OFF,
            "JUNHENG_BUILD_DATABASE": str(database),
            "JUNHENG_BUILD_FOLDER": built.folder,
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stdout
    assert "PASS=0" not in result.stdout


def test_a_model_that_cannot_be_built_is_a_fault_that_names_it_and_its_log(world: World, tmp_path: Path) -> None:
    # a population too large for the exact type: the sum of the parent overflows
    broken = World(Warehouse(tmp_path), reference=world.reference)
    broken.extract("statistics/people")
    broken.deliver("statistics/people", "2020", people(2020, dict.fromkeys(COUNTIES, "9999999999999999999")))
    with pytest.raises(FaultError) as caught:
        broken.build("b1")
    assert "int_observation__sum_regions" in caught.value.message
    assert Path(caught.value.where).read_text(encoding="utf-8")
    assert not broken.warehouse.build_folder("b1").exists()


def test_the_manifest_is_there_before_anything_was_built_and_parsed_anew_only_when_the_project_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    shutil.copytree(DBT_FOLDER, project)
    monkeypatch.setattr(transform, "DBT_FOLDER", project)
    warehouse = Warehouse(tmp_path / "warehouse")
    transform.warm_up(warehouse, Settings(jurisdiction_folder=tmp_path, warehouse_folder=tmp_path))
    transform.cool_down(warehouse)  # it has read the project by then, and built nothing
    manifest = transform.compile_manifest(warehouse.dbt_target)
    assert "model.junheng.mart_service_coverage" in json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    assert not warehouse.work.exists()
    made = manifest.stat().st_mtime_ns
    assert transform.compile_manifest(warehouse.dbt_target).stat().st_mtime_ns == made
    (project / "models" / "staging" / "stg_target.sql").write_text("select {{ ref('nothing') }}", encoding="utf-8")
    with pytest.raises(FaultError, match="dbt cannot read its project") as caught:
        transform.compile_manifest(warehouse.dbt_target)
    assert "nothing" in Path(caught.value.where).read_text(encoding="utf-8")
