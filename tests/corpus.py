"""Ugly files as departments send them, one per mess, each made here, with its layout and what must come of it.

The figures are invented and few, so that every row and every reject can be written down. The regions are those of
the invented country in `country`.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

import country
import polars as pl
import xlsxwriter

HEADS = {"column": "Heads", "measure": "heads", "unit": "persons", "type": "integer", "min": 0}
Key = tuple[Any, ...]


@dataclass
class Case:
    """A file, how its contract lays it out, and what is read from it."""

    name: str
    data: bytes
    layout: dict[str, Any]
    values: dict[Any, Any]  # key (or the region alone) -> value
    key: tuple[str, ...] = ("region_code",)
    rejects: list[tuple[str, int | None, str]] = field(default_factory=list)  # rule, row, reported text
    ignored: dict[str, int] = field(default_factory=lambda: {"header": 1})
    statuses: dict[Any, str] = field(default_factory=dict)  # key -> status other than A
    findings: list[str] = field(default_factory=list)  # checks
    problem: str = ""  # a part of the reason why the file cannot be read
    file_name: str = "file.csv"
    period: str = "2020"
    sniffed: bool = False  # `junheng sniff` finds a layout that reads the same figures


# -- makers of files --------------------------------------------------------------------------------------------


def text(rows: Sequence[Sequence[Any]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """Rows as text in columns."""
    return country.csv_bytes(rows, encoding, delimiter)


def workbook(
    sheets: dict[str, Sequence[Sequence[Any]]], merges: Sequence[tuple[int, int, int, int, str]] = ()
) -> bytes:
    """Sheets as an XLSX workbook; `merges` are of the first sheet. A cell (formula, shown) is a formula."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    for number, (name, rows) in enumerate(sheets.items()):
        page = book.add_worksheet(name)
        for y, row in enumerate(rows):
            for x, cell in enumerate(row):
                if isinstance(cell, tuple):
                    page.write_formula(y, x, cell[0], None, cell[1])
                elif isinstance(cell, str):
                    page.write_string(y, x, cell)
                elif cell is not None:
                    page.write_number(y, x, cell)
        for merge in merges if number == 0 else ():
            page.merge_range(*merge[:4], merge[4])
    book.close()
    return target.getvalue()


def open_document(sheets: dict[str, Sequence[Sequence[Any]]]) -> bytes:
    """Sheets as an ODS workbook, made by hand."""

    def cell(value: Any) -> str:
        if value is None:
            return "<table:table-cell/>"
        if isinstance(value, str):
            return f'<table:table-cell office:value-type="string"><text:p>{escape(value)}</text:p></table:table-cell>'
        return (
            f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p>'
            "</table:table-cell>"
        )

    tables = "".join(
        f'<table:table table:name="{escape(name)}">'
        + "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
        + "</table:table>"
        for name, rows in sheets.items()
    )
    spaces = "".join(
        f' xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0"'
        for prefix in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{spaces} office:version="1.2">'
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry '
        'manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content.encode(),
            "META-INF/manifest.xml": manifest.encode(),
        },
        stored=("mimetype",),
    )


