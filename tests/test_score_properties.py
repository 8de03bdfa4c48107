"""What scores obey whatever the data: the models' own SQL on generated provinces, many in one query, and the formulas.

`degrees` writes methods note 2.3 once more, as loops over exact fractions, from the note and not from the SQL.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import duckdb
import polars as pl
import pytest
from formulas import MACROS, model_sql
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

# indicator -> domain, direction, target, lower limit, upper limit, baseline, lowest depth (1: only cities have it)
INDICATORS: dict[str, tuple[str, str, float, float | None, float | None, float | None, int]] = {
    "u1": ("d1", "higher", 80, None, None, None, 2),
    "u2": ("d1", "higher", 40, None, None, None, 2),
    "l1": ("d1", "lower", 5, None, None, None, 2),
    "m1": ("d2", "interval", 10, 5, 20, None, 2),
    "u3": ("d2", "higher", 16, None, None, None, 2),
    "z1": ("d2", "lower", 0, None, None, 4, 2),
    "c1": ("d2", "higher", 50, None, None, None, 1),
}
DOMAINS = ("d1", "d2")
WEIGHTS = {"u1": 3, "u2": 1, "l1": 2, "m1": 1, "u3": 1, "z1": 2, "c1": 4}
DOMAIN_WEIGHTS = {"d1": 2, "d2": 1}
MISSING, NOT_THERE = None, "M"
Value = float | str | None


@dataclass(frozen=True)
class Province:
    """Lowest regions with city, people and values; `scale` multiplies values and targets alike."""

    people: tuple[int, ...]
    cities: tuple[int, ...]
    values: tuple[dict[str, Value], ...]
    city_values: dict[int, Value]
    scale: float = 1
    backwards: bool = False

    def value(self, leaf: int, indicator: str) -> Value:
        return self.city_values[self.cities[leaf]] if indicator == "c1" else self.values[leaf][indicator]

    def change(self, leaf: int, indicator: str, value: Value) -> Province:
        if indicator == "c1":
            return replace(self, city_values={**self.city_values, self.cities[leaf]: value})
        values = [dict(v) for v in self.values]
        values[leaf][indicator] = value
        return replace(self, values=tuple(values))

    def everywhere(self, indicator: str, value: Value) -> Province:
        changed = self
        for leaf in range(len(self.people)):
            changed = changed.change(leaf, indicator, value)
        return changed


numbers = st.one_of(st.integers(0, 120).map(float), st.floats(0, 120, allow_nan=False).map(lambda x: round(x, 6)))
cells = st.one_of(numbers, numbers, numbers, numbers, st.just(MISSING), st.just(NOT_THERE))


@st.composite
def provinces(draw: st.DrawFn) -> Province:
    leaves = draw(st.integers(1, 5))
    cities = tuple(draw(st.lists(st.integers(0, 1), min_size=leaves, max_size=leaves)))
    own = [code for code in INDICATORS if code != "c1"]
    return Province(
        people=tuple(draw(st.lists(st.integers(1, 10**7), min_size=leaves, max_size=leaves))),
        cities=cities,
        values=tuple({code: draw(cells) for code in own} for _ in range(leaves)),
        city_values={city: draw(cells) for city in set(cities)},
    )


# -- the note once more -------------------------------------------------------------------------------------------


def attainment(indicator: str, value: float) -> Fraction:
    _, direction, target, low, high, base, _ = INDICATORS[indicator]
    x, t = Fraction(value), Fraction(target)
    if direction == "higher":
        a = x / t
    elif direction == "lower" and t > 0:
        a = Fraction(1) if x <= t else t / x
    elif direction == "lower":
        assert base is not None
        a = 1 - x / Fraction(base)
    else:
        assert low is not None
        assert high is not None
        a = (x - Fraction(low)) / (t - Fraction(low)) if x < t else (Fraction(high) - x) / (Fraction(high) - t)
    return max(Fraction(0), min(Fraction(1), a))


def leaf_scores(
    province: Province, leaf: int, depth: int, weights: dict[str, float], domains: dict[str, float]
) -> dict[str, Fraction | None]:
    """Domain scores and the whole of a lowest region, as a region of this depth looks at it."""
    scores: dict[str, Fraction | None] = {}
    applies = {}
    for domain in domains:
        seen = [c for c in INDICATORS if INDICATORS[c][0] == domain and INDICATORS[c][6] >= depth and weights.get(c, 0)]
        seen = [c for c in seen if province.value(leaf, c) != NOT_THERE]
        have = [c for c in seen if province.value(leaf, c) is not None]
        whole = sum((Fraction(weights[c]) for c in seen), Fraction(0))
        available = sum((Fraction(weights[c]) for c in have), Fraction(0))
        applies[domain] = bool(seen)
        is_enough = have and available >= whole / 2
        total = sum((Fraction(weights[c]) * attainment(c, float(province.value(leaf, c))) for c in have), Fraction(0))  # type: ignore[arg-type]
        scores[domain] = total / available if is_enough else None
    needed = [d for d in domains if applies[d]]
    if needed and all(scores[d] is not None for d in needed):
        total = sum((Fraction(domains[d]) * scores[d] for d in needed), Fraction(0))  # type: ignore[operator]
        scores["all"] = total / sum(Fraction(domains[d]) for d in needed)
    else:
        scores["all"] = None
    return scores


def degrees(
    province: Province, weights: dict[str, float] | None = None, domains: dict[str, float] | None = None
) -> dict[tuple[str, str], float | None]:
    """(region, domain) -> degree x 100; regions are P, C<city>, K<leaf>."""
    weights = dict.fromkeys(INDICATORS, 1) if weights is None else weights
    domains = dict.fromkeys(DOMAINS, 1) if domains is None else domains
    regions = {"P": (0, list(range(len(province.people))))}
    for city in set(province.cities):
        regions[f"C{city}"] = (1, [n for n, c in enumerate(province.cities) if c == city])
    for leaf in range(len(province.people)):
        regions[f"K{leaf}"] = (2, [leaf])
    result: dict[tuple[str, str], float | None] = {}
    for region, (depth, leaves) in regions.items():
        scores = {leaf: leaf_scores(province, leaf, depth, weights, domains) for leaf in leaves}
        for domain in (*domains, "all"):
            have = [(province.people[leaf], s) for leaf in leaves if (s := scores[leaf][domain]) is not None]
            people = sum(p for p, _ in have)
            result[region, domain] = float(100 * sum(p * s for p, s in have) / people) if have else None
    return result


# -- the models on many provinces ------------------------------------------------------------------------------------

SCHEMA: dict[str, dict[str, str]] = {
    "stg_setting": {
        "weight_set": "varchar", "goalpost_set": "varchar", "degree_indicator": "varchar", "home_region": "varchar",
        "base_year": "integer", "minimum_weight": "decimal(9,6)", "may_reweight_domains": "boolean",
    },
    "domain": {"domain": "varchar", "is_basic": "boolean", "name_zh": "varchar", "name_en": "varchar"},
    "figure_variant": {
        "subject_kind": "varchar", "variant": "varchar", "is_main": "boolean", "boundaries": "varchar",
        "method": "varchar", "weight_set": "varchar", "target_edition": "varchar", "goalpost_set": "varchar",
    },
    "int_region__date": {
        "reference_geography": "varchar", "as_of_date": "date", "region_code": "varchar", "region_id": "varchar",
        "region_name": "varchar", "region_name_en": "varchar", "region_level": "varchar", "region_depth": "integer",
        "parent_code": "varchar", "parent_name": "varchar", "parent_name_en": "varchar",
    },
    "indicator": {"indicator_code": "varchar", "domain": "varchar", "role": "varchar", "direction": "varchar"},
    "stg_target": {
        "indicator_code": "varchar", "region_code": "varchar", "target_year": "integer",
        "target_value": "decimal(18,6)", "lower_limit": "decimal(18,6)", "upper_limit": "decimal(18,6)",
        "baseline": "decimal(18,6)", "edition": "varchar", "origin": "varchar",
    },
    "weight": {
        "weight_set": "varchar", "parent": "varchar", "child": "varchar", "weight": "decimal(18,9)",
        "edition": "varchar", "origin": "varchar", "note": "varchar",
    },
    "goalpost": {
        "goalpost_set": "varchar", "indicator_code": "varchar", "low": "decimal(18,6)", "high": "decimal(18,6)",
        "note": "varchar",
    },
    "int_score__choose_figures": {
        "reading": "varchar", "reference_geography": "varchar", "year": "integer", "region_code": "varchar",
        "region_depth": "integer", "indicator_code": "varchar", "direction": "varchar", "value": "double",
        "obs_status": "varchar", "provenance": "varchar", "undefined_reason": "varchar",
    },
    "int_score__place_regions": {
        "place_number": "integer", "leaf_number": "integer", "reference_geography": "varchar", "year": "integer",
        "region_code": "varchar", "region_name": "varchar", "region_level": "varchar", "region_depth": "integer",
        "as_of_date": "date", "leaf_code": "varchar",
        "leaf_depth": "integer", "is_leaf": "boolean", "people": "bigint", "population_source": "varchar",
        "people_status": "varchar", "people_provenance": "varchar", "registered_people": "bigint",
        "region_people": "bigint", "year_start": "date",
    },
}  # fmt: skip
POLARS = {"integer": pl.Int64, "bigint": pl.Int64, "double": pl.Float64, "boolean": pl.Boolean}
MODELS = (
    "int_target__choose_finals", "int_score__list_weights", "int_score__list_scales", "int_score__rate_figures",
    "int_score__rate_leaves", "int_score__score_leaves", "term_contribution", "int_score__contribute",
    "int_score__aggregate_regions", "mart_sensitivity", "figure_index",
)  # fmt: skip
SQL = {name: model_sql(name) for name in MODELS}


@dataclass
class Results:
    """Degrees by (case, weight set, region, domain) and what stands beside them."""

    degree: dict[tuple[int, str, str, str], float | None] = field(default_factory=dict)
    low: dict[tuple[int, str, str, str], float | None] = field(default_factory=dict)
    high: dict[tuple[int, str, str, str], float | None] = field(default_factory=dict)
    geometric: dict[tuple[int, str, str, str], float | None] = field(default_factory=dict)
    gap: dict[tuple[int, str, str, str], Any] = field(default_factory=dict)
    weight: dict[tuple[int, str, str, str], float] = field(default_factory=dict)
    points: dict[tuple[int, str, str, str], Any] = field(default_factory=dict)
    attainments: list[float] = field(default_factory=list)
    sensitivity: dict[tuple[int, str, str], dict[str, Any]] = field(default_factory=dict)
    levels: list[float] = field(default_factory=list)


def rows_of(province: Province, case: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Rows of one province, told apart from others by its geography and its codes."""
    name = f"case{case}"
    code = lambda region: f"{region}@{case}"  # noqa: E731
    figures = []
    for leaf, values in enumerate(province.values):
        figures += [(code(f"K{leaf}"), 2, indicator, value) for indicator, value in values.items()]
    figures += [(code(f"C{city}"), 1, "c1", value) for city, value in province.city_values.items()]
    for region, depth, indicator, value in reversed(figures) if province.backwards else figures:
        number = value * province.scale if isinstance(value, float) else None
        status = "A" if number is not None else "M" if value == NOT_THERE else "O"
        direction = INDICATORS[indicator][1]
        yield (
            "int_score__choose_figures",
            ("main", name, 2020, region, depth, indicator, direction, number, status, "official", None),
        )
        if province.scale != 1:
            target = [None if t is None else t * province.scale for t in INDICATORS[indicator][2:6]]
            yield "stg_target", (indicator, region, 2020, *target, "plan", "plan")
    for kind in ("degree", "index"):
        yield "figure_variant", (kind, "main", True, name, "mean", "equal", "in_force", "panel")
    yield "figure_variant", ("degree", "own", False, name, "mean", "own", "in_force", "panel")
    depths = {
        "P": 0,
        **{f"C{city}": 1 for city in province.cities},
        **{f"K{n}": 2 for n in range(len(province.people))},
    }
    for region, depth in depths.items():
        yield (
            "int_region__date",
            (name, "2020-12-31", code(region), code(region), region, region, "level", depth, *"   "),
        )
    for leaf, (people, city) in enumerate(zip(province.people, province.cities, strict=True)):
        for number, region, depth in ((0, "P", 0), (1 + city, f"C{city}", 1), (10 + leaf, f"K{leaf}", 2)):
            yield (
                "int_score__place_regions",
                (100 * case + number, 100 * case + leaf, name, 2020, code(region), region, "level", depth,
                 "2020-12-31", code(f"K{leaf}"), 2, depth == 2, people, "year_end", "A", "official", people, None,
                 "2020-01-01"),
            )  # fmt: skip


