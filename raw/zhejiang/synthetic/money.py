"""Money beside the general budget's final account: resources, other funds, the budget adopted, who paid for an item.

Amounts are whole: ten thousand yuan, as departments return them, or yuan where a function says so. Everything hangs on
the final account of `sample.py`, so that levels of government add up in each table as they do there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from figures import Spending, apportion, chance, weight, whole
from inputs import SampleError
from sample import Sample, Year

PAYERS = ("central", "province", "city", "county", "other")
TEN_THOUSAND = 10_000


@dataclass
class Resources:
    """One government's year, in yuan."""

    code: str
    name: str
    disposable: int
    livelihood: int


def resources(sample: Sample, figures: Year) -> list[Resources]:
    """Disposable fiscal resources, and what of the final account went to people's livelihood."""
    rule = sample.parameters["money"]
    line = rule["resources"]
    level = line["start"] + (line["end"] - line["start"]) * (figures.year - 2015) / 5
    result = []
    for government in figures.spending:
        lasting = chance(sample.seed, "resources", government.code) - 0.5
        passing = chance(sample.seed, "resources", government.code, figures.year) - 0.5
        share = level + line["spread"] * (1.2 * lasting + 0.8 * passing)
        odd_yuan = int(TEN_THOUSAND * chance(sample.seed, "odd yuan", government.code, figures.year))
        livelihood = sum(sum(parts) for code, parts in government.classes.items() if code in rule["livelihood"])
        disposable = whole(government.total * share) * TEN_THOUSAND + odd_yuan
        result.append(Resources(government.code, government.name, disposable, livelihood * TEN_THOUSAND))
        if not 0 < livelihood < government.total:
            raise SampleError(f"{figures.year}: {government.name} has livelihood spending of {livelihood}")
    return result


def funds(sample: Sample, figures: Year) -> list[tuple[str, Spending, str, int]]:
    """(measure, government, class, ten thousand yuan) of the budgets beside the general one."""
    result = []
    for measure, classes in sample.parameters["money"]["fund"].items():
        for government in figures.spending:
            for code, shares in classes.items():
                noise = 0.8 + 0.4 * chance(sample.seed, measure, code, government.code, figures.year)
                result.append((measure, government, code, whole(government.total * shares[government.level] * noise)))
    return result


def adopted_budget(sample: Sample, figures: Year) -> list[tuple[Spending, str, int]]:
    """(government, class, ten thousand yuan) of the budget adopted for a year; some classes are one there."""
    rule = sample.parameters["money"]
    result = []
    for government in figures.spending:
        classes: dict[str, int] = {}
        for code, parts in government.classes.items():
            low, high = rule["budget"]["low"], rule["budget"]["high"]
            share = low + (high - low) * chance(sample.seed, "budget", code, government.code, figures.year)
            name = rule["merged_in_budget"].get(code, code)
            classes[name] = classes.get(name, 0) + whole(sum(parts) * share)
        result += [(government, code, amount) for code, amount in sorted(classes.items())]
    return result


def item_payments(sample: Sample, figures: Year) -> list[tuple[str, str, dict[str, int], bool]]:
    """(city, item, payer -> yuan, kept) for each city and item of the list: what each level paid in the year.

    `kept` says whether every payer is within one percentage point of the agreed split.
    """
    rule = sample.parameters["item_payments"]
    agreed: dict[str, dict[str, float]] = {}
    for row in sample.inputs.payer_shares:
        agreed.setdefault(row["item"], {})[row["government_level"]] = float(row["share"])
    people: dict[str, int] = {}
    for unit in figures.units:
        people[unit.parent] = people.get(unit.parent, 0) + unit.residents
    result = []
    for city in sorted(people):
        for item, shares in agreed.items():
            size = 1 / 3 + 5 / 3 * chance(sample.seed, "item", item)
            total = whole(people[city] * rule["yuan_per_resident"] * size)
            paid = dict(zip(PAYERS, apportion(total, [weight(shares[p]) for p in PAYERS]), strict=True))
            if chance(sample.seed, "off", city, item) < rule["off"]:
                # The level above paid less than agreed and the county stood in for it.
                short = min(paid["province"], whole(total * (0.02 + 0.06 * chance(sample.seed, "short", city, item))))
                paid["province"], paid["county"] = paid["province"] - short, paid["county"] + short
            kept = all(abs(paid[p] - shares[p] * total) <= 0.01 * total for p in PAYERS)
            result.append((city, item, paid, kept))
            if sum(paid.values()) != total or min(paid.values()) < 0:
                raise SampleError(f"{item} in {city}: payments do not add up")
    return result


def check_money(sample: Sample, must: Callable[[bool, str], None]) -> None:
    """What is promised of the money: the test of new resources is decided either way, and every table is complete."""
    totals = []
    for figures in sample.years:
        rows = resources(sample, figures)
        totals.append((sum(r.disposable for r in rows), sum(r.livelihood for r in rows)))
        own = sum(g.total for g in figures.spending)
        must(totals[-1][1] < own * TEN_THOUSAND, f"{figures.year}: livelihood exceeds the final account")
        adopted = sum(amount for _, _, amount in adopted_budget(sample, figures))
        must(0.9 * own < adopted < 1.05 * own, f"{figures.year}: the budget adopted is {adopted} for {own}")
    (first, spent_first), (last, spent_last) = totals[0], totals[-1]
    must(
        last > first and 3 * (spent_last - spent_first) >= 2 * (last - first),
        "two thirds of new resources, in all years",
    )


def money_truth(sample: Sample) -> list[list[str]]:
    """What measures of money must give again: indicator, region, year, numerator and denominator.

    FIS02 holds both increments against the year before and, as year 0, from the first year to the last; FIS06 the
    items whose split was kept and all items with a split, by city.
    """
    home = sample.parameters["home"]
    sums = []
    for figures in sample.years:
        rows = resources(sample, figures)
        sums.append((figures.year, sum(r.livelihood for r in rows), sum(r.disposable for r in rows)))
    truth = [
        ["FIS02", home, str(year), str(spent - spent_before), str(new - new_before)]
        for (_, spent_before, new_before), (year, spent, new) in pairwise(sums)
    ]
    truth.append(["FIS02", home, "0", str(sums[-1][1] - sums[0][1]), str(sums[-1][2] - sums[0][2])])
    kept: dict[str, list[bool]] = {}
    last = sample.years[-1]
    for city, _, _, is_kept in item_payments(sample, last):
        kept.setdefault(city, []).append(is_kept)
    truth += [["FIS06", city, str(last.year), str(sum(flags)), str(len(flags))] for city, flags in sorted(kept.items())]
    return truth
