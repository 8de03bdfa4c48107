select
    goalpost_set,
    indicator_code,
    low,
    high,
    note
from {{ source('source', 'goalpost') }}
