"""A PC-Axis table is read by its grammar: every number with what it is about, or the file is refused."""

from __future__ import annotations

import itertools
from decimal import Decimal
from pathlib import Path

import intake_kit as kit
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import UnreadableFileError
from pipelines.formats import Grid, read_grids, recognise
from pipelines.jurisdiction.contract import Format

HEAD = 'CHARSET="ANSI";\nAXIS-VERSION="2013";\nLANGUAGE="en";\nTITLE="Heads by place";\nUNITS="persons";\n'
PLACES = 'STUB="place";\nHEADING="year";\nVALUES("place")="Ash","Aspen";\nVALUES("year")="2019","2020";\n'
LAYOUT = {
    "format": {"kind": "px"},
    "header": {"find": ["place", "value"]},
    "region": {"name": "place"},
    "period": {"from": "column", "column": "year", "kind": "year"},
    "tokens": {"..": "missing", "-": "zero"},
    "values": [{"column": "value", "measure": "heads", "unit": "persons"}],
    "ignore_columns": [r"\(code\)$", "^unit$"],
}


def grid(text: str | bytes, **rule: object) -> Grid:
    data = text if isinstance(text, bytes) else text.encode("cp1252")
    return read_grids(data, Format.model_validate({"kind": "px", **rule}), "desk/file/2020/file.px")[0]


def rows(text: str | bytes, **rule: object) -> list[dict[str, str | None]]:
    """The numbers of a file, each with the columns beside it."""
    cells = grid(text, **rule).cells.rows()
    header = next(row for row in cells if row[0] == 0)
    return [dict(zip(header[1:], row[1:], strict=True)) for row in cells if row[0] > 0]


def refused(text: str | bytes, **rule: object) -> str:
    with pytest.raises(UnreadableFileError) as raised:
        grid(text, **rule)
    assert raised.value.do
    return f"{raised.value.message} / {raised.value.where}"


def test_a_table_is_recognised_and_read_by_a_contract() -> None:
    text = HEAD + PLACES + 'DATA=\n1 ".." \n"-" 3.50 ;'
    found = recognise(text.encode())
    assert found is not None
    assert found.kind == "px"
    taken = kit.read(text, LAYOUT)
    assert taken.problem == ""
    values = {(r["region_code"], r["period_end"].year): r["value"] for r in taken.accepted.iter_rows(named=True)}
    assert values == {("VA1", 2019): 1, ("VA1", 2020): None, ("VA2", 2019): 0, ("VA2", 2020): Decimal("3.5")}
    assert taken.rejects.height == 0


def test_the_row_of_a_number_is_its_place_in_data() -> None:
    taken = kit.read(HEAD + PLACES + "DATA=\n1 2\n3 x;", LAYOUT)
    assert taken.rejects.select("rule", "source_row", "source_column").rows() == [("not_a_number", 4, "F value")]


def test_title_unit_and_source_stand_above_the_header_for_captures() -> None:
    text = HEAD + 'SOURCE="The Office";\n' + PLACES + "DATA=\n1 2\n3 4;"
    layout = {
        **LAYOUT,
        "captures": [{"from": "preamble", "pattern": r"UNITS=(?P<unit>\S+)"}],
        "values": [{"column": "value", "measure": "heads", "unit": "{unit}"}],
    }
    assert kit.read(text, layout).accepted.height == 4
    above = [row[1] for row in grid(text).cells.rows() if row[0] < 0]
    assert above == ["TITLE=Heads by place", "UNITS=persons", "SOURCE=The Office"]


def test_codes_stand_beside_the_texts_and_a_text_may_go_on_over_lines() -> None:
    text = (
        HEAD
        + 'STUB="marital status";\nHEADING="sex";\nVALUES("marital status")="sin"\n"gle",\n"mar"\n"ried";\n'
        + 'CODES("marital status")="OG","ÄNKL";\nVALUES("sex")="men; women","total";\nCODES("sex")="1","9";\n'
        + 'NOTE="a text with = and ; and "\n"(brackets)";\nDATA=\n1 2 3 4;\n'
    )
    assert [tuple(row.values()) for row in rows(text)] == [
        ("single", "OG", "men; women", "1", "persons", "1"),
        ("single", "OG", "total", "9", "persons", "2"),
        ("married", "ÄNKL", "men; women", "1", "persons", "3"),
        ("married", "ÄNKL", "total", "9", "persons", "4"),
    ]


def test_each_content_has_its_own_unit() -> None:
    text = (
        HEAD.replace('UNITS="persons";', 'UNITS("Heads")="persons";\nUNITS("Spent")="crowns";')
        + 'STUB="place";\nHEADING="content","year";\nCONTVARIABLE="content";\nVALUES("place")="Ash";\n'
        + 'VALUES("content")="Heads","Spent";\nVALUES("year")="2019","2020";\nDATA=\n1 2 3 4;'
    )
    assert [(row["content"], row["year"], row["unit"], row["value"]) for row in rows(text)] == [
        ("Heads", "2019", "persons", "1"),
        ("Heads", "2020", "persons", "2"),
        ("Spent", "2019", "crowns", "3"),
        ("Spent", "2020", "crowns", "4"),
    ]


