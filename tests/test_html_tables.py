"""Tables of pages are read as people see them: nothing hidden is data, no note becomes a digit."""

from __future__ import annotations

from typing import Any

import intake_kit as kit
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import UnreadableFileError
from pipelines.formats import Grid, describe, read_grids, recognise
from pipelines.jurisdiction.contract import Format

LAYOUT = {"format": {"kind": "html"}, "tokens": {"": "missing"}}


def page(*rows: str, head: str = "", before: str = "", table: str = "") -> str:
    """A page with one table whose first row is Place, Heads."""
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>Heads 2019</title>{head}</head><body>{before}'
        f"<table{table}><tr><th>Place<th>Heads</tr>{''.join(rows)}</table></body></html>"
    )


def heads(*cells: str, head: str = "") -> str:
    places = ("Ash", "Aspen", "Beech", "Alder Shire", "Birch Shire")
    return page(*(f"<tr><td>{place}</td>{c}</tr>" for place, c in zip(places, cells, strict=False)), head=head)


def grid(text: str | bytes, **rule: Any) -> Grid:
    data = text if isinstance(text, bytes) else text.encode()
    return read_grids(data, Format.model_validate({"kind": "html", **rule}), "desk/file/2020/file.html")[0]


def rows(text: str | bytes, **rule: Any) -> list[tuple[Any, ...]]:
    return grid(text, **rule).cells.rows()


def read(text: str) -> Any:
    return kit.read(text, LAYOUT, name="file.html")


def test_a_page_is_recognised_and_its_table_read_by_a_contract() -> None:
    text = heads("<td>12", "<td align=right>3,400", "<td>\n 56&nbsp;\n")
    found = recognise(text.encode())
    assert found is not None
    assert found.kind == "html"
    assert kit.values(read(text)) == {"VA1": 12, "VA2": 3400, "VB1": 56}


@pytest.mark.parametrize(
    "cell",
    [
        "<td>1200<sup>2</sup>",
        "<td>1200<sup>(2)</sup>",
        "<td>1200<sup><a href=#2>2</a></sup>",
        "<td>1200 <sup>2</sup>",
        "<td><sup>2</sup>1200",
        '<td>1200<span style="vertical-align: super; font-size: 7pt">2</span>',
        "<td>1200<font class=up>2</font>",
        "<td><p>1200<b><sup>2</sup></b></p>",
    ],
)
def test_a_raised_note_is_taken_off_the_number(cell: str) -> None:
    taken = read(heads(cell, head="<style>.up { vertical-align: super; }</style>"))
    assert kit.values(taken) == {"VA1": 1200}


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("<td>10<sup>3</sup>", "not_as_shown"),
        ("<td>5<sub>2</sub>", "not_as_shown"),
        ("<td>2<sup>1</sup>/<sub>2</sub>", "not_as_shown"),
        ("<td>12<sup>1</sup>5", "not_as_shown"),
        ("<td><del>340</del>", "struck_through"),
        ("<td><s>340</s> 350", "struck_through"),
        ("<td><strike>340</strike>", "struck_through"),
        ('<td style="text-decoration:line-through">340', "struck_through"),
        ("<td class=old>340", "struck_through"),
        ("<td><input value=340>", "not_as_shown"),
        ("<td><img src=340.png>", "not_as_shown"),
        ("<td>1<td>2", "more_cells"),
        ("", "fewer_cells"),
    ],
)
def test_a_cell_that_leaves_in_doubt_what_counts_is_rejected(cell: str, rule: str) -> None:
    taken = read(heads("<td>1", cell, head="<style>td.old { text-decoration: line-through }</style>"))
    assert kit.values(taken) == {"VA1": 1}
    assert taken.rejects.select("rule", "source_row").rows() == [(rule, 3)]


def test_scripts_remarks_and_styles_are_no_text() -> None:
    text = heads("<td>1<script>2</script><!-- 3 --><style>4</style><template>5</template><noscript>6</noscript>")
    assert kit.values(read(text)) == {"VA1": 1}


@pytest.mark.parametrize(
    "row",
    [
        "<tr hidden><td>Aspen<td>999",
        '<tr style="display: none"><td>Aspen<td>999',
        '<tr style="visibility:collapse"><td>Aspen<td>999',
        "<tr class=gone><td>Aspen<td>999",
        "<tr class='row gone'><td>Aspen<td>999",
        "<tbody hidden><tr><td>Aspen<td>999</tbody>",
    ],
)
def test_hidden_rows_are_no_data_and_are_told(row: str) -> None:
    text = page("<tr><td>Ash<td>1</tr>", row, "<tr><td>Beech<td>3", head="<style>.gone { display: none }</style>")
    taken = read(text)
    assert kit.values(taken) == {"VA1": 1, "VB1": 3}
    assert [finding["check"] for finding in taken.findings] == ["hidden_rows"]
    assert "1 row" in taken.findings[0]["observed"]


