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

from pipelines.errors import UsageError
from pipelines.trace import cells, evidence, rows, trace, tracing, walking

ROWS_OF_A_COLUMN = 2
AGREED = ("exact", "12 digits")

# -- names and messages, on small tables -----------------------------------------------------------------------------


def test_a_trace_command_leaves_out_what_an_omitted_key_means_and_quotes_for_a_shell() -> None:
    reading = rows.WHOLE | {"reference_geography": "reported", "population_source": "mid_year"}
    key = {"region_code": "V", "reference_geography": "reported", "year": 2020, "target_edition": "13th plan"}
    assert rows.trace_command("mart_equalisation", {**key, "variant": "main", "weight_set": None}, reading) == (
        "junheng trace mart_equalisation region_code=V year=2020 'target_edition=13th plan'"
    )
    other = {"residence": "urban", "population_source": "year_end"}
    assert (
        rows.trace_command("mart_x", other, reading)
        == "junheng trace mart_x residence=urban population_source=year_end"
    )


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
READING = {"population_basis": "resident", "reference_geography": "reported"}
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
    rows.the_row(small, TABLE, pairs, READING)
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
        rows.the_row(small, TABLE, pairs, READING)
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
    ],
)
def test_values_agree_to_the_last_digit_or_at_the_twelve_of_the_release(
    published: Any, again: Any, outcome: str
) -> None:
    assert tracing._agreement(published, again) == outcome


# -- the invented countries --------------------------------------------------------------------------------------------


def sampled(house: House) -> list[tuple[str, list[str], set[str]]]:
    """Rows that together show a number in every traceable column of every table.

    A figure without a value has no terms, though one of its parts may be known.
    """
    folder = house.warehouse.current.resolve()
    found = []
    for name, columns in evidence.read(folder).tables.items():
        whole = "value is not null" if name == "figure" else "true"
        key = house.manifest()["tables"][name]["key"]
        names = ", ".join(f'cast("{column}" as varchar)' for column in key)
        filled = ", ".join(f'"{column}" is not null' for column in columns)
        chosen: dict[tuple[str, ...], set[str]] = {}
        for column in columns:
            missing = ROWS_OF_A_COLUMN - sum(column in shown for shown in chosen.values())
            for row in house.query(
                f'select {names}, {filled} from "{name}" where "{column}" is not null and {whole} '
                f"order by hash({names}, '{column}') limit {max(0, missing)}"
            ):
                flags = dict(zip(columns, row[len(key) :], strict=True))
                chosen[tuple(row[: len(key)])] = {shown for shown, is_filled in flags.items() if is_filled}
        found += [
            (name, [f"{c}={v}" for c, v in zip(key, values, strict=True) if v is not None], shown)
            for values, shown in chosen.items()
        ]
    return found


@pytest.mark.pipeline
@pytest.mark.parametrize("name", ["verdania", "fens"])
def test_every_column_that_shows_a_figure_is_computed_again_from_cells(
    request: pytest.FixtureRequest, name: str
) -> None:
    house: House = request.getfixturevalue(name)
    folder = house.warehouse.current.resolve()
    covered: dict[str, set[str]] = {}
    for table, pairs, columns in sampled(house):
        found = trace(folder, table, pairs, limit=5)
        figures = {figure["column"]: figure for figure in found.figures}
        assert set(figures) == columns, found.command
        for figure in figures.values():
            assert figure["formula"], (table, figure["column"])
            # the share of everything is 100, and one by other people is that of `main`: neither is a figure
            is_apart = figure["column"] == "budget_share_pct" and (
                table.endswith("_variants") or found.row["domain"] == "all"
            )
            assert figure["outcome"] in AGREED or (is_apart and found.notes), (found.command, figure, found.notes)
        covered.setdefault(table, set()).update(c for c in columns if figures[c]["outcome"] in AGREED)
        if found.outcome in AGREED:
            assert found.cells_count > 0, found.command
            assert found.files and all(file["sha256"] and file["received_at"] for file in found.files)
            assert all(cell["source_file"] for cell in found.cells)
            chosen = [delivery for delivery in found.deliveries if delivery["is_chosen"]]
            assert chosen and all(delivery["why"] for delivery in found.deliveries)
        assert found.checks["outcomes"]
    known = evidence.read(folder).tables
    filled = {
        table: {column for column in columns if house.value(f'select count("{column}") from {table}')}
        for table, columns in known.items()
    }
    filled["mart_per_capita_spending_variants"] -= {"budget_share_pct"} - covered["mart_per_capita_spending_variants"]
    assert covered == {table: columns for table, columns in filled.items() if columns}


