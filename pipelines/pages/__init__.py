"""What people look at: the pages of a release, made from the prepared folder alone."""

from __future__ import annotations

from pathlib import Path


def render(folder: Path) -> None:
    """Render the pages of a prepared release."""
