"""The command line: exit codes, errors in one to three lines or as JSON, and what it says of a warehouse."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import country
import pytest

from pipelines import cli
from pipelines.errors import BlockedError, BusyError, ConfigurationError, FaultError, JunhengError, UsageError
from pipelines.run import as_of_moment
from pipelines.store import Warehouse

BUDGET = "treasury/budget"


@dataclass
class Said:
    """What a command said and how it left."""

    code: int
    out: str
    err: str

    def error(self) -> dict[str, Any]:
        """The error that `--json` prints."""
        return json.loads(self.err)["error"]  # type: ignore[no-any-return]


class Terminal:
    """The command line on the invented country."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        without = [extract for extract in country.DELIVERIES if extract != BUDGET]
        self.country = country.make_country(folder / "verdania", without=without)
        self.warehouse = Warehouse(folder / "warehouse" / "verdania")
        self.monkeypatch, self.capfd = monkeypatch, capfd
        monkeypatch.setenv("JUNHENG_JURISDICTION", str(self.country.folder))
        monkeypatch.setenv("JUNHENG_WAREHOUSE", str(folder / "warehouse"))

    def __call__(self, *arguments: str) -> Said:
        self.monkeypatch.setattr(sys, "argv", ["junheng", *arguments])
        self.capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        captured = self.capfd.readouterr()
        assert "Traceback" not in captured.err
        return Said(int(left.value.code or 0), captured.out, captured.err)

    def refused(self, code: int, *arguments: str) -> dict[str, Any]:
        """The error of a command, the same in text (one to three lines) and in JSON."""
        text = self(*arguments)
        assert (text.code, text.out) == (code, "")
        assert text.err.startswith("junheng: ")
        said = self(*arguments, "--json")
        assert (said.code, said.out) == (code, "")
        error = said.error()
        assert set(error) >= {"code", "message", "where", "do"}
        assert error["message"].splitlines()[0] in text.err
        assert 1 <= len([line for line in text.err.strip().splitlines() if line.strip()]) <= 3
        return error


@pytest.fixture
def junheng(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, monkeypatch, capfd)


# -- errors and exit codes ----------------------------------------------------------------------------------------


def test_each_kind_of_error_has_its_exit_code() -> None:
    assert [e.exit_code for e in (FaultError, UsageError, ConfigurationError, BlockedError, BusyError)] == [
        1,
        2,
        2,
        3,
        4,
    ]


def test_an_error_says_what_where_and_what_to_do() -> None:
    error = ConfigurationError("the level is unknown", where="regions.csv, line 3", do="use realm, shire or parish")
    assert str(error).splitlines() == [
        "the level is unknown",
        "  where: regions.csv, line 3",
        "  do:    use realm, shire or parish",
    ]
    assert error.as_dict() == {
        "error": {
            "code": "configuration",
            "message": "the level is unknown",
            "where": "regions.csv, line 3",
            "do": "use realm, shire or parish",
        }
    }


def test_a_blocked_error_lists_its_checks() -> None:
    error = BlockedError("blocked", failing=["first", "second"], do="mend")
    assert str(error).splitlines() == ["blocked", "  - first", "  - second", "  do:    mend"]
    assert error.as_dict()["error"]["failing"] == ["first", "second"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["run", "--fast"],
        ["rollback"],
        ["query"],
        ["run", "surplus"],
    ],
)
def test_wrong_use_is_exit_code_2(junheng: Terminal, arguments: list[str]) -> None:
    assert junheng.refused(2, *arguments)["code"] == "usage"


def test_help_is_no_error(junheng: Terminal) -> None:
    said = junheng("--help")
    assert (said.code, said.err) == (0, "")
    assert "rollback" in said.out


def test_a_jurisdiction_that_is_not_there_is_exit_code_2(junheng: Terminal) -> None:
    error = junheng.refused(2, "receive", "--jurisdiction", "nowhere")
    assert "no such jurisdiction" in error["message"]


def test_a_mistake_in_a_contract_is_exit_code_2_with_file_and_line(junheng: Terminal) -> None:
    path = junheng.country.write_contract(BUDGET, lambda c: c["layouts"][0]["values"][0].update(unit="ducats"))
    for command in ("receive", "run", "status", "build"):
        error = junheng.refused(2, command)
        assert error["code"] == "configuration"
        assert error["where"].startswith(str(path))
        assert "line" in error["where"]
        assert "ducats" in error["message"]
    assert not junheng.warehouse.current.exists()


def test_an_unknown_extract_is_exit_code_2_and_names_those_that_are_there(junheng: Terminal) -> None:
    for command in ("run", "receive", "rejects"):
        assert BUDGET in junheng.refused(2, command, "--extract", "treasury/bugdet")["do"]


def test_a_file_in_a_folder_without_contract_is_told_and_its_bytes_are_kept(junheng: Terminal) -> None:
    stray = junheng.country.folder / "landing" / "harbour" / "ships" / "2020" / "ships.csv"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"three ships")
    said = junheng("receive")
    assert said.code == 0 and "received 1 new file(s), read 1" in said.out
    for text in (said.err, junheng("rejects").out, junheng("status", "--all").out):
        assert "harbour/ships/2020/ships.csv" in text and "there is no contract harbour/ships" in text
    assert junheng.warehouse.vault_path(hashlib.sha256(b"three ships").hexdigest()).read_bytes() == b"three ships"


