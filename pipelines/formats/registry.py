"""Which module reads which kind of file.

A format is one entry of `FORMATS`: the name that a contract gives under `format.kind`, how its bytes are recognised,
which tables are inside, and how they become grids. Everything else about a format stands in its own module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath

from pipelines.errors import UnreadableFileError
from pipelines.formats.contents import CONTENTS, content_of, misnamed
from pipelines.formats.delimited import read_delimited
from pipelines.formats.grid import Grid, refuse_huge_cells, transposed
from pipelines.formats.html import is_html, read_html
from pipelines.formats.json_lines import is_json_lines, read_json_lines
from pipelines.formats.json_stat import is_json_stat, read_json_stat
from pipelines.formats.long_table import VALUE
from pipelines.formats.open_document import open_document_sheets, read_open_document
from pipelines.formats.packing import MAX_BYTES, Unpacked, too_large, unpack, unpacked_files
from pipelines.formats.parquet import is_parquet, read_parquet
from pipelines.formats.pc_axis import is_pc_axis, read_pc_axis
from pipelines.formats.sdmx import OBSERVATION, is_sdmx_csv, is_sdmx_ml, read_sdmx_csv, read_sdmx_ml
from pipelines.formats.statistics_files import (
    is_spss,
    is_spss_portable,
    is_stata,
    read_spss,
    read_spss_portable,
    read_stata,
)
from pipelines.formats.tables import DescribeFormat, ReadFormat, Table, described_by_reading, described_whole
from pipelines.formats.text import encoding_finding, is_tabbed_text, is_text
from pipelines.formats.workbook import Sheet, warning
from pipelines.formats.xls import read_xls, xls_sheets
from pipelines.formats.xlsx import read_xlsx, xlsx_sheets
from pipelines.jurisdiction.contract import Format


@dataclass(frozen=True)
class FileFormat:
    """One kind of file. Its unpacked bytes are recognised by `detect`; text in columns says nothing of itself.

    `contents` are the names of containers (`contents.CONTENTS`) that its bytes may have. `numbers` is the column that
    holds the numbers, where every file of the kind has the one. `is_labelled` where codes stand beside the labels
    that people read (`sex (code)`), and what is said of the whole table above them (`TITLE=...`), as in `long_table`.
    """

    kind: str  # as contracts call it
    name: str  # as people call it
    endings: tuple[str, ...]
    contents: tuple[str, ...]
    detect: Callable[[bytes], bool]
    describe: DescribeFormat
    read: ReadFormat
    numbers: str = ""
    is_labelled: bool = False


_WORKBOOKS: dict[str, Callable[[bytes, str], list[Sheet]]] = {
    "xlsx": xlsx_sheets,
    "xls": xls_sheets,
    "ods": open_document_sheets,
}


def _workbook(kind: str, endings: tuple[str, ...], read: ReadFormat) -> FileFormat:
    """A kind of workbook. People take one for another: each is read by what it is."""
    names = _WORKBOOKS[kind]
    describe = described_by_reading(
        read, lambda data, where: [(sheet.name, sheet.is_visible) for sheet in names(data, where)]
    )
    return FileFormat(
        kind, CONTENTS[kind][0], endings, tuple(_WORKBOOKS), lambda data: content_of(data) == kind, describe, read
    )


def _whole(
    kind: str,
    name: str,
    endings: tuple[str, ...],
    contents: tuple[str, ...],
    detect: Callable[[bytes], bool],
    read: ReadFormat,
    *,
    numbers: str = "",
    is_labelled: bool = False,
) -> FileFormat:
    """A kind of file that is read in one go."""
    return FileFormat(kind, name, endings, contents, detect, described_whole(read), read, numbers, is_labelled)


# In the order in which bytes are asked what they are: those that say it themselves first, text in columns last.
_ENTRIES = (
    _whole("parquet", "a Parquet table", (".parquet",), ("parquet",), is_parquet, read_parquet),
    _workbook("xlsx", (".xlsx", ".xlsm", ".xltx", ".xltm"), read_xlsx),
    _workbook("xls", (".xls", ".xlt"), read_xls),
    _workbook("ods", (".ods", ".ots", ".fods"), read_open_document),
    _whole("dta", "a Stata file (dta)", (".dta",), ("text", "unknown"), is_stata, read_stata, is_labelled=True),
    _whole("sav", "an SPSS file (sav)", (".sav", ".zsav"), ("text",), is_spss, read_spss, is_labelled=True),
    _whole(
        "por",
        "a portable SPSS file (por)",
        (".por",),
        ("text",),
        is_spss_portable,
        read_spss_portable,
        is_labelled=True,
    ),
    _whole(
        "px", "a PC-Axis table (px)", (".px",), ("text",), is_pc_axis, read_pc_axis, numbers=VALUE, is_labelled=True
    ),
    _whole(
        "json-stat",
        "a JSON-stat data set",
        (".json",),
        ("json", "text"),
        is_json_stat,
        read_json_stat,
        numbers=VALUE,
        is_labelled=True,
    ),
    _whole("sdmx-ml", "an SDMX-ML message", (".xml",), ("xml", "text"), is_sdmx_ml, read_sdmx_ml, numbers=OBSERVATION),
    _whole("html", CONTENTS["html"][0], (".html", ".htm"), ("html", "xml", "text"), is_html, read_html),
    _whole("sdmx-csv", "an SDMX-CSV table", (".csv",), ("text",), is_sdmx_csv, read_sdmx_csv, numbers=OBSERVATION),
    _whole(
        "jsonl", "JSON objects, one a line", (".jsonl", ".ndjson"), ("text", "json"), is_json_lines, read_json_lines
    ),
    _whole("tsv", "text parted by tabs", (".tsv",), ("text",), is_tabbed_text, read_delimited),
    _whole("csv", "text in columns", (".csv", ".txt"), ("text",), is_text, read_delimited),
)
FORMATS: dict[str, FileFormat] = {entry.kind: entry for entry in _ENTRIES}
_IN_ENCODING = ("csv", "tsv", "jsonl", "json-stat", "sdmx-csv")  # nothing but their bytes says in which
_NAMELESS = ("text", "unknown", "zip")  # bytes that say too little to contradict a contract: the reader tries
_UNMISTAKABLE = ("dta", "sav", "por", "px", "sdmx-ml")  # what no other reader makes sense of


def recognise(data: bytes) -> FileFormat | None:
    """The format that unpacked bytes have by what they say of themselves; text in columns where they say nothing."""
    return next((entry for entry in _ENTRIES if entry.detect(data)), None)


def describe(data: bytes, rule: Format, where: str) -> list[Table]:
    """The tables inside a file, in order, with their sizes."""
    data = unpack(data, rule, where)
    kind = _kind_of(data, rule, where)
    return FORMATS[kind].describe(data, rule, where)


def sheet_list(data: bytes, rule: Format, where: str) -> list[Sheet]:
    """The tables inside a file, in order: names, whether they are visible, whether they hold data."""
    data = unpack(data, rule, where)
    kind = _kind_of(data, rule, where)
    if kind in _WORKBOOKS:
        return _WORKBOOKS[kind](data, where)
    return [Sheet(t.name, t.is_visible, partial(bool, t.rows)) for t in FORMATS[kind].describe(data, rule, where)]


def read_grids(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The sheets of a file that the contract means, each as a grid.

    Raises UnreadableFileError with what is wrong; `where` is the file's landing path.
    """
    if not data:
        raise UnreadableFileError("the file is empty (0 bytes)", where=where, do="ask the department to send it again")
    if len(data) > MAX_BYTES:
        raise too_large(len(data), where)
    files = unpacked_files(data, rule, where)
    ending = PurePosixPath(where).suffix.lower() if files[0].data is data else ""
    grids = [grid for file in files for grid in _read_file(file, rule, where, ending)]
    for number, grid in enumerate(grids):
        refuse_huge_cells(grid, where)
        if rule.full_sheet:
            kept = tuple(found for found in grid.findings if found["check"] != "full_sheet")
            grids[number] = replace(grid, findings=kept)
    return [transposed(grid, where) for grid in grids] if rule.transpose else grids


