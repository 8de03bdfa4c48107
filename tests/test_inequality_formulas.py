"""Measures of inequality, as the models' own SQL computes them, against textbook formulas, other packages and laws.

Each query computes many generated sets of places at once. The textbook formulas here are written another way than the
macros: sorted sums, groups one by one, normal equations.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import duckdb
import polars as pl
import pytest
from formulas import MACROS, model_sql
from hypothesis import assume, given, settings
from hypothesis import strategies as st

MEASURES = [measure["code"] for measure in MACROS.inequality_measures()]
ALL = f";{';'.join(MEASURES)};"
COLUMNS = {
    "set_number": "bigint", "subject_number": "bigint", "scope_code": "varchar", "dimension": "varchar",
    "place_code": "varchar", "part_code": "varchar", "part_position": "integer", "as_of_date": "date",
    "population_source": "varchar", "residence": "varchar", "estimate": "double", "weight": "decimal(28,9)",
    "order_value": "double", "measures_asked": "varchar", "obs_status": "varchar", "provenance": "varchar",
}  # fmt: skip
DIRECTIONS = ("higher", "lower", "interval")  # a subject each
POLARS = {"bigint": pl.Int64, "integer": pl.Int64, "double": pl.Float64, "decimal(28,9)": pl.Int64}
SCHEMA = {name: POLARS.get(kind, pl.String) for name, kind in COLUMNS.items()}
SAME = {
    "scope_code": "P", "as_of_date": "2020-12-31", "dimension": "county", "population_source": "year_end",
    "residence": "total", "measures_asked": ALL, "obs_status": "A", "provenance": "official",
}  # fmt: skip


@dataclass
class Places:
    """A set of places: estimate, population, part, and the value that orders them."""

    estimates: list[float | None]
    weights: list[int | None]
    parts: list[str | None] = field(default_factory=list)
    order: list[float | None] = field(default_factory=list)
    direction: str = "higher"
    position: dict[str, int] = field(default_factory=dict)
    asked: str = ALL

    def rows(self, number: int) -> Iterator[tuple[Any, ...]]:
        for place, estimate in enumerate(self.estimates):
            part = self.parts[place] if self.parts else None
            row: dict[str, Any] = {
                **SAME,
                "set_number": number,
                "subject_number": DIRECTIONS.index(self.direction),
                "measures_asked": self.asked,
                "place_code": f"K{place:03}",
                "part_code": part,
                "part_position": self.position.get(part or ""),
                "estimate": estimate,
                "weight": self.weights[place],
                "order_value": self.order[place] if self.order else None,
            }
            yield tuple(row[column] for column in COLUMNS)


class Engine:
    """The two models on tables of its own."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 2})
        body = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        self.connection.execute(f"create table int_inequality__list_places ({body})")
        subjects = ", ".join(f"({number}, '{direction}')" for number, direction in enumerate(DIRECTIONS))
        self.connection.execute(
            "create table int_subject__list_figures as select subject_number, direction, 'indicator' as subject_kind"
            ", 'X' as subject_code, 'reported' as reference_geography, 2020 as year, '2020' as period_name"
            ", 'main' as variant, date '2020-01-01' as year_start"
            f", 'beds' as unit from (values {subjects}) as subjects (subject_number, direction)"
        )
        self.connection.execute(
            "create table int_region__date as select 'reported' as reference_geography, date '2020-12-31' as as_of_date"
            ", 'P' as region_code, 'P' as region_id, 'P' as region_name, '' as region_name_en"
            ", 'province' as region_level, 0 as region_depth, '' as parent_code, '' as parent_name"
            ", '' as parent_name_en"
        )
        self.compute = f"create or replace table int_inequality__compute as {model_sql('int_inequality__compute')}"
        # the number of the set in the place of its year, to tell the sets apart
        self.mart = model_sql("figure_inequality").replace("sets.year,", "sets.set_number,", 1)

    def measure(self, sets: list[Places]) -> list[dict[tuple[str, str, str], tuple[float | None, str | None]]]:
        self.connection.execute("delete from int_inequality__list_places")
        rows = [row for number, places in enumerate(sets) for row in places.rows(number)]
        frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
        self.connection.register("incoming", frame.to_arrow())
        self.connection.execute("insert into int_inequality__list_places select * from incoming")
        self.connection.execute(self.compute)
        found: list[dict[tuple[str, str, str], tuple[float | None, str | None]]] = [{} for _ in sets]
        for number, measure, weighting, component, value, reason, status in self.connection.execute(
            f"select set_number, measure, weighting, component, value, undefined_reason, obs_status from ({self.mart})"
        ).fetchall():
            assert (value is None) == (reason is not None), (measure, value, reason)
            assert (value is None) == (status in ("M", "O")), (measure, value, status)
            key = (measure, weighting, component)
            assert key not in found[number]
            found[number][key] = (value, reason)
        return found

    def values(self, places: Places) -> dict[tuple[str, str, str], float | None]:
        (found,) = self.measure([places])
        return {key: value for key, (value, _) in found.items()}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


