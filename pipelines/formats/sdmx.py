"""SDMX data messages, as agencies exchange them, to grids: SDMX-CSV 1.0 and 2.0, SDMX-ML 2.1 and 3.0.

One row for each observation; every dimension and attribute is a column under its own id, as the message writes it:
OBS_VALUE, OBS_STATUS, UNIT_MULT. What they mean is the contract's word. Structure messages and deletions hold no
figures and are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from pipelines.errors import UnreadableFileError
from pipelines.formats.delimited import read_delimited
from pipelines.formats.grid import MAX_CELLS, MAX_COLUMNS, ROW, Grid, cell_schema, places, refuse_size
from pipelines.formats.tables import chosen_tables
from pipelines.formats.text import beginning
from pipelines.formats.xml import forget, local_name, namespace, parsed_events
from pipelines.jurisdiction.contract import Format

if TYPE_CHECKING:
    from lxml.etree import _Element

OBSERVATION = "OBS_VALUE"  # the column of the numbers
_SEND_AGAIN = "ask for the data as SDMX-CSV, or as SDMX-ML 2.1 or 3.0"
_SCHEMAS = "http://www.sdmx.org/resources/sdmxml/schemas/"
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_DELETES = {"d", "delete"}
# Attributes of the element DataSet that are about the message; others are of the data.
_OF_THE_MESSAGE = (
    *("action", "structureRef", "setID", "dataScope", "validFromDate", "validToDate", "publicationYear"),
    *("publicationPeriod", "reportingBeginDate", "reportingEndDate"),
)


# -- SDMX-CSV -----------------------------------------------------------------------------------------------


def is_sdmx_csv(data: bytes) -> bool:
    """True when the first line is a header of SDMX-CSV."""
    head = beginning(data, 4_000).lstrip("\ufeff").split("\n", 1)[0]
    return re.match(r'"?(DATAFLOW"?[,;\t]|STRUCTURE(\[.\])?"?[,;\t]"?STRUCTURE_ID\b)', head) is not None


def read_sdmx_csv(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The data sets that the contract names (`sheet`): the rows of one structure are one data set, named after it."""
    (grid,) = read_delimited(data, rule, where)
    head = [text or "" for text in grid.cells.select(grid.columns).row(0)]
    if re.fullmatch(r"DATAFLOW", head[0]):
        name = "c0"
    elif len(head) > 1 and re.fullmatch(r"STRUCTURE(\[.\])?", head[0]) and head[1] == "STRUCTURE_ID":
        name = "c1"
    else:
        raise UnreadableFileError(
            f"no SDMX-CSV: its first column is {head[0]!r}, neither DATAFLOW (1.0) nor STRUCTURE (2.0)",
            where=where,
            do="correct `format` in the contract, or ask for the data as SDMX-CSV",
        )
    body = grid.cells.slice(1)
    if "ACTION" in head:
        deletions = body.filter(pl.col(f"c{head.index('ACTION')}").str.to_lowercase().is_in(_DELETES))
        if deletions.height:
            raise _deletes(f"{where}, row {deletions[ROW][0]}")
    names = [text or "" for text in body[name].unique(maintain_order=True)]
    positions = chosen_tables(names or [""], rule, where, "data set")
    if len(names) < 2:
        return [replace(grid, sheet=(names or [""])[0])]
    return [_of_structure(grid, name, names[position], is_first=not n) for n, position in enumerate(positions)]


def _of_structure(grid: Grid, column: str, name: str, *, is_first: bool) -> Grid:
    """The header and the rows of one structure."""
    is_own = (grid.cells[column].fill_null("") == name) | (grid.cells[ROW] == grid.cells[ROW][0])
    widths = None if grid.widths is None else grid.widths.filter(is_own)
    findings = grid.findings if is_first else ()
    return replace(grid, sheet=name, cells=grid.cells.filter(is_own), widths=widths, findings=findings)


def _deletes(where: str) -> UnreadableFileError:
    return UnreadableFileError(
        "the message asks for figures to be deleted: it reports none",
        where=where,
        do="ask for a message with the figures that hold (action Information, Append or Replace)",
    )


# -- SDMX-ML ------------------------------------------------------------------------------------------------

Pairs = dict[str, str]  # id of a dimension, an attribute or a measure -> its text


@dataclass
class _DataSet:
    """What one data set of a message reports."""

    name: str
    dimension: str  # the dimension at the observation
    common: Pairs = field(default_factory=dict)
    groups: list[tuple[bool, Pairs]] = field(default_factory=list)  # needs a key?, key and attributes together
    series: list[Pairs] = field(default_factory=lambda: [{}])  # the first is that of observations without a series
    observations: list[tuple[int, Pairs]] = field(default_factory=list)  # position of the series, and what is its own


