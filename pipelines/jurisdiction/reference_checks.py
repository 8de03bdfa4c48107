"""What the rows of reference tables must say together: shares that make a whole, classes that map once, weights.

Single cells, keys and links are checked where a table is read (`reference`). Each error names the line.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.reference import EVERYWHERE, line_of

# relation, column of shares, columns that name the whole: its shares are all known or none is, and add up to 1.
WHOLES = (
    ("region_change", "population_share", ("from_code", "effective_date")),
    ("region_change", "share_of_to", ("to_code", "effective_date")),
    ("item_payer_share", "share", ("item", "region_code", "edition")),
)


def check_wholes(folder: Path, tables: dict[str, pl.DataFrame]) -> None:
    """Raises ConfigurationError for shares outside 0 to 1, known in part only, or adding up to another sum than 1."""
    for relation, column, names in WHOLES:
        wholes: dict[tuple[str, ...], list[tuple[int, str | None]]] = {}
        for position, row in enumerate(tables[relation].select(column, *names).iter_rows()):
            wholes.setdefault(row[1:], []).append((position, row[0]))
        for key, parts in wholes.items():
            whole = ", ".join(key)
            shares = [share for _, share in parts]
            where = line_of(folder, relation, parts[-1][0])
            if all(share is None for share in shares):
                continue
            for position, share in parts:
                if share is None or not 0 <= Decimal(share) <= 1:
                    raise ConfigurationError(
                        f"{column} of {whole} is {share or 'empty'} where others of the same whole are known"
                        if share is None
                        else f"{column} {share} of {whole} lies outside 0 to 1",
                        where=line_of(folder, relation, position),
                        do="give every part its share, or none",
                    )
            total = sum(Decimal(share) for share in shares if share is not None)
            if total != 1:
                raise ConfigurationError(
                    f"{column} of {whole} adds up to {total}, not to 1",
                    where=where,
                    do="correct the shares, or add a line for what stays",
                )


def check_classes(folder: Path, classes: pl.DataFrame, used: dict[str, str]) -> None:
    """A functional class stands in one domain on each day, and every class that an extract may hold stands in one.

    `used` maps each class code that a contract lists to the contract's place. Raises ConfigurationError for a class
    that lies inside another one in force on the same day, or that no line maps.
    """
    rows = list(classes.select("class_code", "valid_from", "valid_to").iter_rows())
    spans: dict[str, list[tuple[str, str]]] = {}
    for code, start, end in rows:
        spans.setdefault(code, []).append((start, end or "9999"))
    for position, (code, start, end) in enumerate(rows):
        for length in range(1, len(code)):
            for other_start, other_end in spans.get(code[:length], []):
                if start < other_end and other_start < (end or "9999"):
                    raise ConfigurationError(
                        f"the class {code} lies inside {code[:length]}, which is mapped on the same days",
                        where=line_of(folder, "functional_class", position),
                        do="map the parts or the whole, not both: money would be counted twice",
                    )
    for code, where in used.items():
        if code not in spans:
            raise ConfigurationError(
                f"no line of functional_classes.csv maps the class {code!r}",
                where=where,
                do="add it there with its domain, or take it off the contract's codes",
            )


def check_weights(folder: Path, tables: dict[str, pl.DataFrame]) -> None:
    """A weight is not negative and stands for a domain below `all`, or for an indicator below its own domain.

    Raises ConfigurationError for any other weight, and for a parent whose weights are all zero.
    """
    domains = set(tables["domain"]["domain"])
    home = dict(tables["indicator"].select("indicator_code", "domain").iter_rows())
    sums: dict[tuple[str, str, str], Decimal] = {}
    last: dict[tuple[str, str, str], int] = {}
    rows = tables["weight"].select("weight_set", "parent", "child", "edition", "weight").iter_rows()
    for position, (name, parent, child, edition, weight) in enumerate(rows):
        if Decimal(weight) < 0:
            problem, do = f"the weight {weight} of {child} is negative", "a weight is zero or more"
        elif parent == EVERYWHERE and child not in domains:
            problem, do = f"{child!r} below {EVERYWHERE} is no domain", "name a domain of domains.csv"
        elif parent != EVERYWHERE and parent not in domains:
            problem, do = f"the parent {parent!r} is no domain", f"name a domain of domains.csv, or {EVERYWHERE}"
        elif parent != EVERYWHERE and home.get(child) != parent:
            problem, do = f"{child!r} is no indicator of {parent}", "name an indicator of that domain"
        else:
            key = (name, parent, edition)
            sums[key] = sums.get(key, Decimal(0)) + Decimal(weight)
            last[key] = position
            continue
        raise ConfigurationError(problem, where=line_of(folder, "weight", position), do=do)
    for key, total in sums.items():
        if total == 0:
            raise ConfigurationError(
                f"all weights of {key[1]} in the set {key[0]} are zero",
                where=line_of(folder, "weight", last[key]),
                do="give at least one of them a weight",
            )
