"""Bytes to grids: every cell as text, in its place. One function per format, nothing interpreted.

A grid's columns are `c0, c1, ...`, beside `source_row`, the row number that a person sees when opening the
file. Numbers, headers and regions are other modules' work. What would fill memory is refused before it is opened.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Any, NoReturn

import fastexcel
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import UnreadableFileError
from pipelines.intake.workbook_process import read_cells
from pipelines.jurisdiction.contract import Format, SheetRule

ROW = "source_row"
MAX_COLUMNS = 20_000
MAX_CELL = 1_000_000
MAX_BYTES = 2_000_000_000
MAX_TEXT_BYTES = 400_000_000
MAX_CELLS = 25_000_000  # of one sheet, empty ones within its bounds included
MAX_SECONDS = 600  # for a workbook that is opened in a process of its own
# Tables repeat themselves: fiftyfold is honest, a thousandfold (the most that deflate can do) is a bomb.
MAX_RATIO = 200

_FAULTS = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "GettingData": "#GETTING_DATA",
}
_WORKBOOKS = ("xlsx", "xls", "ods")
_NOT_1252 = rb"[\x81\x8d\x8f\x90\x9d]"
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(frozen=True)
class Grid:
    """One sheet as text. `sheet` is empty for formats that have none."""

    sheet: str
    cells: pl.DataFrame

    @property
    def columns(self) -> list[str]:
        """The cell columns, from left to right."""
        return [c for c in self.cells.columns if c != ROW]


def read_grids(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The sheets of a file that the contract names, as text.

    Raises UnreadableFileError saying what stands in the way: no bytes, wrong format, wrong encoding, no such
    sheet, or a size that no honest file has.
    """
    if not data:
        raise UnreadableFileError("the file is empty (0 bytes)", where=where, do="ask the department to send it again")
    if len(data) > MAX_BYTES:
        raise _too_large(len(data), where)
    data = unpack(data, rule, where)
    if rule.kind in ("csv", "tsv"):
        grids = [_read_csv(data, rule, where)]
    elif rule.kind in _WORKBOOKS:
        grids = _read_workbook(data, rule, where)
    elif rule.kind == "parquet":
        grids = [_read_parquet(data, where)]
    else:
        grids = [_read_json_lines(data, rule, where)]
    for grid in grids:
        _refuse_huge_cells(grid, where)
    return [transposed(grid, where) for grid in grids] if rule.transpose else grids


# -- packing ------------------------------------------------------------------------------------------------


def unpack(data: bytes, rule: Format, where: str) -> bytes:
    """The file inside a gzip or zip wrapping, told by its first bytes; a workbook is a zip and stays one."""
    for _ in range(3):
        if data[:2] == b"\x1f\x8b":
            data = _gunzip(data, rule, where)
        elif data[:4] == b"PK\x03\x04":
            if rule.kind in ("xlsx", "ods") and _is_workbook(data):
                _refuse_bomb(data, where)
                return data
            data = _unzip(data, rule, where)
        else:
            return data
    raise UnreadableFileError("the file is packed more than twice", where=where, do="ask for it unpacked")


def _is_workbook(data: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OverflowError, OSError):
        return True  # let the workbook reader say what is wrong with it
    return "[Content_Types].xml" in names or "mimetype" in names


def _too_large(size: int, where: str) -> UnreadableFileError:
    return UnreadableFileError(
        f"the file unpacks to {size:,} bytes or more: refused",
        where=where,
        do=f"ask for it in parts of at most {MAX_BYTES:,} bytes",
    )


def _refuse_bomb(data: bytes, where: str) -> None:
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
        raise _too_large(total, where)


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
            raise _too_large(size, where)
    return b"".join(pieces)


# -- text ---------------------------------------------------------------------------------------------------


