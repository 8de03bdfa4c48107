"""What is due and has not come: reckoned by the contract, told by the clock, red in the verdict."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import country
import duckdb
import hand_made
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import intake, quality
from pipelines.errors import BlockedError, ConfigurationError
from pipelines.jurisdiction import Contract, Jurisdiction, load
from pipelines.jurisdiction.cadence import Owed, Periods, number_of, owed, span_of
from pipelines.ledger import Ledger
from pipelines.quality import deliveries
from pipelines.records import Due, Punctuality
from pipelines.store import Warehouse

BUDGET = "treasury/budget"
YEARLY = {"property": "frequency", "value": 1, "unit": "y"}
IN_A_MONTH = {"property": "latency", "value": 31, "unit": "d"}


def contract(*levels: dict[str, Any], period: dict[str, Any] | None = None, **fields: Any) -> Contract:
    """The budget's contract with other service levels, and another rule for its periods."""
    body = {**country.CONTRACTS[BUDGET], "slaProperties": list(levels), **fields}
    if period:
        body["layouts"] = [{**layout, "period": {**layout["period"], **period}} for layout in body["layouts"]]
    return Contract.model_validate(body)


def level(name: str, value: Any, unit: str = "d") -> dict[str, Any]:
    return {"property": name, "value": value, "unit": unit}


# -- what is owed ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "latency", "come", "expected"),
    [
        ((1, "y"), (31, "d"), {"2020"}, [("2020", "2021-01-31"), ("2021", "2022-01-31")]),
        ((10, "y"), (2, "y"), {"2010", "2020"},
         [("2010", "2012-12-31"), ("2020", "2022-12-31"), ("2030", "2032-12-31")]),
        ((1, "q"), (1, "m"), {"2020-Q4"},
         [("2020-Q4", "2021-01-31"), ("2021-Q1", "2021-04-30"), ("2021-Q2", "2021-07-31")]),
        ((1, "m"), (15, "d"), {"2020-11"},
         [("2020-11", "2020-12-15"), ("2020-12", "2021-01-15"), ("2021-01", "2021-02-15")]),
        ((1, "m"), (1, "m"), {"202101"}, [("202101", "2021-02-28"), ("202102", "2021-03-31")]),
        ((1, "m"), (0, "d"), {"2020年12月"}, [("2020年12月", "2020-12-31"), ("2021年01月", "2021-01-31")]),
        ((2, "w"), (3, "d"), {"2020-W53"}, [("2020-W53", "2021-01-06"), ("2021-W02", "2021-01-20")]),
        ((1, "d"), (1, "d"), {"2020-12-31"}, [("2020-12-31", "2021-01-01"), ("2021-01-01", "2021-01-02")]),
        ((1, "y"), (1, "w"), {"2019-20"}, [("2019-20", "2020-04-07"), ("2020-21", "2021-04-07")]),
    ],
)  # fmt: skip
def test_deliveries_follow_each_other_as_the_contract_says_and_are_named_as_their_folders_are(
    frequency: tuple[int, str], latency: tuple[int, str], come: set[str], expected: list[tuple[str, str]]
) -> None:
    financial_year = {"starts": "04-01"} if come == {"2019-20"} else {}
    rule = contract(
        level("frequency", *frequency), level("latency", *latency), period={"kind": "year", **financial_year}
    )
    found = [(o.delivery_period, o.due_on.isoformat()) for o in islice(owed(rule, come), len(expected))]
    assert found == expected


def test_a_financial_year_is_over_where_the_contract_says_it_ends() -> None:
    levels = (YEARLY, level("latency", 0))
    by_start = contract(*levels, period={"kind": "year", "starts": "07-01", "named_by": "start"})
    by_end = contract(*levels, period={"kind": "year", "starts": "07-01", "named_by": "end"})
    on_a_day = contract(*levels, period={"kind": "point", "month_day": "11-01"})
    assert [next(owed(c, {"2020"})).due_on for c in (by_start, by_end, on_a_day)] == [
        date(2021, 6, 30), date(2020, 6, 30), date(2020, 11, 1),
    ]  # fmt: skip


