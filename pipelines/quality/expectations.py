"""Great Expectations on the build: DuckDB measures, Great Expectations judges, and its answer is made honest.

It reports errors as failures and passes what has no rows; here an error stays an error and nothing to judge is
an error too. Great Expectations and pandas are imported inside the check only, because that takes seconds. Its
context, made from the YAML, stands in the build's folder; so do Data Docs, which are made only when asked for.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import logging
import math
import sys
import threading
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipelines.quality.places import TEXT_SHOWN, as_row, failing_rows, line_of, listed
from pipelines.quality.suites import NONE_WRONG, Expectation, ExpectationFile
from pipelines.records import ROWS_KEPT, CheckResult, Outcome
from pipelines.settings import switch_telemetry_off
from pipelines.store import remove_tree

LOCATIONS_SHOWN = 20
CONTEXT = "gx"  # Great Expectations' folder in that of the build
_KEY_OWNER, _KEY_SINCE = "Junheng", "1"

# Arguments of expectations that name columns.
_COLUMN_ARGUMENTS = ("column", "column_A", "column_B")
_COLUMN_LIST_ARGUMENTS = ("column_list", "column_set")

# Types that look at each row by itself: the measures of many checks can be judged as rows of one table.
_JUDGED_ROW_BY_ROW = {
    "expect_column_values_to_be_between",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_not_be_in_set",
    "expect_column_values_to_match_regex",
}
_MEASURED = "measured"


def _great_expectations() -> Any:
    """Great Expectations, imported without the two seconds of scipy.stats, which one rare expectation needs."""
    switch_telemetry_off()
    if "great_expectations" not in sys.modules and "scipy.stats" not in sys.modules:
        scipy: Any = importlib.import_module("scipy")
        spec = importlib.util.find_spec("scipy.stats")
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
            module = importlib.util.module_from_spec(spec)
            sys.modules["scipy.stats"] = module
            spec.loader.exec_module(module)
            scipy.stats = module
    import great_expectations

    return great_expectations


def preload() -> threading.Thread:
    """Begin to import Great Expectations in the background, to be called while something else is waited for."""
    thread = threading.Thread(target=_great_expectations, name="import great_expectations", daemon=True)
    thread.start()
    return thread


def key_expectations(keys: dict[str, list[str]]) -> list[Expectation]:
    """For every published table: its key has no nulls and no duplicates. No table can forget to say so."""
    expectations = []
    for table, key in sorted(keys.items()):
        columns = ", ".join(f'"{column}"' for column in key)
        is_null = " or ".join(f'"{column}" is null' for column in key) or "true"
        query = (
            f'select count(*) - (select count(*) from (select distinct {columns or "1"} from "{table}")) '
            f'as duplicates, count(*) filter (where {is_null}) as nulls from "{table}"'
        )
        for name, column, why in (
            ("key_is_unique", "duplicates", "Two rows of one key would give two answers to one question"),
            ("key_is_complete", "nulls", "A row whose key has a gap cannot be asked for"),
        ):
            expectations.append(
                Expectation(
                    id=name, table=table, type="expect_column_values_to_be_between",
                    arguments={"column": column, "min_value": 0, "max_value": 0}, severity="block",
                    owner=_KEY_OWNER, why=why, since=_KEY_SINCE, query=query,
                )
            )  # fmt: skip
    return expectations


def describe(expectation: Expectation) -> str:
    """What an expectation expects, in one line."""
    if expectation.wrong and expectation.arguments == NONE_WRONG["arguments"]:
        return f"no row where {' '.join(expectation.wrong.split())}"[:TEXT_SHOWN]
    arguments = ", ".join(f"{name}={value}" for name, value in expectation.arguments.items())
    return f"{expectation.type.removeprefix('expect_')}({arguments})"[:TEXT_SHOWN]


def _result(
    expectation: Expectation, outcome: Outcome, observed: str, failing: int = 0, rows: Iterable[dict[str, str]] = ()
) -> CheckResult:
    kept = [{**row, **_departments(expectation, row)} for row in rows]
    lines = listed([line_of(row) for row in kept], max(failing, len(kept)), LOCATIONS_SHOWN)
    return CheckResult(
        check_id=expectation.check_id, source="expectation", subject=expectation.table, severity=expectation.severity,
        outcome=outcome, description=expectation.why, observed=observed, expected=describe(expectation),
        failing_rows=failing, locations=lines, owner=expectation.owner, why=expectation.why, since=expectation.since,
        rule=expectation.rule, remedy=expectation.do, reach=expectation.blocks, rows=kept,
    )  # fmt: skip


def _departments(expectation: Expectation, row: dict[str, str]) -> dict[str, str]:
    """Who has to look at a failing row that names no department itself."""
    named = ";".join(expectation.departments)
    return {"departments": named} if named and "department" not in row else {}


def _first_line(error: BaseException | str) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:TEXT_SHOWN]


def _columns_needed(expectation: Expectation) -> list[str] | None:
    """The columns an expectation looks at; None when it may look at any."""
    if "row_condition" in expectation.arguments or expectation.type.startswith("expect_table_column"):
        return None
    named = [str(expectation.arguments[a]) for a in _COLUMN_ARGUMENTS if a in expectation.arguments]
    for argument in _COLUMN_LIST_ARGUMENTS:
        named += [str(column) for column in expectation.arguments.get(argument) or []]
    return named


def _select(connection: duckdb.DuckDBPyConnection, relation: str, wanted: list[str] | None) -> str:
    """SQL for rows that pandas handles fast: decimals as doubles, dates as text. duckdb.Error without the relation."""
    described = connection.execute(f"describe select * from {relation}").fetchall()
    selected = []
    for name, kind, *_ in described:
        if wanted is not None and name not in wanted:
            continue
        quoted = '"' + name.replace('"', '""') + '"'
        if kind.startswith(("DECIMAL", "HUGEINT", "UHUGEINT")):
            quoted = f"cast({quoted} as double) as {quoted}"
        elif kind.startswith(("DATE", "TIMESTAMP", "TIME")):
            quoted = f"cast({quoted} as varchar) as {quoted}"
        selected.append(quoted)
    return f"select {', '.join(selected) or '1 as one'} from {relation}"


def _frame(connection: duckdb.DuckDBPyConnection, relation: str, wanted: list[str] | None) -> Any:
    """Rows as a plain pandas frame, made from Arrow. duckdb.Error when they cannot be had."""
    rows: Any = connection.sql(_select(connection, relation, wanted)).to_arrow_table()
    return rows.to_pandas()


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _rows_at(frame: Any, result: dict[str, Any], address: list[str]) -> list[dict[str, str]]:
    """The failing rows of a frame: their key columns, then the columns that were judged."""
    positions = [p for p in result.get("unexpected_index_list") or [] if isinstance(p, int)][:ROWS_KEPT]
    columns = [c for c in address if c in frame.columns] + [c for c in frame.columns if c not in address]
    values = [(column, frame[column].to_list()) for column in columns]
    return [
        as_row((column, None if _is_nothing(cells[position]) else cells[position]) for column, cells in values)
        for position in positions
    ]


def _wrong_rows(connection: duckdb.DuckDBPyConnection, expectation: Expectation) -> list[dict[str, str]]:
    """The rows that a measured expectation counted as wrong."""
    if not (expectation.rows and expectation.wrong):
        return []
    return failing_rows(connection, f"select * from ({expectation.rows}) where {expectation.wrong}")


def _exception_of(found: Any) -> str:
    """What went wrong inside Great Expectations, which it reports as a failure; empty when nothing did."""
    information = found.exception_info or {}
    if not information.get("raised_exception", bool(information)):
        return ""
    messages = [information] if "raised_exception" in information else list(information.values())
    return _first_line(str(messages[0].get("exception_message"))) or "an exception without words"


def _interpret(expectation: Expectation, found: Any, frame: Any, address: list[str]) -> CheckResult:
    """One answer of Great Expectations as pass, fail or error. `frame` holds the rows that were judged."""
    if problem := _exception_of(found):
        return _result(expectation, "error", problem)
    result: dict[str, Any] = dict(found.result or {})
    if "unexpected_count" in result:
        judged = int(result.get("element_count") or 0)
        if "missing_count" in result and expectation.type.startswith(("expect_column_values", "expect_column_value_")):
            judged -= int(result["missing_count"] or 0)
        if judged == 0 and not expectation.may_be_empty:
            return _result(expectation, "error", "there is no value to judge")
        failing = int(result["unexpected_count"] or 0)
        observed = f"{failing:,} of {judged:,} rows"
    else:
        failing = 0 if found.success else 1
        if "observed_value" not in result or _is_nothing(result["observed_value"]):
            return _result(expectation, "error", "nothing was observed")
        observed = str(result["observed_value"])[:TEXT_SHOWN]
    if found.success:
        return _result(expectation, "pass", observed)
    return _result(expectation, "fail", observed, failing, _rows_at(frame, result, address))


def _applies(connection: duckdb.DuckDBPyConnection, condition: str) -> bool:
    """What an `applies_when` answers. Raises duckdb.Error or ValueError when it answers anything but a boolean."""
    row = connection.execute(condition).fetchone()
    if row is None or not isinstance(row[0], bool):
        raise ValueError(f"applies_when gave {None if row is None else row[0]!r}, not true or false")
    return row[0]


def _holds_rows(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return connection.execute(f"select 1 from {table} limit 1").fetchone() is not None


def _split_applicable(
    connection: duckdb.DuckDBPyConnection, files: list[ExpectationFile], results: list[CheckResult]
) -> list[Expectation]:
    """The expectations that apply; results of those that do not, or cannot tell, go to `results`."""
    applicable = []
    for file in files:
        for expectation in file.expectations:
            try:
                if file.applies_when and not _applies(connection, file.applies_when):
                    if _holds_rows(connection, file.table):
                        message = "it is said not to apply here, but the table holds rows"
                        results.append(_result(expectation, "error", message))
                    else:
                        results.append(_result(expectation, "not_applicable", "the jurisdiction has no such extract"))
                    continue
                if expectation.applies_when and not _applies(connection, expectation.applies_when):
                    results.append(_result(expectation, "not_applicable", "what it is about is not there"))
                    continue
            except (duckdb.Error, ValueError) as error:
                results.append(_result(expectation, "error", _first_line(error)))
                continue
            applicable.append(expectation)
    return applicable


@dataclass
class _Asked:
    """One expectation on its rows, and which columns are a row's address."""

    expectation: Expectation
    frame: Any
    address: list[str]

    @property
    def arguments(self) -> dict[str, Any]:
        """The expectation's arguments."""
        return self.expectation.arguments


