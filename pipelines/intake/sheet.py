"""One sheet by its contract: its rows told apart and named, its values taken, and the account of both.

A sheet is one table, or several blocks below each other. Rows get their region, period, unit and own dimensions here;
corrections, numbers and sums are modules of their own, and so is what the header and the columns are (`layout`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats import ROW
from pipelines.intake import corrections, known_rejects, stated_units, sums
from pipelines.intake.column_periods import span_of_column
from pipelines.intake.dimensions import in_form
from pipelines.intake.frames import DROPPED, Taken, reject_frame
from pipelines.intake.periods import NOUNS, Span, is_only_a_part, period_span, pooled_span
from pipelines.intake.values import Task, figures, with_units
from pipelines.jurisdiction.contract import ALLOWED, FORMS, PeriodRule, RowDimension, UnitFrom
from pipelines.jurisdiction.text import comparison_form, normalise
from pipelines.records import TieOut

# What a file's format finds of it whose gravity stands in the contract, and where it stands there.
GRAVITY_OF = {
    "hidden_sheet": "hidden_data",
    "hidden_rows": "hidden_data",
    "hidden_columns": "hidden_data",
    "other_sheets": "other_sheets",
}
_RUNNING_NUMBER = r"^\s*[A-Za-z]{0,3}[0-9]+[.)、]?\s*$"


def take_sheet(tasks: list[Task]) -> list[Taken]:
    """Take the blocks of a sheet: rows first, then their values, then the account of both, then their sums."""
    blocks = [_Block(task) for task in tasks]
    taken = [block.take(blocks[:place]) for place, block in enumerate(blocks)]
    found = [list(one.findings) for one in taken]
    for findings, more in zip(found, sums.reconciled([block.summands for block in blocks]), strict=True):
        findings += more
    rejects, findings = _row_count(tasks[0], sum(one.data_rows for one in taken))
    found[0] = [*findings, *found[0]]
    if rejects:
        of_file = reject_frame(tasks[0].receipt, tasks[0].reading_id, tasks[0].sheet, rejects)
        taken[0] = replace(taken[0], rejects=pl.concat([of_file, taken[0].rejects]))
    return [replace(one, findings=findings) for one, findings in zip(taken, found, strict=True)]


def _row_count(task: Task, rows: int) -> tuple[list[dict[str, object]], list[dict[str, str]]]:
    """A reject of the file, or a finding, when a sheet has fewer or more rows than agreed."""
    agreed = task.contract.quality.rows
    rejects: list[dict[str, object]] = []
    findings: list[dict[str, str]] = []
    if rows < agreed.min or (agreed.max is not None and rows > agreed.max):
        expected = f"at least {agreed.min}" + (f" and at most {agreed.max}" if agreed.max else "")
        if agreed.severity == "warn":
            observed = f"{rows} data rows"
            findings.append({"check": "row_count", "severity": "warn", "observed": observed, "expected": expected})
        else:
            detail = f"the file has {rows} data rows, the contract expects {expected}"
            rejects.append({"scope": "file", "rule": "row_count", "reported_text": str(rows), "detail": detail})
    return rejects, findings


class _Block:
    """The work on one block of a sheet."""

    summands: sums.Summands
    told: pl.DataFrame  # what its accepted rows are about (`about`), what they say (`says`), and where (`told_in`)

    def __init__(self, task: Task) -> None:
        self.task, self.grid = task, task.grid
        self.receipt, self.contract, self.layout = task.receipt, task.contract, task.layout
        self.plan, self.jurisdiction = task.plan, task.jurisdiction

    def take(self, above: list[_Block]) -> Taken:
        """Take the block but for its totals; see `take_sheet`."""
        task, receipt = self.task, self.receipt
        own = self.jurisdiction.corrections_for(self.contract.id, receipt.delivery_period)
        corrected = corrections.corrected(self._rows_with_region_and_dimensions(), self.plan, own)
        rows = self._mark_duplicates(corrected.rows)
        if self.layout.header.repeats:
            rows = self._mark_told_above(rows, above)
        good = rows.filter(pl.col("state") == "accepted")
        taken = figures(task, good, corrected.cells)
        rejects = [*self._row_rejects(rows), *taken.rejects]
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
        findings = self._findings_of_file() + [
            {
                "check": "unknown_column",
                "severity": self.contract.quality.drift.new_column,
                "observed": name,
                "expected": "a column of the contract",
            }
            for name in self.plan.unknown_columns
        ]
        findings += stated_units.findings(task)
        findings += sums.controls(task, good, taken.reported)
        self.summands = sums.Summands(task, good, taken.reported)
        findings += self._told_again(rows)
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

    def _findings_of_file(self) -> list[dict[str, str]]:
        """What the file's format found of it, as grave as the contract says."""
        quality = self.contract.quality
        found = [
            {**one, "severity": getattr(quality, GRAVITY_OF[one["check"]])} if one["check"] in GRAVITY_OF else one
            for one in self.grid.findings
        ]
        return [one for one in found if one["severity"] != "ignore"]

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
        return self._without_doubtful(self._with_units(rows))

    def _without_doubtful(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows in doubt, or whose region, period, unit or dimension is, get the rule that is broken and no region."""
        doubts = self.plan.doubts
        if not doubts:
            return rows
        keys = [self.plan.cell(name) for name in self.layout.key_columns]
        wrong = doubts.spoiled(keys, self.plan.sources)
        marks = pl.DataFrame(
            [(row, *fault) for row, fault in wrong.items()],
            schema={ROW: pl.Int64, "_rule": pl.String, "_detail": pl.String},
            orient="row",
        )
        is_wrong = pl.col("_rule").is_not_null()
        return (
            rows.join(marks, on=ROW, how="left", maintain_order="left")
            .with_columns(
                pl.coalesce("_rule", "rule").alias("rule"),
                pl.coalesce("_detail", "detail").alias("detail"),
                pl.when(is_wrong).then(None).otherwise(pl.col("region_code")).alias("region_code"),
            )
            .drop("_rule", "_detail")
        )

    def _with_units(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with the units that they state; a row with a text that is no unit is none."""
        rows = with_units(self.task, rows)
        for name in [name for name in rows.columns if name.startswith("u_")]:
            text = pl.col(name.removeprefix("u_")).fill_null("").str.strip_chars()
            rows = _with_fault(rows, pl.col(name).is_null(), "unknown_unit", pl.format("'{}' is no unit", text))
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
            return self._periods_in_cells(rule)
        if rule.from_ == "header":
            spans = [span_of_column(self.layout, value) for value in self.plan.values]
            for value, span in zip(self.plan.values, spans, strict=True):
                if span is None:
                    raise UnreadableFileError(
                        f"the header {value.header!r} gives no {NOUNS[value.rule.period_kind or rule.kind]}",
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
                f"{text!r} gives no {NOUNS[rule.kind]} that the file is about",
                where=self.receipt.landing_path,
                do="name the delivery folder after it, or mend `period` in the contract",
            )
        return [span[0]] * count, [span[1]] * count, [None] * count

    def _periods_in_cells(self, rule: PeriodRule) -> tuple[list[date | None], list[date | None], list[str | None]]:
        """First and last day that the cells of each row name, and what is wrong where they name no period."""
        texts = list(zip(*(self.plan.texts(name, rule.fill) for name in rule.columns), strict=True))

        def span(cells: tuple[str | None, ...]) -> Span | None:
            first, *last = (_part_that_counts(text, rule) for text in cells)
            return pooled_span(first, last[0], rule) if last else period_span(first, rule)

        found = {cells: span(cells) for cells in set(texts)}
        spans = [found[cells] for cells in texts]
        problems = [
            None if span else f"{' and '.join(repr(text or '') for text in cells)} is no single {NOUNS[rule.kind]}"
            for span, cells in zip(spans, texts, strict=True)
        ]
        return [span[0] if span else None for span in spans], [span[1] if span else None for span in spans], problems

    def _row_dimension(self, rows: pl.DataFrame, rule: RowDimension) -> pl.DataFrame:
        """Rows with the code of a dimension that their cells hold; a row with another text is none."""
        texts = comparison_form(self.plan.texts(rule.column, rule.fill, rule.pattern).fill_null(""))
        codes = {text: self._code(rule, text) for text in texts.unique()}
        whys = {text: why for text, (code, why) in codes.items() if code is None}
        rows = rows.with_columns(
            texts.replace_strict({text: code for text, (code, _) in codes.items()}, return_dtype=pl.String).alias(
                f"d_{rule.dimension}"
            )
        )
        if not whys:
            return rows
        why = pl.lit(texts.replace_strict(whys, default=None, return_dtype=pl.String))
        broken = "wrong_form" if rule.map is None and rule.codes is None and rule.dimension in FORMS else "unknown_code"
        return _with_fault(rows, pl.col(f"d_{rule.dimension}").is_null(), broken, why)

    def _code(self, rule: RowDimension, text: str) -> tuple[str | None, str]:
        """The code that a cell's text stands for, and what is wrong with a text that stands for none."""
        shown = f"{text or 'an empty cell'} in the column {rule.column} is no {rule.dimension}"
        if rule.map is None and rule.codes is None and rule.dimension in FORMS:
            code, why = in_form(text, rule.form or FORMS[rule.dimension])
            return code, f"{shown}: {why}"
        allowed = ALLOWED.get(rule.dimension)
        if rule.dimension == "measure":
            allowed = set(self.jurisdiction.reference_measures)
        if rule.codes is not None:
            allowed = {normalise(code) for code in rule.codes}
        code = text or None
        if rule.map is not None:
            code = {normalise(key): value for key, value in rule.map.items()}.get(text) if text else None
        is_one = code is not None and (allowed is None or code in allowed)
        return (code if is_one else None), f"{shown} of the contract"

    def _mark_duplicates(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`state` of each row, and the row that a duplicate `repeats`.

        A repeated key in a row with the same cells is a duplicate; where one cell differs, also of a column that is not
        taken, all are rejects: each may be a part of the figure.
        """
        key = ["region_code", "row_start", "row_end", *(c for c in rows.columns if c.startswith("d_"))]
        good = rows.filter(pl.col("rule").is_null())
        if not good.select(key).hash_rows().is_duplicated().any():
            accepted = pl.when(pl.col("rule").is_null()).then(pl.lit("accepted")).otherwise(pl.lit("rejected"))
            return rows.with_columns(accepted.alias("state"), pl.lit(None, dtype=pl.Int64).alias("repeats"))
        cells = [*self._telling_cells(good), *(c for c in rows.columns if c.startswith("u_"))]
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
            .then(pl.format("the same key stands {} times with different cells, first in row {}", "_n", "_first"))
            .otherwise(None)
            .alias("_why"),
            pl.col("_first").cast(pl.Int64).alias("repeats"),
        )
        rows = rows.join(marks, on=ROW, how="left", maintain_order="left")
        return rows.with_columns(
            pl.col("state").fill_null("rejected"),
            pl.when(pl.col("_why").is_not_null()).then(pl.lit("duplicate_key")).otherwise(pl.col("rule")).alias("rule"),
            pl.coalesce("detail", "_why").alias("detail"),
        ).drop("_why")

    def _telling_cells(self, rows: pl.DataFrame) -> list[str]:
        """The columns that two rows must have alike to be one row that stands twice, also those that are not taken.

        A running number, different in every row, tells nothing of what a row is about.
        """
        taken = {value.cell for value in self.plan.values}
        cells = [cell for cell in self.plan.data.columns if cell != ROW]

        def is_running(texts: pl.Series) -> bool:
            return texts.n_unique() == rows.height and bool(texts.str.contains(_RUNNING_NUMBER).fill_null(False).all())

        return [cell for cell in cells if cell in taken or not is_running(rows[cell])]

    def _mark_told_above(self, rows: pl.DataFrame, above: list[_Block]) -> pl.DataFrame:
        """`state` of each row, and which it `repeats`: one that a block above has with the same cells under the same
        headers is a duplicate.
        """
        key = ["region_code", "row_start", "row_end", *sorted(c for c in rows.columns if c.startswith("d_"))]
        cells = []
        for value in sorted(self.plan.values, key=lambda value: value.header):
            unit = pl.col(f"u_{value.unit_cell}") if value.unit_cell else pl.lit(self.task.unit_of(value) or "")
            text = pl.col(value.cell).fill_null("").str.strip_chars()
            cells.append(pl.concat_str(pl.lit(value.header), text, unit, separator="\x1f"))
        told = rows.filter(pl.col("state") == "accepted").select(
            pl.col(ROW).cast(pl.Int64).alias("told_in"),
            pl.concat_str(pl.col(key).cast(pl.String).fill_null(""), separator="\x1f").alias("about"),
            pl.concat_str(cells, separator="\x1e").alias("says"),
        )
        self.told = told
        if not above:
            return rows
        before = pl.concat([block.told for block in above]).unique(["about", "says"], keep="first", maintain_order=True)
        again = told.join(before, on=["about", "says"], suffix="_before").select(
            pl.col("told_in").cast(rows.schema[ROW]).alias(ROW), pl.col("told_in_before").alias("_before")
        )
        is_again = pl.col("_before").is_not_null()
        return (
            rows.join(again, on=ROW, how="left", maintain_order="left")
            .with_columns(
                pl.when(is_again).then(pl.lit("duplicate")).otherwise(pl.col("state")).alias("state"),
                pl.coalesce("_before", "repeats").alias("repeats"),
            )
            .drop("_before")
        )

    def _told_again(self, rows: pl.DataFrame) -> list[dict[str, str]]:
        """Findings: the rows that repeat an earlier one, and were taken once."""
        again = rows.filter(pl.col("state") == "duplicate").select(ROW, "repeats", "region_code").rows()
        found = [
            {
                "check": "repeated_row",
                "severity": "warn",
                "observed": f"row {row} repeats row {first} ({region})",
                "expected": "every row once: it was taken once",
            }
            for row, first, region in again[: sums.SHOWN]
        ]
        if len(again) > sums.SHOWN:
            more = f"{len(again) - sums.SHOWN} more rows repeat earlier ones"
            found.append({**found[-1], "observed": more})
        return found

    def _row_rejects(self, rows: pl.DataFrame) -> list[dict[str, object]]:
        bad = rows.filter(pl.col("state") == "rejected")
        cells = [c for c in self.plan.data.columns if c != ROW]
        texts = bad.select(
            pl.concat_str([pl.col(c).str.strip_chars() for c in cells], separator=" | ", ignore_nulls=True).str.slice(
                0, 500
            )
        ).to_series()
        found = []
        is_looked_up = bool(self.contract.quality.known_rejects)
        telling = self._telling_columns() if is_looked_up else {}
        wanted = bad.select(ROW, "rule", "detail", "region_code", *dict.fromkeys(telling.values()))
        for row, text in zip(wanted.iter_rows(named=True), texts, strict=True):
            reject: dict[str, object] = {
                "source_row": row[ROW],
                "scope": "row",
                "rule": row["rule"],
                "reported_text": text,
                "detail": row["detail"],
                "region_code": row["region_code"],
                "is_known": row["rule"] == DROPPED,
                "known_reason": row["detail"] if row["rule"] == DROPPED else None,
            }
            if is_looked_up and row["rule"] != DROPPED:
                known_by = {name: row[cell] for name, cell in telling.items()}
                reject = known_rejects.of_row(reject, known_by, self.contract, self.receipt)
            found.append(reject)
        return found

    def _telling_columns(self) -> dict[str, str]:
        """The columns that say what a row is about, by name: their texts are what a row may be rejected for."""
        region, layout = self.layout.region, self.layout
        names = [name for name in (region.code, *region.names, region.within) if name and "{" not in name]
        names += [*layout.period.columns, *(row.column for row in layout.rows)]
        names += [v.unit.column for v in layout.values if isinstance(v.unit, UnitFrom) and v.unit.column]
        return {normalise(name): self.plan.cell(name) for name in names}


def _part_that_counts(text: str | None, rule: PeriodRule) -> str | None:
    """A cell's text, or what the contract's pattern takes out of it; None where it takes a part of something longer."""
    if rule.pattern is None:
        return text
    match = re.search(rule.pattern, normalise(text))
    return None if match is None or is_only_a_part(match, 1) else match.group(1)


def _with_fault(rows: pl.DataFrame, is_faulty: pl.Expr, rule: str, detail: pl.Expr) -> pl.DataFrame:
    """Rows with one more fault: the first one names the rule, and each says what is wrong."""
    known = pl.col("detail").is_not_null()
    both = pl.when(known).then(pl.format("{}; {}", "detail", detail)).otherwise(detail)
    return rows.with_columns(
        pl.when(is_faulty).then(pl.coalesce("rule", pl.lit(rule))).otherwise(pl.col("rule")).alias("rule"),
        pl.when(is_faulty).then(both).otherwise(pl.col("detail")).alias("detail"),
    )
