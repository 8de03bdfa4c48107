"""The command line: one door to `run`. It parses, calls, prints, and turns errors into exit codes.

No step's logic is here. Exit codes: 0 done, 1 a fault of the program, 2 wrong use or configuration, 3 blocked by
a gate, 4 busy.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import traceback
from pathlib import Path

import typer

from pipelines.cli import (
    evidence,
    extracts,
    folders,
    readers,
    steps,
    tracing,
)  # their commands, in the order of `--help`
from pipelines.cli.common import app, door
from pipelines.errors import JunhengError, UsageError

__all__ = ["app", "evidence", "extracts", "folders", "main", "readers", "steps", "tracing"]


def _show(error: JunhengError) -> None:
    if door.as_json:
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
    if door.settings is not None:
        folders.insert(0, Warehouse(door.settings.warehouse_folder / door.settings.jurisdiction_folder.name).logs)
    for folder in folders:
        try:
            write_atomically(folder / name, text.encode(), mode=0o600)
        except OSError:
            continue
        return folder / name
    return Path(os.devnull)


def main() -> None:
    """Run the command line and leave with its exit code."""
    # Wrong use is found before the options are understood; it must be told in the form asked for all the same.
    door.as_json, door.debug, door.settings = "--json" in sys.argv, "--debug" in sys.argv, None
    try:
        returned = app(standalone_mode=False)  # the code of a typer.Exit is returned, not raised
        code = returned if isinstance(returned, int) else 0
    except typer.Abort:
        sys.stderr.write("junheng: stopped\n")
        code = 2
    except JunhengError as error:
        _show(error)
        if door.debug:
            traceback.print_exc()
        code = error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("junheng: stopped; the last release is untouched\n")
        code = 2
    except BrokenPipeError:
        code = 0
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except PermissionError as error:
        _show(
            UsageError(
                "this account may not use a file or folder that the command needs",
                where=str(error.filename or ""),
                do="run it under the account that the pipeline runs under, or mend the permissions",
            )
        )
        if door.debug:
            traceback.print_exc()
        code = 2
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
            if door.debug:
                traceback.print_exc()
            code = 1
    sys.exit(code)
