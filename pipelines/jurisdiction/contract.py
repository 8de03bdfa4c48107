"""The contract of an extract: what a department's file looks like and what its numbers are.

These are the models of `contracts/<department>/<extract>.yml`. Field names are those of the Open Data
Contract Standard v3 where it has one. Reading a file by a contract is `intake`'s work, not ours.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import PurePath
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.cadence import number_of
from pipelines.jurisdiction.patterns import PartPattern, Pattern, checked
from pipelines.jurisdiction.person_contract import Records
from pipelines.jurisdiction.text import folded, normalise
from pipelines.jurisdiction.yaml_model import StrictModel

TokenMeaning = Literal["missing", "not_applicable", "not_collected", "suppressed", "zero", "less_than_half"]
MarkMeaning = Literal["provisional", "estimated", "break", "note"]
FormatKind = Literal[
    "csv", "tsv", "jsonl", "parquet", "xlsx", "xls", "ods", "html", "px", "json-stat", "sdmx-csv", "sdmx-ml",
    "dta", "sav", "por",
]  # fmt: skip
DIMENSIONS = ("population_basis", "residence", "sex", "age_group", "group", "item")
DIMENSION_DEFAULTS = {
    "population_basis": "none",
    "residence": "total",
    "sex": "all",
    "age_group": "all",
    "group": "all",
    "item": "all",
}
ALLOWED = {
    "population_basis": {"resident", "registered", "target_group", "none"},
    "residence": {"total", "urban", "rural", "unattributed"},
    "sex": {"all", "male", "female"},
}
Form = Literal["age", "label", "code"]
# The form of a cell whose dimension has no list of codes.
FORMS: dict[str, Form] = {"age_group": "age", "group": "label", "item": "label"}


class Description(StrictModel):
    """What the extract is for and what it cannot tell (ODCS `description`)."""

    purpose: str = ""
    limitations: str = ""
    usage: str = ""


class Source(StrictModel):
    """Publisher and title of the figures."""

    publisher: str
    title: str = ""
    edition: str = ""


class Member(StrictModel):
    """A person or office answerable for the extract (ODCS `team`)."""

    name: str
    role: str = "owner"
    contact: str = ""


class ServiceLevel(StrictModel):
    """One service level (ODCS `slaProperties`).

    `frequency` is how often a delivery comes, `latency` how long after the end of its period it may take;
    `generalAvailability` and `endOfSupport` name the first and the last delivery period that are owed.
    """

    property: Literal["frequency", "latency", "generalAvailability", "endOfSupport"]
    value: int | str
    unit: Literal["d", "w", "m", "q", "h", "y"] = "d"

    @model_validator(mode="after")
    def _fits(self) -> ServiceLevel:
        if self.property in ("frequency", "latency"):
            least = 1 if self.property == "frequency" else 0
            if not isinstance(self.value, int) or self.value < least:
                raise ValueError(f"a {self.property} is a whole number of {least} or more, with its unit")
        return self


class SheetRule(StrictModel):
    """Sheets, or files in a zip, by the form of their names: the first that fits, or all, each read by one layout."""

    pattern: Pattern
    all: bool = False

    def fits(self, name: str) -> bool:
        """True when a name, in comparison form, holds the pattern."""
        return re.search(self.pattern, normalise(name)) is not None


class Format(StrictModel):
    """How the bytes are read. A gzip or zip wrapping is told by its bytes; `member` names the file in a zip.

    `sheet` also chooses among the tables of a page and the data sets of a message. Three things are faults unless they
    are said here: a delimiter at the end of each line, with nothing behind it (`trailing_delimiter`); a last line
    without a line end (`open_end`), which looks like a file that was cut off; a sheet filled to its last possible row
    or column (`full_sheet`), which looks like a table that did not fit.
    """

    kind: FormatKind
    sheet: str | int | SheetRule = 1
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    member: str | SheetRule = "*"
    language: str | None = None  # of a file that holds its texts in several
    transpose: bool = False
    trailing_delimiter: bool = False
    open_end: bool = False
    full_sheet: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Format:
        if self.language is not None and self.kind != "px":
            raise ValueError("`language` is for PC-Axis files (`kind: px`), which hold their texts in several")
        if self.trailing_delimiter and self.kind not in ("csv", "tsv", "sdmx-csv"):
            raise ValueError("`trailing_delimiter` is about text in columns")
        if self.open_end and self.kind not in ("csv", "tsv", "sdmx-csv", "html"):
            raise ValueError("`open_end` is about text in columns and pages")
        return self

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            if value == "detect":
                return value
            "".encode(value)
        except LookupError as error:
            raise ValueError(f"unknown encoding {value!r}") from error
        return value

    @property
    def stated_encoding(self) -> str | None:
        """The encoding that the contract names; None where it names none, or asks for it to be detected."""
        return self.encoding if "encoding" in self.model_fields_set and self.encoding != "detect" else None

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str) -> str:
        if len(value) != 1 or value in '\r\n"':
            raise ValueError("a delimiter is one character")
        return value


class Header(StrictModel):
    """Where the header is: the first row that holds all of `find`, or the row numbered `row`; `rows` are joined."""

    find: list[str] = []
    row: int | None = Field(default=None, ge=1)
    rows: int = Field(default=1, ge=1, le=10)
    fill_right: bool = False
    repeats: bool = False  # blocks one below the other, each under a header of its own

    @model_validator(mode="after")
    def _one_of(self) -> Header:
        if bool(self.find) == (self.row is not None):
            raise ValueError("give either `find` (names that the header holds) or `row` (its number)")
        if self.repeats and not self.find:
            raise ValueError("a header that `repeats` is found by its names: give `find`")
        return self


class NumberStyle(StrictModel):
    """How numbers are written: the decimal mark, what stands between thousands, and what else says "negative".

    A minus before the number always does; `brackets` are (1,200), `trailing` is 1200-. `leading_zeros` takes 007 for
    seven; else it is a code or the rest of a number that was cut in two.
    """

    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'", "none"] = ","
    negative: Literal["minus", "brackets", "trailing"] = "minus"
    leading_zeros: bool = False

    @model_validator(mode="after")
    def _differ(self) -> NumberStyle:
        if self.decimal == self.thousands:
            raise ValueError("`decimal` and `thousands` are the same mark")
        return self


class Capture(StrictModel):
    """Text outside the table that says something of all of it: its named groups fill templates and the period.

    `cell` is the address of one cell (`B2`), above, beside or below the table.
    """

    from_: Literal["preamble", "file_name", "sheet", "folder", "cell"] = Field(alias="from")
    cell: str | None = Field(default=None, pattern=r"^[A-Z]{1,3}[1-9][0-9]{0,6}$")
    pattern: str

    @model_validator(mode="after")
    def _fits(self) -> Capture:
        if (self.from_ == "cell") != (self.cell is not None):
            raise ValueError("`from: cell` needs `cell`, its address (B2); other captures have none")
        checked(self.pattern, blanks=self.from_ == "preamble")  # blanks part the cells of a preamble
        return self


class DataEnd(StrictModel):
    """Where the data ends: the first row whose first filled cell matches one of these."""

    end_at: list[Pattern] = []


class IgnoreRow(StrictModel):
    """Rows that are not data (totals, subtotals, notes): counted and kept, not taken.

    `reconcile` compares their values with the sum of the accepted rows: of `all` of them, of those `since_previous`
    such row (subtotals), or of those of one class (`by_class`): `class_column` says of each row which class it is of,
    of a total which it sums; `class_pattern` is the part of the cell that counts (its first group), `class_names` what
    a total calls its class where its rows call it otherwise. `parts_level` limits the sum to regions of one level.
    `severity` is how grave a total is that does not tie. One that is to be compared must be there, unless it is
    `optional`.
    """

    reason: str
    column: str
    pattern: Pattern
    reconcile: Literal["all", "since_previous", "by_class"] | None = None
    class_column: str | None = None
    class_pattern: PartPattern = None
    class_names: dict[str, str] = {}
    parts_level: str | None = None
    tolerance: float = 0.0
    severity: Literal["block", "warn"] = "warn"
    optional: bool = False

    @model_validator(mode="after")
    def _fits(self) -> IgnoreRow:
        if (self.reconcile == "by_class") != (self.class_column is not None):
            raise ValueError("`reconcile: by_class` needs `class_column`, and no other has one")
        if self.class_column is None and (self.class_pattern or self.class_names):
            raise ValueError("`class_pattern` and `class_names` are about a `class_column`")
        return self


class RegionRule(StrictModel):
    """How a row names its region: by code, by name, or by both, which must then agree.

    A name may stand in one of several columns, one for each level (`name: [County, State]`): the first that is filled
    counts. A template (`code: "{place}"`) takes it from `captures`, where the whole file is about one region. `fill`
    carries a cell down to the rows below it, `pattern` is the part of the cell that counts: its first group. `within`
    is a column that names the region above, `indent` says that leading blanks show the levels: both tell regions of
    one name apart.
    """

    code: str | None = None
    code_length: int | None = Field(default=None, ge=1, le=30)  # codes that lost their leading zeros get them back
    name: str | list[str] | None = None
    pattern: PartPattern = None
    fill: Literal["none", "down"] = "none"
    no_code: list[str] = []  # texts that stand for no code: such a row is known by its name alone
    accepted: dict[str, str] = {}
    name_prefixes: list[str] = []
    name_suffixes: list[str] = []
    within: str | None = None
    indent: bool = False

    @model_validator(mode="after")
    def _one_of(self) -> RegionRule:
        if self.code is None and self.name is None:
            raise ValueError("a region needs `code`, `name`, or both")
        if self.name is None and (self.within or self.indent):
            raise ValueError("`within` and `indent` tell names apart: give `name`")
        if isinstance(self.name, list) and (self.indent or self.fill == "down" or not self.name):
            raise ValueError("several columns of names go neither with `indent` nor with `fill`")
        return self

    @property
    def names(self) -> list[str]:
        """The columns that may hold the name, or the template; the first that is filled counts."""
        return [self.name] if isinstance(self.name, str) else list(self.name or [])


PeriodKind = Literal["year", "half", "quarter", "month", "point", "pooled"]
PARTS_OF_A_YEAR = {"half": 2, "quarter": 4, "month": 12}


class PeriodRule(StrictModel):
    """Where the reference period comes from, and what kind it is of: a year or a part of it, one day, several years.

    A `pooled` period names its first and its last year (`2018-2020`), in one text or in two columns (`column`,
    `end_column`). `pattern` is the part of a column's cell that counts: its first group. `eras` are the years of
    another calendar: what stands before the number, and the year before its first (`令和: 2018`); an empty text is a
    calendar without a name (`"": -543`).
    """

    from_: Literal["folder", "header", "column", "capture"] = Field(alias="from")
    column: str | None = None
    end_column: str | None = None
    pattern: PartPattern = None
    fill: Literal["none", "down"] = "none"  # a year that stands once for the rows below it
    kind: PeriodKind
    month_day: str = "12-31"
    starts: str = "01-01"  # first day of a year: a financial year named 2019-20 may start on 04-01
    named_by: Literal["start", "end"] = "start"  # the year in the text is the one it starts or ends in
    map: dict[str, str] = {}  # texts that no reader of periods knows: names of rounds
    eras: dict[str, int] = {}

    @model_validator(mode="after")
    def _fits(self) -> PeriodRule:
        if self.from_ == "column" and not self.column:
            raise ValueError("`from: column` needs `column`")
        if self.from_ != "column" and (self.fill == "down" or self.pattern or self.end_column):
            raise ValueError("`fill`, `pattern` and `end_column` are for a period from a column")
        if self.end_column and self.kind != "pooled":
            raise ValueError("`end_column` is the last year of a `pooled` period")
        for day in (self.month_day, self.starts):
            if not re.fullmatch(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", day):
                raise ValueError("`month_day` and `starts` are MM-DD")
        if not re.fullmatch(r"..-(0[1-9]|1[0-9]|2[0-8])", self.starts):
            raise ValueError("`starts` is a day that every year has, as MM-DD")
        return self

    @property
    def columns(self) -> list[str]:
        """The columns that a period stands in."""
        return [column for column in (self.column, self.end_column) if column]


class StatusFrom(StrictModel):
    """Where the status of numbers stands: a column of flags, or another of which `pattern` takes the part that counts.

    The part is read as if it stood behind the number, by `marks` and `tokens`; a cell that the pattern does not fit
    says nothing.
    """

    column: str
    pattern: PartPattern = None


class RowDimension(StrictModel):
    """A dimension whose value stands in a cell of each row; `pattern` is the part of it that counts (first group).

    What the cells may hold is said by `map` or `codes`, else by their `form`: `age` (0-4, 85+), `label` (words; nothing
    that a spreadsheet may have made a date of) or `code` (also whole numbers that could be such a date). Without any of
    them an age group is an `age`, a group or an item a `label`, and the others are on the lists of the jurisdiction.
    """

    column: str
    pattern: PartPattern = None
    dimension: Literal["measure", "population_basis", "residence", "sex", "age_group", "group", "item"]
    fill: Literal["none", "down"] = "none"
    map: dict[str, str] | None = None
    codes: list[str] | None = None  # what the cells may hold, where no map says so
    form: Form | None = None

    @model_validator(mode="after")
    def _fits(self) -> RowDimension:
        if self.form is None:
            return self
        if self.map is not None or self.codes is not None:
            raise ValueError("`form` is for cells that neither `map` nor `codes` lists")
        if self.dimension not in FORMS:
            raise ValueError(f"a {self.dimension} has no `form`: its codes are on a list")
        return self


class UnitFrom(StrictModel):
    """A unit that the file states: in a cell of each row (`column`), or `row` rows below the header's last row.

    `map` says which unit of the jurisdiction a text means; one that is neither a unit nor mapped is a reject.
    """

    column: str | None = None
    row: int | None = Field(default=None, ge=1, le=10)
    map: dict[str, str] = {}

    @model_validator(mode="after")
    def _one_of(self) -> UnitFrom:
        if (self.column is None) == (self.row is None):
            raise ValueError("give either `column` (a cell of each row) or `row` (rows below the header)")
        return self


class ValueColumn(StrictModel):
    """A column (or a family of columns) that holds numbers, and what they are.

    `period_kind` is the kind of this column's period where it is not the layout's. With `part` the layout's period
    names a year, and the column is about the half, quarter or month of that number (`"{part}"` takes it from a group).
    """

    column: str | None = None
    columns: Pattern | None = None
    measure: str | None = None
    population_basis: str | None = None
    residence: str | None = None
    sex: str | None = None
    age_group: str | None = None
    group: str | None = None
    item: str | None = None
    maps: dict[str, dict[str, str]] = {}
    forms: dict[str, Form] = {}  # of what headers say of a dimension without a map
    unit: str | UnitFrom
    period_kind: PeriodKind | None = None  # that of the layout's period unless told otherwise
    part: int | str | None = None  # which half, quarter or month of the year that the period names, where columns tell
    type: Literal["integer", "decimal"] = "decimal"
    min: float | None = None
    max: float | None = None
    tokens: dict[str, TokenMeaning] = {}
    mark: MarkMeaning | None = None  # true of every number of the column, such as a break in its series
    status: str | StatusFrom | None = None  # what says the status of the number, where not that of the layout
    required: bool = True

    @model_validator(mode="after")
    def _one_of(self) -> ValueColumn:
        if (self.column is None) == (self.columns is None):
            raise ValueError("give either `column` (exact) or `columns` (regular expression)")
        if self.forms.keys() - FORMS.keys():
            raise ValueError(f"`forms` are those of {', '.join(FORMS)}: the others are on lists")
        parts = PARTS_OF_A_YEAR.get(self.period_kind or "", 0)
        if self.part is not None and (not parts or (isinstance(self.part, int) and not 1 <= self.part <= parts)):
            raise ValueError("`part` is the number of a half, a quarter or a month, as `period_kind` says")
        for dimension, allowed in ALLOWED.items():
            value = getattr(self, dimension)
            if value is not None and "{" not in value and value not in allowed:
                raise ValueError(f"{dimension} is one of {', '.join(sorted(allowed))}")
        return self


class Control(StrictModel):
    """A sum within each row that must hold: `total` = the sum of `parts`, within `tolerance`."""

    name: str
    total: str
    parts: list[str] = Field(min_length=1)
    tolerance: float = 0.0
    severity: Literal["block", "warn"] = "block"


class Layout(StrictModel):
    """One way the extract's file has been laid out."""

    name: str = "main"
    delivery_periods: list[str] | None = None
    file_names: Pattern | None = None
    format: Format
    header: Header
    numbers: NumberStyle = NumberStyle()
    aliases: dict[str, list[str]] = {}
    captures: list[Capture] = []
    marks: dict[str, MarkMeaning] = {}
    status: str | StatusFrom | None = None  # the column whose cell says the status of each number
    controls: list[Control] = []
    data: DataEnd = DataEnd()
    ignore_rows: list[IgnoreRow] = []
    region: RegionRule
    period: PeriodRule
    rows: list[RowDimension] = []
    defaults: dict[str, str] = {}
    tokens: dict[str, TokenMeaning] = {"": "missing"}
    values: list[ValueColumn] = Field(min_length=1)
    ignore_columns: list[Pattern] = []

    @property
    def key_columns(self) -> list[str]:
        """The columns whose cells say what a row is about: its region, its period, its dimensions, its unit."""
        region = self.region
        names = [c for c in (region.code, *region.names, region.within) if c and "{" not in c]
        names += self.period.columns
        names += [row.column for row in self.rows]
        names += [v.unit.column for v in self.values if isinstance(v.unit, UnitFrom) and v.unit.column]
        return list(dict.fromkeys(names))

    def status_of(self, value: ValueColumn) -> StatusFrom | None:
        """What says the status of a value column's numbers beside them; None where nothing does."""
        named = value.status or self.status
        return StatusFrom(column=named) if isinstance(named, str) else named

    @field_validator("marks")
    @classmethod
    def _marks_are_signs(cls, marks: dict[str, MarkMeaning]) -> dict[str, MarkMeaning]:
        for mark in marks:
            if re.fullmatch(r"[0-9.,+\-%\s]*", folded(mark)):
                raise ValueError(f"a mark is a sign behind a number: {mark!r} may be a part of it")
        return marks

    @model_validator(mode="after")
    def _fits(self) -> Layout:
        for name in self.defaults:
            if name not in (*DIMENSIONS, "measure"):
                raise ValueError(f"`defaults` knows no dimension {name!r}")
        from_rows = {row.dimension for row in self.rows}
        for value in self.values:
            if value.measure is None and "measure" not in from_rows and "measure" not in self.defaults:
                raise ValueError(f"the value column {value.column or value.columns!r} has no measure")
            if self.period.from_ == "header" and "(?P<period>" not in (value.columns or ""):
                raise ValueError("a period from the header needs `columns` with a group (?P<period>…)")
            if value.part is not None and self.period.kind != "year":
                raise ValueError("a column with a `part` is about a part of a year: the layout's period is a `year`")
            if value.part is None and value.period_kind is not None and self.period.from_ != "header":
                raise ValueError("`period_kind` without `part` is for columns that name their period in the header")
        units = [value.unit for value in self.values if isinstance(value.unit, UnitFrom)]
        by_column = {unit.column: unit for unit in units if unit.column is not None}
        if any(unit != by_column[unit.column] for unit in units if unit.column is not None):
            raise ValueError("one column of units has one `map`")
        if self.period.from_ == "capture" and not any("(?P<period>" in c.pattern for c in self.captures):
            raise ValueError("a period from a capture needs a pattern with a group (?P<period>…) in `captures`")
        return self


