"""The counts of the services, and money beside the general budget, laid out as the returns of their departments.

Most returns hold several years in one file with a column for the year; some have a sheet per year, two header rows, or
one line for each figure. Notes, separators and other habits are on purpose. No figure is made here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import xlsxwriter
from extracts import CLASS_NAMES, MARK, NOTE, Cell, csv_bytes, grouped, spaced, workbook_bytes
from inputs import FIVE_YEAR
from money import PAYERS, adopted_budget, funds, item_payments, resources
from mortality import SEXES, deaths_by_age
from sample import Sample, Year

Columns = Sequence[tuple[str, str]]  # header and count
Make = Callable[[Sample, Sequence[Year]], bytes]
GROUPS = {
    "all": "合计",
    "disabled": "残疾人",
    "low_income": "低收入",
    "migrants": "流动儿童",
    "left_behind": "留守儿童",
}
HOLDERS = {"registered": "户籍人口", "residence_permit": "居住证持有人", "migrants": "流动人口"}


def lines(years: Sequence[Year], columns: Columns, write: Callable[[int], Cell] = int) -> list[list[Cell]]:
    """A row for each year and unit: year, code, name, counts."""
    return [
        [figures.year, unit.code, unit.name, *(write(unit.counts[count]) for _, count in columns)]
        for figures in years
        for unit in figures.units
    ]


def table(
    title: str, columns: Columns, encoding: str, delimiter: str = ",", write: Callable[[int], Cell] = int
) -> Make:
    """A flat file with a line above the header, a column for the year, and a note below."""

    def make(sample: Sample, years: Sequence[Year]) -> bytes:
        head: list[Cell] = ["年份", "区划代码", "地区", *(label for label, _ in columns)]
        rows = [[f"{MARK}：{title}"], head, *lines(years, columns, write), [NOTE]]
        return csv_bytes(rows, encoding, delimiter)

    return make


def long_table(title: str, measures: Sequence[tuple[str, str, str, Sequence[str]]], encoding: str) -> Make:
    """A line for each figure: who is counted, which figure, which group."""

    def make(sample: Sample, years: Sequence[Year]) -> bytes:
        rows: list[list[Cell]] = [[f"{MARK}：{title}"]]
        rows.append(["年份", "区划代码", "地区", "统计口径", "指标", "人群", "人数"])
        for figures in years:
            for unit in figures.units:
                for basis, label, count, groups in measures:
                    for group in groups:
                        name = count if group == "all" else f"{count}@{group}"
                        row: list[Cell] = [figures.year, unit.code, unit.name, basis, label, GROUPS[group]]
                        rows.append([*row, unit.counts[name]])
        return csv_bytes([*rows, [NOTE]], encoding)

    return make


def year_sheets(title: str, groups: Sequence[tuple[str, Columns]]) -> Make:
    """A workbook with a sheet for each year and two header rows with merged cells."""

    def make(sample: Sample, years: Sequence[Year]) -> bytes:
        def build(workbook: xlsxwriter.Workbook) -> None:
            head = workbook.add_format({"bold": True, "text_wrap": True, "align": "center", "border": 1})
            for figures in years:
                sheet = workbook.add_worksheet(f"{figures.year}年")
                sheet.write_string(0, 0, f"{MARK}：{figures.year}年{title}")
                two_rows(sheet, head, groups)
                for row, unit in enumerate(figures.units, start=3):
                    sheet.write_string(row, 0, unit.code)
                    sheet.write_string(row, 1, spaced(unit.name))
                    counts = [unit.counts[count] for _, columns in groups for _, count in columns]
                    for column, count in enumerate(counts, start=2):
                        sheet.write_number(row, column, count)
                sheet.write_string(3 + len(figures.units), 0, NOTE)

        return workbook_bytes(sample, build)

    return make


def two_rows(sheet: xlsxwriter.worksheet.Worksheet, head: object, groups: Sequence[tuple[str, Columns]]) -> None:
    """A header of code and name, and of groups over their columns."""
    sheet.merge_range(1, 0, 2, 0, "区划代码", head)
    sheet.merge_range(1, 1, 2, 1, "地区", head)
    column = 2
    for group, columns in groups:
        if len(columns) > 1:
            sheet.merge_range(1, column, 1, column + len(columns) - 1, group, head)
        else:
            sheet.write_string(1, column, group, head)
        for label, _ in columns:
            sheet.write_string(2, column, label, head)
            column += 1


def standards(sample: Sample, years: Sequence[Year]) -> bytes:
    """`civil_affairs/standards`: a dash for the rural line where there are no villages; the average lies between."""
    head: list[Cell] = ["年份", "区划代码", "地区", "城市低保标准", "农村低保标准", "平均标准"]
    rows: list[list[Cell]] = [[f"{MARK}：最低生活保障标准"], ["单位：元/年"], head]
    for figures in years:
        for unit in figures.units:
            urban, rural = unit.counts["subsistence_line_urban"], unit.counts["subsistence_line_rural"]
            average = (urban * unit.urban + rural * unit.rural + unit.residents // 2) // unit.residents
            rows.append(
                [
                    figures.year,
                    unit.code,
                    unit.name,
                    urban,
                    rural if unit.rural else "—",
                    average if unit.rural else urban,
                ]
            )
    return csv_bytes([*rows, [NOTE]], "gb18030")


def broadband(sample: Sample, years: Sequence[Year]) -> bytes:
    """`telecom/broadband`: a line of JSON for each unit and year, as an operator's system gives it."""
    rows = [
        {
            "年份": figures.year,
            "区划代码": unit.code,
            "地区": unit.name,
            "通宽带行政村数": unit.counts["villages_with_broadband"],
            "备注": MARK,
        }
        for figures in years
        for unit in figures.units
    ]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def residence_permits(sample: Sample, years: Sequence[Year]) -> bytes:
    """`public_security/residence_permits`: a line for each group of people."""
    rows: list[list[Cell]] = [[f"{MARK}：分类人口与基本医疗保险参保"]]
    rows.append(["年份", "区划代码", "地区", "人群", "登记人数", "其中：参加基本医疗保险人数"])
    for figures in years:
        for unit in figures.units:
            for group, label in HOLDERS.items():
                people = unit.counts[f"register_members@{group}"]
                insured = unit.counts[f"medically_insured_members@{group}"]
                rows.append([figures.year, unit.code, unit.name, label, people, insured])
    return csv_bytes([*rows, [NOTE]], "utf-8-sig")


