"""Work that ends badly, for tests of the process that does it, and files that do so to their reader.

The functions are called in that process, so they stand in a module that it can import.
"""

from __future__ import annotations

import ctypes
import io
import os
import re
import signal
import sys
import time
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.errors import ConfigurationError, FaultError, UnreadableFileError

SECRET = "330102199001011234"


def process() -> int:
    return os.getpid()


def plain(value: Any) -> Any:
    return value


def a_date() -> Any:
    return {"on": date(2020, 2, 29), "text": "字"}


def refuse(kind: str) -> None:
    errors = {"configuration": ConfigurationError, "fault": FaultError, "unreadable": UnreadableFileError}
    raise errors[kind]("what", where="where", do="do")


def write(path: Path) -> None:
    path.write_text("written")


def print_much() -> str:
    print(SECRET * 10_000)
    os.write(1, b"straight to the descriptor\n" * 10_000)
    sys.stderr.write(SECRET)
    return "done"


def memory_by_python() -> None:
    bytearray(50_000_000_000)


def memory_little_by_little() -> None:
    held = []
    while True:
        held.append("x" * 1_000_000 + str(len(held)))


def memory_by_polars() -> None:
    import polars as pl

    pl.Series([0], dtype=pl.Int64).new_from_index(0, 10_000_000_000).sum()


def memory_by_arrow() -> None:
    import pyarrow as pa

    pa.allocate_buffer(50_000_000_000)


def memory_by_duckdb() -> None:
    import duckdb

    duckdb.connect(config={"memory_limit": "60GB"}).execute(
        "create table t as select i, repeat(i::varchar, 50) as text from range(400_000_000) r(i)"
    )


def memory_by_a_sheet() -> None:
    from pipelines.formats import read_grids
    from pipelines.jurisdiction.contract import Format

    read_grids(far_cell(), Format.model_validate({"kind": "xlsx"}), "file")


HELD: list[bytearray] = []


def hold(size: int) -> None:
    HELD.append(bytearray(size))


def endless_loop() -> None:
    while True:
        pass


def endless_pattern() -> None:
    re.search("(a+)+$", "a" * 60 + "b")


def endless_wait() -> None:
    time.sleep(10_000)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_once(mark: Path) -> str:
    if not mark.exists():
        mark.touch()
        kill()
    return "done"


def leave() -> None:
    os._exit(3)


def say_goodbye() -> None:
    sys.exit("nobody expects this")


def no_such_address() -> None:
    ctypes.string_at(1)


def stack_without_end() -> None:
    import yaml

    yaml.compose("[" * 1_000_000, Loader=yaml.CSafeLoader)


def recursion_without_end() -> None:
    recursion_without_end()


def fault() -> None:
    raise KeyError(SECRET)


def panic() -> None:
    raise BaseException(SECRET)


def cell(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


FAR = f'<row r="1048576">{cell("XFD1048576", "x")}</row>'
NEAR = (
    f'<row r="1">{cell("A1", "Place")}{cell("B1", "Heads")}</row><row r="2">{cell("A2", "Ash")}{cell("B2", "1")}</row>'
)


def far_cell(rows: str = NEAR.replace("</row>", "</row>" + FAR, 1), sheet: str = "worksheets/sheet1.xml") -> bytes:
    """A workbook of a kilobyte with a cell in the last row and column, which does not stand at the end."""
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows += "".join(f'<row r="{n}">{cell(f"A{n}", "Ash")}</row>' for n in range(3, 60))
    files = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="a" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Data" sheetId="1" r:id="a"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="a" '
        f'Type="{office}/worksheet" Target="{sheet}"/></Relationships>',
        f"xl/{sheet}": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return target.getvalue()
