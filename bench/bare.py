"""The bare script that the benchmark compares with: the same files read, the same headline figures computed.

No contract, no receipt, no check, no history: Polars and DuckDB by hand, as an analyst would do it once.
It finds the files by suffix and takes every number it can read, so it names no extract.
"""

from __future__ import annotations

import csv
import io
import sys
import tempfile
from pathlib import Path

import duckdb
import fastexcel
import polars as pl


def cells(path: Path) -> pl.DataFrame:
    """One file as a long table of text cells."""
    data = path.read_bytes()
    if path.suffix in (".xlsx", ".xls"):
        frame = fastexcel.read_excel(data).load_sheet(0, header_row=None, skip_rows=0, dtypes="string").to_polars()
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("gb18030")
        rows = list(csv.reader(io.StringIO(text)))
        width = max(len(row) for row in rows)
        frame = pl.DataFrame([row + [""] * (width - len(row)) for row in rows], orient="row")
    frame = frame.with_row_index("row")
    return frame.unpivot(index="row", variable_name="column", value_name="text").with_columns(
        pl.lit(path.name).alias("file")
    )


def main(landing: Path) -> None:
    """Read everything below `landing`, sum what is a number, write it as Parquet."""
    frames = [cells(path) for path in sorted(landing.rglob("*")) if path.is_file()]
    long = pl.concat(frames)
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(f"{folder}/bare.duckdb")
        connection.execute("SET threads = 2")
        connection.register("long", long.to_arrow())
        connection.execute(
            'CREATE TABLE observation AS SELECT file, "row", "column",'
            " TRY_CAST(replace(trim(text), ',', '') AS DECIMAL(28, 9)) AS value FROM long"
        )
        connection.execute(
            'CREATE TABLE by_row AS SELECT file, "row", sum(value) AS total FROM observation GROUP BY ALL'
        )
        connection.execute(
            f"COPY (SELECT * FROM observation WHERE value IS NOT NULL ORDER BY ALL) TO '{folder}/observation.parquet'"
        )
        count = connection.execute("SELECT count(value) FROM observation").fetchone()
        sys.stdout.write(f"{count[0] if count else 0} numbers\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
