-- One row: each setting that models use is a column, null where the jurisdiction does not state it and no value is the
-- commonest.
select
    max(case when name = 'currency' then value end) as currency,
    -- what is meant where nothing else is said, as the variant `main` says
    max(main.population_basis) as default_population_basis,
    max(main.fund) as main_fund,
    coalesce(max(main.population_source), 'none') as population_source,
    -- the weights and goalposts of the published index; every other set stands beside it
    max(main.weight_set) as weight_set,
    max(main.goalpost_set) as goalpost_set,
    -- where nobody tells town from country, nothing is unattributed to either
    coalesce(max(case when name = 'tells_residence' then value end), 'true') = 'true' as tells_residence,
    -- at which time of a financial year its population is taken
    coalesce(max(case when name = 'financial_year_population' then value end), 'middle') as financial_year_population,
    max(case when name = 'home_region' then value end) as home_region,
    -- the deepest level of regions that provide all services and so compare
    cast(max(case when name = 'compared_depth' then value end) as integer) as compared_depth,
    cast(max(case when name = 'first_year' then value end) as integer) as first_year,
    cast(max(case when name = 'last_year' then value end) as integer) as last_year,
    -- the year that changes, constant prices and the composite index are counted from
    cast(max(case when name = 'base_year' then value end) as integer) as base_year,
    max(case when name = 'item_payment_measure' then value end) as item_payment_measure,
    -- the indicator whose target the equalisation degree is measured against
    max(case when name = 'degree_indicator' then value end) as degree_indicator,
    -- the share of a domain's weight that must be available
    coalesce(cast(max(case when name = 'minimum_weight' then value end) as decimal(9, 6)), 0.5) as minimum_weight,
    coalesce(max(case when name = 'may_reweight_domains' then value end), 'false') = 'true' as may_reweight_domains
from {{ source('source', 'setting') }} as setting
left join {{ source('source', 'variant') }} as main
    on main.variant = 'main'
