"""A variant, a part of the people and the users of a service are lines of files: figures come of them without SQL or
Python, and none of the others moves. That an indicator is one too is tried in test_whole_way."""

from __future__ import annotations

from typing import Any

import country
import pytest
from houses import House

pytestmark = pytest.mark.pipeline

# Patients in the two years, and women who cannot read in the census: what the added columns hold.
PATIENTS = {"VA1": 2_000, "VA2": 1_600, "VB1": 4_100, "VB2": None}
WOMEN_UNREAD = {"VA1": 700, "VA2": 1_000, "VB1": 800, "VB2": 320}


def add_column(rows: country.Rows, header: int, name: str, cells: dict[str, Any], key: dict[str, str]) -> None:
    """Append a column to a table; `key` gives the region of what stands in the column of places."""
    for number, row in enumerate(rows):
        place = next((str(cell).strip() for cell in row[:2] if str(cell).strip() in key), None)
        if number == header:
            row.append(name)
        elif place is not None:
            row.append(cells[key[place]])


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The country with one more variant, one more part of the people and users of the domain health."""
    folder = tmp_path_factory.mktemp("added")
    health, *others = country.REFERENCE["domains.csv"]
    users = {"users": "patients", "users_name_zh": "病人", "users_name_en": "patients"}
    patients = {**country.REFERENCE["measures.csv"][-1], "measure": "patients", "kind": "flow"}
    land = country.make_country(
        folder / "verdania",
        reference={
            "domains.csv": [{**health, **users}, *others],
            "measures.csv": [*country.REFERENCE["measures.csv"], patients],
            "variants.csv": [
                *country.REFERENCE["variants.csv"],
                country.variant("middle", subjects="spending", population_source="mid_year"),
            ],
        },
        contracts={
            "bureau/census": lambda c: c["layouts"][0]["values"].append(
                {"column": "Women who cannot read", "measure": "unread", "sex": "female", "unit": "persons"}
            ),
            "health/facilities": lambda c: c["layouts"][0]["values"].append(
                {"column": "Patients", "measure": "patients", "unit": "persons", "type": "integer"}
            ),
        },
    )
    names = {name: code for code, name in country.NAMES.items()}
    count = land.rows("bureau/census", "2020")
    unread = {code: sum(WOMEN_UNREAD[part] for part in parishes(code)) for code in country.NAMES if code != "VA3"}
    add_column(count, 1, "Women who cannot read", unread, names)
    land.land("bureau/census", "2020", rows=count)
    for year in ("2019", "2020"):
        facilities = land.rows("health/facilities", year)
        add_column(facilities, 0, "Patients", PATIENTS, names)
        land.land("health/facilities", year, rows=facilities)
    house = House(land.folder, folder / "warehouse")
    assert house.run().outcome == "published"
    return house


def parishes(region: str) -> list[str]:
    """The parishes of 2020 that lie in a region."""
    return [code for code in WOMEN_UNREAD if code.startswith(region)]


def test_a_line_in_variants_csv_is_a_reading_of_every_figure_that_it_makes_a_difference_to(added: House) -> None:
    """Residents at the middle of 2020 are the mean of both year ends."""
    found = dict(
        added.query(
            "SELECT region_code, per_head FROM mart_per_capita_spending_variants "
            "WHERE variant = 'middle' AND year = 2020 AND domain = 'all' AND residence = 'total'"
        )
    )
    middle = {
        code: (country.population(2019, code) + country.population(2020, code)) / 2
        for code in ("V", "VA", "VB", "VA1", "VB1", "VB2")
    }
    for code, people in middle.items():
        assert found[code] == pytest.approx(country.all_spending(2020, code) / people), code
    assert added.query("SELECT name_en FROM dim_variant WHERE variant = 'middle'") == [("middle",)]


def test_a_part_of_the_people_in_a_contract_is_a_breakdown(added: House, verdania: House) -> None:
    found = dict(
        added.query(
            "SELECT region_code, value FROM mart_service_coverage "
            "WHERE indicator_code = 'UNREAD' AND year = 2020 AND breakdown = 'sex=female'"
        )
    )
    assert found == {
        code: pytest.approx(
            100
            * sum(WOMEN_UNREAD[part] for part in parishes(code))
            / sum(country.census(part, f"female/{age}") for part in parishes(code) for age in ("15-64", "65+"))
        )
        for code in ("V", "VA", "VB", *WOMEN_UNREAD)
    }
    assert added.query("SELECT sex, name_en FROM dim_breakdown WHERE breakdown = 'sex=female'")
    assert verdania.query("SELECT * FROM figure WHERE subject_code = 'UNREAD' AND breakdown = 'sex=female'") == []


def test_users_in_domains_csv_are_spending_per_user(added: House, verdania: House) -> None:
    columns = "region_code, residence, users, per_user, per_user_status, per_user_reason, users_name_en"
    asked = f"SELECT {columns} FROM mart_per_capita_spending WHERE year = 2020 AND domain = '{{}}' ORDER BY ALL"
    rows = {(row[0], row[1]): row[2:] for row in added.query(asked.format("health"))}
    for code in ("VA", "VA1", "VA2", "VB1"):
        patients = sum(PATIENTS[part] or 0 for part in parishes(code))
        assert rows[code, "total"] == (
            patients, pytest.approx(country.all_spending(2020, code, "10") / patients), "A", None, "patients",
        )  # fmt: skip
    for code in ("VB2", "VB", "V"):  # a part is never shown as the whole
        assert rows[code, "total"] == (None, None, "O", "users_missing", "patients")
    assert rows["VA1", "urban"] == (None, None, "O", "users_missing", "patients")
    assert rows["VA", "unattributed"] == (None, None, "M", "nobody_attributed", "patients")
    others = added.query(asked.format("schooling"))
    assert {row[2:] for row in others} == {(None, None, None, "no_users_declared", None)} and others
    assert {row[2:] for row in verdania.query(asked.format("health"))} == {
        (None, None, None, "no_users_declared", None)
    }
    subject = "SELECT name_en, unit, formula_en FROM dim_subject WHERE subject_code LIKE 'per_user.%'"
    assert added.query(subject) == [("Spending per user: health (patients)", "VCR", "spending / patients")]
    assert verdania.query(subject) == []
    own = "SELECT variant, value, numerator, denominator FROM figure WHERE subject_code = 'per_user.health' "
    assert added.query(own + "AND region_code = 'VA1' AND year = 2020 ORDER BY variant") == [
        ("main", country.all_spending(2020, "VA1", "10") / 2_000, country.all_spending(2020, "VA1", "10"), 2_000),
        ("own_level", country.own_spending(2020, "VA1", "10") / 2_000, country.own_spending(2020, "VA1", "10"), 2_000),
    ]


def test_no_other_figure_moves_and_the_code_is_the_same(added: House, verdania: House) -> None:
    assert added.manifest()["code_version"] == verdania.manifest()["code_version"]
    # the files came with more cells: what a figure is, not which bytes it was read from
    old = verdania.query("SELECT * EXCLUDE (input_hash) FROM figure ORDER BY ALL")
    kept = added.query(
        "SELECT * EXCLUDE (input_hash) FROM figure WHERE variant <> 'middle' AND subject_code <> 'per_user.health' "
        "AND NOT (subject_code = 'UNREAD' AND breakdown = 'sex=female') ORDER BY ALL"
    )
    assert kept == old
