"""Person-level extracts: every line accounted for, typed exactly, counted exactly, refused without a key."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import country
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import intake
from pipelines.errors import ConfigurationError, FaultError, UnreadableFileError
from pipelines.intake import RegionIndex, lines, totals
from pipelines.intake.person_cells import Typing
from pipelines.intake.person_level import _Keys, _KeysOfPeriod
from pipelines.intake.personal import check_digit
from pipelines.intake.read import take
from pipelines.jurisdiction import load
from pipelines.jurisdiction.person_contract import RecordColumn, RecordFormat, Records
from pipelines.records import Reading
from pipelines.run import Session
from pipelines.settings import Settings
from pipelines.store import Warehouse

EXTRACT = "desk/register"
ODD_NUMBERS = [
    *(
        "",
        "x",
        "none",
        " 1.00",
        "1,234.50",
        ".50",
        "7",
        "1.234",
        "-0.10",
        "+3.00",
        "1.5０",
        "1..50",
        "1.2.50",
        "1e5.00",
    ),
    *("0x1.00", "0x10", "12.", "9999999999999999.99", "99999999999999999.99", "9" * 18, "9" * 19, "007.10", "007"),
]
HEADER = ["Region", "ID", "Name", "Born", "Sex", "Scheme", "Paid", "Amount", "Months"]
COLUMNS: list[dict[str, Any]] = [
    {"name": "Region", "as": "region_code", "type": "region"},
    {"name": "ID", "as": "person", "personal": "id_number"},
    {"name": "Name", "personal": "drop"},
    {"name": "Born", "as": "birth_year", "type": "date", "personal": "birth_year"},
    {"name": "Sex", "as": "sex", "type": "code", "map": {"M": "male", "F": "female"}},
    {"name": "Scheme", "as": "item", "type": "code", "codes": ["pension", "medical"]},
    {"name": "Paid", "as": "paid_on", "type": "date", "required": False},
    {"name": "Amount", "as": "amount", "type": "decimal", "unit": "crown", "min": 0, "max": 100000},
    {"name": "Months", "as": "months", "type": "integer", "min": 1, "max": 12, "required": False},
]
RECORDS: dict[str, Any] = {
    "format": {"encoding": "utf-8"},
    "period": {"from": "folder", "kind": "month"},
    "columns": COLUMNS,
    "key": ["person", "item"],
    "observations": [
        {"measure": "payers", "count": "persons", "by": ["item", "sex"]},
        {"measure": "paid", "sum": "amount", "by": ["item"]},
    ],
}


def number(person: int, born: str = "19800102") -> str:
    first = f"990000{born}{person:03}"
    return first + check_digit(first)


def line(person: int = 1, scheme: str = "pension", **cells: str) -> list[str]:
    base = dict(
        zip(
            HEADER,
            ["VA1", number(person), f"Name {person}", "1980-01-02", "M", scheme, "2020-12-05", "10.50", "1"],
            strict=True,
        )
    )
    return list({**base, **cells}.values())


def text_of(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([HEADER, *rows])
    return out.getvalue()


@dataclass
class Desk:
    """A jurisdiction with one person-level extract, and a warehouse."""

    folder: Path
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        head, rest = country.JURISDICTION.split("units:\n")
        units = "units:\n  crown: {base: crowns, factor: 1}\n" + rest[rest.index("  ") :]
        measures = [
            {**country.REFERENCE["measures.csv"][0], "measure": name, "unit": unit, "is_population": "false"}
            for name, unit in (("payers", "persons"), ("paid", "crowns"))
        ]
        text = head + units
        text = text[: text.index("spending:")] if "spending:" in text else text
        self.country = country.make_country(
            self.folder / "verdania",
            jurisdiction=text,
            without=country.DELIVERIES,
            reference={
                **{key: [] for key in country.REFERENCE},
                "regions.csv": country.REFERENCE["regions.csv"],
                "measures.csv": measures,
                "variants.csv": [country.PLAIN_VARIANT],
            },
        )
        self.contract()

    def contract(self, **changes: Any) -> Path:
        path = self.country.folder / "contracts" / f"{EXTRACT}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = {
            **{"id": EXTRACT, "version": "1.0.0", "name": "Register", "name_en": "Register", "provenance": "synthetic"},
            **{"license": "none", "source": {"publisher": "test"}, "team": [{"name": "Register office"}], "rank": 1},
            **{"files": "*", "records": {**RECORDS, **changes}},
        }
        path.write_text(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return path

    def land(self, data: bytes | str | list[list[str]], period: str = "2020-12", name: str = "register.csv") -> Path:
        if isinstance(data, list):
            data = text_of(data)
        path = self.country.folder / "landing" / EXTRACT / period / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    @property
    def session(self) -> Session:
        return Session(Settings(self.country.folder, self.folder / "warehouse"), say=self.said.append)

    @property
    def warehouse(self) -> Warehouse:
        return self.session.warehouse

    def read(self, data: bytes | str | list[list[str]], **options: Any) -> Reading:
        self.land(data, **options)
        reading = self.session.take_in().readings[-1]
        for account in reading.tie_out:
            rows = account["rows_accepted"] + account["rows_rejected"] + account["rows_duplicate"]
            assert rows + account["rows_ignored"] == account["rows_read"], account
        return reading

    def file(self, reading: Reading, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.warehouse.folder / reading.folder / name, memory_map=False)

    def records(self, reading: Reading, period: str = "2020-12") -> pl.DataFrame:
        return self.file(reading, f"records/{period}.parquet")

    def rules(self, reading: Reading) -> list[tuple[int, str, str]]:
        return list(self.file(reading, "rejects.parquet").select("source_row", "source_column", "rule").iter_rows())

    def figures(self, reading: Reading, measure: str) -> dict[tuple[str, ...], Decimal]:
        frame = self.file(reading, "accepted.parquet").filter(pl.col("measure") == measure)
        return {(r, i, s): v for r, i, s, v in frame.select("region_code", "item", "sex", "value").iter_rows()}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    key = tmp_path / "elsewhere" / "key"
    key.parent.mkdir()
    key.write_bytes(bytes(range(32)))
    monkeypatch.setenv("JUNHENG_PERSON_KEY_FILE", str(key))
    yield Desk(tmp_path)


def account(reading: Reading) -> tuple[int, int, int, int, int]:
    names = ("rows_read", "rows_accepted", "rows_rejected", "rows_duplicate", "rows_ignored")
    return tuple(reading.tie_out[0][name] for name in names)  # type: ignore[return-value]


# -- what is taken ----------------------------------------------------------------------------------------------


def test_records_are_typed_and_written_by_period(desk: Desk) -> None:
    reading = desk.read([line(1), line(1, "medical", Amount="1234.5", Months=""), line(2, Sex="F", Paid="")])
    frame = desk.records(reading)
    assert account(reading) == (4, 3, 0, 0, 1)
    assert frame.columns == [
        "source_row",
        "region_code",
        "person",
        "birth_year",
        "sex",
        "item",
        "paid_on",
        "amount",
        "months",
    ]
    assert frame["source_row"].to_list() == [2, 3, 4]
    assert frame["amount"].to_list() == [Decimal("10.50"), Decimal("1234.50"), Decimal("10.50")]
    assert frame["months"].to_list() == [1, None, 1]
    assert frame["paid_on"].to_list() == [date(2020, 12, 5), date(2020, 12, 5), None]
    assert frame["birth_year"].unique().to_list() == [1980]
    assert frame["sex"].to_list() == ["male", "male", "female"]


def test_a_reading_starts_without_what_it_does_not_need(desk: Desk) -> None:
    desk.land([line(1), line(2, Amount="x", Paid=""), line(1)])
    places = f"{str(desk.country.folder)!r}), Path({str(desk.folder / 'warehouse')!r}"
    script = f"""
