"""Small drawings beside figures: the spine of a region, the spread of an indicator, the tile map.

They repeat the words and numbers beside them, so screen readers pass over them; the map is a list of links
that every reader can walk. What is better or worse is shown by shape as well as by colour.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup, escape

from pipelines.pages.chart import Mark, Series
from pipelines.pages.subjects import Facts, Figure, Region, Subject
from pipelines.publish import Row

_WIDTH = 100.0
WIDE = 24  # tiles that make a block as wide as the map


@dataclass(frozen=True)
class Axis:
    """From figures to places on a drawing: better is on the right; higher where neither is better."""

    low: float
    high: float
    is_turned: bool
    width: float = _WIDTH

    def x(self, value: float) -> float:
        """The place of a figure, within the drawing."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        share = min(1.0, max(0.0, share))
        place = 4 + (self.width - 8) * (1 - share if self.is_turned else share)
        return round(place, 1) if self.width > _WIDTH else round(place)


def axis_of(spread: Row, home: float | None, direction: str | None, width: float = _WIDTH) -> Axis:
    """The axis that holds a spread (a row of `benchmark`) and the home region's figure."""
    low, high = spread["least"], spread["most"]
    if home is not None:
        low, high = min(low, home), max(high, home)
    return Axis(low, high, direction == "lower", width)


def spine_ground(spread: Row, axis: Axis, home: float | None) -> str:
    """What all regions of a level share: range, middle half, the home region, as lengths for the style sheet."""
    low, high = sorted((axis.x(spread["least"]), axis.x(spread["most"])))
    first, last = sorted((axis.x(spread["first_quartile"]), axis.x(spread["third_quartile"])))
    at_home = f";--p:{axis.x(home)}" if home is not None else ""
    return f"--a:{low};--z:{high};--q:{first};--t:{last}{at_home}"


def spine_styles(grounds: Mapping[str, int]) -> str:
    """The style sheet of what levels share: a class for each, by its number."""
    return "".join(f".g{number}{{{ground}}}\n" for ground, number in grounds.items())


def spine(axis: Axis, figure: Figure) -> str:
    """The spine of one figure of a region, as the attribute of its cell: its interval, itself."""
    if figure.value is None:
        return ""
    interval = ""
    if figure.low is not None and figure.high is not None:
        low, high = sorted((axis.x(figure.low), axis.x(figure.high)))
        interval = f"--l:{low};--h:{high};"
    return f' style="{interval}--x:{axis.x(figure.value)}"'


def strip(figures: Sequence[float], spread: Row, axis: Axis, home: float | None, ends: tuple[str, str]) -> Markup:
    """Every region's figure as a dot over the spread of all, dots that would lie on each other stacked."""
    stacks: dict[int, int] = {}
    places = []
    for value in sorted(figures):
        x = axis.x(value)
        column = round(x / 5)
        stacks[column] = stacks.get(column, 0) + 1
        places.append((x, stacks[column]))
    step = min(6.0, 90 / max(stacks.values(), default=1))
    height = round(max(stacks.values(), default=1) * step + 34)
    base = height - 26
    first, last = sorted((axis.x(spread["first_quartile"]), axis.x(spread["third_quartile"])))
    dots = "".join(f"M{x:g} {base - place * step + 1:.1f}h0" for x, place in places)
    at_home = f'<path class="p" d="M{axis.x(home)} 0V{base}"/>' if home is not None else ""
    return Markup(
        f'<svg class="strip" viewBox="0 0 {axis.width:.0f} {height}" aria-hidden="true">'
        f'<path class="half" d="M{first} 0H{last}V{base}H{first}z"/><path class="r" d="M4 {base}H{axis.width - 4:g}"/>'
        f'<path class="dotted" d="{dots}"/>{at_home}<text x="4" y="{height - 8}">{escape(ends[0])}</text>'
        f'<text x="{axis.width - 4:g}" y="{height - 8}" text-anchor="end">{escape(ends[1])}</text></svg>'
    )


def breaks(figures: Mapping[int, Figure], changed: Sequence[date]) -> list[Mark]:
    """Where a series must not be read across: changes of boundaries, breaks at a figure."""
    years = [year for year, figure in figures.items() if figure.value is not None]
    if not years:
        return []
    first, last = min(years), max(years)
    # a year's figure is that of its end: a change in the middle of a year lies between two figures
    days = [day for day in sorted(set(changed)) if first < day.year <= last]
    marks = [Mark(day.year - 1 + (day.month - 0.5) / 12, "区划变动", "boundaries") for day in days]
    broken = [year for year in sorted(figures) if figures[year].has_status("B") and first < year <= last]
    return marks + [Mark(year - 0.5, "口径中断", "break") for year in broken]


def year_step(series: Sequence[Series]) -> int:
    """Every how many years one is written below a small chart."""
    years = [point.year for item in series for point in item.points]
    return 1 + (max(years) - min(years)) // 7 if years else 1


def named(region: Region) -> str:
    """A region's name in both languages."""
    if region.name == region.name_en:
        return str(escape(region.name))
    return f"<b lang=zh>{escape(region.name)}</b><b lang=en>{escape(region.name_en)}</b>"


def area(subject: Subject | None, region: Region, year: int | None = None) -> tuple[str, str, tuple[str, str]]:
    """How an area of the map is shown: class, figure where there is one, else in both languages why there is none."""
    figure = subject.of(region, year) if subject is not None else None
    if subject is not None and figure is not None and figure.value is not None:
        # fewer regions than fifths have none
        return (f"k{figure.fifth}" if figure.fifth else "k0"), subject.written(figure.value), ("", "")
    if figure is not None and figure.has_status("Q"):
        return "none q", "", ("不公布", "withheld")
    if year is not None and figure is None and region.founded is not None and region.founded.year > year:
        return "none n", "", ("尚未设立", "not yet founded")
    return "none", "", ("缺", "missing")


def tile_map(facts: Facts, subject: Subject | None, root: str, but: Container[str] = ()) -> Markup:
    """The map where no boundaries are given: one block for each region above the lowest, its lowest regions as tiles.

    A tile's class is its fifth; without a figure it is hatched, and says why. Without a subject the tiles are empty, to
    be filled in the browser. Regions in `but` are left out.
    """
    blocks = []
    lowest = [region for region in facts.lowest() if region.code not in but]
    for parent in {region.parent: None for region in lowest}:
        tiles = [_tile(region, subject, root) for region in lowest if region.parent == parent]
        above = facts.regions.get(parent or "")
        heading = f'<a href="{root}regions/{escape(above.code)}.html">{named(above)}</a>' if above is not None else ""
        wide = " wide" if len(tiles) > WIDE else ""
        blocks.append(f'<li class="block{wide}"><p>{heading}</p><ul>{"".join(tiles)}</ul></li>')
    return Markup(f'<ul class="tiles">{"".join(blocks)}</ul>')


def _tile(region: Region, subject: Subject | None, root: str) -> str:
    css, text, (zh, en) = area(subject, region)
    code, shown = escape(region.code), text or f"<b lang=zh>{zh}</b><b lang=en>{en}</b>"
    return f'<li><a class="{css}" data-r={code} href={root}regions/{code}.html>{named(region)} <i>{shown}</i></a>'
