"""OpenDocument workbooks (.ods, and .fods without its zip) to grids: values, and what the cells show beside them.

The document stores of each cell its value and the text that people see. Where the two disagree by more than rounding,
the cell is in doubt; what the text says, a percentage or words around the number, belongs to the cell.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import ROW, Grid, cell_schema, places, refuse_size
from pipelines.formats.number_format import PERCENT, plain_text
from pipelines.formats.workbook import (
    NOT_OPENED,
    Looks,
    Run,
    Sheet,
    as_grid,
    chosen_sheets,
    empty_sheet,
    look_at_runs,
    sheet_findings,
)
from pipelines.formats.xml import forget, local_name, parsed_events
from pipelines.jurisdiction.contract import Format

if TYPE_CHECKING:
    from lxml.etree import _Element

_NAMES = "urn:oasis:names:tc:opendocument:xmlns:{}:1.0"
_OFFICE, _TABLE, _TEXT, _STYLE = ("{" + _NAMES.format(name) + "}" for name in ("office", "table", "text", "style"))
_TAGS = (f"{_TABLE}table", f"{_TABLE}table-row", f"{_TABLE}table-column", f"{_STYLE}style")
_ASIDE = frozenset(("annotation", "annotation-end", "ruby-text", "note"))  # remarks that hang on a cell
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212"
_BLANKS = " \u00a0\u2007\u2009\u202f"
_SHOWN = re.compile(rf"[0-9](?:[0-9.,'\u2019{_BLANKS}]*[0-9])?")
_PLAIN = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$")
_EXPONENT = re.compile(r"^\s*[-+]?[0-9]+(?:[.,][0-9]+)?[eE][-+]?[0-9]+\s*$")


@dataclass
class _Look:
    """How a style shows text; None is as its parent does."""

    parent: str = ""
    is_struck: bool | None = None
    position: str | None = None  # super, sub, or none
    is_hidden: bool = False  # of a table


@dataclass
class _Read:
    """The cells of a sheet in their places, and what was seen of them."""

    rows: list[tuple[int, list[tuple[int, str]]]] = field(default_factory=list)
    width: int = 0
    looks: Looks = field(default_factory=Looks)
    numbers: list[tuple[int | None, str | None]] = field(default_factory=list)


def read_open_document(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The sheets of an OpenDocument workbook that the contract means."""
    sheets = open_document_sheets(data, where)
    chosen = chosen_sheets(sheets, rule, where)
    findings = sheet_findings(sheets, chosen, rule)
    read = _Document(data, where).sheets(set(chosen))
    return [_grid(name, read[name], where, [] if i else findings) for i, name in enumerate(chosen)]


def open_document_sheets(data: bytes, where: str) -> list[Sheet]:
    """The sheets of an OpenDocument workbook, in order."""
    document = _Document(data, where)
    found: list[Sheet] = []
    for name, look, has_data in document.names():
        found.append(Sheet(name, not look.is_hidden, partial(bool, has_data)))
    if len({sheet.name for sheet in found}) != len(found):
        raise UnreadableFileError("two sheets have one name", where=where, do=NOT_OPENED)
    return found


def _grid(name: str, read: _Read, where: str, findings: list[dict[str, str]]) -> Grid:
    if not read.rows:
        raise empty_sheet(name, where)
    height = read.rows[-1][0]
    refuse_size(height, read.width, where)
    columns: list[list[str | None]] = [[None] * height for _ in range(read.width)]
    for row, texts in read.rows:
        for column, text in texts:
            columns[column][row - 1] = text
    schema = cell_schema(read.width, row=False)
    cells = pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema)
    cells.insert_column(0, pl.Series(ROW, range(1, height + 1), dtype=pl.Int64))
    return as_grid(name, cells, "ods", read.looks, findings, partial(places, read.numbers))


