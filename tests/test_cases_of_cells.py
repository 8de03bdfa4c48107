"""The small files of cases that were reported: what is right stands beside each, and nothing else is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.run.trial import check_file
from pipelines.settings import Settings

CASES = Path(__file__).parents[2] / "shared" / "cases" / "intake"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the reported cases lie beside the repository")


def read(tmp_path: Path, name: str, contract: str) -> dict[str, Any]:
    settings = Settings.from_environment(CASES / "land", tmp_path / "warehouse")
    found = check_file(settings, CASES / name, contract, "2020")
    assert found["problem"] == ""
    assert all(account["holds"] for account in found["tie_out"])
    return found


def figures(found: dict[str, Any]) -> list[tuple[str, str | None, str]]:
    return [(row["region_code"], row["value"], row["obs_status"]) for row in found["first"]]


def test_a_raised_or_circled_sign_is_no_digit(tmp_path: Path) -> None:
    found = read(tmp_path, "superscript.csv", "office/pup")
    assert (figures(found), found["rejects"]) == ([], 5)


def test_a_mark_takes_no_digit_from_a_number(tmp_path: Path) -> None:
    found = read(tmp_path, "marks.csv", "office/marks")
    assert [value for _, value, _ in figures(found)] == ["1200", "342", "990", "1502", "77"]
    assert [status for *_, status in figures(found)] == ["A", "A", "P", "A", "A"]


def test_a_token_is_its_own_sign_alone(tmp_path: Path) -> None:
    found = read(tmp_path, "tokens.csv", "office/tok")
    assert [(value, status) for _, value, status in figures(found)] == [
        ("1", "A"),
        (None, "Q"),
        ("11", "A"),
        (None, "O"),
        ("77", "A"),
    ]


def test_several_years_are_no_single_year(tmp_path: Path) -> None:
    found = read(tmp_path, "pooled_periods.csv", "office/cal")
    assert (found["observations"], found["rejects"]) == (0, 5)
    assert [rule["rule"] for rule in found["rejects_by_rule"]] == ["unknown_period"]


def test_a_date_is_no_age(tmp_path: Path) -> None:
    found = read(tmp_path, "age_dates.csv", "office/age")
    assert found["tie_out"][0]["rows_accepted"] == 1
    details = [example["detail"] for rule in found["rejects_by_rule"] for example in rule["examples"]]
    assert sum("age_group" in detail for detail in details) == 5
    assert sum("no sex" in detail for detail in details) == 1
