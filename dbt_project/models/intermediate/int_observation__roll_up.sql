-- All observations for use: chosen ones, totals, re-based ones, and the regions nobody reported, summed from those below.
-- A region is summed only from the nearest reported regions below it, and only when these cover it without a gap on
-- the list the number is told on: together they have as many leaves as it has. A reported region stands, also one
-- reported as missing. Measures of a government's own level are not summed here (int_spending__add_levels does).
with reported as (
    select region_code, series_number, value, obs_status, provenance, derivation, extract_rank, observation_id
    from {{ ref('int_observation__add_totals') }}

    union all

    select region_code, series_number, value, obs_status, provenance, derivation, extract_rank, observation_id
    from {{ ref('int_observation__rebase') }}
),

-- each reported figure with the regions above it
upward as (
    select
        reported.series_number,
        reported.region_code,
        reported.value,
        reported.obs_status,
        reported.provenance,
        reported.extract_rank,
        tree.ancestor_code,
        tree.distance,
        tree.leaves,
        tree.ancestor_leaves,
        -- how far the nearest region above is that reported the figure itself
        min(case when above.series_number is not null then tree.distance end) over (
            partition by reported.series_number, reported.region_code
        ) as nearest
    from reported
    inner join {{ ref('int_observation__number_series') }} as series
        on series.series_number = reported.series_number
        and series.aggregation = 'whole'
    inner join {{ ref('int_region__tree') }} as tree
        on tree.reference_geography = series.reference_geography
        and tree.as_of_date = series.as_of_date
        and tree.region_code = reported.region_code
        and tree.distance > 0
    left join reported as above
        on above.series_number = reported.series_number
        and above.region_code = tree.ancestor_code
),

summed as (
    select
        upward.series_number,
        upward.ancestor_code as region_code,
        {{ exact_sum('upward.value') }} as value,
        {{ status_of_rows('upward.obs_status') }} as letters,
        {{ provenance_of_rows('upward.provenance') }} as provenance,
        max(upward.extract_rank) as extract_rank
    from upward
    where upward.nearest is null or upward.distance < upward.nearest
    group by upward.series_number, upward.ancestor_code
    having sum(case when upward.value is not null then upward.leaves else 0 end) = max(upward.ancestor_leaves)
),

everything as (
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
        cast(null as string) as observation_id
    from summed
)

select
    everything.region_code,
    everything.series_number,
    series.year_series_number,
    series.reference_geography,
    series.as_of_date,
    {% for column in series_dimensions() %}
    series.{{ column }},
    {% endfor %}
    series.year,
    everything.value,
    everything.obs_status,
    everything.provenance,
    everything.derivation,
    everything.extract_rank,
    everything.observation_id,
    series.aggregation,
    series.population_source,
    series.is_population
from everything
inner join {{ ref('int_observation__number_series') }} as series
    on series.series_number = everything.series_number
