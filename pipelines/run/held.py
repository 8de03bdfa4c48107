"""What follows from held deliveries: entries in the ledger, workbooks for departments, the end of a run without more.

Which deliveries are held is decided in `holding`, and said in `telling`'s words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipelines.errors import BlockedError, HeldError
from pipelines.records import Held
from pipelines.run import telling
from pipelines.store import remove_tree

if TYPE_CHECKING:  # the room's own module imports this one
    from pipelines.run import Intake, Session


def record(session: Session, taken: Intake) -> list[Held]:
    """Put into the ledger which deliveries are held now and were not, and which no longer are; returns the new ones."""
    known: dict[str, dict[str, Any]] = {}
    for entry in session.ledger.entries():
        if entry.event == "held":
            known[str(entry.details["receipt_id"])] = entry.details
        elif entry.event == "cleared":
            known.pop(str(entry.details["receipt_id"]), None)
    now = {held.receipt_id: held for held in taken.decision.choice.held}
    latest = {receipt.landing_path: receipt for receipt in taken.receipts}
    for receipt_id, details in known.items():
        if receipt_id not in now:
            last = latest.get(details["landing_path"])
            after = last.receipt_id if last is not None and last.receipt_id != receipt_id else None
            told = {**{name: details[name] for name in ("receipt_id", "landing_path")}, "replaced_by": after}
            session.ledger.append("cleared", told)
            session.note("cleared", **told)
    new = [held for receipt_id, held in now.items() if receipt_id not in known]
    for held in new:
        told = {
            name: getattr(held, name) for name in ("receipt_id", "landing_path", "since", "because", "in_its_place")
        }
        session.ledger.append("held", told)
        session.note("held", **told)
    return new


def refusal(session: Session, held: Sequence[Held], *, is_all: bool = False) -> HeldError:
    """The end of a run that has only held deliveries to tell of; their departments find the cells in workbooks."""
    faults = session.decision.faults if session.decision is not None else {}
    folder = session.warehouse.held
    remove_tree(folder)
    session.write_workbooks(folder, [result for each in held for result in faults[each.receipt_id].results])
    return telling.refusal(held, session.warehouse.current_release_id(), str(folder), is_all=is_all)


def stop(session: Session, taken: Intake) -> None:
    """Raise BlockedError for deliveries that fail and may not be held: nothing is built to tell it."""
    stopping = taken.decision.stopping
    if not stopping:
        return
    folder = session.warehouse.held
    remove_tree(folder)
    checks = [result for _, fault in stopping for result in fault.results if result.severity == "block"]
    session.write_workbooks(folder, checks)
    current = session.warehouse.current_release_id()
    count = f"{len(stopping)} {'delivery fails and stops' if len(stopping) == 1 else 'deliveries fail and stop'}"
    raise BlockedError(
        f"{count} the release; " + (f"the release {current} stays" if current else "nothing has been released yet"),
        where=str(folder),
        do="mend the files, the contracts or the corrections (`junheng rejects`), then run again; a file that should "
        "not have come is taken back by a file <its name>.withdrawn beside it that says why",
        failing=[f"{c.check_id}: {c.observed}{' | ' + c.locations if c.locations else ''}"[:400] for c in checks],
        checks=[
            {"check_id": c.check_id, "subject": c.subject, "owner": c.owner, "observed": c.observed} for c in checks
        ],
    )
