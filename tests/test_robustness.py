"""Whatever bytes come, reading ends soon, in bounded memory, with figures or with a reason why not."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import corpus
import intake_kit as kit
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import JunhengError, UnreadableFileError
from pipelines.formats import packing, read_grids, registry
from pipelines.jurisdiction.contract import Format
from pipelines.settings import WorkLimits
from pipelines.worker import Worker

# What these unpack to is bounded before they are opened. The older workbooks are read where memory is limited.
BOUNDED = ("csv", "tsv", "xlsx", "parquet", "jsonl")


@pytest.fixture(scope="module")
def limited_process() -> Iterator[Worker]:
    with Worker(WorkLimits(memory="1GB", seconds=20)) as worker:
        yield worker


def rule(kind: str, **fields: Any) -> Format:
    return Format.model_validate({"kind": kind, "encoding": "detect", **fields})


def read_or_refuse(data: bytes, kind: str, **fields: Any) -> int:
    """Rows read, or -1 when the file was refused; anything else than that is a fault."""
    try:
        return sum(grid.cells.height for grid in read_grids(data, rule(kind, **fields), "desk/file/2020/file"))
    except UnreadableFileError as error:
        assert error.message
        assert error.do
        return -1


SAMPLES = {case.name: (case.data, case.layout.get("format", {"kind": "csv"})["kind"]) for case in corpus.cases()}


@given(data=st.binary(max_size=400), kind=st.sampled_from(BOUNDED))
@settings(max_examples=300)
def test_random_bytes_are_read_or_refused(data: bytes, kind: str) -> None:
    read_or_refuse(data, kind)


@given(
    head=st.sampled_from([b"PK\3\4", b"\x1f\x8b\x08", b"PAR1", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe", b"{"]),
    data=st.binary(max_size=300),
    kind=st.sampled_from(BOUNDED),
)
@settings(max_examples=200)
def test_bytes_that_begin_like_a_format_are_read_or_refused(head: bytes, data: bytes, kind: str) -> None:
    read_or_refuse(head + data, kind)


@given(
    name=st.sampled_from([n for n, (_, kind) in sorted(SAMPLES.items()) if kind in BOUNDED]),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6)), min_size=1, max_size=6),
    keep=st.floats(0.2, 1),
)
@settings(max_examples=400)
def test_damaged_files_are_read_or_refused(name: str, cuts: list[tuple[float, bytes]], keep: float) -> None:
    data, kind = SAMPLES[name]
    damaged = bytearray(data)
    for place, piece in cuts:
        at = int(place * len(damaged))
        damaged[at : at + len(piece)] = piece
    read_or_refuse(bytes(damaged[: int(len(damaged) * keep)]), kind)


@given(
    cuts=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4),
    name=st.sampled_from(["format_xlsx", "format_ods"]),
)
@settings(max_examples=60)
def test_damaged_sheets_inside_a_sound_zip_are_read_or_refused(
    limited_process: Worker, cuts: list[tuple[float, bytes]], name: str
) -> None:
    data, kind = SAMPLES[name]
    inner = "xl/worksheets/sheet1.xml" if kind == "xlsx" else "content.xml"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {n: archive.read(n) for n in archive.namelist()}
    damaged = bytearray(files[inner])
    for place, piece in cuts:
        at = int(place * len(damaged))
        damaged[at : at + len(piece)] = piece
    limited_process.call(read_or_refuse, corpus.zipped({**files, inner: bytes(damaged)}), kind)


@given(data=st.binary(max_size=200), kind=st.sampled_from(("xls", "ods")))
@settings(max_examples=60)
def test_old_workbooks_of_random_bytes_are_refused(limited_process: Worker, data: bytes, kind: str) -> None:
    magic = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" if kind == "xls" else b""
    assert limited_process.call(read_or_refuse, magic + data, kind) == -1


@given(text=st.text(max_size=300), kind=st.sampled_from(("csv", "tsv", "jsonl")))
@settings(max_examples=200)
def test_any_text_is_read_or_refused(text: str, kind: str) -> None:
    read_or_refuse(text.encode("utf-8", "surrogatepass"), kind, encoding="utf-8")


@given(
    rows=st.lists(st.lists(st.text(alphabet="Ahs 1,.-%()\u3000其中#\n\"'x", max_size=8), max_size=4), max_size=8),
    kind=st.sampled_from(("csv", "tsv")),
)
@settings(max_examples=150)
def test_any_table_under_a_good_header_ties_out(rows: list[list[str]], kind: str) -> None:
    table = [["Place", "Heads"], *rows]
    data = corpus.text(table, delimiter="\t" if kind == "tsv" else ",")
    layout = {"format": {"kind": kind}, "tokens": {"": "missing", "-": "zero"}, "marks": {"x": "note"}}
    taken = kit.read(data, layout)  # kit.read holds the account of each sheet to be complete
    assert taken.problem == ""


# -- sizes ----------------------------------------------------------------------------------------------------------


def limited(code: str, tmp_path: Path, megabytes: int, seconds: int = 120) -> str:
    """What a reading in a process of its own says; it may take that much memory at most beside its libraries.

    What counts is the peak of resident memory. A limit of the address space far above it is there so that a reader
    without bounds fails here and takes nothing down with it.
    """
    script = tmp_path / "read.py"
    script.write_text(
        "import gc, io, gzip, resource, sys, zipfile\n"
        "from pathlib import Path\n"
        "from pipelines.errors import UnreadableFileError\n"
        "from pipelines.formats import read_grids\n"
        "from pipelines.jurisdiction.contract import Format\n"
        "import polars as pl\n"
        "pl.DataFrame({'a': ['1']}).select(pl.col('a').str.len_bytes().max())\n"
        "used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 6_000_000_000, resource.RLIM_INFINITY))\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "def refused(data, **rule):\n"
        "    try:\n"
        "        read_grids(data, Format.model_validate(rule), 'desk/file/2020/file')\n"
        "    except UnreadableFileError as error:\n"
        "        print('refused:', error.message)\n"
        "    else:\n"
        "        print('read')\n" + code + "\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024)\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=seconds, check=False, cwd=kit_root()
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *said, grown = done.stdout.strip().splitlines()
    assert float(grown) < megabytes, f"{float(grown):,.0f} MB"
    return "\n".join(said)


def kit_root() -> Path:
    from pipelines.settings import PROJECT_FOLDER

    return PROJECT_FOLDER


def test_a_row_of_ten_million_columns_is_refused(tmp_path: Path) -> None:
    said = limited("refused(b'Place,Heads\\n' + b',' * 10_000_000, kind='csv')", tmp_path, 600)
    assert said == "refused: a row has 10,000,001 columns"


def test_a_huge_cell_is_refused(tmp_path: Path) -> None:
    said = limited("refused(b'Place,Heads\\nAsh,' + b'9' * 300_000_000, kind='csv', encoding='utf-8')", tmp_path, 1300)
    assert said == "refused: a line of 300,000,004 characters"


def test_a_quoted_cell_that_never_ends_is_refused(tmp_path: Path) -> None:
    said = limited(
        "refused(b'Place,Heads\\nAsh,\"' + b'9\\n' * 50_000_000, kind='csv', encoding='utf-8')", tmp_path, 900
    )
    assert said == "refused: the text has 50,000,001 lines"


def test_a_text_of_two_billion_bytes_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = limited("refused(b'9' * 500_000_000, kind='csv')", tmp_path, 700)
    assert said == "refused: the text is 500,000,000 bytes long: refused"
    monkeypatch.setattr(packing, "MAX_BYTES", 1000)
    monkeypatch.setattr(registry, "MAX_BYTES", 1000)
    with pytest.raises(UnreadableFileError, match="refused"):
        read_grids(b"9" * 1001, rule("csv"), "file")


def test_a_gzip_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    code = (
        "import zlib\n"
        "pack = zlib.compressobj(9, zlib.DEFLATED, 31)\n"
        "piece = b'0' * 10_000_000\n"
        "data = b''.join(pack.compress(piece) for _ in range(20)) + pack.flush()\n"
        "refused(data, kind='csv')"
    )
    assert "unpacks to" in limited(code, tmp_path, 200)


@pytest.mark.parametrize("kind", ["csv", "xlsx", "ods"])
def test_a_zip_bomb_is_refused(kind: str, tmp_path: Path) -> None:
    names = {
        "csv": ["file.csv"],
        "xlsx": ["[Content_Types].xml", "xl/worksheets/sheet1.xml"],
        "ods": ["mimetype", "content.xml"],
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names[kind]:
            with archive.open(name, "w", force_zip64=True) as stream:
                for _ in range(8):
                    stream.write(b"0" * 10_000_000)
    path = tmp_path / "bomb.zip"
    path.write_bytes(target.getvalue())
    assert path.stat().st_size < 200_000
    code = f"refused(Path({str(path)!r}).read_bytes(), kind={kind!r})"
    assert "unpacks to" in limited(code, tmp_path, 200)


def test_a_workbook_inside_a_gzip_is_no_way_around_the_limits() -> None:
    data = corpus.workbook({"Data": [["Place"], *[[] for _ in range(2000)]]})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {n: archive.read(n) for n in archive.namelist()}
    far = files["xl/worksheets/sheet1.xml"].replace(
        b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    )
    packed = gzip.compress(corpus.zipped({**files, "xl/worksheets/sheet1.xml": far}))
    with pytest.raises(UnreadableFileError, match=r"1,048,576 rows and 16,384 columns: refused"):
        read_grids(packed, rule("xlsx"), "file")


def test_a_stray_cell_far_below_the_table_is_no_obstacle_when_the_table_is_narrow() -> None:
    rows: list[list[Any]] = [["Place", "Heads"], ["Ash", 1], *[[] for _ in range(5000)], ["Aspen", 2]]
    taken = kit.read(corpus.workbook({"Data": rows}), {"format": {"kind": "xlsx"}}, name="file.xlsx")
    assert kit.values(taken) == {"VA1": 1, "VA2": 2}


def test_repeated_cells_of_an_open_document_are_bounded(limited_process: Worker) -> None:
    content = corpus.open_document({"Data": [["Place", "Heads"], ["Ash", 1]]})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {n: archive.read(n) for n in archive.namelist()}
    bomb = files["content.xml"].replace(
        b'<table:table-row><table:table-cell office:value-type="string"><text:p>Ash',
        b'<table:table-row table:number-rows-repeated="1000000"><table:table-cell '
        b'table:number-columns-repeated="16000" office:value-type="string"><text:p>Ash',
    )
    assert bomb != files["content.xml"]
    assert limited_process.call(read_or_refuse, corpus.zipped({**files, "content.xml": bomb}), "ods") == -1


def test_json_of_endless_depth_and_of_repeated_names_is_refused() -> None:
    for line in (b'{"a": ' + b"[" * 100_000, b'{"a": 1, "a": 2}', b"[1]", b'{"a": NaN'):
        assert read_or_refuse(line + b"\n", "jsonl") == -1
    many = b"".join(b'{"k%d": 1}\n' % i for i in range(30_000))
    with pytest.raises(UnreadableFileError, match="different names"):
        read_grids(many, rule("jsonl"), "file")


def test_a_parquet_of_more_rows_than_memory_is_refused() -> None:
    import polars as pl

    target = io.BytesIO()
    pl.DataFrame({"a": pl.Series([0], dtype=pl.Int8).new_from_index(0, 30_000_000)}).write_parquet(target)
    with pytest.raises(UnreadableFileError, match="30,000,000 rows"):
        read_grids(target.getvalue(), rule("parquet"), "file")


def test_a_pattern_with_look_ahead_is_as_good_in_a_contract_as_any_other() -> None:
    ignored = {"reason": "total", "column": "Place", "pattern": "^All(?! of us)"}
    taken = kit.read([["Place", "Heads"], ["Ash", "1"], ["All", "1"]], {"ignore_rows": [ignored]})
    assert kit.values(taken) == {"VA1": 1}


def test_a_refusal_is_a_reading_with_a_reason_and_no_crash() -> None:
    taken = kit.read(b"\0\1\2\3", {"format": {"kind": "csv", "encoding": "utf-8"}})
    assert kit.rules(taken) == ["unreadable"]
    with pytest.raises(JunhengError):
        read_grids(b"PK\3\4", rule("xlsx"), "file")
