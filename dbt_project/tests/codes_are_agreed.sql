{{ config(
    meta={'severity': 'block', 'owner': '数据管理 / data steward',
          'why': 'a code nobody agreed on falls out of every selection'},
) }}
-- Code columns hold only agreed codes; null is none of them.
{% set bases = 'resident registered target_group none' %}
{% set sources = 'census year_end mid_year none' %}
{% set residences = 'total urban rural unattributed' %}
{% set sexes = 'all male female' %}
{% set derivations = 'reported summed averaged rebased estimated' %}
{% set provenances = 'official synthetic' %}
{% set attainments = 'computed negative_value no_target value_missing target_not_positive target_negative no_baseline
    no_limits no_direction' %}
{% set years_left = 'computed met wrong_way no_change base_year no_base_value value_missing no_target' %}
{% set codes = {
    'fct_observation': {'population_basis': bases, 'population_source': sources, 'residence': residences, 'sex': sexes,
        'obs_status': 'A E P B N O M L Q E;P B;P N;P', 'conf_status': 'F A C D E N S', 'provenance': provenances},
    'fct_population': {'population_source': sources, 'population_basis': bases, 'residence': residences, 'sex': sexes,
        'derivation': derivations, 'provenance': provenances},
    'figure_spending': {'residence': residences, 'prices': 'nominal constant', 'origin': 'whole functional',
        'provenance': provenances},
    'figure_indicator': {'population_basis': bases, 'population_source': sources, 'residence': residences, 'sex': sexes,
        'attainment_note': attainments, 'derivation': derivations, 'provenance': provenances},
    'figure_degree': {'undefined_reason': 'computed domain_missing too_little_weight no_figures not_applicable no_population
        no_threshold zero_score mean_not_positive', 'provenance': provenances},
    'figure_index': {'undefined_reason': 'computed domain_missing too_little_weight no_figures not_applicable no_population
        zero_score no_base base_is_zero', 'provenance': provenances},
    'figure_contribution': {'years_to_target_note': years_left ~ ' no_own_figure', 'provenance': provenances},
    'figure_progress': {'target_kind': 'target milestone', 'attainment_note': attainments,
        'years_to_target_note': years_left, 'provenance': provenances},
    'figure_inequality': {'subject_kind': 'indicator spending', 'measure': 'difference ratio cv theil mld variance sd gini
        atkinson_0.5 atkinson_1 atkinson_2 mean_difference_from_mean mean_difference_from_best
        mean_difference_from_reference idis sii rii aci rci par paf', 'weighting': 'population none',
        'component': 'total within between', 'residence': 'total urban rural', 'provenance': provenances},
    'figure_gap': {'subject_kind': 'indicator spending', 'provenance': provenances},
    'figure_fiscal': {'provenance': provenances},
    'figure_split': {'subject_kind': 'domain item', 'provenance': provenances},
    'mart_equalisation_dispersion': {'measure': 'weighted_cv_pct max_to_min_ratio residents_at_target_pct group_degree_pct
        rest_degree_pct', 'undefined_reason': 'computed domain_missing too_little_weight no_figures not_applicable
        no_population no_threshold no_scores one_region lowest_is_zero mean_not_positive', 'provenance': provenances},
    'mart_sensitivity': {'scenario_family': 'weights indicator_out denominators normalisation aggregation all',
        'provenance': provenances},
    'mart_revision': {'vintage_kind': 'receipt', 'cause': 'later_delivery overwritten corrected withdrawn removed',
        'provenance': provenances},
    'audit_receipt': {'reading_status': 'read unreadable not_read withdrawn'},
    'audit_reject': {'scope': 'row cell file'},
    'audit_finding': {'severity': 'block warn note'},
    'dim_region_change': {'change_kind': 'rename recode merge split transfer'},
    'dim_indicator': {'direction': 'higher lower interval', 'role': 'scored context'},
} %}
{% for table, columns in codes.items() %}
{% set last_table = loop.last %}
{% for column, agreed in columns.items() %}
select '{{ table }}' as table_name, '{{ column }}' as column_name, {{ column }} as code, count(*) as rows_with_this_code
from {{ ref(table) }}
where coalesce({{ column }}, '') not in ('{{ agreed.split() | join("', '") }}')
group by {{ column }}
{{ 'union all' if not (loop.last and last_table) }}
{% endfor %}
{% endfor %}