# -- textbook formulas --------------------------------------------------------------------------------------------


def textbook(places: Places) -> dict[tuple[str, str, str], float]:
    """All measures of a set of positive estimates with populations, parts and an order without ties."""
    y = [float(estimate) for estimate in places.estimates if estimate is not None]
    w = [float(weight) for weight in places.weights if weight is not None]
    n, total = len(y), math.fsum(w)
    p = [weight / total for weight in w]
    mu = math.fsum(a * b for a, b in zip(p, y, strict=True))
    plain = math.fsum(y) / n
    found: dict[tuple[str, str, str], float] = {}

    def add(measure: str, value: float, weighting: str = "population", component: str = "total") -> None:
        found[measure, weighting, component] = value

    add("difference", max(y) - min(y), "none")
    add("ratio", max(y) / min(y), "none")
    best = max(y) if places.direction == "higher" else min(y)
    reference = y[max(range(n), key=lambda place: places.order[place] or 0)]
    for weighting, shares, mean in (("population", p, mu), ("none", [1 / n] * n, plain)):
        variance = math.fsum(share * (value - mean) ** 2 for share, value in zip(shares, y, strict=True))
        add("variance", variance, weighting)
        add("sd", math.sqrt(variance), weighting)
        add("cv", 100 * math.sqrt(variance) / mean, weighting)
        lorenz, area, below = 0.0, 0.0, 0.0
        for value, share in sorted(zip(y, shares, strict=True)):
            above = lorenz + share * value / mean
            area += share * (lorenz + above)
            below, lorenz = below + share, above
        add("gini", 1 - area, weighting)
        for measure, start in (("mean", mu), ("best", best), ("reference", reference)):
            away = math.fsum(share * abs(value - start) for share, value in zip(shares, y, strict=True))
            add(f"mean_difference_from_{measure}", away, weighting)
            if measure == "mean":
                add("idis", 100 * away / mu, weighting)
    z = [value / mu for value in y]
    add("theil", math.fsum(a * b * math.log(b) for a, b in zip(p, z, strict=True)))
    add("mld", -math.fsum(a * math.log(b) for a, b in zip(p, z, strict=True)))
    add("atkinson_1", 1 - math.prod(b**a for a, b in zip(p, z, strict=True)))
    add("atkinson_0.5", 1 - math.fsum(a * math.sqrt(b) for a, b in zip(p, z, strict=True)) ** 2)
    add("atkinson_2", 1 - 1 / math.fsum(a / b for a, b in zip(p, z, strict=True)))
    within_t = between_t = within_l = between_l = 0.0
    for part in set(places.parts):
        members = [place for place in range(n) if places.parts[place] == part]
        share = math.fsum(p[place] for place in members)
        mean = math.fsum(p[place] * y[place] for place in members) / share
        inside = [(p[place] / share, y[place] / mean) for place in members]
        within_t += share * mean / mu * math.fsum(a * b * math.log(b) for a, b in inside)
        between_t += share * mean / mu * math.log(mean / mu)
        within_l -= share * math.fsum(a * math.log(b) for a, b in inside)
        between_l -= share * math.log(mean / mu)
    add("theil", within_t, component="within")
    add("theil", between_t, component="between")
    add("mld", within_l, component="within")
    add("mld", between_l, component="between")
    ranks, below = [0.0] * n, 0.0
    for place in sorted(range(n), key=lambda place: places.order[place] or 0):
        ranks[place], below = below + p[place] / 2, below + p[place]
    # normal equations of the weighted regression of the estimate on the rank
    sr, srr = math.fsum(a * r for a, r in zip(p, ranks, strict=True)), 0.0
    srr = math.fsum(a * r * r for a, r in zip(p, ranks, strict=True))
    sry = math.fsum(a * r * value for a, r, value in zip(p, ranks, y, strict=True))
    slope = (sry - sr * mu) / (srr - sr * sr)
    intercept = mu - slope * sr
    add("sii", slope)
    if intercept > 0:
        add("rii", (intercept + slope) / intercept)
    add("aci", 2 * (sry - mu * sr))
    add("rci", 2 * (sry - mu * sr) / mu)
    add("par", best - mu)
    add("paf", 100 * (best - mu) / mu)
    return found


