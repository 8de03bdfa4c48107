"""What differs between two releases is counted, shown by key, and led back to the receipt or rule that caused it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import evidence_kit
import pytest
from evidence_kit import Shelf

from pipelines import release, rules
from pipelines.errors import FaultError, UsageError
from pipelines.pages import render_difference
from pipelines.release import changes
from pipelines.release.causes import Causes, relations_of
from pipelines.store import read_json

TABLES: dict[str, dict[str, Any]] = {
    "dim_region": {"key": ["region_code"], "columns": {"region_code": "VARCHAR", "parent_code": "VARCHAR"},
                   "sources": ["region"]},
    "dim_indicator": {"key": ["indicator_code"],
                      "columns": dict.fromkeys(("indicator_code", "numerator", "denominator"), "VARCHAR"),
                      "sources": ["indicator"]},
    "dim_target": {"key": ["indicator_code"], "columns": {"indicator_code": "VARCHAR", "target_value": "BIGINT"},
                   "sources": ["target"]},
    "fct_observation": {
        "key": ["observation_id"],
        "columns": {"observation_id": "VARCHAR", "department": "VARCHAR", "extract": "VARCHAR", "measure": "VARCHAR",
                    "region_code": "VARCHAR", "year": "BIGINT", "population_source": "VARCHAR", "value": "BIGINT",
                    "obs_status": "VARCHAR", "is_latest": "BOOLEAN", "is_chosen": "BOOLEAN", "receipt_id": "VARCHAR",
                    "reading_id": "VARCHAR", "provenance": "VARCHAR"},
        "sources": ["observation", "region"]},
    "mart_service_coverage": {
        "key": ["region_code", "year", "indicator_code"],
        "columns": {"region_code": "VARCHAR", "year": "BIGINT", "indicator_code": "VARCHAR", "value": "BIGINT",
                    "target_value": "BIGINT"},
        "sources": ["observation", "region", "indicator", "target"]},
    "mart_inequality": {"key": ["subject_code", "year"],
                        "columns": {"subject_code": "VARCHAR", "year": "BIGINT", "value": "BIGINT"},
                        "sources": ["observation"]},
}  # fmt: skip
RULES = {
    "reference/targets.csv": "t1", "reference/regions.csv": "g1", "contracts/health/beds.yml": "c1",
    "contracts/schools/roll.yml": "s1", "expectations/x.yml": "e1",
}  # fmt: skip


def observation(name: str, measure: str, region: str, year: int, value: int, receipt: str, **more: Any) -> Any:
    extract = "schools/roll" if measure == "pupils" else "health/beds"
    said = {"population_source": "none", "obs_status": "A", "is_latest": True, "is_chosen": True} | more
    return [
        name, *extract.split("/"), measure, region, year, said["population_source"], value, said["obs_status"],
        said["is_latest"], said["is_chosen"], receipt, "g" + receipt, "synthetic",
    ]  # fmt: skip


def rows(bed: int = 5, target: int = 9) -> dict[str, list[Any]]:
    """Two parishes below one shire; beds by a first delivery, pupils by another."""
    return {
        "dim_region": [["S", None], ["P1", "S"], ["P2", "S"]],
        "dim_indicator": [["BED", "beds", "population"], ["PUPIL", "pupils", "1"]],
        "dim_target": [["BED", target]],
        "fct_observation": [
            observation("o1", "beds", "P1", 2019, 4, "r1"),
            observation("o2", "beds", "P1", 2020, bed, "r1"),
            observation("o3", "beds", "P2", 2020, 7, "r1"),
            observation("o4", "pupils", "P1", 2020, 30, "r2"),
        ],
        "mart_service_coverage": [
            ["P1", 2019, "BED", 4, target],
            ["P1", 2020, "BED", bed, target],
            ["P2", 2020, "BED", 7, target],
            ["S", 2020, "BED", bed + 7, target],
            ["P1", 2020, "PUPIL", 30, None],
        ],
        "mart_inequality": [["BED", 2020, bed - 7]],
    }


def receipt(receipt_id: str, number: int, path: str = "health/beds/2020/beds.csv", **more: Any) -> dict[str, Any]:
    return {
        "receipt_id": receipt_id, "department": path.split("/")[0], "extract": path.split("/")[1], "sequence": number,
        "landing_path": path, "sha256": receipt_id * 32, "received_at": f"2021-01-0{number}", "is_withdrawal": False,
    } | more  # fmt: skip


R1, R2 = receipt("r1", 1), receipt("r2", 2, "schools/roll/2020/roll.csv")


class Pair:
    """Two databases with their manifests, compared."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def compare(
        self, before: dict[str, list[Any]], after: dict[str, list[Any]], old: dict[str, Any], new: dict[str, Any]
    ) -> dict[str, Any]:
        paths = []
        for name, content in (("before", before), ("after", after)):
            paths.append(self.folder / f"{name}.duckdb")
            paths[-1].unlink(missing_ok=True)
            with duckdb.connect(str(paths[-1])) as connection:
                for table, said in TABLES.items():
                    body = ", ".join(f"{c} {kind}" for c, kind in said["columns"].items())
                    connection.execute(f"create table {table} ({body})")
                    marks = ", ".join("?" * len(said["columns"]))
                    connection.executemany(f"insert into {table} values ({marks})", content[table])
        return changes.compare_files(*paths, manifest(**old), manifest(**new))


