"""One department does not hold back the province: what is held, what stands in, who is told, what clears it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import intake_kit as kit
import pytest
from holding_kit import BEDS, BUDGET, CENSUS, CLASSES, PEOPLE, Office
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import transform
from pipelines.quality.deliveries import judge
from pipelines.quality.waivers import apply_waivers
from pipelines.records import Punctuality
from pipelines.run import arrivals, telling
from pipelines.run.holding import decide

BEDS_2020 = "health/facilities/2020/facilities.xlsx"
TORN = b"PK\x03\x04 this is no workbook"


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Office:
    return Office(tmp_path, monkeypatch, capfd)


@pytest.fixture
def published(office: Office) -> Office:
    """The country after its first release."""
    assert office("run").code == 0
    assert len(office.built) == 1
    return office


# -- a night ---------------------------------------------------------------------------------------------------------


def test_a_bad_file_alone_ends_the_night_blocked_without_a_build_and_the_next_is_up_to_date(published: Office) -> None:
    published.country.land(BEDS, "2020", data=TORN)
    said = published("run")
    assert (said.code, said.out) == (3, "")
    message, *lines = said.err[said.err.index("junheng: ") :].strip().splitlines()
    assert "1 delivery is held and nothing else is new; the release 20260101.1 stays" in message
    assert BEDS_2020 in lines[0] and "health desk" in lines[0]
    assert "not a workbook" in lines[1] or "workbook" in lines[1]
    assert len(published.built) == 1
    again = published("run")
    assert again.code == 0
    assert again.out.startswith("nothing new: release 20260101.1 is up to date; 1 delivery held since 20")
    assert BEDS_2020 in again.out
    assert len(published.built) == 1


def test_in_json_a_held_delivery_says_whose_it_is_since_when_why_and_what_stands_in(published: Office) -> None:
    published.country.land(BEDS, "2020", data=TORN)
    error = published("run", "--json").json["error"]
    assert error["code"] == "blocked" and BEDS_2020 in error["failing"][0]
    (held,) = error["held"]
    assert (held["landing_path"], held["owner"]) == (BEDS_2020, "health desk")
    assert held["because"].startswith("readable: 0 of 1 files") and held["since"][:2] == "20"
    assert BEDS_2020 in held["stays_at"] and held["in_its_place"]
    report = published("run", "--json").json
    assert report["outcome"] == "nothing_new" and [h["landing_path"] for h in report["held"]] == [BEDS_2020]


def test_with_other_news_the_rest_is_published_and_what_is_held_is_told_first(published: Office) -> None:
    published.country.land(BEDS, "2020", data=TORN)
    published.country.land(BUDGET, "2020", cells={(1, 1): "198.1"})
    said = published("run")
    assert said.code == 0
    assert said.out.startswith("1 delivery held since") and BEDS_2020 in said.out.splitlines()[1]
    assert "published release 20260101.2" in said.out
    choice = published.built[-1].decision.choice
    sequences = {r.receipt_id: (r.landing_path, r.sequence) for r in published.built[-1].receipts}
    (held,) = choice.held
    assert [sequences[r] for r in choice.in_place_of] == [(BEDS_2020, sequences[held.in_its_place[0]][1])]
    assert held.receipt_id not in choice.in_force
    again = published("run")
    assert again.code == 0 and "nothing new" in again.out and len(published.built) == 2


def test_the_mended_file_clears_it_by_itself_and_the_ledger_tells_both(published: Office) -> None:
    published.country.land(BEDS, "2020", data=TORN)
    assert published("run").code == 3
    published.country.land(BEDS, "2020", cells={(2, 1): 170, (2, 3): 205})
    said = published("run")
    assert said.code == 0 and "held" not in said.out.splitlines()[0]
    assert published.ledger("held", "cleared") == [("held", BEDS_2020), ("cleared", BEDS_2020)]
    assert [a["phase"] for a in published.alerts("held")] == ["new", "resolved"]


def test_the_owner_is_told_once_with_file_checks_and_what_to_do_and_no_cell(published: Office) -> None:
    published.country.land(PEOPLE, "2020", cells={(3, 4): "about Jane Doe"})
    published("run")
    published("run")
    (alert,) = published.alerts("held")
    assert (alert["owner"], alert["subject"]) == ("bureau desk", PEOPLE)
    assert "residents.csv is held: numbers: 1 unknown" in alert["message"]
    assert "what to do: " in alert["message"] and ".withdrawn" in alert["message"]
    assert f"intake.numbers.{PEOPLE}" in [check["check_id"] for check in alert["details"]["checks"]]
    logs = "".join(path.read_text(encoding="utf-8") for path in published.warehouse.logs.rglob("*.json*"))
    ledger = published.warehouse.ledger.read_text(encoding="utf-8")
    assert "Jane Doe" not in logs + ledger


def test_a_worse_file_in_place_of_a_bad_one_is_news_and_held_since_the_first(published: Office) -> None:
    published.country.land(BEDS, "2020", data=TORN)
    first = published("run", "--json").json["error"]["held"][0]
    published.country.land(BEDS, "2020", data=b"")
    said = published("run", "--json")
    assert said.code == 3
    second = said.json["error"]["held"][0]
    assert second["receipt_id"] != first["receipt_id"] and second["since"] == first["since"]
    assert second["in_its_place"] == first["in_its_place"]
    assert [event for event, _ in published.ledger("held", "cleared")] == ["held", "cleared", "held"]
    assert published("run").code == 0 and len(published.built) == 1


def test_a_held_file_that_is_taken_back_is_no_more_held(published: Office) -> None:
    path = published.country.land(BUDGET, "2021", name="budget.csv", data=b"\x00\x01")
    assert published("run").code == 3
    path.with_name("budget.csv.withdrawn").write_text("sent by mistake", encoding="utf-8")
    published("run")
    published.look()
    assert published.held == []
    assert published.ledger("cleared") == [("cleared", "treasury/budget/2021/budget.csv")]


def test_what_is_found_in_a_held_file_is_for_its_owner_alone(published: Office) -> None:
    places = (published.warehouse.held, published.warehouse.logs, published.warehouse.folder / ".lock")
    published.warehouse.held.mkdir(mode=0o755)
    (published.warehouse.held / "of an earlier version.xlsx").write_bytes(b"")
    published.country.land(BEDS, "2020", data=TORN)
    published("run")
    assert [path.suffix for path in published.warehouse.held.iterdir()] == [".xlsx"]
    for place in places:
        for path in (place, *place.rglob("*")):
            assert path.stat().st_mode & 0o077 == 0, path


def test_status_and_quality_list_what_is_held(published: Office) -> None:
    published.country.land(BEDS, "2020", data=TORN)
    published("run")
    (held,) = published("status", "--json").json["held"]
    assert held["landing_path"] == BEDS_2020
    screen = published("status").out
    assert f"held      {BEDS_2020}, since 20" in screen
    for name in ("because", "do"):  # what it failed and what to do, on the narrowest screen
        assert held[name][:30] in screen


def test_one_file_with_everything_wrong_is_told_in_seven_lines_with_its_causes_first(office: Office) -> None:
    """A renamed, an added, a removed and a moved column, half the rows, tenfold values."""
    desk = kit.Desk(office.warehouse.folder.parent, TWO)
    desk.land([["Place", "Heads", "Beds", "Note"], *([p, h, b, "x"] for p, h, b in ROWS)], "2019")
    desk.take_in()
    rows = [["Place", "Dogs", "Cats", "Heads"], *([p, "7", "8", str(int(h) * 10)] for p, h, _ in ROWS[:2])]
    desk.land(rows, "2020")
    desk.take_in()
    (held,) = desk.taken.decision.choice.held
    assert len(held.lines) <= telling.LINES
    assert "desk/file/2020/file.csv" in held.lines[0]
    assert held.lines[1] == "  columns: without Beds, Note; new Dogs, Cats"
    assert held.lines[2].startswith("  units: visits (persons): typical value 23,000, up 10 times")
    assert any("row counts" in line for line in held.lines)
    assert held.lines[-1].startswith("  do: ")


def test_last_years_list_of_regions_names_each_region_that_is_gone_and_what_it_became(published: Office) -> None:
    rows = published.country.rows(BEDS, "2020")
    published.country.land(BEDS, "2020", rows=[*rows[:2], ["Old Mill", 5, 0, 5], *rows[2:]])
    classes = published.country.rows(CLASSES, "2020")
    published.country.land(CLASSES, "2020", rows=[*classes, ["2020", "VA3", "Old Mill", "10", "1", "1", "0", "0"]])
    said = published("run")
    assert said.code == 3
    assert said.err.count("VA3 Old Mill was in force 1900-01-01 to 2019-07-01") == 2
    assert said.err.count("it became VA2 Aspen from 2019-07-01") == 2
    assert "health desk" in said.err and "treasury desk" in said.err


# -- what may stop the release -----------------------------------------------------------------------------------------


def test_an_extract_that_must_stop_the_release_stops_it_without_a_build(published: Office) -> None:
    published.country.write_contract(BEDS, lambda c: c["quality"].update(blocks="release"))
    assert published("run").code == 0
    published.country.land(BEDS, "2020", data=TORN)
    published.country.land(BUDGET, "2020", cells={(1, 1): "198.1"})
    for _ in range(2):  # it stops every night until it is mended
        said = published("run", "--json")
        assert said.code == 3
        assert said.json["error"]["failing"][0].startswith(f"intake.readable.{BEDS}")
    assert [a["phase"] for a in published.alerts("blocked")] == ["new"]
    assert len(published.built) == 2
    published.country.land(BEDS, "2020", cells={(2, 1): 170, (2, 3): 205})
    assert published("run").code == 0
    assert [a["phase"] for a in published.alerts("blocked")] == ["new", "resolved"]


def test_a_first_delivery_that_is_bad_leaves_its_extract_without_figures_and_the_rest_is_published(
    office: Office,
) -> None:
    office.country.land(CENSUS, "2020", data=TORN)
    said = office("run")
    assert said.code == 0 and "bureau/census/2020/count.xlsx is held" in said.out
    assert "bureau/census has no figures of 2020" in said.out
    assert office.built[0].decision.choice.in_place_of == {}


def test_where_nothing_good_is_there_nothing_is_released(office: Office) -> None:
    for path in (office.country.folder / "landing").rglob("*.*"):
        path.write_bytes(b"\x00")
    for _ in range(2):
        said = office("run")
        assert said.code == 3
        assert "7 deliveries are held and no other counts; nothing has been released yet" in said.err
    assert office.built == []


def test_a_correction_for_a_delivery_that_never_came_is_our_own_slip_and_stops(published: Office) -> None:
    correct(published, delivery_period="2091")
    said = published("run", "--json")
    assert said.code == 3
    assert said.json["error"]["failing"][0].startswith(f"intake.corrections.{BUDGET}")
    assert len(published.built) == 1


def test_a_correction_that_no_longer_fits_holds_the_file_that_it_was_for(published: Office) -> None:
    correct(published, delivery_period="2020")
    assert published("run").code == 0
    published.country.land(BUDGET, "2020", cells={(2, 1): "55.5"})
    said = published("run")
    assert said.code == 3 and "corrections: c1: found '55.5' in row 3" in said.err
    published.look()
    assert published.in_force[-1] == "treasury/functions/2020/functions.csv 7"
    assert "treasury/budget/2020/budget.csv 5" in published.in_force


def correct(office: Office, **fields: str) -> None:
    rows = office.country.rows(BUDGET, "2020")
    fields = {"region_code": "VA", "column": "2018", "expect": str(rows[2][1]), "action": "replace", "value": "1.5",
              **fields}  # fmt: skip
    said = {"id": "c1", "extract": BUDGET, "reason": "r", "who": "A", "since": "2021-01-01", **fields}
    path = office.country.folder / "corrections" / "own.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"corrections": [said]}), encoding="utf-8")


# -- waivers -----------------------------------------------------------------------------------------------------------


def test_a_waiver_that_covers_every_failing_row_lets_a_delivery_count(published: Office) -> None:
    published.country.land(BEDS, "2020", rows=published.country.rows(BEDS, "2020")[:4])
    published.look()
    assert published.held == [BEDS_2020]
    published.waive("shrinking", BEDS, period="2020")
    published.look()
    assert published.held == [BEDS_2020], "the number of rows fails as well"
    published.waive("volume", BEDS, period="2019")
    published.look()
    assert published.held == [BEDS_2020]
    both = {"drift": {"shrinking_delivery": "warn"}, "rows": {"min": 4}}
    published.country.write_contract(BEDS, lambda c: c["quality"].update(both))
    published.waive("volume", BEDS, period="2020")
    published.look()
    assert published.held == []
    assert f"{BEDS_2020} 8" in published.in_force


def test_a_waiver_that_has_ended_or_is_for_another_check_lets_nothing_pass(published: Office) -> None:
    published.country.write_contract(BEDS, lambda c: c["quality"]["rows"].update(min=9))
    for check in ("keys", "volume"):
        published.waive(check, BEDS, period=["2019", "2020"])
        published.look()
        assert bool(published.held) is (check == "keys")
    path = published.country.folder / "waivers.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("2999-", "2021-"), encoding="utf-8")
    published.look()
    assert len(published.held) == 2
    said = published("run", "--json")
    assert said.code == 2 and "expired" in said.json["error"]["message"], "told before anything is built"


# -- proposals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["proposed", "draft"])
def test_nothing_that_came_under_a_proposal_is_read_or_counts_until_a_person_accepts_it(
    published: Office, status: str
) -> None:
    published.country.write_contract(BEDS, lambda c: c.update(status=status))
    said = published("run")
    assert said.code == 0 and "set `status: active` in contracts/health/facilities.yml" in said.out
    choice = published.built[-1].decision.choice
    assert {each.extract_id for each in choice.held} == {BEDS} and len(choice.held) == 2
    assert not any(f"{r.department}/{r.extract}" == BEDS for r in published.built[-1].readings)
    published.waive("agreed", BEDS)  # no waiver makes a guess an agreement
    published.look()
    assert len(published.held) == 2
    (published.country.folder / "waivers.yml").unlink()
    published.country.write_contract(BEDS)
    assert published("run").code == 0
    published.look()
    assert published.held == []


# -- who is to blame ---------------------------------------------------------------------------------------------------

ROWS = [["Ash", "1200", "5"], ["Aspen", "3400", "7"], ["Beech", "5100", "9"], ["Ærø", "900", "2"]]
TWO = {
    "values": [
        {"column": "Heads", "measure": "visits", "unit": "persons"},
        {"column": "Beds", "measure": "beds", "unit": "beds", "required": False},
    ],
    "ignore_columns": ["^Note$"],
}


def heads(factor: float = 1, more: int = 0) -> list[list[Any]]:
    return [["Place", "Heads"], *[[place, str(int(int(n) * factor) + more)] for place, n, _ in ROWS]]


def held_of(desk: kit.Desk) -> list[str]:
    desk.take_in()
    return [f"{each.delivery_period}/{each.landing_path.rsplit('/', 1)[1]}" for each in desk.taken.decision.choice.held]


def test_the_good_file_after_a_bad_one_is_not_blamed_for_the_difference(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(heads(), "2018")
    desk.land(heads(10), "2019")
    desk.land(heads(1, 30), "2020")
    assert held_of(desk) == ["2019/file.csv"]
    desk.land(heads(1, 15), "2019")
    assert held_of(desk) == []


def test_of_two_that_disagree_the_one_that_came_later_is_held_also_when_its_period_is_earlier(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(heads(), "2020")
    desk.take_in()
    desk.land(heads(10, 3), "2019")
    assert held_of(desk) == ["2019/file.csv"]
    (held,) = desk.taken.decision.choice.held
    assert "beside 2020/file.csv: visits (persons): typical value 2,300, down 10 times" in held.lines[1]
    assert desk.taken.decision.choice.in_place_of == {}, "figures of a later year are in nobody's place"


def test_what_was_held_for_a_bad_file_before_it_counts_by_itself_once_that_one_is_mended(tmp_path: Path) -> None:
    """A first year that was tenfold, and nobody knew: the next year is right, and held for the difference."""
    desk = kit.Desk(tmp_path, quality={"drift": {"shrinking_delivery": "warn"}})
    first = desk.land(heads(10), "2018")
    desk.land(heads(1, 9), "2019")
    assert held_of(desk) == ["2019/file.csv"]
    desk.land(heads(1, 18), "2020")
    assert held_of(desk) == ["2019/file.csv", "2020/file.csv"]
    first.with_name("file.csv.withdrawn").write_text("all tenfold")
    desk.land(heads(), "2018", "mended.csv")
    assert held_of(desk) == []
    assert {each.delivery_period for each in desk.taken.receipts if each.receipt_id in in_force(desk)} == {
        "2018", "2019", "2020"
    }  # fmt: skip


def in_force(desk: kit.Desk) -> frozenset[str]:
    return desk.taken.decision.choice.in_force


def test_a_mended_file_is_compared_with_the_last_good_one_and_not_with_what_was_held(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(heads())
    desk.take_in()
    desk.land([*heads(1, 1), ["Old Mill", "77"]])  # a region that is no more, and one line more than before
    assert held_of(desk) == ["2020/file.csv"]
    desk.land(heads(1, 2))
    assert held_of(desk) == []
    assert [kind for kind, _, _ in desk.findings()] == ["redelivery"]


def test_a_file_taken_back_leaves_those_after_it_in_force_with_a_warning(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path, quality={"drift": {"unit_jump": "block"}})
    desk.land(heads(), "2018")
    middle = desk.land([["Place", "Heads"], *[[p, str(int(n) * 3)] for p, n, _ in ROWS]], "2019")
    desk.land(heads(10), "2020")
    assert held_of(desk) == []
    middle.with_name("file.csv.withdrawn").write_text("all wrong")
    assert held_of(desk) == []
    assert ("unit_jump", "warn") in [(kind, severity) for kind, severity, _ in desk.findings()]


def test_figures_of_the_last_good_delivery_stand_in_at_its_place_in_its_period_or_before_it(tmp_path: Path) -> None:
    def in_place(**landed: list[list[Any]] | bytes) -> list[str]:
        desk = kit.Desk(Path(tempfile.mkdtemp(dir=tmp_path)), delivery="replaces_periods")
        for name, rows in landed.items():
            _, period, file = name.split("_")
            desk.land(rows, period, f"{file}.csv")
            desk.take_in()
        choice = desk.taken.decision.choice
        assert len(choice.held) == 1
        paths = {r.receipt_id: f"{r.delivery_period}/{r.file_name} {r.sequence}" for r in desk.taken.receipts}
        return sorted(paths[r] for r in choice.in_place_of)

    bad = b"\x00"
    assert in_place(a_2019_a=heads(), b_2020_a=heads(1, 9), c_2020_a=bad) == ["2020/a.csv 2"]
    assert in_place(a_2019_a=heads(), b_2020_a=heads(1, 9), c_2020_b=bad) == ["2020/a.csv 2"]
    assert in_place(a_2018_a=heads(), b_2019_a=heads(1, 9), c_2020_a=bad) == ["2019/a.csv 2"]
    assert in_place(a_2018_a=heads(), b_2020_a=heads(1, 9), c_2019_a=bad) == []
    assert in_place(a_2020_a=bad) == []


def test_what_was_known_at_a_moment_is_decided_as_it_was(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(heads(), "2019")
    desk.take_in()
    desk.land(b"\x00", "2020")
    desk.take_in()
    moment = desk.taken.receipts[-1].received_at
    desk.land(heads(1, 9), "2020")
    assert held_of(desk) == []
    then = desk.take_in(as_of=moment)
    assert [each.delivery_period for each in then.decision.choice.held] == ["2020"]


def test_nothing_is_looked_at_twice_while_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = kit.Desk(tmp_path)
    for year, rows in (("2018", heads()), ("2019", heads(10)), ("2020", heads(1, 9))):
        desk.land(rows, year)
    first = held_of(desk)

    def never(*_: Any) -> None:
        raise AssertionError("it was decided before")

    for name in ("arrived", "findings"):
        monkeypatch.setattr(f"pipelines.intake.{name}", never)
    monkeypatch.setattr(arrivals.transform, "lay_account", never)
    assert held_of(desk) == first == ["2019/file.csv"]


# -- laws --------------------------------------------------------------------------------------------------------------

FAULTS: dict[str, Callable[[int], list[list[Any]] | bytes]] = {
    "good": lambda n: heads(1, n),
    "tenfold": lambda n: heads(10, n),
    "a word": lambda n: [*heads(1, n), ["Ash", "many"]],
    "twice": lambda n: [*heads(1, n), ["Ash", "7"]],
    "nowhere": lambda n: [*heads(1, n), ["Atlantis", "7"]],
    "half": lambda n: heads(1, n)[:3],
    "torn": lambda n: b"\x00" * (n + 1),
    "the same": lambda _: heads(1, 0),
}
LANDINGS = st.lists(
    st.tuples(st.sampled_from(["2018", "2019", "2020"]), st.sampled_from(sorted(FAULTS)), st.integers(0, 40)),
    min_size=1,
    max_size=7,
)


@settings(max_examples=25)
@given(LANDINGS)
def test_what_counts_passes_every_blocking_check_and_what_is_held_fails_one(
    landings: list[tuple[str, str, int]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = kit.Desk(Path(folder))
        for period, fault, n in landings:
            desk.land(FAULTS[fault](n), period)
            desk.take_in()
        one_by_one = desk.taken.decision.choice
        taken, session = desk.taken, desk.session
        again = decide(session.jurisdiction, session.warehouse, taken.receipts, taken.readings, keep=False).choice
        assert again == one_by_one
        assert not any(held.receipt_id in one_by_one.in_force for held in one_by_one.held)
        results = judged(desk)
        assert [r.check_id for r in results if r.blocks] == []
        failing = {row["source_file"] + row["delivery_period"] for r in results for row in r.rows if row.get("held")}
        assert failing == {f"file.csv{each.delivery_period}" for each in one_by_one.held}
        assert all(each.checks and each.lines for each in one_by_one.held)
        good = {period for period, fault, _ in landings if fault == "good"}
        if all(fault in ("good", "torn", "a word", "nowhere") for _, fault, _ in landings):
            newest = {r.landing_path: r for r in taken.readings and taken.receipts}
            in_force = {r.delivery_period for r in newest.values()} & good
            assert in_force <= {r.delivery_period for r in taken.receipts if r.receipt_id in one_by_one.in_force}


def judged(desk: kit.Desk) -> list[Any]:
    """The delivery checks of the build that would be made."""
    session, taken = desk.session, desk.taken
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "build.duckdb"
        tables = {"extract": session.jurisdiction.extract_table, "finding": taken.decision.findings}
        choice = taken.decision.choice
        transform._lay_sources(
            path, session.warehouse, session.settings, tables, taken.readings, taken.receipts, choice
        )
        with duckdb.connect(str(path), read_only=True) as connection:
            on_time = {"desk/file": Punctuality("desk/file", "warn", is_agreed=False)}
            counted = connection.execute("select distinct receipt_id from source.observation").fetchall()
            assert {receipt_id for (receipt_id,) in counted} & set(choice.left_out) == set()
            return apply_waivers(judge(connection, on_time), []).results


def test_a_check_that_fails_for_held_deliveries_alone_is_held_and_blocks_nothing(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(heads(), "2019")
    desk.land([*heads(1, 9), ["Ash", "many"]], "2020")
    desk.take_in()
    outcomes = {r.check_id: (r.outcome, r.reach, r.blocks) for r in judged(desk) if r.outcome not in ("pass",)}
    assert outcomes["intake.keys.desk/file"] == ("held", "delivery", False)
    assert not any(blocks for _, _, blocks in outcomes.values())
    assert [check for check, (outcome, _, _) in outcomes.items() if outcome == "fail"] == [
        "intake.row_counts.desk/file"  # it only warns
    ]


# -- two files at once -----------------------------------------------------------------------------------------------

ONE, OTHER = ([["Place", "Heads"], ["Ash", "1"], ["Aspen", heads]] for heads in ("2", "5"))


def held_and_counting(desk: kit.Desk) -> tuple[list[str], list[str]]:
    """The files that are held and those whose figures count, after a look."""
    taken = desk.take_in()
    choice = taken.decision.choice
    held = sorted(each.landing_path.rsplit("/", 1)[-1] for each in choice.held)
    return held, sorted(r.file_name for r in taken.receipts if r.receipt_id in choice.in_force)


def test_of_two_files_that_came_together_and_disagree_neither_counts_until_one_is_taken_back(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(ONE, name="a.csv")
    desk.land(OTHER, name="b.csv")
    assert held_and_counting(desk) == (["a.csv", "b.csv"], [])
    assert "files_agree" in desk.taken.decision.choice.held[0].because
    assert held_and_counting(desk) == (["a.csv", "b.csv"], [])
    (desk.folder / "landing/desk/file/2020/b.csv.withdrawn").write_text("the draft")
    assert held_and_counting(desk) == ([], ["a.csv"])


@pytest.mark.parametrize("second", [ONE, [["Place", "Heads"], ["Beech", "3"]]])
def test_two_files_that_came_together_and_agree_or_share_nothing_both_count(tmp_path: Path, second: Any) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(ONE, name="a.csv")
    desk.land(second, name="b.csv")
    assert held_and_counting(desk) == ([], ["a.csv", "b.csv"])


def test_a_file_that_comes_later_corrects_the_one_before_it(tmp_path: Path) -> None:
    desk = kit.Desk(tmp_path)
    desk.land(ONE, name="a.csv")
    desk.take_in()
    desk.land(OTHER, name="b.csv")
    assert held_and_counting(desk) == ([], ["a.csv", "b.csv"])
