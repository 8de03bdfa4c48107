select
    receipt_id,
    department,
    extract,
    delivery_period,
    file_name,
    landing_path,
    sha256,
    size_bytes,
    received_at,
    sequence,
    is_in_force,
    is_withdrawal
from {{ source('source', 'receipt') }}