class KnownReject(StrictModel):
    """A reject that a person has looked at: it stays rejected, it no longer blocks."""

    reason: str
    column: str
    text: str
    region_code: str | None = None
    delivery_period: str | None = None


class RowRange(StrictModel):
    """How many data rows a file may have, and how grave it is when it has not."""

    min: int = 1
    max: int | None = None
    severity: Literal["block", "warn"] = "block"


Gravity = Literal["block", "warn", "ignore"]


class Drift(StrictModel):
    """How grave each kind of change is, against the contract and against the delivery before."""

    new_column: Gravity = "warn"
    missing_column: Gravity = "warn"
    column_order: Gravity = "ignore"
    type: Gravity = "warn"
    unit_jump: Gravity = "block"
    new_codes: Gravity = "warn"
    row_count: Gravity = "warn"
    row_count_change: float = Field(default=0.2, gt=0)  # share of the rows before
    shrinking_delivery: Gravity = "block"
    value_jump: Gravity = "warn"  # one region's value is ten, a hundred ... times its neighbours in time


class Quality(StrictModel):
    """What must hold of each file."""

    rows: RowRange = RowRange()
    drift: Drift = Drift()
    late_delivery: Gravity = "warn"  # a delivery that is due by slaProperties and has not come
    hidden_data: Gravity = "warn"  # hidden sheets, rows and columns that hold data
    other_sheets: Gravity = "warn"  # sheets with data beside one that is taken by its position
    named_period: Gravity = "block"  # file name, sheet or title names another period than the delivery folder
    stated_unit: Gravity = "block"  # a header, a line above the table or a column states another unit
    repeated_delivery: Gravity = "block"  # the bytes, or all figures, of another delivery period once more
    blocks: Literal["delivery", "release"] = "delivery"  # what a delivery holds up that fails a blocking check
    known_rejects: list[KnownReject] = []
    not_personal: list[Pattern] = []  # headers: long numbers in these columns are codes, no person's numbers


