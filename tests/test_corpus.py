"""Each ugly file of the corpus gives exactly the rows, rejects and ignored rows that stand beside it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import corpus
import intake_kit as kit
import polars as pl
import pytest

from pipelines.intake.frames import Taken

CASES = corpus.cases()


def key_of(row: dict[str, Any], key: tuple[str, ...]) -> Any:
    """The parts of an observation's key that a case names; a lone part stands by itself."""
    row = {**row, "year": row["period_end"].year}
    parts = [str(row[name]) if name.startswith("period") else row[name] for name in key]
    return parts[0] if len(parts) == 1 else tuple(parts)


def figures(taken: Taken, key: tuple[str, ...]) -> dict[Any, Any]:
    """key -> value; two observations of one key would be a fault of the case."""
    found: dict[Any, Any] = {}
    for row in taken.accepted.iter_rows(named=True):
        name = key_of(row, key)
        assert name not in found, name
        found[name] = row["value"]
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_file_gives_what_stands_beside_it(case: corpus.Case) -> None:
    taken = kit.read(case.data, case.layout, period=case.period, name=case.file_name, files="*")
    assert case.problem in taken.problem
    assert bool(case.problem) == bool(taken.problem), taken.problem
    expected = {k: None if v is None else Decimal(v) for k, v in case.values.items()}
    assert figures(taken, case.key) == expected
    rejects = taken.rejects.select("rule", "source_row", "reported_text").rows()
    assert sorted(rejects, key=str) == sorted(case.rejects, key=str)
    assert dict(taken.ignored.group_by("reason").len().iter_rows()) == {k: v for k, v in case.ignored.items() if v}
    statuses = {
        key_of(row, case.key): row["obs_status"]
        for row in taken.accepted.iter_rows(named=True)
        if row["obs_status"] != "A"
    }
    # A missing value whose status nobody wrote down in the case is the plain kind.
    assert statuses == {**{k: "O" for k, v in expected.items() if v is None}, **case.statuses}
    assert sorted(finding["check"] for finding in taken.findings) == sorted(case.findings)


@pytest.mark.parametrize("case", [c for c in CASES if not c.problem], ids=lambda case: case.name)
def test_each_figure_and_each_reject_says_where_it_stands(case: corpus.Case) -> None:
    taken = kit.read(case.data, case.layout, period=case.period, name=case.file_name, files="*")
    assert taken.accepted["observation_id"].is_unique().all()
    for frame in (taken.accepted, taken.rejects.filter(pl.col("scope") == "cell")):
        assert frame["source_row"].null_count() == 0
        assert (frame["source_column"].str.len_chars() > 0).all()
        assert frame["source_file"].unique().to_list() in ([], [case.file_name])
    assert (taken.rejects["detail"].str.len_chars() > 0).all()


def test_the_row_and_the_column_are_those_that_a_person_sees() -> None:
    case = next(c for c in CASES if c.name == "table_that_starts_at_column_c")
    taken = kit.read(case.data, case.layout, name=case.file_name, files="*")
    assert taken.accepted.select("source_row", "source_column").row(0) == (3, "D Heads")


def test_names_that_match_nothing_come_with_the_nearest_ones() -> None:
    case = next(c for c in CASES if c.name == "a_typing_error_accepted_by_a_person")
    taken = kit.read(case.data, case.layout)
    assert "Aspen (VA2)" in taken.rejects["detail"][0]
