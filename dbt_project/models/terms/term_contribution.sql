-- What the contribution of an indicator to a region's gap is made of: its score in each lowest region, with the people there
-- and what the indicator weighs in the score of its domain (`domain_weight`) and of the whole (`whole_weight`).
with trees as (
    select *
    from {{ ref('int_score__list_scales') }}
    where scale_kind in ('target', 'goalposts')
),

scores as (
    select tree_number, place_number, leaf_number, domain_number, region_depth, people, available_weight
    from {{ ref('int_score__score_leaves') }}
    where
        people is not null
        and score is not null
        and tree_number in (select tree_number from trees)
),

-- the score of a lowest region in one domain, beside its score as a whole where it has one
own as (
    select
        score.*,
        whole.available_weight as whole_available_weight
    from scores as score
    left join scores as whole
        on whole.domain_number = 0
        and whole.tree_number = score.tree_number
        and whole.place_number = score.place_number
        and whole.leaf_number = score.leaf_number
    where score.domain_number <> 0
),

figures as (
    select
        trees.tree_number,
        trees.domain_number,
        trees.domain_weight,
        trees.weight,
        leaf.indicator_number,
        leaf.leaf_number,
        leaf.unit_code,
        leaf.unit_depth,
        leaf.score,
        leaf.is_illustrative,
        leaf.provenance
    from {{ ref('int_score__rate_leaves') }} as leaf
    inner join trees
        on trees.scale_number = leaf.scale_number
        and trees.indicator_number = leaf.indicator_number
    where leaf.score is not null
),

parts as (
    select
        own.tree_number,
        own.place_number,
        own.domain_number,
        figures.indicator_number,
        figures.is_illustrative,
        figures.provenance,
        figures.score,
        own.leaf_number,
        figures.unit_code,
        own.people,
        {{ divide('figures.weight', 'own.available_weight') }} as domain_weight,
        {{ divide('figures.weight', 'own.available_weight') }}
            * {{ divide('figures.domain_weight', 'own.whole_available_weight') }} as whole_weight
    from own
    inner join figures
        on figures.tree_number = own.tree_number
        and figures.leaf_number = own.leaf_number
        and figures.domain_number = own.domain_number
        and figures.unit_depth >= own.region_depth
)

select
    tree_number, place_number, domain_number, indicator_number, leaf_number, unit_code, people, domain_weight, whole_weight, score,
    is_illustrative, provenance
from parts
