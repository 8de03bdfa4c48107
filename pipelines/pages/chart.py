"""Charts drawn as inline SVG: no script, no font, nothing from elsewhere; text in both languages.

It draws what it is given. Official figures are filled and joined by solid lines, synthetic ones hollow and dashed,
so that the difference survives a print without colour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from pipelines.pages.numbers import nice_ticks, rounded, ticks_between

SMALL = 370  # pixels of width
CARD = (360, 220)  # a chart in a card, of one size for desk and phone


@dataclass(frozen=True)
class Point:
    """One figure of a series."""

    year: int
    value: float
    is_synthetic: bool
    period_name: str = ""  # what a financial year is called

    @property
    def called(self) -> str:
        """What the year is called."""
        return self.period_name or str(self.year)


@dataclass(frozen=True)
class Series:
    """Figures of one kind over the years. `tone` is its colour's number, `shape` circle or diamond."""

    label_zh: str
    label_en: str
    tone: int
    shape: str
    points: list[Point]


@dataclass(frozen=True)
class Mark:
    """A line across the years where a series breaks or boundaries changed; `at` is the year and its fraction."""

    at: float
    label_zh: str
    label_en: str


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
    lowest: float = 0.0

    def x(self, year: float) -> float:
        first, last = self.years
        share = (year - first) / (last - first) if last > first else 0.5
        return round(self.left + share * (self.width - self.left - self.right), 1)

    def y(self, value: float) -> float:
        share = (value - self.lowest) / (self.highest - self.lowest)
        return round(self.height - self.bottom - share * (self.height - self.top - self.bottom), 1)


def _marker(x: float, y: float, series: Series, point: Point, title: str) -> str:
    kind = "hollow" if point.is_synthetic else "filled"
    if series.shape == "diamond":
        shape = f'<path d="M{x} {y - 6}L{x + 6} {y}L{x} {y + 6}L{x - 6} {y}Z"'
    else:
        shape = f'<circle cx="{x}" cy="{y}" r="4.2"'
    return f'{shape} class="tone{series.tone} {kind}"><title>{title}</title></{shape[1:].split()[0]}>'


def _label(x: float, y: float, zh: str, en: str, css: str, anchor: str = "start") -> str:
    return "".join(
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" class="{css}" lang="{language}">{escape(text)}</text>'
        for language, text in (("zh", zh), ("en", en))
    )


def _line(frame: _Frame, series: Series) -> str:
    """The line of a series in as few paths as it has stretches: no line crosses a year without a figure."""
    paths: list[tuple[bool, list[Point]]] = []
    for before, after in pairwise(series.points):
        if after.year - before.year != 1:
            continue
        dashed = before.is_synthetic or after.is_synthetic
        if paths and paths[-1][0] == dashed and paths[-1][1][-1] is before:
            paths[-1][1].append(after)
        else:
            paths.append((dashed, [before, after]))
    drawn = []
    for dashed, points in paths:
        steps = "L".join(f"{frame.x(point.year)} {frame.y(point.value)}" for point in points)
        drawn.append(f'<path class="line tone{series.tone}{" dashed" if dashed else ""}" d="M{steps}"/>')
    return "".join(drawn)


def _draw(
    frame: _Frame, series: list[Series], synthetic: dict[str, str], every: int, ticks: list[float], marks: list[Mark],
    written: Callable[[float], str],
) -> str:  # fmt: skip
    parts = []
    places = next((n for n in range(4) if all(round(tick, n) == tick for tick in ticks)), 4)
    for tick in ticks:
        y = frame.y(tick)
        parts.append(f'<line x1="{frame.left}" x2="{frame.width - frame.right}" y1="{y}" y2="{y}" class="grid"/>')
        parts.append(
            f'<text x="{frame.left - 8}" y="{y + 4}" text-anchor="end" class="tick">{rounded(tick, places)}</text>'
        )
    first, last = frame.years
    called = {point.year: escape(point.called) for item in series for point in item.points}
    are_calendar_years = all(name == str(year) for year, name in called.items())
    for year in range(first, last + 1):
        if (last - year) % every == 0:
            # what a year without a figure is called is known of calendar years alone
            x, name = frame.x(year), called.get(year, year if are_calendar_years else "")
            parts.append(
                f'<text x="{x}" y="{frame.height - frame.bottom + 20}" text-anchor="middle" class="tick">{name}</text>'
            )
    for place, mark in enumerate(marks):
        x = frame.x(mark.at)
        parts.append(f'<path d="M{x} {frame.top}V{frame.height - frame.bottom}" class="breakline"/>')
        parts.append(_label(x + 4, frame.top + 10 + place % 2 * 14, mark.label_zh, mark.label_en, "tick"))
    parts += [_line(frame, item) for item in series]
    for item in series:
        # the legend marks a series that is synthetic throughout
        is_mixed = len({point.is_synthetic for point in item.points}) > 1
        for point in item.points:
            sample = f" · {synthetic['zh']} / {synthetic['en']}" if is_mixed and point.is_synthetic else ""
            title = escape(f"{point.called}: {written(point.value)}{sample}")
            parts.append(_marker(frame.x(point.year), frame.y(point.value), item, point, str(title)))
    return "".join(parts)


