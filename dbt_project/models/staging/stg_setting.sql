-- One row: each setting that models use is a column, null where the jurisdiction does not state it and no value is the
-- commonest.
select
    max(case when name = 'currency' then value end) as currency,
    max(case when name = 'default_population_basis' then value end) as default_population_basis,
    -- the fund that is meant where none is named
    max(case when name = 'main_fund' then value end) as main_fund,
    -- where nobody tells town from country, nothing is unattributed to either
    coalesce(max(case when name = 'tells_residence' then value end), 'true') = 'true' as tells_residence,
    -- the population that is meant where none is named, and at which time of a financial year it is wanted
    max(case when name = 'population_source' then value end) as population_source,
    coalesce(max(case when name = 'financial_year_population' then value end), 'middle') as financial_year_population,
    max(case when name = 'home_region' then value end) as home_region,
    -- the deepest level of regions that provide all services and so compare
    cast(max(case when name = 'compared_depth' then value end) as integer) as compared_depth,
    cast(max(case when name = 'first_year' then value end) as integer) as first_year,
    cast(max(case when name = 'last_year' then value end) as integer) as last_year,
    -- the year that changes, constant prices and the composite index are counted from
    cast(max(case when name = 'base_year' then value end) as integer) as base_year,
    max(case when name = 'item_payment_measure' then value end) as item_payment_measure,
    -- the weights and goalposts of the published index; every other set stands beside it
    coalesce(max(case when name = 'weight_set' then value end), 'equal') as weight_set,
    max(case when name = 'goalpost_set' then value end) as goalpost_set,
    -- the indicator whose target the equalisation degree is measured against
    max(case when name = 'degree_indicator' then value end) as degree_indicator,
    -- the share of a domain's weight that must be available
    coalesce(cast(max(case when name = 'minimum_weight' then value end) as decimal(9, 6)), 0.5) as minimum_weight,
    coalesce(max(case when name = 'may_reweight_domains' then value end), 'false') = 'true' as may_reweight_domains
from {{ source('source', 'setting') }}
