"""The figures of the sample: residents by land and year, and everything that hangs on them.

Only numbers are made here; how they are laid out as departments' files is `extracts.py`'s work. Inputs are the
official extracts and reference tables of this jurisdiction and `parameters.toml`; nothing else is read. Arithmetic
is on whole numbers and on single operations of floats, which every machine computes alike (`sum` of floats is left
out: its rounding changed between versions of Python); chance is a hash of the seed and a name, so a figure does not
depend on the order in which figures are made.
"""

from __future__ import annotations

import csv
import hashlib
import re
import tomllib
import unicodedata
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

FIVE_YEAR = ["0", "1-4", *(f"{a}-{a + 4}" for a in range(5, 85, 5)), "85+"]
# Ages asked for, as parts of the census bands (part, of): people are spread evenly within a band.
TARGET_AGES: dict[str, dict[str, tuple[int, int]]] = {
    "3-5": {"1-4": (2, 4), "5-9": (1, 5)},
    "6-11": {"5-9": (4, 5), "10-14": (2, 5)},
    "12-14": {"10-14": (3, 5)},
    "15-17": {"15-19": (3, 5)},
    "60+": dict.fromkeys(FIVE_YEAR[13:], (1, 1)),
    "65+": dict.fromkeys(FIVE_YEAR[14:], (1, 1)),
}
YOUNG = {"0": (1, 1), "1-4": (1, 1), "5-9": (1, 1), "10-14": (1, 1), "15-19": (1, 5)}  # below 16
STAGES = ("primary", "junior", "upper_secondary", "vocational")
SCHEMES = ("pension", "medical", "unemployment", "work_injury", "maternity")


class SampleError(Exception):
    """An input that does not fit, or a promise of the sample that does not hold."""


# -- inputs ----------------------------------------------------------------------------------------------------


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
        ages = {}
        for age in FIVE_YEAR:
            label = "85岁及以上" if age == "85+" else f"{age}岁"
            ages[age] = int(row[f"{label}(男)"]) + int(row[f"{label}(女)"])
        units[row["区划代码"]] = Census(
            total=int(row["合计"]),
            urban=int(row["城镇人口"]),
            rural=int(row["乡村人口"] or 0),
            male=int(row["男"]),
            registered=int(row["户籍人口"]),
            ages=ages,
        )
    return units


def _census_2020(folder: Path) -> dict[str, Census]:
    units = {}
    for row in _census_rows(folder):
        code = "330371" if row["区划代码"] == "NA" else row["区划代码"]
        ages = {}
        for age in FIVE_YEAR:
            label = "85岁以上" if age == "85+" else age.replace("-", "到") + "岁"
            ages[age] = int(row[f"男_{label}"]) + int(row[f"女_{label}"])
        units[code] = Census(
            total=int(row["人口数_合计"]),
            urban=int(row["城镇人口"]),
            rural=int(row["乡村人口"]),
            male=int(row["人口数_男"]),
            registered=0,  # not counted in 2020
            ages=ages,
        )
    return units


# -- chance and shares -----------------------------------------------------------------------------------------


def chance(seed: str, *key: object) -> float:
    """A number in [0, 1) that depends on the seed and the key only."""
    digest = hashlib.sha256("\0".join([seed, *map(str, key)]).encode()).digest()
    return int.from_bytes(digest[:6], "big") / (1 << 48)


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """A whole number shared out by weights with nothing lost: largest remainder, the earlier one at a tie."""
    weight_sum = sum(weights)
    if total == 0 or weight_sum == 0:
        if total:
            raise SampleError(f"{total} cannot be shared out: all weights are zero")
        return [0] * len(weights)
    parts = [divmod(total * weight, weight_sum) for weight in weights]
    result = [whole for whole, _ in parts]
    order = sorted(range(len(parts)), key=lambda i: (-parts[i][1], i))
    for i in order[: total - sum(result)]:
        result[i] += 1
    return result


def whole(value: float) -> int:
    """The nearest whole number, halves up, never below zero."""
    return max(0, int(value + 0.5))


def weight(value: float) -> int:
    """A float as a weight for `apportion`."""
    return max(0, int(value * 1_000_000))


# -- land ------------------------------------------------------------------------------------------------------


