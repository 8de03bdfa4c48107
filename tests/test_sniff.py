"""An unknown file gets a contract that reads it; a person corrects names, not the way to the figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import corpus
import country
import intake_kit as kit
import polars as pl
import pytest
import yaml

from pipelines.errors import JunhengError, UsageError
from pipelines.intake.sniffing import Grounds, as_trial, propose
from pipelines.intake.sniffing.values import parts_of_header
from pipelines.jurisdiction import load
from pipelines.jurisdiction.contract_checks import check_contract
from pipelines.run.sketch import for_trial
from pipelines.run.trial import check_file, period_of, read_once, sniff_file
from pipelines.settings import PROJECT_FOLDER, Settings

ZHEJIANG = PROJECT_FOLDER / "raw" / "zhejiang"


def settings(jurisdiction: Path, tmp_path: Path) -> Settings:
    return Settings.from_environment(jurisdiction, tmp_path / "warehouse")


def grounds() -> Grounds:
    """What is known of the invented country."""
    there = kit.jurisdiction()
    return Grounds({n: u.base for n, u in there.units.items()}, there.regions, there.reference_tables()["measure"])


def sniffed(data: bytes, file_name: str) -> tuple[Any, Any]:
    """The proposal for a file of the invented country, and what it reads."""
    proposal = propose(data, file_name, grounds(), "desk/unknown")
    contract = as_trial(proposal.text)
    return proposal, read_once(data, file_name, contract, for_trial(kit.jurisdiction(), contract), "2020")


@pytest.mark.parametrize("case", [c for c in corpus.cases() if c.sniffed], ids=lambda case: case.name)
def test_the_proposed_contract_reads_the_same_figures(case: corpus.Case) -> None:
    proposal, taken = sniffed(case.data, case.file_name)
    assert not taken.problem, (taken.problem, proposal.text)

    def by_region(pairs: Any) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for region, value in pairs:
            found.setdefault(region, []).append("" if value is None else f"{float(value):.6f}")
        return {region: sorted(values) for region, values in found.items()}

    expected = by_region((key if isinstance(key, str) else key[0], value) for key, value in case.values.items())
    assert by_region(taken.accepted.select("region_code", "value").iter_rows()) == expected, proposal.text
    assert taken.rejects.height == len(case.rejects)


@pytest.mark.parametrize("case", [c for c in corpus.cases() if c.sniffed], ids=lambda case: case.name)
def test_every_guess_says_why(case: corpus.Case) -> None:
    text = sniffed(case.data, case.file_name)[0].text
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.strip().startswith(("format:", "header:", "region:", "values:", "data:", "ignore_rows:", "marks:")):
            assert "#" in line or lines[number - 1].strip().startswith("#"), line
        if line.strip().startswith(("period:", "- {column", "- {columns")):
            assert "#" in line or lines[number - 1].strip().startswith("#"), line


# -- real files ---------------------------------------------------------------------------------------------------


def assert_it_reads(path: Path, tmp_path: Path, least_share: float) -> dict[str, Any]:
    """Sniff a file, write the contract beside a copy of Zhejiang, load it, check the same file by it."""
    there = tmp_path / "zhejiang"
    for name in ("jurisdiction.yml", "reference"):
        source = ZHEJIANG / name
        if source.is_dir():
            (there / name).mkdir(parents=True)
            for file in source.glob("*.csv"):
                (there / name / file.name).write_bytes(file.read_bytes())
        else:
            (there / name).parent.mkdir(parents=True, exist_ok=True)
            (there / name).write_bytes(source.read_bytes())
    options = settings(there, tmp_path)
    found = sniff_file(options, path, write=True, department="desk", extract="unknown")
    assert (there / "contracts/desk/unknown.yml").exists()
    jurisdiction = load(there)  # the contract model takes it, with its new measures and units
    contract = jurisdiction.contracts["desk/unknown"]
    assert contract.status == "proposed"
    units = {name: unit.base for name, unit in jurisdiction.units.items()}
    measures = dict(jurisdiction.reference_tables()["measure"].select("measure", "unit").iter_rows())
    check_contract(contract, there / "contracts/desk/unknown.yml", units, measures)
    checked = check_file(options, path, "desk/unknown", found["period"])
    assert checked["readable"], checked["problem"]
    assert all(account["holds"] for account in checked["tie_out"])
    assert checked["observations"] == found["observations"] > 0
    values = sum(a["values_read"] - a["values_dropped"] for a in checked["tie_out"])
    assert checked["observations"] >= least_share * values, checked["rejects_by_rule"]
    assert not (tmp_path / "warehouse").exists()
    return checked


LANDED = sorted(p.relative_to(ZHEJIANG) for p in ZHEJIANG.glob("landing/*/*/*/*"))
# One delivery of each extract; records of persons are no table of regions.
FIRST = sorted({p.parts[1:3]: p for p in LANDED if not (ZHEJIANG / p).name.startswith(".")}.values())
PERSONS = {c.id for c in load(ZHEJIANG).contracts.values() if c.records is not None}


@pytest.mark.parametrize("path", [p for p in FIRST if "/".join(p.parts[1:3]) not in PERSONS], ids=str)
def test_each_landed_extract_of_zhejiang_is_read_by_its_proposal(path: Path, tmp_path: Path) -> None:
    checked = assert_it_reads(ZHEJIANG / path, tmp_path, 0.99)
    accepted = sum(a["rows_accepted"] for a in checked["tie_out"])
    lost = sum(a["rows_rejected"] + a["rows_duplicate"] for a in checked["tie_out"])
    assert lost <= accepted * 0.02, checked["rejects_by_rule"]


SHARED = {
    "nbs/gdp_vintage_a_gb18030.csv": 0.99,
    "nbs/general_budget_expenditure_utf8bom_tabs.csv": 0.99,
    "nbs/general_budget_stacked_blocks.xls": 0.99,
    "nbs/provincial_annual.xls": 0.99,
    "nbs/resident_population_gb18030.csv": 0.99,
    "nbs/sample_population_gb18030.csv": 0.99,
    "nbs/transposed_quoted.csv": 0.99,
    "census/zhejiang_census2010_county.csv": 0.99,
    "census/zhejiang_census2020_county.csv": 0.99,
    "census/census_county_2010_v1.xlsx": 0.99,
    "census/census_county_2020_v1.xlsx": 0.99,
}


@pytest.mark.parametrize("name", SHARED)
def test_each_real_file_is_read_by_its_proposal(name: str, tmp_path: Path) -> None:
    path = kit.shared_data() / name
    if not path.exists():
        pytest.skip("the folder of real files is not beside the repository")
    checked = assert_it_reads(path, tmp_path, SHARED[name])
    if name.startswith("nbs/"):
        assert {f["region_code"] for f in checked["first"]}
        assert sum(a["rows_rejected"] for a in checked["tie_out"]) == 0


def test_a_file_that_names_no_region_gets_no_contract() -> None:
    with pytest.raises(JunhengError, match="no column holds names or codes"):
        sniffed(corpus.text([["Item", "2019"], ["Roads", "1"], ["Schools", "2"]]), "file.csv")


@pytest.mark.parametrize("data", [b"", b"\0\1\2", b"PK\3\4rubbish", b"\x1f\x8brubbish", b"PAR1", b"a,b\n", b"{}\n"])
def test_bytes_that_are_no_table_get_no_contract(data: bytes) -> None:
    with pytest.raises(JunhengError):
        sniffed(data, "file.csv")


# -- what is guessed ------------------------------------------------------------------------------------------------


def layout(rows: list[list[Any]], file_name: str = "file.csv") -> dict[str, Any]:
    proposal, taken = sniffed(corpus.text(rows), file_name)
    assert not taken.problem, taken.problem
    return dict(yaml.safe_load(proposal.text)["layouts"][0])


def test_tokens_marks_and_totals_are_found() -> None:
    rows = [["Place", "Heads"], ["Ash", "12p"], ["Aspen", ".."], ["Beech", "[c]"], ["Verdania", "5"], ["Total", "9"]]
    found = layout(rows)
    assert found["tokens"] == {"..": "missing", "[c]": "suppressed"}
    assert found["marks"] == {"p": "provisional"}
    assert found["ignore_rows"] == [{"reason": "total", "column": "Place", "pattern": "^(Total)$"}]


def test_a_known_measure_is_used_and_an_unknown_one_proposed() -> None:
    proposal, _ = sniffed(
        corpus.text([["Place", "heads", "Cats kept"], ["Ash", "1", "2"], ["Beech", "3", "4"]]), "f.csv"
    )
    values = yaml.safe_load(proposal.text)["layouts"][0]["values"]
    assert [v["measure"] for v in values] == ["heads", "cats_kept"]
    assert [m["measure"] for m in proposal.measures] == ["cats_kept"]


def test_codes_that_lost_their_zeros_are_told() -> None:
    regions = kit.jurisdiction().regions.head(2).with_columns(pl.Series("region_code", ["01100", "02100"]))
    grounds = Grounds({"persons": "persons"}, regions, kit.jurisdiction().reference_tables()["measure"])
    rows = [["Code", "Heads"], ["1100", "7"], ["2100", "8"]]
    proposal = propose(corpus.text(rows), "f.csv", grounds, "desk/file")
    assert yaml.safe_load(proposal.text)["layouts"][0]["region"] == {"code": "Code", "code_length": 5}


def test_what_a_header_says_beside_its_subject() -> None:
    assert parts_of_header("Pupils, female") == ("Pupils", {"sex": "female"}, True)
    assert parts_of_header("5-9岁(男)")[1:] == ({"sex": "male", "age_group": "5-9"}, True)
    assert parts_of_header("85岁及以上(女)")[1:] == ({"sex": "female", "age_group": "85+"}, True)
    assert parts_of_header("随迁子女在校生数") == ("随迁子女在校生数", {}, True)
    assert parts_of_header("男女合计")[1] == {}


def test_a_word_inside_another_text_is_only_a_hint() -> None:
    assert parts_of_header("城镇人口") == ("人口", {"residence": "urban"}, False)
    assert not parts_of_header("Schools for girls")[2]
    assert not parts_of_header("Men-only wards")[2]
    assert parts_of_header("male_pupils")[:2] == ("male_pupils", {})
    assert parts_of_header("Pupils - male")[1:] == ({"sex": "male"}, True)
    assert parts_of_header("Expenditure (total of lines 699 + 711)")[1] == {}
    found = layout([["Place", "Schools for girls"], ["Ash", "4"], ["Beech", "7"]])
    assert found["values"][0]["sex"] == "?"


def test_the_delivery_period_is_told_from_folder_or_name(tmp_path: Path) -> None:
    assert period_of(Path("/x/landing/desk/file/2019/a.csv")) == "2019"
    assert period_of(tmp_path / "heads_2018_2019.csv") == "2019"
    assert period_of(tmp_path / "heads.csv") is None


# -- the commands ---------------------------------------------------------------------------------------------------


@pytest.fixture
def verdania(tmp_path: Path) -> country.Country:
    return country.make_country(tmp_path / "verdania", landed=False)


def test_written_contracts_are_tried_at_once_and_never_overwrite(verdania: country.Country, tmp_path: Path) -> None:
    path = tmp_path / "cats_2020.csv"
    path.write_bytes(corpus.text([["Place", "Cats (thousand)"], ["Ash", "1"], ["Aspen", "x"], ["Beech", "many"]]))
    options = settings(verdania.folder, tmp_path)
    files = {p: p.read_bytes() for p in verdania.folder.rglob("*") if p.is_file()}
    before = sniff_file(options, path, department="desk", extract="cats")
    assert before["written"] == []
    assert not verdania.contract_path("desk/cats").exists()
    found = sniff_file(options, path, write=True, department="desk", extract="cats")
    assert found["written"] == [str(verdania.contract_path("desk/cats"))]
    assert {p: p.read_bytes() for p in files} == files, "only the contract is written"
    checked = check_file(options, path, "desk/cats")
    assert (checked["period"], checked["observations"], checked["rejects"]) == ("2020", 2, 1)
    assert checked["rejects_by_rule"][0]["examples"][0]["reported_text"] == "many"
    assert checked["measures_to_add"] == ["cats"]
    with pytest.raises(UsageError, match="exists already"):
        sniff_file(options, path, write=True, department="desk", extract="cats")


def test_a_contract_is_tried_before_it_lies_in_the_jurisdiction(verdania: country.Country, tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(corpus.text([["Place", "2019"], ["Verdania", "5"]]))
    draft = tmp_path / "drafts" / "treasury" / "budget.yml"
    draft.parent.mkdir(parents=True)
    draft.write_bytes(verdania.contract_path("treasury/budget").read_bytes())
    found = check_file(settings(verdania.folder, tmp_path), path, str(draft), "2020")
    assert found["first"][0]["value"] == "5000000"


def test_check_says_why_a_file_cannot_be_read_and_that_its_name_fits_no_contract(
    verdania: country.Country, tmp_path: Path
) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(corpus.text([["Where", "2019"], ["Verdania", "5"]]))
    found = check_file(settings(verdania.folder, tmp_path), path, "treasury/budget", "2020")
    assert not found["readable"]
    assert "no row holds the header names Place" in found["problem"]
    assert found["findings"][0]["check"] == "file_name"


def test_the_commands_print_and_leave_with_their_codes(
    verdania: country.Country, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipelines import cli

    path = tmp_path / "file.csv"
    path.write_bytes(corpus.text([["Place", "2019"], ["Verdania", "5"], ["Nowhere", "6"], ["Birch", "1"]]))

    def junheng(*arguments: str) -> tuple[int, str, str]:
        common = ["--jurisdiction", str(verdania.folder), "--warehouse", str(tmp_path / "warehouse")]
        monkeypatch.setattr("sys.argv", ["junheng", *arguments, *common])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out = capsys.readouterr()
        return int(left.value.code or 0), out.out, out.err

    code, out, _ = junheng("check", str(path), "--contract", "treasury/budget", "--period", "2020")
    assert code == 0
    assert "2 figures accepted, 1 reject(s)" in out
    assert "row 3: Nowhere | 6" in out
    code, out, _ = junheng("check", str(path), "--contract", "treasury/budget", "--period", "2020", "--json")
    assert json.loads(out)["tie_out"][0]["holds"] is True
    assert junheng("check", str(path), "--contract", "no/such", "--period", "2020")[0] == 2
    code, out, _ = junheng("check", str(path), "--contract", "treasury/functions", "--period", "2020")
    assert code == 3
    assert "cannot be read by treasury/functions" in out
    code, out, _ = junheng("sniff", str(path), "--department", "desk")
    assert code == 0
    assert yaml.safe_load(out)["id"] == "desk/file"  # what is printed is itself the contract
    assert not (tmp_path / "warehouse").exists()
