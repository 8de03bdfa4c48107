{{ config(
    meta={'severity': 'block', 'owner': '指标管理 / indicator owner',
          'why': 'weights that are no whole of their parent make scores that mean nothing'},
) }}
select weight_set, parent, sum(weight_share) as total
from {{ ref('dim_weight') }}
group by weight_set, parent
having sum(weight_share) is null or abs(sum(weight_share) - 1) > 1e-12 or min(weight_share) < 0
