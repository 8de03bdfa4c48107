"""The sheets of the workbook that people read: the overview of the regions, and a few columns of each table of figures.

`workbook.yml` says what they show. Their rows begin with the jurisdiction's own regions, the newest year first; figures
stay exact, formatted with the decimals of their subject. Nothing is computed here; `workbook` writes the sheets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines.publish import Column, Release, Table
from pipelines.sql import quote, text_literal
from pipelines.store import read_yaml

SHEETS_FILE = Path(__file__).with_name("workbook.yml")
NARROWEST, WIDEST = 8, 36

# Every code of the home region and of the regions below it, whatever the year.
_OWN_REGIONS = """
with recursive inside(region_code) as (
    select {home}
    union
    select region.region_code from dim_region as region join inside on region.parent_code = inside.region_code
)
select region_code from inside
"""


@lru_cache(maxsize=1)
def layout() -> dict[str, Any]:
    """What the sheets for people show."""
    loaded: dict[str, Any] = read_yaml(SHEETS_FILE.read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True)
class ReadingSheet:
    """One sheet: its columns (those of the table, codes spelled out), their heads, a select that gives them, in order.

    `decimals` names for a column the SQL that gives its decimals; the select has `place_of_row` for the order.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    heads: tuple[tuple[str, str], ...]
    source: str
    decimals: Mapping[str, str] = field(default_factory=dict)
    is_marked: bool = False
    order: str = "place_of_row"


def own_regions(release: Release) -> str:
    """A select of the codes of the jurisdiction's own regions."""
    return _OWN_REGIONS.format(home=text_literal(str(release.jurisdiction["home_region"])))


def reading_sheets(release: Release) -> list[ReadingSheet]:
    """The sheets that this release has rows for, in the order of `workbook.yml`."""
    tables = release.tables
    sheets = [
        _sheet(release, tables[asked["table"]], asked) for asked in layout()["sheets"] if asked["table"] in tables
    ]
    return [sheet for sheet in sheets if release.connection.execute(f"from ({sheet.source}) limit 1").fetchall()]


def _sheet(release: Release, table: Table, sheet: dict[str, Any]) -> ReadingSheet:
    described = {column.name: column for column in table.columns}
    codes: dict[str, dict[str, str]] = layout()["codes"]
    columns = tuple(_spelled(described[name]) if name in codes else described[name] for name in sheet["columns"])
    heads = tuple(tuple(layout()["heads"].get(c.name, (c.title_zh, c.title_en))) for c in columns)
    known = {subject.code: subject for subject in described_subjects(release)}
    decimals, helpers, cut = {}, [], {}
    for number, (name, subject) in enumerate(sheet["decimals"].items()):
        if subject in described:
            named = f"(select s.decimals from dim_subject as s where s.subject_code = shown.{quote(subject)})"
            helpers.append(f"{named} as decimals_{number}")
            decimals[name] = f"decimals_{number}"
            continue
        decimals[name] = str(subject if isinstance(subject, int) else known[subject].decimals)
        if not isinstance(subject, int) and known[subject].is_cut:
            cut[name] = _cut(quote(name), known[subject].decimals)
    cells = [_cell(name, codes.get(name), cut.get(name, quote(name))) for name in sheet["columns"]]
    first = [f"region_code not in ({own_regions(release)})", "year desc", "region_depth", "region_code"]
    order = ", ".join([*first, *([sheet["order"]] if "order" in sheet else []), *map(quote, table.key)])
    # Below the two highest levels the newest year of which there are figures: all years are too long to look through.
    shown_first = quote(next(iter(sheet["decimals"])))
    home = text_literal(str(release.jurisdiction["home_region"]))
    highest = f"region_depth <= 1 + (select max(region_depth) from dim_region where region_code = {home})"
    newest = f"year = (select max(year) from {quote(table.name)} where not ({highest}) and {shown_first} is not null)"
    source = (
        f"select {', '.join([*cells, *helpers])}, row_number() over (order by {order}) as place_of_row "
        f"from {quote(table.name)} as shown where {highest} or {newest}"
    )
    title = f"{table.description_zh} / {table.description_en}"
    return ReadingSheet(
        f"{sheet['zh']} {sheet['en']}", title, columns, heads, source, decimals, release.is_synthetic(table)
    )


def _spelled(column: Column) -> Column:
    """A column of codes as one of texts."""
    return replace(column, data_type="VARCHAR", is_nullable=True)


def _cell(column: str, codes: dict[str, str] | None, value: str) -> str:
    """A column as SQL; a code that has a name by that, another as it is."""
    if codes is None:
        return f"{value} as {quote(column)}"
    cases = " ".join(f"when {text_literal(code)} then {text_literal(name)}" for code, name in codes.items())
    return f"case cast({value} as varchar) {cases} else cast({value} as varchar) end as {quote(column)}"


