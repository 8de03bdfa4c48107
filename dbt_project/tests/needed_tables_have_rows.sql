{{ config(
    meta={'severity': 'block', 'owner': '数据管理 / data steward',
          'why': 'an empty release would replace a full one, and without regions nothing can be placed'},
) }}
select table_name
from (
    select 'fct_observation' as table_name, count(*) as rows_found from {{ ref('fct_observation') }}
    union all
    select 'dim_region', count(*) from {{ ref('dim_region') }}
) as counted
where rows_found = 0