class _Judge:
    """Great Expectations, set up once for one build: in a folder of the build's, or in memory where there is none."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path | None, *, with_documents: bool) -> None:
        self.connection = connection
        self.gx = _great_expectations()
        self.with_documents = with_documents
        logging.getLogger("great_expectations").setLevel(logging.ERROR)
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )

        if folder is None:
            # Everything in memory: without this, each context leaves a folder for its documents in /tmp.
            config = DataContextConfig(
                store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
                progress_bars=ProgressBarsConfig(globally=False),
                analytics_enabled=False,
            )
            self.context = self.gx.get_context(mode="ephemeral", project_config=config)
        else:
            remove_tree(folder / CONTEXT)  # of an earlier judgement
            self.context = self.gx.get_context(mode="file", project_root_dir=str(folder))
            # It holds no variable, and Great Expectations reads it again for every expectation that it stores.
            (folder / CONTEXT / self.context.config.config_variables_file_path).unlink()
            self.context.variables.progress_bars = ProgressBarsConfig(globally=False)
        asset = self.context.data_sources.add_pandas("build").add_dataframe_asset(name="rows")
        self.batches = asset.add_batch_definition_whole_dataframe("whole")
        self.classes = {name.lower(): name for name in dir(self.gx.expectations) if name.startswith("Expect")}

    def keep_suites(self, expectations: Iterable[Expectation]) -> None:
        """Write a suite per table into the context, as the YAML has them; what is no expectation is left to judging."""
        suites: dict[str, Any] = {}
        for expectation in expectations:
            suite = suites.setdefault(expectation.table, self.gx.ExpectationSuite(name=expectation.table))
            # An unknown type, or arguments that do not fit it: judging makes an error of it.
            with contextlib.suppress(Exception):
                suite.add_expectation(self._expectation(expectation, measure=expectation.measure, why=expectation.why))
        for suite in suites.values():
            self.context.suites.add(suite)

    def _expectation(self, expectation: Expectation, **meta: Any) -> Any:
        """The expectation as an object of Great Expectations'."""
        meta = {"check_id": expectation.check_id, **meta}
        return self._class_of(expectation.type)(**expectation.arguments, meta=meta)

    def _validate(self, suite: Any, frame: Any) -> Any:
        """Great Expectations' answer on a frame; kept in its context when documents are wanted."""
        result_format = {"result_format": "COMPLETE"}
        if not self.with_documents:
            return self.batches.get_batch(batch_parameters={"dataframe": frame}).validate(
                suite, result_format=result_format
            )
        suite = self.context.suites.add(suite)
        definition = self.context.validation_definitions.add(
            self.gx.ValidationDefinition(name=suite.name, data=self.batches, suite=suite)
        )
        return definition.run(batch_parameters={"dataframe": frame}, result_format=result_format)

    def build_documents(self) -> None:
        """Data Docs of everything that was judged, beside the context."""
        self.context.build_data_docs()

    def _class_of(self, kind: str) -> Any:
        """The class of an expectation type, or None."""
        name = self.classes.get(kind.replace("_", "").lower())
        return getattr(self.gx.expectations, name) if name else None

    def _refusal(self, expectation: Expectation, frame: Any) -> str:
        """Why an expectation cannot be judged on this frame; empty when it can."""
        absent = [column for column in _columns_needed(expectation) or [] if column not in frame.columns]
        if self._class_of(expectation.type) is None:
            return f"there is no expectation of type {expectation.type}"
        if absent:
            return f"column {', '.join(absent)} is not there"
        if len(frame) == 0 and not expectation.may_be_empty and not expectation.type.startswith("expect_table"):
            return "there is no row to judge"
        if "examined" in frame.columns and not (frame["examined"].fillna(0) > 0).all():
            # A profile that counts findings says how much it looked at; none of nothing is not a pass.
            return "the measure looked at no row"
        return ""

    def ask(self, frame: Any, asked: list[_Asked], name: str) -> list[CheckResult]:
        """The results of expectations on one frame."""
        results: list[CheckResult] = []
        suite = self.gx.ExpectationSuite(name=name)
        waiting: dict[str, _Asked] = {}
        for item in asked:
            expectation = item.expectation
            if refusal := self._refusal(expectation, item.frame):
                results.append(_result(expectation, "error", refusal))
                continue
            try:
                suite.add_expectation(self._expectation(expectation))
                waiting[expectation.check_id] = item
            except Exception as error:
                results.append(_result(expectation, "error", _first_line(error)))
        if not waiting:
            return results
        try:
            answer = self._validate(suite, frame)
        except Exception as error:
            return results + [_result(item.expectation, "error", _first_line(error)) for item in waiting.values()]
        for found in answer.results:
            check_id = str((found.expectation_config.meta or {}).get("check_id")) if found.expectation_config else ""
            if check_id in waiting:
                item = waiting.pop(check_id)
                results.append(_interpret(item.expectation, found, item.frame, item.address))
        return results + [
            _result(item.expectation, "error", "Great Expectations gave no answer") for item in waiting.values()
        ]

    def judge_table(self, table: str, expectations: list[Expectation], address: list[str]) -> list[CheckResult]:
        """Expectations on a table itself: only the columns they look at are brought to pandas."""
        needed = [_columns_needed(expectation) for expectation in expectations]
        wanted = None if None in needed else [*address, *(c for columns in needed for c in columns or [])]
        try:
            frame = _frame(self.connection, f'"{table}"', wanted)
        except (duckdb.Error, MemoryError) as error:
            return [_result(expectation, "error", _first_line(error)) for expectation in expectations]
        return self.ask(
            frame, [_Asked(expectation, frame, address) for expectation in expectations], f"rows of {table}"
        )

    def judge_measured(self, expectations: list[Expectation]) -> list[CheckResult]:
        """Expectations on measured profiles.

        Great Expectations takes a third of a second for every expectation on every frame, however small. So
        measures of one value that are judged alike become the rows of one table, a row per check.
        """
        results: list[CheckResult] = []
        frames: dict[str, Any] = {}
        alike: dict[str, list[_Asked]] = {}
        measured = {expectation.check_id: expectation for expectation in expectations}
        for expectation in expectations:
            query = expectation.measure or ""
            try:
                if query not in frames:
                    frames[query] = _frame(self.connection, f"({query})", None)
            except (duckdb.Error, MemoryError) as error:
                results.append(_result(expectation, "error", _first_line(error)))
                continue
            asked = _Asked(expectation, frames[query], [])
            if refusal := self._refusal(expectation, asked.frame):
                results.append(_result(expectation, "error", refusal))
            elif self._goes_with_others(asked):
                others = {name: value for name, value in asked.arguments.items() if name != "column"}
                kind = asked.frame[asked.arguments["column"]].dtype.kind
                alike.setdefault(json.dumps([expectation.type, kind, others], default=str), []).append(asked)
            else:
                results += self.ask(asked.frame, [asked], f"{expectation.table}.{expectation.id}")
        for group in alike.values():
            results += self._ask_alike(group)
        return [self._with_rows(result, measured[result.check_id]) for result in results]

    def _goes_with_others(self, asked: _Asked) -> bool:
        """True for a measure of one value that may be judged as one row of many. Documents show each by itself."""
        return (
            not self.with_documents
            and len(asked.frame) == 1
            and asked.expectation.type in _JUDGED_ROW_BY_ROW
            and "mostly" not in asked.arguments
        )

    def _with_rows(self, result: CheckResult, expectation: Expectation) -> CheckResult:
        """A failure with the rows that its measure counted as wrong, where it counts rows."""
        if result.outcome != "fail" or not expectation.wrong:
            return result
        rows = _wrong_rows(self.connection, expectation)
        failing = max(result.failing_rows, len(rows))
        return _result(expectation, "fail", result.observed, failing, rows)

    def _ask_alike(self, group: list[_Asked]) -> list[CheckResult]:
        """Measures of one value that are judged by the same type and arguments, as rows of one table."""
        first = group[0]
        values = [item.frame[item.arguments["column"]].iloc[0] for item in group]
        table = _plain_frame({_MEASURED: values})
        try:
            expectation = self._class_of(first.expectation.type)(**{**first.arguments, "column": _MEASURED})
            batch = self.batches.get_batch(batch_parameters={"dataframe": table})
            found = batch.validate(expectation, result_format={"result_format": "COMPLETE"})
        except Exception as error:
            return [_result(item.expectation, "error", _first_line(error)) for item in group]
        if problem := _exception_of(found):
            return [_result(item.expectation, "error", problem) for item in group]
        result: dict[str, Any] = dict(found.result or {})
        failing = set(result.get("unexpected_index_list") or [])
        if len(failing) != int(result.get("unexpected_count") or 0) or bool(failing) == bool(found.success):
            return [_result(item.expectation, "error", "Great Expectations contradicts itself") for item in group]
        results = []
        for position, (item, value) in enumerate(zip(group, values, strict=True)):
            observed, count = _observed_measure(item, value)
            if _is_nothing(value):
                results.append(_result(item.expectation, "error", "there is no value to judge"))
            elif position in failing:
                results.append(_result(item.expectation, "fail", observed, count))
            else:
                results.append(_result(item.expectation, "pass", observed))
        return results