import sys
from pathlib import Path
from pipelines.run import Session
from pipelines.settings import Settings
reading = Session(Settings(Path({places}))).take_in().readings[-1]
print(reading.tie_out[0]["rows_accepted"], "pandas" in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    # Anything that becomes an Arrow array by pyarrow's own hands brings pandas in, which takes a third of a second.
    assert result.stdout.split() == ["1", "False"], result.stderr


def test_columns_are_found_by_name_and_alias_in_any_order(desk: Desk) -> None:
    columns = [{**c, "aliases": ["Sum"]} if c["name"] == "Amount" else c for c in COLUMNS]
    desk.contract(columns=columns)
    rows = [list(reversed(r)) for r in ([*HEADER[:7], "Sum", "Months"], line(1))]
    reading = desk.read("".join(",".join(r) + "\n" for r in rows))
    assert desk.records(reading)["amount"].to_list() == [Decimal("10.50")]


@pytest.mark.parametrize(
    ("cell", "text", "rule"),
    [
        ("Amount", "ten", "not_a_number"),
        ("Amount", "", "missing_value"),
        ("Amount", "   ", "missing_value"),
        ("Amount", "1.005", "too_many_decimals"),
        ("Amount", "1e-9", "too_many_decimals"),
        ("Amount", "1 2", "several_numbers"),
        ("Amount", "-0.01", "below_minimum"),
        ("Amount", "100000.01", "above_maximum"),
        ("Amount", "99999999999999999.00", "out_of_range"),
        ("Months", "1.5", "not_an_integer"),
        ("Months", "13", "above_maximum"),
        ("Paid", "2020-02-30", "not_a_date"),
        ("Born", "", "missing_value"),
        ("Scheme", "pensions", "unknown_code"),
        ("Sex", "", "missing_value"),
        ("Region", "ZZ9", "unknown_region"),
        ("Region", "", "missing_value"),
        ("ID", number(1)[:-1] + ("1" if number(1)[-1] != "1" else "2"), "check_digit"),
        ("ID", "12345", "not_an_id_number"),
        ("ID", "99000019800230001" + check_digit("99000019800230001"), "impossible_birth_date"),
        ("ID", "", "missing_value"),
        ("Scheme", "pen\ufffdsion", "replaced_byte"),
        ("Amount", "10.5²", "not_a_digit"),
        ("Amount", "1①.50", "not_a_digit"),
        ("Amount", "(10.50)", "undeclared_negative"),
        ("Amount", "12.", "not_a_number"),
        ("Months", "1²", "not_a_digit"),
        ("Months", "٣", "not_a_digit"),
        ("Region", "VA¹", "unknown_region"),
        ("Region", "Vᴬ1", "unknown_region"),
        ("Scheme", "pensionᵃ", "unknown_code"),
        ("ID", number(1)[:-2] + "①" + number(1)[-1], "not_an_id_number"),
    ],
)
def test_a_line_that_breaks_a_rule_is_rejected_by_number_and_column(
    desk: Desk, cell: str, text: str, rule: str
) -> None:
    reading = desk.read([line(2), line(1, **{cell: text}), line(3)])
    assert desk.rules(reading) == [(3, cell, rule)]
    assert account(reading) == (4, 2, 1, 0, 1)
    assert desk.records(reading)["source_row"].to_list() == [2, 4]


@pytest.mark.parametrize(
    ("cell", "text", "column", "value"),
    [
        ("Amount", "1,234.50", "amount", Decimal("1234.50")),
        ("Amount", " 7.25 ", "amount", Decimal("7.25")),
        ("Amount", "５.００", "amount", Decimal("5.00")),
        ("Amount", "8", "amount", Decimal("8.00")),
        ("Amount", "8.000", "amount", Decimal("8.00")),
        ("Amount", "007.50", "amount", Decimal("7.50")),
        ("ID", number(1).translate({code: code + 0xFEE0 for code in range(0x30, 0x3A)}), "source_row", 2),
        ("Months", " 3", "months", 3),
        ("Paid", " 2020-12-07 ", "paid_on", date(2020, 12, 7)),
        ("Scheme", " medical ", "item", "medical"),
        ("Region", "ＶＡ1", "region_code", "VA1"),
    ],
)
def test_what_people_type_is_still_read(desk: Desk, cell: str, text: str, column: str, value: object) -> None:
    reading = desk.read([line(1, **{cell: text})])
    assert desk.rules(reading) == []
    assert desk.records(reading)[column].to_list() == [value]


def test_two_faults_in_a_line_are_two_rejects_of_one_row(desk: Desk) -> None:
    reading = desk.read([line(1, Amount="x", Scheme="y"), line(2)])
    assert sorted(desk.rules(reading)) == [(2, "Amount", "not_a_number"), (2, "Scheme", "unknown_code")]
    assert account(reading) == (3, 1, 1, 0, 1)


def test_a_record_may_name_its_own_month(desk: Desk) -> None:
    columns = [{**c, "required": True} if c["name"] == "Paid" else c for c in COLUMNS]
    desk.contract(columns=columns, period={"from": "column", "kind": "month", "column": "paid_on"})
    reading = desk.read([line(1), line(2, Paid="2020-11-30"), line(3, Paid="never")])
    assert desk.records(reading, "2020-11")["source_row"].to_list() == [3]
    assert desk.records(reading, "2020-12")["source_row"].to_list() == [2]
    assert account(reading) == (4, 2, 1, 0, 1)
    frame = desk.file(reading, "accepted.parquet").filter(pl.col("measure") == "payers", pl.col("item") == "all")
    assert set(frame["period_end"]) == {date(2020, 11, 30), date(2020, 12, 31)}


def test_lines_named_as_no_records_are_ignored_and_counted(desk: Desk) -> None:
    desk.contract(ignore_rows=[{"reason": "total", "column": "Region", "pattern": "^Total$"}])
    reading = desk.read(text_of([line(1), line(2, Region="Total")]) + " \n")
    assert account(reading) == (4, 1, 0, 0, 3)
    ignored = desk.file(reading, "ignored.parquet")
    assert list(ignored.select("source_row", "reason").iter_rows()) == [(1, "header"), (4, "blank line"), (3, "total")]


def test_lines_named_as_no_records_are_told_by_the_same_patterns_as_everywhere(desk: Desk) -> None:
    desk.contract(ignore_rows=[{"reason": "total", "column": "Region", "pattern": "^V(?!A)"}])
    reading = desk.read([line(1), line(2, Region="VB1")])
    assert account(reading) == (3, 1, 0, 0, 2)


def test_a_month_that_lost_its_zero_is_no_month(desk: Desk) -> None:
    columns = [*COLUMNS, {"name": "Month", "as": "month", "type": "month"}]
    desk.contract(columns=columns, period={"from": "column", "kind": "month", "column": "month"})
    months = ["2020-12", "2020.1", "20201", "2020.10", "2020²-1", "2020年3月"]
    rows = [[*line(number), month] for number, month in enumerate(months, start=1)]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([[*HEADER, "Month"], *rows])
    reading = desk.read(out.getvalue())
    assert [row for row, column, _ in desk.rules(reading) if column == "Month"] == [3, 4, 6]
    assert sorted(set(desk.records(reading, "2020-12")["source_row"])) == [2]


# -- keys -------------------------------------------------------------------------------------------------------


def test_the_same_record_again_is_a_duplicate_and_another_one_of_its_key_rejects_both(desk: Desk) -> None:
    reading = desk.read(
        [line(1), line(2), line(1), line(3), line(3, Amount="11.00"), line(4), line(1, Name="Someone else")]
    )
    # A name is dropped, so it cannot tell two records apart.
    assert account(reading) == (8, 3, 2, 2, 1)
    assert desk.records(reading)["source_row"].to_list() == [2, 3, 7]
    assert [(row, rule) for row, _, rule in desk.rules(reading)] == [(5, "duplicate_key"), (6, "duplicate_key")]


def test_repeated_keys_are_found_across_blocks_and_in_shares(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK", 4096)
    monkeypatch.setattr(lines.blocks, "__defaults__", (4096,))
    monkeypatch.setattr("pipelines.intake.person_level._AT_A_TIME", 7)
    rows = [line(p) for p in range(200)]
    rows += [line(p) for p in range(0, 200, 10)]  # 20 duplicates
    rows += [line(p, Amount="99.00") for p in range(5, 200, 50)]  # 4 conflicts, 8 rows
    reading = desk.read(rows)
    assert account(reading) == (225, 196, 8, 20, 1)
    assert desk.records(reading).height == 196
    assert desk.records(reading)["person"].n_unique() == 196


@given(st.lists(st.lists(st.text("ab市", max_size=2), min_size=1, max_size=4), min_size=1, max_size=5), st.booleans())
def test_keys_that_only_grow_never_repeat(blocks: list[list[str]], is_sorted: bool) -> None:
    if is_sorted:
        blocks = [sorted(set(block)) for block in blocks]
    seen = _KeysOfPeriod()
    for block in blocks:
        grows = all(a < b for a, b in itertools.pairwise(block))
        seen.add(_Keys(np.zeros(len(block), dtype=np.uint64), (block[0], block[-1]) if grows else None))
    every = [key for block in blocks for key in block]
    assert seen.only_grow == (every == sorted(set(every)))


def test_a_register_in_the_order_of_its_numbers_is_still_searched_for_a_number_sent_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines.blocks, "__defaults__", (4096,))
    columns = [*COLUMNS, {"name": "Number", "as": "number", "type": "text"}]
    desk.contract(columns=columns, key=["number"])
    head, *body = text_of([line(p) for p in range(300)]).splitlines()
    rows = [f"{head},Number", *(f"{row},{place:05d}" for place, row in enumerate(body))]
    assert account(desk.read("\n".join([*rows, ""]))) == (301, 300, 0, 0, 1)
    assert account(desk.read("\n".join([*rows, rows[150], ""]))) == (302, 300, 0, 1, 1)


def test_without_a_key_every_line_counts(desk: Desk) -> None:
    desk.contract(key=[])
    reading = desk.read([line(1), line(1)])
    assert account(reading) == (3, 2, 0, 0, 1)


# -- lines ------------------------------------------------------------------------------------------------------


def test_lines_with_too_many_or_too_few_cells_are_rejects_also_when_they_make_up_for_each_other(desk: Desk) -> None:
    body = [",".join(line(p)) for p in range(1, 6)]
    body[1] += ",more"
    body[3] = body[3].rsplit(",", 1)[0]
    reading = desk.read("\n".join([",".join(HEADER), *body, ""]))
    assert desk.rules(reading) == [(3, "", "too_many_cells"), (5, "", "too_few_cells")]
    assert account(reading) == (6, 3, 2, 0, 1)


def test_a_last_line_without_an_end_is_a_reject_and_blocks_unless_the_contract_knows_it(desk: Desk) -> None:
    text = "\n".join([",".join(HEADER), *(",".join(line(p)) for p in range(1, 4))])
    reading = desk.read(text)
    assert desk.rules(reading) == [(4, "", "cut_off")]
    assert account(reading) == (4, 2, 1, 0, 1)
    assert [(f["check"], f["severity"]) for f in reading.findings] == [("cut_off", "block")]
    desk.contract(format={"kind": "csv", "encoding": "utf-8", "open_end": True})
    reading = desk.read(text)
    assert account(reading) == (4, 3, 0, 0, 1)
    assert reading.findings == []


def test_quoted_cells_are_read_and_a_quote_that_does_not_close_takes_only_its_own_line(desk: Desk) -> None:
    body = [",".join(line(p)) for p in range(1, 7)]
    body[0] = body[0].replace("Name 1", '"Last, First ""Nick"""')
    body[2] = body[2].replace("Name 3", '"Name 3')
    body[4] = body[4].replace("pension", '"pension"')
    reading = desk.read("\r\n".join([",".join(HEADER), *body]) + "\r\n")
    assert desk.rules(reading) == [(4, "", "broken_quotes")]
    assert desk.records(reading)["source_row"].to_list() == [2, 3, 5, 6, 7]


def test_blank_lines_are_ignored_wherever_they_stand(desk: Desk) -> None:
    body = [",".join(line(p)) for p in range(1, 4)]
    reading = desk.read("\n" + "\n".join([",".join(HEADER), body[0], "", body[1], "   ", body[2], ""]) + "\n\n")
    assert account(reading) == (9, 3, 0, 0, 6)
    assert desk.records(reading)["source_row"].to_list() == [3, 5, 7]


cells = st.text(st.sampled_from('ab,"\n é'), max_size=6).filter(lambda t: "\n" not in t)


@given(st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=12), st.booleans(), st.data())
def test_every_line_is_split_as_the_csv_module_does(rows: list[list[str]], quoted: bool, data: st.DataObject) -> None:
    width = 3
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL).writerows(rows)
    text = out.getvalue()
    if data.draw(st.booleans()):
        text = text.replace('"', "", 1)  # a quote lost on the way
    block = lines.Block(1, text.count("\n"), text.encode())
    repeated = frozenset(data.draw(st.sets(st.integers(0, width - 1))))
    got = lines.cells_of(block, RecordFormat(), width, [0, 1, 2], repeated)
    expected: dict[int, list[str | None]] = {}
    for number_, one in enumerate(text.split("\n")[:-1], start=1):
        parsed = lines._split(one, ",")
        if parsed is not None and len(parsed) == width:
            expected[number_] = [cell or None for cell in parsed]
    texts = [got.columns[position].whole().to_list() for position in range(width)]
    found = {int(line_): list(row) for line_, *row in zip(got.lines, *texts, strict=True)}
    assert found == expected
    assert len(found) + len(got.broken) + len(got.blank) == block.lines


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "cp932", "big5"])
@pytest.mark.parametrize("separator", [",", "|"])
@given(cells=st.lists(st.tuples(*[st.text(st.sampled_from("ab1 .市縣"), max_size=4)] * 3), min_size=1, max_size=20))
def test_cells_are_the_same_however_their_columns_are_read(
    encoding: str, separator: str, cells: list[tuple[str, str, str]]
) -> None:
    text = "".join(separator.join(row) + "\n" for row in cells)
    block = lines.Block(5, len(cells), text.encode(encoding))
    rule = RecordFormat(encoding=encoding, delimiter=separator)
    for repeated in (frozenset[int](), frozenset({1}), frozenset({0, 1, 2})):
        got = lines.cells_of(block, rule, 3, [0, 2], repeated)
        for position in (0, 2):
            assert got.columns[position].whole().to_list() == [row[position] or None for row in cells]
        assert got.lines.tolist() == list(range(5, 5 + len(cells)))
        kept = np.arange(len(cells)) % 2 == 0
        assert got.only(kept).columns[2].whole().to_list() == [row[2] or None for row in cells[::2]]


