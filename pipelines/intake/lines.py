"""A person-level file as blocks of whole lines, every line accounted for, and the lines of a block as text cells.

A file is never held whole and never written out again: blocks are cut at line ends, decoded in memory and split
into cells. A line with the wrong number of cells is named by its number. What cells mean is `person_cells`'s work.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.csv

from pipelines.errors import UnreadableFileError
from pipelines.jurisdiction.person_contract import RecordFormat

BLOCK = 16 << 20
MAX_LINE = 1 << 20
_HEADER_WITHIN = 100
_SAMPLE = 1 << 20  # bytes looked at to see which columns repeat themselves
_FEW = 0.05  # at most this share is few: different texts of a column that repeats itself, numbers written otherwise
_DIGITS = 18  # as many fit into 64 bits
_MANY = 10_000
# Registers repeat themselves: fiftyfold is honest, a thousandfold is a bomb.
MAX_RATIO = 1_000
_BOM = b"\xef\xbb\xbf"
_REPLACED = "\ufffd".encode()
_FEED, _QUOTE, _POINT = 10, 34, 46
_DIGIT_0 = 48  # no byte below it is ever the second one of a character, in any encoding that is read in blocks


class Stream(Protocol):
    """Anything that bytes are read from, one piece after the other."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


@dataclass(frozen=True)
class Block:
    """Whole lines as the file has them; `first_line` is the number of the first one, 1 for the file's first.

    `is_open` is true of the file's last line, alone in its block, where it has no line end: it may have been cut off.
    """

    first_line: int
    lines: int
    data: bytes
    is_open: bool = False


class Column:
    """The cells of one column of a block. A cell without text is null.

    Registers repeat themselves: where a column has few different texts, `texts` are these, each once, and `places`
    says which of them each record has. Elsewhere `places` is None and `texts` are the records' own.
    """

    def __init__(self, texts: pl.Series, places: npt.NDArray[np.int32] | None = None) -> None:
        self.texts, self.places = texts, places

    def whole(self) -> pl.Series:
        """The text of every record."""
        return self.spread(self.texts)

    def spread(self, values: pl.Series) -> pl.Series:
        """What was made of each of `texts`, for every record."""
        return values if self.places is None else values.gather(self.places)

    def at(self, records: npt.NDArray[np.int64]) -> pl.Series:
        """The texts of these records."""
        return self.texts.gather(records if self.places is None else self.places[records])

    def only(self, kept: npt.NDArray[np.bool_]) -> Column:
        """The column without some of its records."""
        if self.places is None:
            return Column(self.texts.filter(pl.Series(kept)))
        return Column(self.texts, self.places[kept])


