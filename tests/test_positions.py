"""How figures stand to each other: positions with what chance leaves open, fifths, words and quartiles, counted again.

The models' own SQL on many sets of made-up regions at once; what is expected is computed figure by figure.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from formulas import model_sql

HOME = "P"


@dataclass(frozen=True)
class Figure:
    """A figure of one set, with its interval."""

    subject: str
    region: str
    depth: int
    levels: str
    value: float | None
    low: float | None
    high: float | None
    parent: str | None


DIRECTIONS: dict[str, str | None] = {}


def _drawn(
    chance: random.Random, subject: str, is_coarse: bool, intervals: str, region: str, depth: int, parent: str | None
) -> Figure:
    """One figure; coarse values tie."""
    value = float(chance.randint(0, 4) if is_coarse else chance.randint(0, 1000)) / 4
    is_missing = chance.random() < 0.1
    bare = intervals == "none" or (intervals == "some" and chance.random() < 0.4)
    low = None if is_missing or bare else value - chance.randint(0, 8) / 8
    high = None if low is None else value + chance.randint(0, 8) / 8
    levels = "city,county" if depth < 2 or chance.random() < 0.9 else "county"
    return Figure(subject, region, depth, levels, None if is_missing else value, low, high, parent)


def _sets(seed: int) -> list[Figure]:
    """Sets of regions of one depth, from two to twelve; values that tie, are missing, or have no interval."""
    chance = random.Random(seed)
    found = []
    for number in range(120):
        subject = f"S{number:03d}"
        DIRECTIONS[subject] = chance.choice(["higher", "lower", "interval", None])
        kind = (chance.random() < 0.5, chance.choice(["all", "some", "none"]))
        places: list[tuple[str, int, str | None]] = [
            (HOME, 0, None),
            ("ABROAD", 1, None),
        ]  # one is beside the home region
        places += [(f"C{code:02d}", 1, HOME) for code in range(chance.randint(2, 12))]
        places += [(f"K{code:02d}", 2, "C00") for code in range(chance.randint(0, 7))]
        found += [_drawn(chance, subject, *kind, *place) for place in places]
    return found


def _laid(figures: list[Figure]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(
        "create table figure (subject_code varchar, region_id varchar, region_code varchar, region_depth integer, "
        "year integer, period_name varchar, breakdown varchar, variant varchar, value double, ci_low double, "
        "ci_high double, government_levels varchar, boundaries varchar, boundaries_date date, provenance varchar)"
    )
    connection.executemany(
        "insert into figure values (?, ?, ?, ?, 2020, '2020', 'all', 'main', ?, ?, ?, ?, 'reported', '2020-12-31', "
        "'official')",
        [(f.subject, f"id {f.region}", f.region, f.depth, f.value, f.low, f.high, f.levels) for f in figures],
    )
    connection.execute(f"create table stg_setting as select '{HOME}' as home_region")
    connection.execute("create table dim_subject (subject_code varchar, direction varchar, is_of_territory boolean)")
    connection.executemany("insert into dim_subject values (?, ?, true)", [*DIRECTIONS.items()])
    places = {(f.region, f.depth, f.parent) for f in figures}
    connection.execute(
        "create table int_region__date (reference_geography varchar, as_of_date date, region_code varchar, "
        "region_depth integer, parent_code varchar, is_territory boolean)"
    )
    connection.executemany(
        "insert into int_region__date values ('reported', '2020-12-31', ?, ?, ?, true)", sorted(places, key=str)
    )
    connection.execute(
        "create table int_region__tree (reference_geography varchar, as_of_date date, region_code varchar, "
        "ancestor_code varchar, distance integer)"
    )
    connection.executemany(
        "insert into int_region__tree values ('reported', '2020-12-31', ?, ?, ?)",
        [(region, HOME, depth) for region, depth, parent in places if region != "ABROAD"],
    )
    return connection


def _word(figure: Figure, other: Figure | None, direction: str | None) -> str | None:
    if other is None or other.value is None or figure.value is None or figure.low is None or figure.high is None:
        return None
    if figure.low <= other.value <= figure.high:
        return "similar"
    is_above = other.value < figure.low
    if direction in ("higher", "lower"):
        return "better" if is_above == (direction == "higher") else "worse"
    return "higher" if is_above else "lower"


def _compared(figure: Figure, others: list[Figure], direction: str | None) -> tuple[int | None, ...]:
    """How many are compared, the fifth, and the first and last position that the intervals leave open."""
    if figure not in others:
        return None, None, None, None
    count = len(others)
    sign = -1 if direction == "lower" else 1
    mine = sign * (figure.value or 0)
    rank = 1 + sum(sign * (other.value or 0) > mine for other in others)
    fifth = max(1, 6 - math.ceil(Fraction(5 * (count + 1 - rank), count))) if count >= 5 else None
    if any(other.low is None or other.high is None for other in others):
        return (count if count > 1 else None), fifth, None, None

    def ends(other: Figure) -> tuple[float, float]:  # the worse end, the better end
        assert other.low is not None and other.high is not None
        return (other.low, other.high) if sign > 0 else (-other.high, -other.low)

    worse, better = ends(figure)
    surely_better = sum(ends(other)[0] > better for other in others)
    surely_worse = sum(ends(other)[1] < worse for other in others)
    return (count if count > 1 else None), fifth, 1 + surely_better, count - surely_worse


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_positions_fifths_and_words_are_those_counted_one_by_one(seed: int) -> None:
    figures = _sets(seed)
    by_subject: dict[str, dict[str, Figure]] = defaultdict(dict)
    for figure in figures:
        by_subject[figure.subject][figure.region] = figure
    expected: dict[tuple[str, str], Any] = {}
    for figure in figures:
        if figure.value is None:
            continue
        peers = by_subject[figure.subject]
        direction = DIRECTIONS[figure.subject]
        others = [
            other
            for other in peers.values()
            if other.value is not None
            and (other.depth, other.levels) == (figure.depth, figure.levels)
            and other.region not in (HOME, "ABROAD")
        ]
        home = None if figure.region == HOME else peers[HOME]
        above = peers.get(figure.parent) if figure.parent else None
        expected[figure.subject, figure.region] = (
            *_compared(figure, others, direction),
            home and home.value,
            above and above.value,
            _word(figure, home, direction),
            _word(figure, above, direction),
        )
    rows = _laid(figures).execute(
        "select subject_code, region_id, regions_compared, fifth, position_first, position_last, home_value, "
        f"above_value, to_home, to_above from ({model_sql('figure_position')})"
    )
    found = {(row[0], row[1].removeprefix("id ")): row[2:] for row in rows.fetchall()}
    assert found == expected
    fifths = [row[1] for row in found.values()]
    words = {row[6] for row in found.values()}
    assert {1, 2, 3, 4, 5, None} == set(fifths) and words >= {"better", "worse", "higher", "lower", "similar", None}


def _quantile(values: list[float], share: Fraction) -> float:
    """Linear between neighbours, as most statistics programs do it (R's type 7)."""
    place = share * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    part = place - low
    return float(Fraction(values[low]) + part * (Fraction(values[high]) - Fraction(values[low])))


def test_benchmarks_are_of_the_regions_that_are_compared() -> None:
    """Only regions of one depth in the home region, of the same levels of government, with a value."""
    figures = _sets(4)
    connection = _laid(figures)
    connection.execute(f"create table figure_position as {model_sql('figure_position')}")
    groups: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    for figure in figures:
        if figure.value is not None and figure.region not in (HOME, "ABROAD"):
            groups[figure.subject, figure.depth, figure.levels].append(figure.value)
    expected = {}
    for key, values in groups.items():
        values.sort()
        if len(values) > 1:
            quartiles = [_quantile(values, Fraction(n, 4)) for n in (1, 2, 3)]
            mean = float(sum(map(Fraction, values)) / len(values))
            expected[key] = (len(values), values[0], *quartiles, values[-1], pytest.approx(mean, rel=1e-12))
    rows = connection.execute(
        "select subject_code, region_depth, government_levels, regions, least, first_quartile, median, third_quartile, "
        f"most, mean from ({model_sql('benchmark')})"
    )
    found = {(row[0], row[1], row[2]): row[3:] for row in rows.fetchall()}
    assert found == expected and len(found) > 100