@given(st.lists(st.sampled_from(["1.50", "0.05", "12.3", "7", "", "1.234", ".50", "-0.10", "x", "1.5０"]), min_size=1))
def test_a_point_stands_where_the_text_has_it(texts: list[str]) -> None:
    column = lines.PlainColumn(pa.array(texts, pa.string()))
    assert column.without_point(2).to_list() == [
        bool(text) and (len(text.encode()) < 3 or text.encode()[-3:-2] != b".") for text in texts
    ]
    assert column.texts.to_list() == [text or None for text in texts]
    assert column.is_tidy == all(text and text.isascii() for text in texts)


@given(
    odd=st.lists(st.sampled_from(ODD_NUMBERS), max_size=4),
    digits=st.lists(st.integers(0, 10**6), min_size=1, max_size=9),
    scale=st.integers(0, 3),
    shuffled=st.randoms(use_true_random=False),
)
def test_a_column_of_numbers_is_the_same_whether_read_from_its_bytes_or_cell_by_cell(
    odd: list[str], digits: list[int], scale: int, shuffled: Random
) -> None:
    texts = [*odd, *(f"{Decimal(digit).scaleb(-scale):.{scale}f}" for digit in digits * 400)]
    shuffled.shuffle(texts)
    source = lines.PlainColumn(pa.array(texts, pa.string()))
    read = source.numbers(scale)
    assert read is not None
    assert all(value is None or str(value) == f"{Decimal(text)}" for value, text in zip(read[0], texts, strict=True))
    kind = {"type": "decimal", "unit": "crown", "scale": scale} if scale else {"type": "integer"}
    column = RecordColumn.model_validate({"name": "Amount", "as": "amount", "min": 1, "max": 900, **kind})
    typing = Typing(
        Records.model_validate({**RECORDS, "missing": ["none"]}), {}, None, RegionIndex(pl.DataFrame()), None
    )
    plain = typing._judged_anew(source, column, None, False)
    slow = typing._judged_anew(lines.Column(source.texts), column, None, False)
    for one, other in zip(plain[1:], slow[1:], strict=True):
        nothing = pl.Series([None] * len(texts), dtype=pl.String)  # no rule broken, said of all or of each
        assert (nothing if one is None else one).to_list() == (nothing if other is None else other).to_list()
    assert source.at(np.arange(len(texts))[::2]).to_list() == [text or None for text in texts[::2]]