def test_of_two_styles_the_later_and_the_element_itself_count() -> None:
    style = "<style>tr.a { display: none } tr.a { display: table-row } tr.b { display: none }</style>"
    text = page(
        "<tr class=a><td>Ash<td>1</tr>",
        '<tr class=b style="display:table-row"><td>Aspen<td>2</tr>',
        "<tr class=b><td>Beech<td>3",
        head=style
        + "<style>@media print { tr { display: none } } ::: { display:none } tr:nope( { display:none }</style>",
    )
    assert kit.values(read(text)) == {"VA1": 1, "VA2": 2}


def test_hidden_cells_and_columns_are_no_data() -> None:
    text = page("<tr><td>Ash<td hidden>9<td>1", "<tr><td>Aspen<td style='display:none'>9<td>2")
    assert kit.values(read(text)) == {"VA1": 1, "VA2": 2}
    hidden = '<table><colgroup><col><col style="visibility:collapse"><col></colgroup><tr><td>a<td>b<td>c</table>'
    assert rows(hidden) == [(1, "a", None, "c")]


def test_cells_over_several_rows_and_columns_stand_in_their_first_place() -> None:
    text = (
        "<table><thead><tr><th rowspan=2>Place<th colspan=2>Heads<th>x<tr><th>men<th>women<th>y</thead>"
        "<tfoot><tr><td>All<td>9</tfoot><tr><td rowspan=0>Ash<td>1<td>2<tr><td>3<td>4<td>5</table>"
    )
    assert rows(text) == [
        (1, "Place", "Heads", None, "x"),
        (2, None, "men", "women", "y"),
        (3, "Ash", "1", "2", None),
        (4, None, "3", "4", "5"),
        (5, "All", "9", None, None),  # a foot is seen below
    ]


def test_one_number_over_several_rows_is_rejected() -> None:
    taken = read(page("<tr><td>Ash<td rowspan=2>9", "<tr><td>Aspen"))
    assert kit.values(taken) == {}
    assert set(kit.rules(taken)) == {"merged_cells"}


def test_a_table_is_chosen_by_its_place_or_by_its_caption() -> None:
    other = "<table><caption>Spent <sup>a</sup></caption><tr><td>Place<td>Spent<tr><td>Ash<td>7</table>"
    text = page("<tr><td>Ash<td>1", before=other)
    assert rows(text)[0] == (0, "Spent", None)
    assert rows(text, sheet=2)[1] == (2, "Ash", "1")
    assert rows(text, sheet="Spent")[2] == (2, "Ash", "7")
    assert [g.sheet for g in read_grids(text.encode(), Format.model_validate(
        {"kind": "html", "sheet": {"pattern": "", "all": True}}), "f")] == ["Spent", "table 2"]  # fmt: skip
    assert [f["check"] for f in grid(text).findings] == ["other_sheets"]
    assert grid(text, sheet="Spent").findings == ()
    with pytest.raises(UnreadableFileError, match="no table called 'Cost'; it has Spent, table 2"):
        grid(text, sheet="Cost")
    with pytest.raises(UnreadableFileError, match="has 2 tables called 'Spent'"):
        grid(other + other, sheet="Spent")
    found = describe(text.encode(), Format(kind="html"), "f")
    assert [(t.name, t.rows, t.columns) for t in found] == [("Spent", 3, 2), ("table 2", 2, 2)]


def test_a_hidden_table_is_not_counted_and_is_told() -> None:
    hidden = "<div style='display:none'><table><tr><td>Place<td>Heads<tr><td>Ash<td>99</table></div>"
    found = grid(page("<tr><td>Ash<td>1", before=hidden))
    assert found.cells.rows()[1] == (2, "Ash", "1")
    assert [f["check"] for f in found.findings] == ["hidden_sheet"]


def test_tables_inside_tables_are_tables_of_their_own() -> None:
    text = "<table><tr><td>menu<table><tr><td>Place<td>Heads<tr><td>Ash<td>1</table></table>"
    assert rows(text) == [(1, "menu")]
    assert rows(text, sheet=2) == [(1, "Place", "Heads"), (2, "Ash", "1")]


def test_tags_that_are_not_closed_are_closed_as_browsers_do() -> None:
    text = "<html><table border=1><tr><td>Place<td>Heads<tr><td><b>Ash<td>1<tr><td>Aspen<td><i>2</table>"
    assert kit.values(read(text)) == {"VA1": 1, "VA2": 2}


@pytest.mark.parametrize(
    ("head", "encoding", "rule"),
    [
        ('<meta charset="gb2312">', "gb18030", {}),
        ('<meta http-equiv="Content-Type" content="text/html; charset=GBK">', "gb18030", {}),
        ("", "utf-8", {}),
        ("", "utf-16", {}),
        ('<meta charset="utf-8">', "gb18030", {"encoding": "gb18030"}),
    ],
)
def test_the_encoding_is_the_one_that_the_page_or_the_contract_names(head: str, encoding: str, rule: Any) -> None:
    text = f"<html><head>{head}</head><table><tr><td>杭州市<td>12</table></html>"
    assert rows(text.encode(encoding), **rule) == [(1, "杭州市", "12")]


