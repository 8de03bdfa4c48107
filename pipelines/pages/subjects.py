"""What pages show of every region: indicators, degrees by domain, spending per head by domain, the composite index.

All of them are one thing here, a subject with a figure for each region and year. How they are read from the tables is
`facts`' business, what is made of them (bands, classes, neighbours) `comparisons`'.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from pipelines.pages.numbers import rounded, rounded_down
from pipelines.pages.reading import Row
from pipelines.pages.references import Reference


@dataclass(frozen=True)
class Region:
    """A region in force under the home region, or the home region itself."""

    code: str
    name: str
    name_en: str
    level: str
    depth: int
    parent: str | None
    is_territory: bool = True


@dataclass(frozen=True)
class Figure:
    """One released figure. `low` and `high` are its interval of chance; None where it has none."""

    year: int
    value: float | None
    low: float | None
    high: float | None
    status: str
    is_synthetic: bool
    period_name: str = ""  # what a financial year is called
    stays_at: date | None = None  # of a provisional one: when the delivery came that it stays at

    @property
    def called(self) -> str:
        """What the year is called: 2018, or 2018-19."""
        return self.period_name or str(self.year)

    @property
    def is_suppressed(self) -> bool:
        """Whether the figure is withheld, as against missing."""
        return "Q" in self.status.split(";")

    @property
    def is_estimated(self) -> bool:
        """Whether the figure is an estimate."""
        return "E" in self.status.split(";")

    @property
    def is_provisional(self) -> bool:
        """Whether the figure may still change: its department says so, or it stands in for one that is held."""
        return "P" in self.status.split(";")

    @property
    def is_break(self) -> bool:
        """Whether the series breaks at this figure."""
        return "B" in self.status.split(";")


@dataclass
class Subject:
    """What is shown of regions: names, unit, direction, where it stands and its figures by region and year."""

    key: str
    kind: str  # indicator, degree, spending or index
    name_zh: str
    name_en: str
    domain: str
    unit: str
    direction: str | None
    places: int
    table: str
    column: str
    condition: dict[str, str]
    row: Row = field(default_factory=dict)
    figures: dict[str, dict[int, Figure]] = field(default_factory=dict)
    year: int | None = None
    depth: int = 0

    def written(self, value: float | None) -> str:
        """A value of the subject as people read it. A degree is cut, not rounded: what misses a target by a hair must
        not read as met.
        """
        return rounded_down(value, self.places) if self.kind == "degree" else rounded(value, self.places)

    def of(self, region: str, year: int | None = None) -> Figure | None:
        """A region's figure of a year, by default of the subject's newest year."""
        wanted = self.year if year is None else year
        return None if wanted is None else self.figures.get(region, {}).get(wanted)

    def called(self, year: int | None) -> str:
        """What a year of the subject is called: 2018, or 2018-19; empty for none."""
        named = (by_year[year] for by_year in self.figures.values() if year in by_year)
        figure = next(named, None) if year is not None else None
        return figure.called if figure is not None else str(year or "")

    @property
    def other_names(self) -> dict[int, str]:
        """What years are called that are not called by their number: 2018-19."""
        figures = {year: figure for by_year in self.figures.values() for year, figure in by_year.items()}
        return {year: figures[year].called for year in sorted(figures) if figures[year].called != str(year)}

    def reference(self, region: str, year: int) -> Reference:
        """Where a figure stands, for SQL, trace and the report of an error."""
        return Reference(
            self.table, {"region_code": region, "year": str(year), **self.condition}, self.column, self.key
        )


@dataclass
class Facts:
    """Regions and subjects of a release; `lowest` is the depth of the regions that are compared and mapped."""

    home: str
    regions: dict[str, Region]
    subjects: dict[str, Subject]
    groups: dict[str, list[Row]]
    lowest: int

    def children(self, parent: str) -> list[Region]:
        """Regions right below another, in the order of codes."""
        return [region for region in self.regions.values() if region.parent == parent]

    def at(self, depth: int) -> list[Region]:
        """Regions of a depth that are land, in the order of codes: what can be compared and mapped."""
        return [region for region in self.regions.values() if region.depth == depth and region.is_territory]

    def of_kind(self, kind: str) -> list[Subject]:
        """Subjects of a kind that have a figure anywhere."""
        return [subject for subject in self.subjects.values() if subject.kind == kind and subject.figures]