class _Document:
    """An OpenDocument workbook, read element by element; its tree is never whole in memory."""

    def __init__(self, data: bytes, where: str) -> None:
        self.where = where
        self.content, styles = self._parts(data)
        self.looks: dict[str, _Look] = {}
        if styles:
            for _, element in parsed_events(styles, where, tags=_TAGS):
                self._learn(element)

    def names(self) -> Iterator[tuple[str, _Look, bool]]:
        """Each sheet in order: its name, its look, and whether it holds anything."""
        has_data, name, look = False, "", _Look()
        for event, element in parsed_events(self.content, self.where, ("start", "end"), _TAGS):
            if event == "start":
                if self._is_sheet(element):
                    name, has_data = element.get(f"{_TABLE}name", ""), False
                    look = self.looks.get(element.get(f"{_TABLE}style-name", ""), _Look())
                continue
            self._learn(element)
            if self._is_sheet(element):
                yield name, look, has_data
            elif local_name(element.tag) == "table-row":
                has_data = has_data or any(_is_filled(cell) for cell in element)
                forget(element)

    def sheets(self, wanted: set[str]) -> dict[str, _Read]:
        """The cells of the sheets with these names."""
        found: dict[str, _Read] = {}
        reader: _Rows | None = None
        for event, element in parsed_events(self.content, self.where, ("start", "end"), _TAGS):
            if event == "start":
                if self._is_sheet(element) and element.get(f"{_TABLE}name", "") in wanted:
                    reader = _Rows(self)
                continue
            self._learn(element)
            name = local_name(element.tag)
            if self._is_sheet(element):
                if reader is not None:
                    found[element.get(f"{_TABLE}name", "")] = reader.read
                reader = None
                forget(element)
            elif name == "table-column" and reader is not None:
                reader.take_column(element)
            elif name == "table-row":
                if reader is not None:
                    reader.take_row(element)
                forget(element)
        return found

    def look(self, *styles: str | None) -> _Look:
        """How text looks in the first of these styles that is named, with what its parents say."""
        found, name = _Look(), next((style for style in styles if style), "")
        for _ in range(20):  # styles stand on each other, never in a circle
            own = self.looks.get(name)
            if own is None:
                break
            found.is_struck = own.is_struck if found.is_struck is None else found.is_struck
            found.position = own.position if found.position is None else found.position
            name = own.parent
        return found

    @staticmethod
    def _is_sheet(element: _Element) -> bool:
        parent = element.getparent()
        return element.tag == f"{_TABLE}table" and parent is not None and local_name(parent.tag) == "spreadsheet"

    def _learn(self, element: _Element) -> None:
        """Keep what a style says that matters here."""
        if element.tag != f"{_STYLE}style":
            return
        look = _Look(parent=element.get(f"{_STYLE}parent-style-name", ""))
        for part in element:
            kind = local_name(part.tag)
            if kind == "table-properties":
                look.is_hidden = part.get(f"{_TABLE}display") == "false"
            elif kind == "text-properties":
                struck = [v for k, v in part.attrib.items() if local_name(k).startswith("text-line-through-")]
                if struck:
                    lines = {part.get(f"{_STYLE}text-line-through-{kind}") for kind in ("style", "type")}
                    look.is_struck = bool(lines - {None, "none"})
                position = part.get(f"{_STYLE}text-position")
                if position:
                    first = position.split()[0]
                    offset = first.rstrip("%")
                    is_up = first == "super" or (first.endswith("%") and not offset.startswith("-") and offset != "0")
                    is_down = first == "sub" or offset.startswith("-")
                    look.position = "super" if is_up else "sub" if is_down else "none"
        self.looks[element.get(f"{_STYLE}name", "")] = look

    def _parts(self, data: bytes) -> tuple[bytes, bytes]:
        """The content and the common styles of a document."""
        if not data.startswith(b"PK\x03\x04"):
            return data, b""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                names = set(archive.namelist())
                if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
                    raise UnreadableFileError(
                        "the workbook is protected with a password",
                        where=self.where,
                        do="ask for it without one; protection of single sheets does no harm",
                    )
                if "content.xml" not in names:
                    raise UnreadableFileError("the workbook has no content", where=self.where, do=NOT_OPENED)
                return archive.read("content.xml"), archive.read("styles.xml") if "styles.xml" in names else b""
        except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, OverflowError, OSError, EOFError) as error:
            raise UnreadableFileError(f"the workbook is damaged: {error}", where=self.where, do=NOT_OPENED) from error