@given(st.binary(min_size=1, max_size=400), st.integers(1, 40))
def test_blocks_hold_every_byte_once_and_count_every_line(data: bytes, size: int) -> None:
    found = list(lines.blocks(io.BytesIO(data), "here", size))
    whole = b"".join(block.data for block in found)
    expected = data.removeprefix(b"\xef\xbb\xbf")
    assert whole == (expected if expected.endswith(b"\n") or not expected else expected + b"\n")
    line_ = 1
    for block in found:
        assert block.first_line == line_
        assert block.data.count(b"\n") == block.lines
        line_ += block.lines


# -- bytes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["gb18030", "cp932", "big5"])
def test_other_encodings_are_read_in_blocks(desk: Desk, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setattr(lines.blocks, "__defaults__", (4096,))
    columns = [
        {**c, "codes": None, "map": {"年金": "pension", "医": "medical"}} if c["name"] == "Scheme" else c
        for c in COLUMNS
    ]
    columns = [{k: v for k, v in c.items() if v is not None} for c in columns]
    desk.contract(columns=columns, format={"encoding": encoding})
    reading = desk.read(text_of([line(p, "年金") for p in range(300)]).encode(encoding))
    assert account(reading) == (301, 300, 0, 0, 1)
    assert desk.records(reading)["item"].unique().to_list() == ["pension"]


def test_bytes_that_the_encoding_cannot_have_reject_the_cell_that_holds_them(desk: Desk) -> None:
    data = text_of([line(1), line(2), line(3)]).encode().replace(b"pension", b"pen\xffsion", 1)
    reading = desk.read(data)
    assert desk.rules(reading) == [(2, "Scheme", "replaced_byte")]
    assert account(reading) == (4, 2, 1, 0, 1)


def test_gzip_and_zip_are_unpacked_on_the_way(desk: Desk) -> None:
    data = text_of([line(p) for p in range(50)]).encode()
    assert account(desk.read(gzip.compress(data), name="a.csv.gz")) == (51, 50, 0, 0, 1)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.csv", data)
    assert account(desk.read(packed.getvalue(), name="b.zip")) == (51, 50, 0, 0, 1)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\n\n \n", "no header"),
        (b"Region,ID\nVA1,1\n", "does not hold"),
        (gzip.compress(bytes(range(256)) * 9, mtime=0)[:200], "damaged"),
        (b"PK\x03\x04 no zip", "zip"),
        (b"x" * (20 << 20), "longer than"),
        (b"x" * (2 << 20), "cannot be split"),
        (text_of([]).encode() + b"\n" * 30_000, "do not have 9 cells"),
        (text_of([line(1)] * 20_000).replace(",", ";").replace(";", ",", 8).encode(), "do not have 9 cells"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_file_that_is_no_register_is_unreadable_and_says_why(desk: Desk, data: bytes, said: str) -> None:
    reading = desk.read(data)
    assert reading.status == "unreadable"
    assert said in reading.problem
    assert desk.rules(reading) == [(None, "", "unreadable")]
    assert desk.file(reading, "accepted.parquet").is_empty()
    assert not (desk.warehouse.folder / reading.folder / "records").exists()


def test_what_unpacks_to_a_thousand_times_its_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"\n" * 60_000_000))
    with (
        lines.opened(path, RecordFormat(), "bomb.gz") as (stream, _),
        pytest.raises(UnreadableFileError, match="refused"),
    ):
        while stream.read(1 << 20):
            pass


