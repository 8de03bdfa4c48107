"""Charts drawn as inline SVG: no script, no font, nothing from elsewhere; text in both languages.

It draws what it is given. Official figures are filled and joined by solid lines, synthetic ones hollow and dashed,
so that the difference survives a print without colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from pipelines.pages.numbers import nice_ticks, rounded


@dataclass(frozen=True)
class Point:
    """One figure of a series."""

    year: int
    value: float
    is_synthetic: bool


@dataclass(frozen=True)
class Series:
    """Figures of one kind over the years. `tone` is its colour's number, `shape` circle or diamond."""

    label_zh: str
    label_en: str
    tone: int
    shape: str
    points: list[Point]


@dataclass(frozen=True)
class _Frame:
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    years: tuple[int, int]
    highest: float

    def x(self, year: float) -> float:
        first, last = self.years
        share = (year - first) / (last - first) if last > first else 0.5
        return round(self.left + share * (self.width - self.left - self.right), 1)

    def y(self, value: float) -> float:
        return round(self.height - self.bottom - value / self.highest * (self.height - self.top - self.bottom), 1)


def _marker(x: float, y: float, series: Series, point: Point, title: str) -> str:
    kind = "hollow" if point.is_synthetic else "filled"
    if series.shape == "diamond":
        shape = f'<path d="M{x} {y - 6}L{x + 6} {y}L{x} {y + 6}L{x - 6} {y}Z"'
    else:
        shape = f'<circle cx="{x}" cy="{y}" r="4.2"'
    return f'{shape} class="tone{series.tone} {kind}"><title>{title}</title></{shape[1:].split()[0]}>'


def _label(x: float, y: float, zh: str, en: str, css: str, anchor: str = "start") -> str:
    return "".join(
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" class="{css} {language}" lang="{language}">{escape(text)}</text>'
        for language, text in (("zh", zh), ("en", en))
    )


def _draw(frame: _Frame, series: list[Series], synthetic_zh: str, synthetic_en: str, every: int) -> str:
    parts = []
    ticks = nice_ticks(frame.highest)
    for tick in ticks:
        y = frame.y(tick)
        parts.append(f'<line x1="{frame.left}" x2="{frame.width - frame.right}" y1="{y}" y2="{y}" class="grid"/>')
        parts.append(f'<text x="{frame.left - 8}" y="{y + 4}" text-anchor="end" class="tick">{rounded(tick)}</text>')
    first, last = frame.years
    for year in range(first, last + 1):
        if (last - year) % every == 0:
            x = frame.x(year)
            parts.append(
                f'<text x="{x}" y="{frame.height - frame.bottom + 20}" text-anchor="middle" class="tick">{year}</text>'
            )
    for item in series:
        for before, after in pairwise(item.points):
            if after.year - before.year != 1:
                continue  # no figure between them: no line either
            dashed = " dashed" if before.is_synthetic or after.is_synthetic else ""
            parts.append(
                f'<line x1="{frame.x(before.year)}" y1="{frame.y(before.value)}" x2="{frame.x(after.year)}" '
                f'y2="{frame.y(after.value)}" class="line tone{item.tone}{dashed}"/>'
            )
    for item in series:
        for point in item.points:
            mark = f" · {synthetic_zh} / {synthetic_en}" if point.is_synthetic else ""
            title = escape(f"{point.year}: {rounded(point.value, 1)} · {item.label_zh} / {item.label_en}{mark}")
            parts.append(_marker(frame.x(point.year), frame.y(point.value), item, point, str(title)))
    return "".join(parts)


