"""A faulty variant of the sample, for tests: defects of every kind that the checks know, written down one by one.

It takes the generator's own files and spoils copies of two years of them; the landing area is never touched. Below
the folder it is given, `earlier/` holds files that came first and `landing/` those that came in the end;
`defects.json` lists what was planted and where, `truth.json` what the clean files say.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

YEARS = (2019, 2020)
ENCODINGS = {
    "education/schools": "gb18030",
    "social_insurance/insured": "utf-8",
    "finance/functional_expenditure": "utf-8",
    "statistics/year_end_population": "utf-8-sig",
    "public_security/registered_population": "gb18030",
}
CODES = ("区划代码", "统筹区代码", "单位代码")


@dataclass
class Defect:
    """One planted defect: its kind, the check that must find it, where it stands, and which clean figures it spoils."""

    kind: str
    check: str
    path: str
    row: int | None = None  # as the file counts, from 1
    column: str = ""  # the header's name
    planted: str = ""
    region_code: str = ""
    spoils: dict[str, str] = field(default_factory=dict)  # of truth.json: entries that hold all of this


class Table:
    """A CSV file of the sample, to be changed by row number and name of column."""

    def __init__(self, extract: str, path: str, data: bytes) -> None:
        self.extract, self.path, self.encoding = extract, path, ENCODINGS[extract]
        self.rows = list(csv.reader(io.StringIO(data.decode(self.encoding), newline="")))
        self.head = next(i for i, row in enumerate(self.rows) if row and row[0] in CODES)
        self.year = path.split("/")[2]

    def line(self, code: str) -> int:
        """The index of the first row of a region."""
        return next(i for i, row in enumerate(self.rows) if i > self.head and row and row[0] == code)

    def at(self, header: str) -> int:
        """The index of a column."""
        return self.rows[self.head].index(header)

    def entry(self, index: int, header: str = "") -> dict[str, str]:
        """What of the truth a row, or a cell of it, is."""
        own = {"extract": self.extract, "year": self.year, "row": str(index + 1)}
        return {**own, "column": header} if header else own

    def data(self) -> bytes:
        """The file as bytes."""
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows(self.rows)
        return text.getvalue().encode(self.encoding)


def truth_of(table: Table) -> list[dict[str, str]]:
    """Every value of a clean file, by row and column."""
    headers = table.rows[table.head]
    found = []
    for index, row in enumerate(table.rows[table.head + 1 :], start=table.head + 1):
        if len(row) != len(headers) or not re.fullmatch(r"\d{6}", row[0]) or row[1].endswith("计"):
            continue  # notes, subtotals and totals are no figures
        item = {"item": row[2]} if headers[2] == "科目编码" else {}
        found += [
            {**table.entry(index, header), **item, "region_code": row[0], "value": text.replace(",", "")}
            for header, text in zip(headers[2:], row[2:], strict=True)
            if re.fullmatch(r"[\d,]+", text) and header not in ("科目编码", "科目名称")
        ]
    return found


def with_cell(workbook: bytes, cell: str, number: int) -> bytes:
    """A workbook with one number written otherwise."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                data, count = re.subn(rf'(<c r="{cell}"[^>]*><v>)\d+'.encode(), rf"\g<1>{number}".encode(), data)
                if count != 1:
                    raise ValueError(f"the workbook has no number in {cell}")
            target.writestr(entry, data)
    return packed.getvalue()


class Planting:
    """The files that are spoiled, and what was done to them."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.clean = {path: data for path, data in files.items() if int(path.split("/")[2]) in YEARS}
        self.landing, self.earlier = dict(self.clean), dict[str, bytes]()
        self.defects: list[Defect] = []
        self.tables: dict[str, Table] = {}

    def path(self, extract: str, year: int) -> str:
        """The path of an extract's file of a year."""
        return next(path for path in self.clean if path.startswith(f"{extract}/{year}/"))

    def table(self, extract: str, year: int) -> Table:
        """A file to be changed."""
        path = self.path(extract, year)
        if path not in self.tables:
            self.tables[path] = Table(extract, path, self.clean[path])
        return self.tables[path]

    def cell(self, kind: str, check: str, table: Table, code: str, header: str, text: str) -> None:
        """Write a text into one cell of a region's row."""
        index = table.line(code)
        table.rows[index][table.at(header)] = text
        defect = Defect(kind, check, table.path, index + 1, header, text, code, table.entry(index, header))
        self.defects.append(defect)

    def row(self, kind: str, check: str, table: Table, code: str, changed: dict[int, str]) -> None:
        """Change cells of a region's row so that the whole row cannot be taken."""
        index = table.line(code)
        for position, text in changed.items():
            table.rows[index][position] = text
        planted = ", ".join(changed.values())
        self.defects.append(Defect(kind, check, table.path, index + 1, "", planted, code, table.entry(index)))

    def file(self, kind: str, check: str, path: str, planted: str, data: bytes | None = None) -> None:
        """A defect of a whole file; none of its figures can be expected any more when its bytes are replaced."""
        extract, year = "/".join(path.split("/")[:2]), path.split("/")[2]
        spoils = {"extract": extract, "year": year} if data is not None else {"extract": "-"}
        if data is not None:
            self.landing[path] = data
        self.defects.append(Defect(kind, check, path, planted=planted, spoils=spoils))


