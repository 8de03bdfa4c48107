"""What was seen in an unknown file, written down as a contract with the reason beside everything that was concluded.

The text is made to be read and corrected by a person; what nobody but a person can know stays open (`?`). Whether the
proposal reads the file is shown by reading it, with the reader that will read it later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from pipelines.formats import FORMATS
from pipelines.intake.sniffing.look import Grounds, Look
from pipelines.intake.sniffing.periods import Period, find_period
from pipelines.intake.sniffing.survey import Sheet, survey
from pipelines.intake.sniffing.values import Measures, Value, find_values, row_lines
from pipelines.intake.sniffing.words import TOTAL_WORD
from pipelines.intake.sniffing.writing import in_english, listed, one_line, plain_pattern, quoted, word
from pipelines.jurisdiction.contract import Contract, SheetRule
from pipelines.jurisdiction.open_fields import OPEN, find_open, with_stand_ins
from pipelines.store import read_yaml

_WIDTH = 100
_NOTE_NUMBER = re.compile(r"^\(?[0-9]{1,3}\)?-?$")  # may be the number of a note, or of a page
_ENDINGS = frozenset(ending for entry in FORMATS.values() for ending in entry.endings)


@dataclass
class Proposal:
    """A proposed contract: its text, what is open in it, and what must be added beside it before it can be in force."""

    id: str
    text: str
    look: Look
    sheets: list[Sheet]
    measures: list[dict[str, str]] = field(default_factory=list)  # lines for reference/measures.csv
    units: list[str] = field(default_factory=list)  # units that the file states and jurisdiction.yml does not list
    regions: list[dict[str, str]] = field(default_factory=list)  # what regions.csv would need: code and name
    notes: list[str] = field(default_factory=list)

    @property
    def open_fields(self) -> list[dict[str, Any]]:
        """What a person has to answer: line, field, and the line with its reason."""
        return [item.as_dict() for item in find_open(self.text)]


def propose(data: bytes, file_name: str, grounds: Grounds, extract: str, sheet: str | None = None) -> Proposal:
    """Look at a file and propose the contract `extract` (department/extract) for it, or for one of its sheets.

    Raises UnreadableFileError when no table with regions and numbers can be seen in the file.
    """
    found = survey(data, file_name, grounds, sheet)
    return write_proposal(found.look(), found.sheets, grounds, extract)


def as_trial(text: str) -> Contract:
    """A proposal's text as a contract that can be tried: with stand-ins for what is open."""
    return Contract.model_validate(with_stand_ins(read_yaml(text)))


def write_proposal(seen: Look, sheets: list[Sheet], grounds: Grounds, extract: str) -> Proposal:
    """The contract for what was seen in one sheet."""
    measures = Measures(grounds)
    period = find_period(seen, grounds)
    values = find_values(seen, period, grounds, measures)
    rows = row_lines(seen, values, grounds, measures)
    department, title = quoted(extract.split("/")[0]), quoted(seen.title)
    text = [
        f"# Proposed by `junheng sniff {seen.file_name}`. What it says has its reason; `{OPEN}` is for you to answer.",
        f"# Run `junheng check FILE --contract {extract}` until what it shows is what the file says; then set",
        "# `status: active`. Nothing is published by a proposal.",
        f"id: {extract}",
        "version: 0.1.0",
        "status: proposed",
        f"name: {title}",
        f"name_en: {quoted(in_english(seen.title))}",
        f'provenance: "{OPEN}"   # official or synthetic: nothing in a file proves either',
        f'license: "{OPEN}"   # under what terms the figures came',
        f"source: {{publisher: {department}, title: {title}}}",
        f"team: [{{name: {department}, role: owner}}]   # who answers when the file is late",
        "# slaProperties: [{property: frequency, value: 1, unit: y}, {property: latency, value: 120, unit: d}]",
        "rank: 100   # a lower number wins where two extracts report the same figure",
        f"files: {quoted(_files(seen.file_name))}   # the ending of this file",
        "layouts:",
        "  - name: main",
    ]
    layout = [*_format(seen), *_numbers(seen), *_header(seen)]
    layout += [f"captures: [{period.captures}]   # it fills the period below"] if period.captures else []
    layout += [*_ignored_rows(seen), *_region(seen), period.line, *rows, *_tokens(seen)]
    layout += [*_value_lines(values), *_ignored_columns(seen, values, period)]
    text += [f"    {line}" for line in layout]
    text += [
        "quality:",
        f"  rows: {{min: {max(1, int(seen.data_rows * 0.8))}}}   # this file has {seen.data_rows} data rows"
        + (" per block" if seen.repeats else ""),
    ]
    made = Proposal(extract, "\n".join(map(one_line, text)) + "\n", seen, sheets, measures.lines, seen.unlisted_units)
    made.regions = [
        {"region_code": place if seen.code is not None else OPEN, "region_name": name}
        for place, name in seen.places.items()
    ]
    made.notes = _notes(seen, made, grounds)
    return made


