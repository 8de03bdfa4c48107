-- What is reported, beside its region: one row per combination of dimensions, with those of the totals of both sexes and
-- of all residences, whether or not anybody reports them.
-- Each belongs to one year (`year_start` to `year_end`, called `year`): a population to that of the calendar, another to
-- the years of the contract that reports it, the better rank first. Is it a flow of a part of a year, then the flow of the
-- whole year is listed as well. What reaches beyond its year (`is_within_year` false, such as a pooled figure of several
-- years) is no figure of a year.
{% set dimensions = series_dimensions() %}
{% set undated = dimensions | reject('in', ['period_start', 'period_end']) | list %}

with observed as (
    select distinct {{ dimensions | join(', ') }}, department, extract, year_start, year
    from {{ ref('stg_observation') }}
),

with_both_sexes as (
    select distinct {{ dimensions | join(', ') }} from observed

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

-- the year of each period of a measure, as the extract that ranks first counts years
years as (
    select *
    from (
        select
            observed.measure,
            observed.period_start,
            observed.period_end,
            observed.boundaries,
            observed.year_start,
            observed.year,
            extract.partial_year,
            row_number() over (
                partition by observed.measure, observed.period_start, observed.period_end, observed.boundaries
                order by extract.extract_rank, observed.department, observed.extract
            ) as place
        from (
            select distinct measure, period_start, period_end, boundaries, department, extract, year_start, year
            from observed
        ) as observed
        left join {{ source('source', 'extract') }} as extract
            on extract.department = observed.department
            and extract.extract = observed.extract
    ) as placed
    where place = 1
),

dated as (
    select
        {% for column in dimensions %}
        series.{{ column }},
        {% endfor %}
        years.year_start,
        {{ last_day_of_year('years.year_start') }} as year_end,
        years.year,
        coalesce(years.partial_year, 'missing') as partial_year,
        coalesce(measure.kind = 'flow', false) as is_flow,
        coalesce(measure.aggregation, 'none') as aggregation,
        coalesce(measure.population_source, 'none') as population_source,
        coalesce(measure.is_population, false) as is_population
    from with_totals as series
    inner join years
        on years.measure is not distinct from series.measure
        and years.period_start = series.period_start
        and years.period_end = series.period_end
        and years.boundaries = series.boundaries
    left join {{ source('source', 'measure') }} as measure
        on measure.measure = series.measure
),

-- of a flow that is reported in parts, its year, where nobody reports that
whole_years as (
    select distinct
        {% for column in dimensions %}
        {% if column in ('period_start', 'period_end') %}
        part.{{ column | replace('period', 'year') }} as {{ column }},
        {% else %}
        part.{{ column }},
        {% endif %}
        {% endfor %}
        part.year_start,
        part.year_end,
        part.year,
        'missing' as partial_year,
        part.is_flow,
        part.aggregation,
        part.population_source,
        part.is_population
    from dated as part
    left join dated as found
        on found.period_start = part.year_start
        and found.period_end = part.year_end
        {% for column in undated %}
        and found.{{ column }} is not distinct from part.{{ column }}
        {% endfor %}
    where
        part.is_flow
        and part.period_start >= part.year_start
        and (part.period_start > part.year_start or part.period_end < part.year_end)
        and found.period_end is null
)

select
    *,
    case
        -- a population of a period of up to a year is that of its last day
        when is_population then period_start > cast({{ dbt.dateadd('year', -1, 'period_end') }} as date)
        else period_start >= year_start
    end as is_within_year
from (
    select * from dated
    union all
    select * from whole_years
) as listed
