"""Releases: prepare, seal, list, roll back. What analysts see is made here, from a judged build and its mask.

Every way to a release leads through `quality.require_passing`; a sealed folder is never written again.
"""

from __future__ import annotations

from pipelines.release.content import content_sha256
from pipelines.release.preparation import prepare
from pipelines.release.sealing import seal
from pipelines.release.shelf import clean_up, list_releases, read_manifest, rollback

__all__ = ["clean_up", "content_sha256", "list_releases", "prepare", "read_manifest", "rollback", "seal"]
