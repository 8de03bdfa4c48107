"""The verdict: all checks of one build together, stored beside it, and the refusal of any build without a pass.

It gathers results and decides what may be released: all of it, all but tables that stay as they were in the last
release, or nothing. How each kind of check comes to its result is its own module's business.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pipelines.errors import BlockedError, FaultError
from pipelines.ledger import Ledger
from pipelines.quality import dbt_tests, deliveries, expectations, gates, history, published
from pipelines.quality.places import with_addresses
from pipelines.quality.previous import Previous, checks_of, opened, previous_release
from pipelines.quality.suites import Manifest, load_expectations, load_manifest, load_retired
from pipelines.quality.waivers import apply_waivers, load_waivers
from pipelines.quality.withheld import without_withheld
from pipelines.records import Build, CheckResult, Punctuality, TableContract, Verdict
from pipelines.store import Warehouse, now_utc, read_json, sha256_file, write_json


def checks_path(build: Build) -> Path:
    """Where the results of a build's checks stand."""
    return Path(build.folder) / "checks.json"


def verdict_path(build: Build) -> Path:
    """Where the verdict of a build stands."""
    return Path(build.folder) / "verdict.json"


def built_sha256(build: Build) -> str:
    """One hash of all that dbt made: of the database alone where nothing lies beside it."""
    hashes = {path.name: sha256_file(path) for path in build.files}
    if len(hashes) == 1:
        return hashes[build.database.name]
    return hashlib.sha256("".join(f"{name} {found}\n" for name, found in hashes.items()).encode()).hexdigest()


def _mask_sha256(build: Build) -> str:
    return sha256_file(build.mask) if build.mask.exists() else ""


def read_verdict(build: Build) -> Verdict | None:
    """The stored verdict of a build, or None."""
    path = verdict_path(build)
    return Verdict.from_dict(read_json(path)) if path.exists() else None


def read_results(build: Build) -> list[CheckResult]:
    """The stored check results of a build; an empty list when it was not judged."""
    path = checks_path(build)
    return [CheckResult.from_dict(item) for item in read_json(path)] if path.exists() else []


@dataclass(frozen=True)
class Rules:
    """What a build is judged by beside its contracts: expectation files, waivers, what is due, what is published."""

    expectations_folders: list[Path]
    waivers_file: Path
    punctuality: Mapping[str, Punctuality]  # by extract
    published: Sequence[TableContract]
    retired_tables: Mapping[str, str] = field(default_factory=dict)  # table -> since when


def _expected(
    connection: duckdb.DuckDBPyConnection, rules: Rules, manifest: Manifest, previous: Previous
) -> dict[str, str]:
    """Every check that must have a result, with what it is about: from contracts, YAML and dbt's manifest."""
    files = load_expectations(rules.expectations_folders)
    return {
        **deliveries.expected(connection),
        **{test.check_id: test.subject for test in manifest.tests},
        **{e.check_id: e.table for file in files for e in file.expectations},
        **{e.check_id: e.table for e in expectations.key_expectations(manifest.keys)},
        **published.expected(rules.published, previous),
    }


def judge(warehouse: Warehouse, build: Build, rules: Rules, *, with_documents: bool = False) -> Verdict:
    """Run every check on a build and store results and verdict beside it; `judged` goes to the ledger.

    The verdict holds until the next delivery becomes due, or a waiver in use ends. Blocked when a blocking check
    failed, could not be judged, or is missing, or when there is nothing to judge by; a check that holds up its table
    only leaves that table, and what hangs on it, as it was in the last release. Raises ConfigurationError for a
    mistake in expectation files or waivers, FaultError when the build's database is not closed.
    """
    if build.database.with_suffix(".duckdb.wal").exists() or not build.database.exists():
        raise FaultError(
            "the build's database is missing or still being written",
            where=str(build.database),
            do="build again (junheng build)",
        )
    files = load_expectations(rules.expectations_folders)
    retired = load_retired(rules.expectations_folders)
    manifest = load_manifest(build.dbt_manifest)
    previous = previous_release(warehouse, build)
    with opened(build, previous, rules.published) as connection:
        expected = _expected(connection, rules, manifest, previous)
        waivers = load_waivers(rules.waivers_file, expected)
        results = [
            *deliveries.judge(connection, rules.punctuality),
            *dbt_tests.judge(connection, manifest.tests, build.dbt_results),
            *expectations.judge(connection, files, manifest.keys, Path(build.folder), with_documents=with_documents),
            *published.judge(rules.published, previous, rules.retired_tables),
        ]
        results = with_addresses(connection, results)
    applied = apply_waivers(results, waivers)
    results = without_withheld(applied.results, build.mask)
    before = {check_id for check_id in checks_of(previous) if not check_id.startswith("gate.")}
    results += gates.judge(results, expected, before, retired, rules.retired_tables)
    results.append(gates.waivers_fit(applied.problems, len(waivers)))
    carried_over, problems = gates.carried_over(results, manifest, rules.published, previous)
    results.append(gates.can_be_carried_over(carried_over, problems, previous))
    if problems:  # what cannot stay as it was holds up everything
        results = [replace(result, reach="build") if result.holds_back else result for result in results]
        carried_over = []
    results.sort(key=lambda r: (r.source, r.check_id))
    write_json(checks_path(build), [result.as_dict() for result in results])

    judged_at = now_utc()
    blocking = [r.check_id for r in results if r.blocks]
    outcomes = Counter(r.outcome for r in results)
    ends = [f"{w['until']}T23:59:59Z" for w in applied.waivers if w["is_used"]]
    # An as-of build looks back at a moment that does not pass.
    due = deliveries.rests_on_clock_until(rules.punctuality) if build.as_of is None else None
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
        database_sha256=built_sha256(build),
        mask_sha256=_mask_sha256(build),
        waived=outcomes["waived"],
        held=outcomes["held"],
        waivers=applied.waivers,
        against=previous.release_id,
        against_sha256=previous.manifest_sha256,
        carried_over=carried_over,
    )
    write_json(verdict_path(build), verdict.as_dict())
    history.append(warehouse, build, judged_at, previous.release_id, results)
    ledger = Ledger(warehouse.ledger)
    for waiver in applied.waivers:
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

    Refuses a verdict that is missing, of another build, blocked, out of date, judged against another release than
    the one that is current, or whose results, database, mask or own bytes are not the ones that were judged.
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
    if not build.database.exists() or built_sha256(build) != verdict.database_sha256:
        raise refuse("the build's database is not the one that was judged", do="build and judge again (junheng run)")
    if _mask_sha256(build) != verdict.mask_sha256:
        raise refuse("the mask is not the one that was there when the build was judged")
    current = ledger.last("current")
    if build.as_of is None and verdict.against != (current.details["release_id"] if current else None):
        raise refuse(f"the build was judged against {verdict.against or 'no release'}, and that is no longer current")
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