def score(cases: list[Province], goalposts: dict[str, tuple[float, float]] | None = None) -> Results:
    """Run the models once over all cases."""
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in SCHEMA}
    rows["stg_setting"] = [("equal", "panel", "none", "P@0", 2020, "0.5", False)]
    rows["domain"] = [(domain, True, domain, domain) for domain in DOMAINS]
    rows["indicator"] = [(code, spec[0], "scored", spec[1]) for code, spec in INDICATORS.items()]
    rows["stg_target"] = [(code, "all", 2020, *spec[2:6], "plan", "plan") for code, spec in INDICATORS.items()]
    rows["weight"] = [("own", "all", d, w, "1", "test", None) for d, w in DOMAIN_WEIGHTS.items()]
    rows["weight"] += [("own", INDICATORS[c][0], c, w, "1", "test", None) for c, w in WEIGHTS.items()]
    rows["goalpost"] = [("panel", code, low, high, None) for code, (low, high) in (goalposts or {}).items()]
    for case, province in enumerate(cases):
        for table, row in rows_of(province, case):
            rows[table].append(row)
    results = Results()
    with duckdb.connect(config={"threads": 2}) as connection:
        for table, columns in SCHEMA.items():
            body = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            connection.execute(f"create table {table} ({body})")
            schema = {name: POLARS.get(kind, pl.String) for name, kind in columns.items()}
            texts = [
                tuple(
                    None if cell is None else str(cell) if kind == pl.String else cell
                    for cell, kind in zip(row, schema.values(), strict=True)
                )
                for row in rows[table]
            ]
            frame = pl.DataFrame(texts, schema=schema, orient="row")
            connection.register("frame", frame.to_arrow())
            connection.execute(f"insert into {table} select * from frame")
        for name in MODELS:
            connection.execute(f"create table {name} as {SQL[name]}")
        for geography, weights, region, domain, points, low, high, geometric in connection.execute(
            "select reference_geography, weight_set, region_code, domain, points, mean_low, mean_high, geometric_mean"
            " from int_score__aggregate_regions where scale_kind = 'target'"
        ).fetchall():
            key = (int(geography[4:]), weights, region.split("@")[0], domain)
            results.points[key] = points
            results.degree[key] = None if points is None else float(points)
            results.low[key], results.high[key] = (None if v is None else 100 * v for v in (low, high))
            results.geometric[key] = geometric
        for geography, weights, region, domain, gap, weight in connection.execute(
            "select reference_geography, weight_set, region_code, domain, sum(contribution_points),"
            " sum(effective_weight) from int_score__contribute"
            " inner join int_score__aggregate_regions using (tree_number, place_number, domain_number)"
            " where scale_kind = 'target' group by all"
        ).fetchall():
            key = (int(geography[4:]), weights, region.split("@")[0], domain)
            results.gap[key], results.weight[key] = gap, weight
        results.attainments = [
            a for (a,) in connection.execute("select attainment from int_score__contribute").fetchall()
        ]
        results.levels = [
            v for (v,) in connection.execute("select level from figure_index where level is not null").fetchall()
        ]
        columns_wanted = "degree_low_pct, degree_high_pct, rank_low, rank_published, rank_high, scenarios_scored"
        for code, family, *values in connection.execute(
            f"select region_code, scenario_family, {columns_wanted} from mart_sensitivity"
        ).fetchall():
            region, case = code.split("@")
            results.sensitivity[int(case), region, family] = dict(zip(columns_wanted.split(", "), values, strict=True))
    return results