def decode(data: bytes, encoding: str, where: str) -> str:
    """The text of a file. `detect` looks at the byte-order mark, then at what the bytes can be.

    Raises UnreadableFileError naming the first byte that the encoding cannot have.
    """
    if len(data) > MAX_TEXT_BYTES:
        raise UnreadableFileError(
            f"the text is {len(data):,} bytes long: refused",
            where=where,
            do=f"ask for it in parts of at most {MAX_TEXT_BYTES:,} bytes",
        )
    if encoding == "detect":
        encoding = detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            f"the bytes are not {encoding}: byte {error.start:,} cannot be read",
            where=where,
            do="correct `format.encoding` in the contract or ask for the file in the agreed encoding",
        ) from error
    if "\x00" in text:
        raise UnreadableFileError(
            "the file holds null bytes: it is not a text file in this encoding",
            where=where,
            do="correct `format` in the contract",
        )
    return text.removeprefix("\ufeff")


def detect_encoding(data: bytes) -> str:
    """The likeliest encoding of a text: byte-order mark, strict UTF-8, then the legacy ones departments use.

    GB18030 can read almost any bytes, so it is preferred only where it gives common characters and the Japanese
    and Western ones do not fit better.
    """
    for bom, name in _BOMS:
        if data.startswith(bom):
            return name
    sample = data[:200_000]
    if sample[1::2].count(0) > len(sample) // 6:
        return "utf-16-le"
    if sample[::2].count(0) > len(sample) // 6:
        return "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        scores = {name: _plausible(sample, name) for name in ("gb18030", "cp932", "latin-1")}
        likeliest = max(scores, key=lambda name: scores[name])
        if likeliest == "latin-1" and re.search(rb"[\x80-\x9f]", data) and not re.search(_NOT_1252, data):
            return "cp1252"  # dashes and quotes of Windows, where Latin-1 has control characters
        return likeliest
    return "utf-8"


