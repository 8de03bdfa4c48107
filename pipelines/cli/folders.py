"""The commands about a jurisdiction's folder as such: making a new one, and the schemas of its files.

They parse, call and print, like the other commands in this room.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.common import command, print_result
from pipelines.errors import UsageError
from pipelines.settings import Settings


@command()
def init(
    settings: Settings,
    folder: Annotated[Path, typer.Argument(help="The new folder.", metavar="FOLDER")],
) -> None:
    """Make a new jurisdiction's skeleton: commented files, all reference tables with headers. Overwrites nothing."""
    from pipelines.jurisdiction.new_folder import make_folder

    made = make_folder(folder)
    lines = [f"made {made.folder} with {len(made.files)} files; what to do next:"]
    lines += [f"  1. answer the {len(made.open_fields)} open fields (?) of {folder / 'jurisdiction.yml'}:"]
    lines += [f"       line {item.line}: {item.field}" for item in made.open_fields]
    lines += [
        f"  2. answer the ? in {folder / 'reference' / 'variants.csv'}: whose people, and by which population",
        f"  3. list the regions in {folder / 'reference' / 'regions.csv'}; docs/reference-tables.md has its columns",
        f"  4. junheng sniff FILE --jurisdiction {folder} --write   proposes a contract for a file, and what it needs",
    ]
    payload = {
        "folder": str(made.folder),
        "files": [path.relative_to(folder).as_posix() for path in made.files],
        "open": [item.as_dict() for item in made.open_fields],
    }
    print_result(payload, "\n".join(lines))


@command()
def schema(
    settings: Settings,
    kind: Annotated[
        str,
        typer.Argument(help="contract, corrections, jurisdiction, or a reference file (regions.csv).", metavar="KIND"),
    ] = "contract",
    write: Annotated[
        bool,
        typer.Option("--write", help="Write every schema, the page of reference tables and dbt's sources anew."),
    ] = False,
) -> None:
    """The JSON Schema of a kind of YAML file, or the table schema of a reference file, for editors."""
    from pipelines.jurisdiction.schema import FILES, KINDS, made_files, schema_text
    from pipelines.settings import PROJECT_FOLDER

    if kind not in (*KINDS, *FILES):
        raise UsageError(f"there is no schema {kind!r}", where="KIND", do=f"name one of {', '.join((*KINDS, *FILES))}")
    if not write:
        sys.stdout.write(schema_text(kind))
        return
    for path, text in made_files(PROJECT_FOLDER).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(PROJECT_FOLDER))
