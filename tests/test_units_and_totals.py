"""Units that the file states, totals by class, blocks below each other, rows without a code, rejects that are known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import intake_kit as kit
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

HEADS = {"column": "Heads", "measure": "heads"}


# -- units --------------------------------------------------------------------------------------------------------


def test_the_unit_stands_in_a_cell_of_each_row() -> None:
    values = [{**HEADS, "unit": {"column": "Unit", "map": {"千人": "thousand"}}}]
    rows = [
        ["Place", "Unit", "Heads"],
        ["Ash", "persons", "12"],
        ["Aspen", "千人", "1.5"],
        ["Beech", "(thousand)", "2"],
    ]
    taken = kit.read([*rows, ["Ærø", "dozens", "3"], ["Verdania", "", "4"]], {"values": values})
    assert kit.values(taken) == {"VA1": 12, "VA2": 1500, "VB1": 2000}
    assert taken.accepted["unit_reported"].to_list() == ["persons", "thousand", "thousand"]
    assert kit.rules(taken) == ["unknown_unit"] * 2
    assert "'dozens' is no unit" in taken.rejects["detail"][0]


def test_the_unit_stands_in_a_row_below_the_names() -> None:
    unit = {"row": 1, "map": {"千人": "thousand"}}
    values = [{**HEADS, "unit": unit}, {"column": "Spent", "measure": "spent", "unit": unit}]
    rows = [["Place", "Heads", "Spent"], ["", "（千人）", "crowns"], ["Ash", "1.5", "7"]]
    taken = kit.read(rows, {"values": values})
    assert taken.accepted.select("measure", "value", "unit").rows() == [
        ("heads", Decimal(1500), "persons"),
        ("spent", Decimal(7), "crowns"),
    ]
    assert dict(taken.ignored["reason"].value_counts().iter_rows()) == {"header": 2}
    assert "the unit 'dozens'" in kit.read([rows[0], ["", "dozens", "crowns"], rows[2]], {"values": values}).problem
    assert "the unit ''" in kit.read([rows[0], ["", "", "crowns"], rows[2]], {"values": values}).problem


def test_a_unit_of_something_else_than_the_measure_counts_is_a_reject() -> None:
    values = [{**HEADS, "unit": {"column": "Unit"}}]
    taken = kit.read(
        [["Place", "Unit", "Heads"], ["Ash", "crowns", "12"], ["Aspen", "persons", "3"]], {"values": values}
    )
    assert kit.values(taken) == {"VA2": 3}
    assert kit.rules(taken) == ["other_unit"]
    assert "crowns counts crowns, but the measure heads is in persons" in taken.rejects["detail"][0]


def test_a_percent_sign_belongs_to_the_rows_whose_unit_is_percent() -> None:
    rows = [["What", "Unit", "Place", "Figure"], ["share", "%", "Ash", "12.5%"], ["heads", "persons", "Ash", "12%"]]
    layout = {
        "rows": [{"column": "What", "dimension": "measure"}],
        "values": [{"column": "Figure", "unit": {"column": "Unit"}}],
    }
    taken = kit.read(rows, layout)
    assert taken.accepted.select("measure", "value").rows() == [("share", Decimal("12.5"))]
    assert kit.rules(taken) == ["not_a_number"]


def test_two_rows_that_differ_in_their_unit_alone_are_not_the_same_row() -> None:
    values = [{**HEADS, "unit": {"column": "Unit"}}]
    rows = [["Place", "Unit", "Heads"], ["Ash", "persons", "12"], ["Ash", "thousand", "12"]]
    assert kit.rules(kit.read(rows, {"values": values})) == ["duplicate_key"] * 2


def test_totals_of_rows_in_several_units_are_compared_in_the_base_unit() -> None:
    layout: dict[str, Any] = {
        "values": [{**HEADS, "unit": {"column": "Unit"}}],
        "ignore_rows": [{"reason": "total", "column": "Place", "pattern": "^All$", "reconcile": "all"}],
    }
    rows = [["Place", "Unit", "Heads"], ["Ash", "persons", "500"], ["Aspen", "thousand", "1.5"]]
    assert kit.read([*rows, ["All", "thousand", "2"]], layout).findings == []
    (found,) = kit.read([*rows, ["All", "persons", "2"]], layout).findings
    assert found["check"] == "reported_total"


def test_a_unit_in_the_header_or_the_preamble_is_known_by_its_comparison_form() -> None:
    values = [{"columns": r"^Heads\((?P<unit>[^)]+)\)$", "measure": "heads", "unit": "{unit}"}]
    assert kit.values(kit.read([["Place", "Heads（ thousand ）"], ["Ash", "2"]], {"values": values})) == {"VA1": 2000}
    assert "the unit 'th²'" in kit.read([["Place", "Heads (th²)"], ["Ash", "2"]], {"values": values}).problem


def test_a_unit_that_is_stated_in_two_ways_is_neither() -> None:
    layout = {
        "captures": [{"from": "preamble", "pattern": r"Unit:(?P<unit>\w+)"}],
        "values": [{**HEADS, "unit": "{unit}"}],
    }
    rows = [["Place", "Heads"], ["Ash", "2"]]
    assert kit.values(kit.read([["Unit: thousand"], ["Unit: thousand"], *rows], layout)) == {"VA1": 2000}
    problem = kit.read([["Unit: thousand"], ["Unit: persons"], *rows], layout).problem
    assert "in several ways: 'Unit:thousand', 'Unit:persons'" in problem


@given(number=st.decimals(0, 10**6, places=3), unit=st.sampled_from(["persons", "thousand", "dozens", "", "crowns"]))
def test_a_number_is_taken_in_the_unit_beside_it_or_not_at_all(number: Decimal, unit: str) -> None:
    values = [{**HEADS, "unit": {"column": "Unit"}}]
    taken = kit.read([["Place", "Unit", "Heads"], ["Ash", unit, f"{number:f}"]], {"values": values})
    factor = {"persons": 1, "thousand": 1000}.get(unit)
    assert kit.values(taken) == ({} if factor is None else {"VA1": number * factor})


@pytest.mark.parametrize("unit", [{}, {"column": "Unit", "row": 1}, {"row": 0}])
def test_a_unit_of_the_file_stands_in_a_column_or_in_a_row(unit: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unit"):
        kit.contract({"values": [{**HEADS, "unit": unit}]})


# -- totals by class, and blocks ------------------------------------------------------------------------------------

CLASS = {"reason": "class", "column": "Class", "pattern": "^total", "reconcile": "by_class", "class_column": "Class"}
BY_CLASS = {**CLASS, "class_pattern": "^(?:total)?([A-Z])$"}
OUTTURN = [
    ["Outturn 2021-22 final"],
    ["Data are reported in thousand."],
    ["Code", "Place", "Heads"],
    ["VA1", "Ash", "100"],
    ["VA2", "Aspen", "10"],
    ["VB1", "Beech", "7"],
    ["V", "Verdania", "117"],
]
CLASSES = [["Code", "Place", "Heads"], ["VA", "Alder class", "110"], ["VB", "Birch class", "7"]]
REPEATS = {
    "header": {"find": ["Code", "Place"], "repeats": True},
    "captures": [
        {"from": "preamble", "pattern": r"^Outturn(?P<period>\d{4}-\d\d)"},
        {"from": "preamble", "pattern": r"reportedin(?P<unit>\w+)"},
    ],
    "period": {"from": "capture", "kind": "year", "starts": "04-01"},
    "region": {"code": "Code", "name": "Place"},
    "ignore_rows": [
        {"reason": "total", "column": "Place", "pattern": "^Verdania$", "reconcile": "all"},
        {"reason": "class", "column": "Place", "pattern": "class$", "reconcile": "by_class",
         "class_column": "Code", "class_pattern": "^(V[A-Z])"},
    ],
    "values": [{**HEADS, "unit": "{unit}"}],
}  # fmt: skip


def test_the_rows_of_a_class_are_summed_within_it() -> None:
    rows = [["Place", "Class", "Heads"], ["Ash", "A", "1"], ["Aspen", "A", "2"], ["Beech", "B", "5"]]
    layout = {"ignore_rows": [BY_CLASS]}
    good = kit.read([*rows, ["", "total A", "3"], ["", "total B", "5"]], layout)
    assert (kit.values(good), good.findings) == ({"VA1": 1, "VA2": 2, "VB1": 5}, [])
    (found,) = kit.read([*rows, ["", "total A", "4"]], layout).findings
    assert (found["check"], found["observed"]) == ("reported_total", "row 5, C Heads: 4")
    assert found["expected"] == "3, the sum of 2 rows of the class A"


@pytest.mark.parametrize("reconcile", ["all", "by_class"])
def test_a_total_that_names_its_year_and_its_item_stands_for_rows_of_that_year_and_item(reconcile: str) -> None:
    head = ["Place", "Class", "Year", "Item", "Heads"]
    rows = [["Ash", "A", "2019", "a", "1"], ["Ash", "A", "2020", "a", "2"], ["Ash", "A", "2020", "b", "4"]]
    rows += [["Aspen", "A", "2020", "b", "8"]]
    rule = {**BY_CLASS, "reconcile": reconcile}
    if reconcile == "all":
        rule = {name: value for name, value in rule.items() if not name.startswith("class_")}
    layout = {
        "period": {"from": "column", "column": "Year", "kind": "year"},
        "rows": [{"column": "Item", "dimension": "item"}],
        "ignore_rows": [rule],
    }
    totals = [
        ["", "total A", "2019", "a", "1"],
        ["", "total A", "2020", "b", "12"],
        ["", "total A", "2020", "all", "14"],
    ]
    assert kit.read([head, *rows, *totals], layout).findings == []
    (found,) = kit.read([head, *rows, ["", "total A", "2020", "b", "4"]], layout).findings
    assert found["expected"].startswith("12, the sum of 2 rows")


def test_a_class_total_that_no_row_stands_for_is_a_finding_and_no_silence() -> None:
    rows = [["Place", "Class", "Heads"], ["Ash", "A", "1"], ["", "total C", "9"]]
    (found,) = kit.read(rows, {"ignore_rows": [BY_CLASS]}).findings
    assert found["check"] == "reported_total"
    assert "there are none" in found["expected"]
    names = {**BY_CLASS, "class_names": {"C": "A"}}
    (found,) = kit.read(rows, {"ignore_rows": [names]}).findings
    assert found["expected"] == "1, the sum of 1 rows of the class A"


def test_a_block_of_totals_under_a_header_of_its_own_is_compared_with_the_rows_above() -> None:
    taken = kit.read([*OUTTURN, *CLASSES], REPEATS, period="2021")
    assert taken.findings == []
    assert kit.values(taken) == {"VA1": 100_000, "VA2": 10_000, "VB1": 7000}
    assert set(taken.accepted["period_end"].cast(str)) == {"2022-03-31"}
    assert dict(taken.ignored["reason"].value_counts().iter_rows()) == {
        "preamble": 2,
        "header": 2,
        "total": 1,
        "class": 2,
    }
    wrong = [*OUTTURN[:-1], ["V", "Verdania", "118"], *CLASSES[:-1], ["VB", "Birch class", "8"]]
    found = kit.read(wrong, REPEATS, period="2021").findings
    assert [f["observed"] for f in found] == ["row 7, C Heads: 118", "row 10, C Heads: 8"]


def test_columns_of_a_class_block_may_stand_in_another_order() -> None:
    turned = [["Code", "Heads", "Place"], ["VA", "110", "Alder class"], ["VB", "8", "Birch class"]]
    (found,) = kit.read([*OUTTURN, *turned], REPEATS, period="2021").findings
    assert found["observed"] == "row 10, B Heads: 8"


def test_what_a_block_says_in_its_title_holds_for_it_alone() -> None:
    layout = {
        "header": {"find": ["Place"], "repeats": True},
        "captures": [{"from": "preamble", "pattern": r"(?P<period>\d{4})"}],
        "period": {"from": "capture", "kind": "year"},
    }
    rows = [["Report"], ["as of 2021"], [], ["Heads, 2019"], *kit_rows("1"), [], ["Heads, 2020"], *kit_rows("2")]
    taken = kit.read(rows, layout)
    figures = taken.accepted.select(pl.col("period_end").dt.year(), "value").rows()
    assert figures == [(2019, Decimal(1)), (2020, Decimal(2))]
    untitled = [*rows, [], ["Heads, last"], *kit_rows("3")]
    assert "the preamble holds nothing like" in kit.read(untitled, layout).problem


def kit_rows(number: str) -> list[list[str]]:
    return [["Place", "Heads"], ["Ash", number]]


def test_a_cell_is_captured_by_its_address_on_the_sheet_in_every_block() -> None:
    layout = {
        "header": {"find": ["Place"], "repeats": True},
        "captures": [{"from": "cell", "cell": "A1", "pattern": r"(?P<period>\d{4})"}],
        "period": {"from": "capture", "kind": "year"},
    }
    taken = kit.read([["Year 2019"], *kit_rows("1"), ["Place", "Heads"], ["Aspen", "2"]], layout)
    assert taken.accepted.select("region_code", pl.col("period_end").dt.year()).rows() == [("VA1", 2019), ("VA2", 2019)]


def test_a_row_that_stands_in_two_blocks_is_taken_once_and_in_no_sum_twice() -> None:
    again = ["VA1", "Ash", "100"]
    taken = kit.read([*OUTTURN, *CLASSES, again], REPEATS, period="2021")
    assert kit.values(taken) == {"VA1": 100_000, "VA2": 10_000, "VB1": 7000}
    assert [finding["check"] for finding in taken.findings] == ["repeated_row"]  # no total is off by it
    assert (kit.rules(taken), taken.tie_out[0].rows_duplicate) == ([], 1)
    other = kit.read([*OUTTURN, *CLASSES, ["VA1", "Ash", "101"]], REPEATS, period="2021")
    assert kit.values(other) == {"VA2": 10_000, "VB1": 7000}
    assert kit.rules(other) == ["duplicate_key"] * 2


def test_the_rows_of_all_blocks_of_a_sheet_are_counted_together() -> None:
    rows = {"min": 3, "max": 3}
    assert kit.rules(kit.read([*OUTTURN, *CLASSES], REPEATS, period="2021", quality={"rows": rows})) == []
    assert kit.rules(kit.read([*OUTTURN, *CLASSES], REPEATS, period="2021", quality={"rows": {"min": 4}})) == [
        "row_count"
    ]


@given(parts=st.lists(st.integers(0, 10**6), min_size=1, max_size=4), off=st.integers(-3, 3))
def test_a_total_is_found_wrong_exactly_when_it_is(parts: list[int], off: int) -> None:
    places = ["Ash", "Aspen", "Beech", "Ærø"]
    rows = [["Place", "Class", "Heads"], *([place, "A", str(n)] for place, n in zip(places, parts, strict=False))]
    taken = kit.read([*rows, ["", "total A", str(sum(parts) + off)]], {"ignore_rows": [BY_CLASS]})
    assert bool(taken.findings) == bool(off)


@pytest.mark.parametrize(
    "rule", [{**CLASS, "class_column": None}, {**CLASS, "reconcile": "all"}, {**CLASS, "reconcile": None}]
)
def test_a_class_and_a_sum_by_class_belong_together(rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="class_column"):
        kit.contract({"ignore_rows": [rule]})


# -- rows without a code ---------------------------------------------------------------------------------------------

BY_BOTH = {"region": {"code": "Code", "name": "Place", "no_code": ["NA", ""]}, "header": {"find": ["Code", "Place"]}}


def coded(*rows: tuple[str, str]) -> list[list[str]]:
    return [["Code", "Place", "Heads"], *([code, name, str(n)] for n, (code, name) in enumerate(rows, start=1))]


def test_a_row_without_a_code_is_the_region_of_exactly_that_name() -> None:
    taken = kit.read(
        coded(("NA", "Ash"), ("", " A s p e n "), ("NA", "Beech²"), ("NA", "Twin"), ("NA", "Bech")), BY_BOTH
    )
    assert kit.values(taken) == {"VA1": 1, "VA2": 2}
    assert kit.rules(taken) == ["unknown_region", "ambiguous_region", "unknown_region"]
    assert "nearest: Beech (VB1)" in taken.rejects["detail"][2]


def test_an_empty_code_is_no_code_only_where_the_contract_says_so() -> None:
    undeclared = {**BY_BOTH, "region": {**BY_BOTH["region"], "no_code": ["NA"]}}
    taken = kit.read(coded(("", "Ash"), ("NA", "Aspen")), undeclared)
    assert kit.values(taken) == {"VA2": 2}
    assert kit.rules(taken) == ["unknown_region"]


def test_a_region_without_a_code_must_be_in_force_as_any_other() -> None:
    rows = coded(("NA", "Old Mill"))
    assert kit.values(kit.read(rows, BY_BOTH, period="2018")) == {"VA3": 1}
    assert kit.rules(kit.read(rows, BY_BOTH, period="2020")) == ["unknown_region"]


# -- known rejects -----------------------------------------------------------------------------------------------------


def known(column: str, text: str, **fields: Any) -> dict[str, Any]:
    return {"known_rejects": [{"reason": "asked on Monday", "column": column, "text": text, **fields}]}


@pytest.mark.parametrize(
    ("column", "text"),
    [("Heads", "407700 zz"), ("[B]", "407700 zz"), (" H e a d s", "407700zz"), ("Heads", "４０７７００ zz")],
)
def test_a_known_cell_is_known_by_header_or_letter_and_by_its_text(column: str, text: str) -> None:
    rows = [["Place", "Heads"], ["Ash", " 407700\u00a0zz "], ["Aspen", "5 zz"]]
    taken = kit.read(rows, quality=known(column, text))
    assert taken.rejects["is_known"].to_list() == [True, False]


def test_a_known_row_is_known_by_the_cell_that_it_is_rejected_for() -> None:
    rows = [["Place", "Heads"], ["The Docks", "5"], ["The Dunes", "5"], ["Ash", "6"]]
    taken = kit.read(rows, quality=known("Place", "The Docks"))
    assert taken.rejects.select("rule", "is_known").rows() == [("unknown_region", True), ("unknown_region", False)]
    # a number in a value column says nothing of why a row is rejected
    assert kit.read(rows, quality=known("Heads", "5")).rejects["is_known"].to_list() == [False, False]


def test_a_known_cell_of_a_figure_that_stands_twice_is_known() -> None:
    values = [{"columns": "^(Heads|Souls)$", "measure": "heads", "unit": "persons"}]
    taken = kit.read([["Place", "Heads", "Souls"], ["Ash", "1", "2"]], {"values": values}, quality=known("Souls", "2"))
    assert taken.rejects.select("source_column", "is_known").rows() == [("B Heads", False), ("C Souls", True)]


def test_a_known_reject_of_another_region_or_period_is_not_known() -> None:
    rows = [["Place", "Heads"], ["Ash", "x"]]
    for fields in ({"region_code": "VA2"}, {"delivery_period": "2019"}):
        assert kit.read(rows, quality=known("Heads", "x", **fields)).rejects["is_known"].to_list() == [False]