def _plausible(sample: bytes, encoding: str) -> float:
    """How much a decoded sample looks like text: the share of characters that are common in such files."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError as error:
        if len(sample) - error.start > 4:
            return -1.0
        text = sample[: error.start].decode(encoding)
    wide = [c for c in text if ord(c) > 127]
    if not wide:
        return 0.5
    score = 0.0
    for c in wide:
        point = ord(c)
        if encoding == "latin-1":
            # Accented letters inside words are Western text; runs of signs are another encoding misread.
            score += 0.6 if c.isalpha() else 0.1
        elif 0x3041 <= point <= 0x30FF:
            score += 1.0 if encoding == "cp932" else 0.3
        elif 0x4E00 <= point <= 0x9FA5 or 0x3000 <= point <= 0x3020 or 0xFF00 <= point <= 0xFF5E:
            score += 0.9
        elif 0xE000 <= point <= 0xF8FF or 0x3400 <= point <= 0x4DBF or 0xFF61 <= point <= 0xFF9F:
            score -= 1.0
    letters_in_run = sum(
        1 for a, b in itertools.pairwise(text) if ord(a) > 127 and ord(b) > 127 and encoding == "latin-1"
    )
    return (score - letters_in_run) / len(wide)


def _read_csv(data: bytes, rule: Format, where: str) -> Grid:
    text = decode(data, rule.encoding, where)
    delimiter = "\t" if rule.kind == "tsv" else rule.delimiter
    rows: list[list[str | None]] = []
    numbers: list[int] = []
    csv.field_size_limit(MAX_CELL)
    # A whole text in a stream takes four bytes a character: a long one is cut into lines instead.
    lines = io.StringIO(text, newline="") if len(text) < 50_000_000 else _lines(text)
    reader = csv.reader(_not_too_wide(lines, delimiter, where), delimiter=delimiter)
    first, count = 1, 0
    try:
        for row in reader:
            count += len(row) + 1
            if len(row) > MAX_COLUMNS or count > MAX_CELLS:
                counted = (
                    f"a row has {len(row):,} columns" if len(row) > MAX_COLUMNS else f"more than {count - 1:,} cells"
                )
                raise UnreadableFileError(
                    counted, where=f"{where}, line {first}", do="check the delimiter and the file"
                )
            rows.append([cell if cell != "" else None for cell in row])
            numbers.append(first)
            first = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFileError(
            f"not readable as CSV: {error}", where=f"{where}, line {first}", do="check delimiter and quotes"
        ) from error
    return Grid("", _frame(rows, numbers, where))


def _not_too_wide(lines: Iterable[str], delimiter: str, where: str) -> Iterator[str]:
    """The lines as they are; one with more delimiters than cells and quotes can explain is never taken apart."""
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_COLUMNS and line.count(delimiter) > MAX_COLUMNS + MAX_CELL:
            raise UnreadableFileError(
                f"a row has {line.count(delimiter) + 1:,} columns",
                where=f"{where}, line {number}",
                do="check the delimiter and the file",
            )
        yield line


def _lines(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _read_json_lines(data: bytes, rule: Format, where: str) -> Grid:
    """Objects, one a line: the keys of all lines are the first row, as in a table."""
    records: list[dict[str, object]] = []
    numbers: list[int] = []
    names: dict[str, None] = {}
    for number, line in enumerate(decode(data, rule.encoding, where).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(
                line, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_without_repeats
            )
        except (ValueError, RecursionError) as error:
            raise UnreadableFileError(
                f"not readable as JSON: {error}", where=f"{where}, line {number}", do="ask for the file again"
            ) from error
        if not isinstance(record, dict):
            raise UnreadableFileError("a line is not a JSON object", where=f"{where}, line {number}", do="ask again")
        records.append(record)
        numbers.append(number)
        names.update(dict.fromkeys(record))
        if len(names) > MAX_COLUMNS or len(names) * len(records) > MAX_CELLS:
            raise UnreadableFileError(
                f"{len(records):,} objects have {len(names):,} different names", where=where, do="check the file"
            )
    rows: list[list[str | None]] = [list(names)]
    rows += [[_json_cell(record.get(n)) for n in names] for record in records]
    return Grid("", _frame(rows, [0, *numbers], where))


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("an object gives one name twice")
    return record


def _json_cell(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _read_parquet(data: bytes, where: str) -> Grid:
    """A Parquet table: its column names are row 0, its rows count from 1."""
    try:
        shape = pq.ParquetFile(io.BytesIO(data)).metadata
        _refuse_size(shape.num_rows, shape.num_columns, where)
        frame = pl.read_parquet(io.BytesIO(data))
        text = frame.select(pl.col(c).cast(pl.String) for c in frame.columns)
    except UnreadableFileError:
        raise
    except BaseException as error:
        _give_up(error, "not readable as Parquet", where, "ask for the file again")
    if not frame.width:
        raise UnreadableFileError("the file has no columns", where=where, do="ask the department to send it again")
    head = pl.DataFrame([list(frame.columns)], schema=_schema(frame.width, row=False), orient="row")
    body = text.rename({old: f"c{i}" for i, old in enumerate(frame.columns)})
    return Grid("", pl.concat([head, body]).with_row_index(ROW).cast({ROW: pl.Int64}))


def _frame(rows: list[list[str | None]], numbers: list[int], where: str) -> pl.DataFrame:
    width = max((len(row) for row in rows), default=0)
    if not width:
        raise UnreadableFileError("the file has no cells", where=where, do="ask the department to send it again")
    _refuse_size(len(rows), width, where)
    for filled in rows:
        filled.extend([None] * (width - len(filled)))
    columns = {f"c{i}": [filled[i] for filled in rows] for i in range(width)}
    return pl.DataFrame({ROW: numbers, **columns}, schema=_schema(width))


def _refuse_size(rows: int, columns: int, where: str) -> None:
    if columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        raise UnreadableFileError(
            f"a table of {rows:,} rows and {columns:,} columns: refused",
            where=where,
            do=f"ask for it in parts of at most {MAX_COLUMNS:,} columns and {MAX_CELLS:,} cells; "
            "look for a stray cell far away from the table",
        )


def _refuse_huge_cells(grid: Grid, where: str) -> None:
    longest = grid.cells.select(pl.max_horizontal(pl.col(c).str.len_bytes().max() for c in grid.columns)).item()
    if longest and longest > MAX_CELL * 4:
        raise UnreadableFileError(f"a cell is {longest:,} bytes long", where=where, do="check the file")


def _give_up(error: BaseException, what: str, where: str, do: str) -> NoReturn:
    """Whatever a reader raised, a panic of its own language included, means that the file cannot be read."""
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
        raise error
    said = str(error).splitlines()
    raise UnreadableFileError(
        f"{what}: {said[0][:300] if said else type(error).__name__}", where=where, do=do
    ) from error


# -- workbooks ----------------------------------------------------------------------------------------------


def sheet_names(data: bytes, rule: Format, where: str) -> list[str]:
    """The names of a workbook's sheets, in order."""
    data = unpack(data, rule, where)
    return list(_opened(data, where).sheet_names) if rule.kind == "xlsx" else _beside(data, [], where)[0]


