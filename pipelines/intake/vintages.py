"""What became of figures from delivery to delivery: added, removed, revised, late, taken back; and what is found so.

Vintages are kept, never overwritten: which one counts is decided by observation in dbt. Here is only said what a
delivery did to those before it, so that a person hears of it, and what must not happen without leave.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.intake import corrections, jumps, repeats
from pipelines.intake.corrections import Outcome
from pipelines.intake.drift import Read, changes, finding
from pipelines.intake.periods import period_name
from pipelines.jurisdiction.contract import Contract
from pipelines.jurisdiction.corrections import Correction
from pipelines.records import Reading, Receipt
from pipelines.store import Warehouse

OBSERVATION_KEY = (
    "measure",
    "region_code",
    "period_start",
    "period_end",
    "population_basis",
    "residence",
    "sex",
    "age_group",
    "group",
    "item",
)
# Kinds of findings that a file may not be whole.
MAYBE_CUT = ("cut_off", "full_sheet")
# Kinds of findings that a person is told when they are new: what a delivery did to the figures before it, and single
# values out of line with theirs.
TOLD = ("value_jump", "redelivery", "revision", "shrinking_delivery", "late_arrival", "withdrawal")


@dataclass(frozen=True)
class Delivery:
    """A receipt with its reading."""

    receipt: Receipt
    reading: Reading | None  # None for a withdrawal


@dataclass(frozen=True)
class Difference:
    """Figures of one reading against those of another: how many were added, removed, revised, and examples."""

    common: int
    added: int
    removed: int
    revised: int
    examples: str = ""
    removed_examples: str = ""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.revised)

    def __str__(self) -> str:
        text = f"{self.added:,} added, {self.removed:,} removed, {self.revised:,} revised"
        return f"{text}; e.g. {self.examples}" if self.examples else text


class Comparisons:
    """The figures of readings against each other; each pair is looked at once."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._known: dict[tuple[str, str], Difference] = {}

    def __call__(self, before: Reading, after: Reading) -> Difference:
        """The figures of one reading against those of an earlier one."""
        pair = before.reading_id, after.reading_id
        if pair not in self._known:
            self._known[pair] = compare(before, after, self.warehouse)
        return self._known[pair]


def findings(
    contract: Contract,
    deliveries: list[Delivery],
    comparisons: Comparisons,
    corrections: Iterable[Correction] = (),
    held_periods: Collection[str] = (),
) -> list[dict[str, str]]:
    """Everything found on the deliveries in force of one extract.

    `deliveries` holds all that count or did, replaced ones included, in order of arrival; `corrections` those that
    must have met their cells, but for the delivery periods of which a file is held. Each finding carries receipt_id,
    reading_id, check, severity, observed, expected, and in `against` the receipt that the delivery was compared with,
    where it was with one; the severity `note` tells something that is in order.
    """
    history = _History(contract, deliveries, comparisons)
    found: list[dict[str, str]] = []
    for after in history.in_force:
        own = history.found(after)
        own += history.revised(after)
        own += history.late(after)
        found += [_of(after.receipt, after.reading, one) for one in own]
    found += history.out_of_line()
    found += history.taken_back()
    found += history.corrections_met(corrections, held_periods)
    return [one for one in found if one["severity"] != "ignore"]


def arrived(contract: Contract, deliveries: list[Delivery], comparisons: Comparisons) -> list[dict[str, str]]:
    """What is found on the last of the deliveries when it comes: against its contract, and against those before it.

    As `findings`, without what only the whole of an extract can tell.
    """
    history = _History(contract, deliveries, comparisons)
    receipt_id = deliveries[-1].receipt.receipt_id
    found: list[dict[str, str]] = []
    for after in history.in_force:
        if after.receipt.receipt_id == receipt_id:
            found += [_of(after.receipt, after.reading, one) for one in history.found(after)]
    if contract.quality.drift.value_jump == "block":
        found += [one for one in history.out_of_line() if one["receipt_id"] == receipt_id]
    return [one for one in found if one["severity"] != "ignore"]


def _of(receipt: Receipt, reading: Reading | None, one: dict[str, str]) -> dict[str, str]:
    return {"against": "", **one, "receipt_id": receipt.receipt_id, "reading_id": reading.reading_id if reading else ""}


def _beside_before(one: dict[str, str], before: Read | None) -> dict[str, str]:
    """A finding that a file may be cut off, with how many rows the file before had."""
    if one["check"] not in MAYBE_CUT or before is None or not before.reading.profile:
        return one
    rows, receipt = before.reading.profile["data_rows"], before.receipt
    text = f"{one['observed']}; {receipt.file_name} ({receipt.delivery_period}) has {rows:,} data rows"
    return {**one, "observed": text}


