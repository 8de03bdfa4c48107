"""Every sheet of an unknown file and what is on it, and the table that a contract is proposed for.

Nothing is taken from the file here and nothing is decided: what is concluded carries its reason, `proposal` writes it
down as a contract, a person corrects it, and only then does the reader read by it.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from pipelines.errors import UnreadableFileError
from pipelines.formats import Grid, read_grids, sheet_list, transposed
from pipelines.intake.personal_numbers import find_personal_number, mask_grid, mask_text, shape_of
from pipelines.intake.sniffing.cells import Cells
from pipelines.intake.sniffing.columns import describe
from pipelines.intake.sniffing.container import Part, parts_of
from pipelines.intake.sniffing.dimensions import find_labels
from pipelines.intake.sniffing.header import find_header, how_to_find
from pipelines.intake.sniffing.look import Column, Grounds, Look
from pipelines.intake.sniffing.regions import find_regions
from pipelines.intake.sniffing.rows import data_rows, find_marks_of_names
from pipelines.intake.sniffing.words import PERSON_HEADER, YEAR, YEAR_CELL
from pipelines.intake.sniffing.writing import plain_pattern
from pipelines.jurisdiction.contract import Format, SheetRule
from pipelines.jurisdiction.text import normalise

_HEAD = 15  # rows that may hold a header


@dataclass(frozen=True)
class Sheet:
    """One sheet of a file: its size, and the table on it if there is one."""

    name: str  # empty for files without sheets
    position: int  # from 1
    is_visible: bool
    rows: int
    columns: int
    has_table: bool
    header_row: int | None
    regions: list[str]  # what names its regions: column and header
    periods: list[str]  # years that its headers, a column, the lines above or its name hold
    figures: int  # columns of figures
    note: str  # why there is no table
    warnings: list[str]  # what the file says beside its cells: hidden rows, formulas without a value

    def as_dict(self) -> dict[str, Any]:
        """As printed by `--json`."""
        return {**asdict(self), "line": f"{self.name}: {self.line}" if self.name else self.line}

    @property
    def line(self) -> str:
        """The sheet in one line."""
        size = f"{'' if self.is_visible else 'hidden, '}{self.rows:,} rows x {self.columns:,} columns"
        if not self.has_table:
            return f"{size}: no table found ({self.note})"
        periods = f"years {', '.join(self.periods[:6])}" if self.periods else "no year named"
        more = " ..." if len(self.periods) > 6 else ""
        return (
            f"{size}: header in row {self.header_row}; regions in {' and '.join(self.regions)}; "
            f"{self.figures} column(s) of figures; {periods}{more}"
        )


@dataclass
class Survey:
    """A file looked at: its sheets, and what was seen in the one to propose a contract for."""

    sheets: list[Sheet]
    best: Look | None
    problem: UnreadableFileError | None = None

    def look(self) -> Look:
        """What was seen. Raises UnreadableFileError when there is no table with regions and numbers."""
        if self.best is None:
            assert self.problem is not None
            raise self.problem
        return self.best


def survey(data: bytes, file_name: str, grounds: Grounds, sheet: str | None = None) -> Survey:
    """Look at every sheet of a file; the table that is proposed is the largest, or that of the sheet named.

    Raises UnreadableFileError for bytes that cannot be opened at all.
    """
    found: list[Sheet] = []
    looks: list[tuple[Part, Look]] = []
    problems: list[UnreadableFileError] = []
    parts = [_without_person(part, grounds) for part in parts_of(data, file_name, grounds.index)]
    for position, part in enumerate(parts, start=1):
        grid: Grid | None = None
        try:
            if part.problem is not None:
                raise part.problem
            grid = _readable(data, part.rule, file_name, grounds)
            seen = _best_way_round(grid, part.rule, file_name, grounds)
        except UnreadableFileError as error:
            problems.append(error)
            found.append(_without_table(part, position, grid, error))
            continue
        seen.format_why.update(part.why)
        found.append(_described(seen, grid, part, position))
        if sheet is None or sheet == part.called:
            looks.append((part, seen))
    if sheet is not None and sheet not in {described.name for described in found}:
        names = ", ".join(described.name for described in found if described.name)
        raise UnreadableFileError(f"the file has no sheet {sheet!r}", where=file_name, do=f"name one of {names}")
    if not looks:
        return Survey(found, None, _no_table(file_name, problems))
    chosen, best = max(looks, key=lambda look: (look[0].is_visible, look[1].weight))
    if chosen.member:
        _read_alike_files(best, chosen, looks)
    elif best.sheet:
        _read_alike_sheets(best, data, grounds)
    return Survey(found, best)


def _without_person(part: Part, grounds: Grounds) -> Part:
    """A table whose name, or whose file's in a zip, says no number that names a person: it is found by its place."""
    kind = find_personal_number(part.called, grounds.personal)
    if kind is None:
        return part
    shown = replace(
        part, sheet=mask_text(part.sheet, grounds.personal), member=mask_text(part.member, grounds.personal)
    )
    if shown.member != part.member or not part.is_visible:
        return replace(shown, problem=UnreadableFileError(f"its name holds what looks like an {shape_of(kind)}"))
    return replace(shown, rule=part.rule.model_copy(update={"sheet": part.place}))


