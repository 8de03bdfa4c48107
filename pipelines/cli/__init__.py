"""The command line: one door to `run`. It parses, calls, prints, and turns errors into exit codes.

No step's logic is here. Exit codes: 0 done, 1 a fault of the program, 2 wrong use or configuration, 3 blocked by
a gate, 4 busy.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
import traceback
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pipelines.errors import BlockedError, JunhengError, UsageError
from pipelines.settings import Settings

app = typer.Typer(
    name="junheng",
    help="Junheng: departments' files in, checked and traceable releases of public-service statistics out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@dataclass
class Door:
    """What the person at the door asked for in general."""

    as_json: bool = False
    debug: bool = False
    settings: Settings | None = None  # None until the options are understood


_door = Door()

JurisdictionOption = Annotated[
    Path | None,
    typer.Option("--jurisdiction", help="Folder of the jurisdiction. Default: raw/zhejiang.", metavar="FOLDER"),
]
WarehouseOption = Annotated[
    Path | None,
    typer.Option("--warehouse", help="Folder of the warehouse. Default: warehouse.", metavar="FOLDER"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, errors included.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
ExtractOption = Annotated[
    str | None, typer.Option("--extract", help="Only this extract.", metavar="DEPARTMENT/EXTRACT")
]
PeriodOption = Annotated[
    str | None,
    typer.Option("--period", help="Only this delivery period, or the range FIRST..LAST.", metavar="PERIOD"),
]


def _enter(jurisdiction: Path | None, warehouse: Path | None, as_json: bool, debug: bool) -> Settings:
    _door.as_json, _door.debug = as_json, debug
    _door.settings = Settings.from_environment(jurisdiction, warehouse)
    return _door.settings


def _say(text: str) -> None:
    """Progress goes to standard error: standard output is for results."""
    if not _door.as_json:
        sys.stderr.write(f"  {text}\n")
        sys.stderr.flush()


def _print(payload: Any, text: str) -> None:
    """The result, as JSON when asked for, else as text."""
    if _door.as_json:
        sys.stdout.write(json.dumps(payload, ensure_ascii=False, indent=1, default=str) + "\n")
    else:
        sys.stdout.write(text.rstrip("\n") + "\n")


def _table(rows: list[dict[str, Any]], columns: list[str] | None = None) -> str:
    """Rows as an aligned table; wide (Chinese) characters count as two."""
    from rich.cells import cell_len

    if not rows:
        return "(none)"
    columns = columns or list(rows[0])
    cells = [[_cell(row.get(c)) for c in columns] for row in rows]
    widths = [max(cell_len(x) for x in [c, *(r[i] for r in cells)]) for i, c in enumerate(columns)]
    lines = ["  ".join(c + " " * (w - cell_len(c)) for c, w in zip(columns, widths, strict=True)).rstrip()]
    lines.append("  ".join("-" * w for w in widths))
    for row in cells:
        lines.append("  ".join(x + " " * (w - cell_len(x)) for x, w in zip(row, widths, strict=True)).rstrip())
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.1f}"
    return str(value).replace("\n", " ")[:120]


def _release_folder(settings: Settings, release: str | None) -> Path:
    from pipelines.store import Warehouse

    warehouse = Warehouse(settings.warehouse_folder / settings.jurisdiction_folder.name)
    folder = warehouse.release_folder(release) if release else warehouse.current
    _warn_of_withdrawal(warehouse, release)
    if not (folder / "manifest.json").exists():
        raise UsageError(
            f"there is no release {release}" if release else "nothing has been released yet",
            where=str(warehouse.releases),
            do="see `junheng releases`" if release else "run `junheng run` first",
        )
    return folder.resolve()


def _warn_of_withdrawal(warehouse: Any, *releases: str | None) -> list[str]:
    """Say on standard error, whatever the form of the result, that a release named by a person was withdrawn."""
    from pipelines.standing import said_of_withdrawal, states

    known = states(warehouse)
    said = [said_of_withdrawal(r, known[r]) for r in releases if r in known]
    for line in filter(None, said):
        sys.stderr.write(f"junheng: warning: {line}\n")
    return [line for line in said if line]


@app.command()
def run(
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
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Receive, read, build, protect, judge, prepare, seal: only what changed."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    if reference_geography:
        settings = replace(settings, reference_geographies=tuple(sorted(set(reference_geography))))
    from pipelines import run as runs

    report = runs.run(settings, extract=extract, period=period, as_of=as_of, full=full, say=_say)
    if report.outcome == "nothing_new":
        said = f"nothing new: release {report.release_id} is up to date"
        if report.is_set_back:
            stays = (
                f"current stays set back to release {report.release_id}" if report.release_id else "nothing is current"
            )
            said = f"nothing new: {stays} (`junheng run --full` publishes anew)"
        _print(report.as_dict(), f"{said}\n  {report.release_folder or '(no release)'}{_late_lines(report.late)}")
        return
    folder = Path(report.release_folder or "")
    seconds = "  ".join(f"{name} {value:.1f} s" for name, value in report.seconds.items())
    _print(
        report.as_dict(),
        f"published release {report.release_id}\n"
        f"  release   {folder}\n"
        f"  database  {folder / 'public.duckdb'}\n"
        f"  pages     {folder / 'pages' / 'index.html'}\n"
        f"  quality   {folder / 'quality' / 'index.html'}\n"
        f"  received {report.new_receipts} new file(s), read {report.new_readings}; "
        f"{report.rejects} reject(s), {report.known_rejects} of them known\n"
        f"  {seconds}{_late_lines(report.late)}",
    )


def _late_lines(late: list[dict[str, Any]]) -> str:
    """What is due and has not come, a line each, to stand under the result of a run."""
    return "".join(
        f"\n  late: {due['department']}/{due['extract']} {due['delivery_period']}, due {due['due_on']}, {due['owner']}"
        for due in late
    )


@app.command()
def backfill(
    extract: Annotated[str, typer.Argument(metavar="DEPARTMENT/EXTRACT")],
    period: Annotated[str, typer.Argument(help="One delivery period, or FIRST..LAST.", metavar="PERIOD[..PERIOD]")],
    only_missing: Annotated[
        bool, typer.Option("--only-missing", help="Only periods that landed and were not read by the present rules.")
    ] = False,
    only_failed: Annotated[
        bool, typer.Option("--only-failed", help="Only periods whose file could not be read.")
    ] = False,
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Receive and read a range of delivery periods again, then build, judge and release what that changed."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.run.backfill import backfill as fill

    if only_missing and only_failed:
        raise UsageError("--only-missing and --only-failed exclude each other", do="give one of them, or none for all")
    only: Literal["missing", "failed"] | None = "missing" if only_missing else "failed" if only_failed else None
    report = fill(settings, extract, period, only=only, say=_say)
    rows = [{**vars(p), "after": p.after or "left as it is"} for p in report.periods]
    text = _table(rows, ["delivery_period", "before", "after", "files", "rows_accepted", "rejects", "problem"])
    if report.run is None:
        text += f"\nno period of {extract} in {period} is {(only or 'there').replace('_', ' ')}: nothing was done"
    elif report.run.outcome == "published":
        text += f"\npublished release {report.run.release_id}\n  {report.run.release_folder}"
    else:
        text += f"\nnothing new: release {report.run.release_id} rests on just these readings"
    _print(report.as_dict(), text)


@app.command()
def alerts(
    test: Annotated[bool, typer.Option("--test", help="Send a test through every channel.")] = False,
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The channels that alerts go through, and whether they work; --test sends a test through each."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.run.status import alerts_of, try_alerts

    failed = [sent for sent in try_alerts(settings) if sent["problem"]] if test else []
    found = alerts_of(settings)
    _print(found, _table(found, ["channel", "kind", "goes_to", "last_sent_at", "failing_since", "problem"]))
    if failed:
        raise typer.Exit(2)


@app.command()
def receive(
    extract: ExtractOption = None,
    period: PeriodOption = None,
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Receive landed files and read them; build nothing."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.run import Session

    session = Session(settings, _say)
    with session.warehouse.lock():
        taken = session.take_in(extract=extract, period=period)
    unreadable = [r for r in taken.new_readings if r.status == "unreadable"]
    payload = {
        "received": [r.as_dict() for r in taken.new_receipts],
        "read": [r.as_dict() for r in taken.new_readings],
    }
    text = f"received {len(taken.new_receipts)} new file(s), read {len(taken.new_readings)}"
    if unreadable:
        text += f"; {len(unreadable)} cannot be read (see `junheng rejects`)"
    _print(payload, text)


@app.command()
def build(
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Build the marts from what was received, in a private file."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.run import Session

    session = Session(settings, _say)
    with session.warehouse.lock():
        taken = session.take_in(receive=False)
        made = session.build(taken, session.identity(taken))
    _print(made.as_dict(), f"built {made.build_id}\n  {made.folder}")


@app.command()
def judge(
    data_docs: Annotated[
        bool, typer.Option("--data-docs", help="Also make Great Expectations' Data Docs in the build; takes a while.")
    ] = False,
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Judge the build of what was received, and store its verdict."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.run import Session, blocked

    session = Session(settings, _say)
    with session.warehouse.lock():
        made = _current_build(session)
        verdict = session.judge(made, with_documents=data_docs)
        if verdict.outcome != "pass":
            raise blocked(session, made, verdict)
    _print(
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


@app.command()
def release(
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Release the judged build. Refuses without a passing verdict for the current build."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.run import Session

    session = Session(settings, _say)
    with session.warehouse.lock():
        sealed = session.publish(_current_build(session))
    _print(sealed.as_dict(), f"published release {sealed.release_id}\n  {sealed.folder}")


def _current_build(session: Any) -> Any:
    """The build of exactly what is received and agreed now."""
    taken = session.take_in(receive=False)
    made = session.stored_build(session.identity(taken).build_id)
    if made is None:
        raise BlockedError(
            "the present receipts, contracts and code have not been built",
            where=str(session.warehouse.builds),
            do="run `junheng build`, then `junheng judge`",
        )
    return made


@app.command()
def status(
    every: Annotated[bool, typer.Option("--all", help="Every extract, however long the list.")] = False,
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The whole state in one screen: deliveries, what is late or blocked and whose business it is, runs, releases."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.cli.status_screen import screen
    from pipelines.jurisdiction import load
    from pipelines.run.status import status_of

    found = status_of(settings)
    zone = load(settings.jurisdiction_folder).time_zone
    terminal = shutil.get_terminal_size((80, 24))
    _print(found, screen(found, zone, terminal.columns, None if every else terminal.lines))


@app.command()
def rejects(
    extract: ExtractOption = None,
    period: PeriodOption = None,
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Rejected rows and cells: file, sheet, row, column, rule, text."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.run.status import rejects_of

    found = rejects_of(settings, extract, period)
    columns = ["extract", "period", "file", "sheet", "row", "column", "rule", "text", "detail", "known"]
    _print(found, _table(found, columns) if found else "no rejects")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The file to try.", metavar="FILE")],
    contract: Annotated[
        str,
        typer.Option("--contract", help="The extract, or the path of a contract.", metavar="DEPARTMENT/EXTRACT"),
    ],
    period: Annotated[
        str | None, typer.Option("--period", help="Delivery period. Default: as the file lies or is named.")
    ] = None,
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Dry run of one file by a contract: accepted, rejected and why, ignored. Writes nothing."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.run.trial import check_file

    found = check_file(settings, file, contract, period)
    _print(found, _trial_text(found))
    if not found["readable"]:
        raise typer.Exit(3)


@app.command()
def schema(
    kind: Annotated[str, typer.Argument(help="contract or corrections.", metavar="KIND")] = "contract",
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The JSON Schema of contract files (or of corrections), for editors."""
    _enter(None, None, as_json, debug)
    from pipelines.jurisdiction.schema import KINDS, schema_text

    if kind not in KINDS:
        raise UsageError(f"there is no schema {kind!r}", where="KIND", do=f"name one of {', '.join(KINDS)}")
    sys.stdout.write(schema_text(kind))


