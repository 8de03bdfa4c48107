"""Receipt + contract -> reading: accepted observations, rejects, ignored rows, and the account that ties them out.

Rows read = accepted + rejected + duplicate + ignored, and every value of every data row is accepted, missing,
rejected or dropped with its row. Formats, layout, numbers and names are their own modules; storing is `store`'s.
"""

from __future__ import annotations

import hashlib
import re
from calendar import monthrange
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.errors import ConfigurationError, FaultError, UnreadableFileError
from pipelines.intake import numbers
from pipelines.intake.drift import profile
from pipelines.intake.formats import ROW, Grid, read_grids
from pipelines.intake.layout import MatchedValue, Plan, blocks, understand
from pipelines.intake.names import RegionIndex
from pipelines.jurisdiction import Jurisdiction
from pipelines.jurisdiction.contract import ALLOWED, Contract, Layout, PeriodRule, RowDimension
from pipelines.jurisdiction.corrections import Correction
from pipelines.jurisdiction.text import normalise, trimmed
from pipelines.records import Reading, Receipt, TieOut
from pipelines.settings import hash_files
from pipelines.store import Warehouse, now_utc, read_json, write_json, write_parquet

OBSERVATION: dict[str, Any] = {
    "observation_id": pl.String,
    "reading_id": pl.String,
    "receipt_id": pl.String,
    "department": pl.String,
    "extract": pl.String,
    "measure": pl.String,
    "region_code": pl.String,
    "region_name_reported": pl.String,
    "period_start": pl.Date,
    "period_end": pl.Date,
    "population_basis": pl.String,
    "residence": pl.String,
    "sex": pl.String,
    "age_group": pl.String,
    "group": pl.String,
    "item": pl.String,
    "value": numbers.DECIMAL,
    "unit": pl.String,
    "value_reported": pl.String,
    "unit_reported": pl.String,
    "obs_status": pl.String,
    "conf_status": pl.String,
    "provenance": pl.String,
    "source_file": pl.String,
    "source_sheet": pl.String,
    "source_row": pl.Int32,
    "source_column": pl.String,
    "delivery_period": pl.String,
    "correction_id": pl.String,
}
REJECT: dict[str, Any] = {
    "reject_id": pl.String,
    "reading_id": pl.String,
    "receipt_id": pl.String,
    "department": pl.String,
    "extract": pl.String,
    "delivery_period": pl.String,
    "source_file": pl.String,
    "source_sheet": pl.String,
    "source_row": pl.Int32,
    "source_column": pl.String,
    "scope": pl.String,
    "rule": pl.String,
    "reported_text": pl.String,
    "detail": pl.String,
    "region_code": pl.String,
    "is_known": pl.Boolean,
    "known_reason": pl.String,
}
IGNORED: dict[str, Any] = {
    "reading_id": pl.String,
    "receipt_id": pl.String,
    "department": pl.String,
    "extract": pl.String,
    "source_file": pl.String,
    "source_sheet": pl.String,
    "source_row": pl.Int32,
    "reason": pl.String,
    "reported_text": pl.String,
}


@lru_cache(maxsize=1)
def reader_version() -> str:
    """The version of the reader: a hash of this room's own files and of the contract model."""
    here = Path(__file__).parent
    files = [*here.glob("*.py"), *(here.parent / "jurisdiction").glob("*.py")]
    return hash_files(files, here.parent)[:16]


@dataclass(frozen=True)
class Taken:
    """What was taken from a file, before it is stored."""

    accepted: pl.DataFrame
    rejects: pl.DataFrame
    ignored: pl.DataFrame
    tie_out: list[TieOut]
    findings: list[dict[str, str]]
    headers: list[str]
    data_rows: int
    problem: str = ""


def reading_identity(receipt: Receipt, contract: Contract, jurisdiction: Jurisdiction) -> str:
    """The id of the reading of a receipt under the present contract, reference tables and reader."""
    from pipelines.intake import person_reading  # it stands on this module

    corrections = [c.hash for c in jurisdiction.corrections_for(contract.id, receipt.delivery_period)]
    own = (contract.hash, jurisdiction.intake_reference_hash, reader_version())
    parts = (receipt.receipt_id, *own, *corrections, *person_reading.identity_parts(contract))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def find_reading(
    receipt: Receipt, contract: Contract, jurisdiction: Jurisdiction, warehouse: Warehouse
) -> Reading | None:
    """The stored reading of a receipt under the present rules, or None."""
    from pipelines.intake import person_reading  # it stands on this module

    if person_reading.waits_for_key(contract):
        return person_reading.find_without_key(receipt, contract, jurisdiction, warehouse)
    path = _folder(receipt, reading_identity(receipt, contract, jurisdiction), warehouse) / "reading.json"
    return Reading.from_dict(read_json(path)) if path.exists() else None


