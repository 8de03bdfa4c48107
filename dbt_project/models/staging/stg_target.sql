-- What attainment is measured against. Milestones of yearly plans say who is behind; no score rests on them.
select
    indicator_code,
    region_code,
    target_year,
    target_value,
    lower_limit,
    upper_limit,
    baseline,
    edition,
    origin,
    note
from {{ source('source', 'target') }}
where kind = 'target'
