"""The typed things that pass between rooms: receipt, reading, build, table contract, check result, verdict, release.

They are plain immutable records that know how to become JSON and back. How they are stored is `store`'s
business, what they mean is their makers'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

T = TypeVar("T", bound="Record")

# `waived`: failed, and a documented exception by two persons covers exactly that (quality.waivers)
# `held`: failed for nothing but deliveries that are held, so no figure rests on what failed
Outcome = Literal["pass", "fail", "error", "not_applicable", "waived", "held"]
Severity = Literal["block", "warn"]
# What a blocking check holds up when it does not pass: the whole build, its own table and what hangs on it, or the
# deliveries that failed.
Reach = Literal["build", "table", "delivery"]


@dataclass(frozen=True)
class Record:
    """Base of all records: JSON out, JSON in, unknown fields of a later version ignored."""

    def as_dict(self) -> dict[str, Any]:
        """The record as plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls: type[T], data: dict[str, Any]) -> T:
        """The record back from `as_dict`; fields it does not know are ignored."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})


@dataclass(frozen=True)
class Receipt(Record):
    """One file received: what, from where, when, with which bytes. `landing_path` is relative to the landing folder."""

    receipt_id: str
    department: str
    extract: str
    delivery_period: str
    file_name: str
    landing_path: str
    sha256: str
    size_bytes: int
    received_at: str  # ISO 8601, UTC
    sequence: int  # order of arrival in this warehouse
    is_withdrawal: bool = False  # the department took the file back; its bytes say why

    @property
    def extract_id(self) -> str:
        """`department/extract`, the name of the contract."""
        return f"{self.department}/{self.extract}"


@dataclass(frozen=True)
class TieOut(Record):
    """The account of one sheet: every row and every value read is in exactly one of the others."""

    source_file: str
    source_sheet: str
    rows_read: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    rows_ignored: int = 0
    values_read: int = 0
    values_accepted: int = 0
    values_missing: int = 0
    values_rejected: int = 0
    values_dropped: int = 0

    @property
    def holds(self) -> bool:
        """True when rows and values are accounted for to the last one."""
        rows = self.rows_accepted + self.rows_rejected + self.rows_duplicate + self.rows_ignored
        values = self.values_accepted + self.values_missing + self.values_rejected + self.values_dropped
        return rows == self.rows_read and values == self.values_read


@dataclass(frozen=True)
class Reading(Record):
    """What was taken from a receipt under one state of contract, reference tables and reader.

    `folder` (relative to the warehouse) holds accepted.parquet, rejects.parquet and ignored.parquet.
    """

    reading_id: str
    receipt_id: str
    department: str
    extract: str
    delivery_period: str
    contract_hash: str
    reference_hash: str
    reader_version: str
    status: Literal["read", "unreadable"]
    problem: str  # empty when read
    read_at: str
    folder: str
    tie_out: list[dict[str, Any]] = field(default_factory=list)
    rejects: int = 0
    known_rejects: int = 0
    findings: list[dict[str, Any]] = field(default_factory=list)  # {check, severity, observed, expected}
    corrections: list[dict[str, Any]] = field(default_factory=list)  # {id, fitted, found}: what our own ones met
    profile: dict[str, Any] = field(default_factory=dict)  # what the next delivery is compared with
    key_id: str = ""  # person-level: the key that ID numbers were replaced under, never the key itself


@dataclass(frozen=True)
class Held(Record):
    """A delivery that failed a blocking check: its extract stays at the last good delivery until a better file comes.

    `since` is when the first of the files came that failed one after the other at this place. `lines` say what is
    wrong, with texts of the file; `checks` say it without any.
    """

    receipt_id: str
    department: str
    extract: str
    delivery_period: str
    landing_path: str
    owner: str
    contact: str
    since: str  # ISO 8601, UTC
    because: str  # the failing checks in one line, without any text of the file
    checks: list[dict[str, str]] = field(default_factory=list)  # check_id, subject, owner, observed
    lines: list[str] = field(default_factory=list)
    in_its_place: list[str] = field(default_factory=list)  # receipts in force whose figures are shown meanwhile
    do: str = ""  # what its department can do
    stays_at: str = ""  # when the newest of these came, and its path; empty where the extract has no figures

    @property
    def extract_id(self) -> str:
        """`department/extract`, the name of the contract."""
        return f"{self.department}/{self.extract}"


@dataclass(frozen=True)
class Choice:
    """Which deliveries count: those in force, those that are held, and those in force in place of held ones."""

    in_force: frozenset[str] = frozenset()  # ids of receipts
    held: tuple[Held, ...] = ()
    left_out: Mapping[str, str] = field(
        default_factory=dict
    )  # receipts that failed and never counted -> because of what
    in_place_of: Mapping[str, str] = field(
        default_factory=dict
    )  # receipt in force -> the held one that it stands in for


@dataclass(frozen=True)
class Due(Record):
    """One delivery that a contract asks for and that has not come."""

    department: str
    extract: str
    delivery_period: str
    due_on: str  # ISO date: the last day on which it is in time
    late_from: str  # ISO 8601, UTC: from this moment on it is late
    owner: str
    contact: str = ""

    @property
    def extract_id(self) -> str:
        """`department/extract`, the name of the contract."""
        return f"{self.department}/{self.extract}"


@dataclass(frozen=True)
class Punctuality:
    """What one extract owes at a moment: what is late, and what comes next."""

    extract_id: str
    gravity: Literal["block", "warn", "ignore"]
    is_agreed: bool  # the contract says how often and until when
    late: list[Due] = field(default_factory=list)
    following: Due | None = None  # the next delivery that becomes due


@dataclass(frozen=True)
class Build(Record):
    """One build of the marts: which readings, which rules, and the private folder it stands in."""

    build_id: str
    folder: str  # absolute path
    inputs_hash: str
    reading_ids: list[str]
    code_version: str
    reference_hash: str
    contracts_hash: str
    expectations_hash: str
    as_of: str | None
    built_at: str
    rules_sha256: str = ""  # the state of all rules that it was made by, kept in the vault
    basis_hash: str = ""  # of all inputs but deliveries that are held: the same basis gives the same figures

    @property
    def database(self) -> Path:
        """The private DuckDB file of the build."""
        return Path(self.folder) / "build.duckdb"

    @property
    def files(self) -> list[Path]:
        """All that dbt made: the database, and the relations that lie beside it as Parquet files."""
        beside = set(Path(self.folder).glob("*.parquet")) - {self.mask}
        return [self.database, *sorted(beside)]

    @property
    def mask(self) -> Path:
        """The cells that must not be shown; there once `protection` has looked at the build."""
        return Path(self.folder) / "mask.parquet"

    @property
    def dbt_manifest(self) -> Path:
        """dbt's manifest of the models that were built."""
        return Path(self.folder) / "dbt_manifest.json"

    @property
    def dbt_results(self) -> Path:
        """dbt's run_results of the build."""
        return Path(self.folder) / "dbt_run_results.json"


