"""Whole runs as evidence: restored from a backup, a change of method kept apart, made again, withdrawn."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from country import Country
from houses import House

from pipelines import cli, transform
from pipelines.run import Session
from pipelines.run import reproduction as reproducing
from pipelines.settings import Settings
from pipelines.store import read_json
from pipelines.trace import trace

pytestmark = pytest.mark.pipeline

TARGETS = "reference/targets.csv"


@dataclass
class Later:
    """A restored country in which, at once, a target was raised and a department sent other figures."""

    house: House
    first: str
    second: str
    said_before: dict[str, Any]  # what a run said right after the restore
    verified: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def later(verdania: House, tmp_path_factory: pytest.TempPathFactory) -> Later:
    """Backup as docs/backup.md has it, restored elsewhere; then a run with a new method and new data."""
    folder = tmp_path_factory.mktemp("later")
    archive = folder / "backup.tar"
    backup = ["flock", str(verdania.warehouse.folder / ".lock"), "tar", "--create", "--file", str(archive)]
    backup += ["--exclude=builds", "--exclude=logs", "--exclude=.lock", "--directory", str(verdania.folder)]
    subprocess.run([*backup, verdania.warehouse.folder.name], check=True)
    (folder / "warehouse").mkdir()
    restore = ["tar", "--extract", "--preserve-permissions", "--file", str(archive)]
    subprocess.run([*restore, "--directory", str(folder / "warehouse")], check=True)
    shutil.copytree(verdania.jurisdiction, folder / "verdania")
    house = House(folder / "verdania", folder / "warehouse")
    assert not house.warehouse.builds.exists()
    kept = Session(verdania.settings).ledger.entries()[-1].hash
    verified = house.command("verify", "--all", "--head", kept)
    said_before = house.run().as_dict()

    targets = house.jurisdiction / TARGETS
    lines = targets.read_text(encoding="utf-8").splitlines()
    header = lines[0].split(",")
    cells = lines[1].split(",")
    cells[header.index("target_value")] = "77"
    targets.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n", encoding="utf-8")
    revised = {
        (3, 4): "165", (5, 4): "63.2", (9, 4): "82", (11, 4): "23.7", (24, 4): "20.0", (26, 4): "14.3"
    }  # fmt: skip
    Country(house.jurisdiction).land("bureau/residents", "2020", cells=revised)
    first = house.current
    second = house.run().release_id
    assert first is not None and second is not None
    return Later(house, first, second, said_before, verified)


# -- backup and restore -------------------------------------------------------------------------------------------


def test_a_restored_warehouse_verifies_is_up_to_date_and_goes_on(later: Later) -> None:
    assert later.verified.returncode == 0, later.verified.stdout
    assert (later.said_before["outcome"], later.said_before["release_id"]) == ("nothing_new", later.first)
    assert later.house.current == later.second
    said = later.house.command("verify", "--all", "--json")
    assert said.returncode == 0, said.stdout
    assert json.loads(said.stdout)["releases"] == [later.first, later.second]


# -- a change of method -------------------------------------------------------------------------------------------


def changed(part: dict[str, Any]) -> set[str]:
    return {name for name, t in part["tables"].items() if t["added"] or t["removed"] or t["revised"]}


def test_a_change_of_method_is_kept_apart_from_the_change_of_data(later: Later) -> None:
    folder = later.house.warehouse.release_folder(later.second)
    said = read_json(folder / "changes.json")["method"]
    assert [c["file"] for c in said["files"]] == [TARGETS]
    assert any(line.startswith("+") and "77" in line for line in said["files"][0]["diff"])
    compared = read_json(folder / said["comparison"])
    data, method = changed(compared["data"]), changed(compared["method"])
    assert "fct_population" in data and "dim_target" not in data
    assert "dim_target" in method and "fct_population" not in method and "fct_observation" not in method
    assert set(said["changed_by_data"]) == data and set(said["changed_by_method"]) == method
    causes = {c for t in compared["method"]["tables"].values() for c in t.get("causes", {})}
    assert causes == {f"reference {TARGETS}"}
    assert not list(later.house.warehouse.builds.glob(".old-method-*"))
    assert "method_comparison.json" in later.house.manifest(later.second)["files"]


def test_the_change_of_rules_and_the_new_file_are_what_the_diff_names(
    later: Later, junheng: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    page = tmp_path / "diff.html"
    code, out, err = junheng("diff", later.first, later.second, "--json", "--page", str(page))
    assert code == 0, err
    found = json.loads(out)
    kinds = {c["cause"]: c for c in found["inputs"]}
    (receipt,) = [c for c in kinds if c.startswith("receipt")]
    assert kinds[receipt]["file"].startswith("bureau/residents/2020/") and f"reference {TARGETS}" in kinds
    for row in found["tables"]["fct_population"]["examples"]["revised"]:
        assert row["causes"] == [receipt] and row["key"]["region_code"] in ("V", "VB", "VB2")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    text = junheng("diff", later.first, later.second)[1]
    assert f"[{receipt}" in text and "target_value" in text


# -- traced -------------------------------------------------------------------------------------------------------


def test_a_revision_is_traced_to_both_deliveries_and_a_figure_to_the_one_that_counts(later: Later) -> None:
    folder = later.house.warehouse.release_folder(later.second)
    revised = later.house.query(
        "select o.observation_id, r.vintage_before, r.vintage_after from mart_revision r join fct_observation o "
        "on o.receipt_id = r.receipt_id and o.measure = r.measure and o.region_code = r.region_code "
        "and o.year = r.year and o.value = r.value_after where r.vintage_kind = 'receipt' order by all limit 3",
        later.second,
    )
    assert revised
    for observation, *vintages in revised:
        found = trace(folder, "fct_observation", [f"observation_id={observation}"])
        assert found.outcome == "exact", (found.command, found.figures)
        assert set(vintages) <= {delivery["receipt_id"] for delivery in found.deliveries}
    figure = trace(folder, "fct_population", ["region_code=VB2", "reference_date=2020-12-31", "residence=urban"])
    assert figure.outcome == "exact"
    told = {delivery["is_chosen"]: delivery["why"] for delivery in figure.deliveries}
    assert told[True].startswith("chosen: the last delivery") and told[False] == "its file was replaced or taken back"


# -- made again ---------------------------------------------------------------------------------------------------


def test_a_past_release_comes_out_the_same_whatever_became_of_the_rules(later: Later) -> None:
    before = {p: p.stat().st_mtime_ns for p in later.house.warehouse.folder.rglob("*") if p.is_file()}
    said = later.house.command("reproduce", later.first, "--json")
    assert said.returncode == 0, said.stdout + said.stderr
    found = json.loads(said.stdout)
    assert found["same"] and found["same_build"] and found["why"] == []
    assert {line["table"]: line["content_sha256_again"] for line in found["tables"]} == later.house.hashes(later.first)
    after = {p: p.stat().st_mtime_ns for p in later.house.warehouse.folder.rglob("*") if p.is_file()}
    assert after == before  # nothing of the warehouse was touched


def test_with_other_code_the_tables_and_rows_that_differ_are_named_and_so_is_the_code(
    later: Later, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "dbt_project"
    shutil.copytree(transform.DBT_FOLDER, other, ignore=shutil.ignore_patterns("target", "logs"))
    dim = other / "models/marts/reference/dim_region_change.sql"
    dim.write_text("select * from (\n" + dim.read_text(encoding="utf-8").rstrip() + "\n) as found where 1 = 0\n")
    monkeypatch.setattr(transform, "DBT_FOLDER", other)
    for module in ("pipelines.run.identity", "pipelines.run.reproduction"):
        monkeypatch.setattr(f"{module}.code_version", lambda: "f" * 64)
    settings = Settings.from_environment(later.house.jurisdiction, later.house.folder)
    found = reproducing.reproduce(settings, later.first)
    assert not found["same"] and found["why"] == ["code"]
    assert [line["table"] for line in found["tables"] if not line["same"]] == ["dim_region_change"]
    table = found["differences"]["dim_region_change"]
    assert table["removed"] > 0 and table["examples"]["removed"][0]["causes"] == ["code"]


# -- withdrawn ----------------------------------------------------------------------------------------------------


@pytest.fixture
def junheng(
    later: Later, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """The command line in this process: exit code, standard output, standard error."""
    monkeypatch.setenv("JUNHENG_JURISDICTION", str(later.house.jurisdiction))
    monkeypatch.setenv("JUNHENG_WAREHOUSE", str(later.house.folder))

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["junheng", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capfd.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return call


def test_a_withdrawn_release_is_named_everywhere_and_not_published_again_by_itself(
    later: Later, junheng: Callable[..., tuple[int, str, str]]
) -> None:
    house = later.house
    reason = "beds of the country of Ærø were counted twice"
    code, out, err = junheng("withdraw", later.second, "--reason", reason, "--severity", "critical", "--by", "Li Wei")
    assert code == 0 and f"current is now {later.first}" in out, err
    assert house.current == later.first
    for command in (
        ["query", "select 1 as one", "--release", later.second],
        ["query", "select 1 as one", "--release", later.second, "--format", "json"],
        ["pages", later.second],
        ["trace", "fct_population", "region_code=V", "reference_date=2020-12-31", "--release", later.second],
        ["verify", later.second],
        ["verify", later.second, "--json"],
        ["diff", later.first, later.second],
    ):
        code, out, err = junheng(*command)
        assert code == 0 and reason in err, (command, out, err)
    for command in (["rollback", later.second], ["official", later.second, "--by", "Chen Jing"]):
        code, _, err = junheng(*command)
        assert code == 2 and reason in err
    assert reason in junheng("releases")[1]
    nightly = house.run()
    assert (nightly.outcome, nightly.is_set_back, nightly.release_id) == ("nothing_new", True, later.first)
    assert house.current == later.first
    assert f"nothing new: current stays set back to release {later.first}" in junheng("run")[1]