def deaths(sample: Sample, years: Sequence[Year]) -> bytes:
    """`health/deaths_by_age`: a workbook by city, ages below each sex."""
    labels = {age: "85岁及以上" if age == "85+" else f"{age}岁" for age in FIVE_YEAR}
    names = sample.names(years[-1].year)

    def build(workbook: xlsxwriter.Workbook) -> None:
        sheet = workbook.add_worksheet(MARK)
        head = workbook.add_format({"bold": True, "align": "center", "border": 1})
        sheet.write_string(0, 0, f"{MARK}：{years[-1].year}年分年龄性别死亡人数")
        groups = [(sex, [(label, "") for label in labels.values()]) for sex in ("男", "女")]
        two_rows(sheet, head, groups)
        for row, (city, by_age) in enumerate(deaths_by_age(sample, years[-1]).items(), start=3):
            sheet.write_string(row, 0, city)
            sheet.write_string(row, 1, names[city].name)
            for column, key in enumerate(((sex, age) for sex in SEXES for age in FIVE_YEAR), start=2):
                sheet.write_number(row, column, by_age[key])
        sheet.write_string(row + 1, 0, NOTE)

    return workbook_bytes(sample, build)


# -- money -----------------------------------------------------------------------------------------------------


def own_level(name: str, level: str) -> str:
    """How a return names a government: cities and the province with 本级."""
    return name if level == "county" else f"{name}本级"


