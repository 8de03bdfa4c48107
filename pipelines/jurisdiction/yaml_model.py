"""YAML files as validated models, with the line of the file in every error.

Used for contracts and `jurisdiction.yml`. What the fields mean is in the models themselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction.open_fields import OPEN, find_open, refuse_open, with_stand_ins

M = TypeVar("M", bound="StrictModel")


class StrictModel(BaseModel):
    """A model that refuses fields it does not know: a misspelt field must not be silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


# libyaml's parser is ten times as fast; the pure one stands in where PyYAML was built without it.
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Safe):  # type: ignore[misc]
    """A safe loader that refuses a key given twice: YAML's own rule, which PyYAML does not hold."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return dict(super().construct_mapping(node, deep=deep))


def _line_of(text: str, location: tuple[int | str, ...]) -> int:
    """The line (1-based) of the deepest part of `location` that the document has."""
    node = yaml.compose(text, Loader=_Loader)
    line = 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def load_model(path: Path, model: type[M], *, may_be_proposed: bool = False) -> M:
    """Read a YAML file into a model.

    Raises ConfigurationError with file and line for text that is not YAML, leaves a field open (`?`), or does not fit
    the model. With `may_be_proposed` a file with `status: proposed` may leave fields open: stand-ins are read in
    their places (`open_fields`).
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError("a file is missing", where=str(path), do="create it, see docs/") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError("the file is not UTF-8", where=str(path), do="save it as UTF-8") from error
    try:
        document = yaml.load(text, Loader=_Loader)  # a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ConfigurationError(
            f"not valid YAML: {getattr(error, 'problem', error)}",
            where=f"{path}, line {line}",
            do="mend the line and run again",
        ) from error
    if found := find_open(text, _Loader) if OPEN in text else []:
        if not (may_be_proposed and isinstance(document, dict) and document.get("status") == "proposed"):
            refuse_open(path, found)
        document = with_stand_ins(document)
    try:
        return model.model_validate(document if document is not None else {})
    except ValidationError as error:
        problems = []
        for item in error.errors()[:5]:
            location = tuple(item["loc"])
            dotted = ".".join(str(part) for part in location)
            problems.append(f"line {_line_of(text, location)}: {dotted}: {item['msg']}")
        raise ConfigurationError(
            "; ".join(problems), where=str(path), do="mend the fields named above and run again"
        ) from error