def test_nothing_received_is_exit_code_2(junheng: Terminal) -> None:
    junheng.country.landing_path(BUDGET, "2020").unlink()
    assert "no file has been received" in junheng.refused(2, "run")["message"]


def test_a_moment_that_is_none_is_exit_code_2(junheng: Terminal) -> None:
    assert junheng.refused(2, "run", "--as-of", "yesterday")["where"] == "--as-of"


def test_a_warehouse_at_work_is_exit_code_4(junheng: Terminal) -> None:
    with junheng.warehouse.lock():
        for command in ("run", "receive", "build", "judge", "release"):
            assert junheng.refused(4, command)["code"] == "busy"
        assert junheng("status").code == 0  # looking is allowed


def test_a_build_that_was_not_made_cannot_be_judged_or_released(junheng: Terminal) -> None:
    junheng("receive")
    for command in ("judge", "release"):
        assert "junheng build" in junheng.refused(3, command)["do"]


def test_what_was_not_released_cannot_be_asked(junheng: Terminal) -> None:
    for arguments in (["query", "select 1"], ["pages"]):
        assert "nothing has been released yet" in junheng.refused(2, *arguments)["message"]
    assert "no release 20200101.1" in junheng.refused(2, "query", "select 1", "--release", "20200101.1")["message"]
    assert junheng.refused(2, "rollback", "20200101.1")["code"] in ("usage", "configuration")
    assert "no build has been judged" in junheng.refused(2, "quality")["message"]


def test_a_ledger_that_was_tampered_with_is_exit_code_1(junheng: Terminal) -> None:
    junheng("receive")
    path = junheng.warehouse.ledger
    *before, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*before, last.replace(b"treasury", b"treasure", 1)]))
    junheng.country.land(BUDGET, "2020", cells={(1, 1): "1"})
    error = junheng.refused(1, "receive")
    assert "ledger" in error["message"]


