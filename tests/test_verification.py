"""Tampering is found: any byte of any file, any line of the ledger, kept bytes, links, files that do not belong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import evidence_kit
import pytest
from evidence_kit import Shelf
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import release, verifier
from pipelines.errors import FaultError
from pipelines.jurisdiction.calendar import ReleasePlan
from pipelines.ledger import Ledger
from pipelines.release.signing import make_key
from pipelines.store import sha256_file, write_json
from pipelines.verifier import verify

HEX = set("0123456789abcdef")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """Two signed releases, the second one official and current. Tests change it and put it back."""
    with pytest.MonkeyPatch.context() as patched:
        evidence_kit.be_quick(patched)
        made = evidence_kit.make_shelf(tmp_path_factory.mktemp("evidence"))
        made.publish("b1")
        second = made.publish("b2").release_id
    plan = ReleasePlan()
    for name in ("Li Wei", "Chen Jing"):
        release.sign_off(made.warehouse, made.ledger, plan, second, name)
    assert made.verify().problems == []
    yield made
    assert made.verify().problems == []  # every test put back what it changed


def files_of(shelf: Shelf) -> list[Path]:
    """Every file that a release rests on: its own, the ledger's, receipts, kept bytes, readings, states."""
    folder = shelf.warehouse.folder
    named = [p for p in (folder / "releases" / shelf.newest).rglob("*") if p.is_file()]
    named += [folder / "ledger" / "ledger.jsonl", folder / "ledger" / "head.json", folder / "releases" / "status.json"]
    named += [*(folder / "receipts").glob("r*.json"), *(folder / "readings").rglob("*.parquet")]
    named += [p for p in (folder / "vault").rglob("*") if p.is_file()]
    return sorted(named)


class Changed:
    """A file with other bytes, or none, for the length of a block."""

    def __init__(self, path: Path, data: bytes | None) -> None:
        self.path, self.data = path, data
        self.before = path.read_bytes() if path.exists() else None

    def __enter__(self) -> None:
        self._write(self.data)

    def __exit__(self, *_: object) -> None:
        self._write(self.before)

    def _write(self, data: bytes | None) -> None:
        self.path.parent.chmod(0o755)
        self.path.unlink(missing_ok=True)
        if data is not None:
            self.path.write_bytes(data)


def names(shelf: Shelf, path: Path) -> bool:
    """True when the report names this very file, by its place in the warehouse."""
    relative = path.relative_to(shelf.warehouse.folder).as_posix()
    pair = {verifier.SEAL: verifier.MANIFEST}  # which of these two was changed, nobody can tell: both are named
    return any(
        relative in p.where or relative.replace(path.name, pair.get(path.name, path.name)) in p.where
        for p in shelf.verify().problems
    )


# -- bytes --------------------------------------------------------------------------------------------------------


def test_every_kind_of_file_is_in_the_trial(shelf: Shelf) -> None:
    kinds = {path.name for path in files_of(shelf)}
    assert {
        "manifest.json", "manifest.json.sha256", "manifest.json.sig", "changes.json", "release.json", "public.duckdb",
        "mart_rate.parquet", "verdict.json", "checks.json", "verify.py", "index.html", "ledger.jsonl", "head.json",
        "status.json", "r1.json", "accepted.parquet",
    } <= kinds  # fmt: skip
    assert sum(1 for name in kinds if len(name) == 64 and set(name) <= HEX) >= 6  # received bytes, rules, their list


@settings(max_examples=300)
@given(data=st.data())
def test_any_single_byte_changed_in_any_file_is_found_and_the_file_is_named(shelf: Shelf, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(files_of(shelf)))
    raw = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with Changed(path, bytes(raw)):
        assert names(shelf, path), (path, place)


def test_the_first_the_middle_and_the_last_byte_of_every_file(shelf: Shelf) -> None:
    for path in files_of(shelf):
        raw = path.read_bytes()
        for place in {0, len(raw) // 2, len(raw) - 1}:
            with Changed(path, raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]):
                assert names(shelf, path), (path, place)


