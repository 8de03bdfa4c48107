"""Which module reads which kind of file.

A format is one entry of `FORMATS`: the name that a contract gives under `format.kind`, and the function that makes
grids of a file's unpacked bytes. Everything else about a format stands in its own module.
"""

from __future__ import annotations

from collections.abc import Callable

from pipelines.errors import UnreadableFileError
from pipelines.formats.delimited import read_delimited
from pipelines.formats.grid import Grid, refuse_huge_cells, transposed
from pipelines.formats.json_lines import read_json_lines
from pipelines.formats.packing import MAX_BYTES, too_large, unpack
from pipelines.formats.parquet import read_parquet
from pipelines.formats.workbook import read_workbook
from pipelines.jurisdiction.contract import Format

ReadFormat = Callable[[bytes, Format, str], list[Grid]]

FORMATS: dict[str, ReadFormat] = {
    "csv": read_delimited,
    "tsv": read_delimited,
    "jsonl": read_json_lines,
    "parquet": read_parquet,
    "xlsx": read_workbook,
    "xls": read_workbook,
    "ods": read_workbook,
}


def read_grids(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The sheets of a file that the contract names, as text.

    Raises UnreadableFileError saying what stands in the way: no bytes, wrong format, wrong encoding, no such
    sheet, or a size that no honest file has.
    """
    if not data:
        raise UnreadableFileError("the file is empty (0 bytes)", where=where, do="ask the department to send it again")
    if len(data) > MAX_BYTES:
        raise too_large(len(data), where)
    data = unpack(data, rule, where)
    grids = FORMATS[rule.kind](data, rule, where)
    for grid in grids:
        refuse_huge_cells(grid, where)
    return [transposed(grid, where) for grid in grids] if rule.transpose else grids
