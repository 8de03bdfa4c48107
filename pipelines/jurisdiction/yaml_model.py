"""YAML files as validated models, with the line of the file in every error.

Used for contracts and `jurisdiction.yml`. What the fields mean is in the models themselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from pipelines.errors import ConfigurationError

M = TypeVar("M", bound="StrictModel")


class StrictModel(BaseModel):
    """A model that refuses fields it does not know: a misspelt field must not be silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _line_of(node: Any, location: tuple[int | str, ...]) -> int:
    """The line (1-based) of the deepest part of `location` that the document has."""
    line = 1
    for part in location:
        try:
            if isinstance(node, CommentedMap) and part in node:
                line = node.lc.key(part)[0] + 1
                node = node[part]
            elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                line = node.lc.item(part)[0] + 1
                node = node[part]
            else:
                break
        except (KeyError, TypeError, AttributeError):
            break
    return line


def load_model(path: Path, model: type[M]) -> M:
    """Read a YAML file into a model.

    Raises ConfigurationError with file and line for text that is not YAML or does not fit the model.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError("a file is missing", where=str(path), do="create it, see docs/") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError("the file is not UTF-8", where=str(path), do="save it as UTF-8") from error
    try:
        document = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 1
        raise ConfigurationError(
            f"not valid YAML: {error.problem}", where=f"{path}, line {line}", do="mend the line and run again"
        ) from error
    try:
        return model.model_validate(document if document is not None else {})
    except ValidationError as error:
        problems = []
        for item in error.errors()[:5]:
            location = tuple(item["loc"])
            dotted = ".".join(str(part) for part in location)
            problems.append(f"line {_line_of(document, location)}: {dotted}: {item['msg']}")
        raise ConfigurationError(
            "; ".join(problems), where=str(path), do="mend the fields named above and run again"
        ) from error
