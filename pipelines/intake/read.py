"""Receipt + contract -> reading: accepted observations, rejects, ignored rows, and the account that ties them out.

Rows read = accepted + rejected + duplicate + ignored, and every value of every data row is accepted, missing,
rejected or dropped with its row. What one sheet gives is `sheet`'s work; how a file becomes sheets is `formats`'.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.errors import ConfigurationError, FaultError, UnreadableFileError
from pipelines.formats import Grid, read_grids, with_decimal_mark
from pipelines.intake import known_rejects, named_periods
from pipelines.intake.corrections import Outcome, joined
from pipelines.intake.drift import profile
from pipelines.intake.frames import IGNORED, OBSERVATION, Taken, reject_frame
from pipelines.intake.names import RegionIndex
from pipelines.intake.screening import screen_sheet, with_rejects, without_personal_numbers
from pipelines.intake.sheet import take_sheet
from pipelines.intake.units import UnitIndex
from pipelines.intake.values import Task, is_told_by_file
from pipelines.jurisdiction import Jurisdiction
from pipelines.jurisdiction.contract import Contract, Layout
from pipelines.records import Reading, Receipt, TieOut
from pipelines.settings import hash_files
from pipelines.store import Warehouse, now_utc, read_json, write_json, write_parquet


@lru_cache(maxsize=1)
def reader_version() -> str:
    """The version of the reader: a hash of the files of this room, of `formats` and of the contract model."""
    here = Path(__file__).parent
    files = [path for room in ("jurisdiction", "formats", "intake") for path in (here.parent / room).glob("*.py")]
    return hash_files(files, here.parent)[:16]


def reading_identity(receipt: Receipt, contract: Contract, jurisdiction: Jurisdiction) -> str:
    """The id of the reading of a receipt under the present contract, reference tables and reader."""
    from pipelines.intake import person_reading  # it stands on this module

    corrections = [c.hash for c in jurisdiction.corrections_for(contract.id, receipt.delivery_period)]
    own = [contract.hash, jurisdiction.intake_reference_hash, reader_version()]
    if any(is_told_by_file(value, layout) for layout in contract.layouts for value in layout.values):
        own.append(json.dumps(sorted(jurisdiction.measure_units.items())))  # which units fit which measures
    parts = (receipt.receipt_id, *own, *corrections, *person_reading.identity_parts(contract))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def find_reading(
    receipt: Receipt, contract: Contract, jurisdiction: Jurisdiction, warehouse: Warehouse
) -> Reading | None:
    """The stored reading of a receipt under the present rules, or None."""
    from pipelines.intake import person_reading  # it stands on this module

    if person_reading.waits_for_key(contract):
        return person_reading.find_without_key(receipt, contract, jurisdiction, warehouse)
    path = _folder(receipt, reading_identity(receipt, contract, jurisdiction), warehouse) / "reading.json"
    return Reading.from_dict(read_json(path)) if path.exists() else None


def earlier_reading(receipt: Receipt, reading: Reading, warehouse: Warehouse) -> Reading | None:
    """The last other reading of the same receipt, under rules that have changed since; None when there is none."""
    folder = warehouse.readings / receipt.department / receipt.extract
    others = [Reading.from_dict(read_json(path)) for path in folder.glob("*/reading.json")]
    own = [r for r in others if r.receipt_id == receipt.receipt_id and r.reading_id != reading.reading_id]
    return max((r for r in own if r.status == "read"), key=lambda r: r.read_at, default=None)


def read(
    receipt: Receipt, contract: Contract, jurisdiction: Jurisdiction, warehouse: Warehouse, index: RegionIndex
) -> Reading:
    """Read a receipt by its contract and store the reading.

    A file that cannot be read gives a reading with status `unreadable` and its reason: a finding, not a crash.
    """
    reading_id = reading_identity(receipt, contract, jurisdiction)
    folder = _folder(receipt, reading_id, warehouse)
    if contract.records is not None:
        from pipelines.intake import person_reading

        return person_reading.read_records(receipt, contract, jurisdiction, warehouse, index, reading_id, folder)
    data = _received_bytes(receipt, warehouse)
    taken = take(data, receipt, contract, jurisdiction, index, reading_id)
    write_parquet(folder / "accepted.parquet", taken.accepted)
    write_parquet(folder / "rejects.parquet", taken.rejects)
    write_parquet(folder / "ignored.parquet", taken.ignored)
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
        rejects=taken.rejects.height,
        known_rejects=int(taken.rejects["is_known"].sum() or 0),
        findings=taken.findings,
        corrections=taken.corrections,
        profile=profile(taken.headers, taken.accepted, taken.data_rows) if not taken.problem else {},
    )
    write_json(folder / "reading.json", reading.as_dict())
    return reading


def take(
    data: bytes,
    receipt: Receipt,
    contract: Contract,
    jurisdiction: Jurisdiction,
    index: RegionIndex,
    reading_id: str,
) -> Taken:
    """Take from a file's bytes what its contract says; nothing is written."""
    if contract.records is not None:
        from pipelines.intake import person_reading

        return person_reading.take_records(data, receipt, contract, jurisdiction, index, reading_id)
    where = receipt.landing_path
    try:
        layout = contract.layout_for(receipt.delivery_period, receipt.file_name)
        units = UnitIndex(jurisdiction.units)
        screened = [
            screen_sheet(sheet, contract, layout, jurisdiction, where) for sheet in _sheets(data, layout, where)
        ]
        sheets = [
            taken
            for sheet in screened
            for taken in take_sheet(
                [
                    Task(
                        receipt, contract, layout, plan, sheet.grid.sheet, jurisdiction, index, units, reading_id, grid
                    )
                    for grid, plan in sheet.blocks
                ]
            )
        ]
        taken = with_rejects(_refuse_repeated(sheets, receipt, contract, reading_id), screened, receipt, reading_id)
        titles = [
            title
            for sheet in screened
            for grid, plan in sheet.blocks
            for title in named_periods.titles(grid, plan.header_rows[0])
        ]
        names = [sheet.grid.sheet for sheet in screened]
        named = named_periods.findings(receipt, contract, layout.period, names, titles)
        return replace(taken, findings=named + taken.findings)
    except (UnreadableFileError, ConfigurationError) as error:
        problem = without_personal_numbers(error, jurisdiction.personal_numbers)
        reject = reject_frame(
            receipt,
            reading_id,
            "",
            [{"scope": "file", "rule": "unreadable", "detail": problem, "reported_text": ""}],
        )
        return Taken(
            pl.DataFrame(schema=OBSERVATION),
            reject,
            pl.DataFrame(schema=IGNORED),
            [TieOut(receipt.file_name, "")],
            [],
            [],
            0,
            problem,
        )