def close(found: float | None, expected: float, scale: float) -> bool:
    """Within 1e-9 of the expected value; what cancels to nearly nothing is judged against the size of its terms."""
    return found is not None and abs(found - expected) <= 1e-9 * abs(expected) + 1e-12 * scale


@st.composite
def provinces(draw: st.DrawFn, least: int = 3) -> Places:
    count = draw(st.integers(least, 12))
    unit = draw(st.sampled_from([1e-3, 1.0, 1e4]))
    estimates = draw(st.lists(st.integers(1, 10**6), min_size=count, max_size=count))
    return Places(
        [unit * estimate for estimate in estimates],
        draw(st.lists(st.integers(1, 10**7), min_size=count, max_size=count)),
        draw(st.lists(st.sampled_from(["C1", "C2", "C3"]), min_size=count, max_size=count)),
        list(draw(st.permutations(range(count)))),
        draw(st.sampled_from(["higher", "lower"])),
    )


many = st.lists(provinces(), min_size=12, max_size=12)


@settings(max_examples=8)
@given(many)
def test_every_measure_is_the_textbooks(engine: Engine, sets: list[Places]) -> None:
    for places, found in zip(sets, engine.measure(sets), strict=True):
        largest = max(estimate or 0 for estimate in places.estimates)
        expected = textbook(places)
        for key, value in expected.items():
            scale = largest**2 if key[0] == "variance" else max(largest, 1.0) if "sii" in key[0] else largest + 1
            assert close(found[key][0], value, scale), (key, found[key], value)
        reasons = {key[0]: reason for key, (_, reason) in found.items() if key not in expected}
        assert reasons in ({}, {"rii": "intercept_not_positive"})


ABSOLUTE = {"difference", "sd", "mean_difference_from_mean", "mean_difference_from_best", "sii", "aci", "par",
            "mean_difference_from_reference"}  # fmt: skip
WEIGHTED = [key for key in textbook(Places([1, 2, 4], [1, 2, 3], ["a", "b", "b"], [1, 2, 3])) if key[1] == "population"]


@settings(max_examples=6)
@given(many, st.sampled_from([2.0, 0.001, 1e5, 7.0]))
def test_relative_measures_have_no_unit_and_absolute_ones_have_that_of_the_estimate(
    engine: Engine, sets: list[Places], factor: float
) -> None:
    scaled = [Places([factor * (y or 0) for y in s.estimates], s.weights, s.parts, s.order, s.direction) for s in sets]
    for places, before, after in zip(sets, engine.measure(sets), engine.measure(scaled), strict=True):
        largest = max(estimate or 0 for estimate in places.estimates)
        for key, (value, reason) in before.items():
            power = 2 if key[0] == "variance" else 1 if key[0] in ABSOLUTE else 0
            if value is None:
                assert after[key] == (None, reason)
            else:
                # an intercept near zero makes the ratio of the ends of the slope as large as one likes
                if key[0] == "rii" and abs(value) > 1e3:
                    continue
                assert close(after[key][0], value * factor**power, largest**power * factor**power), key


@settings(max_examples=6)
@given(many)
def test_a_place_told_as_two_changes_no_measure_of_people(engine: Engine, sets: list[Places]) -> None:
    doubled = [
        Places([y for y in s.estimates for _ in "12"], [w for w in s.weights for _ in "12"],
               [k for k in s.parts for _ in "12"], [o for o in s.order for _ in "12"], s.direction)
        for s in sets
    ]  # fmt: skip
    for places, before, after in zip(sets, engine.measure(sets), engine.measure(doubled), strict=True):
        largest = max(estimate or 0 for estimate in places.estimates)
        for key in [k for k in WEIGHTED if k[0] != "mean_difference_from_reference"]:
            if before[key][0] is not None and not (key[0] == "rii" and abs(before[key][0] or 0) > 1e3):
                assert close(after[key][0], before[key][0] or 0, largest**2 if key[0] == "variance" else largest), key