def test_a_hole_between_two_deliveries_is_owed_unless_a_later_one_replaces_all() -> None:
    come = {"2018", "2020"}
    names = [o.delivery_period for o in islice(owed(contract(YEARLY, IN_A_MONTH), come), 4)]
    assert names == ["2018", "2019", "2020", "2021"]
    whole = contract(YEARLY, IN_A_MONTH, delivery="replaces_all")
    assert [o.delivery_period for o in islice(owed(whole, come), 3)] == ["2018", "2020", "2021"]


def test_the_first_and_the_last_that_are_owed_are_named_by_the_contract() -> None:
    rule = contract(YEARLY, IN_A_MONTH, level("generalAvailability", "2019"), level("endOfSupport", "2021"))
    expected = [Owed(str(year), date(year + 1, 1, 31)) for year in (2019, 2020, 2021)]
    assert list(owed(rule, set())) == expected, "also while nothing has come"
    assert list(owed(rule, {"2020"})) == expected


@pytest.mark.parametrize("levels", [(), (YEARLY,)])
def test_nothing_is_owed_where_nothing_was_agreed(levels: tuple[dict[str, Any], ...]) -> None:
    assert list(owed(contract(*levels), {"2020"})) == []


def test_nothing_can_be_said_of_periods_that_are_none() -> None:
    assert list(owed(contract(YEARLY, IN_A_MONTH), {"first round", "2020-W60"})) == []


@pytest.mark.parametrize(
    "levels",
    [
        [IN_A_MONTH],
        [YEARLY, YEARLY],
        [level("frequency", 0, "y")],
        [level("frequency", "often", "y")],
        [level("frequency", 1, "century")],
        [YEARLY, level("latency", -1)],
        [YEARLY, IN_A_MONTH, level("generalAvailability", "soon")],
        [level("frequency", 1, "m"), IN_A_MONTH, level("endOfSupport", "2021")],
    ],
)
def test_service_levels_that_make_no_sense_are_refused_with_their_line(tmp_path: Path, levels: list[Any]) -> None:
    place = country.make_country(tmp_path / "verdania", landed=False)
    place.write_contract(BUDGET, lambda c: c.update(slaProperties=levels))
    with pytest.raises(ConfigurationError, match="line ") as error:
        load(place.folder)
    assert error.value.where.endswith("budget.yml")


@given(
    unit=st.sampled_from("yqmwd"),
    day=st.dates(date(1990, 1, 8), date(2090, 12, 24)),
)
def test_every_day_lies_in_one_period_of_each_kind_and_periods_follow_without_a_gap(unit: str, day: date) -> None:
    year, week, _ = day.isocalendar()
    name = {
        "y": f"{day:%Y}",
        "q": f"{day:%Y}-Q{(day.month + 2) // 3}",
        "m": f"{day:%Y-%m}",
        "w": f"{year}-W{week:02}",
        "d": day.isoformat(),
    }[unit]
    span = span_of(name, unit)
    assert span is not None and span[0] <= day <= span[1]
    rule = contract(level("frequency", 1, unit), level("latency", 0), period={"kind": "year"})
    first, second = islice(owed(rule, {name}), 2)
    assert (first.delivery_period, first.due_on) == (name, span[1])
    following = span_of(second.delivery_period, unit)
    assert following is not None and (following[0] - span[1]).days == 1
    number, next_number = number_of(name, unit), number_of(second.delivery_period, unit)
    assert number is not None and next_number == number + 1


