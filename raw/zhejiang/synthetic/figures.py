"""What a unit of land is, by year, and the tools that its figures are made with: chance, shares, rates.

Arithmetic is on whole numbers and on single operations of floats, which every machine computes alike (`sum` of floats
is left out: its rounding changed between versions of Python); chance is a hash of the seed and a name, so a figure
does not depend on the order in which figures are made. `sample.py` makes the figures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from inputs import FIVE_YEAR, Census, Inputs, SampleError

# Ages asked for, as parts of the census bands (part, of): people are spread evenly within a band.
TARGET_AGES: dict[str, dict[str, tuple[int, int]]] = {
    "3-5": {"1-4": (2, 4), "5-9": (1, 5)},
    "6-11": {"5-9": (4, 5), "10-14": (2, 5)},
    "12-14": {"10-14": (3, 5)},
    "15-17": {"15-19": (3, 5)},
    "25-64": dict.fromkeys(FIVE_YEAR[6:14], (1, 1)),
    "60+": dict.fromkeys(FIVE_YEAR[13:], (1, 1)),
    "65+": dict.fromkeys(FIVE_YEAR[14:], (1, 1)),
}
YOUNG = {"0": (1, 1), "1-4": (1, 1), "5-9": (1, 1), "10-14": (1, 1), "15-19": (1, 5)}  # below 16
STAGES = ("primary", "junior", "upper_secondary", "vocational")
SCHEMES = ("pension", "medical", "unemployment", "work_injury", "maternity")


# -- chance and shares -----------------------------------------------------------------------------------------


def chance(seed: str, *key: object) -> float:
    """A number in [0, 1) that depends on the seed and the key only."""
    digest = hashlib.sha256("\0".join([seed, *map(str, key)]).encode()).digest()
    return int.from_bytes(digest[:6], "big") / (1 << 48)


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """A whole number shared out by weights with nothing lost: largest remainder, the earlier one at a tie."""
    weight_sum = sum(weights)
    if total == 0 or weight_sum == 0:
        if total:
            raise SampleError(f"{total} cannot be shared out: all weights are zero")
        return [0] * len(weights)
    parts = [divmod(total * weight, weight_sum) for weight in weights]
    result = [whole for whole, _ in parts]
    order = sorted(range(len(parts)), key=lambda i: (-parts[i][1], i))
    for i in order[: total - sum(result)]:
        result[i] += 1
    return result


def whole(value: float) -> int:
    """The nearest whole number, halves up, never below zero."""
    return max(0, int(value + 0.5))


def weight(value: float) -> int:
    """A float as a weight for `apportion`."""
    return max(0, int(value * 1_000_000))


# -- land ------------------------------------------------------------------------------------------------------


@dataclass
class Atom:
    """A piece of land that has stayed in one unit at a time since the 2010 census."""

    key: str
    origin: str
    goes: dict[tuple[str, str], str]  # (code before, date) -> code after, for the parts that moved
    share: float
    start: Census = field(default_factory=lambda: Census(0, 0, 0, 0, 0, {}))
    end: Census = field(default_factory=lambda: Census(0, 0, 0, 0, 0, {}))

    def code_on(self, day: str, changes: Iterable[dict[str, str]]) -> str:
        """The code of the unit that the land belongs to on a day."""
        code = self.origin
        for change in changes:
            if change["effective_date"] > day or change["from_code"] != code:
                continue
            part_goes = self.goes.get((code, change["effective_date"])) == change["to_code"]
            if change["population_share"] == "1" or part_goes:
                code = change["to_code"]
        return code


def make_atoms(inputs: Inputs) -> list[Atom]:
    """The atoms, with their people in 2010 and 2020."""
    changes = sorted(inputs.changes, key=lambda c: (c["effective_date"], c["from_code"], c["to_code"]))
    before_2021 = [c for c in changes if c["effective_date"] < "2020-11-01"]
    parts: dict[str, list[dict[str, Any]]] = {}
    for part in inputs.parameters["part"]:
        parts.setdefault(part["from"], []).append(part)
    regions = inputs.in_force("2010-11-01")
    atoms = []
    for code in sorted(c for c in inputs.census[2010] if regions[c].level == "county"):
        rest = 1.0
        for part in parts.get(code, []):
            date = next(
                c["effective_date"] for c in before_2021 if (c["from_code"], c["to_code"]) == (code, part["to"])
            )
            rest -= part["share"]
            atoms.append(Atom(f"{code}>{part['to']}", code, {(code, date): part["to"]}, part["share"]))
        if rest > 0.0001:
            atoms.append(Atom(code, code, {}, rest))
    by_origin: dict[str, list[Atom]] = {}
    by_end: dict[str, list[Atom]] = {}
    for atom in atoms:
        by_origin.setdefault(atom.origin, []).append(atom)
        by_end.setdefault(atom.code_on("2020-11-01", changes), []).append(atom)
    for code, members in by_origin.items():
        starts = _split(inputs.census[2010][code], [weight(a.share) for a in members])
        for atom, start in zip(members, starts, strict=True):
            atom.start = start
    listed = {c for c, r in inputs.in_force("2020-11-01").items() if r.level in ("county", "zone")}
    if set(by_end) != listed:
        raise SampleError(f"land and list of regions differ in 2020: {sorted(set(by_end) ^ listed)}")
    for code, members in by_end.items():
        census = inputs.census[2020][code]
        for atom, end in zip(members, _split(census, [a.start.total for a in members]), strict=True):
            atom.end = end
        # Land without villages in 2010 has none in 2020: the unit's rural people live on its other land.
        villages = [a.start.rural for a in members]
        rural = apportion(census.rural, villages if any(villages) else [a.end.total for a in members])
        for atom, count in zip(members, rural, strict=True):
            atom.end.rural, atom.end.urban = count, atom.end.total - count
    return atoms


def _split(census: Census, weights: list[int]) -> list[Census]:
    """A unit's count shared out among its land."""
    totals = apportion(census.total, weights)
    rural = apportion(census.rural, totals)
    male = apportion(census.male, totals)
    registered = apportion(census.registered, totals)
    ages = {age: apportion(count, totals) for age, count in census.ages.items()}
    return [
        Census(t, t - rural[i], rural[i], male[i], registered[i], {age: counts[i] for age, counts in ages.items()})
        for i, t in enumerate(totals)
    ]


