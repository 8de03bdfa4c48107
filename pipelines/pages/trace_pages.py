"""How the headline figures were made: formula, inputs with their own references, the reported numbers, their files.

Built from released tables alone. `junheng trace` goes further down, for any figure; these pages show the way for those
that most people quote.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from pipelines.pages.facts import GEOGRAPHY, MAIN_METHOD
from pipelines.pages.figures import residents_meant
from pipelines.pages.indicator_pages import measures_of
from pipelines.pages.numbers import plain, rounded, rounded_down
from pipelines.pages.prepared import Prepared, figure_button
from pipelines.pages.reading import Release, Row
from pipelines.pages.references import Reference
from pipelines.pages.subjects import Facts

_OBSERVATION = """
    select department, extract, measure, measure_name_zh, measure_name_en, value, unit, value_reported, unit_reported,
        source_file, source_sheet, source_row, source_column, receipt_id, observation_id, provenance
    from fct_observation
"""


@dataclass(frozen=True)
class Headline:
    """A headline figure and how it was made. `text` is how it is read, `exact` what the table holds."""

    key: str
    zh: str
    en: str
    year: int | None
    called: str  # what the year is called
    text: str
    exact: str
    unit: str
    status: str
    is_synthetic: bool
    reference: Reference
    formula_zh: str
    formula_en: str
    method: str
    inputs: list[Row]
    weighted: list[Row] = field(default_factory=list)
    observations: list[Row] = field(default_factory=list)
    files: list[Row] = field(default_factory=list)


def headlines(release: Release, facts: Facts, prepared: dict[str, Prepared]) -> list[Headline]:
    """The headline figures of the home region that the release holds, each with how it was made."""
    made = [
        _degree(release, facts, prepared),
        _spending(release, facts, prepared),
        _index(release, facts, prepared),
        _share(release, facts),
        _urban_rural(release, facts),
    ]
    return [headline for headline in made if headline is not None]


def _input(zh: str, en: str, text: str, reference: Reference | None = None, *, is_synthetic: bool = False) -> Row:
    """One input of a figure, with where it stands."""
    shown = Markup(figure_button(text, reference)) if reference is not None else text
    return {"zh": zh, "en": en, "text": shown, "is_synthetic": is_synthetic}


def _observations(release: Release, condition: str, *parameters: Any) -> list[Row]:
    if not release.has("fct_observation"):
        return []
    return release.rows(f"{_OBSERVATION} where {condition} order by source_file, source_row", *parameters)


def _degree(release: Release, facts: Facts, prepared: dict[str, Prepared]) -> Headline | None:
    whole = prepared.get("degree.all")
    if whole is None or whole.home is None or whole.home.value is None or not release.has("mart_gap_contribution"):
        return None
    degree = whole.subject
    condition = degree.condition
    parts = release.rows(
        f"""
        select indicator_code, indicator_name_zh, indicator_name_en, indicator_domain, effective_weight, attainment,
            contribution_points, provenance
        from mart_gap_contribution
        where region_code = ? and year = ? and domain = 'all' and method_id = '{MAIN_METHOD}' and weight_set = ?
            and target_edition = ? and reference_geography = ?
        order by contribution_points desc, indicator_code
        """,
        facts.home,
        degree.year,
        condition["weight_set"],
        condition["target_edition"],
        GEOGRAPHY,
    )
    lost = sum((Decimal(repr(row["contribution_points"])) for row in parts if row["contribution_points"]), Decimal(0))
    measures: set[str] = set()
    known = {row["measure"] for row in release.rows("select distinct measure from fct_observation")}
    for row in parts:
        subject = facts.subjects.get(row["indicator_code"])
        if subject is not None:
            measures |= set(measures_of(subject.row, known))
    inputs = [
        _input(
            item.subject.name_zh,
            item.subject.name_en,
            rounded_down(item.home.value, 3),
            item.subject.reference(facts.home, item.home.year),
            is_synthetic=item.home.is_synthetic,
        )
        for item in prepared.values()
        if item.subject.kind == "degree" and item.subject.domain != "all" and item.home and item.home.value is not None
    ]
    return Headline(
        key="degree",
        zh=degree.name_zh,
        en=degree.name_en,
        year=degree.year,
        called=degree.called(degree.year),
        text=rounded_down(whole.home.value, 2),
        exact=repr(whole.home.value),
        unit="%",
        status=whole.home.status,
        is_synthetic=whole.home.is_synthetic,
        reference=degree.reference(facts.home, whole.home.year),
        formula_zh="100 − 各指标占去的分之和；占去的分 = 有效权重 × (1 − 达标程度) × 100。"
        f"下表各分相加为 {plain(lost)}。",
        formula_en="100 − the sum of points lost; points lost = effective weight × (1 − attainment) × 100. "
        f"The points below add up to {plain(lost)}.",
        method="mart_gap_contribution",
        inputs=inputs,
        weighted=parts,
        files=_files(release, sorted(measures), degree.year),
    )


def _files(release: Release, measures: list[str], year: int | None) -> list[Row]:
    """The files that hold the measures a figure is made of, with how many of their numbers are about its year."""
    return release.rows(
        "select department || '/' || extract as extract, source_file, any_value(receipt_id) as receipt_id, "
        "count(*) as numbers, bool_or(provenance <> 'official') as is_synthetic from fct_observation "
        "where list_contains(?, measure) and year = ? and is_latest and is_chosen group by 1, 2 order by 1, 2",
        measures,
        year,
    )


def _spending(release: Release, facts: Facts, prepared: dict[str, Prepared]) -> Headline | None:
    item = prepared.get("spending.all")
    if item is None:
        return None
    own = item.subject.figures.get(facts.home, {})
    figure = next((own[year] for year in sorted(own, reverse=True) if own[year].value is not None), None)
    if figure is None:
        return None
    reference = item.subject.reference(facts.home, figure.year)
    row = release.rows(
        f"select * from mart_per_capita_spending where region_code = ? and year = ? and domain = 'all' "
        f"and {release.per_resident} and reference_geography = ?",
        facts.home,
        figure.year,
        GEOGRAPHY,
    )[0]
    spent = Reference(reference.table, reference.key, "spending", "spending.all")
    people = Reference(reference.table, reference.key, "population", "spending.all")
    synthetic = figure.is_synthetic
    residents_zh, residents_en = residents_meant(release)
    observations = _observations(
        release,
        "region_code = ? and year = ? and is_latest and is_chosen and value = ?",
        facts.home,
        figure.year,
        row["spending"],
    )
    if release.has("fct_population"):
        observations += _observations(
            release,
            "observation_id in (select observation_id from fct_population where region_code = ? "
            "and reference_date = ? and population_source = ? and population_basis = 'resident' "
            "and residence = 'total' and sex = 'all' and age_group = 'all' and reference_geography = ?)",
            facts.home,
            row["population_date"],
            release.population_source,
            GEOGRAPHY,
        )
    return Headline(
        key="spending",
        zh=item.subject.name_zh,
        en=item.subject.name_en,
        year=figure.year,
        called=figure.called,
        text=rounded(figure.value, 1),
        exact=repr(figure.value),
        unit=item.subject.unit,
        status=figure.status,
        is_synthetic=synthetic,
        reference=reference,
        formula_zh=f"支出 ÷ {residents_zh} = {plain(row['spending'])} ÷ {plain(row['population'])}",
        formula_en=f"spending ÷ {residents_en} = {plain(row['spending'])} ÷ {plain(row['population'])}",
        method="mart_per_capita_spending",
        inputs=[
            _input("支出，决算，各级政府合计", "Spending, final account, all levels of government",
                   plain(row["spending"]), spent, is_synthetic=synthetic),
            _input(residents_zh, residents_en.capitalize(), plain(row["population"]), people, is_synthetic=synthetic),
        ],
        observations=observations,
    )  # fmt: skip


def _index(release: Release, facts: Facts, prepared: dict[str, Prepared]) -> Headline | None:
    item = prepared.get("index.all")
    if item is None or item.home is None or item.home.value is None:
        return None
    subject = item.subject
    rows = release.rows(
        "select year, level, base_year, index_value, provenance from mart_composite_index where region_code = ? "
        "and domain = 'all' and method_id = ? and goalposts = ? and weight_set = ? and reference_geography = ? "
        "and (year = ? or year = base_year) order by year",
        facts.home,
        *(subject.condition[name] for name in ("method_id", "goalposts", "weight_set")),
        GEOGRAPHY,
        subject.year,
    )
    inputs = []
    for row in rows:
        reference = subject.reference(facts.home, row["year"])
        level = Reference(reference.table, reference.key, "level", subject.key)
        inputs.append(
            _input(
                f"{subject.called(row['year'])} 年水平（0 到 1）",
                f"level of {subject.called(row['year'])} (0 to 1)",
                plain(row["level"]),
                level,
                is_synthetic=row["provenance"] != "official",
            )
        )
    return Headline(
        key="index",
        zh=subject.name_zh,
        en=subject.name_en,
        year=item.home.year,
        called=item.home.called,
        text=rounded(item.home.value, 1),
        exact=repr(item.home.value),
        unit=f"{subject.called(rows[0]['base_year'])} = 100",
        status=item.home.status,
        is_synthetic=item.home.is_synthetic,
        reference=subject.reference(facts.home, item.home.year),
        formula_zh="100 × 本年水平 ÷ 基年水平；水平是各指标在固定上下限之间的位置按权重平均。",
        formula_en="100 × level of the year ÷ level of the base year; the level is the weighted mean of the places "
        "of all indicators between their goalposts.",
        method="mart_composite_index",
        inputs=inputs,
    )


def _share(release: Release, facts: Facts) -> Headline | None:
    if not release.has("mart_fiscal_effort"):
        return None
    rows = release.rows(
        "select * from mart_fiscal_effort where region_code = ? and reference_geography = ? "
        "and account_stage = 'final' and fund = ? and basic_share_pct is not null "
        "order by year desc limit 1",
        facts.home,
        GEOGRAPHY,
        release.main_fund,
    )
    if not rows:
        return None
    row = rows[0]
    key = {"region_code": facts.home, "year": str(row["year"]), "fund": row["fund"], "account_stage": "final"}
    synthetic = row["provenance"] != "official"

    def standing(column: str) -> Reference:
        return Reference("mart_fiscal_effort", key, column, "fiscal.basic_share")

    return Headline(
        key="share",
        zh="基本公共服务占财政支出比重",
        en="Share of basic services in spending",
        year=row["year"],
        called=row["period_name"],
        text=rounded(row["basic_share_pct"], 2),
        exact=repr(row["basic_share_pct"]),
        unit="%",
        status=row["obs_status"],
        is_synthetic=synthetic,
        reference=standing("basic_share_pct"),
        formula_zh="100 × 基本公共服务各领域支出 ÷ 全部支出",
        formula_en="100 × spending of the domains of basic services ÷ all spending",
        method="mart_fiscal_effort",
        inputs=[
            _input("基本公共服务支出", "Spending on basic services", plain(row["basic_spending"]),
                   standing("basic_spending"), is_synthetic=synthetic),
            _input("全部支出", "All spending", plain(row["total_spending"]), standing("total_spending"),
                   is_synthetic=synthetic),
        ],
    )  # fmt: skip


def _urban_rural(release: Release, facts: Facts) -> Headline | None:
    if not release.has("mart_urban_rural_gap"):
        return None
    rows = release.rows(
        "select * from mart_urban_rural_gap where region_code = ? and reference_geography = ? "
        "and subject_kind = 'spending' and subject_code = 'basic' and population_basis = 'resident' "
        "and price_basis = 'nominal' and ratio is not null order by year desc limit 1",
        facts.home,
        GEOGRAPHY,
    )
    if not rows:
        return None
    row = rows[0]
    names = ("subject_kind", "subject_code", "population_basis", "price_basis")
    key = {"region_code": facts.home, "year": str(row["year"]), **{name: row[name] for name in names}}
    synthetic = row["provenance"] != "official"

    def standing(column: str) -> Reference:
        return Reference("mart_urban_rural_gap", key, column, "gap.spending.basic")

    return Headline(
        key="urban-rural",
        zh="基本公共服务人均支出的城乡比",
        en="Urban-rural ratio of spending per head on basic services",
        year=row["year"],
        called=row["period_name"],
        text=rounded(row["ratio"], 3),
        exact=repr(row["ratio"]),
        unit="",
        status=row["obs_status"],
        is_synthetic=synthetic,
        reference=standing("ratio"),
        formula_zh="城镇人均 ÷ 乡村人均",
        formula_en="urban per head ÷ rural per head",
        method="mart_urban_rural_gap",
        inputs=[
            _input("城镇人均", "Urban per head", rounded(row["urban"], 2), standing("urban"), is_synthetic=synthetic),
            _input("乡村人均", "Rural per head", rounded(row["rural"], 2), standing("rural"), is_synthetic=synthetic),
        ],
    )
