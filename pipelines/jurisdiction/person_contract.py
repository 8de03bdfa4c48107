"""The `records` section of a contract: a person-level extract, one line per record, wide and typed.

It stands instead of `layouts` where a department sends its register itself (contributions, contracts, contacts)
and not a table of figures. It says what each column is, which of them are personal, what names a record, and which
totals become observations. Reading and counting are `intake`'s work.
"""

from __future__ import annotations

import codecs
import re
from datetime import date
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipelines.jurisdiction.patterns import Pattern
from pipelines.jurisdiction.yaml_model import StrictModel

# What counts may be broken down by; the same dimensions as an observation's.
BREAKDOWNS = ("residence", "sex", "age_group", "group", "item")
ALLOWED_CODES = {"residence": {"urban", "rural", "unattributed"}, "sex": {"male", "female"}}
# In these encodings a line feed, a quote and the usual delimiters are always one byte that means itself, so a file
# can be cut into blocks before it is decoded.
ENCODINGS = (
    *("utf-8", "ascii", "gb18030", "gbk", "gb2312", "big5", "cp950", "cp932", "shift_jis", "euc_jp", "euc_kr"),
    *("cp949", "iso8859-1", "iso8859-2", "iso8859-15", "cp1250", "cp1251", "cp1252", "koi8-r"),
)
RESERVED = ("source_row", "period")


class RecordFormat(StrictModel):
    """How the bytes are read. One line is one record; a gzip or zip wrapping is told by its bytes."""

    kind: Literal["csv", "tsv"] = "csv"
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    member: str = "*"
    open_end: bool = False  # the last line has no line end; else such a file looks cut off

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            name = codecs.lookup("utf-8" if value.lower() == "utf-8-sig" else value).name
        except LookupError as error:
            raise ValueError(f"unknown encoding {value!r}") from error
        if name not in ENCODINGS:
            raise ValueError(f"a person-level file is read in blocks, which {value!r} does not allow: use UTF-8")
        return name

    @field_validator("delimiter")
    @classmethod
    def _plain(cls, value: str) -> str:
        if value in '"\r\n' or ord(value) > 127:
            raise ValueError("the delimiter is one ASCII character, no quote and no line break")
        return value

    @property
    def separator(self) -> str:
        """The character between two cells."""
        return "\t" if self.kind == "tsv" else self.delimiter


class RecordPeriod(StrictModel):
    """Where the reference period comes from: the delivery folder, or a column of each record."""

    from_: Literal["folder", "column"] = Field(alias="from")
    kind: Literal["month", "year"] = "month"
    column: str | None = None  # the column's `as`

    @model_validator(mode="after")
    def _fits(self) -> RecordPeriod:
        if (self.from_ == "column") != (self.column is not None):
            raise ValueError("`column` names the period's column where it is `from: column`, and only there")
        return self


class RecordColumn(StrictModel):
    """One column of the file: what it is called there (`name`), here (`as`), and what its cells may hold.

    `personal` says what becomes of a personal value: `id_number` is checked and replaced by a keyed hash,
    `birth_year` keeps the year of a date, `drop` never leaves the file. `required` cells must not be empty.
    """

    name: str
    aliases: list[str] = []
    as_: str = Field(alias="as", default="", pattern=r"^([a-z][a-z0-9_]{0,62})?$")
    type: Literal["text", "integer", "decimal", "date", "month", "code", "region"] = "text"
    unit: str | None = None
    scale: int = Field(default=2, ge=0, le=9)  # digits after the point of a decimal
    min: float | str | None = None
    max: float | str | None = None
    codes: list[str] | None = None
    map: dict[str, str] | None = None
    date_format: str = "%Y-%m-%d"
    required: bool = True
    personal: Literal["none", "id_number", "drop", "birth_year"] = "none"
    check: Literal["gb_11643", "none"] = "gb_11643"  # the check digit of an ID number

    @model_validator(mode="after")
    def _fits(self) -> RecordColumn:
        if self.personal == "drop":
            if self.as_:
                raise ValueError("a dropped column has no `as`: nothing of it is kept")
            return self
        if not self.as_:
            raise ValueError("a column needs `as`, its name in the warehouse")
        if self.as_ in RESERVED:
            raise ValueError(f"`as: {self.as_}` is a name that the reader itself uses")
        if self.personal == "birth_year" and self.type != "date":
            raise ValueError("`personal: birth_year` is for a column of `type: date`")
        if self.personal == "id_number" and self.type != "text":
            raise ValueError("`personal: id_number` is for a column of `type: text`")
        if self.type == "code" and (self.codes is None) == (self.map is None):
            raise ValueError("a code needs either `codes` (what is allowed) or `map` (what each becomes)")
        if self.type != "code" and (self.codes is not None or self.map is not None):
            raise ValueError("`codes` and `map` are for `type: code`")
        if not re.search("%Y", self.date_format):
            raise ValueError("`date_format` needs %Y")
        for limit in (self.min, self.max):
            if limit is None:
                continue
            if self.type in ("integer", "decimal") and self.personal == "none":
                if isinstance(limit, str):
                    raise ValueError("`min` and `max` of a number are numbers")
            elif self.type == "date":
                date.fromisoformat(str(limit))
            else:
                raise ValueError("`min` and `max` are for numbers and dates")
        return self

    @property
    def is_kept(self) -> bool:
        """True when something of the column is stored."""
        return self.personal != "drop"

    @property
    def values(self) -> set[str]:
        """What a code can become."""
        return set(self.map.values()) if self.map is not None else set(self.codes or [])