# A batch is checked in one run of the models; making it smaller would run them for minutes and say no more.
batch = settings(max_examples=3, phases=[Phase.explicit, Phase.generate])
batches = st.lists(provinces(), min_size=25, max_size=25)


@batch
@given(batches)
def test_degrees_are_those_of_the_note(cases: list[Province]) -> None:
    results = score(cases)
    for case, province in enumerate(cases):
        for name, weights, domains in (("equal", None, None), ("own", WEIGHTS, DOMAIN_WEIGHTS)):
            for (region, domain), expected in degrees(province, weights, domains).items():  # type: ignore[arg-type]
                found = results.degree.get((case, name, region, domain))
                if expected is None:
                    assert found is None, (province, name, region, domain)
                else:
                    assert found == pytest.approx(expected, rel=1e-9, abs=1e-10), (province, name, region, domain)


@batch
@given(batches)
def test_bounds_hold_and_contributions_add_up_exactly(cases: list[Province]) -> None:
    results = score(cases, dict.fromkeys(INDICATORS, (0.0, 100.0)))
    for key, points in results.points.items():
        low, high, geometric = results.low[key], results.high[key], results.geometric[key]
        if low is not None and high is not None:
            assert -1e-9 <= low <= high + 1e-9 <= 100 + 2e-9
        if points is None:
            assert key not in results.gap
            continue
        assert 0 <= points <= 100
        assert results.gap[key] == 100 - points  # decimals, exactly
        assert results.weight[key] == pytest.approx(1, rel=1e-12)
        if low is not None and high is not None:
            assert low - 1e-9 <= float(points) <= high + 1e-9
        if geometric is not None:
            assert 0 < 100 * geometric <= float(points) + 1e-9
    assert all(0 <= a <= 1 for a in results.attainments)
    assert all(0 <= level <= 1 for level in results.levels)


