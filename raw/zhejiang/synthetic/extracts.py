"""The sample's figures laid out as the files that departments would send, with the habits of such files.

Each function gives one extract's file of one year as bytes. Notes above the header, subtotals, blanks inside names
and thousands separators are on purpose: each is handled by the extract's contract. No figure is made here.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime

import xlsxwriter
from figures import SCHEMES, STAGES, TARGET_AGES, Unit
from inputs import SampleError
from sample import Sample, Year

MARK = "示例数据"
NOTE = "注：本表为示例数据，由程序生成，合计与公开的省级数一致，不反映任何地方的真实情况。"
STAGE_NAMES = {"primary": "小学", "junior": "初中", "upper_secondary": "普通高中", "vocational": "中等职业学校"}
SCHEME_NAMES = {
    "pension": "基本养老保险",
    "medical": "基本医疗保险",
    "unemployment": "失业保险",
    "work_injury": "工伤保险",
    "maternity": "生育保险",
}
NUMERALS = "一二三四五六七八九十"

Cell = str | int
Write = Callable[[Sample, Year], bytes]


# -- formats ---------------------------------------------------------------------------------------------------


def csv_bytes(rows: Sequence[Sequence[Cell]], encoding: str, delimiter: str = ",") -> bytes:
    """Rows as CSV with the line ends of an office program."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode(encoding)


def workbook_bytes(sample: Sample, build: Callable[[xlsxwriter.Workbook], None]) -> bytes:
    """A workbook whose bytes depend on its content only.

    It is packed again without compression, since compression libraries differ from machine to machine.
    """
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True})
    day = datetime.fromisoformat(sample.parameters["workbook_date"])
    workbook.set_properties({"title": MARK, "comments": NOTE, "created": day})
    build(workbook)
    workbook.close()
    packed = io.BytesIO()
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o600 << 16
            target.writestr(entry, source.read(name))
    return packed.getvalue()


def grouped(number: int) -> str:
    """A number with thousands separators."""
    return f"{number:,}"


def spaced(name: str) -> str:
    """A name of three characters stretched with blanks, as typists align columns."""
    return " ".join(name) if len(name) == 3 else name


def city_code(index: int) -> str:
    """The Chinese numeral of a heading: 十一 for 11."""
    return NUMERALS[index - 1] if index <= 10 else "十" + NUMERALS[index - 11]


def by_city(figures: Year) -> list[tuple[str, list[Unit]]]:
    """Cities in code order with their units in code order."""
    cities: dict[str, list[Unit]] = {}
    for unit in figures.units:
        cities.setdefault(unit.parent, []).append(unit)
    return sorted(cities.items())


def total(units: Sequence[Unit], value: Callable[[Unit], int]) -> int:
    """A sum over units."""
    return sum(value(unit) for unit in units)


def part_of(figure: str, part: str) -> Callable[[Unit], int]:
    """The reader of one part (a stage of schooling, an age) of a unit's figure."""

    def read(unit: Unit) -> int:
        parts: dict[str, int] = getattr(unit, figure)
        return parts[part]

    return read


# -- extracts --------------------------------------------------------------------------------------------------


def education(sample: Sample, figures: Year) -> bytes:
    """`education/schools`: GB18030 CSV, two lines above the header, a subtotal per city and a total."""
    names = sample.names(figures.year)
    values: list[tuple[str, Callable[[Unit], int]]] = []
    for stage in STAGES:
        label = STAGE_NAMES[stage]
        values.append((f"{label}_学校数", part_of("schools", stage)))
        if stage in ("primary", "junior"):
            values.append((f"{label}_标准化学校数", part_of("standard", stage)))
        values.append((f"{label}_在校生数", part_of("pupils", stage)))
        values.append((f"{label}_专任教师数", part_of("teachers", stage)))
    values += [
        ("幼儿园_在园幼儿数", lambda u: u.kindergarten_children),
        ("幼儿园_学位数", lambda u: u.kindergarten_places),
        ("义务教育_随迁子女在校生数", lambda u: u.migrant_pupils),
        ("义务教育_其中：公办学校（含购买学位）就读", lambda u: u.migrant_public),
    ]
    rows: list[list[Cell]] = [
        [f"{MARK}：{figures.year}年分县教育事业基本情况"],
        [f"年份：{figures.year}年", "单位：所、人、个"],
        ["区划代码", "地区", *(label for label, _ in values)],
    ]
    for city, units in by_city(figures):
        rows += [[u.code, u.name, *(value(u) for _, value in values)] for u in units]
        rows.append([city, f"{names[city].name}小计", *(total(units, value) for _, value in values)])
    home = names[sample.parameters["home"]]
    rows.append([home.code, "全省合计", *(total(figures.units, value) for _, value in values)])
    rows.append([NOTE])
    return csv_bytes(rows, "gb18030")


