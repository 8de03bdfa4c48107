"""What the sample is made from: parameters, reference tables, and the official extracts of this jurisdiction.

Only reading is here; nothing else than these files is read. The workbooks are read without a spreadsheet library.
"""

from __future__ import annotations

import csv
import re
import tomllib
import unicodedata
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

FIVE_YEAR = ["0", "1-4", *(f"{a}-{a + 4}" for a in range(5, 85, 5)), "85+"]


class SampleError(Exception):
    """An input that does not fit, or a promise of the sample that does not hold."""


@dataclass(frozen=True)
class Region:
    """One version of a region from regions.csv."""

    code: str
    name: str
    level: str
    parent: str
    valid_from: str
    valid_to: str


@dataclass
class Census:
    """One unit's census count."""

    total: int
    urban: int
    rural: int
    male: int
    registered: int
    ages: dict[str, int]
    men: dict[str, int] = field(default_factory=dict)  # the male part of `ages`


@dataclass
class Inputs:
    """All that is read."""

    parameters: dict[str, Any]
    regions: list[Region]
    changes: list[dict[str, str]]
    groups: dict[str, set[str]]
    census: dict[int, dict[str, Census]]
    residents: dict[int, int]  # home region, persons
    expenditure: dict[int, int]  # home region, ten thousand yuan
    payer_shares: list[dict[str, str]]

    def in_force(self, day: str) -> dict[str, Region]:
        """The regions of the home region in force on a day, by code."""
        home = self.parameters["home"][:2]
        return {
            r.code: r
            for r in self.regions
            if r.code.startswith(home) and r.valid_from <= day and (not r.valid_to or day < r.valid_to)
        }


def read_inputs(jurisdiction: Path) -> Inputs:
    """Read parameters, reference tables and official extracts below the jurisdiction's folder."""
    parameters = tomllib.loads((Path(__file__).parent / "parameters.toml").read_text(encoding="utf-8"))
    reference = jurisdiction / "reference"
    regions = [
        Region(r["region_code"], r["region_name"], r["region_level"], r["parent_code"], r["valid_from"], r["valid_to"])
        for r in _table(reference / "regions.csv")
    ]
    groups: dict[str, set[str]] = {}
    for row in _table(reference / "region_groups.csv"):
        groups.setdefault(row["group_code"], set()).add(row["region_code"])
    landing = jurisdiction / "landing"
    home_name = next(r.name for r in regions if r.code == parameters["home"])
    population = _rows_by_name(landing / "statistics/resident_population/2024", "gb18030")
    budget = _rows_by_name(landing / "finance/general_budget_expenditure/2024", "utf-8-sig")
    return Inputs(
        parameters,
        regions,
        _table(reference / "region_changes.csv"),
        groups,
        {
            2010: _census_2010(landing / "statistics/census/2010"),
            2020: _census_2020(landing / "statistics/census/2020"),
        },
        {year: _exact(text, 10_000) for year, text in population[home_name].items()},
        {year: _exact(text, 10_000) for year, text in budget[home_name].items()},
        _table(reference / "item_payer_shares.csv"),
    )


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _only_file(folder: Path) -> Path:
    files = [p for p in sorted(folder.iterdir()) if not p.name.startswith(".")]
    if len(files) != 1:
        raise SampleError(f"{folder} should hold one file, it holds {len(files)}")
    return files[0]


def _rows_by_name(folder: Path, encoding: str) -> dict[str, dict[int, str]]:
    """A publisher's table with years across: name -> year -> cell."""
    with _only_file(folder).open(encoding=encoding, newline="") as file:
        rows = [[cell.strip() for cell in row] for row in csv.reader(file)]
    head = next(i for i, row in enumerate(rows) if row and row[0] == "地区")
    years = [int(cell[:4]) if re.fullmatch(r"\d{4}年", cell) else 0 for cell in rows[head]]
    return {
        row[0]: {year: cell for year, cell in zip(years, row, strict=False) if year and cell}
        for row in rows[head + 1 :]
        if len(row) > 2
    }


def _exact(text: str, factor: int) -> int:
    """A decimal text times a factor, which must give a whole number."""
    whole, _, decimals = text.partition(".")
    result, rest = divmod(int(whole + decimals) * factor, int("1" + "0" * len(decimals)))
    if rest:
        raise SampleError(f"{text} times {factor} is not whole")
    return result


def _workbook(path: Path) -> list[dict[str, str]]:
    """The first sheet as rows of text by column letter, without a spreadsheet library."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(path) as archive:
        strings = ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
        texts = ["".join(t.text or "" for t in item.iter(f"{space}t")) for item in strings.iter(f"{space}si")]
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    rows = []
    for row in sheet.iter(f"{space}row"):
        cells = {}
        for cell in row.iter(f"{space}c"):
            value = cell.find(f"{space}v")
            if value is not None and value.text is not None:
                text = texts[int(value.text)] if cell.get("t") == "s" else value.text
                cells[re.sub(r"\d", "", cell.get("r") or "")] = text
        rows.append(cells)
    return rows


def _census_rows(folder: Path) -> list[dict[str, str]]:
    """Rows by header text, in the comparison form: full-width to ASCII, blanks and line breaks removed."""
    rows = _workbook(_only_file(folder))
    head = {letter: re.sub(r"\s", "", unicodedata.normalize("NFKC", text)) for letter, text in rows[0].items()}
    return [{name: row.get(letter, "") for letter, name in head.items()} for row in rows[1:]]


def _census_2010(folder: Path) -> dict[str, Census]:
    units = {}
    for row in _census_rows(folder):
        if not row["区划代码"]:
            continue  # the note in the last row
        ages, men = {}, {}
        for age in FIVE_YEAR:
            label = "85岁及以上" if age == "85+" else f"{age}岁"
            men[age] = int(row[f"{label}(男)"])
            ages[age] = int(row[f"{label}(男)"]) + int(row[f"{label}(女)"])
        units[row["区划代码"]] = Census(
            total=int(row["合计"]),
            urban=int(row["城镇人口"]),
            rural=int(row["乡村人口"] or 0),
            male=int(row["男"]),
            registered=int(row["户籍人口"]),
            ages=ages,
            men=men,
        )
    return units


def _census_2020(folder: Path) -> dict[str, Census]:
    units = {}
    for row in _census_rows(folder):
        code = "330371" if row["区划代码"] == "NA" else row["区划代码"]
        ages, men = {}, {}
        for age in FIVE_YEAR:
            label = "85岁以上" if age == "85+" else age.replace("-", "到") + "岁"
            men[age] = int(row[f"男_{label}"])
            ages[age] = int(row[f"男_{label}"]) + int(row[f"女_{label}"])
        units[code] = Census(
            total=int(row["人口数_合计"]),
            urban=int(row["城镇人口"]),
            rural=int(row["乡村人口"]),
            male=int(row["人口数_男"]),
            registered=0,  # not counted in 2020
            ages=ages,
            men=men,
        )
    return units
