select
    target.indicator_code,
    target.region_code,
    target.target_year,
    target.edition,
    target.kind as target_kind,
    indicator.name_zh as indicator_name_zh,
    indicator.name_en as indicator_name_en,
    indicator.direction,
    indicator.unit,
    target.target_value,
    target.lower_limit,
    target.upper_limit,
    target.baseline,
    target.origin,
    target.note
from {{ source('source', 'target') }} as target
left join {{ source('source', 'indicator') }} as indicator
    on indicator.indicator_code = target.indicator_code
