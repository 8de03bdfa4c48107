"""Text in columns, parted by commas, tabs or another sign, to a grid. Nothing of it is interpreted.

A line is a row. Only a cell in quotes may go on over several lines, and only where that is certain: quotes that do not
close, or that would swallow lines which are rows by themselves, spoil their own line and no other.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import (
    MAX_CELL,
    MAX_CELLS,
    MAX_COLUMNS,
    ROW,
    Grid,
    cell_schema,
    faults,
    full_sheet,
    refuse_size,
)
from pipelines.formats.text import cut_off_finding, decode
from pipelines.jurisdiction.contract import Format

_ROWS_AT_ONCE = 100_000
_MAX_LINE = 20_000_000
_UNCLOSED = "the quotes in the line do not close where a cell ends: which cell belongs where is not certain"
_SWALLOWS = "the quotes in the line close only behind lines that are rows by themselves: they are read line by line"
_CUT = "the last line of the file has no end: what stands in it may have been cut off"


def read_delimited(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The one grid of a text in columns."""
    text = decode(data, rule.encoding, where).removesuffix("\x1a")  # the end mark of old systems
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    delimiter = "\t" if rule.kind == "tsv" else rule.delimiter
    count = text.count("\n")
    # Each line takes memory, however empty: no honest table has more of them than cells.
    if count > MAX_CELLS // 2:
        raise UnreadableFileError(
            f"the text has {count:,} lines",
            where=where,
            do=f"ask for parts of at most {MAX_CELLS // 2:,} lines",
        )
    has_end = text[-1:] in ("\n", "")
    lines = text.split("\n")
    if has_end:
        lines.pop()
    del text
    table = _Table(lines, delimiter, where)
    cells = table.cells()
    broken = table.broken
    findings = full_sheet(len(lines), 0, rule.kind)
    if not has_end and not rule.open_end:
        last = table.numbers[-1]
        broken = [*broken, (last, None, "cut_off", _CUT)]
        findings.append(cut_off_finding(len(lines)))
    return [Grid("", cells, faults=faults(broken), findings=tuple(findings), widths=table.widths)]


