"""A past release made again from what was kept: its receipts, the rules of then, the code of now.

Everything is made in a scratch folder; the jurisdiction's folder as it is today is not looked at. Where a table
comes out otherwise, the report says which rows and what is different: the code, a library, or nothing that is known.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from pipelines import intake, release, rules
from pipelines.dbt_manifest import read_dbt_manifest
from pipelines.errors import UsageError
from pipelines.publish import Table, published_tables
from pipelines.records import Build, Choice, Held, Receipt
from pipelines.release import changes
from pipelines.release.causes import rules_in
from pipelines.release.preparation import libraries
from pipelines.run import Session
from pipelines.settings import Settings, code_version
from pipelines.sql import text_literal
from pipelines.store import write_json

# What a release publishes of figures; the tables about receiving, judging and releasing tell of one run.
FIGURES = ("figure", "benchmark", "dim_", "fct_", "mart_")


def reproduce(settings: Settings, release_id: str, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Build a release again and compare the content hashes of its dims, facts and marts.

    Raises UsageError for a release that is not there or was sealed before rules were kept, FaultError when kept
    bytes are gone or changed, ConfigurationError when a person-level extract needs its key.
    """
    here = Session(settings, say)
    folder = Path(release.find(here.warehouse, here.ledger, release_id).folder)
    manifest = release.read_manifest(folder)
    agreed = rules_in(manifest)
    if not agreed.files:
        raise UsageError(
            f"release {release_id} was sealed before the rules were kept with it",
            where=str(folder / "manifest.json"),
            do="name a later one (`junheng releases`)",
        )
    with tempfile.TemporaryDirectory(prefix="junheng-reproduce-") as scratch:
        again = _scratch_session(here, manifest, agreed, Path(scratch))
        say(f"reading {len(manifest['inputs']['receipts'])} receipts by the {len(agreed.files)} rule files of then")
        taken = again.take_in(receive=False)
        build = again.build(taken, again.identity(taken, manifest["as_of"]))
        say("comparing the tables")
        return _compared(again, build, folder, manifest)


def _scratch_session(here: Session, manifest: dict[str, Any], agreed: rules.Rules, scratch: Path) -> Session:
    """A session on a scratch warehouse that holds the receipts of a release and nothing else."""
    key = str(manifest["jurisdiction"])
    settings = replace(
        here.settings,
        jurisdiction_folder=scratch / "rules" / key,
        warehouse_folder=scratch / "warehouse",
        expectations_folder=scratch / "expectations",
    )
    settings.expectations_folder.mkdir()
    rules.restore(here.warehouse, agreed, settings.jurisdiction_folder, settings.expectations_folder)
    again = Session(settings, here.say)
    again.warehouse.folder.mkdir(parents=True)
    # The bytes are read where they are kept; nothing is added to them, for all that is needed is there.
    again.warehouse.vault.symlink_to(here.warehouse.vault.resolve(), target_is_directory=True)
    for said in manifest["inputs"]["receipts"]:
        receipt = Receipt.from_dict(said)
        write_json(again.warehouse.receipts / f"{receipt.receipt_id}.json", receipt.as_dict())
    again.chosen = _chosen(manifest)
    _take_over_person_level(here, again, manifest)
    return again


def _chosen(manifest: dict[str, Any]) -> Choice:
    """Which deliveries counted in a release. Before deliveries could be held, all that were in force did."""
    receipts = manifest["inputs"]["receipts"]
    return Choice(
        frozenset(said["receipt_id"] for said in receipts if said["is_in_force"]),
        tuple(_held(said) for said in receipts if said.get("is_held")),
        {said["receipt_id"]: said["held_because"] for said in receipts if said.get("held_because")},
        {said["receipt_id"]: said["in_place_of"] for said in receipts if said.get("in_place_of")},
    )


def _held(said: dict[str, Any]) -> Held:
    return Held.from_dict(
        {**said, "owner": "", "contact": "", "since": said["held_since"], "because": said["held_because"]}
    )


