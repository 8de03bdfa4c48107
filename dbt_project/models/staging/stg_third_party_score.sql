select
    region_code,
    year,
    domain,
    method_id,
    score,
    source,
    provenance
from {{ source('source', 'third_party_score') }}