class PlainColumn(Column):
    """Texts as the parser left them, one after the other in memory: what is cheap to ask of bytes is asked here."""

    def __init__(self, array: pa.StringArray) -> None:
        self.array = array
        data = array.buffers()[2]
        self._offsets = _offsets(array)
        size = int(self._offsets[-1]) if len(array) else 0
        self._bytes = np.frombuffer(data, np.uint8)[:size] if data is not None else np.empty(0, np.uint8)
        self.places = None

    @cached_property
    def texts(self) -> pl.Series:  # type: ignore[override]
        """The text of every record."""
        texts = pl.Series(self.array)
        if not self.is_full:
            texts = pl.select(pl.when(texts != "").then(texts)).to_series()
        return texts

    @cached_property
    def _lengths(self) -> npt.NDArray[np.int32]:
        return np.diff(self._offsets)

    @cached_property
    def is_full(self) -> bool:
        """True when every cell has text."""
        return bool(self._lengths.all())

    @cached_property
    def is_tidy(self) -> bool:
        """True when every cell has text that neither begins nor ends with what might be a blank."""
        if not self._lengths.size or not self.is_full:
            return False
        first, last = self._bytes[self._offsets[:-1]], self._bytes[self._offsets[1:] - 1]
        return bool(first.min() > 32 and last.min() > 32 and first.max() < 128 and last.max() < 128)

    def at(self, records: npt.NDArray[np.int64]) -> pl.Series:
        """The texts of these records."""
        texts = pl.Series(self.array.take(pl.Series(records).to_arrow()))
        return pl.select(pl.when(texts != "").then(texts)).to_series()

    def numbers(self, scale: int) -> tuple[pl.Series, npt.NDArray[np.int64]] | None:
        """The cells of nothing but digits, and a point before the last `scale` of them, as exact numbers.

        The others are null; those of them that have text are named by their records. None where these are not few.
        """
        count, starts, ends = len(self.array), self._offsets[:-1], self._offsets[1:]
        if not self._bytes.size:
            return None
        is_other = self._bytes - np.uint8(_DIGIT_0) > 9  # what lies below wraps round
        is_odd = self._lengths > _DIGITS
        point = ends - (scale + 1)
        if scale:
            is_odd |= (self._bytes.take(point, mode="clip") != _POINT) | (self._lengths < scale + 2)
            is_point = self._bytes == _POINT
            if np.count_nonzero(is_point) == count - np.count_nonzero(is_odd):
                is_other ^= is_point  # there are no points but those in their places
            else:
                is_other[point[~is_odd]] = False
        others = np.flatnonzero(is_other)
        if others.size > _FEW * self._bytes.size:
            return None
        is_odd[np.searchsorted(ends, others, side="right")] = True
        is_odd &= self._lengths > 0
        odd = np.flatnonzero(is_odd)
        if odd.size > _FEW * count:
            return None
        is_good = ~is_odd if self.is_full else ~is_odd & (self._lengths > 0)
        data = self.array.buffers()[2]
        if not scale:
            cells = pa.StringArray.from_buffers(count, pa.py_buffer(self._offsets), data, _bits(is_good))
            return pl.Series(cells.cast(pa.int64())), odd
        # What stands before the point and what begins with it are cells in turn; only the former are parsed.
        bounds = np.empty(2 * count + 1, dtype=np.int32)
        bounds[::2], bounds[1::2] = self._offsets, np.where(is_good, point, starts)
        is_parsed = np.zeros(2 * count, dtype=bool)
        is_parsed[::2] = is_good
        cells = pa.StringArray.from_buffers(2 * count, pa.py_buffer(bounds), data, _bits(is_parsed))
        number = np.frombuffer(cells.cast(pa.int64()).buffers()[1], np.int64)[::2].copy()
        for place in range(scale, 0, -1):
            number *= 10
            number += self._bytes.take(ends - place, mode="clip") - np.uint8(_DIGIT_0)
        wide = np.zeros((count, 2), dtype=np.int64)  # a decimal has 128 bits, the lower half first
        wide[:, 0] = number
        kind = pa.decimal128(_DIGITS, scale)
        return pl.Series(pa.Array.from_buffers(kind, count, [_bits(is_good), pa.py_buffer(wide)])), odd

    def without_point(self, digits: int) -> pl.Series:
        """True for each record whose cell does not have a point before its last `digits` characters."""
        if not self._bytes.size:
            return pl.repeat(False, len(self.array), dtype=pl.Boolean, eager=True)
        place = np.maximum(self._offsets[1:] - (digits + 1), 0)
        without = (self._bytes[place] != _POINT) | (self._lengths <= digits)
        return pl.Series(without if self.is_full else without & (self._lengths > 0))


@dataclass(frozen=True)
class Cells:
    """The cells of a block: the number of each record's line, and the columns that were asked for by position.

    `broken` are lines that are no record (line, rule), `blank` the numbers of empty ones. `has_replaced` is true
    when a byte could not be decoded anywhere in the block.
    """

    lines: npt.NDArray[np.int32]
    columns: dict[int, Column]
    broken: list[tuple[int, str]]
    blank: list[int]
    has_replaced: bool

    def only(self, kept: npt.NDArray[np.bool_]) -> Cells:
        """The cells without some of the records."""
        columns = {position: column.only(kept) for position, column in self.columns.items()}
        return Cells(self.lines[kept], columns, self.broken, self.blank, self.has_replaced)


