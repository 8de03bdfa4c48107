"""Where things stand in a table: the header, the data, the notes, and what each column is.

It finds and names; it takes no number and resolves no region. How a sheet is cut into tables is `blocks`'s work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats import ROW, Grid
from pipelines.intake.dimensions import in_form
from pipelines.intake.doubts import Doubts, find_doubts, without_notes
from pipelines.intake.header import canonical, find_header, join_header
from pipelines.intake.periods import is_only_a_part
from pipelines.intake.statuses import with_statuses
from pipelines.jurisdiction.contract import (
    ALLOWED,
    DIMENSION_DEFAULTS,
    DIMENSIONS,
    FORMS,
    PARTS_OF_A_YEAR,
    Layout,
    UnitFrom,
    ValueColumn,
)
from pipelines.jurisdiction.text import comparison_form, normalise


@dataclass(frozen=True)
class MatchedValue:
    """A column of the grid that holds numbers, with its dimensions filled in."""

    cell: str  # column of the grid
    address: str  # what a person calls it: letter and header
    header: str
    rule: ValueColumn
    dimensions: dict[str, str]  # measure and dimensions that the column itself fixes
    unit: str  # as the contract or the file calls it; empty where each row says its own
    unit_cell: str | None  # column of the grid that says the unit of each row
    period: str | None  # text of the period when the header carries it
    part: int | None  # which half, quarter or month of the year that the period names


@dataclass(frozen=True)
class Plan:
    """A grid understood: which row is what, which column is what."""

    header_rows: tuple[int, int]  # first and last source row of the header
    columns: dict[str, str]  # normalised header -> grid column
    places: dict[str, str]  # the same, and columns by their letter in brackets: [D]
    values: list[MatchedValue]
    unknown_columns: list[str]
    data: pl.DataFrame  # data rows, cells only, with ROW
    ignored: pl.DataFrame  # ROW, reason, reported_text
    captured: dict[str, str]  # named groups of the contract's captures
    filled: pl.DataFrame  # ROW, and each column that holds for the rows below, filled down: as high as `data`
    sources: pl.DataFrame  # ROW, and for each of these columns the row number of the cell that holds
    cells: pl.DataFrame  # all rows as they are read, notes taken off below the header
    doubts: Doubts  # rows and cells that cannot be read for certain

    def cell(self, header: str) -> str:
        """The grid column under a contract's header text."""
        return self.places[normalise(header)]

    def texts(self, header: str, fill: str = "none", pattern: str | None = None) -> pl.Series:
        """The cells of the data rows under a header, or the part of them that is the first group of a pattern.

        Where `fill` says so, a cell also holds for the empty ones below.
        """
        texts = (self.filled if fill == "down" else self.data)[self.cell(header)]
        if pattern is None:
            return texts
        parts = {text: match.group(1) for text in texts.unique() if (match := re.search(pattern, normalise(text)))}
        return texts.replace_strict(parts, default=None, return_dtype=pl.String)


