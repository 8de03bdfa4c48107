select
    reference_geography,
    union_code,
    name_zh,
    name_en,
    member_code,
    reason
from {{ source('source', 'region_union') }}