@contextlib.contextmanager
def opened(source: Path | bytes, rule: RecordFormat, where: str) -> Iterator[tuple[Stream, Hashing]]:
    """The bytes of a file (or those in hand) as a stream, unpacked on the way, and a running SHA-256 as they came.

    Raises UnreadableFileError for a wrapping that holds no file, several, or a bomb.
    """
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as raw:
        start = raw.read(4)
        raw.seek(0)
        hashed = Hashing(raw)
        if start[:2] == b"\x1f\x8b":
            unpacked = gzip.GzipFile(fileobj=cast(Any, hashed))  # it only ever reads on
            yield _Limited(unpacked, size, where), hashed
        elif start == b"PK\x03\x04":
            hashed.hexdigest()  # a zip is read from its end: it is hashed first
            try:
                with zipfile.ZipFile(raw) as archive:
                    names = [
                        i.filename for i in archive.infolist() if not i.is_dir() and fnmatch(i.filename, rule.member)
                    ]
                    if len(names) != 1:
                        raise UnreadableFileError(
                            f"the zip holds {len(names)} files where one is expected",
                            where=where,
                            do="name the one to read in `format.member`",
                        )
                    with archive.open(names[0]) as member:
                        yield _Limited(member, size, where), hashed
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
                raise UnreadableFileError(
                    f"the zip cannot be opened ({type(error).__name__})", where=where, do="ask for the file again"
                ) from None
        else:
            yield hashed, hashed


class Hashing:
    """A stream that hashes what is read from it."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._digest = hashlib.sha256()
        self._final = ""

    def read(self, size: int = -1) -> bytes:
        """Bytes, hashed as they pass."""
        data = self._raw.read(size)
        self._digest.update(data)
        return data

    def hexdigest(self) -> str:
        """The hash of the whole file; what was not asked for is read now."""
        if not self._final:
            while self.read(BLOCK):
                pass
            self._final = self._digest.hexdigest()
        return self._final


class _Limited:
    """An unpacking stream that refuses to grow beyond what an honest file does."""

    def __init__(self, stream: Any, packed: int, where: str) -> None:
        self._stream, self._packed, self._where, self._size = stream, max(packed, 1), where, 0

    def read(self, size: int) -> bytes:
        """Unpacked bytes."""
        try:
            data: bytes = self._stream.read(size)
        except (OSError, EOFError, zipfile.BadZipFile, ValueError) as error:
            raise UnreadableFileError(
                f"the packed file is damaged ({type(error).__name__})", where=self._where, do="ask for it again"
            ) from None
        except Exception as error:  # zlib's own error has no public base
            if type(error).__name__ != "error":
                raise
            raise UnreadableFileError("the packed file is damaged", where=self._where, do="ask for it again") from None
        self._size += len(data)
        if self._size > 50_000_000 and self._size / self._packed > MAX_RATIO:
            raise UnreadableFileError(
                f"the file unpacks to more than {MAX_RATIO:,} times its size: refused",
                where=self._where,
                do="ask for it unpacked",
            )
        return data


def blocks(stream: Stream, where: str, size: int = BLOCK) -> Iterator[Block]:
    """Blocks of whole lines in order. Raises UnreadableFileError for a line that no record can be."""
    rest, line, is_first = b"", 1, True
    while True:
        piece = stream.read(size)
        if is_first:
            while 0 < len(piece) < 4096 and (more := stream.read(4096)):
                piece += more
            piece, is_first = piece.removeprefix(_BOM), False
        end = piece.rfind(b"\n") + 1 if piece else 0
        if piece and not end:
            rest += piece
            if len(rest) > max(MAX_LINE, size):
                break
            continue
        data = b"".join((rest, memoryview(piece)[:end]))  # a block is copied once
        is_open = bool(data and not piece)
        if is_open:
            data += b"\n"
        rest = piece[end:]
        if data:
            lines = int(np.count_nonzero(np.frombuffer(data, np.uint8) == _FEED))
            yield Block(line, lines, data, is_open)
            line += lines
        if not piece:
            return
    raise UnreadableFileError(
        f"the line {line:,} is longer than {MAX_LINE:,} bytes",
        where=where,
        do="check that the file is text with line feeds, and its `format.encoding`",
    )


def header_cells(block: Block, rule: RecordFormat, where: str) -> tuple[list[str], Block]:
    """The names in the block's first line that is not blank, and the rest of the block."""
    start = 0
    for line in range(min(block.lines, _HEADER_WITHIN)):
        end = block.data.index(b"\n", start) + 1
        text = block.data[start:end].decode(rule.encoding, errors="replace").strip("\r\n")
        start = end
        if len(text) > MAX_LINE:
            break
        if text.strip():
            cells = _split(text, rule.separator)
            if cells is None:
                break
            return cells, Block(block.first_line + line + 1, block.lines - line - 1, block.data[end:])
    else:
        raise UnreadableFileError(
            f"the file has no header: its first {_HEADER_WITHIN} lines are blank", where=where, do="ask for it again"
        )
    raise UnreadableFileError("the header cannot be split into cells", where=where, do="check that the file is text")


