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
    is_withdrawal,
    coalesce(is_held, false) as is_held,
    held_since,
    held_because,
    in_place_of
from {{ source('source', 'receipt') }}
