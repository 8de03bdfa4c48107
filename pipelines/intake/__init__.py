"""File -> receipt -> reading: what arrived, kept as it came, and what was taken from it.

Readers by format, numbers, names and layout are modules of their own. What a number means is the contract's
word; what is made of it is dbt's.
"""

from pipelines.intake.freshness import Waiting, late_deliveries, punctuality, waiting
from pipelines.intake.jumps import KIND as VALUE_JUMP
from pipelines.intake.names import RegionIndex
from pipelines.intake.person_reading import require_key
from pipelines.intake.personal import KEY_VARIABLE, key_is_configured
from pipelines.intake.read import earlier_reading, find_reading, read, reader_version, take
from pipelines.intake.receive import Arrivals, all_receipts, in_force, receive
from pipelines.intake.repeats import are_apart, of_same_bytes
from pipelines.intake.vintages import TOLD, Comparisons, Delivery, arrived, compare, findings

__all__ = [
    "KEY_VARIABLE",
    "TOLD",
    "VALUE_JUMP",
    "Arrivals",
    "Comparisons",
    "Delivery",
    "RegionIndex",
    "Waiting",
    "all_receipts",
    "are_apart",
    "arrived",
    "compare",
    "earlier_reading",
    "find_reading",
    "findings",
    "in_force",
    "key_is_configured",
    "late_deliveries",
    "of_same_bytes",
    "punctuality",
    "read",
    "reader_version",
    "receive",
    "require_key",
    "take",
    "waiting",
]
