"""Every figure is led back to its cells and computed again; what does not agree, or may not be seen, is said so."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import copy_of
from houses import House
from pipelines.figure_keys import trace_command
from pipelines.trace.levels import Levels
from pipelines.trace.replay import common_table_expressions, open_release

from pipelines.errors import UsageError
from pipelines.trace import evidence, rows, trace, tracing

ROWS_OF_A_COLUMN = 2

# -- names and messages, on small tables -----------------------------------------------------------------------------


def test_a_trace_command_leaves_out_what_an_omitted_key_means_and_quotes_for_a_shell() -> None:
    key = {"region_code": "V", "reference_geography": "reported", "year": 2020, "target_edition": "13th plan"}
    assert trace_command("mart_equalisation", {**key, "method_id": "population_weighted_mean", "weight_set": None}) == (
        "junheng trace mart_equalisation region_code=V year=2020 'target_edition=13th plan'"
    )
    assert trace_command("mart_x", {"residence": "urban"}) == "junheng trace mart_x residence=urban"


def test_common_table_expressions_are_found_whatever_stands_in_texts_and_comments() -> None:
    sql = "-- a (comment\nwith recursive first as (select ')' as x -- (\n), second as (select (1) from first) select 1"
    found = common_table_expressions(sql)
    assert list(found) == ["first", "second"]
    assert found["second"] == "select (1) from first"
    assert common_table_expressions("select 1") == {}


@pytest.fixture
def small() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as public")
    connection.execute(
        "create table public.main.mart_x as select * from (values "
        "('V', 2020, 'resident', 'reported', 1.0), ('V', 2020, 'registered', 'reported', 2.0), "
        "('V', 2020, 'resident', '2020', 3.0), ('W', 2020, 'registered', 'reported', 4.0), "
        "('W', 2019, 'none', 'reported', 5.0), ('W', 2019, 'target_group', 'reported', 6.0)) "
        "t(region_code, year, population_basis, reference_geography, value)"
    )
    return connection


KEY = ["region_code", "year", "population_basis", "reference_geography"]
TABLE = rows.Table("mart_x", KEY, {**dict.fromkeys(KEY, "VARCHAR"), "year": "INTEGER", "value": "DOUBLE"})


@pytest.mark.parametrize(
    ("pairs", "value"),
    [
        (["region_code=V", "year=2020"], 1.0),  # what an omitted key means
        (["region_code=V", "population_basis=registered"], 2.0),
        (["region_code=W", "year=2020"], 4.0),  # the main reading is not there: what is there
        (["value=6.0"], 6.0),  # any column may name the row
    ],
)
def test_an_omitted_key_means_the_main_reading_where_there_is_one(
    small: duckdb.DuckDBPyConnection, pairs: list[str], value: float
) -> None:
    rows.the_row(small, TABLE, pairs)
    assert small.execute("select value from target").fetchall() == [(Decimal(str(value)),)]


@pytest.mark.parametrize(
    ("pairs", "message", "do"),
    [
        (["region_code"], "is not KEY=VALUE", "the key of mart_x is region_code, year"),
        (["region=V"], "has no column 'region'", "its key is region_code, year"),
        (["region_code=V", "year=1999"], "no row with year=1999 and region_code=V", "there are: 2020"),
        (["region_code=Q"], "no row with region_code=Q", "there are: V, W"),
        (["region_code=W", "year=2019"], "2 rows of mart_x fit", "population_basis=none | target_group"),
        ([], "6 rows of mart_x fit", "region_code=V | W; year=2019 | 2020"),
    ],
)
def test_a_key_that_names_no_row_or_several_is_told_what_to_say(
    small: duckdb.DuckDBPyConnection, pairs: list[str], message: str, do: str
) -> None:
    with pytest.raises(UsageError) as refused:
        rows.the_row(small, TABLE, pairs)
    assert message in refused.value.message
    assert do in refused.value.do


@pytest.mark.parametrize(
    ("published", "again", "outcome"),
    [
        (0.1 + 0.2, 0.1 + 0.2, "exact"),
        (0.1 + 0.2, 0.3, "12 digits"),
        (1.0, 1.00000000001, "differs"),
        (Decimal("1.0"), Decimal("1.000"), "exact"),
        (Decimal("1"), Decimal("1.000000001"), "differs"),
        (None, None, "exact"),
        (1, None, "differs"),
        (None, 1, "differs"),
        (1, "counted from records of persons", "not computed again"),
    ],
)
def test_values_agree_to_the_last_digit_or_at_the_twelve_of_the_release(
    published: Any, again: Any, outcome: str
) -> None:
    assert tracing._compared(published, again, is_withheld=False) == outcome


# -- the invented country ---------------------------------------------------------------------------------------------


def sampled(folder: Path) -> list[tuple[str, list[str], set[str]]]:
    """Rows that together show every numeric column of every traceable table that holds a number there."""
    known = evidence.read(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    connection = duckdb.connect()
    connection.execute(f"attach '{folder / 'public.duckdb'}' as public (read_only)")
    found = []
    for name, table in rows.tables_of(connection, manifest).items():
        if name not in known.tables:
            continue
        key = ", ".join(f'cast("{column}" as varchar)' for column in table.key)
        filled = ", ".join(f'"{column}" is not null' for column in table.numbers)
        chosen: dict[tuple[str, ...], set[str]] = {}
        for column in table.numbers:
            missing = ROWS_OF_A_COLUMN - sum(column in shown for shown in chosen.values())
            for row in connection.execute(
                f'select {key}, {filled} from public.main."{name}" where "{column}" is not null '
                f"order by hash({key}, '{column}') limit {max(0, missing)}"
            ).fetchall():
                flags = dict(zip(table.numbers, row[len(table.key) :], strict=True))
                chosen[row[: len(table.key)]] = {column for column, is_filled in flags.items() if is_filled}
        found += [
            (name, [f"{c}={v}" for c, v in zip(table.key, values, strict=True)], columns)
            for values, columns in chosen.items()
        ]
    return found


@pytest.mark.pipeline
@pytest.mark.parametrize("name", ["verdania", "fens"])
def test_every_numeric_column_of_every_mart_is_computed_again_from_what_it_is_made_of(
    request: pytest.FixtureRequest, name: str
) -> None:
    house: House = request.getfixturevalue(name)
    folder = house.warehouse.current.resolve()
    covered: dict[str, set[str]] = {}
    for table, pairs, columns in sampled(folder):
        found = trace(folder, table, pairs, limit=5)
        figures = {figure["column"]: figure for figure in found.figures}
        for figure in figures.values():
            assert figure["outcome"] in ("exact", "12 digits", "not computed again"), (found.command, figure)
            assert figure["formula"], (table, figure["column"])
        # what is not computed again is the row number of a cell that no row shows, never a mart's figure
        assert found.outcome in ("exact", "12 digits"), (found.command, found.outcome, found.notes)
        covered.setdefault(table, set()).update(columns & set(figures))
        main = evidence.read(folder).tables[table]["main"]
        if found.row[main] is not None:
            assert found.cells_count > 0, found.command
            assert found.files and all(file["sha256"] and file["received_at"] for file in found.files)
            assert all(cell["source_file"] for cell in found.cells)
            chosen = [delivery for delivery in found.deliveries if delivery["is_chosen"]]
            assert chosen and all(delivery["why"] for delivery in found.deliveries)
        assert found.models and all(model["sql"] for model in found.models)
        assert found.checks["outcomes"]
    marts = {table for table in house.manifest()["tables"] if table.startswith(("mart_", "fct_"))}
    assert set(evidence.read(folder).tables) == marts
    filled = {table for table in marts if house.value(f"select count(*) from {table}")}
    assert set(covered) == filled, "a mart with rows was not traced"


@pytest.mark.pipeline
def test_the_cells_of_a_degree_are_those_of_the_figures_it_is_made_of(verdania: House) -> None:
    """Level by level: a shire's degree, its parishes' figures, their cells; each figure's own trace names the same."""
    folder = verdania.warehouse.current.resolve()
    degree = trace(folder, "mart_equalisation", ["region_code=VA", "year=2020", "domain=all"])
    figures = next(level for level in degree.levels if level["table"] == "mart_service_coverage")
    assert {row["region_code"] for row in figures["rows"]} == {"VA1", "VA2"}
    cells = {cell["observation_id"] for cell in degree.cells}
    assert degree.cells_count == len(cells) > 0
    seen = set()
    for row in figures["rows"]:
        pairs = [f"{column}={row[column]}" for column in figures["key"]]
        seen |= {cell["observation_id"] for cell in trace(folder, "mart_service_coverage", pairs).cells}
    people = next(level for level in degree.levels if level["table"] == "fct_population")
    for row in people["rows"]:
        pairs = [f"{column}={row[column]}" for column in people["key"]]
        seen |= {cell["observation_id"] for cell in trace(folder, "fct_population", pairs).cells}
    assert cells == seen


