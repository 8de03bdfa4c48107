"""Figures for the pages that are filled in the browser: one small script a subject, and one that says what there is.

A page opened from disk may load a script but not a data file, so the data is a call with one argument. Values are those
of the tables, unrounded; places to round to come with them. Nothing is computed in the browser.
"""

from __future__ import annotations

import json
from typing import Any

from pipelines.pages.maps import MapOf
from pipelines.pages.prepared import Prepared
from pipelines.pages.subjects import Facts, Figure, Subject
from pipelines.publish import Release

# The statuses of a figure without a value; one with a value has none of them.
VALUELESS = {"O", "L", "M", "Q"}


def _call(name: str, *arguments: Any) -> str:
    """A script that hands its arguments over; nothing in it can end the script it is in."""
    texts = (json.dumps(argument, ensure_ascii=False, separators=(",", ":"), allow_nan=False) for argument in arguments)
    return f"junheng.{name}({','.join(texts)});\n".replace("</", "<\\/")


def contents(release: Release, facts: Facts, prepared: dict[str, Prepared], mark: dict[str, str] | None) -> str:
    """What there is: regions, subjects with the newest year of each level, the mark of synthetic input."""
    lowest = {region.code for region in facts.lowest()}
    return _call(
        "contents",
        {
            "release": release.card["release_id"],
            "home": facts.home,
            "mark": mark,
            "regions": [
                {
                    "code": r.code, "id": r.id, "names": [r.name, r.name_en], "depth": r.depth, "above": r.parent,
                    "isLowest": r.code in lowest, "founded": r.founded.year if r.founded is not None else None,
                }
                for r in facts.regions.values()
            ],
            "subjects": [
                {
                    "key": item.subject.key,
                    "kind": item.subject.kind,
                    "names": [item.subject.name_zh, item.subject.name_en],
                    "units": [item.unit, item.subject.unit if item.unit else ""],
                    "places": item.subject.decimals,
                    "isCut": item.subject.is_cut,
                    "periods": item.subject.other_names(),
                    "years": {depth: newest.year for depth, newest in item.subject.newest.items()},
                }
                for item in prepared.values()
                if item.subject.newest
            ],
            "governments": governments(release),
        },
    )  # fmt: skip


def governments(release: Release) -> dict[str, list[str]]:
    """The names of the levels of government, in both languages."""
    named = (level for level in release.jurisdiction["levels"] if level.get("government_level"))
    return {level["government_level"]: [level["name_zh"], level["name_en"]] for level in named}


def areas(map_of: MapOf) -> str:
    """The map without figures, for the pages that fill it in the browser."""
    return _call("areas", map_of(None, "{root}"))


def series(facts: Facts, subject: Subject) -> str:
    """All figures of a subject: for each region values, statuses and so on in the order of the years."""
    called = subject.period_names()
    rows = {
        code: _row([by_year.get(year) for year in called])
        for code in facts.regions
        if (by_year := subject.figures.get(code)) is not None
    }
    return _call("figures", subject.key, {"years": list(called), "called": list(called.values()), "rows": rows})


def _row(figures: list[Figure | None]) -> dict[str, Any]:
    """A region's figures by year: `v` values, `s` statuses, `o` origin (1 synthetic), `f` fifths (0 none).

    Where there are any: `l` and `h` ends of the intervals, `g` levels of government, `b` variants,
    `d` days of the deliveries that provisional ones stay at. A text that all years have is there once.
    """
    known = [figure if figure is not None else Figure(0, "", None, status="") for figure in figures]
    row: dict[str, Any] = {
        "v": [figure.value for figure in known],
        "s": _shortest([figure.status for figure in known]),
        "o": "".join(str(int(figure.is_synthetic)) for figure in known),
        "f": "".join(str(figure.fifth or 0) for figure in known),
    }
    if any(figure.low is not None for figure in known):
        row["l"], row["h"] = [figure.low for figure in known], [figure.high for figure in known]
    if any(figure.levels for figure in known):
        row["g"] = _shortest([figure.levels for figure in known])
    if any(figure.variant != "main" for figure in known):
        row["b"] = [figure.variant for figure in known]
    if any(figure.stays_at is not None for figure in known):
        row["d"] = [str(figure.stays_at) if figure.stays_at is not None else "" for figure in known]
    return row


def _shortest(values: list[str]) -> list[str] | str:
    """The texts of all years, or the one that all have which have a value; a year without a row has none."""
    known = set(values) - {""}
    return known.pop() if len(known) == 1 and not known & VALUELESS else values