class _History:
    """The deliveries of one extract, told apart by landing path and delivery period."""

    def __init__(self, contract: Contract, deliveries: list[Delivery], comparisons: Comparisons) -> None:
        self.contract, self.compare = contract, comparisons
        self.deliveries = deliveries
        self.latest: dict[str, Delivery] = {}
        self.replaced: dict[str, Read] = {}  # landing path -> the last version read before the latest
        for delivery in deliveries:
            path = delivery.receipt.landing_path
            older = self.latest.get(path)
            if delivery.receipt.is_withdrawal or (older is not None and older.receipt.is_withdrawal):
                self.replaced.pop(path, None)
            if older is not None and (read := _as_read(older)) is not None:
                self.replaced[path] = read
            self.latest[path] = delivery
        readable = [read for read in map(_as_read, self.latest.values()) if read is not None]
        self.in_force = sorted(readable, key=_place)

    def found(self, after: Read) -> list[dict[str, str]]:
        """What one delivery says of itself, and against the one before it."""
        before = self.before(after)
        own: list[dict[str, str]] = [_beside_before(one, before) for one in after.reading.findings]
        if before is not None:
            own += [{**one, "against": before.receipt.receipt_id} for one in changes(self.contract, before, after)]
        own += self.redelivered(after)
        earlier = (r for r in self.in_force if r.receipt.sequence < after.receipt.sequence)
        repeated = repeats.repeated(after, earlier, self.contract.quality.repeated_delivery, self.compare.warehouse)
        return own + ([repeated] if repeated is not None else [])

    def out_of_line(self) -> list[dict[str, str]]:
        """Single values that are ten, a hundred ... times their neighbours in time."""
        reads = {read.receipt.receipt_id: read for read in self.in_force}
        return [
            _of(reads[receipt_id].receipt, reads[receipt_id].reading, one)
            for receipt_id, one in jumps.findings(
                self.in_force, self.contract.quality.drift.value_jump, self.compare.warehouse
            )
        ]

    def before(self, after: Read) -> Read | None:
        """The file before: that of the last earlier period which is called alike, else the version it replaced."""
        earlier = [r for r in self.in_force if r.receipt.delivery_period < after.receipt.delivery_period]
        if earlier:
            form = _form(after.receipt.file_name)
            alike = [r for r in earlier if _form(r.receipt.file_name) == form]
            last = [r for r in earlier if r.receipt.delivery_period == earlier[-1].receipt.delivery_period]
            if alike or len(last) == 1:
                return (alike or last)[-1]
        return self.replaced.get(after.receipt.landing_path)

    def redelivered(self, after: Read) -> list[dict[str, str]]:
        """A delivery that came again, under the same name or another: its difference, and whether it shrank."""
        before = self.replaced.get(after.receipt.landing_path)
        if before is None:
            before = self._same_figures_under_another_name(after)
        if before is None and self.contract.delivery == "replaces_all":
            older = [read for read in self.in_force if _place(read) < _place(after)]
            before = older[-1] if older else None
        difference = self.compare(before.reading, after.reading) if before is not None else None
        if before is None or not difference:
            return []
        grave = self.contract.quality.drift
        where = f"{before.receipt.file_name} ({before.receipt.delivery_period}), received {before.receipt.received_at}"
        found = [finding("redelivery", "note", str(difference), where)]
        if difference.removed and not self.contract.partial_delivery:
            found.append(
                finding(
                    "shrinking_delivery",
                    grave.shrinking_delivery,
                    f"{difference.removed:,} figures reported before are gone: {difference.removed_examples}",
                    f"all that {where}, held, unless the contract says `partial_delivery: true`",
                )
            )
        return [{**one, "against": before.receipt.receipt_id} for one in found]

    def revised(self, after: Read) -> list[dict[str, str]]:
        """Figures of earlier delivery periods that this one reports otherwise."""
        years = set(after.reading.profile.get("years", []))
        found = []
        for before in self.in_force:
            if before.receipt.delivery_period >= after.receipt.delivery_period:
                break
            if self.contract.delivery == "replaces_all" or not years & set(before.reading.profile.get("years", [])):
                continue
            difference = self.compare(before.reading, after.reading)
            if difference.revised:
                text = f"{difference.revised:,} of {difference.common:,} figures that both report are revised"
                where = f"as in {before.receipt.file_name} ({before.receipt.delivery_period})"
                found.append(finding("revision", "note", f"{text}; e.g. {difference.examples}", where))
        return found

    def late(self, after: Read) -> list[dict[str, str]]:
        """A period whose first file came after that of a later period: figures that both hold stay the later's."""
        own = [d.receipt for d in self.deliveries if d.receipt.landing_path == after.receipt.landing_path]
        first = min(receipt.sequence for receipt in own)
        later = [
            d.receipt
            for d in self.deliveries
            if d.receipt.sequence < first and d.receipt.delivery_period > after.receipt.delivery_period
        ]
        if not later:
            return []
        text = f"the delivery of {after.receipt.delivery_period} came after that of {later[-1].delivery_period}"
        return [finding("late_arrival", "note", text, "in the order of the periods; what both report is the later's")]

    def taken_back(self) -> list[dict[str, str]]:
        """Files that their department took back."""
        found = []
        for path, delivery in self.latest.items():
            if delivery.receipt.is_withdrawal:
                own = [read for read in map(_as_read, self.deliveries) if read and read.receipt.landing_path == path]
                figures = sum(account["values_accepted"] for account in own[-1].reading.tie_out) if own else 0
                text = f"taken back with {figures:,} figures: they count no more unless another delivery holds them"
                found.append(_of(delivery.receipt, None, finding("withdrawal", "note", text, "files that stand")))
        return found

    def corrections_met(self, recorded: Iterable[Correction], held_periods: Collection[str]) -> list[dict[str, str]]:
        """A blocking finding for each recorded correction that did not fit exactly one cell of its delivery.

        It stands at the last file of that delivery. A delivery that is held has said it itself; one that was taken
        back leaves nothing to correct, which is worth a warning.
        """
        by_period: dict[str, list[Correction]] = {}
        for correction in recorded:
            by_period.setdefault(correction.delivery_period, []).append(correction)
        taken_back = {d.receipt.delivery_period for d in self.latest.values() if d.receipt.is_withdrawal}
        found = []
        for period, own in by_period.items():
            reads = [read for read in self.in_force if read.receipt.delivery_period == period]
            if not reads and period in held_periods:
                continue
            met = [Outcome(**outcome) for read in reads for outcome in read.reading.corrections]
            at = (reads or self.in_force)[-1:]
            said = corrections.findings(own, met)
            if not reads and period in taken_back:
                said = [{**one, "severity": "warn"} for one in said]
            found += [_of(at[0].receipt, at[0].reading, one) for one in said if at]
        return found

    def _same_figures_under_another_name(self, after: Read) -> Read | None:
        """The last earlier file of the same delivery period that reports a figure which this one reports too."""
        for before in reversed(self.in_force):
            same = before.receipt.delivery_period == after.receipt.delivery_period
            if not same or before.receipt.sequence >= after.receipt.sequence:
                continue
            years = set(before.reading.profile.get("years", [])) & set(after.reading.profile.get("years", []))
            if years and self.compare(before.reading, after.reading).common:
                return before
        return None


