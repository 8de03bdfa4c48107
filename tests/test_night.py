"""Nights through the command line without dbt: logs of runs, alerts, backfill and the status screen."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from local_servers import Web, web_server
from rich.cells import cell_len
from test_command_line import BUDGET, Terminal

from pipelines import run as runs
from pipelines.records import Build, Verdict
from pipelines.run.journal import Journal, last_runs, runs_folder
from pipelines.run.status import _missed_run, moment_of
from pipelines.run.watching import STUCK_AFTER, watch
from pipelines.settings import Settings

LATE_SINCE_2022 = [
    {"property": "frequency", "value": 1, "unit": "y"},
    {"property": "latency", "value": 31, "unit": "d"},
    {"property": "endOfSupport", "value": "2021"},
]


@pytest.fixture
def junheng(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Terminal:
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path, monkeypatch, capfd)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with web_server() as server:
        yield server


class Outcome:
    """What building, judging and releasing come to, so that a night takes no longer than reading."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.blocking: list[str] = []
        self.fault: BaseException | None = None
        monkeypatch.setattr(runs, "complete", self)
        monkeypatch.setattr("pipelines.run.backfill.complete", self)
        monkeypatch.setattr("pipelines.transform.warm_up", lambda *_: None)  # nothing will be built

    def __call__(self, session: Any, taken: Any, **_: Any) -> runs.RunReport:
        identity = session.identity(taken)
        if self.fault is not None:
            raise self.fault
        if self.blocking:
            verdict = Verdict(
                build_id=identity.build_id, outcome="blocked", judged_at="2026-01-01T00:00:00Z", valid_until=None,
                passed=1, failed=len(self.blocking), errors=0, warnings=0, not_applicable=0, blocking=self.blocking,
                results_sha256="", database_sha256="",
            )  # fmt: skip
            folder = session.warehouse.build_folder(identity.build_id)
            folder.mkdir(parents=True, exist_ok=True)
            checks = [
                {"check_id": c, "owner": "treasury", "observed": "3 rows", "locations": "row 7: Jane Doe"}
                for c in self.blocking
            ]
            (folder / "checks.json").write_text(json.dumps(checks), encoding="utf-8")
            build = Build.from_dict({**identity.as_dict(), "folder": str(folder)})
            raise runs.blocked(session, build, verdict)
        return runs.RunReport("nothing_new", session.jurisdiction.key, identity.build_id)


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch) -> Outcome:
    return Outcome(monkeypatch)


def configure(folder: Path, *channels: dict[str, Any], **more: Any) -> None:
    (folder / "junheng.yml").write_text(yaml.safe_dump({"alerts": list(channels), **more}), encoding="utf-8")


def told(junheng: Terminal) -> list[tuple[str, str]]:
    path = junheng.warehouse.logs / "alerts.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    return [(line["event"], line["phase"]) for line in lines]


def newest_log(junheng: Terminal) -> list[dict[str, Any]]:
    path = Path(last_runs(junheng.warehouse, 1)[0]["log"])
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# -- what time alone makes a finding -----------------------------------------------------------------------------------


def test_a_night_with_nothing_new_reports_what_is_late_once_and_when_it_has_come(
    junheng: Terminal, outcome: Outcome
) -> None:
    junheng.country.write_contract(BUDGET, lambda c: c.update(slaProperties=LATE_SINCE_2022))
    said = junheng("run")
    assert said.code == 0
    assert re.search(r"late: treasury/budget 2021, due 2022-01-31, \S", said.out)
    report = json.loads(junheng("run", "--json").out)
    assert [(due["extract"], due["delivery_period"]) for due in report["late"]] == [("budget", "2021")]
    assert report["alerts"] == [] and told(junheng) == [("late", "new")], "the second night says it, and alerts nobody"
    junheng.country.land(BUDGET, "2021", name="budget.csv", rows=[["Place", "2021"], ["Verdania", "300"]])
    assert json.loads(junheng("run", "--json").out)["late"] == []
    assert told(junheng) == [("late", "new"), ("late", "resolved")]


# -- alerts of a run ---------------------------------------------------------------------------------------------------


