"""Tables of HTML pages to grids, as a browser shows them.

What is not seen (scripts, hidden rows and cells) is no data, raised text is a note, struck-through text is in doubt. A
table is chosen by its caption or by its place among the page's tables; tables inside tables are tables of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats.contents import content_of
from pipelines.formats.grid import MAX_COLUMNS, ROW, Grid, cell_schema, refuse_size
from pipelines.formats.html_styles import DISPLAYS, hides, is_harmless, own_style, styles_of
from pipelines.formats.tables import chosen_tables
from pipelines.formats.text import decode_declared
from pipelines.formats.workbook import Looks, Run, as_grid, look_at_runs, warning
from pipelines.jurisdiction.contract import Format

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

Look = tuple[bool, bool, bool]  # text is raised, lowered, struck through

_SEND_AGAIN = "ask for the table as a workbook (xlsx) or as text in columns (csv)"
_CHARSET = re.compile(rb"<meta[^>]*\bcharset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
# Browsers read these names as the larger encodings that grew out of them.
_GROWN = {
    **dict.fromkeys(("gb2312", "gbk", "gb_2312-80", "x-gbk"), "gb18030"),
    **dict.fromkeys(("iso-8859-1", "latin1", "us-ascii", "ascii", "windows-1252"), "cp1252"),
    **dict.fromkeys(("shift_jis", "shift-jis", "x-sjis", "sjis"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987"), "cp949"),
    "big5": "big5hkscs",
}
_UNSEEN = frozenset(("script", "style", "template", "noscript", "head", "title", "datalist", "option", "-comment"))
_LINES = frozenset(("br", "p", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"))
_PICTURES = frozenset(("input", "select", "textarea", "img", "svg", "canvas", "object", "embed", "iframe", "video"))
_OPENED, _CLOSED = re.compile(r"<table\b", re.IGNORECASE), re.compile(r"</table\b", re.IGNORECASE)
_CUT_OFF = {
    "check": "cut_off",
    "severity": "block",
    "observed": "a table of the page is not closed: the file may have been cut off",
    "expected": "`</table>` behind each table, unless the contract says `format: {open_end: true}`",
}
_BLANKS = re.compile("[ \t\r\n\f]+")
_FORMATTING = frozenset(("b", "strong", "i", "em", "u", "span", "font"))
_ENDS_IN_DIGIT, _BEGINS_WITH_DIGIT = re.compile(r"[0-9][.,]?$"), re.compile(r"[.,]?[0-9]")
_STRUCK = frozenset(("s", "strike", "del"))
_MAX_DEPTH = 5_000


def is_html(data: bytes) -> bool:
    """True when the bytes are those of a page."""
    return content_of(data) == "html"


def read_html(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The tables of a page that the contract means: by place among those that are seen, or by caption.

    Raises UnreadableFileError where a page has no table, or not that one.
    """
    from selectolax.lexbor import LexborHTMLParser  # only pages need it

    text, told = decode_declared(data, rule, _declared_encoding(data), where)
    page = _Page(LexborHTMLParser(text), where)
    if len(_OPENED.findall(text)) > len(_CLOSED.findall(text)) and not rule.open_end:
        told = [*told, _CUT_OFF]
    tables = [table for table in page.tables if not table.is_hidden]
    if not tables:
        raise UnreadableFileError("the page has no table that is seen", where=where, do=_SEND_AGAIN)
    names = [table.caption or f"table {position}" for position, table in enumerate(tables, start=1)]
    chosen = chosen_tables(names, rule, where, "table")
    findings = (*told, *_findings(page, tables, names, chosen, rule))
    return [page.grid(tables[n], names[n], () if i else findings) for i, n in enumerate(chosen)]


def _declared_encoding(data: bytes) -> str | None:
    """The encoding that the page's head names, as browsers understand the name."""
    named = _CHARSET.search(data[:4096])
    name = named.group(1).decode("ascii", "replace").lower() if named else None
    return _GROWN.get(name, name) if name else None


@dataclass
class _Table:
    """A table of a page: its element, its caption, whether people see it."""

    node: LexborNode
    caption: str
    is_hidden: bool


def _findings(
    page: _Page, tables: list[_Table], names: list[str], chosen: list[int], rule: Format
) -> tuple[dict[str, str], ...]:
    """Tables that are hidden, or that stand beside one which was taken by its place alone."""
    found = []
    hidden = [t.caption or "one without a caption" for t in page.tables if t.is_hidden and page.has_data(t)]
    if hidden:
        found.append(warning("hidden_sheet", f"hidden tables hold data: {', '.join(hidden[:8])}", "no hidden table"))
    if isinstance(rule.sheet, int):
        others = [names[n] for n, table in enumerate(tables) if n not in chosen and page.has_data(table)]
        if others:
            observed = f"{names[chosen[0]]!r} is read by its place; not read: {', '.join(map(repr, others[:8]))}"
            expected = "one table with data, unless the contract names its caption: `format: {sheet: ...}`"
            found.append(warning("other_sheets", observed, expected))
    return tuple(found)


