"""A run under watch: its log, how it ended, and who must be told. Both doors open a run here.

What people are told is decided by `alerts`; this module says what the state of things is. Whatever goes wrong with a
log or a channel, the run's own result and its own error come through unchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipelines import alerts, intake
from pipelines.alerts import Condition, Event, Sent
from pipelines.errors import BlockedError, BusyError, HeldError, JunhengError, UsageError
from pipelines.intake import Landed, Refused
from pipelines.records import Due, Held
from pipelines.run.journal import Journal, broken_off

if TYPE_CHECKING:  # the room's own module imports this one
    from pipelines.run import Session

# A run that holds the warehouse for so long hangs; the nights that find it busy must not pass in silence.
STUCK_AFTER = timedelta(hours=6)
# What a run that went all the way ends as; one that only read or built cannot say that a trouble is over.
_WHOLE = ("published", "nothing_new")


class Watch:
    """One run: its session, its log, and what was told of it."""

    def __init__(
        self, session: Session, settings_file: alerts.SettingsFile, journal: Journal | None, tells: bool
    ) -> None:
        self.session = session
        self.settings_file = settings_file
        self.journal = journal
        self.tells = tells  # False for what a person looks into: nobody else is to be told
        self.outcome = ""
        self.sent: list[Sent] = []
        self.late: list[Due] = []
        self.error: BaseException | None = None

    def done(self, outcome: str) -> None:
        """The run has come to its end; said within the block, told after it."""
        self.outcome = outcome

    def failed(self, error: BaseException) -> None:
        """The run has failed, although the block goes on to its end; told after it."""
        self.error = error
        self.outcome = _outcome_of(error)

    def finish(self, error: BaseException | None = None) -> None:
        """Tell who must be told and write the log's last line. Raises nothing: the run's own result comes first."""
        if error is not None:
            self.failed(error)
        try:
            self._note_error()
            if self.tells and self.journal is not None and (self.error is not None or self.outcome in _WHOLE):
                self._tell()
        except Exception as trouble:
            self.session.say(f"warning: alerts could not be sent: {type(trouble).__name__}: {trouble}")
        if self.journal is not None:
            release = self.session.warehouse.current_release_id()
            with _unhindered(self.session.say):
                self.journal.note("finished", outcome=self.outcome, release=release)

    def _note_error(self) -> None:
        if self.error is not None and self.journal is not None:
            failing = getattr(self.error, "checks", [])
            self.journal.note("error", **_described(self.error), checks=[check["check_id"] for check in failing])

    def _tell(self) -> None:
        assert self.journal is not None
        conditions, known = self._state_of_things(self.journal.run_id)
        session = self.session
        occasion = alerts.Occasion(
            jurisdiction=session.warehouse.folder.name,
            name=session.name,
            run_id=self.journal.run_id,
            outcome=self.outcome,
            release=session.warehouse.current_release_id(),
        )
        folder = session.settings.settings_folder
        self.sent = alerts.report(self.settings_file, folder, session.warehouse, occasion, conditions, known)
        for sent in self.sent:
            if sent.problem:
                session.say(f"warning: the alert channel {sent.channel} did not work: {sent.problem}")
        if self.sent:
            self.journal.note("alerts", sent=[asdict(sent) for sent in self.sent])

    def _state_of_things(self, run_id: str) -> tuple[list[Condition], list[Event]]:
        """What holds now, and of which events this run can say that nothing else holds."""
        session, error = self.session, self.error
        found = [_broken(run) for run in broken_off(session.warehouse, but=run_id)]
        if isinstance(error, BusyError):
            return [*found, *_stuck(session)], []
        if isinstance(error, UsageError) or (error is not None and not isinstance(error, Exception)):
            return found, []
        known: list[Event] = ["failed"]
        if isinstance(error, HeldError):
            known.append("blocked")  # nothing was built: what blocked a build before is no news, and no more the state
        elif isinstance(error, BlockedError):
            if not error.checks:  # nothing was judged: somebody asked for a step before its turn
                return found, []
            found.append(_blocked(session, error))
            known.append("blocked")
        elif error is not None:
            found.append(_failed(session, error, run_id))
        else:
            known.append("blocked")
        if session.is_loaded:
            self.late = intake.late_deliveries(session.punctuality())
            found += [_late(due) for due in self.late]
            waits, refused = intake.found_in_landing(session.jurisdiction, session.warehouse)
            found += _held_back(session, waits)
            found += _refused(session, refused)
            known += ["late", "held_back", "refused"]
            if session.decision is not None:
                found += [_held(held) for held in session.decision.choice.held]
                found += _out_of_line(session)
                known += ["held", "value_jump"]
        return found, known


@contextmanager
def watch(
    session: Session,
    *,
    door: str,
    asked: dict[str, Any],
    run_id: str | None = None,
    tells: bool = True,
    will_go_on: Callable[[BaseException], bool] = lambda _: False,
) -> Iterator[Watch]:
    """A session under watch; at the end of the block, or at its error, people are told and the log is closed.

    The log stays open where the block does not say `done`: the run goes on in another block under the same `run_id`.
    `will_go_on` says of an error whether the block will be tried again. Raises ConfigurationError for a mistake in the
    settings file, before anything is done, and whatever the block raises.
    """
    settings_file = alerts.load_settings_file(session.settings.settings_file)
    say = session.say
    journal = None
    if session.settings.jurisdiction_folder.is_dir():  # a misspelt name must leave no folder behind
        with _unhindered(say):
            journal = Journal.open(
                session.warehouse, door=door, asked=asked, run_id=run_id, kept=settings_file.run_logs_kept
            )
            session.note = journal.note
    watched = Watch(session, settings_file, journal, tells)
    try:
        yield watched
    except BaseException as error:
        if will_go_on(error):
            session.note("tried", **_described(error))
        else:
            watched.finish(error)
        raise
    if watched.outcome:
        watched.finish()


@contextmanager
def _unhindered(say: Callable[[str], None]) -> Iterator[None]:
    """A log that cannot be written is a warning, no reason to stop."""
    try:
        yield
    except OSError as error:
        say(f"warning: the run's log cannot be written: {error}")


def _outcome_of(error: BaseException) -> str:
    if isinstance(error, BlockedError | BusyError):
        return error.code
    return "failed" if isinstance(error, Exception) else "stopped"


def _described(error: BaseException) -> dict[str, str]:
    """An error for a log or an alert. A fault's own text may quote a cell: only its type is written down."""
    if isinstance(error, JunhengError):
        return {"code": error.code, "message": error.message, "where": error.where, "do": error.do}
    said = f"a fault of the program: {type(error).__name__}"
    return {"code": "fault", "message": said, "where": "", "do": "see the report in the logs folder"}


