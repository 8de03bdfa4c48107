"""Who uses the services of a domain is a line of domains.csv: it counts them whole, or it is refused with its line."""

from __future__ import annotations

from pathlib import Path

import country
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction import load
from pipelines.jurisdiction.indicator_terms import indicator_tables

NAMES = {"users_name_zh": "病床", "users_name_en": "beds"}
# what is wrong -> the columns of the domain health, what is said of them
MISTAKES: dict[str, tuple[dict[str, str], str]] = {
    "users without a name": ({"users": "beds"}, "without a name"),
    "users with one name": ({"users": "beds", "users_name_en": "beds"}, "without a name"),
    "names of users that nobody counts": (NAMES, "without saying how they are counted"),
    "a measure that is not listed": ({**NAMES, "users": "ghosts"}, "'ghosts'"),
    "people who live there": ({**NAMES, "users": "residents"}, "'residents'"),
    "the population": ({**NAMES, "users": "population{age_group=65+}"}, "'population'"),
    "a rate": ({**NAMES, "users": "share"}, "'share'"),
    "each group by itself": ({**NAMES, "users": "beds{group=*}"}, "by each part"),
    "what is no expression": ({**NAMES, "users": "beds beds"}, "cannot read"),
}


def domains(**columns: str) -> list[dict[str, str]]:
    """The domains of the country, of which health has further columns."""
    first, *others = country.REFERENCE["domains.csv"]
    assert first["domain"] == "health"
    return [{**first, **columns}, *others]


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_in_users_says_the_line_and_what_to_do(tmp_path: Path, case: str) -> None:
    columns, said = MISTAKES[case]
    share = {**country.REFERENCE["measures.csv"][-1], "measure": "share", "kind": "rate", "aggregation": "none"}
    reference = {"domains.csv": domains(**columns), "measures.csv": [*country.REFERENCE["measures.csv"], share]}
    land = country.make_country(tmp_path / "verdania", landed=False, reference=reference)
    with pytest.raises(ConfigurationError) as raised:
        load(land.folder).reference_tables()
    assert said in raised.value.message
    assert "domains.csv, line 2 (health)" in raised.value.where
    assert raised.value.do


def test_domains_without_users_have_no_terms_of_them(tmp_path: Path) -> None:
    land = country.make_country(tmp_path / "verdania", landed=False)
    jurisdiction = load(land.folder)
    terms, _ = indicator_tables(land.folder / "reference", jurisdiction.reference_tables())
    assert not [code for code in terms["indicator_code"] if code.startswith("per_user.")]


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> country.Country:
    return country.make_country(tmp_path_factory.mktemp("users") / "verdania", landed=False)


@given(data=st.data())
def test_whatever_parts_are_listed_they_are_all_the_users(land: country.Country, data: st.DataObject) -> None:
    """Each listed part is summed once, nothing beside it; only town and country stay apart, unless they are listed."""
    parts = {
        "group": data.draw(st.lists(st.sampled_from(["public", "private", "all"]), max_size=2, unique=True)),
        "sex": data.draw(st.lists(st.sampled_from(["male", "female"]), max_size=2, unique=True)),
        "residence": data.draw(st.lists(st.sampled_from(["urban", "rural"]), max_size=2, unique=True)),
    }
    stated = ", ".join(f"{name}={'|'.join(values)}" for name, values in parts.items() if values)
    tables = load(land.folder).reference_tables()
    domain = tables["domain"]
    columns = {"users": f"beds{{{stated}}}" if stated else "beds", **NAMES}
    tables["domain"] = domain.clear().__class__(
        [{**row, **(columns if row["domain"] == "health" else {})} for row in domain.rows(named=True)],
        schema=domain.schema,
    )
    terms, _ = indicator_tables(land.folder / "reference", tables)
    rows = [row for row in terms.rows(named=True) if row["indicator_code"] == "per_user.health"]
    assert {row["part"] for row in rows} == {"denominator"}
    assert {(row["out_sex"], row["out_age_group"], row["out_group"]) for row in rows} == {("all", "all", "all")}
    assert {row["out_residence"] for row in rows} == {"total" if parts["residence"] else "*"}
    asked = [(row["group_code"], row["sex"], row["residence"]) for row in rows]
    assert len(asked) == len(set(asked))
    assert set(asked) == {
        (group, sex, residence)
        for group in parts["group"] or ["all"]
        for sex in parts["sex"] or ["all"]
        for residence in parts["residence"] or ["*"]
    }
