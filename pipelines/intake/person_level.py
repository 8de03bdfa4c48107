"""A person-level file by its contract: typed records as Parquet by period, rejects by line, and the account of both.

The file streams through in blocks; ID numbers become keyed hashes and dropped columns are never parsed, before
anything is written. Texts in rejects are masked. Splitting lines is `lines`'s work, counting persons `totals`'s.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import FaultError, UnreadableFileError
from pipelines.intake import numbers, personal
from pipelines.intake.lines import Block, Stream, blocks, cells_of, header_cells, opened
from pipelines.intake.names import RegionIndex
from pipelines.intake.personal import PersonKey
from pipelines.jurisdiction.contract import Contract, RegionRule
from pipelines.jurisdiction.person_contract import RecordColumn, Records
from pipelines.jurisdiction.text import normalise
from pipelines.records import Receipt, TieOut

WORKERS = 2
_IN_FLIGHT = 3
_TEXT_SHOWN = 200
_SEED = 20160101  # any number: the hash of a key only has to be the same within one reading
_AT_A_TIME = 1_000_000
_ODD_KEPT = 100_000
_FEW = 0.05

DETAILS = {
    "missing_value": "the cell is empty and the contract requires a value",
    "replaced_byte": "the cell holds a replacement character: bytes that the encoding cannot have",
    "not_a_number": "not a number",
    "several_numbers": "more than one number in one cell",
    "not_an_integer": "a whole number is expected",
    "out_of_range": "the number has too many digits",
    "too_many_decimals": "more digits after the point than the contract allows",
    "below_minimum": "below the contract's minimum",
    "above_maximum": "above the contract's maximum",
    "not_a_date": "not a date in the contract's form",
    "not_a_month": "not a month",
    "unknown_code": "not a code of the contract",
    "not_an_id_number": "not 17 digits and a check character",
    "impossible_birth_date": "the ID number holds a date that never was",
    "check_digit": "the ID number's check character is wrong",
    "too_many_cells": "the line has more cells than the header",
    "too_few_cells": "the line has fewer cells than the header",
    "broken_quotes": "the line's quotes do not close",
    "duplicate_key": "the same key stands several times with different values",
}


@dataclass(frozen=True)
class Stored:
    """What was made of a file: the account, what to say about it, and the Parquet files, by first and last day."""

    tie_out: TieOut
    findings: list[dict[str, str]]
    headers: list[str]
    data_rows: int
    rejects: int
    known_rejects: int
    files: dict[tuple[date, date], Path]


@dataclass
class _Taken:
    """What one block gave."""

    good: list[tuple[tuple[date, date], pa.Table, npt.NDArray[np.uint64]]] = field(default_factory=list)
    rejects: pl.DataFrame | None = None
    ignored: pl.DataFrame | None = None
    data_rows: int = 0
    rejected: int = 0


def store(
    source: Path | bytes,
    receipt: Receipt,
    contract: Contract,
    records: Records,
    span: tuple[date, date] | None,
    index: RegionIndex,
    key: PersonKey | None,
    reading_id: str,
    folder: Path,
    reject_columns: list[str],
) -> Stored:
    """Read `source` into `folder`: records/<period>.parquet, rejects.parquet and ignored.parquet.

    `span` is the reference period where it does not come from a column; `reject_columns` the columns of a reject.
    Raises UnreadableFileError for a file that is not what the contract describes (no cell of it in the message), and
    FaultError when the bytes are not those received.
    """
    work = _Work(receipt, contract, records, span, index, key, reading_id, folder, reject_columns)
    with opened(source, records.format, receipt.landing_path) as (stream, hashed):
        stored = work.run(stream)
        if hashed.hexdigest() != receipt.sha256:
            raise FaultError(
                f"the kept bytes of {receipt.landing_path} are not those received",
                where=str(source) if isinstance(source, Path) else receipt.landing_path,
                do="restore the vault from a backup; nothing else was changed",
            )
    return stored


class _Output:
    """A Parquet file that grows by row groups, readable by its owner only.

    `dictionary` names the columns of few different values; without it, every column is tried.
    """

    def __init__(self, path: Path, dictionary: list[str] | None = None) -> None:
        self.path = path
        self.rows = 0
        self._dictionary = dictionary
        self._writer: pq.ParquetWriter | None = None
        self._sink: IO[bytes] | None = None

    def write(self, table: pa.Table) -> None:
        """Append one row group."""
        if self._writer is None:
            self._sink = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
            options: dict[str, Any] = {}
            if self._dictionary is not None:
                # Records are read whole: smallest and largest values of each page would only cost time.
                options = {
                    "use_dictionary": self._dictionary,
                    "column_encoding": {"source_row": "DELTA_BINARY_PACKED"},
                    "write_statistics": ["source_row"],
                    "dictionary_pagesize_limit": 16 << 20,
                }
            self._writer = pq.ParquetWriter(
                self._sink, table.schema, store_decimal_as_integer=True, write_batch_size=1 << 16, **options
            )
        self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        self.rows += table.num_rows

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()
        if self._sink is not None:
            self._sink.close()


class _Work:
    """The work on one file; it lives as long as that takes."""

    def __init__(
        self,
        receipt: Receipt,
        contract: Contract,
        records: Records,
        span: tuple[date, date] | None,
        index: RegionIndex,
        key: PersonKey | None,
        reading_id: str,
        folder: Path,
        reject_columns: list[str],
    ) -> None:
        self.receipt, self.contract, self.records = receipt, contract, records
        self.span, self.index, self.key = span, index, key
        self.reading_id, self.folder, self.reject_columns = reading_id, folder, reject_columns
        self.place: dict[str, int] = {}  # column's header in the contract -> position in the file
        self.width = 0
        self.headers: list[str] = []
        self.findings: list[dict[str, str]] = []
        self.kept = [column for column in records.columns if column.is_kept]
        self.missing = {normalise(text) for text in records.missing}
        self.code_maps = {
            c.as_: {normalise(k): v for k, v in (c.map or {code: code for code in c.codes or []}).items()}
            for c in self.kept
            if c.type == "code"
        }
        self.odd_numbers: dict[str, dict[str, tuple[Any, str | None]]] = {}  # texts already judged, by column
        self.region_rule = RegionRule(code=records.region.name)

    # -- the stream -----------------------------------------------------------------------------------------

    def run(self, stream: Stream) -> Stored:
        """Read all of it, then settle repeated keys and the account."""
        where = self.receipt.landing_path
        (self.folder / "records").mkdir(mode=0o700)
        outputs: dict[tuple[date, date], _Output] = {}
        hashes: dict[tuple[date, date], list[npt.NDArray[np.uint64]]] = {}
        rejects = _Output(self.folder / "rejects.part")
        ignored = _Output(self.folder / "ignored.parquet")
        rows_read = data_rows = rejected = ignored_rows = 0
        try:
            for taken in self._taken(blocks(stream, where)):
                for span, table, keys in taken.good:
                    if span not in outputs:
                        outputs[span] = _Output(
                            self.folder / "records" / f"{self._period_name(span)}.parquet", self._of_few_values()
                        )
                        hashes[span] = []
                    outputs[span].write(table)
                    hashes[span].append(keys)
                if taken.rejects is not None and taken.rejects.height:
                    rejects.write(taken.rejects.to_arrow(compat_level=pl.CompatLevel.oldest()))
                if taken.ignored is not None and taken.ignored.height:
                    ignored.write(taken.ignored.to_arrow(compat_level=pl.CompatLevel.oldest()))
                    ignored_rows += taken.ignored.height
                data_rows += taken.data_rows
                rejected += taken.rejected
                rows_read += taken.data_rows + (taken.ignored.height if taken.ignored is not None else 0)
        finally:
            for output in (*outputs.values(), rejects, ignored):
                output.close()
        duplicate = 0
        late = _Output(self.folder / "late.part")
        for span, parts in hashes.items():
            if self.records.key:
                again, conflicts = self._settle_keys(outputs[span], np.concatenate(parts), late)
                duplicate += again
                rejected += conflicts
        late.close()
        accepted = data_rows - rejected - duplicate
        if ignored.rows == 0:
            self._ignored_frame([], [], []).write_parquet(ignored.path)
            ignored.path.chmod(0o600)
        extra = self._row_count(data_rows)
        counted, known = self._finish_rejects([rejects, late], extra, rejected, data_rows)
        return Stored(
            TieOut(
                source_file=self.receipt.file_name,
                source_sheet="",
                rows_read=rows_read,
                rows_accepted=accepted,
                rows_rejected=rejected,
                rows_duplicate=duplicate,
                rows_ignored=ignored_rows,
            ),
            self.findings,
            self.headers,
            data_rows,
            counted,
            known,
            {span: output.path for span, output in sorted(outputs.items())},
        )

    def _taken(self, stream: Iterator[Block]) -> Iterator[_Taken]:
        """What the blocks give, in order; the header is read from the first, the others are worked on at once."""
        first = next(stream, None)
        if first is None:
            raise UnreadableFileError(
                "the file is empty (0 bytes)", where=self.receipt.landing_path, do="ask the department to send it again"
            )
        names, rest = header_cells(first, self.records.format, self.receipt.landing_path)
        self._find_columns(names)
        head = _Taken(ignored=self._ignored_frame(list(range(1, rest.first_line)), None, None))
        yield head
        waiting: deque[Future[_Taken]] = deque()
        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                if rest.lines:
                    waiting.append(pool.submit(self._take_block, rest))
                for block in stream:
                    while len(waiting) >= _IN_FLIGHT:
                        yield waiting.popleft().result()
                    waiting.append(pool.submit(self._take_block, block))
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _find_columns(self, names: list[str]) -> None:
        """Where each column of the contract stands. Nothing of a line that may not be a header goes into a message."""
        where = self.receipt.landing_path
        texts = [normalise(name) for name in names]
        missing = []
        for column in self.records.columns:
            forms = {normalise(name) for name in (column.name, *column.aliases)}
            found = [position for position, text in enumerate(texts) if text in forms]
            if len(found) > 1:
                raise UnreadableFileError(
                    f"the header names {column.name!r} {len(found)} times", where=where, do="ask which one counts"
                )
            if found:
                self.place[column.name] = found[0]
            elif column.is_kept:
                missing.append(column.name)
        if missing:
            raise UnreadableFileError(
                f"the first line does not hold {', '.join(missing)}",
                where=where,
                do="add the new name under `aliases` of the column, or mend `format` in the contract",
            )
        self.width = len(names)
        taken = set(self.place.values())
        known = {p for p, text in enumerate(texts) if any(re.search(r, text) for r in self.records.ignore_columns)}
        # A header is no person, but what stands in its place may be: a name that nobody agreed on is not shown.
        self.headers = [
            text if position in taken or position in known else f"column {position + 1}: {personal.mask(text)}"
            for position, text in enumerate(texts)
        ]
        for position, text in enumerate(self.headers):
            if position not in taken | known:
                self.findings.append(
                    {
                        "check": "unknown_column",
                        "severity": "warn",
                        "observed": f"{text} (not taken; its name is masked)",
                        "expected": "a column of the contract",
                    }
                )

    # -- a block --------------------------------------------------------------------------------------------

    def _take_block(self, block: Block) -> _Taken:
        """Type, check and replace the cells of one block."""
        wanted = sorted({self.place[column.name] for column in self.kept})
        cells = cells_of(block, self.records.format, self.width, wanted)
        frame = cells.frame
        taken = _Taken()
        ignored: tuple[list[int], list[str], list[str]] = (
            list(cells.blank),
            ["blank line"] * len(cells.blank),
            [""] * len(cells.blank),
        )
        for rule in self.records.ignore_rows:
            column = next(c for c in self.records.columns if rule.column in (c.name, *c.aliases))
            cell = pl.col(f"c{self.place[column.name]}")
            form = cell.fill_null("").str.normalize("NFKC").str.replace_all(r"[\s\u200b\ufeff]+", "")
            hit = frame.select(form.str.contains(rule.pattern)).to_series()
            if hit.any():
                own = frame.filter(hit)
                ignored[0].extend(own["line"].to_list())
                ignored[1].extend([rule.reason] * own.height)
                ignored[2].extend(self._shown(text) for text in own.select(cell).to_series())
                frame = frame.filter(~hit)
        if ignored[0]:
            taken.ignored = self._ignored_frame(*ignored)
        taken.data_rows = frame.height + len(cells.broken)
        checked = _Checked(self, frame, cells.has_replaced)
        typed = checked.typed()
        rejects = checked.rejects
        if cells.broken:
            rejects.append(
                pl.DataFrame(
                    {"line": [n for n, _ in cells.broken], "rule": [r for _, r in cells.broken]},
                    schema={"line": pl.Int32, "rule": pl.String},
                ).with_columns(source_column=pl.lit(""), text=pl.lit(""), region_code=pl.lit(None, dtype=pl.String))
            )
        if rejects:
            taken.rejects = self._reject_frame(pl.concat(rejects).sort("line", maintain_order=True))
        taken.rejected = len(cells.broken) + (frame.height - typed.height)
        if typed.height:
            taken.good = list(self._by_period(typed))
        return taken

    def _by_period(self, typed: pl.DataFrame) -> Iterator[tuple[tuple[date, date], pa.Table, npt.NDArray[np.uint64]]]:
        """Records of a block by reference period, with the hash of each key."""
        parts: list[tuple[tuple[date, date], pl.DataFrame]]
        if self.span is not None:
            parts = [(self.span, typed)]
        else:
            months = typed[self.records.period.column or ""]
            starts = months.dt.truncate("1mo" if self.records.period.kind == "month" else "1y")
            parts = [(self._span_of(start), typed.filter(starts == start)) for start in starts.unique().sort()]
        for span, part in parts:
            keys = np.empty(0, dtype=np.uint64)
            if self.records.key:
                keys = part.select(self.records.key).hash_rows(_SEED).to_numpy()
            yield span, part.to_arrow(compat_level=pl.CompatLevel.oldest()), keys

    def _span_of(self, start: date) -> tuple[date, date]:
        if self.records.period.kind == "year":
            return start, date(start.year, 12, 31)
        after = date(start.year + start.month // 12, start.month % 12 + 1, 1)
        return start, date.fromordinal(after.toordinal() - 1)

    def _of_few_values(self) -> list[str]:
        """Columns in which a value stands many times."""
        return [
            column.as_
            for column in self.kept
            if column.type in ("date", "month", "code", "region") or column.personal == "id_number"
        ]

    def _period_name(self, span: tuple[date, date]) -> str:
        return f"{span[0]:%Y-%m}" if self.records.period.kind == "month" else f"{span[0]:%Y}"

    # -- repeated keys --------------------------------------------------------------------------------------

    def _settle_keys(self, output: _Output, hashes: npt.NDArray[np.uint64], late: _Output) -> tuple[int, int]:
        """Take out what stands twice: same cells, the later ones (duplicates); other cells, all of them (rejects).

        Equal keys have equal hashes, so only records whose hash repeats are looked at. Returns both counts.
        """
        ordered = np.sort(hashes)
        repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        del ordered
        if not repeated.size:
            return 0, 0
        candidates = np.flatnonzero(np.isin(hashes, repeated))
        parts = max(1, -(-candidates.size // _AT_A_TIME))
        gone = np.zeros(hashes.size, dtype=bool)
        duplicates = 0
        region = self.records.region.as_
        for part in range(parts):
            places = candidates[hashes[candidates] % parts == part] if parts > 1 else candidates
            frame = _rows_at(output.path, places).with_columns(place=pl.Series(places))
            cells = [c for c in frame.columns if c not in ("source_row", "place")]
            frame = frame.with_columns(
                pl.len().over(self.records.key).alias("n"),
                pl.struct(cells).n_unique().over(self.records.key).alias("different"),
                pl.col("place").min().over(self.records.key).alias("first"),
                pl.col("source_row").min().over(self.records.key).alias("first_row"),
            ).filter(pl.col("n") > 1)
            again = frame.filter((pl.col("different") == 1) & (pl.col("place") > pl.col("first")))
            conflict = frame.filter(pl.col("different") > 1)
            duplicates += again.height
            gone[again["place"].to_numpy()] = True
            gone[conflict["place"].to_numpy()] = True
            if conflict.height:
                rows = conflict.select(
                    pl.col("source_row").alias("line"),
                    pl.lit("duplicate_key").alias("rule"),
                    pl.lit("").alias("source_column"),
                    pl.lit("").alias("text"),
                    pl.col(region).alias("region_code"),
                    pl.format(
                        "the same key stands {} times with different values, first in row {}", "n", "first_row"
                    ).alias("detail"),
                )
                late.write(self._reject_frame(rows).to_arrow(compat_level=pl.CompatLevel.oldest()))
        conflicts = int(gone.sum()) - duplicates
        if gone.any():
            _without(output.path, gone, self._of_few_values())
        return duplicates, conflicts

    # -- rejects and ignored rows ---------------------------------------------------------------------------

    def _shown(self, text: str | None) -> str:
        """A cell's text as a reject may show it: masked wherever the file holds anything personal."""
        if self.records.has_personal:
            return personal.mask(text)
        return (text or "")[:_TEXT_SHOWN]

    def _reject_frame(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rejects as they are stored, from line, rule, source_column, text (already masked), region_code, detail."""
        receipt = self.receipt
        if "detail" not in rows.columns:
            rows = rows.with_columns(detail=pl.col("rule").replace_strict(DETAILS, default=pl.col("rule")))
        identities = [
            hashlib.sha256(f"{receipt.receipt_id}\0\0{line}\0{column}\0{rule}".encode()).hexdigest()[:16]
            for line, column, rule in rows.select("line", "source_column", "rule").iter_rows()
        ]
        whole = rows.select(
            pl.Series("reject_id", identities, dtype=pl.String),
            pl.lit(self.reading_id).alias("reading_id"),
            pl.lit(receipt.receipt_id).alias("receipt_id"),
            pl.lit(receipt.department).alias("department"),
            pl.lit(receipt.extract).alias("extract"),
            pl.lit(receipt.delivery_period).alias("delivery_period"),
            pl.lit(receipt.file_name).alias("source_file"),
            pl.lit("").alias("source_sheet"),
            pl.col("line").cast(pl.Int32).alias("source_row"),
            "source_column",
            pl.lit("row").alias("scope"),
            "rule",
            pl.col("text").alias("reported_text"),
            "detail",
            "region_code",
            pl.lit(False).alias("is_known"),
            pl.lit(None, dtype=pl.String).alias("known_reason"),
        )
        return whole.select(
            name if name in whole.columns else pl.lit(None, dtype=pl.String).alias(name) for name in self.reject_columns
        )

    def _row_count(self, data_rows: int) -> pl.DataFrame | None:
        """The reject of a file that has fewer or more lines than agreed."""
        agreed = self.contract.quality.rows
        if data_rows >= agreed.min and (agreed.max is None or data_rows <= agreed.max):
            return None
        expected = f"at least {agreed.min}" + (f" and at most {agreed.max}" if agreed.max else "")
        rows = pl.DataFrame(
            {
                "line": [None],
                "rule": ["row_count"],
                "source_column": [""],
                "text": [str(data_rows)],
                "region_code": [None],
                "detail": [f"the file has {data_rows} data rows, the contract expects {expected}"],
            },
            schema_overrides={"line": pl.Int32, "region_code": pl.String},
        )
        return self._reject_frame(rows).with_columns(scope=pl.lit("file"))

    def _finish_rejects(
        self, parts: list[_Output], extra: pl.DataFrame | None, rejected: int, data_rows: int
    ) -> tuple[int, int]:
        """One file of all rejects; rows within the share that the contract tolerates are known. Both counts."""
        share = self.records.tolerated_rejects
        is_tolerated = 0 < rejected <= share * data_rows
        reason = f"{rejected:,} of {data_rows:,} rows, within the {share:.3%} that the contract tolerates"
        final = _Output(self.folder / "rejects.parquet")
        known = 0
        for part in parts:
            if part.rows:
                with pq.ParquetFile(part.path) as stored:
                    for group in range(stored.num_row_groups):
                        frame = pl.DataFrame(pl.from_arrow(stored.read_row_group(group)))
                        if is_tolerated:
                            frame = frame.with_columns(is_known=pl.lit(True), known_reason=pl.lit(reason))
                            known += frame.height
                        final.write(frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
            part.path.unlink(missing_ok=True)
        if extra is not None:
            final.write(extra.to_arrow(compat_level=pl.CompatLevel.oldest()))
        if not final.rows:
            empty = pl.DataFrame(
                schema={"line": pl.Int32, **dict.fromkeys(("rule", "source_column", "text", "region_code"), pl.String)}
            )
            final.write(self._reject_frame(empty).to_arrow(compat_level=pl.CompatLevel.oldest()))
        final.close()
        return final.rows, known

    def _ignored_frame(self, rows: list[int], reasons: list[str] | None, texts: list[str] | None) -> pl.DataFrame:
        count = len(rows)
        if reasons is None:
            reasons = [*["blank line"] * (count - 1), "header"]
        return pl.DataFrame(
            {
                "reading_id": [self.reading_id] * count,
                "receipt_id": [self.receipt.receipt_id] * count,
                "department": [self.receipt.department] * count,
                "extract": [self.receipt.extract] * count,
                "source_file": [self.receipt.file_name] * count,
                "source_sheet": [""] * count,
                "source_row": rows,
                "reason": reasons,
                "reported_text": texts or [""] * count,
            },
            schema={
                **dict.fromkeys(("reading_id", "receipt_id", "department", "extract", "source_file"), pl.String),
                "source_sheet": pl.String,
                "source_row": pl.Int32,
                "reason": pl.String,
                "reported_text": pl.String,
            },
        )


class _Checked:
    """The typing of one block's cells. A cell that breaks a rule takes its line with it; each is a reject."""

    def __init__(self, work: _Work, frame: pl.DataFrame, has_replaced: bool) -> None:
        self.work, self.frame, self.has_replaced = work, frame, has_replaced
        self.rejects: list[pl.DataFrame] = []
        self._bad: pl.Series | None = None
        self._failures: list[tuple[RecordColumn, pl.Series, pl.Series]] = []

    def typed(self) -> pl.DataFrame:
        """The records whose every cell holds, with `source_row` first; the others go to `rejects`."""
        made: dict[str, pl.Series] = {"source_row": self.frame["line"]}
        period = self.work.records.period.column
        later = [c for c in self.work.kept if c.type == "region"]
        for column in (*(c for c in self.work.kept if c.type != "region"), *later):
            text = self._text(column)
            if column.type == "region":
                value, rules = self._region(text, made[period] if period else None)
            elif column.personal == "id_number":
                value, rules = self._person(text, column)
            elif column.type in ("integer", "decimal"):
                value, rules = self._number(text, column)
            elif column.type == "date":
                value, rules = self._date(text, column)
            elif column.type == "month":
                value, rules = self._by_value(text, _month, pl.Date(), "not_a_month")
            elif column.type == "code":
                value, rules = self._by_value(text, self.work.code_maps[column.as_].get, pl.String(), "unknown_code")
            else:
                value, rules = text, None
            if column.required and value.null_count():
                empty = value.is_null() if rules is None else value.is_null() & rules.is_null()
                if empty.any():
                    rules = _first(rules, empty, "missing_value")
            if self.has_replaced:
                replaced = text.str.contains("\ufffd", literal=True).fill_null(False)
                if replaced.any():
                    rules = _over(rules, replaced, "replaced_byte")
            if rules is not None:
                self._failures.append((column, text, rules))
                bad = rules.is_not_null()
                self._bad = bad if self._bad is None else self._bad | bad
            made[column.as_] = value
        order = ["source_row", *(c.as_ for c in self.work.kept)]
        typed = pl.DataFrame([made[name].alias(name) for name in order])
        if self._bad is None or not self._bad.any():
            return typed
        regions = made[self.work.records.region.as_]
        for column, text, rules in self._failures:
            bad = rules.is_not_null()
            if not bad.any():
                continue
            own = text.filter(bad)
            shown = own.to_frame("t").select(pl.col("t").map_elements(self.work._shown, return_dtype=pl.String))
            self.rejects.append(
                pl.DataFrame(
                    {
                        "line": self.frame["line"].filter(bad),
                        "rule": rules.filter(bad),
                        "source_column": pl.Series([column.name] * own.len(), dtype=pl.String),
                        "text": shown.to_series().fill_null(""),
                        "region_code": regions.filter(bad),
                    }
                )
            )
        return typed.filter(~self._bad)

    def _text(self, column: RecordColumn) -> pl.Series:
        """A column's cells; what the contract calls missing is null, and so is a text of nothing but blanks."""
        text = self.frame[f"c{self.work.place[column.name]}"]
        if self.work.missing:
            form = text.str.normalize("NFKC").str.replace_all(r"[\s\u200b\ufeff]+", "")
            text = pl.select(pl.when(~form.is_in(sorted(self.work.missing)).fill_null(False)).then(text)).to_series()
        if column.type == "text" and column.personal == "none":
            # Everywhere else blanks are dealt with where a cell does not pass at once.
            text = text.str.strip_chars()
            if (text == "").any():
                text = pl.select(pl.when(text != "").then(text)).to_series()
        return text

    def _by_value(
        self, text: pl.Series, judge: Any, kind: pl.DataType, rule: str
    ) -> tuple[pl.Series, pl.Series | None]:
        """Columns of few different texts: each is judged once, in its comparison form."""
        forms = {t: normalise(t) for t in text.unique().drop_nulls().to_list()}
        found = {t: judge(form) if form else None for t, form in forms.items()}
        if isinstance(kind, pl.String) and all(t == v for t, v in found.items()):
            return text, None
        value = text.replace_strict(found, default=None, return_dtype=kind) if found else text.cast(pl.Null).cast(kind)
        wrong = {t: rule for t, form in forms.items() if form and found[t] is None}
        if not wrong:
            return value, None
        return value, text.replace_strict(wrong, default=None, return_dtype=pl.String)

    def _region(self, text: pl.Series, months: pl.Series | None) -> tuple[pl.Series, pl.Series | None]:
        """Region codes that were in force in the record's period."""
        work = self.work
        if months is None:
            assert work.span is not None
            spans = [(work.span, None)]
        else:
            starts = months.dt.truncate("1mo" if work.records.period.kind == "month" else "1y")
            spans = [(work._span_of(start), starts == start) for start in starts.unique().drop_nulls()]
        value = _no_rules(text.len())
        rules: pl.Series | None = None
        for span, mask in spans:
            own = text if mask is None else pl.select(pl.when(mask.fill_null(False)).then(text)).to_series()
            matches = {
                t: work.index.match(work.region_rule, t, None, *span) for t in own.unique().drop_nulls().to_list()
            }
            if mask is None and all(m.code == t for t, m in matches.items()):
                return text, None
            codes = {t: m.code for t, m in matches.items()}
            broken = {t: m.rule if normalise(t) else None for t, m in matches.items()}
            if not codes:
                continue
            mapped = own.replace_strict(codes, default=None, return_dtype=pl.String)
            why = own.replace_strict(broken, default=None, return_dtype=pl.String)
            value = pl.select(pl.coalesce(pl.lit(value), pl.lit(mapped))).to_series()
            rules = why if rules is None else pl.select(pl.coalesce(pl.lit(rules), pl.lit(why))).to_series()
        return value, rules

    def _person(self, text: pl.Series, column: RecordColumn) -> tuple[pl.Series, pl.Series | None]:
        """ID numbers checked and replaced. A person has several records, so each number is worked on once."""
        assert self.work.key is not None
        unique = text.unique().drop_nulls()
        plain = personal.canonical(unique)
        if (plain == "").any():
            text = pl.select(pl.when(~text.is_in(unique.filter(plain == "").to_list())).then(text)).to_series()
            unique, plain = unique.filter(plain != ""), plain.filter(plain != "")
        rules = (
            personal.id_problems(plain)
            if column.check == "gb_11643"
            else pl.Series([None] * len(plain), dtype=pl.String)
        )
        pseudonyms = pl.Series(self.work.key.pseudonyms(plain.to_list()), dtype=pl.Binary)
        table = pl.DataFrame({"t": unique, "value": pseudonyms, "rule": rules})
        joined = text.to_frame("t").join(table, on="t", how="left", maintain_order="left")
        if rules.null_count() == len(rules):
            return joined["value"], None
        value = joined.select(pl.when(pl.col("rule").is_null()).then(pl.col("value"))).to_series()
        return value, joined["rule"]

    def _date(self, text: pl.Series, column: RecordColumn) -> tuple[pl.Series, pl.Series | None]:
        value = text.str.to_date(column.date_format, strict=False)
        rules = None
        if value.null_count() != text.null_count():
            failed = value.is_null() & text.is_not_null()
            own = text.filter(failed).str.strip_chars()
            again = own.str.to_date(column.date_format, strict=False)
            broken = pl.select(pl.when(pl.lit(again.is_null() & (own != ""))).then(pl.lit("not_a_date"))).to_series()
            places = np.flatnonzero(failed.to_numpy())
            value = value.scatter(places, again)
            rules = _no_rules(text.len()).scatter(places, broken)
        for limit, rule in ((column.min, "below_minimum"), (column.max, "above_maximum")):
            if limit is not None:
                edge = date.fromisoformat(str(limit))
                off = (value < edge) if rule == "below_minimum" else (value > edge)
                if off.any():
                    rules = _first(rules, off.fill_null(False), rule)
        return (value.dt.year().cast(pl.Int16) if column.personal == "birth_year" else value), rules

    def _number(self, text: pl.Series, column: RecordColumn) -> tuple[pl.Series, pl.Series | None]:
        """Plain numbers at once; whatever else may be one goes through the same reading as any reported number."""
        scale = column.scale if column.type == "decimal" else 0
        kind = pl.Decimal(18, scale) if column.type == "decimal" else pl.Int64()
        value = text.cast(kind, strict=False)
        odd: pl.Series | None = None
        if column.type == "decimal":
            # A cast rounds what has too many digits, so the form of a cell decides. Mostly the point stands in its
            # place, and there is nothing to round (with two digits behind it there is no room for `e-9` either).
            if 0 < scale <= 2:
                odd = (text.str.slice(-scale - 1, 1) != ".").fill_null(False)
            if odd is None or odd.sum() > _FEW * text.len():
                odd = ~text.str.contains(rf"^[+-]?\d{{1,{18 - scale}}}(\.\d{{0,{scale}}})?$").fill_null(True)
        if value.null_count() != text.null_count():
            failed = value.is_null() & text.is_not_null()
            odd = failed if odd is None else odd | failed
        rules: pl.Series | None = None
        if odd is not None and odd.any():
            value, rules = self._odd_numbers(text, value, odd, column, kind, scale)
        for limit, rule in ((column.min, "below_minimum"), (column.max, "above_maximum")):
            if limit is None or value.null_count() == value.len():
                continue
            extreme: Any = value.min() if rule == "below_minimum" else value.max()
            if (extreme < Decimal(str(limit))) if rule == "below_minimum" else (extreme > Decimal(str(limit))):
                edge = pl.lit(Decimal(str(limit)))
                off = pl.lit(value) < edge if rule == "below_minimum" else pl.lit(value) > edge
                rules = _first(rules, pl.select(off.fill_null(False)).to_series(), rule)
        return value, rules

    def _odd_numbers(
        self, text: pl.Series, value: pl.Series, odd: pl.Series, column: RecordColumn, kind: pl.DataType, scale: int
    ) -> tuple[pl.Series, pl.Series]:
        own = text.filter(odd)
        known = self.work.odd_numbers.setdefault(column.as_, {})
        new = [t for t in own.unique().to_list() if t not in known]
        if new:
            parsed = numbers.parse(
                pl.Series(new, dtype=pl.String),
                kind=column.type,
                factor=1,
                is_percent=False,
                tokens={"": "missing"},
                marks={},
                minimum=None,
                maximum=None,
            )
            for t, number, rule in zip(new, parsed["value"], parsed["rule"], strict=True):
                exact = pl.Series([number], dtype=numbers.DECIMAL).cast(kind, strict=False).item()
                if rule is None and number is not None and number != round(number, scale):
                    rule = "too_many_decimals"
                elif rule is None and number is not None and exact is None:
                    rule = "out_of_range"
                known[t] = (None if rule else exact, rule)
            if len(known) > _ODD_KEPT:
                self.work.odd_numbers[column.as_] = {}
        found = [known[t] for t in own.to_list()]
        places = np.flatnonzero(odd.to_numpy())
        exact_values = pl.Series([v for v, _ in found], dtype=kind)
        rules = _no_rules(text.len()).scatter(places, pl.Series([r for _, r in found], dtype=pl.String))
        return value.scatter(places, exact_values), rules


def _no_rules(count: int) -> pl.Series:
    return pl.repeat(None, count, dtype=pl.String, eager=True)


def _first(rules: pl.Series | None, where: pl.Series, rule: str) -> pl.Series:
    """Rules with one more; a cell that breaks two keeps the first."""
    own = pl.select(pl.when(where).then(pl.lit(rule))).to_series()
    return own if rules is None else pl.select(pl.coalesce(pl.lit(rules), pl.lit(own))).to_series()


def _over(rules: pl.Series | None, where: pl.Series, rule: str) -> pl.Series:
    """Rules with one that goes before all others."""
    own = pl.select(pl.when(where).then(pl.lit(rule))).to_series()
    return own if rules is None else pl.select(pl.coalesce(pl.lit(own), pl.lit(rules))).to_series()


def _month(text: str) -> date | None:
    """The first day of a month written as 2020-03, 202003, 2020/3 or 2020年3月."""
    match = re.fullmatch(r"((?:18|19|20|21)\d\d)\D?(0?[1-9]|1[0-2])月?", text)
    if match is None or (len(text) == 5 and text.isdigit()):
        return None
    return date(int(match.group(1)), int(match.group(2)), 1)


def _rows_at(path: Path, places: npt.NDArray[np.int64]) -> pl.DataFrame:
    """The rows of a Parquet file at these (ascending, 0-based) places."""
    frames = []
    with pq.ParquetFile(path) as stored:
        start = 0
        for group in range(stored.num_row_groups):
            end = start + stored.metadata.row_group(group).num_rows
            own = places[np.searchsorted(places, start) : np.searchsorted(places, end)] - start
            if own.size:
                frames.append(pl.DataFrame(pl.from_arrow(stored.read_row_group(group).take(pa.array(own)))))
            start = end
    return pl.concat(frames)


def _without(path: Path, gone: npt.NDArray[np.bool_], dictionary: list[str]) -> None:
    """Write a Parquet file again without some of its rows."""
    again = _Output(path.with_suffix(".again"), dictionary)
    with contextlib.closing(again), pq.ParquetFile(path) as stored:
        start = 0
        for group in range(stored.num_row_groups):
            rows = stored.metadata.row_group(group).num_rows
            again.write(stored.read_row_group(group).filter(pa.array(~gone[start : start + rows])))
            start += rows
    again.path.replace(path)
