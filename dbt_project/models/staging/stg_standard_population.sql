select
    standard_population,
    age_group,
    weight,
    origin
from {{ source('source', 'standard_population') }}
