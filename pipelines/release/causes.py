"""Why figures differ between two releases: what came, what was agreed otherwise, and which rows that reaches.

Two manifests say what the releases were made of. A changed figure is led back to the deliveries whose observations
it rests on, by region, year and measure, and to the rules that its table is built from, by lineage. What changed
in the tables themselves is `changes`' business.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import polars as pl

from pipelines.jurisdiction.reference import TABLES
from pipelines.publish import Table
from pipelines.rules import Rules, kind_of

# Relations of schema `source` that a rule file makes, beside the one that bears its name in TABLES.
_ALSO_MAKES = {
    "indicators.csv": ("indicator_term",),
    "domains.csv": ("indicator_term",),
    "services.csv": ("indicator",),
    "measures.csv": ("indicator_term",),
    "regions.csv": ("observation",),
}
_MAKES = {
    "jurisdiction": ("setting", "spending_source", "region", "observation"),
    "contract": ("observation", "extract"),
    "correction": ("observation",),
}
# What must be the same for an observation not to have moved.
_MOVES = ("value", "obs_status", "is_latest", "is_chosen")


def rules_in(manifest: dict[str, Any]) -> Rules:
    """The rules that a release was made by; none for one that was sealed before they were listed."""
    listed = (manifest.get("inputs") or {}).get("rules") or {}
    return Rules(listed.get("snapshot_sha256", ""), listed.get("files", {}))


def relations_of(name: str) -> frozenset[str]:
    """The relations of schema `source` that a rule file makes; none for rules that make no figure."""
    kind = kind_of(name)
    if kind != "reference":
        return frozenset(_MAKES.get(kind, ()))
    file = name.rsplit("/", 1)[-1]
    own = [table.relation for table in TABLES if table.file == file]
    return frozenset([*own, *_ALSO_MAKES.get(file, ())])


class Causes:
    """What differs in what two releases were made of, each thing under a short label."""

    def __init__(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        self.labels: dict[str, dict[str, Any]] = {}
        self._of_receipt: dict[str, list[str]] = {}
        self._of_extract: dict[str, list[str]] = {}
        self._rules: dict[str, frozenset[str]] = {}
        self._has_other_code = before.get("code_version") != after.get("code_version")
        self._compare_receipts(before, after)
        self._compare_held(before, after)
        self._compare_rules(before, after)
        self._sources = {name: set(t["sources"]) for name, t in after.get("tables", {}).items() if t.get("sources")}

    @property
    def receipts(self) -> list[str]:
        """The labels of all deliveries that came, went, or were replaced."""
        return [label for label, cause in self.labels.items() if cause["kind"] == "receipt"]

    def of_table(self, table: str) -> list[str]:
        """The labels of rules that a table is built from, by its lineage; all of them where that is not known.

        Code and libraries make no relation of their own: they stand behind every table.
        """
        sources = self._sources.get(table)
        return [label for label, made in self._rules.items() if sources is None or made & sources or not made]

    def reaches(self, table: str) -> bool:
        """Whether a table is built from observations at all."""
        return table not in self._sources or "observation" in self._sources[table]

    def as_list(self) -> list[dict[str, Any]]:
        """All causes, for people and programs."""
        return [{"cause": label, **said} for label, said in self.labels.items()]

    def _compare_receipts(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        old, new = _receipts(before), _receipts(after)
        for receipt_id in sorted(old.keys() ^ new.keys(), key=lambda r: (new.get(r) or old[r])["sequence"]):
            receipt = new.get(receipt_id) or old[receipt_id]
            label = f"receipt {receipt_id}"
            change = "withdrawn" if receipt.get("is_withdrawal") else "new" if receipt_id in new else "gone"
            self.labels[label] = _receipt_cause(receipt, "held" if receipt.get("is_held") else change)
            self._of_receipt.setdefault(receipt_id, []).append(label)
            # A delivery that it replaced at the same place, or took back, moved because of it.
            for other_id, other in (old | new).items():
                if other_id != receipt_id and other["landing_path"] == receipt["landing_path"]:
                    self._of_receipt.setdefault(other_id, []).append(label)

    def _compare_held(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        """Deliveries that are held now and were not, or no longer are: they move what stands in their place as well."""
        old, new = _receipts(before), _receipts(after)
        for receipt_id in old.keys() & new.keys():
            was, now = old[receipt_id], new[receipt_id]
            if bool(was.get("held_because")) != bool(now.get("held_because")):
                self._move(receipt_id, now, "held" if now.get("held_because") else "cleared")
            if was.get("in_place_of") != now.get("in_place_of"):
                for other_id, side, change in (
                    (was.get("in_place_of"), old, "cleared"),
                    (now.get("in_place_of"), new, "held"),
                ):
                    if other_id:
                        self._move(receipt_id, side[other_id], change)

    def _move(self, receipt_id: str, cause: dict[str, Any], change: str) -> None:
        """Have the observations of one receipt moved by a delivery."""
        label = f"receipt {cause['receipt_id']}"
        self.labels.setdefault(label, _receipt_cause(cause, change))
        if label not in self._of_receipt.setdefault(receipt_id, []):
            self._of_receipt[receipt_id].append(label)

    def _compare_rules(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        old, new = rules_in(before).files, rules_in(after).files
        everywhere = []
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) == new.get(name) or not (old and new):
                continue
            made, kind = relations_of(name), kind_of(name)
            change = "added" if name not in old else "removed" if name not in new else "changed"
            label = f"{kind} {name}"
            self.labels[label] = {
                "kind": kind,
                "change": change,
                "file": name,
                "before_sha256": old.get(name),
                "after_sha256": new.get(name),
            }
            if kind == "contract":
                extract = name.removeprefix("contracts/").removesuffix(".yml")
                self._of_extract.setdefault(extract, []).append(label)
            elif "observation" in made:
                everywhere.append(label)
            if made and kind != "contract":
                self._rules[label] = made
        if self._has_other_code:
            self.labels["code"] = {
                "kind": "code",
                "change": "changed",
                "before": before.get("code_version"),
                "after": after.get("code_version"),
            }
            self._rules["code"] = frozenset()
            if _readers(before) != _readers(after):
                everywhere.append("code")
        extracts = {f"{r['department']}/{r['extract']}" for r in (_receipts(before) | _receipts(after)).values()}
        for extract in extracts if everywhere else ():
            self._of_extract.setdefault(extract, []).extend(everywhere)
        libraries = [(n, (before.get("libraries") or {}).get(n), v) for n, v in (after.get("libraries") or {}).items()]
        if moved := [f"{n} {was} to {now}" for n, was, now in libraries if was and was != now]:
            self.labels["libraries"] = {"kind": "libraries", "change": "changed", "versions": moved}
            self._rules["libraries"] = frozenset()

    # -- rows --------------------------------------------------------------------------------------------------

    def lay(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Lay `cause_receipt`, `cause_row` and `cause_indicator` beside the attached databases `before`, `public`.

        `cause_row` holds, per region and year, the labels of the deliveries and rules by which an observation of
        that region or one below it moved; `cause_indicator` the same for the measures that an indicator uses.
        """
        _table(connection, "cause_receipt", ["receipt_id", "label"], self._of_receipt)
        _table(connection, "cause_extract", ["extract", "label"], self._of_extract)
        connection.execute(
            "create or replace temporary table cause_row (region_code varchar, year bigint, labels varchar[]);"
            "create or replace temporary table cause_indicator "
            "(indicator_code varchar, region_code varchar, year bigint, labels varchar[])"
        )
        needed = {"fct_observation": {"observation_id", "region_code", "year", "measure", "receipt_id", *_MOVES},
                  "dim_region": {"region_code", "parent_code"}}  # fmt: skip
        if not self.labels or any(not needed[t] <= _columns(connection, c, t) for t in needed for c in _SIDES):
            return
        differs = " or ".join(f"b.{name} is distinct from a.{name}" for name in _MOVES)
        connection.execute(
            f"""
            create or replace temporary table moved as
            select distinct d.region_code, d.year, d.measure, d.is_population, coalesce(r.label, e.label) as label
            from (
                select
                    coalesce(a.region_code, b.region_code) as region_code,
                    coalesce(a.year, b.year) as year,
                    coalesce(a.measure, b.measure) as measure,
                    coalesce(a.population_source, b.population_source) <> 'none' as is_population,
                    coalesce(a.receipt_id, b.receipt_id) as receipt_id,
                    coalesce(a.department || '/' || a.extract, b.department || '/' || b.extract) as extract
                from before.fct_observation b
                full outer join public.fct_observation a on a.observation_id = b.observation_id
                where a.observation_id is null or b.observation_id is null or {differs}
            ) d
            left join cause_receipt r on r.receipt_id = d.receipt_id
            left join cause_extract e on e.extract = d.extract and r.label is null
            where coalesce(r.label, e.label) is not null;

            create or replace temporary table reach as
            with recursive tree as (
                select distinct region_code, region_code as below from public.dim_region
                union
                select distinct p.parent_code, t.below from tree t
                join (select region_code, parent_code from public.dim_region
                      union select region_code, parent_code from before.dim_region) p on p.region_code = t.region_code
                where p.parent_code is not null
            ) select region_code, below from tree;

            insert into cause_row
            select reach.region_code, moved.year, list_sort(list(distinct moved.label))
            from moved join reach on reach.below = moved.region_code
            group by reach.region_code, moved.year
            """
        )
        if {"indicator_code", "numerator", "denominator"} <= _columns(connection, "public", "dim_indicator"):
            connection.execute(
                """
                insert into cause_indicator
                select i.indicator_code, reach.region_code, moved.year, list_sort(list(distinct moved.label))
                from moved
                join public.dim_indicator i
                    on moved.is_population
                    or list_contains(
                        regexp_extract_all(concat_ws(' ', i.numerator, i.denominator), '[\\p{L}\\p{N}_]+'),
                        moved.measure)
                join reach on reach.below = moved.region_code
                group by i.indicator_code, reach.region_code, moved.year
                """
            )

    def sql(self, table: Table, columns: Sequence[str]) -> tuple[str, str]:
        """For one table: the labels of a row as an SQL expression, and the joins that it needs.

        The row is `a` in the release after, `b` in the one before. Labels that reach the row itself come first;
        where none does, those of all deliveries, if the table rests on any, and of the rules behind it.
        """
        rules = _list(self.of_table(table.name))
        fallback = _list([*self.of_table(table.name), *(self.receipts if self.reaches(table.name) else ())])
        named = set(columns)

        def either(column: str) -> str:
            return f"coalesce(a.{column}, b.{column})"

        if "receipt_id" in named:
            join = (
                "left join (select receipt_id, list_sort(list(distinct label)) as labels from cause_receipt "
                f"group by receipt_id) why on why.receipt_id = {either('receipt_id')}"
            )
        elif "region_code" in named and (year := _year(named, either)):
            if "indicator_code" in named:
                join = f"left join cause_indicator why on why.indicator_code = {either('indicator_code')} and "
            else:
                join = "left join cause_row why on "
            join += f"why.region_code = {either('region_code')} and why.year = {year}"
        else:
            return f"case when true then {fallback} end", ""
        if not self.reaches(table.name):
            return f"case when true then {rules} end", ""
        extract = ""
        if "receipt_id" in named and {"department", "extract"} <= named:
            join += (
                " left join (select extract, list_sort(list(distinct label)) as labels from cause_extract group by 1) "
                f"agreed on agreed.extract = {either('department')} || '/' || {either('extract')}"
            )
            extract = "when agreed.labels is not null then agreed.labels "
        return (
            f"case when why.labels is not null then list_concat(why.labels, {rules}) {extract}else {fallback} end",
            join,
        )


