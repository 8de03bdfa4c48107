"""The commands that move data forward: run, its steps one at a time, backfill, and trying the alerts.

They parse, call and print, like the other commands in this room.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pipelines.cli.common import (
    ExtractOption,
    PeriodOption,
    as_table,
    command,
    print_result,
    say,
)
from pipelines.errors import UsageError
from pipelines.records import Held
from pipelines.settings import Settings

BUILD_FIRST = "run `junheng build`, then `junheng judge`"


@command()
def run(
    settings: Settings,
    extract: ExtractOption = None,
    period: PeriodOption = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="Build what was known then; never becomes current.", metavar="TIME"),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Hash and build everything, new or not.")] = False,
    reference_geography: Annotated[
        list[int] | None,
        typer.Option(
            "--reference-geography",
            help="Re-base figures to the regions at the end of this year (may be given again), for this run, in place "
            "of the years that the jurisdiction names. JUNHENG_REFERENCE_GEOGRAPHIES does so for every command.",
            metavar="YEAR",
        ),
    ] = None,
) -> None:
    """Receive, read, build, protect, judge, prepare, seal: only what changed."""
    if reference_geography:
        settings = replace(settings, reference_geographies=tuple(sorted(set(reference_geography))))
    from pipelines import run as runs

    report = runs.run(settings, extract=extract, period=period, as_of=as_of, full=full, say=say)
    if report.outcome == "nothing_new":
        said = f"nothing new: release {report.release_id} is up to date"
        if report.is_set_back:
            stays = (
                f"current stays set back to release {report.release_id}" if report.release_id else "nothing is current"
            )
            said = f"nothing new: {stays} (`junheng run --full` publishes anew)"
        if report.held:
            said += f"; {report.held_in_short}"
        told = _held_lines(report.held)
        print_result(
            report.as_dict(), f"{said}\n  {report.release_folder or '(no release)'}{told}{_late_lines(report.late)}"
        )
        return
    folder = Path(report.release_folder or "")
    seconds = "  ".join(f"{name} {value:.1f} s" for name, value in report.seconds.items())
    told = _held_lines(report.held)
    print_result(
        report.as_dict(),
        f"{report.held_in_short}:{told}\n" * bool(told) + f"published release {report.release_id}\n"
        f"  release   {folder}\n"
        f"  database  {folder / 'public.duckdb'}\n"
        f"  pages     {folder / 'pages' / 'index.html'}\n"
        f"  quality   {folder / 'quality' / 'index.html'}\n"
        f"  received {report.new_receipts} new file(s), read {report.new_readings}; "
        f"{report.rejects} reject(s), {report.known_rejects} of them known\n"
        f"  {seconds}{_late_lines(report.late)}",
    )


def _held_lines(held: list[dict[str, Any]]) -> str:
    """What is held and why, the file first."""
    from pipelines.run.telling import lines_of

    return "".join(f"\n  {line}" for line in lines_of(Held.from_dict(each) for each in held))


def _late_lines(late: list[dict[str, Any]]) -> str:
    """What is due and has not come, a line each, to stand under the result of a run."""
    return "".join(
        f"\n  late: {due['department']}/{due['extract']} {due['delivery_period']}, due {due['due_on']}, {due['owner']}"
        for due in late
    )


@command()
def backfill(
    settings: Settings,
    extract: Annotated[str, typer.Argument(metavar="DEPARTMENT/EXTRACT")],
    period: Annotated[str, typer.Argument(help="One delivery period, or FIRST..LAST.", metavar="PERIOD[..PERIOD]")],
    only_missing: Annotated[
        bool, typer.Option("--only-missing", help="Only periods that landed and were not read by the present rules.")
    ] = False,
    only_failed: Annotated[
        bool, typer.Option("--only-failed", help="Only periods whose file could not be read.")
    ] = False,
) -> None:
    """Receive and read a range of delivery periods again, then build, judge and release what that changed."""
    from pipelines.run.backfill import backfill as fill

    if only_missing and only_failed:
        raise UsageError("--only-missing and --only-failed exclude each other", do="give one of them, or none for all")
    only: Literal["missing", "failed"] | None = "missing" if only_missing else "failed" if only_failed else None
    report = fill(settings, extract, period, only=only, say=say)
    rows = [{**vars(p), "after": p.after or "left as it is"} for p in report.periods]
    text = as_table(rows, ["delivery_period", "before", "after", "files", "rows_accepted", "rejects", "problem"])
    if report.run is None:
        text += f"\nno period of {extract} in {period} is {(only or 'there').replace('_', ' ')}: nothing was done"
    elif report.run.outcome == "published":
        text += f"\npublished release {report.run.release_id}\n  {report.run.release_folder}"
    else:
        text += f"\nnothing new: release {report.run.release_id} rests on just these readings"
    print_result(report.as_dict(), text)


@command()
def alerts(
    settings: Settings,
    test: Annotated[bool, typer.Option("--test", help="Send a test through every channel.")] = False,
) -> None:
    """The channels that alerts go through, and whether they work; --test sends a test through each."""
    from pipelines.run.status import alerts_of, try_alerts

    failed = [sent for sent in try_alerts(settings) if sent["problem"]] if test else []
    found = alerts_of(settings)
    print_result(found, as_table(found, ["channel", "kind", "goes_to", "last_sent_at", "failing_since", "problem"]))
    if failed:
        raise typer.Exit(2)


@command()
def receive(
    settings: Settings,
    extract: ExtractOption = None,
    period: PeriodOption = None,
) -> None:
    """Receive landed files and read them; build nothing."""
    from pipelines.run import Session

    session = Session(settings, say)
    with session.warehouse.lock():
        taken = session.take_in(extract=extract, period=period)
    unreadable = [r for r in taken.new_readings if r.status == "unreadable"]
    payload = {
        "received": [r.as_dict() for r in taken.new_receipts],
        "read": [r.as_dict() for r in taken.new_readings],
        "refused": [asdict(each) for each in taken.refused],
    }
    text = f"received {len(taken.new_receipts)} new file(s), read {len(taken.new_readings)}"
    if unreadable:
        text += f"; {len(unreadable)} cannot be read (see `junheng rejects`)"
    held = [each.as_dict() for each in taken.decision.choice.held]
    print_result({**payload, "held": held}, text + _held_lines(held))


@command()
def build(
    settings: Settings,
) -> None:
    """Build the marts from what was received, in a private file."""
    from pipelines.run import Session, held

    session = Session(settings, say)
    with session.warehouse.lock():
        taken = session.take_in(receive=False)
        held.record(session, taken)
        held.stop(session, taken)
        made = session.build(taken, session.identity(taken))
    print_result(made.as_dict(), f"built {made.build_id}\n  {made.folder}")


@command()
def judge(
    settings: Settings,
    data_docs: Annotated[
        bool, typer.Option("--data-docs", help="Also make Great Expectations' Data Docs in the build; takes a while.")
    ] = False,
) -> None:
    """Judge the build of what was received, and store its verdict."""
    from pipelines.run import Session, blocked

    session = Session(settings, say)
    with session.warehouse.lock():
        made = session.present_build(BUILD_FIRST)
        verdict = session.judge(made, with_documents=data_docs)
        if verdict.outcome != "pass":
            raise blocked(session, made, verdict)
    print_result(
        verdict.as_dict(),
        f"the build {made.build_id} passes: {verdict.passed} passed, {verdict.warnings} warning(s), "
        f"{verdict.not_applicable} not applicable" + _held_back(verdict.carried_over) + _documents(made, data_docs),
    )


def _held_back(carried_over: list[dict[str, Any]]) -> str:
    """The tables that stay as they were, a line each."""
    return "".join(
        f"\n  {item['table']} stays as in {item['from_release']}: {', '.join(item['checks'])}" for item in carried_over
    )


def _documents(made: Any, wanted: bool) -> str:
    site = Path(made.folder) / "gx" / "uncommitted" / "data_docs" / "local_site" / "index.html"
    return f"\n  Data Docs {site}" if wanted else ""


@command()
def release(
    settings: Settings,
) -> None:
    """Release the judged build. Refuses without a passing verdict for the current build."""
    from pipelines.run import Session

    session = Session(settings, say)
    with session.warehouse.lock():
        sealed = session.publish(session.present_build(BUILD_FIRST))
    print_result(sealed.as_dict(), f"published release {sealed.release_id}\n  {sealed.folder}")
