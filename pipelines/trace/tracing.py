"""One trace: the row, its figures computed again and compared, what they come from, its cells, what was checked.

It says what it finds as plain data; how that is shown is the command line's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from pipelines.sql import text_literal
from pipelines.store import read_json
from pipelines.trace import cells, evidence, rows, walking
from pipelines.trace.evidence import Evidence

EXACT, DIGITS, DIFFERS, WITHHELD, NOT_COMPUTED = "exact", "12 digits", "differs", "withheld", "not computed again"
OBSERVATIONS, POPULATIONS = "fct_observation", "fct_population"
POPULATION_KEY = (
    "reference_geography", "region_code", "reference_date", "population_source", "population_basis", "residence", "sex",
    "age_group",
)  # fmt: skip
# Columns of dim_variant that are no choice.
_NAMES_OF_VARIANT = ("variant", "name_zh", "name_en", "is_main")
# What the parts of an id are, by kind of number (dbt_project/macros/terms.sql).
_MONEY = ("boundaries", "region_code", "year", "fund", "account_stage", "government_level", "domain", "residence")
_SCALE = ("scale", "weight_set", "boundaries", "year", "region_code")
PARTS: dict[str, tuple[str, ...]] = {
    "figure": ("subject_code", "region_id", "year", "breakdown", "variant"),
    "money": _MONEY,
    "account": _MONEY,
    "functional": _MONEY,
    "population": POPULATION_KEY,
    "score": ("scale_kind", "scale", "boundaries", "year", "region_code", "indicator_code"),
    "contribution": ("scale_kind", *_SCALE, "domain", "indicator_code"),
    "leaf_score": (*_SCALE, "lowest_region", "domain"),
    "level": (*_SCALE, "domain", "method"),
}
WORDS = {
    "numerator": "the sum of its terms, as its formula names them",
    "denominator": "the sum of its terms, as its formula names them",
    "contribution": "effective weight x (1 - attainment) x 100, over the lowest regions weighed with their people",
    "population": "as reported, or the sum of its parts; what is estimated says so (column derivation)",
    "observation": "the number in the cell x the factor of its unit",
}


@dataclass
class Trace:
    """What is known of one published row. `outcome` is the worst of its figures', and of those on the way to cells."""

    release_id: str
    table: str
    key: dict[str, Any]
    command: str
    mark: str = ""  # what the release says of figures made from synthetic input
    outcome: str = EXACT
    row: dict[str, Any] = field(default_factory=dict)
    figures: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    levels: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    cells: list[dict[str, Any]] = field(default_factory=list)
    cells_count: int = 0
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)  # deliveries of its extracts that failed their checks
    checks: dict[str, Any] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """False when a figure, computed again, is another one."""
        return self.outcome != DIFFERS

    def as_dict(self) -> dict[str, Any]:
        """The trace as plain types."""
        return asdict(self) | {"agrees": self.agrees}


@dataclass(frozen=True)
class Number:
    """The number that a column shows: its kind and id, and the column of `number` that holds it computed again."""

    column: str
    kind: str
    id: str
    holds: str
    formula: str


def trace(folder: Path, table_name: str, pairs: Sequence[str], *, limit: int | None = None) -> Trace:
    """Trace one row of a sealed release; at most `limit` rows of each kind are listed, counts are of all.

    Raises UsageError when the table or key names no row or several, or the release carries no terms.
    """
    known = evidence.read(folder)
    manifest, card = read_json(folder / "manifest.json"), read_json(folder / "release.json")
    connection = walking.open_release(known)
    try:
        tables = rows.tables_of(connection, manifest)
        table = rows.chosen_table(tables, [*known.tables, POPULATIONS, OBSERVATIONS], known.made_of, table_name)
        reading = rows.main_reading(connection)
        rows.the_row(connection, table, pairs, reading)
        row = cells.rows_of(connection, "from target")[0]
        key = {column: row[column] for column in table.key}
        found = Trace(manifest["release_id"], table.name, key, rows.trace_command(table.name, key, reading), row=row)
        mark = card["jurisdiction"]["synthetic_mark"]
        found.mark = f"{mark['zh']} / {mark['en']}" if row.get("provenance") == "synthetic" else ""
        carried = {str(said["table"]): said for said in manifest.get("carried_over") or []}
        if table.name in carried:
            said = carried[table.name]
            found.outcome = NOT_COMPUTED
            found.notes.append(
                f"{table.name} stands as in {said['from_release']}, because its new rows did not pass "
                f"{', '.join(said['checks'])}: trace it there (--release {said['from_release']})"
            )
            return found
        if "Q" in str(row.get("obs_status") or "").split(";"):
            found.outcome = WITHHELD
            found.notes.append("the figure is withheld (obs_status Q): what it rests on is not shown")
            return found
        numbers = _numbers_shown(connection, known, table.name, row)
        _explain(connection, known, found, numbers, limit)
        return found
    finally:
        connection.close()


