-- Age groups that nobody reports and the reported groups that each is made of: the smallest that cover it without a gap,
-- and without cutting a group that has no end. `ages` of the `band_width` ages of a group belong to it.
with series as (
    select * from {{ ref('int_observation__number_series') }}
),

spans as (
    select
        series_number, reference_geography, measure, period_start, period_end, population_basis, residence, sex,
        group_code, item, derived,
        {{ age_from('age_group') }} as first_age,
        {{ age_to('age_group') }} as last_age
    from series
    where is_population and derived in ('none', 'age') and age_group <> 'all'
),

shared_ages as (
    select
        wanted.series_number,
        band.series_number as band_number,
        wanted.last_age - wanted.first_age + 1 as width,
        band.first_age,
        band.last_age,
        band.last_age - band.first_age + 1 as band_width,
        least(wanted.last_age, band.last_age) - greatest(wanted.first_age, band.first_age) + 1 as ages
    from spans as wanted
    inner join spans as band
        on band.derived = 'none'
        and band.reference_geography = wanted.reference_geography
        and band.measure = wanted.measure
        and band.period_start = wanted.period_start
        and band.period_end = wanted.period_end
        and band.population_basis = wanted.population_basis
        and band.residence = wanted.residence
        and band.sex = wanted.sex
        and band.group_code = wanted.group_code
        and band.item = wanted.item
        and band.first_age <= wanted.last_age
        and band.last_age >= wanted.first_age
    where wanted.derived = 'age'
),

-- of groups that lie in each other the smallest
bands as (
    select shared_ages.*
    from shared_ages
    left join shared_ages as inner_band
        on inner_band.series_number = shared_ages.series_number
        and inner_band.band_number <> shared_ages.band_number
        and inner_band.first_age >= shared_ages.first_age
        and inner_band.last_age <= shared_ages.last_age
    where inner_band.series_number is null
),

covered as (
    select series_number, count(*) as bands
    from bands
    group by series_number
    -- without a gap, and without cutting a group that has no end
    having
        sum(ages) = max(width)
        and max(case when last_age = 999 and ages < band_width then 1 else 0 end) = 0
)

select
    bands.series_number,
    bands.band_number,
    bands.ages,
    bands.band_width,
    -- whether a group is cut: then it is estimated
    min(bands.ages - bands.band_width) over (partition by bands.series_number) < 0 as is_cut,
    covered.bands
from bands
inner join covered
    on covered.series_number = bands.series_number
