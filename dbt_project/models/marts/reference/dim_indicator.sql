with person_units as (
    select distinct unit
    from {{ source('source', 'measure') }}
    where is_population
),

counted as (
    select
        term.indicator_code,
        {{ any_true("term.part = 'numerator' and person_units.unit is not null") }} as counts_persons_served,
        count(*) = count(person_units.unit) as counts_persons
    from {{ source('source', 'indicator_term') }} as term
    inner join {{ source('source', 'measure') }} as measure
        on measure.measure = term.measure
    left join person_units
        on person_units.unit = measure.unit
    group by term.indicator_code
)

select
    indicator.indicator_code,
    indicator.domain,
    indicator.service,
    indicator.name_zh,
    indicator.name_en,
    indicator.unit,
    indicator.direction,
    indicator.role,
    indicator.lowest_level,
    indicator.pool_years,
    indicator.min_events,
    indicator.denominator_population,
    indicator.lead_department,
    indicator.numerator_text,
    indicator.denominator_text,
    indicator.numerator,
    indicator.denominator,
    indicator.multiplier,
    indicator.population_source,
    indicator.may_exceed_100,
    -- unless its line says so, an indicator gives persons away when its numerator counts persons, or is not known
    coalesce(indicator.disclosive, counted.counts_persons_served, true) as is_disclosive,
    coalesce(counted.counts_persons, false) as counts_persons,
    indicator.is_computed,
    indicator.reason,
    indicator.interval_kind,
    indicator.standard_population,
    indicator.inequality_measures,
    indicator.inequality_ordering
from {{ source('source', 'indicator') }} as indicator
left join counted
    on counted.indicator_code = indicator.indicator_code
