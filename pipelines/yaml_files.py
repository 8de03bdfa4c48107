"""YAML files that people write, as plain Python: what is no YAML, or would fill memory, is told with its line.

What the fields mean is in the models of those who ask. Files of our own are read by `store.read_yaml`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pipelines.errors import ConfigurationError

MAX_BYTES = 5_000_000
# A file of people's hands is seldom nested ten deep. libyaml's composer has no limit of its own and ends the process.
MAX_DEPTH = 50
MAX_NODES = 1_000_000  # with what an alias stands for counted wherever it stands

# libyaml's parser is ten times as fast; the pure one stands in where PyYAML was built without it.
SAFE_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(SAFE_LOADER):  # type: ignore[misc]
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

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, KeyError, AttributeError, OverflowError) as error:  # 2020-13-01, a number of 5,000 digits
            shown = str(node.value)[:40] if isinstance(node, yaml.ScalarNode) else node.tag
            raise yaml.constructor.ConstructorError(
                None, None, f"{shown!r} is not what it looks like", node.start_mark
            ) from error


def read_text(path: Path) -> str:
    """The text of a file that a person wrote. Raises ConfigurationError when it cannot be had or is too large."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES or not path.is_file():
            raise ConfigurationError(
                f"the file is {size:,} bytes long: refused" if path.is_file() else "this is no file",
                where=str(path),
                do=f"write a file of at most {MAX_BYTES:,} bytes",
            )
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError("a file is missing", where=str(path), do="create it, see docs/") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError("the file is not UTF-8", where=str(path), do="save it as UTF-8") from error
    except OSError as error:
        raise ConfigurationError(
            f"the file cannot be read: {error.strerror}", where=str(path), do="correct it"
        ) from error


def load_text(text: str, where: str) -> Any:
    """A YAML text as plain Python.

    Raises ConfigurationError with `where` and the line for text that is not YAML, a key that stands twice, and nesting
    or aliases that no person writes.
    """
    try:
        _refuse_growth(text)
        return yaml.load(text, Loader=_Loader)  # a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigurationError(
            f"not valid YAML: {getattr(error, 'problem', None) or error}",
            where=f"{where}, line {mark.line + 1 if mark else 1}",
            do="mend the line and run again",
        ) from error


def load_yaml(path: Path) -> Any:
    """A YAML file as plain Python; see `read_text` and `load_text`."""
    return load_text(read_text(path), str(path))


def line_of(text: str, location: tuple[int | str, ...]) -> int:
    """The line (1-based) of the deepest part of `location` that a text has, which `load_text` has read."""
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


def _refuse_growth(text: str) -> None:
    """Walk through the text without building anything. Raises MarkedYAMLError where it nests or grows too far."""
    sizes: dict[str, int] = {}  # anchor -> nodes below it, itself included
    open_nodes: list[tuple[str | None, int]] = []  # anchor and nodes before it, of each collection that is open
    nodes = 0
    for event in yaml.parse(text, Loader=SAFE_LOADER):
        anchor: Any = getattr(event, "anchor", None)
        problem = ""
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((anchor, nodes))
            nodes += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            closed, before = open_nodes.pop()
            if closed is not None:
                sizes[closed] = nodes - before
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == outer for outer, _ in open_nodes):
                problem = f"*{anchor} lies in itself"
            nodes += sizes.get(anchor, 1)
        elif isinstance(event, yaml.ScalarEvent):
            nodes += 1
            if anchor is not None:
                sizes[anchor] = 1
        if len(open_nodes) > MAX_DEPTH:
            problem = f"nested more than {MAX_DEPTH} deep"
        elif nodes > MAX_NODES:
            problem = f"more than {MAX_NODES:,} entries, those that aliases stand for included"
        if problem:
            mark: Any = event.start_mark
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
