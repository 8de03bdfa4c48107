"""Gzip and zip wrappings, told by their first bytes, and the size that no honest file unpacks to.

What the unpacked bytes are is another module's work; a workbook is a zip and stays one.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import partial
from typing import IO

from pipelines.errors import UnreadableFileError
from pipelines.formats.contents import content_of
from pipelines.jurisdiction.contract import Format, SheetRule

MAX_BYTES = 2_000_000_000
MAX_TEXT_BYTES = 400_000_000
# Tables repeat themselves: fiftyfold is honest, a thousandfold (the most that deflate can do) is a bomb.
MAX_RATIO = 200
_TEXTS = ("csv", "tsv", "jsonl", "html", "px", "json-stat", "sdmx-csv")
_OF_SYSTEMS = re.compile(r"^__MACOSX/|(^|/)(\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)")  # put there by no person


def unpack(data: bytes, rule: Format, where: str) -> bytes:
    """The one file inside a gzip or zip wrapping, told by its first bytes; a workbook is a zip and stays one."""
    return unpacked_files(data, rule.model_copy(update={"member": _one(rule.member)}), where)[0].data


def _one(member: str | SheetRule) -> str | SheetRule:
    return member.model_copy(update={"all": False}) if isinstance(member, SheetRule) else member


@dataclass(frozen=True)
class Unpacked:
    """A file from inside its wrapping. `name` is its path in a zip of many, empty where it is the only one.

    `beside` are the paths of the files of that zip that the contract does not mean, `names` what the wrappings say
    themselves (the paths of all files in them, a zip's comment); both go with its first file.
    """

    name: str
    data: bytes
    beside: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def unpacked_files(data: bytes, rule: Format, where: str) -> list[Unpacked]:
    """The files inside a gzip or zip wrapping that the contract names: one, or all whose path fits its pattern.

    Raises UnreadableFileError for a wrapping that is damaged, locked or packed too often, and for one that unpacks to
    more than is read, all its files together.
    """
    wrapping = _Wrapping(rule, where)
    files = wrapping.files(data, "", 0)
    if not files:
        raise wrapping.none_fits([])
    return [replace(files[0], beside=tuple(wrapping.beside), names=tuple(wrapping.names)), *files[1:]]


def files_in_zip(data: bytes) -> list[str] | None:
    """The paths of the files in a zip that is no workbook; None for anything else."""
    if content_of(data) != "zip":
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            paths = [member.filename for member in archive.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, ValueError, OverflowError, OSError):
        return None
    return [path for path in paths if not _OF_SYSTEMS.search(path)]


class _Wrapping:
    """One received file on its way out of its wrappings; what all of it may unpack to is counted here."""

    def __init__(self, rule: Format, where: str) -> None:
        self.rule, self.where = rule, where
        self.left = MAX_TEXT_BYTES if rule.kind in _TEXTS else MAX_BYTES
        self.beside: list[str] = []
        self.names: list[str] = []

    def files(self, data: bytes, name: str, depth: int) -> list[Unpacked]:
        if data[:2] == b"\x1f\x8b":
            self._refuse_depth(depth)
            return self.files(self._gunzip(data), name, depth + 1)
        if data[:4] == b"PK\x03\x04":
            if content_of(data) != "zip":
                refuse_bomb(data, self.where)
                return [Unpacked(name, data)]
            self._refuse_depth(depth)
            many = isinstance(self.rule.member, SheetRule) and self.rule.member.all
            prefix = f"{name}/" if name else ""
            found: list[Unpacked] = []
            for member, content in self._unzip(data, prefix):
                found += self.files(content, f"{prefix}{member}" if many else name, depth + 1)
            return found
        return [Unpacked(name, data)]

    def _refuse_depth(self, depth: int) -> None:
        if depth > 1:
            raise UnreadableFileError("the file is packed more than twice", where=self.where, do="ask for it unpacked")

    def _gunzip(self, data: bytes) -> bytes:
        packed = io.BytesIO(data)
        self.names += _name_in_gzip(data)
        try:
            with gzip.GzipFile(fileobj=packed) as stream:
                return self._bounded(stream, packed.tell)
        except (OSError, EOFError, zlib.error) as error:
            raise UnreadableFileError(
                f"not readable as gzip: {error}", where=self.where, do="ask for it again"
            ) from error

    def _unzip(self, data: bytes, prefix: str) -> Iterator[tuple[str, bytes]]:
        packed = io.BytesIO(data)
        try:
            with zipfile.ZipFile(packed) as archive:
                self.names += [self._path(member) for member in archive.infolist()]
                self.names.append(archive.comment.decode("utf-8", "replace"))
                for name, member in self._chosen(archive.infolist(), prefix):
                    if member.flag_bits & 1:
                        raise UnreadableFileError(
                            f"{name} in the zip is locked with a password",
                            where=self.where,
                            do="ask for it without one",
                        )
                    with archive.open(member) as stream:
                        yield name, self._bounded(stream, partial(_read_since, packed, member.header_offset))
        except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, OverflowError, OSError, EOFError) as error:
            raise UnreadableFileError(
                f"not readable as zip: {error}", where=self.where, do="ask for it again"
            ) from error

    def _chosen(self, inside: list[zipfile.ZipInfo], prefix: str) -> list[tuple[str, zipfile.ZipInfo]]:
        """The members that the contract names, each with its path; for a pattern, the zips in it too."""
        wanted = self.rule.member
        named = [(self._path(i), i) for i in inside if not i.is_dir()]
        named = [(name, i) for name, i in named if not _OF_SYSTEMS.search(name)]
        if isinstance(wanted, SheetRule):
            fits = [(n, i) for n, i in named if wanted.fits(prefix + n) or (wanted.all and n.lower().endswith(".zip"))]
            chosen = fits if wanted.all else fits[:1]
            is_right = bool(chosen) or bool(prefix)
            if wanted.all:
                self.beside += [prefix + name for name, i in named if (name, i) not in chosen]
        else:
            chosen = [(n, i) for n, i in named if fnmatch(n.rsplit("/", 1)[-1], wanted)]
            is_right = len(chosen) == 1
        if not is_right or len({name for name, _ in chosen}) != len(chosen):
            raise self.none_fits([name for name, _ in named], len(chosen))
        return chosen

    def none_fits(self, names: list[str], count: int = 0) -> UnreadableFileError:
        """The error for a zip that does not hold the files that the contract means."""
        wanted = self.rule.member
        shown = wanted.pattern if isinstance(wanted, SheetRule) else wanted
        return UnreadableFileError(
            f"the zip holds {count} files like {shown!r}: {', '.join(names[:8])}",
            where=self.where,
            do="name what counts with `format.member` in the contract",
        )

    def _path(self, member: zipfile.ZipInfo) -> str:
        """The path of a member as its maker wrote it: zips of old programs do not say in which letters."""
        name = member.filename
        if not member.flag_bits & 0x800 and not name.isascii():
            raw = name.encode("cp437")
            for encoding in ("utf-8", self.rule.stated_encoding):
                try:
                    name = raw.decode(encoding) if encoding else name
                    break
                except UnicodeDecodeError:
                    continue
        return "".join(c if c.isprintable() else "?" for c in name)

    def _bounded(self, stream: IO[bytes] | gzip.GzipFile, consumed: Callable[[], int]) -> bytes:
        """Read a stream in pieces and stop where no honest file goes on; `consumed` is the packed bytes read so far."""
        pieces: list[bytes] = []
        size = 0
        while piece := stream.read(8_000_000):
            pieces.append(piece)
            size += len(piece)
            if size > self.left or (size > 50_000_000 and size / max(1, consumed()) > MAX_RATIO):
                raise too_large(size, self.where)
        self.left -= size
        return b"".join(pieces)


def _name_in_gzip(data: bytes) -> list[str]:
    """The name that a gzip header gives its file, where it gives one (RFC 1952: flag 8, behind a field of flag 4)."""
    flags = data[3] if len(data) > 11 else 0
    start = 10 + (2 + int.from_bytes(data[10:12], "little") if flags & 4 else 0)
    return [data[start : start + 1000].split(b"\0")[0].decode("utf-8", "replace")] if flags & 8 else []


def too_large(size: int, where: str) -> UnreadableFileError:
    """The error for a file that unpacks to more than is read."""
    return UnreadableFileError(
        f"the file unpacks to {size:,} bytes or more: refused",
        where=where,
        do=f"ask for it in parts of at most {MAX_BYTES:,} bytes",
    )


def refuse_bomb(data: bytes, where: str) -> None:
    """Raises UnreadableFileError for a workbook whose zip is damaged or unpacks to more than is read."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            sizes = [(item.file_size, item.compress_size) for item in archive.infolist()]
    except (zipfile.BadZipFile, ValueError, OverflowError, OSError) as error:
        raise UnreadableFileError(
            "the workbook is damaged: its zip directory cannot be read", where=where, do="ask for it again"
        ) from error
    total = sum(size for size, _ in sizes)
    packed = max(1, sum(size for _, size in sizes))
    if total > MAX_BYTES or (total > 50_000_000 and total / packed > MAX_RATIO):
        raise too_large(total, where)


def _read_since(packed: io.BytesIO, start: int) -> int:
    return packed.tell() - start
