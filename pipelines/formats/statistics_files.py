"""Files of statistics programs (Stata, SPSS) to a grid: one row for each record, names in row 0.

A variable with value labels gives two columns: `sex`, what a person reads (the label; the value where it has none),
and `sex (code)`, the value as stored. What a program holds for missing is never a number: the system's own is an empty
cell, one that a person declared is its label or the word `missing` with its value. Dates are dates, as text.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import ROW, Grid, cell_schema, give_up, number_text, places, refuse_size
from pipelines.formats.long_table import CODE
from pipelines.jurisdiction.contract import Format

_SEND_AGAIN = "ask for the file again, or for the table as CSV"
_STATA = datetime(1960, 1, 1)
_SPSS = datetime(1582, 10, 14)
_OLD_STATA = range(102, 118)  # files of these releases do not say what encoding their texts are in


@dataclass(frozen=True)
class _Variable:
    """One variable: its values as stored, what they are called, and which of them stand for nothing."""

    name: str
    values: list[Any]
    labels: Mapping[Any, str]
    shown: Callable[[Any], str]
    is_missing: Callable[[Any], bool]

    def columns(self) -> dict[str, list[str | None]]:
        """The column of the name, and that of the codes where values have labels."""
        codes = {value: self._code(value) for value in set(self.values)}
        if not self.labels:
            return {self.name: [codes[value] for value in self.values]}
        read = {value: self._label(value, code) for value, code in codes.items()}
        return {
            self.name: [read[value] for value in self.values],
            CODE.format(self.name): [codes[value] for value in self.values],
        }

    def _code(self, value: Any) -> str | None:
        if value is None or value == "":
            return None
        text = value if isinstance(value, str) else self.shown(value)
        return f"missing {text}" if self.is_missing(value) else text

    def _label(self, value: Any, code: str | None) -> str | None:
        label = self.labels.get(value, "").strip()
        if self.is_missing(value) and any(character.isdigit() for character in label):
            return f"missing {label}"  # its label must not be taken for a number either
        return label or code


def is_stata(data: bytes) -> bool:
    """True when the bytes begin as those of Stata do."""
    return data.startswith(b"<stata_dta>") or (
        len(data) > 100 and data[0] in range(105, 116) and data[1] in (1, 2) and data[2] == 1 and data[3] == 0
    )


def is_spss(data: bytes) -> bool:
    """True when the bytes begin as those of SPSS do (.sav, .zsav)."""
    return data.startswith((b"$FL2@(#)", b"$FL3@(#)"))


def is_spss_portable(data: bytes) -> bool:
    """True when the bytes begin as those of a portable SPSS file do (.por)."""
    return b"SPSSPORT" in data[:600].replace(b"\r", b"").replace(b"\n", b"")


def read_stata(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The one table of a Stata file, of any release from 5 on."""
    import pyreadstat  # only these files need it

    if data.startswith(b"<stata_dta>") and not data.rstrip(b"\x00\r\n").endswith(b"</stata_dta>"):
        raise UnreadableFileError("the file ends before its end: it was cut off", where=where, do=_SEND_AGAIN)
    release = int(data[28:31]) if data[28:31].isdigit() else data[0]
    columns, described = _parsed(pyreadstat.read_dta, data, rule, where, user_missing=True)
    if release in _OLD_STATA:
        _refuse_unnamed_encoding(columns, described, rule, where)
    return [_grid([_stata_variable(name, columns[name], described) for name in columns], described, where)]


