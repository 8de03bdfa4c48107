"""Zhejiang as released gives the figures that are known from elsewhere. The release is asked, nothing behind it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import fastexcel
import pytest
from houses import House

from pipelines.settings import PROJECT_FOLDER

pytestmark = pytest.mark.pipeline

PROVINCE, WENCHENG, OUHAI, WENZHOU, NINGBO, ZONE = "330000", "330328", "330304", "330300", "330200", "330371"
LANDING = PROJECT_FOLDER / "raw" / "zhejiang" / "landing"
REPORTED = "reference_geography = 'reported'"


def per_head(house: House, year: int, basis: str, source: str, region: str = PROVINCE) -> Any:
    """Spending per head of one population: in the variant that differs from `main` in nothing else."""
    return house.value(
        f"SELECT f.value FROM figure f JOIN dim_variant v USING (variant) JOIN dim_variant main ON main.is_main "
        f"WHERE f.subject_code = 'spending.all' AND f.region_code = '{region}' AND f.year = {year} "
        f"AND f.breakdown = 'all' AND v.population_basis = '{basis}' AND v.population_source = '{source}' "
        "AND (v.boundaries, v.prices, v.fund, v.account_stage, v.government_level) "
        "= (main.boundaries, main.prices, main.fund, main.account_stage, main.government_level) "
        "AND (v.method, v.weight_set, v.target_edition, v.goalpost_set) "
        "= (main.method, main.weight_set, main.target_edition, main.goalpost_set)"
    )


@pytest.mark.parametrize(
    ("year", "basis", "source", "yuan"),
    [
        (2016, "resident", "year_end", 11_485.9),
        (2020, "resident", "year_end", 15_587.5),
        (2010, "resident", "census", 5_893.9),
        (2010, "registered", "census", 6_777.5),
    ],
)
def test_general_budget_expenditure_per_head(zhejiang: House, year: int, basis: str, source: str, yuan: float) -> None:
    assert round(per_head(zhejiang, year, basis, source), 1) == yuan


def test_expenditure_per_head_is_the_ministrys_figure_over_the_bureaus(zhejiang: House) -> None:
    """Spending 6974.26, 7530.32, 8629.53, 10053.03 and 10082.01 (100 million yuan) from 2016 to 2020."""
    rows = zhejiang.query(
        f"SELECT year, spending FROM mart_per_capita_spending WHERE region_code = '{PROVINCE}' AND domain = 'all' "
        "AND residence = 'total' AND year BETWEEN 2016 AND 2020 ORDER BY year"
    )
    assert [f"{spending / 10**8:.2f}" for _, spending in rows] == [
        "6974.26",
        "7530.32",
        "8629.53",
        "10053.03",
        "10082.01",
    ]


def counted(house: House, region: str, year: int, basis: str = "resident") -> Any:
    return house.value(
        f"SELECT population FROM fct_population WHERE region_code = '{region}' AND year(reference_date) = {year} "
        f"AND population_source = 'census' AND population_basis = '{basis}' AND residence = 'total' "
        f"AND sex = 'all' AND age_group = 'all' AND {REPORTED}"
    )


def test_the_census_counts(zhejiang: House) -> None:
    assert counted(zhejiang, PROVINCE, 2010) == 54_426_891
    assert counted(zhejiang, PROVINCE, 2010, "registered") == 47_331_520
    assert counted(zhejiang, PROVINCE, 2020) == 64_567_588


PARTS = """
    SELECT region.parent_code, sum(part.population), max(whole.population)
    FROM fct_population AS part
    JOIN dim_region AS region ON region.region_code = part.region_code
        AND region.valid_from <= part.reference_date
        AND (region.valid_to IS NULL OR region.valid_to > part.reference_date)
    JOIN fct_population AS whole ON whole.region_code = region.parent_code
        AND whole.reference_date = part.reference_date AND whole.population_source = part.population_source
        AND whole.population_basis = part.population_basis AND whole.residence = part.residence
        AND whole.sex = part.sex AND whole.age_group = part.age_group
        AND whole.reference_geography = part.reference_geography
    WHERE part.population_source = 'census' AND year(part.reference_date) = {year} AND {where}
        AND part.population_basis = '{basis}' AND part.residence = 'total' AND part.sex = 'all'
        AND part.age_group = 'all' AND part.reference_geography = 'reported'
    GROUP BY region.parent_code ORDER BY region.parent_code
