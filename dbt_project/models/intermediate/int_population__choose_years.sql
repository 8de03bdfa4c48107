-- The population that the figures of a year are divided by, of everybody: for a calendar year the last of those dated in
-- it; for a financial year the one dated in it that is nearest to the time the jurisdiction wants, and where none is, the
-- nearest of the same land there is, as an estimate (E). `population_date` is its day.
with populations as (
    select
        region_code, region_depth, reference_geography, reference_date, year, population_basis, population_source,
        residence, population, obs_status, provenance
    from {{ ref('fct_population') }}
    where sex = 'all' and age_group = 'all'
),

financial_years as (
    select distinct reference_geography, year, year_start, year_end
    from {{ ref('int_observation__number_series') }}
    where not is_population and is_within_year and not ({{ is_calendar_year('year_start') }})
),

calendar as (
    select
        *,
        cast({{ dbt.concat(['cast(year as ' ~ dbt.type_string() ~ ')', "'-01-01'"]) }} as date) as year_start,
        row_number() over (
            partition by region_code, reference_geography, year, population_basis, population_source, residence
            order by reference_date desc
        ) as place
    from populations
),

financial as (
    select
        populations.*,
        financial_years.year as financial_year,
        financial_years.year_start,
        populations.reference_date between financial_years.year_start and financial_years.year_end as is_inside,
        row_number() over (
            partition by
                populations.region_code, populations.reference_geography, financial_years.year_start,
                populations.population_basis, populations.population_source, populations.residence
            order by
                case when populations.population is null then 1 else 0 end,
                {{ nearness_to_year('populations.reference_date', 'financial_years.year_start',
                                    'financial_years.year_end', 'setting.financial_year_population') }}
        ) as place
    from financial_years
    inner join populations
        on populations.reference_geography = financial_years.reference_geography
    cross join {{ ref('stg_setting') }} as setting
    left join {{ ref('int_region__land_changes') }} as land
        on populations.reference_geography = 'reported'
        and land.region_code = populations.region_code
        and land.effective_date > least(populations.reference_date, financial_years.year_end)
        and land.effective_date <= greatest(populations.reference_date, financial_years.year_end)
    where land.region_code is null
)

select
    region_code, region_depth, reference_geography, year, year_start, population_basis, population_source, residence,
    population, reference_date as population_date, obs_status, provenance
from calendar
where place = 1

union all

select
    region_code, region_depth, reference_geography, financial_year, year_start, population_basis, population_source,
    residence, population, reference_date,
    case
        when is_inside then obs_status
        else {{ ranked_status(dbt.concat(['obs_status', "'E'"]), 'population') }}
    end,
    provenance
from financial
where place = 1
