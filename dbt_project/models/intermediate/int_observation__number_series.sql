-- What numbers are about, beside their region: one row per combination of dimensions and geography, with a number to
-- join by, and the combinations that its total of both sexes and of all residences would have. There are far fewer of
-- them than observations, so whatever depends on the dimensions alone is decided here.
-- `as_of_date` says whose regions the numbers of a series are on: those in force at the end of its period for the
-- geography `reported`, those of the list for a reference geography (its `reported_series_number` says what it re-bases).
{% set dimensions = series_dimensions() %}

with observed as (
    select distinct {{ dimensions | join(', ') }}
    from {{ ref('stg_observation') }}
),

with_both_sexes as (
    select {{ dimensions | join(', ') }} from observed

    union

    select {{ dimensions | join(', ') | replace('sex', "'all' as sex") }}
    from observed
    where sex in ('male', 'female')
),

with_totals as (
    select {{ dimensions | join(', ') }} from with_both_sexes

    union

    select {{ dimensions | join(', ') | replace('residence', "'total' as residence") }}
    from with_both_sexes
    where residence <> 'total'
),

numbered as (
    select
        *,
        row_number() over (order by {{ dimensions | join(', ') }}) as series_number,
        dense_rank() over (
            order by {{ dimensions | reject('in', ['period_start', 'period_end']) | join(', ') }}, year(period_end)
        ) as year_series_number,
        count(*) over () as series
    from with_totals
),

-- the numbers of a reference geography follow those of the geography before it
geographies as (
    select
        reference_geography,
        as_of_date,
        row_number() over (
            order by case when reference_geography = 'reported' then 0 else 1 end, reference_geography
        ) - 1 as place
    from {{ ref('stg_reference_geography') }}
)

select
    geographies.place * series.series + series.series_number as series_number,
    series.series_number as reported_series_number,
    geographies.place * series.series + series.year_series_number as year_series_number,
    geographies.reference_geography,
    case when geographies.reference_geography = 'reported' then series.period_end else geographies.as_of_date end
        as as_of_date,
    {% for column in dimensions %}
    series.{{ column }},
    {% endfor %}
    cast(year(series.period_end) as integer) as year,
    coalesce(measure.aggregation, 'none') as aggregation,
    coalesce(measure.population_source, 'none') as population_source,
    coalesce(measure.is_population, false) as is_population,
    geographies.place * series.series + both_sexes.series_number as both_sexes_number,
    geographies.place * series.series + all_residences.series_number as all_residences_number
from numbered as series
cross join geographies
left join {{ ref('stg_measure') }} as measure
    on measure.measure = series.measure
left join numbered as both_sexes
    on series.sex in ('male', 'female')
    and both_sexes.sex = 'all'
    {% for column in dimensions if column != 'sex' %}
    and both_sexes.{{ column }} = series.{{ column }}
    {% endfor %}
left join numbered as all_residences
    on series.residence <> 'total'
    and all_residences.residence = 'total'
    {% for column in dimensions if column != 'residence' %}
    and all_residences.{{ column }} = series.{{ column }}
    {% endfor %}
