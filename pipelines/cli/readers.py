"""The commands for those who read a release: SQL, downloads, pages, the report; and the check of the installation.

They parse, call and print, like the other commands in this room.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import (
    as_table,
    command,
    door,
    print_result,
    release_folder,
    say,
)
from pipelines.settings import Settings


@command()
def query(
    settings: Settings,
    sql: Annotated[str, typer.Argument(help="One SQL statement.", metavar="SQL")],
    release_id: Annotated[
        str | None, typer.Option("--release", help="Release to ask. Default: the current one.", metavar="ID")
    ] = None,
    output: Annotated[str, typer.Option("--format", help="table, csv, json or parquet.")] = "table",
    limit: Annotated[int, typer.Option("--limit", help="Rows shown in a table.")] = 1000,
) -> None:
    """SQL on a release, read-only."""
    from pipelines.cli.query import ask

    folder = release_folder(settings, release_id)
    ask(folder, sql, "json" if door.as_json else output, limit, as_table)


@command("open")
def open_prompt(
    settings: Settings,
    release_id: Annotated[
        str | None, typer.Argument(help="Release to ask. Default: the current one.", metavar="RELEASE")
    ] = None,
) -> None:
    """An SQL prompt on a release: completion of names, recipes at hand, read-only."""
    from pipelines.cli.prompt import visit

    visit(release_folder(settings, release_id), as_table)


@command()
def recipes(
    settings: Settings,
) -> None:
    """The questions with their SQL that a jurisdiction has at hand, as Markdown."""
    from pipelines.jurisdiction import load
    from pipelines.jurisdiction.recipes import as_markdown

    place = load(settings.jurisdiction_folder)
    text = as_markdown(place.recipes, place.name, place.name_en)
    print_result([recipe.model_dump() for recipe in place.recipes], text.rstrip("\n"))


@command()
def export(
    settings: Settings,
    release_id: Annotated[
        str | None, typer.Argument(help="Release to write out. Default: the current one.", metavar="RELEASE")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="parquet, csv, xlsx, sdmx-csv, json-stat, datapackage, zip, or all.")
    ] = "csv",
    out: Annotated[Path, typer.Option("--out", help="Folder to write into.", metavar="FOLDER")] = Path("exports"),
    tables: Annotated[
        list[str] | None, typer.Option("--table", help="Only this table; may be given again.", metavar="TABLE")
    ] = None,
    encoding: Annotated[str, typer.Option("--encoding", help="Of CSV files: utf-8 or gb18030.")] = "utf-8",
) -> None:
    """Downloads of a release with their notes: one folder a format."""
    from pipelines.exports import Order
    from pipelines.exports import export as write

    folder = release_folder(settings, release_id)
    done = write(folder, form, out, Order(tuple(tables or ()), encoding))
    for written in done:
        for note in written.notes:
            say(f"note: {note}")
    print_result([asdict(written) for written in done], "\n".join(f"{e.folder}  {len(e.files)} files" for e in done))


@command()
def report(
    settings: Settings,
    release_id: Annotated[
        str | None, typer.Argument(help="Release to report on. Default: the current one.", metavar="RELEASE")
    ] = None,
    year: Annotated[int | None, typer.Option("--year", help="Year to report on. Default: the newest.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write into.", metavar="FOLDER")] = Path("report"),
) -> None:
    """The yearly evaluation report of a release, as HTML and PDF, with the regions' replies beside their figures."""
    from pipelines.jurisdiction.replies import load_replies
    from pipelines.pages import report as reporting

    folder = release_folder(settings, release_id)
    replies = load_replies(settings.jurisdiction_folder / "replies.yml", reporting.region_codes(folder))
    written = reporting.write(folder, out, year, replies)
    for note in written.notes:
        say(f"note: {note}")
    print_result(asdict(written), "\n".join(written.files))


@command()
def pages(
    settings: Settings,
    release_id: Annotated[str | None, typer.Argument(metavar="RELEASE")] = None,
) -> None:
    """Where the pages of a release are."""
    folder = release_folder(settings, release_id)
    found = {
        "release": folder.name,
        "pages": str(folder / "pages/index.html"),
        "quality": str(folder / "quality/index.html"),
    }
    print_result(found, f"{found['pages']}\n{found['quality']}")


@command()
def doctor(
    settings: Settings,
) -> None:
    """Check the installation: versions, fonts, disk, permissions, configuration."""
    from pipelines.cli.doctor import examine

    findings = examine(settings)
    print_result(findings, as_table(findings, ["what", "state", "found", "do"]))
    if any(f["state"] == "bad" for f in findings):
        raise typer.Exit(2)