def _late(due: Due) -> Condition:
    return Condition(
        key=f"late:{due.extract_id}:{due.delivery_period}",
        event="late",
        subject=due.extract_id,
        message=f"{due.extract_id} {due.delivery_period} was due on {due.due_on} and has not come",
        owner=due.owner,
        since=due.late_from,
        state=due.due_on,
        details={"delivery_period": due.delivery_period, "due_on": due.due_on, "contact": due.contact},
    )


def _refused(session: Session, refused: list[Refused]) -> list[Condition]:
    by_extract: dict[str, list[Refused]] = {}
    for each in refused:
        by_extract.setdefault(each.extract_id, []).append(each)
    conditions = []
    for extract, own in by_extract.items():
        contract = session.jurisdiction.contracts.get(extract)
        more = f"; and {len(own) - 1} more" if len(own) > 1 else ""
        conditions.append(
            Condition(
                key=f"refused:{extract}",
                event="refused",
                subject=extract,
                message=f"{own[0].landing_path} is not taken in: {own[0].detail} ({own[0].do}){more}",
                owner=contract.owner if contract is not None else "",
                state=_digest(*(f"{each.landing_path} {each.rule}" for each in own)),
                details={"entries": [asdict(each) for each in own[:50]], "count": len(own)},
            )
        )
    return conditions