def test_a_file_that_is_gone_cut_short_or_longer_is_named(shelf: Shelf) -> None:
    for path in files_of(shelf):
        raw = path.read_bytes()
        for data in (None, raw[:-1], raw + b" "):
            if path.name == "ledger.jsonl" and data == raw + b" ":
                continue  # a line that was never finished is what a crash leaves: no entry, and no loss
            with Changed(path, data):
                assert names(shelf, path), (path, data is None)


def test_a_file_a_folder_and_a_link_that_do_not_belong_to_a_release_are_named(shelf: Shelf) -> None:
    folder = shelf.warehouse.release_folder(shelf.newest)
    with Changed(folder / "parquet" / "extra.parquet", b"x"):
        assert any(p.where.endswith("parquet/extra.parquet") for p in shelf.verify().problems)
    folder.chmod(0o755)
    (folder / "empty").mkdir()
    (folder / "away").symlink_to("/etc/hostname")
    found = {p.where.rsplit("/", 1)[-1] for p in shelf.verify().problems}
    (folder / "empty").rmdir()
    (folder / "away").unlink()
    assert found == {"empty", "away"}


def test_a_release_folder_that_was_never_sealed_is_named(shelf: Shelf) -> None:
    (shelf.warehouse.releases / "20000101.1").mkdir()
    found = shelf.verify().problems
    (shelf.warehouse.releases / "20000101.1").rmdir()
    assert [p.where for p in found] == ["releases/20000101.1"]


@pytest.mark.parametrize("link", ["current", "official"])
def test_a_link_that_points_elsewhere_or_nowhere_is_named(shelf: Shelf, link: str) -> None:
    path = shelf.warehouse.folder / link
    target = path.readlink()
    first = release.list_releases(shelf.warehouse)[0].release_id
    for other in (Path("releases") / first, Path("/tmp"), None):
        path.unlink()
        if other is not None:
            path.symlink_to(other)
        found = shelf.verify().problems
        path.unlink(missing_ok=True)
        path.symlink_to(target)
        assert [p.where for p in found] == [link], other


# -- the ledger ---------------------------------------------------------------------------------------------------