def _readable(data: bytes, rule: Format, file_name: str, grounds: Grounds) -> Grid:
    """The sheet that a format names, free of numbers that name a person."""
    return mask_grid(read_grids(data, rule, file_name)[0], grounds.personal).grid


def _no_table(file_name: str, problems: list[UnreadableFileError]) -> UnreadableFileError:
    first = problems[0] if problems else None
    return UnreadableFileError(
        f"no table with regions and numbers was seen: {first.message if first else 'the file holds nothing'}",
        where=file_name,
        do=(first.do if first and ("region" in first.do or "records" in first.do) else "")
        or "see what stands in the file; a table has a header, a column that names regions, and columns of figures",
    )


def _best_way_round(grid: Grid, rule: Format, file_name: str, grounds: Grounds) -> Look:
    """What stands where in a sheet, read upright, or turned where that shows more of the regions that are listed."""
    upright: Look | None = None
    problem: UnreadableFileError | None = None
    try:
        upright = _look_at(grid, rule, file_name, grounds)
    except UnreadableFileError as error:
        problem = error
    if upright is not None and (not upright.are_listed or (upright.name is not None and len(upright.values) > 1)):
        return upright  # a table that stands as usual is not turned
    try:
        turned = _look_at(transposed(grid, file_name), rule.model_copy(update={"transpose": True}), file_name, grounds)
    except UnreadableFileError as error:
        problem = problem or error
        turned = None
    if turned is not None and not turned.are_listed and not _has_years_below_each_other(grid):
        turned = None  # regions that only look so are believed across a sheet where years stand down it
    if turned is not None and (upright is None or turned.weight > upright.weight):
        turned.format_why["transpose"] = "the regions stand side by side, not one below the other"
        return turned
    if upright is None:
        assert problem is not None
        raise problem
    return upright


def _has_years_below_each_other(grid: Grid) -> bool:
    firsts = [normalise(text) for text in grid.cells[grid.columns[0]] if text and text.strip()]
    return sum(1 for text in firsts if YEAR_CELL.match(text)) >= max(2, 0.6 * len(firsts))


def _look_at(grid: Grid, rule: Format, file_name: str, grounds: Grounds) -> Look:
    """What stands where in one sheet. Raises UnreadableFileError when it has no table with regions and numbers."""
    cells = Cells.of(grid)
    _refuse_persons(cells, file_name, grounds)
    seen = Look(file_name, rule, sheet=grid.sheet)
    columns = [Column(index, "") for index in range(cells.width)]
    names, codes = find_regions(columns, cells, grounds, seen)
    matching = codes if seen.anchor is seen.code else names
    find_header(columns, cells, matching, seen)
    rows = data_rows(cells, matching, seen)
    seen.data_rows = len(rows) + grid.cells.height - len(cells.raw)
    describe(columns, rows, cells, grounds, seen)
    seen.columns = columns
    find_marks_of_names(rows, names, seen)
    find_labels(columns, rows, seen)
    how_to_find(cells, seen)
    if not seen.are_listed:
        shown = {row.texts[seen.key.index]: " ".join((row.raw[seen.anchor.index] or "").split()) for row in rows}
        seen.places = {key: text for key, text in shown.items() if key}
    if not seen.values:
        raise UnreadableFileError("no column of numbers was seen", where=file_name, do="see docs/contract.md")
    return seen


def _refuse_persons(cells: Cells, file_name: str, grounds: Grounds) -> None:
    """Raises UnreadableFileError for a table of persons: it is no table of figures, and nothing of it is shown."""
    heads = {cells.shown(row, column) for row in range(min(_HEAD, len(cells.raw))) for column in range(cells.width)}
    named = sorted(head for head in heads if PERSON_HEADER.match(head))
    shapes = {shape_of(kind.name) for kind in grounds.personal if kind.check != "mobile"}
    numbers = sum(1 for row in cells.raw if shapes & set(row))
    if len(named) < 2 and numbers < max(1, len(cells.raw) / 2):
        return
    shown = f" (columns {', '.join(named)})" if named else ""
    raise UnreadableFileError(
        f"the table seems to hold one line for each person{shown}",
        where=file_name,
        do="such a file needs a contract with `records`, written by hand: docs/person-level.md",
    )


