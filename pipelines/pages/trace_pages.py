"""How the headline figures of the home region were made: formula, inputs with their references, the reported numbers.

Built from released tables alone. `junheng trace` goes further down, for any figure; these pages show the way for those
that most people quote.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from pipelines.pages.figures import account_meant, residents_meant
from pipelines.pages.indicator_pages import measures_of
from pipelines.pages.numbers import RATIO, plain, rounded
from pipelines.pages.prepared import figure_button
from pipelines.pages.references import Reference
from pipelines.pages.subjects import Facts, Figure, Region, Subject
from pipelines.publish import Release, Row

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
    called: str  # what the year is called
    text: str
    exact: str
    unit: str
    status: str
    is_synthetic: bool
    reference: Reference
    formula: tuple[str, str]
    table: str
    inputs: list[Row]
    weighted: list[Row] = field(default_factory=list)
    observations: list[Row] = field(default_factory=list)
    files: list[Row] = field(default_factory=list)


def headlines(release: Release, facts: Facts) -> list[Headline]:
    """The headline figures of the home region that the release holds, each with how it was made."""
    home = facts.regions.get(facts.home)
    if home is None:
        return []
    made = []
    for key, make in (("degree.all", _degree), ("spending.all", _spending), ("index.all", _index),
                      ("budget_share.basic", _share), ("spending.basic", _urban_rural)):  # fmt: skip
        subject = facts.shown(key)
        figure = subject.of(home) if subject is not None else None
        if subject is not None and figure is not None and figure.value is not None:
            made.append(make(release, facts, home, subject, figure))
    return [headline for headline in made if headline is not None]


def _headline(key: str, subject: Subject, home: Region, figure: Figure, unit: str, **rest: Any) -> Headline:
    """A headline that is a subject's figure."""
    return Headline(
        key=key, zh=subject.name_zh, en=subject.name_en, called=figure.period_name, text=subject.written(figure.value),
        exact=repr(figure.value), unit=unit, status=figure.status, is_synthetic=figure.is_synthetic,
        reference=subject.reference(home, figure), **rest,
    )  # fmt: skip


def _input(zh: str, en: str, text: str, reference: Reference, *, is_synthetic: bool) -> Row:
    """One input of a figure, with where it is found."""
    return {"zh": zh, "en": en, "text": Markup(figure_button(text, reference)), "is_synthetic": is_synthetic}


def _money_row(release: Release, home: Region, figure: Figure, domain: str) -> Row:
    """The home region's row of spending on a domain in a figure's year."""
    return release.rows_of(
        "mart_per_capita_spending",
        "where region_id = ? and year = ? and domain = ? and residence = 'total'",
        home.id,
        figure.year,
        domain,
    )[0]


def _money_reference(home: Region, figure: Figure, domain: str, column: str) -> Reference:
    key = {"region_id": home.id, "year": str(figure.year), "domain": domain, "residence": "total"}
    return Reference("mart_per_capita_spending", key, column, f"spending.{domain}")


def _degree(release: Release, facts: Facts, home: Region, degree: Subject, figure: Figure) -> Headline | None:
    if not release.has("mart_gap_contribution"):
        return None
    parts = release.rows(
        "select * from mart_gap_contribution where region_id = ? and year = ? and domain = 'all' "
        "order by contribution_points desc, indicator_code",
        home.id,
        figure.year,
    )
    domains = [(subject, subject.of(home, figure.year)) for subject in facts.of_kind("degree") if subject is not degree]
    known = {measure for (measure,) in release.tuples("select distinct measure from fct_observation")}
    defined = [facts.subjects[row["indicator_code"]].row for row in parts if row["indicator_code"] in facts.subjects]
    measures = sorted({measure for row in defined for measure in measures_of(row, known)})
    return _headline(
        "degree", degree, home, figure, "%",
        formula=(
            "100 − 各指标占去的分之和；占去的分 = 有效权重 × (1 − 达标程度) × 100。",
            "100 − the sum of points lost; points lost = effective weight × (1 − attainment) × 100.",
        ),
        table="mart_gap_contribution",
        inputs=[
            _input(
                s.name_zh, s.name_en, s.written(f.value), s.reference(home, f), is_synthetic=f.is_synthetic
            )
            for s, f in domains
            if f is not None and f.value is not None
        ],
        weighted=parts,
        files=_files(release, measures, figure.year),
    )  # fmt: skip


def _files(release: Release, measures: list[str], year: int) -> list[Row]:
    """The files that hold the measures a figure is made of, with how many of their numbers are about its year."""
    return release.rows(
        "select department || '/' || extract as extract, source_file, any_value(receipt_id) as receipt_id, "
        "count(*) as numbers, bool_or(provenance <> 'official') as is_synthetic from fct_observation "
        "where list_contains(?, measure) and year = ? and is_latest and is_chosen group by 1, 2 order by 1, 2",
        measures,
        year,
    )


