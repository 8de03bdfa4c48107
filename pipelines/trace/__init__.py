"""One published figure back to formula, inputs, receipts and cells, and computed again from them.

The models that a release was built by travel in it (`evidence`); here they run again on the rows at hand (`replay`),
and their lineage, which is data (`dbt_project/tracing.yml`), leads from a row to the rows it is made of (`lineage`).
No formula of any figure stands in this room.
"""

from __future__ import annotations

from pipelines.trace.evidence import LINEAGE, write_evidence
from pipelines.trace.tracing import Trace, trace

__all__ = ["LINEAGE", "Trace", "trace", "write_evidence"]
