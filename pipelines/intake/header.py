"""Which row of a table is its header, and what its columns are called there.

Names are in comparison form, as the contract calls them. What stands under them is `layout`'s work.
"""

from __future__ import annotations

from pipelines.errors import UnreadableFileError
from pipelines.formats import Grid
from pipelines.jurisdiction.contract import Layout
from pipelines.jurisdiction.text import normalise

HEADER_SEARCH_ROWS = 200


def head_texts(grid: Grid) -> list[list[str]]:
    """The rows in which a header is looked for, in comparison form."""
    head = grid.cells.head(HEADER_SEARCH_ROWS)
    return [[normalise(value) for value in row] for row in head.select(grid.columns).iter_rows()]


def find_header(texts: list[list[str]], layout: Layout, where: str) -> int:
    """The place of the header's first row in the rows of a table.

    Raises UnreadableFileError when no row is the header.
    """
    if layout.header.row is not None:
        if layout.header.row > len(texts):
            raise UnreadableFileError(
                f"the file has no row {layout.header.row}", where=where, do="mend `header.row` in the contract"
            )
        return layout.header.row - 1
    texts = [canonical(row, layout.aliases) for row in texts]
    wanted = [normalise(name) for name in layout.header.find]
    for index in range(len(texts)):
        rows = texts[index : index + layout.header.rows]
        present = {cell for row in rows for cell in row if cell}
        if all(name in present for name in wanted) and any(name in texts[index] for name in wanted):
            return index
    raise UnreadableFileError(
        f"no row holds the header names {', '.join(layout.header.find)}",
        where=where,
        do="look at the file: if its header changed, mend `header.find` in the contract; else ask for it again",
    )


def canonical(names: list[str], aliases: dict[str, list[str]]) -> list[str]:
    """Headers as the contract calls them, where other years called them otherwise."""
    table = {normalise(other): normalise(name) for name, others in aliases.items() for other in others}
    return [table.get(name, name) for name in names]


def join_header(rows: list[list[str]], *, fill_right: bool) -> list[str]:
    """One name per column from one or several header rows; merged cells of upper rows hold for those to the right."""
    width = max(len(row) for row in rows)
    parts: list[list[str]] = [[] for _ in range(width)]
    for depth, row in enumerate(rows):
        carried = ""
        is_upper = depth < len(rows) - 1
        for index in range(width):
            text = row[index] if index < len(row) else ""
            if text:
                carried = text
            elif is_upper and fill_right and any(r[index] for r in rows[depth + 1 :] if index < len(r)):
                text = carried
            if text and (not parts[index] or parts[index][-1] != text):
                parts[index].append(text)
    return ["/".join(p) for p in parts]
