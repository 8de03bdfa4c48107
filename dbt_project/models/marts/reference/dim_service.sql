select
    service.domain,
    service.service,
    service.edition,
    domain.name_zh as domain_name_zh,
    domain.name_en as domain_name_en,
    service.name_zh,
    service.name_en,
    service.standard,
    service.lead_department,
    service.is_assessed,
    service.reason,
    service.indicators
from {{ source('source', 'service') }} as service
left join {{ source('source', 'domain') }} as domain
    on domain.domain = service.domain
