-- Spending by functional class, with the domain its class belongs to on that date: of each government's own level, or
-- (`government_level` all) of everybody in the region: as its measure is, or because the region has no government that
-- could spend by itself. Such a figure holds the levels below already.
select
    observation.series_number,
    observation.region_code,
    observation.reference_geography,
    observation.as_of_date,
    case when source.aggregation = 'whole' then 'all' else coalesce(region.government_level, 'all') end
        as government_level,
    observation.period_end,
    observation.year,
    observation.year_start,
    source.fund,
    source.account_stage,
    source.is_exhaustive,
    observation.residence,
    observation.measure,
    observation.item as class_code,
    class.domain,
    coalesce(domain.is_basic, false) as is_basic,
    observation.value,
    observation.obs_status,
    observation.is_partial_year,
    observation.provenance,
    observation.extract_rank
from {{ ref('int_observation__select_years') }} as observation
inner join {{ ref('stg_spending_source') }} as source
    on source.measure = observation.measure
    and source.role = 'functional'
inner join {{ ref('int_region__date') }} as region
    on region.reference_geography = observation.reference_geography
    and region.as_of_date = observation.as_of_date
    and region.region_code = observation.region_code
left join {{ source('source', 'functional_class') }} as class
    on class.class_code = observation.item
    and class.valid_from <= observation.period_end
    and (class.valid_to is null or class.valid_to > observation.period_end)
left join {{ source('source', 'domain') }} as domain
    on domain.domain = class.domain
where
    observation.sex = 'all'
    and observation.age_group = 'all'
    and observation.group_code = 'all'
    and observation.item <> 'all'