"""


@pytest.mark.parametrize("basis", ["resident", "registered"])
def test_counties_add_up_to_cities_and_cities_to_the_province_in_2010(zhejiang: House, basis: str) -> None:
    rows = zhejiang.query(PARTS.format(year=2010, basis=basis, where="true"))
    assert len(rows) == 12  # eleven cities, one province
    assert [parent for parent, parts, whole in rows if parts != whole] == []


def test_the_counties_of_wenzhou_fall_short_of_the_city_by_the_zone_without_a_code(zhejiang: House) -> None:
    counties = zhejiang.query(PARTS.format(year=2020, basis="resident", where=f"region.region_code <> '{ZONE}'"))
    short = {parent: whole - parts for parent, parts, whole in counties if parts != whole}
    assert short == {WENZHOU: 249_343}
    everything = zhejiang.query(PARTS.format(year=2020, basis="resident", where="true"))
    assert [parent for parent, parts, whole in everything if parts != whole] == []


def test_the_zone_without_a_code_is_kept_and_visible(zhejiang: House) -> None:
    assert counted(zhejiang, ZONE, 2020) == 249_343
    level, parent = zhejiang.query(f"SELECT region_level, parent_code FROM dim_region WHERE region_code = '{ZONE}'")[0]
    assert (level, parent) == ("zone", WENZHOU)


def test_residents_per_registered_person(zhejiang: House) -> None:
    ratio = {
        region: counted(zhejiang, region, 2010) / counted(zhejiang, region, 2010, "registered")
        for region in (WENCHENG, OUHAI)
    }
    assert round(float(ratio[WENCHENG]), 3) == 0.584
    assert round(float(ratio[OUHAI]), 3) == 2.450


# -- the census files read by another road than ours -----------------------------------------------------------------


def landed_census(year: int) -> list[dict[str, Any]]:
    """The rows of a landed census file by header, line breaks and blanks removed; no line of intake is used."""
    (path,) = sorted((LANDING / "statistics" / "census" / str(year)).glob("*.xlsx"))
    sheet = fastexcel.read_excel(path).load_sheet(0, header_row=None, dtypes="string").to_polars()
    rows = [["".join((cell or "").split()) for cell in row] for row in sheet.iter_rows()]
    head = next(position for position, row in enumerate(rows) if "区划代码" in row)
    return [dict(zip(rows[head], row, strict=True)) for row in rows[head + 1 :]]


PIPED = {
    2010: ("住房内有无管道自来水-有", "长表数据-家庭户"),
    2020: ("住房內有管道自来水", "家庭户户数_长表"),
}


@pytest.mark.parametrize("year", [2010, 2020])
@pytest.mark.parametrize("region", [PROVINCE, WENCHENG, OUHAI])
def test_households_with_piped_water_from_the_long_form(zhejiang: House, year: int, region: str) -> None:
    (row,) = [row for row in landed_census(year) if row["区划代码"] == region]
    piped, homes = (int(float(row[column])) for column in PIPED[year])
    found = zhejiang.query(
        f"SELECT numerator, denominator, value FROM mart_service_coverage WHERE indicator_code = 'CEN01' "
        f"AND region_code = '{region}' AND year = {year} AND breakdown = 'all'"
    )
    assert len(found) == 1
    numerator, denominator, value = found[0]
    assert (numerator, denominator) == (piped, homes)
    assert value == pytest.approx(100 * piped / homes, abs=1e-9)


@pytest.mark.parametrize("year", [2010, 2020])
def test_every_row_of_the_landed_census_is_in_the_release(zhejiang: House, year: int) -> None:
    column = {2010: "合计", 2020: "人口数_合计"}[year]
    landed = [row for row in landed_census(year) if row["区划代码"] and row.get(column, "").isdigit()]
    rows = zhejiang.query(
        f"SELECT region_code, population FROM fct_population WHERE population_source = 'census' AND sex = 'all' "
        f"AND year(reference_date) = {year} AND population_basis = 'resident' AND residence = 'total' "
        f"AND age_group = 'all' AND {REPORTED}"
    )
    released = {code: int(population) for code, population in rows}
    assert len(landed) > 100
    assert {row["区划代码"].replace("NA", ZONE): int(row[column]) for row in landed} == released


def test_illiteracy_recomputed_equals_the_printed_rate_everywhere(zhejiang: House) -> None:
    rows = zhejiang.query(
        """
        SELECT printed.region_code, printed.year, printed.sex, printed.value, made.value
        FROM fct_observation AS printed
        LEFT JOIN mart_service_coverage AS made ON made.indicator_code = 'CEN06'
            AND made.region_code = printed.region_code AND made.year = printed.year
            AND made.breakdown = CASE printed.sex WHEN 'all' THEN 'all' ELSE 'sex=' || printed.sex END
            AND made.population_basis = 'resident' AND made.population_source = 'census'
        WHERE printed.measure = 'illiteracy_rate_printed' AND printed.is_latest
        """
    )
    assert len(rows) > 600
    off = [row for row in rows if row[4] is None or abs(float(row[3]) - row[4]) > 0.005 + 1e-9]
    assert off == []


def test_rented_dwellings_of_suichang_in_2010_are_a_reject_never_a_number(zhejiang: House) -> None:
    (reject,) = zhejiang.query(
        "SELECT region_code, rule, source_column, source_row, is_known, known_reason FROM audit_reject "
        "WHERE reported_text = '5.54'"
    )
    assert reject[0] == "331123"
    assert reject[1] == "not_an_integer"
    assert "住房来源-租赁" in reject[2]
    assert reject[3] > 1
    assert reject[4] is True
    assert reject[5]
    rented = "measure = 'dwellings_rented' AND region_code = '331123' AND year = 2010"
    assert zhejiang.query(f"SELECT value FROM fct_observation WHERE {rented} AND value IS NOT NULL") == []
    assert zhejiang.query("SELECT count(*) FROM fct_observation WHERE value_reported = '5.54'") == [(0,)]


def test_what_na_and_blanks_mean_in_the_census(zhejiang: House) -> None:
    def cell(measure: str, region: str, year: int, more: str = "true") -> list[tuple[Any, ...]]:
        return zhejiang.query(
            f"SELECT value, obs_status, value_reported FROM fct_observation WHERE measure = '{measure}' "
            f"AND region_code = '{region}' AND year = {year} AND is_latest AND {more}"
        )

    # 2020: NA is no code (the zone), cannot exist (city proper of a county), zero (an industry).
    assert cell("city_proper_population", WENCHENG, 2020) == [(None, "M", "NA")]
    zero = zhejiang.query(
        "SELECT count(*), count(value), max(value) FROM fct_observation WHERE measure = 'employed_long_form' "
        "AND year = 2020 AND value_reported = 'NA'"
    )[0]
    assert zero[0] == zero[1] > 0
    assert zero[2] == 0
    # 2010: a blank is zero for six districts without rural residents, and for dwellings without ...
    rural = zhejiang.query(
        "SELECT region_code, value FROM fct_observation WHERE measure = 'census_population' AND year = 2010 "
        "AND residence = 'rural' AND value_reported = ''"
    )
    assert len(rural) == 6
    assert {value for _, value in rural} == {0}
    assert zhejiang.query(
        "SELECT count(*) FROM fct_observation WHERE value IS NULL AND obs_status NOT IN ('O', 'M', 'L', 'Q')"
    ) == [(0,)]


def test_the_family_households_population_is_not_taken_for_the_total(zhejiang: House) -> None:
    assert zhejiang.query("SELECT count(*) FROM fct_population WHERE population = 49425543") == [(0,)]


def test_two_layouts_of_the_provincial_expenditure_agree(zhejiang: House) -> None:
    """Every province and year that both report; one cell differs in the sources themselves and is known."""
    rows = zhejiang.query(
        """
        SELECT one.region_code, one.year, one.value_reported, two.value_reported, one.value - two.value
        FROM fct_observation AS one
        JOIN fct_observation AS two ON two.region_code = one.region_code AND two.period_end = one.period_end
            AND two.measure = one.measure
        WHERE one.measure = 'general_budget_expenditure' AND one.is_latest AND two.is_latest
            AND one.extract = 'general_budget_expenditure' AND two.extract = 'general_budget_history'
        """
    )
    assert len(rows) == 31 * 14
    differ = [row[:4] for row in rows if row[4] != 0]
    assert differ == [("310000", 2022, "9393.00", "9393.16")]
    assert [row for row in rows if row[0] == PROVINCE and row[4] != 0] == []


def test_where_two_extracts_report_a_figure_the_better_ranked_is_the_marts(zhejiang: House) -> None:
    chosen = zhejiang.query(
        "SELECT DISTINCT extract FROM fct_observation WHERE measure = 'general_budget_expenditure' "
        "AND is_chosen AND year BETWEEN 2011 AND 2024"
    )
    assert chosen == [("general_budget_expenditure",)]
    assert zhejiang.value(
        "SELECT count(*) FROM fct_observation WHERE extract = 'general_budget_history' AND is_latest "
        "AND measure = 'general_budget_expenditure' AND year BETWEEN 2007 AND 2010 AND is_chosen"
    ) == (31 * 4)


# -- the sample departments -------------------------------------------------------------------------------------------


def test_sample_residents_add_up_to_the_real_provincial_figure(zhejiang: House) -> None:
    rows = zhejiang.query(
        """
        SELECT county.year, sum(county.value), max(province.value)
        FROM fct_observation AS county
        JOIN fct_observation AS province ON province.year = county.year AND province.region_code = '330000'
            AND province.measure = county.measure AND province.extract = 'resident_population'
            AND province.is_latest
        WHERE county.extract = 'year_end_population' AND county.measure = 'year_end_population' AND county.is_latest
            AND county.region_level IN ('county', 'zone') AND county.residence = 'total' AND county.sex = 'all'
            AND county.age_group = 'all' AND county.population_basis = 'resident'
        GROUP BY county.year ORDER BY county.year
        """
    )
    assert [year for year, _, _ in rows] == list(range(2015, 2021))
    assert [row for row in rows if row[1] != row[2]] == []


def test_own_spending_of_all_governments_adds_up_to_the_real_provincial_total(zhejiang: House) -> None:
    rows = zhejiang.query(
        """
        SELECT own.year, sum(own.value), max(whole.value)
        FROM fct_observation AS own
        JOIN fct_observation AS whole ON whole.year = own.year AND whole.region_code = '330000'
            AND whole.measure = 'general_budget_expenditure' AND whole.is_chosen
        WHERE own.measure = 'functional_expenditure' AND own.is_chosen AND own.residence = 'total'
        GROUP BY own.year ORDER BY own.year
        """
    )
    assert [year for year, _, _ in rows] == list(range(2015, 2021))
    assert [row for row in rows if row[1] != row[2]] == []


def test_ningbos_whole_of_2020(zhejiang: House) -> None:
    spending = zhejiang.query(
        f"SELECT spending FROM mart_per_capita_spending WHERE region_code = '{NINGBO}' AND year = 2020 "
        "AND domain = 'all' AND residence = 'total'"
    )
    assert [str(round(s[0] / 10**8, 1)) for s in spending] == ["1742.1"]


def test_a_citys_own_spending_is_not_spread_over_its_districts(zhejiang: House) -> None:
    """The counties' own and the city's own make the city's whole; no district's figure holds any of the city's own."""
    place = "year = 2020 AND domain = 'all' AND residence = 'total'"
    whole = zhejiang.value(f"SELECT spending FROM mart_per_capita_spending WHERE region_code = '{NINGBO}' AND {place}")
    own = zhejiang.value(
        f"SELECT spending FROM mart_per_capita_spending_variants WHERE region_code = '{NINGBO}' AND {place} "
        "AND variant = 'own_level'"
    )
    by_level = dict(
        zhejiang.query(
            f"SELECT government_level, spending FROM mart_expenditure_split WHERE region_code = '{NINGBO}' "
            "AND year = 2020 AND subject_kind = 'domain' AND subject_code = 'all'"
        )
    )
    assert set(by_level) == {"city", "county"}
    assert own == by_level["city"] > 0
    assert by_level["city"] + by_level["county"] == whole
    districts = zhejiang.value(
        f"SELECT sum(spending) FROM mart_per_capita_spending WHERE parent_code = '{NINGBO}' AND {place}"
    )
    assert districts == by_level["county"]


