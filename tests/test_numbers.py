"""A number is taken exactly or not at all: whatever is written, no value is ever guessed."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import intake_kit as kit
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.intake import numbers
from pipelines.jurisdiction.contract import NumberStyle

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
    for found in parse(*written, kind="integer", style=NumberStyle(negative="brackets")):
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
        ("5-", "undeclared_negative"),
        ("(5)", "undeclared_negative"),
        ("(5", "not_a_number"),
        ("(-5)", "not_a_number"),
        ("约12", "not_a_number"),
        ("1200²", "not_a_digit"),
        ("340①", "not_a_digit"),
        ("990⑴", "not_a_digit"),
        ("⑴", "not_a_digit"),
        ("77⒈", "not_a_digit"),
        ("１２００²", "not_a_digit"),
        ("12₂", "not_a_digit"),
        ("½", "not_a_digit"),
        ("7½", "not_a_digit"),
        ("Ⅻ", "not_a_digit"),
        ("٣٤", "not_a_digit"),
        ("१२", "not_a_digit"),
        ("𝟏𝟐", "not_a_digit"),
        ("1②3", "not_a_digit"),
        ("1\u200d2", "not_a_number"),
        ("12\u20e3", "not_a_number"),
        ("1\u00ad200", "not_a_number"),
        ("\u200e1200", "not_a_number"),
        ("1200*", "not_a_number"),
        ("1200(r)", "not_a_number"),
        ("$1200", "not_a_number"),
        ("1200元", "not_a_number"),
        ("'1200", "not_a_number"),
        ("1200.", "not_a_number"),
        ("1200‰", "not_a_number"),
        ("007", "leading_zeros"),
        ("0,500", "leading_zeros"),
        ("00", "leading_zeros"),
        ("-0101", "leading_zeros"),
        ("十二", "not_a_number"),
        ("12万", "not_a_number"),
        (".", "not_a_number"),
        ("e5", "not_a_number"),
        ("TRUE", "not_a_number"),
        ("1\ufffd2", "replaced_byte"),
        ("", "empty_cell"),
        ("   ", "empty_cell"),
        (None, "empty_cell"),
        ("1.23457E+11", "rounded_display"),
        ("1E+05", "rounded_display"),
        ("-2,5E-03", "rounded_display"),
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


@pytest.mark.parametrize(
    ("token", "other"),
    [("①", "1"), ("⑴", "(1)"), ("²", "2"), ("…", "‥"), ("x", "ₓ"), ("№", "No"), ("1", "①"), ("-", "‐"), ("c", "ⓒ")],
)
def test_a_token_is_its_own_characters_alone(token: str, other: str) -> None:
    assert one(token, tokens={token: "suppressed"})["obs_status"] == "Q"
    assert one(other, tokens={token: "suppressed"})["obs_status"] == "A"


@given(digits=st.from_regex(r"\A[1-9][0-9]{0,8}\Z"), sign=st.sampled_from("²③₂⑷⒌½Ⅳ٣𝟐②１"), place=st.integers(0, 9))
def test_a_sign_in_a_number_is_never_a_digit_of_it(digits: str, sign: str, place: int) -> None:
    text = digits[:place] + sign + digits[place:]
    found = one(text)
    if sign == "１":  # the full-width one is the only digit among them
        assert found["value"] == Decimal(text.replace(sign, "1"))
    else:
        assert (found["value"], found["rule"]) == (None, "not_a_digit")


@given(number=st.integers(1, 10**9), sign=st.sampled_from("²①⑴₃"))
def test_a_mark_never_takes_a_digit_from_a_number(number: int, sign: str) -> None:
    plain, marked = parse(f"{number}", f"{number}{sign}", marks={sign: "provisional"})
    assert (plain["value"], plain["obs_status"]) == (number, "A")
    assert (marked["value"], marked["obs_status"]) == (number, "P")


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


def test_several_marks_behind_one_number_all_count_in_the_order_of_sdmx() -> None:
    marks = {"b": "break", "p": "provisional", "e": "estimated", "r": "note", "②": "note"}
    found = parse("407700 bp", "407700 pb", "1,200 p, e", "7b②", "7 r", "8x", "9 bx", marks=marks)
    assert [(f["value"], f["obs_status"]) for f in found[:5]] == [
        (Decimal(407700), "B;P"),
        (Decimal(407700), "B;P"),
        (Decimal(1200), "E;P"),
        (Decimal(7), "B"),
        (Decimal(7), "A"),
    ]
    assert [f["rule"] for f in found[5:]] == ["not_a_number"] * 2
    assert one("407700 bp", marks={"bp": "note", "b": "break", "p": "provisional"})["obs_status"] == "A"


def test_a_mark_that_may_be_a_part_of_the_number_counts_only_behind_a_blank() -> None:
    marks = {"1)": "note", "(2)": "provisional"}
    found = parse("340 1)", "3401)", "340(2)", "12", marks=marks)
    assert [(f["value"], f["rule"]) for f in found] == [
        (Decimal(340), None),
        (None, "not_a_number"),
        (Decimal(340), None),
        (Decimal(12), None),
    ]
    for mark in ("2", "%", "-", "1.", "２"):
        with pytest.raises(ValueError, match="may be a part of it"):
            kit.contract({"marks": {mark: "note"}})


@pytest.mark.parametrize(
    ("style", "taken", "refused"),
    [
        (
            {"decimal": ",", "thousands": "."},
            {"1.234,5": "1234.5", "1.234": "1234", "12,5": "12.5", "-1.234.567": "-1234567", "12": "12", "0,5": "0.5"},
            ["1,234.5", "1.2", "12.34", "1.2345", "0.500", "1,2,3"],
        ),
        (
            {"decimal": ",", "thousands": "none"},
            {"1234,5": "1234.5", "1234": "1234", "-0,25": "-0.25"},
            ["1.234", "1.2", "1 234", "1,2,3"],
        ),
        (
            {"decimal": ",", "thousands": " "},
            {"1 234,5": "1234.5", "1\u00a0234": "1234", "1\u202f234\u202f567": "1234567", "1\u2009234": "1234"},
            ["1 23", "12 3456", "1.234", "1  234", "0 500", "1\u200b234"],
        ),
        ({"thousands": "'"}, {"1'234.5": "1234.5", "1’234": "1234"}, ["'1234", "1'23", "1,234"]),
        ({"thousands": "none"}, {"1234.5": "1234.5"}, ["1,234", "1 234"]),
        ({"negative": "brackets"}, {"(1,200)": "-1200", "(12.5)": "-12.5"}, ["(-5)", "((5))", "5-", "()"]),
        ({"negative": "trailing"}, {"1200-": "-1200", "12.5-": "-12.5"}, ["-5-", "5--", "(5)", "-"]),
        ({"leading_zeros": True}, {"007": "7", "0001200": "1200", "00.5": "0.5"}, ["0x7", "0 07"]),
    ],
)
def test_a_number_is_read_in_the_style_agreed_on_and_in_no_other(
    style: dict[str, Any], taken: dict[str, str], refused: list[str]
) -> None:
    numbers_read = parse(*taken, style=NumberStyle(**style))
    assert [f["value"] for f in numbers_read] == [Decimal(value) for value in taken.values()]
    for text, found in zip(refused, parse(*refused, style=NumberStyle(**style)), strict=True):
        assert found["value"] is None and found["rule"], text


def test_less_than_half_the_unit_is_a_zero_that_says_so() -> None:
    assert one("0*", tokens={"0*": "less_than_half"}) == {
        "value": Decimal(0),
        "obs_status": "N",
        "rule": None,
        "detail": None,
    }
