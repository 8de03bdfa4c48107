-- Each figure against each target and milestone that is not over yet, and against the last target of each edition: a
-- region's own before the one for everywhere. Scores rest on targets only; milestones of yearly plans say who is behind.
{% set target = ['target_value', 'lower_limit', 'upper_limit', 'baseline'] %}

with aims as (
    select indicator_code, region_code, edition, target_year, kind as target_kind, origin, {{ target | join(', ') }}
    from {{ source('source', 'target') }}
),

figures as (
    select
        figure.*,
        coalesce(setting.base_year, min(case when figure.value is not null then figure.year end) over (
            partition by figure.reference_geography, figure.region_code, figure.indicator_code
        )) as base_year
    from {{ ref('int_score__choose_figures') }} as figure
    cross join {{ ref('stg_setting') }} as setting
    where figure.reading = 'main'
),

dated as (
    select
        figures.*,
        base.value as base_value
    from figures
    left join figures as base
        on base.reference_geography = figures.reference_geography
        and base.region_code = figures.region_code
        and base.indicator_code = figures.indicator_code
        and base.year = figures.base_year
),

-- people are what populations are counted in; a gap in beds or money is no number of people
person_units as (
    select distinct unit
    from {{ source('source', 'measure') }}
    where is_population
),

people as (
    select term.indicator_code
    from {{ source('source', 'indicator_term') }} as term
    inner join {{ source('source', 'measure') }} as measure
        on measure.measure = term.measure
    left join person_units
        on person_units.unit = measure.unit
    group by term.indicator_code
    having count(*) = count(person_units.unit)
),

finals as (
    select indicator_code, edition, region_code, max(target_year) as target_year
    from aims
    where target_kind = 'target'
    group by indicator_code, edition, region_code
),

slots as (
    select distinct indicator_code, edition, target_year, target_kind
    from aims
),

matched as (
    select
        dated.*,
        slots.edition,
        slots.target_year,
        slots.target_kind,
        coalesce(own.region_code, everywhere.region_code) as target_region,
        {% for column in target + ['origin'] %}
        case when own.region_code is not null then own.{{ column }} else everywhere.{{ column }} end as {{ column }},
        {% endfor %}
        case
            when own_final.target_year >= final.target_year or final.target_year is null then own_final.target_year
            else final.target_year
        end as final_year
    from dated
    inner join slots
        on slots.indicator_code = dated.indicator_code
    left join aims as own
        on own.indicator_code = slots.indicator_code
        and own.edition = slots.edition
        and own.target_year = slots.target_year
        and own.target_kind = slots.target_kind
        and own.region_code = dated.region_code
    left join aims as everywhere
        on everywhere.indicator_code = slots.indicator_code
        and everywhere.edition = slots.edition
        and everywhere.target_year = slots.target_year
        and everywhere.target_kind = slots.target_kind
        and everywhere.region_code = 'all'
    left join finals as own_final
        on own_final.indicator_code = slots.indicator_code
        and own_final.edition = slots.edition
        and own_final.region_code = dated.region_code
    left join finals as final
        on final.indicator_code = slots.indicator_code
        and final.edition = slots.edition
        and final.region_code = 'all'
    where own.region_code is not null or everywhere.region_code is not null
),

measured as (
    select
        matched.*,
        matched.target_kind = 'target' and matched.target_year = matched.final_year as is_final_target,
        {{ attainment(*(['matched.direction', 'matched.value', 'matched.target_value', 'matched.lower_limit', 'matched.upper_limit', 'matched.baseline'])) }}
            as attainment,
        {{ attainment_uncapped(*(['matched.direction', 'matched.value', 'matched.target_value', 'matched.lower_limit', 'matched.upper_limit', 'matched.baseline'])) }}
            as ratio_to_target,
        {{ attainment_reason(*(['matched.direction', 'matched.value', 'matched.target_value', 'matched.lower_limit', 'matched.upper_limit', 'matched.baseline'])) }}
            as attainment_note,
        {{ attainment(*(['matched.direction', 'matched.base_value', 'matched.target_value', 'matched.lower_limit', 'matched.upper_limit', 'matched.baseline'])) }}
            as base_attainment,
        indicator.multiplier,
        people.indicator_code is not null as counts_people
    from matched
    inner join {{ source('source', 'indicator') }} as indicator
        on indicator.indicator_code = matched.indicator_code
    left join people
        on people.indicator_code = matched.indicator_code
    where
        matched.target_year >= matched.year
        or (matched.target_kind = 'target' and matched.target_year = matched.final_year)
),

paced as (
    select
        *,
        -- the straight way from the base year's attainment to the target
        case
            when year >= target_year or base_year >= target_year then 1e0
            when year <= base_year then base_attainment
            else base_attainment + (1e0 - base_attainment) * {{ divide('year - base_year', 'target_year - base_year') }}
        end as expected_attainment
    from measured
)

select
    region_id,
    region_code,
    reference_geography,
    as_of_date,
    year,
    year_start,
    indicator_code,
    unit,
    direction,
    edition,
    target_year,
    target_kind,
    target_region,
    target_value,
    lower_limit,
    upper_limit,
    origin as target_origin,
    is_final_target,
    value,
    attainment,
    ratio_to_target,
    attainment_note,
    expected_attainment,
    attainment = 1e0 as is_target_met,
    attainment < expected_attainment - 1e-12 as is_behind,
    case when counts_people
        then {{ people_behind('direction', 'target_value', 'denominator', 'numerator', 'multiplier') }}
    end as people_behind_target,
    base_year,
    base_value,
    case when year > base_year then {{ yearly_change('value', 'base_value', 'year - base_year') }} end as yearly_change,
    {{ years_to_target('value', 'target_value', 'base_value', 'year - base_year', 'attainment = 1e0') }} as years_to_target,
    {{ years_to_target_reason('value', 'target_value', 'base_value', 'year - base_year', 'attainment = 1e0') }}
        as years_to_target_note,
    obs_status,
    provenance
from paced