class _Rows:
    """The rows of one sheet, taken one after the other."""

    def __init__(self, document: _Document) -> None:
        self.document, self.read = document, _Read()
        self.row, self.columns = 0, 0
        self.column_styles: list[tuple[int, int, str | None]] = []  # first, end, default style of cells

    def take_column(self, element: _Element) -> None:
        """Where columns are hidden, and how their cells look that say nothing themselves."""
        end = self.columns + _repeats(element, "columns")
        if element.get(f"{_TABLE}visibility", "visible") != "visible":
            self.read.looks.hidden_columns.update(range(self.columns, min(end, 20_000)))
        self.column_styles.append((self.columns, end, element.get(f"{_TABLE}default-cell-style-name")))
        self.columns = end

    def take_row(self, element: _Element) -> None:
        """A row, as many times as it is repeated; one without cells only counts."""
        times = _repeats(element, "rows")
        first = self.row + 1
        self.row += times
        cells = list(self._filled(element))
        if not cells:
            return
        refuse_size(self.row, max(column for column, _ in cells) + 1, self.document.where)
        visibility = element.get(f"{_TABLE}visibility", "visible")
        style = element.get(f"{_TABLE}default-cell-style-name")
        for row in range(first, self.row + 1):
            if visibility != "visible":
                self.read.looks.hidden_rows.add(row)
                self.read.looks.is_filtered |= visibility == "filter"
            read = ((column, self._cell(cell, row, column, style)) for column, cell in cells)
            taken = [(column, text) for column, text in read if text is not None]
            if taken:
                self.read.rows.append((row, taken))
                self.read.width = max(self.read.width, taken[-1][0] + 1)

    def _filled(self, element: _Element) -> Iterator[tuple[int, _Element]]:
        """The cells of a row that hold something, each as often as it is repeated, with its column from 0."""
        column = 0
        for cell in element:
            if local_name(cell.tag) not in ("table-cell", "covered-table-cell"):
                continue
            times = _repeats(cell, "columns")
            if _is_filled(cell):
                refuse_size(1, column + times, self.document.where)
                yield from ((column + n, cell) for n in range(times))
            column += times

    def _cell(self, cell: _Element, row: int, column: int, row_style: str | None) -> str | None:
        looks, name = self.read.looks, f"c{column}"
        spans = [int(_count(cell, f"number-{kind}-spanned")) for kind in ("rows", "columns")]
        if max(spans) > 1:
            looks.merges.append((row, row + spans[0] - 1, column, column + spans[1] - 1))
        own = next((s for first, end, s in self.column_styles if first <= column < end), None)
        style = self.document.look(cell.get(f"{_TABLE}style-name"), row_style, own)
        runs = self._runs(cell, style)
        shown = "".join(run.text for run in runs)
        kind = cell.get(f"{_OFFICE}value-type") or ""
        if local_name(cell.tag) == "covered-table-cell":
            looks.faults.append(
                (row, name, "merged_cells", "another cell is merged over it: nobody sees what it holds")
            )
        elif any(_has_glued_link(part) for part in cell):
            looks.faults.append((row, name, "not_as_shown", "a link (a note?) touches the digits of the number"))
        if cell.get(f"{_TABLE}formula") is not None:
            looks.has_formulas = True
            is_zero = cell.get(f"{_OFFICE}value") in ("0", "0.0") and not shown.strip()
            if (not kind or is_zero) and not shown.strip():
                problem = "the formula has no calculated value: open the file, save it, and send it again"
                looks.faults.append((row, name, "not_calculated", problem))
                return "="
        if kind in ("float", "percentage", "currency"):
            return self._number(cell, kind, shown, style, row, column)
        if kind == "date":
            return (cell.get(f"{_OFFICE}date-value") or shown).replace("T", " ")
        if kind == "time":
            return cell.get(f"{_OFFICE}time-value") or shown
        if kind == "boolean":
            return cell.get(f"{_OFFICE}boolean-value") or shown
        look_at_runs(runs, row, name, looks)
        return shown or cell.get(f"{_OFFICE}string-value") or None

    def _number(self, cell: _Element, kind: str, shown: str, style: _Look, row: int, column: int) -> str:
        """A number as it is shown, with nothing rounded away."""
        looks, name, text = self.read.looks, f"c{column}", str(cell.get(f"{_OFFICE}value", ""))
        if style.is_struck:
            looks.faults.append((row, name, "struck_through", "the cell is struck through"))
        elif style.position in ("super", "sub"):
            looks.faults.append((row, name, "not_as_shown", "all of the cell is raised or lowered"))
        if shown == text and kind != "percentage" and _PLAIN.match(text):
            self.read.numbers.append((row, name))
            return text
        try:
            value = Decimal(text)
        except InvalidOperation:
            looks.faults.append((row, name, "not_as_shown", f"the cell shows {shown!r} and holds {text!r}"))
            return shown or text
        if shown.strip().startswith(("#", "Err:")):
            return shown.strip()  # what a formula could not calculate
        self.read.numbers.append((row, name))
        if kind == "percentage":
            value *= 100
        has_text = any(part.tag == f"{_TEXT}p" for part in cell)  # programs that calculate write what they show
        result, problem = _as_shown(value, shown) if has_text else (plain_text(value), "")
        if problem:
            looks.faults.append((row, name, "not_as_shown", problem))
        return result + (PERCENT if kind == "percentage" and PERCENT not in result else "")

    def _runs(self, cell: _Element, style: _Look) -> list[Run]:
        """The text of a cell in pieces that look alike; its paragraphs are lines."""
        runs: list[Run] = []
        for paragraph in cell:
            if paragraph.tag == f"{_TEXT}p":
                if runs:
                    runs.append(Run("\n"))
                runs += _pieces(paragraph, style, self.document.look)
        return runs


