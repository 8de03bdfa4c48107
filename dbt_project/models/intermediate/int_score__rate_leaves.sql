-- Every scored indicator of every lowest region with its score on each scale; a row also where there is no score, because
-- what is missing counts. An indicator that exists only above the lowest regions stands there with the score of the region
-- above (`unit_depth` is that region's depth): it enters from that level up and not below. What numbers stand for:
-- int_score__list_scales and int_score__place_regions.
with members as (
    select distinct scale_number, scale_kind, scale, indicator_number, indicator_code
    from {{ ref('int_score__list_scales') }}
),

rated as (
    select
        members.scale_number,
        members.indicator_number,
        figure.reference_geography,
        figure.year,
        figure.region_code,
        figure.region_depth,
        figure.score,
        figure.is_applicable,
        figure.obs_status,
        figure.provenance,
        figure.is_illustrative,
        figure.is_clamped
    from {{ ref('int_score__rate_figures') }} as figure
    inner join members
        on members.scale_kind = figure.scale_kind
        and members.scale = figure.scale
        and members.indicator_code = figure.indicator_code
),

own_depths as (
    select
        scale_number, indicator_number, reference_geography, year,
        max(region_depth) as own_depth
    from rated
    group by scale_number, indicator_number, reference_geography, year
),

depths as (
    select distinct reference_geography, year, own_depth
    from own_depths
),

-- the region whose figure speaks for a lowest region: itself, or the nearest above that has the depth of the indicator
units as (
    select
        place.leaf_number,
        depths.own_depth,
        place.region_code as unit_code,
        place.region_depth as unit_depth,
        row_number() over (
            partition by place.leaf_number, depths.own_depth
            order by place.region_depth desc
        ) as place
    from {{ ref('int_score__place_regions') }} as place
    inner join depths
        on depths.reference_geography = place.reference_geography
        and depths.year = place.year
        and depths.own_depth >= place.region_depth
)

select
    members.scale_number,
    leaf.leaf_number,
    members.indicator_number,
    units.unit_code,
    coalesce(units.unit_depth, leaf.leaf_depth) as unit_depth,
    rated.score,
    coalesce(rated.is_applicable, true) as is_applicable,
    rated.obs_status,
    rated.provenance,
    coalesce(rated.is_illustrative, false) as is_illustrative,
    coalesce(rated.is_clamped, false) as is_clamped
from {{ ref('int_score__place_regions') }} as leaf
cross join members
left join own_depths
    on own_depths.scale_number = members.scale_number
    and own_depths.indicator_number = members.indicator_number
    and own_depths.reference_geography = leaf.reference_geography
    and own_depths.year = leaf.year
left join units
    on units.leaf_number = leaf.leaf_number
    and units.own_depth = own_depths.own_depth
    and units.place = 1
left join rated
    on rated.scale_number = members.scale_number
    and rated.indicator_number = members.indicator_number
    and rated.reference_geography = leaf.reference_geography
    and rated.year = leaf.year
    and rated.region_code = units.unit_code
where leaf.is_leaf