def test_a_blocked_gate_is_told_with_its_checks_and_owners_but_without_a_cell(
    junheng: Terminal, outcome: Outcome, web: Web, tmp_path: Path
) -> None:
    configure(tmp_path, {"kind": "webhook", "url": web.url})
    outcome.blocking = ["expectation.t.a"]
    assert junheng("run").code == 3
    assert junheng("run").code == 3
    outcome.blocking = ["expectation.t.a", "expectation.t.b"]
    assert junheng("run").code == 3
    outcome.blocking = []
    assert junheng("run").code == 0
    found = [(a["event"], a["phase"]) for body in web.bodies for a in body["alerts"]]
    assert found == [("blocked", "new"), ("blocked", "changed"), ("blocked", "resolved")]
    (alert,) = web.bodies[0]["alerts"]
    assert alert["owner"] == "treasury" and alert["details"]["checks"] == [
        {"check_id": "expectation.t.a", "subject": "", "owner": "treasury", "observed": "3 rows"}
    ]
    assert "Jane Doe" not in json.dumps(web.bodies) + "".join(
        p.read_text() for p in junheng.warehouse.logs.rglob("*.json*")
    )


def test_a_run_that_fails_is_told_every_time_and_once_more_when_it_goes_well(
    junheng: Terminal, outcome: Outcome
) -> None:
    good = junheng.country.contract_path(BUDGET).read_text(encoding="utf-8")
    junheng.country.contract_path(BUDGET).write_text("id: nothing\n", encoding="utf-8")
    assert (junheng("run").code, junheng("run").code) == (2, 2)
    junheng.country.contract_path(BUDGET).write_text(good, encoding="utf-8")
    outcome.fault = ZeroDivisionError("the pupil Jane Doe")
    assert junheng("run").code == 1
    outcome.fault = None
    assert junheng("run").code == 0
    assert told(junheng) == [("failed", "new"), ("failed", "changed"), ("failed", "changed"), ("failed", "resolved")]
    logs = "".join(p.read_text(encoding="utf-8") for p in junheng.warehouse.logs.rglob("*.jsonl"))
    assert "ZeroDivisionError" in logs and "Jane Doe" not in logs, "a fault's own text may quote a cell"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["run", "--extract", "no/thing"], 2),
        (["run", "--period", "2020..2010"], 2),
        (["run", "--as-of", "2020-01-01"], 0),
    ],
)
def test_what_a_person_asked_wrongly_or_looks_into_is_told_nobody(
    junheng: Terminal, outcome: Outcome, arguments: list[str], code: int
) -> None:
    junheng.country.write_contract(BUDGET, lambda c: c.update(slaProperties=LATE_SINCE_2022))
    assert junheng(*arguments).code == code
    assert told(junheng) == []


def test_a_channel_that_fails_hides_neither_the_result_nor_itself(
    junheng: Terminal, outcome: Outcome, web: Web, tmp_path: Path
) -> None:
    junheng.country.write_contract(BUDGET, lambda c: c.update(slaProperties=LATE_SINCE_2022))
    web.answers = [404]
    configure(tmp_path, {"kind": "webhook", "url": web.url}, {"kind": "file"})
    said = junheng("run")
    assert said.code == 0 and "late: treasury/budget" in said.out
    assert "the alert channel webhook did not work: the webhook answered 404" in said.err
    outcome.blocking = ["expectation.t.a"]
    said = junheng("run", "--json")
    assert said.code == 3 and said.error()["failing"][0].startswith("expectation.t.a")
    found = json.loads(junheng("status", "--json").out)
    assert found["runs"][0]["alert_problems"] == ["webhook"]
    assert [c["failing_since"] is not None for c in found["alerts"]] == [True, False]


def test_a_mistake_in_the_settings_file_stops_a_run_before_anything_is_done(
    junheng: Terminal, outcome: Outcome, tmp_path: Path
) -> None:
    configure(tmp_path, {"kind": "pigeon"})
    assert junheng("run", "--json").error()["where"].endswith("junheng.yml")
    assert not junheng.warehouse.receipts.exists()


