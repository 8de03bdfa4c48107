"""The verdict: all checks of one build together, stored beside it, and the refusal of any build without a pass.

It gathers results and decides; how each kind of check comes to its result is its own module's business.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.errors import BlockedError, FaultError
from pipelines.ledger import Ledger
from pipelines.quality import dbt_tests, deliveries, expectations
from pipelines.quality.suites import load_expectations, load_manifest
from pipelines.quality.waivers import apply_waivers, load_waivers
from pipelines.records import Build, CheckResult, Punctuality, Verdict
from pipelines.store import Warehouse, now_utc, read_json, sha256_file, write_json

EVERY_CHECK_RAN = "gate.every_expected_check_ran"
EVERY_KIND_IS_THERE = "gate.every_kind_of_check_is_there"
NO_CHECK_IS_GONE = "gate.no_check_is_gone"
GATES = (EVERY_CHECK_RAN, EVERY_KIND_IS_THERE, NO_CHECK_IS_GONE)
_SOURCES = {"intake": "deliveries", "dbt": "dbt data tests", "expectation": "expectations"}


def checks_path(build: Build) -> Path:
    """Where the results of a build's checks stand."""
    return Path(build.folder) / "checks.json"


def verdict_path(build: Build) -> Path:
    """Where the verdict of a build stands."""
    return Path(build.folder) / "verdict.json"


def mask_path(build: Build) -> Path:
    """Where the mask stands that belongs to what was judged."""
    return Path(build.folder) / "mask.parquet"


def read_verdict(build: Build) -> Verdict | None:
    """The stored verdict of a build, or None."""
    path = verdict_path(build)
    return Verdict.from_dict(read_json(path)) if path.exists() else None


def read_results(build: Build) -> list[CheckResult]:
    """The stored check results of a build; an empty list when it was not judged."""
    path = checks_path(build)
    return [CheckResult.from_dict(item) for item in read_json(path)] if path.exists() else []


