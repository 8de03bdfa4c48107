select
    domain,
    name_zh,
    name_en,
    sort_order,
    coalesce(is_basic, false) as is_basic,
    users,
    users_name_zh,
    users_name_en
from {{ source('source', 'domain') }}
