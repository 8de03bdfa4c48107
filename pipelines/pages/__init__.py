"""What people look at: the pages of a release, made from the prepared folder alone.

The site opens from disk without a network or a server; what rests on synthetic input is marked where it stands.
Figures are those of the tables; what is made of them here (quartiles, bands, neighbours) says how on the page.
"""

from __future__ import annotations

from pipelines.pages.difference import render_difference
from pipelines.pages.maps import BOUNDARIES
from pipelines.pages.rendering import render

__all__ = ["BOUNDARIES", "render", "render_difference"]
