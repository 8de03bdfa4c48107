"""What the parts of an .xlsx package say beside the values of cells: sheets, styles, raised and struck texts, formulas.

Values are read by `fastexcel`, which tells none of this (`xlsx`). Most sheets have nothing that changes what a cell
shows; a look at their bytes tells so, and only the others are gone through cell by cell.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from posixpath import dirname, join, normpath
from typing import IO
from xml.etree import ElementTree as etree

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import MAX_CELLS, refuse_size
from pipelines.formats.number_format import NumberFormat, number_format
from pipelines.formats.workbook import Run, Sheet

ADDRESS = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})$")
_PIECE = 4_000_000
_OVERLAP = 3_000
_COLUMN = re.compile(rb"r=[\"']([A-Z]{2,7})[0-9]")
_NARROW = re.compile(rb"r=[\"']([A-Z])[0-9]")
_MERGE = re.compile(rb"mergeCell [^>]*?ref=[\"']([A-Z0-9:$]{2,30})[\"']")
_ROW = re.compile(rb"r=[\"'][A-Z]*([0-9]{1,9})[\"']")
# What in a sheet's bytes may change what a cell shows (formulas, hidden rows, runs of text, comments; and before its
# rows hidden columns and zeros). A hit costs time, a miss would cost the truth.
_TELLING = (b"f>", b"<f ", b":f ", b"hidden=", b' ht="0', b"rPr", b"<!")
_TELLING_HEAD = (b"zeroHeight=", b"showZeros=", b' width="0', b"='")
# Whole numbers of more digits than a workbook keeps.
_LONG = re.compile(rb"<v>-?(?:[0-9]{16,19}|[0-9.]+[Ee]\+?(?:1[5-9]|[2-9][0-9]))</v>|<v>-?[0-9]{20}")
# Programs that write formulas without calculating them, and leave a zero behind.
_NEVER_CALCULATE = ("Apache POI", "SheetJS")
_COMMENTS = re.compile(r"xl/(?:comments|threadedcomments)[^.]*\.xml$")
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, OverflowError, OSError, EOFError, KeyError,
    etree.ParseError,
)  # fmt: skip


@dataclass(frozen=True)
class Style:
    """How cells of one style show what they hold."""

    format: NumberFormat
    is_struck: bool = False
    is_raised: bool = False

    @property
    def is_plain(self) -> bool:
        """True when every number and text shows as it is."""
        return self.format.is_plain and not (self.is_struck or self.is_raised)


@dataclass(frozen=True)
class Glance:
    """What the bytes of a sheet tell at a glance."""

    is_telling: bool  # something in it may change what its cells show
    merges: list[str]  # areas of cells that are shown as one


@dataclass
class Workbook:
    """The package of a workbook. Raises UnreadableFileError where it is damaged."""

    data: bytes
    where: str
    archive: zipfile.ZipFile = field(init=False)
    sheets: list[Sheet] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        try:
            self.archive = zipfile.ZipFile(io.BytesIO(self.data))
            self._names = {name.lower(): name for name in self.archive.namelist()}
            self._read_workbook()
        except _DAMAGED as error:
            raise self.damaged(error) from error

    def damaged(self, error: BaseException) -> UnreadableFileError:
        """The error for a package that is not as it should be."""
        return UnreadableFileError(f"the workbook is damaged: {error}", where=self.where, do="ask for it again")

    def _read_workbook(self) -> None:
        root = self._tree("xl/workbook.xml")
        targets = self._targets("xl/workbook.xml")
        self._paths: dict[str, str] = {}
        entries = [e for e in root.iter() if _local(e.tag) == "sheet"]
        for entry in entries:
            kind, path = targets.get(_attribute(entry, "id"), ("", ""))
            if kind != "worksheet":
                continue  # charts and macros have no cells
            name = entry.get("name", "")
            self._paths[name] = path
            state = entry.get("state", "visible")
            self.sheets.append(Sheet(name, state == "visible", partial(self._has_cells, path)))
        calculation = next((e for e in root.iter() if _local(e.tag) == "calcPr"), None)
        self._calculation = calculation.attrib if calculation is not None else {}
        self._styles_path = next((p for k, p in targets.values() if k == "styles"), "")
        self._strings_path = next((p for k, p in targets.values() if k == "sharedStrings"), "")

    @cached_property
    def is_uncalculated(self) -> bool:
        """True when whoever made the workbook left calculating to whoever opens it."""
        settings = self._calculation
        is_open = _is_true(settings.get("fullCalcOnLoad")) or settings.get("calcCompleted") in ("0", "false")
        return is_open or self._maker.startswith(_NEVER_CALCULATE)

    @property
    def is_manual(self) -> bool:
        """True when formulas are calculated only when somebody asks."""
        return self._calculation.get("calcMode") == "manual"

    @property
    def _maker(self) -> str:
        """The program that wrote the workbook, as far as it says so."""
        if "docprops/app.xml" not in self._names:
            return ""
        root = self._tree("docProps/app.xml")
        return next((e.text or "" for e in root.iter() if _local(e.tag) == "Application"), "")

    @property
    def comments(self) -> list[str]:
        """The texts of all comments, those of one part of the package together."""
        parts = [name for low, name in self._names.items() if _COMMENTS.match(low)]
        try:
            return [_text_of(self.archive.read(name).decode("utf-8", "replace")) for name in parts]
        except _DAMAGED as error:
            raise self.damaged(error) from error

    def _open(self, path: str) -> IO[bytes]:
        return self.archive.open(self._names[path.lstrip("/").lower()])

    def _tree(self, path: str) -> etree.Element:
        with self._open(path) as stream:
            data = stream.read()
        if b"<!DOCTYPE" in data:
            raise ValueError(f"{path} declares a document type")
        return etree.fromstring(data)

    def _targets(self, path: str) -> dict[str, tuple[str, str]]:
        """Relationship id -> what kind of part it leads to, and its path."""
        folder = dirname(path)
        root = self._tree(join(folder, "_rels", path[len(folder) + 1 :] + ".rels"))
        found = {}
        for entry in root:
            target = entry.get("Target", "")
            full = target.lstrip("/") if target.startswith("/") else normpath(join(folder, target))
            found[entry.get("Id", "")] = (entry.get("Type", "").rsplit("/", 1)[-1], full)
        return found

    def _has_cells(self, path: str) -> bool:
        """True when a sheet holds any value."""
        if path.lower() not in self._names:
            return False
        with self._open(path) as stream:
            return any(sign in piece for piece in _pieces(stream, 50_000) for sign in (b"<v", b":v>", b"<is", b":is>"))

    @cached_property
    def _style_groups(self) -> list[etree.Element]:
        """The parts of the list of styles: number formats, fonts, styles of cells, looks that conditions give."""
        if not self._styles_path:
            return []
        try:
            return list(self._tree(self._styles_path))
        except _DAMAGED as error:
            raise self.damaged(error) from error

    @cached_property
    def styles(self) -> list[Style]:
        """The styles of cells, in order."""
        codes: dict[int, str] = {}
        fonts: list[tuple[bool, bool]] = []
        styles: list[Style] = []
        for group in self._style_groups:
            if _local(group.tag) == "numFmts":
                codes = {int(e.get("numFmtId", "0")): e.get("formatCode", "") for e in group}
            elif _local(group.tag) == "fonts":
                fonts = [_looks_of_font(e) for e in group]
        for group in (g for g in self._style_groups if _local(g.tag) == "cellXfs"):
            for entry in group:
                number, font = int(entry.get("numFmtId", "0")), int(entry.get("fontId", "0"))
                is_struck, is_raised = fonts[font] if font < len(fonts) else (False, False)
                styles.append(Style(number_format(codes.get(number, number)), is_struck, is_raised))
        return styles

    @cached_property
    def telling_conditions(self) -> frozenset[str]:
        """The looks that a condition may give a cell (by place in the list) which change what it shows."""
        found = set()
        for group in (g for g in self._style_groups if _local(g.tag) == "dxfs"):
            for place, looks in enumerate(group):
                fonts = [_looks_of_font(e) for e in looks if _local(e.tag) == "font"]
                codes = [e.get("formatCode", "General") for e in looks if _local(e.tag) == "numFmt"]
                if any(map(any, fonts)) or any(not number_format(code).is_plain for code in codes):
                    found.add(str(place))
        return frozenset(found)

    @cached_property
    def rich_texts(self) -> dict[int, list[Run]]:
        """Shared texts with raised, lowered or struck-through runs, by their place in the list."""
        if not self._strings_path or self._strings_path.lower() not in self._names:
            return {}
        try:
            with self._open(self._strings_path) as stream:
                if not any(b"vertAlign" in piece or b"strike" in piece for piece in _pieces(stream)):
                    return {}
            with self._open(self._strings_path) as stream:
                return dict(_rich_texts(stream))
        except _DAMAGED as error:
            raise self.damaged(error) from error

    def glance(self, sheet: str) -> Glance:
        """A look at a sheet's bytes. Raises UnreadableFileError when its cells span more than memory holds."""
        path = self._paths[sheet]
        special = [i for i, style in enumerate(self.styles) if not style.is_plain]
        of_style = re.compile(rb"\bs=\"(?:%s)\"" % b"|".join(b"%d" % i for i in special)) if special else None
        rows, columns, is_telling, is_begun = 1, 26, bool(self.rich_texts), False
        merges: dict[bytes, None] = {}
        try:
            with self._open(path) as stream:
                # A reader keeps every empty cell between the first and the last one: cells far away fill memory.
                for piece in _pieces(stream):
                    columns = max((columns, *(column_number(name.decode()) for name in set(_COLUMN.findall(piece)))))
                    end = piece.find(b"</sheetData")
                    tail = piece[max(0, end - _OVERLAP) : end] if end >= 0 else piece[-_OVERLAP:]
                    rows = max((rows, *map(int, _ROW.findall(tail))))
                    head = piece[: piece.find(b"sheetData")] if not is_begun else b""
                    is_begun = True
                    is_telling = (
                        is_telling
                        or any(sign in head for sign in _TELLING_HEAD)
                        or any(sign in piece for sign in _TELLING)
                        or _LONG.search(piece) is not None
                        or bool(of_style and of_style.search(piece))
                        or bool(self.telling_conditions and b"cfRule" in piece)
                    )
                    merges.update(dict.fromkeys(_MERGE.findall(piece)) if b"mergeCell " in piece else {})
        except _DAMAGED as error:
            raise self.damaged(error) from error
        if columns == 26 and rows * columns > MAX_CELLS:
            columns = self._narrow_width(path)
        refuse_size(rows, columns, self.where)
        return Glance(is_telling, [m.decode() for m in merges])

    def _narrow_width(self, path: str) -> int:
        """How many columns a sheet of at most 26 has."""
        with self._open(path) as stream:
            letters = {letter for piece in _pieces(stream) for letter in _NARROW.findall(piece)}
        return max((column_number(letter.decode()) for letter in letters), default=1)

    def open_sheet(self, sheet: str) -> IO[bytes]:
        """The bytes of a sheet's part."""
        return self._open(self._paths[sheet])


