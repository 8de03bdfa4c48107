"""A file tried before anything is agreed: `check` reads it by a contract, `sniff` proposes a contract for it.

Nothing is received, stored or published here; the reader is the one that real deliveries meet. Only what a person
asked to be written (`sniff --write`) is written, and only where nothing stands yet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines import intake
from pipelines.errors import UnreadableFileError, UsageError
from pipelines.intake.corrections import Outcome
from pipelines.intake.corrections import findings as corrections_met
from pipelines.intake.frames import Taken
from pipelines.intake.personal_numbers import find_personal_number, shape_of
from pipelines.intake.read import take
from pipelines.intake.sniffing import as_trial, survey, write_proposal
from pipelines.jurisdiction import Contract, Jurisdiction, load
from pipelines.jurisdiction.contract_checks import check_days, check_years, load_contract
from pipelines.jurisdiction.open_fields import find_open
from pipelines.records import Receipt
from pipelines.run.sketch import Outline, Sketch, for_trial, unlisted_measures
from pipelines.settings import Settings
from pipelines.store import now_utc, write_atomically
from pipelines.worker import WorkDiedError, Worker


def check_file(settings: Settings, path: Path, extract: str, period: str | None = None) -> dict[str, Any]:
    """Read one file by a contract and say what would be taken and what not; nothing is written.

    `extract` is department/extract, or the path of a contract file that does not lie in the jurisdiction yet.
    """
    return _within_limits(settings, path, _checked, extract, period)


def _within_limits(
    settings: Settings, path: Path, function: Callable[..., dict[str, Any]], *arguments: str | None
) -> dict[str, Any]:
    """What `function(settings, path, *arguments)` finds, in a process of its own; raises what it raises.

    Raises UnreadableFileError when the file ends that process.
    """
    if not path.is_file():
        raise UsageError("there is no such file", where=str(path), do="name a file")
    with Worker(settings.work_limits) as worker:
        try:
            found: dict[str, Any] = worker.call(function, settings, path, *arguments, size_bytes=path.stat().st_size)
        except WorkDiedError as died:
            raise UnreadableFileError(f"the file cannot be read: {died.reason}", where=str(path), do=died.do) from None
    return found


def _checked(settings: Settings, path: Path, extract: str, period: str | None) -> dict[str, Any]:
    """What a contract takes from a file; see `check_file`."""
    data = path.read_bytes()
    jurisdiction: Jurisdiction
    if extract.endswith((".yml", ".yaml")):
        jurisdiction = Sketch(settings.jurisdiction_folder)
        units = {name: unit.base for name, unit in jurisdiction.units.items()}
        measures = dict(jurisdiction._tables["measure"].select("measure", "unit").iter_rows())
        written = Path(extract).resolve()
        contract = jurisdiction.with_years(load_contract(written, written.parent.parent, units, measures))
        check_years(contract, written)
        check_days(
            contract, written, dict(jurisdiction._tables["measure"].select("measure", "population_source").iter_rows())
        )
    else:
        jurisdiction = load(settings.jurisdiction_folder)
        if extract not in jurisdiction.contracts:
            raise UsageError(
                f"there is no contract {extract!r}",
                where="--contract",
                do="name one of " + ", ".join(jurisdiction.contracts) + ", or let `junheng sniff` propose one",
            )
        contract = jurisdiction.contracts[extract]
        written = settings.jurisdiction_folder / "contracts" / f"{extract}.yml"
    period = period or period_of(path) or _year_in(data)
    if period is None:
        raise UsageError(
            "the delivery period cannot be told from the file's folder or name",
            where=str(path),
            do="add --period, the name of the landing folder that the file will lie in",
        )
    taken = read_once(data, path.name, contract, for_trial(jurisdiction, contract), period)
    found = summary(taken, contract, period)
    found["status"] = contract.status
    found["open"] = [item.as_dict() for item in find_open(written.read_text(encoding="utf-8"))]
    found["measures_to_add"] = _new_measures(contract, jurisdiction) if contract.status == "proposed" else []
    met = [Outcome(**outcome) for outcome in taken.corrections]
    found["findings"] += corrections_met(jurisdiction.corrections_for(contract.id, period), met)
    found["file"] = str(path)
    if kind := find_personal_number(path.name, jurisdiction.personal_numbers):
        found["findings"].insert(0, _personal_name(kind))
    if not contract.takes(path):
        shown = contract.files if isinstance(contract.files, str) else " or ".join(contract.files)
        found["findings"].insert(
            0,
            {
                "check": "file_name",
                "severity": "block",
                "observed": path.name,
                "expected": f"a name like {shown}: as it is, the landed file belongs to no contract",
            },
        )
    return found


def _personal_name(kind: str) -> dict[str, str]:
    """The finding for a file whose name no run would take in."""
    expected = "a name without that number: as it is, the landed file is not taken in"
    return {
        "check": "file_name",
        "severity": "block",
        "observed": f"it holds an {shape_of(kind)}",
        "expected": expected,
    }


def _new_measures(contract: Contract, jurisdiction: Jurisdiction) -> list[str]:
    """The measures that a proposal names and measures.csv does not list; those that are open are told as such."""
    listed = jurisdiction._tables["measure"]["measure"]
    return [name for name in unlisted_measures(contract, listed) if not name.startswith("open_")]


def sniff_file(
    settings: Settings,
    path: Path,
    *,
    write: bool = False,
    department: str | None = None,
    extract: str | None = None,
    sheet: str | None = None,
) -> dict[str, Any]:
    """Say what is in an unknown file, propose a contract for it (or for one of its sheets), show what it would read.

    The jurisdiction may be new, empty, or not there at all. A file without a table of regions and figures has no
    proposal: `proposal` is None then, and `problem` says why. With `write` the contract is put into the jurisdiction's
    folder; its new measures, units and regions are a person's to add.
    """
    found = _within_limits(settings, path, _sniffed, department, extract, sheet)
    found["written"] = []
    if write and found["proposal"] is not None:
        found["written"] = [_write(settings.jurisdiction_folder, found["contract"], found["proposal"])]
    return found


def _sniffed(
    settings: Settings, path: Path, department: str | None, extract: str | None, sheet: str | None
) -> dict[str, Any]:
    """What is in a file, the proposal for it, and what that would read."""
    data = path.read_bytes()
    outline = Outline(settings.jurisdiction_folder)
    grounds = outline.grounds
    name_is_personal = find_personal_number(path.name, outline.personal_numbers)
    file_name = f"file{path.suffix}" if name_is_personal else path.name
    contract_id = _contract_id(path.with_name(file_name), department, extract)
    surveyed = survey(data, file_name, grounds, sheet)
    found: dict[str, Any] = {"file": str(path), "sheets": [found.as_dict() for found in surveyed.sheets]}
    if surveyed.best is None:
        problem = surveyed.problem
        assert problem is not None
        return {**found, "proposal": None, "problem": problem.message, "do": problem.do, "readable": False}
    proposal = write_proposal(surveyed.best, surveyed.sheets, grounds, contract_id)
    contract = outline.with_years(as_trial(proposal.text))
    years = [year for sheet in surveyed.sheets for year in sheet.periods]
    period = period_of(path) or max(years, default=None) or _year_in(data) or now_utc()[:4]
    trial = for_trial(outline.with_regions_of(proposal), contract)
    found.update(summary(read_once(data, file_name, contract, trial, period), contract, period))
    if name_is_personal:
        found["findings"].insert(0, _personal_name(name_is_personal))
    found.update(
        {
            "proposal": proposal.text,
            "open": proposal.open_fields,
            "measures_to_add": proposal.measures,
            "measure_lines": outline.lines_for("measure", proposal.measures),
            "units_to_add": proposal.units,
            "regions_to_add": proposal.regions,
            "region_lines": outline.lines_for("region", proposal.regions),
            "notes": [*outline.missing, *proposal.notes],
        }
    )
    return found


def read_once(data: bytes, file_name: str, contract: Contract, jurisdiction: Jurisdiction, period: str) -> Taken:
    """What the reader takes from a file's bytes, as if it had just been received."""
    sha256 = hashlib.sha256(data).hexdigest()
    receipt = Receipt(
        receipt_id=sha256[:16],
        department=contract.department,
        extract=contract.extract,
        delivery_period=period,
        file_name=file_name,
        landing_path=f"{contract.id}/{period}/{file_name}",
        sha256=sha256,
        size_bytes=len(data),
        received_at=now_utc(),
        sequence=1,
    )
    index = intake.RegionIndex(jurisdiction.regions)
    return take(data, receipt, contract, jurisdiction, index, "trial")


