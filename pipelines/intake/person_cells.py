"""The cells of a person-level file by its contract: typed records, and every cell that breaks a rule as a reject.

A column that repeats itself is judged text by text, not line by line. ID numbers become keyed hashes here, before
anything is written. Lines and blocks are `lines`'s work, files and the account `person_level`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from pipelines.intake import numbers, personal
from pipelines.intake.lines import Cells, Column, PlainColumn
from pipelines.intake.names import RegionIndex
from pipelines.intake.periods import month_or_year, period_span
from pipelines.intake.person_key import PersonKey
from pipelines.jurisdiction.contract import NumberStyle, PeriodRule, RegionRule
from pipelines.jurisdiction.person_contract import RecordColumn, Records
from pipelines.jurisdiction.text import comparison_form, normalise

_TEXT_SHOWN = 200
_ODD_KEPT = 100_000
_FEW = 0.05
_PADDED = NumberStyle(leading_zeros=True)  # registers fill numbers up with zeros
_MONTH = PeriodRule.model_validate({"from": "column", "column": "month", "kind": "month"})
_PLAIN = pl.CompatLevel.oldest()  # text one after the other, as Parquet writes it

DETAILS = {
    "missing_value": "the cell is empty and the contract requires a value",
    "replaced_byte": "the cell holds a replacement character: bytes that the encoding cannot have",
    "not_a_number": "not a number",
    "not_a_digit": numbers.DETAILS["not_a_digit"],
    "undeclared_negative": "brackets around a number, or a minus behind it",
    "rounded_display": numbers.DETAILS["rounded_display"],
    "several_numbers": "more than one number in one cell",
    "not_an_integer": "a whole number is expected",
    "out_of_range": "the number has too many digits",
    "too_many_decimals": "more digits after the point than the contract allows",
    "below_minimum": "below the contract's minimum",
    "above_maximum": "above the contract's maximum",
    "not_a_date": "not a date in the contract's form",
    "not_a_month": "not a month",
    "unknown_code": "not a code of the contract",
    "not_an_id_number": "not 17 digits and a check character",
    "impossible_birth_date": "the ID number holds a date that never was",
    "check_digit": "the ID number's check character is wrong",
    "too_many_cells": "the line has more cells than the header",
    "too_few_cells": "the line has fewer cells than the header",
    "broken_quotes": "the line's quotes do not close",
    "cut_off": "the last line of the file has no end: it may have been cut off",
    "duplicate_key": "the same key stands several times with different values",
}

Judged = tuple[pl.Series, pl.Series | None]  # values; and the rule that each text breaks, or null
_Found = tuple[pl.Series | None, pl.Series, pl.Series | None]  # the same behind the texts, where these were needed


@dataclass(frozen=True)
class Typed:
    """A block's records whose every cell holds, `source_row` first; and a reject for each cell that does not.

    `table` has text that repeats itself as dictionaries; `rejects` has line, rule, source_column, text, region_code.
    """

    table: pa.Table
    rejects: pl.DataFrame | None


class _Values:
    """What a column became: values by text, and which text each record has; or by record."""

    def __init__(self, values: pl.Series, column: Column) -> None:
        self._values, self._column = values, column

    def whole(self) -> pl.Series:
        """For every record."""
        return self._column.spread(self._values)

    def at(self, records: npt.NDArray[np.int64]) -> pl.Series:
        """For these records."""
        places = self._column.places
        return self._values.gather(records if places is None else places[records])

    def to_arrow(self) -> pa.Array:
        """For every record; repeated text as a dictionary of different texts."""
        column, values = self._column, self._values
        if values.dtype == pl.String and isinstance(column, PlainColumn) and values is column.texts and column.is_full:
            return column.array  # as it was read
        if column.places is None or values.dtype != pl.String:
            return self.whole().to_arrow(compat_level=_PLAIN)
        different = values.unique(maintain_order=True).drop_nulls()
        number = {text: place for place, text in enumerate(different)}
        renamed = np.array([number.get(text, -1) for text in values] or [-1], dtype=np.int32)
        is_same = len(different) == len(values)  # the texts as they are, each once
        places = pl.Series(column.places if is_same else renamed.take(column.places))
        if values.null_count():
            places = pl.select(pl.when(places >= 0).then(places)).to_series()
        return pa.DictionaryArray.from_arrays(
            places.to_arrow(), different.to_arrow(compat_level=_PLAIN).cast(pa.string())
        )


class Typing:
    """The rules of a contract for the cells of one file, and what was judged already. Used by several threads.

    `place` gives the position of each column in the file; `span` is the reference period where no column names it.
    """

    def __init__(
        self,
        records: Records,
        place: dict[str, int],
        span: tuple[date, date] | None,
        index: RegionIndex,
        key: PersonKey | None,
    ) -> None:
        self.records, self.place, self.span, self.index, self.key = records, place, span, index, key
        self.kept = [column for column in records.columns if column.is_kept]
        self.missing = sorted({normalise(text) for text in records.missing})
        self.has_missing_number = any(character.isdigit() for text in self.missing for character in text)
        self.code_maps = {
            c.as_: {normalise(k): v for k, v in (c.map or {code: code for code in c.codes or []}).items()}
            for c in self.kept
            if c.type == "code"
        }
        self.odd_numbers: dict[str, dict[str, tuple[Any, str | None]]] = {}  # texts already judged, by column
        # By column: the texts of a block that repeat themselves, and what they were; the next block has the same ones.
        self.judged_before: dict[str, tuple[tuple[str | None, ...], _Found]] = {}
        self.region_rule = RegionRule(code=records.region.name)

    def typed(self, cells: Cells) -> Typed:
        """Type the cells of a block; a cell that breaks a rule takes its line with it."""
        made: dict[str, _Values] = {}
        failures: list[tuple[RecordColumn, npt.NDArray[np.int64], pl.Series, pl.Series]] = []
        is_good = np.ones(len(cells.lines), dtype=bool)
        period = self.records.period.column
        later = [c for c in self.kept if c.type == "region"]
        for column in (*(c for c in self.kept if c.type != "region"), *later):
            source = cells.columns[self.place[column.name]]
            months = None
            if column.type == "region" and period:
                # Which regions there are depends on the record's own month.
                source, months = Column(source.whole()), made[period].whole()
            text, value, rules = self._judged(source, column, months, cells.has_replaced)
            made[column.as_] = _Values(value, source)
            if rules is not None and rules.null_count() < len(rules):
                broken = rules.is_not_null().to_numpy()
                bad = np.flatnonzero(broken if source.places is None else broken[source.places])
                own = bad if source.places is None else source.places[bad]
                texts = self._text(Column(source.at(bad)), column) if text is None else text.gather(own)
                failures.append((column, bad, rules.gather(own), texts))
                is_good[bad] = False
        arrays = [pl.Series(cells.lines).to_arrow(), *(made[c.as_].to_arrow() for c in self.kept)]
        # Of a record that has all its cells none is null: nothing needs to be written of where nulls are.
        optional = [False, *(not c.required for c in self.kept)]
        names = ["source_row", *(c.as_ for c in self.kept)]
        fields = [pa.field(n, a.type, nullable=o) for n, a, o in zip(names, arrays, optional, strict=True)]
        table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
        if not any(bad.size for _, bad, _, _ in failures):
            return Typed(table, None)
        regions = made[self.records.region.as_]
        rejects = [
            pl.DataFrame(
                {
                    "line": cells.lines[bad],
                    "rule": rules,
                    "source_column": pl.Series([column.name] * len(rules), dtype=pl.String),
                    "text": pl.Series([self.shown(text) for text in texts], dtype=pl.String),
                    "region_code": regions.at(bad),
                }
            )
            for column, bad, rules, texts in failures
        ]
        return Typed(table.filter(pl.Series(is_good).to_arrow()), pl.concat(rejects))

    def shown(self, text: str | None) -> str:
        """A cell's text as a reject may show it: masked wherever the file holds anything personal."""
        if self.records.has_personal:
            return personal.mask(text)
        return (text or "")[:_TEXT_SHOWN]

    # -- a column -------------------------------------------------------------------------------------------

    def _judged(self, source: Column, column: RecordColumn, months: pl.Series | None, has_replaced: bool) -> _Found:
        """A column's texts, their values, and what each breaks: text by text where few repeat, else by record."""
        if source.places is None or months is not None or has_replaced:
            return self._judged_anew(source, column, months, has_replaced)
        texts = tuple(source.texts)
        before = self.judged_before.get(column.as_)
        if before is None or before[0] != texts:
            before = texts, self._judged_anew(source, column, None, False)
            self.judged_before[column.as_] = before
        return before[1]

    def _judged_anew(
        self, source: Column, column: RecordColumn, months: pl.Series | None, has_replaced: bool
    ) -> _Found:
        text: pl.Series | None = None
        found = self._plain_number(source, column)
        if found is None:
            text = self._text(source, column)
            found = self._value(text, source, column, months)
        value, rules = found
        if column.required and value.null_count():
            empty = value.is_null() if rules is None else value.is_null() & rules.is_null()
            if empty.any():
                rules = _first(rules, empty, "missing_value")
        if has_replaced and text is not None:
            replaced = text.str.contains("\ufffd", literal=True).fill_null(False)
            if replaced.any():
                rules = _over(rules, replaced, "replaced_byte")
        return text, value, rules

    def _value(self, text: pl.Series, source: Column, column: RecordColumn, months: pl.Series | None) -> Judged:
        if column.type == "region":
            return self._region(text, months)
        if column.personal == "id_number":
            return self._person(text, column)
        if column.type in ("integer", "decimal"):
            return self._number(text, source, column)
        if column.type == "date":
            return self._date(text, column)
        if column.type == "month":
            return self._by_value(text, _month, pl.Date(), "not_a_month")
        if column.type == "code":
            return self._by_value(text, self.code_maps[column.as_].get, pl.String(), "unknown_code")
        return text, None

    def _text(self, source: Column, column: RecordColumn) -> pl.Series:
        """A column's texts; what the contract calls missing is null, and so is a text of nothing but blanks."""
        text = source.texts
        if self.missing:
            is_missing = comparison_form(text).is_in(self.missing).fill_null(False)
            text = pl.select(pl.when(~is_missing).then(text)).to_series()
        is_plain_text = column.type == "text" and column.personal == "none"
        if is_plain_text and not (isinstance(source, PlainColumn) and source.is_tidy):
            # Everywhere else blanks are dealt with where a cell does not pass at once.
            text = text.str.strip_chars()
            if (text == "").any():
                text = pl.select(pl.when(text != "").then(text)).to_series()
        return text

    def _by_value(self, text: pl.Series, judge: Any, kind: pl.DataType, rule: str) -> Judged:
        """Columns of few different texts: each is judged once, in its comparison form."""
        forms = {t: normalise(t) for t in text.unique().drop_nulls().to_list()}
        found = {t: judge(form) if form else None for t, form in forms.items()}
        if isinstance(kind, pl.String) and all(t == v for t, v in found.items()):
            return text, None
        value = text.replace_strict(found, default=None, return_dtype=kind) if found else text.cast(pl.Null).cast(kind)
        wrong = {t: rule for t, form in forms.items() if form and found[t] is None}
        if not wrong:
            return value, None
        return value, text.replace_strict(wrong, default=None, return_dtype=pl.String)

    def _region(self, text: pl.Series, months: pl.Series | None) -> Judged:
        """Region codes that were in force in the record's period."""
        if months is None:
            assert self.span is not None
            spans = [(self.span, None)]
        else:
            starts = months.dt.truncate("1mo" if self.records.period.kind == "month" else "1y")
            spans = [
                (month_or_year(start, self.records.period.kind), starts == start)
                for start in starts.unique().drop_nulls()
            ]
        value = _no_rules(text.len())
        rules: pl.Series | None = None
        for span, mask in spans:
            own = text if mask is None else pl.select(pl.when(mask.fill_null(False)).then(text)).to_series()
            matches = {
                t: self.index.match(self.region_rule, t, None, *span) for t in own.unique().drop_nulls().to_list()
            }
            if mask is None and all(m.code == t for t, m in matches.items()):
                return text, None
            codes = {t: m.code for t, m in matches.items()}
            broken = {t: m.rule if normalise(t) else None for t, m in matches.items()}
            if not codes:
                continue
            mapped = own.replace_strict(codes, default=None, return_dtype=pl.String)
            why = own.replace_strict(broken, default=None, return_dtype=pl.String)
            value = pl.select(pl.coalesce(pl.lit(value), pl.lit(mapped))).to_series()
            rules = why if rules is None else pl.select(pl.coalesce(pl.lit(rules), pl.lit(why))).to_series()
        return value, rules

    def _person(self, text: pl.Series, column: RecordColumn) -> Judged:
        """ID numbers checked and replaced. A person has several records, so each number is worked on once."""
        assert self.key is not None
        unique = text.unique().drop_nulls()
        plain = personal.canonical(unique)
        if (plain == "").any():
            text = pl.select(pl.when(~text.is_in(unique.filter(plain == "").to_list())).then(text)).to_series()
            unique, plain = unique.filter(plain != ""), plain.filter(plain != "")
        rules = (
            personal.id_problems(plain)
            if column.check == "gb_11643"
            else pl.Series([None] * len(plain), dtype=pl.String)
        )
        pseudonyms = pl.Series(self.key.pseudonyms(plain.to_list()), dtype=pl.Binary)
        table = pl.DataFrame({"t": unique, "value": pseudonyms, "rule": rules})
        joined = text.to_frame("t").join(table, on="t", how="left", maintain_order="left")
        if rules.null_count() == len(rules):
            return joined["value"], None
        value = joined.select(pl.when(pl.col("rule").is_null()).then(pl.col("value"))).to_series()
        return value, joined["rule"]

    def _date(self, text: pl.Series, column: RecordColumn) -> Judged:
        value = text.str.to_date(column.date_format, strict=False)
        rules = None
        if value.null_count() != text.null_count():
            failed = value.is_null() & text.is_not_null()
            own = text.filter(failed).str.strip_chars()
            again = own.str.to_date(column.date_format, strict=False)
            broken = pl.select(pl.when(pl.lit(again.is_null() & (own != ""))).then(pl.lit("not_a_date"))).to_series()
            places = np.flatnonzero(failed.to_numpy())
            value = value.scatter(places, again)
            rules = _no_rules(text.len()).scatter(places, broken)
        for limit, rule in ((column.min, "below_minimum"), (column.max, "above_maximum")):
            if limit is not None:
                edge = date.fromisoformat(str(limit))
                off = (value < edge) if rule == "below_minimum" else (value > edge)
                if off.any():
                    rules = _first(rules, off.fill_null(False), rule)
        return (value.dt.year().cast(pl.Int16) if column.personal == "birth_year" else value), rules

    def _plain_number(self, source: Column, column: RecordColumn) -> Judged | None:
        """A column of numbers that are mostly written plainly: these at once, the others the long way.

        None for any other column.
        """
        if not isinstance(source, PlainColumn) or column.type not in ("integer", "decimal"):
            return None
        scale = _scale(column)
        found = None if self.has_missing_number else source.numbers(scale)
        if found is None:
            return None
        value, odd = found
        if column.type == "decimal" and not scale:
            value = value.cast(pl.Decimal(18, 0))
        rules: pl.Series | None = None
        if odd.size:
            own = Column(source.at(odd))
            others, broken = self._any_number(self._text(own, column), own, column)
            value = value.scatter(odd, others)
            rules = None if broken is None else _no_rules(len(value)).scatter(odd, broken)
        return _within(value, rules, column)

    def _number(self, text: pl.Series, source: Column, column: RecordColumn) -> Judged:
        return _within(*self._any_number(text, source, column), column)

    def _any_number(self, text: pl.Series, source: Column, column: RecordColumn) -> Judged:
        """Plain numbers at once; whatever else may be one goes through the same reading as any reported number."""
        scale = _scale(column)
        kind = pl.Decimal(18, scale) if column.type == "decimal" else pl.Int64()
        value = text.cast(kind, strict=False)
        odd: pl.Series | None = None
        if column.type == "decimal":
            # A cast rounds what has too many digits, so the form of a cell decides. Mostly the point stands in its
            # place, and there is nothing to round (with two digits behind it there is no room for `e-9` either).
            if 0 < scale <= 2:
                if isinstance(source, PlainColumn) and text is source.texts:
                    odd = source.without_point(scale)
                else:
                    odd = (text.str.slice(-scale - 1, 1) != ".").fill_null(False)
            if odd is None or odd.sum() > _FEW * text.len():
                odd = ~text.str.contains(rf"^[+-]?[0-9]{{1,{18 - scale}}}(\.[0-9]{{1,{scale}}})?$").fill_null(True)
        if value.null_count() != text.null_count():
            failed = value.is_null() & text.is_not_null()
            odd = failed if odd is None else odd | failed
        rules: pl.Series | None = None
        if odd is not None and odd.any():
            value, rules = self._odd_numbers(text, value, odd, column, kind, scale)
        return value, rules

    def _odd_numbers(
        self, text: pl.Series, value: pl.Series, odd: pl.Series, column: RecordColumn, kind: pl.DataType, scale: int
    ) -> tuple[pl.Series, pl.Series]:
        own = text.filter(odd)
        known = self.odd_numbers.setdefault(column.as_, {})
        new = [t for t in own.unique().to_list() if t not in known]
        if new:
            parsed = numbers.parse(
                pl.Series(new, dtype=pl.String),
                kind=column.type,
                factor=1,
                is_percent=False,
                tokens={"": "missing"},
                marks={},
                minimum=None,
                maximum=None,
                style=_PADDED,
            )
            for t, number, rule in zip(new, parsed["value"], parsed["rule"], strict=True):
                exact = pl.Series([number], dtype=numbers.DECIMAL).cast(kind, strict=False).item()
                if rule is None and number is not None and number != round(number, scale):
                    rule = "too_many_decimals"
                elif rule is None and number is not None and exact is None:
                    rule = "out_of_range"
                known[t] = (None if rule else exact, rule)
            if len(known) > _ODD_KEPT:
                self.odd_numbers[column.as_] = {}
        found = [known[t] for t in own.to_list()]
        places = np.flatnonzero(odd.to_numpy())
        exact_values = pl.Series([v for v, _ in found], dtype=kind)
        rules = _no_rules(text.len()).scatter(places, pl.Series([r for _, r in found], dtype=pl.String))
        return value.scatter(places, exact_values), rules


