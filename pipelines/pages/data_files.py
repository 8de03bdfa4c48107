"""Figures for the pages that compute in the browser: one small script a subject, and one that says what there is.

A page opened from disk may load a script but not a data file, so the data is a call with one argument. Values are those
of the tables, unrounded; places to round to come with them.
"""

from __future__ import annotations

import json
from typing import Any

from pipelines.pages.maps import MapOf
from pipelines.pages.prepared import Prepared
from pipelines.pages.reading import Release
from pipelines.pages.references import OMITTED
from pipelines.pages.subjects import Facts, Subject


def _call(name: str, *arguments: Any) -> str:
    """A script that hands its arguments over; nothing in it can end the script it stands in."""
    texts = (json.dumps(argument, ensure_ascii=False, separators=(",", ":"), allow_nan=False) for argument in arguments)
    return f"junheng.{name}({','.join(texts)});\n".replace("</", "<\\/")


def _where(item: Prepared, key: str, table: str, column: str, condition: dict[str, str]) -> dict[str, Any]:
    subject = item.subject
    names = [subject.name_zh, subject.name_en]
    return {
        "key": key,
        "names": names,
        "year": subject.year,
        "called": subject.called(subject.year),
        "periods": subject.other_names,
        "table": table,
        "column": column,
        "condition": condition,
    }


def gap_condition(subject: Subject) -> dict[str, str]:
    """The key of a subject's gap between town and country beside region and year."""
    if subject.kind == "spending":
        return {"subject_kind": "spending", "subject_code": subject.domain, "price_basis": "nominal"}
    basis = subject.condition.get("population_basis", "resident")
    return {
        "subject_kind": subject.kind,
        "subject_code": subject.key,
        "population_basis": basis,
        "price_basis": "none",
    }


def contents(release: Release, facts: Facts, prepared: dict[str, Prepared], mark: dict[str, str] | None) -> str:
    """What there is: regions, subjects, what an omitted key means, the mark of a release with synthetic input."""
    regions = [[r.code, r.name, r.name_en, r.depth, r.parent] for r in facts.regions.values()]
    listed = [item for item in prepared.values() if item.subject.year is not None]
    subjects = [
        {
            **_where(item, item.subject.key, item.subject.table, item.subject.column, item.subject.condition),
            "kind": item.subject.kind,
            "isCut": item.subject.kind == "degree",
            "units": [item.unit, item.subject.unit if item.unit else ""],
            "places": item.subject.places,
            "direction": item.subject.direction,
        }
        for item in listed
    ]
    gaps = [
        _where(item, f"gap.{item.subject.key}", "mart_urban_rural_gap", "ratio", gap_condition(item.subject))
        for item in listed
        if item.subject.kind in ("spending", "indicator")
    ]
    return _call(
        "contents",
        {
            "release": release.card["release_id"],
            "home": facts.home,
            "lowest": facts.lowest,
            "mark": mark,
            "omitted": OMITTED,
            "regions": regions,
            "subjects": subjects,
            "gaps": gaps if release.has("mart_urban_rural_gap") else [],
        },
    )


def areas(map_of: MapOf) -> str:
    """The map without figures, for the pages that fill it in the browser."""
    return _call("areas", map_of(None, {}, "{root}"))


def series(facts: Facts, item: Prepared) -> str:
    """All figures of a subject: for each region values, statuses, origins, intervals, in the order of the years.

    Last, where there are such, the days of the deliveries that provisional figures stay at.
    """
    subject = item.subject
    years = sorted({year for by_year in subject.figures.values() for year in by_year})
    rows: dict[str, list[Any]] = {}
    for code in facts.regions:
        by_year = subject.figures.get(code)
        if by_year is None:
            continue
        figures = [by_year.get(year) for year in years]
        row: list[Any] = [
            [figure.value if figure is not None else None for figure in figures],
            ",".join(figure.status if figure is not None else "" for figure in figures),
            "".join("1" if figure is not None and figure.is_synthetic else "0" for figure in figures),
        ]
        if any(figure is not None and figure.low is not None for figure in figures):
            row.append([[f.low, f.high] if f is not None and f.low is not None else None for f in figures])
        if any(figure is not None and figure.stays_at for figure in figures):
            row += [None] * (4 - len(row))
            row.append([str(f.stays_at) if f is not None and f.stays_at else "" for f in figures])
        rows[code] = row
    return _call(
        "figures", subject.key, {"years": years, "called": [subject.called(year) for year in years], "rows": rows}
    )