def is_sdmx_ml(data: bytes) -> bool:
    """True when the bytes are XML in the words of SDMX."""
    text = beginning(data, 20_000)
    return re.match(r"\s*<", text) is not None and _SCHEMAS in text


def read_sdmx_ml(data: bytes, rule: Format, where: str) -> list[Grid]:
    """The data sets that the contract names (`sheet`), generic or structure-specific."""
    sets = _data_sets(data, where)
    positions = chosen_tables([found.name for found in sets], rule, where, "data set")
    return [_as_grid(sets[position], where) for position in positions]


def _data_sets(data: bytes, where: str) -> list[_DataSet]:
    """The data sets of a message, in order. Each part of one is forgotten once it is read."""
    sets: list[_DataSet] = []
    structures: dict[str, tuple[str, str]] = {}
    depth, inside, counted = 0, 0, 0
    for event, element in parsed_events(data, where, ("start", "end")):
        if event == "start":
            depth += 1
            if depth == 1:
                _judge_edition(element, where)
            elif depth == 2 and local_name(element.tag) == "DataSet":
                sets.append(_opened(element, structures, where))
                inside = len(sets)
            continue
        depth -= 1
        if depth == 1:
            if local_name(element.tag) == "Header":
                structures = _structures(element)
            inside = 0
            forget(element)
        elif depth == 2 and inside:
            counted += _take(element, sets[-1], where)
            if counted > MAX_CELLS:
                raise UnreadableFileError("the message has too many figures", where=where, do="ask for it in parts")
            forget(element)
    if not sets:
        raise UnreadableFileError("the message holds no data set", where=where, do=_SEND_AGAIN)
    return sets


def _judge_edition(root: _Element, where: str) -> None:
    """Refuse what is no data message of an edition that is read."""
    spoken = [url for url in root.nsmap.values() if url and url.startswith(_SCHEMAS)]
    if not any(edition in url for url in spoken for edition in ("/v2_1/", "/v3_0/", "/v3_1/")):
        what = "SDMX-ML of an edition before 2.1" if spoken else "no SDMX-ML"
        raise UnreadableFileError(f"the file is {what}", where=where, do=_SEND_AGAIN)
    kind = local_name(root.tag)
    if not kind.endswith("Data"):
        raise UnreadableFileError(f"the message is a {kind} and reports no figures", where=where, do=_SEND_AGAIN)


def _structures(header: _Element) -> dict[str, tuple[str, str]]:
    """The structures that the header names: id in the message -> what it refers to, dimension at the observation."""
    found = {}
    for element in header:
        if local_name(element.tag) == "Structure":
            refers = next((e for e in element.iter() if local_name(e.tag) in ("Ref", "URN", "Structure") and
                           (e.get("id") or (e.text or "").strip())), None)  # fmt: skip
            if refers is None:
                name = ""
            elif refers.get("id"):
                name = f"{refers.get('agencyID', '')}:{refers.get('id')}({refers.get('version', '')})"
            else:
                name = (refers.text or "").strip().rsplit("=", 1)[-1]
            found[element.get("structureID", "")] = (name, element.get("dimensionAtObservation", "TIME_PERIOD"))
    return found


def _opened(element: _Element, structures: dict[str, tuple[str, str]], where: str) -> _DataSet:
    said = {local_name(key): str(value) for key, value in element.attrib.items()}
    if said.get("action", "").lower() in _DELETES:
        raise _deletes(where)
    name, dimension = structures.get(said.get("structureRef", ""), ("", "TIME_PERIOD"))
    common = {key: value for key, value in element.attrib.items() if not namespace(key) and key not in _OF_THE_MESSAGE}
    return _DataSet(name, dimension, common)


def _take(element: _Element, found: _DataSet, where: str) -> int:
    """Take one part of a data set; how many cells it brought."""
    name = local_name(element.tag)
    if name == "Obs":
        found.observations.append((0, _pairs(element, found.dimension, where)))
        return len(found.observations[-1][1])
    if name == "Series":
        found.series.append(_pairs(element, found.dimension, where))
        for child in element:
            if local_name(child.tag) == "Obs":
                found.observations.append((len(found.series) - 1, _pairs(child, found.dimension, where)))
        return sum(1 for _ in element.iter())
    if name in ("Group", "Atts"):  # an Atts of SDMX-ML 3.0 may be about the whole data set
        found.groups.append((name == "Group", _pairs(element, found.dimension, where)))
    elif name == "Attributes":
        _join(found.common, _values(element), where)
    return 1


