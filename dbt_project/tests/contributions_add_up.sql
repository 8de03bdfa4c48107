{{ config(
    meta={'severity': 'block', 'owner': '指标管理 / indicator owner',
          'why': 'what keeps a degree from 100 must be told in full, or somebody is blamed for too much'},
) }}
-- exactly, in decimals; effective weights to 12 digits
{% set key = ['region_id', 'variant', 'year', 'domain'] %}
with gaps as (
    select
        {{ key | join(', ') }},
        sum(cast(contribution_points as decimal(18, 12))) as points,
        sum(effective_weight) as effective_weight
    from {{ ref('figure_contribution') }}
    group by {{ key | join(', ') }}
)

select
    {% for column in key %}
    degree.{{ column }},
    {% endfor %}
    degree.degree_pct,
    gaps.points,
    gaps.effective_weight
from {{ ref('figure_degree') }} as degree
inner join {{ variants_of('contribution') }} as variant
    on variant.variant = degree.variant
left join gaps
    on gaps.region_id = degree.region_id
    {% for column in key[1:] %}
    and gaps.{{ column }} = degree.{{ column }}
    {% endfor %}
where
    degree.degree_pct is not null
    and (
        gaps.points is null
        or gaps.points <> 100 - cast(degree.degree_pct as decimal(18, 12))
        or abs(gaps.effective_weight - 1) > 1e-12
    )