@dataclass
class Atom:
    """A piece of land that has stayed in one unit at a time since the 2010 census."""

    key: str
    origin: str
    goes: dict[tuple[str, str], str]  # (code before, date) -> code after, for the parts that moved
    share: float
    start: Census = field(default_factory=lambda: Census(0, 0, 0, 0, 0, {}))
    end: Census = field(default_factory=lambda: Census(0, 0, 0, 0, 0, {}))

    def code_on(self, day: str, changes: Iterable[dict[str, str]]) -> str:
        """The code of the unit that the land belongs to on a day."""
        code = self.origin
        for change in changes:
            if change["effective_date"] > day or change["from_code"] != code:
                continue
            part_goes = self.goes.get((code, change["effective_date"])) == change["to_code"]
            if change["population_share"] == "1" or part_goes:
                code = change["to_code"]
        return code


def make_atoms(inputs: Inputs) -> list[Atom]:
    """The atoms, with their people in 2010 and 2020."""
    changes = sorted(inputs.changes, key=lambda c: (c["effective_date"], c["from_code"], c["to_code"]))
    before_2021 = [c for c in changes if c["effective_date"] < "2020-11-01"]
    parts: dict[str, list[dict[str, Any]]] = {}
    for part in inputs.parameters["part"]:
        parts.setdefault(part["from"], []).append(part)
    regions = inputs.in_force("2010-11-01")
    atoms = []
    for code in sorted(c for c in inputs.census[2010] if regions[c].level == "county"):
        rest = 1.0
        for part in parts.get(code, []):
            date = next(
                c["effective_date"] for c in before_2021 if (c["from_code"], c["to_code"]) == (code, part["to"])
            )
            rest -= part["share"]
            atoms.append(Atom(f"{code}>{part['to']}", code, {(code, date): part["to"]}, part["share"]))
        if rest > 0.0001:
            atoms.append(Atom(code, code, {}, rest))
    by_origin: dict[str, list[Atom]] = {}
    by_end: dict[str, list[Atom]] = {}
    for atom in atoms:
        by_origin.setdefault(atom.origin, []).append(atom)
        by_end.setdefault(atom.code_on("2020-11-01", changes), []).append(atom)
    for code, members in by_origin.items():
        starts = _split(inputs.census[2010][code], [weight(a.share) for a in members])
        for atom, start in zip(members, starts, strict=True):
            atom.start = start
    listed = {c for c, r in inputs.in_force("2020-11-01").items() if r.level in ("county", "zone")}
    if set(by_end) != listed:
        raise SampleError(f"land and list of regions differ in 2020: {sorted(set(by_end) ^ listed)}")
    for code, members in by_end.items():
        census = inputs.census[2020][code]
        for atom, end in zip(members, _split(census, [a.start.total for a in members]), strict=True):
            atom.end = end
        # Land without villages in 2010 has none in 2020: the unit's rural people live on its other land.
        villages = [a.start.rural for a in members]
        rural = apportion(census.rural, villages if any(villages) else [a.end.total for a in members])
        for atom, count in zip(members, rural, strict=True):
            atom.end.rural, atom.end.urban = count, atom.end.total - count
    return atoms


def _split(census: Census, weights: list[int]) -> list[Census]:
    """A unit's count shared out among its land."""
    totals = apportion(census.total, weights)
    rural = apportion(census.rural, totals)
    male = apportion(census.male, totals)
    registered = apportion(census.registered, totals)
    ages = {age: apportion(count, totals) for age, count in census.ages.items()}
    return [
        Census(t, t - rural[i], rural[i], male[i], registered[i], {age: counts[i] for age, counts in ages.items()})
        for i, t in enumerate(totals)
    ]


# -- a unit in a year ------------------------------------------------------------------------------------------


