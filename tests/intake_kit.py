"""Hands for tests of intake: one small invented jurisdiction in memory, one contract, one file, and what is taken."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import country
import polars as pl
import yaml

from pipelines.intake import RegionIndex
from pipelines.intake.frames import Taken
from pipelines.intake.read import take
from pipelines.jurisdiction import Contract, Jurisdiction, load
from pipelines.records import Receipt
from pipelines.run import Intake, Session
from pipelines.settings import Settings

UNITS = """\
  persons: {base: persons, factor: 1}
  thousand: {base: persons, factor: 1000}
  crowns: {base: crowns, factor: 1}
  "%": {base: percent, factor: 1}
"""


@lru_cache(maxsize=1)
def jurisdiction() -> Jurisdiction:
    """The invented country with simpler units and measures, and a name that two regions bear."""
    head, rest = country.JURISDICTION.split("units:\n")
    text = head + "units:\n" + UNITS + rest[rest.index("synthetic_mark:") : rest.index("spending:")]
    regions = [dict(line) for line in country.REFERENCE["regions.csv"]]
    twin = {**regions[3], "region_name": "Twin", "region_name_en": "Twin"}
    regions += [{**twin, "region_code": code, "parent_code": code[:2]} for code in ("VB9", "VA9")]
    measures = [
        {**country.REFERENCE["measures.csv"][0], "measure": name, "unit": unit, "is_population": "false"}
        for name, unit in (("heads", "persons"), ("guests", "persons"), ("spent", "crowns"), ("share", "percent"))
    ]
    with tempfile.TemporaryDirectory() as folder:
        made = country.make_country(
            Path(folder) / "verdania",
            jurisdiction=text,
            without=country.DELIVERIES,
            reference={
                **{key: [] for key in country.REFERENCE},
                "regions.csv": regions,
                "measures.csv": measures,
                "variants.csv": [country.PLAIN_VARIANT],
            },
        )
        path = made.folder / "contracts" / "desk" / "file.yml"
        path.parent.mkdir(parents=True)
        path.write_text(contract().model_dump_json(by_alias=True))
        return load(made.folder)


def contract(layout: dict[str, Any] | None = None, **fields: Any) -> Contract:
    """A contract with one layout: a UTF-8 CSV with the columns Place and Heads unless told otherwise."""
    whole: dict[str, Any] = {
        "format": {"kind": "csv", "encoding": "utf-8"},
        "header": {"find": ["Place"]},
        "region": {"name": "Place"},
        "period": {"from": "folder", "kind": "year"},
        "tokens": {},
        "values": [{"column": "Heads", "measure": "heads", "unit": "persons"}],
    }
    whole.update(layout or {})
    return Contract.model_validate(country._contract("desk/file", whole, **fields))


def read(
    data: bytes | list[list[Any]] | str,
    layout: dict[str, Any] | None = None,
    *,
    period: str = "2020",
    name: str = "file.csv",
    **fields: Any,
) -> Taken:
    """What is taken from a file (bytes, text, or rows of a CSV) by `contract(layout)`."""
    if isinstance(data, list):
        data = country.csv_bytes(data)
    if isinstance(data, str):
        data = data.encode()
    receipt = Receipt(
        receipt_id="r1",
        department="desk",
        extract="file",
        delivery_period=period,
        file_name=name,
        landing_path=f"desk/file/{period}/{name}",
        sha256="0" * 64,
        size_bytes=len(data),
        received_at="2021-01-01T00:00:00.000000Z",
        sequence=1,
    )
    index = RegionIndex(jurisdiction().regions)
    taken = take(data, receipt, contract(layout, **fields), jurisdiction(), index, "reading1")
    for account in taken.tie_out:  # the law of every reading, whatever the test is about
        assert account.holds, account
    return taken


def values(taken: Taken) -> dict[str, Any]:
    """region -> value of a file with one number per region."""
    return dict(taken.accepted.select("region_code", "value").iter_rows())


def rules(taken: Taken) -> list[str]:
    """The rules that were broken, in order of the rejects."""
    return taken.rejects["rule"].to_list()


def shared_data() -> Path:
    """The folder of real files beside the repository; tests that need it skip where it is not."""
    from pipelines.settings import PROJECT_FOLDER

    return PROJECT_FOLDER.parent / "shared" / "data"


class Desk:
    """The invented country with one extract `desk/file` and a warehouse: files land, are taken in, and are judged."""

    def __init__(self, folder: Path, layout: dict[str, Any] | None = None, **fields: Any) -> None:
        self.folder = folder / "verdania"
        text = country.JURISDICTION[: country.JURISDICTION.index("spending:")]
        country.make_country(self.folder, without=country.DELIVERIES, jurisdiction=text)
        self.settings = Settings.from_environment(self.folder, folder / "warehouse")
        self.said: list[str] = []
        self.agree(layout, **fields)

    def agree(self, layout: dict[str, Any] | None = None, **fields: Any) -> None:
        """Write the contract."""
        layout = {"values": [{"column": "Heads", "measure": "visits", "unit": "persons"}], **(layout or {})}
        path = self.folder / "contracts" / "desk" / "file.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contract(layout, **fields).model_dump_json(by_alias=True), encoding="utf-8")

    def land(self, rows: list[list[Any]] | bytes, period: str = "2020", name: str = "file.csv") -> Path:
        """Write or overwrite a landing file."""
        path = self.folder / "landing" / "desk" / "file" / period / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(rows if isinstance(rows, bytes) else country.csv_bytes(rows))
        return path

    def correct(self, **fields: Any) -> None:
        """Write one correction of ours, `c1`."""
        whole = {
            "id": "c1",
            "extract": "desk/file",
            "delivery_period": "2020",
            "reason": "asked on Monday",
            "who": "A. Clerk",
            "since": "2021-02-01",
            **fields,
        }
        path = self.folder / "corrections" / "own.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump({"corrections": [whole]}, allow_unicode=True), encoding="utf-8")

    def take_in(self, **options: Any) -> Intake:
        """Receive and read what is new."""
        self.said = []
        self.session = Session(self.settings, self.said.append)
        self.taken = self.session.take_in(**options)
        return self.taken

    def findings(self, *kinds: str) -> list[tuple[str, str, str]]:
        """Kind, severity and text of what is found on everything received, all kinds or some."""
        self.take_in()
        return [
            (kind, severity, observed)
            for kind, severity, observed in self.session.findings(self.taken)
            .select("kind", "severity", "observed")
            .iter_rows()
            if not kinds or kind in kinds
        ]

    def figures(self) -> dict[str, Any]:
        """region -> value of the newest reading."""
        newest = max(self.taken.readings, key=lambda r: r.read_at)
        frame = pl.read_parquet(self.session.warehouse.folder / newest.folder / "accepted.parquet")
        return dict(frame.select("region_code", "value").iter_rows())
