"""A file that states another unit than its contract is held: in a header, above the table, in a column, as a power."""

from __future__ import annotations

from typing import Any

import pytest
from intake_kit import jurisdiction, read, values

from pipelines.intake.frames import Taken


def found(taken: Taken) -> list[dict[str, str]]:
    """The findings about stated units."""
    return [one for one in taken.findings if one["check"] == "stated_unit"]


def spent(unit: str = "crowns", column: str = "Spent", **more: Any) -> dict[str, Any]:
    """A layout with one column of money, or of persons where the unit counts persons."""
    measure = "spent" if jurisdiction().units[unit].base == "crowns" else "heads"
    return {"values": [{"column": column, "measure": measure, "unit": unit}], **more}


@pytest.mark.parametrize(
    ("line", "unit"),
    [
        ("单位：thousand", "persons"),
        ("单 位 : thousand", "persons"),
        ("Unit: thousand", "persons"),
        ("People (thousand)", "persons"),
        ("People, thousand", "persons"),
        ("Data are reported in thousand.", "persons"),
        ("in thousands", "persons"),
        ("(千)", "persons"),
        ("单位：万人", "persons"),
        ("单位：百人、crowns", "persons"),
        ("单位：persons", "thousand"),
        ("RMB million", "crowns"),
        ("单位：‰", "%"),
    ],
)
def test_a_unit_above_the_table_that_is_not_the_contracts_holds_the_file(line: str, unit: str) -> None:
    layout = spent(unit) if unit != "%" else {"values": [{"column": "Spent", "measure": "share", "unit": "%"}]}
    (one,) = found(read([[line, ""], ["Place", "Spent"], ["Thornbury", "5"]], layout))
    assert one["severity"] == "block"
    assert unit in one["expected"]


@pytest.mark.parametrize(
    "line",
    [
        "单位：persons",
        "单位：crowns、persons",
        "单位：crowns",
        "单位：千岛湖管委会",
        "单位：万州区教育局",
        "Report in May",
        "2020 (final)",
        "人",
    ],
)
def test_what_is_no_other_unit_is_no_finding(line: str) -> None:
    assert not found(read([[line, ""], ["Place", "Spent"], ["Thornbury", "5"]], spent("persons")))


@pytest.mark.parametrize(
    "header", ["Spent (thousand)", "Spent/thousand", "Spent, thousand", "Spent (千)", "Spent in thousand"]
)
def test_a_unit_in_a_header_counts_for_its_column(header: str) -> None:
    rows = [["Place", header], ["Thornbury", "5"]]
    assert found(read(rows, spent("persons", header)))
    assert not found(read(rows, spent("thousand", header)))
    assert not found(read([["Unit: persons", ""], *rows], spent("thousand", header)))  # the header says more


def test_a_column_of_units_that_is_not_taken_is_compared_with_the_contract() -> None:
    layout = spent("persons", ignore_columns=["^Unit$"])
    rows = [["Place", "Unit", "Spent"], ["Thornbury", "persons", "5"], ["Elmstead", "thousand", "5"]]
    assert found(read(rows, layout))
    assert not found(read(rows[:2], layout))


@pytest.mark.parametrize(
    ("power", "unit", "is_held"),
    [("3", "persons", True), ("0", "persons", False), ("3", "thousand", False), ("0", "thousand", True)],
)
def test_a_power_of_ten_of_sdmx_is_compared_with_the_contract(power: str, unit: str, is_held: bool) -> None:
    rows = [["Place", "UNIT_MULT", "Spent"], ["Thornbury", power, "5"]]
    assert bool(found(read(rows, spent(unit, ignore_columns=["^UNIT_MULT$"])))) is is_held


def test_a_contract_may_say_that_the_files_words_do_not_count() -> None:
    rows = [["单位：thousand", ""], ["Place", "Spent"], ["Thornbury", "5"]]
    assert not found(read(rows, spent("persons"), quality={"rows": {"min": 1}, "stated_unit": "ignore"}))


def test_a_mark_that_is_another_unit_or_multiplies_is_no_mark_of_the_column() -> None:
    marks = dict.fromkeys(("persons", "thousand", "万", "r"), "note")
    rows = [["Place", "Spent"], ["Ash", "5 thousand"], ["Aspen", "5万"], ["Beech", "5 persons"], ["Alder Shire", "5r"]]
    taken = read(rows, spent("persons", marks=marks))
    assert values(taken) == {"VB1": 5, "VA": 5}
    assert taken.rejects["rule"].to_list() == ["not_a_number", "not_a_number"]