def _without_table(part: Part, position: int, grid: Grid | None, error: UnreadableFileError) -> Sheet:
    height, width = (grid.cells.height, len(grid.columns)) if grid is not None else (0, 0)
    warnings = _warnings(grid)
    return Sheet(part.called, position, part.is_visible, height, width, False, None, [], [], 0, error.message, warnings)


def _warnings(grid: Grid | None) -> list[str]:
    """What a sheet says beside its cells; which sheets are hidden is said once, of the file."""
    findings = grid.findings if grid is not None else ()
    return [found["observed"] for found in findings if found["check"] != "hidden_sheet"]


def _described(seen: Look, grid: Grid, part: Part, position: int) -> Sheet:
    regions = [f"{c.address} ({c.title})" for c in (seen.code, seen.name) if c is not None]
    years = [text for c in seen.values for text in YEAR.findall(c.name)]
    if not years and seen.year_column is not None:
        index = seen.year_column.index
        years = [t for cell in grid.cells[grid.columns[index]] if cell for t in YEAR.findall(cell)]
    years = years or [text for line in (*seen.preamble, normalise(part.called)) for text in YEAR.findall(line)]
    return Sheet(
        part.called,
        position,
        part.is_visible,
        grid.cells.height,
        len(grid.columns),
        True,
        seen.header_row_number,
        regions,
        sorted(set(years)),
        len(seen.values),
        "",
        _warnings(grid),
    )


def _read_alike_files(seen: Look, chosen: Part, looks: list[tuple[Part, Look]]) -> None:
    """Files of a zip named after years that hold the same table are read together; of one alone the year is open."""
    path = normalise(chosen.member)
    if not YEAR.search(path):
        return
    form, names = YEAR.sub("<>", path), [c.name for c in seen.columns if c.kind != "empty"]
    alike = [
        part.member
        for part, look in looks
        if YEAR.sub("<>", normalise(part.member)) == form
        and part.sheet == chosen.sheet
        and [c.name for c in look.columns if c.kind != "empty"] == names
    ]
    if len(alike) > 1:
        pattern, why = form, f"{len(alike)} files hold the same table for different years: {', '.join(alike[:6])}"
    else:
        pattern, why = re.sub(r"[0-9]+", "<>", path), "the file with the largest table; its name holds a year"
    digits = "[0-9]{4}" if len(alike) > 1 else "[0-9]+"
    rule = SheetRule(pattern="^" + plain_pattern(pattern).replace("<>", digits) + "$", all=len(alike) > 1)
    seen.format = seen.format.model_copy(update={"member": rule})
    seen.format_why["member"] = why


def _read_alike_sheets(seen: Look, data: bytes, grounds: Grounds) -> None:
    """Sheets named after years that hold the same table are read together; of one alone the year is left open."""
    if not YEAR.search(normalise(seen.sheet)):
        return
    form = YEAR.sub("<>", normalise(seen.sheet))
    names = [c.name for c in seen.columns if c.kind != "empty"]
    alike = []
    for name, is_visible in [(s.name, s.is_visible) for s in sheet_list(data, seen.format, seen.file_name)]:
        if YEAR.sub("<>", normalise(name)) != form or not is_visible:
            continue
        rule = seen.format.model_copy(update={"sheet": name})
        try:
            other = _look_at(_readable(data, rule, seen.file_name, grounds), rule, seen.file_name, grounds)
        except UnreadableFileError:
            continue
        if [c.name for c in other.columns if c.kind != "empty"] == names:
            alike.append(name)
    if len(alike) > 1:
        pattern, digits = form, "[0-9]{4}"
        why = f"{len(alike)} sheets hold the same table for different years: {', '.join(alike[:6])}"
    else:
        pattern, digits = re.sub(r"[0-9]+", "<>", normalise(seen.sheet)), "[0-9]+"
        why = "the sheet with the largest table; its name holds a year, so it will change"
    pattern = "^" + re.escape(pattern).replace("<>", digits).replace(r"\-", "-") + "$"
    rule_of_sheets = SheetRule(pattern=pattern, all=len(alike) > 1)
    seen.format = seen.format.model_copy(update={"sheet": rule_of_sheets})
    seen.format_why["sheet"] = why
