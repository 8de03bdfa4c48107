select
    receipt_id,
    nullif(reading_id, '') as reading_id,
    department,
    extract,
    delivery_period,
    source_file,
    kind,
    severity,
    observed,
    expected
from {{ source('source', 'finding') }}
