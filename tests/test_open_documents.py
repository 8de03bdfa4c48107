"""OpenDocument workbooks: a cell whose text is not its value is in doubt; what is hidden is told; nothing is repeated
without end.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

import corpus
import intake_kit as kit
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import UnreadableFileError
from pipelines.formats import Grid, describe, read_grids, recognise
from pipelines.jurisdiction.contract import Format

SPACES = "".join(
    f' xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (("office", "office"), ("table", "table"), ("text", "text"), ("style", "style"))
)
STYLES = (
    '<style:style style:name="gone" style:family="table"><style:table-properties table:display="false"/></style:style>'
    '<style:style style:name="up" style:family="text"><style:text-properties style:text-position="super 58%"/>'
    '</style:style><style:style style:name="down" style:family="text"><style:text-properties '
    'style:text-position="sub 58%"/></style:style><style:style style:name="out" style:family="table-cell">'
    '<style:text-properties style:text-line-through-style="solid"/></style:style>'
    '<style:style style:name="outer" style:family="table-cell" style:parent-style-name="out"/>'
)
NUMBERS = {"format": {"kind": "ods"}, "tokens": {"": "missing"}}


def cell(value: Any = None, shown: str | None = None, kind: str = "float", attributes: str = "") -> str:
    """A cell: a text, or a number with what it shows; `shown` may be XML."""
    is_words = isinstance(value, str) and not value.lstrip("-").replace(".", "", 1).isdigit()
    if value is None and shown is None:
        return f"<table:table-cell {attributes}/>"
    text = "" if shown is None else f"<text:p>{shown}</text:p>"
    if is_words:
        value, shown = None, escape(value)
        attributes += ' office:value-type="string"'
        text = f"<text:p>{shown}</text:p>"
    held = "" if value is None else f'office:value-type="{kind}" office:value="{value}"'
    return f"<table:table-cell {held} {attributes}>{text}</table:table-cell>"


def row(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


def flat(*sheets: str) -> bytes:
    """A workbook without a zip; a sheet is its rows, or a whole table."""
    tables = "".join(
        sheet if sheet.startswith("<table:table ") else f'<table:table table:name="Data{n or ""}">{sheet}</table:table>'
        for n, sheet in enumerate(sheets)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document{SPACES} office:version="1.3" '
        'office:mimetype="application/vnd.oasis.opendocument.spreadsheet">'
        f"<office:automatic-styles>{STYLES}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document>"
    ).encode()


def heads(*cells: str) -> bytes:
    """Heads of places, one cell each."""
    places = ("Ash", "Aspen", "Beech", "Alder Shire", "Birch Shire")
    body = "".join(row(cell(place), value) for place, value in zip(places, cells, strict=False))
    return flat(row(cell("Place"), cell("Heads")) + body)


def grid(data: bytes, **rule: Any) -> Grid:
    return read_grids(data, Format.model_validate({"kind": "ods", **rule}), "desk/file/2020/file.ods")[0]


def test_a_workbook_is_read_with_its_zip_and_without() -> None:
    data = heads(cell(12, "12"), cell("3400"))
    packed = corpus.zipped(
        {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": data}, stored=("mimetype",)
    )
    for file in (data, packed):
        found = recognise(file)
        assert found is not None
        assert found.kind == "ods"
        assert kit.values(kit.read(file, NUMBERS, name="file.ods")) == {"VA1": 12, "VA2": 3400}


@pytest.mark.parametrize(
    ("value", "shown", "read"),
    [
        ("1234567.25", "1,234,567", "1234567.25"),
        ("1234567.25", "1.234.567,3", "1234567.25"),
        ("1234567.25", "1 234 567,25", "1234567.25"),
        ("-1200", "-1,200", "-1200"),
        ("-1200", "(1,200)", "-1200"),
        ("0.30000000000000004", "0.3", "0.30000000000000004"),
        ("1200", "€1,200.00", "1200"),
        ("0", "-", "0"),
        ("7", "007", "007"),
        ("12", "12 p", "12p"),
        ("123456", "1.23E+05", "123456"),
        ("12.5", None, "12.5"),
    ],
)
def test_a_number_is_read_where_its_cell_shows_it(value: str, shown: str | None, read: str) -> None:
    found = grid(heads(cell(value, shown)))
    assert found.cells.row(1) == (2, "Ash", read)
    assert found.faults.is_empty()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1234567", "1,235"),  # in thousands
        ("1200", "n.a."),
        ("1200", ""),
        ("0", ""),
        ("-1200", "1,200"),
        ("1200", "-1,200"),
        ("0.5", "1/2"),
        ("43831", "2020"),
        ("1200", "1200 of 1300"),
    ],
)
def test_a_number_that_its_cell_does_not_show_is_rejected(value: str, shown: str) -> None:
    taken = kit.read(heads(cell(value, shown), cell(3, "3")), NUMBERS, name="file.ods")
    assert kit.values(taken) == {"VA2": 3}
    assert taken.rejects.select("rule", "source_row").rows() == [("not_as_shown", 2)]


def test_a_percentage_is_one_in_a_column_of_percent_and_nowhere_else() -> None:
    data = heads(cell("0.85", "85%", "percentage"), cell("0.772", "77%", "percentage"), cell("1", None, "percentage"))
    share = {**NUMBERS, "values": [{"column": "Heads", "measure": "share", "unit": "%"}]}
    assert kit.values(kit.read(data, share, name="file.ods")) == {"VA1": 85, "VA2": Decimal("77.2"), "VB1": 100}
    assert kit.rules(kit.read(data, NUMBERS, name="file.ods")) == ["not_a_number"] * 3


def test_raised_text_is_a_note_and_struck_text_is_in_doubt() -> None:
    data = heads(
        cell(None, '1200<text:span text:style-name="up">1</text:span>', attributes='office:value-type="string"'),
        cell(7, "7", attributes='table:style-name="outer"'),
        cell(None, 'H<text:span text:style-name="down">2</text:span>O', attributes='office:value-type="string"'),
        cell(None, '5<text:span text:style-name="down">2</text:span>', attributes='office:value-type="string"'),
    )
    taken = kit.read(data, NUMBERS, name="file.ods")
    assert kit.values(taken) == {"VA1": 1200}
    rejects = taken.rejects.select("rule", "source_row").sort("source_row").rows()
    assert rejects == [("struck_through", 3), ("not_a_number", 4), ("not_as_shown", 5)]


def test_a_style_holds_for_the_cells_of_its_column_and_row() -> None:
    columns = '<table:table-column/><table:table-column table:default-cell-style-name="out"/>'
    data = flat(columns + row(cell("Place"), cell("Heads")) + row(cell("Ash"), cell(1, "1")))
    assert grid(data).faults["rule"].to_list() == ["struck_through", "struck_through"]
    data = flat(row(cell("Place")) + row(cell(1, "1"), attributes='table:default-cell-style-name="out"'))
    assert grid(data).faults.select("source_row", "cell").rows() == [(2, "c0")]


def test_a_remark_is_no_part_of_its_cell() -> None:
    remark = "<office:annotation><text:p>checked 2020</text:p></office:annotation>"
    data = heads(
        f'<table:table-cell office:value-type="float" office:value="12">{remark}<text:p>12</text:p></table:table-cell>'
    )
    assert grid(data).cells.row(1) == (2, "Ash", "12")
    only = f"<table:table-cell>{remark}</table:table-cell>"
    assert grid(heads(only)).cells.row(1) == (2, "Ash", None)


def test_blanks_tabs_links_and_lines_of_a_text_are_kept() -> None:
    text = 'a<text:s text:c="3"/>b<text:tab/>c<text:line-break/><text:a>d</text:a></text:p><text:p>e'
    data = heads(cell(None, text, attributes='office:value-type="string"'))
    assert grid(data).cells.row(1)[2] == "a   b\tc\nd\ne"


def test_a_formula_without_a_value_is_rejected_and_an_error_is_what_it_shows() -> None:
    formula = 'table:formula="of:=1/0"'
    data = heads(
        cell(attributes=formula),
        cell(0, "#DIV/0!", attributes=formula),
        cell(5, "5", attributes=formula),
        cell("#N/A", attributes=formula),
    )
    taken = kit.read(data, NUMBERS, name="file.ods")
    assert kit.values(taken) == {"VB1": 5}
    assert sorted(kit.rules(taken)) == ["not_a_number", "not_a_number", "not_calculated"]


def test_dates_and_truths_are_what_they_are() -> None:
    date = cell(None, "5-Sep", attributes='office:value-type="date" office:date-value="2020-09-05"')
    truth = cell(None, "WAHR", attributes='office:value-type="boolean" office:boolean-value="true"')
    assert [r[2] for r in grid(heads(date, truth)).cells.rows()[1:]] == ["2020-09-05", "true"]


def test_repeated_cells_and_rows_are_as_many_as_the_file_says() -> None:
    twice = cell(5, "5", attributes='table:number-columns-repeated="2"')
    data = flat(
        row(cell("a"), cell("b"), cell("c"))
        + row(attributes='table:number-rows-repeated="3"')
        + row(cell("x"), twice, attributes='table:number-rows-repeated="2"')
        + row(
            cell(attributes='table:number-columns-repeated="16384"'), attributes='table:number-rows-repeated="1048000"'
        )
    )
    rows = grid(data).cells.rows()
    assert rows == [
        (1, "a", "b", "c"), (2, None, None, None), (3, None, None, None), (4, None, None, None),
        (5, "x", "5", "5"), (6, "x", "5", "5"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "rows",
    [
        row(
            cell(5, "5", attributes='table:number-columns-repeated="16384"'),
            attributes='table:number-rows-repeated="1048576"',
        ),
        row(attributes='table:number-rows-repeated="1048575"')
        + row(cell(attributes='table:number-columns-repeated="16383"'), cell(1, "1")),
        row(cell(1, "1", attributes='table:number-columns-repeated="9999999999"')),
    ],
)
def test_a_sheet_that_repeats_its_cells_beyond_memory_is_refused(rows: str) -> None:
    with pytest.raises(UnreadableFileError, match="refused"):
        grid(flat(row(cell("a")) + rows))


def test_what_is_hidden_is_told() -> None:
    body = row(cell("Place"), cell("Heads")) + row(cell("Ash"), cell(1, "1"))
    hidden_row = row(cell("Aspen"), cell(2, "2"), attributes='table:visibility="filter"')
    column = '<table:table-column/><table:table-column table:visibility="collapse"/>'
    data = flat(
        f'<table:table table:name="Old" table:style-name="gone">{body}</table:table>',
        f'<table:table table:name="New">{column}{body}{hidden_row}</table:table>',
    )
    found = grid(data)
    assert found.sheet == "New"
    assert found.cells.height == 3
    assert [finding["check"] for finding in found.findings] == ["hidden_sheet", "hidden_rows", "hidden_columns"]
    assert [(t.name, t.rows, t.is_visible) for t in describe(data, Format(kind="ods"), "f")] == [
        ("Old", 2, False), ("New", 3, True),
    ]  # fmt: skip


def test_one_number_over_several_rows_is_rejected() -> None:
    spanning = cell(9, "9", attributes='table:number-rows-spanned="2" table:number-columns-spanned="1"')
    covered = "<table:covered-table-cell/>"
    data = flat(row(cell("Place"), cell("Heads")) + row(cell("Ash"), spanning) + row(cell("Aspen"), covered))
    taken = kit.read(data, NUMBERS, name="file.ods")
    assert kit.values(taken) == {}
    assert set(kit.rules(taken)) == {"merged_cells"}


def test_a_locked_workbook_and_a_bomb_are_told() -> None:
    manifest = b"<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"
    mimetype = b"application/vnd.oasis.opendocument.spreadsheet"
    locked = corpus.zipped({"mimetype": mimetype, "content.xml": b"\x00\x01", "META-INF/manifest.xml": manifest})
    with pytest.raises(UnreadableFileError, match="protected with a password"):
        grid(locked)
    bomb = flat(row(cell("a"))).replace(b"?><office", b'?><!DOCTYPE x [<!ENTITY a "aaaa">]><office', 1)
    with pytest.raises(UnreadableFileError, match="document type"):
        grid(bomb)
    for data in (flat(row(cell("a")))[:-40], corpus.zipped({"mimetype": mimetype})):
        with pytest.raises(UnreadableFileError):
            grid(data)


@given(
    value=st.decimals(-(10**12), 10**12, places=6, allow_nan=False),
    places=st.integers(0, 4),
    marks=st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", ".")]),
)
def test_any_rounding_and_any_marks_show_the_number(value: Decimal, places: int, marks: tuple[str, str]) -> None:
    shown = f"{value:,.{places}f}".translate(str.maketrans({",": marks[0], ".": marks[1]}))
    found = grid(heads(cell(value, shown)))
    if round(value, places) == 0 and value < 0:
        return  # `-0`: its sign says no more than the number
    assert found.faults.is_empty(), shown
    assert Decimal(found.cells.row(1)[2]) == value


@given(value=st.integers(10**4, 10**12), factor=st.sampled_from([1000, 10**6, 100]))
def test_a_number_shown_in_thousands_is_never_read(value: int, factor: int) -> None:
    found = grid(heads(cell(value, f"{value / factor:,.0f}")))
    assert found.faults.height == 1


def test_what_lies_under_a_merged_cell_is_seen_by_nobody() -> None:
    covered = cell(7, "7").replace("table-cell", "covered-table-cell")
    taken = kit.read(heads(covered, cell(12, "12")), NUMBERS, name="f.ods", files="*")
    assert kit.values(taken) == {"VA2": 12}
    assert kit.rules(taken) == ["merged_cells"]


def test_a_zero_of_a_formula_that_shows_nothing_was_never_calculated() -> None:
    formula = 'table:formula="of:=1"'
    taken = kit.read(
        heads(cell(0, None, attributes=formula), cell(0, "0", attributes=formula)), NUMBERS, name="f.ods", files="*"
    )
    assert kit.values(taken) == {"VA2": 0}
    assert kit.rules(taken) == ["not_calculated"]


def test_a_link_that_touches_the_digits_of_a_number_may_be_a_note() -> None:
    linked = '<table:table-cell office:value-type="string"><text:p>12<text:a>1</text:a></text:p></table:table-cell>'
    taken = kit.read(heads(linked, cell(12, "12")), NUMBERS, name="f.ods", files="*")
    assert kit.values(taken) == {"VA2": 12}
    assert kit.rules(taken) == ["not_as_shown"]
