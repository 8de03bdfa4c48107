"""What is written is whole or not there, one run at a time holds a warehouse, and the ledger shows every tampering."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import store
from pipelines.errors import BusyError, FaultError
from pipelines.ledger import GENESIS, Ledger
from pipelines.settings import PROJECT_FOLDER
from pipelines.store import Warehouse

# -- store --------------------------------------------------------------------------------------------------------


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "figures.json"
    store.write_json(path, {"n": 1})
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        store.write_json(path, {"n": 2})
    assert store.read_json(path) == {"n": 1}


def _write_for_ever(path: Path) -> None:
    while True:
        for letter in "ab":
            store.write_atomically(path, letter.encode() * 200_000)


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    store.write_atomically(path, b"a" * 200_000)
    writer = multiprocessing.get_context("fork").Process(target=_write_for_ever, args=(path,), daemon=True)
    writer.start()
    try:
        for _ in range(300):
            data = path.read_bytes()
            assert len(data) == 200_000
            assert len(set(data)) == 1
    finally:
        writer.kill()
        writer.join()


def test_json_and_parquet_of_the_same_content_are_the_same_bytes(tmp_path: Path) -> None:
    frame = pl.DataFrame({"region": ["a", "b"], "value": [1, None]})
    for name in ("one", "two"):
        store.write_parquet(tmp_path / f"{name}.parquet", frame)
        store.write_json(tmp_path / f"{name}.json", {"ä": 1, "b": [1, 2]})
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert not list(tmp_path.glob(".*"))  # no temporary file is left


def test_a_read_only_folder_can_be_removed(tmp_path: Path) -> None:
    folder = tmp_path / "release"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_text("x")
    store.make_read_only(folder)
    assert not (folder / "deep" / "file").stat().st_mode & 0o222
    store.remove_tree(folder)
    assert not folder.exists()
    store.remove_tree(folder)  # gone is gone


def test_moments_sort_as_text() -> None:
    moments = [store.now_utc() for _ in range(50)]
    assert moments == sorted(moments)
    assert all(len(m) == 27 and m.endswith("Z") for m in moments)


def test_a_second_run_is_told_who_holds_the_warehouse(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "verdania")
    with warehouse.lock():
        with pytest.raises(BusyError) as error, warehouse.lock():
            pass
        assert str(os.getpid()) in error.value.where
        assert error.value.exit_code == 4
    with warehouse.lock():  # free again
        pass


def test_a_crashed_run_holds_nothing(tmp_path: Path) -> None:
    code = f"""
import os, pathlib
from pipelines.store import Warehouse
with Warehouse(pathlib.Path({str(tmp_path)!r})).lock():
    os._exit(9)
"""
    crashed = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_FOLDER, check=False)
    assert crashed.returncode == 9
    with Warehouse(tmp_path).lock():
        pass


def test_a_dangling_current_is_no_release(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    assert warehouse.current_release_id() is None
    warehouse.current.symlink_to("releases/20200101.1")
    assert warehouse.current_release_id() is None
    warehouse.release_folder("20200101.1").mkdir(parents=True)
    assert warehouse.current_release_id() == "20200101.1"


# -- ledger -------------------------------------------------------------------------------------------------------


def filled(folder: Path, count: int = 3) -> Ledger:
    ledger = Ledger(folder / "ledger" / "ledger.jsonl")
    for number in range(count):
        ledger.append("counted", {"number": number, "name": "杭州"})
    return ledger


def test_entries_are_chained_from_the_first(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    entries = ledger.entries()
    assert [e.number for e in entries] == [1, 2, 3]
    assert entries[0].previous == GENESIS
    assert [e.previous for e in entries[1:]] == [e.hash for e in entries[:-1]]
    assert len({e.hash for e in entries}) == 3


def test_an_empty_ledger_has_no_entries(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    assert ledger.entries() == []
    assert ledger.last("counted") is None


def test_the_newest_entry_of_an_event_is_found(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    ledger.append("sealed", {"release_id": "20200101.1"})
    found = ledger.last("counted", number=1)
    assert found is not None and found.number == 2
    newest = ledger.last("counted")
    assert newest is not None and newest.number == 3
    assert ledger.last("sealed", release_id="20200101.2") is None


def changed(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1].replace(b'"number":1', b'"number":7', 1), *lines[2:]]


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(changed, id="an entry changed"),
        pytest.param(lambda lines: [lines[0], lines[2]], id="an entry removed"),
        pytest.param(lambda lines: [lines[0], lines[2], lines[1]], id="two entries swapped"),
        pytest.param(lambda lines: lines[1:], id="the first entry removed"),
        pytest.param(lambda lines: [*lines, lines[-1]], id="an entry repeated"),
        pytest.param(lambda lines: [lines[0], b'{"number": 2}', *lines[2:]], id="an entry replaced"),
        pytest.param(lambda lines: [lines[0], b"garbage", *lines[2:]], id="a line of garbage"),
    ],
)
def test_tampering_is_found(tmp_path: Path, tamper: object) -> None:
    ledger = filled(tmp_path)
    lines = ledger.path.read_bytes().splitlines()
    ledger.path.write_bytes(b"\n".join(tamper(lines)) + b"\n")  # type: ignore[operator]
    with pytest.raises(FaultError) as error:
        ledger.entries()
    assert "ledger" in error.value.message
    assert error.value.do


def test_an_entry_rewritten_with_its_own_new_hash_still_breaks_the_chain(tmp_path: Path) -> None:
    import hashlib

    ledger = filled(tmp_path)
    lines = ledger.path.read_bytes().splitlines()
    entry = json.loads(lines[1])
    entry["details"]["number"] = 99
    body = {k: v for k, v in entry.items() if k != "hash"}
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    entry["hash"] = hashlib.sha256(text).hexdigest()
    lines[1] = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    ledger.path.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(FaultError, match="chain breaks at entry 3"):
        ledger.entries()


@given(cut=st.integers(1, 60))
def test_a_line_cut_short_by_a_crash_is_set_aside_and_the_chain_goes_on(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    ledger = filled(tmp_path_factory.mktemp("ledger"))
    whole = ledger.path.read_bytes()
    torn = whole.splitlines()[0][:cut]
    ledger.path.write_bytes(whole + torn)
    entry = ledger.append("counted", {"number": 3})
    assert [e.number for e in ledger.entries()] == [1, 2, 3, 4]
    assert entry.previous == ledger.entries()[2].hash
    assert ledger.path.with_suffix(".torn").read_bytes() == torn + b"\n"


def test_a_torn_line_can_be_looked_past_while_nothing_is_appended(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    with ledger.path.open("ab") as handle:
        handle.write(b'{"number":4,"at":"2020')
    assert [e.number for e in ledger.entries()] == [1, 2, 3]


def test_nothing_is_appended_to_a_ledger_whose_last_entry_was_changed(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    damaged = ledger.path.read_bytes().replace('"name":"杭州","number":2'.encode(), '"name":"宁波","number":2'.encode())
    assert damaged != ledger.path.read_bytes()
    ledger.path.write_bytes(damaged)
    with pytest.raises(FaultError, match="last entry was changed"):
        ledger.append("counted", {})
    assert ledger.path.read_bytes() == damaged


def test_long_entries_are_found_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for size in (10, 300_000, 70_000, 10):
        ledger.append("long", {"text": "长" * size})
    assert [e.number for e in ledger.entries()] == [1, 2, 3, 4]