def _place(read: Read) -> tuple[str, int]:
    return read.receipt.delivery_period, read.receipt.sequence


def _form(file_name: str) -> str:
    """A file's name without its numbers: that of the same file in another year."""
    return re.sub(r"\d+", "#", file_name)


def _as_read(delivery: Delivery) -> Read | None:
    """The delivery, when it was read."""
    if delivery.reading is None or delivery.reading.status != "read":
        return None
    return Read(delivery.receipt, delivery.reading)


def compare(before: Reading, after: Reading, warehouse: Warehouse) -> Difference:
    """The figures of one reading against those of an earlier one."""
    key = list(OBSERVATION_KEY)
    old, new = (
        pl.read_parquet(warehouse.folder / reading.folder / "accepted.parquet", columns=[*key, "value"])
        for reading in (before, after)
    )
    both = old.join(new, on=key, how="inner", nulls_equal=True, suffix="_after")
    removed = old.join(new, on=key, how="anti", nulls_equal=True)
    revised = both.filter(pl.col("value").ne_missing(pl.col("value_after")))
    return Difference(
        both.height,
        new.height - both.height,
        removed.height,
        revised.height,
        "; ".join(
            f"{_named(row)} {_plain(row['value'])} -> {_plain(row['value_after'])}"
            for row in revised.sort(key).head(3).iter_rows(named=True)
        ),
        "; ".join(_named(row) for row in removed.sort(key).head(5).iter_rows(named=True)),
    )


def disagreements(readings: Iterable[Reading], warehouse: Warehouse) -> dict[str, str]:
    """The readings (by id) that report a figure otherwise than another of them, each with one such figure."""
    key = list(OBSERVATION_KEY)
    figures = pl.concat(
        pl.read_parquet(warehouse.folder / reading.folder / "accepted.parquet", columns=[*key, "value"]).with_columns(
            pl.lit(reading.reading_id).alias("reading_id")
        )
        for reading in readings
    )
    apart = figures.filter(pl.col("value").n_unique().over(key) > 1).sort(key).unique("reading_id", keep="first")
    return {row["reading_id"]: _named(row) for row in apart.iter_rows(named=True)}


def _named(row: dict[str, Any]) -> str:
    parts = [row["measure"], row["region_code"], period_name(row["period_start"], row["period_end"])]
    parts += [row[d] for d in ("residence", "sex", "age_group", "group", "item") if row[d] not in ("all", "total")]
    return " ".join(parts)


def _plain(value: Any) -> str:
    return "missing" if value is None else f"{value.normalize():f}"