def plant(files: dict[str, bytes]) -> Planting:
    """At least one defect of each kind that the checks know, each where it disturbs no other."""
    made = Planting(files)
    _cells_and_rows(made)
    _totals(made)
    _whole_files(made)
    _implausible(made)
    for path, table in made.tables.items():
        made.landing[path] = table.data()
    _came_again(made)
    return made


def _cells_and_rows(made: Planting) -> None:
    schools = made.table("education/schools", 2020)
    pupils = "小学_在校生数"
    for code, kind, check, text in (
        ("330102", "not_a_number", "numbers", "约一万"),
        ("330105", "several_numbers", "numbers", "120 340"),
        ("330106", "empty_cell", "numbers", ""),
        ("330108", "not_an_integer", "numbers", "120.5"),
        ("330109", "below_minimum", "ranges", "-3"),
        ("330110", "out_of_range", "ranges", "1e30"),
    ):
        made.cell(kind, f"intake.{check}.education/schools", schools, code, pupils, text)
    check = "intake.codes.education/schools"
    made.row("unknown_region", check, schools, "330122", {0: "339999", 1: "虚构县"})
    made.row("code_and_name_disagree", check, schools, "330127", {1: "鄞州区"})
    made.row("region_not_in_force", check, schools, "330203", {0: "330204", 1: "江东区"})
    made.row("unknown_region", check, schools, "330205", {0: ""})
    index = schools.line("330206")
    twice = list(schools.rows[index])
    twice[schools.at(pupils)] = str(int(twice[schools.at(pupils)]) + 1)
    schools.rows.insert(schools.line("330211"), twice)
    for number in (index, schools.line("330211") - 1):
        defect = Defect("duplicate_key", "intake.keys.education/schools", schools.path, number + 1, "", "", "330206")
        made.defects.append(defect)
    # Rows below the inserted one have moved by one: what the clean file says of them stands elsewhere now.
    made.defects[-1].spoils = {"extract": "education/schools", "year": "2020"}
    made.defects[-2].spoils = {"extract": "education/schools", "year": "2020", "row": str(index + 1)}
    insured = made.table("social_insurance/insured", 2020)
    made.cell(
        "replaced_byte", "intake.numbers.social_insurance/insured", insured, "330102", "失业保险参保人数", "12\ufffd4"
    )


def _totals(made: Planting) -> None:
    people = made.table("statistics/year_end_population", 2020)
    index = people.line("330782")
    rural = people.at("乡村人口")
    planted = str(int(people.rows[index][rural]) + 1000)
    made.cell("control_total", "intake.totals.statistics/year_end_population", people, "330782", "乡村人口", planted)
    schools = made.table("education/schools", 2019)
    index = schools.line("330100")
    column = schools.at("初中_在校生数")
    schools.rows[index][column] = str(int(schools.rows[index][column]) + 7)
    made.defects.append(
        Defect(
            "reported_total", "intake.totals.education/schools", schools.path, index + 1, "初中_在校生数",
            schools.rows[index][column], "", schools.entry(index),
        )
    )  # fmt: skip


def _whole_files(made: Planting) -> None:
    health = made.path("health/services", 2020)
    made.file("unreadable", "intake.readable.health/services", health, "half the bytes", made.clean[health][:4000])
    insured = made.table("social_insurance/insured", 2019)
    place = insured.at("基本养老保险应参保人数")
    lost = [row[:place] + row[place + 1 :] if len(row) > place else row for row in insured.rows]
    insured.rows = lost
    made.file(
        "missing_column",
        "intake.readable.social_insurance/insured",
        insured.path,
        "基本养老保险应参保人数",
        insured.data(),
    )
    registered = made.table("public_security/registered_population", 2020)
    width = len(registered.rows[registered.head])
    for index, row in enumerate(registered.rows[registered.head :], start=registered.head):
        if len(row) == width:
            registered.rows[index] = [*row, "新列" if index == registered.head else "1"]
    made.file("new_column", "intake.columns.public_security/registered_population", registered.path, "新列")
    spending = made.table("finance/functional_expenditure", 2020)
    for row in spending.rows[spending.head + 1 :]:
        if len(row) == 8:
            row[4:] = [str(int(text.replace(",", "")) * 10_000) for text in row[4:]]
    whole = {"extract": "finance/functional_expenditure", "year": "2020"}
    made.file("unit_jump", "intake.units.finance/functional_expenditure", spending.path, "yuan for 10,000 yuan")
    made.defects[-1].spoils = whole
    index = spending.line("330102")
    spending.rows[index][2] = "298"
    check = "intake.codes.finance/functional_expenditure"
    made.defects.append(Defect("unknown_code", check, spending.path, index + 1, "", "298", "", whole))
    # A class that the year before does not have at all is new when it is there again.
    before = made.table("finance/functional_expenditure", 2019)
    before.rows = [[""] * len(row) if len(row) > 2 and row[2] == "233" else row for row in before.rows]
    check = "intake.new_codes.finance/functional_expenditure"
    made.defects.append(Defect("new_codes", check, spending.path, planted="233", spoils={"extract": "-"}))
    left_out = {"extract": before.extract, "year": "2019", "item": "233"}
    made.defects.append(Defect("class_left_out", "", before.path, planted="233", spoils=left_out))


