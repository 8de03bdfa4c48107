"""One sheet by its contract: its rows told apart and named, its values taken, and the account of both.

Rows get their region, period and own dimensions here; corrections, numbers and sums are modules of their own, and so
is what the header and the columns are (`layout`).
"""

from __future__ import annotations

import re
from datetime import date

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats import ROW, Grid
from pipelines.intake import corrections, sums
from pipelines.intake.frames import DROPPED, Taken, reject_frame
from pipelines.intake.periods import period_span
from pipelines.intake.values import Task, figures
from pipelines.jurisdiction.contract import ALLOWED, RowDimension
from pipelines.jurisdiction.text import comparison_form, normalise
from pipelines.records import TieOut


def take_sheet(task: Task, grid: Grid) -> Taken:
    """Take a sheet: rows first, then their values, then the account of both."""
    return _Sheet(task, grid).take()


class _Sheet:
    """The work on one sheet."""

    def __init__(self, task: Task, grid: Grid) -> None:
        self.task, self.grid = task, grid
        self.receipt, self.contract, self.layout = task.receipt, task.contract, task.layout
        self.plan, self.jurisdiction = task.plan, task.jurisdiction

    def take(self) -> Taken:
        """Take the sheet; see `take_sheet`."""
        task, receipt = self.task, self.receipt
        own = self.jurisdiction.corrections_for(self.contract.id, receipt.delivery_period)
        corrected = corrections.corrected(self._rows_with_region_and_dimensions(), self.plan, own)
        rows = self._mark_duplicates(corrected.rows)
        good = rows.filter(pl.col("state") == "accepted")
        taken = figures(task, good, corrected.cells)
        file_rejects, findings = self._row_count(rows.height)
        rejects = [*file_rejects, *self._row_rejects(rows), *taken.rejects]
        counts = dict(rows.group_by("state").len().iter_rows())
        tie_out = TieOut(
            source_file=receipt.file_name,
            source_sheet=task.sheet,
            rows_read=self.grid.cells.height,
            rows_accepted=counts.get("accepted", 0),
            rows_rejected=counts.get("rejected", 0),
            rows_duplicate=counts.get("duplicate", 0),
            rows_ignored=self.plan.ignored.height,
            values_read=rows.height * len(self.plan.values),
            values_accepted=taken.observations.height - taken.missing,
            values_missing=taken.missing,
            values_rejected=len(taken.rejects),
            values_dropped=(rows.height - good.height) * len(self.plan.values),
        )
        findings += [
            {
                "check": "unknown_column",
                "severity": self.contract.quality.drift.new_column,
                "observed": name,
                "expected": "a column of the contract",
            }
            for name in self.plan.unknown_columns
        ]
        findings += sums.controls(task, good, taken.reported)
        findings += sums.reconciled(task, self.grid, good, taken.reported)
        ignored = self.plan.ignored.select(
            pl.lit(task.reading_id).alias("reading_id"),
            pl.lit(receipt.receipt_id).alias("receipt_id"),
            pl.lit(receipt.department).alias("department"),
            pl.lit(receipt.extract).alias("extract"),
            pl.lit(receipt.file_name).alias("source_file"),
            pl.lit(task.sheet).alias("source_sheet"),
            pl.col(ROW).cast(pl.Int32).alias("source_row"),
            "reason",
            "reported_text",
        )
        return Taken(
            taken.observations,
            reject_frame(receipt, task.reading_id, task.sheet, rejects),
            ignored,
            [tie_out],
            findings,
            list(self.plan.columns),
            rows.height,
            corrections=[outcome.as_dict() for outcome in corrected.outcomes],
        )

    def _row_count(self, rows: int) -> tuple[list[dict[str, object]], list[dict[str, str]]]:
        """A reject of the file, or a finding, when it has fewer or more rows than agreed."""
        agreed = self.contract.quality.rows
        if rows >= agreed.min and (agreed.max is None or rows <= agreed.max):
            return [], []
        expected = f"at least {agreed.min}" + (f" and at most {agreed.max}" if agreed.max else "")
        if agreed.severity == "warn":
            said = {"check": "row_count", "severity": "warn", "observed": f"{rows} data rows", "expected": expected}
            return [], [said]
        detail = f"the file has {rows} data rows, the contract expects {expected}"
        return [{"scope": "file", "rule": "row_count", "reported_text": str(rows), "detail": detail}], []

    def _rows_with_region_and_dimensions(self) -> pl.DataFrame:
        """Data rows with region_code, the row's own dimensions and period, and what is wrong with them, if anything."""
        data = self.plan.data
        rule = self.layout.region
        code = self._region_texts([rule.code] if rule.code else [])
        name = self._region_texts(rule.names)
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
        listed = self.contract.boundaries_date
        for code_text, name_text, start, end, problem, above in distinct.iter_rows():
            if problem or start is None or end is None:
                found.append((None, "unknown_period", problem))
            else:
                first, last = (listed, listed) if listed else (start, end)
                match = self.task.index.match(rule, code_text, name_text, first, last, above)
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

    def _region_texts(self, sources: list[str]) -> pl.Series:
        """What each row calls its region: the first filled cell of the columns, or a text captured for all rows."""
        height = self.plan.data.height
        found = pl.Series([None] * height, dtype=pl.String)
        for source in sources:
            if "{" in source:
                text = re.sub(r"\{(\w+)\}", lambda match: self.plan.captured[match.group(1)], source)
                cells = pl.Series([text] * height, dtype=pl.String)
            else:
                cells = self.plan.texts(source, self.layout.region.fill, self.layout.region.pattern)
            is_open = found.str.strip_chars().fill_null("") == ""
            found = found.zip_with(~is_open, cells)
        return found

    def _regions_above(self, data: pl.DataFrame) -> list[str | None]:
        """The region that each row's region lies in, where a column or leading blanks say it."""
        rule = self.layout.region
        if rule.within:
            return data[self.plan.cell(rule.within)].to_list()
        if not rule.indent or not isinstance(rule.name, str):
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
            texts = self.plan.texts(rule.column or "", rule.fill)
            found = {text: period_span(normalise(text), rule) for text in texts.unique()}
            spans_of_rows = [found[text] for text in texts]
            return (
                [span[0] if span else None for span in spans_of_rows],
                [span[1] if span else None for span in spans_of_rows],
                [
                    None if span else f"{text!r} is not a {rule.noun}"
                    for text, span in zip(texts, spans_of_rows, strict=True)
                ],
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
                f"{text!r} gives no {rule.noun} that the file is about",
                where=self.receipt.landing_path,
                do="name the delivery folder after it, or mend `period` in the contract",
            )
        return [span[0]] * count, [span[1]] * count, [None] * count

    def _row_dimension(self, rows: pl.DataFrame, rule: RowDimension) -> pl.DataFrame:
        column, dimension, translations = rule.column, rule.dimension, rule.map
        texts = comparison_form(self.plan.texts(column, rule.fill, rule.pattern).fill_null(""))
        rows = rows.with_columns(texts.replace("", None).alias("_text"))
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
                "is_known": row["rule"] == DROPPED,
                "known_reason": row["detail"] if row["rule"] == DROPPED else None,
            }
            for row, text in zip(
                bad.select(ROW, "rule", "detail", "region_code").iter_rows(named=True), texts, strict=True
            )
        ]