def _opened(data: bytes, where: str) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(data)
    except BaseException as error:
        _give_up(
            error,
            "the workbook cannot be opened",
            where,
            "open it in a spreadsheet program; if it fails there too, ask for it again",
        )


def _read_workbook(data: bytes, rule: Format, where: str) -> list[Grid]:
    if rule.kind == "xlsx":
        workbook = _opened(data, where)
        chosen = _chosen_sheets(workbook.sheet_names, rule, where)
        _refuse_far_cells(data, where)
        return [_read_sheet(workbook, name, where) for name in chosen]
    # What the older formats unpack to cannot be told beforehand: they are opened where memory is limited.
    wanted = [] if isinstance(rule.sheet, SheetRule) else [rule.sheet]
    names, batches = _beside(data, wanted, where)
    chosen = _chosen_sheets(names, rule, where)
    if isinstance(rule.sheet, SheetRule):
        _, batches = _beside(data, chosen, where)
    return [_as_grid(name, batch, where) for name, batch in zip(chosen, batches, strict=True)]


def _refuse_far_cells(data: bytes, where: str) -> None:
    """Refuse a sheet whose cells span more than memory holds: a reader keeps every empty cell between them."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                if re.search(r"worksheets/[^/]*\.xml$", name, re.IGNORECASE):
                    with archive.open(name) as stream:
                        _refuse_size(*_span_of_cells(stream), where)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, OverflowError, OSError, EOFError) as error:
        raise UnreadableFileError(f"the workbook is damaged: {error}", where=where, do="ask for it again") from error


_COLUMN = re.compile(rb"r=[\"']([A-Z]{2,7})[0-9]")
_ROW = re.compile(rb"r=[\"'][A-Z]*([0-9]{1,9})[\"']")


def _span_of_cells(stream: IO[bytes]) -> tuple[int, int]:
    """The last row and the last column of a sheet, at least 26: every cell's column is seen, the last cell's row."""
    rows, columns, rest = 1, 26, b""
    while piece := stream.read(4_000_000):
        piece = rest + piece
        columns = max((columns, *map(_column_number, set(_COLUMN.findall(piece)))))
        end = piece.find(b"</sheetData")
        tail = piece[max(0, end - 3000) : end] if end >= 0 else piece[-3000:]
        rows = max((rows, *map(int, _ROW.findall(tail))))
        rest = piece[-3000:]
    return rows, columns


def _column_number(letters: bytes) -> int:
    number = 0
    for byte in letters:
        number = number * 26 + byte - 64
    return number


def _beside(
    data: bytes, sheets: Sequence[str | int], where: str
) -> tuple[list[str], list[tuple[Any, list[int], list[Any]]]]:
    """A workbook opened by a process of its own, with limited memory and time: its sheet names, and sheets as read.

    `sheets` are names or positions from 1; those that the workbook lacks are left out.
    """
    command = [sys.executable, "-I", str(Path(__file__).with_name("workbook_process.py")), json.dumps(sheets)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=MAX_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        _give_up(error, "the workbook takes too long to open", where, "ask for it in another format")
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise UnreadableFileError(
            f"the workbook cannot be opened: {said[-1][:300] if said else 'its reader died'}",
            where=where,
            do="open it in a spreadsheet program; if it fails there too, ask for it again",
        )
    stream = io.BytesIO(done.stdout)
    head = json.loads(stream.readline())
    read = []
    for size, columns, faults in head["read"]:
        with pa.ipc.open_stream(pa.py_buffer(stream.read(size))) as reader:
            read.append((reader.read_all(), columns, faults))
    return head["names"], read


def _chosen_sheets(names: list[str], rule: Format, where: str) -> list[str]:
    wanted = rule.sheet
    if isinstance(wanted, int):
        if not 1 <= wanted <= len(names):
            raise UnreadableFileError(
                f"the workbook has {len(names)} sheets, not {wanted}", where=where, do="correct `format.sheet`"
            )
        return [names[wanted - 1]]
    if isinstance(wanted, str):
        if wanted not in names:
            raise UnreadableFileError(
                f"the workbook has no sheet {wanted!r}; it has {', '.join(names)}",
                where=where,
                do="correct `format.sheet`",
            )
        return [wanted]
    chosen = [name for name in names if wanted.fits(name)]
    if not chosen:
        raise UnreadableFileError(
            f"no sheet is named like {wanted.pattern!r}; there are {', '.join(names)}",
            where=where,
            do="correct `format.sheet`",
        )
    return chosen if wanted.all else chosen[:1]


def _read_sheet(workbook: fastexcel.ExcelReader, name: str, where: str) -> Grid:
    try:
        read = read_cells(workbook, name)
    except BaseException as error:
        _give_up(error, f"the sheet {name!r} cannot be read", where, "check the workbook")
    return _as_grid(name, read, where)


def _as_grid(name: str, read: tuple[Any, list[int], list[Any]], where: str) -> Grid:
    """A sheet as a grid: empty columns on the left counted, faults of formulas (#DIV/0!) as the text they show."""
    table, columns, faults = read
    frame = pl.DataFrame(pl.from_arrow(table)) if table.num_columns else pl.DataFrame()
    if not frame.width or not frame.height:
        raise UnreadableFileError(f"the sheet {name!r} is empty", where=where, do="check `format.sheet` or the file")
    _refuse_size(frame.height, columns[-1] + 1, where)
    by_column: dict[int, dict[int, str]] = {}
    for row, column, detail in faults:
        kind = re.search(r"Error\((\w+)\)", detail)
        by_column.setdefault(column, {})[row] = _FAULTS.get(kind.group(1) if kind else "", "#ERROR!")
    cells = {
        f"c{i}": pl.Series([None], dtype=pl.String).new_from_index(0, frame.height) for i in range(columns[-1] + 1)
    }
    for index, (place, old) in enumerate(zip(columns, frame.columns, strict=True)):
        series = frame[old]
        if index in by_column:
            shown = by_column[index]
            series = series.scatter(list(shown), list(shown.values()))
        cells[f"c{place}"] = series
    return Grid(name, pl.DataFrame(cells).with_row_index(ROW, offset=1).cast({ROW: pl.Int64}))


def transposed(grid: Grid, where: str) -> Grid:
    """Columns as rows: the row number is then the column's place in the file, 1 for the first."""
    _refuse_size(len(grid.columns), grid.cells.height, where)
    cells = grid.cells.select(grid.columns).transpose()
    cells = cells.rename({old: f"c{i}" for i, old in enumerate(cells.columns)})
    return replace(grid, cells=cells.with_row_index(ROW, offset=1).cast({ROW: pl.Int64}))


def _schema(width: int, *, row: bool = True) -> dict[str, type[pl.DataType]]:
    cells: dict[str, type[pl.DataType]] = {f"c{i}": pl.String for i in range(width)}
    return {ROW: pl.Int64, **cells} if row else cells
