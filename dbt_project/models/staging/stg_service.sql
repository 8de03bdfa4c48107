select
    domain,
    service,
    edition,
    name_zh,
    name_en,
    standard,
    lead_department,
    is_assessed,
    reason,
    indicators
from {{ source('source', 'service') }}
