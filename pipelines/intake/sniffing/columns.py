"""What each column of an unknown table is: figures, years, texts, or something that is never a figure.

An identifier, a running number, a code, a rank or a date is made of digits too; none of them is proposed as a measure.
What a column of figures measures, and in which unit, is proposed in `values`.
"""

from __future__ import annotations

import itertools
import re

from pipelines.formats import FORMATS
from pipelines.formats.long_table import CODE, UNIT
from pipelines.intake.sniffing.cells import Cells, words_of
from pipelines.intake.sniffing.dimensions import SCALE_COLUMN
from pipelines.intake.sniffing.look import Column, Grounds, Look, bare
from pipelines.intake.sniffing.rows import Row
from pipelines.intake.sniffing.units import states_unit
from pipelines.intake.sniffing.words import (
    ANSWER,
    CALENDAR,
    CAMEL_IDENTIFIER,
    CONTINENTAL,
    CONTINENTAL_IN_BRACKETS,
    EITHER_MARK,
    IDENTIFIER,
    INTEGER,
    MARKED,
    MARKS,
    NUMBER,
    PART_OF_YEAR,
    RANK,
    REFERENCE,
    ROW_STATE,
    RUNNING,
    STATUSES,
    TOKENS,
    TRAILING_MINUS,
    YEAR,
    YEAR_CELL,
    YEAR_HEADER,
)
from pipelines.jurisdiction.open_fields import OPEN
from pipelines.jurisdiction.text import normalise

_STATUS = ("status", "OBS_STATUS")
_CONSTANT = "the same number in every row"
_MANY = 8  # rows of numbers that run on, which no figures do by chance
_GAPS = re.compile(r"[0-9]\s+[0-9]")


def describe(columns: list[Column], rows: list[Row], cells: Cells, grounds: Grounds, seen: Look) -> None:
    """Set the kind of every column, and the signs that stand in the place of numbers or behind them."""
    for column in columns:
        _count(column, rows)
        if column not in (seen.name, seen.code):
            _classify(column, columns, rows, grounds, seen)
            _keep_to_its_format(column, columns, seen)
    if not any(column.kind == "number" for column in columns):  # rather one figure in every row than none at all
        for column in (c for c in columns if c.why == _CONSTANT):
            column.kind, column.why = "number", ""
    for column in (c for c in columns if c.kind == "number"):
        for text in column.texts:
            mark = MARKED.match(text)
            if text in TOKENS:
                seen.tokens.setdefault(text, TOKENS[text])
            elif mark:
                sign = mark.group(1)
                unknown = (OPEN, "a mark of unknown meaning")
                seen.marks.setdefault(sign, (MARKS[sign], "its usual meaning") if sign in MARKS else unknown)
        if column.blanks:
            seen.tokens.setdefault("", ("missing", "some cells are empty"))
        if seen.status_column is not None:
            _statuses(seen.status_column, column, rows, seen)


def _statuses(status: Column, column: Column, rows: list[Row], seen: Look) -> None:
    """The statuses beside numbers as marks, those beside nothing as signs in the place of numbers."""
    usual = STATUSES if seen.format.kind.startswith("sdmx") else {}
    for row in rows:
        text = row.figures[status.index]
        if text and not row.figures[column.index]:
            seen.tokens.setdefault(text, (OPEN, "a status beside empty cells"))
        elif text:
            why = "its meaning in SDMX" if text in usual else "a status of unknown meaning"
            seen.marks.setdefault(text, (usual.get(text, OPEN), why))


def _count(column: Column, rows: list[Row]) -> None:
    for row in rows:
        figure = row.figures[column.index]
        if not figure:
            column.blanks += 1
            continue
        column.filled += 1
        if CONTINENTAL.match(figure) or CONTINENTAL_IN_BRACKETS.match(figure):
            column.continental.append(figure)
            column.integer &= not figure.partition(",")[2].strip("0)")
            if figure.startswith(("-", "(")):
                column.minimum = -1.0
        in_brackets = NUMBER.match(figure) or CONTINENTAL_IN_BRACKETS.match(figure)
        if TRAILING_MINUS.match(figure) or (figure.startswith("(") and in_brackets):
            column.negatives.append(figure)
        if not (NUMBER.match(figure) or TRAILING_MINUS.match(figure)) or _GAPS.search(figure):
            column.texts[figure] += 1
            continue
        column.numbers += 1
        number = figure.strip("()").rstrip("-").removesuffix("%").strip()
        column.percents += figure.rstrip(")").endswith("%")
        if EITHER_MARK.match(number):
            column.either_mark.append(figure)
        elif "." in number:
            column.decimals += 1
        number = number.replace(",", "")
        column.integer &= "." not in number.rstrip("0").rstrip(".") and "e" not in number.lower()
        if number.startswith("-") or column.negatives:
            column.minimum = -1.0


def _classify(column: Column, columns: list[Column], rows: list[Row], grounds: Grounds, seen: Look) -> None:
    header = words_of(column.title)
    texts = [text for row in rows if (text := row.texts[column.index])]
    if not texts:  # a year for which nothing has been reported yet is a column of figures all the same
        column.kind = "number" if YEAR.search(column.name) else "empty"
    elif years := _holds_years(column, texts, header):
        is_first = not any(other.kind == "year" for other in columns)
        column.kind, column.why = ("year", "") if is_first else ("other", "another column of years")
    elif years is None and not _is_named_as_figure(column, header, grounds):
        column.kind, column.why = "other", "years or figures: nothing says which"
    elif why := _is_never_a_figure(column, texts, header, rows, grounds, seen):
        column.kind, column.why = "other", why
    elif sum(1 for text in texts if REFERENCE.match(text)) == len(texts) < len(rows) / 2:
        column.kind, column.why = "other", "numbers of notes"
    elif _looks_numeric(column, column.filled):
        column.kind = "number"


