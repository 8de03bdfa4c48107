-- A score by its figure and what it is rated by: a target with its limits and baseline, or goalposts.
with rated as (
    select * from {{ ref('int_score__rate_figures') }}
    where scale_kind in ('target', 'goalposts')
)

select
    'score' as figure_kind, {{ score_id('rated', 'region_code') }} as figure_id,
    'value' as role,
    'figure' as input_kind,
    {{ figure_id('figure.indicator_code', 'figure.region_id', 'figure.year', variant='figure.variant') }} as input_id,
    1e0 as weight
from rated
inner join {{ ref('figure_indicator') }} as figure
    on figure.reference_geography = rated.reference_geography
    and figure.year = rated.year
    and figure.region_code = rated.region_code
    and figure.indicator_code = rated.indicator_code
    and figure.breakdown = 'all'
inner join {{ variants_of('indicator') }} as variant
    on variant.variant = figure.variant
    and not variant.is_new_population_basis
    and not variant.is_new_population_source
where rated.score is not null

{% for column in ['target', 'low', 'high', 'baseline'] %}
union all

select
    'score' as figure_kind, {{ score_id('rated', 'region_code') }}, '{{ column }}', 'parameter',
    {{ key_text(["'" ~ column ~ "'", 'scale', 'indicator_code']) }}, cast({{ column }} as double)
from rated
where score is not null and {{ column }} is not null

{% endfor %}

order by figure_kind, figure_id, role, input_kind, input_id