@settings(max_examples=6)
@given(many, st.randoms(use_true_random=False))
def test_the_order_of_the_places_changes_not_one_digit(engine: Engine, sets: list[Places], random: Any) -> None:
    shuffled = []
    for s in sets:
        order = list(range(len(s.estimates)))
        random.shuffle(order)
        lists = [[values[place] for place in order] for values in (s.estimates, s.weights, s.parts, s.order)]
        shuffled.append(Places(*lists, s.direction))  # type: ignore[arg-type]
    assert engine.measure(shuffled) == engine.measure(sets)


@settings(max_examples=6)
@given(many)
def test_bounds_hold_and_the_parts_add_up(engine: Engine, sets: list[Places]) -> None:
    for places, found in zip(sets, engine.measure(sets), strict=True):
        n = len(places.estimates)
        value = {key: number for key, (number, _) in found.items()}
        assert (value["ratio", "none", "total"] or 0) >= 1
        assert 0 <= (value["cv", "none", "total"] or 0) <= 100 * math.sqrt(n - 1) * (1 + 1e-11)
        assert 0 <= (value["gini", "none", "total"] or 0) <= (n - 1) / n
        for key in [k for k in value if k[0].startswith("atkinson") or k[0] == "gini"]:
            assert -1e-15 <= (value[key] or 0) <= 1
        # each is a quotient of figures with 12 digits
        assert abs(value["rci", "population", "total"] or 0) <= (value["gini", "population", "total"] or 0) + 5e-12
        for measure in ("theil", "mld"):
            total, within, between = (value[measure, "population", part] for part in ("total", "within", "between"))
            assert total is not None and within is not None and between is not None
            assert within >= -1e-15 and between >= -1e-15
            assert abs(total - within - between) <= 1e-11 * total + 1e-15


ZERO_WHERE_EQUAL = [
    key for key in textbook(Places([1, 2, 4], [1, 2, 3], ["a", "b", "b"], [1, 2, 3])) if key[0] not in ("ratio", "rii")
]


@settings(max_examples=6)
@given(provinces(), st.integers(1, 10**9))
def test_where_all_are_equal_there_is_none(engine: Engine, places: Places, estimate: int) -> None:
    equal = Places([estimate / 7] * len(places.estimates), places.weights, places.parts, places.order)
    value = engine.values(equal)
    assert (value["ratio", "none", "total"], value["rii", "population", "total"]) == (1, 1)
    for key in ZERO_WHERE_EQUAL:
        assert value[key] == 0, key


@settings(max_examples=6)
@given(provinces(), st.data())
def test_people_who_move_from_a_poor_to_a_rich_place_of_equal_size_raise_every_measure(
    engine: Engine, places: Places, data: st.DataObject
) -> None:
    """The principle of transfers: what goes from a place to one that already has more makes inequality larger."""
    assume(len(set(places.estimates)) > 1)
    y = [estimate or 0.0 for estimate in places.estimates]
    rich, poor = max(range(len(y)), key=y.__getitem__), min(range(len(y)), key=y.__getitem__)
    equal_size: list[int | None] = [1000] * len(y)
    moved = list(y)
    share = data.draw(st.floats(0.05, 0.9))
    moved[rich], moved[poor] = y[rich] + share * y[poor], y[poor] - share * y[poor]
    before, after = engine.measure(
        [Places(list(values), equal_size, places.parts, places.order) for values in (y, moved)]
    )
    for measure in ("cv", "gini", "theil", "mld", "atkinson_0.5", "atkinson_1", "atkinson_2"):
        key = (measure, "population", "total")
        assert (after[key][0] or 0) > (before[key][0] or 0), measure


# -- other packages -----------------------------------------------------------------------------------------------