@batch
@given(batches, st.data())
def test_a_better_figure_never_lowers_a_degree(cases: list[Province], data: st.DataObject) -> None:
    changed = []
    for province in cases:
        leaf = data.draw(st.integers(0, len(province.people) - 1))
        indicator = data.draw(st.sampled_from(sorted(INDICATORS)))
        value = province.value(leaf, indicator)
        step = data.draw(st.floats(0, 50, allow_nan=False))
        if isinstance(value, float):
            direction, target = INDICATORS[indicator][1:3]
            better = {"higher": value + step, "lower": max(0.0, value - step)}.get(
                direction, value + (target - value) * step / 50
            )
            province = province.change(leaf, indicator, better)
        changed.append(province)
    results = score([*cases, *changed])
    for (case, name, region, domain), before in results.degree.items():
        if case < len(cases) and before is not None:
            after = results.degree[case + len(cases), name, region, domain]
            assert after is not None
            assert after >= before - 1e-9


@batch
@given(batches, st.sampled_from([0.001, 0.01, 10.0, 1000.0]))
def test_units_and_the_order_of_rows_do_not_matter(cases: list[Province], factor: float) -> None:
    scaled = [replace(province, scale=factor) for province in cases]
    turned = [replace(province, backwards=True) for province in cases]
    results = score([*cases, *scaled, *turned])
    for (case, name, region, domain), degree in results.degree.items():
        if case < len(cases):
            other = results.degree[case + len(cases), name, region, domain]
            assert (other is None) == (degree is None)
            if degree is not None:
                assert other == pytest.approx(degree, rel=1e-9, abs=1e-9)
            assert (
                results.points[case + 2 * len(cases), name, region, domain]
                == results.points[case, name, region, domain]
            )