def test_domains_add_up_to_the_budget(zhejiang: House) -> None:
    rows = zhejiang.query(
        """
        SELECT region_code, year, variant,
            sum(spending) FILTER (WHERE domain NOT IN ('all', 'basic')) AS parts,
            max(spending) FILTER (WHERE domain = 'all') AS whole
        FROM (SELECT *, 'main' AS variant FROM mart_per_capita_spending UNION ALL BY NAME
            SELECT * FROM mart_per_capita_spending_variants WHERE variant = 'own_level')
        WHERE residence = 'total' AND year BETWEEN 2015 AND 2020 AND region_code LIKE '33%'
        GROUP BY ALL HAVING count(DISTINCT domain) > 2
        """
    )
    assert len(rows) > 600
    assert [row for row in rows if row[3] != row[4]] == []


def test_insured_and_pupils_never_exceed_the_people_there_can_be(zhejiang: House) -> None:
    over = zhejiang.query(
        "SELECT indicator_code, region_code, year, value FROM mart_service_coverage WHERE unit = '%' AND value > 100 "
        "AND indicator_code IN (SELECT indicator_code FROM dim_indicator WHERE NOT may_exceed_100)"
    )
    assert over == []


def test_a_row_made_from_sample_data_says_so(zhejiang: House) -> None:
    synthetic = {
        extract
        for (extract,) in zhejiang.query("SELECT DISTINCT extract FROM audit_receipt WHERE provenance = 'synthetic'")
    }
    assert {"schools", "services", "insured", "security", "functional_expenditure"} <= synthetic
    assert zhejiang.query("SELECT DISTINCT provenance FROM audit_receipt ORDER BY 1") == [("official",), ("synthetic",)]
    listed = ", ".join(f"'{extract}'" for extract in synthetic)
    assert zhejiang.query(
        f"SELECT count(*) FROM fct_observation WHERE extract IN ({listed}) AND provenance <> 'synthetic'"
    ) == [(0,)]
    # beds are sample data: every figure made of them is; the census is not
    for indicator, provenance in (("HEA04", "synthetic"), ("CEN01", "official"), ("CEN06", "official")):
        assert zhejiang.query(
            f"SELECT DISTINCT provenance FROM mart_service_coverage WHERE indicator_code = '{indicator}'"
        ) == [(provenance,)]
    assert zhejiang.query("SELECT DISTINCT provenance FROM mart_per_capita_spending WHERE domain = 'education'") == [
        ("synthetic",)
    ]


