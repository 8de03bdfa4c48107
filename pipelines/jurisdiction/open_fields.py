"""What a YAML file leaves open: a field whose value is `?` waits for a person, and nothing is read or published by it.

Only a contract that is proposed may hold open fields. A trial of such a contract reads with stand-ins for them, so that
people see what the rest of it does; no stand-in ever reaches a run.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines.errors import ConfigurationError
from pipelines.yaml_files import SAFE_LOADER

OPEN = "?"
_SHOWN = 5  # open fields that an error lists
# Fields that hold texts as a department writes them: a question mark there is nothing but one.
_AS_WRITTEN = frozenset(
    ("text", "expect", "where", "no_code", "name_prefixes", "name_suffixes", "codes", "find", "missing", "delimiter")
)
_DIMENSIONS = ("population_basis", "residence", "sex", "age_group", "group", "item")
_FREE = ("item", "group", "age_group")  # dimensions whose codes no list fixes
# What a trial takes for an open field, by the last part of its place; a field not named here is left out.
_STAND_INS = {"provenance": "synthetic", "kind": "year", "starts": "04-01"}


@dataclass(frozen=True)
class OpenField:
    """One open field: its line (from 1), its place in dotted form, and the line as it is written."""

    line: int
    field: str
    text: str

    def as_dict(self) -> dict[str, Any]:
        """As printed by `--json`."""
        return {"line": self.line, "field": self.field, "text": self.text}


def find_open(text: str) -> list[OpenField]:
    """Every field of a YAML text whose value is `?`, in order."""
    lines = text.splitlines()
    found: list[OpenField] = []

    def walk(node: yaml.Node | None, place: tuple[str, ...]) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if str(key.value) not in _AS_WRITTEN:
                    walk(value, (*place, str(key.value)))
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                walk(value, (*place, str(number)))
        elif isinstance(node, yaml.ScalarNode) and node.value == OPEN:
            line = node.start_mark.line
            found.append(OpenField(line + 1, ".".join(place), lines[line].strip().removeprefix("- ")))

    walk(yaml.compose(text, Loader=SAFE_LOADER), ())
    return found


def refuse_open(path: Path, found: list[OpenField]) -> None:
    """Raises ConfigurationError when any field is open."""
    if not found:
        return
    listed = "; ".join(f"line {item.line}: {item.field}" for item in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise ConfigurationError(
        f"{len(found)} field(s) still open ({OPEN}): {listed}{more}",
        where=f"{path}, line {found[0].line}",
        do="write what each of them is; only a contract with `status: proposed` may leave something open",
    )


def with_stand_ins(document: Any) -> Any:
    """A proposed contract with something in place of every open field, for a trial of it."""
    made = copy.deepcopy(document)
    for layout in made.get("layouts") or []:
        if not isinstance(layout, dict):
            continue
        for name, meaning in (("tokens", "missing"), ("marks", "note")):
            signs = layout.get(name) or {}
            layout.update({name: {t: meaning if m == OPEN else m for t, m in signs.items()}} if signs else {})
        _tell_values_apart(layout.get("values") or [])
        _free_rows(layout)
    return _filled(made, "")


def _tell_values_apart(values: list[dict[str, Any]]) -> None:
    """A column whose measure or dimensions are open gets a measure of its own: no two report one figure."""
    for number, value in enumerate(values, start=1):
        open_dimensions = [name for name in _DIMENSIONS if value.get(name) == OPEN]
        if value.get("measure") == OPEN or open_dimensions:
            value["measure"] = f"open_{number}"
        for name in open_dimensions:
            del value[name]


def _free_rows(layout: dict[str, Any]) -> None:
    """A row dimension that is open, or maps a text to something open, takes the texts as they are."""
    rows = layout.get("rows") or []
    taken = {row.get("dimension") for row in rows}
    for row in rows:
        texts = row.get("map") or {}
        if row.get("dimension") == "measure":
            row["map"] = {text: f"open_{text}" if code == OPEN else code for text, code in texts.items()}
        elif row.get("dimension") == OPEN or OPEN in texts.values():
            row["dimension"] = next((name for name in _FREE if name not in taken), OPEN)
            taken.add(row["dimension"])
            if texts:
                row["codes"] = list(texts)
                del row["map"]


def _filled(node: Any, field: str) -> Any:
    if field in (*_AS_WRITTEN, "unit"):  # an open unit stays one: its numbers are read as they stand
        return node
    if isinstance(node, dict):
        parts = {key: _filled(value, str(key)) for key, value in node.items()}
        return {key: value for key, value in parts.items() if value is not None or node[key] is None}
    if isinstance(node, list):
        return [part for part in (_filled(value, field) for value in node) if part is not None]
    if node != OPEN or field in ("name", "name_en", "license", "publisher", "title"):
        return node
    return _STAND_INS.get(field)
