"""Bytes to grids: every cell as text, in its place. One module per format; `registry` says which reads what.

Nothing is interpreted here: numbers, headers and regions are `intake`'s work. What would fill memory is refused before
it is opened.
"""

from pipelines.formats.grid import ROW, Grid, transposed
from pipelines.formats.packing import unpack
from pipelines.formats.registry import FORMATS, read_grids
from pipelines.formats.text import decode, detect_encoding
from pipelines.formats.workbook import sheet_names

__all__ = [
    "FORMATS",
    "ROW",
    "Grid",
    "decode",
    "detect_encoding",
    "read_grids",
    "sheet_names",
    "transposed",
    "unpack",
]