def manifest(
    receipts: list[dict[str, Any]] | None = None,
    files: dict[str, str] | None = None,
    code: str = "c",
    reader: str = "v",
) -> dict[str, Any]:
    return {
        "release_id": "20200101.1", "code_version": code,
        "inputs": {
            "receipts": [R1, R2] if receipts is None else receipts,
            "readings": [{"reader_version": reader}],
            "rules": {"snapshot_sha256": "s", "files": RULES if files is None else files},
        },
        "tables": {
            name: {**said, "order_by": said["key"], "made_by": "dbt", "content_sha256": object()}
            for name, said in TABLES.items()
        },
    }  # fmt: skip


def causes(found: dict[str, Any], table: str, kind: str = "revised") -> dict[tuple[str, ...], list[str]]:
    examples = found["tables"][table].get("examples", {}).get(kind, [])
    return {tuple(example["key"].values()): example["causes"] for example in examples}


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


# -- deliveries ---------------------------------------------------------------------------------------------------


def test_a_revised_figure_names_the_receipt_of_its_region_and_year_and_those_above_it(pair: Pair) -> None:
    after = rows(bed=6)
    after["fct_observation"] = [
        observation("o1", "beds", "P1", 2019, 4, "r1"),
        observation("o2", "beds", "P1", 2020, 5, "r1", is_latest=False),
        observation("o2b", "beds", "P1", 2020, 6, "r3"),
        *rows()["fct_observation"][2:],
    ]
    later = receipt("r3", 3, "health/beds/2020b/beds.csv")
    school = receipt("r4", 4, "schools/roll/2021/roll.csv")  # came too, and moved nothing that is shown here
    found = pair.compare(rows(), after, {}, {"receipts": [R1, R2, later, school]})
    assert causes(found, "mart_service_coverage") == {
        ("P1", "2020", "BED"): ["receipt r3"],
        ("S", "2020", "BED"): ["receipt r3"],
    }
    assert found["tables"]["mart_service_coverage"]["causes"] == {"receipt r3": 2}
    assert causes(found, "fct_observation", "added") == {("o2b",): ["receipt r3"]}
    # A table without region cannot be led back to one delivery: all that came are named.
    assert causes(found, "mart_inequality") == {("BED", "2020"): ["receipt r3", "receipt r4"]}
    assert [(c["cause"], c["change"], c.get("file")) for c in found["inputs"]] == [
        ("receipt r3", "new", "health/beds/2020b/beds.csv"),
        ("receipt r4", "new", "schools/roll/2021/roll.csv"),
    ]


def test_a_delivery_that_was_replaced_or_taken_back_moves_by_what_did_that(pair: Pair) -> None:
    after = rows()
    after["fct_observation"] = [[*row[:9], row[1] != "health", *row[10:]] for row in rows()["fct_observation"]]
    after["mart_service_coverage"] = [["P1", 2020, "PUPIL", 30, None]]
    back = receipt("r3", 3, is_withdrawal=True)
    found = pair.compare(rows(), after, {}, {"receipts": [R1, R2, back]})
    assert found["inputs"][0]["change"] == "withdrawn"
    assert set(map(tuple, causes(found, "mart_service_coverage", "removed").values())) == {("receipt r3",)}
    assert causes(found, "fct_observation")[("o1",)] == ["receipt r3"]


def test_measures_that_an_indicator_does_not_use_are_no_cause_of_it_but_populations_are(pair: Pair) -> None:
    after = rows(bed=6)
    after["mart_service_coverage"][-1][3] = 31
    after["fct_observation"] = [*rows()["fct_observation"], observation("o5", "pupils", "P1", 2020, 31, "r3")]
    roll = receipt("r3", 3, "schools/roll/2020b/roll.csv")
    people = receipt("r4", 4, "health/beds/2020/people.csv")
    after["fct_observation"].append(observation("o6", "people", "P1", 2020, 9, "r4", population_source="census"))
    found = causes(pair.compare(rows(), after, {}, {"receipts": [R1, R2, roll, people]}), "mart_service_coverage")
    assert found[("P1", "2020", "BED")] == ["receipt r4"]
    assert found[("P1", "2020", "PUPIL")] == ["receipt r3", "receipt r4"]


