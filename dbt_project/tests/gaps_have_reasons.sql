{{ config(
    meta={'severity': 'block', 'owner': '指标管理 / indicator owner',
          'why': 'no number without a meaning, no gap without a reason'},
) }}
-- Exactly one of two columns is filled: a figure, or the reason why there is none.
{% set pairs = [
    ('figure_inequality', 'value', 'undefined_reason'), ('figure_gap', 'ratio', 'undefined_reason'),
    ('figure_gap', 'closing_rate', 'closing_reason'), ('figure_fiscal', 'share_rises', 'share_reason'),
    ('figure_fiscal', 'meets_two_thirds', 'two_thirds_reason'),
    ('figure_fiscal', 'meets_two_thirds_since_base', 'two_thirds_reason_since_base'),
] %}
{% for table, figure, reason in pairs %}
select '{{ table }}' as table_name, '{{ figure }}' as column_name, variant, region_code, year, {{ reason }} as reason
from {{ ref(table) }}
where ({{ figure }} is null) = ({{ reason }} is null)
{{ 'union all' if not loop.last }}
{% endfor %}
