"""From bytes to observations: what a contract says is found, everything else is refused aloud, nothing is lost."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import country
import intake_kit as kit
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.intake import numbers
from pipelines.intake.frames import Taken
from pipelines.intake.layout import letter

HEADS = [["Place", "Heads"], ["Ash", "12"], ["Aspen", "34"]]


def details(taken: Taken) -> str:
    return " | ".join(taken.rejects["detail"].to_list())


# -- header, notes, columns ---------------------------------------------------------------------------------------


def test_the_header_is_found_below_a_preamble_and_footnotes_are_kept_apart() -> None:
    rows = [["Heads by place"], [], ["(in persons)"], *HEADS, [], ["Note: 1 Sunday only"], ["Ash", "99"]]
    taken = kit.read(rows, {"data": {"end_at": ["^Note"]}})
    assert kit.values(taken) == {"VA1": 12, "VA2": 34}
    assert dict(taken.ignored["reason"].value_counts().iter_rows()) == {
        "preamble": 3,
        "header": 1,
        "blank": 1,
        "footnote": 2,
    }
    assert "99" in taken.ignored["reported_text"].to_list()[-1]


def test_rows_are_named_as_a_person_counts_them() -> None:
    taken = kit.read('a title\n"Place\nof residence",Heads\nAsh,x\nAspen,5\n', {
        "header": {"find": ["Place of residence"]},
        "region": {"name": "Place of residence"},
    })  # fmt: skip
    assert taken.rejects.select("source_row", "source_column").row(0) == (4, "B Heads")
    assert taken.accepted["source_row"].to_list() == [5]


def test_header_names_are_compared_without_blanks_line_breaks_and_width() -> None:
    rows = [["Ｐlace", "Heads（all）\nof\u3000them"], ["Ash", "1"]]
    taken = kit.read(rows, {"values": [{"column": "Heads(all) of them", "measure": "heads", "unit": "persons"}]})
    assert kit.values(taken) == {"VA1": 1}


def test_two_header_rows_join_under_merged_cells() -> None:
    rows = [["Place", "Heads", None, "Crowns"], [None, "men", "women", None], ["Ash", 1, 2, 3], ["Beech", 4, 5, 6]]
    data = country.xlsx_bytes(rows, merges=[(0, 1, 0, 2, "Heads"), (0, 0, 1, 0, "Place"), (0, 3, 1, 3, "Crowns")])
    layout = {
        "format": {"kind": "xlsx"},
        "header": {"find": ["Place", "Heads"], "rows": 2, "fill_right": True},
        "values": [
            {"columns": "^Heads/(?P<sex>men|women)$", "measure": "heads", "unit": "persons", "sex": "{sex}",
             "maps": {"sex": {"men": "male", "women": "female"}}},
            {"column": "Crowns", "measure": "spent", "unit": "crowns"},
        ],
    }  # fmt: skip
    taken = kit.read(data, layout, name="file.xlsx")
    assert taken.accepted.select("region_code", "measure", "sex", "value").rows() == [
        ("VA1", "heads", "male", Decimal(1)),
        ("VB1", "heads", "male", Decimal(4)),
        ("VA1", "heads", "female", Decimal(2)),
        ("VB1", "heads", "female", Decimal(5)),
        ("VA1", "spent", "all", Decimal(3)),
        ("VB1", "spent", "all", Decimal(6)),
    ]
    assert set(taken.accepted["source_column"]) == {"B Heads/men", "C Heads/women", "D Crowns"}


def test_a_missing_column_makes_the_file_unreadable_and_says_what_is_there() -> None:
    taken = kit.read([["Place", "Souls"], ["Ash", "12"]])
    assert taken.problem.startswith("missing column(s): Heads")
    assert "Place, Souls" in taken.problem
    assert kit.rules(taken) == ["unreadable"]
    assert taken.accepted.height == 0


def test_a_column_that_may_be_absent_is_no_fault() -> None:
    values = [
        {"column": "Heads", "measure": "heads", "unit": "persons"},
        {"column": "Crowns", "measure": "spent", "unit": "crowns", "required": False},
    ]
    assert kit.values(kit.read(HEADS, {"values": values})) == {"VA1": 12, "VA2": 34}


def test_a_header_that_is_not_there_makes_the_file_unreadable() -> None:
    assert "no row holds the header names Place" in kit.read([["Where", "Heads"], ["Ash", "1"]]).problem


def test_a_column_that_stands_twice_is_never_chosen_between() -> None:
    assert "'Heads' stands twice" in kit.read([["Place", "Heads", "Heads"], ["Ash", "1", "2"]]).problem


def test_a_column_nobody_agreed_on_is_a_finding() -> None:
    rows = [["Place", "Heads", "Dogs", "Rank"], ["Ash", "1", "2", "3"]]
    taken = kit.read(rows, {"ignore_columns": ["^Rank$"]})
    assert [f["observed"] for f in taken.findings] == ["Dogs"]


def test_total_rows_are_ignored_with_their_reason() -> None:
    rows = [*HEADS, ["All", "46"]]
    taken = kit.read(rows, {"ignore_rows": [{"reason": "total", "column": "Place", "pattern": "^All$"}]})
    assert kit.values(taken) == {"VA1": 12, "VA2": 34}
    assert taken.ignored.filter(pl.col("reason") == "total")["source_row"].to_list() == [4]


def test_a_total_row_that_is_not_the_sum_is_a_finding() -> None:
    rule = {"reason": "total", "column": "Place", "pattern": "^All$", "reconcile": "all"}
    assert kit.read([*HEADS, ["All", "46"]], {"ignore_rows": [rule]}).findings == []
    (found,) = kit.read([*HEADS, ["All", "47"]], {"ignore_rows": [rule]}).findings
    assert (found["check"], found["severity"]) == ("reported_total", "warn")
    assert "47" in found["observed"]
    assert "46" in found["expected"]


def test_parts_of_a_row_must_add_up_where_the_contract_says_so() -> None:
    values = [
        {"column": name, "measure": "heads", "unit": "persons", "sex": sex}
        for name, sex in (("All", "all"), ("Men", "male"), ("Women", "female"))
    ]
    control = {"name": "sexes", "total": "All", "parts": ["Men", "Women"]}
    rows = [["Place", "All", "Men", "Women"], ["Ash", "5", "2", "3"], ["Aspen", "9", "4", "4"]]
    (found,) = kit.read(rows, {"values": values, "controls": [control]}).findings
    assert (found["check"], found["severity"]) == ("control_total", "block")
    assert "row 3: All is 9" in found["observed"]


def test_columns_are_called_as_a_spreadsheet_calls_them() -> None:
    assert [letter(i) for i in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


# -- regions --------------------------------------------------------------------------------------------------------

BY_BOTH = {"region": {"code": "Code", "name": "Place"}, "header": {"find": ["Code", "Place"]}}


def with_codes(*rows: tuple[str, str]) -> list[list[str]]:
    return [["Code", "Place", "Heads"], *([code, name, str(n)] for n, (code, name) in enumerate(rows, start=1))]


def test_a_region_is_known_by_its_code() -> None:
    layout = {"region": {"code": "Code"}, "header": {"find": ["Code"]}}
    assert kit.values(kit.read([["Code", "Heads"], [" VA1 ", "3"]], layout)) == {"VA1": 3}


def test_a_region_is_known_by_its_name_or_another_name_it_has() -> None:
    rows = [["Place", "Heads"], [" Alder  Shire", "1"], ["Birch", "2"], ["Ærø", "3"]]
    assert kit.values(kit.read(rows)) == {"VA": 1, "VB": 2, "VB2": 3}


def test_code_and_name_must_agree() -> None:
    taken = kit.read(with_codes(("VA1", "Ash"), ("VA2", "Beech")), BY_BOTH)
    assert kit.values(taken) == {"VA1": 1}
    assert kit.rules(taken) == ["code_and_name_disagree"]
    assert "VA2 is Aspen, the name says Beech" in details(taken)


def test_a_typing_error_in_a_name_is_taken_only_after_a_person_accepted_it() -> None:
    rows = with_codes(("VA1", "Ahs"))
    assert kit.rules(kit.read(rows, BY_BOTH)) == ["code_and_name_disagree"]
    accepted = {**BY_BOTH, "region": {**BY_BOTH["region"], "accepted": {"A h s": "VA1"}}}
    assert kit.values(kit.read(rows, accepted)) == {"VA1": 1}
    assert kit.rules(kit.read(with_codes(("VA2", "Ahs")), accepted)) == ["code_and_name_disagree"]


def test_a_wrong_code_is_taken_only_after_a_person_accepted_it_and_only_beside_the_name_it_stands_for() -> None:
    accepted = {**BY_BOTH, "region": {**BY_BOTH["region"], "accepted": {"X 22": "VA1"}}}
    assert kit.rules(kit.read(with_codes(("X22", "Ash")), BY_BOTH)) == ["unknown_region"]
    assert kit.values(kit.read(with_codes(("X22", "Ash")), accepted)) == {"VA1": 1}
    assert kit.rules(kit.read(with_codes(("X22", "Aspen")), accepted)) == ["code_and_name_disagree"]
    assert kit.rules(kit.read(with_codes(("X23", "Ash")), accepted)) == ["unknown_region"]


def test_a_text_that_stands_for_no_code_is_mapped_by_name_or_refused() -> None:
    layout = {**BY_BOTH, "region": {**BY_BOTH["region"], "no_code": ["NA"], "accepted": {"The Docks": "VB1"}}}
    assert kit.values(kit.read(with_codes(("NA", "The Docks")), layout)) == {"VB1": 1}
    refused = kit.read(with_codes(("NA", "Ashe")), layout)
    assert kit.rules(refused) == ["unknown_region"]
    assert "nearest: Ash (VA1)" in details(refused)


def test_a_suffix_of_the_department_is_taken_off_a_name() -> None:
    layout = {"region": {"name": "Place", "name_suffixes": ["own level"]}}
    assert kit.values(kit.read([["Place", "Heads"], ["Alder Shire own level", "7"]], layout)) == {"VA": 7}


def test_an_unknown_name_is_refused_with_the_nearest_ones() -> None:
    taken = kit.read([["Place", "Heads"], ["Aspn", "7"], ["Zzyzx", "8"]])
    assert kit.rules(taken) == ["unknown_region"] * 2
    assert taken.rejects["detail"][0].startswith("nearest: Aspen (VA2)")
    assert taken.rejects["detail"][1] == "no region has a name like it"
    assert taken.rejects["reported_text"].to_list() == ["Aspn | 7", "Zzyzx | 8"]


def test_an_unknown_or_empty_code_is_refused() -> None:
    layout = {"region": {"code": "Code"}, "header": {"find": ["Code"]}}
    taken = kit.read([["Code", "Heads"], ["VX", "3"], ["", "4"]], layout)
    assert kit.rules(taken) == ["unknown_region", "no_region"]


def test_a_name_that_two_regions_bear_is_never_chosen_between() -> None:
    taken = kit.read([["Place", "Heads"], ["Twin", "7"]])
    assert kit.rules(taken) == ["ambiguous_region"]
    assert "VA9, VB9" in details(taken)


def test_a_region_must_be_in_force_when_its_number_is_about() -> None:
    rows = [["Code", "Heads"], ["VA3", "3"]]
    layout = {"region": {"code": "Code"}, "header": {"find": ["Code"]}}
    assert kit.values(kit.read(rows, layout, period="2018")) == {"VA3": 3}
    late = kit.read(rows, layout, period="2020")
    assert kit.rules(late) == ["region_not_in_force"]
    assert "1900-01-01 to 2019-07-01" in details(late)
    assert kit.rules(kit.read([["Place", "Heads"], ["Old Mill", "3"]], period="2020")) == ["unknown_region"]


def test_a_number_for_a_year_after_its_region_ended_is_refused_one_before_is_taken() -> None:
    layout = {
        "period": {"from": "header", "kind": "point", "month_day": "12-31"},
        "values": [{"columns": r"^(?P<period>\d{4})$", "measure": "heads", "unit": "persons"}],
        "tokens": {"-": "not_applicable"},
    }
    taken = kit.read([["Place", "2018", "2019", "2020"], ["Old Mill", "5", "6", "-"], ["Ash", "7", "8", "9"]], layout)
    assert kit.rules(taken) == ["region_not_in_force"]
    assert taken.rejects.select("source_row", "source_column", "scope", "reported_text").row(0) == (
        2,
        "C 2019",
        "cell",
        "6",
    )
    old_mill = taken.accepted.filter(pl.col("region_code") == "VA3")
    assert old_mill.select(pl.col("period_end").cast(str), "value", "obs_status").rows() == [
        ("2018-12-31", Decimal(5), "A"),
        ("2020-12-31", None, "M"),
    ]


# -- keys, periods, dimensions ------------------------------------------------------------------------------------


def test_the_same_row_twice_is_a_duplicate_taken_once() -> None:
    taken = kit.read([*HEADS, ["Ash", " 12 "]])
    assert kit.values(taken) == {"VA1": 12, "VA2": 34}
    assert kit.rules(taken) == []
    assert taken.tie_out[0].rows_duplicate == 1
    assert [(f["check"], f["severity"], f["observed"]) for f in taken.findings] == [
        ("repeated_row", "warn", "row 4 repeats row 2 (VA1)")
    ]


def test_a_row_that_stands_again_in_a_later_block_is_told_with_the_row_that_it_repeats() -> None:
    blocks = {"header": {"find": ["Place"], "repeats": True}}
    rows = [*HEADS, ["Place", "Heads"], ["Ash", "12"], ["Beech", "5"], ["Place", "Heads"], ["Ash", "12"]]
    taken = kit.read(rows, blocks)
    assert kit.values(taken) == {"VA1": 12, "VA2": 34, "VB1": 5}
    assert taken.tie_out[0].holds
    assert [f["observed"] for f in taken.findings] == ["row 5 repeats row 2 (VA1)", "row 8 repeats row 2 (VA1)"]


def test_many_rows_that_stand_again_are_told_in_few_words() -> None:
    taken = kit.read([HEADS[0], *([HEADS[1]] * 40)])
    told = [f["observed"] for f in taken.findings]
    assert len(told) == 21
    assert told[-1] == "19 more rows repeat earlier ones"


def test_the_same_key_with_other_numbers_is_refused_wherever_it_stands() -> None:
    taken = kit.read([*HEADS, ["Ash", "13"]])
    assert kit.values(taken) == {"VA2": 34}
    assert kit.rules(taken) == ["duplicate_key"] * 2
    assert taken.rejects["source_row"].to_list() == [2, 4]


def test_two_columns_that_report_the_same_figure_are_both_refused() -> None:
    values = [{"columns": "^(Heads|Souls)$", "measure": "heads", "unit": "persons"}]
    taken = kit.read([["Place", "Heads", "Souls"], ["Ash", "1", "2"]], {"values": values})
    assert kit.rules(taken) == ["duplicate_key"] * 2
    assert taken.accepted.height == 0


def test_periods_come_from_folder_header_or_column() -> None:
    by_column = {"period": {"from": "column", "column": "Year", "kind": "year"}}
    taken = kit.read([["Place", "Year", "Heads"], ["Ash", "2019年", "1"], ["Ash", "sometime", "2"]], by_column)
    assert taken.accepted.select(pl.col("period_start").cast(str), pl.col("period_end").cast(str)).rows() == [
        ("2019-01-01", "2019-12-31")
    ]
    assert kit.rules(taken) == ["unknown_period"]
    point = kit.read(HEADS, {"period": {"from": "folder", "kind": "point", "month_day": "11-01"}}, period="2010")
    assert set(point.accepted["period_end"].cast(str)) == {"2010-11-01"}
    assert "gives no year" in kit.read(HEADS, period="latest").problem


def test_a_code_in_a_row_is_mapped_and_an_unknown_one_refused() -> None:
    rows = [["Place", "Part", "Heads"], ["Ash", "town", "1"], ["Ash", "sea", "2"], ["Aspen", "", "3"]]
    rule = {"column": "Part", "dimension": "residence", "map": {"town": "urban", "land": "rural"}}
    taken = kit.read(rows, {"rows": [rule]})
    assert taken.accepted["residence"].to_list() == ["urban"]
    assert kit.rules(taken) == ["unknown_code"] * 2
    assert "sea" in taken.rejects["detail"][0]


def test_a_row_bears_the_marks_that_a_cell_of_it_tells_beside_those_of_each_number() -> None:
    rows = [
        ["Place", "Flag", "Heads"],
        ["Ash", "e", "1"],
        ["Aspen", "e", "2p"],
        ["Beech", "", "3"],
        ["Ærø", "e", ""],
    ]
    layout = {
        "status": "Flag",
        "marks": {"p": "provisional", "e": "estimated"},
        "tokens": {"": "missing"},
        "values": [{"column": "Heads", "measure": "heads", "unit": "persons", "mark": "break"}],
    }
    taken = kit.read(rows, layout)
    assert dict(taken.accepted.select("region_code", "obs_status").iter_rows()) == {
        "VA1": "E",
        "VA2": "E;P",
        "VB1": "B",  # what a column says of all its numbers counts where neither says anything
        "VB2": "O",
    }
    assert taken.findings == []  # the column of flags is taken


STATUSES = {
    # number, status -> value and status, or None for a reject
    ("5", ""): ("5", "A"),
    ("5", "e"): ("5", "E"),
    ("5 p", "e"): ("5", "E;P"),
    ("5", "e p"): ("5", "E;P"),
    ("", "e"): (None, "O"),
    ("..", "e"): (None, "O"),
    ("..", "e, p"): (None, "O"),
    ("-", "e"): ("0", "E"),
    ("<", "p"): ("0", "N;P"),
    ("99", "e"): (None, "L"),
    ("", "M"): (None, "M"),
    ("", ""): (None, "O"),
    ("5", "M"): None,
    ("5", "?"): None,
    ("", "?"): None,
    ("..", "M"): None,
    ("5", "2"): None,
    ("", "7"): None,
    ("5", "²"): None,
    ("5", "200"): None,
    ("5", "999"): None,
    ("", "999"): (None, "L"),
    ("1 200", "e"): ("1200", "E"),
    ("5.", "e"): None,
}


@pytest.mark.parametrize(("cells", "right"), STATUSES.items(), ids=lambda each: repr(each))
@pytest.mark.parametrize("where", ["layout", "column"])
def test_a_status_beside_its_number_is_a_mark_or_a_token_or_a_reject(
    cells: tuple[str, str], right: tuple[str | None, str] | None, where: str
) -> None:
    value = {"column": "Heads", "measure": "heads", "unit": "persons"}
    layout: dict[str, Any] = {
        "marks": {"p": "provisional", "e": "estimated"},
        "tokens": {"": "missing", "..": "missing", "-": "zero", "<": "less_than_half", "M": "not_applicable"},
        "values": [value],
    }
    layout["tokens"] |= {"99": "not_collected", "999": "not_collected"}
    layout["numbers"] = {"thousands": " "}
    (value if where == "column" else layout)["status"] = "Flag"
    taken = kit.read([["Place", "Heads", "Flag"], ["Ash", *cells]], layout)
    found = [
        (None if v is None else f"{v.normalize():f}", s) for v, s in taken.accepted.select("value", "obs_status").rows()
    ]
    assert (found or None) == (None if right is None else [right])
    assert taken.rejects.height == (right is None)


def test_a_name_says_the_status_of_its_whole_row_and_other_names_say_nothing() -> None:
    rows = [["Place", "Heads", "Guests"], ["Ash", "1", "2"], ["Aspen", "3", ".."], ["Beech", "4", "5"]]
    layout = {
        "status": {"column": "Place", "pattern": "^(Aspen|Beech)$"},
        "marks": {"Aspen": "estimated", "Beech": "provisional"},
        "tokens": {"..": "missing"},
        "values": [
            {"column": "Heads", "measure": "heads", "unit": "persons"},
            {"column": "Guests", "measure": "guests", "unit": "persons"},
        ],
    }
    taken = kit.read(rows, layout)
    assert taken.accepted.select("region_code", "measure", "obs_status").rows() == [
        ("VA1", "heads", "A"),
        ("VA2", "heads", "E"),
        ("VB1", "heads", "P"),
        ("VA1", "guests", "A"),
        ("VA2", "guests", "O"),
        ("VB1", "guests", "P"),
    ]


def test_a_label_on_the_first_row_of_a_block_holds_for_the_rows_below() -> None:
    rows = [["What", "Place", "Heads"], ["People", "Ash", "1"], ["", "Aspen", "2"], ["Guests", "Ash", "3"]]
    rule = {"column": "What", "dimension": "measure", "fill": "down", "map": {"People": "heads", "Guests": "guests"}}
    taken = kit.read(rows, {"rows": [rule], "values": [{"column": "Heads", "unit": "persons"}]})
    assert taken.accepted.select("measure", "region_code").rows() == [
        ("heads", "VA1"),
        ("heads", "VA2"),
        ("guests", "VA1"),
    ]


def test_what_a_token_means_belongs_to_the_column() -> None:
    values = [
        {"column": "Heads", "measure": "heads", "unit": "persons", "tokens": {"": "zero"}},
        {"column": "Crowns", "measure": "spent", "unit": "crowns"},
    ]
    taken = kit.read([["Place", "Heads", "Crowns"], ["Ash", "", ""]], {"values": values})
    assert taken.accepted.select("measure", "value", "obs_status").rows() == [("heads", Decimal(0), "A")]
    assert kit.rules(taken) == ["empty_cell"]


def test_a_known_reject_stays_rejected_and_says_why() -> None:
    known = {"reason": "a slip of the pen, asked on Monday", "column": "Heads", "text": "5.54", "region_code": "VA1"}
    rows = [["Place", "Heads"], ["Ash", "5.54"], ["Aspen", "5.54"]]
    values = [{"column": "Heads", "measure": "heads", "unit": "persons", "type": "integer"}]
    taken = kit.read(rows, {"values": values}, quality={"known_rejects": [known]})
    assert taken.accepted.height == 0
    assert taken.rejects.select("region_code", "rule", "is_known", "known_reason").rows() == [
        ("VA1", "not_an_integer", True, known["reason"]),
        ("VA2", "not_an_integer", False, None),
    ]


def test_fewer_or_more_rows_than_agreed_is_a_reject_of_the_file() -> None:
    for rows, expected in (({"min": 3}, "at least 3"), ({"min": 1, "max": 1}, "at most 1")):
        taken = kit.read(HEADS, quality={"rows": rows})
        assert kit.rules(taken) == ["row_count"]
        assert expected in details(taken)
        assert taken.accepted.height == 2


# -- bytes --------------------------------------------------------------------------------------------------------


def test_a_file_of_no_bytes_is_unreadable() -> None:
    assert "the file is empty (0 bytes)" in kit.read(b"").problem


def test_a_file_of_blank_lines_has_no_header() -> None:
    assert kit.read(b"\n\n\n").problem
    assert kit.read(b"\xef\xbb\xbf").problem


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "cp1252", "utf-16"])
def test_text_is_read_in_the_encoding_agreed_on(encoding: str) -> None:
    name = "Ærø" if encoding != "gb18030" else "Ash"
    data = f"Place,Heads\n{name},5\n".encode(encoding)
    assert list(kit.values(kit.read(data, {"format": {"kind": "csv", "encoding": encoding}})).values()) == [5]


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    data = "Place,Heads\nAsh,5\n".encode("utf-8-sig")
    for encoding in ("utf-8", "utf-8-sig"):
        assert kit.values(kit.read(data, {"format": {"kind": "csv", "encoding": encoding}})) == {"VA1": 5}


def test_another_encoding_than_agreed_is_unreadable_and_names_the_byte() -> None:
    data = "地区,Heads\n杭州市,5\n".encode("gb18030")
    problem = kit.read(data, {"header": {"find": ["地区"]}, "region": {"name": "地区"}}).problem
    assert "the bytes are not utf-8: byte 0 cannot be read" in problem
    assert "encoding" in problem


def test_a_workbook_sent_as_text_or_text_sent_as_a_workbook_is_unreadable() -> None:
    workbook = country.xlsx_bytes(HEADS)
    assert kit.read(workbook).problem
    assert "workbook" in kit.read(b"Place,Heads\nAsh,5\n", {"format": {"kind": "xlsx"}}).problem
    assert "workbook" in kit.read(workbook[: len(workbook) // 2], {"format": {"kind": "xlsx"}}).problem


def test_null_bytes_are_no_text() -> None:
    assert "null bytes" in kit.read(b"Place,Heads\nAsh,\x00\x00\n").problem


def test_a_missing_sheet_is_named_with_those_that_are_there() -> None:
    problem = kit.read(country.xlsx_bytes(HEADS, "January"), {"format": {"kind": "xlsx", "sheet": "June"}}).problem
    assert "no sheet 'June'; it has January" in problem
    assert (
        "has 1 sheets, not 3" in kit.read(country.xlsx_bytes(HEADS), {"format": {"kind": "xlsx", "sheet": 3}}).problem
    )


def test_tabs_in_cells_and_a_trailing_comma_are_nothing() -> None:
    data = "\ufeffPlace\t,2019\t,2020\t,\nAsh\t,5\t,6\t,\n".encode()
    layout = {
        "period": {"from": "header", "kind": "year"},
        "values": [{"columns": r"^(?P<period>\d{4})$", "measure": "heads", "unit": "persons"}],
    }
    assert kit.read(data, layout).accepted["value"].to_list() == [5, 6]


def test_numbers_of_a_workbook_are_as_exact_as_its_text() -> None:
    rows: list[list[Any]] = [["Place", "Heads"], ["Ash", 6456.7588], ["Aspen", 0.1], ["Beech", 12], ["Ærø", "1,200"]]
    values = [{"column": "Heads", "measure": "heads", "unit": "thousand"}]
    taken = kit.read(country.xlsx_bytes(rows), {"format": {"kind": "xlsx"}, "values": values})
    assert kit.values(taken) == {"VA1": Decimal("6456758.8"), "VA2": 100, "VB1": 12000, "VB2": 1_200_000}
    assert set(taken.accepted["unit"]) == {"persons"}
    assert set(taken.accepted["unit_reported"]) == {"thousand"}


def test_an_observation_keeps_its_id_and_says_where_it_stands() -> None:
    first, second = kit.read(HEADS), kit.read(HEADS)
    assert first.accepted.equals(second.accepted)
    assert first.accepted["observation_id"].is_unique().all()
    assert first.accepted.select("source_file", "source_sheet", "source_row", "source_column").row(0) == (
        "file.csv",
        "",
        2,
        "B Heads",
    )


# -- the law ------------------------------------------------------------------------------------------------------

CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "12", "7.5", "1,000", "5 6", "x", "NA", "…", "-3", "1e3", "\ufffd", "(4)", "１２", "#REF!"]
    ),
    st.text(max_size=5),
)
PLACES = st.one_of(st.sampled_from(["Ash", "Aspen", "Beech", "Twin", "Old Mill", "All", "Nowhere", "", " Ash "]))
LAYOUT = {
    "header": {"find": ["Place", "Heads"]},
    "data": {"end_at": ["^Note"]},
    "ignore_rows": [{"reason": "total", "column": "Place", "pattern": "^All$"}],
    "tokens": {"": "missing", "NA": "not_applicable"},
    "values": [
        {"column": "Heads", "measure": "heads", "unit": "thousand", "type": "integer", "min": 0},
        {"column": "Share", "measure": "share", "unit": "%", "max": 100, "tokens": {"…": "suppressed"}},
    ],
}


@given(
    before=st.lists(st.lists(CELLS, max_size=3), max_size=3),
    data=st.lists(st.tuples(PLACES, CELLS, CELLS, CELLS), max_size=12),
    after=st.lists(st.lists(CELLS, max_size=4), max_size=3),
    has_note=st.booleans(),
)
def test_every_row_and_every_value_read_is_in_the_account_exactly_once(
    before: list[list[str]], data: list[tuple[str, ...]], after: list[list[str]], has_note: bool
) -> None:
    rows = [*before, ["Place", "Heads", "Share", "Other"], *map(list, data)]
    if has_note:
        rows += [["Note: so it was"], *after]
    taken = kit.read(rows, LAYOUT, quality={"rows": {"min": 0}})  # kit.read holds every account to the law
    if taken.problem:
        assert kit.rules(taken) == ["unreadable"]
        return
    (account,) = taken.tie_out
    row_rejects = taken.rejects.filter(pl.col("scope") == "row")
    cell_rejects = taken.rejects.filter(pl.col("scope") == "cell")
    assert taken.ignored.height == account.rows_ignored
    assert row_rejects.height == account.rows_rejected
    assert cell_rejects.height == account.values_rejected
    assert taken.accepted.height == account.values_accepted + account.values_missing
    assert taken.accepted["value"].is_not_null().sum() == account.values_accepted
    assert taken.rejects["reject_id"].is_unique().all()
    assert taken.accepted["observation_id"].is_unique().all()
    # a row is in one place only
    seen = [
        set(taken.ignored["source_row"]),
        set(row_rejects["source_row"]),
        set(taken.accepted["source_row"]) | set(cell_rejects["source_row"]),
    ]
    assert sum(len(s) for s in seen) == len(set().union(*seen))
    # no number without its cell: what was taken is what stands there
    for row in taken.accepted.filter(pl.col("value").is_not_null()).iter_rows(named=True):
        assert row["value_reported"].strip() != ""


# -- what else a contract can say -----------------------------------------------------------------------------------


def test_a_file_about_one_region_names_it_in_its_name_its_sheet_or_a_cell() -> None:
    rows = [["Count in", "VA1"], [], ["Ward", "Heads"], ["a", "1"], ["b", "2"]]
    base: dict[str, Any] = {"header": {"find": ["Ward"]}, "rows": [{"column": "Ward", "dimension": "item"}]}
    ways: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"from": "cell", "cell": "B1", "pattern": "^(?P<place>.+)$"}, {"code": "{place}"}),
        ({"from": "preamble", "pattern": r"Countin (?P<place>\w+)"}, {"code": "{place}"}),
        ({"from": "file_name", "pattern": r"^(?P<place>\w+)_"}, {"name": "{place}"}),
    ]
    for capture, region in ways:
        taken = kit.read(rows, {**base, "captures": [capture], "region": region}, name="Ash_2020.csv", files="*")
        assert taken.accepted.select("region_code", "item", "value").rows() == [
            ("VA1", "a", Decimal(1)),
            ("VA1", "b", Decimal(2)),
        ]
    away = {**base, "captures": [{**ways[0][0], "cell": "Z99"}], "region": {"code": "{place}"}}
    assert "the cell Z99 holds nothing like" in kit.read(rows, away).problem


def test_a_region_a_year_and_a_label_hold_for_the_rows_below_and_not_across_a_total() -> None:
    rows = [["Place", "Year", "Ward", "Heads"], ["Ash", "2019", "a", "1"], ["", "", "b", "2"], ["", "2020", "a", "3"]]
    rows += [["All", "2020", "a", "9"], ["", "", "b", "9"], ["Aspen", "2019", "a", "4"]]
    layout = {
        "region": {"name": "Place", "fill": "down"},
        "period": {"from": "column", "column": "Year", "kind": "year", "fill": "down"},
        "rows": [{"column": "Ward", "dimension": "item"}],
        "ignore_rows": [{"reason": "total", "column": "Place", "pattern": "^All$"}],
    }
    taken = kit.read(rows, layout)
    figures = taken.accepted.select("region_code", pl.col("period_end").dt.year(), "item", "value").rows()
    assert figures == [
        ("VA1", 2019, "a", Decimal(1)),
        ("VA1", 2019, "b", Decimal(2)),
        ("VA1", 2020, "a", Decimal(3)),
        ("VA2", 2019, "a", Decimal(4)),
    ]
    # the second line of the total is nobody's: refused, never given to Ash
    assert taken.rejects.select("rule", "source_row").rows() == [("unknown_region", 6)]


def test_a_name_stands_in_the_column_of_its_level() -> None:
    rows = [["Shire", "Parish", "Heads"], ["Alder", "", "3"], ["", "Ash", "1"], ["Birch", "Beech", "2"]]
    taken = kit.read(rows, {"header": {"find": ["Shire"]}, "region": {"name": ["Parish", "Shire"]}})
    assert kit.values(taken) == {"VA": 3, "VA1": 1, "VB1": 2}


def test_a_part_of_a_cell_is_a_region_or_a_code_where_the_contract_says_which() -> None:
    rows = [["key", "Heads"], ["F,VA1", "1"], ["M,VA1", "2"], ["VA2", "3"]]
    layout = {
        "header": {"find": ["key"]},
        "region": {"code": "key", "pattern": r",(\w+)$"},
        "rows": [{"column": "key", "dimension": "sex", "pattern": "^(.),", "map": {"F": "female", "M": "male"}}],
    }
    taken = kit.read(rows, layout)
    assert taken.accepted.select("region_code", "sex", "value").rows() == [
        ("VA1", "female", Decimal(1)),
        ("VA1", "male", Decimal(2)),
    ]
    assert kit.rules(taken) == ["no_region"]


def test_several_file_patterns_may_be_agreed_on() -> None:
    contract = kit.contract(files=["*.csv", "*.xlsx"])
    assert contract.takes(Path("a/b/2020/file.xlsx"))
    assert not contract.takes(Path("a/b/2020/file.ods"))


NOISE = st.text("abcXYZ 0123456789.-", max_size=6)


@given(
    above=st.lists(st.lists(NOISE, max_size=3), max_size=6),
    order=st.permutations(["Place", "Heads", "Rank"]),
    blanks=st.integers(0, 3),
    heads=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=4),
)
def test_the_header_is_found_wherever_it_moves_and_its_columns_however_they_stand(
    above: list[list[str]], order: list[str], blanks: int, heads: list[int]
) -> None:
    places = {"VA1": "Ash", "VA2": "Aspen", "VB1": "Beech", "VB2": "Ærø"}
    lines = [{"Place": p, "Heads": str(n), "Rank": "1"} for p, n in zip(places.values(), heads, strict=False)]
    rows = [*above, *([[]] * blanks), list(order), *([line[name] for name in order] for line in lines)]
    taken = kit.read(rows, {"header": {"find": ["Place", "Heads"]}, "ignore_columns": ["^Rank$"]})
    assert kit.values(taken) == dict(zip(places, heads, strict=False))


@given(
    texts=st.lists(st.sampled_from(["-", "..", "[x]", "c", "*", "0", "", "5", "7.5", "n.d.", "3 4"]), max_size=4),
    meanings=st.dictionaries(
        st.sampled_from(["-", "..", "[x]", "c", "*", "0", ""]), st.sampled_from(sorted(numbers.STATUS_OF_TOKEN))
    ),
)
def test_a_token_has_the_status_agreed_on_and_every_other_sign_is_a_reject(
    texts: list[str], meanings: dict[str, Any]
) -> None:
    places = {"VA1": "Ash", "VA2": "Aspen", "VB1": "Beech", "VB2": "Ærø"}
    rows = [["Place", "Heads"], *([place, text] for place, text in zip(places.values(), texts, strict=False))]
    taken = kit.read(rows, {"tokens": meanings})
    found = {code: (v, s) for code, v, s in taken.accepted.select("region_code", "value", "obs_status").iter_rows()}
    refused = set(taken.rejects["region_code"].to_list())
    for code, text in zip(places, texts, strict=False):
        if text in meanings:
            is_zero = meanings[text] in ("zero", "less_than_half")
            assert found[code] == (0 if is_zero else None, numbers.STATUS_OF_TOKEN[meanings[text]])
        elif text in ("5", "7.5", "0"):
            assert found[code] == (Decimal(text), "A")
        else:
            assert code in refused
            assert code not in found


@given(unit=st.sampled_from(["persons", "thousand"]), number=st.decimals(-(10**6), 10**6, places=3))
def test_a_unit_in_the_header_scales_its_column_exactly(unit: str, number: Decimal) -> None:
    layout = {"values": [{"columns": r"^Heads\((?P<unit>\w+)\)$", "measure": "heads", "unit": "{unit}"}]}
    taken = kit.read([["Place", f"Heads ({unit})"], ["Ash", str(number)]], layout)
    assert kit.values(taken) == {"VA1": number * {"persons": 1, "thousand": 1000}[unit]}