def _numbers_shown(
    connection: duckdb.DuckDBPyConnection, known: Evidence, table: str, row: Mapping[str, Any]
) -> list[Number]:
    """The numbers that the columns of a row show."""
    if table == OBSERVATIONS:
        return [Number("value", "observation", str(row["observation_id"]), "exact", WORDS["observation"])]
    if table == POPULATIONS:
        name = "|".join(rows.text_of_key(row[column]) for column in POPULATION_KEY)
        return [Number("population", "population", name, "exact", WORDS["population"])]
    found = []
    for column, shown in known.tables[table].items():
        if row.get(column) is None:
            continue
        subject = str(shown["subject"]).format(**row)
        breakdown = shown.get("breakdown") or row.get("breakdown") or _of_residence(row)
        parts = (subject, row["region_id"], row["year"], breakdown, _variant(connection, shown.get("variant"), row))
        name = "|".join(map(str, parts))
        part = shown.get("part", "value")
        if "contribution" in shown:
            indicator = str(shown["contribution"]).format(**row)
            inputs = connection.execute(
                "select input_id from figure_term where figure_kind = 'figure' and figure_id = ? "
                "and input_kind = 'contribution' and input_id like '%|' || ?",
                [name, indicator],
            ).fetchall()
            found += [Number(column, "contribution", str(i), "points", WORDS["contribution"]) for (i,) in inputs]
        else:
            formula = WORDS.get(part) or _formula(connection, subject)
            found.append(Number(column, "figure", name, "number" if part == "value" else part, formula))
    return found


def _of_residence(row: Mapping[str, Any]) -> str:
    residence = row.get("residence", "total")
    return "all" if residence == "total" else f"residence={residence}"


def _variant(connection: duckdb.DuckDBPyConnection, choice: Mapping[str, str] | None, row: Mapping[str, Any]) -> str:
    """The variant that a column shows: the row's, or the declared one that differs from `main` in `choice` alone."""
    if not choice:
        return str(row.get("variant") or "main")
    variants = cells.rows_of(connection, "from public.main.dim_variant order by variant")
    (main,) = [variant for variant in variants if variant["is_main"]]
    wanted = {name: value for name, value in {**main, **choice}.items() if name not in _NAMES_OF_VARIANT}
    return next(str(v["variant"]) for v in variants if wanted.items() <= v.items())


def _formula(connection: duckdb.DuckDBPyConnection, subject: str) -> str:
    found = connection.execute(
        "select name_en, formula_en from public.main.dim_subject where subject_code = ?", [subject]
    ).fetchone()
    return f"{found[0]}: {found[1]}" if found else ""


def _explain(
    connection: duckdb.DuckDBPyConnection, known: Evidence, found: Trace, numbers: list[Number], limit: int | None
) -> None:
    """Walk to the cells, compute again from them, compare, and say what stands on the way."""
    walking.walk(connection, [(n.kind, n.id) for n in numbers if n.kind != "observation"])
    direct = ", ".join(text_literal(n.id) for n in numbers if n.kind == "observation") or "null"
    cells.lay(
        connection,
        known,
        f"select input_id from term where input_kind = 'observation' union all select unnest([{direct}])",
    )
    read, unread = cells.read_again(connection, known)
    walking.compute(connection, read)
    for number in numbers:
        found.figures.append(_compared(connection, found.row, number, unread))
    on_the_way = [f for f in walking.figures_again(connection) if f["is_computed"] and f["value"] is not None]
    others = [f for f in on_the_way if _agreement(f["value"], f["again"]) == DIFFERS]
    wrong_cells = [i for i, value in _published_cells(connection).items() if i in read and read[i] != value]
    for figure in others:
        found.notes.append(
            f"on the way: {figure['figure_id']} is published as {figure['value']}, and is {figure['again']}"
        )
    for name in wrong_cells:
        found.notes.append(f"on the way: the cell of observation {name} does not hold the published number")
    found.notes += sorted(set(unread.values()))
    found.notes += [
        f"{figure['column']}: the release says of no figure {figure['figure']} what it is computed from"
        for figure in found.figures
        if figure["outcome"] == NOT_COMPUTED and not unread
    ]
    outcomes = [figure["outcome"] for figure in found.figures] + [DIFFERS] * bool(others or wrong_cells)
    found.outcome = next((o for o in (DIFFERS, WITHHELD, NOT_COMPUTED, DIGITS) if o in outcomes), EXACT)
    if WITHHELD in outcomes:
        found.notes.append("cells that it rests on are withheld: from what is published it cannot all be computed")
    found.levels = _levels(connection, limit)
    gathered = cells.gather(connection, limit)
    found.files, found.cells, found.deliveries = gathered.files, gathered.cells, gathered.deliveries
    found.cells_count, found.held = gathered.count, gathered.held
    outcomes_of, failing, touched, waivers = cells.checks_of(connection, [found.table, "figure"], limit)
    found.checks = {"outcomes": outcomes_of, "failing": failing, "rows": touched, "waivers": waivers}


