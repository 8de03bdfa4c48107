"""What was seen in one sheet of an unknown file, and what is known of the jurisdiction that it may be about.

Only the records of it; how things are seen stands in the modules beside.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from pipelines.intake.layout import letter
from pipelines.intake.names import RegionIndex
from pipelines.intake.sniffing.words import (
    FINANCIAL_YEAR,
    GENERIC_SHEET,
    IN_BRACKETS,
    NO_TITLE,
    NOTE_NUMBER,
    TABLE_NUMBER,
    YEAR,
)
from pipelines.jurisdiction.contract import Format, SheetRule
from pipelines.jurisdiction.personal_kinds import USUAL_KINDS, PersonalKind
from pipelines.jurisdiction.text import normalise


@dataclass(frozen=True)
class Grounds:
    """What is known of a jurisdiction before its contracts: unit -> base unit, regions, measures; all may be empty.

    `personal` are the numbers that name a person there; none of them is looked at. `has_financial_years`:
    its file says when years begin that do not begin with January.
    """

    units: dict[str, str]
    regions: pl.DataFrame
    measures: pl.DataFrame
    personal: tuple[PersonalKind, ...] = tuple(USUAL_KINDS)
    has_financial_years: bool = False

    @cached_property
    def index(self) -> RegionIndex:
        """The regions, ready for look-up."""
        return RegionIndex(self.regions)

    @cached_property
    def unit_names(self) -> dict[str, str]:
        """Unit in comparison form -> as the jurisdiction writes it."""
        return {normalise(name): name for name in self.units}

    @cached_property
    def measure_names(self) -> dict[str, str]:
        """Name of a measure in comparison form (in either language, or its code) -> measure."""
        return {
            normalise(name): row["measure"]
            for row in self.measures.iter_rows(named=True)
            for name in (row["name_zh"], row["name_en"], row["measure"])
            if name
        }

    @cached_property
    def bases(self) -> dict[str, str]:
        """Each measure's base unit."""
        return dict(self.measures.select("measure", "unit").iter_rows())


@dataclass(frozen=True)
class Guess:
    """One thing that was concluded and the reason for it."""

    value: str
    why: str


@dataclass
class Column:
    """A column of the table as it looks."""

    index: int
    name: str  # in comparison form, header rows joined, or its letter in brackets
    title: str = ""  # the same with its blanks, for people
    kind: str = "text"  # number, year, text, empty, or `other`: neither a figure nor what tells figures apart
    why: str = ""  # what speaks for its kind, where it is `other`
    numbers: int = 0
    filled: int = 0
    blanks: int = 0
    texts: Counter[str] = field(default_factory=Counter)  # cells that are no numbers, as they are written
    integer: bool = True
    minimum: float = 0.0
    percents: int = 0  # cells with a percent sign
    continental: list[str] = field(default_factory=list)  # cells with a decimal comma
    either_mark: list[str] = field(default_factory=list)  # cells whose comma or point may be of thousands or decimal
    negatives: list[str] = field(default_factory=list)  # numbers in brackets, or with a minus behind them
    decimals: int = 0  # cells with another number of digits behind their mark
    regions_by_name: int = 0
    regions_by_code: int = 0
    is_twice: bool = False  # another column bears the same header

    @property
    def called(self) -> str:
        """What a contract calls the column: by its header, or by its letter where two bear one header."""
        return f"[{self.address}]" if self.is_twice else self.title

    @property
    def address(self) -> str:
        """The column's letter."""
        return letter(self.index)


