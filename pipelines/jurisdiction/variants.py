"""What `reference/variants.csv` must say: a line `main` that makes every choice, and lines with what differs from it.

Single cells and keys are checked where the table is read (`reference`). What each choice means is dbt's SQL; which
choices a kind of subject knows, and the methods there are, stand once, in `dbt_project.yml`. Each error names the line.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.description import Description
from pipelines.jurisdiction.expressions import OFFERED
from pipelines.jurisdiction.new_folder import SKELETON
from pipelines.jurisdiction.reference import line_of
from pipelines.settings import DBT_FOLDER

MAIN = "main"

_Row = dict[str, Any]


@cache
def _vars() -> dict[str, Any]:
    document = yaml.safe_load((DBT_FOLDER / "dbt_project.yml").read_text(encoding="utf-8"))
    return dict(document["vars"])


def choices_of_subjects() -> dict[str, list[str]]:
    """The choices that a variant can make, by kind of subject."""
    return dict(_vars()["choices_of_subjects"])


def main_choices(variants: pl.DataFrame) -> _Row:
    """The line `main`, column by column; an empty cell is None. Raises KeyError where there is no such line."""
    rows = variants.filter(pl.col("variant") == MAIN).rows(named=True)
    if not rows:
        raise KeyError(MAIN)
    return rows[0]


def only_reading(
    folder: Path, description: Description, tables: dict[str, pl.DataFrame], bases: set[str]
) -> pl.DataFrame:
    """variants.csv of a jurisdiction without one: the line `main` of a new folder, filled in where one answer fits.

    `bases` are whom the figures of its contracts count. Raises ConfigurationError where there is a choice to make.
    """
    counted = tables["measure"].filter(pl.col("is_population") == "true")["population_source"]
    accounts = [(source.fund, source.account_stage) for source in description.spending]
    fits: dict[str, list[str]] = {
        "population_basis": sorted(bases or {"resident"}),
        "population_source": sorted(set(counted.drop_nulls())),
        "fund": sorted({fund for fund, _ in accounts}),
        "account_stage": sorted({stage for _, stage in accounts}),
        "goalpost_set": sorted(set(tables["goalpost"]["goalpost_set"])),
    }
    for choice, answers in fits.items():
        if len(answers) > 1:
            raise ConfigurationError(
                f"there is no variants.csv, and {choice} may be {' or '.join(answers)}",
                where=str(folder / "variants.csv"),
                do="write its line `main`: docs/reference-tables.md has the columns, `junheng init` makes one",
            )
    lines = (SKELETON / "reference" / "variants.csv").read_text(encoding="utf-8").splitlines()
    (main,) = csv.DictReader([lines[0], *(line for line in lines if line.startswith(f"{MAIN},"))])
    filled = {column: cell or None for column, cell in main.items()}
    filled |= {choice: next(iter(answers), None) for choice, answers in fits.items()}
    return pl.DataFrame([filled], schema=dict.fromkeys(filled, pl.String))


def check_variants(folder: Path, description: Description, tables: dict[str, pl.DataFrame]) -> None:
    """Raises ConfigurationError for a line of variants.csv that says nothing, or that nothing could be computed for."""
    rows: list[_Row] = tables["variant"].rows(named=True)
    names = [row["variant"] for row in rows]
    if MAIN not in names:
        raise ConfigurationError(
            f"no line of variants.csv is called {MAIN}",
            where=str(folder / "variants.csv"),
            do=f"add a line `{MAIN}` that makes every choice: it says what is meant where nothing else is said",
        )
    main = rows[names.index(MAIN)]
    _check_main(folder, names.index(MAIN), main, description, tables)
    known = _known_values(description, tables)
    for position, row in enumerate(rows):
        where = line_of(folder, "variant", position)
        for choice, (values, do) in known.items():
            if row[choice] is not None and row[choice] not in values:
                raise ConfigurationError(
                    f"{choice} {row[choice]!r} of the variant {row['variant']} is not known here", where=where, do=do
                )
        _check_account(row, main, description, where)
        if row is not main:
            _check_differs(row, main, where)
    _check_scores_are_shown(folder, rows, tables["third_party_score"])


def _check_main(
    folder: Path, position: int, main: _Row, description: Description, tables: dict[str, pl.DataFrame]
) -> None:
    where = line_of(folder, "variant", position)
    if main["subjects"] is not None:
        raise ConfigurationError(
            f"the variant {MAIN} names subjects", where=where, do="leave `subjects` empty: it is computed for all"
        )
    counts_people = "true" in tables["measure"]["is_population"].to_list()
    needless = {
        "fund": not description.spending,
        "account_stage": not description.spending,
        "population_source": not counts_people,
        "goalpost_set": tables["goalpost"].is_empty(),
    }
    choices = [choice for known in choices_of_subjects().values() for choice in known]
    for choice in dict.fromkeys(choices):
        if main[choice] is None and not needless.get(choice, False):
            raise ConfigurationError(
                f"the variant {MAIN} leaves {choice} open",
                where=where,
                do=f"fill it in: docs/reference-tables.md says what {choice} may be",
            )


def _known_values(description: Description, tables: dict[str, pl.DataFrame]) -> dict[str, tuple[set[str], str]]:
    """What each choice may name, and what to do about another name."""

    def column(relation: str, name: str) -> set[str]:
        return set(tables[relation][name].drop_nulls())

    def one_of(values: set[str], otherwise: str) -> tuple[set[str], str]:
        return values, f"use one of {', '.join(sorted(values))}, or {otherwise}" if values else otherwise

    measures = tables["measure"].filter(pl.col("is_population") == "true")["population_source"].drop_nulls()
    sources = {given for found in measures for given in OFFERED.get(found, (found,))}
    years = {str(year) for year in description.reference_geographies}
    methods = set(_vars()["score_methods"]) | column("third_party_score", "method_id")
    return {
        "boundaries": one_of({"reported", *years}, "add the year to reference_geographies in jurisdiction.yml"),
        "population_source": one_of(sources, "add a measure that counts such a population to measures.csv"),
        "fund": one_of({s.fund for s in description.spending}, "add it to `spending` in jurisdiction.yml"),
        "method": one_of(methods, "add scores of that method to third_party_scores.csv"),
        "weight_set": one_of({"equal", *column("weight", "weight_set")}, "add its lines to weights.csv"),
        "target_edition": one_of({"in_force", *column("target", "edition")}, "add its lines to targets.csv"),
        "goalpost_set": one_of(column("goalpost", "goalpost_set"), "add its lines to goalposts.csv"),
    }


def _check_scores_are_shown(folder: Path, rows: list[_Row], scores: pl.DataFrame) -> None:
    """Scores that were given are in some variant: what no variant names is computed nowhere."""
    named = {row["method"] for row in rows}
    for position, method in enumerate(scores["method_id"]):
        if method not in named:
            raise ConfigurationError(
                f"no variant shows the scores of the method {method!r}",
                where=line_of(folder, "third_party_score", position),
                do=f"add a line with the method {method} to variants.csv, or take the scores out",
            )


def _chosen(row: _Row, main: _Row) -> Callable[[str], Any]:
    return lambda choice: row[choice] if row[choice] is not None else main[choice]


def _check_account(row: _Row, main: _Row, description: Description, where: str) -> None:
    """Some measure is of the fund and stage of account together, and constant prices have a year to be those of."""
    chosen = _chosen(row, main)
    accounts = {(source.fund, source.account_stage) for source in description.spending}
    if accounts and (chosen("fund"), chosen("account_stage")) not in accounts:
        raise ConfigurationError(
            f"the variant {row['variant']} is about {chosen('fund')} in the stage {chosen('account_stage')}, which no "
            "measure of spending is of",
            where=where,
            do="name both as one line of `spending` in jurisdiction.yml does",
        )
    if chosen("prices") == "constant" and description.years.base is None:
        raise ConfigurationError(
            f"the variant {row['variant']} is in constant prices, and no year is given whose prices are meant",
            where=where,
            do="give `years` in jurisdiction.yml a `base`",
        )


def _check_differs(row: _Row, main: _Row, where: str) -> None:
    """A variant makes another choice than `main`, and one that its subjects know."""
    known = choices_of_subjects()
    named = row["subjects"].split(";") if row["subjects"] else None
    every = dict.fromkeys(choice for choices in known.values() for choice in choices)
    made = [choice for choice in every if row[choice] is not None and row[choice] != main[choice]]
    if not made:
        raise ConfigurationError(
            f"the variant {row['variant']} makes no other choice than {MAIN}",
            where=where,
            do="fill in what differs, or remove the line",
        )
    for subject in named or []:
        foreign = [choice for choice in made if choice not in known[subject]]
        if foreign:
            raise ConfigurationError(
                f"the variant {row['variant']} is computed for {subject}, which {foreign[0]} makes no difference to",
                where=where,
                do=f"take {subject} off `subjects`, or leave {foreign[0]} empty: it knows {', '.join(known[subject])}",
            )
    if named is None and not any(set(made) <= set(choices) for choices in known.values()):
        raise ConfigurationError(
            f"the variant {row['variant']} makes choices that no subject knows together: {', '.join(made)}",
            where=where,
            do="declare them as variants of their own",
        )