def _has_glued_link(paragraph: _Element) -> bool:
    """True when the text of a link and that beside it touch with digits: `1200` and the link `1` to a note."""
    before = paragraph.text or ""
    for part in paragraph:
        inside, behind = "".join(part.itertext()), part.tail or ""
        if local_name(part.tag) == "a" and (
            (before[-1:].isdigit() and inside[:1].isdigit()) or (inside[-1:].isdigit() and behind[:1].isdigit())
        ):
            return True
        before = behind or inside
    return False


def _pieces(element: _Element, look: _Look, look_of: Callable[..., _Look]) -> Iterator[Run]:
    """The text inside an element, piece by piece."""

    def run(text: str | None) -> Iterator[Run]:
        if text:
            yield Run(text, look.position == "super", look.position == "sub", bool(look.is_struck))

    yield from run(element.text)
    for part in element:
        name = local_name(part.tag)
        if name == "s":
            yield from run(" " * min(1000, _count(part, "c", _TEXT)))
        elif name == "tab":
            yield from run("\t")
        elif name == "line-break":
            yield from run("\n")
        elif name not in _ASIDE:
            own = look_of(part.get(f"{_TEXT}style-name"))
            inner = _Look("", look.is_struck if own.is_struck is None else own.is_struck, own.position or look.position)
            yield from _pieces(part, inner, look_of)
        yield from run(part.tail)


def _as_shown(value: Decimal, shown: str) -> tuple[str, str]:
    """A number with the words around it that its cell shows, and why what is shown is not the number, if it is not.

    What is shown may be rounded: it agrees when it is off by no more than one of its last place.
    """
    plain = plain_text(value)
    if _EXPONENT.match(shown):
        return plain, ""
    if not shown.strip():
        return plain, "the cell hides its number"
    match = _SHOWN.search(shown)
    if match is None:
        is_dash = not value and any(c in _DASHES for c in shown)
        return plain, "" if is_dash else f"the cell shows {shown.strip()!r} instead of its number"
    before, digits, after = shown[: match.start()], match.group(), shown[match.end() :]
    if _SHOWN.search(after):
        return plain, f"the cell shows {shown.strip()!r}, and not its number {plain}"
    is_negative = any(c in before for c in f"{_DASHES}(（▲△▼") or after.strip().startswith(tuple(_DASHES))
    if is_negative != (value < 0) and value:
        return plain, f"the cell shows {shown.strip()!r}, and its number is {plain}"
    if not any(abs(abs(value) - number) <= place for number, place in _readings(digits)):
        return plain, f"the cell shows {shown.strip()!r}, and not its number {plain}"
    if digits.isdigit() and len(digits) > 1 and digits[0] == "0" and not is_negative:
        plain = digits  # a code with its leading zeros
    return _words(before) + plain + _words(after), ""


def _readings(digits: str) -> Iterator[tuple[Decimal, Decimal]]:
    """What digits with marks among them can mean, each with one of its last place: the last mark may be decimal."""
    joined = re.sub(rf"['\u2019{_BLANKS}]", "", digits)
    yield Decimal(re.sub(r"[.,]", "", joined)), Decimal(1)
    whole, mark, part = joined.rpartition("," if joined.rfind(",") > joined.rfind(".") else ".")
    if mark:
        yield Decimal(re.sub(r"[.,]", "", whole) + "." + part), Decimal(1).scaleb(-len(part))


def _words(text: str) -> str:
    """The words around a number that say something of it: no blanks, signs and brackets."""
    said = (c for c in text if not c.isspace() and c not in f"{_DASHES}(（▲△▼)）+")
    return "".join(c for c in said if unicodedata.category(c) not in ("Sc", "Cf"))


def _is_filled(cell: _Element) -> bool:
    """True when a cell holds a value, a formula or a text; a remark alone is nothing."""
    if cell.get(f"{_OFFICE}value-type") or cell.get(f"{_TABLE}formula") is not None:
        return True
    return any(part.tag == f"{_TEXT}p" for part in cell)


def _repeats(element: _Element, kind: str) -> int:
    return _count(element, f"number-{kind}-repeated")


def _count(element: _Element, name: str, space: str = _TABLE) -> int:
    text = element.get(space + name, "1")
    return max(1, min(int(text), 10_000_000)) if text.isascii() and text.isdigit() else 1
