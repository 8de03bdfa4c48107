select
    region_code,
    valid_from,
    valid_to,
    region_name,
    region_name_en,
    region_level,
    region_depth,
    government_level,
    parent_code,
    valid_to is null as is_in_force,
    code_origin
from {{ ref('stg_region') }}