def _receipt_cause(receipt: dict[str, Any], change: str) -> dict[str, Any]:
    return {
        "kind": "receipt",
        "change": change,
        "receipt_id": receipt["receipt_id"],
        "extract": f"{receipt['department']}/{receipt['extract']}",
        "file": receipt["landing_path"],
        "sha256": receipt["sha256"],
        "received_at": receipt["received_at"],
    }


_SIDES = ("before", "public")


def _receipts(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {receipt["receipt_id"]: receipt for receipt in (manifest.get("inputs") or {}).get("receipts") or []}


def _readers(manifest: dict[str, Any]) -> set[str]:
    return {reading["reader_version"] for reading in (manifest.get("inputs") or {}).get("readings") or []}


def _year(named: set[str], either: Any) -> str:
    if "year" in named:
        return str(either("year"))
    day = next((column for column in ("reference_date", "period_end") if column in named), None)
    return f"year({either(day)})" if day else ""


def _columns(connection: duckdb.DuckDBPyConnection, catalog: str, table: str) -> set[str]:
    rows = connection.execute(
        "select column_name from duckdb_columns() where database_name = ? and table_name = ?", [catalog, table]
    ).fetchall()
    return {str(name) for (name,) in rows}


def _list(labels: Iterable[str]) -> str:
    """Labels as an SQL list of texts."""
    return "cast([" + ", ".join("'" + label.replace("'", "''") + "'" for label in labels) + "] as varchar[])"


def _table(connection: duckdb.DuckDBPyConnection, name: str, columns: list[str], rows: dict[str, list[str]]) -> None:
    pairs = [(key, label) for key, labels in rows.items() for label in dict.fromkeys(labels)]
    frame = pl.DataFrame(pairs, schema=dict.fromkeys(columns, pl.String), orient="row")
    connection.register("cause_pairs", frame.to_arrow())
    connection.execute(f"create or replace temporary table {name} as select * from cause_pairs")
    connection.unregister("cause_pairs")
