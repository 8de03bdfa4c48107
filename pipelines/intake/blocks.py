"""A sheet as tables: the blocks below each other, and the texts outside of them that the contract captures.

Each block is understood by `layout`; here it is only cut out, and given what the lines above it say.
"""

from __future__ import annotations

import re
from contextlib import suppress

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats import ROW, Grid
from pipelines.intake.header import canonical, find_header, head_texts
from pipelines.intake.layout import Plan, letter, understand
from pipelines.intake.periods import is_only_a_part
from pipelines.jurisdiction.contract import Capture, Layout
from pipelines.jurisdiction.text import normalise

_Rows = list[list[str]]


def understood(sheet: Grid, layout: Layout, where: str) -> list[tuple[Grid, Plan]]:
    """The blocks of a sheet, each matched with the layout; `where` is the landing path of the file.

    Raises UnreadableFileError for a block without its header or a required column, or a capture that finds nothing.
    """
    parts = blocks(sheet, layout)
    heads = [head_texts(part) for part in parts]
    captured = _captured(heads, sheet, layout, where) if layout.captures else [{} for _ in parts]
    matched = zip(parts, heads, captured, strict=True)
    return [(part, understand(part, head, layout, where, texts)) for part, head, texts in matched]


def blocks(sheet: Grid, layout: Layout) -> list[Grid]:
    """A sheet cut before each header, where the contract says that the header repeats; else the sheet as it is.

    The title of a header (see `_title`) goes with it.
    """
    if not layout.header.repeats:
        return [sheet]
    texts = [[normalise(value) for value in row] for row in sheet.cells.select(sheet.columns).iter_rows()]
    wanted = {normalise(name) for name in layout.header.find}
    starts = [
        index
        for index, row in enumerate(canonical(row, layout.aliases) for row in texts)
        if wanted & set(row)
        and wanted <= {t for r in texts[index : index + layout.header.rows] for t in canonical(r, layout.aliases)}
    ]
    cuts = [0, *(start - len(_title(texts[:start])) for start in starts[1:])]
    ends = [*cuts[1:], sheet.cells.height]
    return [sheet.part(cut, end - cut, is_first=not cut) for cut, end in zip(cuts, ends, strict=True)]


def _title(above: _Rows) -> _Rows:
    """Of the rows above a header those that are its title: lines of one filled cell, and blank ones below them."""
    cut, titled = len(above), False
    while cut > 0 and (filled := sum(1 for text in above[cut - 1] if text)) < 2 and not (titled and not filled):
        titled = titled or bool(filled)
        cut -= 1
    return above[cut:] if titled else []


def _captured(heads: list[_Rows], sheet: Grid, layout: Layout, where: str) -> list[dict[str, str]]:
    """For each block the named groups that the contract finds outside the tables.

    Raises UnreadableFileError when a capture finds nothing: what it would have said is then unknown.
    """
    folders = where.split("/")
    texts = {
        "file_name": normalise(folders[-1]),
        "sheet": normalise(sheet.sheet),
        "folder": normalise(folders[-2]) if len(folders) > 1 else "",
    }
    above = [rows[: find_header(rows, layout, where)] for rows in heads]
    found: list[dict[str, str]] = [{} for _ in heads]
    for capture in layout.captures:
        if capture.from_ == "preamble":
            matches = _in_preambles(capture, above, where)
        else:
            text = _cell_at(sheet, capture.cell, where) if capture.cell else texts[capture.from_]
            matches = [_found(capture, text, where)] * len(heads)
        for own, match in zip(found, matches, strict=True):
            own.update({name: text or "" for name, text in match.groupdict().items()})
    return found


def _in_preambles(capture: Capture, above: list[_Rows], where: str) -> list[re.Match[str]]:
    """What the lines above each block say.

    What the title of some later block says is said block by block, and each must say it; what stands nowhere but above
    the first one holds for the whole sheet.
    """
    later = [_joined(rows) for rows in above[1:]]
    if not any(re.search(capture.pattern, text) for text in later):
        return [_found(capture, _joined(above[0]), where)] * len(above)
    return [_found(capture, text, where) for text in (_joined(_title(above[0])), *later)]


def _joined(rows: _Rows) -> str:
    return " ".join(cell for row in rows for cell in row if cell)


def _found(capture: Capture, text: str, where: str) -> re.Match[str]:
    place = f"cell {capture.cell}" if capture.cell else capture.from_.replace("_", " ")
    matches = list(re.finditer(capture.pattern, text))
    matches = [match for match in matches if match.group()] or matches  # `.*` also finds nothing, at the end
    if len({tuple(match.groups()) for match in matches}) > 1:
        shown = ", ".join(repr(match.group()) for match in matches[:4])
        raise UnreadableFileError(
            f"the {place} holds {capture.pattern!r} in several ways: {shown}",
            where=where,
            do="say in the pattern what stands before or behind the one that counts",
        )
    if matches and "period" in matches[0].groupdict() and is_only_a_part(matches[0], "period"):
        raise UnreadableFileError(
            f"the period {matches[0]['period']!r} in the {place} is a part of a longer number, date or span of years",
            where=where,
            do="let the pattern in `captures` take all of it",
        )
    if matches:
        return matches[0]
    has_blanks = None
    with suppress(re.error):  # a set of nothing but a blank
        has_blanks = re.search(capture.pattern.replace(" ", ""), text.replace(" ", ""))
    raise UnreadableFileError(
        f"the {place} holds nothing like {capture.pattern!r}",
        where=where,
        do="take the blanks out of the pattern: it sees texts without the blanks in their cells"
        if has_blanks
        else "look at the file; if it says it otherwise now, mend `captures` in the contract",
    )


def _cell_at(sheet: Grid, address: str, where: str) -> str:
    """The text of one cell by its address (B2), in comparison form; empty where the sheet does not reach.

    Raises UnreadableFileError for a cell that cannot be read for certain.
    """
    letters, number = address.rstrip("0123456789"), int(address.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    column = next((c for i, c in enumerate(sheet.columns) if letter(i) == letters), None)
    row = sheet.cells.filter(pl.col(ROW) == number)
    if column is None or not row.height:
        return ""
    for _, _, _, detail in sheet.faults.filter((pl.col(ROW) == number) & (pl.col("cell") == column)).iter_rows():
        raise UnreadableFileError(f"the cell {address}: {detail}", where=where, do="ask for the file again")
    return normalise(row[column][0])
