"""What all workbooks have in common: which sheets a contract means, what a sheet hides, what raised and struck text is.

Each kind of workbook is read by its own module (`xlsx`, `xls`, `open_document`), which says what it saw as `Looks`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import FULL_HEIGHTS, ROW, Grid, faults, full_sheet, no_places, notes, raised, refuse_size
from pipelines.formats.number_format import plain_text
from pipelines.jurisdiction.contract import Format

NOT_OPENED = "open it in a spreadsheet program; if it fails there too, ask for it again"

_ERRORS = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "GettingData": "#GETTING_DATA",
}
_POWER = re.compile(r"(?:^|[^0-9.,])10$")
_WHOLE = re.compile(r"[-+\u2212]?[0-9]+")
_LONG_NUMBER = r"^-?[0-9]{7,15}\.[0-9]{1,9}$"
_SIGNS = "-+.,%‰ \u2212\u2013"


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook: its name, whether people see it, and how to ask whether any cell holds anything."""

    name: str
    is_visible: bool
    has_data: Callable[[], bool]


@dataclass
class Looks:
    """What was seen of a sheet beside its values. Rows count from 1, columns are `c0, c1, ...` or count from 0."""

    texts: dict[tuple[int, str], str | None] = field(default_factory=dict)  # what cells show, where it is not the value
    dates: dict[tuple[int, str], str] = field(default_factory=dict)  # numbers that are shown as dates
    faults: list[tuple[int | None, str | None, str, str]] = field(default_factory=list)
    notes: list[tuple[int | None, str | None, str, str]] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    is_filtered: bool = False
    has_formulas: bool = False
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)  # first and last row, first and last column


@dataclass(frozen=True)
class Run:
    """A piece of a cell's text that looks alike."""

    text: str
    is_raised: bool = False
    is_lowered: bool = False
    is_struck: bool = False


def look_at_runs(runs: Sequence[Run], row: int, cell: str, looks: Looks) -> None:
    """What a text of several runs is: raised runs are a note, struck-through ones leave in doubt what counts.

    The text keeps raised digits as such (`1200¹`), so that nothing takes them for digits of the number.
    """
    if any(run.is_struck and run.text.strip() for run in runs):
        looks.faults.append((row, cell, "struck_through", "the cell or a part of it is struck through"))
        return
    base, note, shown, problem = "", "", "", ""
    for run in runs:
        if run.is_raised:
            note += run.text
            shown += raised(run.text)
            continue
        if run.is_lowered and base.rstrip()[-1:].isdigit() and run.text.strip():
            problem = f"{run.text.strip()!r} is written below the line"
        if note and base.strip() and any(c.isdigit() for c in run.text):
            problem = f"{note.strip()!r} is raised in the middle of it"
        base += run.text
        shown += run.text
    if note.strip() and not base.strip():
        problem = "all of it is raised"
    elif _POWER.search(base.strip()) and _WHOLE.fullmatch(note.strip()):
        problem = "10 with a raised number may be a power"
    elif note.strip() and not note.strip(_SIGNS):
        problem = f"the sign {note.strip()!r} is raised"
    if problem:
        looks.faults.append((row, cell, "not_as_shown", f"{problem}: what number it is cannot be certain"))
    elif note.strip():
        looks.texts[row, cell] = shown
        looks.notes.append((row, cell, base, note.strip()))


def chosen_sheets(sheets: Sequence[Sheet], rule: Format, where: str) -> list[str]:
    """The names of the sheets that a contract means.

    A position counts the sheets that people see, and a pattern looks among them; a name takes a hidden sheet too.
    """
    wanted = rule.sheet
    names = [sheet.name for sheet in sheets]
    seen = [sheet.name for sheet in sheets if sheet.is_visible] or names
    if isinstance(wanted, int):
        if not 1 <= wanted <= len(seen):
            hidden = " (hidden ones do not count)" if len(seen) < len(names) else ""
            raise UnreadableFileError(
                f"the workbook has {len(seen)} sheets, not {wanted}{hidden}",
                where=where,
                do="correct `format.sheet`",
            )
        return [seen[wanted - 1]]
    if isinstance(wanted, str):
        if wanted not in names:
            raise UnreadableFileError(
                f"the workbook has no sheet {wanted!r}; it has {', '.join(names)}",
                where=where,
                do="correct `format.sheet`",
            )
        return [wanted]
    chosen = [name for name in seen if wanted.fits(name)]
    if not chosen:
        hidden = f"; hidden: {', '.join(n for n in names if n not in seen)}" if len(seen) < len(names) else ""
        raise UnreadableFileError(
            f"no sheet is named like {wanted.pattern!r}; there are {', '.join(seen)}{hidden}",
            where=where,
            do="correct `format.sheet`",
        )
    return chosen if wanted.all else chosen[:1]


def sheet_findings(sheets: Sequence[Sheet], chosen: Sequence[str], rule: Format) -> list[dict[str, str]]:
    """Sheets with data that are hidden, or that stand beside one which was taken by its position alone."""
    found = []
    hidden = [f"{s.name!r}" + (", which is read" if s.name in chosen else "") for s in sheets if not s.is_visible]
    kept = [text for text, s in zip(hidden, (s for s in sheets if not s.is_visible), strict=True) if s.has_data()]
    if kept:
        found.append(warning("hidden_sheet", f"hidden sheets hold data: {', '.join(kept)}", "no hidden sheet"))
    if isinstance(rule.sheet, int):
        others = [s.name for s in sheets if s.is_visible and s.name not in chosen and s.has_data()]
        if others:
            expected = "one sheet with data, unless the contract names its sheet: `format: {sheet: ...}`"
            observed = f"{chosen[0]!r} is read by its position; not read: {', '.join(map(repr, others))}"
            found.append(warning("other_sheets", observed, expected))
    return found


