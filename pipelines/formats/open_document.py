"""OpenDocument workbooks (ods) to grids, opened by a process of its own (`workbook_process`).

What they unpack to cannot be told beforehand, so their memory is limited there.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import Grid, give_up
from pipelines.formats.workbook import (
    NOT_OPENED,
    Looks,
    Sheet,
    arrow_cells,
    as_grid,
    chosen_sheets,
    sheet_findings,
)
from pipelines.jurisdiction.contract import Format, SheetRule

MAX_SECONDS = 600


def read_open_document(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The sheets of an OpenDocument workbook that the contract means."""
    sheets, read = _beside(data, [] if isinstance(rule.sheet, SheetRule) else [rule.sheet], where)
    chosen = chosen_sheets(sheets, rule, where)
    if isinstance(rule.sheet, SheetRule):
        _, read = _beside(data, chosen, where)
    findings = sheet_findings(sheets, chosen, rule)
    return [
        as_grid(name, arrow_cells(name, batch, where), "ods", Looks(), () if i else findings)
        for i, (name, batch) in enumerate(zip(chosen, read, strict=True))
    ]


def open_document_sheets(data: bytes, where: str) -> list[Sheet]:
    """The sheets of an OpenDocument workbook, in order."""
    return _beside(data, [], where)[0]


def _beside(
    data: bytes, sheets: Sequence[str | int], where: str
) -> tuple[list[Sheet], list[tuple[Any, list[int], list[Any]]]]:
    """A workbook opened by a process of its own, with limited memory and time: its sheets, and those asked for.

    They are asked for by name, or by position among those that are not hidden; what the workbook lacks is left out.
    """
    command = [sys.executable, "-I", str(Path(__file__).with_name("workbook_process.py")), json.dumps(sheets)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=MAX_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        give_up(error, "the workbook takes too long to open", where, "ask for it in another format")
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise UnreadableFileError(
            f"the workbook cannot be opened: {said[-1][:300] if said else 'its reader died'}",
            where=where,
            do=NOT_OPENED,
        )
    stream = io.BytesIO(done.stdout)
    head = json.loads(stream.readline())
    read = []
    for size, columns, errors in head["read"]:
        with pa.ipc.open_stream(pa.py_buffer(stream.read(size))) as reader:
            read.append((reader.read_all(), columns, errors))
    sheets_found = [Sheet(name, is_visible, partial(bool, is_full)) for name, is_visible, is_full in head["sheets"]]
    return sheets_found, read