def test_a_fault_of_the_program_is_reported_in_the_warehouse(
    junheng: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("no remainder")

    monkeypatch.setattr("pipelines.run.status.status_of", fail)
    error = junheng.refused(1, "status")
    assert "ZeroDivisionError: no remainder" in error["message"]
    report = Path(error["where"])
    assert report.is_relative_to(junheng.warehouse.logs)
    assert "in fail" in report.read_text()


def test_debug_shows_the_traceback(junheng: Terminal, capfd: pytest.CaptureFixture[str]) -> None:
    junheng.monkeypatch.setattr(sys, "argv", ["junheng", "run", "--as-of", "never", "--debug"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    assert "Traceback" in capfd.readouterr().err


def test_a_setting_that_is_none_is_exit_code_2(junheng: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNHENG_THREADS", "many")
    assert junheng.refused(2, "status")["where"] == "JUNHENG_THREADS"


# -- bad files ------------------------------------------------------------------------------------------------------


@dataclass
class Bad:
    """A bad file, what becomes of it, and what is said."""

    data: bytes
    rule: str
    said: str


HEAD = b"Place,2018,2019,2020\n"
BAD_FILES = {
    "an unreadable file": Bad(b"\xff\xfe\x00garbage\x9d", "unreadable", "not utf-8-sig"),
    "a missing column": Bad(b"Spot,2018\nVerdania,1\n", "unreadable", "no row holds the header names Place"),
    "a missing year": Bad(b"Place,Notes\nVerdania,1\n", "unreadable", "missing column(s)"),
    "an empty file": Bad(b"", "unreadable", "the file is empty (0 bytes)"),
    "a file with a header only": Bad(HEAD, "row_count", "0 data rows"),
    "an unknown region": Bad(HEAD + b"Atlantis,1,2,3\nVerdania,4,5,6\n", "unknown_region", "no region has a name"),
    "a number that is none": Bad(HEAD + b"Verdania,1,about 2,3\n", "not_a_number", "not a number"),
    "two numbers in a cell": Bad(HEAD + b"Verdania,1,2 3,3\n", "several_numbers", "more than one number"),
    "a duplicate key": Bad(HEAD + b"Verdania,1,2,3\nVerdania,1,2,4\n", "duplicate_key", "stands 2 times"),
}


@pytest.mark.parametrize("bad", BAD_FILES.values(), ids=BAD_FILES)
def test_nothing_of_a_bad_file_is_lost(junheng: Terminal, bad: Bad) -> None:
    """Its bytes are kept, what is wrong is a reject with its reason, and a person can read both."""
    junheng.country.land(BUDGET, "2020", data=bad.data)
    received = junheng("receive", "--json")
    assert received.code == 0
    (reading,) = json.loads(received.out)["read"]
    (receipt,) = json.loads(received.out)["received"]
    assert junheng.warehouse.vault_path(receipt["sha256"]).read_bytes() == bad.data
    assert (reading["status"] == "unreadable") == (bad.rule == "unreadable")
    rejects = json.loads(junheng("rejects", "--json").out)
    assert bad.rule in {r["rule"] for r in rejects}
    assert bad.said in " ".join(r["detail"] for r in rejects)
    assert all(r["known"] == "" for r in rejects)
    text = junheng("rejects")
    assert text.code == 0
    assert bad.rule in text.out
    status = json.loads(junheng("status", "--json").out)
    (extract,) = status["extracts"]
    assert extract["unreadable"] + extract["rejects"] > 0


# -- what it says -----------------------------------------------------------------------------------------------------


def test_status_of_an_empty_warehouse_says_what_is_waiting(junheng: Terminal) -> None:
    found = json.loads(junheng("status", "--json").out)
    assert (found["release"], found["build"], found["waiting"]) == (None, None, 1)
    assert found["next_run"].endswith("04:30+00:00")
    text = junheng("status").out
    assert "none yet" in text
    assert "1 landed file" in text


def test_status_after_receiving_says_what_is_in(junheng: Terminal) -> None:
    junheng("receive")
    found = json.loads(junheng("status", "--json").out)
    assert found["waiting"] == 0
    (extract,) = found["extracts"]
    assert (extract["extract"], extract["files"], extract["periods"], extract["rejects"]) == (BUDGET, 1, "2020", 0)


def test_what_is_late_is_called_late(junheng: Terminal) -> None:
    levels = [{"property": "frequency", "value": 1, "unit": "y"}, {"property": "latency", "value": 31, "unit": "d"}]
    junheng.country.write_contract(BUDGET, lambda c: c.update(slaProperties=levels))
    junheng("receive")
    found = json.loads(junheng("status", "--json").out)
    (extract,) = found["extracts"]
    assert extract["late"][0] == found["late"][0]["delivery_period"] == "2021"
    assert found["late"][0]["due_on"] == "2022-01-31" and found["late"][0]["owner"] == extract["owner"]


def test_rejects_of_one_delivery(junheng: Terminal) -> None:
    junheng.country.land(BUDGET, "2020", cells={(1, 1): "x"})
    junheng("receive")
    (found,) = json.loads(junheng("rejects", "--extract", BUDGET, "--period", "2020", "--json").out)
    assert (found["row"], found["column"], found["text"]) == (2, "B 2018", "x")
    assert json.loads(junheng("rejects", "--period", "2019", "--json").out) == []
    assert junheng("rejects", "--period", "2019").out == "no rejects\n"


def test_a_file_mended_by_its_department_leaves_no_reject_in_force(junheng: Terminal) -> None:
    junheng.country.land(BUDGET, "2020", cells={(1, 1): "x"})
    junheng("receive")
    junheng.country.land(BUDGET, "2020")
    junheng("receive")
    assert json.loads(junheng("rejects", "--json").out) == []


def test_receive_limited_to_a_period_leaves_the_rest(junheng: Terminal) -> None:
    junheng.country.land(BUDGET, "2021", name="budget.csv", rows=[["Place", "2020"], ["Verdania", "3"]])
    said = json.loads(junheng("receive", "--period", "2021", "--json").out)
    assert [r["delivery_period"] for r in said["received"]] == ["2021"]
    said = json.loads(junheng("receive", "--json").out)
    assert [r["delivery_period"] for r in said["received"]] == ["2020"]


def test_json_is_all_there_is_on_standard_output(junheng: Terminal) -> None:
    said = junheng("receive", "--json")
    assert json.loads(said.out)
    assert said.err == ""


def test_doctor_finds_a_sound_installation(junheng: Terminal) -> None:
    said = junheng("doctor", "--json")
    states = {line["what"]: line["state"] for line in json.loads(said.out)}
    assert said.code == 0
    assert {states[name] for name in ("Python", "duckdb", "dbt-core", "warehouse", "jurisdiction", "ledger")} == {
        "good"
    }


def test_doctor_leaves_with_2_when_something_is_bad(junheng: Terminal) -> None:
    junheng.country.contract_path(BUDGET).write_text("id: nothing\n")
    said = junheng("doctor", "--json")
    assert said.code == 2
    line = next(line for line in json.loads(said.out) if line["what"] == "jurisdiction")
    assert line["state"] == "bad"
    assert line["do"]


# -- moments ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23", "2026-11-23T23:59:59.999999Z"),
        ("2026-11-23T02:00:00", "2026-11-23T02:00:00.000000Z"),
        ("2026-11-23T02:00:00Z", "2026-11-23T02:00:00.000000Z"),
        ("2026-11-23T02:00:00+08:00", "2026-11-22T18:00:00.000000Z"),
        ("2026-11-23T02:00", "2026-11-23T02:00:00.000000Z"),
    ],
)
def test_a_moment_is_utc_and_a_bare_date_means_its_end(text: str, moment: str) -> None:
    assert as_of_moment(text) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "23.11.2026", "20261123T99"])
def test_text_that_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as error:
        as_of_moment(text)
    assert error.value.where == "--as-of"
    assert isinstance(error.value, JunhengError)
