"""A sheet of figures freed of numbers that name a person, by its contract, and the rejects that say where they stood.

What such a number looks like is `personal_numbers`' work. A number that could be a mobile number and stands where money
stands, or where the contract allows numbers of that size, is an amount; columns that the contract lists under
`quality.not_personal` hold codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

import polars as pl

from pipelines.errors import JunhengError
from pipelines.formats import ROW, Grid
from pipelines.intake.blocks import understood
from pipelines.intake.frames import Taken, reject_frame
from pipelines.intake.layout import Plan, letter
from pipelines.intake.personal_numbers import MaskedGrid, find_personal_number, mask_grid, shape_of
from pipelines.jurisdiction import Jurisdiction
from pipelines.jurisdiction.contract import Contract, Layout
from pipelines.jurisdiction.personal_kinds import PersonalKind
from pipelines.records import Receipt

RULE = "personal_number"


@dataclass(frozen=True)
class ScreenedSheet:
    """A sheet without personal numbers, its blocks as the contract understands them, and where the numbers stood."""

    grid: Grid
    blocks: list[tuple[Grid, Plan]]
    found: pl.DataFrame  # source_row, cell, kind
    beside: tuple[tuple[str, str], ...] = ()  # place beside the cells, kind


def screen_sheet(
    sheet: Grid, contract: Contract, layout: Layout, jurisdiction: Jurisdiction, where: str
) -> ScreenedSheet:
    """Free a sheet of personal numbers before it is understood; each of them is a fault of its cell.

    Raises UnreadableFileError, in words that hold no such number, for a sheet that the layout does not fit.
    """
    kinds = jurisdiction.personal_numbers
    masked = mask_grid(sheet, kinds)
    parts = understood(_with_faults(masked), layout, where)
    if masked.found.height:
        amounts, codes = _amounts(parts, jurisdiction), _codes(parts, contract)
        if amounts or codes:
            masked = mask_grid(sheet, kinds, amounts, codes)
            parts = understood(_with_faults(masked), layout, where)
    return ScreenedSheet(masked.grid, parts, masked.found, masked.beside)


def without_personal_numbers(error: JunhengError, kinds: Collection[PersonalKind]) -> str:
    """What an error says, or that it cannot be said because a personal number is in it."""
    text = error.message + (f" ({error.do})" if error.do else "")
    kind = find_personal_number(text, kinds)
    return f"the file cannot be read, and what is wrong with it holds an {shape_of(kind)}" if kind else text


def with_rejects(taken: Taken, sheets: Iterable[ScreenedSheet], receipt: Receipt, reading_id: str) -> Taken:
    """What was taken from a file, with a reject for each personal number; no text of its row is kept."""
    rejects, ignored = [taken.rejects], taken.ignored
    for sheet in sheets:
        name = sheet.grid.sheet
        rejects.append(_reject_beside(sheet, receipt, reading_id))
        if sheet.found.is_empty():
            continue
        shapes = {row: shape_of(kind) for row, _, kind in sheet.found.iter_rows()}
        rejects = [_shapes_alone(frame, name, shapes) for frame in rejects]
        ignored = _shapes_alone(ignored, name, shapes)
        known = {
            (row, str(column).split(" ")[0], scope)
            for row, column, scope, at in taken.rejects.select(
                "source_row", "source_column", "scope", "source_sheet"
            ).iter_rows()
            if at == name
        }
        rejects.append(
            reject_frame(
                receipt,
                reading_id,
                name,
                [
                    {
                        "source_row": row,
                        "source_column": letter(int(cell[1:])),
                        "scope": "file",
                        "rule": RULE,
                        "reported_text": shape_of(kind),
                        "detail": _detail(kind),
                    }
                    for row, cell, kind in sheet.found.iter_rows()
                    if (row, letter(int(cell[1:])), "cell") not in known and (row, "", "row") not in known
                ],
            )
        )
    return replace(taken, rejects=pl.concat(rejects), ignored=ignored)


def _reject_beside(sheet: ScreenedSheet, receipt: Receipt, reading_id: str) -> pl.DataFrame:
    """A reject where the name of a sheet, or what else the file says beside its cells, holds personal numbers."""
    places = " and the ".join(dict.fromkeys(place for place, _ in sheet.beside))
    found: list[dict[str, object]] = [
        {"scope": "file", "rule": RULE, "reported_text": shape_of(kind), "detail": _detail(kind, places)}
        for _, kind in sheet.beside[:1]
    ]
    return reject_frame(receipt, reading_id, sheet.grid.sheet, found)


def _detail(kind: str, place: str = "cell") -> str:
    shape = shape_of(kind)
    return f"the {place} holds what looks like an {shape}: send the file without it, or as a person-level extract"


def _with_faults(masked: MaskedGrid) -> Grid:
    """The masked grid with each number that was found as a fault of its cell."""
    if masked.found.is_empty():
        return masked.grid
    found = masked.found.select(
        ROW,
        "cell",
        pl.lit(RULE).alias("rule"),
        pl.col("kind").map_elements(_detail, return_dtype=pl.String).alias("detail"),
    )
    faults = pl.concat([found, masked.grid.faults]).unique([ROW, "cell"], keep="first", maintain_order=True)
    return replace(masked.grid, faults=faults)


def _amounts(parts: list[tuple[Grid, Plan]], jurisdiction: Jurisdiction) -> dict[str, Callable[[Decimal], bool]]:
    """The columns that hold amounts of eleven digits, with the amounts each may hold."""
    money = jurisdiction.money_units
    return {
        value.cell: _at_most(None if value.unit in money else value.rule.max)
        for _, plan in parts
        for value in plan.values
        if value.unit in money or value.rule.max is not None
    }


def _at_most(most: float | None) -> Callable[[Decimal], bool]:
    return lambda amount: most is None or amount <= Decimal(most)


def _codes(parts: list[tuple[Grid, Plan]], contract: Contract) -> set[str]:
    """The columns whose long numbers are codes, as a person has written into the contract."""
    patterns = contract.quality.not_personal
    return {
        cell
        for _, plan in parts
        for name, cell in plan.columns.items()
        if any(re.search(pattern, name) for pattern in patterns)
    }


def _shapes_alone(frame: pl.DataFrame, sheet: str, shapes: dict[int, str]) -> pl.DataFrame:
    """Rejects or ignored rows whose row held a personal number, with the number's shape in place of their text."""
    is_spoiled = (pl.col("source_sheet") == sheet) & pl.col("source_row").is_in(list(shapes))
    shape = pl.col("source_row").replace_strict(shapes, default=None, return_dtype=pl.String)
    return frame.with_columns(pl.when(is_spoiled).then(shape).otherwise(pl.col("reported_text")).alias("reported_text"))
