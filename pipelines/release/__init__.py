"""Releases: prepare, seal, list, roll back, sign off, withdraw, compare. What analysts see is made here.

Every way to a release leads through `quality.require_passing`; a sealed folder is never written again.
"""

from __future__ import annotations

from pipelines.release.approval import calendar, severities, sign_off, withdraw
from pipelines.release.changes import compare_files
from pipelines.release.content import content_sha256
from pipelines.release.difference import diff
from pipelines.release.method import OldMethod
from pipelines.release.preparation import lay_out, prepare
from pipelines.release.sealing import seal
from pipelines.release.shelf import clean_up, find, list_releases, read_manifest, rollback
from pipelines.standing import said_of_withdrawal, states

__all__ = [
    "OldMethod",
    "calendar",
    "clean_up",
    "compare_files",
    "content_sha256",
    "diff",
    "find",
    "lay_out",
    "list_releases",
    "prepare",
    "read_manifest",
    "rollback",
    "said_of_withdrawal",
    "seal",
    "severities",
    "sign_off",
    "states",
    "withdraw",
]
