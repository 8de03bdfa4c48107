-- Degrees and the level of the composite index by what keeps them from 100: the contribution of each indicator; a
-- contribution by the scores of the lowest regions, each with its people and weight; a score by its figure and its target or
-- goalposts.
with trees as (
    select distinct tree_number, scale_number, scale_kind, scale, weight_set
    from {{ ref('int_score__list_scales') }}
    where scale_kind in ('target', 'goalposts')
),

domains as (
    select distinct domain_number, domain from {{ ref('int_score__list_scales') }}
    union all
    select 0, 'all'
),

indicators as (
    select distinct indicator_number, indicator_code from {{ ref('int_score__list_scales') }}
),

places as (
    select distinct place_number, reference_geography, year, region_code from {{ ref('int_score__place_regions') }}
),

named as (
    select
        term.*, trees.scale_kind, trees.scale, trees.weight_set, places.reference_geography, places.year, places.region_code,
        domains.domain, indicators.indicator_code
    from {{ ref('term_contribution') }} as term
    inner join trees on trees.tree_number = term.tree_number
    inner join places on places.place_number = term.place_number
    inner join domains on domains.domain_number = term.domain_number
    inner join indicators on indicators.indicator_number = term.indicator_number
)

-- the degree is 100 less its contributions
select
    {{ figure_id(dbt.concat(["'degree.'", 'degree.domain']), 'degree.region_id', 'degree.year', variant='degree.variant') }}
        as figure_id,
    'contribution' as role,
    'contribution' as input_kind,
    {{ key_text(["'target'", 'degree.target_edition', 'degree.weight_set', 'degree.boundaries', 'degree.year',
                 'degree.region_code', 'degree.domain', 'indicators.indicator_code']) }} as input_id,
    -1e0 as weight
from {{ ref('figure_degree') }} as degree
inner join trees
    on trees.scale_kind = 'target'
    and trees.scale = degree.target_edition
    and trees.weight_set = degree.weight_set
inner join places
    on places.reference_geography = degree.boundaries
    and places.year = degree.year
    and places.region_code = degree.region_code
inner join domains
    on domains.domain = degree.domain
inner join {{ ref('int_score__contribute') }} as contribution
    on contribution.tree_number = trees.tree_number
    and contribution.place_number = places.place_number
    and contribution.domain_number = domains.domain_number
inner join indicators
    on indicators.indicator_number = contribution.indicator_number
where degree.method = 'mean'

union all

{% for domain, weight in [('named.domain', 'domain_weight'), ("'all'", 'whole_weight')] %}
select
    {{ key_text(['named.scale_kind', 'named.scale', 'named.weight_set', 'named.reference_geography', 'named.year',
                 'named.region_code', domain, 'named.indicator_code']) }},
    'score',
    'score',
    {{ key_text(['named.scale_kind', 'named.scale', 'named.reference_geography', 'named.year', 'named.unit_code',
                 'named.indicator_code']) }},
    cast(named.people as double) * named.{{ weight }}
from named
where named.{{ weight }} is not null

union all

{% endfor %}
select
    {{ key_text(['rated.scale_kind', 'rated.scale', 'rated.reference_geography', 'rated.year', 'rated.region_code',
                 'rated.indicator_code']) }},
    'value',
    'figure',
    {{ figure_id('figure.indicator_code', 'figure.region_id', 'figure.year', variant='figure.variant') }},
    1e0
from {{ ref('int_score__rate_figures') }} as rated
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
where rated.scale_kind in ('target', 'goalposts')
