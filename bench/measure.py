"""Measure what the project promises about speed and memory, and write it down in bench/results.md.

Every time is of a whole process, seen from outside; memory is the proportional set size summed over the process
and its children, sampled four times a second in a round of its own: to add up a process's pages stops it meanwhile, so
that a run whose memory is watched takes longer.
These machines are noisy: each figure is the median of several runs, and the pipeline is also given as a ratio to a bare
script that reads the same files in the same run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
JUNHENG = PROJECT / ".venv" / "bin" / "junheng"
EVERY = 0.25  # seconds between two looks at memory


# A count led back to its cell, a rate, and the score of a whole region, which rests on ten thousand cells.
TRACED = (
    ("mart_service_coverage", "region_code=330106", "year=2020", "indicator_code=SOC02"),
    ("mart_per_capita_spending", "region_code=330000", "year=2020", "domain=all", "fund=general_budget",
     "government_level=all"),
    ("mart_equalisation", "region_code=330000", "year=2020", "domain=all"),
)  # fmt: skip


@dataclass
class Measured:
    """One run of a command: its time, or its memory."""

    seconds: float
    peak_mb: float | None  # None where memory was not watched; where it was, the time says nothing
    processor: float = 0.0  # seconds of processor time: other programs on the machine do not lengthen it


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for process in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{process}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def memory_mb(pid: int) -> float:
    """Proportional set size of a process and its descendants, in MB."""
    total = 0
    for process in family(pid):
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024


def measure(command: list[str], folder: Path, environment: dict[str, str], memory: bool = False) -> Measured:
    """Run a command to its end and take its time, or watch its memory; refuse to measure one that fails."""
    with tempfile.TemporaryFile() as output:
        started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        peak = 0.0
        done = threading.Event()

        def watch() -> None:
            nonlocal peak
            while not done.wait(EVERY):
                peak = max(peak, memory_mb(process.pid))

        watcher = threading.Thread(target=watch, daemon=True)
        if memory:
            watcher.start()
        code = process.wait()
        seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        done.set()
        if memory:
            watcher.join()
        if code:
            output.seek(0)
            sys.exit(f"{' '.join(command)} left with {code}:\n{output.read().decode()[-3000:]}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(seconds, peak if memory else None, used)


def timed(runs: list[Measured]) -> list[Measured]:
    """The runs that were timed."""
    return [run for run in runs if run.peak_mb is None]


def peak_mb(runs: list[Measured]) -> float:
    """The most memory of the runs that were watched."""
    return max(run.peak_mb for run in runs if run.peak_mb is not None)


def remove(folder: Path) -> None:
    """Remove a folder with read-only releases in it."""
    if folder.exists():
        subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
        shutil.rmtree(folder)


def main() -> None:
    """Measure everything and write bench/results.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("JUNHENG_", "VIRTUAL_ENV", "PYTHONPATH"))}
    scratch = Path(tempfile.mkdtemp(prefix="junheng-bench-"))
    landing = PROJECT / "raw" / "zhejiang" / "landing"
    rows: list[tuple[str, str, str, str]] = []
    try:
        clones, pipelines, idle, bare, downloads, verified = [], [], [], [], [], []
        built: list[float] = []
        traced: list[Measured] = []
        for number in range(arguments.runs + 1):
            memory = number == arguments.runs

            def taken(command: list[str], folder: Path = PROJECT, memory: bool = memory) -> Measured:
                return measure(command, folder, environment, memory)

            clone = scratch / f"clone{number}"
            subprocess.run(["git", "clone", "--quiet", str(PROJECT), str(clone)], check=True)
            clones.append(taken(["make", "run"], clone))
            remove(clone)
            warehouse = scratch / f"warehouse{number}"
            command = [str(JUNHENG), "run", "--warehouse", str(warehouse)]
            pipelines.append(taken(command))
            idle.append(taken(command))
            bare.append(taken([sys.executable, str(PROJECT / "bench" / "bare.py"), str(landing)]))
            options = ["--warehouse", str(warehouse)]
            out = scratch / f"downloads{number}"
            downloads.append(taken([str(JUNHENG), "export", *options, "--format", "all", "--out", str(out)]))
            verified.append(taken([str(JUNHENG), "verify", *options]))
            traced += [taken([str(JUNHENG), "trace", *options, *figure]) for figure in TRACED]
            if not memory:
                (results,) = warehouse.glob("*/builds/*/dbt_run_results.json")
                built.append(float(json.loads(results.read_text(encoding="utf-8"))["elapsed_time"]))
            remove(out)
            remove(warehouse)
        for name, runs, limit in (
            ("fresh clone to release (`git clone`, `make run`, packages cached)", clones, "60 s, 1,500 MB"),
            ("the pipeline itself (`junheng run`, empty warehouse)", pipelines, "30 s, 1,500 MB"),
            ("nothing new (`junheng run` again)", idle, "5 s"),
            ("all downloads of the release (`junheng export --format all`)", downloads, "20 s"),
            ("a release verified (`junheng verify`)", verified, "5 s"),
            (f"one figure traced (`junheng trace`, {len(TRACED)} kinds of figure)", traced, "2 s"),
            ("bare script on the same files (`bench/bare.py`)", bare, ""),
        ):
            seconds = [m.seconds for m in timed(runs)]
            spread = f"{min(seconds):.1f} to {max(seconds):.1f}"
            rows.append((name, f"{statistics.median(seconds):.1f} s ({spread})", f"{peak_mb(runs):,.0f} MB", limit))
        ratio = statistics.median(p.seconds / b.seconds for p, b in zip(timed(pipelines), timed(bare), strict=True))
        times_memory = peak_mb(pipelines) / peak_mb(bare)
    finally:
        remove(scratch)
    lines = [
        "# Measured speed and memory",
        "",
        f"`make bench` on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{arguments.runs} runs each. Times are medians (range); memory is the peak of the process and its children, "
        "in one run more.",
        "",
        "| what | wall time | peak memory | at most |",
        "|---|---|---|---|",
        *(f"| {name} | {seconds} | {peak} | {limit} |" for name, seconds, peak, limit in rows),
        f"| the dbt build in it, all models and tests (by dbt's own clock) | {statistics.median(built):.1f} s "
        f"({min(built):.1f} to {max(built):.1f}) | | 15 s |",
        "",
        f"The pipeline (receipts, contracts, dbt, checks, pages, seal) takes {ratio:.1f} times the wall time and "
        f"{times_memory:.1f} times the memory of the bare script, run by run.",
        "",
    ]
    (PROJECT / "bench" / "results.md").write_text("\n".join(lines), encoding="utf-8")
    sys.stdout.write("\n".join(lines) + "\nwritten to bench/results.md\n")


if __name__ == "__main__":
    main()
