select
    item,
    domain,
    service,
    edition,
    name_zh,
    name_en,
    object as beneficiaries,
    standard,
    lead_department,
    open_to_permit_holders,
    valid_from,
    valid_to,
    origin
from {{ source('source', 'service_item') }}
