"""Looks at an unknown file and says what it seems to be: format, header, regions, periods, numbers, tokens, notes.

Every guess carries the reason for it. Nothing is taken from the file here and nothing is decided: `propose` writes
the guesses down as a contract, a person corrects it, and only then does the reader read by it.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats import Grid, decode, detect_encoding, read_grids, sheet_list, transposed, unpack
from pipelines.intake.layout import letter
from pipelines.intake.names import RegionIndex
from pipelines.jurisdiction.contract import Format, MarkMeaning, SheetRule, TokenMeaning
from pipelines.jurisdiction.text import normalise

SAMPLE_ROWS = 5_000
MULTIBYTE = ("gb18030", "cp932", "euc_jp", "big5", "cp949")  # too alike in short files to be told by their bytes
MAX_HEADER_ROWS = 5

YEAR = re.compile(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)")
YEAR_CELL = re.compile(r"^(?:1[89]|20)\d\d(?:[-/–](?:\d\d|\d{4}))?(?:年度?|年末)?$")
NUMBER = re.compile(r"^\(?[+-]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\)?%?$")
# A comma that cannot stand between thousands, or points that can stand nowhere else.
CONTINENTAL = re.compile(
    r"^-?\d{1,3}(?:[. \u00a0\u202f]\d{3})+,\d+$|^-?\d+,(?:\d{1,2}|\d{4,})$|^-?\d{1,3}(?:\.\d{3}){2,}$"
)
MARKED = re.compile(r"^-?[\d,]*\.?\d+\s*([a-zA-Z*†‡]{1,2}|\([a-zA-Z\d]\)|\[[a-zA-Z]{1,4}\]|\d\))$")
IN_BRACKETS = re.compile(r"[(\[（［【]([^()\[\]（）［］【】]{1,20})[)\]）］】]")
UNIT_LINE = re.compile(r"(?:单位|單位|単位|[Uu]nits?)[:：]\s*([^,，;；()（）]+)")
FOOTNOTE = re.compile(
    r"^[(（\[【]?(?:注|註|备注|说明|資料|资料来源|数据来源|出典|[Nn]otes?|[Ss]ources?|[Ff]ootnotes?|\*)"
)
TOTAL = re.compile(
    r"^(?:[-#*]*)(?:合计|总计|总和|小计|全国|全国总计|全省|全市|全县|合計|総計|総数|計|小計|totals?|grandtotal|subtotal|sum|all|overall)$",
    re.IGNORECASE,
)
TOTAL_WORD = re.compile(r"(?:合计|总计|小计|合計|総計|小計)$|^(?:sub)?total|\b(?:sub)?total$", re.IGNORECASE)
REFERENCE = re.compile(r"^[(\[]\d{1,2}[)\]]$")  # the number of a note, not a negative number
TOKENS: dict[str, tuple[TokenMeaning, str]] = {
    "-": ("missing", "a dash: often nothing to report, sometimes zero; see the notes of the publication"),
    "--": ("missing", "dashes: see the notes of the publication"),
    "—": ("missing", "a dash: often nothing to report, sometimes zero; see the notes of the publication"),
    "―": ("missing", "a dash: often nothing to report, sometimes zero; see the notes of the publication"),
    "...": ("not_collected", "dots: often not available, in some yearbooks less than half the unit; see the notes"),
    "……": ("not_collected", "dots: often not available, in some yearbooks less than half the unit; see the notes"),
    "..": ("missing", "two dots: not available"),
    ":": ("missing", "a colon: not available"),
    "[x]": ("missing", "the usual shorthand for not available"),
    "[z]": ("not_applicable", "the usual shorthand for not applicable"),
    "z": ("not_applicable", "the usual shorthand for not applicable"),
    "[c]": ("suppressed", "the usual shorthand for confidential"),
    "c": ("suppressed", "the usual shorthand for confidential"),
    "*": ("suppressed", "an asterisk: usually suppressed"),
    "**": ("suppressed", "asterisks: usually suppressed"),
    "x": ("suppressed", "an x: usually kept secret"),
    "X": ("suppressed", "an X: usually kept secret"),
    "[low]": ("less_than_half", "the usual shorthand for less than half the unit"),
    "NA": ("missing", "not available or not applicable: see the notes"),
    "N/A": ("missing", "not available or not applicable: see the notes"),
    "n/a": ("missing", "not available or not applicable: see the notes"),
    "n.a.": ("missing", "not available or not applicable: see the notes"),
    "na": ("missing", "not available or not applicable: see the notes"),
    "#N/A": ("missing", "a formula of the sender found nothing"),
    "null": ("missing", "a database's word for nothing"),
    "NULL": ("missing", "a database's word for nothing"),
}
MARKS: dict[str, MarkMeaning] = {
    "p": "provisional",
    "(p)": "provisional",
    "[p]": "provisional",
    "P": "provisional",
    "e": "estimated",
    "(e)": "estimated",
    "[e]": "estimated",
    "E": "estimated",
    "b": "break",
    "(b)": "break",
    "[b]": "break",
}
# Words of headers that say which part of a population a column is about.
SEXES = {
    "male": r"男(?:性|子)?|\b(?:males?|men|boys)\b",
    "female": r"(?<!子)女(?:性|子)?(?![儿童婴])|\b(?:females?|women|girls)\b",
}
RESIDENCES = {
    "urban": r"城镇|城鎮|城市|\burban\b",
    "rural": r"乡村|農村|农村|鄉村|\brural\b",
}
AGES = (
    (
        re.compile(r"(\d{1,3})\s*(?:岁|歳|years?)?\s*(?:-|~|–|到|至|to)\s*(\d{1,3})\s*(?:岁|歳|years?(?:old)?)"),
        "{0}-{1}",
    ),
    (re.compile(r"(\d{1,3})\s*(?:岁|歳)\s*(?:及以上|以上)|(\d{1,3})\s*\+|(\d{1,3})\s*and\s*over", re.I), "{0}+"),
    (re.compile(r"(?<!\d)(\d{1,2})\s*(?:岁|歳)"), "{0}"),
)
DIMENSION_WORDS = (
    ("sex", re.compile(r"性别|性別|男女|\bsex\b|\bgender\b", re.I)),
    ("residence", re.compile(r"城乡|城鄉|\burban|\bresidence", re.I)),
    ("age_group", re.compile(r"年龄|年齢|\bage\b", re.I)),
    ("measure", re.compile(r"指标|指標|項目名|\bindicator\b|\bmeasure\b|\bvariable\b|\bstatistic\b", re.I)),
)


@dataclass(frozen=True)
class Guess:
    """One thing that was guessed and the reason for it."""

    value: str
    why: str


@dataclass
class Column:
    """A column of the table as it looks."""

    index: int
    name: str  # as the reader will call it: header rows joined, or its letter in brackets
    title: str = ""  # the same with its blanks, for people
    kind: str = "text"  # number, text, year, empty
    numbers: int = 0
    texts: Counter[str] = field(default_factory=Counter)  # cells that are no numbers, as they stand
    blanks: int = 0
    integer: bool = True
    minimum: float = 0.0
    percent: bool = False
    continental: list[str] = field(default_factory=list)  # cells with a decimal comma
    regions_by_name: int = 0
    regions_by_code: int = 0

    @property
    def address(self) -> str:
        """The column's letter."""
        return letter(self.index)


