"""A field that is left open (`?`) waits for a person: only a proposal may hold one, and nothing is published by it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import country
import intake_kit as kit
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction import Contract, load
from pipelines.jurisdiction.open_fields import find_open, with_stand_ins

BUDGET = "treasury/budget"


def proposal(**changes: Any) -> dict[str, Any]:
    """A proposed contract with open fields of every kind."""
    document = yaml.safe_load(kit.contract().model_dump_json(by_alias=True))
    layout = {
        "period": {"from": "folder", "kind": "?"},
        "tokens": {"-": "?", "..": "missing"},
        "marks": {"r": "?"},
        "rows": [
            {"column": "Service", "dimension": "?", "codes": ["roads", "?"]},
            {"column": "Sex", "dimension": "sex", "map": {"Men": "male", "Others": "?"}},
        ],
        "values": [
            {"column": "Heads", "measure": "heads", "sex": "?", "unit": "?"},
            {"column": "Women", "measure": "heads", "sex": "?", "unit": "?"},
            {"column": "Spent", "measure": "?", "unit": "?"},
        ],
    }
    document["layouts"][0] = {k: v for k, v in document["layouts"][0].items() if v is not None}
    document["layouts"][0].update(layout)
    return {**document, "status": "proposed", "provenance": "?", "license": "?", **changes}


def test_a_trial_reads_a_proposal_with_something_in_every_open_place() -> None:
    contract = Contract.model_validate(with_stand_ins(proposal()))
    (layout,) = contract.layouts
    assert layout.period.kind == "year"
    assert layout.tokens == {"-": "missing", "..": "missing"}
    assert layout.marks == {"r": "note"}
    assert [(row.dimension, row.codes) for row in layout.rows] == [
        ("item", ["roads", "?"]),
        ("group", ["Men", "Others"]),
    ]
    assert len({value.measure for value in layout.values}) == 3
    assert {value.unit for value in layout.values} == {"?"}
    assert contract.provenance == "synthetic"


def test_question_marks_that_a_department_writes_are_not_open() -> None:
    text = """\
codes: ["?"]
known_rejects: [{column: Heads, text: "?", reason: asked}]
tokens: {"?": missing}
no_code: ["?"]
map: {"?": all}
unit: "?"
"""
    assert [(found.line, found.field) for found in find_open(text)] == [(6, "unit")]


@given(place=st.integers(0, 2), field=st.sampled_from(["unit", "measure", "sex", "item", "type"]))
def test_every_open_field_is_found_on_its_line(place: int, field: str) -> None:
    document = {"values": [{"column": f"c{i}", "unit": "persons"} for i in range(3)]}
    document["values"][place][field] = "?"
    text = yaml.safe_dump(document, sort_keys=False)
    (found,) = find_open(text)
    assert found.field == f"values.{place}.{field}"
    assert "?" in text.splitlines()[found.line - 1]


def test_a_contract_in_force_leaves_nothing_open(tmp_path: Path) -> None:
    land = country.make_country(tmp_path / "verdania", landed=False)
    path = land.write_contract(BUDGET, lambda c: c["layouts"][0]["values"][0].update(unit="?"))
    with pytest.raises(ConfigurationError) as error:
        load(land.folder)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), start=1) if re.search(r"unit: .\?", text))
    assert error.value.where == f"{path}, line {line}"
    assert "layouts.0.values.0.unit" in error.value.message
    assert "status: proposed" in error.value.do


def test_a_proposal_with_open_fields_holds_back_no_other_contract(tmp_path: Path) -> None:
    land = country.make_country(tmp_path / "verdania", landed=False)
    path = land.folder / "contracts" / "desk" / "file.yml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(proposal(), sort_keys=False), encoding="utf-8")
    assert load(land.folder).contracts["desk/file"].status == "proposed"
    path.write_text(yaml.safe_dump(proposal(status="active"), sort_keys=False), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="still open"):
        load(land.folder)


def test_a_description_of_a_jurisdiction_says_which_lines_are_open(tmp_path: Path) -> None:
    land = country.make_country(tmp_path / "verdania", landed=False)
    path = land.folder / "jurisdiction.yml"
    path.write_text(re.sub(r"(?m)^currency: .*$", 'currency: "?"', path.read_text()), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"line \d+: currency"):
        load(land.folder)