def health(sample: Sample, figures: Year) -> bytes:
    """`health/services`: XLSX with a merged title, two header rows with merged cells, and blanks inside names."""
    groups: list[tuple[str, list[tuple[str, Callable[[Unit], int]]]]] = [
        ("卫生资源", [("床位数（张）", lambda u: u.beds), ("执业（助理）医师数（人）", lambda u: u.doctors)]),
        (
            "健康管理",
            [("责任医生签约人数（人）", lambda u: u.signed), ("65岁及以上健康管理人数（人）", lambda u: u.managed)],
        ),
        (
            "出生与死亡",
            [
                ("活产数（人）", lambda u: u.births),
                ("死亡人数（人）", lambda u: u.deaths["all"]),
                ("5岁以下儿童死亡人数（人）", lambda u: u.deaths["under_five"]),
                ("孕产妇死亡人数（人）", lambda u: u.deaths["maternal"]),
            ],
        ),
    ]
    values = [value for _, columns in groups for _, value in columns]

    def build(workbook: xlsxwriter.Workbook) -> None:
        sheet = workbook.add_worksheet(MARK)
        head = workbook.add_format({"bold": True, "text_wrap": True, "align": "center", "border": 1})
        title = workbook.add_format({"bold": True, "align": "center"})
        sheet.merge_range(0, 0, 0, len(values) + 1, f"{MARK}：{figures.year}年分县卫生服务情况", title)
        sheet.merge_range(1, 0, 2, 0, "区划代码", head)
        sheet.merge_range(1, 1, 2, 1, "地区", head)
        column = 2
        for group, columns in groups:
            sheet.merge_range(1, column, 1, column + len(columns) - 1, group, head)
            for label, _ in columns:
                sheet.write_string(2, column, label, head)
                column += 1
        row = 3
        for unit in figures.units:
            sheet.write_string(row, 0, unit.code)
            sheet.write_string(row, 1, spaced(unit.name))
            for i, value in enumerate(values):
                sheet.write_number(row, 2 + i, value(unit))
            row += 1
        sheet.write_string(row, 1, "全 省")
        for i, value in enumerate(values):
            sheet.write_number(row, 2 + i, total(figures.units, value))
        sheet.write_string(row + 1, 0, NOTE)
        sheet.set_column(1, 1, 20)

    return workbook_bytes(sample, build)


def insured(sample: Sample, figures: Year) -> bytes:
    """`social_insurance/insured`: UTF-8 CSV with thousands separators."""
    head: list[Cell] = ["统筹区代码", "统筹区"]
    for scheme in SCHEMES:
        head += [f"{SCHEME_NAMES[scheme]}参保人数", f"{SCHEME_NAMES[scheme]}户籍人口参保人数"]
    head += ["基本养老保险应参保人数", "基本养老保险应参保人员中已参保人数"]
    rows: list[list[Cell]] = [[f"{MARK}：{figures.year}年末分统筹区社会保险参保情况"], ["单位：人"], head]
    for unit in figures.units:
        row: list[Cell] = [unit.code, unit.name]
        for scheme in SCHEMES:
            row += [grouped(unit.insured[scheme]), grouped(unit.insured_registered[scheme])]
        rows.append([*row, grouped(unit.entitled), grouped(unit.insured["pension"])])
    rows.append([NOTE])
    return csv_bytes(rows, "utf-8")


def housing(sample: Sample, figures: Year) -> bytes:
    """`housing/security`: XLSX without codes, headings for each city, a dash where there are no villages."""
    names = sample.names(figures.year)
    labels = [
        "地区",
        "申请且符合条件家庭（户）",
        "实物配租家庭（户）",
        "货币补贴家庭（户）",
        "认定农村困难家庭危房（处）",
        "完成改造危房（处）",
    ]

    def build(workbook: xlsxwriter.Workbook) -> None:
        sheet = workbook.add_worksheet(MARK)
        head = workbook.add_format({"bold": True, "text_wrap": True, "border": 1})
        sheet.merge_range(0, 0, 0, len(labels) - 1, f"{MARK}：{figures.year}年住房保障情况")
        for column, label in enumerate(labels):
            sheet.write_string(2, column, label, head)
        row = 3
        for number, (city, units) in enumerate(by_city(figures), start=1):
            sheet.write_string(row, 0, f"{city_code(number)}、{names[city].name}")
            row += 1
            for unit in units:
                sheet.write_string(row, 0, "  " + unit.name)
                for column, value in enumerate((unit.applicants, unit.housed, unit.subsidised), start=1):
                    sheet.write_number(row, column, value)
                for column, value in enumerate((unit.unsafe, unit.repaired), start=4):
                    if unit.rural:
                        sheet.write_number(row, column, value)
                    else:
                        sheet.write_string(row, column, "—")
                row += 1
        sheet.write_string(row, 0, NOTE)
        sheet.set_column(0, 0, 24)

    return workbook_bytes(sample, build)


