"""A cell of a dimension is a code in the form its contract names, or its row is rejected: a date is no age."""

from __future__ import annotations

from typing import Any

import intake_kit as kit
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.intake.dimensions import age_band, in_form
from pipelines.jurisdiction.contract import RowDimension
from pipelines.jurisdiction.text import normalise

DATES = [
    *(
        "5-Sep",
        "9-May",
        "05-Sep-26",
        "Sep-05",
        "Oct-14",
        "Oct 14",
        "14 October",
        "October 14, 2026",
        "5-Sept.",
        "5. Mai",
    ),
    *("2026-09-05", "2026-09-05 00:00:00", "2026-09-05T00:00:00", "2026/9/5", "05.09.2026", "9/5/26", "5-9-2026"),
    *("10月14日", "9月5日", "2026年9月5日", "2014年10月", "１０月１４日", "05:09", "00:00:00"),
]
SERIALS = ["44118", "41913", "45905", "44118.0", "32999"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0-4", "0-4"),
        ("５－９", "5-9"),
        ("10–14", "10-14"),
        ("10～14岁", "10-14"),
        ("15到19岁", "15-19"),
        ("15 to 19 years", "15-19"),
        ("85+", "85+"),
        ("65岁及以上", "65+"),
        ("85 and over", "85+"),
        ("90 years or older", "90+"),
        ("≥ 65", "65+"),
        ("under 5", "0-4"),
        ("Under 1 year", "0"),
        ("0", "0"),
        ("7岁", "7"),
        ("05-09", "5-9"),
        ("all", "all"),
    ],
)
def test_an_age_is_written_as_the_warehouse_writes_it(text: str, code: str) -> None:
    assert age_band(normalise(text)) == code


@pytest.mark.parametrize(
    "text",
    [
        *DATES,
        *SERIALS,
        "9-5",
        "5-5",
        "2018-2020",
        "200+",
        "0-4²",
        "0-4①",
        "-4",
        "4-",
        "5岁以下",
        "Total",
        "young",
        "٥-٩",
        "",
    ],
)
def test_what_is_no_age_is_none(text: str) -> None:
    assert age_band(normalise(text)) is None


@pytest.mark.parametrize("text", DATES)
def test_a_date_is_no_label_and_no_code(text: str) -> None:
    for form in ("label", "code"):
        code, why = in_form(normalise(text), form)  # type: ignore[arg-type]
        assert code is None
        assert "date" in why


@pytest.mark.parametrize("text", SERIALS)
def test_a_number_that_may_be_a_date_is_a_code_only_where_the_contract_says_that_cells_are_codes(text: str) -> None:
    assert in_form(text, "label")[0] is None
    assert in_form(text, "code")[0] == text


@pytest.mark.parametrize(
    "text",
    [
        "EDU-1",
        "201",
        "20805",
        "1-1",
        "A1.2",
        "1.2.3",
        "10月",
        "March",
        "Mar del Plata",
        "May",
        "123456",
        "3/4",
        "2018年",
    ],
)
def test_other_words_and_codes_are_what_they_are(text: str) -> None:
    form = normalise(text)
    assert in_form(form, "label")[0] == in_form(form, "code")[0] == form


@given(first=st.integers(0, 120), width=st.integers(1, 30), dash=st.sampled_from(["-", "–", "－", "~", " - ", "至"]))
def test_every_band_of_ages_is_read_and_none_backwards(first: int, width: int, dash: str) -> None:
    assert age_band(normalise(f"{first}{dash}{first + width}")) == f"{first}-{first + width}"
    assert age_band(normalise(f"{first + width}{dash}{first}")) is None


# -- in files -----------------------------------------------------------------------------------------------------


def by(rules: list[dict[str, Any]], *rows: tuple[str, ...]) -> Any:
    table = [["Place", *(rule["column"] for rule in rules), "Heads"]]
    table += [["Ash", *cells, str(number)] for number, cells in enumerate(rows, start=1)]
    return kit.read(table, {"rows": rules})


AGE, SEX = {"column": "Age", "dimension": "age_group"}, {"column": "Sex", "dimension": "sex"}


def test_ages_that_a_spreadsheet_made_dates_of_are_rejects_that_say_so() -> None:
    ages = ["0-4", "5-Sep", "Oct-14", "2026-09-05 00:00:00", "10月14日", "44118"]
    taken = by([AGE, SEX], *((age, "male") for age in ages[:-1]), (ages[-1], "Mann"))
    assert taken.accepted["age_group"].to_list() == ["0-4"]
    assert kit.rules(taken) == ["wrong_form"] * 5
    details = taken.rejects["detail"].to_list()
    assert [detail.count("is no age_group") for detail in details] == [1] * 5
    assert all("date" in detail for detail in details)
    assert "Mann in the column Sex is no sex" in details[-1]  # both faults of one row are named


