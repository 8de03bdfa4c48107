"""The reference tables of a jurisdiction (`reference/*.csv`) as frames, every cell checked for what it may hold.

All cells are text here; dbt's sources give them types. What a table must hold is said once, in `reference_tables.yml`;
what its rows must say together is checked by `reference_checks`. Matching a reported region to these tables is
`intake`'s work.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.open_fields import OPEN
from pipelines.jurisdiction.reference_schema import EVERYWHERE, TABLES, Table, links, table_named

__all__ = ["EVERYWHERE", "TABLES", "Table", "check_links", "line_of", "lines_of", "load_table"]

_Rows = list[dict[str, str | None]]


def load_table(folder: Path, table: Table) -> pl.DataFrame:
    """One reference file as text columns in the stated order; an absent optional file is an empty frame.

    Lines that begin with `#` are comments. Raises ConfigurationError for a missing required file, missing or unknown
    columns, a row of another length, a cell that is not what its column holds, or a repeated key.
    """
    path = folder / table.file
    schema = dict.fromkeys(table.column_names, pl.String)
    if not path.exists():
        if table.required:
            raise ConfigurationError(
                f"the reference table {table.file} is missing",
                where=str(folder),
                do="create it: docs/reference-tables.md lists its columns, `junheng init` makes it with its header",
            )
        return pl.DataFrame(schema=schema)
    lines, rows = _read(path, table)
    _check_cells(path, table, lines, rows)
    _check_keys(path, table, lines, rows)
    return pl.DataFrame(rows, schema=schema)


def header_of(folder: Path, table: Table) -> list[str]:
    """The columns of a reference file in the order of its header; of a missing one, those that it must have."""
    path = folder / table.file
    try:
        lines = csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))
        header = next((cells for cells in lines if cells and not cells[0].startswith("#")), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        header = []
    known = [name for name in header if name in table.column_names]
    return known or [name for name, column in table.columns.items() if not column.optional]


def _read(path: Path, table: Table) -> tuple[list[int], _Rows]:
    """The rows of a file with the line that each begins on; an empty cell is None."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError("the reference table is not UTF-8", where=str(path), do="save it as UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    lines: list[int] = []
    rows: _Rows = []
    first = 1
    try:
        for cells in reader:
            line, first = first, reader.line_num + 1
            if not cells or cells[0].startswith("#"):
                continue
            if not header:
                header = cells
                _check_columns(path, table, header)
            elif len(cells) != len(header):
                raise ConfigurationError(
                    f"the row has {len(cells)} cells, the header {len(header)}",
                    where=f"{path}, line {line}",
                    do="mend the commas, or put a cell that holds one in quotes",
                )
            else:
                lines.append(line)
                named = dict(zip(header, cells, strict=True))
                rows.append({name: named.get(name) or None for name in table.column_names})
    except csv.Error as error:
        raise ConfigurationError(
            f"not readable as CSV: {error}", where=f"{path}, line {first}", do="check the quotes"
        ) from error
    if not header:
        raise ConfigurationError("the reference table is empty", where=str(path), do="give it at least its header row")
    return lines, rows


def _check_columns(path: Path, table: Table, header: list[str]) -> None:
    missing = [name for name, column in table.columns.items() if name not in header and not column.optional]
    unknown = [name for name in header if name not in table.columns]
    if missing or unknown or len(set(header)) < len(header):
        detail = "; ".join(
            part
            for part in (
                f"missing: {', '.join(missing)}" if missing else "",
                f"unknown: {', '.join(unknown)}" if unknown else "",
                "" if missing or unknown else "one stands twice",
            )
            if part
        )
        raise ConfigurationError(
            f"the columns of the reference table do not fit ({detail})",
            where=str(path),
            do="name the columns " + ",".join(table.column_names),
        )


def _check_cells(path: Path, table: Table, lines: list[int], rows: _Rows) -> None:
    for line, row in zip(lines, rows, strict=True):
        where = f"{path}, line {line}"
        for name in table.filled:
            if row[name] is None:
                what = "key column" if name in table.key else "column"
                raise ConfigurationError(f"the {what} {name} is empty", where=where, do="fill it in")
        for name, column in table.columns.items():
            text = row[name]
            if text == OPEN:
                raise ConfigurationError(
                    f"{name} is still open (?)",
                    where=where,
                    do=f"answer it: docs/reference-tables.md says what {name} of {table.file} may be",
                )
            fault = column.fault_of(text) if text is not None else None
            if fault is not None:
                raise ConfigurationError(f"{name} {text!r} {fault[0]}", where=where, do=fault[1])
        if "valid_to" in row and row["valid_to"] is not None and row["valid_to"] <= (row["valid_from"] or ""):
            raise ConfigurationError(
                f"valid_to {row['valid_to']} lies on or before valid_from {row['valid_from']}",
                where=where,
                do="valid_to is the first day on which the line no longer holds",
            )


def _check_keys(path: Path, table: Table, lines: list[int], rows: _Rows) -> None:
    seen: dict[tuple[str | None, ...], int] = {}
    spans: dict[tuple[str | None, ...], list[tuple[str, str]]] = {}
    for line, row in zip(lines, rows, strict=True):
        where = f"{path}, line {line}"
        key = tuple(row[c] for c in table.key)
        if key in seen:
            raise ConfigurationError(
                f"the key ({', '.join(str(k) for k in key)}) stands twice, first in line {seen[key]}",
                where=where,
                do="remove or correct one of the lines",
            )
        seen[key] = line
        if "valid_from" not in table.key:
            continue
        name = tuple(row[c] for c in table.key if c != "valid_from")
        start, end = row["valid_from"] or "", row["valid_to"] or "9999"
        if any(start < other_end and other_start < end for other_start, other_end in spans.get(name, [])):
            raise ConfigurationError(
                f"two lines of {', '.join(str(n) for n in name)} hold on the same day",
                where=where,
                do="let valid_to of the earlier line be valid_from of the later one",
            )
        spans.setdefault(name, []).append((start, end))


def check_links(folder: Path, tables: dict[str, pl.DataFrame]) -> None:
    """Raises ConfigurationError for a cell that names something which its own table does not list."""
    for table, name, column, target, target_column in links():
        known = {*tables[target.relation][target_column], EVERYWHERE if column.or_all else None}
        for position, text in enumerate(tables[table.relation][name]):
            for part in (text or "").split(";") if column.is_list else [text]:
                if part and part not in known:
                    key = ", ".join(str(cell) for cell in tables[table.relation].row(position)[: len(table.key)])
                    raise ConfigurationError(
                        f"{name} {part!r} of {key} is not in {target.file}",
                        where=line_of(folder, table.relation, position),
                        do=f"correct it, or add a line for it in {target.file}",
                    )


def lines_of(folder: Path, relation: str) -> list[int]:
    """The line on which each row of a relation begins; none when its file is absent."""
    table = table_named(relation)
    path = folder / table.file
    return _read(path, table)[0] if path.exists() else []


def line_of(folder: Path, relation: str, position: int) -> str:
    """File and line on which a row of a relation (counted from 0, below the header) begins, for error messages.

    The file alone where it is absent: its rows were made, not read.
    """
    lines = lines_of(folder, relation)
    path = folder / table_named(relation).file
    return f"{path}, line {lines[position]}" if lines else str(path)