def read(
    receipt: Receipt, contract: Contract, jurisdiction: Jurisdiction, warehouse: Warehouse, index: RegionIndex
) -> Reading:
    """Read a receipt by its contract and store the reading.

    A file that cannot be read gives a reading with status `unreadable` and its reason: a finding, not a crash.
    """
    reading_id = reading_identity(receipt, contract, jurisdiction)
    folder = _folder(receipt, reading_id, warehouse)
    if contract.records is not None:
        from pipelines.intake import person_reading

        return person_reading.read_records(receipt, contract, jurisdiction, warehouse, index, reading_id, folder)
    data = _received_bytes(receipt, warehouse)
    taken = take(data, receipt, contract, jurisdiction, index, reading_id)
    write_parquet(folder / "accepted.parquet", taken.accepted)
    write_parquet(folder / "rejects.parquet", taken.rejects)
    write_parquet(folder / "ignored.parquet", taken.ignored)
    reading = Reading(
        reading_id=reading_id,
        receipt_id=receipt.receipt_id,
        department=receipt.department,
        extract=receipt.extract,
        delivery_period=receipt.delivery_period,
        contract_hash=contract.hash,
        reference_hash=jurisdiction.intake_reference_hash,
        reader_version=reader_version(),
        status="unreadable" if taken.problem else "read",
        problem=taken.problem,
        read_at=now_utc(),
        folder=folder.relative_to(warehouse.folder).as_posix(),
        tie_out=[account.as_dict() for account in taken.tie_out],
        rejects=taken.rejects.height,
        known_rejects=int(taken.rejects["is_known"].sum() or 0),
        findings=taken.findings,
        profile=profile(taken.headers, taken.accepted, taken.data_rows) if not taken.problem else {},
    )
    write_json(folder / "reading.json", reading.as_dict())
    return reading


def take(
    data: bytes,
    receipt: Receipt,
    contract: Contract,
    jurisdiction: Jurisdiction,
    index: RegionIndex,
    reading_id: str,
) -> Taken:
    """Take from a file's bytes what its contract says; nothing is written."""
    if contract.records is not None:
        from pipelines.intake import person_reading

        return person_reading.take_records(data, receipt, contract, jurisdiction, index, reading_id)
    where = receipt.landing_path
    try:
        layout = contract.layout_for(receipt.delivery_period, receipt.file_name)
        sheets = [
            _Sheet(
                receipt, contract, layout, understand(grid, layout, where), grid, jurisdiction, index, reading_id
            ).take()
            for sheet in read_grids(data, layout.format, where)
            for grid in blocks(sheet, layout)
        ]
        return _refuse_repeated(sheets, receipt, reading_id)
    except (UnreadableFileError, ConfigurationError) as error:
        problem = error.message + (f" ({error.do})" if error.do else "")
        reject = reject_frame(
            receipt,
            reading_id,
            "",
            [{"scope": "file", "rule": "unreadable", "detail": problem, "reported_text": ""}],
        )
        return Taken(
            pl.DataFrame(schema=OBSERVATION),
            reject,
            pl.DataFrame(schema=IGNORED),
            [TieOut(receipt.file_name, "")],
            [],
            [],
            0,
            problem,
        )


def _refuse_repeated(sheets: list[Taken], receipt: Receipt, reading_id: str) -> Taken:
    """The sheets of a file as one. Two cells that report the same observation are both rejected, neither taken."""
    observations = pl.concat([taken.accepted for taken in sheets])
    rejects = [taken.rejects for taken in sheets]
    accounts = _by_sheet([account for taken in sheets for account in taken.tie_out])
    key = ["measure", "region_code", "period_start", "period_end", "population_basis", "residence", "sex"]
    key += ["age_group", "group", "item"]
    repeated = observations.clear()
    if observations.select(key).hash_rows().is_duplicated().any():
        is_repeated = observations.select(pl.struct(key).is_duplicated()).to_series()
        repeated = observations.filter(is_repeated)
    if repeated.height:
        observations = observations.filter(~is_repeated)
        for position, account in enumerate(accounts):
            own = repeated.filter(pl.col("source_sheet") == account.source_sheet)
            rejects.append(
                reject_frame(
                    receipt,
                    reading_id,
                    account.source_sheet,
                    [
                        {
                            "source_row": row["source_row"],
                            "source_column": row["source_column"],
                            "scope": "cell",
                            "rule": "duplicate_key",
                            "reported_text": row["value_reported"],
                            "detail": "another cell of the file reports the same measure, region, period and group",
                            "region_code": row["region_code"],
                        }
                        for row in own.iter_rows(named=True)
                    ],
                )
            )
            missing = int(own["value"].is_null().sum())
            accounts[position] = replace(
                account,
                values_accepted=account.values_accepted - (own.height - missing),
                values_missing=account.values_missing - missing,
                values_rejected=account.values_rejected + own.height,
            )
    return Taken(
        observations,
        pl.concat(rejects),
        pl.concat([taken.ignored for taken in sheets]),
        accounts,
        [finding for taken in sheets for finding in taken.findings],
        list(dict.fromkeys(header for taken in sheets for header in taken.headers)),
        sum(taken.data_rows for taken in sheets),
    )


