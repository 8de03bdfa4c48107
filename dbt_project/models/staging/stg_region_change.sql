select
    from_code,
    to_code,
    effective_date,
    change_kind,
    population_share,
    share_of_to,
    share_source,
    is_estimated,
    notice
from {{ source('source', 'region_change') }}