@pytest.mark.pipeline
@pytest.mark.parametrize(
    ("name", "table", "kinds"),
    [
        ("verdania", "mart_service_coverage", "derivation"),
        ("verdania", "fct_population", "derivation"),
        ("verdania", "mart_per_capita_spending", "spending_origin"),
        ("verdania", "mart_expenditure_split", "subject_kind"),
        ("fens", "mart_service_coverage", "derivation"),
        ("fens", "fct_population", "derivation"),
        ("fens", "mart_per_capita_spending", "spending_origin"),
    ],
)
def test_the_cells_listed_are_enough_to_compute_the_figure(
    request: pytest.FixtureRequest, name: str, table: str, kinds: str
) -> None:
    """From nothing but the cells that a trace lists, the models give the published value: none is missing."""
    house: House = request.getfixturevalue(name)
    folder = house.warehouse.current.resolve()
    manifest = house.manifest()
    key = manifest["tables"][table]["key"]
    main = evidence.read(folder).tables[table]["main"]
    names = ", ".join(f'cast("{column}" as varchar)' for column in key)
    listed = house.query(
        f"select {names} from {table} where {main} is not null "
        f"qualify row_number() over (partition by {kinds} order by hash({names})) <= 2"
    )
    assert listed
    for values in listed:
        pairs = [f"{column}={value}" for column, value in zip(key, values, strict=True)]
        found = trace(folder, table, pairs)
        known = evidence.read(folder)
        cells = ", ".join(f"'{cell['observation_id']}'" for cell in found.cells)
        # which years there are at all is known from any observation
        known.tables[table]["slices"]["stg_observation"] = (
            f"observation_id in ({cells}) or derivation_is_estimated and observation_id in "
            "(select min(observation_id) from public.fct_observation group by year)"
        ).replace("derivation_is_estimated", str(found.row.get("derivation") == "estimated"))
        connection = open_release(known)
        tables = rows.tables_of(connection, manifest)
        rows.the_row(connection, tables[table], pairs)
        replay = Levels(connection, known, tables).replay(table)
        again = tracing._computed_again(replay, tables[table], found.row)
        assert again[main] == found.row[main], found.command


