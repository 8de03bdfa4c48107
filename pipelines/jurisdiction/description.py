"""The model of `jurisdiction.yml`: levels of regions, units, years, and what figures are made of.

What the fields mean together with the reference tables is checked where a jurisdiction is loaded; how numbers are made
of them is dbt's.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import Field, field_validator, model_validator

from pipelines.jurisdiction.personal_kinds import USUAL_KINDS, PersonalKind
from pipelines.jurisdiction.yaml_model import StrictModel


class Level(StrictModel):
    """One level of regions, from the top (depth 0) down."""

    name: str
    name_zh: str
    name_en: str
    depth: int
    government_level: str = "none"  # none: no government of the level itself reports spending
    is_territory: bool = True  # false: bodies that lie across the others (police, fire), with no people of their own


class Unit(StrictModel):
    """A reported unit: how many base units it is."""

    base: str
    factor: int = Field(ge=1, le=9_999_999_999)


class Years(StrictModel):
    """First and last year that figures are made for, and the year that changes are counted from."""

    first: int
    last: int
    base: int | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Years:
        if self.last < self.first:
            raise ValueError("the last of the years lies before the first")
        if self.base is not None and not self.first <= self.base <= self.last:
            raise ValueError("the base of the years lies outside them")
        return self


class Text(StrictModel):
    """A text in both languages."""

    zh: str
    en: str


class Disclosure(StrictModel):
    """Disclosure control: the method and why it was chosen."""

    method: str
    reason: str = ""


class FinancialYears(StrictModel):
    """Years that do not begin with January: their first day, the year they are called by, and who lives in them.

    `starts` is MM-DD; `named_by` says whether 2018-19 is the year 2018 (its `start`) or 2019 (its `end`); of the
    populations dated inside a year the one nearest to its `population` (start, middle or end) is divided by.
    """

    starts: str
    named_by: Literal["start", "end"] = "start"
    population: Literal["start", "middle", "end"] = "middle"

    @field_validator("starts")
    @classmethod
    def _first_day(cls, value: str) -> str:
        if not re.fullmatch(r"(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])", value):
            raise ValueError("`starts` is a day that every year has, as MM-DD")
        return value


class SpendingSource(StrictModel):
    """A measure that feeds spending: whole budgets, or spending by functional class.

    Classes that are `exhaustive` are all there are: together they are the whole budget. Without it their sum is a sum
    of parts, and no total is made of it.
    """

    measure: str
    role: Literal["whole", "functional"]
    fund: str
    account_stage: Literal["budget", "final"]
    exhaustive: bool = False

    @model_validator(mode="after")
    def _has_parts(self) -> SpendingSource:
        if self.exhaustive and self.role == "whole":
            raise ValueError("`exhaustive` is for `role: functional`: a whole budget has no parts")
        return self


class TwoThirdsTest(StrictModel):
    """What the test on new fiscal resources is made of: two measures, and what they stand for."""

    fund: str
    account_stage: Literal["budget", "final"]
    livelihood: str
    livelihood_classes: list[str] = Field(min_length=1)
    resources: str
    scope: Text


class Scores(StrictModel):
    """How scores are made: what the degree is measured against, and how much of a domain must be known."""

    degree_indicator: str | None = None
    minimum_weight: float = Field(default=0.5, gt=0, le=1)
    may_reweight_domains: bool = False


class Description(StrictModel):
    """The model of `jurisdiction.yml`."""

    name: str
    name_en: str
    home_region: str
    levels: list[Level] = Field(min_length=1)
    compared_level: str | None = None  # whose regions pages compare and map; the lowest of land where none is named
    currency: str
    time_zone: str
    schedule: str = "0 2 * * *"
    years: Years
    financial_years: FinancialYears | None = None
    reference_geographies: list[int] = []
    units: dict[str, Unit]
    unit_names: dict[str, str] = {}  # what units that only indicators have are called
    synthetic_mark: Text = Text(zh="示例数据", en="Sample data")
    disclosure: Disclosure
    data_notes: list[Text] = []
    page_language: Literal["zh", "en"] = "zh"  # what pages open in; every reader may change it
    personal_numbers: list[PersonalKind] = USUAL_KINDS  # what no table of figures may hold
    spending: list[SpendingSource] = []
    two_thirds_tests: list[TwoThirdsTest] = []
    payments_by_item: str | None = None
    scores: Scores = Scores()

    @model_validator(mode="after")
    def _compares_land(self) -> Description:
        if self.compared_level is not None and self.compared_level not in {
            x.name for x in self.levels if x.is_territory
        }:
            raise ValueError("`compared_level` is the name of one of `levels` that is land (`is_territory`)")
        return self

    @property
    def compared_depth(self) -> int:
        """The depth of the regions that pages compare and map."""
        named = [level.depth for level in self.levels if level.name == self.compared_level]
        return max(named or [level.depth for level in self.levels if level.is_territory], default=0)

    @field_validator("schedule")
    @classmethod
    def _cron(cls, value: str) -> str:
        try:
            CronSim(value, datetime(2000, 1, 1))
        except CronSimError as error:
            raise ValueError(
                f"the schedule {value!r} is not five fields (minute hour day month weekday): {error}"
            ) from error
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no such time zone: {value}") from error
        return value