def repeating(block: Block, rule: RecordFormat, width: int, wanted: list[int]) -> frozenset[int]:
    """Positions of those of the `wanted` columns whose texts repeat themselves, judged by a block's first lines.

    Only a question of speed: any column can be read either way.
    """
    sample = block.data[: block.data.rfind(b"\n", 0, _SAMPLE) + 1]
    read = _read(sample, rule, wanted, width) if width > 1 else None
    if read is None:
        return frozenset()
    table, _ = read
    return frozenset(
        position for position in wanted if len(_dictionary(table[f"c{position}"]).dictionary) <= _FEW * len(table)
    )


def cells_of(
    block: Block, rule: RecordFormat, width: int, wanted: list[int], repeated: frozenset[int] = frozenset()
) -> Cells:
    """The cells of a block whose file has `width` columns: those `wanted` (0-based).

    `repeated` are the columns of few different texts. Raises UnreadableFileError for a block that is no table.
    """
    cells = _plain_cells(block, rule, width, wanted, repeated)
    if cells is not None:
        return cells
    numbers = np.arange(block.first_line, block.first_line + block.lines, dtype=np.int32)
    data, has_replaced = _as_utf8(block.data, rule.encoding)
    bad = _suspects(data, ord(rule.separator), width)
    broken: list[tuple[int, str]] = []
    blank: list[int] = []
    _refuse_no_table(int(bad.size), block, width)
    if bad.size:
        kept, rescued = _sift(data, bad, rule, width, block.first_line, broken, blank)
        gone = np.zeros(block.lines, dtype=bool)
        gone[bad] = True
        frame = _parse(kept, rule, width, wanted, int((~gone).sum())).with_columns(line=pl.Series(numbers[~gone]))
        if rescued:
            text = io.StringIO()
            csv.writer(text, delimiter=rule.separator, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(
                row for _, row in rescued
            )
            more = _parse(text.getvalue().encode(), rule, width, wanted, len(rescued))
            own = pl.Series([number for number, _ in rescued], dtype=pl.Int32)
            frame = pl.concat([frame, more.with_columns(line=own)]).sort("line")
    else:
        frame = _parse(data, rule, width, wanted, block.lines).with_columns(line=pl.Series(numbers))
    columns = {position: Column(frame[f"c{position}"]) for position in wanted}
    return Cells(frame["line"].to_numpy(), columns, broken, blank, has_replaced)


def _refuse_no_table(bad: int, block: Block, width: int) -> None:
    if bad > _MANY and bad > block.lines / 2:
        raise UnreadableFileError(
            f"{bad:,} of the {block.lines:,} lines from line {block.first_line:,} on do not have {width} cells",
            do="check `format.delimiter`, and that the file is what the contract describes",
        )


def _plain_cells(
    block: Block, rule: RecordFormat, width: int, wanted: list[int], repeated: frozenset[int]
) -> Cells | None:
    """The cells of a block without quotes, blank lines or bytes that are no text; None when it may have any of them.

    Bytes are decoded where they stand in a cell, once for each different text, and not at all in dropped columns.
    """
    if width < 2 or _QUOTE in block.data:
        return None
    encoding = "utf-8" if rule.encoding == "ascii" else rule.encoding
    try:
        if encoding == "utf-8" or ord(rule.separator) < _DIGIT_0 or block.data.isascii():
            with contextlib.suppress(_NotInPlace):
                return _cells_as(block.data, encoding, block, rule, width, wanted, repeated)
        return _cells_as(block.data.decode(encoding).encode(), "utf-8", block, rule, width, wanted, repeated)
    except (_NotPlain, UnicodeDecodeError):
        return None


class _NotPlain(Exception):
    """The block must be looked at closely."""


class _NotInPlace(Exception):
    """A column would have to be decoded cell by cell: the block is better decoded as a whole."""


def _cells_as(
    data: bytes,
    encoding: str,
    block: Block,
    rule: RecordFormat,
    width: int,
    wanted: list[int],
    repeated: frozenset[int],
) -> Cells:
    """The cells of a block whose lines are `data` in this encoding. Raises _NotPlain, _NotInPlace."""
    read = _read(data, rule, wanted, width)
    if read is None:
        raise _NotPlain
    table, invalid = read
    if len(table) + len(invalid) != block.lines:
        raise _NotPlain  # blank lines, which the parser skips, or a carriage return inside a line
    columns = {position: _column(table[f"c{position}"], encoding, position in repeated) for position in wanted}
    _refuse_no_table(len(invalid), block, width)
    numbers = np.arange(block.first_line, block.first_line + block.lines, dtype=np.int32)
    broken: list[tuple[int, str]] = []
    blank: list[int] = []
    for place, cells, is_blank in invalid:
        if is_blank:
            blank.append(int(numbers[place]))
        else:
            broken.append((int(numbers[place]), "too_many_cells" if cells > width else "too_few_cells"))
    if invalid:
        numbers = np.delete(numbers, [place for place, _, _ in invalid])
    return Cells(numbers, columns, broken, blank, False)


def _read(
    data: bytes, rule: RecordFormat, wanted: list[int], width: int
) -> tuple[pa.Table, list[tuple[int, int, bool]]] | None:
    """Columns of bytes, and the lines with another number of cells: place, number of cells, whether it is blank.

    None when the bytes cannot be told apart.
    """
    invalid: list[tuple[int, int, bool]] = []
    blanks = " \t\u3000" + rule.separator

    def skip(row: pa.csv.InvalidRow) -> str:
        invalid.append((row.number - 1, row.actual_columns, not row.text.strip(blanks)))
        return "skip"

    names = [f"c{position}" for position in range(width)]
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(data),
            # Rows are numbered only where one thread reads them; several blocks are read at once instead.
            pa.csv.ReadOptions(column_names=names, use_threads=False),
            pa.csv.ParseOptions(delimiter=rule.separator, quote_char=False, invalid_row_handler=skip),
            pa.csv.ConvertOptions(
                column_types={names[position]: pa.binary() for position in wanted},
                include_columns=[names[position] for position in wanted],
                strings_can_be_null=False,
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None
    return table, invalid


def _dictionary(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """The different cells of a column, and which of them each record has."""
    cells = column.combine_chunks()
    lengths = np.diff(_offsets(cells))
    size = int(lengths[0]) if lengths.size else 0
    if size and (lengths == size).all():
        # Codes and days have one length: cells without offsets are told apart in two thirds of the time.
        start = int(_offsets(cells)[0])
        data = cells.buffers()[2].slice(start, size * len(cells))
        cells = pa.Array.from_buffers(pa.binary(size), len(cells), [None, data])
    return cells.dictionary_encode()


def _bits(mask: npt.NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(mask, bitorder="little"))


def _offsets(array: pa.Array) -> npt.NDArray[np.int32]:
    """Where the text of each cell begins; and where the last one ends."""
    return np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]


def _column(cells: pa.ChunkedArray, encoding: str, is_repeated: bool) -> Column:
    """A column of bytes as texts.

    Raises UnicodeDecodeError or _NotPlain for bytes that are no text or were replaced before the file came, and
    _NotInPlace where all texts would have to be decoded one by one.
    """
    if is_repeated:
        array = _dictionary(cells)
        cells_in_order = array.dictionary.to_pylist()
        # In one order in every block: what was judged for one serves the next.
        order = sorted(range(len(cells_in_order)), key=cells_in_order.__getitem__)
        texts = [cells_in_order[place].decode(encoding) for place in order]
        _refuse_replaced("\n".join(texts).encode())
        rank = np.empty(len(order), dtype=np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        places = rank.take(pl.Series(array.indices).to_numpy())
        return Column(pl.Series([text or None for text in texts], dtype=pl.String), places)
    array = cells.combine_chunks()
    data = array.buffers()[2]
    if data is None or not data.size or np.frombuffer(data, np.uint8).max() < 128:
        return PlainColumn(pa.StringArray.from_buffers(len(array), array.buffers()[1], data))
    if encoding != "utf-8":
        raise _NotInPlace
    _refuse_replaced(data.to_pybytes())
    try:
        return PlainColumn(array.cast(pa.string()))
    except pa.ArrowInvalid:
        raise _NotPlain from None


def _refuse_replaced(data: bytes) -> None:
    if _REPLACED in data:
        raise _NotPlain


def _as_utf8(data: bytes, encoding: str) -> tuple[bytes, bool]:
    """The bytes as UTF-8, and whether any could not be decoded (or were replaced before the file came)."""
    if data.isascii():
        return data, False
    if encoding in ("utf-8", "ascii"):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            data = data.decode("utf-8", errors="replace").encode()
    else:
        data = data.decode(encoding, errors="replace").encode()
    return data, _REPLACED in data


def _suspects(data: bytes, separator: int, width: int) -> npt.NDArray[np.int64]:
    """Places (0-based) of the lines that do not plainly have `width` cells; empty when all do.

    A line is plain when it has the right number of separators outside quotes and an even number of quotes.
    """
    marks = np.frombuffer(data, np.uint8)
    if _QUOTE not in data:
        stops = np.flatnonzero((marks == separator) | (marks == _FEED))
        is_end = marks[stops] == _FEED
        if width > 1 and stops.size % width == 0:
            ends = is_end[width - 1 :: width]
            if ends.all() and np.count_nonzero(is_end) == ends.size:
                return np.empty(0, dtype=np.int64)
        places = np.flatnonzero(is_end)
        found = np.diff(places, prepend=-1) != width
    else:
        feeds = np.flatnonzero(marks == _FEED)
        quotes = np.flatnonzero(marks == _QUOTE)
        by_line = np.diff(np.searchsorted(quotes, feeds), prepend=0)
        odd = by_line % 2 == 1
        # Up to its line's end an odd quote would turn inside and outside round for all lines after it.
        inside = np.bitwise_and(np.cumsum(marks == _QUOTE, dtype=np.uint8), 1)
        if odd.any():
            turned = np.bitwise_and(np.cumsum(odd, dtype=np.int64) - odd, 1).astype(np.uint8)
            lengths = np.diff(feeds, prepend=-1)
            inside ^= np.repeat(turned, lengths)
        outside = np.flatnonzero((marks == separator) & (inside == 0))
        found = (np.diff(np.searchsorted(outside, feeds), prepend=0) != width - 1) | odd
    if width == 1:
        starts = np.append(0, np.flatnonzero(marks == _FEED)[:-1] + 1)
        found |= (marks[starts] == _FEED) | (marks[starts] == 13)
    return np.flatnonzero(found)


def _sift(
    data: bytes,
    bad: npt.NDArray[np.int64],
    rule: RecordFormat,
    width: int,
    first_line: int,
    broken: list[tuple[int, str]],
    blank: list[int],
) -> tuple[bytes, list[tuple[int, list[str]]]]:
    """The data without the suspect lines, and those of them that have the right cells after all."""
    feeds = np.flatnonzero(np.frombuffer(data, np.uint8) == _FEED)
    kept: list[bytes] = []
    rescued: list[tuple[int, list[str]]] = []
    position = 0
    for place in bad.tolist():
        start = int(feeds[place - 1]) + 1 if place else 0
        end = int(feeds[place]) + 1
        if start > position:
            kept.append(data[position:start])
        position = end
        text = data[start:end].decode("utf-8", errors="replace").rstrip("\r\n")
        number = first_line + place
        if not text.strip(" \t\u3000" + rule.separator):
            blank.append(number)
            continue
        cells = _split(text, rule.separator)
        if cells is None:
            broken.append((number, "broken_quotes"))
        elif len(cells) != width:
            broken.append((number, "too_many_cells" if len(cells) > width else "too_few_cells"))
        else:
            rescued.append((number, cells))
    kept.append(data[position:])
    return b"".join(kept), rescued


def _split(text: str, separator: str) -> list[str] | None:
    try:
        return next(csv.reader([text], delimiter=separator, strict=True), [])
    except csv.Error:
        return None


def _parse(data: bytes, rule: RecordFormat, width: int, wanted: list[int], lines: int) -> pl.DataFrame:
    """Lines that are known to have `width` cells as text; a quoted empty cell is an empty cell."""
    names = {f"c{position}": pl.String for position in sorted(wanted)}
    if not lines:
        return pl.DataFrame(schema=names)
    frame = pl.read_csv(
        data,
        has_header=False,
        schema={f"c{position}": pl.String for position in range(width)},
        columns=sorted(wanted) if len(wanted) < width else None,
        separator=rule.separator,
        quote_char='"' if _QUOTE in data else None,
        infer_schema=False,
        raise_if_empty=False,
    )
    if frame.height != lines:
        raise UnreadableFileError(
            f"{lines:,} lines were found and {frame.height:,} could be told apart",
            do="check `format.delimiter`, and for line breaks inside cells: one line is one record",
        )
    if _QUOTE in data:
        frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
    return frame
