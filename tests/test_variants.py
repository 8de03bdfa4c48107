"""variants.csv says what is meant where nothing else is said, and what else is computed; nothing in it is idle."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import country
import polars as pl
import pytest
from country import MAIN_VARIANT, PLAIN_VARIANT, variant
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction import load
from pipelines.jurisdiction.description import Description
from pipelines.jurisdiction.reference import TABLES, load_table
from pipelines.jurisdiction.variants import check_variants, choices_of_subjects, main_choices, only_reading
from pipelines.jurisdiction.yaml_model import load_model
from pipelines.settings import DBT_FOLDER, PROJECT_FOLDER

CHOICES = list(dict.fromkeys(choice for choices in choices_of_subjects().values() for choice in choices))
BASELESS = country.JURISDICTION.replace("last: 2020, base: 2019", "last: 2020")
NO_SPENDING = country.JURISDICTION[: country.JURISDICTION.index("spending:")]

# what is wrong -> the lines, what is said of them, the line
MISTAKES: dict[str, tuple[list[dict[str, str]], str, int | None]] = {
    "no main line": ([variant("registered", population_basis="registered")], "no line", None),
    "no line at all": ([], "no line", None),
    "main twice": ([MAIN_VARIANT, MAIN_VARIANT], "stands twice", 3),
    "main for some subjects": ([{**MAIN_VARIANT, "subjects": "spending"}], "main names subjects", 2),
    **{
        f"main without {choice}": ([{**MAIN_VARIANT, choice: ""}], f"leaves {choice} open", 2)
        for choice in CHOICES
    },
    "main with an open choice": ([{**MAIN_VARIANT, "population_basis": "?"}], "still open", 2),
    "a basis that is none": ([{**MAIN_VARIANT, "population_basis": "ghosts"}], "'ghosts'", 2),
    "a list of regions that is not made": ([MAIN_VARIANT, variant("old", boundaries="2018")], "boundaries '2018'", 3),
    "main on a list that is not made": ([{**MAIN_VARIANT, "boundaries": "2018"}], "boundaries '2018'", 2),
    "a source nobody counts": ([MAIN_VARIANT, variant("x", population_source="middle")], "'middle'", 3),
    "a fund without money": ([MAIN_VARIANT, variant("x", fund="lottery")], "fund 'lottery'", 3),
    "a stage that the fund is not told in": ([MAIN_VARIANT, variant("x", account_stage="budget")], "no measure", 3),
    "a method that nobody knows": ([MAIN_VARIANT, variant("x", method="best_guess")], "method 'best_guess'", 3),
    "weights that are not there": ([MAIN_VARIANT, variant("x", weight_set="heavy")], "weight_set 'heavy'", 3),
    "targets that are not there": ([MAIN_VARIANT, variant("x", target_edition="plan two")], "'plan two'", 3),
    "goalposts that are not there": ([MAIN_VARIANT, variant("x", goalpost_set="last")], "goalpost_set 'last'", 3),
    "a line that changes nothing": ([MAIN_VARIANT, variant("x")], "no other choice than main", 3),
    "a line that repeats main": ([MAIN_VARIANT, variant("x", population_basis="resident")], "no other choice", 3),
    "a subject that is none": ([MAIN_VARIANT, variant("x", subjects="magic", method="geometric_mean")], "magic", 3),
    "a subject that does not know the choice": (
        [MAIN_VARIANT, variant("x", subjects="spending;degree", population_basis="registered")],
        "is computed for degree, which population_basis makes no difference to",
        3,
    ),
    "choices that nothing knows together": (
        [MAIN_VARIANT, variant("x", method="geometric_mean", population_basis="registered")],
        "no subject knows together",
        3,
    ),
    "a name without words": ([MAIN_VARIANT, variant("x", method="geometric_mean", name_zh="")], "name_zh", 3),
}  # fmt: skip


def refused(folder: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as raised:
        load(folder)
    assert raised.value.do
    return raised.value


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_in_variants_says_the_line_and_what_to_do(tmp_path: Path, case: str) -> None:
    lines, said, line = MISTAKES[case]
    scores: dict[str, Any] = {"third_party_scores.csv": []}
    land = country.make_country(tmp_path / "verdania", landed=False, reference={"variants.csv": lines, **scores})
    error = refused(land.folder)
    assert said in error.message
    assert "variants.csv" in error.where
    assert line is None or error.where.endswith(f"line {line}")


def test_where_nothing_is_to_choose_no_table_is_needed_and_where_something_is_the_choice_is_named(
    tmp_path: Path,
) -> None:
    """One population, one basis, one fund, one set: `main` is theirs. A second of any is for a person to choose."""
    basics = {"third_party_scores.csv": [], "weights.csv": []}
    land = country.make_country(tmp_path / "verdania", landed=False, reference=basics)
    (land.folder / "reference" / "variants.csv").unlink()
    assert "population_basis may be registered or resident" in refused(land.folder).message
    with_one = load_model(land.folder / "jurisdiction.yml", Description)
    tables = {table.relation: load_table(land.folder / "reference", table) for table in TABLES}
    one_people = tables["measure"].filter(pl.col("population_source").is_in(["none", "year_end"]))
    tables |= {"measure": one_people}
    (main,) = only_reading(land.folder, with_one, tables, {"resident"}).rows(named=True)
    assert {choice: cell or "" for choice, cell in main.items()} == {**MAIN_VARIANT, "goalpost_set": "first"}
    for relation, column in (("measure", "population_source"), ("goalpost", "goalpost_set")):
        more = pl.concat([tables[relation], tables[relation].with_columns(pl.lit("census").alias(column))])
        with pytest.raises(ConfigurationError, match=f"{column} may be"):
            only_reading(land.folder, with_one, {**tables, relation: more}, {"resident"})


def test_scores_that_no_variant_shows_are_refused(tmp_path: Path) -> None:
    land = country.make_country(tmp_path / "verdania", landed=False, reference={"variants.csv": [MAIN_VARIANT]})
    error = refused(land.folder)
    assert "'auditor'" in error.message and "third_party_scores.csv, line 2" in error.where


def test_constant_prices_need_a_year_whose_prices_are_meant(tmp_path: Path) -> None:
    lines = [*country.REFERENCE["variants.csv"], variant("constant", prices="constant")]
    land = country.make_country(tmp_path / "one", landed=False, reference={"variants.csv": lines})
    load(land.folder)
    land = country.make_country(
        tmp_path / "two", landed=False, jurisdiction=BASELESS, reference={"variants.csv": lines}
    )
    assert "constant prices" in refused(land.folder).message


def test_main_leaves_open_only_what_there_is_nothing_of(tmp_path: Path) -> None:
    """Without spending no fund, without people no source of them, without goalposts no set: and only then."""
    plain = [PLAIN_VARIANT, variant("auditor", method="auditor")]
    people = [dict(row, is_population="false") for row in country.REFERENCE["measures.csv"]]
    indicators = [row for row in country.REFERENCE["indicators.csv"] if row["indicator_code"] in ("TAP", "PUPIL")]
    reference = {
        "variants.csv": plain, "measures.csv": people, "goalposts.csv": [], "indicators.csv": indicators,
        "targets.csv": [], "services.csv": [],
    }  # fmt: skip
    land = country.make_country(
        tmp_path / "one", landed=False, jurisdiction=NO_SPENDING, without=country.DELIVERIES, reference=reference
    )
    assert "no contract" in refused(land.folder).message
    land = country.make_country(tmp_path / "two", landed=False, reference={"variants.csv": plain})
    assert "leaves population_source open" in refused(land.folder).message


@pytest.mark.parametrize("name", ["zhejiang", "england"])
def test_the_shipped_jurisdictions_say_their_main_reading_in_one_place(name: str) -> None:
    folder = PROJECT_FOLDER / "raw" / name
    there = load(folder)
    main = main_choices(there.reference_tables()["variant"])
    assert (there.population_source, there.main_fund) == (main["population_source"], main["fund"])
    text = (folder / "jurisdiction.yml").read_text(encoding="utf-8")
    assert not re.search(r"(?m)^(default_population_basis|population_source|main_fund)|weight_set|goalpost_set", text)
    names = set(there.reference_tables()["setting"]["name"])
    assert not names & {"default_population_basis", "population_source", "main_fund", "weight_set", "goalpost_set"}


@given(data=st.data())
def test_a_variant_is_taken_where_its_subjects_know_its_choices(data: st.DataObject) -> None:
    """Whatever choices are made together: taken exactly when one subject at least, or each that is named, knows all."""
    there = load(PROJECT_FOLDER / "raw" / "zhejiang")
    tables = there.reference_tables()
    values = {
        "boundaries": "2020", "population_basis": "registered", "population_source": "census", "prices": "constant",
        "fund": "government_funds", "account_stage": "final", "government_level": "own", "method": "geometric_mean",
        "weight_set": "expert", "target_edition": "13th plan, yearly plans", "goalpost_set": "2015-2020",
    }  # fmt: skip
    main = main_choices(tables["variant"])
    made = data.draw(st.lists(st.sampled_from(CHOICES), min_size=1, max_size=3, unique=True))
    named = data.draw(st.lists(st.sampled_from(sorted(choices_of_subjects())), max_size=2, unique=True))
    line = variant("drawn", subjects=";".join(named), **{choice: values[choice] for choice in made})
    row = {name: text or None for name, text in line.items()}
    frame = tables["variant"].filter(tables["variant"]["variant"] == "main")
    tables["variant"] = frame.vstack(frame.clear().__class__([row], schema=frame.schema))
    differing = {choice for choice in made if values[choice] != main[choice]}
    known = choices_of_subjects()
    fits = all(differing <= set(known[s]) for s in named) if named else any(differing <= set(c) for c in known.values())
    positions = PROJECT_FOLDER / "raw" / "zhejiang" / "reference"
    if differing and fits:
        check_variants(positions, there.description, tables)
    else:
        with pytest.raises(ConfigurationError):
            check_variants(positions, there.description, tables)


def test_every_choice_is_a_column_of_the_table_and_of_a_subject() -> None:
    columns = set(country.VARIANT_COLUMNS) - {"variant", "name_zh", "name_en", "subjects"}
    assert set(CHOICES) == columns


def test_no_model_names_a_variant_that_a_jurisdiction_declares() -> None:
    """`main` is the only name that models know; every other variant is data."""
    declared = set()
    for name in ("zhejiang", "england"):
        declared |= set(load(PROJECT_FOLDER / "raw" / name).reference_tables()["variant"]["variant"]) - {"main"}
    methods = {"residents_at_threshold", "mean_less_dispersion", "lowest_fifth", "geometric_mean"}
    words = {"registered", "census", "mid_year", "own_level"}  # also codes of a population, or of how it adds up
    for path in (DBT_FOLDER / "models").rglob("*.sql"):
        text = path.read_text(encoding="utf-8")
        for code in declared - methods - words:
            assert f"'{code}'" not in text, (path.name, code)
