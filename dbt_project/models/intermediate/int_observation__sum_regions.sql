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

summed as (
    select
        term.series_number,
        term.region_code,
        {{ exact_sum('reported.value') }} as value,
        {{ status_of_rows('reported.obs_status') }} as letters,
        {{ provenance_of_rows('reported.provenance') }} as provenance,
        max(reported.extract_rank) as extract_rank
    from {{ ref('term_region_sum') }} as term
    inner join reported
        on reported.series_number = term.series_number
        and reported.region_code = term.part_code
    group by term.series_number, term.region_code
    having
        sum(case when {{ adds_up('reported.value', 'reported.obs_status') }} then term.leaves else 0 end)
        = max(term.ancestor_leaves)
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