def _pairs(element: _Element, dimension: str, where: str) -> Pairs:
    """What a series, an observation or a group says of itself."""
    found: Pairs = {}
    for child in element:
        kind = local_name(child.tag)
        if kind in ("SeriesKey", "ObsKey", "GroupKey", "Attributes"):
            _join(found, _values(child), where)
        elif kind == "ObsDimension":
            _join(found, {child.get("id", dimension): child.get("value", "")}, where)
        elif kind == "ObsValue":
            _join(found, {child.get("id", OBSERVATION): child.get("value", "")}, where)
        elif kind == "Comp":  # SDMX-ML 3.0: several values, or a long one
            texts = [(part.text or "").strip() for part in child if local_name(part.tag) == "Value"]
            _join(found, {child.get("id", ""): "; ".join(texts)}, where)
    _join(found, {key: value for key, value in element.attrib.items() if not namespace(key)}, where)
    if namespace(element.tag):
        return found  # generic: the element's attributes are of the message
    measure = element.get(_XSI_TYPE, "").rsplit(":", 1)[-1]
    if local_name(element.tag) == "Obs" and measure and dimension not in (*found, "AllDimensions"):
        found[dimension] = measure  # explicit measures: the type of the element says which one it is
    return found


def _values(element: _Element) -> Pairs:
    return {child.get("id", ""): child.get("value", "") for child in element if local_name(child.tag) == "Value"}


def _join(pairs: Pairs, more: Pairs, where: str) -> None:
    for key, text in more.items():
        if pairs.setdefault(key, text) != text:
            raise UnreadableFileError(
                f"the message says {key} twice, as {pairs[key]!r} and as {text!r}", where=where, do=_SEND_AGAIN
            )


def _attach_groups(found: _DataSet, where: str) -> None:
    """Give each series or observation what the groups that it lies in say.

    A group is written as its key and its attributes together: its key is what the observations know too.
    """
    known = {key for _, own in found.observations for key in own}
    by_form: dict[tuple[bool, frozenset[str]], list[Pairs]] = {}
    for needs_key, pairs in found.groups:
        by_form.setdefault((needs_key, frozenset(pairs)), []).append(pairs)
    for (needs_key, form), groups in by_form.items():
        indexes: dict[frozenset[str], dict[tuple[str, ...], Pairs]] = {}
        targets = [(pairs, pairs) for pairs in found.series]
        if form & known:
            targets = [({**found.series[n], **own}, own) for n, own in found.observations]
        for whole, own in targets:
            key = form.intersection(whole)
            if not key and needs_key and whole:
                raise UnreadableFileError(
                    f"a group ({', '.join(sorted(form))}) has no key that the observations know",
                    where=where,
                    do=_SEND_AGAIN,
                )
            if key not in indexes:
                index = indexes[key] = {}
                for group in groups:
                    said = {name: text for name, text in group.items() if name not in key}
                    _join(index.setdefault(tuple(group[name] for name in sorted(key)), {}), said, where)
            _join(own, indexes[key].get(tuple(whole[name] for name in sorted(key)), {}), where)


def _as_grid(found: _DataSet, where: str) -> Grid:
    """One row for each observation; what its series, its groups and the data set say stands in it too."""
    _attach_groups(found, where)
    names: dict[str, None] = {}
    for pairs in (*found.series, *(own for _, own in found.observations)):
        names.update(dict.fromkeys(pairs))
    names.update(dict.fromkeys(found.common))
    if len(names) > MAX_COLUMNS:
        raise UnreadableFileError(f"the message has {len(names):,} different ids", where=where, do=_SEND_AGAIN)
    refuse_size(len(found.observations) + 1, len(names), where)
    columns: dict[str, list[str | None]] = {}
    for index, name in enumerate(names):
        of_all, of_series = found.common.get(name), [pairs.get(name) for pairs in found.series]
        column: list[str | None] = [name]
        for series, own in found.observations:
            told = [text for text in (own.get(name), of_series[series], of_all) if text is not None]
            if len(set(told)) > 1:
                _join({name: told[0]}, {name: told[1]}, where)
            column.append(told[0] if told and told[0] != "" else None)
        columns[f"c{index}"] = column
    if not columns:
        raise UnreadableFileError("a data set holds no observation", where=where, do=_SEND_AGAIN)
    numbers = pl.Series(ROW, range(len(found.observations) + 1), dtype=pl.Int64)
    cells = pl.DataFrame(columns, schema=cell_schema(len(columns), row=False))
    values = [f"c{index}" for index, name in enumerate(names) if name == OBSERVATION]
    return Grid(found.name, cells.insert_column(0, numbers), number_cells=partial(_columns, values))


def _columns(cells: list[str]) -> pl.DataFrame:
    return places([(None, cell) for cell in cells])
