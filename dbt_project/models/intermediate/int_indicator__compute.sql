-- The value of each indicator, its interval, and the regions that are missing: where the figure exists for a region's
-- neighbours (same parent, same level, same year and population) but was not reported for it, a row says so.
-- Regions below the indicator's lowest level have no row: their figures would be noise.
{% set cell = ['indicator_code', 'reference_geography', 'year', 'population_basis', 'population_source', 'residence',
               'sex', 'age_group', 'group_code'] %}

with combined as (
    select * from {{ ref('int_indicator__combine_terms') }}
),

lowest as (
    select region_level, max(region_depth) as region_depth
    from {{ ref('stg_region') }}
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
        coalesce(combined.derivation, 'reported') as derivation
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
        region_code,
        {% for column in cell %}
        {{ column }},
        {% endfor %}
        period_end, as_of_date, numerator, denominator, letters, provenance, derivation
    from combined
    where is_pair

    union all

    select
        region_code,
        {% for column in cell %}
        {{ column }},
        {% endfor %}
        period_end, as_of_date, numerator, denominator, letters, provenance, derivation
    from missing
),

-- spending is no count of events: an interval of counts says nothing about it
money as (
    select distinct term.indicator_code
    from {{ ref('stg_indicator_term') }} as term
    inner join {{ ref('stg_measure') }} as measure
        on measure.measure = term.measure
    inner join {{ ref('stg_measure') }} as spending
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
        {{ divide('cast(figures.numerator as double) * cast(indicator.multiplier as double)', 'figures.denominator') }}
            as value,
        -- counts out of counts: only a percentage that can be a proportion has Wilson's interval
        indicator.unit = '%' and indicator.multiplier = 100 and money.indicator_code is null
            and figures.numerator between 0 and figures.denominator as is_proportion
    from figures
    inner join {{ ref('stg_indicator') }} as indicator
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
    numerator,
    denominator,
    value,
    case when is_proportion then 100e0 * {{ wilson_low('numerator', 'denominator') }} end as ci_low,
    case when is_proportion then 100e0 * {{ wilson_high('numerator', 'denominator') }} end as ci_high,
    unit,
    direction,
    may_exceed_100,
    case
        -- a rate over nobody cannot exist, whatever its inputs say
        when numerator is not null and denominator = 0 then 'M'
        else {{ ranked_status('letters', 'value') }}
    end as obs_status,
    provenance,
    derivation
from computed
