select
    reading_id,
    receipt_id,
    department,
    extract,
    contract_hash,
    reference_hash,
    reader_version,
    status,
    nullif(problem, '') as problem,
    read_at
from {{ source('source', 'reading') }}