def summary(taken: Taken, contract: Contract, period: str, first: int = 8) -> dict[str, Any]:
    """A reading for people: the account of each sheet, rejects by rule, what was ignored, the first figures."""
    rejects = taken.rejects
    by_rule: list[dict[str, Any]] = []
    for rule in rejects["rule"].unique(maintain_order=True):
        own = rejects.filter(rejects["rule"] == rule)
        by_rule.append(
            {
                "rule": rule,
                "count": own.height,
                "known": int(own["is_known"].sum() or 0),
                "examples": own.select("source_sheet", "source_row", "source_column", "reported_text", "detail")
                .head(5)
                .to_dicts(),
            }
        )
    ignored = taken.ignored.group_by("reason", maintain_order=True).len("rows").to_dicts()
    columns = ["measure", "region_code", "period_start", "period_end", "population_basis", "residence", "sex"]
    columns += ["age_group", "group", "item", "value", "unit", "value_reported", "obs_status"]
    columns += ["source_sheet", "source_row", "source_column"]
    return {
        "contract": contract.id,
        "period": period,
        "readable": not taken.problem,
        "problem": taken.problem,
        "observations": taken.accepted.height,
        "rejects": rejects.height,
        "tie_out": [{**account.as_dict(), "holds": account.holds} for account in taken.tie_out],
        "rejects_by_rule": by_rule,
        "ignored": ignored,
        "findings": list(taken.findings),
        "first": [
            {**row, "value": None if row["value"] is None else f"{row['value'].normalize():f}"}
            for row in taken.accepted.select(columns).head(first).to_dicts()
        ],
    }