@pytest.mark.parametrize(
    ("text", "unit", "inside", "outside"),
    [
        ("2015..2018", None, ["2015", "2018", "2018-12", "2016-Q1", "2018-19"], ["2014", "2019", "census"]),
        ("2020-11..2021-02", "m", ["2020-11", "2021-01"], ["2020-10", "2021-03", "2020"]),
        ("2010-11..", "m", ["2010-11", "2030-01"], ["2010-10"]),
        ("..2018", "y", ["1990", "2018"], ["2019"]),
        ("2018", None, ["2018"], ["2018-01", "2019"]),
        ("first round", None, ["first round"], ["second round"]),
    ],
)
def test_a_range_holds_the_periods_that_lie_in_it_as_a_whole(
    text: str, unit: str | None, inside: list[str], outside: list[str]
) -> None:
    periods = Periods(text, unit)
    assert [p for p in inside if p not in periods] == [] and [p for p in outside if p in periods] == []


@pytest.mark.parametrize("text", ["2018..2015", "spring..2018", "2018..autumn"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"comes after|no period"):
        Periods(text)


# -- what is late ------------------------------------------------------------------------------------------------------


def house(folder: Path, change: Any = None) -> tuple[Jurisdiction, Warehouse]:
    """Verdania with its budget of 2020 received: due on 31 January in the time zone of the Pacific's end."""
    without = [extract for extract in country.DELIVERIES if extract != BUDGET]
    text = country.JURISDICTION.replace("Atlantic/Reykjavik", "Pacific/Auckland")
    place = country.make_country(folder / "verdania", without=without, jurisdiction=text)

    def agree(contract: dict[str, Any]) -> None:
        contract["slaProperties"] = [YEARLY, IN_A_MONTH]
        if change:
            change(contract)

    place.write_contract(BUDGET, agree)
    jurisdiction, warehouse = load(place.folder), Warehouse(folder / "warehouse" / "verdania")
    intake.receive(jurisdiction, warehouse, Ledger(warehouse.ledger))
    return jurisdiction, warehouse


def at(jurisdiction: Jurisdiction, warehouse: Warehouse, moment: str) -> Punctuality:
    waits = intake.waiting(jurisdiction, warehouse)
    when = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return intake.punctuality(jurisdiction, intake.all_receipts(warehouse), waits, when)[BUDGET]


def test_a_delivery_is_late_from_the_end_of_its_day_in_the_jurisdictions_time_zone(tmp_path: Path) -> None:
    place = house(tmp_path)
    before, after = at(*place, "2022-01-31T10:59:59"), at(*place, "2022-01-31T11:00:00")
    assert before.late == [] and before.following is not None
    assert (before.following.delivery_period, before.following.late_from) == ("2021", "2022-01-31T11:00:00Z")
    (late,) = after.late
    assert (late.extract_id, late.due_on, late.owner) == (
        BUDGET,
        "2022-01-31",
        country.CONTRACTS[BUDGET]["team"][0]["name"],
    )
    assert after.following is not None and after.following.delivery_period == "2022"


def test_each_year_without_a_file_is_late_by_itself(tmp_path: Path) -> None:
    found = at(*house(tmp_path), "2024-06-01T00:00:00")
    assert [due.delivery_period for due in found.late] == ["2021", "2022", "2023"]


def test_a_delivery_that_was_withdrawn_is_owed_again(tmp_path: Path) -> None:
    jurisdiction, warehouse = house(tmp_path, lambda c: c["slaProperties"].append(level("generalAvailability", "2020")))
    path = jurisdiction.landing / BUDGET / "2020"
    (file,) = path.iterdir()
    file.rename(file.with_name(file.name + ".withdrawn"))
    intake.receive(jurisdiction, warehouse, Ledger(warehouse.ledger))
    found = at(jurisdiction, warehouse, "2021-06-01T00:00:00")
    assert [due.delivery_period for due in found.late] == ["2020"]


@pytest.mark.parametrize("status", ["draft", "retired"])
def test_a_contract_that_is_not_in_force_owes_nothing(tmp_path: Path, status: str) -> None:
    found = at(*house(tmp_path, lambda c: c.update(status=status)), "2024-06-01T00:00:00")
    assert (found.late, found.following, found.is_agreed) == ([], None, False)


def test_what_the_contract_sets_aside_is_no_finding(tmp_path: Path) -> None:
    jurisdiction, warehouse = house(tmp_path, lambda c: c.update(quality={"late_delivery": "ignore"}))
    found = at(jurisdiction, warehouse, "2024-06-01T00:00:00")
    assert found.late and intake.late_deliveries({BUDGET: found}) == []
    assert deliveries.rests_on_clock_until({BUDGET: found}) is None


# -- the check and the verdict -----------------------------------------------------------------------------------------

LATE = Due("health", "beds", "2021", "2022-01-31", "2022-02-01T00:00:00Z", "health office")
NEXT = Due("health", "beds", "2099", "2100-01-31", "2100-02-01T00:00:00Z", "health office")


def judged(folder: Path, found: Punctuality, as_of: str | None = None) -> tuple[Any, Any]:
    """The verdict on a hand-made build, and its result of `on_time`."""
    from dataclasses import replace

    warehouse = Warehouse(folder / "warehouse" / "somewhere")
    build = replace(hand_made.make_build(warehouse), as_of=as_of)
    expectations = hand_made.expectations_folder(folder / "expectations")
    rules = hand_made.rules(build, expectations, folder / "waivers.yml", on_time={"health/beds": found})
    verdict = quality.judge(warehouse, build, rules)
    (result,) = [r for r in quality.read_results(build) if r.check_id == "intake.on_time.health/beds"]
    return verdict, result


@pytest.mark.parametrize(("gravity", "outcome"), [("warn", "pass"), ("block", "blocked")])
def test_a_late_delivery_turns_the_check_red_as_gravely_as_the_contract_says(
    tmp_path: Path, gravity: Any, outcome: str
) -> None:
    verdict, result = judged(tmp_path, Punctuality("health/beds", gravity, True, [LATE], NEXT))
    assert (result.outcome, result.severity, result.failing_rows) == ("fail", gravity, 1)
    assert result.locations == "2021: was due on 2022-01-31 from health office" and result.owner == "health office"
    assert verdict.outcome == outcome


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (Punctuality("health/beds", "warn", True, [], NEXT), "pass"),
        (Punctuality("health/beds", "ignore", True, [LATE], NEXT), "not_applicable"),
        (Punctuality("health/beds", "warn", False), "not_applicable"),
        (Punctuality("health/beds", "warn", True), "not_applicable"),
    ],
)
def test_a_delivery_in_time_passes_and_what_was_not_agreed_is_no_pass(
    tmp_path: Path, found: Punctuality, outcome: str
) -> None:
    assert judged(tmp_path, found)[1].outcome == outcome


