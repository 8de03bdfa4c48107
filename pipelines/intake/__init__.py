"""File -> receipt -> reading: what arrived, kept as it came, and what was taken from it.

Readers by format, numbers, names and layout are modules of their own. What a number means is the contract's
word; what is made of it is dbt's.
"""

from pipelines.intake.freshness import found_in_landing, late_deliveries, punctuality, waiting
from pipelines.intake.jumps import KIND as VALUE_JUMP
from pipelines.intake.landing import Landed, Refused, look
from pipelines.intake.names import RegionIndex
from pipelines.intake.person_key import KEY_VARIABLE, key_is_configured, require_key
from pipelines.intake.reader import Reader
from pipelines.intake.readings import earlier_reading, find_reading, reader_version
from pipelines.intake.receive import Arrivals, all_receipts, in_force, receive
from pipelines.intake.repeats import are_apart, of_same_bytes
from pipelines.intake.vintages import TOLD, Comparisons, Delivery, arrived, compare, disagreements, findings
from pipelines.intake.written_files import refuse_personal_numbers

__all__ = [
    "KEY_VARIABLE",
    "TOLD",
    "VALUE_JUMP",
    "Arrivals",
    "Comparisons",
    "Delivery",
    "Landed",
    "Reader",
    "Refused",
    "RegionIndex",
    "all_receipts",
    "are_apart",
    "arrived",
    "compare",
    "disagreements",
    "earlier_reading",
    "find_reading",
    "findings",
    "found_in_landing",
    "in_force",
    "key_is_configured",
    "late_deliveries",
    "look",
    "of_same_bytes",
    "punctuality",
    "reader_version",
    "receive",
    "refuse_personal_numbers",
    "require_key",
    "waiting",
]
