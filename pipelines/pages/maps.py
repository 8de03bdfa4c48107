"""The map of the lowest regions: from boundaries where the release carries some, else a tile for each region.

Boundaries are read from `boundaries.geojson` of the release, thinned until they are small, and drawn once for all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup, escape

from pipelines.pages import drawing
from pipelines.pages.numbers import MISSING
from pipelines.pages.subjects import Facts, Subject
from pipelines.publish import Release

BOUNDARIES = "boundaries.geojson"
WIDTH = 720
CHARACTERS = 60_000  # of all outlines together

Point = tuple[float, float]
MapOf = Callable[[Subject | None, str], Markup]


def map_maker(release: Release, facts: Facts) -> MapOf:
    """What draws a subject on the map; tiles unless boundaries are given for at least one lowest region."""
    outlines, height = _outlines(release, facts)
    if not outlines:
        return lambda subject, root: drawing.tile_map(facts, subject, root)
    return lambda subject, root: _boundary_map(facts, subject, root, outlines, height)


def is_schematic(release: Release, facts: Facts) -> bool:
    """Whether the map is one of tiles."""
    return not _outlines(release, facts)[0]


def _rings(geometry: dict[str, Any]) -> Iterable[Sequence[Sequence[float]]]:
    coordinates = geometry.get("coordinates") or []
    for polygon in coordinates if geometry.get("type") == "MultiPolygon" else [coordinates]:
        yield from polygon


def _code_of(feature: dict[str, Any], known: set[str]) -> str | None:
    """The region a feature is: its id, or whichever property holds a region's code."""
    values = [feature.get("id"), *(feature.get("properties") or {}).values()]
    return next((str(value) for value in values if str(value) in known), None)


def _outlines(release: Release, facts: Facts) -> tuple[dict[str, str], int]:
    """SVG paths of the lowest regions and the height of the drawing; nothing without boundaries."""
    path = release.folder / BOUNDARIES
    if not path.exists():
        return {}, 0
    known = {region.code for region in facts.lowest()}
    rings: dict[str, list[list[Point]]] = {}
    for feature in json.loads(path.read_text(encoding="utf-8")).get("features", []):
        code = _code_of(feature, known)
        if code is not None and (feature.get("geometry") or {}).get("type") in ("Polygon", "MultiPolygon"):
            shapes = [[(float(p[0]), float(p[1])) for p in ring] for ring in _rings(feature["geometry"])]
            rings.setdefault(code, []).extend(shapes)
    points = [point for shapes in rings.values() for ring in shapes for point in ring]
    if not points:
        return {}, 0
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    squeeze = math.cos(math.radians((south + north) / 2))  # a degree of longitude is shorter than one of latitude
    scale = WIDTH / max((east - west) * squeeze, 1e-9)
    height = max(1, round((north - south) * scale))
    placed = {
        code: [[((x - west) * squeeze * scale, (north - y) * scale) for x, y in ring] for ring in shapes]
        for code, shapes in rings.items()
    }
    tolerance = 0.4
    while True:
        outlines = {code: "".join(_path(ring, tolerance) for ring in shapes) for code, shapes in placed.items()}
        if sum(map(len, outlines.values())) <= CHARACTERS or tolerance > 8:
            return outlines, height
        tolerance *= 1.5


def _path(ring: list[Point], tolerance: float) -> str:
    """A closed path through the points that remain; nothing for a ring too small to see."""
    kept = [(round(x), round(y)) for x, y in _thinned(ring, tolerance)]
    kept = [point for place, point in enumerate(kept) if place == 0 or point != kept[place - 1]]
    if len(set(kept)) < 3:
        return ""
    steps = "".join(f"l{x - a} {y - b}" for (a, b), (x, y) in pairwise(kept))
    return f"M{kept[0][0]} {kept[0][1]}{steps}z"


def _thinned(points: list[Point], tolerance: float) -> list[Point]:
    """Douglas and Peucker (1973): the fewest points of which none that was left out lies further off."""
    keep = {0, len(points) - 1}
    ahead = [(0, len(points) - 1)]
    while ahead:
        first, last = ahead.pop()
        (ax, ay), (bx, by) = points[first], points[last]
        length = math.hypot(bx - ax, by - ay)
        worst, at = 0.0, 0
        for place in range(first + 1, last):
            x, y = points[place]
            off = abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / length if length else math.hypot(x - ax, y - ay)
            if off > worst:
                worst, at = off, place
        if worst > tolerance:
            keep.add(at)
            ahead += [(first, at), (at, last)]
    return [points[place] for place in sorted(keep)]


def _boundary_map(facts: Facts, subject: Subject | None, root: str, outlines: dict[str, str], height: int) -> Markup:
    """Regions by their outlines, each a link that says name and figure; what is missing is hatched.

    Regions without an outline follow as tiles: none is left out.
    """
    parts = []
    for region in facts.lowest():
        outline = outlines.get(region.code)
        if outline is None:
            continue
        css, text, (zh, en) = drawing.area(subject, region)
        title = escape(f"{region.name} / {region.name_en}: {text or f'{MISSING} {zh} / {en}'}")
        parts.append(
            f'<a href="{root}regions/{escape(region.code)}.html"><path class="{css}" data-r="{escape(region.code)}" '
            f'd="{outline}"><title>{title}</title></path></a>'
        )
    hatch = (
        '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<path d="M0 0V6" class="hatching"/></pattern></defs>'
    )
    drawn = Markup(
        f'<svg class="boundaries" viewBox="0 0 {WIDTH} {height}" role="group" '
        f'aria-label="地图 / Map">{hatch}{"".join(parts)}</svg>'
    )
    is_whole = all(region.code in outlines for region in facts.lowest())
    return drawn if is_whole else drawn + drawing.tile_map(facts, subject, root, outlines)