def test_bytes_changed_in_the_vault_are_a_fault_and_leave_nothing(desk: Desk) -> None:
    desk.land([line(1)])
    session = desk.session
    arrivals = intake.receive(session.jurisdiction, session.warehouse, session.ledger)
    kept = session.warehouse.vault_path(arrivals.new[0].sha256)
    kept.chmod(0o600)
    kept.write_text(text_of([line(1), line(2)]))
    with pytest.raises(FaultError, match="not those received"):
        desk.session.take_in(receive=False)
    assert not [p for p in session.warehouse.readings.rglob("*") if p.is_file()]


# -- totals -----------------------------------------------------------------------------------------------------


def test_persons_are_counted_once_however_many_records_they_have(desk: Desk) -> None:
    rows = [line(1), line(1, "medical"), line(2), line(3, Sex="F"), line(3, "medical", Sex="F"), line(4, Region="VA2")]
    reading = desk.read(rows)
    payers = desk.figures(reading, "payers")
    assert payers["VA1", "all", "all"] == 3
    assert payers["VA1", "pension", "all"] == 3
    assert payers["VA1", "medical", "all"] == 2
    assert payers["VA1", "medical", "female"] == 1
    assert payers["VA1", "all", "male"] == 2
    assert ("VA2", "medical", "all") not in payers  # nobody is not zero
    paid = desk.figures(reading, "paid")
    assert paid["VA1", "all", "all"] == Decimal("52.50")
    assert paid["VA1", "medical", "all"] == Decimal("21.00")


