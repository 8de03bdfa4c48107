"""One published figure back to what it is computed from, down to receipts and cells, and computed again from them.

dbt says what each number is computed from, and a release carries that (`evidence`); here it is walked (`walking`),
and each step computed by the formula of its kind (`formulas`). No choice of inputs is made in this room.
"""

from __future__ import annotations

from pipelines.trace.evidence import write_evidence
from pipelines.trace.tracing import Trace, trace

__all__ = ["Trace", "trace", "write_evidence"]
