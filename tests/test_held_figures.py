"""Figures that stay at the last good delivery while a later one is held: they say so wherever they are shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import copy_of
from country import Country
from houses import House

pytestmark = pytest.mark.pipeline
BEDS = "health/facilities"


@dataclass
class Held:
    """The invented country with a held delivery of the health office's beds, published once more."""

    house: House
    stays_at: str  # day
    since: str

    def page(self, *place: str) -> str:
        return self.house.warehouse.current.joinpath("pages", *place).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def held(verdania: House, tmp_path_factory: pytest.TempPathFactory) -> Held:
    house = copy_of(verdania, tmp_path_factory.mktemp("held"))
    Country(house.jurisdiction).land(BEDS, "2020", data=b"")
    before = house.current
    assert house.run(full=True).outcome == "published" and house.current != before
    ((stays_at, since),) = house.query(
        "select cast(max(p.received_at) as date), cast(any_value(h.held_since) as date) "
        "from audit_receipt h join audit_receipt p on p.in_place_of = h.receipt_id where h.is_held"
    )
    return Held(house, str(stays_at), str(since))


def test_a_figure_that_stays_at_an_earlier_delivery_names_the_one_that_is_held_its_day_and_reason(held: Held) -> None:
    ((code, region),) = held.house.query(
        "select indicator_code, region_code from mart_service_coverage where obs_status like '%P%' and year = 2020 "
        "and value is not null order by indicator_code, region_code limit 1"
    )
    said = held.house.command("trace", "mart_service_coverage", f"indicator_code={code}", f"region_code={region}",
                              "year=2020")  # fmt: skip
    assert said.returncode == 0, said.stderr
    (line,) = [line for line in said.stdout.splitlines() if "is held since" in line]
    assert line.startswith(f"{BEDS}/2020/") and held.since in line and "readable: " in line
    assert f"stay at the delivery of {held.stays_at}, provisional (P)" in said.stdout
    found = json.loads(
        held.house.command("trace", "mart_service_coverage", f"indicator_code={code}", f"region_code={region}",
                           "year=2020", "--json").stdout
    )  # fmt: skip
    (one,) = found["held"]
    assert one["extract"] == BEDS and one["figures"] > 0 and one["held_because"]


def test_another_year_of_its_extract_says_that_it_does_not_stand_in(held: Held) -> None:
    said = held.house.command("trace", "fct_observation", "measure=beds", "group=public", "region_code=VA1",
                              "period_end=2019-12-31")  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert "is held since" in said.stdout and "no cell below stands in for its figures" in said.stdout


def test_figures_of_other_extracts_say_nothing_of_it(held: Held, verdania: House) -> None:
    said = held.house.command("trace", "mart_per_capita_spending", "region_code=V", "year=2020", "domain=all")
    assert said.returncode == 0, said.stderr
    assert "is held since" not in said.stdout
    plain = verdania.warehouse.current / "pages"
    assert not [page for page in plain.rglob("*.html") if "provisional: delivery of" in page.read_text("utf-8")]


def test_pages_mark_each_such_figure_with_the_day_where_it_stands(held: Held) -> None:
    flag = f"provisional: delivery of {held.stays_at}"
    codes = [
        code
        for (code,) in held.house.query(
            "select distinct indicator_code from mart_service_coverage where obs_status like '%P%' "
            "and year = 2020 and value is not null and region_code = 'V'"
        )
    ]
    assert codes
    others = held.house.query(
        "select indicator_code from mart_service_coverage group by 1 "
        "having not bool_or(coalesce(obs_status like '%P%', false)) and bool_or(value is not null)"
    )
    assert others
    for code in codes:
        assert flag in held.page("indicators", f"{code}.html")
    for (code,) in others:
        assert flag not in held.page("indicators", f"{code}.html")
    for place in (("index.html",), ("regions", "V.html"), ("regions", "VA1.html")):
        assert flag in held.page(*place), place
    for code in codes:
        assert held.stays_at in held.page("data", f"{code}.js")


def test_a_headline_that_rests_on_it_says_so_beside_the_number(held: Held) -> None:
    ((status,),) = held.house.query(
        "select obs_status from mart_equalisation where region_code = 'V' and domain = 'all' and year = 2020 "
        "and degree_pct is not null"
    ) or [("",)]
    index = held.page("index.html")
    headline = index[index.index('id="degree-h"') :].split("</dl>")[0] if 'id="degree-h"' in index else ""
    assert ("P" in status.split(";")) == (f"delivery of {held.stays_at}" in headline)


def test_the_sheet_of_a_held_delivery_is_private_after_a_release_too(held: Held) -> None:
    folder: Path = held.house.warehouse.held
    for path in (folder, *folder.rglob("*")) if folder.exists() else ():
        assert path.stat().st_mode & 0o077 == 0
