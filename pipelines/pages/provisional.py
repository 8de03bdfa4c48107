"""From which delivery provisional figures are: those that stay at the last good one while a later one is held.

Which deliveries are held and why is on the quality report; here a figure gets the day that is shown beside it. A figure
that its department itself calls provisional has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from pipelines.pages.subjects import Facts, Figure, Subject
from pipelines.publish import Release, Row

PROVISIONAL = "P"


DayOf = Callable[[int], date | None]
"""The day that a provisional figure of a year stays at; None where it stands in for none."""


@dataclass(frozen=True)
class StandIns:
    """What stands in for held deliveries: of each measure, and each year of it, the day when that was received."""

    days: dict[str, dict[int, date]]
    population: frozenset[str] = frozenset()  # measures that `population` in a denominator means
    spending: frozenset[str] = frozenset()
    indicators: dict[str, set[str]] = field(default_factory=dict)  # measures that each rests on
    domains: dict[str, set[str]] = field(default_factory=dict)  # measures of the indicators of a domain

    def day(self, measures: set[str] | None, year: int) -> date | None:
        """The oldest of the days that a figure of a year rests on by these measures (None: any); None without any.

        Where the year itself has none, other years count: averages and populations in between rest on these.
        """
        known = [days for measure, days in self.days.items() if measures is None or measure in measures]
        of_year = [days[year] for days in known if year in days]
        return min(of_year or [day for days in known for day in days.values()], default=None)

    def of_spending(self, year: int) -> date | None:
        """The day for spending per head."""
        return self.day(set(self.spending | self.population), year)

    def of_indicator(self, code: str) -> DayOf:
        """The days for an indicator."""
        return lambda year: self.day(self.indicators.get(code), year)

    def of_population(self, year: int) -> date | None:
        """The day for a population."""
        return self.day(set(self.population), year)

    def of_subject(self, subject: Subject, year: int) -> date | None:
        """The day for a figure of a subject."""
        if subject.kind in ("spending", "budget_share", "per_user"):
            return self.of_spending(year)
        if subject.kind == "indicator":
            return self.of_indicator(subject.key)(year)
        return self.day(self.domains.get(subject.domain), year)


def stand_ins(release: Release) -> StandIns:
    """What stands in for held deliveries in a release."""
    days: dict[str, dict[int, date]] = {}
    if release.has("audit_receipt", "fct_observation"):
        for measure, year, day in release.tuples(
            "select o.measure, o.year, max(cast(r.received_at as date)) from fct_observation o "
            "join audit_receipt r using (receipt_id) where r.in_place_of is not null and o.is_latest group by all"
        ):
            days.setdefault(measure, {})[year] = day
    roles = release.card.get("measures", {})  # releases of before it was named have none, and no day is shown
    found = StandIns(days, frozenset(roles.get("population", [])), frozenset(roles.get("spending", [])))
    if days and release.has("dim_indicator"):
        for row in release.rows("select indicator_code, domain, numerator, denominator from dim_indicator"):
            measures = found.indicators[row["indicator_code"]] = _named(row, found.population)
            found.domains.setdefault(row["domain"], set()).update(measures)
    return found


def _named(row: Row, population: frozenset[str]) -> set[str]:
    """The measures that an indicator's numerator and denominator name."""
    words = set(re.findall(r"[a-z_][a-z0-9_]*", f"{row['numerator'] or ''} {row['denominator'] or ''}"))
    return words | (population if "population" in words else set())


def is_provisional(status: str | None) -> bool:
    """Whether a status says so."""
    return PROVISIONAL in (status or "").split(";")


def date_rows(rows: Iterable[Row], day: DayOf) -> None:
    """Give each row with a `year` and an `obs_status` that says so the day of the delivery it stays at (`stays_at`)."""
    for row in rows:
        row["stays_at"] = day(row["year"]) if is_provisional(row["obs_status"]) else None


def date_figures(release: Release, facts: Facts) -> None:
    """Give each provisional figure of a release the day of the delivery that it stays at."""
    found = stand_ins(release)
    if not found.days:
        return
    for subject in facts.subjects.values():
        for by_year in subject.figures.values():
            for year, figure in by_year.items():
                by_year[year] = _dated(figure, found, subject)


def _dated(figure: Figure, found: StandIns, subject: Subject) -> Figure:
    if not is_provisional(figure.status):
        return figure
    return replace(figure, stays_at=found.of_subject(subject, figure.year))