@dataclass(frozen=True)
class TableContract(Record):
    """What a published table promises its readers: key, columns with types and units, and the promise's version."""

    name: str
    version: str
    key: list[str]
    columns: dict[str, str]  # name -> DuckDB type
    units: dict[str, str] = field(default_factory=dict)  # only of columns that have one


@dataclass(frozen=True)
class CheckResult(Record):
    """What one quality rule found in one build."""

    check_id: str
    source: Literal["intake", "dbt", "expectation", "contract", "gate"]
    subject: str  # table, or department/extract
    severity: Severity
    outcome: Outcome
    description: str
    observed: str = ""
    expected: str = ""
    failing_rows: int = 0
    locations: str = ""  # where the failing rows are, as text
    owner: str = ""
    why: str = ""
    since: str = ""
    rule: str = ""  # the whole rule as it was applied: type, arguments, SQL
    remedy: str = ""  # what the people who own the figures can do
    reach: Reach = "build"
    rows_waived: int = 0  # failing rows that waivers cover
    rows: list[dict[str, str]] = field(default_factory=list)  # failing rows as text, the first `ROWS_KEPT`

    @property
    def stops(self) -> bool:
        """A blocking check that did not pass; an error is not a pass."""
        return self.severity == "block" and self.outcome in ("fail", "error")

    @property
    def blocks(self) -> bool:
        """It stops the whole build."""
        return self.stops and self.reach == "build"

    @property
    def holds_back(self) -> bool:
        """It stops its own table, and what hangs on it, but not the rest of the build."""
        return self.stops and self.reach == "table"


ROWS_KEPT = 10_000


@dataclass(frozen=True)
class Verdict(Record):
    """The stored judgement of exactly one build."""

    build_id: str
    outcome: Literal["pass", "blocked"]
    judged_at: str
    valid_until: str | None
    passed: int
    failed: int
    errors: int
    warnings: int
    not_applicable: int
    blocking: list[str]
    results_sha256: str
    database_sha256: str
    mask_sha256: str = ""  # empty when the build had no mask yet
    waived: int = 0
    held: int = 0  # checks that failed for held deliveries alone
    waivers: list[dict[str, Any]] = field(default_factory=list)  # every waiver in force, with what it was used for
    against: str | None = None  # the release that was current when it was judged: an input of some checks
    against_sha256: str = ""  # of that release's manifest
    # Tables that stay as they were in that release: {table, from_release, checks, because_of}
    carried_over: list[dict[str, Any]] = field(default_factory=list)
