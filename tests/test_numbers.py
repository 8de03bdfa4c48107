"""A number is taken exactly or not at all: whatever is written, no value is ever guessed."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.intake import numbers

FULL_WIDTH = str.maketrans("0123456789.,-+()%", "０１２３４５６７８９．，－＋（）％")


def parse(*texts: str | None, **rules: Any) -> list[dict[str, Any]]:
    """Each text with value, status and rule."""
    arguments: dict[str, Any] = {
        "kind": "decimal",
        "factor": 1,
        "is_percent": False,
        "tokens": {},
        "marks": {},
        "minimum": None,
        "maximum": None,
    }
    frame = numbers.parse(pl.Series("t", list(texts), dtype=pl.String), **{**arguments, **rules})
    assert frame.height == len(texts)
    return frame.drop("reported").to_dicts()


def one(text: str | None, **rules: Any) -> dict[str, Any]:
    return parse(text, **rules)[0]


def test_a_decimal_times_its_unit_is_exact() -> None:
    assert one("10082.01", factor=100_000_000)["value"] == Decimal("1008201000000")
    assert one("6456.7588", factor=10_000)["value"] == Decimal("64567588")
    assert one("0.1")["value"] == Decimal("0.1")
    assert one("0.000000001")["value"] == Decimal("0.000000001")


DECIMALS = st.decimals(
    min_value=Decimal("-9999999999.999999999"), max_value=Decimal("9999999999.999999999"), places=9, allow_nan=False
)


@given(number=DECIMALS, factor=st.sampled_from([1, 10, 1000, 10_000, 100_000_000]))
def test_every_decimal_of_nine_places_times_its_unit_is_exact(number: Decimal, factor: int) -> None:
    found = one(f"{number:f}", factor=factor)
    assert found["rule"] is None
    assert found["value"] == number * factor


@given(number=st.integers(-(10**15), 10**15))
def test_thousands_full_width_and_brackets_say_the_same_number(number: int) -> None:
    plain, grouped = f"{number}", f"{number:,}"
    bracketed = f"({abs(number):,})" if number < 0 else grouped
    written = [plain, grouped, bracketed, plain.translate(FULL_WIDTH), grouped.translate(FULL_WIDTH), f" \t{plain}　"]
    written += [bracketed.translate(FULL_WIDTH), plain.replace("-", "−"), f"{number}.0"]
    for found in parse(*written, kind="integer"):
        assert found["rule"] is None
        assert found["value"] == number


@given(mantissa=st.decimals(min_value=-999, max_value=999, places=3), exponent=st.integers(-12, 12))
def test_exponents_are_read_in_decimal_never_through_binary(mantissa: Decimal, exponent: int) -> None:
    exact = mantissa.scaleb(exponent)
    found = one(f"{mantissa:f}e{exponent}")
    assert found["rule"] is None
    assert found["value"] == exact.quantize(Decimal("1e-9"), rounding=ROUND_HALF_EVEN)


def test_what_a_spreadsheet_stored_as_a_binary_fraction_is_rounded_to_nine_places() -> None:
    assert one("0.30000000000000004")["value"] == Decimal("0.3")
    assert one("97.399999999999991")["value"] == Decimal("97.4")


def test_a_percent_sign_is_a_part_of_the_number_only_where_the_unit_is_percent() -> None:
    assert one("97.4%", is_percent=True)["value"] == Decimal("97.4")
    assert one("97.4 ％", is_percent=True)["value"] == Decimal("97.4")
    assert one("97.4%") == {
        "value": None,
        "obs_status": "A",
        "rule": "not_a_number",
        "detail": "not a number and not a token of the contract",
    }


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("12 34", "several_numbers"),
        ("12\n34", "several_numbers"),
        ("1.23.4", "several_numbers"),
        ("3.45 6.78", "several_numbers"),
        ("12 abc", "not_a_number"),
        ("NaN", "not_a_number"),
        ("inf", "not_a_number"),
        ("-Infinity", "not_a_number"),
        ("1,23", "not_a_number"),
        ("1,2345", "not_a_number"),
        ("12,34,567", "not_a_number"),
        ("0x1f", "not_a_number"),
        ("1_000", "not_a_number"),
        ("#DIV/0!", "not_a_number"),
        ("#REF!", "not_a_number"),
        ("--5", "not_a_number"),
        ("5-", "not_a_number"),
        ("(5", "not_a_number"),
        ("(-5)", "not_a_number"),
        ("约12", "not_a_number"),
        ("十二", "not_a_number"),
        ("12万", "not_a_number"),
        (".", "not_a_number"),
        ("e5", "not_a_number"),
        ("TRUE", "not_a_number"),
        ("1\ufffd2", "replaced_byte"),
        ("", "empty_cell"),
        ("   ", "empty_cell"),
        (None, "empty_cell"),
        ("1e99", "out_of_range"),
        ("12345678901234567890", "out_of_range"),
    ],
)
def test_what_is_no_number_is_refused_with_its_reason(text: str | None, rule: str) -> None:
    found = one(text)
    assert (found["value"], found["rule"]) == (None, rule)
    assert found["detail"]


@given(first=DECIMALS, second=DECIMALS, between=st.sampled_from([" ", "  ", "\n", "\t", "\u00a0", "　"]))
def test_two_numbers_in_one_cell_are_never_read_as_the_first(first: Decimal, second: Decimal, between: str) -> None:
    found = one(f"{abs(first):f}{between}{abs(second):f}")
    assert found["value"] is None
    assert found["rule"] == "several_numbers"


@settings(max_examples=300)
@given(text=st.text(max_size=12))
def test_any_text_is_a_number_or_a_reject_with_a_reason(text: str) -> None:
    found = one(text)
    assert (found["value"] is None) != (found["rule"] is None)
    assert (found["rule"] is None) == (found["detail"] is None)


@given(text=st.from_regex(r"\A[0-9 .,+\-()eE%]{1,10}\Z"))
def test_what_python_reads_and_what_is_read_here_agree(text: str) -> None:
    """Where a text of digits and signs is taken, it is the number Python's decimal sees in it."""
    found = one(text)
    if found["value"] is None:
        return
    plain = text.strip().replace(",", "")
    if plain.startswith("("):
        plain = "-" + plain.strip("()")
    assert found["value"] == Decimal(plain).quantize(Decimal("1e-9"), rounding=ROUND_HALF_EVEN)


