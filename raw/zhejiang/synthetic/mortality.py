"""Deaths of one year by age and sex for each city: a smooth table of mortality, made to add up to the deaths there are.

The rates are invented; the people are the census's. Deaths under five are those that the health return already counts.
"""

from __future__ import annotations

from figures import apportion, chance, weight
from inputs import FIVE_YEAR, SampleError
from sample import Sample, Year

SEXES = ("male", "female")
YOUNGEST = FIVE_YEAR[:2]


def deaths_by_age(sample: Sample, figures: Year) -> dict[str, dict[tuple[str, str], int]]:
    """City -> (sex, age band) -> deaths. Ages add up to the city's deaths, the youngest to its deaths under five."""
    rule = sample.parameters["mortality"]
    census = sample.inputs.census[2020]
    result: dict[str, dict[tuple[str, str], int]] = {}
    for city in sorted({unit.parent for unit in figures.units}):
        units = [unit for unit in figures.units if unit.parent == city]
        everyone = sum(unit.deaths["all"] for unit in units)
        young = sum(unit.deaths["under_five"] for unit in units)
        people = census[city]
        weights: dict[tuple[str, str], int] = {}
        for sex in SEXES:
            yearly = rule["at_10"]
            for position, age in enumerate(FIVE_YEAR):
                if position > 4:
                    yearly *= rule["growth"]
                level = rule["infant"] if age == "0" else rule["child"] if position < 4 else yearly
                count = people.men[age] if sex == "male" else people.ages[age] - people.men[age]
                noise = 0.94 + 0.12 * chance(sample.seed, "mortality", city, sex, age)
                weights[sex, age] = weight(count * level * (rule["male"] if sex == "male" else 1.0) * noise)
        small = [key for key in weights if key[1] in YOUNGEST]
        large = [key for key in weights if key[1] not in YOUNGEST]
        deaths = dict(zip(small, apportion(young, [weights[k] for k in small]), strict=True))
        deaths.update(zip(large, apportion(everyone - young, [weights[k] for k in large]), strict=True))
        result[city] = deaths
        for (sex, age), count in deaths.items():
            there = people.men[age] if sex == "male" else people.ages[age] - people.men[age]
            if count > there:
                raise SampleError(f"{city}: {count} deaths of {there} people, {sex} {age}")
    return result