def test_a_folder_in_the_way_of_the_logs_stops_no_run(junheng: Terminal, outcome: Outcome) -> None:
    junheng.warehouse.folder.mkdir(parents=True)
    junheng.warehouse.logs.write_text("in the way")
    said = junheng("run")
    assert said.code == 0 and "the run's log cannot be written" in said.err


def test_a_run_that_holds_the_warehouse_for_hours_is_told_and_a_short_one_is_not(
    junheng: Terminal, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    with junheng.warehouse.lock():
        assert junheng("run").code == 4
        assert told(junheng) == []
        monkeypatch.setattr("pipelines.run.watching.STUCK_AFTER", -STUCK_AFTER)
        assert (junheng("run").code, junheng("run").code) == (4, 4)
        assert told(junheng) == [("failed", "new")]
    assert junheng("run").code == 0
    assert told(junheng)[1:] == [("failed", "resolved")]


def test_a_run_whose_process_is_gone_is_told_by_the_next(junheng: Terminal, outcome: Outcome) -> None:
    journal = Journal.open(junheng.warehouse, door="run", asked={})
    text = journal.path.read_text(encoding="utf-8")
    journal.path.write_text(text.replace(f'"process": {os.getpid()}', '"process": 99999999'), encoding="utf-8")
    assert json.loads(junheng("status", "--json").out)["runs"][0]["outcome"] == "broken_off"
    junheng("run")
    assert told(junheng) == [("failed", "new")]
    junheng("run")
    assert told(junheng)[1:] == [("failed", "resolved")]


# -- logs --------------------------------------------------------------------------------------------------------------


def test_a_log_tells_every_step_receipt_and_reading_with_its_account(junheng: Terminal, outcome: Outcome) -> None:
    junheng.country.land(BUDGET, "2020", cells={(1, 1): "x"})
    junheng("run")
    lines = newest_log(junheng)
    assert [line["event"] for line in lines] == [
        "started", "step_started", "received", "step_ended", "step_started", "read", "step_ended", "step_started",
        "step_ended", "alerts", "finished",
    ]  # fmt: skip
    received, read, finished = lines[2], lines[5], lines[-1]
    assert received["landing_path"].startswith(f"{BUDGET}/2020/") and len(received["sha256"]) == 64
    parts = ("rows_accepted", "rows_rejected", "rows_duplicate", "rows_ignored")
    assert read["rows_read"] == sum(read[part] for part in parts) > 0 and read["rejects"] == 1
    assert finished["outcome"] == "nothing_new"
    assert all(datetime.fromisoformat(line["at"]).tzinfo for line in lines)
    assert [line["seconds"] >= 0 for line in lines if "seconds" in line] == [True, True, True, True]
    assert "'x'" not in json.dumps(lines) and '"x"' not in json.dumps(lines), "no cell of a file is in it"


def test_old_logs_are_kept_to_a_limit(junheng: Terminal, outcome: Outcome, tmp_path: Path) -> None:
    configure(tmp_path, {"kind": "file"}, run_logs_kept=3)
    for day in range(1, 6):
        (runs_folder(junheng.warehouse) / f"2020010{day}T020000Z-{day}.jsonl").parent.mkdir(parents=True, exist_ok=True)
        (runs_folder(junheng.warehouse) / f"2020010{day}T020000Z-{day}.jsonl").write_text("", encoding="utf-8")
    junheng("run")
    names = sorted(path.name[:8] for path in runs_folder(junheng.warehouse).iterdir())
    assert names[:2] == ["20200104", "20200105"] and len(names) == 3


def test_a_line_torn_by_a_crash_is_passed_over(junheng: Terminal, outcome: Outcome) -> None:
    junheng("run")
    path = Path(last_runs(junheng.warehouse, 1)[0]["log"])
    path.write_text(path.read_text(encoding="utf-8") + '{"at": "20', encoding="utf-8")
    assert last_runs(junheng.warehouse, 1)[0]["outcome"] == "nothing_new"


def test_a_name_that_is_no_jurisdiction_leaves_no_folder(junheng: Terminal) -> None:
    junheng("run", "--jurisdiction", "nowhere")
    assert not (junheng.warehouse.folder.parent / "nowhere").exists()


def test_a_watched_block_that_will_be_tried_again_is_not_over(junheng: Terminal) -> None:
    session = runs.Session(Settings.from_environment())

    def attempt(error: Exception, goes_on: bool) -> None:
        with (
            pytest.raises(type(error)),
            watch(session, door="d", asked={}, run_id="r1", will_go_on=lambda _: goes_on),
        ):
            raise error

    attempt(OSError("the disk hiccups"), goes_on=True)
    assert told(junheng) == [] and not Journal(Path(last_runs(junheng.warehouse, 1)[0]["log"]), "r1").is_finished
    attempt(OSError("the disk is gone"), goes_on=False)
    assert told(junheng) == [("failed", "new")]
    assert [line["event"] for line in newest_log(junheng)] == ["started", "tried", "error", "alerts", "finished"]


# -- backfill ----------------------------------------------------------------------------------------------------------


def land_years(junheng: Terminal) -> None:
    """2017 is unreadable, 2018 and 2019 are read, and 2020 has landed since."""
    late = junheng.country.landing_path(BUDGET, "2020")
    kept = late.read_bytes()
    late.unlink()
    rows = junheng.country.rows(BUDGET, "2020")
    for year in ("2018", "2019"):
        junheng.country.land(BUDGET, year, name="budget.csv", rows=rows)
    junheng.country.land(BUDGET, "2017", name="budget.csv", data=b"\x00\x01 no table")
    junheng("receive")
    late.write_bytes(kept)


def filled(junheng: Terminal, *arguments: str) -> dict[str, tuple[str, str | None]]:
    said = junheng("backfill", BUDGET, *arguments, "--json")
    assert said.code == 0, said.err
    return {p["delivery_period"]: (p["before"], p["after"]) for p in json.loads(said.out)["periods"]}


def read_again(junheng: Terminal) -> list[str]:
    return sorted(line["landing_path"].split("/")[2] for line in newest_log(junheng) if line["event"] == "read")


def test_a_backfill_reads_every_period_of_its_range_and_no_other(junheng: Terminal, outcome: Outcome) -> None:
    land_years(junheng)
    assert filled(junheng, "2018..2019") == {"2018": ("read", "read"), "2019": ("read", "read")}
    assert read_again(junheng) == ["2018", "2019"]
    assert filled(junheng, "2019..")["2020"] == ("missing", "read")
    assert read_again(junheng) == ["2019", "2020"]


def test_a_backfill_of_what_is_missing_leaves_the_rest(junheng: Terminal, outcome: Outcome) -> None:
    land_years(junheng)
    assert filled(junheng, "2017..2020", "--only-missing") == {
        "2017": ("failed", None), "2018": ("read", None), "2019": ("read", None), "2020": ("missing", "read"),
    }  # fmt: skip
    assert read_again(junheng) == ["2020"]
    said = junheng("backfill", BUDGET, "2018..2020", "--only-missing")
    assert said.code == 0 and "nothing was done" in said.out


def test_a_backfill_of_what_failed_leaves_the_rest(junheng: Terminal, outcome: Outcome) -> None:
    land_years(junheng)
    assert filled(junheng, "2017..2020", "--only-failed")["2017"] == ("failed", "failed")
    assert read_again(junheng) == ["2017"]
    assert json.loads(junheng("status", "--json").out)["waiting"] == 1, "2020 was not asked for"


def test_a_period_that_is_late_is_shown_and_a_contract_that_changed_makes_all_missing(
    junheng: Terminal, outcome: Outcome
) -> None:
    junheng("receive")
    junheng.country.write_contract(BUDGET, lambda c: c.update(slaProperties=LATE_SINCE_2022))
    assert filled(junheng, "2020..2021", "--only-missing") == {
        "2020": ("missing", "read"), "2021": ("not_landed", None),
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["no/thing", "2020"],
        [BUDGET, "1999"],
        [BUDGET, "2020..2018"],
        [BUDGET, "2020", "--only-missing", "--only-failed"],
    ],
)
def test_a_backfill_that_makes_no_sense_is_exit_code_2(junheng: Terminal, arguments: list[str]) -> None:
    junheng.refused(2, "backfill", *arguments)