@batch
@given(batches)
def test_all_at_target_is_exactly_100(cases: list[Province]) -> None:
    there = []
    for province in cases:
        for code, (_, direction, target, *_) in INDICATORS.items():
            province = province.everywhere(code, {"lower": 0.0, "higher": 2.0 * target}.get(direction, float(target)))
        there.append(province)
    results = score(there)
    assert results.points
    assert set(results.points.values()) == {100}
    assert set(results.geometric.values()) == {1.0}


@batch
@given(batches, st.sampled_from(sorted(INDICATORS)))
def test_renormalised_weights_are_those_without_the_column(cases: list[Province], indicator: str) -> None:
    without = [province.everywhere(indicator, MISSING) for province in cases]
    dropped = [province.everywhere(indicator, NOT_THERE) for province in cases]
    results = score([*without, *dropped])
    compared = 0
    for (case, name, region, domain), degree in results.degree.items():
        # a region above may have more regions to be the mean of: what is missing can cost one of them its half of the
        # weight, what does not apply cannot
        if case < len(cases) and degree is not None and region.startswith("K"):
            assert results.degree[case + len(cases), name, region, domain] == pytest.approx(degree, rel=1e-11)
            compared += domain == INDICATORS[indicator][0]
    assert compared


@batch
@given(batches)
def test_sensitivity_is_what_computing_every_scenario_anew_gives(cases: list[Province]) -> None:
    """The scores under other weights follow from sums; here each scenario is computed from the beginning."""
    results = score(cases)
    for case, province in enumerate(cases):
        published = degrees(province)
        if published["P", "all"] is None:
            continue
        found = results.sensitivity[case, "P", "indicator_out"]
        again = [degrees(province, {c: float(c != out) for c in INDICATORS})["P", "all"] for out in INDICATORS]
        values = [v for v in [*again, published["P", "all"]] if v is not None]
        assert found["scenarios_scored"] == len(values)
        assert found["degree_low_pct"] == pytest.approx(min(values), abs=1e-8)
        assert found["degree_high_pct"] == pytest.approx(max(values), abs=1e-8)
        varied = [{**dict.fromkeys(INDICATORS, 1.0), code: w} for code in INDICATORS for w in (0.75, 1.25)]
        moved = [{**dict.fromkeys(DOMAINS, 1.0), domain: w} for domain in DOMAINS for w in (0.75, 1.25)]
        again = [degrees(province, weights)["P", "all"] for weights in varied]
        again += [degrees(province, None, domains)["P", "all"] for domains in moved]
        found = results.sensitivity[case, "P", "weights"]
        assert found["degree_low_pct"] <= min(v for v in again if v is not None) + 1e-8
        assert found["degree_high_pct"] >= max(v for v in again if v is not None) - 1e-8
        for (number, region, family), figures in results.sensitivity.items():
            if number == case and figures["rank_published"] is not None:
                assert figures["rank_low"] <= figures["rank_published"] <= figures["rank_high"], (region, family)