def _by_sheet(accounts: list[TieOut]) -> list[TieOut]:
    """One account per sheet: the blocks of a sheet added up."""
    summed: dict[str, TieOut] = {}
    for account in accounts:
        before = summed.get(account.source_sheet)
        if before is not None:
            counts = {
                f.name: getattr(before, f.name) + getattr(account, f.name) for f in fields(TieOut) if f.type == "int"
            }
            account = replace(account, **counts)
        summed[account.source_sheet] = account
    return list(summed.values())


def _received_bytes(receipt: Receipt, warehouse: Warehouse) -> bytes:
    """The bytes of a receipt from the vault.

    Raises FaultError when they are gone or are not those that were received.
    """
    path = warehouse.vault_path(receipt.sha256)
    data = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(data).hexdigest() != receipt.sha256:
        raise FaultError(
            f"the kept bytes of {receipt.landing_path} are {'not those received' if path.exists() else 'gone'}",
            where=str(path),
            do="restore the vault from a backup; nothing else was changed",
        )
    return data


def _folder(receipt: Receipt, reading_id: str, warehouse: Warehouse) -> Path:
    return warehouse.readings / receipt.department / receipt.extract / reading_id


def reject_frame(receipt: Receipt, reading_id: str, sheet: str, rejects: list[dict[str, object]]) -> pl.DataFrame:
    """Rejects as a frame in the shape of REJECT; a field that a reject does not name has no value."""
    rows = []
    for reject in rejects:
        row = {
            "reading_id": reading_id,
            "receipt_id": receipt.receipt_id,
            "department": receipt.department,
            "extract": receipt.extract,
            "delivery_period": receipt.delivery_period,
            "source_file": receipt.file_name,
            "source_sheet": sheet,
            "source_row": None,
            "source_column": "",
            "region_code": None,
            "is_known": False,
            "known_reason": None,
            **reject,
        }
        identity = f"{receipt.receipt_id}\0{sheet}\0{row['source_row']}\0{row['source_column']}\0{row['rule']}"
        row["reject_id"] = hashlib.sha256(identity.encode()).hexdigest()[:16]
        rows.append(row)
    return pl.DataFrame(rows, schema=REJECT)


