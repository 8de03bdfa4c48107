select
    target.indicator_code,
    target.region_code,
    target.target_year,
    target.edition,
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
from {{ ref('stg_target') }} as target
left join {{ ref('stg_indicator') }} as indicator
    on indicator.indicator_code = target.indicator_code
