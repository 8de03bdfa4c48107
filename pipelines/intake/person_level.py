"""A person-level file by its contract: typed records as Parquet by period, rejects by line, and the account of both.

The file streams through in blocks; ID numbers become keyed hashes and dropped columns are never parsed, before
anything is written. Splitting lines is `lines`'s work, typing cells `person_cells`'s, counting persons `totals`'s.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import FaultError, UnreadableFileError
from pipelines.formats import cut_off_finding
from pipelines.intake import personal
from pipelines.intake.lines import Block, Stream, blocks, cells_of, header_cells, opened, repeating
from pipelines.intake.names import RegionIndex
from pipelines.intake.periods import month_or_year
from pipelines.intake.person_cells import DETAILS, Typing
from pipelines.intake.person_files import Coding, Output, rewrite_without, rows_at
from pipelines.intake.person_key import PersonKey
from pipelines.jurisdiction.contract import Contract
from pipelines.jurisdiction.person_contract import Records
from pipelines.jurisdiction.text import comparison_form, normalise
from pipelines.records import Receipt, TieOut

WORKERS = 3  # two keep two cores busy only while none of them waits for the one that writes
_IN_FLIGHT = WORKERS + 1
_SEED = 20160101  # any number: the hash of a key only has to be the same within one reading
_AT_A_TIME = 1_000_000
_REJECTS_AT_A_TIME = 100_000


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


@dataclass(frozen=True)
class _Keys:
    """The keys of some records, in their order: a hash of each; and the first and the last where each is more than the
    one before, which proves that none stands twice."""

    hashes: npt.NDArray[np.uint64]
    ends: tuple[Any, Any] | None


class _KeysOfPeriod:
    """The keys of all records of a period, block by block."""

    def __init__(self) -> None:
        self._parts: list[npt.NDArray[np.uint64]] = []
        self._last: Any = None
        self.only_grow = True

    def add(self, keys: _Keys) -> None:
        """The keys of the next block."""
        self._parts.append(keys.hashes)
        if keys.ends is None or (self._last is not None and not self._last < keys.ends[0]):
            self.only_grow = False
        else:
            self._last = keys.ends[1]

    def hashes(self) -> npt.NDArray[np.uint64]:
        """The hashes of all of them."""
        return np.concatenate(self._parts)


@dataclass
class _Taken:
    """What one block gave."""

    good: list[tuple[tuple[date, date], pa.Table, _Keys]] = field(default_factory=list)
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
        self.span, self.reading_id, self.folder, self.reject_columns = span, reading_id, folder, reject_columns
        self.place: dict[str, int] = {}  # column's header in the contract -> position in the file
        self.width = 0
        self.headers: list[str] = []
        self.findings: list[dict[str, str]] = []
        self.cut_off: int | None = None  # the number of the last line, where it has no end
        self.typing = Typing(records, self.place, span, index, key)
        self.wanted: list[int] = []  # positions of the columns of which something is kept
        self.repeated: frozenset[int] = frozenset()  # positions of the columns that repeat themselves

    # -- the stream -----------------------------------------------------------------------------------------

    def run(self, stream: Stream) -> Stored:
        """Read all of it, then settle repeated keys and the account."""
        where = self.receipt.landing_path
        (self.folder / "records").mkdir(mode=0o700)
        outputs: dict[tuple[date, date], Output] = {}
        seen: dict[tuple[date, date], _KeysOfPeriod] = {}
        rejects = Output(self.folder / "rejects.part")
        ignored = Output(self.folder / "ignored.parquet")
        rows_read = data_rows = rejected = ignored_rows = 0
        try:
            for taken in self._taken(blocks(stream, where)):
                for span, table, own in taken.good:
                    if span not in outputs:
                        path = self.folder / "records" / f"{self._period_name(span)}.parquet"
                        outputs[span] = Output(path, self._coding())
                        seen[span] = _KeysOfPeriod()
                    outputs[span].write(table)
                    seen[span].add(own)
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
        late = Output(self.folder / "late.part")
        for span, keys in seen.items():
            if self.records.key and not keys.only_grow:
                again, conflicts = self._settle_keys(outputs[span], keys.hashes(), late)
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
        if first.is_open:
            self._find_open_end(first)
        names, rest = header_cells(first, self.records.format, self.receipt.landing_path)
        self._find_columns(names)
        self.wanted = sorted({self.place[column.name] for column in self.typing.kept})
        steady = {self.place[c.name] for c in self.typing.kept if c.type in ("code", "month", "region")}
        self.repeated = repeating(rest, self.records.format, self.width, self.wanted) | steady
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
                    if block.is_open and self._find_open_end(block):
                        continue
                    waiting.append(pool.submit(self._take_block, block))
                while waiting:
                    yield waiting.popleft().result()
                if self.cut_off is not None:
                    yield self._cut_off(self.cut_off)
            finally:
                for future in waiting:
                    future.cancel()

    def _find_open_end(self, block: Block) -> bool:
        """Note that the last line has no end, unless the contract says that this is usual; true when it is noted."""
        if self.records.format.open_end:
            return False
        self.cut_off = block.first_line
        self.findings.append(cut_off_finding(block.first_line))
        return True

    def _cut_off(self, line: int) -> _Taken:
        """The last line, whose cells may have been cut off, as a reject."""
        rejects = _line_rejects([(line, "cut_off")])
        return _Taken(rejects=self._reject_frame(rejects), data_rows=1, rejected=1)

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
        cells = cells_of(block, self.records.format, self.width, self.wanted, self.repeated)
        taken = _Taken()
        ignored: tuple[list[int], list[str], list[str]] = (
            list(cells.blank),
            ["blank line"] * len(cells.blank),
            [""] * len(cells.blank),
        )
        for rule in self.records.ignore_rows:
            column = next(c for c in self.records.columns if rule.column in (c.name, *c.aliases))
            source = cells.columns[self.place[column.name]]
            form = comparison_form(source.texts.fill_null(""))
            hits = [text for text in form.unique() if re.search(rule.pattern, text)]
            hit = source.spread(form.is_in(hits)).to_numpy()
            if hit.any():
                own = cells.only(hit)
                ignored[0].extend(own.lines.tolist())
                ignored[1].extend([rule.reason] * len(own.lines))
                ignored[2].extend(self.typing.shown(text) for text in own.columns[self.place[column.name]].whole())
                cells = cells.only(~hit)
        if ignored[0]:
            taken.ignored = self._ignored_frame(*ignored)
        typed = self.typing.typed(cells)
        rejects = [] if typed.rejects is None else [typed.rejects]
        if cells.broken:
            rejects.append(_line_rejects(cells.broken))
        if rejects:
            taken.rejects = self._reject_frame(pl.concat(rejects).sort("line", maintain_order=True))
        taken.data_rows = len(cells.lines) + len(cells.broken)
        taken.rejected = taken.data_rows - len(typed.table)
        if len(typed.table):
            taken.good = list(self._by_period(typed.table))
        return taken

    def _by_period(self, table: pa.Table) -> Iterator[tuple[tuple[date, date], pa.Table, _Keys]]:
        """Records of a block by reference period, with the hash of each key."""
        parts: list[tuple[tuple[date, date], pa.Table]]
        if self.span is not None:
            parts = [(self.span, table)]
        else:
            kind = self.records.period.kind
            months = cast(pl.Series, pl.from_arrow(table[self.records.period.column or ""]))
            starts = months.dt.truncate("1mo" if kind == "month" else "1y")
            parts = [
                (month_or_year(start, kind), table.filter((starts == start).to_arrow()))
                for start in starts.unique().sort()
            ]
        for span, part in parts:
            yield span, part, self._keys(part) if self.records.key else _Keys(np.empty(0, dtype=np.uint64), None)

    def _keys(self, table: pa.Table) -> _Keys:
        own = table.select(self.records.key)
        # A hash is the same in every block only where it is of the text itself.
        plain = pa.Table.from_arrays([_without_dictionary(column) for column in own.columns], own.column_names)
        frame = cast(pl.DataFrame, pl.from_arrow(plain))
        ends = None
        if frame.width == 1:
            # Registers are mostly sent in the order of their numbers.
            keys = frame.to_series()
            if (keys.slice(1) > keys.head(len(keys) - 1)).all():
                ends = keys[0], keys[-1]
        return _Keys(frame.hash_rows(_SEED).to_numpy(), ends)

    def _coding(self) -> Coding:
        """How each column is best written."""
        repeated = {c.as_ for c in self.typing.kept if self.place[c.name] in self.repeated or c.type == "date"}
        repeated |= {c.as_ for c in self.typing.kept if c.personal == "id_number"}
        numeric = {c.as_ for c in self.typing.kept if c.type in ("integer", "decimal")}
        return Coding(sorted(repeated), ["source_row", *sorted(numeric - repeated)])

    def _period_name(self, span: tuple[date, date]) -> str:
        return f"{span[0]:%Y-%m}" if self.records.period.kind == "month" else f"{span[0]:%Y}"

    # -- repeated keys --------------------------------------------------------------------------------------

    def _settle_keys(self, output: Output, hashes: npt.NDArray[np.uint64], late: Output) -> tuple[int, int]:
        """Take out what stands twice: same cells, the later ones (duplicates); other cells, all of them (rejects).

        Equal keys have equal hashes, so only records whose hash repeats are looked at. Returns both counts.
        """
        series = pl.Series(hashes)
        if series.n_unique() == len(series):
            return 0, 0
        ordered = series.sort().to_numpy()
        repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        del ordered
        candidates = np.flatnonzero(np.isin(hashes, repeated))
        parts = max(1, -(-candidates.size // _AT_A_TIME))
        gone = np.zeros(hashes.size, dtype=bool)
        duplicates = 0
        region = self.records.region.as_
        for part in range(parts):
            places = candidates[hashes[candidates] % parts == part] if parts > 1 else candidates
            frame = rows_at(output.path, places).with_columns(place=pl.Series(places))
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
            rewrite_without(output.path, gone, self._coding())
        return duplicates, conflicts

    # -- rejects and ignored rows ---------------------------------------------------------------------------

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
        self, parts: list[Output], extra: pl.DataFrame | None, rejected: int, data_rows: int
    ) -> tuple[int, int]:
        """One file of all rejects; rows within the share that the contract tolerates are known. Both counts."""
        share = self.records.tolerated_rejects
        is_tolerated = 0 < rejected <= share * data_rows
        reason = f"{rejected:,} of {data_rows:,} rows, within the {share:.3%} that the contract tolerates"
        final = Output(self.folder / "rejects.parquet")
        known = 0
        for part in parts:
            if part.rows:
                with pq.ParquetFile(part.path) as stored:
                    # A block has few: those of many blocks are written together.
                    for batch in stored.iter_batches(_REJECTS_AT_A_TIME):
                        frame = pl.DataFrame(pl.from_arrow(batch))
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


def _line_rejects(lines: list[tuple[int, str]]) -> pl.DataFrame:
    """Lines that are no records, and why."""
    return pl.DataFrame(lines, schema={"line": pl.Int32, "rule": pl.String}, orient="row").with_columns(
        source_column=pl.lit(""), text=pl.lit(""), region_code=pl.lit(None, dtype=pl.String)
    )


def _without_dictionary(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
