"""JSON objects, one a line, to a grid: the names of all objects are its first row."""

from __future__ import annotations

import json
from dataclasses import replace

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import MAX_CELLS, MAX_COLUMNS, Grid, frame, places
from pipelines.formats.text import beginning, decode
from pipelines.jurisdiction.contract import Format


def is_json_lines(data: bytes) -> bool:
    """True when each of the first lines is a JSON object."""
    lines = [line for line in beginning(data, 200_000).split("\n")[:20] if line.strip()]
    whole = lines[:-1] if len(data) > 200_000 or len(lines) > 1 else lines
    try:
        return bool(whole) and all(isinstance(json.loads(line), dict) for line in whole)
    except (ValueError, RecursionError):
        return False


def read_json_lines(data: bytes, rule: Format, where: str) -> list[Grid]:
    """Objects, one a line: the keys of all lines are the first row, as in a table."""
    records: list[dict[str, object]] = []
    numbers: list[int] = []
    names: dict[str, None] = {}
    for number, line in enumerate(decode(data, rule.encoding, where).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(
                line, parse_float=_Number, parse_int=_Number, parse_constant=_Number, object_pairs_hook=_without_repeats
            )
        except (ValueError, RecursionError) as error:
            raise UnreadableFileError(
                f"not readable as JSON: {error}", where=f"{where}, line {number}", do="ask for the file again"
            ) from error
        if not isinstance(record, dict):
            raise UnreadableFileError("a line is not a JSON object", where=f"{where}, line {number}", do="ask again")
        records.append(record)
        numbers.append(number)
        names.update(dict.fromkeys(record))
        if len(names) > MAX_COLUMNS or len(names) * len(records) > MAX_CELLS:
            raise UnreadableFileError(
                f"{len(records):,} objects have {len(names):,} different names", where=where, do="check the file"
            )
    rows: list[list[str | None]] = [list(names)]
    rows += [[_json_cell(record.get(n)) for n in names] for record in records]
    grid = Grid("", frame(rows, [0, *numbers], where))
    return [replace(grid, number_cells=lambda: places(_numbers(names, records, numbers)))]


class _Number(str):
    """The text of a number that is not in quotes."""

    __slots__ = ()


def _numbers(
    names: dict[str, None], records: list[dict[str, object]], rows: list[int]
) -> list[tuple[int | None, str | None]]:
    """Where the numbers are that stand without quotes."""
    cells = {name: f"c{i}" for i, name in enumerate(names)}
    return [
        (row, cells[name])
        for row, record in zip(rows, records, strict=True)
        for name, value in record.items()
        if isinstance(value, _Number)
    ]


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("an object gives one name twice")
    return record


def _json_cell(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