def letter(index: int) -> str:
    """The spreadsheet name of a column: 0 is A, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def understand(grid: Grid, texts: list[list[str]], layout: Layout, where: str, captured: dict[str, str]) -> Plan:
    """Match a table with a layout. `texts` are its first rows in comparison form, `captured` what was found outside it.

    `where` is the landing path of the file.

    Raises UnreadableFileError when the header or a required column is not there.
    """
    cells = grid.columns
    start = find_header(texts, layout, where)
    last = start + layout.header.rows - 1
    unit_rows = max((v.unit.row or 0 for v in layout.values if isinstance(v.unit, UnitFrom)), default=0)
    if last + unit_rows >= len(texts):
        raise UnreadableFileError("the file ends within its header", where=where, do="ask for the whole file")
    names = join_header(texts[start : last + 1], fill_right=layout.header.fill_right)
    names = canonical(names, layout.aliases)
    columns: dict[str, str] = {}
    twice: set[str] = set()
    for index, name in enumerate(names):
        if name:
            if name in columns:
                twice.add(name)
            columns.setdefault(name, cells[index])
    # A column without a header is called by its letter: [D].
    called = {f"[{letter(index)}]": cell for index, cell in enumerate(cells)}
    places = {**called, **columns}
    needed = _needed_columns(layout)
    missing = [n for n in needed if normalise(n) not in places]
    units_below = texts[last + 1 : last + 1 + unit_rows]
    values, unmatched = _match_values(names, cells, layout, captured, units_below, places, where)
    missing += unmatched
    if missing:
        raise UnreadableFileError(
            f"missing column(s): {', '.join(dict.fromkeys(missing))}",
            where=where,
            do=f"the header found has: {', '.join(n for n in names if n)[:300]}; "
            "mend the contract or ask for the file again",
        )
    by_header = [v.header for v in values if normalise(v.rule.column) not in called]
    doubtful = [n for n in (*needed, *by_header) if normalise(n) in twice]
    if doubtful:
        raise UnreadableFileError(
            f"the column {doubtful[0]!r} stands twice in the header",
            where=where,
            do="ask the department which one counts, and have the other renamed; "
            "until then the contract can name it by its letter, as in [D]",
        )
    taken = {normalise(n) for n in needed} | {v.header for v in values}
    unknown = [
        n
        for n in dict.fromkeys(names)
        if n and n not in taken and not any(re.search(p, n) for p in layout.ignore_columns)
    ]
    first_row, last_row = int(grid.cells[ROW][start]), int(grid.cells[ROW][last])
    last += unit_rows
    value_cells = [v.cell for v in values]
    grid = without_notes(grid, int(grid.cells[ROW][last]), value_cells, layout.marks)
    data, ignored = _split_rows(grid, layout, places, start, last)
    data = with_statuses(data, [(value.cell, value.rule) for value in values], layout, places)
    _refuse_other_header(grid, layout, names, ignored, where)
    doubts = find_doubts(grid, layout.format, (start, last), data, value_cells)
    doubts.refuse_header((first_row, int(grid.cells[ROW][last])), where)
    filled, sources = (
        frame.join(data.select(ROW), on=ROW, how="semi", maintain_order="left") if frame.width > 1 else frame
        for frame in _filled(grid, layout, places, last)
    )
    # A row in doubt says nothing of columns: what it has too much of stands in no column at all.
    sure = data.filter(~pl.col(ROW).is_in(list(doubts.rows))) if doubts.rows else data
    known = {places[normalise(n)] for n in needed} | {v.cell for v in values}
    unknown += [
        place
        for (place, cell), name in zip(called.items(), names, strict=True)
        if not name
        and cell not in known
        and not any(re.search(p, place) for p in layout.ignore_columns)
        and sure[cell].str.strip_chars().fill_null("").ne("").any()
    ]
    rows = (first_row, last_row)
    return Plan(rows, columns, places, values, unknown, data, ignored, captured, filled, sources, grid.cells, doubts)


def _refuse_other_header(grid: Grid, layout: Layout, names: list[str], ignored: pl.DataFrame, where: str) -> None:
    """Raises UnreadableFileError for a row that the contract ignores and that is a header of other columns.

    What stands below it would be read under the names of the first one.
    """
    wanted = {normalise(name) for name in layout.header.find}
    rules = {rule.reason for rule in layout.ignore_rows}
    rows = ignored.filter(pl.col("reason").is_in(list(rules)))[ROW].to_list()
    if not rows or not wanted or layout.header.rows > 1:
        return
    for row, *cells in grid.cells.filter(pl.col(ROW).is_in(rows)).select(ROW, *grid.columns).iter_rows():
        found = canonical([normalise(text) for text in cells], layout.aliases)
        if wanted <= set(found) and found[: len(names)] != names:
            raise UnreadableFileError(
                f"row {row} is a header too, and names other columns than the first one",
                where=where,
                do="if the file holds several tables below each other, `header: {repeats: true}` reads each by its own",
            )


def _needed_columns(layout: Layout) -> list[str]:
    needed = list(layout.key_columns)
    needed += [name for rule in layout.ignore_rows for name in (rule.column, rule.class_column) if name]
    needed += [status.column for value in layout.values if (status := layout.status_of(value))]
    return list(dict.fromkeys(needed))


def _match_values(
    names: list[str],
    cells: list[str],
    layout: Layout,
    captured: dict[str, str],
    units_below: list[list[str]],
    places: dict[str, str],
    where: str,
) -> tuple[list[MatchedValue], list[str]]:
    """The value columns in the order of the grid, and the required ones that nothing matched."""
    matched: list[MatchedValue] = []
    used: set[int] = set()
    missing: list[str] = []
    from_rows = {row.dimension for row in layout.rows}
    for rule in layout.values:
        found = False
        for index, name in enumerate(names):
            if index in used or (not name and rule.column is None):
                continue
            groups = dict(captured)
            if rule.column is not None:
                if normalise(rule.column) not in (name, f"[{letter(index)}]"):
                    continue
            else:
                match = re.search(rule.columns or "", name)
                if not match:
                    continue
                if layout.period.from_ == "header" and is_only_a_part(match, "period"):
                    raise UnreadableFileError(
                        f"the period {match['period']!r} is only a part of what the header {name!r} says",
                        where=where,
                        do="let the pattern in `columns` take all of it",
                    )
                groups.update({k: v or "" for k, v in match.groupdict().items()})
            found = True
            used.add(index)
            dimensions = {}
            for dimension in ("measure", *DIMENSIONS):
                stated = getattr(rule, dimension) or layout.defaults.get(dimension)
                if stated is None:
                    if dimension in from_rows or dimension == "measure":
                        continue
                    stated = DIMENSION_DEFAULTS[dimension]
                dimensions[dimension] = _fill(stated, groups, rule, name, dimension, where)
            address = f"{letter(index)} {name}".rstrip()
            unit, unit_cell = _unit(rule, index, groups, name, units_below, places, where)
            period = groups.get("period") if layout.period.from_ == "header" else None
            part = _part(rule, groups, name, where)
            matched.append(MatchedValue(cells[index], address, name, rule, dimensions, unit, unit_cell, period, part))
            if rule.column is not None:
                break
        if not found and rule.required:
            missing.append(rule.column or f"columns like {rule.columns}")
    order = {cell: index for index, cell in enumerate(cells)}
    return sorted(matched, key=lambda m: order[m.cell]), missing


def _unit(
    rule: ValueColumn,
    index: int,
    groups: dict[str, str],
    header: str,
    units_below: list[list[str]],
    places: dict[str, str],
    where: str,
) -> tuple[str, str | None]:
    """The unit of a column, or the column of the grid that says it of each row."""
    if isinstance(rule.unit, str):
        return _fill(rule.unit, groups, rule, header, "unit", where), None
    if rule.unit.column is not None:
        return "", places.get(normalise(rule.unit.column))  # one that is not there is missed with the other columns
    assert rule.unit.row is not None
    return units_below[rule.unit.row - 1][index], None


def _part(rule: ValueColumn, groups: dict[str, str], header: str, where: str) -> int | None:
    if rule.part is None:
        return None
    text = _fill(str(rule.part), groups, rule, header, "part", where)
    most = PARTS_OF_A_YEAR[rule.period_kind or ""]
    if not (re.fullmatch("[0-9]{1,2}", text) and 1 <= int(text) <= most):
        raise UnreadableFileError(
            f"{text!r} in the header {header!r} is no number of a {rule.period_kind} (1 to {most})",
            where=where,
            do="translate it by `maps` in the contract",
        )
    return int(text)


def _fill(template: str, groups: dict[str, str], rule: ValueColumn, header: str, dimension: str, where: str) -> str:
    """A template such as `{age}` with the header's groups, each translated by its map."""
    as_written = False

    def one(match: re.Match[str]) -> str:
        nonlocal as_written
        name = match.group(1)
        if name not in groups:
            raise UnreadableFileError(
                f"the header {header!r} gives no {name!r} for {dimension}",
                where=where,
                do="mend `columns` in the contract",
            )
        text = groups[name]
        translations = rule.maps.get(name)
        if translations is None:
            as_written = True
            return text
        table = {normalise(k): v for k, v in translations.items()}
        if text not in table:
            raise UnreadableFileError(
                f"{text!r} in the header {header!r} is not in the contract's map {name!r}",
                where=where,
                do="add it to `maps` in the contract",
            )
        return table[text]

    value = re.sub(r"\{(\w+)\}", one, template)
    allowed = ALLOWED.get(dimension)
    if allowed and value not in allowed:
        raise UnreadableFileError(
            f"{value!r} is no {dimension}",
            where=where,
            do=f"use one of {', '.join(sorted(allowed))} in the contract",
        )
    if as_written and dimension in FORMS:
        code, why = in_form(value, rule.forms.get(dimension, FORMS[dimension]))
        if code is None:
            raise UnreadableFileError(
                f"{value!r} in the header {header!r} is no {dimension}: {why}",
                where=where,
                do="translate it by `maps` in the contract, or ask for the file again",
            )
        return code
    return value


