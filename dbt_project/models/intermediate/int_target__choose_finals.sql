-- The aim of each edition: the target of its last year, for each region that has one of its own and for everywhere.
select
    edition, indicator_code, region_code, target_year, target_value, lower_limit, upper_limit, baseline, origin
from (
    select
        *,
        row_number() over (partition by edition, indicator_code, region_code order by target_year desc) as place
    from {{ ref('stg_target') }}
) as placed
where place = 1
