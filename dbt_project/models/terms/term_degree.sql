-- Degrees and the composite index: the degree of the main method is 100 less what the indicators take from it
-- (`contribution`); methods that look at the lowest regions one by one are made of their scores (`leaf_score`), each with its
-- people; the index compares the level of a region with that of the base. What is below: term_contributed.
{% set methods_of_leaves = "('residents_at_threshold', 'mean_less_dispersion', 'lowest_fifth')" %}
with degrees as (
    select
        degree.method, degree.domain, 'target' as scale_kind, degree.target_edition as scale, degree.weight_set,
        degree.boundaries as reference_geography, degree.year, degree.region_code, degree.target_pct, degree.variant,
        {{ figure_id(dbt.concat(["'degree.'", 'degree.domain']), 'degree.region_id', 'degree.year', variant='degree.variant') }}
            as figure_id
    from {{ ref('figure_degree') }} as degree
    where degree.target_edition is not null and degree.degree_pct is not null
),

indexes as (
    select
        variant.method, composite.domain, 'goalposts' as scale_kind, composite.goalpost_set as scale, composite.weight_set,
        composite.boundaries as reference_geography, composite.year, composite.region_code, composite.base_year,
        {{ figure_id(dbt.concat(["'index.'", 'composite.domain']), 'composite.region_id', 'composite.year',
                     variant='composite.variant') }} as figure_id
    from {{ ref('figure_index') }} as composite
    inner join {{ variants_of('index') }} as variant
        on variant.variant = composite.variant
    where composite.index_value is not null
),

-- each level once, also where two figures share it
levels as (
    select distinct method, domain, scale_kind, scale, weight_set, reference_geography, year, region_code
    from indexes
),

contributions as (
    select tree.scale_kind, tree.scale, tree.weight_set, place.reference_geography, place.year, place.region_code,
        domains.domain, indicators.indicator_code
    from {{ ref('int_score__contribute') }} as contribution
    inner join (select distinct tree_number, scale_kind, scale, weight_set from {{ ref('int_score__list_scales') }}) as tree
        on tree.tree_number = contribution.tree_number
    inner join (select distinct place_number, reference_geography, year, region_code from {{ ref('int_score__place_regions') }}) as place
        on place.place_number = contribution.place_number
    inner join (
        select distinct domain_number, domain from {{ ref('int_score__list_scales') }} union all select 0, 'all'
    ) as domains
        on domains.domain_number = contribution.domain_number
    inner join (select distinct indicator_number, indicator_code from {{ ref('int_score__list_scales') }}) as indicators
        on indicators.indicator_number = contribution.indicator_number
),

{% set same_score = ['scale_kind', 'scale', 'weight_set', 'reference_geography', 'year', 'region_code', 'domain'] %}
by_indicator as (
    {% for kind, relation, id in [('figure', 'degrees', 'degrees.figure_id'), ('level', 'levels', level_id('levels', 'levels.method'))] %}
    select
        '{{ kind }}' as figure_kind, {{ id }} as figure_id, 'contribution' as role, 'contribution' as input_kind,
        {{ contribution_id('contributions', 'contributions.domain') }} as input_id, -1e0 as weight
    from {{ relation }}
    inner join contributions
        on {% for column in same_score %}{{ 'and ' if not loop.first }}contributions.{{ column }} = {{ relation }}.{{ column }}
        {% endfor %}
    where {{ relation }}.method in ('mean', 'geometric_mean')

    {{ 'union all' if not loop.last }}

    {% endfor %}
)

select * from by_indicator

union all

select 'figure', figure_id, 'level', 'level', {{ level_id('indexes', 'indexes.method') }}, 1e0
from indexes

union all

select 'figure', indexes.figure_id, 'base', 'level', {{ level_id('base', 'base.method') }}, 1e0
from indexes
cross join {{ ref('stg_setting') }} as setting
inner join levels as base
    on base.region_code = setting.home_region
    and base.year = indexes.base_year
    {% for column in ['method', 'domain', 'scale', 'weight_set', 'reference_geography'] %}
    and base.{{ column }} = indexes.{{ column }}
    {% endfor %}

union all

-- the lowest regions one by one
select 'figure', degrees.figure_id, 'leaf', 'leaf_score', {{ leaf_score_id('degrees', 'degrees.domain', 'leaf.leaf_code') }}, cast(leaf.people as double)
from degrees
inner join {{ ref('int_score__place_regions') }} as leaf
    on leaf.reference_geography = degrees.reference_geography
    and leaf.year = degrees.year
    and leaf.region_code = degrees.region_code
where degrees.method in {{ methods_of_leaves }} and leaf.people is not null

union all

select
    'figure', figure_id, 'threshold', 'parameter', {{ key_text(["'threshold'", 'scale']) }}, cast(target_pct as double)
from degrees
where method = 'residents_at_threshold'

union all

-- scores that somebody else gives
select
    'figure', {{ figure_id(dbt.concat(["'degree.'", 'domain']), variant='variant') }}, 'given', 'parameter',
    {{ key_text(['method', 'source']) }}, degree_pct
from {{ ref('figure_degree') }}
where target_edition is null and degree_pct is not null

order by figure_kind, figure_id, role, input_kind, input_id
