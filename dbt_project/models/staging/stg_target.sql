-- What attainment is measured against. The milestones on the way there are in stg_milestone.
select
    indicator_code,
    coalesce(region_code, 'all') as region_code,
    target_year,
    target_value,
    lower_limit,
    upper_limit,
    baseline,
    edition,
    origin,
    note
from {{ source('source', 'target') }}
where coalesce(kind, 'target') = 'target'