def _keep_to_its_format(column: Column, columns: list[Column], seen: Look) -> None:
    """What a statistical format says of its columns: which holds the numbers, and which the codes beside labels."""
    labelled = next((c for c in columns[: column.index] if CODE.format(c.title) == column.title), None)
    of_format = FORMATS[seen.format.kind]
    if of_format.is_labelled and labelled is not None:
        column.kind, column.why = "other", f"the codes of column {labelled.address} ({labelled.title})"
        return
    if of_format.numbers not in {c.title for c in columns} or column.kind == "year":
        return
    if column.title == of_format.numbers:
        column.kind = "number"
    elif column.title in _STATUS:
        seen.status_column, column.kind, column.why = column, "other", "the status of each number"
    elif column.kind == "number" or column.title in (SCALE_COLUMN, UNIT):
        column.kind = "text"


def _holds_years(column: Column, texts: list[str], header: str) -> bool | None:
    """True for a column of years: called so, or without a name; None where its figures may be years or not."""
    if YEAR.search(column.name):
        return False
    named = " ".join(header.split())
    if YEAR_HEADER.match(named) or PART_OF_YEAR.match(named):
        return sum(1 for text in texts if YEAR.search(text)) >= len(texts) / 2
    if not all(YEAR_CELL.match(text) for text in texts):
        return False
    return True if column.name.startswith("[") and len(set(texts)) <= max(1, len(texts) / 2) else None


def _is_named_as_figure(column: Column, header: str, grounds: Grounds) -> bool:
    return states_unit(column, grounds) or normalise(bare(header)) in grounds.measure_names


def _is_never_a_figure(
    column: Column, texts: list[str], header: str, rows: list[Row], grounds: Grounds, seen: Look
) -> str:
    """Why a column cannot be a measure; empty where nothing speaks against it."""
    shown = bare(header)
    if IDENTIFIER.search(shown) or CAMEL_IDENTIFIER.search(bare(column.title)):
        return "an identifier, by its header"
    if RANK.search(shown):
        return "a rank, by its header"
    if CALENDAR.search(shown):
        return "a date or a version, by its header"
    answers = {text.lower() for text in texts if ANSWER.match(text)}
    if len(answers) == len({text.lower() for text in texts}) and (answers - {"0", "1"} or ROW_STATE.search(shown)):
        return "answers such as yes and no"
    if not all(INTEGER.match(text) for text in texts) or YEAR.search(column.name):
        return ""
    if any(len(text) > 1 and text.startswith("0") for text in texts):
        return "codes: they have leading zeros"
    if _is_named_as_figure(column, header, grounds):
        return ""
    if _run_on(texts, column, seen):
        return "running numbers"
    return _looks_like_identifiers(texts, rows, column, grounds, seen)


def _run_on(texts: list[str], column: Column, seen: Look) -> bool:
    """Whole numbers that go up by one from row to row, where a count of rows would stand or for many rows."""
    numbers = [int(text) for text in texts]
    steps = [after - before for before, after in itertools.pairwise(numbers)]
    if column.index < seen.anchor.index and numbers == list(range(1, len(numbers) + 1)):
        return True
    are_steady = len(numbers) >= 3 and sum(1 for step in steps if step == 1) >= max(2, 0.9 * len(steps))
    is_placed = column.index < seen.anchor.index or RUNNING.match(" ".join(column.title.split())) is not None
    return are_steady and (is_placed or len(numbers) >= _MANY)


def _looks_like_identifiers(texts: list[str], rows: list[Row], column: Column, grounds: Grounds, seen: Look) -> str:
    distinct = set(texts)
    codes = grounds.index.by_code
    if codes and len(distinct & set(codes)) >= max(2, len(distinct) / 2):
        return "codes of regions"
    if len(rows) >= 3 and len(distinct) == 1:
        return _CONSTANT
    lengths = {len(text) for text in distinct}
    if len(distinct) < max(3, len({row.texts[seen.key.index] for row in rows})) or len(lengths) > 1:
        return ""
    (length,) = lengths
    alike = len(_common_beginning(distinct))
    if length >= 11 or (length >= 6 and alike >= (2 if len(distinct) >= 5 else 3)):
        return "long whole numbers, all different and of one form: identifiers"
    return ""


def _common_beginning(texts: set[str]) -> str:
    first, last = min(texts), max(texts)
    return first[: next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


def _looks_numeric(column: Column, filled: int) -> bool:
    """True for a column of figures: numbers, signs and marked numbers, whatever a few odd cells hold."""
    odd = sum(count for text, count in column.texts.items() if text not in TOKENS and not MARKED.match(text))
    if len(column.continental) > odd * 0.5:
        odd = 0
    marked = sum(count for text, count in column.texts.items() if MARKED.match(text))
    numbers = column.numbers + len(column.continental) + marked
    enough = numbers > 0 or YEAR.search(column.name) is not None
    return enough and odd <= max(2, filled * 0.2) and odd < filled and (odd <= numbers or not numbers)
