"""The steps in order: what is new, what must be done again, what comes next.

Both doors, the command line and Dagster, come through here; a `Session` is one visit. Each step's own work is
its room's: this room only decides what to call and when.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from pipelines import intake, rules
from pipelines.errors import BlockedError, ConfigurationError, UsageError
from pipelines.jurisdiction import Jurisdiction, load
from pipelines.jurisdiction.cadence import Periods
from pipelines.ledger import Ledger
from pipelines.records import Build, CheckResult, Choice, Punctuality, Reading, Receipt, Release, Verdict
from pipelines.run import held, telling
from pipelines.run.holding import Decision, decide
from pipelines.run.watching import Watch, watch
from pipelines.settings import Settings, code_version, switch_telemetry_off
from pipelines.store import Warehouse, make_private, now_utc, read_json, write_json

TOLD_OF_A_KIND = 5  # lines of one kind of finding; a table that is out of line as a whole is not told cell by cell

Say = Callable[[str], None]
Note = Callable[..., None]  # an event and its fields, for the run's log


@dataclass(frozen=True)
class Intake:
    """What receive and read gave: everything in the warehouse, and what is new of it."""

    receipts: list[Receipt]
    readings: list[Reading]
    new_receipts: list[Receipt]
    new_readings: list[Reading]
    decision: Decision  # which of all deliveries count
    held_back: list[str] = field(default_factory=list)
    refused: list[intake.Refused] = field(default_factory=list)


@dataclass
class RunReport:
    """What a run did, for people and for `--json`."""

    outcome: str  # published, nothing_new
    jurisdiction: str
    build_id: str
    release_id: str | None = None
    release_folder: str | None = None
    is_set_back: bool = False  # nothing new, and a person set `current` back from this build's release, or withdrew it
    new_receipts: int = 0
    new_readings: int = 0
    rejects: int = 0
    known_rejects: int = 0
    held_back: list[str] = field(default_factory=list)  # person-level files that wait for a key
    held: list[dict[str, Any]] = field(default_factory=list)  # deliveries that failed a check and do not count
    held_in_short: str = ""  # how many they are, and since when
    refused: list[dict[str, str]] = field(default_factory=list)  # what lies in landing and cannot be taken in
    differences: list[dict[str, str]] = field(default_factory=list)  # what new files did to the figures before them
    late: list[dict[str, Any]] = field(default_factory=list)  # deliveries that are due and have not come
    alerts: list[dict[str, Any]] = field(default_factory=list)  # per channel that had something to tell
    seconds: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON types."""
        return asdict(self)


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
        return load(self.settings.jurisdiction_folder)

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

    def take_in(
        self,
        *,
        extract: str | None = None,
        period: str | Container[str] | None = None,
        as_of: str | None = None,
        full: bool = False,
        receive: bool = True,
        again: Callable[[Receipt], bool] = lambda _: False,
        arrived: Callable[[], None] = lambda: None,
    ) -> Intake:
        """Receive what has landed and read every receipt that has no reading under the present rules.

        `extract` and `period` (a name, a range like 2015..2018, or several names) limit what is received; `as_of`
        limits the receipts to those known then; `again` says which are read although they have a reading; `arrived`
        is called before anything is read when something new has come.
        """
        if extract and extract not in self.jurisdiction.contracts:
            raise UsageError(
                f"there is no extract {extract!r}",
                where=str(self.jurisdiction.folder / "contracts"),
                do="name one of " + ", ".join(self.jurisdiction.contracts),
            )
        for known in self.jurisdiction.contracts.values():
            # Asked for by name, a person-level extract without a key is refused; else its files wait (see below). A
            # key that is configured must be a good one before anything is taken in.
            if known.id == extract or intake.key_is_configured():
                intake.require_key(known, self.warehouse.folder, self.jurisdiction.folder)
        held_back: list[str] = []
        refused: list[intake.Refused] = []
        _ = self.rules  # before anything is taken in: by which rules it was
        wanted = self.periods(period, extract) if isinstance(period, str) else period
        with self.step("receive"):
            if receive:
                arrivals = intake.receive(
                    self.jurisdiction,
                    self.warehouse,
                    self.ledger,
                    extract=extract,
                    periods=wanted,
                    hash_everything=full,
                )
                receipts, new_receipts = arrivals.receipts, arrivals.new
                held_back, refused = arrivals.held_back, arrivals.refused
                for receipt in new_receipts:
                    self.note(
                        "withdrawn" if receipt.is_withdrawal else "received",
                        receipt_id=receipt.receipt_id,
                        landing_path=receipt.landing_path,
                        sha256=receipt.sha256,
                        size_bytes=receipt.size_bytes,
                    )
                if held_back:
                    self.note("held_back", landing_paths=held_back)
                    self.say(
                        f"warning: {len(held_back)} person-level file(s) held back, nothing of them was taken in: "
                        f"no key for ID numbers is configured ({', '.join(held_back[:3])}); name one in "
                        f"{intake.KEY_VARIABLE} and run again"
                    )
                self._tell_of_refused(refused)
                if new_receipts:
                    self.say(f"received {len(new_receipts)} new file(s)")
                    arrived()
            else:
                receipts, new_receipts = intake.all_receipts(self.warehouse), []
        if as_of:
            receipts = [r for r in receipts if r.received_at <= as_of]
        readings: list[Reading] = []
        new_readings: list[Reading] = []
        limits = self.settings.work_limits
        with self.step("read"), intake.Reader(self.jurisdiction, self.warehouse, limits) as reader:
            for receipt in receipts:
                if receipt.is_withdrawal:
                    self.say(f"withdrawn: {receipt.landing_path}") if receipt in new_receipts else None
                    continue
                contract = self.jurisdiction.contracts.get(receipt.extract_id)
                if contract is not None and not contract.is_accepted:
                    continue  # what a proposal reads is a guess: nothing of it is stored
                if contract is None:
                    raise ConfigurationError(
                        f"the contract of {receipt.extract_id} is gone; {receipt.landing_path} was received under it",
                        where=str(self.jurisdiction.folder / "contracts"),
                        do="bring the contract back, or set its status to retired",
                    )
                stored = reader.find(receipt, contract)
                if stored is None or (full and not as_of) or again(receipt):
                    started = time.perf_counter()
                    reading = reader.read(receipt, contract)
                    self.note("read", **_noted(reading, receipt), seconds=round(time.perf_counter() - started, 3))
                    if stored is None or stored.reading_id != reading.reading_id:
                        new_readings.append(reading)
                        self._tell_of_new_reading(receipt, reading)
                        self.ledger.append(
                            "read",
                            {
                                "reading_id": reading.reading_id,
                                "receipt_id": receipt.receipt_id,
                                "landing_path": receipt.landing_path,
                                "status": reading.status,
                                "rejects": reading.rejects,
                            },
                        )
                    stored = reading
                readings.append(stored)
        for line in _said_of(new_readings, {receipt.receipt_id: receipt for receipt in receipts}):
            self.say(line)
        decision = self.decide(receipts, readings, as_of)
        new = {receipt.receipt_id for receipt in new_receipts}
        for each in decision.choice.held:
            if each.receipt_id in new:
                self.say(f"held: {each.landing_path}: {each.because}")
        return Intake(receipts, readings, new_receipts, new_readings, decision, held_back, refused)

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

    def _tell_of_refused(self, refused: list[intake.Refused], most: int = 5) -> None:
        """Say what lies in the landing folder and cannot be taken in, the first few of it."""
        if refused:
            self.note("refused", entries=[asdict(each) for each in refused])
        for each in refused[:most]:
            self.say(f"warning: not taken in: {each.landing_path}: {each.detail} ({each.do})")
        if len(refused) > most:
            self.say(f"warning: not taken in: {len(refused) - most} more (`junheng rejects` lists them)")

    def _tell_of_new_reading(self, receipt: Receipt, reading: Reading) -> None:
        """Say what a mended contract, alias or list of regions changed in the figures of a receipt read before."""
        earlier = intake.earlier_reading(receipt, reading, self.warehouse)
        if earlier is None or reading.status != "read":
            return
        difference = intake.compare(earlier, reading, self.warehouse)
        if difference:
            self.say(f"read anew {receipt.landing_path}: {difference}")

    def periods(self, text: str, extract: str | None) -> Periods:
        """Delivery periods as a person asked for them. Raises UsageError for a range that is none."""
        contract = self.jurisdiction.contracts.get(extract or "")
        levels = contract.slaProperties if contract is not None else []
        unit = next((level.unit for level in levels if level.property == "frequency"), None)
        try:
            return Periods(text, unit)
        except ValueError as error:
            raise UsageError(str(error), where="--period", do="name one period, or a range from..to") from error

    # -- build and judge ------------------------------------------------------------------------------------

    @property
    def expectations_folders(self) -> list[Path]:
        """The project's expectations, then the jurisdiction's own."""
        return [self.settings.expectations_folder, self.jurisdiction.expectations_folder]

    def identity(self, taken: Intake, as_of: str | None = None) -> Build:
        """Which build these readings, rules and this code make. Two visits with the same inputs get the same id.

        Its basis is the same as long as nothing but deliveries that are held has come or gone.
        """
        choice = taken.decision.choice
        counting = [r.reading_id for r in taken.readings if r.receipt_id not in choice.left_out]
        digest = hashlib.sha256()
        for folder in self.expectations_folders:  # in this order, wherever the project and the jurisdiction lie
            for path in sorted(folder.glob("*.yml")):
                digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        if self.jurisdiction.waivers_file.exists():
            digest.update(self.jurisdiction.waivers_file.read_bytes())
        expectations_hash = digest.hexdigest()
        basis = {
            "readings": sorted(counting),
            "in_force": sorted(choice.in_force),
            "code": code_version(),
            "reference": self.jurisdiction.reference_hash,
            "contracts": self.jurisdiction.contracts_hash,
            "expectations": expectations_hash,
            "as_of": as_of,
            "reference_geographies": self.reference_geographies,
        }
        left_out = {
            "readings": sorted(r.reading_id for r in taken.readings if r.receipt_id in choice.left_out),
            "left_out": sorted(choice.left_out),
            "in_place_of": sorted(choice.in_place_of.items()),
        }
        basis_hash = _hash_of(basis)
        # Where nothing was ever left out, the build is told by its basis alone.
        inputs_hash = _hash_of({**basis, "left_out": left_out}) if choice.left_out else basis_hash
        build_id = inputs_hash[:16]
        return Build(
            build_id=build_id,
            folder=str(self.warehouse.build_folder(build_id)),
            inputs_hash=inputs_hash,
            reading_ids=sorted(r.reading_id for r in taken.readings),
            code_version=code_version(),
            reference_hash=self.jurisdiction.reference_hash,
            contracts_hash=self.jurisdiction.contracts_hash,
            expectations_hash=expectations_hash,
            as_of=as_of,
            built_at=now_utc(),
            rules_sha256=self.rules.snapshot_sha256,
            basis_hash=basis_hash,
        )

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
        from pipelines import exports, quality

        with self.step("judge"):
            self.say("judging the build (checks)")
            rules = quality.Rules(
                self.expectations_folders,
                self.jurisdiction.waivers_file,
                self.punctuality(build.as_of),
                [table.contract for table in exports.published_tables(build.dbt_manifest)],
                exports.retired_tables(),
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
        from pipelines import protection, quality, release
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
                    protection.mask_path(build),
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

    def rests_on(self, manifest: dict[str, Any] | None, identity: Build, choice: Choice) -> bool:
        """True when a release needs no build of its own to say what a build would: the same, but for new held files.

        Its figures are the same then. What is held now in addition is told at once, and in the next release.
        """
        if manifest is None:
            return False
        if manifest["build_id"] == identity.build_id:
            return True
        held_then = {r["landing_path"] for r in manifest["inputs"]["receipts"] if r.get("is_held")}
        held_now = {each.landing_path for each in choice.held}
        return manifest.get("basis_hash") == identity.basis_hash and held_then <= held_now

    def is_set_back_from(self, identity: Build, choice: Choice) -> bool:
        """True when a person set `current` back from the newest release, or withdrew it, and it says what this would.

        Such a build is not published again by itself: the nightly must not undo what a person decided.
        """
        from pipelines.release import read_manifest, states

        def says_the_same(release_id: str) -> bool:
            return self.rests_on(read_manifest(self.warehouse.release_folder(release_id)), identity, choice)

        known = states(self.warehouse).items()
        if any(state["state"] == "withdrawn" and says_the_same(release_id) for release_id, state in known):
            return True
        moved, sealed = self.ledger.last("current"), self.ledger.last("sealed", set_current=True)
        if moved is None or sealed is None or moved.details["cause"] != "rollback":
            return False
        return says_the_same(str(sealed.details["release_id"]))

    def current_build_id(self) -> str | None:
        """The build that the current release was made of."""
        manifest = self.current_manifest()
        return str(manifest["build_id"]) if manifest else None


def in_force(
    jurisdiction: Jurisdiction, receipts: list[Receipt], readings: Iterable[Reading], left_out: Container[str] = ()
) -> set[str]:
    """The ids of the receipts whose figures may count, as if those `left_out` had never come; see `intake.in_force`."""
    partial = {contract.id for contract in jurisdiction.contracts.values() if contract.partial_delivery}
    readable = {reading.receipt_id for reading in readings if reading.status == "read"} if partial else set()
    return intake.in_force([r for r in receipts if r.receipt_id not in left_out], partial, readable)


def _hash_of(inputs: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def run(
    settings: Settings,
    *,
    extract: str | None = None,
    period: str | None = None,
    as_of: str | None = None,
    full: bool = False,
    say: Say = lambda _: None,
) -> RunReport:
    """Everything in order: receive, read, build, protect, judge, prepare, seal; only what changed, unless `full`.

    Raises BlockedError when a gate refuses (the last release stays), BusyError when another run is at work.
    """
    session = Session(settings, say)
    moment = as_of_moment(as_of) if as_of else None
    asked = {"extract": extract, "period": period, "as_of": as_of, "full": full}
    # What was known at another time is one person's question: nobody else is told of it.
    with watch(session, door="run", asked=asked, tells=moment is None) as watched:
        with session.hold(), session.dbt_at_hand() as start_dbt:
            session.signing_key()  # a run must not do all its work and then end without a signature
            taken = session.take_in(extract=extract, period=period, as_of=moment, full=full, arrived=start_dbt)
            report = complete(session, taken, moment=moment, full=full)
        watched.done(report.outcome)
    return told(report, watched)


def told(report: RunReport, watched: Watch) -> RunReport:
    """The report with what time alone made a finding, and what became of the alerts."""
    report.late = [due.as_dict() for due in watched.late]
    report.alerts = [asdict(sent) for sent in watched.sent]
    return report


def complete(session: Session, taken: Intake, *, moment: str | None = None, full: bool = False) -> RunReport:
    """Everything after receiving and reading: nothing when the current release rests on just that, unless `full`.

    Raises HeldError when the only news is that deliveries are held, or when there is none that counts: no build is
    made to tell it. Raises BlockedError when a gate refuses, or a delivery fails whose contract lets it stop all.
    """
    choice = taken.decision.choice
    identity = session.identity(taken, moment)
    counting = [reading for reading in taken.readings if reading.receipt_id in choice.in_force]
    report = RunReport(
        outcome="nothing_new",
        jurisdiction=session.jurisdiction.key,
        build_id=identity.build_id,
        new_receipts=len(taken.new_receipts),
        new_readings=len(taken.new_readings),
        rejects=sum(r.rejects for r in counting),
        known_rejects=sum(r.known_rejects for r in counting),
        held_back=taken.held_back,
        held=[each.as_dict() for each in choice.held],
        held_in_short=telling.in_short(choice.held, session.jurisdiction.time_zone) if choice.held else "",
        refused=[asdict(each) for each in taken.refused],
        seconds=session.seconds,
    )
    news = held.record(session, taken) if moment is None else []
    held.stop(session, taken)
    if choice.held and not counting:
        raise held.refusal(session, choice.held, is_all=True)
    is_asked_for = full or moment is not None
    is_current = session.rests_on(session.current_manifest(), identity, choice)
    report.is_set_back = not is_asked_for and not is_current and session.is_set_back_from(identity, choice)
    if not is_asked_for and (is_current or report.is_set_back):
        if news:
            raise held.refusal(session, news)
        report.release_id = session.warehouse.current_release_id()
        if report.release_id:
            report.release_folder = str(session.warehouse.release_folder(report.release_id))
        return report
    stored = None if full else session.stored_build(identity.build_id)
    if stored is None:
        from pipelines import quality

        quality.load_waivers(session.jurisdiction.waivers_file, None)  # a mistake in it is told before the work
        quality.preload()  # its import takes seconds; dbt works in a process of its own meanwhile
        stored = session.build(taken, identity)
        report.differences = session.told
        verdict = session.judge(stored)
    else:
        verdict = stored_verdict(session, stored) or session.judge(stored)
    if verdict.outcome != "pass":
        raise blocked(session, stored, verdict)
    sealed = session.publish(stored, set_current=moment is None)
    report.outcome = "published"
    report.release_id = sealed.release_id
    report.release_folder = sealed.folder
    return report


def stored_verdict(session: Session, build: Build) -> Verdict | None:
    """The verdict stored with a build, or None when there is none that still holds."""
    path = session.warehouse.build_folder(build.build_id) / "verdict.json"
    verdict = Verdict.from_dict(read_json(path)) if path.exists() else None
    if verdict is not None and verdict.valid_until is not None and verdict.valid_until < now_utc():
        return None  # it rested on the clock, or on a waiver that has ended
    if verdict is not None and build.as_of is None and verdict.against != session.warehouse.current_release_id():
        return None  # another release has become current since
    return verdict


def verdict_in_short(verdict: Verdict) -> dict[str, Any]:
    """A verdict for a run's log: its outcome, its counts and what blocks."""
    names = ("build_id", "outcome", "valid_until", "passed", "failed", "errors", "warnings", "blocking")
    return {name: getattr(verdict, name) for name in names}


def blocked(session: Session, build: Build, verdict: Verdict) -> BlockedError:
    """The error that a blocked verdict becomes, with its failing checks and what they saw."""
    path = session.warehouse.build_folder(build.build_id) / "checks.json"
    results = {r["check_id"]: r for r in (read_json(path) if path.exists() else [])}
    lines = []
    for check_id in verdict.blocking:
        result = results.get(check_id, {})
        observed = str(result.get("observed", ""))
        at = str(result.get("locations", ""))
        lines.append(f"{check_id}: {observed}{' | ' + at if at else ''}"[:400])
    current = session.warehouse.current_release_id()
    return BlockedError(
        f"the build {build.build_id} is blocked by {len(verdict.blocking)} check(s); "
        + (f"the release {current} stays" if current else "nothing has been released yet"),
        where=str(path),
        do="mend the files or the contracts (`junheng rejects`, `junheng quality`), then run again; a file that "
        "should not have come is taken back by a file <its name>.withdrawn beside it that says why",
        failing=lines,
        checks=[
            {
                "check_id": check_id,
                **{
                    name: str(results.get(check_id, {}).get(name, ""))[:300]
                    for name in ("subject", "owner", "observed")
                },
            }
            for check_id in verdict.blocking
        ],
    )


def as_of_moment(text: str) -> str:
    """A moment as people write it, in the form receipts are stamped with (UTC). A bare date means its end.

    Raises UsageError for text that is no moment.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a moment",
            where="--as-of",
            do="write it like 2026-11-23 or 2026-11-23T02:00:00+08:00",
        ) from error
    if len(text) == 10:
        moment = moment.replace(hour=23, minute=59, second=59, microsecond=999999)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _noted(reading: Reading, receipt: Receipt) -> dict[str, Any]:
    """A reading for a run's log: its account, no value of it."""
    counts = ("rows_read", "rows_accepted", "rows_rejected", "rows_duplicate", "rows_ignored")
    return {
        "reading_id": reading.reading_id,
        "receipt_id": receipt.receipt_id,
        "landing_path": receipt.landing_path,
        "status": reading.status,
        "problem": reading.problem,
        **{name: sum(int(account.get(name, 0)) for account in reading.tie_out) for name in counts},
        "rejects": reading.rejects,
        "known_rejects": reading.known_rejects,
    }


def _said_of(readings: list[Reading], receipts: dict[str, Receipt]) -> list[str]:
    """One line for each extract that was read, one for each file that could not be."""
    lines = []
    by_extract: dict[str, list[Reading]] = {}
    for reading in readings:
        by_extract.setdefault(f"{reading.department}/{reading.extract}", []).append(reading)
    for extract, own in by_extract.items():
        for reading in own:
            if reading.status == "unreadable":
                lines.append(f"cannot read {receipts[reading.receipt_id].landing_path}: {reading.problem}")
        read = [reading for reading in own if reading.status == "read"]
        if not read:
            continue
        sums = {
            name: sum(account[name] for reading in read for account in reading.tie_out)
            for name in ("rows_read", "rows_accepted", "rows_rejected", "rows_duplicate", "rows_ignored")
        }
        text = f"read {extract}, {len(read)} file(s): {sums['rows_read']:,} rows = {sums['rows_accepted']:,} accepted"
        text += f" + {sums['rows_rejected']:,} rejected + {sums['rows_duplicate']:,} duplicate"
        text += f" + {sums['rows_ignored']:,} ignored"
        rejects, known = sum(r.rejects for r in read), sum(r.known_rejects for r in read)
        lines.append(text + (f"; {rejects:,} reject(s), {known:,} of them known" if rejects else ""))
    return lines


__all__ = [
    "Intake",
    "RunReport",
    "Session",
    "as_of_moment",
    "blocked",
    "complete",
    "in_force",
    "run",
    "stored_verdict",
    "told",
    "verdict_in_short",
]