@dataclass
class Look:
    """Everything that was seen in one sheet."""

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
    data_rows: int = 0
    columns: list[Column] = field(default_factory=list)
    preamble: list[str] = field(default_factory=list)  # in comparison form
    preamble_shown: list[str] = field(default_factory=list)  # the same as people read it
    contents: str = ""  # what a file of a statistics program calls its figures, beside its title
    name: Column | None = None
    code: Column | None = None
    are_listed: bool = True  # the regions are known by the jurisdiction's list; else the columns are known by looks
    region_why: dict[str, str] = field(default_factory=dict)  # code, name -> why this column
    places: dict[str, str] = field(default_factory=dict)  # regions by looks: text of the key column -> name
    code_length: int | None = None
    no_code: list[str] = field(default_factory=list)
    name_prefixes: list[str] = field(default_factory=list)
    name_suffixes: list[str] = field(default_factory=list)
    indent: bool = False
    end_at: list[Guess] = field(default_factory=list)
    totals: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)  # rows that only name the block below them
    line_numbers: tuple[str, str] | None = None  # column and text of a row of numbers between header and data
    unmatched: list[str] = field(default_factory=list)
    tokens: dict[str, tuple[str, str]] = field(default_factory=dict)  # cell -> meaning (or open), why
    marks: dict[str, tuple[str, str]] = field(default_factory=dict)
    labels: list[tuple[Column, bool, list[str]]] = field(default_factory=list)  # text columns, filled down?, texts
    unit_line: str = ""
    status_column: Column | None = None  # the column that says the status of each number
    unit_column: tuple[Column, list[str]] | None = None  # the column that says the unit of each row, and its texts
    unlisted_units: list[str] = field(default_factory=list)  # units that headers or lines above state, not listed

    @property
    def values(self) -> list[Column]:
        """The columns of numbers."""
        return [c for c in self.columns if c.kind == "number"]

    @property
    def year_column(self) -> Column | None:
        """The column that says which year a row is about."""
        return next((c for c in self.columns if c.kind == "year"), None)

    @property
    def anchor(self) -> Column:
        """The column that names each row: by name where there is one, since totals and headings have no code."""
        found = self.name or self.code
        assert found is not None
        return found

    @property
    def key(self) -> Column:
        """The column that says surest which region a row is about."""
        return self.code or self.anchor

    @property
    def weight(self) -> tuple[int, int, int]:
        """How much of a table was seen: distinct regions first, then numbers; upright before turned."""
        regions = max(
            (max(c.regions_by_name, c.regions_by_code) for c in self.columns),
            default=0,
        )
        return (regions, sum(c.numbers for c in self.values), 0 if self.format.transpose else 1)

    @property
    def title(self) -> str:
        """What the table is called: a line above it, else the sheet, else the file."""
        subject = of_any_year(self.subject) if self.reads_all_sheets else self.subject
        return subject or Path(self.file_name).name.split(".")[0]

    @property
    def subject(self) -> str:
        """What a line above the table or the sheet's name says that it is about; empty where neither does."""
        for line in self.preamble_shown:
            if len(line) > 3 and not NO_TITLE.match(line) and not line.isdigit():
                return _without_prefix(line)
        return self.sheet if self.sheet and not GENERIC_SHEET.match(self.sheet) else ""

    @property
    def reads_all_sheets(self) -> bool:
        """True when several sheets, or files of a zip, are read as several periods."""
        return any(isinstance(rule, SheetRule) and rule.all for rule in (self.format.sheet, self.format.member))


def of_any_year(title: str) -> str:
    """A title without the year that it names: what it is about goes on in other years."""
    for form in (FINANCIAL_YEAR, YEAR):
        title = re.sub(rf"[\s,，:：;–-]*(?:\b(?:in|for|of)\s+)?{form.pattern}(?:\s*年度?)?", "", title)
    return " ".join(title.split()).strip(" ,，:：;–-")


def _without_prefix(text: str) -> str:
    """A title without the word or number that some offices write before it, and without the numbers of notes."""
    text = TABLE_NUMBER.sub("", NOTE_NUMBER.sub("", text)).strip() or text.strip()
    named = re.match(r"^(?:指标|指標|[Ii]ndicator)\s*[:：]\s*(.+)$", text)
    return named.group(1) if named else text


def bare(text: str) -> str:
    """A header or title without its unit and remarks in brackets."""
    named = _without_prefix(text)
    shown = re.sub(r"\s+(?=[,，、;:：])", "", " ".join(IN_BRACKETS.sub("", named).split()))
    return shown.strip(" /,，、:：") or named
