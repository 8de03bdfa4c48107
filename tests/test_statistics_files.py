"""Files of Stata and SPSS: values and their labels side by side; what stands for missing is never a number."""

from __future__ import annotations

import base64
import io
import zlib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import intake_kit as kit
import pandas as pd
import polars as pl
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import UnreadableFileError
from pipelines.formats import read_grids, recognise
from pipelines.jurisdiction.contract import Format


def rows(data: bytes, kind: str, **rule: Any) -> list[tuple[Any, ...]]:
    """The records of a file under the names in row 0."""
    cells = read_grids(data, Format.model_validate({"kind": kind, **rule}), f"desk/file/2020/file.{kind}")[0].cells
    return [row[1:] for row in cells.rows() if row[0] >= 0]


def refused(data: bytes, kind: str, **rule: Any) -> str:
    with pytest.raises(UnreadableFileError) as raised:
        rows(data, kind, **rule)
    assert raised.value.do
    return raised.value.message


def spss(folder: Path, columns: dict[str, Any], **options: Any) -> bytes:
    path = folder / "file.sav"
    pyreadstat.write_sav(pl.DataFrame(columns), path, **options)
    return path.read_bytes()


def stata(columns: dict[str, Any], **options: Any) -> bytes:
    """A file written by another library than the one that reads."""
    target = io.BytesIO()
    pd.DataFrame(columns).to_stata(target, write_index=False, **{"version": 118, **options})
    return target.getvalue()


PLACES = {"place": ["Ash", "Aspen", "Beech"], "heads": [12.0, 99.0, 3.0]}
LAYOUT = {
    "header": {"find": ["place"]},
    "region": {"name": "place"},
    "tokens": {"": "missing", "refused": "not_collected"},
    "values": [{"column": "heads", "measure": "heads", "unit": "persons"}],
    "ignore_columns": [r"\(code\)$"],
}


def test_a_value_that_a_person_declared_missing_is_never_a_number(tmp_path: Path) -> None:
    data = spss(tmp_path, PLACES, missing_ranges={"heads": [99]}, variable_value_labels={"heads": {99: "refused"}})
    found = recognise(data)
    assert found is not None
    assert found.kind == "sav"
    taken = kit.read(data, {**LAYOUT, "format": {"kind": "sav"}})
    assert kit.values(taken) == {"VA1": 12, "VA2": None, "VB1": 3}
    by_code = {**LAYOUT, "format": {"kind": "sav"}, "values": [{**LAYOUT["values"][0], "column": "heads (code)"}]}
    by_code["ignore_columns"] = ["^heads$"]
    taken = kit.read(data, by_code)
    assert kit.values(taken) == {"VA1": 12, "VB1": 3}
    assert taken.rejects.select("rule", "source_row", "reported_text").rows() == [("not_a_number", 2, "missing 99")]


@pytest.mark.parametrize("missing", [[98, 99], [{"lo": 90, "hi": 99}]])
def test_each_kind_of_missing_value_stays_apart(tmp_path: Path, missing: Any) -> None:
    columns = {"x": [1.0, 98.0, 99.0, None], "s": ["a", "-", "", "b"]}
    data = spss(
        tmp_path, columns, missing_ranges={"x": missing, "s": ["-"]}, variable_value_labels={"x": {99: "in 2020"}}
    )
    assert rows(data, "sav") == [
        ("x", "x (code)", "s"),
        ("1", "1", "a"),
        ("missing 98", "missing 98", "missing -"),
        ("missing in 2020", "missing 99", None),
        (None, None, "b"),
    ]


def test_labels_stand_under_the_name_and_values_beside_them(tmp_path: Path) -> None:
    columns = {"sex": [1.0, 2.0, 3.0], "code": [330100.0, 330200.0, 330300.5]}
    data = spss(tmp_path, columns, variable_value_labels={"sex": {1: "Male", 2: "Female"}}, file_label="Heads by sex")
    assert rows(data, "sav") == [
        ("sex", "sex (code)", "code"),
        ("Male", "1", "330100"),
        ("Female", "2", "330200"),
        ("3", "3", "330300.5"),
    ]
    cells = read_grids(data, Format(kind="sav"), "file")[0].cells
    assert cells.row(0)[:2] == (-1, "LABEL=Heads by sex")


