"""SDMX messages give one row for each observation, with every dimension and attribute that is attached to it."""

from __future__ import annotations

import io
import itertools
from decimal import Decimal
from typing import Any

import intake_kit as kit
import pytest
import sdmx
from hypothesis import given, settings
from hypothesis import strategies as st
from sdmx.message import DataMessage
from sdmx.model import v21

from pipelines.errors import UnreadableFileError
from pipelines.formats import Grid, read_grids, recognise
from pipelines.jurisdiction.contract import Format

SPACES = (
    'xmlns:mes="http://www.sdmx.org/resources/sdmxml/schemas/{0}/message" '
    'xmlns:com="http://www.sdmx.org/resources/sdmxml/schemas/{0}/common" '
    'xmlns:gen="http://www.sdmx.org/resources/sdmxml/schemas/{0}/data/generic" '
    'xmlns:ss="http://www.sdmx.org/resources/sdmxml/schemas/{0}/data/structurespecific" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:ns1="urn:example"'
)
HEADER = (
    "<mes:Header><mes:ID>1</mes:ID><mes:Test>false</mes:Test><mes:Prepared>2021-01-01T00:00:00</mes:Prepared>"
    '<mes:Sender id="OFFICE"/><mes:Structure structureID="S" namespace="urn:example" '
    'dimensionAtObservation="{}"><com:Structure><Ref agencyID="OFFICE" id="HEADS" version="1.0"/></com:Structure>'
    "</mes:Structure></mes:Header>"
)
LAYOUT = {
    "header": {"find": ["REF_AREA", "OBS_VALUE"]},
    "region": {"code": "REF_AREA"},
    "period": {"from": "column", "column": "TIME_PERIOD", "kind": "year"},
    "tokens": {"": "missing"},
    "values": [{"column": "OBS_VALUE", "measure": "heads", "unit": "persons"}],
    "ignore_columns": ["^(FREQ|OBS_STATUS|UNIT_MULT|DATAFLOW|STRUCTURE|STRUCTURE_ID|ACTION)$"],
}


def specific(parts: str, *, version: str = "v2_1", dimension: str = "TIME_PERIOD", data_set: str = "") -> str:
    """A structure-specific message with one data set."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><mes:StructureSpecificData {SPACES.format(version)}>'
        f'{HEADER.format(dimension)}<mes:DataSet ss:structureRef="S" xsi:type="ns1:DataSetType" {data_set}>'
        f"{parts}</mes:DataSet></mes:StructureSpecificData>"
    )


def generic(parts: str, dimension: str = "TIME_PERIOD") -> str:
    """A generic message with one data set."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><mes:GenericData {SPACES.format("v2_1")}>{HEADER.format(dimension)}'
        f'<mes:DataSet structureRef="S" action="Information">{parts}</mes:DataSet></mes:GenericData>'
    )


def grids(text: str | bytes, kind: str = "sdmx-ml", **rule: Any) -> list[Grid]:
    data = text if isinstance(text, bytes) else text.encode()
    return read_grids(data, Format.model_validate({"kind": kind, **rule}), "desk/file/2020/file.xml")


def records(grid: Grid) -> list[dict[str, str | None]]:
    names, *rows = grid.cells.rows()
    return [{n: c for n, c in zip(names[1:], row[1:], strict=True) if c is not None} for row in rows]


def refused(text: str | bytes, kind: str = "sdmx-ml", **rule: Any) -> str:
    with pytest.raises(UnreadableFileError) as raised:
        grids(text, kind, **rule)
    assert raised.value.do
    return f"{raised.value.message} / {raised.value.where}"


SERIES = (
    '<Series FREQ="A" REF_AREA="VA1" UNIT_MULT="0"><Obs TIME_PERIOD="2019" OBS_VALUE="1.50" OBS_STATUS="A"/>'
    '<Obs TIME_PERIOD="2020" OBS_VALUE="12345678901234567890" OBS_STATUS="P"/></Series>'
    '<Series FREQ="A" REF_AREA="VA2"><Obs TIME_PERIOD="2020" OBS_STATUS="M"/></Series>'
)


