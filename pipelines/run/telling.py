"""How held deliveries are told: the file first, then what is wrong with it with causes before consequences.

At most `LINES` lines a delivery. Lines for the terminal may quote the file; what leaves the house does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from pipelines.errors import HeldError
from pipelines.jurisdiction import Contract
from pipelines.records import CheckResult, Held, Receipt

LINES = 7
DELIVERIES_TOLD = 10
_WIDTH = 300
_EXAMPLES = 3
_CAUSES_TOLD = LINES - 4  # beside the file, what else fails, what stays, and what to do
# What goes wrong first: a file that is another than it should be, then its columns and units, then rows and cells.
_CAUSES = (
    "agreed", "named_period", "repeated", "files_agree", "readable", "columns", "units", "stated_units", "new_codes",
    "types", "codes", "keys", "numbers", "ranges", "value_jump", "totals", "corrections", "volume", "row_counts",
    "shrinking",
)  # fmt: skip


# Findings that say enough without what was expected.
_COLUMNS = ("new_column", "missing_column", "column_order", "unknown_column")


def held(
    receipt: Receipt,
    contract: Contract,
    results: Sequence[CheckResult],
    since: str,
    in_its_place: Sequence[Receipt],
    zone: ZoneInfo,
) -> Held:
    """A held delivery as it is told; `in_its_place` are the receipts whose figures are shown meanwhile."""
    owner = next((member for member in contract.team if member.name == contract.owner), contract.team[0])
    first = next(result for result in sorted(results, key=_place) if result.severity == "block")
    do = _what_to_do(receipt, contract, first)
    stays = [f"{_day(r.received_at, zone)} ({r.landing_path})" for r in in_its_place]
    stays_at = stays[-1] + (f" and {len(stays) - 1} more" if len(stays) > 1 else "") if stays else ""
    return Held(
        receipt_id=receipt.receipt_id,
        department=receipt.department,
        extract=receipt.extract,
        delivery_period=receipt.delivery_period,
        landing_path=receipt.landing_path,
        owner=contract.owner,
        contact=owner.contact,
        since=since,
        because=because(results),
        checks=[
            {"check_id": r.check_id, "subject": r.subject, "owner": r.owner, "observed": r.observed}
            for r in results
            if r.severity == "block"
        ],
        lines=_lines(receipt, contract, results, _day(since, zone), stays_at, do),
        do=do,
        in_its_place=[r.receipt_id for r in in_its_place],
        stays_at=stays_at,
    )


def _day(moment: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d}"


def because(results: Iterable[CheckResult]) -> str:
    """The blocking checks among failing ones in one line, without any text of the file."""
    return "; ".join(f"{_kind(result)}: {result.observed}" for result in results if result.severity == "block")


def _lines(
    receipt: Receipt, contract: Contract, results: Sequence[CheckResult], since: str, stays_at: str, do: str
) -> list[str]:
    """The file, what is wrong with it, what its extract stays at, and what to do."""
    ordered = sorted(results, key=_place)
    lines = [f"{receipt.landing_path} is held since {since} ({contract.owner})"]
    lines += [f"  {_kind(result).replace('_', ' ')}: {_examples(result)}" for result in ordered[:_CAUSES_TOLD]]
    if more := ordered[_CAUSES_TOLD:]:
        lines.append("  and " + ", ".join(f"{_kind(r).replace('_', ' ')} {r.failing_rows:,}" for r in more))
    if stays_at:
        lines.append(f"  its figures stay at the delivery of {stays_at}")
    else:
        lines.append(f"  nothing stands in for it: {contract.id} has no figures of {receipt.delivery_period}")
    lines.append(f"  do: {do} (junheng rejects --extract {contract.id})")
    return [_short(line) for line in lines]


def _what_to_do(receipt: Receipt, contract: Contract, first: CheckResult) -> str:
    """What mends the first thing that is wrong, or takes the file out of the way."""
    remedy = first.remedy.rpartition(" / ")[2]
    remedy = remedy[:1].lower() + remedy[1:]
    if not contract.is_accepted:
        return f"{remedy} in contracts/{contract.id}.yml"
    return f"{remedy}; or take the file back by {receipt.file_name}.withdrawn beside it"


def _kind(result: CheckResult) -> str:
    return result.check_id.split(".")[1]


def _place(result: CheckResult) -> tuple[int, str]:
    kind = _kind(result)
    return (_CAUSES.index(kind) if kind in _CAUSES else len(_CAUSES), kind)


def _examples(result: CheckResult) -> str:
    """The first different things that a check found, and how many there are."""
    rows = result.rows
    if any(row.get("rule") == "new_column" for row in rows):  # then the contract need not say it once more
        rows = [row for row in rows if row.get("rule") != "unknown_column"]
    said = list(dict.fromkeys(_row(row) for row in rows))
    shown = "; ".join(said[:_EXAMPLES]) or result.observed
    more = max(result.failing_rows - len(result.rows), 0) + len(said) - min(len(said), _EXAMPLES)
    return f"{shown}; {more:,} more" if more > 0 else shown


def _row(row: dict[str, str]) -> str:
    """One failing row: what was found, where, and what should be there."""
    place = f"row {row['source_row']}" if row.get("source_row") else ""
    if row.get("source_column"):
        place += f", column {row['source_column']}"
    found = row.get("found", "")
    if row.get("rule") == "personal_number":  # its place may be a name: its detail says that as well
        return ": ".join(filter(None, (place, row["expected"])))
    if place:  # a reject: its detail says what is wrong
        return f"{place}: {row.get('expected') or row.get('rule', '')} ({found[:60]})"
    if row.get("rule") in _COLUMNS:
        return f"unknown {found}" if row["rule"] == "unknown_column" else found
    return f"{found} (expected: {row['expected']})" if row.get("expected") else found


def _short(line: str) -> str:
    line = " ".join(line.split()) if not line.startswith("  ") else "  " + " ".join(line.split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"


def lines_of(deliveries: Iterable[Held]) -> list[str]:
    """The lines of held deliveries, of the first ones where they are many."""
    listed = list(deliveries)
    lines = [line for each in listed[:DELIVERIES_TOLD] for line in each.lines]
    if len(listed) > DELIVERIES_TOLD:
        lines.append(f"and {len(listed) - DELIVERIES_TOLD} more held deliveries (junheng status --json)")
    return lines


def in_short(deliveries: Sequence[Held], zone: str) -> str:
    """How many deliveries are held and since when, by the calendar of a time zone."""
    since = _day(min(each.since for each in deliveries), ZoneInfo(zone))
    return f"{len(deliveries)} {'delivery' if len(deliveries) == 1 else 'deliveries'} held since {since}"


def refusal(deliveries: Sequence[Held], current: str | None, where: str, *, is_all: bool) -> HeldError:
    """The error that ends a run in which nothing else is new or, where they are all that there is, nothing counts."""
    count = f"{len(deliveries)} {'delivery is' if len(deliveries) == 1 else 'deliveries are'} held"
    besides = "no other counts" if is_all else "nothing else is new"
    stays = f"the release {current} stays" if current else "nothing has been released yet"
    return HeldError(
        f"{count} and {besides}; {stays}",
        where=where,
        do="have the files mended (`junheng rejects`) and run again; `junheng status` lists what is held",
        failing=lines_of(deliveries),
        checks=[check for each in deliveries for check in each.checks],
        held=list(deliveries),
    )
