"""A new jurisdiction begins with a folder of commented files that says itself what must be filled in."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.errors import ConfigurationError, UsageError
from pipelines.jurisdiction import Description, load
from pipelines.jurisdiction.calendar import load_plan
from pipelines.jurisdiction.new_folder import make_folder
from pipelines.jurisdiction.recipes import load_recipes
from pipelines.jurisdiction.reference import load_table
from pipelines.jurisdiction.reference_schema import TABLES, table_named
from pipelines.quality.suites import load_expectations
from pipelines.quality.waivers import load_waivers

ANSWERS: dict[str, Any] = {
    "name": "新地",
    "name_en": "Newland",
    "home_region": "N",
    "levels": [{"name": "country", "name_zh": "国", "name_en": "Country", "depth": 0, "government_level": "country"}],
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "years": {"first": 2018, "last": 2020},
    "units": {"persons": {"base": "persons", "factor": 1}},
    "disclosure": {"method": "none", "reason": "invented"},
}


def refused(folder: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as error:
        load(folder)
    assert error.value.do
    return error.value


def test_the_folder_says_step_by_step_what_must_be_filled_in(tmp_path: Path) -> None:
    home = tmp_path / "newland"
    made = make_folder(home)
    lines = (home / "jurisdiction.yml").read_text(encoding="utf-8").splitlines()
    assert all('"?"' in lines[item.line - 1] for item in made.open_fields)
    error = refused(home)
    assert f"{len(made.open_fields)} field(s) still open" in error.message
    assert error.where == f"{home / 'jurisdiction.yml'}, line {made.open_fields[0].line}"
    document = yaml.safe_load((home / "jurisdiction.yml").read_text(encoding="utf-8")) | ANSWERS
    (home / "jurisdiction.yml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    error = refused(home)
    assert "population_basis is still open" in error.message and "variants.csv, line 6" in error.where
    variants = home / "reference" / "variants.csv"
    variants.write_text(variants.read_text(encoding="utf-8").replace("reported,?,?,", "reported,resident,,"))
    assert "no contract" in refused(home).message
    contract = home / "contracts" / "desk" / "file.yml"
    contract.parent.mkdir()
    contract.write_text("id: desk/file\n", encoding="utf-8")
    assert "line" in refused(home).message
    contract.write_text(yaml.safe_dump(_contract()), encoding="utf-8")
    assert "home_region 'N' is not in regions.csv" in refused(home).message
    with (home / "reference" / "regions.csv").open("a", encoding="utf-8") as table:
        table.write("N,Newland,Newland,country,,1990-01-01,,own,\n")
    loaded = load(home)
    assert loaded.regions.height == 1
    assert loaded.contracts["desk/file"].status == "proposed"


def _contract() -> dict[str, Any]:
    layout = {
        "format": {"kind": "csv"},
        "header": {"find": ["Place"]},
        "region": {"name": "Place"},
        "period": {"from": "folder", "kind": "?"},
        "values": [{"column": "Heads", "measure": "heads", "unit": "?"}],
    }
    whole = {"id": "desk/file", "version": "0.1.0", "status": "proposed", "name": "头", "name_en": "Heads", "rank": 1}
    more = {"provenance": "?", "license": "?", "source": {"publisher": "desk"}, "team": [{"name": "desk"}]}
    return {**whole, **more, "files": "*.csv", "layouts": [layout]}


def test_every_field_of_the_description_is_in_the_commented_file(tmp_path: Path) -> None:
    make_folder(tmp_path / "newland")
    text = (tmp_path / "newland" / "jurisdiction.yml").read_text(encoding="utf-8")
    for name in Description.model_fields:
        assert re.search(rf"(?m)^(?:# )?{name}:", text), name
    answered = {item.field.split(".")[0] for item in make_folder(tmp_path / "other").open_fields}
    needed = {name for name, field in Description.model_fields.items() if field.is_required()}
    assert answered == needed - {"units"}


def test_what_is_commented_out_is_right_once_it_is_let_in(tmp_path: Path) -> None:
    make_folder(tmp_path / "newland")
    text = (tmp_path / "newland" / "jurisdiction.yml").read_text(encoding="utf-8")
    optional = text[text.index("# schedule:") :]
    let_in = yaml.safe_load(re.sub(r"(?m)^# ", "", optional))
    Description.model_validate({**ANSWERS, **let_in})
    units = yaml.safe_load(
        re.sub(r"(?m)^  # ", "  ", text[text.index("units: {}") : text.index("# Disclosure")]).replace(
            "units: {}", "units:"
        )
    )
    Description.model_validate({**ANSWERS, **units})


def test_the_commented_variants_are_taken_once_they_are_let_in(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "newland").folder / "reference"
    path = folder / "variants.csv"
    head, _, rest = path.read_text(encoding="utf-8").partition("# Every other line")
    lines = [line.removeprefix("# ") for line in rest.splitlines()[1:]]
    path.write_text("\n".join([head.replace("?,?", "resident,year_end"), *lines]) + "\n", encoding="utf-8")
    assert load_table(folder, table_named("variant")).height == 1 + len(lines) > 5


@pytest.mark.parametrize("table", [t for t in TABLES if t.file != "variants.csv"], ids=lambda table: table.file)
def test_the_example_line_of_each_table_is_a_comment_that_would_be_taken(table: Any, tmp_path: Path) -> None:
    make_folder(tmp_path / "newland")
    folder = tmp_path / "newland" / "reference"
    assert load_table(folder, table).height == 0
    path = folder / table.file
    path.write_text(path.read_text(encoding="utf-8").replace("\n# ", "\n"), encoding="utf-8")
    assert load_table(folder, table).height == 1


def test_the_other_files_are_taken_as_they_are(tmp_path: Path) -> None:
    home = make_folder(tmp_path / "newland").folder
    assert load_waivers(home / "waivers.yml", {}) == []
    assert load_recipes(home / "recipes.yml") == []
    assert load_plan(home / "releases.yml").calendar == []
    assert load_expectations([home / "expectations"]) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    for folder in (tmp_path, tmp_path / "note.txt", tmp_path / "note.txt" / "below"):
        with pytest.raises(UsageError):
            make_folder(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
    assert (tmp_path / "note.txt").read_text() == "mine"


def test_the_command_prints_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipelines import cli

    def junheng(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["junheng", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        return int(left.value.code or 0), capsys.readouterr().out

    code, out = junheng("init", str(tmp_path / "newland"))
    assert code == 0
    assert "line 4: name" in out
    assert "junheng sniff FILE" in out
    assert junheng("init", str(tmp_path / "newland"))[0] == 2
    code, out = junheng("init", str(tmp_path / "other"), "--json")
    assert "reference/regions.csv" in json.loads(out)["files"]
