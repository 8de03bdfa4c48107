"""What a delivery does to the figures before it is said: revised, late, taken back, shrunk; nothing is lost by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import intake_kit as kit
import polars as pl
import pytest

from pipelines import intake
from pipelines.intake import numbers
from pipelines.run import in_force

FIRST = [["Place", "Heads"], ["Ash", "12"], ["Aspen", "34"]]
OTHER = [["Place", "Heads"], ["Ash", "11"], ["Aspen", "35"]]
YEARS = {
    "period": {"from": "header", "kind": "year"},
    "values": [{"columns": r"^(?P<period>\d{4})$", "measure": "visits", "unit": "persons"}],
}


def standing(desk: kit.Desk) -> set[str]:
    """The files whose figures may count."""
    ids = in_force(desk.session.jurisdiction, desk.taken.receipts, desk.taken.readings)
    return {f"{r.delivery_period}/{r.file_name} {r.sequence}" for r in desk.taken.receipts if r.receipt_id in ids}


def test_a_corrected_file_under_the_same_name_is_reported_by_what_it_changed(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(FIRST)
    assert desk.findings(*intake.TOLD) == []
    desk.land([["Place", "Heads"], ["Ash", "13"], ["Aspen", "34"], ["Beech", "5"]])
    (told,) = desk.findings(*intake.TOLD)
    assert told == ("redelivery", "note", "1 added, 0 removed, 1 revised; e.g. visits VA1 2020 12 -> 13")
    assert len(desk.taken.readings) == 2  # the old reading stays


def test_a_corrected_file_under_another_name_is_reported_too(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(FIRST)
    desk.take_in()
    desk.land([["Place", "Heads"], ["Ash", "12"], ["Aspen", "35"]], name="file_corrected.csv")
    (told,) = desk.findings(*intake.TOLD)
    assert told[2] == "0 added, 0 removed, 1 revised; e.g. visits VA2 2020 34 -> 35"


def test_two_files_of_one_delivery_that_share_no_figure_are_parts_and_no_revision(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(FIRST, name="alder.csv")
    desk.land([["Place", "Heads"], ["Beech", "5"]], name="birch.csv")
    assert desk.findings(*intake.TOLD) == []


@pytest.mark.parametrize("name", ["file.csv", "file_again.csv"])
def test_a_delivery_that_shrinks_blocks_unless_the_contract_allows_partial_ones(tmp_path: Path, name: str) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(FIRST)
    desk.take_in()
    desk.land([["Place", "Heads"], ["Ash", "13"]], name=name)
    (told,) = desk.findings("shrinking_delivery")
    assert told[:2] == ("shrinking_delivery", "block")
    assert "visits VA2 2020" in told[2]
    desk.agree(quality={"drift": {"shrinking_delivery": "warn"}})
    assert desk.findings("shrinking_delivery")[0][1] == "warn"
    desk.agree(partial_delivery=True)
    assert desk.findings("shrinking_delivery") == []


def test_a_partial_redelivery_leaves_the_figures_that_it_does_not_hold(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path, partial_delivery=True)
    desk.land(FIRST)
    desk.take_in()
    desk.land([["Place", "Heads"], ["Ash", "13"]])
    desk.take_in()
    assert standing(desk) == {"2020/file.csv 1", "2020/file.csv 2"}
    desk.land(b"")  # nobody can read it: those before it still stand
    desk.take_in()
    assert standing(desk) == {"2020/file.csv 1", "2020/file.csv 2", "2020/file.csv 3"}
    desk.land([["Place", "Heads"], ["Ash", "14"]])
    desk.take_in()
    assert standing(desk) == {"2020/file.csv 1", "2020/file.csv 2", "2020/file.csv 4"}
    desk.agree()
    desk.take_in()
    assert standing(desk) == {"2020/file.csv 4"}


def test_a_later_file_that_overlaps_an_earlier_one_says_which_figures_it_revises(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path, YEARS)
    desk.land([["Place", "2018", "2019"], ["Ash", "1", "2"]], "2019")
    desk.land([["Place", "2019", "2020"], ["Ash", "5", "3"]], "2020")
    (told,) = desk.findings(*intake.TOLD)
    assert told[0] == "revision"
    assert told[2] == "1 of 1 figures that both report are revised; e.g. visits VA1 2019 2 -> 5"


def test_a_period_that_arrives_after_a_later_one_is_recorded(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(FIRST, "2020")
    desk.take_in()
    desk.land(OTHER, "2019")
    (told,) = desk.findings(*intake.TOLD)
    assert told == ("late_arrival", "note", "the delivery of 2019 came after that of 2020")
    desk.land([["Place", "Heads"], ["Ash", "13"], ["Aspen", "34"]], "2020")  # a correction is not late
    assert [kind for kind, _, _ in desk.findings(*intake.TOLD)] == ["late_arrival", "redelivery"]


def test_a_file_taken_back_is_recorded_with_what_went_with_it_and_may_come_again(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    path = desk.land(FIRST)
    desk.take_in()
    mark = path.with_name("file.csv.withdrawn")
    mark.write_text("sent by mistake")
    (told,) = desk.findings(*intake.TOLD)
    assert told[:2] == ("withdrawal", "note")
    assert "taken back with 2 figures" in told[2]
    assert standing(desk) == set()
    mark.unlink()
    desk.land([["Place", "Heads"], ["Ash", "1"]])
    assert desk.findings(*intake.TOLD) == []  # it replaces nothing that stood


def test_a_file_nobody_could_read_is_compared_with_the_last_one_that_was_read(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(FIRST)
    desk.take_in()
    desk.land(b"torn")
    desk.take_in()
    desk.land([["Place", "Heads"], ["Ash", "12"], ["Aspen", "30"]])
    (told,) = desk.findings("redelivery")
    assert "34 -> 30" in told[2]


def test_a_mended_contract_is_a_new_reading_of_the_same_receipt_and_says_what_it_changed(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(FIRST)
    (first,) = desk.take_in().readings
    desk.agree({"values": [{"column": "Heads", "measure": "visits", "unit": "thousand"}]})
    (second,) = desk.take_in().readings
    assert second.receipt_id == first.receipt_id
    assert second.reading_id != first.reading_id
    assert any("read anew desk/file/2020/file.csv: 0 added, 0 removed, 2 revised" in line for line in desk.said)
    desk.take_in()
    assert not any("read anew" in line for line in desk.said)


def test_a_new_region_name_changes_the_reading_and_says_so(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land([["Place", "Heads"], ["Ash", "12"], ["Ashton", "34"]])
    assert desk.take_in().readings[0].rejects == 1
    desk.agree({"region": {"name": "Place", "accepted": {"Ashton": "VA2"}}})
    assert desk.take_in().readings[0].rejects == 0
    assert any("1 added, 0 removed, 0 revised" in line for line in desk.said)


# -- drift against the file before --------------------------------------------------------------------------------

ROWS = [["Ash", "1200", "5"], ["Aspen", "3400", "7"], ["Beech", "5100", "9"], ["Ærø", "900", "2"]]
TWO = {
    "values": [
        {"column": "Heads", "measure": "visits", "unit": "persons"},
        {"column": "Beds", "measure": "beds", "unit": "beds", "required": False},
    ],
    "ignore_columns": ["^Note$"],
}


def times(factor: float) -> list[list[Any]]:
    return [[place, f"{float(heads) * factor:g}", beds] for place, heads, beds in ROWS]


DRIFT: list[tuple[str, list[Any], list[list[Any]], str]] = [
    ("new_column", ["Place", "Heads", "Beds", "Note"], [[*row, "x"] for row in ROWS], "Note"),
    ("missing_column", ["Place", "Heads"], [row[:2] for row in ROWS], "without Beds"),
    ("column_order", ["Place", "Beds", "Heads"], [[p, b, h] for p, h, b in ROWS], "moved"),
    ("type", ["Place", "Heads", "Beds"], times(1.0001), "visits has fractions"),
    ("unit_jump", ["Place", "Heads", "Beds"], times(10), "up 10 times"),
    ("unit_jump", ["Place", "Heads", "Beds"], times(100), "up 100 times"),
    ("unit_jump", ["Place", "Heads", "Beds"], times(1000), "up 1,000 times"),
    ("unit_jump", ["Place", "Heads", "Beds"], times(10_000), "up 10,000 times"),
    ("unit_jump", ["Place", "Heads", "Beds"], times(0.1), "down 10 times"),
    ("row_count", ["Place", "Heads", "Beds"], ROWS[:3], "3 data rows"),
]


@pytest.mark.parametrize(("kind", "head", "rows", "said"), DRIFT, ids=[f"{d[0]} {d[3]}" for d in DRIFT])
def test_each_kind_of_drift_is_found_and_as_grave_as_the_contract_says(
    tmp_path: Path, kind: str, head: list[Any], rows: list[list[Any]], said: str
) -> None:
    desk = kit.Desk(tmp_path, TWO, quality={"drift": {kind: "warn"}})
    desk.land([["Place", "Heads", "Beds"], *ROWS], "2019")
    assert desk.findings() == []
    desk.land([head, *rows], "2020")
    (found,) = desk.findings(kind)
    assert found[1] == "warn"
    assert said in found[2]
    for severity in ("block", "ignore"):
        desk.agree(TWO, quality={"drift": {kind: severity}})
        assert [s for _, s, _ in desk.findings(kind)] == ([] if severity == "ignore" else [severity])


def test_new_codes_are_found(tmp_path: Path) -> None:
    layout = {"rows": [{"column": "Ward", "dimension": "item"}]}
    desk = kit.Desk(tmp_path, layout, quality={"drift": {"new_codes": "block"}})
    desk.land([["Place", "Ward", "Heads"], ["Ash", "a", "1"]], "2019")
    desk.land([["Place", "Ward", "Heads"], ["Ash", "a", "1"], ["Ash", "b", "2"]], "2020")
    assert desk.findings("new_codes") == [("new_codes", "block", "item: b")]


def test_a_column_the_contract_does_not_know_is_as_grave_as_a_new_one(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path, quality={"drift": {"new_column": "block"}})
    desk.land([["Place", "Heads", "Dogs"], ["Ash", "1", "2"]])
    assert desk.findings() == [("unknown_column", "block", "Dogs")]


def test_a_row_count_out_of_range_blocks_or_warns_as_the_contract_says(tmp_path: Path) -> None:
    assert kit.rules(kit.read(FIRST, quality={"rows": {"min": 3}})) == ["row_count"]
    taken = kit.read(FIRST, quality={"rows": {"min": 3, "severity": "warn"}})
    assert (kit.rules(taken), [(f["check"], f["severity"]) for f in taken.findings]) == ([], [("row_count", "warn")])


def test_the_file_before_is_the_one_called_alike_in_the_period_before(tmp_path: Path) -> None:
    """A small place's file is never held against a large one's: its figures did not fall to a hundredth."""
    desk = kit.Desk(tmp_path)
    for year, more in (("2019", 0), ("2020", 1)):
        desk.land([["Place", "Heads"], ["Ash", str(90_000 + more)]], year, f"ash {year}.csv")
        desk.land([["Place", "Heads"], ["Ærø", str(900 + more)]], year, f"aero {year}.csv")
    assert desk.findings() == []
    desk.land([["Place", "Heads"], ["Ærø", "9010"]], "2020", "aero 2020.csv")
    assert [(kind, text.split(": ")[0]) for kind, _, text in desk.findings("unit_jump")] == [
        ("unit_jump", "visits (persons)")
    ]


def test_the_only_period_is_compared_with_the_version_it_replaces(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land([["Place", "Heads"], ["Ash", "1200"], ["Aspen", "3400"]])
    desk.take_in()
    desk.land([["Place", "Heads"], ["Ash", "12000"], ["Aspen", "34000"]])
    assert [kind for kind, _, _ in desk.findings()] == ["unit_jump", "redelivery"]


# -- our own corrections ------------------------------------------------------------------------------------------

CELL = {"region_code": "VA1", "column": "Heads", "expect": "12", "action": "replace", "value": "21"}


def test_a_correction_replaces_what_it_expects_and_keeps_what_was_reported(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(FIRST)
    desk.correct(**CELL)
    assert desk.findings() == []
    assert desk.figures() == {"VA1": 21, "VA2": 34}
    frame = pl.read_parquet(desk.session.warehouse.folder / desk.taken.readings[0].folder / "accepted.parquet")
    row = frame.filter(pl.col("region_code") == "VA1").row(0, named=True)
    assert (row["value_reported"], row["correction_id"]) == ("12", "c1")


def test_a_correction_may_drop_a_cell_or_a_row_and_the_account_still_ties_out(tmp_path: Path) -> None:
    for action in ("drop_cell", "drop_row"):
        desk = kit.Desk(tmp_path / action)
        desk.land(FIRST)
        desk.correct(**{**CELL, "action": action, "value": None})
        assert desk.findings() == []
        assert desk.figures() == {"VA2": 34}
        (reading,) = desk.taken.readings
        assert (reading.rejects, reading.known_rejects) == (1, 1)
        (account,) = reading.tie_out
        assert account["values_read"] == 2 == account["values_accepted"] + 1
        rejects = pl.read_parquet(desk.session.warehouse.folder / reading.folder / "rejects.parquet")
        assert rejects.select("rule", "known_reason").row(0) == ("dropped_by_correction", "c1: asked on Monday")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"expect": "11"}, "'12' in row 2"),
        ({"region_code": "VB1"}, "no such row"),
        ({"column": "Dogs"}, "no column 'Dogs'"),
        ({"where": {"sex": "male"}}, "no column 'sex'"),
        ({"delivery_period": "2019"}, "no readable file"),
    ],
)
def test_a_correction_whose_expectation_does_not_hold_blocks_and_changes_nothing(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(FIRST)
    desk.correct(**{**CELL, **change})
    (found,) = desk.findings()
    assert found[:2] == ("correction", "block")
    assert said in found[2]
    assert desk.figures() == {"VA1": 12, "VA2": 34}


def test_a_correction_fails_loudly_once_the_department_mended_its_file(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(FIRST)
    desk.correct(**CELL)
    assert desk.findings("correction") == []
    desk.land([["Place", "Heads"], ["Ash", "21"], ["Aspen", "34"]])
    assert "'21' in row 2" in desk.findings("correction")[0][2]


def test_a_correction_finds_its_row_among_many_of_one_region(tmp_path: Path) -> None:
    layout = {
        "rows": [{"column": "Ward", "dimension": "item"}],
        "period": {"from": "column", "column": "Year", "kind": "year"},
    }
    rows = [["Place", "Year", "Ward", "Heads"], ["Ash", "2019", "a", "12"], ["Ash", "2020", "a", "12"]]
    rows += [["Ash", "2020", "b", "12"]]
    desk = kit.Desk(tmp_path, layout)
    desk.land(rows)
    desk.correct(**CELL)
    assert "3 rows that fit" in desk.findings()[0][2]
    desk.correct(**CELL, where={"item": "a", "Year": "2020"})
    assert desk.findings() == []
    frame = pl.read_parquet(desk.session.warehouse.folder / desk.taken.readings[0].folder / "accepted.parquet")
    assert frame["value"].cast(numbers.DECIMAL).to_list() == [12, 21, 12]


def test_a_correction_is_done_once_in_all_files_and_sheets_of_a_delivery(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(FIRST, name="alder.csv")
    desk.land([["Place", "Heads"], ["Beech", "5"]], name="birch.csv")
    desk.correct(**CELL)
    assert desk.findings() == []


def test_a_correction_for_what_nobody_had_sent_at_a_moment_is_not_asked_for(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(OTHER, "2019")
    desk.take_in()
    moment = desk.taken.receipts[0].received_at
    desk.land(FIRST, "2020")
    desk.correct(**CELL)
    assert desk.findings() == []
    then = desk.take_in(as_of=moment)
    assert desk.session.findings(then, moment).height == 0
    assert desk.session.findings(then).height == 1
