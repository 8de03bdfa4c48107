"""What was published on a day can be asked of any later release: exactly, through every change of mind."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import evidence_kit
import hand_made
import polars as pl
import pytest
from evidence_kit import Shelf

from pipelines import release
from pipelines.protection import MASK_SCHEMA
from pipelines.publish import Column, EarlierVersion, Table
from pipelines.release import changes, macros, packing

TABLES = ("mart_rate", "dim_place")
PLACES = ("P1", "P;2", "P%3B=3", "P'4\\")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence_kit.be_quick(monkeypatch)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return evidence_kit.make_shelf(tmp_path, is_signed=False)


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def rate(
    place: str = "P1", year: int = 2020, numerator: str | None = "1", value: float | None = 0.1
) -> tuple[Any, ...]:
    status = "O" if numerator is None else "A"
    return (place, year, numerator, "3", value, value != 0.5, status, "F", "synthetic")


def ask(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path / "public.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def content(path: Path, table: str, moment: str | None = None) -> list[tuple[Any, ...]]:
    source = f"{table}_as_of(timestamp '{moment}')" if moment else table
    return ask(path, f"from {source} order by all")


def some_rates(dice: random.Random) -> list[tuple[Any, ...]]:
    """Rates of some places and years, with values that texts lose easily."""
    values = (0.1, 100 / 3, 1e-17, 0.5, None, 97.4)
    numbers = (None, "1", "0.000000001", "123456789012345678.9")
    keys = [(place, year) for place in PLACES for year in (2019, 2020) if dice.random() < 0.7]
    return [rate(place, year, dice.choice(numbers), dice.choice(values)) for place, year in keys]


@pytest.mark.parametrize("seed", range(8))
def test_each_day_gives_what_was_current_then_exactly(shelf: Shelf, seed: int) -> None:
    dice = random.Random(seed)
    days: list[tuple[str, str | None]] = [(now(), None)]
    withdrawn: set[str] = set()
    published: list[str] = []
    for number in range(9):
        current = shelf.warehouse.current_release_id()
        act = dice.choice(("publish", "publish", "rollback", "withdraw")) if number not in (0, 8) else "publish"
        if act == "publish":
            published.append(shelf.publish(f"b{number}", some_rates(dice)).release_id)
        elif act == "rollback" and (fit := [r for r in published if r not in withdrawn]):
            release.rollback(shelf.warehouse, shelf.ledger, dice.choice(fit))
        elif act == "withdraw" and current:
            severity = dice.choice(("critical", "major"))
            release.withdraw(shelf.warehouse, shelf.ledger, current, "wrong", severity, "A. Person")
            withdrawn.add(current)
        days.append((now(), shelf.warehouse.current_release_id()))
    newest = shelf.warehouse.release_folder(published[-1])
    severities = {r: s.get("severity") for r, s in release.states(shelf.warehouse).items()}
    for day, release_id in days:
        for table in TABLES:
            if release_id is None:
                assert content(newest, table, day) == []
            elif severities[release_id] == "critical":
                with pytest.raises(duckdb.Error, match=release_id):
                    content(newest, table, day)
            else:
                then = content(shelf.warehouse.release_folder(release_id), table)
                assert content(newest, table, day) == then, (seed, day, release_id)


def test_what_belongs_to_one_release_is_neither_a_change_nor_carried_on(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the hash of a figure's inputs: another one beside the same number revises nothing, and fills no history."""
    monkeypatch.setattr(changes, "OF_ONE_RELEASE", frozenset({"numerator"}))
    shelf.publish("b1", [rate(numerator="1"), rate("P;2", numerator="1", value=0.1)])
    first = now()
    second = Path(shelf.publish("b2", [rate(numerator="2"), rate("P;2", numerator="2", value=0.2)]).folder)
    assert ask(second, "select row_key, column_name from publication_history") == [
        ("place_code=P%3B2;year=2020", "rate_pct")
    ]
    asked = "select place_code, numerator, rate_pct from mart_rate_as_of(timestamp '{}') order by all"
    assert ask(second, asked.format(first)) == [("P1", None, 0.1), ("P;2", None, 0.1)]
    assert ask(second, asked.format(now())) == [("P1", 2, 0.1), ("P;2", 2, 0.2)]


