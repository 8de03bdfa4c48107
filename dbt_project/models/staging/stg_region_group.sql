select
    group_code,
    group_name_zh,
    group_name_en,
    group_kind,
    region_code,
    valid_from,
    valid_to,
    source,
    edition,
    coalesce(is_verified, false) as is_verified
from {{ source('source', 'region_group') }}
