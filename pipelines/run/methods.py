"""The present data by the method of the last release, built beside when weights, targets or mapping changed.

It costs a second dbt call, and only then. What is made of it is `release.method`'s work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import rules
from pipelines.errors import JunhengError
from pipelines.jurisdiction import load
from pipelines.records import Build
from pipelines.release import OldMethod, lay_out, method
from pipelines.release.causes import rules_in
from pipelines.store import remove_tree

if TYPE_CHECKING:
    from pipelines.run import Session


@contextmanager
def old_method(session: Session, build: Build) -> Iterator[OldMethod | None]:
    """The build's data by the method of the current release, for as long as the block lasts.

    None when there is no release yet or the method is the same. Where the old method does not fit the present
    rules any more, the reason stands in place of the database.
    """
    before = session.current_manifest()
    if before is None or not build.rules_sha256:
        yield None
        return
    then, now = rules_in(before), rules.stored(session.warehouse, build.rules_sha256)
    files = method.changed_files(then, now)
    if not files:
        yield None
        return
    session.say(f"the method changed ({', '.join(files)}): building the same data by the old one (dbt)")
    scratch = session.warehouse.builds / f".old-method-{build.build_id}"
    remove_tree(scratch)
    try:
        with session.step("build by the old method"):
            made = _build(session, build, method.with_old_method(then, now), scratch)
        yield made
    finally:
        remove_tree(scratch)


def _build(session: Session, build: Build, old: rules.Rules, scratch: Path) -> OldMethod:
    from pipelines import protection, transform
    from pipelines.dbt_manifest import read_dbt_manifest
    from pipelines.publish import published_tables

    folder = scratch / "rules" / session.jurisdiction.folder.name
    rules.restore(session.warehouse, old, folder, scratch / "expectations")
    try:
        jurisdiction = load(folder)
        taken = session.take_in(receive=False, as_of=build.as_of)
        made = transform.build(
            session.warehouse,
            session.settings,
            {**jurisdiction.reference_tables(), "finding": taken.decision.findings},
            taken.readings,
            taken.receipts,
            replace(build, folder=str(scratch / "build")),
            taken.decision.choice,
        )
        mask = protection.make_mask(made, session.jurisdiction.disclosure)
        database = scratch / "public.duckdb"
        lay_out(made, published_tables(read_dbt_manifest(made.dbt_manifest)), mask, database, session.settings).close()
    except JunhengError as error:
        return OldMethod(old, problem=f"the old method does not fit the present rules: {error.message}")
    return OldMethod(old, database)
