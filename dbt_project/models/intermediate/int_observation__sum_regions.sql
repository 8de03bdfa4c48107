-- The values of all observations for use: chosen ones, totals, re-based ones, and the regions nobody reported, summed from
-- those below; what they are about is said by the number of their series.
-- A region is summed only from the nearest reported regions below it, and only when these cover it without a gap on
-- the list the number is told on: together they have as many leaves as it has. A reported region stands, also one
-- reported as missing; a leaf where the thing cannot exist (M) adds nothing and leaves no gap, and a region above that is
-- reported so hides nothing of those below. Measures of a government's own level are not summed here
-- (int_spending__add_levels does).
-- What is reported on the boundaries of another year is summed on that list, and then stands for each region of its own
-- time that is the same land; a region that was merged or divided since has none of it.
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
),

summed as (
    select
        upward.series_number,
        upward.ancestor_code as region_code,
        {{ exact_sum('reported.value') }} as value,
        {{ status_of_rows('reported.obs_status') }} as letters,
        {{ provenance_of_rows('reported.provenance') }} as provenance,
        max(reported.extract_rank) as extract_rank
    from upward
    inner join reported
        on reported.series_number = upward.series_number
        and reported.region_code = upward.region_code
    left join reported as itself
        on itself.series_number = upward.series_number
        and itself.region_code = upward.ancestor_code
    where itself.series_number is null
    group by upward.series_number, upward.ancestor_code
    having
        sum(case when {{ adds_up('reported.value', 'reported.obs_status') }} then upward.leaves else 0 end)
        = max(upward.ancestor_leaves)
),

figures as (
    select * from reported

    union all

    select
        region_code,
        series_number,
        value,
        {{ ranked_status('letters', 'value') }} as obs_status,
        provenance,
        'summed' as derivation,
        extract_rank,
        cast(null as {{ dbt.type_string() }}) as observation_id
    from summed
),

on_other_boundaries as (
    select series_number, boundaries, period_end
    from {{ ref('int_observation__number_series') }}
    where reference_geography = 'reported' and boundaries <> 'reported'
),

-- `listed_code` is the region on the list that the figure was reported or summed on
placed as (
    select figures.*, figures.region_code as listed_code
    from figures
    left join on_other_boundaries
        on on_other_boundaries.series_number = figures.series_number
    where on_other_boundaries.series_number is null

    union all

    select
        crosswalk.region_code, figures.series_number, figures.value, figures.obs_status, figures.provenance,
        figures.derivation, figures.extract_rank, figures.observation_id, figures.region_code
    from figures
    inner join on_other_boundaries
        on on_other_boundaries.series_number = figures.series_number
    inner join {{ ref('int_region__crosswalk') }} as crosswalk
        on crosswalk.reference_geography = on_other_boundaries.boundaries
        and crosswalk.as_of_date = on_other_boundaries.period_end
        and crosswalk.to_code = figures.region_code
        and crosswalk.weight = 1
        and crosswalk.sources = 1
        and crosswalk.is_known
)

select region_code, series_number, value, obs_status, provenance, derivation, extract_rank, observation_id
from placed
