"""What was seen in an unknown file, written down as a contract with the reason beside every guess.

The text is made to be read and corrected by a person. Looking at the file is `sniff`'s work; whether the proposal
reads the file is shown by reading it, with the reader that will read it later.
"""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipelines.intake.names import RegionIndex
from pipelines.intake.sniff import (
    DIMENSION_WORDS,
    IN_BRACKETS,
    RESIDENCES,
    SEXES,
    TOTAL_WORD,
    YEAR,
    Column,
    Look,
    look,
    parts_of_header,
    sheet_of,
)
from pipelines.jurisdiction.contract import Contract, SheetRule
from pipelines.jurisdiction.text import normalise
from pipelines.store import read_yaml

_WIDTH = 100
_FINANCIAL = re.compile(r"(?:1[89]|20)\d\d[-/–](?:\d\d|(?:19|20)\d\d)(?!\d)")
_MONTHLY = re.compile(r"(?:1[89]|20)\d\d(?:[-/.年]\d{1,2}月?)(?!\d)")
_YEAR_END = re.compile(r"年末|年底|yearend|endofyear|31december|31dec", re.IGNORECASE)
_THOUSANDS = {"thousand": 1000, "thousands": 1000, "千": 1000, "万": 10_000, "百万": 1_000_000, "億": 100_000_000}
_THOUSANDS |= {"亿": 100_000_000, "million": 1_000_000, "millions": 1_000_000, "'000": 1000, "000s": 1000}


@dataclass(frozen=True)
class Grounds:
    """What is known of a jurisdiction before its contracts: unit -> base unit, regions, measures."""

    units: dict[str, str]
    regions: pl.DataFrame
    measures: pl.DataFrame


@dataclass
class Proposal:
    """A proposed contract: its text, and what must be added beside it before it loads."""

    id: str
    text: str
    look: Look
    measures: list[dict[str, str]] = field(default_factory=list)  # lines for reference/measures.csv
    units: dict[str, dict[str, Any]] = field(default_factory=dict)  # entries for `units` in jurisdiction.yml
    notes: list[str] = field(default_factory=list)


@dataclass
class _Value:
    """One entry under `values`."""

    selector: str  # `column: "..."` or `columns: "..."`
    measure: str | None
    dimensions: dict[str, str]
    unit: str
    integer: bool
    not_negative: bool
    why: str


def propose(data: bytes, file_name: str, grounds: Grounds, extract: str) -> Proposal:
    """Look at a file and propose the contract `extract` (department/extract) for it.

    Raises UnreadableFileError when no table with regions and numbers can be seen in the file.
    """
    seen = look(data, file_name, RegionIndex(grounds.regions))
    return _Writer(seen, grounds, extract).write()


def _quoted(text: str) -> str:
    """A text as YAML and JSON both read it."""
    return json.dumps(text, ensure_ascii=False)


def _listed(texts: Iterable[str]) -> str:
    return "[" + ", ".join(_quoted(text) for text in texts) + "]"


