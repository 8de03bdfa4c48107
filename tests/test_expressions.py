"""The language of indicators: what can be written is read exactly, what cannot is refused with its place."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.contract import ALLOWED
from pipelines.jurisdiction.expressions import DIMENSIONS, KEPT, OUTPUT_DIMENSIONS, Term, parse, term_rows

NAMES = st.from_regex(r"\A[a-z][a-z0-9_]{0,9}\Z")
VALUES = st.from_regex(r"\A[A-Za-z0-9_+-]{1,8}\Z")
STATED = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(
            st.sampled_from(sorted(ALLOWED[name])) if name in ALLOWED else VALUES, min_size=1, max_size=3, unique=True
        ).map(tuple)
        for name in DIMENSIONS
    },
)
WEIGHTS = st.integers(1, 10**9).map(lambda millionths: Decimal(millionths) / 10**6)
COEFFICIENTS = st.builds(lambda sign, weight: sign * weight, st.sampled_from([1, -1]), st.just(Decimal(1)) | WEIGHTS)
TERMS = st.builds(Term, coefficient=COEFFICIENTS, measure=NAMES, dimensions=STATED)


def written(terms: list[Term], blank: str) -> str:
    parts = []
    for number, term in enumerate(terms):
        sign = "-" if term.coefficient < 0 else "+" if number else ""
        inner = f",{blank}".join(f"{d}={'|'.join(v)}" for d, v in term.dimensions.items())
        weight = abs(term.coefficient)
        sign += "" if weight == 1 else f"{blank}{weight:f}{blank}*"
        parts.append(sign + blank + term.measure + (f"{{{inner}}}" if inner else ""))
    return blank.join(parts)


@given(terms=st.lists(TERMS, min_size=1, max_size=4), blank=st.sampled_from(["", " ", "  "]))
def test_what_is_written_is_read_back(terms: list[Term], blank: str) -> None:
    assert parse(written(terms, blank), "here") == terms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "beds beds",
        "beds +",
        "beds * 2",
        "2*",
        "2**beds",
        "2*3*beds",
        "*beds",
        "0*beds",
        "0.0*beds",
        "-0*beds",
        "1.*beds",
        ".5*beds",
        "1.2.3*beds",
        "1,5*beds",
        "1e3*beds",
        "1/0*beds",
        "1/3*beds",
        "1/2/2*beds",
        "0.0000001*beds",
        "1000001*beds",
        "2*{item=primary}",
        "2*(beds + homes)",
        "2 beds",
        "beds / persons",
        "beds{",
        "beds}",
        "beds{sex}",
        "beds{sex=}",
        "beds{sex=|}",
        "beds{sex=male|}",
        "beds{colour=red}",
        "beds{sex=male,sex=female}",
        "beds{sex=male|male}",
        "beds{sex=male|*}",
        "beds{item=*}",
        "beds{sex=man}",
        "beds{residence=town}",
        "Beds",
        "beds{sex=male}}",
        "床位",
        "(beds)",
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse(text, "indicators.csv, line 7")
    assert error.value.where == "indicators.csv, line 7"
    assert error.value.do


@given(
    over=st.integers(1, 999), under=st.sampled_from([1, 2, 4, 5, 8, 10, 16, 25, 64]), blank=st.sampled_from(["", " "])
)
def test_a_fraction_is_read_exactly(over: int, under: int, blank: str) -> None:
    (term,) = parse(f"{over}{blank}/{blank}{under}{blank}*{blank}beds", "here")
    assert Fraction(term.coefficient) == Fraction(over, under)
    assert term.measure == "beds"


def test_weights_stand_with_their_own_term() -> None:
    found = rows("6*schooled{item=primary} + 9*schooled{item=junior|senior} - beds", "homes")
    assert column(found, "coefficient") == ["6", "9", "9", "-1"]
    assert column(found, "item") == ["primary", "junior", "senior", "all"]
    assert column(found, "status") == [None] * 4


def test_a_weight_below_one_makes_an_estimate() -> None:
    found = rows("schooled", "population{age_group=10+} + 0.8*population{age_group=5-9}", "census")
    assert column(found, "status") == [None]
    assert column(found, "status", "denominator") == [None, "E"]


def rows(numerator: str, denominator: str, source: str = "") -> list[dict[str, str | int | None]]:
    populations = {"residents": "year_end", "counted": "census", "registered": "mid_year"}
    return term_rows("X", parse(numerator, "x"), parse(denominator, "x"), source, populations, "x")


def column(found: list[dict[str, str | int | None]], name: str, part: str = "numerator") -> list[str | int | None]:
    return [row[name] for row in found if row["part"] == part]


def test_unstated_dimensions_are_kept_but_age_and_item_mean_all() -> None:
    (numerator, denominator) = rows("beds", "homes")
    for row in (numerator, denominator):
        assert (row["age_group"], row["item"]) == ("all", "all")
        assert (row["sex"], row["residence"], row["group"]) == (KEPT, KEPT, KEPT)
        assert (row["population_basis"], row["population_source"]) == (KEPT, KEPT)
        assert [row[f"out_{d}"] for d in OUTPUT_DIMENSIONS] == [KEPT, KEPT, "all", KEPT]


def test_a_dimension_that_all_terms_pin_to_one_value_is_the_figures_own() -> None:
    found = rows("pupils{age_group=6-14}", "population{age_group=6-14}", "census")
    assert column(found, "out_age_group") == ["6-14"]
    found = rows("births{sex=female}", "population{sex=female}", "census")
    assert column(found, "out_sex") == ["female"]


def test_a_dimension_pinned_on_one_side_gives_a_total_and_takes_only_totals_of_the_other() -> None:
    """Else the parts would be added to their own total."""
    found = rows("births", "population{sex=female}", "census")
    assert column(found, "out_sex") == ["all"]
    assert column(found, "sex") == ["all"]
    assert column(found, "sex", "denominator") == ["female"]


def test_values_listed_are_summed_one_row_each() -> None:
    found = rows("unread", "population{age_group=15-64|65+}", "census")
    assert column(found, "age_group", "denominator") == ["15-64", "65+"]
    assert column(found, "age_group") == ["all"]
    assert column(found, "out_age_group") == ["all"]


def test_a_star_in_every_term_keeps_the_ages() -> None:
    found = rows("unread{age_group=*}", "population{age_group=*}", "census")
    assert column(found, "age_group") == [KEPT]
    assert column(found, "out_age_group") == [KEPT]
    found = rows("unread{age_group=*}", "homes")
    assert column(found, "age_group") == ["all"]
    assert column(found, "out_age_group") == ["all"]


@given(
    ages=st.lists(VALUES, min_size=1, max_size=4, unique=True),
    sexes=st.lists(st.sampled_from(["male", "female"]), min_size=1, max_size=2, unique=True),
)
def test_every_combination_listed_is_there_exactly_once(ages: list[str], sexes: list[str]) -> None:
    found = rows(f"unread{{age_group={'|'.join(ages)},sex={'|'.join(sexes)}}}", "homes")
    pairs = [(str(row["age_group"]), str(row["sex"])) for row in found if row["part"] == "numerator"]
    assert sorted(pairs) == sorted(itertools.product(ages, sexes))


def test_a_difference_has_a_negative_term() -> None:
    found = rows("all_pupils - boarders", "schools")
    assert column(found, "coefficient") == ["1", "-1"]
    assert column(found, "term_number") == [1, 2]


def test_population_stands_for_every_measure_of_its_sources() -> None:
    ends = rows("beds", "population", "year_end")
    assert set(column(ends, "population_source", "denominator")) == {"year_end"}
    assert column(ends, "measure", "denominator") == ["residents", "counted"]
    both = rows("beds", "population", "year_end|census")
    # a census also gives the year ends between two counts
    sources = column(both, "population_source", "denominator")
    assert sorted(zip(column(both, "measure", "denominator"), sources, strict=True)) == [
        ("counted", "census"),
        ("counted", "year_end"),
        ("residents", "year_end"),
    ]
    middle = rows("beds", "population", "mid_year")
    assert set(column(middle, "population_source", "denominator")) == {"mid_year"}
    (named,) = column(rows("beds", "counted"), "population_source", "denominator")
    assert named == "census", "a measure by its name is what was reported"
    assert len(column(rows("beds", "population"), "measure", "denominator")) == 3
    with pytest.raises(ConfigurationError, match="no population measure has the source 'moon'"):
        rows("beds", "population", "moon")