@dataclass
class Look:
    """Everything that was seen in a file."""

    file_name: str
    format: Format
    format_why: dict[str, str] = field(default_factory=dict)
    sheet: str = ""
    header_first: int = 0  # position in the grid, from 0
    header_rows: int = 1
    header_row_number: int = 1
    fill_right: bool = False
    repeats: bool = False
    find: list[str] = field(default_factory=list)
    data_first: int = 0
    data_last: int = 0
    data_rows: int = 0
    columns: list[Column] = field(default_factory=list)
    preamble: list[str] = field(default_factory=list)
    name: Column | None = None
    code: Column | None = None
    code_length: int | None = None
    no_code: list[str] = field(default_factory=list)
    name_prefixes: list[str] = field(default_factory=list)
    name_suffixes: list[str] = field(default_factory=list)
    within: Column | None = None
    indent: bool = False
    end_at: list[Guess] = field(default_factory=list)
    totals: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)  # rows that only name the block below them
    line_numbers: tuple[str, str] | None = None  # column and text of a row of numbers between header and data
    unmatched: list[str] = field(default_factory=list)
    tokens: dict[str, tuple[TokenMeaning, str]] = field(default_factory=dict)
    marks: dict[str, tuple[MarkMeaning, str]] = field(default_factory=dict)
    labels: list[tuple[Column, bool, list[str]]] = field(default_factory=list)  # text columns, filled down?, texts
    unit_line: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def values(self) -> list[Column]:
        """The columns of numbers."""
        return [c for c in self.columns if c.kind == "number"]

    @property
    def year_column(self) -> Column | None:
        """The column that says which year a row is about."""
        return next((c for c in self.columns if c.kind == "year"), None)


