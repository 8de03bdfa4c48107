"""A zip of many files is read whole or not at all: each file by the same layout, under its own name."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import Any

import corpus
import intake_kit as kit
import pytest

from pipelines.errors import UnreadableFileError
from pipelines.formats import Grid, packing, read_grids
from pipelines.jurisdiction.contract import Format

ALL = {"pattern": r"\.csv$", "all": True}


def table(*rows: tuple[str, object]) -> bytes:
    return corpus.text([["Place", "Heads"], *rows])


def grids(data: bytes, kind: str = "csv", **rule: Any) -> list[Grid]:
    return read_grids(
        data, Format.model_validate({"kind": kind, "encoding": "utf-8", **rule}), "desk/file/2020/file.zip"
    )


def refused(data: bytes, kind: str = "csv", **rule: Any) -> str:
    with pytest.raises(UnreadableFileError) as raised:
        grids(data, kind, **rule)
    assert raised.value.do
    return raised.value.message


TWO = {"2019/heads.csv": table(("Ash", 1)), "2020/heads.csv": table(("Ash", 2)), "README.md": b"read me"}


def test_each_file_is_a_sheet_under_its_path_which_can_be_captured() -> None:
    layout = {
        "format": {"kind": "csv", "member": ALL},
        "captures": [{"from": "sheet", "pattern": r"^(?P<period>\d{4})/"}],
        "period": {"from": "capture", "kind": "year"},
    }
    taken = kit.read(corpus.zipped(TWO), layout)
    assert taken.problem == ""
    found = taken.accepted.select("source_sheet", "source_row", "value").rows()
    assert found == [("2019/heads.csv", 2, 1), ("2020/heads.csv", 2, 2)]
    assert {r["period_end"].year for r in taken.accepted.iter_rows(named=True)} == {2019, 2020}
    assert [account.source_sheet for account in taken.tie_out] == ["2019/heads.csv", "2020/heads.csv"]


def test_tables_that_the_contract_does_not_mean_are_told() -> None:
    files = {**TWO, "2020/new.xlsx": b"PK", "2021.txt": b"x"}
    found = grids(corpus.zipped(files), member=ALL)[0].findings
    assert [f["check"] for f in found] == ["other_members"]
    assert found[0]["observed"] == "not read: 2020/new.xlsx, 2021.txt"
    assert grids(corpus.zipped(TWO), member=ALL)[0].findings == ()  # a text for people is no table


def test_files_that_report_the_same_figure_are_both_rejected() -> None:
    taken = kit.read(corpus.zipped(TWO), {"format": {"kind": "csv", "member": ALL}})
    assert taken.accepted.height == 0
    assert kit.rules(taken) == ["duplicate_key", "duplicate_key"]


def test_sheets_of_many_workbooks_are_called_by_both_names() -> None:
    books = {f"{name}.xlsx": corpus.workbook({"Data": [["Place", "Heads"], ["Ash", 1]]}) for name in ("a", "b")}
    found = grids(corpus.zipped(books), "xlsx", member={"pattern": r"\.xlsx$", "all": True})
    assert [grid.sheet for grid in found] == ["a.xlsx/Data", "b.xlsx/Data"]


def test_without_all_the_first_that_fits_is_read_and_a_name_must_fit_one() -> None:
    (grid,) = grids(corpus.zipped(TWO), member={"pattern": "^2020/"})
    assert grid.cells.rows()[1] == (2, "Ash", "2")
    assert "the zip holds 2 files like '*.csv'" in refused(corpus.zipped(TWO), member="*.csv")
    assert "the zip holds 0 files like" in refused(corpus.zipped(TWO), member={"pattern": "^2021/", "all": True})


def test_one_file_that_cannot_be_read_makes_all_unreadable() -> None:
    files = {**TWO, "2021/heads.csv": "Place,Köpfe\n".encode("cp1252")}
    assert refused(corpus.zipped(files), member=ALL).startswith("2021/heads.csv: the bytes are not utf-8")


def test_files_of_the_system_are_no_files_of_the_department() -> None:
    files = {**TWO, "__MACOSX/2019/._heads.csv": b"\x00", "2019/._heads.csv": b"\x00", "Thumbs.db": b"\x00"}
    assert len(grids(corpus.zipped(files), member=ALL)) == 2


def test_zips_in_a_zip_are_opened_once_and_no_deeper() -> None:
    inner = corpus.zipped({"heads.csv": table(("Ash", 1)), "more.csv": table(("Aspen", 2))})
    outer = corpus.zipped({"north.zip": inner, "south.csv": table(("Beech", 3))})
    assert [grid.sheet for grid in grids(outer, member=ALL)] == [
        "north.zip/heads.csv",
        "north.zip/more.csv",
        "south.csv",
    ]
    assert "packed more than twice" in refused(corpus.zipped({"far.zip": outer}), member=ALL)
    packed = corpus.zipped({"heads.csv": gzip.compress(table(("Ash", 1)))})
    assert grids(packed, member=ALL)[0].cells.height == 2


def test_two_files_of_one_name_are_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("heads.csv", table(("Ash", 1)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("heads.csv", table(("Ash", 2)))
    assert "the zip holds 2 files like" in refused(target.getvalue(), member=ALL)


def test_names_of_paths_and_signs_do_no_harm() -> None:
    files = {"../../etc/heads.csv": table(("Ash", 1)), "a\nb\u202e.csv": table(("Aspen", 2))}
    assert [grid.sheet for grid in grids(corpus.zipped(files), member=ALL)] == ["../../etc/heads.csv", "a?b?.csv"]


def test_names_of_old_programs_are_read_in_the_encoding_of_the_contract() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        info = zipfile.ZipInfo("xx.csv")
        archive.writestr(info, table(("Ash", 1)))
    data = target.getvalue().replace(b"xx.csv", "杭州".encode("gb18030")[:2] + b".csv")
    name = "杭州".encode("gb18030")[:2].decode("gb18030") + ".csv"
    assert grids(data, encoding="gb18030", member=ALL)[0].sheet == name
    assert grids(data, member=ALL)[0].sheet != name  # nobody guesses it


def test_a_locked_file_is_told() -> None:
    data = bytearray(corpus.zipped({"heads.csv": table(("Ash", 1))}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    assert "locked with a password" in refused(bytes(data), member=ALL)


def test_many_files_together_may_not_unpack_to_more_than_one_may(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"{n}.csv": table(*(("Ash", n) for _ in range(50))) for n in range(10)}
    size = sum(map(len, files.values()))
    monkeypatch.setattr(packing, "MAX_TEXT_BYTES", size)
    assert len(grids(corpus.zipped(files), member=ALL)) == 10
    monkeypatch.setattr(packing, "MAX_TEXT_BYTES", size - 1)
    assert "unpacks to" in refused(corpus.zipped(files), member=ALL)


def test_a_bomb_among_many_files_is_refused() -> None:
    files = {"a.csv": table(("Ash", 1)), "b.csv": b"0" * 60_000_000}
    assert "unpacks to" in refused(corpus.zipped(files), member=ALL)
