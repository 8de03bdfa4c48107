-- All observations for use: chosen ones, totals, and the regions nobody reported, summed from the regions below them.
-- A region is summed only from the nearest reported regions below it, and only when these cover it without a gap on
-- the date the number is about: together they have as many leaves as it has. A reported region stands, also one
-- reported as missing. Measures of a government's own level are not summed here (int_spending__add_levels does).
with reported as (
    select * from {{ ref('int_observation__add_totals') }}
),

-- each reported figure with the regions above it, and whether these reported the figure themselves
upward as (
    select
        reported.series_key,
        reported.region_code,
        reported.value,
        reported.obs_status,
        reported.provenance,
        reported.extract_rank,
        tree.ancestor_code,
        tree.distance,
        tree.leaves,
        tree.ancestor_leaves,
        above.series_key is not null as is_reported_above
    from reported
    inner join {{ ref('int_region__tree') }} as tree
        on tree.as_of_date = reported.period_end
        and tree.region_code = reported.region_code
        and tree.distance > 0
    left join reported as above
        on above.series_key = reported.series_key
        and above.region_code = tree.ancestor_code
    where reported.aggregation = 'whole'
),

nearest as (
    select
        *,
        min(case when is_reported_above then distance end) over (
            partition by series_key, region_code
        ) as distance_reported
    from upward
),

summed as (
    select
        series_key,
        ancestor_code as region_code,
        {{ exact_sum('value') }} as value,
        {{ status_of_rows('obs_status') }} as letters,
        {{ provenance_of_rows('provenance') }} as provenance,
        max(extract_rank) as extract_rank
    from nearest
    where distance_reported is null or distance < distance_reported
    group by series_key, ancestor_code
    having sum(case when value is not null then leaves else 0 end) = max(ancestor_leaves)
),

series as (
    select
        series_key,
        {% for column in series_dimensions() %}
        {{ column }},
        {% endfor %}
        max(year) as year,
        max(aggregation) as aggregation,
        max(population_source) as population_source,
        max(case when is_population then 1 else 0 end) = 1 as is_population
    from reported
    group by
        series_key,
        {% for column in series_dimensions() %}
        {{ column }}{% if not loop.last %},{% endif %}

        {% endfor %}
)

select * from reported

union all

select
    summed.region_code,
    {% for column in series_dimensions() %}
    series.{{ column }},
    {% endfor %}
    summed.series_key,
    series.year,
    summed.value,
    {{ ranked_status('summed.letters', 'summed.value') }} as obs_status,
    summed.provenance,
    'summed' as derivation,
    summed.extract_rank,
    cast(null as {{ dbt.type_string() }}) as observation_id,
    series.aggregation,
    series.population_source,
    series.is_population
from summed
inner join series
    on series.series_key = summed.series_key