def _notes(seen: Look, made: Proposal, grounds: Grounds) -> list[str]:
    notes = [f"{sheet.name or seen.file_name}: {text}" for sheet in made.sheets for text in sheet.warnings]
    hidden = [sheet.name for sheet in made.sheets if sheet.has_table and not sheet.is_visible]
    if hidden:
        notes.append(f"hidden sheets hold tables: {', '.join(hidden)}")
    if not seen.are_listed:
        listed = "lists no region" if not grounds.index.by_code else "lists none of them"
        notes.append(
            f"regions.csv {listed}: it would need {len(made.regions)} lines for the regions of this file "
            "(region_code and region_name as here; level, parent and the first day in force are for you to add)"
        )
    elif seen.unmatched:
        shown = ", ".join(seen.unmatched[:8]) + (" ..." if len(seen.unmatched) > 8 else "")
        notes.append(f"{len(seen.unmatched)} name(s) are no region of regions.csv and will be rejected: {shown}")
    return notes


def _files(file_name: str) -> str:
    suffix = file_name.rsplit(".", 1)[-1] if "." in file_name else "*"
    packed = ".".join(file_name.split(".")[-2:])
    is_packed = suffix in ("gz", "zip") and f".{packed.split('.')[0].lower()}" in _ENDINGS
    return f"*.{packed if is_packed else suffix}"


# -- format, header, rows that are no data ----------------------------------------------------------------


def _format(seen: Look) -> list[str]:
    rule, why = seen.format, seen.format_why
    parts = [f"kind: {rule.kind}"]
    if isinstance(rule.sheet, SheetRule):
        parts.append(f"sheet: {{pattern: {quoted(rule.sheet.pattern)}{', all: true' if rule.sheet.all else ''}}}")
    elif rule.sheet != 1:  # the place of a table that has no name of its own, or its name
        parts.append(f"sheet: {quoted(rule.sheet) if isinstance(rule.sheet, str) else rule.sheet}")
        why.setdefault("sheet", "the one with the largest table")
    if rule.kind in ("csv", "tsv", "jsonl"):
        parts.append(f"encoding: {rule.encoding}")
    if rule.kind == "csv" and rule.delimiter != ",":
        parts.append(f"delimiter: {quoted(rule.delimiter)}")
    if isinstance(rule.member, SheetRule):
        parts.append(f"member: {{pattern: {quoted(rule.member.pattern)}{', all: true' if rule.member.all else ''}}}")
    if rule.transpose:
        parts.append("transpose: true")
    reasons = [f"{name}: {reason}" for name, reason in why.items()]
    return [*(f"# {reason}" for reason in reasons), f"format: {{{', '.join(parts)}}}"]


def _numbers(seen: Look) -> list[str]:
    """How numbers are written, where it is not the usual way; open where a sign can be read in two ways."""
    parts, why = _decimal_mark(seen)
    negatives = [text for column in seen.values for text in column.negatives]
    large = [text for text in negatives if not _NOTE_NUMBER.match(text)]
    if large and all(text.startswith("(") for text in negatives):
        parts.append("negative: brackets")
        why.append(f"# {large[0]!r} is too large for the number of a note: taken for a negative number")
    elif negatives:
        parts.append(f'negative: "{OPEN}"')
        why.append(f"# {negatives[0]!r}: a negative number (brackets, or trailing), or a note?")
    return [*why, f"numbers: {{{', '.join(parts)}}}"] if parts else []


def _decimal_mark(seen: Look) -> tuple[list[str], list[str]]:
    continental = [text for column in seen.values for text in column.continental]
    if continental:
        by_blanks = any(re.search(r"[0-9][ \u00a0\u202f][0-9]{3}", text) for text in continental)
        example = next((text for text in continental if "," in text), continental[0])
        return ['decimal: ","', f"thousands: {quoted(' ' if by_blanks else '.')}"], [f"# numbers like {example!r}"]
    doubtful = [text for column in seen.values for text in column.either_mark]
    is_typed = seen.format.kind not in ("csv", "tsv") or (seen.format.kind == "csv" and seen.format.delimiter == ",")
    if not doubtful or is_typed or any(column.decimals for column in seen.values):
        return [], []
    return [f'decimal: "{OPEN}"'], [f"# {doubtful[0]!r}: does this mark stand between thousands, or before decimals?"]


def _header(seen: Look) -> list[str]:
    parts = [f"find: {listed(seen.find)}" if seen.find else f"row: {seen.header_first + 1}"]
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


def _ignored_rows(seen: Look) -> list[str]:
    lines, rules = [], []
    if seen.end_at:
        lines += [f"# the data ends: {guess.why}" for guess in seen.end_at]
        lines.append(f"data: {{end_at: {listed(guess.value for guess in seen.end_at)}}}")
    anchor = quoted(seen.anchor.called)
    if seen.line_numbers is not None:
        place, text = seen.line_numbers
        name = next(c.called for c in seen.columns if c.address == place)
        rules.append("# a row of line numbers below the header, known by its first")
        rules.append(f"- {{reason: line_numbers, column: {quoted(name)}, pattern: {quoted(f'^{text}$')}}}")
    if seen.headings:
        pattern = "^(" + "|".join(re.escape(heading) for heading in seen.headings) + ")$"
        rules.append("# rows that only name the block below them")
        rules.append(f"- {{reason: heading, column: {anchor}, pattern: {quoted(pattern)}}}")
    if seen.totals:
        rules.append(
            "# totals by their names; `reconcile: all` (or since_previous) compares them with the sum of the rows"
        )
        rules.append(f"- {{reason: total, column: {anchor}, pattern: {quoted(_totals(seen.totals))}}}")
    if rules:
        lines += ["# rows that are no data: counted, kept with their reason, not taken", "ignore_rows:"]
    return [*lines, *(f"  {rule}" for rule in rules)]


