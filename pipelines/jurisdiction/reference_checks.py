"""What the rows of a reference table must say together: shares that make a whole, classes that map once.

Single cells, keys and links are checked where a table is read (`reference`). Each error names the line.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.reference import line_of

# relation, column of shares, columns that name the whole: its shares are all known or none is, and add up to 1.
WHOLES = (
    ("region_change", "population_share", ("from_code", "effective_date")),
    ("region_change", "share_of_to", ("to_code", "effective_date")),
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
