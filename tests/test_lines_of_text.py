"""Text in columns: each line is a row that fits its header, or a reject; none is swallowed, none is shifted."""

from __future__ import annotations

import csv
import io
from typing import Any

import intake_kit as kit
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.formats import read_grids
from pipelines.intake.frames import Taken
from pipelines.jurisdiction.contract import Format

PLACES = {"VA1": "Ash", "VA2": "Aspen", "VB1": "Beech", "VB2": "Ærø", "VA": "Alder Shire"}
VALUES = [
    {"column": "Heads", "measure": "heads", "unit": "persons", "type": "integer", "min": 0},
    {"column": "Spent", "measure": "spent", "unit": "crowns"},
]
LAYOUT: dict[str, Any] = {
    "header": {"find": ["Code", "Place"]},
    "region": {"code": "Code", "name": "Place"},
    "values": VALUES,
    "ignore_columns": ["^Remark$"],
}
HEADER = "Code,Place,Heads,Spent,Remark\n"
GOOD = ["VA1,Ash,1200,5000,ok\n", "VA2,Aspen,340,6000,\n", "VB1,Beech,990,7000,ok\n", "VB2,Ærø,77,9000,ok\n"]


def read(text: str, **changes: Any) -> Taken:
    return kit.read(text, {**LAYOUT, **changes})


def heads(taken: Taken) -> dict[str, int]:
    own = taken.accepted.filter(pl.col("measure") == "heads")
    return {code: int(value) for code, value in own.select("region_code", "value").iter_rows()}


def refused(taken: Taken) -> list[tuple[int, str]]:
    return [(row, rule) for row, rule in taken.rejects.select("source_row", "rule").iter_rows()]


def checks(taken: Taken) -> list[tuple[str, str]]:
    return [(found["check"], found["severity"]) for found in taken.findings]


# -- how many cells ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("VA1,Ash,1,200,5000,ok\n", "more_cells"),  # a thousands mark that nobody quoted
        ("VA1,Ash,1,200,5,000\n", "more_cells"),
        ("VA1,Ash,510,305,7000\n", "ok"),  # as many cells as the header: nothing shows that a mark shifted them
        ("VA1,Ash,1200,5000,ok,\n", "more_cells"),  # the cell too many is empty
        ("VA1,Ash,1200,5000,ok,,,\n", "more_cells"),
        ("VA1,Ash,1200,5000,ok,more of the remark\n", "more_cells"),
        ("VA1,Ash,1200,5000\n", "fewer_cells"),  # the cell too few is ignored
        ("VA1,Ash,1200\n", "fewer_cells"),
        ("VA1,Ash\n", "fewer_cells"),
        ("VA1\n", "fewer_cells"),
        ("VA1;Ash;1200;5000;ok\n", "fewer_cells"),
        ('VA1,Ash,"1,200",5000,ok\n', "ok"),
        ('"VA1","Ash","1200","5000","ok"\n', "ok"),
        ("VA1,Ash,1200,5000,\n", "ok"),
    ],
)
def test_a_line_with_more_or_fewer_cells_than_its_header_is_a_reject(line: str, rule: str) -> None:
    taken = read(HEADER + line + "".join(GOOD[1:]))
    rest = {"VA2": 340, "VB1": 990, "VB2": 77}
    if rule == "ok":
        assert refused(taken) == []
        assert heads(taken).keys() >= rest.keys()
    else:
        assert refused(taken) == [(2, rule)]
        assert heads(taken) == rest
        assert taken.rejects["region_code"][0] is None  # a shifted cell names no region


def test_no_column_is_found_in_the_cells_that_a_line_has_too_many() -> None:
    taken = read(HEADER + "VA1,Ash,1,200,5,000,ok\n" + GOOD[1])
    assert checks(taken) == []


@pytest.mark.parametrize("header", [HEADER, "Code,Place,Heads,Spent,Remark,\n"])
def test_a_delimiter_at_the_end_of_each_line_is_a_property_that_the_contract_states(header: str) -> None:
    lines = [line.replace("\n", ",\n") for line in GOOD]
    text = header + "".join(lines)
    layout = {"format": {"kind": "csv", "encoding": "utf-8", "trailing_delimiter": True}}
    taken = read(text, **layout)
    assert len(heads(taken)) == 4
    assert refused(taken) == []
    if header == HEADER:  # unsaid it is a cell too many
        assert refused(read(text)) == [(row, "more_cells") for row in (2, 3, 4, 5)]
    broken = read(header + "VA1,Ash,1,200,5000,ok,\n" + "VA2,Aspen,340,6000,ok\n" + lines[2], **layout)
    assert refused(broken) == [(2, "more_cells"), (3, "fewer_cells")]
    filled = read(header + "VA1,Ash,1,200,5000,ok\n" + lines[2], **layout)
    assert refused(filled) == [(2, "more_cells")]


