"""Every expectation that ships can turn red: here is a change of the data for each, and each is tried.

A check that nobody has seen fail is a decoration. An expectation without a change here fails this test.
"""

# ruff: noqa: E501 (a line of SQL for each check)

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from houses import House

from pipelines import publish
from pipelines.dbt_manifest import read_dbt_manifest
from pipelines.quality import expectations
from pipelines.quality.previous import Previous, attach_previous
from pipelines.quality.suites import Expectation, ExpectationFile, load_expectations, load_manifest
from pipelines.records import CheckResult
from pipelines.settings import EXPECTATIONS_FOLDER, PROJECT_FOLDER

pytestmark = pytest.mark.pipeline

FILES = load_expectations([EXPECTATIONS_FOLDER, PROJECT_FOLDER / "raw" / "zhejiang" / "expectations"])
ALL = {expectation.check_id: (file, expectation) for file in FILES for expectation in file.expectations}


def one(table: str, condition: str = "true") -> str:
    """A condition that one row of a table meets."""
    return f"rowid = (SELECT min(rowid) FROM {table} WHERE {condition})"


HOME = "region_code = '330000'"
CENSUS = "population_source = 'census' AND residence = 'total' AND sex = 'all' AND age_group = 'all'"
WHOLE = "domain = 'all' AND residence = 'total'"

# A revision that nobody received: the sample has none of its own.
REVISED = """
    INSERT INTO mart_revision BY NAME SELECT 'fct_observation' AS table_name, observation_id AS row_key,
        'receipt' AS vintage_kind, 'before' AS vintage_before, 'after' AS vintage_after, department, extract, measure,
        region_code, year, value AS value_before, {} AS value_after, 'nobody' AS receipt_id, 'A' AS obs_status
    FROM fct_observation WHERE value IS NOT NULL LIMIT 1"""

SUMMED_UP = "INSERT INTO mart_revision_summary VALUES ('measure', 'beds', 'receipt', 1, 1, 2.0, 2.0, 'official')"

# A revision between two deliveries, and its summary: what is judged when there is one.
REVISED_ONCE = """
    INSERT INTO mart_revision BY NAME
    SELECT 'fct_observation' AS table_name, o.observation_id AS row_key, 'receipt' AS vintage_kind,
        a.receipt_id AS vintage_before, b.receipt_id AS vintage_after, o.department, o.extract, o.measure,
        o.region_code, o.year, o.value AS value_before, 2 * o.value AS value_after, 100.0 AS revision_pct,
        b.receipt_id AS receipt_id, 'A' AS obs_status, 'official' AS provenance
    FROM fct_observation o, audit_receipt a, audit_receipt b
    WHERE o.measure <> 'beds' AND o.value > 0 AND a.sequence = 1 AND b.sequence = 2
    ORDER BY o.observation_id LIMIT 1;
    INSERT INTO mart_revision_summary
    SELECT 'measure', measure, 'receipt', 1, 1, 100.0, 100.0, 'official' FROM mart_revision"""