def test_a_person_in_two_regions_is_one_person_in_the_region_above(desk: Desk) -> None:
    levels = [level["name"] for level in yaml.safe_load(country.JURISDICTION)["levels"]]
    own = {"measure": "payers", "count": "persons", "levels": levels}
    desk.contract(observations=[own])
    reading = desk.read([line(1), line(1, "medical", Region="VA2"), line(2, Region="VA2")])
    payers = desk.figures(reading, "payers")
    assert (payers["VA1", "all", "all"], payers["VA2", "all", "all"]) == (1, 2)
    assert payers["VA", "all", "all"] == 2


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from("xy"), st.integers(0, 3)), max_size=60), st.integers(1, 20)
)
def test_counts_equal_those_of_sets_whatever_the_share(rows: list[tuple[int, str, int]], share: int) -> None:
    import tempfile

    from pipelines.jurisdiction.person_contract import Records

    records = Records.model_validate(
        {
            "period": {"from": "folder"},
            "columns": [
                {"name": "r", "as": "region_code", "type": "region"},
                {"name": "p", "as": "person"},
                {"name": "i", "as": "item", "type": "code", "codes": ["x", "y"]},
            ],
            "observations": [{"measure": "m", "count": "persons", "by": ["item"]}],
        }
    )
    frame = pl.DataFrame(
        {
            "region_code": [str(r) for _, _, r in rows],
            "person": [str(p) for p, _, _ in rows],
            "item": [i for _, i, _ in rows],
        },
        schema=dict.fromkeys(("region_code", "person", "item"), pl.String),
    )
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(totals, "_AT_A_TIME", share)
        path = Path(folder) / "r.parquet"
        frame.write_parquet(path)
        groups = totals._Groups(path, records)
        counted = {
            (cell["region_code"], cell["item"]): int(value)
            for cell, value in totals._counted(groups, records.observations[0], records, {})
        }
    expected: dict[tuple[str, str], set[int]] = {}
    for person, item, region in rows:
        for kept in (item, "all"):
            expected.setdefault((str(region), kept), set()).add(person)
    assert counted == {key: len(people) for key, people in expected.items()}