# -- rules --------------------------------------------------------------------------------------------------------


def test_a_changed_reference_table_causes_what_is_built_from_it_and_nothing_else(pair: Pair) -> None:
    found = pair.compare(rows(), rows(target=10), {}, {"files": {**RULES, "reference/targets.csv": "t2"}})
    label = ["reference reference/targets.csv"]
    assert causes(found, "dim_target") == {("BED",): label}
    assert set(map(tuple, causes(found, "mart_service_coverage").values())) == {tuple(label)}
    assert (found["inputs"][0]["before_sha256"], found["inputs"][0]["after_sha256"]) == ("t1", "t2")


def test_a_changed_contract_causes_the_figures_of_its_extract(pair: Pair) -> None:
    files = {**RULES, "contracts/health/beds.yml": "c2", "expectations/x.yml": "e2"}
    found = pair.compare(rows(), rows(bed=6), {}, {"files": files})
    label = ["contract contracts/health/beds.yml"]
    assert causes(found, "fct_observation") == {("o2",): label}
    assert causes(found, "mart_service_coverage") == {("P1", "2020", "BED"): label, ("S", "2020", "BED"): label}
    assert {c["cause"] for c in found["inputs"]} == {*label, "expectation expectations/x.yml"}


def test_where_only_the_code_changed_the_code_is_the_cause(pair: Pair) -> None:
    found = pair.compare(rows(), rows(bed=6), {}, {"code": "d"})
    assert causes(found, "mart_inequality") == {("BED", "2020"): ["code"]}
    assert causes(found, "mart_service_coverage")[("S", "2020", "BED")] == ["code"]


def test_each_rule_file_is_known_by_what_it_makes() -> None:
    assert relations_of("reference/targets.csv") == {"target"}
    assert "observation" in relations_of("reference/regions.csv")
    assert relations_of("waivers.yml") == relations_of("project/expectations/dim_region.yml") == frozenset()
    assert "observation" in relations_of("jurisdiction.yml")
    assert Causes(manifest(), manifest()).labels == {}


def test_a_hundred_thousand_rows_are_compared_row_by_row_and_only_some_are_listed(pair: Pair) -> None:
    pair.compare(rows(), rows(), {}, {})
    paths = [pair.folder / "before.duckdb", pair.folder / "after.duckdb"]
    for number, path in enumerate(paths):
        with duckdb.connect(str(path)) as connection:
            connection.execute("delete from mart_service_coverage")
            connection.execute(
                "insert into mart_service_coverage select 'P' || (n % 300), 1700 + n // 300, 'BED', "
                f"n + {number} * (n % 2), 9 from range(100000) t(n)"
            )
    found = changes.compare_files(*paths, manifest(), manifest(code="d"), limit=7)["tables"]["mart_service_coverage"]
    assert (found["revised"], found["causes"]) == (50_000, {"code": 50_000})
    assert len(found["examples"]["revised"]) == 7
    everything = changes.compare_files(*paths, manifest(), manifest(code="d"), limit=None)
    assert len(everything["tables"]["mart_service_coverage"]["examples"]["revised"]) == 50_000


# -- rules in the ledger ------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    evidence_kit.be_quick(monkeypatch)
    return evidence_kit.make_shelf(tmp_path)


def record(shelf: Shelf) -> rules.Rules:
    return rules.record(shelf.warehouse, shelf.ledger, shelf.jurisdiction, shelf.folder / "expectations")


def said_last(shelf: Shelf) -> dict[str, dict[str, Any]]:
    entry = shelf.ledger.last("rules")
    assert entry is not None
    return {change["file"]: change for change in entry.details["changed"]}


def test_every_change_of_a_rule_is_an_entry_with_its_lines_and_both_states_are_kept(shelf: Shelf) -> None:
    first = record(shelf)
    assert record(shelf) == first and len([e for e in shelf.ledger.entries() if e.event == "rules"]) == 1
    shelf.agree("reference/targets.csv", "indicator_code,target_value\nBED,6\nTAP,95\n")
    shelf.agree("waivers.yml", "waivers:\n  - {check: x, asked_by: Li Wei}\n")
    (shelf.jurisdiction / "contracts/health/beds.yml").unlink()
    (shelf.folder / "expectations" / "more.yml").write_text("table: x\n")
    second = record(shelf)
    found = said_last(shelf)
    assert {name: (change["kind"], change["change"]) for name, change in found.items()} == {
        "reference/targets.csv": ("reference", "changed"),
        "waivers.yml": ("waiver", "changed"),
        "contracts/health/beds.yml": ("contract", "removed"),
        "project/expectations/more.yml": ("expectation", "added"),
    }
    assert found["reference/targets.csv"]["diff"] == [
        " indicator_code,target_value", "@@ -2 +2,2 @@", "-BED,5", "+BED,6", "+TAP,95",
    ]  # fmt: skip
    assert "+  - {check: x, asked_by: Li Wei}" in found["waivers.yml"]["diff"]
    for state in (first, second):
        assert rules.stored(shelf.warehouse, state.snapshot_sha256) == state
    folder = shelf.folder / "then"
    rules.restore(shelf.warehouse, first, folder, shelf.folder / "then-expectations")
    assert (folder / "contracts/health/beds.yml").read_text() == "owner: health office\n"
    assert (folder / "reference/targets.csv").read_text().endswith("BED,5\n")


