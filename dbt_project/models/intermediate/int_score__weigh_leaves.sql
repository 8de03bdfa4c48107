-- Every scored indicator of every lowest region, with its weight and its score on each scale; a row also where there is
-- no score, because what is missing counts. An indicator that exists only above the lowest regions stands there with the
-- score of the region above (`unit_depth` is that region's depth): it enters from that level up and not below.
with members as (
    select distinct 'target' as scale_kind, target.edition as scale, target.indicator_code
    from {{ ref('int_target__choose_finals') }} as target
    inner join {{ ref('stg_indicator') }} as indicator
        on indicator.indicator_code = target.indicator_code
    where {{ attainment_reason('indicator.direction', '1', 'target.target_value', 'target.lower_limit',
                               'target.upper_limit', 'target.baseline') }} = 'computed'

    union all

    select distinct 'goalposts' as scale_kind, goalpost.goalpost_set as scale, goalpost.indicator_code
    from {{ ref('stg_goalpost') }} as goalpost
    where goalpost.low < goalpost.high
),

all_members as (
    select * from members

    union all

    select 'registered' as scale_kind, scale, indicator_code
    from members
    where scale_kind = 'target'

    union all

    select 'distance' as scale_kind, members.scale, members.indicator_code
    from members
    inner join members as goalposts
        on goalposts.scale_kind = 'goalposts'
        and goalposts.indicator_code = members.indicator_code
    inner join {{ ref('stg_setting') }} as setting
        on setting.goalpost_set = goalposts.scale
    where members.scale_kind = 'target'
),

tree as (
    select
        members.scale_kind,
        members.scale,
        weights.*
    from all_members as members
    cross join {{ ref('stg_setting') }} as setting
    inner join {{ ref('int_score__list_weights') }} as weights
        on weights.indicator_code = members.indicator_code
        and (members.scale_kind = 'target' or weights.weight_set = setting.weight_set)
),

own_depths as (
    select
        scale_kind, scale, reference_geography, year, indicator_code,
        max(region_depth) as own_depth
    from {{ ref('int_score__rate_figures') }}
    group by scale_kind, scale, reference_geography, year, indicator_code
),

depths as (
    select distinct reference_geography, year, own_depth
    from own_depths
),

-- the region whose figure speaks for a lowest region: itself, or the nearest above that has the depth of the indicator
units as (
    select
        place.reference_geography,
        place.year,
        place.leaf_code,
        depths.own_depth,
        place.region_code as unit_code,
        place.region_depth as unit_depth,
        row_number() over (
            partition by place.reference_geography, place.year, place.leaf_code, depths.own_depth
            order by place.region_depth desc
        ) as place
    from {{ ref('int_score__place_regions') }} as place
    inner join depths
        on depths.reference_geography = place.reference_geography
        and depths.year = place.year
        and depths.own_depth >= place.region_depth
)

select
    tree.scale_kind,
    tree.scale,
    tree.weight_set,
    leaf.reference_geography,
    leaf.year,
    leaf.leaf_code,
    coalesce(units.unit_depth, leaf.leaf_depth) as unit_depth,
    tree.domain,
    tree.domain_weight,
    tree.indicator_code,
    tree.weight,
    rated.score,
    coalesce(rated.is_applicable, true) as is_applicable,
    rated.obs_status,
    rated.provenance,
    coalesce(rated.is_illustrative, false) as is_illustrative,
    coalesce(rated.is_clamped, false) as is_clamped
from {{ ref('int_score__place_regions') }} as leaf
cross join tree
left join own_depths
    on own_depths.scale_kind = tree.scale_kind
    and own_depths.scale = tree.scale
    and own_depths.reference_geography = leaf.reference_geography
    and own_depths.year = leaf.year
    and own_depths.indicator_code = tree.indicator_code
left join units
    on units.reference_geography = leaf.reference_geography
    and units.year = leaf.year
    and units.leaf_code = leaf.leaf_code
    and units.own_depth = own_depths.own_depth
    and units.place = 1
left join {{ ref('int_score__rate_figures') }} as rated
    on rated.scale_kind = tree.scale_kind
    and rated.scale = tree.scale
    and rated.reference_geography = leaf.reference_geography
    and rated.year = leaf.year
    and rated.region_code = units.unit_code
    and rated.indicator_code = tree.indicator_code
where leaf.is_leaf
