-- What contributions and scores of lowest regions are made of: the scores of the indicators. A contribution weighs them with
-- the people of the lowest regions and what the indicator weighs there; `people` are those of all lowest regions with a score (a lowest
-- region by itself counts as one).
-- A lowest region's score in a domain is the mean of its indicators, its score in all the mean of its domains, by weight.
with trees as (
    select distinct tree_number, scale_number, scale_kind, scale, weight_set
    from {{ ref('int_score__list_scales') }}
    where scale_kind in ('target', 'goalposts')
),

members as (
    select scale.*, trees.scale_kind as kind
    from {{ ref('int_score__list_scales') }} as scale
    inner join trees
        on trees.tree_number = scale.tree_number
),

domains as (
    select distinct domain_number, domain from {{ ref('int_score__list_scales') }}
    union all
    select 0, 'all'
),

-- scores that are published as a degree or an index
published as (
    select distinct trees.tree_number, place.place_number
    from (
        select 'target' as scale_kind, target_edition as scale, weight_set, boundaries, year, region_code
        from {{ ref('figure_degree') }}
        union
        select 'goalposts', goalpost_set, weight_set, boundaries, year, region_code
        from {{ ref('figure_index') }}
    ) as figures
    inner join trees
        on trees.scale_kind = figures.scale_kind
        and trees.scale = figures.scale
        and trees.weight_set = figures.weight_set
    inner join {{ ref('int_score__place_regions') }} as place
        on place.reference_geography = figures.boundaries
        and place.year = figures.year
        and place.region_code = figures.region_code
),

places as (
    select
        published.tree_number, place.place_number, place.leaf_number, place.leaf_code, place.reference_geography, place.year,
        place.region_code, place.region_depth, trees.scale_kind, trees.scale, trees.weight_set, trees.scale_number,
        place.is_leaf
    from published
    inner join trees
        on trees.tree_number = published.tree_number
    inner join {{ ref('int_score__place_regions') }} as place
        on place.place_number = published.place_number
),

weighed as (
    select
        places.*, term.unit_code, term.people, term.domain_weight, term.whole_weight, indicators.indicator_code, domains.domain
    from {{ ref('term_contribution') }} as term
    inner join places
        on places.tree_number = term.tree_number
        and places.place_number = term.place_number
        and places.leaf_number = term.leaf_number
    inner join (select distinct indicator_number, indicator_code from {{ ref('int_score__list_scales') }}) as indicators
        on indicators.indicator_number = term.indicator_number
    inner join domains
        on domains.domain_number = term.domain_number
),

{% set same_place = ['scale_kind', 'scale', 'weight_set', 'reference_geography', 'year', 'region_code'] %}
people as (
    select {% for column in same_place %}places.{{ column }}, {% endfor %}domains.domain, sum(score.people) as people
    from places
    inner join {{ ref('int_score__score_leaves') }} as score
        on score.tree_number = places.tree_number
        and score.place_number = places.place_number
        and score.leaf_number = places.leaf_number
    inner join domains
        on domains.domain_number = score.domain_number
    where score.people is not null and score.score is not null and not places.is_leaf
    group by {% for column in same_place %}places.{{ column }}, {% endfor %}domains.domain
),

contributions as (
    {% for domain, weight in [('weighed.domain', 'domain_weight'), ("'all'", 'whole_weight')] %}
    select {% for column in same_place %}{{ column }}, {% endfor %}indicator_code, {{ domain }} as domain, unit_code,
        cast(people as double) * {{ weight }} as weight
    from weighed
    where {{ weight }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

leaf_scores as (
    select places.*, score.domain_number, score.domain_weight, domains.domain
    from places
    inner join {{ ref('int_score__score_leaves') }} as score
        on score.tree_number = places.tree_number
        and score.place_number = places.place_number
        and score.leaf_number = places.leaf_number
        and score.score is not null
        and score.domain_number <> 0
    inner join domains
        on domains.domain_number = score.domain_number
    where not places.is_leaf and places.scale_kind = 'target'
)

select
    'contribution' as figure_kind, {{ contribution_id('contributions', 'domain') }} as figure_id, 'score' as role,
    'score' as input_kind, {{ score_id('contributions', 'unit_code') }} as input_id, weight
from contributions

union all

select distinct
    'contribution', {{ contribution_id('contributions', 'contributions.domain') }}, 'people', 'parameter',
    {{ key_text(['people.region_code', 'people.year', 'people.domain']) }}, cast(people.people as double)
from contributions
inner join people
    on people.domain = contributions.domain
    {% for column in same_place %}
    and people.{{ column }} = contributions.{{ column }}
    {% endfor %}

union all

select
    'leaf_score', {{ leaf_score_id('leaf_scores', 'leaf_scores.domain') }}, 'score', 'score',
    {{ key_text(['leaf_scores.scale_kind', 'leaf_scores.scale', 'leaf_scores.reference_geography', 'leaf_scores.year',
                 'leaf.unit_code', 'members.indicator_code']) }}, cast(members.weight as double)
from leaf_scores
inner join members
    on members.tree_number = leaf_scores.tree_number
    and members.domain_number = leaf_scores.domain_number
inner join {{ ref('int_score__rate_leaves') }} as leaf
    on leaf.scale_number = leaf_scores.scale_number
    and leaf.indicator_number = members.indicator_number
    and leaf.leaf_number = leaf_scores.leaf_number
    and leaf.unit_depth >= leaf_scores.region_depth
    and leaf.score is not null

union all

select
    'leaf_score', {{ leaf_score_id('leaf_scores', "'all'") }}, 'domain', 'leaf_score',
    {{ leaf_score_id('leaf_scores', 'leaf_scores.domain') }}, cast(domain_weight as double)
from leaf_scores

order by figure_kind, figure_id, role, input_kind, input_id