def test_dates_of_spss_are_dates(tmp_path: Path) -> None:
    columns = {"day": [date(2020, 3, 1), None], "time": [datetime(2020, 3, 1, 12, 30), datetime(1899, 12, 31)]}
    assert rows(spss(tmp_path, columns), "sav")[1:] == [
        ("2020-03-01", "2020-03-01 12:30:00"),
        (None, "1899-12-31 00:00:00"),
    ]


# Written by PSPP: sex with labels and 9 declared missing, income with 98 and 99 declared missing, dates, a percentage.
PORTABLE = zlib.decompress(
    base64.b85decode(
        "c-qBLX>Zd&5dCh+|6xI;v<>#`VQ<#lj%%me#7DC(E#)Yobq`2WlMou9@Y`A2L=_T<d_ZDWo*B*Y=IPm2fs{yPN}((r"
        "<S3H;5dFsdCFe}T|8IzRNi&T<wg_d8%iF^9JHcicb+_bpuOBCAwlh%q?z6r9=Lf^LN5{p<>Dl?a_oIvPW%*$;{b(Aq"
        "PgnELUy%K9t#!Tn;?=E{jr9kwEx5jS=kW29H}_Yb-hFhtIq}{4<&e&;wRQaU+skD+{>3VtDw%u%6jM$J!yJgvh@3hk"
        "gl@8n%4u05Vso3aZI}yw$Q`RZvPS3Q+1xrE&l~}62igKS48pEV69NJ-G`@|2feQCs)6f+RZtaCvH8{v5NaN524=6NV"
        "FrmM??ZDnvnDn5d7aCuK#c85yXwy)O69jhhI?rz^dB4v4H<gSK@OAtdHc3N`>D+;MI4VqoYEn^gp>t2u8DFB|czRV#"
        "^yq@DUh*J-NpUip7RN}dh9d!tVS+J28r;Wr1X8u!%9(}^gG9FUksiiCGpL7YHB2k04SVtG2CEt#XceTwjO!JtnAgNO"
        "O{;&cl?wEUgMVeF@dFa1;~W"
    )
)


def test_a_portable_file_is_read_and_its_missing_values_are_empty() -> None:
    found = recognise(PORTABLE)
    assert found is not None
    assert found.kind == "por"
    assert rows(PORTABLE, "por") == [
        ("REGION", "SEX", "SEX (code)", "INCOME", "INCOME (code)", "WHEN", "MON", "Q", "T", "P"),
        ("330100", "Male", "1", "1200.5", "1200.5", "2020-03-01", "2020-03", "2020Q1", "12:30:00", "85"),
        ("330200", "Female", "2", None, None, None, None, None, None, None),
        ("330300", None, None, None, None, "2020-03-02", "2020-04", "2020Q4", "0:00:05", "12.5"),
    ]


def test_a_stata_file_is_read_by_a_contract() -> None:
    data = stata(PLACES)
    found = recognise(data)
    assert found is not None
    assert found.kind == "dta"
    assert kit.values(kit.read(data, {**LAYOUT, "format": {"kind": "dta"}})) == {"VA1": 12, "VA2": 99, "VB1": 3}


@pytest.mark.parametrize("version", [114, 117, 118, 119])
def test_stata_files_of_every_release_are_read(version: int) -> None:
    data = stata({"sex": pd.Categorical(["men", "women", "men"]), "x": [1, 2, 3]}, version=version)
    assert rows(data, "dta") == [
        ("sex", "sex (code)", "x"),
        ("men", "0", "1"),
        ("women", "1", "2"),
        ("men", "0", "3"),
    ]


def test_numbers_of_four_bytes_have_the_digits_they_bear() -> None:
    single = pd.Series([0.1, 1234567.0, None], dtype="float32")
    assert rows(stata({"a": single, "b": [0.1, 1e15, 1e300]}), "dta")[1:] == [
        ("0.1", "0.1"),
        ("1234567", "1000000000000000"),
        (None, "1e+300"),
    ]


