-- What numbers are about, beside their region: one row per combination of dimensions and geography, with a number to
-- join by, and the combinations that its total of both sexes and of all residences would have. There are far fewer of
-- them than observations, so whatever depends on the dimensions alone is decided here.
-- `as_of_date` says whose regions the numbers of a series are on: those in force at the end of its period for the
-- geography `reported` (for the middle of a year, at the end of it), those of the list for a reference geography (whose
-- `reported_series_number` says what it re-bases).
-- A series that is `derived` has no reports of its own; int_population__derive makes its numbers of those of others:
--   age       an age group that an indicator asks for and nobody reports, of the age groups that are reported;
--   mid_year  the mean of two year ends (`first_number`, `second_number`), dated the thirtieth of June;
--   estimate  a year end between two counts of the same kind, on the regions of a reference geography only.
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

typed as (
    select
        {% for column in dimensions %}
        series.{{ column }},
        {% endfor %}
        coalesce(measure.aggregation, 'none') as aggregation,
        coalesce(measure.population_source, 'none') as population_source,
        coalesce(measure.is_population, false) as is_population,
        'none' as derived
    from with_totals as series
    left join {{ ref('stg_measure') }} as measure
        on measure.measure = series.measure
),

populations as (
    select *
    from (
        select
            *,
            row_number() over (
                partition by {{ dimensions | reject('in', ['period_start']) | join(', ') }} order by period_start desc
            ) as place
        from typed
        where is_population and aggregation = 'whole'
    ) as placed
    where place = 1
),

ages_asked_for as (
    select distinct measure, population_source, age_group
    from {{ ref('stg_indicator_term') }}
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
        {% for column in dimensions if column not in ('period_start', 'period_end') %}
        and earlier.{{ column }} = later.{{ column }}
        {% endfor %}
    where
        later.age_group = 'all'
        or exists (
            select 1
            from {{ ref('stg_indicator_term') }} as term
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
    from observed
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

everything as (
    {% set nothing = 'cast(null as date)' %}
    select *, {{ nothing }} as first_start, {{ nothing }} as first_end, {{ nothing }} as second_start,
        {{ nothing }} as second_end
    from typed
    union all
    select *, {{ nothing }}, {{ nothing }}, {{ nothing }}, {{ nothing }} from ages
    union all
    select * from mid_years
    union all
    select * from estimates
),

numbered as (
    select
        *,
        row_number() over (
            order by case when derived = 'none' then 0 else 1 end, derived, {{ dimensions | join(', ') }}
        ) as series_number,
        dense_rank() over (
            order by
                case when derived = 'none' then 0 else 1 end, derived,
                {{ dimensions | reject('in', ['period_start', 'period_end']) | join(', ') }}, year(period_end)
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
    {% for column in dimensions %}
    series.{{ column }},
    {% endfor %}
    cast(year(series.period_end) as integer) as year,
    series.aggregation,
    series.population_source,
    series.is_population,
    geographies.place * series.series + both_sexes.series_number as both_sexes_number,
    geographies.place * series.series + all_residences.series_number as all_residences_number,
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
-- what it is made of: series that are themselves reported, or an age group made of them
left join numbered as first
    on first.period_start = series.first_start
    and first.period_end = series.first_end
    and first.derived in ('none', 'age')
    {% for column in dimensions if column not in ('period_start', 'period_end') %}
    and first.{{ column }} = series.{{ column }}
    {% endfor %}
left join numbered as second
    on second.period_start = series.second_start
    and second.period_end = series.second_end
    and second.derived in ('none', 'age')
    {% for column in dimensions if column not in ('period_start', 'period_end') %}
    and second.{{ column }} = series.{{ column }}
    {% endfor %}
