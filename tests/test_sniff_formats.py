"""Files of statistics programs and zips of many files: `sniff` sees what is a figure, a label, a code, a title."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import corpus
import country
import pandas as pd
import pyreadstat
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from test_sniff import settings
from test_sniff_leaves_open import nowhere

from pipelines import cli
from pipelines.intake.personal import check_digit
from pipelines.intake.sniffing import Proposal, propose
from pipelines.intake.sniffing.look import of_any_year
from pipelines.run.trial import check_file, sniff_file

PLACES = {"01": "Port Regal", "02": "San Pedro", "03": "Point Amber", "04": "Rio Claro / Mayo"}
PUPILS = {
    (code, year, sex): 900 + 7 * int(code) + 3 * (year - 2019) + (sex == "M")
    for code in PLACES
    for year in (2019, 2020)
    for sex in "FM"
}
SEXES = {"F": "Women", "M": "Men"}


def px() -> bytes:
    def listed(texts: Any) -> str:
        return ",".join(f'"{text}"' for text in texts)

    return (
        'CHARSET="ANSI";\nAXIS-VERSION="2013";\nCODEPAGE="utf-8";\nMATRIX="ED01";\n'
        'TITLE="Pupils in public schools by region, year and sex";\nCONTENTS="Pupils in public schools";\n'
        'UNITS="persons";\nDECIMALS=0;\nSTUB="region","year";\nHEADING="sex";\n'
        f'VALUES("region")={listed(PLACES.values())};\nVALUES("year")="2019","2020";\n'
        f'VALUES("sex")={listed(SEXES.values())};\nCODES("region")={listed(PLACES)};\nCODES("sex")="F","M";\n'
        f'SOURCE="Central office";\nDATA=\n{" ".join(map(str, PUPILS.values()))};\n'
    ).encode()


def json_stat(**more: Any) -> bytes:
    dimensions = {
        "region": {"label": "Region", "category": {"index": list(PLACES), "label": PLACES}},
        "year": {"label": "Year", "category": {"index": ["2019", "2020"]}},
        "sex": {"label": "Sex", "category": {"index": ["F", "M"], "label": SEXES}},
    }
    found = {"version": "2.0", "class": "dataset", "label": "Pupils in public schools", "id": list(dimensions)}
    found |= {"size": [4, 2, 2], "dimension": dimensions, "value": list(PUPILS.values()), **more}
    return json.dumps(found).encode()


def statistics_file(ending: str, folder: Path) -> bytes:
    rows = [(code, PLACES[code], year, 1 + "FM".index(sex), value) for (code, year, sex), value in PUPILS.items()]
    frame = pd.DataFrame(rows, columns=["code", "name", "year", "sex", "pupils"])
    path = folder / f"file.{ending}"
    write = {"dta": pyreadstat.write_dta, "sav": pyreadstat.write_sav}[ending]
    write(
        frame, str(path), file_label="Pupils in public schools", variable_value_labels={"sex": {1: "Women", 2: "Men"}}
    )
    return path.read_bytes()


def sdmx_csv(multiplier: str = "3") -> bytes:
    rows = [["DATAFLOW", "REF_AREA", "TIME_PERIOD", "SEX", "OBS_VALUE", "OBS_STATUS", "UNIT_MEASURE", "UNIT_MULT"]]
    for number, ((code, year, sex), value) in enumerate(PUPILS.items()):
        status = "P" if number == 0 else "A"
        rows.append(["CSO:PUPILS(1.0)", code, str(year), sex, str(value), status, "PS", multiplier])
    return corpus.text(rows)


def made(ending: str, folder: Path) -> bytes:
    if ending in ("dta", "sav"):
        return statistics_file(ending, folder)
    return {"px": px, "json": json_stat, "csv": sdmx_csv}[ending]()


def layout_of(proposal: Proposal) -> dict[str, Any]:
    return dict(yaml.safe_load(proposal.text)["layouts"][0])


@pytest.mark.parametrize("ending", ["px", "json", "dta", "sav", "csv"])
def test_the_figures_of_a_statistical_file_are_its_only_measure_and_codes_beside_labels_are_nothing(
    ending: str, tmp_path: Path
) -> None:
    found = layout_of(propose(made(ending, tmp_path), f"pupils.{ending}", nowhere(), "moe/pupils"))
    (value,) = found["values"]
    assert value["column"] == {"csv": "OBS_VALUE", "dta": "pupils", "sav": "pupils"}.get(ending, "value")
    (row,) = found["rows"]
    assert (row["column"], row["dimension"]) == ("SEX" if ending == "csv" else "sex", "sex")
    assert not any("?" in pattern for pattern in found.get("ignore_columns", []))


@pytest.mark.parametrize("ending", ["px", "json", "dta", "sav", "csv"])
def test_once_its_open_fields_are_answered_a_statistical_file_is_read_whole(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"pupils_2020.{ending}"
    path.write_bytes(made(ending, tmp_path))
    land = country.make_country(tmp_path / "verdania", landed=False)
    lines = ["region_code,region_name,region_name_en,region_level,parent_code,valid_from,valid_to,code_origin,aliases"]
    kept = land.folder / "reference" / "regions.csv"
    known = kept.read_text(encoding="utf-8").splitlines()[1:2]  # the country itself
    top = next(csv.reader(known))[0]
    lines += [*known, *(f"{code},{name},,county,{top},1990-01-01,,," for code, name in PLACES.items())]
    kept.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = sniff_file(settings(land.folder, tmp_path), path, department="desk", extract="pupils")
    assert (found["observations"], found["rejects"]) == (len(PUPILS), 0)
    text = (
        found["proposal"]
        .replace('map: {"": "?"}', 'map: {"": persons}')
        .replace('{"persons": "?"}', '{"persons": persons}')
    )
    text = text.replace('"3": "?"', '"3": persons').replace('{"F": "?", "M": "?"}', "{F: female, M: male}")
    text = text.replace('unit: "?"', "unit: persons").replace('"?"', "synthetic")
    contract = tmp_path / "desk" / "pupils.yml"
    contract.parent.mkdir()
    contract.write_text(text, encoding="utf-8")
    checked = check_file(settings(land.folder, tmp_path), path, str(contract), "2020")
    assert (checked["observations"], checked["rejects"], checked["open"]) == (len(PUPILS), 0, [])
    assert not [finding for finding in checked["findings"] if finding["check"] == "unknown_column"]


def test_a_power_of_ten_is_never_left_out_of_the_unit() -> None:
    for multiplier in ("0", "3"):
        (value,) = layout_of(propose(sdmx_csv(multiplier), "pupils.csv", nowhere(), "moe/pupils"))["values"]
        assert value["unit"] == {"column": "UNIT_MULT", "map": {multiplier: "?"}}
        assert value["status"] == "OBS_STATUS"
    assert layout_of(propose(sdmx_csv(), "p.csv", nowhere(), "moe/p"))["marks"] == {"P": "provisional", "A": "note"}


def test_a_status_that_comes_later_has_its_place_in_the_proposal() -> None:
    (value,) = layout_of(propose(json_stat(), "pupils.json", nowhere(), "moe/pupils"))["values"]
    assert (value["status"], value["unit"]) == ("status", {"column": "unit", "map": {"": "?"}})
    marked = layout_of(propose(json_stat(status={"0": "x"}), "pupils.json", nowhere(), "moe/pupils"))
    assert marked["marks"] == {"x": "?"}


@pytest.mark.parametrize("ending", ["px", "json", "dta", "sav"])
def test_what_the_file_calls_its_table_is_the_name_without_the_keyword(ending: str, tmp_path: Path) -> None:
    proposal = propose(made(ending, tmp_path), f"file.{ending}", nowhere(), "moe/pupils")
    name = "Pupils in public schools" + (" by region, year and sex" if ending == "px" else "")
    assert yaml.safe_load(proposal.text)["name"] == name
    if ending in ("px", "json"):
        assert [line["name_en"] for line in proposal.measures] == ["Pupils in public schools"]


# -- names and units that titles hold ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "unit", "name"),
    [
        ("Pupils in public schools (persons), 2020", "persons", "Pupils in public schools"),
        ("年末常住人口(万人)", "万人", "年末常住人口"),
        ("Spending of parishes in 2018-19 (£ thousand)", "£ thousand", "Spending of parishes"),
    ],
)
def test_a_unit_that_only_the_title_states_is_named_where_it_is_not_listed_and_used_where_it_is(
    title: str, unit: str, name: str
) -> None:
    rows = corpus.text([[title], [], ["Place", "2019", "2020"], ["Ash", "11", "12"], ["Beech", "33", "35"]])
    proposal = propose(rows, "file.csv", nowhere(), "desk/file")
    assert layout_of(proposal)["values"][0]["unit"] == "?"
    assert proposal.units == [unit]
    assert proposal.measures[0]["name_zh"] == name
    known = propose(rows, "file.csv", nowhere(**{unit: "things"}), "desk/file")
    assert layout_of(known)["values"][0]["unit"] == unit


def test_a_name_in_other_letters_is_no_english_name_and_people_may_be_a_denominator() -> None:
    rows = corpus.text(
        [["年末常住人口(万人)"], ["地区", "2019", "2020"], ["北京市", "11", "12"], ["天津市", "33", "35"]]
    )
    proposal = propose(rows, "file.csv", nowhere(), "desk/file")
    assert yaml.safe_load(proposal.text)["name_en"] == "?"
    (line,) = proposal.measures
    assert (line["name_en"], line["population_source"], line["is_population"]) == ("?", "?", "?")


@given(
    st.sampled_from(["Pupils, {}", "Pupils in {}", "Pupils {}", "{} pupils", "{}年末人口", "人口({})"]),
    st.integers(1990, 2030),
)
def test_what_a_table_is_about_has_no_year(form: str, year: int) -> None:
    assert str(year) not in of_any_year(form.format(year))
    assert of_any_year("Key stage 2 pupils") == "Key stage 2 pupils"


# -- lines for the reference tables -----------------------------------------------------------------------------------


def output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command prints."""
    monkeypatch.setattr("sys.argv", ["junheng", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert not left.value.code
    return capsys.readouterr().out


def test_printed_lines_fit_the_reference_tables_and_all_regions_can_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "newland"
    output(monkeypatch, capsys, "init", str(home))
    path = tmp_path / "heads_2020.csv"
    many = [[f"E060002{number:02}", f"Parish, {number}", str(number * 3)] for number in range(20)]
    path.write_bytes(corpus.text([["Code", "Parish", "Heads"], *many]))
    sniffed = ("sniff", str(path), "--jurisdiction", str(home))
    lines = list(csv.reader(io.StringIO(output(monkeypatch, capsys, *sniffed, "--regions"))))
    header = (home / "reference" / "regions.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert len(lines) == 20
    assert {len(line) for line in lines} == {len(header)}
    assert dict(zip(header, lines[7], strict=True))["region_name"] == "Parish, 7"
    shown = output(monkeypatch, capsys, *sniffed)
    measure = (home / "reference" / "measures.csv").read_text(encoding="utf-8").splitlines()[0]
    assert measure in shown
    assert f"heads,{'Heads,' * 2}?,?,?,none,false,," in shown
    assert "12 more" in shown


# -- zips -------------------------------------------------------------------------------------------------------------


def zipped(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def heads(year: int, header: str = "Heads") -> bytes:
    return corpus.text(
        [["Place", header], *([place, str(year - 1900 + i)] for i, place in enumerate(["Ash", "Beech", "Aspen"]))]
    )


def test_every_file_of_a_zip_is_listed_and_alike_ones_are_read_together(tmp_path: Path) -> None:
    land = country.make_country(tmp_path / "verdania", landed=False)
    files = {"read me.txt": b"hello\n", "2019/heads.csv": heads(2019), "2020/heads.csv": heads(2020)}
    files |= {"2020/cats.csv": corpus.text([["Place", "Cats"], ["Ash", "1"]]), "picture.pdf": b"%PDF-1.7\n"}
    path = tmp_path / "heads_2020.zip"
    path.write_bytes(zipped(**files))
    found = sniff_file(settings(land.folder, tmp_path), path)
    assert [sheet["name"] for sheet in found["sheets"]] == list(files)
    contract = yaml.safe_load(found["proposal"])
    assert contract["files"] == "*.zip"
    layout = contract["layouts"][0]
    assert layout["format"]["member"] == {"pattern": r"^[0-9]{4}/heads\.csv$", "all": True}
    assert layout["period"]["from"] == "capture"
    assert (found["observations"], found["rejects"]) == (6, 0)
    assert {row["period_end"][:4] for row in found["first"]} == {"2019", "2020"}
    other = sniff_file(settings(land.folder, tmp_path), path, sheet="2020/cats.csv")
    assert yaml.safe_load(other["proposal"])["layouts"][0]["values"][0]["column"] == "Cats"


def test_a_file_of_a_zip_whose_name_holds_a_year_is_found_again_next_year(tmp_path: Path) -> None:
    land = country.make_country(tmp_path / "verdania", landed=False)
    path = tmp_path / "heads_2020.zip"
    path.write_bytes(zipped(**{"notes.txt": b"hello\n", "heads 2020.csv": heads(2020)}))
    found = sniff_file(settings(land.folder, tmp_path), path)
    member = yaml.safe_load(found["proposal"])["layouts"][0]["format"]["member"]
    assert member == {"pattern": r"^heads[0-9]+\.csv$"}
    assert found["observations"] == 3


@pytest.mark.parametrize(
    ("name", "files"),
    [("pupils.zip", "*.zip"), ("pupils.csv.zip", "*.csv.zip"), ("a.b.zip", "*.zip"), ("p.xlsx", "*.xlsx")],
)
def test_the_proposed_pattern_of_names_fits_the_file(name: str, files: str) -> None:
    data = (
        heads(2020) if name.endswith("zip") else corpus.workbook({"S": [["Place", "Heads"], ["Ash", 4], ["Beech", 7]]})
    )
    data = zipped(**{"heads.csv": data}) if name.endswith("zip") else data
    assert yaml.safe_load(propose(data, name, nowhere(), "desk/file").text)["files"] == files


# -- names that hold a number of a person -----------------------------------------------------------------------------

IDENTITY = "33010619800101" + "123" + check_digit("33010619800101123")


@pytest.mark.parametrize("number", [IDENTITY, "13800138000"])
def test_a_number_of_a_person_in_a_name_is_in_no_proposal_and_is_told(number: str, tmp_path: Path) -> None:
    land = country.make_country(tmp_path / "verdania", landed=False)
    table = [["Place", "Heads"], ["Ash", 4], ["Beech", 7]]
    path = tmp_path / f"heads {number}.xlsx"
    path.write_bytes(corpus.workbook({"Cover": [["Heads"]], f"Zhang {number}": table}))
    found = sniff_file(settings(land.folder, tmp_path), path, write=True)
    said = json.dumps({name: value for name, value in found.items() if name != "file"}, ensure_ascii=False)
    assert number not in said.replace(str(path), "")
    assert "holds an <" in found["findings"][0]["observed"]
    assert found["observations"] == 2
    assert not [file for file in land.folder.rglob("*") if number in file.name]
    checked = check_file(settings(land.folder, tmp_path), path, "treasury/budget", "2020")
    assert any("holds an <" in finding["observed"] for finding in checked["findings"])
    inside = tmp_path / "heads.zip"
    inside.write_bytes(zipped(**{f"{number}.csv": heads(2020), "heads.csv": heads(2020)}))
    found = sniff_file(settings(land.folder, tmp_path), inside)
    assert number not in json.dumps(found, ensure_ascii=False)
    assert found["observations"] == 3


# -- headers and titles that say more than a name ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        ["Q1 2020", "Q2 2020", "Q3 2020"],
        ["2020 Q1", "2020 Q2", "2020 Q3"],
        ["Jan 2020", "Feb 2020", "March 2020"],
        ["平成30年", "令和元年", "令和2年"],
        ["一季度", "二季度", "三季度"],
        ["1月", "2月", "3月"],
        ["FY18", "FY19", "FY20"],
        ["H1", "H2", "上半年"],
    ],
)
def test_a_header_that_is_a_period_is_never_the_name_of_a_measure(headers: list[str]) -> None:
    rows = [["Place", *headers], ["Ash", "11", "7", "9"], ["Beech", "4", "31", "2"], ["Aspen", "5", "17", "3"]]
    proposal = propose(corpus.text(rows), "file.csv", nowhere(), "desk/file")
    assert {value["measure"] for value in layout_of(proposal)["values"]} == {"?"}
    assert proposal.measures == []
    assert layout_of(proposal)["period"]["kind"] in ("?", "quarter", "month")


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        (["Pupils 2019", "Pupils 2020"], "year"),
        (["Pupils in 2019", "Pupils in 2020"], "year"),
        (["学生数2019年", "学生数2020年"], "year"),
        (["Pupils on 31 March 2019", "Pupils on 31 March 2020"], "?"),
        (["Pupils, first quarter 2019", "Pupils, first quarter 2020"], "?"),
        (["Pupils Jan to Jun 2019", "Pupils Jan to Jun 2020"], "?"),
        (["2019年1-9月", "2020年1-9月"], "?"),
        (["2019年一季度", "2020年一季度"], "?"),
    ],
)
def test_a_year_in_a_header_is_the_period_only_where_nothing_beside_it_says_otherwise(
    headers: list[str], kind: str
) -> None:
    rows = [["Place", *headers], ["Ash", "11", "7"], ["Beech", "4", "31"], ["Aspen", "5", "17"]]
    period = layout_of(propose(corpus.text(rows), "file.csv", nowhere(), "desk/file"))["period"]
    assert (period["kind"] in ("?", "quarter")) if kind == "?" else period == {"from": "header", "kind": kind}


