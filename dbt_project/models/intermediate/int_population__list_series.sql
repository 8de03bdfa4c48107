-- Populations that nobody reports and that are made of those that are, beside their region: one row each, with what it is
-- made of. int_population__derive makes their numbers, int_observation__number_series numbers them.
--   age       an age group that an indicator asks for and nobody reports, of the age groups that are reported;
--   mid_year  the mean of two year ends (`first_...`, `second_...`), dated the thirtieth of June;
--   estimate  a year end between two counts of the same kind, on the regions of a reference geography only;
--   of_year   the population that a financial year is divided by, of those dated in or near it.
{% set dimensions = series_dimensions() %}
{% set undated = dimensions | reject('in', ['period_start', 'period_end']) | list %}
{% set calendar_year = first_day_of_year('period_end', "'01-01'") ~ ' as year_start, '
    ~ last_day_of_year(first_day_of_year('period_end', "'01-01'")) ~ ' as year_end, cast(year(period_end) as integer) as year' %}
{% set unmade = 'cast(null as date) as first_start, cast(null as date) as first_end, cast(null as date) as second_start, '
    ~ 'cast(null as date) as second_end' %}
{% set what = (dimensions + ['aggregation', 'population_source', 'is_population', 'derived']) | join(', ') %}

with listed as (
    select * from {{ ref('int_observation__list_series') }}
),

populations as (
    select *
    from (
        select
            *,
            row_number() over (
                partition by {{ dimensions | reject('in', ['period_start']) | join(', ') }} order by period_start desc
            ) as place
        from listed
        where is_population and aggregation = 'whole' and is_within_year
    ) as placed
    where place = 1
),

ages_asked_for as (
    select distinct measure, population_source, age_group
    from {{ source('source', 'indicator_term') }}
    where age_group not in ('*', 'all')
),

ages as (
    select distinct
        {% for column in dimensions %}
        {{ 'asked.age_group' if column == 'age_group' else 'populations.' ~ column }},
        {% endfor %}
        populations.aggregation,
        populations.population_source,
        populations.is_population,
        'age' as derived
    from populations
    inner join ages_asked_for as asked
        on asked.measure = populations.measure
        and (
            asked.population_source in ('*', populations.population_source)
            or (asked.population_source = 'mid_year' and populations.population_source = 'year_end')
        )
    left join populations as found
        on found.age_group = asked.age_group
        {% for column in dimensions if column != 'age_group' %}
        and found.{{ column }} = populations.{{ column }}
        {% endfor %}
    where populations.age_group <> 'all' and found.measure is null
),

year_ends as (
    select
        {% for column in dimensions %}
        {{ column }},
        {% endfor %}
        aggregation,
        is_population,
        year(period_end) as end_year
    from (
        select {{ dimensions | join(', ') }}, aggregation, is_population, population_source from populations
        union all
        select {{ dimensions | join(', ') }}, aggregation, is_population, population_source from ages
    ) as reported
    where population_source = 'year_end' and month(period_end) = 12 and day(period_end) = 31
),

mid_years as (
    select
        {% for column in dimensions %}
        {% if column in ('period_start', 'period_end') %}
        cast({{ dbt.concat(['cast(later.end_year as ' ~ dbt.type_string() ~ ')', "'-06-30'"]) }} as date) as {{ column }},
        {% else %}
        later.{{ column }},
        {% endif %}
        {% endfor %}
        later.aggregation,
        'mid_year' as population_source,
        later.is_population,
        'mid_year' as derived,
        earlier.period_start as first_start,
        earlier.period_end as first_end,
        later.period_start as second_start,
        later.period_end as second_end
    from year_ends as later
    inner join year_ends as earlier
        on earlier.end_year = later.end_year - 1
        {% for column in undated %}
        and earlier.{{ column }} = later.{{ column }}
        {% endfor %}
    where
        later.age_group = 'all'
        or exists (
            select 1
            from {{ source('source', 'indicator_term') }} as term
            where
                term.measure = later.measure
                and term.age_group = later.age_group
                and term.population_source = 'mid_year'
        )
),

counts as (
    select
        *,
        lead(period_start) over (
            partition by {{ dimensions | reject('in', ['period_start', 'period_end']) | join(', ') }}
            order by period_end
        ) as next_start,
        lead(period_end) over (
            partition by {{ dimensions | reject('in', ['period_start', 'period_end']) | join(', ') }}
            order by period_end
        ) as next_end
    from populations
    where population_source = 'census' and residence = 'total' and sex = 'all' and age_group = 'all'
),

ends_of_years as (
    select distinct
        cast({{ dbt.concat(['cast(year(period_end) as ' ~ dbt.type_string() ~ ')', "'-12-31'"]) }} as date) as day
    from listed
),

estimates as (
    select
        {% for column in dimensions %}
        {{ 'ends_of_years.day as ' ~ column if column in ('period_start', 'period_end') else 'counts.' ~ column }},
        {% endfor %}
        counts.aggregation,
        'year_end' as population_source,
        counts.is_population,
        'estimate' as derived,
        counts.period_start as first_start,
        counts.period_end as first_end,
        counts.next_start as second_start,
        counts.next_end as second_end
    from counts
    inner join ends_of_years
        on ends_of_years.day > counts.period_end
        and ends_of_years.day < counts.next_end
),

-- every population there is has one for each financial year of other figures
of_years as (
    select distinct
        {% for column in dimensions %}
        {% if column in ('period_start', 'period_end') %}
        financial.{{ column | replace('period', 'year') }} as {{ column }},
        {% elif column == 'boundaries' %}
        'reported' as {{ column }},
        {% else %}
        population.{{ column }},
        {% endif %}
        {% endfor %}
        population.aggregation,
        population.population_source,
        population.is_population,
        'of_year' as derived,
        financial.year_start,
        financial.year_end,
        financial.year
    from (
        {% for source in ['populations', 'ages', 'mid_years', 'estimates'] %}
        select {{ undated | join(', ') }}, aggregation, population_source, is_population from {{ source }}
        {{ 'union' if not loop.last }}
        {% endfor %}
    ) as population
    cross join (
        select distinct year_start, year_end, year
        from listed
        where not is_population and is_within_year and not ({{ is_calendar_year('year_start') }})
    ) as financial
)

select {{ what }}, {{ calendar_year }}, {{ unmade }} from ages
union all
select {{ what }}, {{ calendar_year }}, first_start, first_end, second_start, second_end from mid_years
union all
select {{ what }}, {{ calendar_year }}, first_start, first_end, second_start, second_end from estimates
union all
select {{ what }}, year_start, year_end, year, {{ unmade }} from of_years