def _cut(value: str, decimals: int) -> str:
    """A degree without the digits after its decimals, as SQL: what misses its target by a hair must not read as met.

    In decimals, as a double may lie a hair below its text.
    """
    return f"cast(trunc(cast({value} as decimal(18, 12)), {decimals}) as double)"


def widths(release: Release, sheet: ReadingSheet) -> list[float]:
    """How wide the columns are, in characters: as the longest text, within bounds. A Chinese character is two wide."""
    longest = []
    for column in sheet.columns:
        text = f"cast({quote(column.name)} as varchar)"
        if column.data_type == "DOUBLE" or column.data_type.startswith("DECIMAL"):
            text = f"cast(trunc({quote(column.name)}) as varchar) || '.000'"
        longest.append(f"coalesce(max(strlen({text}) + length({text})), 0)")
    [found] = release.connection.execute(f"select {', '.join(longest)} from ({sheet.source})").fetchall()
    # Heads are wrapped: half of one on a line.
    return [
        min(max(size / 2 + 2, len(zh) + 2, len(en) / 2 + 2, NARROWEST), WIDEST)
        for size, (zh, en) in zip(found, sheet.heads, strict=True)
    ]


# -- the overview ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Subject:
    """A subject with its names, unit and decimals, as dim_subject has them; `is_cut`: cut to them, not rounded."""

    code: str
    name_zh: str
    name_en: str
    unit: str
    decimals: int
    is_cut: bool


@dataclass(frozen=True)
class Overview:
    """The first sheet: what the year is called, its subjects, and a row a region with a figure for each subject."""

    period: str
    subjects: tuple[Subject, ...]
    without: tuple[Subject, ...]
    rows: tuple[tuple[Any, ...], ...]


def overview(release: Release) -> Overview | None:
    """The newest year of the jurisdiction's regions; None where the release has no figure of these subjects.

    A row is the depth and both names of a region, then the values, null where there is none.
    """
    subjects = _subjects(release)
    if not subjects:
        return None
    listed = ", ".join(text_literal(subject.code) for subject in subjects)
    home = text_literal(str(release.jurisdiction["home_region"]))
    main = f"variant = 'main' and breakdown = 'all' and subject_code in ({listed})"
    connection = release.connection
    # The newest year of the first subject that the home region has a figure of.
    place = " ".join(f"when {text_literal(s.code)} then {number}" for number, s in enumerate(subjects))
    newest = connection.execute(
        f"select year, period_name from figure where {main} and region_code = {home} and value is not null "
        f"order by case subject_code {place} end, year desc limit 1"
    ).fetchall()
    if not newest:
        return None
    [(year, period)] = newest
    figures = f"select * from figure where {main} and year = {year} and region_code in ({own_regions(release)})"
    present = {code for (code,) in connection.execute(
        f"select distinct subject_code from ({figures}) where value is not null").fetchall()}  # fmt: skip
    shown = [subject for subject in subjects if subject.code in present]
    values = ", ".join(f"max({cut_value(s)}) filter (where subject_code = {text_literal(s.code)})" for s in shown)
    rows = connection.execute(
        f"select figures.region_depth, region.region_name, region.region_name_en, {values} from ({figures}) as figures "
        "join dim_region as region on region.region_code = figures.region_code "
        "and region.valid_from <= figures.boundaries_date "
        "and (region.valid_to is null or region.valid_to > figures.boundaries_date) "
        "group by all order by figures.region_depth, max(figures.region_code)"
    ).fetchall()
    without = tuple(subject for subject in subjects if subject.code not in present)
    return Overview(str(period), tuple(shown), without, tuple(rows))


def cut_value(subject: Subject) -> str:
    """The value of a figure as SQL; that of a degree cut to its decimals."""
    return _cut("value", subject.decimals) if subject.is_cut else "value"


def described_subjects(release: Release) -> list[Subject]:
    """Every subject that the release describes."""
    rows = release.connection.execute(
        "select subject_code, name_zh, name_en, unit, decimals, is_cut from dim_subject order by sort_order"
    ).fetchall()
    return [Subject(*row) for row in rows]


def _subjects(release: Release) -> list[Subject]:
    """The subjects of the overview that this release describes, in the order of `workbook.yml`."""
    asked: dict[str, Any] = layout()["overview"]
    listed = release.card["domains"]
    domains = [str(domain["domain"]) for domain in listed if domain["is_basic"]] or [str(d["domain"]) for d in listed]
    kinds = release.connection.execute(
        "select distinct split_part(subject_code, '.', 1) from figure where variant = 'main' and value is not null"
    ).fetchall()
    kind = next((kind for kind in asked["by_domain"] if (kind,) in kinds), None)
    codes = [*asked["subjects"], *(f"{kind}.{domain}" for domain in domains if kind)]
    found = {subject.code: subject for subject in described_subjects(release)}
    return [found[code] for code in codes if code in found]