LANGUAGES = (
    'CHARSET="ANSI";\nLANGUAGE="sv";\nLANGUAGES="sv","en";\nTITLE="Folk";\nTITLE[en]="Heads";\nUNITS="antal";\n'
    'UNITS[en]="number";\nSTUB="kön";\nSTUB[en]="sex";\nHEADING="år";\nHEADING[en]="year";\n'
    'VALUES("kön")="män","kvinnor";\nVALUES[en]("sex")="men","women";\nCODES("kön")="1","2";\n'
    'VALUES("år")="2020";\nVALUES[en]("year")="2020";\nDATA=\n1\n2;\n'
)


def test_the_contract_chooses_the_language() -> None:
    assert rows(LANGUAGES)[1] == {
        "kön": "kvinnor", "kön (code)": "2", "år": "2020", "år (code)": "2020", "unit": "antal", "value": "2",
    }  # fmt: skip
    assert rows(LANGUAGES, language="en")[1] == {
        "sex": "women", "sex (code)": "2", "year": "2020", "year (code)": "2020", "unit": "number", "value": "2",
    }  # fmt: skip
    assert "no language 'fi'; it has sv, en" in refused(LANGUAGES, language="fi")


SPARSE = (
    HEAD
    + 'STUB="place","sex";\nHEADING="year";\nVALUES("place")="Ash, east","Aspen";\nCODES("place")="1","2";\n'
    + 'VALUES("sex")="men","women";\nVALUES("year")="2019","2020";\nKEYS("place")=CODES;\nKEYS("sex")=VALUES;\n'
)


def test_a_file_with_keys_gives_the_rows_it_has_and_no_others() -> None:
    text = SPARSE + 'DATA=\n"2","women",7 ".."\n"1","men",1 2\n;'
    found = grid(text).cells.rows()
    assert [row[0] for row in found if row[0] > 0] == [7, 8, 1, 2]
    assert [(r["place"], r["sex"], r["year"], r["value"]) for r in rows(text)] == [
        ("Aspen", "women", "2019", "7"),
        ("Aspen", "women", "2020", ".."),
        ("Ash, east", "men", "2019", "1"),
        ("Ash, east", "men", "2020", "2"),
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ('"3","men",1 2', "a row of DATA is called '3'"),
        ('"1","men",1 2\n"1","men",3 4', "DATA has the row 1, men twice"),
        ('"1","men",1 2 3', "DATA has 5 cells, which are no whole rows of 2 keys and 2 numbers"),
    ],
)
def test_rows_with_keys_that_cannot_be_certain_are_refused(data: str, problem: str) -> None:
    assert problem in refused(SPARSE + "DATA=\n" + data + ";")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("1 2 3", "without the `;` that closes DATA"),
        ("1 2 3;", "DATA has 3 cells; the variables make 4"),
        ("1 2 3 4 5;", "DATA has more than 4 cells; the variables make 4"),
        ("1,5 2 3 4;", "DATA has more than 4 cells"),
        ('1 2 3 "..;', "a quote in DATA is not closed"),
        ("", "without the `;`"),
    ],
)
def test_data_that_do_not_fit_the_variables_are_refused(data: str, problem: str) -> None:
    assert problem in refused(HEAD + PLACES + "DATA=\n" + data)


def test_any_sign_may_part_the_cells_and_old_end_marks_do_no_harm() -> None:
    assert [r["value"] for r in rows(HEAD + PLACES + "DATA=\n1,2;\t3\n 4 ;\r\n\x1a")] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (HEAD + 'STUB="place;\nDATA=\n1;', "is no statement"),
        (HEAD + "some words\n" + PLACES + "DATA=\n1 2 3 4;", "file.px, line 6"),
        (HEAD + PLACES, "DATA has not come yet"),
        (HEAD + "DATA=\n1;", "names no variables"),
        (
            HEAD + 'STUB="place";\nVALUES("place")="Ash","Aspen";\nCODES("place")="1";\nDATA=\n1 2;',
            "2 VALUES and 1 CODES",
        ),
        (HEAD + 'STUB="place";\nVALUES("place")="Ash","Aspen";\nCODES("place")="1","1";\nDATA=\n1 2;', "a code twice"),
        (HEAD + 'STUB="place";\nDATA=\n1;', "has 0 VALUES"),
        (HEAD + PLACES + 'VALUES("year")="2020","2021";\nDATA=\n1 2 3 4;', "says VALUES twice"),
    ],
)
def test_a_file_against_the_grammar_is_refused_where_it_breaks_it(text: str, problem: str) -> None:
    assert problem in refused(text)


