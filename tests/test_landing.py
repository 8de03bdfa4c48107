"""Landing takes regular files only: whatever else lies there is told and passed over, and nothing waits for it."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import intake_kit as kit
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import cli, intake
from pipelines.intake import landing as landing_room
from pipelines.intake.landing import NotTakenError, opened
from pipelines.records import Receipt
from pipelines.run import arrivals
from pipelines.run.status import rejects_of, status_of
from pipelines.run.watching import watch

# The room's function has the name of its module.
receive_room = sys.modules["pipelines.intake.receive"]
GOOD = [["Place", "Heads"], ["Ash", "1"]]
PERIOD = "desk/file/2020"


class Desk(kit.Desk):
    """A desk with one good file and whatever else lies in its landing folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, files=["*"])
        self.landing = self.folder / "landing"
        self.land(GOOD)

    def place(self, name: str | bytes) -> Path:
        """A path below landing; its folder is made."""
        path = self.landing / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def refused(self) -> dict[str, str]:
        """What a run refuses, after it has taken in the good file and nothing else."""
        taken = self.take_in()
        assert [r.file_name for r in taken.receipts] == ["file.csv"]
        assert [r.status for r in taken.readings] == ["read"]
        return {each.landing_path: each.rule for each in taken.refused}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def link(desk: Desk, name: str, target: Path) -> None:
    desk.place(name).symlink_to(target)


def pipe(desk: Desk, name: str) -> None:
    os.mkfifo(desk.place(name))


def listening(desk: Desk, name: str) -> None:
    path = desk.place(name)
    here = Path.cwd()
    os.chdir(path.parent)  # the address of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def written(desk: Desk, name: str | bytes) -> None:
    desk.place(name).write_bytes(b"Place,Heads\nAspen,2\n")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "outside" / "secret.csv"
    path.parent.mkdir()
    path.write_bytes(b"Place,Heads\nAspen,99\n")
    return path


def test_links_are_not_followed_whatever_they_lead_to(desk: Desk, secret: Path) -> None:
    link(desk, f"{PERIOD}/to_file.csv", secret)
    link(desk, f"{PERIOD}/to_nothing.csv", secret.with_name("none"))
    link(desk, f"{PERIOD}/to_itself.csv", desk.landing / PERIOD / "to_itself.csv")
    link(desk, f"{PERIOD}/to_device.csv", Path("/dev/zero"))
    link(desk, f"{PERIOD}/to_good.csv", desk.landing / PERIOD / "file.csv")
    link(desk, f"{PERIOD}/file.csv.withdrawn", secret)  # takes nothing back
    link(desk, "desk/file/2019", secret.parent)
    link(desk, "desk/other", secret.parent.parent)
    link(desk, "treasury", secret.parent.parent)
    assert desk.refused() == dict.fromkeys(
        (
            f"{PERIOD}/to_file.csv", f"{PERIOD}/to_nothing.csv", f"{PERIOD}/to_itself.csv", f"{PERIOD}/to_device.csv",
            f"{PERIOD}/to_good.csv", f"{PERIOD}/file.csv.withdrawn", "desk/file/2019", "desk/other", "treasury",
        ),
        "link",
    )  # fmt: skip
    kept = [path.read_bytes() for path in desk.session.warehouse.vault.rglob("*") if path.is_file()]
    assert secret.read_bytes() not in kept


def test_a_landing_folder_that_is_a_link_is_not_followed(desk: Desk, tmp_path: Path) -> None:
    desk.landing.rename(tmp_path / "elsewhere")
    desk.landing.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    taken = desk.take_in()
    assert (taken.receipts, [(each.landing_path, each.rule) for each in taken.refused]) == ([], [("landing", "link")])


def test_pipes_sockets_and_devices_are_no_files_and_nothing_waits_for_them(desk: Desk) -> None:
    pipe(desk, f"{PERIOD}/pipe.csv")
    pipe(desk, f"{PERIOD}/file.csv.withdrawn")
    pipe(desk, "pipe")
    listening(desk, f"{PERIOD}/socket.csv")
    expected = {f"{PERIOD}/pipe.csv", f"{PERIOD}/file.csv.withdrawn", "pipe", f"{PERIOD}/socket.csv"}
    if os.geteuid() == 0:
        os.mknod(desk.place(f"{PERIOD}/null.csv"), stat.S_IFCHR | 0o600, os.makedev(1, 3))
        expected.add(f"{PERIOD}/null.csv")
    assert desk.refused() == dict.fromkeys(expected, "special_file")