# -- formulas of one row -----------------------------------------------------------------------------------------------


def evaluate(expression: str, columns: dict[str, str], rows: list[tuple[Any, ...]]) -> list[Any]:
    """A formula over rows; in their order."""
    with duckdb.connect() as connection:
        body = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"create table rows_given (place integer, {body})")
        marks = ", ".join("?" * (len(columns) + 1))
        connection.executemany(f"insert into rows_given values ({marks})", [(n, *row) for n, row in enumerate(rows)])
        return [v for (v,) in connection.execute(f"select {expression} from rows_given order by place").fetchall()]


hundredths = st.integers(0, 12_000).map(lambda n: f"{n / 100:.2f}")


@settings(max_examples=5, phases=[Phase.explicit, Phase.generate])
@given(
    st.lists(
        st.tuples(st.sampled_from(["higher", "lower"]), hundredths, st.integers(0, 10**8), st.integers(0, 10**8)),
        min_size=100,
        max_size=100,
    ),
    st.sampled_from([1, 100, 1000]),
)
def test_people_behind_a_target_are_counted_exactly(rows: list[tuple[str, str, int, int]], multiplier: int) -> None:
    expression = MACROS.people_behind("direction", "target", "n", "x", str(multiplier))
    columns = {"direction": "varchar", "target": "decimal(18,6)", "n": "decimal(28,9)", "x": "decimal(28,9)"}
    found = evaluate(expression, columns, rows)
    for (direction, target, n, x), people in zip(rows, found, strict=True):
        wanted = Fraction(target) * n / multiplier
        expected = max(0, math.ceil(wanted) - x) if direction == "higher" else max(0, x - math.floor(wanted))
        assert people == expected, (direction, target, n, x)


places = st.tuples(
    st.sampled_from(["higher", "lower", "interval"]),
    st.floats(-50, 150, allow_nan=False),
    st.floats(0, 40),
    st.floats(41, 100),
    st.floats(0, 1),
    st.floats(0, 20),
)


@settings(max_examples=5, phases=[Phase.explicit, Phase.generate])
@given(st.lists(places, min_size=60, max_size=60), st.floats(0.01, 1000), st.floats(-100, 100))
def test_the_place_between_goalposts_is_bounded_monotone_and_free_of_units(
    rows: list[tuple[str, float, float, float, float, float]], factor: float, shift: float
) -> None:
    expression = MACROS.goalpost_score("direction", "x", "low", "high", "target")
    columns = {"direction": "varchar", "x": "double", "low": "double", "high": "double", "target": "double"}
    given_rows, better, scaled = [], [], []
    for direction, x, low, high, part, step in rows:
        target = low + part * (high - low)
        given_rows.append((direction, x, low, high, target))
        nearer = x + (target - x) * step / 20
        moved = {"higher": x + step, "lower": x - step}.get(direction, nearer)
        better.append((direction, moved, low, high, target))
        scaled.append((direction, *(factor * v + shift for v in (x, low, high, target))))
    first, second, third = (evaluate(expression, columns, r) for r in (given_rows, better, scaled))
    for before, after, other in zip(first, second, third, strict=True):
        assert 0 <= before <= 1
        assert after >= before - 1e-12
        assert other == pytest.approx(before, abs=1e-9)


def test_a_constant_indicator_and_a_missing_value_have_no_place() -> None:
    columns = {"direction": "varchar", "x": "double", "low": "double", "high": "double", "target": "double"}
    rows = [
        ("higher", 5, 5, 5, None),
        ("higher", None, 0, 5, None),
        ("interval", 1, 0, 5, None),
        ("lower", 1, 5, 0, None),
    ]
    reason = MACROS.goalpost_reason("direction", "low", "high", "target")
    assert evaluate(MACROS.goalpost_score("direction", "x", "low", "high", "target"), columns, rows) == [None] * 4
    assert evaluate(reason, columns, rows) == ["constant", "computed", "no_target", "goalposts_reversed"]