def period_of(path: Path) -> str | None:
    """The delivery period of a file: its folder when that is named like a period, else a year in its name."""
    folder = path.resolve().parent.name
    if re.fullmatch(r"(?:19|20)\d\d(?:[-_]?(?:Q?[1-4]|[HS][12]|\d\d))?", folder):
        return folder
    years = re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", path.name)
    return max(years) if years else None


def _year_in(data: bytes) -> str | None:
    """The newest year near the beginning of a text file."""
    head = data[:600]
    years: list[bytes] = re.findall(rb"(?<![\d.])(?:19|20)\d\d(?![\d.])", head) if b"\0" not in head else []
    return max(years).decode() if years else None


def _contract_id(path: Path, department: str | None, extract: str | None) -> str:
    """department/extract: as given, else as the file lies under landing/, else its name."""
    parts = path.resolve().parts
    if extract and "/" in extract:
        department, extract = extract.split("/", 1)
    if "landing" in parts:
        at = len(parts) - 1 - parts[::-1].index("landing")
        if len(parts) > at + 3:
            department, extract = department or parts[at + 1], extract or parts[at + 2]
    stem = re.sub(r"[^a-z0-9]+", "_", path.name.split(".")[0].lower()).strip("_")
    found = f"{department or 'department'}/{extract or stem or 'extract'}"
    if not re.fullmatch(r"[\w-]+/[\w-]+", found):
        raise UsageError(
            f"{found!r} is no name of an extract", where="--department, --extract", do="use letters, digits and _"
        )
    return found


def _write(folder: Path, contract_id: str, text: str) -> str:
    """Put a proposal where it belongs; nothing that is there is overwritten.

    Raises UsageError when the contract exists.
    """
    path = folder / "contracts" / f"{contract_id}.yml"
    if path.exists():
        raise UsageError("the contract exists already", where=str(path), do="remove it, or choose another --extract")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())
    return str(path)
