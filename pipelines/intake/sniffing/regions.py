"""Which columns of an unknown table name regions: those that the jurisdiction lists, else those that look like it.

Reading a region for certain is `names`' work; where the list does not help, what is found here is only a proposal.
"""

from __future__ import annotations

import re
import statistics

from pipelines.errors import UnreadableFileError
from pipelines.intake.sniffing.cells import Cells, is_number, words_of
from pipelines.intake.sniffing.look import Column, Grounds, Look
from pipelines.intake.sniffing.words import (
    ANSWER,
    CODE_FORMS,
    CODE_HEADER,
    DIGITS,
    DIMENSION_WORDS,
    REGION_HEADER,
    REGION_ITSELF,
    ROW_NUMBER,
    TOTAL,
    TOTAL_WORD,
    YEAR_CELL,
)

_HEAD = 12  # rows above the first figures that may hold a column's header
_BEFORE_NAMES = re.compile(r"^(?:其中:?|#|\*|-|・|·)+")


def find_regions(columns: list[Column], cells: Cells, grounds: Grounds, seen: Look) -> tuple[set[str], set[str]]:
    """Set `seen.name` and `seen.code`, and return the names and codes by which rows of regions are known.

    Raises UnreadableFileError when no column names regions.
    """
    names, codes = set(grounds.index.by_name), set(grounds.index.by_code)
    _by_list(columns, cells, names, codes, seen)
    if seen.name is None and seen.code is None:
        _by_looks(columns, cells, seen, must_be_named=bool(names))
        names, codes = (_regions_in(column, cells) for column in (seen.name, seen.code))
        seen.are_listed = False
    if seen.name is None and seen.code is None:
        raise UnreadableFileError(
            "no column holds names or codes of the jurisdiction's regions"
            if grounds.index.by_code
            else "no column looks as if it named regions",
            where=seen.file_name,
            do="a column must name the regions of reference/regions.csv by name or code; if the file is about one "
            "region that it does not name, write the contract by hand (docs/contract.md)",
        )
    return names, codes


def is_known(text: str, matching: set[str], seen: Look) -> bool:
    """True when a cell in comparison form names a region, given back the zeros that its code has lost."""
    return text in matching or (seen.code_length is not None and text.zfill(seen.code_length) in matching)


def without_mark(text: str) -> str:
    """A name without the marks that some offices set before it."""
    return _BEFORE_NAMES.sub("", text)


# -- by the jurisdiction's list -----------------------------------------------------------------------------------


def _by_list(columns: list[Column], cells: Cells, names: set[str], codes: set[str], seen: Look) -> None:
    """The column with most different names of the list, the one with most different codes."""
    widths = {len(code) for code in codes}
    longest = max(widths, default=0)
    digits = all(code.isdigit() for code in codes)
    for column in columns:
        distinct = {row[column.index] for row in cells.texts if row[column.index]}
        column.regions_by_name = len({without_mark(text) for text in distinct} & names)
        column.regions_by_code = len(distinct & codes)
        if digits and len(widths) == 1 and not column.regions_by_code:
            padded = {text.zfill(longest) for text in distinct if text.isdigit() and len(text) == longest - 1}
            if len(padded & codes) >= 2 and len(padded & codes) >= len(padded) / 2:
                column.regions_by_code = len(padded & codes)
                seen.code_length = longest
    by_name = max(columns, key=lambda c: c.regions_by_name, default=None)
    by_code = max(columns, key=lambda c: c.regions_by_code, default=None)
    if by_name is not None and _enough(by_name.regions_by_name, by_name, cells):
        seen.name = by_name
        seen.region_why["name"] = f"{by_name.regions_by_name} different names of regions.csv"
    if by_code is not None and _enough(by_code.regions_by_code, by_code, cells):
        seen.code = by_code
        seen.region_why["code"] = f"{by_code.regions_by_code} different codes of regions.csv"
    if seen.code is not None and seen.name is not None:
        agree = clash = 0
        for row in cells.texts:
            code, name = row[seen.code.index], row[seen.name.index]
            if code in codes and name:
                agree += name in names
                clash += name not in names
        if clash > agree:
            seen.name = None  # names that the list does not know: the code alone is safer
    if seen.code is None:
        seen.code_length = None


def _enough(matches: int, column: Column, cells: Cells) -> bool:
    """Two regions, or one in a table of one row: a lone name may stand in any column of a larger one."""
    return matches >= 2 or (matches == 1 and len({row[column.index] for row in cells.texts if row[column.index]}) <= 2)


# -- by looks -----------------------------------------------------------------------------------------------------