def test_numbers_of_tables_and_notes_are_in_no_name() -> None:
    rows = [["Table 1.2: Net spending by district [note 1]"], ["£ thousand"]]
    rows += [["District", "[note 2] Reserves", "Pupils (注1)"], ["Ash", "11", "7"], ["Beech", "4", "31"]]
    proposal = propose(corpus.text(rows), "file.csv", nowhere(), "desk/file")
    assert yaml.safe_load(proposal.text)["name"] == "Net spending by district"
    assert [(line["measure"], line["name_en"]) for line in proposal.measures] == [
        ("reserves", "Reserves"),
        ("pupils", "Pupils"),
    ]
    assert proposal.units == ["£ thousand"]


def test_percent_signs_of_cells_ask_for_a_percent_unit() -> None:
    rows = [["District", "Covered"], ["Ash", "85%"], ["Beech", "91%"]]
    assert propose(corpus.text(rows), "file.csv", nowhere(), "desk/file").units == ["%"]


def test_sheets_of_several_years_have_a_name_of_none() -> None:
    sheets = {
        str(year): [[f"Births by parish, {year}"], ["Parish", "Births"], ["Ash", 4], ["Beech", 7]]
        for year in (2019, 2020)
    }
    text = propose(corpus.workbook(sheets), "file.xlsx", nowhere(), "desk/file").text
    assert yaml.safe_load(text)["name"] == "Births by parish"


@pytest.mark.parametrize("header", ["Area", "Area (km2)", "Land area", "District area", "面积", "区域面积（平方公里）"])
def test_the_size_of_a_region_is_a_figure_and_no_code(header: str) -> None:
    rows = [["District", header, "Pupils"], ["Ash", "120", "31"], ["Beech", "345", "77"], ["Aspen", "678", "5"]]
    found = layout_of(propose(corpus.text(rows), "file.csv", nowhere(), "desk/file"))
    assert found["region"] == {"name": "District"}
    assert [value["column"] for value in found["values"]] == [header, "Pupils"]