def _read_file(file: Unpacked, rule: Format, where: str, ending: str) -> list[Grid]:
    """The sheets of one file; those of one among many in a zip are called by its path there."""
    try:
        kind = _kind_of(file.data, rule, where)
        grids = FORMATS[kind].read(file.data, rule.model_copy(update={"kind": kind}), where)
    except UnreadableFileError as error:
        if not file.name:
            raise
        raise UnreadableFileError(f"{file.name}: {error.message}", where=where, do=error.do) from error
    told = _wrong_ending(kind, rule.kind, ending)
    told += _other_members(file)
    told += encoding_finding(file.data, rule.encoding) if kind in _IN_ENCODING else []
    beside = (*(("name of a file in the zip", name) for name in file.names if name), *grids[0].beside)
    grids[0] = replace(grids[0], findings=(*told, *grids[0].findings), beside=beside)
    if not file.name:
        return grids
    return [replace(grid, sheet="/".join(filter(None, (file.name, grid.sheet)))) for grid in grids]


def _kind_of(data: bytes, rule: Format, where: str) -> str:
    """The kind that the contract says, or that of a workbook that was taken for another kind of workbook.

    Raises UnreadableFileError for bytes that are something else.
    """
    content, agreed = content_of(data), FORMATS[rule.kind]
    if rule.kind in _WORKBOOKS and content in _WORKBOOKS:
        return content
    known = next(
        (kind for kind in _UNMISTAKABLE if content in FORMATS[kind].contents and FORMATS[kind].detect(data)), ""
    )
    if known and known != rule.kind:
        raise UnreadableFileError(
            f"the file is {FORMATS[known].name}, and the contract expects {agreed.name}",
            where=where,
            do=f"ask for it as the contract says; if it always comes so, set `format.kind: {known}`",
        )
    if content in agreed.contents or (content in _NAMELESS and rule.kind not in _WORKBOOKS):
        return rule.kind
    raise misnamed(content, agreed.name, where, readable=content in FORMATS)


def _other_members(file: Unpacked) -> list[dict[str, str]]:
    """A finding for files of a zip that are tables, by their names, and that the contract does not mean."""
    endings = tuple(ending for entry in _ENTRIES for ending in entry.endings)
    others = [name for name in file.beside if name.lower().removesuffix(".gz").endswith(endings)]
    if not others:
        return []
    expected = "only files that `format.member` of the contract means"
    return [warning("other_members", f"not read: {', '.join(others[:8])}", expected)]


def _wrong_ending(kind: str, agreed: str, ending: str) -> list[dict[str, str]]:
    """A finding for a workbook that is of another kind than its contract or its name says."""
    is_called_otherwise = ending not in FORMATS[kind].endings and any(ending in FORMATS[k].endings for k in _WORKBOOKS)
    is_called_otherwise = is_called_otherwise and kind in _WORKBOOKS
    if kind == agreed and not is_called_otherwise:
        return []
    called = f", called {ending}" if is_called_otherwise else ""
    expected = f"{FORMATS[agreed].name}, as the contract says" if kind != agreed else f"a name that ends in .{kind}"
    return [warning("wrong_ending", f"the file is {FORMATS[kind].name}{called}; it is read as what it is", expected)]
