"""What assets, jobs and steps are called, in one place so that no two modules spell a name differently."""

from __future__ import annotations

import hashlib
import re

import dagster as dg

INTAKE = dg.AssetKey("intake")
BUILD = dg.AssetKey("build")
RELEASE = dg.AssetKey("release")

# Groups follow the way of the data, so that their picture reads from left to right. dbt models have their folder.
EXTRACTS_GROUP, REFERENCE_GROUP, INTAKE_GROUP, RELEASE_GROUP = "extracts", "reference", "intake", "release"
NIGHTLY = "nightly"


def extract_key(extract_id: str) -> dg.AssetKey:
    """The asset of an extract: department, then extract."""
    return dg.AssetKey(extract_id.split("/"))


def reference_key(table: str) -> dg.AssetKey:
    """The asset of a reference table."""
    return dg.AssetKey([REFERENCE_GROUP, table])


def model_key(model: str) -> dg.AssetKey:
    """The asset of a dbt model: its name, which is the table's name in a release."""
    return dg.AssetKey(model)


def job_name(extract_id: str) -> str:
    """The job that reads delivery periods of an extract."""
    return f"read_{_plain(extract_id)}"


def is_read_job(job: str) -> bool:
    """True for the jobs that read delivery periods of an extract: a person's own business, who sees them end."""
    return job.startswith("read_")


def step_name(extract_id: str) -> str:
    """The step that reads a delivery period; Dagster wants its name to differ from every job's."""
    return f"{_plain(extract_id)}_delivery"


def _plain(extract_id: str) -> str:
    """An extract's id in plain letters and digits, which is all that Dagster takes; different ids stay different."""
    word = "[A-Za-z0-9]+(_[A-Za-z0-9]+)*"
    if re.fullmatch(f"{word}/{word}", extract_id):
        return extract_id.replace("/", "__")
    return f"{re.sub(r'[^A-Za-z0-9]', '_', extract_id)}_{hashlib.sha256(extract_id.encode()).hexdigest()[:8]}"
