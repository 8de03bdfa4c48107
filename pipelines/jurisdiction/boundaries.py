"""The boundaries of regions, where a jurisdiction has a file of them: found and checked, not drawn."""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.errors import ConfigurationError

FILE = "reference/boundaries.geojson"


def find_boundaries(folder: Path, codes: frozenset[str]) -> Path | None:
    """The jurisdiction's GeoJSON file; None without one.

    Raises ConfigurationError for a file that is no FeatureCollection in degrees, or none of whose features is a region:
    by its id, or by a property that holds the region's code.
    """
    path = folder / FILE
    if not path.exists():
        return None
    do = "give one FeatureCollection of polygons in degrees (WGS 84), each with a region's code as id or property"
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        named = [{str(f.get("id")), *map(str, (f.get("properties") or {}).values())} for f in features]
        places = [place for f in features for place in _places((f.get("geometry") or {}).get("coordinates") or [])]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigurationError(f"not a GeoJSON FeatureCollection: {error}", where=str(path), do=do) from error
    if not any(names & codes for names in named):
        raise ConfigurationError("no feature is a region of regions.csv", where=str(path), do=do)
    if any(abs(x) > 180 or abs(y) > 90 for x, y in places):
        raise ConfigurationError("coordinates are not degrees of longitude and latitude", where=str(path), do=do)
    return path


def _places(coordinates: list) -> list[tuple[float, float]]:  # type: ignore[type-arg]
    """All points of nested GeoJSON coordinates."""
    if coordinates and not isinstance(coordinates[0], list):
        return [(float(coordinates[0]), float(coordinates[1]))]
    return [place for part in coordinates for place in _places(part)]