def test_spending_per_head_on_both_populations_in_town_and_country_at_every_level(zhejiang: House) -> None:
    table = "mart_per_capita_spending WHERE year = 2020 AND domain = 'education'"
    found = set(zhejiang.query(f"SELECT DISTINCT region_level, residence FROM {table} AND per_resident IS NOT NULL"))
    registered = set(zhejiang.query(f"SELECT DISTINCT region_level, residence FROM {table} AND per_registered > 0"))
    for level in ("province", "city", "county"):
        assert {(level, place) for place in ("total", "urban", "rural")} <= found
        assert (level, "total") in registered  # the register knows no town and country


@pytest.mark.parametrize("region", ["330122", "330100", PROVINCE])
def test_education_per_pupil_is_what_the_landed_files_say(zhejiang: House, region: str) -> None:
    """Class 205 of all governments in a region in 2020, over its children in kindergarten and pupils of four stages."""

    def rows(extract: str, encoding: str, header: int) -> list[dict[str, str]]:
        (path,) = (LANDING / extract / "2020").iterdir()
        lines = path.read_text(encoding=encoding).splitlines()[header:]
        here = [row for row in csv.DictReader(lines) if row["区划代码"].startswith(region.rstrip("0"))]
        return [row for row in here if not row["地区"].endswith("计")]  # subtotals

    money = [row for row in rows("finance/functional_expenditure", "utf-8", 2) if row["科目编码"] == "205"]
    yuan = 10_000 * sum(int(row["合计"].replace(",", "")) for row in money)
    stages = ("小学_在校生数", "初中_在校生数", "普通高中_在校生数", "中等职业学校_在校生数", "幼儿园_在园幼儿数")
    pupils = sum(
        int(row[stage].replace(",", "")) for row in rows("education/schools", "gb18030", 2) for stage in stages
    )
    assert zhejiang.query(
        "SELECT spending, users, per_user, per_user_provenance FROM mart_per_capita_spending "
        f"WHERE region_code = '{region}' AND year = 2020 AND domain = 'education' AND residence = 'total'"
    ) == [(yuan, pupils, yuan / pupils, "synthetic")]