def test_titles_blank_lines_and_notes_need_no_cells_of_the_header() -> None:
    text = (
        "Heads by place,\n\n(a title),with,a,few,more,cells\n"
        + HEADER
        + GOOD[0]
        + "\n,,,,,,,\n"
        + GOOD[1]
        + "Note: x\n"
    )
    taken = read(text, data={"end_at": ["^Note"]})
    assert heads(taken) == {"VA1": 1200, "VA2": 340}
    assert refused(taken) == []


def test_a_total_row_that_does_not_fit_its_header_is_not_compared_and_says_so() -> None:
    rule = {"reason": "total", "column": "Place", "pattern": "^All$", "reconcile": "all"}
    for total in (",All,2607,27000\n", ",All,2,607,27000,\n"):
        taken = read(HEADER + "".join(GOOD) + total, ignore_rows=[rule])
        assert checks(taken) == [("total_not_compared", "block")]
        assert len(heads(taken)) == 4
    assert checks(read(HEADER + "".join(GOOD) + ",All,2607,27000,\n", ignore_rows=[rule])) == []
    plain = {**rule, "reconcile": None}
    assert checks(read(HEADER + "".join(GOOD) + ",All,2607\n", ignore_rows=[plain])) == []


def test_a_label_in_a_line_that_does_not_fit_spoils_the_lines_it_holds_for() -> None:
    rows = [{"column": "Part", "dimension": "residence", "fill": "down", "map": {"town": "urban", "land": "rural"}}]
    layout = {"header": {"find": ["Part"]}, "region": {"name": "Place"}, "rows": rows, "ignore_columns": []}
    text = "Part,Place,Heads,Spent\ntown,Ash,1,2\nland,Ash,1,200,3\n,Aspen,5,6\ntown,Beech,7,8\n"
    taken = read(text, **layout)
    assert refused(taken) == [(3, "more_cells"), (4, "more_cells")]
    assert heads(taken) == {"VA1": 1, "VB1": 7}


def test_each_block_of_a_sheet_has_a_header_of_its_own() -> None:
    layout = {"header": {"find": ["Code", "Place"], "repeats": True}, "values": [VALUES[0]], "ignore_columns": ["."]}
    text = (
        "Code,Place,Heads\nVA1,Ash,12\nVA2,Aspen,1,200\n\nCode,Place,Heads,Notes,More\nVB1,Beech,990,,x\nVB2,Ærø,77\n"
    )
    taken = read(text, **layout)
    assert heads(taken) == {"VA1": 12, "VB1": 990}
    assert refused(taken) == [(3, "more_cells"), (7, "fewer_cells")]


def test_in_a_table_that_is_turned_a_line_that_does_not_fit_spoils_its_column() -> None:
    layout = {
        "format": {"kind": "csv", "encoding": "utf-8", "transpose": True},
        "header": {"find": ["Place"]},
        "region": {"name": "Place"},
        "ignore_columns": [],
    }
    text = "A title\nPlace,Ash,Aspen,Beech\nHeads,1,200,340,990\nSpent,5,6,7\n"
    taken = kit.read(text, {**LAYOUT, **layout})
    assert heads(taken) == {}
    assert kit.rules(taken).count("more_cells") == 3
    assert taken.accepted["measure"].unique().to_list() == ["spent"]


