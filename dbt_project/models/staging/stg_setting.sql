-- One row: each setting that models use is a column, null where the jurisdiction does not state it.
select
    max(case when name = 'currency' then value end) as currency,
    max(case when name = 'default_population_basis' then value end) as default_population_basis,
    cast(max(case when name = 'first_year' then value end) as integer) as first_year,
    cast(max(case when name = 'last_year' then value end) as integer) as last_year,
    -- the year that changes and constant prices are counted from
    cast(max(case when name = 'base_year' then value end) as integer) as base_year,
    max(case when name = 'item_payment_measure' then value end) as item_payment_measure
from {{ source('source', 'setting') }}