def _plain_frame(columns: dict[str, list[Any]]) -> Any:
    import pandas

    return pandas.DataFrame(columns)


def _observed_measure(item: _Asked, value: Any) -> tuple[str, int]:
    """What a measure of one value said, in words, and how many rows are wrong by it."""
    column = item.arguments["column"]
    if column == "findings" and "examined" in item.frame.columns and not _is_nothing(value):
        return f"{int(value):,} of {int(item.frame['examined'].iloc[0]):,}", int(value)
    return f"{column} = {value}", 1


def judge(
    connection: duckdb.DuckDBPyConnection,
    files: list[ExpectationFile],
    keys: dict[str, list[str]],
    folder: Path | None = None,
    *,
    with_documents: bool = False,
) -> list[CheckResult]:
    """Results of all expectations on the build behind this connection (schema `main`).

    `folder` takes Great Expectations' context, in `gx/`; with documents its Data Docs are made there too, which
    takes its time. A missing table or column, an exception, an unknown type, no rows and no answer are outcome
    `error`.
    """
    results: list[CheckResult] = []
    applicable = _split_applicable(connection, files, results) + key_expectations(keys)
    if not applicable:
        return results
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        judging = _Judge(connection, folder, with_documents=with_documents and folder is not None)
        if folder is not None:
            judging.keep_suites(e for file in files for e in file.expectations)
        results += judging.judge_measured([e for e in applicable if e.measure is not None])
        tables: dict[str, list[Expectation]] = {}
        for expectation in applicable:
            if expectation.measure is None:
                tables.setdefault(expectation.table, []).append(expectation)
        for table, expectations in tables.items():
            results += judging.judge_table(table, expectations, keys.get(table, []))
        if judging.with_documents:
            judging.build_documents()
    return results