# -- quotes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "broken"),
    [
        # one quote that nothing closes, wherever it stands
        ([*GOOD[:1], 'VA2,Aspen,340,6000,"see note\n', *GOOD[2:]], [3]),
        ([*GOOD[:1], '"VA2,Aspen,340,6000,ok\n', *GOOD[2:]], [3]),
        ([*GOOD[:1], 'VA2,"Aspen,340,6000,ok\n', *GOOD[2:]], [3]),
        ([*GOOD[:3], 'VB2,Ærø,77,9000,"the last one\n'], [5]),
        # two lone quotes that seem to close each other
        (['VA1,Ash,1200,5000,"see note\n', *GOOD[1:3], 'VB2,Ærø,77,9000,late"\n'], [2]),
        (['VA1,Ash,1200,5000,"see note\n', *GOOD[1:3], 'VB2,Ærø,77,9000,"late\n'], [2, 5]),
        (['VA1,"Ash,1200,5000,ok\n', 'VA2,Aspen",340,6000,ok\n', *GOOD[2:]], [2]),
        (['"VA1,Ash,1200,5000,ok\n', *GOOD[1:3], 'VB2,Ærø,77,9000,ok"\n'], [2]),
        (['VA1,Ash,1200,5000,"see note\n', *GOOD[1:3], '"VB2",Ærø,77,9000,ok\n'], [2]),
        # all cells in quotes, one of them lost
        (['"VA1","Ash","1200","5000","ok\n', *('"' + '","'.join(g.strip().split(",")) + '"\n' for g in GOOD[1:])], [2]),
        # empty cells in quotes go on with a cell that does not close
        (['VA1,Ash,1200,5000,"see\n', 'VA2,Aspen,340,6000,""\n', *GOOD[2:]], [2]),
        # signs behind a closed quote
        (['VA1,Ash,1200,5000,"see" note\n', *GOOD[1:]], [2]),
        (['VA1,Ash,1200,5000,"ok"\n', *GOOD[1:]], []),
    ],
)
def test_quotes_that_do_not_close_spoil_their_own_line_and_no_other(lines: list[str], broken: list[int]) -> None:
    taken = read(HEADER + "".join(lines))
    of_quotes = [row for row, rule in refused(taken) if rule == "open_quote"]
    assert of_quotes == broken
    assert taken.tie_out[0].rows_read == 5
    whole = {"VA1": 1200, "VA2": 340, "VB1": 990, "VB2": 77}
    found = heads(taken)
    assert all(whole[code] == value for code, value in found.items())
    rows_refused = {row for row, _ in refused(taken)}
    assert set(whole) - set(found) == {list(whole)[row - 2] for row in rows_refused}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('VA1,Ash,1200,5000,"one\nand two"\n', 1200),
        ('VA1,Ash,1200,5000,"one,\nand, two"\n', 1200),
        ('"VA1",Ash,1200,5000,"a ""word""\n\nand more"\n', 1200),
        ('VA1,"\nAsh\n",1200,5000,ok\n', 1200),
        ('VA1,Ash,"\n1200\n",5000,ok\n', 1200),
        ('VA1,Ash,1200,5000,5" pipe\n', 1200),
        ('VA1,Ash,1200,5000,"5"" pipe"\n', 1200),
        ('VA1,Ash,1200,5000,the "old" mill\n', 1200),
        ('VA1,Ash,1200,5000,""\n', 1200),
    ],
)
def test_a_quoted_cell_may_have_line_breaks_and_a_quote_within_a_cell_is_text(line: str, value: int) -> None:
    taken = read(HEADER + line + "".join(GOOD[1:]))
    assert refused(taken) == []
    assert heads(taken) == {"VA1": value, "VA2": 340, "VB1": 990, "VB2": 77}
    number = dict(taken.accepted.select("region_code", "source_row").iter_rows())
    assert number["VA2"] == 2 + line.count("\n")  # lines are counted as a person counts them


def test_a_total_that_a_quote_swallowed_is_missed() -> None:
    rule = {"reason": "total", "column": "Place", "pattern": "^All$", "reconcile": "all"}
    text = HEADER + "".join(GOOD[:3]) + 'VB2,Ærø,77,9000,"late\nAll 2607\nas printed"\n'
    assert checks(read(text, ignore_rows=[rule])) == [("total_not_found", "block")]
    assert checks(read(HEADER + "".join(GOOD), ignore_rows=[rule])) == [("total_not_found", "block")]
    assert checks(read(HEADER + "".join(GOOD), ignore_rows=[{**rule, "optional": True}])) == []


def test_a_total_of_each_sheet_is_asked_for_and_one_of_its_blocks_may_hold_it() -> None:
    rule = {"reason": "total", "column": "Place", "pattern": "^All$", "reconcile": "all"}
    layout = {"header": {"find": ["Code", "Place"], "repeats": True}, "values": [VALUES[0]], "ignore_rows": [rule]}
    text = "Code,Place,Heads\nVA1,Ash,12\nCode,Place,Heads\nVB1,Beech,990\n,All,990\n"
    assert checks(read(text, **layout)) == []
    assert checks(read(text.replace(",All,990\n", ""), **layout)) == [("total_not_found", "block")]


CELL = st.text(alphabet='ab1,"\n ', max_size=6)


