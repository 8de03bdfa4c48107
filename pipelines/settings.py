"""Paths, limits and switches: from the environment and the command line, in one place.

It knows where the project's own folders lie and what the person at the door asked for. It reads no data.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipelines.errors import ConfigurationError

PACKAGE_FOLDER = Path(__file__).resolve().parent
PROJECT_FOLDER = PACKAGE_FOLDER.parent
DBT_FOLDER = PROJECT_FOLDER / "dbt_project"
EXPECTATIONS_FOLDER = PROJECT_FOLDER / "expectations"

# The environment names key files, it never holds a key.
SIGNING_KEY_VARIABLE = "JUNHENG_SIGNING_KEY_FILE"
PUBLIC_KEY_VARIABLE = "JUNHENG_PUBLIC_KEY_FILE"

READ_MEMORY_VARIABLE = "JUNHENG_READ_MEMORY"
READ_SECONDS_VARIABLE = "JUNHENG_READ_SECONDS"

# No tool that Junheng stands on may send usage statistics; set before any of them is imported.
TELEMETRY_OFF = {
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "DAGSTER_DISABLE_TELEMETRY": "yes",
}


def switch_telemetry_off() -> None:
    """Tell every tool in this process, and those it starts, to send nothing."""
    os.environ.update(TELEMETRY_OFF)


@dataclass(frozen=True)
class WorkLimits:
    """What the process may use that reads one delivered file: memory, and seconds of the processor.

    `seconds` are for a small file; a larger one has `seconds_per_megabyte` more. The clock is given `patience` times as
    long, for other programs use the processor too.
    """

    memory: str = "4GB"
    seconds: int = 120
    seconds_per_megabyte: int = 10
    patience: int = 4

    @property
    def memory_bytes(self) -> int:
        """The memory in bytes."""
        return bytes_of(self.memory)

    def seconds_for(self, size_bytes: int) -> int:
        """Processor seconds for a file of this size."""
        return self.seconds + size_bytes * self.seconds_per_megabyte // 1_000_000

    def __str__(self) -> str:
        return f"{self.memory} of memory and {self.seconds:,} s"


@dataclass(frozen=True)
class Settings:
    """Which jurisdiction, which warehouse, and the limits of a run."""

    jurisdiction_folder: Path
    warehouse_folder: Path
    expectations_folder: Path = EXPECTATIONS_FOLDER
    memory_limit: str = "1GB"
    threads: int = 2
    work_limits: WorkLimits = WorkLimits()  # of the process that reads delivered files
    reference_geographies: tuple[int, ...] | None = None  # lists of regions, in place of those the jurisdiction names
    signing_key_file: Path | None = None
    public_key_file: Path | None = None
    person: str = ""  # who is at the door, as the ledger is to say
    settings_file: Path | None = None  # alerts and what else an installation sets for itself
    retries: int = 4  # how often Dagster tries a step again whose trouble can pass
    retry_seconds: float = 30.0  # before the first of them; doubled before each further one

    @property
    def settings_folder(self) -> Path:
        """What paths in the settings file are relative to."""
        return self.settings_file.parent if self.settings_file is not None else Path.cwd()

    @classmethod
    def from_environment(cls, jurisdiction: Path | str | None = None, warehouse: Path | str | None = None) -> Settings:
        """Settings from arguments, else from JUNHENG_JURISDICTION / JUNHENG_WAREHOUSE, else the defaults."""
        jurisdiction = jurisdiction or os.environ.get("JUNHENG_JURISDICTION") or _default("raw/zhejiang")
        warehouse = warehouse or os.environ.get("JUNHENG_WAREHOUSE") or _default("warehouse")
        return cls(
            jurisdiction_folder=Path(jurisdiction).expanduser().resolve(),
            warehouse_folder=Path(warehouse).expanduser().resolve(),
            memory_limit=os.environ.get("JUNHENG_MEMORY_LIMIT", "1GB"),
            threads=_positive("JUNHENG_THREADS", 2),
            work_limits=_work_limits(),
            signing_key_file=_path(os.environ.get(SIGNING_KEY_VARIABLE)),
            public_key_file=_path(os.environ.get(PUBLIC_KEY_VARIABLE)),
            person=os.environ.get("JUNHENG_PERSON") or account(),
            settings_file=_settings_file(),
            reference_geographies=_years(os.environ.get("JUNHENG_REFERENCE_GEOGRAPHIES")),
        )


def account() -> str:
    """The account of the operating system that this process runs under."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account number without a name, as in some containers
        return f"account {os.getuid()}"


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser().absolute() if text else None


def _settings_file() -> Path | None:
    """The settings file: JUNHENG_SETTINGS, else junheng.yml in the current folder or the project's, else none."""
    named = os.environ.get("JUNHENG_SETTINGS")
    if named is not None:
        return Path(named).expanduser().resolve() if named else None
    path = _default("junheng.yml")
    return path if path.exists() else None


def _positive(variable: str, default: int) -> int:
    text = os.environ.get(variable, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise ConfigurationError(
            f"{text!r} is not a whole number of 1 or more", where=variable, do="correct it, or unset it"
        )
    return int(text)


def _work_limits() -> WorkLimits:
    memory = os.environ.get(READ_MEMORY_VARIABLE, WorkLimits.memory)
    try:
        bytes_of(memory)
    except ValueError as error:
        raise ConfigurationError(str(error), where=READ_MEMORY_VARIABLE, do="write it like 4GB, or unset it") from None
    return WorkLimits(memory=memory, seconds=_positive(READ_SECONDS_VARIABLE, WorkLimits.seconds))


def bytes_of(text: str) -> int:
    """A size like `4GB` or `500 MB` (thousands) in bytes. Raises ValueError for any other text."""
    match = re.fullmatch(r"([0-9]{1,6}) ?(MB|GB)", text)
    if match is None or not int(match.group(1)):
        raise ValueError(f"{text!r} is no size")
    return int(match.group(1)) * {"MB": 10**6, "GB": 10**9}[match.group(2)]


def _years(text: str | None) -> tuple[int, ...] | None:
    """Years joined by commas; an empty text is none at all, an unset variable leaves the choice to the jurisdiction."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and len(part) == 4 for part in parts):
        raise ConfigurationError(
            f"{text!r} is not a list of years",
            where="JUNHENG_REFERENCE_GEOGRAPHIES",
            do="write it like 2020 or 2015,2020, or unset it",
        )
    return tuple(sorted({int(part) for part in parts}))


def _default(relative: str) -> Path:
    """A default folder: below the current folder when it is there, else below the project."""
    here = Path.cwd() / relative
    return here if here.exists() else PROJECT_FOLDER / relative


def hash_files(paths: list[Path], root: Path) -> str:
    """SHA-256 over names (relative to `root`) and bytes of files, in name order."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(b"\0")
        digest.update(path.read_bytes())
        digest.update(b"\0")
    return digest.hexdigest()


@lru_cache(maxsize=1)
def code_version() -> str:
    """The version of the code: a hash of the package's own files and of the dbt project."""
    package = [p for p in PACKAGE_FOLDER.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    models = [
        p
        for p in DBT_FOLDER.rglob("*")
        if p.is_file()
        and not {"target", "logs", "__pycache__"} & set(p.relative_to(DBT_FOLDER).parts)
        and not p.name.startswith(".")
    ]
    return hash_files(package + models, PROJECT_FOLDER)
