"""What pages show of every region: indicators, degrees by domain, spending per head, shares of it, the composite index.

All of them are one thing here, a subject with a figure for each region and year, as the tables hold them: nothing is
computed. How they are read from the tables is `facts`' business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from pipelines.pages.numbers import rounded, rounded_down
from pipelines.pages.references import TREND, Reference
from pipelines.publish import Row


@dataclass(frozen=True)
class Region:
    """The home region or a region below it, as of today. `founded` is None where it is as old as the list."""

    id: str
    code: str
    name: str
    name_en: str
    level: str
    depth: int
    parent: str | None
    is_territory: bool = True
    founded: date | None = None


@dataclass(frozen=True)
class Figure:
    """One released figure, with how it compares. `low` and `high` are its interval of chance; None where it has none.

    `levels` are the levels of government whose money it is; `variant` is not `main` where it is on today's
    boundaries because the territory of its year was another. `to_home`: better, worse, higher, lower, similar or None.
    `fifth`, `first`, `last`: its fifth and the positions left open among `regions` regions; `of_median`: in percent of
    `peers_median`, that of the regions with the same levels of government, for spending.
    """

    year: int
    period_name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    levels: str = ""
    variant: str = "main"
    home_value: float | None = None
    peers_median: float | None = None
    of_median: float | None = None
    to_home: str | None = None
    fifth: int | None = None
    first: int | None = None
    last: int | None = None
    regions: int | None = None
    status: str = "A"
    reason: str | None = None
    is_synthetic: bool = False
    is_newest: bool = False
    stays_at: date | None = None  # of a provisional one: when the delivery came that it stays at

    def has_status(self, code: str) -> bool:
        """Whether a status code is among those of the figure: Q withheld, E estimated, B break ..."""
        return code in self.status.split(";")


@dataclass(frozen=True)
class Newest:
    """The newest and the first year in which a level of regions has figures, and how many of its regions do."""

    year: int
    period_name: str
    first_period_name: str
    regions: int
    listed: int
    is_lowest: bool


@dataclass
class Subject:
    """What is shown of regions: names, unit, direction, decimals, and its figures by region's code and year."""

    key: str
    kind: str  # indicator, degree, spending, budget_share or index
    name_zh: str
    name_en: str
    domain: str
    unit: str
    direction: str | None
    decimals: int
    is_cut: bool = False
    formula: tuple[str, str] = ("", "")
    row: Row = field(default_factory=dict)
    figures: dict[str, dict[int, Figure]] = field(default_factory=dict)
    newest: dict[int, Newest] = field(default_factory=dict)  # by depth

    def written(self, value: float | None) -> str:
        """A value of the subject as every page shows it; what is cut does not read as a target met by a hair."""
        return rounded_down(value, self.decimals) if self.is_cut else rounded(value, self.decimals)

    @property
    def lowest(self) -> int | None:
        """The deepest level that has figures."""
        return next((depth for depth, newest in self.newest.items() if newest.is_lowest), None)

    @property
    def is_synthetic(self) -> bool:
        """Whether any figure rests on synthetic input."""
        return any(figure.is_synthetic for by_year in self.figures.values() for figure in by_year.values())

    def of(self, region: Region, year: int | None = None) -> Figure | None:
        """A region's figure of a year, by default of the newest year that its level has figures of."""
        if year is None:
            newest = self.newest.get(region.depth)
            year = newest.year if newest is not None else None
        return None if year is None else self.figures.get(region.code, {}).get(year)

    def newest_of(self, region: Region) -> Figure | None:
        """A region's newest figure with a value, else that of its level's newest year."""
        figures = self.figures.get(region.code, {}).values()
        return next((figure for figure in figures if figure.is_newest), None) or self.of(region)

    def other_names(self) -> dict[int, str]:
        """What years are called that are not called by their number: 2018-19."""
        return {year: name for year, name in self.period_names().items() if name != str(year)}

    def period_names(self) -> dict[int, str]:
        """What the years are called that anybody has a value of, in order."""
        known = [f for by_year in self.figures.values() for f in by_year.values() if f.value is not None]
        return dict(sorted({figure.year: figure.period_name for figure in known}.items()))

    def reference(self, region: Region, figure: Figure) -> Reference:
        """Where a figure is found, for SQL, trace and the report of an error."""
        key = {"subject_code": self.key, "region_id": region.id, "year": str(figure.year)}
        return Reference(TREND, key, "value", self.key, figure.variant)


@dataclass
class Facts:
    """Regions and subjects of a release, and the spread of the figures of each level.

    `compared` is the deepest level whose regions compare: those that are drawn on maps.
    """

    home: str
    regions: dict[str, Region] = field(default_factory=dict)  # by code
    subjects: dict[str, Subject] = field(default_factory=dict)
    groups: dict[str, list[Row]] = field(default_factory=dict)  # by region's code
    spreads: dict[tuple[str, int, int, str], Row] = field(default_factory=dict)  # subject, year, depth, levels
    compared: int | None = None

    def children(self, parent: str) -> list[Region]:
        """Regions right below another, in the order of codes."""
        return [region for region in self.regions.values() if region.parent == parent]

    def at(self, depth: int) -> list[Region]:
        """Regions of a depth that are land, in the order of codes: what can be compared and mapped."""
        return [region for region in self.regions.values() if region.depth == depth and region.is_territory]

    def lowest(self) -> list[Region]:
        """Regions of the deepest level that compares, and those that no region lies below: what a map is made of."""
        land = [region for region in self.regions.values() if region.is_territory]
        listed = [region for region in land if self.compared is None or region.depth <= self.compared]
        above = {region.parent for region in listed}
        return [region for region in listed if region.code not in above and region.code != self.home]

    def of_kind(self, kind: str) -> list[Subject]:
        """Subjects of a kind that have a figure anywhere."""
        return [subject for subject in self.subjects.values() if subject.kind == kind and subject.newest]

    def shown(self, key: str) -> Subject | None:
        """A subject, where it has a figure anywhere."""
        subject = self.subjects.get(key)
        return subject if subject is not None and subject.newest else None

    def spread(self, subject: Subject, region: Region, figure: Figure) -> Row | None:
        """The spread of the figures of a region's level and levels of government, in the figure's year."""
        return self.spreads.get((subject.key, figure.year, region.depth, figure.levels))