class _Page:
    """A page taken apart: its styles, its tables."""

    def __init__(self, tree: LexborHTMLParser, where: str) -> None:
        self.where = where
        self.styles = styles_of(tree)
        self.tables = [self._table(node) for node in tree.css("table")]

    def _table(self, node: LexborNode) -> _Table:
        caption = next((child for child in _children(node) if child.tag == "caption"), None)
        runs = [] if caption is None else self.runs(caption, (False, False, False))[0]
        text = "".join(run.text for run in runs if not run.is_raised)
        ancestor: LexborNode | None = node
        for _ in range(_MAX_DEPTH):
            if ancestor is None:
                return _Table(node, " ".join(text.split()), is_hidden=False)
            if self.is_hidden(ancestor):
                return _Table(node, " ".join(text.split()), is_hidden=True)
            ancestor = ancestor.parent
        raise UnreadableFileError("the page is nested without end", where=self.where, do=_SEND_AGAIN)

    def has_data(self, table: _Table) -> bool:
        """True when a table has more than one row and column, as tables that only place things rarely have."""
        widths = [sum(1 for cell in _children(row) if cell.tag in ("td", "th")) for _, row in _rows(table.node)]
        return len(widths) > 1 and max(widths) > 1

    def grid(self, table: _Table, name: str, findings: tuple[dict[str, str], ...]) -> Grid:
        """A table as a grid; its caption is row 0. The rows are numbered as they are seen."""
        reader = _TableReader(self, table)
        rows = reader.rows
        if not rows:
            raise UnreadableFileError(f"the table {name!r} has no cells", where=self.where, do="check `format.sheet`")
        width = max((column for _, cells in rows for column, _ in cells), default=0) + 1
        refuse_size(len(rows), width, self.where)
        columns: list[list[str | None]] = [[None] * len(rows) for _ in range(width)]
        for index, (_, cells) in enumerate(rows):
            for column, text in cells:
                columns[column][index] = text
        schema = cell_schema(width, row=False)
        frame = pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema)
        frame.insert_column(0, pl.Series(ROW, [number for number, _ in rows], dtype=pl.Int64))
        if reader.unseen:
            text = f"{name}: {reader.unseen:,} rows that the page hides hold data and are not read"
            findings = (*findings, warning("hidden_rows", text, "no hidden row"))
        return replace(as_grid(name, frame, "html", reader.looks, findings), widths=pl.Series(reader.widths))

    def is_hidden(self, node: LexborNode) -> bool:
        """True when a browser does not show an element; what it says itself counts before the style sheets."""
        own = own_style(node)
        if "hidden" in node.attributes and "display" not in own:
            return True
        if hides(own) or node.mem_id in self.styles.out_of_sight:
            return True
        return not own.keys() & DISPLAYS and node.mem_id in self.styles.hidden

    def look(self, node: LexborNode, look: Look) -> Look:
        """How the text of an element looks inside one that looks so."""
        raised, lowered, struck = look
        own = own_style(node)
        line = own.get("text-decoration", "") + own.get("text-decoration-line", "")
        struck = struck or node.tag in _STRUCK or node.mem_id in self.styles.struck or "line-through" in line
        if node.tag in ("td", "th", "tr", "table", "tbody", "thead", "tfoot"):
            return raised, lowered, struck
        place = own.get("vertical-align", "")
        if node.tag == "sup" or node.mem_id in self.styles.raised or place == "super":
            raised, lowered = True, False
        elif node.tag == "sub" or node.mem_id in self.styles.lowered or place == "sub":
            raised, lowered = False, True
        return raised, lowered, struck

    def runs(self, node: LexborNode, look: Look) -> tuple[list[Run], str]:
        """The text inside an element in pieces that look alike, and why it may not be what somebody reads there.

        Tables inside are tables of their own. There may be thousands of elements inside each other: no recursion.
        """
        runs: list[Run] = []
        problem = ""
        before: LexborNode | None = None
        stack: list[tuple[LexborNode, Look]] = [(child, look) for child in reversed(_children(node))]
        while stack:
            part, around = stack.pop()
            if part.is_text_node:
                runs.append(Run(_BLANKS.sub(" ", part.text_content or ""), *around))
                if before is not None and _is_one_number_in_two(before, part, runs):
                    problem = problem or f"the digits of {runs[-2].text + runs[-1].text!r} stand in two elements"
                before = part
                continue
            tag = part.tag or ""
            if tag in _UNSEEN or tag == "table" or self.is_hidden(part):
                continue
            if tag in _PICTURES and part.attributes.get("type") != "hidden":
                problem = "the cell holds a picture or a form field"
            if tag in _LINES:
                runs.append(Run("\n"))
            own = self.look(part, around)
            stack += [(child, own) for child in reversed(_children(part))]
        return _trimmed(runs), problem