@given(rows=st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=6))
def test_whatever_a_writer_of_csv_wrote_is_read_back_or_its_line_is_a_fault(rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([["h1", "h2", "h3"], *rows])
    (grid,) = read_grids(text.getvalue().encode(), Format(kind="csv", encoding="utf-8"), "file")
    got = [[cell or "" for cell in row] for row in grid.cells.select(grid.columns[:3]).iter_rows()]
    if grid.faults.is_empty():
        assert got == [["h1", "h2", "h3"], *rows]
    else:  # where lines within quotes look like rows, every line is there by itself
        assert grid.cells.height > len(rows)


@given(
    quotes=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 25)), max_size=4),
    counts=st.lists(st.integers(0, 9999), min_size=4, max_size=4),
)
def test_quotes_strewn_over_a_file_make_rejects_and_never_another_number(
    quotes: list[tuple[int, int]], counts: list[int]
) -> None:
    codes = list(PLACES)[:4]
    lines = [f"{code},{PLACES[code]},{n},{n + 1},ok" for code, n in zip(codes, counts, strict=True)]
    for row, place in quotes:
        at = min(place, len(lines[row]))
        lines[row] = lines[row][:at] + '"' + lines[row][at:]
    taken = read(HEADER + "\n".join(lines) + "\n")
    if not taken.problem:
        for code, value in heads(taken).items():
            assert value == counts[codes.index(code)]
        assert taken.tie_out[0].rows_read - taken.tie_out[0].rows_ignored >= 4 - len(quotes)


@given(
    counts=st.lists(st.integers(0, 10**9), min_size=1, max_size=4),
    remark=st.sampled_from(["", "ok", "1,000", "a, b"]),
    quoted=st.booleans(),
)
def test_thousands_marks_shift_no_number(counts: list[int], remark: str, quoted: bool) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    lines = []
    for code, count in zip(PLACES, counts, strict=False):
        cells = [code, PLACES[code], f"{count:,}", "1", remark]
        if quoted:
            writer.writerow(cells)
        else:
            lines.append(",".join(cells) + "\n")
    taken = read(HEADER + (out.getvalue() if quoted else "".join(lines)))
    for code, value in heads(taken).items():
        assert value == counts[list(PLACES).index(code)]
    if quoted:
        assert len(heads(taken)) == len(counts)


# -- the end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n\n", "\n\x1a"])
def test_a_file_that_ends_with_its_last_line_is_whole(end: str) -> None:
    taken = read((HEADER + "".join(GOOD)).rstrip("\n").replace("\n", end[:2].strip("\x1a") or "\n") + end)
    assert len(heads(taken)) == 4
    assert checks(taken) == []


def test_a_last_line_without_an_end_is_a_reject_and_a_finding_that_blocks() -> None:
    text = HEADER + "".join(GOOD[:3]) + "VB2,Ærø,77,9,"
    taken = read(text)
    assert refused(taken) == [(5, "cut_off")]
    assert "VB2" not in heads(taken)
    assert checks(taken) == [("cut_off", "block")]
    agreed = read(text, format={"kind": "csv", "encoding": "utf-8", "open_end": True})
    assert heads(agreed)["VB2"] == 77
    assert checks(agreed) == []


def test_a_note_without_an_end_is_no_reject_but_the_finding_stays() -> None:
    taken = read(HEADER + "".join(GOOD) + "Source: the bur", data={"end_at": ["^Source"]})
    assert refused(taken) == []
    assert checks(taken) == [("cut_off", "block")]


def test_a_file_cut_off_within_quotes_loses_no_line() -> None:
    taken = read(HEADER + "".join(GOOD[:3]) + 'VB2,Ærø,77,9000,"see no')
    assert [row for row, _ in refused(taken)] == [5]
    assert len(heads(taken)) == 3


def test_beside_a_file_that_may_be_cut_off_stands_how_many_rows_the_one_before_had(tmp_path: Any) -> None:
    desk = kit.Desk(tmp_path)
    rows = [["Place", "Heads"], ["Ash", "12"], ["Aspen", "34"], ["Beech", "5"]]
    desk.land(rows, "2019")
    desk.land(b"Place,Heads\nAsh,12\nAsp", "2020")
    ((_, severity, observed),) = desk.findings("cut_off")
    assert severity == "block"
    assert observed.endswith("file.csv (2019) has 3 data rows")


@pytest.mark.parametrize(("lines", "is_full"), [(65_536, True), (65_535, False)])
def test_a_text_of_as_many_lines_as_a_sheet_holds_may_have_lost_the_rest(lines: int, is_full: bool) -> None:
    data = b"Place,Heads\n" + b"Ash,1\n" * (lines - 1)
    (grid,) = read_grids(data, Format(kind="csv"), "file")
    assert [found["check"] for found in grid.findings] == (["full_sheet"] if is_full else [])
    (grid,) = read_grids(data, Format(kind="csv", full_sheet=True), "file")
    assert grid.findings == ()