NAMES: list[tuple[bytes, str]] = [
    (b"gb18030_\xd5\xe3.csv", "gb18030_\\xd5\\xe3.csv"),
    (b"half_\xe6\xb5.csv", "half_\\xe6\\xb5.csv"),
    (b"line\nbreak.csv", "line\\nbreak.csv"),
    (b"tab\t.csv", "tab\\t.csv"),
    (b"bell\x07\x1b[31m.csv", "bell\\x07\\x1b[31m.csv"),
    (b"deleted\x7f.csv", "deleted\\x7f.csv"),
    ("next\x85line.csv".encode(), "next\\x85line.csv"),
    ("right\u202evsc.exe".encode(), "right\\u202evsc.exe"),
    ("isolate\u2066.csv".encode(), "isolate\\u2066.csv"),
    ("paragraph\u2029.csv".encode(), "paragraph\\u2029.csv"),
]


@pytest.mark.parametrize(("name", "shown"), NAMES, ids=[shown for _, shown in NAMES])
def test_a_name_that_is_no_text_or_hides_what_it_is_is_refused_and_shown_escaped(
    desk: Desk, name: bytes, shown: str
) -> None:
    written(desk, f"{PERIOD}/".encode() + name)
    written(desk, b"desk/file/" + name + b"/file.csv")
    assert desk.refused() == {f"{PERIOD}/{shown}": "unfit_name", f"desk/file/{shown}": "unfit_name"}
    assert all(line.isprintable() for line in desk.said)
    json.dumps(status_of(desk.settings), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "name", ["示例_2020年.csv", "Zürich (1).csv", "a b.csv", "-x.csv", "名\u3000字.csv", "x" * 251 + ".csv"]
)
def test_names_that_people_give_are_taken(desk: Desk, name: str) -> None:
    if len(os.fsencode(name)) > 255:
        pytest.skip("longer than a name may be")
    written(desk, f"{PERIOD}/{name}")
    taken = desk.take_in()
    assert {r.file_name for r in taken.receipts} == {"file.csv", name}
    assert taken.refused == []


