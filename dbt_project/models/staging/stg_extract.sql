select
    department,
    extract,
    name_zh,
    name_en,
    {{ quoted('rank') }} as extract_rank,
    provenance,
    delivery,
    license,
    publisher,
    source_title,
    owner,
    contract_version,
    contract_hash,
    period_kind
from {{ source('source', 'extract') }}
