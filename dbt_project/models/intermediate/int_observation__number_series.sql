-- What numbers are about, beside their region, and on which geography: one row each, with a number to join by, and the
-- numbers of the series that its total of both sexes, of all residences and (for a part of a year's flow) of its year have.
-- There are far fewer of them than observations, so whatever depends on the dimensions alone is decided here.
-- `list_date` says whose regions the numbers are reported on: those in force at the end of the period, or those of the
-- boundaries that an extract is on. `as_of_date` says on which regions they are used: those in force at the end of the
-- period for the geography `reported` (for the middle of a year, at the end of it), those of the list for a reference
-- geography (whose `reported_series_number` says what it re-bases).
-- A series that is `derived` (`age`, `mid_year`, `estimate`, `of_year`: int_population__list_series) has no reports of its
-- own; where it is made of two series, these are its `first_number` and `second_number`.
{% set dimensions = series_dimensions() %}
{% set undated = dimensions | reject('in', ['period_start', 'period_end']) | list %}
{% set what = (dimensions + ['aggregation', 'population_source', 'is_population', 'year_start', 'year_end', 'year']) | join(', ') %}

with everything as (
    select
        {{ what }}, 'none' as derived, partial_year, is_flow, is_within_year,
        cast(null as date) as first_start,
        cast(null as date) as first_end,
        cast(null as date) as second_start,
        cast(null as date) as second_end
    from {{ ref('int_observation__list_series') }}

    union all

    select {{ what }}, derived, 'missing', false, true, first_start, first_end, second_start, second_end
    from {{ ref('int_population__list_series') }}
),

numbered as (
    select
        *,
        is_flow and is_within_year and (period_start > year_start or period_end < year_end) as is_part,
        row_number() over (
            order by case when derived = 'none' then 0 else 1 end, derived, {{ dimensions | join(', ') }}, population_source
        ) as series_number,
        dense_rank() over (
            order by
                case when derived = 'none' then 0 else 1 end, derived,
                {{ undated | reject('equalto', 'boundaries') | join(', ') }}, population_source, year_start
        ) as year_series_number,
        count(*) over () as series
    from everything
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
    where is_published
)

select
    geographies.place * series.series + series.series_number as series_number,
    series.series_number as reported_series_number,
    geographies.place * series.series + series.year_series_number as year_series_number,
    geographies.reference_geography,
    case
        when geographies.reference_geography <> 'reported' then geographies.as_of_date
        -- the middle of a year is told on the regions of its end
        when series.derived = 'mid_year' then series.second_end
        else series.period_end
    end as as_of_date,
    coalesce(boundary.as_of_date, series.period_end) as list_date,
    {% for column in dimensions %}
    series.{{ column }},
    {% endfor %}
    series.year_start,
    series.year_end,
    series.year,
    series.is_within_year,
    series.is_part,
    series.partial_year,
    series.is_flow,
    series.aggregation,
    series.population_source,
    series.is_population,
    geographies.place * series.series + both_sexes.series_number as both_sexes_number,
    geographies.place * series.series + all_residences.series_number as all_residences_number,
    geographies.place * series.series + whole_year.series_number as whole_year_number,
    series.derived,
    geographies.place * series.series + first.series_number as first_number,
    geographies.place * series.series + second.series_number as second_number
from numbered as series
inner join geographies
    on series.derived <> 'estimate' or geographies.reference_geography <> 'reported'
left join numbered as both_sexes
    on series.sex in ('male', 'female')
    and both_sexes.sex = 'all'
    and series.derived = 'none'
    and both_sexes.derived = 'none'
    {% for column in dimensions if column != 'sex' %}
    and both_sexes.{{ column }} = series.{{ column }}
    {% endfor %}
left join numbered as all_residences
    on series.residence <> 'total'
    and all_residences.residence = 'total'
    and series.derived = 'none'
    and all_residences.derived = 'none'
    {% for column in dimensions if column != 'residence' %}
    and all_residences.{{ column }} = series.{{ column }}
    {% endfor %}
left join numbered as whole_year
    on series.is_part
    and whole_year.period_start = series.year_start
    and whole_year.period_end = series.year_end
    and whole_year.derived = 'none'
    {% for column in undated %}
    and whole_year.{{ column }} is not distinct from series.{{ column }}
    {% endfor %}
left join {{ ref('stg_reference_geography') }} as boundary
    on boundary.reference_geography = series.boundaries
    and boundary.reference_geography <> 'reported'
-- what it is made of: series that are themselves reported, or an age group made of them
left join numbered as first
    on first.period_start = series.first_start
    and first.period_end = series.first_end
    and first.derived in ('none', 'age')
    {% for column in undated %}
    and first.{{ column }} = series.{{ column }}
    {% endfor %}
left join numbered as second
    on second.period_start = series.second_start
    and second.period_end = series.second_end
    and second.derived in ('none', 'age')
    {% for column in undated %}
    and second.{{ column }} = series.{{ column }}
    {% endfor %}