# check -> what is done to the data
RED = {
    "audit_money.accepted_money_is_accounted_for": "UPDATE audit_money SET in_marts = in_marts + 1",
    "audit_money.no_money_is_lost_between_file_and_table": "UPDATE audit_money SET accepted = accepted - 1",
    "audit_receipt.every_receipt_has_its_hash": "UPDATE audit_receipt SET sha256 = 'none'",
    "audit_receipt.every_receipt_is_listed": f"DELETE FROM audit_receipt WHERE {one('audit_receipt')}",
    "audit_receipt.every_file_that_was_read_gave_observations": "UPDATE audit_receipt SET observations = 0",
    "audit_finding.every_finding_is_listed": f"DELETE FROM audit_finding WHERE {one('audit_finding')}",
    "audit_reject.every_reject_is_listed": "DELETE FROM audit_reject WHERE " + one("audit_reject"),
    "audit_reject.every_reject_names_its_rule": "UPDATE audit_reject SET rule = NULL",
    "audit_reject.known_rejects_have_a_reason": "UPDATE audit_reject SET is_known = true, known_reason = ' '",
    "audit_tie_out.every_file_that_was_read_has_an_account": f"DELETE FROM audit_tie_out WHERE {one('audit_tie_out')}",
    "audit_tie_out.every_account_holds": f"UPDATE audit_tie_out SET is_tied = NULL WHERE {one('audit_tie_out')}",
    "dim_indicator.every_indicator_is_listed": f"DELETE FROM dim_indicator WHERE {one('dim_indicator')}",
    "dim_indicator.what_is_not_computed_says_why": "UPDATE dim_indicator SET reason = '' WHERE NOT is_computed",
    "dim_indicator.directions_are_known": f"UPDATE dim_indicator SET direction = 'up' WHERE {one('dim_indicator')}",
    "dim_indicator.domains_are_listed": f"UPDATE dim_indicator SET domain = 'x' WHERE {one('dim_indicator')}",
    "dim_indicator.computed_indicators_have_a_multiplier": "UPDATE dim_indicator SET multiplier = 0 WHERE is_computed",
    "dim_region.versions_of_a_code_do_not_overlap": f"""
        INSERT INTO dim_region SELECT * REPLACE (valid_from + 1 AS valid_from) FROM dim_region WHERE {HOME}""",
    "dim_region.parents_are_there_and_higher": f"DELETE FROM dim_region WHERE {HOME}",
    "dim_region.home_region_is_listed_and_in_force": f"UPDATE dim_region SET is_in_force = false WHERE {HOME}",
    "dim_region.names_are_there": f"UPDATE dim_region SET region_name = NULL WHERE {HOME}",
    "dim_region_change.shares_that_leave_a_region_do_not_exceed_it": "UPDATE dim_region_change SET population_share = 1.1",
    "dim_region_change.kinds_of_change_are_known": "UPDATE dim_region_change SET change_kind = 'gone'",
    "dim_region_group.sources_are_stated": "UPDATE dim_region_group SET source = NULL",
    "dim_service.what_is_not_assessed_says_why": "UPDATE dim_service SET reason = NULL WHERE NOT is_assessed",
    "dim_service.domains_are_listed": f"UPDATE dim_service SET domain = 'x' WHERE {one('dim_service')}",
    "dim_target.interval_targets_lie_between_their_limits": "UPDATE dim_target SET lower_limit = 99 WHERE direction = 'interval'",
    "dim_target.targets_of_higher_is_better_are_positive": "UPDATE dim_target SET target_value = 0 WHERE direction = 'higher'",
    "dim_target.zero_targets_have_a_baseline": "UPDATE dim_target SET target_value = 0, baseline = NULL WHERE direction = 'lower'",
    "dim_target.origins_are_stated": f"UPDATE dim_target SET origin = NULL WHERE {one('dim_target')}",
    "fct_observation.nothing_is_lost_between_reading_and_table": f"DELETE FROM fct_observation WHERE {one('fct_observation')}",
    "fct_observation.values_are_the_ones_that_were_read": f"""
        UPDATE fct_observation SET value = value + 1 WHERE {one("fct_observation", "value IS NOT NULL")}""",
    "fct_observation.observations_tie_out_with_the_account": f"""
        UPDATE source.tie_out SET values_accepted = values_accepted + 1 WHERE {one("source.tie_out")}""",
    "fct_observation.provenance_is_the_contracts": f"""
        UPDATE fct_observation SET provenance = 'official' WHERE {one("fct_observation", "provenance = 'synthetic'")}""",
    "fct_observation.a_better_ranked_figure_is_never_passed_over": """
        UPDATE fct_observation SET is_chosen = NOT is_chosen WHERE measure = 'general_budget_expenditure'""",
    "fct_observation.every_latest_figure_has_one_chosen_observation": f"""
        UPDATE fct_observation SET is_chosen = false WHERE {one("fct_observation", "is_chosen")}""",
    "fct_observation.addresses_are_complete": f"UPDATE fct_observation SET source_row = NULL WHERE {one('fct_observation')}",
    "fct_observation.periods_run_forward": f"""
        UPDATE fct_observation SET period_end = period_start - 1 WHERE {one("fct_observation")}""",
    "fct_observation.stocks_are_not_negative": "UPDATE fct_observation SET value = -value WHERE measure = 'beds'",
    "fct_observation.two_reports_of_one_figure_agree": """
        UPDATE fct_observation SET value = value * 2 WHERE extract = 'general_budget_history'""",
    "fct_observation.two_layouts_of_provincial_expenditure_agree": """
        UPDATE fct_observation SET value = value + 1000000 WHERE extract = 'general_budget_history' AND region_code = '330000'""",
    "fct_observation.two_layouts_of_provincial_expenditure_overlap": """
        DELETE FROM fct_observation WHERE extract = 'general_budget_history' AND region_code = '330000'""",
    "fct_observation.departmental_figures_are_marked_synthetic": """
        UPDATE fct_observation SET provenance = 'official' WHERE extract = 'services'""",
    "fct_observation.published_figures_are_not_marked_synthetic": """
        UPDATE fct_observation SET provenance = 'synthetic' WHERE extract = 'census'""",
    "fct_observation.rented_dwellings_of_suichang_are_never_5_54": """
        INSERT INTO fct_observation SELECT * REPLACE ('遂昌县' AS region_name, 5.54 AS value) FROM fct_observation
        WHERE measure = 'dwellings_rented' AND region_code = '331102' AND year = 2010""",
    "fct_observation.values_fit_their_own_history": """
        UPDATE fct_observation SET value = value * 10 WHERE measure = 'beds' AND region_code = '330106' AND year = 2018""",
    "fct_observation.few_figures_are_gone_since_the_last_release": "DELETE FROM fct_observation WHERE year = 2018",
    "fct_observation.few_figures_are_revised_since_the_last_release": "UPDATE fct_observation SET value = value + 1 WHERE year = 2018",
    "fct_observation.beds_fit_health_spending": """
        UPDATE fct_observation SET value = value * 20 WHERE measure = 'beds' AND region_code = '330106' AND year = 2018""",
    "fct_observation.teachers_fit_pupils": "UPDATE fct_observation SET value = 1 WHERE measure = 'teachers' AND region_code = '330106'",
    "fct_observation.registered_and_resident_people_are_of_one_size": """
        UPDATE fct_observation SET value = value * 10 WHERE measure = 'registered_population' AND region_code = '330106'""",
    "fct_observation.most_figures_stay_since_the_last_release": "UPDATE fct_observation SET value = value + 1",
    "fct_population.people_are_whole": f"UPDATE fct_population SET population = population + 0.5 WHERE {HOME}",
    "fct_population.people_are_not_negative": f"UPDATE fct_population SET population = -population WHERE {HOME}",
    "fct_population.town_and_country_make_the_total": "UPDATE fct_population SET population = 1 WHERE residence = 'urban'",
    "fct_population.women_and_men_make_the_total": "UPDATE fct_population SET population = 1 WHERE sex = 'male'",
    "fct_population.parts_do_not_exceed_their_region": f"UPDATE fct_population SET population = 1 WHERE {HOME}",
    "fct_population.no_jump_from_year_to_year": f"""
        UPDATE fct_population SET population = population * 10 WHERE {HOME} AND year = 2018""",
    "fct_population.census_2010_residents": f"UPDATE fct_population SET population = population - 1 WHERE {HOME}",
    "fct_population.census_2010_registered": f"UPDATE fct_population SET population = population - 1 WHERE {HOME}",
    "fct_population.census_2020_residents": f"UPDATE fct_population SET population = population + 1 WHERE {HOME}",
    "fct_population.census_parts_add_up_to_their_region": f"""
        UPDATE fct_population SET population = population + 1 WHERE region_code = '330106' AND {CENSUS}""",
    "fct_population.census_2010_covers_every_county": f"""
        DELETE FROM fct_population WHERE region_code = '330106' AND {CENSUS}""",
    "fct_population.census_2020_covers_every_county": f"""
        DELETE FROM fct_population WHERE region_code = '330106' AND {CENSUS}""",
    "fct_population.the_zone_without_a_code_is_visible": f"""
        UPDATE fct_population SET population = population + 1 WHERE region_code = '330300' AND {CENSUS}""",
    "fct_population.the_zone_without_a_code_belongs_to_its_city": f"""
        UPDATE fct_population SET population = population - 1 WHERE region_level = 'zone' AND {CENSUS}""",
    "fct_population.residents_per_registered_person_in_wencheng": f"""
        UPDATE fct_population SET population = 1 WHERE region_code = '330328' AND {CENSUS} AND population_basis = 'resident'""",
    "fct_population.residents_per_registered_person_in_ouhai": f"""
        UPDATE fct_population SET population = 1 WHERE region_code = '330304' AND {CENSUS} AND population_basis = 'resident'""",
    "fct_population.year_end_residents_of_counties_add_up_to_the_province": f"""
        UPDATE fct_population SET population = population + 1 WHERE {HOME} AND population_source = 'year_end'""",
    "fct_observation.parts_of_a_return_stay_within_their_whole": """
        UPDATE fct_observation SET value = value * 2 WHERE measure = 'communities_with_shelter'""",
    "fct_observation.a_group_is_a_part_of_everybody": """
        UPDATE fct_observation SET value = value * 9 WHERE measure = 'hard_to_place_helped' AND "group" = 'disabled'""",
    "fct_observation.residents_served_do_not_exceed_the_residents": """
        UPDATE fct_observation SET value = value * 2 WHERE measure = 'rural_residents_with_piped_water'""",
    "fct_observation.classes_of_water_are_told_apart": """
        UPDATE fct_observation SET value = value + 9 WHERE measure = 'sections_worse_than_class_5'""",
    "fct_observation.days_of_the_air_are_days_of_a_year": """
        UPDATE fct_observation SET value = value + 60 WHERE measure = 'valid_air_days'""",
    "fct_observation.fine_dust_is_of_a_possible_size": """
        UPDATE fct_observation SET value = value / 1000 WHERE measure = 'pm25_station_day_sum'""",
    "fct_observation.the_rural_line_is_not_above_the_urban_one": """
        UPDATE fct_observation SET value = value * 2 WHERE measure = 'subsistence_line' AND residence = 'rural'""",
    "fct_observation.there_is_a_rural_line_where_there_are_rural_people": """
        UPDATE fct_observation SET value = NULL WHERE measure = 'subsistence_line' AND residence = 'rural' AND year = 2016""",
    "fct_observation.deaths_by_age_are_the_deaths_of_the_year": """
        UPDATE fct_observation SET value = value + 1 WHERE measure = 'deaths' AND age_group = '85+' AND sex = 'male'""",
    "fct_observation.livelihood_is_the_sum_of_its_classes": f"""
        UPDATE fct_observation SET value = value + 1 WHERE {one("fct_observation", "measure = 'livelihood_expenditure'")}""",
    "fct_observation.a_budget_adopted_is_of_the_size_of_its_final_account": """
        UPDATE fct_observation SET value = value * 10 WHERE measure = 'adopted_budget_expenditure' AND year = 2020""",
    "fct_observation.payments_are_for_items_with_an_agreed_split": """
        UPDATE fct_observation SET item = 'EDU-99' WHERE measure = 'item_payments' AND item = 'EDU-1'""",
    "dim_goalpost.what_is_dropped_says_why": f"UPDATE dim_goalpost SET low = high WHERE {one('dim_goalpost')}",
    "dim_item_payer_share.shares_add_up_to_one": "UPDATE dim_item_payer_share SET payer_share = payer_share + 0.01",
    "dim_item_payer_share.items_are_on_the_list": "UPDATE dim_item_payer_share SET item_name_zh = NULL",
    "dim_service_item.items_name_their_service_and_department": "UPDATE dim_service_item SET lead_department = NULL",
    "dim_service_item.origins_are_stated": f"UPDATE dim_service_item SET origin = NULL WHERE {one('dim_service_item')}",
    "dim_weight.shares_add_up_to_one": f"UPDATE dim_weight SET weight_share = 0.9 WHERE {one('dim_weight')}",
    "dim_weight.every_scored_indicator_weighs_something_somewhere": "DELETE FROM dim_weight WHERE child = 'EDU01'",
    "dim_weight.context_never_weighs": "UPDATE source.indicator SET role = 'context' WHERE indicator_code = 'EDU01'",
    "mart_revision.a_revision_changes_the_value": REVISED.format("value"),
    "mart_revision.a_revision_names_its_receipt": REVISED.format("value + 1"),
    "mart_revision_summary.means_are_those_of_the_revisions": SUMMED_UP,
    "figure.what_has_no_value_says_why": f"UPDATE figure SET undefined_reason = 'none' WHERE {HOME}",
    "figure.per_head_is_spending_over_people": f"""
        UPDATE figure SET value = value * (1 + 1e-8) WHERE {one("figure", "subject_code LIKE 'spending.%' AND value > 0")}""",
    "figure.a_share_of_the_budget_is_a_part_of_all_spending": f"""
        UPDATE figure SET value = 100.1 WHERE {one("figure", "subject_code LIKE 'budget_share.%' AND value > 0")}""",
    "figure.few_figures_are_gone_since_the_last_release": "DELETE FROM figure WHERE variant = 'own_level' AND year = 2018",
    "figure.few_figures_are_revised_since_the_last_release": "UPDATE figure SET value = value * 1.01 WHERE year = 2018",
    "figure.every_declared_variant_has_figures": "DELETE FROM figure WHERE variant = 'lowest_fifth'",
    "benchmark.quartiles_are_in_order": f"UPDATE benchmark SET median = most + 1 WHERE {one('benchmark')}",
    "benchmark.the_spread_is_that_of_figures": f"UPDATE benchmark SET most = most + 1 WHERE {one('benchmark')}",
    "benchmark.the_home_value_is_that_of_the_home_region": f"UPDATE benchmark SET home_value = NULL WHERE {one('benchmark')}",
    "mart_region_profile.words_of_comparison_rest_on_intervals": f"""
        UPDATE mart_region_profile SET to_home = 'better' WHERE {one("mart_region_profile", "to_home = 'similar'")}""",
    "mart_region_profile.positions_and_fifths_are_of_the_regions_compared": f"""
        UPDATE mart_region_profile SET fifth = NULL WHERE {one("mart_region_profile", "fifth = 1")}""",
    "mart_region_profile.no_word_and_no_place_without_a_value": f"""
        UPDATE mart_region_profile SET value = NULL WHERE {one("mart_region_profile", "fifth = 1")}""",
    "mart_per_capita_spending.what_is_shown_is_the_figure": f"""
        UPDATE mart_per_capita_spending SET per_resident = per_resident * (1 + 1e-12) WHERE {HOME}""",
    "mart_per_capita_spending.per_registered_person_is_spending_over_registered_people": f"""
        UPDATE mart_per_capita_spending SET per_registered = per_registered * (1 + 1e-8) WHERE {HOME}""",
    "mart_per_capita_spending.population_is_the_published_one": """
        UPDATE mart_per_capita_spending_variants SET population = population + 1 WHERE variant = 'census'""",
    "mart_per_capita_spending.synthetic_people_make_a_synthetic_figure": """
        UPDATE mart_per_capita_spending_variants SET provenance = 'official' WHERE variant = 'registered'""",
    "mart_per_capita_spending.every_population_of_a_variant_stands_beside_the_spending": f"""
        DELETE FROM figure WHERE {HOME} AND year = 2020 AND variant = 'registered'""",
    "mart_per_capita_spending.one_currency": "UPDATE mart_per_capita_spending_variants SET currency = 'EUR' WHERE variant = 'census'",
    "mart_per_capita_spending.basic_services_are_part_of_everything": f"""
        UPDATE mart_per_capita_spending SET spending = 1 WHERE {HOME} AND domain = 'all'""",
    "mart_per_capita_spending.basic_services_are_the_sum_of_their_domains": f"""
        UPDATE mart_per_capita_spending SET spending = spending + 0.01 WHERE {HOME} AND domain = 'basic'""",
    "mart_per_capita_spending.town_country_and_what_is_attributed_to_neither_make_the_whole": f"""
        UPDATE mart_per_capita_spending SET spending = 0 WHERE {one("mart_per_capita_spending", "undefined_reason = 'not_attributed'")}""",
    "mart_per_capita_spending.synthetic_money_makes_a_synthetic_figure": """
        UPDATE mart_per_capita_spending SET provenance = 'official' WHERE domain = 'health'""",
    "mart_per_capita_spending.constant_prices_are_nominal_ones_over_the_price_level": f"""
        UPDATE mart_per_capita_spending_variants SET spending = spending * 1.001 WHERE {HOME} AND variant = 'constant_prices'""",
    "mart_per_capita_spending.constant_prices_name_their_index": f"""
        UPDATE mart_per_capita_spending_variants SET price_index_origin = NULL WHERE {HOME} AND variant = 'constant_prices'""",
    "mart_per_capita_spending.per_resident_2010": f"UPDATE figure SET value = value * 1.001 WHERE {HOME}",
    "mart_per_capita_spending.per_registered_person_2010": f"UPDATE figure SET value = value * 1.001 WHERE {HOME}",
    "mart_per_capita_spending.per_resident_2016": f"UPDATE figure SET value = value * 1.001 WHERE {HOME}",
    "mart_per_capita_spending.per_resident_2020": f"UPDATE figure SET value = value * 1.001 WHERE {HOME}",
    "mart_per_capita_spending.levels_of_government_add_up_to_the_official_total": f"""
        UPDATE mart_expenditure_split SET spending = spending + 1 WHERE {HOME} AND subject_code = 'all' AND government_level = 'city'""",
    "mart_per_capita_spending.whole_of_ningbo_2020": f"""
        UPDATE mart_per_capita_spending SET spending = spending + 1 WHERE region_code = '330200' AND {WHOLE}""",
    "mart_per_capita_spending.a_citys_own_spending_is_not_spread_over_its_counties": f"""
        UPDATE mart_per_capita_spending SET spending = spending * 1.1 WHERE region_depth = 2 AND {WHOLE}""",
    "mart_per_capita_spending.figures_below_the_province_are_marked_synthetic": """
        UPDATE figure SET provenance = 'official' WHERE region_code = '330106'""",
    "mart_service_coverage.values_fit_those_of_similar_regions": """
        UPDATE mart_service_coverage SET value = value * 50 WHERE region_code = '330106' AND indicator_code = 'HEA04'""",
    "mart_service_coverage.value_is_numerator_over_denominator": f"""
        UPDATE mart_service_coverage SET value = value * (1 + 1e-8) WHERE {HOME}""",
    "mart_service_coverage.percentages_stay_within_100": f"UPDATE mart_service_coverage SET value = 100.1 WHERE {HOME}",
    "mart_service_coverage.attainment_lies_between_0_and_1": f"UPDATE mart_service_coverage SET attainment = 1.01 WHERE {HOME}",
    "mart_service_coverage.a_target_is_met_exactly_where_attainment_is_1": f"""
        UPDATE mart_service_coverage SET attainment = 1 WHERE {HOME}""",
    "mart_service_coverage.every_indicator_whose_data_are_here_is_computed": """
        DELETE FROM mart_service_coverage WHERE indicator_code = 'HEA04'""",
    "mart_service_coverage.a_synthetic_numerator_makes_a_synthetic_figure": """
        UPDATE mart_service_coverage SET provenance = 'official' WHERE indicator_code = 'HEA04'""",
    "mart_service_coverage.illiteracy_recomputed_is_the_printed_rate": """
        UPDATE mart_service_coverage SET value = value + 0.01 WHERE indicator_code = 'CEN06' AND region_code = '330106'""",
    "mart_service_coverage.illiteracy_was_compared_everywhere": """
        DELETE FROM fct_observation WHERE measure = 'illiteracy_rate_printed' AND region_code = '330106'""",
    "mart_service_coverage.piped_water": """
        UPDATE mart_service_coverage SET numerator = numerator + 1 WHERE indicator_code = 'CEN01' AND region_code = '330328'""",
    "mart_service_coverage.insured_do_not_exceed_the_people_there_can_be": f"""
        UPDATE mart_service_coverage SET numerator = denominator + 1 WHERE indicator_code = 'SOC02' AND {HOME}""",
    "mart_service_coverage.pupils_do_not_exceed_the_children_there_are": """
        UPDATE fct_observation SET value = value * 3 WHERE measure = 'pupils' AND item = 'junior'""",
    "mart_service_coverage.kitchens": f"""
        UPDATE mart_service_coverage SET numerator = numerator + 1 WHERE indicator_code = 'CEN51' AND {HOME}""",
    "mart_service_coverage.the_long_form_of_2020_is_a_break": """
        UPDATE mart_service_coverage SET obs_status = 'A' WHERE indicator_code = 'CEN02' AND year = 2020""",
    "mart_service_coverage.mean_years_of_schooling_on_one_base": f"""
        UPDATE mart_service_coverage SET obs_status = 'A' WHERE indicator_code = 'CEN05' AND {HOME}""",
    "mart_service_coverage.every_service_of_the_plan_has_a_figure": """
        DELETE FROM mart_service_coverage WHERE indicator_code = 'LIV05'""",
    "mart_service_coverage.children_in_kindergarten_do_not_exceed_the_children_there_are": f"""
        UPDATE mart_service_coverage SET numerator = denominator + 1 WHERE indicator_code = 'EDU02' AND {HOME}""",
    "mart_service_coverage.few_events_are_pooled_or_not_published": """
        UPDATE mart_service_coverage SET numerator = 1 WHERE indicator_code = 'HEA07' AND value IS NOT NULL""",
    "mart_service_coverage.standardised_rates_lie_between_those_of_the_ages": """
        UPDATE mart_service_coverage SET value = value * 1000 WHERE standard_population IS NOT NULL""",
    "mart_inequality.ratio_and_difference_are_those_of_the_extremes": """
        UPDATE mart_inequality SET value = value * (1 + 1e-8) WHERE measure = 'ratio'""",
    "mart_inequality.weighted_variation_is_computed_again": """
        UPDATE mart_inequality SET value = value + 1e-4 WHERE measure = 'cv' AND weighting = 'population'""",
    "mart_inequality.every_subject_with_places_below_is_compared": """
        DELETE FROM mart_inequality WHERE subject_code = 'HEA04'""",
    "mart_urban_rural_gap.the_gap_is_urban_minus_rural": f"""
        UPDATE mart_urban_rural_gap SET difference = -difference WHERE {one("mart_urban_rural_gap", "difference <> 0")}""",
    "mart_urban_rural_gap.closing_is_measured_from_the_base_year": f"""
        UPDATE mart_urban_rural_gap SET closing_rate = 0.5 WHERE {HOME}""",
    "mart_urban_rural_gap.no_gap_where_nobody_lives_in_the_country": """
        UPDATE mart_urban_rural_gap SET obs_status = 'A' WHERE undefined_reason = 'no_rural_population'""",
    "mart_fiscal_effort.the_share_is_that_of_the_spending_table": f"""
        UPDATE mart_fiscal_effort SET basic_spending = basic_spending + 0.01 WHERE {HOME}""",
    "mart_fiscal_effort.a_share_rises_where_it_is_larger_than_the_year_before": f"""
        UPDATE mart_fiscal_effort SET share_rises = NOT share_rises WHERE {HOME}""",
    "mart_fiscal_effort.two_thirds_are_tested_on_exact_numbers": f"""
        UPDATE mart_fiscal_effort SET livelihood_increase = livelihood_increase + 0.01 WHERE {HOME}""",
    "mart_fiscal_effort.the_test_names_its_scope": "UPDATE mart_fiscal_effort SET two_thirds_scope_en = ' '",
    "mart_fiscal_effort.own_and_lower_levels_are_the_whole": f"""
        UPDATE mart_fiscal_effort SET lower_levels_share = lower_levels_share + 0.000001 WHERE {HOME}""",
    "mart_expenditure_split.shares_are_of_the_money": f"""
        UPDATE mart_expenditure_split SET spending = spending * 1.1 WHERE {HOME} AND is_own_level""",
    "mart_expenditure_split.an_item_is_kept_within_one_point": "UPDATE mart_expenditure_split SET is_kept = NOT is_kept",
    "mart_composite_index.the_home_region_of_the_base_year_is_100": f"""
        UPDATE mart_composite_index SET index_value = 100.1 WHERE {HOME} AND year = 2015""",
    "mart_composite_index.what_has_no_index_says_why": f"UPDATE mart_composite_index SET index_value = NULL WHERE {HOME}",
    "mart_composite_index.most_of_the_weight_lies_within_its_goalposts": f"""
        UPDATE mart_composite_index SET clamped_weight_pct = 26 WHERE {HOME}""",
    "mart_equalisation.a_gap_is_target_less_degree": f"UPDATE mart_equalisation SET gap_to_target_pct = 0 WHERE {HOME}",
    "mart_equalisation.what_has_no_degree_says_why": f"UPDATE mart_equalisation SET undefined_reason = 'no_figures' WHERE {HOME}",
    "mart_equalisation.less_than_half_of_a_domain_is_no_degree": "UPDATE mart_equalisation SET weight_coverage = 0.49",
    "mart_equalisation.synthetic_figures_make_a_synthetic_degree": f"""
        UPDATE mart_equalisation SET provenance = 'official' WHERE {HOME}""",
    "mart_equalisation.a_whole_lies_between_its_domains": """
        UPDATE mart_equalisation SET degree_pct = 1 WHERE domain = 'all' AND regions = 1""",
    "mart_equalisation.a_region_lies_between_its_lowest_regions": f"UPDATE mart_equalisation SET degree_pct = 1 WHERE {HOME}",
    "mart_equalisation_dispersion.dispersion_has_its_bounds": """
        UPDATE mart_equalisation_dispersion SET value = 0.9 WHERE measure = 'max_to_min_ratio'""",
    "mart_equalisation_dispersion.what_has_no_value_says_why": "UPDATE mart_equalisation_dispersion SET undefined_reason = 'no_scores'",
    "mart_equalisation_dispersion.group_and_rest_hold_the_degree_between_them": """
        UPDATE mart_equalisation_dispersion SET value = 1 WHERE measure IN ('group_degree_pct', 'rest_degree_pct')""",
    "mart_gap_contribution.contributions_add_up_to_the_gap": f"""
        UPDATE mart_gap_contribution SET contribution_points = contribution_points + 1e-12 WHERE {one("mart_gap_contribution")}""",
    "mart_gap_contribution.a_contribution_is_weight_times_shortfall": f"""
        UPDATE mart_gap_contribution SET effective_weight = 0.9 WHERE {one("mart_gap_contribution", "contribution_points > 0")}""",
    "mart_gap_contribution.people_behind_are_those_of_the_progress": "UPDATE mart_gap_contribution SET people_behind_target = 1",
    "mart_sensitivity.ranks_hold_the_published_one": "UPDATE mart_sensitivity SET rank_published = rank_high + 1",
    "mart_sensitivity.all_is_the_widest_family": """
        UPDATE mart_sensitivity SET rank_high = rank_high + 1 WHERE scenario_family = 'weights'""",
    "mart_sensitivity.shares_are_shares": "UPDATE mart_sensitivity SET share_meeting_target = 1.1",
    "mart_target_progress.people_behind_make_up_the_shortfall": """
        UPDATE mart_target_progress SET people_behind_target = people_behind_target + 1 WHERE people_behind_target > 0""",
    "mart_target_progress.years_to_target_are_told_or_explained": "UPDATE mart_target_progress SET years_to_target = NULL",
    "mart_target_progress.the_target_met_is_the_target_reached": f"""
        UPDATE mart_target_progress SET is_target_met = NOT is_target_met WHERE {HOME}""",
    "mart_target_progress.every_figure_with_a_target_is_measured": "DELETE FROM mart_target_progress WHERE indicator_code = 'SOC02'",
    "mart_service_coverage.people_without_are_those_who_are_not_counted": f"""
        UPDATE mart_service_coverage SET people_without = people_without + 1 WHERE {HOME}""",
    "mart_urban_rural_gap.both_sides_are_published_figures": f"""
        UPDATE mart_urban_rural_gap SET urban = urban + 1 WHERE {HOME}""",
    "mart_urban_rural_gap.what_is_attributed_to_neither_stands_beside_money": f"""
        UPDATE mart_urban_rural_gap SET unattributed_spending = NULL WHERE {HOME}""",
    "mart_expenditure_split.one_payer_at_most_takes_what_rounding_leaves": f"""
        UPDATE mart_expenditure_split SET rounding_residual = 0.000001 WHERE {HOME}""",
    "mart_equalisation.a_degree_of_the_mean_has_its_bounds": f"""
        UPDATE mart_equalisation SET degree_high_pct = NULL WHERE {HOME}""",
    "mart_sensitivity.the_degree_is_the_published_one": """
        UPDATE mart_sensitivity SET degree_pct = degree_pct + 1e-9 WHERE degree_pct < 99""",
    "mart_target_progress.the_value_is_that_of_the_coverage": f"""
        UPDATE mart_target_progress SET value = value * (1 + 1e-12) WHERE {HOME}""",
}  # fmt: skip