@dataclass
class Unit:
    """A county or zone in one year, with everything its departments report."""

    code: str
    name: str
    parent: str
    year: int
    key: str  # stays the same when the code changes
    is_accelerated: bool
    is_island: bool
    residents: int = 0
    rural: int = 0
    ages: dict[str, int] = field(default_factory=dict)
    below_16: int = 0
    babies: int = 0
    registered: int = 0
    registered_male: int = 0
    pupils: dict[str, int] = field(default_factory=dict)
    teachers: dict[str, int] = field(default_factory=dict)
    schools: dict[str, int] = field(default_factory=dict)
    standard: dict[str, int] = field(default_factory=dict)
    kindergarten_children: int = 0
    kindergarten_places: int = 0
    migrant_pupils: int = 0
    migrant_public: int = 0
    beds: int = 0
    doctors: int = 0
    signed: int = 0
    managed: int = 0
    births: int = 0
    deaths: dict[str, int] = field(default_factory=dict)
    entitled: int = 0
    insured: dict[str, int] = field(default_factory=dict)
    insured_registered: dict[str, int] = field(default_factory=dict)
    applicants: int = 0
    housed: int = 0
    subsidised: int = 0
    unsafe: int = 0
    repaired: int = 0

    @property
    def urban(self) -> int:
        """Urban residents."""
        return self.residents - self.rural

    @property
    def migrant_share(self) -> float:
        """The part of residents that must be registered elsewhere."""
        return max(0.0, 1 - self.registered / self.residents)


@dataclass
class Spending:
    """One government's spending in a year, in ten thousand yuan: class -> (urban, rural, unattributed)."""

    code: str
    name: str
    level: str
    classes: dict[str, tuple[int, int, int]]

    @property
    def total(self) -> int:
        """All classes together."""
        return sum(sum(parts) for parts in self.classes.values())


@dataclass
class Year:
    """A year's figures."""

    year: int
    units: list[Unit]
    spending: list[Spending]