def test_the_lettered_missing_values_of_stata_are_never_numbers(tmp_path: Path) -> None:
    path = tmp_path / "file.dta"
    pyreadstat.write_dta(
        pd.DataFrame({"x": pd.Series([1.0, "a", "b", 3.0], dtype=object)}),
        path,
        missing_user_values={"x": ["a", "b"]},
        variable_value_labels={"x": {1: "one", "a": "refused"}},
        version=15,
    )
    assert rows(path.read_bytes(), "dta")[1:] == [
        ("one", "1"), ("refused", "missing .a"), ("missing .b", "missing .b"), ("3", "3"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "shown"),
    [("td", "2020-08-01"), ("tc", "2020-08-01 00:00:00"), ("tm", "2020-08"), ("tq", "2020Q3"), ("th", "2020H2"),
     ("tw", "2020w31"), ("ty", "2020")],
)  # fmt: skip
def test_times_of_stata_are_written_out(form: str, shown: str) -> None:
    data = stata({"t": pd.to_datetime(["2020-08-01", None])}, convert_dates={"t": form})
    assert rows(data, "dta")[1:] == [(shown,), (None,)]


@pytest.mark.parametrize("form", ["%tdNN/DD/CCYY", "%tdCCYY", "%d", "%-td"])
def test_days_are_days_however_stata_shows_them(tmp_path: Path, form: str) -> None:
    path = tmp_path / "file.dta"
    pyreadstat.write_dta(pl.DataFrame({"t": [22128.0]}), path, variable_format={"t": form})
    assert rows(path.read_bytes(), "dta")[1:] == [("2020-08-01",)]


def test_times_that_the_file_does_not_explain_are_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "file.dta"
    pyreadstat.write_dta(pl.DataFrame({"t": [22128.0]}), path, variable_format={"t": "%tbcalendar"})
    assert rows(path.read_bytes(), "dta")[1:] == [("%tbcalendar 22128",)]


def test_texts_of_an_old_file_are_read_in_the_encoding_that_the_contract_names() -> None:
    data = stata({"n": ["Köln", "b"]}, version=114)
    assert "does not say which encoding" in refused(data, "dta")
    assert rows(data, "dta", encoding="latin-1")[1] == ("Köln",)
    assert rows(stata({"n": ["杭州"]}), "dta")[1] == ("杭州",)


@pytest.mark.parametrize("kind", ["sav", "dta"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    columns = {"x": [float(n) for n in range(500)]}
    data = spss(tmp_path, columns) if kind == "sav" else stata(columns)
    assert refused(data[: int(len(data) * share)], kind)


def test_a_file_that_says_more_records_than_memory_holds_is_refused() -> None:
    data = bytearray(stata({"x": [1.0, 2.0]}, version=114))
    data[6:10] = (2_000_000_000).to_bytes(4, "little")
    assert "refused" in refused(bytes(data), "dta")


@given(
    cuts=st.lists(st.tuples(st.floats(0, 0.99), st.binary(min_size=1, max_size=4)), max_size=4), seed=st.integers(0, 2)
)
@settings(max_examples=150, deadline=None)
def test_damaged_files_are_read_or_refused(cuts: list[tuple[float, bytes]], seed: int) -> None:
    data, kind = [(DTA, "dta"), (PORTABLE, "por"), (DTA_114, "dta")][seed]
    damaged = bytearray(data)
    for place, piece in cuts:
        at = int(place * len(damaged))
        damaged[at : at + len(piece)] = piece
    try:
        rows(bytes(damaged), kind)
    except UnreadableFileError as error:
        assert error.do


DTA = stata({"place": ["Ash", "Aspen"], "sex": pd.Categorical(["men", "women"]), "x": [1.5, None]})
DTA_114 = stata({"place": ["Ash", "Aspen"], "x": [1.5, None]}, version=114)


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64).filter(lambda x: abs(x) < 8e307), min_size=1)
)
@settings(max_examples=50, deadline=None)
def test_numbers_come_back_exactly(numbers: list[float]) -> None:
    assert [float(row[0]) for row in rows(stata({"x": numbers}), "dta")[1:]] == numbers
