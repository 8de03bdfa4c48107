"""The assets: extracts by delivery period, reference tables, the intake, the dbt models, the build, the release.

Each body opens a session and calls one step of it. What the step does, and whether it may, is not decided here.
"""

# No postponed annotations here: Dagster looks at the types of its functions as they are written.
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from pipelines import intake
from pipelines.dbt_manifest import DbtManifest
from pipelines.errors import UnreadableFileError, UsageError
from pipelines.jurisdiction import Contract, Jurisdiction
from pipelines.orchestration.dbt import row_counts
from pipelines.orchestration.names import (
    BUILD,
    EXTRACTS_GROUP,
    INTAKE,
    INTAKE_GROUP,
    REFERENCE_GROUP,
    RELEASE,
    RELEASE_GROUP,
    extract_key,
    reference_key,
    step_name,
)
from pipelines.orchestration.partitions import Delivery, deliveries, delivery_periods, register
from pipelines.orchestration.visits import present_build, retry_policy, visit
from pipelines.records import Receipt
from pipelines.run import Session, held
from pipelines.settings import Settings


def extract_asset(settings: Settings, contract: Contract) -> dg.AssetsDefinition:
    """The asset of one extract: materialising a partition receives and reads what landed for that period."""
    formats: set[str] = {layout.format.kind for layout in contract.layouts}
    formats |= {contract.records.format.kind} if contract.records else set()
    spec = dg.AssetSpec(
        extract_key(contract.id),
        description=f"{contract.name} / {contract.name_en}\n\n{contract.description.purpose}".strip(),
        group_name=EXTRACTS_GROUP,
        partitions_def=delivery_periods(contract.id),
        kinds=set(sorted(formats)[:3]),  # Dagster takes three
        metadata={
            "publisher": contract.source.publisher,
            "owner": contract.owner,
            "license": contract.license,
            "provenance": contract.provenance,
        },
    )

    @dg.multi_asset(specs=[spec], name=step_name(contract.id), retry_policy=retry_policy(settings))
    def read(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        with visit(settings, context, alone="read") as watched:
            session, period = watched.session, context.partition_key
            in_force = intake.in_force(intake.all_receipts(session.warehouse))

            def again(receipt: Receipt) -> bool:
                """Who materialises a partition wants it read, whether it was read before or not."""
                own = (receipt.extract_id, receipt.delivery_period) == (contract.id, period)
                return own and receipt.receipt_id in in_force

            taken = session.take_in(extract=contract.id, period=period, again=again)
            found = [
                delivery
                for delivery in deliveries(session.jurisdiction, taken)
                if delivery.contract.id == contract.id and delivery.period == period
            ]
            folder = session.jurisdiction.landing / contract.id / period
            if not found:
                raise UsageError(
                    f"nothing is in force of {contract.id} for {period}: no file has landed, or it was withdrawn",
                    where=str(folder),
                    do="put the department's file there, then materialise the partition again",
                )
            if problems := found[0].problems:
                raise UnreadableFileError(
                    "; ".join(problems),
                    where=str(folder),
                    do="ask the department for a readable file, or mend the contract; the last release stays",
                )
            return dg.MaterializeResult(metadata=found[0].metadata(session.jurisdiction, session.warehouse))

    return read


def reference_assets(jurisdiction: Jurisdiction) -> list[dg.AssetSpec]:
    """The reference tables: written by people in the jurisdiction's folder, so nothing here makes them."""
    return [
        dg.AssetSpec(
            reference_key(table),
            group_name=REFERENCE_GROUP,
            description=f"Reference table `{table}` of {jurisdiction.key}, as people keep it.",
            metadata={"folder": dg.MetadataValue.path(str(jurisdiction.folder / "reference"))},
        )
        for table in sorted(jurisdiction.reference_tables())
    ]


def intake_asset(settings: Settings, jurisdiction: Jurisdiction) -> dg.AssetsDefinition:
    """Receive and read everything new. When the current release already rests on it, nothing after it runs."""

    @dg.asset(
        key=INTAKE,
        deps=[extract_key(extract) for extract in jurisdiction.contracts],
        group_name=INTAKE_GROUP,
        output_required=False,
        retry_policy=retry_policy(settings),
        description="Everything received and read, in all extracts and delivery periods. Reports each extract's "
        "partitions; is not materialised when nothing is new, and then nothing after it runs.",
    )
    def take_in(context: dg.AssetExecutionContext) -> Iterator[dg.AssetObservation | dg.MaterializeResult]:  # type: ignore[type-arg]
        said = ""
        with visit(settings, context, alone="read") as watched:
            session = watched.session
            taken = session.take_in()
            found = deliveries(session.jurisdiction, taken)
            for extract in session.jurisdiction.contracts:
                periods = {r.delivery_period for r in taken.receipts if r.extract_id == extract}
                register(context.instance, extract, periods)
            for delivery in found:
                _report(context, delivery, session)
            for receipt in (receipt for receipt in taken.new_receipts if receipt.is_withdrawal):
                told = f"withdrawn by the department: {receipt.landing_path}"
                key = extract_key(receipt.extract_id)
                context.log_event(dg.AssetObservation(key, partition=receipt.delivery_period, description=told))
            late = intake.late_deliveries(session.punctuality())
            identity, choice = session.identity(taken), taken.decision.choice
            news = held.record(session, taken)
            held.stop(session, taken)
            release = session.warehouse.current_release_id()
            metadata: dict[str, int | str] = {
                "files_received": len(taken.new_receipts),
                "files_read": len(taken.new_readings),
                "deliveries": len(found),
                "held_back": len(taken.held_back),
                "refused": len(taken.refused),
                "unreadable": sum(1 for delivery in found if delivery.problems),
                "rejects": sum(reading.rejects for reading in taken.readings),
                "rejects_known": sum(reading.known_rejects for reading in taken.readings),
                "late": len(late),
                "held": len(choice.held),
                "build": identity.build_id,
            }
            for each in choice.held:
                context.log.warning("\n".join(each.lines))
            for due in late:
                context.log.warning(
                    f"late: {due.extract_id} {due.delivery_period} was due on {due.due_on} from {due.owner}"
                )
            is_set_back = session.is_set_back_from(identity, choice)
            if choice.held and not any(r.receipt_id in choice.in_force for r in taken.readings):
                raise held.refusal(session, choice.held, is_all=True)
            if is_set_back or session.rests_on(session.current_manifest(), identity, choice):
                if news:
                    raise held.refusal(session, news)
                said = f"nothing new: {'current stays set back to ' if is_set_back else ''}release {release}"
                said += "" if is_set_back else " is up to date"
                context.log.info(said)
                context.instance.add_run_tags(context.run.run_id, {"junheng/outcome": "nothing_new"})
                watched.done("nothing_new")
        if said:
            yield dg.AssetObservation(INTAKE, description=said, metadata=metadata)
        else:
            yield dg.MaterializeResult(metadata=metadata)

    return take_in


def build_assets(settings: Settings, manifest: DbtManifest, specs: list[dg.AssetSpec]) -> dg.AssetsDefinition:
    """All dbt models and the build they stand in: one step, since there is one dbt call per build."""

    @dg.multi_asset(specs=specs, name="build_tables", retry_policy=retry_policy(settings))
    def build_tables(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        with visit(settings, context, alone="built") as watched:
            session = watched.session
            taken = session.take_in(receive=False)
            identity = session.identity(taken)
            build = session.stored_build(identity.build_id)
            if build is None:
                build = session.build(taken, identity)
            else:
                context.log.info(f"the build {build.build_id} of the same receipts, rules and code stands already")
            counts = row_counts(build, manifest)
            size = sum(path.stat().st_size for path in build.files)
        for spec in specs:
            if spec.key == BUILD:
                yield dg.MaterializeResult(
                    asset_key=BUILD,
                    metadata={
                        "build": build.build_id,
                        "folder": dg.MetadataValue.path(build.folder),
                        "size_bytes": size,
                        "readings": len(build.reading_ids),
                        "code_version": build.code_version,
                        "seconds": session.seconds.get("build", 0.0),
                    },
                )
            else:
                yield dg.MaterializeResult(
                    asset_key=spec.key, metadata={"dagster/row_count": counts[spec.key.path[-1]]}
                )

    return build_tables


def release_asset(settings: Settings) -> dg.AssetsDefinition:
    """Prepare and seal a release of the present build; refused without the passing verdict of that very build."""

    @dg.asset(
        key=RELEASE,
        deps=[BUILD],
        group_name=RELEASE_GROUP,
        retry_policy=retry_policy(settings),
        description="A sealed release, swapped in as `current`. It reads the stored verdict of the present build: "
        "materialised alone, it fails when that is not a pass, and the last release stays.",
    )
    def release(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        with visit(settings, context, alone="published") as watched:
            session = watched.session
            sealed = session.publish(present_build(session))
            watched.done("published")
            folder = Path(sealed.folder)
            context.instance.add_run_tags(
                context.run.run_id, {"junheng/outcome": "published", "junheng/release": sealed.release_id}
            )
            return dg.MaterializeResult(
                metadata={
                    "release": sealed.release_id,
                    "state": sealed.state,
                    "build": sealed.build_id,
                    "folder": dg.MetadataValue.path(str(folder)),
                    "database": dg.MetadataValue.path(str(folder / "public.duckdb")),
                    "pages": dg.MetadataValue.path(str(folder / "pages" / "index.html")),
                    "quality": dg.MetadataValue.path(str(folder / "quality" / "index.html")),
                }
            )

    return release


def _report(context: dg.AssetExecutionContext, delivery: Delivery, session: Session) -> None:
    """Show a delivery as a materialised partition of its extract, once for each state it is in.

    Files that were read through the command line are reported by the next nightly. One that cannot be read is no
    materialisation: it is observed with its problem, and the verdict on the build is what blocks.
    """
    metadata = delivery.metadata(session.jurisdiction, session.warehouse)
    if delivery.problems:
        context.log.warning("cannot be read: " + "; ".join(delivery.problems))
        context.log_event(dg.AssetObservation(delivery.key, partition=delivery.period, metadata=metadata))
        return
    wanted = dg.AssetRecordsFilter(asset_key=delivery.key, asset_partitions=[delivery.period])
    for record in context.instance.fetch_materializations(wanted, limit=1).records:
        materialisation = record.asset_materialization
        if materialisation and materialisation.metadata.get("readings") == metadata["readings"]:
            return
    context.log_event(dg.AssetMaterialization(delivery.key, partition=delivery.period, metadata=metadata))