def test_a_list_of_the_contract_goes_before_any_form() -> None:
    assert by([{**AGE, "codes": ["young", "old"]}], ("young",), ("0-4",)).accepted["age_group"].to_list() == ["young"]
    taken = by([{**AGE, "map": {"5-Sep": "5-9", "Total": "all"}}], ("5-Sep",), ("Total",), ("0-4",))
    assert taken.accepted["age_group"].to_list() == ["5-9", "all"]
    assert kit.rules(taken) == ["unknown_code"]


def test_an_item_that_may_be_a_date_needs_a_contract_that_says_it_is_a_code() -> None:
    item = {"column": "Item", "dimension": "item"}
    taken = by([item], ("roads",), ("5-Sep",), ("44118",), ("",))
    assert taken.accepted["item"].to_list() == ["roads"]
    assert kit.rules(taken) == ["wrong_form"] * 3
    taken = by([{**item, "form": "code"}], ("roads",), ("5-Sep",), ("44118",))
    assert taken.accepted["item"].to_list() == ["roads", "44118"]
    assert by([{**item, "form": "age"}], ("10-14",), ("roads",)).accepted["item"].to_list() == ["10-14"]


def test_a_header_that_became_a_date_makes_the_file_unreadable() -> None:
    values = [{"columns": "^(?P<age>.+)$", "measure": "heads", "unit": "persons", "age_group": "{age}"}]
    layout = {"values": values, "header": {"find": ["Place"]}, "region": {"name": "Place"}}
    layout["values"][0]["columns"] = "^(?!Place)(?P<age>.+)$"  # type: ignore[index]
    taken = kit.read([["Place", "0-4", "65岁及以上"], ["Ash", "1", "2"]], layout)
    assert taken.accepted["age_group"].to_list() == ["0-4", "65+"]
    for header in ("5-Sep", "44118", "0-4²"):
        assert f"'{header}' is no age_group" in kit.read([["Place", header], ["Ash", "1"]], layout).problem


def test_the_form_of_what_headers_say_is_the_contracts_word_too() -> None:
    values = [{"columns": r"^c(?P<code>\d+)$", "measure": "heads", "unit": "persons", "item": "{code}"}]
    rows = [["Place", "c44118"], ["Ash", "1"]]
    assert "'44118' in the header 'c44118' is no item" in kit.read(rows, {"values": values}).problem
    coded = [{**values[0], "forms": {"item": "code"}}]
    assert kit.read(rows, {"values": coded}).accepted["item"].to_list() == ["44118"]
    with pytest.raises(ValueError, match="forms"):
        kit.contract({"values": [{**values[0], "forms": {"sex": "label"}}]})


def test_a_form_belongs_to_a_dimension_without_a_list() -> None:
    for fields in ({**AGE, "form": "age", "codes": ["a"]}, {**SEX, "form": "label"}):
        with pytest.raises(ValueError, match="form"):
            RowDimension.model_validate(fields)


# -- codes and names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["VA¹", "Vᴬ1", "VA①", "VA⒈", "ⓋA1", "VA𝟏"])
def test_a_raised_or_circled_sign_makes_no_code_of_another(code: str) -> None:
    layout = {"region": {"code": "Code"}, "header": {"find": ["Code"]}}
    assert kit.rules(kit.read([["Code", "Heads"], [code, "3"]], layout)) == ["unknown_region"]
    assert kit.values(kit.read([["Code", "Heads"], ["ＶＡ１", "3"]], layout)) == {"VA1": 3}


def test_a_code_with_a_sign_is_not_the_code_without_it() -> None:
    item = {"column": "Item", "dimension": "item", "codes": ["21", "2①"]}
    taken = by([item], ("２１",), ("2①",), ("2¹",))
    assert taken.accepted["item"].to_list() == ["21", "2①"]
    assert kit.rules(taken) == ["unknown_code"]


def test_a_name_with_a_note_behind_it_is_not_the_name() -> None:
    taken = kit.read([["Place", "Heads"], ["Ash²", "1"], ["Ａsh", "2"]])
    assert kit.values(taken) == {"VA1": 2}
    assert kit.rules(taken) == ["unknown_region"]
