-- The scales on which regions are scored, with the scored indicators of each and what they weigh, numbered so that scores
-- carry numbers instead of texts:
--   scale_number      a way to make a score of a figure (int_score__rate_figures)
--   tree_number       a weight set on a scale: every set on `target`, the published set on the others
--   domain_number     a domain; 0 stands for all domains together
--   indicator_number  an indicator in its domain
with members as (
    select distinct 'target' as scale_kind, target.edition as scale, target.indicator_code
    from {{ ref('int_target__choose_finals') }} as target
    inner join {{ source('source', 'indicator') }} as indicator
        on indicator.indicator_code = target.indicator_code
    where {{ attainment_reason('indicator.direction', '1', 'target.target_value', 'target.lower_limit',
                               'target.upper_limit', 'target.baseline') }} = 'computed'

    union all

    select distinct 'goalposts' as scale_kind, goalpost.goalpost_set as scale, goalpost.indicator_code
    from {{ source('source', 'goalpost') }} as goalpost
    where goalpost.low < goalpost.high
),

all_members as (
    select * from members

    union all

    select 'registered' as scale_kind, scale, indicator_code
    from members
    where scale_kind = 'target'

    union all

    select 'distance' as scale_kind, members.scale, members.indicator_code
    from members
    inner join members as goalposts
        on goalposts.scale_kind = 'goalposts'
        and goalposts.indicator_code = members.indicator_code
    inner join {{ ref('stg_setting') }} as setting
        on setting.goalpost_set = goalposts.scale
    where members.scale_kind = 'target'
)

select
    cast(dense_rank() over (order by members.scale_kind, members.scale) as integer) as scale_number,
    cast(dense_rank() over (order by members.scale_kind, members.scale, weights.weight_set) as integer) as tree_number,
    members.scale_kind,
    members.scale,
    weights.weight_set,
    cast(dense_rank() over (order by weights.domain) as integer) as domain_number,
    weights.domain,
    weights.domain_weight,
    cast(dense_rank() over (order by weights.domain, weights.indicator_code) as integer) as indicator_number,
    weights.indicator_code,
    weights.weight
from all_members as members
cross join {{ ref('stg_setting') }} as setting
inner join {{ ref('int_score__list_weights') }} as weights
    on weights.indicator_code = members.indicator_code
    and weights.weight_set in (
        select weight_set from {{ ref('figure_variant') }} where subject_kind in ('degree', 'contribution')
    )
    and (members.scale_kind = 'target' or weights.weight_set = setting.weight_set)
