select
    region_code,
    year,
    index_pct,
    source,
    origin
from {{ source('source', 'price_index') }}