def test_letters_of_a_dos_file_must_be_named() -> None:
    text = PLACES.replace("Ash", "Ærø") + "DATA=\n1 2 3 4;"
    assert "names no character set" in refused(text.encode("cp850"))
    assert rows(text.encode("cp850"), encoding="cp850")[0]["place"] == "Ærø"
    assert rows(('CODEPAGE="iso-8859-15";\n' + text).encode("iso-8859-15"))[0]["place"] == "Ærø"
    assert rows(text.encode("utf-8"))[0]["place"] == "Ærø"
    assert "unknown encoding 'nonsense'" in refused(('CODEPAGE="nonsense";\n' + text).encode("cp850"))


def test_dimensions_whose_product_is_absurd_are_refused_at_once() -> None:
    many = ",".join(f'"{n}"' for n in range(2000))
    names = [f"v{n}" for n in range(20)]
    head = HEAD + "STUB=" + ",".join(f'"{n}"' for n in names) + ";\n"
    head += "".join(f'VALUES("{n}")={many};\n' for n in names)
    assert "refused" in refused(head + "DATA=\n1 2 3;")
    assert "the variables make 8,000,000,000" in refused(
        HEAD + 'STUB="a","b","c";\n' + "".join(f'VALUES("{n}")={many};\n' for n in "abc") + "DATA=\n1 2 3;"
    )


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), stubs=st.integers(0, 4), seed=st.integers(0, 10**6))
def test_each_number_stands_beside_its_own_values(sizes: list[int], stubs: int, seed: int) -> None:
    """The last variable of the heading runs fastest, whatever the shape of the table."""
    names = [f"v{n}" for n in range(len(sizes))]
    parts = {"STUB": names[:stubs], "HEADING": names[stubs:]}
    text = HEAD + "".join(f"{k}=" + ",".join(f'"{n}"' for n in v) + ";\n" for k, v in parts.items() if v)
    for name, size in zip(names, sizes, strict=True):
        text += f'VALUES("{name}")=' + ",".join(f'"{name}.{n}"' for n in range(size)) + ";\n"
    expected = {
        tuple(f"{name}.{n}" for name, n in zip(names, key, strict=True)): str(seed + place)
        for place, key in enumerate(itertools.product(*(range(size) for size in sizes)))
    }
    found = rows(text + "DATA=\n" + " ".join(expected.values()) + ";")
    assert {tuple(row[name] for name in names): row["value"] for row in found} == expected


@given(cut=st.integers(0, 400), piece=st.text(alphabet='";=()[],DATA1 \n', max_size=4))
def test_a_damaged_file_is_refused_or_has_all_its_numbers(cut: int, piece: str) -> None:
    text = HEAD + PLACES + "DATA=\n11 12\n13 14;\n"
    cut = min(cut, len(text))
    try:
        found = rows(text[:cut] + piece + text[cut + len(piece) :])
    except UnreadableFileError as error:
        assert error.message
        return
    assert all(row["value"] is not None for row in found)


def test_the_example_of_the_documentation_reads_a_table() -> None:
    page = (Path(__file__).parents[1] / "docs" / "contract.md").read_text(encoding="utf-8")
    (example,) = (block for block in page.split("```yaml\n")[1:] if "kind: px" in block)
    layout = yaml.safe_load(example.split("```")[0])
    layout["values"][0]["measure"] = "heads"
    del layout["format"]["language"]
    text = (
        HEAD
        + 'STUB="region","sex";\nHEADING="year";\nVALUES("region")="Ash","Aspen";\nCODES("region")="VA1","VA2";\n'
        + 'VALUES("sex")="men","women","both";\nCODES("sex")="1","2","total";\nVALUES("year")="2020";\nDATA=\n'
        + '1 2 3\n4 ".." 4;'
    )
    taken = kit.read(text, layout)
    assert taken.problem == ""
    assert taken.findings == []
    found = {(r["region_code"], r["sex"]): r["value"] for r in taken.accepted.iter_rows(named=True)}
    assert found == {
        ("VA1", "male"): 1, ("VA1", "female"): 2, ("VA1", "all"): 3,
        ("VA2", "male"): 4, ("VA2", "female"): None, ("VA2", "all"): 4,
    }  # fmt: skip


def test_a_table_as_an_office_publishes_it() -> None:
    path = Path(__file__).parents[2] / "shared" / "cases" / "intake" / "table.px"
    if not path.exists():
        pytest.skip("the shared cases are not beside the repository")
    found = rows(path.read_bytes())
    assert len(found) == 15 * 6
    by_key = {(r["marital status"], r["sex"], r["period"]): r["value"] for r in found}
    assert by_key["widowers/widows", "women", "2003"] == "414863"
    assert by_key["total", "total", "2006"] == "9113257"
    assert {r["marital status (code)"] for r in found} == {"OG", "G", "ÄNKL", "SK", "total"}
    for status, year in itertools.product({r["marital status"] for r in found}, {r["period"] for r in found}):
        men, women, both = (int(by_key[status, sex, year] or "") for sex in ("men", "women", "total"))
        assert men + women == both
