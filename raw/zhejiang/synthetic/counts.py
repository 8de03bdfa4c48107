"""The counts that departments return for the plan's services, made as parts of figures that exist already.

Which count is a part of what, and how large, stands in `parameters.toml` under `count`; nothing is decided here but
the order and the rules: a part never exceeds its whole, and a group's part leaves the rest a part that can be.
Its part of the truth (`truth.csv`) is the province's sums, which indicators computed from the files must give again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from figures import Unit, chance, rate, whole
from inputs import SampleError

# indicator -> (numerator, denominator) as sums of counts; what a release must give for the province.
TRUTH = {
    "EDU01": ("year_9_finishers", "year_9_cohort"),
    "EDU08": ("adults_in_courses", "age:25-64"),
    "EDU09": ("disabled_children_enrolled", "disabled_children_6_15"),
    "EDU10": ("communities_with_legal_education", "communities"),
    "EMP01": ("registered_unemployed", "urban_labour_force"),
    "EMP02": ("zero_employment_families_helped", "zero_employment_families"),
    "EMP03": ("hard_to_place_helped", "hard_to_place_persons"),
    "EMP04": ("training_person_times", "labour_force_16_59"),
    "EMP05": ("employees_with_contract", "urban_employees"),
    "EMP06": ("labour_cases_closed_in_time", "labour_cases_accepted"),
    "EMP07": ("hazard_workplaces_declared", "hazard_workplaces"),
    "SOC05": ("elderly_beds", "age:60+"),
    "SOC06": ("nursing_beds", "elderly_beds_in_institutions"),
    "SOC07": ("severe_allowance_recipients", "severe_card_holders"),
    "SOC08": ("funerals_fees_waived", "deaths:all"),
    "SOC09": ("psychiatric_patients_fully_met", "psychiatric_scheme_patients"),
    "SOC10": ("list_items_open_to_permit_holders", "list_items"),
    "SOC11": ("veterans_paid_to_standard", "veterans_entitled"),
    "HEA02": ("residents_within_20_minutes", "residents"),
    "HEA09": ("children_up_to_date", "children_due"),
    "HEA10": ("sports_area", "residents"),
    "HEA11": ("couples_examined", "couples_due"),
    "LIV03": ("rural_residents_with_piped_water", "rural"),
    "LIV04": ("residents_on_regional_supply", "residents"),
    "LIV05": ("communities_with_service_point", "communities"),
    "LIV06": ("villages_and_streets_with_city_bus", "villages_and_streets"),
    "LIV07": ("villages_with_bus", "administrative_villages"),
    "LIV08": ("residents_with_gas", "residents"),
    "LIV09": ("villages_with_broadband", "administrative_villages"),
    "CUL01": ("culture_floor_area", "residents"),
    "CUL03": ("villages_of_500_with_hall", "villages_of_500"),
    "CUL04": ("residents_reached_by_broadcast", "residents"),
    "CUL05": ("library_visits", "residents"),
    "CUL06": ("villages_with_reading_room", "administrative_villages"),
    "ENV01": ("pm25_station_day_sum", "station_days"),
    "ENV02": ("good_air_days", "valid_air_days"),
    "ENV03": ("sections_class_3_or_better", "control_sections"),
    "ENV04": ("sections_worse_than_class_5", "control_sections"),
    "ENV05": ("villages_with_sewage_treatment", "administrative_villages"),
    "ENV06": ("waste_treated", "waste_collected"),
    "ENV08": ("forest_area", "land_area"),
    "SAF01": ("key_places_with_video", "key_places"),
    "SAF03": ("road_deaths", "vehicles"),
    "SAF04": ("complaints_closed_in_time", "complaints_accepted"),
    "SAF05": ("food_samples_passing", "food_samples"),
    "SAF06": ("communities_with_shelter", "communities"),
    "SAF07": ("survey_respondents_safe", "survey_respondents"),
    "SAF08": ("crime_cases", "residents"),
    "SAF09": ("villages_with_emergency_broadcast", "administrative_villages"),
}
Rule = dict[str, Any]


def value_of(unit: Unit, text: str) -> int:
    """The sum that a text such as `a+b-c` names: counts made before, figures of the unit, or `one`."""
    result = 0
    for sign, name in re.findall(r"(^|\+|-)((?:age:[\d+-]*\d\+?|[^+-])+)", text):
        result += -_one(unit, name) if sign == "-" else _one(unit, name)
    return result


def _one(unit: Unit, name: str) -> int:
    if name == "one":
        return 1
    if name in unit.counts:
        return unit.counts[name]
    kind, _, part = name.partition(":")
    if kind == "age":
        return unit.ages[part]
    if kind == "deaths":
        return unit.deaths[part]
    return int(getattr(unit, name))


def add_counts(parameters: dict[str, Any], seed: str, unit: Unit, provincial_rural: float) -> None:
    """Fill a unit's counts, in the order of the parameters."""
    rules: dict[str, Rule] = parameters["count"]
    for name, rule in rules.items():
        base = value_of(unit, rule["of"])
        expected = base * rate(seed, name, rule, unit, provincial_rural)
        if rule.get("cases"):
            floor = int(expected)
            count = floor + (chance(seed, name, "case", unit.key, unit.year) < expected - floor)
        else:
            count = whole(expected)
        count = max(count, rule.get("least", 0)) if base else 0
        unit.counts[name] = count if rule.get("free") else min(count, base)
    for name, total, whole_name in _groups(rules):
        # Those outside the group are a part of those outside it who could be, and so are those within.
        others = unit.counts[_without_group(whole_name)] - unit.counts[whole_name]
        unit.counts[name] = min(
            unit.counts[whole_name], unit.counts[total], max(unit.counts[name], unit.counts[total] - others)
        )


def _without_group(name: str) -> str:
    return name.partition("@")[0]


def _groups(rules: dict[str, Rule]) -> list[tuple[str, str, str]]:
    """(part in a group, part of all, whole in the group) of every count of a group that has a count of all."""
    return [
        (name, _without_group(name), rule["of"])
        for name, rule in rules.items()
        if "@" in name and "@" in rule["of"] and _without_group(name) in rules
    ]


def check_counts(parameters: dict[str, Any], units: Sequence[Unit], must: Callable[[bool, str], None]) -> None:
    """What is promised of the counts: parts within wholes, in every group and outside it; nothing rural without it."""
    rules: dict[str, Rule] = parameters["count"]
    for unit in units:
        for name, rule in rules.items():
            count, base = unit.counts[name], value_of(unit, rule["of"])
            must(count >= 0 and (rule.get("free", False) or count <= base), f"{unit.name} {name}")
            must(base > 0 or count == 0, f"{unit.name} {name} of nothing")
        for name, total, whole_name in _groups(rules):
            others = unit.counts[total] - unit.counts[name]
            room = unit.counts[_without_group(whole_name)] - unit.counts[whole_name]
            must(0 <= others <= room, f"{unit.name} {name} and the rest")
        must(unit.counts["subsistence_line_rural"] <= unit.counts["subsistence_line_urban"], f"{unit.name} lines")


def truth(home: str, years: Sequence[tuple[int, Sequence[Unit]]]) -> list[list[str]]:
    """The home region's numerators and denominators: indicator, region, year and both sides."""
    rows = []
    for code, sides in TRUTH.items():
        for year, units in years:
            sums = [sum(value_of(unit, side) for unit in units) for side in sides]
            if sums[1] == 0:
                raise SampleError(f"{code} {year} has no denominator")
            rows.append([code, home, str(year), *map(str, sums)])
    return rows