_Box = tuple[float, float, float, float]  # left, top, right, bottom


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _values(frame: _Frame, series: list[Series]) -> str:
    """The first and last figure of every series, written where least is in the way: above, below or beside."""
    taken: list[_Box] = []
    marks = [(frame.x(point.year), frame.y(point.value)) for item in series for point in item.points]
    parts = []
    for item in series:
        for point in {item.points[0].year: item.points[0], item.points[-1].year: item.points[-1]}.values():
            x, y = frame.x(point.year), frame.y(point.value)
            text = rounded(point.value)
            width = len(text) * 7.6
            others: list[_Box] = [(mx - 6, my - 6, mx + 6, my + 6) for mx, my in marks if (mx, my) != (x, y)]
            places: list[tuple[int, int, str, float, float, _Box]] = []
            for anchor, label_x, label_y, left in (
                ("middle", x, y - 11, x - width / 2),
                ("middle", x, y + 20, x - width / 2),
                ("start", x + 10, y + 5, x + 10),
                ("end", x - 10, y + 5, x - 10 - width),
            ):
                box = (left, label_y - 12, left + width, label_y + 2)
                if box[2] <= frame.width:
                    crossed = sum(_overlap(box, other) for other in [*taken, *others]) + (box[0] < frame.left - 4)
                    places.append((crossed, len(places), anchor, label_x, label_y, box))
            if places:
                _, _, anchor, label_x, label_y, box = min(places)
                taken.append(box)
                parts.append(
                    f'<text x="{round(label_x, 1)}" y="{round(label_y, 1)}" text-anchor="{anchor}" '
                    f'class="value tone{item.tone}">{text}</text>'
                )
    return "".join(parts)


def _legend(series: list[Series], synthetic_zh: str, synthetic_en: str) -> Markup:
    items = []
    for item in series:
        is_synthetic = any(point.is_synthetic for point in item.points)
        is_mixed = is_synthetic and any(not point.is_synthetic for point in item.points)
        kind = "hollow" if is_synthetic and not is_mixed else "filled"
        dashed = " dashed" if kind == "hollow" else ""
        mark = (
            f'<mark class="sample"><span class="zh" lang="zh">{escape(synthetic_zh)}</span>'
            f'<span class="en" lang="en">{escape(synthetic_en)}</span></mark>'
            if is_synthetic
            else ""
        )
        is_joined = any(after.year - before.year == 1 for before, after in pairwise(item.points))
        line = f'<line x1="1" x2="27" y1="8" y2="8" class="line tone{item.tone}{dashed}"/>' if is_joined else ""
        marker = _marker(14, 8, item, item.points[0], "")
        items.append(
            f'<li><svg viewBox="0 0 28 16" width="28" height="16" aria-hidden="true" class="chart">{line}{marker}</svg>'
            f'<span class="zh" lang="zh">{escape(item.label_zh)}</span>'
            f'<span class="en" lang="en">{escape(item.label_en)}</span>{mark}</li>'
        )
    return Markup(f'<ul class="legend">{"".join(items)}</ul>')


def line_chart(
    series: list[Series], synthetic: dict[str, str], title: dict[str, str], unit: dict[str, str]
) -> Markup | None:
    """A chart of series over years in two sizes, wide and for a phone, with its legend; None without a figure."""
    drawn = [item for item in series if item.points]
    if not drawn:
        return None
    years = [point.year for item in drawn for point in item.points]
    span = (min(years), max(years))
    ticks = nice_ticks(max(point.value for item in drawn for point in item.points) * 1.06)
    pictures = []
    for css, width, height, every in (("wide", 880, 380, 1), ("narrow", 380, 340, 3)):
        frame = _Frame(width, height, 58, 26, 30, 34, span, ticks[-1])
        spoken = escape(f"{title['zh']} / {title['en']}")
        pictures.append(
            f'<svg viewBox="0 0 {width} {height}" class="chart {css}" role="img" aria-label="{spoken}">'
            + _label(8, 16, unit["zh"], unit["en"], "tick")
            + _draw(frame, drawn, synthetic["zh"], synthetic["en"], every)
            + _values(frame, drawn)
            + "</svg>"
        )
    return _legend(drawn, synthetic["zh"], synthetic["en"]) + Markup("".join(pictures))