def fiscal_resources(sample: Sample, years: Sequence[Year]) -> bytes:
    """`finance/fiscal_resources`: whole yuan with separators."""
    rows: list[list[Cell]] = [[f"{MARK}：可用财力和民生支出"], ["单位：元"]]
    rows.append(["年份", "区划代码", "地区", "可用财力", "民生支出"])
    for figures in years:
        for government, own in zip(figures.spending, resources(sample, figures), strict=True):
            name = own_level(own.name, government.level)
            rows.append([figures.year, own.code, name, grouped(own.disposable), grouped(own.livelihood)])
    return csv_bytes([*rows, [NOTE]], "utf-8")


BUDGETS = {"government_fund_expenditure": "政府性基金预算", "state_capital_expenditure": "国有资本经营预算"}


def fund_expenditure(sample: Sample, years: Sequence[Year]) -> bytes:
    """`finance/fund_expenditure`: a line for each budget, government and class."""
    rows: list[list[Cell]] = [[f"{MARK}：政府性基金和国有资本经营预算支出决算"], ["单位：万元"]]
    rows.append(["年份", "预算类别", "区划代码", "地区", "科目编码", "支出"])
    for figures in years:
        for measure, government, code, amount in funds(sample, figures):
            name = own_level(government.name, government.level)
            rows.append([figures.year, BUDGETS[measure], government.code, name, code, amount])
    return csv_bytes([*rows, [NOTE]], "gb18030")


def budget(sample: Sample, years: Sequence[Year]) -> bytes:
    """`finance/adopted_budget`: the budget adopted, by class, social security but employment in one line."""
    rows: list[list[Cell]] = [[f"{MARK}：一般公共预算支出年初预算"], ["单位：万元"]]
    rows.append(["年份", "区划代码", "地区", "科目编码", "科目名称", "年初预算"])
    for figures in years:
        for government, code, amount in adopted_budget(sample, figures):
            name = own_level(government.name, government.level)
            title = "社会保障和就业支出（不含就业补助）" if code == "20899" else CLASS_NAMES[code]
            rows.append([figures.year, government.code, name, code, title, amount])
    return csv_bytes([*rows, [NOTE]], "utf-8-sig")


def payments(sample: Sample, years: Sequence[Year]) -> bytes:
    """`finance/item_payments`: a line for each city and item of the list, a column for each payer."""
    names = sample.names(years[-1].year)
    rows: list[list[Cell]] = [[f"{MARK}：{years[-1].year}年清单项目分级支出（市域合计）"], ["单位：元"]]
    rows.append(["区划代码", "地区", "项目编号", "中央", "省级", "市级", "县级", "其他"])
    for city, item, paid, _ in item_payments(sample, years[-1]):
        rows.append([city, names[city].name, item, *(paid[payer] for payer in PAYERS)])
    return csv_bytes([*rows, [NOTE]], "utf-8")


# -- returns ---------------------------------------------------------------------------------------------------

ALL = range(2015, 2021)
Plan = tuple[str, Make, Sequence[tuple[int, Sequence[int]]]]  # file name, maker, deliveries: period and years


def once(years: Sequence[int] = ALL) -> list[tuple[int, Sequence[int]]]:
    """One delivery, in the last year's folder."""
    return [(years[-1], years)]


TWICE: list[tuple[int, Sequence[int]]] = [(2017, range(2015, 2018)), (2020, range(2018, 2021))]