@pytest.mark.pipeline
def test_a_cell_is_named_by_file_sheet_row_and_column_and_read_again(verdania: House) -> None:
    folder = verdania.warehouse.current.resolve()
    row = ["measure=residents", "region_code=VB2", "period_end=2020-12-31", "residence=urban"]
    found = trace(folder, "fct_observation", row)
    (cell,) = found.cells
    value = next(figure for figure in found.figures if figure["column"] == "value")
    assert (cell["value"], value["computed_again"], value["outcome"]) == (5_700, 5_700, "exact")
    assert cell["source_row"] and cell["source_column"] and cell["value_reported"]


# -- what does not agree, and what may not be seen ---------------------------------------------------------------------


@pytest.fixture
def copied(verdania: House, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of the release in which one statement was run on the database."""

    def change(statement: str) -> Path:
        folder = tmp_path / verdania.warehouse.current.resolve().name
        if not folder.exists():
            shutil.copytree(verdania.warehouse.current.resolve(), folder)
            subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
        with duckdb.connect(str(folder / "public.duckdb")) as connection:
            connection.execute(statement)
        return folder

    return change


COVERAGE = ["region_code=VA1", "year=2020", "indicator_code=RD1"]


def a_coverage_row(house: House) -> list[str]:
    found = house.query(
        "select region_code, year, indicator_code, population_basis, population_source, residence, sex, age_group, "
        "\"group\" from mart_service_coverage where value is not null and reference_geography = 'reported' "
        "and region_level = 'parish' order by all limit 1"
    )[0]
    names = ["region_code", "year", "indicator_code", "population_basis", "population_source", "residence", "sex",
             "age_group", "group"]  # fmt: skip
    return [f"{name}={value}" for name, value in zip(names, found, strict=True)] + ["reference_geography=reported"]


def where(pairs: list[str]) -> str:
    return " and ".join(f"\"{name}\" = '{value}'" for name, value in (pair.split("=", 1) for pair in pairs))


@pytest.mark.pipeline
def test_a_value_that_was_changed_is_found_and_the_command_ends_with_3(
    verdania: House, copied: Callable[[str], Path], tmp_path: Path
) -> None:
    pairs = a_coverage_row(verdania)
    folder = copied(f"update mart_service_coverage set value = value + 0.001 where {where(pairs)}")
    found = trace(folder, "mart_service_coverage", pairs)
    assert not found.agrees
    differing = [figure["column"] for figure in found.figures if figure["outcome"] == "differs"]
    assert differing == ["value"]
    # a changed cell is found as well, from what stands in it
    cell = ["measure=residents", "region_code=VB2", "period_end=2020-12-31", "residence=urban"]
    folder = copied(f"update fct_observation set value = value + 1 where {where(cell)}")
    assert not trace(folder, "fct_observation", cell).agrees

    house = copy_of(verdania, tmp_path / "house")
    database = house.warehouse.current.resolve() / "public.duckdb"
    subprocess.run(["chmod", "-R", "u+w", str(database.parent)], check=True)
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"update mart_service_coverage set value = value + 0.001 where {where(pairs)}")
    said = house.command("trace", "mart_service_coverage", *pairs)
    assert said.returncode == 3, said.stderr
    assert "ANOTHER VALUE" in said.stdout and "≠" in said.stdout
    assert json.loads(house.command("trace", "mart_service_coverage", *pairs, "--json").stdout)["agrees"] is False


@pytest.mark.pipeline
def test_a_figure_under_the_mask_is_never_revealed(verdania: House, copied: Callable[[str], Path]) -> None:
    pairs = a_coverage_row(verdania)
    folder = copied(
        "update mart_service_coverage set value = null, numerator = null, ci_low = null, ci_high = null, "
        f"attainment = null, ratio_to_target = null, obs_status = 'Q', conf_status = 'A' where {where(pairs)}"
    )
    hidden = verdania.query(f"select numerator, value from mart_service_coverage where {where(pairs)}")[0]
    found = trace(folder, "mart_service_coverage", pairs)
    assert found.agrees and found.outcome == "withheld"
    assert not found.levels and not found.cells and not found.files
    text = json.dumps(found.as_dict() | {"models": []}, default=str)
    assert all(str(value).rstrip("0").rstrip(".") not in text for value in hidden), text
    # what rests on it shows it as published, and does not call itself wrong
    region, year = pairs[0], pairs[1]
    domain = verdania.value(f"select domain from dim_indicator where indicator_code = '{pairs[2].split('=')[1]}'")
    for degree in (
        trace(folder, "mart_equalisation", [region, year, f"domain={domain}"]),
        trace(folder, "mart_target_progress", [region, year, pairs[2]]),
    ):
        shown = json.dumps([degree.levels, degree.figures], default=str)
        assert degree.agrees, degree.figures
        assert str(hidden[1]) not in shown or degree.table == "mart_target_progress"
        assert all("computed_again" not in figure for figure in degree.figures if figure["outcome"] == "withheld")


@pytest.mark.pipeline
def test_of_records_of_persons_there_are_counts_and_receipts_only(
    verdania: House, copied: Callable[[str], Path]
) -> None:
    folder = copied("select 1")
    extract = verdania.value(
        "select department || '/' || extract from fct_observation where measure = 'residents' limit 1"
    )
    path = folder / evidence.LINEAGE
    said = json.loads(path.read_text())
    said["extracts"][extract]["is_person_level"] = True
    path.write_text(json.dumps(said))
    found = trace(folder, "fct_population", ["region_code=VB2", "reference_date=2020-12-31", "residence=urban"])
    (cell,) = found.cells
    assert (cell["source_row"], cell["source_column"], cell["value_reported"]) == (None, None, None)
    assert "no row is shown" in cell["note"]
    assert [(file["is_person_level"], file["figures"]) for file in found.files] == [(True, 1)]
    assert found.agrees
    own = trace(folder, "fct_observation", [f"observation_id={cell['observation_id']}"])
    value = next(figure for figure in own.figures if figure["column"] == "value")
    assert value["outcome"] == "not computed again" and own.agrees
    assert any("records of persons" in note for note in own.notes)


@pytest.mark.pipeline
def test_wrong_use_is_told_with_exit_code_2_and_a_release_without_lineage_says_so(
    verdania: House, copied: Callable[[str], Path]
) -> None:
    for arguments, message in (
        (["mart_nothing"], "there is no table 'mart_nothing'"),
        (["dim_region", "region_code=V"], "holds nothing that is computed"),
        (["mart_service_coverage", "region_code=VA1"], "rows of mart_service_coverage fit"),
        (["mart_service_coverage", "region_code=VA1", "--release", "20000101.1"], "there is no release 20000101.1"),
    ):
        said = verdania.command("trace", *arguments)
        assert said.returncode == 2 and message in said.stderr, (arguments, said.stderr)
        assert "do:" in said.stderr and "Traceback" not in said.stderr
    folder = copied("select 1")
    (folder / evidence.LINEAGE).unlink()
    with pytest.raises(UsageError, match="cannot be traced"):
        trace(folder, "fct_population", ["region_code=V"])


@pytest.mark.pipeline
def test_a_table_carried_over_is_traced_in_the_release_it_comes_from(
    verdania: House, copied: Callable[[str], Path]
) -> None:
    folder = copied("select 1")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["carried_over"] = [{"table": "mart_service_coverage", "from_release": "20260101.1", "checks": ["c1"]}]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    found = trace(folder, "mart_service_coverage", a_coverage_row(verdania))
    assert found.outcome == "not computed again" and not found.levels
    assert "--release 20260101.1" in found.notes[0]