def functional_expenditure(sample: Sample, figures: Year) -> bytes:
    """`finance/functional_expenditure`: UTF-8 CSV in 万元, own levels called 本级, separators from 2018 on."""
    rows: list[list[Cell]] = [
        [f"{MARK}：{figures.year}年一般公共预算支出决算功能分类情况"],
        ["单位：万元"],
        ["区划代码", "地区", "科目编码", "科目名称", "城镇", "农村", "未划分", "合计"],
    ]
    write: Callable[[int], Cell] = grouped if figures.year >= 2018 else int
    for government in figures.spending:
        name = government.name + ("" if government.level == "county" else "本级")
        for code, parts in government.classes.items():
            rows.append([government.code, name, code, CLASS_NAMES[code], *(write(p) for p in (*parts, sum(parts)))])
    rows.append([NOTE])
    return csv_bytes(rows, "utf-8")


CLASS_NAMES = {
    "201": "一般公共服务支出",
    "203": "国防支出",
    "204": "公共安全支出",
    "205": "教育支出",
    "206": "科学技术支出",
    "207": "文化体育与传媒支出",
    "20805": "行政事业单位离退休",
    "20807": "就业补助",
    "20808": "抚恤",
    "20810": "社会福利",
    "20819": "最低生活保障",
    "20826": "财政对基本养老保险基金的补助",
    "20899": "其他社会保障和就业支出",
    "210": "医疗卫生与计划生育支出",
    "211": "节能环保支出",
    "212": "城乡社区支出",
    "213": "农林水支出",
    "214": "交通运输支出",
    "215": "资源勘探信息等支出",
    "216": "商业服务业等支出",
    "217": "金融支出",
    "219": "援助其他地区支出",
    "220": "国土海洋气象等支出",
    "221": "住房保障支出",
    "222": "粮油物资储备支出",
    "224": "灾害防治及应急管理支出",
    "229": "其他支出",
    "232": "债务付息支出",
    "233": "债务发行费用支出",
}


def year_end_population(sample: Sample, figures: Year) -> bytes:
    """`statistics/year_end_population`: UTF-8 CSV, province, cities and counties, names stretched and indented."""
    names = sample.names(figures.year)
    labels = {"60+": "60岁及以上", "65+": "65岁及以上"}
    rows: list[list[Cell]] = [
        [f"{MARK}：{figures.year}年末分县常住人口"],
        ["单位：人"],
        ["区划代码", "地区", "年末常住人口", "城镇人口", "乡村人口", *(labels.get(a, f"{a}岁") for a in TARGET_AGES)],
    ]

    def row(code: str, name: str, units: Sequence[Unit]) -> list[Cell]:
        counts = [total(units, lambda u: u.residents), total(units, lambda u: u.urban), total(units, lambda u: u.rural)]
        counts += [total(units, part_of("ages", age)) for age in TARGET_AGES]
        return [code, name, *counts]

    home = names[sample.parameters["home"]]
    rows.append(row(home.code, spaced(home.name), figures.units))
    for city, units in by_city(figures):
        rows.append(row(city, spaced(names[city].name), units))
        rows += [row(u.code, "\u3000" + spaced(u.name), [u]) for u in units]
    rows.append([NOTE])
    return csv_bytes(rows, "utf-8-sig")


def registered_population(sample: Sample, figures: Year) -> bytes:
    """`public_security/registered_population`: GB18030 CSV by police bureau."""
    names = sample.names(figures.year)
    rows: list[list[Cell]] = [
        [f"{MARK}：{figures.year}年末户籍人口统计"],
        ["统计时点：12月31日24时", "", "单位：人"],
        ["单位代码", "填报单位", "总人口", "男", "女"],
    ]

    def row(code: str, name: str, units: Sequence[Unit]) -> list[Cell]:
        people, male = total(units, lambda u: u.registered), total(units, lambda u: u.registered_male)
        return [code, name, people, male, people - male]

    home = names[sample.parameters["home"]]
    rows.append(row(home.code, f"{home.name}公安厅", figures.units))
    for city, units in by_city(figures):
        rows.append(row(city, f"{names[city].name}公安局", units))
        for u in units:
            office = "公安分局" if u.name.endswith("区") else "公安局"
            rows.append(row(u.code, u.name + office, [u]))
    rows.append([NOTE])
    return csv_bytes(rows, "gb18030")


EXTRACTS: dict[str, tuple[str, Write]] = {
    "education/schools": ("示例_教育事业基本情况_{year}.csv", education),
    "health/services": ("示例_卫生服务情况_{year}.xlsx", health),
    "social_insurance/insured": ("示例_社会保险参保情况_{year}.csv", insured),
    "housing/security": ("示例_住房保障情况_{year}.xlsx", housing),
    "finance/functional_expenditure": ("示例_功能分类支出决算_{year}.csv", functional_expenditure),
    "statistics/year_end_population": ("示例_分县年末常住人口_{year}.csv", year_end_population),
    "public_security/registered_population": ("示例_户籍人口统计_{year}.csv", registered_population),
}


def all_files(sample: Sample) -> dict[str, bytes]:
    """Every file of the sample by its path below the landing folder."""
    files = {}
    for figures in sample.years:
        for extract, (name, write) in EXTRACTS.items():
            path = f"{extract}/{figures.year}/{name.format(year=figures.year)}"
            data = write(sample, figures)
            if len(data) < 1000:
                raise SampleError(f"{path} holds {len(data)} bytes only")
            files[path] = data
    return files
