"""A JSON-stat data set gives each number beside its own categories, as it is written, or it is refused."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from typing import Any

import intake_kit as kit
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import UnreadableFileError
from pipelines.formats import Grid, read_grids, recognise
from pipelines.jurisdiction.contract import Format

LAYOUT = {
    "format": {"kind": "json-stat"},
    "header": {"find": ["place", "value"]},
    "region": {"name": "place"},
    "period": {"from": "column", "column": "year", "kind": "year"},
    "tokens": {"": "missing"},
    "values": [{"column": "value", "measure": "heads", "unit": "persons"}],
    "ignore_columns": [r"\(code\)$", "^unit$", "^status$"],
}


def data_set(**changes: Any) -> dict[str, Any]:
    """Heads of two places in two years."""
    found: dict[str, Any] = {
        "version": "2.0",
        "class": "dataset",
        "label": "Heads by place",
        "source": "The Office",
        "id": ["place", "year"],
        "size": [2, 2],
        "dimension": {
            "place": {"category": {"index": ["1", "2"], "label": {"1": "Ash", "2": "Aspen"}}},
            "year": {"category": {"index": {"2020": 1, "2019": 0}}},
        },
        "value": [1, 2, 3, 4],
    }
    found.update(changes)
    return found


def grids(found: Any, **rule: Any) -> list[Grid]:
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return read_grids(text.encode(), Format.model_validate({"kind": "json-stat", **rule}), "desk/file/2020/file.json")


def rows(found: Any, **rule: Any) -> list[tuple[Any, ...]]:
    return [row for row in grids(found, **rule)[0].cells.rows() if row[0] >= 0]


def refused(found: Any, **rule: Any) -> str:
    with pytest.raises(UnreadableFileError) as raised:
        grids(found, **rule)
    assert raised.value.do
    return raised.value.message


def test_a_data_set_is_recognised_and_read_by_a_contract() -> None:
    text = json.dumps(data_set(value=[1, None, 3, 4.5]))
    found = recognise(text.encode())
    assert found is not None
    assert found.kind == "json-stat"
    taken = kit.read(text, LAYOUT)
    values = {(r["region_code"], r["period_end"].year): r["value"] for r in taken.accepted.iter_rows(named=True)}
    assert values == {("VA1", 2019): 1, ("VA1", 2020): None, ("VA2", 2019): 3, ("VA2", 2020): Decimal("4.5")}


def test_labels_stand_where_there_are_some_and_codes_beside_them() -> None:
    assert rows(data_set())[:3] == [
        (0, "place", "place (code)", "year", "year (code)", "unit", "status", "value"),
        (1, "Ash", "1", "2019", "2019", None, None, "1"),
        (2, "Ash", "1", "2020", "2020", None, None, "2"),
    ]


def test_title_and_source_stand_above_the_header() -> None:
    cells = grids(data_set())[0].cells
    assert [row[:2] for row in cells.rows() if row[0] < 0] == [(-2, "label=Heads by place"), (-1, "source=The Office")]


def test_numbers_are_kept_as_they_are_written() -> None:
    text = json.dumps(data_set()).replace("[1, 2, 3, 4]", "[0.1000, 12345678901234567890, 1e3, -0.0]")
    assert [row[-1] for row in rows(text)[1:]] == ["0.1000", "12345678901234567890", "1e3", "-0.0"]


def test_a_sparse_cube_gives_the_numbers_it_has_with_their_status() -> None:
    found = data_set(value={"3": 4, "0": 1}, status={"0": "p", "1": "c"})
    assert [(row[0], row[1], row[3], row[-2], row[-1]) for row in rows(found)[1:]] == [
        (1, "Ash", "2019", "p", "1"),
        (2, "Ash", "2020", "c", None),
        (4, "Aspen", "2020", None, "4"),
    ]


@pytest.mark.parametrize("status", ["e", ["e"]])
def test_one_status_is_that_of_all_numbers(status: Any) -> None:
    assert [row[-2] for row in rows(data_set(status=status))[1:]] == ["e"] * 4
    assert [row[0] for row in rows(data_set(status=status, value={"2": 3}))[1:]] == [3]


def test_categories_may_have_units_of_their_own() -> None:
    found = data_set()
    found["dimension"]["place"]["category"]["unit"] = {
        "1": {"label": "persons"},
        "2": {"base": "persons", "multiplier": 3},
    }
    assert [row[-3] for row in rows(found)[1:]] == ["persons", "persons", "10^3 persons", "10^3 persons"]


def test_a_sparse_cube_may_have_room_for_more_than_memory_holds() -> None:
    many = [str(n) for n in range(2000)]
    dimension = {name: {"category": {"index": many}} for name in "abc"}
    found = data_set(id=list("abc"), size=[2000] * 3, dimension=dimension, value={"7999999999": 5})
    assert [row[1:7:2] for row in rows(found)[1:]] == [("1999", "1999", "1999")]
    dimension = {f"v{n}": {"category": {"index": many}} for n in range(12)}
    assert "refused" in refused(data_set(id=list(dimension), size=[2000] * 12, dimension=dimension, value={"1": 5}))


def collection() -> dict[str, Any]:
    inside = {key: value for key, value in data_set(label="Heads").items() if key != "version"}
    other = {**inside, "label": "Spent", "value": [5, 6, 7, 8]}
    return {"version": "2.0", "class": "collection", "link": {"item": [inside, other]}}


def test_the_data_sets_of_a_collection_are_its_sheets() -> None:
    assert [grid.sheet for grid in grids(collection(), sheet={"pattern": "", "all": True})] == ["Heads", "Spent"]
    assert [row[-1] for row in rows(collection(), sheet="Spent")[1:]] == ["5", "6", "7", "8"]
    assert "no data set called 'Cost'; it has Heads, Spent" in refused(collection(), sheet="Cost")
    only_links = {"version": "2.0", "class": "collection", "link": {"item": [{"class": "dataset", "href": "x"}]}}
    assert "only the addresses" in refused(only_links)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"value": [1, 2, 3]}, "`value` has 3 entries; the sizes make 4"),
        ({"value": [1, 2, 3, 4, 5]}, "`value` has 5 entries"),
        ({"value": {"4": 1}}, "positions outside the cube"),
        ({"value": {"-1": 1}}, "positions outside the cube"),
        ({"value": {"1": 1, "01": 2}}, "gives one position twice"),
        ({"value": [1, [2], 3, 4]}, "something that is no number"),
        ({"value": None}, "has no `value`"),
        ({"size": [2, 3]}, "lists 2 categories; `size` says 3"),
        ({"id": ["place"]}, "`id` and `size` do not fit"),
        ({"dimension": {}}, "lists 0 categories"),
        ({"class": "dimension"}, "holds a dimension"),
        ({"version": "1.0"}, "JSON-stat 1.0 is not read"),
        ({"status": {"9": "p"}}, "`status` has positions outside"),
    ],
)
def test_a_cube_that_does_not_fit_itself_is_refused(changes: dict[str, Any], problem: str) -> None:
    assert problem in refused(data_set(**changes))


def test_older_editions_and_other_json_are_refused_with_a_word() -> None:
    old = {"heads": {"value": [1], "dimension": {"id": ["place"], "size": [1]}}}
    assert "before edition 2.0" in refused(old)
    assert "no JSON-stat" in refused({"rows": []})
    assert "not a JSON object" in refused([1, 2])
    assert "gives one name twice" in refused('{"class": "dataset", "value": [1], "value": [2]}')
    assert "not readable as JSON" in refused(json.dumps(data_set())[:-20])
    assert "not readable as JSON" in refused('{"a":' * 100_000)


def test_codes_that_are_listed_twice_are_refused() -> None:
    found = data_set()
    found["dimension"]["place"]["category"]["index"] = ["1", "1"]
    assert "lists 0 categories" in refused(found)
    found["dimension"]["place"]["category"]["index"] = {"1": 0, "2": 2}
    assert "lists 0 categories" in refused(found)


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), kept=st.sets(st.integers(0, 255)), dense=st.booleans()
)
def test_each_number_stands_beside_its_own_categories(sizes: list[int], kept: set[int], dense: bool) -> None:
    names = [f"d{n}" for n in range(len(sizes))]
    keys = list(itertools.product(*(range(size) for size in sizes)))
    numbers = {place: place * 7 for place in range(len(keys)) if dense or place in kept}
    found = data_set(
        id=names,
        size=sizes,
        dimension={
            n: {"category": {"index": {str(i): i for i in range(s)}}} for n, s in zip(names, sizes, strict=True)
        },
        value=list(numbers.values()) if dense else {str(place): value for place, value in numbers.items()},
    )
    read = {row[1:-3:2]: row[-1] for row in rows(found)[1:]}
    assert read == {tuple(map(str, keys[place])): str(value) for place, value in numbers.items()}
