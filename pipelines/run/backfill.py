"""A range of delivery periods of one extract read again: all of them, or only those that are missing or failed.

What a period's state is, and which are done again, is decided here; reading, building and releasing are those of
every run.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pipelines import intake
from pipelines.errors import UsageError
from pipelines.jurisdiction.cadence import span_of
from pipelines.records import Reading, Receipt
from pipelines.run import RunReport, Say, Session, complete, told
from pipelines.run.watching import watch
from pipelines.settings import Settings

Only = Literal["missing", "failed"]
State = Literal["not_landed", "missing", "failed", "read"]


@dataclass
class Period:
    """One delivery period of a backfill, before and after."""

    delivery_period: str
    before: State
    is_chosen: bool
    after: State | None = None
    files: int = 0
    rows_accepted: int = 0
    rejects: int = 0
    problem: str = ""


@dataclass
class BackfillReport:
    """What a backfill did, period by period, and the run that followed from it."""

    extract: str
    periods: list[Period] = field(default_factory=list)
    run: RunReport | None = None  # None when no period had to be done again

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON types."""
        return asdict(self)


def backfill(
    settings: Settings, extract: str, period: str, *, only: Only | None = None, say: Say = lambda _: None
) -> BackfillReport:
    """Receive and read the delivery periods of an extract again, then build, judge and release what that changed.

    `period` is one period or a range like 2015..2018. `only` limits it to periods that landed and were not read under
    the present rules (`missing`), or whose file could not be read (`failed`). Raises UsageError for an unknown extract,
    a range that is none, and one for which nothing has landed; else what every run raises.
    """
    session = Session(settings, say)
    asked = {"extract": extract, "period": period, "only": only}
    with watch(session, door="backfill", asked=asked) as watched:
        with session.hold():
            report = BackfillReport(extract, plan(session, extract, period, only))
            chosen = {p.delivery_period for p in report.periods if p.is_chosen}
            if chosen:
                receipts = intake.all_receipts(session.warehouse)
                for name in sorted(chosen):
                    say(f"again: {extract} {name}")
                taken = session.take_in(extract=extract, period=chosen, again=_again(receipts, extract, chosen))
                _look_again(session, report)
                report.run = complete(session, taken)
        watched.done(report.run.outcome if report.run is not None else "nothing_new")
    if report.run is not None:
        told(report.run, watched)
    return report


def plan(session: Session, extract: str, period: str, only: Only | None) -> list[Period]:
    """The periods of a range that have landed or are late, with their state, and whether they are done again."""
    if extract not in session.jurisdiction.contracts:
        raise UsageError(
            f"there is no extract {extract!r}",
            where=str(session.jurisdiction.folder / "contracts"),
            do="name one of " + ", ".join(session.jurisdiction.contracts),
        )
    wanted = session.periods(period, extract)
    states = {name: state for name, state in states_of(session, extract).items() if name in wanted}
    if all(state == "not_landed" for state in states.values()):
        raise UsageError(
            f"no delivery of {extract} has landed for {period}",
            where=str(session.jurisdiction.landing / extract),
            do="put the files there, or name other periods (`junheng status` shows which are in)",
        )
    chosen: set[State] = {only} if only else {"missing", "failed", "read"}
    order = sorted(states, key=lambda name: (span_of(name, wanted.unit) is None, span_of(name, wanted.unit), name))
    return [Period(name, states[name], is_chosen=states[name] in chosen) for name in order]


def states_of(session: Session, extract: str) -> dict[str, State]:
    """The state of every delivery period of an extract: landed and not read, unreadable, read, or late."""
    found: dict[str, State] = {}
    for receipt, reading in _standing(session, extract):
        state: State = "missing" if reading is None else "read" if reading.status == "read" else "failed"
        before = found.get(receipt.delivery_period)
        found[receipt.delivery_period] = _worse(before, state) if before else state
    for wait in intake.waiting(session.jurisdiction, session.warehouse):
        if wait.extract_id == extract and wait.delivery_period:
            found[wait.delivery_period] = "missing"  # something lies there that nobody has read
    for due in session.punctuality()[extract].late:
        found.setdefault(due.delivery_period, "not_landed")
    return found


def _worse(one: State, other: State) -> State:
    order: tuple[State, ...] = ("missing", "failed", "read")
    return min(one, other, key=order.index)


def _standing(session: Session, extract: str) -> list[tuple[Receipt, Reading | None]]:
    """The receipts of an extract that are in force, each with its reading under the present rules."""
    receipts = intake.all_receipts(session.warehouse)
    in_force = intake.in_force(receipts)
    contract = session.jurisdiction.contracts[extract]
    return [
        (
            receipt,
            intake.find_reading(
                receipt, contract, session.jurisdiction, session.warehouse, session.settings.work_limits
            ),
        )
        for receipt in receipts
        if receipt.extract_id == extract and receipt.receipt_id in in_force
    ]


def _again(receipts: list[Receipt], extract: str, chosen: set[str]) -> Any:
    """Which receipts are read although they have a reading: those in force of the chosen periods."""
    in_force = intake.in_force(receipts)
    wanted = {
        r.receipt_id
        for r in receipts
        if r.extract_id == extract and r.delivery_period in chosen and r.receipt_id in in_force
    }
    return lambda receipt: receipt.receipt_id in wanted


def _look_again(session: Session, report: BackfillReport) -> None:
    """What the chosen periods have become."""
    states = states_of(session, report.extract)
    standing = _standing(session, report.extract)
    for period in (period for period in report.periods if period.is_chosen):
        own = [reading for receipt, reading in standing if receipt.delivery_period == period.delivery_period]
        readings = [reading for reading in own if reading is not None]
        period.after = states.get(period.delivery_period, "not_landed")
        period.files = len(readings)
        period.rows_accepted = sum(int(a["rows_accepted"]) for r in readings for a in r.tie_out)
        period.rejects = sum(r.rejects for r in readings)
        period.problem = "; ".join(r.problem for r in readings if r.problem)
