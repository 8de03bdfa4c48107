select
    reading_id,
    receipt_id,
    department,
    extract,
    source_file,
    source_sheet,
    source_row,
    reason,
    reported_text
from {{ source('source', 'ignored') }}
