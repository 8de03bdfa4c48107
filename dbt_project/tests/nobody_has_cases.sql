{{ config(
    meta={'severity': 'block', 'owner': '指标管理 / indicator owner',
          'why': 'cases among nobody: numerator and denominator are not about the same people'},
) }}
select *
from {{ ref('figure_indicator') }}
where denominator = 0 and numerator <> 0