@pytest.fixture(scope="module")
def build_folder(zhejiang: House, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the build that Zhejiang's release was made of."""
    copied = tmp_path_factory.mktemp("build") / "build"
    shutil.copytree(zhejiang.warehouse.build_folder(zhejiang.manifest()["build_id"]), copied)
    return copied


@pytest.fixture(scope="module")
def copied(build_folder: Path, zhejiang: House) -> Iterator[duckdb.DuckDBPyConnection]:
    """The build, to be changed, with the release that was made of it as the one before."""
    folder = zhejiang.warehouse.current
    published = [
        table.contract for table in publish.published_tables(read_dbt_manifest(build_folder / "dbt_manifest.json"))
    ]
    config: dict[str, str | int] = {"threads": 2, "file_search_path": str(build_folder)}
    with duckdb.connect(str(build_folder / "build.duckdb"), config=config) as connection:
        attach_previous(connection, Previous("before", folder), published)
        connection.execute(REVISED_ONCE)
        assert connection.execute("SELECT count(*) FROM mart_revision_summary").fetchone() == (1,)
        # as tables, so that single columns can be taken from them
        views = connection.execute(
            "SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = 'build' AND NOT internal"
        ).fetchall()
        for schema, view in views:
            connection.execute(f'CREATE TABLE "{schema}"."{view} rows" AS FROM "{schema}"."{view}"')
            connection.execute(f'DROP VIEW "{schema}"."{view}"')
            connection.execute(f'ALTER TABLE "{schema}"."{view} rows" RENAME TO "{view}"')
        yield connection


def outcome_of(connection: duckdb.DuckDBPyConnection, file: ExpectationFile, expectation: Expectation) -> str:
    (result,) = expectations.judge(connection, [replace(file, expectations=[expectation])], {})
    return result.outcome


def test_every_expectation_has_a_change_that_should_turn_it_red() -> None:
    assert {f"expectation.{name}" for name in RED} == set(ALL)


@pytest.mark.parametrize("name", sorted(RED))
def test_it_turns_red(copied: duckdb.DuckDBPyConnection, name: str) -> None:
    file, expectation = ALL[f"expectation.{name}"]
    copied.begin()
    try:
        copied.execute(RED[name])
        assert outcome_of(copied, file, expectation) == "fail"
    finally:
        copied.rollback()


@pytest.mark.parametrize(
    ("change", "red"),
    [
        ('INSERT INTO "{table}" SELECT * FROM "{table}" LIMIT 1', "key_is_unique"),
        ('UPDATE "{table}" SET "{column}" = NULL', "key_is_complete"),
    ],
)
def test_the_key_of_every_published_table_turns_red(
    copied: duckdb.DuckDBPyConnection, build_folder: Path, change: str, red: str
) -> None:
    keys = load_manifest(build_folder / "dbt_manifest.json").keys
    assert len(keys) > 10
    copied.begin()
    try:
        for row in (REVISED.format("value + 1"), SUMMED_UP):  # nothing in the sample was ever revised
            copied.execute(row)
        for table, key in keys.items():
            copied.execute(change.format(table=table, column=key[-1]))
        found = {result.check_id: result.outcome for result in expectations.judge(copied, [], keys)}
    finally:
        copied.rollback()
    assert {table: found[f"expectation.{table}.{red}"] for table in keys} == dict.fromkeys(keys, "fail")


def test_without_their_tables_all_of_them_are_errors(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "empty.duckdb")) as connection:
        results = expectations.judge(connection, FILES, {})
    assert {result.check_id for result in results} == set(ALL)
    assert {result.outcome for result in results} == {"error"}


