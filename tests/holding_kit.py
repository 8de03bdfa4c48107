"""Hands for tests of held deliveries: the invented country at the command line, with builds that take no time."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import country
import pytest
import yaml

from pipelines import cli
from pipelines.publish import Release
from pipelines.records import Build, Verdict
from pipelines.run import Intake, Session
from pipelines.settings import Settings
from pipelines.store import Warehouse, write_json

BEDS, BUDGET, PEOPLE, CENSUS, CLASSES = (
    "health/facilities", "treasury/budget", "bureau/residents", "bureau/census", "treasury/functions",
)  # fmt: skip


@dataclass
class Said:
    """What a command said and how it left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out or self.err)


class Office:
    """The invented country, its warehouse, and the command line; what dbt and the checks of tables do is assumed."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.country = country.make_country(folder / "verdania")
        self.settings = Settings.from_environment(self.country.folder, folder / "warehouse")
        self.warehouse = Warehouse(folder / "warehouse" / "verdania")
        self.built: list[Intake] = []
        self.monkeypatch, self.capfd = monkeypatch, capfd
        monkeypatch.chdir(folder)
        monkeypatch.setenv("JUNHENG_JURISDICTION", str(self.country.folder))
        monkeypatch.setenv("JUNHENG_WAREHOUSE", str(folder / "warehouse"))
        for name, stand_in in (("build", self._build), ("judge", self._judge), ("publish", self._publish)):
            monkeypatch.setattr(Session, name, stand_in)
        monkeypatch.setattr("pipelines.transform.warm_up", lambda *_: None)
        monkeypatch.setattr("pipelines.quality.preload", lambda: None)

    def _build(self, taken: Intake, identity: Build) -> Build:
        self.built.append(taken)
        write_json(Path(identity.folder) / "build.json", identity.as_dict())
        self.taken = taken
        return identity

    def _judge(self, build: Build) -> Verdict:
        return Verdict(build.build_id, "pass", "2026-01-01T00:00:00Z", None, 1, 0, 0, 0, 0, [], "", "")

    def _publish(self, build: Build, *, set_current: bool = True) -> Release:
        number = len(list(self.warehouse.releases.glob("*"))) + 1
        folder = self.warehouse.release_folder(f"20260101.{number}")
        choice = self.taken.decision.choice
        held = {each.receipt_id for each in choice.held}
        receipts = [{**r.as_dict(), "is_held": r.receipt_id in held} for r in self.taken.receipts]
        manifest = {
            "release_id": folder.name,
            "build_id": build.build_id,
            "sealed_at": "2026-01-01T00:00:00Z",
            "basis_hash": build.basis_hash,
            "inputs": {"receipts": receipts},
        }
        write_json(folder / "manifest.json", manifest)
        self.warehouse.current.unlink(missing_ok=True)
        self.warehouse.current.symlink_to(folder)
        return Release(folder)

    def __call__(self, *arguments: str) -> Said:
        self.monkeypatch.setattr(sys, "argv", ["junheng", *arguments])
        self.capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        captured = self.capfd.readouterr()
        assert "Traceback" not in captured.err
        return Said(int(left.value.code or 0), captured.out, captured.err)

    def look(self) -> Session:
        """What is decided now of everything received; nothing is built."""
        session = Session(self.settings)
        self.now = session.take_in()
        return session

    @property
    def held(self) -> list[str]:
        """The paths that are held, after a look."""
        return [each.landing_path for each in self.now.decision.choice.held]

    @property
    def in_force(self) -> list[str]:
        """Path and place in the order of arrival of what counts, after a look."""
        choice = self.now.decision.choice
        return sorted(f"{r.landing_path} {r.sequence}" for r in self.now.receipts if r.receipt_id in choice.in_force)

    def ledger(self, *events: str) -> list[tuple[str, str]]:
        """Event and path of the entries of some kinds, in order."""
        lines = map(json.loads, self.warehouse.ledger.read_text(encoding="utf-8").splitlines())
        return [(e["event"], e["details"]["landing_path"]) for e in lines if e["event"] in events]

    def alerts(self, *events: str) -> list[dict[str, Any]]:
        """The alerts of some kinds that went out."""
        path = self.warehouse.logs / "alerts.jsonl"
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
        return [line for line in lines if line["event"] in events]

    def waive(self, check: str, extract: str, **places: Any) -> None:
        """Write one waiver of a delivery check, in force for long."""
        waiver = {
            "check": f"intake.{check}.{extract}", "scope": {"extract": extract, **places}, "reason": "asked",
            "asked_by": "Li", "approved_by": "Wang", "from": "2020-01-01", "until": "2999-01-01",
        }  # fmt: skip
        path = self.country.folder / "waivers.yml"
        path.write_text(yaml.safe_dump({"waivers": [waiver]}), encoding="utf-8")