@pytest.mark.pipeline
@pytest.mark.parametrize("name", ["verdania", "fens"])
def test_every_figure_of_a_release_follows_from_its_terms_to_the_last_digit(
    request: pytest.FixtureRequest, name: str
) -> None:
    """Value, numerator and denominator of all figures, from the cells as they are read again from their texts."""
    house: House = request.getfixturevalue(name)
    known = evidence.read(house.warehouse.current.resolve())
    connection = walking.open_release(known)
    ids = connection.execute(
        "select distinct figure_id from figure_term where figure_kind = 'figure' order by hash(figure_id) limit 500"
    ).fetchall()
    walking.walk(connection, [("figure", i) for (i,) in ids])
    cells.lay(connection, known, "select input_id from term where input_kind = 'observation'")
    read, unread = cells.read_again(connection, known)
    walking.compute(connection, read)
    again = {figure["figure_id"]: figure for figure in walking.figures_again(connection)}
    assert unread == {} and {i for (i,) in ids} <= set(again)
    kinds = set()
    for figure in again.values():
        if figure["region_id"] is None:
            # what is set apart is shown by tables of spending, and is no figure of its own
            assert "|residence=unattributed|" in figure["figure_id"]
            continue
        assert figure["is_computed"], figure
        assert figure["again"] == figure["value"], figure
        for part in ("numerator", "denominator"):
            if figure[part] is not None:
                assert figure[f"{part}_again"] == figure[part], figure
        kinds.add(figure["subject_code"].split(".")[0])
    assert {"spending", "budget_share"} <= kinds and ("degree" in kinds or name == "fens")


@pytest.mark.pipeline
def test_every_figure_with_a_value_has_terms_and_a_hash(verdania: House) -> None:
    folder = verdania.warehouse.current.resolve()
    connection = walking.open_release(evidence.read(folder))
    name = "concat_ws('|', subject_code, region_id, year, breakdown, variant)"
    without = connection.execute(
        f"select {name} from public.main.figure where value is not null and (input_hash is null or {name} not in "
        "(select figure_id from figure_term where figure_kind = 'figure'))"
    ).fetchall()
    assert without == []


@pytest.mark.pipeline
def test_figures_of_one_hash_are_one_number(verdania: House) -> None:
    assert verdania.query(
        "select input_hash from figure where input_hash is not null group by input_hash "
        "having count(distinct value) > 1 or (count(value) > 0 and count(value) < count(*))"
    ) == []  # fmt: skip


@pytest.mark.pipeline
def test_the_cells_of_a_degree_are_those_of_the_figures_and_people_it_is_made_of(verdania: House) -> None:
    folder = verdania.warehouse.current.resolve()
    degree = trace(folder, "mart_equalisation", ["region_code=VA", "year=2020", "domain=health"])
    figures = [row for level in degree.levels if level["kind"] == "figure" for row in level["rows"]]
    assert {row["region_id"] for row in figures} == {"VA1", "VA2@2019-07-01"}
    seen = set()
    for row in figures:
        pairs = [f"{name}={row[name]}" for name in tracing.PARTS["figure"]]
        seen |= {cell["observation_id"] for cell in trace(folder, "figure", pairs).cells}
    listed = {cell["observation_id"] for cell in degree.cells}
    assert degree.cells_count == len(listed) > 0
    assert seen <= listed
    rest = ", ".join(f"'{name}'" for name in listed - seen) or "null"
    others = verdania.query(f"select distinct measure from fct_observation where observation_id in ({rest})")
    assert {measure for (measure,) in others} <= {"residents", "registered_population"}


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


