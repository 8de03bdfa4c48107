"""What the figures of an unknown table may measure: proposals for `values` and `rows`, with a `?` where nobody knows.

A measure is taken from the jurisdiction's list only where the header bears its very name; any other header proposes a
new one, for which a person writes a line in measures.csv. Units are `units`' work.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from pipelines.intake.dimensions import in_form
from pipelines.intake.sniffing.cells import words_of
from pipelines.intake.sniffing.look import Column, Grounds, Look, bare, of_any_year
from pipelines.intake.sniffing.periods import Period
from pipelines.intake.sniffing.units import unit_of, unit_of_rows, without_unit
from pipelines.intake.sniffing.words import (
    AGES,
    DIMENSION_WORDS,
    FINANCIAL_YEAR,
    MONTH,
    NOTE_NUMBER,
    PERIOD_ITSELF,
    POPULATION_WORD,
    RESIDENCES,
    SEXES,
    VALUE_HEADER,
    WHOLE,
    YEAR,
)
from pipelines.intake.sniffing.writing import in_english, plain_pattern, quoted, word
from pipelines.jurisdiction.open_fields import OPEN
from pipelines.jurisdiction.text import normalise

_WORDS_OF_YAML = {"yes", "off", "null", "true", "false"}  # which mean something else than themselves
_MOST_CODES = 60  # a dimension with more different texts lists none


@dataclass
class Value:
    """One entry under `values`."""

    selector: str  # `column: "..."` or `columns: "..."`
    name: str  # the header, or the pattern of headers, that it selects
    measure: str | None
    dimensions: dict[str, str]
    unit: str
    integer: bool
    not_negative: bool
    why: str
    status: str = ""  # the column that says the status of its number
    unit_of_rows: str = ""  # what the contract says instead of a unit where each row says its own


@dataclass
class Measures:
    """The measures of a proposal: those that the jurisdiction lists, and new ones, with lines for measures.csv."""

    grounds: Grounds
    lines: list[dict[str, str]] = field(default_factory=list)
    _new: dict[str, str] = field(default_factory=dict)

    def named(self, subject: str, unit: str) -> str:
        """The measure that is called so and may be in that unit, or a new one; open where nothing says what it is."""
        subject = NOTE_NUMBER.sub("", subject).strip()
        if not subject:
            return OPEN
        name = normalise(bare(subject))
        known = self.grounds.measure_names.get(name)
        if known is not None and self.grounds.units.get(unit, self.grounds.bases[known]) == self.grounds.bases[known]:
            return known
        if name not in self._new:
            self._new[name] = self._called(subject)
            shown = bare(subject)
            counts_people = POPULATION_WORD.search(shown) is not None
            self.lines.append(
                {
                    "measure": self._new[name],
                    "name_zh": shown,
                    "name_en": in_english(shown),
                    "unit": self.grounds.units.get(unit, OPEN),
                    "kind": OPEN,
                    "aggregation": OPEN,
                    "population_source": OPEN if counts_people else "none",
                    "is_population": OPEN if counts_people else "false",
                }
            )
        return self._new[name]

    def _called(self, subject: str) -> str:
        """A code made of a subject's Latin words; plain `measure` and a number where it has none."""
        stem = _identifier(subject)
        used = {*self._new.values(), *self.grounds.bases, *_WORDS_OF_YAML}
        names = (f"{stem}_{number}" for number in itertools.count(1 if stem == "measure" else 2))
        return stem if stem != "measure" and stem not in used else next(name for name in names if name not in used)


