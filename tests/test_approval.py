"""A release becomes official by two persons, a withdrawn one stays readable, and nothing is late unseen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import evidence_kit
import pytest
from evidence_kit import Shelf

from pipelines import release
from pipelines.errors import BlockedError, ConfigurationError, UsageError
from pipelines.jurisdiction.calendar import ReleasePlan, load_plan
from pipelines.release import approval, shelf
from pipelines.settings import PROJECT_FOLDER
from pipelines.store import read_json, write_json
from pipelines.verifier import status_of

PLAN = ReleasePlan.model_validate(
    {
        "calendar": [
            {"id": "y2020", "name": "二〇二〇年", "name_en": "2020", "due": "2021-06-30"},
            {
                "id": "y2021", "name": "二〇二一年", "name_en": "2021", "due": "2022-06-30",
                "embargo": "2022-06-30T09:00:00+08:00",
            },
        ]
    }
)  # fmt: skip
ANYBODY = ReleasePlan()


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """Three releases; whatever a test does, the warehouse verifies afterwards."""
    evidence_kit.be_quick(monkeypatch)
    found = evidence_kit.make_shelf(tmp_path)
    for number in (1, 2, 3):
        found.publish(f"b{number}")
    yield found
    assert found.verify().problems == []


def ids(made: Shelf) -> list[str]:
    return [r.release_id for r in release.list_releases(made.warehouse)]


def sign(made: Shelf, release_id: str, by: str | None, planned: str | None = None, **options: Any) -> dict[str, Any]:
    plan = options.pop("plan", PLAN if planned else ANYBODY)
    return release.sign_off(made.warehouse, made.ledger, plan, release_id, by, planned, **options)


def withdraw(made: Shelf, release_id: str, reason: str = "the beds of 2019 were counted twice", **more: Any) -> Any:
    said = {"severity": "major", "by": "Li Wei", **more}
    return release.withdraw(made.warehouse, made.ledger, release_id, reason, **said)


def at(link: Path) -> str | None:
    return link.readlink().name if link.is_symlink() else None


def state(made: Shelf, release_id: str) -> str:
    return {r.release_id: r.state for r in release.list_releases(made.warehouse)}[release_id]


# -- official -----------------------------------------------------------------------------------------------------


def test_a_release_is_a_candidate_until_a_second_person_signs(made: Shelf) -> None:
    first, *_ = ids(made)
    found = sign(made, first, "Li Wei")
    assert (found["state"], found["missing_signatures"]) == ("candidate", 1)
    assert (state(made, first), at(made.warehouse.official)) == ("candidate", None)
    found = sign(made, first, "Chen Jing")
    assert (found["state"], at(made.warehouse.official), state(made, first)) == ("official", first, "official")
    assert [signed["by"] for signed in found["signed_off"]] == ["Li Wei", "Chen Jing"]
    entry = made.ledger.last("official")
    assert entry is not None and entry.details["by"] == ["Li Wei", "Chen Jing"]
    assert at(made.warehouse.current) == ids(made)[-1]  # what is official says nothing about what is current
    with pytest.raises(UsageError, match="official already"):
        sign(made, first, "Zhou Min")


@pytest.mark.parametrize("again", ["Li Wei", "li wei", "  LI   WEI ", "ＬｉＷｅｉ"])
def test_nobody_counts_twice_however_the_name_is_written(made: Shelf, again: str) -> None:
    first = ids(made)[0]
    sign(made, first, "Li Wei")
    with pytest.raises(UsageError, match=r"signed release .* off already"):
        sign(made, first, again)
    assert state(made, first) == "candidate"
    with pytest.raises(UsageError, match="the name is empty"):
        sign(made, first, "  ")


def test_only_the_named_may_sign_where_names_are_given(made: Shelf) -> None:
    plan = ReleasePlan(approvers=["Li Wei", "Chen Jing"])
    with pytest.raises(UsageError, match="may not sign"):
        sign(made, ids(made)[0], "Zhou Min", plan=plan)
    assert sign(made, ids(made)[0], "chen jing", plan=plan)["missing_signatures"] == 1


def test_what_does_not_verify_is_not_signed_off(made: Shelf) -> None:
    first = ids(made)[0]
    page = made.warehouse.release_folder(first) / "pages/index.html"
    before = page.read_bytes()
    page.chmod(0o644)
    page.write_bytes(b"other")
    with pytest.raises(BlockedError) as error:
        sign(made, first, "Li Wei")
    assert error.value.exit_code == 3 and any("pages/index.html" in line for line in error.value.failing)
    assert read_json(made.warehouse.release_status)["releases"][first]["signed_off"] == []
    page.write_bytes(before)


def test_a_change_of_method_without_its_comparison_is_not_signed_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence_kit.be_quick(monkeypatch)
    made = evidence_kit.make_shelf(tmp_path)
    made.publish("b1")
    made.agree("reference/targets.csv", "indicator_code,target_value\nBED,6\n")
    second = made.publish("b2").release_id
    said = read_json(made.warehouse.release_folder(second) / "changes.json")["method"]
    assert [(c["file"], c["diff"]) for c in said["files"]] == [
        ("reference/targets.csv", [" indicator_code,target_value", "@@ -2 +2 @@", "-BED,5", "+BED,6"])
    ]
    assert said["comparison"] is None and said["reason"]
    with pytest.raises(BlockedError, match=r"the method changed \(reference/targets.csv\)"):
        sign(made, second, "Li Wei")


def test_the_official_release_can_be_an_older_one_and_moves_on(made: Shelf) -> None:
    first, second, _ = ids(made)
    for release_id in (first, second):
        for name in ("Li Wei", "Chen Jing"):
            sign(made, release_id, name)
    assert at(made.warehouse.official) == second
    assert (state(made, first), state(made, second)) == ("official", "official")


# -- the calendar -------------------------------------------------------------------------------------------------


def shown(made: Shelf, now: str) -> dict[str, tuple[str, int, str | None]]:
    moment = datetime.fromisoformat(now).astimezone(UTC)
    rows = release.calendar(made.warehouse, PLAN, "Asia/Shanghai", moment)
    return {row["id"]: (row["state"], row["days_late"], row["release_id"]) for row in rows}


def test_what_is_due_and_not_published_is_late_by_days_of_the_place(made: Shelf) -> None:
    assert shown(made, "2021-06-30T23:59:00+08:00")["y2020"] == ("waiting", 0, None)
    assert shown(made, "2021-07-01T00:01:00+08:00")["y2020"] == ("late", 1, None)
    first = ids(made)[0]
    sign(made, first, "Li Wei", "y2020")
    assert shown(made, "2021-06-01T00:00:00+08:00")["y2020"] == ("signed", 0, first)
    sign(made, first, "Chen Jing", "y2020")
    state, days, release_id = shown(made, "2030-01-01T00:00:00+08:00")["y2020"]
    # It was published when the test ran, years after it was due; how late does not grow any more.
    assert (state, release_id) == ("published", first) and days == shown(made, "2031-01-01T00:00:00+08:00")["y2020"][1]
    withdraw(made, first)
    assert shown(made, "2021-07-02T00:00:00+08:00")["y2020"][:2] == ("late", 2)


def test_signatures_before_an_embargo_make_nothing_official(made: Shelf) -> None:
    first = ids(made)[0]
    before, after = datetime(2022, 6, 30, 0, 59, tzinfo=UTC), datetime(2022, 6, 30, 1, 0, tzinfo=UTC)
    sign(made, first, "Li Wei", "y2021", now=before)
    found = sign(made, first, "Chen Jing", now=before, plan=PLAN)
    assert (found["state"], found["missing_signatures"], found["is_embargoed"]) == ("candidate", 0, True)
    assert found["embargo"] == "2022-06-30T09:00:00+08:00" and at(made.warehouse.official) is None
    assert sign(made, first, None, now=before, plan=PLAN)["state"] == "candidate"
    assert sign(made, first, None, now=after, plan=PLAN)["state"] == "official"


def test_a_release_is_for_what_was_planned_and_for_one_thing(made: Shelf) -> None:
    with pytest.raises(UsageError, match="no release 'y2099' is planned"):
        sign(made, ids(made)[0], "Li Wei", "y2099")
    sign(made, ids(made)[0], "Li Wei", "y2020")
    with pytest.raises(UsageError, match="signed off for y2020, not for y2021"):
        sign(made, ids(made)[0], "Chen Jing", "y2021")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("calendar:\n  - {id: a, name: a, name_en: a, due: soon}\n", "line 2"),
        ("calendar:\n" + "  - {id: a, name: a, name_en: a, due: 2026-01-01}\n" * 2, "stands twice"),
        (
            "calendar:\n  - {id: a, name: a, name_en: a, due: 2026-01-01, embargo: '2026-01-02T00:00:00+08:00'}\n",
            "ends after it is due",
        ),
        (
            "calendar:\n  - {id: a, name: a, name_en: a, due: 2026-01-01, embargo: '2026-01-01T00:00:00'}\n",
            "timezone",
        ),
        ("approvers: [Li Wei]\n", "two persons"),
    ],
)
def test_a_mistake_in_the_calendar_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "releases.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=problem):
        load_plan(tmp_path / "releases.yml")
    assert load_plan(tmp_path / "nothing.yml") == ReleasePlan()


# -- withdrawn ----------------------------------------------------------------------------------------------------


def test_a_withdrawn_release_stays_and_its_links_move_to_the_newest_that_stands(made: Shelf) -> None:
    first, second, third = ids(made)
    for name in ("Li Wei", "Chen Jing"):
        sign(made, first, name)
        sign(made, third, name)
    found = withdraw(made, third)
    assert found["moved"] == {"current": second, "official": first}
    assert (at(made.warehouse.current), at(made.warehouse.official)) == (second, first)
    assert (made.warehouse.release_folder(third) / "public.duckdb").exists()
    said = release.states(made.warehouse)[third]
    assert (said["state"], said["severity"], said["by"]) == ("withdrawn", "major", "Li Wei")
    for action in (
        lambda: release.rollback(made.warehouse, made.ledger, third),
        lambda: sign(made, third, "Zhou Min"),
        lambda: withdraw(made, third),
    ):
        with pytest.raises(UsageError, match="the beds of 2019 were counted twice"):
            action()
    assert release.clean_up(made.warehouse, made.ledger) == []
    assert at(made.warehouse.current) == second


def test_when_nothing_stands_any_more_there_is_no_link(made: Shelf) -> None:
    for release_id in ids(made):
        withdraw(made, release_id)
    assert not made.warehouse.current.is_symlink() and made.warehouse.current_release_id() is None
    assert release.clean_up(made.warehouse, made.ledger) == []


def test_a_withdrawal_of_another_release_moves_no_link(made: Shelf) -> None:
    first, _, third = ids(made)
    assert withdraw(made, first)["moved"] == {}
    assert at(made.warehouse.current) == third


def test_the_next_release_names_the_withdrawn_one_that_it_replaces(made: Shelf) -> None:
    third = ids(made)[-1]
    withdraw(made, third, severity="critical")
    fourth = made.publish("b4")
    said = read_json(Path(fourth.folder) / "changes.json")
    assert said["against"] == ids(made)[1]
    assert [(r["release_id"], r["severity"], r["reason"]) for r in said["replaces"]] == [
        (third, "critical", "the beds of 2019 were counted twice")
    ]


@pytest.mark.parametrize(
    ("reason", "severity", "problem"),
    [
        (" ", "major", "the reason is empty"),
        ("wrong", "terrible", "there is no severity 'terrible'"),
        ("wrong", "minor", "not withdrawn for a minor error"),
    ],
)
def test_a_withdrawal_needs_a_reason_and_a_severity_that_allows_it(
    made: Shelf, reason: str, severity: str, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem):
        withdraw(made, ids(made)[0], reason, severity=severity)
    assert state(made, ids(made)[0]) == "candidate"


class Crash(Exception):
    """The process ends here."""


@pytest.mark.parametrize("step", ["set_link", "write_status", "_point"])
@pytest.mark.parametrize("act", ["withdraw", "official"])
def test_a_crash_while_deciding_is_carried_through_by_the_next_run(
    made: Shelf, monkeypatch: pytest.MonkeyPatch, step: str, act: str
) -> None:
    first, second, third = ids(made)
    sign(made, first, "Li Wei")

    def crash(*_: Any, **__: Any) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(shelf if step == "_point" else approval, step, crash)
        with pytest.raises(Crash):
            withdraw(made, third) if act == "withdraw" else sign(made, first, "Chen Jing")
    release.clean_up(made.warehouse, made.ledger)
    if act == "withdraw":
        assert (at(made.warehouse.current), state(made, third)) == (second, "withdrawn")
    else:
        if made.ledger.last("official") is None:  # two signed, but it ended before that was acted on: ask again
            sign(made, first, None)
        assert (at(made.warehouse.official), state(made, first)) == (first, "official")
    assert read_json(made.warehouse.release_status) == status_of([e.__dict__ for e in made.ledger.entries()])


def test_the_next_run_points_links_where_the_ledger_says_and_tells_it(made: Shelf) -> None:
    first, _, third = ids(made)
    made.warehouse.current.unlink()
    made.warehouse.current.symlink_to(f"releases/{first}")
    write_json(made.warehouse.release_status, {"releases": {}})
    assert len(release.clean_up(made.warehouse, made.ledger)) == 1
    assert at(made.warehouse.current) == third
    entry = made.ledger.last("link_mended")
    assert entry is not None and entry.details["was"] == f"releases/{first}"


# -- the policy ---------------------------------------------------------------------------------------------------


def test_the_corrections_policy_says_what_the_severities_do() -> None:
    text = (PROJECT_FOLDER / "docs" / "corrections-policy.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", text, flags=re.MULTILINE)
    told = {code: (when.strip(), withdrawn.strip(), days.strip()) for code, when, withdrawn, days in lines}
    assert told == {
        code: (
            said.when.partition(" / ")[2],
            {"required": "yes", "allowed": "if its owner decides so", "never": "no"}[said.withdraw],
            f"{said.notice_days} days" if said.notice_days else "the same day",
        )
        for code, said in release.severities().items()
    }