@app.command()
def sniff(
    file: Annotated[Path, typer.Argument(help="The unknown file.", metavar="FILE")],
    write: Annotated[
        bool, typer.Option("--write", help="Write the contract, its new measures and units into the jurisdiction.")
    ] = False,
    department: Annotated[str | None, typer.Option("--department", help="Who sends the file.", metavar="D")] = None,
    extract: Annotated[
        str | None, typer.Option("--extract", help="What the extract is to be called.", metavar="E")
    ] = None,
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Look at an unknown file and propose a contract that reads it, with the reason for every guess."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.run.trial import sniff_file

    found = sniff_file(settings, file, write=write, department=department, extract=extract)
    parts = [found["proposal"].rstrip("\n"), "", "# What this contract reads:"]
    parts += [f"# {line}".rstrip() for line in _trial_text(found).splitlines()]
    if found["measures_to_add"]:
        parts += ["", "# Measures to add to reference/measures.csv (rename them, in the contract too):"]
        parts += ["#   " + ",".join(line.values()) for line in found["measures_to_add"]]
    if found["units_to_add"]:
        parts += ["", "# Units to add under `units` in jurisdiction.yml (check base and factor):"]
        parts += [
            f"#   {json.dumps(name, ensure_ascii=False)}: {{base: {unit['base']}, factor: {unit['factor']}}}"
            for name, unit in found["units_to_add"].items()
        ]
    parts += ["", *(f"# {note}" for note in found["notes"])] if found["notes"] else []
    parts += ["", *(f"# written: {path}" for path in found["written"])] if found["written"] else []
    _print(found, "\n".join(parts))


def _trial_text(found: dict[str, Any]) -> str:
    """A tried reading as text."""
    if not found["readable"]:
        return f"cannot be read by {found['contract']} (delivery period {found['period']}):\n  {found['problem']}"
    lines = [
        f"{found['contract']}, delivery period {found['period']}: "
        f"{found['observations']:,} figures accepted, {found['rejects']:,} reject(s)"
    ]
    for account in found["tie_out"]:
        sheet = f"sheet {account['source_sheet']}: " if account["source_sheet"] else ""
        lines.append(
            f"  {sheet}{account['rows_read']:,} rows = {account['rows_accepted']:,} accepted + "
            f"{account['rows_rejected']:,} rejected + {account['rows_duplicate']:,} duplicate + "
            f"{account['rows_ignored']:,} ignored"
        )
        lines.append(
            f"  {sheet}{account['values_read']:,} values = {account['values_accepted']:,} accepted + "
            f"{account['values_missing']:,} missing + {account['values_rejected']:,} rejected + "
            f"{account['values_dropped']:,} dropped with their rows"
        )
    if found["ignored"]:
        lines.append("ignored rows: " + ", ".join(f"{i['rows']:,} {i['reason']}" for i in found["ignored"]))
    for rejected in found["rejects_by_rule"]:
        known = f", {rejected['known']} of them known" if rejected["known"] else ""
        lines.append(f"rejected, {rejected['rule']}: {rejected['count']:,}{known}")
        for example in rejected["examples"]:
            row = f"row {example['source_row']}" if example["source_row"] is not None else "file"
            place = f"{row}{' column ' + example['source_column'] if example['source_column'] else ''}"
            lines.append(f"  {place}: {_cell(example['reported_text'])} ({example['detail']})")
    for finding in found["findings"]:
        lines.append(
            f"finding, {finding['severity']}, {finding['check']}: {finding['observed']} "
            f"(expected: {finding['expected']})"
        )
    if found["first"]:
        columns = ["measure", "region_code", "period_end", "residence", "sex", "age_group", "group", "item", "value"]
        columns += ["unit", "obs_status", "source_row", "source_column"]
        lines += ["", "first figures:", _table(found["first"], columns)]
    return "\n".join(lines)


@app.command()
def quality(
    build_id: Annotated[
        str | None, typer.Option("--build", help="Build to show. Default: the newest.", metavar="ID")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show passing checks too.")] = False,
    history: Annotated[
        str | None, typer.Option("--history", help="Every result of one check, oldest first.", metavar="CHECK")
    ] = None,
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Checks, verdict and waivers in use of a build."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.run.status import history_of, quality_of

    if history:
        results = history_of(settings, history)
        columns = ["judged_at", "build_id", "severity", "outcome", "observed", "threshold", "rule_sha256"]
        _print(results, _table(results, columns))
        return
    found = quality_of(settings, build_id)
    verdict = found["verdict"]
    shown = [c for c in found["checks"] if every or c["outcome"] not in ("pass", "not_applicable")]
    text = (
        f"build {found['build_id']}: {verdict['outcome']} "
        f"({verdict['passed']} passed, {verdict['failed']} failed, {verdict['errors']} error(s), "
        f"{verdict['warnings']} warning(s), {verdict['not_applicable']} not applicable)\n"
    )
    if shown:
        text += _table(shown, ["check_id", "severity", "outcome", "observed", "expected", "locations"])
    else:
        text += "every check passed; --all lists them"
    _print(found, text)


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One SQL statement.", metavar="SQL")],
    release_id: Annotated[
        str | None, typer.Option("--release", help="Release to ask. Default: the current one.", metavar="ID")
    ] = None,
    output: Annotated[str, typer.Option("--format", help="table, csv, json or parquet.")] = "table",
    limit: Annotated[int, typer.Option("--limit", help="Rows shown in a table.")] = 1000,
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """SQL on a release, read-only."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.cli.query import ask

    folder = _release_folder(settings, release_id)
    ask(folder, sql, "json" if as_json else output, limit, _table)


@app.command("open")
def open_prompt(
    release_id: Annotated[
        str | None, typer.Argument(help="Release to ask. Default: the current one.", metavar="RELEASE")
    ] = None,
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    debug: DebugOption = False,
) -> None:
    """An SQL prompt on a release: completion of names, recipes at hand, read-only."""
    settings = _enter(jurisdiction, warehouse, False, debug)
    from pipelines.cli.prompt import visit

    visit(_release_folder(settings, release_id), _table)


@app.command()
def recipes(
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The questions with their SQL that a jurisdiction has at hand, as Markdown."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.jurisdiction import load
    from pipelines.jurisdiction.recipes import as_markdown

    place = load(settings.jurisdiction_folder)
    text = as_markdown(place.recipes, place.name, place.name_en)
    _print([recipe.model_dump() for recipe in place.recipes], text.rstrip("\n"))


@app.command()
def export(
    release_id: Annotated[
        str | None, typer.Argument(help="Release to write out. Default: the current one.", metavar="RELEASE")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="parquet, csv, xlsx, sdmx-csv, json-stat, datapackage, zip, or all.")
    ] = "csv",
    out: Annotated[Path, typer.Option("--out", help="Folder to write into.", metavar="FOLDER")] = Path("exports"),
    tables: Annotated[
        list[str] | None, typer.Option("--table", help="Only this table; may be given again.", metavar="TABLE")
    ] = None,
    encoding: Annotated[str, typer.Option("--encoding", help="Of CSV files: utf-8 or gb18030.")] = "utf-8",
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Downloads of a release with their notes: one folder a format."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.exports import Order
    from pipelines.exports import export as write

    folder = _release_folder(settings, release_id)
    done = write(folder, form, out, Order(tuple(tables or ()), encoding))
    for written in done:
        for note in written.notes:
            _say(f"note: {note}")
    _print([asdict(written) for written in done], "\n".join(f"{e.folder}  {len(e.files)} files" for e in done))


@app.command()
def report(
    release_id: Annotated[
        str | None, typer.Argument(help="Release to report on. Default: the current one.", metavar="RELEASE")
    ] = None,
    year: Annotated[int | None, typer.Option("--year", help="Year to report on. Default: the newest.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write into.", metavar="FOLDER")] = Path("report"),
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """The yearly evaluation report of a release, as HTML and PDF, with the regions' replies beside their figures."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.jurisdiction.replies import load_replies
    from pipelines.pages import report as reporting

    folder = _release_folder(settings, release_id)
    replies = load_replies(settings.jurisdiction_folder / "replies.yml", reporting.region_codes(folder))
    written = reporting.write(folder, out, year, replies)
    for note in written.notes:
        _say(f"note: {note}")
    _print(asdict(written), "\n".join(written.files))


@app.command()
def pages(
    release_id: Annotated[str | None, typer.Argument(metavar="RELEASE")] = None,
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Where the pages of a release are."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    folder = _release_folder(settings, release_id)
    found = {
        "release": folder.name,
        "pages": str(folder / "pages/index.html"),
        "quality": str(folder / "quality/index.html"),
    }
    _print(found, f"{found['pages']}\n{found['quality']}")


@app.command()
def doctor(
    jurisdiction: JurisdictionOption = None,
    warehouse: WarehouseOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Check the installation: versions, fonts, disk, permissions, configuration."""
    settings = _enter(jurisdiction, warehouse, as_json, debug)
    from pipelines.cli.doctor import examine

    findings = examine(settings)
    _print(findings, _table(findings, ["what", "state", "found", "do"]))
    if any(f["state"] == "bad" for f in findings):
        raise typer.Exit(2)


def _show(error: JunhengError) -> None:
    if _door.as_json:
        sys.stderr.write(json.dumps(error.as_dict(), ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"junheng: {error}\n")


def _report_fault(error: BaseException) -> Path:
    """Write a report of a fault of the program where a person can pick it up: in the logs of the warehouse."""
    from pipelines.store import Warehouse, now_utc, write_atomically

    name = f"fault-{now_utc().replace(':', '').replace('-', '')}.txt"
    text = "".join(traceback.format_exception(error))
    text = f"{platform.platform()}\nPython {sys.version}\n{' '.join(sys.argv)}\n\n{text}"
    folders = [Path(tempfile.gettempdir())]  # where the warehouse itself is the trouble
    if _door.settings is not None:
        folders.insert(0, Warehouse(_door.settings.warehouse_folder / _door.settings.jurisdiction_folder.name).logs)
    for folder in folders:
        try:
            write_atomically(folder / name, text.encode())
        except OSError:
            continue
        return folder / name
    return Path(os.devnull)


def main() -> None:
    """Run the command line and leave with its exit code."""
    # Wrong use is found before the options are understood; it must be told in the form asked for all the same.
    _door.as_json, _door.debug, _door.settings = "--json" in sys.argv, "--debug" in sys.argv, None
    try:
        returned = app(standalone_mode=False)  # the code of a typer.Exit is returned, not raised
        code = returned if isinstance(returned, int) else 0
    except typer.Abort:
        sys.stderr.write("junheng: stopped\n")
        code = 2
    except JunhengError as error:
        _show(error)
        if _door.debug:
            traceback.print_exc()
        code = error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("junheng: stopped; the last release is untouched\n")
        code = 2
    except BrokenPipeError:
        code = 0
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        click_message = getattr(error, "format_message", None)
        if click_message is not None:  # wrong use found by the option parser
            _show(UsageError(click_message(), do="see `junheng --help`"))
            code = 2
        else:
            path = _report_fault(error)
            _show(
                JunhengError(
                    f"a fault of the program: {type(error).__name__}: {error}",
                    where=str(path),
                    do="send that report",
                )
            )
            if _door.debug:
                traceback.print_exc()
            code = 1
    sys.exit(code)


from pipelines.cli import evidence, tracing  # noqa: E402  # their commands stand on what is above

__all__ = ["app", "evidence", "main", "tracing"]
