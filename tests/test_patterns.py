"""A pattern of a contract that can never match, or that may never come to an end, is a mistake found at once."""

from __future__ import annotations

import re
import time
from typing import Any

import intake_kit as kit
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.jurisdiction.patterns import checked
from pipelines.jurisdiction.text import normalise

GOOD = [
    *(r"^\d{4}年$", r"^(?P<sex>男|女)_(?P<low>\d+)到(?P<high>\d+)岁$", "^$", "Total|Sum", r"^All(?! of us)", r"\s*x"),
    *(r"(?:\w+/)*x", r"\d{1,3}(,\d{3})+", "(foo|bar)+", r"(?:,\d{1,3})*", "(a|b)*", r"[^/]+(/[^/]+)*", r"(\d+\.){3}"),
    *("^(Total|All districts)$", r"[\s_]", "[^ ]+", "²", "m²", r"(?i)total", r"\(注\)", r"[A-Z]{2}\d{6}"),
]
NEVER = [
    *("Local authority", "（万元）", "^全\u3000国", r"a\sb", "[\\s\u3000]x", "[０-９]+", "a$b", "a^b", "Ｔotal", "ﾊ"),
    *("(?:Total row|Sum row)", "(?=a b)a", "e\u0301", r"Total\s+row", "(a b){2}"),
]
ENDLESS = ["(a+)+", "(a*)*b", r"(\w+\s?)*$", "(a|ab)*", "(a|a?)+", "(x+x+)+y", "(.*)*", "(?:a{1,9}){9}", r"(\d+)*"]
ENDLESS += ["([a-z]+[0-9]?)+", "(?:(?:ab)*)*", r"(?=(a+)+)b", "((a?)b?)*"]


@pytest.mark.parametrize("pattern", GOOD)
def test_a_pattern_that_can_match_is_taken(pattern: str) -> None:
    assert checked(pattern) == pattern


@pytest.mark.parametrize("pattern", NEVER)
def test_a_pattern_that_can_never_match_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="can never match"):
        checked(pattern)


@pytest.mark.parametrize("pattern", ENDLESS)
def test_a_pattern_that_may_never_come_to_an_end_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="repeats a repetition"):
        checked(pattern)


def test_a_text_that_is_no_regular_expression_is_refused() -> None:
    for pattern in ("(", "*2021*", "[", "(?P<a>x)(?P<a>y)"):
        with pytest.raises(ValueError, match="not a regular expression"):
            checked(pattern)


PIECES = st.recursive(
    st.sampled_from(["a", "b", "[ab]", r"\w", ".", "a?", "b*", "[a-c]+", "/", r"\d{1,3}"]),
    lambda inner: st.one_of(
        st.builds("({}){}".format, inner, st.sampled_from(["", "*", "+", "?", "{2,}"])),
        st.builds("({}|{})".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(pattern=PIECES)
def test_what_is_not_refused_is_quick_on_the_texts_that_make_such_patterns_slow(pattern: str) -> None:
    """Work that doubles with each letter would take hours for fifty of them; the others are done at once."""
    try:
        checked(pattern)
    except ValueError:
        return
    started = time.process_time()
    for text in ("a" * 50 + "!", "ab" * 25 + "!", "a/" * 25 + "!", "1" * 50 + "!"):
        re.fullmatch(pattern, text)
    assert time.process_time() - started < 20


@given(text=st.text(alphabet="ab １　é年²", min_size=1, max_size=6))
def test_a_text_in_comparison_form_is_never_refused_as_a_pattern(text: str) -> None:
    form = normalise(text)
    assert re.search(checked(re.escape(form)), form)


# -- where they stand ---------------------------------------------------------------------------------------------

SPOTS: list[tuple[str, dict[str, Any]]] = [
    ("values", {"values": [{"columns": "{}", "measure": "heads", "unit": "persons"}]}),
    ("captures", {"captures": [{"from": "sheet", "pattern": "(?P<x>{})"}]}),
    ("data", {"data": {"end_at": ["{}"]}}),
    ("ignore_rows", {"ignore_rows": [{"reason": "total", "column": "Place", "pattern": "{}"}]}),
    ("region", {"region": {"name": "Place", "pattern": "({})"}}),
    ("rows", {"rows": [{"column": "Place", "dimension": "item", "pattern": "({})"}]}),
    ("period", {"period": {"from": "column", "column": "Year", "kind": "year", "pattern": "({})"}}),
    ("ignore_columns", {"ignore_columns": ["{}"]}),
    ("file_names", {"file_names": "{}"}),
    ("sheet", {"format": {"kind": "xlsx", "sheet": {"pattern": "{}"}}}),
]


def filled(value: Any, pattern: str) -> Any:
    if isinstance(value, dict):
        return {key: filled(inner, pattern) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, pattern) for inner in value]
    return value.replace("{}", pattern) if isinstance(value, str) else value


@pytest.mark.parametrize(("name", "layout"), SPOTS, ids=[name for name, _ in SPOTS])
def test_every_pattern_of_a_layout_is_looked_at(name: str, layout: dict[str, Any]) -> None:
    kit.contract(filled(layout, "x"))
    for pattern in ("Local authority", "(a+)+"):
        with pytest.raises(ValueError, match=re.escape(pattern)):
            kit.contract(filled(layout, pattern))


def test_a_blank_stands_between_the_cells_of_a_preamble_and_nowhere_else() -> None:
    rows = [["Unit:", "thousand"], ["Place", "Heads"], ["Ash", "1.5"]]
    capture = {"from": "preamble", "pattern": r"Unit: (?P<unit>\w+)"}
    values = [{"column": "Heads", "measure": "heads", "unit": "{unit}"}]
    assert kit.values(kit.read(rows, {"captures": [capture], "values": values})) == {"VA1": 1500}
    together = kit.read([["Unit: thousand"], *rows[1:]], {"captures": [capture], "values": values})
    assert "take the blanks out of the pattern" in together.problem
    with pytest.raises(ValueError, match="can never match"):
        kit.contract({"captures": [{**capture, "from": "sheet"}], "values": values})


def test_the_layout_is_chosen_by_what_the_file_is_called() -> None:
    contract = kit.contract(files="*")
    old = contract.layouts[0].model_copy(update={"name": "old", "file_names": r"^LA_2018"})
    new = contract.layouts[0].model_copy(update={"name": "new", "file_names": r"\.xlsx$"})
    contract = contract.model_copy(update={"layouts": [old, new]})
    assert contract.layout_for("2020", "LA_2018 final.csv").name == "old"
    assert contract.layout_for("2020", "la_2019.xlsx").name == "new"
    assert "is for other.csv" in kit.read([["Place", "Heads"]], {"file_names": "^x"}, name="other.csv").problem