def without(number: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: [line for n, line in enumerate(lines) if n != number % len(lines)]


def swapped(number: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: [*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]]


def edited(number: int) -> Callable[[list[bytes]], list[bytes]]:
    def edit(lines: list[bytes]) -> list[bytes]:
        entry = json.loads(lines[number])
        entry["details"]["by"] = "somebody else"
        entry["hash"] = verifier.entry_hash(entry)
        return [*lines[:number], verifier.entry_line(entry), *lines[number + 1 :]]

    return edit


@pytest.mark.parametrize("number", [0, 1, 4, -2, -1])
def test_a_ledger_line_that_is_gone_is_found(shelf: Shelf, number: int) -> None:
    lines = shelf.warehouse.ledger.read_bytes().splitlines()
    with Changed(shelf.warehouse.ledger, b"\n".join(without(number)(lines)) + b"\n"):
        found = shelf.verify().problems
        assert any(p.where.startswith("ledger/ledger.jsonl") for p in found)


@pytest.mark.parametrize("change", [swapped(0), swapped(3), edited(0), edited(5)])
def test_ledger_lines_swapped_or_edited_with_a_new_hash_are_found(shelf: Shelf, change: Any) -> None:
    lines = shelf.warehouse.ledger.read_bytes().splitlines()
    with Changed(shelf.warehouse.ledger, b"\n".join(change(lines)) + b"\n"):
        assert any(p.where.startswith("ledger/ledger.jsonl, line") for p in shelf.verify().problems)


def test_nothing_is_appended_to_a_ledger_that_lost_its_end(shelf: Shelf) -> None:
    lines = shelf.warehouse.ledger.read_bytes().splitlines()
    with Changed(shelf.warehouse.ledger, b"\n".join(lines[:-2]) + b"\n"):
        with pytest.raises(FaultError, match="ends at entry"):
            shelf.ledger.append("counted", {})
        assert len(shelf.warehouse.ledger.read_bytes().splitlines()) == len(lines) - 2


def test_a_ledger_rewritten_whole_is_found_by_a_hash_that_was_kept_elsewhere(shelf: Shelf, tmp_path: Path) -> None:
    head = shelf.verify().head
    assert shelf.verify(head=head).holds
    forged = Ledger(tmp_path / "ledger.jsonl")
    for entry in shelf.ledger.entries():
        details = {**entry.details, "by": "another"} if entry.event == "signed_off" else entry.details
        forged.append(entry.event, details)
    with (
        Changed(shelf.warehouse.ledger, forged.path.read_bytes()),
        Changed(shelf.warehouse.ledger.with_name("head.json"), forged.path.with_name("head.json").read_bytes()),
    ):
        found = shelf.verify(head=head)
    assert any(head in p.what for p in found.problems)


def test_a_crash_between_an_entry_and_its_head_is_no_finding(shelf: Shelf, tmp_path: Path) -> None:
    head = shelf.warehouse.ledger.with_name("head.json")
    entries = shelf.ledger.entries()
    last = entries[-2]
    with Changed(head, verifier.canonical({"entries": last.number, "hash": last.hash})):
        assert shelf.verify().problems == []
    last = entries[-3]
    with Changed(head, verifier.canonical({"entries": last.number, "hash": last.hash})):
        assert [p.where for p in shelf.verify().problems] == ["ledger/head.json"]


# -- whole releases -----------------------------------------------------------------------------------------------


def test_files_and_manifest_changed_together_are_found_by_signature_and_ledger(shelf: Shelf) -> None:
    folder = shelf.warehouse.release_folder(shelf.newest)
    page, manifest, seal = folder / "pages/index.html", folder / "manifest.json", folder / verifier.SEAL
    said = json.loads(manifest.read_bytes())
    with Changed(page, b"<p>other figures</p>"):
        said["files"]["pages/index.html"] = {"sha256": sha256_file(page), "size_bytes": page.stat().st_size}
        forged = verifier.canonical(said)
        with Changed(manifest, forged), Changed(seal, f"{sha256_file_of(forged)}  manifest.json\n".encode()):
            found = shelf.verify().problems
    assert {p.where.rsplit("/", 1)[-1] for p in found} == {"manifest.json.sig", "manifest.json"}
    assert any("ledger" in p.what for p in found)


def sha256_file_of(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def test_a_verdict_that_does_not_pass_or_is_of_another_build_is_named(shelf: Shelf, tmp_path: Path) -> None:
    folder = tmp_path / shelf.newest
    shutil.copytree(shelf.warehouse.release_folder(shelf.newest), folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
    for name, value in (("outcome", "blocked"), ("build_id", "b9")):
        verdict = json.loads((folder / verifier.VERDICT).read_bytes())
        before = (folder / verifier.VERDICT).read_bytes()
        write_json(folder / verifier.VERDICT, {**verdict, name: value})
        report = verifier.Report()
        verifier.check_release(folder, report)
        words = " ".join(p.what for p in report.problems if p.where == verifier.VERDICT)
        assert ("does not pass" if name == "outcome" else "b9") in words
        (folder / verifier.VERDICT).write_bytes(before)


def test_an_unsigned_release_says_so_and_fits_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence_kit.be_quick(monkeypatch)
    made = evidence_kit.make_shelf(tmp_path, is_signed=False)
    made.publish()
    report = made.verify()
    assert report.holds and any("not signed" in note for note in report.notes)
    make_key(tmp_path / "k")
    assert [p.where.rsplit("/", 1)[-1] for p in made.verify(public_key=tmp_path / "k.pub").problems] == [
        "manifest.json.sig"
    ]
    folder = made.warehouse.release_folder(made.newest)
    with Changed(folder / verifier.SIGNATURE, b"{}\n"):
        assert not made.verify().holds


def test_a_release_of_the_first_form_is_checked_as_far_as_it_can_be(shelf: Shelf, tmp_path: Path) -> None:
    folder = tmp_path / shelf.newest
    shutil.copytree(shelf.warehouse.release_folder(shelf.newest), folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
    said = json.loads((folder / "manifest.json").read_bytes())
    said["format"], said["signed_by"] = 1, None
    for name in (verifier.VERDICT, verifier.CHECKS):
        (folder / name).unlink()
        del said["files"][name]
    for path in sorted((folder / "evidence").rglob("*"), reverse=True):
        if path.is_file():
            del said["files"][path.relative_to(folder).as_posix()]
            path.unlink()
        else:
            path.rmdir()
    (folder / "evidence").rmdir()
    (folder / verifier.SIGNATURE).unlink()
    write_json(folder / "manifest.json", said)
    # Saying that a release is of the first form is no way around the check: its seal is there.
    assert not verify(None, [folder]).holds
    (folder / verifier.SEAL).unlink()
    report = verify(None, [folder])
    assert report.holds and "only its files are checked" in report.notes[0]
    (folder / "changes.json").write_bytes(b"{}")
    assert [p.where for p in verify(None, [folder]).problems] == ["changes.json"]


def test_releases_from_before_there_was_a_key_need_no_signature_later_ones_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence_kit.be_quick(monkeypatch)
    made = evidence_kit.make_shelf(tmp_path, is_signed=False)
    first = made.publish("b1").release_id
    made.key = make_key(tmp_path / "k")
    second = made.publish("b2").release_id
    made.key = None
    third = made.publish("b3").release_id
    report = made.verify(first, second, public_key=tmp_path / "k.pub")
    assert report.holds and any("before releases were signed" in note for note in report.notes)
    found = made.verify(first, second, third, public_key=tmp_path / "k.pub").problems
    assert [p.where for p in found] == [f"releases/{third}/manifest.json.sig"]


def test_the_key_that_was_named_must_be_the_one_that_signed(shelf: Shelf, tmp_path: Path) -> None:
    mine = shelf.folder / "keys" / "signing.pub"
    report = shelf.verify(public_key=mine)
    assert report.holds and report.is_trusted
    make_key(tmp_path / "other")
    found = shelf.verify(public_key=tmp_path / "other.pub").problems
    assert [p.where.rsplit("/", 1)[-1] for p in found] == ["manifest.json.sig"]


def test_a_signature_taken_away_is_named(shelf: Shelf) -> None:
    with Changed(shelf.warehouse.release_folder(shelf.newest) / verifier.SIGNATURE, None):
        assert [p.what for p in shelf.verify().problems] == ["is gone, but the release was signed"]


# -- without Junheng ----------------------------------------------------------------------------------------------


def alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The release's own verifier, in a Python that finds none of Junheng's code."""
    return subprocess.run(
        [sys.executable, "-P", str(folder / "verify.py"), *arguments],
        cwd="/", env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_verifier_of_a_release_needs_no_junheng(shelf: Shelf, tmp_path: Path) -> None:
    source = Path(verifier.__file__).read_text(encoding="utf-8")
    assert "import pipelines" not in source and "from pipelines" not in source
    folder = shelf.warehouse.release_folder(shelf.newest)
    said = alone(folder, "--json", "--public-key", str(shelf.folder / "keys" / "signing.pub"))
    assert said.returncode == 0, said.stdout + said.stderr
    report = json.loads(said.stdout)
    assert report["holds"] and report["is_trusted_key"] and report["ledger_head"] == shelf.verify().head
    away = tmp_path / "sent" / shelf.newest
    shutil.copytree(folder, away)
    said = alone(away)
    assert said.returncode == 0 and "only the release itself was checked" in said.stdout
    away.chmod(0o755)
    (away / "changes.json").chmod(0o644)
    (away / "changes.json").write_bytes(b"{}")
    said = alone(away)
    assert said.returncode == 3 and "  - changes.json: " in said.stdout
    assert alone(away, "--public-key", str(away / "changes.json")).returncode == 2
    assert not list(folder.rglob("__pycache__"))


def test_several_releases_are_told_apart(shelf: Shelf) -> None:
    ids = [r.release_id for r in release.list_releases(shelf.warehouse)]
    with Changed(shelf.warehouse.release_folder(ids[0]) / "pages/index.html", b"other"):
        folders = [shelf.warehouse.release_folder(i) for i in ids]
        found = verify(shelf.warehouse.folder, folders, whole_vault=True).problems
    assert [p.where for p in found] == [f"releases/{ids[0]}/pages/index.html"]