def warning(check: str, observed: str, expected: str) -> dict[str, str]:
    """A finding that a person should look at."""
    return {"check": check, "severity": "warn", "observed": observed, "expected": expected}


def as_grid(
    name: str,
    cells: pl.DataFrame,
    kind: str,
    looks: Looks,
    findings: Iterable[dict[str, str]] = (),
    number_cells: Callable[[], pl.DataFrame] = no_places,
) -> Grid:
    """A sheet as a grid, with what was seen of it."""
    found = [*findings, *full_sheet(_filled_rows(cells), cells.width - 1, kind), *_hidden(name, cells, looks)]
    return Grid(
        name,
        cells,
        faults=faults(looks.faults),
        notes=notes(looks.notes),
        findings=tuple(found),
        merges=tuple(looks.merges),
        number_cells=number_cells,
    ).with_texts(looks.texts)


def _filled_rows(cells: pl.DataFrame) -> int:
    """The number of the last row that a sheet can have, when it has anything in it."""
    if cells.height not in FULL_HEIGHTS:
        return 0
    last = cells.tail(1).row(0)[1:] if cells.height else ()
    return cells.height if any(cell is not None for cell in last) else 0


def _hidden(name: str, cells: pl.DataFrame, looks: Looks) -> list[dict[str, str]]:
    """Hidden rows and columns of a sheet that hold data; they are read like the others."""
    found = []
    if looks.hidden_rows:
        is_filled = pl.any_horizontal(pl.exclude(ROW).is_not_null())
        rows = cells.filter(is_filled & pl.col(ROW).is_in(sorted(looks.hidden_rows)))[ROW].to_list()
        if rows:
            why = "a filter or somebody" if looks.is_filtered else "somebody"
            text = f"{name}: {len(rows):,} rows that {why} hid hold data and are read: {_ranges(rows)}"
            found.append(warning("hidden_rows", text, "no hidden row"))
    columns = [c for c in sorted(looks.hidden_columns) if f"c{c}" in cells.columns and cells[f"c{c}"].count()]
    if columns:
        letters = ", ".join(column_letters(c) for c in columns[:20]) + (", ..." if len(columns) > 20 else "")
        found.append(warning("hidden_columns", f"{name}: hidden columns hold data: {letters}", "no hidden column"))
    return found


def _ranges(rows: list[int]) -> str:
    """Row numbers as people write them: 5-9, 12."""
    runs = [list(run) for _, run in groupby(enumerate(rows), lambda pair: pair[1] - pair[0])]
    texts = [str(run[0][1]) + (f"-{run[-1][1]}" if len(run) > 1 else "") for run in runs]
    return ", ".join(texts[:20]) + (", ..." if len(texts) > 20 else "")


def column_letters(index: int) -> str:
    """The spreadsheet name of a column: 0 is A, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def arrow_cells(name: str, read: tuple[Any, list[int], list[Any]], where: str) -> pl.DataFrame:
    """A sheet as text: empty columns on the left counted, faults of formulas (#DIV/0!) as the text they show."""
    table, columns, errors = read
    frame = pl.DataFrame(pl.from_arrow(table)) if table.num_columns else pl.DataFrame()
    if not frame.width or not frame.height:
        raise empty_sheet(name, where)
    refuse_size(frame.height, columns[-1] + 1, where)
    frame = _without_noise(frame)
    by_column: dict[int, dict[int, str]] = {}
    for row, column, detail in errors:
        kind = re.search(r"Error\((\w+)\)", detail)
        by_column.setdefault(column, {})[row] = _ERRORS.get(kind.group(1) if kind else "", "#ERROR!")
    cells = {
        f"c{i}": pl.Series([None], dtype=pl.String).new_from_index(0, frame.height) for i in range(columns[-1] + 1)
    }
    for index, (place, old) in enumerate(zip(columns, frame.columns, strict=True)):
        series = frame[old]
        if index in by_column:
            shown = by_column[index]
            series = series.scatter(list(shown), list(shown.values()))
        cells[f"c{place}"] = series
    return pl.DataFrame({ROW: pl.Series(range(1, frame.height + 1), dtype=pl.Int64), **cells})


def _without_noise(frame: pl.DataFrame) -> pl.DataFrame:
    """Numbers of many digits as people wrote them: 8388608.585938, which a reader shows as 8388608.585937999.

    Nine decimals say more of a large number than a binary one holds; the shortest text for the same number is the
    one that was meant.
    """
    may_be = frame.select(pl.all().str.contains(_LONG_NUMBER).any()).row(0)
    for name, is_long in zip(frame.columns, may_be, strict=True):
        if is_long:
            texts = frame[name]
            noisy = texts.filter(texts.str.contains(_LONG_NUMBER)).unique()
            meant = {text: plain_text(Decimal(repr(float(text)))) for text in noisy if len(text) >= 17}
            frame = frame.with_columns(texts.replace(meant))
    return frame


def empty_sheet(name: str, where: str) -> UnreadableFileError:
    """The error for a sheet without a cell."""
    return UnreadableFileError(f"the sheet {name!r} is empty", where=where, do="check `format.sheet` or the file")
