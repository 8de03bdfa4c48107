-- One figure per year, within the years of the jurisdiction: the period that ends last in the year, the longest first.
with observations as (
    select * from {{ ref('int_observation__roll_up') }}
    union all
    select * from {{ ref('int_population__derive') }}
),

placed as (
    select
        observation.*,
        row_number() over (
            partition by observation.year_series_number, observation.region_code
            order by observation.period_end desc, observation.period_start
        ) as place
    from observations as observation
    cross join {{ ref('stg_setting') }} as setting
    where
        (setting.first_year is null or observation.year >= setting.first_year)
        and (setting.last_year is null or observation.year <= setting.last_year)
)

select
    region_code,
    series_number,
    reference_geography,
    as_of_date,
    measure,
    year,
    period_end,
    population_basis,
    population_source,
    residence,
    sex,
    age_group,
    group_code,
    item,
    value,
    obs_status,
    provenance,
    derivation,
    extract_rank,
    aggregation
from placed
where place = 1