def _implausible(made: Planting) -> None:
    schools = made.table("education/schools", 2019)
    index = schools.line("330482")
    planted = str(int(schools.rows[index][schools.at("小学_在校生数")]) * 6)
    check = "expectation.mart_service_coverage.pupils_do_not_exceed_the_children_there_are"
    made.cell("more_pupils_than_children", check, schools, "330482", "小学_在校生数", planted)
    later = made.table("education/schools", 2020)
    check = "expectation.fct_observation.values_fit_their_own_history"
    made.cell("unlike_other_years", check, later, "330483", "普通高中_在校生数", "999")
    check = "expectation.fct_observation.teachers_fit_pupils"
    made.cell("too_few_teachers", check, schools, "330521", "小学_专任教师数", "2")
    insured = made.table("social_insurance/insured", 2020)
    planted = str(int(insured.rows[insured.line("330681")][insured.at("基本医疗保险参保人数")].replace(",", "")) * 4)
    check = "expectation.mart_service_coverage.insured_do_not_exceed_the_people_there_can_be"
    made.cell("more_insured_than_people", check, insured, "330681", "基本医疗保险参保人数", planted)
    registered = made.table("public_security/registered_population", 2020)
    index = registered.line("331002")
    for header in ("总人口", "男", "女"):
        place = registered.at(header)
        registered.rows[index][place] = str(int(registered.rows[index][place]) * 9)
    check = "expectation.fct_observation.registered_and_resident_people_are_of_one_size"
    made.defects.append(
        Defect("another_size", check, registered.path, index + 1, "总人口", "nine times the people", "331002",
               registered.entry(index))
    )  # fmt: skip
    people = made.table("statistics/year_end_population", 2019)
    index = people.line("330300")
    for header in ("年末常住人口", "城镇人口"):
        place = people.at(header)
        people.rows[index][place] = str(int(people.rows[index][place]) + 5000)
    made.defects.append(
        Defect("parts_miss_their_total", "dbt.children_add_up", people.path, index + 1, "年末常住人口", "", "330300",
               people.entry(index))
    )  # fmt: skip
    health = made.path("health/services", 2019)
    made.landing[health] = with_cell(made.clean[health], "C10", 999_999)
    made.defects.append(
        Defect("beds_unlike_spending", "expectation.fct_observation.beds_fit_health_spending", health, 10,
               "", "999999", "", {"extract": "-"})
    )  # fmt: skip


def _came_again(made: Planting) -> None:
    """A file that came whole first and lacks three places when it comes again; one that lost most of its rows."""
    path = made.path("public_security/registered_population", 2019)
    made.earlier[path] = made.clean[path]
    table = Table("public_security/registered_population", path, made.clean[path])
    index = table.line("330921")
    table.rows = table.rows[:index] + table.rows[index + 3 :]
    made.file(
        "shrinking_delivery", "intake.shrinking.public_security/registered_population", path, "three rows", table.data()
    )
    people = made.table("social_insurance/insured", 2020)
    last = people.line("330802")
    gone = people.rows[last:-1]
    people.rows = [*people.rows[:last], people.rows[-1]]
    made.landing[people.path] = people.data()
    for kind, check in (("row_count", "intake.volume.social_insurance/insured"),):
        made.file(kind, check, people.path, f"{len(gone)} rows are missing")
    made.defects += [
        Defect(
            "rows_missing",
            "",
            people.path,
            spoils={"extract": people.extract, "year": people.year, "region_code": row[0]},
        )
        for row in gone
    ]


def write(files: dict[str, bytes], folder: Path) -> int:
    """Plant the defects and write everything below `folder`; how many were planted."""
    made = plant(files)
    for part, own in (("landing", made.landing), ("earlier", made.earlier)):
        for path, data in own.items():
            target = folder / part / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    truth = [
        entry
        for path, data in made.clean.items()
        if (extract := "/".join(path.split("/")[:2])) in ENCODINGS
        for entry in truth_of(Table(extract, path, data))
    ]
    for name, listed in (("defects.json", [asdict(defect) for defect in made.defects]), ("truth.json", truth)):
        (folder / name).write_text(json.dumps(listed, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    return len(made.defects)
