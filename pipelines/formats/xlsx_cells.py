"""One sheet of an .xlsx workbook gone through cell by cell: what its cells show where that is not what they hold.

Formulas without a value, percentages, formats that hide or scale, raised and struck-through text, hidden rows and
columns. The values themselves are read elsewhere (`xlsx`); here is only what is said beside them.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from xml.parsers import expat

from pipelines.formats.number_format import too_many_digits
from pipelines.formats.workbook import Looks, Run, look_at_runs
from pipelines.formats.xlsx_parts import ADDRESS, Style, Workbook, area_of, column_number

_TEXTS = ("s", "str", "inlineStr")


def look_at_cells(workbook: Workbook, sheet: str) -> Looks:
    """What a sheet's cells show where it is not what they hold. Raises UnreadableFileError for a damaged part."""
    scan = _Scan(workbook)
    _parse(scan, workbook, sheet)
    return scan.looks


def number_cells(workbook: Workbook, sheet: str) -> list[tuple[int, str]]:
    """The cells of a sheet that hold numbers, by row number and column."""
    scan = _Scan(workbook)
    _parse(scan, workbook, sheet)
    return scan.numbers


def _parse(scan: _Scan, workbook: Workbook, sheet: str) -> None:
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = scan.start
    parser.EndElementHandler = scan.end
    parser.CharacterDataHandler = scan.text
    parser.StartDoctypeDeclHandler = scan.refuse
    parser.CommentHandler = scan.within
    parser.StartCdataSectionHandler = scan.within
    try:
        with workbook.open_sheet(sheet) as stream:
            parser.ParseFile(stream)
    except (expat.ExpatError, ValueError) as error:
        raise workbook.damaged(error) from error


