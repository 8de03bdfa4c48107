-- The one figure of a year, within the years of the jurisdiction: of the periods that a region has a figure of, the one that
-- ends last, the longest first. What figures are about is said by the number of their series.
with series as (
    select
        series.series_number,
        series.year_series_number,
        row_number() over (
            partition by series.year_series_number
            order by series.period_end desc, series.period_start
        ) as place,
        count(*) over (partition by series.year_series_number) as periods
    from {{ ref('int_observation__number_series') }} as series
    cross join {{ ref('stg_setting') }} as setting
    where
        (setting.first_year is null or series.year >= setting.first_year)
        and (setting.last_year is null or series.year <= setting.last_year)
),

observations as (
    select region_code, series_number, value, obs_status, provenance, derivation, extract_rank
    from {{ ref('int_observation__sum_regions') }}

    union all

    select region_code, series_number, value, obs_status, provenance, derivation, extract_rank
    from {{ ref('int_population__derive') }}
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

select observations.*
from observations
inner join series
    on series.series_number = observations.series_number
left join first_places
    on first_places.year_series_number = series.year_series_number
    and first_places.region_code = observations.region_code
where series.periods = 1 or series.place = first_places.place
