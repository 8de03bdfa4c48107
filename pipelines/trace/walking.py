"""From numbers to what they are computed from, level by level down to cells, and each computed again from there.

Terms are looked up in `evidence/terms/`; the formula of each kind stands in `formulas`. What people are shown
of it is `tracing`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import duckdb

from pipelines.sql import text_literal
from pipelines.trace.cells import rows_of
from pipelines.trace.evidence import SERIES, TERMS, Evidence
from pipelines.trace.formulas import FORMULAS

_NUMBER = (
    "kind varchar, id varchar, exact decimal(28, 9), number double, "
    "numerator decimal(28, 9), denominator decimal(28, 9), "
    "points decimal(18, 12), gap double, share double"
)


def open_release(known: Evidence) -> duckdb.DuckDBPyConnection:
    """A connection in memory with the release's database as `public`, its terms as `figure_term` and its `series`."""
    connection = duckdb.connect()
    connection.execute(f"attach {text_literal(str(known.folder / 'public.duckdb'))} as public (read_only)")
    terms, series = (text_literal(str(known.folder / file)) for file in (f"{TERMS}/*.parquet", SERIES))
    connection.execute(
        f"create view figure_term as select figure_kind, figure_id, role, input_kind, input_id, weight, value "
        f"from read_parquet({terms}, union_by_name=true); create view series as from read_parquet({series})"
    )
    connection.execute(
        "create temp table subject as select s.subject_code, s.subject_kind, s.direction, "
        "cast(i.multiplier as double) as multiplier from public.main.dim_subject s "
        "left join public.main.dim_indicator i on i.indicator_code = s.subject_code; "
        "create temp table variant as select variant, method from public.main.dim_variant"
    )
    return connection


def walk(connection: duckdb.DuckDBPyConnection, numbers: Iterable[tuple[str, str]]) -> None:
    """Lay the terms of numbers (kind, id), of their inputs, and so on, as the table `term`, with their depth."""
    connection.execute(
        "create or replace temp table term as select 0 as depth, * from figure_term limit 0; "
        "create or replace temp table found (kind varchar, id varchar); "
        "create or replace temp table ahead (kind varchar, id varchar)"
    )
    for number in numbers:
        connection.execute("insert into ahead values (?, ?)", list(number))
    depth = 0
    while True:
        kinds = [kind for (kind,) in connection.execute("select distinct kind from ahead").fetchall()]
        if not kinds:
            return
        depth += 1
        listed = ", ".join(map(text_literal, kinds))
        connection.execute(
            f"insert into found from ahead; "
            f"insert into term select {depth}, t.* from figure_term t semi join ahead a "
            f"on a.kind = t.figure_kind and a.id = t.figure_id where t.figure_kind in ({listed}); "
            f"create or replace temp table ahead as select distinct input_kind as kind, input_id as id from term "
            f"where depth = {depth} and input_kind not in ('parameter', 'observation') except from found"
        )


def compute(connection: duckdb.DuckDBPyConnection, cells: dict[str, Decimal | None]) -> None:
    """Compute every number in `term` from the cells (by observation), as rows of the temporary table `number`.

    What rests on a cell that is not given is not computed.
    """
    import polars as pl

    observations = pl.DataFrame(
        {"id": list(cells), "exact": list(cells.values())}, schema={"id": pl.String, "exact": pl.Decimal(28, 9)}
    ).to_arrow()
    connection.execute(f"create or replace temp table number ({_NUMBER})")
    connection.register("cells_read", observations)
    connection.execute("insert into number by name select 'observation' as kind, id, exact from cells_read")
    connection.unregister("cells_read")
    while True:
        connection.execute(
            "create or replace temp table ready as select t.*, n.exact as input_exact, n.number as input_number, "
            "n.points as input_points, n.gap as input_gap, n.share as input_share "
            "from term t left join number n on n.kind = t.input_kind and n.id = t.input_id "
            "anti join number k on k.kind = t.figure_kind and k.id = t.figure_id "
            "qualify count(case when t.input_kind <> 'parameter' and n.id is null then 1 end) "
            "over (partition by t.figure_kind, t.figure_id) = 0"
        )
        kinds = {kind for (kind,) in connection.execute("select distinct figure_kind from ready").fetchall()}
        if not kinds:
            return
        for computed, formula in FORMULAS:
            if not kinds.isdisjoint(computed):
                connection.execute(f"insert into number by name {formula}")


def figures_again(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Every published figure in `term`, the one asked for and those on its way, with the same computed again."""
    return rows_of(
        connection,
        "with named as (select distinct figure_id from term where figure_kind = 'figure') "
        "select named.figure_id, f.subject_code, f.region_id, f.region_code, f.year, f.breakdown, f.variant, f.value, "
        "f.numerator, f.denominator, f.obs_status, f.conf_status, n.id is not null as is_computed, "
        "n.number as again, n.numerator as numerator_again, n.denominator as denominator_again "
        "from named left join public.main.figure f on f.subject_code = split_part(named.figure_id, '|', 1) "
        "and f.region_id = split_part(named.figure_id, '|', 2) "
        "and f.year = cast(split_part(named.figure_id, '|', 3) as integer) "
        "and f.breakdown = split_part(named.figure_id, '|', 4) and f.variant = split_part(named.figure_id, '|', 5) "
        "left join number n on n.kind = 'figure' and n.id = named.figure_id",
    )
