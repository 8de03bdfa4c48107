select
    item.item,
    item.edition,
    item.domain,
    item.service,
    service.name_zh as service_name_zh,
    service.name_en as service_name_en,
    item.name_zh,
    item.name_en,
    item.object as beneficiaries,
    item.standard,
    item.lead_department,
    item.open_to_permit_holders,
    item.valid_from,
    item.valid_to,
    item.origin
from {{ source('source', 'service_item') }} as item
left join (
    select domain, service, name_zh, name_en, row_number() over (partition by domain, service order by edition desc) as place
    from {{ source('source', 'service') }}
) as service
    on service.domain = item.domain
    and service.service = item.service
    and service.place = 1
