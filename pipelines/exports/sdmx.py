"""SDMX-CSV 2.0 with its structure message (SDMX-ML 3.0): a dataflow a cube.

Codes that SDMX does not allow as ids (a band of ages such as 85+) are spelled otherwise; the code list names the
original. Of several statuses the one that ranks first is OBS_STATUS; the whole list stands beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from pipelines.errors import FaultError
from pipelines.exports.cubes import STATUS, Cube
from pipelines.exports.texts import text_of, words
from pipelines.publish import Column, Release
from pipelines.sql import quote, text_literal

AGENCY = "JUNHENG"
VERSION = "1.0.0"
STATUS_LIST = "OBS_STATUS_LIST"
_SCHEMA = "http://www.sdmx.org/resources/sdmxml/schemas/v3_0"
_SPACES = {"mes": f"{_SCHEMA}/message", "str": f"{_SCHEMA}/structure", "com": f"{_SCHEMA}/common"}
# Column -> concept, where the SDMX content guidelines have a name for it; else the column's own name.
_CONCEPTS = {
    "region_id": "REF_AREA",
    "indicator_code": "INDICATOR",
    "population_basis": "POPULATION",
    "population": "POPULATION_COUNT",  # the number of people; POPULATION says which people
    "residence": "URBANISATION",
    "value": "OBS_VALUE",
    "unit": "UNIT_MEASURE",
}
_URN = "urn:sdmx:org.sdmx.infomodel"


def concept(column: str, cube: Cube) -> str:
    """The SDMX concept of a column."""
    return "TIME_PERIOD" if column == cube.time else _CONCEPTS.get(column, column.upper())


def identifier(code: str) -> str:
    """A code in the letters that SDMX allows in an id; the same code always gives the same id, an empty one `_Z`."""
    return re.sub(r"[^A-Za-z0-9_@$-]", "_", code.replace("+", "_OR_MORE")) or "_Z"


@dataclass(frozen=True)
class CodeList:
    """Codes of one concept over all cubes: id -> (original code, Chinese, English)."""

    concept: str
    codes: dict[str, tuple[str, str, str]]

    @property
    def id(self) -> str:
        """The list's id."""
        return f"CL_{self.concept}"


def code_lists(release: Release, cubes: list[Cube]) -> dict[str, CodeList]:
    """The code list of each coded concept. FaultError when two codes would get the same id."""
    lists: dict[str, CodeList] = {"FREQ": CodeList("FREQ", {"A": ("A", "年", "Annual")})}
    for cube in cubes:
        for dimension in cube.dimensions:
            name = concept(dimension, cube)
            codes = lists.setdefault(name, CodeList(name, {})).codes
            for code, (zh, en) in cube.names_of(release, dimension).items():
                known = codes.setdefault(identifier(code), (code, zh, en))
                if known[0] != code:
                    raise FaultError(
                        f"the codes {known[0]!r} and {code!r} of {dimension} are the same in SDMX ({identifier(code)})",
                        where=f"table {cube.name}",
                        do="spell one of them otherwise in the reference tables",
                    )
    for column, flags in words()["flags"].items():
        name = column.upper()
        lists[name] = CodeList(name, {code: (code, zh, en) for code, (zh, en) in flags.items()})
    return lists


def write_sdmx_csv(release: Release, cube: Cube, folder: Path) -> Path:
    """One cube as SDMX-CSV 2.0. Returns the file."""
    path = folder / f"{release.file_stem(cube.table)}.csv"
    structure = f"{AGENCY}:{cube.name.upper()}({VERSION})"
    cells = [
        f"'dataflow' as {quote('STRUCTURE')}",
        f"{text_literal(structure)} as {quote('STRUCTURE_ID')}",
        f"'I' as {quote('ACTION')}",
        f"'A' as {quote('FREQ')}",
    ]
    for column in cube.table.columns:
        text, name = text_of(column), concept(column.name, cube)
        if column.name == cube.time:
            text = _time(release, cube, text)
        elif column.name in cube.dimensions:
            text = _identifiers(text, list(cube.names_of(release, column.name)))
        elif column.name == STATUS:
            cells.append(f"split_part({text}, ';', 1) as {quote(name)}")
            name = STATUS_LIST
        cells.append(f"{text} as {quote(name)}")
    release.connection.execute(
        f"copy (select {', '.join(cells)} from {quote(cube.name)} order by {cube.table.order}) "
        f"to {text_literal(str(path))} (format csv, header true)"
    )
    return path