# -- a unit in a year ------------------------------------------------------------------------------------------


@dataclass
class Unit:
    """A county or zone in one year, with everything its departments report."""

    code: str
    name: str
    parent: str
    year: int
    key: str  # stays the same when the code changes
    is_accelerated: bool
    is_island: bool
    residents: int = 0
    rural: int = 0
    ages: dict[str, int] = field(default_factory=dict)
    below_16: int = 0
    babies: int = 0
    registered: int = 0
    registered_male: int = 0
    pupils: dict[str, int] = field(default_factory=dict)
    teachers: dict[str, int] = field(default_factory=dict)
    schools: dict[str, int] = field(default_factory=dict)
    standard: dict[str, int] = field(default_factory=dict)
    kindergarten_children: int = 0
    kindergarten_places: int = 0
    migrant_pupils: int = 0
    migrant_public: int = 0
    beds: int = 0
    doctors: int = 0
    signed: int = 0
    managed: int = 0
    births: int = 0
    deaths: dict[str, int] = field(default_factory=dict)
    entitled: int = 0
    insured: dict[str, int] = field(default_factory=dict)
    insured_registered: dict[str, int] = field(default_factory=dict)
    applicants: int = 0
    housed: int = 0
    subsidised: int = 0
    unsafe: int = 0
    repaired: int = 0
    land: int = 0  # hectares
    counts: dict[str, int] = field(default_factory=dict)  # see counts.py

    @property
    def urban(self) -> int:
        """Urban residents."""
        return self.residents - self.rural

    @property
    def migrant_share(self) -> float:
        """The part of residents that must be registered elsewhere."""
        return max(0.0, 1 - self.registered / self.residents)


def rate(seed: str, name: str, rule: dict[str, Any], unit: Unit, provincial_rural: float) -> float:
    """A rate of a unit in its year: a line from 2015 to 2020, moved by the kind of place and by chance."""
    urban_above = provincial_rural - unit.rural / unit.residents
    lasting = 2 * chance(seed, name, unit.key) - 1
    passing = 0.0 if rule.get("steady") else 2 * chance(seed, name, unit.key, unit.year) - 1
    value = (
        rule["start"]
        + (rule["end"] - rule["start"]) * (unit.year - 2015) / 5
        + rule.get("accelerated", 0.0) * unit.is_accelerated
        + rule.get("island", 0.0) * unit.is_island
        + rule.get("migrant", 0.0) * unit.migrant_share
        + rule.get("urban", 0.0) * urban_above
        + rule["spread"] * (0.8 * lasting + 0.2 * passing)
    )
    return float(min(rule["cap"], max(0.0, value)))


@dataclass
class Spending:
    """One government's spending in a year, in ten thousand yuan: class -> (urban, rural, unattributed)."""

    code: str
    name: str
    level: str
    classes: dict[str, tuple[int, int, int]]

    @property
    def total(self) -> int:
        """All classes together."""
        return sum(sum(parts) for parts in self.classes.values())
