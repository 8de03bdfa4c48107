"""Great Expectations on the build: DuckDB measures, Great Expectations judges, and its answer is made honest.

It reports errors as failures and passes what has no rows; here an error stays an error and nothing to judge is
an error too. Great Expectations and pandas are imported inside the check only, because that takes seconds.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import math
import sys
import threading
import warnings
from collections.abc import Iterable
from typing import Any

import duckdb

from pipelines.quality.suites import Expectation, ExpectationFile
from pipelines.records import CheckResult, Outcome
from pipelines.settings import switch_telemetry_off

LOCATIONS_SHOWN = 20
TEXT_SHOWN = 300
_KEY_OWNER, _KEY_SINCE = "Junheng", "1"

# Arguments of expectations that name columns.
_COLUMN_ARGUMENTS = ("column", "column_A", "column_B")
_COLUMN_LIST_ARGUMENTS = ("column_list", "column_set")


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
    arguments = ", ".join(f"{name}={value}" for name, value in expectation.arguments.items())
    return f"{expectation.type.removeprefix('expect_')}({arguments})"[:TEXT_SHOWN]


def _result(
    expectation: Expectation, outcome: Outcome, observed: str, failing: int = 0, locations: Iterable[str] = ()
) -> CheckResult:
    return CheckResult(
        check_id=expectation.check_id, source="expectation", subject=expectation.table, severity=expectation.severity,
        outcome=outcome, description=expectation.why, observed=observed, expected=describe(expectation),
        failing_rows=failing, locations="\n".join(locations), owner=expectation.owner, why=expectation.why,
        since=expectation.since,
    )  # fmt: skip


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


def _frame(connection: duckdb.DuckDBPyConnection, relation: str, wanted: list[str] | None) -> Any:
    """Rows as a plain pandas frame: decimals as doubles and dates as text, which pandas handles fast.

    Raises duckdb.Error when the relation does not exist or cannot be read.
    """
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
    rows: Any = connection.execute(f"select {', '.join(selected) or '1 as one'} from {relation}").to_arrow_table()
    return rows.to_pandas()


def _nothing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _locations(frame: Any, result: dict[str, Any], address: list[str]) -> list[str]:
    """The addresses of failing rows: their key columns, then the columns that were judged."""
    positions = [p for p in result.get("unexpected_index_list") or [] if isinstance(p, int)]
    lines = []
    for position in positions[:LOCATIONS_SHOWN]:
        row = frame.iloc[position]
        columns = [c for c in address if c in frame.columns] + [c for c in frame.columns if c not in address]
        lines.append(", ".join(f"{column}={row[column]}" for column in columns)[:TEXT_SHOWN])
    if len(positions) > LOCATIONS_SHOWN:
        lines.append(f"… and {len(positions) - LOCATIONS_SHOWN} more")
    return lines


def _interpret(expectation: Expectation, found: Any, frame: Any, address: list[str]) -> CheckResult:
    """One answer of Great Expectations as pass, fail or error."""
    information = found.exception_info or {}
    if information.get("raised_exception", bool(information)):
        messages = [information] if "raised_exception" in information else list(information.values())
        return _result(expectation, "error", _first_line(str(messages[0].get("exception_message"))))
    result: dict[str, Any] = dict(found.result or {})
    is_map = "unexpected_count" in result
    if is_map:
        judged = int(result.get("element_count") or 0)
        if "missing_count" in result and expectation.type.startswith(("expect_column_values", "expect_column_value_")):
            judged -= int(result["missing_count"] or 0)
        if judged == 0 and not expectation.may_be_empty:
            return _result(expectation, "error", "there is no value to judge")
        failing = int(result["unexpected_count"] or 0)
        observed = f"{failing:,} of {judged:,} rows"
        column = expectation.arguments.get("column")
        if len(frame) == 1 and column in frame.columns:
            observed = f"{column} = {frame[column].iloc[0]}"  # a measured profile: the measure itself says more
    else:
        failing = 0 if found.success else 1
        if "observed_value" not in result or _nothing(result["observed_value"]):
            return _result(expectation, "error", "nothing was observed")
        observed = str(result["observed_value"])[:TEXT_SHOWN]
    if found.success:
        return _result(expectation, "pass", observed)
    return _result(expectation, "fail", observed, failing, _locations(frame, result, address))


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


def _class_of(gx: Any, kind: str) -> Any:
    """The class of an expectation type, or None."""
    name = "".join(part.capitalize() for part in kind.split("_"))
    by_lower = {n.lower(): n for n in dir(gx.expectations) if n.startswith("Expect")}
    found = by_lower.get(name.lower())
    return getattr(gx.expectations, found) if found else None


def _judge_relation(
    gx: Any, context: Any, source: Any, connection: duckdb.DuckDBPyConnection, relation: str,
    expectations: list[Expectation], address: list[str],
) -> list[CheckResult]:  # fmt: skip
    """All expectations on one table or one measured profile."""
    needed = [_columns_needed(expectation) for expectation in expectations]
    is_profile = relation.startswith("(")
    wanted: list[str] | None = None
    if not is_profile and None not in needed:
        wanted = [*address, *(column for columns in needed for column in columns or [])]
    try:
        frame = _frame(connection, relation, wanted)
    except (duckdb.Error, MemoryError) as error:
        return [_result(expectation, "error", _first_line(error)) for expectation in expectations]
    results: list[CheckResult] = []
    suite = gx.ExpectationSuite(name="suite")
    asked: dict[str, Expectation] = {}
    for expectation, columns in zip(expectations, needed, strict=True):
        absent = [column for column in columns or [] if column not in frame.columns]
        cls = _class_of(gx, expectation.type)
        if cls is None:
            results.append(_result(expectation, "error", f"there is no expectation of type {expectation.type}"))
        elif absent:
            results.append(_result(expectation, "error", f"column {', '.join(absent)} is not there"))
        elif len(frame) == 0 and not expectation.may_be_empty and not expectation.type.startswith("expect_table"):
            results.append(_result(expectation, "error", "there is no row to judge"))
        elif "examined" in frame.columns and not (frame["examined"].fillna(0) > 0).all():
            # A profile that counts findings says how much it looked at; none of nothing is not a pass.
            results.append(_result(expectation, "error", "the measure looked at no row"))
        else:
            try:
                suite.add_expectation(cls(**expectation.arguments, meta={"check_id": expectation.check_id}))
                asked[expectation.check_id] = expectation
            except Exception as error:
                results.append(_result(expectation, "error", _first_line(error)))
    if not asked:
        return results
    try:
        asset = source.add_dataframe_asset(name=f"asset_{len(source.assets)}")
        batch = asset.add_batch_definition_whole_dataframe("whole").get_batch(batch_parameters={"dataframe": frame})
        answer = batch.validate(suite, result_format={"result_format": "COMPLETE"})
    except Exception as error:
        return results + [_result(expectation, "error", _first_line(error)) for expectation in asked.values()]
    for found in answer.results:
        check_id = (found.expectation_config.meta or {}).get("check_id") if found.expectation_config else None
        if check_id in asked:
            results.append(_interpret(asked.pop(check_id), found, frame, address))
    results += [_result(expectation, "error", "Great Expectations gave no answer") for expectation in asked.values()]
    return results


def judge(
    connection: duckdb.DuckDBPyConnection, files: list[ExpectationFile], keys: dict[str, list[str]]
) -> list[CheckResult]:
    """Results of all expectations on the build behind this connection (schema `main`).

    A missing table or column, an exception, an unknown type, no rows and no answer are outcome `error`.
    """
    results: list[CheckResult] = []
    applicable = _split_applicable(connection, files, results) + key_expectations(keys)
    if not applicable:
        return results
    gx = _great_expectations()
    relations: dict[str, list[Expectation]] = {}
    for expectation in applicable:
        relation = f"({expectation.query.rstrip(';')})" if expectation.query else f'"{expectation.table}"'
        relations.setdefault(relation, []).append(expectation)
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = gx.get_context(mode="ephemeral")
        from great_expectations.data_context.types.base import ProgressBarsConfig

        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        source = context.data_sources.add_pandas("build")
        for relation, expectations in relations.items():
            address = [] if relation.startswith("(") else keys.get(expectations[0].table, [])
            results += _judge_relation(gx, context, source, connection, relation, expectations, address)
    return results
