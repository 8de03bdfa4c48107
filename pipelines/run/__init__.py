"""The steps in order: what is new, what must be done again, what comes next.

Both doors, the command line and Dagster, come through here; a `Session` is one visit. Each step's own work is
its room's: this room only decides what to call and when.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipelines.errors import BlockedError, UsageError
from pipelines.records import Build, Verdict
from pipelines.run import held, telling
from pipelines.run.session import Say, Session, verdict_in_short
from pipelines.run.taking_in import Intake, in_force
from pipelines.run.watching import Watch, watch
from pipelines.settings import Settings
from pipelines.store import now_utc, read_json


@dataclass
class RunReport:
    """What a run did, for people and for `--json`."""

    outcome: str  # published, nothing_new
    jurisdiction: str
    build_id: str
    release_id: str | None = None
    release_folder: str | None = None
    is_set_back: bool = False  # nothing new, and a person set `current` back from this build's release, or withdrew it
    new_receipts: int = 0
    new_readings: int = 0
    rejects: int = 0
    known_rejects: int = 0
    held_back: list[str] = field(default_factory=list)  # person-level files that wait for a key
    held: list[dict[str, Any]] = field(default_factory=list)  # deliveries that failed a check and do not count
    held_in_short: str = ""  # how many they are, and since when
    refused: list[dict[str, str]] = field(default_factory=list)  # what lies in landing and cannot be taken in
    differences: list[dict[str, str]] = field(default_factory=list)  # what new files did to the figures before them
    late: list[dict[str, Any]] = field(default_factory=list)  # deliveries that are due and have not come
    alerts: list[dict[str, Any]] = field(default_factory=list)  # per channel that had something to tell
    seconds: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON types."""
        return asdict(self)


def run(
    settings: Settings,
    *,
    extract: str | None = None,
    period: str | None = None,
    as_of: str | None = None,
    full: bool = False,
    say: Say = lambda _: None,
) -> RunReport:
    """Everything in order: receive, read, build, protect, judge, prepare, seal; only what changed, unless `full`.

    Raises BlockedError when a gate refuses (the last release stays), BusyError when another run is at work.
    """
    session = Session(settings, say)
    moment = as_of_moment(as_of) if as_of else None
    asked = {"extract": extract, "period": period, "as_of": as_of, "full": full}
    # What was known at another time is one person's question: nobody else is told of it.
    with watch(session, door="run", asked=asked, tells=moment is None) as watched:
        with session.hold(), session.dbt_at_hand() as start_dbt:
            session.signing_key()  # a run must not do all its work and then end without a signature
            taken = session.take_in(extract=extract, period=period, as_of=moment, full=full, arrived=start_dbt)
            report = complete(session, taken, moment=moment, full=full)
        watched.done(report.outcome)
    return told(report, watched)


def told(report: RunReport, watched: Watch) -> RunReport:
    """The report with what time alone made a finding, and what became of the alerts."""
    report.late = [due.as_dict() for due in watched.late]
    report.alerts = [asdict(sent) for sent in watched.sent]
    return report


