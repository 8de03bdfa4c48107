"""The release calendar of a jurisdiction (`releases.yml`): what is due when, under which embargo, who may sign off.

It says what was planned. What was published, and whether that was late, is `release`'s to tell.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import AwareDatetime, model_validator

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.yaml_model import StrictModel, load_model


class PlannedRelease(StrictModel):
    """One official release that was announced: due on `due`, and not before the moment `embargo`."""

    id: str
    name: str
    name_en: str
    due: date
    embargo: AwareDatetime | None = None

    @model_validator(mode="after")
    def _in_order(self) -> PlannedRelease:
        if self.embargo and self.embargo.date() > self.due:
            raise ValueError(f"the embargo of {self.id} ends after it is due")
        return self


class ReleasePlan(StrictModel):
    """The model of `releases.yml`. `approvers` are the names that may sign off; nobody listed means anybody."""

    calendar: list[PlannedRelease] = []
    approvers: list[str] = []


def load_plan(path: Path) -> ReleasePlan:
    """The plan of a jurisdiction; one without the file has planned nothing.

    Raises ConfigurationError for a file that does not fit, or an id that stands twice.
    """
    if not path.exists():
        return ReleasePlan()
    plan = load_model(path, ReleasePlan)
    ids = [planned.id for planned in plan.calendar]
    for planned in ids:
        if ids.count(planned) > 1:
            raise ConfigurationError(
                f"the planned release {planned!r} stands twice", where=str(path), do="give each its own id"
            )
    if len(plan.approvers) == 1:
        raise ConfigurationError(
            "one approver alone can make nothing official: it takes two persons",
            where=str(path),
            do="name at least two under `approvers`, or none",
        )
    return plan
