"""A release is whole, checked and never changes; readers see the old one or the new one, nothing between."""

from __future__ import annotations

import hashlib
import json
import stat
import struct
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import hand_made
import polars as pl
import pytest

from pipelines import pages, quality, release
from pipelines.dbt_manifest import read_dbt_manifest
from pipelines.errors import BlockedError, FaultError, UsageError
from pipelines.ledger import Ledger
from pipelines.publish import Release, published_tables
from pipelines.quality import expectations
from pipelines.records import Build
from pipelines.release import changes, content, sealing, shelf
from pipelines.store import Warehouse, read_json, sha256_file


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expectations pass unseen, and pages are left out: both have tests of their own."""
    monkeypatch.setattr(
        expectations,
        "judge",
        lambda _, files, keys, *folder, **documents: [
            expectations._result(e, "pass", "")
            for e in [*(e for f in files for e in f.expectations), *expectations.key_expectations(keys)]
        ],
    )
    monkeypatch.setattr(pages, "render", lambda folder: None)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse" / "somewhere")


def prepare(warehouse: Warehouse, tmp_path: Path, build: Build) -> Path:
    if quality.read_verdict(build) is None:
        hand_made.judge(warehouse, build, tmp_path)
    verdict = quality.read_verdict(build)
    assert verdict is not None
    mask = Path(build.folder) / "mask.parquet"
    return release.prepare(warehouse, build, verdict, hand_made.JURISDICTION, mask, hand_made.settings(tmp_path))


def seal(warehouse: Warehouse, build: Build, prepared: Path, set_current: bool = True) -> Release:
    ledger = Ledger(warehouse.ledger)
    return release.seal(warehouse, ledger, build, prepared, hand_made.JURISDICTION, set_current=set_current)


def publish(warehouse: Warehouse, tmp_path: Path, build_id: str = "b1", rates: Any = None, **keep: Any) -> Release:
    build = hand_made.make_build(warehouse, build_id, rates)
    return seal(warehouse, build, prepare(warehouse, tmp_path, build), **keep)


def ask(folder: Path | str, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(Path(folder) / "public.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


# -- what is in it -------------------------------------------------------------------------------------------------


def test_a_release_holds_the_published_tables_in_key_order_with_keys_and_words(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    folder = publish(warehouse, tmp_path).folder
    assert ask(folder, "select place_code, year, numerator from mart_rate")[0][:2] == ("P1", 2019)
    comments = dict(ask(folder, "select table_name, comment from duckdb_tables()"))
    assert comments["mart_rate"] == "mart_rate的说明 / About mart_rate"
    assert all(comments.values())
    assert ask(folder, "select count(*) from duckdb_columns() where not internal and comment is null") == [(0,)]
    assert ask(folder, "select constraint_column_names from duckdb_constraints() where table_name = 'mart_rate' "
                       "and constraint_type = 'PRIMARY KEY'") == [(["place_code", "year"],)]  # fmt: skip
    rows = dict(ask(folder, "select table_name, row_count from meta_table"))
    for table, count in rows.items():
        assert ask(folder, f"select count(*) from {table}") == [(count,)]
        assert pl.read_parquet(Path(folder) / "parquet" / f"{table}.parquet").height == count
    # the history is packed in a table of its own, and read through the view publication_history
    assert {*rows, "publication_change"} == {t for (t,) in ask(folder, "select table_name from duckdb_tables()")}
    assert ask(folder, "select unit, example, is_key from meta_column where column_name = 'rate_pct'") == [
        ("%", "33.333333333333336", False)
    ]


def test_a_release_carries_its_checks_verdict_and_history(warehouse: Warehouse, tmp_path: Path) -> None:
    first = publish(warehouse, tmp_path, "b1")
    second = publish(warehouse, tmp_path, "b2")
    assert ask(second.folder, "select outcome, build_id from audit_verdict") == [("pass", "b2")]
    assert ask(
        second.folder, "select count(*) > 5, bool_and(outcome in ('pass', 'not_applicable')) from audit_check"
    ) == [(True, True)]
    assert ask(second.folder, "select release_id, state, is_this_release from audit_release") == [
        (first.release_id, "candidate", False),
        (second.release_id, "candidate", True),
    ]


def test_clients_of_1_4_can_open_the_database(warehouse: Warehouse, tmp_path: Path) -> None:
    folder = publish(warehouse, tmp_path).folder
    raw = (Path(folder) / "public.duckdb").read_bytes()[:64]
    # Bytes 12 to 20 of the main header hold the storage version; 1.4 writes and reads up to 67.
    assert raw[8:12] == b"DUCK"
    assert int.from_bytes(raw[12:20], "little") <= 67


def test_the_manifest_accounts_for_every_file_and_table(warehouse: Warehouse, tmp_path: Path) -> None:
    sealed = publish(warehouse, tmp_path)
    folder = Path(sealed.folder)
    manifest = read_json(folder / "manifest.json")
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    files -= {"manifest.json", "manifest.json.sha256"}  # the manifest cannot list itself, nor its own hash
    assert set(manifest["files"]) == files
    for name, item in manifest["files"].items():
        assert sha256_file(folder / name) == item["sha256"]
    assert manifest["inputs"]["receipts"][0]["sha256"] == "0" * 64
    assert manifest["inputs"]["readings"][0]["reading_id"] == "g1"
    assert manifest["provenance"] == {"mart_rate": {"official": 2, "synthetic": 1}}
    for name in ("code_version", "contracts_hash", "reference_hash", "expectations_hash"):
        assert manifest[name]
    entry = Ledger(warehouse.ledger).last("sealed", release_id=sealed.release_id)
    assert entry is not None and entry.details["manifest_sha256"] == sha256_file(folder / "manifest.json")
    verdict = Path(warehouse.build_folder("b1"), "verdict.json")
    assert manifest["verdict"]["verdict_sha256"] == sha256_file(verdict)


def _content_hash_by_the_definition(frame: pl.DataFrame) -> str:
    """The definition of the content hash once more, in plain Python, from Parquet."""

    def kind_and_bytes(kind: pl.DataType, value: Any) -> tuple[str, bytes]:
        if isinstance(kind, pl.Decimal):
            whole = int(value.scaleb(kind.scale or 0)) if value is not None else 0
            return f"decimal({kind.scale})", whole.to_bytes(16, "little", signed=True)
        if kind == pl.String:
            return "text", (value or "").encode()
        if kind == pl.Boolean:
            return "boolean", bytes([bool(value)])
        if kind == pl.Float64:
            return "double", struct.pack("<d", value or 0.0)
        if kind == pl.Date:
            return "date", ((value - date(1970, 1, 1)).days if value else 0).to_bytes(4, "little", signed=True)
        assert kind.is_integer(), kind
        return "integer", (value or 0).to_bytes(8, "little", signed=True)

    lines = ""
    for column in frame.iter_columns():
        name, kind = column.name, kind_and_bytes(column.dtype, None)[0]
        there = [kind_and_bytes(column.dtype, value)[1] for value in column if value is not None]
        parts = (
            bytes(value is not None for value in column),
            b"".join(struct.pack("<i", len(value)) for value in there) if kind == "text" else b"",
            b"".join(there),
        )
        lines += "\t".join((name, kind, *(hashlib.sha256(part).hexdigest() for part in parts))) + "\n"
    return hashlib.sha256(lines.encode()).hexdigest()


def test_the_content_hash_is_the_same_from_parquet_by_other_code(warehouse: Warehouse, tmp_path: Path) -> None:
    rates = [
        (f"P\t{i}\\\n", i, f"{i / 7:.9f}", "3", 1.1**i * 10 ** (i - 30), "true", "A", "F", "official")
        for i in range(90)
    ]
    folder = Path(publish(warehouse, tmp_path, rates=rates).folder)
    tables = read_json(folder / "manifest.json")["tables"]
    for name in ("mart_rate", "dim_place"):
        frame = pl.read_parquet(folder / "parquet" / f"{name}.parquet")
        assert _content_hash_by_the_definition(frame) == tables[name]["content_sha256"]


def test_the_same_rows_give_the_same_hashes_and_the_same_parquet_bytes(warehouse: Warehouse, tmp_path: Path) -> None:
    first = Path(publish(warehouse, tmp_path, "b1").folder)
    second = Path(publish(warehouse, tmp_path, "b2", rates=list(reversed(hand_made.RATES))).folder)
    one, two = read_json(first / "manifest.json"), read_json(second / "manifest.json")
    for table in ("mart_rate", "dim_place"):
        assert one["tables"][table] == two["tables"][table]
        assert one["files"][f"parquet/{table}.parquet"] == two["files"][f"parquet/{table}.parquet"]


def test_the_content_hash_notices_every_kind_of_change(tmp_path: Path) -> None:
    table = next(t for t in published_tables(read_dbt_manifest(_manifest_file(tmp_path))) if t.name == "mart_rate")

    def hash_after(*changes: str) -> str:
        hand_made.make_database(tmp_path / "b.duckdb")
        with duckdb.connect() as connection:
            connection.execute(f"attach '{tmp_path / 'b.duckdb'}' as public")
            for change in changes:
                connection.execute(f"update public.mart_rate set {change}")
            return content.content_sha256(connection, "public", table)[1]

    updates = [
        "numerator = 2 where place_code = 'P2'",
        "numerator = 0 where numerator is null",
        "rate_pct = rate_pct + 1e-14 where place_code = 'P1'",
        "obs_status = 'E' where year = 2019",
        "conf_status = null where year = 2019",
        "conf_status = '\\N' where year = 2019",
        "is_final = null where year = 2019",
        "year = 2021 where place_code = 'P2'",
    ]
    hashes = [hash_after()] + [hash_after(change) for change in updates]
    assert len(set(hashes)) == len(hashes)


def _manifest_file(tmp_path: Path) -> Path:
    path = tmp_path / "dbt_manifest.json"
    path.write_text(json.dumps(hand_made.manifest()), encoding="utf-8")
    return path


# -- the mask ------------------------------------------------------------------------------------------------------


def mask_rows(*rows: tuple[str, dict[str, Any], str]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"table_name": t, "key_json": json.dumps(k), "column_name": c, "conf_status": "A", "reason": "small count"}
            for t, k, c in rows
        ]
    )


def test_a_masked_cell_reaches_no_published_file(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(
        warehouse, rates=[*hand_made.RATES[1:], ("P2", 2020, "7654321", "4", 2.5, "true", "A", "F", "synthetic")]
    )
    key = {"place_code": "P2", "year": "2020"}
    mask_rows(("mart_rate", key, "numerator"), ("mart_rate", key, "rate_pct")).write_parquet(
        Path(build.folder) / "mask.parquet"
    )
    prepared = prepare(warehouse, tmp_path, build)
    shown = "select numerator, denominator, rate_pct, obs_status, conf_status from mart_rate "
    shown += "where place_code = '{}' and year = 2020"
    assert ask(prepared, shown.format("P2")) == [(None, 4, None, "Q", "A")]
    assert ask(prepared, shown.format("P1"))[0][3:] == ("A", "F")
    sealed = seal(warehouse, build, prepared)
    assert read_json(Path(sealed.folder) / "manifest.json")["mask"]["cells"] == 2
    for path in Path(sealed.folder).rglob("*"):
        if path.is_file():
            assert b"7654321" not in path.read_bytes(), path
    stored = (7654321 * 10**9).to_bytes(8, "little")
    assert stored not in (Path(sealed.folder) / "public.duckdb").read_bytes()


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (("mart_nowhere", {"place_code": "P2"}, "numerator"), "no model publishes"),
        (("mart_rate", {"place_code": "P2"}, "numerator"), "is not a key"),
        (("mart_rate", {"place_code": "P2", "year": 2020}, "nothing"), "no column nothing"),
        (("mart_rate", {"place_code": "P2", "year": 2020}, "year"), "no column year that can be hidden"),
        (("mart_rate", {"place_code": "P9", "year": 2020}, "numerator"), "not in the build"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(warehouse: Warehouse, tmp_path: Path, row: Any, problem: str) -> None:
    build = hand_made.make_build(warehouse)
    mask_rows(row).write_parquet(Path(build.folder) / "mask.parquet")
    with pytest.raises(FaultError, match=problem):
        prepare(warehouse, tmp_path, build)


# -- the refusals --------------------------------------------------------------------------------------------------


def test_nothing_is_prepared_or_sealed_without_the_passing_verdict_of_this_build(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    good = hand_made.make_build(warehouse, "b1")
    prepared = prepare(warehouse, tmp_path, good)
    bad = hand_made.make_build(warehouse, "b2")
    hand_made.write_results(bad, not_null_mart_rate_year="fail")
    hand_made.judge(warehouse, bad, tmp_path)
    verdict = quality.read_verdict(good)
    assert verdict is not None
    mask = Path(bad.folder) / "mask.parquet"
    with pytest.raises(BlockedError, match="did not pass"):
        release.prepare(warehouse, bad, verdict, hand_made.JURISDICTION, mask, hand_made.settings(tmp_path))
    with pytest.raises(BlockedError, match="did not pass"):
        seal(warehouse, bad, prepared)
    with pytest.raises(BlockedError, match="not the stored one"):
        settings = hand_made.settings(tmp_path)
        release.prepare(warehouse, good, replace(verdict, passed=99), hand_made.JURISDICTION, mask, settings)
    assert warehouse.current_release_id() is None and release.list_releases(warehouse) == []


def test_what_was_prepared_for_another_build_is_not_sealed(warehouse: Warehouse, tmp_path: Path) -> None:
    prepared = prepare(warehouse, tmp_path, hand_made.make_build(warehouse, "b1"))
    other = hand_made.make_build(warehouse, "b2")
    hand_made.judge(warehouse, other, tmp_path)
    with pytest.raises(BlockedError, match="does not rest on this build"):
        seal(warehouse, other, prepared)


def test_what_was_prepared_under_an_older_verdict_is_not_sealed(warehouse: Warehouse, tmp_path: Path) -> None:
    build = hand_made.make_build(warehouse)
    prepared = prepare(warehouse, tmp_path, build)
    hand_made.judge(warehouse, build, tmp_path)
    with pytest.raises(BlockedError, match="its verdict"):
        seal(warehouse, build, prepared)


# -- the shelf -----------------------------------------------------------------------------------------------------


def test_release_ids_count_on_within_a_day_and_are_never_used_again(warehouse: Warehouse, tmp_path: Path) -> None:
    first, second = publish(warehouse, tmp_path, "b1"), publish(warehouse, tmp_path, "b2")
    day, _, number = first.release_id.partition(".")
    assert (number, second.release_id) == ("1", f"{day}.2")
    release.rollback(warehouse, Ledger(warehouse.ledger), first.release_id)
    shelf.remove_tree(Path(second.folder))  # whoever removes a release must not bring another under its id
    assert publish(warehouse, tmp_path, "b3").release_id == f"{day}.3"


def test_a_sealed_release_is_read_only_and_current(warehouse: Warehouse, tmp_path: Path) -> None:
    sealed = publish(warehouse, tmp_path)
    for path in [Path(sealed.folder), *Path(sealed.folder).rglob("*")]:
        assert not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH), path
    assert warehouse.current.is_symlink() and warehouse.current.readlink() == Path("releases", sealed.release_id)
    assert not list(warehouse.releases.glob(".preparing-*")) and not (Path(sealed.folder) / "draft.json").exists()


def test_a_release_as_of_a_moment_never_becomes_current(warehouse: Warehouse, tmp_path: Path) -> None:
    first = publish(warehouse, tmp_path, "b1")
    past = publish(warehouse, tmp_path, "b2", set_current=False)
    assert warehouse.current_release_id() == first.release_id
    release.clean_up(warehouse, Ledger(warehouse.ledger))
    assert warehouse.current_release_id() == first.release_id
    assert [r.release_id for r in release.list_releases(warehouse)] == [first.release_id, past.release_id]


def test_roll_back_sets_current_back_and_removes_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    first, second = publish(warehouse, tmp_path, "b1"), publish(warehouse, tmp_path, "b2")
    ledger = Ledger(warehouse.ledger)
    assert release.rollback(warehouse, ledger, first.release_id).release_id == first.release_id
    assert warehouse.current_release_id() == first.release_id and Path(second.folder).exists()
    entry = ledger.last("current")
    assert entry is not None
    assert entry.details == {"release_id": first.release_id, "before": second.release_id, "cause": "rollback"}
    # The rollback stays, also after the next cleaning up.
    assert release.clean_up(warehouse, ledger) == []
    assert warehouse.current_release_id() == first.release_id


def test_only_a_release_that_the_ledger_knows_can_become_current(warehouse: Warehouse, tmp_path: Path) -> None:
    sealed = publish(warehouse, tmp_path)
    ledger = Ledger(warehouse.ledger)
    with pytest.raises(UsageError, match="there is no release 20200101"):
        release.rollback(warehouse, ledger, "20200101.1")
    manifest = Path(sealed.folder) / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"b1"', '"b2"'), encoding="utf-8")
    with pytest.raises(UsageError, match="not the one that the ledger recorded"):
        release.rollback(warehouse, ledger, sealed.release_id)


class Crash(Exception):
    """The process ends here."""


@pytest.mark.parametrize("step", ["_make_durable", "append sealed", "write_status", "set_link"])
def test_a_crash_at_any_step_of_sealing_leaves_the_last_release_and_can_be_put_right(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    first = publish(warehouse, tmp_path, "b1")
    build = hand_made.make_build(warehouse, "b2")
    prepared = prepare(warehouse, tmp_path, build)

    def crash(*_: Any, **__: Any) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        if step == "append sealed":
            patched.setattr(Ledger, "append", crash)
        else:
            patched.setattr(sealing, step, crash)
        with pytest.raises(Crash):
            seal(warehouse, build, prepared)
    assert warehouse.current_release_id() == first.release_id
    assert ask(warehouse.current, "select count(*) from mart_rate") == [(3,)]

    done = release.clean_up(warehouse, Ledger(warehouse.ledger))
    recorded = step in ("write_status", "set_link")
    assert len(done) == 1
    names = {path.name for path in warehouse.releases.iterdir()}
    listed = [r.release_id for r in release.list_releases(warehouse)]
    if recorded:
        assert warehouse.current_release_id() == listed[-1] != first.release_id
    else:
        assert names == {first.release_id, "status.json"} and warehouse.current_release_id() == first.release_id
    assert set(read_json(warehouse.release_status)["releases"]) == set(listed)
    assert release.clean_up(warehouse, Ledger(warehouse.ledger)) == []


def test_a_crash_while_preparing_is_cleared_away_by_the_next_run(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish(warehouse, tmp_path, "b1")
    build = hand_made.make_build(warehouse, "b2")

    def crash(_: Path) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(pages, "render", crash)
        with pytest.raises(Crash):
            prepare(warehouse, tmp_path, build)
    assert list(warehouse.releases.glob(".preparing-*"))
    assert warehouse.current_release_id() == first.release_id
    second = seal(warehouse, build, prepare(warehouse, tmp_path, build))
    assert warehouse.current_release_id() == second.release_id
    assert not list(warehouse.releases.glob(".preparing-*"))


@pytest.mark.pipeline  # many releases under readers that never rest
def test_a_reader_that_reopens_current_all_the_time_sees_no_error_and_no_mixture(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    def rates(number: int) -> list[tuple[Any, ...]]:
        return [(f"P{i}", 2020, str(number), "9", float(number), "true", "A", "F", "official") for i in range(50)]

    publish(warehouse, tmp_path, "b0", rates(0))
    stop, problems, seen = threading.Event(), [], set()

    def read() -> None:
        while not stop.is_set():
            try:
                found = ask(
                    warehouse.current.resolve(),
                    "select count(*), min(numerator), max(numerator), any_value(build_id) "
                    "from mart_rate, audit_verdict",
                )[0]
                if found[0] != 50 or found[1] != found[2] or f"b{int(found[1])}" != found[3]:
                    problems.append(str(found))
                seen.add(found[3])
            except Exception as error:
                problems.append(repr(error))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, 4):
        publish(warehouse, tmp_path, f"b{number}", rates(number))
    stop.set()
    for reader in readers:
        reader.join()
    assert problems == [] and len(seen) >= 2


# -- what changed ----------------------------------------------------------------------------------------------------


def test_changes_against_the_release_before_are_counted_and_shown_by_key(warehouse: Warehouse, tmp_path: Path) -> None:
    first = publish(warehouse, tmp_path, "b1")
    said = read_json(Path(first.folder) / "changes.json")
    assert said == {"against": None, "tables": {}, "replaces": [], "method": None}
    p2, p1, gone = hand_made.RATES
    revised = ("P1", 2020, "2", "3", 200 / 3, "true", "A", "F", "official")
    new = ("P3", 2020, "1", "1", 100.0, "true", "A", "F", "official")
    assert p1[:2] == revised[:2] and gone[1] == 2019
    second = publish(warehouse, tmp_path, "b2", [p2, revised, new])
    said = read_json(Path(second.folder) / "changes.json")
    assert said["against"] == first.release_id
    found = said["tables"]["mart_rate"]
    assert (found["added"], found["removed"], found["revised"], found["rows"]) == (1, 1, 1, 3)
    (added,), (removed,) = found["examples"]["added"], found["examples"]["removed"]
    assert (added["key"], removed["key"]) == (
        {"place_code": "P3", "year": "2020"},
        {"place_code": "P1", "year": "2019"},
    )
    assert found["examples"]["revised"][0]["columns"]["numerator"] == {"before": "1.000000000", "after": "2.000000000"}
    assert said["tables"]["dim_place"] == {"added": 0, "removed": 0, "revised": 0, "rows": 2}


def test_another_reading_of_the_same_figure_is_no_revision(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "NOT_A_REVISION", frozenset({"conf_status"}))
    publish(warehouse, tmp_path, "b1")
    second = publish(warehouse, tmp_path, "b2", [(*row[:7], "C", *row[8:]) for row in hand_made.RATES])
    found = read_json(Path(second.folder) / "changes.json")["tables"]["mart_rate"]
    assert (found["added"], found["removed"], found["revised"]) == (0, 0, 0)


def test_a_new_column_and_a_column_that_went_are_named(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(warehouse, tmp_path, "b1")
    columns = {**hand_made.MODELS["mart_rate"]["columns"], "flag": "VARCHAR"}
    del columns["is_final"]
    models = {**hand_made.MODELS, "mart_rate": {**hand_made.MODELS["mart_rate"], "columns": columns, "version": 2}}
    monkeypatch.setattr(hand_made, "MODELS", models)
    rates = [(*row[:5], *row[6:], "x") for row in hand_made.RATES]
    second = publish(warehouse, tmp_path, "b2", rates)
    found = read_json(Path(second.folder) / "changes.json")["tables"]["mart_rate"]
    assert (found["columns_added"], found["columns_removed"], found["revised"]) == (["flag"], ["is_final"], 0)
