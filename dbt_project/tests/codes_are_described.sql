{{ config(
    meta={'severity': 'block', 'owner': '数据管理 / data steward',
          'why': 'a code that is nowhere described cannot be read'},
) }}
-- What a table names by its code is a row of the table that describes such codes.
{% set links = [
    ('fct_observation', 'measure', source('source', 'measure'), 'measure'),
    ('fct_observation', 'region_code', ref('dim_region'), 'region_code'),
    ('fct_observation', 'receipt_id', ref('audit_receipt'), 'receipt_id'),
    ('mart_revision', 'receipt_id', ref('audit_receipt'), 'receipt_id'),
    ('figure', 'subject_code', ref('dim_subject'), 'subject_code'),
    ('figure', 'region_id', ref('dim_region'), 'region_id'),
    ('dim_region_group', 'region_code', ref('dim_region'), 'region_code'),
    ('dim_target', 'indicator_code', ref('dim_indicator'), 'indicator_code'),
    ('dim_goalpost', 'indicator_code', ref('dim_indicator'), 'indicator_code'),
] %}
{% for table, column, described_in, described_as in links %}
select '{{ table }}' as table_name, '{{ column }}' as column_name, {{ column }} as code, count(*) as rows_with_this_code
from {{ ref(table) }}
where {{ column }} is not null and {{ column }} not in (select {{ described_as }} from {{ described_in }})
group by {{ column }}
{{ 'union all' if not loop.last }}
{% endfor %}