def a_coverage_row(house: House) -> list[str]:
    """A row of a lowest region whose indicator also counts in a degree."""
    names = house.manifest()["tables"]["mart_service_coverage"]["key"]
    listed = ", ".join(f'"{name}"' for name in names)
    found = house.query(
        f"select {listed} from mart_service_coverage "
        "semi join mart_gap_contribution using (region_id, year, indicator_code) "
        "where value is not null and breakdown = 'all' and region_level = 'parish' order by all limit 1"
    )[0]
    return [f"{name}={value}" for name, value in zip(names, found, strict=True)]


def where(pairs: list[str]) -> str:
    return " and ".join(f"\"{name}\" = '{value}'" for name, value in (pair.split("=", 1) for pair in pairs))


@pytest.mark.pipeline
@pytest.mark.parametrize("table", ["mart_service_coverage", "fct_observation", "figure"])
def test_a_value_that_was_changed_is_found(verdania: House, copied: Callable[[str], Path], table: str) -> None:
    """In the table itself, in a cell below, or in a figure on the way."""
    pairs = a_coverage_row(verdania)
    (below,) = trace(verdania.warehouse.current.resolve(), "mart_service_coverage", pairs, limit=1).cells
    indicator = next(pair.split("=")[1] for pair in pairs if pair.startswith("indicator_code="))
    region = next(pair for pair in pairs if pair.startswith("region_id="))
    year = next(pair for pair in pairs if pair.startswith("year="))
    changed = {
        "mart_service_coverage": where(pairs),
        "fct_observation": f"observation_id = '{below['observation_id']}'",
        "figure": f"subject_code = '{indicator}' and breakdown = 'all' and {where([region, year])}",
    }[table]
    folder = copied(f"update {table} set value = value + 0.001 where {changed}")
    found = trace(folder, "mart_service_coverage", pairs)
    assert not found.agrees
    differing = [figure["column"] for figure in found.figures if figure["outcome"] == "differs"]
    assert differing == (["value"] if table == "mart_service_coverage" else [])
    if table != "mart_service_coverage":
        assert any(note.startswith("on the way:") for note in found.notes)
        domain = verdania.value(f"select domain from dim_indicator where indicator_code = '{indicator}'")
        degree = trace(folder, "mart_equalisation", [region, year, f"domain={domain}"])
        assert not degree.agrees, "what rests on it stands unquestioned"


@pytest.mark.pipeline
def test_a_term_that_was_changed_is_found(verdania: House, copied: Callable[[str], Path]) -> None:
    """Who changes what a figure is said to be computed from gets another number out of it."""
    pairs = a_coverage_row(verdania)
    folder = copied("select 1")
    terms = folder / evidence.TERMS / "term_indicator.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace (weight * 2 as weight) from '{terms}' where role like 'numerator%' "
            f"union all by name from '{terms}' where role not like 'numerator%') to '{terms}.new' (format parquet)"
        )
    Path(f"{terms}.new").rename(terms)
    assert not trace(folder, "mart_service_coverage", pairs).agrees