def test_overflow_after_the_unit_is_a_reject_not_a_wrong_number() -> None:
    found = one("9999999999999", factor=100_000_000)
    assert (found["value"], found["rule"]) == (None, "out_of_range")
    assert one("9999999999999", factor=100)["value"] == Decimal(999999999999900)


def test_a_count_must_be_whole() -> None:
    assert one("5.54", kind="integer")["rule"] == "not_an_integer"
    assert one("554.0", kind="integer")["value"] == 554
    assert one("1.2", kind="integer", factor=10_000)["rule"] == "not_an_integer"


def test_limits_are_inclusive_and_about_the_reported_number() -> None:
    found = parse("-1", "0", "100", "100.1", minimum=0, maximum=100, factor=1000)
    assert [f["rule"] for f in found] == ["below_minimum", None, None, "above_maximum"]
    assert one("3", minimum=5)["detail"] == "below the contract's minimum 5"


def test_zero_is_a_limit_too() -> None:
    assert one("-0.5", maximum=0)["rule"] is None
    assert one("0.5", maximum=0)["rule"] == "above_maximum"


def test_tokens_mean_what_the_contract_says_and_nothing_else() -> None:
    tokens = {"": "missing", "NA": "not_applicable", "…": "not_collected", "x": "suppressed", "-": "zero"}
    found = parse("", "NA", "…", "x", "-", "n.a.", tokens=tokens)
    assert [f["obs_status"] for f in found[:5]] == ["O", "M", "L", "Q", "A"]
    assert [f["value"] for f in found[:5]] == [None, None, None, None, 0]
    assert [f["rule"] for f in found] == [None] * 5 + ["not_a_number"]


def test_missing_is_never_zero() -> None:
    for found in parse("", None, "  ", tokens={"": "missing"}):
        assert (found["value"], found["obs_status"]) == (None, "O")


def test_tokens_are_compared_after_normalising() -> None:
    assert one("ＮＡ ", tokens={"NA": "not_applicable"})["obs_status"] == "M"
    assert one("...", tokens={"…": "missing"})["obs_status"] == "O"
    assert one("−", tokens={"-": "zero"})["value"] == 0


def test_a_token_that_looks_like_a_number_is_a_token() -> None:
    found = parse("999", "99", tokens={"999": "missing"})
    assert [(f["value"], f["obs_status"]) for f in found] == [(None, "O"), (Decimal(99), "A")]


def test_marks_behind_a_number_give_its_status() -> None:
    marks = {"p": "provisional", "(e)": "estimated", "*": "break"}
    found = parse("12.5p", "1,200 (e)", "7*", "8", "p", marks=marks)
    assert [(f["value"], f["obs_status"]) for f in found[:4]] == [
        (Decimal("12.5"), "P"),
        (Decimal(1200), "E"),
        (Decimal(7), "B"),
        (Decimal(8), "A"),
    ]
    assert found[4]["rule"] == "not_a_number"


def test_less_than_half_the_unit_is_a_zero_that_says_so() -> None:
    assert one("0*", tokens={"0*": "less_than_half"}) == {
        "value": Decimal(0),
        "obs_status": "N",
        "rule": None,
        "detail": None,
    }