@pytest.mark.parametrize("version", ["v2_1", "v3_0"])
def test_a_structure_specific_message_is_read_as_it_is_written(version: str) -> None:
    text = specific(SERIES, version=version)
    found = recognise(text.encode())
    assert found is not None
    assert found.kind == "sdmx-ml"
    (grid,) = grids(text)
    assert grid.sheet == "OFFICE:HEADS(1.0)"
    assert grid.cells.row(0) == (0, "FREQ", "REF_AREA", "UNIT_MULT", "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS")
    assert grid.cells.rows()[1:] == [
        (1, "A", "VA1", "0", "2019", "1.50", "A"),
        (2, "A", "VA1", "0", "2020", "12345678901234567890", "P"),
        (3, "A", "VA2", None, "2020", None, "M"),
    ]
    taken = kit.read(text, {**LAYOUT, "format": {"kind": "sdmx-ml"}})
    values = [(row["region_code"], row["value"]) for row in taken.accepted.iter_rows(named=True)]
    assert values == [("VA1", Decimal("1.5")), ("VA2", None)]
    assert taken.rejects["source_row"].to_list() == [2]  # more digits than any figure has


def test_a_generic_message_gives_the_same() -> None:
    def key(tag: str, **values: str) -> str:
        inside = "".join(f'<gen:Value id="{name}" value="{value}"/>' for name, value in values.items())
        return f"<gen:{tag}>{inside}</gen:{tag}>"

    def observation(year: str, value: str | None, status: str) -> str:
        shown = "" if value is None else f'<gen:ObsValue value="{value}"/>'
        return f'<gen:Obs><gen:ObsDimension value="{year}"/>{shown}{key("Attributes", OBS_STATUS=status)}</gen:Obs>'

    parts = (
        f"<gen:Series>{key('SeriesKey', FREQ='A', REF_AREA='VA1')}{key('Attributes', UNIT_MULT='0')}"
        f"{observation('2019', '1.50', 'A')}{observation('2020', '12345678901234567890', 'P')}</gen:Series>"
        f"<gen:Series>{key('SeriesKey', FREQ='A', REF_AREA='VA2')}{observation('2020', None, 'M')}</gen:Series>"
    )
    assert records(grids(generic(parts))[0]) == records(grids(specific(SERIES))[0])
    flat = f'<gen:Obs>{key("ObsKey", REF_AREA="VA1", TIME_PERIOD="2019")}<gen:ObsValue value="7"/></gen:Obs>'
    assert records(grids(generic(flat, "AllDimensions"))[0]) == [
        {"REF_AREA": "VA1", "TIME_PERIOD": "2019", "OBS_VALUE": "7"}
    ]


def test_attributes_of_the_data_set_and_of_groups_stand_with_each_observation() -> None:
    parts = (
        '<Group xsi:type="ns1:Area" REF_AREA="VA1" UNIT="persons"/><Group xsi:type="ns1:Year" TIME_PERIOD="2020" '
        'NOTE="estimate"/>' + SERIES
    )
    read = records(grids(specific(parts, data_set='ss:action="Replace" TITLE="Heads"'))[0])
    assert [row["TITLE"] for row in read] == ["Heads"] * 3
    assert [row.get("UNIT") for row in read] == ["persons", "persons", None]
    assert [row.get("NOTE") for row in read] == [None, "estimate", "estimate"]
    assert [row.get("TIME_PERIOD") for row in read] == ["2019", "2020", "2020"]


def test_what_one_message_says_twice_must_be_the_same() -> None:
    parts = '<Group xsi:type="ns1:Area" REF_AREA="VA1" UNIT="a"/><Group xsi:type="ns1:Area" REF_AREA="VA1" UNIT="b"/>'
    assert "says UNIT twice, as 'a' and as 'b'" in refused(specific(parts + SERIES))
    assert "has no key" in refused(specific('<Group xsi:type="ns1:X" COLOUR="red"/>' + SERIES))
    both = '<Series REF_AREA="VA1" OBS_STATUS="A"><Obs TIME_PERIOD="2019" OBS_VALUE="1" OBS_STATUS="P"/></Series>'
    assert "says OBS_STATUS twice" in refused(specific(both))


def test_measures_may_be_told_by_the_type_of_their_element() -> None:
    parts = '<Series REF_AREA="VA1" TIME_PERIOD="2020"><Obs xsi:type="ns1:HEADS" OBS_VALUE="1"/></Series>'
    assert records(grids(specific(parts, dimension="MEASURE"))[0]) == [
        {"REF_AREA": "VA1", "TIME_PERIOD": "2020", "MEASURE": "HEADS", "OBS_VALUE": "1"}
    ]
    flat = '<Obs xsi:type="ns1:ObsType" REF_AREA="VA1" TIME_PERIOD="2020" OBS_VALUE="1"/>'
    assert "AllDimensions" not in records(grids(specific(flat, dimension="AllDimensions"))[0])[0]


