"""Each kind of file is one entry of the registry: recognised by its bytes, described, and read; the rest is told."""

from __future__ import annotations

import typing
from pathlib import Path

import corpus
import pytest
import test_html_tables
import test_json_stat
import test_pc_axis
import test_sdmx_files
import test_statistics_files

from pipelines.errors import UnreadableFileError
from pipelines.formats import FORMATS, describe, read_grids, recognise
from pipelines.jurisdiction.contract import Format, FormatKind
from pipelines.settings import PROJECT_FOLDER

CASES = {case.name: case for case in corpus.cases()}
SAMPLES: dict[str, bytes] = {
    "csv": CASES["format_csv"].data,
    "tsv": CASES["format_tsv"].data,
    "xlsx": CASES["format_xlsx"].data,
    "ods": CASES["format_ods"].data,
    "parquet": CASES["format_parquet"].data,
    "jsonl": CASES["format_json_lines"].data,
    "html": test_html_tables.heads("<td>1").encode(),
    "px": (test_pc_axis.HEAD + test_pc_axis.PLACES + "DATA=\n1 2 3 4;").encode(),
    "json-stat": __import__("json").dumps(test_json_stat.data_set()).encode(),
    "sdmx-ml": test_sdmx_files.specific(test_sdmx_files.SERIES).encode(),
    "sdmx-csv": test_sdmx_files.CSV_2.encode(),
    "dta": test_statistics_files.DTA,
    "por": test_statistics_files.PORTABLE,
}


@pytest.fixture(scope="module", autouse=True)
def _binary_samples(tmp_path_factory: pytest.TempPathFactory) -> None:
    import xlwt

    folder = tmp_path_factory.mktemp("samples")
    SAMPLES["sav"] = test_statistics_files.spss(folder, test_statistics_files.PLACES)
    book = xlwt.Workbook()
    book.add_sheet("Data").write(0, 0, "Place")
    book.save(str(folder / "file.xls"))
    SAMPLES["xls"] = (folder / "file.xls").read_bytes()


def test_a_contract_may_name_every_format_and_no_other() -> None:
    assert set(typing.get_args(FormatKind)) == set(FORMATS)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_is_recognised_by_its_bytes_and_described(kind: str) -> None:
    found = recognise(SAMPLES[kind])
    assert found is not None
    assert found.kind == kind
    tables = describe(SAMPLES[kind], Format.model_validate({"kind": kind}), f"file.{kind}")
    assert sum(table.rows * table.columns for table in tables) > 0
    assert any(table.is_visible and not table.problem for table in tables)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("sent", FORMATS)
def test_a_file_of_another_format_is_read_as_such_or_told(kind: str, sent: str) -> None:
    """Whatever comes under whatever contract: no traceback, and a word about what to do."""
    try:
        grids = read_grids(SAMPLES[sent], Format.model_validate({"kind": kind}), f"desk/file/2020/file.{sent}")
    except UnreadableFileError as error:
        assert error.message
        assert error.do
        assert sent != kind
    else:
        assert grids


@pytest.mark.parametrize("sent", ["dta", "sav", "por", "px", "sdmx-ml", "xlsx", "parquet"])
def test_a_file_under_the_wrong_contract_is_called_by_its_name(sent: str) -> None:
    with pytest.raises(UnreadableFileError) as raised:
        read_grids(SAMPLES[sent], Format(kind="csv"), f"desk/file/2020/file.{sent}")
    assert FORMATS[sent].name in raised.value.message
    assert f"format.kind: {sent}" in (raised.value.do or "")


def test_the_contract_page_names_every_format() -> None:
    page = (PROJECT_FOLDER / "docs" / "contract.md").read_text(encoding="utf-8")
    missing = [kind for kind in FORMATS if f"`{kind}`" not in page]
    assert missing == []


def test_a_format_is_one_module_with_its_own_test() -> None:
    """What docs/new-format.md asks of a new format holds for those that are there."""
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    for kind in FORMATS:
        assert f'"{kind}"' in tests