def _scale(column: RecordColumn) -> int:
    return column.scale if column.type == "decimal" else 0


def _within(value: pl.Series, rules: pl.Series | None, column: RecordColumn) -> Judged:
    """Numbers that keep the contract's limits."""
    for limit, rule in ((column.min, "below_minimum"), (column.max, "above_maximum")):
        if limit is None or value.null_count() == value.len():
            continue
        extreme: Any = value.min() if rule == "below_minimum" else value.max()
        if (extreme < Decimal(str(limit))) if rule == "below_minimum" else (extreme > Decimal(str(limit))):
            edge = pl.lit(Decimal(str(limit)))
            off = pl.lit(value) < edge if rule == "below_minimum" else pl.lit(value) > edge
            rules = _first(rules, pl.select(off.fill_null(False)).to_series(), rule)
    return value, rules


def _no_rules(count: int) -> pl.Series:
    return pl.repeat(None, count, dtype=pl.String, eager=True)


def _first(rules: pl.Series | None, where: pl.Series, rule: str) -> pl.Series:
    """Rules with one more; a cell that breaks two keeps the first."""
    own = pl.select(pl.when(where).then(pl.lit(rule))).to_series()
    return own if rules is None else pl.select(pl.coalesce(pl.lit(rules), pl.lit(own))).to_series()


def _over(rules: pl.Series | None, where: pl.Series, rule: str) -> pl.Series:
    """Rules with one that goes before all others."""
    own = pl.select(pl.when(where).then(pl.lit(rule))).to_series()
    return own if rules is None else pl.select(pl.coalesce(pl.lit(own), pl.lit(rules))).to_series()


def _month(text: str) -> date | None:
    """The first day of a month written as 2020-03, 202003, 2020/3 or 2020年3月; 2020.1 may have been October."""
    span = period_span(text, _MONTH)
    return span[0] if span else None
