"""What lies in the landing folder: which entries are files that can be taken in, and why each of the others is not.

Departments write there, so nothing in it is trusted: no link is followed, only regular files are opened, and opening
one never waits. Taking them in is `receive`'s work.
"""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import IO

from pipelines.intake import person_key
from pipelines.intake.personal_numbers import find_personal_number, shape_of
from pipelines.jurisdiction import Contract, Jurisdiction
from pipelines.jurisdiction.personal_kinds import PersonalKind

# A department takes a file back by a file beside it, `<file>.withdrawn`, whose text says why.
WITHDRAWN = ".withdrawn"

Mark = tuple[int, int, int]  # size, modification time in ns, inode: a file is another one when these change

_PIECE = 8 << 20
_DEEPEST = 8  # folders below landing; deliveries lie in the third
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe or a device opens at once or not at all; what was opened is looked at before a byte of it is read.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_LINK = ("link", "it is a symbolic link: links are not followed", "put the file or folder itself there")
_NAMES_A_PERSON = (
    "its name holds a number that names a person, which would be shown wherever the file is named",
    "give it a name without that number",
)


@dataclass(frozen=True)
class Refused:
    """An entry of the landing folder that is not taken in, with the rule that it breaks and what to do."""

    landing_path: str  # as it can be shown: what is no text is written as \\x..
    rule: str
    detail: str
    do: str

    @property
    def extract_id(self) -> str:
        """`department/extract`, as far as its place says."""
        return "/".join(self.landing_path.split("/")[:2])

    @property
    def delivery_period(self) -> str:
        """The delivery period, as far as its place says."""
        parts = self.landing_path.split("/")
        return parts[2] if len(parts) > 3 else ""


