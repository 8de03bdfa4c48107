select
    domain,
    name_zh,
    name_en,
    sort_order,
    coalesce(is_basic, false) as is_basic
from {{ source('source', 'domain') }}
