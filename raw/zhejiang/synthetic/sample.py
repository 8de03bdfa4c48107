"""The figures of the sample: residents by land and year, and everything that hangs on them.

Only numbers are made here; how they are laid out as departments' files is `extracts.py`'s and `returns.py`'s work. The
counts of the services are in `counts.py`, money beside the general budget in `money.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from counts import add_counts, check_counts
from figures import (
    SCHEMES,
    STAGES,
    TARGET_AGES,
    YOUNG,
    Atom,
    Spending,
    Unit,
    apportion,
    chance,
    make_atoms,
    rate,
    weight,
    whole,
)
from inputs import Census, Inputs, Region, SampleError


@dataclass
class Year:
    """A year's figures."""

    year: int
    units: list[Unit]
    spending: list[Spending]


class Sample:
    """All years' figures, made in one go and checked against what is promised of them."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.parameters = inputs.parameters
        self.seed: str = inputs.parameters["seed"]
        self.changes = sorted(inputs.changes, key=lambda c: (c["effective_date"], c["from_code"], c["to_code"]))
        self.atoms = make_atoms(inputs)
        self.years = [self._year(year) for year in inputs.parameters["years"]]
        for figures in self.years:
            self._check(figures)

    def names(self, year: int) -> dict[str, Region]:
        """Regions in force at the end of a year."""
        return self.inputs.in_force(f"{year}-12-31")

    def _year(self, year: int) -> Year:
        units = self._people(year)
        provincial = sum(u.rural for u in units) / sum(u.residents for u in units)
        for unit in units:
            self._education(unit, provincial)
            self._health(unit, provincial)
            self._insurance(unit, provincial)
            self._housing(unit, provincial)
        self._births(units)
        for unit in units:
            add_counts(self.parameters, self.seed, unit, provincial)
        return Year(year, units, self._spending(year, units, provincial))

    # people

    def _people(self, year: int) -> list[Unit]:
        day = f"{year}-12-31"
        numerator, denominator = 12 * (year - 2010) + 2, 120  # from 1 November 2010, in months of ten years
        paths = [max(0, a.start.total * denominator + (a.end.total - a.start.total) * numerator) for a in self.atoms]
        residents = apportion(self.inputs.residents[year], paths)
        passed = numerator / denominator
        growth = sum(a.end.total for a in self.atoms) / sum(a.start.total for a in self.atoms)
        rule = self.parameters["registered"]
        registered_total = whole(sum(a.start.registered for a in self.atoms) * (1 + rule["growth"] * passed * 10))
        drift = [
            1 + rule["follows_residents"] * passed * (a.end.total / a.start.total / growth - 1) for a in self.atoms
        ]
        registered = apportion(
            registered_total, [weight(a.start.registered * d) for a, d in zip(self.atoms, drift, strict=True)]
        )
        listed = self.names(year)
        by_code: dict[str, list[int]] = {}
        for i, atom in enumerate(self.atoms):
            by_code.setdefault(atom.code_on(day, self.changes), []).append(i)
        expected = {c for c, r in listed.items() if r.level in ("county", "zone")}
        if set(by_code) != expected:
            raise SampleError(f"land and list of regions differ in {year}: {sorted(set(by_code) ^ expected)}")
        units = []
        for code in sorted(by_code):
            members = by_code[code]
            largest = max(members, key=lambda i: (self.atoms[i].start.total, -i))
            unit = Unit(
                code,
                listed[code].name,
                listed[code].parent,
                year,
                self.atoms[largest].key,
                code in self.inputs.groups.get("accelerated", set()),
                code in self.inputs.groups.get("island", set()),
            )
            ages = dict.fromkeys(TARGET_AGES, 0)
            for i in members:
                atom, people = self.atoms[i], residents[i]
                unit.residents += people
                unit.rural += self._rural(atom, people, passed)
                for age, bands in TARGET_AGES.items():
                    ages[age] += whole(people * self._age_share(atom, bands, passed))
                unit.below_16 += whole(people * self._age_share(atom, YOUNG, passed))
                unit.babies += whole(people * self._age_share(atom, {"0": (1, 1)}, passed))
                unit.registered += registered[i]
                male = 0.5 * atom.start.male / atom.start.total + 0.2525
                unit.registered_male += whole(registered[i] * male)
                unit.land += self._land(atom)
            unit.ages = ages
            units.append(unit)
        return units

    def _land(self, atom: Atom) -> int:
        """Hectares of a piece of land: the same in every year, so that the province's land is too."""
        rule = self.parameters["land"]
        own = rule["hectares_each"] * (0.5 + chance(self.seed, "land", atom.key)) * atom.share
        return whole(own + rule["hectares_per_rural_person"] * atom.start.rural)

    @staticmethod
    def _rural(atom: Atom, people: int, passed: float) -> int:
        if atom.end.rural == 0:
            return 0
        first, last = atom.start.rural / atom.start.total, atom.end.rural / atom.end.total
        return min(people, whole(people * (first + (last - first) * passed)))

    @staticmethod
    def _age_share(atom: Atom, bands: dict[str, tuple[int, int]], passed: float) -> float:
        def share(census: Census) -> float:
            sixtieths = sum(census.ages[age] * part * (60 // of) for age, (part, of) in bands.items())
            return sixtieths / (60 * census.total)

        first, last = share(atom.start), share(atom.end)
        return first + (last - first) * passed

    # services

    def _rate(self, name: str, unit: Unit, provincial_rural: float) -> float:
        return rate(self.seed, name, self.parameters["rate"][name], unit, provincial_rural)

    def _education(self, unit: Unit, rural: float) -> None:
        upper = min(unit.ages["15-17"], whole(unit.ages["15-17"] * self._rate("upper", unit, rural)))
        vocational = whole(upper * self._rate("vocational_share", unit, rural))
        unit.pupils = {
            "primary": whole(unit.ages["6-11"] * self._rate("primary", unit, rural)),
            "junior": whole(unit.ages["12-14"] * self._rate("junior", unit, rural)),
            "upper_secondary": upper - vocational,
            "vocational": vocational,
        }
        names = {"primary": "primary", "junior": "junior", "upper_secondary": "upper", "vocational": "vocational"}
        for stage, name in names.items():
            pupils = unit.pupils[stage]
            unit.teachers[stage] = whole(pupils / self._rate(f"pupils_per_teacher_{name}", unit, rural))
            unit.schools[stage] = max(1, whole(pupils / self._rate(f"pupils_per_school_{name}", unit, rural)))
        for stage in ("primary", "junior"):
            met = whole(unit.schools[stage] * self._rate("standard_schools", unit, rural))
            unit.standard[stage] = min(unit.schools[stage], met)
        unit.kindergarten_children = whole(unit.ages["3-5"] * self._rate("kindergarten", unit, rural))
        unit.kindergarten_places = whole(unit.ages["3-5"] * self._rate("kindergarten_places", unit, rural))
        compulsory = unit.pupils["primary"] + unit.pupils["junior"]
        unit.migrant_pupils = whole(compulsory * self._rate("migrant_pupils", unit, rural))
        unit.migrant_public = whole(unit.migrant_pupils * self._rate("migrant_public", unit, rural))

    def _health(self, unit: Unit, rural: float) -> None:
        unit.beds = whole(unit.residents * self._rate("beds", unit, rural))
        unit.doctors = whole(unit.residents * self._rate("doctors", unit, rural))
        unit.signed = whole(unit.residents * self._rate("signed", unit, rural))
        unit.managed = whole(unit.ages["65+"] * self._rate("managed", unit, rural))

    def _births(self, units: list[Unit]) -> None:
        year = units[0].year
        people = sum(u.residents for u in units)
        babies = sum(u.babies for u in units)
        old = sum(u.ages["65+"] for u in units)
        births = self.parameters["births"]
        for unit in units:
            # Half of the difference in babies is taken: births of a year differ less than one census day's count.
            relative = 0.5 + 0.5 * (unit.babies / unit.residents) / (babies / people)
            unit.births = whole(unit.residents * births["per_1000"][str(year)] / 1000 * relative)
            ageing = (unit.ages["65+"] / unit.residents) / (old / people)
            everyone = whole(unit.residents * births["deaths_per_1000"] / 1000 * ageing)
            small = self._chance_count("deaths_under_five", unit)
            maternal = self._chance_count("deaths_maternal", unit)
            unit.deaths = {"all": max(everyone, small + maternal), "under_five": small, "maternal": maternal}

    def _chance_count(self, name: str, unit: Unit) -> int:
        """A small expected number made whole by chance, so that rare deaths are neither all nor none."""
        expected = unit.births * self._rate(name, unit, 0.0)
        floor = int(expected)
        return floor + (chance(self.seed, name, "case", unit.key, unit.year) < expected - floor)

    def _insurance(self, unit: Unit, rural: float) -> None:
        adults = unit.residents - unit.below_16
        unit.entitled = adults - whole(adults * self._rate("in_school_16_plus", unit, rural))
        for scheme in SCHEMES:
            if scheme == "pension":
                resident = whole(unit.entitled * self._rate("pension", unit, rural))
                registered = whole(unit.registered * self._rate("pension_registered", unit, rural))
            elif scheme == "medical":
                resident = whole(unit.residents * self._rate("medical", unit, rural))
                registered = whole(unit.registered * self._rate("medical_registered", unit, rural))
            else:
                resident = whole(unit.residents * self._rate(scheme, unit, rural))
                registered = min(unit.registered, whole(resident * self._rate("employee_registered", unit, rural)))
            unit.insured[scheme], unit.insured_registered[scheme] = resident, registered

    def _housing(self, unit: Unit, rural: float) -> None:
        unit.applicants = whole(unit.urban * self._rate("housing_applicants", unit, rural))
        assisted = whole(unit.applicants * self._rate("housing_assisted", unit, rural))
        unit.housed = min(assisted, whole(unit.applicants * self._rate("housing_housed", unit, rural)))
        unit.subsidised = assisted - unit.housed
        unit.unsafe = whole(unit.rural * self._rate("unsafe_dwellings", unit, rural))
        unit.repaired = min(unit.unsafe, whole(unit.unsafe * self._rate("unsafe_repaired", unit, rural)))

    # money

    def _spending(self, year: int, units: list[Unit], rural: float) -> list[Spending]:
        rule = self.parameters["spending"]
        home = self.parameters["home"]
        listed = self.names(year)
        total = self.inputs.expenditure[year]
        special: str = rule["special_city"]
        special_total = rule["special_total"].get(str(year)) or whole(total * rule["special_share"][str(year)])
        province = whole(total * rule["province_level"])
        cities = sorted(c for c, r in listed.items() if r.level == "city")
        weights: dict[str, int] = {}
        for unit in units:
            per_head = (
                (rule["accelerated"] if unit.is_accelerated else rule["island"] if unit.is_island else 1.0)
                + rule["urban"] * (rural - unit.rural / unit.residents)
                + rule["spread"] * (1.6 * chance(self.seed, "spending", unit.key) - 0.8)
                + rule["spread"] * (0.4 * chance(self.seed, "spending", unit.key, year) - 0.2)
            )
            weights[unit.code] = weight(unit.residents * per_head)
        parents = {u.code: u.parent for u in units}
        for city in cities:
            inhabitants = sum(u.residents for u in units if u.parent == city)
            level = rule["city_level_of"].get(city, rule["city_level"])
            weights[city] = weight(inhabitants * level * (0.9 + 0.2 * chance(self.seed, "city level", city)))
            parents[city] = city
        own = {home: province}
        for is_special, amount in ((True, special_total), (False, total - province - special_total)):
            codes = [c for c in sorted(weights) if (parents[c] == special) is is_special]
            own.update(zip(codes, apportion(amount, [weights[c] for c in codes]), strict=True))
        by_code = {u.code: u for u in units}
        result = []
        for code in [home, *sorted(c for c in own if c != home)]:
            region = listed[code]
            below = [u for u in units if code in (home, u.parent, u.code)]
            people = (sum(u.urban for u in below), sum(u.rural for u in below))
            kind = "province" if code == home else "city" if code in cities else "county"
            key = by_code[code].key if code in by_code else code
            result.append(Spending(code, region.name, kind, self._classes(year, kind, key, own[code], people)))
        return result

    def _classes(
        self, year: int, kind: str, key: str, amount: int, people: tuple[int, int]
    ) -> dict[str, tuple[int, int, int]]:
        rules = {c: r for c, r in self.parameters["class"].items() if r.get("first", 0) <= year}
        weights = []
        for code, rule in rules.items():
            trend = 1.0
            for _ in range(year - 2015):
                trend *= 1 + rule["trend"]
            lasting, passing = chance(self.seed, "class", code, key), chance(self.seed, "class", code, key, year)
            noise = 1 + 0.20 * (lasting - 0.5) + 0.06 * (passing - 0.5)
            weights.append(weight(rule[kind] * trend * noise))
        gap = self.parameters["spending"]["urban_per_head"]
        tilt = gap["start"] + (gap["end"] - gap["start"]) * (year - 2015) / 5
        split = {}
        for (code, rule), money in zip(rules.items(), apportion(amount, weights), strict=True):
            # Higher levels run what serves everyone: less of it can be told apart.
            attributed = whole(money * rule["attributed"] * (1.0 if kind == "county" else 0.6))
            urban, rural = apportion(attributed, [weight(people[0] * tilt), weight(people[1])])
            split[code] = (urban, rural, money - attributed)
        return split

    # promises

    def _check(self, figures: Year) -> None:
        """Everything that README.md promises of the sample."""
        year, units = figures.year, figures.units
        problems: list[str] = []

        def must(holds: bool, text: str) -> None:
            if not holds:
                problems.append(f"{year}: {text}")

        must(sum(u.residents for u in units) == self.inputs.residents[year], "residents do not add up to the province")
        total = sum(s.total for s in figures.spending)
        must(total == self.inputs.expenditure[year], f"spending adds up to {total}")
        rule = self.parameters["spending"]
        if str(year) in rule["special_total"]:
            members = {u.code for u in units if u.parent == rule["special_city"]} | {rule["special_city"]}
            whole_city = sum(s.total for s in figures.spending if s.code in members)
            must(whole_city == rule["special_total"][str(year)], f"the special city's whole is {whole_city}")
        no_villages = {c for c, census in self.inputs.census[2020].items() if census.rural == 0}
        for u in units:
            must(0 <= u.rural <= u.residents, f"{u.name} rural")
            must(u.code not in no_villages or u.rural == 0, f"{u.name} has rural people")
            for stage, age in zip(STAGES[:2], ("6-11", "12-14"), strict=True):
                must(u.pupils[stage] <= u.ages[age], f"{u.name} {stage} pupils")
            must(u.pupils["upper_secondary"] + u.pupils["vocational"] <= u.ages["15-17"], f"{u.name} upper pupils")
            must(u.kindergarten_children <= u.ages["3-5"], f"{u.name} kindergarten children")
            compulsory = u.pupils["primary"] + u.pupils["junior"]
            must(u.migrant_public <= u.migrant_pupils <= compulsory, f"{u.name} migrant pupils")
            must(all(u.standard[s] <= u.schools[s] for s in u.standard), f"{u.name} standard schools")
            must(u.signed <= u.residents, f"{u.name} signed residents")
            must(u.managed <= u.ages["65+"] <= u.ages["60+"] <= u.residents, f"{u.name} managed elderly")
            must(u.deaths["under_five"] + u.deaths["maternal"] <= u.deaths["all"], f"{u.name} deaths")
            must(u.deaths["under_five"] <= u.births and u.deaths["maternal"] <= u.births, f"{u.name} deaths of births")
            must(u.insured["pension"] <= u.entitled <= u.residents, f"{u.name} pension")
            must(all(u.insured[s] <= u.residents for s in SCHEMES), f"{u.name} insured residents")
            must(all(u.insured_registered[s] <= u.registered for s in SCHEMES), f"{u.name} insured registered")
            must(u.housed + u.subsidised <= u.applicants, f"{u.name} housing")
            must(u.repaired <= u.unsafe and (u.rural > 0 or u.unsafe == 0), f"{u.name} unsafe dwellings")
            must(0 < u.registered_male < u.registered, f"{u.name} registered")
        check_counts(self.parameters, units, must)
        if problems:
            raise SampleError("; ".join(problems[:10]))