def parquet(rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows, the first being names, as Parquet."""
    target = io.BytesIO()
    columns = {name: [row[i] for row in rows[1:]] for i, name in enumerate(rows[0])}
    pl.DataFrame(columns, strict=False).write_parquet(target)
    return target.getvalue()


def json_lines(rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows, the first being names, as one JSON object a line; a missing cell is left out."""
    lines = [{n: v for n, v in zip(rows[0], row, strict=True) if v is not None} for row in rows[1:]]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def zipped(files: dict[str, bytes], stored: Sequence[str] = ()) -> bytes:
    """Files in a zip."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED)
    return target.getvalue()


# -- the files --------------------------------------------------------------------------------------------------

PLAIN = [["Place", "Heads"], ["Ash", "12"], ["Aspen", "3400"], ["Beech", "56"]]
PLAIN_VALUES = {"VA1": 12, "VA2": 3400, "VB1": 56}
NUMBERS = [["Place", "Heads"], ["Ash", 12], ["Aspen", 3400], ["Beech", 56]]


def _base(**changes: Any) -> dict[str, Any]:
    layout: dict[str, Any] = {"values": [HEADS]}
    layout.update(changes)
    return layout


def encodings() -> list[Case]:
    """The same table in every encoding, stated and detected."""
    chinese = [["地区", "人口数（人）"], ["Ash", "12"], ["Aspen", "3400"], ["Beech", "56"]]
    chinese = [["二〇二〇年各地区年末常住人口统计表"], ["单位：人，数据来源：统计局"], *chinese]
    japanese = [
        ["都道府県別の人口、市町村の一覧表です"],
        ["（単位：人）についてのデータ"],
        ["地域", "ひとびと"],
        *chinese[3:],
    ]
    western = [
        ["Población, número de habitantes, año 2020"],
        ["Ort", "Köpfe"],
        ["Ærø", "12"],
        ["Aspen", "3400"],
        ["Beech", "56"],
    ]
    # (name, rows, place, heads, encoding written, encoding stated, preamble rows, first region)
    table = [
        ("utf8", chinese, "地区", "人口数(人)", "utf-8", "utf-8"),
        ("utf8_with_mark", chinese, "地区", "人口数(人)", "utf-8-sig", "utf-8"),
        ("gb18030", chinese, "地区", "人口数(人)", "gb18030", "gb18030"),
        ("cp932", japanese, "地域", "ひとびと", "cp932", "cp932"),
        ("latin1", western, "Ort", "Köpfe", "latin-1", "latin-1"),
        ("utf16_little_endian", chinese, "地区", "人口数(人)", "utf-16-le", "utf-16-le"),
        ("utf16_big_endian", chinese, "地区", "人口数(人)", "utf-16-be", "utf-16-be"),
        ("utf16_with_mark", chinese, "地区", "人口数(人)", "utf-16", "utf-16"),
    ]
    cases = []
    for name, rows, place, heads, written, stated in table:
        values = dict(PLAIN_VALUES) if rows is not western else {"VB2": 12, "VA2": 3400, "VB1": 56}
        for encoding, suffix in ((stated, ""), ("detect", "_detected")):
            layout = {
                "format": {"kind": "csv", "encoding": encoding},
                "header": {"find": [place]},
                "region": {"name": place},
                "values": [{**HEADS, "column": heads}],
            }
            preamble = len(rows) - 4
            is_told = encoding == "detect" and not written.startswith("utf-8") and written != "utf-16"
            cases.append(
                Case(
                    f"encoding_{name}{suffix}",
                    text(rows, written),
                    layout,
                    values,
                    ignored={"preamble": preamble, "header": 1},
                    findings=["detected_encoding"] if is_told else [],
                    sniffed=True,
                )
            )
    dash = [["Place", "Heads"], ["Ash", "12"], ["Aspen", "\u2013"], ["Ærø", "3"]]
    cases.append(
        Case(
            "encoding_windows_dashes",
            text(dash, "cp1252"),
            _base(format={"kind": "csv", "encoding": "detect"}, tokens={"\u2013": "not_collected"}),
            {"VA1": 12, "VA2": None, "VB2": 3},
            statuses={"VA2": "L"},
            findings=["detected_encoding"],
            sniffed=True,
        )
    )
    return cases


def formats() -> list[Case]:
    """The same table in every format, plain and packed."""
    kinds = {
        "csv": ("file.csv", text(PLAIN), {"kind": "csv"}),
        "semicolons": ("file.csv", text(PLAIN, delimiter=";"), {"kind": "csv", "delimiter": ";"}),
        "tsv": ("file.tsv", text(PLAIN, delimiter="\t"), {"kind": "tsv"}),
        "xlsx": ("file.xlsx", workbook({"Data": NUMBERS}), {"kind": "xlsx", "sheet": "Data"}),
        "ods": ("file.ods", open_document({"Notes": [["nothing"]], "Data": NUMBERS}), {"kind": "ods", "sheet": "Data"}),
        "parquet": ("file.parquet", parquet(NUMBERS), {"kind": "parquet"}),
        "json_lines": ("file.jsonl", json_lines(NUMBERS), {"kind": "jsonl"}),
    }
    cases = []
    for kind, (file_name, data, rule) in kinds.items():
        layout = _base(format=rule)
        common: dict[str, Any] = {"sniffed": True}
        cases.append(Case(f"format_{kind}", data, layout, PLAIN_VALUES, file_name=file_name, **common))
        packed = gzip.compress(data, mtime=0)
        cases.append(Case(f"format_{kind}_gzip", packed, layout, PLAIN_VALUES, file_name=f"{file_name}.gz", **common))
        archive = zipped({"README.md": b"read me", f"inner/{file_name}": data})
        named = _base(format={**rule, "member": file_name})
        cases.append(Case(f"format_{kind}_zip", archive, named, PLAIN_VALUES, file_name="file.zip", **common))
    return cases


def shapes() -> list[Case]:
    """Headers, blocks, turned tables, several sheets."""
    sexes = {"sex": {"men": "male", "women": "female"}}
    by_sex = {**HEADS, "columns": "^Heads/(?P<sex>men|women)$", "sex": "{sex}", "maps": sexes}
    by_sex.pop("column")
    years = {**HEADS, "columns": r"^(?P<period>\d{4})$"}
    years.pop("column")
    merged = [["Heads by place"], ["Place", "Heads", None], [None, "men", "women"], ["Ash", 1, 2], ["Beech", 4, 5]]
    return [
        Case(
            "header_of_two_merged_rows",
            workbook({"Data": merged}, merges=[(1, 1, 1, 2, "Heads"), (1, 0, 2, 0, "Place")]),
            {
                "format": {"kind": "xlsx"},
                "header": {"find": ["Place", "Heads"], "rows": 2, "fill_right": True},
                "values": [by_sex],
            },
            {("VA1", "male"): 1, ("VA1", "female"): 2, ("VB1", "male"): 4, ("VB1", "female"): 5},
            key=("region_code", "sex"),
            ignored={"preamble": 1, "header": 2},
            file_name="file.xlsx",
            sniffed=True,
        ),
        Case(
            "header_with_line_breaks",
            text([["Place of\nresidence", "Heads\r\n(all  of\tthem)"], ["Ash", "12"], ["Aspen", "3"]]),
            _base(
                header={"find": ["Place of residence"]},
                region={"name": "Place of residence"},
                values=[{**HEADS, "column": "Heads (all of them)"}],
            ),
            {"VA1": 12, "VA2": 3},
            sniffed=True,
        ),
        Case(
            "header_of_three_rows_with_codes_and_a_year_per_column",
            workbook(
                {
                    "A": [
                        ["Basic indicators of prefectures"],
                        [None, "#A01101", "#A01101", "#B02201"],
                        [None, "heads", "heads", "spent"],
                        ["Place", "2019 (thousand)", "2020 (thousand)", "2019 (crowns)"],
                        ["Verdania", 161, 166, 5000],
                        ["Ash", "41.5", "42", 10],
                        ["Aspen", 40.25, "-", 11],
                    ]
                }
            ),
            {
                "format": {"kind": "xlsx", "sheet": "A"},
                "header": {"row": 2, "rows": 3},
                "period": {"from": "header", "kind": "year"},
                "tokens": {"-": "not_collected"},
                "values": [
                    {
                        "columns": r"^#[A-Z]\d+/(?P<what>\w+)/(?P<period>\d{4})\((?P<unit>\w+)\)$",
                        "measure": "{what}",
                        "maps": {"what": {"heads": "heads", "spent": "spent"}},
                        "unit": "{unit}",
                    }
                ],
            },
            {
                ("V", "heads", 2019): 161_000,
                ("V", "heads", 2020): 166_000,
                ("V", "spent", 2019): 5000,
                ("VA1", "heads", 2019): 41_500,
                ("VA1", "heads", 2020): 42_000,
                ("VA1", "spent", 2019): 10,
                ("VA2", "heads", 2019): 40_250,
                ("VA2", "heads", 2020): None,
                ("VA2", "spent", 2019): 11,
            },
            key=("region_code", "measure", "year"),
            ignored={"preamble": 1, "header": 3},
            statuses={("VA2", "heads", 2020): "L"},
            file_name="file.xlsx",
            sniffed=False,
        ),
        Case(
            "stacked_blocks_with_a_label_on_their_first_row",
            text(
                [
                    ["", "", "2019", "2020"],
                    ["Heads (persons)", "Ash", "1", "2"],
                    ["", "Aspen", "3", ""],
                    ["Guests (persons)", "Ash", "10", "20"],
                    ["", "Aspen", "30", "40"],
                ]
            ),
            {
                "header": {"find": ["2019", "2020"]},
                "region": {"name": "[B]"},
                "period": {"from": "header", "kind": "year"},
                "rows": [
                    {
                        "column": "[A]",
                        "dimension": "measure",
                        "fill": "down",
                        "map": {"Heads (persons)": "heads", "Guests (persons)": "guests"},
                    }
                ],
                "tokens": {"": "missing"},
                "values": [{"columns": r"^(?P<period>\d{4})$", "unit": "persons"}],
            },
            {
                ("VA1", "heads", 2019): 1,
                ("VA1", "heads", 2020): 2,
                ("VA2", "heads", 2019): 3,
                ("VA2", "heads", 2020): None,
                ("VA1", "guests", 2019): 10,
                ("VA1", "guests", 2020): 20,
                ("VA2", "guests", 2019): 30,
                ("VA2", "guests", 2020): 40,
            },
            key=("region_code", "measure", "year"),
            statuses={("VA2", "heads", 2020): "O"},
        ),
        Case(
            "stacked_blocks_each_under_its_own_header",
            text(
                [
                    ["Heads, 2019"],
                    ["Place", "Heads"],
                    ["Ash", "1"],
                    ["Aspen", "3"],
                    [],
                    ["Heads, 2020"],
                    ["Place", "Heads"],
                    ["Ash", "2"],
                    ["Aspen", "nothing"],
                ]
            ),
            _base(
                header={"find": ["Place"], "repeats": True},
                captures=[{"from": "preamble", "pattern": r"(?P<period>\d{4})"}],
                period={"from": "capture", "kind": "year"},
            ),
            {("VA1", 2019): 1, ("VA2", 2019): 3, ("VA1", 2020): 2},
            key=("region_code", "year"),
            rejects=[("not_a_number", 9, "nothing")],
            ignored={"preamble": 2, "header": 2, "blank": 1},
        ),
        Case(
            "turned_table",
            text([["Year", "Ash", "Aspen", "Beech"], ["2019", "1", "2", "3"], ["2020", "4", "5", "6"]]),
            {
                "format": {"kind": "csv", "transpose": True},
                "header": {"find": ["Year"]},
                "region": {"name": "Year"},
                "period": {"from": "header", "kind": "year"},
                "values": [years],
            },
            {
                ("VA1", 2019): 1,
                ("VA2", 2019): 2,
                ("VB1", 2019): 3,
                ("VA1", 2020): 4,
                ("VA2", 2020): 5,
                ("VB1", 2020): 6,
            },
            key=("region_code", "year"),
            sniffed=True,
        ),
        Case(
            "several_sheets_as_several_periods",
            workbook(
                {
                    "Notes": [["about this workbook"]],
                    "Year 2019": NUMBERS,
                    "Year 2020": [["Place", "Heads"], ["Ash", 13]],
                }
            ),
            _base(
                format={"kind": "xlsx", "sheet": {"pattern": r"^Year\d{4}$", "all": True}},
                captures=[{"from": "sheet", "pattern": r"(?P<period>\d{4})"}],
                period={"from": "capture", "kind": "year"},
            ),
            {("VA1", 2019): 12, ("VA2", 2019): 3400, ("VB1", 2019): 56, ("VA1", 2020): 13},
            key=("region_code", "year"),
            ignored={"header": 2},
            file_name="file.xlsx",
        ),
        Case(
            "table_that_starts_at_column_c",
            workbook(
                {"Data": [[], [None, None, "Place", "Heads"], [None, None, "Ash", 12], [None, None, "Aspen", "x"]]}
            ),
            _base(format={"kind": "xlsx"}),
            {"VA1": 12},
            rejects=[("not_a_number", 4, "x")],
            ignored={"preamble": 1, "header": 1},
            file_name="file.xlsx",
        ),
        Case(
            "one_header_twice",
            text([["Place", "Heads", "Heads"], ["Ash", "1", "2"]]),
            _base(),
            {},
            rejects=[("unreadable", None, "")],
            ignored={},
            problem="'Heads' stands twice",
        ),
        Case(
            "one_header_twice_told_apart_by_letter",
            text([["Place", "Heads", "Heads"], ["Ash", "1", "2"]]),
            _base(values=[{**HEADS, "column": "[C]"}]),
            {"VA1": 2},
        ),
        Case(
            "a_missing_column",
            text([["Place", "Souls"], ["Ash", "1"]]),
            _base(),
            {},
            rejects=[("unreadable", None, "")],
            ignored={},
            problem="missing column(s): Heads",
        ),
        Case(
            "a_column_that_appeared",
            text([["Place", "Heads", "Dogs", ""], ["Ash", "1", "2", "9"]]),
            _base(),
            {"VA1": 1},
            findings=["unknown_column", "unknown_column"],
        ),
    ]


def numbers() -> list[Case]:
    """How numbers, units, tokens and marks are written."""
    rows = [
        ["Place", "Spent"],
        ["Ash", "１，２３４．５"],
        ["Aspen", "（1,234）"],
        ["Beech", "1,234,567"],
        ["Alder Shire", "1 234"],
        ["Birch Shire", "12.5 13.7"],
        ["Verdania", "12.3.4"],
        ["Ærø", "1,23"],
    ]
    spent = {"column": "Spent", "measure": "spent", "unit": "crowns"}
    return [
        Case(
            "full_width_thousands_brackets_and_glued_numbers",
            text(rows),
            {"values": [spent], "numbers": {"negative": "brackets"}},
            {"VA1": Decimal("1234.5"), "VA2": -1234, "VB1": 1234567},
            rejects=[
                ("several_numbers", 5, "1 234"),
                ("several_numbers", 6, "12.5 13.7"),
                ("several_numbers", 7, "12.3.4"),
                ("not_a_number", 8, "1,23"),
            ],
        ),
        Case(
            "percent_signs",
            text([["Place", "Share"], ["Ash", "12.5%"], ["Aspen", "７．５％"], ["Beech", "3"], ["Ærø", "4 %"]]),
            {"values": [{"column": "Share", "measure": "share", "unit": "%", "min": 0, "max": 100}]},
            {"VA1": Decimal("12.5"), "VA2": Decimal("7.5"), "VB1": 3, "VB2": 4},
        ),
        Case(
            "percent_sign_where_none_belongs",
            text([["Place", "Heads"], ["Ash", "12%"], ["Aspen", "3"]]),
            _base(),
            {"VA2": 3},
            rejects=[("not_a_number", 2, "12%")],
        ),
        Case(
            "decimal_commas",
            text(
                [["Place", "Spent"], ["Ash", "1.234,5"], ["Aspen", "-12,75"], ["Beech", "1.234.567"], ["Ærø", "1,2,3"]],
                delimiter=";",
            ),
            {
                "format": {"kind": "csv", "delimiter": ";"},
                "numbers": {"decimal": ",", "thousands": "."},
                "values": [spent],
            },
            {"VA1": Decimal("1234.5"), "VA2": Decimal("-12.75"), "VB1": 1234567},
            rejects=[("not_a_number", 5, "1,2,3")],
            sniffed=False,
        ),
        Case(
            "tokens_of_many_kinds",
            text(
                [
                    ["Place", "Heads"],
                    ["Ash", "-"],
                    ["Aspen", "…"],
                    ["Beech", ".."],
                    ["Ærø", "[x]"],
                    ["Alder Shire", "c"],
                    ["Birch Shire", "*"],
                    ["Verdania", "0"],
                ]
            ),
            _base(
                tokens={
                    "-": "zero",
                    "...": "not_collected",
                    "..": "missing",
                    "[x]": "not_applicable",
                    "c": "suppressed",
                    "*": "suppressed",
                    "0": "less_than_half",
                }
            ),
            {"VA1": 0, "VA2": None, "VB1": None, "VB2": None, "VA": None, "VB": None, "V": 0},
            statuses={"VA2": "L", "VB1": "O", "VB2": "M", "VA": "Q", "VB": "Q", "V": "N"},
        ),
        Case(
            "a_token_that_nobody_agreed_on",
            text([["Place", "Heads"], ["Ash", "n.d."], ["Aspen", ""], ["Beech", "5"]]),
            _base(),
            {"VB1": 5},
            rejects=[("not_a_number", 2, "n.d."), ("empty_cell", 3, "")],
        ),
        Case(
            "marks_behind_numbers",
            text(
                [
                    ["Place", "Heads"],
                    ["Ash", "12p"],
                    ["Aspen", "1,234 (e)"],
                    ["Beech", "56b"],
                    ["Ærø", "7*"],
                    ["Verdania", "9r"],
                ]
            ),
            _base(marks={"p": "provisional", "(e)": "estimated", "b": "break", "*": "note"}),
            {"VA1": 12, "VA2": 1234, "VB1": 56, "VB2": 7},
            statuses={"VA1": "P", "VA2": "E", "VB1": "B"},
            rejects=[("not_a_number", 6, "9r")],
        ),
        Case(
            "a_mark_true_of_a_column",
            text([["Place", "Heads"], ["Ash", "12"], ["Aspen", "NA"], ["Beech", "56p"]]),
            _base(
                marks={"p": "provisional"},
                tokens={"NA": "not_collected"},
                values=[{**HEADS, "mark": "break"}],
            ),
            {"VA1": 12, "VA2": None, "VB1": 56},
            statuses={"VA1": "B", "VA2": "L", "VB1": "P"},
        ),
        Case(
            "faults_of_formulas",
            workbook(
                {
                    "Data": [
                        ["Place", "Heads"],
                        ["Ash", ("=1/0", "#DIV/0!")],
                        ["Aspen", ("=2+3", 5)],
                        ["Beech", ("=NA()", "#N/A")],
                    ]
                }
            ),
            _base(format={"kind": "xlsx"}, tokens={"": "missing", "#N/A": "not_collected"}),
            {"VA2": 5, "VB1": None},
            statuses={"VB1": "L"},
            rejects=[("not_a_number", 2, "#DIV/0!")],
            file_name="file.xlsx",
        ),
        Case(
            "unit_in_the_header",
            text([["Place", "Heads (thousand)"], ["Ash", "1.5"], ["Aspen", "0.0005"]]),
            {
                "values": [
                    {
                        "columns": r"^Heads\((?P<unit>\w+)\)$",
                        "measure": "heads",
                        "unit": "{unit}",
                    }
                ]
            },
            {"VA1": 1500, "VA2": Decimal("0.5")},
            sniffed=True,
        ),
        Case(
            "unit_in_the_preamble",
            text([["Heads by place"], ["Unit: thousand"], ["Place", "Heads"], ["Ash", "1.5"], ["Aspen", "2"]]),
            _base(
                captures=[{"from": "preamble", "pattern": r"Unit:(?P<unit>\w+)"}],
                values=[{"column": "Heads", "measure": "heads", "unit": "{unit}"}],
            ),
            {"VA1": 1500, "VA2": 2000},
            ignored={"preamble": 2, "header": 1},
            sniffed=True,
        ),
        Case(
            "numbers_of_a_workbook",
            workbook({"Data": [["Place", "Spent"], ["Ash", 0.1 + 0.2], ["Aspen", 1234567.25], ["Beech", 1e15]]}),
            {"format": {"kind": "xlsx"}, "values": [spent]},
            {"VA1": Decimal("0.3"), "VA2": Decimal("1234567.25"), "VB1": 10**15},
            file_name="file.xlsx",
        ),
    ]


def regions() -> list[Case]:
    """How regions are named."""
    return [
        Case(
            "inner_and_leading_blanks",
            text(
                [
                    ["Place", "Heads"],
                    ["V e r d a n i a", "9"],
                    ["  Alder\u3000Shire", "8"],
                    ["    Ash", "1"],
                    ["\u3000\u3000Æ r ø", "2"],
                ]
            ),
            _base(),
            {"V": 9, "VA": 8, "VA1": 1, "VB2": 2},
            sniffed=True,
        ),
        Case(
            "marks_before_names",
            text(
                [
                    ["Place", "Heads"],
                    ["Verdania", "9"],
                    ["#Alder Shire", "8"],
                    ["其中：Ash", "1"],
                    ["＃ Aspen", "2"],
                    ["?Beech", "3"],
                ]
            ),
            _base(region={"name": "Place", "name_prefixes": ["#", "其中:"]}),
            {"V": 9, "VA": 8, "VA1": 1, "VA2": 2},
            rejects=[("unknown_region", 6, "?Beech | 3")],
        ),
        Case(
            "leading_blanks_tell_regions_of_one_name_apart",
            text(
                [
                    ["Place", "Heads"],
                    ["Alder Shire", "9"],
                    ["  Ash", "1"],
                    ["  Twin", "2"],
                    ["Birch Shire", "8"],
                    ["  Twin", "3"],
                ]
            ),
            _base(region={"name": "Place", "indent": True}),
            {"VA": 9, "VA1": 1, "VA9": 2, "VB": 8, "VB9": 3},
            sniffed=True,
        ),
        Case(
            "a_column_tells_regions_of_one_name_apart",
            text(
                [
                    ["Shire", "Place", "Heads"],
                    ["Alder", "Twin", "2"],
                    ["VB", "Twin", "3"],
                    ["Birch", "Ash", "1"],
                    ["", "Twin", "4"],
                ]
            ),
            _base(region={"name": "Place", "within": "Shire"}, header={"find": ["Shire", "Place"]}),
            {"VA9": 2, "VB9": 3},
            rejects=[("region_not_within", 4, "Birch | Ash | 1"), ("ambiguous_region", 5, "Twin | 4")],
        ),
        Case(
            "a_name_that_two_regions_bear",
            text([["Place", "Heads"], ["Twin", "2"], ["Ash", "3"]]),
            _base(),
            {"VA1": 3},
            rejects=[("ambiguous_region", 2, "Twin | 2")],
        ),
        Case(
            "codes_and_names_that_disagree",
            text(
                [
                    ["Code", "Place", "Heads"],
                    ["VA1", "Ash", "1"],
                    ["VA2", "Ash", "2"],
                    ["VB1", "", "3"],
                    ["", "Beech", "4"],
                ]
            ),
            _base(header={"find": ["Code"]}, region={"code": "Code", "name": "Place"}),
            {"VA1": 1, "VB1": 3},
            rejects=[("code_and_name_disagree", 3, "VA2 | Ash | 2"), ("unknown_region", 5, "Beech | 4")],
        ),
        Case(
            "a_typing_error_accepted_by_a_person",
            text([["Place", "Heads"], ["Ahs", "1"], ["Aspne", "2"]]),
            _base(region={"name": "Place", "accepted": {"Ahs": "VA1"}}),
            {"VA1": 1},
            rejects=[("unknown_region", 3, "Aspne | 2")],
        ),
        Case(
            "the_same_row_twice_and_two_rows_that_differ",
            text([["Place", "Heads"], ["Ash", "1"], ["Ash", "1"], ["Aspen", "2"], ["Aspen", "3"]]),
            _base(),
            {"VA1": 1},
            rejects=[("duplicate_key", 4, "Aspen | 2"), ("duplicate_key", 5, "Aspen | 3")],
            findings=["repeated_row"],
        ),
    ]


def totals() -> list[Case]:
    """Rows and columns that must add up, notes, ends of tables."""
    total = {"reason": "total", "column": "Place", "pattern": "^All$", "reconcile": "all"}
    three = [
        {**HEADS, "column": name, "sex": sex} for name, sex in (("All", "all"), ("Men", "male"), ("Women", "female"))
    ]
    return [
        Case(
            "totals_that_tie",
            text([*PLAIN, ["All", "3,468"]]),
            _base(ignore_rows=[total]),
            PLAIN_VALUES,
            ignored={"header": 1, "total": 1},
            sniffed=True,
        ),
        Case(
            "totals_that_do_not_tie",
            text([*PLAIN, ["All", "3469"]]),
            _base(ignore_rows=[total]),
            PLAIN_VALUES,
            ignored={"header": 1, "total": 1},
            findings=["reported_total"],
        ),
        Case(
            "subtotals_by_block",
            text(
                [["Place", "Heads"], ["Ash", "1"], ["Aspen", "2"], ["Subtotal", "3"], ["Beech", "5"], ["Subtotal", "6"]]
            ),
            _base(
                ignore_rows=[{**total, "reason": "subtotal", "pattern": "^Subtotal$", "reconcile": "since_previous"}]
            ),
            {"VA1": 1, "VA2": 2, "VB1": 5},
            ignored={"header": 1, "subtotal": 2},
            findings=["reported_total"],
        ),
        Case(
            "control_totals_within_rows",
            text(
                [
                    ["Place", "All", "Men", "Women"],
                    ["Ash", "5", "2", "3"],
                    ["Aspen", "9", "4", "4"],
                    ["Beech", "9", "", "4"],
                ]
            ),
            _base(
                values=three,
                tokens={"": "missing"},
                controls=[{"name": "sexes", "total": "All", "parts": ["Men", "Women"]}],
            ),
            {
                ("VA1", "all"): 5,
                ("VA1", "male"): 2,
                ("VA1", "female"): 3,
                ("VA2", "all"): 9,
                ("VA2", "male"): 4,
                ("VA2", "female"): 4,
                ("VB1", "all"): 9,
                ("VB1", "male"): None,
                ("VB1", "female"): 4,
            },
            key=("region_code", "sex"),
            statuses={("VB1", "male"): "O"},
            findings=["control_total"],
        ),
        Case(
            "preamble_blank_rows_and_footnotes",
            text(
                [
                    ["Heads by place"],
                    [],
                    ["(all of them)"],
                    *PLAIN[:2],
                    [],
                    *PLAIN[2:],
                    ["Note: 1 Sundays only"],
                    ["Ash", "99"],
                ]
            ),
            _base(data={"end_at": ["^Note"]}),
            PLAIN_VALUES,
            ignored={"preamble": 3, "header": 1, "blank": 1, "footnote": 2},
        ),
    ]


def periods() -> list[Case]:
    """How years, financial years, months and other calendars are named."""
    return [
        Case(
            "financial_years_in_headers",
            text([["Place", "2018-19", "2019/20"], ["Ash", "1", "2"]]),
            {
                "period": {"from": "header", "kind": "year", "starts": "04-01"},
                "values": [{"columns": r"^(?P<period>\d{4}[-/]\d\d)$", "measure": "spent", "unit": "crowns"}],
            },
            {("VA1", "2018-04-01", "2019-03-31"): 1, ("VA1", "2019-04-01", "2020-03-31"): 2},
            key=("region_code", "period_start", "period_end"),
            sniffed=True,
        ),
        Case(
            "financial_years_named_by_their_end",
            text([["Place", "FY2019", "FY2020"], ["Ash", "1", "2"]]),
            {
                "period": {"from": "header", "kind": "year", "starts": "10-01", "named_by": "end"},
                "values": [{"columns": r"^FY(?P<period>\d{4})$", "measure": "spent", "unit": "crowns"}],
            },
            {("VA1", "2018-10-01", "2019-09-30"): 1, ("VA1", "2019-10-01", "2020-09-30"): 2},
            key=("region_code", "period_start", "period_end"),
        ),
        Case(
            "years_of_another_calendar",
            text([["Place", "平成31", "令和2"], ["Ash", "1", "2"]]),
            {
                "period": {"from": "header", "kind": "year", "map": {"平成31": "2019", "令和2": "2020"}},
                "values": [{"columns": r"^(?P<period>(平成|令和)\d+)$", "measure": "spent", "unit": "crowns"}],
            },
            {("VA1", 2019): 1, ("VA1", 2020): 2},
            key=("region_code", "year"),
        ),
        Case(
            "a_year_in_each_row",
            text([["Place", "Year", "Heads"], ["Ash", "2019", "1"], ["Ash", "2020年", "2"], ["Ash", "last", "3"]]),
            _base(period={"from": "column", "column": "Year", "kind": "year"}),
            {("VA1", 2019): 1, ("VA1", 2020): 2},
            key=("region_code", "year"),
            rejects=[("unknown_period", 4, "Ash | last | 3")],
        ),
        Case(
            "months",
            text([["Place", "2020年1月", "2020年12月"], ["Ash", "1", "2"]]),
            {
                "period": {"from": "header", "kind": "month"},
                "values": [{"columns": r"^(?P<period>\d{4}年\d+月)$", "measure": "spent", "unit": "crowns"}],
            },
            {("VA1", "2020-01-01", "2020-01-31"): 1, ("VA1", "2020-12-01", "2020-12-31"): 2},
            key=("region_code", "period_start", "period_end"),
        ),
        Case(
            "a_day_named_in_the_preamble",
            text([["Count of 30 June 2020"], ["Place", "Heads"], ["Ash", "1"]]),
            _base(
                captures=[{"from": "preamble", "pattern": r"(?P<period>\d{4})"}],
                period={"from": "capture", "kind": "point", "month_day": "06-30"},
            ),
            {("VA1", "2020-06-30", "2020-06-30"): 1},
            key=("region_code", "period_start", "period_end"),
            ignored={"preamble": 1, "header": 1},
        ),
    ]


def _authorities(year: str, blank_rows: int, *, renamed: bool) -> bytes:
    """A workbook of spending by service and local authority: the header moves, columns are renamed, sheets too."""
    names = ["Code", "Authority", "Class"]
    services = ["Education services" if renamed else "Education", "Highways & roads", "TOTAL SERVICE EXPENDITURE"]
    rows: list[list[Any]] = [[f"Revenue outturn {year}"], ["All figures in crowns"]] + [[] for _ in range(blank_rows)]
    rows += [[*names, *services], [None, None, None, 190, 290, 990]]
    rows += [
        ["VA", "Alder Shire", "SC", 1200, 300, 1500],
        ["VB", "Birch Shire", "SC", 900, "[x]", 900],
        ["", "", "", None, None, None],
        ["", "All authorities", "", 2100, 300, 2400],
        ["[x] not available"],
    ]
    return workbook({"Notes": [["Read me"]], f"LA data {year}" if renamed else f"Data_{year}": rows})


def local_spending() -> list[Case]:
    """Two years of the same publication, read by one layout."""
    layout = {
        "format": {"kind": "xlsx", "sheet": {"pattern": r"^(LAdata|Data_)"}},
        "header": {"find": ["Code", "Authority", "Education"]},
        "aliases": {"Education": ["Education services"]},
        "captures": [{"from": "preamble", "pattern": r"outturn(?P<period>\d{4}-\d\d)"}],
        "data": {"end_at": [r"^\[x\]not"]},
        "ignore_rows": [
            {"reason": "line_numbers", "column": "Education", "pattern": "^190$"},
            {"reason": "total", "column": "Authority", "pattern": "^Allauthorities$", "reconcile": "all"},
        ],
        "region": {"code": "Code", "name": "Authority"},
        "period": {"from": "capture", "kind": "year", "starts": "04-01"},
        "tokens": {"[x]": "missing"},
        "defaults": {"measure": "spent"},
        "values": [
            {"column": "Education", "item": "education", "unit": "crowns"},
            {"column": "Highways & roads", "item": "roads", "unit": "crowns"},
            {"column": "TOTAL SERVICE EXPENDITURE", "unit": "crowns"},
        ],
        "controls": [
            {
                "name": "services",
                "total": "TOTAL SERVICE EXPENDITURE",
                "parts": ["Education", "Highways & roads"],
            }
        ],
        "ignore_columns": ["^Class$"],
    }
    values = {
        ("VA", "education"): 1200,
        ("VA", "roads"): 300,
        ("VA", "all"): 1500,
        ("VB", "education"): 900,
        ("VB", "roads"): None,
        ("VB", "all"): 900,
    }
    return [
        Case(
            f"spending_by_service_and_authority_{year.replace('-', '_')}",
            _authorities(year, blank_rows, renamed=renamed),
            layout,
            values,
            key=("region_code", "item"),
            ignored={
                "preamble": 2 + blank_rows,
                "header": 1,
                "line_numbers": 1,
                "blank": 1,
                "total": 1,
                "footnote": 1,
            },
            statuses={("VB", "roads"): "O"},
            file_name="outturn.xlsx",
            period=year[:4],
        )
        for year, blank_rows, renamed in (("2018-19", 1, False), ("2019-20", 5, True))
    ]


def cases() -> list[Case]:
    """The whole corpus."""
    made = [*encodings(), *formats(), *shapes(), *numbers(), *regions(), *totals(), *periods(), *local_spending()]
    names = [case.name for case in made]
    assert len(set(names)) == len(names), "each case has a name of its own"
    return made
