"""PC-Axis files (.px), as statistical offices publish tables, to a grid: one row for each number.

A file is a list of statements `KEYWORD[language]("variable")="text","text";`, the last of which is DATA. It is read by
that grammar alone; what a column means is the contract's word. Rows that a file with KEYS leaves out are left out here
too: some programs leave out zeros, others what is missing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats.encodings import detect
from pipelines.formats.grid import MAX_CELLS, Grid
from pipelines.formats.long_table import Dimension, along, cells_of, long_grid
from pipelines.formats.text import beginning, decode_declared
from pipelines.jurisdiction.contract import Format

# Possessive: a file without an end is refused in one pass, however it is made.
_STATEMENT = re.compile(
    r"\s*+([A-Za-z][A-Za-z0-9_-]*+)(?:\[([A-Za-z0-9_-]*+)\])?+"
    r"(?:\(\s*+(\"[^\"]*+\"(?:\s*+,\s*+\"[^\"]*+\")*+)\s*+\))?+\s*+="
)
_VALUE = re.compile(r"(?:[^\";]++|\"[^\"]*+\")*+;")
_TEXT = re.compile(r"\"([^\"]*+)\"")
_LISTED = re.compile(r"\"[^\"]*+\"(?:\s*+\"[^\"]*+\")*+")  # one text may go on in the next line
_CELL = re.compile(r"\"[^\"]*+\"|[^\s,;\"]++")
_ABOUT = ("TITLE", "DESCRIPTION", "CONTENTS", "UNITS", "REFPERIOD", "SOURCE", "MATRIX")
_SEND_AGAIN = "ask for the file again, as the statistics program wrote it"


@dataclass
class _Statements:
    """What the file says before its numbers: (keyword, language, variables) -> the statement's text."""

    texts: dict[tuple[str, str, tuple[str, ...]], str] = field(default_factory=dict)

    def listed(self, keyword: str, language: str, *variables: str) -> list[str]:
        """The texts of a list, or none."""
        text = self.texts.get((keyword, language, variables), "")
        return ["".join(_TEXT.findall(run)) for run in _LISTED.findall(text)]

    def one(self, keyword: str, language: str = "", *variables: str) -> str:
        """A statement's single text, quoted or bare; empty where there is none."""
        found = self.listed(keyword, language, *variables)
        return found[0] if found else self.texts.get((keyword, language, variables), "").strip()


def is_pc_axis(data: bytes) -> bool:
    """True when the bytes begin with statements of PC-Axis."""
    text = beginning(data, 1_000_000)
    return _STATEMENT.match(text) is not None and re.search(r"^\s*(STUB|HEADING|MATRIX)\s*=", text, re.M) is not None


