-- Which reported regions the sum of a region above is made of, series by series: the nearest ones below it, where the region
-- itself did not report. The sum exists where they cover its land without a gap (`leaves` of `ancestor_leaves`). Measures
-- of a government's own level are not summed here.
with reported as (
    select region_code, series_number, value, obs_status, provenance, derivation, extract_rank, observation_id
    from {{ ref('int_observation__add_totals') }}

    union all

    select region_code, series_number, value, obs_status, provenance, derivation, extract_rank, observation_id
    from {{ ref('int_observation__rebase') }}
),

-- each reported figure with the regions above it
above as (
    select
        reported.series_number,
        reported.region_code,
        tree.ancestor_code,
        tree.distance,
        tree.leaves,
        tree.ancestor_leaves
    from reported
    inner join {{ ref('int_observation__number_series') }} as series
        on series.series_number = reported.series_number
        and series.aggregation = 'whole'
    inner join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = series.reference_geography
        and tree.as_of_date = case
            when series.reference_geography = 'reported' then series.list_date else series.as_of_date
        end
        and tree.region_code = reported.region_code
        and tree.distance > 0
        -- what a body without land reports is no part of the land above it
        and tree.leaves > 0
        and (tree.is_leaf or reported.value is not null or reported.obs_status <> 'M')
),

-- how far the nearest region above is that reported the figure itself
stops as (
    select
        above.series_number,
        above.region_code,
        min(above.distance) as nearest
    from above
    inner join reported
        on reported.series_number = above.series_number
        and reported.region_code = above.ancestor_code
        and (reported.value is not null or reported.obs_status <> 'M')
    group by above.series_number, above.region_code
),

upward as (
    select above.*
    from above
    left join stops
        on stops.series_number = above.series_number
        and stops.region_code = above.region_code
    where stops.nearest is null or above.distance < stops.nearest
)

select
    upward.series_number,
    upward.ancestor_code as region_code,
    upward.region_code as part_code,
    upward.leaves,
    upward.ancestor_leaves
from upward
left join reported as itself
    on itself.series_number = upward.series_number
    and itself.region_code = upward.ancestor_code
where itself.series_number is null
