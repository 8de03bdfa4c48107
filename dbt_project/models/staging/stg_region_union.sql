select
    cast(reference_geography as {{ dbt.type_string() }}) as reference_geography,
    union_code,
    name_zh,
    name_en,
    member_code,
    reason
from {{ source('source', 'region_union') }}
