"""The tables inside one file: which of them a contract reads, and what a person is told of each.

A table is a sheet of a workbook, a table of a page, a data set of a message. How it is read is its format's module's
work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import Grid
from pipelines.jurisdiction.contract import Format, SheetRule

ReadFormat = Callable[[bytes, Format, str], list[Grid]]


@dataclass(frozen=True)
class Table:
    """One table inside a file, and its size. `problem` says why it cannot be read, where it cannot."""

    name: str
    rows: int = 0
    columns: int = 0
    is_visible: bool = True
    problem: str = ""


DescribeFormat = Callable[[bytes, Format, str], list[Table]]


def chosen_tables(names: Sequence[str], rule: Format, where: str, noun: str) -> list[int]:
    """The positions, from 0, of the tables that `format.sheet` names: by position, by name, or by the name's form.

    Raises UnreadableFileError where there is none, or where several bear the one name.
    """
    wanted = rule.sheet
    listed = ", ".join(name or f"{position} (without a name)" for position, name in enumerate(names, start=1))[:300]
    if isinstance(wanted, int):
        if not 1 <= wanted <= len(names):
            raise UnreadableFileError(
                f"the file has {len(names)} {noun}{'' if len(names) == 1 else 's'}, not {wanted}",
                where=where,
                do="correct `format.sheet`",
            )
        return [wanted - 1]
    if isinstance(wanted, str):
        found = [position for position, name in enumerate(names) if name == wanted]
        if len(found) != 1:
            has = (
                f"{len(found)} {noun}s called {wanted!r}" if found else f"no {noun} called {wanted!r}; it has {listed}"
            )
            raise UnreadableFileError(f"the file has {has}", where=where, do="correct `format.sheet`")
        return found
    found = [position for position, name in enumerate(names) if wanted.fits(name)]
    if not found:
        raise UnreadableFileError(
            f"no {noun} is called like {wanted.pattern!r}; there are {listed}", where=where, do="correct `format.sheet`"
        )
    return found if wanted.all else found[:1]


def described_by_reading(read: ReadFormat, names: Callable[[bytes, str], list[tuple[str, bool]]]) -> DescribeFormat:
    """How a format is described whose tables are opened one by one, each by its name; people see it or not."""

    def describe(data: bytes, rule: Format, where: str) -> list[Table]:
        found = []
        for name, is_visible in names(data, where):
            try:
                (grid,) = read(data, rule.model_copy(update={"sheet": name}), where)
                found.append(Table(name, grid.cells.height, len(grid.columns), is_visible))
            except UnreadableFileError as error:
                found.append(Table(name, is_visible=is_visible, problem=error.message))
        return found

    return describe


def described_whole(read: ReadFormat) -> DescribeFormat:
    """How a format is described that is read in one go, all its tables together."""

    def describe(data: bytes, rule: Format, where: str) -> list[Table]:
        grids = read(data, rule.model_copy(update={"sheet": SheetRule(pattern="", all=True)}), where)
        return [Table(grid.sheet, grid.cells.height, len(grid.columns)) for grid in grids]

    return describe
