"""Whether figures can be told on the regions of another year: every step from the regions of the data to that list;
and whether there is a list for figures that come on the regions of another year.

The arithmetic of re-basing is dbt's (`int_region__succession`); here it is only asked, before anything is built,
whether the reference tables hold what it needs. Each error names the line.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.contract_checks import line_with
from pipelines.jurisdiction.reference import line_of

_NEVER = "9999-12-31"

Stretch = tuple[str, str]
"""A code and the first day of a time in which its land does not change."""


class _Succession:
    """What becomes of each region on the way to the list of one day."""

    def __init__(self, folder: Path, tables: dict[str, pl.DataFrame], year: int, first: int, last: int) -> None:
        self.folder = folder
        self.year = year
        self.day = f"{year}-12-31"
        self.first_day, self.last_day = f"{first}-01-01", f"{last}-12-31"
        self.versions = list(tables["region"].select("region_code", "valid_from", "valid_to").iter_rows())
        self.changes = list(tables["region_change"].iter_rows(named=True))
        self.unions = {
            row["member_code"]: row["union_code"]
            for row in tables["region_union"].iter_rows(named=True)
            if row["reference_geography"] == str(year)
        }
        self.ends: dict[Stretch, str] = {}
        self.version_of: dict[Stretch, int] = {}
        days: dict[str, set[str]] = {}
        for change in self.changes:
            for code in (change["from_code"], change["to_code"]):
                days.setdefault(code, set()).add(change["effective_date"])
        for position, (code, start, end) in enumerate(self.versions):
            inside = sorted(day for day in days.get(code, ()) if start < day < (end or _NEVER))
            for begins, stops in zip([start, *inside], [*inside, end or _NEVER], strict=True):
                self.ends[code, begins] = stops
                self.version_of[code, begins] = position
        self.before = {(code, stops): (code, begins) for (code, begins), stops in self.ends.items()}
        self.going = _grouped(self.changes, "from_code")
        self.coming = _grouped(self.changes, "to_code")
        self.found: dict[Stretch, frozenset[str]] = {}

    def is_listed(self, stretch: Stretch) -> bool:
        """Whether it is one of the regions of the list."""
        return stretch[1] <= self.day < self.ends[stretch]

    def ends_in(self, stretch: Stretch) -> frozenset[str]:
        """The regions or unions of the list that hold what was there. Raises ConfigurationError for a missing step."""
        # each is looked at once, whatever number of ways leads to it
        if stretch not in self.found:
            self.found[stretch] = self._look(stretch)
        return self.found[stretch]

    def _look(self, stretch: Stretch) -> frozenset[str]:
        code, begins = stretch
        if self.is_listed(stretch):
            return frozenset({self.unions.get(code, code)})
        is_forward = self.ends[stretch] <= self.day
        day = self.ends[stretch] if is_forward else begins
        links = (self.going if is_forward else self.coming).get((code, day), [])
        column, other = ("population_share", "to_code") if is_forward else ("share_of_to", "from_code")
        nexts: list[Stretch | None] = []
        for position in links:
            following = self.changes[position][other]
            nexts.append((following, day) if is_forward else self.before.get((following, day)))
        own = (code, day) if is_forward else self.before.get((code, day))
        stays = own in self.ends and (not links if is_forward else (code, day) not in self.going)
        if stays:
            nexts.append(own)
        if any(step is None or step not in self.ends for step in nexts):
            raise ConfigurationError(
                f"a change of {code} on {day} names a region that was not there",
                where=line_of(self.folder, "region_change", links[0]),
                do="correct the codes or the date, or the validity in regions.csv",
            )
        if not nexts and self._matters(day, is_forward):
            raise ConfigurationError(
                f"{code} {'ends' if is_forward else 'begins'} on {day} and no change says "
                f"{'what became of it' if is_forward else 'what it came from'}: "
                f"its figures cannot be told on the regions of {self.year}",
                where=line_of(self.folder, "region", self.version_of[stretch]),
                do="add the change to region_changes.csv, or take the year off reference_geographies",
            )
        result = frozenset[str]().union(*(self.ends_in(step) for step in nexts if step))
        unknown = [position for position in links if self.changes[position][column] is None]
        if len(nexts) > 1 and unknown and len(result) > 1 and self._matters(day, is_forward):
            raise ConfigurationError(
                f"{column} of the change of {code} on {day} is missing: "
                f"figures cannot be told on the regions of {self.year}",
                where=line_of(self.folder, "region_change", unknown[0]),
                do="give every part its share with its source, or declare a union in region_unions.csv",
            )
        return result

    def _matters(self, day: str, is_forward: bool) -> bool:
        """Whether there can be figures on the far side of a change."""
        return day > self.first_day if is_forward else day <= self.last_day


def check_geographies(
    folder: Path, tables: dict[str, pl.DataFrame], home: str, years: tuple[int, int], geographies: Iterable[int]
) -> None:
    """Raises ConfigurationError when figures of these years cannot be told on the lists of regions of `geographies`.

    `folder` is the folder of the reference tables, `home` the region whose list must be there.
    """
    for year in geographies:
        succession = _Succession(folder, tables, year, *years)
        listed = {code for code, begins in succession.ends if succession.is_listed((code, begins))}
        parents = _parents(tables["region"], year)
        if home not in listed or home not in parents.values():
            raise ConfigurationError(
                f"regions.csv lists no regions of {home} for the end of {year}",
                where=str(folder / "regions.csv"),
                do="add them with their validity, or take the year off reference_geographies",
            )
        _check_unions(folder, tables["region_union"], str(year), parents, set(tables["region"]["region_code"]))
        for stretch in succession.ends:
            succession.ends_in(stretch)


def check_boundaries(path: Path, regions: pl.DataFrame, home: str, year: int) -> None:
    """Raises ConfigurationError when no regions below `home` are listed for the end of the year that the contract at
    `path` names as its `boundaries`."""
    if home not in _parents(regions, year).values():
        raise ConfigurationError(
            f"boundaries is {year}, and regions.csv lists no regions of {home} for the end of {year}",
            where=f"{path}, {line_with(path, f'boundaries: {year}')}",
            do="name the year whose regions the figures are on, or add these regions with their validity",
        )


def _parents(regions: pl.DataFrame, year: int) -> dict[str, str | None]:
    """The regions listed for the end of a year, with the region above each."""
    day = f"{year:04}-12-31"
    listed = (pl.col("valid_from") <= day) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > day))
    return dict(regions.filter(listed).select("region_code", "parent_code").iter_rows())


def _check_unions(
    folder: Path, unions: pl.DataFrame, year: str, parents: dict[str, str | None], codes: set[str]
) -> None:
    """The members of a union are on the list, have nothing below them, and one parent together."""
    above: dict[str, str | None] = {}
    for position, row in enumerate(unions.iter_rows(named=True)):
        if row["reference_geography"] != year:
            continue
        union, member = row["union_code"], row["member_code"]
        problem = None
        if union in codes:
            problem = f"the code {union} of a union is the code of a region"
        elif member not in parents:
            problem = f"the member {member} of the union {union} is not on the list of {year}"
        elif member in parents.values():
            problem = f"the member {member} of the union {union} has regions below it"
        elif above.setdefault(union, parents[member]) != parents[member]:
            problem = f"the members of the union {union} do not lie in one region"
        if problem:
            raise ConfigurationError(
                problem,
                where=line_of(folder, "region_union", position),
                do="name units of that list that lie side by side, and a code of the union's own",
            )


def _grouped(changes: list[dict[str, str]], column: str) -> dict[tuple[str, str], list[int]]:
    """Positions of changes by code and day."""
    found: dict[tuple[str, str], list[int]] = {}
    for position, change in enumerate(changes):
        found.setdefault((change[column], change["effective_date"]), []).append(position)
    return found
