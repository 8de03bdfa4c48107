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

from pipelines.errors import ConfigurationError, UnreadableFileError
from pipelines.intake import named_periods
from pipelines.intake.frames import IGNORED, OBSERVATION, REJECT, Summary, Taken, summary_of, unreadable, write_tables
from pipelines.intake.names import RegionIndex
from pipelines.intake.periods import period_span
from pipelines.intake.person_key import PersonKey
from pipelines.intake.person_level import Stored, store
from pipelines.intake.totals import observations
from pipelines.jurisdiction import Jurisdiction
from pipelines.jurisdiction.contract import Contract, PeriodRule
from pipelines.jurisdiction.person_contract import Records
from pipelines.records import Receipt
from pipelines.store import remove_tree, write_parquet


def records_of(contract: Contract) -> Records:
    """The records section of a contract that has one."""
    assert contract.records is not None
    return contract.records


def read_records(
    source: Path,
    receipt: Receipt,
    contract: Contract,
    jurisdiction: Jurisdiction,
    index: RegionIndex,
    key: PersonKey | None,
    reading_id: str,
    folder: Path,
) -> Summary:
    """Read a person-level file into `folder`: records, totals, rejects and ignored rows; the rest is returned.

    Raises FaultError when the bytes are not those received.
    """
    stored, taken = _take(source, receipt, contract, jurisdiction, index, key, reading_id, folder)
    if stored is None:
        write_tables(folder, taken)
        return summary_of(taken)
    write_parquet(folder / "accepted.parquet", taken.accepted)
    return replace(summary_of(taken), rejects=stored.rejects, known_rejects=stored.known_rejects)


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
        return None, unreadable(receipt, reading_id, error.message + (f" ({error.do})" if error.do else ""))
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
