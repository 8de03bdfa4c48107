"""A file tried before anything is agreed: `check` reads it by a contract, `sniff` proposes a contract for it.

Nothing is received, stored or published here; the reader is the one that real deliveries meet, in a process with the
same limits. Only what a person asked to be written (`sniff --write`) is written, and only where nothing stands yet.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines import intake
from pipelines.errors import ConfigurationError, UnreadableFileError, UsageError
from pipelines.intake.corrections import Outcome
from pipelines.intake.corrections import findings as corrections_met
from pipelines.intake.frames import Taken
from pipelines.intake.propose import Grounds, Proposal, as_contract, propose
from pipelines.intake.read import take
from pipelines.jurisdiction import Contract, Description, Jurisdiction, Unit, load
from pipelines.jurisdiction.contract_checks import load_contract
from pipelines.jurisdiction.reference import TABLES, load_table
from pipelines.jurisdiction.yaml_model import load_model
from pipelines.records import Receipt
from pipelines.settings import Settings
from pipelines.store import now_utc, write_atomically
from pipelines.worker import WorkDiedError, Worker


class Sketch(Jurisdiction):
    """As much of a jurisdiction as reading needs, without its contracts: units, regions, measures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = folder.name
        self.description = load_model(folder / "jurisdiction.yml", Description)
        self.units = dict(self.description.units)
        self.levels = self.description.levels
        self.corrections = []
        self.contracts = {}
        self._tables = {
            table.relation: load_table(folder / "reference", table)
            for table in TABLES
            if table.relation in ("region", "measure")
        }

    def with_proposed(self, proposal: Proposal) -> Sketch:
        """The same with the units and measures that a proposal wants added."""
        import polars as pl

        made = Sketch(self.folder)
        made.units.update({name: Unit(**unit) for name, unit in proposal.units.items()})
        if proposal.measures:
            added = pl.DataFrame(proposal.measures, schema=self._tables["measure"].schema)
            made._tables["measure"] = pl.concat([self._tables["measure"], added])
        return made


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
        file = Path(extract).resolve()
        contract = load_contract(file, file.parent.parent, units, measures)
    else:
        jurisdiction = load(settings.jurisdiction_folder)
        if extract not in jurisdiction.contracts:
            raise UsageError(
                f"there is no contract {extract!r}",
                where="--contract",
                do="name one of " + ", ".join(jurisdiction.contracts) + ", or let `junheng sniff` propose one",
            )
        contract = jurisdiction.contracts[extract]
    period = period or period_of(path) or _year_in(data)
    if period is None:
        raise UsageError(
            "the delivery period cannot be told from the file's folder or name",
            where=str(path),
            do="add --period, the name of the landing folder that the file will lie in",
        )
    taken = read_once(data, path.name, contract, jurisdiction, period)
    found = summary(taken, contract, period)
    met = [Outcome(**outcome) for outcome in taken.corrections]
    found["findings"] += corrections_met(jurisdiction.corrections_for(contract.id, period), met)
    found["file"] = str(path)
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


def sniff_file(
    settings: Settings, path: Path, *, write: bool = False, department: str | None = None, extract: str | None = None
) -> dict[str, Any]:
    """Propose a contract for an unknown file, and show what it would read.

    With `write` the contract, its new measures and its new units are put into the jurisdiction's folder.
    """
    contract_id = _contract_id(path, department, extract)
    found = _within_limits(settings, path, _sniffed, contract_id)
    found["written"] = _write(settings.jurisdiction_folder, contract_id, found) if write else []
    return found


def _sniffed(settings: Settings, path: Path, contract_id: str) -> dict[str, Any]:
    """A proposal for a file, and what it would read."""
    data = path.read_bytes()
    sketch = Sketch(settings.jurisdiction_folder)
    tables = {name: sketch._tables[name] for name in ("region", "measure")}
    grounds = Grounds({name: unit.base for name, unit in sketch.units.items()}, tables["region"], tables["measure"])
    proposal = propose(data, path.name, grounds, contract_id)
    contract = as_contract(proposal.text)
    period = period_of(path) or _year_in(data) or now_utc()[:4]
    taken = read_once(data, path.name, contract, sketch.with_proposed(proposal), period)
    found = summary(taken, contract, period)
    found.update(
        {
            "file": str(path),
            "proposal": proposal.text,
            "measures_to_add": proposal.measures,
            "units_to_add": proposal.units,
            "notes": proposal.notes,
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
    if re.fullmatch(r"(?:19|20)\d\d(?:[-_]?(?:Q?[1-4]|\d\d))?", folder):
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


def _write(folder: Path, contract_id: str, found: dict[str, Any]) -> list[str]:
    """Put a proposal where it belongs; nothing that stands is overwritten.

    Raises UsageError when the contract exists.
    """
    measures, units = found["measures_to_add"], found["units_to_add"]
    path = folder / "contracts" / f"{contract_id}.yml"
    if path.exists():
        raise UsageError("the contract exists already", where=str(path), do="remove it, or choose another --extract")
    written = []
    if measures:
        table = folder / "reference" / "measures.csv"
        text = table.read_text(encoding="utf-8-sig")
        header = next(csv.reader(io.StringIO(text)))
        lines = io.StringIO(newline="")
        csv.writer(lines, lineterminator="\n").writerows([[line[c] for c in header] for line in measures])
        write_atomically(table, (text.rstrip("\n") + "\n" + lines.getvalue()).encode())
        written.append(f"{table}: {len(measures)} line(s) added")
    if units:
        file = folder / "jurisdiction.yml"
        text = file.read_text(encoding="utf-8")
        entries = "".join(
            f'  "{name}": {{base: {unit["base"]}, factor: {unit["factor"]}}}   # proposed by sniff: check both\n'
            for name, unit in units.items()
        )
        parts = re.split(r"(?m)^(units:[ \t]*(?:#.*)?\n)", text, maxsplit=1)
        if len(parts) != 3:
            raise ConfigurationError(
                "`units` is not written as a list of lines", where=str(file), do=f"add by hand:\n{entries}"
            )
        write_atomically(file, "".join([parts[0], parts[1], entries, parts[2]]).encode())
        written.append(f"{file}: {len(units)} unit(s) added")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, found["proposal"].encode())
    return [str(path), *written]