def complete(session: Session, taken: Intake, *, moment: str | None = None, full: bool = False) -> RunReport:
    """Everything after receiving and reading: nothing when the current release rests on just that, unless `full`.

    Raises HeldError when the only news is that deliveries are held, or when there is none that counts: no build is
    made to tell it. Raises BlockedError when a gate refuses, or a delivery fails whose contract lets it stop all.
    """
    choice = taken.decision.choice
    identity = session.identity(taken, moment)
    counting = [reading for reading in taken.readings if reading.receipt_id in choice.in_force]
    report = RunReport(
        outcome="nothing_new",
        jurisdiction=session.jurisdiction.key,
        build_id=identity.build_id,
        new_receipts=len(taken.new_receipts),
        new_readings=len(taken.new_readings),
        rejects=sum(r.rejects for r in counting),
        known_rejects=sum(r.known_rejects for r in counting),
        held_back=taken.held_back,
        held=[each.as_dict() for each in choice.held],
        held_in_short=telling.in_short(choice.held, session.jurisdiction.time_zone) if choice.held else "",
        refused=[asdict(each) for each in taken.refused],
        seconds=session.seconds,
    )
    news = held.record(session, taken) if moment is None else []
    held.stop(session, taken)
    if choice.held and not counting:
        raise held.refusal(session, choice.held, is_all=True)
    is_asked_for = full or moment is not None
    is_current = session.rests_on(session.current_manifest(), identity, choice)
    report.is_set_back = not is_asked_for and not is_current and session.is_set_back_from(identity, choice)
    if not is_asked_for and (is_current or report.is_set_back):
        if news:
            raise held.refusal(session, news)
        report.release_id = session.warehouse.current_release_id()
        if report.release_id:
            report.release_folder = str(session.warehouse.release_folder(report.release_id))
        return report
    stored = None if full else session.stored_build(identity.build_id)
    if stored is None:
        from pipelines import quality

        quality.load_waivers(session.jurisdiction.waivers_file, None)  # a mistake in it is told before the work
        quality.preload()  # its import takes seconds; dbt works in a process of its own meanwhile
        stored = session.build(taken, identity)
        report.differences = session.told
        verdict = session.judge(stored)
    else:
        verdict = stored_verdict(session, stored) or session.judge(stored)
    if verdict.outcome != "pass":
        raise blocked(session, stored, verdict)
    sealed = session.publish(stored, set_current=moment is None)
    report.outcome = "published"
    report.release_id = sealed.release_id
    report.release_folder = str(sealed.folder)
    return report


def stored_verdict(session: Session, build: Build) -> Verdict | None:
    """The verdict stored with a build, or None when there is none that still holds."""
    path = session.warehouse.build_folder(build.build_id) / "verdict.json"
    verdict = Verdict.from_dict(read_json(path)) if path.exists() else None
    if verdict is not None and verdict.valid_until is not None and verdict.valid_until < now_utc():
        return None  # it rested on the clock, or on a waiver that has ended
    if verdict is not None and build.as_of is None and verdict.against != session.warehouse.current_release_id():
        return None  # another release has become current since
    return verdict


def blocked(session: Session, build: Build, verdict: Verdict) -> BlockedError:
    """The error that a blocked verdict becomes, with its failing checks and what they saw."""
    path = session.warehouse.build_folder(build.build_id) / "checks.json"
    results = {r["check_id"]: r for r in (read_json(path) if path.exists() else [])}
    lines = []
    for check_id in verdict.blocking:
        result = results.get(check_id, {})
        observed = str(result.get("observed", ""))
        at = str(result.get("locations", ""))
        lines.append(f"{check_id}: {observed}{' | ' + at if at else ''}"[:400])
    current = session.warehouse.current_release_id()
    return BlockedError(
        f"the build {build.build_id} is blocked by {len(verdict.blocking)} check(s); "
        + (f"the release {current} stays" if current else "nothing has been released yet"),
        where=str(path),
        do="mend the files or the contracts (`junheng rejects`, `junheng quality`), then run again; a file that "
        "should not have come is taken back by a file <its name>.withdrawn beside it that says why",
        failing=lines,
        checks=[
            {
                "check_id": check_id,
                **{
                    name: str(results.get(check_id, {}).get(name, ""))[:300]
                    for name in ("subject", "owner", "observed")
                },
            }
            for check_id in verdict.blocking
        ],
    )


def as_of_moment(text: str) -> str:
    """A moment as people write it, in the form receipts are stamped with (UTC). A bare date means its end.

    Raises UsageError for text that is no moment.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a moment",
            where="--as-of",
            do="write it like 2026-11-23 or 2026-11-23T02:00:00+08:00",
        ) from error
    if len(text) == 10:
        moment = moment.replace(hour=23, minute=59, second=59, microsecond=999999)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


__all__ = [
    "Intake",
    "RunReport",
    "Say",
    "Session",
    "as_of_moment",
    "blocked",
    "complete",
    "in_force",
    "run",
    "stored_verdict",
    "told",
    "verdict_in_short",
]