def read_pc_axis(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The one table of a PC-Axis file.

    Its columns are each variable, its code, `unit`, and `value`: a number or one of the signs for none (`".."`).
    Raises UnreadableFileError where a statement is not closed, or DATA has not as many cells as the variables say.
    """
    text, findings = decode_declared(data, rule, _declared_encoding(data, rule, where), where)
    said, numbers = _statements(text, where)
    language = _language(said, rule, where)
    heading = _variables(said, "HEADING", language)
    stub = _variables(said, "STUB", language)
    if not stub and not heading:
        raise UnreadableFileError("the file names no variables (STUB, HEADING)", where=where, do=_SEND_AGAIN)
    dimensions = [_dimension(said, position, language, where) for position in (*stub, *heading)]
    cells = cells_of(dimensions, where)
    if any(keyword == "KEYS" for keyword, *_ in said.texts):
        kinds = [said.one("KEYS", "", main).upper() for _, main in stub]
        places, values = _sparse(_cells(numbers, MAX_CELLS, where), kinds, dimensions, where)
    else:
        values = _cells(numbers, cells, where)
        if len(values) != cells:
            counted = f"{len(values):,}" if len(values) < cells else f"more than {cells:,}"
            raise UnreadableFileError(
                f"DATA has {counted} cells; the variables make {cells:,}", where=where, do=_SEND_AGAIN
            )
        places = pl.Series(range(cells), dtype=pl.Int64)
    columns = {"unit": _units(said, language, dimensions, places), "value": pl.Series(values, dtype=pl.String)}
    about = [
        (name, said.one(name, language) or said.one(name))
        for name in _ABOUT
        if said.one(name, language) or said.one(name)
    ]
    return [replace(long_grid("", about, dimensions, places, columns, where), findings=tuple(findings))]


def _declared_encoding(data: bytes, rule: Format, where: str) -> str | None:
    """The encoding that CODEPAGE names, or none where CHARSET says that it is one of Windows.

    Raises UnreadableFileError for a file with neither: its bytes are of an old DOS code page that nothing in it names.
    """
    head = beginning(data, 1_000_000)
    named = re.search(r"^\s*CODEPAGE\s*=\s*\"([\w.-]+)\"", head, re.M)
    if named or rule.stated_encoding or re.search(r"^\s*CHARSET\s*=\s*\"ANSI\"", head, re.M):
        return named.group(1) if named else None
    if not detect(data).is_declared:
        raise UnreadableFileError(
            "the file names no character set, and holds other letters than those of English",
            where=where,
            do="name it with `format.encoding` in the contract: cp850 or cp437 for files of DOS programs",
        )
    return None


def _statements(text: str, where: str) -> tuple[_Statements, str]:
    """The statements before DATA, and the text after `DATA=`."""
    said, at = _Statements(), 0
    while match := _STATEMENT.match(text, at):
        keyword = match.group(1).upper()
        if keyword == "DATA":
            return said, text[match.end() :]
        value = _VALUE.match(text, match.end())
        if value is None:
            break
        key = (keyword, (match.group(2) or "").lower(), tuple(_TEXT.findall(match.group(3) or "")))
        if key in said.texts and keyword in ("STUB", "HEADING", "VALUES", "CODES", "UNITS", "KEYS"):
            raise UnreadableFileError(
                f"the file says {keyword} twice", where=f"{where}, line {_line(text, match.start(1))}", do=_SEND_AGAIN
            )
        said.texts[key] = value.group()[:-1]
        at = value.end()
    raise UnreadableFileError(
        "what stands here is no statement KEYWORD=...; that is closed, and DATA has not come yet",
        where=f"{where}, line {_line(text, at + len(text[at:]) - len(text[at:].lstrip()))}",
        do=_SEND_AGAIN,
    )


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _language(said: _Statements, rule: Format, where: str) -> str:
    """The language to read by its texts; empty for the file's main one, whose statements name none."""
    main = said.one("LANGUAGE").lower()
    wanted = (rule.language or main).lower()
    others = [name.lower() for name in said.listed("LANGUAGES", "")]
    if wanted == main or not wanted:
        return ""
    if wanted not in others:
        raise UnreadableFileError(
            f"the file has no language {wanted!r}; it has {', '.join(others or [main or 'one without a name'])}",
            where=where,
            do="correct `format.language` in the contract",
        )
    return wanted


def _variables(said: _Statements, keyword: str, language: str) -> list[tuple[str, str]]:
    """The variables of the rows or columns: (name in the language, name in the main language)."""
    main = said.listed(keyword, "")
    names = said.listed(keyword, language) if language else main
    return list(zip(names, main, strict=True)) if len(names) == len(main) else [(name, name) for name in main]


def _dimension(said: _Statements, variable: tuple[str, str], language: str, where: str) -> Dimension:
    name, main = variable
    labels = said.listed("VALUES", language, name) or said.listed("VALUES", "", main)
    codes = said.listed("CODES", language, name) or said.listed("CODES", "", main) or labels
    if not labels or len(codes) != len(labels):
        raise UnreadableFileError(
            f"the variable {name!r} has {len(labels)} VALUES and {len(codes)} CODES", where=where, do=_SEND_AGAIN
        )
    if len(set(codes)) != len(codes):
        raise UnreadableFileError(f"the variable {name!r} has a code twice", where=where, do=_SEND_AGAIN)
    return Dimension(name, codes, labels)


def _cells(numbers: str, most: int, where: str) -> list[str]:
    """The cells of DATA, or one more than `most`. Blanks, commas, tabs and semicolons part them; `;` ends them."""
    numbers = numbers.rstrip("\x1a\x00 \t\r\n")
    if not numbers.endswith(";"):
        raise UnreadableFileError(
            "the file ends without the `;` that closes DATA: it may be cut off", where=where, do=_SEND_AGAIN
        )
    cells = [match.group() for match in islice(_CELL.finditer(numbers), most + 1)]
    if numbers.count('"') % 2:
        raise UnreadableFileError("a quote in DATA is not closed", where=where, do=_SEND_AGAIN)
    return [cell.strip('"') for cell in cells]


def _sparse(cells: list[str], kinds: list[str], dimensions: list[Dimension], where: str) -> tuple[pl.Series, list[str]]:
    """A file with KEYS: each row names its values of the stub, by `kinds`, then gives one number for each column."""
    lookups = []
    for kind, dimension in zip(kinds, dimensions, strict=False):
        if kind not in ("CODES", "VALUES"):
            raise UnreadableFileError(
                f"KEYS does not say whether rows name the values of {dimension.name!r} by CODES or by VALUES",
                where=where,
                do=_SEND_AGAIN,
            )
        texts = dimension.codes if kind == "CODES" else dimension.labels
        lookups.append({text: position for position, text in enumerate(texts)})
        if len(lookups[-1]) != len(texts):
            raise UnreadableFileError(
                f"rows name the values of {dimension.name!r} by texts of which some are alike",
                where=where,
                do=_SEND_AGAIN,
            )
    columns = math.prod(len(dimension.codes) for dimension in dimensions[len(kinds) :])
    places: list[int] = []
    values: list[str] = []
    seen: set[int] = set()
    for keys, row in _rows(cells, len(kinds), columns, where):
        place = 0
        for key, lookup in zip(keys, lookups, strict=True):
            if key not in lookup:
                raise UnreadableFileError(
                    f"a row of DATA is called {key!r}, which is not among the values", where=where, do=_SEND_AGAIN
                )
            place = place * len(lookup) + lookup[key]
        if place in seen:
            raise UnreadableFileError(f"DATA has the row {', '.join(keys)} twice", where=where, do=_SEND_AGAIN)
        seen.add(place)
        places += range(place * columns, (place + 1) * columns)
        values += row
    return pl.Series(places, dtype=pl.Int64), values


def _rows(cells: list[str], keys: int, columns: int, where: str) -> Iterator[tuple[list[str], list[str]]]:
    width = keys + columns
    if len(cells) % width:
        raise UnreadableFileError(
            f"DATA has {len(cells):,} cells, which are no whole rows of {keys} keys and {columns} numbers",
            where=where,
            do=_SEND_AGAIN,
        )
    for start in range(0, len(cells), width):
        yield cells[start : start + keys], cells[start + keys : start + width]


def _units(said: _Statements, language: str, dimensions: list[Dimension], places: pl.Series) -> pl.Series:
    """The unit of each number: one for all, or one for each value of the variable that names the contents."""
    contents = said.one("CONTVARIABLE", language) or said.one("CONTVARIABLE")
    for position, dimension in enumerate(dimensions):
        units = [said.one("UNITS", language, label) or None for label in dimension.labels]
        if dimension.name == contents and any(units):
            return along(units, position, dimensions, places)
    common = said.one("UNITS", language) or said.one("UNITS")
    return pl.Series([common or None], dtype=pl.String).new_from_index(0, places.len())
