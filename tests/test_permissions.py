"""Who may read what of a warehouse: received bytes, readings and builds their owner alone, releases everybody."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import copy_of
from houses import House

from pipelines import cli
from pipelines.run import Session, run

pytestmark = pytest.mark.pipeline


def modes(folder: Path) -> Iterator[tuple[Path, int]]:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            yield path, stat.S_IMODE(path.stat().st_mode)


# What others than the owner of a warehouse may read of it. Everything else is closed, whatever it is.
PUBLIC = (
    r"\.", r"releases(/.*)?", r"ledger(/(ledger\.jsonl|head\.json))?", r"receipts(/[^/]+\.json)?",
)  # fmt: skip
SEEN = "receipts/seen.json"  # what lies in landing, taken or not


def hold_for_owner_alone(house: House) -> None:
    folder = house.warehouse.folder
    rooms = {path.name for path in folder.iterdir()}
    assert {"vault", "readings", "builds", "logs", "ledger", "receipts", "releases", "checks.jsonl"} <= rooms
    for path, mode in modes(folder):
        place = str(path.relative_to(folder))
        if place != SEEN and any(re.fullmatch(public, place) for public in PUBLIC):
            assert mode & 0o022 == 0, (place, oct(mode))
        elif place.startswith("vault/"):
            assert mode == (0o700 if path.is_dir() else 0o400), (place, oct(mode))
        else:
            assert mode & 0o077 == 0, (place, oct(mode))


def holds_for_everybody(house: House, release: str) -> None:
    folder = house.warehouse.release_folder(release)
    for path, mode in modes(folder):
        assert mode == (0o555 if path.is_dir() else 0o444), (path, oct(mode))
    for above in (folder.parent, house.warehouse.folder, house.folder):
        assert stat.S_IMODE(above.stat().st_mode) & 0o055 == 0o055, above
    assert stat.S_IMODE(house.warehouse.release_status.stat().st_mode) == 0o644


def test_a_run_closes_what_is_private_and_opens_what_is_released(verdania: House) -> None:
    hold_for_owner_alone(verdania)
    assert verdania.current is not None
    holds_for_everybody(verdania, verdania.current)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_neither_depends_on_the_mask(verdania: House, tmp_path: Path, umask: int) -> None:
    house = copy_of(verdania, tmp_path)
    before = os.umask(umask)
    try:
        session = Session(house.settings)
        with session.warehouse.lock():
            build = session.present_build("build")
            session.judge(build)
            release = session.publish(build)
    finally:
        os.umask(before)
    hold_for_owner_alone(house)
    holds_for_everybody(house, release.release_id)


def test_a_new_warehouse_under_a_strict_mask_can_be_read_by_everybody(tmp_path: Path, verdania: House) -> None:
    jurisdiction = shutil.copytree(verdania.jurisdiction, tmp_path / "verdania")
    house = House(jurisdiction, tmp_path / "made" / "warehouse")
    before = os.umask(0o077)
    try:
        report = run(house.settings)
    finally:
        os.umask(before)
    hold_for_owner_alone(house)
    holds_for_everybody(house, str(report.release_id))


def test_who_may_not_enter_is_told_what_was_not_checked(
    verdania: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    house = copy_of(verdania, tmp_path)
    rooms = [house.warehouse.vault, house.warehouse.readings, house.warehouse.builds]
    really = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: Path(path) not in rooms and really(path, mode, **more))
    options = ["--jurisdiction", str(house.jurisdiction), "--warehouse", str(house.folder), "--json"]
    monkeypatch.setattr("sys.argv", ["junheng", "verify", "--all", *options])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert (left.value.code or 0) == 0
    notes = json.loads(capfd.readouterr().out)["notes"]
    assert [note.split("/")[0] for note in notes if "was not checked" in note] == ["builds", "vault", "readings"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can become another account")
def test_another_account_reads_releases_and_nothing_else(verdania: House) -> None:
    # The folder of tests is closed to other accounts: what is tried lies where everybody may go.
    house = House(verdania.jurisdiction, Path("/tmp") / f"junheng-permissions-{os.getpid()}")
    shutil.copytree(verdania.warehouse.folder, house.warehouse.folder, symlinks=True)
    house.folder.chmod(0o755)
    try:
        release = house.warehouse.current.resolve()
        script = (
            "import os, sys\n"
            "from pathlib import Path\n"
            f"folder = Path({str(house.warehouse.folder)!r})\n"
            "os.setgid(65534); os.setuid(65534)\n"
            "for room in ('vault', 'readings', 'builds'):\n"
            "    try:\n"
            "        os.listdir(folder / room)\n"
            "    except PermissionError:\n"
            "        continue\n"
            "    sys.exit(f'{room} is open')\n"
            f"assert Path({str(release / 'public.duckdb')!r}).read_bytes()[8:12] == b'DUCK'\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    finally:
        shutil.rmtree(house.folder)
