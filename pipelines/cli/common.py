"""What all commands share: the application, the options that each takes, and how results are told.

No command is here. Results go to standard output, all else to standard error.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.errors import UsageError
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


door = Door()

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


_SHARED = {
    "jurisdiction": (JurisdictionOption, None),
    "warehouse": (WarehouseOption, None),
    "as_json": (JsonOption, False),
    "debug": (DebugOption, False),
}


def command(name: str | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command. It takes the settings first, which the options that all commands share decide."""

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.name != "settings"]
        shared = [
            inspect.Parameter(option, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=kind)
            for option, (kind, default) in _SHARED.items()
        ]

        def entered(**given: Any) -> None:
            jurisdiction, warehouse = given.pop("jurisdiction"), given.pop("warehouse")
            door.as_json, door.debug = given.pop("as_json"), given.pop("debug")
            door.settings = Settings.from_environment(jurisdiction, warehouse)
            function(door.settings, **given)

        entered.__doc__ = function.__doc__
        # The option parser reads what a command takes from here.
        entered.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
        entered.__annotations__ = {p.name: p.annotation for p in (*own, *shared)}
        app.command(name or function.__name__)(entered)
        return function

    return decorate


def say(text: str) -> None:
    """Progress goes to standard error: standard output is for results."""
    if not door.as_json:
        sys.stderr.write(f"  {text}\n")
        sys.stderr.flush()


def print_result(payload: Any, text: str) -> None:
    """The result, as JSON when asked for, else as text."""
    if door.as_json:
        sys.stdout.write(json.dumps(payload, ensure_ascii=False, indent=1, default=str) + "\n")
    else:
        sys.stdout.write(text.rstrip("\n") + "\n")


def as_table(rows: list[dict[str, Any]], columns: list[str] | None = None) -> str:
    """Rows as an aligned table; wide (Chinese) characters count as two."""
    from rich.cells import cell_len

    if not rows:
        return "(none)"
    columns = columns or list(rows[0])
    cells = [[in_short(row.get(c)) for c in columns] for row in rows]
    widths = [max(cell_len(x) for x in [c, *(r[i] for r in cells)]) for i, c in enumerate(columns)]
    lines = ["  ".join(c + " " * (w - cell_len(c)) for c, w in zip(columns, widths, strict=True)).rstrip()]
    lines.append("  ".join("-" * w for w in widths))
    for row in cells:
        lines.append("  ".join(x + " " * (w - cell_len(x)) for x, w in zip(row, widths, strict=True)).rstrip())
    return "\n".join(lines)


def in_short(value: Any) -> str:
    """A value as a table shows it: one line, not too long."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.1f}"
    return str(value).replace("\n", " ")[:120]


def release_folder(settings: Settings, release: str | None) -> Path:
    """The folder of a release, of the current one when none is named; UsageError when there is none."""
    from pipelines.store import Warehouse

    warehouse = Warehouse(settings.warehouse_folder / settings.jurisdiction_folder.name)
    folder = warehouse.release_folder(release) if release else warehouse.current
    warn_of_withdrawal(warehouse, release)
    if not (folder / "manifest.json").exists():
        raise UsageError(
            f"there is no release {release}" if release else "nothing has been released yet",
            where=str(warehouse.releases),
            do="see `junheng releases`" if release else "run `junheng run` first",
        )
    return folder.resolve()


def warn_of_withdrawal(warehouse: Any, *releases: str | None) -> list[str]:
    """Say on standard error, whatever the form of the result, that a release named by a person was withdrawn."""
    from pipelines.standing import said_of_withdrawal, states

    known = states(warehouse)
    said = [said_of_withdrawal(r, known[r]) for r in releases if r in known]
    for line in filter(None, said):
        sys.stderr.write(f"junheng: warning: {line}\n")
    return [line for line in said if line]
