"""Rates and their intervals, as the macros' own SQL computes them, against scipy and statsmodels and what must hold."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import pytest
from formulas import MACROS
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, norm

ALPHA = {"0.95": 0.025, "0.998": 0.001}


def ask(sql: str, rows: list[tuple[Any, ...]], columns: str) -> list[tuple[Any, ...]]:
    """An SQL expression list over generated rows, in their order."""
    with duckdb.connect() as connection:
        names = ", ".join(columns.split())
        marks = ", ".join(f"({number}, {', '.join('?' * len(row))})" for number, row in enumerate(rows))
        return connection.execute(
            f"select {sql} from (values {marks}) as given(row_number, {names}) order by row_number",
            [cell for row in rows for cell in row],
        ).fetchall()


@pytest.mark.parametrize("level", ALPHA)
def test_the_constants_are_those_of_scipy(level: str) -> None:
    table = MACROS.poisson_quantiles()[level]
    assert float(table["z"]) == pytest.approx(norm.ppf(1 - ALPHA[level]), rel=1e-15)
    for events in range(10):
        low = chi2.ppf(ALPHA[level], 2 * events) / 2 if events else 0
        assert float(table["low"][events]) == pytest.approx(low, rel=1e-13)
        assert float(table["high"][events]) == pytest.approx(chi2.ppf(1 - ALPHA[level], 2 * events + 2) / 2, rel=1e-13)


@pytest.mark.parametrize("level", ALPHA)
def test_limits_of_counts(level: str) -> None:
    """Exact below ten; from there on Byar's, which scipy's exact limits confirm to 0.2 % (2 % for the wide ones)."""
    counts = [0, 1, 5, 9, 10, 11, 47, 1000, 123456]
    rows = ask(
        f"{MACROS.poisson_low('x', level)}, {MACROS.poisson_high('x', level)}", [(count,) for count in counts], "x"
    )
    for count, (low, high) in zip(counts, rows, strict=True):
        exact_low = chi2.ppf(ALPHA[level], 2 * count) / 2 if count else 0
        exact_high = chi2.ppf(1 - ALPHA[level], 2 * count + 2) / 2
        near = 1e-13 if count < 10 else 2e-3 if level == "0.95" else 2e-2
        assert low == pytest.approx(exact_low, rel=near)
        assert high == pytest.approx(exact_high, rel=near)
    # written out once: x (1 - 1/9x - z/3 sqrt x)^3 for 47 events
    z = norm.ppf(1 - ALPHA[level])
    assert rows[6][0] == pytest.approx(47 * (1 - 1 / (9 * 47) - z / (3 * math.sqrt(47))) ** 3, rel=1e-12)
    assert rows[6][1] == pytest.approx(48 * (1 - 1 / (9 * 48) + z / (3 * math.sqrt(48))) ** 3, rel=1e-12)


def test_a_negative_count_or_a_part_of_one_has_no_limits() -> None:
    rows = ask(f"{MACROS.poisson_low('x')}, {MACROS.poisson_high('x')}", [(-1.0,), (2.5,), (None,)], "x")
    assert rows == [(None, None)] * 3


@settings(max_examples=20)
@given(st.lists(st.integers(0, 10**6), min_size=30, max_size=30))
def test_limits_hold_their_count_and_grow_with_it(counts: list[int]) -> None:
    counts.sort()
    rows = ask(f"{MACROS.poisson_low('x')}, {MACROS.poisson_high('x')}", [(count,) for count in counts], "x")
    assert all(low <= count < high for count, (low, high) in zip(counts, rows, strict=True))
    # Byar's takes over from the exact limits without a step back
    assert rows == sorted(rows)


DIRECT = (
    f"{MACROS.standardised_rate('share', 'x', 'n')} as rate, "
    f"{MACROS.standardised_variance('share', 'x', 'n', 'everybody')} as variance, sum(x) as events"
)


def standardise(bands: list[tuple[Any, Any, Any]], level: str = "0.95") -> tuple[Any, ...]:
    with duckdb.connect() as connection:
        connection.execute("create table bands (w decimal(18, 6), x decimal(28, 9), n decimal(28, 9))")
        connection.executemany("insert into bands values (?, ?, ?)", bands)
        low, high = (MACROS.dobson_limit("rate", "variance", "events", side, level) for side in ("low", "high"))
        share = MACROS.divide("w", "sum(w) over ()")
        shares = f"select x, n, {share} as share, sum(n) over () as everybody from bands"
        row = connection.execute(f"select rate, {low}, {high} from (select {DIRECT} from ({shares}))").fetchone()
        assert row is not None
        return row


BANDS = [(0.2, 4, 1000), (0.5, 30, 4000), (0.3, 90, 1500)]


def test_a_directly_standardised_rate_and_its_interval() -> None:
    rate = sum(w * x / n for w, x, n in BANDS)
    variance = sum(w * w * x / n / n for w, x, n in BANDS)
    events, z = 124, norm.ppf(0.975)
    byar_low = events * (1 - 1 / (9 * events) - z / (3 * math.sqrt(events))) ** 3
    byar_high = (events + 1) * (1 - 1 / (9 * (events + 1)) + z / (3 * math.sqrt(events + 1))) ** 3
    expected = [rate + math.sqrt(variance / events) * (limit - events) for limit in (byar_low, byar_high)]
    assert standardise(BANDS) == pytest.approx((rate, *expected), rel=1e-12)
    # weights count in proportion only
    assert standardise([(w * 1000, x, n) for w, x, n in BANDS]) == pytest.approx((rate, *expected), rel=1e-12)


def test_equal_rates_in_all_ages_are_the_crude_rate() -> None:
    rate, low, high = standardise([(0.2, 10, 1000), (0.5, 40, 4000), (0.3, 15, 1500)])
    assert rate == pytest.approx(0.01, rel=1e-12)
    assert low < rate < high


@pytest.mark.parametrize(
    "bands",
    [
        [(0.5, 4, 0), (0.5, 30, 4000)],  # nobody in a band
        [(0.5, None, 10), (0.5, 30, 4000)],  # a missing count is no zero
        [(0.5, 4, None), (0.5, 30, 4000)],
    ],
)
def test_a_standardised_rate_needs_every_band(bands: list[tuple[Any, Any, Any]]) -> None:
    assert standardise(bands)[0] is None


def test_below_ten_events_a_standardised_rate_has_no_interval() -> None:
    assert standardise([(0.5, 4, 1000), (0.5, 5, 1000)])[1:] == (None, None)
    assert standardise([(0.5, 0, 1000), (0.5, 10, 1000)])[1] is not None


def test_observed_over_expected() -> None:
    rows = ask(
        f"{MACROS.divide('o', 'e')}, {MACROS.indirect_ratio_limit('o', 'e', 'low')}, "
        f"{MACROS.indirect_ratio_limit('o', 'e', 'high')}",
        [(5, 4.0), (5, 0.0)],
        "o e",
    )
    assert rows[0] == pytest.approx((1.25, chi2.ppf(0.025, 10) / 8, chi2.ppf(0.975, 12) / 8), rel=1e-12)
    assert rows[1] == (None, None, None)


def test_quantiles_of_areas() -> None:
    rows = ask(
        f"{MACROS.quantile_of_areas('r', 'n', 5, 'd')}",
        [(rank, 10, direction) for direction in ("lower", "higher") for rank in range(1, 11)]
        + [(1, 4, "higher"), (None, 10, "higher"), (1, 10, "interval")],
        "r n d",
    )
    found = [value for (value,) in rows]
    assert found[:10] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]  # lower is better: the lowest are the best
    assert found[10:20] == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert found[20:] == [None, None, None]


@settings(max_examples=20)
@given(st.integers(5, 300))
def test_quantiles_are_of_equal_size_within_one(areas: int) -> None:
    rows = ask(
        f"{MACROS.quantile_of_areas('r', 'n', 5, 'd')}", [(r, areas, "lower") for r in range(1, areas + 1)], "r n d"
    )
    sizes = [sum(1 for (value,) in rows if value == quantile) for quantile in range(1, 6)]
    assert sum(sizes) == areas
    assert max(sizes) - min(sizes) <= 1


def test_funnel_limits() -> None:
    wilson = [MACROS.wilson_low("x", "n"), MACROS.wilson_high("x", "n")]
    low, high = (MACROS.funnel_proportion_limit("b", "n", side) for side in ("low", "high"))
    rows = ask(f"{low}, {high}", [(0.3, 400), (0.01, 5), (0.0, 9), (1.0, 9), (0.5, 0)], "b n")
    # at its funnel limit a proportion's own interval just meets the baseline
    (edges,) = ask(f"{wilson[0]}, {wilson[1]}", [(rows[0][1] * 400, 400)], "x n")
    assert edges[0] == pytest.approx(0.3, rel=1e-9)
    (edges,) = ask(f"{wilson[0]}, {wilson[1]}", [(rows[0][0] * 400, 400)], "x n")
    assert edges[1] == pytest.approx(0.3, rel=1e-9)
    assert rows[1][0] == 0
    assert rows[2:] == [(None, None)] * 3
    low, high = (MACROS.funnel_ratio_limit("e", side, "0.998") for side in ("low", "high"))
    rows = ask(f"{low}, {high}", [(100.0,), (4.0,), (0.0,)], "e")
    assert rows[0][0] < 1 < rows[0][1]
    assert rows[1] == pytest.approx((chi2.ppf(0.001, 8) / 8, chi2.ppf(0.999, 10) / 8), rel=1e-12)
    assert rows[2] == (None, None)


def test_the_numbers_of_other_packages() -> None:
    """statsmodels 0.15.0: confint_poisson of 7 in 1000 by "exact-c", proportion_confint of 7 in 50 by "wilson"."""
    (exact,) = ask(f"{MACROS.poisson_low('x')} / 1000, {MACROS.poisson_high('x')} / 1000", [(7,)], "x")
    assert exact == pytest.approx((0.0028143630515198654, 0.014422675361702376), rel=1e-9)
    (wilson,) = ask(f"{MACROS.wilson_low('x', 'n')}, {MACROS.wilson_high('x', 'n')}", [(7, 50)], "x n")
    assert wilson == pytest.approx((0.06950833427016288, 0.26186193710585537), rel=1e-9)