class _Scan:
    """The handlers of one pass over a sheet's part."""

    def __init__(self, workbook: Workbook) -> None:
        self.looks = Looks()
        self.numbers: list[tuple[int, str]] = []
        self.styles, self.rich = workbook.styles, workbook.rich_texts
        self.telling_conditions = workbook.telling_conditions
        self.condition_areas: list[tuple[int, int, int, int]] = []
        self.is_uncalculated = workbook.is_uncalculated
        self.shows_zeros = True
        self.row = self.column = 0
        self.arrays: list[tuple[int, int, int, int]] = []  # formulas of several cells: only the first one names them
        self._begin_cell({})
        self.inside = ""  # the element whose text is being read

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self.kind = attributes.get("t", "n")
        self.style = int(attributes.get("s", "0"))
        self.value: str | None = None
        self.has_formula = False
        self.runs: list[Run] = []
        self.run = Run("")

    @staticmethod
    def refuse(*_: object) -> None:
        """A sheet that declares a document type is none."""
        raise ValueError("a sheet declares a document type")

    def within(self, *_: object) -> None:
        """Nothing is hidden within a value: readers differ in what they make of it."""
        if self.inside:
            raise ValueError("a cell's value is broken by a comment or a raw section")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        name = tag.rpartition("}")[2]
        if name == "c":
            self.column += 1
            if address := ADDRESS.match(attributes.get("r", "")):
                self.column = column_number(address.group(1))
            self._begin_cell(attributes)
        elif name == "v":
            self.inside, self.value = "v", ""
        elif name == "f":
            self.has_formula = self.looks.has_formulas = True
            if attributes.get("t") in ("array", "dataTable") and (area := area_of(attributes.get("ref", ""))):
                self.arrays.append(area)
        elif name == "row":
            self._begin_row(attributes)
        elif name == "r":
            self.run = Run("")
        elif name == "t":
            self.inside = "t"
        elif name == "vertAlign":
            script = attributes.get("val", "")
            self.run = Run("", script == "superscript", script == "subscript", self.run.is_struck)
        elif name == "strike" and attributes.get("val", "1") not in ("0", "false"):
            self.run = Run("", self.run.is_raised, self.run.is_lowered, True)
        else:
            self._of_sheet(name, attributes)

    def _begin_row(self, attributes: dict[str, str]) -> None:
        self.row = int(attributes.get("r", self.row + 1))
        self.column = 0
        self.arrays = [area for area in self.arrays if area[1] >= self.row]
        if _is_hidden(attributes) or attributes.get("ht") in ("0", "0.0"):
            self.looks.hidden_rows.add(self.row)

    def _of_sheet(self, name: str, attributes: dict[str, str]) -> None:
        """What is said of columns and of the sheet as a whole."""
        if name == "col" and (_is_hidden(attributes) or attributes.get("width") in ("0", "0.0")):
            first, last = int(attributes.get("min", "1")), int(attributes.get("max", "1"))
            self.looks.hidden_columns.update(range(first - 1, min(last, 20_000)))
        elif name == "sheetView":
            self.shows_zeros = attributes.get("showZeros", "1") not in ("0", "false")
        elif name == "filterColumn":
            self.looks.is_filtered = True
        elif name == "conditionalFormatting":
            self.condition_areas = [area for ref in attributes.get("sqref", "").split() if (area := area_of(ref))]
        elif name == "cfRule" and attributes.get("dxfId") in self.telling_conditions:
            self._doubt_areas()

    def _doubt_areas(self) -> None:
        """Cells with numbers whose looks, and what they show, depend on a condition that is not worked out here."""
        for row, cell in self.numbers:
            column = int(cell[1:])
            if any(t <= row <= b and left <= column <= right for t, b, left, right in self.condition_areas):
                detail = "a condition may change what the cell shows or strike it through"
                self.looks.faults.append((row, cell, "not_as_shown", detail))

    def text(self, text: str) -> None:
        """Text of the element that is open."""
        if self.inside == "v":
            self.value = (self.value or "") + text
        elif self.inside == "t":
            self.run = Run(self.run.text + text, self.run.is_raised, self.run.is_lowered, self.run.is_struck)

    def end(self, tag: str) -> None:
        """An element ends."""
        name = tag.rpartition("}")[2]
        if name in ("v", "t"):
            self.inside = ""
        elif name == "r":
            self.runs.append(self.run)
        elif name == "c":
            self._end_cell()

    def _end_cell(self) -> None:
        cell = f"c{self.column - 1}"
        if self.has_formula or (self.arrays and self._in_array()):
            problem = self._uncalculated()
            if problem:
                self.looks.faults.append((self.row, cell, "not_calculated", problem))
                return
        style = self.styles[self.style] if self.style < len(self.styles) else None
        if self.kind in _TEXTS:
            self._end_text(cell, style)
        elif self.kind == "n" and self.value:
            self.numbers.append((self.row, cell))
            self._end_number(cell, style)
        elif style is not None and style.is_struck and self.value:
            self.looks.faults.append((self.row, cell, "struck_through", "the cell is struck through"))

    def _in_array(self) -> bool:
        column = self.column - 1
        return any(top <= self.row <= bottom and left <= column <= right for top, bottom, left, right in self.arrays)

    def _uncalculated(self) -> str:
        """Why a formula's value is not one, or nothing."""
        if not self.value and (self.kind != "str" or self.is_uncalculated):
            return "the formula has no calculated value: open the file, save it, and send it again"
        if self.is_uncalculated and self.kind == "n" and _is_zero(self.value or ""):
            return (
                "the formula's zero was never calculated: whoever made the file left that to the opening; "
                "open it, save it, and send it again"
            )
        return ""

    def _end_text(self, cell: str, style: Style | None) -> None:
        runs = self.runs
        if self.kind == "s" and self.rich and self.value:
            runs = self.rich.get(int(self.value), [])
        if runs:
            look_at_runs(runs, self.row, cell, self.looks)
        if style is None or style.is_plain or not (self.value or self.runs or self.run.text):
            return
        if style.is_struck:
            self.looks.faults.append((self.row, cell, "struck_through", "the cell is struck through"))
        elif style.format.hides_text:
            detail = f"the cell hides its text (number format {style.format.code})"
            self.looks.faults.append((self.row, cell, "not_as_shown", detail))

    def _end_number(self, cell: str, style: Style | None) -> None:
        try:
            value = Decimal(repr(float(self.value or "")))
        except (ValueError, InvalidOperation):
            return  # no number: what the cell holds is judged as text
        if not value.is_finite():
            return
        if problem := too_many_digits(value):
            self.looks.faults.append((self.row, cell, "not_as_shown", problem))
            return
        if not self.shows_zeros and value == 0:
            self.looks.faults.append((self.row, cell, "not_as_shown", "the sheet is set to hide zeros"))
        if style is None or style.is_plain:
            return
        if style.is_struck or style.is_raised:
            rule = "struck_through" if style.is_struck else "not_as_shown"
            problem = "the cell is struck through" if style.is_struck else "all of the cell is raised or lowered"
            self.looks.faults.append((self.row, cell, rule, problem))
            return
        shown = style.format.show(value)
        if shown.problem and shown.is_date:
            self.looks.dates[self.row, cell] = shown.problem
        elif shown.problem:
            self.looks.faults.append((self.row, cell, "not_as_shown", shown.problem))
        elif not style.format.is_plain:
            self.looks.texts[self.row, cell] = shown.text


def _is_hidden(attributes: dict[str, str]) -> bool:
    return attributes.get("hidden") in ("1", "true")


def _is_zero(text: str) -> bool:
    try:
        return float(text) == 0
    except ValueError:
        return False