# -- against the sources beside the repository -------------------------------------------------------------------------


def test_the_landed_census_holds_the_published_figures() -> None:
    """The extract in the repository against the compilation it was written from, where that is at hand."""
    source = PROJECT_FOLDER.parent / "shared" / "data" / "census"
    if not source.is_dir():
        pytest.skip("the compilation is not beside the repository")
    import polars as pl

    for year, column in ((2010, "合计"), (2020, "人口数_合计")):
        (path,) = sorted(Path(source).glob(f"zhejiang*{year}*.csv"))
        frame = pl.read_csv(path, infer_schema=False)
        names = {"".join(c.split()): c for c in frame.columns}
        published = {
            "".join((code or "").split()): (value or "").strip()
            for code, value in frame.select(names["区划代码"], names[column]).iter_rows()
        }
        landed = {row["区划代码"]: row[column] for row in landed_census(year) if row["区划代码"]}
        assert len(published) > 100
        assert {k: v.removesuffix(".0") for k, v in landed.items() if v} == {
            k: v.removesuffix(".0") for k, v in published.items() if k
        }


def test_indicators_of_the_sample_give_the_truth_it_was_made_with(zhejiang: House) -> None:
    """The generator writes down the province's numerators and denominators; no file holds these sums."""
    path = PROJECT_FOLDER / "raw" / "zhejiang" / "synthetic" / "truth.csv"
    with path.open(encoding="utf-8", newline="") as file:
        truth = [row for row in csv.DictReader(file) if not row["indicator_code"].startswith("FIS")]
    assert len({row["indicator_code"] for row in truth}) > 45
    found = {
        (code, region, year): (numerator, denominator)
        for code, region, year, numerator, denominator in zhejiang.query(
            "SELECT indicator_code, region_code, year, numerator, denominator FROM mart_service_coverage "
            f"WHERE region_code = '{PROVINCE}' AND breakdown = 'all' AND population_source <> 'census'"
        )
    }
    wrong = [
        row
        for row in truth
        if found.get((row["indicator_code"], row["region_code"], int(row["year"])))
        != (int(row["numerator"]), int(row["denominator"]))
    ]
    assert wrong == []


