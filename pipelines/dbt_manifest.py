"""dbt's manifest as plain objects: the models and data tests of a project, their columns, meta and parents.

The only place that knows how dbt writes its manifest. What is published, checked or shown of it is other modules'
business; running dbt is `transform`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.store import read_json

MODEL, TEST, SOURCE = "model", "test", "source"


@dataclass(frozen=True)
class Column:
    """A column as the YAML of its model declares it."""

    name: str
    data_type: str
    description: str
    meta: dict[str, Any]
    is_required: bool  # the model's contract lets no cell be empty


@dataclass(frozen=True)
class Node:
    """A model, data test or source: what its YAML says of it, the SQL that was run, and what it reads."""

    id: str
    kind: str
    name: str  # of the relation, for a model or source
    database: str
    schema: str
    path: str  # of the file with its SQL, in the project
    yaml_path: str  # of the file that describes it, in the project
    description: str
    meta: dict[str, Any]
    columns: tuple[Column, ...]
    parents: tuple[str, ...]  # ids of the nodes it reads
    attached_to: str  # of a test: id of the model that it is declared at, or empty
    sql: str  # as dbt compiled it; empty before a build

    @property
    def is_published(self) -> bool:
        """Whether it is a model whose relation is published."""
        return self.kind == MODEL and bool(self.meta.get("published"))


@dataclass(frozen=True)
class DbtManifest:
    """The nodes of a project by id. `raw` is the manifest as dbt wrote it, for libraries that take it whole."""

    nodes: dict[str, Node]
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def models(self) -> tuple[Node, ...]:
        """The models, by name."""
        return tuple(sorted((n for n in self.nodes.values() if n.kind == MODEL), key=lambda node: node.name))

    @cached_property
    def tests(self) -> tuple[Node, ...]:
        """The data tests, by id."""
        return tuple(sorted((n for n in self.nodes.values() if n.kind == TEST), key=lambda node: node.id))

    def parents_of(self, model: str) -> tuple[Node, ...]:
        """What a model reads itself, by name; nothing where there is no such model."""
        return tuple(self.nodes[name] for found in self.models if found.name == model for name in sorted(found.parents))

    def ancestors(self, node: Node) -> tuple[Node, ...]:
        """All that a node is made of, directly or through others; itself is not among them."""
        seen: set[str] = set()
        ahead = list(node.parents)
        while ahead:
            if (name := ahead.pop()) not in seen and name in self.nodes:
                seen.add(name)
                ahead += self.nodes[name].parents
        return tuple(self.nodes[name] for name in sorted(seen))

    def sources_of(self, node: Node) -> list[str]:
        """The names of the source tables that a node is made of, directly or through others."""
        return sorted(n.name for n in self.ancestors(node) if n.kind == SOURCE)


def read_dbt_manifest(path: Path) -> DbtManifest:
    """The manifest in a file; one without nodes where there is no file."""
    return of_mapping(read_json(path)) if path.exists() else DbtManifest({})


def of_mapping(raw: Mapping[str, Any]) -> DbtManifest:
    """The manifest that dbt's own mapping holds."""
    listed = {**raw.get("nodes", {}), **raw.get("sources", {})}
    return DbtManifest({node_id: _node(node_id, node) for node_id, node in listed.items()}, raw)


def _meta(item: Mapping[str, Any]) -> dict[str, Any]:
    """The meta of a node or column: dbt keeps it beside, in its configuration, or in both."""
    return {**(item.get("meta") or {}), **((item.get("config") or {}).get("meta") or {})}


def _column(column: Mapping[str, Any]) -> Column:
    return Column(
        name=str(column["name"]),
        data_type=str(column.get("data_type") or ""),
        description=str(column.get("description") or ""),
        meta=_meta(column),
        is_required=any(constraint.get("type") == "not_null" for constraint in column.get("constraints") or []),
    )


def _node(node_id: str, node: Mapping[str, Any]) -> Node:
    return Node(
        id=node_id,
        kind=str(node.get("resource_type") or ""),
        name=str((node.get("resource_type") == MODEL and node.get("alias")) or node["name"]),
        database=str(node.get("database") or ""),
        schema=str(node.get("schema") or ""),
        path=str(node.get("original_file_path") or ""),
        yaml_path=str(node.get("patch_path") or node.get("original_file_path") or ""),
        description=str(node.get("description") or ""),
        meta=_meta(node),
        columns=tuple(_column(column) for column in (node.get("columns") or {}).values()),
        parents=tuple((node.get("depends_on") or {}).get("nodes") or ()),
        attached_to=str(node.get("attached_node") or ""),
        sql=str(node.get("compiled_code") or ""),
    )
