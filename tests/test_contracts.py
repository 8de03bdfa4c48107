"""A mistake in a jurisdiction's folder is found before anything is read: file, line, and what to do about it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import country
import jsonschema
import pytest
import yaml

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction import Jurisdiction, load
from pipelines.jurisdiction.schema import KINDS, schema, schema_text
from pipelines.settings import PROJECT_FOLDER

BUDGET = "treasury/budget"


def made(folder: Path, **changes: Any) -> country.Country:
    return country.make_country(folder / "verdania", landed=False, **changes)


def refused(folder: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as error:
        load(folder).reference_tables()
    assert error.value.exit_code == 2
    assert error.value.where
    assert error.value.do
    return error.value


def line_of(error: ConfigurationError) -> int:
    found = re.search(r"line (\d+)", f"{error.where} {error.message}")
    assert found, error
    return int(found.group(1))


def line_with(path: Path, text: str) -> int:
    return next(n for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1) if text in line)


def test_the_invented_country_and_zhejiang_load(tmp_path: Path) -> None:
    assert set(load(made(tmp_path).folder).contracts) == set(country.CONTRACTS)
    assert len(load(PROJECT_FOLDER / "raw" / "zhejiang").contracts) >= 11


def layout(contract: dict[str, Any]) -> dict[str, Any]:
    return contract["layouts"][0]  # type: ignore[no-any-return]


MISTAKES: list[tuple[str, Callable[[dict[str, Any]], Any], str, str]] = [
    ("a misspelt field", lambda c: c.update(licence="free"), "licence", "licence"),
    ("a missing field", lambda c: c.pop("license"), "license: Field required", ""),
    ("no team", lambda c: c.update(team=[]), "team", "team"),
    ("an unknown provenance", lambda c: c.update(provenance="guessed"), "provenance", "guessed"),
    ("a rank that is no number", lambda c: c.update(rank="first"), "rank", "first"),
    ("no layout", lambda c: c.update(layouts=[]), "layouts", ""),
    ("an unknown format", lambda c: layout(c)["format"].update(kind="pdf"), "format.kind", "pdf"),
    ("an unknown encoding", lambda c: layout(c)["format"].update(encoding="utf-9"), "utf-9", "utf-9"),
    ("no header to find", lambda c: layout(c)["header"].update(find=[]), "header", "header"),
    ("a region without code or name", lambda c: layout(c).update(region={"accepted": {}}), "region", "region"),
    ("a period from nowhere", lambda c: layout(c)["period"].update({"from": "sky"}), "period", "sky"),
    ("a day that is none", lambda c: layout(c)["period"].update(month_day="31-12"), "month_day", "period"),
    (
        "a column for the period is missing",
        lambda c: layout(c)["period"].update({"from": "column"}),
        "column",
        "period",
    ),
    ("a regular expression that is none", lambda c: layout(c)["values"][0].update(columns="("), "regular", "columns"),
    ("both column and columns", lambda c: layout(c)["values"][0].update(column="x"), "either", "- columns"),
    ("a year from no header", lambda c: layout(c)["values"][0].update(columns="x"), "(?P<period>", "- format"),
    ("no measure", lambda c: layout(c)["values"][0].pop("measure"), "measure", "- format"),
    ("an unknown token meaning", lambda c: layout(c).update(tokens={"-": "nothing"}), "tokens", "nothing"),
    ("an unknown residence", lambda c: layout(c)["values"][0].update(residence="sea"), "residence", "- columns"),
    ("an unknown default", lambda c: layout(c).update(defaults={"colour": "red"}), "colour", "- format"),
    ("a default no dimension has", lambda c: layout(c).update(defaults={"sex": "man"}), "man", "man"),
    ("a default template without its group", lambda c: layout(c)["values"][0].update(sex="{sex}"), "{sex}", "{sex}"),
    ("an unknown unit", lambda c: layout(c)["values"][0].update(unit="ducats"), "ducats", "ducats"),
    ("an unknown measure", lambda c: layout(c)["values"][0].update(measure="dragons"), "dragons", "dragons"),
    ("a measure of another unit", lambda c: layout(c)["values"][0].update(measure="beds"), "crowns", "beds"),
    ("another id than its path", lambda c: c.update(id="treasury/spending"), "treasury/spending", ""),
    ("an id without department", lambda c: c.update(id="budget"), "budget", ""),
]


@pytest.mark.parametrize(("change", "said", "at"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_a_mistake_in_a_contract_says_file_line_and_what_to_do(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], said: str, at: str
) -> None:
    land = made(tmp_path)
    path = land.write_contract(BUDGET, change)
    error = refused(land.folder)
    assert str(path) in error.where
    assert said in error.message
    if at:
        assert line_of(error) == line_with(path, at)


def test_a_rows_map_to_what_no_dimension_has_is_a_mistake(tmp_path: Path) -> None:
    land = made(tmp_path)
    path = land.write_contract("bureau/residents", lambda c: layout(c)["rows"][0]["map"].update(Town="city"))
    error = refused(land.folder)
    assert "'city' is no residence" in error.message
    assert line_of(error) == line_with(path, "Town: city")


def test_a_headers_map_to_what_no_dimension_has_is_a_mistake(tmp_path: Path) -> None:
    land = made(tmp_path)
    land.write_contract("bureau/census", lambda c: layout(c)["values"][4]["maps"]["sex"].update(Men="men"))
    assert "'men' is no sex" in refused(land.folder).message


def test_text_that_is_no_yaml_names_its_line(tmp_path: Path) -> None:
    land = made(tmp_path)
    path = land.contract_path(BUDGET)
    path.write_text("id: treasury/budget\nname: [unfinished\nrank: 1\n")
    error = refused(land.folder)
    assert "YAML" in error.message
    assert line_of(error) in (2, 3)


def test_a_contract_of_another_shape_or_encoding_is_refused(tmp_path: Path) -> None:
    land = made(tmp_path)
    for data in (b"", b"- a\n- list\n", b"just text", "name: 预算".encode("gb18030")):
        land.contract_path(BUDGET).write_bytes(data)
        assert str(land.contract_path(BUDGET)) in refused(land.folder).where


def test_a_key_that_stands_twice_is_a_mistake(tmp_path: Path) -> None:
    land = made(tmp_path)
    path = land.contract_path(BUDGET)
    path.write_text(path.read_text() + "rank: 99\n")
    error = refused(land.folder)
    assert "rank" in error.message
    assert line_of(error) == len(path.read_text().splitlines())


@pytest.mark.parametrize("name", ["treasury/budget.yaml", "budget.yml", "treasury/old/budget.yml"])
def test_a_contract_that_would_be_overlooked_is_a_mistake(tmp_path: Path, name: str) -> None:
    land = made(tmp_path)
    path = land.folder / "contracts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(land.contract_path(BUDGET).read_text())
    assert name in refused(land.folder).where


def test_a_contracts_hash_is_about_its_meaning(tmp_path: Path) -> None:
    land = made(tmp_path)
    first = load(land.folder).contracts[BUDGET].hash
    path = land.contract_path(BUDGET)
    path.write_text("# nothing\n\n" + path.read_text())
    assert load(land.folder).contracts[BUDGET].hash == first
    land.write_contract(BUDGET, lambda c: layout(c)["values"][0].update(unit="thousand crowns"))
    assert load(land.folder).contracts[BUDGET].hash != first


def test_the_layout_is_chosen_by_delivery_period(tmp_path: Path) -> None:
    def two_layouts(contract: dict[str, Any]) -> None:
        old = {**layout(contract), "name": "old", "delivery_periods": ["2018"]}
        new = {**layout(contract), "name": "new", "delivery_periods": ["2019", "2020"]}
        contract["layouts"] = [old, new]

    land = made(tmp_path, contracts={BUDGET: two_layouts})
    contract = load(land.folder).contracts[BUDGET]
    assert contract.layout_for("2018", "budget.csv").name == "old"
    assert contract.layout_for("2020", "budget.csv").name == "new"
    with pytest.raises(ConfigurationError, match="2021"):
        contract.layout_for("2021", "budget.csv")


# -- jurisdiction.yml ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("time_zone: Atlantic/Reykjavik", "time_zone: Atlantis/Center", "no such time zone"),
        ("home_region: V", "home_region: W", "home_region 'W'"),
        ("base: 2019", "base: 2030", "the base of the years lies outside them"),
        ("spending:", "scores: {degree_indicator: SUM}\nspending:", "degree_indicator 'SUM'"),
        ("spending:", "scores: {weight_set: equal}\nspending:", "weight_set"),
        ("factor: 1000}", "factor: 0}", "factor"),
        ("factor: 1000}", "factor: 0.5}", "factor"),
        ("currency: VCR", "moneys: VCR", "moneys"),
        ("role: whole", "role: most", "role"),
        ("measure: budget_outturn", "measure: budget_income", "budget_income"),
        ('schedule: "30 4 * * *"', 'schedule: "at dawn"', "schedule"),
        ("name: realm,", "name: empire,", "realm"),
        ("spending:", "population_source: year_end\nspending:", "population_source"),
        ("first: 2018, last: 2020", "first: 2020, last: 2018", "years"),
    ],
)
def test_a_mistake_in_the_jurisdictions_description_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in country.JURISDICTION
    land = made(tmp_path, jurisdiction=country.JURISDICTION.replace(old, new, 1))
    assert said in refused(land.folder).message


def test_a_jurisdiction_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    assert "no such jurisdiction" in refused(tmp_path / "nowhere").message
    (tmp_path / "empty").mkdir()
    assert "missing" in refused(tmp_path / "empty").message


# -- reference tables -----------------------------------------------------------------------------------------------


def change(lines: list[dict[str, str]], at: int, **cells: str) -> list[dict[str, str]]:
    changed = [dict(line) for line in lines]
    changed[at] |= cells
    return changed


REGIONS = country.REFERENCE["regions.csv"]
INDICATORS = country.REFERENCE["indicators.csv"]
CHANGES = country.REFERENCE["region_changes.csv"]
CLASSES = country.REFERENCE["functional_classes.csv"]
WEIGHT = {
    "weight_set": "own",
    "parent": "all",
    "child": "health",
    "weight": "2.5",
    "edition": "one",
    "origin": "roll",
    "note": "",
}
PRICES = {"region_code": "V", "year": "2020", "index_pct": "102.3", "source": "market", "origin": "published"}
ITEM = {
    "item": "H-1",
    "domain": "health",
    "service": "hospital",
    "edition": "one",
    "name_zh": "住院",
    "name_en": "Hospital stay",
    "object": "everybody",
    "standard": "a bed",
    "lead_department": "health office",
    "open_to_permit_holders": "true",
    "valid_from": "2019-01-01",
    "valid_to": "",
    "origin": "roll",
}
CLASS_CODES = [row["class_code"] for row in CLASSES]
PAYER = {
    "item": "H-1",
    "government_level": "crown",
    "region_code": "all",
    "share": "0.6",
    "edition": "one",
    "origin": "",
}
REFERENCE_MISTAKES: list[tuple[str, str, list[dict[str, str]], str, int]] = [
    ("a key twice", "regions.csv", [*REGIONS, REGIONS[2]], "stands twice", 10),
    ("an empty key", "regions.csv", change(REGIONS, 3, region_code=""), "region_code is empty", 5),
    ("an unknown level", "regions.csv", change(REGIONS, 3, region_level="hamlet"), "'hamlet'", 5),
    ("a date that is none", "regions.csv", change(REGIONS, 3, valid_from="1900"), "'1900'", 5),
    ("a day that is none", "regions.csv", change(REGIONS, 3, valid_to="2019-02-30"), "'2019-02-30'", 5),
    ("an unknown parent", "regions.csv", change(REGIONS, 3, parent_code="VX"), "'VX'", 5),
    ("an end before the start", "regions.csv", change(REGIONS, 3, valid_to="1899-01-01"), "before", 5),
    (
        "two versions at once",
        "regions.csv",
        [*REGIONS, {**REGIONS[3], "valid_from": "2000-01-01"}],
        "VA1",
        10,
    ),
    ("one side of a fraction", "indicators.csv", change(INDICATORS, 0, denominator=""), "one side", 2),
    ("an expression of nothing", "indicators.csv", change(INDICATORS, 0, numerator="beds +"), "cannot read", 2),
    ("an unknown measure", "indicators.csv", change(INDICATORS, 1, numerator="dragons"), "'dragons'", 3),
    ("no expression, no reason", "indicators.csv", change(INDICATORS, 3, reason=""), "needs a reason", 5),
    ("a multiplier that is no number", "indicators.csv", change(INDICATORS, 0, multiplier="many"), "'many'", 2),
    ("no multiplier", "indicators.csv", change(INDICATORS, 0, multiplier=""), "multiplier", 2),
    ("an unknown domain", "indicators.csv", change(INDICATORS, 0, domain="magic"), "'magic'", 2),
    ("an unknown direction", "indicators.csv", change(INDICATORS, 0, direction="up"), "'up'", 2),
    (
        "a target of no indicator",
        "targets.csv",
        change(country.REFERENCE["targets.csv"], 0, indicator_code="BEDS"),
        "'BEDS'",
        2,
    ),
    (
        "shares that do not make a whole",
        "region_changes.csv",
        change(CHANGES, 0, population_share="0.75"),
        "adds up to 0.75",
        2,
    ),
    (
        "a share below nothing",
        "region_changes.csv",
        [{**CHANGES[0], "population_share": "1.5"}, {**CHANGES[0], "to_code": "VA1", "population_share": "-0.5"}],
        "outside 0 to 1",
        2,
    ),
    (
        "a part without its share",
        "region_changes.csv",
        [*CHANGES, {**CHANGES[0], "to_code": "VA1", "population_share": ""}],
        "is empty",
        3,
    ),
    (
        "shares of the new unit that do not make a whole",
        "region_changes.csv",
        change(CHANGES, 0, share_of_to="0.2"),
        "adds up to 0.2",
        2,
    ),
    (
        "a class inside a class",
        "functional_classes.csv",
        [*CLASSES, {**CLASSES[0], "class_code": CLASSES[0]["class_code"] + "1"}],
        "lies inside",
        len(CLASSES) + 2,
    ),
    (
        "a class in two domains at once",
        "functional_classes.csv",
        [*CLASSES, {**CLASSES[0], "valid_from": "1950-01-01"}],
        "hold on the same day",
        len(CLASSES) + 2,
    ),
    ("a weight below zero", "weights.csv", [{**WEIGHT, "weight": "-1"}], "is negative", 2),
    ("a weight that is no number", "weights.csv", [{**WEIGHT, "weight": "much"}], "'much'", 2),
    ("a weight of no domain", "weights.csv", [WEIGHT, {**WEIGHT, "child": "magic"}], "'magic'", 3),
    ("a weight below no domain", "weights.csv", [{**WEIGHT, "parent": "magic"}], "'magic'", 2),
    (
        "a weight of another domain's indicator",
        "weights.csv",
        [{**WEIGHT, "parent": "schooling", "child": "BED"}],
        "'BED' is no indicator of schooling",
        2,
    ),
    (
        "weights that are all zero",
        "weights.csv",
        [{**WEIGHT, "weight": "0"}, {**WEIGHT, "child": "schooling", "weight": "0.0"}],
        "are zero",
        3,
    ),
    (
        "goalposts of no indicator",
        "goalposts.csv",
        change(country.REFERENCE["goalposts.csv"], 0, indicator_code="BEDS"),
        "'BEDS'",
        2,
    ),
    (
        "a third party's score of no domain",
        "third_party_scores.csv",
        change(country.REFERENCE["third_party_scores.csv"], 0, domain="magic"),
        "'magic'",
        2,
    ),
    ("a price index of no region", "price_index.csv", [{**PRICES, "region_code": "VX"}], "'VX'", 2),
    ("a price index that is no number", "price_index.csv", [{**PRICES, "index_pct": "up"}], "'up'", 2),
    ("an item of no service", "service_items.csv", [{**ITEM, "service": "magic"}], "'magic'", 2),
    ("a target of no kind", "targets.csv", change(country.REFERENCE["targets.csv"], 0, kind="wish"), "'wish'", 2),
    (
        "a union of a region that is none",
        "region_unions.csv",
        [
            {
                "reference_geography": "2020",
                "union_code": "U",
                "name_zh": "合",
                "name_en": "Union",
                "member_code": "VX",
                "reason": "none",
            }
        ],
        "'VX'",
        2,
    ),
    (
        "a weight of a term that is no exact decimal",
        "indicators.csv",
        change(INDICATORS, 0, numerator="1/3*beds"),
        "no exact decimal",
        2,
    ),
    (
        "an unknown aggregation",
        "measures.csv",
        change(country.REFERENCE["measures.csv"], 1, aggregation="sum"),
        "'sum'",
        3,
    ),
    (
        "a truth that is none",
        "measures.csv",
        change(country.REFERENCE["measures.csv"], 1, is_population="yes"),
        "'yes'",
        3,
    ),
]


@pytest.mark.parametrize(
    ("file", "lines", "said", "line"), [m[1:] for m in REFERENCE_MISTAKES], ids=[m[0] for m in REFERENCE_MISTAKES]
)
def test_a_mistake_in_a_reference_table_says_file_line_and_what_to_do(
    tmp_path: Path, file: str, lines: list[dict[str, str]], said: str, line: int
) -> None:
    land = made(tmp_path, reference={file: lines})
    error = refused(land.folder)
    assert file in error.where
    assert said in error.message
    assert line_of(error) == line


def test_payers_of_an_item_share_all_of_it(tmp_path: Path) -> None:
    payers = [PAYER, {**PAYER, "government_level": "shire", "share": "0.4"}]
    payers = [{**payer, "origin": "roll"} for payer in payers]
    land = made(tmp_path, reference={"service_items.csv": [ITEM], "item_payer_shares.csv": payers})
    assert load(land.folder).reference_tables()["item_payer_share"].height == 2
    land.write_reference("item_payer_shares.csv", [payers[0]])
    error = refused(land.folder)
    assert "adds up to 0.6" in error.message
    assert line_of(error) == 2


def test_what_a_file_may_leave_out_is_empty(tmp_path: Path) -> None:
    land = made(tmp_path)
    for name, column in (("region_changes.csv", "share_of_to"), ("targets.csv", "kind")):
        rows = [{c: v for c, v in row.items() if c != column} for row in country.REFERENCE[name]]
        land.write_reference(name, rows)
    tables = load(land.folder).reference_tables()
    assert tables["region_change"]["share_of_to"].null_count() == tables["region_change"].height
    assert tables["target"]["kind"].null_count() == tables["target"].height


def test_a_class_that_a_contract_lists_is_mapped(tmp_path: Path) -> None:
    land = made(tmp_path)
    path = land.folder / "contracts" / "treasury" / "functions.yml"
    contract = yaml.safe_load(path.read_text(encoding="utf-8"))
    row = next(r for r in layout(contract)["rows"] if r["dimension"] == "item")
    row["codes"] = [*CLASS_CODES, "99"]
    path.write_text(yaml.safe_dump(contract, allow_unicode=True, sort_keys=False), encoding="utf-8")
    error = refused(land.folder)
    assert "'99'" in error.message
    assert str(path) in error.where


def test_columns_that_do_not_fit_are_named(tmp_path: Path) -> None:
    land = made(tmp_path)
    path = land.folder / "reference" / "regions.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("region_level", "level", 1), encoding="utf-8")
    error = refused(land.folder)
    assert "missing: region_level" in error.message
    assert "unknown: level" in error.message


def test_a_table_that_is_no_utf8_or_torn_is_refused(tmp_path: Path) -> None:
    land = made(tmp_path)
    path = land.folder / "reference" / "domains.csv"
    whole = path.read_bytes()
    path.write_bytes(whole.decode().encode("gb18030"))
    assert str(path) in refused(land.folder).where
    path.write_bytes(whole + b"one,cell\n")
    assert str(path) in refused(land.folder).where


def test_a_required_table_that_is_missing_is_refused_an_optional_one_is_empty(tmp_path: Path) -> None:
    land = made(tmp_path)
    (land.folder / "reference" / "region_groups.csv").unlink()
    assert load(land.folder).reference_tables()["region_group"].height == 0
    (land.folder / "reference" / "regions.csv").unlink()
    assert "regions.csv is missing" in refused(land.folder).message


def test_a_byte_order_mark_is_no_part_of_a_column_name(tmp_path: Path) -> None:
    land = made(tmp_path)
    path = land.folder / "reference" / "regions.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load(land.folder).regions.height == len(REGIONS)


def test_nothing_of_zhejiang_is_in_the_code() -> None:
    """No jurisdiction, currency, level, department, measure or indicator stands in code or SQL."""
    zhejiang = load(PROJECT_FOLDER / "raw" / "zhejiang")
    words = {zhejiang.currency, zhejiang.name, zhejiang.home_region, *zhejiang.contracts}
    words |= set(zhejiang.reference_tables()["indicator"]["indicator_code"])
    words |= {m for m in zhejiang.reference_measures if "_" in m}
    words |= {unit for unit in zhejiang.units if len(unit) > 1}
    folders = [PROJECT_FOLDER / name for name in ("pipelines", "dbt_project", "expectations")]
    files = [p for f in folders for p in f.rglob("*") if p.suffix in (".py", ".sql", ".yml", ".html", ".md", ".j2")]
    assert len(files) > 60
    longest_first = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    any_word = re.compile(rf"(?<![\w-])(?:{longest_first})(?![\w-])")
    found = [
        f"{path.relative_to(PROJECT_FOLDER)}: {match.group()}"
        for path in files
        if not {"target", "logs"} & set(path.parts)
        for match in any_word.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_every_contract_of_zhejiang_says_whose_and_under_which_licence() -> None:
    zhejiang: Jurisdiction = load(PROJECT_FOLDER / "raw" / "zhejiang")
    for path in (PROJECT_FOLDER / "raw" / "zhejiang" / "contracts").glob("*/*.yml"):
        contract = zhejiang.contracts[yaml.safe_load(path.read_text(encoding="utf-8"))["id"]]
        assert contract.owner
        assert contract.license
        assert contract.source.publisher


# -- corrections ------------------------------------------------------------------------------------------------------

CORRECTION = """\
corrections:
  - {id: c1, extract: treasury/budget, delivery_period: "2020", region_code: V, column: "2018", expect: "1.0",
     action: replace, value: "1.1", reason: a slip, who: A. Clerk, since: 2021-02-01}
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("treasury/budget", "treasury/budgets", "has no contract"),
        (' value: "1.1",', "", "`replace` needs `value`"),
        ("action: replace", "action: drop_row", "`replace` needs `value`"),
        ('expect: "1.0",', "", "expect"),
        ("who: A. Clerk", 'who: ""', "who"),
        ("since: 2021-02-01", "since: last week", "since"),
    ],
)
def test_a_mistake_in_a_correction_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in CORRECTION
    land = made(tmp_path)
    path = land.folder / "corrections" / "own.yml"
    path.parent.mkdir()
    path.write_text(CORRECTION, encoding="utf-8")
    load(land.folder)
    path.write_text(CORRECTION.replace(old, new, 1), encoding="utf-8")
    assert said in refused(land.folder).message


