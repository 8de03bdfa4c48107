{{ config(
    meta={'severity': 'warn', 'owner': '指标管理 / indicator owner',
          'why': 'an indicator without a usable target has no attainment and drops out of every score'},
) }}
select
    target.indicator_code, target.region_code, target.target_year, target.edition,
    {{ attainment_reason('indicator.direction', '1', 'target.target_value', 'target.lower_limit', 'target.upper_limit',
                         'target.baseline') }} as problem
from {{ ref('stg_target') }} as target
left join {{ source('source', 'indicator') }} as indicator
    on indicator.indicator_code = target.indicator_code
where
    coalesce(indicator.role, 'scored') = 'scored'
    and (
        indicator.indicator_code is null
        or {{ attainment_reason('indicator.direction', '1', 'target.target_value', 'target.lower_limit',
                                'target.upper_limit', 'target.baseline') }} <> 'computed'
    )