def _totals(totals: list[str]) -> str:
    words = {word.group(0).lower() for total in totals if (word := TOTAL_WORD.search(total))}
    word = TOTAL_WORD.search(totals[0])
    if len(totals) > 4 and len(words) == 1 and word is not None:
        return f"^{word.group(0)}" if word.start() == 0 else f"{re.escape(word.group(0))}$"
    return "^(" + "|".join(re.escape(total) for total in totals) + ")$"


def _region(seen: Look) -> list[str]:
    parts, why = [], []
    if seen.code is not None:
        parts.append(f"code: {quoted(seen.code.called)}")
        why.append(f"# column {seen.code.address}: {seen.region_why['code']}")
        if seen.code_length:
            parts.append(f"code_length: {seen.code_length}")
            why.append("# codes lost their leading zeros in a spreadsheet")
        if seen.no_code:
            parts.append(f"no_code: {listed(seen.no_code)}")
    if seen.name is not None:
        parts.append(f"name: {quoted(seen.name.called)}")
        why.append(f"# column {seen.name.address}: {seen.region_why['name']}")
        if seen.name_prefixes:
            parts.append(f"name_prefixes: {listed(seen.name_prefixes)}")
            why.append("# names are known without these marks before them")
        if seen.name_suffixes:
            parts.append(f"name_suffixes: {listed(seen.name_suffixes)}")
            why.append("# names are known without these words behind them")
        if seen.indent and seen.code is None:
            parts.append("indent: true")
            why.append("# names stand more than once, at different depths of leading blanks")
    if seen.unmatched and seen.are_listed:
        why.append(f"# not in regions.csv, hence rejected: {', '.join(seen.unmatched[:12])[: _WIDTH * 2]}")
        why.append("# where you know better, add `accepted: {name as reported: code}`")
    return [*why, f"region: {{{', '.join(parts)}}}"]


# -- cells and columns ------------------------------------------------------------------------------------


def _tokens(seen: Look) -> list[str]:
    lines = [f"# {text!r}: {why}" for text, (_, why) in seen.tokens.items()]
    pairs = [f"{quoted(text)}: {word(meaning)}" for text, (meaning, _) in seen.tokens.items()]
    lines.append(f"tokens: {{{', '.join(pairs)}}}" + ("" if pairs else "   # every cell holds a number"))
    if seen.marks:
        lines += [f"# {text!r} behind numbers: {why}" for text, (_, why) in seen.marks.items()]
        marks = [f"{quoted(text)}: {word(meaning)}" for text, (meaning, _) in seen.marks.items()]
        lines.append(f"marks: {{{', '.join(marks)}}}")
    return lines


def _value_lines(values: list[Value]) -> list[str]:
    lines = ["# measures stand in reference/measures.csv; new ones need a line there", "values:"]
    for value in values:
        parts = [value.selector]
        if value.measure:
            parts.append(f"measure: {word(value.measure)}")
        parts += [f"{name}: {quoted(text)}" for name, text in value.dimensions.items()]
        parts.append(f"unit: {value.unit_of_rows or quoted(value.unit)}")
        if value.status:
            parts.append(f"status: {value.status}")
        if value.integer:
            parts.append("type: integer")
        if value.not_negative:
            parts.append("min: 0")
        lines.append(f"  - {{{', '.join(parts)}}}   # {value.why}")
    return lines


def _ignored_columns(seen: Look, values: list[Value], period: Period) -> list[str]:
    used = {c.name for c in (seen.name, seen.code) if c is not None}
    if period.source == "column" and seen.year_column is not None:
        used.add(seen.year_column.name)
    used |= {column.name for column, _, _ in seen.labels}
    used |= {seen.status_column.name} if seen.status_column is not None else set()
    used |= {seen.unit_column[0].name} if seen.unit_column is not None else set()
    used |= {value.name for value in values if value.selector.startswith("column:")}
    patterns = [value.name for value in values if value.selector.startswith("columns:")]
    left = [
        c
        for c in seen.columns
        if c.kind != "empty" and c.name not in used and not any(re.search(p, c.name) for p in patterns)
    ]
    if not left:
        return []
    why = [f"# not taken, {c.address} {c.title}: {c.why or _AS_TEXT.get(c.kind, c.kind)}" for c in left[:30]]
    named = [f"^{plain_pattern(c.name)}$" for c in left]
    return [*why, f"ignore_columns: {listed(dict.fromkeys(named))}"]


_AS_TEXT = {"text": "texts that tell no rows apart", "number": "figures without a period of their own"}
