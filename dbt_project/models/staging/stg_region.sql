select
    region_code,
    region_name,
    region_name_en,
    region_level,
    region_depth,
    -- a level without a government of its own has no budget that could be missing
    nullif(government_level, 'none') as government_level,
    coalesce(is_territory, true) as is_territory,
    parent_code,
    coalesce(valid_from, cast('0001-01-01' as date)) as valid_from,
    valid_to,
    code_origin
from {{ source('source', 'region') }}
