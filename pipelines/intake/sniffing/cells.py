"""One sheet as it is looked at: its cells as they are written, in comparison form, and as figures.

What the cells mean is concluded elsewhere. As a figure a cell has the form in which the reader compares signs and reads
numbers: full-width forms are folded, and no raised or circled digit is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from pipelines.formats import Grid
from pipelines.intake.numbers import sign_form
from pipelines.intake.sniffing.words import (
    CONTINENTAL,
    CONTINENTAL_IN_BRACKETS,
    MARKED,
    NUMBER,
    TOKENS,
    TRAILING_MINUS,
    YEAR_CELL,
)
from pipelines.jurisdiction.text import normalise

SAMPLE_ROWS = 5_000
_FORMS = (NUMBER, CONTINENTAL, CONTINENTAL_IN_BRACKETS, TRAILING_MINUS)


def is_number(figure: str) -> bool:
    """True for a number, with or without thousands marks, brackets or a percent sign, whatever its decimal mark."""
    return bool(figure) and any(form.match(figure) for form in _FORMS)


@dataclass(frozen=True)
class Cells:
    """The first rows of a sheet; `raw`, `texts` and `figures` have the same shape, rows from 0."""

    grid: Grid
    raw: list[tuple[str | None, ...]]

    @classmethod
    def of(cls, grid: Grid) -> Cells:
        """The first rows of a grid."""
        return cls(grid, grid.cells.head(SAMPLE_ROWS).select(grid.columns).rows())

    @cached_property
    def texts(self) -> list[list[str]]:
        """In comparison form."""
        return [[normalise(value) for value in row] for row in self.raw]

    @cached_property
    def figures(self) -> list[list[str]]:
        """As figures are read."""
        return [[sign_form(value or "") for value in row] for row in self.raw]

    @property
    def width(self) -> int:
        """Columns."""
        return len(self.grid.columns)

    @property
    def is_whole(self) -> bool:
        """True when these are all rows of the sheet."""
        return len(self.raw) == self.grid.cells.height

    def shown(self, row: int, column: int) -> str:
        """A cell as a person reads it: its blanks are single ones."""
        return " ".join((self.raw[row][column] or "").split())

    def is_figure(self, row: int, column: int) -> bool:
        """A number, a marked number, or a sign that stands where a number would."""
        figure = self.figures[row][column]
        return bool(figure) and (is_number(figure) or figure in TOKENS or bool(MARKED.match(figure)))

    def has_figures(self, row: int) -> bool:
        """True for a row with a number and something beside it."""
        figures = [figure for figure in self.figures[row] if figure]
        return len(figures) >= 2 and any(is_number(figure) for figure in figures)

    def is_header_like(self, row: int) -> bool:
        """A row of names, or of years: no figure stands in it."""
        filled = [(text, figure) for text, figure in zip(self.texts[row], self.figures[row], strict=True) if text]
        return bool(filled) and all(YEAR_CELL.match(text) or not is_number(figure) for text, figure in filled)

    def filled(self, row: int) -> int:
        """How many cells of a row are not empty."""
        return sum(1 for text in self.texts[row] if text)


def words_of(header: str) -> str:
    """A header as words: blanks between the parts of `camelCase` and around slashes."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header).replace("/", " / ")