class Sample:
    """All years' figures, made in one go and checked against what is promised of them."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.parameters = inputs.parameters
        self.seed: str = inputs.parameters["seed"]
        self.changes = sorted(inputs.changes, key=lambda c: (c["effective_date"], c["from_code"], c["to_code"]))
        self.atoms = make_atoms(inputs)
        self.years = [self._year(year) for year in inputs.parameters["years"]]
        for figures in self.years:
            self._check(figures)

    def names(self, year: int) -> dict[str, Region]:
        """Regions in force at the end of a year."""
        return self.inputs.in_force(f"{year}-12-31")

    def _year(self, year: int) -> Year:
        units = self._people(year)
        provincial = sum(u.rural for u in units) / sum(u.residents for u in units)
        for unit in units:
            self._education(unit, provincial)
            self._health(unit, provincial)
            self._insurance(unit, provincial)
            self._housing(unit, provincial)
        self._births(units)
        return Year(year, units, self._spending(year, units, provincial))

    # people

    def _people(self, year: int) -> list[Unit]:
        day = f"{year}-12-31"
        numerator, denominator = 12 * (year - 2010) + 2, 120  # from 1 November 2010, in months of ten years
        paths = [max(0, a.start.total * denominator + (a.end.total - a.start.total) * numerator) for a in self.atoms]
        residents = apportion(self.inputs.residents[year], paths)
        passed = numerator / denominator
        growth = sum(a.end.total for a in self.atoms) / sum(a.start.total for a in self.atoms)
        rule = self.parameters["registered"]
        registered_total = whole(sum(a.start.registered for a in self.atoms) * (1 + rule["growth"] * passed * 10))
        drift = [
            1 + rule["follows_residents"] * passed * (a.end.total / a.start.total / growth - 1) for a in self.atoms
        ]
        registered = apportion(
            registered_total, [weight(a.start.registered * d) for a, d in zip(self.atoms, drift, strict=True)]
        )
        listed = self.names(year)
        by_code: dict[str, list[int]] = {}
        for i, atom in enumerate(self.atoms):
            by_code.setdefault(atom.code_on(day, self.changes), []).append(i)
        expected = {c for c, r in listed.items() if r.level in ("county", "zone")}
        if set(by_code) != expected:
            raise SampleError(f"land and list of regions differ in {year}: {sorted(set(by_code) ^ expected)}")
        units = []
        for code in sorted(by_code):
            members = by_code[code]
            largest = max(members, key=lambda i: (self.atoms[i].start.total, -i))
            unit = Unit(
                code,
                listed[code].name,
                listed[code].parent,
                year,
                self.atoms[largest].key,
                code in self.inputs.groups.get("accelerated", set()),
                code in self.inputs.groups.get("island", set()),
            )
            ages = dict.fromkeys(TARGET_AGES, 0)
            for i in members:
                atom, people = self.atoms[i], residents[i]
                unit.residents += people
                unit.rural += self._rural(atom, people, passed)
                for age, bands in TARGET_AGES.items():
                    ages[age] += whole(people * self._age_share(atom, bands, passed))
                unit.below_16 += whole(people * self._age_share(atom, YOUNG, passed))
                unit.babies += whole(people * self._age_share(atom, {"0": (1, 1)}, passed))
                unit.registered += registered[i]
                male = 0.5 * atom.start.male / atom.start.total + 0.2525
                unit.registered_male += whole(registered[i] * male)
            unit.ages = ages
            units.append(unit)
        return units

    @staticmethod
    def _rural(atom: Atom, people: int, passed: float) -> int:
        if atom.end.rural == 0:
            return 0
        first, last = atom.start.rural / atom.start.total, atom.end.rural / atom.end.total
        return min(people, whole(people * (first + (last - first) * passed)))

    @staticmethod
    def _age_share(atom: Atom, bands: dict[str, tuple[int, int]], passed: float) -> float:
        def share(census: Census) -> float:
            sixtieths = sum(census.ages[age] * part * (60 // of) for age, (part, of) in bands.items())
            return sixtieths / (60 * census.total)

        first, last = share(atom.start), share(atom.end)
        return first + (last - first) * passed

    # services

    def _rate(self, name: str, unit: Unit, provincial_rural: float) -> float:
        rule = self.parameters["rate"][name]
        urban_above = provincial_rural - unit.rural / unit.residents
        lasting = 2 * chance(self.seed, name, unit.key) - 1
        passing = 2 * chance(self.seed, name, unit.key, unit.year) - 1
        value = (
            rule["start"]
            + (rule["end"] - rule["start"]) * (unit.year - 2015) / 5
            + rule.get("accelerated", 0.0) * unit.is_accelerated
            + rule.get("island", 0.0) * unit.is_island
            + rule.get("migrant", 0.0) * unit.migrant_share
            + rule.get("urban", 0.0) * urban_above
            + rule["spread"] * (0.8 * lasting + 0.2 * passing)
        )
        return float(min(rule["cap"], max(0.0, value)))

    def _education(self, unit: Unit, rural: float) -> None:
        upper = min(unit.ages["15-17"], whole(unit.ages["15-17"] * self._rate("upper", unit, rural)))
        vocational = whole(upper * self._rate("vocational_share", unit, rural))
        unit.pupils = {
            "primary": whole(unit.ages["6-11"] * self._rate("primary", unit, rural)),
            "junior": whole(unit.ages["12-14"] * self._rate("junior", unit, rural)),
            "upper_secondary": upper - vocational,
            "vocational": vocational,
        }
        names = {"primary": "primary", "junior": "junior", "upper_secondary": "upper", "vocational": "vocational"}
        for stage, name in names.items():
            pupils = unit.pupils[stage]
            unit.teachers[stage] = whole(pupils / self._rate(f"pupils_per_teacher_{name}", unit, rural))
            unit.schools[stage] = max(1, whole(pupils / self._rate(f"pupils_per_school_{name}", unit, rural)))
        for stage in ("primary", "junior"):
            met = whole(unit.schools[stage] * self._rate("standard_schools", unit, rural))
            unit.standard[stage] = min(unit.schools[stage], met)
        unit.kindergarten_children = whole(unit.ages["3-5"] * self._rate("kindergarten", unit, rural))
        unit.kindergarten_places = whole(unit.ages["3-5"] * self._rate("kindergarten_places", unit, rural))
        compulsory = unit.pupils["primary"] + unit.pupils["junior"]
        unit.migrant_pupils = whole(compulsory * self._rate("migrant_pupils", unit, rural))
        unit.migrant_public = whole(unit.migrant_pupils * self._rate("migrant_public", unit, rural))

    def _health(self, unit: Unit, rural: float) -> None:
        unit.beds = whole(unit.residents * self._rate("beds", unit, rural))
        unit.doctors = whole(unit.residents * self._rate("doctors", unit, rural))
        unit.signed = whole(unit.residents * self._rate("signed", unit, rural))
        unit.managed = whole(unit.ages["65+"] * self._rate("managed", unit, rural))

    def _births(self, units: list[Unit]) -> None:
        year = units[0].year
        people = sum(u.residents for u in units)
        babies = sum(u.babies for u in units)
        old = sum(u.ages["65+"] for u in units)
        births = self.parameters["births"]
        for unit in units:
            # Half of the difference in babies is taken: births of a year differ less than one census day's count.
            relative = 0.5 + 0.5 * (unit.babies / unit.residents) / (babies / people)
            unit.births = whole(unit.residents * births["per_1000"][str(year)] / 1000 * relative)
            ageing = (unit.ages["65+"] / unit.residents) / (old / people)
            everyone = whole(unit.residents * births["deaths_per_1000"] / 1000 * ageing)
            small = self._chance_count("deaths_under_five", unit)
            maternal = self._chance_count("deaths_maternal", unit)
            unit.deaths = {"all": max(everyone, small + maternal), "under_five": small, "maternal": maternal}

    def _chance_count(self, name: str, unit: Unit) -> int:
        """A small expected number made whole by chance, so that rare deaths are neither all nor none."""
        expected = unit.births * self._rate(name, unit, 0.0)
        floor = int(expected)
        return floor + (chance(self.seed, name, "case", unit.key, unit.year) < expected - floor)

    def _insurance(self, unit: Unit, rural: float) -> None:
        adults = unit.residents - unit.below_16
        unit.entitled = adults - whole(adults * self._rate("in_school_16_plus", unit, rural))
        for scheme in SCHEMES:
            if scheme == "pension":
                resident = whole(unit.entitled * self._rate("pension", unit, rural))
                registered = whole(unit.registered * self._rate("pension_registered", unit, rural))
            elif scheme == "medical":
                resident = whole(unit.residents * self._rate("medical", unit, rural))
                registered = whole(unit.registered * self._rate("medical_registered", unit, rural))
            else:
                resident = whole(unit.residents * self._rate(scheme, unit, rural))
                registered = min(unit.registered, whole(resident * self._rate("employee_registered", unit, rural)))
            unit.insured[scheme], unit.insured_registered[scheme] = resident, registered

    def _housing(self, unit: Unit, rural: float) -> None:
        unit.applicants = whole(unit.urban * self._rate("housing_applicants", unit, rural))
        assisted = whole(unit.applicants * self._rate("housing_assisted", unit, rural))
        unit.housed = min(assisted, whole(unit.applicants * self._rate("housing_housed", unit, rural)))
        unit.subsidised = assisted - unit.housed
        unit.unsafe = whole(unit.rural * self._rate("unsafe_dwellings", unit, rural))
        unit.repaired = min(unit.unsafe, whole(unit.unsafe * self._rate("unsafe_repaired", unit, rural)))

    # money

    def _spending(self, year: int, units: list[Unit], rural: float) -> list[Spending]:
        rule = self.parameters["spending"]
        home = self.parameters["home"]
        listed = self.names(year)
        total = self.inputs.expenditure[year]
        special: str = rule["special_city"]
        special_total = rule["special_total"].get(str(year)) or whole(total * rule["special_share"][str(year)])
        province = whole(total * rule["province_level"])
        cities = sorted(c for c, r in listed.items() if r.level == "city")
        weights: dict[str, int] = {}
        for unit in units:
            per_head = (
                (rule["accelerated"] if unit.is_accelerated else rule["island"] if unit.is_island else 1.0)
                + rule["urban"] * (rural - unit.rural / unit.residents)
                + rule["spread"] * (1.6 * chance(self.seed, "spending", unit.key) - 0.8)
                + rule["spread"] * (0.4 * chance(self.seed, "spending", unit.key, year) - 0.2)
            )
            weights[unit.code] = weight(unit.residents * per_head)
        parents = {u.code: u.parent for u in units}
        for city in cities:
            inhabitants = sum(u.residents for u in units if u.parent == city)
            level = rule["city_level_of"].get(city, rule["city_level"])
            weights[city] = weight(inhabitants * level * (0.9 + 0.2 * chance(self.seed, "city level", city)))
            parents[city] = city
        own = {home: province}
        for is_special, amount in ((True, special_total), (False, total - province - special_total)):
            codes = [c for c in sorted(weights) if (parents[c] == special) is is_special]
            own.update(zip(codes, apportion(amount, [weights[c] for c in codes]), strict=True))
        by_code = {u.code: u for u in units}
        result = []
        for code in [home, *sorted(c for c in own if c != home)]:
            region = listed[code]
            below = [u for u in units if code in (home, u.parent, u.code)]
            people = (sum(u.urban for u in below), sum(u.rural for u in below))
            kind = "province" if code == home else "city" if code in cities else "county"
            key = by_code[code].key if code in by_code else code
            result.append(Spending(code, region.name, kind, self._classes(year, kind, key, own[code], people)))
        return result

    def _classes(
        self, year: int, kind: str, key: str, amount: int, people: tuple[int, int]
    ) -> dict[str, tuple[int, int, int]]:
        rules = {c: r for c, r in self.parameters["class"].items() if r.get("first", 0) <= year}
        weights = []
        for code, rule in rules.items():
            trend = 1.0
            for _ in range(year - 2015):
                trend *= 1 + rule["trend"]
            lasting, passing = chance(self.seed, "class", code, key), chance(self.seed, "class", code, key, year)
            noise = 1 + 0.20 * (lasting - 0.5) + 0.06 * (passing - 0.5)
            weights.append(weight(rule[kind] * trend * noise))
        gap = self.parameters["spending"]["urban_per_head"]
        tilt = gap["start"] + (gap["end"] - gap["start"]) * (year - 2015) / 5
        split = {}
        for (code, rule), money in zip(rules.items(), apportion(amount, weights), strict=True):
            # Higher levels run what serves everyone: less of it can be told apart.
            attributed = whole(money * rule["attributed"] * (1.0 if kind == "county" else 0.6))
            urban, rural = apportion(attributed, [weight(people[0] * tilt), weight(people[1])])
            split[code] = (urban, rural, money - attributed)
        return split

    # promises

    def _check(self, figures: Year) -> None:
        """Everything that README.md promises of the sample."""
        year, units = figures.year, figures.units
        problems: list[str] = []

        def must(holds: bool, text: str) -> None:
            if not holds:
                problems.append(f"{year}: {text}")

        must(sum(u.residents for u in units) == self.inputs.residents[year], "residents do not add up to the province")
        total = sum(s.total for s in figures.spending)
        must(total == self.inputs.expenditure[year], f"spending adds up to {total}")
        rule = self.parameters["spending"]
        if str(year) in rule["special_total"]:
            members = {u.code for u in units if u.parent == rule["special_city"]} | {rule["special_city"]}
            whole_city = sum(s.total for s in figures.spending if s.code in members)
            must(whole_city == rule["special_total"][str(year)], f"the special city's whole is {whole_city}")
        no_villages = {c for c, census in self.inputs.census[2020].items() if census.rural == 0}
        for u in units:
            must(0 <= u.rural <= u.residents, f"{u.name} rural")
            must(u.code not in no_villages or u.rural == 0, f"{u.name} has rural people")
            for stage, age in zip(STAGES[:2], ("6-11", "12-14"), strict=True):
                must(u.pupils[stage] <= u.ages[age], f"{u.name} {stage} pupils")
            must(u.pupils["upper_secondary"] + u.pupils["vocational"] <= u.ages["15-17"], f"{u.name} upper pupils")
            must(u.kindergarten_children <= u.ages["3-5"], f"{u.name} kindergarten children")
            compulsory = u.pupils["primary"] + u.pupils["junior"]
            must(u.migrant_public <= u.migrant_pupils <= compulsory, f"{u.name} migrant pupils")
            must(all(u.standard[s] <= u.schools[s] for s in u.standard), f"{u.name} standard schools")
            must(u.signed <= u.residents, f"{u.name} signed residents")
            must(u.managed <= u.ages["65+"] <= u.ages["60+"] <= u.residents, f"{u.name} managed elderly")
            must(u.deaths["under_five"] + u.deaths["maternal"] <= u.deaths["all"], f"{u.name} deaths")
            must(u.deaths["under_five"] <= u.births and u.deaths["maternal"] <= u.births, f"{u.name} deaths of births")
            must(u.insured["pension"] <= u.entitled <= u.residents, f"{u.name} pension")
            must(all(u.insured[s] <= u.residents for s in SCHEMES), f"{u.name} insured residents")
            must(all(u.insured_registered[s] <= u.registered for s in SCHEMES), f"{u.name} insured registered")
            must(u.housed + u.subsidised <= u.applicants, f"{u.name} housing")
            must(u.repaired <= u.unsafe and (u.rural > 0 or u.unsafe == 0), f"{u.name} unsafe dwellings")
            must(0 < u.registered_male < u.registered, f"{u.name} registered")
        if problems:
            raise SampleError("; ".join(problems[:10]))