_Box = tuple[float, float, float, float]  # left, top, right, bottom


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _values(frame: _Frame, series: list[Series], ticks: list[float], written: Callable[[float], str]) -> str:
    """The first and last figure of every series, written where least is in the way: above, below or beside."""
    # the figures of the axis stand at the left of the frame
    taken: list[_Box] = [(0, frame.y(tick) - 8, frame.left - 6, frame.y(tick) + 6) for tick in ticks]
    marks = [(frame.x(point.year), frame.y(point.value)) for item in series for point in item.points]
    parts = []
    for item in series:
        # a small chart has room for the last figure only
        ends = item.points[-1:] if frame.width < SMALL else [item.points[0], item.points[-1]]
        for point in {end.year: end for end in ends}.values():
            x, y = frame.x(point.year), frame.y(point.value)
            text = written(point.value)
            width = len(text) * 7.6
            others: list[_Box] = [(mx - 6, my - 6, mx + 6, my + 6) for mx, my in marks if (mx, my) != (x, y)]
            places: list[tuple[int, int, str, float, float, _Box]] = []
            for anchor, label_x, label_y, left in (
                ("middle", x, y - 11, x - width / 2),
                ("middle", x, y + 20, x - width / 2),
                ("start", x + 10, y + 5, x + 10),
                ("end", x - 10, y + 5, x - 10 - width),
                ("middle", x, y - 27, x - width / 2),
                ("middle", x, y + 36, x - width / 2),
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
            f'<mark class="sample"><b lang="zh">{escape(synthetic_zh)}</b>'
            f'<b lang="en">{escape(synthetic_en)}</b></mark>'
            if is_synthetic
            else ""
        )
        is_joined = any(after.year - before.year == 1 for before, after in pairwise(item.points))
        line = f'<line x1="1" x2="27" y1="8" y2="8" class="line tone{item.tone}{dashed}"/>' if is_joined else ""
        marker = _marker(14, 8, item, item.points[0], "")
        items.append(
            f'<li><svg viewBox="0 0 28 16" width="28" height="16" aria-hidden="true" class="chart">{line}{marker}</svg>'
            f'<b lang="zh">{escape(item.label_zh)}</b><b lang="en">{escape(item.label_en)}</b>{mark}</li>'
        )
    return Markup(f'<ul class="legend">{"".join(items)}</ul>')


def line_chart(
    series: list[Series],
    synthetic: dict[str, str],
    title: dict[str, str],
    unit: dict[str, str],
    written: Callable[[float], str],
    *,
    marks: list[Mark] | None = None,
    from_zero: bool = True,
    limit: float | None = None,
    sizes: tuple[tuple[int, int, int], ...] = ((880, 380, 1), (380, 340, 3)),
) -> Markup | None:
    """A chart of series over years, wide and for a phone where two sizes are given; None without a figure.

    A size is width, height and every how many years one is written. An axis that does not start at zero says so.
    `written` gives a figure as every page shows it.
    `limit` is what no figure can exceed.
    """
    drawn = [item for item in series if item.points]
    if not drawn:
        return None
    years = [point.year for item in drawn for point in item.points]
    span = (min(years), max(years))
    values = [point.value for item in drawn for point in item.points]
    if from_zero and min(values) >= 0:
        ticks = nice_ticks(max(values) * 1.06)
    else:
        room = (max(values) - min(values)) * 0.12 or abs(max(values)) * 0.02 or 1.0
        top = max(values) + room
        ticks = ticks_between(min(values) - room, top if limit is None else min(top, limit))
    pictures = []
    for css, (width, height, every) in zip(("wide", "narrow") if len(sizes) > 1 else ("only",), sizes, strict=True):
        frame = _Frame(width, height, 58, 26, 30, 34, span, ticks[-1], ticks[0])
        spoken = escape(f"{title['zh']} / {title['en']}")
        cut = ("", "") if ticks[0] == 0 else ("（纵轴不从零起）", " (axis does not start at zero)")
        pictures.append(
            f'<svg viewBox="0 0 {width} {height}" class="chart {css}" role="img" aria-label="{spoken}">'
            + _label(8, 16, unit["zh"] + cut[0], unit["en"] + cut[1], "tick")
            + _draw(frame, drawn, synthetic, every, ticks, marks or [], written)
            + _values(frame, drawn, ticks, written)
            + "</svg>"
        )
    return _legend(drawn, synthetic["zh"], synthetic["en"]) + Markup("".join(pictures))
