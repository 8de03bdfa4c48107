"""The dbt models as Dagster shows them: names, groups, lineage and columns, from dbt's manifest.

dbt itself is started once per build by `pipelines.transform`, never from here.
"""

from __future__ import annotations

import fcntl
from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings

from pipelines import transform
from pipelines.dbt_manifest import DbtManifest, read_dbt_manifest
from pipelines.orchestration.names import BUILD, INTAKE, RELEASE_GROUP, model_key, reference_key
from pipelines.records import Build
from pipelines.sql import attach_build
from pipelines.store import Warehouse, for_owner_alone


class Translator(DagsterDbtTranslator):
    """How a dbt resource becomes an asset.

    A source table that is made of a reference table depends on that; every other one on the intake.
    """

    def __init__(self, reference_tables: set[str]) -> None:
        # All tables that intake fills are one asset here: they are written by one step, from all extracts.
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))
        self.reference_tables = reference_tables

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """The table's own name for a model; for a source the asset that it is made of."""
        name = str(dbt_resource_props["name"])
        if dbt_resource_props["resource_type"] != "source":
            return model_key(name)
        return reference_key(name) if name in self.reference_tables else INTAKE

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The folder below models/: staging, intermediate, marts."""
        return str(dbt_resource_props["fqn"][1]) if dbt_resource_props["resource_type"] == "model" else None

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The table's description; the SQL is in the repository."""
        return str(dbt_resource_props.get("description") or "")


def load_manifest(warehouse: Warehouse) -> DbtManifest:
    """dbt's manifest, parsed anew when the project has changed. Works before anything was ever built.

    Raises FaultError when dbt cannot parse the project.
    """
    folder = warehouse.private_folder(warehouse.dbt_target)
    # Web server and daemon load definitions at the same moment: one parses, the other waits for its manifest.
    with for_owner_alone(), (folder / ".parsing").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return read_dbt_manifest(transform.compile_manifest(folder))


def asset_specs(manifest: DbtManifest, reference_tables: set[str]) -> list[dg.AssetSpec]:
    """One asset per model, with its lineage, and the build as the asset that holds them all; what is needed first."""
    translator = Translator(reference_tables)
    named = {
        model_key(model.name): translator.get_asset_spec(manifest.raw, model.id, None) for model in manifest.models
    }
    # Dagster wants the outputs of a step in the order of their lineage.
    needs = {key: sorted(dep.asset_key for dep in spec.deps) for key, spec in named.items()}
    specs = [named[key] for key in TopologicalSorter(needs).static_order() if key in named]
    used = {dep.asset_key for spec in specs for dep in spec.deps}
    build = dg.AssetSpec(
        BUILD,
        deps=[spec.key for spec in specs if spec.key not in used],
        group_name=RELEASE_GROUP,
        kinds={"duckdb"},
        description="The private database that all tables stand in, with its mask. It is judged as a whole, and "
        "only a build whose stored verdict is a pass can be released.",
    )
    return [*specs, build]


def judged_models(manifest: DbtManifest) -> list[str]:
    """The models that have checks by themselves: published tables (their keys at least) and those with a dbt test."""
    tested = {test.attached_to for test in manifest.tests}
    return [model.name for model in manifest.models if model.id in tested or model.is_published]


def row_counts(build: Build, manifest: DbtManifest) -> dict[str, int]:
    """Rows per model of a build."""
    with duckdb.connect() as connection:
        connection.execute(f"{attach_build(build.database)}; use build")
        counts = {}
        for model in manifest.models:
            found = connection.execute(f'SELECT count(*) FROM "{model.schema}"."{model.name}"').fetchone()
            counts[model.name] = int(found[0]) if found else 0
    return counts