def read_history(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Every result of every judged build, oldest first; a line torn by a crash is passed over."""
    if not warehouse.checks.exists():
        return []
    lines = []
    for line in warehouse.checks.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue
    return lines


def _append_history(warehouse: Warehouse, build: Build, judged_at: str, results: list[CheckResult]) -> None:
    lines = [
        json.dumps(
            {
                "build_id": build.build_id, "judged_at": judged_at, "check_id": r.check_id, "severity": r.severity,
                "outcome": r.outcome, "observed": r.observed, "threshold": r.expected,
            },
            ensure_ascii=False, sort_keys=True,
        )
        for r in results
    ]  # fmt: skip
    path = warehouse.checks
    path.parent.mkdir(parents=True, exist_ok=True)
    torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
    with path.open("ab") as handle:
        handle.write((b"\n" if torn else b"") + ("\n".join(lines) + "\n").encode())
        handle.flush()
        os.fsync(handle.fileno())


def _gate(check_id: str, severity: str, bad: list[str], observed: str, expected: str, why: str) -> CheckResult:
    return CheckResult(
        check_id=check_id, source="gate", subject="verdict", severity="block" if severity == "block" else "warn",
        outcome=("error" if severity == "block" else "fail") if bad else "pass", description=why, observed=observed,
        expected=expected, failing_rows=len(bad), locations="\n".join(bad), owner="Junheng", why=why, since="1",
    )  # fmt: skip


def _gates(results: list[CheckResult], expected: dict[str, str], before: set[str]) -> list[CheckResult]:
    """The checks of the checking: all ran, every kind is there, none has gone since the last judgement."""
    found = Counter(result.check_id for result in results)
    missing = sorted(set(expected) - set(found))
    doubled = sorted(check_id for check_id, count in found.items() if count > 1)
    missing_results = [
        CheckResult(
            check_id=check_id, source="gate", subject=expected[check_id], severity="block", outcome="error",
            description="这项检查没有结果 / This check gave no result", observed="no result", expected="a result",
            why="A check that did not run is not a pass", owner="Junheng", since="1",
        )
        for check_id in missing
    ]  # fmt: skip
    absent = [name for kind, name in _SOURCES.items() if not any(r.source == kind for r in results)]
    gone = sorted(before - set(found) - set(missing) - set(GATES))
    return [
        *missing_results,
        _gate(
            EVERY_CHECK_RAN, "block", missing + doubled, f"{len(expected) - len(missing)} of {len(expected)}",
            f"{len(expected)} checks, each once", "应有的检查都有且只有一个结果 / Every expected check has one result",
        ),
        _gate(
            EVERY_KIND_IS_THERE, "block", absent, f"{len(_SOURCES) - len(absent)} of {len(_SOURCES)} kinds",
            ", ".join(_SOURCES.values()), "空的检查集不算通过 / An empty set of checks is not a pass",
        ),
        _gate(
            NO_CHECK_IS_GONE, "warn", gone, f"{len(gone)} gone", "0 gone",
            "上次有的检查这次还在 / A check that was there at the last judgement is still there",
        ),
    ]  # fmt: skip


def _subjects(connection: duckdb.DuckDBPyConnection, folders: list[Path], manifest_path: Path) -> dict[str, str]:
    """Every check that must have a result, with what it is about: from contracts, YAML and dbt's manifest."""
    manifest = load_manifest(manifest_path)
    subjects: dict[str, str] = {}
    for department, extract, _ in deliveries.extracts(connection):
        for kind in deliveries.KINDS:
            subjects[deliveries.check_id(kind, f"{department}/{extract}")] = f"{department}/{extract}"
    subjects |= {test.check_id: test.subject for test in manifest.tests}
    subjects |= {e.check_id: e.table for file in load_expectations(folders) for e in file.expectations}
    subjects |= {e.check_id: e.table for e in expectations.key_expectations(manifest.keys)}
    return subjects


def _delivery_results(
    connection: duckdb.DuckDBPyConnection, punctuality: Mapping[str, Punctuality]
) -> list[CheckResult]:
    """The delivery checks; none when their tables are broken, so that each is reported as having no result."""
    try:
        return deliveries.judge(connection, punctuality)
    except duckdb.Error:
        return []


def judge(
    warehouse: Warehouse,
    build: Build,
    expectations_folders: list[Path],
    waivers_file: Path,
    punctuality: Mapping[str, Punctuality],
) -> Verdict:
    """Run every check on a build and store results and verdict beside it; `judged` goes to the ledger.

    `punctuality` says by extract what is due and has not come. The verdict holds until the next delivery becomes due,
    or a waiver in use ends.
    Blocked when a blocking check failed, could not be judged, or is missing, or when there is nothing to judge
    by. Raises ConfigurationError for a mistake in expectation files or waivers, FaultError when the build's
    database is not closed.
    """
    if build.database.with_suffix(".duckdb.wal").exists() or not build.database.exists():
        raise FaultError(
            "the build's database is missing or still being written",
            where=str(build.database),
            do="build again (junheng build)",
        )
    files = load_expectations(expectations_folders)
    manifest = load_manifest(build.dbt_manifest)
    with duckdb.connect(str(build.database), read_only=True) as connection:
        subjects = _subjects(connection, expectations_folders, build.dbt_manifest)
        waivers = load_waivers(waivers_file, subjects)
        history = read_history(warehouse)
        last = history[-1]["build_id"] if history else None
        before = {line["check_id"] for line in history if line["build_id"] == last}
        results = [
            *_delivery_results(connection, punctuality),
            *dbt_tests.judge(manifest.tests, build.dbt_results),
            *expectations.judge(connection, files, manifest.keys),
        ]
    results, used = apply_waivers(results, waivers)
    results += _gates(results, subjects, before)
    results.sort(key=lambda r: (r.source, r.check_id))
    write_json(checks_path(build), [result.as_dict() for result in results])

    judged_at = now_utc()
    blocking = [r.check_id for r in results if r.blocks]
    outcomes = Counter(r.outcome for r in results)
    mask = mask_path(build)
    ends = [f"{w['until']}T23:59:59Z" for w in used if w["is_used"]]
    # An as-of build looks back at a moment that does not pass.
    due = deliveries.rests_on_clock_until(punctuality) if build.as_of is None else None
    ends += [due] if due else []
    verdict = Verdict(
        build_id=build.build_id,
        outcome="blocked" if blocking else "pass",
        judged_at=judged_at,
        valid_until=min(ends, default=None),
        passed=outcomes["pass"],
        failed=sum(r.outcome == "fail" and r.severity == "block" for r in results),
        errors=outcomes["error"],
        warnings=sum(r.outcome == "fail" and r.severity == "warn" for r in results),
        not_applicable=outcomes["not_applicable"],
        blocking=blocking,
        results_sha256=sha256_file(checks_path(build)),
        database_sha256=sha256_file(build.database),
        mask_sha256=sha256_file(mask) if mask.exists() else "",
        waived=outcomes["waived"],
        waivers=used,
    )
    write_json(verdict_path(build), verdict.as_dict())
    _append_history(warehouse, build, judged_at, results)
    ledger = Ledger(warehouse.ledger)
    for waiver in used:
        if waiver["is_used"]:
            ledger.append("waived", {"build_id": build.build_id, **waiver})
    ledger.append(
        "judged",
        {"build_id": build.build_id, "outcome": verdict.outcome, "verdict_sha256": sha256_file(verdict_path(build))},
    )
    return verdict


def _describe(result: CheckResult) -> str:
    where = result.locations.splitlines()[0] if result.locations else ""
    said = f"{result.check_id}: {result.outcome}, {result.observed} (expected {result.expected})"
    return f"{said}; {where}" if where else said


def require_passing(build: Build, ledger: Ledger) -> Verdict:
    """The passing verdict of exactly this build, or BlockedError saying why there is none.

    Refuses a verdict that is missing, of another build, blocked, out of date, or whose results, database, mask
    or own bytes are not the ones that were judged.
    """

    again = "judge the build again (junheng judge)"

    def refuse(message: str, failing: list[str] | None = None, do: str = again) -> BlockedError:
        return BlockedError(message, where=str(verdict_path(build)), do=do, failing=failing)

    if not verdict_path(build).exists():
        raise refuse("this build has no verdict")
    try:
        verdict = Verdict.from_dict(read_json(verdict_path(build)))
    except (ValueError, TypeError) as error:
        raise refuse("the verdict of this build is not readable") from error
    if verdict.build_id != build.build_id:
        raise refuse(f"the verdict beside this build is of another build, {verdict.build_id}")
    entry = ledger.last("judged", build_id=build.build_id)
    if entry is None or entry.details.get("verdict_sha256") != sha256_file(verdict_path(build)):
        raise refuse("the verdict is not the one that the ledger recorded")
    results = checks_path(build)
    if not results.exists() or sha256_file(results) != verdict.results_sha256:
        raise refuse("the check results are not the ones that the verdict rests on")
    if not build.database.exists() or sha256_file(build.database) != verdict.database_sha256:
        raise refuse("the build's database is not the one that was judged", do="build and judge again (junheng run)")
    mask = mask_path(build)
    if (sha256_file(mask) if mask.exists() else "") != verdict.mask_sha256:
        raise refuse("the mask is not the one that was there when the build was judged")
    if verdict.outcome != "pass" or verdict.blocking:
        by_id = {result.check_id: result for result in read_results(build)}
        failing = [_describe(by_id[check_id]) if check_id in by_id else check_id for check_id in verdict.blocking]
        raise refuse(
            f"{len(verdict.blocking)} blocking checks did not pass; the last release stays",
            failing=failing,
            do="mend what the checks name and run again (junheng quality shows all of them)",
        )
    if verdict.valid_until and verdict.valid_until < datetime.now(UTC).isoformat():
        raise refuse(f"the verdict was valid until {verdict.valid_until}")
    return verdict
