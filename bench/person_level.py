"""Measure person-level intake: a register of 10 million lines to typed Parquet, rejects and account.

Three files (UTF-8 and GB18030 without personal columns, UTF-8 with ID numbers), each read by `junheng`'s reader and by
a bare DuckDB script that does the least one could do with it: `read_csv` with `store_rejects` to Parquet, and with ID
numbers HMAC-SHA-256 in SQL. Both run as processes of their own, in turn; memory is sampled from outside.
"""

from __future__ import annotations

import argparse
import os
import platform
import secrets
import shutil
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from measure import PROJECT, Measured, measure, peak_mb, remove, timed

MONTH = "2020-12"
BAD = 1_000  # every so many lines one cannot be taken
KINDS = ("plain", "gb18030", "personal")
LIMITS = {"plain": "1.3", "gb18030": "1.8", "personal": ""}
# column -> DuckDB type of the bare script, and the contract's words
COLUMNS: dict[str, tuple[str, str]] = {
    "record_no": ("VARCHAR", "type: text"),
    "region_code": ("VARCHAR", "type: region"),
    "employer_no": ("BIGINT", "type: integer"),
    "item": (
        "VARCHAR",
        "type: code, map: {养老: pension, 医疗: medical, 失业: unemployment, 工伤: work_injury, 生育: maternity}",
    ),
    "sex": ("TINYINT", 'type: code, map: {"1": male, "2": female}'),
    "birth_year": ("INTEGER", "type: integer, min: 1900, max: 2020"),
    "paid_on": ("DATE", "type: date"),
    "base_amount": ("DECIMAL(12,2)", "type: decimal, unit: 元, min: 0"),
    "amount": ("DECIMAL(12,2)", "type: decimal, unit: 元, min: 0"),
}
PERSON = {"person": ("VARCHAR", "personal: id_number")}


def columns_of(kind: str) -> dict[str, tuple[str, str]]:
    """The columns of a file."""
    return {**PERSON, **{k: v for k, v in COLUMNS.items() if k != "record_no"}} if kind == "personal" else COLUMNS


def generate(folder: Path, kind: str, rows: int, regions: list[str]) -> Path:
    """A file of `rows` lines; one in a thousand has an amount that is none, a date that never was, or too few cells."""
    path = folder / f"{kind}.csv"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    digits = "printf('99%04d19%02d%02d%02d%03d', p % 10000, 50 + p % 50, 1 + p % 12, 1 + p % 28, p // 10000 % 1000)"
    total = " + ".join(f"{w} * (ascii(d[{i}]) - 48)" for i, w in enumerate(weights, start=1))
    region_list = "[" + ", ".join(f"'{code}'" for code in regions) + "]"
    made = {
        "person": f"(SELECT d || '10X98765432'[1 + ({total}) % 11] FROM (SELECT {digits} AS d))",
        "record_no": "printf('%010d', i)",
        "region_code": f"{region_list}[1 + (hash(p) % {len(regions)})::INT]",
        "employer_no": "1000 + hash(i + 1) % 200000",
        "item": "['养老', '医疗', '失业', '工伤', '生育'][1 + (i % 5)::INT]",
        "sex": "1 + hash(p + 2) % 2",
        "birth_year": "1950 + hash(p + 3) % 50",
        "paid_on": f"CASE WHEN i % {BAD * 2} = 1 THEN '2020-02-31'"
        " ELSE printf('2020-12-%02d', 1 + hash(i + 4) % 28) END",
        "base_amount": "((hash(i + 5) % 2000000) / 100.0)::DECIMAL(12, 2)::VARCHAR",
        "amount": f"CASE WHEN i % {BAD * 2} = 1001 THEN 'n/a'"
        " ELSE ((hash(i + 6) % 100000) / 100.0)::DECIMAL(12, 2)::VARCHAR END",
    }
    columns = ", ".join(f"{made[name]} AS {name}" for name in columns_of(kind))
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(
            f"COPY (SELECT {columns} FROM (SELECT i, i // 5 AS p FROM range({rows}) r(i))) TO '{path}' (HEADER)"
        )
    if kind == "gb18030":
        packed = path.with_suffix(".part")
        with (
            path.open(encoding="utf-8", newline="") as source,
            packed.open("w", encoding="gb18030", newline="") as target,
        ):
            shutil.copyfileobj(source, target, 8 << 20)
        packed.replace(path)
    return path


