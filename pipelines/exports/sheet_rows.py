"""The rows of a workbook's large sheets, put into a workbook that has everything else.

A library that writes workbooks takes one call a cell, most of the time of all downloads; here a whole row becomes text
in one query (ECMA-376 part 1, 18.3.1: `row` and `c`). Formats, heads, lists and the rest of the file stay the
library's. What is shown is `workbook`'s to say.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from xlsxwriter.utility import xl_col_to_name

from pipelines.exports.texts import text_of
from pipelines.publish import Column
from pipelines.sql import quote, text_literal

# A double holds whole numbers exactly up to here; a longer one is written as text, so that no digit changes.
_EXACT = 2**53
MOST_DECIMALS = 6
_BATCH = 20_000
_LEVEL = 4  # takes less time than the usual 6, for a file a little larger
# Characters that XML cannot hold, and what would be read as one of them, are written as _xHHHH_ (22.9.2.19).
_SPECIAL = "[\\x01-\\x08\\x0B-\\x1F\\x{FFFE}\\x{FFFF}]|_x[0-9a-fA-F]{4}_"


@dataclass(frozen=True)
class SheetRows:
    """The rows of one sheet (numbered from 0 in the workbook): columns, a select, its order.

    They come after the first `after` rows. The row there holds an empty cell of the format for each column of dates and
    times, and after the last column one for each number of decimals up to MOST_DECIMALS; it is replaced. `decimals` has
    for a column of numbers the SQL that gives the decimals it is shown with.
    """

    sheet: int
    columns: tuple[Column, ...]
    source: str
    order: str
    rows: int
    after: int
    decimals: Mapping[str, str] = field(default_factory=dict)


def fill(connection: duckdb.DuckDBPyConnection, frame: Path, path: Path, sheets: list[SheetRows]) -> None:
    """Write the workbook `frame` to `path` with these rows in it."""
    by_name = {f"xl/worksheets/sheet{rows.sheet + 1}.xml": rows for rows in sheets}
    with (
        zipfile.ZipFile(frame) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as target,
    ):
        for name in source.namelist():
            # By name and not as it was: every member then has the same date, and the same rows give the same bytes.
            with target.open(name, "w") as out:
                if name in by_name:
                    for piece in _filled(connection, source.read(name).decode(), by_name[name]):
                        out.write(piece.encode())
                else:
                    out.write(source.read(name))


def _filled(connection: duckdb.DuckDBPyConnection, xml: str, rows: SheetRows) -> Iterator[str]:
    first = rows.after + 1
    place = re.search(rf'<row r="{first}"[^>]*>(.*?)</row>', xml)
    styles = dict(re.findall(rf'<c r="([A-Z]+){first}" s="(\d+)"/>', place.group(1))) if place else {}
    if place:
        xml = xml[: place.start()] + xml[place.end() :]
    head, _, tail = xml.partition("</sheetData>")
    letters = [xl_col_to_name(position) for position in range(len(rows.columns))]
    extent = f"A1:{letters[-1]}{rows.after + rows.rows}"
    yield re.sub('<dimension ref="[^"]*"/>', f'<dimension ref="{extent}"/>', head)
    if rows.rows:
        shown = {number: styles.get(xl_col_to_name(len(rows.columns) + number)) for number in range(MOST_DECIMALS + 1)}
        cells = ", ".join(
            _cell(column, name, _style(styles.get(name), rows.decimals.get(column.name), shown))
            for column, name in zip(rows.columns, letters, strict=True)
        )
        number = f"row_number() over (order by {rows.order}) + {rows.after} as row_of_sheet"
        # `concat` leaves out what is null: an empty cell stays empty.
        found = connection.sql(
            f"select concat('<row r=\"', row_of_sheet, '\">', {cells}, '</row>') "
            f"from (select {number}, * from ({rows.source})) order by row_of_sheet"
        )
        for batch in found.to_arrow_reader(_BATCH):
            yield "".join(batch.column(0).to_pylist())
    yield "</sheetData>" + tail


def _style(fixed: str | None, decimals: str | None, shown: dict[int, str | None]) -> str:
    """The number of a cell's format in the workbook, as SQL; empty where it has none."""
    if decimals is None:
        return text_literal(fixed or "")
    cases = " ".join(f"when {number} then {text_literal(style)}" for number, style in shown.items() if style)
    return f"case {decimals} {cases} else '' end" if cases else "''"


def _cell(column: Column, letters: str, style: str) -> str:
    """The XML of a column's cell in a row, as SQL; null where it is empty. `style` gives its format's number."""
    name, kind, shown = quote(column.name), column.data_type, f"({text_of(column)})"
    start = f"'<c r=\"{letters}' || row_of_sheet || '\""
    styled = f"{start}' || case {style} when '' then '' else concat(' s=\"', {style}, '\"') end || '"
    number = f"{styled}><v>' || {{}} || '</v></c>'"
    text = f'{start} t="inlineStr"><is><t xml:space="preserve">\' || {{}} || \'</t></is></c>\''
    if kind == "BOOLEAN":
        return f"{start} t=\"b\"><v>' || cast({name} as integer) || '</v></c>'"
    if kind == "DOUBLE":
        return f"case when isfinite({name}) then {number.format(shown)} else {text.format(shown)} end"
    if kind.startswith("DECIMAL"):
        shortest = f"cast(cast({name} as double) as varchar)"
        exact = f"abs({name}) < {_EXACT} and try_cast({shortest} as {kind}) = {name}"
        return f"case when {exact} then {number.format(shown)} else {text.format(shown)} end"
    if kind in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT"):
        is_exact = f"abs(cast({name} as hugeint)) < {_EXACT}"
        return f"case when {is_exact} then {number.format(shown)} else {text.format(shown)} end"
    if kind in ("DATE", "TIMESTAMP") and style != "''":
        # Days since the end of 1899; spreadsheet programs take 1900 for a leap year, so what is before March is text.
        days = f"({name} - date '1899-12-30')"
        if kind == "TIMESTAMP":
            days = f"(epoch_us({name}) / 86400000000.0 + 25569)"
        dated = f"{styled}><v>' || {days} || '</v></c>'"
        return f"case when {name} >= '1900-03-01' then {dated} else {text.format(shown)} end"
    plain = f"replace(replace(replace({shown}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"
    special = rf"regexp_replace({plain}, '_(x[0-9a-fA-F]{{4}}_)', '_x005F_\1', 'g')"
    control = "unicode(c) < 32 and unicode(c) not in (9, 10) or unicode(c) > 65533 and unicode(c) < 65536"
    spelled = f"case when {control} then printf('_x%04X_', unicode(c)) else c end"
    special = f"array_to_string(list_transform(string_split({special}, ''), lambda c: {spelled}), '')"
    pattern = text_literal(_SPECIAL)
    return text.format(f"(case when regexp_matches({plain}, {pattern}) then {special} else {plain} end)")
