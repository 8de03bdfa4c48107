"""JSON-stat 2.0, one dataset a cube.

Cells are in row-major order of `id`; as most cells of a sparse cube do not exist, `value` and `status` name the cells
that do by their number (both forms are in the standard). A cell without a value has none, its status says why.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.exports.cubes import STATUS, Cube
from pipelines.exports.reading_matter import notes
from pipelines.exports.released import Released, words
from pipelines.sql import quote

METRIC = "metric"


def write_json_stat(release: Released, cube: Cube, folder: Path) -> Path:
    """One cube as a JSON-stat 2.0 dataset. Returns the file."""
    path = folder / f"{release.file_stem(cube.table)}.json"
    with path.open("w", encoding="utf-8") as handle:
        json.dump(dataset(release, cube), handle, ensure_ascii=False, separators=(",", ":"))
    return path


def dataset(release: Released, cube: Cube) -> dict[str, Any]:
    """The dataset as JSON types."""
    ids = [*cube.table.key, METRIC]
    categories = [cube.names_of(release, dimension) for dimension in cube.table.key]
    metrics = [column.name for column in cube.measures]
    size = [*(len(category) for category in categories), len(metrics)]
    strides = [1] * len(size)
    for place in range(len(size) - 2, -1, -1):
        strides[place] = strides[place + 1] * size[place + 1]
    # The number of a row's first cell is computed by DuckDB, from the same order of codes.
    number = " + ".join(
        f"(dense_rank() over (order by cast({quote(name)} as varchar)) - 1) * {strides[place]}"
        for place, name in enumerate(cube.table.key)
    )
    cells = ", ".join(f"cast({quote(name)} as double)" for name in metrics)
    rows = release.connection.execute(
        f"select cast({number} as bigint) as number, {quote(STATUS)}, {cells} from {quote(cube.name)} order by 1"
    ).fetchall()
    value: dict[str, float | int] = {}
    status: dict[str, str] = {}
    for first, flag, *figures in rows:
        for offset, figure in enumerate(figures):
            if figure is not None:
                value[str(first + offset)] = int(figure) if figure.is_integer() else figure
            if flag != "A":
                status[str(first + offset)] = flag
    described = {column.name: column for column in cube.table.columns}
    dimension: dict[str, Any] = {
        name: {
            "label": f"{described[name].description_zh} / {described[name].description_en}",
            "category": {
                "index": {code: place for place, code in enumerate(names)},
                "label": {code: zh if zh == en else f"{zh} / {en}" for code, (zh, en) in names.items()},
            },
        }
        for name, names in zip(cube.table.key, categories, strict=True)
    }
    units = {
        column.name: {"label": column.unit, "decimals": _decimals(release, cube, column.name)}
        for column in cube.measures
        if column.unit
    }
    dimension[METRIC] = {
        "label": "指标列 / Figure",
        "category": {
            "index": {name: place for place, name in enumerate(metrics)},
            "label": {c.name: f"{c.description_zh} / {c.description_en}" for c in cube.measures},
            **({"unit": units} if units else {}),
        },
    }
    role = {"time": [cube.time], "metric": [METRIC]}
    if cube.area:
        role["geo"] = [cube.area]
    said = [f"{note['zh']} / {note['en']}" for note in notes(release)]
    mark = release.mark
    is_synthetic = release.is_synthetic(cube.table)
    label = f"{cube.table.description_zh} / {cube.table.description_en}"
    return {
        "version": "2.0",
        "class": "dataset",
        "label": f"{mark['zh']} {label}" if is_synthetic else label,
        "source": release.citation()["en"],
        "updated": release.prepared_at,
        "note": [f"{mark['zh']} / {mark['en']}", *said] if is_synthetic else said,
        "id": ids,
        "size": size,
        "role": role,
        "dimension": dimension,
        "value": value,
        "status": status,
        "extension": {
            "release": release.release_id,
            "table": cube.name,
            "is_synthetic": is_synthetic,
            "licences": release.licenses(),
            "status": {code: f"{zh} / {en}" for code, (zh, en) in words()["flags"][STATUS].items()},
        },
    }


def _decimals(release: Released, cube: Cube, column: str) -> int:
    """Places worth showing: none where all figures are whole, else two. The figures themselves are not rounded."""
    found = release.connection.execute(
        f"select coalesce(bool_and({quote(column)} = round({quote(column)})), true) from {quote(cube.name)}"
    ).fetchone()
    return 0 if found and found[0] else 2
