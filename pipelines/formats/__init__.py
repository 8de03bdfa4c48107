"""Bytes to grids: every cell as text, in its place. One module per format; `registry` says which reads what.

Nothing is interpreted here: numbers, headers and regions are `intake`'s work. What a file says of a cell beside its
text (that it is struck through, a percentage, a formula without a value) goes with the grid. What would fill memory is
refused before it is opened.
"""

from pipelines.formats.encodings import Detected
from pipelines.formats.encodings import detect as detect_encoding
from pipelines.formats.grid import ROW, Grid, raised, transposed, width_fault, with_decimal_mark
from pipelines.formats.packing import files_in_zip, unpack
from pipelines.formats.registry import FORMATS, FileFormat, describe, read_grids, recognise, sheet_list
from pipelines.formats.tables import Table
from pipelines.formats.text import cut_off_finding, decode

__all__ = [
    "FORMATS",
    "ROW",
    "Detected",
    "FileFormat",
    "Grid",
    "Table",
    "cut_off_finding",
    "decode",
    "describe",
    "detect_encoding",
    "files_in_zip",
    "raised",
    "read_grids",
    "recognise",
    "sheet_list",
    "transposed",
    "unpack",
    "width_fault",
    "with_decimal_mark",
]