FIVE = Places([10, 20, 15, 40, 5], [100, 300, 50, 700, 20], ["a", "a", "b", "b", "c"], [1, 2, 3, 4, 5])
PACKAGES = {
    # PySAL inequality 1.1.2: Gini, TheilD and atkinson over one row per person, Gini and Theil over one per place
    ("gini", "population", "total"): 0.19490040410542503,
    ("gini", "none", "total"): 0.35555555555555557,
    ("theil", "population", "total"): 0.08554260551796153,
    ("theil", "population", "between"): 0.06519282748193,
    ("theil", "population", "within"): 0.02034977803603,
    ("atkinson_0.5", "population", "total"): 0.0466988714252522,
    ("atkinson_1", "population", "total"): 0.10159912109114988,
    ("atkinson_2", "population", "total"): 0.2337638712024741,
    # statsmodels 0.15.0: WLS of the estimate on the mid-rank; numpy 2.4.6: std with ddof 0
    ("sii", "population", "total"): 38.937244,
    ("rii", "population", "total"): 4.485126858775452,
    ("cv", "population", "total"): 38.552801672935374,
    ("cv", "none", "total"): 67.12803318663651,
}


def test_the_numbers_of_other_packages(engine: Engine) -> None:
    value = engine.values(FIVE)
    assert {key: value[key] for key in PACKAGES} == pytest.approx(PACKAGES, rel=1e-9)


# -- edges --------------------------------------------------------------------------------------------------------

