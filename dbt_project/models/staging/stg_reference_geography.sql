-- The geographies that figures are told on: `reported` (no date: as the source used its regions) and each reference
-- geography, with the date whose list of regions it is. One that is not published is there to find a region of its
-- list again at another time: some extract's figures are on its boundaries.
select
    name as reference_geography,
    as_of_date,
    coalesce(is_published, true) as is_published
from {{ source('source', 'reference_geography') }}