class NotTakenError(Exception):
    """A file that cannot be opened or copied as it is now; `refused` says why."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.detail)
        self.refused = refused


@dataclass(frozen=True)
class Landed:
    """A regular file as it lies there now; `place` is relative to the landing folder."""

    place: str
    mark: Mark
    contract: Contract | None  # None: no contract is for it

    @property
    def is_withdrawal(self) -> bool:
        """True for a file that takes another one back."""
        return self.place.endswith(WITHDRAWN)

    @property
    def waits_for_key(self) -> bool:
        """True when nothing of it may be taken in before a key for ID numbers is configured."""
        return self.contract is not None and person_key.waits_for_key(self.contract)

    @property
    def landing_path(self) -> str:
        """The path of the delivered file: of a withdrawal, of the one that it takes back."""
        return self.place.removesuffix(WITHDRAWN)

    @property
    def extract_id(self) -> str:
        """`department/extract`, as far as its place says."""
        return "/".join(self.place.split("/")[:2])

    @property
    def delivery_period(self) -> str:
        """The delivery period, as far as its place says."""
        parts = self.place.split("/")
        return parts[2] if len(parts) == 4 else ""


@dataclass
class Landing:
    """What a look at the landing folder found, each in path order."""

    files: list[Landed] = field(default_factory=list)  # of contracts, without those that are taken back
    strays: list[Landed] = field(default_factory=list)  # regular files that no contract is for; they are refused too
    refused: list[Refused] = field(default_factory=list)


def look(jurisdiction: Jurisdiction, received: Collection[str] = ()) -> Landing:
    """Everything below landing but hidden entries and half-written uploads (`.part`), which are not there yet.

    `received` are the landing paths that have a receipt: only those can be taken back. Nothing is opened but folders.
    """
    found = Landing()
    regular: list[tuple[str, Mark]] = []
    for entry in _entries(jurisdiction.landing, jurisdiction.personal_numbers):
        if isinstance(entry, Refused):
            found.refused.append(entry)
        else:
            regular.append(entry)
    taken_back = {place.removesuffix(WITHDRAWN) for place, _ in regular if place.endswith(WITHDRAWN)}
    for place, mark in sorted(regular):
        if place in taken_back:
            continue
        parts = place.removesuffix(WITHDRAWN).split("/")
        contract = jurisdiction.contracts.get("/".join(parts[:2]))
        problem = _misplaced(place, parts, contract, received)
        if problem is None:
            found.files.append(Landed(place, mark, contract))
        else:
            found.strays.append(Landed(place, mark, contract))
            found.refused.append(Refused(place, "no_contract", *problem))
    found.refused.sort(key=lambda refused: refused.landing_path)
    return found


def _misplaced(
    place: str, parts: list[str], contract: Contract | None, received: Collection[str]
) -> tuple[str, str] | None:
    """Why a regular file belongs to no contract, and what to do; None when it belongs to one."""
    move = "move it to landing/<department>/<extract>/<period>/"
    if len(parts) != 4:
        return "it lies where no delivery lies", move
    if contract is None:
        return (
            f"there is no contract {'/'.join(parts[:2])}",
            f"write contracts/{'/'.join(parts[:2])}.yml for it (`junheng sniff` proposes one), or {move}",
        )
    if not contract.takes(PurePath(*parts)):
        named = contract.files if isinstance(contract.files, str) else ", ".join(contract.files)
        return f"the contract {contract.id} takes files named {named}", "rename it, or mend `files` in the contract"
    if place.endswith(WITHDRAWN) and "/".join(parts) not in received:
        return "it takes back a file that was never received", "remove both files, or name the file as it was received"
    return None


def _entries(landing: Path, kinds: Collection[PersonalKind]) -> Iterator[Refused | tuple[str, Mark]]:
    """Regular files with their marks, and what is none or bears one of `kinds` in its name, in no order."""
    folders: list[tuple[str, ...]] = [()]
    while folders:
        parts = folders.pop()
        try:
            listed = _listed(landing, parts)
        except FileNotFoundError:  # taken away this moment, or nothing has ever landed
            continue
        except OSError as error:
            yield _not_opened(parts, error)
            continue
        if not listed and len(parts) > 3:
            yield _refused(parts, "unexpected_folder", "a folder lies where files are expected", "remove it")
        for name, status in listed:
            if kind := find_personal_number(name, kinds):
                yield _refused((*parts, shape_of(kind)), "personal_number", *_NAMES_A_PERSON)
                continue
            path = (*parts, name)
            problem = _unfit(name) or _no_file(status.st_mode)
            if problem is not None:
                yield _refused(path, *problem)
            elif not stat.S_ISDIR(status.st_mode):
                yield "/".join(path), _mark(status)
            elif len(path) > _DEEPEST:
                yield _refused(path, "unexpected_folder", f"it lies {len(path)} folders deep", "move what is in it")
            else:
                folders.append(path)


def _listed(landing: Path, parts: tuple[str, ...]) -> list[tuple[str, os.stat_result]]:
    """Names in a folder with what they are. Raises OSError when the folder, or one above it, is none or is closed."""
    folder = _open_folder(landing, parts)
    listed = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith((".", "~$")) or entry.name.endswith(".part"):
                    continue
                try:
                    listed.append((entry.name, entry.stat(follow_symlinks=False)))
                except FileNotFoundError:  # taken away this moment
                    continue
    finally:
        os.close(folder)
    return listed


def _open_folder(landing: Path, parts: tuple[str, ...]) -> int:
    """A descriptor of a folder below landing, opened step by step: none of the folders on the way may be a link."""
    folder = os.open(landing, _FOLDER)
    for part in parts:
        above = folder
        try:
            folder = os.open(part, _FOLDER, dir_fd=above)
        finally:
            os.close(above)
    return folder


@contextmanager
def opened(landing: Path, place: str) -> Iterator[IO[bytes]]:
    """The bytes of a landed file. Raises NotTakenError for what is no regular file now, or is closed to us."""
    *folders, name = parts = tuple(place.split("/"))
    try:
        folder = _open_folder(landing, tuple(folders))
        try:
            descriptor = os.open(name, _FILE, dir_fd=folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise NotTakenError(_not_opened(parts, error)) from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        problem = _no_file(mode) or ("unexpected_folder", "it is a folder now", "put the file there again")
        raise NotTakenError(_refused(parts, *problem))
    with os.fdopen(descriptor, "rb") as handle:
        yield handle


def mark_of(handle: IO[bytes]) -> Mark:
    """The mark of an opened file."""
    return _mark(os.fstat(handle.fileno()))


def _mark(status: os.stat_result) -> Mark:
    return status.st_size, status.st_mtime_ns, status.st_ino


def pieces(handle: IO[bytes], place: str) -> Iterator[bytes]:
    """The bytes of an opened file. Raises NotTakenError when they cannot be read, or the file changes meanwhile."""
    mark, size = mark_of(handle), 0
    try:
        while size <= mark[0] and (piece := handle.read(_PIECE)):
            size += len(piece)
            yield piece
        is_same = size == mark[0] and mark_of(handle) == mark
    except OSError as error:
        raise NotTakenError(_not_opened(tuple(place.split("/")), error)) from error
    if not is_same:
        detail, do = "it changed while it was copied", "nothing: the next run takes it, once it lies still"
        raise NotTakenError(Refused(place, "changing_file", detail, do))


def too_large(place: str, size: int, free: int) -> Refused:
    """A file for whose bytes there is no room; one with holes can be larger than any disk."""
    detail = f"it is {size:,} bytes long, and there is room for {free:,} where the warehouse lies"
    return Refused(place, "no_room", detail, "ask whether it is whole and right, or make room")


def _no_file(mode: int) -> tuple[str, str, str] | None:
    """Rule, detail and what to do for an entry that is neither a regular file nor a folder."""
    if stat.S_ISLNK(mode):
        return _LINK
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return None
    is_pipe, is_socket = stat.S_ISFIFO(mode), stat.S_ISSOCK(mode)
    kind = "a named pipe" if is_pipe else "a socket" if is_socket else "a device"
    return "special_file", f"it is {kind}, no file", "remove it"


def _not_opened(parts: tuple[str, ...], error: OSError) -> Refused:
    """What cannot be opened, with the system's reason."""
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return _refused(parts, *_LINK)
    reason = error.strerror or type(error).__name__
    return _refused(parts, "closed_file", f"it cannot be opened: {reason}", "let the account of the pipeline read it")


def _unfit(name: str) -> tuple[str, str, str] | None:
    """Rule, detail and what to do for a name that is no text, or does not look like what it is."""
    do = "give it a name of letters, digits and plain signs"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "unfit_name", "its name is not UTF-8", do
    if any(_is_hidden(character) for character in name):
        return "unfit_name", "its name holds line breaks, control characters or marks of writing direction", do
    return None


def _is_hidden(character: str) -> bool:
    return character in _DIRECTION or unicodedata.category(character) in ("Cc", "Zl", "Zp")


def _refused(parts: tuple[str, ...], rule: str, detail: str, do: str) -> Refused:
    return Refused("/".join(map(_shown, parts)) or "landing", rule, detail, do)


def _shown(name: str) -> str:
    """A name as it can be printed: bytes that are no text as \\x.., characters that are not seen as \\u...."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        character.encode("unicode_escape").decode("ascii") if _is_hidden(character) else character for character in text
    )