def _filled(grid: Grid, layout: Layout, columns: dict[str, str], last: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The columns whose cells hold for the rows below, filled down below the header; and the rows they stand in.

    Rows that are no data fill too: what stands below a total belongs to the total and not to the row above it.
    """
    names = [row.column for row in layout.rows if row.fill == "down"]
    region, period = layout.region, layout.period
    if region.fill == "down":
        names += [c for c in (region.code, *region.names) if c and "{" not in c]
    if period.fill == "down":
        names += period.columns
    cells = list(dict.fromkeys(columns[normalise(name)] for name in names))
    below = grid.cells.slice(last + 1)
    if not cells:
        return below.select(ROW), below.select(ROW)

    def filled(what: str | None) -> pl.DataFrame:
        return below.select(
            ROW,
            *(
                pl.when(pl.col(c).str.strip_chars() != "").then(pl.col(what or c)).forward_fill().alias(c)
                for c in cells
            ),
        )

    return filled(None), filled(ROW)


def _split_rows(
    grid: Grid, layout: Layout, columns: dict[str, str], start: int, last: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Data rows, and the ignored rows with the reason for each."""
    cells = grid.columns
    filled = (pl.when(pl.col(c).str.strip_chars() != "").then(pl.col(c)) for c in cells)
    first = grid.cells.select(pl.coalesce(*filled, pl.lit(""))).to_series()
    frame = grid.cells.with_row_index("position").with_columns(comparison_form(first).alias("first"))
    reason = (
        pl.when(pl.col("position") < start)
        .then(pl.lit("preamble"))
        .when(pl.col("position") <= last)
        .then(pl.lit("header"))
    )
    ends = (
        [
            position
            for position, first in frame.filter(pl.col("position") > last).select("position", "first").iter_rows()
            if any(re.search(p, first) for p in layout.data.end_at)
        ]
        if layout.data.end_at
        else []
    )
    if ends:
        reason = reason.when(pl.col("position") >= ends[0]).then(pl.lit("footnote"))
    reason = reason.when(pl.col("first") == "").then(pl.lit("blank"))
    for rule in layout.ignore_rows:
        cell = columns[normalise(rule.column)]
        # Python's regular expressions, as everywhere in a contract; each text is looked at once.
        hits = [t for t in grid.cells[cell].unique() if re.search(rule.pattern, normalise(t))]
        is_hit = pl.col(cell).is_in([t for t in hits if t is not None])
        if None in hits:
            is_hit = is_hit | pl.col(cell).is_null()
        reason = reason.when(is_hit.fill_null(False)).then(pl.lit(rule.reason))
    frame = frame.with_columns(reason.otherwise(None).alias("reason"))
    ignored = frame.filter(pl.col("reason").is_not_null()).select(
        ROW,
        "reason",
        pl.concat_str([pl.col(c).str.strip_chars() for c in cells], separator=" | ", ignore_nulls=True)
        .str.slice(0, 300)
        .alias("reported_text"),
    )
    data = frame.filter(pl.col("reason").is_null()).select(ROW, *cells)
    return data, ignored
