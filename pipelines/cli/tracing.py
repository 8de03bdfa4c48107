"""The command `trace`: one figure, computed again, with the rows and cells that it is made of.

It parses, calls and prints; what a figure is made of is found by `pipelines.trace`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.common import as_table, command, door, print_result, release_folder
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.trace import Trace

# A figure that comes out otherwise does not hold: the code of a gate.
DOES_NOT_HOLD = 3
LISTED = 12
# What need not be shown where all rows have it.
_DULL = ("", "all", "total", "main", "reported", "1.0")
_KINDS = {
    "figure": "figure",
    "contribution": "contribution",
    "score": "score",
    "leaf_score": "score of a lowest region",
    "level": "level",
    "money": "amount of money",
    "functional": "sum of all levels of government",
    "account": "account of a government",
    "population": "population",
    "value": "number of a series",
    "all_levels": "number of all governments in a region",
    "parameter": "parameter",
}
_SAID = {
    "exact": "the same, to the last digit",
    "12 digits": "the same at the 12 significant digits of the release",
    "differs": "ANOTHER VALUE",
    "withheld": "withheld",
    "not computed again": "not computed again",
}


@command()
def trace(
    settings: Settings,
    table: Annotated[str, typer.Argument(help="A published table.", metavar="TABLE")],
    key: Annotated[
        list[str] | None,
        typer.Argument(
            help="What names the row; an omitted key column means the main reading: variant main, all the people, "
            "residence total, boundaries and people of the variant main.",
            metavar="KEY=VALUE...",
        ),
    ] = None,
    release: Annotated[str | None, typer.Option("--release", help="Id of a release. Default: the current one.")] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", help=f"Rows of a kind listed; 0 for all. Default: {LISTED}, all with --json.", min=0),
    ] = None,
) -> None:
    """Trace one figure to formula, terms, receipts, file, sheet, row and column, and compute it again. Exit code 3: it
    comes out otherwise, or something on its way does."""
    from pipelines.trace import trace as find

    folder = release_folder(settings, release)
    listed = (None if door.as_json else LISTED) if limit is None else limit or None
    found = find(folder, table, key or [], limit=listed)
    print_result(found.as_dict(), _text(found))
    if not found.agrees:
        raise typer.Exit(DOES_NOT_HOLD)


def _text(found: Trace) -> str:
    row = found.row
    named = [
        str(row[name]) for name in ("region_name", "scope_name", "indicator_name_zh", "provenance") if row.get(name)
    ]
    lines = [
        f"{found.table}  {' '.join(f'{c}={_plain(v)}' for c, v in found.key.items())}",
        f"  {', '.join(named)}{', ' if named else ''}release {found.release_id}",
        *([f"  {found.mark}"] if found.mark else []),
        "",
        _figures(found.figures),
        "",
        f"computed again from the rows below: {_SAID[found.outcome]}",
        *(f"  {note}" for note in found.notes),
        *_held(found.held),
    ]
    for level in found.levels:
        lines += ["", *_level(level)]
    lines += _cells(found)
    lines += _checks(found.checks)
    return "\n".join(lines)


def _held(deliveries: list[dict[str, Any]]) -> list[str]:
    """Deliveries of the figure's extracts that are held, each with its day and reason."""
    lines = []
    for each in deliveries:
        head = f"{each['landing_path']} is held since {each['held_since']:%Y-%m-%d}: {each['held_because']}"
        if each["figures"]:
            day = f"{each['stays_at']:%Y-%m-%d}"
            stays = f"{each['figures']:,} cell(s) below stay at the delivery of {day}, provisional (P)"
        else:
            stays = "no cell below stands in for its figures"
        lines += ["", head, f"  {stays}"]
    return lines


def _figures(figures: list[dict[str, Any]]) -> str:
    rows = [
        {
            "figure": figure["column"],
            "value": _plain(figure["value"]),
            "computed again": _plain(figure["computed_again"]) if "computed_again" in figure else "",
            "": {"exact": "=", "12 digits": "≈", "differs": "≠", "withheld": "withheld"}.get(figure["outcome"], ""),
            "what it is": figure["formula"],
        }
        for figure in figures
        if figure["outcome"] != "exact" or (figure["value"] is not None and figure["formula"])
    ]
    return as_table(rows)


