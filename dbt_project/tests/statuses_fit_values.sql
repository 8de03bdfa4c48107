{{ config(
    meta={'severity': 'block', 'owner': '数据管理 / data steward',
          'why': 'missing is missing, never zero'},
) }}
-- A missing status (O, M, L, Q) has no value, and a value has none of them.
{% set values = [
    ('fct_observation', 'value', 'obs_status'), ('fct_population', 'population', 'obs_status'),
    ('mart_revision', 'value_after', 'obs_status'), ('figure', 'value', 'obs_status'),
    ('figure_spending', 'per_head', 'obs_status'), ('figure_spending', 'spending', 'spending_status'),
    ('figure_per_user', 'per_user', 'obs_status'), ('figure_indicator', 'value', 'obs_status'), ('figure_degree', 'degree_pct', 'obs_status'),
    ('figure_index', 'index_value', 'obs_status'), ('figure_progress', 'value', 'obs_status'),
    ('figure_inequality', 'value', 'obs_status'), ('figure_gap', 'difference', 'obs_status'),
    ('figure_fiscal', 'basic_share_pct', 'obs_status'), ('figure_split', 'share', 'obs_status'),
    ('mart_equalisation_dispersion', 'value', 'obs_status'), ('mart_sensitivity', 'degree_pct', 'obs_status'),
    ('mart_region_trend', 'value', 'obs_status'),
] %}
{% for table, value, status in values %}
select
    '{{ table }}' as table_name,
    '{{ value }}' as column_name,
    region_code,
    year,
    {{ 'observation_id' if table == 'fct_observation' else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as observation_id,
    {{ status }} as status
from {{ ref(table) }}
where
    {{ status }} is null
    or ({{ value }} is null and {{ status }} not in ('O', 'M', 'L', 'Q'))
    or ({{ value }} is not null and (
        {{ status }} like '%O%' or {{ status }} like '%M%' or {{ status }} like '%L%' or {{ status }} like '%Q%'))
{{ 'union all' if not loop.last }}
{% endfor %}
