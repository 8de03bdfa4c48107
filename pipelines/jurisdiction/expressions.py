"""The small language of `numerator` and `denominator` in indicators.csv, made into rows for SQL.

    expression = term (('+' | '-') term)*        term = [weight '*'] measure [ '{' dim=a|b, dim2=c '}' ]
    weight = digits ['.' digits] [ '/' digits ]

An unstated dimension is kept (each reported value gives its own figure), except age group and item, which then
mean `all`; `age_group=*` in every term keeps the ages too. Several values of one dimension are summed. A weight is an
exact decimal of at most six digits behind the point; one below 1 takes a part of a figure (four fifths of an age band),
so that what it goes into is an estimate. The arithmetic itself is dbt's, not ours.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.contract import ALLOWED

DIMENSIONS = ("population_basis", "population_source", "residence", "sex", "age_group", "group", "item")
OUTPUT_DIMENSIONS = ("residence", "sex", "age_group", "group")
KEPT = "*"
TOTALS = {"residence": "total", "sex": "all", "age_group": "all", "group": "all"}
POPULATION = "population"
# What a population measure of a source gives: itself, and what is derived of it (int_population__derive): the middle of
# a year of its two ends, the ends of the years between two counts.
OFFERED = {"census": ("census", "year_end"), "year_end": ("year_end", "mid_year")}

DECIMALS = 6  # of a weight
LARGEST = 1_000_000

_TERM = re.compile(
    r"\s*(?P<sign>[+-]?)\s*(?:(?P<weight>[0-9][0-9./ ]*?)\s*\*\s*)?(?P<measure>[a-z][a-z0-9_]*)\s*"
    r"(?:\{(?P<dimensions>[^{}]*)\})?\s*"
)
_WEIGHT = re.compile(r"(\d+(?:\.\d+)?)\s*(?:/\s*(\d+))?")


@dataclass(frozen=True)
class Term:
    """One term: signed weight, measure, and the accepted values of each stated dimension."""

    coefficient: Decimal
    measure: str
    dimensions: dict[str, tuple[str, ...]]


def parse(expression: str, where: str) -> list[Term]:
    """The terms of an expression.

    Raises ConfigurationError naming the place where the text stops making sense.
    """
    terms: list[Term] = []
    position = 0
    while position < len(expression):
        match = _TERM.match(expression, position)
        if not match or match.end() == position or (terms and not match["sign"]):
            raise ConfigurationError(
                f"cannot read the expression {expression!r} from {expression[position:][:30]!r} on",
                where=where,
                do="write it as measure{dimension=value|value} + 2*measure …",
            )
        dimensions: dict[str, tuple[str, ...]] = {}
        for part in (p for p in (match["dimensions"] or "").split(",") if p.strip()):
            name, _, values = part.partition("=")
            name = name.strip()
            if name not in DIMENSIONS or not values.strip():
                raise ConfigurationError(
                    f"{part.strip()!r} in {expression!r} is not dimension=value",
                    where=where,
                    do=f"dimensions are {', '.join(DIMENSIONS)}",
                )
            stated = tuple(v.strip() for v in values.split("|"))
            if name in dimensions or not all(stated) or len(set(stated)) < len(stated):
                raise ConfigurationError(
                    f"{part.strip()!r} in {expression!r} states something twice or not at all",
                    where=where,
                    do="give each dimension once, and each of its values once",
                )
            if KEPT in stated and (len(stated) > 1 or name == "item"):
                raise ConfigurationError(
                    f"{part.strip()!r} in {expression!r}: {KEPT} would add parts to their own total",
                    where=where,
                    do="list the values that are to be summed",
                )
            strange = [v for v in stated if v != KEPT and v not in ALLOWED.get(name, stated)]
            if strange:
                raise ConfigurationError(
                    f"{strange[0]!r} in {expression!r} is no {name}",
                    where=where,
                    do=f"use one of {', '.join(sorted(ALLOWED[name]))}",
                )
            dimensions[name] = stated
        weight = _weight(match["weight"], expression, where)
        terms.append(Term(-weight if match["sign"] == "-" else weight, match["measure"], dimensions))
        position = match.end()
    if not terms:
        raise ConfigurationError("an expression is empty", where=where, do="write it or leave both sides empty")
    return terms


def _weight(text: str | None, expression: str, where: str) -> Decimal:
    """A weight as an exact decimal; 1 where none stands.

    Raises ConfigurationError for one that is no number, is zero or too large, or has no exact decimal of DECIMALS
    digits: a third would be rounded, and sums would no longer be exact.
    """
    if text is None:
        return Decimal(1)
    problem = "is no number"
    do = "write it like 2, 0.5 or 4/5"
    match = _WEIGHT.fullmatch(text.strip())
    if match and match[2] is not None and int(match[2]) == 0:
        problem = "divides by zero"
    elif match:
        exact = Fraction(match[1]) / int(match[2] or 1)
        scaled = exact * 10**DECIMALS
        if exact == 0 or exact > LARGEST:
            problem = f"does not lie between 0 and {LARGEST}"
        elif scaled.denominator != 1:
            problem = f"has no exact decimal of {DECIMALS} digits"
            do = "multiply every weight of both sides until they have, or put the factor into `multiplier`"
        else:
            return Decimal(scaled.numerator).scaleb(-DECIMALS).normalize()
    raise ConfigurationError(f"the weight {text.strip()!r} in {expression!r} {problem}", where=where, do=do)


def term_rows(
    indicator_code: str,
    numerator: list[Term],
    denominator: list[Term],
    population_source: str,
    population_measures: dict[str, str],
    where: str,
) -> list[dict[str, str | int | None]]:
    """The rows of `indicator_term` for one indicator; `status` is E where a weight takes a part of a figure.

    `population_measures` maps each measure that counts a population to its source (census, year_end ...);
    the pseudo-measure `population` stands for all of them within `population_source` (`a|b`, empty = any), where that
    is stated also for what is derived of them.
    """
    sources = {s for s in population_source.split("|") if s}
    outputs = _outputs(numerator, denominator)
    rows: list[dict[str, str | int | None]] = []
    for part, terms in (("numerator", numerator), ("denominator", denominator)):
        for number, term in enumerate(terms, start=1):
            if term.measure == POPULATION:
                measures = [
                    (measure, source)
                    for measure, own in population_measures.items()
                    for source in (OFFERED.get(own, (own,)) if sources else (own,))
                    if not sources or source in sources
                ]
                if not measures:
                    raise ConfigurationError(
                        f"no population measure has the source {population_source!r}",
                        where=where,
                        do="correct `population_source` or measures.csv",
                    )
            else:
                measures = [(term.measure, population_measures.get(term.measure, KEPT))]
            accepted = {d: _accepted(term, d, outputs) for d in DIMENSIONS}
            for measure, source in measures:
                for values in itertools.product(*(accepted[d] for d in DIMENSIONS)):
                    row: dict[str, str | int | None] = {
                        "indicator_code": indicator_code,
                        "part": part,
                        "term_number": number,
                        "coefficient": f"{term.coefficient:f}",
                        "status": "E" if abs(term.coefficient) < 1 else None,
                        "measure": measure,
                    }
                    row.update(dict(zip(DIMENSIONS, values, strict=True)))
                    if row["population_source"] == KEPT:
                        row["population_source"] = source
                    row.update({f"out_{d}": outputs[d] for d in OUTPUT_DIMENSIONS})
                    rows.append(row)
    return rows


def _accepted(term: Term, dimension: str, outputs: dict[str, str]) -> tuple[str, ...]:
    """What a term accepts: the values it states; else every value where the figure keeps it, else only the total.

    A term that kept all values while the other side pins one would add the parts to their own total.
    """
    stated = term.dimensions.get(dimension, (KEPT,))
    if stated != (KEPT,):
        return stated
    if dimension == "item":
        return ("all",)
    if dimension in OUTPUT_DIMENSIONS and outputs[dimension] != KEPT:
        return (TOTALS[dimension],)
    return (KEPT,)


def _outputs(numerator: list[Term], denominator: list[Term]) -> dict[str, str]:
    """What each dimension of the figure is: kept, one value that all terms pin, or the total."""
    outputs: dict[str, str] = {}
    for dimension in OUTPUT_DIMENSIONS:
        unstated = ("all",) if dimension == "age_group" else (KEPT,)
        stated = [t.dimensions.get(dimension, unstated) for t in (*numerator, *denominator)]
        if all(s == (KEPT,) for s in stated):
            outputs[dimension] = KEPT
        elif len(set(stated)) == 1 and len(stated[0]) == 1:
            outputs[dimension] = stated[0][0]
        else:
            outputs[dimension] = TOTALS[dimension]
    return outputs