def _take_over_person_level(here: Session, again: Session, manifest: dict[str, Any]) -> None:
    """Without the key for ID numbers records cannot be read anew: the readings that were kept stand for them."""
    if intake.key_is_configured():
        return
    for reading in manifest["inputs"]["readings"]:
        extract = f"{reading['department']}/{reading['extract']}"
        contract = again.jurisdiction.contracts.get(extract)
        kept = here.warehouse.readings / extract / reading["reading_id"]
        if contract is not None and contract.records is not None and kept.is_dir():
            here.say(f"{extract}: no key for ID numbers is configured; the kept reading is taken")
            link = again.warehouse.readings / extract / reading["reading_id"]
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(kept.resolve(), target_is_directory=True)


def _compared(again: Session, build: Build, folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """The report: every table with both hashes, and for those that differ which rows and why."""
    project = read_dbt_manifest(build.dbt_manifest)
    all_tables = published_tables(project)
    tables = [t for t in all_tables if t.made_by == "dbt" and t.name.startswith(FIGURES)]
    sources = {model.name: project.sources_of(model) for model in project.models}
    # A table that stood in that release as it was in an earlier one was not made of its receipts.
    kept = {item["table"] for item in manifest.get("carried_over") or []}
    tables = [table for table in tables if table.name not in kept]
    was = {n: t for n, t in manifest["tables"].items() if n.startswith(FIGURES) and t["made_by"] == "dbt"}
    was = {name: table for name, table in was.items() if name not in kept}
    with release.lay_out(
        build, all_tables, build.mask, again.warehouse.folder / "public.duckdb", again.settings
    ) as made:
        now: dict[str, dict[str, Any]] = {}
        for table in tables:
            rows, sha256 = release.content_sha256(made, "public", table)
            now[table.name] = {"rows": rows, "content_sha256": sha256, "sources": sources.get(table.name, [])}
        listed = [
            {
                "table": name,
                "rows": was.get(name, {}).get("rows"),
                "rows_again": now.get(name, {}).get("rows"),
                "same": was.get(name, {}).get("content_sha256") == now.get(name, {}).get("content_sha256"),
                "content_sha256": was.get(name, {}).get("content_sha256"),
                "content_sha256_again": now.get(name, {}).get("content_sha256"),
            }
            for name in sorted(was.keys() | now.keys())
        ]
        differing = {line["table"] for line in listed if not line["same"]}
        after = _manifest_of(build, manifest, now)
        found: dict[str, Any] = {"inputs": [], "tables": {}}
        if differing:
            found = _rows_that_differ(made, [t for t in tables if t.name in differing], folder, manifest, after)
    for line in listed:
        rows = found["tables"].get(line["table"])
        # Under which reading a figure was taken is part of a table's hash, but no figure.
        line["same_figures"] = line["same"] or (rows is not None and not any(rows[kind] for kind in changes.KINDS))
    return {
        "release_id": manifest["release_id"],
        "same": not differing,
        "carried_over": sorted(kept),
        "tables": listed,
        "same_build": build.build_id == manifest["build_id"],
        "code_version": {"release": manifest["code_version"], "now": code_version()},
        "why": [said["cause"] for said in found["inputs"]] or (["nothing that is known"] if differing else []),
        "inputs": found["inputs"],
        "differences": found["tables"],
    }


def _manifest_of(build: Build, manifest: dict[str, Any], tables: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """As much of a manifest as comparing needs: the same receipts and rules, the code and libraries of now."""
    readings = [{**reading, "reader_version": intake.reader_version()} for reading in manifest["inputs"]["readings"]]
    return {
        **manifest,
        "build_id": build.build_id,
        "code_version": build.code_version,
        "libraries": libraries(),
        "inputs": {**manifest["inputs"], "readings": readings},
        "tables": tables,
    }


def _rows_that_differ(
    made: duckdb.DuckDBPyConnection,
    tables: list[Table],
    folder: Path,
    before: dict[str, Any],
    after: dict[str, Any],
) -> dict[str, Any]:
    made.execute(f"attach {text_literal(str(folder / 'public.duckdb'))} as before (read_only)")
    return changes.compare(made, tables, before, after)


__all__ = ["FIGURES", "reproduce"]
