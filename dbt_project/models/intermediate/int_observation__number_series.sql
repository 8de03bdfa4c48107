-- What numbers are about, beside their region, and on which geography: one row each, with an id to join by that
-- is the same in every build, and the
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
        {{ key_text(['derived', 'population_source'] + dimensions) }} as series_key,
        {{ key_text(['derived', 'population_source', 'year_start'] + (undated | reject('equalto', 'boundaries') | list)) }}
            as year_key
    from everything
),

geographies as (
    select reference_geography, as_of_date
    from {{ source('source', 'reference_geography') }}
    where is_published
)

select
    {{ stable_id(['geographies.reference_geography', 'series.series_key']) }} as series_number,
    {{ stable_id(["'reported'", 'series.series_key']) }} as reported_series_number,
    {{ stable_id(['geographies.reference_geography', 'series.year_key']) }} as year_series_number,
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
    {{ stable_id(['geographies.reference_geography', 'both_sexes.series_key']) }} as both_sexes_number,
    {{ stable_id(['geographies.reference_geography', 'all_residences.series_key']) }} as all_residences_number,
    {{ stable_id(['geographies.reference_geography', 'whole_year.series_key']) }} as whole_year_number,
    series.derived,
    {{ stable_id(['geographies.reference_geography', 'first.series_key']) }} as first_number,
    {{ stable_id(['geographies.reference_geography', 'second.series_key']) }} as second_number
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
left join {{ source('source', 'reference_geography') }} as boundary
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
