{{ config(
    meta={'severity': 'block', 'owner': '数据管理 / data steward',
          'why': 'outside of its limits a value is a mistake, whatever the data'},
) }}
-- Shares, percentages, counts and measures lie where their definitions let them, wherever they have a value.
{% set may_be_negative -%}
    (select term.indicator_code from {{ source('source', 'indicator_term') }} as term
    inner join {{ source('source', 'measure') }} as measure on measure.measure = term.measure where measure.may_be_negative)
{%- endset %}
{% set account_may_be_negative -%}
    (select fund || ' ' || account_stage from {{ ref('stg_spending_source') }} where may_be_negative)
{%- endset %}
{% set levels %}(select region_level from {{ ref('dim_region') }}){% endset %}
{# what holds -> the table, and what a wrong row is #}
{% set rules = {
    'people are not negative': ('fct_population', 'population < 0'),
    'spending is not negative, but where it is net':
        ('int_spending__choose_whole', "value < 0 and fund || ' ' || account_stage not in " ~ account_may_be_negative),
    'numerator and denominator are not negative, but where what they are made of may be':
        ('figure_indicator', '(numerator < 0 or denominator < 0) and indicator_code not in ' ~ may_be_negative),
    'a value lies in its interval':
        ('figure_indicator', 'ci_low > value + 1e-12 * abs(value) or value > ci_high + 1e-12 * abs(ci_high)'),
    'a degree lies within its bounds': ('figure_degree', 'degree_low_pct > degree_pct + 1e-12 * abs(degree_pct)
        or degree_pct > degree_high_pct + 1e-12 * abs(degree_high_pct)'),
    'a degree is a percentage': ('figure_degree', 'degree_pct < 0 or degree_pct > 100'),
    'weights of a degree are shares of the whole': ('figure_degree', 'weight_coverage < 0 or weight_coverage > 1
        or illustrative_weight_pct < 0 or illustrative_weight_pct > 100.0000001
        or synthetic_weight_pct < 0 or synthetic_weight_pct > 100.0000001
        or residents_covered_pct < 0 or residents_covered_pct > 100.0000001'),
    'an index is not negative, its level a share': ('figure_index', 'index_value < 0 or level < 0 or level > 1.0000001
        or weight_coverage < 0 or weight_coverage > 1 or clamped_weight_pct < 0 or clamped_weight_pct > 100.0000001'),
    'nobody adds to a gap by being better than asked': ('figure_contribution', 'contribution_points < 0
        or contribution_points > 100 or effective_weight < 0 or effective_weight > 1.0000001 or attainment < 0
        or attainment > 1.0000001 or people_behind_target < 0 or years_to_target < 0'),
    'attainment is a share, people and years are not negative': ('figure_progress', 'attainment < 0 or attainment > 1
        or expected_attainment < 0 or expected_attainment > 1.0000001 or people_behind_target < 0 or years_to_target < 0'),
    'a ratio is not negative, one of extremes at least 1':
        ('figure_inequality', "measure = 'ratio' and (value < 0 or (value < 1 and dimension in " ~ levels ~ '))'),
    'a dispersion is not negative': ('figure_inequality',
        "measure in ('cv', 'theil', 'mld', 'variance', 'sd', 'gini', 'idis') and value < -1e-12
        or measure like 'mean_difference%' and value < 0"),
    'an index of shares is at most 1': ('figure_inequality', "measure like 'atkinson%' and (value < 0 or value > 1)
        or measure in ('gini', 'rci') and abs(value) > 1"),
    'numbers of regions are not negative': ('figure_inequality', 'regions < 0 or regions_missing < 0'),
    'a share of people lies within 0 and 1':
        ('dim_region_change', 'population_share < 0 or population_share > 1 or share_of_to < 0 or share_of_to > 1'),
    'weights are not negative': ('dim_weight', 'weight < 0 or weight_share < 0'),
    'the mean of sizes is not below the mean':
        ('mart_revision_summary', 'mean_revision_pct > mean_absolute_revision_pct + 1e-12 * abs(mean_absolute_revision_pct)'),
} %}
{% for what_holds, (table, wrong) in rules.items() %}
{% set has_region = table not in ('dim_region_change', 'dim_weight', 'mart_revision_summary') %}
select
    '{{ table }}' as table_name,
    '{{ what_holds }}' as rule,
    {{ 'region_code' if has_region else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as region_code,
    {{ 'year' if has_region else 'cast(null as integer)' }} as year,
    {{ 'observation_id' if table == 'fct_population' else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as observation_id
from {{ ref(table) }}
where {{ wrong }}
{{ 'union all' if not loop.last }}
{% endfor %}
