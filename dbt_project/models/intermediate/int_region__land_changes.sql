-- The days on which a code came to stand for other land.
select from_code as region_code, effective_date
from {{ source('source', 'region_change') }}
where change_kind not in ('rename', 'recode')

union

select to_code, effective_date
from {{ source('source', 'region_change') }}
where change_kind not in ('rename', 'recode')