class _TableReader:
    """The rows of one table in the order in which they are seen, each cell in its column."""

    def __init__(self, page: _Page, table: _Table) -> None:
        self.page, self.looks, self.unseen = page, Looks(), 0
        self.rows: list[tuple[int, list[tuple[int, str]]]] = []
        self.widths: list[int] = []  # columns that each row takes
        if table.caption:
            self.rows.append((0, [(0, table.caption)]))
            self.widths.append(1)
        self.hidden_columns = self._hidden_columns(table.node)
        around = page.look(table.node, (False, False, False))
        self.taken: dict[int, int] = {}  # columns that cells of rows above reach into -> for how many more rows
        number, part_before = 0, 0
        for part, row in _rows(table.node):
            if part.mem_id != part_before:
                part_before, self.taken = part.mem_id, {}  # no cell reaches out of its part of the table
            if page.is_hidden(row) or page.is_hidden(part):
                self.unseen += any(run.text.strip() for run in page.runs(row, around)[0])
                continue
            number += 1
            self._take(row, number, page.look(row, page.look(part, around)))

    def _hidden_columns(self, table: LexborNode) -> set[int]:
        """The columns that the page's column elements hide."""
        hidden: set[int] = set()
        column = 0
        for part in _children(table):
            if part.tag != "colgroup":
                continue
            columns = [child for child in _children(part) if child.tag == "col"] or [part]
            for own in columns:
                times = _span(own, "span")
                if self.page.is_hidden(own) or self.page.is_hidden(part):
                    hidden.update(range(column, column + times))
                column += times
        return hidden

    def _take(self, row: LexborNode, number: int, around: Look) -> None:
        cells: list[tuple[int, str]] = []
        column = 0
        reaching = {c: left - 1 for c, left in self.taken.items() if left > 1}
        for cell in _children(row):
            if cell.tag not in ("td", "th") or self.page.is_hidden(cell):
                continue
            while column in self.taken:
                column += 1
            across, down = _span(cell, "colspan"), _span(cell, "rowspan", 65_534)
            if column + across > MAX_COLUMNS:
                refuse_size(number, column + across, self.page.where)
            if max(across, down) > 1:
                self.looks.merges.append((number, number + down - 1, column, column + across - 1))
            if down > 1:
                reaching.update(dict.fromkeys(range(column, column + across), down - 1))
            text = None if column in self.hidden_columns else self._text(cell, number, column, around)
            if text:
                cells.append((column, text))
            column += across
        self.rows.append((number, cells))
        self.widths.append(max(column, max(self.taken, default=-1) + 1))
        self.taken = reaching

    def _text(self, cell: LexborNode, number: int, column: int, around: Look) -> str:
        runs, problem = self.page.runs(cell, self.page.look(cell, around))
        name = f"c{column}"
        text = "".join(run.text for run in runs)
        if problem:
            self.looks.faults.append((number, name, "not_as_shown", problem))
            return text or "[picture]"
        look_at_runs(runs, number, name, self.looks)
        return text


def _is_one_number_in_two(before: LexborNode, part: LexborNode, runs: list[Run]) -> bool:
    """True when digits touch that stand in two elements: a note (`1200<a>1</a>`) may have become a part of a number."""
    first, second = runs[-2:] if len(runs) > 1 else (Run(""), runs[-1])
    if not (_ENDS_IN_DIGIT.search(first.text) and _BEGINS_WITH_DIGIT.match(second.text)):
        return False
    if (first.is_raised, first.is_lowered, first.is_struck) != (second.is_raised, second.is_lowered, second.is_struck):
        return False  # what looks otherwise is told apart anyhow
    above = [node for node in (before.parent, part.parent) if node is not None]
    if len({node.mem_id for node in above}) == 1:
        return False
    return not all(node.tag in ("td", "th") or (node.tag in _FORMATTING and is_harmless(node)) for node in above)


def _rows(table: LexborNode) -> Iterator[tuple[LexborNode, LexborNode]]:
    """The rows of a table with the part of it that they lie in: its head is seen first, its foot last."""
    parts = [part for part in _children(table) if part.tag in ("thead", "tbody", "tfoot")]
    parts.sort(key=lambda part: ("thead", "tbody", "tfoot").index(part.tag or ""))
    for part in parts:
        for row in _children(part):
            if row.tag == "tr":
                yield part, row


def _children(node: LexborNode) -> list[LexborNode]:
    return list(node.iter(include_text=True))


def _span(cell: LexborNode, name: str, most: int = 1000) -> int:
    """How many columns or rows a cell takes; as browsers do, anything that is no number is one."""
    text = (cell.attributes.get(name) or "").strip()
    if not (text.isascii() and text.isdigit()):
        return 1
    number = int(text[:9])
    return min(number or (most if name == "rowspan" else 1), most)


def _trimmed(runs: list[Run]) -> list[Run]:
    """Pieces without the blanks at both ends of the whole, and with one blank or line break where several are."""
    kept: list[Run] = []
    for run in runs:
        text = run.text
        if not kept or kept[-1].text[-1:] in (" ", "\n"):
            text = text.lstrip(" \n")
        if text:
            kept.append(replace(run, text=text))
    while kept and not (text := kept[-1].text.rstrip(" \n\t")):
        kept.pop()
    if kept:
        kept[-1] = replace(kept[-1], text=kept[-1].text.rstrip(" \n\t"))
    return kept