def test_two_persons_whose_first_hash_is_the_same_stay_two() -> None:
    import numpy as np

    one = np.array([5, 5, 5, 9], dtype=np.uint64)
    two = np.array([1, 2, 1, 1], dtype=np.uint64)
    persons, count = totals._numbered(one, two)
    assert count == 3
    assert persons[0] == persons[2] != persons[1]


# -- rejects that are agreed on ---------------------------------------------------------------------------------


def test_rejects_within_the_tolerated_share_are_known(desk: Desk) -> None:
    desk.contract(tolerated_rejects=0.02)
    rows = [line(p) for p in range(99)] + [line(100, Amount="x")]
    reading = desk.read(rows)
    assert (reading.rejects, reading.known_rejects) == (1, 1)
    assert "1.000%" not in desk.file(reading, "rejects.parquet")["known_reason"][0]
    rows[3] = line(3, Amount="x")
    rows[4] = line(4, Amount="x")
    reading = desk.read(rows)
    assert (reading.rejects, reading.known_rejects) == (3, 0)


def test_a_file_with_too_few_lines_says_so(desk: Desk) -> None:
    path = desk.contract()
    whole = yaml.safe_load(path.read_text())
    whole["quality"] = {"rows": {"min": 10}}
    path.write_text(yaml.safe_dump(whole))
    reading = desk.read([line(1)])
    assert desk.rules(reading) == [(None, "", "row_count")]


# -- the key ----------------------------------------------------------------------------------------------------


def test_without_a_key_files_wait_and_nothing_of_them_is_taken_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUNHENG_PERSON_KEY_FILE")
    desk.land([line(1)])
    taken = desk.session.take_in()
    assert (taken.receipts, taken.readings) == ([], [])
    assert taken.held_back == ["desk/register/2020-12/register.csv"]
    assert "no key for ID numbers" in desk.said[-1]
    kept = [path.read_bytes() for path in desk.warehouse.vault.rglob("*") if path.is_file()]  # contracts, tables
    assert not any(number(1).encode() in data for data in kept)
    with pytest.raises(ConfigurationError, match="no key for ID numbers") as refused:
        desk.session.take_in(extract=EXTRACT)
    assert refused.value.exit_code == 2


