"""JSON-stat 2.0, as statistical offices answer requests, to grids: one row for each number.

The cube is addressed as the format's documentation says: `value` in row-major order of `id` and `size`, as a list or
as an object of positions. Its numbers are kept as they are written. Older editions are refused with a word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats.grid import Grid
from pipelines.formats.long_table import Dimension, along, cells_of, long_grid
from pipelines.formats.tables import chosen_tables
from pipelines.formats.text import beginning, decode
from pipelines.jurisdiction.contract import Format

_SEND_AGAIN = "ask for the table again in JSON-stat 2.0"
_ABOUT = ("label", "source", "updated", "href")


def is_json_stat(data: bytes) -> bool:
    """True when the bytes are a JSON object that calls itself a data set of JSON-stat, or is laid out like one."""
    text = beginning(data, 1_000_000)
    return re.match(r"\s*\{", text) is not None and bool(
        re.search(r'"class"\s*:\s*"(dataset|collection)"', text)
        or (re.search(r'"dimension"\s*:\s*\{', text) and re.search(r'"size"\s*:\s*\[', text))
    )


def read_json_stat(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The data sets that the contract names (`sheet`): the one of a dataset, those inside a collection.

    The columns are each dimension, its code, `unit`, `status` and `value`. A number that the file leaves out, or gives
    as null without a status, has no row where `value` is an object, and an empty cell where it is a list.
    """
    sets = _data_sets(_parsed(data, rule, where), where)
    positions = chosen_tables([name for name, _ in sets], rule, where, "data set")
    return [_grid(*sets[position], where) for position in positions]


def _parsed(data: bytes, rule: Format, where: str) -> dict[str, Any]:
    try:
        found = json.loads(
            decode(data, rule.encoding, where),
            parse_float=str,
            parse_int=str,
            parse_constant=str,
            object_pairs_hook=_without_repeats,
        )
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"not readable as JSON: {error}", where=where, do=_SEND_AGAIN) from error
    if not isinstance(found, dict):
        raise UnreadableFileError("the file is not a JSON object", where=where, do=_SEND_AGAIN)
    return found


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object gives one name twice")
    return found


def _data_sets(found: dict[str, Any], where: str) -> list[tuple[str, dict[str, Any]]]:
    """The data sets of a response with their names, in order."""
    kind = found.get("class")
    if kind is None and "version" not in found:
        old = "dimension" in found or any(isinstance(v, dict) and "dimension" in v for v in found.values())
        what = "JSON-stat before edition 2.0" if old else "no JSON-stat"
        raise UnreadableFileError(f"the file is {what}: it names no class and no version", where=where, do=_SEND_AGAIN)
    if not str(found.get("version", "2.0")).startswith("2."):
        raise UnreadableFileError(f"JSON-stat {found['version']} is not read", where=where, do=_SEND_AGAIN)
    if kind == "collection":
        link = found.get("link")
        items = link.get("item") if isinstance(link, dict) else None
        inside = [item for item in items or [] if isinstance(item, dict) and "value" in item]
        if not inside:
            raise UnreadableFileError(
                "the collection holds only the addresses of data sets", where=where, do="ask for the data sets"
            )
        return [(str(item.get("label") or item.get("href") or ""), item) for item in inside]
    if kind not in (None, "dataset"):
        raise UnreadableFileError(f"the file holds a {kind}, no data set", where=where, do=_SEND_AGAIN)
    return [("", found)]


def _grid(name: str, found: dict[str, Any], where: str) -> Grid:
    dimensions, units = _dimensions(found, where)
    cells = cells_of(dimensions, where)
    values = _numbered(found, "value", cells, where)
    status, common = _status(found, cells, where)
    dense = isinstance(found["value"], list)
    order = list(range(cells)) if dense else sorted(values.keys() | status.keys())
    places = pl.Series(order, dtype=pl.Int64)
    columns = {
        "unit": pl.Series([None], dtype=pl.String).new_from_index(0, places.len()),
        "status": pl.Series([status.get(place, common) for place in order], dtype=pl.String),
        "value": pl.Series([values.get(place) for place in order], dtype=pl.String),
    }
    if len(units) == 1:
        ((position, texts),) = units.items()
        columns["unit"] = along(texts, position, dimensions, places)
    about = [(key, " ".join(str(found[key]).split())) for key in _ABOUT if isinstance(found.get(key), str)]
    return long_grid(name, about, dimensions, places, columns, where)