@dataclass
class _Sheet:
    """The work on one sheet; fields are its inputs."""

    receipt: Receipt
    contract: Contract
    layout: Layout
    plan: Plan
    grid: Grid
    jurisdiction: Jurisdiction
    index: RegionIndex
    reading_id: str
    corrected: dict[tuple[int, str], tuple[Correction, str]] = field(default_factory=dict)
    correction_findings: list[dict[str, str]] = field(default_factory=list)

    @property
    def sheet(self) -> str:
        """The sheet's name, empty for formats that have none."""
        return self.grid.sheet

    def take(self) -> Taken:
        """Take the sheet: rows first, then their values, then the account of both."""
        rows_read = self.grid.cells.height
        rows = self._rows_with_region_and_dimensions()
        rows = self._corrected(rows)
        rows = self._mark_duplicates(rows)
        rejects = self._row_rejects(rows)
        good = rows.filter(pl.col("state") == "accepted")
        observations, cell_rejects, missing = self._values(good)
        data_rows = rows.height
        row_range = self.contract.quality.rows
        file_rejects: list[dict[str, object]] = []
        if data_rows < row_range.min or (row_range.max is not None and data_rows > row_range.max):
            expected = f"at least {row_range.min}" + (f" and at most {row_range.max}" if row_range.max else "")
            file_rejects.append(
                {
                    "scope": "file",
                    "rule": "row_count",
                    "reported_text": str(data_rows),
                    "detail": f"the file has {data_rows} data rows, the contract expects {expected}",
                }
            )
        all_rejects = reject_frame(
            self.receipt,
            self.reading_id,
            self.sheet,
            [*file_rejects, *rejects, *map(self._known, cell_rejects)],
        )
        counts = dict(rows.group_by("state").len().iter_rows())
        values_read = data_rows * len(self.plan.values)
        tie_out = TieOut(
            source_file=self.receipt.file_name,
            source_sheet=self.sheet,
            rows_read=rows_read,
            rows_accepted=counts.get("accepted", 0),
            rows_rejected=counts.get("rejected", 0),
            rows_duplicate=counts.get("duplicate", 0),
            rows_ignored=self.plan.ignored.height,
            values_read=values_read,
            values_accepted=observations.height - missing,
            values_missing=missing,
            values_rejected=len(cell_rejects),
            values_dropped=(data_rows - good.height) * len(self.plan.values),
        )
        findings = [
            {
                "check": "unknown_column",
                "severity": "warn",
                "observed": name,
                "expected": "a column of the contract",
            }
            for name in self.plan.unknown_columns
        ]
        ignored = self.plan.ignored.select(
            pl.lit(self.reading_id).alias("reading_id"),
            pl.lit(self.receipt.receipt_id).alias("receipt_id"),
            pl.lit(self.receipt.department).alias("department"),
            pl.lit(self.receipt.extract).alias("extract"),
            pl.lit(self.receipt.file_name).alias("source_file"),
            pl.lit(self.sheet).alias("source_sheet"),
            pl.col(ROW).cast(pl.Int32).alias("source_row"),
            "reason",
            "reported_text",
        )
        findings += self.correction_findings + self._controls(good) + self._reconciled(good)
        headers = list(self.plan.columns)
        return Taken(observations, all_rejects, ignored, [tie_out], findings, headers, data_rows)

    # -- rows -----------------------------------------------------------------------------------------------

    def _rows_with_region_and_dimensions(self) -> pl.DataFrame:
        """Data rows with region_code, the row's own dimensions and period, and what is wrong with them, if anything."""
        data = self.plan.data
        rule = self.layout.region
        code = data[self.plan.cell(rule.code)] if rule.code else pl.Series([None] * data.height, dtype=pl.String)
        name = data[self.plan.cell(rule.name)] if rule.name else pl.Series([None] * data.height, dtype=pl.String)
        starts, ends, problems = self._row_periods(data)
        rows = data.with_columns(
            code.alias("_code"),
            name.alias("_name"),
            pl.Series("row_start", starts, dtype=pl.Date),
            pl.Series("row_end", ends, dtype=pl.Date),
            pl.Series("_problem", problems, dtype=pl.String),
            pl.Series("_above", self._regions_above(data), dtype=pl.String),
        )
        # A long file names few regions many times: each way of naming one is looked up once.
        key = ["_code", "_name", "row_start", "row_end", "_problem", "_above"]
        distinct = rows.select(key).unique(maintain_order=True)
        found: list[tuple[str | None, str | None, str | None]] = []
        for code_text, name_text, start, end, problem, above in distinct.iter_rows():
            if problem or start is None or end is None:
                found.append((None, "unknown_period", problem))
            else:
                match = self.index.match(rule, code_text, name_text, start, end, above)
                found.append((match.code, match.rule, match.detail))
        schema = dict.fromkeys(("region_code", "rule", "detail"), pl.String)
        matched = pl.concat([distinct, pl.DataFrame(found, schema=schema, orient="row")], how="horizontal")
        reported = pl.coalesce(*(pl.when(pl.col(c) != "").then(pl.col(c)) for c in ("_name", "_code")), pl.lit(""))
        rows = (
            rows.join(matched, on=key, how="left", nulls_equal=True, maintain_order="left")
            .with_columns(reported.str.strip_chars().alias("region_name_reported"))
            .drop("_code", "_name", "_problem", "_above")
        )
        for dimension in self.layout.rows:
            rows = self._row_dimension(rows, dimension)
        return rows

    def _regions_above(self, data: pl.DataFrame) -> list[str | None]:
        """The region that each row's region lies in, where a column or leading blanks say it."""
        rule = self.layout.region
        if rule.within:
            return data[self.plan.cell(rule.within)].to_list()
        if not rule.indent or rule.name is None:
            return [None] * data.height
        above: list[str | None] = []
        open_levels: list[tuple[int, str]] = []
        for text in data[self.plan.cell(rule.name)]:
            name = text or ""
            depth = len(name) - len(name.lstrip(" \t\u00a0\u3000"))
            while open_levels and open_levels[-1][0] >= depth:
                open_levels.pop()
            above.append(open_levels[-1][1] if open_levels else None)
            open_levels.append((depth, name))
        return above

    def _row_periods(self, data: pl.DataFrame) -> tuple[list[date | None], list[date | None], list[str | None]]:
        """First and last day that each row is about; for a period in the header, the span over all its columns."""
        rule = self.layout.period
        count = data.height
        if rule.from_ == "column":
            texts = data[self.plan.cell(rule.column or "")]
            found = {text: period_span(normalise(text), rule) for text in texts.unique()}
            spans_of_rows = [found[text] for text in texts]
            return (
                [span[0] if span else None for span in spans_of_rows],
                [span[1] if span else None for span in spans_of_rows],
                [None if span else f"{text!r} is not a year" for text, span in zip(texts, spans_of_rows, strict=True)],
            )
        if rule.from_ == "header":
            spans = [period_span(value.period or "", rule) for value in self.plan.values]
            bad = [v.header for v, span in zip(self.plan.values, spans, strict=True) if span is None]
            if bad:
                raise UnreadableFileError(
                    f"the header {bad[0]!r} gives no year",
                    where=self.receipt.landing_path,
                    do="mend `columns` in the contract",
                )
            whole = [span for span in spans if span]
            first, last = min(s[0] for s in whole), max(s[1] for s in whole)
            return [first] * count, [last] * count, [None] * count
        text = self.plan.captured["period"] if rule.from_ == "capture" else self.receipt.delivery_period
        span = period_span(text, rule)
        if span is None:
            raise UnreadableFileError(
                f"{text!r} gives no {'month' if rule.kind == 'month' else 'year'} that the file is about",
                where=self.receipt.landing_path,
                do="name the delivery folder after it, or mend `period` in the contract",
            )
        return [span[0]] * count, [span[1]] * count, [None] * count

    def _row_dimension(self, rows: pl.DataFrame, rule: RowDimension) -> pl.DataFrame:
        column, dimension, translations = rule.column, rule.dimension, rule.map
        cell = self.plan.cell(column)
        text = pl.col(cell).fill_null("").str.normalize("NFKC").str.replace_all(r"[\s\u200b\ufeff]+", "")
        value = pl.when(text != "").then(text)
        rows = rows.with_columns(
            (value.otherwise(None).forward_fill() if rule.fill == "down" else value.otherwise(None)).alias("_text")
        )
        if translations is not None:
            table = {normalise(k): v for k, v in translations.items()}
            mapped = pl.col("_text").replace_strict(table, default=None, return_dtype=pl.String)
        else:
            mapped = pl.col("_text")
        allowed = ALLOWED.get(dimension)
        if dimension == "measure":
            allowed = set(self.jurisdiction.reference_measures)
        if rule.codes is not None:
            allowed = {normalise(code) for code in rule.codes}
        if allowed is not None:
            mapped = pl.when(mapped.is_in(sorted(allowed))).then(mapped).otherwise(None)
        return (
            rows.with_columns(mapped.alias(f"d_{dimension}"))
            .with_columns(
                pl.when(pl.col("rule").is_not_null())
                .then(pl.col("rule"))
                .when(pl.col(f"d_{dimension}").is_null())
                .then(pl.lit("unknown_code"))
                .otherwise(None)
                .alias("rule"),
                pl.when(pl.col("rule").is_not_null())
                .then(pl.col("detail"))
                .when(pl.col(f"d_{dimension}").is_null())
                .then(
                    pl.format(
                        "{} in the column {} is no {} of the contract",
                        pl.col("_text").fill_null("an empty cell"),
                        pl.lit(column),
                        pl.lit(dimension),
                    )
                )
                .otherwise(None)
                .alias("detail"),
            )
            .drop("_text")
        )

    def _corrected(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with our own corrections done. A correction whose expectation does not hold becomes a finding."""
        cells = {value.header: value for value in self.plan.values}
        for correction in self.jurisdiction.corrections_for(self.contract.id, self.receipt.delivery_period):
            wanted = pl.col("region_code") == correction.region_code
            for dimension, text in correction.where.items():
                wanted = wanted & (pl.col(f"d_{dimension}") == text)
            hit = rows.filter(wanted)
            column = cells.get(normalise(correction.column))
            found = f"{hit.height} rows of the region {correction.region_code}"
            if hit.height == 1 and correction.action == "drop_row":
                why = f"{correction.id}: {correction.reason}"
                rows = rows.with_columns(
                    pl.when(wanted).then(pl.lit("dropped_by_correction")).otherwise(pl.col("rule")).alias("rule"),
                    pl.when(wanted).then(pl.lit(why)).otherwise(pl.col("detail")).alias("detail"),
                )
                continue
            if hit.height == 1 and column is None:
                found = f"no value column {correction.column!r}"
            elif hit.height == 1 and column is not None:
                text = trimmed(hit[column.cell][0])
                if text == correction.expect:
                    row = int(hit[ROW][0])
                    new = correction.value if correction.action == "replace" else None
                    rows = rows.with_columns(
                        pl.when(wanted).then(pl.lit(new)).otherwise(pl.col(column.cell)).alias(column.cell)
                    )
                    self.corrected[(row, column.cell)] = (correction, text)
                    continue
                found = f"{text!r}"
            self.correction_findings.append(
                {
                    "check": "correction",
                    "severity": "block",
                    "observed": f"{correction.id}: found {found}",
                    "expected": f"{correction.expect!r}: the correction no longer fits the file; remove or renew it",
                }
            )
        return rows

    def _mark_duplicates(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`state` of each row. A repeated key with the same cells is a duplicate, with other cells a reject."""
        key = ["region_code", "row_start", "row_end", *(c for c in rows.columns if c.startswith("d_"))]
        cells = [v.cell for v in self.plan.values]
        good = rows.filter(pl.col("rule").is_null())
        if not good.select(key).hash_rows().is_duplicated().any():
            accepted = pl.when(pl.col("rule").is_null()).then(pl.lit("accepted")).otherwise(pl.lit("rejected"))
            return rows.with_columns(accepted.alias("state"))
        good = good.with_columns(
            pl.concat_str([pl.col(c).fill_null("").str.strip_chars() for c in cells], separator="\x1f").alias("_cells")
        )
        good = good.with_columns(
            pl.len().over(key).alias("_n"),
            pl.col("_cells").n_unique().over(key).alias("_different"),
            pl.col(ROW).rank("ordinal").over(key).alias("_nth"),
            pl.col(ROW).min().over(key).alias("_first"),
        )
        marks = good.select(
            ROW,
            pl.when(pl.col("_different") > 1)
            .then(pl.lit("rejected"))
            .when(pl.col("_nth") > 1)
            .then(pl.lit("duplicate"))
            .otherwise(pl.lit("accepted"))
            .alias("state"),
            pl.when(pl.col("_different") > 1)
            .then(pl.format("the same key stands {} times with different values, first in row {}", "_n", "_first"))
            .otherwise(None)
            .alias("_why"),
        )
        rows = rows.join(marks, on=ROW, how="left", maintain_order="left")
        return rows.with_columns(
            pl.col("state").fill_null("rejected"),
            pl.when(pl.col("_why").is_not_null()).then(pl.lit("duplicate_key")).otherwise(pl.col("rule")).alias("rule"),
            pl.coalesce("detail", "_why").alias("detail"),
        ).drop("_why")

    def _row_rejects(self, rows: pl.DataFrame) -> list[dict[str, object]]:
        bad = rows.filter(pl.col("state") == "rejected")
        cells = [c for c in self.plan.data.columns if c != ROW]
        texts = bad.select(
            pl.concat_str([pl.col(c).str.strip_chars() for c in cells], separator=" | ", ignore_nulls=True).str.slice(
                0, 500
            )
        ).to_series()
        return [
            {
                "source_row": row["source_row"],
                "scope": "row",
                "rule": row["rule"],
                "reported_text": text,
                "detail": row["detail"],
                "region_code": row["region_code"],
                "is_known": row["rule"] == "dropped_by_correction",
                "known_reason": row["detail"] if row["rule"] == "dropped_by_correction" else None,
            }
            for row, text in zip(
                bad.select(ROW, "rule", "detail", "region_code").iter_rows(named=True), texts, strict=True
            )
        ]

    # -- values ---------------------------------------------------------------------------------------------

    def _values(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[dict[str, object]], int]:
        """Observations of the good rows, the rejected cells, and how many of the observations have no value."""
        frames: list[pl.DataFrame] = []
        rejects: list[dict[str, object]] = []
        for value in self.plan.values:
            frame, bad = self._one_column(rows, value)
            frames.append(frame)
            rejects += bad
        observations = pl.concat(frames) if frames else pl.DataFrame(schema=OBSERVATION)
        return observations, rejects, int(observations["value"].is_null().sum())

    def _one_column(self, rows: pl.DataFrame, value: MatchedValue) -> tuple[pl.DataFrame, list[dict[str, object]]]:
        unit = self.jurisdiction.units.get(value.unit)
        if unit is None:
            raise UnreadableFileError(
                f"the unit {value.unit!r} is not in the jurisdiction's list of units",
                where=f"{self.receipt.landing_path}, column {value.address}",
                do="add it under `units` in jurisdiction.yml, or mend the column's `unit` in the contract",
            )
        parsed = numbers.parse(
            rows[value.cell],
            kind=value.rule.type,
            factor=unit.factor,
            is_percent=unit.base == "percent",
            tokens={**self.layout.tokens, **value.rule.tokens},
            marks=self.layout.marks,
            style=self.layout.numbers,
            minimum=value.rule.min,
            maximum=value.rule.max,
        )
        if value.rule.mark is not None:
            is_plain = pl.col("obs_status") == "A"
            marked = pl.when(is_plain).then(pl.lit(numbers.STATUS_OF_MARK[value.rule.mark]))
            parsed = parsed.with_columns(marked.otherwise(pl.col("obs_status")).alias("obs_status"))
        if value.period is not None:
            span = period_span(value.period, self.layout.period)
            assert span is not None  # _row_periods refused a header without a year
            start, end = pl.lit(span[0]), pl.lit(span[1])
            parsed = self._refuse_before_and_after(rows["region_code"], parsed, *span)
        else:
            start, end = pl.col("row_start"), pl.col("row_end")
        from_rows = {row.dimension for row in self.layout.rows}

        def dimension(name: str) -> pl.Expr:
            fixed = value.dimensions.get(name)
            if fixed is None or (name in from_rows and getattr(value.rule, name) is None):
                return pl.col(f"d_{name}").alias(name)
            return pl.lit(fixed).alias(name)

        frame = pl.concat([rows, parsed.rename({"rule": "cell_rule", "detail": "cell_detail"})], how="horizontal")
        bad = frame.filter(pl.col("cell_rule").is_not_null())
        rejects: list[dict[str, object]] = [
            {
                "source_row": row[ROW],
                "source_column": value.address,
                "scope": "cell",
                "rule": row["cell_rule"],
                "reported_text": (row[value.cell] or "").strip(),
                "detail": row["cell_detail"],
                "region_code": row["region_code"],
            }
            for row in bad.select(ROW, "cell_rule", "cell_detail", "region_code", value.cell).iter_rows(named=True)
        ]
        good = frame.filter(pl.col("cell_rule").is_null())
        originals = {row: (c.id, text) for (row, cell), (c, text) in self.corrected.items() if cell == value.cell}
        address = value.address
        # The id of a cell: a hash of its file, sheet and column, then its row.
        column_id = hashlib.sha256(f"{self.receipt.receipt_id}\0{self.sheet}\0{address}".encode()).hexdigest()[:16]
        text, correction = pl.col(value.cell).fill_null("").str.strip_chars(), pl.lit(None, dtype=pl.String)
        if originals:
            was = {row: reported for row, (_, reported) in originals.items()}
            text = pl.coalesce(pl.col(ROW).replace_strict(was, default=None, return_dtype=pl.String), text)
            ids = {row: name for row, (name, _) in originals.items()}
            correction = pl.col(ROW).replace_strict(ids, default=None, return_dtype=pl.String)
        observations = good.select(
            (pl.lit(column_id) + pl.col(ROW).cast(pl.String).str.zfill(8)).alias("observation_id"),
            pl.lit(self.reading_id).alias("reading_id"),
            pl.lit(self.receipt.receipt_id).alias("receipt_id"),
            pl.lit(self.receipt.department).alias("department"),
            pl.lit(self.receipt.extract).alias("extract"),
            dimension("measure"),
            "region_code",
            "region_name_reported",
            start.alias("period_start"),
            end.alias("period_end"),
            *(dimension(d) for d in ("population_basis", "residence", "sex", "age_group", "group", "item")),
            "value",
            pl.lit(unit.base).alias("unit"),
            text.alias("value_reported"),
            pl.lit(value.unit).alias("unit_reported"),
            "obs_status",
            pl.lit("F").alias("conf_status"),
            pl.lit(self.contract.provenance).alias("provenance"),
            pl.lit(self.receipt.file_name).alias("source_file"),
            pl.lit(self.sheet).alias("source_sheet"),
            pl.col(ROW).cast(pl.Int32).alias("source_row"),
            pl.lit(address).alias("source_column"),
            pl.lit(self.receipt.delivery_period).alias("delivery_period"),
            correction.alias("correction_id"),
        ).cast(pl.Schema(OBSERVATION))
        return observations, rejects

    def _refuse_before_and_after(
        self, regions: pl.Series, parsed: pl.DataFrame, start: date, end: date
    ) -> pl.DataFrame:
        """Numbers of one year of a region that was not on the list then: refused. A cell without a number may stand.

        A row with many years was matched on the whole span of them; its region may have lived in some only.
        """
        broken = {code: self.index.in_force(code, start, end).detail for code in regions.unique()}
        detail = regions.replace_strict(broken, return_dtype=pl.String)
        is_late = pl.col("value").is_not_null() & pl.Series(detail).is_not_null()
        return parsed.with_columns(
            pl.when(is_late).then(pl.lit("region_not_in_force")).otherwise(pl.col("rule")).alias("rule"),
            pl.when(is_late).then(pl.Series(detail)).otherwise(pl.col("detail")).alias("detail"),
        )

    def _numbers(self, rows: pl.DataFrame, value: MatchedValue) -> pl.Series:
        """The values of one column for rows that are compared but not taken; a cell that is no number is null."""
        return numbers.parse(
            rows[value.cell],
            kind="decimal",
            factor=1,
            is_percent=True,
            tokens={**self.layout.tokens, **value.rule.tokens},
            marks=self.layout.marks,
            style=self.layout.numbers,
            minimum=None,
            maximum=None,
        )["value"]

    def _controls(self, rows: pl.DataFrame) -> list[dict[str, str]]:
        """Sums within a row that the contract says must hold. A row with a cell missing on either side says nothing."""
        findings: list[dict[str, str]] = []
        columns = {value.header: value for value in self.plan.values}
        for control in self.layout.controls:
            names = [normalise(name) for name in (control.total, *control.parts)]
            unknown = [name for name in names if name not in columns]
            if unknown:
                raise ConfigurationError(
                    f"the control {control.name!r} names {unknown[0]!r}, which is no value column",
                    where=f"contracts/{self.contract.id}.yml",
                    do="correct the column's name",
                )
            total, *parts = (self._numbers(rows, columns[name]) for name in names)
            compared = pl.DataFrame({"row": rows[ROW], "total": total, **{f"p{i}": p for i, p in enumerate(parts)}})
            summed = pl.sum_horizontal(pl.col(f"p{i}") for i in range(len(parts)))
            compared = compared.drop_nulls().with_columns(summed.alias("sum"))
            off = compared.filter((pl.col("total") - pl.col("sum")).cast(pl.Float64).abs() > control.tolerance)
            for row in off.head(20).iter_rows(named=True):
                findings.append(
                    {
                        "check": "control_total",
                        "severity": control.severity,
                        "observed": f"row {row['row']}: {control.total} is {row['total'].normalize():f}",
                        "expected": f"{row['sum'].normalize():f}, the sum of {', '.join(control.parts)}",
                    }
                )
        return findings

    def _reconciled(self, rows: pl.DataFrame) -> list[dict[str, str]]:
        """Total rows, ignored as data, against the sum of the accepted rows they stand for."""
        findings: list[dict[str, str]] = []
        rules = [rule for rule in self.layout.ignore_rows if rule.reconcile]
        if not rules:
            return findings
        levels = dict(self.jurisdiction.regions.select("region_code", "region_level").iter_rows())
        reasons = [rule.reason for rule in rules]
        stated_rows = self.grid.cells.join(
            self.plan.ignored.filter(pl.col("reason").is_in(reasons)).select(ROW, "reason"), on=ROW
        ).sort(ROW)
        if not stated_rows.height:
            return findings
        # Each column is parsed once, for the total rows and for the rows they stand for.
        cells = [value.cell for value in self.plan.values]
        stated_values, values = (
            frame.select(ROW, *own).with_columns(
                self._numbers(frame, value).alias(value.cell) for value in self.plan.values
            )
            for frame, own in ((stated_rows, ("reason",)), (rows, ("region_code",)))
        )
        for rule in rules:
            parts = values
            if rule.parts_level:
                wanted = [code for code, level in levels.items() if level == rule.parts_level]
                parts = values.filter(pl.col("region_code").is_in(wanted))
            previous = 0
            for stated in stated_values.filter(pl.col("reason") == rule.reason).iter_rows(named=True):
                number = stated[ROW]
                own = parts
                if rule.reconcile == "since_previous":
                    own = parts.filter((pl.col(ROW) < number) & (pl.col(ROW) > previous))
                    previous = number
                if not own.height:
                    continue
                gaps = own.select(pl.col(cells).null_count()).row(0, named=True)
                sums = own.select(pl.col(cells).sum()).row(0, named=True)
                for value in self.plan.values:
                    total, summed = stated[value.cell], sums[value.cell]
                    if total is None or gaps[value.cell]:
                        continue
                    if abs(float(total) - float(summed)) > rule.tolerance:
                        findings.append(
                            {
                                "check": "reported_total",
                                "severity": "warn",
                                "observed": f"row {number}, {value.address}: {total.normalize():f}",
                                "expected": f"{summed.normalize():f}, the sum of {own.height} rows",
                            }
                        )
        return findings

    def _known(self, reject: dict[str, object]) -> dict[str, object]:
        """Mark a rejected cell that a person has looked at and written down in the contract."""
        header = str(reject["source_column"]).partition(" ")[2]
        for known in self.contract.quality.known_rejects:
            if (
                normalise(known.column) == header
                and known.text == reject["reported_text"]
                and known.region_code in (None, reject["region_code"])
                and known.delivery_period in (None, self.receipt.delivery_period)
            ):
                return {**reject, "is_known": True, "known_reason": known.reason}
        return reject


def period_span(text: str, rule: PeriodRule) -> tuple[date, date] | None:
    """First and last day that a text is about, by the contract's rule; None when it names no year (or month)."""
    text = {normalise(name): year for name, year in rule.map.items()}.get(normalise(text), text)
    if rule.kind == "month":
        month_match = re.search(r"(?<!\d)(1[89]\d\d|2[01]\d\d)\D?(0?[1-9]|1[0-2])(?!\d)", text)
        if not month_match:
            return None
        year, month = int(month_match.group(1)), int(month_match.group(2))
        return date(year, month, 1), date(year, month, monthrange(year, month)[1])
    match = re.search(r"(?<!\d)(1[89]\d\d|2[01]\d\d)(?!\d)", text)
    if not match:
        return None
    year = int(match.group(1))
    if rule.kind == "year":
        start_month, start_day = (int(part) for part in rule.starts.split("-"))
        if rule.named_by == "end" and rule.starts != "01-01":
            year -= 1
        start = date(year, start_month, start_day)
        return start, date(year + 1, start_month, start_day) - timedelta(days=1)
    month, day = (int(part) for part in rule.month_day.split("-"))
    moment = date(year, month, min(day, monthrange(year, month)[1]))
    return moment, moment