def look(data: bytes, file_name: str, regions: RegionIndex) -> Look:
    """Look at a file's bytes.

    Raises UnreadableFileError when no table with regions and numbers can be seen in it, saying how far it got.
    """
    found = _format(data, file_name, regions)
    best: Look | None = None
    problems: list[str] = []
    for rule, why in found:
        try:
            upright = read_grids(data, rule, file_name)[0]
        except UnreadableFileError as error:
            problems.append(error.message)
            continue
        for transpose in (False, True):
            tried = rule.model_copy(update={"transpose": transpose})
            try:
                grid = transposed(upright, file_name) if transpose else upright
                seen = _table(grid, tried, file_name, regions)
            except UnreadableFileError as error:
                problems.append(error.message)
                continue
            seen.format_why = dict(why)
            if transpose:
                seen.format_why["transpose"] = "the regions stand side by side, not one below the other"
            if best is None or _weight(seen) > _weight(best):
                best = seen
            if not transpose and seen.name is not None and len(seen.values) > 1:
                break  # a table that stands as usual is not turned
    if best is None:
        raise UnreadableFileError(
            f"no table with regions and numbers was seen: {problems[0] if problems else 'the file holds nothing'}",
            where=file_name,
            do="a column must name the regions of reference/regions.csv by name or code; if the file is about one "
            "region that it does not name, write the contract by hand (docs/contract.md)",
        )
    if best.format.kind in ("xlsx", "xls", "ods") and not isinstance(best.format.sheet, SheetRule):
        _several_sheets(best, data, regions)
    return best


def _weight(seen: Look) -> tuple[int, int, int]:
    """How much of a table was seen: distinct regions first, then numbers; upright before turned."""
    matched = max(
        (max(c.regions_by_name, c.regions_by_code) for c in seen.columns),
        default=0,
    )
    return (matched, sum(c.numbers for c in seen.values), 0 if seen.format.transpose else 1)


# -- the format ---------------------------------------------------------------------------------------------


