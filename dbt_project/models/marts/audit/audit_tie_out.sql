-- The account of each sheet: read is accepted, rejected, duplicate or ignored, to the last row and value.
select
    receipt_id,
    reading_id,
    source_file,
    source_sheet,
    department,
    extract,
    delivery_period,
    rows_read,
    rows_accepted,
    rows_rejected,
    rows_duplicate,
    rows_ignored,
    values_read,
    values_accepted,
    values_missing,
    values_rejected,
    values_dropped,
    rows_read = rows_accepted + rows_rejected + rows_duplicate + rows_ignored
        and values_read = values_accepted + values_missing + values_rejected + values_dropped as is_tied
from {{ source('source', 'tie_out') }}