class Contract(StrictModel):
    """The whole contract of one extract."""

    id: str
    version: str
    status: Literal["proposed", "draft", "active", "deprecated", "retired"] = "active"
    name: str
    name_en: str
    description: Description = Description()
    provenance: Literal["official", "synthetic"]
    license: str
    source: Source
    team: list[Member] = Field(min_length=1)
    slaProperties: list[ServiceLevel] = []
    rank: int = Field(ge=1)
    delivery: Literal["replaces_periods", "replaces_all"] = "replaces_periods"
    partial_delivery: bool = False  # a file that comes again may hold only some of the figures
    # a year's flow of which parts are missing: no value, or scaled by the months or the days that are there
    partial_year: Literal["missing", "by_months", "by_days"] = "missing"
    # whose regions the figures are on, where not on those of their own time: the list at the end of this year
    boundaries: int | None = Field(default=None, ge=1, le=9999)
    files: str | list[str]
    layouts: list[Layout] = []
    records: Records | None = None  # a person-level extract: one line per record, no table of figures
    quality: Quality = Quality()

    @model_validator(mode="after")
    def _tables_or_records(self) -> Contract:
        if bool(self.layouts) == (self.records is not None):
            raise ValueError("give either `layouts` (tables of figures) or `records` (one line per person's record)")
        return self

    @model_validator(mode="after")
    def _service_levels_fit(self) -> Contract:
        levels = {level.property: level for level in self.slaProperties}
        if len(levels) != len(self.slaProperties):
            raise ValueError("`slaProperties` names a property twice")
        frequency = levels.get("frequency")
        if frequency is None and levels:
            raise ValueError("`slaProperties` says nothing without `frequency`")
        for name in ("generalAvailability", "endOfSupport"):
            if frequency and name in levels and number_of(str(levels[name].value), frequency.unit) is None:
                raise ValueError(f"`{name}` is a delivery period of the kind that `frequency` says")
        return self

    @property
    def is_accepted(self) -> bool:
        """False while the contract is a proposal that no person has accepted: nothing read by it may count."""
        return self.status not in ("proposed", "draft")

    @property
    def period_kind(self) -> str:
        """What kind of period the figures are about."""
        return self.records.period.kind if self.records is not None else self.layouts[0].period.kind

    @property
    def years(self) -> tuple[str, str]:
        """First day (MM-DD) of the years that the figures belong to, and whether these are named by start or end."""
        rules = [layout.period for layout in self.layouts]
        if not rules:
            return "01-01", "start"
        rule = next((rule for rule in rules if rule.kind != "point"), rules[0])
        return rule.starts, rule.named_by

    def with_years(self, starts: str, named_by: Literal["start", "end"]) -> Contract:
        """The same contract, whose periods belong to such years as far as they say nothing else."""
        years = {"starts": starts, "named_by": named_by}

        def belonging(layout: Layout) -> Layout:
            rest = {name: value for name, value in years.items() if name not in layout.period.model_fields_set}
            return layout.model_copy(update={"period": layout.period.model_copy(update=rest)})

        return self.model_copy(update={"layouts": [belonging(layout) for layout in self.layouts]})

    @property
    def tells_residence(self) -> bool:
        """Whether figures of town or country alone can come of it."""
        if self.records is not None:
            return any("residence" in o.by or o.residence != "total" for o in self.records.observations)
        return any(
            layout.defaults.get("residence", "total") != "total"
            or any(row.dimension == "residence" for row in layout.rows)
            or any((value.residence or "total") != "total" for value in layout.values)
            for layout in self.layouts
        )

    @property
    def population_bases(self) -> set[str]:
        """Whom its figures count, of `resident` and `registered`."""
        named: set[str | None] = set()
        if self.records is not None:
            named.update(observation.population_basis for observation in self.records.observations)
        for layout in self.layouts:
            named.add(layout.defaults.get("population_basis"))
            for row in layout.rows:
                if row.dimension == "population_basis":
                    named.update([*(row.codes or []), *(row.map or {}).values()])
            for value in layout.values:
                named.update([value.population_basis, *value.maps.get("population_basis", {}).values()])
        return {basis for basis in named if basis in ("resident", "registered")}

    @property
    def boundaries_date(self) -> date | None:
        """The day whose list of regions the figures are on; None for that of their own time."""
        return date(self.boundaries, 12, 31) if self.boundaries is not None else None

    @property
    def department(self) -> str:
        """Who sends the extract."""
        return self.id.split("/")[0]

    @property
    def extract(self) -> str:
        """The extract's name below its department."""
        return self.id.split("/")[1]

    def takes(self, path: PurePath) -> bool:
        """True when a file is called as the contract says its files are."""
        return any(path.match(pattern) for pattern in ([self.files] if isinstance(self.files, str) else self.files))

    @property
    def owner(self) -> str:
        """The office answerable for the extract."""
        return next((m.name for m in self.team if m.role == "owner"), self.team[0].name)

    @property
    def hash(self) -> str:
        """SHA-256 of what the contract means: comments and line breaks do not count."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()

    def layout_for(self, delivery_period: str, file_name: str) -> Layout:
        """The first layout made for a delivery period and a file name.

        Raises ConfigurationError when none fits.
        """
        for layout in self.layouts:
            in_period = layout.delivery_periods is None or delivery_period in layout.delivery_periods
            is_named = layout.file_names is None or re.search(layout.file_names, normalise(file_name))
            if in_period and is_named:
                return layout
        raise ConfigurationError(
            f"no layout of the contract {self.id} is for {file_name} of the delivery period {delivery_period}",
            where=f"contracts/{self.id}.yml",
            do="add the period to a layout's `delivery_periods`, mend its `file_names`, or describe a new layout",
        )
