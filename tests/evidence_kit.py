"""A warehouse with every kind of evidence in it, made by hand: for tests of verifying, signing off and comparing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import hand_made
import polars as pl
import pytest

from pipelines import pages, release, rules
from pipelines.ledger import Ledger
from pipelines.publish import Release
from pipelines.quality import expectations
from pipelines.records import Receipt
from pipelines.release.signing import SigningKey, make_key
from pipelines.store import Warehouse, write_atomically, write_json, write_parquet
from pipelines.verifier import Report, verify

SENT = "地区,床位\n甲地,1\n".encode()


def be_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expectations pass unseen and pages are one line each: both have tests of their own."""
    monkeypatch.setattr(
        expectations,
        "judge",
        lambda _, files, keys, *__, **___: [
            expectations._result(e, "pass", "")
            for e in [*(e for f in files for e in f.expectations), *expectations.key_expectations(keys)]
        ],
    )

    def render(folder: Path) -> None:
        for name in ("pages/index.html", "quality/index.html"):
            write_atomically(folder / name, f"<!doctype html><title>{name}</title>\n".encode())

    monkeypatch.setattr(pages, "render", render)


@dataclass
class Shelf:
    """A warehouse, the folder of its jurisdiction, and what is published there by hand."""

    folder: Path
    key: SigningKey | None = None
    sent: dict[str, bytes] = field(default_factory=dict)  # receipt id -> bytes

    @property
    def jurisdiction(self) -> Path:
        return self.folder / "somewhere"

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.folder / "warehouse" / "somewhere")

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.warehouse.ledger)

    @property
    def newest(self) -> str:
        """The id of the newest release, whatever became of the ledger."""
        return max(path.name for path in self.warehouse.releases.glob("2*.*"))

    def agree(self, name: str, text: str) -> None:
        """Write a rule file of the jurisdiction."""
        path = self.jurisdiction / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def receive(self, receipt_id: str = "r1", data: bytes = SENT) -> None:
        """Keep a file's bytes, and say in the ledger that it came."""
        if receipt_id in self.sent:
            return
        sha256 = hashlib.sha256(data).hexdigest()
        write_atomically(self.warehouse.vault_path(sha256), data)
        receipt = Receipt(
            receipt_id=receipt_id, department="health", extract="beds", delivery_period="2020", file_name="beds.csv",
            landing_path="health/beds/2020/beds.csv", sha256=sha256, size_bytes=len(data),
            received_at="2021-01-01T00:00:00.000000Z", sequence=len(self.sent) + 1,
        )  # fmt: skip
        self.ledger.append("received", {"receipt_id": receipt_id, "sha256": sha256})
        write_json(self.warehouse.receipts / f"{receipt_id}.json", receipt.as_dict())
        self.sent[receipt_id] = data

    def publish(self, build_id: str = "b1", rates: Any = None, **options: Any) -> Release:
        """Everything from the receipt to the sealed release."""
        self.receive()
        agreed = rules.record(self.warehouse, self.ledger, self.jurisdiction, self.folder / "expectations")
        write_parquet(self.warehouse.readings / "health/beds/g1/accepted.parquet", pl.DataFrame({"value": [1]}))
        build = hand_made.make_build(self.warehouse, build_id, rates)
        object.__setattr__(build, "rules_sha256", agreed.snapshot_sha256)
        with duckdb.connect(str(build.database)) as connection:
            connection.execute("delete from source.receipt")
            for number, (receipt_id, data) in enumerate(self.sent.items(), start=1):
                connection.execute(
                    "insert into source.receipt by name select ? as receipt_id, 'health' as department, "
                    "'beds' as extract, '2020' as delivery_period, 'beds.csv' as file_name, "
                    "'health/beds/2020/beds.csv' as landing_path, ? as sha256, ? as size_bytes, "
                    "timestamp '2021-01-01' as received_at, ? as sequence, true as is_in_force, false as is_withdrawal",
                    [receipt_id, hashlib.sha256(data).hexdigest(), len(data), number],
                )
        verdict = hand_made.judge(self.warehouse, build, self.folder)
        settings = hand_made.settings(self.folder)
        mask = build.mask
        prepared = release.prepare(self.warehouse, build, verdict, hand_made.JURISDICTION, mask, settings)
        return release.seal(
            self.warehouse, self.ledger, build, prepared, hand_made.JURISDICTION, signing_key=self.key, **options
        )

    def verify(self, *releases: str, **options: Any) -> Report:
        """What the verifier says of releases, the current one by default."""
        named = releases or (self.newest,)
        return verify(self.warehouse.folder, [self.warehouse.release_folder(r) for r in named], **options)


def make_shelf(folder: Path, *, is_signed: bool = True) -> Shelf:
    """A jurisdiction with one rule file of each kind, and an empty warehouse."""
    shelf = Shelf(folder)
    shelf.agree("jurisdiction.yml", "name: 某地\n")
    shelf.agree("reference/targets.csv", "indicator_code,target_value\nBED,5\n")
    shelf.agree("contracts/health/beds.yml", "owner: health office\n")
    shelf.agree("waivers.yml", "waivers: []\n")
    hand_made.expectations_folder(folder / "expectations")
    if is_signed:
        shelf.key = make_key(folder / "keys" / "signing")
    return shelf