W = ("population", "total")
N = ("none", "total")
EDGES: dict[str, tuple[Places, dict[tuple[str, str, str], float | str]]] = {
    "nobody reported": (Places([None, None], [1, 1]), {("cv", *W): "no_values", ("difference", *N): "no_values"}),
    "one place": (
        Places([3, None], [1, 1]),
        {("ratio", *N): "fewer_than_two_places", ("theil", *W): "fewer_than_two_places"},
    ),
    "two places": (
        Places([3, 1], [1, 1]),
        {("variance", *W): "fewer_than_three_places", ("sd", *N): "fewer_than_three_places",
         ("difference", *N): 2, ("ratio", *N): 3, ("cv", *W): 50},
    ),
    "the smallest is zero": (
        Places([0, 2, 4], [1, 1, 2]),
        {("ratio", *N): "divisor_is_zero", ("mld", *W): "zero_values", ("atkinson_1", *W): 1, ("atkinson_2", *W): 1,
         ("theil", *W): (0.25 * 0.8 * math.log(0.8) + 0.5 * 1.6 * math.log(1.6)), ("difference", *N): 4},
    ),
    "one owns everything": (Places([0, 0, 0, 8], [1, 1, 1, 1]), {("gini", *N): 0.75, ("gini", *W): 0.75}),
    "nobody has anything": (
        Places([0, 0, 0], [1, 1, 2]),
        {("cv", *W): "all_zero", ("gini", *N): "all_zero", ("theil", *W): "all_zero", ("atkinson_2", *W): "all_zero",
         ("idis", *W): "all_zero", ("paf", *W): "all_zero", ("difference", *N): 0, ("variance", *W): 0},
    ),
    "a negative estimate": (
        Places([-1, 2, 3], [1, 1, 1]),
        {("gini", *W): "negative_values", ("theil", *W): "negative_values", ("ratio", *N): "negative_values",
         ("atkinson_0.5", *W): "negative_values", ("mld", *W): "negative_values", ("difference", *N): 4,
         ("sd", *W): math.sqrt(26 / 9)},
    ),
    "a mean below zero": (
        Places([-4, 1, 1], [1, 1, 1]), {("cv", *W): "mean_not_positive", ("idis", *N): "mean_not_positive"},
    ),
    "a place without its population": (
        Places([1, 2, 3], [1, None, 1]),
        {("cv", *W): "weight_missing", ("theil", *W): "weight_missing", ("idis", *N): "weight_missing",
         ("gini", *N): 2 / 9, ("ratio", *N): 3, ("difference", *N): 2},
    ),
    "nobody lives anywhere": (Places([1, 2, 3], [0, 0, 0]), {("cv", *W): "weight_missing", ("ratio", *N): 3}),
    "nothing orders the places": (
        Places([1, 2, 3], [1, 1, 1]),
        {("sii", *W): "no_ordering", ("rii", *W): "no_ordering", ("aci", *W): "no_ordering",
         ("rci", *W): "no_ordering", ("mean_difference_from_reference", *N): "no_ordering"},
    ),
    "one place is not ordered": (Places([1, 2, 3], [1, 1, 1], order=[1, None, 3]), {("sii", *W): "no_ordering"}),
    "two ordered groups": (
        Places([1, 2, 3], [1, 1, 1], order=[1, 1, 2]),
        {("sii", *W): "fewer_than_three_groups", ("rci", *W): "fewer_than_three_groups",
         ("mean_difference_from_reference", *N): 1},
    ),
    "the reference is shared": (
        Places([1, 2, 3], [1, 1, 1], order=[1, 2, 2]), {("mean_difference_from_reference", *W): "reference_tied"},
    ),
    "the line meets zero": (Places([0, 0, 9], [1, 1, 1], order=[1, 2, 3]), {("rii", *W): "intercept_not_positive"}),
    "no direction": (
        Places([1, 2, 3], [1, 1, 1], direction="interval"),
        {("par", *W): "no_direction", ("paf", *W): "no_direction", ("mean_difference_from_best", *N): "no_direction"},
    ),
    "lower is better": (
        Places([1, 2, 3], [1, 1, 1], direction="lower"), {("par", *W): -1, ("paf", *W): -50},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDGES)
def test_what_is_not_defined_has_no_value_and_says_why(engine: Engine, name: str) -> None:
    places, expected = EDGES[name]
    (found,) = engine.measure([places])
    for key, answer in expected.items():
        value, reason = found[key]
        if isinstance(answer, str):
            assert (value, reason) == (None, answer), key
        else:
            assert value == pytest.approx(answer, rel=1e-11), (key, reason)


def test_every_reason_that_a_measure_can_have_has_been_seen() -> None:
    rendered = " ".join(MACROS.inequality_reason(code, w, "total") for code in MEASURES for w in ("population", "none"))
    reasons = {word.strip("'") for word in rendered.split() if word.startswith("'")}
    seen = {answer for _, expected in EDGES.values() for answer in expected.values() if isinstance(answer, str)}
    assert reasons - seen == {"group_missing"}  # of pairs, below


PAIR = {"member": 1, "rest": 2}


def test_a_group_and_the_rest_are_compared_by_their_means(engine: Engine) -> None:
    places = Places([1, 3, 4, 8], [1, 3, 1, 1], ["member", "member", "rest", "rest"], position=PAIR)
    (found,) = engine.measure([places])
    value = {key: number for key, (number, _) in found.items()}
    assert (value["ratio", "none", "total"], value["difference", "none", "total"]) == pytest.approx((2.5 / 6, -3.5))
    assert value["theil", "population", "total"] == pytest.approx(
        (value["theil", "population", "within"] or 0) + (value["theil", "population", "between"] or 0), rel=1e-11
    )
    assert {key[0] for key in found} == {"ratio", "difference", "theil", "mld"}


def test_a_group_without_a_rest_is_compared_with_nobody(engine: Engine) -> None:
    (found,) = engine.measure([Places([1, 3], [1, 3], ["member", "member"], position=PAIR)])
    assert {reason for _, reason in found.values()} == {"group_missing"}


def test_two_groups_of_one_place_each_show_difference_and_ratio_only(engine: Engine) -> None:
    (found,) = engine.measure([Places([6, 3], [1, 1], ["urban", "rural"], position={"urban": 1, "rural": 2})])
    assert found == {("difference", "none", "total"): (3, None), ("ratio", "none", "total"): (2, None)}
    (found,) = engine.measure([Places([6, 0], [1, 1], ["urban", "rural"], position={"urban": 1, "rural": 2})])
    assert found["ratio", "none", "total"] == (None, "divisor_is_zero")


def test_what_nobody_asks_for_is_not_computed(engine: Engine) -> None:
    (found,) = engine.measure([Places([1, 2, 3], [1, 1, 1], asked=";gini;")])
    assert {key[0] for key in found} == {"difference", "ratio", "cv", "theil", "gini"}
    (found,) = engine.measure([Places([1, 2, 3], [1, 1, 1], asked="")])
    assert set(found) == {("difference", *N), ("ratio", *N), ("cv", *W), ("cv", *N), ("theil", *W)}
