{{ config(
    meta={'severity': 'warn', 'owner': '指标管理 / indicator owner',
          'why': 'an indicator without two different goalposts drops out of the composite index'},
) }}
select goalpost_set, indicator_code, low, high, reason
from {{ ref('dim_goalpost') }}
where not is_used

union all

select setting.goalpost_set, indicator.indicator_code, null as low, null as high, 'no_goalposts' as reason
from {{ source('source', 'indicator') }} as indicator
cross join {{ ref('stg_setting') }} as setting
left join {{ source('source', 'goalpost') }} as goalpost
    on goalpost.goalpost_set = setting.goalpost_set
    and goalpost.indicator_code = indicator.indicator_code
where setting.goalpost_set is not null and indicator.role = 'scored' and goalpost.indicator_code is null