# -- the screen --------------------------------------------------------------------------------------------------------


def test_the_whole_state_fits_on_one_screen(
    junheng: Terminal, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    junheng.country.write_contract(BUDGET, lambda c: c.update(slaProperties=LATE_SINCE_2022))
    outcome.blocking = [f"expectation.a_table_with_a_long_name.a_check_with_a_long_name_{n}" for n in range(30)]
    junheng("run")
    lines = junheng("status").out.splitlines()
    assert len(lines) <= 24 and max(cell_len(line) for line in lines) <= 80
    text = "\n".join(lines)
    assert re.search(r"^late +treasury/budget 2021, due 2022-01-31, \S", text, re.M)
    assert re.search(r"^last run +\d{4}-\d\d-\d\d \d\d:\d\d blocked", text, re.M)
    assert re.search(r"^treasury/budget +1 +2020 .*LATE 2021$", text, re.M)
    assert re.search(r"^next run +\d{4}-\d\d-\d\d 04:30", text, re.M) and "alerts    file" in text


def extract(name: str, **fields: Any) -> dict[str, Any]:
    """One extract of the status, in order unless `fields` say otherwise."""
    usual = {"files": 1, "last_period": "2020", "received_at": "2021-01-01T00:00:00Z", "rejects": 0, "known": 0}
    return {"extract": name, **usual, "unreadable": 0, "unread": 0, "late": [], "due": "", **fields}


def test_of_many_extracts_the_screen_shows_those_that_need_a_look(junheng: Terminal, outcome: Outcome) -> None:
    from pipelines.cli.status_screen import screen
    from pipelines.run.status import status_of

    found = status_of(Settings.from_environment())
    orderly = [extract(f"office/extract_{n:02}") for n in range(60)]
    troubled = [
        extract("z/late", late=["2021"]), extract("z/bad", unreadable=1), extract("z/unread", unread=1),
        extract("z/rejects", rejects=2), extract("z/next", due="2030-01-31"),
    ]  # fmt: skip
    lines = screen({**found, "extracts": [*orderly, *troubled]}, "UTC", 80, 24).splitlines()
    names = [line.split()[0] for line in lines if re.match(r"(z|office)/", line)]
    assert names[:6] == ["z/late", "z/bad", "z/unread", "z/rejects", "z/next", "office/extract_00"]
    assert len(lines) <= 23 and lines[-1] == f"… and {65 - len(names)} more extracts, all in order (--all)"
    many = [extract(f"z/late_{n:02}", late=["2021"]) for n in range(60)]
    assert re.search(r"\d+ of them need a look", screen({**found, "extracts": many}, "UTC", 80, 24))
    whole = screen({**found, "extracts": [*orderly, *troubled]}, "UTC", 80, None).splitlines()
    assert len([line for line in whole if re.match(r"(z|office)/", line)]) == 65


def test_what_is_held_or_refused_says_on_a_narrow_screen_why_and_what_to_do(junheng: Terminal) -> None:
    from pipelines.cli.status_screen import screen
    from pipelines.run.status import status_of

    found = status_of(Settings.from_environment())
    path = "department_of_long_names/extract_of_long_names/2020/a file of a long name.xlsx"
    held = {"landing_path": path, "since": "2026-01-01T00:00:00Z", "owner": "Pupils team", "do": "send it again"}
    held["because"] = "personal_numbers: 1 unknown, 0 known"
    refused = {"landing_path": path, "detail": "it is a symbolic link", "do": "put the file itself there"}
    text = screen({**found, "held": [held] * 5, "refused": [refused] * 7}, "UTC", 80, 24)
    assert max(cell_len(line) for line in text.splitlines()) <= 80 and len(text.splitlines()) <= 24
    for said in (
        *(f"{held[name]}" for name in ("because", "do")),
        refused["detail"],
        refused["do"][:8],
        "more (--json)",
    ):
        assert said in text


def test_a_killed_run_is_not_shown_at_work(junheng: Terminal) -> None:
    with junheng.warehouse.lock():
        holder = junheng.warehouse.lock_holder()
        assert holder is not None and holder.process == os.getpid()
    assert junheng.warehouse.lock_holder() is None
    (junheng.warehouse.folder / ".lock").write_text("4711 since 2026-01-01T00:00:00Z", encoding="utf-8")
    assert junheng.warehouse.lock_holder() is None
    assert json.loads(junheng("status", "--json").out)["at_work"] is None


def test_a_scheduled_moment_that_passed_without_a_run_is_shown(junheng: Terminal, outcome: Outcome) -> None:
    junheng("run")
    assert json.loads(junheng("status", "--json").out)["missed_run"] is None
    path = Path(last_runs(junheng.warehouse, 1)[0]["log"])
    path.write_text(re.sub(r'"at": "20\d\d', '"at": "2020', path.read_text(encoding="utf-8")), encoding="utf-8")
    assert json.loads(junheng("status", "--json").out)["missed_run"]
    assert "is the scheduler running?" in junheng("status").out


@pytest.mark.parametrize(
    ("clock", "started", "missed"),
    [
        ("04:31", "2026-03-01T04:30+01:00", "2026-03-09T04:30+01:00"),  # the night before
        ("04:31", "2026-03-09T04:30+01:00", None),  # there is still time
        ("12:00", "2026-03-09T04:30+01:00", "2026-03-10T04:30+01:00"),
        ("12:00", "2026-03-10T04:30+01:00", None),
    ],
)
def test_a_missed_night_is_not_forgotten_while_the_next_is_due(clock: str, started: str, missed: str | None) -> None:
    now = datetime.fromisoformat(f"2026-03-10T{clock}").replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert _missed_run("30 4 * * *", now, [{"started_at": started}]) == missed


@pytest.mark.parametrize(
    ("schedule", "following", "last"),
    [
        ("0 2 * * *", "2026-03-30T02:00+02:00", "2026-03-28T02:00+01:00"),
        ("30 4 * * 1", "2026-03-30T04:30+02:00", "2026-03-23T04:30+01:00"),
        ("0 12 1 */3 *", "2026-04-01T12:00+02:00", "2026-01-01T12:00+01:00"),
    ],
)  # fmt: skip
def test_the_next_run_is_reckoned_for_any_schedule_in_the_time_zone(schedule: str, following: str, last: str) -> None:
    now = datetime(2026, 3, 29, 12, tzinfo=ZoneInfo("Europe/Berlin"))  # a day on which the hour from 2 to 3 is missing
    assert moment_of(schedule, now).isoformat(timespec="minutes") == following
    if schedule != "0 2 * * *":  # that night the clock jumps over it
        assert moment_of(schedule, now, before=True).isoformat(timespec="minutes") == last


def test_a_schedule_that_is_none_is_refused(junheng: Terminal) -> None:
    path = junheng.country.folder / "jurisdiction.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("30 4 * * *", "61 4 * * *"), encoding="utf-8")
    assert "61 4" in junheng.refused(2, "status")["message"]


# -- trying the channels -----------------------------------------------------------------------------------------------


def test_channels_can_be_tried_and_a_bad_one_is_exit_code_2(junheng: Terminal, web: Web, tmp_path: Path) -> None:
    configure(tmp_path, {"kind": "file"}, {"kind": "webhook", "url": web.url})
    said = junheng("alerts", "--test")
    assert said.code == 0 and web.bodies[0]["alerts"][0]["event"] == "test"
    web.answers = [403]
    said = junheng("alerts", "--test", "--json")
    assert said.code == 2 and [c["problem"] for c in json.loads(said.out)] == ["", "the webhook answered 403 Forbidden"]
    states = {line["what"]: line["state"] for line in json.loads(junheng("doctor", "--json").out)}
    assert (states["alerts: file"], states["alerts: webhook"]) == ("good", "bad")


def test_doctor_names_a_secret_that_is_not_there(junheng: Terminal, tmp_path: Path) -> None:
    configure(tmp_path, {"kind": "webhook", "url": {"environment": "A_HOOK_THAT_IS_NOT_SET"}})
    said = junheng("doctor", "--json")
    (line,) = [line for line in json.loads(said.out) if line["what"] == "alerts: webhook"]
    assert (said.code, line["state"]) == (2, "bad") and "A_HOOK_THAT_IS_NOT_SET" in line["do"]
