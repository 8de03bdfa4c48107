"""What `jurisdiction.yml` must say together with the reference tables: regions, measures and classes that exist.

The form of the file is checked by its model (`description`), single tables where they are read (`reference`). Each
error names the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.contract_checks import line_with
from pipelines.jurisdiction.description import Description

FILE = "jurisdiction.yml"


def check_description(folder: Path, description: Description, tables: dict[str, pl.DataFrame]) -> None:
    """Hold the description against the tables of `folder`. Raises ConfigurationError for what does not fit."""
    path = folder / FILE
    if description.home_region not in set(tables["region"]["region_code"]):
        raise ConfigurationError(
            f"home_region {description.home_region!r} is not in regions.csv",
            where=str(path),
            do="correct it or add the region",
        )
    _check_scores(path, description, tables)
    _check_measures(path, description, tables)
    _check_spending(path, description, tables["measure"])
    _check_classes(path, description, tables["functional_class"])


def _where(path: Path, *texts: str) -> str:
    return f"{path}, {line_with(path, *texts)}"


def _check_scores(path: Path, description: Description, tables: dict[str, pl.DataFrame]) -> None:
    """The indicator whose target the degree is measured against is listed."""
    indicator = description.scores.degree_indicator
    if indicator is not None and indicator not in set(tables["indicator"]["indicator_code"]):
        raise ConfigurationError(
            f"the degree_indicator {indicator!r} is in no line of reference/indicators.csv",
            where=_where(path, indicator),
            do="correct it or add its line",
        )


def _check_measures(path: Path, description: Description, tables: dict[str, pl.DataFrame]) -> None:
    """Every measure that is named has a line."""
    known = set(tables["measure"]["measure"])
    for what, measure in _named_measures(description):
        if measure not in known:
            raise ConfigurationError(
                f"{what} names the measure {measure!r}, which is not in reference/measures.csv",
                where=_where(path, measure),
                do="correct it or add a line in measures.csv",
            )


def _named_measures(description: Description) -> Iterator[tuple[str, str]]:
    for source in description.spending:
        yield "spending", source.measure
    for test in description.two_thirds_tests:
        yield from (("two_thirds_tests", test.livelihood), ("two_thirds_tests", test.resources))
    if description.payments_by_item:
        yield "payments_by_item", description.payments_by_item


def _check_spending(path: Path, description: Description, measures: pl.DataFrame) -> None:
    """The classes of one account add up in one way: each government's own, or a region's whole; all, or some."""
    aggregation = dict(measures.select("measure", "aggregation").iter_rows())
    first: dict[tuple[str, str], tuple[str, str | None, bool]] = {}
    for source in description.spending:
        if source.role != "functional":
            continue
        described = (source.measure, aggregation[source.measure], source.exhaustive)
        other = first.setdefault((source.fund, source.account_stage), described)
        if aggregation[source.measure] == "none":
            problem, do = f"{source.measure} cannot be added up", "give it the aggregation whole or own_level"
        elif described[1] != other[1]:
            problem = (
                f"{source.measure} is {described[1]} and {other[0]} is {other[1]}, and both are classes of one account"
            )
            do = "give both the same aggregation in measures.csv, or different funds"
        elif described[2] != other[2]:
            problem = f"{source.measure} and {other[0]} are classes of one account, and only one is called exhaustive"
            do = "together they are all classes, or not: write `exhaustive` for both or for none"
        else:
            continue
        raise ConfigurationError(problem, where=_where(path, source.measure), do=do)


def _check_classes(path: Path, description: Description, classes: pl.DataFrame) -> None:
    """The classes that are people's livelihood are on the list."""
    known = set(classes["class_code"])
    for test in description.two_thirds_tests:
        for code in test.livelihood_classes:
            if not any(listed == code or listed.startswith(code) for listed in known):
                raise ConfigurationError(
                    f"two_thirds_tests names the class {code!r}, which is not in reference/functional_classes.csv",
                    where=_where(path, code),
                    do="correct it or add a line in functional_classes.csv",
                )
