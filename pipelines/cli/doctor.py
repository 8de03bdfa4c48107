"""`junheng doctor`: is everything there that Junheng needs, and what to do where it is not."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

from pipelines.errors import JunhengError
from pipelines.settings import PROJECT_FOLDER, Settings

PACKAGES = (
    "duckdb",
    "polars",
    "pyarrow",
    "dbt-core",
    "dbt-duckdb",
    "great-expectations",
    "dagster",
    "fastexcel",
    "cryptography",
)


def examine(settings: Settings) -> list[dict[str, str]]:
    """One line per thing looked at: what, state (good, note, bad), what was found, what to do."""
    findings = [
        _python(),
        *_packages(),
        _fonts(),
        _report(),
        _disk(settings),
        *_folders(settings),
        _configuration(settings),
        *_alerts(settings),
    ]
    findings.append(_ledger(settings))
    findings.append(_signing_key(settings))
    return findings


def _line(what: str, state: str, found: str, do: str = "") -> dict[str, str]:
    return {"what": what, "state": state, "found": found, "do": do}


def _python() -> dict[str, str]:
    good = (3, 11) <= sys.version_info[:2] < (3, 14)
    return _line("Python", "good" if good else "bad", sys.version.split()[0], "" if good else "use Python 3.11 to 3.13")


def _packages() -> list[dict[str, str]]:
    lines = []
    for name in PACKAGES:
        try:
            lines.append(_line(name, "good", importlib.metadata.version(name)))
        except importlib.metadata.PackageNotFoundError:
            lines.append(_line(name, "bad", "not installed", "run `make install`"))
    return lines


def _fonts() -> dict[str, str]:
    """Pages use the reader's own fonts; a Chinese one matters for looking at them here, and for the report's PDF."""
    command = shutil.which("fc-list")
    if command is None:
        return _line(
            "Chinese font",
            "note",
            "fontconfig is not installed",
            "only for viewing here and for the report as PDF: apt-get install fonts-noto-cjk",
        )
    fonts = subprocess.run([command, ":lang=zh", "family"], capture_output=True, text=True, check=False).stdout.strip()
    if fonts:
        return _line("Chinese font", "good", sorted(fonts.splitlines())[0])
    return _line(
        "Chinese font",
        "note",
        "none",
        "only for viewing here and for the report as PDF: apt-get install fonts-noto-cjk",
    )


def _report() -> dict[str, str]:
    """What the yearly report needs to become a PDF; the HTML needs nothing."""
    from pipelines.pages.report import pdf

    problem = pdf.missing()
    return _line("report as PDF", "note" if problem else "good", problem or "can be made")


def _disk(settings: Settings) -> dict[str, str]:
    folder = settings.warehouse_folder
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    return _line(
        "disk",
        "good" if free > 2 else "bad",
        f"{free:,.1f} GB free",
        "" if free > 2 else "free at least 2 GB",
    )


def _folders(settings: Settings) -> list[dict[str, str]]:
    lines = []
    folder: Path = settings.warehouse_folder
    while not folder.exists():
        folder = folder.parent
    writable = os.access(folder, os.W_OK)
    lines.append(
        _line(
            "warehouse",
            "good" if writable else "bad",
            str(settings.warehouse_folder),
            "" if writable else f"make {folder} writable",
        )
    )
    there = (PROJECT_FOLDER / "dbt_project" / "dbt_project.yml").exists()
    lines.append(
        _line(
            "dbt project",
            "good" if there else "bad",
            "found" if there else "missing",
            "" if there else "run from a clone of the project",
        )
    )
    return lines


def _configuration(settings: Settings) -> dict[str, str]:
    from pipelines.jurisdiction import load

    try:
        jurisdiction = load(settings.jurisdiction_folder)
        jurisdiction.reference_tables()
    except JunhengError as error:
        return _line("jurisdiction", "bad", error.message, f"{error.where}: {error.do}")
    return _line("jurisdiction", "good", f"{jurisdiction.name}: {len(jurisdiction.contracts)} contracts")


def _alerts(settings: Settings) -> list[dict[str, str]]:
    """The alert channels, as far as can be seen without sending: `junheng alerts --test` sends."""
    from pipelines import alerts
    from pipelines.store import Warehouse

    where = str(settings.settings_file) if settings.settings_file else "no settings file"
    try:
        settings_file = alerts.load_settings_file(settings.settings_file)
    except JunhengError as error:
        return [_line("settings file", "bad", error.message, f"{error.where}: {error.do}")]
    lines = [_line("settings file", "good", where)]
    warehouse = Warehouse(settings.warehouse_folder / settings.jurisdiction_folder.name)
    for channel, health in zip(settings_file.channels(), alerts.channel_health(settings_file, warehouse), strict=True):
        what, found = f"alerts: {channel.name}", f"{channel.kind} to {channel.goes_to}"
        try:
            channel.secrets(settings.settings_folder)
        except JunhengError as error:
            lines.append(_line(what, "bad", error.message, f"{error.where}: {error.do}"))
            continue
        if health["failing_since"]:
            lines.append(_line(what, "bad", f"{found}: {health['problem']}", "mend it, then `junheng alerts --test`"))
        else:
            lines.append(_line(what, "good", found))
    return lines


def _ledger(settings: Settings) -> dict[str, str]:
    from pipelines.ledger import Ledger
    from pipelines.store import Warehouse

    ledger = Ledger(Warehouse(settings.warehouse_folder / settings.jurisdiction_folder.name).ledger)
    try:
        count = len(ledger.entries())
    except JunhengError as error:
        return _line("ledger", "bad", error.message, error.do)
    return _line("ledger", "good", f"{count} entries, chain holds")


def _signing_key(settings: Settings) -> dict[str, str]:
    from pipelines.release.signing import load_key

    try:
        key = load_key(settings.signing_key_file, settings.warehouse_folder, settings.jurisdiction_folder)
    except JunhengError as error:
        return _line("signing key", "bad", error.message, f"{error.where}: {error.do}")
    if key is None:
        return _line("signing key", "note", "none: releases are not signed", "`junheng key FILE` makes one")
    return _line("signing key", "good", f"releases are signed by {key.key_id}")
