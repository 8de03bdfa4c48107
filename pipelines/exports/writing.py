"""Downloads of a release: which formats there are, and one folder a format.

Formats know how to write a table; what is written, in which folder and with which reading matter is decided here.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

from pipelines.errors import UsageError
from pipelines.exports import csv_files, reading_matter
from pipelines.exports.cubes import cubes
from pipelines.exports.json_stat import write_json_stat
from pipelines.exports.sdmx import write_sdmx_csv, write_structure
from pipelines.publish import Release, Table

# Of a Zhejiang release: 1.2 s less of processor time than zlib's usual 6, and 7 % larger.
PACKING = 4


@dataclass
class Order:
    """What was asked for: tables (none named means all), and the encoding of CSV.

    `csv_folder` is where the same CSV files lie already, when several formats are written.
    """

    tables: tuple[str, ...] = ()
    encoding: str = "utf-8"
    csv_folder: Path | None = None


@dataclass
class Export:
    """What was written, for people and for `--json`."""

    release_id: str
    format: str
    folder: str
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _parquet(release: Release, tables: tuple[Table, ...], folder: Path, order: Order) -> list[str]:
    for table in tables:
        shutil.copyfile(
            release.folder / "parquet" / f"{table.name}.parquet", folder / f"{release.file_stem(table)}.parquet"
        )
    return []


def _csv_files(
    release: Release, tables: tuple[Table, ...], folder: Path, order: Order, *, is_copied: bool = True
) -> dict[str, Path]:
    """The tables as CSV in this folder, by table. What another format has written already is copied, or stays there."""
    files = {}
    for table in tables:
        there = order.csv_folder / f"{release.file_stem(table)}.csv" if order.csv_folder else None
        if there is not None and there.exists():
            files[table.name] = Path(shutil.copyfile(there, folder / there.name)) if is_copied else there
        else:
            files[table.name] = csv_files.write_csv(release, table, folder, order.encoding)
    return files


def _csv(release: Release, tables: tuple[Table, ...], folder: Path, order: Order) -> list[str]:
    files = _csv_files(release, tables, folder, order)
    csv_files.write_csvw(release, files, folder, order.encoding)
    return []


def _data_package(release: Release, tables: tuple[Table, ...], folder: Path, order: Order) -> list[str]:
    files = _csv_files(release, tables, folder, order)
    csv_files.write_data_package(release, files, folder, order.encoding)
    return []


def _workbook(release: Release, tables: tuple[Table, ...], folder: Path, order: Order) -> list[str]:
    from pipelines.exports.workbook import write_workbook

    _, partial = write_workbook(release, tables, folder, whole=bool(order.tables))
    return [f"{line}; `--table NAME` writes a table whole" for line in partial]


def _cubes_only(tables: tuple[Table, ...], order: Order) -> list[str]:
    found = {cube.name for cube in cubes(tables)}
    named = [name for name in order.tables if name not in found]
    if named or not found:
        raise UsageError(
            f"{', '.join(named) or 'no table'} is not a table of figures by time",
            where="--table",
            do="export it as csv, parquet or xlsx",
        )
    return [f"{table.name} is no table of figures by time: not in this format" for table in tables
            if table.name not in found and order.tables]  # fmt: skip


def _sdmx_csv(release: Release, tables: tuple[Table, ...], folder: Path, order: Order) -> list[str]:
    said = _cubes_only(tables, order)
    found = cubes(tables)
    for cube in found:
        write_sdmx_csv(release, cube, folder)
    write_structure(release, found, folder)
    return said


def _json_stat(release: Release, tables: tuple[Table, ...], folder: Path, order: Order) -> list[str]:
    said = _cubes_only(tables, order)
    for cube in cubes(tables):
        write_json_stat(release, cube, folder)
    return said


def _zip(release: Release, tables: tuple[Table, ...], folder: Path, order: Order) -> list[str]:
    inside = folder / "data"
    inside.mkdir()
    files = _csv_files(release, tables, inside, order, is_copied=False)
    csv_files.write_csvw(release, files, inside, order.encoding)
    csv_files.write_data_package(release, files, inside, order.encoding)
    dictionary = release.tables.get("meta_column")
    if dictionary is not None and dictionary.name not in files:
        csv_files.write_csv(release, dictionary, inside, order.encoding)
    (inside / "LICENCE.txt").write_text(reading_matter.licence(release), encoding="utf-8")
    (inside / "CITATION.cff").write_text(reading_matter.citation_file(release), encoding="utf-8")
    reading_matter.write_readme(release, tables, files, inside)
    with zipfile.ZipFile(folder / f"{release.stem}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=PACKING) as archive:
        for path in sorted({*inside.iterdir(), *files.values()}, key=lambda path: path.name):
            # Opened by name a member has the archive's packing and one fixed date: the same release, the same bytes.
            with archive.open(path.name, "w") as target, path.open("rb") as source:
                shutil.copyfileobj(source, target)
    shutil.rmtree(inside)
    return []


Writer = Callable[[Release, tuple[Table, ...], Path, Order], list[str]]
FORMATS: dict[str, Writer] = {
    "parquet": _parquet,
    "csv": _csv,
    "xlsx": _workbook,
    "sdmx-csv": _sdmx_csv,
    "json-stat": _json_stat,
    "datapackage": _data_package,
    "zip": _zip,
}


# Formats that are written at the same time, those after each other that share files: the longest first.
_SIDE_BY_SIDE = (("csv", "datapackage", "zip"), ("json-stat",), ("sdmx-csv",), ("xlsx", "parquet"))


def export(folder: Path, form: str, out: Path, order: Order | None = None) -> list[Export]:
    """Write a sealed release in one format, or in all (`all`); a folder a format below `out`, made when it is whole.

    Raises UsageError for an unknown format, table or encoding, and when a folder of that name is there already.
    """
    order = order or Order()
    csv_files.check_encoding(order.encoding)
    if form != "all" and form not in FORMATS:
        raise UsageError(
            f"there is no format {form!r}", where="--format", do=f"use one of {', '.join([*FORMATS, 'all'])}"
        )
    if form != "all":
        return _write_formats(folder, (form,), out, order)
    # Processes of their own: most of the time goes into Python's own work. Spawned, as threads do not survive a fork.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_write_formats, folder, names, out, order) for names in _SIDE_BY_SIDE]
        done = [made for future in waiting for made in future.result()]
    return sorted(done, key=lambda made: list(FORMATS).index(made.format))


def _write_formats(folder: Path, names: tuple[str, ...], out: Path, order: Order) -> list[Export]:
    """One folder a format, one after another."""
    done = []
    with Release.open(folder) as release:
        tables = release.chosen(order.tables)
        for name in names:
            target = out / f"{release.stem}_{name}"
            if target.exists():
                raise UsageError(
                    f"{target.name} is there already", where=str(target), do="remove it, or name another --out"
                )
            making = out / f".{target.name}.making"
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir(parents=True)
            try:
                said = FORMATS[name](release, tables, making, order)
                listed = {path.stem: path for path in sorted(making.iterdir())}
                files = {t.name: listed[stem] for t in tables if (stem := release.file_stem(t)) in listed}
                reading_matter.write_readme(release, tables, files, making)
            except BaseException:
                shutil.rmtree(making, ignore_errors=True)
                raise
            making.rename(target)
            if name == "csv":
                order = replace(order, csv_folder=target)
            done.append(
                Export(release.release_id, name, str(target), sorted(path.name for path in target.iterdir()), said)
            )
    return done
