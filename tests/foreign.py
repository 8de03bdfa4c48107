"""Files in the layouts of other countries' official statistics, invented for tests: nothing in them is a real figure.

An English workbook of local authorities' spending whose header moves from year to year; a Japanese file of three header
rows with a reference year per column; a European table whose first column holds all its keys.
"""

from __future__ import annotations

import datetime
import io
from typing import Any

import country
import xlsxwriter

# -- England: spending by service and local authority ------------------------------------------------------------

AUTHORITIES = {
    "E06000201": ("Marshfleet", "UA"),
    "E06000202": ("Saltby upon Wold", "UA"),
    "E07000901": ("Brindle Vale", "SD"),
    "E08000301": ("Ironbeck", "MD"),
    "E09000101": ("Lantern Cross", "LB"),
    "E10000501": ("Wealdshire", "SC"),
}
CLASSES = {
    "UA": "Unitary authorities",
    "SD": "Shire districts",
    "MD": "Metropolitan districts",
    "LB": "London boroughs",
}
CLASSES["SC"] = "Shire counties"
SERVICES = ["education", "roads", "social", "housing", "culture"]
NAMES = {
    2018: [
        "Education services",
        "Highways & transport",
        "Adult social care",
        "Housing (GFRA only)",
        "Cultural services",
    ],
    2019: ["Education Services", "Highways and transport", "Adult Social Care", "Housing (GFRA only)", "Cultural"],
}


def spent(code: str, service: int, year: int) -> int | str:
    """£ thousand, or the sign that stands instead of a figure."""
    if code == "E07000901" and service == 0:
        return "[x]"
    if code == "E06000202" and service == 3:
        return "c" if year == 2018 else ".."
    return (int(code[-4:]) * 37 + service * 911 + year * 13) % 90_000 - (400 if service == 4 else 0)


def english_workbook(year: int) -> bytes:
    """Cover, notes, and the sheet of figures; in 2019-20 things have moved and are renamed, as usual."""
    title = f"{year}-{(year + 1) % 100:02d}"
    rows: list[list[Any]] = [[f"Revenue outturn summary (RS) {title}"], ["Figures in £ thousand"]]
    rows += [["Released 14 November"], []] if year == 2018 else [["Corrected in March"], ["See the notes"], [], [], []]
    keys = ["ONS Code", "Local authority", "Notes", "Class"]
    if year > 2018:
        keys.insert(0, "E-code")
    rows.append([*keys, *NAMES[year], "TOTAL SERVICE EXPENDITURE"])
    rows.append([*[None] * len(keys), *range(190, 190 + 10 * len(SERVICES), 10), 799])

    def line(code: str | None, name: str, kind: str, values: list[Any]) -> list[Any]:
        total = sum(v for v in values if isinstance(v, int))
        head = [code, name, "(2)" if name == "Ironbeck" else None, kind]
        return [*(["R1"] if year > 2018 else []), *head, *values, total]

    for kind, label in CLASSES.items():
        rows.append([*([None] if year > 2018 else []), None, label])
        own = [code for code, (_, k) in AUTHORITIES.items() if k == kind]
        for code in own:
            rows.append(line(code, AUTHORITIES[code][0], kind, [spent(code, i, year) for i in range(len(SERVICES))]))
        sums = [sum(v for c in own if isinstance(v := spent(c, i, year), int)) for i in range(len(SERVICES))]
        rows.append(line(None, f"Total {label.lower()}", "", sums))
    whole = [sum(v for c in AUTHORITIES if isinstance(v := spent(c, i, year), int)) for i in range(len(SERVICES))]
    rows.append(line("E92000001", "England", "", whole))
    rows += [[], ["[x] service not provided by this class of authority"], ["c confidential"]]
    return _workbook({"Cover": [["Revenue outturn"]], "Notes": [["(2) revised"]], f"RS_LA_Data_{title}": rows})


# -- Japan: social indicators by prefecture ----------------------------------------------------------------------

PREFECTURES = {"96000": "葵県", "97000": "桐原県", "98000": "鴎島県"}
ITEMS = [
    ("A1101", "総人口", "人", ("平成27", "令和2")),
    ("I5101", "病院数", "施設", ("令和元", "令和2")),
    ("D310301", "歳出決算総額（県財政）", "千円", ("平成30", "令和元")),
]


def japanese_figure(code: str, item: int, which: int) -> int:
    """The figure in the unit of its column."""
    return [(1_200_345, 1_190_221), (88, 87), (812_345_678, 820_111_222)][item][which] + int(code[:2]) * (item + 1)


def japanese_file() -> bytes:
    """cp932: item codes, names with their unit, and a reference year for each column, in three header rows."""
    rows: list[list[Any]] = [["社会生活統計指標", "作成：統計局"], []]
    rows.append(["地域", "", *(code for code, *_ in ITEMS for _ in (0, 1))])
    rows.append(["コード", "都道府県", *(f"{name}（{unit}）" for _, name, unit, _ in ITEMS for _ in (0, 1))])
    rows.append(["", "", *(f"{year}年度" for *_, years in ITEMS for year in years)])
    for code, name in PREFECTURES.items():
        figures = [japanese_figure(code, item, which) for item in range(len(ITEMS)) for which in (0, 1)]
        shown: list[Any] = [f"{figure:,}" for figure in figures]
        if code == "98000":
            shown[2] = "…"
        rows.append([code, name.replace("県", "　県"), *shown])
    rows.append(["（注）", "「…」は数値が得られないもの"])
    return country.csv_bytes(rows, "cp932")


# -- a European table: all keys in the first column, flags behind the figures --------------------------------------


def european_table() -> bytes:
    """Tabs, `geo\\TIME_PERIOD`, colons for what is missing, flags behind figures, packed with gzip."""
    import gzip

    lines = ["freq,unit,sex,age,geo\\TIME_PERIOD\t2018 \t2019 \t2020 "]
    for geo, base in (("QA", 5_000_000), ("QA1", 3_000_000), ("QA2", 2_000_000)):
        for sex, share in (("T", 2), ("M", 1), ("F", 1)):
            cells = [str(base * share // 2 + year) for year in range(3)]
            if geo == "QA2":
                cells[0], cells[2] = ": ", cells[2] + " bp"
            if geo == "QA1" and sex == "F":
                cells[1] += " e"
            lines.append("\t".join([f"A,NR,{sex},TOTAL,{geo}", *cells]))
    return gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0)


def _workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    book.set_properties({"created": datetime.datetime(2020, 1, 1)})
    for name, rows in sheets.items():
        page = book.add_worksheet(name)
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    book.close()
    return target.getvalue()
