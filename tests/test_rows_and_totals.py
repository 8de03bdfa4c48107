"""Rows that may be parts of a figure, headers of other columns, and totals that cannot be compared do not pass."""

from __future__ import annotations

from typing import Any

import pytest
from intake_kit import read, rules, values

from pipelines.intake.frames import Taken

HEADS = {"column": "Heads", "measure": "heads", "unit": "persons", "min": 0}
LAYOUT: dict[str, Any] = {"values": [HEADS], "ignore_columns": ["^(No|Remark|Code)$"]}
TOTAL = {"ignore_rows": [{"reason": "total", "column": "Place", "pattern": "^Total$", "reconcile": "all"}]}


def checks(taken: Taken) -> list[tuple[str, str]]:
    """What was found, and how grave it is."""
    return [(one["check"], one["severity"]) for one in taken.findings]


def test_two_rows_of_one_key_that_differ_in_any_cell_may_be_parts_and_are_both_rejected() -> None:
    rows = [["Place", "Heads", "Remark"], ["Ash", "5", "first half"], ["Ash", "5", "second half"], ["Aspen", "7", ""]]
    taken = read(rows, LAYOUT)
    assert values(taken) == {"VA2": 7}
    assert rules(taken) == ["duplicate_key", "duplicate_key"]


def test_a_row_that_stands_twice_under_two_running_numbers_is_taken_once() -> None:
    rows = [["No", "Place", "Heads", "Remark"], ["1", "Ash", "5", "x"], ["2", "Aspen", "7", ""], ["3", "Ash", "5", "x"]]
    taken = read(rows, LAYOUT)
    assert values(taken) == {"VA1": 5, "VA2": 7}
    assert ("repeated_row", "warn") in checks(taken)


@pytest.mark.parametrize("total", ["12OO", "12²", "", "?", "12 000 3"])
def test_a_total_that_cannot_be_read_blocks(total: str) -> None:
    taken = read([["Place", "Heads"], ["Ash", "5"], ["Aspen", "7"], ["Total", total]], {**LAYOUT, **TOTAL})
    assert ("total_not_compared", "block") in checks(taken)


def test_a_total_with_a_token_or_of_some_columns_only_is_no_fault() -> None:
    layout = {**LAYOUT, **TOTAL, "tokens": {"c": "suppressed"}}
    assert not checks(read([["Place", "Heads"], ["Ash", "5"], ["Total", "c"]], layout))
    two = {**layout, "values": [HEADS, {"column": "Share", "measure": "share", "unit": "%"}]}
    assert not checks(read([["Place", "Heads", "Share"], ["Ash", "5", "50"], ["Total", "5", ""]], two))


def test_a_total_below_the_parts_that_are_known_does_not_tie_though_a_part_is_missing() -> None:
    layout = {**LAYOUT, **TOTAL, "tokens": {"c": "suppressed"}}
    rows = [["Place", "Heads"], ["Ash", "5"], ["Aspen", "7"], ["Beech", "c"]]
    assert checks(read([*rows, ["Total", "11"]], layout)) == [("reported_total", "warn")]
    assert not checks(read([*rows, ["Total", "12"]], layout))
    assert not checks(read([*rows, ["Total", "20"]], layout))


def test_an_ignored_row_that_is_a_header_of_other_columns_is_no_row_to_ignore() -> None:
    layout = {
        **LAYOUT,
        "header": {"find": ["Place", "Heads"]},
        "ignore_rows": [{"reason": "header", "column": "Place", "pattern": "^Place$"}],
        "ignore_columns": ["^Boys$"],
    }
    rows = [["Place", "Heads", "Boys"], ["Ash", "12", "6"]]
    swapped = [*rows, ["Place", "Boys", "Heads"], ["Aspen", "5", "9"]]
    assert rules(read(swapped, layout)) == ["unreadable"]
    assert values(read([*rows, rows[0], ["Aspen", "9", "5"]], layout)) == {"VA1": 12, "VA2": 9}
    repeats = {**layout, "header": {"find": ["Place", "Heads"], "repeats": True}, "ignore_rows": []}
    assert values(read(swapped, repeats)) == {"VA1": 12, "VA2": 9}
