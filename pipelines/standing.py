"""How releases stand: candidate, official or withdrawn, as the status file beside them says.

The ledger is what decides; the status file is made of it (`release`) and is what readers look at.
"""

from __future__ import annotations

from typing import Any

from pipelines.store import Warehouse, read_json


def states(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    """What the status file says of every release: state, since when, who signed, why it was withdrawn."""
    path = warehouse.release_status
    return dict(read_json(path)["releases"]) if path.exists() else {}


def said_of_withdrawal(release_id: str, state: dict[str, Any]) -> str:
    """Why a release was withdrawn, in one line; empty when it was not."""
    if state.get("state") != "withdrawn":
        return ""
    return f"release {release_id} was withdrawn on {state['since'][:10]} ({state['severity']}): {state['reason']}"