def _identifier(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z]+|[0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", ascii_text).lower())
    name = "_".join(words)[:50].strip("_")
    if len(re.sub(r"[0-9_]", "", name)) >= 3 and not name[0].isdigit():
        return name
    return "measure"


def parts_of_header(header: str) -> tuple[str, dict[str, str], bool]:
    """What a header says beside its subject: the rest of it, sex, residence and age group, and whether it says so.

    A part of the header that is nothing but such a word says it; a word inside another text may mean something else.
    """
    dimensions: dict[str, str] = {}
    rest, is_certain = words_of(header), True
    for dimension, words in (("sex", SEXES), ("residence", RESIDENCES)):
        hits = {value: re.search(pattern, rest, re.IGNORECASE) for value, pattern in words.items()}
        found = [(value, match) for value, match in hits.items() if match]
        if len(found) == 1:
            value, match = found[0]
            dimensions[dimension] = value
            is_certain &= _is_a_part(rest, match)
            rest = rest[: match.start()] + rest[match.end() :]
    for pattern, form in AGES:
        if aged := pattern.search(rest):
            dimensions["age_group"] = form.format(*(g for g in aged.groups() if g))
            is_certain &= _is_a_part(rest, aged)
            rest = rest[: aged.start()] + rest[aged.end() :]
            break
    subject = re.sub(r"^[\s/_()（）\-,，:]+|[\s/_()（）\-,，:]+$", "", rest)
    closed = f"{subject})" if subject.count("(") > subject.count(")") and f"{subject})" in rest else subject
    return closed, dimensions, is_certain


def _is_a_part(text: str, match: re.Match[str]) -> bool:
    """True where a word stands between signs that part a header; a mere hyphen or underscore makes one word of two."""
    before, after = text[: match.start()], text[match.end() :]
    return bool(re.search(r"(?:^|[/,，:：(（、|]|\s[-–])\s*$", before)) and bool(
        re.match(r"\s*(?:$|[/,，:：)）(（、|]|[-–]\s)", after)
    )


# -- columns of figures -------------------------------------------------------------------------------------------


def find_values(seen: Look, period: Period, grounds: Grounds, measures: Measures) -> list[Value]:
    """An entry for each column of figures, or for each family of columns that differ in their period only."""
    by_rows = labels_are_measures(seen)
    status = quoted(seen.status_column.called) if seen.status_column is not None else ""
    values: list[Value] = []
    families: dict[tuple[str, str], list[Column]] = {}
    for column in seen.values:
        if column in period.dated:
            match = MONTH.search(column.name) if period.kind == "month" else None
            match = match or FINANCIAL_YEAR.search(column.name) or YEAR.search(column.name)
            assert match is not None
            is_whole = period.kind in ("half", "quarter")  # then all of each header was read as one
            around = ("", "") if is_whole else (column.name[: match.start()], column.name[match.end() :])
            families.setdefault(around, []).append(column)
        elif period.source != "header":
            values.append(_one(column, seen, grounds, None if by_rows else measures))
    for around, columns in families.items():
        values.append(_family(around, columns, seen, grounds, None if by_rows else measures))
    _tell_apart(values, measures)
    for value in values:
        value.status = status
    if by_row := unit_of_rows(grounds, seen):
        for value in (value for value in values if value.unit == OPEN):
            value.unit_of_rows, reason = by_row
            value.why = f"{value.why.partition('; unit: ')[0]}; unit: {reason}"
    return values


def _one(column: Column, seen: Look, grounds: Grounds, measures: Measures | None) -> Value:
    unit, why = unit_of(column.title, [column], grounds, seen)
    header = without_unit(NOTE_NUMBER.sub("", column.title).strip() or column.title, grounds)
    subject, dimensions, is_certain = parts_of_header(header)
    why = f"column {column.address}; unit: {why}"
    if dimensions and not is_certain:
        why += f"; the header speaks of {', '.join(dimensions.values())}"
        dimensions = dict.fromkeys(dimensions, OPEN)
    if normalise(bare(header)) in grounds.measure_names:
        subject, dimensions = header, {}
    if VALUE_HEADER.match(subject):
        subject = seen.contents
    if PERIOD_ITSELF.match(header.strip()):
        why += "; the header looks like a period: see `period: {from: header}`"
        return Value(
            f"column: {quoted(column.called)}",
            column.name,
            None if measures is None else OPEN,
            {},
            unit,
            column.integer,
            column.minimum >= 0,
            why,
        )
    measure = None if measures is None else measures.named(subject or of_any_year(_subject_above(seen)), unit)
    selector = f"column: {quoted(column.called)}"
    return Value(selector, column.name, measure, dimensions, unit, column.integer, column.minimum >= 0, why)


def _family(
    around: tuple[str, str], columns: list[Column], seen: Look, grounds: Grounds, measures: Measures | None
) -> Value:
    before, after = around
    samples = [c.name[len(before) : len(c.name) - len(after)] for c in columns]
    form = "[0-9]{4}" if all(len(s) == 4 for s in samples) else "[0-9]{4}[^/]*?" if after else "[0-9]{4}.*"
    pattern = f"^{plain_pattern(before)}(?P<period>{form}){plain_pattern(after)}$"
    shown = _without_period(columns[0].title)
    subject = re.sub(r"^[\s/年度末]+|[\s/]+$", "", shown)
    is_period = PERIOD_ITSELF.match(subject) is not None
    labels = [text for _, _, texts in seen.labels for text in texts] if measures is None else []
    unit, why = _unit_of_family(subject if before or after else "", labels, columns, grounds, seen)
    name = bare(without_unit(subject, grounds)) if before or after else of_any_year(_subject_above(seen))
    return Value(
        f"columns: {quoted(pattern)}",
        pattern,
        None if measures is None else OPEN if is_period else measures.named(name or of_any_year(seen.subject), unit),
        {},
        unit,
        all(c.integer for c in columns),
        all(c.minimum >= 0 for c in columns),
        f"{len(columns)} column(s), {columns[0].address} to {columns[-1].address}; unit: {why}",
    )


def _without_period(title: str) -> str:
    for pattern in (FINANCIAL_YEAR, MONTH, YEAR):
        if pattern.search(title):
            return pattern.sub("", title, count=1)
    return title


def _subject_above(seen: Look) -> str:
    """What the lines above a table whose headers are years say that it is about."""
    for text in seen.preamble_shown:
        if re.match(r"^(?:指标|指標|[Ii]ndicator)[:：]", text):
            return bare(text)
    return bare(seen.subject) if seen.subject else ""


def _unit_of_family(
    header: str, labels: list[str], columns: list[Column], grounds: Grounds, seen: Look
) -> tuple[str, str]:
    """The unit that header, labels or the lines above state, where they state one only."""
    unit, why = unit_of(header, columns, grounds, seen)
    if unit != OPEN or not labels:
        return unit, why
    stated = {unit_of(label, columns, grounds, seen) for label in labels}
    if len({unit for unit, _ in stated}) > 1:
        return OPEN, "the labels are in several units"
    unit, why = stated.pop()
    return unit, why.replace("the header", "the label")


def _tell_apart(values: list[Value], measures: Measures) -> None:
    """Two columns that would report the same figure get a measure each."""
    seen: dict[tuple[Any, ...], int] = {}
    for value in values:
        key = (value.measure, *sorted(value.dimensions.items()))
        count = seen.get(key, 0)
        seen[key] = count + 1
        if not count or OPEN in value.dimensions.values() or value.measure == OPEN:
            continue
        if value.measure is None:
            value.dimensions["group"] = OPEN
        else:
            value.measure = measures.named(f"{value.measure} {count + 1}", value.unit)


# -- columns that tell rows apart -----------------------------------------------------------------------------------


def labels_are_measures(seen: Look) -> bool:
    """True when a text column says what each row's figures are, so that the columns need not."""
    return any(fill or DIMENSION_WORDS[-1][1].search(words_of(column.title)) for column, fill, _ in seen.labels)


def row_lines(seen: Look, values: list[Value], grounds: Grounds, measures: Measures) -> list[str]:
    """The entries under `rows`: dimensions by their very names, others open."""
    lines: list[str] = []
    taken: set[str] = set()
    for column, fill, texts in seen.labels:
        dimension = _dimension_of(column, fill, values, taken)
        taken.add(dimension)
        parts = [f"column: {quoted(column.called)}"]
        parts.append(f'dimension: "{OPEN}"' if dimension == OPEN else f"dimension: {dimension}")
        why = "a label that stands once for the rows below it" if fill else "it tells apart the rows of one region"
        if fill:
            parts.append("fill: down")
        odd = [text for text in texts if not _may_be_code(text, dimension)]
        codes = _codes(dimension, [text for text in texts if text not in odd], grounds, seen, measures)
        if codes:
            parts.append(codes)
        asks = "; which dimension is it: item, group, age_group, sex, residence?" if dimension == OPEN else ""
        lines.append(f"# column {column.address}: {why}; {len(texts)} different texts{asks}")
        if odd:
            what = "an age" if dimension == "age_group" else "a code"
            lines.append(f"# left out, hence rejected: no form of {what} ({', '.join(odd[:8])})")
        lines.append(f"- {{{', '.join(parts)}}}")
    return ["rows:", *(f"  {line}" for line in lines)] if lines else []


def _may_be_code(text: str, dimension: str) -> bool:
    """False for what the reader refuses as a code: an age that is none, a date that a spreadsheet has made."""
    if dimension in ("sex", "residence", "measure"):
        return True
    return in_form(normalise(text), "age" if dimension == "age_group" else "label")[0] is not None


def _dimension_of(column: Column, fill: bool, values: list[Value], taken: set[str]) -> str:
    by_rows = not any(value.measure for value in values)
    for dimension, words in DIMENSION_WORDS:
        if words.search(words_of(column.title)) and dimension not in taken and (dimension != "measure" or by_rows):
            return dimension
    return "measure" if fill and "measure" not in taken and by_rows else OPEN


def _codes(dimension: str, texts: list[str], grounds: Grounds, seen: Look, measures: Measures) -> str:
    written = {text: quoted(text) for text in texts}
    if dimension == "measure":
        named = {text: measures.named(text, unit_of(text, [], grounds, seen)[0]) for text in texts}
        return f"map: {{{', '.join(f'{written[text]}: {word(named[text])}' for text in texts)}}}"
    if dimension in ("sex", "residence"):
        words = SEXES if dimension == "sex" else RESIDENCES
        return f"map: {{{', '.join(f'{written[text]}: {_code_of(text, dimension, words)}' for text in texts)}}}"
    if dimension == "age_group" or len(texts) > _MOST_CODES:
        return ""  # the reader takes what has the form of one
    return f"codes: [{', '.join(written.values())}]"


def _code_of(text: str, dimension: str, words: dict[str, str]) -> str:
    """The code of a label that is nothing but the word for it, else open."""
    if WHOLE.match(normalise(text)):
        return "total" if dimension == "residence" else "all"
    hits = [code for code, pattern in words.items() if re.fullmatch(pattern, text.strip(), re.IGNORECASE)]
    return hits[0] if len(hits) == 1 else f'"{OPEN}"'