def _format(data: bytes, file_name: str, regions: RegionIndex) -> list[tuple[Format, dict[str, str]]]:
    """The formats that the bytes can be, likeliest first, each with the reasons."""
    why: dict[str, str] = {}
    name, inner, member = file_name, data, "*"
    for _ in range(2):
        if inner[:2] == b"\x1f\x8b":
            inner = unpack(inner, Format(kind="xlsx"), file_name)
            name = re.sub(r"\.gz$", "", name, flags=re.IGNORECASE)
            why["kind"] = "packed with gzip"
        elif inner[:4] == b"PK\x03\x04" and _packed_table(inner) is None:
            names = _members(inner, file_name)
            likely = [n for n in names if re.search(r"\.(csv|tsv|txt|xlsx|xls|ods|parquet|jsonl|ndjson)$", n, re.I)]
            chosen = (likely or names)[:1]
            if not chosen:
                raise UnreadableFileError("the zip is empty", where=file_name, do="ask for it again")
            if len(names) > 1:
                member = chosen[0].rsplit("/", 1)[-1]
                why["member"] = f"the zip holds {len(names)} files: {', '.join(names[:6])}"
            inner = unpack(inner, Format(kind="xlsx", member=chosen[0].rsplit("/", 1)[-1]), file_name)
            name = chosen[0]
            why["kind"] = "packed with zip"
    packed = f", {why['kind']}" if "kind" in why else ""
    workbook = _packed_table(inner) or ("xls" if inner[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" else None)
    if workbook:
        why["kind"] = f"the bytes are those of a workbook{packed}"
        rules = []
        for sheet in sheet_list(data, Format.model_validate({"kind": workbook, "member": member}), file_name):
            if sheet.is_visible:
                rules.append(Format.model_validate({"kind": workbook, "sheet": sheet.name, "member": member}))
        return [(rule, why) for rule in rules]
    if inner[:4] == b"PAR1":
        why["kind"] = f"the bytes are those of Parquet{packed}"
        return [(Format(kind="parquet", member=member), why)]
    encoding = detect_encoding(inner)
    why["encoding"] = "the byte-order mark" if encoding in ("utf-8-sig", "utf-16") else "the bytes read as such"
    if encoding not in ("ascii", "utf-8", "utf-8-sig", "utf-16"):
        spelt = _encoding_of_names(inner, encoding, regions)
        if spelt != encoding:
            encoding, why["encoding"] = spelt, "only read as such do the names of regions.csv stand in the file"
    text = decode(inner, encoding, file_name)
    if _is_json_lines(text):
        why["kind"] = f"each line is a JSON object{packed}"
        return [(Format(kind="jsonl", encoding=encoding, member=member), why)]
    delimiter, reason = _delimiter(text)
    why["delimiter"] = reason
    why["kind"] = f"text in columns{packed}"
    is_tabbed = delimiter == "\t"
    rule = Format(
        kind="tsv" if is_tabbed else "csv", encoding=encoding, delimiter="," if is_tabbed else delimiter, member=member
    )
    return [(rule, why)]


def _encoding_of_names(data: bytes, detected: str, regions: RegionIndex) -> str:
    """Of the encodings that the bytes can be, the one with most names of regions; the detected one on a tie."""
    telling = [name for name in regions.by_name if not name.isascii()]
    best, most = detected, -1
    for encoding in (detected, *MULTIBYTE):
        try:
            text = normalise(data[:400_000].decode(encoding, "ignore" if len(data) > 400_000 else "strict"))
        except UnicodeDecodeError:
            continue
        count = sum(1 for name in telling if name in text)
        if count > most:
            best, most = encoding, count
    return best


def _packed_table(data: bytes) -> str | None:
    """`xlsx` or `ods` when a zip is a workbook."""
    if data[:4] != b"PK\x03\x04":
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError):
        return None
    if "[Content_Types].xml" in names:
        return "xlsx"
    return "ods" if "mimetype" in names else None


def _members(data: bytes, where: str) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [i.filename for i in archive.infolist() if not i.is_dir() and not i.filename.startswith("__MACOSX/")]
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise UnreadableFileError(f"not readable as zip: {error}", where=where, do="ask for it again") from error


def _is_json_lines(text: str) -> bool:
    lines = [line for line in text[:200_000].split("\n")[:20] if line.strip()]
    try:
        return bool(lines) and all(isinstance(json.loads(line), dict) for line in lines[: max(1, len(lines) - 1)])
    except (ValueError, RecursionError):
        return False


def _delimiter(text: str) -> tuple[str, str]:
    """The delimiter that gives the most numbers in rows of equal width."""
    lines = text[:300_000].splitlines()[:400]
    best, best_score = ",", -1.0
    for candidate in (",", "\t", ";", "|"):
        try:
            rows = list(csv.reader(lines, delimiter=candidate))
        except csv.Error:
            continue
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if not widths:
            continue
        numbers = sum(1 for row in rows for cell in row if NUMBER.match(normalise(cell)))
        steady = widths.most_common(1)[0][1] / max(1, len(rows))
        score = numbers * (0.2 + steady) + sum(widths.values()) * 0.01
        if score > best_score:
            best, best_score = candidate, score
    shown = {"\t": "tabs"}.get(best, repr(best))
    return best, f"{shown} give the most numbers in rows of one width"


def _several_sheets(seen: Look, data: bytes, regions: RegionIndex) -> None:
    """Sheets named after years that hold the same table are read together."""
    alike = []
    if not YEAR.search(normalise(seen.sheet)):
        return
    names = [sheet.name for sheet in sheet_list(data, seen.format, seen.file_name)]
    form = YEAR.sub(r"<>", normalise(seen.sheet))
    for name in names:
        if YEAR.sub(r"<>", normalise(name)) != form:
            continue
        rule = seen.format.model_copy(update={"sheet": name})
        try:
            other = _table(read_grids(data, rule, seen.file_name)[0], rule, seen.file_name, regions)
        except UnreadableFileError:
            continue
        if [c.name for c in other.columns if c.kind != "empty"] == [c.name for c in seen.columns if c.kind != "empty"]:
            alike.append(name)
    if len(alike) == 1:
        form = re.sub(r"\d+", "<>", normalise(seen.sheet))
        pattern = "^" + re.escape(form).replace(re.escape("<>"), r"\d+").replace("<>", r"\d+").replace(r"\-", "-") + "$"
        seen.format = seen.format.model_copy(update={"sheet": SheetRule(pattern=pattern)})
        seen.format_why["sheet"] = "the sheet with the largest table; its name holds a year, so it will change"
    elif len(alike) > 1:
        pattern = "^" + re.escape(form).replace(re.escape("<>"), r"\d{4}").replace("<>", r"\d{4}") + "$"
        seen.format = seen.format.model_copy(update={"sheet": SheetRule(pattern=pattern, all=True)})
        seen.format_why["sheet"] = (
            f"{len(alike)} sheets hold the same table for different years: {', '.join(alike[:6])}"
        )


# -- the table ----------------------------------------------------------------------------------------------


def _table(grid: Grid, rule: Format, file_name: str, regions: RegionIndex) -> Look:
    """What stands where in one sheet."""
    cells = grid.cells.head(SAMPLE_ROWS).select(grid.columns)
    raw: list[tuple[str | None, ...]] = cells.rows()
    texts = [[normalise(value) for value in row] for row in raw]
    seen = Look(file_name, rule, sheet=grid.sheet)
    columns = [Column(index, "") for index in range(len(grid.columns))]
    names, codes = set(regions.by_name), set(regions.by_code)
    _find_regions(columns, texts, names, codes, seen)
    anchor = seen.name or seen.code
    if anchor is None:
        raise UnreadableFileError(
            "no column holds names or codes of the jurisdiction's regions", where=file_name, do="see regions.csv"
        )
    matching = codes if anchor is seen.code else names
    first = _first_data_row(texts, anchor.index, matching, seen)
    _find_header(texts, first, anchor.index, seen)
    below = seen.header_first + seen.header_rows
    joined = _joined(texts[seen.header_first : below], fill_right=seen.fill_right)
    for column, header in zip(columns, joined, strict=True):
        column.name = header or f"[{column.address}]"
        shown = [" ".join((row[column.index] or "").split()) for row in raw[seen.header_first : below]]
        column.title = " ".join(text for text in dict.fromkeys(shown) if text) or column.name
    seen.preamble = [text for row in texts[: seen.header_first] for text in row if text]
    seen.header_row_number = int(grid.cells["source_row"][seen.header_first])
    seen.data_first = first
    data = _data_rows(texts, raw, anchor.index, matching, seen)
    _describe(columns, data, seen)
    seen.columns = columns
    _name_marks(data, names, seen)
    _labels(columns, data, seen)
    _units_and_find(texts, joined, seen)
    if not seen.values:
        raise UnreadableFileError("no column of numbers was seen", where=file_name, do="see docs/contract.md")
    return seen


def _find_regions(columns: list[Column], texts: list[list[str]], names: set[str], codes: set[str], seen: Look) -> None:
    """The columns that name regions: the one with most different names, the one with most different codes."""
    widths = {len(code) for code in codes}
    longest = max(widths, default=0)
    digits = all(code.isdigit() for code in codes)
    for column in columns:
        distinct = {row[column.index] for row in texts if row[column.index]}
        bare = {re.sub(r"^(?:其中:?|#|\*|-|・|·)+", "", text) for text in distinct}
        column.regions_by_name = len(bare & names)
        column.regions_by_code = len(distinct & codes)
        if digits and len(widths) == 1 and not column.regions_by_code:
            padded = {text.zfill(longest) for text in distinct if text.isdigit() and len(text) == longest - 1}
            if len(padded & codes) >= 2 and len(padded & codes) >= len(padded) / 2:
                column.regions_by_code = len(padded & codes)
                seen.code_length = longest
    by_name = max(columns, key=lambda c: c.regions_by_name, default=None)
    by_code = max(columns, key=lambda c: c.regions_by_code, default=None)
    if by_name is not None and _enough(by_name.regions_by_name, by_name, texts):
        seen.name = by_name
    if by_code is not None and _enough(by_code.regions_by_code, by_code, texts):
        seen.code = by_code
    if seen.code is not None and seen.name is not None:
        agree = clash = 0
        for row in texts:
            code, name = row[seen.code.index], row[seen.name.index]
            if code in codes and name:
                agree += name in names
                clash += name not in names
        if clash > agree:
            seen.name = None  # names that the list does not know: the code alone is safer
    if seen.code is None:
        seen.code_length = None


def _enough(matches: int, column: Column, texts: list[list[str]]) -> bool:
    """Two regions, or one in a table of one row: a lone name may stand in any column of a larger one."""
    return matches >= 2 or (matches == 1 and len({row[column.index] for row in texts if row[column.index]}) <= 2)


def _is_header_like(row: list[str]) -> bool:
    """A row of names, or of years: no figure stands in it."""
    filled = [text for text in row if text]
    return bool(filled) and all(YEAR_CELL.match(text) or not NUMBER.match(text) for text in filled)


def _first_data_row(texts: list[list[str]], anchor: int, matching: set[str], seen: Look) -> int:
    """The first row of figures: at the first region that has some, or above it when totals come first."""

    def is_data(row: list[str]) -> bool:
        others = [text for index, text in enumerate(row) if index != anchor and text]
        return any(NUMBER.match(t) and not YEAR_CELL.match(t) for t in others)

    def known(text: str) -> bool:
        return text in matching or (seen.code_length is not None and text.zfill(seen.code_length) in matching)

    for index, row in enumerate(texts):
        figures = any(_is_figure(text) for place, text in enumerate(row) if place != anchor)
        if known(re.sub(r"^(?:其中:?|#|\*)+", "", row[anchor])) and figures:
            first = index
            break
    else:
        raise UnreadableFileError("no row has a region and a number", where=seen.file_name, do="see docs/contract.md")
    while first > 0 and is_data(texts[first - 1]) and any(texts[first - 1][: anchor + 1]):
        if _is_header_like(texts[first - 1]) or not texts[first - 1][anchor]:
            break
        first -= 1
    if first == 0:
        raise UnreadableFileError("no header stands above the data", where=seen.file_name, do="see docs/contract.md")
    return first


def _find_header(texts: list[list[str]], first: int, anchor: int, seen: Look) -> None:
    """The rows of names right above the data."""
    bottom = _bottom_of_header(texts, first, anchor, seen)
    top = bottom

    def names(of: int) -> list[str]:
        return _joined(texts[of : bottom + 1], fill_right=True)

    width = max(1, sum(1 for text in names(top) if text))
    while top > 0 and bottom - top + 1 < MAX_HEADER_ROWS:
        above = texts[top - 1]
        filled = sum(1 for text in above if text)
        current = [text for text in names(top) if text]
        needed = not names(top)[anchor] or len(set(current)) < len(current)
        wide = filled >= 3 and filled >= width / 3
        if filled and _is_header_like(above) and (wide or (needed and filled >= 1 and (above[anchor] or filled >= 2))):
            top -= 1
        else:
            break
    # Rows between header and data (blank ones, line numbers, headings of blocks) are data to the reader: ignored.
    seen.header_first, seen.header_rows = top, bottom - top + 1
    plain = _joined(texts[top : bottom + 1], fill_right=False)
    seen.fill_right = seen.header_rows > 1 and names(top) != plain


def _bottom_of_header(texts: list[list[str]], first: int, anchor: int, seen: Look) -> int:
    """The last row of names above the data; rows of line numbers and headings of blocks may stand between."""
    nearest = first - 1
    while nearest > 0 and not any(texts[nearest]):
        nearest -= 1
    bottom = nearest
    numbers: tuple[str, str] | None = None
    headings: list[str] = []
    while bottom > 0:
        filled = [(place, text) for place, text in enumerate(texts[bottom]) if text]
        is_line = len(filled) >= 2 and all(p > anchor and NUMBER.match(t) and not YEAR_CELL.match(t) for p, t in filled)
        if is_line:
            numbers = (letter(filled[0][0]), filled[0][1])
        elif len(filled) == 1 and filled[0][0] <= anchor and sum(1 for t in texts[first] if t) > 2:
            headings.append(filled[0][1])
        elif filled:
            break
        bottom -= 1
    names = [text for text in texts[bottom] if text]
    if len(names) < 2 or not _is_header_like(texts[bottom]):
        return nearest  # nothing above looks like a header: what stands right above the data is taken for it
    seen.line_numbers = numbers
    seen.headings = headings[::-1]
    return bottom


def _joined(rows: list[list[str]], *, fill_right: bool) -> list[str]:
    from pipelines.intake.header import join_header

    return join_header(rows, fill_right=fill_right)


@dataclass
class _Row:
    """A data row: its cells in comparison form and as they stand."""

    texts: list[str]
    raw: tuple[str | None, ...]
    known: bool


def _data_rows(
    texts: list[list[str]], raw: list[tuple[str | None, ...]], anchor: int, matching: set[str], seen: Look
) -> list[_Row]:
    """The rows of the table; footnotes, totals and repeated headers set aside and noted."""
    header = texts[seen.header_first]
    widest = max(sum(1 for text in row if text) for row in texts[seen.data_first : seen.data_first + 50])
    last = max(
        i
        for i in range(seen.data_first, len(texts))
        if _has_figures(texts[i]) or (texts[i][anchor] in matching and sum(1 for t in texts[i] if t) > 1)
    )
    if len(texts) < SAMPLE_ROWS or last < len(texts) - 1:
        for row in texts[last + 1 :]:
            first = next((text for text in row if text), "")
            if first:
                start = re.match(r"^[^\d:：.。,，、\s]{1,12}", first)
                pattern = "^" + re.escape(start.group(0) if start else first[:12])
                if FOOTNOTE.match(first) or not any(g.value == pattern for g in seen.end_at):
                    seen.end_at.append(Guess(pattern, f"after the last row of figures: {first[:40]}"))
                break
    seen.data_last = last
    rows: list[_Row] = []
    unmatched: Counter[str] = Counter()
    for index in range(seen.data_first, last + 1):
        row = texts[index]
        if not any(row):
            continue
        if row == header and index > seen.data_first:
            seen.repeats = True
            continue
        name = row[anchor]
        if seen.repeats and (_is_header_like(row) or sum(1 for t in row if t) < 2):
            continue
        first = next(text for text in row if text)
        if not _has_figures(row) and FOOTNOTE.match(first):
            pattern = "^" + re.escape(re.match(r"^[^\d:：.。,，、\s]{1,12}", first).group(0))  # type: ignore[union-attr]
            seen.end_at.append(Guess(pattern, f"notes inside the table: {first[:40]}"))
            break
        if widest > 2 and name == first and name not in matching and sum(1 for text in row if text) == 1:
            seen.headings.append(name)
            continue
        if (TOTAL.match(name) or TOTAL_WORD.search(name)) and name not in matching:
            seen.totals.append(name)
            continue
        known = name in matching or (seen.code_length is not None and name.zfill(seen.code_length) in matching)
        if not known and name:
            unmatched[name] += 1
        rows.append(_Row(row, raw[index], known))
    seen.totals = list(dict.fromkeys(seen.totals))
    seen.headings = list(dict.fromkeys(seen.headings))
    seen.unmatched = list(unmatched)
    seen.data_rows = len(rows)
    seen.end_at = list({guess.value: guess for guess in seen.end_at}.values())
    seen.end_at = [g for g in seen.end_at if not any(re.search(g.value, next(t for t in r.texts if t)) for r in rows)]
    return rows


def _is_figure(text: str) -> bool:
    """A number, a marked number, or a sign that stands where a number would."""
    return bool(text) and (bool(NUMBER.match(text)) or text in TOKENS or bool(MARKED.match(text)))


def _has_figures(row: list[str]) -> bool:
    return any(NUMBER.match(text) for text in row if text) and sum(1 for text in row if text) >= 2


def _describe(columns: list[Column], rows: list[_Row], seen: Look) -> None:
    """What the cells of each column are."""
    for column in columns:
        filled = years = references = 0
        for row in rows:
            text = row.texts[column.index]
            if not text:
                column.blanks += 1
                continue
            filled += 1
            if text.isdecimal() and text.isascii() and len(text) != 4 and text == row.raw[column.index]:
                column.numbers += 1  # the commonest cell needs no closer look
                continue
            years += bool(YEAR_CELL.match(text))
            references += bool(REFERENCE.match(text))
            if CONTINENTAL.match((row.raw[column.index] or "").strip()):
                column.continental.append((row.raw[column.index] or "").strip())
            if NUMBER.match(text) and not re.search(r"\d\s+\d", (row.raw[column.index] or "").strip()):
                column.numbers += 1
                number = text.strip("()").replace(",", "")
                column.percent |= number.endswith("%")
                column.integer &= "." not in number.rstrip("0").rstrip(".") and "e" not in number.lower()
                if number.startswith("-") or text.startswith("("):
                    column.minimum = -1.0
            else:
                column.texts[(row.raw[column.index] or "").strip()] += 1
        if column in (seen.name, seen.code):
            continue
        if not filled:  # a year for which nothing has been reported yet is a column of figures all the same
            column.kind = "number" if YEAR.search(column.name) else "empty"
        elif years == filled and not YEAR.search(column.name) and len(rows) > 1:
            column.kind = "year"
        elif references == filled < len(rows) / 2:
            column.kind = "text"  # the numbers of notes
        elif _looks_numeric(column, filled, seen):
            column.kind = "number"
    _serial_number(columns, rows, seen)
    values = [c for c in columns if c.kind == "number"]
    for column in values:
        for text in column.texts:
            form = normalise(text).replace("–", "-").replace("−", "-")
            mark = MARKED.match(text.strip())
            if form in TOKENS:
                seen.tokens.setdefault(text.strip(), TOKENS[form])
            elif mark:
                sign = mark.group(1)
                meaning = MARKS.get(sign)
                why = "its usual meaning" if meaning else "a mark of unknown meaning: taken as a mere note"
                seen.marks.setdefault(sign, (meaning or "note", why))
        if column.blanks:
            seen.tokens.setdefault("", ("missing", "some cells are empty"))


def _looks_numeric(column: Column, filled: int, seen: Look) -> bool:
    """True for a column of figures: numbers, tokens and marked numbers, whatever a few odd cells hold."""
    odd = sum(
        count
        for text, count in column.texts.items()
        if normalise(text).replace("–", "-") not in TOKENS and not MARKED.match(text.strip())
    )
    if len(column.continental) > odd * 0.5:
        odd = 0
    enough = column.numbers + len(column.continental) > 0 or YEAR.search(column.name) is not None
    return enough and odd <= max(2, filled * 0.2) and odd < filled


def _serial_number(columns: list[Column], rows: list[_Row], seen: Look) -> None:
    """A first column that only counts the rows is no measure."""
    for column in columns:
        if column.kind == "number" and column.index < (seen.name or seen.code or column).index:
            counted = [row.texts[column.index] for row in rows]
            if counted == [str(i) for i in range(1, len(rows) + 1)]:
                column.kind = "serial"


def _name_marks(rows: list[_Row], names: set[str], seen: Look) -> None:
    """Signs before names, words behind them, and blanks before them that show levels."""
    if seen.name is None:
        return
    index = seen.name.index
    prefixes: Counter[str] = Counter()
    suffixes: Counter[str] = Counter()
    for row in rows:
        name = row.texts[index]
        if name in names or not name:
            continue
        for length in range(1, 5):
            if name[length:] in names:
                prefixes[name[:length]] += 1
            if name[:-length] in names:
                suffixes[name[-length:]] += 1
    seen.name_prefixes = [p for p, n in prefixes.items() if n >= 2 or not p.isalnum()]
    seen.name_suffixes = [s for s, n in suffixes.items() if n >= 2]
    depths = {len(text) - len(text.lstrip(" \t\u00a0\u3000")) for row in rows if (text := row.raw[index] or "").strip()}
    repeated = Counter(row.texts[index] for row in rows if row.known)
    seen.indent = len(depths) > 1 and any(count > 1 for count in repeated.values())
    explained = {*seen.name_prefixes, *seen.name_suffixes}
    seen.unmatched = [
        name
        for name in seen.unmatched
        if not any(
            (name.startswith(mark) and name[len(mark) :] in names)
            or (name.endswith(mark) and name[: -len(mark)] in names)
            for mark in explained
        )
    ]
    if seen.code is not None:
        seen.no_code = sorted({row.texts[seen.code.index] for row in rows if row.texts[seen.code.index] in TOKENS})


def _labels(columns: list[Column], rows: list[_Row], seen: Look) -> None:
    """Text columns: what tells apart rows of one region, and labels that stand once for a whole block."""
    anchor = seen.code or seen.name
    assert anchor is not None
    year = seen.year_column

    def key(extra: list[Column]) -> int:
        wanted = [anchor, *([year] if year else []), *extra]
        return len({tuple(row.texts[c.index] for c in wanted) for row in rows})

    chosen: list[Column] = []
    for column in columns:
        if column.kind != "text" or column in (seen.name, seen.code) or not sum(column.texts.values()) + column.numbers:
            continue
        texts = [row.texts[column.index] for row in rows]
        distinct = list(dict.fromkeys(text for text in texts if text))
        if 0 < len(distinct) <= 30 and len([t for t in texts if t]) < len(texts) / 2 and texts[0]:
            seen.labels.append((column, True, distinct))
            chosen.append(column)
    if any(fill for _, fill, _ in seen.labels):
        return
    for column in columns:
        is_class = column.kind == "number" and column.integer and not column.texts and not column.blanks
        if key(chosen) == len(rows):
            break
        if (
            column.kind == "text" or (is_class and re.search(r"码|代码|编号|コード|code|class|id$", column.name, re.I))
        ) and (column not in (seen.name, seen.code, year)):
            distinct = list(dict.fromkeys(row.texts[column.index] for row in rows if row.texts[column.index]))
            if len(distinct) > 1 and key([*chosen, column]) > key(chosen):
                column.kind = "text"
                chosen.append(column)
                seen.labels.append((column, False, distinct))


def _units_and_find(texts: list[list[str]], joined: list[str], seen: Look) -> None:
    """The unit that the preamble states, and the names by which the header is found again."""
    for text in seen.preamble:
        stated = UNIT_LINE.search(text)
        if stated:
            seen.unit_line = stated.group(1).strip(")）]】")
            break
    rows = texts[seen.header_first : seen.header_first + seen.header_rows]
    top = rows[0]
    anchors = [c for c in (seen.code, seen.name, seen.year_column) if c is not None]
    wanted: list[str] = []
    for column in anchors:
        parts = [row[column.index] for row in rows if row[column.index]]
        if parts:
            wanted.append(parts[0])
    if not any(name in top for name in wanted):
        wanted += [text for text in top if text and not YEAR.search(text)][:1] or [t for t in top if t][:2]
    if len(wanted) < 2:
        others = [
            row[c.index] for c in seen.values for row in rows[:1] if row[c.index] and not YEAR.search(row[c.index])
        ]
        wanted += [text for text in others if text not in wanted][:1]
    seen.find = list(dict.fromkeys(wanted))
    present = [{text for row in texts[i : i + seen.header_rows] for text in row} for i in range(seen.header_first + 1)]
    hits = [
        i for i, names in enumerate(present) if set(seen.find) <= names and any(name in texts[i] for name in seen.find)
    ]
    if not seen.find or hits[:1] != [seen.header_first]:
        seen.find = []


def parts_of_header(header: str) -> tuple[str, dict[str, str]]:
    """What a header says beside its subject: sex, residence and age group, and the rest of it."""
    dimensions: dict[str, str] = {}
    rest = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    for dimension, words in (("sex", SEXES), ("residence", RESIDENCES)):
        hits = {value: re.search(pattern, rest, re.IGNORECASE) for value, pattern in words.items()}
        found = [(value, match) for value, match in hits.items() if match]
        if len(found) == 1:
            value, match = found[0]
            dimensions[dimension] = value
            rest = rest[: match.start()] + rest[match.end() :]
    for pattern, form in AGES:
        aged = pattern.search(rest)
        if aged:
            dimensions["age_group"] = form.format(*(g for g in aged.groups() if g))
            rest = rest[: aged.start()] + rest[aged.end() :]
            break
    return re.sub(r"^[\s/_()（）\-,:]+|[\s/_()（）\-,:]+$", "", rest), dimensions


def sheet_of(seen: Look) -> str:
    """The sheet, or the file's stem, as a title."""
    return seen.sheet or Path(seen.file_name).stem


def frame_of(seen: Look) -> pl.DataFrame:
    """The columns as a table for people."""
    return pl.DataFrame(
        [{"column": c.address, "header": c.name, "kind": c.kind, "numbers": c.numbers} for c in seen.columns]
    )