def read_spss(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The one table of an SPSS file (.sav, .zsav)."""
    import pyreadstat  # only these files need it

    columns, described = _parsed(pyreadstat.read_sav, data, rule, where, user_missing=True)
    if not described.file_encoding:
        _refuse_unnamed_encoding(columns, described, rule, where)
    return [_grid(_spss_variables(columns, described), described, where)]


def read_spss_portable(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The one table of a portable SPSS file; values that a person declared missing are empty cells there."""
    import pyreadstat  # only these files need it

    columns, described = _parsed(pyreadstat.read_por, data, rule, where)
    return [_grid(_spss_variables(columns, described), described, where)]


def _parsed(
    read: Callable[..., tuple[dict[str, list[Any]], Any]], data: bytes, rule: Format, where: str, **options: Any
) -> tuple[dict[str, list[Any]], Any]:
    """The columns of a file and what it says of them, in numbers where the program shows dates.

    Raises UnreadableFileError for what the library cannot read, for a size that no honest file has, and for a file
    with fewer records than it says.
    """
    encoding = rule.stated_encoding
    options.update(output_format="dict", disable_datetime_conversion=True)
    if encoding and "user_missing" in options:
        options["encoding"] = _iconv_name(encoding)
    try:
        _, head = read(io.BytesIO(data), metadataonly=True, **options)
        rows, width = head.number_rows, head.number_columns
        refuse_size(max(0, rows or 0) + 1, 2 * width, where)
        columns, described = read(io.BytesIO(data), **options)
    except UnreadableFileError:
        raise
    except BaseException as error:
        give_up(error, "not readable as a file of this statistics program", where, _SEND_AGAIN)
    counted = len(next(iter(columns.values()), []))
    if rows is not None and rows >= 0 and counted != rows:
        raise UnreadableFileError(f"the file says {rows:,} records and has {counted:,}", where=where, do=_SEND_AGAIN)
    return columns, described


def _iconv_name(encoding: str) -> str:
    """An encoding as the library calls it."""
    name = codecs.lookup(encoding).name
    for ours, theirs in (("iso8859-", "ISO-8859-"), ("cp125", "WINDOWS-125"), ("utf-8-sig", "UTF-8")):
        name = name.replace(ours, theirs)
    return name.upper().replace("_", "-")


def _refuse_unnamed_encoding(columns: dict[str, list[Any]], described: Any, rule: Format, where: str) -> None:
    """Raises UnreadableFileError when the file does not say how its letters are written, and has some beyond ASCII."""
    if rule.stated_encoding:
        return
    texts = [text for values in columns.values() for text in values if isinstance(text, str)]
    texts += [label for labels in described.variable_value_labels.values() for label in labels.values()]
    if not all(text.isascii() for text in (*columns, *texts)):
        raise UnreadableFileError(
            "the file does not say which encoding its texts are in",
            where=where,
            do="name it with `format.encoding` in the contract (gb18030, cp1252 ...)",
        )


def _grid(variables: list[_Variable], described: Any, where: str) -> Grid:
    columns: dict[str, list[str | None]] = {}
    for variable in variables:
        for name, texts in variable.columns().items():
            if name in columns:
                raise UnreadableFileError(f"two columns are called {name!r}", where=where, do=_SEND_AGAIN)
            columns[name] = [name, *texts]
    if not columns:
        raise UnreadableFileError("the file has no variables", where=where, do=_SEND_AGAIN)
    about = [f"LABEL={described.file_label}"] if (described.file_label or "").strip() else []
    height = len(next(iter(columns.values())))
    refuse_size(height + len(about), len(columns), where)
    schema = cell_schema(len(columns), row=False)
    cells = pl.DataFrame(dict(zip(schema, columns.values(), strict=True)), schema=schema)
    top = pl.DataFrame([[text, *[None] * (len(columns) - 1)] for text in about], schema=schema, orient="row")
    numbers = pl.Series(ROW, range(-len(about), height), dtype=pl.Int64)
    numeric = {v.name for v in variables if any(isinstance(value, float | int) for value in v.values)}
    of_numbers = [f"c{index}" for index, name in enumerate(columns) if name in numeric]
    found = pl.concat([top, cells]).insert_column(0, numbers)
    return Grid("", found, number_cells=lambda: places([(None, cell) for cell in of_numbers]))


# -- SPSS ---------------------------------------------------------------------------------------------------


def _spss_variables(columns: dict[str, list[Any]], described: Any) -> list[_Variable]:
    return [
        _Variable(
            name,
            values,
            described.variable_value_labels.get(name, {}),
            _spss_text(described.original_variable_types.get(name) or ""),
            _within(described.missing_ranges.get(name, [])),
        )
        for name, values in columns.items()
    ]


def _within(ranges: list[dict[str, Any]]) -> Callable[[Any], bool]:
    """True of a value that the file declares missing."""

    def is_missing(value: Any) -> bool:
        return value is not None and any(
            isinstance(value, str) == isinstance(span["lo"], str) and span["lo"] <= value <= span["hi"]
            for span in ranges
        )

    return is_missing


def _spss_text(display: str) -> Callable[[Any], str]:
    """How a number of a variable is written, by the format that SPSS shows it in: times are seconds since 1582."""
    kind = display.upper().rstrip("0123456789.")
    forms: dict[str, Callable[[datetime], str]] = {
        **dict.fromkeys(("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "WKYR"), lambda t: f"{t:%Y-%m-%d}"),
        "MOYR": lambda t: f"{t:%Y-%m}",
        "QYR": lambda t: f"{t.year}Q{(t.month + 2) // 3}",
        **dict.fromkeys(("DATETIME", "YMDHMS"), lambda t: f"{t:%Y-%m-%d %H:%M:%S}"),
    }
    if kind in forms:
        return lambda value: _moment(display, value, lambda: forms[kind](_SPSS + timedelta(seconds=value)))
    if kind in ("TIME", "DTIME", "MTIME"):
        return lambda value: _moment(display, value, lambda: str(timedelta(seconds=value)))
    return number_text


# -- Stata --------------------------------------------------------------------------------------------------


def _stata_variable(name: str, values: list[Any], described: Any) -> _Variable:
    kind = described.readstat_variable_types.get(name)
    labels = described.variable_value_labels.get(name, {})
    if kind == "string":
        return _Variable(name, values, labels, str, _never)
    # The library names the kinds of missing by their letters; Stata writes them .a to .z.
    values = [f".{value}" if isinstance(value, str) and value else value for value in values]
    labels = {f".{value}" if isinstance(value, str) else value: label for value, label in labels.items()}
    shown = _stata_text(described.original_variable_types.get(name) or "", kind == "float")
    return _Variable(name, values, labels, shown, _is_letter)


def _never(value: Any) -> bool:
    return False


def _is_letter(value: Any) -> bool:
    return isinstance(value, str)


def _stata_text(display: str, of_singles: bool) -> Callable[[Any], str]:
    """How a number of a variable is written, by its display format: times are counted from 1960 on."""
    form = display.replace("%-", "%")
    if form.startswith(("%td", "%d")):
        return lambda value: _moment(form, value, lambda: f"{date(1960, 1, 1) + timedelta(days=value):%Y-%m-%d}")
    if form.startswith("%tc"):
        return lambda value: _moment(form, value, lambda: f"{_STATA + timedelta(milliseconds=value):%Y-%m-%d %H:%M:%S}")
    if form.startswith(("%ty", "%tg")) or not form.startswith("%t"):
        return single_text if of_singles else number_text
    parts = {"%tm": (12, "{}-{:02}"), "%tq": (4, "{}Q{}"), "%th": (2, "{}H{}"), "%tw": (52, "{}w{}")}
    count, text = parts.get(form[:3], (0, ""))
    if not count:  # leap seconds, business calendars: what they are days of is not in the file
        return lambda value: f"{form} {number_text(value)}"

    def part_of_a_year(value: Any) -> str:
        year, place = divmod(int(value), count)
        return text.format(1960 + year, place + 1)

    return lambda value: _moment(form, value, lambda: part_of_a_year(value))


def single_text(value: Any) -> str:
    """A number that its file stores in four bytes, in as many digits as these bear: 0.1, not 0.10000000149011612."""
    import numpy as np  # comes with the library that reads these files

    return number_text(float(str(np.float32(value))))


def _moment(form: str, value: Any, made: Callable[[], str]) -> str:
    """A date as text; where the number is none, the number with its format, which nobody takes for a number."""
    try:
        return made() if float(value) == value else f"{form} {value}"
    except (OverflowError, ValueError, TypeError):
        return f"{form} {value}"
