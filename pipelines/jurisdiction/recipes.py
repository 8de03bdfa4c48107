"""Recipes: questions that analysts ask of a release, with the SQL that answers them.

They are the jurisdiction's own (`recipes.yml`), because they name its regions and indicators. They travel in the
release, are at hand in `junheng open`, and the tests run each of them.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from pipelines.jurisdiction.yaml_model import StrictModel, load_model


class Recipe(StrictModel):
    """One question: a short name to call it by, what it asks, and one SQL statement on the published tables."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title_zh: str
    title_en: str
    sql: str = Field(min_length=1)


class Recipes(StrictModel):
    """The model of `recipes.yml`."""

    recipes: list[Recipe] = []

    @model_validator(mode="after")
    def _names_once(self) -> Recipes:
        names = [recipe.name for recipe in self.recipes]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"the recipe {sorted(twice)[0]!r} stands twice")
        return self


def load_recipes(path: Path) -> list[Recipe]:
    """The recipes of a jurisdiction; none where the file is not there. Raises ConfigurationError for a mistake."""
    return load_model(path, Recipes).recipes if path.exists() else []


def as_markdown(recipes: list[Recipe], name_zh: str, name_en: str) -> str:
    """The recipes as a page to read, `docs/recipes/queries.md`."""
    count = f"{len(recipes)} questions to a release"
    parts = [
        f"# {name_zh}：常用查询 / {name_en}: {count}\n",
        "Written by `junheng recipes` from the jurisdiction's `recipes.yml`: add a question there.\n",
    ]
    for recipe in recipes:
        parts.append(
            f"## {recipe.name}\n\n{recipe.title_zh} / {recipe.title_en}\n\n```sql\n{recipe.sql.strip()};\n```\n"
        )
    return "\n".join(parts)