def _spending(release: Release, facts: Facts, home: Region, spending: Subject, figure: Figure) -> Headline:
    row = _money_row(release, home, figure, "all")
    (zh, en), (account_zh, account_en) = residents_meant(release), account_meant(release)
    return _headline(
        "spending", spending, home, figure, spending.unit,
        formula=(
            f"支出 ÷ {zh} = {plain(row['spending'])} ÷ {plain(row['residents'])}",
            f"spending ÷ {en} = {plain(row['spending'])} ÷ {plain(row['residents'])}",
        ),
        table="mart_per_capita_spending",
        inputs=[
            _input(f"支出，{account_zh}", f"Spending, {account_en}",
                   plain(row["spending"]), _money_reference(home, figure, "all", "spending"),
                   is_synthetic=row["spending_provenance"] != "official"),
            _input(zh, en.capitalize(), plain(row["residents"]), _money_reference(home, figure, "all", "residents"),
                   is_synthetic=figure.is_synthetic),
        ],
        observations=_observations(release, home, row),
    )  # fmt: skip


def _observations(release: Release, home: Region, row: Row) -> list[Row]:
    """The reported numbers that are the spending and the residents of a row of spending per head."""
    if not release.has("fct_observation", "fct_population"):
        return []
    return release.rows(
        f"{_OBSERVATION} where region_code = $1 and is_latest and is_chosen and (year = $2 and value = $3 "
        "or observation_id in (select observation_id from fct_population where region_code = $1 "
        "and reference_date = $4 and population_basis = 'resident' and population = $5 and sex = 'all' "
        "and age_group = 'all')) order by source_file, source_row",
        home.code, row["year"], row["spending"], row["population_date"], row["residents"],
    )  # fmt: skip


def _index(release: Release, facts: Facts, home: Region, index: Subject, figure: Figure) -> Headline:
    rows = release.rows(
        "select * from mart_composite_index where region_id = ? and domain = 'all' and year in (?, base_year) "
        "order by year",
        home.id,
        figure.year,
    )
    return _headline(
        "index", index, home, figure, f"{rows[0]['period_name']} = 100",
        formula=(
            "100 × 本年水平 ÷ 基年水平；水平是各指标在固定上下限之间的位置按权重平均。",
            "100 × level of the year ÷ level of the base year; the level is the weighted mean of the places of all "
            "indicators between their goalposts.",
        ),
        table="mart_composite_index",
        inputs=[
            _input(
                f"{row['period_name']} 年水平（0 到 1）", f"level of {row['period_name']} (0 to 1)",
                plain(row["level"]),
                Reference("mart_composite_index", {"region_id": home.id, "year": str(row["year"]), "domain": "all"},
                          "level", index.key),
                is_synthetic=row["provenance"] != "official",
            )
            for row in rows
        ],
    )  # fmt: skip


def _share(release: Release, facts: Facts, home: Region, share: Subject, figure: Figure) -> Headline:
    inputs = []
    for domain, zh, en in (
        ("basic", "基本公共服务支出", "Spending on basic services"),
        ("all", "全部支出", "All spending"),
    ):
        row = _money_row(release, home, figure, domain)
        reference = _money_reference(home, figure, domain, "spending")
        is_synthetic = row["spending_provenance"] != "official"
        inputs.append(_input(zh, en, plain(row["spending"]), reference, is_synthetic=is_synthetic))
    return _headline(
        "share", share, home, figure, "%",
        formula=share.formula,
        table="mart_per_capita_spending",
        inputs=inputs,
    )  # fmt: skip


def _urban_rural(release: Release, facts: Facts, home: Region, spending: Subject, figure: Figure) -> Headline | None:
    """The ratio of town to country, with what is attributed to neither beside it."""
    rows = release.rows_of(
        "mart_urban_rural_gap",
        "where region_id = ? and subject_code = ? and ratio is not null order by year desc limit 1",
        home.id,
        spending.key,
    )
    if not rows:
        return None
    (row,) = rows
    key = {"region_id": home.id, "year": str(row["year"]), "subject_code": spending.key}
    is_synthetic = row["provenance"] != "official"
    about = f"gap.{spending.key}"
    inputs = [
        _input(zh, en, text, Reference("mart_urban_rural_gap", key, column, about), is_synthetic=is_synthetic)
        for zh, en, text, column in (
            ("城镇人均", "Urban per head", spending.written(row["urban"]), "urban"),
            ("乡村人均", "Rural per head", spending.written(row["rural"]), "rural"),
            ("未划分城乡的支出（不在比值中）", "Spending attributed to neither (not in the ratio)",
             plain(row["unattributed_spending"]), "unattributed_spending"),
        )
    ]  # fmt: skip
    return Headline(
        key="urban-rural",
        zh="基本公共服务人均支出的城乡比",
        en="Urban-rural ratio of spending per head on basic services",
        called=row["period_name"],
        text=rounded(row["ratio"], RATIO),
        exact=repr(row["ratio"]),
        unit="",
        status=row["obs_status"],
        is_synthetic=is_synthetic,
        reference=Reference("mart_urban_rural_gap", key, "ratio", f"gap.{spending.key}"),
        formula=("城镇人均 ÷ 乡村人均", "urban per head ÷ rural per head"),
        table="mart_urban_rural_gap",
        inputs=inputs,
    )