def test_a_diff_is_bounded_and_carries_no_number_of_a_person(shelf: Shelf) -> None:
    record(shelf)
    lines = "".join(f"  - reason {n} {'x' * 400}\n" for n in range(500))
    shelf.agree("waivers.yml", f"waivers:\n  - 330106199003074218 13800138000 330106001001 a{'0' * 17}1\n{lines}")
    change = said_last(shelf) if record(shelf) else {}
    diff = change["waivers.yml"]["diff"]
    assert len(diff) == rules.DIFF_LINES and max(map(len, diff)) <= rules.LINE_LENGTH + 1
    assert change["waivers.yml"]["diff_note"].endswith("both files are kept whole under their hashes")
    assert "+  - 999999999999999999 99999999999 330106001001 a000000000000000001" in diff


def test_a_rule_file_that_is_not_text_is_told_by_its_hashes(shelf: Shelf) -> None:
    record(shelf)
    (shelf.jurisdiction / "reference" / "targets.csv").write_bytes(b"\xff\xfe\x00")
    record(shelf)
    change = said_last(shelf)["reference/targets.csv"]
    assert change["diff"] == [] and change["before_sha256"] != change["after_sha256"]


def test_rules_whose_kept_bytes_were_changed_are_refused(shelf: Shelf) -> None:
    first = record(shelf)
    path = shelf.warehouse.vault_path(first.files["waivers.yml"])
    path.chmod(0o644)
    path.write_bytes(b"waivers: [anything]\n")
    with pytest.raises(FaultError, match="not those that were kept"):
        rules.restore(shelf.warehouse, first, shelf.folder / "then", shelf.folder / "e")


# -- any two releases ---------------------------------------------------------------------------------------------


def test_two_releases_are_compared_both_ways_in_text_and_on_a_page(shelf: Shelf) -> None:
    import hand_made

    first = shelf.publish("b1").release_id
    shelf.agree("contracts/health/beds.yml", "owner: <b>another</b> office\n")
    p2, _, gone = hand_made.RATES
    revised = ("P1", 2020, "2", "3", 200 / 3, "true", "A", "F", "synthetic")
    second = shelf.publish("b2", [p2, revised, ("P3", 2020, "1", "1", 100.0, "true", "A", "F", "official")]).release_id
    found = release.diff(shelf.warehouse, shelf.ledger, first, second)
    assert found["tables"] == read_json(shelf.warehouse.release_folder(second) / "changes.json")["tables"]
    assert [c["diff"][1:] for c in found["inputs"]] == [["-owner: health office", "+owner: <b>another</b> office"]]
    back = release.diff(shelf.warehouse, shelf.ledger, second, first, limit=None)
    for kind, other in (("added", "removed"), ("removed", "added"), ("revised", "revised")):
        assert found["tables"]["mart_rate"][kind] == back["tables"]["mart_rate"][other] == 1
    card = read_json(shelf.warehouse.release_folder(second) / "release.json")
    page = render_difference(found, card)
    assert "1.000000000" in page and "2.000000000" in page and "contract contracts/health/beds.yml" in page
    assert "&lt;b&gt;another" in page and "<b>another" not in page
    assert not re.search(r"(src|href)=\"(?!#|data:)", page) and "url(" not in page
    assert page.count('<mark class="sample">') >= 2  # beside the figure, and at the head
    assert gone[1] == 2019
    same = release.diff(shelf.warehouse, shelf.ledger, second, second)
    assert same["inputs"] == [] and not any(t["revised"] for t in same["tables"].values())
    with pytest.raises(UsageError, match=r"there is no release 20200101\.9"):
        release.diff(shelf.warehouse, shelf.ledger, "20200101.9", second)


def test_a_withdrawn_release_is_compared_and_says_why_it_was_withdrawn(shelf: Shelf) -> None:
    first, second = shelf.publish("b1").release_id, shelf.publish("b2").release_id
    release.withdraw(shelf.warehouse, shelf.ledger, first, "a column was shifted", "major", "Li Wei")
    found = release.diff(shelf.warehouse, shelf.ledger, first, second)
    assert found["before"]["withdrawn"].endswith("(major): a column was shifted")
    card = read_json(shelf.warehouse.release_folder(second) / "release.json")
    assert "a column was shifted" in render_difference(found, card)