class _Table:
    """Lines that become rows: their cells, and of each row the number of its first line and how many cells it has."""

    def __init__(self, lines: list[str], delimiter: str, where: str) -> None:
        self.lines, self.delimiter, self.where = lines, delimiter, where
        self.numbers: list[int] = []
        self.broken: list[tuple[int | None, str | None, str, str]] = []
        self._widths: list[int] = []
        sign = re.escape(delimiter)
        self._closed = re.compile(rf'(^|{sign})"(?:[^"]|"")*"(?={sign}|$)')

    @property
    def widths(self) -> pl.Series:
        """How many cells each row was written with."""
        return pl.Series(self._widths, dtype=pl.Int32)

    def cells(self) -> pl.DataFrame:
        """All rows as a table as wide as the longest. Raises UnreadableFileError for one that no honest file has."""
        frames: list[pl.DataFrame] = []
        widest = 0
        csv.field_size_limit(MAX_CELL)
        for rows in self._rows():
            self._widths += [len(row) if row != [""] else 0 for row in rows]
            widest = max(widest, max(map(len, rows)))
            refuse_size(len(self._widths), widest, self.where)
            frames.append(_frame(rows))
        if not widest:
            raise UnreadableFileError(
                "the file has no cells", where=self.where, do="ask the department to send it again"
            )
        cells = pl.concat(frames, how="diagonal") if len(frames) > 1 else frames[0]
        return cells.insert_column(0, pl.Series(ROW, self.numbers, dtype=pl.Int64))

    def _rows(self) -> Iterator[list[list[str]]]:
        """The rows, many at a time."""
        index = 0
        while index < len(self.lines):
            part = self.lines[index : index + _ROWS_AT_ONCE]
            for offset, line in enumerate(part) if max(map(len, part)) > MAX_COLUMNS else ():
                self._refuse_width(line, index + offset)
            rows, taken = self._plain_rows(part) or [], len(part)
            if rows:
                self.numbers += range(index + 1, index + taken + 1)
            else:
                rows, taken = self._with_quotes(index)
            longest = max(map(len, rows))
            if longest > MAX_COLUMNS:
                at = next(i for i, row in enumerate(rows) if len(row) == longest)
                self._refuse(f"a row has {longest:,} columns", self.numbers[at - len(rows)] - 1)
            yield rows
            index += taken

    def _plain_rows(self, lines: list[str]) -> list[list[str]] | None:
        """The rows of lines whose quotes, if any, all close within their line; None where that is not so."""
        if not any('"' in line for line in lines):
            return [line.split(self.delimiter) for line in lines]
        try:
            rows = list(csv.reader(lines, delimiter=self.delimiter, strict=True))
        except csv.Error:
            return None
        return [row or [""] for row in rows] if len(rows) == len(lines) else None

    def _with_quotes(self, index: int) -> tuple[list[list[str]], int]:
        """Rows of lines with quotes, from a line on, and of how many lines they are."""
        rows: list[list[str]] = []
        start = index
        while index < len(self.lines) and len(rows) < _ROWS_AT_ONCE:
            line = self.lines[index]
            row, taken = self._quoted(index) if '"' in line else (line.split(self.delimiter), 1)
            self.numbers.append(index + 1)
            rows.append(row)
            index += taken
        return rows, index - start

    def _quoted(self, index: int) -> tuple[list[str], int]:
        """The row that begins with a line which has quotes, and of how many lines it is."""
        reader = csv.reader(self._from(index), delimiter=self.delimiter, strict=True)
        try:
            row = next(reader)
        except csv.Error:
            row, taken, problem = [], 0, _UNCLOSED
        else:
            taken = reader.line_num
            problem = _SWALLOWS if taken > 1 and self._swallows(index, taken, len(row)) else ""
        if not problem:
            return row, taken
        self.broken.append((index + 1, None, "open_quote", problem))
        return self.lines[index].split(self.delimiter), 1

    def _from(self, index: int) -> Iterator[str]:
        for number in range(index, len(self.lines)):
            yield self.lines[number] + "\n"

    def _swallows(self, index: int, taken: int, width: int) -> bool:
        """True when lines within a quoted cell are as wide as rows: then two quotes met that do not belong together.

        A cell that goes on over several lines leaves its first line short, or its last; where both are whole rows, or
        a line within the cell is one, it is none.
        """
        lines = self.lines[index : index + taken]
        first, *later = map(self._width, lines)
        within = [self._width(line) for line in lines[1:-1] if '"' not in line.replace('""', "")]
        whole = max(2, min(width, self._usual_width) if width > 1 else self._usual_width)
        return (first >= whole and max(later) >= whole) or max(within, default=0) >= whole

    def _width(self, line: str) -> int:
        """How many cells a line has by itself: by its delimiters outside quotes that open and close in it."""
        return self._closed.sub(r"\1", line).count(self.delimiter) + 1

    @cached_property
    def _usual_width(self) -> int:
        """How many cells most lines have that have several."""
        counts = Counter(map(self._width, self.lines))
        counts.pop(1, None)
        return max(counts, key=lambda width: (counts[width], width), default=1)

    def _refuse_width(self, line: str, index: int) -> None:
        """A line with more delimiters than cells and quotes can explain is never taken apart."""
        if len(line) <= MAX_COLUMNS:
            return
        count = line.count(self.delimiter)
        if count > MAX_COLUMNS + MAX_CELL:
            self._refuse(f"a row has {count + 1:,} columns", index)
        if len(line) > _MAX_LINE:
            self._refuse(f"a line of {len(line):,} characters", index)

    def _refuse(self, problem: str, index: int) -> None:
        raise UnreadableFileError(
            problem, where=f"{self.where}, line {index + 1}", do="check the delimiter and the file"
        )


def _frame(rows: list[list[str]]) -> pl.DataFrame:
    """Rows as columns, as wide as the longest of them; cells without text and those that a row lacks are null."""
    width = max(map(len, rows))
    for row in rows:
        if len(row) < width:
            row += [""] * (width - len(row))
    data = {f"c{i}": [row[i] or None for row in rows] for i in range(width)}
    return pl.DataFrame(data, schema=cell_schema(width, row=False))