class _Writer:
    """The work on one proposal."""

    def __init__(self, seen: Look, grounds: Grounds, extract: str) -> None:
        self.seen = seen
        self.grounds = grounds
        self.proposal = Proposal(extract, "", seen)
        self.lines: list[str] = []
        self.known = {
            normalise(name): row["measure"]
            for row in grounds.measures.iter_rows(named=True)
            for name in (row["name_zh"], row["name_en"], row["measure"])
            if name
        }
        self.bases = dict(grounds.measures.select("measure", "unit").iter_rows())
        self.new_measures: dict[tuple[str, str], str] = {}  # header text and base unit -> measure

    # -- the whole ------------------------------------------------------------------------------------------

    def write(self) -> Proposal:
        seen = self.seen
        period = self._period()
        values = self._values(period)
        rows = self._rows(values)
        extract = self.proposal.id
        title = sheet_of(seen)
        suffix = seen.file_name.rsplit(".", 1)[-1] if "." in seen.file_name else "*"
        packed = ".".join(seen.file_name.split(".")[-2:]) if suffix in ("gz", "zip") else suffix
        files = f"*.{packed if packed.count('.') == 1 and len(packed) < 12 else suffix}"
        text = [
            f"# Proposed by `junheng sniff {seen.file_name}`. Every guess says why; correct what is wrong, then run",
            f"# `junheng check FILE --contract {extract}` until what it shows is what the file says.",
            f"id: {extract}",
            "version: 0.1.0",
            "status: proposed",
            f"name: {_quoted(title)}   # the file cannot say what the department calls it",
            f"name_en: {_quoted(title)}",
            "provenance: official   # or synthetic: nothing in a file proves either",
            'license: "not yet stated"   # write under what terms the figures came',
            f"source: {{publisher: {_quoted(extract.split('/')[0])}, title: {_quoted(title)}}}",
            f"team: [{{name: {_quoted(extract.split('/')[0])}, role: owner}}]   # who answers when the file is late",
            "# slaProperties: [{property: frequency, value: 1, unit: y}, {property: latency, value: 120, unit: d}]",
            "rank: 100   # a lower number wins where two extracts report the same figure",
            f"files: {_quoted(files)}   # the ending of this file",
            "layouts:",
            "  - name: main",
        ]
        text += [f"    {line}" for line in [*self._format(), *self._header()]]
        if period["captures"]:
            text += [f"    captures: [{period['captures']}]   # {period['why']}"]
        text += [f"    {line}" for line in [*self._ignored(), *self._region(), period["line"], *rows]]
        text += [
            f"    {line}" for line in [*self._tokens(), *self._value_lines(values), *self._ignored_columns(values)]
        ]
        text += [
            "quality:",
            f"  rows: {{min: {max(1, int(seen.data_rows * 0.8))}}}   # this file has {seen.data_rows} data rows"
            + (" per block" if seen.repeats else ""),
        ]
        if seen.unmatched:
            shown = ", ".join(seen.unmatched[:8]) + (" ..." if len(seen.unmatched) > 8 else "")
            self.proposal.notes.append(
                f"{len(seen.unmatched)} name(s) are no region of regions.csv and will be rejected: {shown}"
            )
        self.proposal.text = "\n".join(text) + "\n"
        return self.proposal

    # -- format, header, rows that are no data ----------------------------------------------------------------

    def _format(self) -> list[str]:
        rule, why = self.seen.format, self.seen.format_why
        parts = [f"kind: {rule.kind}"]
        if isinstance(rule.sheet, SheetRule):
            parts.append(f"sheet: {{pattern: {_quoted(rule.sheet.pattern)}{', all: true' if rule.sheet.all else ''}}}")
        elif rule.kind in ("xlsx", "xls", "ods"):
            parts.append(f"sheet: {_quoted(self.seen.sheet)}")
            why.setdefault("sheet", "the sheet with the largest table")
        if rule.kind in ("csv", "tsv", "jsonl"):
            parts.append(f"encoding: {rule.encoding}")
        if rule.kind == "csv" and rule.delimiter != ",":
            parts.append(f"delimiter: {_quoted(rule.delimiter)}")
        if rule.member != "*":
            parts.append(f"member: {_quoted(rule.member)}")
        if rule.transpose:
            parts.append("transpose: true")
        reasons = [f"{name}: {reason}" for name, reason in why.items()]
        return [*(f"# {reason}" for reason in reasons), f"format: {{{', '.join(parts)}}}", *self._numbers()]

    def _numbers(self) -> list[str]:
        continental = [c for c in self.seen.values if c.continental]
        if not continental:
            return []
        texts = [text for c in continental for text in c.continental]
        thousands = " " if any(re.search(r"\d[ \u00a0\u202f]\d{3}", text) for text in texts) else "."
        return [
            f'numbers: {{decimal: ",", thousands: {_quoted(thousands)}}}   # {len(continental)} column(s) hold numbers '
            f"like {next((t for t in texts if ',' in t), texts[0])!r}"
        ]

    def _header(self) -> list[str]:
        seen = self.seen
        parts = [f"find: {_listed(seen.find)}" if seen.find else f"row: {seen.header_first + 1}"]
        if seen.header_rows > 1:
            parts.append(f"rows: {seen.header_rows}")
        if seen.fill_right:
            parts.append("fill_right: true")
        if seen.repeats:
            parts.append("repeats: true")
        last = seen.header_row_number + seen.header_rows - 1
        where = f"row {seen.header_row_number}" + (f" to {last}" if seen.header_rows > 1 else "")
        why = [f"# the header stands in {where}, right above the first row with a region and a number"]
        if seen.repeats:
            why.append("# the same header stands again further down: blocks, one below the other")
        if not seen.find:
            why.append("# its names do not tell it from other rows: found by its number")
        return [*why, f"header: {{{', '.join(parts)}}}"]

    def _ignored(self) -> list[str]:
        lines = []
        if self.seen.end_at:
            lines += [f"# the data ends: {guess.why}" for guess in self.seen.end_at]
            lines.append(f"data: {{end_at: {_listed(guess.value for guess in self.seen.end_at)}}}")
        anchor = self.seen.name or self.seen.code
        rules = []
        if self.seen.line_numbers is not None:
            place, text = self.seen.line_numbers
            name = next(c.name for c in self.seen.columns if c.address == place)
            rules.append("# a row of line numbers below the header, known by its first")
            rules.append(f"- {{reason: line_numbers, column: {_quoted(name)}, pattern: {_quoted(f'^{text}$')}}}")
        if self.seen.headings and anchor is not None:
            pattern = "^(" + "|".join(re.escape(heading) for heading in self.seen.headings) + ")$"
            rules.append("# rows that only name the block below them")
            rules.append(f"- {{reason: heading, column: {_quoted(anchor.name)}, pattern: {_quoted(pattern)}}}")
        if self.seen.totals and anchor is not None:
            pattern = "^(" + "|".join(re.escape(total) for total in self.seen.totals) + ")$"
            words = {w.group(0).lower() for t in self.seen.totals if (w := TOTAL_WORD.search(t))}
            if len(self.seen.totals) > 4 and len(words) == 1:
                word = TOTAL_WORD.search(self.seen.totals[0])
                assert word is not None
                pattern = f"^{word.group(0)}" if word.start() == 0 else f"{re.escape(word.group(0))}$"
            rules.append(
                "# totals by their names; `reconcile: all` (or since_previous) compares them with the sum of the rows"
            )
            rules.append(f"- {{reason: total, column: {_quoted(anchor.name)}, pattern: {_quoted(pattern)}}}")
        if rules:
            lines += ["# rows that are no data: counted, kept with their reason, not taken", "ignore_rows:"]
        return [*lines, *(f"  {rule}" for rule in rules)]

    def _region(self) -> list[str]:
        seen, parts, why = self.seen, [], []
        if seen.code is not None:
            parts.append(f"code: {_quoted(seen.code.name)}")
            why.append(f"# column {seen.code.address}: {seen.code.regions_by_code} different codes of regions.csv")
            if seen.code_length:
                parts.append(f"code_length: {seen.code_length}")
                why.append("# codes lost their leading zeros in a spreadsheet")
            if seen.no_code:
                parts.append(f"no_code: {_listed(seen.no_code)}")
        if seen.name is not None:
            parts.append(f"name: {_quoted(seen.name.name)}")
            why.append(f"# column {seen.name.address}: {seen.name.regions_by_name} different names of regions.csv")
            if seen.name_prefixes:
                parts.append(f"name_prefixes: {_listed(seen.name_prefixes)}")
                why.append("# names are known without these marks before them")
            if seen.name_suffixes:
                parts.append(f"name_suffixes: {_listed(seen.name_suffixes)}")
                why.append("# names are known without these words behind them")
            if seen.indent and seen.code is None:
                parts.append("indent: true")
                why.append("# names stand more than once, at different depths of leading blanks")
        if seen.unmatched:
            why.append(f"# not in regions.csv, hence rejected: {', '.join(seen.unmatched[:12])[: _WIDTH * 2]}")
            why.append("# where you know better, add `accepted: {name as reported: code}`")
        return [*why, f"region: {{{', '.join(parts)}}}"]

    # -- the period -----------------------------------------------------------------------------------------

    def _period(self) -> dict[str, Any]:
        """Where the year is: in headers, in a column, in the sheet's name, else in the delivery folder."""
        seen = self.seen
        dated = [c for c in seen.values if YEAR.search(c.name)]
        everything = " ".join([*seen.preamble, *(c.name for c in seen.columns), seen.file_name])
        point = _YEAR_END.search(everything)
        kind = "point" if point else "year"
        tail = ', month_day: "12-31"' if point else ""
        reason = f"; the file speaks of {point.group(0)}" if point else "; point if the figures are of one day"
        found: dict[str, Any] = {"from": "folder", "captures": "", "dated": [], "why": ""}
        if dated and len(dated) >= len(seen.values) / 2:
            texts = [c.name for c in dated]
            if any(_FINANCIAL.search(t) for t in texts) and not self._are_months(texts):
                kind, tail, reason = "year", ', starts: "04-01"', "; named like financial years: check their first day"
            elif all(_MONTHLY.search(t) for t in texts):
                kind, tail, reason = "month", "", "; each header names a month"
            found.update({"from": "header", "dated": dated})
            found["line"] = f"period: {{from: header, kind: {kind}{tail}}}   # years stand in the headers{reason}"
            return found
        if seen.year_column is not None:
            column = seen.year_column
            if any(_FINANCIAL.search(t) for t in column.texts):
                kind, tail, reason = "year", ', starts: "04-01"', "; named like financial years: check their first day"
            found["from"] = "column"
            found["line"] = (
                f"period: {{from: column, column: {_quoted(column.name)}, kind: {kind}{tail}}}"
                f"   # column {column.address} holds years only{reason}"
            )
            return found
        financial = {m.group(0) for text in seen.preamble for m in _FINANCIAL.finditer(text)}
        if len(financial) == 1 and not self._are_months(list(financial)):
            form = re.sub(r"\d", r"\\d", financial.pop())
            found["from"] = "capture"
            found["captures"] = f"{{from: preamble, pattern: {_quoted(f'(?P<period>{form})')}}}"
            found["why"] = "the lines above the table name one financial year"
            found["line"] = 'period: {from: capture, kind: year, starts: "04-01"}   # check its first day'
            return found
        if isinstance(seen.format.sheet, SheetRule) and seen.format.sheet.all:
            found["from"] = "capture"
            found["captures"] = '{from: sheet, pattern: "(?P<period>\\\\d{4})"}'
            found["why"] = "each sheet's name says its year"
            found["line"] = f"period: {{from: capture, kind: {kind}{tail}}}   # {found['why']}{reason}"
            return found
        found["line"] = (
            f"period: {{from: folder, kind: {kind}{tail}}}"
            f"   # no year in headers or columns: the delivery folder's{reason}"
        )
        return found

    @staticmethod
    def _are_months(texts: list[str]) -> bool:
        """2019-07 is a month; 2019-20 and 2009-10, a year and the one after it, are financial years."""
        for text in texts:
            match = re.search(r"(\d{4})[-/–](\d\d)(?!\d)", text)
            if match and int(match.group(2)) != (int(match.group(1)) + 1) % 100:
                return int(match.group(2)) <= 12
        return False

    # -- rows and values ------------------------------------------------------------------------------------

    def _rows(self, values: list[_Value]) -> list[str]:
        lines: list[str] = []
        taken: set[str] = set()
        for column, fill, texts in self.seen.labels:
            dimension = self._dimension_of(column, fill, values, taken)
            taken.add(dimension)
            parts = [f"column: {_quoted(column.name)}", f"dimension: {dimension}"]
            why = "a label that stands once for the rows below it" if fill else "it tells apart the rows of one region"
            if fill:
                parts.append("fill: down")
            if dimension == "measure":
                pairs = [f"{_quoted(text)}: {self._measure(text, self._unit_of(text, None)[0])}" for text in texts]
                parts.append(f"map: {{{', '.join(pairs)}}}")
            elif dimension in ("sex", "residence"):
                words = SEXES if dimension == "sex" else RESIDENCES
                pairs = []
                for text in texts:
                    hits = [v for v, p in words.items() if re.search(p, text, re.IGNORECASE)]
                    pairs.append(f"{_quoted(text)}: {hits[0] if len(hits) == 1 else _whole(dimension)}")
                parts.append(f"map: {{{', '.join(pairs)}}}")
            lines.append(f"# column {column.address}: {why}; {len(texts)} different texts")
            lines.append(f"- {{{', '.join(parts)}}}")
        return ["rows:", *(f"  {line}" for line in lines)] if lines else []

    def _dimension_of(self, column: Column, fill: bool, values: list[_Value], taken: set[str]) -> str:
        for dimension, words in DIMENSION_WORDS:
            if words.search(column.name) and dimension not in taken:
                if dimension == "measure" and any(v.measure for v in values):
                    break
                return dimension
        if fill and "measure" not in taken and not any(v.measure for v in values):
            return "measure"
        return "item" if "item" not in taken else "group" if "group" not in taken else "age_group"

    def _labels_are_measures(self) -> bool:
        """True when a text column says what each row's figures are, so that the columns need not."""
        return any(fill or DIMENSION_WORDS[-1][1].search(column.name) for column, fill, _ in self.seen.labels)

    def _values(self, period: dict[str, Any]) -> list[_Value]:
        by_rows = self._labels_are_measures()
        values: list[_Value] = []
        families: dict[tuple[str, str], list[Column]] = {}
        for column in self.seen.values:
            if column in period["dated"]:
                match = _MONTHLY.search(column.name) if "kind: month" in period["line"] else None
                match = match or _FINANCIAL.search(column.name) or YEAR.search(column.name)
                assert match is not None
                families.setdefault((column.name[: match.start()], column.name[match.end() :]), []).append(column)
            elif period["from"] != "header":
                values.append(self._one(column, by_rows))
        titles = [text for text in self.seen.preamble if len(text) > 1]
        for (before, after), columns in families.items():
            samples = [c.name[len(before) : len(c.name) - len(after)] for c in columns]
            pattern = r"\d{4}" if all(len(s) == 4 for s in samples) else r"\d{4}[^/]*?" if after else r"\d{4}.*"
            regex = f"^{re.escape(before)}(?P<period>{pattern}){re.escape(after)}$".replace(r"\ ", " ").replace(
                r"\-", "-"
            )
            subject = re.sub(r"^[/年度末]+|[/]+$", "", before + after) or self._title(titles)
            unit, why = self._unit_of(subject if before or after else "", columns[0])
            if unit is None and not by_rows:
                unit, why = self._unit_of(" ".join(titles), columns[0])
            measure = None if by_rows else self._measure(self._bare(subject), unit)
            if by_rows and unit is None:
                labels = [text for _, _, texts in self.seen.labels for text in texts]
                unit, why = self._unit_of(" ".join(labels), columns[0])
            values.append(
                _Value(
                    f"columns: {_quoted(regex)}",
                    measure,
                    {},
                    self._unit(unit, columns[0]),
                    all(c.integer for c in columns),
                    all(c.minimum >= 0 for c in columns),
                    f"{len(columns)} column(s), {columns[0].address} to {columns[-1].address}; unit: {why}",
                )
            )
        self._tell_apart(values)
        return values

    def _one(self, column: Column, by_rows: bool) -> _Value:
        subject, dimensions = parts_of_header(self._bare(column.title))
        unit, why = self._unit_of(column.name, column)
        subject = subject or self._title(self.seen.preamble)
        if unit is None and normalise(self._bare(subject)) in self.known:
            base = self.bases[self.known[normalise(self._bare(subject))]]
            unit, why = next((u for u, b in self.grounds.units.items() if b == base), None), "that of the measure"
        measure = None if by_rows else self._measure(subject, unit)
        return _Value(
            f"column: {_quoted(column.name)}",
            measure,
            dimensions,
            self._unit(unit, column),
            column.integer,
            column.minimum >= 0,
            f"column {column.address}; unit: {why}",
        )

    def _tell_apart(self, values: list[_Value]) -> None:
        """Two columns that would report the same figure get a measure each."""
        seen: dict[tuple[Any, ...], int] = {}
        for value in values:
            key = (value.measure, *sorted(value.dimensions.items()))
            count = seen.get(key, 0)
            seen[key] = count + 1
            if count and value.measure is not None:
                value.measure = self._measure(f"{value.measure} {count + 1}", value.unit)
            elif count:
                value.dimensions["group"] = f"column_{count + 1}"

    def _title(self, preamble: list[str]) -> str:
        """What the lines above the table say that it is about."""
        for text in preamble:
            stated = re.match(r"^(?:指标|指標|[Ii]ndicator)[:：](.+)$", text)
            if stated:
                return self._bare(stated.group(1))
        plain = [self._bare(text) for text in preamble if not re.search(r"[:：]", text)]
        return plain[0] if plain else self._bare(sheet_of(self.seen))

    @staticmethod
    def _bare(text: str) -> str:
        """A header without its unit in brackets."""
        return re.sub(r"^[\s/]+|[\s/]+$", "", IN_BRACKETS.sub("", text)) or text

    def _measure(self, subject: str, unit: str | None) -> str:
        """A measure of measures.csv that is called so, or a new one to be added."""
        bare = normalise(self._bare(subject))
        base = self._base(unit)
        if bare in self.known and self.bases[self.known[bare]] == base:
            return str(self.known[bare])
        if (bare, base) not in self.new_measures:
            stem = _identifier(subject)
            used = {*self.new_measures.values(), *self.bases}
            names = (f"{stem}_{n}" for n in itertools.count(1 if stem == "measure" else 2))
            name = stem if stem != "measure" and stem not in used else next(n for n in names if n not in used)
            self.new_measures[bare, base] = name
            self.proposal.measures.append(
                {
                    "measure": name,
                    "name_zh": bare,
                    "name_en": bare,
                    "unit": base,
                    "kind": "rate" if base == "percent" else "stock",
                    "aggregation": "none" if base == "percent" else "whole",
                    "population_source": "none",
                    "is_population": "false",
                }
            )
        return self.new_measures[bare, base]

    def _base(self, unit: str | None) -> str:
        """The base unit of a unit, proposed ones included."""
        stated = self._unit(unit, None)
        return self.grounds.units.get(stated) or str(self.proposal.units[stated]["base"])

    def _unit_of(self, text: str, column: Column | None) -> tuple[str | None, str]:
        """The unit that a header states, or the preamble, or percent signs; None when nothing does."""
        units = {normalise(name): name for name in self.grounds.units}
        candidates = [normalise(m) for m in IN_BRACKETS.findall(text)]
        candidates += [normalise(part) for part in text.split("/")[1:]]
        for candidate in reversed(candidates):
            if candidate in units:
                return units[candidate], f"the header says {candidate}"
        for candidate in reversed(candidates):
            if any(word in candidate for word in _THOUSANDS) or candidate in ("%", "‰"):
                return candidate, f"the header says {candidate}"
        for line in (self.seen.unit_line, *self.seen.preamble):
            stated = normalise(line)
            inner = [normalise(m) for m in IN_BRACKETS.findall(stated)]
            for candidate in (stated, *inner):
                if candidate in units:
                    return units[candidate], f"the lines above the table say {candidate}"
        spoken = [u for line in self.seen.preamble for u in units if len(u) > (2 if u.isascii() else 1) and u in line]
        if spoken and not self.seen.unit_line:
            return units[max(spoken, key=len)], f"the lines above the table speak of {max(spoken, key=len)}"
        if self.seen.unit_line:
            parts = [normalise(part) for part in re.split(r"[、,，/;；]", self.seen.unit_line)]
            several = [units[p] for p in parts if p in units]
            if several:
                return several[0], f"one of those above the table ({self.seen.unit_line}): which one is not said"
            return normalise(self.seen.unit_line), f"the lines above the table say {self.seen.unit_line}"
        if column is not None and column.percent:
            return "%", "the cells bear percent signs"
        return None, "nothing in the file says it: guessed"

    def _unit(self, unit: str | None, column: Column | None) -> str:
        """A unit of the jurisdiction; one that it lacks is proposed to be added."""
        if unit is None:
            unit = next(iter(self.grounds.units), "units")
        if unit in self.grounds.units:
            return unit
        factor = next((f for word, f in sorted(_THOUSANDS.items(), key=lambda i: -len(i[0])) if word in unit), 1)
        base = (
            {"%": "percent", "‰": "per_mille"}.get(unit) or re.sub(r"[^a-z]+", "_", unit.lower()).strip("_") or "units"
        )
        if factor > 1:  # what is counted in thousands, the header does not say
            base = "units"
        self.proposal.units.setdefault(unit, {"base": base, "factor": factor})
        return unit

    def _tokens(self) -> list[str]:
        lines = [f"# {text!r}: {why}" for text, (_, why) in self.seen.tokens.items()]
        pairs = [f"{_quoted(text)}: {meaning}" for text, (meaning, _) in self.seen.tokens.items()]
        lines.append(f"tokens: {{{', '.join(pairs)}}}" + ("" if pairs else "   # every cell holds a number"))
        if self.seen.marks:
            lines += [f"# {text!r} behind numbers: {why}" for text, (_, why) in self.seen.marks.items()]
            marks = [f"{_quoted(text)}: {meaning}" for text, (meaning, _) in self.seen.marks.items()]
            lines.append(f"marks: {{{', '.join(marks)}}}")
        return lines

    def _value_lines(self, values: list[_Value]) -> list[str]:
        lines = ["# measures stand in reference/measures.csv; new ones are listed by `junheng sniff`", "values:"]
        for value in values:
            parts = [value.selector]
            if value.measure:
                parts.append(f"measure: {value.measure}")
            parts += [f"{name}: {_quoted(text)}" for name, text in value.dimensions.items()]
            parts.append(f"unit: {_quoted(value.unit)}")
            if value.integer:
                parts.append("type: integer")
            if value.not_negative:
                parts.append("min: 0")
            lines.append(f"  - {{{', '.join(parts)}}}   # {value.why}")
        return lines

    def _ignored_columns(self, values: list[_Value]) -> list[str]:
        seen = self.seen
        used = {c.name for c in (seen.name, seen.code, seen.year_column) if c is not None}
        used |= {column.name for column, _, _ in seen.labels}
        used |= {json.loads(v.selector.partition(": ")[2]) for v in values if v.selector.startswith("column:")}
        patterns = [json.loads(v.selector.partition(": ")[2]) for v in values if v.selector.startswith("columns:")]
        left = [
            c
            for c in seen.columns
            if c.kind != "empty" and c.name not in used and not any(re.search(p, c.name) for p in patterns)
        ]
        if not left:
            return []
        named = [f"^{re.escape(c.name)}$".replace(r"\ ", " ").replace(r"\-", "-") for c in left]
        why = ", ".join(f"{c.address} ({c.kind})" for c in left[:10])
        return [f"# not taken: {why}", f"ignore_columns: {_listed(dict.fromkeys(named))}"]


def _whole(dimension: str) -> str:
    return "total" if dimension == "residence" else "all"


def _identifier(text: str) -> str:
    """A measure's name made of a header's Latin words; plain `measure` where it has none."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", ascii_text).lower())
    name = "_".join(words)[:50].strip("_")
    if len(re.sub(r"[\d_]", "", name)) >= 3 and not name[0].isdigit():
        return name
    return "measure"


def as_contract(text: str) -> Contract:
    """A proposal's text as the model of contracts."""

    return Contract.model_validate(read_yaml(text))