@given(name=st.binary(min_size=1, max_size=30).filter(lambda b: not set(b) & {0, 47} and b not in (b".", b"..")))
def test_whatever_a_file_is_called_it_is_received_refused_or_hidden(
    tmp_path_factory: pytest.TempPathFactory, name: bytes
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    written(desk, f"{PERIOD}/".encode() + name)
    session = kit.Session(desk.settings)
    arrivals = intake.receive(session.jurisdiction, session.warehouse, session.ledger)
    text = os.fsdecode(name)
    is_hidden = text.startswith((".", "~$")) or text.endswith(".part")
    assert len(arrivals.receipts) + len(arrivals.refused) == (1 if is_hidden or name == b"file.csv" else 2)
    for receipt in arrivals.receipts:
        assert receipt.file_name.isprintable() or not receipt.file_name.isascii()
        json.dumps(receipt.as_dict(), ensure_ascii=False).encode()


def test_folders_where_files_are_expected_are_refused(desk: Desk) -> None:
    desk.place(f"{PERIOD}/folder.csv").mkdir()
    desk.place("desk/empty/2020").mkdir()  # nothing has landed there yet
    written(desk, f"{PERIOD}/deeper/file.csv")
    deep = "/".join(["deep"] * 12)
    written(desk, f"{PERIOD}/{deep}/file.csv")
    assert desk.refused() == {
        f"{PERIOD}/folder.csv": "unexpected_folder",
        f"{PERIOD}/deeper/file.csv": "no_contract",
        f"{PERIOD}/" + "/".join(["deep"] * 6): "unexpected_folder",
    }


def test_a_tree_deeper_than_a_path_may_be_long_is_passed_over(desk: Desk) -> None:
    here = os.open(desk.landing, os.O_RDONLY)
    for _ in range(60):
        os.mkdir("x" * 200, dir_fd=here)
        below = os.open("x" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    assert list(desk.refused().values()) == ["unexpected_folder"]


def test_a_hard_link_is_a_file_like_any_other(desk: Desk, secret: Path) -> None:
    os.link(secret, desk.place(f"{PERIOD}/again.csv"))
    assert {r.file_name for r in desk.take_in().receipts} == {"file.csv", "again.csv"}


def test_hidden_folders_are_not_there_yet(desk: Desk) -> None:
    for name in (".snapshot/file.csv", f"{PERIOD}/.git/config", "desk/file/2021.part/file.csv", f"{PERIOD}/~$lock/x"):
        written(desk, name)
    assert desk.refused() == {}


# -- files that change under our hands --------------------------------------------------------------------------------


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Does something each time that a file has been opened and not yet read."""
    done: list[Callable[[], object]] = []
    mark_of = landing_room.mark_of

    def marked(handle: Any) -> Any:
        mark = mark_of(handle)
        for act in done:
            act()
        done.clear()
        return mark

    monkeypatch.setattr(landing_room, "mark_of", marked)
    return done.append


CHANGES: dict[str, Callable[[Path], object]] = {
    "it grows": lambda path: path.open("ab").write(b"Aspen,2\n"),
    "it shrinks": lambda path: os.truncate(path, 5),
    "it is written over with as many bytes": lambda path: path.write_bytes(b"Place,Heads\nAsh,7\n"),
    "its time changes": lambda path: os.utime(path, ns=(1, 1)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_while_it_is_copied_waits_for_the_next_run(desk: Desk, meanwhile: Any, change: str) -> None:
    path = desk.landing / PERIOD / "file.csv"
    meanwhile(lambda: CHANGES[change](path))
    taken = desk.take_in()
    assert (taken.receipts, [(each.rule, each.landing_path) for each in taken.refused]) == (
        [], [("changing_file", f"{PERIOD}/file.csv")],
    )  # fmt: skip
    assert [p for p in desk.session.warehouse.vault.rglob("*") if p.is_file() and len(p.name) != 64] == []
    status = status_of(desk.settings)
    assert (status["waiting"], status["refused"]) == (1, [])
    (receipt,) = desk.take_in().new_receipts
    assert desk.session.warehouse.vault_path(receipt.sha256).read_bytes() == path.read_bytes()


def test_a_file_that_is_replaced_while_it_is_copied_is_received_as_it_was_and_then_as_it_is(
    desk: Desk, meanwhile: Any
) -> None:
    path = desk.landing / PERIOD / "file.csv"
    before = path.read_bytes()

    def replace() -> None:
        path.with_name("new.part").write_bytes(b"Place,Heads\nAsh,8\n")
        path.with_name("new.part").rename(path)

    meanwhile(replace)
    (first,) = desk.take_in().new_receipts
    (second,) = desk.take_in().new_receipts
    kept = [desk.session.warehouse.vault_path(r.sha256).read_bytes() for r in (first, second)]
    assert kept == [before, path.read_bytes()]


@pytest.fixture
def swapped(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Does something between the look at the folder and the opening of a file."""

    def swap(act: Callable[[], object]) -> None:
        original = receive_room.opened

        def opened_late(landing: Path, place: str) -> Any:
            monkeypatch.setattr(receive_room, "opened", original)
            act()
            return original(landing, place)

        monkeypatch.setattr(receive_room, "opened", opened_late)

    return swap


def swaps(desk: Desk, secret: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """What an entry, or a folder above it, may have become since it was looked at; and the rule that it then breaks."""
    path = desk.landing / PERIOD / "file.csv"

    def become(make: Callable[[], object], what: Path = path) -> Callable[[], object]:
        def act() -> None:
            what.rename(desk.folder / "away")
            make()

        return act

    yield "link", become(lambda: path.symlink_to(secret))
    yield "special_file", become(lambda: os.mkfifo(path))
    yield "unexpected_folder", become(path.mkdir)
    yield "closed_file", become(lambda: None)
    yield "link", become(lambda: path.parent.symlink_to(secret.parent), path.parent)
    yield "link", become(lambda: (desk.landing / "desk").symlink_to(secret.parent), desk.landing / "desk")


@pytest.mark.parametrize("number", range(6))
def test_what_was_a_file_when_it_was_looked_at_is_looked_at_again_when_it_is_open(
    desk: Desk, secret: Path, swapped: Any, number: int
) -> None:
    secret.with_name("file.csv").write_bytes(secret.read_bytes())
    rule, act = list(swaps(desk, secret))[number]
    swapped(act)
    taken = desk.take_in()
    assert (taken.receipts, [each.rule for each in taken.refused]) == ([], [rule])


def test_a_file_that_is_closed_to_us_is_refused_and_taken_once_it_is_open(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(desk, f"{PERIOD}/closed.csv")
    written(desk, "desk/file/2018/file.csv")
    really = os.open

    def closed(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if path in ("closed.csv", "2018"):
            raise PermissionError(13, "Permission denied")
        return really(path, flags, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", closed)
        assert desk.refused() == {f"{PERIOD}/closed.csv": "closed_file", "desk/file/2018": "closed_file"}
        assert [row["rule"] for row in rejects_of(desk.settings, None, None)] == ["closed_file", "closed_file"]
    taken = desk.take_in()
    assert (len(taken.receipts), taken.refused) == (3, [])


def test_a_file_whose_bytes_cannot_be_read_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __init__(self, handle: Any) -> None:
            self.fileno = handle.fileno

        def read(self, size: int) -> bytes:
            raise OSError(5, "Input/output error")

    pieces = landing_room.pieces
    monkeypatch.setattr(receive_room, "pieces", lambda handle, place: pieces(Broken(handle), place))  # type: ignore[arg-type]
    (refused,) = desk.take_in().refused
    assert (refused.rule, refused.detail) == ("closed_file", "it cannot be opened: Input/output error")


def test_a_file_larger_than_the_disk_is_refused_before_it_is_copied(desk: Desk) -> None:
    with desk.place(f"{PERIOD}/holes.csv").open("wb") as handle:
        handle.truncate(4_000_000_000_000)
    assert desk.refused() == {f"{PERIOD}/holes.csv": "no_room"}
    assert "4,000,000,000,000 bytes long" in "".join(desk.said)


def test_opening_a_pipe_does_not_wait(desk: Desk) -> None:
    pipe(desk, f"{PERIOD}/pipe.csv")

    def attempt() -> None:
        with pytest.raises(NotTakenError), opened(desk.landing, f"{PERIOD}/pipe.csv"):
            pass

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


# -- who is told ------------------------------------------------------------------------------------------------------


def test_each_refusal_is_a_line_of_rejects_of_status_and_of_the_run(desk: Desk, secret: Path) -> None:
    link(desk, f"{PERIOD}/link.csv", secret)
    pipe(desk, "treasury/pipe.csv")
    written(desk, "treasury/budget/2020/unasked.csv")
    desk.refused()
    said = [line for line in desk.said if "not taken in" in line]
    assert len(said) == 3 and "link.csv: it is a symbolic link" in said[0]
    rows = rejects_of(desk.settings, None, None)
    assert [(row["extract"], row["period"], row["rule"]) for row in rows] == [
        ("desk/file", "2020", "link"),
        ("treasury/budget", "2020", "no_contract"),
        ("treasury/pipe.csv", "", "special_file"),
    ]
    assert [row["file"] for row in rejects_of(desk.settings, "desk/file", "2020")] == [f"{PERIOD}/link.csv"]
    assert rejects_of(desk.settings, "desk/file", "2019") == []
    assert len(status_of(desk.settings)["refused"]) == 3
    desk.place(f"{PERIOD}/link.csv").unlink()
    assert len(status_of(desk.settings)["refused"]) == 2  # it says what lies there now


def test_many_refusals_are_counted(desk: Desk) -> None:
    for number in range(20):
        written(desk, f"desk/other/2020/{number}.csv")
    assert len(desk.refused()) == 20
    said = [line for line in desk.said if "not taken in" in line]
    assert len(said) == 6 and "15 more" in said[-1]


def test_an_alert_tells_of_them_once_and_when_they_are_gone(desk: Desk, secret: Path) -> None:
    link(desk, f"{PERIOD}/link.csv", secret)
    written(desk, "treasury/budget/2020/unasked.csv")

    def night() -> list[tuple[str, str, str]]:
        session = kit.Session(desk.settings)
        log = session.warehouse.logs / "alerts.jsonl"
        before = log.read_text().splitlines() if log.exists() else []
        with watch(session, door="run", asked={}) as watched:
            session.take_in()
            watched.done("nothing_new")
        lines = [json.loads(line) for line in (log.read_text().splitlines() if log.exists() else [])]
        return [(a["event"], a["phase"], a["subject"]) for a in lines[len(before) :]]

    assert night() == [("refused", "new", "desk/file"), ("refused", "new", "treasury/budget")]
    assert night() == []
    desk.place(f"{PERIOD}/link.csv").unlink()
    assert night() == [("refused", "resolved", "desk/file")]


def test_the_commands_go_on(desk: Desk, secret: Path, tmp_path: Path, monkeypatch: Any, capfd: Any) -> None:
    link(desk, f"{PERIOD}/link.csv", secret)
    pipe(desk, f"{PERIOD}/pipe.csv")
    written(desk, f"{PERIOD}/".encode() + b"\xff.csv")
    options = ["--jurisdiction", str(desk.folder), "--warehouse", str(tmp_path / "warehouse")]

    def command(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["junheng", *arguments, *options])
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capfd.readouterr()
        assert (left.value.code or 0) == 0, said.err
        return str(said.out + said.err)

    assert "received 1 new file(s), read 1" in command("receive")
    shown = command("rejects")
    assert all(name in shown for name in ("link.csv", "pipe.csv", "\\xff.csv"))
    assert "refused" in command("status", "--all")


def test_nothing_hangs_in_a_process_of_its_own_while_the_lock_is_held(desk: Desk, tmp_path: Path) -> None:
    pipe(desk, f"{PERIOD}/pipe.csv")
    link(desk, f"{PERIOD}/zero.csv", Path("/dev/zero"))
    link(desk, "desk/file/2019", Path("/proc/self/fd"))
    command = [sys.executable, "-m", "pipelines.cli", "receive", "--json"]
    done = subprocess.run(
        [*command, "--jurisdiction", str(desk.folder), "--warehouse", str(tmp_path / "warehouse")],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [r["file_name"] for r in json.loads(done.stdout)["received"]] == ["file.csv"]
    assert [each["rule"] for each in json.loads(done.stdout)["refused"]] == ["link", "special_file", "link"]


def test_a_person_level_file_without_a_key_is_held_back_and_its_link_refused(
    tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from test_person_level import EXTRACT
    from test_person_level import Desk as Register

    monkeypatch.delenv("JUNHENG_PERSON_KEY_FILE", raising=False)
    register = Register(tmp_path)
    path = register.land("x")
    path.with_name("link.csv").symlink_to(secret)
    taken = register.session.take_in()
    assert taken.held_back == [f"{EXTRACT}/2020-12/register.csv"]
    assert [each.rule for each in taken.refused] == ["link"]
    assert not register.warehouse.vault.exists() or not list(register.warehouse.vault.rglob("*.csv"))


# -- permissions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_what_is_received_is_for_its_owner_only_whatever_the_mask(desk: Desk, umask: int) -> None:
    written(desk, "treasury/unasked.csv")
    desk.place(f"{PERIOD}/file.csv").chmod(0o666)
    before = os.umask(umask)
    try:
        desk.take_in()
    finally:
        os.umask(before)
    vault = desk.session.warehouse.vault
    paths = [vault, *vault.rglob("*")]
    assert len([path for path in paths if path.is_file()]) >= 3  # the file, the stray, the rules
    for path in paths:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o400), path


def test_what_an_interrupted_copy_left_is_no_obstacle(desk: Desk) -> None:
    vault = kit.Session(desk.settings).warehouse.vault
    vault.mkdir(parents=True)
    (vault / ".arriving").write_bytes(b"half")
    (vault / ".arriving").chmod(0o400)
    (receipt,) = desk.take_in().new_receipts
    assert isinstance(receipt, Receipt) and not (vault / ".arriving").exists()


def test_rooms_of_an_earlier_version_are_closed_by_the_next_run(desk: Desk) -> None:
    warehouse = kit.Session(desk.settings).warehouse
    for room in (warehouse.vault, warehouse.readings, warehouse.builds):
        room.mkdir(parents=True)
        room.chmod(0o755)
    with warehouse.lock():
        pass
    assert {stat.S_IMODE(r.stat().st_mode) for r in (warehouse.vault, warehouse.readings, warehouse.builds)} == {0o700}


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_warehouse_itself_can_be_entered_whatever_the_mask(desk: Desk, umask: int) -> None:
    before = os.umask(umask)
    try:
        warehouse = kit.Session(desk.settings).warehouse
        with warehouse.lock():
            pass
    finally:
        os.umask(before)
    for folder in (warehouse.folder, warehouse.folder.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_name_with_a_number_that_names_a_person_is_refused_and_shown_by_its_shape(desk: Desk) -> None:
    number = "330106198001011235"
    desk.place(f"{PERIOD}/list of {number}.csv").write_bytes(b"Place,Heads\n")
    desk.place(f"desk/file/{number}/file.csv").write_bytes(b"Place,Heads\n")
    assert desk.refused() == {
        f"{PERIOD}/<identity number>": "personal_number",
        "desk/file/<identity number>": "personal_number",
    }
    kept = [path for path in desk.settings.warehouse_folder.rglob("*") if path.is_file()]
    assert not any(number in str(path) or number.encode() in path.read_bytes() for path in kept)


def test_what_cannot_be_read_is_looked_at_once_however_many_there_are(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    judge = arrivals.Deliveries._judge

    def count(self: arrivals.Deliveries, delivery: intake.Delivery, *rest: Any) -> Any:
        judged.append(delivery.receipt.landing_path)
        return judge(self, delivery, *rest)

    def search(*_: Any) -> None:
        raise AssertionError("a new file was not read before")

    monkeypatch.setattr(arrivals.Deliveries, "_judge", count)
    monkeypatch.setattr(intake, "earlier_reading", search)
    for number in range(30):
        desk.place(f"desk/file/2019/empty{number}.csv").touch()
    taken = desk.take_in()
    assert len(taken.decision.choice.held) == 30
    assert len(judged) == 31
