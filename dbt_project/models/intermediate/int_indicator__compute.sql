-- The value of each indicator, its interval, and the regions that are missing: where the figure exists for a region's
-- neighbours (same parent, same level, same year and population) but was not reported for it, a row says so.
-- Regions below the indicator's lowest level have no row: their figures would be noise. Where events are fewer than the
-- indicator asks for, its years are pooled; where they still are, there is no value (Q): the level above speaks. An
-- indicator with a standard population is standardised over the ages of that population.
{% set cell = ['indicator_code', 'reference_geography', 'year', 'year_start', 'population_basis', 'population_source',
               'residence', 'sex', 'age_group', 'group_code'] %}

with combined as (
    select * from {{ ref('int_indicator__combine_terms') }}
),

few as (
    select indicator_code, pool_years, min_events
    from {{ source('source', 'indicator') }}
    where min_events is not null
),

-- a code whose land changed stands for another region from that day: its years are not pooled with those before
versions as (
    select combined.indicator_code, combined.region_code, combined.reference_geography, combined.as_of_date,
        max(region.valid_from) as valid_from
    from combined
    inner join few
        on few.indicator_code = combined.indicator_code
    inner join {{ source('source', 'region') }} as region
        on region.region_code = combined.region_code
        and region.valid_from <= combined.as_of_date
        and (region.valid_to is null or region.valid_to > combined.as_of_date)
    group by combined.indicator_code, combined.region_code, combined.reference_geography, combined.as_of_date
),

counted as (
    select combined.*, versions.valid_from, few.pool_years, few.min_events
    from combined
    inner join few
        on few.indicator_code = combined.indicator_code
    inner join versions
        on versions.indicator_code = combined.indicator_code
        and versions.region_code = combined.region_code
        and versions.reference_geography = combined.reference_geography
        and versions.as_of_date = combined.as_of_date
    where combined.is_pair and combined.numerator is not null and combined.denominator is not null
),

pooled as (
    select
        now.region_code,
        {% for column in cell %}
        now.{{ column }},
        {% endfor %}
        {{ exact_sum('past.numerator') }} as numerator,
        {{ exact_sum('past.denominator') }} as denominator,
        count(*) as years,
        sum(past.numerator) >= max(now.min_events) as is_enough,
        {{ status_of_rows('past.letters') }} as letters,
        {{ provenance_of_rows('past.provenance') }} as provenance,
        {{ derivation_of_rows('past.derivation') }} as derivation
    from counted as now
    inner join counted as past
        on past.region_code = now.region_code
        and past.valid_from = now.valid_from
        and past.year between now.year - now.pool_years + 1 and now.year
        {% for column in cell if column not in ('year', 'year_start') %}
        and past.{{ column }} = now.{{ column }}
        {% endfor %}
    where now.numerator < now.min_events
    group by
        {% for column in cell %}
        now.{{ column }},
        {% endfor %}
        now.region_code
),

standardised as (
    select * from {{ ref('int_indicator__standardise') }}
),

lowest as (
    select region_level, max(region_depth) as region_depth
    from {{ source('source', 'region') }}
    group by region_level
),

neighbourhoods as (
    select
        {% for column in cell %}
        combined.{{ column }},
        {% endfor %}
        region.parent_code,
        region.region_level,
        max(combined.period_end) as period_end,
        max(combined.as_of_date) as as_of_date,
        {{ provenance_of_rows('combined.provenance') }} as provenance
    from combined
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = combined.reference_geography
        and region.as_of_date = combined.as_of_date
        and region.region_code = combined.region_code
    where combined.is_pair and region.parent_code is not null
    group by
        {% for column in cell %}
        combined.{{ column }},
        {% endfor %}
        region.parent_code, region.region_level
),

missing as (
    select
        region.region_code,
        {% for column in cell %}
        neighbourhoods.{{ column }},
        {% endfor %}
        neighbourhoods.period_end,
        neighbourhoods.as_of_date,
        combined.numerator,
        combined.denominator,
        coalesce(combined.letters, '') as letters,
        -- the gap is in the same sources
        {{ provenance_of(['combined.provenance', 'neighbourhoods.provenance']) }} as provenance,
        coalesce(combined.derivation, 'reported') as derivation,
        coalesce(combined.is_partial_year, false) as is_partial_year,
        combined.population_date
    from neighbourhoods
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = neighbourhoods.reference_geography
        and region.as_of_date = neighbourhoods.as_of_date
        and region.parent_code = neighbourhoods.parent_code
        and region.region_level = neighbourhoods.region_level
    left join combined
        on combined.region_code = region.region_code
        {% for column in cell %}
        and combined.{{ column }} = neighbourhoods.{{ column }}
        {% endfor %}
    where combined.region_code is null or not combined.is_pair
),