def test_a_changed_figure_says_from_which_release_to_which_and_why(shelf: Shelf) -> None:
    shelf.publish("b1", [rate(value=0.1), rate("P;2", numerator=None, value=None)])
    shelf.receive("r2", b"other bytes")
    second = shelf.publish("b2", [rate(value=0.2), rate("P;2", numerator=None, value=None), rate(year=2021)])
    rows = ask(
        Path(second.folder),
        "select row_key, column_name, change_kind, value_before, value_after, release_before, release_after, "
        "cause, provenance from publication_history order by row_key",
    )
    names = (second.release_id.split(".")[0] + ".1", second.release_id)
    cause = rows[0][7]
    assert rows == [
        ("place_code=P1;year=2020", "rate_pct", "revised", "0.1", "0.2", *names, cause, "synthetic"),
        ("place_code=P1;year=2021", "*", "added", None, None, *names, cause, "synthetic"),
    ]
    assert "receipt r2" in cause


def test_the_first_release_has_no_history_and_knows_itself(shelf: Shelf) -> None:
    before = now()
    first = shelf.publish("b1", [rate()])
    folder = Path(first.folder)
    assert ask(folder, "select count(*) from publication_history") == [(0,)]
    assert ask(folder, "select step, release_id, cause, is_kept from publication") == [
        (1, first.release_id, "sealed", True)
    ]
    assert content(folder, "mart_rate", before) == []
    assert content(folder, "mart_rate", "2099-01-01") == content(folder, "mart_rate")


def test_what_was_withdrawn_as_critical_is_not_told_again(shelf: Shelf) -> None:
    shelf.publish("b1", [rate(value=0.1)])
    bad = shelf.publish("b2", [rate(value=0.2)])
    assert ask(Path(bad.folder), "select value_after from publication_history") == [("0.2",)]
    shelf.publish("b3", [rate(value=0.3)])
    release.withdraw(shelf.warehouse, shelf.ledger, bad.release_id, "a person was named", "critical", "A. Person")
    last = shelf.publish("b4", [rate(value=0.4)])
    rows = ask(Path(last.folder), "select value_before, value_after from publication_history order by step")
    assert rows == [("0.1", "0.3"), ("0.3", "0.4")]
    notes = ask(Path(last.folder), f"select is_kept, note from publication where release_id = '{bad.release_id}'")
    assert notes == [(False, "withdrawn: a person was named")]


