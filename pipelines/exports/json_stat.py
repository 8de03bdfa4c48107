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
from pipelines.exports.texts import words
from pipelines.publish import Release
from pipelines.sql import quote, text_literal

METRIC = "metric"


def write_json_stat(release: Release, cube: Cube, folder: Path) -> Path:
    """One cube as a JSON-stat 2.0 dataset. Returns the file."""
    path = folder / f"{release.file_stem(cube.table)}.json"
    categories = [cube.names_of(release, dimension) for dimension in cube.table.key]
    size = [*(len(category) for category in categories), len(cube.measures)]
    head = json.dumps(_head(release, cube, categories, size), ensure_ascii=False, separators=(",", ":"))
    with path.open("w", encoding="utf-8") as handle:
        handle.write(head.removesuffix("}"))
        # Millions of cells: the engine writes them as JSON, in half the time that Python's own objects take.
        for name, texts in _cells(release, cube, categories, size).items():
            handle.write(f',"{name}":{{')
            handle.write(",".join(texts))
            handle.write("}")
        handle.write("}")
    return path


def _cells(
    release: Release, cube: Cube, categories: list[dict[str, tuple[str, str]]], size: list[int]
) -> dict[str, list[str]]:
    """`value` and `status` as pieces of JSON: the numbers of the cells that there are, each with what it holds."""
    strides = [1] * len(size)
    for place in range(len(size) - 2, -1, -1):
        strides[place] = strides[place + 1] * size[place + 1]
    # Which of its codes a row has, dimension by dimension, is looked up in the list of codes: they are few.
    joins, places = [], []
    for place, (name, codes) in enumerate(zip(cube.table.key, categories, strict=True)):
        listed = ", ".join(map(text_literal, codes))
        joins.append(
            f"join (select unnest([{listed}]) as code, unnest(range({len(codes)})) as place) as dimension_{place} "
            f"on dimension_{place}.code = cast({quote(name)} as varchar)"
        )
        places.append(f"dimension_{place}.place * {strides[place]}")
    columns = ", ".join(
        f"cast({quote(column.name)} as double) as figure_{place}" for place, column in enumerate(cube.measures)
    )
    release.connection.execute(
        f"create or replace temporary table cells as select cast({' + '.join(places)} as bigint) as first_cell, "
        f"{quote(STATUS)} as flag, {columns} from {quote(cube.name)} {' '.join(joins)} order by 1"
    ).fetchall()

    def pieces(text: str, condition: str) -> list[str]:
        """One text for every row: the cells of it that meet the condition."""
        cells = ", ".join(
            f"case when {condition.format(place)} "
            f"then '\"' || (first_cell + {place}) || '\":' || {text.format(place)} end"
            for place in range(len(cube.measures))
        )
        found = release.connection.execute(
            f"select * from (select concat_ws(',', {cells}) from cells) as texts(cell) where cell <> ''"
        ).fetchall()
        return [piece for (piece,) in found]

    whole = "{0} = trunc({0}) and abs({0}) < 9e15"
    figure = f"case when {whole} then cast(cast({{0}} as bigint) as varchar) else cast({{0}} as varchar) end"
    return {
        "value": pieces(figure.format("figure_{0}"), "figure_{0} is not null"),
        "status": pieces("'\"' || flag || '\"'", "flag <> 'A'"),
    }


def _head(
    release: Release, cube: Cube, categories: list[dict[str, tuple[str, str]]], size: list[int]
) -> dict[str, Any]:
    """The dataset without its cells, as JSON types."""
    ids = [*cube.table.key, METRIC]
    metrics = [column.name for column in cube.measures]
    described = {column.name: column for column in cube.table.columns}
    dimension: dict[str, Any] = {
        name: {
            "label": f"{described[name].title_zh} / {described[name].title_en}",
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
            "label": {c.name: f"{c.title_zh} / {c.title_en}" for c in cube.measures},
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
        "extension": {
            "release": release.release_id,
            "table": cube.name,
            "is_synthetic": is_synthetic,
            "licences": release.licenses(),
            "columns": {c.name: f"{c.description_zh} / {c.description_en}" for c in cube.table.columns},
            "status": {code: f"{zh} / {en}" for code, (zh, en) in words()["flags"][STATUS].items()},
        },
    }


def _decimals(release: Release, cube: Cube, column: str) -> int:
    """Places worth showing: none where all figures are whole, else the most that any subject of the release is shown
    with. The figures themselves are not rounded.
    """
    found = release.connection.execute(
        f"select coalesce(bool_and({quote(column)} = round({quote(column)})), true), "
        f"(select max(decimals) from dim_subject) from {quote(cube.name)}"
    ).fetchone()
    return 0 if found is None or found[0] else int(found[1] or 0)