def _published_cells(connection: duckdb.DuckDBPyConnection) -> dict[str, Decimal | None]:
    return dict(connection.execute("select observation_id, value from contributing").fetchall())


def _compared(
    connection: duckdb.DuckDBPyConnection, row: Mapping[str, Any], number: Number, unread: Mapping[str, str]
) -> dict[str, Any]:
    """A published number beside the same computed again."""
    published = row[number.column]
    again = connection.execute(
        f"select {number.holds} from number where kind = ? and id = ?", [number.kind, number.id]
    ).fetchone()
    figure = {"column": number.column, "figure": number.id, "value": published, "formula": number.formula}
    if again is None:
        hidden = connection.execute(
            "select count(*) from contributing where conf_status <> 'F' and obs_status like '%Q%'"
        ).fetchone()
        return figure | {"outcome": WITHHELD if hidden and hidden[0] else NOT_COMPUTED}
    if number.kind == "observation" and number.id in unread:
        return figure | {"outcome": NOT_COMPUTED}
    value = float(again[0]) if isinstance(published, float) and again[0] is not None else again[0]
    return figure | {"outcome": _agreement(published, value), "computed_again": value}


def _agreement(published: Any, again: Any) -> str:
    """How a published number and the same computed again stand to each other."""
    if published == again:
        return EXACT
    if isinstance(published, float) and isinstance(again, float) and f"{published:.11e}" == f"{again:.11e}":
        return DIGITS
    return DIFFERS


def _levels(connection: duckdb.DuckDBPyConnection, limit: int | None) -> list[dict[str, Any]]:
    """What stands on the way, level by level: the inputs of each kind with their role, weight and number."""
    groups = connection.execute(
        "select depth, figure_kind, input_kind, count(*) from term where input_kind <> 'observation' "
        "group by all order by depth, figure_kind, input_kind"
    ).fetchall()
    bound = f"limit {limit}" if limit is not None else ""
    levels = []
    for depth, kind, input_kind, count in groups:
        inputs = cells.rows_of(
            connection,
            "select t.figure_id, t.role, t.input_id, t.weight, t.value as rounded, n.exact, n.number, n.points, "
            's.measure, s.period_end, s.residence, s.sex, s.age_group, s.group_code as "group", s.item, '
            "s.reference_geography as boundaries "
            "from term t left join number n on n.kind = t.input_kind and n.id = t.input_id "
            "left join series s on t.input_kind = 'value' "
            "and s.series_number = try_cast(split_part(t.input_id, '|', 1) as bigint) "
            f"where t.depth = {depth} and t.figure_kind = '{kind}' and t.input_kind = '{input_kind}' "
            f"order by t.figure_id, t.role, t.input_id {bound}",
        )
        levels.append(
            {
                "level": depth,
                "of": kind,
                "kind": input_kind,
                "count": count,
                "rows": [_named(input_kind, row) for row in inputs],
            }
        )
    return levels


def _named(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """An input by what it is about, with its role, weight and number."""
    texts = str(row["input_id"]).split("|")
    if kind in ("value", "all_levels"):
        about = {"measure": row["measure"], "region_code": texts[-1]}
        about |= {c: row[c] for c in ("period_end", "residence", "sex", "age_group", "group", "item", "boundaries")}
    elif kind == "parameter":
        about = {"parameter": row["input_id"]}
    else:
        about = dict(zip(PARTS[kind], texts, strict=True))
    number = row["weight"] if kind == "parameter" and row["rounded"] is None else row["rounded"]
    for column in ("exact", "points", "number"):
        number = row[column] if number is None else number
    shown = {"role": row["role"], **about, "weight": None if kind == "parameter" else row["weight"], "value": number}
    if kind == "figure":
        key = {name: text for name, text in about.items() if text not in ("all", "main")}
        shown["trace"] = rows.trace_command("figure", key, {})
    return shown
