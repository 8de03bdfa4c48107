"""Compare the figures of the first edition's tables with those of the second, exactly, and say of every difference why.

    python bench/compare_editions.py OLD.duckdb NEW.duckdb

Both are published databases (`public.duckdb` of a release) of the same files, the old one made by the last code of
the first edition. How tables and keys correspond and which differences are meant stands in `editions.yml`. The exit
code is 0 where every figure of both editions is the same or explained, 1 where one is not. Nothing is written.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml

RULES = Path(__file__).with_name("editions.yml")
SHOWN = 5


@dataclass(frozen=True)
class Rule:
    """How one old table is found in the new edition."""

    table: str
    keys: dict[str, str]
    choices: tuple[str, ...]
    values: dict[str, str]
    old: str
    new: str
    extra: str
    explained: tuple[dict[str, str], ...]
    dropped: tuple[dict[str, str], ...]


def rules() -> list[Rule]:
    """The rules of `editions.yml`."""
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["tables"]
    found = []
    for table, rule in loaded.items():
        values: dict[str, str] = {}
        for value in rule["values"]:
            values.update(value if isinstance(value, dict) else {value: f'm."{value}"'})
        found.append(
            Rule(
                table, rule["keys"], tuple(rule["choices"]), values,
                rule.get("old", f"from old.{table}"), rule.get("new", ""), rule.get("extra", "true"),
                tuple(rule.get("explained", ())), tuple(rule.get("dropped", ())),
            )
        )  # fmt: skip
    return found


def tables(connection: duckdb.DuckDBPyConnection, catalog: str) -> set[str]:
    """The names of a database's tables."""
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = ? and not internal", [catalog]
    ).fetchall()
    return {str(name) for (name,) in rows}


def rows_of(connection: duckdb.DuckDBPyConnection, rule: Rule) -> str:
    """The new rows of a table with `variant`, as SQL: those of the mart are the main variant."""
    if rule.new:
        return rule.new
    main = f"select 'main' as variant, * from new.{rule.table}"
    sibling = f"{rule.table}_variants"
    if sibling not in tables(connection, "new"):
        return main
    return f"{main} union all by name select * from new.{sibling}"


def compare(connection: duckdb.DuckDBPyConnection, rule: Rule) -> bool:
    """Compare one table and print what was found; True when every difference is explained."""
    connection.execute(f"create or replace temp table o as select *, row_number() over () as old_row from ({rule.old})")
    new_rows = rows_of(connection, rule)
    connection.execute(f"create or replace temp table m as select *, row_number() over () as new_row from ({new_rows})")
    columns = {name for (name,) in connection.execute("select column_name from (describe m)").fetchall()}
    part = "join new.dim_breakdown as b on b.breakdown = m.breakdown" if "breakdown" in columns else ""
    same_key = " and ".join(f'o."{column}" = {sql}' for column, sql in rule.keys.items())
    described = "join new.dim_variant as v on v.variant = m.variant"
    connection.execute(
        f"create or replace temp table pairs as select m.new_row, o.old_row from m {described} {part} "
        f"join o on {same_key} and {rule.extra}"
    )
    new, old = (_count(connection, f"select count(*) from {name}") for name in ("m", "o"))
    paired = _count(connection, "select count(distinct new_row) from pairs")
    twice = _count(connection, "select count(*) - count(distinct old_row) from pairs")
    print(f"{rule.table}: {old:,} old rows, {new:,} new rows, {paired:,} of them in both editions")
    is_fine = _rows_apart(connection, rule)
    for column, sql in rule.values.items():
        is_fine &= _column(connection, rule, column, sql)
    if twice:
        print(f"   {twice:,} old rows are in several variants: readings that come to the same")
    return is_fine


def _count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    [(number,)] = connection.execute(sql).fetchall()
    return int(number)


def _rows_apart(connection: duckdb.DuckDBPyConnection, rule: Rule) -> bool:
    """Rows of one edition alone; False where an old row of declared choices has no new one."""
    added = _count(connection, "select count(*) from m where new_row not in (select new_row from pairs)")
    if added:
        print(f"   {added:,} rows are new: regions, years or readings that the first edition did not compute")
    chosen = ", ".join(choice if "o." in choice else f'o."{choice}"' for choice in rule.choices)
    connection.execute(
        f"create or replace temp table choices as select old_row, row({chosen}) as choice, "
        "old_row in (select old_row from pairs) as is_paired from o"
    )
    reasons = " ".join(f"when {dropped['where']} then '{dropped['reason']}'" for dropped in rule.dropped)
    connection.execute(
        "create or replace temp table apart as select old_row, case "
        "when choice not in (select choice from choices where is_paired) "
        f"then 'readings that no variant declares; they are not computed any more' {reasons} end as why "
        "from choices join o using (old_row) where not is_paired"
    )
    for why, number in connection.execute("select why, count(*) from apart group by 1 order by 1").fetchall():
        print(f"   {number:,} old rows have no new one: {why or 'NOT EXPLAINED'}")
    lost = _count(connection, "select count(*) from apart where why is null")
    if lost:
        key = ", ".join(f'o."{column}"' for column in rule.keys)
        sample = f"select {key} from o join apart using (old_row) where why is null order by all limit {SHOWN}"
        for row in connection.execute(sample).fetchall():
            print(f"      {row}")
    return not lost


def _column(connection: duckdb.DuckDBPyConnection, rule: Rule, column: str, sql: str) -> bool:
    """One column of the rows in both editions; False where it differs for no reason given."""
    joined = "pairs join m using (new_row) join o using (old_row)"
    differs = f'o."{column}" is distinct from ({sql})'
    conditions = " ".join(f"when {reason['where']} then '{reason['reason']}'" for reason in rule.explained)
    why = f"case {conditions} end" if conditions else "null"
    counted = connection.execute(
        f"select {why} as why, count(*) from {joined} where {differs} group by 1 order by 1"
    ).fetchall()
    for reason, number in counted:
        print(f"   {column}: {number:,} differ: {reason or 'NOT EXPLAINED'}")
    unexplained = [number for reason, number in counted if reason is None]
    if unexplained:
        key = ", ".join(f'o."{name}"' for name in rule.keys)
        sample = connection.execute(
            f'select {key}, o."{column}", {sql} from {joined} where {differs} and ({why}) is null '
            f"order by all limit {SHOWN}"
        ).fetchall()
        for row in sample:
            print(f"      {row}")
    return not unexplained


def main(old: str, new: str) -> int:
    """Compare two databases; the exit code."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{old}' as old (read_only)")
        connection.execute(f"attach '{new}' as new (read_only)")
        there = tables(connection, "old") & tables(connection, "new")
        results = [compare(connection, rule) for rule in rules() if rule.table in there]
    print("every figure of both editions is the same, or its difference is meant" if all(results) else "NOT the same")
    return 0 if all(results) else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(__doc__)
        sys.exit(2)
    sys.exit(main(sys.argv[1], sys.argv[2]))