def test_a_correction_twice_or_where_nobody_looks_is_refused(tmp_path: Path) -> None:
    land = made(tmp_path)
    folder = land.folder / "corrections"
    folder.mkdir()
    for name in ("a.yml", "b.yml"):
        (folder / name).write_text(CORRECTION, encoding="utf-8")
    assert "stands twice" in refused(land.folder).message
    (folder / "b.yml").rename(folder / "b.yaml")
    assert "nobody looks" in refused(land.folder).message


def test_a_correction_of_a_person_level_extract_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "zhejiang"
    shutil.copytree(PROJECT_FOLDER / "raw" / "zhejiang", folder, ignore=shutil.ignore_patterns("landing"))
    path = folder / "corrections" / "own.yml"
    path.parent.mkdir()
    path.write_text(CORRECTION.replace("treasury/budget", "social_insurance/contributions"), encoding="utf-8")
    assert "person-level" in refused(folder).message


# -- what editors and people are told ---------------------------------------------------------------------------------

DOCS = PROJECT_FOLDER / "docs"


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_for_editors_is_that_of_the_model(kind: str) -> None:
    path = DOCS / f"{kind}.schema.json"
    assert path.read_text(encoding="utf-8") == schema_text(kind), f"run: junheng schema {kind} > docs/{path.name}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_says_of_every_field_what_it_is(kind: str) -> None:
    """An editor shows these words while the file is written; they stand in field_words.yml."""
    made = schema(kind)
    parts = {kind: made, **made.get("$defs", {})}
    fields = {
        f"{name}.{field}": said for name, part in parts.items() for field, said in part.get("properties", {}).items()
    }
    assert [name for name, said in fields.items() if not said.get("description", "").strip()] == []