def _sheets(data: bytes, layout: Layout, where: str) -> list[Grid]:
    """The sheets of a file, numbers written with the decimal mark that the contract says its texts have."""
    sheets = read_grids(data, layout.format, where)
    mark = layout.numbers.decimal
    return sheets if mark == "." else [with_decimal_mark(sheet, mark) for sheet in sheets]


def _refuse_repeated(sheets: list[Taken], receipt: Receipt, contract: Contract, reading_id: str) -> Taken:
    """The sheets of a file as one. Two cells that report the same observation are both rejected, neither taken."""
    observations = pl.concat([taken.accepted for taken in sheets])
    rejects = [taken.rejects for taken in sheets]
    accounts = _by_sheet([account for taken in sheets for account in taken.tie_out])
    key = ["measure", "region_code", "period_start", "period_end", "population_basis", "residence", "sex"]
    key += ["age_group", "group", "item"]
    repeated = observations.clear()
    if observations.select(key).hash_rows().is_duplicated().any():
        is_repeated = observations.select(pl.struct(key).is_duplicated()).to_series()
        repeated = observations.filter(is_repeated)
    if repeated.height:
        observations = observations.filter(~is_repeated)
        for position, account in enumerate(accounts):
            own = repeated.filter(pl.col("source_sheet") == account.source_sheet)
            rejects.append(
                reject_frame(
                    receipt,
                    reading_id,
                    account.source_sheet,
                    [
                        known_rejects.of_cell(_repeated_cell(row), contract, receipt)
                        for row in own.iter_rows(named=True)
                    ],
                )
            )
            missing = int(own["value"].is_null().sum())
            accounts[position] = replace(
                account,
                values_accepted=account.values_accepted - (own.height - missing),
                values_missing=account.values_missing - missing,
                values_rejected=account.values_rejected + own.height,
            )
    return Taken(
        observations,
        pl.concat(rejects),
        pl.concat([taken.ignored for taken in sheets]),
        accounts,
        [finding for taken in sheets for finding in taken.findings],
        list(dict.fromkeys(header for taken in sheets for header in taken.headers)),
        sum(taken.data_rows for taken in sheets),
        corrections=[o.as_dict() for o in joined(Outcome(**own) for taken in sheets for own in taken.corrections)],
    )


def _repeated_cell(row: dict[str, Any]) -> dict[str, object]:
    return {
        "source_row": row["source_row"],
        "source_column": row["source_column"],
        "scope": "cell",
        "rule": "duplicate_key",
        "reported_text": row["value_reported"],
        "detail": "another cell of the file reports the same measure, region, period and group",
        "region_code": row["region_code"],
    }


def _by_sheet(accounts: list[TieOut]) -> list[TieOut]:
    """One account per sheet: the blocks of a sheet added up."""
    summed: dict[str, TieOut] = {}
    for account in accounts:
        before = summed.get(account.source_sheet)
        if before is not None:
            counts = {
                f.name: getattr(before, f.name) + getattr(account, f.name) for f in fields(TieOut) if f.type == "int"
            }
            account = replace(account, **counts)
        summed[account.source_sheet] = account
    return list(summed.values())


def _received_bytes(receipt: Receipt, warehouse: Warehouse) -> bytes:
    """The bytes of a receipt from the vault.

    Raises FaultError when they are gone or are not those that were received.
    """
    path = warehouse.vault_path(receipt.sha256)
    data = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(data).hexdigest() != receipt.sha256:
        raise FaultError(
            f"the kept bytes of {receipt.landing_path} are {'not those received' if path.exists() else 'gone'}",
            where=str(path),
            do="restore the vault from a backup; nothing else was changed",
        )
    return data


def _folder(receipt: Receipt, reading_id: str, warehouse: Warehouse) -> Path:
    return warehouse.readings / receipt.department / receipt.extract / reading_id