def _text_of(part: str) -> str:
    """The text of a part of comments, each comment on lines of its own, whatever its runs look like."""
    return re.sub(r"<[^>]*>", "", re.sub(r"</(?:\w+:)?(?:author|comment|text|threadedComment)>", "\n", part))


def _pieces(stream: IO[bytes], size: int = _PIECE) -> Iterator[bytes]:
    """A stream in pieces that overlap, so that nothing short is cut in two."""
    rest = b""
    while piece := stream.read(size):
        piece = rest + piece
        yield piece
        rest = piece[-_OVERLAP:]


def _rich_texts(stream: IO[bytes]) -> Iterator[tuple[int, list[Run]]]:
    """The texts of a list of shared texts whose runs do not all stand plainly on the line."""
    index = 0
    parsing = etree.iterparse(stream, events=("start", "end"))
    _, root = next(parsing)
    for event, element in parsing:
        if event == "start" or _local(element.tag) != "si":
            continue
        runs = runs_of(element)
        if any(run.is_raised or run.is_lowered or run.is_struck for run in runs):
            yield index, runs
        index += 1
        root.clear()


def runs_of(text: etree.Element) -> list[Run]:
    """The runs of a text of several; a text without runs has none."""
    runs = []
    for run in (e for e in text if _local(e.tag) == "r"):
        words = "".join(e.text or "" for e in run if _local(e.tag) == "t")
        looks = next((e for e in run if _local(e.tag) == "rPr"), None)
        script = _script(looks) if looks is not None else ""
        runs.append(Run(words, script == "superscript", script == "subscript", looks is not None and _is_struck(looks)))
    return runs


def _looks_of_font(font: etree.Element) -> tuple[bool, bool]:
    """Whether a font is struck through, and whether it stands above or below the line."""
    return _is_struck(font), _script(font) in ("superscript", "subscript")


def _script(looks: etree.Element) -> str:
    return next((e.get("val", "") for e in looks if _local(e.tag) == "vertAlign"), "")


def _is_struck(looks: etree.Element) -> bool:
    return any(_local(e.tag) == "strike" and e.get("val", "1") not in ("0", "false") for e in looks)


def _is_true(text: str | None) -> bool:
    return text in ("1", "true")


def _local(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2]


def _attribute(element: etree.Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if _local(key) == name and key != name), "")


def column_number(letters: str) -> int:
    """The number of a column by its letters: A is 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def area_of(reference: str) -> tuple[int, int, int, int] | None:
    """First and last row from 1, first and last column from 0, of `C2:D5`."""
    first, _, last = reference.partition(":")
    start, end = ADDRESS.match(first), ADDRESS.match(last or first)
    if not start or not end:
        return None
    return int(start.group(2)), int(end.group(2)), column_number(start.group(1)) - 1, column_number(end.group(1)) - 1
