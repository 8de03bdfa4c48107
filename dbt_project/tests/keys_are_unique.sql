{{ config(
    meta={'severity': 'block', 'owner': '数据管理 / data steward',
          'why': 'two rows for one thing would be added up, or one of them shown by chance'},
) }}
-- Keys beside those of published tables, which are judged one by one: these columns stand together once, none is null.
{% set keys = [
    ('fct_observation', ['measure', 'region_code', 'period_start', 'period_end', 'population_basis', 'residence', 'sex',
        'age_group', 'group', 'item'], 'is_chosen'),
    ('figure_spending', ['variant', 'region_id', 'year', 'domain', 'residence'], 'true'),
    ('figure_per_user', ['variant', 'region_id', 'year', 'domain', 'residence'], 'true'),
    ('dim_current_region', ['region_code'], 'true'),
    ('dim_region_union', ['reference_geography', 'member_code'], 'true'),
] %}
{% for table, columns, where in keys %}
{% set key = [] %}
{% for column in columns %}{% do key.append(adapter.quote(column)) %}{% endfor %}
{% set shown = [] %}
{% for column in key %}{% do shown.append("coalesce(cast(" ~ column ~ " as " ~ dbt.type_string() ~ "), '-')") %}{% endfor %}
select '{{ table }}' as table_name, {{ shown | join(" || ' ' || ") }} as row_key, count(*) as rows_with_this_key
from {{ ref(table) }}
where {{ where }}
group by {{ key | join(', ') }}
having count(*) > 1 or {{ key | join(' is null or ') }} is null
{{ 'union all' if not loop.last }}
{% endfor %}