def _level(level: dict[str, Any]) -> list[str]:
    """The inputs of one kind at one step on the way."""
    indent = "  " * (level["level"] - 1)
    lines = [f"{indent}each {_KINDS[level['of']]} is made of: {level['count']:,} {_KINDS[level['kind']]}(s)"]
    rows = [{c: _plain(v) for c, v in row.items() if c != "trace"} for row in level["rows"]]
    constant = {c: rows[0][c] for c in (rows[0] if len(rows) > 1 else {}) if all(r[c] == rows[0][c] for r in rows)}
    constant.pop("value", None)
    if told := {c: v for c, v in constant.items() if v and v not in _DULL}:
        lines.append(f"{indent}  all with " + " ".join(f"{name}={value}" for name, value in told.items()))
    dull = {c for c in (rows[0] if rows else {}) if all(r[c] in _DULL for r in rows)} - {"value", "role"}
    shown = [{c: v for c, v in row.items() if c not in constant and c not in dull} for row in rows]
    lines += [f"{indent}  {line}" for line in as_table(shown).splitlines()]
    if (more := level["count"] - len(rows)) > 0:
        lines.append(f"{indent}  … {more:,} more (--limit 0 lists all)")
    if commands := [row["trace"] for row in level["rows"] if "trace" in row]:
        lines.append(f"{indent}  each by itself: {commands[0]}")
    return lines


def _cells(found: Trace) -> list[str]:
    if not found.files:
        return []
    lines = ["", f"from {found.cells_count:,} cell(s) of {len(found.files)} file(s)"]
    rows = [
        {
            "cells": file["figures"],
            "file": file["landing_path"],
            "received": _moment(file["received_at"]),
            "receipt": file["receipt_id"],
            "sha256": str(file["sha256"])[:12],
            "": "person-level: counts and receipt only" if file["is_person_level"] else file["provenance"],
        }
        for file in found.files
    ]
    lines += [f"  {line}" for line in as_table(rows).splitlines()]
    cells = [
        {
            "measure": cell["measure"],
            "region": cell["region_code"],
            "period": cell["period_end"],
            **{name: cell[name] for name in ("residence", "sex", "age_group", "group", "item")},
            "value": _plain(cell["value"]),
            "cell": cell.get("note") or f"{cell['value_reported']} {cell['unit_reported']}",
            "sheet": cell["source_sheet"],
            "row": cell["source_row"],
            "column": cell["source_column"],
            "file": cell["source_file"],
        }
        for cell in found.cells
    ]
    whole = {"residence": "total", "sex": "all", "age_group": "all", "group": "all", "item": "all", "sheet": ""}
    dull = {name for name, value in whole.items() if all((cell[name] or "") == value for cell in cells)}
    lines += ["", "cells"]
    shown = [{name: value for name, value in cell.items() if name not in dull} for cell in cells]
    lines += [f"  {line}" for line in as_table(shown).splitlines()]
    if (more := found.cells_count - len(cells)) > 0:
        lines.append(f"  … {more:,} more (--limit 0 lists all)")
    lines += ["", "deliveries of these figures, and which one counts"]
    rows = [
        {
            "figure": f"{d['measure']} {d['region_code']} {d['period_end']}",
            "extract": d["extract"],
            "delivery": d["delivery_period"],
            "received": _moment(d["received_at"]),
            "receipt": d["receipt_id"],
            "value": _plain(d["value"]),
            "counts": "yes" if d["is_chosen"] else "no",
            "why": d["why"],
        }
        for d in found.deliveries
    ]
    return [*lines, *(f"  {line}" for line in as_table(rows).splitlines())]


def _checks(checks: dict[str, Any]) -> list[str]:
    if not checks:
        return []
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in checks["outcomes"].items())
    lines = ["", f"checks of these tables and extracts: {outcomes or 'none'}"]
    lines += [
        f"  {c['outcome']} ({c['severity']}) {c['check_id']}: {c['observed']}, {c['failing_rows']} row(s)"
        for c in checks["failing"]
    ]
    for row in checks["rows"]:
        place = [row["source_file"], row["source_sheet"], f"row {row['source_row']}", row["source_column"]]
        lines.append(f"  finding on a cell: {row['check_id']} at {', '.join(str(part) for part in place if part)}")
    lines.append(f"waivers: {len(checks['waivers']) or 'none'}")
    lines += [
        f"  {w['check_id']} ({w['scope']}): {w['reason']}; asked by {w['asked_by']}, approved by {w['approved_by']}, "
        f"until {w['valid_until']}"
        for w in checks["waivers"]
    ]
    return lines


def _plain(value: Any) -> str:
    """A value in full: no digit is lost, no zero added."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value).lower() if isinstance(value, bool) else str(value)


def _moment(value: datetime | None) -> str:
    return value.isoformat(sep=" ", timespec="seconds") if value else ""