def _dimensions(found: dict[str, Any], where: str) -> tuple[list[Dimension], dict[int, list[str | None]]]:
    """The dimensions in order, and for the one whose categories have units the unit of each."""
    ids, sizes, described = found.get("id"), found.get("size"), found.get("dimension")
    if not isinstance(ids, list) or not isinstance(sizes, list) or not isinstance(described, dict):
        raise UnreadableFileError("a data set has no `id`, `size` or `dimension`", where=where, do=_SEND_AGAIN)
    if len(ids) != len(sizes) or not all(isinstance(key, str) for key in ids):
        raise UnreadableFileError("`id` and `size` do not fit each other", where=where, do=_SEND_AGAIN)
    dimensions: list[Dimension] = []
    units: dict[int, list[str | None]] = {}
    for position, (key, size) in enumerate(zip(ids, sizes, strict=True)):
        category = described.get(key, {}).get("category") if isinstance(described.get(key), dict) else None
        codes = _codes(category)
        if codes is None or str(len(codes)) != str(size):
            raise UnreadableFileError(
                f"the dimension {key!r} lists {len(codes or [])} categories; `size` says {size}",
                where=where,
                do=_SEND_AGAIN,
            )
        labels = category.get("label") if isinstance(category, dict) else None
        labels = labels if isinstance(labels, dict) else {}
        dimensions.append(Dimension(key, codes, [_text(labels.get(code)) or code for code in codes]))
        given = category.get("unit") if isinstance(category, dict) else None
        if isinstance(given, dict):
            units[position] = [_unit(given.get(code)) for code in codes]
    return dimensions, units


def _codes(category: Any) -> list[str] | None:
    """The codes in their order: `index` as a list or as an object of positions; one category needs only a label."""
    if not isinstance(category, dict):
        return None
    index, label = category.get("index"), category.get("label")
    if isinstance(index, list):
        codes = index if all(isinstance(code, str) for code in index) else None
    elif isinstance(index, dict):
        try:
            codes = sorted(index, key=lambda code: int(index[code]))
        except (TypeError, ValueError):
            return None
        codes = codes if [str(index[code]) for code in codes] == [str(n) for n in range(len(codes))] else None
    else:
        codes = list(label) if isinstance(label, dict) and len(label) == 1 else None
    return codes if codes is None or len(set(codes)) == len(codes) else None


def _unit(given: Any) -> str | None:
    """The unit of a category; what it is multiplied by stands before it, as in `thousand persons`."""
    if not isinstance(given, dict):
        return None
    parts = [_text(given.get(key)) for key in ("multiplier", "label", "symbol", "base")]
    shown = parts[1] or parts[3] or parts[2]
    multiplied = parts[0] if parts[0] not in (None, "", "0") else None
    return f"10^{multiplied} {shown or ''}".strip() if multiplied else shown


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None if value is None else json.dumps(value, ensure_ascii=False)


def _status(found: dict[str, Any], cells: int, where: str) -> tuple[Mapping[int, str], str | None]:
    """The status of single numbers by position, and the one that all others have."""
    given = found.get("status")
    if given is None or isinstance(given, str):
        return {}, given
    if isinstance(given, list) and len(given) == 1:
        return {}, _text(given[0])
    return _numbered(found, "status", cells, where), None


def _numbered(found: dict[str, Any], key: str, cells: int, where: str) -> Mapping[int, str]:
    """`value` or `status` by position.

    Raises UnreadableFileError where there are more or fewer than the sizes say, or a position outside them.
    """
    given = found.get(key)
    if isinstance(given, list):
        if len(given) != cells:
            raise UnreadableFileError(
                f"`{key}` has {len(given):,} entries; the sizes make {cells:,}", where=where, do=_SEND_AGAIN
            )
        pairs = list(enumerate(given))
    elif isinstance(given, dict):
        if not all(name.isascii() and name.isdigit() and len(name) < 19 and int(name) < cells for name in given):
            raise UnreadableFileError(f"`{key}` has positions outside the cube", where=where, do=_SEND_AGAIN)
        pairs = [(int(name), value) for name, value in given.items()]
        if len({place for place, _ in pairs}) != len(pairs):
            raise UnreadableFileError(f"`{key}` gives one position twice", where=where, do=_SEND_AGAIN)
    else:
        raise UnreadableFileError(f"a data set has no `{key}`", where=where, do=_SEND_AGAIN)
    if any(isinstance(value, dict | list) for _, value in pairs):
        raise UnreadableFileError(f"`{key}` holds something that is no number", where=where, do=_SEND_AGAIN)
    return {place: text for place, value in pairs if (text := _text(value)) is not None}
