"""A session: one visit to one jurisdiction and its warehouse, with every step that can be taken there.

In which order steps are taken is not decided here. What a look at landing does is `taking_in`'s, which build inputs
make is `identity`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines import intake, rules
from pipelines.errors import BlockedError, UsageError
from pipelines.jurisdiction import Jurisdiction, load
from pipelines.ledger import Ledger
from pipelines.records import Build, CheckResult, Choice, Punctuality, Reading, Receipt, Verdict
from pipelines.run import identity as identity_of
from pipelines.run import taking_in
from pipelines.run.holding import Decision, decide
from pipelines.run.taking_in import Intake
from pipelines.settings import Settings, switch_telemetry_off
from pipelines.store import Warehouse, make_private, read_json, write_json

if TYPE_CHECKING:  # what only publishes is loaded by what publishes
    from pipelines.publish import Release

TOLD_OF_A_KIND = 5  # lines of one kind of finding; a table that is out of line as a whole is not told cell by cell

Say = Callable[[str], None]
Note = Callable[..., None]  # an event and its fields, for the run's log


class Session:
    """One visit to one jurisdiction and its warehouse."""

    def __init__(self, settings: Settings, say: Say = lambda _: None) -> None:
        switch_telemetry_off()
        self.settings = settings
        self.say = say
        self.note: Note = lambda _, **__: None  # the run's log, once the run is watched
        self.warehouse = Warehouse(settings.warehouse_folder / settings.jurisdiction_folder.name)
        self.ledger = Ledger(self.warehouse.ledger)
        self.seconds: dict[str, float] = {}
        self.told: list[dict[str, str]] = []  # what new files did to the figures before them
        self.chosen: Choice | None = (
            None  # which deliveries count, where that was settled before (a release made again)
        )
        self.decision: Decision | None = None  # what was decided of the deliveries at the last look

    @cached_property
    def jurisdiction(self) -> Jurisdiction:
        """The jurisdiction, loaded and checked on first use."""
        jurisdiction = load(self.settings.jurisdiction_folder)
        intake.refuse_personal_numbers(jurisdiction)
        return jurisdiction

    @cached_property
    def rules(self) -> rules.Rules:
        """The present state of all rules; a change since the last visit goes into the ledger with its diff."""
        return rules.record(self.warehouse, self.ledger, self.jurisdiction.folder, self.settings.expectations_folder)

    @property
    def is_loaded(self) -> bool:
        """True when the jurisdiction was loaded, so that asking for it costs nothing and cannot fail."""
        return "jurisdiction" in self.__dict__

    @property
    def name(self) -> str:
        """What the jurisdiction calls itself, or its folder's name while it is not loaded."""
        return self.jurisdiction.name if self.is_loaded else self.warehouse.folder.name

    @contextmanager
    def hold(self) -> Iterator[Jurisdiction]:
        """Hold the warehouse for one run. A jurisdiction that cannot be loaded is told first, and leaves no folder."""
        jurisdiction = self.jurisdiction
        with self.warehouse.lock():
            yield jurisdiction

    @cached_property
    def reference_geographies(self) -> tuple[int, ...]:
        """The years whose lists of regions figures are re-based to: those asked for, else the jurisdiction's."""
        if self.settings.reference_geographies is None:
            return self.jurisdiction.reference_geographies
        self.jurisdiction.check_geographies(self.settings.reference_geographies)
        return self.settings.reference_geographies

    @contextmanager
    def dbt_at_hand(self) -> Iterator[Callable[[], None]]:
        """A way to start dbt before it is needed: it reads its project while files are still being read.

        A dbt that was started and not used is ended with the block.
        """
        from pipelines import transform

        try:
            yield lambda: transform.warm_up(self.warehouse, self.settings)
        finally:
            transform.cool_down(self.warehouse)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step under its name."""
        started = time.perf_counter()
        self.note("step_started", step=name)
        try:
            yield
        finally:
            taken = round(time.perf_counter() - started, 3)
            self.seconds[name] = round(self.seconds.get(name, 0.0) + taken, 3)
            self.note("step_ended", step=name, seconds=taken)

    # -- receive and read -----------------------------------------------------------------------------------

    take_in = taking_in.take_in
    periods = taking_in.periods

    def decide(
        self, receipts: list[Receipt], readings: list[Reading], as_of: str | None = None, *, keep: bool = True
    ) -> Decision:
        """Decide which deliveries count. `keep` stores what was found of each, so that the next look need not ask."""
        with self.step("decide"):
            self.decision = decide(
                self.jurisdiction,
                self.warehouse,
                receipts,
                readings,
                as_of=as_of,
                chosen=self.chosen,
                keep=keep and as_of is None,
            )
        return self.decision

    # -- build and judge ------------------------------------------------------------------------------------

    @property
    def expectations_folders(self) -> list[Path]:
        """The project's expectations, then the jurisdiction's own."""
        return [self.settings.expectations_folder, self.jurisdiction.expectations_folder]

    identity = identity_of.identity

    def stored_build(self, build_id: str) -> Build | None:
        """A build that stands in the warehouse, or None."""
        folder = self.warehouse.build_folder(build_id)
        path = folder / "build.json"
        # Where it stands now, not where it was made: a warehouse may be moved or restored to another place.
        return replace(Build.from_dict(read_json(path)), folder=str(folder)) if path.exists() else None

    def present_build(self, do: str) -> Build:
        """The build of exactly what is received and agreed now. `do` is what to do when there is none.

        Raises BlockedError when that has not been built.
        """
        taken = self.take_in(receive=False)
        made = self.stored_build(self.identity(taken).build_id)
        if made is None:
            raise BlockedError(
                "the present receipts, contracts and code have not been built",
                where=str(self.warehouse.builds),
                do=do,
            )
        return made

    def build(self, taken: Intake, identity: Build) -> Build:
        """Build the marts in a private file, and the mask over them."""
        from pipelines import protection, transform

        if not taken.readings:
            raise UsageError(
                "there is nothing to build: no file has been received",
                where=str(self.jurisdiction.landing),
                do="put files into landing/<department>/<extract>/<period>/ and run again",
            )
        with self.step("build"):
            findings = taken.decision.findings
            self._tell(taken)
            self.say("building the marts (dbt)")
            made = transform.build(
                self.warehouse,
                self.settings,
                {**self.jurisdiction.reference_tables(self.reference_geographies), "finding": findings},
                taken.readings,
                taken.receipts,
                identity,
                taken.decision.choice,
            )
            write_json(Path(made.folder) / "build.json", made.as_dict())
        with self.step("protect"):
            protection.make_mask(made, self.jurisdiction.disclosure)
        make_private(Path(made.folder))
        self.note("built", build_id=made.build_id, readings=len(made.reading_ids))
        self.ledger.append("built", {"build_id": made.build_id, "inputs_hash": made.inputs_hash, "as_of": made.as_of})
        self._forget_old_builds(keep=made.build_id)
        return made

    def _tell(self, taken: Intake) -> None:
        """Say what each new file that counts did to the figures before it, and which single values are out of line."""
        findings = taken.decision.findings
        in_force = taken.decision.choice.in_force
        paths = {
            r.receipt_id: r.landing_path for r in taken.new_receipts if r.is_withdrawal or r.receipt_id in in_force
        }
        own = findings.filter(pl.col("receipt_id").is_in(list(paths)) & pl.col("kind").is_in(intake.TOLD))
        self.told = [
            {**row, "landing_path": paths[row["receipt_id"]]}
            for row in own.select("receipt_id", "kind", "severity", "observed", "expected").iter_rows(named=True)
        ]
        self.told.sort(key=lambda row: intake.TOLD.index(row["kind"]))
        counted: dict[str, int] = {}
        for row in self.told:
            counted[row["kind"]] = counted.get(row["kind"], 0) + 1
            kind = row["kind"].replace("_", " ")
            if counted[row["kind"]] <= TOLD_OF_A_KIND:
                self.say(f"{kind}: {row['landing_path']}: {row['observed']} (against {row['expected']})")
        for name, count in counted.items():
            if count > TOLD_OF_A_KIND:
                self.say(f"{name.replace('_', ' ')}: {count - TOLD_OF_A_KIND} more (`junheng quality` lists them)")

    def findings(self, taken: Intake, as_of: str | None = None) -> pl.DataFrame:
        """What is found on the deliveries in force and on held ones: totals, corrections, drift and revisions.

        A correction for a delivery that nobody had sent at the moment `as_of` is not asked for.
        """
        return self.decide(taken.receipts, taken.readings, as_of).findings

    def punctuality(self, as_of: str | None = None) -> dict[str, Punctuality]:
        """What every extract owes now, or did at the moment `as_of`."""
        receipts = intake.all_receipts(self.warehouse)
        if as_of:
            known = [r for r in receipts if r.received_at <= as_of]
            return intake.punctuality(self.jurisdiction, known, [], datetime.fromisoformat(as_of))
        waits = intake.waiting(self.jurisdiction, self.warehouse)
        return intake.punctuality(self.jurisdiction, receipts, waits, datetime.now(UTC))

    def judge(self, build: Build, *, with_documents: bool = False) -> Verdict:
        """Judge a build; the verdict is stored with it, and Great Expectations' Data Docs when they are wanted."""
        from pipelines import publish, quality
        from pipelines.dbt_manifest import read_dbt_manifest

        with self.step("judge"):
            self.say("judging the build (checks)")
            rules = quality.Rules(
                self.expectations_folders,
                self.jurisdiction.waivers_file,
                self.punctuality(build.as_of),
                [table.contract for table in publish.published_tables(read_dbt_manifest(build.dbt_manifest))],
                publish.retired_tables(),
            )
            verdict = quality.judge(self.warehouse, build, rules, with_documents=with_documents)
        self.note("judged", **verdict_in_short(verdict))
        if verdict.outcome != "pass":
            self.write_workbooks(Path(build.folder) / "workbooks", quality.read_results(build))
        make_private(Path(build.folder))
        return verdict

    def write_workbooks(self, folder: Path, results: list[CheckResult]) -> None:
        """What departments must mend before their files count, or a blocked build can pass, a workbook for each."""
        from pipelines import exports

        synthetic = {c.id for c in self.jurisdiction.contracts.values() if c.provenance != "official"}
        lines = exports.failures(results)
        if exports.write_workbooks(folder, lines, synthetic, self.jurisdiction.synthetic_mark["zh"]):
            self.say(f"what departments have to mend is in {folder}")

    def publish(self, build: Build, *, set_current: bool = True) -> Release:
        """Prepare and seal a release of a build. Refuses without the passing verdict for this very build."""
        from pipelines import quality, release
        from pipelines.run.methods import old_method

        verdict = quality.require_passing(build, self.ledger)
        signing_key = self.signing_key()
        with old_method(self, build) as comparison:
            with self.step("prepare"):
                self.say("preparing the release")
                prepared = release.prepare(
                    self.warehouse,
                    build,
                    verdict,
                    self.jurisdiction,
                    build.mask,
                    self.settings,
                    comparison,
                )
            with self.step("seal"):
                sealed = release.seal(
                    self.warehouse,
                    self.ledger,
                    build,
                    prepared,
                    self.jurisdiction,
                    set_current=set_current,
                    made_by=self.settings.person,
                    signing_key=signing_key,
                )
        self.note("sealed", release_id=sealed.release_id, build_id=build.build_id, is_current=set_current)
        self.say(f"sealed release {sealed.release_id}")
        return sealed

    def signing_key(self) -> Any:
        """The key that releases are signed with, None when none is configured.

        Raises ConfigurationError for a key that is not a good one: a run must not end without its signature.
        """
        from pipelines.release.signing import load_key

        folders = (self.warehouse.folder.parent, self.jurisdiction.folder)
        return load_key(self.settings.signing_key_file, *folders)

    def _forget_old_builds(self, keep: str, newest: int = 3) -> None:
        """Builds are private and can be made again: only the newest few are kept, and the current release's."""
        from pipelines.store import remove_tree

        folders = [p for p in self.warehouse.builds.iterdir() if (p / "build.json").exists() and p.name != keep]
        current = self.current_build_id()
        folders.sort(key=lambda p: (p / "build.json").stat().st_mtime, reverse=True)
        for folder in folders[newest - 1 :]:
            if folder.name != current:
                remove_tree(folder)

    # -- state ----------------------------------------------------------------------------------------------

    def current_manifest(self) -> dict[str, Any] | None:
        """The manifest of the current release, or None when nothing was released."""
        path = self.warehouse.current / "manifest.json"
        return dict(read_json(path)) if path.exists() else None

    rests_on = identity_of.rests_on
    is_set_back_from = identity_of.is_set_back_from

    def current_build_id(self) -> str | None:
        """The build that the current release was made of."""
        manifest = self.current_manifest()
        return str(manifest["build_id"]) if manifest else None


def verdict_in_short(verdict: Verdict) -> dict[str, Any]:
    """A verdict for a run's log: its outcome, its counts and what blocks."""
    names = ("build_id", "outcome", "valid_until", "passed", "failed", "errors", "warnings", "blocking")
    return {name: getattr(verdict, name) for name in names}