figures as (
    select
        combined.region_code,
        {% for column in cell %}
        combined.{{ column }},
        {% endfor %}
        combined.period_end,
        combined.as_of_date,
        case
            when pooled.region_code is null then combined.numerator
            when pooled.is_enough then pooled.numerator
        end as numerator,
        case when pooled.is_enough then pooled.denominator else combined.denominator end as denominator,
        case
            when pooled.region_code is null then combined.letters
            when pooled.is_enough then pooled.letters
            else {{ joined_statuses(['combined.letters', "'Q'"]) }}
        end as letters,
        case when pooled.is_enough then pooled.provenance else combined.provenance end as provenance,
        case when pooled.is_enough then pooled.derivation else combined.derivation end as derivation,
        case when pooled.is_enough then pooled.years else 1 end as years_pooled,
        cast(null as string) as standard_population,
        cast(null as double) as rate,
        cast(null as double) as variance,
        combined.is_partial_year,
        combined.population_date
    from combined
    inner join {{ source('source', 'indicator') }} as indicator
        on indicator.indicator_code = combined.indicator_code
    left join pooled
        on pooled.region_code = combined.region_code
        {% for column in cell %}
        and pooled.{{ column }} = combined.{{ column }}
        {% endfor %}
    where
        combined.is_pair
        -- the crude rate of all ages gives way to the standardised one
        and (indicator.standard_population is null or combined.age_group <> 'all')

    union all

    select
        region_code,
        {% for column in cell %}
        {{ column }},
        {% endfor %}
        period_end, as_of_date,
        case when events >= 10 or rate is null then events end,
        people,
        case when events >= 10 or rate is null then letters else {{ joined_statuses(['letters', "'Q'"]) }} end,
        provenance, derivation, 1, standard_population,
        case when events >= 10 then rate end,
        variance, is_partial_year, population_date
    from standardised

    union all

    select
        missing.region_code,
        {% for column in cell %}
        missing.{{ column }},
        {% endfor %}
        missing.period_end, missing.as_of_date, missing.numerator, missing.denominator, missing.letters,
        missing.provenance, missing.derivation, 1, cast(null as string), cast(null as double), cast(null as double),
        missing.is_partial_year, missing.population_date
    from missing
    left join standardised
        on standardised.region_code = missing.region_code
        {% for column in cell %}
        and standardised.{{ column }} = missing.{{ column }}
        {% endfor %}
    where standardised.region_code is null
),

-- spending is no count of events: an interval of counts says nothing about it
money as (
    select distinct term.indicator_code
    from {{ source('source', 'indicator_term') }} as term
    inner join {{ source('source', 'measure') }} as measure
        on measure.measure = term.measure
    inner join {{ source('source', 'measure') }} as spending
        on spending.unit = measure.unit
    inner join {{ ref('stg_spending_source') }} as source
        on source.measure = spending.measure
),

computed as (
    select
        figures.*,
        region.region_name,
        region.region_level,
        region.region_depth,
        indicator.unit,
        indicator.direction,
        indicator.may_exceed_100,
        cast(indicator.multiplier as double) as multiplier,
        case
            when figures.standard_population is not null then figures.rate * cast(indicator.multiplier as double)
            else {{ divide('cast(figures.numerator as double) * cast(indicator.multiplier as double)', 'figures.denominator') }}
        end as value,
        -- counts out of counts: only a percentage that can be a proportion has Wilson's interval unless the indicator
        -- says what it is
        case
            when figures.standard_population is not null then 'dobson'
            when indicator.interval_kind = 'poisson' then 'poisson'
            when figures.numerator between 0 and figures.denominator and (
                indicator.interval_kind = 'wilson'
                or (
                    indicator.interval_kind is null and indicator.unit = '%' and indicator.multiplier = 100
                    and money.indicator_code is null
                )
            ) then 'wilson'
        end as interval_kind
    from figures
    inner join {{ source('source', 'indicator') }} as indicator
        on indicator.indicator_code = figures.indicator_code
    inner join {{ ref('int_region__date') }} as region
        on region.reference_geography = figures.reference_geography
        and region.as_of_date = figures.as_of_date
        and region.region_code = figures.region_code
    left join lowest
        on lowest.region_level = indicator.lowest_level
    left join money
        on money.indicator_code = figures.indicator_code
    where lowest.region_depth is null or region.region_depth <= lowest.region_depth
)

select
    region_code,
    region_name,
    region_level,
    region_depth,
    {% for column in cell %}
    {{ column }},
    {% endfor %}
    period_end,
    as_of_date,
    numerator,
    denominator,
    value,
    {% for side in ['low', 'high'] %}
    case
        when value is null then null
        when interval_kind = 'wilson' then multiplier * {{ wilson_limit('numerator', 'denominator', '-' if side == 'low' else '+') }}
        when interval_kind = 'poisson' then multiplier * {{ divide(poisson_limit('numerator', side), 'denominator') }}
        when interval_kind = 'dobson' then multiplier * {{ dobson_limit('rate', 'variance', 'numerator', side) }}
    end as ci_{{ side }},
    {% endfor %}
    case when value is not null then interval_kind end as interval_kind,
    cast(years_pooled as integer) as years_pooled,
    standard_population,
    unit,
    direction,
    may_exceed_100,
    case
        -- a rate over nobody cannot exist, whatever its inputs say
        when numerator is not null and denominator = 0 then 'M'
        else {{ status_of_year('letters', 'value', 'is_partial_year') }}
    end as obs_status,
    case
        when value is not null then null
        when numerator is not null and denominator = 0 then 'denominator_is_zero'
        when letters like '%Q%' then 'suppressed'
        when is_partial_year then 'partial_year'
        when standard_population is not null then 'age_missing'
        when numerator is null and denominator is null then 'both_missing'
        when denominator is null then 'denominator_missing'
        else 'numerator_missing'
    end as undefined_reason,
    provenance,
    derivation,
    population_date
from computed
