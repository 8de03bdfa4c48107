"""Which module reads which kind of file.

A format is one entry of `FORMATS`: the name that a contract gives under `format.kind`, and the function that makes
grids of a file's unpacked bytes. Everything else about a format stands in its own module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

from pipelines.errors import UnreadableFileError
from pipelines.formats.contents import CONTENTS, content_of, misnamed
from pipelines.formats.delimited import read_delimited
from pipelines.formats.grid import Grid, refuse_huge_cells, transposed
from pipelines.formats.json_lines import read_json_lines
from pipelines.formats.open_document import open_document_sheets, read_open_document
from pipelines.formats.packing import MAX_BYTES, too_large, unpack
from pipelines.formats.parquet import read_parquet
from pipelines.formats.workbook import Sheet, warning
from pipelines.formats.xls import read_xls, xls_sheets
from pipelines.formats.xlsx import read_xlsx, xlsx_sheets
from pipelines.jurisdiction.contract import Format

ReadFormat = Callable[[bytes, Format, str], list[Grid]]

FORMATS: dict[str, ReadFormat] = {
    "csv": read_delimited,
    "tsv": read_delimited,
    "jsonl": read_json_lines,
    "parquet": read_parquet,
    "xlsx": read_xlsx,
    "xls": read_xls,
    "ods": read_open_document,
}
_SHEETS: dict[str, Callable[[bytes, str], list[Sheet]]] = {
    "xlsx": xlsx_sheets,
    "xls": xls_sheets,
    "ods": open_document_sheets,
}
# What the bytes of each kind of file may be; a kind that is not here is looked at by its own reader alone.
_CONTENT_OF: dict[str, tuple[str, ...]] = {
    "csv": ("text",),
    "tsv": ("text",),
    "jsonl": ("text", "json"),
    "parquet": ("parquet",),
    "xlsx": ("xlsx", "xls", "ods"),  # people take one workbook for another: they are read by what they are
    "xls": ("xls", "xlsx", "ods"),
    "ods": ("ods", "xlsx", "xls"),
}
_ENDINGS = {"xlsx": (".xlsx", ".xlsm", ".xltx", ".xltm"), "xls": (".xls", ".xlt"), "ods": (".ods", ".ots")}
_NAMELESS = ("text", "unknown", "zip")  # bytes that say too little to contradict a contract: the reader tries


def read_grids(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The sheets of a file that the contract means, each as a grid.

    Raises UnreadableFileError with what is wrong; `where` is the file's landing path.
    """
    if not data:
        raise UnreadableFileError("the file is empty (0 bytes)", where=where, do="ask the department to send it again")
    if len(data) > MAX_BYTES:
        raise too_large(len(data), where)
    unpacked = unpack(data, rule, where)
    kind = _kind_of(unpacked, rule, where)
    grids = FORMATS[kind](unpacked, rule.model_copy(update={"kind": kind}), where)
    for number, grid in enumerate(grids):
        refuse_huge_cells(grid, where)
        if rule.full_sheet:
            kept = tuple(found for found in grid.findings if found["check"] != "full_sheet")
            grids[number] = replace(grid, findings=kept)
    ending = PurePosixPath(where).suffix.lower() if unpacked is data else ""
    grids[0] = replace(grids[0], findings=(*_wrong_ending(kind, rule.kind, ending), *grids[0].findings))
    return [transposed(grid, where) for grid in grids] if rule.transpose else grids


def sheet_list(data: bytes, rule: Format, where: str) -> list[Sheet]:
    """The sheets of a workbook, in order: names, whether they are visible, whether they hold data."""
    data = unpack(data, rule, where)
    return _SHEETS[_kind_of(data, rule, where)](data, where)


def _kind_of(data: bytes, rule: Format, where: str) -> str:
    """The kind of workbook that a file is, or the kind that the contract says.

    Raises UnreadableFileError for bytes that are something else.
    """
    content = content_of(data)
    accepted = _CONTENT_OF.get(rule.kind)
    if accepted is None or content in accepted:
        return content if content in _SHEETS and accepted else rule.kind
    if content in _NAMELESS and rule.kind not in _SHEETS:
        return rule.kind
    raise misnamed(content, rule.kind, where, readable=content in FORMATS)


def _wrong_ending(kind: str, agreed: str, ending: str) -> list[dict[str, str]]:
    """A finding for a workbook that is of another kind than its contract or its name says."""
    is_called_otherwise = (
        kind in _ENDINGS and any(ending in e for e in _ENDINGS.values()) and ending not in _ENDINGS[kind]
    )
    if kind == agreed and not is_called_otherwise:
        return []
    called = f", called {ending}" if is_called_otherwise else ""
    expected = f"{CONTENTS[agreed][0]}, as the contract says" if kind != agreed else f"a name that ends in .{kind}"
    return [warning("wrong_ending", f"the file is {CONTENTS[kind][0]}{called}; it is read as what it is", expected)]
