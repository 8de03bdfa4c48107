"""The commands about what departments send: status, rejects, trying a file, proposing a contract, checks of quality.

They parse, call and print, like the other commands in this room.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.common import (
    ExtractOption,
    PeriodOption,
    as_table,
    command,
    in_short,
    print_result,
)
from pipelines.errors import UnreadableFileError
from pipelines.settings import Settings

_FEW_REGIONS = 8  # lines of regions.csv that are shown below a proposal


@command()
def status(
    settings: Settings,
    every: Annotated[bool, typer.Option("--all", help="Every extract, however long the list.")] = False,
) -> None:
    """The whole state in one screen: deliveries, what is late or blocked and whose business it is, runs, releases."""
    from pipelines.cli.status_screen import screen
    from pipelines.jurisdiction import load
    from pipelines.run.status import status_of

    found = status_of(settings)
    zone = load(settings.jurisdiction_folder).time_zone
    terminal = shutil.get_terminal_size((80, 24))
    print_result(found, screen(found, zone, terminal.columns, None if every else terminal.lines))


@command()
def rejects(
    settings: Settings,
    extract: ExtractOption = None,
    period: PeriodOption = None,
) -> None:
    """Rejected rows and cells: file, sheet, row, column, rule, text."""
    from pipelines.run.status import rejects_of

    found = rejects_of(settings, extract, period)
    columns = ["extract", "period", "file", "sheet", "row", "column", "rule", "text", "detail", "known"]
    print_result(found, as_table(found, columns) if found else "no rejects")


@command()
def check(
    settings: Settings,
    file: Annotated[Path, typer.Argument(help="The file to try.", metavar="FILE")],
    contract: Annotated[
        str,
        typer.Option("--contract", help="The extract, or the path of a contract.", metavar="DEPARTMENT/EXTRACT"),
    ],
    period: Annotated[
        str | None, typer.Option("--period", help="Delivery period. Default: as the file lies or is named.")
    ] = None,
) -> None:
    """Dry run of one file by a contract: accepted, rejected and why, ignored. Writes nothing."""
    from pipelines.run.trial import check_file

    found = check_file(settings, file, contract, period)
    print_result(found, _trial_text(found))
    if not found["readable"]:
        raise typer.Exit(3)


@command()
def sniff(
    settings: Settings,
    file: Annotated[Path, typer.Argument(help="The unknown file.", metavar="FILE")],
    write: Annotated[bool, typer.Option("--write", help="Write the proposed contract into the jurisdiction.")] = False,
    department: Annotated[str | None, typer.Option("--department", help="Who sends the file.", metavar="D")] = None,
    extract: Annotated[
        str | None, typer.Option("--extract", help="What the extract is to be called.", metavar="E")
    ] = None,
    sheet: Annotated[
        str | None, typer.Option("--sheet", help="Propose for this sheet. Default: the largest table.", metavar="NAME")
    ] = None,
    regions: Annotated[
        bool, typer.Option("--regions", help="Print the lines that reference/regions.csv needs, and nothing else.")
    ] = False,
) -> None:
    """Say what is in an unknown file, and propose a contract that reads it, with the reason for everything."""
    from pipelines.run.trial import sniff_file

    found = sniff_file(settings, file, write=write, department=department, extract=extract, sheet=sheet)
    if found["proposal"] is None:
        print_result(found, "\n".join(f"# {line}".rstrip() for line in _sheets_text(found)))
        raise UnreadableFileError(found["problem"], where=str(file), do=found["do"])
    if regions:
        print_result(found["region_lines"], "\n".join(_csv_lines(found["region_lines"])))
        return
    parts = [f"# {line}".rstrip() for line in _sheets_text(found)]
    parts += ["", found["proposal"].rstrip("\n"), "", "# What this contract reads, with stand-ins for what is open:"]
    parts += [f"# {line}".rstrip() for line in _trial_text(found).splitlines()]
    parts += ["", *(f"# {line}".rstrip() for line in _to_add_text(found))]
    parts += ["", *(f"# written: {path}" for path in found["written"])] if found["written"] else []
    print_result(found, "\n".join(parts).rstrip())


def _sheets_text(found: dict[str, Any]) -> list[str]:
    """Every sheet of a file and what is on it, a line each."""
    lines = [f"What is in {Path(found['file']).name}:"]
    return lines + [f"  {sheet['position']}. {sheet['line']}" for sheet in found["sheets"]]


def _to_add_text(found: dict[str, Any]) -> list[str]:
    """What a proposal needs beside it before it can be in force."""
    lines: list[str] = []
    if found["measure_lines"]:
        lines.append("Measures to add to reference/measures.csv (rename them, in the contract too; answer every ?):")
        lines += ["  " + ",".join(found["measure_lines"][0])]
        lines += [f"  {line}" for line in _csv_lines(found["measure_lines"])]
    if found["units_to_add"]:
        lines.append("Units to add under `units` in jurisdiction.yml (which base unit, how many of it?):")
        lines += [
            f'  {json.dumps(unit, ensure_ascii=False)}: {{base: "?", factor: "?"}}' for unit in found["units_to_add"]
        ]
    if found["region_lines"]:
        shown = found["region_lines"][:_FEW_REGIONS]
        rest = len(found["region_lines"]) - len(shown)
        lines.append("Regions to add to reference/regions.csv (answer every ?):")
        lines += ["  " + ",".join(shown[0]), *(f"  {line}" for line in _csv_lines(shown))]
        lines += [f"  ... and {rest} more; all of them: junheng sniff FILE --regions"] if rest else []
    return [*lines, *found["notes"]]


def _csv_lines(lines: list[dict[str, str]]) -> list[str]:
    """Lines of a reference table as they are pasted into its file."""
    return [",".join(_csv_cell(cell) for cell in line.values()) for line in lines]


def _csv_cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\n') else text


def _trial_text(found: dict[str, Any]) -> str:
    """A tried reading as text."""
    if not found["readable"]:
        return f"cannot be read by {found['contract']} (delivery period {found['period']}):\n  {found['problem']}"
    lines = [
        f"{found['contract']}, delivery period {found['period']}: "
        f"{found['observations']:,} figures accepted, {found['rejects']:,} reject(s)"
    ]
    if found.get("status") == "proposed" and not found["open"]:
        lines.append("still a proposal: nothing is published by it before a person sets `status: active`")
    if found["open"]:
        lines.append(f"open: {len(found['open'])} field(s) that a person has to answer (?) before any of it counts:")
        lines += [f"  line {item['line']}, {item['field']}: {in_short(item['text'])}" for item in found["open"][:12]]
        lines += [f"  ... and {len(found['open']) - 12} more"] if len(found["open"]) > 12 else []
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
            lines.append(f"  {place}: {in_short(example['reported_text'])} ({example['detail']})")
    for finding in found["findings"]:
        lines.append(
            f"finding, {finding['severity']}, {finding['check']}: {finding['observed']} "
            f"(expected: {finding['expected']})"
        )
    if found["first"]:
        columns = ["measure", "region_code", "period_end", "residence", "sex", "age_group", "group", "item", "value"]
        columns += ["unit", "obs_status", "source_row", "source_column"]
        lines += ["", "first figures:", as_table(found["first"], columns)]
    return "\n".join(lines)


@command()
def quality(
    settings: Settings,
    build_id: Annotated[
        str | None, typer.Option("--build", help="Build to show. Default: the newest.", metavar="ID")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show passing checks too.")] = False,
    history: Annotated[
        str | None, typer.Option("--history", help="Every result of one check, oldest first.", metavar="CHECK")
    ] = None,
) -> None:
    """Checks, verdict and waivers in use of a build."""
    from pipelines.run.status import history_of, quality_of

    if history:
        results = history_of(settings, history)
        columns = ["judged_at", "build_id", "severity", "outcome", "observed", "threshold", "rule_sha256"]
        print_result(results, as_table(results, columns))
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
        text += as_table(shown, ["check_id", "severity", "outcome", "observed", "expected", "locations"])
    else:
        text += "every check passed; --all lists them"
    print_result(found, text)