def test_what_is_hidden_now_was_never_told(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    # values that no date and no number of a release can contain
    shelf.publish("b1", [rate(value=0.73519)])
    day = now()
    shelf.publish("b2", [rate(value=0.82637)])
    key = json.dumps({"place_code": "P1", "year": "2020"})

    def hide(build: Any, *_: Any) -> None:
        cells = [("mart_rate", key, "rate_pct", "C", "small")]
        pl.DataFrame(cells, schema=MASK_SCHEMA, orient="row").write_parquet(build.mask)

    monkeypatch.setattr(hand_made.protection, "make_mask", hide)
    third = Path(shelf.publish("b3", [rate(value=0.82637)]).folder)
    text = str(ask(third, "from publication_history"))
    assert "0.73519" not in text
    assert "0.82637" not in text
    assert "withheld" in text
    ((value, status),) = ask(third, f"select rate_pct, obs_status from mart_rate_as_of(timestamp '{day}')")
    assert (value, status) == (None, "Q")


def test_a_release_without_history_behind_it_begins_one(shelf: Shelf) -> None:
    first = shelf.publish("b1", [rate(value=0.1)])
    early = now()
    second = shelf.publish("b2", [rate(value=0.2)])
    day = now()
    path = Path(second.folder) / "public.duckdb"
    path.parent.chmod(0o755)
    path.chmod(0o644)
    with duckdb.connect(str(path)) as connection:  # as if an earlier Junheng had made it
        connection.execute("drop table publication; drop view publication_history; drop table publication_change")
    third = Path(shelf.publish("b3", [rate(value=0.3)]).folder)
    assert content(third, "mart_rate", day)[0][4] == 0.2
    with pytest.raises(duckdb.Error, match=f"{first.release_id}.*before the history begins"):
        content(third, "mart_rate", early)
    fourth = Path(shelf.publish("b4", [rate(value=0.4)]).folder)
    assert [content(fourth, "mart_rate", d)[0][4] for d in (day, "2099-01-01")] == [0.2, 0.4]


def test_new_columns_other_types_and_other_keys_are_known(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def publish(build_id: str, **changed: Any) -> Path:
        models = {
            **hand_made.MODELS,
            "mart_more": {"key": ["a"], "columns": {"a": "BIGINT", "b": "BIGINT"}, **changed},
        }
        monkeypatch.setattr(hand_made, "MODELS", models)
        monkeypatch.setattr(hand_made, "manifest", lambda tests=None: original(models, tests))
        monkeypatch.setattr(
            hand_made, "make_database", lambda path, rates=None: make(path, models["mart_more"]["columns"])
        )
        return Path(shelf.publish(build_id).folder)

    def make(path: Path, columns: dict[str, str]) -> None:
        path.unlink(missing_ok=True)
        hand_made._make_database(path, hand_made.RATES, hand_made.MODELS)
        with duckdb.connect(str(path)) as connection:
            cells = [f"cast({n} as {kind})" for n, kind in enumerate(columns.values(), start=1)]
            connection.execute(f"insert into mart_more values ({', '.join(cells)})")

    original = hand_made.manifest
    shelf.publish("b1")
    days = [now()]
    publish("b2")
    days.append(now())
    wider = publish("b3", columns={"a": "BIGINT", "b": "BIGINT", "c": "BIGINT"})
    assert [content(wider, "mart_more", day) for day in (*days, now())] == [[], [(1, 2, None)], [(1, 2, 3)]]
    days.append(now())
    other = publish("b4", key=["b"], columns={"a": "BIGINT", "b": "BIGINT", "c": "BIGINT"}, version="2")
    with pytest.raises(duckdb.Error, match="another key"):
        content(other, "mart_more", days[2])
    assert content(other, "mart_more", now()) == [(1, 2, 3)]
    assert ask(other, "select view_name from duckdb_views() where view_name like 'mart_more%'") == [("mart_more_v2",)]


def test_views_by_version_and_macros_are_there_with_their_words(shelf: Shelf) -> None:
    folder = Path(shelf.publish("b1").folder)
    views = ask(folder, "select view_name, comment from duckdb_views() where not internal order by 1")
    assert views == [
        ("dim_place_v1", "dim_place的说明 / About dim_place"),
        ("mart_rate_v1", "mart_rate的说明 / About mart_rate"),
        (
            "publication_history",
            "发布历史：已公布而后改变的数字 / Every published figure that changed, from and to which release, and why",
        ),
    ]
    assert content(folder, "mart_rate_v1") == content(folder, "mart_rate")
    said = dict(ask(folder, "select function_name, comment from duckdb_functions() where function_name like '%_as_of'"))
    assert said.keys() == {"dim_place_as_of", "mart_rate_as_of"}
    assert all(" / " in comment for comment in said.values())
    with duckdb.connect() as connection:  # under any name: the views at once, the macros after USE
        connection.execute(f"attach '{folder / 'public.duckdb'}' as other (read_only)")
        assert connection.execute("select count(*) from other.mart_rate_v1").fetchall() == [(3,)]
        connection.execute("use other")
        assert connection.execute("select count(*) from mart_rate_as_of(timestamp '2099-01-01')").fetchall() == [(3,)]


def test_an_earlier_version_of_a_table_is_kept_while_its_sql_runs(tmp_path: Path) -> None:
    from pipelines.errors import FaultError

    def write(sql: str) -> list[tuple[Any, ...]]:
        column = Column("a", "BIGINT", "甲", "A", "", False)
        earlier = (EarlierVersion("1", "2027-12-31", sql),)
        table = Table("t", "表", "T", ("a",), ("a",), (column,), "dbt", "2.1", earlier)
        with duckdb.connect() as connection:
            connection.execute("attach ':memory:' as public; create table public.t as select 1 as a")
            connection.execute(
                "create table public.publication as select 1 as step, 'x' as release_id, "
                "timestamp '2026-01-01' as published_at, true as is_kept, '' as note;"
                "create table public.publication_change (step bigint, table_name varchar, column_name varchar, "
                "change_kind varchar, cause varchar, provenance varchar, row_keys varchar, values_before varchar)"
            )
            macros.write(connection, [table])
            return connection.execute("select b, (select comment from duckdb_views() where view_name = 't_v1') "
                                      "from public.t_v1").fetchall()  # fmt: skip

    ((value, comment),) = write("select a, a as b from t")
    assert value == 1
    assert "2027-12-31" in comment
    with pytest.raises(FaultError, match="version 1 of t cannot be made"):
        write("select gone from t")


def test_keys_are_read_back_as_they_were_written() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t as select ? as k_a, ? as k_bb", ["x;y%3B=%25", "=;"])
        key = packing.row_key(("a", "bb"), "k_")
        cells = ", ".join(packing.key_cell(("a", "bb"), n) for n in range(2))
        assert connection.execute(f"select {cells} from (select {key} as row_key from t)").fetchall() == [
            ("x;y%3B=%25", "=;")
        ]
