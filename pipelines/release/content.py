"""The content hash of a table: over its rows in key order, whatever file they stand in.

Anyone can compute it again from the database or the Parquet file, in any language; the definition is below.

Definition `junheng-rows-1`: SHA-256 over UTF-8 lines, each ended by LF. First line: the column names, joined by
TAB. Then a line per row in the table's order, its values joined by TAB. A null is `\\N`. In texts, backslash, TAB,
LF and CR are written `\\\\`, `\\t`, `\\n` and `\\r`. Integers and decimals are written in full, decimals with all
places of their type; doubles with 17 significant digits as C's `%.16e` gives them; booleans `true` and `false`;
dates `YYYY-MM-DD`; timestamps `YYYY-MM-DDTHH:MM:SS.ffffff`.
"""

from __future__ import annotations

import hashlib

import duckdb

from pipelines.errors import FaultError
from pipelines.exports import PublishedTable, quote

DEFINITION = "junheng-rows-1"
_ROWS_AT_ONCE = 50_000
_ESCAPED = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))


def _text_of(column: str, data_type: str) -> str:
    """SQL that writes one column's value as the definition says."""
    name = quote(column)
    if data_type == "VARCHAR":
        text = name
        for character, escape in _ESCAPED:
            text = f"replace({text}, chr({ord(character)}), '{escape}')"
    elif data_type in ("DOUBLE", "FLOAT"):
        text = f"format('{{:.16e}}', cast({name} as double))"
    elif data_type.startswith("TIMESTAMP"):
        text = f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%f')"
    elif data_type == "DATE":
        text = f"strftime({name}, '%Y-%m-%d')"
    elif (
        data_type == "BOOLEAN" or data_type.startswith("DECIMAL") or data_type.endswith("INT") or data_type == "INTEGER"
    ):
        text = f"cast({name} as varchar)"
    else:
        raise FaultError(
            f"a published column has type {data_type}, for which the content hash is not defined",
            where=column,
            do="give the column a plain type in its model",
        )
    return f"coalesce({text}, '\\N')"


def content_sha256(connection: duckdb.DuckDBPyConnection, catalog: str, table: PublishedTable) -> tuple[int, str]:
    """Number of rows and content hash of a published table in an attached database."""
    relation = f"{quote(catalog)}.{quote(table.name)}"
    types = {name: kind for name, kind, *_ in connection.execute(f"describe {relation}").fetchall()}
    row_text = ", ".join(_text_of(name, str(types[name])) for name in table.column_names)
    order = ", ".join(quote(name) for name in table.order_by)
    digest = hashlib.sha256(("\t".join(table.column_names) + "\n").encode())
    cursor = connection.execute(f"select concat_ws(chr(9), {row_text}) from {relation} order by {order}")
    rows = 0
    while batch := cursor.fetchmany(_ROWS_AT_ONCE):
        rows += len(batch)
        digest.update(("\n".join(line for (line,) in batch) + "\n").encode())
    return rows, digest.hexdigest()
