-- Values of single years on the way to a target, from yearly plans. They say who is behind; no score rests on them.
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
where kind = 'milestone'