def test_values_in_elements_of_the_third_edition_are_read() -> None:
    parts = (
        '<Obs REF_AREA="VA1" TIME_PERIOD="2020" OBS_VALUE="1"><Comp id="NOTE"><Value>one</Value><Value>two</Value>'
        '</Comp></Obs><Atts SOURCE="register"/>'
    )
    read = records(grids(specific(parts, version="v3_0", dimension="AllDimensions"))[0])
    assert read == [
        {"REF_AREA": "VA1", "TIME_PERIOD": "2020", "OBS_VALUE": "1", "NOTE": "one; two", "SOURCE": "register"}
    ]


def test_data_sets_are_the_sheets_of_a_message() -> None:
    two = specific(SERIES).replace(
        "</mes:DataSet>", '</mes:DataSet><mes:DataSet ss:structureRef="T"><Obs A="1" OBS_VALUE="2"/></mes:DataSet>'
    )
    assert records(grids(two, sheet=2)[0]) == [{"A": "1", "OBS_VALUE": "2"}]
    assert "the file has 2 data sets, not 3" in refused(two, sheet=3)


@pytest.mark.parametrize("action", ["Delete", "delete"])
def test_a_message_that_deletes_reports_nothing(action: str) -> None:
    assert "asks for figures to be deleted" in refused(specific(SERIES, data_set=f'ss:action="{action}"'))
    assert "asks for figures to be deleted" in refused(generic("").replace("Information", action))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('<x xmlns="urn:x"/>', "no SDMX-ML"),
        (specific(SERIES).replace("v2_1", "v2_0"), "an edition before 2.1"),
        (specific(SERIES).replace("StructureSpecificData", "Structure"), "is a Structure and reports no figures"),
        (specific(SERIES)[:-60], "not readable as XML"),
        (specific(""), "holds no observation"),
        (f"<mes:GenericData {SPACES.format('v2_1')}/>", "holds no data set"),
    ],
)
def test_other_messages_are_refused_with_a_word(text: str, problem: str) -> None:
    assert problem in refused(text)


BOMBS = {
    "entities": '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    "a file": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    "a document type elsewhere": '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
}


@pytest.mark.parametrize("head", BOMBS.values(), ids=BOMBS)
def test_a_document_type_is_refused_before_anything_of_it_is_read(head: str) -> None:
    text = specific(SERIES).replace("?><mes", f"?>{head}<mes").replace('"1.50"', '"&b;"' if "&a;" in head else '"&a;"')
    assert "document type" in refused(text) or "not readable as XML" in refused(text)
    assert "document type" in refused(specific(SERIES).replace("?><mes", f"?>{head}<mes"))


def test_deep_nesting_is_refused() -> None:
    assert "not readable as XML" in refused(specific("<a>" * 5000 + "</a>" * 5000))


@given(
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    numbers=st.lists(st.decimals(-(10**9), 10**9, places=3), min_size=9, max_size=9),
    statuses=st.lists(st.sampled_from("APE"), min_size=9, max_size=9),
)
@settings(max_examples=25, deadline=None)
def test_messages_of_another_program_are_read_alike(
    sizes: tuple[int, int], numbers: list[Any], statuses: list[str]
) -> None:
    """Written by the library sdmx1, generic and structure-specific; and as that library reads them."""
    dsd = v21.DataStructureDefinition(
        id="HEADS", maintainer=v21.Agency(id="OFFICE") if hasattr(v21, "Agency") else None
    )
    keys = [(f"R{i}", str(2015 + j)) for i, j in itertools.product(range(sizes[0]), range(sizes[1]))]
    for name in ("REF_AREA", "TIME_PERIOD"):
        dsd.dimensions.getdefault(id=name)
    dsd.measures.getdefault(id="OBS_VALUE")
    status = dsd.attributes.getdefault(id="OBS_STATUS")
    found = v21.GenericDataSet(structured_by=dsd)
    for (area, year), number, code in zip(keys, numbers, statuses, strict=False):
        found.obs.append(
            v21.Observation(
                dimension=dsd.make_key(v21.Key, {"REF_AREA": area, "TIME_PERIOD": year}),
                value=str(number),
                attached_attribute={"OBS_STATUS": v21.AttributeValue(value=code, value_for=status)},
            )
        )
    message = DataMessage(observation_dimension=v21.AllDimensions)
    message.data.append(found)
    data = sdmx.to_xml(message)
    expected = [
        {"REF_AREA": area, "TIME_PERIOD": year, "OBS_VALUE": str(number), "OBS_STATUS": code}
        for (area, year), number, code in zip(keys, numbers, statuses, strict=False)
    ]
    assert records(grids(data)[0]) == expected
    theirs = sdmx.read_sdmx(io.BytesIO(data)).data[0].obs
    assert [o.value for o in theirs] == [row["OBS_VALUE"] for row in expected]


