"""The content hash of a table: over its values in key order, whatever file they stand in.

Anyone can compute it again from the Parquet file or the database, in any language (docs/verification.md shows it in
Python); the definition is below.

Definition `junheng-columns-1`: SHA-256 over UTF-8 lines, each ended by LF, one per column in the table's order:
`name TAB kind TAB present TAB lengths TAB values`. The last three are SHA-256 hashes in hexadecimal over what follows,
row after row in the table's order; integers are two's complement, the lowest byte first.

- present: one byte for each row, 1 where there is a value and 0 where there is none;
- lengths: of a text column the number of UTF-8 bytes of each value, 4 bytes each; nothing for other kinds;
- values: each value that is there, by kind: `text` its UTF-8 bytes; `integer` 8 bytes; `decimal(S)` the value times
  10^S as an integer of 16 bytes; `double` its 8 bytes by IEEE 754; `boolean` one byte, 1 or 0; `date` the days since
  1970-01-01 in 4 bytes; `timestamp` the microseconds since 1970-01-01 in 8 bytes.
"""

from __future__ import annotations

import hashlib
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import FaultError
from pipelines.publish import Table
from pipelines.sql import quote

DEFINITION = "junheng-columns-1"
_ROWS_AT_ONCE = 100_000


class _Column:
    """The three hashes of one column, fed piece by piece."""

    def __init__(self, name: str, data_type: str) -> None:
        self.name = name
        self.kind, self.form, self.width = _kind_of(name, data_type)
        self.present, self.lengths, self.values = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()

    def feed(self, piece: Any) -> None:
        """Take the next values (an Arrow array)."""
        self.present.update(_bytes_of(pc.cast(piece.is_valid(), pa.uint8()), 1))
        there = piece.drop_null()
        if self.form is not None:
            self.values.update(_bytes_of(pc.cast(there, self.form), self.width))
        elif len(there):
            self.lengths.update(_bytes_of(pc.cast(pc.binary_length(there), pa.int32()), 4))
            _, offsets, values = there.buffers()
            places = memoryview(offsets).cast("i")
            self.values.update(memoryview(values)[places[there.offset] : places[there.offset + len(there)]])

    def line(self) -> str:
        """What the table's hash says of this column."""
        hashes = (digest.hexdigest() for digest in (self.present, self.lengths, self.values))
        return "\t".join((self.name, self.kind, *hashes)) + "\n"


def _kind_of(column: str, data_type: str) -> tuple[str, pa.DataType | None, int]:
    """A column's kind as the definition calls it, and the Arrow type with its width that has its bytes."""
    if data_type == "VARCHAR":
        return "text", None, 0
    if data_type.startswith("DECIMAL"):
        places = int(data_type.rstrip(")").split(",")[1])
        return f"decimal({places})", pa.decimal128(38, places), 16
    if data_type in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT"):
        return "integer", pa.int64(), 8
    if data_type == "DOUBLE":
        return "double", pa.float64(), 8
    if data_type == "BOOLEAN":
        return "boolean", pa.uint8(), 1
    if data_type == "DATE":
        return "date", pa.date32(), 4
    if data_type == "TIMESTAMP":
        return "timestamp", pa.timestamp("us"), 8
    raise FaultError(
        f"a published column has type {data_type}, for which the content hash is not defined",
        where=column,
        do="give the column a plain type in its model",
    )


def _bytes_of(array: Any, width: int) -> memoryview:
    """The values of an Arrow array of fixed width one after another, as they lie in its buffer."""
    return memoryview(array.buffers()[1] or b"")[array.offset * width : (array.offset + len(array)) * width]


def content_sha256(connection: duckdb.DuckDBPyConnection, catalog: str, table: Table) -> tuple[int, str]:
    """Number of rows and content hash of a published table in an attached database.

    Its rows are read as they lie there: `database.copy_table` and `insert_rows` lay them in the table's order.
    """
    relation = f"{quote(catalog)}.{quote(table.name)}"
    types = {name: str(kind) for name, kind, *_ in connection.execute(f"describe {relation}").fetchall()}
    columns = [_Column(name, types[name]) for name in table.column_names]
    rows = 0
    names = ", ".join(quote(name) for name in table.column_names)
    for batch in connection.sql(f"select {names} from {relation}").to_arrow_reader(_ROWS_AT_ONCE):
        rows += batch.num_rows
        for column, piece in zip(columns, batch.columns, strict=True):
            column.feed(piece)
    return rows, hashlib.sha256("".join(column.line() for column in columns).encode()).hexdigest()
