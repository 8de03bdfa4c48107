"""Gzip and zip wrappings, told by their first bytes, and the size that no honest file unpacks to.

What the unpacked bytes are is another module's work; a workbook is a zip and stays one.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from fnmatch import fnmatch
from typing import IO

from pipelines.errors import UnreadableFileError
from pipelines.formats.contents import content_of
from pipelines.jurisdiction.contract import Format

MAX_BYTES = 2_000_000_000
MAX_TEXT_BYTES = 400_000_000
# Tables repeat themselves: fiftyfold is honest, a thousandfold (the most that deflate can do) is a bomb.
MAX_RATIO = 200


def unpack(data: bytes, rule: Format, where: str) -> bytes:
    """The file inside a gzip or zip wrapping, told by its first bytes; a workbook is a zip and stays one."""
    for _ in range(3):
        if data[:2] == b"\x1f\x8b":
            data = _gunzip(data, rule, where)
        elif data[:4] == b"PK\x03\x04":
            if content_of(data) != "zip":
                refuse_bomb(data, where)
                return data
            data = _unzip(data, rule, where)
        else:
            return data
    raise UnreadableFileError("the file is packed more than twice", where=where, do="ask for it unpacked")


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


def _most(rule: Format) -> int:
    """How many bytes a file may unpack to."""
    return MAX_TEXT_BYTES if rule.kind in ("csv", "tsv", "jsonl") else MAX_BYTES


def _gunzip(data: bytes, rule: Format, where: str) -> bytes:
    packed = io.BytesIO(data)
    try:
        with gzip.GzipFile(fileobj=packed) as stream:
            return _bounded(stream, packed.tell, _most(rule), where)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFileError(f"not readable as gzip: {error}", where=where, do="ask for it again") from error


def _unzip(data: bytes, rule: Format, where: str) -> bytes:
    packed = io.BytesIO(data)
    try:
        with zipfile.ZipFile(packed) as archive:
            names = [
                i.filename for i in archive.infolist() if not i.is_dir() and not i.filename.startswith("__MACOSX/")
            ]
            chosen = [n for n in names if fnmatch(n.rsplit("/", 1)[-1], rule.member)]
            if len(chosen) != 1:
                raise UnreadableFileError(
                    f"the zip holds {len(chosen)} files like {rule.member!r}: {', '.join(names[:8])}",
                    where=where,
                    do="name the one that counts with `format.member` in the contract",
                )
            start = archive.getinfo(chosen[0]).header_offset
            with archive.open(chosen[0]) as stream:
                return _bounded(stream, lambda: packed.tell() - start, _most(rule), where)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, OverflowError, OSError, EOFError) as error:
        raise UnreadableFileError(f"not readable as zip: {error}", where=where, do="ask for it again") from error


def _bounded(stream: IO[bytes] | gzip.GzipFile, consumed: Callable[[], int], most: int, where: str) -> bytes:
    """Read a stream in pieces and stop where no honest file goes on; `consumed` is the packed bytes read so far."""
    pieces: list[bytes] = []
    size = 0
    while piece := stream.read(8_000_000):
        pieces.append(piece)
        size += len(piece)
        if size > most or (size > 50_000_000 and size / max(1, consumed()) > MAX_RATIO):
            raise too_large(size, where)
    return b"".join(pieces)
