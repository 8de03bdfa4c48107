-- Every region with every region above it and itself (distance 0), on each list. A leaf has no region below it; bodies that
-- lie across the others (police, fire) have no land, and are no leaves of what they are listed below (`leaves`).
with recursive pairs as (
    select
        reference_geography,
        as_of_date,
        region_code as ancestor_code,
        region_code,
        is_territory,
        0 as distance
    from {{ ref('int_region__date') }}

    union all

    select
        pairs.reference_geography,
        pairs.as_of_date,
        pairs.ancestor_code,
        child.region_code,
        child.is_territory,
        pairs.distance + 1 as distance
    from pairs
    inner join {{ ref('int_region__date') }} as child
        on child.reference_geography = pairs.reference_geography
        and child.as_of_date = pairs.as_of_date
        and child.parent_code = pairs.region_code
),

inner_nodes as (
    select distinct reference_geography, as_of_date, parent_code as region_code
    from {{ ref('int_region__date') }}
    where parent_code is not null and coalesce(is_territory, true)
),

below as (
    select
        pairs.reference_geography,
        pairs.as_of_date,
        pairs.ancestor_code,
        count(case when coalesce(pairs.is_territory, true) then 1 end) as leaves
    from pairs
    left join inner_nodes
        on inner_nodes.reference_geography = pairs.reference_geography
        and inner_nodes.as_of_date = pairs.as_of_date
        and inner_nodes.region_code = pairs.region_code
    where inner_nodes.region_code is null
    group by pairs.reference_geography, pairs.as_of_date, pairs.ancestor_code
)

select
    pairs.reference_geography,
    pairs.as_of_date,
    pairs.ancestor_code,
    pairs.region_code,
    pairs.distance,
    own.leaves,
    whole.leaves as ancestor_leaves,
    inner_nodes.region_code is null and coalesce(pairs.is_territory, true) as is_leaf
from pairs
inner join below as own
    on own.reference_geography = pairs.reference_geography
    and own.as_of_date = pairs.as_of_date
    and own.ancestor_code = pairs.region_code
inner join below as whole
    on whole.reference_geography = pairs.reference_geography
    and whole.as_of_date = pairs.as_of_date
    and whole.ancestor_code = pairs.ancestor_code
left join inner_nodes
    on inner_nodes.reference_geography = pairs.reference_geography
    and inner_nodes.as_of_date = pairs.as_of_date
    and inner_nodes.region_code = pairs.region_code
