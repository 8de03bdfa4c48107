"""What people look at: the pages of a release, made from the prepared folder alone.

Every page is one file that opens from disk without a network; a figure that rests on synthetic input is marked
where it stands. Nothing is computed here that a table does not hold.
"""

from __future__ import annotations

from pipelines.pages.difference import render_difference
from pipelines.pages.rendering import render

__all__ = ["render", "render_difference"]
