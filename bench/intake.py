"""Measure the intake of ordinary files: a large workbook beside calamine alone, and one changed file among 500.

The workbook is read by the contract, to observations, rejects and account, and by calamine to cells as text, in turn in
one process. For the changed file a jurisdiction with 500 landed files, ten years of each extract, is taken in, one file
is changed, and what is timed is the look that finds it: receive, find which readings stand, decide which deliveries
count. Results go to bench/intake.md.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import fastexcel
import polars as pl
import xlsxwriter
from measure import PROJECT, remove

from pipelines import intake
from pipelines.jurisdiction import Contract
from pipelines.run import Session
from pipelines.run.trial import Sketch, read_once
from pipelines.settings import Settings

SOURCE = PROJECT / "raw" / "zhejiang"
ROWS, COLUMNS = 200_000, 5
Times = tuple[float, float]
FILES = 500
YEARS = range(2011, 2021)  # of each extract

WORKBOOK = """\
id: statistics/wide
version: 1.0.0
name: 大表
name_en: A large workbook
provenance: synthetic
license: none
source: {publisher: bench}
team: [{name: bench}]
rank: 1
files: "*.xlsx"
layouts:
  - format: {kind: xlsx}
    header: {find: [code, line]}
    region: {code: code}
    period: {from: folder, kind: year}
    rows: [{column: line, dimension: item}]
    tokens: {"-": missing}
    values:
      - {columns: "^(?P<group>first|second|third)$", measure: schools, group: "{group}", unit: 所, type: integer}
"""

SMALL = """\
id: statistics/{extract}
version: 1.0.0
name: 小表
name_en: A small table
provenance: synthetic
license: none
source: {{publisher: bench}}
team: [{{name: bench}}]
rank: 1
files: "*.csv"
layouts:
  - format: {{kind: csv, encoding: utf-8}}
    header: {{row: 1}}
    data: {{end_at: ["^note"]}}
    region: {{code: code}}
    period: {{from: folder, kind: year}}
    tokens: {{}}
    values:
      - {{column: schools, measure: schools, unit: 所, type: integer}}
"""


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor time of a call, in seconds."""
    gc.collect()
    started, before = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - before


def workbook(path: Path, codes: list[str]) -> None:
    """A sheet of ROWS x COLUMNS cells, header included: region, line, three counts."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    page = book.add_worksheet("data")
    for column, name in enumerate(("code", "line", "first", "second", "third")):
        page.write_string(0, column, name)
    for row in range(1, ROWS):
        page.write_string(row, 0, codes[row % len(codes)])
        page.write_string(row, 1, f"L{row // len(codes):05d}")
        for column in range(2, COLUMNS):
            if (row + column) % 500:
                page.write_number(row, column, row * 7 % 10_000 + column)
            else:
                page.write_string(row, column, "-")
    book.close()


def large_workbook(scratch: Path, runs: int) -> tuple[list[Times], list[Times], int]:
    """Calamine alone, and the reader, in turn; and how many figures the reader took."""
    import yaml

    sketch = Sketch(SOURCE)
    year = "2020"
    in_force = sketch.regions.filter(sketch.regions["region_level"] == "county")
    codes = [c for c, start, end in in_force.select("region_code", "valid_from", "valid_to").iter_rows()
             if start <= f"{year}-01-01" and not end]  # fmt: skip
    path = scratch / "wide.xlsx"
    workbook(path, sorted(set(codes)))
    data = path.read_bytes()
    contract = Contract.model_validate(yaml.safe_load(WORKBOOK))
    taken = read_once(data, path.name, contract, sketch, year)
    if taken.problem or taken.rejects.height or not all(account.holds for account in taken.tie_out):
        sys.exit(f"the workbook was not read as it should: {taken.problem or taken.rejects}")

    def alone() -> object:
        reader = fastexcel.read_excel(data)
        return reader.load_sheet(0, header_row=None, skip_rows=0, dtypes="string").to_polars()

    bare, ours = [], []
    for _ in range(runs):
        bare.append(timed(alone))
        ours.append(timed(lambda: read_once(data, path.name, contract, sketch, year)))
    return bare, ours, taken.accepted.height


def one_of_many(scratch: Path, runs: int) -> tuple[list[float], int]:
    """How long it takes to find one changed file among FILES landed ones; and how many were read then."""
    home = scratch / "home"
    shutil.copytree(SOURCE, home, ignore=shutil.ignore_patterns("landing", "contracts"))
    counties = Sketch(SOURCE).regions.filter((pl.col("region_level") == "county") & pl.col("valid_to").is_null())
    lasting = counties.filter(pl.col("valid_from") < "2010")
    codes = sorted(set(lasting["region_code"]))
    paths = []
    for number in range(FILES):
        extract, year = f"small_{number // len(YEARS):03d}", YEARS[number % len(YEARS)]
        contract = home / "contracts" / "statistics" / f"{extract}.yml"
        contract.parent.mkdir(parents=True, exist_ok=True)
        contract.write_text(SMALL.format(extract=extract), encoding="utf-8")
        paths.append(home / "landing" / "statistics" / extract / str(year) / "schools.csv")
        paths[-1].parent.mkdir(parents=True)
        rows = [f"{code},{1000 + number * 10 + place}" for place, code in enumerate(codes)]
        paths[-1].write_text("\n".join(["code,schools", *rows, f"note {number}", ""]), encoding="utf-8")
    settings = Settings(home, scratch / "warehouse")
    Session(settings).take_in()
    found, read = [], 0
    for number in range(runs):
        changed = paths[FILES // 2 + number]
        changed.write_bytes(changed.read_bytes() + b"note\n")
        session = Session(settings)
        started = time.perf_counter()
        taken = session.take_in()
        seconds = time.perf_counter() - started
        (receipt,) = taken.new_receipts
        read = max(read, len(taken.new_readings))
        # What it took to read that one file is no part of finding it.
        own = session.jurisdiction.contracts[receipt.extract_id]
        started = time.perf_counter()
        with intake.Reader(session.jurisdiction, session.warehouse, settings.work_limits) as reader:
            reader.read(receipt, own)
        found.append(seconds - (time.perf_counter() - started))
    return found, read


def main() -> None:
    """Measure and write bench/intake.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="junheng-bench-"))
    load = os.getloadavg()[0]
    try:
        bare, ours, figures = large_workbook(scratch, arguments.runs)
        found, read = one_of_many(scratch, arguments.runs)
    finally:
        remove(scratch)
    wall, processor = ([o[i] / b[i] for o, b in zip(ours, bare, strict=True)] for i in (0, 1))
    lines = [
        "# Measured: intake of ordinary files",
        "",
        f"`bench/intake.py` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {arguments.runs} runs each. Medians (range). "
        f"Load before: {load:.1f}; processor time is not disturbed by other programs on the machine.",
        "",
        "| what | measured | at most |",
        "|---|---|---|",
        f"| XLSX of {ROWS:,} x {COLUMNS} cells, calamine alone | {_spread([w for w, _ in bare])} s | |",
        f"| the same by contract, to {figures:,} observations and account | {_spread([w for w, _ in ours])} s | |",
        f"| ratio, run by run | {_spread(wall)} | 2.5 |",
        f"| ratio of processor time | {_spread(processor)} | |",
        f"| finding one changed file among {FILES} landed ones | {_spread(found)} s | 1 s |",
        f"| files read then | {read} | 1 |",
    ]
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    (PROJECT / "bench" / "intake.md").write_text(text, encoding="utf-8")


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
