"""One file that ends its reader is an unreadable file with its reason: everything else goes on, tonight and later."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import corpus
import intake_kit as kit
import poison
import polars as pl
import pytest
from test_person_level import Desk as Register
from test_person_level import desk as register_with_key
from test_person_level import line

from pipelines import cli, intake, worker
from pipelines.errors import ConfigurationError, UnreadableFileError
from pipelines.records import Reading
from pipelines.run.status import rejects_of, status_of
from pipelines.run.trial import check_file, sniff_file
from pipelines.settings import WorkLimits

register = register_with_key  # a fixture of that module

LITTLE = WorkLimits(memory="600MB", seconds=20)
GOOD = [["Place", "Heads"], ["Ash", "1"]]


class Desk(kit.Desk):
    """A desk that sends workbooks, read by a process with little memory."""

    def __init__(self, folder: Path, kind: str = "xlsx", **layout: Any) -> None:
        super().__init__(folder, {"format": {"kind": kind}, **layout}, files=["*"])
        self.limit(LITTLE)

    def limit(self, limits: WorkLimits) -> None:
        self.settings = replace(self.settings, work_limits=limits)

    def land_good(self, name: str) -> None:
        self.land(corpus.workbook({"Data": GOOD}), name=name)

    def outcome(self) -> dict[str, str]:
        """What became of each file that is in force."""
        receipts = {r.receipt_id: r.file_name for r in self.taken.receipts}
        return {receipts[r.receipt_id]: r.problem or r.status for r in self.taken.readings}

    def reading(self, name: str) -> Reading:
        (receipt,) = (r for r in self.taken.receipts if r.file_name == name)
        return next(r for r in self.taken.readings if r.receipt_id == receipt.receipt_id)


MEMORY = "it needs more than 600MB of memory (look for a stray cell"
BOMBS = {
    "a far cell between near ones": poison.far_cell(),
    "a far cell whose address is written with blanks": poison.far_cell(
        poison.NEAR.replace("</row>", "</row>" + poison.FAR.replace("r=", "r = "), 1)
    ),
    "a far cell in a sheet that lies elsewhere": poison.far_cell(poison.NEAR + poison.FAR, "odd/page.bin"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_workbook_that_asks_for_all_memory_is_one_unreadable_file(tmp_path: Path, name: str) -> None:
    assert len(BOMBS[name]) < 2_500
    desk = Desk(tmp_path)
    desk.land_good("before.xlsx")
    desk.land(BOMBS[name], name="bomb.xlsx")
    desk.land(corpus.workbook({"Data": [["Place", "Heads"], ["Aspen", "2"]]}), name="later.xlsx")
    desk.take_in()
    outcome = desk.outcome()
    assert outcome.pop("bomb.xlsx").startswith(MEMORY)
    assert outcome == {"before.xlsx": "read", "later.xlsx": "read"}
    assert any("cannot read desk/file/2020/bomb.xlsx: it needs more" in line for line in desk.said)
    (reject,) = rejects_of(desk.settings, None, None)
    assert (reject["file"], reject["rule"]) == ("bomb.xlsx", "unreadable")
    assert reject["detail"].startswith(MEMORY)
    (extract,) = status_of(desk.settings)["extracts"]
    assert (extract["files"], extract["unreadable"]) == (3, 1)


def test_it_is_not_tried_again_every_night_but_when_the_limits_or_the_contract_change(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.land(poison.far_cell(), name="bomb.xlsx")
    first = desk.take_in().new_readings
    assert [r.status for r in first] == ["unreadable"]
    assert desk.take_in().new_readings == []
    desk.limit(replace(LITTLE, memory="700MB"))
    second = desk.take_in().new_readings
    assert [r.problem[:32] for r in second] == ["it needs more than 700MB of memo"]
    assert desk.take_in().new_readings == []
    desk.agree({"format": {"kind": "xlsx"}, "tokens": {"-": "missing"}}, files=["*"])
    third = desk.take_in().new_readings
    assert len({r.reading_id for r in (*first, *second, *third)}) == 3
    desk.limit(LITTLE)  # as they were, but under the new contract it was not tried with them
    assert len(desk.take_in().new_readings) == 1


def test_a_file_that_the_limits_stopped_is_read_once_they_allow_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, kind="csv")
    desk.limit(WorkLimits(seconds=1, seconds_per_megabyte=0, patience=100))
    desk.land([["Place", "Heads"], ["Ash", "1"], *[["", ""]] * 1_500_000, ["Aspen", "2"]], name="long.csv")
    desk.land(GOOD, period="2019")
    desk.take_in()
    assert desk.outcome()["long.csv"].startswith("it takes more than 1 s of the processor (look for a pattern")
    assert desk.outcome()["file.csv"] == "read"
    stopped = desk.reading("long.csv")
    desk.limit(WorkLimits())
    (again,) = desk.take_in().new_readings
    assert (again.status, again.receipt_id) == ("read", stopped.receipt_id)
    assert again.reading_id != stopped.reading_id  # a build of the one is no build of the other
    desk.limit(WorkLimits(seconds=1, seconds_per_megabyte=0))
    assert desk.take_in().new_readings == []  # what was read stays read


def test_sixty_million_empty_lines_end_with_a_reason(tmp_path: Path) -> None:
    desk = Desk(tmp_path, kind="csv")
    desk.land(b"\n" * 60_000_000, name="empty.csv")
    desk.land(GOOD, name="good.csv")
    desk.take_in()
    assert desk.outcome()["good.csv"] == "read"
    assert desk.outcome()["empty.csv"] not in ("", "read")


def test_a_pattern_that_tries_too_many_ways_stops_in_bounded_time(tmp_path: Path) -> None:
    # No repetition inside another, so the contract may have it: still some texts would keep it busy for years.
    pattern = {"reason": "note", "column": "Place", "pattern": "^" + "a*" * 9 + "b$"}
    desk = Desk(tmp_path, kind="csv", ignore_rows=[pattern])
    desk.limit(WorkLimits(seconds=2, patience=100))
    desk.land([["Place", "Heads"], ["a" * 500, "1"]])
    desk.land(GOOD, period="2019")
    desk.take_in()
    outcome = {r.delivery_period: r.problem or r.status for r in desk.taken.readings}
    assert outcome.pop("2020").startswith("it takes more than 2 s of the processor")
    assert outcome == {"2019": "read"}


# -- a reader that is ended from outside ----------------------------------------------------------------------------


@pytest.fixture
def kills(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, str], None]:
    """Ends the process as many times as told, each time that it is to read a file of that name."""
    do, left, named = worker.Worker._do, [0], [""]

    def killing(self: Any, function: Any, arguments: tuple[Any, ...], seconds: int) -> Any:
        if left[0] and any(getattr(argument, "file_name", "") == named[0] for argument in arguments):
            left[0] -= 1
            os.kill(self._process._popen.pid, signal.SIGKILL)
        return do(self, function, arguments, seconds)

    def times(count: int, name: str) -> None:
        left[0], named[0] = count, name

    monkeypatch.setattr(worker.Worker, "_do", killing)
    return times


def test_a_reader_that_was_ended_once_says_nothing_of_the_file(tmp_path: Path, kills: Any) -> None:
    desk = Desk(tmp_path)
    desk.land_good("good.xlsx")
    kills(1, "good.xlsx")
    desk.take_in()
    assert desk.outcome() == {"good.xlsx": "read"}


def test_a_file_whose_reader_ends_each_time_is_unreadable_and_the_next_is_read(tmp_path: Path, kills: Any) -> None:
    desk = Desk(tmp_path)
    desk.land_good("deadly.xlsx")
    desk.land(corpus.workbook({"Data": [["Place", "Heads"], ["Aspen", "2"]]}), name="good.xlsx")
    kills(2, "deadly.xlsx")
    desk.take_in()
    assert desk.outcome()["deadly.xlsx"].startswith("its reader was ended by SIGKILL (open it")
    assert desk.outcome()["good.xlsx"] == "read"
    assert desk.take_in().new_readings == []
    again = desk.take_in(again=lambda receipt: receipt.file_name == "deadly.xlsx")  # as `backfill --only-failed` does
    assert [r.status for r in again.new_readings] == ["read"]


def test_records_of_persons_whose_reader_ends_leave_nothing_behind(register: Register, kills: Any) -> None:
    kills(2, "register.csv")
    reading = register.read([line(1), line(2)])
    assert reading.status == "unreadable"
    folder = register.warehouse.folder / reading.folder
    assert sorted(path.name for path in folder.iterdir()) == [
        "accepted.parquet", "ignored.parquet", "reading.json", "rejects.parquet",
    ]  # fmt: skip
    assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == [folder.name]
    kills(0, "")
    (again,) = register.session.take_in(again=lambda _: True).new_readings
    assert again.status == "read" and register.records(again).height == 2


def test_what_a_broken_off_run_left_is_removed(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.land_good("good.xlsx")
    desk.take_in()
    left = desk.session.warehouse.readings / "desk" / "file" / ".0123456789abcdef.part"
    left.mkdir()
    (left / "accepted.parquet").write_bytes(b"half")
    desk.take_in()
    assert not left.exists()


# -- readings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_readings_are_for_their_owner_only_whatever_the_mask(tmp_path: Path, umask: int) -> None:
    desk = Desk(tmp_path)
    desk.land_good("good.xlsx")
    desk.land(poison.far_cell(), name="bomb.xlsx")
    before = os.umask(umask)
    try:
        desk.take_in()
    finally:
        os.umask(before)
    readings = desk.session.warehouse.readings
    for path in (readings, *readings.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_file_read_again_replaces_its_reading_as_a_whole(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.land_good("good.xlsx")
    (first,) = desk.take_in().readings
    stray = desk.session.warehouse.folder / first.folder / "stray"
    stray.touch()
    (second,) = desk.take_in(again=lambda _: True).readings
    assert second.reading_id == first.reading_id and not stray.exists()
    assert pl.read_parquet(desk.session.warehouse.folder / second.folder / "accepted.parquet").height == 1
    assert intake.earlier_reading(desk.taken.receipts[0], second, desk.session.warehouse) is None


# -- trying a file ----------------------------------------------------------------------------------------------------


def test_trying_a_file_has_the_same_limits(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(poison.far_cell())
    for attempt in (
        lambda: check_file(desk.settings, path, "desk/file", "2020"),
        lambda: sniff_file(desk.settings, path, write=True),
    ):
        with pytest.raises(UnreadableFileError, match="it needs more than 600MB of memory") as error:
            attempt()
        assert error.value.where == str(path)
    assert sorted(p.name for p in (desk.folder / "contracts").rglob("*.yml")) == ["file.yml"]


def test_the_commands_leave_with_3_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(tmp_path)
    path = desk.land(poison.far_cell(), name="bomb.xlsx")
    desk.land_good("good.xlsx")
    monkeypatch.setenv("JUNHENG_READ_MEMORY", "600MB")
    options = ["--jurisdiction", str(desk.folder), "--warehouse", str(tmp_path / "other"), "--json"]

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["junheng", *arguments, *options])
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capfd.readouterr()
        assert "Traceback" not in said.err
        return int(left.value.code or 0), said.out, said.err

    code, _, said = command("check", str(path), "--contract", "desk/file")
    assert code == 3 and "600MB" in json.loads(said)["error"]["message"]
    code, _, said = command("sniff", str(path))
    assert code == 3 and json.loads(said)["error"]["where"] == str(path)
    code, out, _ = command("receive")
    assert code == 0 and [r["status"] for r in json.loads(out)["read"]] == ["unreadable", "read"]
    code, _, said = command("check", str(tmp_path / "none.xlsx"), "--contract", "desk/file")
    assert code == 2 and "no such file" in said


@pytest.mark.parametrize("text", ["0GB", "4", "much", "4 TB", "-1GB", "٤GB"])
def test_limits_that_are_none_are_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.settings import Settings

    monkeypatch.setenv("JUNHENG_READ_MEMORY", text)
    with pytest.raises(ConfigurationError) as error:
        Settings.from_environment(tmp_path)
    assert error.value.where == "JUNHENG_READ_MEMORY"
    monkeypatch.setenv("JUNHENG_READ_MEMORY", "500 MB")
    assert Settings.from_environment(tmp_path).work_limits.memory_bytes == 500_000_000
    monkeypatch.setenv("JUNHENG_READ_SECONDS", text)
    if text != "4":
        with pytest.raises(ConfigurationError):
            Settings.from_environment(tmp_path)