def _held_back(session: Session, waits: list[Landed]) -> list[Condition]:
    files: dict[str, list[str]] = {}
    for wait in waits:
        if wait.waits_for_key:
            files.setdefault(wait.extract_id, []).append(wait.landing_path)
    return [
        Condition(
            key=f"held_back:{extract}",
            event="held_back",
            subject=extract,
            message=f"{len(paths)} person-level file(s) of {extract} wait: no key for ID numbers is configured; "
            f"name one in {intake.KEY_VARIABLE}",
            owner=session.jurisdiction.contracts[extract].owner,
            state=_digest(*paths),
            details={"files": paths[:50], "count": len(paths)},
        )
        for extract, paths in files.items()
    ]


def _held(held: Held) -> Condition:
    """A held delivery: its owner is told what fails and what to do; no text of the file leaves the house."""
    stays = f"its figures stay at the delivery of {held.stays_at}" if held.stays_at else "it has no figures"
    return Condition(
        key=f"held:{held.landing_path}",
        event="held",
        subject=held.extract_id,
        message=f"{held.landing_path} is held: {held.because}; {stays}; what to do: {held.do}",
        owner=held.owner,
        contact=held.contact,
        since=held.since,
        state=f"{held.receipt_id} {_digest(held.because)}",
        details={
            "delivery_period": held.delivery_period,
            "landing_path": held.landing_path,
            "checks": held.checks,
            "stays_at": held.stays_at,
        },
    )


def _out_of_line(session: Session) -> list[Condition]:
    """Single values that are ten, a hundred ... times their neighbours, in deliveries in force: places, no numbers."""
    assert session.decision is not None
    receipts = {receipt.receipt_id: receipt for receipt in intake.all_receipts(session.warehouse)}
    conditions = []
    for receipt_id, found in session.decision.out_of_line.items():
        receipt = receipts[receipt_id]
        places = [one["place"] for one in found]
        more = f" and {len(places) - 3} more" if len(places) > 3 else ""
        conditions.append(
            Condition(
                key=f"value_jump:{receipt_id}",
                event="value_jump",
                subject=receipt.extract_id,
                message=f"{receipt.landing_path} has values that are ten or more times their neighbours in time, or "
                f"such a part of them: {'; '.join(places[:3])}{more}",
                owner=session.jurisdiction.contracts[receipt.extract_id].owner,
                state=_digest(*places),
                details={"delivery_period": receipt.delivery_period, "places": places[:50], "count": len(places)},
            )
        )
    return conditions


def _blocked(session: Session, error: BlockedError) -> Condition:
    owners = sorted({check["owner"] for check in error.checks if check["owner"]})
    named = ", ".join(check["check_id"] for check in error.checks[:5])
    more = f" and {len(error.checks) - 5} more" if len(error.checks) > 5 else ""
    return Condition(
        key="blocked",
        event="blocked",
        subject=session.warehouse.folder.name,
        message=f"{error.message}: {named}{more}",
        owner=", ".join(owners),
        state=_digest(*(f"{check['check_id']} {check['observed']}" for check in error.checks)),
        details={"checks": error.checks[:50], "count": len(error.checks), "where": error.where},
    )


def _failed(session: Session, error: BaseException, run_id: str) -> Condition:
    described = _described(error)
    where = f" ({described['where']})" if described["where"] else ""
    return Condition(
        key="failed",
        event="failed",
        subject=session.warehouse.folder.name,
        message=f"{described['message']}{where}",
        state=run_id,  # every run that fails is told
        details=described,
    )


def _broken(run: dict[str, Any]) -> Condition:
    return Condition(
        key=f"broken_off:{run['run_id']}",
        event="failed",
        subject=run["door"],
        message=f"the run {run['run_id']} broke off: its process is gone without a last word; releases are untouched",
        since=str(run["started_at"] or ""),
        details={"run_id": run["run_id"], "log": run["log"]},
    )


def _stuck(session: Session) -> list[Condition]:
    holder = session.warehouse.lock_holder()
    if holder is None or datetime.now(UTC) - datetime.fromisoformat(holder.since) < STUCK_AFTER:
        return []
    return [
        Condition(
            key="stuck",
            event="failed",
            subject=session.warehouse.folder.name,
            message=f"the process {holder.process} has held the warehouse since {holder.since}; no run gets through",
            since=holder.since,
            state=holder.since,
            details={"process": holder.process},
        )
    ]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:16]