def test_in_tables_without_rows_none_of_them_passes(copied: duckdb.DuckDBPyConnection) -> None:
    """What looks at nothing must not pass: it is an error, or not applicable where the file says so."""
    copied.begin()
    try:
        tables = copied.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE schema_name IN ('main', 'source') AND database_name = 'build'"
        )
        for schema, table in tables.fetchall():
            copied.execute(f'DELETE FROM "{schema}"."{table}"')
        results = expectations.judge(copied, FILES, {})
    finally:
        copied.rollback()
    passed = [result.check_id for result in results if result.outcome == "pass"]
    assert passed == []


# -- a table or column that is not there ---------------------------------------------------------------------------


def columns_of(connection: duckdb.DuckDBPyConnection, *schemas: str) -> dict[str, list[str]]:
    """The columns of every table of the build in these schemas; the table as SQL names it."""
    rows = connection.execute(
        "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE database_name = 'build' AND NOT internal"
    ).fetchall()
    found: dict[str, list[str]] = {}
    for schema, table, column in sorted(rows):
        if schema in schemas:
            found.setdefault(f'"{schema}"."{table}"', []).append(column)
    return found


def mentions(text: str, relation: str, column: str | None = None) -> bool:
    """True when a rule names the table and, if one is given, the column."""
    schema, table = relation.replace('"', "").split(".")
    name = table if schema == "main" else f"{schema}.{table}"
    words = set(re.findall(r"[\w]+", text))
    return re.search(rf"(?<![\w.]){re.escape(name)}\b", text) is not None and (column is None or column in words)


