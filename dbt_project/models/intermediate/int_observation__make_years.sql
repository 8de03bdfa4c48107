-- The one figure of a year, within the years of the jurisdiction, by the number of its series.
--   stocks, rates  of the periods that a region has a figure of, the one that ends last, the longest first
--   flows          the whole year as reported, also one that is reported as missing; else the sum of its parts. A year
--                  of which parts are missing has no value (M, `is_partial_year`), or a scaled one where its contract
--                  says how (E).
-- What reaches beyond a year is no figure of a year. `population_date` is the day that a population is of.
with series as (
    select
        series.*,
        row_number() over (
            partition by series.year_series_number
            order by
                series.period_end desc,
                series.period_start,
                case when series.boundaries = 'reported' then 0 else 1 end,
                series.boundaries
        ) as place,
        count(*) over (partition by series.year_series_number) as periods
    from {{ ref('int_observation__number_series') }} as series
    cross join {{ ref('stg_setting') }} as setting
    where
        series.is_within_year
        and not series.is_part
        and (setting.first_year is null or series.year >= setting.first_year)
        and (setting.last_year is null or series.year <= setting.last_year)
),

observations as (
    select
        region_code, series_number, value, obs_status, provenance, derivation, extract_rank, false as is_partial_year,
        cast(null as date) as population_date
    from {{ ref('int_observation__sum_regions') }}

    union all

    select region_code, series_number, value, obs_status, provenance, derivation, extract_rank, false, cast(null as date)
    from {{ ref('int_population__derive') }}

    union all

    select region_code, series_number, value, obs_status, provenance, derivation, extract_rank, false, population_date
    from {{ ref('int_population__date_years') }}

    union all

    select
        years.region_code,
        years.series_number,
        coalesce(years.value, years.scaled_value),
        case
            when years.is_complete then {{ ranked_status('years.letters', 'years.value') }}
            when years.scaled_value is not null
                then {{ ranked_status(dbt.concat(['years.letters', "'E'"]), 'years.scaled_value') }}
            when years.letters like '%Q%' then 'Q'
            else 'M'
        end,
        years.provenance,
        case when years.is_complete then 'summed' else 'estimated' end,
        years.extract_rank,
        not years.is_complete and years.scaled_value is null,
        cast(null as date)
    from {{ ref('int_observation__sum_years') }} as years
    left join {{ ref('int_observation__sum_regions') }} as reported
        on reported.series_number = years.series_number
        and reported.region_code = years.region_code
    where reported.series_number is null
),

-- few years have several periods: only theirs are compared, region by region
first_places as (
    select
        series.year_series_number,
        observations.region_code,
        min(series.place) as place
    from observations
    inner join series
        on series.series_number = observations.series_number
        and series.periods > 1
    group by series.year_series_number, observations.region_code
)

select
    observations.region_code,
    observations.series_number,
    observations.value,
    observations.obs_status,
    observations.provenance,
    observations.derivation,
    observations.extract_rank,
    observations.is_partial_year,
    case when series.is_population then coalesce(observations.population_date, series.period_end) end as population_date
from observations
inner join series
    on series.series_number = observations.series_number
left join first_places
    on first_places.year_series_number = series.year_series_number
    and first_places.region_code = observations.region_code
where series.periods = 1 or series.place = first_places.place
