"""What expressions in reference tables ask for, as rows for SQL: both sides of indicators, and the users of domains.

The language itself is in `expressions`, the arithmetic in dbt. Each error names the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction import expressions
from pipelines.jurisdiction.expressions import KEPT, POPULATION, Term
from pipelines.jurisdiction.reference import lines_of
from pipelines.jurisdiction.reference_schema import table_named
from pipelines.jurisdiction.source_schema import as_text

# Users are counted whole, in town and country where the measure tells them apart: these are `all` unless stated.
_WHOLE = {"sex": ("all",), "group": ("all",)}
_Row = dict[str, str | int | None]


def indicator_tables(folder: Path, tables: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The terms that indicators and users are computed from, and the indicators with `is_computed` and `service`.

    `folder` holds the reference tables, `tables` is what they hold. The terms of a domain's users bear the code
    of their subject, `per_user.DOMAIN`, and are a denominator alone. Raises ConfigurationError for what cannot be
    computed.
    """
    measures = tables["measure"]
    populations = {
        m: source or "none"
        for m, source, is_population in measures.select("measure", "population_source", "is_population").iter_rows()
        if is_population == "true"
    }
    rows: list[_Row] = []
    computed: list[str] = []
    for where, row in _lines(folder, tables, "indicator", "indicator_code"):
        sides = _sides(row, where)
        computed.append(str(sides is not None).lower())
        if sides is None:
            continue
        parsed = [expressions.parse(side, where) for side in sides]
        _check_measures([*parsed[0], *parsed[1]], {POPULATION, *measures["measure"]}, where)
        source = row["population_source"] or ""
        rows += expressions.term_rows(row["indicator_code"], parsed[0], parsed[1], source, populations, where)
    counted = set(measures.filter(pl.col("kind") != "rate")["measure"]) - set(populations)
    for where, row in _lines(folder, tables, "domain", "domain"):
        rows += _user_rows(row, counted, where)
    services = {
        code: row["service"]
        for row in tables["service"].iter_rows(named=True)
        for code in (row["indicators"] or "").split(";")
        if code
    }
    indicators = tables["indicator"].with_columns(
        pl.Series("is_computed", computed, dtype=pl.String),
        pl.col("indicator_code").replace_strict(services, default=None, return_dtype=pl.String).alias("service"),
    )
    called = {"group": "group_code", "status": "term_letters"}
    terms = pl.DataFrame(
        [{called.get(name, name): value for name, value in row.items()} for row in rows],
        schema={**as_text("indicator_term"), "term_number": pl.Int64()},
    )
    return terms, indicators


def _lines(folder: Path, tables: dict[str, pl.DataFrame], relation: str, key: str) -> Iterator[tuple[str, Any]]:
    """Each row of a reference table with the place where it is written."""
    path, lines = folder / table_named(relation).file, lines_of(folder, relation)
    for line, row in zip(lines, tables[relation].iter_rows(named=True), strict=True):
        yield f"{path}, line {line} ({row[key]})", row


def _sides(row: dict[str, Any], where: str) -> tuple[str, str] | None:
    """Numerator and denominator of an indicator; None where it says why it has none."""
    numerator, denominator = row["numerator"], row["denominator"]
    if not (numerator or denominator):
        if row["reason"]:
            return None
        problem, do = "an indicator without expressions needs a reason", "say in `reason` what is missing"
    elif not (numerator and denominator):
        problem, do = "an indicator has only one side of its fraction", "give numerator and denominator"
    elif not row["multiplier"]:
        problem, do = "an indicator with expressions needs a multiplier", "write 1, 100, 1000 …"
    else:
        return numerator, denominator
    raise ConfigurationError(problem, where=where, do=do)


def _check_measures(terms: list[Term], known: set[str], where: str) -> None:
    for term in terms:
        if term.measure not in known:
            raise ConfigurationError(
                f"the measure {term.measure!r} is not in measures.csv", where=where, do="add it or correct its name"
            )


def _user_rows(row: dict[str, Any], counted: set[str], where: str) -> list[_Row]:
    """The terms of the users of a domain's services; none where the domain declares no users."""
    named = [row[column] for column in ("users", "users_name_zh", "users_name_en")]
    if not any(named):
        return []
    if not all(named):
        raise ConfigurationError(
            "a domain names its users without saying how they are counted, or counts them without a name",
            where=where,
            do="fill in users, users_name_zh and users_name_en, or none of them",
        )
    terms = expressions.parse(row["users"], where)
    for term in terms:
        if term.measure not in counted:
            raise ConfigurationError(
                f"users are counted by {term.measure!r}, which is no measure of measures.csv that counts users",
                where=where,
                do="name measures of people who use the service: no population (spending per head is there), no rate",
            )
        if any(KEPT in values for values in term.dimensions.values()):
            raise ConfigurationError(
                f"users are counted by each part of {term.measure!r}", where=where, do="list the parts to be summed"
            )
    whole = [replace(term, dimensions={**_WHOLE, **term.dimensions}) for term in terms]
    rows = expressions.term_rows(f"per_user.{row['domain']}", [], whole, "", {}, where)
    for made in rows:
        # whatever parts are listed, they are all the users
        made.update({f"out_{d}": "all" for d in ("sex", "age_group", "group")})
        if made["out_residence"] != KEPT:
            made["out_residence"] = "total"
    return rows
