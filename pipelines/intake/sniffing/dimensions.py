"""Text columns that say which part of a region a row is about, and labels that stand once for a block of rows.

A column is proposed as a dimension only where its texts come again from region to region. One that merely sets apart
rows that stand twice is none: such rows stay duplicates, and a person looks at them.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from pipelines.intake.sniffing.cells import words_of
from pipelines.intake.sniffing.look import Column, Look
from pipelines.intake.sniffing.rows import Row
from pipelines.intake.sniffing.words import ANSWER, CALENDAR, DIMENSION_WORDS, IDENTIFIER, ROW_STATE, UNIT_HEADER

SCALE_COLUMN = "UNIT_MULT"  # of SDMX: which power of ten a number counts; no unit holds without it
_MOST_LABELS = 30
_MOST_TEXTS = 200


def find_labels(columns: list[Column], rows: list[Row], seen: Look) -> None:
    """Set `seen.labels`: columns filled down over blocks, or else columns that tell rows of one region apart.

    A column that is called after sex, age, residence or the indicator always says what its figures are about.
    """
    for column in columns:
        if column.kind != "text" or column in (seen.name, seen.code) or not column.filled:
            continue
        texts = [row.texts[column.index] for row in rows]
        distinct = _as_written(column, rows)
        filled = sum(1 for text in texts if text)
        if len(distinct) <= _MOST_LABELS and filled < len(texts) / 2 and texts[0] and not _is_about_the_row(column):
            seen.labels.append((column, True, distinct))
    if seen.labels:
        return
    chosen = [c for c in columns if c.kind == "text" and c.filled and _says_what_figures_are(c)]
    chosen = [c for c in chosen if c not in (seen.name, seen.code)]
    for column in columns:
        if _keys(chosen, rows, seen) == len(rows):
            break
        if column in chosen or not _may_tell_apart(column, seen) or not _comes_again(column, rows, seen):
            continue
        if _keys([*chosen, column], rows, seen) > _keys(chosen, rows, seen):
            chosen.append(column)
    seen.labels = [(c, False, _as_written(c, rows)) for c in sorted(chosen, key=lambda c: c.index)]
    for column in columns:
        if column.kind != "text" or column in (*chosen, seen.name, seen.code):
            continue
        if column.title == SCALE_COLUMN or (UNIT_HEADER.match(column.title) and seen.unit_column is None):
            column.why, seen.unit_column = "the units of the rows", (column, _as_written(column, rows))
        elif len(column.texts) == 1:
            column.why = f"the same text in every row ({next(iter(column.texts))}): are the figures about it alone?"


def _says_what_figures_are(column: Column) -> bool:
    return any(words.search(words_of(column.title)) for _, words in DIMENSION_WORDS)


def _as_written(column: Column, rows: list[Row]) -> list[str]:
    """The different texts of a column with their blanks, in order."""
    found = {row.texts[column.index]: " ".join((row.raw[column.index] or "").split()) for row in reversed(rows)}
    return [text for key, text in reversed(found.items()) if key]


def _is_about_the_row(column: Column) -> bool:
    header = words_of(column.title).replace("_", " ")
    return bool(ROW_STATE.search(header) or ROW_STATE.search(column.title))


def _may_tell_apart(column: Column, seen: Look) -> bool:
    is_class = column.kind == "other" and column.why.startswith(("an identifier", "codes"))  # codes of classes
    if column in (seen.name, seen.code) or not (column.kind == "text" or is_class) or _is_about_the_row(column):
        return False
    header = words_of(column.title)
    return not CALENDAR.search(header) and (column.kind == "text" or not _names_single_things(header))


def _names_single_things(header: str) -> bool:
    """True for numbers of single things (rows, items, addresses), which no two rows share."""
    return bool(IDENTIFIER.search(header)) and header.lower().rstrip().endswith(("id", "no", "no.", "uid", "urn"))


def _key(row: Row, columns: list[Column], seen: Look) -> tuple[str, ...]:
    year = seen.year_column
    return tuple(row.texts[c.index] for c in (seen.key, *([year] if year else []), *columns))


def _keys(columns: list[Column], rows: list[Row], seen: Look) -> int:
    """How many different keys the rows have."""
    return len({_key(row, columns, seen) for row in rows})


def _comes_again(column: Column, rows: list[Row], seen: Look) -> bool:
    """True when most regions have several rows, and the same texts stand in most of them."""
    groups: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for row in rows:
        groups[_key(row, [], seen)].add(row.texts[column.index])
    times = Counter(text for found in groups.values() for text in found if text)
    several = sum(1 for found in groups.values() if len(found) > 1)
    if not 1 < len(times) <= _MOST_TEXTS or all(ANSWER.match(text) for text in times) or several * 2 <= len(groups):
        return False
    shared = sum(1 for count in times.values() if count > 1 or len(groups) == 1)
    return shared * 2 >= len(times) and times.total() * 2 >= len(groups) * len(times)
