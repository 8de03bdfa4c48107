select
    reject_id,
    receipt_id,
    reading_id,
    department,
    extract,
    delivery_period,
    source_file,
    source_sheet,
    source_row,
    nullif(source_column, '') as source_column,
    scope,
    rule,
    reported_text,
    detail,
    region_code,
    is_known,
    known_reason
from {{ source('source', 'reject') }}
