"""Rejects that a person has looked at and written down in the contract: they stay rejected and no longer block.

A cell is known by its column and text, a row by the text of one of its cells. Nothing is rejected or taken here.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.jurisdiction.contract import Contract
from pipelines.jurisdiction.text import normalise
from pipelines.records import Receipt

Reject = dict[str, object]


def of_cell(reject: Reject, contract: Contract, receipt: Receipt) -> Reject:
    """The reject of a cell, marked when it is known. Its column is called by its header, or by its letter as in [D]."""
    if not contract.quality.known_rejects:
        return reject
    letters, _, header = str(reject["source_column"]).partition(" ")
    text = str(reject["reported_text"])
    return _marked(reject, {normalise(header): text, f"[{letters}]": text}, contract, receipt)


def of_row(reject: Reject, cells: Mapping[str, str | None], contract: Contract, receipt: Receipt) -> Reject:
    """The reject of a row, marked when it is known. `cells` are its texts by the names of their columns."""
    return _marked(reject, cells, contract, receipt)


def _marked(reject: Reject, cells: Mapping[str, str | None], contract: Contract, receipt: Receipt) -> Reject:
    for known in contract.quality.known_rejects:
        column = normalise(known.column)
        if (
            column in cells
            and normalise(cells[column]) == normalise(known.text)
            and known.region_code in (None, reject["region_code"])
            and known.delivery_period in (None, receipt.delivery_period)
        ):
            return {**reject, "is_known": True, "known_reason": known.reason}
    return reject