@pytest.mark.pipeline
def test_the_command_ends_with_3_where_something_does_not_fit(verdania: House, tmp_path: Path) -> None:
    pairs = a_coverage_row(verdania)
    house = copy_of(verdania, tmp_path / "house")
    assert house.command("trace", "mart_service_coverage", *pairs).returncode == 0
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
    hidden = verdania.query(f"select numerator, value from mart_service_coverage where {where(pairs)}")[0]
    below = [
        c["observation_id"] for c in trace(verdania.warehouse.current.resolve(), "mart_service_coverage", pairs).cells
    ]
    indicator, region, year = (
        next(pair.split("=")[1] for pair in pairs if pair.startswith(f"{name}="))
        for name in ("indicator_code", "region_id", "year")
    )
    copied(
        "update mart_service_coverage set value = null, numerator = null, ci_low = null, ci_high = null, "
        f"attainment = null, ratio_to_target = null, obs_status = 'Q', conf_status = 'A' where {where(pairs)}"
    )
    copied(
        "update figure set value = null, numerator = null, obs_status = 'Q', conf_status = 'A' "
        f"where subject_code = '{indicator}' and region_id = '{region}' and year = {year}"
    )
    folder = copied(
        "update fct_observation set value = null, value_reported = null, obs_status = 'Q', conf_status = 'A' "
        f"where observation_id in ({', '.join(repr(i) for i in below)})"
    )
    found = trace(folder, "mart_service_coverage", pairs)
    assert found.agrees and found.outcome == "withheld"
    assert not found.levels and not found.cells and not found.files
    text = json.dumps(found.as_dict(), default=str)
    assert all(str(value).rstrip("0").rstrip(".") not in text for value in hidden), text
    # what rests on it says that it cannot be computed, shows no hidden cell, and does not call itself wrong
    domain = verdania.value(f"select domain from dim_indicator where indicator_code = '{indicator}'")
    degree = trace(folder, "mart_equalisation", [f"region_id={region}", f"year={year}", f"domain={domain}"])
    assert degree.agrees and degree.outcome == "withheld", degree.figures
    assert str(hidden[1]) not in json.dumps([degree.levels, degree.figures], default=str)
    assert all("computed_again" not in figure for figure in degree.figures if figure["outcome"] == "withheld")
    assert all(cell["value"] is None for cell in degree.cells if cell["observation_id"] in below)


@pytest.mark.pipeline
def test_of_records_of_persons_there_are_counts_and_receipts_only(
    verdania: House, copied: Callable[[str], Path]
) -> None:
    folder = copied("select 1")
    extract = verdania.value(
        "select department || '/' || extract from fct_observation where measure = 'residents' limit 1"
    )
    path = folder / evidence.READING
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
def test_wrong_use_is_told_with_exit_code_2_and_a_release_without_terms_says_so(
    verdania: House, copied: Callable[[str], Path]
) -> None:
    for arguments, message in (
        (["mart_nothing"], "there is no table 'mart_nothing'"),
        (["dim_region", "region_code=V"], "shows no figure that has terms of its own"),
        (["mart_inequality", "region_code=V"], "it is made of the figures of one subject and year"),
        (["mart_service_coverage", "region_code=VA1"], "rows of mart_service_coverage fit"),
        (["mart_service_coverage", "region_code=VA1", "--release", "20000101.1"], "there is no release 20000101.1"),
    ):
        said = verdania.command("trace", *arguments)
        assert said.returncode == 2 and message in said.stderr, (arguments, said.stderr)
        assert "do:" in said.stderr and "Traceback" not in said.stderr
    folder = copied("select 1")
    shutil.rmtree(folder / evidence.TERMS)
    with pytest.raises(UsageError, match="cannot be traced"):
        trace(folder, "fct_population", ["region_code=V"])


@pytest.mark.pipeline
def test_every_mart_shows_figures_or_says_what_to_trace_instead(verdania: House) -> None:
    known = evidence.read(verdania.warehouse.current.resolve())
    marts = {name for name in verdania.manifest()["tables"] if name.startswith(("mart_", "figure", "benchmark"))}
    assert not set(known.tables) & set(known.made_of)
    assert marts == set(known.tables) | set(known.made_of)
    traceable = {*known.tables, "fct_population", "fct_observation"}
    assert {said["trace"] for said in known.made_of.values()} <= traceable


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
