"""Replies: what a region says to its figures in the yearly report, in its own words (`replies.yml`).

They are printed beside the figures and change none; they come after a release and are no part of it.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from pathlib import Path

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.yaml_model import StrictModel, load_model


class Reply(StrictModel):
    """One reply: the region's code, its words, who gave it and when; `year` where it is to one year's report only."""

    region: str
    text: str
    who: str
    date: datetime.date
    year: int | None = None


class Replies(StrictModel):
    """The model of `replies.yml`."""

    replies: list[Reply] = []


def load_replies(path: Path, regions: Collection[str]) -> list[Reply]:
    """All replies, oldest first; none where the file is not there.

    Raises ConfigurationError for a mistake in the file, or a region that does not exist.
    """
    replies = load_model(path, Replies).replies if path.exists() else []
    for reply in replies:
        if reply.region not in regions:
            raise ConfigurationError(
                f"a reply is of region {reply.region!r}, which does not exist",
                where=str(path),
                do="name the region by its code in reference/regions.csv",
            )
    return sorted(replies, key=lambda reply: (reply.date, reply.region))


def to_year(replies: Sequence[Reply], year: int) -> dict[str, list[Reply]]:
    """The replies to the report of one year, by region."""
    found: dict[str, list[Reply]] = {}
    for reply in replies:
        if reply.year in (None, year):
            found.setdefault(reply.region, []).append(reply)
    return found
