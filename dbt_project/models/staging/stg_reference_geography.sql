-- The geographies that figures are told on: `reported` (no date: as the source used its regions) and each reference
-- geography, with the date whose list of regions it is. One that is not published (`2023 as listed`) is there to find a
-- region of its list again at another time, by itself and not as part of a union: some extract is on its boundaries.
select
    name as reference_geography,
    as_of_date,
    coalesce(is_published, true) as is_published
from {{ source('source', 'reference_geography') }}
