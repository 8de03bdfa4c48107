-- The chosen observations, and the totals that can be summed exactly from their parts where none was reported:
-- both sexes, and urban, rural and unattributed. A reported total stands, also one that is reported as missing.
-- Rates (aggregation `none`) are never summed.
with chosen as (
    select
        region_code,
        series_number,
        value,
        obs_status,
        provenance,
        extract_rank,
        observation_id
    from {{ ref('int_observation__rank_vintages') }}
    where is_chosen
),

series as (
    select *
    from {{ ref('int_observation__number_series') }}
    where aggregation <> 'none' and reference_geography = 'reported'
),

both_sexes as (
    select
        part.region_code,
        series.both_sexes_number as series_number,
        {{ exact_sum('part.value') }} as value,
        {{ status_of_rows('part.obs_status') }} as letters,
        {{ provenance_of_rows('part.provenance') }} as provenance,
        max(part.extract_rank) as extract_rank
    from chosen as part
    inner join series
        on series.series_number = part.series_number
        and series.both_sexes_number is not null
    left join chosen as total
        on total.series_number = series.both_sexes_number
        and total.region_code = part.region_code
    where total.series_number is null
    group by part.region_code, series.both_sexes_number
    having count(part.value) = 2
),

with_sexes as (
    select region_code, series_number, value, obs_status, provenance, extract_rank
    from chosen

    union all

    select region_code, series_number, value, {{ ranked_status('letters', 'value') }}, provenance, extract_rank
    from both_sexes
),

-- A source that sets some of a figure apart as unattributed does so everywhere: a part that one region lacks is then
-- a gap, and urban and rural alone are no total.
expected_parts as (
    select
        measure, period_start, period_end, population_basis,
        count(distinct residence) as parts
    from series
    where residence <> 'total'
    group by measure, period_start, period_end, population_basis
),

all_residences as (
    select
        part.region_code,
        series.all_residences_number as series_number,
        {{ exact_sum('part.value') }} as value,
        {{ status_of_rows('part.obs_status') }} as letters,
        {{ provenance_of_rows('part.provenance') }} as provenance,
        max(part.extract_rank) as extract_rank
    from with_sexes as part
    inner join series
        on series.series_number = part.series_number
        and series.all_residences_number is not null
    inner join expected_parts as expected
        on expected.measure = series.measure
        and expected.period_start = series.period_start
        and expected.period_end = series.period_end
        and expected.population_basis = series.population_basis
    left join with_sexes as total
        on total.series_number = series.all_residences_number
        and total.region_code = part.region_code
    where total.series_number is null
    group by part.region_code, series.all_residences_number
    having
        count(part.value) = max(expected.parts)
        and count(case when series.residence in ('urban', 'rural') then 1 end) = 2
)

select region_code, series_number, value, obs_status, provenance, 'reported' as derivation, extract_rank, observation_id
from chosen

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
from (
    select * from both_sexes
    union all
    select * from all_residences
) as totals