RETURNS: dict[str, Plan] = {
    "employment/labour": (
        "示例_就业与培训_{first}-{last}.csv",
        long_table(
            "就业失业、就业援助和培训",
            [
                ("服务对象", "城镇劳动力", "urban_labour_force", ["all"]),
                ("服务对象", "城镇登记失业人员", "registered_unemployed", ["all"]),
                ("常住人口", "16-59岁劳动力", "labour_force_16_59", ["all"]),
                ("常住人口", "补贴性职业技能培训人次", "training_person_times", ["all"]),
                ("服务对象", "登记就业困难人员", "hard_to_place_persons", ["all", "disabled", "low_income"]),
                ("服务对象", "帮扶就业困难人员", "hard_to_place_helped", ["all", "disabled", "low_income"]),
                ("服务对象", "企业职工", "urban_employees", ["all"]),
                ("服务对象", "签订劳动合同职工", "employees_with_contract", ["all"]),
            ],
            "utf-8-sig",
        ),
        TWICE,
    ),
    "employment/cases": (
        "示例_零就业家庭与劳动争议_{first}-{last}.csv",
        table(
            "零就业家庭援助和劳动人事争议处理",
            [
                ("认定零就业家庭", "zero_employment_families"),
                ("30日内帮扶", "zero_employment_families_helped"),
                ("受理争议案件", "labour_cases_accepted"),
                ("按期结案", "labour_cases_closed_in_time"),
            ],
            "gb18030",
        ),
        once(),
    ),
    "work_safety/returns": (
        "示例_安全生产与职业卫生_{first}-{last}.xlsx",
        year_sheets(
            "安全生产与职业卫生情况",
            [
                (
                    "职业病危害",
                    [("存在危害企业（家）", "hazard_workplaces"), ("已申报（家）", "hazard_workplaces_declared")],
                ),
                ("事故", [("生产安全事故死亡人数（人）", "work_safety_deaths")]),
            ],
        ),
        once(),
    ),
    "statistics/economy": (
        "示例_地区生产总值与居民收入_{first}-{last}.csv",
        table(
            "地区生产总值（2015年价，万元）和居民人均可支配收入（元）",
            [("地区生产总值", "gdp_10000_yuan"), ("居民人均可支配收入", "income_per_resident")],
            "gb18030",
            write=grouped,
        ),
        once(),
    ),
    "statistics/safety_survey": (
        "示例_群众安全感调查_{first}-{last}.csv",
        table(
            "群众安全感调查（加权样本）",
            [("有效样本", "survey_respondents"), ("感到安全", "survey_respondents_safe")],
            "utf-8",
            ";",
        ),
        once(),
    ),
    "development_reform/energy": (
        "示例_能源消费_{first}-{last}.csv",
        table("能源消费总量（吨标准煤）", [("能源消费总量", "energy_used")], "utf-8", write=grouped),
        once(),
    ),
    "development_reform/service_list": (
        "示例_服务清单开放情况_{first}-{last}.csv",
        table(
            "基本公共服务清单项目对居住证持有人开放情况",
            [("清单项目数", "list_items"), ("向居住证持有人开放项目数", "list_items_open_to_permit_holders")],
            "utf-8-sig",
        ),
        once(),
    ),
    "civil_affairs/standards": ("示例_低保标准_{first}-{last}.csv", standards, once()),
    "civil_affairs/benefits": (
        "示例_养老优抚殡葬_{first}-{last}.xlsx",
        year_sheets(
            "养老、优抚和殡葬服务情况",
            [
                (
                    "养老服务",
                    [
                        ("养老床位（张）", "elderly_beds"),
                        ("机构养老床位（张）", "elderly_beds_in_institutions"),
                        ("护理型床位（张）", "nursing_beds"),
                    ],
                ),
                (
                    "优抚",
                    [
                        ("应享受待遇人数（人）", "veterans_entitled"),
                        ("按标准发放人数（人）", "veterans_paid_to_standard"),
                    ],
                ),
                ("殡葬", [("免除基本费用（例）", "funerals_fees_waived")]),
            ],
        ),
        once(),
    ),
    "civil_affairs/communities": (
        "示例_城乡社区_{first}-{last}.csv",
        table(
            "城乡社区和避灾安置场所",
            [
                ("城乡社区总数", "communities"),
                ("行政村数", "administrative_villages"),
                ("有综合服务设施社区", "communities_with_service_point"),
                ("有避灾安置场所社区", "communities_with_shelter"),
            ],
            "gb18030",
        ),
        TWICE,
    ),
    "disabled_persons/services": (
        "示例_残疾人服务_{first}-{last}.xlsx",
        year_sheets(
            "残疾人服务情况",
            [
                (
                    "护理补贴",
                    [
                        ("持证重度残疾人（人）", "severe_card_holders"),
                        ("领取补贴（人）", "severe_allowance_recipients"),
                        ("其中低收入：持证重度残疾人（人）", "severe_card_holders@low_income"),
                        ("其中低收入：领取补贴（人）", "severe_allowance_recipients@low_income"),
                    ],
                ),
                (
                    "教育",
                    [
                        ("6-15岁持证残疾儿童少年（人）", "disabled_children_6_15"),
                        ("在学（人）", "disabled_children_enrolled"),
                    ],
                ),
                (
                    "精神残疾人用药",
                    [
                        ("纳入保障患者（人）", "psychiatric_scheme_patients"),
                        ("自付全额保障（人）", "psychiatric_patients_fully_met"),
                    ],
                ),
            ],
        ),
        once(),
    ),
    "culture/facilities": (
        "示例_公共文化设施_{first}-{last}.csv",
        table(
            "公共文化设施和图书馆流通",
            [
                ("三馆一站面积", "culture_floor_area"),
                ("图书馆流通人次", "library_visits"),
                ("500人以上行政村", "villages_of_500"),
                ("建成文化礼堂", "villages_of_500_with_hall"),
            ],
            "utf-8-sig",
            write=grouped,
        ),
        once(),
    ),
    "broadcasting/coverage": (
        "示例_广播电视与书屋_{first}-{last}.tsv",
        table(
            "广播电视覆盖、应急广播和农家书屋",
            [
                ("广播电视综合覆盖人口", "residents_reached_by_broadcast"),
                ("通应急广播行政村", "villages_with_emergency_broadcast"),
                ("有农家书屋行政村", "villages_with_reading_room"),
            ],
            "utf-8",
            "\t",
        ),
        once(),
    ),
    "environment/air": (
        "示例_空气质量_{first}-{last}.csv",
        table(
            "空气自动站监测",
            [
                ("细颗粒物浓度站日合计", "pm25_station_day_sum"),
                ("有效站日", "station_days"),
                ("优良天数", "good_air_days"),
                ("有效天数", "valid_air_days"),
            ],
            "gb18030",
        ),
        once(),
    ),
    "environment/water_sections": (
        "示例_地表水断面_{first}-{last}.csv",
        table(
            "地表水控制断面水质",
            [
                ("控制断面", "control_sections"),
                ("Ⅲ类及以上", "sections_class_3_or_better"),
                ("劣Ⅴ类", "sections_worse_than_class_5"),
            ],
            "utf-8-sig",
        ),
        once(),
    ),
    "construction/utilities": (
        "示例_城乡建设_{first}-{last}.xlsx",
        year_sheets(
            "城乡建设公用事业情况",
            [
                ("燃气", [("用气人口（人）", "residents_with_gas")]),
                ("污水", [("治理行政村（个）", "villages_with_sewage_treatment")]),
                ("垃圾", [("清运量（吨）", "waste_collected"), ("无害化处理量（吨）", "waste_treated")]),
            ],
        ),
        once(),
    ),
    "water/supply": (
        "示例_城乡供水_{first}-{last}.tsv",
        table(
            "城乡供水",
            [
                ("农村自来水受益人口", "rural_residents_with_piped_water"),
                ("区域供水覆盖人口", "residents_on_regional_supply"),
            ],
            "gb18030",
            "\t",
        ),
        once(),
    ),
    "forestry/survey": (
        "示例_森林资源_{first}-{last}.csv",
        table("森林资源（公顷）", [("土地面积", "land_area"), ("森林面积", "forest_area")], "gb18030", write=grouped),
        once(),
    ),
    "public_security/safety": (
        "示例_治安与交通安全_{first}-{last}.xlsx",
        year_sheets(
            "治安与交通安全情况",
            [
                (
                    "视频监控",
                    [("重点公共区域（处）", "key_places"), ("已覆盖（处）", "key_places_with_video")],
                ),
                ("交通", [("机动车（辆）", "vehicles"), ("交通事故死亡（人）", "road_deaths")]),
                ("案件", [("刑事案件（起）", "crime_cases")]),
            ],
        ),
        once(),
    ),
    "public_security/residence_permits": (
        "示例_居住证与流动人口_{first}-{last}.csv",
        residence_permits,
        once(range(2018, 2021)),
    ),
    "market_supervision/returns": (
        "示例_投诉与食品抽检_{first}-{last}.csv",
        table(
            "消费投诉和食品评价性抽检",
            [
                ("受理投诉", "complaints_accepted"),
                ("按期办结", "complaints_closed_in_time"),
                ("抽检批次", "food_samples"),
                ("合格批次", "food_samples_passing"),
            ],
            "utf-8",
        ),
        once(),
    ),
    "transport/routes": (
        "示例_城乡公交_{first}-{last}.csv",
        table(
            "城乡公共交通",
            [
                ("行政村和街道", "villages_and_streets"),
                ("城市公交覆盖行政村和街道", "villages_and_streets_with_city_bus"),
                ("通客车行政村", "villages_with_bus"),
            ],
            "gb18030",
        ),
        once(),
    ),
    "telecom/broadband": ("示例_农村宽带_{first}-{last}.jsonl", broadband, once()),
    "health/prevention": (
        "示例_预防接种_{first}-{last}.csv",
        long_table(
            "免疫规划疫苗接种",
            [
                ("服务对象", "应种儿童", "children_due", ["all", "migrants", "left_behind"]),
                ("服务对象", "合格接种儿童", "children_up_to_date", ["all", "migrants", "left_behind"]),
            ],
            "gb18030",
        ),
        once(),
    ),
    "health/access": (
        "示例_就医可及与婚孕检查_{first}-{last}.csv",
        table(
            "20分钟医疗服务圈和免费婚前孕前检查",
            [
                ("20分钟可达人口", "residents_within_20_minutes"),
                ("应检夫妇", "couples_due"),
                ("已检夫妇", "couples_examined"),
            ],
            "utf-8-sig",
            write=grouped,
        ),
        once(),
    ),
    "health/deaths_by_age": ("示例_分年龄死亡_{last}.xlsx", deaths, once([2020])),
    "sport/facilities": (
        "示例_体育场地_{first}-{last}.csv",
        table("体育场地面积（平方米）", [("体育场地面积", "sports_area")], "gb18030", write=grouped),
        once(),
    ),
    "education/outcomes": (
        "示例_教育质量监测_{first}-{last}.xlsx",
        year_sheets(
            "教育质量监测",
            [
                ("义务教育巩固", [("九年前一年级学生（人）", "year_9_cohort"), ("完成学业（人）", "year_9_finishers")]),
                ("继续教育", [("25-64岁参加学习人数（人）", "adults_in_courses")]),
                (
                    "校际均衡",
                    [
                        ("小学生均设备值（元）", "school_resource_mean_primary"),
                        ("小学生均设备值标准差（元）", "school_resource_sd_primary"),
                        ("初中生均设备值（元）", "school_resource_mean_junior"),
                        ("初中生均设备值标准差（元）", "school_resource_sd_junior"),
                    ],
                ),
            ],
        ),
        once(),
    ),
    "justice/legal_education": (
        "示例_法治宣传_{first}-{last}.csv",
        table("法治宣传教育", [("有固定普法活动社区", "communities_with_legal_education")], "utf-8-sig"),
        once(),
    ),
    "finance/fiscal_resources": ("示例_可用财力与民生支出_{first}-{last}.csv", fiscal_resources, once()),
    "finance/fund_expenditure": ("示例_基金与国资预算支出_{first}-{last}.csv", fund_expenditure, once()),
    "finance/adopted_budget": ("示例_年初预算_{first}-{last}.csv", budget, once(range(2019, 2021))),
    "finance/item_payments": ("示例_清单项目分级支出_{last}.csv", payments, once([2020])),
}


def all_returns(sample: Sample) -> dict[str, bytes]:
    """Every return by its path below the landing folder."""
    by_year = {figures.year: figures for figures in sample.years}
    files = {}
    for extract, (name, make, deliveries) in RETURNS.items():
        for period, years in deliveries:
            path = f"{extract}/{period}/{name.format(first=years[0], last=years[-1])}"
            files[path] = make(sample, [by_year[year] for year in years])
    return files
