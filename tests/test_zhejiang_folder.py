"""What the Zhejiang folder promises: the sample is what its generator makes, the reference tables fit together."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines import jurisdiction

ROOT = Path(__file__).resolve().parent.parent
ZHEJIANG = ROOT / "raw" / "zhejiang"


def table(name: str) -> list[dict[str, str]]:
    with (ZHEJIANG / "reference" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def generate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = folder / "synthetic" / "generate.py"
    return subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "zhejiang"
    shutil.copytree(ZHEJIANG, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def in_force(day: str, level: str = "county") -> set[str]:
    return {
        r["region_code"]
        for r in table("regions.csv")
        if r["region_code"].startswith("33")
        and r["region_level"] == level
        and r["valid_from"] <= day
        and (not r["valid_to"] or day < r["valid_to"])
    }


def cities() -> set[str]:
    return in_force("2020-12-31", "city")


class TestGenerator:
    def test_the_sample_is_made_again_byte_for_byte(self) -> None:
        result = generate(ZHEJIANG, "--check")
        assert result.returncode == 0, result.stderr
        assert "77 sample files, 0 differences" in result.stdout

    def test_a_changed_a_missing_and_an_added_file_are_each_named(self, copy: Path) -> None:
        files = sorted(p for p in (copy / "landing/education/schools").rglob("*.csv"))
        files[0].write_bytes(files[0].read_bytes().replace(b"9", b"8", 1))
        files[1].unlink()
        (copy / "landing/housing/security/2015/more.xlsx").write_bytes(b"x")
        result = generate(copy, "--check")
        assert result.returncode == 1
        assert f"different: education/schools/2015/{files[0].name}" in result.stderr
        assert f"missing: education/schools/2016/{files[1].name}" in result.stderr
        assert "not made by the generator: housing/security/2015/more.xlsx" in result.stderr

    def test_another_seed_makes_another_sample_with_the_same_totals(self, copy: Path, tmp_path: Path) -> None:
        parameters = copy / "synthetic" / "parameters.toml"
        parameters.write_text(parameters.read_text(encoding="utf-8").replace("junheng-zhejiang-1", "another"), "utf-8")
        out = tmp_path / "out"
        assert generate(copy, "--out", str(out)).returncode == 0
        path = "finance/functional_expenditure/2016/示例_功能分类支出决算_2016.csv"
        ours, theirs = (ZHEJIANG / "landing" / path).read_bytes(), (out / path).read_bytes()
        assert ours != theirs

        def total(data: bytes) -> int:
            rows = list(csv.reader(data.decode("utf-8").splitlines()))
            return sum(int(row[7]) for row in rows if len(row) == 8 and row[7].isdigit())

        assert total(ours) == total(theirs) == 69_742_600  # 6974.26 亿元

    def test_an_input_that_does_not_fit_is_refused(self, copy: Path) -> None:
        regions = copy / "reference" / "regions.csv"
        kept = [line for line in regions.read_text(encoding="utf-8").splitlines() if not line.startswith("330122")]
        regions.write_text("\n".join(kept) + "\n", "utf-8")
        result = generate(copy, "--check")
        assert result.returncode == 2
        assert "the sample cannot be made" in result.stderr


class TestRegions:
    def test_county_units_by_year(self) -> None:
        counts = {year: len(in_force(f"{year}-12-31")) for year in range(2009, 2025)}
        assert counts == {year: 89 if 2016 <= year <= 2018 else 90 for year in range(2009, 2025)}

    def test_every_census_unit_is_in_force_at_its_census(self) -> None:
        assert len(in_force("2010-11-01")) == len(in_force("2020-11-01")) == 90
        assert in_force("2020-11-01", "zone") == {"330371"}

    def test_a_code_gets_a_new_version_whenever_its_land_changes(self) -> None:
        starts = defaultdict(set)
        for row in table("regions.csv"):
            starts[row["region_code"]].add(row["valid_from"])
        for change in table("region_changes.csv"):
            for code in (change["from_code"], change["to_code"]):
                ended = any(
                    r["region_code"] == code and r["valid_to"] == change["effective_date"] for r in table("regions.csv")
                )
                assert ended or change["effective_date"] in starts[code], change

    def test_the_parts_of_a_changed_unit_make_the_whole_in_both_directions(self) -> None:
        for share, code in (("population_share", "from_code"), ("share_of_to", "to_code")):
            sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
            for change in table("region_changes.csv"):
                sums[change[code], change["effective_date"]] += Decimal(change[share])
            assert set(sums.values()) == {Decimal(1)}, sums

    def test_a_share_says_where_it_comes_from(self) -> None:
        for change in table("region_changes.csv"):
            is_whole = change["population_share"] == change["share_of_to"] == "1"
            assert (change["share_source"] == "whole unit") is is_whole, change
            assert change["is_estimated"] in ("true", "false")
            assert not (is_whole and change["is_estimated"] == "true"), change

    def test_shares_of_2021_are_the_census_counts_on_both_lists(self) -> None:
        shares = {
            (c["from_code"], c["to_code"]): Decimal(c["population_share"])
            for c in table("region_changes.csv")
            if c["effective_date"] == "2021-03-11"
        }
        moved = {key: round(Decimal(count) * shares[key]) for key, count in COUNTED_2020.items()}
        assert moved == {
            ("330104", "330102"): 965_810,
            ("330104", "330114"): 521_977,
            ("330109", "330114"): 247_173,
            ("330110", "330113"): 1_175_841,
        }

    def test_a_union_is_made_of_units_of_its_list(self) -> None:
        unions = table("region_unions.csv")
        for row in unions:
            day = f"{row['reference_geography']}-12-31"
            assert row["member_code"] in in_force(day) | in_force(day, "zone"), row
        assert {r["member_code"] for r in unions if r["reference_geography"] == "2020"} == {
            "330303",
            "330305",
            "330371",
        }


COUNTED_2020 = {
    ("330104", "330102"): 1_487_787,
    ("330104", "330114"): 1_487_787,
    ("330109", "330114"): 2_258_872,
    ("330110", "330113"): 2_402_514,
}


OWN = {"EDU51", "EDU52", "SOC51", "SOC52", "CEN51", "HEA52", "HEA53"}


class TestCatalogue:
    def test_an_indicator_is_computed_or_says_why_not(self) -> None:
        for row in table("indicators.csv"):
            assert bool(row["numerator"] and row["denominator"]) != bool(row["reason"]), row["indicator_code"]

    def test_a_service_is_assessed_when_an_indicator_of_it_is_computed(self) -> None:
        computed = {r["indicator_code"] for r in table("indicators.csv") if r["numerator"]}
        for row in table("services.csv"):
            is_assessed = bool(computed & set(row["indicators"].split(";")))
            assert row["is_assessed"] == str(is_assessed).lower(), row["service"]
            assert bool(row["reason"]) != is_assessed, row["service"]

    def test_every_service_of_the_eight_domains_that_the_plan_measures_is_assessed(self) -> None:
        basic = {r["domain"] for r in table("domains.csv") if r["is_basic"] == "true"}
        with_indicators = [r for r in table("services.csv") if r["domain"] in basic and r["indicators"]]
        assert len(with_indicators) == 35
        assert {r["is_assessed"] for r in with_indicators} == {"true"}

    def test_scored_indicators_are_all_computed_and_have_a_target(self) -> None:
        scored = [r for r in table("indicators.csv") if r["role"] == "scored"]
        aims = {r["indicator_code"] for r in table("targets.csv") if r["kind"] == "target" and r["target_value"]}
        assert [r["indicator_code"] for r in scored if not r["numerator"]] == []
        assert {r["indicator_code"] for r in scored} <= aims

    def test_milestones_lead_from_year_to_year_to_the_target(self) -> None:
        aims = {
            r["indicator_code"]: Decimal(r["target_value"])
            for r in table("targets.csv")
            if r["kind"] == "target" and r["target_value"]
        }
        direction = {r["indicator_code"]: r["direction"] for r in table("indicators.csv")}
        paths: dict[tuple[str, str], dict[int, Decimal]] = defaultdict(dict)
        for row in table("targets.csv"):
            if row["kind"] == "milestone":
                assert row["origin"] == "illustrative"
                assert row["region_code"] in in_force(f"{row['target_year']}-12-31") | cities() | {"330000"}, row
                paths[row["indicator_code"], row["region_code"]][int(row["target_year"])] = Decimal(row["target_value"])
        assert len({code for code, _ in paths}) >= 6
        for (code, region), path in paths.items():
            values = [path[year] for year in sorted(path)]
            assert values == sorted(values, reverse=direction[code] == "lower"), (code, region)
            assert 2020 not in path or path[2020] == aims[code], (code, region)

    def test_weights_by_service_give_every_service_of_a_domain_the_same(self) -> None:
        scored = {r["indicator_code"] for r in table("indicators.csv") if r["role"] == "scored"}
        weights = {r["child"]: Decimal(r["weight"]) for r in table("weights.csv") if r["weight_set"] == "by_service"}
        assert scored <= set(weights)
        for service in table("services.csv"):
            own = scored & set(service["indicators"].split(";"))
            assert sum(weights[code] for code in own) == (60 if own else 0), service["service"]

    def test_what_is_made_up_says_so(self) -> None:
        assert {r["origin"] for r in table("weights.csv") if r["weight_set"] == "expert"} == {"illustrative"}
        assert {r["origin"] for r in table("price_index.csv")} == {"unverified"}
        assert {r["origin"] for r in table("service_items.csv") + table("item_payer_shares.csv")} == {"illustrative"}

    def test_every_service_has_an_item_and_every_item_its_payers(self) -> None:
        basic = {r["domain"] for r in table("domains.csv") if r["is_basic"] == "true"}
        items = table("service_items.csv")
        assert {r["service"] for r in table("services.csv") if r["domain"] in basic and r["indicators"]} == {
            r["service"] for r in items
        }
        payers = {(r["item"], r["government_level"]) for r in table("item_payer_shares.csv")}
        levels = ("central", "province", "city", "county", "other")
        assert payers == {(r["item"], level) for r in items for level in levels}

    def test_services_and_targets_name_indicators_that_exist(self) -> None:
        known = {r["indicator_code"] for r in table("indicators.csv")}
        named = [code for r in table("services.csv") for code in r["indicators"].split(";") if code]
        assert set(named) == known
        assert {r["indicator_code"] for r in table("targets.csv")} <= known

    def test_the_whole_catalogue_is_loaded(self) -> None:
        assert len({r["indicator_code"] for r in table("indicators.csv")} - OWN) == 87

    def test_every_measure_is_reported_by_a_contract_and_used_in_its_base_unit(self) -> None:
        zhejiang = jurisdiction.load(ZHEJIANG)
        text = "\n".join(p.read_text(encoding="utf-8") for p in (ZHEJIANG / "contracts").rglob("*.yml"))
        units = {unit.base for unit in zhejiang.units.values()}
        for row in table("measures.csv"):
            assert row["measure"] in text, row["measure"]
            assert row["unit"] in units, row["measure"]

    def test_what_is_sample_says_so(self) -> None:
        zhejiang = jurisdiction.load(ZHEJIANG)
        for path in sorted(zhejiang.landing.glob("*/*/*/*")):
            department, extract = path.relative_to(zhejiang.landing).parts[:2]
            contract = zhejiang.contracts[f"{department}/{extract}"]
            assert path.name.startswith("示例") == (contract.provenance == "synthetic"), path
            if contract.provenance == "synthetic":
                assert "示例数据" in contract.name
                data = path.read_bytes()
                encodings = ("utf-8", "gb18030")  # workbooks are stored uncompressed, so their text can be seen
                assert any("示例数据".encode(e) in data for e in encodings), path