def test_the_schema_takes_every_contract_and_refuses_what_the_loader_refuses() -> None:
    validator = jsonschema.Draft202012Validator(schema("contract"))
    paths = list((PROJECT_FOLDER / "raw").glob("*/contracts/*/*.yml"))
    assert len(paths) > 10
    for path in paths:
        assert list(validator.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))) == [], path
    for change in (
        lambda c: c.update(licence="free"),
        lambda c: c.pop("license"),
        lambda c: c["layouts"][0]["format"].update(kind="pdf"),
        lambda c: c["layouts"][0]["period"].update({"from": "sky"}),
    ):
        wrong = yaml.safe_load(yaml.safe_dump(country.CONTRACTS[BUDGET]))
        assert list(validator.iter_errors(wrong)) == []
        change(wrong)
        assert list(validator.iter_errors(wrong)) != []


def test_every_field_of_a_contract_stands_in_its_reference() -> None:
    text = (DOCS / "contract.md").read_text(encoding="utf-8")
    models = {**schema("contract")["$defs"], **schema("corrections")["$defs"], "Contract": schema("contract")}
    fields = {name for model in models.values() for name in model.get("properties", {})}
    assert len(fields) > 80
    assert [name for name in sorted(fields) if f"`{name}`" not in text and f"`{name}:" not in text] == []
