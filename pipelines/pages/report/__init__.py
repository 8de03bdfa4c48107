"""The evaluation report (评估报告) of a year: made from one release, templates and the regions' replies.

Chapters are rows put into sentences; what a sentence may say is settled in `wording`, where a figure comes from in
`source`. Nothing is computed here: figures are those of the tables, rounded by their subject; rows of a table
are counted. The PDF is `pdf`'s work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.errors import UsageError
from pipelines.jurisdiction.replies import Reply, to_year
from pipelines.pages.report import front, gaps, limits, pdf, results
from pipelines.pages.report.draft import Draft
from pipelines.pages.report.source import Book, Source
from pipelines.publish import Release

TEMPLATES = Path(__file__).with_name("templates")
# In the order in which figures are numbered and chapters printed.
CHAPTERS = (
    front.summary,
    front.method,
    results.targets,
    results.domains,
    results.regions,
    gaps.gaps,
    gaps.fiscal,
    limits.held_back,
    limits.sensitivity,
    limits.quality,
)


@dataclass(frozen=True)
class Written:
    """What was written, and what could not be and why."""

    release_id: str
    year: int
    files: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())


def years(release: Release) -> list[int]:
    """The years that a release can report on: those with a degree, else with targets, coverage or spending."""
    for table, figure in (
        ("mart_equalisation", "degree_pct"),
        ("mart_target_progress", "value"),
        ("mart_service_coverage", "value"),
        ("mart_per_capita_spending", "spending"),
    ):
        if release.has(table):
            where = f"region_code = ? and {figure} is not null"
            found = release.rows(f"select distinct year from {table} where {where} order by year", release.home)
            if found:
                return [int(row["year"]) for row in found]
    return []


def region_codes(folder: Path) -> frozenset[str]:
    """The regions of a release: those that may reply."""
    with Release.open(folder) as release:
        return frozenset(str(row["region_code"]) for row in release.rows("select region_code from dim_region"))


def html(release: Release, year: int, replies: Mapping[str, Sequence[Reply]]) -> str:
    """The report as one HTML file that needs nothing else."""
    draft = Draft(Source(release, year), Book(), replies)
    chapters = [make(draft) for make in CHAPTERS]
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=StrictUndefined,
    )  # fmt: skip
    names = {row["region_code"]: row["region_name"] for row in release.rows(
        "select region_code, max_by(region_name, valid_from) as region_name from dim_region group by 1")}  # fmt: skip
    beside = {code for chapter in chapters for table in chapter.tables for said in table.replies.values() for code in
              [reply.region for reply in said]}  # fmt: skip
    others = [(names.get(code, code), said) for code, said in sorted(replies.items()) if code not in beside]
    return templates.get_template("report.html").render(
        place=release.jurisdiction,
        card=release.card,
        year=draft.called,
        time=release.local_time,
        chapters=chapters,
        entries=draft.book.entries,
        is_synthetic=any(entry.is_synthetic for entry in draft.book.entries),
        mark=release.jurisdiction["synthetic_mark"]["zh"],
        other_replies=others,
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
    )


def write(folder: Path, out: Path, year: int | None = None, replies: Sequence[Reply] = ()) -> Written:
    """Write the report of a release as HTML, and as PDF where that can be made; what was written.

    Without a year it is the newest that the release can report on. Raises UsageError for another one.
    """
    with Release.open(folder) as release:
        possible = years(release)
        chosen = year if year is not None else max(possible, default=None)
        if chosen not in possible or chosen is None:
            listed = ", ".join(str(known) for known in possible)
            raise UsageError(
                f"release {release.release_id} cannot be reported on for {year or 'any year'}",
                where=str(folder),
                do=f"name one of the years {listed} with --year" if listed else "build its marts first (junheng run)",
            )
        text = html(release, chosen, to_year(replies, chosen))
        place = release.jurisdiction
    marked = f"{place['synthetic_mark']['zh']}_" if 'class="cover-mark"' in text else ""
    stem = f"{marked}{place['name']}_评估报告_{chosen}".replace("/", "_")
    out.mkdir(parents=True, exist_ok=True)
    page = out / f"{stem}.html"
    page.write_text(text, encoding="utf-8")
    files, notes = [str(page)], []
    if problem := pdf.missing():
        notes.append(problem)
    else:
        printed = out / f"{stem}.pdf"
        printed.write_bytes(pdf.printed(text))
        files.append(str(printed))
    return Written(str(release.card["release_id"]), chosen, tuple(files), tuple(notes))