def _by_looks(columns: list[Column], cells: Cells, seen: Look, *, must_be_named: bool) -> None:
    """The column of codes and the column of names that look most like regions; none when nothing does.

    Where the jurisdiction lists regions and none of them is in the file, only a header that speaks of regions counts
    (`must_be_named`).
    """
    rows = _full_rows(cells)
    if not rows:
        return
    best_code = max(((_looks_like_codes(c, cells, rows), c) for c in columns), key=lambda item: item[0][0])
    (score, why), column = best_code
    if score >= (3 if must_be_named else 2) or (score >= 1 and _stands_beside_names(column, columns, cells, rows)):
        seen.code = column
        seen.region_why["code"] = why
    others = [c for c in columns if c is not seen.code]
    best_name = max(((_looks_like_names(c, cells, rows, seen.code), c) for c in others), key=lambda item: item[0][0])
    (score, why), column = best_name
    if score >= (3 if must_be_named and seen.code is None else 2):
        seen.name = column
        seen.region_why["name"] = why
    for column in (c for c in (seen.code, seen.name) if c is not None):
        count = len(_regions_in(column, cells))
        column.regions_by_code, column.regions_by_name = (count, 0) if column is seen.code else (0, count)


def _full_rows(cells: Cells) -> list[int]:
    """The rows with figures, but for those that are nearly empty: lines of text above a table hold numbers too."""
    rows = [row for row in range(len(cells.raw)) if cells.has_figures(row) and not cells.is_header_like(row)]
    usual = statistics.median(cells.filled(row) for row in rows) if rows else 0
    return [row for row in rows if cells.filled(row) >= usual / 2]


def _header_above(column: Column, cells: Cells, rows: list[int]) -> str:
    """The words of the last text above a column's first cell in a row with figures."""
    first = next((row for row in rows if cells.texts[row][column.index]), rows[0])
    shown = [cells.shown(row, column.index) for row in range(max(0, first - _HEAD), first)]
    return words_of(next((text for text in reversed(shown) if text), "")).replace("_", " ")


def _looks_like_codes(column: Column, cells: Cells, rows: list[int]) -> tuple[float, str]:
    texts = [text for row in rows if (text := cells.texts[row][column.index])]
    distinct = set(texts)
    if len(texts) < len(rows) * 0.6 or len(distinct) < 2 or all(YEAR_CELL.match(text) for text in distinct):
        return 0.0, ""
    header = _header_above(column, cells, rows)
    if ROW_NUMBER.match(header.strip()):
        return 0.0, ""
    for form, pattern, is_sure in CODE_FORMS:
        fitting = sum(1 for text in distinct if pattern.match(text))
        if fitting < max(2, len(distinct) * 2 / 3):
            continue
        speaks = bool(REGION_HEADER.search(header)) + bool(CODE_HEADER.search(header))
        speaks = max(speaks, 2 * bool(REGION_ITSELF.match(header)))
        if form == DIGITS and speaks < 2 and not CODE_HEADER.search(header):
            return 0.0, ""  # whole numbers under `Area (km2)` are its size
        score = (3.0 if is_sure else 0.0) + speaks * 1.5 + min(0.4, len(distinct) / 1000)
        said = f", under the header {header}" if speaks else ""
        return (score if is_sure or speaks else 0.0), f"{len(distinct)} different texts of {form}{said}"
    return 0.0, ""


def _stands_beside_names(code: Column, columns: list[Column], cells: Cells, rows: list[int]) -> bool:
    """True when another column, under a header that speaks of regions, holds as many names as this one codes."""
    others = (c for c in columns if c is not code)
    return any(
        REGION_HEADER.search(_header_above(c, cells, rows)) and _looks_like_names(c, cells, rows, code)[0] >= 4
        for c in others
    )


def _looks_like_names(column: Column, cells: Cells, rows: list[int], code: Column | None) -> tuple[float, str]:
    texts = [text for row in rows if (text := cells.texts[row][column.index])]
    distinct = {text for text in texts if not is_number(text) and not ANSWER.match(text) and not YEAR_CELL.match(text)}
    if len(texts) < len(rows) * 0.6 or len(distinct) < 2 or len(distinct) < len(set(texts)) * 0.8:
        return 0.0, ""
    if any(sum(1 for text in distinct if p.match(text)) > len(distinct) * 0.8 for _, p, _ in CODE_FORMS):
        return 0.0, ""
    header = _header_above(column, cells, rows)
    if any(words.search(header) for _, words in DIMENSION_WORDS):
        return 0.0, ""
    score = 3.0 if REGION_HEADER.search(header) else 0.0
    if code is not None:  # names of regions are as many as their codes
        codes = {cells.texts[row][code.index] for row in rows}
        score += 1.0 if 0.8 * len(codes) <= len(distinct) <= 1.2 * len(codes) else -2.0
    is_first = all(_holds_no_names(before, cells, rows) for before in range(column.index))
    score += 2.0 if is_first and code is None else 0.0
    said = f"under the header {header}" if header else "the first column of texts"
    return score + min(0.4, len(distinct) / 1000), f"{len(distinct)} different texts, {said}"


def _holds_no_names(index: int, cells: Cells, rows: list[int]) -> bool:
    """True for a column of numbers, or one that is mostly empty."""
    filled = [row for row in rows if cells.texts[row][index]]
    return len(filled) < len(rows) * 0.6 or all(is_number(cells.figures[row][index]) for row in filled)


def _regions_in(column: Column | None, cells: Cells) -> set[str]:
    """The texts of a column in rows with figures, totals left out."""
    if column is None:
        return set()
    texts = {cells.texts[row][column.index] for row in _full_rows(cells)}
    return {text for text in texts if text and not TOTAL.match(text) and not TOTAL_WORD.search(text)}
