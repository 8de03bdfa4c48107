"""How names and texts are written in SQL. It knows no table and runs nothing."""

from __future__ import annotations

from pathlib import Path


def quote(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def text_literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def attach_build(database: Path) -> str:
    """Statements that attach the database of a build as `build`, read-only, and look for its files beside it."""
    folder = text_literal(str(database.parent))
    return f"set file_search_path = {folder}; attach {text_literal(str(database))} as build (read_only)"
