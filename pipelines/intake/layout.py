"""Where things stand in a grid: the header, the data, the notes, and what each column is.

It finds and names; it takes no number and resolves no region.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats import ROW, Grid
from pipelines.jurisdiction.contract import ALLOWED, DIMENSION_DEFAULTS, DIMENSIONS, Layout, ValueColumn
from pipelines.jurisdiction.text import comparison_form, normalise

HEADER_SEARCH_ROWS = 200


@dataclass(frozen=True)
class MatchedValue:
    """A column of the grid that holds numbers, with its dimensions filled in."""

    cell: str  # column of the grid
    address: str  # what a person calls it: letter and header
    header: str
    rule: ValueColumn
    dimensions: dict[str, str]  # measure and dimensions that the column itself fixes
    unit: str
    period: str | None  # year text when the header carries the period


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


def understand(grid: Grid, layout: Layout, where: str) -> Plan:
    """Match a grid with a layout; `where` is the landing path of the file.

    Raises UnreadableFileError when the header or a required column is not there.
    """
    cells = grid.columns
    head = grid.cells.head(HEADER_SEARCH_ROWS)
    texts = [[normalise(value) for value in row] for row in head.select(cells).iter_rows()]
    start = _find_header(texts, layout, where)
    last = start + layout.header.rows - 1
    if last >= len(texts):
        raise UnreadableFileError("the file ends within its header", where=where, do="ask for the whole file")
    names = join_header(texts[start : last + 1], fill_right=layout.header.fill_right)
    names = _canonical(names, layout.aliases)
    captured = _captured(layout, texts[:start], grid, where)
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
    values, unmatched = _match_values(names, cells, layout, captured, where)
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
    data, ignored = _split_rows(grid, layout, places, start, last)
    filled = _filled(grid, layout, places, last).join(data.select(ROW), on=ROW, how="semi", maintain_order="left")
    known = {places[normalise(n)] for n in needed} | {v.cell for v in values}
    unknown += [
        place
        for (place, cell), name in zip(called.items(), names, strict=True)
        if not name
        and cell not in known
        and not any(re.search(p, place) for p in layout.ignore_columns)
        and data[cell].str.strip_chars().fill_null("").ne("").any()
    ]
    first_row = int(grid.cells[ROW][start])
    last_row = int(grid.cells[ROW][last])
    return Plan((first_row, last_row), columns, places, values, unknown, data, ignored, captured, filled)


def blocks(grid: Grid, layout: Layout) -> list[Grid]:
    """A sheet cut before each header, where the contract says that the header repeats; else the sheet as it is.

    Lines with one filled cell right above a header are its title and go with it.
    """
    if not layout.header.repeats:
        return [grid]
    texts = [[normalise(value) for value in row] for row in grid.cells.select(grid.columns).iter_rows()]
    wanted = {normalise(name) for name in layout.header.find}
    starts = [
        index
        for index, row in enumerate(_canonical(row, layout.aliases) for row in texts)
        if wanted & set(row)
        and wanted <= {t for r in texts[index : index + layout.header.rows] for t in _canonical(r, layout.aliases)}
    ]
    cuts = [0]
    for start in starts[1:]:
        cut, titled = start, False
        while cut > 0 and (filled := sum(1 for text in texts[cut - 1] if text)) < 2 and not (titled and not filled):
            titled = titled or bool(filled)
            cut -= 1
        cuts.append(cut if titled else start)
    ends = [*cuts[1:], grid.cells.height]
    return [Grid(grid.sheet, grid.cells.slice(cut, end - cut)) for cut, end in zip(cuts, ends, strict=True)]


def _canonical(names: list[str], aliases: dict[str, list[str]]) -> list[str]:
    """Headers as the contract calls them, where other years called them otherwise."""
    table = {normalise(other): normalise(name) for name, others in aliases.items() for other in others}
    return [table.get(name, name) for name in names]


def _captured(layout: Layout, preamble: list[list[str]], grid: Grid, where: str) -> dict[str, str]:
    """The named groups that the contract finds outside the table.

    Raises UnreadableFileError when a capture finds nothing: what it would have said is then unknown.
    """
    parts = where.split("/")
    texts = {
        "preamble": " ".join(cell for row in preamble for cell in row if cell),
        "file_name": normalise(parts[-1]),
        "sheet": normalise(grid.sheet),
        "folder": normalise(parts[-2]) if len(parts) > 1 else "",
    }
    found: dict[str, str] = {}
    for capture in layout.captures:
        text = _cell_at(grid, capture.cell) if capture.cell else texts[capture.from_]
        match = re.search(capture.pattern, text)
        if not match:
            place = f"cell {capture.cell}" if capture.cell else capture.from_.replace("_", " ")
            raise UnreadableFileError(
                f"the {place} holds nothing like {capture.pattern!r}",
                where=where,
                do="look at the file; if it says it otherwise now, mend `captures` in the contract",
            )
        found.update({name: text or "" for name, text in match.groupdict().items()})
    return found


def _cell_at(grid: Grid, address: str) -> str:
    """The text of one cell by its address (B2), in comparison form; empty where the sheet does not reach."""
    letters = address.rstrip("0123456789")
    column = next((c for i, c in enumerate(grid.columns) if letter(i) == letters), None)
    row = grid.cells.filter(pl.col(ROW) == int(address[len(letters) :]))
    return normalise(row[column][0]) if column is not None and row.height else ""


def _find_header(texts: list[list[str]], layout: Layout, where: str) -> int:
    if layout.header.row is not None:
        if layout.header.row > len(texts):
            raise UnreadableFileError(
                f"the file has no row {layout.header.row}", where=where, do="mend `header.row` in the contract"
            )
        return layout.header.row - 1
    texts = [_canonical(row, layout.aliases) for row in texts]
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


def _needed_columns(layout: Layout) -> list[str]:
    region = layout.region
    needed = [c for c in (region.code, *region.names, region.within) if c and "{" not in c]
    needed += [layout.period.column] if layout.period.column else []
    needed += [row.column for row in layout.rows]
    needed += [rule.column for rule in layout.ignore_rows]
    return list(dict.fromkeys(needed))


def _match_values(
    names: list[str], cells: list[str], layout: Layout, captured: dict[str, str], where: str
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
            unit = _fill(rule.unit, groups, rule, name, "unit", where)
            period = groups.get("period") if layout.period.from_ == "header" else None
            matched.append(MatchedValue(cells[index], address, name, rule, dimensions, unit, period))
            if rule.column is not None:
                break
        if not found and rule.required:
            missing.append(rule.column or f"columns like {rule.columns}")
    order = {cell: index for index, cell in enumerate(cells)}
    return sorted(matched, key=lambda m: order[m.cell]), missing


def _fill(template: str, groups: dict[str, str], rule: ValueColumn, header: str, dimension: str, where: str) -> str:
    """A template such as `{age}` with the header's groups, each translated by its map."""

    def one(match: re.Match[str]) -> str:
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
    return value


def _filled(grid: Grid, layout: Layout, columns: dict[str, str], last: int) -> pl.DataFrame:
    """The columns whose cells hold for the rows below, filled down below the header.

    Rows that are no data fill too: what stands below a total belongs to the total and not to the row above it.
    """
    names = [row.column for row in layout.rows if row.fill == "down"]
    region, period = layout.region, layout.period
    if region.fill == "down":
        names += [c for c in (region.code, *region.names) if c and "{" not in c]
    if period.fill == "down" and period.column:
        names.append(period.column)
    cells = list(dict.fromkeys(columns[normalise(name)] for name in names))
    return grid.cells.slice(last + 1).select(
        ROW, *(pl.when(pl.col(c).str.strip_chars() != "").then(pl.col(c)).forward_fill().alias(c) for c in cells)
    )


def _split_rows(
    grid: Grid, layout: Layout, columns: dict[str, str], start: int, last: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Data rows, and the ignored rows with the reason for each."""
    cells = grid.columns
    frame = grid.cells.with_row_index("position").with_columns(
        comparison_form(
            pl.coalesce(*(pl.when(pl.col(c).str.strip_chars() != "").then(pl.col(c)) for c in cells), pl.lit(""))
        ).alias("first")
    )
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
