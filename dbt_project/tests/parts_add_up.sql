{{ config(
    meta={'severity': 'block', 'owner': '数据管理 / data steward',
          'why': 'a difference is a misread column, or money and people that got lost between the parts'},
) }}
-- Parts of a dimension add up to its total: exactly, and what is no exact number to 11 digits. Only wholes whose total and
-- parts all have values are compared: the parts listed, or every value of the dimension but the total and those left out.
-- Rows that repeat a figure count once.
{% set people = ['region_code', 'reference_geography', 'reference_date', 'population_source', 'population_basis',
    'age_group'] %}
{% set money = ['region_code', 'reference_geography', 'year', 'fund', 'account_stage'] %}
{% set sums = [
    {'table': 'fct_population', 'value': 'population', 'dimension': 'sex', 'total': 'all', 'parts': ['male', 'female'],
        'key': people + ['residence']},
    {'table': 'fct_population', 'value': 'population', 'dimension': 'residence', 'total': 'total',
        'parts': ['urban', 'rural'], 'key': people + ['sex']},
    {'table': 'int_spending__choose_whole', 'value': 'value', 'dimension': 'residence', 'total': 'total',
        'parts': ['urban', 'rural', 'unattributed'], 'key': money + ['domain', 'government_level']},
    {'table': 'int_spending__choose_whole', 'value': 'value', 'dimension': 'government_level', 'total': 'all',
        'left_out': ['all'], 'key': money + ['domain', 'residence'], 'where': "origin = 'functional'"},
    {'table': 'int_spending__choose_whole', 'value': 'value', 'dimension': 'domain', 'total': 'all',
        'left_out': ['all', 'basic'], 'key': money + ['government_level', 'residence'], 'where': "origin = 'functional'"},
    {'table': 'figure_inequality', 'value': 'value', 'dimension': 'component', 'total': 'total',
        'parts': ['within', 'between'], 'where': "measure in ('theil', 'mld')", 'slack': '1e-11 * total + 1e-12',
        'key': ['variant', 'region_id', 'year', 'subject_code', 'dimension', 'measure', 'weighting']},
] %}
{% for s in sums %}
{% set is_part = s.dimension ~ (" in ('" ~ s.parts | join("', '") if s.get('parts') else " not in ('" ~ s.left_out | join("', '")) ~ "')" %}
select '{{ s.table }}' as table_name, '{{ s.dimension }}' as dimension, row_key, total, sum_of_parts
from (
    select
        {{ s.key | join(" || ' ' || ") }} as row_key,
        max(case when {{ s.dimension }} = '{{ s.total }}' then {{ s.value }} end) as total,
        sum(case when {{ is_part }} then {{ s.value }} end) as sum_of_parts,
        count(case when {{ is_part }} then {{ s.value }} end) as parts_with_values,
        {{ s.parts | length if s.get('parts') else 'count(case when ' ~ is_part ~ ' then 1 end)' }} as parts
    from (
        select distinct {{ (s.key + [s.dimension, s.value]) | join(', ') }}
        from {{ ref(s.table) }}
        where {{ s.get('where', 'true') }}
    ) as figures
    group by {{ s.key | join(', ') }}
    having count(case when {{ s.dimension }} = '{{ s.total }}' then {{ s.value }} end) = 1
) as wholes
where
    parts_with_values = parts
    and parts > 0
    and {{ 'abs(total - sum_of_parts) > ' ~ s.slack if s.get('slack') else 'total <> sum_of_parts' }}
{{ 'union all' if not loop.last }}
{% endfor %}