def test_the_status_beside_a_number_is_that_of_the_figure() -> None:
    layout = {
        **LAYOUT,
        "format": {"kind": "sdmx-ml"},
        "marks": {"A": "note", "P": "provisional"},
        "tokens": {"M": "not_applicable"},
        "values": [{**LAYOUT["values"][0], "status": "OBS_STATUS"}],
        "ignore_columns": ["^(FREQ|UNIT_MULT)$"],
    }
    text = specific(SERIES.replace("12345678901234567890", "12"))
    taken = kit.read(text, layout)
    found = [(r["region_code"], r["period_end"].year, r["value"], r["obs_status"], r["value_reported"]) for r in
             taken.accepted.iter_rows(named=True)]  # fmt: skip
    assert found == [
        ("VA1", 2019, Decimal("1.5"), "A", "1.50 A"),
        ("VA1", 2020, 12, "P", "12 P"),
        ("VA2", 2020, None, "M", "M"),
    ]
    taken = kit.read(text.replace('OBS_STATUS="P"', 'OBS_STATUS="Q"'), layout)  # no word of the contract
    assert taken.rejects.select("rule", "source_row", "reported_text").rows() == [("not_a_number", 2, "12 | Q")]


# -- SDMX-CSV -----------------------------------------------------------------------------------------------

CSV_1 = "DATAFLOW,REF_AREA,TIME_PERIOD,OBS_VALUE,OBS_STATUS\r\nOFFICE:HEADS(1.0),VA1,2020,1.50,P\r\n"
CSV_2 = (
    "STRUCTURE,STRUCTURE_ID,ACTION,REF_AREA,TIME_PERIOD,OBS_VALUE\r\n"
    "dataflow,OFFICE:HEADS(1.0),I,VA1,2020,1.50\r\ndataflow,OFFICE:HEADS(1.0),R,VA2,2020,\r\n"
)


@pytest.mark.parametrize("text", [CSV_1, CSV_2])
def test_a_table_of_sdmx_csv_is_read_by_a_contract(text: str) -> None:
    found = recognise(text.encode())
    assert found is not None
    assert found.kind == "sdmx-csv"
    taken = kit.read(text, {**LAYOUT, "format": {"kind": "sdmx-csv"}})
    assert taken.problem == ""
    assert kit.values(taken)["VA1"] == 1.5
    assert grids(text, "sdmx-csv")[0].sheet == "OFFICE:HEADS(1.0)"


def test_structures_of_one_table_are_its_sheets_with_their_own_rows() -> None:
    text = CSV_2 + "dataflow,OFFICE:SPENT(1.0),I,VA1,2020,77\r\n"
    spent = grids(text, "sdmx-csv", sheet="OFFICE:SPENT(1.0)")[0]
    assert [row["OBS_VALUE"] for row in records(spent)] == ["77"]
    assert spent.cells["source_row"].to_list() == [1, 4]
    assert [g.cells.height for g in grids(text, "sdmx-csv", sheet={"pattern": "", "all": True})] == [3, 2]


def test_a_table_with_deletions_or_another_header_is_refused() -> None:
    assert "asks for figures to be deleted" in refused(CSV_2.replace(",R,", ",D,"), "sdmx-csv")
    assert "row 3" in refused(CSV_2.replace(",R,", ",D,"), "sdmx-csv")
    assert "no SDMX-CSV: its first column is 'Place'" in refused("Place,Heads\nAsh,1\n", "sdmx-csv")