def _time(release: Release, cube: Cube, text: str) -> str:
    """A time as SDMX says it, as SQL: a financial year is a year from its first day, for 2018 is the calendar's."""
    if cube.time != "year" or "period_name" not in cube.table.column_names:
        return text
    years = release.connection.execute(
        "select distinct period_name, cast(year_start as varchar) from fct_observation "
        "where period_name like '____-__' and strftime(year_start, '%m-%d') <> '01-01' order by all"
    ).fetchall()
    cases = " ".join(f"when {text_literal(name)} then {text_literal(f'{start}/P1Y')}" for name, start in years)
    return f"case period_name {cases} else {text} end" if cases else text


def _identifiers(text: str, codes: list[str]) -> str:
    """The id of a code, as SQL: most codes are their own."""
    cases = " ".join(
        f"when {text_literal(code)} then {text_literal(identifier(code))}" for code in codes if identifier(code) != code
    )
    return f"case {text} {cases} else {text} end" if cases else text


# -- the structure message ------------------------------------------------------------------------------------------


def _element(parent: ElementTree.Element, name: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    prefix, _, local = name.partition(":")
    element = ElementTree.SubElement(parent, f"{{{_SPACES[prefix]}}}{local}", attributes)
    element.text = text
    return element


def _named(element: ElementTree.Element, zh: str, en: str, tag: str = "com:Name") -> None:
    for language, text in (("zh", zh), ("en", en)):
        _element(element, tag, text or zh or "-", **{"{http://www.w3.org/XML/1998/namespace}lang": language})


def write_structure(release: Release, cubes: list[Cube], folder: Path) -> Path:
    """The structure message of all cubes: code lists, concepts, data structures, dataflows. Returns the file."""
    for prefix, space in _SPACES.items():
        ElementTree.register_namespace(prefix, space)
    lists = code_lists(release, cubes)
    root = ElementTree.Element(f"{{{_SPACES['mes']}}}Structure")
    header = _element(root, "mes:Header")
    _element(header, "mes:ID", f"{AGENCY}_{identifier(release.release_id)}")
    _element(header, "mes:Test", "false")
    _element(header, "mes:Prepared", release.prepared_at)
    _element(header, "mes:Sender", id=AGENCY)
    structures = _element(root, "mes:Structures")
    _code_lists(_element(structures, "str:Codelists"), lists)
    _concepts(_element(structures, "str:ConceptSchemes"), cubes)
    flows = _element(structures, "str:Dataflows")
    for cube in cubes:
        flow = _element(flows, "str:Dataflow", id=cube.name.upper(), agencyID=AGENCY, version=VERSION)
        mark = release.mark if release.is_synthetic(cube.table) else {"zh": "", "en": ""}
        _named(flow, f"{mark['zh']} {cube.name}".strip(), f"{mark['en']} {cube.name}".strip())
        _named(flow, cube.table.description_zh, cube.table.description_en, "com:Description")
        _element(
            flow,
            "str:Structure",
            f"{_URN}.datastructure.DataStructure={AGENCY}:{cube.name.upper()}({VERSION})",
        )
    definitions = _element(structures, "str:DataStructures")
    for cube in cubes:
        _data_structure(definitions, cube, lists)
    path = folder / "structure.xml"
    ElementTree.indent(root, " ")
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    return path


def _code_lists(parent: ElementTree.Element, lists: dict[str, CodeList]) -> None:
    for name, codes in sorted(lists.items()):
        listed = _element(parent, "str:Codelist", id=codes.id, agencyID=AGENCY, version=VERSION)
        _named(listed, name, name)
        for code_id, (code, zh, en) in sorted(codes.codes.items()):
            element = _element(listed, "str:Code", id=code_id)
            _named(element, zh, en)
            if code != code_id:
                _named(element, code, code, "com:Description")


def _concepts(parent: ElementTree.Element, cubes: list[Cube]) -> None:
    scheme = _element(parent, "str:ConceptScheme", id="CONCEPTS", agencyID=AGENCY, version=VERSION)
    _named(scheme, "概念", "Concepts")
    said = {"FREQ": ("频率", "Frequency"), STATUS_LIST: ("全部观测状态，以分号相连", "All statuses, joined by ;")}
    for cube in cubes:
        for column in cube.table.columns:
            said.setdefault(concept(column.name, cube), (column.description_zh, column.description_en))
    for name, (zh, en) in sorted(said.items()):
        element = _element(scheme, "str:Concept", id=name)
        _named(element, name, name)
        _named(element, zh, en, "com:Description")


def _identity(component: ElementTree.Element, name: str) -> None:
    _element(
        component,
        "str:ConceptIdentity",
        f"{_URN}.conceptscheme.Concept={AGENCY}:CONCEPTS({VERSION}).{name}",
    )


def _coded(component: ElementTree.Element, codes: CodeList) -> None:
    local = _element(component, "str:LocalRepresentation")
    _element(local, "str:Enumeration", f"{_URN}.codelist.Codelist={AGENCY}:{codes.id}({VERSION})")


def _plain(component: ElementTree.Element, kind: str) -> None:
    local = _element(component, "str:LocalRepresentation")
    _element(local, "str:TextFormat", textType=kind)


def _text_type(column: Column) -> str:
    if column.data_type == "DOUBLE":
        return "Double"
    if column.data_type.startswith("DECIMAL"):
        return "Decimal"
    return {"INTEGER": "Integer", "BIGINT": "Long", "BOOLEAN": "Boolean"}.get(column.data_type, "String")


def _data_structure(parent: ElementTree.Element, cube: Cube, lists: dict[str, CodeList]) -> None:
    definition = _element(parent, "str:DataStructure", id=cube.name.upper(), agencyID=AGENCY, version=VERSION)
    _named(definition, cube.name, cube.name)
    components = _element(definition, "str:DataStructureComponents")
    dimensions = _element(components, "str:DimensionList", id="DimensionDescriptor")
    for position, name in enumerate(["FREQ", *(concept(d, cube) for d in cube.dimensions)], start=1):
        dimension = _element(dimensions, "str:Dimension", id=name, position=str(position))
        _identity(dimension, name)
        _coded(dimension, lists[name])
    time = _element(dimensions, "str:TimeDimension", id="TIME_PERIOD")
    _identity(time, "TIME_PERIOD")
    _plain(time, "ObservationalTimePeriod")
    attributes = _element(components, "str:AttributeList", id="AttributeDescriptor")
    listed = [(concept(column.name, cube), column) for column in cube.attributes]
    for name, column in listed:
        attribute = _element(attributes, "str:Attribute", id=name, usage="optional")
        _identity(attribute, name)
        if name in lists:
            _coded(attribute, lists[name])
        else:
            _plain(attribute, _text_type(column))
        _element(_element(attribute, "str:AttributeRelationship"), "str:Observation")
        if column.name == STATUS:
            attribute = _element(attributes, "str:Attribute", id=STATUS_LIST, usage="optional")
            _identity(attribute, STATUS_LIST)
            _plain(attribute, "String")
            _element(_element(attribute, "str:AttributeRelationship"), "str:Observation")
    measures = _element(components, "str:MeasureList", id="MeasureDescriptor")
    for column in cube.measures:
        name = concept(column.name, cube)
        measure = _element(measures, "str:Measure", id=name, usage="optional")
        _identity(measure, name)
        _plain(measure, _text_type(column))