def test_what_was_read_stays_when_the_key_is_gone_and_another_key_reads_anew(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = desk.read([line(1)])
    monkeypatch.delenv("JUNHENG_PERSON_KEY_FILE")
    assert desk.session.take_in().readings == [first]
    other = tmp_path / "other"
    other.write_bytes(b"another key, which is long enough to be one")
    monkeypatch.setenv("JUNHENG_PERSON_KEY_FILE", str(other))
    second = desk.session.take_in().readings[0]
    assert second.reading_id != first.reading_id
    assert second.key_id != first.key_id
    assert desk.records(first)["person"][0] != desk.records(second)["person"][0]


def test_a_key_that_is_no_good_is_refused_before_anything_is_taken_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desk.land([line(1)])
    short = tmp_path / "short"
    short.write_bytes(b"x" * 31)
    inside = desk.folder / "warehouse" / "key"
    inside.parent.mkdir(exist_ok=True)
    for path, said in ((short, "31 bytes"), (tmp_path / "absent", "cannot be read"), (inside, "below")):
        if path is inside:
            inside = desk.warehouse.folder / "key"
            inside.parent.mkdir(parents=True, exist_ok=True)
            inside.write_bytes(b"x" * 32)
            path = inside
        monkeypatch.setenv("JUNHENG_PERSON_KEY_FILE", str(path))
        with pytest.raises(ConfigurationError, match=said):
            desk.session.take_in()
        assert not list(desk.warehouse.receipts.glob("*")) if desk.warehouse.receipts.exists() else True


def test_a_dry_run_needs_no_key_and_writes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUNHENG_PERSON_KEY_FILE")
    jurisdiction = load(desk.country.folder)
    receipt = _receipt()
    data = text_of([line(1), line(2, Amount="x")]).encode()
    taken = take(
        data, receipt, jurisdiction.contracts[EXTRACT], jurisdiction, intake.RegionIndex(jurisdiction.regions), "dry"
    )
    assert taken.rejects["rule"].to_list() == ["not_a_number"]
    assert taken.tie_out[0].rows_accepted == 1
    assert taken.accepted.height == 6
    assert not desk.warehouse.folder.exists()


def _receipt() -> Any:
    from pipelines.records import Receipt

    return Receipt("r1", "desk", "register", "2020-12", "f.csv", "desk/register/2020-12/f.csv", "0" * 64, 1, "t", 1)


def test_bytes_and_records_are_for_their_owner_only(desk: Desk) -> None:
    reading = desk.read([line(1)])
    receipt = intake.all_receipts(desk.warehouse)[0]
    kept = desk.warehouse.vault_path(receipt.sha256)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o400
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    folder = desk.warehouse.folder / reading.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 or path.name == "reading.json", path


# -- contracts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"columns": [c for c in COLUMNS if c["name"] != "Region"]}, "exactly one required column of `type: region`"),
        ({"key": ["nobody"]}, "no required column"),
        ({"columns": [{**COLUMNS[2], "as": "name"}, *COLUMNS[:2], *COLUMNS[3:]]}, "a dropped column has no `as`"),
        ({"columns": [*COLUMNS, COLUMNS[4]]}, "stands twice"),
        ({"format": {"encoding": "utf-16"}}, "read in blocks"),
        ({"observations": [{"measure": "paid", "sum": "months"}]}, "with a `unit`"),
        ({"observations": [{"measure": "payers", "count": "persons", "sum": "amount"}]}, "either `count`"),
        ({"observations": [{"measure": "nothing", "count": "rows"}]}, "not in reference/measures.csv"),
        ({"observations": [{"measure": "payers", "sum": "amount"}]}, "is summed in crowns"),
        ({"observations": [{"measure": "payers", "count": "rows", "levels": ["moon"]}]}, "not in jurisdiction.yml"),
        ({"ignore_rows": [{"reason": "r", "column": "Name", "pattern": "x"}]}, "dropped column"),
    ],
)
def test_a_contract_that_cannot_be_is_refused_with_its_line(desk: Desk, changes: dict[str, Any], said: str) -> None:
    path = desk.contract(**changes)
    with pytest.raises(ConfigurationError) as refused:
        load(desk.country.folder)
    text = f"{refused.value.message} {refused.value.where}"
    assert said in text
    assert "line " in text
    assert path.name in text


def test_a_contract_has_layouts_or_records_never_both(desk: Desk) -> None:
    path = desk.contract()
    whole = yaml.safe_load(path.read_text())
    del whole["records"]
    path.write_text(yaml.safe_dump(whole))
    with pytest.raises(ConfigurationError, match="either `layouts`"):
        load(desk.country.folder)


def test_the_profile_serves_drift_like_any_other(desk: Desk) -> None:
    reading = desk.read([line(1)])
    stored = json.loads((desk.warehouse.folder / reading.folder / "reading.json").read_text())
    assert stored["profile"]["headers"] == HEADER
    assert stored["profile"]["data_rows"] == 1


# -- the sample -------------------------------------------------------------------------------------------------

ZHEJIANG = Path(__file__).resolve().parent.parent / "raw" / "zhejiang"


def test_the_sample_is_made_again_byte_for_byte_and_nobody_in_it_can_be_real() -> None:
    script = ZHEJIANG / "synthetic" / "contributions.py"
    result = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    regions = {row["region_code"] for row in load(ZHEJIANG).regions.iter_rows(named=True)}
    for path in sorted((ZHEJIANG / "landing/social_insurance/contributions").rglob("*.csv")):
        with path.open(encoding="gb18030", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 400
        for row in rows:
            # No province's code begins with 9 followed by 9, so no ID number can.
            assert row["证件号码"].startswith("99")
            assert row["证件号码"][:6] not in regions
            assert row["姓名"].startswith("示例")
            assert row["备注"] == "示例数据"


def test_the_sample_is_read_by_its_contract(desk: Desk, tmp_path: Path) -> None:
    import shutil

    home = tmp_path / "zhejiang"
    shutil.copytree(ZHEJIANG, home, ignore=lambda folder, names: [n for n in names if n == "__pycache__"])
    session = Session(Settings(home, tmp_path / "warehouse"))
    taken = session.take_in(extract="social_insurance/contributions")
    assert [account(reading) for reading in taken.readings] == [(401, 400, 0, 0, 1), (401, 398, 2, 0, 1)]
    assert [(r.rejects, r.known_rejects) for r in taken.readings] == [(0, 0), (2, 2)]
    totals_ = pl.read_parquet(session.warehouse.folder / taken.readings[0].folder / "accepted.parquet")
    province = totals_.filter(pl.col("region_code") == "330000", pl.col("item") == "all", pl.col("sex") == "all")
    assert province["value"].to_list() == [Decimal(80)]
    assert set(totals_["provenance"]) == {"synthetic"}