class Asked:
    """Every expectation asked on the present state of the data, with one context of Great Expectations for all."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, keys: dict[str, list[str]]) -> None:
        self.connection, self.keys = connection, keys
        self.judging = expectations._Judge(connection, None, with_documents=False)

    def result(self, file: ExpectationFile, expectation: Expectation) -> tuple[str, str]:
        results: list[CheckResult] = []
        for one_of in expectations._split_applicable(
            self.connection, [replace(file, expectations=[expectation])], results
        ):
            if one_of.measure is not None:
                results += self.judging.judge_measured([one_of])
            else:
                results += self.judging.judge_table(one_of.table, [one_of], self.keys.get(one_of.table, []))
        return results[0].outcome, results[0].observed


def texts_of(file: ExpectationFile, expectation: Expectation) -> str:
    parts = [expectation.measure or f"{expectation.table} {expectation.arguments}"]
    return " ".join([*parts, expectation.applies_when or "", file.applies_when or ""])


def test_without_one_of_its_tables_or_columns_an_expectation_is_an_error(
    copied: duckdb.DuckDBPyConnection, build_folder: Path
) -> None:
    """What an expectation looks at cannot go without a word: the result is an error, or the thing was not looked at."""
    keys = load_manifest(build_folder / "dbt_manifest.json").keys
    asked = Asked(copied, keys)
    before = {name: asked.result(*pair) for name, pair in ALL.items()}
    tables, columns = dict.fromkeys(ALL, 0), dict.fromkeys(ALL, 0)
    silent = []
    for relation, names in columns_of(copied, "main", "source").items():
        for column in [None, *names]:
            own = [name for name, pair in ALL.items() if mentions(texts_of(*pair), relation, column)]
            if not own:
                continue
            copied.begin()
            try:
                copied.execute(
                    f"DROP TABLE {relation}" if column is None else f'ALTER TABLE {relation} DROP COLUMN "{column}"'
                )
                for name in own:
                    found = asked.result(*ALL[name])
                    if not (found[0] == "error" or (column and found == before[name])):
                        silent.append((name, relation, column, found))
                    counted = tables if column is None else columns
                    counted[name] += found[0] == "error"
            finally:
                copied.rollback()
    assert not silent, "\n".join(map(str, silent))
    assert [name for name in ALL if not tables[name] or not columns[name]] == []


def test_without_one_of_its_tables_or_columns_a_dbt_test_is_an_error(
    copied: duckdb.DuckDBPyConnection, build_folder: Path
) -> None:
    """dbt reports as an error what its SQL raises, and the verdict takes an error for no pass."""
    tests = {test.check_id: test.sql for test in load_manifest(build_folder / "dbt_manifest.json").tests}
    assert len(tests) > 30 and all(tests.values())
    names = dict.fromkeys(tests, 0)
    columns = dict.fromkeys(tests, 0)
    for relation, own_columns in columns_of(
        copied, "main", "source", "intermediate", "staging", "figures", "terms"
    ).items():
        for column in [None, *own_columns]:
            own = [
                check_id
                for check_id, sql in tests.items()
                if relation in sql and (column is None or column in set(re.findall(r"\w+", sql)))
            ]
            if not own:
                continue
            copied.begin()
            try:
                copied.execute(
                    f"DROP TABLE {relation}" if column is None else f'ALTER TABLE {relation} DROP COLUMN "{column}"'
                )
                for check_id in own:
                    try:
                        copied.execute(f"EXPLAIN {tests[check_id]}")
                    except duckdb.Error:
                        (names if column is None else columns)[check_id] += 1
                    else:
                        assert column is not None, check_id
            finally:
                copied.rollback()
    # A check that only counts the rows of its table names no column that could go.
    counts_rows = {"dbt.needed_tables_have_rows"}
    unproved = [c for c in tests if not names[c] or (not columns[c] and c not in counts_rows)]
    assert unproved == []


def test_without_its_table_or_a_column_the_check_of_a_key_is_an_error(
    copied: duckdb.DuckDBPyConnection, build_folder: Path
) -> None:
    keys = load_manifest(build_folder / "dbt_manifest.json").keys
    for change in ('DROP TABLE "{table}"', 'ALTER TABLE "{table}" DROP COLUMN "{column}"'):
        copied.begin()
        try:
            for table, key in keys.items():
                copied.execute(change.format(table=table, column=key[0]))
            results = expectations.judge(copied, [], keys)
        finally:
            copied.rollback()
        assert len(results) == 2 * len(keys)
        assert {result.outcome for result in results} == {"error"}