class IgnoreRecord(StrictModel):
    """Lines that are no records (a total, a note): counted and listed, not taken. `column` is the header's text."""

    reason: str
    column: str
    pattern: Pattern


class RecordObservation(StrictModel):
    """One total that becomes observations: persons or rows counted, or a column summed, by region and period.

    With `by`, every combination is given and every total over them, each counted exactly (a person with two items is
    one person in `all`). `levels` names the levels of regions to count at; omitted: the region of the record.
    """

    measure: str
    count: Literal["persons", "rows"] | None = None
    sum: str | None = None
    by: list[Literal["residence", "sex", "age_group", "group", "item"]] = []
    levels: list[str] | None = None
    population_basis: Literal["resident", "registered", "target_group", "none"] = "none"
    residence: Literal["total", "urban", "rural", "unattributed"] = "total"
    sex: Literal["all", "male", "female"] = "all"
    age_group: str = "all"
    group: str = "all"
    item: str = "all"

    @model_validator(mode="after")
    def _fits(self) -> RecordObservation:
        if (self.count is None) == (self.sum is None):
            raise ValueError("give either `count` (persons or rows) or `sum` (a column)")
        if len(set(self.by)) != len(self.by):
            raise ValueError("`by` names a dimension twice")
        return self


class Records(StrictModel):
    """The whole section."""

    format: RecordFormat = RecordFormat()
    period: RecordPeriod
    missing: list[str] = []  # cell texts that mean the same as an empty cell
    columns: list[RecordColumn] = Field(min_length=1)
    ignore_columns: list[Pattern] = []
    ignore_rows: list[IgnoreRecord] = []
    key: list[str] = []
    tolerated_rejects: float = Field(default=0.0, ge=0.0, le=1.0)  # share of the data rows
    observations: list[RecordObservation] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Records:
        names = [name for column in self.columns for name in (column.name, *column.aliases)]
        _once(names, "the header")
        known = {column.as_: column for column in self.columns if column.is_kept}
        _once([column.as_ for column in self.columns if column.is_kept], "`as`")
        regions = [c for c in self.columns if c.type == "region" and c.is_kept]
        if len(regions) != 1 or not regions[0].required:
            raise ValueError("records need exactly one required column of `type: region`")
        if len([c for c in self.columns if c.personal == "id_number"]) > 1:
            raise ValueError("only one column may be `personal: id_number`")
        for name in self.key:
            if name not in known or not known[name].required:
                raise ValueError(f"`key` names {name!r}, which is no required column")
        if self.period.column is not None:
            column = known.get(self.period.column)
            if (
                column is None
                or column.type not in ("month", "date")
                or not column.required
                or column.personal != "none"
            ):
                raise ValueError("the period's column must be a required column of type month or date")
        for rule in self.ignore_rows:
            if any(rule.column in (c.name, *c.aliases) for c in self.columns if not c.is_kept):
                raise ValueError(f"`ignore_rows` may not look at {rule.column!r}: it is a dropped column")
            if not any(rule.column in (c.name, *c.aliases) for c in self.columns):
                raise ValueError(f"`ignore_rows` names {rule.column!r}, which is no column")
        for total in self.observations:
            self._total_fits(total, known)
        return self

    def _total_fits(self, total: RecordObservation, known: dict[str, RecordColumn]) -> None:
        if total.count == "persons" and self.person is None:
            raise ValueError("`count: persons` needs a column with `personal: id_number`, or one called `person`")
        if total.sum is not None:
            column = known.get(total.sum)
            if column is None or column.type not in ("integer", "decimal") or column.unit is None:
                raise ValueError(f"`sum: {total.sum}` needs a numeric column of that name with a `unit`")
        for dimension in total.by:
            column = known.get(dimension)
            if column is None or column.type != "code" or not column.required:
                raise ValueError(f"`by: {dimension}` needs a required column of `type: code` called {dimension}")
            allowed = ALLOWED_CODES.get(dimension)
            wrong = column.values - allowed if allowed else column.values & {"all"}
            if wrong:
                raise ValueError(f"{dimension} cannot be {', '.join(sorted(wrong))}")

    @property
    def region(self) -> RecordColumn:
        """The column that names the record's region by its code."""
        return next(column for column in self.columns if column.type == "region" and column.is_kept)

    @property
    def person(self) -> RecordColumn | None:
        """The column that tells persons apart: the ID number, or a required column called `person`."""
        for column in self.columns:
            if column.personal == "id_number":
                return column
        return next((c for c in self.columns if c.as_ == "person" and c.required), None)

    @property
    def has_personal(self) -> bool:
        """True when any column is personal."""
        return any(column.personal != "none" for column in self.columns)

    @property
    def needs_key(self) -> bool:
        """True when ID numbers must be replaced, for which a key is needed."""
        return any(column.personal == "id_number" for column in self.columns)


def _once(names: list[str], what: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"{what} {repeated[0]!r} stands twice")
