-- The geographies that figures are told on: `reported` (no date: as the source used its regions) and each reference
-- geography, with the date whose list of regions it is.
select
    name as reference_geography,
    as_of_date
from {{ source('source', 'reference_geography') }}
