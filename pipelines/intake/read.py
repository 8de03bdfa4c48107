"""Bytes + contract -> what is taken: accepted observations, rejects, ignored rows, and the account that ties them out.

Rows read = accepted + rejected + duplicate + ignored, and every value of every data row is accepted, missing,
rejected or dropped with its row. What one sheet gives is `sheet`'s work; how a file becomes sheets is `formats`'.
Nothing is written here: see `reader`.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import polars as pl

from pipelines.errors import ConfigurationError, UnreadableFileError
from pipelines.formats import Grid, read_grids, with_decimal_mark
from pipelines.intake import known_rejects, named_periods
from pipelines.intake.corrections import Outcome, joined
from pipelines.intake.frames import Taken, reject_frame, unreadable
from pipelines.intake.names import RegionIndex
from pipelines.intake.screening import screen_sheet, with_rejects, without_personal_numbers
from pipelines.intake.sheet import take_sheet
from pipelines.intake.units import UnitIndex
from pipelines.intake.values import Task
from pipelines.jurisdiction import Jurisdiction
from pipelines.jurisdiction.contract import Contract, Layout
from pipelines.records import Receipt, TieOut


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
        headers = [texts for sheet in screened for block in sheet.blocks for texts in named_periods.headers(*block)]
        named = named_periods.findings(receipt, contract, layout.period, names, titles, headers)
        return replace(taken, findings=named + taken.findings)
    except (UnreadableFileError, ConfigurationError) as error:
        return unreadable(receipt, reading_id, without_personal_numbers(error, jurisdiction.personal_numbers))


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