def test_an_encoding_that_is_not_there_is_told() -> None:
    with pytest.raises(UnreadableFileError, match="unknown encoding 'nonsense'"):
        grid('<html><meta charset="nonsense"><table><tr><td>1</table>')
    with pytest.raises(UnreadableFileError, match="the bytes are not utf-8"):
        grid('<html><meta charset="utf-8"><table><tr><td>Köln</table>'.encode("cp1252"))


@pytest.mark.parametrize("text", ["<html><p>nothing", "<html><table></table>", "<html><table hidden><tr><td>1</table>"])
def test_a_page_without_a_table_is_refused(text: str) -> None:
    with pytest.raises(UnreadableFileError) as raised:
        grid(text)
    assert raised.value.do


def test_a_page_called_xls_is_read_where_the_contract_says_so_and_only_there() -> None:
    text = heads("<td>1")
    assert kit.values(kit.read(text, LAYOUT, name="file.xls")) == {"VA1": 1}
    assert "HTML page" in kit.read(text, {"format": {"kind": "xls"}}, name="file.xls").problem


@pytest.mark.parametrize(
    "text",
    [
        "<table><tr>" + "<td colspan=1000>1" * 30,
        "<table>" + "<tr><td rowspan=65534 colspan=900>1" * 28_000,
    ],
    ids=["a wide row", "wide and high cells"],
)
def test_a_table_that_spans_more_than_memory_holds_is_refused(text: str) -> None:
    with pytest.raises(UnreadableFileError, match="refused"):
        grid("<html>" + text)


@pytest.mark.parametrize("text", ["<div>" * 200_000, "<table><tr><td>" * 20_000, "<table><tr><td>" + "<b>" * 200_000])
def test_endless_nesting_ends(text: str) -> None:
    try:
        grid("<html><table><tr><td>1</table>" + text)
    except UnreadableFileError as error:
        assert error.do


@given(st.lists(st.sampled_from(["<table>", "<tr>", "<td>", "<td colspan=3 rowspan=2>", "1", "x", "</td>", "</table>",
       "<sup>", "</sup>", "<del>", "<caption>", "<thead>", "<!--", "-->", "<script>", "<col span=2 hidden>", "&nbsp;"]),
       max_size=40))  # fmt: skip
def test_any_soup_of_tags_is_read_or_refused(parts: list[str]) -> None:
    try:
        found = grid("<html><table><tr><td>Place" + "".join(parts))
    except UnreadableFileError as error:
        assert error.do
        return
    assert found.cells["source_row"].is_unique().all()


@pytest.mark.parametrize(
    "cell",
    [
        '1200<a href="#n1">1</a>', "12<small>1</small>", "<ruby>12<rt>3</rt></ruby>", '1200<span class="note">1</span>',
        '<font color="white">9</font>12', "<details><summary>12</summary>34</details>", '<a href="#n1">1</a>200',
        '1,2<span style="font-size: 60%">00</span>', "<span data-x='1'>1</span>2",
    ],
)  # fmt: skip
def test_digits_that_touch_out_of_two_elements_are_no_number(cell: str) -> None:
    taken = read(heads(f"<td>{cell}</td>", "<td>34</td>"))
    assert kit.values(taken) == {"VA2": 34}
    assert kit.rules(taken) == ["not_as_shown"]


@pytest.mark.parametrize(
    "cell",
    ["12<wbr>00", "12<!-- x -->00", "<b>12</b>00", '<span lang="en">12</span><span>00</span>',
     '<span style="mso-fareast-language: X">12</span>00', '<a href="x">1200</a>', "1<i></i>200"],
)  # fmt: skip
def test_plain_formatting_within_a_number_changes_nothing(cell: str) -> None:
    assert kit.values(read(heads(f"<td>{cell}</td>"))) == {"VA1": 1200}


@pytest.mark.parametrize(
    "style",
    ["opacity: 0", "font-size: 0", "font-size:0px", "position:absolute; left:-9999px", "text-indent: -999em",
     "color: transparent", "clip: rect(0, 0, 0, 0)"],
)  # fmt: skip
def test_what_nobody_sees_is_no_part_of_a_number_however_it_is_hidden(style: str) -> None:
    assert kit.values(read(heads(f'<td><span style="{style}">9</span>12</td>'))) == {"VA1": 12}
    sheet = f"<style>.far {{ {style} }} .far {{ color: red; top: 0 }} .far {{ {style} }}</style>"
    assert kit.values(read(heads('<td><span class="far">9</span>12</td>', head=sheet))) == {"VA1": 12}


def test_a_page_whose_table_does_not_end_may_have_been_cut_off() -> None:
    whole = heads("<td>12</td>", "<td>3400</td>")
    assert not [f for f in read(whole).findings if f["check"] == "cut_off"]
    cut = read(whole[: whole.index("00</td>")])
    assert [f["severity"] for f in cut.findings if f["check"] == "cut_off"] == ["block"]
    found = grid(whole[: whole.index("</table>")], open_end=True).findings
    assert not [f for f in found if f["check"] == "cut_off"]
