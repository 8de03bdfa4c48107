"""The reading of a person-level receipt: the key's rules, where records lie, and what the rest of the house gets.

Records stay in the reading's own folder, which only its owner can open; what goes on from here is the totals
(accepted.parquet, observations like any other), masked rejects and the account. Typing is `person_level`'s work.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.errors import ConfigurationError, FaultError, UnreadableFileError
from pipelines.intake import named_periods, personal
from pipelines.intake.drift import profile
from pipelines.intake.frames import IGNORED, OBSERVATION, REJECT, Taken, reject_frame
from pipelines.intake.names import RegionIndex
from pipelines.intake.periods import period_span
from pipelines.intake.person_level import Stored, store
from pipelines.intake.personal import PersonKey
from pipelines.intake.read import reader_version
from pipelines.intake.totals import observations
from pipelines.jurisdiction import Jurisdiction
from pipelines.jurisdiction.contract import Contract, PeriodRule
from pipelines.jurisdiction.person_contract import Records
from pipelines.records import Reading, Receipt, TieOut
from pipelines.store import Warehouse, now_utc, read_json, remove_tree, write_json, write_parquet


def records_of(contract: Contract) -> Records:
    """The records section of a contract that has one."""
    assert contract.records is not None
    return contract.records


def waits_for_key(contract: Contract) -> bool:
    """True when the extract cannot be taken in because its ID numbers need a key and none is configured."""
    return contract.records is not None and contract.records.needs_key and not personal.key_is_configured()


def require_key(contract: Contract, *forbidden: Path) -> None:
    """Refuse an extract that cannot be taken in for want of a good key; the key may not lie below `forbidden`.

    Raises ConfigurationError saying what to configure.
    """
    if contract.records is not None and contract.records.needs_key:
        personal.load_key(*forbidden)


def identity_parts(contract: Contract) -> list[str]:
    """What a reading depends on beside what every reading does: the key, by its id."""
    if contract.records is None or not contract.records.needs_key or not personal.key_is_configured():
        return []
    return [personal.load_key().key_id]


def find_without_key(
    receipt: Receipt, contract: Contract, jurisdiction: Jurisdiction, warehouse: Warehouse
) -> Reading | None:
    """The newest stored reading of a receipt under the present rules, whichever key it was made with.

    Where no key is configured what was read before stands: only reading anew needs the key.
    """
    found = []
    for path in (warehouse.readings / receipt.department / receipt.extract).glob("[0-9a-f]*/reading.json"):
        reading = Reading.from_dict(read_json(path))
        rules = (reading.contract_hash, reading.reference_hash, reading.reader_version)
        if reading.receipt_id == receipt.receipt_id and rules == (
            contract.hash,
            jurisdiction.intake_reference_hash,
            reader_version(),
        ):
            found.append(reading)
    return max(found, key=lambda reading: reading.read_at, default=None)


def read_records(
    receipt: Receipt,
    contract: Contract,
    jurisdiction: Jurisdiction,
    warehouse: Warehouse,
    index: RegionIndex,
    reading_id: str,
    folder: Path,
) -> Reading:
    """Read a person-level receipt into `folder` and store the reading.

    Raises ConfigurationError, before anything is written, when ID numbers need a key and there is none.
    """
    records = records_of(contract)
    key = personal.load_key(warehouse.folder, jurisdiction.folder) if records.needs_key else None
    source = warehouse.vault_path(receipt.sha256)
    if not source.exists():
        raise FaultError(
            f"the kept bytes of {receipt.landing_path} are gone",
            where=str(source),
            do="restore the vault from a backup; nothing else was changed",
        )
    work = folder.with_name(f".{folder.name}.part")
    remove_tree(work)
    work.mkdir(parents=True, mode=0o700)
    try:
        stored, taken = _take(source, receipt, contract, jurisdiction, index, key, reading_id, work)
        write_parquet(work / "accepted.parquet", taken.accepted)
        if stored is None:
            write_parquet(work / "rejects.parquet", taken.rejects)
            write_parquet(work / "ignored.parquet", taken.ignored)
        for path in work.iterdir():
            path.chmod(0o700 if path.is_dir() else 0o600)
        remove_tree(folder)
        work.rename(folder)
    finally:
        remove_tree(work)
    reading = Reading(
        reading_id=reading_id,
        receipt_id=receipt.receipt_id,
        department=receipt.department,
        extract=receipt.extract,
        delivery_period=receipt.delivery_period,
        contract_hash=contract.hash,
        reference_hash=jurisdiction.intake_reference_hash,
        reader_version=reader_version(),
        status="unreadable" if taken.problem else "read",
        problem=taken.problem,
        read_at=now_utc(),
        folder=folder.relative_to(warehouse.folder).as_posix(),
        tie_out=[account.as_dict() for account in taken.tie_out],
        rejects=stored.rejects if stored else taken.rejects.height,
        known_rejects=stored.known_rejects if stored else 0,
        findings=taken.findings,
        profile=profile(taken.headers, taken.accepted, taken.data_rows) if stored else {},
        key_id=key.key_id if key else "",
    )
    write_json(folder / "reading.json", reading.as_dict())
    return reading


def take_records(
    data: bytes,
    receipt: Receipt,
    contract: Contract,
    jurisdiction: Jurisdiction,
    index: RegionIndex,
    reading_id: str,
) -> Taken:
    """What a reading would give, for a dry run: under a key that nobody keeps, in a folder that is gone afterwards."""
    key = PersonKey.for_once() if records_of(contract).needs_key else None
    with tempfile.TemporaryDirectory(prefix="junheng-") as scratch:
        work = Path(scratch)
        receipt = replace(receipt, sha256=hashlib.sha256(data).hexdigest())
        stored, taken = _take(data, receipt, contract, jurisdiction, index, key, reading_id, work)
        if stored is None:
            return taken
        return replace(
            taken,
            rejects=pl.read_parquet(work / "rejects.parquet", memory_map=False),
            ignored=pl.read_parquet(work / "ignored.parquet", memory_map=False),
        )


def _take(
    source: Path | bytes,
    receipt: Receipt,
    contract: Contract,
    jurisdiction: Jurisdiction,
    index: RegionIndex,
    key: PersonKey | None,
    reading_id: str,
    folder: Path,
) -> tuple[Stored | None, Taken]:
    """Records, rejects and ignored rows into `folder`; account, findings and totals as values. None: unreadable."""
    records = records_of(contract)
    try:
        span = _span_of_delivery(receipt, records)
        stored = store(source, receipt, contract, records, span, index, key, reading_id, folder, list(REJECT))
        totals = observations(stored.files, receipt, contract, records, jurisdiction, reading_id, OBSERVATION)
    except (UnreadableFileError, ConfigurationError) as error:
        for path in folder.iterdir():
            remove_tree(path) if path.is_dir() else path.unlink()
        problem = error.message + (f" ({error.do})" if error.do else "")
        reject = {"scope": "file", "rule": "unreadable", "detail": problem, "reported_text": ""}
        return None, Taken(
            accepted=pl.DataFrame(schema=OBSERVATION),
            rejects=reject_frame(receipt, reading_id, "", [dict(reject)]),
            ignored=pl.DataFrame(schema=IGNORED),
            tie_out=[TieOut(receipt.file_name, "")],
            findings=[],
            headers=[],
            data_rows=0,
            problem=problem,
        )
    # The account's values are the figures that go on from here; its rows are the records of the file.
    account = replace(stored.tie_out, values_read=totals.height, values_accepted=totals.height)
    taken = Taken(
        accepted=totals,
        rejects=pl.DataFrame(schema=REJECT),
        ignored=pl.DataFrame(schema=IGNORED),
        tie_out=[account],
        findings=named_periods.findings(receipt, contract, None, [], []) + stored.findings,
        headers=stored.headers,
        data_rows=stored.data_rows,
    )
    return stored, taken


def _span_of_delivery(receipt: Receipt, records: Records) -> tuple[date, date] | None:
    """First and last day of the delivery folder's period; None where each record names its own."""
    if records.period.from_ == "column":
        return None
    span = period_span(
        receipt.delivery_period, PeriodRule.model_validate({"from": "folder", "kind": records.period.kind})
    )
    if span is None:
        raise UnreadableFileError(
            f"{receipt.delivery_period!r} names no {records.period.kind} that the file is about",
            where=receipt.landing_path,
            do="name the delivery folder after it, or mend `period` in the contract",
        )
    return span