def test_new_resources_and_livelihood_of_the_sample_add_up_to_the_truth(zhejiang: House) -> None:
    with (PROJECT_FOLDER / "raw" / "zhejiang" / "synthetic" / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = {
            int(row["year"]): (int(row["numerator"]), int(row["denominator"]))
            for row in csv.DictReader(file)
            if row["indicator_code"] == "FIS02" and row["year"] != "0"
        }
    sums = {
        (measure, year): value
        for measure, year, value in zhejiang.query(
            "SELECT measure, year, sum(value) FROM fct_observation WHERE is_chosen "
            "AND measure IN ('livelihood_expenditure', 'disposable_fiscal_resources') GROUP BY 1, 2"
        )
    }
    for year, increments in truth.items():
        assert increments == tuple(
            sums[measure, year] - sums[measure, year - 1]
            for measure in ("livelihood_expenditure", "disposable_fiscal_resources")
        )
    assert sorted(truth) == [2016, 2017, 2018, 2019, 2020]


def test_every_group_of_the_sample_has_figures_of_its_own(zhejiang: House) -> None:
    groups = dict(
        zhejiang.query(
            "SELECT group_code, string_agg(DISTINCT indicator_code, ' ' ORDER BY indicator_code) "
            "FROM mart_service_coverage JOIN dim_breakdown USING (breakdown) WHERE value IS NOT NULL GROUP BY 1"
        )
    )
    assert set(groups) == {
        "all",
        "registered",
        "residence_permit",
        "migrants",
        "disabled",
        "low_income",
        "left_behind",
    }
    assert groups["left_behind"] == "HEA09"
    assert groups["low_income"] == "EMP03 SOC07"