def jurisdiction(folder: Path, kind: str, path: Path) -> Path:
    """A jurisdiction with one contract and that file landed."""
    source = PROJECT / "raw" / "zhejiang"
    home = folder / f"home_{kind}"
    shutil.copytree(source / "reference", home / "reference")
    shutil.copyfile(source / "jurisdiction.yml", home / "jurisdiction.yml")
    contract = home / "contracts" / "social_insurance" / "records.yml"
    contract.parent.mkdir(parents=True)
    lines = [
        *("id: social_insurance/records", "version: 1.0.0", "name: 记录", "name_en: Records", "provenance: synthetic"),
        *(
            "license: none",
            "source: {publisher: bench}",
            "team: [{name: bench}]",
            "rank: 1",
            'files: "*.csv"',
            "records:",
        ),
        f"  format: {{encoding: {'gb18030' if kind == 'gb18030' else 'utf-8'}}}",
        "  period: {from: folder, kind: month}",
        f"  key: [{'person, item' if kind == 'personal' else 'record_no'}]",
        "  tolerated_rejects: 0.01",
        "  columns:",
        *(f"    - {{name: {name}, as: {name}, {words}}}" for name, (_, words) in columns_of(kind).items()),
        "  observations:",
        "    - {measure: contribution_amount, sum: amount, by: [item, sex]}",
    ]
    if kind == "personal":
        lines.append("    - {measure: contributors, count: persons, by: [item, sex]}")
    contract.write_text("\n".join(lines) + "\n", encoding="utf-8")
    landed = home / "landing" / "social_insurance" / "records" / MONTH / "records.csv"
    landed.parent.mkdir(parents=True)
    path.rename(landed)
    return home


def bare(path: Path, kind: str, out: Path) -> None:
    """The least one could do."""
    types = "{" + ", ".join(f"'{name}': '{kind_}'" for name, (kind_, _) in columns_of(kind).items()) + "}"
    selected = "*"
    if kind == "personal":
        key = Path(os.environ["JUNHENG_PERSON_KEY_FILE"]).read_bytes().ljust(64, b"\0")
        pads = ["".join(f"\\x{byte ^ pad:02X}" for byte in key) for pad in (0x36, 0x5C)]
        inner = f"unhex(sha256('{pads[0]}'::BLOB || encode(person)))"
        selected = f"* REPLACE (unhex(sha256('{pads[1]}'::BLOB || {inner})) AS person)"
    if kind == "gb18030":
        # What a script has to do where DuckDB cannot decode: a file beside, in UTF-8.
        recoded = out / "recoded.csv"
        with (
            path.open(encoding="gb18030", newline="") as source,
            recoded.open("w", encoding="utf-8", newline="") as target,
        ):
            shutil.copyfileobj(source, target, 8 << 20)
        path = recoded
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as connection:
        connection.execute(
            f"COPY (SELECT {selected} FROM read_csv('{path}', header = true, auto_detect = false, delim = ',', "
            f"columns = {types}, store_rejects = true)) TO '{out}/bare.parquet'"
        )
        connection.execute(f"COPY (SELECT * FROM reject_errors) TO '{out}/rejects.parquet'")


def prepare(home: Path, warehouse: Path) -> None:
    """Receive the file: what is measured begins with its bytes in the vault."""
    from pipelines.run import Session
    from pipelines.settings import Settings

    session = Session(Settings(home, warehouse))
    from pipelines import intake

    intake.receive(session.jurisdiction, session.warehouse, session.ledger)


def ours(home: Path, warehouse: Path) -> None:
    """Read the received file."""
    from pipelines.run import Session
    from pipelines.settings import Settings

    reading = Session(Settings(home, warehouse)).take_in(receive=False).new_readings[0]
    sys.stdout.write(f"{reading.tie_out[0]} {reading.rejects} rejects\n")