def test_a_check_of_lateness_that_nobody_made_is_an_error_and_blocks(tmp_path: Path) -> None:
    build = hand_made.make_build(Warehouse(tmp_path / "warehouse" / "somewhere"))
    with duckdb.connect(str(build.database), read_only=True) as connection:
        (result,) = [r for r in deliveries.judge(connection, {}) if r.check_id.startswith("intake.on_time")]
    assert result.outcome == "error" and result.blocks


def test_a_verdict_holds_until_the_next_delivery_becomes_due_and_no_longer(tmp_path: Path) -> None:
    verdict, _ = judged(tmp_path / "a", Punctuality("health/beds", "warn", True, [], NEXT))
    assert verdict.valid_until == "2100-02-01T00:00:00Z"
    warehouse = Warehouse(tmp_path / "b" / "warehouse" / "somewhere")
    build = hand_made.make_build(warehouse)
    folder = hand_made.expectations_folder(tmp_path / "b" / "expectations")
    found = {"health/beds": Punctuality("health/beds", "warn", True, [], LATE)}
    rules = hand_made.rules(build, folder, tmp_path / "waivers.yml", on_time=found)
    assert quality.judge(warehouse, build, rules).outcome == "pass"
    with pytest.raises(BlockedError, match="valid until 2022-02-01"):
        quality.require_passing(build, Ledger(warehouse.ledger))
    looking_back, _ = judged(tmp_path / "c", Punctuality("health/beds", "warn", True, [], NEXT), as_of="2021-01-01")
    assert looking_back.valid_until is None, "a moment that is past does not pass again"
