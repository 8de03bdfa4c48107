-- Goalposts of the composite index; one whose ends are the same cannot place anything and is dropped, which its row says.
select
    goalpost.goalpost_set,
    goalpost.indicator_code,
    indicator.name_zh as indicator_name_zh,
    indicator.name_en as indicator_name_en,
    indicator.direction,
    indicator.unit,
    goalpost.low,
    goalpost.high,
    coalesce(goalpost.goalpost_set = setting.goalpost_set, false) as is_main,
    {{ goalpost_reason('indicator.direction', 'goalpost.low', 'goalpost.high', '0') }} = 'computed'
        and indicator.role = 'scored' as is_used,
    case
        when coalesce(indicator.role, 'context') <> 'scored' then 'not_scored'
        else {{ goalpost_reason('indicator.direction', 'goalpost.low', 'goalpost.high', '0') }}
    end as reason,
    goalpost.note
from {{ source('source', 'goalpost') }} as goalpost
cross join {{ ref('stg_setting') }} as setting
left join {{ source('source', 'indicator') }} as indicator
    on indicator.indicator_code = goalpost.indicator_code