def run(
    kind: str, rows: int, runs: int, scratch: Path, environment: dict[str, str]
) -> tuple[list[Measured], list[Measured], list[Measured], int]:
    """Both readers on one kind of file, in turn; ours also beside the plain bare reading."""
    regions = _regions()
    path = generate(scratch, kind, rows, regions)
    size = path.stat().st_size
    home = jurisdiction(scratch, kind, path)
    landed = home / "landing" / "social_insurance" / "records" / MONTH / "records.csv"
    me = [sys.executable, str(Path(__file__).resolve())]
    bares, mine, others = [], [], []
    for number in range(runs + 1):
        memory = number == runs
        out = scratch / f"bare_{kind}"
        out.mkdir()
        bares.append(measure([*me, "--bare", str(landed), kind, str(out)], PROJECT, environment, memory))
        remove(out)
        warehouse = scratch / f"warehouse_{kind}_{number}"
        measure([*me, "--prepare", str(home), str(warehouse)], PROJECT, environment)
        mine.append(measure([*me, "--ours", str(home), str(warehouse)], PROJECT, environment, memory))
        remove(warehouse)
        if kind == "gb18030":
            out.mkdir()
            utf8 = out / "plain.csv"
            with (
                landed.open(encoding="gb18030", newline="") as source,
                utf8.open("w", encoding="utf-8", newline="") as target,
            ):
                shutil.copyfileobj(source, target, 8 << 20)
            others.append(measure([*me, "--bare", str(utf8), "plain", str(out)], PROJECT, environment, memory))
            remove(out)
    remove(home)
    return bares, mine, others, size


def _regions() -> list[str]:
    import csv

    with (PROJECT / "raw" / "zhejiang" / "reference" / "regions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return sorted(
        r["region_code"]
        for r in rows
        if r["region_level"] == "county" and not r["valid_to"] and r["valid_from"] <= f"{MONTH}-01"
    )


def main() -> None:
    """Measure and write bench/person_level.md."""
    if len(sys.argv) > 1 and sys.argv[1] in ("--bare", "--ours", "--prepare"):
        action, *rest = sys.argv[1:]
        if action == "--bare":
            bare(Path(rest[0]), rest[1], Path(rest[2]))
        else:
            (ours if action == "--ours" else prepare)(Path(rest[0]), Path(rest[1]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=KINDS, action="append")
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="junheng-bench-"))
    key = scratch / "key"
    key.write_bytes(secrets.token_bytes(32))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("JUNHENG_", "VIRTUAL_ENV", "PYTHONPATH"))}
    environment["JUNHENG_PERSON_KEY_FILE"] = str(key)
    lines = [
        "# Measured: person-level intake",
        "",
        f"`bench/person_level.py` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {arguments.rows:,} lines, one in {BAD:,} bad, {arguments.runs} runs each "
        "in turn. Medians (range) of wall time and of its ratio run by run; the ratio of processor time, which other "
        f"programs on the machine do not disturb; peak memory, in one run more. Load before: {os.getloadavg()[0]:.1f}.",
        "",
        "| file | bare script | junheng | ratio | at most | ratio, processor | memory, bare | memory, junheng |",
        "|---|---|---|---|---|---|---|---|",
    ]
    try:
        for kind in arguments.only or KINDS:
            bares, mine, others, size = run(kind, arguments.rows, arguments.runs, scratch, environment)
            name = {
                "plain": "UTF-8",
                "gb18030": "GB18030 (bare: recoded first)",
                "personal": "UTF-8, ID numbers hashed by both",
            }[kind]
            lines.append(_line(f"{name}, {size / 1e6:,.0f} MB", bares, mine, "" if kind == "gb18030" else LIMITS[kind]))
            if others:
                lines.append(_line("GB18030, bare on the same lines in UTF-8", others, mine, LIMITS[kind]))
    finally:
        remove(scratch)
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if arguments.rows == 10_000_000 and not arguments.only:
        (PROJECT / "bench" / "person_level.md").write_text(text, encoding="utf-8")


def _line(name: str, bares: list[Measured], mine: list[Measured], limit: str) -> str:
    pairs = list(zip(timed(mine), timed(bares), strict=True))
    ratios = [m.seconds / b.seconds for m, b in pairs]

    def times(runs: list[Measured]) -> str:
        seconds = [r.seconds for r in timed(runs)]
        return f"{statistics.median(seconds):.1f} s ({min(seconds):.1f} to {max(seconds):.1f})"

    ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    processor = statistics.median(m.processor / b.processor for m, b in pairs)
    peaks = [f"{peak_mb(runs):,.0f} MB" for runs in (bares, mine)]
    return (
        f"| {name} | {times(bares)} | {times(mine)} | {ratio} | {limit} | {processor:.2f} | {peaks[0]} | {peaks[1]} |"
    )


if __name__ == "__main__":
    main()
